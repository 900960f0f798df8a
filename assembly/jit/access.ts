// One access of generated code to memory: a range (mmu/ranges.ts) leads to it in line; an access of a window (windows.ts) goes
// by what the window's first one found. What no range serves is the core's (runtime.ts).

import { OP_LDP, OP_STP, SIZE32, SIZE128 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_JIT_EXIT } from '../layout/x86-state';
import { RANGE_HOST, RANGE_ROOM, RANGE_WIDE, RANGE_WRITE } from '../mmu/ranges';
import { LEFT_WINDOW } from './exits';
import { havePending, settleAtExit } from './flags';
import {
  ADDRESS,
  call,
  EXIT,
  FUEL,
  HOST,
  haveLiveTemps,
  L1,
  loadSlot,
  loadVector,
  localFor,
  OFFSET,
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
import { branch, branchIf, close, DONE, hint, LEAVE_AT_RIP, leaveBefore, openBlock, openIf } from './labels';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  mem,
  set,
  simd,
  simdMem,
  tee,
  W_ADD,
  W_AND,
  W_ELSE,
  W_EQZ,
  W_EXTEND_U,
  W_LOAD_I32,
  W_LOAD_I64,
  W_LT_U,
  W_STORE_I64,
  W_STORE8_I64,
  W_STORE16_I64,
  W_STORE32_I64,
  W_SUB,
  W_WRAP,
  WV_LOAD,
  WV_SPLAT_I64,
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

/** Pushes what the core is told of operation p, the one that accesses memory by way of `range`. */
function pushSite(p: usize, more: u32, range: usize): void {
  const32(<u32>p | more);
  const32(<u32>block);
  get(FUEL);
  const32(<u32>range);
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

/** OFFSET = place of the address in `local` in `range`; leaves 1 on the stack if as many bytes as `room` says fit there. */
function lookAtRange(local: u32, range: usize, room: usize): void {
  get(local);
  const32(0);
  mem(W_LOAD_I64, <u32>range);
  byte(W_SUB + ARITH64);
  tee(OFFSET);
  const32(0);
  mem(W_LOAD_I64, <u32>(range + room));
  byte(W_LT_U + COMPARE64);
}

/** Pushes the host address that lookAtRange found. */
function pushInRange(range: usize): void {
  get(OFFSET);
  byte(W_WRAP);
  const32(0);
  mem(W_LOAD_I32, <u32>(range + RANGE_HOST));
  byte(W_ADD);
}

/** Pushes the host address of the access; of a window that of its beginning: `place` is to be added. */
function pushHost(range: usize): void {
  if (window) get(windowLocal(localOfWindow(window)));
  else pushInRange(range);
}

/** The access itself. */
function straight(range: usize): void {
  if (what == DO_PAIR) {
    straightPair(range);
    return;
  }
  pushHost(range);
  switch (what) {
    case DO_LOAD:
      // The 64-bit loads that zero-extend: i64.load8_u 0x31, load16_u 0x33, load32_u 0x35.
      mem(log2 == 3 ? W_LOAD_I64 : log2 == 2 ? 0x35 : log2 == 1 ? 0x33 : 0x31, place);
      set(VALUE);
      return;
    case DO_STORE:
      get(VALUE);
      mem(log2 == 3 ? W_STORE_I64 : log2 == 2 ? W_STORE32_I64 : log2 == 1 ? W_STORE16_I64 : W_STORE8_I64, place);
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
function roundabout(more: u32, range: usize): void {
  if (what == DO_PAIR) {
    roundaboutPair(range);
    return;
  }
  if (what == DO_STORE128) storeVector(vector);
  get(ADDRESS);
  switch (what) {
    case DO_LOAD:
      pushSite(site, log2 | more, range);
      call(F_LOAD);
      set(VALUE);
      break;
    case DO_STORE:
      get(VALUE);
      pushSite(site, log2, range);
      call(F_STORE);
      leaveIfAsked();
      return;
    case DO_LOAD128:
      pushSite(site, more, range);
      call(F_LOAD128);
      loadVector(vector);
      leaveIfAsked();
      return;
    default:
      pushSite(site, more, range);
      call(F_STORE128);
      leaveIfAsked();
      return;
  }
  const32(0);
  mem(W_LOAD_I32, STATE + S_JIT_EXIT);
  leaveIfAsked();
}

/** The host address is kept in HOST, the first value of a load until the second one is there. */
function straightPair(range: usize): void {
  const op: u32 = load<u16>(site);
  const first: u32 = load<u16>(site, 2);
  const second: u32 = load<u16>(site, 6);
  const isStore = op >= OP_STP + SIZE32;
  const size = op - (isStore ? OP_STP : OP_LDP);
  pushHost(range);
  set(HOST);
  for (let i: u32 = 0; i < 2; i++) {
    const slot = i ? second : first;
    get(HOST);
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
      mem(size == 3 ? W_STORE_I64 : W_STORE32_I64, place + (i << size));
    } else {
      mem(size == 3 ? W_LOAD_I64 : 0x35, place + (i << size));
      pop(slot, 3);
    }
  }
}

function roundaboutPair(range: usize): void {
  const base: u32 = load<u16>(site, 4);
  const first: u32 = load<u16>(site, 2);
  const second: u32 = load<u16>(site, 6);
  storeSlot(base);
  storeSlot(first);
  storeSlot(second);
  pushSite(site, 0, range);
  call(F_PAIR);
  set(EXIT);
  if (load<u16>(site) < <u16>(OP_STP + SIZE32)) {
    loadSlot(first);
    loadSlot(second);
  }
  get(EXIT);
  leaveIfAsked();
}

/** Operation p is about to be emitted: does it go through a window? Returns whether its address is needed nevertheless. */
export function startAccess(p: usize, write: bool): bool {
  window = windowOf(p);
  place = window ? placeIn(window, p) : 0;
  return !window || !isOpen(window, write);
}

/** Leaves the region so that the interpreter goes on with the access. */
function leaveForWindow(): void {
  settleAtExit();
  leaveBefore(block, site, LEFT_WINDOW);
}

/** Pushes the host address that the core finds for `span` bytes at the address in `local`, or 0 (jitWindow). */
function askForWindow(local: u32, span: u32, write: bool, range: usize): void {
  get(local);
  const32(span | (write ? 0x10000 : 0));
  const32(<u32>range);
  call(F_WINDOW);
}

/** Looks at the pages of the window that ADDRESS is in; its local becomes its host address. */
function openWindow(write: bool, range: usize): void {
  const span = spanOf(window);
  const local = windowLocal(localOfWindow(window));
  get(ADDRESS);
  if (place) {
    const64(place);
    byte(W_SUB + ARITH64);
  }
  set(L1);
  openBlock(DONE);
  lookAtRange(L1, range, span > 16 ? RANGE_WIDE : RANGE_ROOM);
  hint(true);
  openIf();
  pushInRange(range);
  set(local);
  branch(DONE);
  close();
  askForWindow(L1, span, write, range);
  tee(local);
  hint(true);
  branchIf(DONE);
  leaveForWindow();
  close();
}

/** An access through the window. */
function throughWindow(write: bool, range: usize, aligned: bool): void {
  if (!isOpen(window, write)) {
    openWindow(write, range);
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

/** An access to ADDRESS, to write or read, by way of the range at `both`. `more` goes to the core beside the operation. */
function access(write: bool, both: usize, aligned: bool, more: u32): void {
  const range = write ? both + RANGE_WRITE : both;
  if (window) {
    throughWindow(write, range, aligned);
    return;
  }
  lookAtRange(ADDRESS, range, what == DO_PAIR && log2 > 4 ? RANGE_WIDE : RANGE_ROOM);
  if (aligned) {
    // As on the guest's address: ranges begin with pages.
    get(OFFSET);
    byte(W_WRAP);
    const32(15);
    byte(W_AND);
    byte(W_EQZ);
    byte(W_AND);
  }
  hint(true);
  openIf();
  straight(range);
  byte(W_ELSE);
  roundabout(more, range);
  close();
}

/** VALUE = 1 << size bytes at ADDRESS, zero-extended. */
export function loadValue(p: usize, size: u32, rmw: bool, range: usize): void {
  what = DO_LOAD;
  site = p;
  log2 = size;
  access(rmw, range, false, rmw ? SITE_RMW : 0);
}

/** Stores VALUE (i64) to ADDRESS. */
export function storeValue(p: usize, size: u32, range: usize): void {
  what = DO_STORE;
  site = p;
  log2 = size;
  access(true, range, false, 0);
}

/** 16 bytes at ADDRESS to slot d, or from it. */
export function access128(p: usize, d: u32, store: bool, aligned: bool, range: usize): void {
  what = store ? DO_STORE128 : DO_LOAD128;
  site = p;
  log2 = 4;
  vector = d;
  access(store, range, aligned, aligned ? 1 : 0);
}

/**
 * Zeroes `bytes` (a multiple of 16) at ADDRESS, which lie on one page, where the range at `both` or the TLB lets them be
 * stored to; what is emitted from here to close() is for where they do not.
 */
export function zeroOr(bytes: u32, both: usize): void {
  const range = both + RANGE_WRITE;
  lookAtRange(ADDRESS, range, RANGE_WIDE);
  hint(true);
  openIf();
  pushInRange(range);
  set(HOST);
  byte(W_ELSE);
  askForWindow(ADDRESS, bytes, true, range);
  set(HOST);
  close();
  get(HOST);
  hint(true);
  openIf();
  for (let i: u32 = 0; i < bytes; i += 16) {
    get(HOST);
    const64(0);
    simd(WV_SPLAT_I64);
    simdMem(WV_STORE, i);
  }
  byte(W_ELSE);
}

/** Pushes a slot's value for a store: an i64 whose upper bits do not matter. */
export function pushForStore(slot: u32, size: u32): void {
  if (localFor(slot) && !(slot & 7)) push(slot, 3);
  else {
    push(slot, size);
    if (size != 3) byte(W_EXTEND_U);
  }
}

/** OP_LDP, OP_STP of operation p, to or from ADDRESS: 2 << size bytes. */
export function accessPair(p: usize, isStore: bool, size: u32, range: usize): void {
  what = DO_PAIR;
  site = p;
  log2 = size + 1;
  access(isStore, range, false, 0);
}
