// Lift of packed integer instructions. Most exist twice: on MMX registers (no prefix) and on XMM registers (66). The
// MMX ones use the same kinds on a temporary, of which only the low half matters.

import { emit, emitCall, emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { LD_Z16, OP_MOVI, SIZE64 } from '../ir/ops';
import { dImm, dMap, dMod, dOpcode, dReg, dRm, gprSlot, MAP_0F, MAP_0F38 } from '../x86/decode';
import { emitLoad, temp, tempVector } from '../x86/operand';
import { emitCheckMmx, emitEnterMmx, emitWriteMmx, emptyMmx, mmxSource, mmxSource32 } from './mmx';
import {
  emitBinary,
  emitUnary,
  FORM_PD,
  FORM_PS,
  FORM_SD,
  FORM_SS,
  form,
  mmx,
  setUnit,
  source128,
  UNIT_MMX,
  xmm,
  xmmReg,
} from './operands';
import { packedKind, packedKind38 } from './packed-kinds';
import {
  V_ABS_I8X16,
  V_ABS_I16X8,
  V_ABS_I32X4,
  V_ALIGN_BYTES,
  V_AND,
  V_BITMASK_I8X16,
  V_EXTRACT_I16X8,
  V_INSERT_I16X8,
  V_KINDS,
  V_SHL_BYTES,
  V_SHLI_I16X8,
  V_SHR_BYTES,
  V_SHRI_S16X8,
  V_SHRI_U16X8,
  V_SHUFFLE_BYTES,
  V_SHUFFLE_HIGH_I16X8,
  V_SHUFFLE_I32X4,
  V_SHUFFLE_LOW_I16X8,
  V_ZERO_ABOVE_64,
  V_ZIP_LOW_I8X16,
  V_ZIP_LOW_I64X2,
} from './vops';

function isUnary(kind: u32): bool {
  return kind == V_ABS_I8X16 || kind == V_ABS_I16X8 || kind == V_ABS_I32X4;
}

/** reg = kind(reg, r/m), in the register set that the prefix chooses. */
function liftPacked(kind: u32): u32 {
  const f = form();
  if (f == FORM_PD) {
    const source = source128();
    if (isUnary(kind)) emitUnary(kind, source, 0);
    else emitBinary(kind, source, 0);
    return LIFT_NEXT;
  }
  if (f != FORM_PS) return LIFT_NONE;
  setUnit(UNIT_MMX);
  emitCheckMmx();
  const source = mmxSource();
  const v = tempVector();
  emitVec(kind, v, isUnary(kind) ? source : mmx(dReg), source, 0);
  emitWriteMmx(dReg, v);
  return LIFT_NEXT;
}

/** PUNPCKL… (which = 0–2 for bytes, words, doublewords). The memory operand of the MMX form is 4 bytes. */
function liftUnpack(which: u32, high: bool): u32 {
  const f = form();
  if (f == FORM_PD) {
    emitBinary(V_ZIP_LOW_I8X16 + which + (high ? 4 : 0), source128(), 0);
    return LIFT_NEXT;
  }
  if (f != FORM_PS) return LIFT_NONE;
  setUnit(UNIT_MMX);
  emitCheckMmx();
  const source = high ? mmxSource() : mmxSource32();
  const v = tempVector();
  // The low halves of 128-bit registers are whole MMX registers: the upper half of the result is PUNPCKH….
  emitVec(V_ZIP_LOW_I8X16 + which, v, mmx(dReg), source, 0);
  emitWriteMmx(dReg, high ? v + 8 : v);
  return LIFT_NEXT;
}

/** Packs and horizontal operations: the result's halves come from one operand each. */
function liftHalves(kind: u32): u32 {
  const f = form();
  if (f == FORM_PD) {
    emitBinary(kind, source128(), 0);
    return LIFT_NEXT;
  }
  if (f != FORM_PS) return LIFT_NONE;
  setUnit(UNIT_MMX);
  emitCheckMmx();
  const source = mmxSource();
  const v = tempVector();
  emitVec(V_ZIP_LOW_I64X2, v, mmx(dReg), source, 0);
  emitVec(kind, v, v, v, 0);
  emitWriteMmx(dReg, v);
  return LIFT_NEXT;
}

/** PSHUFB: with 64 bits only three bits of an index count. */
function liftShuffleBytes(): u32 {
  const f = form();
  if (f != FORM_PS) return f == FORM_PD ? liftPacked(V_SHUFFLE_BYTES) : LIFT_NONE;
  setUnit(UNIT_MMX);
  emitCheckMmx();
  const source = mmxSource();
  const mask = temp();
  const v = tempVector();
  emit(OP_MOVI + SIZE64, mask, 0, 0, 0x8787878787878787);
  emitVec(V_AND, v, source, mask, 0);
  emitVec(V_SHUFFLE_BYTES, v, mmx(dReg), v, 0);
  emitWriteMmx(dReg, v);
  return LIFT_NEXT;
}

/** PALIGNR: 0F3A 0F. */
export function liftAlign(): u32 {
  const f = form();
  const imm = <u32>dImm & 0xff;
  if (f == FORM_PD) {
    emitBinary(V_ALIGN_BYTES, source128(), imm);
    return LIFT_NEXT;
  }
  if (f != FORM_PS) return LIFT_NONE;
  setUnit(UNIT_MMX);
  emitCheckMmx();
  const source = mmxSource();
  const v = tempVector();
  emitVec(V_ZIP_LOW_I64X2, v, source, mmx(dReg), 0);
  emitVec(V_SHR_BYTES, v, v, v, imm);
  emitWriteMmx(dReg, v);
  return LIFT_NEXT;
}

/** PSHUFW, PSHUFD, PSHUFHW, PSHUFLW: 0F 70. */
function liftShuffle(): u32 {
  const f = form();
  const imm = <u32>dImm & 0xff;
  if (f == FORM_PD) emitUnary(V_SHUFFLE_I32X4, source128(), imm);
  else if (f == FORM_SS) emitUnary(V_SHUFFLE_HIGH_I16X8, source128(), imm);
  else if (f == FORM_SD) emitUnary(V_SHUFFLE_LOW_I16X8, source128(), imm);
  else {
    setUnit(UNIT_MMX);
    emitCheckMmx();
    const source = mmxSource();
    const v = tempVector();
    emitVec(V_SHUFFLE_LOW_I16X8, v, source, source, imm);
    emitWriteMmx(dReg, v);
  }
  return LIFT_NEXT;
}

/** Shifts by an immediate: groups 12–14, 0F 71–73. ModRM.rm is the register. */
function liftShiftGroup(): u32 {
  const f = form();
  if (dMod != 3 || f >= FORM_SS) return LIFT_NONE;
  const which = dOpcode - 0x71;
  let kind: u32;
  switch (dReg & 7) {
    case 2:
      kind = V_SHRI_U16X8 + which;
      break;
    case 4:
      if (which == 2) return LIFT_NONE;
      kind = V_SHRI_S16X8 + which;
      break;
    case 6:
      kind = V_SHLI_I16X8 + which;
      break;
    case 3:
    case 7:
      if (which != 2 || f != FORM_PD) return LIFT_NONE;
      kind = dReg & 4 ? V_SHL_BYTES : V_SHR_BYTES;
      break;
    default:
      return LIFT_NONE;
  }
  const imm = <u32>dImm & 0xff;
  if (f == FORM_PD) emitVec(kind, xmm(dRm), xmm(dRm), xmm(dRm), imm);
  else {
    setUnit(UNIT_MMX);
    emitCheckMmx();
    const v = tempVector();
    emitVec(kind, v, mmx(dRm), mmx(dRm), imm);
    emitWriteMmx(dRm, v);
  }
  return LIFT_NEXT;
}

/** PINSRW: 0F C4. */
function liftInsertWord(): u32 {
  const f = form();
  if (f >= FORM_SS) return LIFT_NONE;
  if (f == FORM_PS) {
    setUnit(UNIT_MMX);
    emitCheckMmx();
  }
  let source = gprSlot(dRm);
  if (dMod != 3) {
    source = temp();
    emitLoad(LD_Z16, source, 2);
  }
  if (f == FORM_PD) emitBinary(V_INSERT_I16X8, source, <u32>dImm & 7);
  else {
    const v = tempVector();
    emitVec(V_INSERT_I16X8, v, mmx(dReg), source, <u32>dImm & 3);
    emitWriteMmx(dReg, v);
  }
  return LIFT_NEXT;
}

/** PEXTRW: 0F C5; PMOVMSKB: 0F D7. To a general register. */
function liftToGeneral(kind: u32, imm: u32, mmxImm: u32): u32 {
  const f = form();
  if (dMod != 3 || f >= FORM_SS) return LIFT_NONE;
  if (f == FORM_PD) emitVec(kind, gprSlot(dReg), xmm(dRm), xmm(dRm), imm);
  else {
    setUnit(UNIT_MMX);
    emitCheckMmx();
    const v = tempVector();
    emitVec(V_ZERO_ABOVE_64, v, mmx(dRm), mmx(dRm), 0);
    emitVec(kind, gprSlot(dReg), v, v, mmxImm);
    emitEnterMmx();
  }
  return LIFT_NEXT;
}

/** PUNPCKLQDQ, PUNPCKHQDQ: XMM only. */
function liftUnpackQuad(high: bool): u32 {
  if (form() != FORM_PD) return LIFT_NONE;
  emitVec(V_ZIP_LOW_I64X2 + (high ? 4 : 0), xmmReg(), xmmReg(), source128(), 0);
  return LIFT_NEXT;
}

/** Packed integer instructions of maps 0F and 0F38. LIFT_NONE for other opcodes. */
export function liftPackedInteger(): u32 {
  if (dMap == MAP_0F38) {
    if (dOpcode == 0) return liftShuffleBytes();
    const kind = packedKind38(dOpcode);
    if (kind == V_KINDS) return LIFT_NONE;
    // PHADDW … PHADDSW, PHSUBW … PHSUBSW
    return dOpcode < 8 && dOpcode != 4 ? liftHalves(kind) : liftPacked(kind);
  }
  if (dMap != MAP_0F) return LIFT_NONE;
  switch (dOpcode) {
    case 0x60:
    case 0x61:
    case 0x62:
      return liftUnpack(dOpcode - 0x60, false);
    case 0x68:
    case 0x69:
    case 0x6a:
      return liftUnpack(dOpcode - 0x68, true);
    case 0x6c:
      return liftUnpackQuad(false);
    case 0x6d:
      return liftUnpackQuad(true);
    case 0x63:
    case 0x67:
    case 0x6b:
      return liftHalves(packedKind(dOpcode));
    case 0x70:
      return liftShuffle();
    case 0x71:
    case 0x72:
    case 0x73:
      return liftShiftGroup();
    case 0x77:
      if (form() != FORM_PS) return LIFT_NONE;
      setUnit(UNIT_MMX);
      emitCall(emptyMmx.index, 0, 0, 0);
      return LIFT_NEXT;
    case 0xc4:
      return liftInsertWord();
    case 0xc5:
      return liftToGeneral(V_EXTRACT_I16X8, <u32>dImm & 7, <u32>dImm & 3);
    case 0xd7:
      return liftToGeneral(V_BITMASK_I8X16, 0, 0);
    default: {
      const kind = packedKind(dOpcode);
      return kind == V_KINDS ? LIFT_NONE : liftPacked(kind);
    }
  }
}
