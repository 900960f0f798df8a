// The block cache: translated code by physical address, and what happens when guest code is overwritten.
//
// A block is straight-line guest code from one page (its last instruction alone may reach into the next; such an
// instruction gets a block of its own). It is found by (physical address, RIP, CS base, mode): the operations contain
// guest addresses, so the same frame mapped twice makes two blocks.
//
// Memory: scratch for building | hash heads | jump cache | blocks, allocated upwards. When that is full everything is
// dropped and building starts again: simple, and cheaper than it sounds.

import { forgetRegionGenerations } from '../jit/record';
import { dropAllRegions, dropRegionsOf, looksFrom } from '../jit/tier';
import {
  BLOCKS_END,
  PAGE_HAS_CODE,
  PAGE_INFO,
  PAGE_INFO_SIZE,
  PAGE_KIND_MASK,
  PAGE_STORED_TO,
  STATE,
} from '../layout/memory';
import { S_SMC } from '../layout/x86-state';
import { pageInfoAt } from '../mmu/frame';
import { ANY_GENERATION, tlbGeneration, tlbNoteCode, tlbProtectFrame } from '../mmu/tlb';
import { SCRATCH_END, SCRATCH_OPS, SCRATCH_SIDE } from './emit';
import { checkCache } from './invariants';
import { OP_BYTES } from './ops';

// --- Block header ---
// What every execution looks at is in one cache line, from B_CS_BASE on; the operations begin with the next one.
/** u32 next block with the same hash. */
const B_HASH_NEXT: usize = 0;
/** u32 next block on the same physical page; and on the second page, if it reaches there. */
const B_PAGE_NEXT: usize = 4;
const B_PAGE2_NEXT: usize = 8;
/** u32 physical address of the first byte; of the second page | 1, or 0. */
export const B_PHYS: usize = 12;
export const B_PHYS2: usize = 16;
/** u32 address of the side table. */
export const B_SIDE: usize = 20;
/** u64 RIP (offset in CS) of the first instruction. */
export const B_RIP: usize = 24;
/** u32 CS base. */
export const B_CS_BASE: usize = 32;
/** u16 bytes of guest code; u16 instructions. */
export const B_LENGTH: usize = 36;
export const B_INSNS: usize = 38;
/** u32 mode bits. */
export const B_MODE: usize = 40;
/** u32 executions from which on the run loop looks at the block before each; 0: always, as when it has been dropped. */
export const B_LOOK: usize = 44;
/** u32 blocks that follow: 0 fall-through or JMP, 1 taken. */
export const B_CHAIN: usize = 48;
/** u32 the last TLB generations for which that holds: ANY_GENERATION for two blocks on the same page, 0 without a chain. */
export const B_CHAIN_GENERATION: usize = 56;
/** u32 serial number, unique in the life of the core; 0 when the block has been dropped. */
export const B_SERIAL: usize = 64;
/** u32 executions, except within regions; of where a baseline region is entered, an estimate of those. */
export const B_COUNT: usize = 68;
/** u64 RIP after the block. */
export const B_END_RIP: usize = 72;
/** u32 the member by which a region is entered here; u32 list of the block's members (assembly/jit/record.ts). */
export const B_REGION: usize = 80;
export const B_MEMBERS: usize = 84;
/** u32 where its indirect jump went (assembly/jit/profile.ts). */
export const B_TARGETS: usize = 88;
/** u16 how often a region was left in the block for the sake of a floating-point operation (assembly/jit/float.ts). */
export const B_ROUGH: usize = 92;
/** From that many times on the block is rough. */
export const ROUGH: u32 = 64;
/** u16 how often one was left because close accesses were not in one range (assembly/jit/windows.ts). */
export const B_SCATTERED: usize = 94;
/** From that many times on the block is scattered. */
export const SCATTERED: u32 = 64;
/** First operation. */
export const B_CODE: usize = 96;

/** Bytes; operations begin on such a boundary. */
const CACHE_LINE: usize = 64;

const HASH_BITS: u32 = 17;
/** log2 of the buckets on a cache line. */
const LINE_BITS: u32 = 4;
const HASH_BASE: usize = (SCRATCH_END + 63) & ~63;
const JUMP_BASE: usize = HASH_BASE + (4 << HASH_BITS);
const JUMP_BITS: u32 = 13;
/** A jump-cache entry: u64 RIP, u32 block, u32 TLB generation. */
const JUMP_BYTES: usize = 16;
const HEAP_BASE: usize = JUMP_BASE + (JUMP_BYTES << JUMP_BITS);

let heap: usize = HEAP_BASE;
let serial: u32 = 0;
/** The block in execution, or 0: a write into it must end it early. */
export let running: usize = 0;
/** A region is executed: that is so for any block. */
let inRegion: bool = false;

// Counters, for statistics.
export let blocksBuilt: u64 = 0;
export let blocksDropped: u64 = 0;
export let cacheFlushes: u64 = 0;

/** What a page-info word says besides code. */
const FRAME_BITS: u32 = PAGE_KIND_MASK | PAGE_STORED_TO;

export function setRunning(block: usize): void {
  running = block;
}
export function setInRegion(entered: bool): void {
  inRegion = entered;
}

/** Bucket of a block. Instructions that lie close together have theirs on one cache line: translating asks for each. */
function hashOf(phys: u32, rip: u64): usize {
  const h = ((phys >> 6) ^ (<u32>(rip >> 6) * 0x9e3779b1)) * 0x85ebca6b;
  const line = h >> (32 - HASH_BITS + LINE_BITS);
  return HASH_BASE + <usize>(((line << LINE_BITS) | ((phys >> 2) & ((1 << LINE_BITS) - 1))) << 2);
}

/** How many operations the block has. */
export function operations(b: usize): u32 {
  return <u32>((<usize>load<u32>(b, B_SIDE) - b - B_CODE) / OP_BYTES);
}

/** Offset in CS of the last byte of the block's code. */
export function lastByte(b: usize): u64 {
  return load<u64>(b, B_RIP) + load<u16>(b, B_LENGTH) - 1;
}

/** The block for this key, or 0. */
export function findBlock(phys: u32, rip: u64, csBase: u32, mode: u32): usize {
  let b = <usize>load<u32>(hashOf(phys, rip));
  while (b) {
    if (
      load<u32>(b, B_PHYS) == phys &&
      load<u64>(b, B_RIP) == rip &&
      load<u32>(b, B_MODE) == mode &&
      load<u32>(b, B_CS_BASE) == csBase
    )
      return b;
    b = load<u32>(b, B_HASH_NEXT);
  }
  return 0;
}

/** The block after `block` in the cache, the first one for 0; 0 when there are no more. */
export function nextBlock(block: usize): usize {
  let head = HASH_BASE;
  if (block) {
    const next = <usize>load<u32>(block, B_HASH_NEXT);
    if (next) return next;
    head = hashOf(load<u32>(block, B_PHYS), load<u64>(block, B_RIP)) + 4;
  }
  for (; head < JUMP_BASE; head += 4) {
    const b = <usize>load<u32>(head);
    if (b) return b;
  }
  return 0;
}

/** Drops every block. Only between blocks. */
export function dropAllBlocks(): void {
  // None yet, as when a machine starts: the sweep would take milliseconds.
  if (heap == HEAP_BASE) return;
  dropAllRegions();
  memory.fill(HASH_BASE, 0, HEAP_BASE - HASH_BASE);
  memory.fill(noted, 0, 1 << (NOTED_BITS - 3));
  for (let at: usize = PAGE_INFO; at < <usize>(PAGE_INFO + PAGE_INFO_SIZE); at += 4) {
    const info = load<u32>(at);
    if (info & PAGE_HAS_CODE) store<u32>(at, info & FRAME_BITS);
  }
  heap = HEAP_BASE;
  cacheFlushes++;
  checkCache();
}

/** log2 of the bytes that one bit stands for, of the bits. */
const CHUNK_BITS: u32 = 6;
const NOTED_BITS: u32 = 19;
/** A bit for each chunk of 32 MB that code was translated from; memory beyond shares them. */
const noted: usize = memory.data(1 << (19 - 3));

/** The byte with the bit of `chunk`. */
function bitsAt(chunk: u32): usize {
  return noted + <usize>((chunk & ((1 << NOTED_BITS) - 1)) >> 3);
}

/** Code is translated from [phys, phys + size). */
function noteChunks(phys: u32, size: u32): void {
  for (let chunk = phys >> CHUNK_BITS; chunk <= (phys + size - 1) >> CHUNK_BITS; chunk++) {
    const at = bitsAt(chunk);
    const bits: u32 = load<u8>(at);
    store<u8>(at, bits | (1 << (chunk & 7)));
  }
}

/** Can there be code in [phys, phys + size)? */
function isNoted(phys: u32, size: u32): bool {
  for (let chunk = phys >> CHUNK_BITS; chunk <= (phys + size - 1) >> CHUNK_BITS; chunk++) {
    const bits: u32 = load<u8>(bitsAt(chunk));
    if ((bits >> (chunk & 7)) & 1) return true;
  }
  return false;
}

/** Puts `block` on the list of the frame at `phys`; `link` is the header field that holds the next one. */
function linkPage(block: usize, phys: u32, link: usize): void {
  const at = pageInfoAt(phys);
  const info = load<u32>(at);
  store<u32>(block + link, info & ~15);
  store<u32>(at, (info & FRAME_BITS) | PAGE_HAS_CODE | <u32>block);
  // From now on stores to this frame must be seen.
  if (!(info & PAGE_HAS_CODE)) tlbProtectFrame(phys & 0xfffff000);
}

/** Memory that lasts until the cache is emptied, on a 16-byte boundary; 0 when there is none. */
export function takeHeap(bytes: usize): usize {
  const at = heap;
  const rounded = (bytes + 15) & ~15;
  if (at + rounded > <usize>BLOCKS_END) return 0;
  heap += rounded;
  return at;
}

/** Bytes that takeHeap() still has. */
export function heapRoom(): usize {
  return <usize>BLOCKS_END - heap;
}

/** Makes a block of what emit() has gathered. `phys2`: physical address of the second page that it reaches | 1, or 0. */
export function finishBlock(
  phys: u32,
  phys2: u32,
  rip: u64,
  csBase: u32,
  mode: u32,
  length: u32,
  insns: u32,
  ops: u32,
  endRip: u64,
): usize {
  const codeBytes = <usize>ops * OP_BYTES;
  const bytes = (B_CODE + codeBytes + ((<usize>ops) << 2) + 15) & ~15;
  if (heap + bytes + CACHE_LINE > <usize>BLOCKS_END) dropAllBlocks();
  const b = ((heap + B_CODE + CACHE_LINE - 1) & ~(CACHE_LINE - 1)) - B_CODE;
  heap = b + bytes;
  serial++;
  blocksBuilt++;
  store<u32>(b, 0, B_PAGE2_NEXT);
  store<u32>(b, phys, B_PHYS);
  store<u32>(b, phys2, B_PHYS2);
  store<u32>(b, mode, B_MODE);
  store<u64>(b, rip, B_RIP);
  store<u32>(b, csBase, B_CS_BASE);
  store<u16>(b, length, B_LENGTH);
  store<u16>(b, insns, B_INSNS);
  store<u32>(b, looksFrom, B_LOOK);
  store<u32>(b, <u32>(b + B_CODE + codeBytes), B_SIDE);
  store<u64>(b, 0, B_CHAIN);
  store<u64>(b, 0, B_CHAIN_GENERATION);
  store<u32>(b, serial, B_SERIAL);
  store<u32>(b, 0, B_COUNT);
  store<u64>(b, endRip, B_END_RIP);
  store<u64>(b, 0, B_REGION);
  store<u64>(b, 0, B_TARGETS);
  memory.copy(b + B_CODE, SCRATCH_OPS, codeBytes);
  memory.copy(b + B_CODE + codeBytes, SCRATCH_SIDE, (<usize>ops) << 2);

  const head = hashOf(phys, rip);
  store<u32>(b, load<u32>(head), B_HASH_NEXT);
  store<u32>(head, <u32>b);
  linkPage(b, phys, B_PAGE_NEXT);
  const first: u32 = 0x1000 - (phys & 0xfff);
  noteChunks(phys, length < first ? length : first);
  if (phys2) noteChunks(phys2 & ~1, length - first);
  // Both linear pages may be the same frame: then it is on that list already.
  if (phys2 && (phys2 ^ phys) >> 12) linkPage(b, phys2, B_PAGE2_NEXT);
  checkCache();
  return b;
}

/** Does [phys, phys + size) touch the block's code? */
function overlaps(b: usize, phys: u32, size: u32): bool {
  const start = load<u32>(b, B_PHYS);
  const length = <u32>load<u16>(b, B_LENGTH);
  const phys2 = load<u32>(b, B_PHYS2);
  const second = phys2 & 0xfffff000;
  if (!phys2) return phys < start + length && start < phys + size;
  const first = 0x1000 - (start & 0xfff);
  return (phys < start + first && start < phys + size) || (phys < second + (length - first) && second < phys + size);
}

function unhash(b: usize): void {
  let at = hashOf(load<u32>(b, B_PHYS), load<u64>(b, B_RIP));
  while (<usize>load<u32>(at) != b) at = <usize>load<u32>(at) + B_HASH_NEXT;
  store<u32>(at, load<u32>(b, B_HASH_NEXT));
}

/** Drops a block; its place on its pages' lists is given up at the next write there. */
export function dropBlock(b: usize): void {
  unhash(b);
  store<u32>(b, 0, B_SERIAL);
  blocksDropped++;
  dropRegionsOf(b);
  store<u32>(b, 0, B_LOOK);
  if (b == running || inRegion) store<u32>(STATE, 1, S_SMC);
}

/** Of a page with more blocks than this the others are dropped too: or each store would look at all of them again. */
const CROWDED: u32 = 1024;

/**
 * The guest is about to write [phys, phys + size), within one page, that holds translated code. Blocks that the
 * write touches are dropped; the others on the page stay, so that data beside code costs little.
 */
export function codeWritten(phys: u32, size: u32): void {
  if (!isNoted(phys, size)) return;
  const page = phys & 0xfffff000;
  const info = pageInfoAt(phys);
  let link = info;
  let b = <usize>(load<u32>(info) & ~15);
  let passed: u32 = 0;
  while (b) {
    const next = nextOnPage(b, page);
    passed++;
    if (!load<u32>(b, B_SERIAL) || passed > CROWDED || overlaps(b, phys, size)) {
      if (load<u32>(b, B_SERIAL)) dropBlock(b);
      // Unlink from this page; on its other page a dropped block is skipped, and unlinked at the next write there.
      if (link == info) store<u32>(info, (load<u32>(info) & 15) | <u32>next);
      else store<u32>(link, <u32>next);
    } else link = b + nextLink(b, page);
    b = next;
  }
  if (!(load<u32>(info) & ~15)) store<u32>(info, load<u32>(info) & FRAME_BITS);
  checkCache();
}

function nextLink(b: usize, page: u32): usize {
  return (load<u32>(b, B_PHYS) & 0xfffff000) == page ? B_PAGE_NEXT : B_PAGE2_NEXT;
}

function nextOnPage(b: usize, page: u32): usize {
  return <usize>load<u32>(b + nextLink(b, page));
}

/** Is the block on the list of a page that it is on? */
export function isListed(b: usize, page: u32): bool {
  let at = <usize>(load<u32>(pageInfoAt(page)) & ~15);
  while (at && at != b) at = nextOnPage(at, page);
  return at != 0;
}

/** As codeWritten, for any range: devices and loaders that write to guest memory. */
export function codeWrittenRange(phys: u32, size: u32): void {
  let at = phys;
  let left = size;
  while (left) {
    const room: u32 = 0x1000 - (at & 0xfff);
    const n = left < room ? left : room;
    if (load<u32>(pageInfoAt(at)) & PAGE_HAS_CODE) codeWritten(at, n);
    at += n;
    left -= n;
  }
}

// --- Jump cache: RIP → block, valid for one TLB generation ---

function jumpSlot(rip: u64): usize {
  const r = <u32>rip;
  return JUMP_BASE + <usize>((r ^ (r >> JUMP_BITS)) & ((1 << JUMP_BITS) - 1)) * JUMP_BYTES;
}

/** The block last seen at `rip` if nothing has changed since, else 0. */
export function jumpLookup(rip: u64, csBase: u32, mode: u32): usize {
  const e = jumpSlot(rip);
  if (load<u64>(e) != rip || load<u32>(e, 12) != tlbGeneration) return 0;
  const b = <usize>load<u32>(e, 8);
  if (!load<u32>(b, B_SERIAL) || load<u32>(b, B_MODE) != mode || load<u32>(b, B_CS_BASE) != csBase) return 0;
  return b;
}

export function jumpRemember(rip: u64, block: usize): void {
  const linear = rip + load<u32>(block, B_CS_BASE);
  tlbNoteCode(linear);
  if (!ISA_AARCH64 && load<u32>(block, B_PHYS2)) tlbNoteCode(linear + 0x1000);
  const e = jumpSlot(rip);
  store<u64>(e, rip);
  store<u32>(e, <u32>block, 8);
  store<u32>(e, tlbGeneration, 12);
}

/** TLB generations are counted from 1 again: whatever is kept with the number of one is looked up anew. */
export function forgetGenerations(): void {
  memory.fill(JUMP_BASE, 0, JUMP_BYTES << JUMP_BITS);
  for (let b = nextBlock(0); b; b = nextBlock(b)) {
    for (let link = b; link <= b + 4; link += 4) {
      if (load<u32>(link, B_CHAIN_GENERATION) != ANY_GENERATION) store<u32>(link, 0, B_CHAIN_GENERATION);
    }
  }
  forgetRegionGenerations();
}

/** Bytes of the block heap in use. */
export function blockBytes(): u32 {
  return <u32>(heap - HEAP_BASE);
}
