// Moves between registers and lanes, permutations, table lookup, constants.

import { emit, emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import {
  OP_MOV,
  OP_SX8_32,
  OP_SX8_64,
  OP_SX16_32,
  OP_SX16_64,
  OP_SX32_64,
  OP_ZX8,
  OP_ZX16,
  SIZE32,
  SIZE64,
} from '../../ir/ops';
import {
  V_ALIGN_BYTES,
  V_ANDNOT,
  V_INSERT_I8X16,
  V_OR,
  V_SHR_BYTES,
  V_ZERO_ABOVE_64,
  V_ZIP_HIGH_I8X16,
  V_ZIP_LOW_I8X16,
  V_ZIP_LOW_I64X2,
} from '../../sse/vops';
import { bits, rd, rm, rn } from '../operands';
import { dstSlot, srcSlot, tempSlot, vSlot } from '../slots';
import { emitArm, emitConstants, isFull, keepLow, vTemp } from './emitters';
import { A_DUP, A_TBL, A_TBX, A_TRN1, A_TRN2, A_UZP1, A_UZP2, FORM_Q } from './kinds';

/** d (64 bits) = the lane at slot a, zero-extended. */
function emitLane(size: u32, d: u32, a: u32): void {
  if (size == 0) emit(OP_ZX8, d, a, 0, 0);
  else if (size == 1) emit(OP_ZX16, d, a, 0, 0);
  else emit(OP_MOV + size, d, a, 0, 0);
}

/** Lane `index` of vector d = low bits of slot a. */
export function emitInsert(size: u32, d: u32, index: u32, a: u32): void {
  if (size == 3) emit(OP_MOV + SIZE64, d + (index << 3), a, 0, 0);
  else emitVec(V_INSERT_I8X16 + size, d, d, a, index);
}

/** SMOV. */
function liftSigned(size: u32, full: bool, d: u32, a: u32): u32 {
  if (size == 3 || (size == 2 && !full)) return LIFT_NONE;
  if (size == 2) emit(OP_SX32_64, d, a, 0, 0);
  else if (size == 1) emit(full ? OP_SX16_64 : OP_SX16_32, d, a, 0, 0);
  else emit(full ? OP_SX8_64 : OP_SX8_32, d, a, 0, 0);
  return LIFT_NEXT;
}

/** "Advanced SIMD copy": DUP, INS, SMOV, UMOV. imm5: the lowest bit set is the size, above it the lane's number. */
export function liftCopy(insn: u32): u32 {
  const imm5 = bits(insn, 16, 5);
  const imm4 = bits(insn, 11, 4);
  const full = isFull(insn);
  const size = ctz(imm5 | 16);
  if (!(imm5 & 15)) return LIFT_NONE;
  const index = imm5 >> (size + 1);
  const d = vSlot(rd(insn));
  const element = vSlot(rn(insn)) + (index << size);
  if (bits(insn, 29, 1)) {
    if (!full) return LIFT_NONE;
    emitInsert(size, d, index, vSlot(rn(insn)) + ((imm4 >> size) << size));
    return LIFT_NEXT;
  }
  switch (imm4) {
    case 0:
    case 1: {
      if (size == 3 && !full) return LIFT_NONE;
      const from = imm4 ? srcSlot(rn(insn)) : vSlot(rn(insn));
      emitArm(A_DUP, size | FORM_Q, d, from, from, imm4 ? 0 : index);
      keepLow(full, d);
      return LIFT_NEXT;
    }
    case 3:
      if (!full) return LIFT_NONE;
      emitInsert(size, d, index, srcSlot(rn(insn)));
      return LIFT_NEXT;
    case 5:
      return liftSigned(size, full, dstSlot(rd(insn)), element);
    case 7:
      if (full != (size == 3)) return LIFT_NONE;
      emitLane(size, dstSlot(rd(insn)), element);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}

/** DUP of an element to a scalar. */
export function liftScalarCopy(insn: u32): u32 {
  const imm5 = bits(insn, 16, 5);
  if (bits(insn, 29, 1) || bits(insn, 11, 4) || !(imm5 & 15)) return LIFT_NONE;
  const size = ctz(imm5);
  emitLane(size, tempSlot(0), vSlot(rn(insn)) + ((imm5 >> (size + 1)) << size));
  emitVec(V_ZERO_ABOVE_64, vSlot(rd(insn)), tempSlot(0), tempSlot(0), 0);
  return LIFT_NEXT;
}

/** UZP1, TRN1, ZIP1, UZP2, TRN2, ZIP2. */
export function liftPermute(insn: u32): u32 {
  const size = bits(insn, 22, 2);
  const second = bits(insn, 14, 1);
  const full = isFull(insn);
  const d = vSlot(rd(insn));
  let n = vSlot(rn(insn));
  let m = vSlot(rm(insn));
  if (size == 3 && !full) return LIFT_NONE;
  switch (bits(insn, 12, 2)) {
    case 1:
      if (!full) {
        emitVec(V_ZIP_LOW_I64X2, vTemp(0), n, m, 0);
        n = vTemp(0);
        m = n;
      }
      emitArm(second ? A_UZP2 : A_UZP1, size | FORM_Q, d, n, m, 0);
      break;
    case 2:
      emitArm(second ? A_TRN2 : A_TRN1, size | FORM_Q, d, n, m, 0);
      break;
    case 3:
      if (full) emitVec((second ? V_ZIP_HIGH_I8X16 : V_ZIP_LOW_I8X16) + size, d, n, m, 0);
      else {
        // Both results side by side.
        emitVec(V_ZIP_LOW_I8X16 + size, d, n, m, 0);
        if (second) emitVec(V_SHR_BYTES, d, d, d, 8);
      }
      break;
    default:
      return LIFT_NONE;
  }
  keepLow(full, d);
  return LIFT_NEXT;
}

/** EXT. */
export function liftExtract(insn: u32): u32 {
  const index = bits(insn, 11, 4);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  const m = vSlot(rm(insn));
  if (isFull(insn)) {
    emitVec(V_ALIGN_BYTES, d, m, n, index);
    return LIFT_NEXT;
  }
  if (index & 8) return LIFT_NONE;
  emitVec(V_ZIP_LOW_I64X2, vTemp(0), n, m, 0);
  emitVec(V_SHR_BYTES, d, vTemp(0), vTemp(0), index);
  keepLow(false, d);
  return LIFT_NEXT;
}

/** TBL, TBX. */
export function liftTable(insn: u32): u32 {
  if (bits(insn, 29, 1)) return LIFT_NONE;
  const op = bits(insn, 12, 1) ? A_TBX : A_TBL;
  const form = isFull(insn) ? FORM_Q : 0;
  emitArm(op, form, vSlot(rd(insn)), vSlot(rn(insn)), vSlot(rm(insn)), bits(insn, 13, 2) + 1);
  return LIFT_NEXT;
}

// --- Constants ---

function replicate32(v: u64): u64 {
  return v | (v << 32);
}
function replicate16(v: u64): u64 {
  return replicate32(v | (v << 16));
}

/** VFPExpandImm: sign, 3 bits of exponent, 4 of fraction. */
export function expandFloat(imm8: u32, size: u32): u64 {
  const sign = <u64>(imm8 >> 7);
  const low = <u64>(imm8 & 0x3f);
  const b = (imm8 >> 6) & 1;
  if (size == SIZE32) return (sign << 31) | (b ? 0x3e000000 : 0x40000000) | (low << 19);
  return (sign << 63) | (b ? 0x3fc0000000000000 : 0x4000000000000000) | (low << 48);
}

/** AdvSIMDExpandImm. */
function expandImmediate(op: u32, cmode: u32, imm8: u32): u64 {
  const v = <u64>imm8;
  if (cmode < 8) return replicate32(v << ((cmode >> 1) << 3));
  if (cmode < 12) return replicate16(v << (cmode & 2 ? 8 : 0));
  if (cmode == 12) return replicate32((v << 8) | 0xff);
  if (cmode == 13) return replicate32((v << 16) | 0xffff);
  if (cmode == 15) return op ? expandFloat(imm8, SIZE64) : replicate32(expandFloat(imm8, SIZE32));
  if (!op) return v * 0x0101010101010101;
  let r: u64 = 0;
  for (let i: u64 = 0; i < 8; i++) if ((v >> i) & 1) r |= (<u64>0xff) << (i << 3);
  return r;
}

/** "Advanced SIMD modified immediate": MOVI, MVNI, ORR, BIC, FMOV. */
export function liftModifiedImmediate(insn: u32): u32 {
  const op = bits(insn, 29, 1);
  const cmode = bits(insn, 12, 4);
  const full = isFull(insn);
  const d = vSlot(rd(insn));
  // Half-precision constants are not there.
  if (bits(insn, 11, 1) || (cmode == 15 && op && !full)) return LIFT_NONE;
  let v = expandImmediate(op, cmode, (bits(insn, 16, 3) << 5) | bits(insn, 5, 5));
  if (cmode < 12 && cmode & 1) {
    const t = vTemp(0);
    emitConstants(t, v, full ? v : 0);
    // BIC is ~t & d.
    if (op) emitVec(V_ANDNOT, d, t, d, 0);
    else emitVec(V_OR, d, d, t, 0);
    keepLow(full, d);
    return LIFT_NEXT;
  }
  if (op && cmode < 14) v = ~v;
  emitConstants(d, v, full ? v : 0);
  return LIFT_NEXT;
}
