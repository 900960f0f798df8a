// What the KVM suites share: whether KVM is there, and a small guest with a recording bus.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { GuestMemory, type MemoryRegion } from '../../src/vcpu/guest-memory.js';
import { type GuestBus, TsvmError, type VmExit } from '../../src/vcpu/vcpu.js';
import { type BareStart, bareState, bareTables } from '../../src/vmm/bare-guest.js';
import { Kvm } from '../../src/vmm/kvm.js';
import { KvmVcpu, type KvmVcpuOptions } from '../../src/vmm/kvm-vcpu.js';
import { KvmVm, type MemoryAlias } from '../../src/vmm/kvm-vm.js';

/** Null when KVM works here, else why not. */
export function kvmUnavailable(): string | null {
  try {
    Kvm.open().close();
    return null;
  } catch (error) {
    if (error instanceof TsvmError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

export interface Access {
  readonly what: 'in' | 'out' | 'read' | 'write';
  readonly at: number;
  readonly size: number;
  readonly value: number;
}

/** Records every access; answers come from `input` (by default 0). */
export class RecordingBus implements GuestBus {
  readonly log: Access[] = [];
  input: (at: number, size: number) => number = () => 0;
  /** Called before each recorded access. */
  onAccess: () => void = () => undefined;
  vectors: number[] = [];
  acknowledged = 0;
  cr8 = 0;
  apicBases: number[] = [];

  private record(what: Access['what'], at: number, size: number, value: number): number {
    this.onAccess();
    this.log.push({ what, at, size, value });
    return value;
  }
  pioRead(port: number, size: number): number {
    return this.record('in', port, size, this.input(port, size));
  }
  pioWrite(port: number, size: number, value: number): void {
    this.record('out', port, size, value);
  }
  mmioRead(address: number, size: number): number {
    return this.record('read', address, size, this.input(address, size));
  }
  mmioWrite(address: number, size: number, value: number): void {
    this.record('write', address, size, value);
  }
  acknowledgeInterrupt(): number {
    this.acknowledged++;
    return this.vectors.shift() ?? -1;
  }
  readTaskPriority(): number {
    return this.cr8;
  }
  writeTaskPriority(cr8: number): void {
    this.cr8 = cr8;
  }
  writeApicBase(value: number): void {
    this.apicBases.push(value);
  }
  now(): number {
    return performance.now() * 1e6;
  }
  /** "out 0x10 1 0x42" and so on. */
  text(): string[] {
    return this.log.map((a) => `${a.what} 0x${a.at.toString(16)} ${a.size} 0x${a.value.toString(16)}`);
  }
}

const MIB = 0x100000;
export const RAM_SIZE = 4 * MIB;
/** RAM with the PC's hole and, in the hole's upper part, firmware. */
export const REGIONS: readonly MemoryRegion[] = [
  { kind: 'ram', start: 0, size: 0xa0000 },
  { kind: 'rom', start: 0xf0000, size: 0x10000 },
  { kind: 'ram', start: MIB, size: RAM_SIZE - MIB },
];
export const ALIASES: readonly MemoryAlias[] = [{ kind: 'rom', at: 0xffff0000, start: 0xf0000, size: 0x10000 }];

export class Guest {
  readonly ram: GuestMemory;
  readonly bus = new RecordingBus();
  readonly vm: KvmVm;
  readonly vcpu: KvmVcpu;

  constructor(options: KvmVcpuOptions = {}) {
    const pages = (GUEST_BASE + RAM_SIZE) / 65536;
    this.ram = new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), RAM_SIZE);
    this.vm = KvmVm.create({ memory: this.ram, regions: REGIONS, aliases: ALIASES });
    this.vcpu = new KvmVcpu(this.vm, this.bus, options);
    bareTables(this.ram);
  }

  /** Puts `code` at start.rip and the vCPU there. */
  load(start: BareStart, code: readonly number[]): void {
    this.ram.write(start.rip, Uint8Array.from(code));
    this.vcpu.writeState(bareState(start));
  }

  /** Runs in 2 ms slices until something other than the slice's end comes, or the limit. */
  runUntilExit(slices = 200): VmExit {
    for (let i = 0; i < slices; i++) {
      const exit = this.vcpu.run({ instructions: 1e6, nanoseconds: 2e6 });
      if (exit.reason !== 'slice-end') return exit;
    }
    return { reason: 'slice-end' };
  }

  close(): void {
    this.vcpu.close();
    this.vm.close();
  }
}

/** Makes a guest, hands it to the test, frees it whatever happens. */
export function withGuest(body: (guest: Guest) => void, options: KvmVcpuOptions = {}): void {
  const guest = new Guest(options);
  try {
    body(guest);
  } finally {
    guest.close();
  }
}
