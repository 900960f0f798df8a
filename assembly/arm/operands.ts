// Fields that most A64 encodings share, and what they become in the IR (Arm ARM C4.1).

import { emit, emitMem } from '../ir/emit';
import {
  ALU_IMM,
  ALU_NOFLAGS,
  ALU_SAR,
  ALU_SHL,
  ALU_SHR,
  CC_A,
  CC_AE,
  CC_B,
  CC_BE,
  CC_E,
  CC_G,
  CC_GE,
  CC_L,
  CC_LE,
  CC_NE,
  CC_NO,
  CC_NS,
  CC_O,
  CC_S,
  OP_ALU,
  OP_LEA64,
  OP_MOV,
  OP_MOVI,
  OP_ROT,
  OP_SX8_64,
  OP_SX16_64,
  OP_SX32_64,
  OP_ZX8,
  OP_ZX16,
  ROT_RIGHT,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { S_MODE, S_ZERO } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { srcSlot, tempSlot } from './slots';

/** Bits [low + width - 1 : low] of an instruction word. */
export function bits(insn: u32, low: u32, width: u32): u32 {
  return (insn >> low) & ((1 << width) - 1);
}

export function rd(insn: u32): u32 {
  return insn & 31;
}
export function rn(insn: u32): u32 {
  return (insn >> 5) & 31;
}
export function rm(insn: u32): u32 {
  return (insn >> 16) & 31;
}
export function ra(insn: u32): u32 {
  return (insn >> 10) & 31;
}

/** Operand size by bit 31, "sf". */
export function sizeOf(insn: u32): u32 {
  return SIZE32 + (insn >> 31);
}

/** Bits [low + width - 1 : low] as a signed number. */
export function signedBits(insn: u32, low: u32, width: u32): i64 {
  return ((<i64>insn) << (<i64>(64 - low - width))) >> <i64>(64 - width);
}

/** `width` ones, 1 ≤ width ≤ 64. */
export function ones(width: u32): u64 {
  return u64.MAX_VALUE >> <u64>(64 - width);
}

/** Mode bits that the instruction is lifted for (mode.ts). */
export function liftMode(): u32 {
  return load<u32>(STATE, S_MODE);
}

// C is kept inverted in the lazy flags' CF (ir/flags.ts), so that "lower" is CF and HI, LS, HS, LO are x86's A, BE, AE, B.
const CONDITIONS: usize = memory.data<u8>([
  <u8>CC_E,
  <u8>CC_NE,
  <u8>CC_AE,
  <u8>CC_B,
  <u8>CC_S,
  <u8>CC_NS,
  <u8>CC_O,
  <u8>CC_NO,
  <u8>CC_A,
  <u8>CC_BE,
  <u8>CC_GE,
  <u8>CC_L,
  <u8>CC_G,
  <u8>CC_LE,
]);

/** AL and NV: true whatever the flags are. */
export function isAlways(cond: u32): bool {
  return cond >= 14;
}

/** The IR's condition for condition field `cond`, which is not AL or NV. */
export function conditionOf(cond: u32): u32 {
  return load<u8>(CONDITIONS + cond);
}

/** ALU operation of `kind` without flags. */
export function quiet(kind: u32, size: u32): u32 {
  return OP_ALU | (kind << 4) | (size << 2) | ALU_NOFLAGS;
}

/** The same, with flags if `setFlags`. */
export function aluFor(kind: u32, size: u32, setFlags: bool): u32 {
  return OP_ALU | (kind << 4) | (size << 2) | (setFlags ? 0 : ALU_NOFLAGS);
}

/** d = a, as a whole register of `size`. */
export function emitMove(size: u32, d: u32, a: u32): void {
  emit(OP_MOV + size, d, a, 0, 0);
}

/** d = constant. */
export function emitConstant(d: u32, value: u64): void {
  emit(OP_MOVI + SIZE64, d, 0, 0, value);
}

/** d = base + imm; base and d may be SP. */
export function emitAddImm(d: u32, base: u32, imm: i64): void {
  if (imm >= i64(i32.MIN_VALUE) && imm <= i64(i32.MAX_VALUE) && d != base)
    emitMem(OP_LEA64, d, base, S_ZERO, 0, <i32>imm);
  else emit(quiet(0, SIZE64) | ALU_IMM, d, base, 0, <u64>imm);
}

/** d = register m shifted by `amount`: type 0 LSL, 1 LSR, 2 ASR, 3 ROR (Arm ARM "ShiftReg"). */
export function emitShift(size: u32, d: u32, m: u32, type: u32, amount: u32): void {
  if (!amount) emitMove(size, d, srcSlot(m));
  else if (type == 3) emit(OP_ROT | ROT_RIGHT | (size << 2) | ALU_IMM | ALU_NOFLAGS, d, srcSlot(m), 0, amount);
  else emit(quiet(type == 0 ? ALU_SHL : type == 1 ? ALU_SHR : ALU_SAR, size) | ALU_IMM, d, srcSlot(m), 0, amount);
}

/** Slot with the shifted register of a data-processing instruction; temporary `t` is used if need be. */
export function shiftedRegister(insn: u32, size: u32, t: u32): u32 {
  const amount = bits(insn, 10, 6);
  if (!amount) return srcSlot(rm(insn));
  emitShift(size, tempSlot(t), rm(insn), bits(insn, 22, 2), amount);
  return tempSlot(t);
}

/** Slot with register m extended to 64 bits: option as in "ExtendReg", 0 UXTB … 7 SXTX. */
export function extendedRegister(m: u32, option: u32, t: u32): u32 {
  const a = srcSlot(m);
  if ((option & 3) == 3) return a;
  const d = tempSlot(t);
  let op = OP_ZX8;
  if (option == 1) op = OP_ZX16;
  else if (option == 2) op = OP_MOV + SIZE32;
  else if (option == 4) op = OP_SX8_64;
  else if (option == 5) op = OP_SX16_64;
  else if (option == 6) op = OP_SX32_64;
  emit(op, d, a, 0, 0);
  return d;
}
