// What the lifts of SIMD and floating point have in common.

import { emit, emitVec } from '../../ir/emit';
import { OP_MOVI, SIZE64 } from '../../ir/ops';
import { S_V0 } from '../../layout/arm-state';
import { V_XOR, V_ZERO_ABOVE_64, V_ZIP_LOW_I64X2 } from '../../sse/vops';
import { A_UZP1, A_UZP2, armKind, FORM_Q } from './kinds';

/** Vector temporary n, 0–7. */
export function vTemp(n: u32): u32 {
  return S_V0 + (n << 4);
}

/** d = operation of a and b, of A_* in a form. */
export function emitArm(op: u32, form: u32, d: u32, a: u32, b: u32, imm: u32): void {
  emitVec(armKind(op, form), d, a, b, imm);
}

/** Bit 30 of vector instructions: 128 bits, else 64. */
export function isFull(insn: u32): bool {
  return ((insn >> 30) & 1) != 0;
}

/** An operation of 64 bits clears the upper half of its destination. */
export function keepLow(full: bool, d: u32): void {
  if (!full) emitVec(V_ZERO_ABOVE_64, d, d, d, 0);
}

/** The vector temporary n, as zeros. */
export function emitZeros(n: u32): u32 {
  const t = vTemp(n);
  emitVec(V_XOR, t, t, t, 0);
  return t;
}

/** d = two 64-bit constants. */
export function emitConstants(d: u32, low: u64, high: u64): void {
  emit(OP_MOVI + SIZE64, d, 0, 0, low);
  emit(OP_MOVI + SIZE64, d + 8, 0, 0, high);
}

/** Even lanes of n:m to temporary 0, odd ones to temporary 1: then pairs meet. */
export function emitPairs(full: bool, size: u32, n: u32, m: u32): void {
  if (!full) {
    emitVec(V_ZIP_LOW_I64X2, vTemp(2), n, m, 0);
    n = vTemp(2);
    m = n;
  }
  emitArm(A_UZP1, size | FORM_Q, vTemp(0), n, m, 0);
  emitArm(A_UZP2, size | FORM_Q, vTemp(1), n, m, 0);
}
