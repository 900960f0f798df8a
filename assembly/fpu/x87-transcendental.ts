// Helpers of the transcendental instructions: zeros, infinities, NaNs and ranges here, numbers in elementary.ts.

import {
  arctangent,
  exp2Minus1,
  prepareAngle,
  quarterTurns,
  resultCosine,
  resultSine,
  resultTangent,
  yLog2x,
  yLog2xPlus1,
} from './elementary';
import {
  BIAS,
  beginOp,
  exc,
  expOf,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  INTEGER_BIT,
  invalid,
  isInfinity,
  isZero,
  noteDenormal,
  raiseX,
  setInfinity,
  setOne,
  setResult,
  setZero,
  signOf,
  specialOne,
  specialTwo,
  zSe,
  zSig,
} from './floatx80';
import { se, settle, sig, stackOverflow, stackUnderflow } from './x87-arith';
import {
  FSW_C1,
  FSW_C2,
  FSW_PE,
  FSW_SF,
  FSW_ZE,
  fsw,
  isEmpty,
  pop,
  push,
  putSt,
  record,
  setFsw,
  waiting,
} from './x87-state';

/** Exponent from which FSIN, FCOS, FSINCOS and FPTAN refuse: |x| ≥ 2^63. */
const ANGLE_LIMIT: u32 = 0x3fff + 63;

const SINE: u32 = 0;
const COSINE: u32 = 1;
const TANGENT: u32 = 2;

/** Result = function of the angle (s, m), which is no NaN and in range; prepareAngle has been called unless it is zero. */
function angleFunction(which: u32, s: u32, m: u64): void {
  if (!m) {
    if (which == COSINE) setOne(0);
    else setResult(s, m);
  } else if (which == SINE) resultSine(signOf(s));
  else if (which == COSINE) resultCosine();
  else resultTangent(signOf(s));
}

/** FSIN, FCOS, FSINCOS, FPTAN: a: what replaces ST(0), b: what is pushed + 1: SINE, COSINE, TANGENT, 3: one. */
export function x87Angle(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const s = se(0);
  const m = sig(0);
  let pse = INDEFINITE_SE;
  let psig = INDEFINITE_SIG;
  if (isEmpty(0)) stackUnderflow();
  else if (b && !isEmpty(7)) stackOverflow();
  else {
    beginOp();
    if (specialOne(s, m)) {
      pse = zSe;
      psig = zSig;
    } else if (isInfinity(s, m)) invalid();
    else if (expOf(s) >= ANGLE_LIMIT) {
      settle();
      setFsw(fsw() | FSW_C2);
      return;
    } else {
      noteDenormal(s, m);
      if (m) prepareAngle(s, m);
      if (b == 4) setOne(0);
      else if (b) angleFunction(b - 1, s, m);
      pse = zSe;
      psig = zSig;
      angleFunction(a, s, m);
    }
  }
  const done = settle();
  // With two results C1 does not tell how one was rounded.
  setFsw(fsw() & ~(b && done && !(exc & FSW_SF) ? FSW_C2 | FSW_C1 : FSW_C2));
  if (!done) return;
  putSt(0, zSe, zSig);
  if (b) push(pse, psig);
}

/** F2XM1: beyond ±1 undefined; here the operand stays as it is. */
export function x87Exp2Minus1(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const s = se(0);
  const m = sig(0);
  if (isEmpty(0)) stackUnderflow();
  else {
    beginOp();
    if (!specialOne(s, m)) {
      noteDenormal(s, m);
      const e = expOf(s);
      if (isInfinity(s, m) && signOf(s)) setOne(1);
      else if (!m || isInfinity(s, m)) setResult(s, m);
      else if (e < <u32>BIAS) exp2Minus1(s, m);
      else {
        const minusOne = s == 0xbfff && m == INTEGER_BIT;
        raiseX(FSW_PE);
        setResult(minusOne ? 0xbffe : s, m);
      }
    }
  }
  if (settle()) putSt(0, zSe, zSig);
}

/** Is a magnitude with this sign and exponent at least 1? */
function atLeastOne(s: u32): bool {
  return expOf(s) >= <u32>BIAS;
}

/** Result = y × log2 x */
function logarithm(ys: u32, ym: u64, xs: u32, xm: u64): void {
  if (specialTwo(ys, ym, xs, xm)) return;
  const sign = signOf(ys);
  const yZero = isZero(ys, ym);
  const yInf = isInfinity(ys, ym);
  if (!xm) {
    if (yZero) invalid();
    else {
      if (!yInf) raiseX(FSW_ZE);
      setInfinity(sign ^ 1);
    }
    return;
  }
  const one = xs == <u32>BIAS && xm == INTEGER_BIT;
  const xInf = isInfinity(xs, xm);
  if (signOf(xs) || (xInf && yZero) || (one && yInf)) {
    invalid();
    return;
  }
  noteDenormal(ys, ym);
  noteDenormal(xs, xm);
  const minus = sign ^ u32(!atLeastOne(xs));
  if (yInf || xInf) setInfinity(minus);
  else if (yZero || one) setZero(minus);
  else yLog2x(ys, ym, xs, xm);
}

/** Result = y × log2(1 + x). For x ≤ -1 it is undefined: here x itself, as AMD's processors have it. */
function logarithmPlus1(ys: u32, ym: u64, xs: u32, xm: u64): void {
  if (specialTwo(ys, ym, xs, xm)) return;
  const sign = signOf(ys) ^ signOf(xs);
  const yInf = isInfinity(ys, ym);
  const xInf = isInfinity(xs, xm);
  const below = signOf(xs) != 0 && atLeastOne(xs);
  if ((!xm && yInf) || (xInf && (below || isZero(ys, ym)))) {
    invalid();
    return;
  }
  noteDenormal(ys, ym);
  noteDenormal(xs, xm);
  if (yInf || xInf) setInfinity(sign);
  else if (!xm || !ym) setZero(sign);
  else if (below) {
    raiseX(FSW_PE);
    setResult(xs, xm);
  } else yLog2xPlus1(ys, ym, xs, xm);
}

/** Result = angle of the point (x, y), by SDM vol. 2A, table 3-30. */
function pointAngle(ys: u32, ym: u64, xs: u32, xm: u64): void {
  if (specialTwo(ys, ym, xs, xm)) return;
  noteDenormal(ys, ym);
  noteDenormal(xs, xm);
  const sign = signOf(ys);
  const xNegative = signOf(xs) != 0;
  const yInf = isInfinity(ys, ym);
  const xInf = isInfinity(xs, xm);
  if (yInf) quarterTurns(sign, xInf ? (xNegative ? 3 : 1) : 2);
  else if (xInf || !ym) {
    if (xNegative) quarterTurns(sign, 4);
    else setZero(sign);
  } else if (!xm) quarterTurns(sign, 2);
  else arctangent(ys, ym, xs, xm);
}

const FUNCTION_YL2X: u32 = 0;
const FUNCTION_YL2XP1: u32 = 1;

/** FYL2X, FYL2XP1, FPATAN, by a: ST(1) = function of ST(1) and ST(0), then pop. */
export function x87TwoOperands(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0) || isEmpty(1)) stackUnderflow();
  else {
    beginOp();
    if (a == FUNCTION_YL2X) logarithm(se(1), sig(1), se(0), sig(0));
    else if (a == FUNCTION_YL2XP1) logarithmPlus1(se(1), sig(1), se(0), sig(0));
    else pointAngle(se(1), sig(1), se(0), sig(0));
  }
  if (!settle()) return;
  putSt(1, zSe, zSig);
  pop();
}
