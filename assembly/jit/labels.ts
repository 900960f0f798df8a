// The open blocks of the function being written: a branch names its target by how many of them lie between.

import { STATE } from '../layout/memory';
import { S_JIT_BLOCK } from '../layout/x86-state';
import { EXIT, RIP, storeTemps } from './frame';
import {
  byte,
  const32,
  const64,
  here,
  mem,
  set,
  u,
  VOID,
  W_BLOCK,
  W_BR,
  W_BR_IF,
  W_END,
  W_IF,
  W_LOOP,
  W_STORE_I32,
} from './wasm';

/** What an open block is: nothing that is branched to by name; a loop or the code before a merge, | its node; an exit. */
export const PLAIN: u32 = 0;
export const LOOP: u32 = 0x100;
export const MERGE: u32 = 0x200;
/** Leaves with RIP in its local; with RIP in the state; with the whole state written. */
export const LEAVE: u32 = 0x300;
export const LEAVE_AT_RIP: u32 = 0x301;
export const LEAVE_WRITTEN: u32 = 0x302;
/** The end of a memory access or operation; its way through the core. */
export const DONE: u32 = 0x303;
export const SLOW: u32 = 0x304;

const MAX_OPEN: u32 = 250;
const open: usize = memory.data(256 * 4);
let count: u32 = 0;

// Branch hints: offset of the instruction | likely << 31.
const MAX_HINTS: u32 = 4000;
export const hints: usize = memory.data(4000 * 4);
export let hintCount: u32 = 0;
let bodyStart: usize = 0;

export function resetLabels(body: usize): void {
  count = 0;
  hintCount = 0;
  bodyStart = body;
}

export function labelsFull(): bool {
  return count > MAX_OPEN - 16;
}

function enter(label: u32): void {
  store<u32>(open + ((<usize>count) << 2), label);
  count++;
}

export function openBlock(label: u32): void {
  byte(W_BLOCK);
  byte(VOID);
  enter(label);
}
export function openLoop(label: u32): void {
  byte(W_LOOP);
  byte(VOID);
  enter(label);
}
export function openIf(): void {
  byte(W_IF);
  byte(VOID);
  enter(PLAIN);
}
export function close(): void {
  byte(W_END);
  count--;
}

function depth(label: u32): u32 {
  for (let i: i32 = <i32>count - 1; i >= 0; i--) {
    if (load<u32>(open + ((<usize>i) << 2)) == label) return count - 1 - i;
  }
  return unreachable();
}

export function branch(label: u32): void {
  byte(W_BR);
  u(depth(label));
}
export function branchIf(label: u32): void {
  byte(W_BR_IF);
  u(depth(label));
}

/** The next instruction is an IF or BR_IF that is rarely or mostly taken. */
export function hint(likely: bool): void {
  if (hintCount == MAX_HINTS) return;
  store<u32>(hints + ((<usize>hintCount) << 2), <u32>(here() - bodyStart) | (likely ? 0x80000000 : 0));
  hintCount++;
}

/** Leaves the region for `rip`, which is how block or operation `at` ends. */
export function leaveTo(at: u32, rip: u64): void {
  const64(rip);
  set(RIP);
  const32(at);
  set(EXIT);
  branch(LEAVE);
}

/** Leaves the region so that the interpreter goes on with operation p of `block`. */
export function leaveBefore(block: usize, p: usize, how: u32): void {
  storeTemps();
  const32(0);
  const32(<u32>block);
  mem(W_STORE_I32, STATE + S_JIT_BLOCK);
  const32(<u32>p | how);
  set(EXIT);
  branch(LEAVE_AT_RIP);
}
