// Frames that far calls, interrupts and returns push and pop (SDM vol. 3, 6.8.5 and 7.12–7.14).
//
// Such a push is all or nothing: open a stack, probe the whole frame, and only then push and commit. The stack may be
// the one in use or that of an inner privilege level, which the TSS names.

import { STATE } from '../layout/memory';
import {
  S_MODE,
  S_RSP,
  S_TLB,
  SEG_ATTR,
  SEG_BASE,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_TR,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { probeWrite, read16, read32, read64, sysRead16, sysRead32, write16, write32, write64 } from '../mmu/access';
import { TLB_SUPERVISOR, TLB_USER, tlbTable } from '../mmu/tlb';
import { isCanonical } from '../mmu/walk';
import {
  baseOf,
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  isBig,
  isNull,
  isPresent,
  isWritableData,
  limitOf,
  markAccessed,
  selectorError,
  setNullSegment,
  setSegmentFromDescriptor,
  systemLinear,
  typeOf,
} from './descriptor';
import { EXC_SS, EXC_TS, faulted, raiseCode } from './fault';
import { MODE_CODE, MODE_STACK32, segSlot } from './mode';
import { segmentLinear } from './seglin';

const MASK16: u64 = 0xffff;
const MASK32: u64 = 0xffffffff;
const MASK64: u64 = 0xffffffffffffffff;

/** The bits of RSP that the stack in use counts with. */
function currentMask(): u64 {
  const mode = load<u32>(STATE, S_MODE);
  return (mode & MODE_CODE) == 3 ? MASK64 : mode & MODE_STACK32 ? MASK32 : MASK16;
}

/** A stack pointer after it moved: a 16-bit one leaves the upper half alone, a 32-bit one clears the upper half. */
function moved(old: u64, to: u64, mask: u64): u64 {
  return mask == MASK16 ? (old & ~MASK16) | (to & MASK16) : to & mask;
}

/** Value of `size` bytes at `displacement` above the top of the stack in use. Raises #SS(0), #PF. */
export function peekStack(displacement: u32, size: u32): u64 {
  const mask = currentMask();
  const offset = (load<u64>(STATE, S_RSP) + displacement) & mask;
  let at = offset;
  if (mask != MASK64) at = segmentLinear(offset, SEG_SS, size, false);
  else if (!isCanonical(offset) || !isCanonical(offset + size - 1)) raiseCode(EXC_SS, 0);
  if (faulted()) return 0;
  return size == 2 ? read16(at) : size == 4 ? read32(at) : read64(at);
}

/** The stack pointer in use after dropping `bytes`. */
export function stackAbove(bytes: u32): u64 {
  const rsp = load<u64>(STATE, S_RSP);
  return moved(rsp, rsp + bytes, currentMask());
}

/** Sets RSP for a return to the stack now in SS: a 16-bit stack takes only SP. */
export function setReturnStackPointer(rsp: u64): void {
  store<u64>(STATE, moved(load<u64>(STATE, S_RSP), rsp, currentMask()), S_RSP);
}

// The open stack.
let base: u64 = 0;
let limit: u32 = 0;
let expandDown: bool = false;
let big: bool = false;
let mask: u64 = 0;
let pointer: u64 = 0;
/** Soft TLB with the rights of the privilege level that will own the stack. */
let rights: u32 = 0;
/** Error code of #SS when the frame does not fit. */
let errorCode: u32 = 0;

/** SS of the inner stack: what openInnerStack() found, or null. */
let innerSelector: u32 = 0;
let innerDescriptor: u64 = 0;
let innerIsNull: bool = false;

function setRights(cpl: u32): void {
  rights = <u32>tlbTable(cpl == 3 ? TLB_USER : TLB_SUPERVISOR);
}

/** Opens the stack in use; a frame that does not fit raises #SS(error). */
export function openStack(error: u32): void {
  const s = segSlot(SEG_SS);
  mask = currentMask();
  const attr = load<u16>(s, SEG_ATTR);
  base = load<u64>(s, SEG_BASE);
  limit = load<u32>(s, SEG_LIMIT);
  expandDown = (attr & 0xc) == 4;
  big = (attr & 0x4000) != 0;
  pointer = load<u64>(STATE, S_RSP);
  rights = load<u32>(STATE, S_TLB);
  errorCode = error;
  // An unusable SS outside 64-bit mode has no room at all: expand-down with the highest limit.
  if (load<u32>(s, SEG_UNUSABLE)) {
    expandDown = true;
    limit = 0xffffffff;
  }
}

/** Opens a 64-bit stack at `rsp` for privilege level `cpl`. */
export function openStack64(rsp: u64, cpl: u32, error: u32): void {
  mask = MASK64;
  pointer = rsp;
  errorCode = error;
  setRights(cpl);
}

/** Remembers that the inner stack has a null SS (64-bit mode): RPL is the new privilege level. */
export function useNullStack(cpl: u32): void {
  innerIsNull = true;
  innerSelector = cpl;
}

/** The stack pointer at `offset` of the 64-bit TSS: RSP0–2 or IST1–7 (SDM vol. 3, figure 9-11). Raises #TS. */
export function tssStackPointer(offset: u32, ext: u32): u64 {
  const tr = segSlot(SEG_TR);
  if (offset + 7 > load<u32>(tr, SEG_LIMIT)) {
    raiseCode(EXC_TS, selectorError(load<u16>(tr, SEG_SELECTOR), ext));
    return 0;
  }
  const at = systemLinear(load<u64>(tr, SEG_BASE), offset);
  const low = sysRead32(at);
  if (faulted()) return 0;
  return <u64>low | ((<u64>sysRead32(systemLinear(at, 4))) << 32);
}

/**
 * Opens the stack that the 16- or 32-bit TSS names for privilege level `dpl`, with all checks of its segment; `ext` is
 * the EXT bit of error codes. False with an exception raised.
 */
export function openInnerStack(dpl: u32, ext: u32): bool {
  const tr = segSlot(SEG_TR);
  const wide = (load<u16>(tr, SEG_ATTR) & 8) != 0;
  const offset = wide ? (dpl << 3) + 4 : (dpl << 2) + 2;
  if (offset + (wide ? 5 : 3) > load<u32>(tr, SEG_LIMIT)) {
    raiseCode(EXC_TS, selectorError(load<u16>(tr, SEG_SELECTOR), ext));
    return false;
  }
  const at = systemLinear(load<u64>(tr, SEG_BASE), offset);
  const esp = wide ? sysRead32(at) : sysRead16(at);
  if (faulted()) return false;
  const selector = sysRead16(systemLinear(at, wide ? 4 : 2));
  if (faulted()) return false;

  const error = selectorError(selector, ext);
  if (isNull(selector)) {
    raiseCode(EXC_TS, error);
    return false;
  }
  if (!fetchDescriptor(selector, EXC_TS, ext)) return false;
  const d = descriptor;
  if ((selector & 3) != dpl || dplOf(d) != dpl || !isWritableData(d)) {
    raiseCode(EXC_TS, error);
    return false;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_SS, error);
    return false;
  }
  if (!markAccessed(descriptorAt, d)) return false;

  innerIsNull = false;
  innerSelector = selector;
  innerDescriptor = d;
  base = baseOf(d);
  limit = limitOf(d);
  big = isBig(d);
  expandDown = (typeOf(d) & 4) != 0;
  mask = big ? MASK32 : MASK16;
  pointer = esp;
  errorCode = error;
  setRights(dpl);
  return true;
}

/** Linear address of `size` bytes at `offset` in the open stack. Raises #SS. */
function place(offset: u64, size: u32): u64 {
  const last = offset + size - 1;
  if (mask == MASK64) {
    if (!isCanonical(offset) || !isCanonical(last)) raiseCode(EXC_SS, errorCode);
    return offset;
  }
  const fits = expandDown ? offset > limit && last <= (big ? 0xffffffff : 0xffff) : last <= limit;
  if (!fits) raiseCode(EXC_SS, errorCode);
  return (base + offset) & 0xffffffff;
}

/** Would `count` pushes of `size` bytes succeed? If not, the fault is raised. */
export function probePushes(count: u32, size: u32): bool {
  const saved = load<u32>(STATE, S_TLB);
  store<u32>(STATE, rights, S_TLB);
  let p = pointer;
  for (let i: u32 = 0; i < count; i++) {
    p = (p - size) & mask;
    const at = place(p, size);
    if (faulted() || !probeWrite(at, size)) break;
  }
  store<u32>(STATE, saved, S_TLB);
  return !faulted();
}

/** Pushes to the open stack. Cannot fault after probePushes(). */
export function pushFrame(value: u64, size: u32): void {
  const saved = load<u32>(STATE, S_TLB);
  store<u32>(STATE, rights, S_TLB);
  pointer = moved(pointer, pointer - size, mask);
  const at = place(pointer & mask, size);
  if (size == 2) write16(at, <u32>value);
  else if (size == 4) write32(at, <u32>value);
  else write64(at, value);
  store<u32>(STATE, saved, S_TLB);
}

/** Makes the open stack's pointer RSP. */
export function commitStackPointer(): void {
  store<u64>(STATE, pointer, S_RSP);
}

/** Makes the inner stack's segment SS. The caller sets the CPL. */
export function commitInnerSegment(): void {
  if (innerIsNull) setNullSegment(SEG_SS, innerSelector, innerSelector);
  else setSegmentFromDescriptor(SEG_SS, innerSelector, innerDescriptor);
}
