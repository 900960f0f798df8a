// AArch64 floating point in integers: half, single and double precision, every rounding mode, exact flags.
//
// Follows the Arm ARM's pseudocode (J1.3.3, shared/functions/float), whose names the functions bear where they stand
// for one. It differs from SSE's arithmetic (fpu/softfloat.ts) in that a signaling NaN goes before a quiet one, that
// the default NaN is positive, and that a result is tiny if it is so before rounding.
//
// Values travel as bit patterns in a u64; a format is log2 of its bytes.

import {
  divWide,
  leadingZeros,
  lessWide,
  mulHigh,
  setWide,
  shiftLeft,
  shiftRightSticky,
  subWide,
  wHi,
  wLo,
  wRemainder,
} from '../../fpu/wide';
import { S_FPCR } from '../../layout/arm-state';
import { STATE } from '../../layout/memory';
import {
  FPCR_AHP,
  FPCR_DN,
  FPCR_FZ,
  FPSR_DZC,
  FPSR_IDC,
  FPSR_IOC,
  FPSR_IXC,
  FPSR_OFC,
  FPSR_UFC,
  ROUND_DOWN,
  ROUND_ODD,
  ROUND_TIE_AWAY,
  ROUND_TIE_EVEN,
  ROUND_UP,
  raiseStatus,
} from './status';

export const F16: u32 = 1;
export const F32: u32 = 2;
export const F64: u32 = 3;

// Types of numbers. From NAN_QUIET on they are NaNs.
export const ZERO: u32 = 0;
export const FINITE: u32 = 1;
export const INFINITE: u32 = 2;
export const NAN_QUIET: u32 = 3;
const NAN_SIGNALING: u32 = 4;

/** FPSR flags raised since beginFloat(). */
let flags: u32 = 0;
let rounding: u32 = 0;
let flushToZero: bool = false;
let defaultNaNs: bool = false;
let alternativeHalf: bool = false;

/** Starts operations under FPCR's control. */
export function beginFloat(): void {
  const fpcr = load<u32>(STATE, S_FPCR);
  flags = 0;
  rounding = (fpcr >> 22) & 3;
  flushToZero = (fpcr & FPCR_FZ) != 0;
  defaultNaNs = (fpcr & FPCR_DN) != 0;
  alternativeHalf = (fpcr & FPCR_AHP) != 0;
}
/** Ends them: their flags become sticky. */
export function endFloat(): void {
  if (flags) raiseStatus(flags);
}
export function raiseFloat(f: u32): void {
  flags |= f;
}
export function currentRounding(): u32 {
  return rounding;
}
export function flushes(): bool {
  return flushToZero;
}
export function usesDefaultNaN(): bool {
  return defaultNaNs;
}
/** Half precision without infinities and NaNs. */
export function usesAlternativeHalf(): bool {
  return alternativeHalf;
}

// --- Formats ---

export function fractionBits(fmt: u32): u32 {
  return fmt == F64 ? 52 : fmt == F32 ? 23 : 10;
}
function bias(fmt: u32): i32 {
  return fmt == F64 ? 1023 : fmt == F32 ? 127 : 15;
}
export function signBit(fmt: u32): u64 {
  return (<u64>1) << ((8 << fmt) - 1);
}
export function infinity(fmt: u32): u64 {
  return fmt == F64 ? 0x7ff0000000000000 : fmt == F32 ? 0x7f800000 : 0x7c00;
}
function quietBit(fmt: u32): u64 {
  return (<u64>1) << (fractionBits(fmt) - 1);
}
export function defaultNaN(fmt: u32): u64 {
  return infinity(fmt) | quietBit(fmt);
}
export function zeroOf(sign: u64, fmt: u32): u64 {
  return sign ? signBit(fmt) : 0;
}
export function infinityOf(sign: u64, fmt: u32): u64 {
  return zeroOf(sign, fmt) | infinity(fmt);
}
export function magnitude(a: u64, fmt: u32): u64 {
  return a & (signBit(fmt) - 1);
}
export function negate(a: u64, fmt: u32): u64 {
  return a ^ signBit(fmt);
}
export function isNaN(a: u64, fmt: u32): bool {
  return magnitude(a, fmt) > infinity(fmt);
}
export function isSignaling(a: u64, fmt: u32): bool {
  return isNaN(a, fmt) && !(a & quietBit(fmt));
}

/** Invalid operation: the default NaN. */
export function invalid(fmt: u32): u64 {
  flags |= FPSR_IOC;
  return defaultNaN(fmt);
}

// --- Taking apart: FPUnpack ---

/** What unpack() found: sign 0 or 1; a finite number is significand × 2^(exponent - 63), bit 63 of it set. */
export let uSign: u64 = 0;
export let uExponent: i32 = 0;
export let uSignificand: u64 = 0;

/** Returns the type. With FPCR.FZ a denormal number (not of half precision) is a zero. */
export function unpack(a: u64, fmt: u32): u32 {
  const f = fractionBits(fmt);
  const m = magnitude(a, fmt);
  uSign = u64(m != a);
  uSignificand = 0;
  if (!m) return ZERO;
  if (m >= infinity(fmt) && !(fmt == F16 && alternativeHalf)) {
    if (m == infinity(fmt)) return INFINITE;
    return a & quietBit(fmt) ? NAN_QUIET : NAN_SIGNALING;
  }
  if (m >> f) {
    uExponent = <i32>(m >> f) - bias(fmt);
    uSignificand = (m << (63 - f)) | 0x8000000000000000;
    return FINITE;
  }
  if (flushToZero && fmt != F16) {
    flags |= FPSR_IDC;
    return ZERO;
  }
  const n = clz(m);
  uExponent = 64 - <i32>n - <i32>f - bias(fmt);
  uSignificand = m << n;
  return FINITE;
}

// --- Putting together: FPRound ---

/** Does what lies below the last place, of which `half` is the middle, round the magnitude up? */
export function roundsUp(mode: u32, negative: bool, odd: bool, low: u64, half: u64): bool {
  switch (mode) {
    case ROUND_TIE_EVEN:
      return low > half || (low == half && odd);
    case ROUND_UP:
      return !negative && low != 0;
    case ROUND_DOWN:
      return negative && low != 0;
    case ROUND_TIE_AWAY:
      return low >= half && low != 0;
    default:
      return false;
  }
}

/** Alternative half precision has nothing to overflow to: that is invalid, and nothing else. */
function overflow(sign: u64, fmt: u32, mode: u32): u64 {
  if (fmt == F16 && alternativeHalf) {
    flags |= FPSR_IOC;
    return zeroOf(sign, fmt) | 0x7fff;
  }
  flags |= FPSR_OFC | FPSR_IXC;
  return zeroOf(sign, fmt) | (overflowsToInfinity(mode, sign) ? infinity(fmt) : infinity(fmt) - 1);
}
/** Or to the largest number? */
export function overflowsToInfinity(mode: u32, sign: u64): bool {
  return mode == ROUND_TIE_EVEN || mode == ROUND_TIE_AWAY || mode == (sign ? ROUND_DOWN : ROUND_UP);
}

/**
 * Rounds significand × 2^(exponent - 63) to the format. The significand is not 0; its bit 0 may stand for anything
 * below.
 */
export function round(sign: u64, exponent: i32, significand: u64, fmt: u32, mode: u32): u64 {
  const n = clz(significand);
  significand <<= n;
  let e = exponent - <i32>n + bias(fmt);
  const f = fractionBits(fmt);
  if (e <= 0) {
    if (flushToZero && fmt != F16) {
      flags |= FPSR_UFC;
      return zeroOf(sign, fmt);
    }
    const down = 1 - e;
    significand = down < 64 ? (significand >> down) | u64(significand << (64 - down) != 0) : 1;
    e = 0;
  }
  const drop = <u64>(63 - f);
  const low = significand & (((<u64>1) << drop) - 1);
  let bits = significand >> drop;
  let inexact: u32 = 0;
  if (low) {
    inexact = e ? FPSR_IXC : FPSR_IXC | FPSR_UFC;
    if (roundsUp(mode, sign != 0, (bits & 1) != 0, low, (<u64>1) << (drop - 1))) bits++;
    else if (mode == ROUND_ODD) bits |= 1;
  }
  // The integer bit, if there, adds 1 to the exponent field; so does a carry out of the significand.
  if (e) bits += (<u64>(e - 1)) << f;
  const limit = fmt == F16 && alternativeHalf ? 0x8000 : infinity(fmt);
  if (e > 2 * bias(fmt) + 1 || bits >= limit) return overflow(sign, fmt, mode);
  flags |= inexact;
  return zeroOf(sign, fmt) | bits;
}

// --- NaNs ---

/** FPProcessNaN: quieted; IOC if it was signaling. */
export function processNaN(a: u64, fmt: u32): u64 {
  if (isSignaling(a, fmt)) flags |= FPSR_IOC;
  return defaultNaNs ? defaultNaN(fmt) : a | quietBit(fmt);
}

/** FPProcessNaNs, at least one of them being a NaN: signaling ones first, then in order. */
function processNaNs(a: u64, b: u64, fmt: u32): u64 {
  if (isSignaling(a, fmt)) return processNaN(a, fmt);
  if (isSignaling(b, fmt)) return processNaN(b, fmt);
  return processNaN(isNaN(a, fmt) ? a : b, fmt);
}
function processNaNs3(a: u64, b: u64, c: u64, fmt: u32): u64 {
  if (isSignaling(a, fmt)) return processNaN(a, fmt);
  if (isSignaling(b, fmt)) return processNaN(b, fmt);
  if (isSignaling(c, fmt)) return processNaN(c, fmt);
  return processNaN(isNaN(a, fmt) ? a : isNaN(b, fmt) ? b : c, fmt);
}

// --- Arithmetic ---

/** An exact zero result of a sum of different signs. */
function zeroSum(fmt: u32): u64 {
  return zeroOf(u64(rounding == ROUND_DOWN), fmt);
}

/**
 * Sum of hi:lo × 2^(e - 127) and the same of y, rounded. A significand of 0 is a zero; e then does not matter.
 */
function addWideRounded(xs: u64, xe: i32, xh: u64, xl: u64, ys: u64, ye: i32, yh: u64, yl: u64, fmt: u32): u64 {
  if (!(xh | xl)) xe = ye;
  if (!(yh | yl)) ye = xe;
  // One place of headroom: a carry then fits.
  const e = (xe > ye ? xe : ye) + 1;
  shiftRightSticky(xh, xl, min<u32>(e - xe, 128));
  xh = wHi;
  xl = wLo;
  shiftRightSticky(yh, yl, min<u32>(e - ye, 128));
  yh = wHi;
  yl = wLo;
  let sign = xs;
  if (xs == ys) {
    const low = xl + yl;
    setWide(xh + yh + u64(low < xl), low);
  } else if (lessWide(xh, xl, yh, yl)) {
    sign = ys;
    subWide(yh, yl, xh, xl);
  } else subWide(xh, xl, yh, yl);
  if (!(wHi | wLo)) return xs == ys ? zeroOf(xs, fmt) : zeroSum(fmt);
  const n = leadingZeros(wHi, wLo);
  shiftLeft(wHi, wLo, n);
  return round(sign, e - <i32>n, wHi | u64(wLo != 0), fmt, rounding);
}

function addUnpacked(a: u64, b: u64, fmt: u32): u64 {
  const ta = unpack(a, fmt);
  const sa = uSign;
  const ea = uExponent;
  const ma = uSignificand;
  const tb = unpack(b, fmt);
  const sb = uSign;
  if (ta == INFINITE) return tb == INFINITE && sa != sb ? invalid(fmt) : infinityOf(sa, fmt);
  if (tb == INFINITE) return infinityOf(sb, fmt);
  return addWideRounded(sa, ea, ma, 0, sb, uExponent, uSignificand, 0, fmt);
}

/** Unpacks operands only for what that raises, before their NaNs are dealt with. */
function noteDenormals(a: u64, b: u64, fmt: u32): void {
  unpack(a, fmt);
  unpack(b, fmt);
}
function anyNaN(a: u64, b: u64, fmt: u32): bool {
  if (!isNaN(a, fmt) && !isNaN(b, fmt)) return false;
  noteDenormals(a, b, fmt);
  return true;
}

export function floatAdd(a: u64, b: u64, fmt: u32): u64 {
  return anyNaN(a, b, fmt) ? processNaNs(a, b, fmt) : addUnpacked(a, b, fmt);
}
export function floatSub(a: u64, b: u64, fmt: u32): u64 {
  // A NaN keeps its sign.
  return anyNaN(a, b, fmt) ? processNaNs(a, b, fmt) : addUnpacked(a, negate(b, fmt), fmt);
}

/** FPMul, FPMulX (`extended`: the product of zero and infinity is 2). */
export function floatMul(a: u64, b: u64, fmt: u32, extended: bool): u64 {
  if (anyNaN(a, b, fmt)) return processNaNs(a, b, fmt);
  const ta = unpack(a, fmt);
  const sa = uSign;
  const ea = uExponent;
  const ma = uSignificand;
  const tb = unpack(b, fmt);
  const sign = sa ^ uSign;
  if (ta == INFINITE || tb == INFINITE) {
    if (ta != ZERO && tb != ZERO) return infinityOf(sign, fmt);
    return extended ? zeroOf(sign, fmt) | ((<u64>(bias(fmt) + 1)) << fractionBits(fmt)) : invalid(fmt);
  }
  if (ta == ZERO || tb == ZERO) return zeroOf(sign, fmt);
  const low = ma * uSignificand;
  return round(sign, ea + uExponent + 1, mulHigh(ma, uSignificand) | u64(low != 0), fmt, rounding);
}

export function floatDiv(a: u64, b: u64, fmt: u32): u64 {
  if (anyNaN(a, b, fmt)) return processNaNs(a, b, fmt);
  const ta = unpack(a, fmt);
  const sa = uSign;
  const ea = uExponent;
  const ma = uSignificand;
  const tb = unpack(b, fmt);
  const sign = sa ^ uSign;
  if (ta == tb && ta != FINITE) return invalid(fmt);
  if (ta == INFINITE || tb == ZERO) {
    if (ta != INFINITE) flags |= FPSR_DZC;
    return infinityOf(sign, fmt);
  }
  if (ta == ZERO || tb == INFINITE) return zeroOf(sign, fmt);
  const q = divWide(ma >> 1, ma << 63, uSignificand);
  return round(sign, ea - uExponent, q | u64(wRemainder != 0), fmt, rounding);
}

export function floatSqrt(a: u64, fmt: u32): u64 {
  if (isNaN(a, fmt)) return processNaN(a, fmt);
  const t = unpack(a, fmt);
  if (t == ZERO) return zeroOf(uSign, fmt);
  if (uSign) return invalid(fmt);
  if (t == INFINITE) return a;
  // x × 2^-52, in [1, 4), for an even exponent.
  let x = uSignificand >> 11;
  let e = uExponent;
  if (e & 1) {
    x <<= 1;
    e--;
  }
  // Its root rounded to nearest, as an integer scaled by 2^52, is at most half a unit off: the sign of x - s² tells
  // on which side the true root lies.
  const s = (reinterpret<u64>(sqrt<f64>(<f64>x * 2.220446049250313e-16)) & 0xfffffffffffff) | 0x10000000000000;
  const squareHigh = mulHigh(s, s);
  const squareLow = s * s;
  const high = x >> 12;
  const low = x << 52;
  let root = s << 11;
  if (lessWide(squareHigh, squareLow, high, low)) root |= 1;
  else if (squareHigh != high || squareLow != low) root--;
  return round(0, e >> 1, root, fmt, rounding);
}

/** c + a × b, then halved `halvings` times, rounded once. No operand is a NaN or infinite. */
function fused(c: u64, a: u64, b: u64, fmt: u32, halvings: i32): u64 {
  unpack(a, fmt);
  const sa = uSign;
  const ea = uExponent;
  const ma = uSignificand;
  unpack(b, fmt);
  const sign = sa ^ uSign;
  const e = ea + uExponent + 1 - halvings;
  const high = mulHigh(ma, uSignificand);
  const low = ma * uSignificand;
  unpack(c, fmt);
  return addWideRounded(uSign, uExponent - halvings, uSignificand, 0, sign, e, high, low, fmt);
}

/** FPMulAdd: c + a × b. */
export function floatMulAdd(c: u64, a: u64, b: u64, fmt: u32): u64 {
  const ta = unpack(a, fmt);
  const sa = uSign;
  const tb = unpack(b, fmt);
  const sign = sa ^ uSign;
  const tc = unpack(c, fmt);
  const undefined = (ta == INFINITE && tb == ZERO) || (ta == ZERO && tb == INFINITE);
  if (ta >= NAN_QUIET || tb >= NAN_QUIET || tc >= NAN_QUIET) {
    if (tc == NAN_QUIET && undefined) return invalid(fmt);
    return processNaNs3(c, a, b, fmt);
  }
  const infinite = ta == INFINITE || tb == INFINITE;
  if (undefined || (tc == INFINITE && infinite && uSign != sign)) return invalid(fmt);
  if (tc == INFINITE) return c;
  if (infinite) return infinityOf(sign, fmt);
  return fused(c, a, b, fmt, 0);
}

/** FPRecipStepFused, FPRSqrtStepFused: c - a × b, halved `halvings` times; c is 2 or 3. */
export function floatStep(a: u64, b: u64, fmt: u32, halvings: i32): u64 {
  a = negate(a, fmt);
  if (anyNaN(a, b, fmt)) return processNaNs(a, b, fmt);
  const ta = unpack(a, fmt);
  const sa = uSign;
  const tb = unpack(b, fmt);
  const sign = sa ^ uSign;
  const f = fractionBits(fmt);
  const two = (<u64>(bias(fmt) + 1)) << f;
  const three = two | quietBit(fmt);
  const c = halvings ? three : two;
  // The product of zero and infinity counts as zero.
  if (ta == INFINITE || tb == INFINITE) {
    if (ta != ZERO && tb != ZERO) return infinityOf(sign, fmt);
    return c - ((<u64>halvings) << f);
  }
  return fused(c, a, b, fmt, halvings);
}

// --- Minimum, maximum, comparison ---

export const LESS: u32 = 0;
export const EQUAL: u32 = 1;
export const GREATER: u32 = 2;
export const UNORDERED: u32 = 3;

/** A number's place in the order of all numbers; zeros are equal. */
function orderOf(a: u64, fmt: u32): i64 {
  if (unpack(a, fmt) == ZERO) return 0;
  const m = <i64>magnitude(a, fmt);
  return uSign ? -m : m;
}

/** IOC for a signaling NaN, or any NaN if `signaling`. */
export function compare(a: u64, b: u64, fmt: u32, signaling: bool): u32 {
  const x = orderOf(a, fmt);
  const y = orderOf(b, fmt);
  if (isNaN(a, fmt) || isNaN(b, fmt)) {
    if (signaling || isSignaling(a, fmt) || isSignaling(b, fmt)) flags |= FPSR_IOC;
    return UNORDERED;
  }
  return x < y ? LESS : x == y ? EQUAL : GREATER;
}

/** FPMax, FPMin: +0 is above -0. */
export function floatMinMax(a: u64, b: u64, fmt: u32, smaller: bool): u64 {
  if (anyNaN(a, b, fmt)) return processNaNs(a, b, fmt);
  const x = orderOf(a, fmt);
  const y = orderOf(b, fmt);
  if (!x && !y) return zeroOf(smaller ? (a | b) & signBit(fmt) : a & b & signBit(fmt), fmt);
  if (!(smaller ? x < y : x > y)) return y ? b : zeroOf(b & signBit(fmt), fmt);
  return x ? a : zeroOf(a & signBit(fmt), fmt);
}

/** FPMaxNum, FPMinNum: a number beats a quiet NaN. */
export function floatMinMaxNumber(a: u64, b: u64, fmt: u32, smaller: bool): u64 {
  const quietA = isNaN(a, fmt) && !isSignaling(a, fmt);
  const quietB = isNaN(b, fmt) && !isSignaling(b, fmt);
  const last = infinityOf(u64(!smaller), fmt);
  if (quietA && !quietB) a = last;
  else if (quietB && !quietA) b = last;
  return floatMinMax(a, b, fmt, smaller);
}
