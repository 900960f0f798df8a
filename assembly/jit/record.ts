// What is kept of a region: a record in the block cache's memory, and for each of its blocks a member. The region's
// function is an entry of the core's table, whose number the record has.
//
// A block has all its members on a list, so that the regions that it is part of go when its code is overwritten. The one
// by which it is entered is B_REGION: of an optimized region only the head has one, of a baseline region all blocks have.

import { fetchFrame as fetchFrameArm } from '../arm/mmu';
import { B_CS_BASE, B_LOOK, B_MEMBERS, B_MODE, B_REGION, B_RIP, B_SERIAL, takeHeap } from '../ir/blocks';
import { STATE } from '../layout/memory';
import { S_TLB, SEG_CS, SEG_LIMIT } from '../layout/x86-state';
import { NO_FRAME, tlbFetchFrame, tlbGeneration, tlbNoteCode } from '../mmu/tlb';
import { fetchFrame as fetchFrameX86 } from '../mmu/walk';
import { MODE_CODE, segSlot } from '../x86/mode';
import { LEFT_LINKED } from './exits';
import { moveLinks, newLoopLink, setOpenLink, unlink } from './links';
import { blockOf, lastOffset, nodes, pageList, pages, regionInsns } from './region';

// --- Record ---
/** u32 head block; 0 of a baseline region. */
const R_HEAD: usize = 0;
/** u32 table entry; 0 when the region has been dropped. */
const R_SLOT: usize = 4;
/** u32 instructions that must be left for it to be entered. */
const R_NEED: usize = 8;
/** u32 TLB generation in which its pages were last looked at. */
export const R_GENERATION: usize = 12;
/** u32 number of pages, then their linear addresses (u64) and frames (u32, 4 spare). */
const R_PAGES: usize = 16;
/** u32 number of blocks; their members follow the pages. */
const R_NODES: usize = 20;
/** i32 entries of a baseline region until one of them is looked at. */
export const R_HEAT: usize = 24;
/** u32 list of links (links.ts). */
const R_LINKS: usize = 28;
/** u32 TLB generation in which the page tables were asked in vain. */
const R_TRIED: usize = 32;
/** u32 offset of the last byte of its code, if CS has a limit; else 0. */
const R_LAST: usize = 36;
const R_LIST: usize = 48;

/** Entries of a baseline region for each that is looked at. */
export const SAMPLE: u32 = 512;

// --- Member ---
// u32 the block's next member; u32 record; u32 block; u32 entry: its number in the region, by which a baseline region is
// entered there, | CONSIDERED when it needs no counting any more; or NO_ENTRY.
const M_RECORD: usize = 4;
const M_BLOCK: usize = 8;
const M_ENTRY: usize = 12;
const MEMBER_BYTES: usize = 16;
const CONSIDERED: u32 = 64;
const NO_ENTRY: u32 = u32.MAX_VALUE;

/** Most entries of the table that may be used. */
const MAX_SLOTS: u32 = 4096;
const freeSlots: usize = memory.data(4096 * 4);
const slotRecord: usize = memory.data(4096 * 4);
let firstSlot: u32 = 0;
export let slotCount: u32 = 0;
export let freeCount: u32 = 0;

/** Table entries [first, first + count) are for regions. */
export function provideSlots(first: u32, count: u32): void {
  firstSlot = first;
  slotCount = count < MAX_SLOTS ? count : MAX_SLOTS;
  freeCount = 0;
  for (let i = slotCount; i > 0; i--) {
    store<u32>(freeSlots + ((<usize>freeCount) << 2), i - 1);
    freeCount++;
    store<u32>(slotRecord + ((<usize>(i - 1)) << 2), 0);
  }
}

/** The table entry that the next region gets; there must be a free one. */
export function nextSlot(): u32 {
  return firstSlot + load<u32>(freeSlots + ((<usize>(freeCount - 1)) << 2));
}

/** The region with table entry number i of those for regions, or 0. */
export function recordNumber(i: u32): usize {
  return <usize>load<u32>(slotRecord + ((<usize>i) << 2));
}
/** The region with table entry `slot`, or 0. */
export function recordAt(slot: u32): usize {
  return recordNumber(slot - firstSlot);
}

export function isBaseline(record: usize): bool {
  return !load<u32>(record, R_HEAD);
}
export function headOf(record: usize): usize {
  return <usize>load<u32>(record, R_HEAD);
}
export function isLive(record: usize): bool {
  return load<u32>(record, R_SLOT) != 0;
}
export function nodesOf(record: usize): u32 {
  return load<u32>(record, R_NODES);
}

function membersAfter(record: usize, pages: u32): usize {
  return record + R_LIST + ((<usize>pages) << 4);
}
/** Member number i of a region. */
export function memberOf(record: usize, i: u32): usize {
  return membersAfter(record, load<u32>(record, R_PAGES)) + <usize>i * MEMBER_BYTES;
}
export function recordOf(member: usize): usize {
  return <usize>load<u32>(member, M_RECORD);
}
export function memberBlock(member: usize): usize {
  return <usize>load<u32>(member, M_BLOCK);
}
/** The next member of the same block, or 0. */
export function nextMember(member: usize): usize {
  return <usize>load<u32>(member);
}

/** Room for the record of the region that has been formed, or 0. Code that checks the entry may refer to it. */
export function takeRecord(): usize {
  const record = takeHeap(membersAfter(0, pages) + <usize>nodes * MEMBER_BYTES);
  if (record) {
    store<u32>(record, 0, R_LINKS);
    store<u32>(record, 0, R_TRIED);
  }
  return record;
}
/** A link for a loop of baseline region `record`, whose head is at `rip`; or 0. */
export function loopLink(record: usize, rip: u64): usize {
  return newLoopLink(record + R_LINKS, rip);
}

/** Fills the record of the region that has been formed: `slot`, the next one, has its function. `head`: 0 for a baseline region. */
export function fillRecord(record: usize, slot: u32, head: usize): void {
  freeCount--;
  store<u32>(slotRecord + ((<usize>(slot - firstSlot)) << 2), <u32>record);
  store<u32>(record, <u32>head, R_HEAD);
  store<u32>(record, slot, R_SLOT);
  store<u32>(record, regionInsns, R_NEED);
  store<u32>(record, pages, R_PAGES);
  store<u32>(record, nodes, R_NODES);
  store<u32>(record, SAMPLE, R_HEAT);
  store<u32>(record, lastOffset(), R_LAST);
  memory.copy(record + R_LIST, pageList, (<usize>pages) << 4);
  noteGeneration(record);
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    const member = memberOf(record, i);
    store<u32>(member, load<u32>(b, B_MEMBERS));
    store<u32>(member, <u32>record, M_RECORD);
    store<u32>(member, <u32>b, M_BLOCK);
    store<u32>(member, head ? NO_ENTRY : i, M_ENTRY);
    store<u32>(b, <u32>member, B_MEMBERS);
    if (head && b != head) continue;
    // What led to the head's baseline region leads here from now on.
    const before = head ? memberIn(b, true) : 0;
    if (before) moveLinks(recordOf(before) + R_LINKS, record + R_LINKS, load<u64>(b, B_RIP), exitTo(member));
    store<u32>(b, <u32>member, B_REGION);
    store<u32>(b, 0, B_LOOK);
  }
}

/** The region is dropped: its table entry, which is returned, is free, nothing links to it. */
export function clearRecord(record: usize): u32 {
  const slot = load<u32>(record, R_SLOT);
  const index = slot - firstSlot;
  store<u32>(record, 0, R_SLOT);
  store<u32>(slotRecord + ((<usize>index) << 2), 0);
  store<u32>(freeSlots + ((<usize>freeCount) << 2), index);
  freeCount++;
  const before = isBaseline(record) ? 0 : memberIn(headOf(record), true);
  unlink(record + R_LINKS, before ? recordOf(before) + R_LINKS : 0);
  return slot;
}

/** A member of `block` in a live region, a baseline one or one that is not; or 0. */
export function memberIn(block: usize, baseline: bool): usize {
  let member = <usize>load<u32>(block, B_MEMBERS);
  while (member && !(isLive(recordOf(member)) && isBaseline(recordOf(member)) == baseline)) member = nextMember(member);
  return member;
}

// --- Entering ---

/** Are executions of `member`'s block counted, because it may yet become the head of an optimized region? */
export function isCounted(member: usize): bool {
  return load<u32>(member, M_ENTRY) < CONSIDERED;
}
export function setCounted(member: usize, counted: bool): void {
  const entry = load<u32>(member, M_ENTRY) & (CONSIDERED - 1);
  store<u32>(member, counted ? entry : entry | CONSIDERED, M_ENTRY);
}

/** Table entry of the region that `member` enters, and the number to enter it by. */
function slotOf(member: usize): u32 {
  return load<u32>(recordOf(member), R_SLOT);
}
function entryOf(member: usize): u32 {
  return load<u32>(member, M_ENTRY) & (CONSIDERED - 1);
}
/** The same as an exit word: what a link has for it. */
export function exitTo(member: usize): u32 {
  return (slotOf(member) << 10) | (entryOf(member) << 4) | LEFT_LINKED;
}
export function exitSlot(exit: u32): u32 {
  return exit >> 10;
}
export function exitEntry(exit: u32): u32 {
  return (exit >> 4) & (CONSIDERED - 1);
}

/** The region that `member` enters is run next: if a link led nowhere yet, it leads there from now on. */
export function linkMember(member: usize): void {
  const record = recordOf(member);
  setOpenLink(record + R_LINKS, memberBlock(member), exitTo(member));
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
    const record = recordNumber(i);
    if (!record) continue;
    store<u32>(record, 0, R_GENERATION);
    store<u32>(record, 0, R_TRIED);
  }
}

/** Has that been looked at since translations of code last changed? */
export function pagesKnown(record: usize): bool {
  return load<u32>(record, R_GENERATION) == tlbGeneration;
}

/** Linear page that block b begins on. */
function linearPage(b: usize): u64 {
  const rip = load<u64>(b, B_RIP);
  const is64 = (load<u32>(b, B_MODE) & MODE_CODE) == 3;
  return (is64 ? rip : (rip + load<u32>(b, B_CS_BASE)) & 0xffffffff) & ~0xfff;
}

/** The frame that code on page `page` comes from, if the TLB knows or, if they are asked, the page tables say; or NO_FRAME. */
function codeFrame(page: u64, ask: bool): u64 {
  const frame = tlbFetchFrame(page);
  if (frame != NO_FRAME || !ask) return frame;
  const table = load<u32>(STATE, S_TLB);
  return ISA_AARCH64 ? fetchFrameArm(page, table) : fetchFrameX86(page, table);
}

/**
 * Are they still there? Of `known` that is sure. Code of several pages is not entered before all are known to be: the page
 * tables are asked for those that have not been executed in this generation, once, as for a page that is not mapped they
 * would be asked at each entry.
 */
function pagesHold(record: usize, known: u64): bool {
  const ask = load<u32>(record, R_TRIED) != tlbGeneration;
  for (let i: usize = 0; i < <usize>load<u32>(record, R_PAGES); i++) {
    const at = record + R_LIST + (i << 4);
    const page = load<u64>(at);
    if (page == known || codeFrame(page, ask) == load<u32>(at, 8)) continue;
    store<u32>(record, tlbGeneration, R_TRIED);
    return false;
  }
  noteGeneration(record);
  return true;
}

/** May the region be entered at block b, which is where RIP leads, with `budget` instructions to go? */
export function mayEnter(record: usize, b: usize, budget: i64): bool {
  if (<i64>load<u32>(record, R_NEED) > budget) return false;
  // The limit may have been another one when it was made.
  if (!ISA_AARCH64 && load<u32>(record, R_LAST) > load<u32>(segSlot(SEG_CS), SEG_LIMIT)) return false;
  return pagesKnown(record) || pagesHold(record, linearPage(b));
}

/** Too few instructions for another round. */
export function isSpent(record: usize, left: i32): bool {
  return left < load<i32>(record, R_NEED);
}

/** Of a debug build: are table entries, records, members and blocks in step? */
export function checkRegions(): void {
  if (ASC_NO_ASSERT) return;
  let used: u32 = 0;
  for (let i: u32 = 0; i < slotCount; i++) {
    const record = recordNumber(i);
    if (!record) continue;
    used++;
    assert(load<u32>(record, R_SLOT) == firstSlot + i, 'a region does not know its table entry');
    for (let k: u32 = 0; k < nodesOf(record); k++) {
      const member = memberOf(record, k);
      const b = memberBlock(member);
      assert(recordOf(member) == record, 'a member is of another region');
      assert(load<u32>(b, B_SERIAL) != 0, 'a region has lost a block');
      if (isBaseline(record) ? memberIn(b, false) != 0 : b != headOf(record)) continue;
      assert(<usize>load<u32>(b, B_REGION) == member, 'a block does not know its region');
      assert(!load<u32>(b, B_LOOK), 'chains would pass a region by');
    }
  }
  assert(used + freeCount == slotCount, 'table entries have been lost');
}
