// The Cryptographic Extension's instructions.

import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { bits, rd, rm, rn } from '../operands';
import { vSlot } from '../slots';
import { emitArm } from './emitters';
import { A_AESE, A_SHA1C, A_SHA1H, FORM_Q } from './kinds';

/** AESE, AESD, AESMC, AESIMC: opcodes 4–7. */
export function liftAes(insn: u32): u32 {
  const opcode = bits(insn, 12, 5);
  if (bits(insn, 29, 2) != 2 || bits(insn, 22, 2) || opcode < 4 || opcode > 7) return LIFT_NONE;
  const n = vSlot(rn(insn));
  emitArm(A_AESE + opcode - 4, FORM_Q, vSlot(rd(insn)), n, n, 0);
  return LIFT_NEXT;
}

/** SHA1C, P, M, SU0, SHA256H, H2, SU1: opcodes 0–6. */
export function liftSha3(insn: u32): u32 {
  const opcode = bits(insn, 12, 3);
  if (bits(insn, 29, 1) || opcode > 6) return LIFT_NONE;
  emitArm(A_SHA1C + opcode, FORM_Q, vSlot(rd(insn)), vSlot(rn(insn)), vSlot(rm(insn)), 0);
  return LIFT_NEXT;
}

/** SHA1H, SHA1SU1, SHA256SU0: opcodes 0–2. */
export function liftSha2(insn: u32): u32 {
  const opcode = bits(insn, 12, 5);
  if (bits(insn, 29, 1) || bits(insn, 22, 2) || opcode > 2) return LIFT_NONE;
  const n = vSlot(rn(insn));
  emitArm(A_SHA1H + opcode, FORM_Q, vSlot(rd(insn)), n, n, 0);
  return LIFT_NEXT;
}
