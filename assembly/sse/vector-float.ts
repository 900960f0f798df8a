// Floating-point arithmetic of vectors, lane by lane through softfloat: every rounding mode, exact MXCSR flags.
// vector-fast.ts goes before it and takes the ordinary cases.

import {
  CMP_EQUAL,
  CMP_LESS,
  CMP_UNORDERED,
  compare,
  F32,
  F64,
  floatAdd,
  floatDiv,
  floatMax,
  floatMin,
  floatMul,
  floatSqrt,
  floatSub,
  signBit,
  toIntegral,
} from '../fpu/softfloat';
import { beginSse, commitSse, roundingMode, settleSse } from './mxcsr';
import { V_ADDSUB_F32X4, V_DOT_F32X4, V_FLOAT, V_HADD_F32X4, V_HSUB_F32X4 } from './vops';

// Operations, as numbered by (kind - V_FLOAT) / 4 in vops.ts.
export const ADD: u32 = 0;
export const MUL: u32 = 1;
export const SUB: u32 = 2;
export const MIN: u32 = 3;
export const DIV: u32 = 4;
export const MAX: u32 = 5;
export const SQRT: u32 = 6;
export const CMP: u32 = 7;

/** Results gather here until it is known that no exception is raised. */
const result: usize = memory.data(16, 16);

export function lane(v: usize, i: u32, fmt: u32): u64 {
  return fmt ? load<u64>(v + ((<usize>i) << 3)) : <u64>load<u32>(v + ((<usize>i) << 2));
}
export function setResult(i: u32, fmt: u32, bits: u64): void {
  if (fmt) store<u64>(result + ((<usize>i) << 3), bits);
  else store<u32>(result + ((<usize>i) << 2), <u32>bits);
}
export function clearResult(): void {
  v128.store(result, i64x2.splat(0));
}

/** Writes the gathered vector to d, unless an unmasked exception was raised. */
export function commitVector(d: usize): void {
  if (commitSse()) v128.store(d, v128.load(result));
}

/** Writes the vector at a to d, lane 0 replaced by the result, unless an unmasked exception was raised. */
export function commitScalar(d: usize, a: usize, fmt: u32): void {
  if (!commitSse()) return;
  v128.store(d, v128.load(a));
  if (fmt) store<u64>(d, load<u64>(result));
  else store<u32>(d, load<u32>(result));
}

/** CMPPS predicates 0–7; LT, LE and their negations take offence at quiet NaNs. */
function holds(predicate: u32, a: u64, b: u64, fmt: u32): bool {
  const which = predicate & 3;
  const relation = compare(a, b, fmt, which == 1 || which == 2);
  let r: bool;
  if (which == 0) r = relation == CMP_EQUAL;
  else if (which == 1) r = relation == CMP_LESS;
  else if (which == 2) r = relation == CMP_LESS || relation == CMP_EQUAL;
  else r = relation == CMP_UNORDERED;
  return r != ((predicate & 4) != 0);
}

function operate(op: u32, a: u64, b: u64, fmt: u32, imm: u32): u64 {
  switch (op) {
    case ADD:
      return floatAdd(a, b, fmt);
    case MUL:
      return floatMul(a, b, fmt);
    case SUB:
      return floatSub(a, b, fmt);
    case MIN:
      return floatMin(a, b, fmt);
    case DIV:
      return floatDiv(a, b, fmt);
    case MAX:
      return floatMax(a, b, fmt);
    case SQRT:
      return floatSqrt(b, fmt);
    case CMP:
      return holds(imm, a, b, fmt) ? signBit(fmt) | (signBit(fmt) - 1) : 0;
    default:
      // ROUNDPS: imm[1:0] rounding mode, imm[2]: MXCSR's instead, imm[3]: no precision exception.
      return toIntegral(b, fmt, imm & 4 ? roundingMode() : imm & 3, (imm & 8) != 0);
  }
}

/** Kinds V_ADD_F32X4 to V_ROUND_SCALAR_F64. */
export function floatArithmetic(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const op = (kind - V_FLOAT) >> 2;
  const fmt = kind & 1;
  beginSse();
  if (kind & 2) {
    setResult(0, fmt, operate(op, lane(a, 0, fmt), lane(b, 0, fmt), fmt, imm));
    commitScalar(d, a, fmt);
    return;
  }
  const n: u32 = fmt ? 2 : 4;
  for (let i: u32 = 0; i < n; i++) setResult(i, fmt, operate(op, lane(a, i, fmt), lane(b, i, fmt), fmt, imm));
  commitVector(d);
}

function horizontal(d: usize, a: usize, b: usize, fmt: u32, subtract: bool): void {
  const half: u32 = fmt ? 1 : 2;
  for (let i: u32 = 0; i < 2 * half; i++) {
    const v = i < half ? a : b;
    const k = (i < half ? i : i - half) << 1;
    const x = lane(v, k, fmt);
    const y = lane(v, k + 1, fmt);
    setResult(i, fmt, subtract ? floatSub(x, y, fmt) : floatAdd(x, y, fmt));
  }
  commitVector(d);
}

function addSubtract(d: usize, a: usize, b: usize, fmt: u32): void {
  const n: u32 = fmt ? 2 : 4;
  for (let i: u32 = 0; i < n; i++) {
    const x = lane(a, i, fmt);
    const y = lane(b, i, fmt);
    setResult(i, fmt, i & 1 ? floatAdd(x, y, fmt) : floatSub(x, y, fmt));
  }
  commitVector(d);
}

/** Product of lane i, or +0 where imm leaves the lane out. */
function term(i: u32, a: usize, b: usize, fmt: u32, imm: u32): u64 {
  return (imm >> (4 + i)) & 1 ? floatMul(lane(a, i, fmt), lane(b, i, fmt), fmt) : 0;
}

/** DPPS, DPPD (SDM vol. 2): each product and each sum is rounded, and an unmasked exception stops the next step. */
function dotProduct(d: usize, a: usize, b: usize, fmt: u32, imm: u32): void {
  const p0 = term(0, a, b, fmt, imm);
  const p1 = term(1, a, b, fmt, imm);
  let sum: u64 = 0;
  if (fmt == F32) {
    const p2 = term(2, a, b, fmt, imm);
    const p3 = term(3, a, b, fmt, imm);
    if (settleSse()) {
      const low = floatAdd(p0, p1, fmt);
      const high = floatAdd(p2, p3, fmt);
      if (settleSse()) sum = floatAdd(low, high, fmt);
    }
  } else if (settleSse()) sum = floatAdd(p0, p1, fmt);
  const n: u32 = fmt ? 2 : 4;
  for (let i: u32 = 0; i < n; i++) setResult(i, fmt, (imm >> i) & 1 ? sum : 0);
  commitVector(d);
}

/** Kinds V_HADD_F32X4 to V_DOT_F64X2. */
export function floatAcross(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const fmt = (kind - V_HADD_F32X4) & 1 ? F64 : F32;
  beginSse();
  if (kind < V_HSUB_F32X4) horizontal(d, a, b, fmt, false);
  else if (kind < V_ADDSUB_F32X4) horizontal(d, a, b, fmt, true);
  else if (kind < V_DOT_F32X4) addSubtract(d, a, b, fmt);
  else dotProduct(d, a, b, fmt, imm);
}
