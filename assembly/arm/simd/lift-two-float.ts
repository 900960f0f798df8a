// Floating point from one register to another: the upper part of "two-register miscellaneous".

import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { bits, rd, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, emitZeros, isFull, keepLow } from './emitters';
import {
  A_FABS,
  A_FCMEQ,
  A_FCMGE,
  A_FCMGT,
  A_FCVT_S,
  A_FCVT_U,
  A_FCVTL,
  A_FCVTN,
  A_FCVTXN,
  A_FNEG,
  A_FRECPE,
  A_FRECPX,
  A_FRINT,
  A_FRSQRTE,
  A_FSQRT,
  A_SCVTF,
  A_UCVTF,
  A_URECPE,
  A_URSQRTE,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { ROUND_DOWN, ROUND_FPCR, ROUND_TIE_AWAY, ROUND_TIE_EVEN, ROUND_UP, ROUND_ZERO } from './status';

/** In an A_FRINT's immediate: what is inexact is reported. */
export const RINT_EXACT: u32 = 8;

/** FCMGT, FCMEQ, FCMLT, FCMGE, FCMLE with zero: opcodes 12–14. */
function emitCompareZero(opcode: u32, u: u32, form: u32, d: u32, n: u32): void {
  const zero = emitZeros(0);
  if (opcode == 12) emitArm(u ? A_FCMGE : A_FCMGT, form, d, n, zero, 0);
  else if (opcode == 13) emitArm(u ? A_FCMGE : A_FCMEQ, form, d, u ? zero : n, u ? n : zero, 0);
  else emitArm(A_FCMGT, form, d, zero, n, 0);
}

/** Immediate of FRINTN, P, M, Z (opcodes 24, 25), or with U: A, X, I. 0xFF: there is none. */
function roundImmediate(opcode: u32, u: u32, a: u32): u32 {
  if (opcode == 24) {
    if (u) return a ? 0xff : ROUND_TIE_AWAY;
    return a ? ROUND_UP : ROUND_TIE_EVEN;
  }
  if (u) return a ? ROUND_FPCR : ROUND_FPCR | RINT_EXACT;
  return a ? ROUND_ZERO : ROUND_DOWN;
}

/** Opcodes 22 and 23: between widths. Bit 22 says which. */
function liftWidth(opcode: u32, u: u32, sz: u32, scalar: bool, upper: bool, d: u32, n: u32): u32 {
  const form = (1 + sz) | (scalar ? FORM_SCALAR : upper ? FORM_Q : 0);
  if (opcode == 23) {
    if (u || scalar) return LIFT_NONE;
    emitArm(A_FCVTL, form, d, n, n, 0);
  } else if (u) {
    if (!sz) return LIFT_NONE;
    emitArm(A_FCVTXN, form, d, n, n, 0);
  } else {
    if (scalar) return LIFT_NONE;
    emitArm(A_FCVTN, form, d, n, n, 0);
  }
  return LIFT_NEXT;
}

/** Opcodes 26 and 27: to integers. */
function conversionMode(opcode: u32, a: u32): u32 {
  if (opcode == 26) return a ? ROUND_UP : ROUND_TIE_EVEN;
  return a ? ROUND_ZERO : ROUND_DOWN;
}

export function liftTwoFloat(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const a = bits(insn, 23, 1);
  const sz = bits(insn, 22, 1);
  const opcode = bits(insn, 12, 5);
  const full = !scalar && isFull(insn);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (opcode == 22 || opcode == 23) return a ? LIFT_NONE : liftWidth(opcode, u, sz, scalar, full, d, n);
  if (sz && !full && !scalar) return LIFT_NONE;
  const form = (2 + sz) | (scalar ? FORM_SCALAR : full ? FORM_Q : 0);
  let op: u32;
  let imm: u32 = 0;
  switch (opcode) {
    case 12:
    case 13:
    case 14:
      if (!a || (opcode == 14 && u)) return LIFT_NONE;
      emitCompareZero(opcode, u, form, d, n);
      return LIFT_NEXT;
    case 15:
      if (!a || scalar) return LIFT_NONE;
      op = u ? A_FNEG : A_FABS;
      break;
    case 24:
    case 25:
      imm = roundImmediate(opcode, u, a);
      if (scalar || imm == 0xff) return LIFT_NONE;
      op = A_FRINT;
      break;
    case 28:
      if (a) {
        if (sz || scalar) return LIFT_NONE;
        emitArm(u ? A_URSQRTE : A_URECPE, 2 | FORM_Q, d, n, n, 0);
        keepLow(full, d);
        return LIFT_NEXT;
      }
      op = u ? A_FCVT_U : A_FCVT_S;
      imm = ROUND_TIE_AWAY;
      break;
    case 26:
    case 27:
      op = u ? A_FCVT_U : A_FCVT_S;
      imm = conversionMode(opcode, a);
      break;
    case 29:
      if (a) op = u ? A_FRSQRTE : A_FRECPE;
      else op = u ? A_UCVTF : A_SCVTF;
      break;
    case 31:
      if (!a || u == u32(scalar)) return LIFT_NONE;
      op = u ? A_FSQRT : A_FRECPX;
      break;
    default:
      return LIFT_NONE;
  }
  emitArm(op, form, d, n, n, imm);
  return LIFT_NEXT;
}
