// The compiling tiers: which blocks become regions, and when those are dropped. (How one is run: run-region.ts.)
//
// Blocks executed some thousand times become parts of a baseline region: made fast, entered at any of them, registers in
// memory. Where one of those is entered often it becomes the head of an optimized region, which takes longer to make.

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
  dropBlock,
  heapRoom,
  operations,
} from '../ir/blocks';
import { checkCache } from '../ir/invariants';
import { STATE } from '../layout/memory';
import { S_FAULT } from '../layout/x86-state';
import { jitCompile, jitRelease } from '../x86/host';
import { MODE_SINGLE } from '../x86/mode';
import { translateBlock as translateX86 } from '../x86/translate';
import { emitRegion } from './control';
import { closeLink } from './links';
import { wrapModule } from './module';
import { noteTarget } from './profile';
import {
  clearRecord,
  fillRecord,
  freeCount,
  headOf,
  isBaseline,
  isCounted,
  isLive,
  mayEnter,
  memberBlock,
  memberIn,
  memberOf,
  nextMember,
  nextSlot,
  nodesOf,
  provideSlots,
  R_HEAT,
  recordNumber,
  recordOf,
  SAMPLE,
  setCounted,
  slotCount,
  takeRecord,
} from './record';
import { blockOf, formRegion, linearOf, loopHeads, nodes, overlapping } from './region';
import { forgetWaiting, wait } from './waiting';
import { MODULE } from './wasm';

/** Executions after which a block becomes the head of an optimized region; 0: never. */
let jitThreshold: u32 = 0;
/** Executions after which it becomes part of a baseline region; 0: never. */
let baselineThreshold: u32 = 0;
/** B_LOOK of a block that will never get a region; of a new one. */
const NEVER: u32 = u32.MAX_VALUE;
export let looksFrom: u32 = NEVER;
/** From so many executions on it is noted where a block's indirect jump goes: most never get there. */
let notesFrom: u32 = u32.MAX_VALUE;
/** So many times of each 1024, if thousands are to come: in a row, for targets may take turns. */
const BURST: u32 = 32;
let notesMask: u32 = 0;
/** Jumps out of baseline regions; one of so many is noted. */
let baselineJumps: u32 = 0;
const JUMPS_NOTED: u32 = 16;

/** Below this everything is compiled, and at once: that is what tests want. */
const LOW_THRESHOLD: u32 = 1000;
const LOW_BASELINE_THRESHOLD: u32 = 16;

// Counters, for statistics.
export let regionsBuilt: u64 = 0;
export let regionsBaseline: u64 = 0;
export let regionsDropped: u64 = 0;
export let regionsRefused: u64 = 0;
export let regionBytes: u64 = 0;
export let regionBlocks: u64 = 0;
export let regionFlushes: u64 = 0;

/**
 * Switches compiling on, with table entries [first, first + count), after so many executions of a block: `threshold` for
 * optimized regions, `baseline` for baseline ones (0: none).
 */
export function jitEnable(first: u32, count: u32, threshold: u32, baseline: u32): void {
  provideSlots(first, count);
  jitThreshold = threshold;
  baselineThreshold = baseline < threshold ? baseline : 0;
  looksFrom = baselineThreshold ? baselineThreshold : threshold;
  notesFrom = baselineThreshold ? baselineThreshold >> 1 : threshold >> 2;
  notesMask = threshold < LOW_THRESHOLD ? 0 : 1024 - BURST;
}

function drop(record: usize): void {
  if (!isLive(record)) return;
  const slot = clearRecord(record);
  // Not from the start: what other regions are made of meanwhile should have their blocks, too.
  const count = (isBaseline(record) ? baselineThreshold : jitThreshold) >> 1;
  for (let i: u32 = 0; i < nodesOf(record); i++) {
    const member = memberOf(record, i);
    const block = memberBlock(member);
    if (<usize>load<u32>(block, B_REGION) != member) continue;
    const other = isBaseline(record) ? 0 : memberIn(block, true);
    if (other) setCounted(other, true);
    store<u32>(block, <u32>other, B_REGION);
    recount(block, count);
  }
  regionsDropped++;
  jitRelease(slot);
}

/** `block` was left for the unknown address `rip`, from region `record` or, if that is 0, the interpreter. */
export function indirectTo(block: usize, rip: u64, record: usize): void {
  if (!record) {
    const count = load<u32>(block, B_COUNT);
    if (count < notesFrom || count & notesMask) return;
  } else if (isBaseline(record)) {
    baselineJumps++;
    if (!(baselineJumps & (JUMPS_NOTED - 1))) noteTarget(block, rip, false);
    return;
  }
  if (!noteTarget(block, rip, record != 0) || !isLive(record)) return;
  const head = headOf(record);
  drop(record);
  recount(head, jitThreshold - 1);
}

/** Counts on from `count`, which is below the threshold. */
function recount(block: usize, count: u32): void {
  store<u32>(block, count, B_COUNT);
  store<u32>(block, load<u32>(block, B_REGION) ? 0 : looksFrom, B_LOOK);
}

/** `block`, which is in no region that could be entered there, has been executed often enough for something to be done. */
function consider(block: usize): void {
  if (load<u32>(block, B_COUNT) < jitThreshold) considerBaseline(block);
  else considerOptimized(block);
}

/** A block that has waited for others for too long gets a region without them, and after that no second one. */
function considerBaseline(block: usize): void {
  const late = load<u32>(block, B_COUNT) >= baselineThreshold << 1;
  store<u32>(block, late ? jitThreshold : baselineThreshold << 1, B_LOOK);
  const enough = late || wait(block);
  if (!enough && baselineThreshold >= LOW_BASELINE_THRESHOLD) return;
  buildRegion(block, true);
  forgetWaiting();
}

/**
 * `block` may become the head of an optimized region. One that is part of such a region already has to be much hotter for
 * that, and one that did not become a head is looked at a second time; then no more.
 */
function considerOptimized(block: usize): void {
  const late = load<u32>(block, B_COUNT) >= jitThreshold << 1;
  store<u32>(block, late ? NEVER : jitThreshold << 1, B_LOOK);
  if (late || !load<u32>(block, B_MEMBERS) || jitThreshold < 16) buildRegion(block, false);
}

/** The same for one where a baseline region is entered, by `member`. */
function promote(block: usize, member: usize): void {
  const late = load<u32>(block, B_COUNT) >= jitThreshold << 1;
  if (!late && memberIn(block, false)) return;
  setCounted(member, false);
  buildRegion(block, false);
}

/** Block `block` of a baseline region counts as executed so many times more. */
export function credit(block: usize, times: u32): void {
  store<u32>(block, load<u32>(block, B_COUNT) + times, B_COUNT);
}

/**
 * Region `record` was not entered at `entry` (LEFT_REFUSED). Returns the block there. If that was because it is time to
 * look how hot a baseline region is, the block stands for all that were entered meanwhile.
 */
export function refused(record: usize, entry: u32): usize {
  if (!isBaseline(record)) return headOf(record);
  const block = memberBlock(memberOf(record, entry));
  if (load<i32>(record, R_HEAT) < 0) {
    store<u32>(record, SAMPLE, R_HEAT);
    credit(block, SAMPLE);
  }
  return block;
}

/** Drops the regions that `block` is part of: its code has changed. */
export function dropRegionsOf(block: usize): void {
  let member = <usize>load<u32>(block, B_MEMBERS);
  while (member) {
    drop(recordOf(member));
    member = nextMember(member);
  }
  store<u32>(block, 0, B_MEMBERS);
}

/** Drops all regions: the block cache is being emptied, or all table entries are used. */
export function dropAllRegions(): void {
  forgetWaiting();
  closeLink();
  for (let i: u32 = 0; i < slotCount; i++) if (recordNumber(i)) drop(recordNumber(i));
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

/** Is the optimized region that has been formed not worth making? */
function isTrivial(): bool {
  if (loopHeads || jitThreshold < LOW_THRESHOLD) return false;
  let ops: u32 = 0;
  for (let i = 0; i < nodes; i++) ops += operations(blockOf(i));
  return ops < TRIVIAL_OPS;
}

/** Blocks executed fewer times stay out of optimized regions. In baseline regions they are hardly counted any more. */
function leastForOptimized(): u32 {
  const least = jitThreshold >> 5;
  return baselineThreshold ? min<u32>(least, baselineThreshold >> 1) : least;
}

/** Makes a region with `block`, if it can be. */
function buildRegion(block: usize, baseline: bool): void {
  if (!slotCount || load<u32>(block, B_MODE) & MODE_SINGLE) return;
  let head = block;
  const least = baseline ? baselineThreshold >> 2 : leastForOptimized();
  formRegion(head, least, baseline);
  for (let n: u32 = 0; n < MAX_SHORTENED && heapRoom() > ROOM; n++) {
    const long = overlapping();
    if (!long) break;
    const short = shorten(long);
    if (!short) {
      store<u32>(STATE, 0, S_FAULT);
      return;
    }
    if (long == head) head = short;
    formRegion(head, least, baseline);
  }
  if (!nodes || (!baseline && isTrivial())) return;
  const record = takeRecord();
  const length = record ? emitRegion(record) : 0;
  if (!length) {
    regionsRefused++;
    return;
  }
  if (!freeCount) dropAllRegions();
  const slot = nextSlot();
  const bytes = wrapModule(length);
  if (!jitCompile(<u32>MODULE, bytes, slot)) {
    regionsRefused++;
    return;
  }
  fillRecord(record, slot, baseline ? 0 : head);
  regionsBuilt++;
  if (baseline) regionsBaseline++;
  regionBytes += bytes;
  regionBlocks += nodes;
  checkCache();
}

/**
 * Block b is about to be executed, with `budget` instructions to go: counts that. Returns the member by which a region is
 * entered instead, which is made now if b has become hot; or 0.
 */
export function regionFor(b: usize, budget: i64): usize {
  let member = <usize>load<u32>(b, B_REGION);
  if (!member || isCounted(member)) {
    const count = load<u32>(b, B_COUNT) + 1;
    store<u32>(b, count, B_COUNT);
    if (member) {
      if (count >= jitThreshold) promote(b, member);
    } else if (count >= load<u32>(b, B_LOOK)) consider(b);
    member = <usize>load<u32>(b, B_REGION);
  }
  return member && mayEnter(recordOf(member), b, budget) ? member : 0;
}
