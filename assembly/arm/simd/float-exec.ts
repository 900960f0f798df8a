// Execution of the floating-point operations: ordinary cases by float-fast.ts, the others lane by lane by float.ts.

import { setFlags } from '../../ir/flags';
import { STATE } from '../../layout/memory';
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF } from '../../layout/x86-state';
import { reciprocalEstimate, reciprocalExponent, reciprocalRootEstimate } from './estimate';
import {
  beginFloat,
  compare,
  EQUAL,
  endFloat,
  F32,
  F64,
  floatAdd,
  floatDiv,
  floatMinMax,
  floatMinMaxNumber,
  floatMul,
  floatMulAdd,
  floatSqrt,
  floatStep,
  floatSub,
  GREATER,
  LESS,
  magnitude,
  negate,
} from './float';
import { fromFixed, toFixed, toFormat, toIntegral } from './float-convert';
import { fast32, fast64, fastBits, fastFused32, fastFused64 } from './float-fast';
import { asDouble, convertedBits, fastFormat, fastFromInteger, fastToInteger } from './float-fast-convert';
import { fastCompare, fastFusedPacked, fastIntegral, fastPacked, signOperation } from './float-packed';
import {
  A_FABD,
  A_FACGE,
  A_FACGT,
  A_FADD,
  A_FCMEQ,
  A_FCMGT,
  A_FCMP,
  A_FCVT,
  A_FCVT_S,
  A_FCVT_U,
  A_FCVT_X,
  A_FCVTL,
  A_FCVTXN,
  A_FDIV,
  A_FMADD,
  A_FMAX,
  A_FMAXNM,
  A_FMAXV,
  A_FMIN,
  A_FMINNM,
  A_FMSUB,
  A_FMUL,
  A_FMULX,
  A_FNMADD,
  A_FNMSUB,
  A_FNMUL,
  A_FRECPE,
  A_FRECPS,
  A_FRECPX,
  A_FRINT,
  A_FRSQRTE,
  A_FRSQRTS,
  A_FSQRT,
  A_FSUB,
  A_UCVTF,
  A_XCVTF,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { clearLanes, commitHalf, commitLanes, lane, laneCount, setLane, signedLane } from './lanes';
import { inexactMatters, plainArithmetic, plainExact, ROUND_FPCR, roundingMode } from './status';

/** Lane 0 of d, zeros above. */
function storeScalar(d: usize, bits: u64): void {
  store<u64>(d, bits);
  store<u64>(d, 0, 8);
}

/** Comparison operations: all ones where true. */
function comparison(op: u32, a: u64, b: u64, fmt: u32): u64 {
  if (op == A_FACGE || op == A_FACGT) {
    a = magnitude(a, fmt);
    b = magnitude(b, fmt);
  }
  const r = compare(a, b, fmt, op != A_FCMEQ);
  const holds = r == EQUAL ? op != A_FCMGT && op != A_FACGT : r == GREATER && op != A_FCMEQ;
  return holds ? u64.MAX_VALUE : 0;
}

/** One lane. */
function operate(op: u32, a: u64, b: u64, fmt: u32, imm: u32): u64 {
  switch (op) {
    case A_FADD:
      return floatAdd(a, b, fmt);
    case A_FSUB:
      return floatSub(a, b, fmt);
    case A_FMUL:
      return floatMul(a, b, fmt, false);
    case A_FDIV:
      return floatDiv(a, b, fmt);
    case A_FSQRT:
      return floatSqrt(a, fmt);
    case A_FMAX:
      return floatMinMax(a, b, fmt, false);
    case A_FMIN:
      return floatMinMax(a, b, fmt, true);
    case A_FMAXNM:
      return floatMinMaxNumber(a, b, fmt, false);
    case A_FMINNM:
      return floatMinMaxNumber(a, b, fmt, true);
    case A_FNMUL:
      return negate(floatMul(a, b, fmt, false), fmt);
    case A_FMULX:
      return floatMul(a, b, fmt, true);
    case A_FABD:
      return magnitude(floatSub(a, b, fmt), fmt);
    case A_FRECPS:
      return floatStep(a, b, fmt, 0);
    case A_FRSQRTS:
      return floatStep(a, b, fmt, 1);
    case A_FRINT:
      return toIntegral(a, fmt, imm & 7, (imm & 8) != 0);
    case A_FRECPE:
      return reciprocalEstimate(a, fmt);
    case A_FRSQRTE:
      return reciprocalRootEstimate(a, fmt);
    case A_FRECPX:
      return reciprocalExponent(a, fmt);
    default:
      return comparison(op, a, b, fmt);
  }
}

/** Comparisons and roundings to integral values, which are exact. */
function exactOperation(op: u32, form: u32, d: usize, a: usize, b: usize, imm: u32): bool {
  if (op < A_FCMEQ || op > A_FRINT || !plainExact()) return false;
  if (op != A_FRINT) return fastCompare(op, form, d, a, b);
  const mode = imm & 7;
  return fastIntegral(mode == ROUND_FPCR ? roundingMode() : mode, (imm & 8) != 0, form, d, a);
}

/** A_FADD to A_FRECPX. */
function arithmetic(op: u32, form: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const fmt = form & 3;
  if (exactOperation(op, form, d, a, b, imm)) return;
  const plain = plainArithmetic();
  if (plain && form & FORM_SCALAR) {
    if (fmt == F64 ? fast64(op, load<f64>(a), load<f64>(b)) : fast32(op, load<f32>(a), load<f32>(b))) {
      storeScalar(d, fastBits);
      return;
    }
  } else if (plain && !inexactMatters()) {
    if ((op <= A_FMINNM || op == A_FABD) && fastPacked(op, form, d, a, b)) return;
  }
  beginFloat();
  clearLanes();
  for (let i: u32 = 0; i < laneCount(form); i++) {
    const x = lane(a, i, fmt);
    const y = lane(b, i, fmt);
    const fast =
      plain &&
      (fmt == F64
        ? fast64(op, reinterpret<f64>(x), reinterpret<f64>(y))
        : fast32(op, reinterpret<f32>(<u32>x), reinterpret<f32>(<u32>y)));
    setLane(i, fmt, fast ? fastBits : operate(op, x, y, fmt, imm));
  }
  commitLanes(d);
  endFloat();
}

/** A_FMADD to A_FNMSUB, of one lane. */
function multiplyAdd(op: u32, c: u64, x: u64, y: u64, fmt: u32, plain: bool): u64 {
  if (op == A_FMSUB || op == A_FNMADD) x = negate(x, fmt);
  if (op == A_FNMADD || op == A_FNMSUB) c = negate(c, fmt);
  if (plain) {
    if (fmt == F64) {
      if (fastFused64(reinterpret<f64>(c), reinterpret<f64>(x), reinterpret<f64>(y))) return fastBits;
    } else if (fastFused32(reinterpret<f32>(<u32>c), reinterpret<f32>(<u32>x), reinterpret<f32>(<u32>y)))
      return fastBits;
  }
  return floatMulAdd(c, x, y, fmt);
}

function multiplyAddLanes(op: u32, form: u32, d: usize, a: usize, b: usize, c: usize): void {
  const fmt = form & 3;
  const plain = plainArithmetic();
  if (plain && !(form & FORM_SCALAR) && !inexactMatters() && fastFusedPacked(op, form, d, a, b, c)) return;
  beginFloat();
  if (form & FORM_SCALAR) {
    storeScalar(d, multiplyAdd(op, lane(c, 0, fmt), lane(a, 0, fmt), lane(b, 0, fmt), fmt, plain));
  } else {
    clearLanes();
    for (let i: u32 = 0; i < laneCount(form); i++) {
      setLane(i, fmt, multiplyAdd(op, lane(c, i, fmt), lane(a, i, fmt), lane(b, i, fmt), fmt, plain));
    }
    commitLanes(d);
  }
  endFloat();
}

// --- Conversions ---

function toInteger(bits: u64, fmt: u32, size: u32, scale: u32, unsigned: bool, mode: u32): u64 {
  if (!scale && fastToInteger(bits, fmt, size, unsigned, mode)) return convertedBits;
  return toFixed(bits, fmt, size, scale, unsigned, mode);
}
function fromInteger(v: u64, fmt: u32, scale: u32, unsigned: bool): u64 {
  if (!scale && fastFromInteger(v, fmt, unsigned)) return convertedBits;
  return fromFixed(v, fmt, scale, unsigned);
}
function changeFormat(bits: u64, from: u32, to: u32, odd: bool): u64 {
  if (!odd && fastFormat(bits, from, to)) return convertedBits;
  return toFormat(bits, from, to, odd);
}

function toGeneral(fmt: u32, d: usize, a: usize, imm: u32): void {
  beginFloat();
  store<u64>(d, toInteger(lane(a, 0, fmt), fmt, imm & 16 ? 3 : 2, imm >> 8, (imm & 8) != 0, imm & 7));
  endFloat();
}

function fromGeneral(fmt: u32, d: usize, a: usize, imm: u32): void {
  const unsigned = (imm & 8) != 0;
  const size: u32 = imm & 16 ? 3 : 2;
  beginFloat();
  storeScalar(d, fromInteger(unsigned ? lane(a, 0, size) : <u64>signedLane(a, 0, size), fmt, imm >> 8, unsigned));
  endFloat();
}

function convertLanes(op: u32, form: u32, d: usize, a: usize, imm: u32): void {
  const fmt = form & 3;
  const unsigned = op == A_FCVT_U || op == A_UCVTF;
  beginFloat();
  clearLanes();
  for (let i: u32 = 0; i < laneCount(form); i++) {
    let r: u64;
    if (op == A_FCVT_S || op == A_FCVT_U) r = toInteger(lane(a, i, fmt), fmt, fmt, imm >> 8, unsigned, imm & 7);
    else r = fromInteger(unsigned ? lane(a, i, fmt) : <u64>signedLane(a, i, fmt), fmt, imm >> 8, unsigned);
    setLane(i, fmt, r);
  }
  commitLanes(d);
  endFloat();
}

function convertScalar(fmt: u32, d: usize, a: usize, from: u32): void {
  beginFloat();
  storeScalar(d, changeFormat(lane(a, 0, from), from, fmt, false));
  endFloat();
}

/** A_FCVTL. */
function widen(form: u32, d: usize, a: usize): void {
  const fmt = form & 3;
  const n: u32 = <u32>8 >> fmt;
  const from: u32 = form & FORM_Q ? n : 0;
  beginFloat();
  clearLanes();
  for (let i: u32 = 0; i < n; i++) setLane(i, fmt + 1, changeFormat(lane(a, from + i, fmt), fmt, fmt + 1, false));
  commitLanes(d);
  endFloat();
}

/** A_FCVTN, A_FCVTXN. */
function narrow(op: u32, form: u32, d: usize, a: usize): void {
  const fmt = form & 3;
  const n: u32 = form & FORM_SCALAR ? 1 : <u32>8 >> fmt;
  beginFloat();
  clearLanes();
  for (let i: u32 = 0; i < n; i++) setLane(i, fmt, changeFormat(lane(a, i, fmt + 1), fmt + 1, fmt, op == A_FCVTXN));
  commitHalf(d, (form & FORM_Q) != 0);
  endFloat();
}

/** FMAXV and the like: of each half first. */
function acrossSingles(d: usize, a: usize, op: u32): void {
  beginFloat();
  const low = operate(op, lane(a, 0, F32), lane(a, 1, F32), F32, 0);
  const high = operate(op, lane(a, 2, F32), lane(a, 3, F32), F32, 0);
  storeScalar(d, operate(op, low, high, F32, 0));
  endFloat();
}

// --- FCMP ---

/** Flags with C inverted, as the shared lazy flags keep it. Less: N; equal: Z, C; greater: C; unordered: C, V. */
function setRelation(r: u32): void {
  setFlags(r == LESS ? FLAG_SF | FLAG_CF : r == EQUAL ? FLAG_ZF : r == GREATER ? 0 : FLAG_OF);
}

/** FCMP, FCMPE of the numbers in slots a and b. */
export function compareToFlags(fmt: u32, a: usize, b: usize, signaling: bool): void {
  if (plainExact()) {
    const x = asDouble(lane(a, 0, fmt), fmt);
    const y = asDouble(lane(b, 0, fmt), fmt);
    if (x == x && y == y) {
      setRelation(x < y ? LESS : x == y ? EQUAL : GREATER);
      return;
    }
  }
  beginFloat();
  setRelation(compare(lane(a, 0, fmt), lane(b, 0, fmt), fmt, signaling));
  endFloat();
}

/** Operations from A_FABS on. */
export function floatOperation(op: u32, form: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const fmt = form & 3;
  if (op < A_FADD) signOperation(op, form, d, a);
  else if (op < A_FMADD) arithmetic(op, form, d, a, b, imm);
  else if (op <= A_FNMSUB) multiplyAddLanes(op, form, d, a, b, <usize>STATE + (imm & 0xffff));
  else if (op <= A_UCVTF) convertLanes(op, form, d, a, imm);
  else if (op == A_FCVT_X) toGeneral(fmt, d, a, imm);
  else if (op == A_XCVTF) fromGeneral(fmt, d, a, imm);
  else if (op == A_FCVT) convertScalar(fmt, d, a, imm);
  else if (op == A_FCVTL) widen(form, d, a);
  else if (op == A_FMAXV) acrossSingles(d, a, imm);
  else if (op == A_FCMP) compareToFlags(fmt, a, b, imm != 0);
  else narrow(op, form, d, a);
}
