// Lift of SSE4.1 and SSE4.2 (maps 0F38 and 0F3A; all with prefix 66, XMM registers only).

import { emitCall, emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { LD_Z8, SIZE8, SIZE16, SIZE32, SIZE64 } from '../ir/ops';
import { S_XMM } from '../layout/x86-state';
import { dImm, dMod, dOpcode, dReg, dRex, dRm, gprSlot } from '../x86/decode';
import { emitLoad, emitStore, temp } from '../x86/operand';
import {
  emitBinary,
  emitUnary,
  FORM_PD,
  form,
  gprSize,
  load32,
  load64,
  moveLoad,
  source16,
  source32,
  source64,
  source128,
  source128Unaligned,
  xmm,
  xmmReg,
} from './operands';
import { packedKind41 } from './packed-kinds';
import { STRING_EXPLICIT, STRING_MASK, STRING_WIDE, stringCompare } from './strings';
import {
  V_BLEND_I16X8,
  V_BLENDV_I8X16,
  V_BLENDV_I32X4,
  V_BLENDV_I64X2,
  V_DOT_F32X4,
  V_DOT_F64X2,
  V_EXTRACT_I8X16,
  V_EXTRACT_I16X8,
  V_EXTRACT_I32X4,
  V_EXTRACT_I64X2,
  V_INSERT_F32X4,
  V_INSERT_I8X16,
  V_INSERT_I32X4,
  V_INSERT_I64X2,
  V_KINDS,
  V_MIN_POS_U16X8,
  V_MPSAD,
  V_ROUND_F32X4,
  V_ROUND_F64X2,
  V_ROUND_SCALAR_F32,
  V_ROUND_SCALAR_F64,
  V_SEXT_8_16,
  V_TEST,
  V_ZEXT_8_16,
} from './vops';

/** PMOVSX…, PMOVZX…: which = 0–5 for BW, BD, BQ, WD, WQ, DQ. */
function liftExtend(first: u32, which: u32): u32 {
  const source = which == 2 ? source16() : which == 1 || which == 4 ? source32() : source64();
  emitUnary(first + which, source, 0);
  return LIFT_NEXT;
}

/** Map 0F38. LIFT_NONE for other opcodes. */
export function liftSse38(): u32 {
  if (form() != FORM_PD) return LIFT_NONE;
  const op = dOpcode;
  if (op >= 0x20 && op <= 0x25) return liftExtend(V_SEXT_8_16, op - 0x20);
  if (op >= 0x30 && op <= 0x35) return liftExtend(V_ZEXT_8_16, op - 0x30);
  switch (op) {
    // The mask is XMM0.
    case 0x10:
      emitBinary(V_BLENDV_I8X16, source128(), S_XMM);
      return LIFT_NEXT;
    case 0x14:
      emitBinary(V_BLENDV_I32X4, source128(), S_XMM);
      return LIFT_NEXT;
    case 0x15:
      emitBinary(V_BLENDV_I64X2, source128(), S_XMM);
      return LIFT_NEXT;
    case 0x17:
      emitVec(V_TEST, 0, xmmReg(), source128(), 0);
      return LIFT_NEXT;
    case 0x2a:
      if (dMod == 3) return LIFT_NONE;
      moveLoad(true);
      return LIFT_NEXT;
    case 0x41:
      emitUnary(V_MIN_POS_U16X8, source128(), 0);
      return LIFT_NEXT;
    default: {
      const kind = packedKind41(op);
      if (kind == V_KINDS) return LIFT_NONE;
      emitBinary(kind, source128(), 0);
      return LIFT_NEXT;
    }
  }
}

/** PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: a lane to a general register, zero-extended, or to memory. */
function liftExtract(kind: u32, size: u32, imm: u32): u32 {
  if (dMod == 3) emitVec(kind, gprSlot(dRm), xmmReg(), xmmReg(), imm);
  else {
    const t = temp();
    emitVec(kind, t, xmmReg(), xmmReg(), imm);
    emitStore(size, t);
  }
  return LIFT_NEXT;
}

/** PINSRB, PINSRD, PINSRQ. */
function liftInsert(kind: u32, size: u32, imm: u32): u32 {
  let source = gprSlot(dRm);
  if (dMod != 3) {
    if (size == SIZE8) {
      source = temp();
      emitLoad(LD_Z8, source, 1);
    } else source = size == SIZE64 ? load64() : load32();
  }
  emitBinary(kind, source, imm);
  return LIFT_NEXT;
}

/** A bit for each 32- or 64-bit lane as bits for 16-bit lanes. */
function laneBits(imm: u32, lanes: u32): u32 {
  const width = 8 / lanes;
  const ones = (1 << width) - 1;
  let bits: u32 = 0;
  for (let i: u32 = 0; i < lanes; i++) if ((imm >> i) & 1) bits |= ones << (i * width);
  return bits;
}

/** Map 0F3A. LIFT_NONE for other opcodes. */
export function liftSse3A(): u32 {
  if (form() != FORM_PD) return LIFT_NONE;
  const imm = <u32>dImm & 0xff;
  const wide = gprSize() == SIZE64;
  switch (dOpcode) {
    case 0x08:
      emitBinary(V_ROUND_F32X4, source128(), imm & 15);
      return LIFT_NEXT;
    case 0x09:
      emitBinary(V_ROUND_F64X2, source128(), imm & 15);
      return LIFT_NEXT;
    case 0x0a:
      emitBinary(V_ROUND_SCALAR_F32, source32(), imm & 15);
      return LIFT_NEXT;
    case 0x0b:
      emitBinary(V_ROUND_SCALAR_F64, source64(), imm & 15);
      return LIFT_NEXT;
    case 0x0c:
      emitBinary(V_BLEND_I16X8, source128(), laneBits(imm, 4));
      return LIFT_NEXT;
    case 0x0d:
      emitBinary(V_BLEND_I16X8, source128(), laneBits(imm, 2));
      return LIFT_NEXT;
    case 0x0e:
      emitBinary(V_BLEND_I16X8, source128(), imm);
      return LIFT_NEXT;
    case 0x14:
      return liftExtract(V_EXTRACT_I8X16, SIZE8, imm & 15);
    case 0x15:
      return liftExtract(V_EXTRACT_I16X8, SIZE16, imm & 7);
    case 0x16:
      if (wide) return liftExtract(V_EXTRACT_I64X2, SIZE64, imm & 1);
      return liftExtract(V_EXTRACT_I32X4, SIZE32, imm & 3);
    case 0x17:
      return liftExtract(V_EXTRACT_I32X4, SIZE32, imm & 3);
    case 0x20:
      return liftInsert(V_INSERT_I8X16, SIZE8, imm & 15);
    case 0x21:
      // From memory there is only one lane to take.
      if (dMod == 3) emitBinary(V_INSERT_F32X4, xmm(dRm), imm);
      else emitBinary(V_INSERT_F32X4, load32(), imm & 0x3f);
      return LIFT_NEXT;
    case 0x22:
      if (wide) return liftInsert(V_INSERT_I64X2, SIZE64, imm & 1);
      return liftInsert(V_INSERT_I32X4, SIZE32, imm & 3);
    case 0x40:
      emitBinary(V_DOT_F32X4, source128(), imm);
      return LIFT_NEXT;
    case 0x41:
      emitBinary(V_DOT_F64X2, source128(), imm);
      return LIFT_NEXT;
    case 0x42:
      emitBinary(V_MPSAD, source128(), imm & 7);
      return LIFT_NEXT;
    case 0x60:
      return liftString(imm | STRING_EXPLICIT | STRING_MASK);
    case 0x61:
      return liftString(imm | STRING_EXPLICIT);
    case 0x62:
      return liftString(imm | STRING_MASK);
    case 0x63:
      return liftString(imm);
    default:
      return LIFT_NONE;
  }
}

/** PCMPESTRM, PCMPESTRI, PCMPISTRM, PCMPISTRI. */
function liftString(control: u32): u32 {
  const wide = dRex & 8 ? STRING_WIDE : 0;
  emitCall(stringCompare.index, xmm(dReg), source128Unaligned(), <u64>(control | wide));
  return LIFT_NEXT;
}
