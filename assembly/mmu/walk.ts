// Paging: from a linear to a physical address by the guest's own tables (SDM vol. 3, ch. 5 "Paging").
//
// A walk reads one entry a level, gathers the rights of all of them, and only then decides: first P and reserved bits
// (they end the walk), then rights. Accessed and dirty flags are set when the access is allowed; what the walk found
// goes to the soft TLB, as far as later accesses may do without looking again.

import { codeWritten } from '../ir/blocks';
import { GUEST_BASE, PAGE_HAS_CODE, PAGE_KIND_MASK, PAGE_MMIO, PAGE_RAM, STATE } from '../layout/memory';
import { CPU_PAGE1G } from '../layout/x86-features';
import {
  CR0_PG,
  CR0_WP,
  CR4_PAE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_NXE,
  S_A20_MASK,
  S_CPU_FEATURES,
  S_CR0,
  S_CR3,
  S_CR4,
  S_DR0,
  S_DR7,
  S_EFER,
  S_PDPTE,
} from '../layout/x86-state';
import { raiseGP, raisePF } from '../x86/fault';
import { pageInfo } from './access';
import { NO_FRAME, TLB_PHYS, TLB_SUPERVISOR_AC, TLB_USER, tlbFill, tlbGuards, tlbSlot, tlbTable } from './tlb';

/** Kinds of access; times 8 they are the offset of the TLB tag that grants them. */
export const ACCESS_READ: u32 = 0;
export const ACCESS_WRITE: u32 = 1;
export const ACCESS_FETCH: u32 = 2;

// Bits of paging-structure entries (SDM vol. 3, tables 5-4 to 5-20).
const PTE_P: u64 = 0x1;
const PTE_W: u64 = 0x2;
const PTE_U: u64 = 0x4;
const PTE_A: u64 = 0x20;
const PTE_D: u64 = 0x40;
const PTE_PS: u64 = 0x80;
const PTE_G: u64 = 0x100;
const PTE_XD: u64 = 0x8000000000000000;

/** MAXPHYADDR, as CPUID leaf 80000008H announces it. */
const PHYS_BITS: u64 = 36;
/** Physical address in an entry: bits MAXPHYADDR-1:12. */
const ADDRESS: u64 = ((1 << PHYS_BITS) - 1) & ~0xfff;
/** Reserved in 4-level paging: bits 51:MAXPHYADDR. */
const RESERVED_LONG: u64 = 0x000fffffffffffff & ~(ADDRESS | 0xfff);
/** Reserved in PAE paging: bits 62:MAXPHYADDR. */
const RESERVED_PAE: u64 = 0x7fffffffffffffff & ~(ADDRESS | 0xfff);
/** Reserved in a PDPTE of PAE paging: bits 63:MAXPHYADDR, 8:5, 2:1. */
const RESERVED_PDPTE: u64 = ~(ADDRESS | 0xfff) | 0x1e6;
/** Reserved in the PDE of a 4 MiB page without PSE-36: bits 21:13. */
const RESERVED_4M: u64 = 0x3fe000;

// Page-fault error code (SDM vol. 3, figure 5-12).
const PF_P: u32 = 1;
const PF_W: u32 = 2;
const PF_U: u32 = 4;
const PF_RSVD: u32 = 8;
const PF_I: u32 = 16;

const WALK_DONE: u32 = 0xffffffff;

// What the last walk found: address of the 4 KiB frame, and the rights that all levels agree on.
let frame: u64 = 0;
let userPage: bool = false;
let writable: bool = false;
let executable: bool = false;
let isGlobal: bool = false;
let isDirty: bool = false;

/** A page of 1 GiB has been walked to: the soft TLB may hold pieces of it. */
export let met1GiB: bool = false;

// The entries that it used, top level first: u64 address, u64 value, 16 bytes each; and their width.
const trail: usize = memory.data(4 * 16);
let trailCount: u32 = 0;
let wideEntries: bool = false;

/** Is bit 47 repeated in all higher bits? (SDM vol. 1, 3.3.7.1.) 32-bit addresses always are. */
export function isCanonical(linear: u64): bool {
  return <u64>(<i64>(linear << 16) >> 16) == linear;
}

/** What of a physical address reaches the bus: A20 may be masked. */
function onBus(phys: u64): u64 {
  return phys & (0xffffffff00000000 | <u64>load<u32>(STATE, S_A20_MASK));
}

// Physical memory as page walks use it: memory itself; outside it reads give ones and writes vanish.

export function physRead32(phys: u64): u32 {
  const at = onBus(phys);
  if ((pageInfo(at) & PAGE_KIND_MASK) == PAGE_MMIO) return 0xffffffff;
  return load<u32>(GUEST_BASE + <usize>at);
}

export function physRead64(phys: u64): u64 {
  const at = onBus(phys);
  if ((pageInfo(at) & PAGE_KIND_MASK) == PAGE_MMIO) return u64.MAX_VALUE;
  return load<u64>(GUEST_BASE + <usize>at);
}

export function physWrite32(phys: u64, value: u32): void {
  const at = onBus(phys);
  const info = pageInfo(at);
  if ((info & PAGE_KIND_MASK) != PAGE_RAM) return;
  if (info & PAGE_HAS_CODE) codeWritten(<u32>at, 4);
  store<u32>(GUEST_BASE + <usize>at, value);
}

export function physWrite64(phys: u64, value: u64): void {
  const at = onBus(phys);
  const info = pageInfo(at);
  if ((info & PAGE_KIND_MASK) != PAGE_RAM) return;
  if (info & PAGE_HAS_CODE) codeWritten(<u32>at, 8);
  store<u64>(GUEST_BASE + <usize>at, value);
}

/** Reads an entry, remembers it for its accessed flag, and joins its rights to those so far. */
function visit(at: u64): u64 {
  const entry = wideEntries ? physRead64(at) : <u64>physRead32(at);
  const t = trail + ((<usize>trailCount) << 4);
  store<u64>(t, at);
  store<u64>(t, entry, 8);
  trailCount++;
  userPage = userPage && (entry & PTE_U) != 0;
  writable = writable && (entry & PTE_W) != 0;
  executable = executable && !(wideEntries && (entry & PTE_XD) != 0);
  return entry;
}

/** The walk has reached a page: `offsetBits` are the linear address's bits below its frame, bits 11:0 left out. */
function leaf(entry: u64, base: u64, offsetBits: u64): u32 {
  frame = base | offsetBits;
  isGlobal = (entry & PTE_G) != 0 && (load<u32>(STATE, S_CR4) & CR4_PGE) != 0;
  isDirty = (entry & PTE_D) != 0;
  return WALK_DONE;
}

/** 32-bit paging (SDM vol. 3, 5.3). The walkers return the P and RSVD bits of an error code, or WALK_DONE for success. */
function walk32(linear: u64): u32 {
  wideEntries = false;
  const pde = visit((load<u64>(STATE, S_CR3) & 0xfffff000) + (((linear >> 22) & 0x3ff) << 2));
  if (!(pde & PTE_P)) return 0;
  if (pde & PTE_PS && load<u32>(STATE, S_CR4) & CR4_PSE) {
    if (pde & RESERVED_4M) return PF_P | PF_RSVD;
    return leaf(pde, pde & 0xffc00000, linear & 0x3ff000);
  }
  const pte = visit((pde & 0xfffff000) + (((linear >> 12) & 0x3ff) << 2));
  if (!(pte & PTE_P)) return 0;
  return leaf(pte, pte & 0xfffff000, 0);
}

/** PAE and 4-level paging from the table at `table` down, whose entries each map 1 << shift bytes (SDM vol. 3, 5.4, 5.5). */
function walk64(linear: u64, table: u64, shift: u64, reserved: u64): u32 {
  wideEntries = true;
  if (!(load<u32>(STATE, S_EFER) & EFER_NXE)) reserved |= PTE_XD;
  // CPUs that lack 1 GiB pages reserve PS in a PDPTE; a PML4E always does.
  const largest: u64 = load<u32>(STATE, S_CPU_FEATURES) & CPU_PAGE1G ? 30 : 21;
  while (true) {
    const entry = visit(table + (((linear >> shift) & 0x1ff) << 3));
    if (!(entry & PTE_P)) return 0;
    const size: u64 = (<u64>1) << shift;
    const large = shift > 12 && (entry & PTE_PS) != 0;
    let bad = entry & reserved;
    // Bit 12 of a large page's entry is PAT.
    if (large) bad |= shift > largest ? PTE_PS : entry & (size - 1) & ~0x1fff;
    if (bad) return PF_P | PF_RSVD;
    met1GiB = met1GiB || (large && shift == 30);
    if (large || shift == 12) return leaf(entry, entry & ADDRESS & ~(size - 1), linear & (size - 1) & ~0xfff);
    table = entry & ADDRESS;
    shift -= 9;
  }
  return 0;
}

/** Walks the tables of the paging mode in force. */
function walk(linear: u64): u32 {
  trailCount = 0;
  userPage = true;
  writable = true;
  executable = true;
  if (!(load<u32>(STATE, S_CR4) & CR4_PAE)) return walk32(linear);
  if (load<u32>(STATE, S_EFER) & EFER_LMA) return walk64(linear, load<u64>(STATE, S_CR3) & ADDRESS, 39, RESERVED_LONG);
  const pdpte = load<u64>(STATE + ((<usize>(linear >> 30) & 3) << 3), S_PDPTE);
  if (!(pdpte & PTE_P)) return 0;
  return walk64(linear, pdpte & ADDRESS, 21, RESERVED_PAE);
}

/** Sets the accessed flag in every entry of the walk and, for a write, the dirty flag in the last (SDM vol. 3, 5.8). */
function markUsed(write: bool): void {
  for (let i: u32 = 0; i < trailCount; i++) {
    const t = trail + ((<usize>i) << 4);
    const entry = load<u64>(t, 8);
    let marked = entry | PTE_A;
    if (write && i == trailCount - 1) marked |= PTE_D;
    if (marked == entry) continue;
    if (wideEntries) physWrite64(load<u64>(t), marked);
    else physWrite32(load<u64>(t), <u32>marked);
  }
  if (write) isDirty = true;
}

/** Does an enabled data breakpoint lie in this page? Its accesses have to take the slow path, where they are compared. */
function isWatched(page: u64): bool {
  const dr7 = load<u32>(STATE, S_DR7);
  if (!(dr7 & 0xff)) return false;
  for (let i: u32 = 0; i < 4; i++) {
    // R/W 01: writes, 11: reads and writes (SDM vol. 3, 18.2.4).
    const enabled = ((dr7 >> (i << 1)) & 3) != 0 && ((dr7 >> (16 + (i << 2))) & 1) != 0;
    if (enabled && (load<u64>(STATE + ((<usize>i) << 3), S_DR0) & ~0xfff) == page) return true;
  }
  return false;
}

/** Puts a translation in the TLB as far as memory of that kind allows. `frameAt`: physical page on the bus. */
function fill(entry: usize, page: u64, frameAt: u64, read: bool, write: bool, fetch: bool): void {
  if ((pageInfo(frameAt) & PAGE_KIND_MASK) == PAGE_MMIO) return;
  const plain = !isWatched(page);
  tlbFill(entry, page, <u32>frameAt, read && plain, write && isDirty && plain, fetch, isGlobal);
}

function pageFault(linear: u64, access: u32, user: bool, code: u32): u64 {
  if (access == ACCESS_WRITE) code |= PF_W;
  if (user) code |= PF_U;
  if (access == ACCESS_FETCH) {
    const cr4 = load<u32>(STATE, S_CR4);
    if (cr4 & CR4_SMEP || (cr4 & CR4_PAE && load<u32>(STATE, S_EFER) & EFER_NXE)) code |= PF_I;
  }
  raisePF(linear, code);
  return 0;
}

/** The address that last raised #GP(0) for not being canonical (stack accesses: #SS(0), see x86/stack-fault.ts). */
export let notCanonical: u64 = 0;

export function forgetNotCanonical(): void {
  notCanonical = 0;
}

/** May code be fetched from the page of the last walk? */
function mayFetch(user: bool): bool {
  return executable && (user ? userPage : !(userPage && (load<u32>(STATE, S_CR4) & CR4_SMEP) != 0));
}

/** Would the last walk set no accessed flag? */
function isMarked(): bool {
  for (let i: u32 = 0; i < trailCount; i++) {
    if (!(load<u64>(trail + ((<usize>i) << 4), 8) & PTE_A)) return false;
  }
  return true;
}

/**
 * The frame that code on page `page` would be fetched from with the rights of the soft TLB at `table`, or NO_FRAME: also where
 * the walk would set accessed flags. Looking has no effect.
 */
export function fetchFrame(page: u64, table: u32): u64 {
  if (!isCanonical(page)) return NO_FRAME;
  if (!(load<u32>(STATE, S_CR0) & <u32>CR0_PG)) return onBus(page);
  if (walk(page) != WALK_DONE || !mayFetch(table == <u32>tlbTable(TLB_USER)) || !isMarked()) return NO_FRAME;
  return onBus(frame);
}

/**
 * Physical address of `linear` for an access (ACCESS_*) with the rights of the soft TLB at host address `table`, which
 * is filled. Raises #PF, or #GP(0) for an address that is not canonical, and then returns 0.
 */
export function translate(linear: u64, access: u32, table: u32): u64 {
  const page = linear & ~0xfff;
  const offset = linear & 0xfff;
  const entry = tlbSlot(table, linear);
  if (load<u64>(entry + ((<usize>access) << 3)) == page || (access == ACCESS_WRITE && tlbGuards(entry, page))) {
    return <u64>(load<u32>(entry, TLB_PHYS) & 0xfffff000) | offset;
  }
  if (!isCanonical(linear)) {
    notCanonical = linear;
    raiseGP(0);
    return 0;
  }

  const cr0 = load<u32>(STATE, S_CR0);
  if (!(cr0 & <u32>CR0_PG)) {
    isGlobal = false;
    isDirty = true;
    const at = onBus(page);
    fill(entry, page, at, true, true, true);
    return at | offset;
  }

  const user = table == <u32>tlbTable(TLB_USER);
  const failure = walk(linear);
  if (failure != WALK_DONE) return pageFault(linear, access, user, failure);

  // Rights by access (SDM vol. 3, 5.6.1).
  let read: bool;
  let write: bool;
  if (user) {
    read = userPage;
    write = userPage && writable;
  } else {
    const cr4 = load<u32>(STATE, S_CR4);
    read = !(userPage && (cr4 & CR4_SMAP) != 0 && table != <u32>tlbTable(TLB_SUPERVISOR_AC));
    write = read && (writable || !(cr0 & CR0_WP));
  }
  const fetch = mayFetch(user);
  const allowed = access == ACCESS_READ ? read : access == ACCESS_WRITE ? write : fetch;
  if (!allowed) return pageFault(linear, access, user, PF_P);

  markUsed(access == ACCESS_WRITE);
  const at = onBus(frame);
  fill(entry, page, at, read, write, fetch);
  return at | offset;
}

/**
 * Loads the PDPTE registers from the table that `cr3` points to (SDM vol. 3, 5.4.1). A reserved bit in one that is
 * present raises #GP(0), returns false, and leaves the registers as they were.
 */
export function loadPdptesFrom(cr3: u64): bool {
  const table = cr3 & 0xffffffe0;
  for (let i: usize = 0; i < 4; i++) {
    const pdpte = physRead64(table + ((<u64>i) << 3));
    if (pdpte & PTE_P && pdpte & RESERVED_PDPTE) {
      raiseGP(0);
      return false;
    }
  }
  for (let i: usize = 0; i < 4; i++) store<u64>(STATE + (i << 3), physRead64(table + ((<u64>i) << 3)), S_PDPTE);
  return true;
}

/** The same from CR3. For whoever turns PAE paging on or, under it, writes CR3 or a paging bit. */
export function loadPdptes(): bool {
  return loadPdptesFrom(load<u64>(STATE, S_CR3));
}
