// From block to block within the interpreter: a block that is left for a known one is followed by it at once, unless
// something wants the run loop: a request or interrupt, the end of the slice, a region to be entered or made.

import { noteTarget } from '../jit/profile';
import { isThreshold, jitThreshold } from '../jit/tier';
import { STATE } from '../layout/memory';
import { S_ATTENTION, S_MODE } from '../layout/x86-state';
import {
  B_CHAIN,
  B_CHAIN_SERIAL,
  B_COUNT,
  B_CS_BASE,
  B_INSNS,
  B_MODE,
  B_REGION,
  B_RIP,
  B_SERIAL,
  jumpLookup,
} from './blocks';

/** Instructions left in the slice, after the block in execution. */
export let budget: i64 = 0;

export function setBudget(instructions: i64): void {
  budget = instructions;
}
export function spend(instructions: i64): void {
  budget -= instructions;
}

/** May blocks follow each other? Not while each has to be looked at: breakpoints, single steps, a limit of CS. */
let following: bool = false;
export function allowFollowing(allowed: bool): void {
  following = allowed;
}

/** Counts `next` as executed and returns it, or 0 if the run loop has to look at it first. */
function begin(next: usize): usize {
  if (load<u32>(STATE, S_ATTENTION) | load<u32>(next, B_REGION)) return 0;
  const insns = <i64>load<u16>(next, B_INSNS);
  if (insns > budget) return 0;
  const count = load<u32>(next, B_COUNT) + 1;
  if (isThreshold(count)) return 0;
  store<u32>(next, count, B_COUNT);
  budget -= insns;
  return next;
}

/** The block that follows `block`, left by chain `slot` for `rip`; or 0. */
export function afterJump(block: usize, slot: u32, rip: u64): usize {
  if (!following) return 0;
  const next = <usize>load<u32>(block + (slot << 2), B_CHAIN);
  if (next && load<u32>(next, B_SERIAL) == load<u32>(block + (slot << 2), B_CHAIN_SERIAL)) return begin(next);
  // On one page: the run loop links the two.
  if ((load<u64>(block, B_RIP) ^ rip) >> 12 == 0) return 0;
  return known(block, rip);
}

/** The block that follows `block`, which ends with an indirect jump or a return to `rip`; or 0. */
export function afterIndirect(block: usize, rip: u64): usize {
  if (!following) return 0;
  const next = known(block, rip);
  if (next && jitThreshold) noteTarget(block, rip, false);
  return next;
}

function known(block: usize, rip: u64): usize {
  const mode = load<u32>(STATE, S_MODE);
  if (mode != load<u32>(block, B_MODE)) return 0;
  const next = jumpLookup(rip, load<u32>(block, B_CS_BASE), mode);
  return next ? begin(next) : 0;
}
