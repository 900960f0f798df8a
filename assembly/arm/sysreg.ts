// MRS, MSR and SYS by the table of system registers (layout/arm-sysregs.ts), which TypeScript has put at DECODE_TABLE.

import {
  PSTATE_D,
  PSTATE_DAIF,
  PSTATE_PAN,
  S_ATTENTION,
  S_CSSELR_EL1,
  S_DAIF,
  S_DBGCLAIM_EL1,
  S_HCR_EL2,
  S_MODE,
  S_OSLOCK,
  S_PSTATE,
  S_SPSEL,
} from '../layout/arm-state';
import * as K from '../layout/arm-sysreg-kinds';
import { DECODE_TABLE, STATE } from '../layout/memory';
import { tlbFlush } from '../mmu/tlb';
import { changeLevel, hasEl2, interruptStatus, wakeUp } from './exception';
import { EC_SYSTEM, raiseTo, raiseUndefined } from './fault';
import { gicRead, gicWrite } from './host';
import { flushTranslations, invalidatePage } from './mmu';
import { currentEl, updateMode } from './mode';
import { getNzcv, setNzcv } from './nzcv';
import { addressTranslate, cacheMaintenance, zeroBlock } from './sys-operations';
import { physicalCount, readControl, readTimerValue, virtualCount, writeTimer, writeTimerValue } from './timer';
import { trapTarget } from './traps';

/** Row of the register or operation with this encoding, or 0. */
export function findRow(key: u32): usize {
  let row: usize = DECODE_TABLE;
  while (load<u16>(row) != 0xffff) {
    if (load<u16>(row) == <u16>key) return row;
    row += K.SYSREG_ROW;
  }
  return 0;
}

/** Encoding of an MRS, MSR or SYS. */
export function keyOf(insn: u32): u32 {
  return (insn >> 5) & 0xffff;
}

/** Syndrome of a trapped access (Arm ARM D13.2.37, "ISS encoding for an exception from MSR, MRS"). */
export function systemSyndrome(insn: u32): u32 {
  const op0 = (insn >> 19) & 3;
  const op1 = (insn >> 16) & 7;
  const crn = (insn >> 12) & 15;
  const crm = (insn >> 8) & 15;
  const op2 = (insn >> 5) & 7;
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | ((insn & 31) << 5) | (crm << 1) | ((insn >> 21) & 1);
}

/**
 * May the instruction do what it wants with `row`? If not, raises the exception: undefined at too low a level, or the
 * trap that somebody has set.
 */
export function mayAccess(row: usize, insn: u32): bool {
  const reading = ((insn >> 21) & 1) != 0;
  const el = currentEl();
  const levels: u32 = load<u8>(row, K.SYSREG_LEVEL);
  const least = reading ? levels & 15 : levels >> 4;
  const kind: u32 = reading ? load<u8>(row, K.SYSREG_READ) : load<u8>(row, K.SYSREG_WRITE);
  if (!kind || el < least) {
    raiseUndefined();
    return false;
  }
  const target = trapTarget(load<u8>(row, K.SYSREG_TRAP), reading, el);
  if (!target) return true;
  raiseTo(EC_SYSTEM, systemSyndrome(insn), target);
  return false;
}

function ones(row: usize): u64 {
  return load<u64>(row, K.SYSREG_ONES);
}

/** Value of a register that may be read. */
export function readRegister(row: usize): u64 {
  const slot: u32 = load<u16>(row, K.SYSREG_SLOT);
  switch (<u32>load<u8>(row, K.SYSREG_READ)) {
    case K.READ_SLOT:
      return load<u64>(STATE + slot);
    case K.READ_CONSTANT:
      return ones(row);
    case K.READ_SLOT32:
      return load<u32>(STATE + slot);
    case K.READ_NZCV:
      return getNzcv();
    case K.READ_DAIF:
      return load<u32>(STATE, S_DAIF);
    case K.READ_CURRENT_EL:
      return currentEl() << 2;
    case K.READ_SPSEL:
      return load<u32>(STATE, S_SPSEL);
    case K.READ_PAN:
      return load<u32>(STATE, S_PSTATE) & PSTATE_PAN;
    case K.READ_VIRTUAL_ID:
      return hasEl2() && currentEl() < 2 ? load<u64>(STATE + slot) : ones(row);
    case K.READ_CCSIDR:
      return cacheGeometry(load<u32>(STATE, S_CSSELR_EL1));
    case K.READ_ISR:
      return interruptStatus();
    case K.READ_OSLSR:
      // OSLM 10: implemented; OSLK.
      return 8 | (load<u64>(STATE, S_OSLOCK) << 1);
    case K.READ_CNTPCT:
      return physicalCount();
    case K.READ_CNTVCT:
      return virtualCount();
    case K.READ_TIMER_CTL:
      return readControl(slot);
    case K.READ_TIMER_TVAL:
      return readTimerValue(slot);
    case K.READ_GIC:
      return gicRead(load<u16>(row));
    case K.READ_DBGCLAIMCLR:
      return load<u64>(STATE, S_DBGCLAIM_EL1);
    case K.READ_SP:
      // The stack pointer in use has no register name.
      if (!load<u32>(STATE, S_SPSEL)) raiseUndefined();
      return load<u64>(STATE + slot);
    default:
      raiseUndefined();
      return 0;
  }
}

/** CCSIDR_EL1: 32 KiB 2-way data, 48 KiB 3-way instructions, 2 MiB 16-way unified; lines of 64 bytes. */
function cacheGeometry(selected: u32): u64 {
  if (selected == 0) return 0x701fe00a;
  if (selected == 1) return 0x201fe012;
  return selected == 2 ? 0x70ffe07a : 0;
}

/** Writes a register, or does an operation, that may be accessed. */
export function writeRegister(row: usize, value: u64): void {
  const slot: u32 = load<u16>(row, K.SYSREG_SLOT);
  const mask = load<u64>(row, K.SYSREG_MASK);
  const stored = (value & mask) | ones(row);
  switch (<u32>load<u8>(row, K.SYSREG_WRITE)) {
    case K.WRITE_SLOT:
      store<u64>(STATE + slot, stored);
      break;
    case K.WRITE_IGNORED:
    case K.SYS_CACHE_NOP:
      break;
    case K.WRITE_TTBR:
      store<u64>(STATE + slot, stored);
      tlbFlush(true);
      break;
    case K.WRITE_TRANSLATION:
      store<u64>(STATE + slot, stored);
      flushTranslations();
      updateMode();
      break;
    case K.WRITE_MODE:
      store<u64>(STATE + slot, stored);
      updateMode();
      break;
    case K.WRITE_HCR:
      store<u64>(STATE, stored, S_HCR_EL2);
      flushTranslations();
      updateMode();
      noticeInterrupts();
      break;
    case K.WRITE_NZCV:
      setNzcv(<u32>value);
      break;
    case K.WRITE_DAIF:
      setMasks(<u32>value & PSTATE_DAIF);
      break;
    case K.WRITE_SPSEL:
      changeLevel(currentEl(), <u32>value & 1);
      updateMode();
      break;
    case K.WRITE_PAN:
      setPan((value & PSTATE_PAN) != 0);
      break;
    case K.WRITE_SLOT32:
      store<u32>(STATE + slot, <u32>stored);
      break;
    case K.WRITE_TIMER_CTL:
      writeTimer(slot, stored);
      break;
    case K.WRITE_TIMER_CVAL:
      writeTimer(slot, value);
      break;
    case K.WRITE_TIMER_TVAL:
      writeTimerValue(slot, value);
      break;
    case K.WRITE_CNTVOFF:
      writeTimer(slot, value);
      break;
    case K.WRITE_GIC:
      gicWrite(load<u16>(row), <u32>value, <u32>(value >> 32));
      break;
    case K.WRITE_OSLAR:
      store<u64>(STATE, value & 1, S_OSLOCK);
      updateMode();
      break;
    case K.WRITE_DBGCLAIMSET:
      store<u64>(STATE, load<u64>(STATE, S_DBGCLAIM_EL1) | (value & 0xff), S_DBGCLAIM_EL1);
      break;
    case K.WRITE_DBGCLAIMCLR:
      store<u64>(STATE, load<u64>(STATE, S_DBGCLAIM_EL1) & ~value, S_DBGCLAIM_EL1);
      break;
    case K.WRITE_DEBUG:
      store<u64>(STATE + slot, stored);
      flushTranslations();
      updateMode();
      break;
    case K.WRITE_SP:
      if (!load<u32>(STATE, S_SPSEL)) raiseUndefined();
      else store<u64>(STATE + slot, value);
      break;
    case K.SYS_DC_ZVA:
      zeroBlock(value);
      break;
    case K.SYS_CACHE_VA:
      cacheMaintenance(value, false);
      break;
    case K.SYS_CACHE_IVAC:
      cacheMaintenance(value, true);
      break;
    case K.SYS_TLBI_ALL:
      flushTranslations();
      break;
    case K.SYS_TLBI_VA:
      invalidatePage(<u64>(<i64>(value << 20) >> 8));
      break;
    case K.SYS_AT:
      addressTranslate(value, slot);
      break;
    default:
      raiseUndefined();
  }
}

/** Sets the D, A, I, F masks. Inside a block: it is left if that lets an interrupt through or changes how code is lifted. */
export function setMasks(daif: u32): void {
  const changed = load<u32>(STATE, S_DAIF) ^ daif;
  store<u32>(STATE, daif, S_DAIF);
  if (changed & PSTATE_D) {
    const mode = load<u32>(STATE, S_MODE);
    updateMode();
    if (load<u32>(STATE, S_MODE) != mode) store<u32>(STATE, 1, S_ATTENTION);
  }
  if (changed & ~daif) noticeInterrupts();
}

export function setPan(on: bool): void {
  const rest = load<u32>(STATE, S_PSTATE) & ~(<u32>PSTATE_PAN);
  store<u32>(STATE, rest | (on ? PSTATE_PAN : 0), S_PSTATE);
  updateMode();
}

/** What masks or routes interrupts has changed: if any waits, it is looked at before the next block. */
export function noticeInterrupts(): void {
  if (wakeUp()) store<u32>(STATE, 1, S_ATTENTION);
}
