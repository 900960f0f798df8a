// Integer arithmetic of vectors: kinds below V_SHIFTS, each a function of a and b.

import {
  V_ABS_I8X16,
  V_ABS_I16X8,
  V_ABS_I32X4,
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
  V_DOT_S16X8,
  V_DOT_U8S8,
  V_EQ_I8X16,
  V_EQ_I16X8,
  V_EQ_I32X4,
  V_EQ_I64X2,
  V_GT_S8X16,
  V_GT_S16X8,
  V_GT_S32X4,
  V_GT_S64X2,
  V_HADD_I16X8,
  V_HADD_I32X4,
  V_HADD_SAT_S16X8,
  V_HSUB_I16X8,
  V_HSUB_I32X4,
  V_HSUB_SAT_S16X8,
  V_MAX_S8X16,
  V_MAX_S16X8,
  V_MAX_S32X4,
  V_MAX_U8X16,
  V_MAX_U16X8,
  V_MAX_U32X4,
  V_MIN_S8X16,
  V_MIN_S16X8,
  V_MIN_S32X4,
  V_MIN_U8X16,
  V_MIN_U16X8,
  V_MIN_U32X4,
  V_MUL_EVEN_S32X4,
  V_MUL_EVEN_U32X4,
  V_MUL_HIGH_S16X8,
  V_MUL_HIGH_U16X8,
  V_MUL_I16X8,
  V_MUL_I32X4,
  V_MUL_ROUND_S16X8,
  V_OR,
  V_SAD_U8X16,
  V_SIGN_I8X16,
  V_SIGN_I16X8,
  V_SIGN_I32X4,
  V_SUB_I8X16,
  V_SUB_I16X8,
  V_SUB_I32X4,
  V_SUB_I64X2,
  V_SUB_SAT_S8X16,
  V_SUB_SAT_S16X8,
  V_SUB_SAT_U8X16,
  V_SUB_SAT_U16X8,
  V_XOR,
} from './vops';

/** Upper 16 bits of each 32-bit lane of `low`, then of `high`. */
function highHalves(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}

function even16(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
function odd16(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
function even32(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}
function odd32(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

/** PMULHRSW: -1 × -1 gives -1, where i16x8.q15mulr_sat_s would saturate. */
function multiplyRound(a: v128, b: v128): v128 {
  const one = i32x4.splat(1);
  const low = i32x4.add(i32x4.shr_s(i32x4.extmul_low_i16x8_s(a, b), 14), one);
  const high = i32x4.add(i32x4.shr_s(i32x4.extmul_high_i16x8_s(a, b), 14), one);
  return even16(i32x4.shr_s(low, 1), i32x4.shr_s(high, 1));
}

/** Lanes 0 and 2, sign-extended to 64 bits. */
function signedEven(a: v128): v128 {
  return i64x2.shr_s(i64x2.shl(a, 32), 32);
}

/** PMADDUBSW: the bytes of a are unsigned, those of b signed. */
function dotU8S8(a: v128, b: v128): v128 {
  const even = i16x8.mul(v128.and(a, i16x8.splat(0xff)), i16x8.shr_s(i16x8.shl(b, 8), 8));
  const odd = i16x8.mul(i16x8.shr_u(a, 8), i16x8.shr_s(b, 8));
  return i16x8.add_sat_s(even, odd);
}

function sumOfDifferences(a: v128, b: v128): v128 {
  const differences = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  const sums = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(differences));
  return i64x2.add(v128.and(sums, i64x2.splat(0xffffffff)), i64x2.shr_u(sums, 32));
}

/** a negated where `negative` is all ones, zeroed where `zero` is; lanes of `bits` bits. */
function signed(a: v128, negative: v128, zero: v128, bits: u32): v128 {
  const flipped = v128.xor(a, negative);
  const r =
    bits == 8 ? i8x16.sub(flipped, negative) : bits == 16 ? i16x8.sub(flipped, negative) : i32x4.sub(flipped, negative);
  return v128.andnot(r, zero);
}

function arithmetic(kind: u32, a: v128, b: v128): v128 {
  switch (kind) {
    case V_ADD_I8X16:
      return i8x16.add(a, b);
    case V_ADD_I16X8:
      return i16x8.add(a, b);
    case V_ADD_I32X4:
      return i32x4.add(a, b);
    case V_ADD_I64X2:
      return i64x2.add(a, b);
    case V_SUB_I8X16:
      return i8x16.sub(a, b);
    case V_SUB_I16X8:
      return i16x8.sub(a, b);
    case V_SUB_I32X4:
      return i32x4.sub(a, b);
    case V_SUB_I64X2:
      return i64x2.sub(a, b);
    case V_ADD_SAT_S8X16:
      return i8x16.add_sat_s(a, b);
    case V_ADD_SAT_S16X8:
      return i16x8.add_sat_s(a, b);
    case V_ADD_SAT_U8X16:
      return i8x16.add_sat_u(a, b);
    case V_ADD_SAT_U16X8:
      return i16x8.add_sat_u(a, b);
    case V_SUB_SAT_S8X16:
      return i8x16.sub_sat_s(a, b);
    case V_SUB_SAT_S16X8:
      return i16x8.sub_sat_s(a, b);
    case V_SUB_SAT_U8X16:
      return i8x16.sub_sat_u(a, b);
    case V_SUB_SAT_U16X8:
      return i16x8.sub_sat_u(a, b);
    case V_MUL_I16X8:
      return i16x8.mul(a, b);
    case V_MUL_I32X4:
      return i32x4.mul(a, b);
    case V_MUL_HIGH_S16X8:
      return highHalves(i32x4.extmul_low_i16x8_s(a, b), i32x4.extmul_high_i16x8_s(a, b));
    case V_MUL_HIGH_U16X8:
      return highHalves(i32x4.extmul_low_i16x8_u(a, b), i32x4.extmul_high_i16x8_u(a, b));
    case V_MUL_ROUND_S16X8:
      return multiplyRound(a, b);
    case V_MUL_EVEN_U32X4:
      return i64x2.mul(v128.and(a, i64x2.splat(0xffffffff)), v128.and(b, i64x2.splat(0xffffffff)));
    case V_MUL_EVEN_S32X4:
      return i64x2.mul(signedEven(a), signedEven(b));
    case V_DOT_S16X8:
      return i32x4.dot_i16x8_s(a, b);
    case V_DOT_U8S8:
      return dotU8S8(a, b);
    case V_AVG_U8X16:
      return i8x16.avgr_u(a, b);
    case V_AVG_U16X8:
      return i16x8.avgr_u(a, b);
    case V_SAD_U8X16:
      return sumOfDifferences(a, b);
    case V_MIN_S8X16:
      return i8x16.min_s(a, b);
    case V_MIN_U8X16:
      return i8x16.min_u(a, b);
    case V_MIN_S16X8:
      return i16x8.min_s(a, b);
    case V_MIN_U16X8:
      return i16x8.min_u(a, b);
    case V_MIN_S32X4:
      return i32x4.min_s(a, b);
    case V_MIN_U32X4:
      return i32x4.min_u(a, b);
    case V_MAX_S8X16:
      return i8x16.max_s(a, b);
    case V_MAX_U8X16:
      return i8x16.max_u(a, b);
    case V_MAX_S16X8:
      return i16x8.max_s(a, b);
    case V_MAX_U16X8:
      return i16x8.max_u(a, b);
    case V_MAX_S32X4:
      return i32x4.max_s(a, b);
    case V_MAX_U32X4:
      return i32x4.max_u(a, b);
    case V_EQ_I8X16:
      return i8x16.eq(a, b);
    case V_EQ_I16X8:
      return i16x8.eq(a, b);
    case V_EQ_I32X4:
      return i32x4.eq(a, b);
    case V_EQ_I64X2:
      return i64x2.eq(a, b);
    case V_GT_S8X16:
      return i8x16.gt_s(a, b);
    case V_GT_S16X8:
      return i16x8.gt_s(a, b);
    case V_GT_S32X4:
      return i32x4.gt_s(a, b);
    case V_GT_S64X2:
      return i64x2.gt_s(a, b);
    case V_AND:
      return v128.and(a, b);
    case V_OR:
      return v128.or(a, b);
    case V_XOR:
      return v128.xor(a, b);
    case V_ANDNOT:
      return v128.andnot(b, a);
    case V_SIGN_I8X16:
      return signed(a, i8x16.shr_s(b, 7), i8x16.eq(b, i64x2.splat(0)), 8);
    case V_SIGN_I16X8:
      return signed(a, i16x8.shr_s(b, 15), i16x8.eq(b, i64x2.splat(0)), 16);
    case V_SIGN_I32X4:
      return signed(a, i32x4.shr_s(b, 31), i32x4.eq(b, i64x2.splat(0)), 32);
    case V_ABS_I8X16:
      return i8x16.abs(a);
    case V_ABS_I16X8:
      return i16x8.abs(a);
    case V_ABS_I32X4:
      return i32x4.abs(a);
    case V_HADD_I16X8:
      return i16x8.add(even16(a, b), odd16(a, b));
    case V_HADD_I32X4:
      return i32x4.add(even32(a, b), odd32(a, b));
    case V_HADD_SAT_S16X8:
      return i16x8.add_sat_s(even16(a, b), odd16(a, b));
    case V_HSUB_I16X8:
      return i16x8.sub(even16(a, b), odd16(a, b));
    case V_HSUB_I32X4:
      return i32x4.sub(even32(a, b), odd32(a, b));
    case V_HSUB_SAT_S16X8:
      return i16x8.sub_sat_s(even16(a, b), odd16(a, b));
    default:
      return a;
  }
}

/** Executes `kind` on the vectors at addresses a and b, result to d. */
export function integerArithmetic(kind: u32, d: usize, a: usize, b: usize): void {
  v128.store(d, arithmetic(kind, v128.load(a), v128.load(b)));
}
