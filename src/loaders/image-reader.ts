// Little-endian fields out of an untrusted file: every read is checked against the file's end.

import { hex, truncated } from './errors.js';

export class ImageReader {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Whether [offset, offset + size) lies in the file. */
  has(offset: number, size: number): boolean {
    return offset >= 0 && size >= 0 && offset + size <= this.bytes.length;
  }

  /** Throws E_IMAGE_TRUNCATED, naming `field`, unless [offset, offset + size) lies in the file. */
  check(offset: number, size: number, field: string): void {
    if (!this.has(offset, size)) {
      const end = `the file has ${hex(this.bytes.length)} bytes`;
      throw truncated(`${field} should be at file offset ${hex(offset)}, ${hex(size)} bytes long, but ${end}`);
    }
  }

  u8(offset: number, field: string): number {
    this.check(offset, 1, field);
    return this.view.getUint8(offset);
  }
  u16(offset: number, field: string): number {
    this.check(offset, 2, field);
    return this.view.getUint16(offset, true);
  }
  u32(offset: number, field: string): number {
    this.check(offset, 4, field);
    return this.view.getUint32(offset, true);
  }
  u64(offset: number, field: string): bigint {
    this.check(offset, 8, field);
    return this.view.getBigUint64(offset, true);
  }

  slice(offset: number, size: number, field: string): Uint8Array {
    this.check(offset, size, field);
    return this.bytes.subarray(offset, offset + size);
  }

  /** Whether the file holds exactly `expected` at `offset`. */
  matches(offset: number, expected: readonly number[]): boolean {
    return this.has(offset, expected.length) && expected.every((byte, i) => this.bytes[offset + i] === byte);
  }

  /** ASCII up to a NUL, `limit` bytes or the file's end. */
  text(offset: number, limit: number): string {
    let text = '';
    for (let i = offset; i >= 0 && i < this.bytes.length && i < offset + limit && this.bytes[i] !== 0; i++) {
      text += String.fromCharCode(this.bytes[i]);
    }
    return text;
  }
}
