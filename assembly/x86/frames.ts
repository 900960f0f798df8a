// PUSHA, POPA, ENTER (SDM vol. 2): several stack accesses that must all succeed or have no effect.

import { STATE } from '../layout/memory';
import { S_MODE, S_RBP, S_RSP, SEG_SS } from '../layout/x86-state';
import { probeWrite, read16, read32, read64, write16, write32, write64 } from '../mmu/access';
import { getSlot, maskOf, putSlot } from './arith';
import { faulted } from './fault';
import { MODE_CODE, MODE_STACK32 } from './mode';
import { segmentLinear } from './seglin';

/** log2 of the stack pointer's width. */
function width(): u32 {
  const mode = load<u32>(STATE, S_MODE);
  return (mode & MODE_CODE) == 3 ? 3 : mode & MODE_STACK32 ? 2 : 1;
}

function linear(offset: u64, bytes: u32, write: bool): u64 {
  return width() == 3 ? offset : segmentLinear(offset & maskOf(width()), SEG_SS, bytes, write);
}

function writeStack(offset: u64, size: u32, v: u64): void {
  const at = linear(offset, 1 << size, true);
  if (faulted()) return;
  if (size == 1) write16(at, <u32>v);
  else if (size == 2) write32(at, <u32>v);
  else write64(at, v);
}

function readStack(offset: u64, size: u32): u64 {
  const at = linear(offset, 1 << size, false);
  if (faulted()) return 0;
  return size == 1 ? read16(at) : size == 2 ? read32(at) : read64(at);
}

function probeStack(offset: u64, size: u32): bool {
  const at = linear(offset, 1 << size, true);
  return !faulted() && probeWrite(at, 1 << size);
}

/** PUSHA: a = operand size. */
export function pushAll(a: u32, _b: u32, _imm: u64): void {
  const w = width();
  const sp = getSlot(S_RSP, w);
  for (let i: u32 = 1; i <= 8; i++) if (!probeStack(sp - <u64>(i << a), a)) return;
  for (let i: u32 = 0; i < 8; i++) writeStack(sp - <u64>((i + 1) << a), a, getSlot(i << 3, a));
  if (!faulted()) putStackPointer(w, sp - <u64>(8 << a));
}

/** A 16-bit stack pointer leaves the upper half of ESP alone. */
function putStackPointer(w: u32, v: u64): void {
  putSlot(S_RSP, w, v & maskOf(w));
}

/** POPA: a = operand size. ESP's image is skipped. */
export function popAll(a: u32, _b: u32, _imm: u64): void {
  const w = width();
  const sp = getSlot(S_RSP, w);
  for (let i: u32 = 0; i < 8; i++) {
    readStack(sp + <u64>(i << a), a);
    if (faulted()) return;
  }
  for (let i: u32 = 0; i < 8; i++) {
    const register = 7 - i;
    if (register != 4) putSlot(register << 3, a, readStack(sp + <u64>(i << a), a));
  }
  putStackPointer(w, sp + <u64>(8 << a));
}

/** ENTER: a = operand size, b = nesting level, imm = bytes to reserve. */
export function enterFrame(a: u32, b: u32, imm: u64): void {
  const w = width();
  const level = b & 31;
  const step = <u64>(1 << a);
  let sp = getSlot(S_RSP, w) - step;
  let frame = getSlot(S_RBP, w);
  // Everything that will be read or written, first; the final stack pointer must be writable too.
  const final = sp - (level ? <u64>level * step : 0) - imm;
  for (let i: u32 = 0; i <= level; i++) if (!probeStack(sp - <u64>i * step, a)) return;
  for (let i: u32 = 1; i < level; i++) {
    readStack(frame - <u64>i * step, a);
    if (faulted()) return;
  }
  if (!probeStack(final, a)) return;
  writeStack(sp, a, getSlot(S_RBP, a));
  // With a 16-bit stack the frame pointer still gets all of ESP, if the operand size says 32.
  const newFrame = (load<u64>(STATE, S_RSP) & ~maskOf(w)) | (sp & maskOf(w));
  for (let i: u32 = 1; i < level; i++) {
    frame -= step;
    sp -= step;
    writeStack(sp, a, readStack(frame, a));
  }
  if (level) {
    sp -= step;
    writeStack(sp, a, newFrame);
  }
  putSlot(S_RBP, a, newFrame & maskOf(a));
  putStackPointer(w, sp - imm);
}
