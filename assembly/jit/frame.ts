// The frame of a region's function: which slot of the vCPU state lives in which WebAssembly local.
//
// General registers and temporaries that the region mentions are locals, and so are the four words of the lazy flags.
// They are loaded at entry and written back at every exit; everything else stays in memory. A 64-bit value is an i64
// on the WebAssembly stack, a smaller one an i32, zero-extended.

import { B_CODE, B_OPS } from '../ir/blocks';
import {
  ALU_CMP,
  ALU_IMM,
  ALU_NOFLAGS,
  ALU_TEST,
  OP_ALU,
  OP_BYTES,
  OP_CALL,
  OP_CANON,
  OP_CMOV,
  OP_CMPJ,
  OP_CSLIM,
  OP_JCC,
  OP_JMP,
  OP_JMPI,
  OP_JNZ,
  OP_LD,
  OP_LEA16,
  OP_MOV,
  OP_MOV128,
  OP_POP32,
  OP_PUSH64,
  OP_RET32,
  OP_RET64,
  OP_ROT,
  OP_SEGLIN,
  OP_SETCC,
  OP_ST,
  OP_STI,
  OP_SYNC,
  OP_TESTJ,
  OP_VEC,
  OP_XCHG,
} from '../ir/ops';
import { STATE } from '../layout/memory';
import {
  S_CC_A,
  S_CC_C,
  S_CC_OP,
  S_CC_RES,
  S_MXCSR,
  S_RAX,
  S_RDX,
  S_RSP,
  S_T0,
  S_TLB,
  S_V0,
  S_XMM,
  S_ZERO,
  TEMPS,
  VTEMPS,
} from '../layout/x86-state';
import { V_BLENDV_I8X16, V_BLENDV_I64X2, V_FLAGS } from '../sse/vops';
import { isDivide, isMultiply } from './muldiv';
import { blockOf, nodes } from './region';
import {
  ARITH64,
  byte,
  const32,
  const64,
  F32,
  F64,
  get,
  I32,
  I64,
  mem,
  set,
  simd,
  simdMem,
  u,
  V128,
  W_AND,
  W_EQ,
  W_EXTEND_U,
  W_LOAD_I32,
  W_LOAD_I64,
  W_LOAD8_U,
  W_LOAD16_U,
  W_OR,
  W_SHL,
  W_SHR_U,
  W_STORE_I32,
  W_STORE_I64,
  W_STORE8,
  W_STORE16,
  W_WRAP,
  WV_EXTRACT_I64,
  WV_LOAD,
  WV_REPLACE_I64,
  WV_SPLAT_I64,
  WV_STORE,
} from './wasm';

/** Instructions that may still be executed: the function's parameter. */
export const FUEL: u32 = 0;
// i64 locals of fixed number; those of registers and temporaries follow.
export const CC_A: u32 = 1;
export const CC_RES: u32 = 2;
export const CC_C: u32 = 3;
/** Second operand of the last compare or subtraction; not part of the state. */
export const CC_B: u32 = 4;
/** Where the region leaves to. */
export const RIP: u32 = 5;
export const ADDRESS: u32 = 6;
export const VALUE: u32 = 7;
export const L0: u32 = 8;
export const L1: u32 = 9;
export const L2: u32 = 10;
/** Operand and result of an operation whose flags have not been worked out (flags.ts). */
export const PENDING_A: u32 = 11;
export const PENDING_R: u32 = 12;
const FIRST_REGISTER: u32 = 13;
/** i32 locals: their numbers follow those of the i64 ones. */
export let CC_OP: u32 = 0;
/** How the region is left: an operation's or block's address | LEFT_* (runtime.ts). */
export let EXIT: u32 = 0;
export let ENTRY: u32 = 0;
/** Soft TLB in use. */
export let TABLE: u32 = 0;
export let I0: u32 = 0;
export let I1: u32 = 0;
export let I2: u32 = 0;
export let I3: u32 = 0;

// Locals by general register (0–15) and temporary (16–31); 0: none.
const localOf: usize = memory.data(32);
/** Registers and temporaries that the region mentions; registers that it writes. */
let mentioned: u32 = 0;
let written: u32 = 0;
/** Does the region set flags? */
let setsFlags: bool = false;
/** Does it have vector operations? */
let usesFloat: bool = false;
/** Temporaries written so far by the instruction being emitted. */
let liveTemps: u32 = 0;

// Vector registers (0–15) and temporaries (16–23): v128 locals.
const vectorLocalOf: usize = memory.data(32);
let vectorsMentioned: u32 = 0;
let vectorsWritten: u32 = 0;
let liveVectors: u32 = 0;
/** i32 local: does WebAssembly's arithmetic stand in for SSE's, if operands and result are ordinary? */
export let PLAIN: u32 = 0;
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

/** Number of the vector register or temporary that a slot is in, or -1. */
function vectorIndexOf(slot: u32): i32 {
  if (slot >= <u32>S_XMM && slot < <u32>S_XMM + 256) return (slot - S_XMM) >> 4;
  if (slot >= <u32>S_V0 && slot < <u32>S_V0 + ((<u32>VTEMPS) << 4)) return 16 + ((slot - S_V0) >> 4);
  return -1;
}
/** Local of the vector that a slot is in, or 0. */
export function vectorFor(slot: u32): u32 {
  const i = vectorIndexOf(slot);
  return i < 0 ? 0 : load<u8>(vectorLocalOf + i);
}
function vectorSlot(i: u32): u32 {
  return i < 16 ? S_XMM + (i << 4) : S_V0 + ((i - 16) << 4);
}

/** Number of a slot's register or temporary (16 + n), or -1 if it stays in memory. */
function indexOf(slot: u32): i32 {
  if (slot < 0x80) return slot >> 3;
  if (slot >= <u32>S_T0 && slot < <u32>S_T0 + ((<u32>TEMPS) << 3)) return 16 + ((slot - S_T0) >> 3);
  return -1;
}

function mention(slot: u32): void {
  const i = indexOf(slot);
  if (i >= 0) mentioned |= 1 << i;
  const v = vectorIndexOf(slot);
  if (v >= 0) vectorsMentioned |= 1 << v;
}
function write(slot: u32): void {
  mention(slot);
  const i = indexOf(slot);
  if (i >= 0) written |= 1 << i;
  const v = vectorIndexOf(slot);
  if (v >= 0) vectorsWritten |= 1 << v;
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
    usesFloat = true;
  } else if (op == OP_CALL) {
    setsFlags = true;
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
  } else if (op == OP_JCC) setsFlags = true;
}

/** Assigns locals for the region that has been formed, and writes the declaration of the function's locals. */
export function declareLocals(): void {
  mentioned = 0;
  written = 0;
  setsFlags = false;
  usesFloat = false;
  vectorsMentioned = 0;
  vectorsWritten = 0;
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    const end = b + B_CODE + <usize>load<u32>(b, B_OPS) * OP_BYTES;
    for (let p = b + B_CODE; p < end; p += OP_BYTES) scan(p);
  }
  let next = FIRST_REGISTER;
  for (let i: u32 = 0; i < 32; i++) {
    if ((mentioned >> i) & 1) store<u8>(localOf + i, next++);
    else store<u8>(localOf + i, 0);
  }
  const wide = next - 1;
  CC_OP = next++;
  EXIT = next++;
  ENTRY = next++;
  TABLE = next++;
  I0 = next++;
  I1 = next++;
  I2 = next++;
  I3 = next++;
  PLAIN = next++;
  F0 = next++;
  F1 = next++;
  F2 = next++;
  G0 = next++;
  G1 = next++;
  G2 = next++;
  V0 = next++;
  V1 = next++;
  V2 = next++;
  let vectors: u32 = 3;
  for (let i: u32 = 0; i < 24; i++) {
    store<u8>(vectorLocalOf + i, 0);
    if (!((vectorsMentioned >> i) & 1)) continue;
    store<u8>(vectorLocalOf + i, next++);
    vectors++;
  }
  u(5);
  u(wide);
  byte(I64);
  u(9);
  byte(I32);
  u(3);
  byte(F64);
  u(3);
  byte(F32);
  u(vectors);
  byte(V128);
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
  for (let i: u32 = 0; i < 16; i++) {
    const local = load<u8>(localOf + i);
    if (local) loadInto(local, W_LOAD_I64, i << 3);
  }
  if (setsFlags) {
    loadInto(CC_OP, W_LOAD_I32, S_CC_OP);
    loadInto(CC_A, W_LOAD_I64, S_CC_A);
    loadInto(CC_RES, W_LOAD_I64, S_CC_RES);
    loadInto(CC_C, W_LOAD_I64, S_CC_C);
  }
  for (let i: u32 = 0; i < 16; i++) if ((vectorsMentioned >> i) & 1) loadVector(vectorSlot(i));
  loadInto(TABLE, W_LOAD_I32, S_TLB);
  loadPlain();
}

/** Looks at MXCSR: rounding to nearest, no DAZ or FTZ, all exceptions masked, and the precision flag set already. */
export function loadPlain(): void {
  if (!usesFloat) return;
  const32(0);
  mem(W_LOAD_I32, STATE + S_MXCSR);
  const32(0xffe0);
  byte(W_AND);
  const32(0x1fa0);
  byte(W_EQ);
  set(PLAIN);
}

/** Loads the vector that a slot is in, or stores it, if it lives in a local. */
export function loadVector(slot: u32): void {
  const local = vectorFor(slot);
  if (!local) return;
  const32(0);
  simdMem(WV_LOAD, STATE + (slot & ~15));
  set(local);
  noteVector(slot);
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
  if (i >= 16) liveVectors |= 1 << i;
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
  for (let i: u32 = 0; i < 16; i++) {
    if ((written >> i) & 1) storeFrom(load<u8>(localOf + i), W_STORE_I64, i << 3);
    if ((vectorsWritten >> i) & 1) storeVector(vectorSlot(i));
  }
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
  for (let i: u32 = 16; i < 32; i++) {
    if ((liveTemps >> i) & 1) storeFrom(load<u8>(localOf + i), W_STORE_I64, S_T0 + ((i - 16) << 3));
    if ((liveVectors >> i) & 1) storeVector(vectorSlot(i));
  }
}
/** Loads all temporaries that the region knows, after a helper that may have set some. */
export function loadTemps(): void {
  for (let i: u32 = 16; i < 24; i++) loadVector(vectorSlot(i));
  for (let i: u32 = 16; i < 32; i++) {
    const local = load<u8>(localOf + i);
    if (!local) continue;
    loadInto(local, W_LOAD_I64, S_T0 + ((i - 16) << 3));
    liveTemps |= 1 << i;
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
  if (i >= 16) liveTemps |= 1 << i;
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
  if (size < 2) {
    set(I3);
    const32(0);
    get(I3);
    mem(size ? W_STORE16 : W_STORE8, STATE + slot);
  } else {
    set(L2);
    const32(0);
    get(L2);
    mem(W_STORE_I64, STATE + slot);
  }
}
