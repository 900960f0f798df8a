// Loads, stores, pushes, pops: their addresses and values; access.ts does the access.

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
  ST_128,
  ST_128_ALIGNED,
} from '../ir/ops';
import { S_RSP, S_ZERO } from '../layout/x86-state';
import { access128, accessPair, loadValue, pushForStore, startAccess, storeValue } from './access';
import { sizeOfForm } from './forms';
import { ADDRESS, localFor, pop, push, VALUE } from './frame';
import { rangeFor } from './ranges';
import {
  ARITH64,
  byte,
  const32,
  const64,
  get,
  set,
  W_ADD,
  W_AND,
  W_EXTEND_U,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_SHL,
  W_WRAP,
} from './wasm';

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
  accessPair(p, isStore, op - (isStore ? OP_STP : OP_LDP), rangeFor(load<u16>(p, 4), S_ZERO, disp));
}

/** Range of an operation with an address. */
function rangeOf(p: usize): usize {
  return rangeFor(load<u16>(p, 4), load<u16>(p, 6), load<i32>(p, 8));
}
function stackRange(): usize {
  return rangeFor(S_RSP, S_ZERO, 0);
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
    access128(p, d, false, form == LD_128_ALIGNED, rangeOf(p));
    return;
  }
  if (form >= LD_RMW) {
    loadValue(p, form - LD_RMW, true, rangeOf(p));
    get(VALUE);
    pop(d, 3);
    return;
  }
  const size = sizeOfForm(form);
  loadValue(p, size, false, rangeOf(p));
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
    access128(p, d, true, form == ST_128_ALIGNED, rangeOf(p));
    return;
  }
  pushForStore(d, form);
  set(VALUE);
  storeValue(p, form, rangeOf(p));
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
  storeValue(p, op - (narrow ? OP_STI + 4 : OP_STI), rangeOf(p));
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
  storeValue(p, narrow ? 2 : 3, stackRange());
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
  loadValue(p, narrow ? 2 : 3, false, stackRange());
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
  loadValue(p, narrow ? 2 : 3, false, stackRange());
}
/** RSP past the return address and imm bytes. */
export function emitDropReturn(imm: u64, narrow: bool): void {
  pushStackPointer(<i64>imm + (narrow ? 4 : 8), narrow);
  pop(S_RSP, 3);
}
