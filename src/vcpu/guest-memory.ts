// Guest RAM as everyone but the vCPUs sees it: bounds-checked.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { TsvmError } from './vcpu.js';

/**
 * A view on the guest-physical memory inside the machine's one WebAssembly.Memory. Guest physical address 0
 * is byte GUEST_BASE. The memory never grows, so views stay valid.
 */
export class GuestMemory {
  /** Bytes of RAM from guest physical address 0. */
  readonly size: number;
  /** The whole RAM, for bulk work. Index = guest physical address. */
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(
    readonly memory: WebAssembly.Memory,
    size: number,
  ) {
    this.size = size;
    this.bytes = new Uint8Array(memory.buffer, GUEST_BASE, size);
    this.view = new DataView(memory.buffer, GUEST_BASE, size);
  }

  /** Throws E_GUEST_ADDRESS unless [address, address + length) is RAM. */
  check(address: number, length: number): void {
    if (!(address >= 0 && length >= 0 && address + length <= this.size)) {
      throw new TsvmError(
        'E_GUEST_ADDRESS',
        `guest physical range 0x${address.toString(16)}+0x${length.toString(16)} is outside the ${this.size / 1048576} MiB of RAM`,
      );
    }
  }

  /** A view of [address, address + length), or an error. */
  slice(address: number, length: number): Uint8Array {
    this.check(address, length);
    return this.bytes.subarray(address, address + length);
  }

  write(address: number, data: Uint8Array): void {
    this.check(address, data.length);
    this.bytes.set(data, address);
  }

  fill(address: number, length: number, value = 0): void {
    this.check(address, length);
    this.bytes.fill(value, address, address + length);
  }

  readU8(address: number): number {
    this.check(address, 1);
    return this.view.getUint8(address);
  }
  readU16(address: number): number {
    this.check(address, 2);
    return this.view.getUint16(address, true);
  }
  readU32(address: number): number {
    this.check(address, 4);
    return this.view.getUint32(address, true);
  }
  readU64(address: number): bigint {
    this.check(address, 8);
    return this.view.getBigUint64(address, true);
  }
  writeU8(address: number, value: number): void {
    this.check(address, 1);
    this.view.setUint8(address, value);
  }
  writeU16(address: number, value: number): void {
    this.check(address, 2);
    this.view.setUint16(address, value, true);
  }
  writeU32(address: number, value: number): void {
    this.check(address, 4);
    this.view.setUint32(address, value, true);
  }
  writeU64(address: number, value: bigint): void {
    this.check(address, 8);
    this.view.setBigUint64(address, value, true);
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
