// The frame of a region's function: which slot of the vCPU state lives in which WebAssembly local.
//
// General registers and temporaries that the region mentions are locals, and so are the four words of the lazy flags.
// They are loaded at entry and written back at every exit; everything else stays in memory. A 64-bit value is an i64
// on the WebAssembly stack, a smaller one an i32, zero-extended.

import { A_BASE, A_FCMP, A_FMADD, A_FNMSUB } from '../arm/simd/kinds';
import { FPCR_FZ, FPCR_RMODE, FPSR_IXC } from '../arm/simd/status';
import { zeroLine } from '../arm/sys-operations';
import { B_CODE, B_SIDE } from '../ir/blocks';
import {
  ALU_CMP,
  ALU_IMM,
  ALU_NOFLAGS,
  ALU_TEST,
  OP_ALU,
  OP_BYTES,
  OP_CALL,
  OP_CCMN,
  OP_CCMP,
  OP_CMOV,
  OP_CMPIJ,
  OP_CMPJ,
  OP_CSLIM,
  OP_FIELD,
  OP_JCC,
  OP_JMPI,
  OP_JNZ,
  OP_JZ,
  OP_LDP,
  OP_LEA16,
  OP_MOV,
  OP_MOV128,
  OP_POP32,
  OP_PUSH64,
  OP_RBIT64,
  OP_RET32,
  OP_ROT,
  OP_SEGLIN,
  OP_SEL,
  OP_SETCC,
  OP_SETCC64,
  OP_SMULL,
  OP_ST,
  OP_STI,
  OP_STP,
  OP_TESTIJ,
  OP_TESTJ,
  OP_VEC,
  OP_XCHG,
  SIZE32,
  SIZE64,
  SIZE128,
} from '../ir/ops';
import { S_FPCR, S_FPSR, S_V_REG } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import {
  S_CC_A,
  S_CC_C,
  S_CC_OP,
  S_CC_RES,
  S_MXCSR,
  S_RAX,
  S_RDX,
  S_RIP,
  S_RSP,
  S_T0,
  S_V0,
  S_XMM,
  S_ZERO,
  TEMPS,
  VTEMPS,
} from '../layout/x86-state';

import { V_BLENDV_I8X16, V_BLENDV_I64X2, V_FLAGS, V_FLOAT } from '../sse/vops';
import { doubleShift } from '../x86/arith';
import { isDivide, isMultiply } from './muldiv';
import { blockOf, isBaselineRegion, nodes } from './region';
import { forgetVector, isPlainKnown, startSure, staysSure } from './sure';
import {
  ARITH64,
  byte,
  const32,
  const64,
  F32,
  F64,
  get,
  here,
  I32,
  I64,
  mem,
  set,
  simd,
  simdMem,
  u,
  V128,
  W_AND,
  W_CALL,
  W_EQ,
  W_EQZ,
  W_EXTEND_U,
  W_LOAD_I32,
  W_LOAD_I64,
  W_LOAD8_U,
  W_LOAD16_U,
  W_NE,
  W_OR,
  W_SHL,
  W_SHR_U,
  W_STORE_I32,
  W_STORE_I64,
  W_STORE8_I64,
  W_WRAP,
  WV_EXTRACT_I64,
  WV_LOAD,
  WV_REPLACE_I64,
  WV_SPLAT_I64,
  WV_STORE,
} from './wasm';

// The function's parameters: instructions that may still be executed; the number of the block to begin with.
export const FUEL: u32 = 0;
export const ENTRY: u32 = 1;
// i64 locals of fixed number; those of registers and temporaries follow.
export const CC_A: u32 = 2;
export const CC_RES: u32 = 3;
export const CC_C: u32 = 4;
/** Second operand of the last compare or subtraction; not part of the state. */
export const CC_B: u32 = 5;
/** Where the region leaves to. */
export const RIP: u32 = 6;
export const ADDRESS: u32 = 7;
export const VALUE: u32 = 8;
export const L0: u32 = 9;
export const L1: u32 = 10;
export const L2: u32 = 11;
/** Place of an access in its range (access.ts). */
export const OFFSET: u32 = L2;
/** Operand and result of an operation whose flags have not been worked out (flags.ts). */
export const PENDING_A: u32 = 12;
export const PENDING_R: u32 = 13;
/** What goes to a slot that stays in memory. */
const POPPED: u32 = 14;
const FIRST_REGISTER: u32 = 15;
/** i32 locals: their numbers follow those of the i64 ones. */
export let CC_OP: u32 = 0;
/** How the region is left: an operation's or block's address | LEFT_* (runtime.ts). */
export let EXIT: u32 = 0;
/** Host address of a pair of registers' place in memory. */
export let HOST: u32 = 0;
export let I0: u32 = 0;
export let I1: u32 = 0;
export let I2: u32 = 0;
export let I3: u32 = 0;

/** General registers; the slots of all of them lie from 0 on. (A64: X0–X30 and SP, with the PC in their midst.) */
const GENERAL: u32 = ISA_AARCH64 ? 33 : 16;
/** Vector registers and where they begin. */
const VECTORS: u32 = ISA_AARCH64 ? 32 : 16;
const VECTOR_BASE: u32 = ISA_AARCH64 ? S_V_REG : S_XMM;
/** General registers and temporaries; vector registers and temporaries. */
const ALL: u32 = GENERAL + TEMPS;
const ALL_VECTORS: u32 = VECTORS + VTEMPS;

// Locals by general register, then temporary; 0: none.
const localOf: usize = memory.data(64);
/** Registers and temporaries that the region mentions; registers that it writes. */
let mentioned: u64 = 0;
let written: u64 = 0;
/** Does the region set flags? */
let setsFlags: bool = false;
/** Temporaries written so far by the instruction being emitted. */
let liveTemps: u64 = 0;

// Vector registers, then temporaries: v128 locals.
const vectorLocalOf: usize = memory.data(64);
let vectorsMentioned: u64 = 0;
let vectorsWritten: u64 = 0;
let liveVectors: u64 = 0;
/** i32 local: does WebAssembly's arithmetic stand in for the guest's, if operands and result are ordinary? */
export let PLAIN: u32 = 0;
/** i32 locals, the last ones: host addresses of the block's windows (windows.ts). At most so many. */
let firstWindow: u32 = 0;
export const WINDOW_LOCALS: u32 = 8;
/** f64, f32 and v128 locals for use within one operation. */
export let F0: u32 = 0;
export let F1: u32 = 0;
export let F2: u32 = 0;
export let G0: u32 = 0;
export let G1: u32 = 0;
export let G2: u32 = 0;
export let V0: u32 = 0;
export let V1: u32 = 0;
export let V2: u32 = 0;
/** v128 local that stays zero, for call(). */
let ZERO128: u32 = 0;

function one(i: i32): u64 {
  return (<u64>1) << (<u64>i);
}
function has(set: u64, i: u32): bool {
  return ((set >> <u64>i) & 1) != 0;
}

/** Number of the vector register or temporary that a slot is in, or -1. */
export function vectorIndexOf(slot: u32): i32 {
  if (slot >= VECTOR_BASE && slot < VECTOR_BASE + (VECTORS << 4)) return (slot - VECTOR_BASE) >> 4;
  if (slot >= <u32>S_V0 && slot < <u32>S_V0 + ((<u32>VTEMPS) << 4)) return VECTORS + ((slot - S_V0) >> 4);
  return -1;
}
/** Local of the vector that a slot is in, or 0. */
function vectorFor(slot: u32): u32 {
  const i = vectorIndexOf(slot);
  return i < 0 ? 0 : load<u8>(vectorLocalOf + i);
}
function vectorSlot(i: u32): u32 {
  return i < VECTORS ? VECTOR_BASE + (i << 4) : S_V0 + ((i - VECTORS) << 4);
}

/** Number of a slot's register or temporary (GENERAL + n), or -1 if it stays in memory. */
export function indexOf(slot: u32): i32 {
  // The PC is what RIP is on x86.
  if (ISA_AARCH64 && slot == S_RIP) return -1;
  if (slot < GENERAL << 3) return slot >> 3;
  if (slot >= <u32>S_T0 && slot < <u32>S_T0 + ((<u32>TEMPS) << 3)) return GENERAL + ((slot - S_T0) >> 3);
  return -1;
}
function slotOfTemp(i: u32): u32 {
  return S_T0 + ((i - GENERAL) << 3);
}

function mention(slot: u32): void {
  const i = indexOf(slot);
  if (i >= 0) mentioned |= one(i);
  const v = vectorIndexOf(slot);
  if (v >= 0) vectorsMentioned |= one(v);
}
function write(slot: u32): void {
  mention(slot);
  const i = indexOf(slot);
  if (i >= 0) written |= one(i);
  const v = vectorIndexOf(slot);
  if (v >= 0) vectorsWritten |= one(v);
}

/** The same for what only A64 has; false for the rest. */
function scanArm(op: u32, p: usize, d: u32, a: u32, b: u32): bool {
  if (op == OP_SETCC64) write(d);
  else if ((op >= OP_SEL && op < OP_FIELD) || (op >= OP_SMULL && op < OP_CCMP + SIZE32)) {
    mention(a);
    mention(b);
    write(d);
  } else if (op >= OP_FIELD && op <= OP_RBIT64) {
    mention(a);
    write(d);
  } else if (op >= OP_CCMP + SIZE32 && op <= OP_CCMN + SIZE64) {
    mention(a);
    mention(b);
    setsFlags = true;
  } else if (op >= OP_LDP + SIZE32 && op <= OP_STP + SIZE128) {
    mention(a);
    write(d);
    write(b);
  } else if (op == OP_JZ) mention(a);
  else if (op == OP_VEC && load<u16>(p, 8) >= <u16>A_BASE) {
    mention(a);
    mention(b);
    write(d);
    const what: u32 = (load<u16>(p, 8) - A_BASE) >> 4;
    if (what >= A_FMADD && what <= A_FNMSUB) mention(load<u16>(p, 10));
    if (what == A_FCMP) setsFlags = true;
  } else return false;
  return true;
}

/** Notes what operation p reads and writes. Too much does no harm. */
function scan(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  if (op >= OP_ALU && op < OP_MOV) {
    const kind = (op >> 4) & 15;
    mention(a);
    if (!(op & ALU_IMM)) mention(b);
    if (kind != ALU_CMP && kind != ALU_TEST) write(d);
    if (!(op & ALU_NOFLAGS)) setsFlags = true;
    return;
  }
  if (op >= OP_ROT) {
    mention(a);
    if (!(op & ALU_IMM)) mention(b);
    write(d);
    if (!(op & ALU_NOFLAGS)) setsFlags = true;
    return;
  }
  if (ISA_AARCH64 && scanArm(op, p, d, a, b)) return;
  if (op < OP_LEA16) {
    mention(a);
    write(d);
  } else if (op < OP_XCHG) {
    mention(a);
    mention(b);
    write(d);
  } else if (op < OP_CMOV) {
    write(a);
    write(d);
  } else if (op < OP_SETCC) {
    mention(a);
    write(d);
  } else if (op == OP_SETCC) write(d);
  else if (op == OP_MOV128) {
    mention(a);
    write(d);
  } else if (op < OP_ST) {
    mention(a);
    mention(b);
    write(d);
  } else if (op < OP_STI) {
    mention(a);
    mention(b);
    mention(d);
  } else if (op < OP_SEGLIN) {
    mention(a);
    mention(b);
  } else if (op == OP_SEGLIN) {
    mention(a);
    write(d);
  } else if (op <= OP_CSLIM) mention(a);
  else if (op >= OP_PUSH64 && op <= OP_RET32) {
    write(S_RSP);
    if (op <= OP_POP32) {
      mention(a);
      write(d);
    }
  } else if (op == OP_VEC) {
    mention(a);
    mention(b);
    write(d);
    const kind: u32 = load<u16>(p, 8);
    if (kind >= V_BLENDV_I8X16 && kind <= V_BLENDV_I64X2) mention(load<u16>(p, 10));
    if (kind >= V_FLAGS) setsFlags = true;
  } else if (op == OP_CALL) {
    setsFlags = true;
    if (!ISA_AARCH64 && d == doubleShift.index) {
      write(a);
      mention(b);
    }
    if (ISA_AARCH64 && d == zeroLine.index) mention(a);
    if (isMultiply(d) || isDivide(d)) {
      mention(a);
      write(S_RAX);
      write(S_RDX);
    }
  } else if (op == OP_JNZ || op == OP_JMPI) mention(a);
  else if (op >= OP_CMPJ && op < OP_TESTJ + 4) {
    mention(a);
    mention(b);
    setsFlags = true;
  } else if (op >= OP_CMPIJ && op <= OP_TESTIJ + SIZE64) {
    mention(a);
    setsFlags = true;
  } else if (op == OP_JCC) setsFlags = true;
}

/** Registers and temporaries that operation p may write: a bit for each indexOf(). */
export function writtenBy(p: usize): u64 {
  const all = mentioned;
  const changed = written;
  const vectors = vectorsMentioned;
  const vectorsChanged = vectorsWritten;
  const flags = setsFlags;
  written = 0;
  scan(p);
  const result = written;
  mentioned = all;
  written = changed;
  vectorsMentioned = vectors;
  vectorsWritten = vectorsChanged;
  setsFlags = flags;
  return result;
}

/** May operation p have to do with vectors or floating point? */
function isVectorOp(p: usize): bool {
  const op: u32 = load<u16>(p);
  return op == OP_VEC || op == OP_MOV128;
}

/** Windows' locals that the region uses, and where their number is to be written. */
let windowLocals: u32 = 0;
let windowLocalsAt: usize = 0;

/** Number of the local of the block's window `n`. */
export function windowLocal(n: u32): u32 {
  if (n >= windowLocals) windowLocals = n + 1;
  return firstWindow + n;
}

/**
 * Assigns locals for the region that has been formed, and writes the declaration of the function's locals: no more than
 * are used, as V8's first tier clears all of them at each entry and looks at them at each merge.
 */
export function declareLocals(): void {
  mentioned = 0;
  written = 0;
  setsFlags = false;
  vectorsMentioned = 0;
  vectorsWritten = 0;
  let hasVectors = false;
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    const end = <usize>load<u32>(b, B_SIDE);
    for (let p = b + B_CODE; p < end; p += OP_BYTES) {
      scan(p);
      if (isVectorOp(p)) hasVectors = true;
    }
  }
  if (vectorsMentioned) hasVectors = true;
  let next = FIRST_REGISTER;
  for (let i: u32 = 0; i < ALL; i++) {
    if (has(mentioned, i) && !(isBaselineRegion && i < GENERAL)) store<u8>(localOf + i, next++);
    else store<u8>(localOf + i, 0);
  }
  u(hasVectors ? 6 : 4);
  u(next - 2);
  byte(I64);
  CC_OP = next++;
  EXIT = next++;
  HOST = next++;
  I0 = next++;
  I1 = next++;
  I2 = next++;
  I3 = next++;
  PLAIN = next++;
  u(8);
  byte(I32);
  const firstVector = next;
  ZERO128 = next++;
  V0 = next;
  V1 = next + 1;
  V2 = next + 2;
  if (hasVectors) next += 3;
  for (let i: u32 = 0; i < ALL_VECTORS; i++) {
    const local = has(vectorsMentioned, i) && !(isBaselineRegion && i < VECTORS);
    store<u8>(vectorLocalOf + i, local ? <u8>next : 0);
    if (local) next++;
  }
  u(next - firstVector);
  byte(V128);
  F0 = next;
  F1 = next + 1;
  F2 = next + 2;
  G0 = next + 3;
  G1 = next + 4;
  G2 = next + 5;
  if (hasVectors) {
    next += 6;
    u(3);
    byte(F64);
    u(3);
    byte(F32);
  }
  firstWindow = next;
  windowLocals = 0;
  windowLocalsAt = here();
  byte(0);
  byte(I32);
}

/** The function is complete: its declaration gets the number of windows' locals. */
export function finishLocals(): void {
  store<u8>(windowLocalsAt, <u8>windowLocals);
}

/** Calls an imported function, whose last parameter is a v128 that is there for its type alone (imports.ts). */
export function call(f: u32): void {
  get(ZERO128);
  byte(W_CALL);
  u(f);
}

/** Local of a slot, or 0. */
export function localFor(slot: u32): u32 {
  const i = indexOf(slot);
  return i < 0 ? 0 : load<u8>(localOf + i);
}

function loadInto(local: u32, op: u32, slot: u32): void {
  const32(0);
  mem(op, STATE + slot);
  set(local);
}
function storeFrom(local: u32, op: u32, slot: u32): void {
  const32(0);
  get(local);
  mem(op, STATE + slot);
}

/** Loads all registers and flags from the state. */
export function loadFrame(): void {
  for (let i: u32 = 0; i < GENERAL; i++) {
    const local = load<u8>(localOf + i);
    if (local) loadInto(local, W_LOAD_I64, i << 3);
  }
  if (setsFlags) {
    loadInto(CC_OP, W_LOAD_I32, S_CC_OP);
    loadInto(CC_A, W_LOAD_I64, S_CC_A);
    loadInto(CC_RES, W_LOAD_I64, S_CC_RES);
    loadInto(CC_C, W_LOAD_I64, S_CC_C);
  }
  for (let i: u32 = 0; i < VECTORS; i++) if (has(vectorsMentioned, i)) loadVector(vectorSlot(i));
}

/**
 * Looks at MXCSR: rounding to nearest, no DAZ or FTZ, all exceptions masked, and the precision flag set already. A64:
 * FPCR asks for rounding to nearest and denormals, and FPSR.IXC is set.
 */
function loadPlain(): void {
  if (ISA_AARCH64) {
    const32(0);
    mem(W_LOAD_I32, STATE + S_FPCR);
    const32(FPCR_RMODE | FPCR_FZ);
    byte(W_AND);
    byte(W_EQZ);
    const32(0);
    mem(W_LOAD_I32, STATE + S_FPSR);
    const32(FPSR_IXC);
    byte(W_AND);
    const32(0);
    byte(W_NE);
    byte(W_AND);
    set(PLAIN);
  } else {
    const32(0);
    mem(W_LOAD_I32, STATE + S_MXCSR);
    const32(0xffe0);
    byte(W_AND);
    const32(0x1fa0);
    byte(W_EQ);
    set(PLAIN);
  }
}

/** Loads the vector that a slot is in, or stores it, if it lives in a local. */
export function loadVector(slot: u32): void {
  if (vectorIndexOf(slot) >= 0) noteVector(slot);
  const local = vectorFor(slot);
  if (!local) return;
  const32(0);
  simdMem(WV_LOAD, STATE + (slot & ~15));
  set(local);
}
export function storeVector(slot: u32): void {
  const local = vectorFor(slot);
  if (!local) return;
  const32(0);
  get(local);
  simdMem(WV_STORE, STATE + (slot & ~15));
}
function noteVector(slot: u32): void {
  const i = vectorIndexOf(slot);
  if (i >= <i32>VECTORS) liveVectors |= one(i);
  forgetVector(i);
}

/** Does block b have floating-point operations? */
function hasFloat(b: usize): bool {
  const last = <usize>load<u32>(b, B_SIDE);
  for (let p = b + B_CODE; p < last; p += OP_BYTES)
    if (load<u16>(p) == OP_VEC && load<u16>(p, 8) >= <u16>V_FLOAT) return true;
  return false;
}
/** At the beginning of block b, and after anything in it that may have changed MXCSR. */
export function startFloat(b: usize): void {
  startSure(b);
  if (hasFloat(b)) loadPlain();
}
/** At the beginning of block b, to which one way only leads, from the block emitted before or the one of restoreSure(). */
export function continueFloat(b: usize): void {
  if (!staysSure(b)) startFloat(b);
  else if (!isPlainKnown() && hasFloat(b)) loadPlain();
}

/** Pushes the vector at a slot; of a general register or temporary only the low 64 bits mean something. */
export function pushVector(slot: u32): void {
  const local = vectorFor(slot);
  if (local) get(local);
  else if (localFor(slot)) {
    push(slot, 3);
    simd(WV_SPLAT_I64);
  } else {
    const32(0);
    simdMem(WV_LOAD, STATE + slot);
  }
}
export function popVector(slot: u32): void {
  const local = vectorFor(slot);
  if (local) {
    set(local);
    noteVector(slot);
    return;
  }
  if (vectorIndexOf(slot) >= 0) noteVector(slot);
  set(V2);
  const32(0);
  get(V2);
  simdMem(WV_STORE, STATE + slot);
}

/** Stores the flags' words to the state. */
export function storeFlags(): void {
  if (!setsFlags) return;
  storeFrom(CC_OP, W_STORE_I32, S_CC_OP);
  storeFrom(CC_A, W_STORE_I64, S_CC_A);
  storeFrom(CC_RES, W_STORE_I64, S_CC_RES);
  storeFrom(CC_C, W_STORE_I64, S_CC_C);
}
/** Reads those that a helper may have set with setFlags(). */
export function loadFlags(): void {
  loadInto(CC_OP, W_LOAD_I32, S_CC_OP);
  loadInto(CC_A, W_LOAD_I64, S_CC_A);
}

/** Stores what the region may have changed. */
export function storeFrame(): void {
  for (let i: u32 = 0; i < GENERAL; i++)
    if (has(written, i) && load<u8>(localOf + i)) storeFrom(load<u8>(localOf + i), W_STORE_I64, i << 3);
  for (let i: u32 = 0; i < VECTORS; i++) if (has(vectorsWritten, i)) storeVector(vectorSlot(i));
  storeFlags();
}

// --- Temporaries: they live within one instruction only ---

export function beginInstruction(): void {
  liveTemps = 0;
  liveVectors = 0;
}
export function haveLiveTemps(): bool {
  return (liveTemps | liveVectors) != 0;
}
/** Stores the temporaries that the instruction has written: whoever goes on with it looks for them in the state. */
export function storeTemps(): void {
  for (let i = GENERAL; i < ALL; i++) {
    if (has(liveTemps, i)) storeFrom(load<u8>(localOf + i), W_STORE_I64, slotOfTemp(i));
  }
  for (let i = VECTORS; i < ALL_VECTORS; i++) if (has(liveVectors, i)) storeVector(vectorSlot(i));
}
/** Loads all temporaries that the region knows, after a helper that may have set some. */
export function loadTemps(): void {
  for (let i = VECTORS; i < ALL_VECTORS; i++) loadVector(vectorSlot(i));
  for (let i = GENERAL; i < ALL; i++) {
    const local = load<u8>(localOf + i);
    if (!local) continue;
    loadInto(local, W_LOAD_I64, slotOfTemp(i));
    liveTemps |= one(i);
  }
}
/** Stores one slot if it lives in a local, and loads it. */
export function storeSlot(slot: u32): void {
  storeVector(slot);
  const local = localFor(slot);
  if (local) storeFrom(local, W_STORE_I64, slot & ~7);
}
export function loadSlot(slot: u32): void {
  loadVector(slot);
  const local = localFor(slot);
  if (!local) return;
  loadInto(local, W_LOAD_I64, slot & ~7);
  noteWrite(slot);
}

// --- Values ---

/** All ones for a size below 3. */
export function maskOf(size: u32): u32 {
  return size == 0 ? 0xff : size == 1 ? 0xffff : 0xffffffff;
}

/** Cuts the i32 on the stack to `size`. */
export function cut(size: u32): void {
  if (size > 1) return;
  const32(maskOf(size));
  byte(W_AND);
}

/** Pushes the value of a slot. */
export function push(slot: u32, size: u32): void {
  if (slot == S_ZERO) {
    if (size == 3) const64(0);
    else const32(0);
    return;
  }
  const local = localFor(slot);
  if (local) {
    get(local);
    if (size == 3) return;
    if (slot & 7) {
      const64((slot & 7) << 3);
      byte(W_SHR_U + ARITH64);
    }
    byte(W_WRAP);
    cut(size);
    return;
  }
  const vector = vectorFor(slot);
  if (vector) {
    get(vector);
    simd(WV_EXTRACT_I64);
    byte((slot >> 3) & 1);
    if (size == 3) return;
    if (slot & 7) {
      const64((slot & 7) << 3);
      byte(W_SHR_U + ARITH64);
    }
    byte(W_WRAP);
    cut(size);
    return;
  }
  const32(0);
  mem(size == 3 ? W_LOAD_I64 : size == 2 ? W_LOAD_I32 : size == 1 ? W_LOAD16_U : W_LOAD8_U, STATE + slot);
}

/** Pushes a slot's value zero-extended to an i64. */
export function pushWide(slot: u32, size: u32): void {
  push(slot, size);
  if (size != 3) byte(W_EXTEND_U);
}

function noteWrite(slot: u32): void {
  const i = indexOf(slot);
  if (i >= <i32>GENERAL) liveTemps |= one(i);
}

/** Pops the value on the stack (cut to its size) to a slot: 32 bits zero-extend, fewer leave the rest alone. */
export function pop(slot: u32, size: u32): void {
  const local = localFor(slot);
  if (size == 2) byte(W_EXTEND_U);
  if (local) {
    noteWrite(slot);
    if (size < 2) {
      const shift = (slot & 7) << 3;
      byte(W_EXTEND_U);
      if (shift) {
        const64(shift);
        byte(W_SHL + ARITH64);
      }
      get(local);
      const64(~((<u64>maskOf(size)) << (<u64>shift)));
      byte(W_AND + ARITH64);
      byte(W_OR + ARITH64);
    }
    set(local);
    return;
  }
  const vector = vectorFor(slot);
  if (vector) {
    if (size < 2) byte(W_EXTEND_U);
    if (size < 2) {
      // Merged with the rest of its 64 bits.
      const shift = (slot & 7) << 3;
      if (shift) {
        const64(shift);
        byte(W_SHL + ARITH64);
      }
      push(slot & ~7, 3);
      const64(~((<u64>maskOf(size)) << (<u64>shift)));
      byte(W_AND + ARITH64);
      byte(W_OR + ARITH64);
    }
    set(L2);
    get(vector);
    get(L2);
    simd(WV_REPLACE_I64);
    byte((slot >> 3) & 1);
    set(vector);
    noteVector(slot);
    return;
  }
  if (vectorIndexOf(slot) >= 0) noteVector(slot);
  if (size < 2) byte(W_EXTEND_U);
  set(POPPED);
  const32(0);
  get(POPPED);
  mem(size < 2 ? W_STORE8_I64 + size : W_STORE_I64, STATE + slot);
}
