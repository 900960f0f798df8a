// Fast system calls: SYSCALL and SYSRET, SYSENTER and SYSEXIT, SWAPGS (SDM vol. 3, 6.8.7, 6.8.8). They load CS and SS
// with fixed flat descriptors; what the GDT holds is not looked at.

import { STATE } from '../layout/memory';
import {
  CR0_PE,
  EFER_LMA,
  EFER_SCE,
  FLAG_IF,
  FLAG_VM,
  S_CPL,
  S_CR0,
  S_EFER,
  S_MSR_FMASK,
  S_MSR_KERNEL_GS_BASE,
  S_MSR_LSTAR,
  S_MSR_STAR,
  S_MSR_SYSENTER_CS,
  S_MSR_SYSENTER_EIP,
  S_MSR_SYSENTER_ESP,
  S_NEXT_RIP,
  S_R8,
  S_RCX,
  S_RDX,
  S_RIP,
  S_RSP,
  SEG_ATTR,
  SEG_BASE,
  SEG_CS,
  SEG_GS,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { isCanonical } from '../mmu/walk';
import { readEflags, writeEflags } from './eflags';
import { EXC_UD, raise, raiseGP } from './fault';
import { in64BitMode, privileged } from './helper';
import { segSlot, updateMode } from './mode';

const S_R11: usize = S_R8 + 24;
/** Every flag that SYSRET takes from R11: not RF, not VM. */
const SYSRET_FLAGS: u32 = 0x3c7fd7;

/** Access rights: accessed code and data segments, present, 4 KiB granularity; DPL is added. */
const ATTR_CODE64: u32 = 0xa09b;
const ATTR_CODE32: u32 = 0xc09b;
const ATTR_DATA: u32 = 0xc093;

function flatSegment(seg: u32, selector: u32, attr: u32): void {
  const s = segSlot(seg);
  store<u64>(s, 0, SEG_BASE);
  store<u32>(s, 0xffffffff, SEG_LIMIT);
  store<u16>(s, selector, SEG_SELECTOR);
  store<u16>(s, attr, SEG_ATTR);
  store<u32>(s, 0, SEG_UNUSABLE);
}

/** Flat CS and SS of privilege `cpl`. */
function setLevel(cpl: u32, code: u32, stack: u32, codeAttr: u32): void {
  flatSegment(SEG_CS, code, codeAttr | (cpl << 5));
  flatSegment(SEG_SS, stack, ATTR_DATA | (cpl << 5));
  store<u32>(STATE, cpl, S_CPL);
  updateMode();
}

/** SYSCALL and SYSRET are for 64-bit mode with EFER.SCE; elsewhere Intel's CPUs do not know them. */
function syscallEnabled(): bool {
  if (in64BitMode() && load<u32>(STATE, S_EFER) & EFER_SCE) return true;
  raise(EXC_UD);
  return false;
}

export function systemCall(_a: u32, _b: u32, _imm: u64): void {
  if (!syscallEnabled()) return;
  const flags = readEflags();
  store<u64>(STATE, load<u64>(STATE, S_NEXT_RIP), S_RCX);
  store<u64>(STATE, flags, S_R11);
  store<u64>(STATE, load<u64>(STATE, S_MSR_LSTAR), S_RIP);
  writeEflags(0, load<u32>(STATE, S_MSR_FMASK));
  const selector = <u32>(load<u64>(STATE, S_MSR_STAR) >> 32) & 0xfffc;
  setLevel(0, selector, selector + 8, ATTR_CODE64);
}

/** imm: 1 with REX.W, which returns to 64-bit mode; otherwise to compatibility mode. */
export function systemReturn(_a: u32, _b: u32, imm: u64): void {
  if (!syscallEnabled() || !privileged()) return;
  const target = load<u64>(STATE, S_RCX);
  // Intel's CPUs check the target here, still at CPL 0.
  if (imm && !isCanonical(target)) {
    raiseGP(0);
    return;
  }
  store<u64>(STATE, imm ? target : target & 0xffffffff, S_RIP);
  // In privilege 0 every flag may change; reserved bits and those left out of the mask become 0.
  writeEflags(load<u32>(STATE, S_R11) & SYSRET_FLAGS, 0xffffffff);
  const base = <u32>(load<u64>(STATE, S_MSR_STAR) >> 48);
  if (imm) setLevel(3, (base + 16) | 3, (base + 8) | 3, ATTR_CODE64);
  else setLevel(3, base | 3, (base + 8) | 3, ATTR_CODE32);
}

function longModeActive(): bool {
  return (load<u32>(STATE, S_EFER) & EFER_LMA) != 0;
}

export function systemEnter(_a: u32, _b: u32, _imm: u64): void {
  const selector = load<u32>(STATE, S_MSR_SYSENTER_CS) & 0xfffc;
  if (!(load<u32>(STATE, S_CR0) & CR0_PE) || !selector) {
    raiseGP(0);
    return;
  }
  const long = longModeActive();
  const mask: u64 = long ? u64.MAX_VALUE : 0xffffffff;
  writeEflags(0, FLAG_VM | FLAG_IF);
  store<u64>(STATE, load<u64>(STATE, S_MSR_SYSENTER_ESP) & mask, S_RSP);
  store<u64>(STATE, load<u64>(STATE, S_MSR_SYSENTER_EIP) & mask, S_RIP);
  setLevel(0, selector, selector + 8, long ? ATTR_CODE64 : ATTR_CODE32);
}

/** imm: 1 with REX.W, which returns to 64-bit mode. */
export function systemExit(_a: u32, _b: u32, imm: u64): void {
  const selector = load<u32>(STATE, S_MSR_SYSENTER_CS) & 0xfffc;
  if (!(load<u32>(STATE, S_CR0) & CR0_PE) || !selector) {
    raiseGP(0);
    return;
  }
  if (!privileged()) return;
  const stack = load<u64>(STATE, S_RCX);
  const target = load<u64>(STATE, S_RDX);
  if (imm && !(isCanonical(stack) && isCanonical(target))) {
    raiseGP(0);
    return;
  }
  store<u64>(STATE, imm ? stack : stack & 0xffffffff, S_RSP);
  store<u64>(STATE, imm ? target : target & 0xffffffff, S_RIP);
  const code = selector + (imm ? 32 : 16);
  setLevel(3, code | 3, (code + 8) | 3, imm ? ATTR_CODE64 : ATTR_CODE32);
}

export function swapGs(_a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  const gs = segSlot(SEG_GS);
  const base = load<u64>(gs, SEG_BASE);
  store<u64>(gs, load<u64>(STATE, S_MSR_KERNEL_GS_BASE), SEG_BASE);
  store<u64>(STATE, base, S_MSR_KERNEL_GS_BASE);
}
