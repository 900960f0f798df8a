// The transcendental functions, on finite nonzero operands, to about 110 bits before the one rounding at the end.
//
// A working number is nHi:nLo / 2^128 × 2^nExp with the top bit of nHi set. Series are summed from the small end
// (Horner) in fixed point with one integer bit: ONE is 2^127.

import { BIAS, INTEGER_BIT, raiseX, roundPack, uExp, unpack, uSig } from './floatx80';
import {
  addWide,
  divFraction,
  divSmall,
  leadingZeros,
  lessWide,
  mulFraction,
  mulWide,
  setWide,
  shiftLeft,
  shiftRight,
  subWide,
  wHi,
  wLo,
} from './wide';
import { FSW_PE, FSW_UE } from './x87-state';

const ONE: u64 = INTEGER_BIT;

let nExp: i32 = 0;
let nHi: u64 = 0;
let nLo: u64 = 0;

/** Working number = hi:lo / 2^128 × 2^exp; not zero. */
function setNumber(hi: u64, lo: u64, exp: i32): void {
  const n = leadingZeros(hi, lo);
  shiftLeft(hi, lo, n);
  nHi = wHi;
  nLo = wLo;
  nExp = exp - <i32>n;
}

/** Working number × hi:lo / 2^128 × 2^exp. */
function multiply(hi: u64, lo: u64, exp: i32): void {
  mulFraction(nHi, nLo, hi, lo);
  setNumber(wHi, wLo, nExp + exp);
}

/** Working number / (hi:lo / 2^128 × 2^exp); the divisor's top bit is set. */
function divide(hi: u64, lo: u64, exp: i32): void {
  let e = nExp - exp;
  let h = nHi;
  let l = nLo;
  if (!lessWide(h, l, hi, lo)) {
    shiftRight(h, l, 1);
    h = wHi;
    l = wLo;
    e++;
  }
  divFraction(h, l, hi, lo);
  setNumber(wHi, wLo, e);
}

/** wHi:wLo = square of the working number, which is below 1, as a fraction of 2^128. */
function square(): void {
  mulFraction(nHi, nLo, nHi, nLo);
  shiftRight(wHi, wLo, <u32>min<i32>(-2 * nExp, 200));
}

/** Rounds the working number. The exact value is irrational: it is inexact whatever the last bits are. */
function finish(sign: u32): void {
  roundPack(sign, nExp - 1 + BIAS, nHi, nLo | 1, 64);
}

/** wHi:wLo = 1 - z/n(n+1) + z²/n(n+1)(n+2)(n+3) - …, for sine (n = 2) and cosine (n = 1); z < 0.62, of 2^128. */
function factorialSeries(zh: u64, zl: u64, n: u64): void {
  setWide(ONE, 0);
  for (let k = n + 26; k >= n; k -= 2) {
    mulFraction(zh, zl, wHi, wLo);
    divSmall(wHi, wLo, k * (k + 1));
    subWide(ONE, 0, wHi, wLo);
    if (k == n) break;
  }
}

/** wHi:wLo = 1 ± z/3 + z²/5 ± z³/7 + …: atanh(t)/t, or with `alternating` atan(t)/t, for z = t². `terms` of them. */
function oddSeries(zh: u64, zl: u64, alternating: bool, terms: u64): void {
  divSmall(ONE, 0, 2 * terms + 1);
  for (let k: u64 = terms; k > 0; k--) {
    mulFraction(zh, zl, wHi, wLo);
    const h = wHi;
    const l = wLo;
    divSmall(ONE, 0, 2 * k - 1);
    if (alternating) subWide(wHi, wLo, h, l);
    else addWide(wHi, wLo, h, l);
  }
}

// --- Sine, cosine, tangent ---

/** π/2 as the processor has it, π with 66 bits (SDM vol. 1, 8.3.8), in units of 2^-65. */
const HALF_PI_HIGH: u64 = 0x3;
const HALF_PI_LOW: u64 = 0x243f6a8885a308d3;
/** π/4 in the same units, rounded down. */
const QUARTER_PI_HIGH: u64 = 0x1;
const QUARTER_PI_LOW: u64 = 0x921fb54442d18469;

let quadrant: u32 = 0;
/** The reduced angle is below zero. */
let reducedSign: u32 = 0;

// The magnitude of the reduced angle, its sine and cosine.
let angleHi: u64 = 0;
let angleLo: u64 = 0;
let angleExp: i32 = 0;
let sinHi: u64 = 0;
let sinLo: u64 = 0;
let sinExp: i32 = 0;
let cosHi: u64 = 0;
let cosLo: u64 = 0;
let cosExp: i32 = 0;

/** Working number = |x| reduced to at most π/4, exactly; quadrant and reducedSign say how. |x| < 2^63. */
function reduceAngle(se: u32, sig: u64): void {
  unpack(se, sig);
  const e = uExp - BIAS;
  quadrant = 0;
  reducedSign = 0;
  if (e < -2) {
    setNumber(uSig, 0, e + 1);
    return;
  }
  let h: u64 = 0;
  let l = uSig;
  for (let i = 0; i < e + 2; i++) {
    h = (h << 1) | (l >> 63);
    l <<= 1;
    quadrant <<= 1;
    if (!lessWide(h, l, HALF_PI_HIGH, HALF_PI_LOW)) {
      subWide(h, l, HALF_PI_HIGH, HALF_PI_LOW);
      h = wHi;
      l = wLo;
      quadrant |= 1;
    }
  }
  if (lessWide(QUARTER_PI_HIGH, QUARTER_PI_LOW, h, l)) {
    subWide(HALF_PI_HIGH, HALF_PI_LOW, h, l);
    h = wHi;
    l = wLo;
    quadrant++;
    reducedSign = 1;
  }
  setNumber(h, l, 63);
}

/** Sine and cosine of the angle (se, sig). */
export function prepareAngle(se: u32, sig: u64): void {
  reduceAngle(se, sig);
  angleHi = nHi;
  angleLo = nLo;
  angleExp = nExp;
  square();
  const zh = wHi;
  const zl = wLo;
  factorialSeries(zh, zl, 1);
  const n = leadingZeros(wHi, wLo);
  shiftLeft(wHi, wLo, n);
  cosHi = wHi;
  cosLo = wLo;
  cosExp = 1 - <i32>n;
  factorialSeries(zh, zl, 2);
  // A sine is always below its angle.
  if (wHi == ONE) setWide(ONE - 1, u64.MAX_VALUE);
  multiply(wHi, wLo, 1);
  sinHi = nHi;
  sinLo = nLo;
  sinExp = nExp;
}

function useSine(): void {
  nHi = sinHi;
  nLo = sinLo;
  nExp = sinExp;
}

function useCosine(): void {
  nHi = cosHi;
  nLo = cosLo;
  nExp = cosExp;
  // A cosine is always below 1.
  if (nHi == ONE && nExp == 1) {
    nHi = u64.MAX_VALUE;
    nLo = u64.MAX_VALUE;
    nExp = 0;
  }
}

/** Result = sine of the prepared angle, whose sign is `sign`. */
export function resultSine(sign: u32): void {
  const negative = sign ^ ((quadrant >> 1) & 1);
  if (quadrant & 1) {
    useCosine();
    finish(negative);
  } else {
    useSine();
    finish(negative ^ reducedSign);
  }
}

/** Result = cosine of the prepared angle. */
export function resultCosine(): void {
  const negative = (quadrant >> 1) & 1;
  if (quadrant & 1) {
    useSine();
    finish(negative ^ reducedSign ^ 1);
  } else {
    useCosine();
    finish(negative);
  }
}

/** Result = tangent of the prepared angle, whose sign is `sign`. */
export function resultTangent(sign: u32): void {
  if (quadrant & 1) {
    useCosine();
    divide(sinHi, sinLo, sinExp);
    finish(sign ^ reducedSign ^ 1);
  } else if (angleExp < -48) {
    // A tangent is always above its angle, here by less than can be seen.
    nHi = angleHi;
    nLo = angleLo;
    nExp = angleExp;
    finish(sign ^ reducedSign);
  } else {
    useSine();
    divide(cosHi, cosLo, cosExp);
    finish(sign ^ reducedSign);
  }
}

// --- Arctangent ---

/** π with two integer bits. */
const PI_HIGH: u64 = 0xc90fdaa22168c234;
const PI_LOW: u64 = 0xc4c6628b80dc1cd1;
/** atan(k/4), k = 0…4, with two integer bits. */
const ATAN_QUARTERS: usize = memory.data<u64>([
  0, 0, 0x0fadbafc96406eb1, 0x56dc79ef5f7a217e, 0x1dac670561bb4f68, 0xadfc88bd978751a0, 0x292f1f464d3dc249,
  0x066a1fca915f6b27, 0x3243f6a8885a308d, 0x313198a2e0370734,
]);

/** Working number = atan of the working number, which is at most 1/8. */
function atanSmall(): void {
  square();
  oddSeries(wHi, wLo, true, 20);
  // An arctangent is always below its argument.
  if (wHi >= ONE) setWide(ONE - 1, u64.MAX_VALUE);
  multiply(wHi, wLo, 1);
}

/** wHi:wLo = working number with two integer bits. */
function toAngle(): void {
  shiftRight(nHi, nLo, <u32>min<i32>(2 - nExp, 200));
}

/** Result = angle of the point (x, y), both finite and not zero (SDM vol. 2A, table 3-30). */
export function arctangent(yse: u32, ysig: u64, xse: u32, xsig: u64): void {
  const ysign = yse >> 15;
  const xNegative = xse >> 15 != 0;
  unpack(yse, ysig);
  const ye = uExp;
  const y = uSig;
  unpack(xse, xsig);
  const swapped = ye > uExp || (ye == uExp && y > uSig);
  if (swapped) {
    setNumber(uSig, 0, uExp);
    divide(y, 0, ye);
  } else {
    setNumber(y, 0, ye);
    divide(uSig, 0, uExp);
  }
  // The working number is q in (0, 1]. atan q = atan c + atan (q - c)/(1 + qc) with c = k/4 next to q.
  let k: u64 = 0;
  let below = false;
  if (nExp >= -2) {
    // With four integer bits.
    shiftRight(nHi, nLo, <u32>(4 - nExp));
    const qh = wHi;
    const ql = wLo;
    k = (qh + (1 << 57)) >> 58;
    shiftLeft(qh, ql, 2);
    const ah = wHi;
    const al = wLo;
    const c = k << 60;
    mulWide(ql, k);
    const dh = qh * k + wHi + (1 << 62);
    const dl = wLo;
    below = ah < c;
    if (below) subWide(c, 0, ah, al);
    else subWide(ah, al, c, 0);
    if (wHi | wLo) {
      setNumber(wHi, wLo, 4);
      const n = leadingZeros(dh, dl);
      shiftLeft(dh, dl, n);
      divide(wHi, wLo, 4 - <i32>n);
      atanSmall();
      toAngle();
    }
  } else atanSmall();
  if (k == 0) {
    if (!swapped && !xNegative) {
      finish(ysign);
      return;
    }
    toAngle();
  }
  const base = ATAN_QUARTERS + ((<usize>k) << 4);
  if (below) subWide(load<u64>(base), load<u64>(base, 8), wHi, wLo);
  else addWide(load<u64>(base), load<u64>(base, 8), wHi, wLo);
  if (swapped) subWide(PI_HIGH >> 1, (PI_HIGH << 63) | (PI_LOW >> 1), wHi, wLo);
  if (xNegative) subWide(PI_HIGH, PI_LOW, wHi, wLo);
  setNumber(wHi, wLo, 2);
  finish(ysign);
}

/** Result = π × quarters / 4, for the arguments of FPATAN that are zero or infinite. */
export function quarterTurns(sign: u32, quarters: u64): void {
  mulFraction(PI_HIGH, PI_LOW, quarters << 60, 0);
  // quarters / 16 × π / 4 × 2^4
  setNumber(wHi, wLo, 4);
  finish(sign);
}

// --- Exponential and logarithms ---

/** ln 2 as a fraction, 1 / ln 2 with one integer bit. */
const LN2_HIGH: u64 = 0xb17217f7d1cf79ab;
const LN2_LOW: u64 = 0xc9e3b39803f2f6af;
const LOG2E_HIGH: u64 = 0xb8aa3b295c17f0bb;
const LOG2E_LOW: u64 = 0xbe87fed0691d3e88;

/** Result = 2^x - 1 for |x| < 1, x not zero: with t = |x| ln 2, ±t (1 ± t/2 (1 ± t/3 (1 ± …))). */
export function exp2Minus1(se: u32, sig: u64): void {
  const negative = se >> 15 != 0;
  unpack(se, sig);
  setNumber(uSig, 0, uExp - BIAS + 1);
  multiply(LN2_HIGH, LN2_LOW, 0);
  shiftRight(nHi, nLo, <u32>min<i32>(-nExp, 200));
  const th = wHi;
  const tl = wLo;
  setWide(ONE, 0);
  for (let k: u64 = 30; k >= 2; k--) {
    mulFraction(th, tl, wHi, wLo);
    divSmall(wHi, wLo, k);
    if (negative) subWide(ONE, 0, wHi, wLo);
    else addWide(ONE, 0, wHi, wLo);
  }
  multiply(wHi, wLo, 1);
  finish(se >> 15);
}

/** Working number × 2 atanh(s)/s / ln 2, for s = the working number: log2 ((1 + s)/(1 - s)). |s| ≤ ⅓. */
function log2OfRatio(): void {
  square();
  oddSeries(wHi, wLo, false, 32);
  multiply(wHi, wLo, 1);
  multiply(LOG2E_HIGH, LOG2E_LOW, 2);
}

/** √2 with one integer bit, rounded down. */
const SQRT2: u64 = 0xb504f333f9de6484;

/** Result = y × log2 x, x positive, both finite and not zero, x not 1. */
export function yLog2x(yse: u32, ysig: u64, xse: u32, xsig: u64): void {
  unpack(xse, xsig);
  timesLog2(yse, ysig, uSig, 0, uExp - BIAS);
}

/** Result = y × log2 (hi:lo / 2^127 × 2^e); hi has its top bit set. */
function timesLog2(yse: u32, ysig: u64, hi: u64, lo: u64, e: i32): void {
  // x = 2^e × m with m in (√½, √2); s = (m - 1)/(m + 1).
  let sign: u32 = 0;
  const exact = hi == ONE && !lo;
  if (!exact) {
    const half = (lo >> 1) | (hi << 63);
    if (hi <= SQRT2) {
      setNumber(hi - ONE, lo, 0);
      divide((hi >> 1) + (ONE >> 1), half, 1);
    } else {
      e++;
      sign = 1;
      subWide(0, 0, hi, lo);
      setNumber(wHi, wLo, 0);
      divide((hi >> 1) | ONE, half, 1);
    }
    log2OfRatio();
  }
  if (e) {
    // |e| + f or |e| - f with 16 integer bits.
    const eSign = u32(e < 0);
    const magnitude = (<u64>(e < 0 ? -e : e)) << 48;
    if (exact) setWide(magnitude, 0);
    else {
      shiftRight(nHi, nLo, <u32>min<i32>(16 - nExp, 200));
      if (sign == eSign) addWide(magnitude, 0, wHi, wLo);
      else subWide(magnitude, 0, wHi, wLo);
    }
    sign = eSign;
    setNumber(wHi, wLo, 16);
  }
  timesY(yse, ysig, sign, exact);
}

/** Result = y × log2(1 + x), x above -1, both not zero. */
export function yLog2xPlus1(yse: u32, ysig: u64, xse: u32, xsig: u64): void {
  unpack(xse, xsig);
  const sign = xse >> 15;
  const e = uExp - BIAS + 1;
  const x = uSig;
  if (e > -1) {
    // |x| ≥ ½, outside the range that the manual gives: the logarithm of the sum.
    const bits = max<i32>(e, 1) + 1;
    shiftRight(x, 0, <u32>(bits - e));
    const h = wHi;
    const l = wLo;
    shiftRight(ONE, 0, <u32>min<i32>(bits - 1, 128));
    if (sign) subWide(wHi, wLo, h, l);
    else addWide(wHi, wLo, h, l);
    setNumber(wHi, wLo, bits);
    timesLog2(yse, ysig, nHi, nLo, nExp - 1);
    return;
  }
  // s = x/(2 + x), with 2 + x to two integer bits.
  shiftRight(x, 0, <u32>min<i32>(2 - e, 200));
  if (sign) subWide(ONE, 0, wHi, wLo);
  else addWide(ONE, 0, wHi, wLo);
  const n = leadingZeros(wHi, wLo);
  shiftLeft(wHi, wLo, n);
  const dh = wHi;
  const dl = wLo;
  setNumber(x, 0, e);
  divide(dh, dl, 2 - <i32>n);
  log2OfRatio();
  timesY(yse, ysig, sign, false);
}

/** Result = ± working number × y. */
function timesY(yse: u32, ysig: u64, sign: u32, exact: bool): void {
  unpack(yse, ysig);
  const z = sign ^ (yse >> 15);
  multiply(uSig, 0, uExp - BIAS + 1);
  if (exact) {
    // Processors say "inexact" here, too, and "underflow" of a denormal result.
    raiseX(FSW_PE);
    if (nExp <= 1 - BIAS) raiseX(FSW_UE);
    roundPack(z, nExp - 1 + BIAS, nHi, nLo, 64);
  } else finish(z);
}
