// FPREM, FPREM1, FSCALE, FXTRACT, FRNDINT on 80-bit reals (SDM vol. 2A).

import {
  BIAS,
  expOf,
  invalid,
  isInfinity,
  isZero,
  normalizeRoundPack,
  noteDenormal,
  raiseX,
  roundPack,
  setInfinity,
  setResult,
  setZero,
  signOf,
  specialOne,
  specialTwo,
  uExp,
  unpack,
  uSig,
} from './floatx80';
import { EXP_INTEGER, fromInteger, roundToInteger } from './floatx80-convert';
import { FSW_C0, FSW_C1, FSW_C2, FSW_C3, FSW_ZE } from './x87-state';

/** Condition codes for the low three bits of a quotient; C1 goes the way of C1 in `exc`. */
function quotientCodes(q: u64): u32 {
  if (q & 1) raiseX(FSW_C1);
  return (q & 2 ? FSW_C3 : 0) | (q & 4 ? FSW_C0 : 0);
}

/**
 * Result = remainder of a / b with the quotient truncated (FPREM) or rounded to nearest even (FPREM1); returns C3, C2,
 * C0. Exponents that differ by 64 or more are brought closer by 32 to 63 in one go, and C2 says "not yet complete".
 */
export function rem80(ase: u32, asig: u64, bse: u32, bsig: u64, nearest: bool): u32 {
  if (specialTwo(ase, asig, bse, bsig)) return 0;
  if (isInfinity(ase, asig) || isZero(bse, bsig)) {
    invalid();
    return 0;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  let sign = signOf(ase);
  if (!asig) {
    setZero(sign);
    return 0;
  }
  unpack(ase, asig);
  const aExp = uExp;
  let r = uSig;
  if (isInfinity(bse, bsig)) {
    roundPack(sign, aExp, r, 0, 64);
    return 0;
  }
  unpack(bse, bsig);
  const b = uSig;
  const distance = aExp - uExp;
  if (distance < 0) {
    // |a| < |b|; the nearest quotient is 1 when |a| is above |b| / 2.
    if (nearest && distance == -1 && r > b) {
      normalizeRoundPack(sign ^ 1, aExp, b + b - r, 0, 64);
      return quotientCodes(1);
    }
    roundPack(sign, aExp, r, 0, 64);
    return 0;
  }
  const partial = distance >= 64;
  const steps = partial ? (distance & 31) | 32 : distance;
  let q: u64 = 0;
  if (r >= b) {
    r -= b;
    q = 1;
  }
  for (let i = 0; i < steps; i++) {
    const carry = r >> 63;
    r <<= 1;
    q <<= 1;
    if (carry || r >= b) {
      r -= b;
      q |= 1;
    }
  }
  if (partial) {
    normalizeRoundPack(sign, aExp - steps, r, 0, 64);
    if (!r) setZero(sign);
    return FSW_C2;
  }
  if (nearest && (r > b - r || (r == b - r && q & 1))) {
    r = b - r;
    q++;
    sign ^= 1;
  }
  if (r) normalizeRoundPack(sign, aExp - distance, r, 0, 64);
  else setZero(signOf(ase));
  return quotientCodes(q);
}

/** Result = a × 2^trunc(b). */
export function scale80(ase: u32, asig: u64, bse: u32, bsig: u64): void {
  if (specialTwo(ase, asig, bse, bsig)) return;
  const sign = signOf(ase);
  const down = signOf(bse) != 0;
  const aInf = isInfinity(ase, asig);
  const aZero = isZero(ase, asig);
  if (isInfinity(bse, bsig)) {
    if (down ? aInf : aZero) {
      invalid();
      return;
    }
    noteDenormal(ase, asig);
    if (down) setZero(sign);
    else setInfinity(sign);
    return;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  if (aInf || aZero) {
    setResult(ase, asig);
    return;
  }
  // 2^16 is beyond every exponent already.
  const be = <i32>expOf(bse) - BIAS;
  let n = be < 0 ? 0 : be >= 16 ? 0x10000 : <i32>(bsig >> (63 - <u64>be));
  if (down) n = -n;
  unpack(ase, asig);
  roundPack(sign, uExp + n, uSig, 0, 64);
}

/** FXTRACT: the significand; the exponent is the result. */
export let significandSe: u32 = 0;
export let significandSig: u64 = 0;

/** Result = exponent of (se, sig) as a real; significandSe, significandSig: the significand with exponent 0. */
export function extract80(se: u32, sig: u64): void {
  significandSe = se;
  significandSig = sig;
  const sign = se & 0x8000;
  if (isZero(se, sig)) {
    raiseX(FSW_ZE);
    setInfinity(1);
  } else if (isInfinity(se, sig)) setInfinity(0);
  else {
    noteDenormal(se, sig);
    unpack(se, sig);
    significandSe = sign | <u32>BIAS;
    significandSig = uSig;
    fromInteger(uExp - BIAS);
  }
}

/** Result = (se, sig) rounded to an integer. */
export function roundInt80(se: u32, sig: u64): void {
  if (specialOne(se, sig)) return;
  if (expOf(se) >= EXP_INTEGER) {
    setResult(se, sig);
    return;
  }
  noteDenormal(se, sig);
  roundToInteger(se, sig);
}
