// Atomics that need a comparison: store-exclusive, compare-and-swap, minimum and maximum.

import { S_EXCL_ADDRESS, S_EXCL_HIGH, S_EXCL_LOW, S_EXCL_SIZE } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { probeRead, probeWrite, read8, read16, read32, read64, write8, write16, write32, write64 } from '../mmu/access';
import { faulted, raiseAlignment } from './fault';
import { dstSlot, srcSlot } from './slots';

function readSized(address: u64, size: u32): u64 {
  if (size == 0) return read8(address);
  if (size == 1) return read16(address);
  return size == 2 ? <u64>read32(address) : read64(address);
}

function writeSized(address: u64, size: u32, value: u64): void {
  if (size == 0) write8(address, <u32>value);
  else if (size == 1) write16(address, <u32>value);
  else if (size == 2) write32(address, <u32>value);
  else write64(address, value);
}

/** `value` cut to 1 << size bytes. */
function cut(value: u64, size: u32): u64 {
  return size == 3 ? value : value & ((1 << (8 << (<u64>size))) - 1);
}

function slot(at: u32): u64 {
  return load<u64>(STATE + <usize>at);
}

/** May `bytes` at `address` be read and written, as one aligned access? A fault is the read's if that would fail. */
function canModify(address: u64, bytes: u32): bool {
  if (address & (bytes - 1)) raiseAlignment(address, false);
  return !faulted() && probeRead(address, bytes) && probeWrite(address, bytes);
}

/**
 * STXR, STXP: status slot `status` = 0 if memory at slot `base` is still what the monitor saw and was stored to, else 1.
 * imm: size of a register, bit 4 pair, bits 16–31 and 32–47 the slots to store. The monitor's comparison of values
 * stands for other observers' stores, which it does not see.
 */
export function storeExclusive(status: u32, base: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const pair = ((<u32>imm >> 4) & 1) != 0;
  const bytes: u32 = (1 << size) << u32(pair);
  const address = slot(base);
  let low = slot(<u32>(imm >> 16) & 0xffff);
  const high = slot(<u32>(imm >> 32) & 0xffff);
  // A pair of words is one doubleword.
  if (pair && size == 2) low = (low & 0xffffffff) | (high << 32);
  const wide = bytes == 16;
  const unit: u32 = wide || pair ? 3 : size;
  if (address & (bytes - 1)) {
    raiseAlignment(address, true);
    return;
  }
  let failed: u32 = 1;
  if (load<u32>(STATE, S_EXCL_SIZE) == bytes && load<u64>(STATE, S_EXCL_ADDRESS) == address) {
    if (!probeWrite(address, bytes)) return;
    const same =
      readSized(address, unit) == load<u64>(STATE, S_EXCL_LOW) &&
      (!wide || read64(address + 8) == load<u64>(STATE, S_EXCL_HIGH));
    if (faulted()) return;
    if (same) {
      writeSized(address, unit, low);
      if (wide) write64(address + 8, high);
      failed = 0;
    }
  }
  store<u32>(STATE, 0, S_EXCL_SIZE);
  store<u64>(STATE + <usize>status, failed);
}

/** CAS: imm: size, bits 16–31 the slot to store, 32–47 the slot that receives the old value. */
export function compareAndSwap(expected: u32, base: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const address = slot(base);
  if (!canModify(address, 1 << size)) return;
  const old = readSized(address, size);
  if (faulted()) return;
  if (old == cut(slot(expected), size)) writeSized(address, size, slot(<u32>(imm >> 16) & 0xffff));
  store<u64>(STATE + <usize>((imm >> 32) & 0xffff), old);
}

/** CASP: registers s and s + 1 are compared; imm: size, bits 16– the first of the registers to store. */
export function compareAndSwapPair(s: u32, base: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const t = <u32>(imm >> 16) & 31;
  const half: u32 = 1 << size;
  const address = slot(base);
  if (!canModify(address, half << 1)) return;
  const low = readSized(address, size);
  const high = readSized(address + half, size);
  if (faulted()) return;
  if (low == cut(slot(srcSlot(s)), size) && high == cut(slot(srcSlot(s + 1)), size)) {
    writeSized(address, size, slot(srcSlot(t)));
    writeSized(address + half, size, slot(srcSlot(t + 1)));
  }
  store<u64>(STATE + <usize>dstSlot(s), low);
  store<u64>(STATE + <usize>dstSlot(s + 1), high);
}

/** `value` of 1 << size bytes, sign-extended. */
function signed(value: u64, size: u32): i64 {
  const s = <i64>(64 - (8 << size));
  return ((<i64>value) << s) >> s;
}

/** LDSMAX, LDSMIN, LDUMAX, LDUMIN (bits 4–5 of imm: 0 … 3); imm: size, bits 16–31 the slot of the old value. */
export function loadMinMax(operand: u32, base: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const what = (<u32>imm >> 4) & 3;
  const address = slot(base);
  if (!canModify(address, 1 << size)) return;
  const old = readSized(address, size);
  if (faulted()) return;
  const b = cut(slot(operand), size);
  const less = what < 2 ? signed(old, size) < signed(b, size) : old < b;
  // What is there stays if it is on the side asked for.
  writeSized(address, size, less == ((what & 1) != 0) ? old : b);
  store<u64>(STATE + <usize>((imm >> 16) & 0xffff), old);
}
