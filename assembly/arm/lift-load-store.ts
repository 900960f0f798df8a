// Lift of loads and stores (Arm ARM C4.1.66), integer and SIMD&FP registers: all but exclusives, atomics (lift-atomics.ts) and SIMD structures.
//
// A base register is written back after the access, so a fault leaves it alone. Encodings whose result is
// CONSTRAINED UNPREDICTABLE (a loaded register that is also a base to be written back, or is loaded twice) are undefined.

import { currentRip, emit, emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_ADD,
  ALU_IMM,
  LD_32,
  LD_64,
  LD_128,
  LD_S8_32,
  LD_S8_64,
  LD_S16_32,
  LD_S16_64,
  LD_S32_64,
  LD_Z8,
  LD_Z16,
  OP_LD,
  OP_LD_USER,
  OP_LDP,
  OP_ST,
  OP_ST_USER,
  OP_STP,
  OP_SX32_64,
  SIZE32,
  SIZE64,
  SIZE128,
  ST_128,
} from '../ir/ops';
import { V_ZERO_ABOVE_64 } from '../sse/vops';
import {
  aBase,
  aDisp,
  addressAt,
  addressIndexed,
  addressInSlot,
  checkAlignment,
  emitAccess,
  liftLevel,
} from './access';
import { bits, emitConstant, extendedRegister, quiet, ra, rd, rm, rn, signedBits } from './operands';
import { dstSlot, spSlot, srcSlot, tempSlot, vSlot } from './slots';

export function liftLoadStore(insn: u32): u32 {
  switch (bits(insn, 28, 2)) {
    case 0:
      return LIFT_NONE;
    case 1:
      return bits(insn, 24, 1) ? LIFT_NONE : liftLiteral(insn);
    case 2:
      return liftPair(insn);
    default:
      return liftRegister(insn);
  }
}

// What a single-register access moves: set by decodeTransfer().
let tLoad: bool = false;
/** Form LD_* of a load, ST size of a store. */
let tForm: u32 = 0;
/** log2 of the bytes in memory. */
let tSize: u32 = 0;
let tVector: bool = false;
let tPrefetch: bool = false;

/** Understands size, V and opc of LDR/STR; false: no such instruction. */
function decodeTransfer(insn: u32): bool {
  const size = insn >> 30;
  const opc = bits(insn, 22, 2);
  tVector = bits(insn, 26, 1) != 0;
  tPrefetch = false;
  tSize = size;
  if (tVector) {
    tLoad = (opc & 1) != 0;
    if (opc & 2) {
      if (size) return false;
      tSize = SIZE128;
    }
    tForm = tLoad ? loadForm(tSize) : tSize;
    return true;
  }
  tLoad = opc != 0;
  if (opc < 2) {
    tForm = tLoad ? loadForm(size) : size;
    return true;
  }
  // Sign-extending: to 64 bits (opc 2) or 32 (opc 3).
  if (size == 3) {
    tPrefetch = opc == 2;
    return tPrefetch;
  }
  if (size == 2) {
    tForm = LD_S32_64;
    return opc == 2;
  }
  if (size == 1) tForm = opc == 2 ? LD_S16_64 : LD_S16_32;
  else tForm = opc == 2 ? LD_S8_64 : LD_S8_32;
  return true;
}

/** Zero-extending load of 1 << size bytes. */
function loadForm(size: u32): u32 {
  if (size == 0) return LD_Z8;
  if (size == 1) return LD_Z16;
  if (size == SIZE32) return LD_32;
  return size == SIZE64 ? LD_64 : LD_128;
}

/** The access itself, at the address set. `user`: with the rights of EL0. */
function emitTransfer(t: u32, user: bool): void {
  checkAlignment(1 << tSize, !tLoad);
  if (!tLoad) {
    const op = (user ? OP_ST_USER : OP_ST) + (tSize == SIZE128 ? ST_128 : tForm);
    emitAccess(op, tVector ? vSlot(t) : srcSlot(t));
    return;
  }
  const op = (user ? OP_LD_USER : OP_LD) + tForm;
  if (!tVector) emitAccess(op, dstSlot(t));
  else if (tSize == SIZE128) emitAccess(op, vSlot(t));
  else {
    emitAccess(op, tempSlot(0));
    emitVec(V_ZERO_ABOVE_64, vSlot(t), tempSlot(0), 0, 0);
  }
}

/** n = n + imm, after the access. */
function emitWriteBack(n: u32, imm: i64): void {
  const slot = spSlot(n);
  if (imm) emit(quiet(ALU_ADD, SIZE64) | ALU_IMM, slot, slot, 0, <u64>imm);
}

/** Bits 29–28 = 11: one register. */
function liftRegister(insn: u32): u32 {
  const t = rd(insn);
  const n = rn(insn);
  if (!bits(insn, 24, 1) && bits(insn, 21, 1) && bits(insn, 10, 2) != 2) return LIFT_NONE;
  if (!decodeTransfer(insn)) return LIFT_NONE;
  if (bits(insn, 24, 1)) {
    if (tPrefetch) return LIFT_NEXT;
    addressAt(n, <i32>(bits(insn, 10, 12) << tSize));
    emitTransfer(t, false);
    return LIFT_NEXT;
  }
  if (bits(insn, 21, 1)) {
    const option = bits(insn, 13, 3);
    if (!(option & 2)) return LIFT_NONE;
    if (tPrefetch) return LIFT_NEXT;
    addressIndexed(n, extendedRegister(rm(insn), option, 1), bits(insn, 12, 1) ? tSize : 0);
    emitTransfer(t, false);
    return LIFT_NEXT;
  }
  const imm = signedBits(insn, 12, 9);
  const mode = bits(insn, 10, 2);
  if (tPrefetch) return mode ? LIFT_NONE : LIFT_NEXT;
  if (mode == 2 && tVector) return LIFT_NONE;
  const writeBack = (mode & 1) != 0;
  if (writeBack && !tVector && t == n && n != 31) return LIFT_NONE;
  addressAt(n, mode == 1 ? 0 : <i32>imm);
  // LDTR and STTR have EL0's rights when executed at EL1; elsewhere they are plain.
  emitTransfer(t, mode == 2 && liftLevel() == 1);
  if (writeBack) emitWriteBack(n, imm);
  return LIFT_NEXT;
}

/** LDR (literal), LDRSW (literal), PRFM (literal). */
function liftLiteral(insn: u32): u32 {
  const opc = insn >> 30;
  tVector = bits(insn, 26, 1) != 0;
  tLoad = true;
  if (tVector) {
    if (opc == 3) return LIFT_NONE;
    tSize = SIZE32 + opc;
    tForm = loadForm(tSize);
  } else {
    if (opc == 3) return LIFT_NEXT;
    tSize = opc == 1 ? SIZE64 : SIZE32;
    tForm = opc == 2 ? LD_S32_64 : loadForm(tSize);
  }
  const address = tempSlot(1);
  emitConstant(address, currentRip() + <u64>(signedBits(insn, 5, 19) << 2));
  addressInSlot(address);
  emitTransfer(rd(insn), false);
  return LIFT_NEXT;
}

/** LDP, STP, LDNP, STNP, LDPSW. */
function liftPair(insn: u32): u32 {
  const opc = insn >> 30;
  const vector = bits(insn, 26, 1) != 0;
  const isLoad = bits(insn, 22, 1) != 0;
  // 0 no allocate, 1 post-index, 2 offset, 3 pre-index.
  const mode = bits(insn, 23, 2);
  const t = rd(insn);
  const t2 = ra(insn);
  const n = rn(insn);
  const writeBack = (mode & 1) != 0;
  const signed = !vector && opc == 1;
  if (opc == 3 || (signed && (!isLoad || mode == 0))) return LIFT_NONE;
  if (isLoad && t == t2) return LIFT_NONE;
  if (writeBack && !vector && n != 31 && (t == n || t2 == n)) return LIFT_NONE;
  const size = vector ? SIZE32 + opc : opc == 2 ? SIZE64 : SIZE32;
  const imm = signedBits(insn, 15, 7) << (<i64>size);
  addressAt(n, mode == 1 ? 0 : <i32>imm);
  checkAlignment(1 << size, !isLoad);
  if (!isLoad) emitPair(OP_STP + size, vector ? vSlot(t) : srcSlot(t), vector ? vSlot(t2) : srcSlot(t2));
  else if (!vector && !signed) emitPair(OP_LDP + size, dstSlot(t), dstSlot(t2));
  else if (size == SIZE128) emitPair(OP_LDP + size, vSlot(t), vSlot(t2));
  else {
    emitPair(OP_LDP + size, tempSlot(0), tempSlot(1));
    if (signed) {
      emit(OP_SX32_64, dstSlot(t), tempSlot(0), 0, 0);
      emit(OP_SX32_64, dstSlot(t2), tempSlot(1), 0, 0);
    } else {
      emitVec(V_ZERO_ABOVE_64, vSlot(t), tempSlot(0), 0, 0);
      emitVec(V_ZERO_ABOVE_64, vSlot(t2), tempSlot(1), 0, 0);
    }
  }
  if (writeBack) emitWriteBack(n, imm);
  return LIFT_NEXT;
}

/** OP_LDP, OP_STP: slots t and t2 at the address, which is a base and a displacement. */
function emitPair(op: u32, t: u32, t2: u32): void {
  emit(op, t, aBase, t2, <u64>(<u32>aDisp));
}
