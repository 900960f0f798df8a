// Saturating arithmetic: what does not fit becomes the nearest number that does, and FPSR.QC says so.

import { shiftSigned, shiftUnsigned } from './integer';
import {
  A_SQABS,
  A_SQADD,
  A_SQDMULH,
  A_SQDMULL,
  A_SQNEG,
  A_SQRDMULH,
  A_SQRSHL,
  A_SQSHL,
  A_SQSHLI,
  A_SQSHLUI,
  A_SQSUB,
  A_SQXTN,
  A_SQXTUN,
  A_SUQADD,
  A_UQADD,
  A_UQRSHL,
  A_UQSHL,
  A_UQSHLI,
  A_UQSUB,
  A_UQXTN,
  A_USQADD,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { clearLanes, commitHalf, commitLanes, lane, laneCount, setLane, signedLane } from './lanes';
import { FPSR_QC, raiseStatus } from './status';

let saturated: bool = false;

function largestS(size: u32): i64 {
  return i64.MAX_VALUE >> (64 - (8 << (<i64>size)));
}
function largestU(size: u32): u64 {
  return u64.MAX_VALUE >> (64 - (8 << (<u64>size)));
}
function smallestS(size: u32): i64 {
  return ~largestS(size);
}

/** The nearest signed or unsigned number of a lane. */
function fitS(x: i64, size: u32): u64 {
  const most = largestS(size);
  if (x >= ~most && x <= most) return <u64>x;
  saturated = true;
  return <u64>(x < 0 ? ~most : most);
}
function fitU(x: i64, size: u32): u64 {
  if (x >= 0 && <u64>x <= largestU(size)) return <u64>x;
  saturated = true;
  return x < 0 ? 0 : largestU(size);
}
function beyond(limit: u64): u64 {
  saturated = true;
  return limit;
}

function addS(x: i64, y: i64, size: u32): u64 {
  const r = x + y;
  // A sum of 64 bits has overflowed if its sign is that of neither operand.
  if (size == 3 && ((r ^ x) & (r ^ y)) < 0) return beyond(<u64>(x < 0 ? i64.MIN_VALUE : i64.MAX_VALUE));
  return fitS(r, size);
}
function subtractS(x: i64, y: i64, size: u32): u64 {
  const r = x - y;
  if (size == 3 && ((x ^ y) & (x ^ r)) < 0) return beyond(<u64>(x < 0 ? i64.MIN_VALUE : i64.MAX_VALUE));
  return fitS(r, size);
}
function addU(x: u64, y: u64, size: u32): u64 {
  const r = x + y;
  return r < x || r > largestU(size) ? beyond(largestU(size)) : r;
}

/** SUQADD: x signed, y unsigned, result signed. */
function addUnsignedToSigned(x: i64, y: u64, size: u32): u64 {
  const room = <u64>largestS(size) - <u64>x;
  return y > room ? beyond(<u64>largestS(size)) : <u64>x + y;
}
/** USQADD: x unsigned, y signed, result unsigned. */
function addSignedToUnsigned(x: u64, y: i64, size: u32): u64 {
  if (y >= 0) return addU(x, <u64>y, size);
  const down = 0 - <u64>y;
  return down > x ? beyond(0) : x - down;
}

function shiftS(x: i64, n: i32, size: u32, round: bool): u64 {
  if (n <= 0) return <u64>shiftSigned(x, n, round);
  const kept = (8 << size) - 1 - n;
  if (kept >= 0 && x >> <i64>kept == x >> 63) return (<u64>x) << n;
  if (!x) return 0;
  return beyond(<u64>(x < 0 ? smallestS(size) : largestS(size)));
}
function shiftU(x: u64, n: i32, size: u32, round: bool): u64 {
  if (n <= 0) return shiftUnsigned(x, n, round);
  const kept = (8 << size) - n;
  if (!x || (kept > 0 && !(x >> <u64>kept))) return x << n;
  return beyond(largestU(size));
}

/** (2 × x × y + (rounded: half a unit)) / 2^bits, the operands having `bits` bits. */
function doubledHigh(x: i64, y: i64, size: u32, round: bool): u64 {
  const bits: i64 = 8 << size;
  const half: i64 = round ? (<i64>1) << (bits - 2) : 0;
  return fitS((x * y + half) >> (bits - 1), size);
}

function result(op: u32, size: u32, d: usize, a: usize, b: usize, imm: u32, i: u32): u64 {
  switch (op) {
    case A_SQADD:
      return addS(signedLane(a, i, size), signedLane(b, i, size), size);
    case A_UQADD:
      return addU(lane(a, i, size), lane(b, i, size), size);
    case A_SQSUB:
      return subtractS(signedLane(a, i, size), signedLane(b, i, size), size);
    case A_UQSUB: {
      const x = lane(a, i, size);
      const y = lane(b, i, size);
      return x < y ? beyond(0) : x - y;
    }
    case A_SUQADD:
      return addUnsignedToSigned(signedLane(d, i, size), lane(a, i, size), size);
    case A_USQADD:
      return addSignedToUnsigned(lane(d, i, size), signedLane(a, i, size), size);
    case A_SQABS: {
      const x = signedLane(a, i, size);
      return x < 0 ? subtractS(0, x, size) : <u64>x;
    }
    case A_SQNEG:
      return subtractS(0, signedLane(a, i, size), size);
    case A_SQSHL:
    case A_SQRSHL:
      return shiftS(signedLane(a, i, size), <i32>(<i8>lane(b, i, size)), size, op == A_SQRSHL);
    case A_UQSHL:
    case A_UQRSHL:
      return shiftU(lane(a, i, size), <i32>(<i8>lane(b, i, size)), size, op == A_UQRSHL);
    case A_SQSHLI:
      return shiftS(signedLane(a, i, size), imm, size, false);
    case A_UQSHLI:
      return shiftU(lane(a, i, size), imm, size, false);
    case A_SQSHLUI: {
      const x = signedLane(a, i, size);
      return x < 0 ? beyond(0) : shiftU(<u64>x, imm, size, false);
    }
    case A_SQDMULH:
    case A_SQRDMULH:
      return doubledHigh(signedLane(a, i, size), signedLane(b, i, size), size, op == A_SQRDMULH);
    default:
      unreachable();
  }
  return 0;
}

/** SQDMULL: operands from the upper half with FORM_Q. Only the square of the most negative number does not fit. */
function doubledLong(form: u32, d: usize, a: usize, b: usize): void {
  const size = form & 3;
  const n: u32 = form & FORM_SCALAR ? 1 : <u32>8 >> size;
  const from: u32 = form & FORM_Q ? n : 0;
  for (let i: u32 = 0; i < n; i++) {
    const product = signedLane(a, from + i, size) * signedLane(b, from + i, size);
    setLane(i, size + 1, addS(product, product, size + 1));
  }
  commitLanes(d);
}

/** SQXTN, UQXTN, SQXTUN. */
function narrow(op: u32, form: u32, d: usize, a: usize): void {
  const size = form & 3;
  const n: u32 = form & FORM_SCALAR ? 1 : <u32>8 >> size;
  for (let i: u32 = 0; i < n; i++) {
    let r: u64;
    if (op == A_UQXTN) {
      r = lane(a, i, size + 1);
      if (r > largestU(size)) r = beyond(largestU(size));
    } else {
      const x = signedLane(a, i, size + 1);
      r = op == A_SQXTN ? fitS(x, size) : fitU(x, size);
    }
    setLane(i, size, r);
  }
  commitHalf(d, (form & FORM_Q) != 0);
}

/** SQADD, UQADD, SQSUB, UQSUB of 8- and 16-bit lanes: the lanes saturate whose sum differs from the one that wraps. */
function packed(op: u32, form: u32, d: usize, a: usize, b: usize): void {
  const x = form & FORM_Q ? v128.load(a) : v128.load64_zero(a);
  const y = form & FORM_Q ? v128.load(b) : v128.load64_zero(b);
  const bytes = (form & 3) == 0;
  const subtract = op == A_SQSUB || op == A_UQSUB;
  let r: v128;
  if (op == A_SQADD) r = bytes ? i8x16.add_sat_s(x, y) : i16x8.add_sat_s(x, y);
  else if (op == A_UQADD) r = bytes ? i8x16.add_sat_u(x, y) : i16x8.add_sat_u(x, y);
  else if (op == A_SQSUB) r = bytes ? i8x16.sub_sat_s(x, y) : i16x8.sub_sat_s(x, y);
  else r = bytes ? i8x16.sub_sat_u(x, y) : i16x8.sub_sat_u(x, y);
  let wrapped: v128;
  if (bytes) wrapped = subtract ? i8x16.sub(x, y) : i8x16.add(x, y);
  else wrapped = subtract ? i16x8.sub(x, y) : i16x8.add(x, y);
  saturated = v128.any_true(v128.xor(r, wrapped));
  v128.store(d, r);
}

/** Operations A_SQADD to A_SQXTUN. */
export function saturatingOperation(op: u32, form: u32, d: usize, a: usize, b: usize, imm: u32): void {
  saturated = false;
  clearLanes();
  if (op <= A_UQSUB && (form & 3) < 2 && !(form & FORM_SCALAR)) packed(op, form, d, a, b);
  else if (op == A_SQDMULL) doubledLong(form, d, a, b);
  else if (op == A_SQXTN || op == A_UQXTN || op == A_SQXTUN) narrow(op, form, d, a);
  else {
    for (let i: u32 = 0; i < laneCount(form); i++) setLane(i, form & 3, result(op, form & 3, d, a, b, imm, i));
    commitLanes(d);
  }
  if (saturated) raiseStatus(FPSR_QC);
}
