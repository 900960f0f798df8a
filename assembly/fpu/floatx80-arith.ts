// Addition, multiplication, division, square root and comparison of 80-bit reals.

import {
  BIAS,
  expOf,
  INTEGER_BIT,
  invalid,
  isInfinity,
  isNaN80,
  isSignaling,
  isUnsupported,
  isZero,
  normalizeRoundPack,
  noteDenormal,
  precision,
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
import { addWide, divWide, lessWide, mulWide, shiftRightSticky, subWide, wHi, wLo, wRemainder } from './wide';
import { FSW_C0, FSW_C2, FSW_C3, FSW_IE, FSW_ZE, roundingControl } from './x87-state';

/** a + b, or a - b when `negate` is 1. */
export function add80(ase: u32, asig: u64, bse: u32, bsig: u64, negate: u32): void {
  if (specialTwo(ase, asig, bse, bsig)) return;
  const asign = signOf(ase);
  const bsign = signOf(bse) ^ negate;
  const aInf = isInfinity(ase, asig);
  const bInf = isInfinity(bse, bsig);
  if (aInf && bInf && asign != bsign) {
    invalid();
    return;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  if (aInf || bInf) {
    setInfinity(aInf ? asign : bsign);
    return;
  }
  // Denormals keep their leading zeros here: the difference of exponents is what counts.
  let aExp = <i32>max<u32>(expOf(ase), 1);
  let bExp = <i32>max<u32>(expOf(bse), 1);
  let sign = asign;
  let x = asig;
  let y = bsig;
  if (aExp < bExp || (aExp == bExp && asig < bsig)) {
    const e = aExp;
    aExp = bExp;
    bExp = e;
    x = bsig;
    y = asig;
    sign = bsign;
  }
  shiftRightSticky(y, 0, <u32>(aExp - bExp));
  if (asign == bsign) {
    const sum = x + wHi;
    let extra = wLo;
    if (sum < x) {
      extra = (extra >> 1) | (extra & 1) | (sum << 63);
      roundPack(sign, aExp + 1, (sum >> 1) | INTEGER_BIT, extra, precision());
    } else normalizeRoundPack(sign, aExp, sum, extra, precision());
    return;
  }
  subWide(x, 0, wHi, wLo);
  // An exact zero of unequal signs is +0, or -0 when rounding down.
  if (!(wHi | wLo)) setZero(u32(roundingControl() == 1));
  else normalizeRoundPack(sign, aExp, wHi, wLo, precision());
}

export function mul80(ase: u32, asig: u64, bse: u32, bsig: u64): void {
  if (specialTwo(ase, asig, bse, bsig)) return;
  const sign = signOf(ase) ^ signOf(bse);
  const aInf = isInfinity(ase, asig);
  const bInf = isInfinity(bse, bsig);
  if ((aInf && isZero(bse, bsig)) || (bInf && isZero(ase, asig))) {
    invalid();
    return;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  if (aInf || bInf) {
    setInfinity(sign);
    return;
  }
  if (!asig || !bsig) {
    setZero(sign);
    return;
  }
  unpack(ase, asig);
  const aExp = uExp;
  const x = uSig;
  unpack(bse, bsig);
  mulWide(x, uSig);
  const exp = aExp + uExp - BIAS + 1;
  if (wHi >> 63) roundPack(sign, exp, wHi, wLo, precision());
  else roundPack(sign, exp - 1, (wHi << 1) | (wLo >> 63), wLo << 1, precision());
}

/** a / b */
export function div80(ase: u32, asig: u64, bse: u32, bsig: u64): void {
  if (specialTwo(ase, asig, bse, bsig)) return;
  const sign = signOf(ase) ^ signOf(bse);
  const aInf = isInfinity(ase, asig);
  const bInf = isInfinity(bse, bsig);
  const bZero = isZero(bse, bsig);
  if ((aInf && bInf) || (bZero && isZero(ase, asig))) {
    invalid();
    return;
  }
  if (bZero && !aInf) {
    raiseX(FSW_ZE);
    setInfinity(sign);
    return;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  if (aInf) {
    setInfinity(sign);
    return;
  }
  if (bInf || !asig) {
    setZero(sign);
    return;
  }
  unpack(ase, asig);
  const aExp = uExp;
  const x = uSig;
  unpack(bse, bsig);
  const y = uSig;
  let exp = aExp - uExp + BIAS;
  let q: u64;
  if (x >= y) q = divWide(x >> 1, x << 63, y);
  else {
    q = divWide(x, 0, y);
    exp--;
  }
  roundPack(sign, exp, q, halfOrMore(wRemainder, y), precision());
}

/** Fraction r / d of a last place as rounding sees it: below, equal to or above a half. */
function halfOrMore(r: u64, d: u64): u64 {
  if (!r) return 0;
  const rest = d - r;
  return r > rest ? INTEGER_BIT | 1 : r == rest ? INTEGER_BIT : 1;
}

export function sqrt80(se: u32, sig: u64): void {
  if (specialOne(se, sig)) return;
  if (isZero(se, sig)) {
    setResult(se, sig);
    return;
  }
  if (signOf(se)) {
    invalid();
    return;
  }
  noteDenormal(se, sig);
  if (isInfinity(se, sig)) {
    setResult(se, sig);
    return;
  }
  unpack(se, sig);
  const e = uExp - BIAS;
  // Radicand in [2^126, 2^128) with an even exponent, so that the root has 64 bits.
  const nh = e & 1 ? uSig : uSig >> 1;
  const nl = e & 1 ? 0 : uSig << 63;
  const s = root(nh, nl);
  mulWide(s, s);
  subWide(nh, nl, wHi, wLo);
  // The remainder is at most 2s; above s means that the fraction of the root is above a half. It is never a half.
  const extra: u64 = !(wHi | wLo) ? 0 : wHi || wLo > s ? INTEGER_BIT | 1 : 1;
  roundPack(0, (e >> 1) + BIAS, s, extra, precision());
}

/** Integer square root of h:l, which is at least 2^126. */
function root(h: u64, l: u64): u64 {
  // 52 bits from the f64 root, a little too large; one Newton step makes it good to the last place or two.
  const estimate = sqrt(<f64>h) * 4294967296.0 + 16384.0;
  let s: u64 = estimate >= 18446744073709551615.0 ? u64.MAX_VALUE : <u64>estimate;
  if (h < s) {
    const q = divWide(h, l, s);
    s = (s >> 1) + (q >> 1) + (s & q & 1);
  }
  mulWide(s, s);
  while (lessWide(h, l, wHi, wLo)) {
    s--;
    mulWide(s, s);
  }
  while (s != u64.MAX_VALUE) {
    // (s + 1)² = s² + 2s + 1
    addWide(wHi, wLo, s >> 63, (s << 1) | 1);
    if (lessWide(h, l, wHi, wLo)) break;
    s++;
  }
  return s;
}

/** Condition codes C3, C2, C0 of a compared with b. A quiet NaN is invalid too, unless `quiet`. */
export function compare80(ase: u32, asig: u64, bse: u32, bsig: u64, quiet: bool): u32 {
  const unordered = FSW_C3 | FSW_C2 | FSW_C0;
  if (isUnsupported(ase, asig) || isUnsupported(bse, bsig)) {
    invalid();
    return unordered;
  }
  if (isNaN80(ase, asig) || isNaN80(bse, bsig)) {
    if (!quiet || isSignaling(ase, asig) || isSignaling(bse, bsig)) raiseX(FSW_IE);
    return unordered;
  }
  noteDenormal(ase, asig);
  noteDenormal(bse, bsig);
  if (!(asig | bsig)) return FSW_C3;
  const asign = signOf(ase);
  if (!asig || !bsig || asign != signOf(bse)) {
    const negative = asig ? asign != 0 : !signOf(bse);
    return negative ? FSW_C0 : 0;
  }
  // A pseudo-denormal has the value of exponent 1.
  const ae = max<u32>(expOf(ase), 1);
  const be = max<u32>(expOf(bse), 1);
  if (ae == be && asig == bsig) return FSW_C3;
  const smaller = ae < be || (ae == be && asig < bsig);
  return smaller != (asign != 0) ? FSW_C0 : 0;
}
