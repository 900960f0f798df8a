// Floating point of all lanes at once, by WebAssembly's vector instructions, under the conditions of float-fast.ts:
// nothing is done, and false returned, when a lane is out of the ordinary.

import { F32, F64 } from './float';
import {
  A_FABD,
  A_FABS,
  A_FACGE,
  A_FADD,
  A_FCMEQ,
  A_FCMGE,
  A_FDIV,
  A_FMAX,
  A_FMAXNM,
  A_FMSUB,
  A_FMUL,
  A_FNMADD,
  A_FNMSUB,
  A_FSQRT,
  A_FSUB,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { inexactMatters, ROUND_DOWN, ROUND_TIE_EVEN, ROUND_UP, ROUND_ZERO } from './status';

const MIN_NORMAL_64: f64 = 2.2250738585072014e-308;
const MIN_NORMAL_32: f32 = 1.1754943508222875e-38;

/** The operand; what is shorter than 128 bits is repeated, so that no lane is out of the ordinary by itself. */
function operandOf(v: usize, form: u32): v128 {
  if (form & FORM_Q) return v128.load(v);
  return form & FORM_SCALAR && (form & 3) == F32 ? v128.load32_splat(v) : v128.load64_splat(v);
}

/** What the form has of r, zeros above. */
function storeForm(d: usize, r: v128, form: u32): void {
  if (form & FORM_Q) v128.store(d, r);
  else {
    const low = i64x2.extract_lane(r, 0);
    store<u64>(d, form & FORM_SCALAR && (form & 3) == F32 ? low & 0xffffffff : low);
    store<u64>(d, 0, 8);
  }
}

function packed64(op: u32, x: v128, y: v128): v128 {
  switch (op) {
    case A_FADD:
      return f64x2.add(x, y);
    case A_FSUB:
      return f64x2.sub(x, y);
    case A_FABD:
      return f64x2.abs(f64x2.sub(x, y));
    case A_FMUL:
      return f64x2.mul(x, y);
    case A_FDIV:
      return f64x2.div(x, y);
    case A_FSQRT:
      return f64x2.sqrt(x);
    case A_FMAX:
    case A_FMAXNM:
      return f64x2.max(x, y);
    default:
      return f64x2.min(x, y);
  }
}
function packed32(op: u32, x: v128, y: v128): v128 {
  switch (op) {
    case A_FADD:
      return f32x4.add(x, y);
    case A_FSUB:
      return f32x4.sub(x, y);
    case A_FABD:
      return f32x4.abs(f32x4.sub(x, y));
    case A_FMUL:
      return f32x4.mul(x, y);
    case A_FDIV:
      return f32x4.div(x, y);
    case A_FSQRT:
      return f32x4.sqrt(x);
    case A_FMAX:
    case A_FMAXNM:
      return f32x4.max(x, y);
    default:
      return f32x4.min(x, y);
  }
}

/**
 * A_FADD to A_FMINNM and A_FABD of all lanes, given plainArithmetic() and that IXC is set, if all results are normal
 * numbers, or zeros of operations that cannot underflow.
 */
export function fastPacked(op: u32, form: u32, d: usize, a: usize, b: usize): bool {
  const x = operandOf(a, form);
  const y = operandOf(b, form);
  const wide = (form & 3) == F64;
  const r = wide ? packed64(op, x, y) : packed32(op, x, y);
  const scaled = op == A_FMUL || op == A_FDIV;
  let good: v128;
  if (wide) {
    const size = f64x2.abs(r);
    good = f64x2.lt(size, f64x2.splat(f64.POSITIVE_INFINITY));
    if (scaled) good = v128.and(good, f64x2.gt(size, f64x2.splat(MIN_NORMAL_64)));
  } else {
    const size = f32x4.abs(r);
    good = f32x4.lt(size, f32x4.splat(f32.POSITIVE_INFINITY));
    if (scaled) good = v128.and(good, f32x4.gt(size, f32x4.splat(MIN_NORMAL_32)));
  }
  if (!i32x4.all_true(good)) return false;
  storeForm(d, r, form);
  return true;
}

/** A_FABS, A_FNEG. */
export function signOperation(op: u32, form: u32, d: usize, a: usize): void {
  const x = operandOf(a, form);
  let r: v128;
  if ((form & 3) == F64) r = op == A_FABS ? f64x2.abs(x) : f64x2.neg(x);
  else r = op == A_FABS ? f32x4.abs(x) : f32x4.neg(x);
  storeForm(d, r, form);
}

function compared64(op: u32, x: v128, y: v128): v128 {
  if (op == A_FCMEQ) return f64x2.eq(x, y);
  if (op >= A_FACGE) {
    x = f64x2.abs(x);
    y = f64x2.abs(y);
  }
  return op == A_FCMGE || op == A_FACGE ? f64x2.ge(x, y) : f64x2.gt(x, y);
}
function compared32(op: u32, x: v128, y: v128): v128 {
  if (op == A_FCMEQ) return f32x4.eq(x, y);
  if (op >= A_FACGE) {
    x = f32x4.abs(x);
    y = f32x4.abs(y);
  }
  return op == A_FCMGE || op == A_FACGE ? f32x4.ge(x, y) : f32x4.gt(x, y);
}

/** A_FCMEQ to A_FACGT, given plainExact(), if there is no NaN. */
export function fastCompare(op: u32, form: u32, d: usize, a: usize, b: usize): bool {
  const x = operandOf(a, form);
  const y = operandOf(b, form);
  const wide = (form & 3) == F64;
  const unordered = wide ? v128.or(f64x2.ne(x, x), f64x2.ne(y, y)) : v128.or(f32x4.ne(x, x), f32x4.ne(y, y));
  if (v128.any_true(unordered)) return false;
  storeForm(d, wide ? compared64(op, x, y) : compared32(op, x, y), form);
  return true;
}

function integral64(mode: u32, x: v128): v128 {
  if (mode == ROUND_TIE_EVEN) return f64x2.nearest(x);
  if (mode == ROUND_UP) return f64x2.ceil(x);
  return mode == ROUND_DOWN ? f64x2.floor(x) : f64x2.trunc(x);
}
function integral32(mode: u32, x: v128): v128 {
  if (mode == ROUND_TIE_EVEN) return f32x4.nearest(x);
  if (mode == ROUND_UP) return f32x4.ceil(x);
  return mode == ROUND_DOWN ? f32x4.floor(x) : f32x4.trunc(x);
}

/** A_FRINT to nearest or by direction, given plainExact(), if there is no NaN. `exact`: IXC tells what is inexact. */
export function fastIntegral(mode: u32, exact: bool, form: u32, d: usize, a: usize): bool {
  if (mode > ROUND_ZERO) return false;
  const x = operandOf(a, form);
  const wide = (form & 3) == F64;
  const r = wide ? integral64(mode, x) : integral32(mode, x);
  const changed = wide ? f64x2.ne(r, x) : f32x4.ne(r, x);
  if (v128.any_true(changed)) {
    // A NaN differs from itself.
    if (v128.any_true(wide ? f64x2.ne(x, x) : f32x4.ne(x, x)) || (exact && inexactMatters())) return false;
  }
  storeForm(d, r, form);
  return true;
}

// --- Fused multiplication and addition, as in float-fast.ts ---

/** Errors of sums. */
function sumErrors(x: v128, y: v128, sum: v128): v128 {
  const t = f64x2.sub(sum, x);
  return f64x2.add(f64x2.sub(x, f64x2.sub(sum, t)), f64x2.sub(y, t));
}

/** Sums rounded to odd. */
function sumsToOdd(x: v128, y: v128): v128 {
  const zero = f64x2.splat(0);
  const sum = f64x2.add(x, y);
  const error = sumErrors(x, y, sum);
  const even = i64x2.eq(v128.and(sum, i64x2.splat(1)), zero);
  // 1 or -1 where the sum is even and inexact: away from zero if the error has its sign.
  const away = i64x2.eq(f64x2.gt(error, zero), f64x2.gt(sum, zero));
  const step = v128.bitselect(i64x2.splat(1), i64x2.splat(-1), away);
  return i64x2.add(sum, v128.and(step, v128.and(even, f64x2.ne(error, zero))));
}

function upperHalves(x: v128): v128 {
  const t = f64x2.mul(x, f64x2.splat(134217729.0));
  return f64x2.sub(t, f64x2.sub(t, x));
}

/** Lanes that are zero or have a moderate exponent. */
function moderate(x: v128, least: f64, most: f64): v128 {
  const size = f64x2.abs(x);
  const within = v128.and(f64x2.ge(size, f64x2.splat(least)), f64x2.le(size, f64x2.splat(most)));
  return v128.or(within, f64x2.eq(x, f64x2.splat(0)));
}

/** Lanes whose result is sure; set by the functions below. */
let sure: v128 = i64x2.splat(0);

function fused64(c: v128, x: v128, y: v128): v128 {
  // 2^±400 and 2^±900.
  const factors = v128.and(
    moderate(x, 3.8725919148493183e-121, 2.582249878086909e120),
    moderate(y, 3.8725919148493183e-121, 2.582249878086909e120),
  );
  const product = f64x2.mul(x, y);
  // The sign of a sum of zeros would be wrong.
  const zeros = f64x2.eq(f64x2.max(f64x2.abs(product), f64x2.abs(c)), f64x2.splat(0));
  sure = v128.andnot(v128.and(factors, moderate(c, 1.1830521861667747e-271, 8.452712498170644e270)), zeros);
  const xh = upperHalves(x);
  const yh = upperHalves(y);
  const xl = f64x2.sub(x, xh);
  const yl = f64x2.sub(y, yh);
  const crossed = f64x2.add(f64x2.add(f64x2.sub(f64x2.mul(xh, yh), product), f64x2.mul(xh, yl)), f64x2.mul(xl, yh));
  const rest = f64x2.add(crossed, f64x2.mul(xl, yl));
  const t = f64x2.add(c, rest);
  const tError = sumErrors(c, rest, t);
  const v = f64x2.add(product, t);
  return f64x2.add(v, sumsToOdd(tError, sumErrors(product, t, v)));
}

/** Two lanes of single precision, in the low half. */
function fused32(c: v128, x: v128, y: v128): v128 {
  const product = f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
  const sum = sumsToOdd(f64x2.promote_low_f32x4(c), product);
  const r = f32x4.demote_f64x2_zero(sum);
  const size = f64x2.promote_low_f32x4(f32x4.abs(r));
  const normal = v128.or(f64x2.gt(size, f64x2.splat(1.1754943508222875e-38)), f64x2.eq(sum, f64x2.splat(0)));
  sure = v128.and(normal, f64x2.lt(size, f64x2.splat(f64.POSITIVE_INFINITY)));
  return r;
}

function upperOf(x: v128): v128 {
  return v128.shuffle<u64>(x, x, 1, 1);
}

/** A_FMADD to A_FNMSUB of all lanes, given plainArithmetic() and that IXC is set, if all results are sure. */
export function fastFusedPacked(op: u32, form: u32, d: usize, a: usize, b: usize, c: usize): bool {
  let x = operandOf(a, form);
  const y = operandOf(b, form);
  let z = operandOf(c, form);
  const wide = (form & 3) == F64;
  const sign = wide ? i64x2.splat(i64.MIN_VALUE) : i32x4.splat(i32.MIN_VALUE);
  if (op == A_FMSUB || op == A_FNMADD) x = v128.xor(x, sign);
  if (op == A_FNMADD || op == A_FNMSUB) z = v128.xor(z, sign);
  let r: v128;
  if (wide) r = fused64(z, x, y);
  else {
    r = fused32(z, x, y);
    const low = sure;
    if (form & FORM_Q) r = v128.shuffle<u64>(r, fused32(upperOf(z), upperOf(x), upperOf(y)), 0, 2);
    sure = v128.and(sure, low);
  }
  if (!i64x2.all_true(sure)) return false;
  storeForm(d, r, form);
  return true;
}
