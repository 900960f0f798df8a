// Guest RAM as everyone but the vCPUs sees it: bounds-checked.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { TsvmError } from './vcpu.js';

/**
 * A view on the guest-physical memory inside the machine's one WebAssembly.Memory. Guest physical address `base`
 * is byte GUEST_BASE. The memory never grows, so views stay valid.
 */
export class GuestMemory {
  /** Bytes of RAM. */
  readonly size: number;
  /** The whole RAM, for bulk work. Index = guest physical address - base. */
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(
    readonly memory: WebAssembly.Memory,
    size: number,
    /** Guest physical address of the first byte. */
    readonly base = 0,
  ) {
    this.size = size;
    this.bytes = new Uint8Array(memory.buffer, GUEST_BASE, size);
    this.view = new DataView(memory.buffer, GUEST_BASE, size);
  }

  /** Whether [address, address + length) is RAM. */
  contains(address: number, length: number): boolean {
    const offset = address - this.base;
    return offset >= 0 && length >= 0 && offset + length <= this.size;
  }

  /** Throws E_GUEST_ADDRESS unless [address, address + length) is RAM. */
  check(address: number, length: number): void {
    if (!this.contains(address, length)) {
      throw new TsvmError(
        'E_GUEST_ADDRESS',
        `guest physical range 0x${address.toString(16)}+0x${length.toString(16)} is outside the ${this.size / 1048576} MiB of RAM`,
      );
    }
  }

  /** A view of [address, address + length), or an error. */
  slice(address: number, length: number): Uint8Array {
    this.check(address, length);
    const offset = address - this.base;
    return this.bytes.subarray(offset, offset + length);
  }

  write(address: number, data: Uint8Array): void {
    this.check(address, data.length);
    this.bytes.set(data, address - this.base);
  }

  fill(address: number, length: number, value = 0): void {
    this.check(address, length);
    const offset = address - this.base;
    this.bytes.fill(value, offset, offset + length);
  }

  readU8(address: number): number {
    this.check(address, 1);
    return this.view.getUint8(address - this.base);
  }
  readU16(address: number): number {
    this.check(address, 2);
    return this.view.getUint16(address - this.base, true);
  }
  readU32(address: number): number {
    this.check(address, 4);
    return this.view.getUint32(address - this.base, true);
  }
  readU64(address: number): bigint {
    this.check(address, 8);
    return this.view.getBigUint64(address - this.base, true);
  }
  writeU8(address: number, value: number): void {
    this.check(address, 1);
    this.view.setUint8(address - this.base, value);
  }
  writeU16(address: number, value: number): void {
    this.check(address, 2);
    this.view.setUint16(address - this.base, value, true);
  }
  writeU32(address: number, value: number): void {
    this.check(address, 4);
    this.view.setUint32(address - this.base, value, true);
  }
  writeU64(address: number, value: bigint): void {
    this.check(address, 8);
    this.view.setBigUint64(address - this.base, value, true);
  }
}

/** What backs a range of guest physical addresses; everything else is MMIO. */
export interface MemoryRegion {
  readonly kind: 'ram' | 'rom';
  /** First byte, page-aligned. */
  readonly start: number;
  /** Length in bytes, a multiple of 4096. */
  readonly size: number;
}
