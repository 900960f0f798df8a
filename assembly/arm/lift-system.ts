// Lift of exception generation, hints, barriers, PSTATE and system registers (Arm ARM C4.1.65, C5).

import { emit, emitCall, emitSync, followingRip } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { OP_EXIT, OP_JMP, OP_MOV, SIZE32, SIZE64 } from '../ir/ops';
import {
  ARM_WFI,
  PSTATE_DAIF,
  S_ACTIVITY,
  S_DAIF,
  S_EVENT,
  S_EXCL_SIZE,
  S_MODE,
  S_NEXT_PC,
  S_PC,
  S_SCTLR_EL1,
} from '../layout/arm-state';
import * as K from '../layout/arm-sysreg-kinds';
import { STATE } from '../layout/memory';
import { debugTarget } from './debug';
import { changeLevel, exceptionReturn, hasEl2, usualTarget, wakeUp } from './exception';
import { EC_BRK, EC_HVC, EC_SMC, EC_SVC, EC_SYSTEM, EC_WFX, faulted, raiseTo, raiseUndefined } from './fault';
import { firmwareCall } from './host';
import { emitRaise } from './lift-raise';
import {
  currentEl,
  HCR_HCD,
  HCR_TGE,
  HCR_TIDCP,
  HCR_TSC,
  HCR_TWE,
  HCR_TWI,
  hcr,
  MODE_EL_SHIFT,
  MODE_SPSEL,
  SCTLR_NTWE,
  SCTLR_NTWI,
  SCTLR_UMA,
  updateMode,
} from './mode';
import { dstSlot, srcSlot } from './slots';
import { zeroLine } from './sys-operations';
import {
  findRow,
  keyOf,
  mayAccess,
  noticeInterrupts,
  readRegister,
  setMasks,
  setPan,
  systemSyndrome,
  writeRegister,
} from './sysreg';

/** The instruction is done: PC moves on. For helpers that end a block. */
function finish(): void {
  store<u64>(STATE, load<u64>(STATE, S_NEXT_PC), S_PC);
}

/** Calls a helper that may change anything, and ends the block. */
function emitLast(helper: u32, a: u32, b: u32, imm: u64): u32 {
  emitSync();
  emitCall(helper, a, b, imm);
  emit(OP_EXIT, 0, 0, 0, 0);
  return LIFT_END;
}

export function liftSystem(insn: u32): u32 {
  if (insn >> 24 == 0xd4) return liftException(insn);
  // ERET, DRPS (which is for debug state only).
  if (insn == 0xd69f03e0) {
    if (liftLevel() == 0) return LIFT_NONE;
    return emitLast(eret.index, 0, 0, 0);
  }
  if (insn >> 22 != 0x354) return LIFT_NONE;
  const l = (insn >> 21) & 1;
  const op0 = (insn >> 19) & 3;
  const op1 = (insn >> 16) & 7;
  const crn = (insn >> 12) & 15;
  if (op0 == 0) {
    if (l) return LIFT_NONE;
    if (op1 == 3 && crn == 2 && (insn & 31) == 31) return liftHint((insn >> 5) & 0x7f);
    if (op1 == 3 && crn == 3 && (insn & 31) == 31) return liftBarrier((insn >> 5) & 7);
    if (crn == 4 && (insn & 31) == 31) return liftPstate(op1, (insn >> 5) & 7, (insn >> 8) & 15);
    return LIFT_NONE;
  }
  return liftRegister(insn, l != 0);
}

function liftLevel(): u32 {
  return (load<u32>(STATE, S_MODE) >> MODE_EL_SHIFT) & 3;
}

// --- SVC, HVC, SMC, BRK, HLT ---

function liftException(insn: u32): u32 {
  const imm = (insn >> 5) & 0xffff;
  const op = (((insn >> 21) & 7) << 5) | (insn & 31);
  if (op == 1) return emitRaise(EC_SVC, imm);
  if (op == 2) return emitLast(hvc.index, 0, 0, imm);
  if (op == 3) return emitLast(smc.index, 0, 0, imm);
  if (op == 0x20) return emitLast(brk.index, 0, 0, imm);
  // HLT without an external debugger, DCPS: undefined.
  return LIFT_NONE;
}

/** HVC: to EL2; without one, to the firmware. */
function hvc(_a: u32, _b: u32, imm: u64): void {
  const el = currentEl();
  if (el == 0 || (hasEl2() && el == 1 && hcr() & HCR_HCD)) raiseUndefined();
  else if (hasEl2()) raiseTo(EC_HVC, <u32>imm, 2);
  else callFirmware();
}

/** SMC: there is no EL3; the firmware answers in its place. */
function smc(_a: u32, _b: u32, imm: u64): void {
  const el = currentEl();
  if (el == 0) raiseUndefined();
  else if (el == 1 && hcr() & HCR_TSC) raiseTo(EC_SMC, <u32>imm, 2);
  else callFirmware();
}

function callFirmware(): void {
  finish();
  firmwareCall();
}

/** BRK: to the level of debug exceptions. */
function brk(_a: u32, _b: u32, imm: u64): void {
  raiseTo(EC_BRK, <u32>imm, brkTarget());
}

/** Unlike other debug exceptions it cannot be disabled, so it stays at a level above theirs. */
function brkTarget(): u32 {
  const target = debugTarget();
  return currentEl() > target ? currentEl() : target;
}

function eret(_a: u32, _b: u32, _imm: u64): void {
  exceptionReturn();
  noticeInterrupts();
}

// --- Hints and barriers ---

function liftHint(hint: u32): u32 {
  switch (hint) {
    case 2:
      return emitLast(waitForEvent.index, 0, 0, 0);
    case 3:
      return emitLast(waitForInterrupt.index, 0, 0, 0);
    case 4:
    case 5:
      // SEV, SEVL.
      emitCall(sendEvent.index, 0, 0, 0);
      return LIFT_NEXT;
    default:
      // NOP, YIELD, and whatever is not implemented.
      return LIFT_NEXT;
  }
}

/** Level that a WFI or WFE is trapped to, or 0. `enable`: its bit in SCTLR_EL1; `trap`: in HCR_EL2. */
function waitTarget(enable: u32, trap: u64): u32 {
  const el = currentEl();
  if (el == 0 && !(hcr() & HCR_TGE) && !(load<u32>(STATE, S_SCTLR_EL1) & enable)) return usualTarget();
  return el < 2 && hcr() & trap ? 2 : 0;
}

/** Syndrome: COND 1110, CV; TI: WFE. */
const WFX_ISS: u32 = (1 << 24) | (14 << 20);

function waitForInterrupt(_a: u32, _b: u32, _imm: u64): void {
  if (!wakeUp()) {
    const target = waitTarget(SCTLR_NTWI, HCR_TWI);
    if (target) {
      raiseTo(EC_WFX, WFX_ISS, target);
      return;
    }
    store<u32>(STATE, ARM_WFI, S_ACTIVITY);
  }
  finish();
}

/** WFE may return at any time: it does so at once. Only a trap makes it more than a hint. */
function waitForEvent(_a: u32, _b: u32, _imm: u64): void {
  if (!load<u32>(STATE, S_EVENT)) {
    const target = waitTarget(SCTLR_NTWE, HCR_TWE);
    if (target) {
      raiseTo(EC_WFX, WFX_ISS | 1, target);
      return;
    }
  }
  store<u32>(STATE, 0, S_EVENT);
  finish();
}

function sendEvent(_a: u32, _b: u32, _imm: u64): void {
  store<u32>(STATE, 1, S_EVENT);
}

/** CLREX, DSB, DMB, ISB: memory is ordered, and changes of translations are seen, as it is. */
function liftBarrier(op2: u32): u32 {
  switch (op2) {
    case 2:
      emitCall(clearExclusive.index, 0, 0, 0);
      return LIFT_NEXT;
    case 4:
    case 5:
      return LIFT_NEXT;
    case 6:
      emit(OP_JMP, 0, 0, 0, followingRip());
      return LIFT_END;
    case 7:
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}

function clearExclusive(_a: u32, _b: u32, _imm: u64): void {
  store<u32>(STATE, 0, S_EXCL_SIZE);
}

// --- MSR (immediate) ---

function liftPstate(op1: u32, op2: u32, imm: u32): u32 {
  const el = liftLevel();
  if (op1 == 0 && op2 == 5) return el ? emitLast(writeSpsel.index, 0, 0, imm & 1) : LIFT_NONE;
  if (op1 == 0 && op2 == 4) return el ? emitLast(writePan.index, 0, 0, imm & 1) : LIFT_NONE;
  if (op1 == 3 && op2 == 6) emitCall(setMaskBits.index, 0, 0, imm << 6);
  else if (op1 == 3 && op2 == 7) emitCall(clearMaskBits.index, 0, 0, imm << 6);
  else return LIFT_NONE;
  return LIFT_NEXT;
}

function writeSpsel(_a: u32, _b: u32, imm: u64): void {
  changeLevel(currentEl(), <u32>imm);
  updateMode();
  finish();
}

function writePan(_a: u32, _b: u32, imm: u64): void {
  setPan(imm != 0);
  finish();
}

/** EL0 may change the masks if SCTLR_EL1.UMA says so. */
function mayMask(imm: u64, op2: u32): bool {
  if (currentEl() != 0 || hcr() & HCR_TGE || load<u32>(STATE, S_SCTLR_EL1) & SCTLR_UMA) return true;
  // As an MSR with op0 0, CRn 4, CRm the immediate, Rt 31.
  raiseTo(EC_SYSTEM, (op2 << 17) | (3 << 14) | (4 << 10) | (31 << 5) | ((<u32>imm >> 6) << 1), usualTarget());
  return false;
}

function setMaskBits(_a: u32, _b: u32, imm: u64): void {
  if (!mayMask(imm, 6)) return;
  setMasks((load<u32>(STATE, S_DAIF) | <u32>imm) & PSTATE_DAIF);
}

function clearMaskBits(_a: u32, _b: u32, imm: u64): void {
  if (!mayMask(imm, 7)) return;
  setMasks(load<u32>(STATE, S_DAIF) & ~(<u32>imm));
}

// --- MRS, MSR (register), SYS, SYSL ---

/** Registers that are read and written like general ones wherever they are accessible at all. */
function isPlain(row: usize, reading: bool): bool {
  const kind: u32 = reading ? load<u8>(row, K.SYSREG_READ) : load<u8>(row, K.SYSREG_WRITE);
  if (load<u8>(row, K.SYSREG_TRAP) != K.TRAP_NONE) return false;
  if (kind == K.READ_SP && load<u32>(STATE, S_MODE) & MODE_SPSEL) return reading;
  if (!reading && kind == K.WRITE_SP && load<u32>(STATE, S_MODE) & MODE_SPSEL) return true;
  // READ_SLOT and WRITE_SLOT are the same number.
  return (
    kind == K.READ_SLOT &&
    (reading || (load<u64>(row, K.SYSREG_MASK) == u64.MAX_VALUE && !load<u64>(row, K.SYSREG_ONES)))
  );
}

/** Does a write of this kind change what code is, or how it is lifted, from the next instruction on? */
function endsBlock(kind: u32): bool {
  switch (kind) {
    case K.WRITE_TTBR:
    case K.WRITE_TRANSLATION:
    case K.WRITE_MODE:
    case K.WRITE_SPSEL:
    case K.WRITE_PAN:
    case K.WRITE_OSLAR:
    case K.WRITE_DEBUG:
    case K.WRITE_HCR:
    case K.SYS_TLBI_ALL:
    case K.SYS_TLBI_VA:
      return true;
    default:
      return false;
  }
}

function liftRegister(insn: u32, reading: bool): u32 {
  const row = findRow(keyOf(insn));
  const rt = insn & 31;
  if (!row) {
    // Implementation-defined registers and operations: HCR_EL2.TIDCP traps them from EL1.
    const crn = (insn >> 12) & 15;
    if (crn == 11 || crn == 15) return emitLast(implementationDefined.index, 0, 0, insn);
    return LIFT_NONE;
  }
  const levels: u32 = load<u8>(row, K.SYSREG_LEVEL);
  if (liftLevel() < (reading ? levels & 15 : levels >> 4)) return LIFT_NONE;
  if (isPlain(row, reading)) {
    const slot: u32 = load<u16>(row, K.SYSREG_SLOT);
    if (reading) emit(OP_MOV + SIZE64, dstSlot(rt), slot, 0, 0);
    else emit(OP_MOV + SIZE64, slot, srcSlot(rt), 0, 0);
    return LIFT_NEXT;
  }
  const operand = <u64>insn | ((<u64>row) << 32);
  if (reading) {
    const kind: u32 = load<u8>(row, K.SYSREG_READ);
    // At EL0 it may be trapped.
    if (kind == K.READ_DAIF && liftLevel()) emit(OP_MOV + SIZE32, dstSlot(rt), S_DAIF, 0, 0);
    else emitCall(mrs.index, dstSlot(rt), 0, operand);
    return LIFT_NEXT;
  }
  if (endsBlock(load<u8>(row, K.SYSREG_WRITE))) return emitLast(msr.index, srcSlot(rt), 0, operand);
  // At EL1 only HCR_EL2.TDZ could trap it.
  const zeroes = load<u8>(row, K.SYSREG_WRITE) == K.SYS_DC_ZVA && liftLevel() == 1 && !hasEl2();
  if (zeroes) emitCall(zeroLine.index, srcSlot(rt), 0, 0);
  else emitCall(write.index, srcSlot(rt), 0, operand);
  return LIFT_NEXT;
}

function mrs(d: u32, _b: u32, imm: u64): void {
  const row = <usize>(imm >> 32);
  if (!mayAccess(row, <u32>imm)) return;
  const value = readRegister(row);
  if (!faulted()) store<u64>(STATE + d, value);
}

function write(a: u32, _b: u32, imm: u64): void {
  const row = <usize>(imm >> 32);
  if (mayAccess(row, <u32>imm)) writeRegister(row, load<u64>(STATE + a));
}

/** The same, ending a block. */
function msr(a: u32, _b: u32, imm: u64): void {
  write(a, 0, imm);
  if (!faulted()) finish();
}

function implementationDefined(_a: u32, _b: u32, imm: u64): void {
  if (currentEl() == 1 && hcr() & HCR_TIDCP) raiseTo(EC_SYSTEM, systemSyndrome(<u32>imm), 2);
  else raiseUndefined();
}
