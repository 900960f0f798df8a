// Devices with an 8-bit data bus.

import type { BusDevice } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';

/**
 * A device whose registers are one byte wide. The ISA bus turns a wider access to it into byte accesses,
 * lowest address first; `outw(0x3d4, value << 8 | index)` relies on that. Bytes past `length` read 0xFF.
 */
export abstract class ByteDevice implements BusDevice {
  constructor(
    readonly name: string,
    /** Number of byte registers. */
    readonly length: number,
  ) {}

  /** `offset` is within [0, length). Returns 0–255. */
  protected abstract readByte(offset: number): number;
  /** `offset` is within [0, length), `value` 0–255. */
  protected abstract writeByte(offset: number, value: number): void;

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      const byte = at >= 0 && at < this.length ? this.readByte(at) : 0xff;
      value |= byte << (8 * i);
    }
    return value >>> 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      if (at >= 0 && at < this.length) this.writeByte(at, (value >>> (8 * i)) & 0xff);
    }
  }
}

/** One of several register blocks of a device, each of which sits on the bus at an address of its own. */
export class ByteFace extends ByteDevice {
  constructor(
    name: string,
    length: number,
    protected readonly readByte: (offset: number) => number,
    protected readonly writeByte: (offset: number, value: number) => void,
  ) {
    super(name, length);
  }
}
