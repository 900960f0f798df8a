// Running a region: how it is entered, and what follows each way out of it.

import { B_INSNS, B_REGION, B_ROUGH, B_SCATTERED, B_SERIAL, ROUGH, SCATTERED, setInRegion } from '../ir/blocks';
import { afterRegion, budget, jumpedTo, spend } from '../ir/follow';
import {
  execFrom,
  faultAt,
  LEFT_CHAIN0,
  LEFT_CHAIN1,
  LEFT_FAULT,
  LEFT_INDIRECT,
  lastBlock,
  noUnexecuted,
  resumeAfter,
} from '../ir/interp';
import { OP_VEC } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_JIT_BLOCK, S_JIT_FUEL, S_RIP } from '../layout/x86-state';
import { raiseGP } from '../x86/fault';
import { EXITS, LEFT_AFTER, LEFT_JUMP, LEFT_LINKED, LEFT_NOT_CANONICAL, LEFT_REFUSED, LEFT_WINDOW } from './exits';
import { openLink } from './links';
import { exitEntry, exitSlot, exitTo, isBaseline, isSpent, linkMember, pagesKnown, recordAt } from './record';
import { pendingValue } from './runtime';
import { credit, dropRegionsOf, indirectTo, refused } from './tier';

/** A region runs at most so many instructions before it comes back: V8 replaces code by better code only at calls. */
const MAX_FUEL: i64 = 1 << 16;
/** A loop of a baseline region that takes all of that counts as executed so many times. */
const LOOP_CREDIT: u32 = 4096;

/** Beside the interpreter's LEFT_* and those of exits.ts: `regionBlock` is to be executed next. */
export const LEFT_KNOWN: u32 = 16;
/** After runRegion(): the block that was left last, or the one that comes next. */
export let regionBlock: usize = 0;

// Counters, for statistics.
export let instructionsInRegions: u64 = 0;
/** Exits by their cause: LEFT_*. */
export const exitCounts: usize = memory.data(16 * 8);

/** How often regions were entered. */
export function entries(): u64 {
  let sum: u64 = 0;
  for (let how: usize = 0; how < <usize>EXITS; how++) sum += load<u64>(exitCounts + (how << 3));
  return sum;
}

/** Table entry of the region that was left last, and the number that it was entered by. */
let slot: u32 = 0;
let entry: u32 = 0;

function count(exit: u32): void {
  const at = exitCounts + ((<usize>(exit & 15)) << 3);
  store<u64>(at, load<u64>(at) + 1);
}

/** Where `block`, the end of a region, jumped: an exit word for the region there, or 0. */
function afterJump(block: usize): u32 {
  const rip = load<u64>(STATE, S_RIP);
  indirectTo(block, rip, recordAt(slot));
  const next = jumpedTo(block, rip);
  const member = next ? <usize>load<u32>(next, B_REGION) : 0;
  return member ? exitTo(member) : 0;
}

/**
 * Enters the region of `member` with what it may spend of the budget, and then those that it leads to: each looks itself
 * whether it may be entered. Returns the last one's exit word.
 */
function enter(member: usize): u32 {
  const fuel = budget < MAX_FUEL ? budget : MAX_FUEL;
  spend(fuel);
  setInRegion(true);
  noUnexecuted();
  let left = <i32>fuel;
  let exit: u32;
  let next = exitTo(member);
  do {
    slot = exitSlot(next);
    entry = exitEntry(next);
    exit = call_indirect<u32>(slot, left, entry);
    left = load<i32>(STATE, S_JIT_FUEL);
    count(exit);
    const how = exit & 15;
    next = how == LEFT_LINKED ? exit : how == LEFT_JUMP ? afterJump(<usize>(exit & ~15)) : 0;
  } while (next);
  setInRegion(false);
  spend(-(<i64>left));
  instructionsInRegions += <u64>(fuel - <i64>left);
  return exit;
}

/** A region was not entered. Returns LEFT_KNOWN, or LEFT_INDIRECT if only RIP says what comes next. */
function afterRefusal(): u32 {
  const record = recordAt(slot);
  regionBlock = refused(record, entry);
  // A link may have led to where there is other code by now, or where the budget does not suffice.
  return pagesKnown(record) && <i64>load<u16>(regionBlock, B_INSNS) <= budget ? LEFT_KNOWN : LEFT_INDIRECT;
}

/** Region code was left for what RIP says, at `block`. Returns LEFT_KNOWN if there is a block. */
function goOnAt(block: usize): u32 {
  const next = afterRegion(block, load<u64>(STATE, S_RIP));
  regionBlock = next ? next : block;
  return next ? LEFT_KNOWN : LEFT_INDIRECT;
}

/** Runs the region of `member`; returns as exec() does, or LEFT_KNOWN. */
export function runRegion(member: usize): u32 {
  linkMember(member);
  const exit = enter(member);
  const block = <usize>(exit & ~15);
  switch (exit & 15) {
    case LEFT_CHAIN0:
    case LEFT_CHAIN1:
      regionBlock = block;
      openLink(block);
      return exit & 15;
    case LEFT_REFUSED:
      return afterRefusal();
    case LEFT_JUMP:
      return goOnAt(block);
    case LEFT_INDIRECT: {
      // A loop of a baseline region has used up what may be spent at a time; or an instruction ended its block.
      const record = recordAt(slot);
      if (record && isBaseline(record) && isSpent(record, load<i32>(STATE, S_JIT_FUEL))) credit(block, LOOP_CREDIT);
      else indirectTo(block, load<u64>(STATE, S_RIP), record);
      return goOnAt(block);
    }
  }
  const left = settle(exit);
  regionBlock = lastBlock;
  if (left == LEFT_INDIRECT) indirectTo(lastBlock, load<u64>(STATE, S_RIP), 0);
  return left;
}

/** Counts in header field `field` of block b what left a region; from `limit` on its regions are made anew. */
function noteLeft(b: usize, field: usize, limit: u32): void {
  const count = <u32>load<u16>(b + field);
  if (count == limit) return;
  store<u16>(b + field, count + 1);
  if (count + 1 == limit) dropRegionsOf(b);
}

/** After an exit other than at the end of a block: the interpreter finishes what is left of that. Returns as exec() does. */
function settle(exit: u32): u32 {
  const how = exit & 15;
  const block = <usize>load<u32>(STATE, S_JIT_BLOCK);
  const p = <usize>(exit & ~15);
  if (how == LEFT_NOT_CANONICAL) raiseGP(0);
  if (how == LEFT_FAULT || how == LEFT_NOT_CANONICAL) return faultAt(block, p);
  if (how == LEFT_AFTER) return resumeAfter(block, p, pendingValue);
  if (how == LEFT_WINDOW) {
    const serial = load<u32>(block, B_SERIAL);
    const left = execFrom(block, p);
    // A fault says nothing about windows.
    if (left != LEFT_FAULT && load<u32>(block, B_SERIAL) == serial) noteLeft(block, B_SCATTERED, SCATTERED);
    return left;
  }
  if (load<u16>(p) == OP_VEC) noteLeft(block, B_ROUGH, ROUGH);
  return execFrom(block, p);
}
