// Lift of branches (Arm ARM C4.1.65). Exception-generating and system instructions are lift-system.ts's.

import { currentRip, emit, followingRip } from '../ir/emit';
import { LIFT_END, LIFT_NONE } from '../ir/lift-result';
import { ALU_AND, ALU_IMM, OP_JCC, OP_JMP, OP_JMPI, OP_JNZ, OP_JZ, SIZE64 } from '../ir/ops';
import { S_X30 } from '../layout/arm-state';
import { bits, conditionOf, emitConstant, emitMove, isAlways, quiet, rd, rn, signedBits, sizeOf } from './operands';
import { srcSlot, tempSlot } from './slots';

/** Target: `width` bits from bit `low`, in words, from this instruction. */
function target(insn: u32, low: u32, width: u32): u64 {
  return currentRip() + <u64>(signedBits(insn, low, width) << 2);
}

export function liftBranch(insn: u32): u32 {
  if ((insn & 0x7c000000) == 0x14000000) {
    if (insn >> 31) emitConstant(S_X30, followingRip());
    emit(OP_JMP, 0, 0, 0, target(insn, 0, 26));
    return LIFT_END;
  }
  if ((insn & 0x7e000000) == 0x34000000) return liftCompareBranch(insn);
  if ((insn & 0x7e000000) == 0x36000000) return liftTestBranch(insn);
  if ((insn & 0xff000010) == 0x54000000) {
    const cond = bits(insn, 0, 4);
    if (isAlways(cond)) emit(OP_JMP, 0, 0, 0, target(insn, 5, 19));
    else emit(OP_JCC, 0, conditionOf(cond), 0, target(insn, 5, 19));
    return LIFT_END;
  }
  if ((insn & 0xff9ffc1f) == 0xd61f0000) return liftRegisterBranch(insn);
  return LIFT_NONE;
}

/** CBZ, CBNZ. */
function liftCompareBranch(insn: u32): u32 {
  emit(bits(insn, 24, 1) ? OP_JNZ : OP_JZ, 0, srcSlot(rd(insn)), sizeOf(insn), target(insn, 5, 19));
  return LIFT_END;
}

/** TBZ, TBNZ: NZCV stays as it is, so the bit goes to a temporary. */
function liftTestBranch(insn: u32): u32 {
  const bit = (bits(insn, 31, 1) << 5) | bits(insn, 19, 5);
  emit(quiet(ALU_AND, SIZE64) | ALU_IMM, tempSlot(0), srcSlot(rd(insn)), 0, (<u64>1) << (<u64>bit));
  emit(bits(insn, 24, 1) ? OP_JNZ : OP_JZ, 0, tempSlot(0), SIZE64, target(insn, 5, 14));
  return LIFT_END;
}

/** BR, BLR, RET. */
function liftRegisterBranch(insn: u32): u32 {
  const what = bits(insn, 21, 2);
  if (what == 3) return LIFT_NONE;
  let to = srcSlot(rn(insn));
  if (what == 1) {
    if (to == S_X30) {
      to = tempSlot(0);
      emitMove(SIZE64, to, S_X30);
    }
    emitConstant(S_X30, followingRip());
  }
  emit(OP_JMPI, 0, to, 0, 0);
  return LIFT_END;
}
