// Vector operations: those that WebAssembly has are emitted in line (floating-point arithmetic: float.ts); the others
// call the core's, on the state.

import { A_BASE, A_CRYPTO, A_FCMP, A_FMADD, A_FNMSUB, A_LISTS } from '../arm/simd/kinds';
import {
  V_ADD_I8X16,
  V_ADD_I16X8,
  V_ADD_I32X4,
  V_ADD_I64X2,
  V_ADD_SAT_S8X16,
  V_ADD_SAT_S16X8,
  V_ADD_SAT_U8X16,
  V_ADD_SAT_U16X8,
  V_AND,
  V_ANDNOT,
  V_AVG_U8X16,
  V_AVG_U16X8,
  V_BITMASK_I8X16,
  V_BITMASK_I32X4,
  V_BITMASK_I64X2,
  V_BLENDV_I8X16,
  V_BLENDV_I64X2,
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
  V_ZIP_LOW_I64X2,
} from '../sse/vops';
import { leaveIfAsked } from './access';
import { emitArmFloat } from './arm-float';
import { emitArmLanes } from './arm-lanes';
import { flagsAreExplicit } from './flags';
import { emitFloat } from './float';
import {
  call,
  FUEL,
  loadFlags,
  loadSlot,
  pop,
  popVector,
  pushVector,
  startFloat,
  storeFrame,
  storeSlot,
  storeTemps,
} from './frame';
import { F_VECTOR } from './imports';
import { boundOf, makeZero, setBounds } from './sure';
import { byte, const32, get, simd, W_DROP, WV_AND, WV_ANDNOT, WV_CONST, WV_OR, WV_SHUFFLE, WV_XOR } from './wasm';

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
  if (ISA_AARCH64 && kind >= A_BASE) {
    emitArmVector(p, block, kind);
    return;
  }
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
    if (kind == V_XOR && a == b) makeZero(d);
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
  const bounds = rearrangedBounds(kind, a, b, imm);
  if (emitRearranged(kind, d, a, b, imm)) {
    setBounds(d, bounds & 0xffff, bounds >> 16);
    return;
  }
  if (kind >= V_BITMASK_I8X16 && kind <= V_BITMASK_I64X2) {
    pushVector(a);
    // i8x16, i32x4, i64x2.bitmask
    simd(kind == V_BITMASK_I8X16 ? 0x64 : kind == V_BITMASK_I32X4 ? 0xa4 : 0xc4);
    pop(d, 2);
    return;
  }
  if (kind >= V_FLOAT && emitFloat(p, block, kind, d, a, b, imm)) return;
  callOut(p, block, kind, d, a, b, imm);
  if (kind >= V_FLOAT) startFloat(block);
}

/** A64's own kinds. */
function emitArmVector(p: usize, block: usize, kind: u32): void {
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  const imm: u32 = load<u16>(p, 10);
  const what = (kind - A_BASE) >> 4;
  if (emitArmLanes(what, kind & 15, d, a, b, imm) || emitArmFloat(p, block, what, kind & 15, d, a, b, imm)) return;
  callOutArm(p, block, what, d, a, b, imm);
}

/** The core does an operation of A64's own. */
export function callOutArm(p: usize, block: usize, what: u32, d: u32, a: u32, b: u32, imm: u32): void {
  // Lists of registers may be any.
  if (what >= A_LISTS && what < A_CRYPTO) {
    storeFrame();
    storeTemps();
  }
  storeSlot(a);
  storeSlot(b);
  storeSlot(d);
  if (what >= A_FMADD && what <= A_FNMSUB) storeSlot(imm);
  const32(<u32>p);
  const32(<u32>block);
  get(FUEL);
  call(F_VECTOR);
  byte(W_DROP);
  if (what == A_FCMP) {
    loadFlags();
    flagsAreExplicit();
  } else loadSlot(d);
}

/** The core does it. */
export function callOut(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
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

export function zeroVector(): void {
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

/** Bounds (sure.ts) of both doubles, low | high << 16, after a kind that moves whole doubles; else 0. */
function rearrangedBounds(kind: u32, a: u32, b: u32, imm: u32): u32 {
  switch (kind) {
    case V_ZIP_LOW_I64X2:
    case V_MOVE_TO_HIGH_64:
      return boundOf(a, 0) | (boundOf(b, 0) << 16);
    case V_ZIP_HIGH_I64X2:
      return boundOf(a, 1) | (boundOf(b, 1) << 16);
    case V_DUP_LOW_64:
      return boundOf(a, 0) | (boundOf(a, 0) << 16);
    case V_MOVE_LOW_64:
      return boundOf(b, 0) | (boundOf(a, 1) << 16);
    case V_MOVE_FROM_HIGH_64:
      return boundOf(b, 1) | (boundOf(a, 1) << 16);
    case V_ZERO_ABOVE_64:
      return boundOf(a, 0) | (1 << 16);
    case V_SHUFFLE_F64X2:
      return boundOf(a, imm & 1) | (boundOf(b, (imm >> 1) & 1) << 16);
    default:
      return 0;
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
