// Loads, stores, pushes, pops: the soft TLB is looked up in line, whatever misses it goes to the core (runtime.ts).

import {
  LD_8,
  LD_16,
  LD_128,
  LD_128_ALIGNED,
  LD_RMW,
  LD_S8_16,
  LD_S8_32,
  LD_S8_64,
  LD_S16_32,
  LD_S16_64,
  LD_S32_64,
  LD_Z8_16,
  OP_LD,
  OP_LD_A32,
  OP_LDP,
  OP_LEA16,
  OP_LEA32,
  OP_POP32,
  OP_PUSH32,
  OP_PUSH64,
  OP_PUSHI32,
  OP_ST,
  OP_STI,
  OP_STP,
  SIZE32,
  SIZE128,
  ST_128,
  ST_128_ALIGNED,
} from '../ir/ops';
import { STATE, TLB_BITS } from '../layout/memory';
import { S_JIT_EXIT, S_RSP, S_TLB, S_ZERO } from '../layout/x86-state';
import { PAGE_CACHE_ADDEND, TLB_ADDEND, TLB_READ, TLB_WRITE } from '../mmu/tlb';
import { LEFT_WINDOW } from './exits';
import { havePending, settleAtExit } from './flags';
import { sizeOfForm } from './forms';
import {
  ADDRESS,
  call,
  ENTRY,
  EXIT,
  FUEL,
  GENERAL,
  haveLiveTemps,
  L1,
  loadSlot,
  loadVector,
  localFor,
  pop,
  popVector,
  push,
  pushVector,
  storeSlot,
  storeTemps,
  storeVector,
  VALUE,
  windowLocal,
} from './frame';
import { F_LOAD, F_LOAD128, F_PAIR, F_STORE, F_STORE128, F_WINDOW } from './imports';
import { branch, branchIf, close, DONE, HIT, hint, LEAVE_AT_RIP, leaveBefore, openBlock, openIf, SLOW } from './labels';
import { cacheFor } from './pages';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  mem,
  set,
  simdMem,
  tee,
  W_ADD,
  W_AND,
  W_ELSE,
  W_EQ,
  W_EXTEND_U,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_GT_U,
  W_LOAD_I32,
  W_LOAD_I64,
  W_NE,
  W_SHL,
  W_SHR_U,
  W_STORE_I32,
  W_STORE_I64,
  W_SUB,
  W_WRAP,
  W_XOR,
  WV_LOAD,
  WV_STORE,
} from './wasm';
import { isAligned, isOpen, localOfWindow, opened, placeIn, setAligned, spanOf, windowOf } from './windows';

/** What the slow path is told beside the operation's address: log2 of the size; check for a store first. */
export const SITE_RMW: u32 = 4;

/** Block being emitted: its address goes to the slow paths. */
let block: usize = 0;
export function setEmittedBlock(b: usize): void {
  block = b;
}

/** Pushes base + (index << shift) + displacement as i64, wrapped to 32 bits if `narrow`. */
function pushAddress(p: usize, shift: u32, narrow: bool): void {
  const base: u32 = load<u16>(p, 4);
  const index: u32 = load<u16>(p, 6);
  const disp = load<i32>(p, 8);
  push(base, 3);
  const local = localFor(index);
  if (local || index != <u32>S_ZERO) {
    push(index, 3);
    if (shift) {
      const64(shift);
      byte(W_SHL + ARITH64);
    }
    byte(W_ADD + ARITH64);
  }
  if (disp) {
    const64(<u64>(<i64>disp));
    byte(W_ADD + ARITH64);
  }
  if (narrow) {
    byte(W_WRAP);
    byte(W_EXTEND_U);
  }
}

/** OP_LEA16, 32, 64. */
export function emitLea(p: usize): void {
  const op: u32 = load<u16>(p);
  pushAddress(p, load<u8>(p, 12), op == OP_LEA32);
  if (op == OP_LEA16) {
    const64(0xffff);
    byte(W_AND + ARITH64);
  }
  pop(load<u16>(p, 2), 3);
}

/** ENTRY = the TLB entry of the address in `local`. */
function findEntry(local: u32): void {
  // tlbSlot(): higher bits of the page number are folded in.
  get(local);
  const64(12);
  byte(W_SHR_U + ARITH64);
  byte(W_WRAP);
  tee(ENTRY);
  get(ENTRY);
  const32(TLB_BITS);
  byte(W_SHR_U);
  byte(W_XOR);
  const32((1 << TLB_BITS) - 1);
  byte(W_AND);
  const32(5);
  byte(W_SHL);
  const32(0);
  mem(W_LOAD_I32, STATE + S_TLB);
  byte(W_ADD);
  set(ENTRY);
}

/** Finds the TLB entry of ADDRESS and compares its tag: leaves 1 on the stack if it fits. */
function lookUp(tag: u32, size: u32, aligned: bool): void {
  findEntry(ADDRESS);
  get(ENTRY);
  mem(W_LOAD_I64, tag);
  pushTagOf(size, aligned);
  byte(W_EQ + COMPARE64);
}

/** Is the access one of 8 bytes that may be half a vector, of elements of 4 bytes? */
function isHalfVector(): bool {
  const op: u32 = load<u16>(site);
  return log2 == 3 && op >= OP_LD && op < OP_STI && <u32>load<u16>(site, 2) >= GENERAL << 3;
}

/**
 * Goes to HIT if page cache `cache` serves the access to ADDRESS. A TLB entry is found by the access's first page, so that
 * comparing the page of its last byte rejects what crosses pages; a page cache may hold the second page, too. So the first
 * page is compared, and what goes to or from general registers must be aligned: or it looks the TLB up.
 */
function tryCache(cache: usize, tag: u32, aligned: bool): void {
  const bytes: u64 = (<u64>1) << (<u64>log2);
  const whole = !aligned && (log2 > 3 || what == DO_PAIR || isHalfVector());
  if (whole) {
    openBlock(SLOW);
    get(ADDRESS);
    byte(W_WRAP);
    const32(0xfff);
    byte(W_AND);
    const32(0x1000 - <u32>bytes);
    byte(W_GT_U);
    hint(false);
    branchIf(SLOW);
  }
  get(ADDRESS);
  const64(~(<u64>0xfff) | (whole ? 0 : bytes - 1));
  byte(W_AND + ARITH64);
  const32(0);
  mem(W_LOAD_I64, <u32>(cache + tag));
  byte(W_EQ + COMPARE64);
  hint(true);
  branchIf(HIT);
  if (whole) close();
}

/** Pushes the tag that an access to ADDRESS needs. */
function pushTagOf(size: u32, aligned: bool): void {
  get(ADDRESS);
  if (size && !aligned) {
    const64((1 << size) - 1);
    byte(W_ADD + ARITH64);
  }
  // An aligned access does not cross pages: the low bits, left in, must be zero.
  const64(aligned ? ~(<u64>0xff0) : ~(<u64>0xfff));
  byte(W_AND + ARITH64);
}

function pushSite(p: usize, more: u32): void {
  const32(<u32>p | more);
  const32(<u32>block);
  get(FUEL);
}

/** An exit word is on the stack: leaves the region if it is not 0. */
export function leaveIfAsked(): void {
  tee(EXIT);
  if (!haveLiveTemps() && !havePending()) {
    hint(false);
    branchIf(LEAVE_AT_RIP);
    return;
  }
  hint(false);
  openIf();
  settleAtExit();
  storeTemps();
  branch(LEAVE_AT_RIP);
  close();
}

// What an access does once the host address is known.
/** VALUE = 1 << size bytes, zero-extended. */
const DO_LOAD: u32 = 0;
/** Stores VALUE. */
const DO_STORE: u32 = 1;
/** 16 bytes to or from slot d. */
const DO_LOAD128: u32 = 2;
const DO_STORE128: u32 = 3;
/** Two registers at once (OP_LDP, OP_STP). */
const DO_PAIR: u32 = 4;

let what: u32 = 0;
let site: usize = 0;
let log2: u32 = 0;
let vector: u32 = 0;

/** The window that the access goes through, or 0, and its place there. */
let window: usize = 0;
let place: u32 = 0;

/** Pushes the host address of ADDRESS, or that of the window: then `place` is to be added. */
function pushHost(cache: usize): void {
  if (window) get(windowLocal(localOfWindow(window)));
  else pushHostOf(ADDRESS, cache);
}

/** Pushes the host address of the address in `local`, by the page cache or, without one, the TLB entry at ENTRY. */
function pushHostOf(local: u32, cache: usize): void {
  get(local);
  byte(W_WRAP);
  if (cache) {
    const32(0);
    mem(W_LOAD_I32, <u32>(cache + PAGE_CACHE_ADDEND));
  } else {
    get(ENTRY);
    mem(W_LOAD_I32, <u32>TLB_ADDEND);
  }
  byte(W_ADD);
}

/** The access itself. */
function straight(cache: usize): void {
  if (what == DO_PAIR) {
    straightPair(cache);
    return;
  }
  pushHost(cache);
  switch (what) {
    case DO_LOAD:
      // The 64-bit loads that zero-extend: i64.load8_u 0x31, load16_u 0x33, load32_u 0x35.
      mem(log2 == 3 ? W_LOAD_I64 : log2 == 2 ? 0x35 : log2 == 1 ? 0x33 : 0x31, place);
      set(VALUE);
      return;
    case DO_STORE:
      get(VALUE);
      // i64.store8 0x3c, store16 0x3d, store32 0x3e.
      mem(log2 == 3 ? W_STORE_I64 : log2 == 2 ? 0x3e : log2 == 1 ? 0x3d : 0x3c, place);
      return;
    case DO_LOAD128:
      simdMem(WV_LOAD, place);
      popVector(vector);
      return;
    default:
      pushVector(vector);
      simdMem(WV_STORE, place);
  }
}

/** The same by the core. */
function roundabout(more: u32): void {
  if (what == DO_PAIR) {
    roundaboutPair();
    return;
  }
  if (what == DO_STORE128) storeVector(vector);
  get(ADDRESS);
  switch (what) {
    case DO_LOAD:
      pushSite(site, log2 | more);
      call(F_LOAD);
      set(VALUE);
      break;
    case DO_STORE:
      get(VALUE);
      pushSite(site, log2);
      call(F_STORE);
      leaveIfAsked();
      return;
    case DO_LOAD128:
      pushSite(site, more);
      call(F_LOAD128);
      loadVector(vector);
      leaveIfAsked();
      return;
    default:
      pushSite(site, more);
      call(F_STORE128);
      leaveIfAsked();
      return;
  }
  const32(0);
  mem(W_LOAD_I32, STATE + S_JIT_EXIT);
  leaveIfAsked();
}

/** The host address is kept in ENTRY, the first value of a load until the second one is there. */
function straightPair(cache: usize): void {
  const op: u32 = load<u16>(site);
  const first: u32 = load<u16>(site, 2);
  const second: u32 = load<u16>(site, 6);
  const isStore = op >= OP_STP + SIZE32;
  const size = op - (isStore ? OP_STP : OP_LDP);
  pushHost(cache);
  set(ENTRY);
  for (let i: u32 = 0; i < 2; i++) {
    const slot = i ? second : first;
    get(ENTRY);
    if (size == SIZE128) {
      if (isStore) {
        pushVector(slot);
        simdMem(WV_STORE, place + (i << 4));
      } else {
        simdMem(WV_LOAD, place + (i << 4));
        popVector(slot);
      }
    } else if (isStore) {
      pushForStore(slot, size);
      mem(size == 3 ? W_STORE_I64 : 0x3e, place + (i << size));
    } else {
      mem(size == 3 ? W_LOAD_I64 : 0x35, place + (i << size));
      pop(slot, 3);
    }
  }
}

function roundaboutPair(): void {
  const base: u32 = load<u16>(site, 4);
  const first: u32 = load<u16>(site, 2);
  const second: u32 = load<u16>(site, 6);
  storeSlot(base);
  storeSlot(first);
  storeSlot(second);
  pushSite(site, 0);
  call(F_PAIR);
  set(EXIT);
  if (load<u16>(site) < <u16>(OP_STP + SIZE32)) {
    loadSlot(first);
    loadSlot(second);
  }
  get(EXIT);
  leaveIfAsked();
}

/** OP_LDP, OP_STP. */
export function emitPair(p: usize): void {
  const op: u32 = load<u16>(p);
  const isStore = op >= OP_STP + SIZE32;
  const disp = load<i32>(p, 8);
  if (startAccess(p, isStore)) {
    push(load<u16>(p, 4), 3);
    if (disp) {
      const64(<u64>(<i64>disp));
      byte(W_ADD + ARITH64);
    }
    set(ADDRESS);
  }
  what = DO_PAIR;
  site = p;
  log2 = op - (isStore ? OP_STP : OP_LDP) + 1;
  access(<u32>(isStore ? TLB_WRITE : TLB_READ), cacheFor(load<u16>(p, 4), S_ZERO, disp), false, 0);
}

/** Operation p is about to be emitted: does it go through a window? Returns whether its address is needed nevertheless. */
function startAccess(p: usize, write: bool): bool {
  window = windowOf(p);
  place = window ? placeIn(window, p) : 0;
  return !window || !isOpen(window, write);
}

/** Leaves the region so that the interpreter goes on with the access. */
function leaveForWindow(): void {
  settleAtExit();
  leaveBefore(block, site, LEFT_WINDOW);
}

/** Pushes the page address of the address in `local`. */
function pushPage(local: u32): void {
  get(local);
  const64(~(<u64>0xfff));
  byte(W_AND + ARITH64);
}

/** Looks at the page of the window that ADDRESS is in; its local becomes its host address. */
function openWindow(tag: u32, cache: usize): void {
  const span = spanOf(window);
  get(ADDRESS);
  if (place) {
    const64(place);
    byte(W_SUB + ARITH64);
  }
  set(L1);
  openBlock(DONE);
  openBlock(SLOW);
  get(L1);
  byte(W_WRAP);
  const32(0xfff);
  byte(W_AND);
  const32(0x1000 - span);
  byte(W_GT_U);
  hint(false);
  branchIf(SLOW);
  if (cache) {
    pushPage(L1);
    const32(0);
    mem(W_LOAD_I64, <u32>(cache + tag));
    byte(W_EQ + COMPARE64);
    hint(true);
    branchIf(DONE);
  }
  findEntry(L1);
  pushPage(L1);
  get(ENTRY);
  mem(W_LOAD_I64, tag);
  byte(W_NE + COMPARE64);
  branchIf(SLOW);
  if (cache) copyEntry(cache);
  branch(DONE);
  close();
  get(L1);
  const32(span | (tag == <u32>TLB_WRITE ? 0x10000 : 0));
  const32(<u32>cache);
  const32(0);
  call(F_WINDOW);
  hint(true);
  branchIf(DONE);
  leaveForWindow();
  close();
  pushHostOf(L1, cache);
  set(windowLocal(localOfWindow(window)));
}

/** An access through the window. */
function throughWindow(tag: u32, cache: usize, aligned: bool): void {
  const write = tag == <u32>TLB_WRITE;
  if (!isOpen(window, write)) {
    openWindow(tag, cache);
    opened(window, write);
  }
  if (aligned && !isAligned(window, place)) {
    // As on the guest's address: pages begin at multiples of 16.
    get(windowLocal(localOfWindow(window)));
    const32(place);
    byte(W_ADD);
    const32(15);
    byte(W_AND);
    hint(false);
    openIf();
    leaveForWindow();
    close();
    setAligned(window, place);
  }
  straight(0);
}

/** Copies a word of the TLB entry at ENTRY to a page cache. */
function copyWord(loadOp: u32, storeOp: u32, from: usize, to: usize): void {
  const32(0);
  get(ENTRY);
  mem(loadOp, <u32>from);
  mem(storeOp, <u32>to);
}

/** Page cache `cache` takes over the TLB entry at ENTRY. */
function copyEntry(cache: usize): void {
  copyWord(W_LOAD_I64, W_STORE_I64, TLB_READ, cache + TLB_READ);
  copyWord(W_LOAD_I64, W_STORE_I64, TLB_WRITE, cache + TLB_WRITE);
  copyWord(W_LOAD_I32, W_STORE_I32, TLB_ADDEND, cache + PAGE_CACHE_ADDEND);
}

/** An access to ADDRESS by way of page cache `cache`, or without one (0). `more` goes to the slow path beside the operation. */
function access(tag: u32, cache: usize, aligned: bool, more: u32): void {
  if (window) {
    throughWindow(tag, cache, aligned);
    return;
  }
  if (!cache) {
    lookUp(tag, log2, aligned);
    hint(true);
    openIf();
    straight(0);
    byte(W_ELSE);
    roundabout(more);
    close();
    return;
  }
  openBlock(DONE);
  openBlock(HIT);
  tryCache(cache, tag, aligned);
  lookUp(tag, log2, aligned);
  hint(true);
  openIf();
  copyEntry(cache);
  byte(W_ELSE);
  roundabout(more);
  branch(DONE);
  close();
  close();
  straight(cache);
  close();
}

/** VALUE = 1 << size bytes at ADDRESS, zero-extended. */
function loadValue(p: usize, size: u32, rmw: bool, cache: usize): void {
  what = DO_LOAD;
  site = p;
  log2 = size;
  access(<u32>(rmw ? TLB_WRITE : TLB_READ), cache, false, rmw ? SITE_RMW : 0);
}

/** Stores VALUE (i64) to ADDRESS. */
function storeValue(p: usize, size: u32, cache: usize): void {
  what = DO_STORE;
  site = p;
  log2 = size;
  access(<u32>TLB_WRITE, cache, false, 0);
}

/** 16 bytes at ADDRESS to slot d, or from it. */
function access128(p: usize, d: u32, store: bool, aligned: bool, cache: usize): void {
  what = store ? DO_STORE128 : DO_LOAD128;
  site = p;
  log2 = 4;
  vector = d;
  access(<u32>(store ? TLB_WRITE : TLB_READ), cache, aligned, aligned ? 1 : 0);
}

/** Page cache for an operation with an address. */
function cacheOf(p: usize): usize {
  return cacheFor(load<u16>(p, 4), load<u16>(p, 6), load<i32>(p, 8));
}
function stackCache(): usize {
  return cacheFor(S_RSP, S_ZERO, 0);
}

/** OP_LD, OP_LD_A32. */
export function emitLoad(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const narrow = op >= OP_LD_A32;
  const form = op - (narrow ? OP_LD_A32 : OP_LD);
  if (startAccess(p, form >= LD_RMW)) {
    pushAddress(p, load<u8>(p, 12), narrow);
    set(ADDRESS);
  }
  if (form == LD_128 || form == LD_128_ALIGNED) {
    access128(p, d, false, form == LD_128_ALIGNED, cacheOf(p));
    return;
  }
  if (form >= LD_RMW) {
    loadValue(p, form - LD_RMW, true, cacheOf(p));
    get(VALUE);
    pop(d, 3);
    return;
  }
  const size = sizeOfForm(form);
  loadValue(p, size, false, cacheOf(p));
  get(VALUE);
  switch (form) {
    case LD_8:
    case LD_16:
      byte(W_WRAP);
      pop(d, form);
      break;
    case LD_Z8_16:
      byte(W_WRAP);
      pop(d, 1);
      break;
    case LD_S8_16:
      byte(W_WRAP);
      byte(W_EXTEND8_S);
      const32(0xffff);
      byte(W_AND);
      pop(d, 1);
      break;
    case LD_S8_32:
      byte(W_WRAP);
      byte(W_EXTEND8_S);
      pop(d, 2);
      break;
    case LD_S16_32:
      byte(W_WRAP);
      byte(W_EXTEND16_S);
      pop(d, 2);
      break;
    case LD_S8_64:
      byte(W_EXTEND8_S64);
      pop(d, 3);
      break;
    case LD_S16_64:
      byte(W_EXTEND16_S64);
      pop(d, 3);
      break;
    case LD_S32_64:
      byte(W_EXTEND32_S64);
      pop(d, 3);
      break;
    default:
      pop(d, 3);
  }
}

/** Pushes a slot's value for a store: an i64 whose upper bits do not matter. */
function pushForStore(slot: u32, size: u32): void {
  if (localFor(slot) && !(slot & 7)) push(slot, 3);
  else {
    push(slot, size);
    if (size != 3) byte(W_EXTEND_U);
  }
}

/** OP_ST, OP_ST_A32. */
export function emitStore(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const narrow = op >= OP_ST + 8;
  const form = op - (narrow ? OP_ST + 8 : OP_ST);
  if (startAccess(p, true)) {
    pushAddress(p, load<u8>(p, 12), narrow);
    set(ADDRESS);
  }
  if (form >= ST_128) {
    access128(p, d, true, form == ST_128_ALIGNED, cacheOf(p));
    return;
  }
  pushForStore(d, form);
  set(VALUE);
  storeValue(p, form, cacheOf(p));
}

/** OP_STI, OP_STI_A32. */
export function emitStoreImm(p: usize): void {
  const op: u32 = load<u16>(p);
  const narrow = op >= OP_STI + 4;
  if (startAccess(p, true)) {
    pushAddress(p, load<u16>(p, 2), narrow);
    set(ADDRESS);
  }
  const64(<u64>(<i64>load<i32>(p, 12)));
  set(VALUE);
  storeValue(p, op - (narrow ? OP_STI + 4 : OP_STI), cacheOf(p));
}

/** Pushes RSP + n, in 32 bits (zero-extended) or 64. */
function pushStackPointer(n: i64, narrow: bool): void {
  push(S_RSP, 3);
  if (n) {
    const64(<u64>n);
    byte(W_ADD + ARITH64);
  }
  if (narrow) {
    byte(W_WRAP);
    byte(W_EXTEND_U);
  }
}

/** OP_PUSH… */
export function emitPush(p: usize): void {
  const op: u32 = load<u16>(p);
  const narrow = op == OP_PUSH32 || op == OP_PUSHI32;
  startAccess(p, true);
  pushStackPointer(narrow ? -4 : -8, narrow);
  set(ADDRESS);
  if (op == OP_PUSH64 || op == OP_PUSH32) pushForStore(load<u16>(p, 4), narrow ? 2 : 3);
  else const64(load<u64>(p, 8));
  set(VALUE);
  storeValue(p, narrow ? 2 : 3, stackCache());
  get(ADDRESS);
  pop(S_RSP, 3);
}

/** OP_POP…, and for a near return (whose target stays in VALUE) its load. */
export function emitPop(p: usize): void {
  const op: u32 = load<u16>(p);
  const narrow = op == OP_POP32;
  startAccess(p, false);
  pushStackPointer(0, narrow);
  set(ADDRESS);
  loadValue(p, narrow ? 2 : 3, false, stackCache());
  pushStackPointer(narrow ? 4 : 8, narrow);
  pop(S_RSP, 3);
  get(VALUE);
  pop(load<u16>(p, 2), 3);
}

/** Loads the return address to VALUE, RSP unchanged. */
export function emitLoadReturn(p: usize, narrow: bool): void {
  startAccess(p, false);
  pushStackPointer(0, narrow);
  set(ADDRESS);
  loadValue(p, narrow ? 2 : 3, false, stackCache());
}
/** RSP past the return address and imm bytes. */
export function emitDropReturn(imm: u64, narrow: bool): void {
  pushStackPointer(<i64>imm + (narrow ? 4 : 8), narrow);
  pop(S_RSP, 3);
}
