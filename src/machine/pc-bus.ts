// The vCPU's way to the pc board: ports, memory-mapped registers, interrupt acknowledge, task priority.

import { IoBus, type UnclaimedAccess } from '../devices/bus.js';
import type { LocalApic } from '../devices/local-apic.js';
import type { BusDevice } from '../vcpu/device.js';
import type { MemoryRegion } from '../vcpu/guest-memory.js';
import type { AccessSize, GuestBus } from '../vcpu/vcpu.js';
import { addUses, listUses, type UseCounts } from './access-counts.js';
import type { DeviceUse } from './board.js';
import { EventCounter } from './event-counter.js';
import type { PcDevices } from './pc-devices.js';

const LOCAL_APIC_PAGE = 0x1000;

export interface PcBusOptions {
  readonly regions: readonly MemoryRegion[];
  readonly now: () => number;
  readonly onUnclaimed: (access: UnclaimedAccess) => void;
  /** After each write to a device. */
  readonly onWrite: () => void;
}

/** Outlives resets: install() puts a new set of devices behind it, and the counters go on. */
export class PcBus implements GuestBus {
  private ports = new IoBus('port');
  private memory = new IoBus('mmio');
  private devices: PcDevices | undefined;
  private localApicReads = 0;
  private localApicWrites = 0;
  private readonly roms: readonly MemoryRegion[];
  private readonly events = new EventCounter();
  private readonly pastPio: UseCounts = new Map();
  private readonly pastMmio: UseCounts = new Map();

  constructor(private readonly options: PcBusOptions) {
    this.roms = options.regions.filter((region) => region.kind === 'rom');
  }

  /** `extra`: what else answers to memory addresses. */
  install(devices: PcDevices, extra: readonly { at: number; size: number; device: BusDevice }[]): void {
    addUses(this.pastPio, this.ports.accessCounts());
    addUses(this.pastMmio, this.memory.accessCounts());
    this.devices = devices;
    this.ports = new IoBus('port', this.options.onUnclaimed);
    this.memory = new IoBus('mmio', this.options.onUnclaimed);
    devices.attach(this.ports, this.memory);
    for (const { at, size, device } of extra) this.memory.attach(at, size, device);
  }

  pioRead(port: number, size: AccessSize): number {
    return this.ports.read(port, size);
  }

  pioWrite(port: number, size: AccessSize, value: number): void {
    this.ports.write(port, size, value);
    this.options.onWrite();
  }

  mmioRead(address: number, size: AccessSize): number {
    const apic = this.localApicAt(address, size);
    if (!apic) return this.memory.read(address, size);
    this.localApicReads++;
    return apic.read(address - apic.base, size);
  }

  mmioWrite(address: number, size: AccessSize, value: number): void {
    const apic = this.localApicAt(address, size);
    if (apic) {
      this.localApicWrites++;
      apic.write(address - apic.base, size, value);
    } else if (this.roms.some((rom) => address >= rom.start && address < rom.start + rom.size)) {
      // A store to ROM reaches the bus, and no chip answers it.
      this.events.add('rom-write');
      return;
    } else {
      this.memory.write(address, size, value);
    }
    this.options.onWrite();
  }

  /** The local APIC's page is the processor's own: it is seen before the bus, wherever IA32_APIC_BASE puts it. */
  private localApicAt(address: number, size: AccessSize): LocalApic | undefined {
    const apic = this.devices?.localApic;
    if (!apic?.enabled) return undefined;
    const offset = address - apic.base;
    return offset >= 0 && offset + size <= LOCAL_APIC_PAGE ? apic : undefined;
  }

  acknowledgeInterrupt(): number {
    if (!this.devices) return -1;
    const { localApic, pic } = this.devices;
    const fromPic = localApic.wantsExtInt();
    let vector = localApic.acknowledge();
    if (vector < 0 && fromPic) vector = pic.acknowledge();
    if (vector >= 0) this.events.add('interrupt');
    return vector;
  }

  readTaskPriority(): number {
    return this.devices?.localApic.taskPriority ?? 0;
  }

  writeTaskPriority(cr8: number): void {
    this.events.add('cr8');
    if (this.devices) this.devices.localApic.taskPriority = cr8;
  }

  writeApicBase(value: number): void {
    this.events.add('apic-base');
    this.devices?.localApic.setBase(value);
  }

  now(): number {
    return this.options.now();
  }

  counters(): { pio: DeviceUse[]; mmio: DeviceUse[]; events: Record<string, number> } {
    const pio: UseCounts = new Map(this.pastPio);
    const mmio: UseCounts = new Map(this.pastMmio);
    addUses(pio, this.ports.accessCounts());
    addUses(mmio, this.memory.accessCounts());
    addUses(mmio, [{ name: 'local-apic', reads: this.localApicReads, writes: this.localApicWrites }]);
    return { pio: listUses(pio), mmio: listUses(mmio), events: this.events.toRecord() };
  }
}
