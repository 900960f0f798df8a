// Three registers with lanes of different size: long, wide, narrowing ("Advanced SIMD three different").

import { emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { V_ADD_I8X16, V_SHRI_U16X8, V_SUB_I8X16 } from '../../sse/vops';
import { bits, rd, rm, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, isFull, vTemp } from './emitters';
import {
  A_PMULL,
  A_RSHRI_U,
  A_SABD,
  A_SMULL,
  A_SQADD,
  A_SQDMULL,
  A_SQSUB,
  A_SXTL,
  A_UABD,
  A_UMULL,
  A_UXTL,
  A_XTN,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';

/** ADDHN, SUBHN and (u) rounded: the upper halves of sums or differences. */
function emitNarrowing(kind: u32, u: u32, form: u32, d: u32, n: u32, m: u32): void {
  const size = form & 3;
  const t = vTemp(0);
  emitVec(kind, t, n, m, 0);
  if (u) emitArm(A_RSHRI_U, (size + 1) | FORM_Q, t, t, t, 8 << size);
  else emitVec(V_SHRI_U16X8 + size, t, t, t, 8 << size);
  emitArm(A_XTN, form, d, t, t, 0);
}

/** d = opcode (bits 15–12) of n and m. `form`: size of the narrow lanes, FORM_Q: their upper half; or FORM_SCALAR. */
export function emitThreeDifferent(opcode: u32, u: u32, form: u32, d: u32, n: u32, m: u32): u32 {
  const size = form & 3;
  const full = (form & FORM_SCALAR ? FORM_SCALAR : FORM_Q) | (size + 1);
  const t0 = vTemp(0);
  const t1 = vTemp(1);
  const add = V_ADD_I8X16 + size + 1;
  const subtract = V_SUB_I8X16 + size + 1;
  const extend = u ? A_UXTL : A_SXTL;
  switch (opcode) {
    case 0:
    case 2:
      emitArm(extend, form, t0, n, n, 0);
      emitArm(extend, form, t1, m, m, 0);
      emitVec(opcode ? subtract : add, d, t0, t1, 0);
      break;
    case 1:
    case 3:
      emitArm(extend, form, t1, m, m, 0);
      emitVec(opcode == 3 ? subtract : add, d, n, t1, 0);
      break;
    case 4:
      emitNarrowing(add, u, form, d, n, m);
      break;
    case 6:
      emitNarrowing(subtract, u, form, d, n, m);
      break;
    case 5:
    case 7:
      emitArm(extend, form, t0, n, n, 0);
      emitArm(extend, form, t1, m, m, 0);
      emitArm(u ? A_UABD : A_SABD, full, opcode == 5 ? t0 : d, t0, t1, 0);
      if (opcode == 5) emitVec(add, d, d, t0, 0);
      break;
    case 8:
    case 10:
      emitArm(u ? A_UMULL : A_SMULL, form, t0, n, m, 0);
      emitVec(opcode == 8 ? add : subtract, d, d, t0, 0);
      break;
    case 9:
    case 11:
      emitArm(A_SQDMULL, form, t0, n, m, 0);
      emitArm(opcode == 9 ? A_SQADD : A_SQSUB, full, d, d, t0, 0);
      break;
    case 12:
      emitArm(u ? A_UMULL : A_SMULL, form, d, n, m, 0);
      break;
    case 13:
      emitArm(A_SQDMULL, form, d, n, m, 0);
      break;
    case 14:
      emitArm(A_PMULL, form, d, n, m, 0);
      break;
    default:
      return LIFT_NONE;
  }
  return LIFT_NEXT;
}

export function liftThreeDifferent(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 12, 4);
  const doubling = opcode == 9 || opcode == 11 || opcode == 13;
  if (scalar && !doubling) return LIFT_NONE;
  if (doubling && (u || size == 0)) return LIFT_NONE;
  if (opcode == 14) {
    if (u || size == 1 || size == 2) return LIFT_NONE;
  } else if (size == 3) return LIFT_NONE;
  const form = size | (scalar ? FORM_SCALAR : isFull(insn) ? FORM_Q : 0);
  return emitThreeDifferent(opcode, u, form, vSlot(rd(insn)), vSlot(rn(insn)), vSlot(rm(insn)));
}
