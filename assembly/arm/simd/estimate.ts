// Estimates of 1/x and 1/√x, exact to the bit as the architecture gives them (Arm ARM J1.3.3, FPRecipEstimate,
// FPRSqrtEstimate), and the exponent part of a reciprocal.

import {
  currentRounding,
  F64,
  flushes,
  fractionBits,
  INFINITE,
  infinity,
  infinityOf,
  invalid,
  magnitude,
  NAN_QUIET,
  overflowsToInfinity,
  processNaN,
  raiseFloat,
  signBit,
  uExponent,
  unpack,
  uSign,
  uSignificand,
  ZERO,
  zeroOf,
} from './float';
import { FPSR_DZC, FPSR_IXC, FPSR_OFC, FPSR_UFC } from './status';

/** RecipEstimate: 2^17 / a, for 9 bits of a (256–511), to 9 bits. */
export function recipEstimate(a: u32): u32 {
  const b = (1 << 19) / (2 * a + 1);
  return (b + 1) >> 1;
}

/** RecipSqrtEstimate: for 128–511, which is a fraction of 512 in [1/4, 1), to 9 bits. */
export function recipSqrtEstimate(a: u32): u32 {
  a = a < 256 ? 2 * a + 1 : (((a >> 1) << 1) + 1) * 2;
  let b: u32 = 512;
  while (a * (b + 1) * (b + 1) < 1 << 28) b++;
  return (b + 1) >> 1;
}

/** Exponent of the smallest normal number's reciprocal, plus 1. */
function limitOf(fmt: u32): i32 {
  return fmt == F64 ? 1024 : 128;
}

/** FPRecipEstimate. */
export function reciprocalEstimate(a: u64, fmt: u32): u64 {
  const t = unpack(a, fmt);
  if (t >= NAN_QUIET) return processNaN(a, fmt);
  if (t == INFINITE) return zeroOf(uSign, fmt);
  if (t == ZERO) {
    raiseFloat(FPSR_DZC);
    return infinityOf(uSign, fmt);
  }
  const limit = limitOf(fmt);
  if (uExponent < -limit) {
    raiseFloat(FPSR_OFC | FPSR_IXC);
    return overflowsToInfinity(currentRounding(), uSign) ? infinityOf(uSign, fmt) : infinityOf(uSign, fmt) - 1;
  }
  if (flushes() && uExponent >= limit - 2) {
    raiseFloat(FPSR_UFC);
    return zeroOf(uSign, fmt);
  }
  const f = <u64>fractionBits(fmt);
  // Biased exponent of the result: the operand's significand lies in [1, 2), the estimate's in (1/2, 1].
  const e = limit - 2 - uExponent;
  const fraction = (<u64>(recipEstimate(<u32>(uSignificand >> 55)) & 0xff)) << (f - 8);
  if (e > 0) return zeroOf(uSign, fmt) | ((<u64>e) << f) | fraction;
  // Denormal: the integer bit comes down.
  const whole = ((<u64>1) << f) | fraction;
  return zeroOf(uSign, fmt) | (whole >> <u64>(1 - e));
}

/** FPRSqrtEstimate. */
export function reciprocalRootEstimate(a: u64, fmt: u32): u64 {
  const t = unpack(a, fmt);
  if (t >= NAN_QUIET) return processNaN(a, fmt);
  if (t == ZERO) {
    raiseFloat(FPSR_DZC);
    return infinityOf(uSign, fmt);
  }
  if (uSign) return invalid(fmt);
  if (t == INFINITE) return 0;
  const f = <u64>fractionBits(fmt);
  const bias = limitOf(fmt) - 1;
  // As a fraction of 2^9 in [1/4, 1) times an even power of two.
  const even = ((uExponent + bias) & 1) == 0;
  const estimate = recipSqrtEstimate(<u32>(uSignificand >> (even ? 55 : 56)));
  const e = (3 * bias - 1 - (uExponent + bias)) >> 1;
  return ((<u64>e) << f) | ((<u64>(estimate & 0xff)) << (f - 8));
}

/** FPRecpX: 2 to the power of minus the exponent, roughly. */
export function reciprocalExponent(a: u64, fmt: u32): u64 {
  if (unpack(a, fmt) >= NAN_QUIET) return processNaN(a, fmt);
  const sign = a & signBit(fmt);
  const exponent = magnitude(a, fmt) & infinity(fmt);
  if (!exponent) return sign | (infinity(fmt) - ((<u64>1) << fractionBits(fmt)));
  return sign | (exponent ^ infinity(fmt));
}
