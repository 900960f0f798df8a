// The run loop: finds the block at PC, executes it, follows chains, delivers exceptions and interrupts.

import { B_INSNS, findBlock, jumpLookup, jumpRemember } from '../ir/blocks';
import { allowFollowing, budget, chained, chainJump, forgetJump, rememberJump, setBudget, spend } from '../ir/follow';
import { exec, LEFT_FAULT, LEFT_INDIRECT, lastBlock, pendingInstructions, unexecuted } from '../ir/interp';
import { LEFT_KNOWN, regionBlock, runRegion } from '../jit/run-region';
import { indirectTo, regionFor } from '../jit/tier';
import {
  ARM_OFF,
  ARM_RUNNING,
  ARM_WFI,
  PSTATE_SS,
  S_ACTIVITY,
  S_ATTENTION,
  S_EXIT_REQUEST,
  S_FAULT,
  S_ICOUNT,
  S_KICK,
  S_MODE,
  S_PC,
  S_PSTATE,
  S_SMC,
  S_TLB,
} from '../layout/arm-state';
import { EXIT_DEBUG, EXIT_HALT, EXIT_SLICE_END } from '../layout/exits';
import { PAGE_KIND_MASK, PAGE_MMIO, STATE } from '../layout/memory';
import { pageInfo } from '../mmu/access';
import { hostOf } from '../mmu/frame';
import { haveBreakpoints, isBreakpoint } from './breakpoints';
import { checkBreakpoint, checkStep, forgetStepped, noteStepped, stepActive, stepAdvance } from './debug';
import { deliverException, takeInterrupt, wakeUp } from './exception';
import { EC_HVC, EC_INSTRUCTION_ABORT, EC_PC_ALIGNMENT, EC_SVC, faulted, raiseAt, TARGET_USUAL } from './fault';
import { ACCESS_FETCH, translate } from './mmu';
import { MODE_SINGLE } from './mode';
import { branchAddress, maybeTagged } from './tags';
import { translateBlock } from './translate';

/** Budget at the start of the slice. */
let sliceBudget: i64 = 0;
/** Instruction count at the start of the slice. */
let startCount: u64 = 0;
/** A breakpoint where the slice starts does not stop it again. */
let resumeAt: u64 = 1;

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
  if (load<u32>(STATE, S_ACTIVITY) == ARM_WFI && wakeUp()) store<u32>(STATE, ARM_RUNNING, S_ACTIVITY);
  if (load<u32>(STATE, S_ACTIVITY) == ARM_RUNNING) takeInterrupt();
  // What is masked is looked at again when the mask goes (noticeInterrupts).
  store<u32>(STATE, 0, S_ATTENTION);
  return 0;
}

/** The block at `pc` for `mode`, translated if need be; 0 with a fault raised. */
function blockAt(pc: u64, mode: u32): usize {
  let b = jumpLookup(pc, 0, mode);
  if (b) return b;
  if (pc & 3) {
    raiseAt(EC_PC_ALIGNMENT, 0, pc, TARGET_USUAL);
    return 0;
  }
  const phys = translate(pc, ACCESS_FETCH, load<u32>(STATE, S_TLB));
  if (faulted()) return 0;
  if ((pageInfo(phys) & PAGE_KIND_MASK) == PAGE_MMIO) {
    // Nothing there that could be executed: synchronous external abort.
    raiseAt(EC_INSTRUCTION_ABORT, 0x10, pc, TARGET_USUAL);
    return 0;
  }
  b = findBlock(<u32>phys, pc, 0, mode);
  if (!b) b = translateBlock(<u32>phys, pc, mode);
  jumpRemember(pc, b);
  return b;
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
    if (activity == ARM_WFI || activity == ARM_OFF) return EXIT_HALT;
    if (budget <= 0) return EXIT_SLICE_END;

    const mode = load<u32>(STATE, S_MODE);
    const single = (mode & MODE_SINGLE) != 0;
    let pc = load<u64>(STATE, S_PC);
    if (maybeTagged(pc)) {
      pc = branchAddress(pc);
      store<u64>(STATE, pc, S_PC);
    }
    if (haveBreakpoints()) {
      forgetJump();
      if (isBreakpoint(pc) && !(first && pc == resumeAt)) {
        resumeAt = pc;
        return EXIT_DEBUG;
      }
      // No instruction is at an odd address.
      resumeAt = 1;
    }
    first = false;
    if (single && checkStep()) {
      forgetJump();
      spend(1);
      deliverException();
      continue;
    }

    let b = blockAt(pc, mode);
    if (b && <i64>load<u16>(b, B_INSNS) > budget) b = blockAt(pc, mode | MODE_SINGLE);
    if (!b || (single && checkBreakpoint())) {
      forgetJump();
      spend(1);
      forgetStepped();
      deliverException();
      continue;
    }
    chainJump(b);
    allowFollowing(!single && !haveBreakpoints());

    if (single) {
      runSingle(b);
      continue;
    }

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
        if (left == LEFT_INDIRECT) indirectTo(b, load<u64>(STATE, S_PC), 0);
      }
      if (left >= LEFT_INDIRECT) {
        spend(-(<i64>unexecuted));
        store<u32>(STATE, 0, S_SMC);
        if (left == LEFT_FAULT) {
          spend(1);
          deliverException();
        }
        break;
      }
      const next = chained(b, left);
      if (next) {
        if (load<u32>(STATE, S_ATTENTION) || <i64>load<u16>(next, B_INSNS) > budget) break;
        b = next;
        continue;
      }
      rememberJump(b, left);
      store<u32>(STATE, 0, S_SMC);
      break;
    }
  }
}

/** Does the instruction at `host` load-exclusive? The step's syndrome tells. */
function isLoadExclusive(insn: u32): bool {
  return (insn & 0x3fc00000) == 0x08400000;
}

/** One instruction under software step or with breakpoints. */
function runSingle(b: usize): void {
  const stepping = stepActive() && (load<u32>(STATE, S_PSTATE) & PSTATE_SS) != 0;
  const pc = load<u64>(STATE, S_PC);
  let exclusive = false;
  if (stepping) {
    const phys = translate(pc, ACCESS_FETCH, load<u32>(STATE, S_TLB));
    exclusive = isLoadExclusive(load<u32>(hostOf(phys)));
  }
  spend(load<u16>(b, B_INSNS));
  const left = exec(b);
  store<u32>(STATE, 0, S_SMC);
  if (left == LEFT_FAULT) {
    spend(1 - <i64>unexecuted);
    const ec: u32 = load<u32>(STATE, S_FAULT) - 1;
    // A call has been executed when its exception is taken; another fault leaves the step to be done.
    if (stepping && (ec == EC_SVC || ec == EC_HVC)) stepAdvance();
    forgetStepped();
    deliverException();
    return;
  }
  if (left >= LEFT_INDIRECT) spend(-(<i64>unexecuted));
  if (stepping && stepActive()) {
    stepAdvance();
    noteStepped(exclusive);
  }
}
