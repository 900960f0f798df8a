// VMSAv8-64: from a virtual address to a physical one (Arm ARM D5).
//
// Stage 1 belongs to a translation regime: EL1&0 (two tables, one for each end of the address space) or EL2 (one).
// Stage 2, under HCR_EL2.VM, maps what EL1 takes for physical addresses (IPAs), those of its own tables included.
// What a walk found goes to the soft TLB, as far as later accesses may do without looking again.

import {
  PSTATE_PAN,
  S_HCR_EL2,
  S_MAIR_EL1,
  S_MAIR_EL2,
  S_PSTATE,
  S_TCR_EL1,
  S_TCR_EL2,
  S_TTBR0_EL1,
  S_TTBR0_EL2,
  S_TTBR1_EL1,
  S_VTCR_EL2,
  S_VTTBR_EL2,
} from '../layout/arm-state';
import { PAGE_KIND_MASK, PAGE_MMIO, STATE } from '../layout/memory';
import { pageInfo } from '../mmu/access';
import { hostOf } from '../mmu/frame';
import {
  NO_FRAME,
  TLB_PHYS,
  TLB_USER,
  tlbFill,
  tlbFlush,
  tlbGuards,
  tlbInvalidate,
  tlbSlot,
  tlbTable,
} from '../mmu/tlb';
import { EC_DATA_ABORT, EC_INSTRUCTION_ABORT, raiseAt, raiseStage2, TARGET_USUAL } from './fault';
import { currentEl, HCR_DC, HCR_PTW, HCR_TGE, HCR_VM, SCTLR_M, SCTLR_WXN, sctlrOf } from './mode';
import { isWatched } from './watchpoint';

/** Kinds of access; times 8 they are the offset of the TLB tag that grants them. */
export const ACCESS_READ: u32 = 0;
export const ACCESS_WRITE: u32 = 1;
export const ACCESS_FETCH: u32 = 2;

/** Physical address bits, as ID_AA64MMFR0_EL1.PARange announces them. */
const PHYS_BITS: u32 = 44;
const OUTPUT: u64 = 0x0000fffffffff000;

// Fault status codes; the level is added (Arm ARM table D13-49).
const FSC_ADDRESS_SIZE: u32 = 0x00;
const FSC_TRANSLATION: u32 = 0x04;
const FSC_ACCESS_FLAG: u32 = 0x08;
const FSC_PERMISSION: u32 = 0x0c;
const FSC_EXTERNAL_WALK: u32 = 0x14;
const FSC_NONE: u32 = 0xff;

const ISS_WNR: u32 = 1 << 6;
const ISS_S1PTW: u32 = 1 << 7;

// Descriptor bits (Arm ARM D5.3).
const D_VALID: u64 = 1;
const D_TABLE: u64 = 2;
const D_AP1: u64 = 1 << 6;
const D_AP2: u64 = 1 << 7;
const D_AF: u64 = 1 << 10;
const D_NG: u64 = 1 << 11;
const D_PXN: u64 = 1 << 53;
const D_UXN: u64 = 1 << 54;

// --- What the last walk found ---
/** Physical address of the 4 KiB frame. */
let frame: u64 = 0;
/** The same before stage 2. */
let ipaFrame: u64 = 0;
let level: u32 = 0;
let readable: bool = false;
let writable: bool = false;
let executable: bool = false;
let isGlobal: bool = false;
/** Memory attributes as in MAIR_ELx, shareability. */
export let walkAttributes: u32 = 0;
export let walkShareability: u32 = 0;

// --- Its fault ---
export let faultCode: u32 = 0xff;
export let faultStage2: bool = false;
export let faultOnWalk: bool = false;
let faultIpa: u64 = 0;

function fail(code: u32): bool {
  faultCode = code;
  return false;
}

/** Physical address width by a 3-bit size field (IPS, PS), as far as the CPU has it. */
function outputBits(field: u32): u32 {
  const bits: u32 = field == 0 ? 32 : field == 1 ? 36 : field == 2 ? 40 : field == 3 ? 42 : 44;
  return bits < PHYS_BITS ? bits : PHYS_BITS;
}

function ones(bits: u32): u64 {
  return bits >= 64 ? u64.MAX_VALUE : ((<u64>1) << (<u64>bits)) - 1;
}

// --- Stage 2 ---

/** Physical address of IPA `ipa`, in stage2Frame; rights in s2Read… False with a fault. */
let s2Frame: u64 = 0;
let s2Read: bool = false;
let s2Write: bool = false;
let s2Execute: bool = false;
/** MemAttr, SH of the descriptor. */
let s2Attributes: u32 = 0;
let s2Shareability: u32 = 0;

function failStage2(code: u32, ipa: u64): bool {
  faultStage2 = true;
  faultIpa = ipa;
  return fail(code);
}

function stage2On(): bool {
  return currentRegime != 2 && (load<u64>(STATE, S_HCR_EL2) & (HCR_VM | HCR_DC)) != 0;
}

/** Walks stage 2 for the page of `ipa` (Arm ARM D5.2.1, D5.4). */
function walkStage2(ipa: u64): bool {
  const vtcr = load<u64>(STATE, S_VTCR_EL2);
  const t0sz = <u32>vtcr & 63;
  const inputBits: u32 = 64 - t0sz;
  const tg = <u32>(vtcr >> 14) & 3;
  const grain: u32 = tg == 1 ? 16 : tg == 2 ? 14 : 12;
  const stride: u32 = grain - 3;
  const sl0 = <u32>(vtcr >> 6) & 3;
  let at: u32 = grain == 12 ? 2 - sl0 : 3 - sl0;
  const outBits = outputBits(<u32>(vtcr >> 16) & 7);
  // The first table holds 1 to 16 concatenated ones.
  if (sl0 == 3 || inputBits > 48 || inputBits < 25) return failStage2(FSC_TRANSLATION, ipa);
  const below: u32 = (3 - at) * stride + grain;
  if (inputBits <= below || inputBits > below + stride + 4 || ipa >> <u64>inputBits) {
    return failStage2(FSC_TRANSLATION, ipa);
  }
  let table = load<u64>(STATE, S_VTTBR_EL2) & 0x0000fffffffffffe & ~ones(3 + inputBits - below);
  if (table >> <u64>outBits) return failStage2(FSC_ADDRESS_SIZE, ipa);
  let indexBits = inputBits - below;
  while (true) {
    const shift: u64 = (3 - at) * stride + grain;
    const where = table + (((ipa >> shift) & ones(indexBits)) << 3);
    if ((pageInfo(where) & PAGE_KIND_MASK) == PAGE_MMIO) return failStage2(FSC_EXTERNAL_WALK + at, ipa);
    const d = load<u64>(hostOf(where));
    const leaf = at == 3 ? (d & 3) == 3 : (d & 3) == 1;
    if (!(d & D_VALID) || (at == 3 && !leaf)) return failStage2(FSC_TRANSLATION + at, ipa);
    if (leaf && at < (grain == 12 ? 1 : 2)) return failStage2(FSC_TRANSLATION + at, ipa);
    const base = d & OUTPUT;
    if (base >> <u64>outBits) return failStage2(FSC_ADDRESS_SIZE + at, ipa);
    if (!leaf) {
      table = base & ~ones(grain);
      at++;
      indexBits = stride;
      continue;
    }
    if (!(d & D_AF)) return failStage2(FSC_ACCESS_FLAG + at, ipa);
    s2Frame = (base & ~ones(<u32>shift)) | (ipa & ones(<u32>shift) & ~0xfff);
    s2Read = (d & (1 << 6)) != 0;
    s2Write = (d & (1 << 7)) != 0;
    s2Execute = (d & D_UXN) == 0;
    s2Attributes = <u32>(d >> 2) & 15;
    s2Shareability = <u32>(d >> 8) & 3;
    s2Level = at;
    return true;
  }
  return false;
}
let s2Level: u32 = 0;

// --- Stage 1 ---

/** Regime of the walk in progress: level whose tables are used, 1 or 2. */
let currentRegime: u32 = 1;

/** Reads a descriptor of stage 1 at IPA `where`. */
let descriptor: u64 = 0;
function readDescriptor(where: u64, at: u32): bool {
  let phys = where;
  if (stage2On()) {
    faultOnWalk = true;
    if (!walkStage2(where)) return false;
    if (!s2Read || (s2Attributes >> 2 == 0 && load<u64>(STATE, S_HCR_EL2) & HCR_PTW)) {
      return failStage2(FSC_PERMISSION + s2Level, where);
    }
    faultOnWalk = false;
    phys = s2Frame | (where & 0xfff);
  }
  if ((pageInfo(phys) & PAGE_KIND_MASK) == PAGE_MMIO) return fail(FSC_EXTERNAL_WALK + at);
  descriptor = load<u64>(hostOf(phys));
  return true;
}

/** Stage 1 off: addresses go through, as far as they fit. */
function flat(va: u64, ignored: u32): bool {
  level = 0;
  const top = va & ones(64 - ignored);
  if (top >> PHYS_BITS) return fail(FSC_ADDRESS_SIZE);
  ipaFrame = top & ~0xfff;
  readable = true;
  writable = true;
  executable = true;
  isGlobal = true;
  // Device-nGnRnE, or with a default cacheability Normal write-back.
  const cached = (load<u64>(STATE, S_HCR_EL2) & HCR_DC) != 0 && currentRegime == 1;
  walkAttributes = cached ? 0xff : 0;
  walkShareability = cached ? 0 : 2;
  return true;
}

/** Walks stage 1 for the page of `va`; `user`: with the rights of EL0. */
function walkStage1(va: u64, user: bool, pan: bool): bool {
  const el2 = currentRegime == 2;
  const h = load<u64>(STATE, S_HCR_EL2);
  const sctlr = sctlrOf(currentRegime);
  const tcr = load<u64>(STATE + (el2 ? S_TCR_EL2 : S_TCR_EL1));
  const high = !el2 && ((va >> 55) & 1) != 0;
  const tbi = <u32>(tcr >> (el2 ? 20 : high ? 38 : 37)) & 1;
  if (!(sctlr & SCTLR_M) || (!el2 && h & (HCR_TGE | HCR_DC))) return flat(va, tbi ? 8 : 0);

  let size = <u32>(high ? tcr >> 16 : tcr) & 63;
  if (size < 16) size = 16;
  if (size > 39) size = 39;
  const inputBits: u32 = 64 - size;
  const tg = <u32>(high ? tcr >> 30 : tcr >> 14) & 3;
  const grain: u32 = high ? (tg == 1 ? 14 : tg == 3 ? 16 : 12) : tg == 1 ? 16 : tg == 2 ? 14 : 12;
  const stride: u32 = grain - 3;
  const outBits = outputBits(<u32>(el2 ? tcr >> 16 : tcr >> 32) & 7);
  if (!el2 && (tcr >> (high ? 23 : 7)) & 1) return fail(FSC_TRANSLATION);
  // Bits above the input size repeat bit 55, except those that are ignored.
  const above = (va & ones(tbi ? 56 : 64)) >> <u64>inputBits;
  if (above != (high ? ones(tbi ? 56 - inputBits : 64 - inputBits) : 0)) return fail(FSC_TRANSLATION);

  let at: u32 = 4 - (inputBits - grain + stride - 1) / stride;
  let indexBits: u32 = inputBits - ((3 - at) * stride + grain);
  const ttbr = load<u64>(STATE + (el2 ? S_TTBR0_EL2 : high ? S_TTBR1_EL1 : S_TTBR0_EL1));
  let table = ttbr & 0x0000fffffffffffe & ~ones(3 + indexBits);
  if (table >> <u64>outBits) return fail(FSC_ADDRESS_SIZE);
  // Table attributes that only take away (Arm ARM D5.3.3 "hierarchical control").
  let limits: u64 = 0;
  while (true) {
    const shift: u64 = (3 - at) * stride + grain;
    if (!readDescriptor(table + (((va >> shift) & ones(indexBits)) << 3), at)) return false;
    const d = descriptor;
    const leaf = at == 3 ? (d & 3) == 3 : (d & 3) == 1;
    if (!(d & D_VALID) || (at == 3 && !leaf)) return fail(FSC_TRANSLATION + at);
    if (leaf && at < (grain == 12 ? 1 : 2)) return fail(FSC_TRANSLATION + at);
    const base = d & OUTPUT & ~ones(leaf ? <u32>shift : grain);
    if (base >> <u64>outBits) return fail(FSC_ADDRESS_SIZE + at);
    if (!leaf) {
      if (d & (1 << 61)) limits |= D_AP1;
      if (d & (1 << 62)) limits |= D_AP2;
      if (d & (1 << 59)) limits |= D_PXN;
      if (d & (1 << 60)) limits |= D_UXN;
      table = base;
      at++;
      indexBits = stride;
      continue;
    }
    if (!(d & D_AF)) return fail(FSC_ACCESS_FLAG + at);
    level = at;
    ipaFrame = base | (va & ones(<u32>shift) & ~0xfff);
    isGlobal = el2 || !(d & D_NG);
    const attributes = load<u64>(STATE + (el2 ? S_MAIR_EL2 : S_MAIR_EL1));
    walkAttributes = <u32>(attributes >> (((d >> 2) & 7) << 3)) & 0xff;
    // Device and non-cacheable memory is outer shareable.
    walkShareability = walkAttributes >> 4 == 0 || walkAttributes == 0x44 ? 2 : <u32>(d >> 8) & 3;
    rights(d, limits, sctlr, user, pan);
    return true;
  }
  return false;
}

/** Rights of a page (Arm ARM D5.4.1–D5.4.4). */
function rights(d: u64, limits: u64, sctlr: u32, user: bool, pan: bool): void {
  const write = !((d | limits) & D_AP2);
  const wxn = (sctlr & SCTLR_WXN) != 0;
  if (currentRegime == 2) {
    readable = true;
    writable = write;
    executable = !((d | limits) & D_UXN) && !(wxn && write);
    return;
  }
  const userPage = (d & D_AP1) != 0 && !(limits & D_AP1);
  if (user) {
    readable = userPage;
    writable = userPage && write;
    executable = !((d | limits) & D_UXN) && !(wxn && writable);
    return;
  }
  // What EL0 may write EL1 never executes.
  executable = !((d | limits) & D_PXN) && !(userPage && write) && !(wxn && write);
  readable = !(pan && userPage);
  writable = write && readable;
}

/** Both stages for `va`, with the rights of EL0 if `user`. `regime`: 1 or 2. */
function walk(va: u64, regime: u32, user: bool, pan: bool): bool {
  currentRegime = regime;
  faultCode = FSC_NONE;
  faultStage2 = false;
  faultOnWalk = false;
  return walkStage1(va, user, pan);
}

/** Cacheability of one half (inner, outer) when stage 1 says `a`, as in MAIR_ELx, and stage 2 `b` (1 none, 2 write-through). */
function combineCacheability(a: u32, b: u32): u32 {
  if (a == 4 || b == 1) return 4;
  // Stage 1's allocation hints stay.
  return b == 2 && a >> 2 == 3 ? 8 | (a & 3) : a;
}

/** Memory type of both stages together: whichever is stricter (Arm ARM D5.5.4 "Combining memory type attributes"). */
function combineAttributes(): void {
  const device1 = walkAttributes >> 4 == 0;
  if (s2Attributes >> 2 == 0) {
    // Device-nGnRnE, nGnRE, nGRE, GRE, as MAIR_ELx has them.
    const type = (s2Attributes & 3) << 2;
    if (!device1 || type < walkAttributes) walkAttributes = type;
  } else if (!device1) {
    const outer = combineCacheability(walkAttributes >> 4, s2Attributes >> 2);
    walkAttributes = (outer << 4) | combineCacheability(walkAttributes & 15, s2Attributes & 3);
  }
  if (walkAttributes >> 4 == 0 || walkAttributes == 0x44) walkShareability = 2;
  else if (walkShareability == 2 || s2Shareability == 2) walkShareability = 2;
  else walkShareability = walkShareability == 3 || s2Shareability == 3 ? 3 : 0;
}

/** Goes on from stage 1 to stage 2 for `access`, whose stage 1 rights were found to do. */
function through(va: u64, access: u32): bool {
  frame = ipaFrame;
  if (!stage2On()) return true;
  const ipa = ipaFrame | (va & 0xfff);
  if (!walkStage2(ipa)) return false;
  frame = s2Frame;
  if (!(access == ACCESS_READ ? s2Read : access == ACCESS_WRITE ? s2Write : s2Execute)) {
    return failStage2(FSC_PERMISSION + s2Level, ipa);
  }
  readable = readable && s2Read;
  writable = writable && s2Write;
  executable = executable && s2Execute;
  combineAttributes();
  return true;
}

// Pages that come of blocks (levels 1 and 2), from the lowest to the highest, for each half of the address space: one
// TLBI by address has to drop all pages of a block.
let blocksLow0: u64 = u64.MAX_VALUE;
let blocksHigh0: u64 = 0;
let blocksLow1: u64 = u64.MAX_VALUE;
let blocksHigh1: u64 = 0;

function noteBlock(page: u64): void {
  if ((page >> 55) & 1) {
    if (page < blocksLow1) blocksLow1 = page;
    if (page > blocksHigh1) blocksHigh1 = page;
  } else {
    const untagged = page & ones(56);
    if (untagged < blocksLow0) blocksLow0 = untagged;
    if (untagged > blocksHigh0) blocksHigh0 = untagged;
  }
}

/** All translations go. */
export function flushTranslations(): void {
  blocksLow0 = u64.MAX_VALUE;
  blocksHigh0 = 0;
  blocksLow1 = u64.MAX_VALUE;
  blocksHigh1 = 0;
  tlbFlush(false);
}

/** Bytes that a block of any granule covers at most at level 2; larger ones are rare enough to be treated as these. */
const BLOCK_REACH: u64 = 1 << 30;

/** TLBI by address: the page's translation goes, with those of its block if there may be one. */
export function invalidatePage(va: u64): void {
  const page = va & ~0xfff;
  const high = ((page >> 55) & 1) != 0;
  const low = high ? blocksLow1 : blocksLow0;
  const top = high ? blocksHigh1 : blocksHigh0;
  if (low <= top && page + BLOCK_REACH >= low && page <= top + BLOCK_REACH) flushTranslations();
  else tlbInvalidate(page, 0x1000);
}

/** Puts a translation in the TLB as far as memory of that kind allows. */
function fill(entry: usize, page: u64): void {
  if ((pageInfo(frame) & PAGE_KIND_MASK) == PAGE_MMIO) return;
  if (level < 3) noteBlock(page);
  const plain = !isWatched(page);
  tlbFill(entry, page, <u32>frame, readable && plain, writable && plain, executable, isGlobal);
}

/** Set while a cache maintenance instruction translates: its aborts say so (ISS.CM), and count as writes. */
let maintenance: u32 = 0;
export function setMaintenance(on: bool): void {
  maintenance = on ? (1 << 8) | ISS_WNR : 0;
}

function abort(va: u64, access: u32): u64 {
  const ec = access == ACCESS_FETCH ? EC_INSTRUCTION_ABORT : EC_DATA_ABORT;
  let iss = faultCode;
  if (access != ACCESS_FETCH) iss |= maintenance | (access == ACCESS_WRITE ? ISS_WNR : 0);
  if (faultOnWalk) iss |= ISS_S1PTW;
  if (faultStage2) raiseStage2(ec, iss, va, faultIpa);
  else raiseAt(ec, iss, va, TARGET_USUAL);
  return 0;
}

/**
 * Physical address of `va` for an access (ACCESS_*) with the rights of the soft TLB at host address `table`, which is
 * filled. Raises the abort that the access makes, and then returns 0.
 */
export function translate(va: u64, access: u32, table: u32): u64 {
  const page = va & ~0xfff;
  const entry = tlbSlot(table, va);
  if (load<u64>(entry + ((<usize>access) << 3)) == page || (access == ACCESS_WRITE && tlbGuards(entry, page))) {
    return <u64>(load<u32>(entry, TLB_PHYS) & 0xfffff000) | (va & 0xfff);
  }
  const user = table == <u32>tlbTable(TLB_USER);
  const pan = (load<u32>(STATE, S_PSTATE) & PSTATE_PAN) != 0;
  if (!walk(va, currentEl() == 2 ? 2 : 1, user, pan)) return abort(va, access);
  const allowed = access == ACCESS_READ ? readable : access == ACCESS_WRITE ? writable : executable;
  if (!allowed) {
    faultCode = FSC_PERMISSION + level;
    return abort(va, access);
  }
  if (!through(va, access)) return abort(va, access);
  fill(entry, page);
  return frame | (va & 0xfff);
}

/**
 * The frame that code on page `page` would be fetched from with the rights of the soft TLB at `table`, or NO_FRAME. Looking has
 * no effect: a walk of A64 writes nothing, as the processor does not manage access flags.
 */
export function fetchFrame(page: u64, table: u32): u64 {
  if (!walk(page, currentEl() == 2 ? 2 : 1, table == <u32>tlbTable(TLB_USER), false)) return NO_FRAME;
  if (!executable || !through(page, ACCESS_FETCH)) return NO_FRAME;
  if (level < 3) noteBlock(page);
  return frame;
}

/**
 * AT: translates without an access. `regime`: 1 or 2; `both`: stage 2 as well. Returns whether it worked; the result
 * is in translatedTo, the fault in faultCode ….
 */
export function translateFor(va: u64, regime: u32, user: bool, write: bool, both: bool): bool {
  if (!walk(va, regime, user, false)) return false;
  if (!(write ? writable : readable)) return fail(FSC_PERMISSION + level);
  translatedTo = ipaFrame;
  if (both) {
    if (!through(va, write ? ACCESS_WRITE : ACCESS_READ)) return false;
    translatedTo = frame;
  }
  return true;
}
export let translatedTo: u64 = 0;

/** Did the last walk meet a table that is not in memory? */
export function isExternalAbort(): bool {
  return faultCode >= FSC_EXTERNAL_WALK && faultCode < FSC_EXTERNAL_WALK + 4;
}

/** Raises the fault of the last walk as the abort of an address translation instruction. */
export function raiseTranslationAbort(va: u64): void {
  setMaintenance(true);
  abort(va, ACCESS_READ);
  setMaintenance(false);
}
