// The virt board's devices, wired together and placed on the bus.

import { GenericTimers } from '../devices/arm-timer.js';
import type { IoBus } from '../devices/bus.js';
import type { DmaMemory } from '../devices/dma-memory.js';
import { GicV2 } from '../devices/gicv2.js';
import { GicV3 } from '../devices/gicv3.js';
import { Pl011 } from '../devices/pl011.js';
import { Pl031 } from '../devices/pl031.js';
import type { VirtioConsole } from '../devices/virtio-console.js';
import { emptyVirtioMmio, type VirtioMmio } from '../devices/virtio-mmio.js';
import type { ArmTimers } from '../vcpu/arm-bus.js';
import type { Clock, IrqLine, TimedDevice } from '../vcpu/device.js';
import * as V from '../vcpu/virt-map.js';
import { makeVirtio, type VirtioPlan } from './virtio-slots.js';
import { onChange } from './wire.js';

const FIRST_SPI = 32;

export interface VirtDevicesOptions {
  readonly clock: Clock;
  readonly gic: 2 | 3;
  readonly virtio: VirtioPlan;
  readonly memory: DmaMemory;
  /** Bytes that the guest prints on the UART. */
  readonly sink: (byte: number) => void;
  /** The CPU's pins. */
  readonly irq: IrqLine;
  readonly fiq: IrqLine;
  /** The CPU has taken an interrupt. */
  readonly onAcknowledge: () => void;
  readonly timers: () => ArmTimers | undefined;
}

/** One power cycle's devices. */
export class VirtDevices {
  readonly gic: GicV2 | GicV3;
  readonly uart: Pl011;
  readonly timers: GenericTimers;
  /** The virtio console, if there is one. */
  readonly console: VirtioConsole | undefined;
  private readonly rtc: Pl031;
  private readonly virtio: readonly VirtioMmio[];
  private readonly timed: readonly TimedDevice[];

  constructor(options: VirtDevicesOptions) {
    const { clock } = options;
    const { irq, fiq, onAcknowledge } = options;
    const pins = { interrupts: V.GIC_INTERRUPTS, irq, fiq, onAcknowledge };
    this.gic = options.gic === 3 ? new GicV3(pins) : new GicV2(pins);
    const line = (id: number): IrqLine => {
      const wire = this.gic.line(id);
      return onChange((level) => wire.set(level));
    };
    const spi = (n: number): IrqLine => line(FIRST_SPI + n);

    this.timers = new GenericTimers({
      clock,
      registers: options.timers,
      physical: line(V.PPI_TIMER_PHYSICAL),
      virtual: line(V.PPI_TIMER_VIRTUAL),
      hypervisor: line(V.PPI_TIMER_HYPERVISOR),
    });
    this.uart = new Pl011({ clock, irq: spi(V.SPI_UART), sink: options.sink, frequency: V.APB_CLOCK });
    this.rtc = new Pl031({ clock, irq: spi(V.SPI_RTC) });
    const { windows, console } = makeVirtio(options.virtio, {
      memory: options.memory,
      clock,
      irq: (slot) => spi(V.SPI_VIRTIO + slot),
    });
    this.virtio = windows;
    this.console = console;
    this.timed = [this.timers, this.uart, this.rtc, ...this.virtio];
  }

  attach(bus: IoBus): void {
    bus.attach(V.GICD_BASE, V.GICD_LENGTH, this.gic.distributor);
    if (this.gic instanceof GicV3) bus.attach(V.GICR_BASE, V.GICR_LENGTH, this.gic.redistributor);
    else bus.attach(V.GICC_BASE, V.GICC_LENGTH, this.gic.cpuInterface);
    bus.attach(V.UART_BASE, V.UART_LENGTH, this.uart);
    bus.attach(V.RTC_BASE, V.RTC_LENGTH, this.rtc);
    for (let slot = 0; slot < V.VIRTIO_SLOTS; slot++) {
      bus.attach(V.VIRTIO_BASE + slot * V.VIRTIO_LENGTH, V.VIRTIO_LENGTH, this.virtio[slot] ?? emptyVirtioMmio());
    }
  }

  deadline(): number {
    let next = Infinity;
    for (const device of this.timed) next = Math.min(next, device.deadline());
    return next;
  }

  advance(now: number): void {
    for (const device of this.timed) if (device.deadline() <= now) device.advance(now);
  }
}
