// From block to block within the interpreter: a block that is left for a known one is followed by it at once, unless
// something wants the run loop: a request or interrupt, the end of the slice, a region to be entered or made.
//
// Where a constant jump leads is kept in the block, its chain. A chain on one page holds for as long as both blocks do;
// one to another page as long as no translation of code changes, as what the jump cache says does.

import { lastOp } from '../jit/region';
import { indirectTo } from '../jit/tier';
import { STATE } from '../layout/memory';
import { S_ATTENTION, S_MODE } from '../layout/x86-state';
import { ANY_GENERATION, tlbGeneration } from '../mmu/tlb';
import {
  B_CHAIN,
  B_CHAIN_GENERATION,
  B_COUNT,
  B_CS_BASE,
  B_INSNS,
  B_LOOK,
  B_MODE,
  B_PHYS,
  B_PHYS2,
  B_RIP,
  B_SERIAL,
  cacheFlushes,
  jumpLookup,
} from './blocks';
import { OP_EXIT } from './ops';

/** Instructions left in the slice, after the block in execution. */
export let budget: i64 = 0;
/** A block is followed by another one if at least so many instructions are left then. */
export let reserve: i64 = 0;

export function setBudget(instructions: i64): void {
  budget = instructions;
}
export function spend(instructions: i64): void {
  budget -= instructions;
}

/** May blocks follow each other? Not while each has to be looked at: breakpoints, single steps, a limit of CS. */
export function allowFollowing(allowed: bool): void {
  reserve = allowed ? 0 : i64.MAX_VALUE;
}

/** The block that `block` is chained to by `slot`, or 0 if it is not, or no longer. */
export function chained(block: usize, slot: u32): usize {
  const link = block + (slot << 2);
  const next = <usize>load<u32>(link, B_CHAIN);
  if (!next || !load<u32>(next, B_SERIAL)) return 0;
  return load<u32>(link, B_CHAIN_GENERATION) >= tlbGeneration ? next : 0;
}

function linearOf(block: usize): u64 {
  return load<u64>(block, B_RIP) + load<u32>(block, B_CS_BASE);
}

/** Chains `block` to `next`, where a constant jump leads by `slot` now. */
function chain(block: usize, slot: u32, next: usize): void {
  // A block that reaches into a second page is looked up each time: that page may be mapped elsewhere by now.
  if (!ISA_AARCH64 && load<u32>(next, B_PHYS2)) return;
  const samePage =
    (linearOf(block) ^ linearOf(next)) >> 12 == 0 && (load<u32>(block, B_PHYS) ^ load<u32>(next, B_PHYS)) >> 12 == 0;
  const link = block + (slot << 2);
  store<u32>(link, <u32>next, B_CHAIN);
  store<u32>(link, samePage ? ANY_GENERATION : tlbGeneration, B_CHAIN_GENERATION);
}

// The block left last by a constant jump whose target the run loop has to find, and by which slot; 0: something has come
// between.
let jumpFrom: usize = 0;
let jumpSlot: u32 = 0;
let jumpFlushes: u64 = 0;

export function rememberJump(block: usize, slot: u32): void {
  jumpFrom = block;
  jumpSlot = slot;
  jumpFlushes = cacheFlushes;
}
export function forgetJump(): void {
  jumpFrom = 0;
}
/** `next` has been found where the jump leads; it is chained if the mode has not changed on the way. */
export function chainJump(next: usize): void {
  const from = jumpFrom;
  jumpFrom = 0;
  if (!from || jumpFlushes != cacheFlushes || !load<u32>(from, B_SERIAL)) return;
  if (load<u32>(from, B_MODE) == load<u32>(next, B_MODE)) chain(from, jumpSlot, next);
}

/** May `next` be executed without the run loop looking at it first? Then it is counted. */
export function begin(next: usize): bool {
  if (load<u32>(STATE, S_ATTENTION)) return false;
  const rest = budget - <i64>load<u16>(next, B_INSNS);
  if (rest < reserve) return false;
  const count = load<u32>(next, B_COUNT) + 1;
  if (count >= load<u32>(next, B_LOOK)) return false;
  store<u32>(next, count, B_COUNT);
  budget = rest;
  return true;
}

/** The block that follows `block`, left for `rip` by a constant jump by chain slot `slot`; or 0. */
export function afterJump(block: usize, slot: u32, rip: u64): usize {
  if (reserve) return 0;
  let next = chained(block, slot);
  if (!next) {
    next = known(block, rip);
    if (!next) return 0;
    chain(block, slot, next);
  }
  return begin(next) ? next : 0;
}

/** The block that follows `block`, which ends with an indirect jump or a return to `rip`; or 0. */
export function afterIndirect(block: usize, rip: u64): usize {
  if (reserve) return 0;
  const next = known(block, rip);
  if (!next || !begin(next)) return 0;
  indirectTo(block, rip, 0);
  return next;
}

function known(block: usize, rip: u64): usize {
  const mode = load<u32>(STATE, S_MODE);
  return mode == load<u32>(block, B_MODE) ? jumpLookup(rip, load<u32>(block, B_CS_BASE), mode) : 0;
}

/** The block at `rip`, where `block` of a region jumped; or 0. Whether the budget suffices has yet to be looked at. */
export function jumpedTo(block: usize, rip: u64): usize {
  return reserve || load<u32>(STATE, S_ATTENTION) ? 0 : known(block, rip);
}

/** The block at `rip`, where a region that was left at the end of `block` goes; or 0. It is not counted. */
export function afterRegion(block: usize, rip: u64): usize {
  if (reserve || load<u32>(STATE, S_ATTENTION)) return 0;
  // Whatever else ends a block may have changed more than the address.
  if (load<u16>(lastOp(block)) == <u16>OP_EXIT) return 0;
  const next = known(block, rip);
  return next && <i64>load<u16>(next, B_INSNS) <= budget ? next : 0;
}
