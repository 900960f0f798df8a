// Page caches: in a region, accesses by the same base and index registers mostly stay on one page.
//
// Each such pair may own three locals: the page that may be read, the page that may be written (TAG_NONE for none, as in
// the soft TLB) and the addend that leads to host memory. A hit costs one comparison; a miss looks the page up in the
// soft TLB and remembers it. What is remembered is as good as a TLB entry until something may change translations: only
// helpers can within a region, and after each the caches are emptied.

import { B_CODE, B_OPS } from '../ir/blocks';
import {
  OP_BYTES,
  OP_LD,
  OP_LDP,
  OP_POP32,
  OP_POP64,
  OP_PUSH64,
  OP_RET32,
  OP_SEGLIN,
  OP_ST,
  OP_STP,
  SIZE32,
  SIZE64,
  SIZE128,
} from '../ir/ops';
import { S_SP } from '../layout/arm-state';
import { S_RSP, S_ZERO } from '../layout/x86-state';
import { GENERAL } from './frame';
import { blockOf, inLoop, nodes } from './region';

/** Most caches of a region. */
export const MAX_CACHES: u32 = 8;

// A candidate: u32 base slot | index slot << 16; u32 page number of an address without registers; u32 weight.
const MAX_CANDIDATES: u32 = 64;
const candidates: usize = memory.data(64 * 12);
let candidateCount: u32 = 0;
/** Registers that the block being looked at loads from memory. */
let loaded: u64 = 0;

/** The chosen ones come first. */
export let cacheCount: u32 = 0;

const STACK: u32 = ISA_AARCH64 ? S_SP : S_RSP;

function isRegister(slot: u32): bool {
  return slot < GENERAL << 3 && !(slot & 7);
}
function isRandom(slot: u32): bool {
  return slot != STACK && slot < GENERAL << 3 && ((loaded >> (<u64>slot >> 3)) & 1) != 0;
}
function noteLoaded(slot: u32): void {
  if (slot < GENERAL << 3) loaded |= (<u64>1) << (<u64>slot >> 3);
}

function find(key: u32, page: u32, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const at = candidates + <usize>i * 12;
    if (load<u32>(at) == key && load<u32>(at, 4) == page) return <i32>i;
  }
  return -1;
}

function keyOf(base: u32, index: u32): u32 {
  return base | (index << 16);
}
/** Without registers the displacement is the address. */
function pageOf(base: u32, index: u32, disp: i32): u32 {
  return base == <u32>S_ZERO && index == <u32>S_ZERO ? (<u32>disp >> 12) + 1 : 0;
}

function note(base: u32, index: u32, disp: i32, weight: u32): void {
  if (!isRegister(base) && base != <u32>S_ZERO) return;
  if (!isRegister(index) && index != <u32>S_ZERO) return;
  // A pointer that has just been loaded leads anywhere.
  if (isRandom(base) || isRandom(index)) return;
  const key = keyOf(base, index);
  const page = pageOf(base, index, disp);
  let i = find(key, page, candidateCount);
  if (i < 0) {
    if (candidateCount == MAX_CANDIDATES) return;
    i = <i32>candidateCount;
    candidateCount++;
    const at = candidates + <usize>i * 12;
    store<u32>(at, key);
    store<u32>(at, page, 4);
    store<u32>(at, 0, 8);
  }
  const at = candidates + <usize>i * 12;
  store<u32>(at, load<u32>(at, 8) + weight, 8);
}

/** Which registers does block b load? */
function findLoaded(b: usize): void {
  loaded = 0;
  const end = b + B_CODE + <usize>load<u32>(b, B_OPS) * OP_BYTES;
  for (let p = b + B_CODE; p < end; p += OP_BYTES) {
    const op: u32 = load<u16>(p);
    const d: u32 = load<u16>(p, 2);
    if (ISA_AARCH64 && op >= OP_LDP + SIZE32 && op <= OP_LDP + SIZE64) {
      noteLoaded(d);
      noteLoaded(load<u16>(p, 6));
    } else if ((op >= OP_LD && op < OP_ST) || (!ISA_AARCH64 && (op == OP_POP64 || op == OP_POP32))) noteLoaded(d);
  }
}

/** Chooses the caches of the region that has been formed. */
export function chooseCaches(): void {
  candidateCount = 0;
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    const weight: u32 = inLoop(i) ? 8 : 1;
    findLoaded(b);
    const end = b + B_CODE + <usize>load<u32>(b, B_OPS) * OP_BYTES;
    for (let p = b + B_CODE; p < end; p += OP_BYTES) {
      const op: u32 = load<u16>(p);
      if (op >= OP_LD && op < OP_SEGLIN) note(load<u16>(p, 4), load<u16>(p, 6), load<i32>(p, 8), weight);
      else if (ISA_AARCH64) {
        if (op >= OP_LDP + SIZE32 && op <= OP_STP + SIZE128) note(load<u16>(p, 4), S_ZERO, load<i32>(p, 8), weight);
      } else if (op >= OP_PUSH64 && op <= OP_RET32) note(S_RSP, S_ZERO, 0, weight);
    }
  }
  cacheCount = 0;
  while (cacheCount < MAX_CACHES) {
    let best: u32 = 1;
    let at: usize = 0;
    for (let i = cacheCount; i < candidateCount; i++) {
      const c = candidates + <usize>i * 12;
      if (load<u32>(c, 8) > best) {
        best = load<u32>(c, 8);
        at = c;
      }
    }
    if (!at) return;
    const first = candidates + <usize>cacheCount * 12;
    for (let k: usize = 0; k < 12; k += 4) {
      const v = load<u32>(first + k);
      store<u32>(first + k, load<u32>(at + k));
      store<u32>(at + k, v);
    }
    cacheCount++;
  }
}

let random: u64 = 0;
/** A block is about to be emitted. */
export function startCaches(b: usize): void {
  findLoaded(b);
  random = loaded;
}

/** Cache for an access of the block being emitted by these slots, or -1. */
export function cacheFor(base: u32, index: u32, disp: i32): i32 {
  loaded = random;
  if (isRandom(base) || isRandom(index)) return -1;
  return find(keyOf(base, index), pageOf(base, index, disp), cacheCount);
}
