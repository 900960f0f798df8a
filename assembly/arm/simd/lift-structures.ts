// LD1–LD4, ST1–ST4: loads and stores of structures whose members go to (come from) different registers (Arm ARM
// C4.1.66, "Advanced SIMD load/store …").
//
// Everything is loaded to temporaries before a register changes, so that a fault leaves them alone. A store to two
// pages first tries both, so that it is all done or none of it.

import { emit, emitCall, emitVec } from '../../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import {
  ALU_ADD,
  ALU_IMM,
  LD_32,
  LD_64,
  LD_128,
  LD_Z8,
  LD_Z16,
  OP_LD,
  OP_LDP,
  OP_MOV,
  OP_MOV128,
  OP_ST,
  OP_STP,
  SIZE64,
  SIZE128,
  ST_128,
} from '../../ir/ops';
import { S_ZERO } from '../../layout/arm-state';
import { STATE } from '../../layout/memory';
import { probeWrite } from '../../mmu/access';
import { V_ZIP_HIGH_I8X16, V_ZIP_LOW_I8X16 } from '../../sse/vops';
import { aBase, addressAt, checkAlignment, emitAccess } from '../access';
import { bits, quiet, rd, rm, rn } from '../operands';
import { spSlot, srcSlot, tempSlot, vSlot } from '../slots';
import { emitArm, isFull, keepLow, vTemp } from './emitters';
import { A_DUP, A_UNZIP3, A_UZP1, A_UZP2, A_ZIP3, FORM_Q } from './kinds';
import { emitInsert } from './lift-moves';

/** Register i of a list that starts with register t: after V31 comes V0. */
function member(t: u32, i: u32): u32 {
  return vSlot((t + i) & 31);
}

/** Post-index: Xn += Xm, or for Rm = 31 the number of bytes transferred. */
function emitWriteBack(insn: u32, bytes: u32): void {
  if (!bits(insn, 23, 1)) return;
  const n = spSlot(rn(insn));
  if (rm(insn) == 31) emit(quiet(ALU_ADD, SIZE64) | ALU_IMM, n, n, 0, bytes);
  else emit(quiet(ALU_ADD, SIZE64), n, n, srcSlot(rm(insn)), 0);
}

/** Loads `bytes` (8 or 16) from the base + disp to slot d; stores them. */
function emitPiece(isLoad: bool, n: u32, disp: u32, full: bool, d: u32): void {
  addressAt(n, disp);
  if (isLoad) emitAccess(OP_LD + (full ? LD_128 : LD_64), d);
  else emitAccess(OP_ST + (full ? ST_128 : SIZE64), d);
}

/** Pieces d and d2 from or to the base as one access. */
function emitPair(op: u32, n: u32, full: bool, d: u32, d2: u32): void {
  addressAt(n, 0);
  emit(op + (full ? SIZE128 : SIZE64), d, aBase, d2, 0);
}

/** Faults if a store of `bytes` bytes at the address in slot a would cross into a page that forbids it. */
function tryStore(a: u32, bytes: u32, _imm: u64): void {
  const address = load<u64>(STATE + a);
  if ((<u32>address & 0xfff) + bytes > 0x1000) probeWrite(address, bytes);
}

/** Number of structure members and registers by opcode of the multiple-structure forms; 0: no such opcode. */
function registersOf(opcode: u32): u32 {
  switch (opcode) {
    case 0:
    case 2:
      return 4;
    case 4:
    case 6:
      return 3;
    case 7:
      return 1;
    case 8:
    case 10:
      return 2;
    default:
      return 0;
  }
}

/** The `count` pieces in temporaries 0… to registers t…, taken apart into structures of `members`. */
function emitTakeApart(t: u32, count: u32, members: u32, size: u32, full: bool): void {
  const form = size | FORM_Q;
  if (members == 3) {
    for (let i: u32 = 0; i < 3; i++) emitArm(A_UNZIP3, size | (full ? FORM_Q : 0), member(t, i), vTemp(0), vTemp(0), i);
    return;
  }
  if (members == 1) {
    for (let i: u32 = 0; i < count; i++) {
      if (full) emit(OP_MOV128, member(t, i), vTemp(i), 0, 0);
      else {
        emit(OP_MOV + SIZE64, member(t, i), vTemp(0) + (i << 3), 0, 0);
        emit(OP_MOV + SIZE64, member(t, i) + 8, S_ZERO, 0, 0);
      }
    }
    return;
  }
  if (members == 2) {
    emitArm(A_UZP1, form, member(t, 0), vTemp(0), vTemp(full ? 1 : 0), 0);
    emitArm(A_UZP2, form, member(t, 1), vTemp(0), vTemp(full ? 1 : 0), 0);
  } else {
    // Members 0 and 2, members 1 and 3; then each alone.
    emitArm(A_UZP1, form, vTemp(4), vTemp(0), vTemp(1), 0);
    emitArm(A_UZP2, form, vTemp(5), vTemp(0), vTemp(1), 0);
    if (full) {
      emitArm(A_UZP1, form, vTemp(6), vTemp(2), vTemp(3), 0);
      emitArm(A_UZP2, form, vTemp(7), vTemp(2), vTemp(3), 0);
    }
    for (let i: u32 = 0; i < 4; i++) {
      const x = vTemp(4 + (i & 1));
      emitArm(i < 2 ? A_UZP1 : A_UZP2, form, member(t, i), x, full ? vTemp(6 + (i & 1)) : x, 0);
    }
  }
  for (let i: u32 = 0; i < members; i++) keepLow(full, member(t, i));
}

/** Structures of `members` from registers t… put together in temporaries 0…, as they go to memory. */
function emitPutTogether(t: u32, members: u32, size: u32, full: bool): void {
  if (members == 3) {
    for (let i: u32 = 0; i < 3; i++) {
      const to = full ? vTemp(i) : vTemp(4);
      emitArm(A_ZIP3, size | (full ? FORM_Q : 0), to, member(t, 0), member(t, 0), i);
      if (!full) emit(OP_MOV + SIZE64, vTemp(0) + (i << 3), to, 0, 0);
    }
    return;
  }
  if (members == 2) {
    emitVec(V_ZIP_LOW_I8X16 + size, vTemp(0), member(t, 0), member(t, 1), 0);
    if (full) emitVec(V_ZIP_HIGH_I8X16 + size, vTemp(1), member(t, 0), member(t, 1), 0);
    return;
  }
  // Members 0 and 2 alternating, members 1 and 3; then all.
  const pairs = full ? 2 : 1;
  emitVec(V_ZIP_LOW_I8X16 + size, vTemp(4), member(t, 0), member(t, 2), 0);
  emitVec(V_ZIP_LOW_I8X16 + size, vTemp(5), member(t, 1), member(t, 3), 0);
  if (full) {
    emitVec(V_ZIP_HIGH_I8X16 + size, vTemp(6), member(t, 0), member(t, 2), 0);
    emitVec(V_ZIP_HIGH_I8X16 + size, vTemp(7), member(t, 1), member(t, 3), 0);
  }
  for (let i: u32 = 0; i < <u32>pairs; i++) {
    emitVec(V_ZIP_LOW_I8X16 + size, vTemp(2 * i), vTemp(4 + 2 * i), vTemp(5 + 2 * i), 0);
    emitVec(V_ZIP_HIGH_I8X16 + size, vTemp(2 * i + 1), vTemp(4 + 2 * i), vTemp(5 + 2 * i), 0);
  }
}

/** Stores `count` pieces: registers t…, or (`together`) temporaries 0…. */
function emitStores(t: u32, n: u32, count: u32, together: bool, full: bool): void {
  const bytes: u32 = full ? 16 : 8;
  if (count == 2) {
    emitPair(OP_STP, n, full, together ? vTemp(0) : member(t, 0), together ? vTemp(0) + bytes : member(t, 1));
    return;
  }
  if (count > 2) emitCall(tryStore.index, spSlot(n), count * bytes, 0);
  for (let i: u32 = 0; i < count; i++) {
    emitPiece(false, n, i * bytes, full, together ? vTemp(0) + i * bytes : member(t, i));
  }
}

/** Multiple structures. */
function liftMultiple(insn: u32): u32 {
  const opcode = bits(insn, 12, 4);
  const size = bits(insn, 10, 2);
  const full = isFull(insn);
  const isLoad = bits(insn, 22, 1) != 0;
  const t = rd(insn);
  const n = rn(insn);
  const count = registersOf(opcode);
  const members = opcode & 2 ? 1 : count;
  // Only LD1 and ST1 have a single 64-bit lane.
  if (!count || (members > 1 && size == 3 && !full)) return LIFT_NONE;
  const bytes: u32 = full ? 16 : 8;
  addressAt(n, 0);
  checkAlignment(1 << size, !isLoad);
  if (isLoad && count == 1 && full) emitPiece(true, n, 0, true, member(t, 0));
  else if (isLoad && count == 2 && full && members == 1) emitPair(OP_LDP, n, true, member(t, 0), member(t, 1));
  else if (isLoad) {
    // Pieces lie in the temporaries as they do in memory.
    for (let i: u32 = 0; i < count; i++) emitPiece(true, n, i * bytes, full, vTemp(0) + i * bytes);
    emitTakeApart(t, count, members, size, full);
  } else {
    if (members > 1) emitPutTogether(t, members, size, full);
    emitStores(t, n, count, members > 1, full);
  }
  emitWriteBack(insn, count * bytes);
  return LIFT_NEXT;
}

/** Zero-extending load of one lane. */
function laneForm(size: u32): u32 {
  if (size == 0) return LD_Z8;
  if (size == 1) return LD_Z16;
  return size == 2 ? LD_32 : LD_64;
}

/** One structure, to or from one lane of each register, or loaded to all lanes. */
function liftSingle(insn: u32): u32 {
  const opcode = bits(insn, 13, 3);
  const s = bits(insn, 12, 1);
  const field = bits(insn, 10, 2);
  const full = isFull(insn);
  const isLoad = bits(insn, 22, 1) != 0;
  const members = (((opcode & 1) << 1) | bits(insn, 21, 1)) + 1;
  let size = opcode >> 1;
  let replicate = false;
  // Q:S:size, of which wider lanes use the upper bits.
  let index = (full ? 8 : 0) | (s << 2) | field;
  if (size == 3) {
    if (!isLoad || s) return LIFT_NONE;
    replicate = true;
    size = field;
  } else if (size == 1) {
    if (field & 1) return LIFT_NONE;
    index >>= 1;
  } else if (size == 2) {
    if (field & 2 || (field & 1 && s)) return LIFT_NONE;
    if (field & 1) {
      size = 3;
      index >>= 3;
    } else index >>= 2;
  }
  const t = rd(insn);
  const n = rn(insn);
  addressAt(n, 0);
  checkAlignment(1 << size, !isLoad);
  if (!isLoad && members > 1) emitCall(tryStore.index, spSlot(n), members << size, 0);
  for (let i: u32 = 0; i < members; i++) {
    addressAt(n, i << size);
    if (isLoad) emitAccess(OP_LD + laneForm(size), tempSlot(i));
    else emitAccess(OP_ST + size, member(t, i) + (index << size));
  }
  for (let i: u32 = 0; isLoad && i < members; i++) {
    const d = member(t, i);
    if (replicate) {
      emitArm(A_DUP, size | FORM_Q, d, tempSlot(i), tempSlot(i), 0);
      keepLow(full, d);
    } else emitInsert(size, d, index, tempSlot(i));
  }
  emitWriteBack(insn, members << size);
  return LIFT_NEXT;
}

/** Instructions with bits 31, 29–25 = 0, 00110. LIFT_NONE if it is undefined. */
export function liftSimdStructures(insn: u32): u32 {
  const single = bits(insn, 24, 1) != 0;
  const post = bits(insn, 23, 1) != 0;
  if (insn >> 31 || bits(insn, 25, 5) != 6) return LIFT_NONE;
  if (!post && rm(insn)) return LIFT_NONE;
  if (single) return liftSingle(insn);
  return bits(insn, 21, 1) ? LIFT_NONE : liftMultiple(insn);
}
