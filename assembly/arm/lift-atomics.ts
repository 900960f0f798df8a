// Lift of exclusives, load-acquire and store-release, and the atomic instructions of FEAT_LSE.
//
// One vCPU executes at a time and in order: acquire and release order nothing that could be observed, and an
// instruction's own load and store are not interrupted. What is left are their alignment, faults and results.

import { emit, emitCall } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_ADD,
  ALU_AND,
  ALU_IMM,
  ALU_NOT,
  ALU_OR,
  ALU_SHR,
  ALU_XOR,
  LD_32,
  LD_64,
  LD_RMW,
  LD_Z8,
  LD_Z16,
  OP_LD,
  OP_LDP,
  OP_MOV,
  OP_MOVI,
  OP_ST,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { S_EXCL_ADDRESS, S_EXCL_HIGH, S_EXCL_LOW, S_EXCL_SIZE } from '../layout/arm-state';
import { aBase, addressAt, emitAccess, emitAligned } from './access';
import { compareAndSwap, compareAndSwapPair, loadMinMax, storeExclusive } from './atomic-helpers';
import { bits, emitMove, quiet, ra, rd, rm, rn } from './operands';
import { dstSlot, srcSlot, tempSlot } from './slots';

export function liftAtomics(insn: u32): u32 {
  if ((insn & 0x3f000000) == 0x08000000) return liftExclusive(insn);
  if ((insn & 0x3f200c00) == 0x38200000) return liftAtomic(insn);
  return LIFT_NONE;
}

/** Bits 29–24 = 001000. */
function liftExclusive(insn: u32): u32 {
  const size = insn >> 30;
  const isLoad = bits(insn, 22, 1) != 0;
  const ordered = bits(insn, 15, 1) != 0;
  if (bits(insn, 23, 1)) {
    if (bits(insn, 21, 1)) return ra(insn) == 31 ? liftCompareAndSwap(insn, size) : LIFT_NONE;
    // Without bit 15: LDLAR and STLLR, which FEAT_LOR would add.
    return ordered ? liftOrdered(insn, size, isLoad) : LIFT_NONE;
  }
  const pair = bits(insn, 21, 1) != 0;
  if (pair && size < SIZE32) return ra(insn) == 31 ? liftCompareAndSwapPair(insn, size + SIZE32) : LIFT_NONE;
  return isLoad ? liftLoadExclusive(insn, size, pair) : liftStoreExclusive(insn, size, pair);
}

/** Zero-extending load by size. */
function loadOp(size: u32): u32 {
  return OP_LD + (size == 0 ? LD_Z8 : size == 1 ? LD_Z16 : size == SIZE32 ? LD_32 : LD_64);
}

/** LDAR…, STLR…. */
function liftOrdered(insn: u32, size: u32, isLoad: bool): u32 {
  addressAt(rn(insn), 0);
  emitAligned(1 << size, !isLoad);
  if (isLoad) emitAccess(loadOp(size), dstSlot(rd(insn)));
  else emitAccess(OP_ST + size, srcSlot(rd(insn)));
  return LIFT_NEXT;
}

/** LDXR…, LDAXR…, LDXP, LDAXP: the monitor takes address, size and value. */
function liftLoadExclusive(insn: u32, size: u32, pair: bool): u32 {
  const t = rd(insn);
  const t2 = ra(insn);
  if (pair && t == t2) return LIFT_NONE;
  // A pair of words is one doubleword.
  const wide = pair && size == SIZE64;
  const whole = pair ? SIZE64 : size;
  const bytes: u32 = wide ? 16 : 1 << whole;
  const low = tempSlot(0);
  const high = tempSlot(1);
  addressAt(rn(insn), 0);
  emitAligned(bytes, false);
  if (wide) emit(OP_LDP + SIZE64, low, aBase, high, 0);
  else emitAccess(loadOp(whole), low);
  emitMove(SIZE64, S_EXCL_ADDRESS, aBase);
  emit(OP_MOVI + SIZE32, S_EXCL_SIZE, 0, 0, bytes);
  emitMove(SIZE64, S_EXCL_LOW, low);
  if (wide) emitMove(SIZE64, S_EXCL_HIGH, high);
  if (!pair || wide) emitMove(SIZE64, dstSlot(t), low);
  else emit(OP_MOV + SIZE32, dstSlot(t), low, 0, 0);
  if (wide) emitMove(SIZE64, dstSlot(t2), high);
  else if (pair) emit(quiet(ALU_SHR, SIZE64) | ALU_IMM, dstSlot(t2), low, 0, 32);
  return LIFT_NEXT;
}

/** STXR…, STLXR…, STXP, STLXP. */
function liftStoreExclusive(insn: u32, size: u32, pair: bool): u32 {
  const s = rm(insn);
  const t = rd(insn);
  const n = rn(insn);
  if (s == t || (pair && s == ra(insn)) || (s == n && n != 31)) return LIFT_NONE;
  addressAt(n, 0);
  const t2 = pair ? <u64>srcSlot(ra(insn)) : 0;
  emitCall(
    storeExclusive.index,
    dstSlot(s),
    aBase,
    <u64>size | ((<u64>u32(pair)) << 4) | ((<u64>srcSlot(t)) << 16) | (t2 << 32),
  );
  return LIFT_NEXT;
}

/** CAS…: s is compared with memory, t stored; s receives what was there. */
function liftCompareAndSwap(insn: u32, size: u32): u32 {
  addressAt(rn(insn), 0);
  const d = (<u64>dstSlot(rm(insn))) << 32;
  emitCall(compareAndSwap.index, srcSlot(rm(insn)), aBase, <u64>size | ((<u64>srcSlot(rd(insn))) << 16) | d);
  return LIFT_NEXT;
}

/** CASP…: pairs of registers that begin with an even one. */
function liftCompareAndSwapPair(insn: u32, size: u32): u32 {
  if ((rm(insn) | rd(insn)) & 1) return LIFT_NONE;
  addressAt(rn(insn), 0);
  emitCall(compareAndSwapPair.index, rm(insn), aBase, <u64>size | ((<u64>rd(insn)) << 16));
  return LIFT_NEXT;
}

/** LDADD, LDCLR, LDEOR, LDSET, LDSMAX, LDSMIN, LDUMAX, LDUMIN, SWP, all sizes and orders. */
function liftAtomic(insn: u32): u32 {
  const size = insn >> 30;
  const what = bits(insn, 12, 4);
  // 12: LDAPR, which FEAT_LRCPC would add.
  if (what > 8) return LIFT_NONE;
  const s = srcSlot(rm(insn));
  const d = dstSlot(rd(insn));
  addressAt(rn(insn), 0);
  emitAligned(1 << size, false);
  if (what >= 4 && what < 8) {
    emitCall(loadMinMax.index, s, aBase, <u64>size | ((<u64>(what & 3)) << 4) | ((<u64>d) << 16));
    return LIFT_NEXT;
  }
  const old = tempSlot(0);
  let value = tempSlot(1);
  emitAccess(OP_LD + LD_RMW + size, old);
  const width = size == SIZE64 ? SIZE64 : SIZE32;
  switch (what) {
    case 0:
      emit(quiet(ALU_ADD, width), value, old, s, 0);
      break;
    case 1:
      emit(quiet(ALU_NOT, width), value, s, 0, 0);
      emit(quiet(ALU_AND, width), value, old, value, 0);
      break;
    case 2:
      emit(quiet(ALU_XOR, width), value, old, s, 0);
      break;
    case 3:
      emit(quiet(ALU_OR, width), value, old, s, 0);
      break;
    default:
      value = s;
  }
  emitAccess(OP_ST + size, value);
  emitMove(SIZE64, d, old);
  return LIFT_NEXT;
}
