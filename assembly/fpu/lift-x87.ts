// Lift of the x87 instructions (D8–DF, WAIT) and of FXSAVE, FXRSTOR, XSAVE, XRSTOR: each becomes one helper call, with
// its memory operand's offset in S_LAST_EA (for FDP) and its linear address in a slot.

import { currentRip, emit, emitCall } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { CC_B, CC_BE, CC_E, CC_P, OP_MOV, OP_RAISE, SIZE64 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { CPU_FXSR, CPU_XSAVE } from '../layout/x86-features';
import { S_CPU_FEATURES, S_FCW, S_FSW, S_LAST_EA } from '../layout/x86-state';
import { dMap, dMod, dModrm, dOpcode, dOpPrefix, dOpSize, dRep, dRex, dSeg, MAP_0F, MAP_1 } from '../x86/decode';
import { EXC_NM } from '../x86/fault';
import { MODE_ALIGN, MODE_NO_X87, MODE_TS } from '../x86/mode';
import { emitOffset, emitSegment, liftMode, segFlat, temp } from '../x86/operand';
import { FX_WIDE, fxrstor, fxsave, xrstor, xsave } from './fxsave';
import {
  x87Arith,
  x87ArithMem,
  x87Compare,
  x87CompareFlags,
  x87CompareMem,
  x87Examine,
  x87Extract,
  x87Move,
  x87Remainder,
  x87RoundInt,
  x87Scale,
  x87Sign,
  x87Sqrt,
  x87Test,
} from './x87-arith';
import {
  ENV_32,
  x87Clear,
  x87Init,
  x87LoadControl,
  x87LoadEnvironment,
  x87Restore,
  x87Save,
  x87StoreEnvironment,
  x87StoreStatus,
  x87StoreWord,
  x87Wait,
} from './x87-control';
import { checkPending, packImm } from './x87-state';
import { x87Angle, x87Exp2Minus1, x87TwoOperands } from './x87-transcendental';
import {
  F_BCD,
  F_INT16,
  F_INT32,
  F_INT64,
  F_POP,
  F_REAL32,
  F_REAL64,
  F_REAL80,
  F_TRUNCATE,
  packFormat,
  x87Exchange,
  x87Free,
  x87LoadConstant,
  x87LoadMem,
  x87LoadReg,
  x87Nop,
  x87Rotate,
  x87StoreMem,
  x87StoreReg,
  x87StoreUnchecked,
} from './x87-transfer';

/** Lifts the instruction just decoded if it is one of these. */
export function liftX87(): u32 {
  if (dMap == MAP_1) {
    if (dOpcode == 0x9b) {
      emitCall(x87Wait.index, 0, 0, 0);
      return LIFT_NEXT;
    }
    if (dOpcode >= 0xd8 && dOpcode <= 0xdf) {
      const r = dMod == 3 ? liftRegister() : liftMemory();
      if (r == LIFT_NONE || !(liftMode & MODE_NO_X87)) return r;
      return deviceNotAvailable();
    }
  } else if (dMap == MAP_0F && dOpcode == 0xae && dMod != 3 && !dRep && !dOpPrefix) return liftState();
  return LIFT_NONE;
}

/** CR0.EM or CR0.TS: what was lifted so far is not reached. */
function deviceNotAvailable(): u32 {
  emit(OP_RAISE, 0, 0, 0, EXC_NM);
  return LIFT_END;
}

function imm(): u64 {
  return packImm(currentRip(), dOpcode, dModrm);
}

function reg(): u32 {
  return (dModrm >> 3) & 7;
}

/** Call of a helper without a memory operand. */
function call(helper: u32, a: u32, b: u32): u32 {
  if (liftMode & MODE_NO_X87) return LIFT_NEXT;
  emitCall(helper, a, b, imm());
  return LIFT_NEXT;
}

/** Slot of the memory operand's linear address; its offset goes to S_LAST_EA if `data`. */
function operandAt(size: u32, write: bool, data: bool): u32 {
  const offset = data ? S_LAST_EA : temp();
  emitOffset(offset);
  if (segFlat(dSeg) && !(liftMode & MODE_ALIGN)) return offset;
  let t = offset;
  if (data) {
    t = temp();
    emit(OP_MOV + SIZE64, t, offset, 0, 0);
  }
  emitSegment(t, dSeg, size, write);
  return t;
}

/** Call of a waiting instruction's helper with a memory operand. A pending exception comes before a fault of its address. */
function callWaiting(helper: u32, size: u32, write: bool, b: u32, data: bool): u32 {
  if (liftMode & MODE_NO_X87) return LIFT_NEXT;
  if (!segFlat(dSeg) || liftMode & MODE_ALIGN) emitCall(checkPending.index, 0, 0, 0);
  emitCall(helper, operandAt(size, write, data), b, imm());
  return LIFT_NEXT;
}

/** Call of a control instruction's helper with a memory operand, without a look at pending exceptions. */
function callControl(helper: u32, size: u32, write: bool, b: u32): u32 {
  if (liftMode & MODE_NO_X87) return LIFT_NEXT;
  emitCall(helper, operandAt(size, write, false), b, imm());
  return LIFT_NEXT;
}

function loadForm(format: u32, size: u32): u32 {
  return callWaiting(x87LoadMem.index, size, false, packFormat(format, dSeg), true);
}

function storeForm(format: u32, size: u32): u32 {
  return callWaiting(x87StoreMem.index, size, true, packFormat(format, dSeg), true);
}

/** D8–DF with a memory operand. */
function liftMemory(): u32 {
  const r = reg();
  const opcode = dOpcode & 7;
  if (!(opcode & 1)) {
    const size: u32 = opcode == 4 ? 8 : opcode == 6 ? 2 : 4;
    const helper = r == 2 || r == 3 ? x87CompareMem.index : x87ArithMem.index;
    return callWaiting(helper, size, false, dSeg, true);
  }
  const pop: u32 = r == 3 ? F_POP : 0;
  const layout: u32 = dOpSize == 1 ? 0 : ENV_32;
  const environment: u32 = layout ? 28 : 14;
  if (opcode == 1) {
    if (r == 0) return loadForm(F_REAL32, 4);
    if (r == 2 || r == 3) return storeForm(F_REAL32 | pop, 4);
    if (r == 4) return callWaiting(x87LoadEnvironment.index, environment, false, layout, false);
    if (r == 5) return callWaiting(x87LoadControl.index, 2, false, 0, false);
    if (r == 6) return callControl(x87StoreEnvironment.index, environment, true, layout);
    if (r == 7) return callControl(x87StoreWord.index, 2, true, S_FCW);
    return LIFT_NONE;
  }
  if (opcode == 3) {
    if (r == 0) return loadForm(F_INT32, 4);
    if (r == 1) return storeForm(F_INT32 | F_POP | F_TRUNCATE, 4);
    if (r == 2 || r == 3) return storeForm(F_INT32 | pop, 4);
    if (r == 5) return loadForm(F_REAL80, 10);
    if (r == 7) return storeForm(F_REAL80 | F_POP, 10);
    return LIFT_NONE;
  }
  if (opcode == 5) {
    if (r == 0) return loadForm(F_REAL64, 8);
    if (r == 1) return storeForm(F_INT64 | F_POP | F_TRUNCATE, 8);
    if (r == 2 || r == 3) return storeForm(F_REAL64 | pop, 8);
    if (r == 4) return callWaiting(x87Restore.index, environment + 80, false, layout, false);
    if (r == 6) return callControl(x87Save.index, environment + 80, true, layout);
    if (r == 7) return callControl(x87StoreWord.index, 2, true, S_FSW);
    return LIFT_NONE;
  }
  if (r == 0) return loadForm(F_INT16, 2);
  if (r == 1) return storeForm(F_INT16 | F_POP | F_TRUNCATE, 2);
  if (r == 2 || r == 3) return storeForm(F_INT16 | pop, 2);
  if (r == 4) return loadForm(F_BCD, 10);
  if (r == 5) return loadForm(F_INT64, 8);
  if (r == 6) return storeForm(F_BCD | F_POP, 10);
  return storeForm(F_INT64 | F_POP, 8);
}

/** D8–DF with register operands. */
function liftRegister(): u32 {
  const r = reg();
  const rm = dModrm & 7;
  switch (dOpcode) {
    case 0xd8:
      if (r == 2 || r == 3) return call(x87Compare.index, r & 1, 0);
      return call(x87Arith.index, 0, 0);
    case 0xd9:
      return liftD9(r, rm);
    case 0xda:
      if (r < 4) return call(x87Move.index, moveCondition(r), 0);
      if (dModrm == 0xe9) return call(x87Compare.index, 2, 1);
      return LIFT_NONE;
    case 0xdb:
      if (r < 4) return call(x87Move.index, moveCondition(r) | 1, 0);
      if (r == 5 || r == 6) return call(x87CompareFlags.index, 0, u32(r == 5));
      if (dModrm == 0xe2) return call(x87Clear.index, 0, 0);
      if (dModrm == 0xe3) return call(x87Init.index, 0, 0);
      // FNENI, FNDISI, FNSETPM: the 80387 and its successors know them and do nothing.
      if (dModrm == 0xe0 || dModrm == 0xe1 || dModrm == 0xe4) return LIFT_NEXT;
      return LIFT_NONE;
    case 0xdc:
      if (r == 2 || r == 3) return call(x87Compare.index, r & 1, 0);
      return call(x87Arith.index, rm, 0);
    case 0xdd:
      if (r == 0) return call(x87Free.index, 0, 0);
      if (r == 1) return call(x87Exchange.index, 0, 0);
      if (r == 2 || r == 3) return call(x87StoreReg.index, r & 1, 0);
      if (r == 4 || r == 5) return call(x87Compare.index, r & 1, 1);
      return LIFT_NONE;
    case 0xde:
      if (r == 2) return call(x87Compare.index, 1, 0);
      if (r == 3) return rm == 1 ? call(x87Compare.index, 2, 0) : LIFT_NONE;
      return call(x87Arith.index, rm, 1);
    default:
      if (r == 0) return call(x87Free.index, 1, 0);
      if (r == 1) return call(x87Exchange.index, 0, 0);
      if (r == 2 || r == 3) return call(x87StoreReg.index, 1, 0);
      if (r == 5 || r == 6) return call(x87CompareFlags.index, 1, u32(r == 5));
      if (dModrm == 0xe0) return call(x87StoreStatus.index, 0, 0);
      return LIFT_NONE;
  }
}

/** FCMOVB, E, BE, U */
function moveCondition(r: u32): u32 {
  return r == 0 ? CC_B : r == 1 ? CC_E : r == 2 ? CC_BE : CC_P;
}

/** D9 with register operands: ModRM C0–FF. */
function liftD9(r: u32, rm: u32): u32 {
  if (r == 0) return call(x87LoadReg.index, 0, 0);
  if (r == 1) return call(x87Exchange.index, 0, 0);
  if (r == 3) return call(x87StoreUnchecked.index, 0, 0);
  if (r == 5) return rm < 7 ? call(x87LoadConstant.index, 0, 0) : LIFT_NONE;
  switch (dModrm) {
    case 0xd0:
      return call(x87Nop.index, 0, 0);
    case 0xe0:
      return call(x87Sign.index, 0xffff, 0x8000);
    case 0xe1:
      return call(x87Sign.index, 0x7fff, 0);
    case 0xe4:
      return call(x87Test.index, 0, 0);
    case 0xe5:
      return call(x87Examine.index, 0, 0);
    case 0xf0:
      return call(x87Exp2Minus1.index, 0, 0);
    case 0xf1:
      return call(x87TwoOperands.index, 0, 0);
    case 0xf2:
      return call(x87Angle.index, 2, 4);
    case 0xf3:
      return call(x87TwoOperands.index, 2, 0);
    case 0xf4:
      return call(x87Extract.index, 0, 0);
    case 0xf5:
      return call(x87Remainder.index, 1, 0);
    case 0xf6:
      return call(x87Rotate.index, 7, 0);
    case 0xf7:
      return call(x87Rotate.index, 1, 0);
    case 0xf8:
      return call(x87Remainder.index, 0, 0);
    case 0xf9:
      return call(x87TwoOperands.index, 1, 0);
    case 0xfa:
      return call(x87Sqrt.index, 0, 0);
    case 0xfb:
      return call(x87Angle.index, 0, 2);
    case 0xfc:
      return call(x87RoundInt.index, 0, 0);
    case 0xfd:
      return call(x87Scale.index, 0, 0);
    case 0xfe:
      return call(x87Angle.index, 0, 0);
    case 0xff:
      return call(x87Angle.index, 1, 0);
    default:
      return LIFT_NONE;
  }
}

/** 0F AE /0, /1, /4, /5 with memory. XSAVEOPT and XSAVEC are not announced by CPUID: undefined. */
function liftState(): u32 {
  const features = load<u32>(STATE, S_CPU_FEATURES);
  const wide: u32 = dRex & 8 ? FX_WIDE : 0;
  switch (reg()) {
    case 0:
    case 1:
      if (!(features & CPU_FXSR)) return LIFT_NONE;
      if (liftMode & MODE_NO_X87) return deviceNotAvailable();
      emitCall(reg() ? fxrstor.index : fxsave.index, operandAt(512, reg() == 0, false), wide, 0);
      return LIFT_NEXT;
    case 4:
    case 5:
      if (!(features & CPU_XSAVE)) return LIFT_NONE;
      if (liftMode & MODE_TS) return deviceNotAvailable();
      emitCall(reg() == 4 ? xsave.index : xrstor.index, operandAt(576, reg() == 4, false), wide, 0);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}
