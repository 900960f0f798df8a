// A64's floating-point arithmetic by WebAssembly's, under the conditions of arm/simd/float-fast.ts: FPCR asks for nothing
// but the default and FPSR.IXC is set (the local PLAIN), and the result is an ordinary number. If not, as float.ts says.

import {
  A_FABS,
  A_FADD,
  A_FCMP,
  A_FCVT,
  A_FCVT_X,
  A_FDIV,
  A_FMUL,
  A_FNEG,
  A_FNMUL,
  A_FSQRT,
  A_FSUB,
  A_XCVTF,
  FORM_Q,
  FORM_SCALAR,
} from '../arm/simd/kinds';
import { ROUND_ZERO } from '../arm/simd/status';
import { CCK_EXPLICIT } from '../ir/flags';
import { FLAG_CF, FLAG_SF, FLAG_ZF } from '../layout/x86-state';
import { flagsAreExplicit, setKind, settleFlags } from './flags';
import {
  begin,
  checkLanes,
  float,
  ifNotNormal,
  LANES_BETWEEN,
  LANES_FINITE,
  leavesWhenSlow,
  NORMAL,
  NOT_TINY,
  pushNotZero,
  pushScalar,
  toSlow,
  W_ABS_F32,
  W_ADD_F32,
  W_CONST_F32,
  W_CONST_F64,
  W_CONVERT_I32_F32,
  W_DEMOTE,
  W_EQ_F32,
  W_LT_F32,
  W_PROMOTE,
  W_SQRT_F32,
} from './float';
import { CC_A, F0, F1, F2, G0, G1, G2, pop, popVector, push, pushVector, V0 } from './frame';
import { branchIf, close, SLOW } from './labels';
import { callOutArm, zeroVector } from './vector';
import {
  byte,
  const32,
  get,
  set,
  simd,
  tee,
  W_AND,
  W_EQZ,
  W_EXTEND_U,
  W_MUL,
  W_OR,
  WV_REPLACE_F32,
  WV_REPLACE_F64,
} from './wasm';

const W_NEG_F32: u32 = 0x8c;
/** i32.trunc_f32_s; f64 operands are 2 further, unsigned 1, i64 results 6. */
const W_TRUNC: u32 = 0xa8;

function end(p: usize, block: usize, what: u32, d: u32, a: u32, b: u32, imm: u32): void {
  if (!leavesWhenSlow(p, block)) callOutArm(p, block, what, d, a, b, imm);
  close();
}

/** Pops a float in a local to lane 0 of d, zeros above. */
function popScalar(d: u32, local: u32, wide: bool): void {
  zeroVector();
  get(local);
  simd(wide ? WV_REPLACE_F64 : WV_REPLACE_F32);
  byte(0);
  popVector(d);
}

function pushInfinity(wide: bool): void {
  byte(wide ? W_CONST_F64 : W_CONST_F32);
  const n = wide ? 6 : 2;
  for (let i = 0; i < n; i++) byte(0);
  byte(wide ? 0xf0 : 0x80);
  byte(0x7f);
}

/** A scalar operation of single or double precision. False if it is not done in line. */
export function emitArmFloat(p: usize, block: usize, what: u32, form: u32, d: u32, a: u32, b: u32, imm: u32): bool {
  const size = form & 3;
  if (size < 2 || what < A_FABS) return false;
  const wide = size == 3;
  if (what == A_FCMP) {
    emitCompare(p, block, what, wide, d, a, b, imm);
    return true;
  }
  if (what == A_FCVT_X) return emitToInteger(p, block, what, wide, d, a, b, imm);
  if (what == A_XCVTF) return emitFromInteger(p, block, what, wide, d, a, b, imm);
  if (!(form & FORM_SCALAR)) return form & FORM_Q ? emitPacked(p, block, what, wide, d, a, b, imm) : false;
  const x = wide ? F0 : G0;
  const y = wide ? F1 : G1;
  const r = wide ? F2 : G2;
  switch (what) {
    case A_FABS:
    case A_FNEG:
      pushScalar(a, wide);
      float(what == A_FABS ? W_ABS_F32 : W_NEG_F32, wide);
      set(r);
      popScalar(d, r, wide);
      return true;
    case A_FADD:
    case A_FSUB:
    case A_FMUL:
    case A_FDIV:
    case A_FNMUL:
    case A_FSQRT:
      break;
    case A_FCVT:
      return emitPrecision(p, block, what, wide, d, a, b, imm);
    default:
      return false;
  }
  begin();
  pushScalar(a, wide);
  set(x);
  if (what == A_FSQRT) {
    get(x);
    float(W_SQRT_F32, wide);
  } else {
    pushScalar(b, wide);
    set(y);
    get(x);
    get(y);
    float(W_ADD_F32 + (what == A_FNMUL ? 2 : what - A_FADD), wide);
    if (what == A_FNMUL) float(W_NEG_F32, wide);
  }
  set(r);
  const product = what == A_FMUL || what == A_FNMUL || what == A_FDIV;
  ifNotNormal(r, wide, product ? NOT_TINY : NORMAL);
  if (product) {
    // Zero is exact when an operand is; else it may have been too small, like what is denormal.
    pushNotZero(r, wide);
    pushNotZero(x, wide);
    if (what != A_FDIV) {
      pushNotZero(y, wide);
      byte(W_AND);
    }
    byte(W_OR);
  } else {
    get(r);
    float(W_ABS_F32, wide);
    pushInfinity(wide);
    float(W_LT_F32, wide);
    byte(W_EQZ);
  }
  branchIf(SLOW);
  close();
  popScalar(d, r, wide);
  end(p, block, what, d, a, b, imm);
  return true;
}

/** FADD, FSUB, FMUL, FDIV, FNEG, FABS of whole vectors. */
function emitPacked(p: usize, block: usize, what: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  if (what == A_FABS || what == A_FNEG) {
    pushVector(a);
    simd((wide ? 0xec : 0xe0) + (what == A_FNEG ? 1 : 0));
    popVector(d);
    return true;
  }
  if (what > A_FDIV) return false;
  begin();
  pushVector(a);
  pushVector(b);
  simd((wide ? 0xf0 : 0xe4) + (what - A_FADD));
  set(V0);
  checkLanes(V0, wide, what <= A_FSUB ? LANES_FINITE : LANES_BETWEEN);
  get(V0);
  popVector(d);
  end(p, block, what, d, a, b, imm);
  return true;
}

/** FCVT between single and double. */
function emitPrecision(p: usize, block: usize, what: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  if (imm < 2) return false;
  const from = imm == 3;
  if (from == wide) return false;
  const x = from ? F0 : G0;
  const r = wide ? F2 : G2;
  begin();
  pushScalar(a, from);
  tee(x);
  byte(wide ? W_PROMOTE : W_DEMOTE);
  set(r);
  ifNotNormal(r, wide, NOT_TINY);
  pushNotZero(x, from);
  branchIf(SLOW);
  close();
  popScalar(d, r, wide);
  end(p, block, what, d, a, b, imm);
  return true;
}

/** FCVTZS, FCVTZU without fraction bits. */
function emitToInteger(p: usize, block: usize, what: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  if ((imm & 7) != ROUND_ZERO || imm >> 8 || imm & 8) return false;
  const to64 = (imm & 16) != 0;
  const x = wide ? F0 : G0;
  begin();
  pushScalar(a, wide);
  tee(x);
  float(W_ABS_F32, wide);
  byte(wide ? W_CONST_F64 : W_CONST_F32);
  // 2^31 or 2^63: 0x41e0…, 0x43e0…, or 0x4f00…, 0x5f00….
  const zeros = wide ? 6 : 2;
  for (let i = 0; i < zeros; i++) byte(0);
  byte(wide ? 0xe0 : 0);
  byte(wide ? (to64 ? 0x43 : 0x41) : to64 ? 0x5f : 0x4f);
  float(W_LT_F32, wide);
  byte(W_EQZ);
  toSlow();
  get(x);
  byte(W_TRUNC + (wide ? 2 : 0) + (to64 ? 6 : 0));
  pop(d, to64 ? 3 : 2);
  end(p, block, what, d, a, b, imm);
  return true;
}

/** SCVTF, UCVTF from a general register without fraction bits. */
function emitFromInteger(p: usize, block: usize, what: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  if (imm >> 8) return false;
  const from64 = (imm & 16) != 0;
  const unsigned = (imm & 8) != 0;
  const r = wide ? F2 : G2;
  begin();
  push(a, from64 ? 3 : 2);
  // f32.convert_i32_s 0xb2, _u, i64_s, _u; f64 5 further.
  byte(W_CONVERT_I32_F32 + (unsigned ? 1 : 0) + (from64 ? 2 : 0) + (wide ? 5 : 0));
  set(r);
  popScalar(d, r, wide);
  end(p, block, what, d, a, b, imm);
  return true;
}

/** FCMP, FCMPE: of numbers. Less: N; equal: Z and C; greater: C. CF is the inverse of C. */
function emitCompare(p: usize, block: usize, what: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): void {
  const x = wide ? F0 : G0;
  const y = wide ? F1 : G1;
  settleFlags();
  begin();
  pushScalar(a, wide);
  set(x);
  pushScalar(b, wide);
  set(y);
  get(x);
  get(x);
  float(W_EQ_F32, wide);
  get(y);
  get(y);
  float(W_EQ_F32, wide);
  byte(W_AND);
  byte(W_EQZ);
  toSlow();
  get(x);
  get(y);
  float(W_LT_F32, wide);
  const32(FLAG_SF | FLAG_CF);
  byte(W_MUL);
  get(x);
  get(y);
  float(W_EQ_F32, wide);
  const32(FLAG_ZF);
  byte(W_MUL);
  byte(W_OR);
  byte(W_EXTEND_U);
  set(CC_A);
  setKind(CCK_EXPLICIT, 0);
  end(p, block, what, d, a, b, imm);
  flagsAreExplicit();
}
