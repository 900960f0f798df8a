// Vector operations: those that WebAssembly has are emitted in line, with floating-point arithmetic under the same
// conditions as sse/vector-fast.ts; the others call the core's, on the state.

import { CCK_EXPLICIT } from '../ir/flags';
import { FLAG_CF, FLAG_ZF } from '../layout/x86-state';
import {
  V_ADD_F32X4,
  V_ADD_F64X2,
  V_ADD_I8X16,
  V_ADD_I16X8,
  V_ADD_I32X4,
  V_ADD_I64X2,
  V_ADD_SAT_S8X16,
  V_ADD_SAT_S16X8,
  V_ADD_SAT_U8X16,
  V_ADD_SAT_U16X8,
  V_ADD_SCALAR_F32,
  V_ADD_SCALAR_F64,
  V_AND,
  V_ANDNOT,
  V_AVG_U8X16,
  V_AVG_U16X8,
  V_BITMASK_I8X16,
  V_BITMASK_I32X4,
  V_BITMASK_I64X2,
  V_BLENDV_I8X16,
  V_BLENDV_I64X2,
  V_COMPARE_F64,
  V_CVT_S32_SCALAR_F64,
  V_CVT_S64_SCALAR_F64,
  V_CVT_SCALAR_F32_S32,
  V_CVT_SCALAR_F64_S32,
  V_CVT_SCALAR_F64_S64,
  V_DOT_S16X8,
  V_DUP_LOW_64,
  V_EQ_I8X16,
  V_EQ_I16X8,
  V_EQ_I32X4,
  V_EQ_I64X2,
  V_FLAGS,
  V_FLOAT,
  V_GT_S8X16,
  V_GT_S16X8,
  V_GT_S32X4,
  V_GT_S64X2,
  V_MAX_S16X8,
  V_MAX_U8X16,
  V_MIN_F32X4,
  V_MIN_S16X8,
  V_MIN_U8X16,
  V_MOVE_FROM_HIGH_64,
  V_MOVE_LOW_32,
  V_MOVE_LOW_64,
  V_MOVE_TO_HIGH_64,
  V_MUL_EVEN_U32X4,
  V_MUL_I16X8,
  V_MUL_I32X4,
  V_OR,
  V_SCALAR,
  V_SHL_BYTES,
  V_SHLI_I16X8,
  V_SHR_BYTES,
  V_SHRI_S32X4,
  V_SHUFFLE_F32X4,
  V_SHUFFLE_F64X2,
  V_SHUFFLE_HIGH_I16X8,
  V_SHUFFLE_I32X4,
  V_SHUFFLE_LOW_I16X8,
  V_SUB_I8X16,
  V_SUB_I16X8,
  V_SUB_I32X4,
  V_SUB_I64X2,
  V_SUB_SAT_S8X16,
  V_SUB_SAT_S16X8,
  V_SUB_SAT_U8X16,
  V_SUB_SAT_U16X8,
  V_XOR,
  V_ZERO_ABOVE_32,
  V_ZERO_ABOVE_64,
  V_ZIP_HIGH_I64X2,
  V_ZIP_LOW_I8X16,
} from '../sse/vops';
import { flagsAreExplicit, setKind, settleFlags } from './flags';
import {
  CC_A,
  F0,
  F1,
  F2,
  FUEL,
  G0,
  G1,
  G2,
  I0,
  L0,
  L1,
  loadFlags,
  loadPlain,
  loadSlot,
  PLAIN,
  pop,
  popVector,
  push,
  pushVector,
  storeSlot,
  V0,
  V1,
  V2,
} from './frame';
import { F_VECTOR } from './imports';
import { close, hint, openIf } from './labels';
import { leaveIfAsked } from './memory';
import {
  ARITH64,
  byte,
  COMPARE64,
  call,
  const32,
  const64,
  get,
  here,
  set,
  simd,
  startAt,
  tee,
  W_ADD,
  W_AND,
  W_DROP,
  W_ELSE,
  W_EXTEND_U,
  W_GE_U,
  W_LT_U,
  W_MUL,
  W_OR,
  W_SHL,
  W_SUB,
  WV_AND,
  WV_ANDNOT,
  WV_CONST,
  WV_EXTRACT_F32,
  WV_EXTRACT_F64,
  WV_OR,
  WV_REPLACE_F32,
  WV_REPLACE_F64,
  WV_SHUFFLE,
  WV_XOR,
} from './wasm';

// Floating-point instructions of WebAssembly.
const W_EQ_F64: u32 = 0x61;
const W_LT_F64: u32 = 0x63;
const W_ABS_F64: u32 = 0x99;
const W_SQRT_F32: u32 = 0x91;
const W_ADD_F32: u32 = 0x92;
const W_SQRT_F64: u32 = 0x9f;
const W_ADD_F64: u32 = 0xa0;
const W_TRUNC_F64_I32: u32 = 0xaa;
const W_TRUNC_F64_I64: u32 = 0xb0;
const W_CONVERT_I32_F64: u32 = 0xb7;
const W_CONVERT_I64_F64: u32 = 0xb9;
const W_BITS_F32: u32 = 0xbc;
const W_BITS_F64: u32 = 0xbd;
const W_CONST_F64: u32 = 0x44;

/** Emits one operation for an unconditional integer kind of two operands: its SIMD instruction, or 0. */
function plainInstruction(kind: u32): u32 {
  switch (kind) {
    case V_ADD_I8X16:
      return 0x6e;
    case V_ADD_I16X8:
      return 0x8e;
    case V_ADD_I32X4:
      return 0xae;
    case V_ADD_I64X2:
      return 0xce;
    case V_SUB_I8X16:
      return 0x71;
    case V_SUB_I16X8:
      return 0x91;
    case V_SUB_I32X4:
      return 0xb1;
    case V_SUB_I64X2:
      return 0xd1;
    case V_ADD_SAT_S8X16:
      return 0x6f;
    case V_ADD_SAT_U8X16:
      return 0x70;
    case V_ADD_SAT_S16X8:
      return 0x8f;
    case V_ADD_SAT_U16X8:
      return 0x90;
    case V_SUB_SAT_S8X16:
      return 0x72;
    case V_SUB_SAT_U8X16:
      return 0x73;
    case V_SUB_SAT_S16X8:
      return 0x92;
    case V_SUB_SAT_U16X8:
      return 0x93;
    case V_MUL_I16X8:
      return 0x95;
    case V_MUL_I32X4:
      return 0xb5;
    case V_DOT_S16X8:
      return 0xba;
    case V_AVG_U8X16:
      return 0x7b;
    case V_AVG_U16X8:
      return 0x9b;
    case V_MIN_U8X16:
      return 0x77;
    case V_MAX_U8X16:
      return 0x79;
    case V_MIN_S16X8:
      return 0x96;
    case V_MAX_S16X8:
      return 0x98;
    case V_EQ_I8X16:
      return 0x23;
    case V_EQ_I16X8:
      return 0x2d;
    case V_EQ_I32X4:
      return 0x37;
    case V_EQ_I64X2:
      return 0xd6;
    case V_GT_S8X16:
      return 0x27;
    case V_GT_S16X8:
      return 0x31;
    case V_GT_S32X4:
      return 0x3b;
    case V_GT_S64X2:
      return 0xd9;
    case V_AND:
      return WV_AND;
    case V_OR:
      return WV_OR;
    case V_XOR:
      return WV_XOR;
    default:
      return 0;
  }
}

/** OP_VEC. */
export function emitVector(p: usize, block: usize): void {
  const kind: u32 = load<u16>(p, 8);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  const imm: u32 = load<u16>(p, 10);
  const w = plainInstruction(kind);
  if (w) {
    pushVector(a);
    pushVector(b);
    simd(w);
    popVector(d);
    return;
  }
  if (kind == V_ANDNOT) {
    pushVector(b);
    pushVector(a);
    simd(WV_ANDNOT);
    popVector(d);
    return;
  }
  if (kind == V_MUL_EVEN_U32X4) {
    pushVector(a);
    pushVector(a);
    lanes(4, 0, 2, 0, 2);
    pushVector(b);
    pushVector(b);
    lanes(4, 0, 2, 0, 2);
    simd(0xde); // i64x2.extmul_low_i32x4_u
    popVector(d);
    return;
  }
  if (kind >= V_SHLI_I16X8 && kind <= V_SHRI_S32X4) {
    emitShiftImm(kind - V_SHLI_I16X8, d, a, imm);
    return;
  }
  if (emitRearranged(kind, d, a, b, imm)) return;
  if (kind >= V_BITMASK_I8X16 && kind <= V_BITMASK_I64X2) {
    pushVector(a);
    // i8x16, i32x4, i64x2.bitmask
    simd(kind == V_BITMASK_I8X16 ? 0x64 : kind == V_BITMASK_I32X4 ? 0xa4 : 0xc4);
    pop(d, 2);
    return;
  }
  if (kind >= V_FLOAT && emitFloat(p, block, kind, d, a, b, imm)) return;
  callOut(p, block, kind, d, a, b, imm);
}

/** The core does it. */
function callOut(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  storeSlot(a);
  storeSlot(b);
  storeSlot(d);
  if (kind >= V_BLENDV_I8X16 && kind <= V_BLENDV_I64X2) storeSlot(imm);
  const32(<u32>p);
  const32(<u32>block);
  get(FUEL);
  call(F_VECTOR);
  if (kind >= V_FLOAT) leaveIfAsked();
  else byte(W_DROP);
  if (kind >= V_FLAGS) {
    loadFlags();
    flagsAreExplicit();
  } else loadSlot(d);
  if (kind >= V_FLOAT) loadPlain();
}

/** Lane shifts by a constant: SHL, SHR of 16-, 32-, 64-bit lanes; arithmetic of 16, 32. */
function emitShiftImm(which: u32, d: u32, a: u32, imm: u32): void {
  const lane = which < 6 ? which % 3 : which - 6;
  const bits: u32 = 16 << lane;
  const base: u32 = lane == 0 ? 0x8b : lane == 1 ? 0xab : 0xcb; // shl, shr_s, shr_u
  if (which < 6 && imm >= bits) {
    zeroVector();
    popVector(d);
    return;
  }
  pushVector(a);
  const32(imm >= bits ? bits - 1 : imm);
  simd(which < 3 ? base : which < 6 ? base + 2 : base + 1);
  popVector(d);
}

function zeroVector(): void {
  simd(WV_CONST);
  for (let i = 0; i < 16; i++) byte(0);
}

/** Shuffle of two vectors on the stack by groups of `size` bytes: group i of the result is group `which(i)`. */
function lanes(size: u32, l0: u32, l1: u32, l2: u32, l3: u32): void {
  simd(WV_SHUFFLE);
  const n: u32 = 16 / size;
  for (let i: u32 = 0; i < n; i++) {
    const lane = i == 0 ? l0 : i == 1 ? l1 : i == 2 ? l2 : l3;
    for (let k: u32 = 0; k < size; k++) byte(lane * size + k);
  }
}

/** Kinds that only move lanes; false if `kind` is none that is emitted in line. */
function emitRearranged(kind: u32, d: u32, a: u32, b: u32, imm: u32): bool {
  if (kind >= V_ZIP_LOW_I8X16 && kind <= V_ZIP_HIGH_I64X2) {
    const high = kind >= V_ZIP_LOW_I8X16 + 4;
    const size: u32 = 1 << ((kind - V_ZIP_LOW_I8X16) & 3);
    pushVector(a);
    pushVector(b);
    simd(WV_SHUFFLE);
    for (let i: u32 = 0; i < 16; i++) {
      const group = i / size;
      byte((group & 1 ? 16 : 0) + (high ? 8 : 0) + (group >> 1) * size + (i % size));
    }
    popVector(d);
    return true;
  }
  switch (kind) {
    case V_DUP_LOW_64:
      pushVector(a);
      pushVector(a);
      lanes(8, 0, 0, 0, 0);
      break;
    case V_MOVE_LOW_32:
      pushVector(a);
      pushVector(b);
      lanes(4, 4, 1, 2, 3);
      break;
    case V_MOVE_LOW_64:
      pushVector(a);
      pushVector(b);
      lanes(8, 2, 1, 0, 0);
      break;
    case V_MOVE_TO_HIGH_64:
      pushVector(a);
      pushVector(b);
      lanes(8, 0, 2, 0, 0);
      break;
    case V_MOVE_FROM_HIGH_64:
      pushVector(a);
      pushVector(b);
      lanes(8, 3, 1, 0, 0);
      break;
    case V_ZERO_ABOVE_32:
      pushVector(a);
      zeroVector();
      lanes(4, 0, 4, 4, 4);
      break;
    case V_ZERO_ABOVE_64:
      pushVector(a);
      zeroVector();
      lanes(8, 0, 2, 0, 0);
      break;
    case V_SHUFFLE_I32X4:
      pushVector(a);
      pushVector(a);
      lanes(4, imm & 3, (imm >> 2) & 3, (imm >> 4) & 3, (imm >> 6) & 3);
      break;
    case V_SHUFFLE_F32X4:
      pushVector(a);
      pushVector(b);
      lanes(4, imm & 3, (imm >> 2) & 3, 4 + ((imm >> 4) & 3), 4 + ((imm >> 6) & 3));
      break;
    case V_SHUFFLE_F64X2:
      pushVector(a);
      pushVector(b);
      lanes(8, imm & 1, 2 + ((imm >> 1) & 1), 0, 0);
      break;
    case V_SHUFFLE_LOW_I16X8:
    case V_SHUFFLE_HIGH_I16X8: {
      const high: u32 = kind == V_SHUFFLE_HIGH_I16X8 ? 4 : 0;
      pushVector(a);
      pushVector(a);
      simd(WV_SHUFFLE);
      for (let i: u32 = 0; i < 8; i++) {
        const lane = (i & 4) == high ? high + ((imm >> ((i & 3) << 1)) & 3) : i;
        byte(lane << 1);
        byte((lane << 1) + 1);
      }
      break;
    }
    case V_SHL_BYTES:
    case V_SHR_BYTES: {
      const n: u32 = imm > 16 ? 16 : imm;
      pushVector(a);
      zeroVector();
      simd(WV_SHUFFLE);
      for (let i: u32 = 0; i < 16; i++) {
        if (kind == V_SHL_BYTES) byte(i < n ? 16 : i - n);
        else byte(i + n < 16 ? i + n : 16);
      }
      break;
    }
    default:
      return false;
  }
  popVector(d);
  return true;
}

// --- Floating point ---
//
// A number's bits shifted left by one lose the sign: then it is normal if it lies between the smallest normal number's
// and infinity's, and it is zero or normal if it is one less that is not below the former's.

const LOW64: u64 = 0x0020000000000000;
const RANGE64: u64 = 0xffe0000000000000 - LOW64;
const LOW32: u32 = 0x01000000;
const RANGE32: u32 = 0xff000000 - LOW32;

/** Pushes whether the float in a local is normal. */
function pushNormal(local: u32, wide: bool): void {
  get(local);
  byte(wide ? W_BITS_F64 : W_BITS_F32);
  if (wide) {
    const64(1);
    byte(W_SHL + ARITH64);
    const64(LOW64);
    byte(W_SUB + ARITH64);
    const64(RANGE64);
    byte(W_LT_U + COMPARE64);
  } else {
    const32(1);
    byte(W_SHL);
    const32(LOW32);
    byte(W_SUB);
    const32(RANGE32);
    byte(W_LT_U);
  }
}
/** Pushes whether it is not denormal. */
function pushNotDenormal(local: u32, wide: bool): void {
  get(local);
  byte(wide ? W_BITS_F64 : W_BITS_F32);
  if (wide) {
    const64(1);
    byte(W_SHL + ARITH64);
    const64(1);
    byte(W_SUB + ARITH64);
    const64(LOW64 - 1);
    byte(W_GE_U + COMPARE64);
  } else {
    const32(1);
    byte(W_SHL);
    const32(1);
    byte(W_SUB);
    const32(LOW32 - 1);
    byte(W_GE_U);
  }
}

/** Pushes lane 0 of a slot as f64 or f32. */
function pushScalar(slot: u32, wide: bool): void {
  pushVector(slot);
  simd(wide ? WV_EXTRACT_F64 : WV_EXTRACT_F32);
  byte(0);
}

/** Arithmetic: ADD MUL SUB MIN DIV MAX SQRT in the order of V_FLOAT; its distance from ADD, or -1. */
function distance(op: u32): i32 {
  switch (op) {
    case 0:
      return 0;
    case 1:
      return 2;
    case 2:
      return 1;
    case 4:
      return 3;
    default:
      return -1;
  }
}

function emitFloat(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): bool {
  if (kind < V_FLOAT + 28) {
    const op = (kind - V_FLOAT) >> 2;
    const form = kind & 3;
    if (form >= 2) return emitScalar(p, block, kind, op, form == 3, d, a, b, imm);
    return emitPacked(p, block, kind, op, form == 1, d, a, b, imm);
  }
  switch (kind) {
    case V_COMPARE_F64:
      emitCompare64(p, block, kind, d, a, b, imm);
      return true;
    case V_CVT_S32_SCALAR_F64:
      // Always exact.
      pushVector(a);
      push(b, 2);
      byte(W_CONVERT_I32_F64);
      simd(WV_REPLACE_F64);
      byte(0);
      popVector(d);
      return true;
    case V_CVT_S64_SCALAR_F64:
      get(PLAIN);
      hint(true);
      openIf();
      pushVector(a);
      push(b, 3);
      byte(W_CONVERT_I64_F64);
      simd(WV_REPLACE_F64);
      byte(0);
      popVector(d);
      byte(W_ELSE);
      callOut(p, block, kind, d, a, b, imm);
      close();
      return true;
    case V_CVT_SCALAR_F64_S32:
    case V_CVT_SCALAR_F64_S64: {
      if (!(imm & 1)) return false;
      const wide = kind == V_CVT_SCALAR_F64_S64;
      pushScalar(a, true);
      tee(F0);
      byte(W_ABS_F64);
      byte(W_CONST_F64);
      // 2^31 or 2^63, as f64 bits; little-endian.
      for (let i = 0; i < 6; i++) byte(0);
      byte(0xe0);
      byte(wide ? 0x43 : 0x41);
      byte(W_LT_F64);
      get(PLAIN);
      byte(W_AND);
      hint(true);
      openIf();
      get(F0);
      byte(wide ? W_TRUNC_F64_I64 : W_TRUNC_F64_I32);
      pop(d, wide ? 3 : 2);
      byte(W_ELSE);
      callOut(p, block, kind, d, a, b, imm);
      close();
      return true;
    }
    default:
      return false;
  }
}

function emitScalar(p: usize, block: usize, kind: u32, op: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  const x = wide ? F0 : G0;
  const y = wide ? F1 : G1;
  const r = wide ? F2 : G2;
  const n = distance(op);
  const root = op == 6;
  if (n < 0 && !root) return false;
  if (!root) {
    pushScalar(a, wide);
    set(x);
  }
  pushScalar(b, wide);
  set(y);
  if (root) {
    get(y);
    byte(wide ? W_SQRT_F64 : W_SQRT_F32);
  } else {
    get(x);
    get(y);
    byte((wide ? W_ADD_F64 : W_ADD_F32) + n);
  }
  set(r);
  get(PLAIN);
  pushNormal(r, wide);
  byte(W_AND);
  if (!root) {
    pushNotDenormal(x, wide);
    byte(W_AND);
  }
  pushNotDenormal(y, wide);
  byte(W_AND);
  hint(true);
  openIf();
  pushVector(a);
  get(r);
  simd(wide ? WV_REPLACE_F64 : WV_REPLACE_F32);
  byte(0);
  popVector(d);
  byte(W_ELSE);
  callOut(p, block, kind, d, a, b, imm);
  close();
  return true;
}

/** Pushes a vector of the smallest normal numbers, or infinities. */
function splat(wide: bool, infinity: bool): void {
  simd(WV_CONST);
  for (let i: u32 = 0; i < 16; i++) {
    const k = wide ? i & 7 : i & 3;
    const top: u32 = wide ? 7 : 3;
    // 0x0010…, 0x7ff0… of doubles; 0x0080…, 0x7f80… of singles.
    if (k == top) byte(infinity ? 0x7f : 0);
    else if (k == top - 1) byte(wide ? (infinity ? 0xf0 : 0x10) : 0x80);
    else byte(0);
  }
}

/** Pushes a mask of the lanes of `v` that are not denormal. */
function pushNotDenormals(v: u32, wide: bool): void {
  // abs(v) >= smallest normal, or v == 0; NaN and infinity are seen in the result.
  get(v);
  simd(wide ? 0xec : 0xe0);
  splat(wide, false);
  simd(wide ? 0x4c : 0x46);
  get(v);
  zeroVector();
  simd(wide ? 0x47 : 0x41);
  simd(WV_OR);
}

function emitPacked(p: usize, block: usize, kind: u32, op: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  const n = distance(op);
  if (n < 0) return false;
  pushVector(a);
  set(V0);
  pushVector(b);
  set(V1);
  get(V0);
  get(V1);
  simd((wide ? 0xf0 : 0xe4) + n);
  tee(V2);
  simd(wide ? 0xec : 0xe0);
  splat(wide, false);
  simd(wide ? 0x4c : 0x46);
  get(V2);
  simd(wide ? 0xec : 0xe0);
  splat(wide, true);
  simd(wide ? 0x49 : 0x43);
  simd(WV_AND);
  pushNotDenormals(V0, wide);
  simd(WV_AND);
  pushNotDenormals(V1, wide);
  simd(WV_AND);
  simd(wide ? 0xc3 : 0xa3);
  get(PLAIN);
  byte(W_AND);
  hint(true);
  openIf();
  get(V2);
  popVector(d);
  byte(W_ELSE);
  callOut(p, block, kind, d, a, b, imm);
  close();
  return true;
}

/** COMISD, UCOMISD: ordinary operands give CF = a < b, ZF = a == b. */
function emitCompare64(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  settleFlags();
  pushScalar(a, true);
  set(F0);
  pushScalar(b, true);
  set(F1);
  get(PLAIN);
  pushNotDenormal(F0, true);
  byte(W_AND);
  pushNotDenormal(F1, true);
  byte(W_AND);
  get(F0);
  get(F0);
  byte(W_EQ_F64);
  byte(W_AND);
  get(F1);
  get(F1);
  byte(W_EQ_F64);
  byte(W_AND);
  hint(true);
  openIf();
  get(F0);
  get(F1);
  byte(W_LT_F64);
  const32(FLAG_ZF);
  get(F0);
  get(F1);
  byte(W_EQ_F64);
  // ZF is bit 6.
  byte(W_MUL);
  byte(W_OR);
  byte(W_EXTEND_U);
  set(CC_A);
  setKind(CCK_EXPLICIT, 0);
  byte(W_ELSE);
  callOut(p, block, kind, d, a, b, imm);
  close();
  flagsAreExplicit();
}
