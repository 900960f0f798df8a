// Running a region: how it is entered, and what follows each way out of it.

import { B_ROUGH, B_SCATTERED, B_SERIAL, ROUGH, SCATTERED, setInRegion } from '../ir/blocks';
import { afterRegion, budget, spend } from '../ir/follow';
import { execFrom, faultAt, LEFT_FAULT, LEFT_INDIRECT, lastBlock, noUnexecuted, resumeAfter } from '../ir/interp';
import { OP_VEC } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_JIT_BLOCK, S_JIT_FUEL, S_RIP } from '../layout/x86-state';
import { raiseGP } from '../x86/fault';
import { LEFT_AFTER, LEFT_NOT_CANONICAL, LEFT_WINDOW } from './exits';
import { pendingValue } from './runtime';
import { dropRegionsOf, indirectTo, slotOf } from './tier';

/** A region runs at most so many instructions before it comes back: V8 replaces code by better code only at calls. */
const MAX_FUEL: i64 = 1 << 16;

/** Beside the interpreter's LEFT_* and those of exits.ts: `regionBlock` is to be executed next. */
export const LEFT_KNOWN: u32 = 8;
/** After runRegion(): the block that was left last, or the one that comes next. */
export let regionBlock: usize = 0;

// Counters, for statistics.
export let instructionsInRegions: u64 = 0;
/** Exits by their cause: LEFT_*. */
export const exitCounts: usize = memory.data(8 * 8);

/** How often regions were entered. */
export function entries(): u64 {
  let sum: u64 = 0;
  for (let how: usize = 0; how < 8; how++) sum += load<u64>(exitCounts + (how << 3));
  return sum;
}

/** Calls the region's function with what it may spend of the budget. Returns its exit word. */
function enter(record: usize): u32 {
  const fuel = budget < MAX_FUEL ? budget : MAX_FUEL;
  spend(fuel);
  setInRegion(true);
  noUnexecuted();
  const exit = call_indirect<u32>(slotOf(record), <i32>fuel);
  setInRegion(false);
  const unspent = <i64>load<i32>(STATE, S_JIT_FUEL);
  spend(-unspent);
  instructionsInRegions += <u64>(fuel - unspent);
  const count = exitCounts + ((<usize>(exit & 15)) << 3);
  store<u64>(count, load<u64>(count) + 1);
  return exit;
}

/** Runs region `record`; returns as exec() does, or LEFT_KNOWN. */
export function runRegion(record: usize): u32 {
  const exit = enter(record);
  let left = exit & 15;
  if (left < LEFT_INDIRECT) {
    regionBlock = <usize>(exit & ~15);
    return left;
  }
  if (left == LEFT_INDIRECT) {
    const block = <usize>(exit & ~15);
    const rip = load<u64>(STATE, S_RIP);
    indirectTo(block, rip, record);
    const next = afterRegion(block, rip);
    regionBlock = next ? next : block;
    return next ? LEFT_KNOWN : LEFT_INDIRECT;
  }
  left = settle(exit);
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
