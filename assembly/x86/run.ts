// The run loop: finds the block at RIP, executes it, follows chains, delivers exceptions and interrupts.

import { B_INSNS, B_PHYS2, findBlock, jumpLookup, jumpRemember, lastByte } from '../ir/blocks';
import { allowFollowing, budget, chained, chainJump, forgetJump, rememberJump, setBudget, spend } from '../ir/follow';
import { exec, LEFT_FAULT, LEFT_INDIRECT, lastBlock, pendingInstructions, unexecuted } from '../ir/interp';
import { LEFT_KNOWN, regionBlock, runRegion } from '../jit/run-region';
import { indirectTo, regionFor } from '../jit/tier';
import { EXIT_DEBUG, EXIT_HALT, EXIT_SHUTDOWN, EXIT_SLICE_END } from '../layout/exits';
import { STATE } from '../layout/memory';
import {
  ACTIVITY_ACTIVE,
  ACTIVITY_HLT,
  ACTIVITY_SHUTDOWN,
  FLAG_IF,
  FLAG_RF,
  FLAG_TF,
  S_ACTIVITY,
  S_ATTENTION,
  S_EXIT_REQUEST,
  S_ICOUNT,
  S_INT_SHADOW,
  S_INTR,
  S_KICK,
  S_MODE,
  S_NMI_BLOCKED,
  S_NMI_PENDING,
  S_RFLAGS,
  S_RIP,
  S_SMC,
  S_TLB,
  SEG_BASE,
  SEG_CS,
  SEG_LIMIT,
} from '../layout/x86-state';
import { addressAfter } from '../mmu/access';
import { ACCESS_FETCH, forgetNotCanonical, translate } from '../mmu/walk';
import { haveBreakpoints, isBreakpoint } from './breakpoints';
import { checkCodeBreakpoint, dropTraps, finishInstruction } from './debug';
import { EXC_GP, EXC_NMI, faulted, raiseCode } from './fault';
import { acknowledgeInterrupt } from './host';
import { DELIVER_EXTERNAL, DELIVER_NMI, deliver, deliverDebug, deliverFault } from './interrupt';
import { MODE_CODE, MODE_FLAT_CS, MODE_SINGLE, segSlot } from './mode';
import { refineStackFault } from './stack-fault';
import { translateBlock } from './translate';

/** Budget at the start of the slice. */
let sliceBudget: i64 = 0;
/** Instruction count at the start of the slice. */
let startCount: u64 = 0;
/** A breakpoint where the slice starts does not stop it again. */
let resumeAt: u64 = 0;

/** Instructions retired so far, exact inside bus callbacks: the one in execution does not count yet. */
export function retired(): u64 {
  return startCount + <u64>(sliceBudget - budget) - pendingInstructions();
}

/** Interrupts and requests at an instruction boundary. Returns an exit reason + 1, or 0 to go on. */
function attend(): u32 {
  const request = load<u32>(STATE, S_EXIT_REQUEST);
  if (request) {
    store<u32>(STATE, 0, S_EXIT_REQUEST);
    return request;
  }
  if (load<u32>(STATE, S_KICK)) {
    store<u32>(STATE, 0, S_KICK);
    return EXIT_SLICE_END + 1;
  }
  const shadow = load<u32>(STATE, S_INT_SHADOW);
  if (!shadow) {
    if (load<u32>(STATE, S_NMI_PENDING) && !load<u32>(STATE, S_NMI_BLOCKED)) {
      store<u32>(STATE, 0, S_NMI_PENDING);
      store<u32>(STATE, 1, S_NMI_BLOCKED);
      store<u32>(STATE, ACTIVITY_ACTIVE, S_ACTIVITY);
      deliver(EXC_NMI, DELIVER_NMI, false, 0);
    } else if (load<u32>(STATE, S_INTR) && load<u32>(STATE, S_RFLAGS) & FLAG_IF) {
      const vector = acknowledgeInterrupt();
      if (vector >= 0) {
        store<u32>(STATE, ACTIVITY_ACTIVE, S_ACTIVITY);
        deliver(<u32>vector, DELIVER_EXTERNAL, false, 0);
      }
    }
    if (faulted()) deliverFault();
  }
  if (!load<u32>(STATE, S_INTR) && !load<u32>(STATE, S_NMI_PENDING)) store<u32>(STATE, 0, S_ATTENTION);
  return 0;
}

/** Does the page after `linear`, which block `b` reaches into, still map to the frame that it was translated from? */
function sameSecondPage(b: usize, linear: u64): bool {
  const next = addressAfter(linear & ~0xfff, 0x1000);
  const phys = translate(next, ACCESS_FETCH, load<u32>(STATE, S_TLB));
  return !faulted() && (<u32>phys | 1) == load<u32>(b, B_PHYS2);
}

/** Stands for physical addresses past 4 GiB, which block keys cannot hold: like them it never is memory (local APIC). */
const NO_MEMORY: u64 = 0xfee00000;

/** The block at RIP for `mode`, translated if need be; 0 with a fault raised. */
function blockAt(rip: u64, mode: u32): usize {
  const cs = segSlot(SEG_CS);
  const code64 = (mode & MODE_CODE) == 3;
  const csBase: u32 = code64 ? 0 : <u32>load<u64>(cs, SEG_BASE);
  let b = jumpLookup(rip, csBase, mode);
  if (!b) {
    const linear = code64 ? rip : (rip + csBase) & 0xffffffff;
    if (!(mode & MODE_FLAT_CS) && rip > load<u32>(cs, SEG_LIMIT)) {
      raiseCode(EXC_GP, 0);
      return 0;
    }
    let phys = translate(linear, ACCESS_FETCH, load<u32>(STATE, S_TLB));
    if (faulted()) return 0;
    if (phys >> 32) phys = NO_MEMORY | (phys & 0xfff);
    b = findBlock(<u32>phys, rip, csBase, mode);
    if (b && load<u32>(b, B_PHYS2) && !sameSecondPage(b, linear)) b = 0;
    if (faulted()) return 0;
    if (!b) b = translateBlock(phys, linear, rip, csBase, mode);
    if (!b) return 0;
    jumpRemember(rip, b);
  }
  if (!(mode & MODE_FLAT_CS) && beyondLimit(b)) {
    // The limit of CS falls inside the block: go by single instructions until the one that crosses it.
    if (!(mode & MODE_SINGLE)) return blockAt(rip, mode | MODE_SINGLE);
    raiseCode(EXC_GP, 0);
    return 0;
  }
  return b;
}

/** Does the block reach past the limit of CS? */
function beyondLimit(b: usize): bool {
  return lastByte(b) > load<u32>(segSlot(SEG_CS), SEG_LIMIT);
}

/**
 * Runs at most `instructions` instructions; returns EXIT_*. One that faults counts as executed: a guest whose handlers
 * fault for ever must neither hold the slice for ever nor stop a clock that counts instructions.
 */
export function runSlice(instructions: u32): u32 {
  startCount = load<u64>(STATE, S_ICOUNT);
  sliceBudget = <i64>instructions;
  setBudget(sliceBudget);
  const reason = runLoop();
  store<u64>(STATE, startCount + <u64>(sliceBudget - budget), S_ICOUNT);
  sliceBudget = 0;
  setBudget(0);
  startCount = load<u64>(STATE, S_ICOUNT);
  return reason;
}

function runLoop(): u32 {
  forgetJump();
  let first = true;
  while (true) {
    if (load<u32>(STATE, S_ATTENTION)) {
      const reason = attend();
      if (reason) return reason - 1;
      // An interrupt may have been taken.
      forgetJump();
    }
    const activity = load<u32>(STATE, S_ACTIVITY);
    if (activity == ACTIVITY_HLT) return EXIT_HALT;
    if (activity == ACTIVITY_SHUTDOWN) return EXIT_SHUTDOWN;
    if (budget <= 0) return EXIT_SLICE_END;

    const shadow = load<u32>(STATE, S_INT_SHADOW);
    let mode = load<u32>(STATE, S_MODE);
    const single = (mode & MODE_SINGLE) != 0;
    if (shadow) mode |= MODE_SINGLE;
    const rip = load<u64>(STATE, S_RIP);
    if (haveBreakpoints()) {
      forgetJump();
      const linear = (mode & MODE_CODE) == 3 ? rip : (rip + load<u64>(segSlot(SEG_CS), SEG_BASE)) & 0xffffffff;
      if (isBreakpoint(linear) && !(first && linear == resumeAt)) {
        resumeAt = linear;
        return EXIT_DEBUG;
      }
      resumeAt = 0;
    }
    first = false;
    if (single && checkCodeBreakpoint()) {
      forgetJump();
      spend(1);
      deliverDebug();
      if (faulted()) deliverFault();
      continue;
    }

    let b = blockAt(rip, mode);
    if (b && <i64>load<u16>(b, B_INSNS) > budget) b = blockAt(rip, mode | MODE_SINGLE);
    if (!b) {
      forgetJump();
      store<u32>(STATE, 0, S_INT_SHADOW);
      spend(1);
      forgetNotCanonical();
      deliverFault();
      continue;
    }
    chainJump(b);
    if (shadow) store<u32>(STATE, 0, S_INT_SHADOW);
    allowFollowing((mode & (MODE_FLAT_CS | MODE_SINGLE)) == MODE_FLAT_CS && !haveBreakpoints());

    if (single) {
      runSingle(b);
      continue;
    }
    const flags = load<u32>(STATE, S_RFLAGS);
    if (flags & FLAG_RF) store<u32>(STATE, flags & ~FLAG_RF, S_RFLAGS);

    // Follow chains for as long as nothing wants attention.
    while (true) {
      const region = regionFor(b, budget);
      let left: u32;
      if (region && !haveBreakpoints()) {
        left = runRegion(region);
        b = regionBlock;
        if (left == LEFT_KNOWN) continue;
      } else {
        spend(load<u16>(b, B_INSNS));
        left = exec(b);
        b = lastBlock;
        if (left == LEFT_INDIRECT) indirectTo(b, load<u64>(STATE, S_RIP), 0);
      }
      if (left >= LEFT_INDIRECT) {
        spend(-(<i64>unexecuted));
        store<u32>(STATE, 0, S_SMC);
        if (left == LEFT_FAULT) {
          spend(1);
          refineStackFault();
          deliverFault();
        }
        break;
      }
      const next = chained(b, left);
      if (next) {
        if (load<u32>(STATE, S_ATTENTION) || <i64>load<u16>(next, B_INSNS) > budget) break;
        // Blocks do not know the limit of CS, which may have been another when the two were linked.
        if (!(mode & MODE_FLAT_CS) && beyondLimit(next)) break;
        b = next;
        continue;
      }
      if (!(mode & MODE_SINGLE)) rememberJump(b, left);
      store<u32>(STATE, 0, S_SMC);
      break;
    }
  }
}

/** One instruction with TF set or hardware breakpoints enabled: its #DB traps come after it. */
function runSingle(b: usize): void {
  const before = load<u32>(STATE, S_RFLAGS);
  spend(load<u16>(b, B_INSNS));
  const left = exec(b);
  store<u32>(STATE, 0, S_SMC);
  if (left == LEFT_FAULT) {
    spend(1 - <i64>unexecuted);
    dropTraps();
    refineStackFault();
    deliverFault();
    return;
  }
  // RF holds for one instruction (SDM vol. 3, 18.3.1.1); the IRET that set it does not count.
  if (before & FLAG_RF) store<u32>(STATE, load<u32>(STATE, S_RFLAGS) & ~FLAG_RF, S_RFLAGS);
  if (finishInstruction((before & FLAG_TF) != 0)) {
    deliverDebug();
    if (faulted()) deliverFault();
  }
}
