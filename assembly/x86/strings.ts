// String instructions: MOVS, STOS, LODS, CMPS, SCAS, with and without REP (SDM vol. 1, 7.3.9).
//
// A repeated instruction works through a bounded batch, then leaves RIP where it is, so that interrupts get their turn
// and the registers show how far it came. Within a page MOVS and STOS move whole runs.

import { CCK_SUB, getZF, setLazy } from '../ir/flags';
import { STATE } from '../layout/memory';
import {
  FLAG_DF,
  S_FAULT,
  S_MODE,
  S_NEXT_RIP,
  S_RAX,
  S_RCX,
  S_RDI,
  S_RFLAGS,
  S_RIP,
  S_RSI,
  SEG_BASE,
  SEG_ES,
  SEG_FS,
} from '../layout/x86-state';
import { fastRead, fastWrite, read8, read16, read32, read64, write8, write16, write32, write64 } from '../mmu/access';
import { getSlot, maskOf, putSlot } from './arith';
import { EXC_AC, faulted, raiseCode } from './fault';
import { MODE_ALIGN, MODE_CODE, MODE_SINGLE, segSlot } from './mode';
import { segmentLinear } from './seglin';
import { worked } from './work';

// imm of the helpers: element size | address size << 2 | segment << 4 | repeat << 8 (0 none, 1 REP/REPE, 2 REPNE).
const REP_NONE: u32 = 0;
const REPE: u32 = 1;

/** Elements in one batch of a repeated instruction; one where each iteration may trap (TF, breakpoints). */
function batch(): u64 {
  return load<u32>(STATE, S_MODE) & MODE_SINGLE ? 1 : 65536;
}

function linearOf(offset: u64, seg: u32, bytes: u32, write: bool): u64 {
  if ((load<u32>(STATE, S_MODE) & MODE_CODE) == 3)
    return seg >= <u32>SEG_FS ? offset + load<u64>(segSlot(seg), SEG_BASE) : offset;
  return segmentLinear(offset, seg, bytes, write);
}

/** Alignment checks are on, and every element has to pass one. */
function checksAlignment(): bool {
  return (load<u32>(STATE, S_MODE) & MODE_ALIGN) != 0;
}

function misaligned(linear: u64, size: u32): bool {
  if (!(linear & ((1 << (<u64>size)) - 1)) || !checksAlignment()) return false;
  raiseCode(EXC_AC, 0);
  return true;
}

function readSize(linear: u64, size: u32): u64 {
  if (misaligned(linear, size)) return 0;
  if (size == 0) return read8(linear);
  if (size == 1) return read16(linear);
  if (size == 2) return read32(linear);
  return read64(linear);
}

function writeSize(linear: u64, size: u32, v: u64): void {
  if (misaligned(linear, size)) return;
  if (size == 0) write8(linear, <u32>v);
  else if (size == 1) write16(linear, <u32>v);
  else if (size == 2) write32(linear, <u32>v);
  else write64(linear, v);
}

/** An index or count register at the instruction's address size. */
function register(slot: u32, addr: u32): u64 {
  return getSlot(slot, addr);
}

function advance(slot: u32, addr: u32, by: i64): void {
  putSlot(slot, addr, (register(slot, addr) + <u64>by) & maskOf(addr));
}

function step(size: u32): i64 {
  const bytes: i64 = (<i64>1) << (<i64>size);
  return load<u32>(STATE, S_RFLAGS) & FLAG_DF ? -bytes : bytes;
}

function finish(): void {
  store<u64>(STATE, load<u64>(STATE, S_NEXT_RIP), S_RIP);
}

/** Elements that fit between `linear` and its page's end, going up. */
function room(linear: u64, size: u32): u64 {
  return (0x1000 - (linear & 0xfff)) >> <u64>size;
}

/** Elements, at most `count`, whose offsets [offset, …) do not wrap at the address size. */
function untilWrap(offset: u64, addr: u32, size: u32, count: u64): u64 {
  if (addr == 3) return count;
  const left = (maskOf(addr) - offset + 1) >> <u64>size;
  return left < count ? left : count;
}

export function stringStore(_a: u32, _b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const addr = (<u32>imm >> 2) & 3;
  const rep = <u32>imm >> 8;
  const value = getSlot(S_RAX, size);
  const delta = step(size);
  if (rep == REP_NONE) {
    const at = linearOf(register(S_RDI, addr), SEG_ES, 1 << size, true);
    if (faulted()) return;
    writeSize(at, size, value);
    if (faulted()) return;
    advance(S_RDI, addr, delta);
    finish();
    return;
  }
  let left = batch();
  while (register(S_RCX, addr) != 0 && left != 0) {
    worked(1);
    const offset = register(S_RDI, addr);
    let n = register(S_RCX, addr);
    if (n > left) n = left;
    let done: u64 = 1;
    let at = linearOf(offset, SEG_ES, 1 << size, true);
    if (faulted()) return;
    let host: usize = 0;
    if (delta > 0 && !checksAlignment()) {
      n = untilWrap(offset, addr, size, n);
      const fit = room(at, size);
      if (n > fit) n = fit;
      if (n > 1) {
        // The whole run must lie within the segment and in one writable page.
        at = linearOf(offset, SEG_ES, (<u32>n) << size, true);
        if (faulted()) store<u32>(STATE, 0, S_FAULT);
        else host = fastWrite(at, (<u32>n) << size);
      }
    }
    if (host) {
      fill(host, size, value, <u32>n);
      done = n;
    } else {
      at = linearOf(offset, SEG_ES, 1 << size, true);
      writeSize(at, size, value);
      if (faulted()) return;
    }
    advance(S_RDI, addr, delta * <i64>done);
    advance(S_RCX, addr, -(<i64>done));
    left -= done;
  }
  if (register(S_RCX, addr) == 0) finish();
}

function fill(host: usize, size: u32, value: u64, n: u32): void {
  if (size == 0) memory.fill(host, <u8>value, n);
  else if (size == 1) for (let i: u32 = 0; i < n; i++) store<u16>(host + (i << 1), <u16>value);
  else if (size == 2) for (let i: u32 = 0; i < n; i++) store<u32>(host + (i << 2), <u32>value);
  else for (let i: u32 = 0; i < n; i++) store<u64>(host + (i << 3), value);
}

export function stringMove(_a: u32, _b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const addr = (<u32>imm >> 2) & 3;
  const seg = (<u32>imm >> 4) & 15;
  const rep = <u32>imm >> 8;
  const delta = step(size);
  let left: u64 = rep == REP_NONE ? 1 : batch();
  while (left != 0 && (rep == REP_NONE || register(S_RCX, addr) != 0)) {
    worked(1);
    const from = register(S_RSI, addr);
    const to = register(S_RDI, addr);
    let done: u64 = 1;
    if (rep != REP_NONE && delta > 0 && !checksAlignment()) done = moveRun(from, to, seg, addr, size, left);
    if (faulted()) return;
    if (done <= 1) {
      done = 1;
      const source = linearOf(from, seg, 1 << size, false);
      if (faulted()) return;
      const v = readSize(source, size);
      if (faulted()) return;
      const target = linearOf(to, SEG_ES, 1 << size, true);
      if (faulted()) return;
      writeSize(target, size, v);
      if (faulted()) return;
    }
    advance(S_RSI, addr, delta * <i64>done);
    advance(S_RDI, addr, delta * <i64>done);
    left -= done;
    if (rep == REP_NONE) break;
    advance(S_RCX, addr, -(<i64>done));
  }
  if (rep == REP_NONE || register(S_RCX, addr) == 0) finish();
}

/** Moves as many elements as lie in one source and one target page; 0 or 1 when that way is not open. */
function moveRun(from: u64, to: u64, seg: u32, addr: u32, size: u32, most: u64): u64 {
  let n = register(S_RCX, addr);
  if (n > most) n = most;
  n = untilWrap(from, addr, size, untilWrap(to, addr, size, n));
  let source = linearOf(from, seg, 1 << size, false);
  if (faulted()) return 0;
  let target = linearOf(to, SEG_ES, 1 << size, true);
  if (faulted()) return 0;
  let fit = room(source, size);
  if (n > fit) n = fit;
  fit = room(target, size);
  if (n > fit) n = fit;
  if (n <= 1) return 0;
  const bytes = (<u32>n) << size;
  source = linearOf(from, seg, bytes, false);
  if (!faulted()) target = linearOf(to, SEG_ES, bytes, true);
  if (faulted()) {
    store<u32>(STATE, 0, S_FAULT);
    return 0;
  }
  const source0 = fastRead(source, bytes);
  const target0 = fastWrite(target, bytes);
  if (!source0 || !target0) return 0;
  // An upward move onto its own source repeats a pattern: memory.copy must not be used there.
  if (target0 > source0 && target0 < source0 + bytes) {
    for (let i: usize = 0; i < bytes; i += 1 << size) copyElement(source0 + i, target0 + i, size);
  } else memory.copy(target0, source0, bytes);
  return n;
}

function copyElement(from: usize, to: usize, size: u32): void {
  if (size == 0) store<u8>(to, load<u8>(from));
  else if (size == 1) store<u16>(to, load<u16>(from));
  else if (size == 2) store<u32>(to, load<u32>(from));
  else store<u64>(to, load<u64>(from));
}

export function stringLoad(_a: u32, _b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const addr = (<u32>imm >> 2) & 3;
  const seg = (<u32>imm >> 4) & 15;
  const rep = <u32>imm >> 8;
  const delta = step(size);
  let left: u64 = rep == REP_NONE ? 1 : batch();
  while (left != 0 && (rep == REP_NONE || register(S_RCX, addr) != 0)) {
    worked(1);
    const at = linearOf(register(S_RSI, addr), seg, 1 << size, false);
    if (faulted()) return;
    const v = readSize(at, size);
    if (faulted()) return;
    putSlot(S_RAX, size, v);
    advance(S_RSI, addr, delta);
    left--;
    if (rep == REP_NONE) break;
    advance(S_RCX, addr, -1);
  }
  if (rep == REP_NONE || register(S_RCX, addr) == 0) finish();
}

function compare(x: u64, y: u64, size: u32): void {
  setLazy((CCK_SUB << 2) | size, x, (x - y) & maskOf(size));
}

/** An element as it lies in host memory. */
function element(host: usize, size: u32): u64 {
  if (size == 0) return load<u8>(host);
  if (size == 1) return load<u16>(host);
  return size == 2 ? load<u32>(host) : load<u64>(host);
}

/** Equal lanes of 1 << size bytes become ones. */
function equalLanes(a: v128, b: v128, size: u32): v128 {
  if (size == 0) return i8x16.eq(a, b);
  if (size == 1) return i16x8.eq(a, b);
  return size == 2 ? i32x4.eq(a, b) : i64x2.eq(a, b);
}

/**
 * Pairs, 16 bytes at a time and fewer than n, that certainly do not end the repetition. `source`: host address of the
 * first operands, or 0: `value` is that of all.
 */
function goesOn(source: usize, target: usize, size: u32, n: u64, value: u64, repeatIfEqual: bool): u64 {
  const lanes: u64 = 16 >> size;
  let a = size == 0 ? i8x16.splat(<i8>value) : size == 1 ? i16x8.splat(<i16>value) : i64x2.splat(<i64>value);
  if (size == 2) a = i32x4.splat(<i32>value);
  let done: u64 = 0;
  for (let at: usize = 0; done + lanes < n; at += 16) {
    if (source) a = v128.load(source + at);
    const b = v128.load(target + at);
    if (repeatIfEqual ? v128.any_true(v128.xor(a, b)) : v128.any_true(equalLanes(a, b, size))) break;
    done += lanes;
  }
  return done;
}

/**
 * Compares up to the first pair that ends the repetition, as far as both operands lie in one page each. Returns the
 * number of pairs compared, with the last one's flags set; 0 when that way is not open.
 */
function compareRun(seg: u32, addr: u32, size: u32, most: u64, scan: bool, repeatIfEqual: bool): u64 {
  const from = register(S_RSI, addr);
  const to = register(S_RDI, addr);
  let n = register(S_RCX, addr);
  if (n > most) n = most;
  n = untilWrap(to, addr, size, n);
  let target = linearOf(to, SEG_ES, 1 << size, false);
  if (faulted()) return 0;
  let fit = room(target, size);
  if (n > fit) n = fit;
  let source: u64 = 0;
  if (!scan) {
    n = untilWrap(from, addr, size, n);
    source = linearOf(from, seg, 1 << size, false);
    if (faulted()) return 0;
    fit = room(source, size);
    if (n > fit) n = fit;
  }
  if (n <= 1) return 0;
  const bytes = (<u32>n) << size;
  target = linearOf(to, SEG_ES, bytes, false);
  if (!faulted() && !scan) source = linearOf(from, seg, bytes, false);
  if (faulted()) {
    store<u32>(STATE, 0, S_FAULT);
    return 0;
  }
  const target0 = fastRead(target, bytes);
  const source0 = scan ? 0 : fastRead(source, bytes);
  if (!target0 || (!scan && !source0)) return 0;
  const accumulator = scan ? getSlot(S_RAX, size) : 0;
  let done = goesOn(source0, target0, size, n, accumulator, repeatIfEqual);
  let x = accumulator;
  let y: u64 = 0;
  while (done < n) {
    const at = (<usize>done) << size;
    if (!scan) x = element(source0 + at, size);
    y = element(target0 + at, size);
    done++;
    if ((x == y) != repeatIfEqual) break;
  }
  compare(x, y, size);
  return done;
}

/** CMPS and SCAS share the loop; `scan` compares the accumulator with ES:DI. */
function compareLoop(imm: u64, scan: bool): void {
  const size = <u32>imm & 3;
  const addr = (<u32>imm >> 2) & 3;
  const seg = (<u32>imm >> 4) & 15;
  const rep = <u32>imm >> 8;
  const delta = step(size);
  let left: u64 = rep == REP_NONE ? 1 : batch();
  while (left != 0 && (rep == REP_NONE || register(S_RCX, addr) != 0)) {
    worked(1);
    let done: u64 = 0;
    if (rep != REP_NONE && delta > 0 && !checksAlignment()) done = compareRun(seg, addr, size, left, scan, rep == REPE);
    if (faulted()) return;
    if (!done) {
      if (!compareOne(seg, addr, size, scan)) return;
      done = 1;
    }
    if (!scan) advance(S_RSI, addr, delta * <i64>done);
    advance(S_RDI, addr, delta * <i64>done);
    left -= done;
    if (rep == REP_NONE) break;
    advance(S_RCX, addr, -(<i64>done));
    if ((getZF() != 0) != (rep == REPE)) {
      finish();
      return;
    }
  }
  if (rep == REP_NONE || register(S_RCX, addr) == 0) finish();
}

/** Compares one pair; false if reading it faults. */
function compareOne(seg: u32, addr: u32, size: u32, scan: bool): bool {
  let x: u64;
  if (scan) x = getSlot(S_RAX, size);
  else {
    const source = linearOf(register(S_RSI, addr), seg, 1 << size, false);
    if (faulted()) return false;
    x = readSize(source, size);
    if (faulted()) return false;
  }
  const target = linearOf(register(S_RDI, addr), SEG_ES, 1 << size, false);
  if (faulted()) return false;
  const y = readSize(target, size);
  if (faulted()) return false;
  compare(x, y, size);
  return true;
}

export function stringCompare(_a: u32, _b: u32, imm: u64): void {
  compareLoop(imm, false);
}

export function stringScan(_a: u32, _b: u32, imm: u64): void {
  compareLoop(imm, true);
}
