// Lift of SSE data moves (SDM vol. 1, 10.4.1.1, 11.4.1.1, 12.3).

import { emit, emitCall, emitMem, emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { OP_LEA16, OP_LEA32, OP_LEA64, OP_MOV, SIZE32, SIZE64 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_RDI, S_ZERO } from '../layout/x86-state';
import { addressAfter, probeWrite, write8 } from '../mmu/access';
import { dAddrSize, dMod, dOpcode, dReg, dRm, dSeg, gprSlot } from '../x86/decode';
import { emitRead, emitSegment, emitStore, temp } from '../x86/operand';
import { emitCheckMmx, emitEnterMmx, emitWriteMmx, mmxSource } from './mmx';
import {
  emitBinary,
  emitUnary,
  FORM_PD,
  FORM_PS,
  FORM_SD,
  FORM_SS,
  form,
  gprSize,
  load32,
  load64,
  mmx,
  moveLoad,
  moveStore,
  setUnit,
  source64,
  source128,
  UNIT_MMX,
  xmm,
  xmmReg,
} from './operands';
import {
  V_BITMASK_I32X4,
  V_BITMASK_I64X2,
  V_DUP_EVEN_32,
  V_DUP_LOW_64,
  V_DUP_ODD_32,
  V_MOVE_FROM_HIGH_64,
  V_MOVE_LOW_32,
  V_MOVE_LOW_64,
  V_MOVE_TO_HIGH_64,
  V_ZERO_ABOVE_32,
  V_ZERO_ABOVE_64,
  V_ZIP_HIGH_I32X4,
  V_ZIP_HIGH_I64X2,
  V_ZIP_LOW_I32X4,
  V_ZIP_LOW_I64X2,
} from './vops';

/** MOVUPS, MOVUPD, MOVSS, MOVSD: 0F 10. */
function liftMovups(f: u32): u32 {
  if (f < FORM_SS) moveLoad(false);
  else if (dMod == 3) emitBinary(f == FORM_SS ? V_MOVE_LOW_32 : V_MOVE_LOW_64, xmm(dRm), 0);
  else if (f == FORM_SS) emitUnary(V_ZERO_ABOVE_32, load32(), 0);
  else emitUnary(V_ZERO_ABOVE_64, load64(), 0);
  return LIFT_NEXT;
}

/** The same to r/m: 0F 11. */
function liftMovupsStore(f: u32): u32 {
  if (f < FORM_SS) moveStore(false);
  else if (dMod == 3) emitVec(f == FORM_SS ? V_MOVE_LOW_32 : V_MOVE_LOW_64, xmm(dRm), xmm(dRm), xmmReg(), 0);
  else emitStore(f == FORM_SS ? SIZE32 : SIZE64, xmmReg());
  return LIFT_NEXT;
}

/** MOVLPS, MOVHLPS, MOVLPD, MOVSLDUP, MOVDDUP: 0F 12. MOVHPS, MOVLHPS, MOVHPD, MOVSHDUP: 0F 16. */
function liftMoveHalf(f: u32, high: bool): u32 {
  if (f == FORM_SS) emitUnary(high ? V_DUP_ODD_32 : V_DUP_EVEN_32, source128(), 0);
  else if (f == FORM_SD) {
    if (high) return LIFT_NONE;
    emitUnary(V_DUP_LOW_64, source64(), 0);
  } else if (dMod != 3) emitBinary(high ? V_MOVE_TO_HIGH_64 : V_MOVE_LOW_64, load64(), 0);
  else if (f == FORM_PS) emitBinary(high ? V_MOVE_TO_HIGH_64 : V_MOVE_FROM_HIGH_64, xmm(dRm), 0);
  else return LIFT_NONE;
  return LIFT_NEXT;
}

/** Store of one half: 0F 13, 0F 17. */
function liftStoreHalf(f: u32, high: bool): u32 {
  if (dMod == 3 || f >= FORM_SS) return LIFT_NONE;
  emitStore(SIZE64, high ? xmmReg() + 8 : xmmReg());
  return LIFT_NEXT;
}

function liftUnpack(f: u32, high: bool): u32 {
  if (f >= FORM_SS) return LIFT_NONE;
  if (f == FORM_PS) emitBinary(high ? V_ZIP_HIGH_I32X4 : V_ZIP_LOW_I32X4, source128(), 0);
  else emitBinary(high ? V_ZIP_HIGH_I64X2 : V_ZIP_LOW_I64X2, source128(), 0);
  return LIFT_NEXT;
}

/** MOVD, MOVQ to a register: 0F 6E. */
function liftMovd(f: u32): u32 {
  const size = gprSize();
  if (f == FORM_PD) emitUnary(size == SIZE64 ? V_ZERO_ABOVE_64 : V_ZERO_ABOVE_32, emitRead(size), 0);
  else if (f == FORM_PS) {
    setUnit(UNIT_MMX);
    emitCheckMmx();
    const t = temp();
    emit(OP_MOV + size, t, emitRead(size), 0, 0);
    emitWriteMmx(dReg, t);
  } else return LIFT_NONE;
  return LIFT_NEXT;
}

/** MOVD, MOVQ to r/m: 0F 7E; F3: MOVQ between XMM registers or from memory. */
function liftMovdStore(f: u32): u32 {
  const size = gprSize();
  if (f == FORM_SS) {
    emitUnary(V_ZERO_ABOVE_64, source64(), 0);
    return LIFT_NEXT;
  }
  if (f == FORM_SD) return LIFT_NONE;
  const mm = f == FORM_PS;
  if (mm) {
    setUnit(UNIT_MMX);
    emitCheckMmx();
  }
  const from = mm ? mmx(dReg) : xmmReg();
  if (dMod == 3) emit(OP_MOV + size, gprSlot(dRm), from, 0, 0);
  else emitStore(size, from);
  if (mm) emitEnterMmx();
  return LIFT_NEXT;
}

/** MOVQ, MOVDQA, MOVDQU: 0F 6F. */
function liftMovdqa(f: u32): u32 {
  if (f == FORM_SD) return LIFT_NONE;
  if (f != FORM_PS) {
    moveLoad(f == FORM_PD);
    return LIFT_NEXT;
  }
  setUnit(UNIT_MMX);
  emitCheckMmx();
  emitWriteMmx(dReg, mmxSource());
  return LIFT_NEXT;
}

/** The same to r/m: 0F 7F. */
function liftMovdqaStore(f: u32): u32 {
  if (f == FORM_SD) return LIFT_NONE;
  if (f != FORM_PS) {
    moveStore(f == FORM_PD);
    return LIFT_NEXT;
  }
  setUnit(UNIT_MMX);
  emitCheckMmx();
  if (dMod == 3) emitWriteMmx(dRm, mmx(dReg));
  else {
    emitStore(SIZE64, mmx(dReg));
    emitEnterMmx();
  }
  return LIFT_NEXT;
}

/** MOVQ, MOVQ2DQ, MOVDQ2Q: 0F D6. */
function liftMovqStore(f: u32): u32 {
  if (f == FORM_PS || (f >= FORM_SS && dMod != 3)) return LIFT_NONE;
  if (f == FORM_PD) {
    if (dMod == 3) emitVec(V_ZERO_ABOVE_64, xmm(dRm), xmmReg(), xmmReg(), 0);
    else emitStore(SIZE64, xmmReg());
    return LIFT_NEXT;
  }
  emitCheckMmx();
  if (f == FORM_SS) {
    emitUnary(V_ZERO_ABOVE_64, mmx(dRm), 0);
    emitEnterMmx();
  } else emitWriteMmx(dReg, xmm(dRm));
  return LIFT_NEXT;
}

/** Helper of MASKMOVQ, MASKMOVDQU: at linear address a, the bytes of slot b whose mask byte (slot in imm) is negative. */
export function maskedStore(a: u32, b: u32, imm: u64): void {
  const linear = load<u64>(STATE + a);
  const mask = STATE + (<u32>imm & 0xffff);
  const size = <u32>(imm >> 16);
  for (let i: u32 = 0; i < size; i++) {
    if (load<u8>(mask + i) & 0x80 && !probeWrite(addressAfter(linear, i), 1)) return;
  }
  for (let i: u32 = 0; i < size; i++) {
    if (load<u8>(mask + i) & 0x80) write8(addressAfter(linear, i), load<u8>(STATE + b + i));
  }
}

/** MASKMOVQ, MASKMOVDQU: 0F F7. To DS:rDI, or another segment by override. */
function liftMaskedStore(f: u32): u32 {
  if (dMod != 3 || f >= FORM_SS) return LIFT_NONE;
  const mm = f == FORM_PS;
  if (mm) {
    setUnit(UNIT_MMX);
    emitCheckMmx();
  }
  const size: u32 = mm ? 8 : 16;
  const t = temp();
  emitMem(dAddrSize == 1 ? OP_LEA16 : dAddrSize == 2 ? OP_LEA32 : OP_LEA64, t, S_RDI, S_ZERO, 0, 0);
  emitSegment(t, dSeg, size, true);
  const data = mm ? mmx(dReg) : xmmReg();
  emitCall(maskedStore.index, t, data, <u64>((mm ? mmx(dRm) : xmm(dRm)) | (size << 16)));
  if (mm) emitEnterMmx();
  return LIFT_NEXT;
}

/** MOVNTQ, MOVNTDQ: 0F E7. */
function liftMovntdq(f: u32): u32 {
  if (dMod == 3 || f >= FORM_SS) return LIFT_NONE;
  if (f == FORM_PD) moveStore(true);
  else {
    setUnit(UNIT_MMX);
    emitCheckMmx();
    emitStore(SIZE64, mmx(dReg));
    emitEnterMmx();
  }
  return LIFT_NEXT;
}

/** Moves of map 0F. LIFT_NONE for other opcodes. */
export function liftMoves(): u32 {
  const f = form();
  switch (dOpcode) {
    case 0x10:
      return liftMovups(f);
    case 0x11:
      return liftMovupsStore(f);
    case 0x12:
      return liftMoveHalf(f, false);
    case 0x13:
      return liftStoreHalf(f, false);
    case 0x14:
      return liftUnpack(f, false);
    case 0x15:
      return liftUnpack(f, true);
    case 0x16:
      return liftMoveHalf(f, true);
    case 0x17:
      return liftStoreHalf(f, true);
    case 0x28:
      if (f >= FORM_SS) return LIFT_NONE;
      moveLoad(true);
      return LIFT_NEXT;
    case 0x2b:
      if (dMod == 3) return LIFT_NONE;
    // falls through: MOVNTPS is MOVAPS to memory here
    case 0x29:
      if (f >= FORM_SS) return LIFT_NONE;
      moveStore(true);
      return LIFT_NEXT;
    case 0x50:
      if (dMod != 3 || f >= FORM_SS) return LIFT_NONE;
      emitVec(f == FORM_PS ? V_BITMASK_I32X4 : V_BITMASK_I64X2, gprSlot(dReg), xmm(dRm), xmm(dRm), 0);
      return LIFT_NEXT;
    case 0x6e:
      return liftMovd(f);
    case 0x6f:
      return liftMovdqa(f);
    case 0x7e:
      return liftMovdStore(f);
    case 0x7f:
      return liftMovdqaStore(f);
    case 0xd6:
      return liftMovqStore(f);
    case 0xe7:
      return liftMovntdq(f);
    case 0xf0:
      if (f != FORM_SD || dMod == 3) return LIFT_NONE;
      moveLoad(false);
      return LIFT_NEXT;
    case 0xf7:
      return liftMaskedStore(f);
    default:
      return LIFT_NONE;
  }
}
