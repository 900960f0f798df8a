// Three registers with lanes of the same size (Arm ARM C4.1.71, "Advanced SIMD three same", "scalar three same").

import { emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import {
  V_ADD_I8X16,
  V_AND,
  V_ANDNOT,
  V_AVG_U8X16,
  V_EQ_I8X16,
  V_GT_S8X16,
  V_MAX_S8X16,
  V_MIN_S8X16,
  V_MUL_I16X8,
  V_OR,
  V_SUB_I8X16,
  V_XOR,
} from '../../sse/vops';
import { bits, rd, rm, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, emitPairs, isFull, keepLow, vTemp } from './emitters';
import {
  A_BIF,
  A_BIT,
  A_BSL,
  A_CMGE,
  A_CMHI,
  A_CMHS,
  A_CMTST,
  A_FABD,
  A_FACGE,
  A_FACGT,
  A_FADD,
  A_FCMEQ,
  A_FCMGE,
  A_FCMGT,
  A_FDIV,
  A_FMADD,
  A_FMAX,
  A_FMAXNM,
  A_FMIN,
  A_FMINNM,
  A_FMSUB,
  A_FMUL,
  A_FMULX,
  A_FRECPS,
  A_FRSQRTS,
  A_FSUB,
  A_MUL,
  A_ORN,
  A_PMUL,
  A_SABD,
  A_SHADD,
  A_SHSUB,
  A_SQADD,
  A_SQDMULH,
  A_SQRDMULH,
  A_SQRSHL,
  A_SQSHL,
  A_SQSUB,
  A_SRHADD,
  A_SRSHL,
  A_SSHL,
  armKind,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';

/** Opcodes (bits 15–11) that have a scalar form for all sizes; for 64 bits only. */
const SCALAR_ANY: u32 = (1 << 1) | (1 << 5) | (1 << 9) | (1 << 11) | (1 << 22);
const SCALAR_64: u32 = (1 << 6) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 16) | (1 << 17);

/** Kind of a product's low half. */
function multiplyKind(size: u32): u32 {
  return size ? V_MUL_I16X8 + size - 1 : armKind(A_MUL, 0);
}

function logicKind(which: u32): u32 {
  switch (which) {
    case 0:
      return V_AND;
    case 1:
      return V_ANDNOT;
    case 2:
      return V_OR;
    case 3:
      return armKind(A_ORN, FORM_Q);
    case 4:
      return V_XOR;
    case 5:
      return armKind(A_BSL, FORM_Q);
    case 6:
      return armKind(A_BIT, FORM_Q);
    default:
      return armKind(A_BIF, FORM_Q);
  }
}

/** No kind. */
const NONE: u32 = 0xffff;

/** Kinds of the operations that need no more than one; NONE: another opcode, or there is none of this size. */
function simpleKind(opcode: u32, u: u32, size: u32): u32 {
  const narrow = size < 3;
  switch (opcode) {
    case 0:
      return narrow ? armKind(A_SHADD + u, size | FORM_Q) : NONE;
    case 2:
      if (u && size < 2) return V_AVG_U8X16 + size;
      return narrow ? armKind(A_SRHADD + u, size | FORM_Q) : NONE;
    case 4:
      return narrow ? armKind(A_SHSUB + u, size | FORM_Q) : NONE;
    case 6:
      return u ? armKind(A_CMHI, size | FORM_Q) : V_GT_S8X16 + size;
    case 7:
      return armKind(u ? A_CMHS : A_CMGE, size | FORM_Q);
    case 8:
      return armKind(A_SSHL + u, size | FORM_Q);
    case 10:
      return armKind(A_SRSHL + u, size | FORM_Q);
    case 12:
    case 20:
      return narrow ? V_MAX_S8X16 + 2 * size + u : NONE;
    case 13:
    case 21:
      return narrow ? V_MIN_S8X16 + 2 * size + u : NONE;
    case 14:
    case 15:
      return narrow ? armKind(A_SABD + u, size | FORM_Q) : NONE;
    case 16:
      return u ? V_SUB_I8X16 + size : V_ADD_I8X16 + size;
    case 17:
      return u ? V_EQ_I8X16 + size : armKind(A_CMTST, size | FORM_Q);
    case 18:
      return narrow ? multiplyKind(size) : NONE;
    case 19:
      if (u) return size ? NONE : armKind(A_PMUL, FORM_Q);
      return narrow ? multiplyKind(size) : NONE;
    case 23:
      return u ? NONE : V_ADD_I8X16 + size;
    default:
      return NONE;
  }
}

/** Saturating operations, which mind how many lanes there are; 0: another opcode. */
function saturatingOp(opcode: u32, u: u32, size: u32): u32 {
  switch (opcode) {
    case 1:
      return A_SQADD + u;
    case 5:
      return A_SQSUB + u;
    case 9:
      return A_SQSHL + u;
    case 11:
      return A_SQRSHL + u;
    case 22:
      if (size != 1 && size != 2) return 0;
      return u ? A_SQRDMULH : A_SQDMULH;
    default:
      return 0;
  }
}

/** d = opcode of n and m, integers. `form`: size and FORM_Q or FORM_SCALAR. */
export function emitThreeSame(opcode: u32, u: u32, form: u32, d: u32, n: u32, m: u32): u32 {
  const size = form & 3;
  const full = (form & FORM_Q) != 0;
  const saturating = saturatingOp(opcode, u, size);
  if (saturating) {
    emitArm(saturating, form, d, n, m, 0);
    return LIFT_NEXT;
  }
  const kind = simpleKind(opcode, u, size);
  if (kind == NONE) return LIFT_NONE;
  if (opcode == 20 || opcode == 21 || opcode == 23) {
    emitPairs(full, size, n, m);
    n = vTemp(0);
    m = vTemp(1);
  }
  if (opcode == 15 || opcode == 18) {
    // Absolute differences, products: accumulated.
    emitVec(kind, vTemp(0), n, m, 0);
    emitVec((opcode == 18 && u ? V_SUB_I8X16 : V_ADD_I8X16) + size, d, d, vTemp(0), 0);
  } else emitVec(kind, d, n, m, 0);
  keepLow(full, d);
  return LIFT_NEXT;
}

/** Operation of a floating-point opcode; `a` is bit 23. 0: there is none. */
function floatOp(opcode: u32, u: u32, a: u32): u32 {
  switch (opcode) {
    case 24:
      return a ? A_FMINNM : A_FMAXNM;
    case 25:
      return u ? 0 : a ? A_FMSUB : A_FMADD;
    case 26:
      if (u) return a ? A_FABD : A_FADD;
      return a ? A_FSUB : A_FADD;
    case 27:
      return a ? 0 : u ? A_FMUL : A_FMULX;
    case 28:
      if (u) return a ? A_FCMGT : A_FCMGE;
      return a ? 0 : A_FCMEQ;
    case 29:
      return u ? (a ? A_FACGT : A_FACGE) : 0;
    case 30:
      return a ? A_FMIN : A_FMAX;
    case 31:
      if (u) return a ? 0 : A_FDIV;
      return a ? A_FRSQRTS : A_FRECPS;
    default:
      return 0;
  }
}

/** The same for floating point. */
export function emitThreeSameFloat(opcode: u32, u: u32, a: u32, form: u32, d: u32, n: u32, m: u32): u32 {
  const op = floatOp(opcode, u, a);
  if (!op) return LIFT_NONE;
  if (u && (opcode == 24 || opcode == 30 || (opcode == 26 && !a))) {
    emitPairs((form & FORM_Q) != 0, form & 3, n, m);
    n = vTemp(0);
    m = vTemp(1);
  }
  // The accumulator of the fused ones.
  emitArm(op, form, d, n, m, opcode == 25 ? d : 0);
  return LIFT_NEXT;
}

/** FMULX, FCMEQ, FRECPS, FRSQRTS; FCMGE, FACGE, FABD, FCMGT, FACGT. */
function scalarFloat(opcode: u32, u: u32, a: u32): bool {
  if (!u) return opcode == 27 || opcode == 28 || opcode == 31;
  return opcode == 28 || opcode == 29 || (opcode == 26 && a != 0);
}

export function liftThreeSame(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 11, 5);
  const full = !scalar && isFull(insn);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  const m = vSlot(rm(insn));
  const form = scalar ? FORM_SCALAR : full ? FORM_Q : 0;
  if (opcode >= 24) {
    const a = size >> 1;
    if (scalar && !scalarFloat(opcode, u, a)) return LIFT_NONE;
    const fmt = 2 + (size & 1);
    if (fmt == 3 && !full && !scalar) return LIFT_NONE;
    return emitThreeSameFloat(opcode, u, a, form | fmt, d, n, m);
  }
  if (scalar) {
    if (!((SCALAR_ANY >> opcode) & 1) && (!((SCALAR_64 >> opcode) & 1) || size != 3)) return LIFT_NONE;
  } else if (opcode == 3) {
    // BIC is ~m & n.
    const which = (u << 2) | size;
    emitVec(logicKind(which), d, which == 1 ? m : n, which == 1 ? n : m, 0);
    keepLow(full, d);
    return LIFT_NEXT;
  } else if (size == 3 && !full) return LIFT_NONE;
  return emitThreeSame(opcode, u, form | size, d, n, m);
}
