// Shifts by an immediate, and conversions of fixed point ("Advanced SIMD shift by immediate", scalar and vector).

import { emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { V_ADD_I8X16, V_SHLI_I16X8, V_SHRI_S16X8, V_SHRI_U16X8 } from '../../sse/vops';
import { bits, rd, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, isFull, keepLow, vTemp } from './emitters';
import {
  A_FCVT_S,
  A_FCVT_U,
  A_RSHRI_S,
  A_RSHRI_U,
  A_SCVTF,
  A_SHLI,
  A_SHRI_S,
  A_SHRI_U,
  A_SLI,
  A_SQSHLI,
  A_SQSHLUI,
  A_SQXTN,
  A_SQXTUN,
  A_SRI,
  A_SXTL,
  A_UCVTF,
  A_UQSHLI,
  A_UQXTN,
  A_UXTL,
  A_XTN,
  FORM_Q,
  FORM_SCALAR,
} from './kinds';
import { ROUND_ZERO } from './status';

/** d = a shifted to the right, by a kind shared with x86 where there is one. */
function emitRight(u: u32, rounded: bool, size: u32, d: u32, a: u32, n: u32): void {
  if (rounded) emitArm(u ? A_RSHRI_U : A_RSHRI_S, size | FORM_Q, d, a, a, n);
  else if (u && size) emitVec(V_SHRI_U16X8 + size - 1, d, a, a, n);
  else if (!u && (size == 1 || size == 2)) emitVec(V_SHRI_S16X8 + size - 1, d, a, a, n);
  else emitArm(u ? A_SHRI_U : A_SHRI_S, size | FORM_Q, d, a, a, n);
}
function emitLeft(size: u32, d: u32, a: u32, n: u32): void {
  if (size) emitVec(V_SHLI_I16X8 + size - 1, d, a, a, n);
  else emitArm(A_SHLI, FORM_Q, d, a, a, n);
}

/** Opcodes 0–10: within lanes of one size. `left`, `right`: the counts that the immediate means. */
function liftPlain(opcode: u32, u: u32, size: u32, full: bool, d: u32, n: u32, left: u32, right: u32): u32 {
  switch (opcode) {
    case 0:
    case 4:
      emitRight(u, opcode == 4, size, d, n, right);
      break;
    case 2:
    case 6:
      emitRight(u, opcode == 6, size, vTemp(0), n, right);
      emitVec(V_ADD_I8X16 + size, d, d, vTemp(0), 0);
      break;
    case 8:
      if (!u) return LIFT_NONE;
      emitArm(A_SRI, size | FORM_Q, d, n, n, right);
      break;
    case 10:
      if (u) emitArm(A_SLI, size | FORM_Q, d, n, n, left);
      else emitLeft(size, d, n, left);
      break;
    default:
      return LIFT_NONE;
  }
  keepLow(full, d);
  return LIFT_NEXT;
}

/** Opcodes 16–19: to the right and narrowed. `size`: of the narrow lanes. */
function liftNarrowing(opcode: u32, u: u32, form: u32, d: u32, n: u32, right: u32): u32 {
  const t = vTemp(0);
  const rounded = (opcode & 1) != 0;
  // Unsigned to unsigned only for UQSHRN; SHRN keeps none of the bits that make a difference.
  emitRight(u32(opcode >= 18 && u != 0), rounded, (form & 3) + 1, t, n, right);
  if (opcode < 18) emitArm(u ? A_SQXTUN : A_XTN, form, d, t, t, 0);
  else emitArm(u ? A_UQXTN : A_SQXTN, form, d, t, t, 0);
  return LIFT_NEXT;
}

export function liftShift(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const opcode = bits(insn, 11, 5);
  const immediate = bits(insn, 16, 7);
  const full = !scalar && isFull(insn);
  // The highest bit set of immh gives the lanes' width.
  const size = 31 - clz(immediate >> 3);
  const width: u32 = 8 << size;
  const left = immediate - width;
  const right = 2 * width - immediate;
  const form = size | (scalar ? FORM_SCALAR : full ? FORM_Q : 0);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (opcode >= 16 && opcode <= 20) {
    if (size == 3) return LIFT_NONE;
    if (opcode == 20) {
      if (scalar) return LIFT_NONE;
      emitArm(u ? A_UXTL : A_SXTL, form, d, n, n, 0);
      if (left) emitLeft(size + 1, d, d, left);
      return LIFT_NEXT;
    }
    if (scalar && opcode < 18 && !u) return LIFT_NONE;
    return liftNarrowing(opcode, u, form, d, n, right);
  }
  if (size == 3 && !full && !scalar) return LIFT_NONE;
  if (opcode <= 10) return scalar && size != 3 ? LIFT_NONE : liftPlain(opcode, u, size, full, d, n, left, right);
  switch (opcode) {
    case 12:
      if (!u) return LIFT_NONE;
      emitArm(A_SQSHLUI, form, d, n, n, left);
      break;
    case 14:
      emitArm(u ? A_UQSHLI : A_SQSHLI, form, d, n, n, left);
      break;
    case 28:
    case 31:
      if (size < 2) return LIFT_NONE;
      if (opcode == 28) emitArm(u ? A_UCVTF : A_SCVTF, form, d, n, n, right << 8);
      else emitArm(u ? A_FCVT_U : A_FCVT_S, form, d, n, n, ROUND_ZERO | (right << 8));
      break;
    default:
      return LIFT_NONE;
  }
  return LIFT_NEXT;
}
