// The pc board's devices, wired together and placed on the buses.

import { A20Gate } from '../devices/a20.js';
import { AcpiPm } from '../devices/acpi-pm.js';
import { deliverApicMessage } from '../devices/apic-message.js';
import type { BlockBackend } from '../devices/block-backend.js';
import type { IoBus } from '../devices/bus.js';
import type { DmaMemory } from '../devices/dma-memory.js';
import { I8042 } from '../devices/i8042.js';
import { I8254 } from '../devices/i8254.js';
import { PicPair } from '../devices/i8259.js';
import { IdeChannel } from '../devices/ide.js';
import { IO_APIC_PINS, IoApic } from '../devices/io-apic.js';
import { LocalApic } from '../devices/local-apic.js';
import { Mc146818 } from '../devices/mc146818.js';
import { Port61 } from '../devices/port61.js';
import {
  DEBUG_EXIT_LENGTH,
  DebugConsole,
  DebugExit,
  Port92,
  PostCode,
  RESET_CONTROL_BASE,
  RESET_CONTROL_LENGTH,
  ResetControl,
} from '../devices/system-ports.js';
import { Uart16550 } from '../devices/uart16550.js';
import { VGA_MEMORY_ADDRESS, VGA_MEMORY_LENGTH, VGA_PORT_BASE, VGA_PORT_LENGTH, VgaText } from '../devices/vga-text.js';
import type { VirtioConsole } from '../devices/virtio-console.js';
import type { VirtioMmio } from '../devices/virtio-mmio.js';
import type { Clock, IrqLine, TimedDevice } from '../vcpu/device.js';
import * as P from '../vcpu/pc-ports.js';
import type { MachineRequest } from './outcome.js';
import { makeVirtio, type VirtioPlan } from './virtio-slots.js';
import { onChange } from './wire.js';

const PORT_SYSTEM_CONTROL_B = 0x61;
const PORT_POST_CODE = 0x80;
const PORT_SYSTEM_CONTROL_A = 0x92;
const PORT_DEBUG_CONSOLE = 0xe9;
const PORT_DEBUG_EXIT = 0xf4;
const PORT_ELCR = 0x4d0;

export interface PcDevicesOptions {
  readonly clock: Clock;
  readonly ramSize: number;
  /** IDE drives, at most two. */
  readonly disks: readonly BlockBackend[];
  readonly virtio: VirtioPlan;
  readonly memory: DmaMemory;
  /** Bytes that the guest prints: COM1 and the debug console. */
  readonly sink: (byte: number) => void;
  readonly request: (request: MachineRequest) => void;
  /** The CPU's pins. */
  readonly intr: IrqLine;
  readonly nmi: () => void;
  readonly a20: (enabled: boolean) => void;
}

/** One power cycle's devices: a reset makes new ones, which is what the reset line does to the old ones. */
export class PcDevices {
  readonly localApic: LocalApic;
  readonly ioApic: IoApic;
  readonly pic: PicPair;
  readonly pit: I8254;
  readonly rtc: Mc146818;
  readonly uart: Uart16550;
  readonly keyboard: I8042;
  readonly vga: VgaText;
  readonly postCode = new PostCode();
  private readonly port61: Port61;
  private readonly port92: Port92;
  private readonly resetControl: ResetControl;
  private readonly debugConsole: DebugConsole;
  private readonly debugExit: DebugExit;
  private readonly acpi: AcpiPm;
  private readonly ide: IdeChannel | undefined;
  /** The virtio console, if there is one. */
  readonly console: VirtioConsole | undefined;
  private readonly virtio: readonly VirtioMmio[];
  private readonly timed: readonly TimedDevice[];

  constructor(options: PcDevicesOptions) {
    const { clock, request } = options;
    const reset = (source: string) => () => request({ kind: 'reset', source });

    this.localApic = new LocalApic({
      id: 0,
      clock,
      output: options.intr,
      onEoi: (vector) => this.ioApic.eoi(vector),
      onNmi: options.nmi,
      onInit: reset('INIT message to the local APIC'),
    });
    this.ioApic = new IoApic({
      id: P.IO_APIC_ID,
      deliver: (message) => deliverApicMessage([this.localApic], message),
    });
    this.pic = new PicPair(onChange((level) => this.localApic.setLint(0, level)));

    const a20 = new A20Gate(options.a20);
    this.pit = new I8254({ clock, irq: this.isaIrq(P.IRQ_TIMER) });
    this.port61 = new Port61(clock, this.pit.channel2);
    this.rtc = new Mc146818({ clock, irq: this.isaIrq(P.IRQ_RTC), cmos: { memoryBelow4G: options.ramSize } });
    this.uart = new Uart16550({ name: 'com1', clock, irq: this.isaIrq(P.IRQ_COM1), sink: options.sink });
    this.keyboard = new I8042({
      clock,
      keyboardIrq: this.isaIrq(P.IRQ_KEYBOARD),
      auxIrq: this.isaIrq(P.IRQ_MOUSE),
      a20,
      onReset: reset('keyboard controller (port 0x64)'),
    });
    this.vga = new VgaText(clock);
    this.port92 = new Port92(a20, reset('system control port A (port 0x92)'));
    this.resetControl = new ResetControl((kind) => request({ kind: 'reset', source: `${kind} reset (port 0xcf9)` }));
    this.debugConsole = new DebugConsole(options.sink);
    this.debugExit = new DebugExit((code) => request({ kind: 'exit', code }));
    this.acpi = new AcpiPm({
      clock,
      sci: this.isaIrq(P.IRQ_SCI),
      onPowerOff: () => request({ kind: 'poweroff' }),
    });
    // Its timer counts from the machine's start, not from this power cycle's.
    this.acpi.reset();
    const [first, second] = options.disks;
    if (first) this.ide = new IdeChannel({ irq: this.isaIrq(P.IRQ_IDE), drives: second ? [first, second] : [first] });
    const { windows, console } = makeVirtio(options.virtio, {
      memory: options.memory,
      clock,
      irq: (slot) => {
        const pin = this.ioApic.irq(P.VIRTIO_GSI + slot);
        return onChange((level) => pin.set(level));
      },
    });
    this.virtio = windows;
    this.console = console;
    this.timed = [this.pit, this.localApic, this.rtc, this.uart, this.keyboard, this.acpi, ...this.virtio];
  }

  /** An ISA interrupt request is wired to both interrupt controllers; the guest masks it at one of them. */
  private isaIrq(n: number): IrqLine {
    const pic = this.pic.irq(n);
    const pin = n === P.IRQ_TIMER ? P.TIMER_GSI : n;
    if (pin >= IO_APIC_PINS) return pic;
    const ioApic = this.ioApic.irq(pin);
    return onChange((level) => {
      pic.set(level);
      ioApic.set(level);
    });
  }

  attach(ports: IoBus, memory: IoBus): void {
    ports.attach(P.PORT_PIC_MASTER, this.pic.master.length, this.pic.master);
    ports.attach(P.PORT_PIC_SLAVE, this.pic.slave.length, this.pic.slave);
    ports.attach(PORT_ELCR, this.pic.elcr.length, this.pic.elcr);
    ports.attach(P.PORT_PIT, this.pit.length, this.pit);
    ports.attach(P.PORT_KEYBOARD_DATA, this.keyboard.data.length, this.keyboard.data);
    ports.attach(P.PORT_KEYBOARD_COMMAND, this.keyboard.command.length, this.keyboard.command);
    ports.attach(PORT_SYSTEM_CONTROL_B, this.port61.length, this.port61);
    ports.attach(P.PORT_RTC, this.rtc.length, this.rtc);
    ports.attach(PORT_POST_CODE, this.postCode.length, this.postCode);
    ports.attach(PORT_SYSTEM_CONTROL_A, this.port92.length, this.port92);
    ports.attach(PORT_DEBUG_CONSOLE, this.debugConsole.length, this.debugConsole);
    ports.attach(PORT_DEBUG_EXIT, DEBUG_EXIT_LENGTH, this.debugExit);
    ports.attach(VGA_PORT_BASE, VGA_PORT_LENGTH, this.vga.ports);
    ports.attach(P.PORT_COM1, this.uart.length, this.uart);
    ports.attach(P.ACPI_PM_BASE, P.ACPI_PM_LENGTH, this.acpi);
    ports.attach(RESET_CONTROL_BASE, RESET_CONTROL_LENGTH, this.resetControl);
    if (this.ide) {
      ports.attach(P.PORT_IDE_COMMAND, P.IDE_COMMAND_LENGTH, this.ide.commandBlock);
      ports.attach(P.PORT_IDE_CONTROL, P.IDE_CONTROL_LENGTH, this.ide.controlBlock);
    }
    memory.attach(VGA_MEMORY_ADDRESS, VGA_MEMORY_LENGTH, this.vga.memory);
    this.virtio.forEach((window, slot) => {
      memory.attach(P.VIRTIO_BASE + slot * P.VIRTIO_STRIDE, P.VIRTIO_LENGTH, window);
    });
    memory.attach(P.IO_APIC_ADDRESS, P.IO_APIC_LENGTH, this.ioApic);
  }

  /** Asked after every write to a device: one by one, so that each call can be compiled into this function. */
  deadline(): number {
    const own = Math.min(
      this.pit.deadline(),
      this.localApic.deadline(),
      this.rtc.deadline(),
      this.uart.deadline(),
      this.keyboard.deadline(),
      this.acpi.deadline(),
    );
    return this.virtio.reduce((next, window) => Math.min(next, window.deadline()), own);
  }

  advance(now: number): void {
    for (const device of this.timed) if (device.deadline() <= now) device.advance(now);
  }
}
