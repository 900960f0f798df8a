// Integer arithmetic of vectors that does not saturate: operations below A_SXTL, on all 128 bits.

import { recipEstimate, recipSqrtEstimate } from './estimate';
import {
  A_ABS,
  A_BIF,
  A_BIT,
  A_BSL,
  A_CLS,
  A_CLZ,
  A_CMGE,
  A_CMHI,
  A_CMHS,
  A_CMTST,
  A_CNT,
  A_DUP,
  A_MUL,
  A_NEG,
  A_NOT,
  A_ORN,
  A_PMUL,
  A_RBIT,
  A_REV16,
  A_REV32,
  A_REV64,
  A_RSHRI_S,
  A_RSHRI_U,
  A_SABD,
  A_SADDLP,
  A_SADDLV,
  A_SHADD,
  A_SHLI,
  A_SHRI_S,
  A_SHRI_U,
  A_SHSUB,
  A_SLI,
  A_SMAXV,
  A_SMINV,
  A_SRHADD,
  A_SRI,
  A_SRSHL,
  A_SSHL,
  A_UABD,
  A_UADDLP,
  A_UADDLV,
  A_UHADD,
  A_UHSUB,
  A_UMAXV,
  A_UMINV,
  A_URECPE,
  A_URHADD,
  A_URSHL,
  A_USHL,
} from './kinds';
import { clearLanes, commitLanes, lane, setLane, signedLane } from './lanes';

function splat(size: u32, value: u64): v128 {
  if (size == 0) return i8x16.splat(<i8>value);
  if (size == 1) return i16x8.splat(<i16>value);
  if (size == 2) return i32x4.splat(<i32>value);
  return i64x2.splat(value);
}

function equal(a: v128, b: v128, size: u32): v128 {
  if (size == 0) return i8x16.eq(a, b);
  if (size == 1) return i16x8.eq(a, b);
  if (size == 2) return i32x4.eq(a, b);
  return i64x2.eq(a, b);
}
function greaterOrEqual(a: v128, b: v128, size: u32): v128 {
  if (size == 0) return i8x16.ge_s(a, b);
  if (size == 1) return i16x8.ge_s(a, b);
  if (size == 2) return i32x4.ge_s(a, b);
  return i64x2.ge_s(a, b);
}

/** Unsigned order is signed order with the top bits flipped. */
function flipped(a: v128, size: u32): v128 {
  return v128.xor(a, splat(size, (<u64>0x80) << ((8 << (<u64>size)) - 8)));
}

function negated(a: v128, size: u32): v128 {
  if (size == 0) return i8x16.neg(a);
  if (size == 1) return i16x8.neg(a);
  if (size == 2) return i32x4.neg(a);
  return i64x2.neg(a);
}
function absolute(a: v128, size: u32): v128 {
  if (size == 0) return i8x16.abs(a);
  if (size == 1) return i16x8.abs(a);
  if (size == 2) return i32x4.abs(a);
  return i64x2.abs(a);
}
function difference(a: v128, b: v128, size: u32): v128 {
  if (size == 0) return i8x16.sub(a, b);
  if (size == 1) return i16x8.sub(a, b);
  if (size == 2) return i32x4.sub(a, b);
  return i64x2.sub(a, b);
}
function sum(a: v128, b: v128, size: u32): v128 {
  if (size == 0) return i8x16.add(a, b);
  if (size == 1) return i16x8.add(a, b);
  if (size == 2) return i32x4.add(a, b);
  return i64x2.add(a, b);
}

/** a - b where a is the larger one, else b - a. */
function absoluteDifference(a: v128, b: v128, notBelow: v128, size: u32): v128 {
  return v128.bitselect(difference(a, b, size), difference(b, a, size), notBelow);
}

/** Shifts by less than the lanes' width. */
function shiftLeft(a: v128, n: u32, size: u32): v128 {
  if (size == 0) return i8x16.shl(a, n);
  if (size == 1) return i16x8.shl(a, n);
  if (size == 2) return i32x4.shl(a, n);
  return i64x2.shl(a, n);
}
function shiftRightU(a: v128, n: u32, size: u32): v128 {
  if (size == 0) return i8x16.shr_u(a, n);
  if (size == 1) return i16x8.shr_u(a, n);
  if (size == 2) return i32x4.shr_u(a, n);
  return i64x2.shr_u(a, n);
}
function shiftRightS(a: v128, n: u32, size: u32): v128 {
  if (size == 0) return i8x16.shr_s(a, n);
  if (size == 1) return i16x8.shr_s(a, n);
  if (size == 2) return i32x4.shr_s(a, n);
  return i64x2.shr_s(a, n);
}
/** By up to the lanes' width. */
function logicalRight(a: v128, n: u32, size: u32): v128 {
  return n < (<u32>8) << size ? shiftRightU(a, n, size) : i64x2.splat(0);
}
function arithmeticRight(a: v128, n: u32, size: u32): v128 {
  const bits: u32 = 8 << size;
  return shiftRightS(a, n < bits ? n : bits - 1, size);
}
/** The last bit that a shift to the right by n drops. */
function droppedBit(a: v128, n: u32, size: u32): v128 {
  return v128.and(shiftRightU(a, n - 1, size), splat(size, 1));
}

/** Bits of each byte: neighbours change places, then pairs, then halves. */
function reverseBits(a: v128): v128 {
  a = v128.or(i8x16.shl(v128.and(a, i8x16.splat(0x55)), 1), v128.and(i8x16.shr_u(a, 1), i8x16.splat(0x55)));
  a = v128.or(i8x16.shl(v128.and(a, i8x16.splat(0x33)), 2), v128.and(i8x16.shr_u(a, 2), i8x16.splat(0x33)));
  return v128.or(i8x16.shl(a, 4), i8x16.shr_u(a, 4));
}

/** Lanes of a container of `bytes` bytes in reverse order. */
function reverseLanes(d: usize, a: usize, size: u32, bytes: u32): void {
  const flip = (bytes >> size) - 1;
  for (let i: u32 = 0; i < <u32>16 >> size; i++) setLane(i, size, lane(a, i ^ flip, size));
  commitLanes(d);
}

function addPairs(a: v128, size: u32): v128 {
  if (size == 0) return i16x8.extadd_pairwise_i8x16_s(a);
  if (size == 1) return i32x4.extadd_pairwise_i16x8_s(a);
  return i64x2.add(i64x2.shr_s(a, 32), i64x2.shr_s(i64x2.shl(a, 32), 32));
}
function addPairsU(a: v128, size: u32): v128 {
  if (size == 0) return i16x8.extadd_pairwise_i8x16_u(a);
  if (size == 1) return i32x4.extadd_pairwise_i16x8_u(a);
  return i64x2.add(i64x2.shr_u(a, 32), v128.and(a, i64x2.splat(0xffffffff)));
}

/** Low byte products from 16-bit ones. */
function multiplyBytes(a: v128, b: v128): v128 {
  const low = i16x8.extmul_low_i8x16_u(a, b);
  const high = i16x8.extmul_high_i8x16_u(a, b);
  return v128.shuffle<u8>(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

/** A lane, extended, shifted to the left by n or to the right by -n. Rounding adds the last bit dropped. */
export function shiftSigned(x: i64, n: i32, round: bool): i64 {
  if (n >= 0) return n < 64 ? x << (<i64>n) : 0;
  const k = <i64>-n;
  if (round) return k < 64 ? (x >> k) + ((x >> (k - 1)) & 1) : 0;
  return x >> (k < 64 ? k : 63);
}
export function shiftUnsigned(x: u64, n: i32, round: bool): u64 {
  if (n >= 0) return n < 64 ? x << (<u64>n) : 0;
  const k = <u64>-n;
  const r = k < 64 ? x >> k : 0;
  return round && k <= 64 ? r + ((x >> (k - 1)) & 1) : r;
}

/** One lane of the operations that have no SIMD instruction to lean on. x and y are extended to 64 bits. */
function scalarResult(op: u32, x: u64, y: u64, size: u32): u64 {
  const bits: u64 = 8 << size;
  switch (op) {
    case A_CLS: {
      const s = <i64>x < 0 ? ~x : x;
      return clz(s) - (64 - bits) - 1;
    }
    case A_CLZ:
      return clz(x) - (64 - bits);
    case A_PMUL: {
      let r: u64 = 0;
      for (let i: u64 = 0; i < 8; i++) if ((x >> i) & 1) r ^= y << i;
      return r;
    }
    case A_SHADD:
    case A_UHADD:
      return <u64>(<i64>(x + y) >> 1);
    case A_SRHADD:
    case A_URHADD:
      return <u64>(<i64>(x + y + 1) >> 1);
    case A_SHSUB:
    case A_UHSUB:
      return <u64>(<i64>(x - y) >> 1);
    case A_SSHL:
      return <u64>shiftSigned(<i64>x, <i8>y, false);
    case A_SRSHL:
      return <u64>shiftSigned(<i64>x, <i8>y, true);
    case A_USHL:
      return shiftUnsigned(x, <i8>y, false);
    case A_URSHL:
      return shiftUnsigned(x, <i8>y, true);
    case A_URECPE:
      // Operands below 1/2 give all ones (Arm ARM, UnsignedRecipEstimate).
      return x >> 31 ? (<u64>recipEstimate(<u32>(x >> 23))) << 23 : 0xffffffff;
    default:
      // A_URSQRTE
      return x >> 30 ? (<u64>recipSqrtEstimate(<u32>(x >> 23))) << 23 : 0xffffffff;
  }
}

function laneByLane(op: u32, size: u32, d: usize, a: usize, b: usize): void {
  const signed = op == A_CLS || op == A_SHADD || op == A_SRHADD || op == A_SHSUB || op == A_SSHL || op == A_SRSHL;
  for (let i: u32 = 0; i < <u32>16 >> size; i++) {
    const r = signed
      ? scalarResult(op, <u64>signedLane(a, i, size), <u64>signedLane(b, i, size), size)
      : scalarResult(op, lane(a, i, size), lane(b, i, size), size);
    setLane(i, size, r);
  }
  commitLanes(d);
}

/** Operations A_NOT to A_SRI. */
export function integerOperation(op: u32, size: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const x = v128.load(a);
  let r: v128;
  switch (op) {
    case A_NOT:
      r = v128.not(x);
      break;
    case A_ORN:
      r = v128.or(x, v128.not(v128.load(b)));
      break;
    case A_BSL:
      r = v128.bitselect(x, v128.load(b), v128.load(d));
      break;
    case A_BIT:
      r = v128.bitselect(x, v128.load(d), v128.load(b));
      break;
    case A_BIF:
      r = v128.bitselect(v128.load(d), x, v128.load(b));
      break;
    case A_DUP:
      r = splat(size, lane(a, imm, size));
      break;
    case A_NEG:
      r = negated(x, size);
      break;
    case A_ABS:
      r = absolute(x, size);
      break;
    case A_CNT:
      r = i8x16.popcnt(x);
      break;
    case A_RBIT:
      r = reverseBits(x);
      break;
    case A_REV16:
      reverseLanes(d, a, size, 2);
      return;
    case A_REV32:
      reverseLanes(d, a, size, 4);
      return;
    case A_REV64:
      reverseLanes(d, a, size, 8);
      return;
    case A_SADDLP:
      r = addPairs(x, size);
      break;
    case A_UADDLP:
      r = addPairsU(x, size);
      break;
    case A_CMGE:
      r = greaterOrEqual(x, v128.load(b), size);
      break;
    case A_CMHI:
      r = v128.not(greaterOrEqual(flipped(v128.load(b), size), flipped(x, size), size));
      break;
    case A_CMHS:
      r = greaterOrEqual(flipped(x, size), flipped(v128.load(b), size), size);
      break;
    case A_CMTST:
      r = v128.not(equal(v128.and(x, v128.load(b)), i64x2.splat(0), size));
      break;
    case A_MUL:
      r = multiplyBytes(x, v128.load(b));
      break;
    case A_SABD: {
      const y = v128.load(b);
      r = absoluteDifference(x, y, greaterOrEqual(x, y, size), size);
      break;
    }
    case A_UABD: {
      const y = v128.load(b);
      r = absoluteDifference(x, y, greaterOrEqual(flipped(x, size), flipped(y, size), size), size);
      break;
    }
    case A_SHLI:
      r = shiftLeft(x, imm, size);
      break;
    case A_SHRI_U:
      r = logicalRight(x, imm, size);
      break;
    case A_SHRI_S:
      r = arithmeticRight(x, imm, size);
      break;
    case A_RSHRI_U:
      r = sum(logicalRight(x, imm, size), droppedBit(x, imm, size), size);
      break;
    case A_RSHRI_S:
      r = sum(arithmeticRight(x, imm, size), droppedBit(x, imm, size), size);
      break;
    case A_SLI: {
      const ones = i64x2.splat(-1);
      r = v128.bitselect(shiftLeft(x, imm, size), v128.load(d), shiftLeft(ones, imm, size));
      break;
    }
    case A_SRI: {
      const ones = i64x2.splat(-1);
      r = v128.bitselect(logicalRight(x, imm, size), v128.load(d), logicalRight(ones, imm, size));
      break;
    }
    default:
      laneByLane(op, size, d, a, b);
      return;
  }
  v128.store(d, r);
}

/** A_ADDV to A_UMINV, of n lanes. */
export function acrossLanes(op: u32, size: u32, n: u32, d: usize, a: usize): void {
  const signed = op == A_SADDLV || op == A_SMAXV || op == A_SMINV;
  let r = signed ? <u64>signedLane(a, 0, size) : lane(a, 0, size);
  for (let i: u32 = 1; i < n; i++) {
    const x = signed ? <u64>signedLane(a, i, size) : lane(a, i, size);
    if (op == A_SMAXV) r = <u64>max<i64>(<i64>x, <i64>r);
    else if (op == A_SMINV) r = <u64>min<i64>(<i64>x, <i64>r);
    else if (op == A_UMAXV) r = max<u64>(x, r);
    else if (op == A_UMINV) r = min<u64>(x, r);
    else r += x;
  }
  clearLanes();
  setLane(0, op == A_SADDLV || op == A_UADDLV ? size + 1 : size, r);
  commitLanes(d);
}
