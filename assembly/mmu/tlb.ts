// The soft TLB: direct-mapped, one table each for supervisor, user, and supervisor with SMAP overridden.
//
// An entry is 32 bytes:
//   0  u64 read tag    8  u64 write tag    16  u64 fetch tag
//  24  u32 addend: host address = u32(linear address) + addend
//  28  u32 physical page address | TLB_GLOBAL | TLB_GUARDED
// A tag is the linear page address if such an access may go straight to memory, otherwise TAG_NONE, which no page
// address equals. So one comparison of ((address + size - 1) & ~0xFFF) with the tag rejects a miss, a page-crossing
// access, a missing right, MMIO, firmware, and (write tag left out) pages that are clean or hold translated code.

import { forgetGenerations } from '../ir/blocks';
import {
  PAGE_HAS_CODE,
  PAGE_KIND_MASK,
  PAGE_RAM,
  PAGE_STORED_TO,
  STATE,
  TLB_BASE,
  TLB_BITS,
  TLB_ENTRY,
  TLB_SIZE,
} from '../layout/memory';
import { S_TLB, S_TLB_GENERATION } from '../layout/x86-state';
import { PHYSICAL_ZERO, pageInfoAt } from './frame';
import { emptyRanges, emptySupervisorRanges, forgetInRanges } from './ranges';

export const TAG_NONE: u64 = 0xffffffffffffffff;
/** What no frame's address is. */
export const NO_FRAME: u64 = 1;
export const TLB_GLOBAL: u32 = 1;
/** Stores are allowed, but have to be looked at: the frame holds translated code. */
export const TLB_GUARDED: u32 = 2;
export const TLB_MASK: u32 = (1 << TLB_BITS) - 1;

/** Indexes of the three tables. */
export const TLB_SUPERVISOR: u32 = 0;
export const TLB_USER: u32 = 1;
export const TLB_SUPERVISOR_AC: u32 = 2;

/** Offsets in an entry. */
export const TLB_READ: usize = 0;
export const TLB_WRITE: usize = 8;
export const TLB_FETCH: usize = 16;
export const TLB_ADDEND: usize = 24;
export const TLB_PHYS: usize = 28;

// Filled entries are remembered in lists, so that a flush need not sweep all tables: the global ones apart, which most
// flushes spare.
const USED_MAX: u32 = 2048;
const usedLocal: usize = memory.data(2048 * 4);
const usedGlobal: usize = memory.data(2048 * 4);
let localCount: u32 = 0;
let globalCount: u32 = 0;

/** Larger than any generation: what is kept with it holds in all of them. */
export const ANY_GENERATION: u32 = u32.MAX_VALUE;
/**
 * Grows when translations of code go: whoever keeps blocks by linear address (jump cache, chains) compares it. After
 * four thousand million times, which a guest can reach, it begins again; a debug build does so soon.
 */
export let tlbGeneration: u32 = ASC_NO_ASSERT ? 1 : ANY_GENERATION - 100;
/** log2 of the linear pages that are told apart, by the low bits of their numbers. */
const CODE_PAGE_BITS: u32 = 15;
/** A bit for each: does anyone keep a block of it, of this generation? */
const codePages: usize = memory.data(1 << (15 - 3), 8);

function nextGeneration(): void {
  tlbGeneration++;
  if (tlbGeneration == ANY_GENERATION) {
    forgetGenerations();
    tlbGeneration = 1;
  }
  store<u32>(STATE, tlbGeneration, S_TLB_GENERATION);
  memory.fill(codePages, 0, 1 << (CODE_PAGE_BITS - 3));
}

function codePageWord(linear: u64): usize {
  return codePages + ((<usize>(linear >> 17) & ((1 << (CODE_PAGE_BITS - 5)) - 1)) << 2);
}
function codePageBit(linear: u64): u32 {
  return (<u32>1) << (<u32>(linear >> 12) & 31);
}

/** Code of the page at `linear` is about to be kept with the number of this generation. */
export function tlbNoteCode(linear: u64): void {
  const at = codePageWord(linear);
  store<u32>(at, load<u32>(at) | codePageBit(linear));
}

function mayHoldCode(linear: u64): bool {
  return (load<u32>(codePageWord(linear)) & codePageBit(linear)) != 0;
}

export function tlbTable(index: u32): usize {
  return TLB_BASE + <usize>index * TLB_SIZE;
}

/** The table that the supervisor's ranges are of. */
let supervisorTable: u32 = TLB_SUPERVISOR;

/** Puts table `index` into use. */
export function useTable(index: u32): void {
  store<u32>(STATE, <u32>tlbTable(index), S_TLB);
  if (index == TLB_USER || index == supervisorTable) return;
  supervisorTable = index;
  emptySupervisorRanges();
}

/** The entry that `linear` maps to in table `table`. Higher bits are folded in: stacks and heaps tend to be aligned alike. */
export function tlbSlot(table: usize, linear: u64): usize {
  const page = <u32>(linear >> 12);
  return table + <usize>((page ^ (page >> TLB_BITS)) & TLB_MASK) * TLB_ENTRY;
}

/** The entry of the table in use. */
export function tlbEntry(linear: u64): usize {
  return tlbSlot(load<u32>(STATE, S_TLB), linear);
}

/** The frame that code on page `page` is fetched from, if the table in use knows; else NO_FRAME. */
export function tlbFetchFrame(page: u64): u64 {
  const e = tlbEntry(page);
  return load<u64>(e, TLB_FETCH) == page ? load<u32>(e, TLB_PHYS) & 0xfffff000 : NO_FRAME;
}

/** Notes that `entry` is about to be filled, for a global page or another one. */
function tlbUse(entry: usize, global: bool): void {
  if (global) {
    if (globalCount < USED_MAX) store<u32>(usedGlobal + ((<usize>globalCount) << 2), <u32>entry);
    globalCount++;
  } else {
    if (localCount < USED_MAX) store<u32>(usedLocal + ((<usize>localCount) << 2), <u32>entry);
    localCount++;
  }
}

function clear(entry: usize): void {
  store<u64>(entry, TAG_NONE, TLB_READ);
  store<u64>(entry, TAG_NONE, TLB_WRITE);
  store<u64>(entry, TAG_NONE, TLB_FETCH);
  store<u32>(entry, 0, TLB_PHYS);
}

function clearListed(list: usize, count: u32, keepGlobal: bool): void {
  for (let i: u32 = 0; i < count; i++) {
    const entry = <usize>load<u32>(list + ((<usize>i) << 2));
    // It may have been filled again, for a page of the other kind: then it is on that list too.
    if (!(keepGlobal && load<u32>(entry, TLB_PHYS) & TLB_GLOBAL)) clear(entry);
  }
}

/** Empties the TLB; global entries stay when `keepGlobal`. */
export function tlbFlush(keepGlobal: bool): void {
  nextGeneration();
  emptyRanges();
  if (localCount <= USED_MAX && (keepGlobal || globalCount <= USED_MAX)) {
    clearListed(usedLocal, localCount, keepGlobal);
    localCount = 0;
    if (keepGlobal) return;
    clearListed(usedGlobal, globalCount, false);
    globalCount = 0;
    return;
  }
  localCount = 0;
  globalCount = 0;
  for (let entry: usize = TLB_BASE; entry < <usize>(TLB_BASE + 3 * TLB_SIZE); entry += TLB_ENTRY) {
    if (keepGlobal && load<u32>(entry, TLB_PHYS) & TLB_GLOBAL) tlbUse(entry, true);
    else clear(entry);
  }
}

/** Drops the pages of [first, first + size), both multiples of 4 KiB, from all three tables. */
export function tlbInvalidate(first: u64, size: u64): void {
  forgetInRanges(first, size);
  let code = false;
  for (let at: u64 = 0; at < size; at += 0x1000) {
    const page = first + at;
    code = code || mayHoldCode(page);
    for (let i: u32 = 0; i < 3; i++) {
      const e = tlbSlot(tlbTable(i), page);
      if (load<u64>(e, TLB_READ) == page || load<u64>(e, TLB_WRITE) == page || load<u64>(e, TLB_FETCH) == page)
        clear(e);
    }
  }
  // Most pages that are mapped anew hold data.
  if (code) nextGeneration();
}

/** Is the store to `page`, which entry `e` does not let go straight to memory, allowed by what the last walk found? */
export function tlbGuards(e: usize, page: u64): bool {
  const phys = load<u32>(e, TLB_PHYS);
  return phys & TLB_GUARDED && load<u64>(e, TLB_READ) == page && load<u32>(pageInfoAt(phys)) & PAGE_HAS_CODE;
}

/**
 * Fills entry `e` for linear page `page` in memory at `frame`, with the rights that a walk has found. Stores go straight
 * to plain memory only: not to firmware, and not to translated code.
 */
export function tlbFill(e: usize, page: u64, frame: u32, read: bool, write: bool, fetch: bool, global: bool): void {
  const empty =
    load<u64>(e, TLB_READ) == TAG_NONE && load<u64>(e, TLB_WRITE) == TAG_NONE && load<u64>(e, TLB_FETCH) == TAG_NONE;
  if (empty || ((load<u32>(e, TLB_PHYS) & TLB_GLOBAL) != 0) != global) tlbUse(e, global);
  const info = load<u32>(pageInfoAt(frame));
  const stores = write && (info & PAGE_KIND_MASK) == PAGE_RAM;
  const guarded = stores && (info & PAGE_HAS_CODE) != 0;
  if (stores && !guarded) tlbAllowStores(frame, info);
  store<u64>(e, read ? page : TAG_NONE, TLB_READ);
  store<u64>(e, stores && !guarded ? page : TAG_NONE, TLB_WRITE);
  store<u64>(e, fetch ? page : TAG_NONE, TLB_FETCH);
  store<u32>(e, PHYSICAL_ZERO + frame - <u32>page, TLB_ADDEND);
  store<u32>(e, frame | (global ? TLB_GLOBAL : 0) | (guarded ? TLB_GUARDED : 0), TLB_PHYS);
}

/** An entry is about to let stores go straight to the frame at `phys`, whose page-info word is `info`. */
function tlbAllowStores(phys: u32, info: u32): void {
  if (!(info & PAGE_STORED_TO)) store<u32>(pageInfoAt(phys), info | PAGE_STORED_TO);
}

/** Takes the write right away from all entries of a physical page. Most code is never stored to: nothing to look for. */
export function tlbProtectFrame(phys: u32): void {
  const at = pageInfoAt(phys);
  const info = load<u32>(at);
  if (!(info & PAGE_STORED_TO)) return;
  store<u32>(at, info & ~PAGE_STORED_TO);
  emptyRanges();
  for (let entry: usize = TLB_BASE; entry < <usize>(TLB_BASE + 3 * TLB_SIZE); entry += TLB_ENTRY) {
    if ((load<u32>(entry, TLB_PHYS) & 0xfffff000) == phys) store<u64>(entry, TAG_NONE, TLB_WRITE);
  }
}
