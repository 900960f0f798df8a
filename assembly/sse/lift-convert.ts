// Lift of the CVT… instructions (map 0F).

import { emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { SIZE64 } from '../ir/ops';
import { dMod, dOpcode, dReg, dRm, gprSlot } from '../x86/decode';
import { emitRead, tempVector } from '../x86/operand';
import { emitCheckMmx, emitEnterMmx, emitWriteMmx } from './mmx';
import {
  emitBinary,
  emitUnary,
  FORM_PD,
  FORM_PS,
  FORM_SD,
  FORM_SS,
  form,
  gprSize,
  load64,
  mmx,
  source32,
  source64,
  source128,
} from './operands';
import {
  V_CVT_F32_F64X2,
  V_CVT_F32_S32X4,
  V_CVT_F64_F32X2,
  V_CVT_F64_S32X2,
  V_CVT_S32_F32X4,
  V_CVT_S32_F64X2,
  V_CVT_S32_SCALAR_F32,
  V_CVT_S32_SCALAR_F64,
  V_CVT_S64_SCALAR_F32,
  V_CVT_S64_SCALAR_F64,
  V_CVT_SCALAR_F32_F64,
  V_CVT_SCALAR_F32_S32,
  V_CVT_SCALAR_F32_S64,
  V_CVT_SCALAR_F64_F32,
  V_CVT_SCALAR_F64_S32,
  V_CVT_SCALAR_F64_S64,
  V_MOVE_LOW_64,
  V_ZERO_ABOVE_64,
} from './vops';

/** Immediate of the conversion kinds: truncate. */
const TRUNCATE: u32 = 1;

/** Between single and double precision: 0F 5A. */
function liftPrecision(f: u32): u32 {
  if (f == FORM_PS) emitUnary(V_CVT_F32_F64X2, source64(), 0);
  else if (f == FORM_PD) emitUnary(V_CVT_F64_F32X2, source128(), 0);
  else if (f == FORM_SS) emitBinary(V_CVT_SCALAR_F32_F64, source32(), 0);
  else emitBinary(V_CVT_SCALAR_F64_F32, source64(), 0);
  return LIFT_NEXT;
}

/** CVTSI2SS, CVTSI2SD: 0F 2A with F3, F2. */
function liftFromGeneral(f: u32): u32 {
  const size = gprSize();
  const source = emitRead(size);
  if (f == FORM_SS) emitBinary(size == SIZE64 ? V_CVT_S64_SCALAR_F32 : V_CVT_S32_SCALAR_F32, source, 0);
  else emitBinary(size == SIZE64 ? V_CVT_S64_SCALAR_F64 : V_CVT_S32_SCALAR_F64, source, 0);
  return LIFT_NEXT;
}

/** CVTSS2SI, CVTSD2SI and the truncating ones: 0F 2C, 2D with F3, F2. */
function liftToGeneral(f: u32, imm: u32): u32 {
  const wide = gprSize() == SIZE64;
  const source = f == FORM_SS ? source32() : source64();
  let kind: u32;
  if (f == FORM_SS) kind = wide ? V_CVT_SCALAR_F32_S64 : V_CVT_SCALAR_F32_S32;
  else kind = wide ? V_CVT_SCALAR_F64_S64 : V_CVT_SCALAR_F64_S32;
  emitVec(kind, gprSlot(dReg), source, source, imm);
  return LIFT_NEXT;
}

/** CVTPI2PS, CVTPI2PD. With a memory operand they leave the x87 state alone. */
function liftFromMmx(f: u32): u32 {
  let source: u32;
  if (dMod == 3) {
    source = mmx(dRm);
    emitCheckMmx();
    emitEnterMmx();
  } else source = load64();
  if (f == FORM_PS) {
    const v = tempVector();
    emitVec(V_ZERO_ABOVE_64, v, source, source, 0);
    emitVec(V_CVT_S32_F32X4, v, v, v, 0);
    emitBinary(V_MOVE_LOW_64, v, 0);
  } else emitUnary(V_CVT_S32_F64X2, source, 0);
  return LIFT_NEXT;
}

/** CVTPS2PI, CVTPD2PI and the truncating ones. An unmasked exception comes after the transition to MMX. */
function liftToMmx(f: u32, imm: u32): u32 {
  emitCheckMmx();
  const v = tempVector();
  const source = f == FORM_PS ? source64() : source128();
  emitEnterMmx();
  if (f == FORM_PS) {
    emitVec(V_ZERO_ABOVE_64, v, source, source, 0);
    emitVec(V_CVT_F32_S32X4, v, v, v, imm);
  } else emitVec(V_CVT_F64_S32X2, v, source, source, imm);
  emitWriteMmx(dReg, v);
  return LIFT_NEXT;
}

/** LIFT_NONE for other opcodes. */
export function liftConvert(): u32 {
  const f = form();
  switch (dOpcode) {
    case 0x2a:
      return f >= FORM_SS ? liftFromGeneral(f) : liftFromMmx(f);
    case 0x2c:
      return f >= FORM_SS ? liftToGeneral(f, TRUNCATE) : liftToMmx(f, TRUNCATE);
    case 0x2d:
      return f >= FORM_SS ? liftToGeneral(f, 0) : liftToMmx(f, 0);
    case 0x5a:
      return liftPrecision(f);
    case 0x5b:
      if (f == FORM_SD) return LIFT_NONE;
      if (f == FORM_PS) emitUnary(V_CVT_S32_F32X4, source128(), 0);
      else emitUnary(V_CVT_F32_S32X4, source128(), f == FORM_SS ? TRUNCATE : 0);
      return LIFT_NEXT;
    case 0xe6:
      if (f == FORM_PS) return LIFT_NONE;
      if (f == FORM_SS) emitUnary(V_CVT_S32_F64X2, source64(), 0);
      else emitUnary(V_CVT_F64_S32X2, source128(), f == FORM_PD ? TRUNCATE : 0);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}
