// Little-endian fields of firmware tables.

/** A block of bytes that is filled in field by field, at offsets that the specification gives. */
export class TableWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  u8(offset: number, value: number): this {
    this.view.setUint8(offset, value);
    return this;
  }

  u16(offset: number, value: number): this {
    this.view.setUint16(offset, value, true);
    return this;
  }

  u32(offset: number, value: number): this {
    this.view.setUint32(offset, value, true);
    return this;
  }

  u64(offset: number, value: number): this {
    this.view.setBigUint64(offset, BigInt(value), true);
    return this;
  }

  /** ASCII text, padded with spaces to `length`. */
  text(offset: number, text: string, length = text.length): this {
    for (let i = 0; i < length; i++) this.bytes[offset + i] = i < text.length ? text.charCodeAt(i) & 0x7f : 0x20;
    return this;
  }

  data(offset: number, data: Uint8Array): this {
    this.bytes.set(data, offset);
    return this;
  }

  /** Sets the byte at `offset` so that the first `length` bytes sum to zero modulo 256. */
  checksum(offset: number, length = this.bytes.length): this {
    this.bytes[offset] = 0;
    this.bytes[offset] = -byteSum(this.bytes.subarray(0, length)) & 0xff;
    return this;
  }
}

/** Sum of all bytes modulo 256: zero for an intact table. */
export function byteSum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
