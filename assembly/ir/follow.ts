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

/** The block that `block` is chained to by `slot`, or 0 if it is not, or no longer. */
export function chained(block: usize, slot: u32): usize {
  const link = block + (slot << 2);
  const next = <usize>load<u32>(link, B_CHAIN);
  return next && load<u32>(next, B_SERIAL) == load<u32>(link, B_CHAIN_SERIAL) ? next : 0;
}

/** May `next` be executed without the run loop looking at it first? Then it is counted. */
export function begin(next: usize): bool {
  if (load<u32>(STATE, S_ATTENTION) | load<u32>(next, B_REGION)) return false;
  const rest = budget - <i64>load<u16>(next, B_INSNS);
  if (rest < 0) return false;
  const count = load<u32>(next, B_COUNT) + 1;
  if (count >= jitThreshold && isThreshold(count)) return false;
  if (!following) return false;
  store<u32>(next, count, B_COUNT);
  budget = rest;
  return true;
}

/** The block that follows `block`, left by a constant jump to `rip` that is not chained; or 0. */
export function afterJump(block: usize, rip: u64): usize {
  // On one page: the run loop links the two.
  if (!following || (load<u64>(block, B_RIP) ^ rip) >> 12 == 0) return 0;
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
  return next && begin(next) ? next : 0;
}
