// Conversions between 80-bit reals and the formats that memory operands have (SDM vol. 1, 4.2, 4.7 and 8.2).

import {
  BIAS,
  EXP_MAX,
  expOf,
  INTEGER_BIT,
  invalid,
  isFinite80,
  isInfinity,
  isNaN80,
  isSignaling,
  isUnsupported,
  isZero,
  markDenormalSource,
  raiseX,
  roundsUp,
  setInfinity,
  setResult,
  setZero,
  signOf,
  uExp,
  unpack,
  uSig,
} from './floatx80';
import { shiftRightSticky, wHi, wLo } from './wide';
import { FSW_C1, FSW_IE, FSW_OE, FSW_PE, FSW_UE, fcw, roundingControl } from './x87-state';

/** Result = the 32- or 64-bit real with `fraction` fraction bits; a signaling NaN stays one. */
function fromReal(bits: u64, fraction: u32, expMask: u32, bias: i32): void {
  const width = <u64>fraction;
  const frac = bits << (64 - width);
  const e = <u32>(bits >> width) & expMask;
  const sign = <u32>(bits >> (fraction == 23 ? 31 : 63));
  if (e == expMask) {
    if (!frac) setInfinity(sign);
    else setResult((sign << 15) | EXP_MAX, INTEGER_BIT | (frac >> 1));
  } else if (e) {
    setResult((sign << 15) | <u32>(<i32>e - bias + BIAS), INTEGER_BIT | (frac >> 1));
  } else if (!frac) setZero(sign);
  else {
    markDenormalSource();
    const n = clz(frac);
    setResult((sign << 15) | <u32>(BIAS - bias - <i32>n), frac << n);
  }
}

export function fromReal32(bits: u32): void {
  fromReal(bits, 23, 0xff, 127);
}

export function fromReal64(bits: u64): void {
  fromReal(bits, 52, 0x7ff, 1023);
}

export function fromInteger(v: i64): void {
  if (!v) {
    setZero(0);
    return;
  }
  const sign = u32(v < 0);
  const m = v < 0 ? 0 - <u64>v : <u64>v;
  const n = clz(m);
  setResult((sign << 15) | <u32>(BIAS + 63 - <i32>n), m << n);
}

/** Rounds to a real of `fraction` fraction bits. After an unmasked overflow or underflow the value means nothing. */
function toReal(se: u32, sig: u64, fraction: u32, expMask: u32, bias: i32): u64 {
  const width = <u64>fraction;
  const sign = (<u64>signOf(se)) << (fraction == 23 ? 31 : 63);
  const infinity = sign | ((<u64>expMask) << width);
  const top = 63 - width;
  if (isUnsupported(se, sig)) {
    raiseX(FSW_IE);
    return (fraction == 23 ? 0x80000000 : INTEGER_BIT) | ((<u64>expMask) << width) | (1 << (width - 1));
  }
  if (isNaN80(se, sig)) {
    if (isSignaling(se, sig)) raiseX(FSW_IE);
    return infinity | (1 << (width - 1)) | ((sig << 1) >> (top + 1));
  }
  if (isInfinity(se, sig)) return infinity;
  if (isZero(se, sig)) return sign;

  unpack(se, sig);
  const negative = signOf(se);
  const unit: u64 = 1 << top;
  let exp = uExp - BIAS + bias;
  let m = uSig;
  let tail = m << (64 - top);
  let up = roundsUp(negative, tail, (m & unit) != 0);
  if (exp <= 0) {
    const tiny = exp < 0 || !(up && m >> top == (2 << width) - 1);
    if (tiny && !(fcw() & FSW_UE)) {
      raiseX(FSW_UE);
      return 0;
    }
    shiftRightSticky(m, 0, <u32>(1 - exp));
    m = wHi;
    tail = (m << (64 - top)) | u64(wLo != 0);
    up = roundsUp(negative, tail, (m & unit) != 0);
    if (tail) raiseX(tiny ? FSW_UE | FSW_PE : FSW_PE);
    if (up) raiseX(FSW_C1);
    // A carry out of the fraction makes the smallest normal number: it runs into the exponent field.
    return sign | ((m >> top) + u64(up));
  }
  if (tail) raiseX(FSW_PE);
  if (up) raiseX(FSW_C1);
  m = (m >> top) + u64(up);
  if (m >> (width + 1)) {
    m >>= 1;
    exp++;
  }
  if (exp >= <i32>expMask) {
    raiseX(FSW_OE);
    if (!(fcw() & FSW_OE)) return 0;
    raiseX(FSW_PE);
    const rc = roundingControl();
    const toInfinity = rc == 0 || rc == (negative ? 1 : 2);
    if (toInfinity) raiseX(FSW_C1);
    return toInfinity ? infinity : infinity - 1;
  }
  return sign | ((<u64>exp) << width) | (m & ((1 << width) - 1));
}

export function toReal32(se: u32, sig: u64): u32 {
  return <u32>toReal(se, sig, 23, 0xff, 127);
}

export function toReal64(se: u32, sig: u64): u64 {
  return toReal(se, sig, 52, 0x7ff, 1023);
}

/** Magnitude of the finite (se, sig) as an integer, rounded; sets #P and C1. u64.MAX_VALUE: 2^64 or more. */
function roundMagnitude(se: u32, sig: u64, truncate: bool): u64 {
  if (!sig) return 0;
  unpack(se, sig);
  const e = uExp - BIAS;
  if (e >= 64) return u64.MAX_VALUE;
  shiftRightSticky(uSig, 0, <u32>(63 - e));
  const up = !truncate && roundsUp(signOf(se), wLo, (wHi & 1) != 0);
  if (wLo) raiseX(FSW_PE);
  if (up) raiseX(FSW_C1);
  return wHi + u64(up);
}

/** Integer of 16, 32 or 64 bits; what does not fit is invalid and gives the integer indefinite. */
export function toInteger(se: u32, sig: u64, bits: u32, truncate: bool): i64 {
  const limit: u64 = 1 << (<u64>bits - 1);
  if (isFinite80(se, sig)) {
    const m = roundMagnitude(se, sig, truncate);
    const negative = signOf(se);
    if (negative ? m <= limit : m < limit) return <i64>(negative ? 0 - m : m);
  }
  invalid();
  return <i64>(0 - limit);
}

/** 10^18 - 1, the largest packed decimal. */
const BCD_MAX: u64 = 999999999999999999;

/** Nine bytes of packed decimal digits at `to`, then the sign byte (SDM vol. 1, 4.7). */
export function toDecimal(se: u32, sig: u64, to: usize): void {
  if (isFinite80(se, sig)) {
    let m = roundMagnitude(se, sig, false);
    if (m <= BCD_MAX) {
      for (let i: usize = 0; i < 9; i++) {
        const digits = <u32>(m % 100);
        m /= 100;
        store<u8>(to + i, ((digits / 10) << 4) | (digits % 10));
      }
      store<u8>(to, signOf(se) << 7, 9);
      return;
    }
  }
  invalid();
  // Packed decimal indefinite.
  store<u64>(to, 0xc000000000000000);
  store<u16>(to, 0xffff, 8);
}

/** Result = the packed decimal at `from`. Digits above 9 are undefined: they count as they stand. */
export function fromDecimal(from: usize): void {
  let m: u64 = 0;
  for (let i = 8; i >= 0; i--) {
    const b: u32 = load<u8>(from + i);
    m = m * 100 + (b >> 4) * 10 + (b & 15);
  }
  const negative: u32 = load<u8>(from, 9) >> 7;
  if (m) {
    const n = clz(m);
    setResult((negative << 15) | <u32>(BIAS + 63 - <i32>n), m << n);
  } else setZero(negative);
}

/** Biased exponent above which every number is an integer. */
export const EXP_INTEGER: u32 = 0x3fff + 63;

/** Result = (se, sig), finite and supported, rounded to an integer. */
export function roundToInteger(se: u32, sig: u64): void {
  if (expOf(se) >= EXP_INTEGER) {
    setResult(se, sig);
    return;
  }
  const m = roundMagnitude(se, sig, false);
  const sign = signOf(se);
  if (!m) {
    setZero(sign);
    return;
  }
  const n = clz(m);
  setResult((sign << 15) | <u32>(BIAS + 63 - <i32>n), m << n);
}
