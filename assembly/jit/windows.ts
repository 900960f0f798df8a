// Windows: accesses of one block by the same registers that lie close together.
//
// What a compiler makes of a structure, a stack frame, or a row of registers saved is a group of accesses to one base
// plus small numbers. They mostly lie in one range (ranges.ts), so the first one that is emitted looks at it for all of them:
// from then on the host address of the window's first byte is in a local, and the others are plain loads and stores.
// If a window is not in one piece, or not plain memory, the region is left and the interpreter goes on, as it does where
// floating point is not ordinary. A block that is left so too often is scattered (run-region.ts): its next region does without.
//
// Registers are followed through the block as a number that stands for an unknown value, plus an offset: RSP after two
// pushes is RSP at the beginning minus 16. Nothing is known at the beginning of a block, or after a helper.

import { B_CODE, B_SCATTERED, operations, SCATTERED } from '../ir/blocks';
import {
  ALU_ADD,
  ALU_IMM,
  ALU_INC,
  ALU_NOFLAGS,
  ALU_SUB,
  LD_128,
  LD_128_ALIGNED,
  LD_RMW,
  OP_ALU,
  OP_BYTES,
  OP_CALL,
  OP_LD,
  OP_LD_A32,
  OP_LDP,
  OP_LEA64,
  OP_MOV,
  OP_POP64,
  OP_PUSH64,
  OP_PUSHI64,
  OP_RET64,
  OP_ST,
  OP_ST_A32,
  OP_STI,
  OP_STI_A32,
  OP_STP,
  SIZE32,
  SIZE64,
  SIZE128,
  ST_128,
} from '../ir/ops';
import { S_RSP, S_ZERO } from '../layout/x86-state';
import { sizeOfForm } from './forms';
import { indexOf, WINDOW_LOCALS, writtenBy } from './frame';
import { isDivide, isMultiply } from './muldiv';

/** Most bytes of a window: mmu/ranges.ts knows how many ranges have room for. */
const MAX_SPAN: i64 = 256;
/** Farther from its base an access is not looked at. */
const FAR: i64 = 1 << 30;
/** Most windows considered in one block, and operations. */
const MAX_WINDOWS: u32 = 32;
const MAX_OPS: u32 = 1100;

// By register or temporary (frame.ts): u32 number of its unknown value, i64 what was added to it since.
const valueOf: usize = memory.data(64 * 4);
const addedTo: usize = memory.data(64 * 8);
let nextValue: u32 = 1;

// --- A window ---
/** u64 base's and index's values, and the shift. */
const W_KEY: usize = 0;
/** i64 first byte, and the one after the last, relative to those. */
const W_LOW: usize = 8;
const W_HIGH: usize = 16;
/** u32 accesses; u8 does it read, does it write, does it begin with a store; u8 1 + number of its local, or 0. */
const W_COUNT: usize = 24;
const W_READS: usize = 28;
const W_WRITES: usize = 29;
const W_STORE_FIRST: usize = 30;
const W_LOCAL: usize = 31;
/** As emitted so far: may be read, may be written; 1 + offset in a 16-byte unit that is known for a multiple of 16. */
const W_READABLE: usize = 32;
const W_WRITABLE: usize = 33;
const W_ALIGNED: usize = 34;
const WINDOW_BYTES: usize = 40;
const windows: usize = memory.data(32 * 40);
let count: u32 = 0;
/** Windows before this one take nothing more: a helper came between. */
let firstOpen: u32 = 0;

// By operation of the block: u8 1 + its window, or 0; i32 its place in that.
const windowOfOp: usize = memory.data(1100);
const placeOfOp: usize = memory.data(1100 * 4);
let code: usize = 0;

function windowAt(i: u32): usize {
  return windows + <usize>i * WINDOW_BYTES;
}

function renew(i: i32): void {
  if (i < 0) return;
  store<u32>(valueOf + ((<usize>i) << 2), nextValue++);
  store<i64>(addedTo + ((<usize>i) << 3), 0);
}
function renewAll(): void {
  for (let i = 0; i < 64; i++) renew(i);
}
/** d = a + n. */
function follow(d: u32, a: u32, n: i64): void {
  const i = indexOf(d);
  const k = indexOf(a);
  if (i < 0) return;
  if (k < 0 || (d | a) & 7) {
    renew(i);
    return;
  }
  store<u32>(valueOf + ((<usize>i) << 2), load<u32>(valueOf + ((<usize>k) << 2)));
  store<i64>(addedTo + ((<usize>i) << 3), load<i64>(addedTo + ((<usize>k) << 3)) + n);
}

/** What operation p does to registers. */
function effect(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  if (op == OP_MOV + SIZE64) {
    follow(d, a, 0);
    return;
  }
  if (op == OP_LEA64 && load<u16>(p, 6) == <u16>S_ZERO) {
    follow(d, a, load<i32>(p, 8));
    return;
  }
  if (op >= OP_ALU && op < OP_MOV && ((op >> 2) & 3) == SIZE64) {
    const kind = op & ~(ALU_NOFLAGS | (SIZE64 << 2));
    if (kind == (OP_ALU | (ALU_ADD << 4) | ALU_IMM)) {
      follow(d, a, load<i64>(p, 8));
      return;
    }
    if (kind == (OP_ALU | (ALU_SUB << 4) | ALU_IMM)) {
      follow(d, a, -load<i64>(p, 8));
      return;
    }
    if ((kind & ~ALU_IMM) == (OP_ALU | (ALU_INC << 4))) {
      follow(d, a, kind & ALU_IMM ? -1 : 1);
      return;
    }
  }
  if (!ISA_AARCH64) {
    if (op == OP_PUSH64 || op == OP_PUSHI64) {
      follow(S_RSP, S_RSP, -8);
      return;
    }
    if (op == OP_POP64) {
      follow(S_RSP, S_RSP, 8);
      renew(indexOf(d));
      return;
    }
  }
  if (op == OP_CALL && !isMultiply(d) && !isDivide(d)) {
    renewAll();
    firstOpen = count;
    return;
  }
  let set = writtenBy(p);
  while (set) {
    renew(<i32>ctz<u64>(set));
    set &= set - 1;
  }
}

/** Puts operation number n, an access of `size` bytes, into a window. */
function note(n: u32, base: u32, index: u32, shift: u32, disp: i64, size: i64, write: bool): void {
  let at = disp;
  let key: u64 = shift;
  if (base != <u32>S_ZERO) {
    const i = indexOf(base);
    if (i < 0 || base & 7) return;
    key |= (<u64>load<u32>(valueOf + ((<usize>i) << 2))) << 8;
    at += load<i64>(addedTo + ((<usize>i) << 3));
  }
  if (index != <u32>S_ZERO) {
    const i = indexOf(index);
    if (i < 0 || index & 7) return;
    key |= (<u64>load<u32>(valueOf + ((<usize>i) << 2))) << 32;
    at += load<i64>(addedTo + ((<usize>i) << 3)) << (<i64>shift);
  }
  if (at > FAR || at < -FAR) return;
  for (let i = firstOpen; i < count; i++) {
    const w = windowAt(i);
    if (load<u64>(w, W_KEY) != key) continue;
    const low = min<i64>(load<i64>(w, W_LOW), at);
    const high = max<i64>(load<i64>(w, W_HIGH), at + size);
    if (high - low > MAX_SPAN) continue;
    store<i64>(w, low, W_LOW);
    store<i64>(w, high, W_HIGH);
    put(n, i, at, write);
    return;
  }
  if (count == MAX_WINDOWS) return;
  const w = windowAt(count);
  memory.fill(w, 0, WINDOW_BYTES);
  store<u64>(w, key, W_KEY);
  store<i64>(w, at, W_LOW);
  store<i64>(w, at + size, W_HIGH);
  store<u8>(w, <u8>write, W_STORE_FIRST);
  put(n, count++, at, write);
}
function put(n: u32, i: u32, at: i64, write: bool): void {
  const w = windowAt(i);
  store<u32>(w, load<u32>(w, W_COUNT) + 1, W_COUNT);
  store<u8>(w + (write ? W_WRITES : W_READS), 1);
  store<u8>(windowOfOp + n, <u8>(i + 1));
  store<i32>(placeOfOp + ((<usize>n) << 2), <i32>at);
}

/** Notes the access of operation number n, at p, if it is one. */
function noteAccess(n: u32, p: usize): void {
  const op: u32 = load<u16>(p);
  const base: u32 = load<u16>(p, 4);
  const index: u32 = load<u16>(p, 6);
  const disp: i64 = load<i32>(p, 8);
  if (op >= OP_LD && op < OP_LD_A32) {
    const form = op - OP_LD;
    const rmw = form >= LD_RMW;
    const size: i64 = form == LD_128 || form == LD_128_ALIGNED ? 16 : 1 << (rmw ? form - LD_RMW : sizeOfForm(form));
    note(n, base, index, load<u8>(p, 12), disp, size, rmw);
  } else if (op >= OP_ST && op < OP_ST_A32) {
    const form = op - OP_ST;
    note(n, base, index, load<u8>(p, 12), disp, form >= ST_128 ? 16 : 1 << form, true);
  } else if (op >= OP_STI && op < OP_STI_A32) {
    note(n, base, index, load<u16>(p, 2), disp, 1 << (op - OP_STI), true);
  } else if (ISA_AARCH64) {
    if (op >= OP_STP + SIZE32 && op <= OP_STP + SIZE128) note(n, base, S_ZERO, 0, disp, 2 << (op - OP_STP), true);
    else if (op >= OP_LDP + SIZE32 && op <= OP_LDP + SIZE128) note(n, base, S_ZERO, 0, disp, 2 << (op - OP_LDP), false);
  } else if (op == OP_PUSH64 || op == OP_PUSHI64) note(n, S_RSP, S_ZERO, 0, -8, 8, true);
  else if (op == OP_POP64 || op == OP_RET64) note(n, S_RSP, S_ZERO, 0, 0, 8, false);
}

/** Finds the windows of block b, which is about to be emitted. */
export function startWindows(b: usize): void {
  const ops = operations(b);
  code = b + B_CODE;
  count = 0;
  firstOpen = 0;
  nextValue = 1;
  memory.fill(windowOfOp, 0, MAX_OPS);
  if (load<u16>(b, B_SCATTERED) >= <u16>SCATTERED || ops > MAX_OPS) return;
  renewAll();
  for (let n: u32 = 0; n < ops; n++) {
    const p = code + <usize>n * OP_BYTES;
    noteAccess(n, p);
    effect(p);
  }
  let locals: u32 = 0;
  for (let i: u32 = 0; i < count && locals < WINDOW_LOCALS; i++) {
    const w = windowAt(i);
    const looks: u32 = load<u8>(w, W_READS) && load<u8>(w, W_WRITES) && !load<u8>(w, W_STORE_FIRST) ? 2 : 1;
    if (load<u32>(w, W_COUNT) > looks) store<u8>(w, <u8>++locals, W_LOCAL);
  }
}

/** The window of operation p, or 0. */
export function windowOf(p: usize): usize {
  const n = (p - code) / OP_BYTES;
  if (p < code || n >= <usize>MAX_OPS) return 0;
  const i: u32 = load<u8>(windowOfOp + n);
  if (!i) return 0;
  const w = windowAt(i - 1);
  return load<u8>(w, W_LOCAL) ? w : 0;
}
/** Bytes from the window's beginning to what operation p accesses. */
export function placeIn(w: usize, p: usize): u32 {
  return <u32>(<i64>load<i32>(placeOfOp + (((p - code) / OP_BYTES) << 2)) - load<i64>(w, W_LOW));
}
export function spanOf(w: usize): u32 {
  return <u32>(load<i64>(w, W_HIGH) - load<i64>(w, W_LOW));
}
/** Number of the local that holds the window's host address. */
export function localOfWindow(w: usize): u32 {
  return load<u8>(w, W_LOCAL) - 1;
}
/** Has it been looked at already, for reading or writing? */
export function isOpen(w: usize, write: bool): bool {
  return load<u8>(w, W_WRITABLE) != 0 || (!write && load<u8>(w, W_READABLE) != 0);
}
export function opened(w: usize, write: bool): void {
  store<u8>(w + (write ? W_WRITABLE : W_READABLE), 1);
}
/** Is it known that `place` is a multiple of 16? */
export function isAligned(w: usize, place: u32): bool {
  return <u32>load<u8>(w, W_ALIGNED) == (place & 15) + 1;
}
export function setAligned(w: usize, place: u32): void {
  store<u8>(w, <u8>((place & 15) + 1), W_ALIGNED);
}
