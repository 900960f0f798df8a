// Debug registers and the #DB conditions that they and EFLAGS.TF make (SDM vol. 3, 18.2, 18.3).
//
// Instruction breakpoints and general detect are faults: they come before the instruction. Data and I/O breakpoints and
// single steps are traps: their DR6 bits are gathered while the instruction executes and reported after it.

import { STATE } from '../layout/memory';
import {
  CR4_DE,
  FLAG_RF,
  S_CR4,
  S_DR0,
  S_DR6,
  S_DR7,
  S_INT_SHADOW,
  S_RFLAGS,
  S_RIP,
  SEG_BASE,
  SEG_CS,
  SHADOW_MOV_SS,
} from '../layout/x86-state';
import { tlbFlush } from '../mmu/tlb';
import { EXC_DB, EXC_UD, faulted, raise, raiseGP } from './fault';
import { finish, in64BitMode, privileged } from './helper';
import { segSlot, updateMode } from './mode';

const DR6_BD: u32 = 0x2000;
const DR6_BS: u32 = 0x4000;
/** DR6: bits that can be written; those that always read as 1 (12 as 0). */
const DR6_WRITABLE: u64 = 0xe00f;
const DR6_ONES: u64 = 0xffff0ff0;
const DR7_GD: u32 = 0x2000;
/** DR7: bits that can be written; bit 10 reads as 1. */
const DR7_WRITABLE: u64 = 0xffff23ff;
const DR7_ONES: u64 = 0x400;

/** R/W field of a breakpoint: what breaks. */
const BREAK_EXECUTE: u32 = 0;
const BREAK_WRITE: u32 = 1;
const BREAK_IO: u32 = 2;
const BREAK_ACCESS: u32 = 3;

/** DR6 bits of traps that wait for the end of the instruction. */
let pending: u32 = 0;
let stepCancelled: bool = false;

/** Bytes that breakpoint i covers: LEN 00, 01, 11, 10 stand for 1, 2, 4, 8. */
function lengthOf(dr7: u32, i: u32): u64 {
  const len = (dr7 >> (18 + (i << 2))) & 3;
  return len == 0 ? 1 : len == 1 ? 2 : len == 3 ? 4 : 8;
}

function kindOf(dr7: u32, i: u32): u32 {
  return (dr7 >> (16 + (i << 2))) & 3;
}

/** L or G: both enable; there is no task-switch difference to observe here. */
function isEnabled(dr7: u32, i: u32): bool {
  return ((dr7 >> (i << 1)) & 3) != 0;
}

function addressOf(i: u32): u64 {
  return load<u64>(STATE + ((<usize>i) << 3), S_DR0);
}

/** Does [at, at + size) touch what breakpoint i covers, which is aligned by its length? */
function touches(dr7: u32, i: u32, at: u64, size: u64): bool {
  const length = lengthOf(dr7, i);
  const start = addressOf(i) & ~(length - 1);
  return at < start + length && start < at + size;
}

/** Notes #DB conditions in DR6. Entering the handler must not trip general detect: GD goes (SDM vol. 3, 18.2.4). */
function report(bits: u32): void {
  store<u64>(STATE, load<u64>(STATE, S_DR6) | bits, S_DR6);
  store<u64>(STATE, load<u64>(STATE, S_DR7) & ~(<u64>DR7_GD), S_DR7);
}

/** Before an instruction: an instruction breakpoint at its first byte? DR6 says which; the caller delivers #DB. RF suppresses it. */
export function checkCodeBreakpoint(): bool {
  const dr7 = load<u32>(STATE, S_DR7);
  if (!(dr7 & 0xff) || load<u32>(STATE, S_RFLAGS) & FLAG_RF) return false;
  let linear = load<u64>(STATE, S_RIP);
  if (!in64BitMode()) linear = (linear + load<u64>(segSlot(SEG_CS), SEG_BASE)) & 0xffffffff;
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    if (isEnabled(dr7, i) && kindOf(dr7, i) == BREAK_EXECUTE && addressOf(i) == linear) bits |= 1 << i;
  }
  if (bits) report(bits);
  return bits != 0;
}

/** A data access took place: for the slow paths of memory accesses, which watched pages always take. */
export function checkDataBreakpoint(linear: u64, size: u32, write: bool): void {
  const dr7 = load<u32>(STATE, S_DR7);
  if (!(dr7 & 0xff)) return;
  for (let i: u32 = 0; i < 4; i++) {
    const kind = kindOf(dr7, i);
    const breaks = kind == BREAK_ACCESS || (kind == BREAK_WRITE && write);
    if (breaks && isEnabled(dr7, i) && touches(dr7, i, linear, size)) pending |= 1 << i;
  }
}

/** A port was accessed. I/O breakpoints need CR4.DE. */
export function checkIoBreakpoint(port: u32, size: u32): void {
  const dr7 = load<u32>(STATE, S_DR7);
  if (!(dr7 & 0xff) || !(load<u32>(STATE, S_CR4) & CR4_DE)) return;
  for (let i: u32 = 0; i < 4; i++) {
    if (kindOf(dr7, i) == BREAK_IO && isEnabled(dr7, i) && touches(dr7, i, port, size)) pending |= 1 << i;
  }
}

/** The instruction raised an exception: it will be executed again, and the traps found so far with it. */
export function dropTraps(): void {
  pending = 0;
  stepCancelled = false;
}

/** A software interrupt has cleared TF: no single-step trap follows it in the handler (SDM vol. 3, 18.3.1.4). */
export function cancelStep(): void {
  stepCancelled = true;
}

/**
 * After an instruction; `trap`: TF was set before it. True: #DB is to be delivered, its conditions stand in DR6. After
 * MOV SS and POP SS, traps wait for the end of the next instruction (SDM vol. 3, 7.8.3).
 */
export function finishInstruction(trap: bool): bool {
  if (load<u32>(STATE, S_INT_SHADOW) & SHADOW_MOV_SS) return false;
  const bits = pending | (trap && !stepCancelled ? DR6_BS : 0);
  stepCancelled = false;
  pending = 0;
  if (bits) report(bits);
  return bits != 0;
}

/** MOV DRn: number b, 4 and 5 standing for 6 and 7 unless CR4.DE is set. Returns the number, or 8 when it raised. */
function admitted(b: u32): u32 {
  if ((b & ~1) == 4) {
    if (load<u32>(STATE, S_CR4) & CR4_DE) {
      raise(EXC_UD);
      return 8;
    }
    b += 2;
  }
  if (!privileged()) return 8;
  if (load<u32>(STATE, S_DR7) & DR7_GD) {
    report(DR6_BD);
    raise(EXC_DB);
    return 8;
  }
  return b;
}

/** Slot of a debug register. */
function slotOf(n: u32): usize {
  return n < 4 ? S_DR0 + ((<usize>n) << 3) : n == 6 ? S_DR6 : S_DR7;
}

/** MOV a, DRb. */
export function readDebug(a: u32, b: u32, _imm: u64): void {
  const n = admitted(b);
  if (faulted()) return;
  const v = load<u64>(STATE + slotOf(n));
  store<u64>(STATE + <usize>a, in64BitMode() ? v : v & 0xffffffff);
}

/** MOV DRb, a. Ends the block: what is watched may have changed. */
export function writeDebug(a: u32, b: u32, _imm: u64): void {
  const n = admitted(b);
  if (faulted()) return;
  let v = load<u64>(STATE + <usize>a);
  if (!in64BitMode()) v &= 0xffffffff;
  if (n >= 6) {
    if (v >> 32) {
      raiseGP(0);
      return;
    }
    v = n == 6 ? (v & DR6_WRITABLE) | DR6_ONES : (v & DR7_WRITABLE) | DR7_ONES;
  }
  store<u64>(STATE + slotOf(n), v);
  if (n != 6) {
    // Pages with a data breakpoint are kept out of the fast path of the soft TLB.
    tlbFlush(false);
    updateMode();
  }
  finish();
}
