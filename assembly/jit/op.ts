// One operation of the IR as WebAssembly. Each stands for exactly what ir/interp.ts does.

import { ZERO_BLOCK, zeroLine } from '../arm/sys-operations';
import { LEFT_INDIRECT } from '../ir/interp';
import {
  ALU_IMM,
  ALU_NOFLAGS,
  OP_ALIGN,
  OP_ALU,
  OP_BYTES,
  OP_CALL,
  OP_CANON,
  OP_CMOV,
  OP_CSLIM,
  OP_EXIT,
  OP_LD,
  OP_LD_USER,
  OP_MOV,
  OP_MOV128,
  OP_MOVI,
  OP_POP32,
  OP_POP64,
  OP_PUSH64,
  OP_ROT,
  OP_SEGLIN,
  OP_SETCC,
  OP_ST,
  OP_ST_USER,
  OP_STI,
  OP_SX8_16,
  OP_SX8_32,
  OP_SX8_64,
  OP_SX16_32,
  OP_SX16_64,
  OP_SX32_64,
  OP_SYNC,
  OP_VEC,
  OP_XCHG,
  OP_ZX8,
  OP_ZX8_16,
  OP_ZX16,
} from '../ir/ops';
import { STATE } from '../layout/memory';
import {
  FLAG_AC,
  S_JIT_EXIT,
  S_NEXT_RIP,
  S_RFLAGS,
  S_RIP,
  S_SEG,
  S_ZERO,
  SEG_CS,
  SEG_LIMIT,
  SEG_SIZE,
} from '../layout/x86-state';
import { doubleShift } from '../x86/arith';
import { leaveIfAsked, zeroOr } from './access';
import { emitAlu, emitDoubleShift, emitRotate } from './alu';
import { LEFT_BEFORE } from './exits';
import { forgetFlags, pushCondition, restoreKnown, savedConstant, saveKnown, settleAtExit, settleFlags } from './flags';
import {
  ADDRESS,
  call,
  cut,
  EXIT,
  FUEL,
  I0,
  I1,
  L0,
  L1,
  loadFrame,
  loadTemps,
  maskOf,
  pop,
  popVector,
  push,
  pushVector,
  pushWide,
  startFloat,
  storeFrame,
  storeTemps,
} from './frame';
import { F_HELPER, F_ROTATE, F_SEGMENT } from './imports';
import { emitInteger } from './integer';
import { branch, branchIf, close, hint, LEAVE_WRITTEN, leaveBefore, openIf } from './labels';
import { emitLea, emitLoad, emitPair, emitPop, emitPush, emitStore, emitStoreImm } from './memory';
import { emitDivide, emitMultiply, isDivide, isMultiply } from './muldiv';
import { rangeFor } from './ranges';
import { copySure } from './sure';
import { emitVector } from './vector';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  mem,
  set,
  W_AND,
  W_ELSE,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_GT_U,
  W_LOAD_I32,
  W_NE,
  W_SELECT,
  W_SHL,
  W_SHR_S,
  W_STORE_I64,
} from './wasm';

let block: usize = 0;
let ended: bool = false;

export function startOps(b: usize): void {
  block = b;
  ended = false;
}
/** The operation just emitted ended the block before its last operation. */
export function endedEarly(): bool {
  return ended;
}

function pushSite(p: usize): void {
  const32(<u32>p);
  const32(<u32>block);
  get(FUEL);
}

/** Rare A64 operations: accesses with the rights of EL0. */
function needsInterpreter(op: u32): bool {
  return (op >= OP_LD_USER && op < OP_ST) || (op >= OP_ST_USER && op < OP_STI);
}

/** Emits operation p, which is not the last of its block. */
export function emitOp(p: usize): void {
  const op: u32 = load<u16>(p);
  if (ISA_AARCH64 && needsInterpreter(op)) {
    settleFlags();
    leaveBefore(block, p, LEFT_BEFORE);
    ended = true;
    return;
  }
  if (op >= OP_ALU && op < OP_MOV) emitAlu(p);
  else if (op >= OP_ROT) {
    if (op & ALU_NOFLAGS || op & ALU_IMM) emitRotate(p);
    else emitCallOut(p, F_ROTATE);
  } else if (op < OP_LD) emitMove(p, op);
  else if (op < OP_ST) emitLoad(p);
  else if (op < OP_STI) emitStore(p);
  else if (op < OP_SEGLIN) emitStoreImm(p);
  else if (op < OP_PUSH64) emitCheck(p, op);
  else if (ISA_AARCH64 && op < OP_CALL) emitPair(p);
  else if (op == OP_POP64 || op == OP_POP32) emitPop(p);
  else if (op < OP_CALL) emitPush(p);
  else if (op == OP_CALL) emitHelper(p);
  else if (op == OP_SYNC) emitSyncTo(load<u64>(p, 8), load<u16>(p, 2));
  else if (op == OP_VEC) emitVector(p, block);
  else unreachable();
}

/** OP_CALL: multiplications and divisions in line. */
function emitHelper(p: usize): void {
  const helper: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const size: u32 = load<u16>(p, 6);
  const signed = load<u64>(p, 8) != 0;
  if (!ISA_AARCH64 && helper == doubleShift.index && emitShiftByConstant(a, <u32>load<u16>(p, 6), load<u64>(p, 8)))
    return;
  if (ISA_AARCH64 && helper == zeroLine.index) {
    emitZeroLine(p);
    return;
  }
  if (isMultiply(helper) && size >= 2) {
    emitMultiply(a, size, signed);
    return;
  }
  if (!isDivide(helper) || size < 2) {
    emitCallOut(p, F_HELPER);
    return;
  }
  emitDivide(a, size, signed);
  const saved = saveKnown();
  const value = savedConstant();
  byte(W_ELSE);
  emitCallOut(p, F_HELPER);
  close();
  // It leaves the flags alone.
  restoreKnown(saved, value);
}

/** DC ZVA (arm/sys-operations.ts). */
function emitZeroLine(p: usize): void {
  const a: u32 = load<u16>(p, 4);
  push(a, 3);
  const64(~(<u64>(ZERO_BLOCK - 1)));
  byte(W_AND + ARITH64);
  set(ADDRESS);
  const saved = saveKnown();
  const value = savedConstant();
  zeroOr(ZERO_BLOCK, rangeFor(a, S_ZERO, 0));
  emitCallOut(p, F_HELPER);
  close();
  restoreKnown(saved, value);
}

/** SHLD, SHRD (x86/arith.ts) where it is simple. */
function emitShiftByConstant(a: u32, b: u32, imm: u64): bool {
  const size = <u32>imm & 3;
  if (size < 2 || imm & 8) return false;
  emitDoubleShift(a, b, size, (imm & 4) != 0, <u32>(imm >> 8) & (size == 3 ? 63 : 31));
  return true;
}

/** A helper: it finds and leaves everything in the state. */
function emitCallOut(p: usize, f: u32): void {
  settleFlags();
  storeFrame();
  storeTemps();
  pushSite(p);
  call(f);
  const next = p + OP_BYTES;
  set(EXIT);
  get(EXIT);
  hint(false);
  branchIf(LEAVE_WRITTEN);
  if (load<u16>(next) == OP_EXIT) {
    const32(<u32>block | LEFT_INDIRECT);
    set(EXIT);
    branch(LEAVE_WRITTEN);
    ended = true;
    return;
  }
  loadFrame();
  loadTemps();
  startFloat(block);
  forgetFlags();
}

function storeConst(value: u64, slot: u32): void {
  const32(0);
  const64(value);
  mem(W_STORE_I64, STATE + slot);
}
function emitSyncTo(next: u64, length: u32): void {
  storeConst(next, S_NEXT_RIP);
  storeConst(next - length, S_RIP);
}

/** OP_SEGLIN, OP_ALIGN, OP_RAISE, OP_CANON, OP_CSLIM: where they would raise, the interpreter does. */
function emitCheck(p: usize, op: u32): void {
  const a: u32 = load<u16>(p, 4);
  switch (op) {
    case OP_SEGLIN:
      push(a, 3);
      pushSite(p);
      call(F_SEGMENT);
      pop(load<u16>(p, 2), 3);
      const32(0);
      mem(W_LOAD_I32, STATE + S_JIT_EXIT);
      leaveIfAsked();
      return;
    case OP_ALIGN:
      push(a, 3);
      const64(load<u64>(p, 8) - 1);
      byte(W_AND + ARITH64);
      const64(0);
      byte(W_NE + COMPARE64);
      if (ISA_AARCH64) break;
      const32(0);
      mem(W_LOAD_I32, STATE + S_RFLAGS);
      const32(FLAG_AC);
      byte(W_AND);
      const32(0);
      byte(W_NE);
      byte(W_AND);
      break;
    case OP_CANON:
      push(a, 3);
      const64(16);
      byte(W_SHL + ARITH64);
      const64(16);
      byte(W_SHR_S + ARITH64);
      push(a, 3);
      byte(W_NE + COMPARE64);
      break;
    case OP_CSLIM:
      push(a, 2);
      const32(0);
      mem(W_LOAD_I32, STATE + S_SEG + SEG_CS * SEG_SIZE + SEG_LIMIT);
      byte(W_GT_U);
      break;
    default:
      settleFlags();
      leaveBefore(block, p, LEFT_BEFORE);
      ended = true;
      return;
  }
  hint(false);
  openIf();
  settleAtExit();
  leaveBefore(block, p, LEFT_BEFORE);
  close();
}

function emitMove(p: usize, op: u32): void {
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  if (ISA_AARCH64 && emitInteger(p, op)) return;
  if (op < OP_MOVI) {
    const size = op - OP_MOV;
    push(a, size);
    pop(d, size);
    return;
  }
  if (op < OP_ZX8) {
    const size = op - OP_MOVI;
    const imm = load<u64>(p, 8);
    if (size == 3) const64(imm);
    else const32(<u32>imm & maskOf(size));
    pop(d, size);
    return;
  }
  if (op >= OP_XCHG && op < OP_CMOV) {
    const size = op - OP_XCHG;
    const x = size == 3 ? L0 : I0;
    const y = size == 3 ? L1 : I1;
    push(d, size);
    set(x);
    push(a, size);
    set(y);
    get(y);
    pop(d, size);
    get(x);
    pop(a, size);
    return;
  }
  if (op >= OP_CMOV && op < OP_SETCC) {
    const size = op - OP_CMOV;
    push(a, size);
    push(d, size);
    pushCondition(load<u8>(p, 8));
    byte(W_SELECT);
    pop(d, size);
    return;
  }
  switch (op) {
    case OP_ZX8:
      pushWide(a, 0);
      pop(d, 3);
      break;
    case OP_ZX16:
      pushWide(a, 1);
      pop(d, 3);
      break;
    case OP_ZX8_16:
      push(a, 0);
      pop(d, 1);
      break;
    case OP_SX8_16:
      push(a, 0);
      byte(W_EXTEND8_S);
      cut(1);
      pop(d, 1);
      break;
    case OP_SX8_32:
      push(a, 0);
      byte(W_EXTEND8_S);
      pop(d, 2);
      break;
    case OP_SX8_64:
      pushWide(a, 0);
      byte(W_EXTEND8_S64);
      pop(d, 3);
      break;
    case OP_SX16_32:
      push(a, 1);
      byte(W_EXTEND16_S);
      pop(d, 2);
      break;
    case OP_SX16_64:
      pushWide(a, 1);
      byte(W_EXTEND16_S64);
      pop(d, 3);
      break;
    case OP_SX32_64:
      pushWide(a, 2);
      byte(W_EXTEND32_S64);
      pop(d, 3);
      break;
    case OP_SETCC:
      pushCondition(load<u8>(p, 8));
      pop(d, 0);
      break;
    case OP_MOV128:
      pushVector(a);
      popVector(d);
      copySure(d, a);
      break;
    default:
      emitLea(p);
  }
}
