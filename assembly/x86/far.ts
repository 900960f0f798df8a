// Far control transfers: JMP and CALL to segments, call gates, task gates and TSSs (SDM vol. 2, CALL, JMP; vol. 3, 6.8),
// and the software interrupts.

import { getFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import {
  FLAG_IOPL,
  FLAG_OF,
  S_CPL,
  S_NEXT_RIP,
  S_RFLAGS,
  S_RIP,
  S_RSP,
  SEG_CS,
  SEG_LIMIT,
  SEG_SS,
} from '../layout/x86-state';
import { isCanonical } from '../mmu/walk';
import {
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  fetchUpperHalf,
  gateOffset,
  gateSelector,
  isBig,
  isCode,
  isConforming,
  isLong,
  isNull,
  isPresent,
  isReservedCode,
  isSegment,
  limitOf,
  longMode,
  markAccessed,
  selectorError,
  setSegmentFromDescriptor,
  TYPE_CALL_GATE,
  TYPE_CALL_GATE16,
  TYPE_TASK_GATE,
  TYPE_TSS,
  TYPE_TSS16,
  typeOf,
} from './descriptor';
import { readEflags } from './eflags';
import { EXC_BR, EXC_GP, EXC_NP, EXC_OF, faulted, raise, raiseCode, raiseGP } from './fault';
import { finish } from './helper';
import { DELIVER_INT_N, DELIVER_INT3, deliver, deliverFault } from './interrupt';
import { segSlot, updateMode } from './mode';
import { selectorOf, set8086Segment, usesDescriptors, virtual8086 } from './segment';
import {
  commitInnerSegment,
  commitStackPointer,
  openInnerStack,
  openStack,
  openStack64,
  peekStack,
  probePushes,
  pushFrame,
  tssStackPointer,
  useNullStack,
} from './stack-frame';
import { expectTaskSwitch, fetchAvailableTss, jumpTask, TASK_CALL, TASK_JMP, taskSwitched } from './task';

/** Parameters that a call gate copies: 31 at most. */
const parameters: usize = memory.data(31 * 4);

/** JMP far: a = slot of the offset, b = slot of the selector, imm = log2 of operand size. Ends the block. */
export function farJump(a: u32, b: u32, imm: u64): void {
  transfer(load<u64>(STATE + <usize>a), load<u16>(STATE + <usize>b), 1 << (<u32>imm), false);
}

/** CALL far: as farJump. */
export function farCall(a: u32, b: u32, imm: u64): void {
  transfer(load<u64>(STATE + <usize>a), load<u16>(STATE + <usize>b), 1 << (<u32>imm), true);
}

/** `size`: operand size in bytes. */
function transfer(offset: u64, selector: u32, size: u32, call: bool): void {
  if (!usesDescriptors()) {
    transfer8086(offset, selector, size, call);
    return;
  }
  if (isNull(selector)) {
    raiseGP(0);
    return;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return;
  const d = descriptor;
  if (isSegment(d)) {
    toSegment(offset, selector, size, call);
    return;
  }
  const type = typeOf(d);
  const long = longMode();
  if (type == TYPE_CALL_GATE || (type == TYPE_CALL_GATE16 && !long)) {
    if (checkGate(selector, d)) throughGate(selector, d, call);
  } else if (type == TYPE_TASK_GATE && !long) {
    if (checkGate(selector, d)) toTask(gateSelector(d), call);
  } else if ((type == TYPE_TSS || type == TYPE_TSS16) && !long) {
    if (checkPrivilege(selector, d)) toTask(selector, call);
  } else raiseGP(selectorError(selector, 0));
}

/** Real and virtual-8086 mode. */
function transfer8086(offset: u64, selector: u32, size: u32, call: bool): void {
  if (call) {
    openStack(0);
    if (!probePushes(2, size)) return;
  }
  if (offset > <u64>load<u32>(segSlot(SEG_CS), SEG_LIMIT)) {
    raiseGP(0);
    return;
  }
  if (call) {
    pushFrame(selectorOf(SEG_CS), size);
    pushFrame(load<u64>(STATE, S_NEXT_RIP), size);
    commitStackPointer();
  }
  set8086Segment(SEG_CS, selector);
  store<u64>(STATE, offset, S_RIP);
  updateMode();
}

/** Is `offset` a place that code segment `d` can run at? Raises #GP(0). */
export function checkEntry(d: u64, offset: u64): bool {
  if (longMode() && isLong(d) ? isCanonical(offset) : offset <= <u64>limitOf(d)) return true;
  raiseGP(0);
  return false;
}

/** Direct transfer to the code segment just fetched: the privilege level stays. */
function toSegment(offset: u64, selector: u32, size: u32, call: bool): void {
  const d = descriptor;
  const at = descriptorAt;
  const cpl = load<u32>(STATE, S_CPL);
  const error = selectorError(selector, 0);
  const allowed = isConforming(d) ? dplOf(d) <= cpl : (selector & 3) <= cpl && dplOf(d) == cpl;
  if (!isCode(d) || isReservedCode(d) || !allowed) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  if (call) {
    openStack(0);
    if (!probePushes(2, size)) return;
  }
  if (!checkEntry(d, offset) || !markAccessed(at, d)) return;
  if (call) {
    pushFrame(selectorOf(SEG_CS), size);
    pushFrame(load<u64>(STATE, S_NEXT_RIP), size);
    commitStackPointer();
  }
  enterCode(selector, d, cpl, offset);
}

function enterCode(selector: u32, d: u64, cpl: u32, offset: u64): void {
  store<u32>(STATE, cpl, S_CPL);
  setSegmentFromDescriptor(SEG_CS, (selector & ~3) | cpl, d);
  store<u64>(STATE, offset, S_RIP);
  updateMode();
}

/** May gate or TSS `d` be used by this CPL and RPL? */
function checkPrivilege(selector: u32, d: u64): bool {
  if (dplOf(d) >= max<u32>(load<u32>(STATE, S_CPL), selector & 3)) return true;
  raiseGP(selectorError(selector, 0));
  return false;
}

function checkGate(selector: u32, d: u64): bool {
  if (!checkPrivilege(selector, d)) return false;
  if (isPresent(d)) return true;
  raiseCode(EXC_NP, selectorError(selector, 0));
  return false;
}

/** Switches to the task of `selector`. What faults in the new task is delivered there. */
function toTask(selector: u32, call: bool): void {
  expectTaskSwitch();
  if (!fetchAvailableTss(selector, 0)) return;
  jumpTask(call ? TASK_CALL : TASK_JMP, selector, load<u64>(STATE, S_NEXT_RIP), readEflags());
  deliverInNewTask();
}

/** A fault past the point of no return belongs to the new task and its first instruction, not to the one that switched. */
export function deliverInNewTask(): void {
  if (faulted() && taskSwitched) deliverFault();
}

/** JMP or CALL through the call gate `gate`, whose own checks have passed (SDM vol. 3, 6.8.4). */
function throughGate(selector: u32, gate: u64, call: bool): void {
  const long = longMode();
  const big = typeOf(gate) == TYPE_CALL_GATE;
  let offset = gateOffset(gate, big);
  if (long) {
    offset |= fetchUpperHalf(selector, EXC_GP) << 32;
    if (faulted()) return;
  }
  const target = gateSelector(gate);
  if (isNull(target)) {
    raiseGP(0);
    return;
  }
  if (!fetchDescriptor(target, EXC_GP, 0)) return;
  const d = descriptor;
  const at = descriptorAt;
  const cpl = load<u32>(STATE, S_CPL);
  const dpl = dplOf(d);
  const error = selectorError(target, 0);
  // JMP does not change the privilege level, CALL may raise it.
  const allowed = isConforming(d) || call ? dpl <= cpl : dpl == cpl;
  if (!isCode(d) || !allowed || (long && (!isLong(d) || isBig(d)))) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  const inner = call && !isConforming(d) && dpl < cpl;
  const size: u32 = long ? 8 : big ? 4 : 2;
  const count = inner && !long ? <u32>(gate >> 32) & 31 : 0;
  if (inner) {
    if (long) {
      const rsp = tssStackPointer((dpl << 3) + 4, 0);
      if (faulted()) return;
      openStack64(rsp, dpl, 0);
      useNullStack(dpl);
    } else if (!openInnerStack(dpl, 0)) return;
  } else if (call && long) openStack64(load<u64>(STATE, S_RSP), cpl, 0);
  else if (call) openStack(0);
  if (call && !probePushes(count + (inner ? 4 : 2), size)) return;
  if (!checkEntry(d, offset) || !markAccessed(at, d)) return;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(parameters + ((<usize>i) << 2), <u32>peekStack(i * size, size));
    if (faulted()) return;
  }

  if (inner) {
    pushFrame(selectorOf(SEG_SS), size);
    pushFrame(load<u64>(STATE, S_RSP), size);
    for (let i = count; i > 0; i--) pushFrame(load<u32>(parameters + ((<usize>(i - 1)) << 2)), size);
  }
  if (call) {
    pushFrame(selectorOf(SEG_CS), size);
    pushFrame(load<u64>(STATE, S_NEXT_RIP), size);
    commitStackPointer();
    if (inner) commitInnerSegment();
  }
  enterCode(target, d, inner ? dpl : cpl, offset);
}

/** INT n, INT3, INT1: a = vector, b = DELIVER_*. Ends the block. */
export function softwareInterrupt(a: u32, b: u32, _imm: u64): void {
  // Without CR4.VME, v8086 mode lets INT n through only at IOPL 3; INT3, INTO and INT1 always (SDM vol. 3, 22.3.3).
  if (b == DELIVER_INT_N && virtual8086() && (load<u32>(STATE, S_RFLAGS) & FLAG_IOPL) != FLAG_IOPL) {
    raiseGP(0);
    return;
  }
  deliver(a, b, false, 0);
  deliverInNewTask();
}

/** INTO. Ends the block. */
export function interruptOnOverflow(_a: u32, _b: u32, _imm: u64): void {
  if (getFlags() & FLAG_OF) softwareInterrupt(EXC_OF, DELIVER_INT3, 0);
  else finish();
}

/** BOUND: a = slot of the index, b = slot of the lower bound, the upper one following; imm = log2 of operand size. */
export function checkBounds(a: u32, b: u32, imm: u64): void {
  const lower = STATE + <usize>b;
  const outside =
    imm == 1
      ? load<i16>(STATE + <usize>a) < load<i16>(lower) || load<i16>(STATE + <usize>a) > load<i16>(lower, 8)
      : load<i32>(STATE + <usize>a) < load<i32>(lower) || load<i32>(STATE + <usize>a) > load<i32>(lower, 8);
  if (outside) raise(EXC_BR);
}
