// The bus that devices sit on: one for ports, one for memory-mapped registers.

import type { BusDevice } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import { TsvmError } from '../vcpu/vcpu.js';

export type BusSpace = 'port' | 'mmio';

/** An access that no device answered. */
export interface UnclaimedAccess {
  readonly space: BusSpace;
  readonly kind: 'read' | 'write';
  readonly address: number;
  readonly size: AccessSize;
  /** What the guest wrote; absent on a read. */
  readonly value?: number;
}

/** One attached device, with how often the guest has used it. */
export interface BusEntry {
  readonly base: number;
  /** Bytes. */
  readonly length: number;
  readonly device: BusDevice;
  reads: number;
  writes: number;
}

/** Accesses by device name; a device with several register blocks of one name is summed up. */
export interface AccessCount {
  readonly name: string;
  reads: number;
  writes: number;
}

/** First address that does not exist: 16-bit port numbers; physical addresses have at most 52 bits. */
const SPACE_END: Record<BusSpace, number> = { port: 0x10000, mmio: 2 ** 52 };

/** All ones, as a bus with pull-ups reads when nobody drives it. */
const ALL_ONES: Record<AccessSize, number> = { 1: 0xff, 2: 0xffff, 4: 0xffffffff };

/**
 * Routes (address, size) to the one device there. An access that touches the end of a device or several
 * devices is split into bytes, lowest first. What nobody claims reads all ones, ignores writes and is
 * reported to `onUnclaimed`.
 *
 * Lookup is a binary search behind a cache of the last hit: a guest nearly always talks to the device that
 * it talked to before.
 */
export class IoBus {
  /** Sorted by base, never overlapping. */
  private entries: BusEntry[] = [];
  private last: BusEntry | undefined;
  /** Accesses that no device answered. */
  readonly unclaimed: AccessCount;
  /** Called for each of them; a board makes it loud for --strict-io. */
  onUnclaimed: ((access: UnclaimedAccess) => void) | undefined;

  constructor(
    readonly space: BusSpace,
    onUnclaimed?: (access: UnclaimedAccess) => void,
  ) {
    this.onUnclaimed = onUnclaimed;
    this.unclaimed = { name: `unclaimed ${space}`, reads: 0, writes: 0 };
  }

  /**
   * Puts `device` at [base, base + length). Throws E_BUS_RANGE for an empty range or one outside the address
   * space, E_BUS_OVERLAP when another device is there.
   */
  attach(base: number, length: number, device: BusDevice): void {
    const where = `${this.space} 0x${base.toString(16)}+0x${length.toString(16)}`;
    const end = base + length;
    if (
      !(Number.isInteger(base) && Number.isInteger(length) && base >= 0 && length > 0 && end <= SPACE_END[this.space])
    ) {
      throw new TsvmError('E_BUS_RANGE', `${device.name} cannot be attached at ${where}: no such range`);
    }
    const other = this.entries.find((e) => base < e.base + e.length && e.base < end);
    if (other) {
      throw new TsvmError(
        'E_BUS_OVERLAP',
        `${device.name} cannot be attached at ${where}: ${other.device.name} is at 0x${other.base.toString(16)}`,
      );
    }
    this.entries.push({ base, length, device, reads: 0, writes: 0 });
    this.entries.sort((a, b) => a.base - b.base);
  }

  /** The device at `address`, if any. */
  find(address: number): BusEntry | undefined {
    const last = this.last;
    if (last !== undefined && address >= last.base && address < last.base + last.length) return last;
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.entries[middle];
      if (address < entry.base) high = middle;
      else if (address >= entry.base + entry.length) low = middle + 1;
      else {
        this.last = entry;
        return entry;
      }
    }
    return undefined;
  }

  /** Unsigned, at most `size` bytes wide. */
  read(address: number, size: AccessSize): number {
    const entry = this.find(address);
    if (entry !== undefined && address + size <= entry.base + entry.length) {
      entry.reads++;
      return (entry.device.read(address - entry.base, size) & ALL_ONES[size]) >>> 0;
    }
    if (size !== 1 && this.touchesAny(address, size)) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.read(address + i, 1) << (8 * i);
      return value >>> 0;
    }
    this.unclaimed.reads++;
    this.onUnclaimed?.({ space: this.space, kind: 'read', address, size });
    return ALL_ONES[size];
  }

  write(address: number, size: AccessSize, value: number): void {
    const entry = this.find(address);
    if (entry !== undefined && address + size <= entry.base + entry.length) {
      entry.writes++;
      entry.device.write(address - entry.base, size, (value & ALL_ONES[size]) >>> 0);
      return;
    }
    if (size !== 1 && this.touchesAny(address, size)) {
      for (let i = 0; i < size; i++) this.write(address + i, 1, (value >>> (8 * i)) & 0xff);
      return;
    }
    this.unclaimed.writes++;
    this.onUnclaimed?.({ space: this.space, kind: 'write', address, size, value: (value & ALL_ONES[size]) >>> 0 });
  }

  private touchesAny(address: number, size: AccessSize): boolean {
    for (let i = 0; i < size; i++) if (this.find(address + i) !== undefined) return true;
    return false;
  }

  /** What is attached, by address. */
  map(): readonly Readonly<BusEntry>[] {
    return this.entries;
  }

  /** Accesses by device name since the bus was made, unclaimed ones last. */
  accessCounts(): AccessCount[] {
    const byName = new Map<string, AccessCount>();
    for (const { device, reads, writes } of this.entries) {
      const count = byName.get(device.name) ?? { name: device.name, reads: 0, writes: 0 };
      count.reads += reads;
      count.writes += writes;
      byName.set(device.name, count);
    }
    return [...byName.values(), { ...this.unclaimed }];
  }
}
