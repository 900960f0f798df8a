// Floating-point arithmetic that WebAssembly does just as the hardware would.
//
// Its results are those of rounding to nearest, but it reports no exceptions, and which NaN it gives is open. So it
// may only stand in where MXCSR asks for nothing else (mxcsr.ts), and when operands and result are ordinary numbers:
// no NaN, infinity, denormal, overflow or underflow, and nothing inexact while that would be news. Otherwise the functions here return false, having done nothing.

import { plainArithmetic, plainExact, precisionMatters } from './mxcsr';
import { ADD, CMP, DIV, MAX, MIN, MUL, SQRT, SUB } from './vector-float';
import { V_FLOAT } from './vops';

const MIN_NORMAL_64: f64 = 2.2250738585072014e-308;
const MIN_NORMAL_32: f32 = 1.1754943508222875e-38;

function denormal64(x: f64): bool {
  return abs<f64>(x) < MIN_NORMAL_64 && x != 0;
}
function denormal32(x: f32): bool {
  return abs<f32>(x) < MIN_NORMAL_32 && x != 0;
}

/** Low zero bits of the 53-bit significand. */
function trailingZeros(x: f64): u64 {
  return ctz<u64>(reinterpret<u64>(x) | 0x10000000000000);
}

/** Is x × y, which is p after rounding, surely exact? If the significands have at most 53 bits together. */
function exactProduct(x: f64, y: f64, p: f64): bool {
  return p == x * y && (x == 0 || y == 0 || trailingZeros(x) + trailingZeros(y) >= 53);
}

/** Is the rounded sum exact? Knuth's two-sum: the error of an addition is itself a number, found by five more. */
function exactSum64(x: f64, y: f64, sum: f64): bool {
  const t = sum - x;
  return x - (sum - t) + (y - t) == 0;
}
function exactSum32(x: f32, y: f32, sum: f32): bool {
  const t: f32 = sum - x;
  return <f32>(<f32>(x - <f32>(sum - t)) + <f32>(y - t)) == 0;
}

/** May the result r be given without raising the precision flag? If in doubt, no. */
function exact64(op: u32, x: f64, y: f64, r: f64): bool {
  switch (op) {
    case ADD:
      return exactSum64(x, y, r);
    case SUB:
      return exactSum64(x, -y, r);
    case MUL:
      return exactProduct(x, y, r);
    case DIV:
      return exactProduct(r, y, x);
    default:
      return exactProduct(r, r, y);
  }
}

/** The same; products of single precision fit in double. */
function exact32(op: u32, x: f32, y: f32, r: f32): bool {
  switch (op) {
    case ADD:
      return exactSum32(x, y, r);
    case SUB:
      return exactSum32(x, -y, r);
    case MUL:
      return <f64>x * <f64>y == <f64>r;
    case DIV:
      return <f64>r * <f64>y == <f64>x;
    default:
      return <f64>r * <f64>r == <f64>y;
  }
}

function scalar64(op: u32, d: usize, a: usize, b: usize): bool {
  const x = load<f64>(a);
  const y = load<f64>(b);
  if (denormal64(y) || (op != SQRT && denormal64(x))) return false;
  let r: f64;
  switch (op) {
    case ADD:
      r = x + y;
      break;
    case SUB:
      r = x - y;
      break;
    case MUL:
      r = x * y;
      if (abs<f64>(r) <= MIN_NORMAL_64 && x != 0 && y != 0) return false;
      break;
    case DIV:
      r = x / y;
      if (abs<f64>(r) <= MIN_NORMAL_64 && x != 0) return false;
      break;
    case SQRT:
      r = sqrt<f64>(y);
      break;
    default:
      if (x != x || y != y) return false;
      // Equal operands may be zeros of different sign: the second one is the result.
      r = op == MIN ? (x < y ? x : y) : x > y ? x : y;
      v128.store(d, f64x2.replace_lane(v128.load(a), 0, r));
      return true;
  }
  if (!(abs<f64>(r) < f64.POSITIVE_INFINITY)) return false;
  if (precisionMatters() && !exact64(op, x, y, r)) return false;
  v128.store(d, f64x2.replace_lane(v128.load(a), 0, r));
  return true;
}

function scalar32(op: u32, d: usize, a: usize, b: usize): bool {
  const x = load<f32>(a);
  const y = load<f32>(b);
  if (denormal32(y) || (op != SQRT && denormal32(x))) return false;
  let r: f32;
  switch (op) {
    case ADD:
      r = x + y;
      break;
    case SUB:
      r = x - y;
      break;
    case MUL:
      r = x * y;
      if (abs<f32>(r) <= MIN_NORMAL_32 && x != 0 && y != 0) return false;
      break;
    case DIV:
      r = x / y;
      if (abs<f32>(r) <= MIN_NORMAL_32 && x != 0) return false;
      break;
    case SQRT:
      r = sqrt<f32>(y);
      break;
    default:
      if (x != x || y != y) return false;
      r = op == MIN ? (x < y ? x : y) : x > y ? x : y;
      v128.store(d, f32x4.replace_lane(v128.load(a), 0, r));
      return true;
  }
  if (!(abs<f32>(r) < f32.POSITIVE_INFINITY)) return false;
  if (precisionMatters() && !exact32(op, x, y, r)) return false;
  v128.store(d, f32x4.replace_lane(v128.load(a), 0, r));
  return true;
}

/** Lanes that are denormal. */
function denormals64(x: v128): v128 {
  return v128.and(f64x2.lt(f64x2.abs(x), f64x2.splat(MIN_NORMAL_64)), f64x2.ne(x, f64x2.splat(0)));
}
function denormals32(x: v128): v128 {
  return v128.and(f32x4.lt(f32x4.abs(x), f32x4.splat(MIN_NORMAL_32)), f32x4.ne(x, f32x4.splat(0)));
}

/** Are all sums exact? Other operations are left to softfloat. */
function exactLanes64(op: u32, x: v128, y: v128, r: v128): bool {
  if (op != ADD && op != SUB) return false;
  if (op == SUB) y = f64x2.neg(y);
  const t = f64x2.sub(r, x);
  const error = f64x2.add(f64x2.sub(x, f64x2.sub(r, t)), f64x2.sub(y, t));
  return i64x2.all_true(f64x2.eq(error, f64x2.splat(0)));
}
function exactLanes32(op: u32, x: v128, y: v128, r: v128): bool {
  if (op != ADD && op != SUB) return false;
  if (op == SUB) y = f32x4.neg(y);
  const t = f32x4.sub(r, x);
  const error = f32x4.add(f32x4.sub(x, f32x4.sub(r, t)), f32x4.sub(y, t));
  return i32x4.all_true(f32x4.eq(error, f32x4.splat(0)));
}

function packed64(op: u32, d: usize, a: usize, b: usize): bool {
  const x = v128.load(a);
  const y = v128.load(b);
  const denormal = op == SQRT ? denormals64(y) : v128.or(denormals64(x), denormals64(y));
  if (v128.any_true(denormal)) return false;
  const zero = f64x2.splat(0);
  let r: v128;
  let small = zero;
  switch (op) {
    case ADD:
      r = f64x2.add(x, y);
      break;
    case SUB:
      r = f64x2.sub(x, y);
      break;
    case MUL:
      r = f64x2.mul(x, y);
      small = v128.and(f64x2.ne(x, zero), f64x2.ne(y, zero));
      break;
    case DIV:
      r = f64x2.div(x, y);
      small = f64x2.ne(x, zero);
      break;
    case SQRT:
      r = f64x2.sqrt(y);
      break;
    default:
      if (v128.any_true(v128.or(f64x2.ne(x, x), f64x2.ne(y, y)))) return false;
      v128.store(d, op == MIN ? f64x2.pmin(y, x) : f64x2.pmax(y, x));
      return true;
  }
  const size = f64x2.abs(r);
  small = v128.and(small, f64x2.le(size, f64x2.splat(MIN_NORMAL_64)));
  if (v128.any_true(small) || !i64x2.all_true(f64x2.lt(size, f64x2.splat(f64.POSITIVE_INFINITY)))) return false;
  if (precisionMatters() && !exactLanes64(op, x, y, r)) return false;
  v128.store(d, r);
  return true;
}

function packed32(op: u32, d: usize, a: usize, b: usize): bool {
  const x = v128.load(a);
  const y = v128.load(b);
  const denormal = op == SQRT ? denormals32(y) : v128.or(denormals32(x), denormals32(y));
  if (v128.any_true(denormal)) return false;
  const zero = f32x4.splat(0);
  let r: v128;
  let small = zero;
  switch (op) {
    case ADD:
      r = f32x4.add(x, y);
      break;
    case SUB:
      r = f32x4.sub(x, y);
      break;
    case MUL:
      r = f32x4.mul(x, y);
      small = v128.and(f32x4.ne(x, zero), f32x4.ne(y, zero));
      break;
    case DIV:
      r = f32x4.div(x, y);
      small = f32x4.ne(x, zero);
      break;
    case SQRT:
      r = f32x4.sqrt(y);
      break;
    default:
      if (v128.any_true(v128.or(f32x4.ne(x, x), f32x4.ne(y, y)))) return false;
      v128.store(d, op == MIN ? f32x4.pmin(y, x) : f32x4.pmax(y, x));
      return true;
  }
  const size = f32x4.abs(r);
  small = v128.and(small, f32x4.le(size, f32x4.splat(MIN_NORMAL_32)));
  if (v128.any_true(small) || !i32x4.all_true(f32x4.lt(size, f32x4.splat(f32.POSITIVE_INFINITY)))) return false;
  if (precisionMatters() && !exactLanes32(op, x, y, r)) return false;
  v128.store(d, r);
  return true;
}

/** Kinds V_ADD_F32X4 to V_SQRT_SCALAR_F64, if the case is ordinary. */
export function fastArithmetic(kind: u32, d: usize, a: usize, b: usize): bool {
  const op = (kind - V_FLOAT) >> 2;
  if (op == MIN || op == MAX ? !plainExact() : op == CMP || !plainArithmetic()) return false;
  switch (kind & 3) {
    case 0:
      return packed32(op, d, a, b);
    case 1:
      return packed64(op, d, a, b);
    case 2:
      return scalar32(op, d, a, b);
    default:
      return scalar64(op, d, a, b);
  }
}
