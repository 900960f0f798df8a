// One register to another ("Advanced SIMD two-register miscellaneous", scalar and vector), across lanes, and pairs of
// one register.

import { emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { V_ADD_I8X16, V_EQ_I8X16, V_GT_S8X16, V_SHLI_I16X8 } from '../../sse/vops';
import { bits, rd, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, emitZeros, isFull, keepLow, vTemp } from './emitters';
import {
  A_ABS,
  A_ADDV,
  A_CLS,
  A_CLZ,
  A_CMGE,
  A_CNT,
  A_DUP,
  A_FADD,
  A_FMAX,
  A_FMAXNM,
  A_FMAXV,
  A_FMIN,
  A_FMINNM,
  A_NEG,
  A_NOT,
  A_RBIT,
  A_REV16,
  A_REV32,
  A_REV64,
  A_SADDLP,
  A_SADDLV,
  A_SMAXV,
  A_SMINV,
  A_SQABS,
  A_SQNEG,
  A_SQXTN,
  A_SQXTUN,
  A_SUQADD,
  A_UADDLP,
  A_UADDLV,
  A_UMAXV,
  A_UMINV,
  A_UQXTN,
  A_USQADD,
  A_UXTL,
  A_XTN,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { liftTwoFloat } from './lift-two-float';

/** CMGT, CMGE, CMEQ, CMLE, CMLT with zero: opcodes 8–10. */
function emitCompareZero(opcode: u32, u: u32, size: u32, d: u32, n: u32): void {
  const zero = emitZeros(0);
  if (opcode == 8) {
    if (u) emitArm(A_CMGE, size | FORM_Q, d, n, zero, 0);
    else emitVec(V_GT_S8X16 + size, d, n, zero, 0);
  } else if (opcode == 9) {
    if (u) emitArm(A_CMGE, size | FORM_Q, d, zero, n, 0);
    else emitVec(V_EQ_I8X16 + size, d, n, zero, 0);
  } else emitVec(V_GT_S8X16 + size, d, zero, n, 0);
}

/** Operations of one lane or a few that a single kind does; -1: another opcode, or there is none of this size. */
function laneOp(opcode: u32, u: u32, size: u32): i32 {
  switch (opcode) {
    case 0:
      if (u) return size < 2 ? A_REV32 : -1;
      return size < 3 ? A_REV64 : -1;
    case 1:
      return !u && !size ? A_REV16 : -1;
    case 4:
      if (size == 3) return -1;
      return u ? A_CLZ : A_CLS;
    case 5:
      if (!u) return size ? -1 : A_CNT;
      if (size == 0) return A_NOT;
      return size == 1 ? A_RBIT : -1;
    case 11:
      return u ? A_NEG : A_ABS;
    default:
      return -1;
  }
}

/** SQXTN, UQXTN, SQXTUN by opcode 20, 18 and U. */
function narrowingOp(opcode: u32, u: u32): u32 {
  if (opcode == 18) return u ? A_SQXTUN : A_XTN;
  return u ? A_UQXTN : A_SQXTN;
}

export function liftTwoMisc(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 12, 5);
  const full = !scalar && isFull(insn);
  const form = size | (scalar ? FORM_SCALAR : full ? FORM_Q : 0);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  switch (opcode) {
    case 3:
    case 7:
      if (size == 3 && !full && !scalar) return LIFT_NONE;
      if (opcode == 3) emitArm(u ? A_USQADD : A_SUQADD, form, d, n, n, 0);
      else emitArm(u ? A_SQNEG : A_SQABS, form, d, n, n, 0);
      return LIFT_NEXT;
    case 8:
    case 9:
    case 10:
      if ((opcode == 10 && u) || (size == 3 ? !full && !scalar : scalar)) return LIFT_NONE;
      emitCompareZero(opcode, u, size, d, n);
      keepLow(full, d);
      return LIFT_NEXT;
    case 18:
    case 20:
      if (size == 3 || (scalar && opcode == 18 && !u)) return LIFT_NONE;
      emitArm(narrowingOp(opcode, u), form, d, n, n, 0);
      return LIFT_NEXT;
    case 2:
    case 6:
      if (scalar || size == 3) return LIFT_NONE;
      emitArm(u ? A_UADDLP : A_SADDLP, size | FORM_Q, opcode == 6 ? vTemp(0) : d, n, n, 0);
      if (opcode == 6) emitVec(V_ADD_I8X16 + size + 1, d, d, vTemp(0), 0);
      keepLow(full, d);
      return LIFT_NEXT;
    case 19:
      // SHLL: by the width of the narrow lanes.
      if (scalar || !u || size == 3) return LIFT_NONE;
      emitArm(A_UXTL, form, d, n, n, 0);
      emitVec(V_SHLI_I16X8 + size, d, d, d, 8 << size);
      return LIFT_NEXT;
    default:
      break;
  }
  if (opcode >= 12 && opcode != 18) return liftTwoFloat(insn, scalar);
  const op = laneOp(opcode, u, size);
  if (op < 0 || (scalar && (opcode != 11 || size != 3)) || (size == 3 && !full && !scalar)) return LIFT_NONE;
  emitArm(op, (opcode == 5 ? 0 : size) | FORM_Q, d, n, n, 0);
  keepLow(full, d);
  return LIFT_NEXT;
}

/** FMAXNM, FMAX and FMINNM, FMIN by opcode and bit 23; 0: another opcode. */
function extremeOp(opcode: u32, a: u32): u32 {
  if (opcode == 12) return a ? A_FMINNM : A_FMAXNM;
  if (opcode == 15) return a ? A_FMIN : A_FMAX;
  return 0;
}

/** Sums, minima, maxima of all lanes. */
export function liftAcross(insn: u32): u32 {
  const u = bits(insn, 29, 1);
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 12, 5);
  const full = isFull(insn);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  const extreme = extremeOp(opcode, size >> 1);
  if (extreme) {
    if (!u || size & 1 || !full) return LIFT_NONE;
    emitArm(A_FMAXV, 2 | FORM_Q, d, n, n, extreme);
    return LIFT_NEXT;
  }
  if (size == 3 || (size == 2 && !full)) return LIFT_NONE;
  let op: u32;
  if (opcode == 3) op = u ? A_UADDLV : A_SADDLV;
  else if (opcode == 10) op = u ? A_UMAXV : A_SMAXV;
  else if (opcode == 26) op = u ? A_UMINV : A_SMINV;
  else if (opcode == 27 && !u) op = A_ADDV;
  else return LIFT_NONE;
  emitArm(op, size | (full ? FORM_Q : 0), d, n, n, 0);
  return LIFT_NEXT;
}

/** Lanes 0 and 1 of one register ("Advanced SIMD scalar pairwise"). */
export function liftScalarPairwise(insn: u32): u32 {
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 12, 5);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (!bits(insn, 29, 1)) {
    if (opcode != 27 || size != 3) return LIFT_NONE;
    emitArm(A_ADDV, 3 | FORM_Q, d, n, n, 0);
    return LIFT_NEXT;
  }
  const fmt = 2 + (size & 1);
  const op = opcode == 13 && size < 2 ? A_FADD : extremeOp(opcode, size >> 1);
  if (!op) return LIFT_NONE;
  emitArm(A_DUP, fmt | FORM_Q, vTemp(0), n, n, 1);
  emitArm(op, fmt | FORM_SCALAR, d, n, vTemp(0), 0);
  return LIFT_NEXT;
}
