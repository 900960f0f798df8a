// Floating-point arithmetic by WebAssembly's, under the conditions of sse/vector-fast.ts: MXCSR asks for nothing but the
// default and the precision flag is set (the local PLAIN), and operands and result are ordinary numbers.
//
// If not, the region is left and the interpreter finishes the block: with no way back from there, V8 knows of what
// follows that all went well. A block that is left so too often is rough (run-region.ts): in its next region the core's
// operation is called and the region goes on.
//
// Results that have been looked at need not be looked at again as operands. What is known of them holds if all of the
// block's operations so far went this way; so a call clears PLAIN until the next block, whose beginning reads MXCSR
// again.

import { CCK_EXPLICIT } from '../ir/flags';
import { FLAG_ZF } from '../layout/x86-state';
import {
  V_COMPARE_F32,
  V_COMPARE_F64,
  V_CVT_S32_SCALAR_F32,
  V_CVT_S32_SCALAR_F64,
  V_CVT_S64_SCALAR_F64,
  V_CVT_SCALAR_F32_F64,
  V_CVT_SCALAR_F32_S32,
  V_CVT_SCALAR_F64_F32,
  V_CVT_SCALAR_F64_S32,
  V_CVT_SCALAR_F64_S64,
  V_FLOAT,
} from '../sse/vops';
import { LEFT_BEFORE } from './exits';
import { flagsAreExplicit, setKind, settleAtExit, settleFlags } from './flags';
import { CC_A, F0, F1, F2, G0, G1, G2, PLAIN, pop, popVector, push, pushVector, V0, V1, V2 } from './frame';
import { branch, branchIf, close, DONE, hint, leaveBefore, openBlock, openIf, SLOW } from './labels';
import {
  boundOf,
  boundOfBoth,
  isPlainSure,
  isRough,
  isSure,
  makeSure,
  ORDINARY,
  SURE_F32,
  SURE_F32X4,
  setBounds,
} from './sure';
import { callOut, zeroVector } from './vector';
import {
  ARITH64,
  byte,
  const32,
  const64,
  get,
  set,
  simd,
  tee,
  W_ADD,
  W_AND,
  W_EQZ,
  W_EXTEND_U,
  W_GE_U,
  W_MUL,
  W_NE,
  W_OR,
  W_SELECT,
  W_SHL,
  W_SHR_U,
  W_WRAP,
  WV_AND,
  WV_CONST,
  WV_EXTRACT_F32,
  WV_EXTRACT_F64,
  WV_OR,
  WV_REPLACE_F32,
  WV_REPLACE_F64,
  WV_XOR,
} from './wasm';

// Floating-point instructions: of single precision, those of double precision a constant further.
export const W_EQ_F32: u32 = 0x5b;
export const W_NE_F32: u32 = 0x5c;
export const W_LT_F32: u32 = 0x5d;
const W_GT_F32: u32 = 0x5e;
const COMPARE_F64: u32 = 6;
export const W_ABS_F32: u32 = 0x8b;
export const W_SQRT_F32: u32 = 0x91;
export const W_ADD_F32: u32 = 0x92;
const ARITH_F64: u32 = 14;
const W_TRUNC_F32_I32: u32 = 0xa8;
const W_TRUNC_F64_I32: u32 = 0xaa;
const W_TRUNC_F64_I64: u32 = 0xb0;
export const W_CONVERT_I32_F32: u32 = 0xb2;
export const W_DEMOTE: u32 = 0xb6;
const W_CONVERT_I32_F64: u32 = 0xb7;
const W_CONVERT_I64_F64: u32 = 0xb9;
export const W_PROMOTE: u32 = 0xbb;
const W_BITS_F32: u32 = 0xbc;
const W_BITS_F64: u32 = 0xbd;
export const W_CONST_F32: u32 = 0x43;
export const W_CONST_F64: u32 = 0x44;

// Operations of V_FLOAT.
const ADD: u32 = 0;
const MUL: u32 = 1;
const SUB: u32 = 2;
const MIN: u32 = 3;
const DIV: u32 = 4;
const MAX: u32 = 5;
const SQRT: u32 = 6;

/** Distance of an operation's instruction from ADD's, in WebAssembly's order ADD SUB MUL DIV. */
function distance(op: u32): u32 {
  return op == SUB ? 1 : op == MUL ? 2 : op == DIV ? 3 : 0;
}

export function float(op: u32, wide: bool): void {
  byte(wide && op >= W_ABS_F32 ? op + ARITH_F64 : wide ? op + COMPARE_F64 : op);
}
function pushZero(wide: bool): void {
  byte(wide ? W_CONST_F64 : W_CONST_F32);
  const n = wide ? 8 : 4;
  for (let i = 0; i < n; i++) byte(0);
}

/** Pushes lane 0 of a slot as f64 or f32. */
export function pushScalar(slot: u32, wide: bool): void {
  pushVector(slot);
  simd(wide ? WV_EXTRACT_F64 : WV_EXTRACT_F32);
  byte(0);
}
/** Pops an f64 or f32 to lane 0 of d, the rest of which is that of a. */
function popScalar(d: u32, a: u32, local: u32, wide: bool): void {
  pushVector(a);
  get(local);
  simd(wide ? WV_REPLACE_F64 : WV_REPLACE_F32);
  byte(0);
  popVector(d);
}

// --- The frame of an operation: block DONE { block SLOW { in line; br DONE } leave, or call } ---

export function begin(): void {
  openBlock(DONE);
  openBlock(SLOW);
  if (isPlainSure()) return;
  get(PLAIN);
  byte(W_EQZ);
  toSlow();
}
/** Ends what is in line. If the block is not rough, the interpreter takes over on the slow way; else false. */
export function leavesWhenSlow(p: usize, block: usize): bool {
  branch(DONE);
  close();
  if (isRough(block)) return false;
  settleAtExit();
  leaveBefore(block, p, LEFT_BEFORE);
  return true;
}
/** A condition is on the stack: if it is true, the operation goes the slow way. */
export function toSlow(): void {
  hint(false);
  branchIf(SLOW);
}
function end(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  if (!leavesWhenSlow(p, block)) {
    callOut(p, block, kind, d, a, b, imm);
    const32(0);
    set(PLAIN);
  }
  close();
}

// What has underflown may have been rounded up to the smallest normal number: its whole binade counts as too small.
export const NORMAL: u32 = 1;
export const NOT_TINY: u32 = 2;
/** Opens an if for a float whose biased exponent is below `least` or that of infinity. */
export function ifNotNormal(local: u32, wide: bool, least: u32): void {
  ifOutside(local, wide, least, wide ? 0x7ff : 0xff);
}
/** Opens an if for a float whose biased exponent is below `least`, or `limit` or above. */
function ifOutside(local: u32, wide: bool, least: u32, limit: u32): void {
  // The upper 32 bits without the sign, so that the exponent is at the top: one comparison tests both ends.
  const exponent: u32 = wide ? 21 : 24;
  get(local);
  byte(wide ? W_BITS_F64 : W_BITS_F32);
  if (wide) {
    const64(32);
    byte(W_SHR_U + ARITH64);
    byte(W_WRAP);
  }
  const32(1);
  byte(W_SHL);
  const32(0 - (least << exponent));
  byte(W_ADD);
  const32((limit - least) << exponent);
  byte(W_GE_U);
  hint(false);
  openIf();
}
export function pushNotZero(local: u32, wide: bool): void {
  get(local);
  pushZero(wide);
  float(W_NE_F32, wide);
}

/** An operand must be zero or normal. */
function checkOperand(slot: u32, local: u32, wide: bool): void {
  if (wide) {
    if (!boundOf(slot, 0)) bindOperand(slot, local);
    return;
  }
  if (isSure(slot, SURE_F32) || isSure(slot, SURE_F32X4)) return;
  ifNotNormal(local, false, NORMAL);
  pushNotZero(local, false);
  branchIf(SLOW);
  close();
  makeSure(slot, SURE_F32);
}

/** The bound that doubles are looked at for: several multiplications of what passes, and additions, need no other look. */
const MEDIUM: u32 = 200;
/** Up to this bound everything is normal. */
const SAFE: u32 = 1020;
/** What an addition adds to the larger bound. */
const CANCELLED: u32 = 53;

/** Looks at a double: zero, or of medium size. */
function bindOperand(slot: u32, local: u32): void {
  ifOutside(local, true, 0x3ff - MEDIUM, 0x3ff + MEDIUM);
  pushNotZero(local, true);
  branchIf(SLOW);
  close();
  setBounds(slot, MEDIUM, boundOf(slot, 1));
}

/** Bound of an operand that checkOperand() has looked at. */
function operandBound(slot: u32): u32 {
  const bound = boundOf(slot, 0);
  return bound ? bound : MEDIUM;
}
/** Looks at operands of a sum or product until its bound is safe; returns it. */
function boundResult(op: u32, a: u32, x: u32, b: u32, y: u32): u32 {
  while (true) {
    const first = operandBound(a);
    const second = operandBound(b);
    const bound = op == MUL ? first + second + 1 : max<u32>(first, second) + CANCELLED;
    if (bound <= SAFE) return bound;
    // The larger one is more than medium, so this ends.
    if (first >= second) bindOperand(a, x);
    else bindOperand(b, y);
  }
}
/** Bound of an ordinary result of the other operations. */
function boundOfOrdinary(op: u32, a: u32, b: u32): u32 {
  const second = operandBound(b);
  if (op == SQRT) return (second >> 1) + 1;
  const first = operandBound(a);
  return op == DIV ? min<u32>(first + second + 1, ORDINARY) : max<u32>(first, second);
}

/** OP_VEC of a kind from V_FLOAT on. False if it is not done in line. */
export function emitFloat(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): bool {
  if (kind < V_FLOAT + 28) {
    const op = (kind - V_FLOAT) >> 2;
    const form = kind & 3;
    if (form >= 2) {
      emitScalar(p, block, kind, op, form == 3, d, a, b, imm);
      return true;
    }
    return emitPacked(p, block, kind, op, form == 1, d, a, b, imm);
  }
  const above = boundOf(a, 1);
  switch (kind) {
    case V_COMPARE_F32:
    case V_COMPARE_F64:
      emitCompare(p, block, kind, d, a, b, imm);
      return true;
    case V_CVT_S32_SCALAR_F64:
      // Always exact.
      pushVector(a);
      push(b, 2);
      byte(W_CONVERT_I32_F64);
      simd(WV_REPLACE_F64);
      byte(0);
      popVector(d);
      setBounds(d, 32, above);
      return true;
    case V_CVT_S64_SCALAR_F64:
    case V_CVT_S32_SCALAR_F32: {
      const wide = kind == V_CVT_S64_SCALAR_F64;
      begin();
      pushVector(a);
      push(b, wide ? 3 : 2);
      byte(wide ? W_CONVERT_I64_F64 : W_CONVERT_I32_F32);
      simd(wide ? WV_REPLACE_F64 : WV_REPLACE_F32);
      byte(0);
      popVector(d);
      end(p, block, kind, d, a, b, imm);
      if (wide) setBounds(d, 64, above);
      else makeSure(d, SURE_F32);
      return true;
    }
    case V_CVT_SCALAR_F64_S32:
    case V_CVT_SCALAR_F64_S64:
    case V_CVT_SCALAR_F32_S32:
      if (!(imm & 1)) return false;
      emitTruncate(p, block, kind, d, a, b, imm);
      return true;
    case V_CVT_SCALAR_F32_F64:
    case V_CVT_SCALAR_F64_F32:
      emitPrecision(p, block, kind, d, a, b, imm);
      return true;
    default:
      return false;
  }
}

function emitScalar(p: usize, block: usize, kind: u32, op: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): void {
  const x = wide ? F0 : G0;
  const y = wide ? F1 : G1;
  const r = wide ? F2 : G2;
  begin();
  if (op != SQRT) {
    pushScalar(a, wide);
    set(x);
    checkOperand(a, x, wide);
  }
  pushScalar(b, wide);
  set(y);
  checkOperand(b, y, wide);
  const bounded = wide && (op == ADD || op == SUB || op == MUL);
  let bound: u32 = 0;
  if (wide) bound = bounded ? boundResult(op, a, x, b, y) : boundOfOrdinary(op, a, b);
  if (op == MIN || op == MAX) {
    get(x);
    get(y);
    get(x);
    get(y);
    float(op == MIN ? W_LT_F32 : W_GT_F32, wide);
    byte(W_SELECT);
    set(r);
  } else {
    if (op == SQRT) {
      get(y);
      float(W_SQRT_F32, wide);
    } else {
      get(x);
      get(y);
      float(W_ADD_F32 + distance(op), wide);
    }
    set(r);
  }
  if (wide && op == SQRT) {
    // The root of a bounded number is bounded, unless that is negative.
    get(y);
    pushZero(true);
    float(W_LT_F32, true);
    toSlow();
  } else if (op != MIN && op != MAX && !bounded) {
    // A zero is exact as a sum, or when an operand is one; else it has underflown.
    ifNotNormal(r, wide, op == MUL || op == DIV ? NOT_TINY : NORMAL);
    pushNotZero(r, wide);
    if (op == MUL || op == DIV) {
      pushNotZero(x, wide);
      if (op == MUL) {
        pushNotZero(y, wide);
        byte(W_AND);
      }
      byte(W_OR);
    }
    branchIf(SLOW);
    close();
  }
  const above = boundOf(a, 1);
  popScalar(d, a, r, wide);
  end(p, block, kind, d, a, b, imm);
  if (wide) setBounds(d, bound, above);
  else makeSure(d, SURE_F32);
}

/** CVTTSD2SI, CVTTSS2SI. */
function emitTruncate(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  const to64 = kind == V_CVT_SCALAR_F64_S64;
  const wide = kind != V_CVT_SCALAR_F32_S32;
  const x = wide ? F0 : G0;
  begin();
  pushScalar(a, wide);
  tee(x);
  float(W_ABS_F32, wide);
  byte(wide ? W_CONST_F64 : W_CONST_F32);
  // 2^31 or 2^63: 0x41e0…, 0x43e0…, or 0x4f00….
  const zeros = wide ? 6 : 2;
  for (let i = 0; i < zeros; i++) byte(0);
  byte(wide ? 0xe0 : 0);
  byte(wide ? (to64 ? 0x43 : 0x41) : 0x4f);
  float(W_LT_F32, wide);
  byte(W_EQZ);
  toSlow();
  get(x);
  byte(to64 ? W_TRUNC_F64_I64 : wide ? W_TRUNC_F64_I32 : W_TRUNC_F32_I32);
  pop(d, to64 ? 3 : 2);
  end(p, block, kind, d, a, b, imm);
}

/** CVTSS2SD, CVTSD2SS. */
function emitPrecision(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  const from64 = kind == V_CVT_SCALAR_F64_F32;
  const x = from64 ? F0 : G0;
  const r = from64 ? G0 : F0;
  const above = boundOf(a, 1);
  begin();
  pushScalar(b, from64);
  set(x);
  checkOperand(b, x, from64);
  get(x);
  byte(from64 ? W_DEMOTE : W_PROMOTE);
  set(r);
  if (from64) {
    ifNotNormal(r, false, NOT_TINY);
    pushNotZero(x, true);
    branchIf(SLOW);
    close();
  }
  popScalar(d, a, r, !from64);
  end(p, block, kind, d, a, b, imm);
  if (from64) makeSure(d, SURE_F32);
  else setBounds(d, 160, above);
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

/** Pushes a mask of the lanes of `v` that are zero or normal. */
function pushOrdinary(v: u32, wide: bool): void {
  get(v);
  simd(wide ? 0xec : 0xe0); // abs
  tee(V2);
  splat(wide, false);
  simd(wide ? 0x4c : 0x46); // ge
  get(V2);
  splat(wide, true);
  simd(wide ? 0x49 : 0x43); // lt
  simd(WV_AND);
  get(v);
  zeroVector();
  simd(wide ? 0x47 : 0x41); // eq
  simd(WV_OR);
}
/** Pushes a mask of the lanes of `v` that are above the smallest normal number and finite. */
function pushBetween(v: u32, wide: bool): void {
  get(v);
  simd(wide ? 0xec : 0xe0); // abs
  tee(V2);
  splat(wide, false);
  simd(wide ? 0x4a : 0x44); // gt
  get(V2);
  splat(wide, true);
  simd(wide ? 0x49 : 0x43); // lt
  simd(WV_AND);
}
/** Pushes a mask of the lanes of `v` that are finite. */
function pushFinite(v: u32, wide: bool): void {
  get(v);
  simd(wide ? 0xec : 0xe0);
  splat(wide, true);
  simd(wide ? 0x49 : 0x43);
}
/** What lanes must be: zero or normal; above the smallest normal number and finite; finite; zero or of medium size. */
export const LANES_ORDINARY: u32 = 0;
export const LANES_BETWEEN: u32 = 1;
export const LANES_FINITE: u32 = 2;
const LANES_MEDIUM: u32 = 3;

/**
 * Goes the slow way unless all lanes of `v` are as they must be. Lanes of medium size, whose exponent's two highest bits
 * differ, are anything of that: one look for all of them, and the exact test only where it fails.
 */
export function checkLanes(v: u32, wide: bool, must: u32): void {
  const add: u32 = wide ? 0xce : 0xae;
  get(v);
  get(v);
  simd(add);
  tee(V2);
  get(V2);
  get(V2);
  simd(add);
  simd(WV_XOR);
  simd(wide ? 0xc4 : 0xa4); // bitmask
  const32(wide ? 3 : 15);
  byte(W_NE);
  hint(false);
  openIf();
  if (must == LANES_ORDINARY) pushOrdinary(v, wide);
  else if (must == LANES_MEDIUM) {
    // Of the lanes that are not of medium size each must be zero: all bits but the sign.
    get(V2);
    get(V2);
    simd(add);
    get(V2);
    simd(WV_XOR);
    const32(63);
    simd(0xcc); // i64x2.shr_s
    get(V2);
    zeroVector();
    simd(0xd6); // i64x2.eq
    simd(WV_OR);
  } else if (must == LANES_BETWEEN) pushBetween(v, wide);
  else pushFinite(v, wide);
  simd(wide ? 0xc3 : 0xa3); // all_true
  byte(W_EQZ);
  toSlow();
  close();
}

/** The bound of doubles that one look at both lanes finds to be of medium size. */
const MEDIUM_LANES: u32 = 513;

/** An operand of packed doubles must be of medium size, or zero. */
function bindLanes(slot: u32, v: u32): void {
  checkLanes(v, true, LANES_MEDIUM);
  setBounds(slot, MEDIUM_LANES, MEDIUM_LANES);
}
function lanesBound(slot: u32): u32 {
  const bound = boundOfBoth(slot);
  return bound ? bound : MEDIUM_LANES;
}

function emitPacked(p: usize, block: usize, kind: u32, op: u32, wide: bool, d: u32, a: u32, b: u32, imm: u32): bool {
  if (op == MIN || op == MAX || op == SQRT) return false;
  begin();
  pushVector(a);
  set(V0);
  pushVector(b);
  set(V1);
  const sum = op == ADD || op == SUB;
  let bound: u32 = 0;
  if (wide) {
    if (!boundOfBoth(a)) bindLanes(a, V0);
    if (!boundOfBoth(b)) bindLanes(b, V1);
    // A sum is bounded once its operands are; products of medium operands are too often not to look at operands again.
    if (sum && lanesBound(a) + CANCELLED > SAFE) bindLanes(a, V0);
    if (sum && lanesBound(b) + CANCELLED > SAFE) bindLanes(b, V1);
    const x = lanesBound(a);
    const y = lanesBound(b);
    bound = sum ? max<u32>(x, y) + CANCELLED : op == MUL ? x + y + 1 : SAFE + 1;
  } else {
    if (!isSure(a, SURE_F32X4)) {
      checkLanes(V0, false, LANES_ORDINARY);
      makeSure(a, SURE_F32X4);
    }
    if (!isSure(b, SURE_F32X4)) {
      checkLanes(V1, false, LANES_ORDINARY);
      makeSure(b, SURE_F32X4);
    }
  }
  get(V0);
  get(V1);
  simd((wide ? 0xf0 : 0xe4) + distance(op));
  set(V0);
  // A zero or the smallest normal number may have underflown, as a product.
  if (!wide) checkLanes(V0, false, sum ? LANES_ORDINARY : LANES_BETWEEN);
  else if (bound > SAFE) {
    checkLanes(V0, true, LANES_BETWEEN);
    bound = ORDINARY;
  }
  get(V0);
  popVector(d);
  end(p, block, kind, d, a, b, imm);
  if (wide) setBounds(d, bound, bound);
  else makeSure(d, SURE_F32X4);
  return true;
}

/** COMISD, UCOMISD and their like: ordinary operands give CF = a < b, ZF = a == b. */
function emitCompare(p: usize, block: usize, kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  const wide = kind == V_COMPARE_F64;
  const x = wide ? F0 : G0;
  const y = wide ? F1 : G1;
  settleFlags();
  begin();
  pushScalar(a, wide);
  set(x);
  checkOperand(a, x, wide);
  pushScalar(b, wide);
  set(y);
  checkOperand(b, y, wide);
  get(x);
  get(y);
  float(W_LT_F32, wide);
  const32(FLAG_ZF);
  get(x);
  get(y);
  float(W_EQ_F32, wide);
  // ZF is bit 6.
  byte(W_MUL);
  byte(W_OR);
  byte(W_EXTEND_U);
  set(CC_A);
  setKind(CCK_EXPLICIT, 0);
  end(p, block, kind, d, a, b, imm);
  flagsAreExplicit();
}
