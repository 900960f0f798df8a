// Conversions: between floating-point formats, to and from integers and fixed point, to integral values.

import {
  currentRounding,
  defaultNaN,
  F16,
  FINITE,
  fractionBits,
  INFINITE,
  infinityOf,
  isSignaling,
  NAN_QUIET,
  processNaN,
  raiseFloat,
  round,
  roundsUp,
  uExponent,
  unpack,
  uSign,
  uSignificand,
  usesAlternativeHalf,
  usesDefaultNaN,
  ZERO,
  zeroOf,
} from './float';
import { FPSR_IOC, FPSR_IXC, ROUND_FPCR, ROUND_ODD, ROUND_ZERO } from './status';

const HALF: u64 = 0x8000000000000000;

/** What the finite number last unpacked, times 2^scale, has below its units, as a fraction of 2^64 (sticky). */
let below: u64 = 0;

/** Magnitude of that number rounded to an integer; it has to be below 2^64. */
function integerPart(scale: i32, mode: u32): u64 {
  const shift = 63 - uExponent - scale;
  let value: u64 = 0;
  below = 0;
  if (shift <= 0) value = uSignificand;
  else if (shift < 64) {
    value = uSignificand >> <u64>shift;
    below = uSignificand << (<u64>(64 - shift));
  } else below = shift == 64 ? uSignificand : 1;
  return roundsUp(mode, uSign != 0, (value & 1) != 0, below, HALF) ? value + 1 : value;
}

function chosen(mode: u32): u32 {
  return mode == ROUND_FPCR ? currentRounding() : mode;
}

/** FPToFixed: an integer of 8 << size bits, saturated; 0 for a NaN. `scale`: fraction bits that it has. */
export function toFixed(a: u64, fmt: u32, size: u32, scale: i32, unsigned: bool, mode: u32): u64 {
  const t = unpack(a, fmt);
  if (t == ZERO) return 0;
  if (t >= NAN_QUIET) {
    raiseFloat(FPSR_IOC);
    return 0;
  }
  const negative = uSign != 0;
  const all = u64.MAX_VALUE >> (64 - (8 << (<u64>size)));
  // The largest magnitude that fits.
  const most = unsigned ? (negative ? 0 : all) : negative ? (all >> 1) + 1 : all >> 1;
  let value = most;
  if (t == INFINITE || uExponent + scale > 63) raiseFloat(FPSR_IOC);
  else {
    value = integerPart(scale, chosen(mode));
    if (value > most) {
      raiseFloat(FPSR_IOC);
      value = most;
    } else if (below) raiseFloat(FPSR_IXC);
  }
  return negative ? (0 - value) & all : value;
}

/** FixedToFP: an integer, sign- or zero-extended to 64 bits, with `scale` fraction bits. */
export function fromFixed(v: u64, fmt: u32, scale: i32, unsigned: bool): u64 {
  if (!v) return 0;
  const negative = !unsigned && <i64>v < 0;
  return round(u64(negative), 63 - scale, negative ? 0 - v : v, fmt, currentRounding());
}

/** FPRoundInt: to an integral value; IXC if `exact` and that changes it. */
export function toIntegral(a: u64, fmt: u32, mode: u32, exact: bool): u64 {
  const t = unpack(a, fmt);
  if (t >= NAN_QUIET) return processNaN(a, fmt);
  if (t == ZERO) return zeroOf(uSign, fmt);
  if (t == INFINITE || uExponent >= <i32>fractionBits(fmt)) return a;
  const value = integerPart(0, chosen(mode));
  if (below && exact) raiseFloat(FPSR_IXC);
  return value ? round(uSign, 63, value, fmt, ROUND_ZERO) : zeroOf(uSign, fmt);
}

/** FPConvert. */
export function toFormat(a: u64, from: u32, to: u32, odd: bool): u64 {
  const alternative = to == F16 && usesAlternativeHalf();
  const t = unpack(a, from);
  if (t == FINITE) return round(uSign, uExponent, uSignificand, to, odd ? ROUND_ODD : currentRounding());
  if (t == ZERO) return zeroOf(uSign, to);
  if (alternative || (t >= NAN_QUIET && isSignaling(a, from))) raiseFloat(FPSR_IOC);
  if (t == INFINITE) return alternative ? zeroOf(uSign, to) | 0x7fff : infinityOf(uSign, to);
  if (alternative) return zeroOf(uSign, to);
  if (usesDefaultNaN()) return defaultNaN(to);
  // The upper bits of the fraction are kept, the first one set.
  const f = fractionBits(from);
  const fraction = a << (64 - f);
  return zeroOf(uSign, to) | defaultNaN(to) | (fraction >> (64 - fractionBits(to)));
}
