// The `virt` board for AArch64: physical memory map, devices, firmware calls, and how a guest starts on it.

import { IoBus, type UnclaimedAccess } from '../devices/bus.js';
import { GicV3 } from '../devices/gicv3.js';
import {
  type LoadedGuest,
  type LoadOptions,
  loadVirtGuest,
  readAheadArm64,
  type VirtHardware,
} from '../loaders/index.js';
import type { ArmBus, ArmPins } from '../vcpu/arm-bus.js';
import { ArmState } from '../vcpu/arm-state.js';
import type { Clock } from '../vcpu/device.js';
import type { GuestMemory, MemoryRegion } from '../vcpu/guest-memory.js';
import { type AccessSize, TsvmError, type Vcpu } from '../vcpu/vcpu.js';
import { VIRT_RAM_BASE, VIRTIO_SLOTS } from '../vcpu/virt-map.js';
import { addUses, listUses, type UseCounts } from './access-counts.js';
import type { Board, BoardCounters } from './board.js';
import { EventCounter } from './event-counter.js';
import { describeVirtAddress } from './known-addresses.js';
import type { MachineRequest } from './outcome.js';
import { psciCall } from './psci.js';
import { VirtDevices } from './virt-devices.js';
import { countVirtio, dmaMemory, type VirtioPlan } from './virtio-slots.js';
import { onChange } from './wire.js';

/** An AArch64 vCPU, with the pins that only this board drives. */
export type ArmVcpu = Vcpu<ArmState> & ArmPins;

export interface VirtBoot {
  readonly image: Uint8Array;
  readonly load: LoadOptions;
}

export interface VirtBoardOptions {
  /** Its base is VIRT_RAM_BASE. */
  readonly memory: GuestMemory;
  readonly clock: Clock;
  readonly boot: VirtBoot;
  readonly gic: 2 | 3;
  /** The processor has EL2. */
  readonly el2: boolean;
  readonly virtio: VirtioPlan;
  /** Takes each byte that the guest prints on the UART. */
  readonly sink: (byte: number) => void;
  /** Fills an array with entropy for /chosen/rng-seed. */
  readonly seed?: ((into: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** An access that no device answers ends the run instead of being an external abort. */
  readonly strictIo?: boolean;
}

const SEED_BYTES = 32;

export class VirtBoard implements Board<ArmState> {
  readonly name = 'virt';
  readonly regions: readonly MemoryRegion[];
  readonly bus: ArmBus;
  readonly haltCauses = {
    masked: 'WFI with the interrupt controller off: nothing can end it',
    idle: 'WFI, but no timer is running and no input can arrive',
  };
  onRequest: (request: MachineRequest) => void = () => undefined;
  onWrite: () => void = () => undefined;

  private readonly hardware: VirtHardware;
  private readonly events = new EventCounter();
  private readonly pastMmio: UseCounts = new Map();
  private mmio = new IoBus('mmio');
  private vcpu: ArmVcpu | undefined;
  private executingPc: (() => bigint) | undefined;
  private memoryWritten: ((address: number, length: number) => void) | undefined;
  private devices: VirtDevices;
  private loaded: LoadedGuest<ArmState> | undefined;
  private irq = false;
  private fiq = false;

  constructor(private readonly options: VirtBoardOptions) {
    const { memory, virtio } = options;
    if (memory.base !== VIRT_RAM_BASE) throw new RangeError('the virt board wants its RAM at VIRT_RAM_BASE');
    const used = countVirtio(virtio);
    if (used > VIRTIO_SLOTS) {
      const found = `${used} virtio devices are attached, and the virt board takes ${VIRTIO_SLOTS}`;
      throw new TsvmError('E_DISK_COUNT', `${found}. Leave some disks out.`);
    }
    this.hardware = {
      gic: options.gic,
      el2: options.el2,
      virtioSlots: Array.from({ length: used }, (_, slot) => slot),
    };
    this.regions = [{ kind: 'ram', start: memory.base, size: memory.size }];
    this.bus = {
      mmioRead: (address, size) => this.read(address, size),
      mmioWrite: (address, size, value) => this.write(address, size, value),
      now: () => options.clock.now(),
      gicRead: (register) => (this.devices.gic instanceof GicV3 ? this.devices.gic.readRegister(register) : 0),
      gicWrite: (register, low, high) => {
        if (this.devices.gic instanceof GicV3) this.devices.gic.writeRegister(register, low, high);
        this.onWrite();
      },
      timerChanged: () => {
        this.devices.timers.update();
        this.onWrite();
      },
      psci: (x0, x1, x2) => this.firmwareCall(x0, x1, x2),
    };
    this.devices = this.makeDevices();
  }

  connect(vcpu: ArmVcpu, executingPc?: () => bigint, memoryWritten?: (address: number, length: number) => void): void {
    this.vcpu = vcpu;
    this.executingPc = executingPc;
    this.memoryWritten = memoryWritten;
  }

  /** The UART of this power cycle. */
  get serial(): VirtDevices['uart'] {
    return this.devices.uart;
  }
  /** The virtio console of this power cycle. */
  get console(): VirtDevices['console'] {
    return this.devices.console;
  }

  /** What stands in memory; undefined before powerOn(). */
  get guest(): LoadedGuest<ArmState> | undefined {
    return this.loaded;
  }

  /** Begins to read a kernel into memory, which powerOn() does otherwise. It never rejects. */
  async readAhead(): Promise<void> {
    const { memory, boot } = this.options;
    await readAheadArm64(boot.image, memory, boot.load.file).catch(() => undefined);
  }

  powerOn(state: ArmState): void {
    const { memory, boot, seed } = this.options;
    this.irq = false;
    this.fiq = false;
    this.vcpu?.setInterruptLine(false);
    this.vcpu?.setFiqLine(false);
    this.devices = this.makeDevices();
    const rngSeed = seed ? new Uint8Array(SEED_BYTES) : undefined;
    if (rngSeed) seed?.(rngSeed);
    this.loaded = loadVirtGuest(boot.image, memory, { ...boot.load, hardware: this.hardware, rngSeed });
    ArmState.reset(state);
    this.loaded.writeState(state);
  }

  deadline(): number {
    return this.devices.deadline();
  }

  advance(now: number): void {
    this.devices.advance(now);
  }

  /** WFI ends by an interrupt even if PSTATE masks it (Arm ARM D1.6.2). */
  wakesFromHalt(): boolean {
    return this.irq || this.fiq;
  }

  canWakeFromHalt(): boolean {
    return this.irq || this.fiq || this.devices.gic.canSignal;
  }

  counters(): BoardCounters {
    const mmio: UseCounts = new Map(this.pastMmio);
    addUses(mmio, this.mmio.accessCounts());
    return { pio: [], mmio: listUses(mmio), events: this.events.toRecord() };
  }

  private makeDevices(): VirtDevices {
    const { options } = this;
    const devices = new VirtDevices({
      clock: options.clock,
      gic: options.gic,
      virtio: options.virtio,
      memory: dmaMemory(options.memory, (address, length) => this.memoryWritten?.(address, length)),
      sink: options.sink,
      irq: onChange((level) => {
        this.irq = level;
        this.vcpu?.setInterruptLine(level);
      }),
      fiq: onChange((level) => {
        this.fiq = level;
        this.vcpu?.setFiqLine(level);
      }),
      onAcknowledge: () => this.events.add('interrupt'),
      timers: () => this.vcpu?.timers(),
    });
    addUses(this.pastMmio, this.mmio.accessCounts());
    this.mmio = new IoBus('mmio', (access) => this.unclaimed(access));
    devices.attach(this.mmio);
    return devices;
  }

  private read(address: number, size: AccessSize): number {
    if (!this.mmio.find(address)) {
      this.unclaimed({ space: 'mmio', kind: 'read', address, size });
      return -1;
    }
    return this.mmio.read(address, size);
  }

  private write(address: number, size: AccessSize, value: number): boolean {
    if (!this.mmio.find(address)) {
      this.unclaimed({ space: 'mmio', kind: 'write', address, size, value });
      return false;
    }
    this.mmio.write(address, size, value);
    this.onWrite();
    return true;
  }

  private firmwareCall(x0: bigint, x1: bigint, x2: bigint): bigint {
    this.events.add('psci');
    return psciCall(
      {
        systemOff: () => this.onRequest({ kind: 'poweroff' }),
        systemReset: () => this.onRequest({ kind: 'reset', source: 'PSCI SYSTEM_RESET' }),
        cpuOff: () =>
          this.onRequest({
            kind: 'failed',
            name: 'E_GUEST_HALTED',
            message: `guest turned its only processor off (PSCI CPU_OFF) at pc=0x${this.currentPc().toString(16)}.`,
          }),
      },
      x0,
      x1,
      x2,
    );
  }

  private currentPc(): bigint {
    if (this.executingPc) return this.executingPc();
    const state = new ArmState();
    this.vcpu?.readState(state);
    return state.pc;
  }

  private unclaimed(access: UnclaimedAccess): void {
    this.events.add('external-abort');
    if (!this.options.strictIo) return;
    const value = access.value === undefined ? '' : ` of 0x${access.value.toString(16)}`;
    this.onRequest({
      kind: 'failed',
      name: 'E_STRICT_IO',
      message:
        `${access.kind}${value} (${access.size} byte${access.size > 1 ? 's' : ''}) at ` +
        `${describeVirtAddress(access.address)}, where no device is, pc=0x${this.currentPc().toString(16)}. ` +
        'Without --strict-io the guest gets an external abort.',
    });
  }
}
