// Operations between lanes of different width, and those that rearrange lanes: A_SXTL to A_TRN2, and the lists.

import { S_V_REG } from '../../layout/arm-state';
import { STATE } from '../../layout/memory';
import {
  A_PMULL,
  A_SMULL,
  A_SXTL,
  A_TBX,
  A_TRN1,
  A_TRN2,
  A_UMULL,
  A_UNZIP3,
  A_UXTL,
  A_UZP1,
  A_UZP2,
  A_XTN,
  A_ZIP3,
  FORM_Q,
} from './kinds';
import { clearLanes, commitLanes, lane, setLane } from './lanes';

function extendS(x: v128, size: u32, upper: bool): v128 {
  if (size == 0) return upper ? i16x8.extend_high_i8x16_s(x) : i16x8.extend_low_i8x16_s(x);
  if (size == 1) return upper ? i32x4.extend_high_i16x8_s(x) : i32x4.extend_low_i16x8_s(x);
  return upper ? i64x2.extend_high_i32x4_s(x) : i64x2.extend_low_i32x4_s(x);
}
function extendU(x: v128, size: u32, upper: bool): v128 {
  if (size == 0) return upper ? i16x8.extend_high_i8x16_u(x) : i16x8.extend_low_i8x16_u(x);
  if (size == 1) return upper ? i32x4.extend_high_i16x8_u(x) : i32x4.extend_low_i16x8_u(x);
  return upper ? i64x2.extend_high_i32x4_u(x) : i64x2.extend_low_i32x4_u(x);
}
function multiplyS(x: v128, y: v128, size: u32, upper: bool): v128 {
  if (size == 0) return upper ? i16x8.extmul_high_i8x16_s(x, y) : i16x8.extmul_low_i8x16_s(x, y);
  if (size == 1) return upper ? i32x4.extmul_high_i16x8_s(x, y) : i32x4.extmul_low_i16x8_s(x, y);
  return upper ? i64x2.extmul_high_i32x4_s(x, y) : i64x2.extmul_low_i32x4_s(x, y);
}
function multiplyU(x: v128, y: v128, size: u32, upper: bool): v128 {
  if (size == 0) return upper ? i16x8.extmul_high_i8x16_u(x, y) : i16x8.extmul_low_i8x16_u(x, y);
  if (size == 1) return upper ? i32x4.extmul_high_i16x8_u(x, y) : i32x4.extmul_low_i16x8_u(x, y);
  return upper ? i64x2.extmul_high_i32x4_u(x, y) : i64x2.extmul_low_i32x4_u(x, y);
}

/** PMULL of 64 bits: a polynomial over {0, 1} of 127 bits. */
function multiplyPolynomial(d: usize, x: u64, y: u64): void {
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i: u64 = 0; i < 64; i++) {
    if (!((y >> i) & 1)) continue;
    low ^= x << i;
    if (i) high ^= x >> (64 - i);
  }
  store<u64>(d, low);
  store<u64>(d, high, 8);
}

function multiplyPolynomialBytes(d: usize, a: usize, b: usize, from: u32): void {
  for (let i: u32 = 0; i < 8; i++) {
    const x = lane(a, from + i, 0);
    const y = lane(b, from + i, 0);
    let r: u64 = 0;
    for (let k: u64 = 0; k < 8; k++) if ((y >> k) & 1) r ^= x << k;
    setLane(i, 1, r);
  }
  commitLanes(d);
}

function narrow(d: usize, a: usize, size: u32, upper: bool): void {
  const x = v128.load(a);
  let r: v128;
  if (size == 0) r = v128.shuffle<u8>(x, x, 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
  else if (size == 1) r = v128.shuffle<u16>(x, x, 0, 2, 4, 6, 0, 2, 4, 6);
  else r = v128.shuffle<u32>(x, x, 0, 2, 0, 2);
  store<u64>(d + (upper ? 8 : 0), i64x2.extract_lane(r, 0));
  if (!upper) store<u64>(d, 0, 8);
}

function evenLanes(x: v128, y: v128, size: u32): v128 {
  if (size == 0) return v128.shuffle<u8>(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  if (size == 1) return v128.shuffle<u16>(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
  if (size == 2) return v128.shuffle<u32>(x, y, 0, 2, 4, 6);
  return v128.shuffle<u64>(x, y, 0, 2);
}
function oddLanes(x: v128, y: v128, size: u32): v128 {
  if (size == 0) return v128.shuffle<u8>(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  if (size == 1) return v128.shuffle<u16>(x, y, 1, 3, 5, 7, 9, 11, 13, 15);
  if (size == 2) return v128.shuffle<u32>(x, y, 1, 3, 5, 7);
  return v128.shuffle<u64>(x, y, 1, 3);
}
function transposeEven(x: v128, y: v128, size: u32): v128 {
  if (size == 0) return v128.shuffle<u8>(x, y, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
  if (size == 1) return v128.shuffle<u16>(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
  if (size == 2) return v128.shuffle<u32>(x, y, 0, 4, 2, 6);
  return v128.shuffle<u64>(x, y, 0, 2);
}
function transposeOdd(x: v128, y: v128, size: u32): v128 {
  if (size == 0) return v128.shuffle<u8>(x, y, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  if (size == 1) return v128.shuffle<u16>(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
  if (size == 2) return v128.shuffle<u32>(x, y, 1, 5, 3, 7);
  return v128.shuffle<u64>(x, y, 1, 3);
}

/** A_SXTL to A_TRN2. */
export function widthOperation(op: u32, form: u32, d: usize, a: usize, b: usize): void {
  const size = form & 3;
  const upper = (form & FORM_Q) != 0;
  switch (op) {
    case A_SXTL:
      v128.store(d, extendS(v128.load(a), size, upper));
      break;
    case A_UXTL:
      v128.store(d, extendU(v128.load(a), size, upper));
      break;
    case A_SMULL:
      v128.store(d, multiplyS(v128.load(a), v128.load(b), size, upper));
      break;
    case A_UMULL:
      v128.store(d, multiplyU(v128.load(a), v128.load(b), size, upper));
      break;
    case A_PMULL:
      if (size) multiplyPolynomial(d, lane(a, u32(upper), 3), lane(b, u32(upper), 3));
      else multiplyPolynomialBytes(d, a, b, upper ? 8 : 0);
      break;
    case A_XTN:
      narrow(d, a, size, upper);
      break;
    case A_UZP1:
      v128.store(d, evenLanes(v128.load(a), v128.load(b), size));
      break;
    case A_UZP2:
      v128.store(d, oddLanes(v128.load(a), v128.load(b), size));
      break;
    case A_TRN1:
      v128.store(d, transposeEven(v128.load(a), v128.load(b), size));
      break;
    case A_TRN2:
      v128.store(d, transposeOdd(v128.load(a), v128.load(b), size));
      break;
    default:
      unreachable();
  }
}

/** Address of the n-th register of a list that starts with the one at slot `first`. */
function listed(first: u32, n: u32): usize {
  return STATE + S_V_REG + ((<usize>(((first - S_V_REG) >> 4) + n) & 31) << 4);
}

/** TBL, TBX. */
function lookUp(form: u32, d: usize, first: u32, b: usize, count: u32, keep: bool): void {
  clearLanes();
  for (let i: u32 = 0; i < (form & FORM_Q ? 16 : 8); i++) {
    const k = <u32>lane(b, i, 0);
    if (k < count << 4) setLane(i, 0, lane(listed(first, k >> 4), k & 15, 0));
    else if (keep) setLane(i, 0, lane(d, i, 0));
  }
  commitLanes(d);
}

/** Three registers that were loaded as they lie in memory, a structure of three lanes after the other. */
function unzip3(form: u32, d: usize, a: usize, from: u32): void {
  const size = form & 3;
  clearLanes();
  for (let i: u32 = 0; i < <u32>(form & FORM_Q ? 16 : 8) >> size; i++) setLane(i, size, lane(a, 3 * i + from, size));
  commitLanes(d);
}

function zip3(form: u32, d: usize, first: u32, piece: u32): void {
  const size = form & 3;
  const n = <u32>(form & FORM_Q ? 16 : 8) >> size;
  clearLanes();
  for (let i: u32 = 0; i < n; i++) {
    const at = piece * n + i;
    setLane(i, size, lane(listed(first, at % 3), at / 3, size));
  }
  commitLanes(d);
}

/** A_TBL to A_ZIP3; a is a slot. */
export function listOperation(op: u32, form: u32, d: usize, a: u32, b: usize, imm: u32): void {
  if (op == A_UNZIP3) unzip3(form, d, <usize>STATE + a, imm);
  else if (op == A_ZIP3) zip3(form, d, a, imm);
  else lookUp(form, d, a, b, imm, op == A_TBX);
}
