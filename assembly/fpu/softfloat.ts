// IEEE 754 single and double precision in integers: every rounding mode, exact exception flags.
//
// WebAssembly's arithmetic rounds to nearest and reports nothing. Where the fast paths of the SIMD code cannot vouch
// for a result (rounding mode, flags not yet set, NaNs, denormals, overflow …) the operation is done here.
//
// Values travel as bit patterns in a u64; `fmt` says which format they have. NaN rules are those of SSE
// (SDM vol. 1, 4.8.3.5): the first operand that is a NaN, quieted; tininess is detected after rounding.

import { mulHigh } from '../ir/alu';

export const F32: u32 = 0;
export const F64: u32 = 1;

// Exception flags, in MXCSR's (and the x87 status word's) positions.
export const FP_IE: u32 = 1;
export const FP_DE: u32 = 2;
export const FP_ZE: u32 = 4;
export const FP_OE: u32 = 8;
export const FP_UE: u32 = 16;
export const FP_PE: u32 = 32;

// Rounding modes, as encoded in MXCSR.RC.
export const ROUND_NEAREST: u32 = 0;
export const ROUND_DOWN: u32 = 1;
export const ROUND_UP: u32 = 2;
export const ROUND_ZERO: u32 = 3;

/** Flags raised since beginFloat(). */
export let fpFlags: u32 = 0;
let rounding: u32 = ROUND_NEAREST;
/** Denormal operands count as zeros. */
let denormalsAreZero: bool = false;
/** Tiny results become zeros. */
let flushToZero: bool = false;
// Overflow and underflow unmasked: then underflow also reports exact tiny results, and the precision flag tells
// whether the result with an unbounded exponent, which a handler would get, is inexact.
let overflowTrap: bool = false;
let underflowTrap: bool = false;

/**
 * Sets how the following operations round and treat denormals; clears the flags. `traps`: exceptions that are not
 * masked (FP_OE and FP_UE matter).
 */
export function beginFloat(mode: u32, daz: bool, ftz: bool, traps: u32): void {
  fpFlags = 0;
  rounding = mode;
  denormalsAreZero = daz;
  flushToZero = ftz;
  overflowTrap = (traps & FP_OE) != 0;
  underflowTrap = (traps & FP_UE) != 0;
}

export function raiseFlags(flags: u32): void {
  fpFlags |= flags;
}

export function signBit(fmt: u32): u64 {
  return fmt ? 0x8000000000000000 : 0x80000000;
}
export function infinity(fmt: u32): u64 {
  return fmt ? 0x7ff0000000000000 : 0x7f800000;
}
/** The default NaN, "real indefinite". */
export function indefinite(fmt: u32): u64 {
  return fmt ? 0xfff8000000000000 : 0xffc00000;
}
function quietBit(fmt: u32): u64 {
  return fmt ? 0x8000000000000 : 0x400000;
}
function fractionBits(fmt: u32): u32 {
  return fmt ? 52 : 23;
}
function bias(fmt: u32): i32 {
  return fmt ? 1023 : 127;
}
/** Magnitude of the smallest normal number. */
function minNormal(fmt: u32): u64 {
  return fmt ? 0x10000000000000 : 0x800000;
}

export function magnitude(a: u64, fmt: u32): u64 {
  return a & (signBit(fmt) - 1);
}
export function isNaNBits(a: u64, fmt: u32): bool {
  return magnitude(a, fmt) > infinity(fmt);
}
export function isSignaling(a: u64, fmt: u32): bool {
  return isNaNBits(a, fmt) && !(a & quietBit(fmt));
}
export function isDenormal(a: u64, fmt: u32): bool {
  return magnitude(a, fmt) - 1 < minNormal(fmt) - 1;
}

/** An operand as the operation sees it: with DAZ, denormals are zeros of their sign. */
export function operand(a: u64, fmt: u32): u64 {
  return denormalsAreZero && isDenormal(a, fmt) ? a & signBit(fmt) : a;
}

/** Raises DE if the operand is denormal. */
export function noteDenormal(a: u64, fmt: u32): void {
  if (isDenormal(a, fmt)) fpFlags |= FP_DE;
}

/** The NaN, quieted; IE if it was signaling. */
export function quieted(a: u64, fmt: u32): u64 {
  if (isSignaling(a, fmt)) fpFlags |= FP_IE;
  return a | quietBit(fmt);
}

/** Result of an operation of which at least one operand is a NaN. */
export function nanOf(a: u64, b: u64, fmt: u32): u64 {
  if (isSignaling(a, fmt) || isSignaling(b, fmt)) fpFlags |= FP_IE;
  return (isNaNBits(a, fmt) ? a : b) | quietBit(fmt);
}

export function invalid(fmt: u32): u64 {
  fpFlags |= FP_IE;
  return indefinite(fmt);
}

/** Biased exponent of a finite number; denormals have that of the smallest normal number. */
function exponentOf(a: u64, fmt: u32): i32 {
  const e = <i32>(magnitude(a, fmt) >> fractionBits(fmt));
  return e ? e : 1;
}
/** Significand of a finite number with its integer bit. */
function significandOf(a: u64, fmt: u32): u64 {
  const fraction = a & (minNormal(fmt) - 1);
  return magnitude(a, fmt) >= minNormal(fmt) ? fraction | minNormal(fmt) : fraction;
}

/** Shifts right; whatever falls out leaves a 1 in the last place ("jamming"), which is all that rounding needs. */
function shiftRightJam(a: u64, n: u32): u64 {
  if (!n) return a;
  if (n > 63) return u64(a != 0);
  return (a >> n) | u64(a << (64 - n) != 0);
}

/** Does the part `low` below the last place, of which `half` is the middle, round the magnitude up? */
function roundsUp(negative: bool, odd: bool, low: u64, half: u64): bool {
  if (rounding == ROUND_NEAREST) return low > half || (low == half && odd);
  if (rounding == ROUND_DOWN) return negative && low != 0;
  if (rounding == ROUND_UP) return !negative && low != 0;
  return false;
}

function overflow(negative: bool, fmt: u32): u64 {
  fpFlags |= overflowTrap ? FP_OE : FP_OE | FP_PE;
  const sign = negative ? signBit(fmt) : 0;
  const toInfinity =
    rounding == ROUND_NEAREST || (rounding == ROUND_UP && !negative) || (rounding == ROUND_DOWN && negative);
  return sign | (toInfinity ? infinity(fmt) : infinity(fmt) - 1);
}

/**
 * Rounds sig × 2^(exp - bias - 63) to the format: exp is the biased exponent that the number has if bit 63 of sig is
 * set. sig is not 0; its bit 0 may stand for anything below.
 */
export function roundPack(negative: bool, exp: i32, sig: u64, fmt: u32): u64 {
  const n = clz(sig);
  sig <<= n;
  exp -= <i32>n;
  const drop: u64 = fmt ? 11 : 40;
  const mask = ((<u64>1) << drop) - 1;
  const half = (<u64>1) << (drop - 1);
  const sign = negative ? signBit(fmt) : 0;
  let tiny = false;
  if (exp <= 0) {
    // Tiny unless rounding with an unbounded exponent carries it up to the smallest normal number.
    tiny = exp < 0 || sig >> drop != u64.MAX_VALUE >> drop || !roundsUp(negative, true, sig & mask, half);
    if (tiny && flushToZero && !underflowTrap) {
      fpFlags |= FP_UE | FP_PE;
      return sign;
    }
    if (tiny && underflowTrap) {
      fpFlags |= sig & mask ? FP_UE | FP_PE : FP_UE;
      return sign;
    }
    sig = shiftRightJam(sig, 1 - exp);
    exp = 1;
  }
  const low = sig & mask;
  let bits = sig >> drop;
  if (low) {
    fpFlags |= tiny ? FP_UE | FP_PE : FP_PE;
    if (roundsUp(negative, (bits & 1) != 0, low, half)) bits++;
  }
  // The integer bit, if there, adds 1 to the exponent field; so does a carry out of the significand.
  bits += (<u64>(exp - 1)) << fractionBits(fmt);
  if (exp > 2 * bias(fmt) || bits >= infinity(fmt)) return overflow(negative, fmt);
  return sign | bits;
}

export function floatAdd(a: u64, b: u64, fmt: u32): u64 {
  a = operand(a, fmt);
  b = operand(b, fmt);
  if (isNaNBits(a, fmt) || isNaNBits(b, fmt)) return nanOf(a, b, fmt);
  const aInfinite = magnitude(a, fmt) == infinity(fmt);
  const bInfinite = magnitude(b, fmt) == infinity(fmt);
  if (aInfinite && bInfinite) return a == b ? a : invalid(fmt);
  noteDenormal(a, fmt);
  noteDenormal(b, fmt);
  if (aInfinite) return a;
  if (bInfinite) return b;
  const aNegative = (a & signBit(fmt)) != 0;
  const bNegative = (b & signBit(fmt)) != 0;
  // Significands with the integer bit at 62: a carry fits, and enough places below for an exact difference.
  const up: u64 = fmt ? 10 : 39;
  let x = significandOf(a, fmt) << up;
  let y = significandOf(b, fmt) << up;
  const ea = exponentOf(a, fmt);
  const eb = exponentOf(b, fmt);
  const e = ea > eb ? ea : eb;
  x = shiftRightJam(x, e - ea);
  y = shiftRightJam(y, e - eb);
  if (aNegative == bNegative) {
    if (!(x | y)) return a;
    return roundPack(aNegative, e + 1, x + y, fmt);
  }
  if (x == y) return rounding == ROUND_DOWN ? signBit(fmt) : 0;
  return x > y ? roundPack(aNegative, e + 1, x - y, fmt) : roundPack(bNegative, e + 1, y - x, fmt);
}

export function floatSub(a: u64, b: u64, fmt: u32): u64 {
  // A NaN keeps its sign.
  return floatAdd(a, isNaNBits(b, fmt) ? b : b ^ signBit(fmt), fmt);
}

export function floatMul(a: u64, b: u64, fmt: u32): u64 {
  a = operand(a, fmt);
  b = operand(b, fmt);
  if (isNaNBits(a, fmt) || isNaNBits(b, fmt)) return nanOf(a, b, fmt);
  const ma = magnitude(a, fmt);
  const mb = magnitude(b, fmt);
  const sign = (a ^ b) & signBit(fmt);
  if (ma == infinity(fmt) || mb == infinity(fmt)) {
    if (!ma || !mb) return invalid(fmt);
    noteDenormal(a, fmt);
    noteDenormal(b, fmt);
    return sign | infinity(fmt);
  }
  noteDenormal(a, fmt);
  noteDenormal(b, fmt);
  if (!ma || !mb) return sign;
  let x = significandOf(a, fmt);
  let y = significandOf(b, fmt);
  const nx = clz(x);
  const ny = clz(y);
  x <<= nx;
  y <<= ny;
  const top = <i32>(63 - fractionBits(fmt));
  const e = exponentOf(a, fmt) + exponentOf(b, fmt) + 2 * top - <i32>nx - <i32>ny - bias(fmt) + 1;
  return roundPack(sign != 0, e, mulHigh(x, y) | u64(x * y != 0), fmt);
}

/** Remainder of the last divide128(). */
let remainder: u64 = 0;

/** (high:low) / d for d with bit 63 set and high < d; by halves, as in schoolbook division. */
function divide128(high: u64, low: u64, d: u64): u64 {
  const dh = d >> 32;
  const dl = d & 0xffffffff;
  let q1 = high / dh;
  let r = high % dh;
  while (q1 >> 32 || q1 * dl > ((r << 32) | (low >> 32))) {
    q1--;
    r += dh;
    if (r >> 32) break;
  }
  const middle = ((high << 32) | (low >> 32)) - q1 * d;
  let q0 = middle / dh;
  r = middle % dh;
  while (q0 >> 32 || q0 * dl > ((r << 32) | (low & 0xffffffff))) {
    q0--;
    r += dh;
    if (r >> 32) break;
  }
  remainder = ((middle << 32) | (low & 0xffffffff)) - q0 * d;
  return (q1 << 32) + q0;
}

export function floatDiv(a: u64, b: u64, fmt: u32): u64 {
  a = operand(a, fmt);
  b = operand(b, fmt);
  if (isNaNBits(a, fmt) || isNaNBits(b, fmt)) return nanOf(a, b, fmt);
  const ma = magnitude(a, fmt);
  const mb = magnitude(b, fmt);
  const sign = (a ^ b) & signBit(fmt);
  if (ma == infinity(fmt)) {
    if (mb == infinity(fmt)) return invalid(fmt);
    noteDenormal(b, fmt);
    return sign | infinity(fmt);
  }
  if (mb == infinity(fmt)) {
    noteDenormal(a, fmt);
    return sign;
  }
  if (!mb) {
    if (!ma) return invalid(fmt);
    fpFlags |= FP_ZE;
    return sign | infinity(fmt);
  }
  noteDenormal(a, fmt);
  noteDenormal(b, fmt);
  if (!ma) return sign;
  let x = significandOf(a, fmt);
  let y = significandOf(b, fmt);
  const nx = <i32>clz(x);
  const ny = <i32>clz(y);
  x <<= nx;
  y <<= ny;
  const e = exponentOf(a, fmt) - nx - exponentOf(b, fmt) + ny + bias(fmt);
  const q = divide128(x >> 1, x << 63, y);
  return roundPack(sign != 0, e, q | u64(remainder != 0), fmt);
}

export function floatSqrt(a: u64, fmt: u32): u64 {
  a = operand(a, fmt);
  if (isNaNBits(a, fmt)) return quieted(a, fmt);
  const m = magnitude(a, fmt);
  if (!m) return a;
  if (a & signBit(fmt)) return invalid(fmt);
  if (m == infinity(fmt)) return a;
  noteDenormal(a, fmt);
  let x = significandOf(a, fmt);
  const n = <i32>clz(x);
  x = (x << n) >> 11;
  let e = exponentOf(a, fmt) + <i32>(63 - fractionBits(fmt)) - n - bias(fmt);
  if (e & 1) {
    x <<= 1;
    e--;
  }
  // x × 2^-52 is in [1, 4). Its correctly rounded root s, as an integer scaled by 2^52, is at most half a unit off:
  // the sign of x - s² tells on which side the true root lies.
  const s = (reinterpret<u64>(rootToNearest(x)) & 0xfffffffffffff) | 0x10000000000000;
  const squareHigh = mulHigh(s, s);
  const squareLow = s * s;
  const high = x >> 12;
  const low = x << 52;
  let root = s << 11;
  if (squareHigh < high || (squareHigh == high && squareLow < low)) root |= 1;
  else if (squareHigh != high || squareLow != low) root--;
  return roundPack(false, (e >> 1) + bias(fmt), root, fmt);
}

/** Root of x × 2^-52, rounded to nearest by WebAssembly. */
function rootToNearest(x: u64): f64 {
  return sqrt<f64>(<f64>x * 2.220446049250313e-16);
}

/** Rounds a double to single precision. */
export function narrow(a: u64): u64 {
  a = operand(a, F64);
  const negative = a >> 63 != 0;
  const m = magnitude(a, F64);
  if (isNaNBits(a, F64)) {
    if (isSignaling(a, F64)) fpFlags |= FP_IE;
    return ((a >> 32) & 0x80000000) | 0x7fc00000 | ((a >> 29) & 0x3fffff);
  }
  if (!m || m == infinity(F64)) return (negative ? 0x80000000 : 0) | (m ? 0x7f800000 : 0);
  noteDenormal(a, F64);
  return roundPack(negative, exponentOf(a, F64) - bias(F64) + bias(F32), significandOf(a, F64) << 11, F32);
}

/** Single to double precision: exact. */
export function widen(a: u64): u64 {
  a = operand(a, F32);
  if (isNaNBits(a, F32)) {
    if (isSignaling(a, F32)) fpFlags |= FP_IE;
    return ((a & 0x80000000) << 32) | 0x7ff8000000000000 | ((a & 0x3fffff) << 29);
  }
  noteDenormal(a, F32);
  return reinterpret<u64>(<f64>reinterpret<f32>(<u32>a));
}

/** A signed integer in a floating-point format. */
export function fromInteger(v: i64, fmt: u32): u64 {
  if (!v) return 0;
  return roundPack(v < 0, bias(fmt) + 63, v < 0 ? <u64>(0 - v) : <u64>v, fmt);
}

/** Rounds to an integral value by `mode`; the sign of a zero result is that of v. */
function integral(v: f64, mode: u32): f64 {
  if (mode == ROUND_NEAREST) return nearest<f64>(v);
  if (mode == ROUND_DOWN) return floor<f64>(v);
  if (mode == ROUND_UP) return ceil<f64>(v);
  return trunc<f64>(v);
}

/** The number as a double: exact in both formats. Not for NaNs. */
function asDouble(a: u64, fmt: u32): f64 {
  return fmt ? reinterpret<f64>(a) : <f64>reinterpret<f32>(<u32>a);
}

/** To a signed integer of 32 or (wide) 64 bits by rounding mode `mode`; IE and the most negative one if it does not fit. */
export function toInteger(a: u64, fmt: u32, mode: u32, wide: bool): i64 {
  a = operand(a, fmt);
  const v = asDouble(a, fmt);
  const r = integral(v, mode);
  const limit: f64 = wide ? 9223372036854775808.0 : 2147483648.0;
  if (!(r >= -limit && r < limit)) {
    fpFlags |= FP_IE;
    return wide ? i64.MIN_VALUE : -2147483648;
  }
  if (r != v) fpFlags |= FP_PE;
  return <i64>r;
}

/** To an integral value of the same format by rounding mode `mode`; PE, unless `exact` suppresses it, if that changed it. */
export function toIntegral(a: u64, fmt: u32, mode: u32, exact: bool): u64 {
  a = operand(a, fmt);
  if (isNaNBits(a, fmt)) return quieted(a, fmt);
  const v = asDouble(a, fmt);
  const r = integral(v, mode);
  if (r != v && !exact) fpFlags |= FP_PE;
  return fmt ? reinterpret<u64>(r) : <u64>reinterpret<u32>(<f32>r);
}

// How two numbers compare.
export const CMP_LESS: u32 = 0;
export const CMP_EQUAL: u32 = 1;
export const CMP_GREATER: u32 = 2;
export const CMP_UNORDERED: u32 = 3;

/** Compares; IE for a signaling NaN, or any NaN if `signaling`; DE for a denormal operand. */
export function compare(a: u64, b: u64, fmt: u32, signaling: bool): u32 {
  a = operand(a, fmt);
  b = operand(b, fmt);
  if (isNaNBits(a, fmt) || isNaNBits(b, fmt)) {
    if (signaling || isSignaling(a, fmt) || isSignaling(b, fmt)) fpFlags |= FP_IE;
    return CMP_UNORDERED;
  }
  noteDenormal(a, fmt);
  noteDenormal(b, fmt);
  const x = asDouble(a, fmt);
  const y = asDouble(b, fmt);
  return x < y ? CMP_LESS : x == y ? CMP_EQUAL : CMP_GREATER;
}

/** MINSS and the like: the second operand if the two are equal (zeros of either sign) or one is a NaN. */
export function floatMin(a: u64, b: u64, fmt: u32): u64 {
  return compare(a, b, fmt, true) == CMP_LESS ? operand(a, fmt) : operand(b, fmt);
}
export function floatMax(a: u64, b: u64, fmt: u32): u64 {
  return compare(a, b, fmt, true) == CMP_GREATER ? operand(a, fmt) : operand(b, fmt);
}
