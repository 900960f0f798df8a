// Lift of data processing with registers (Arm ARM C4.1.67, bits 27–25 = 101).

import { emit, emitMem } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_ADD,
  ALU_AND,
  ALU_CMP,
  ALU_IMM,
  ALU_IMUL,
  ALU_NEG,
  ALU_NOFLAGS,
  ALU_NOT,
  ALU_OR,
  ALU_SAR,
  ALU_SBB,
  ALU_SHL,
  ALU_SHR,
  ALU_SUB,
  ALU_TEST,
  ALU_XOR,
  CC_AE,
  CC_B,
  OP_CCMN,
  OP_CCMP,
  OP_CLZ32,
  OP_CLZ64,
  OP_FIELD,
  OP_LEA32,
  OP_LEA64,
  OP_RBIT64,
  OP_ROT,
  OP_SDIV,
  OP_SEL,
  OP_SETCC64,
  OP_SMULH,
  OP_SMULL,
  OP_UDIV,
  OP_UMULH,
  OP_UMULL,
  ROT_RIGHT,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF } from '../layout/x86-state';
import {
  aluFor,
  bits,
  conditionOf,
  emitConstant,
  emitMove,
  emitShift,
  extendedRegister,
  isAlways,
  quiet,
  ra,
  rd,
  rm,
  rn,
  shiftedRegister,
  sizeOf,
} from './operands';
import { dstSlot, spSlot, srcSlot, tempSlot } from './slots';

export function liftDpReg(insn: u32): u32 {
  if (!bits(insn, 28, 1)) {
    if (!bits(insn, 24, 1)) return liftLogical(insn);
    return bits(insn, 21, 1) ? liftAddSubExtended(insn) : liftAddSubShifted(insn);
  }
  if (bits(insn, 24, 1)) return liftThreeSource(insn);
  switch (bits(insn, 21, 3)) {
    case 0:
      return bits(insn, 10, 6) ? LIFT_NONE : liftAddCarry(insn);
    case 2:
      return liftConditionalCompare(insn);
    case 4:
      return liftConditionalSelect(insn);
    case 6:
      return bits(insn, 30, 1) ? liftOneSource(insn) : liftTwoSource(insn);
    default:
      return LIFT_NONE;
  }
}

/** AND, BIC, ORR, ORN, EOR, EON, ANDS, BICS (shifted register). */
function liftLogical(insn: u32): u32 {
  const size = sizeOf(insn);
  if (size == SIZE32 && bits(insn, 15, 1)) return LIFT_NONE;
  const what = bits(insn, 29, 2);
  const invert = bits(insn, 21, 1) != 0;
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  if (what == 1 && rn(insn) == 31) {
    // MOV, MVN.
    if (invert) emit(quiet(ALU_NOT, size), d, shiftedRegister(insn, size, 0), 0, 0);
    else emitShift(size, d, rm(insn), bits(insn, 22, 2), bits(insn, 10, 6));
    return LIFT_NEXT;
  }
  let m = shiftedRegister(insn, size, 0);
  if (invert) {
    emit(quiet(ALU_NOT, size), tempSlot(1), m, 0, 0);
    m = tempSlot(1);
  }
  if (what == 3) emit(aluFor(rd(insn) == 31 ? ALU_TEST : ALU_AND, size, true), d, n, m, 0);
  else emit(quiet(what == 0 ? ALU_AND : what == 1 ? ALU_OR : ALU_XOR, size), d, n, m, 0);
  return LIFT_NEXT;
}

/** d = n ± m, or the compare. */
function emitAddSub(insn: u32, size: u32, d: u32, n: u32, m: u32): void {
  const subtract = bits(insn, 30, 1) != 0;
  const setFlags = bits(insn, 29, 1) != 0;
  const compare = setFlags && subtract && rd(insn) == 31;
  emit(aluFor(compare ? ALU_CMP : subtract ? ALU_SUB : ALU_ADD, size, setFlags), d, n, m, 0);
}

/** Plain ADD of a register shifted left is one operation. */
function emitAddShifted(size: u32, d: u32, n: u32, m: u32, amount: u32): void {
  emitMem(size == SIZE64 ? OP_LEA64 : OP_LEA32, d, n, m, amount, 0);
}

/** ADD, ADDS, SUB, SUBS (shifted register). */
function liftAddSubShifted(insn: u32): u32 {
  const size = sizeOf(insn);
  const type = bits(insn, 22, 2);
  const amount = bits(insn, 10, 6);
  if (type == 3 || (size == SIZE32 && amount & 32)) return LIFT_NONE;
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  if (type == 0 && amount && !bits(insn, 29, 2)) emitAddShifted(size, d, n, srcSlot(rm(insn)), amount);
  else emitAddSub(insn, size, d, n, shiftedRegister(insn, size, 0));
  return LIFT_NEXT;
}

/** ADD, ADDS, SUB, SUBS (extended register): n, and d without flags, may be SP. */
function liftAddSubExtended(insn: u32): u32 {
  const size = sizeOf(insn);
  const amount = bits(insn, 10, 3);
  if (bits(insn, 22, 2) || amount > 4) return LIFT_NONE;
  const setFlags = bits(insn, 29, 1) != 0;
  const d = setFlags ? dstSlot(rd(insn)) : spSlot(rd(insn));
  const n = spSlot(rn(insn));
  let m = extendedRegister(rm(insn), bits(insn, 13, 3), 0);
  if (amount && !bits(insn, 29, 2)) emitAddShifted(size, d, n, m, amount);
  else {
    if (amount) {
      emit(quiet(ALU_SHL, size) | ALU_IMM, tempSlot(0), m, 0, amount);
      m = tempSlot(0);
    }
    emitAddSub(insn, size, d, n, m);
  }
  return LIFT_NEXT;
}

/** ADC, ADCS, SBC, SBCS. */
function liftAddCarry(insn: u32): u32 {
  const size = sizeOf(insn);
  const subtract = bits(insn, 30, 1) != 0;
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const m = srcSlot(rm(insn));
  if (bits(insn, 29, 1)) {
    // a + b + C = a - NOT b - NOT C, flags and all.
    const b = subtract ? m : tempSlot(0);
    if (!subtract) emit(quiet(ALU_NOT, size), b, m, 0, 0);
    emit(aluFor(ALU_SBB, size, true), d, n, b, 0);
    return LIFT_NEXT;
  }
  const kind = subtract ? ALU_SUB : ALU_ADD;
  emit(OP_SETCC64, tempSlot(0), 0, 0, subtract ? CC_B : CC_AE);
  emit(quiet(kind, size), tempSlot(1), n, m, 0);
  emit(quiet(kind, size), d, tempSlot(1), tempSlot(0), 0);
  return LIFT_NEXT;
}

/** #nzcv in EFLAGS positions, C inverted. */
function explicitFlags(nzcv: u32): u32 {
  return (nzcv & 8 ? FLAG_SF : 0) | (nzcv & 4 ? FLAG_ZF : 0) | (nzcv & 2 ? 0 : FLAG_CF) | (nzcv & 1 ? FLAG_OF : 0);
}

/** CCMP, CCMN (register, immediate). */
function liftConditionalCompare(insn: u32): u32 {
  if (!bits(insn, 29, 1) || bits(insn, 10, 1) || bits(insn, 4, 1)) return LIFT_NONE;
  const size = sizeOf(insn);
  const compare = bits(insn, 30, 1) != 0;
  const n = srcSlot(rn(insn));
  let m = srcSlot(rm(insn));
  if (bits(insn, 11, 1)) {
    m = tempSlot(0);
    emitConstant(m, rm(insn));
  }
  const cond = bits(insn, 12, 4);
  if (isAlways(cond)) emit(aluFor(compare ? ALU_CMP : ALU_ADD, size, true), tempSlot(1), n, m, 0);
  else emit((compare ? OP_CCMP : OP_CCMN) + size, conditionOf(cond), n, m, explicitFlags(insn & 15));
  return LIFT_NEXT;
}

/** CSEL, CSINC, CSINV, CSNEG. */
function liftConditionalSelect(insn: u32): u32 {
  if (bits(insn, 29, 1) || bits(insn, 11, 1)) return LIFT_NONE;
  const size = sizeOf(insn);
  const invert = bits(insn, 30, 1) != 0;
  const increment = bits(insn, 10, 1) != 0;
  const cond = bits(insn, 12, 4);
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const m = srcSlot(rm(insn));
  if (isAlways(cond)) {
    emitMove(size, d, n);
    return LIFT_NEXT;
  }
  const cc = conditionOf(cond);
  if (rn(insn) == 31 && rm(insn) == 31 && invert != increment) {
    // CSET; CSETM, all ones.
    emit(OP_SETCC64, increment ? d : tempSlot(0), 0, 0, cc ^ 1);
    if (invert) emit(quiet(ALU_NEG, size), d, tempSlot(0), 0, 0);
    return LIFT_NEXT;
  }
  let other = m;
  if (invert || increment) {
    other = tempSlot(0);
    if (!invert) emit(quiet(ALU_ADD, size) | ALU_IMM, other, m, 0, 1);
    else emit(quiet(increment ? ALU_NEG : ALU_NOT, size), other, m, 0, 0);
  }
  emit(OP_SEL + size, d, n, other, cc);
  return LIFT_NEXT;
}

/** MADD, MSUB, SMADDL, SMSUBL, UMADDL, UMSUBL, SMULH, UMULH. */
function liftThreeSource(insn: u32): u32 {
  if (bits(insn, 29, 2)) return LIFT_NONE;
  const size = sizeOf(insn);
  const subtract = bits(insn, 15, 1) != 0;
  const what = bits(insn, 21, 3);
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const m = srcSlot(rm(insn));
  if (what && size == SIZE32) return LIFT_NONE;
  let multiply: u32;
  if (what == 0) multiply = quiet(ALU_IMUL, size);
  else if (what == 1) multiply = OP_SMULL;
  else if (what == 5) multiply = OP_UMULL;
  else if ((what == 2 || what == 6) && !subtract) {
    emit(what == 2 ? OP_SMULH : OP_UMULH, d, n, m, 0);
    return LIFT_NEXT;
  } else return LIFT_NONE;
  if (ra(insn) == 31 && !subtract) emit(multiply, d, n, m, 0);
  else {
    emit(multiply, tempSlot(0), n, m, 0);
    emit(quiet(subtract ? ALU_SUB : ALU_ADD, size), d, srcSlot(ra(insn)), tempSlot(0), 0);
  }
  return LIFT_NEXT;
}

/** UDIV, SDIV, LSLV, LSRV, ASRV, RORV. */
function liftTwoSource(insn: u32): u32 {
  if (bits(insn, 29, 1)) return LIFT_NONE;
  const size = sizeOf(insn);
  const what = bits(insn, 10, 6);
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const m = srcSlot(rm(insn));
  let op: u32;
  if (what == 2) op = OP_UDIV + size;
  else if (what == 3) op = OP_SDIV + size;
  else if (what == 8) op = quiet(ALU_SHL, size);
  else if (what == 9) op = quiet(ALU_SHR, size);
  else if (what == 10) op = quiet(ALU_SAR, size);
  else if (what == 11) op = OP_ROT | ROT_RIGHT | (size << 2) | ALU_NOFLAGS;
  else return LIFT_NONE;
  emit(op, d, n, m, 0);
  return LIFT_NEXT;
}

/** RBIT, REV16, REV32, REV, CLZ, CLS. */
function liftOneSource(insn: u32): u32 {
  if (bits(insn, 29, 1) || rm(insn)) return LIFT_NONE;
  const size = sizeOf(insn);
  const wide = size == SIZE64;
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const t = tempSlot(0);
  switch (bits(insn, 10, 6)) {
    case 0:
      // The 32-bit result is in the upper half of the 64-bit one.
      emit(OP_RBIT64, wide ? d : t, n, 0, 0);
      if (!wide) emit(quiet(ALU_SHR, SIZE64) | ALU_IMM, d, t, 0, 32);
      return LIFT_NEXT;
    case 1:
      emit(OP_FIELD, t, n, 56, wide ? 0x00ff00ff00ff00ff : 0x00ff00ff);
      emit(OP_FIELD, tempSlot(1), n, 8, wide ? 0xff00ff00ff00ff00 : 0xff00ff00);
      emit(quiet(ALU_OR, size), d, t, tempSlot(1), 0);
      return LIFT_NEXT;
    case 2:
      // The "imm" variant of NOT swaps bytes.
      emit(quiet(ALU_NOT, size) | ALU_IMM, wide ? t : d, n, 0, 0);
      if (wide) emit(OP_FIELD, d, t, 32, u64.MAX_VALUE);
      return LIFT_NEXT;
    case 3:
      if (!wide) return LIFT_NONE;
      emit(quiet(ALU_NOT, size) | ALU_IMM, d, n, 0, 0);
      return LIFT_NEXT;
    case 4:
      emit(wide ? OP_CLZ64 : OP_CLZ32, d, n, 0, 0);
      return LIFT_NEXT;
    case 5:
      // Bits equal to their left neighbour, from the top: leading zeros of n XOR (n >> 1, arithmetically), less one.
      emit(quiet(ALU_SAR, size) | ALU_IMM, t, n, 0, 1);
      emit(quiet(ALU_XOR, size), t, t, n, 0);
      emit(wide ? OP_CLZ64 : OP_CLZ32, t, t, 0, 0);
      emit(quiet(ALU_SUB, size) | ALU_IMM, d, t, 0, 1);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}
