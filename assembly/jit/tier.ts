// The second tier: which regions exist, how one is made and dropped. (How one is run: run-region.ts.)
//
// A record, in the block cache's memory, stands for a region; its head block points to it, and every block in it has
// the record on a list, so that the region goes when any of its code is overwritten. The function itself is an entry of
// the core's table. There are a fixed number of entries: when they are used up all regions are dropped.

import { translateBlock as translateArm } from '../arm/translate';
import {
  B_COUNT,
  B_CS_BASE,
  B_LOOK,
  B_MEMBERS,
  B_MODE,
  B_PHYS,
  B_REGION,
  B_RIP,
  B_SERIAL,
  dropBlock,
  heapRoom,
  operations,
  takeHeap,
} from '../ir/blocks';
import { checkCache } from '../ir/invariants';
import { STATE } from '../layout/memory';
import { S_FAULT } from '../layout/x86-state';
import { TLB_FETCH, TLB_PHYS, tlbEntry, tlbGeneration, tlbNoteCode } from '../mmu/tlb';
import { jitCompile, jitRelease } from '../x86/host';
import { MODE_SINGLE } from '../x86/mode';
import { translateBlock as translateX86 } from '../x86/translate';
import { emitRegion } from './control';
import { wrapModule } from './module';
import { noteTarget } from './profile';
import { blockOf, formRegion, linearOf, loopHeads, nodes, overlapping, pageList, pages, regionInsns } from './region';
import { MODULE } from './wasm';

// --- Record ---
/** u32 head block. */
const R_HEAD: usize = 0;
/** u32 table entry; 0 when the region has been dropped. */
const R_SLOT: usize = 4;
/** u32 instructions that must be left for it to be entered. */
const R_NEED: usize = 8;
/** u32 TLB generation in which its pages were last looked at. */
const R_GENERATION: usize = 12;
/** u32 number of pages beside the head's, then their linear addresses (u64) and frames (u32, 4 spare). */
const R_PAGES: usize = 16;
const R_LIST: usize = 24;

// --- List element: u32 next, u32 record ---
const MEMBER_BYTES: usize = 16;

/** Most entries that may be used. */
const MAX_SLOTS: u32 = 4096;

const freeSlots: usize = memory.data(4096 * 4);
const slotRecord: usize = memory.data(4096 * 4);
let firstSlot: u32 = 0;
let slotCount: u32 = 0;
let freeCount: u32 = 0;

/** Executions after which a block becomes the head of a region; 0: never. */
export let jitThreshold: u32 = 0;
/** B_LOOK of a block that will never get a region; of a new one. */
const NEVER: u32 = u32.MAX_VALUE;
export let looksFrom: u32 = NEVER;
/** From so many executions on it is noted where a block's indirect jump goes: most never get there. */
let notesFrom: u32 = u32.MAX_VALUE;
/** So many times of each 1024, if thousands are to come: in a row, for targets may take turns. */
const BURST: u32 = 32;
let notesMask: u32 = 0;

// Counters, for statistics.
export let regionsBuilt: u64 = 0;
export let regionsDropped: u64 = 0;
export let regionsRefused: u64 = 0;
export let regionBytes: u64 = 0;
export let regionBlocks: u64 = 0;
export let regionFlushes: u64 = 0;

/** Switches the second tier on: table entries [first, first + count) are its own. */
export function jitEnable(first: u32, count: u32, threshold: u32): void {
  firstSlot = first;
  slotCount = count < MAX_SLOTS ? count : MAX_SLOTS;
  freeCount = 0;
  for (let i = slotCount; i > 0; i--) {
    store<u32>(freeSlots + ((<usize>freeCount) << 2), i - 1);
    freeCount++;
    store<u32>(slotRecord + ((<usize>(i - 1)) << 2), 0);
  }
  jitThreshold = threshold;
  looksFrom = threshold;
  notesFrom = threshold >> 2;
  notesMask = threshold < LOW_THRESHOLD ? 0 : 1024 - BURST;
}

function drop(record: usize): void {
  const slot = load<u32>(record, R_SLOT);
  if (!slot) return;
  const index = slot - firstSlot;
  store<u32>(record, 0, R_SLOT);
  store<u32>(slotRecord + ((<usize>index) << 2), 0);
  store<u32>(freeSlots + ((<usize>freeCount) << 2), index);
  freeCount++;
  const head = <usize>load<u32>(record, R_HEAD);
  store<u32>(head, 0, B_REGION);
  // Not from the start: what other regions are made of meanwhile should have it, too.
  recount(head, jitThreshold >> 1);
  regionsDropped++;
  jitRelease(slot);
}

/** `block` was left for the unknown address `rip`, from region `record` or, if that is 0, the interpreter. */
export function indirectTo(block: usize, rip: u64, record: usize): void {
  if (!record) {
    const count = load<u32>(block, B_COUNT);
    if (count < notesFrom || count & notesMask) return;
  }
  if (!noteTarget(block, rip, record != 0) || !load<u32>(record, R_SLOT)) return;
  const head = <usize>load<u32>(record, R_HEAD);
  drop(record);
  recount(head, jitThreshold - 1);
}

/** Counts on from `count`, which is below the threshold. */
function recount(block: usize, count: u32): void {
  store<u32>(block, count, B_COUNT);
  store<u32>(block, looksFrom, B_LOOK);
}

/**
 * `block` has been executed often enough to become the head of a region. One that is part of a region already has to be
 * much hotter for that, and one that did not become a head is looked at a second time; then no more.
 */
function consider(block: usize): void {
  const late = load<u32>(block, B_COUNT) >= jitThreshold << 1;
  store<u32>(block, late ? NEVER : jitThreshold << 1, B_LOOK);
  if (late || !load<u32>(block, B_MEMBERS) || jitThreshold < 16) buildRegion(block);
}

/** Drops the regions that `block` is part of: its code has changed. */
export function dropRegionsOf(block: usize): void {
  let member = <usize>load<u32>(block, B_MEMBERS);
  while (member) {
    drop(<usize>load<u32>(member, 4));
    member = <usize>load<u32>(member);
  }
  store<u32>(block, 0, B_MEMBERS);
}

/** Drops all regions: the block cache is being emptied, or all table entries are used. */
export function dropAllRegions(): void {
  for (let i: u32 = 0; i < slotCount; i++) {
    const record = <usize>load<u32>(slotRecord + ((<usize>i) << 2));
    if (record) drop(record);
  }
  regionFlushes++;
}

/** Most blocks shortened for one region. */
const MAX_SHORTENED: u32 = 32;
/** Room in the heap that a translation surely leaves. */
const ROOM: usize = 0x20000;

/**
 * Translates block b again. Translation stops where another block starts: what the two had in common, typically the
 * first round of a loop whose start was not known as such, is then in one block only.
 */
function shorten(b: usize): usize {
  const count = load<u32>(b, B_COUNT);
  const look = load<u32>(b, B_LOOK);
  const phys = load<u32>(b, B_PHYS);
  const rip = load<u64>(b, B_RIP);
  const mode = load<u32>(b, B_MODE);
  dropBlock(b);
  const short = ISA_AARCH64
    ? translateArm(phys, rip, mode)
    : translateX86(phys, linearOf(rip), rip, load<u32>(b, B_CS_BASE), mode);
  if (short) {
    store<u32>(short, count, B_COUNT);
    store<u32>(short, look, B_LOOK);
  }
  return short;
}

/** A region of fewer operations than this that does not loop takes less time in the interpreter than to enter. */
const TRIVIAL_OPS: u32 = 24;
/** Below this everything is compiled: that is what tests want. */
const LOW_THRESHOLD: u32 = 1000;

/** Is the region that has been formed not worth making? */
function isTrivial(): bool {
  if (loopHeads || jitThreshold < LOW_THRESHOLD) return false;
  let ops: u32 = 0;
  for (let i = 0; i < nodes; i++) ops += operations(blockOf(i));
  return ops < TRIVIAL_OPS;
}

/** Makes a region with head `block`, if it can be. */
function buildRegion(block: usize): void {
  if (!slotCount || load<u32>(block, B_MODE) & MODE_SINGLE) return;
  let head = block;
  formRegion(head, jitThreshold);
  for (let n: u32 = 0; n < MAX_SHORTENED && heapRoom() > ROOM; n++) {
    const long = overlapping();
    if (!long) break;
    const short = shorten(long);
    if (!short) {
      store<u32>(STATE, 0, S_FAULT);
      return;
    }
    if (long == head) head = short;
    formRegion(head, jitThreshold);
  }
  if (!nodes || isTrivial()) return;
  const length = emitRegion();
  const recordBytes = R_LIST + ((<usize>pages) << 4);
  const memory_ = length ? takeHeap(((recordBytes + 15) & ~15) + <usize>nodes * MEMBER_BYTES) : 0;
  if (!memory_) {
    regionsRefused++;
    return;
  }
  if (!freeCount) dropAllRegions();
  const index = load<u32>(freeSlots + ((<usize>(freeCount - 1)) << 2));
  const bytes = wrapModule(length);
  if (!jitCompile(<u32>MODULE, bytes, firstSlot + index)) {
    regionsRefused++;
    return;
  }
  freeCount--;
  const record = memory_;
  store<u32>(slotRecord + ((<usize>index) << 2), <u32>record);
  store<u32>(record, <u32>head, R_HEAD);
  store<u32>(record, firstSlot + index, R_SLOT);
  store<u32>(record, regionInsns, R_NEED);
  store<u32>(record, pages, R_PAGES);
  memory.copy(record + R_LIST, pageList, (<usize>pages) << 4);
  noteGeneration(record);
  let member = record + ((recordBytes + 15) & ~15);
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    store<u32>(member, load<u32>(b, B_MEMBERS));
    store<u32>(member, <u32>record, 4);
    store<u32>(b, <u32>member, B_MEMBERS);
    member += MEMBER_BYTES;
  }
  store<u32>(head, <u32>record, B_REGION);
  store<u32>(head, 0, B_LOOK);
  regionsBuilt++;
  regionBytes += bytes;
  regionBlocks += nodes;
  checkCache();
}

/** Of a debug build: are table entries, records and heads of regions in step? */
export function checkRegions(): void {
  if (ASC_NO_ASSERT) return;
  let used: u32 = 0;
  for (let i: u32 = 0; i < slotCount; i++) {
    const record = <usize>load<u32>(slotRecord + ((<usize>i) << 2));
    if (!record) continue;
    used++;
    assert(load<u32>(record, R_SLOT) == firstSlot + i, 'a region does not know its table entry');
    const head = <usize>load<u32>(record, R_HEAD);
    assert(load<u32>(head, B_SERIAL) != 0, 'a region has lost its head');
    assert(<usize>load<u32>(head, B_REGION) == record, 'a head does not know its region');
    assert(!load<u32>(head, B_LOOK), 'chains would pass a region by');
  }
  assert(used + freeCount == slotCount, 'table entries have been lost');
}

/** The region's pages are where they were when it was made. */
function noteGeneration(record: usize): void {
  const pages = load<u32>(record, R_PAGES);
  for (let i: u32 = 0; i < pages; i++) tlbNoteCode(load<u64>(record + R_LIST + ((<usize>i) << 4)));
  store<u32>(record, tlbGeneration, R_GENERATION);
}

/** None of them has been looked at in the generation that comes next. */
export function forgetRegionGenerations(): void {
  for (let i: u32 = 0; i < slotCount; i++) {
    const record = <usize>load<u32>(slotRecord + ((<usize>i) << 2));
    if (record) store<u32>(record, 0, R_GENERATION);
  }
}

/** Are the region's pages still where they were? Only those that the TLB knows count: a walk might have effects. */
function pagesHold(record: usize): bool {
  for (let i: usize = 0; i < <usize>load<u32>(record, R_PAGES); i++) {
    const at = record + R_LIST + (i << 4);
    const page = load<u64>(at);
    const e = tlbEntry(page);
    if (load<u64>(e, TLB_FETCH) != page || (load<u32>(e, TLB_PHYS) & 0xfffff000) != load<u32>(at, 8)) return false;
  }
  noteGeneration(record);
  return true;
}

/** May the region be entered now, with `budget` instructions to go? */
function mayEnter(record: usize, budget: i64): bool {
  if (<i64>load<u32>(record, R_NEED) > budget) return false;
  if (!load<u32>(record, R_PAGES) || load<u32>(record, R_GENERATION) == tlbGeneration) return true;
  return pagesHold(record);
}

/** Table entry of a region. */
export function slotOf(record: usize): u32 {
  return load<u32>(record, R_SLOT);
}

/**
 * Block b is about to be executed, with `budget` instructions to go: counts that. Returns the region to run instead, which
 * is made now if b has become hot; or 0.
 */
export function regionFor(b: usize, budget: i64): usize {
  if (!load<u32>(b, B_REGION)) {
    store<u32>(b, load<u32>(b, B_COUNT) + 1, B_COUNT);
    if (load<u32>(b, B_COUNT) >= load<u32>(b, B_LOOK)) consider(b);
  }
  const record = <usize>load<u32>(b, B_REGION);
  return record && mayEnter(record, budget) ? record : 0;
}
