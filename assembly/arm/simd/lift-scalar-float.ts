// Scalar floating point (Arm ARM C4.1.71, the classes "Floating-point …" and "Conversion between …").

import { emit, emitCall, emitVec } from '../../ir/emit';
import { condition, setFlags } from '../../ir/flags';
import { LIFT_NEXT, LIFT_NONE } from '../../ir/lift-result';
import { OP_CMOV, OP_MOV, SIZE32, SIZE64 } from '../../ir/ops';
import { S_ZERO } from '../../layout/arm-state';
import { STATE } from '../../layout/memory';
import { V_ZERO_ABOVE_32, V_ZERO_ABOVE_64 } from '../../sse/vops';
import { flagsOf } from '../nzcv';
import { bits, conditionOf, isAlways, ra, rd, rm, rn } from '../operands';
import { dstSlot, srcSlot, tempSlot, vSlot } from '../slots';
import { emitArm, emitConstants } from './emitters';
import { F16, F32, F64 } from './float';
import { compareToFlags } from './float-exec';
import {
  A_FABS,
  A_FADD,
  A_FCMP,
  A_FCVT,
  A_FCVT_X,
  A_FDIV,
  A_FMADD,
  A_FMAX,
  A_FMAXNM,
  A_FMIN,
  A_FMINNM,
  A_FMUL,
  A_FNEG,
  A_FNMUL,
  A_FRINT,
  A_FSQRT,
  A_FSUB,
  A_XCVTF,
  FORM_SCALAR,
} from './kinds';
import { expandFloat } from './lift-moves';
import { RINT_EXACT } from './lift-two-float';
import { ROUND_DOWN, ROUND_FPCR, ROUND_TIE_AWAY, ROUND_TIE_EVEN, ROUND_UP, ROUND_ZERO } from './status';

/** Format by the type field (bits 23–22); 0: none. */
function formatOf(type: u32): u32 {
  return type == 0 ? F32 : type == 1 ? F64 : type == 3 ? F16 : 0;
}

/** d = lane 0 of a, zeros above. */
function emitScalarMove(fmt: u32, d: u32, a: u32): void {
  emitVec(fmt == F64 ? V_ZERO_ABOVE_64 : V_ZERO_ABOVE_32, d, a, a, 0);
}

/** Immediate of FRINTN, P, M, Z, A, X, I: opcodes 8–15; 0xFF: there is none. */
function roundImmediate(opcode: u32): u32 {
  switch (opcode) {
    case 8:
      return ROUND_TIE_EVEN;
    case 9:
      return ROUND_UP;
    case 10:
      return ROUND_DOWN;
    case 11:
      return ROUND_ZERO;
    case 12:
      return ROUND_TIE_AWAY;
    case 14:
      return ROUND_FPCR | RINT_EXACT;
    case 15:
      return ROUND_FPCR;
    default:
      return 0xff;
  }
}

/** "Floating-point data-processing (1 source)". */
function liftOneSource(insn: u32, fmt: u32): u32 {
  const opcode = bits(insn, 15, 6);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (opcode >= 4 && opcode < 8) {
    const to = formatOf(opcode & 3);
    if (!to || to == fmt) return LIFT_NONE;
    emitArm(A_FCVT, to | FORM_SCALAR, d, n, n, fmt);
    return LIFT_NEXT;
  }
  // Half-precision arithmetic is not there.
  if (fmt == F16) return LIFT_NONE;
  const form = fmt | FORM_SCALAR;
  switch (opcode) {
    case 0:
      emitScalarMove(fmt, d, n);
      return LIFT_NEXT;
    case 1:
      emitArm(A_FABS, form, d, n, n, 0);
      return LIFT_NEXT;
    case 2:
      emitArm(A_FNEG, form, d, n, n, 0);
      return LIFT_NEXT;
    case 3:
      emitArm(A_FSQRT, form, d, n, n, 0);
      return LIFT_NEXT;
    default: {
      const imm = roundImmediate(opcode);
      if (imm == 0xff) return LIFT_NONE;
      emitArm(A_FRINT, form, d, n, n, imm);
      return LIFT_NEXT;
    }
  }
}

// "Floating-point data-processing (2 source)", by opcode.
const TWO_SOURCE: usize = memory.data<u8>([
  <u8>A_FMUL,
  <u8>A_FDIV,
  <u8>A_FADD,
  <u8>A_FSUB,
  <u8>A_FMAX,
  <u8>A_FMIN,
  <u8>A_FMAXNM,
  <u8>A_FMINNM,
  <u8>A_FNMUL,
]);

function liftTwoSource(insn: u32, fmt: u32): u32 {
  const opcode = bits(insn, 12, 4);
  if (opcode > 8) return LIFT_NONE;
  emitArm(load<u8>(TWO_SOURCE + opcode), fmt | FORM_SCALAR, vSlot(rd(insn)), vSlot(rn(insn)), vSlot(rm(insn)), 0);
  return LIFT_NEXT;
}

/** FMADD, FMSUB, FNMADD, FNMSUB. */
function liftThreeSource(insn: u32, fmt: u32): u32 {
  const op = A_FMADD + (bits(insn, 21, 1) << 1) + bits(insn, 15, 1);
  emitArm(op, fmt | FORM_SCALAR, vSlot(rd(insn)), vSlot(rn(insn)), vSlot(rm(insn)), vSlot(ra(insn)));
  return LIFT_NEXT;
}

/** FCMP, FCMPE, with a register or zero. */
function liftCompare(insn: u32, fmt: u32): u32 {
  if (bits(insn, 14, 2) || bits(insn, 0, 3)) return LIFT_NONE;
  const zero = bits(insn, 3, 1);
  emitArm(A_FCMP, fmt | FORM_SCALAR, 0, vSlot(rn(insn)), zero ? S_ZERO : vSlot(rm(insn)), bits(insn, 4, 1));
  return LIFT_NEXT;
}

/** FCCMP, FCCMPE of slots a and b: imm has format, signaling << 2, NZCV << 4, condition << 8. */
function conditionalCompare(a: u32, b: u32, imm: u64): void {
  const n = <u32>imm;
  if (condition(n >> 8)) compareToFlags(n & 3, <usize>STATE + a, <usize>STATE + b, (n & 4) != 0);
  else setFlags(flagsOf(((n >> 4) & 15) << 28));
}

function liftConditionalCompare(insn: u32, fmt: u32): u32 {
  const cond = bits(insn, 12, 4);
  const signaling = bits(insn, 4, 1);
  const a = vSlot(rn(insn));
  const b = vSlot(rm(insn));
  if (isAlways(cond)) emitArm(A_FCMP, fmt | FORM_SCALAR, 0, a, b, signaling);
  else {
    const imm = fmt | (signaling << 2) | (bits(insn, 0, 4) << 4) | (conditionOf(cond) << 8);
    emitCall(conditionalCompare.index, a, b, imm);
  }
  return LIFT_NEXT;
}

/** FCSEL. */
function liftSelect(insn: u32, fmt: u32): u32 {
  const cond = bits(insn, 12, 4);
  const d = vSlot(rd(insn));
  const n = vSlot(rn(insn));
  if (isAlways(cond)) {
    emitScalarMove(fmt, d, n);
    return LIFT_NEXT;
  }
  const t = tempSlot(0);
  const size = fmt == F64 ? SIZE64 : SIZE32;
  emit(OP_MOV + size, t, vSlot(rm(insn)), 0, 0);
  emit(OP_CMOV + size, t, n, 0, conditionOf(cond));
  emitVec(V_ZERO_ABOVE_64, d, t, t, 0);
  return LIFT_NEXT;
}

/** FMOV between a general register and a vector register. `top`: its upper half. */
function liftGeneralMove(insn: u32, toVector: bool, size: u32, top: bool): u32 {
  const v = vSlot(toVector ? rd(insn) : rn(insn)) + (top ? 8 : 0);
  if (!toVector) emit(OP_MOV + size, dstSlot(rd(insn)), v, 0, 0);
  else if (top) emit(OP_MOV + SIZE64, v, srcSlot(rn(insn)), 0, 0);
  else emitVec(size == SIZE64 ? V_ZERO_ABOVE_64 : V_ZERO_ABOVE_32, v, srcSlot(rn(insn)), srcSlot(rn(insn)), 0);
  return LIFT_NEXT;
}

/** Conversion to (even opcodes) or from a general register; imm as A_FCVT_X has it. */
function emitConversion(insn: u32, fmt: u32, toFloat: bool, unsigned: u32, mode: u32, fraction: u32): u32 {
  const imm = mode | (unsigned << 3) | ((insn >> 31) << 4) | (fraction << 8);
  if (toFloat) emitArm(A_XCVTF, fmt | FORM_SCALAR, vSlot(rd(insn)), srcSlot(rn(insn)), srcSlot(rn(insn)), imm);
  else emitArm(A_FCVT_X, fmt | FORM_SCALAR, dstSlot(rd(insn)), vSlot(rn(insn)), vSlot(rn(insn)), imm);
  return LIFT_NEXT;
}

/** "Conversion between floating-point and integer". */
function liftInteger(insn: u32, type: u32, fmt: u32): u32 {
  const wide = insn >> 31;
  const mode = bits(insn, 19, 2);
  const opcode = bits(insn, 16, 3);
  if (opcode >= 6) {
    const toVector = opcode == 7;
    if (mode == 1 && wide && type == 2) return liftGeneralMove(insn, toVector, SIZE64, true);
    if (mode || type != wide) return LIFT_NONE;
    return liftGeneralMove(insn, toVector, wide ? SIZE64 : SIZE32, false);
  }
  if (!fmt || fmt == F16 || (opcode >= 2 && mode)) return LIFT_NONE;
  const toFloat = opcode == 2 || opcode == 3;
  return emitConversion(insn, fmt, toFloat, opcode & 1, opcode >= 4 ? ROUND_TIE_AWAY : mode, 0);
}

/** "Conversion between floating-point and fixed-point". */
function liftFixed(insn: u32, fmt: u32): u32 {
  const mode = bits(insn, 19, 2);
  const opcode = bits(insn, 16, 3);
  const scale = bits(insn, 10, 6);
  if (!fmt || fmt == F16 || (!(insn >> 31) && scale < 32)) return LIFT_NONE;
  const toFloat = opcode == 2 || opcode == 3;
  if (toFloat ? mode != 0 : opcode > 1 || mode != 3) return LIFT_NONE;
  return emitConversion(insn, fmt, toFloat, opcode & 1, toFloat ? 0 : ROUND_ZERO, 64 - scale);
}

/** Bits 30–25 are 001111. */
export function liftScalarFloat(insn: u32): u32 {
  const type = bits(insn, 22, 2);
  const fmt = formatOf(type);
  const third = bits(insn, 24, 1) != 0;
  if (!third && !bits(insn, 21, 1)) return liftFixed(insn, fmt);
  if (!third && !bits(insn, 10, 6)) return liftInteger(insn, type, fmt);
  // Bit 31 has no meaning from here on.
  if (insn >> 31 || !fmt) return LIFT_NONE;
  if (!third && bits(insn, 10, 5) == 16) return liftOneSource(insn, fmt);
  if (fmt == F16) return LIFT_NONE;
  if (third) return liftThreeSource(insn, fmt);
  if (bits(insn, 10, 4) == 8) return liftCompare(insn, fmt);
  if (bits(insn, 10, 3) == 4) {
    if (bits(insn, 5, 5)) return LIFT_NONE;
    emitConstants(vSlot(rd(insn)), expandFloat(bits(insn, 13, 8), fmt), 0);
    return LIFT_NEXT;
  }
  switch (bits(insn, 10, 2)) {
    case 1:
      return liftConditionalCompare(insn, fmt);
    case 2:
      return liftTwoSource(insn, fmt);
    case 3:
      return liftSelect(insn, fmt);
    default:
      return LIFT_NONE;
  }
}
