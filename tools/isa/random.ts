// A small deterministic generator: the same seed gives the same cases on every host, for ever.

/** FNV-1a over UTF-16 code units, 32 bits. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** FNV-1a over bytes, continuing from `h`. */
export function hashBytes(bytes: Uint8Array, h = 0x811c9dc5): number {
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h >>> 0;
}

/** Marsaglia's xorshift128: period 2^128 - 1. */
export class Random {
  private x = 0x6c078965;
  private y = 0x9908b0df;
  private z = 0x9d2c5680;
  private w: number;

  constructor(seed: number) {
    this.w = seed >>> 0;
    this.x = (this.x ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
    for (let i = 0; i < 8; i++) this.u32();
  }

  u32(): number {
    const t = this.x ^ (this.x << 11);
    this.x = this.y;
    this.y = this.z;
    this.z = this.w;
    this.w = (this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.w;
  }
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
  /** 0 … n - 1. */
  below(n: number): number {
    return Math.floor((this.u32() / 0x100000000) * n);
  }
  /** low … high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  /** True once in n times on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}
