// Operations with one element of a vector ("Advanced SIMD vector × indexed element"): the element goes to all lanes
// of a temporary, and then they are the operations of three registers.

import { LIFT_NONE } from '../../ir/lift-result';
import { bits, rd, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm, isFull, vTemp } from './emitters';
import { A_DUP, FORM_Q, FORM_SCALAR } from './kinds';
import { emitThreeDifferent } from './lift-three-different';
import { emitThreeSame, emitThreeSameFloat } from './lift-three-same';

/** The element's temporary: one that those operations leave alone. */
const ELEMENT: u32 = 7;

/** FMLA, FMLS, FMUL, FMULX as opcodes of three registers. */
function liftFloat(insn: u32, u: u32, opcode: u32, form: u32): u32 {
  const sz = bits(insn, 22, 1);
  const h = bits(insn, 11, 1);
  const l = bits(insn, 21, 1);
  if (!bits(insn, 23, 1) || (u && opcode != 9) || (sz && (l || !form))) return LIFT_NONE;
  const fmt = 2 + sz;
  const m = vSlot(bits(insn, 16, 5));
  emitArm(A_DUP, fmt | FORM_Q, vTemp(ELEMENT), m, m, sz ? h : (h << 1) | l);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (opcode == 9) return emitThreeSameFloat(27, u ^ 1, 0, form | fmt, d, n, vTemp(ELEMENT));
  return emitThreeSameFloat(25, 0, opcode == 5 ? 1 : 0, form | fmt, d, n, vTemp(ELEMENT));
}

export function liftByElement(insn: u32, scalar: bool): u32 {
  const u = bits(insn, 29, 1);
  const size = bits(insn, 22, 2);
  const opcode = bits(insn, 12, 4);
  const form = scalar ? FORM_SCALAR : isFull(insn) ? FORM_Q : 0;
  if (opcode == 1 || opcode == 5 || opcode == 9) return liftFloat(insn, u, opcode, form);
  if (size != 1 && size != 2) return LIFT_NONE;
  // 3, 7, 11: SQDMLAL, SQDMLSL, SQDMULL; 12, 13: SQDMULH, SQRDMULH.
  if (scalar && (u || (opcode != 3 && opcode != 7 && (opcode < 11 || opcode > 13)))) return LIFT_NONE;
  // 16-bit elements: index H:L:M of V0–V15; 32-bit ones: H:L.
  const h = bits(insn, 11, 1);
  const l = bits(insn, 21, 1);
  const m = vSlot(bits(insn, 16, size == 1 ? 4 : 5));
  const index = size == 1 ? (h << 2) | (l << 1) | bits(insn, 20, 1) : (h << 1) | l;
  const t = vTemp(ELEMENT);
  emitArm(A_DUP, size | FORM_Q, t, m, m, index);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  switch (opcode) {
    case 0:
      return u ? emitThreeSame(18, 0, form | size, d, n, t) : LIFT_NONE;
    case 4:
      return u ? emitThreeSame(18, 1, form | size, d, n, t) : LIFT_NONE;
    case 8:
      return u ? LIFT_NONE : emitThreeSame(19, 0, form | size, d, n, t);
    case 12:
    case 13:
      return u ? LIFT_NONE : emitThreeSame(22, opcode & 1, form | size, d, n, t);
    case 2:
    case 6:
    case 10:
      // SMLAL, SMLSL, SMULL.
      return emitThreeDifferent(opcode == 10 ? 12 : opcode == 2 ? 8 : 10, u, form | size, d, n, t);
    case 3:
    case 7:
    case 11:
      if (u) return LIFT_NONE;
      return emitThreeDifferent(opcode == 11 ? 13 : opcode == 3 ? 9 : 11, 0, form | size, d, n, t);
    default:
      return LIFT_NONE;
  }
}
