// Lift of the general-purpose instructions: one-byte opcodes (SDM vol. 2, appendix A, table A-2).

import { emit, emitCall, emitMem, emitSync, followingRip } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_CMP,
  ALU_IMM,
  ALU_IMUL,
  ALU_INC,
  ALU_NEG,
  ALU_NOFLAGS,
  ALU_NOT,
  ALU_SAR,
  ALU_SHL,
  ALU_SHR,
  ALU_SUB,
  ALU_TEST,
  CC_E,
  LD_8,
  LD_16,
  LD_32,
  LD_64,
  LD_S32_64,
  LD_Z16,
  OP_ALU,
  OP_EXIT,
  OP_JCC,
  OP_JMPI,
  OP_JNZ,
  OP_LD,
  OP_LEA16,
  OP_LEA32,
  OP_LEA64,
  OP_MOV,
  OP_MOVI,
  OP_ROT,
  OP_SETCC,
  OP_ST,
  OP_SX8_16,
  OP_SX16_32,
  OP_SX32_64,
  OP_XCHG,
  OP_ZX8,
  OP_ZX16,
  ROT_RIGHT,
  SIZE8,
  SIZE16,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_RAX, S_RBP, S_RBX, S_RCX, S_RDX, S_RSP, S_ZERO, SEG_SS } from '../layout/x86-state';
import {
  asciiAdjust,
  asciiDivide,
  asciiMultiply,
  decimalAdjust,
  divide,
  getSlot,
  multiply,
  rotateCarry,
  setAlFromCarry,
} from './arith';
import {
  dAddrSize,
  dBase,
  dImm,
  dImm2,
  dMod,
  dOpcode,
  dOpSize,
  dReg,
  dRep,
  dRex,
  dRm,
  dSeg,
  gpr8Slot,
  gprSlot,
  shiftDisplacement,
} from './decode';
import { enterFrame, popAll, pushAll } from './frames';
import { MODE_CODE } from './mode';
import {
  beginRmw,
  emitLea,
  emitLoad,
  emitRead,
  emitSegment,
  emitStore,
  emitStoreNumber,
  endRmw,
  liftMode,
  temp,
} from './operand';
import {
  checkConditional,
  checkConstant,
  emitCheckTarget,
  emitJump,
  emitPop,
  emitPush,
  emitPushImm,
  emitReturn,
  emitTop,
  needsCheck,
  setStackPointer,
  stackPointerPlus,
  stackWidth,
} from './stack';
import { stringCompare, stringLoad, stringMove, stringScan, stringStore } from './strings';

function code64(): bool {
  return (liftMode & MODE_CODE) == 3;
}

/** Register slot by number and size. */
export function regSlot(n: u32, size: u32): u32 {
  return size == SIZE8 ? gpr8Slot(n) : gprSlot(n);
}

/** ALU opcode. */
export function aluOp(kind: u32, size: u32): u32 {
  return OP_ALU | (kind << 4) | (size << 2);
}

/** r/m = r/m op slot `src`. */
function aluToRm(kind: u32, size: u32, src: u32): void {
  if (dMod == 3) {
    const d = regSlot(dRm, size);
    emit(aluOp(kind, size), d, d, src, 0);
  } else if (kind == ALU_CMP || kind == ALU_TEST) {
    emit(aluOp(kind, size), 0, emitRead(size), src, 0);
  } else {
    const v = beginRmw(size);
    const r = temp();
    emit(aluOp(kind, size), r, v, src, 0);
    endRmw(size, r);
  }
}

/** r/m = r/m op imm. */
function aluImmToRm(kind: u32, size: u32, imm: u64): void {
  const op = aluOp(kind, size) | ALU_IMM;
  if (dMod == 3) {
    const d = regSlot(dRm, size);
    emit(op, d, d, 0, imm);
  } else if (kind == ALU_CMP || kind == ALU_TEST) {
    emit(op, 0, emitRead(size), 0, imm);
  } else {
    const v = beginRmw(size);
    const r = temp();
    emit(op, r, v, 0, imm);
    endRmw(size, r);
  }
}

/** reg = reg op r/m. */
function aluToReg(kind: u32, size: u32): void {
  const d = regSlot(dReg, size);
  emit(aluOp(kind, size), d, d, emitRead(size), 0);
}

/** One-operand operation in place. */
function unaryRm(op: u32, size: u32): void {
  if (dMod == 3) {
    const d = regSlot(dRm, size);
    emit(op, d, d, 0, 1);
  } else {
    const v = beginRmw(size);
    const r = temp();
    emit(op, r, v, 0, 1);
    endRmw(size, r);
  }
}

/** Group 2: shifts and rotates. `fixed`: the count is imm, else CL. */
function shiftRm(size: u32, fixed: bool, count: u32): void {
  const what = dReg & 7;
  const masked = count & (size == SIZE64 ? 63 : 31);
  let d: u32;
  if (dMod == 3) d = regSlot(dRm, size);
  else d = beginRmw(size);
  const r = dMod == 3 ? d : temp();
  if (what == 2 || what == 3) {
    if (r != d) emit(OP_MOV + SIZE64, r, d, 0, 0);
    emitCall(rotateCarry.index, r, S_RCX, <u64>(size | (what == 3 ? 4 : 0) | (fixed ? 8 : 0)) | ((<u64>count) << 8));
  } else if (what < 2) {
    const op = OP_ROT | (what ? ROT_RIGHT : 0) | (size << 2);
    if (fixed) emit(op | ALU_IMM, r, d, 0, masked);
    else emit(op, r, d, S_RCX, 0);
  } else {
    const kind: u32 = what == 5 ? ALU_SHR : what == 7 ? ALU_SAR : ALU_SHL;
    // A count of zero leaves the flags: as a plain move it does not count as a setter of flags.
    if (fixed && masked == 0) emit(OP_MOV + size, r, d, 0, 0);
    else if (fixed) emit(aluOp(kind, size) | ALU_IMM, r, d, 0, masked);
    else emit(aluOp(kind, size), r, d, S_RCX, 0);
  }
  if (dMod != 3) endRmw(size, r);
}

/** Operand size of near branches: 64 bits in 64-bit mode. */
function branchSize(): u32 {
  return code64() ? SIZE64 : dOpSize;
}

/** Target of a relative branch. */
export function branchTarget(): u64 {
  const target = followingRip() + <u64>dImm;
  const size = branchSize();
  return size == SIZE64 ? target : size == SIZE32 ? target & 0xffffffff : target & 0xffff;
}

export function liftJcc(cc: u32): u32 {
  const target = branchTarget();
  if (needsCheck(target)) {
    const taken = temp();
    emit(OP_SETCC, taken, 0, 0, cc);
    checkConditional(target, taken, SIZE8);
  }
  emit(OP_JCC, 0, cc, 0, target);
  return LIFT_END;
}

/** LOOPNE, LOOPE, LOOP, JCXZ: E0–E3. */
function liftLoop(): u32 {
  const target = branchTarget();
  if (dOpcode == 0xe3) {
    // JCXZ jumps when the count is zero: compare, without touching the flags, by a set-if-not-zero of its own.
    const z = temp();
    emitCall(countIsZero.index, z, dAddrSize, 0);
    checkConditional(target, z, SIZE8);
    emit(OP_JNZ, 0, z, SIZE8, target);
    return LIFT_END;
  }
  const count = temp();
  emit(OP_MOV + SIZE64, count, S_RCX, 0, 0);
  emit(aluOp(ALU_SUB, dAddrSize) | ALU_IMM | ALU_NOFLAGS, count, count, 0, 1);
  if (dOpcode == 0xe2) {
    checkConditional(target, count, dAddrSize);
    emit(OP_MOV + SIZE64, S_RCX, count, 0, 0);
    emit(OP_JNZ, 0, S_RCX, dAddrSize, target);
    return LIFT_END;
  }
  const taken = temp();
  emit(OP_SETCC, taken, 0, 0, dOpcode == 0xe1 ? CC_E : CC_E + 1);
  emitCall(andNotZero.index, taken, dAddrSize, count);
  checkConditional(target, taken, SIZE8);
  emit(OP_MOV + SIZE64, S_RCX, count, 0, 0);
  emit(OP_JNZ, 0, taken, SIZE8, target);
  return LIFT_END;
}

/** a = byte slot for the result, b = address size. */
function countIsZero(a: u32, b: u32, _imm: u64): void {
  store<u8>(STATE + <usize>a, u8(getSlot(S_RCX, b) == 0));
}

/** a = byte slot: cleared when the count in slot imm, of size b, is zero. */
function andNotZero(a: u32, b: u32, imm: u64): void {
  if (getSlot(<u32>imm, b) == 0) store<u8>(STATE + <usize>a, 0);
}

function liftString(helper: u32, size: u32): u32 {
  emitSync();
  const rep: u32 = dRep == 0 ? 0 : dRep == 0xf3 ? 1 : 2;
  emitCall(helper, 0, 0, <u64>(size | (dAddrSize << 2) | (dSeg << 4) | (rep << 8)));
  if (!rep) return LIFT_NEXT;
  emit(OP_EXIT, 0, 0, 0, 0);
  return LIFT_END;
}

/** Size of PUSH, POP: 16 or the mode's own. */
function stackOperand(): u32 {
  return code64() ? (dOpSize == SIZE16 ? SIZE16 : SIZE64) : dOpSize;
}

/** FE and FF groups. */
function liftGroup5(size: u32): u32 {
  switch (dReg & 7) {
    case 0:
      unaryRm(aluOp(ALU_INC, size), size);
      return LIFT_NEXT;
    case 1:
      unaryRm(aluOp(ALU_INC, size) | ALU_IMM, size);
      return LIFT_NEXT;
    case 2: {
      if (dOpcode == 0xfe) return LIFT_NONE;
      const n = branchSize();
      const target = indirectTarget(n);
      emitPushImm(n, followingRip());
      emit(OP_JMPI, 0, target, 0, 0);
      return LIFT_END;
    }
    case 4: {
      if (dOpcode == 0xfe) return LIFT_NONE;
      emit(OP_JMPI, 0, indirectTarget(branchSize()), 0, 0);
      return LIFT_END;
    }
    case 6:
      if (dOpcode == 0xfe) return LIFT_NONE;
      emitPush(stackOperand(), emitRead(stackOperand()));
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}

/** The r/m operand as a checked branch target in a temporary, zero-extended. */
function indirectTarget(size: u32): u32 {
  const t = temp();
  const v = emitRead(size);
  emit(size == SIZE16 ? OP_ZX16 : OP_MOV + size, t, v, 0, 0);
  emitCheckTarget(t);
  return t;
}

/** F6, F7. */
function liftGroup3(size: u32): u32 {
  switch (dReg & 7) {
    case 0:
    case 1:
      aluImmToRm(ALU_TEST, size, <u64>dImm);
      return LIFT_NEXT;
    case 2:
      unaryRm(aluOp(ALU_NOT, size) | ALU_NOFLAGS, size);
      return LIFT_NEXT;
    case 3:
      unaryRm(aluOp(ALU_NEG, size), size);
      return LIFT_NEXT;
    case 4:
    case 5:
      emitCall(multiply.index, emitRead(size), size, dReg & 1);
      return LIFT_NEXT;
    default:
      emitCall(divide.index, emitRead(size), size, dReg & 1);
      return LIFT_NEXT;
  }
}

/** POP r/m: an ESP-relative address uses the stack pointer after the pop. */
function liftPopRm(): u32 {
  if ((dReg & 7) != 0) return LIFT_NONE;
  const size = stackOperand();
  if (dMod == 3) {
    emitPop(size, gprSlot(dRm));
    return LIFT_NEXT;
  }
  const v = emitTop(size);
  if (dBase == S_RSP) shiftDisplacement(1 << size);
  emitStore(size, v);
  setStackPointer(stackPointerPlus(1 << size));
  return LIFT_NEXT;
}

function liftMovImmRm(size: u32): u32 {
  if ((dReg & 7) != 0) return LIFT_NONE;
  if (dMod == 3) emit(OP_MOVI + size, regSlot(dRm, size), 0, 0, <u64>dImm);
  else emitStoreNumber(size, <u64>dImm);
  return LIFT_NEXT;
}

function liftXchgRm(size: u32): u32 {
  const r = regSlot(dReg, size);
  if (dMod == 3) {
    emit(OP_XCHG + size, regSlot(dRm, size), r, 0, 0);
    return LIFT_NEXT;
  }
  const v = beginRmw(size);
  endRmw(size, r);
  emit(OP_MOV + size, r, v, 0, 0);
  return LIFT_NEXT;
}

/** MOV with an absolute offset: A0–A3. */
function liftMoffs(size: u32, toMemory: bool): u32 {
  const t = temp();
  emit(OP_MOVI + SIZE64, t, 0, 0, <u64>dImm);
  emitSegment(t, dSeg, 1 << size, toMemory);
  if (toMemory) emitMem(OP_ST + size, S_RAX, t, S_ZERO, 0, 0);
  else emitMem(OP_LD + size, S_RAX, t, S_ZERO, 0, 0);
  return LIFT_NEXT;
}

/** LEAVE: the frame is read before the registers change. */
function liftLeave(): u32 {
  const size = stackOperand();
  const w = stackWidth();
  const frame = temp();
  emitMem(w == SIZE16 ? OP_LEA16 : w == SIZE32 ? OP_LEA32 : OP_LEA64, frame, S_RBP, S_ZERO, 0, 0);
  const linear = temp();
  emit(OP_MOV + SIZE64, linear, frame, 0, 0);
  emitSegment(linear, SEG_SS, 1 << size, false);
  const v = temp();
  emitMem(OP_LD + (size == SIZE16 ? LD_Z16 : size == SIZE32 ? LD_32 : LD_64), v, linear, S_ZERO, 0, 0);
  const sp = temp();
  emitMem(w == SIZE16 ? OP_LEA16 : w == SIZE32 ? OP_LEA32 : OP_LEA64, sp, frame, S_ZERO, 0, 1 << size);
  setStackPointer(sp);
  emit(OP_MOV + size, S_RBP, v, 0, 0);
  return LIFT_NEXT;
}

/** One-byte opcodes that are not system instructions. */
export function liftInteger(): u32 {
  const op = dOpcode;
  // 00–3F: eight operations in six forms.
  if (op < 0x40 && (op & 7) < 6) {
    const kind = (op >> 3) & 7;
    const size = op & 1 ? dOpSize : SIZE8;
    switch (op & 7) {
      case 0:
      case 1:
        aluToRm(kind, size, regSlot(dReg, size));
        break;
      case 2:
      case 3:
        aluToReg(kind, size);
        break;
      default:
        emit(aluOp(kind, size) | ALU_IMM, S_RAX, S_RAX, 0, <u64>dImm);
        break;
    }
    return LIFT_NEXT;
  }
  switch (op) {
    case 0x27:
    case 0x2f:
      emitCall(decimalAdjust.index, 0, 0, u64(op == 0x2f));
      return LIFT_NEXT;
    case 0x37:
    case 0x3f:
      emitCall(asciiAdjust.index, 0, 0, u64(op == 0x3f));
      return LIFT_NEXT;
    case 0x60:
      emitCall(pushAll.index, dOpSize, 0, 0);
      return LIFT_NEXT;
    case 0x61:
      emitCall(popAll.index, dOpSize, 0, 0);
      return LIFT_NEXT;
    case 0x63:
      // MOVSXD; outside 64-bit mode the opcode is ARPL.
      if (!code64()) return LIFT_NONE;
      if (dOpSize == SIZE64) {
        if (dMod == 3) emit(OP_SX32_64, gprSlot(dReg), gprSlot(dRm), 0, 0);
        else emitLoad(LD_S32_64, gprSlot(dReg), 4);
      } else if (dMod == 3) emit(OP_MOV + dOpSize, gprSlot(dReg), gprSlot(dRm), 0, 0);
      else emitLoad(dOpSize == SIZE16 ? LD_16 : LD_32, gprSlot(dReg), 1 << dOpSize);
      return LIFT_NEXT;
    case 0x68:
    case 0x6a:
      emitPushImm(stackOperand(), <u64>dImm);
      return LIFT_NEXT;
    case 0x69:
    case 0x6b: {
      const v = emitRead(dOpSize);
      emit(aluOp(ALU_IMUL, dOpSize) | ALU_IMM, gprSlot(dReg), v, 0, <u64>dImm);
      return LIFT_NEXT;
    }
    case 0x80:
    case 0x82:
      aluImmToRm(dReg & 7, SIZE8, <u64>dImm);
      return LIFT_NEXT;
    case 0x81:
    case 0x83:
      aluImmToRm(dReg & 7, dOpSize, <u64>dImm);
      return LIFT_NEXT;
    case 0x84:
    case 0x85: {
      const size = op & 1 ? dOpSize : SIZE8;
      aluToRm(ALU_TEST, size, regSlot(dReg, size));
      return LIFT_NEXT;
    }
    case 0x86:
      return liftXchgRm(SIZE8);
    case 0x87:
      return liftXchgRm(dOpSize);
    case 0x88:
    case 0x89: {
      const size = op & 1 ? dOpSize : SIZE8;
      if (dMod == 3) emit(OP_MOV + size, regSlot(dRm, size), regSlot(dReg, size), 0, 0);
      else emitStore(size, regSlot(dReg, size));
      return LIFT_NEXT;
    }
    case 0x8a:
    case 0x8b: {
      const size = op & 1 ? dOpSize : SIZE8;
      if (dMod == 3) emit(OP_MOV + size, regSlot(dReg, size), regSlot(dRm, size), 0, 0);
      else
        emitLoad(
          size == SIZE8 ? LD_8 : size == SIZE16 ? LD_16 : size == SIZE32 ? LD_32 : LD_64,
          regSlot(dReg, size),
          1 << size,
        );
      return LIFT_NEXT;
    }
    case 0x8d: {
      if (dMod == 3) return LIFT_NONE;
      emitLea(gprSlot(dReg), dOpSize);
      return LIFT_NEXT;
    }
    case 0x8f:
      return liftPopRm();
    case 0x98:
      if (dOpSize == SIZE16) emit(OP_SX8_16, S_RAX, S_RAX, 0, 0);
      else emit(dOpSize == SIZE32 ? OP_SX16_32 : OP_SX32_64, S_RAX, S_RAX, 0, 0);
      return LIFT_NEXT;
    case 0x99:
      emit(aluOp(ALU_SAR, dOpSize) | ALU_IMM | ALU_NOFLAGS, S_RDX, S_RAX, 0, (8 << dOpSize) - 1);
      return LIFT_NEXT;
    case 0xa0:
      return liftMoffs(SIZE8, false);
    case 0xa1:
      return liftMoffs(dOpSize, false);
    case 0xa2:
      return liftMoffs(SIZE8, true);
    case 0xa3:
      return liftMoffs(dOpSize, true);
    case 0xa4:
      return liftString(stringMove.index, SIZE8);
    case 0xa5:
      return liftString(stringMove.index, dOpSize);
    case 0xa6:
      return liftString(stringCompare.index, SIZE8);
    case 0xa7:
      return liftString(stringCompare.index, dOpSize);
    case 0xa8:
      emit(aluOp(ALU_TEST, SIZE8) | ALU_IMM, 0, S_RAX, 0, <u64>dImm);
      return LIFT_NEXT;
    case 0xa9:
      emit(aluOp(ALU_TEST, dOpSize) | ALU_IMM, 0, S_RAX, 0, <u64>dImm);
      return LIFT_NEXT;
    case 0xaa:
      return liftString(stringStore.index, SIZE8);
    case 0xab:
      return liftString(stringStore.index, dOpSize);
    case 0xac:
      return liftString(stringLoad.index, SIZE8);
    case 0xad:
      return liftString(stringLoad.index, dOpSize);
    case 0xae:
      return liftString(stringScan.index, SIZE8);
    case 0xaf:
      return liftString(stringScan.index, dOpSize);
    case 0xc0:
      shiftRm(SIZE8, true, <u32>dImm & 0xff);
      return LIFT_NEXT;
    case 0xc1:
      shiftRm(dOpSize, true, <u32>dImm & 0xff);
      return LIFT_NEXT;
    case 0xc2:
      emitReturn(branchSize(), <u32>dImm & 0xffff);
      return LIFT_END;
    case 0xc3:
      emitReturn(branchSize(), 0);
      return LIFT_END;
    case 0xc6:
      return liftMovImmRm(SIZE8);
    case 0xc7:
      return liftMovImmRm(dOpSize);
    case 0xc8:
      emitCall(enterFrame.index, stackOperand(), dImm2, <u64>dImm);
      return LIFT_NEXT;
    case 0xc9:
      return liftLeave();
    case 0xd0:
      shiftRm(SIZE8, true, 1);
      return LIFT_NEXT;
    case 0xd1:
      shiftRm(dOpSize, true, 1);
      return LIFT_NEXT;
    case 0xd2:
      shiftRm(SIZE8, false, 0);
      return LIFT_NEXT;
    case 0xd3:
      shiftRm(dOpSize, false, 0);
      return LIFT_NEXT;
    case 0xd4:
      emitCall(asciiMultiply.index, 0, 0, <u64>dImm & 0xff);
      return LIFT_NEXT;
    case 0xd5:
      emitCall(asciiDivide.index, 0, 0, <u64>dImm & 0xff);
      return LIFT_NEXT;
    case 0xd6:
      emitCall(setAlFromCarry.index, 0, 0, 0);
      return LIFT_NEXT;
    case 0xd7: {
      // XLAT: AL = [rBX + AL].
      const index = temp();
      emit(OP_ZX8, index, S_RAX, 0, 0);
      const t = temp();
      emitMem(dAddrSize == SIZE16 ? OP_LEA16 : dAddrSize == SIZE32 ? OP_LEA32 : OP_LEA64, t, S_RBX, index, 0, 0);
      emitSegment(t, dSeg, 1, false);
      emitMem(OP_LD + LD_8, S_RAX, t, S_ZERO, 0, 0);
      return LIFT_NEXT;
    }
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
      return liftLoop();
    case 0xe8: {
      const target = branchTarget();
      checkConstant(target);
      emitPushImm(branchSize(), followingRip());
      emitJump(target);
      return LIFT_END;
    }
    case 0xe9:
    case 0xeb:
      emitJump(branchTarget());
      return LIFT_END;
    case 0xf6:
      return liftGroup3(SIZE8);
    case 0xf7:
      return liftGroup3(dOpSize);
    case 0xfe:
      return liftGroup5(SIZE8);
    case 0xff:
      return liftGroup5(dOpSize);
    default:
      break;
  }
  const low = op & 7;
  const n = low | ((dRex & 1) << 3);
  switch (op >> 3) {
    case 8: // 40–47 INC, 48–4F DEC: REX prefixes in 64-bit mode.
      emit(aluOp(ALU_INC, dOpSize), gprSlot(low), gprSlot(low), 0, 1);
      return LIFT_NEXT;
    case 9:
      emit(aluOp(ALU_INC, dOpSize) | ALU_IMM, gprSlot(low), gprSlot(low), 0, 1);
      return LIFT_NEXT;
    case 10:
      emitPush(stackOperand(), gprSlot(n));
      return LIFT_NEXT;
    case 11:
      emitPop(stackOperand(), gprSlot(n));
      return LIFT_NEXT;
    case 14:
    case 15:
      return liftJcc(op & 15);
    case 18: // 90 is NOP or PAUSE unless REX.B makes it XCHG R8.
      if (n) emit(OP_XCHG + dOpSize, S_RAX, gprSlot(n), 0, 0);
      return LIFT_NEXT;
    case 22:
      emit(OP_MOVI + SIZE8, gpr8Slot(n), 0, 0, <u64>dImm);
      return LIFT_NEXT;
    case 23:
      emit(OP_MOVI + dOpSize, gprSlot(n), 0, 0, <u64>dImm);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}
