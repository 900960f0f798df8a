// Kinds that work on single lanes in memory: shuffles by an immediate, inserts, extracts, sums of differences,
// approximations. Every operand is read before d is written: d may be a or b.

import { F32, isDenormal, isNaNBits } from '../fpu/softfloat';
import {
  V_ALIGN_BYTES,
  V_BITMASK_I8X16,
  V_BITMASK_I32X4,
  V_BITMASK_I64X2,
  V_EXTRACT_I8X16,
  V_EXTRACT_I16X8,
  V_EXTRACT_I32X4,
  V_EXTRACT_I64X2,
  V_INSERT_F32X4,
  V_INSERT_I8X16,
  V_INSERT_I16X8,
  V_INSERT_I32X4,
  V_INSERT_I64X2,
  V_MIN_POS_U16X8,
  V_MPSAD,
  V_RECIPROCAL_F32X4,
  V_RECIPROCAL_SCALAR_F32,
  V_RSQRT_F32X4,
  V_RSQRT_SCALAR_F32,
  V_SHL_BYTES,
  V_SHR_BYTES,
  V_SHUFFLE_F32X4,
  V_SHUFFLE_F64X2,
  V_SHUFFLE_HIGH_I16X8,
  V_SHUFFLE_I32X4,
  V_SHUFFLE_LOW_I16X8,
} from './vops';

/** Three vectors side by side, for shifts across lanes. */
const window: usize = memory.data(48, 16);

/** The 16 bytes that start `n` bytes into low, high, zero. */
function windowAt(low: v128, high: v128, n: u32): v128 {
  v128.store(window, low);
  v128.store(window, high, 16);
  v128.store(window, i64x2.splat(0), 32);
  return v128.load(window + <usize>min<u32>(n, 32));
}

/** 16-bit lanes of half a vector picked by the bit pairs of imm. */
function shuffle16(half: u64, imm: u32): u64 {
  const l0 = (half >> ((imm & 3) << 4)) & 0xffff;
  const l1 = (half >> (((imm >> 2) & 3) << 4)) & 0xffff;
  const l2 = (half >> (((imm >> 4) & 3) << 4)) & 0xffff;
  const l3 = half >> (((imm >> 6) & 3) << 4);
  return l0 | (l1 << 16) | (l2 << 32) | (l3 << 48);
}

function lane32(v: usize, n: u32): u32 {
  return load<u32>(v + ((<usize>(n & 3)) << 2));
}

function store32x4(d: usize, l0: u32, l1: u32, l2: u32, l3: u32): void {
  store<u32>(d, l0);
  store<u32>(d, l1, 4);
  store<u32>(d, l2, 8);
  store<u32>(d, l3, 12);
}

/** MPSADBW (SDM vol. 2): 4 bytes of b at imm[1:0] × 4 against 8 overlapping groups of a from imm[2] × 4. */
function sumsOfDifferences(d: usize, a: usize, b: usize, imm: u32): void {
  v128.store(window, v128.load(a));
  const from = window + <usize>(imm & 4);
  const group = load<u32>(b + ((<usize>(imm & 3)) << 2));
  for (let i: usize = 0; i < 8; i++) {
    let sum: i32 = 0;
    for (let k: usize = 0; k < 4; k++) {
      const x = <i32>load<u8>(from + i + k);
      const y = <i32>((group >> ((<u32>k) << 3)) & 0xff);
      sum += x > y ? x - y : y - x;
    }
    store<u16>(window + 16 + (i << 1), sum);
  }
  v128.store(d, v128.load(window, 16));
}

function minimumPosition(d: usize, a: usize): void {
  let least: u32 = load<u16>(a);
  let index: u32 = 0;
  for (let i: u32 = 1; i < 8; i++) {
    const v: u32 = load<u16>(a + ((<usize>i) << 1));
    if (v < least) {
      least = v;
      index = i;
    }
  }
  store<u64>(d, <u64>(least | (index << 16)));
  store<u64>(d, 0, 8);
}

/** Rounded to 12 significant bits; denormal results are zeros. */
function approximate(v: f32): u32 {
  const bits = (reinterpret<u32>(v) + 0x400) & 0xfffff800;
  return isDenormal(bits, F32) ? bits & 0x80000000 : bits;
}

/** RCPPS: denormal operands count as zeros; the approximation is our own, as each CPU model has its own. */
function reciprocal(a: u32): u32 {
  if (isNaNBits(a, F32)) return a | 0x400000;
  if (isDenormal(a, F32)) a &= 0x80000000;
  return approximate(<f32>1 / reinterpret<f32>(a));
}

function reciprocalRoot(a: u32): u32 {
  if (isNaNBits(a, F32)) return a | 0x400000;
  if (isDenormal(a, F32)) a &= 0x80000000;
  if (a > 0x80000000) return 0xffc00000;
  return approximate(<f32>(1 / sqrt<f64>(<f64>reinterpret<f32>(a))));
}

function scalar(d: usize, a: usize, lane0: u32): void {
  v128.store(d, v128.load(a));
  store<u32>(d, lane0);
}

/** INSERTPS. */
function insertSingle(d: usize, a: usize, b: usize, imm: u32): void {
  const v = lane32(b, imm >> 6);
  v128.store(d, v128.load(a));
  store<u32>(d + ((<usize>((imm >> 4) & 3)) << 2), v);
  for (let i: u32 = 0; i < 4; i++) if ((imm >> i) & 1) store<u32>(d + ((<usize>i) << 2), 0);
}

/** Executes `kind` on the vectors at addresses a and b, result to d. */
export function laneOperation(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  switch (kind) {
    case V_SHL_BYTES:
      v128.store(d, windowAt(i64x2.splat(0), v128.load(a), imm < 16 ? 16 - imm : 0));
      break;
    case V_SHR_BYTES:
      v128.store(d, windowAt(v128.load(a), i64x2.splat(0), imm));
      break;
    case V_ALIGN_BYTES:
      v128.store(d, windowAt(v128.load(b), v128.load(a), imm));
      break;
    case V_SHUFFLE_I32X4:
      store32x4(d, lane32(a, imm), lane32(a, imm >> 2), lane32(a, imm >> 4), lane32(a, imm >> 6));
      break;
    case V_SHUFFLE_F32X4:
      store32x4(d, lane32(a, imm), lane32(a, imm >> 2), lane32(b, imm >> 4), lane32(b, imm >> 6));
      break;
    case V_SHUFFLE_F64X2: {
      const low = load<u64>(a + ((<usize>(imm & 1)) << 3));
      const high = load<u64>(b + ((<usize>(imm & 2)) << 2));
      store<u64>(d, low);
      store<u64>(d, high, 8);
      break;
    }
    case V_SHUFFLE_LOW_I16X8: {
      const high = load<u64>(a, 8);
      store<u64>(d, shuffle16(load<u64>(a), imm));
      store<u64>(d, high, 8);
      break;
    }
    case V_SHUFFLE_HIGH_I16X8: {
      const low = load<u64>(a);
      store<u64>(d, shuffle16(load<u64>(a, 8), imm), 8);
      store<u64>(d, low);
      break;
    }
    case V_INSERT_I8X16: {
      const v = load<u8>(b);
      v128.store(d, v128.load(a));
      store<u8>(d + (imm & 15), v);
      break;
    }
    case V_INSERT_I16X8: {
      const v = load<u16>(b);
      v128.store(d, v128.load(a));
      store<u16>(d + ((imm & 7) << 1), v);
      break;
    }
    case V_INSERT_I32X4: {
      const v = load<u32>(b);
      v128.store(d, v128.load(a));
      store<u32>(d + ((imm & 3) << 2), v);
      break;
    }
    case V_INSERT_I64X2: {
      const v = load<u64>(b);
      v128.store(d, v128.load(a));
      store<u64>(d + ((imm & 1) << 3), v);
      break;
    }
    case V_INSERT_F32X4:
      insertSingle(d, a, b, imm);
      break;
    case V_MPSAD:
      sumsOfDifferences(d, a, b, imm);
      break;
    case V_MIN_POS_U16X8:
      minimumPosition(d, a);
      break;
    case V_RECIPROCAL_F32X4:
      store32x4(
        d,
        reciprocal(lane32(a, 0)),
        reciprocal(lane32(a, 1)),
        reciprocal(lane32(a, 2)),
        reciprocal(lane32(a, 3)),
      );
      break;
    case V_RSQRT_F32X4:
      store32x4(
        d,
        reciprocalRoot(lane32(a, 0)),
        reciprocalRoot(lane32(a, 1)),
        reciprocalRoot(lane32(a, 2)),
        reciprocalRoot(lane32(a, 3)),
      );
      break;
    case V_RECIPROCAL_SCALAR_F32:
      scalar(d, a, reciprocal(load<u32>(b)));
      break;
    case V_RSQRT_SCALAR_F32:
      scalar(d, a, reciprocalRoot(load<u32>(b)));
      break;
    case V_BITMASK_I8X16:
      store<u64>(d, <u64>(<u32>i8x16.bitmask(v128.load(a))));
      break;
    case V_BITMASK_I32X4:
      store<u64>(d, <u64>(<u32>i32x4.bitmask(v128.load(a))));
      break;
    case V_BITMASK_I64X2:
      store<u64>(d, <u64>(<u32>i64x2.bitmask(v128.load(a))));
      break;
    case V_EXTRACT_I8X16:
      store<u64>(d, <u64>load<u8>(a + (imm & 15)));
      break;
    case V_EXTRACT_I16X8:
      store<u64>(d, <u64>load<u16>(a + ((imm & 7) << 1)));
      break;
    case V_EXTRACT_I32X4:
      store<u64>(d, <u64>load<u32>(a + ((imm & 3) << 2)));
      break;
    case V_EXTRACT_I64X2:
      store<u64>(d, load<u64>(a + ((imm & 1) << 3)));
      break;
    default:
      break;
  }
}
