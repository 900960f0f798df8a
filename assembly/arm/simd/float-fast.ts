// Floating-point arithmetic that WebAssembly does just as the hardware would.
//
// Its results are those of rounding to nearest, but it reports no exceptions, and which NaN it gives is open. So it
// may only stand in where FPCR asks for nothing else (status.ts) and the result is an ordinary number: finite, and
// not so small that it might be tiny; and nothing inexact while that would be news. A denormal operand is no obstacle.
// Otherwise the functions here return false, having done nothing.

import {
  A_FABD,
  A_FADD,
  A_FDIV,
  A_FMAX,
  A_FMAXNM,
  A_FMIN,
  A_FMINNM,
  A_FMUL,
  A_FMULX,
  A_FNMUL,
  A_FRECPS,
  A_FRSQRTS,
  A_FSQRT,
  A_FSUB,
} from './kinds';
import { inexactMatters } from './status';

const MIN_NORMAL_64: f64 = 2.2250738585072014e-308;
const MIN_NORMAL_32: f32 = 1.1754943508222875e-38;

/** Result of the last function that returned true. */
export let fastBits: u64 = 0;

/** Low zero bits of the 53-bit significand. */
function trailingZeros(x: f64): u64 {
  return ctz<u64>(reinterpret<u64>(x) | 0x10000000000000);
}
/** Is x × y, which is p after rounding, surely exact? If the significands have at most 53 bits together. */
function exactProduct(x: f64, y: f64, p: f64): bool {
  return p == x * y && (x == 0 || y == 0 || trailingZeros(x) + trailingZeros(y) >= 53);
}
/** Knuth's two-sum: the error of an addition is itself a number, found by five more. */
function sumError(x: f64, y: f64, sum: f64): f64 {
  const t = sum - x;
  return x - (sum - t) + (y - t);
}

/** May the result r be given without raising IXC? If in doubt, no. */
function exact64(op: u32, x: f64, y: f64, r: f64): bool {
  switch (op) {
    case A_FADD:
      return sumError(x, y, r) == 0;
    case A_FSUB:
    case A_FABD:
      return sumError(x, -y, x - y) == 0;
    case A_FMUL:
    case A_FMULX:
    case A_FNMUL:
      return exactProduct(x, y, x * y);
    case A_FDIV:
      return exactProduct(r, y, x);
    default:
      return exactProduct(r, r, x);
  }
}
/** The same; sums and products of single precision are seldom longer than a double. */
function exact32(op: u32, x: f32, y: f32, r: f32): bool {
  const a = <f64>x;
  const b = <f64>y;
  switch (op) {
    case A_FADD:
      return a + b == <f64>r && sumError(a, b, a + b) == 0;
    case A_FSUB:
    case A_FABD:
      return abs<f64>(a - b) == abs<f64>(<f64>r) && sumError(a, -b, a - b) == 0;
    case A_FMUL:
    case A_FMULX:
    case A_FNMUL:
      return abs<f64>(a * b) == abs<f64>(<f64>r);
    case A_FDIV:
      return <f64>r * b == a;
    default:
      return <f64>r * <f64>r == a;
  }
}

/** One operation A_FADD to A_FRSQRTS, given that plainArithmetic() holds. */
export function fast64(op: u32, x: f64, y: f64): bool {
  let r: f64;
  // Results of multiplication and division that are zero or the smallest normal number may come from something tiny.
  let least: f64 = -1;
  switch (op) {
    case A_FADD:
      r = x + y;
      break;
    case A_FSUB:
      r = x - y;
      break;
    case A_FABD:
      r = abs<f64>(x - y);
      break;
    case A_FMUL:
    case A_FMULX:
    case A_FNMUL:
      r = op == A_FNMUL ? -(x * y) : x * y;
      if (x != 0 && y != 0) least = MIN_NORMAL_64;
      break;
    case A_FDIV:
      r = x / y;
      if (x != 0) least = MIN_NORMAL_64;
      break;
    case A_FSQRT:
      r = sqrt<f64>(x);
      break;
    case A_FMAX:
    case A_FMAXNM:
      if (x != x || y != y) return false;
      fastBits = reinterpret<u64>(max<f64>(x, y));
      return true;
    case A_FMIN:
    case A_FMINNM:
      if (x != x || y != y) return false;
      fastBits = reinterpret<u64>(min<f64>(x, y));
      return true;
    case A_FRECPS:
      return fastFused64(2, -x, y);
    case A_FRSQRTS:
      if (!fastFused64(3, -x, y)) return false;
      fastBits = reinterpret<u64>(reinterpret<f64>(fastBits) * 0.5);
      return true;
    default:
      return false;
  }
  const size = abs<f64>(r);
  if (!(size < f64.POSITIVE_INFINITY) || size <= least) return false;
  if (inexactMatters() && !exact64(op, x, y, r)) return false;
  fastBits = reinterpret<u64>(r);
  return true;
}

export function fast32(op: u32, x: f32, y: f32): bool {
  let r: f32;
  let least: f32 = -1;
  switch (op) {
    case A_FADD:
      r = x + y;
      break;
    case A_FSUB:
      r = x - y;
      break;
    case A_FABD:
      r = abs<f32>(x - y);
      break;
    case A_FMUL:
    case A_FMULX:
    case A_FNMUL:
      r = op == A_FNMUL ? -(x * y) : x * y;
      if (x != 0 && y != 0) least = MIN_NORMAL_32;
      break;
    case A_FDIV:
      r = x / y;
      if (x != 0) least = MIN_NORMAL_32;
      break;
    case A_FSQRT:
      r = sqrt<f32>(x);
      break;
    case A_FMAX:
    case A_FMAXNM:
      if (x != x || y != y) return false;
      fastBits = reinterpret<u32>(max<f32>(x, y));
      return true;
    case A_FMIN:
    case A_FMINNM:
      if (x != x || y != y) return false;
      fastBits = reinterpret<u32>(min<f32>(x, y));
      return true;
    case A_FRECPS:
      return fastFused32(2, -x, y);
    case A_FRSQRTS:
      if (!fastFused32(3, -x, y)) return false;
      fastBits = reinterpret<u32>(reinterpret<f32>(<u32>fastBits) * 0.5);
      return true;
    default:
      return false;
  }
  const size = abs<f32>(r);
  if (!(size < f32.POSITIVE_INFINITY) || size <= least) return false;
  if (inexactMatters() && !exact32(op, x, y, r)) return false;
  fastBits = reinterpret<u32>(r);
  return true;
}

// --- Fused multiplication and addition ---

/** A sum rounded to odd: if it is inexact, the one of the two neighbours whose last bit is 1. */
function sumToOdd(x: f64, y: f64): f64 {
  const sum = x + y;
  const error = sumError(x, y, sum);
  const bits = reinterpret<u64>(sum);
  if (error == 0 || bits & 1) return sum;
  return reinterpret<f64>(error > 0 == sum > 0 ? bits + 1 : bits - 1);
}

/** Upper half of a significand, for products without rounding (Dekker, Veltkamp). */
function upperHalf(x: f64): f64 {
  const t = x * 134217729.0;
  return t - (t - x);
}

/** Has the number an exponent within ±range? */
function moderate(x: f64, range: u64): bool {
  return ((reinterpret<u64>(x) >> 52) & 0x7ff) - (1023 - range) <= 2 * range;
}

/**
 * c + x × y. The exact product is a sum of two numbers; what remains below the sum's first approximation is rounded to
 * odd, so that the last addition rounds as if it were the only one (Boldo, Melquiond, "Emulation of FMA", 2008).
 */
export function fastFused64(c: f64, x: f64, y: f64): bool {
  if (x == 0 || y == 0) {
    const r = c + x * y;
    fastBits = reinterpret<u64>(r);
    return abs<f64>(r) < f64.POSITIVE_INFINITY;
  }
  if (!moderate(x, 400) || !moderate(y, 400) || !(c == 0 || moderate(c, 900))) return false;
  const product = x * y;
  const xh = upperHalf(x);
  const yh = upperHalf(y);
  const xl = x - xh;
  const yl = y - yh;
  const rest = xh * yh - product + xh * yl + xl * yh + xl * yl;
  const t = c + rest;
  const tError = sumError(c, rest, t);
  const v = product + t;
  const vError = sumError(product, t, v);
  if (inexactMatters() && (rest != 0 || vError != 0)) return false;
  fastBits = reinterpret<u64>(v + sumToOdd(tError, vError));
  return true;
}

/** The same in single precision: its products are exact in double, and 53 bits to odd are enough to round again. */
export function fastFused32(c: f32, x: f32, y: f32): bool {
  const sum = sumToOdd(<f64>c, <f64>x * <f64>y);
  const r = <f32>sum;
  const size = abs<f32>(r);
  if (!(size < f32.POSITIVE_INFINITY) || (size <= MIN_NORMAL_32 && sum != 0)) return false;
  if (inexactMatters() && <f64>r != sum) return false;
  fastBits = reinterpret<u32>(r);
  return true;
}
