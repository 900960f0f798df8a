// Lift of data processing with an immediate (Arm ARM C4.1.64, bits 28–26 = 100).

import { currentRip, emit, opCount, SCRATCH_OPS } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_ADD,
  ALU_AND,
  ALU_CMP,
  ALU_IMM,
  ALU_NOFLAGS,
  ALU_OR,
  ALU_SAR,
  ALU_SHL,
  ALU_SHR,
  ALU_SUB,
  ALU_XOR,
  OP_ALU,
  OP_BYTES,
  OP_FIELD,
  OP_INSERT32,
  OP_INSERT64,
  OP_MOV,
  OP_MOVI,
  OP_ROT,
  OP_SX8_32,
  OP_SX8_64,
  OP_SX16_32,
  OP_SX16_64,
  OP_SX32_64,
  OP_ZX8,
  OP_ZX16,
  ROT_RIGHT,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { decodeBitmask } from './bitmask';
import {
  aluFor,
  bits,
  emitAddImm,
  emitConstant,
  emitMove,
  ones,
  quiet,
  rd,
  rm,
  rn,
  signedBits,
  sizeOf,
} from './operands';
import { dstSlot, spSlot, srcSlot, tempSlot } from './slots';

export function liftDpImm(insn: u32): u32 {
  switch (bits(insn, 23, 3)) {
    case 0:
    case 1:
      return liftAddress(insn);
    case 2:
      return liftAddSub(insn);
    case 4:
      return liftLogical(insn);
    case 5:
      return liftMoveWide(insn);
    case 6:
      return liftBitfield(insn);
    case 7:
      return liftExtract(insn);
    default:
      return LIFT_NONE;
  }
}

/** ADR, ADRP. */
function liftAddress(insn: u32): u32 {
  const offset = (signedBits(insn, 5, 19) << 2) | <i64>bits(insn, 29, 2);
  const target = insn >> 31 ? (currentRip() & ~0xfff) + <u64>(offset << 12) : currentRip() + <u64>offset;
  emitConstant(dstSlot(rd(insn)), target);
  return LIFT_NEXT;
}

/** ADD, ADDS, SUB, SUBS. */
function liftAddSub(insn: u32): u32 {
  const size = sizeOf(insn);
  const subtract = bits(insn, 30, 1) != 0;
  const setFlags = bits(insn, 29, 1) != 0;
  const imm = bits(insn, 22, 1) ? (<u64>bits(insn, 10, 12)) << 12 : <u64>bits(insn, 10, 12);
  const n = spSlot(rn(insn));
  if (setFlags) {
    const compare = subtract && rd(insn) == 31;
    const kind = compare ? ALU_CMP : subtract ? ALU_SUB : ALU_ADD;
    emit(OP_ALU | (kind << 4) | (size << 2) | ALU_IMM, dstSlot(rd(insn)), n, 0, imm);
    return LIFT_NEXT;
  }
  const d = spSlot(rd(insn));
  if (!imm) emitMove(size, d, n);
  else if (size == SIZE64) emitAddImm(d, n, subtract ? -(<i64>imm) : <i64>imm);
  else emit(quiet(subtract ? ALU_SUB : ALU_ADD, size) | ALU_IMM, d, n, 0, imm);
  return LIFT_NEXT;
}

/** AND, ORR, EOR, ANDS. */
function liftLogical(insn: u32): u32 {
  const size = sizeOf(insn);
  const wide = bits(insn, 22, 1);
  if (size == SIZE32 && wide) return LIFT_NONE;
  let imm = decodeBitmask(wide, bits(insn, 16, 6), bits(insn, 10, 6));
  if (!imm) return LIFT_NONE;
  if (size == SIZE32) imm &= 0xffffffff;
  const n = srcSlot(rn(insn));
  const what = bits(insn, 29, 2);
  if (what == 3) {
    emit(aluFor(ALU_AND, size, true) | ALU_IMM, dstSlot(rd(insn)), n, 0, imm);
    return LIFT_NEXT;
  }
  const d = spSlot(rd(insn));
  // MOV (bitmask immediate).
  if (what == 1 && rn(insn) == 31) emitConstant(d, imm);
  else emit(quiet(what == 0 ? ALU_AND : what == 1 ? ALU_OR : ALU_XOR, size) | ALU_IMM, d, n, 0, imm);
  return LIFT_NEXT;
}

/** MOVN, MOVZ, MOVK. */
function liftMoveWide(insn: u32): u32 {
  const size = sizeOf(insn);
  const what = bits(insn, 29, 2);
  const shift = bits(insn, 21, 2) << 4;
  if (what == 1 || (size == SIZE32 && shift >= 32)) return LIFT_NONE;
  const imm = (<u64>bits(insn, 5, 16)) << (<u64>shift);
  const limit = size == SIZE32 ? <u64>0xffffffff : u64.MAX_VALUE;
  const d = dstSlot(rd(insn));
  if (what == 0) emitConstant(d, ~imm & limit);
  else if (what == 2) emitConstant(d, imm);
  else if (rd(insn) != 31) {
    // A chain of MOVZ, MOVK… to one register: the constant so far is known.
    const before = SCRATCH_OPS + <usize>(opCount() - 1) * OP_BYTES;
    const keep = ~((<u64>0xffff) << (<u64>shift)) & limit;
    if (opCount() && load<u16>(before) == OP_MOVI + SIZE64 && load<u16>(before, 2) == d)
      emitConstant(d, (load<u64>(before, 8) & keep) | imm);
    else {
      emit(quiet(ALU_AND, size) | ALU_IMM, d, d, 0, keep);
      if (imm) emit(quiet(ALU_OR, size) | ALU_IMM, d, d, 0, imm);
    }
  }
  return LIFT_NEXT;
}

/** SBFM, BFM, UBFM and their aliases: shifts, extensions, bit-field moves. */
function liftBitfield(insn: u32): u32 {
  const size = sizeOf(insn);
  const what = bits(insn, 29, 2);
  const r = bits(insn, 16, 6);
  const s = bits(insn, 10, 6);
  if (what == 3 || bits(insn, 22, 1) != insn >> 31) return LIFT_NONE;
  if (size == SIZE32 && (r | s) & 32) return LIFT_NONE;
  const d = dstSlot(rd(insn));
  const n = srcSlot(rn(insn));
  const width: u32 = size == SIZE64 ? 64 : 32;
  if (what == 2) liftUnsignedField(d, n, size, width, r, s);
  else if (what == 0) liftSignedField(d, n, size, width, r, s);
  else if (rd(insn) != 31) {
    const op = size == SIZE64 ? OP_INSERT64 : OP_INSERT32;
    // BFXIL takes bits r…s of n to the bottom; BFI takes n's low s + 1 bits to bit width - r.
    if (s >= r) emit(op, d, n, (64 - r) & 63, ones(s - r + 1));
    else emit(op, d, n, width - r, ones(s + 1) << (<u64>(width - r)));
  }
  return LIFT_NEXT;
}

function liftUnsignedField(d: u32, n: u32, size: u32, width: u32, r: u32, s: u32): void {
  if (s == width - 1) {
    if (r) emit(quiet(ALU_SHR, size) | ALU_IMM, d, n, 0, r);
    else emitMove(size, d, n);
  } else if (s + 1 == r) emit(quiet(ALU_SHL, size) | ALU_IMM, d, n, 0, width - r);
  else if (s < r) emit(OP_FIELD, d, n, width - r, ones(s + 1) << (<u64>(width - r)));
  else if (r == 0 && s == 7) emit(OP_ZX8, d, n, 0, 0);
  else if (r == 0 && s == 15) emit(OP_ZX16, d, n, 0, 0);
  else if (r == 0 && s == 31) emit(OP_MOV + SIZE32, d, n, 0, 0);
  else if (r == 0) emit(quiet(ALU_AND, size) | ALU_IMM, d, n, 0, ones(s + 1));
  else emit(OP_FIELD, d, n, 64 - r, ones(s - r + 1));
}

function liftSignedField(d: u32, n: u32, size: u32, width: u32, r: u32, s: u32): void {
  if (s == width - 1) {
    if (r) emit(quiet(ALU_SAR, size) | ALU_IMM, d, n, 0, r);
    else emitMove(size, d, n);
  } else if (r == 0 && s == 7) emit(size == SIZE64 ? OP_SX8_64 : OP_SX8_32, d, n, 0, 0);
  else if (r == 0 && s == 15) emit(size == SIZE64 ? OP_SX16_64 : OP_SX16_32, d, n, 0, 0);
  else if (r == 0 && s == 31) emit(OP_SX32_64, d, n, 0, 0);
  else {
    // The field's top bit to the register's, then back down with its sign.
    const t = tempSlot(0);
    const up = width - 1 - s;
    emit(quiet(ALU_SHL, size) | ALU_IMM, t, n, 0, up);
    emit(quiet(ALU_SAR, size) | ALU_IMM, d, t, 0, s >= r ? up + r : r - s - 1);
  }
}

/** EXTR, ROR. */
function liftExtract(insn: u32): u32 {
  const size = sizeOf(insn);
  const lsb = bits(insn, 10, 6);
  if (bits(insn, 29, 2) || bits(insn, 21, 1) || bits(insn, 22, 1) != insn >> 31) return LIFT_NONE;
  if (size == SIZE32 && lsb & 32) return LIFT_NONE;
  const d = dstSlot(rd(insn));
  const m = srcSlot(rm(insn));
  if (!lsb) emitMove(size, d, m);
  else if (rn(insn) == rm(insn)) emit(OP_ROT | ROT_RIGHT | (size << 2) | ALU_IMM | ALU_NOFLAGS, d, m, 0, lsb);
  else {
    emit(quiet(ALU_SHR, size) | ALU_IMM, tempSlot(0), m, 0, lsb);
    emit(quiet(ALU_SHL, size) | ALU_IMM, tempSlot(1), srcSlot(rn(insn)), 0, (size == SIZE64 ? 64 : 32) - lsb);
    emit(quiet(ALU_OR, size), d, tempSlot(0), tempSlot(1), 0);
  }
  return LIFT_NEXT;
}
