// Lift of SSE floating-point arithmetic, logic, shuffles and comparisons (map 0F).

import { emitVec } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { dImm, dOpcode } from '../x86/decode';
import {
  emitBinary,
  emitUnary,
  FORM_PD,
  FORM_PS,
  FORM_SD,
  FORM_SS,
  form,
  source32,
  source64,
  source128,
  sourceOf,
  xmmReg,
} from './operands';
import {
  V_ADD_F32X4,
  V_ADDSUB_F32X4,
  V_AND,
  V_ANDNOT,
  V_CMP_F32X4,
  V_COMPARE_F32,
  V_COMPARE_F64,
  V_DIV_F32X4,
  V_HADD_F32X4,
  V_HSUB_F32X4,
  V_MAX_F32X4,
  V_MIN_F32X4,
  V_MUL_F32X4,
  V_OR,
  V_RECIPROCAL_F32X4,
  V_RECIPROCAL_SCALAR_F32,
  V_RSQRT_F32X4,
  V_RSQRT_SCALAR_F32,
  V_SHUFFLE_F32X4,
  V_SHUFFLE_F64X2,
  V_SQRT_F32X4,
  V_SUB_F32X4,
  V_XOR,
} from './vops';

/** All four forms; kinds of the forms follow each other. */
function liftArithmetic(kind: u32, imm: u32): u32 {
  const f = form();
  emitBinary(kind + f, sourceOf(f), imm);
  return LIFT_NEXT;
}

function liftLogic(kind: u32): u32 {
  if (form() >= FORM_SS) return LIFT_NONE;
  emitBinary(kind, source128(), 0);
  return LIFT_NEXT;
}

/** RSQRTPS, RSQRTSS, RCPPS, RCPSS. */
function liftApproximation(packed: u32, scalar: u32): u32 {
  const f = form();
  if (f == FORM_PS) emitUnary(packed, source128(), 0);
  else if (f == FORM_SS) emitBinary(scalar, source32(), 0);
  else return LIFT_NONE;
  return LIFT_NEXT;
}

/** SSE3: 66 for double, F2 for single precision. */
function liftSse3(single: u32): u32 {
  const f = form();
  if (f == FORM_PD) emitBinary(single + 1, source128(), 0);
  else if (f == FORM_SD) emitBinary(single, source128(), 0);
  else return LIFT_NONE;
  return LIFT_NEXT;
}

/** UCOMISS, UCOMISD; COMISS, COMISD, for which quiet NaNs are invalid too. */
function liftCompare(signaling: u32): u32 {
  const f = form();
  if (f == FORM_PS) emitVec(V_COMPARE_F32, 0, xmmReg(), source32(), signaling);
  else if (f == FORM_PD) emitVec(V_COMPARE_F64, 0, xmmReg(), source64(), signaling);
  else return LIFT_NONE;
  return LIFT_NEXT;
}

/** LIFT_NONE for other opcodes. */
export function liftFloat(): u32 {
  switch (dOpcode) {
    case 0x2e:
      return liftCompare(0);
    case 0x2f:
      return liftCompare(1);
    case 0x51:
      return liftArithmetic(V_SQRT_F32X4, 0);
    case 0x52:
      return liftApproximation(V_RSQRT_F32X4, V_RSQRT_SCALAR_F32);
    case 0x53:
      return liftApproximation(V_RECIPROCAL_F32X4, V_RECIPROCAL_SCALAR_F32);
    case 0x54:
      return liftLogic(V_AND);
    case 0x55:
      return liftLogic(V_ANDNOT);
    case 0x56:
      return liftLogic(V_OR);
    case 0x57:
      return liftLogic(V_XOR);
    case 0x58:
      return liftArithmetic(V_ADD_F32X4, 0);
    case 0x59:
      return liftArithmetic(V_MUL_F32X4, 0);
    case 0x5c:
      return liftArithmetic(V_SUB_F32X4, 0);
    case 0x5d:
      return liftArithmetic(V_MIN_F32X4, 0);
    case 0x5e:
      return liftArithmetic(V_DIV_F32X4, 0);
    case 0x5f:
      return liftArithmetic(V_MAX_F32X4, 0);
    case 0x7c:
      return liftSse3(V_HADD_F32X4);
    case 0x7d:
      return liftSse3(V_HSUB_F32X4);
    case 0xc2:
      return liftArithmetic(V_CMP_F32X4, <u32>dImm & 7);
    case 0xc6: {
      const f = form();
      if (f >= FORM_SS) return LIFT_NONE;
      emitBinary(f == FORM_PS ? V_SHUFFLE_F32X4 : V_SHUFFLE_F64X2, source128(), <u32>dImm & 0xff);
      return LIFT_NEXT;
    }
    case 0xd0:
      return liftSse3(V_ADDSUB_F32X4);
    default:
      return LIFT_NONE;
  }
}
