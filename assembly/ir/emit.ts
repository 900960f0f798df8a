// Building a block: appends operations and their side-table entries to a scratch area.

import { BLOCKS_BASE } from '../layout/memory';
import { OP_BYTES, OP_CALL, OP_SYNC, OP_VEC } from './ops';

/** Most operations one block may have; an instruction takes at most MAX_OPS_PER_INSN. */
export const MAX_OPS: u32 = 1024;
export const MAX_OPS_PER_INSN: u32 = 96;

/** Scratch: operations, then side table. Copied to the block when it is finished. */
export const SCRATCH_OPS: usize = BLOCKS_BASE;
export const SCRATCH_SIDE: usize = SCRATCH_OPS + <usize>MAX_OPS * OP_BYTES;
export const SCRATCH_END: usize = SCRATCH_SIDE + <usize>MAX_OPS * 4;

let count: u32 = 0;
/** Side-table word of the instruction being lifted: its offset from the block's start | its index << 16. */
let sideWord: u32 = 0;
let blockRip: u64 = 0;
let insnRip: u64 = 0;
let nextRip: u64 = 0;

export function beginBlock(rip: u64): void {
  count = 0;
  blockRip = rip;
}

/** Start of an instruction at `rip`, the index-th of its block. */
export function beginInsn(rip: u64, index: u32): void {
  insnRip = rip;
  sideWord = (<u32>(rip - blockRip) & 0xffff) | (index << 16);
}

/** The decoder has found the instruction's end. */
export function setNextRip(rip: u64): void {
  nextRip = rip;
}

export function currentRip(): u64 {
  return insnRip;
}

export function followingRip(): u64 {
  return nextRip;
}

export function opCount(): u32 {
  return count;
}

/** Takes back what was emitted since the count was `n` (an instruction that turned out to be undefined). */
export function truncateOps(n: u32): void {
  count = n;
}

export function emit(op: u32, d: u32, a: u32, b: u32, imm: u64): void {
  const at = SCRATCH_OPS + <usize>count * OP_BYTES;
  store<u16>(at, op);
  store<u16>(at, d, 2);
  store<u16>(at, a, 4);
  store<u16>(at, b, 6);
  store<u64>(at, imm, 8);
  store<u32>(SCRATCH_SIDE + ((<usize>count) << 2), sideWord);
  count++;
}

/** An operation with an address: base and index slots, shift, displacement, and for STI an immediate. */
export function emitMem(op: u32, d: u32, base: u32, index: u32, shift: u32, disp: i32): void {
  emit(op, d, base, index, <u64>(<u32>disp) | ((<u64>shift) << 32));
}

export function emitStoreImm(op: u32, base: u32, index: u32, shift: u32, disp: i32, imm: i32): void {
  emit(op, shift, base, index, <u64>(<u32>disp) | ((<u64>(<u32>imm)) << 32));
}

/** Calls `helper` (a function-table index) with slots or small numbers a, b and imm. */
export function emitCall(helper: u32, a: u32, b: u32, imm: u64): void {
  emit(OP_CALL, helper, a, b, imm);
}

/** Makes S_RIP and S_NEXT_RIP right for a helper that follows. */
export function emitSync(): void {
  emit(OP_SYNC, <u32>(nextRip - insnRip), 0, 0, nextRip);
}

/** d = vector operation `kind` of a and b. */
export function emitVec(kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  emit(OP_VEC, d, a, b, <u64>kind | ((<u64>imm) << 16));
}
