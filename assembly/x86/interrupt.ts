// Interrupts and exceptions: from a vector to the first instruction of its handler (SDM vol. 3, ch. 7; vol. 2, INT n).
//
// Delivery is atomic. All checks and all reads come first, then the new stack is probed, then it is written and the
// new context committed: an exception on the way leaves the interrupted context for the next exception.

import { STATE } from '../layout/memory';
import {
  ACTIVITY_ACTIVE,
  ACTIVITY_SHUTDOWN,
  CR0_PE,
  FLAG_AC,
  FLAG_IF,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
  S_ACTIVITY,
  S_ATTENTION,
  S_CPL,
  S_CR0,
  S_DR6,
  S_DR7,
  S_EXIT_DETAIL,
  S_FAULT,
  S_FAULT_CODE,
  S_FAULT_HAS_CODE,
  S_IDTR_BASE,
  S_IDTR_LIMIT,
  S_INT_SHADOW,
  S_NEXT_RIP,
  S_NMI_BLOCKED,
  S_RFLAGS,
  S_RIP,
  S_RSP,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../layout/x86-state';
import { sysRead16, sysRead64 } from '../mmu/access';
import { isCanonical } from '../mmu/walk';
import { cancelStep } from './debug';
import {
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  gateOffset,
  gateSelector,
  isBig,
  isCode,
  isConforming,
  isLong,
  isNull,
  isPresent,
  isSegment,
  limitOf,
  longMode,
  markAccessed,
  selectorError,
  setNullSegment,
  setSegmentFromDescriptor,
  systemLinear,
  TYPE_INTERRUPT_GATE,
  TYPE_INTERRUPT_GATE16,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE,
  TYPE_TRAP_GATE16,
  typeOf,
} from './descriptor';
import { readEflags } from './eflags';
import {
  clearFault,
  EXC_BP,
  EXC_DB,
  EXC_DE,
  EXC_DF,
  EXC_GP,
  EXC_MC,
  EXC_NMI,
  EXC_NP,
  EXC_OF,
  EXC_PF,
  EXC_TS,
  faulted,
  raiseCode,
  raiseGP,
} from './fault';
import { updateMode } from './mode';
import { selectorOf, setRealSegment, virtual8086 } from './segment';
import {
  commitInnerSegment,
  commitStackPointer,
  openInnerStack,
  openStack,
  openStack64,
  probePushes,
  pushFrame,
  tssStackPointer,
  useNullStack,
} from './stack-frame';
import { expectTaskSwitch, interruptTask } from './task';

// Kinds of event.
/** An exception that the processor found; RIP is what its handler is to see. */
export const DELIVER_EXCEPTION: u32 = 0;
/** A maskable interrupt from the interrupt controller. */
export const DELIVER_EXTERNAL: u32 = 1;
export const DELIVER_NMI: u32 = 2;
/** INT n: the gate's DPL counts. The software kinds return to S_NEXT_RIP. */
export const DELIVER_INT_N: u32 = 3;
/** INT3, INTO: as INT n, but not sensitive to IOPL. */
export const DELIVER_INT3: u32 = 4;
/** INT1: the gate's DPL does not count. */
export const DELIVER_INT1: u32 = 5;

/** DR6 bits 3:0, and DR7.GD. */
const DR6_HITS: u32 = 0xf;
const DR7_GD: u32 = 0x2000;

/** A chain of exceptions in delivery ends in shutdown long before this. */
const MAX_CHAIN: u32 = 16;

// The event being delivered.
let vector: u32 = 0;
let software: bool = false;
/** EXT bit of error codes: the event does not come from an instruction of the program. */
let ext: u32 = 0;
let hasCode: bool = false;
let errorCode: u32 = 0;
let returnRip: u64 = 0;
let returnFlags: u32 = 0;

/** Is the exception a fault, so that RF is set in the saved flags (SDM vol. 3, 18.3.1.1)? */
function isFault(v: u32): bool {
  return v != EXC_DB && v != EXC_NMI && v != EXC_BP && v != EXC_OF && v != EXC_DF && v != EXC_MC && v <= 31;
}

/**
 * Delivers `vec`. kind: DELIVER_*; hasErrorCode, code: its error code. For #DB found by the processor, code holds bits
 * for DR6. On a fault nothing has changed (unless a task gate had switched tasks), and faulted() is true.
 */
export function deliver(vec: u32, kind: u32, hasErrorCode: bool, code: u32): void {
  expectTaskSwitch();
  vector = vec;
  software = kind == DELIVER_INT_N || kind == DELIVER_INT3;
  ext = software ? 0 : 1;
  hasCode = hasErrorCode;
  errorCode = code;
  returnRip = kind >= DELIVER_INT_N ? load<u64>(STATE, S_NEXT_RIP) : load<u64>(STATE, S_RIP);
  returnFlags = readEflags();
  if (kind >= DELIVER_INT_N && returnFlags & FLAG_TF) cancelStep();
  if (kind == DELIVER_EXCEPTION && isFault(vec)) returnFlags |= FLAG_RF;
  else if (kind >= DELIVER_INT_N) returnFlags &= ~(<u32>FLAG_RF);
  if (kind == DELIVER_NMI) store<u32>(STATE, 1, S_NMI_BLOCKED);
  if (kind == DELIVER_EXCEPTION && vec == EXC_DB) {
    if (code) store<u32>(STATE, (load<u32>(STATE, S_DR6) & ~DR6_HITS) | code, S_DR6);
    // The handler may use the debug registers (SDM vol. 3, 18.2.4).
    store<u32>(STATE, load<u32>(STATE, S_DR7) & ~DR7_GD, S_DR7);
  }

  if (!(load<u32>(STATE, S_CR0) & CR0_PE)) deliverReal();
  else if (longMode()) deliverLong();
  else deliverProtected();
  if (faulted()) return;
  store<u32>(STATE, 0, S_INT_SHADOW);
  store<u32>(STATE, ACTIVITY_ACTIVE, S_ACTIVITY);
}

/** #DB for conditions that DR6 already shows. */
export function deliverDebug(): void {
  deliver(EXC_DB, DELIVER_EXCEPTION, false, 0);
}

/** Flags on entry to a handler. */
function clearFlags(clear: u32): void {
  store<u64>(STATE, <u64>(load<u32>(STATE, S_RFLAGS) & ~clear), S_RFLAGS);
}

/** Real mode: the interrupt vector table holds far pointers, and no exception has an error code (SDM vol. 3, 22.1.4). */
function deliverReal(): void {
  if ((vector << 2) + 3 > load<u32>(STATE, S_IDTR_LIMIT)) {
    raiseGP((vector << 3) | 2 | ext);
    return;
  }
  const at = systemLinear(load<u64>(STATE, S_IDTR_BASE), vector << 2);
  const offset = sysRead16(at);
  const segment = sysRead16(systemLinear(at, 2));
  if (faulted()) return;
  openStack(ext);
  if (!probePushes(3, 2)) return;
  pushFrame(returnFlags, 2);
  pushFrame(selectorOf(SEG_CS), 2);
  pushFrame(returnRip, 2);
  commitStackPointer();
  setRealSegment(SEG_CS, segment);
  clearFlags(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
  store<u64>(STATE, <u64>offset, S_RIP);
  updateMode();
}

/** Reads and checks the handler's code segment descriptor; `descriptor` then holds it. */
function fetchHandlerCode(selector: u32): bool {
  if (isNull(selector)) {
    raiseGP(ext);
    return false;
  }
  if (!fetchDescriptor(selector, EXC_GP, ext)) return false;
  const d = descriptor;
  const error = selectorError(selector, ext);
  if (!isCode(d) || dplOf(d) > load<u32>(STATE, S_CPL) || (longMode() && (!isLong(d) || isBig(d)))) {
    raiseGP(error);
    return false;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return false;
  }
  return true;
}

/** Checks that gates of protected and long mode share: presence, and DPL for software interrupts. */
function checkGate(gate: u64): bool {
  if (software && dplOf(gate) < load<u32>(STATE, S_CPL)) {
    raiseGP((vector << 3) | 2);
    return false;
  }
  if (!isPresent(gate)) {
    raiseCode(EXC_NP, (vector << 3) | 2 | ext);
    return false;
  }
  return true;
}

function isLegacyGate(gate: u64): bool {
  const type = typeOf(gate);
  if (isSegment(gate)) return false;
  return (
    type == TYPE_TASK_GATE ||
    type == TYPE_INTERRUPT_GATE16 ||
    type == TYPE_TRAP_GATE16 ||
    type == TYPE_INTERRUPT_GATE ||
    type == TYPE_TRAP_GATE
  );
}

/** Protected and virtual-8086 mode (SDM vol. 3, 7.12, 22.3). */
function deliverProtected(): void {
  if ((vector << 3) + 7 > load<u32>(STATE, S_IDTR_LIMIT)) {
    raiseGP((vector << 3) | 2 | ext);
    return;
  }
  const gate = sysRead64(systemLinear(load<u64>(STATE, S_IDTR_BASE), vector << 3));
  if (faulted()) return;
  if (!isLegacyGate(gate)) {
    raiseGP((vector << 3) | 2 | ext);
    return;
  }
  if (!checkGate(gate)) return;
  if (typeOf(gate) == TYPE_TASK_GATE) {
    interruptTask(gateSelector(gate), returnRip, returnFlags, ext, hasCode, errorCode);
    return;
  }

  const wide = (typeOf(gate) & 8) != 0;
  const size: u32 = wide ? 4 : 2;
  const selector = gateSelector(gate);
  const offset = gateOffset(gate, wide);
  if (!fetchHandlerCode(selector)) return;
  const code = descriptor;
  const codeAt = descriptorAt;
  const cpl = load<u32>(STATE, S_CPL);
  const dpl = dplOf(code);
  const vm = virtual8086();
  if (vm && (isConforming(code) || dpl != 0)) {
    raiseGP(selectorError(selector, ext));
    return;
  }
  const inner = !isConforming(code) && dpl < cpl;
  if (inner) {
    if (!openInnerStack(dpl, ext)) return;
  } else openStack(ext);
  if (!probePushes(3 + (hasCode ? 1 : 0) + (inner ? 2 : 0) + (vm ? 4 : 0), size)) return;
  if (offset > limitOf(code)) {
    raiseGP(ext);
    return;
  }
  if (!markAccessed(codeAt, code)) return;

  if (vm) {
    pushFrame(selectorOf(SEG_GS), size);
    pushFrame(selectorOf(SEG_FS), size);
    pushFrame(selectorOf(SEG_DS), size);
    pushFrame(selectorOf(SEG_ES), size);
  }
  if (inner) {
    pushFrame(selectorOf(SEG_SS), size);
    pushFrame(load<u64>(STATE, S_RSP), size);
  }
  pushFrame(returnFlags, size);
  pushFrame(selectorOf(SEG_CS), size);
  pushFrame(returnRip, size);
  if (hasCode) pushFrame(errorCode, size);
  commitStackPointer();
  enterHandler(gate, selector, code, inner, offset);
  if (vm) {
    setNullSegment(SEG_GS, 0, 0);
    setNullSegment(SEG_FS, 0, 0);
    setNullSegment(SEG_DS, 0, 0);
    setNullSegment(SEG_ES, 0, 0);
    updateMode();
  }
}

/** Commits CS, SS, CPL, flags and RIP. */
function enterHandler(gate: u64, selector: u32, code: u64, inner: bool, offset: u64): void {
  const cpl = inner ? dplOf(code) : load<u32>(STATE, S_CPL);
  store<u32>(STATE, cpl, S_CPL);
  if (inner) commitInnerSegment();
  setSegmentFromDescriptor(SEG_CS, (selector & ~3) | cpl, code);
  // Interrupt gates have even types, trap gates odd ones.
  clearFlags(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (typeOf(gate) & 1 ? 0 : FLAG_IF));
  store<u64>(STATE, offset, S_RIP);
  updateMode();
}

/** IA-32e mode: 16-byte gates, always a full frame, stack aligned to 16 bytes (SDM vol. 3, 7.14). */
function deliverLong(): void {
  const gateError = (vector << 3) | 2 | ext;
  if ((vector << 4) + 15 > load<u32>(STATE, S_IDTR_LIMIT)) {
    raiseGP(gateError);
    return;
  }
  const at = systemLinear(load<u64>(STATE, S_IDTR_BASE), vector << 4);
  const gate = sysRead64(at);
  if (faulted()) return;
  const upper = sysRead64(systemLinear(at, 8));
  if (faulted()) return;
  if (isSegment(gate) || (typeOf(gate) != TYPE_INTERRUPT_GATE && typeOf(gate) != TYPE_TRAP_GATE)) {
    raiseGP(gateError);
    return;
  }
  if (!checkGate(gate)) return;

  const selector = gateSelector(gate);
  const offset = gateOffset(gate, true) | (upper << 32);
  if (!fetchHandlerCode(selector)) return;
  const code = descriptor;
  const codeAt = descriptorAt;
  const dpl = dplOf(code);
  const inner = !isConforming(code) && dpl < load<u32>(STATE, S_CPL);
  const cpl = inner ? dpl : load<u32>(STATE, S_CPL);

  const ist = <u32>(gate >> 32) & 7;
  let rsp = load<u64>(STATE, S_RSP);
  // 64-bit TSS: RSP0 at 4, IST1 at 36.
  if (ist) rsp = tssStackPointer((ist << 3) + 28, ext);
  else if (inner) rsp = tssStackPointer((dpl << 3) + 4, ext);
  if (faulted()) return;
  openStack64(rsp & ~0xf, cpl, ext);
  if (inner) useNullStack(cpl);
  if (!probePushes(hasCode ? 6 : 5, 8)) return;
  if (!isCanonical(offset)) {
    raiseGP(ext);
    return;
  }
  if (!markAccessed(codeAt, code)) return;

  pushFrame(selectorOf(SEG_SS), 8);
  pushFrame(load<u64>(STATE, S_RSP), 8);
  pushFrame(returnFlags, 8);
  pushFrame(selectorOf(SEG_CS), 8);
  pushFrame(returnRip, 8);
  if (hasCode) pushFrame(errorCode, 8);
  commitStackPointer();
  enterHandler(gate, selector, code, inner, offset);
}

/** Contributory exceptions (SDM vol. 3, table 7-4). */
function isContributory(v: u32): bool {
  return v == EXC_DE || (v >= EXC_TS && v <= EXC_GP);
}

/** Do two exceptions, the second while the first was being delivered, make a double fault (SDM vol. 3, table 7-5)? */
function isDouble(first: u32, second: u32): bool {
  if (first == EXC_PF) return second == EXC_PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}

/** The processor stops: the exception `original` could not be delivered. */
export function raiseShutdown(original: u32): void {
  clearFault();
  store<u32>(STATE, ACTIVITY_SHUTDOWN, S_ACTIVITY);
  store<u32>(STATE, original, S_EXIT_DETAIL);
  store<u32>(STATE, 1, S_ATTENTION);
}

/**
 * Delivers the exception that has been raised (S_FAULT). If its delivery raises another, that one is delivered instead,
 * or both become a double fault, or, where #DF itself cannot be delivered, the processor shuts down.
 */
export function deliverFault(): void {
  const original = load<u32>(STATE, S_FAULT) - 1;
  let current = original;
  let withCode = load<u32>(STATE, S_FAULT_HAS_CODE) != 0;
  let code = load<u32>(STATE, S_FAULT_CODE);
  for (let i: u32 = 0; i < MAX_CHAIN; i++) {
    clearFault();
    deliver(current, DELIVER_EXCEPTION, withCode, code);
    if (!faulted()) return;
    const next = load<u32>(STATE, S_FAULT) - 1;
    if (current == EXC_DF && (next == EXC_PF || isContributory(next))) break;
    if (isDouble(current, next)) {
      current = EXC_DF;
      withCode = true;
      code = 0;
    } else {
      current = next;
      withCode = load<u32>(STATE, S_FAULT_HAS_CODE) != 0;
      code = load<u32>(STATE, S_FAULT_CODE);
    }
  }
  raiseShutdown(original);
}
