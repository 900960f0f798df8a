// Operand values: the corners where instructions go wrong, and random ones between.

import type { Random } from './random.js';

/** 8, 16, 32 or 64 bits of integer; 0 for a width means 64. */
export function integer(random: Random, bits: number): bigint {
  const n = BigInt(bits);
  switch (random.below(8)) {
    case 0:
      return BigInt.asUintN(bits, BigInt(random.between(-3, 3)));
    case 1: {
      // Around a power of two: minima, maxima, carries between bytes and words.
      const power = 1n << BigInt(random.below(bits));
      return BigInt.asUintN(bits, power + BigInt(random.between(-1, 1)));
    }
    case 2:
      return BigInt.asUintN(bits, (1n << (n - 1n)) + BigInt(random.between(-2, 1)));
    case 3:
      return BigInt.asUintN(
        bits,
        random.pick([
          0x5555555555555555n,
          0xaaaaaaaaaaaaaaaan,
          0x0f0f0f0f0f0f0f0fn,
          0x8080808080808080n,
          0x7fff7fff7fff7fffn,
          0x80007fff00ff0001n,
          0x9999999999999999n,
        ]),
      );
    case 4:
      return BigInt.asUintN(bits, random.u64() & random.u64() & random.u64());
    case 5:
      // Sign-extended from a narrower width.
      return BigInt.asUintN(bits, BigInt.asIntN(random.pick([8, 16, 32]), random.u64()));
    default:
      return BigInt.asUintN(bits, random.u64());
  }
}

const F32: readonly number[] = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3fc00000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff,
  0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345,
  0x7f800001, 0xff812345, 0x4f000000, 0xcf000000, 0x4effffff, 0x5f000000, 0xdf000000, 0x3f000000, 0x3effffff,
  0x40200000, 0x3f7fffff, 0x3f800001, 0x33800000, 0x34000000, 0x47c34fc1, 0x5f7fffff, 0x4b000001,
];
const F64: readonly bigint[] = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x3ff8000000000000n,
  0x0000000000000001n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x8010000000000000n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff8000012345678n,
  0x7ff0000000000001n,
  0xfff4000000000000n,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0xc1e0000000200000n,
  0x41dfffffffc00000n,
  0x41dfffffffe00000n,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0x3fe0000000000000n,
  0x3fdfffffffffffffn,
  0x4004000000000000n,
  0x3ff0000000000001n,
  0x47efffffe0000000n,
  0x47efffffefffffffn,
  0x380fffffffffffffn,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x3690000000000001n,
];

export function float32(random: Random): number {
  switch (random.below(4)) {
    case 0:
      return random.pick(F32);
    case 1:
      return random.u32();
    default:
      // Moderate exponents, so that results are neither infinite nor zero.
      return ((random.u32() & 0x807fffff) | ((random.between(-12, 12) + 127) << 23)) >>> 0;
  }
}

export function float64(random: Random): bigint {
  switch (random.below(4)) {
    case 0:
      return random.pick(F64);
    case 1:
      return random.u64();
    default: {
      const exponent = BigInt(random.between(-35, 35) + 1023);
      // Every other time few significant bits: exact results, ties.
      const fraction = random.oneIn(2) ? random.u64() & 0xfffff00000000n : random.u64() & 0xfffffffffffffn;
      return (random.u64() & (1n << 63n)) | (exponent << 52n) | fraction;
    }
  }
}

/** Significand and sign+exponent of an 80-bit real. */
export type Extended = readonly [bigint, number];
const F80: readonly Extended[] = [
  [0n, 0],
  [0n, 0x8000],
  [0x8000000000000000n, 0x3fff],
  [0x8000000000000000n, 0xbfff],
  [0xc000000000000000n, 0x3fff],
  [0x8000000000000000n, 0x7fff],
  [0x8000000000000000n, 0xffff],
  [0xc000000000000000n, 0x7fff],
  [0xc000000000000000n, 0xffff],
  [0xc000000012345678n, 0x7fff],
  [0xa000000000000000n, 0x7fff],
  [0x8000000000000001n, 0xffff],
  // Denormals, a pseudo-denormal, the least and the greatest normal.
  [1n, 0],
  [0x7fffffffffffffffn, 0x8000],
  [0x8000000000000000n, 0],
  [0x8000000000000000n, 1],
  [0xffffffffffffffffn, 0x7ffe],
  [0xffffffffffffffffn, 0xfffe],
  // Unsupported: unnormal, pseudo-infinity, pseudo-NaN (SDM vol. 1, 8.2.2).
  [0x4000000000000000n, 0x4000],
  [0n, 0x7fff],
  [0x4000000000000000n, 0xffff],
  // Limits of the integer and real formats.
  [0x8000000000000000n, 0x400e],
  [0x8000000000000000n, 0xc00e],
  [0x8000000000000000n, 0x401e],
  [0x8000000000000000n, 0xc01e],
  [0x8000000000000000n, 0x403e],
  [0x8000000000000000n, 0xc03e],
  [0xffffff8000000000n, 0x407e],
  [0x8000000000000000n, 0x3f81],
  [0x8000000000000000n, 0x3f69],
  [0xfffffffffffffc00n, 0x43fe],
  [0x8000000000000000n, 0x3c01],
  [0x8000000000000000n, 0x3bcd],
  [0x8000000000000000n, 0x3ffe],
  [0xde0b6b3a763fffffn, 0x403a],
];

export function float80(random: Random): Extended {
  switch (random.below(5)) {
    case 0:
      return random.pick(F80);
    case 1:
      return [random.u64(), random.u32() & 0xffff];
    case 2: {
      // Few significant bits.
      const significand = 0x8000000000000000n | ((random.u64() & 0xffffn) << 47n);
      return [significand, (random.u32() & 0x8000) | random.between(0x3ff0, 0x4010)];
    }
    default:
      return [random.u64() | 0x8000000000000000n, (random.u32() & 0x8000) | random.between(0x3fe0, 0x4020)];
  }
}

/** 18 decimal digits and a sign (SDM vol. 1, 4.7); now and then digits that are none. */
export function packedDecimal(random: Random): Uint8Array {
  const bytes = new Uint8Array(10);
  const digits = random.between(0, 18);
  for (let i = 0; i < digits; i++)
    bytes[i >> 1] |= (random.oneIn(60) ? random.below(16) : random.below(10)) << (4 * (i & 1));
  bytes[9] = random.oneIn(2) ? 0x80 : 0;
  if (random.oneIn(10)) bytes[9] |= random.below(128);
  return bytes;
}

/** What lies in an operand: decides how its bytes are chosen. */
export type Kind = 'int' | 'f32' | 'f64' | 'f80' | 'bcd' | 'text';

/** Fills `size` bytes at `at` with elements of a kind. */
export function fillKind(random: Random, view: DataView, at: number, size: number, kind: Kind): void {
  const end = at + size;
  let i = at;
  if (kind === 'f32') for (; i + 4 <= end; i += 4) view.setUint32(i, float32(random), true);
  else if (kind === 'f64') for (; i + 8 <= end; i += 8) view.setBigUint64(i, float64(random), true);
  else if (kind === 'f80') {
    for (; i + 10 <= end; i += 16) {
      const [significand, exponent] = float80(random);
      view.setBigUint64(i, significand, true);
      view.setUint16(i + 8, exponent, true);
    }
    return;
  } else if (kind === 'bcd') {
    for (; i + 10 <= end; i += 10) {
      const decimal = packedDecimal(random);
      for (let k = 0; k < 10; k++) view.setUint8(i + k, decimal[k]);
    }
  } else if (kind === 'text') {
    // Small alphabet, so that strings match; zeros end them.
    for (; i < end; i++) view.setUint8(i, random.oneIn(24) ? 0 : random.between(0x61, 0x63));
    return;
  } else {
    // One lane width for the whole operand.
    const lane = random.pick([1, 2, 4, 8]);
    for (; i + lane <= end; i += lane) {
      const v = integer(random, 8 * lane);
      for (let k = 0; k < lane; k++) view.setUint8(i + k, Number((v >> BigInt(8 * k)) & 0xffn));
    }
  }
  for (; i < end; i++) view.setUint8(i, random.u32() & 0xff);
}

/** Shift counts around the operand's width, as a byte. */
export function shiftCount(random: Random, opSize: number): number {
  const bits = 8 << opSize;
  return random.pick([
    0,
    1,
    1,
    2,
    3,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    32,
    33,
    63,
    64,
    65,
    bits - 1,
    bits,
    bits + 1,
    random.below(256),
  ]);
}
