// Ranges: what generated code remembers of the soft TLB (jit/ranges.ts says which access uses which).
//
// Pages that follow each other in the guest mostly follow each other in host memory, too. A range is such a run of pages
// that may be read, or written: an access is served by it if its offset from the range's beginning is small enough, one
// comparison for any size, aligned or not. A range begins as one page and grows to the next page that is asked for, if
// the TLB holds all pages between. There are two sets, for user and supervisor code. A range is emptied when the TLB takes
// back a page of it.
//
//    0        8        16        24
//   ┌────────┬────────┬─────────┬──────┐
//   │ start  │ room   │ wide    │ host │  for reading, and the same again for writing
//   └────────┴────────┴─────────┴──────┘
//
// start is a linear address, host its host address (u32). An access of up to 16 bytes fits if its offset is below room
// (the length - 15), one of up to 256 if it is below wide (the length - 255); both are 0 in an empty range.

import { PAGE_HAS_CODE, RANGES } from '../layout/memory';
import { PHYSICAL_ZERO, pageInfoAt } from './frame';
import { TLB_ADDEND, TLB_READ, TLB_WRITE, tlbEntry } from './tlb';

export const RANGE_ROOM: usize = 8;
export const RANGE_WIDE: usize = 16;
export const RANGE_HOST: usize = 24;
/** From the part for reading to that for writing. */
export const RANGE_WRITE: usize = 32;
export const RANGE_BYTES: usize = 64;
/** Ranges of a set. */
export const RANGE_COUNT: usize = 512;
export const RANGE_SET: usize = RANGE_COUNT * RANGE_BYTES;

/** Farthest that a range reaches out for another page (bytes): what looking at the pages between may cost. */
const REACH: u64 = 64 << 12;
const PAGE: u64 = 0x1000;

// Both sets' halves that are not empty (u32 addresses), so that emptying them need not sweep all.
const filled: usize = memory.data(2 * 1024 * 4);
let userCount: u32 = 0;
let supervisorCount: u32 = 0;

function listOf(user: bool): usize {
  return filled + (user ? RANGE_COUNT * 2 * 4 : 0);
}

/** The set of code that runs with user or supervisor rights. */
export function rangeSet(user: bool): usize {
  return RANGES + (user ? RANGE_SET : 0);
}

function emptyHalf(range: usize): void {
  store<u64>(range, 0, RANGE_ROOM);
  store<u64>(range, 0, RANGE_WIDE);
}

function empty(user: bool, count: u32): void {
  const list = listOf(user);
  for (let i: u32 = 0; i < count; i++) emptyHalf(load<u32>(list + ((<usize>i) << 2)));
}

/** What the supervisor may access is another matter from now on. */
export function emptySupervisorRanges(): void {
  empty(false, supervisorCount);
  supervisorCount = 0;
}

/** The TLB takes back anything. */
export function emptyRanges(): void {
  emptySupervisorRanges();
  empty(true, userCount);
  userCount = 0;
}

/** Empties what of one set reaches into [first, first + size). Returns how many halves are left. */
function forget(user: bool, count: u32, first: u64, size: u64): u32 {
  const list = listOf(user);
  let i: u32 = 0;
  while (i < count) {
    const at = list + ((<usize>i) << 2);
    const range = <usize>load<u32>(at);
    const start = load<u64>(range);
    // Modulo 2^64: the last page of the address space may be among them.
    if (start - first >= size && first - start >= load<u64>(range, RANGE_ROOM) + 15) {
      i++;
      continue;
    }
    emptyHalf(range);
    count--;
    store<u32>(at, load<u32>(list + ((<usize>count) << 2)));
  }
  return count;
}

/** The TLB takes back what it holds of [first, first + size). */
export function forgetInRanges(first: u64, size: u64): void {
  supervisorCount = forget(false, supervisorCount, first, size);
  userCount = forget(true, userCount, first, size);
}

/** Half a range is about to be no longer empty. */
function noteFilled(range: usize): void {
  const user = range >= rangeSet(true);
  const count = user ? userCount : supervisorCount;
  store<u32>(listOf(user) + ((<usize>count) << 2), <u32>range);
  if (user) userCount = count + 1;
  else supervisorCount = count + 1;
}

/** Does the TLB hold `page` with this right and way to host memory? */
function fits(page: u64, tag: usize, addend: u32): bool {
  const e = tlbEntry(page);
  return load<u64>(e + tag) == page && load<u32>(e, TLB_ADDEND) == addend;
}

/** The page of `linear` was asked for: half a range takes it in, or moves there. Nothing happens if the TLB does not hold it. */
export function fillRange(range: usize, linear: u64, write: bool): void {
  const page = linear & ~0xfff;
  const tag = write ? TLB_WRITE : TLB_READ;
  const e = tlbEntry(linear);
  if (load<u64>(e + tag) != page) return;
  const addend = load<u32>(e, TLB_ADDEND);
  let start = page;
  let end = page + PAGE;
  const room = load<u64>(range, RANGE_ROOM);
  const oldStart = load<u64>(range);
  if (!room) noteFilled(range);
  else if (<u32>oldStart + addend == load<u32>(range, RANGE_HOST)) {
    const oldEnd = oldStart + room + 15;
    if (page >= oldEnd && page - oldEnd <= REACH) {
      while (start != oldEnd && fits(start - PAGE, tag, addend)) start -= PAGE;
      if (start == oldEnd) start = oldStart;
    } else if (page < oldStart && oldStart - page <= REACH) {
      while (end != oldStart && fits(end, tag, addend)) end += PAGE;
      if (end == oldStart) end = oldEnd;
    } else if (page >= oldStart && page < oldEnd) return;
  }
  store<u64>(range, start);
  store<u64>(range, end - start - 15, RANGE_ROOM);
  store<u64>(range, end - start - 255, RANGE_WIDE);
  store<u32>(range, <u32>start + addend, RANGE_HOST);
}

/** No range may let stores reach translated code. Asserted in debug builds (ir/invariants.ts). */
export function checkRanges(): void {
  for (let range = <usize>RANGES; range < <usize>RANGES + 2 * RANGE_SET; range += RANGE_BYTES) {
    const half = range + RANGE_WRITE;
    if (!load<u64>(half, RANGE_ROOM)) continue;
    const pages = <u32>((load<u64>(half, RANGE_ROOM) + 15) >> 12);
    const first = (load<u32>(half, RANGE_HOST) - PHYSICAL_ZERO) >> 12;
    for (let i: u32 = 0; i < pages; i++) {
      const info = load<u32>(pageInfoAt((first + i) << 12));
      assert(!(info & PAGE_HAS_CODE), 'a range lets stores reach translated code');
    }
  }
}
