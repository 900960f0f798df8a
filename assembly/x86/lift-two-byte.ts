// Lift of the general-purpose instructions of maps 0F, 0F38 and 0F3A (SDM vol. 2, tables ).

import { emit, emitCall } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  ALU_ADD,
  ALU_CMP,
  ALU_IMM,
  ALU_IMUL,
  ALU_NOFLAGS,
  ALU_NOT,
  CC_E,
  LD_16,
  LD_32,
  LD_64,
  LD_S8_16,
  LD_S8_32,
  LD_S8_64,
  LD_S16_32,
  LD_S16_64,
  LD_Z8,
  LD_Z8_16,
  LD_Z16,
  OP_CMOV,
  OP_MOV,
  OP_MOVI,
  OP_RAISE,
  OP_ROT,
  OP_SETCC,
  OP_SX8_16,
  OP_SX8_32,
  OP_SX8_64,
  OP_SX16_32,
  OP_SX16_64,
  OP_ZX8,
  OP_ZX8_16,
  OP_ZX16,
  SIZE8,
  SIZE16,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { S_RAX } from '../layout/x86-state';
import { bitOffset, bitScan, bitTest, compareExchangeWide, crc32c, doubleShift, populationCount } from './arith';
import {
  dAddrSize,
  dImm,
  dMap,
  dMod,
  dOpcode,
  dOpPrefix,
  dOpSize,
  dReg,
  dRep,
  dRex,
  dRm,
  dSeg,
  gpr8Slot,
  gprSlot,
  MAP_0F,
  MAP_0F38,
} from './decode';
import { EXC_UD } from './fault';
import { aluOp, liftJcc, regSlot } from './lift-integer';
import {
  beginRmw,
  emitLinear,
  emitLoad,
  emitLoadAt,
  emitLoadRmwAt,
  emitOffset,
  emitRead,
  emitSegment,
  emitStore,
  emitStoreAt,
  endRmw,
  temp,
} from './operand';

/** SHLD, SHRD. */
function liftDoubleShift(right: bool, byCl: bool): u32 {
  const src = gprSlot(dReg);
  const imm = <u64>(dOpSize | (right ? 4 : 0) | (byCl ? 8 : 0)) | ((<u64>(<u8>dImm)) << 8);
  if (dMod == 3) emitCall(doubleShift.index, gprSlot(dRm), src, imm);
  else {
    const v = beginRmw(dOpSize);
    emitCall(doubleShift.index, v, src, imm);
    endRmw(dOpSize, v);
  }
  return LIFT_NEXT;
}

/** BT, BTS, BTR, BTC (what 0–3). With a register bit number a memory operand is a bit string. */
function liftBitTest(what: u32, immediate: bool): u32 {
  const size = dOpSize;
  const imm = <u64>(size | (what << 2)) | (immediate ? 0x10 | ((<u64>(<u8>dImm)) << 8) : 0);
  const bit = immediate ? 0 : gprSlot(dReg);
  if (dMod == 3) {
    emitCall(bitTest.index, gprSlot(dRm), bit, imm);
    return LIFT_NEXT;
  }
  const t = temp();
  emitOffset(t);
  if (!immediate) emitCall(bitOffset.index, t, bit, <u64>(size | (dAddrSize << 2)));
  emitSegment(t, dSeg, 1 << size, what != 0);
  const v = temp();
  if (what) emitLoadRmwAt(size, v, t);
  else emitLoadBySize(size, v, t);
  emitCall(bitTest.index, v, bit, imm);
  if (what) emitStoreAt(size, v, t);
  return LIFT_NEXT;
}

function emitLoadBySize(size: u32, v: u32, t: u32): void {
  emitLoadAt(size == SIZE16 ? LD_Z16 : size == SIZE32 ? LD_32 : LD_64, v, t);
}

function liftCompareExchange(size: u32): u32 {
  const src = regSlot(dReg, size);
  const register = dMod == 3;
  const v = temp();
  let old: u32;
  if (register) {
    old = regSlot(dRm, size);
    emit(OP_MOV + size, v, old, 0, 0);
  } else {
    old = beginRmw(size);
    emit(OP_MOV + SIZE64, v, old, 0, 0);
  }
  emit(aluOp(ALU_CMP, size), 0, S_RAX, v, 0);
  const wide = temp();
  emit(size == SIZE8 ? OP_ZX8 : size == SIZE16 ? OP_ZX16 : OP_MOV + size, wide, src, 0, 0);
  if (register && size >= SIZE32) {
    // A register destination is not written at all when they differ: its upper half stays.
    emit(OP_CMOV + SIZE64, gprSlot(dRm), wide, 0, CC_E);
  } else {
    // Memory is written in any case.
    const chosen = temp();
    emit(OP_MOV + SIZE64, chosen, v, 0, 0);
    emit(OP_CMOV + SIZE64, chosen, wide, 0, CC_E);
    if (register) emit(OP_MOV + size, regSlot(dRm, size), chosen, 0, 0);
    else endRmw(size, chosen);
  }
  // The accumulator is written only when they differ; when it is also the register destination, v equals it anyway.
  const acc = temp();
  emit(OP_MOV + SIZE64, acc, S_RAX, 0, 0);
  emit(OP_MOV + size, acc, v, 0, 0);
  emit(OP_CMOV + SIZE64, S_RAX, acc, 0, CC_E + 1);
  return LIFT_NEXT;
}

function liftExchangeAdd(size: u32): u32 {
  const src = regSlot(dReg, size);
  const old = temp();
  if (dMod == 3) {
    const d = regSlot(dRm, size);
    emit(OP_MOV + size, old, d, 0, 0);
    const sum = temp();
    emit(aluOp(ALU_ADD, size), sum, d, src, 0);
    emit(OP_MOV + size, src, old, 0, 0);
    emit(OP_MOV + size, d, sum, 0, 0);
    return LIFT_NEXT;
  }
  const v = beginRmw(size);
  emit(OP_MOV + SIZE64, old, v, 0, 0);
  const sum = temp();
  emit(aluOp(ALU_ADD, size), sum, v, src, 0);
  endRmw(size, sum);
  emit(OP_MOV + size, src, old, 0, 0);
  return LIFT_NEXT;
}

/** MOVZX, MOVSX from 8 or 16 bits. */
function liftExtend(from: u32, signed: bool): u32 {
  const d = gprSlot(dReg);
  const to = dOpSize;
  if (from == SIZE16 && to == SIZE16) {
    if (dMod == 3) emit(OP_MOV + SIZE16, d, gprSlot(dRm), 0, 0);
    else emitLoad(LD_16, d, 2);
    return LIFT_NEXT;
  }
  if (dMod == 3) {
    const s = regSlot(dRm, from);
    let op: u32;
    if (from == SIZE8)
      op = signed
        ? to == SIZE16
          ? OP_SX8_16
          : to == SIZE32
            ? OP_SX8_32
            : OP_SX8_64
        : to == SIZE16
          ? OP_ZX8_16
          : OP_ZX8;
    else op = signed ? (to == SIZE32 ? OP_SX16_32 : OP_SX16_64) : OP_ZX16;
    emit(op, d, s, 0, 0);
    return LIFT_NEXT;
  }
  let form: u32;
  if (from == SIZE8)
    form = signed ? (to == SIZE16 ? LD_S8_16 : to == SIZE32 ? LD_S8_32 : LD_S8_64) : to == SIZE16 ? LD_Z8_16 : LD_Z8;
  else form = signed ? (to == SIZE32 ? LD_S16_32 : LD_S16_64) : LD_Z16;
  emitLoad(form, d, 1 << from);
  return LIFT_NEXT;
}

/** MOVBE and, with F2, CRC32: 0F38F0, 0F38F1. */
function liftMovbe(): u32 {
  const size = dOpSize;
  if (dRep == 0xf2) {
    const from = dOpcode == 0xf0 ? SIZE8 : size;
    emitCall(crc32c.index, gprSlot(dReg), emitRead(from), from);
    return LIFT_NEXT;
  }
  if (dRep || dMod == 3) return LIFT_NONE;
  const t = temp();
  if (dOpcode == 0xf0) {
    swapTo(t, emitRead(size), size);
    emit(OP_MOV + size, gprSlot(dReg), t, 0, 0);
  } else {
    swapTo(t, gprSlot(dReg), size);
    emitStore(size, t);
  }
  return LIFT_NEXT;
}

/** t = byte-reversed s. */
function swapTo(t: u32, s: u32, size: u32): void {
  if (size == SIZE16) {
    emit(OP_MOV + SIZE64, t, s, 0, 0);
    emit(OP_ROT | (SIZE16 << 2) | ALU_IMM | ALU_NOFLAGS, t, t, 0, 8);
  } else emit(aluOp(ALU_NOT, size) | ALU_IMM | ALU_NOFLAGS, t, s, 0, 0);
}

/** Opcodes of the longer maps that are neither system nor vector instructions. */
export function liftTwoByte(): u32 {
  if (dMap == MAP_0F38) return dOpcode == 0xf0 || dOpcode == 0xf1 ? liftMovbe() : LIFT_NONE;
  if (dMap != MAP_0F) return LIFT_NONE;
  const op = dOpcode;
  const group = op >> 4;
  if (group == 4) {
    const s = emitRead(dOpSize);
    emit(OP_CMOV + dOpSize, gprSlot(dReg), s, 0, op & 15);
    return LIFT_NEXT;
  }
  if (group == 8) return liftJcc(op & 15);
  if (group == 9) {
    if (dMod == 3) emit(OP_SETCC, gpr8Slot(dRm), 0, 0, op & 15);
    else {
      const t = temp();
      emit(OP_SETCC, t, 0, 0, op & 15);
      emitStore(SIZE8, t);
    }
    return LIFT_NEXT;
  }
  if (op >= 0xc8 && op <= 0xcf) {
    const r = gprSlot((op & 7) | ((dRex & 1) << 3));
    // BSWAP of a 16-bit register is undefined; processors clear it.
    if (dOpSize == SIZE16) emit(OP_MOVI + SIZE16, r, 0, 0, 0);
    else swapTo(r, r, dOpSize);
    return LIFT_NEXT;
  }
  switch (op) {
    // PREFETCH, hint NOPs, ENDBR: nothing, not even a fault.
    case 0x0d:
    case 0x18:
    case 0x19:
    case 0x1a:
    case 0x1b:
    case 0x1c:
    case 0x1d:
    case 0x1e:
    case 0x1f:
      return LIFT_NEXT;
    case 0x0b:
    case 0xb9:
    case 0xff:
      emit(OP_RAISE, 0, 0, 0, EXC_UD);
      return LIFT_END;
    case 0xa3:
      return liftBitTest(0, false);
    case 0xab:
      return liftBitTest(1, false);
    case 0xb3:
      return liftBitTest(2, false);
    case 0xbb:
      return liftBitTest(3, false);
    case 0xba:
      return (dReg & 7) < 4 ? LIFT_NONE : liftBitTest(dReg & 3, true);
    case 0xa4:
      return liftDoubleShift(false, false);
    case 0xa5:
      return liftDoubleShift(false, true);
    case 0xac:
      return liftDoubleShift(true, false);
    case 0xad:
      return liftDoubleShift(true, true);
    case 0xaf: {
      const d = gprSlot(dReg);
      emit(aluOp(ALU_IMUL, dOpSize), d, d, emitRead(dOpSize), 0);
      return LIFT_NEXT;
    }
    case 0xb0:
      return liftCompareExchange(SIZE8);
    case 0xb1:
      return liftCompareExchange(dOpSize);
    case 0xb6:
      return liftExtend(SIZE8, false);
    case 0xb7:
      return liftExtend(SIZE16, false);
    case 0xbe:
      return liftExtend(SIZE8, true);
    case 0xbf:
      return liftExtend(SIZE16, true);
    case 0xb8:
      if (dRep != 0xf3) return LIFT_NONE;
      emitCall(populationCount.index, gprSlot(dReg), emitRead(dOpSize), dOpSize);
      return LIFT_NEXT;
    case 0xbc:
    case 0xbd:
      // F3 would make these TZCNT and LZCNT on processors that have them; on this one the prefix is ignored.
      emitCall(bitScan.index, gprSlot(dReg), emitRead(dOpSize), dOpSize | (op == 0xbd ? 4 : 0));
      return LIFT_NEXT;
    case 0xc0:
      return liftExchangeAdd(SIZE8);
    case 0xc1:
      return liftExchangeAdd(dOpSize);
    case 0xc3:
      // MOVNTI: 32 bits, or 64 by REX.W, also in 16-bit code.
      if (dMod == 3 || dOpPrefix || dRep) return LIFT_NONE;
      emitStore(dOpSize == SIZE64 ? SIZE64 : SIZE32, gprSlot(dReg));
      return LIFT_NEXT;
    case 0xc7: {
      if (dMod == 3 || (dReg & 7) != 1) return LIFT_NONE;
      const wide = dOpSize == SIZE64;
      const t = emitLinear(wide ? 16 : 8, true);
      emitCall(compareExchangeWide.index, t, 0, u64(wide));
      return LIFT_NEXT;
    }
    default:
      return LIFT_NONE;
  }
}
