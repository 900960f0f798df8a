// RET far and IRET (SDM vol. 2, RET, IRET; vol. 3, 6.8.6, 7.12–7.14, 22.2).
//
// All that is popped is read and checked before anything is committed.

import { STATE } from '../layout/memory';
import {
  FLAG_AC,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VIF,
  FLAG_VIP,
  FLAG_VM,
  FLAGS_ARITH,
  S_CPL,
  S_DR7,
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
  SEG_LIMIT,
  SEG_SS,
} from '../layout/x86-state';
import {
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  isCode,
  isConforming,
  isLong,
  isNull,
  isPresent,
  isReservedCode,
  isWritableData,
  longMode,
  markAccessed,
  selectorError,
  setNullSegment,
  setSegmentFromDescriptor,
} from './descriptor';
import { noticeInterrupts, readEflags, writeEflags } from './eflags';
import { checkEntry, deliverInNewTask } from './far';
import { EXC_GP, EXC_NP, EXC_SS, faulted, raiseCode, raiseGP } from './fault';
import { in64BitMode } from './helper';
import { segSlot, updateMode } from './mode';
import { dropInnerSegments, set8086Segment, setV86Segment, usesDescriptors, virtual8086 } from './segment';
import { peekStack, setReturnStackPointer, stackAbove } from './stack-frame';
import { expectTaskSwitch, returnTask } from './task';

/** What real-mode IRET takes from a 32-bit image (SDM vol. 2, IRET). */
const REAL_FLAGS: u32 = 0x257fd5;
/** What a return to virtual-8086 mode takes: all but the reserved bits. */
const V86_FLAGS: u32 = 0x3f7fd5;

// The descriptors that a return has checked.
let code: u64 = 0;
let stack: u64 = 0;
let stackIsNull: bool = false;

/** Checks the CS selector of a return; leaves the descriptor in `code`. */
function checkCode(selector: u32): bool {
  if (isNull(selector)) {
    raiseGP(0);
    return false;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return false;
  code = descriptor;
  const error = selectorError(selector, 0);
  const rpl = selector & 3;
  const allowed = isConforming(code) ? dplOf(code) <= rpl : dplOf(code) == rpl;
  if (!isCode(code) || rpl < load<u32>(STATE, S_CPL) || !allowed || isReservedCode(code)) {
    raiseGP(error);
    return false;
  }
  if (!isPresent(code)) {
    raiseCode(EXC_NP, error);
    return false;
  }
  return markAccessed(descriptorAt, code);
}

/** Checks the SS selector of a return to privilege level `rpl` and the code segment `code`. */
function checkStack(selector: u32, rpl: u32): bool {
  stackIsNull = isNull(selector);
  if (stackIsNull) {
    // 64-bit mode below ring 3 may run with a null SS.
    if (longMode() && isLong(code) && rpl != 3) return true;
    raiseGP(0);
    return false;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return false;
  stack = descriptor;
  const error = selectorError(selector, 0);
  if ((selector & 3) != rpl || !isWritableData(stack) || dplOf(stack) != rpl) {
    raiseGP(error);
    return false;
  }
  if (!isPresent(stack)) {
    raiseCode(EXC_SS, error);
    return false;
  }
  return markAccessed(descriptorAt, stack);
}

/** Goes to `rip` in the checked code segment; the stack stays the same, `rsp` is its pointer. */
function returnSame(selector: u32, rip: u64, rsp: u64): void {
  setSegmentFromDescriptor(SEG_CS, selector, code);
  store<u64>(STATE, rip, S_RIP);
  store<u64>(STATE, rsp, S_RSP);
  updateMode();
}

/** Goes to `rip` in the checked code segment, with the checked stack segment. */
function returnWithStack(selector: u32, rip: u64, stackSelector: u32, rsp: u64): void {
  const cpl = selector & 3;
  const outer = cpl > load<u32>(STATE, S_CPL);
  store<u32>(STATE, cpl, S_CPL);
  setSegmentFromDescriptor(SEG_CS, selector, code);
  if (stackIsNull) setNullSegment(SEG_SS, stackSelector, cpl);
  else setSegmentFromDescriptor(SEG_SS, stackSelector, stack);
  store<u64>(STATE, rip, S_RIP);
  updateMode();
  setReturnStackPointer(rsp);
  if (!outer) return;
  dropInnerSegments();
  updateMode();
}

/** RET far: a = log2 of operand size, imm = bytes of parameters to drop. Ends the block. */
export function farReturn(a: u32, _b: u32, imm: u64): void {
  const size: u32 = 1 << a;
  const extra = <u32>imm;
  const rip = peekStack(0, size);
  if (faulted()) return;
  const selector = <u32>peekStack(size, size) & 0xffff;
  if (faulted()) return;
  if (!usesDescriptors()) {
    return8086(selector, rip, stackAbove(2 * size + extra));
    return;
  }
  if (!checkCode(selector)) return;
  if ((selector & 3) == load<u32>(STATE, S_CPL)) {
    if (checkEntry(code, rip)) returnSame(selector, rip, stackAbove(2 * size + extra));
    return;
  }
  const rsp = peekStack(2 * size + extra, size);
  if (faulted()) return;
  const stackSelector = <u32>peekStack(3 * size + extra, size) & 0xffff;
  if (faulted()) return;
  if (!checkStack(stackSelector, selector & 3) || !checkEntry(code, rip)) return;
  returnWithStack(selector, rip, stackSelector, rsp);
  // The parameters lie on the outer stack too.
  if (extra) store<u64>(STATE, stackAbove(extra), S_RSP);
}

/** Real and virtual-8086 mode. */
function return8086(selector: u32, rip: u64, rsp: u64): bool {
  if (rip > <u64>load<u32>(segSlot(SEG_CS), SEG_LIMIT)) {
    raiseGP(0);
    return false;
  }
  set8086Segment(SEG_CS, selector);
  store<u64>(STATE, rip, S_RIP);
  store<u64>(STATE, rsp, S_RSP);
  updateMode();
  return true;
}

/** Flags that IRET of `size` bytes may change at the present CPL and IOPL. */
function returnFlagsMask(size: u32): u32 {
  const cpl = load<u32>(STATE, S_CPL);
  let mask: u32 = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
  if (size > 2) mask |= FLAG_RF | FLAG_AC | FLAG_ID;
  if (cpl <= (load<u32>(STATE, S_RFLAGS) & FLAG_IOPL) >> 12) mask |= FLAG_IF;
  if (cpl == 0) {
    mask |= FLAG_IOPL;
    if (size > 2) mask |= FLAG_VIF | FLAG_VIP;
  }
  return mask;
}

function loadFlags(image: u32, mask: u32): void {
  // RF is kept only where it has work to do: nothing else would clear it after the next instruction.
  if (!(load<u32>(STATE, S_DR7) & 0xff)) image &= ~(<u32>FLAG_RF);
  writeEflags(image, mask);
  updateMode();
}

/** IRET: a = log2 of operand size. Ends the block. */
export function interruptReturn(a: u32, _b: u32, _imm: u64): void {
  const size: u32 = 1 << a;
  // NMIs are let in again even if IRET faults (SDM vol. 3, 7.7.1).
  store<u32>(STATE, 0, S_NMI_BLOCKED);
  noticeInterrupts();
  if (!usesDescriptors()) {
    interruptReturn8086(size);
    return;
  }
  if (load<u32>(STATE, S_RFLAGS) & FLAG_NT) {
    if (longMode()) {
      raiseGP(0);
      return;
    }
    expectTaskSwitch();
    returnTask(load<u64>(STATE, S_NEXT_RIP), readEflags());
    deliverInNewTask();
    return;
  }

  const rip = peekStack(0, size);
  if (faulted()) return;
  const selector = <u32>peekStack(size, size) & 0xffff;
  if (faulted()) return;
  const image = <u32>peekStack(2 * size, size);
  if (faulted()) return;
  const cpl = load<u32>(STATE, S_CPL);
  if (size == 4 && image & FLAG_VM && cpl == 0 && !longMode()) {
    returnToV86(rip, selector, image);
    return;
  }

  if (!checkCode(selector)) return;
  const mask = returnFlagsMask(size);
  // 64-bit mode always pops a stack pointer, whatever the operand size.
  if ((selector & 3) == cpl && !in64BitMode()) {
    if (!checkEntry(code, rip)) return;
    returnSame(selector, rip, stackAbove(3 * size));
    loadFlags(image, mask);
    return;
  }
  const rsp = peekStack(3 * size, size);
  if (faulted()) return;
  const stackSelector = <u32>peekStack(4 * size, size) & 0xffff;
  if (faulted()) return;
  if (!checkStack(stackSelector, selector & 3) || !checkEntry(code, rip)) return;
  returnWithStack(selector, rip, stackSelector, rsp);
  loadFlags(image, mask);
}

function interruptReturn8086(size: u32): void {
  const vm = virtual8086();
  if (vm && (load<u32>(STATE, S_RFLAGS) & FLAG_IOPL) != FLAG_IOPL) {
    raiseGP(0);
    return;
  }
  const rip = peekStack(0, size);
  if (faulted()) return;
  const selector = <u32>peekStack(size, size) & 0xffff;
  if (faulted()) return;
  const image = <u32>peekStack(2 * size, size);
  if (faulted()) return;
  let mask = size > 2 ? REAL_FLAGS : REAL_FLAGS & 0xffff;
  if (vm) mask &= ~(<u32>FLAG_IOPL);
  if (return8086(selector, rip, stackAbove(3 * size))) loadFlags(image, mask);
}

/** From ring 0 to virtual-8086 mode: nine doublewords (SDM vol. 3, 22.2.5). */
function returnToV86(rip: u64, selector: u32, image: u32): void {
  const esp = peekStack(12, 4);
  if (faulted()) return;
  const ss = <u32>peekStack(16, 4);
  if (faulted()) return;
  const es = <u32>peekStack(20, 4);
  if (faulted()) return;
  const ds = <u32>peekStack(24, 4);
  if (faulted()) return;
  const fs = <u32>peekStack(28, 4);
  if (faulted()) return;
  const gs = <u32>peekStack(32, 4);
  if (faulted()) return;
  if (rip > 0xffff) {
    raiseGP(0);
    return;
  }
  setV86Segment(SEG_CS, selector);
  setV86Segment(SEG_SS, ss & 0xffff);
  setV86Segment(SEG_ES, es & 0xffff);
  setV86Segment(SEG_DS, ds & 0xffff);
  setV86Segment(SEG_FS, fs & 0xffff);
  setV86Segment(SEG_GS, gs & 0xffff);
  store<u32>(STATE, 3, S_CPL);
  store<u64>(STATE, rip, S_RIP);
  store<u64>(STATE, esp, S_RSP);
  loadFlags(image, V86_FLAGS);
}
