// Shifts, shuffles, extensions, blends: kinds that move bits of vectors about.

import { STATE } from '../layout/memory';
import {
  V_BLEND_I16X8,
  V_BLENDV_I8X16,
  V_BLENDV_I32X4,
  V_BLENDV_I64X2,
  V_DUP_EVEN_32,
  V_DUP_LOW_64,
  V_DUP_ODD_32,
  V_MOVE_FROM_HIGH_64,
  V_MOVE_LOW_32,
  V_MOVE_LOW_64,
  V_MOVE_TO_HIGH_64,
  V_PACK_S16_S8,
  V_PACK_S16_U8,
  V_PACK_S32_S16,
  V_PACK_S32_U16,
  V_SEXT_8_16,
  V_SEXT_8_32,
  V_SEXT_8_64,
  V_SEXT_16_32,
  V_SEXT_16_64,
  V_SEXT_32_64,
  V_SHL_I16X8,
  V_SHL_I32X4,
  V_SHL_I64X2,
  V_SHLI_I16X8,
  V_SHR_S16X8,
  V_SHR_S32X4,
  V_SHR_U16X8,
  V_SHR_U32X4,
  V_SHR_U64X2,
  V_SHUFFLE_BYTES,
  V_ZERO_ABOVE_32,
  V_ZERO_ABOVE_64,
  V_ZEXT_8_16,
  V_ZEXT_8_32,
  V_ZEXT_8_64,
  V_ZEXT_16_32,
  V_ZEXT_16_64,
  V_ZEXT_32_64,
  V_ZIP_HIGH_I8X16,
  V_ZIP_HIGH_I16X8,
  V_ZIP_HIGH_I32X4,
  V_ZIP_HIGH_I64X2,
  V_ZIP_LOW_I8X16,
  V_ZIP_LOW_I16X8,
  V_ZIP_LOW_I32X4,
  V_ZIP_LOW_I64X2,
} from './vops';

function shifted(kind: u32, a: v128, n: u64): v128 {
  switch (kind) {
    case V_SHL_I16X8:
      return n < 16 ? i16x8.shl(a, <i32>n) : i64x2.splat(0);
    case V_SHL_I32X4:
      return n < 32 ? i32x4.shl(a, <i32>n) : i64x2.splat(0);
    case V_SHL_I64X2:
      return n < 64 ? i64x2.shl(a, <i32>n) : i64x2.splat(0);
    case V_SHR_U16X8:
      return n < 16 ? i16x8.shr_u(a, <i32>n) : i64x2.splat(0);
    case V_SHR_U32X4:
      return n < 32 ? i32x4.shr_u(a, <i32>n) : i64x2.splat(0);
    case V_SHR_U64X2:
      return n < 64 ? i64x2.shr_u(a, <i32>n) : i64x2.splat(0);
    case V_SHR_S16X8:
      return i16x8.shr_s(a, n < 16 ? <i32>n : 15);
    case V_SHR_S32X4:
      return i32x4.shr_s(a, n < 32 ? <i32>n : 31);
    default:
      return a;
  }
}

/** All ones in the 16-bit lanes whose bit in `bits` is set. */
function laneMask16(bits: u32): v128 {
  const each = v128.and(i16x8.splat(<i16>bits), i16x8(1, 2, 4, 8, 16, 32, 64, 128));
  return i16x8.ne(each, i64x2.splat(0));
}

function rearranged(kind: u32, a: v128, b: v128, imm: u32): v128 {
  switch (kind) {
    case V_PACK_S16_S8:
      return i8x16.narrow_i16x8_s(a, b);
    case V_PACK_S16_U8:
      return i8x16.narrow_i16x8_u(a, b);
    case V_PACK_S32_S16:
      return i16x8.narrow_i32x4_s(a, b);
    case V_PACK_S32_U16:
      return i16x8.narrow_i32x4_u(a, b);
    case V_ZIP_LOW_I8X16:
      return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    case V_ZIP_LOW_I16X8:
      return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    case V_ZIP_LOW_I32X4:
      return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    case V_ZIP_LOW_I64X2:
      return v128.shuffle<u64>(a, b, 0, 2);
    case V_ZIP_HIGH_I8X16:
      return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    case V_ZIP_HIGH_I16X8:
      return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    case V_ZIP_HIGH_I32X4:
      return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    case V_ZIP_HIGH_I64X2:
      return v128.shuffle<u64>(a, b, 1, 3);
    case V_SHUFFLE_BYTES:
      return i8x16.swizzle(a, v128.and(b, i8x16.splat(<i8>0x8f)));
    case V_SEXT_8_16:
      return i16x8.extend_low_i8x16_s(a);
    case V_SEXT_8_32:
      return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(a));
    case V_SEXT_8_64:
      return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(a)));
    case V_SEXT_16_32:
      return i32x4.extend_low_i16x8_s(a);
    case V_SEXT_16_64:
      return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(a));
    case V_SEXT_32_64:
      return i64x2.extend_low_i32x4_s(a);
    case V_ZEXT_8_16:
      return i16x8.extend_low_i8x16_u(a);
    case V_ZEXT_8_32:
      return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(a));
    case V_ZEXT_8_64:
      return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(a)));
    case V_ZEXT_16_32:
      return i32x4.extend_low_i16x8_u(a);
    case V_ZEXT_16_64:
      return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(a));
    case V_ZEXT_32_64:
      return i64x2.extend_low_i32x4_u(a);
    case V_DUP_EVEN_32:
      return v128.shuffle<u32>(a, a, 0, 0, 2, 2);
    case V_DUP_ODD_32:
      return v128.shuffle<u32>(a, a, 1, 1, 3, 3);
    case V_DUP_LOW_64:
      return v128.shuffle<u64>(a, a, 0, 0);
    case V_MOVE_LOW_32:
      return v128.shuffle<u32>(a, b, 4, 1, 2, 3);
    case V_MOVE_LOW_64:
      return v128.shuffle<u64>(a, b, 2, 1);
    case V_MOVE_TO_HIGH_64:
      return v128.shuffle<u64>(a, b, 0, 2);
    case V_MOVE_FROM_HIGH_64:
      return v128.shuffle<u64>(a, b, 3, 1);
    case V_ZERO_ABOVE_32:
      return v128.shuffle<u32>(a, i64x2.splat(0), 0, 4, 4, 4);
    case V_ZERO_ABOVE_64:
      return v128.shuffle<u64>(a, i64x2.splat(0), 0, 2);
    case V_BLEND_I16X8:
      return v128.bitselect(b, a, laneMask16(imm));
    case V_BLENDV_I8X16:
      return v128.bitselect(b, a, i8x16.shr_s(v128.load(STATE + imm), 7));
    case V_BLENDV_I32X4:
      return v128.bitselect(b, a, i32x4.shr_s(v128.load(STATE + imm), 31));
    case V_BLENDV_I64X2:
      return v128.bitselect(b, a, i64x2.shr_s(v128.load(STATE + imm), 63));
    default:
      return a;
  }
}

/** Shift kinds, on the vector at a; the count is at b, or imm. Those with an immediate are numbered alike, further up. */
export function shift(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  const r =
    kind >= V_SHLI_I16X8
      ? shifted(kind - (V_SHLI_I16X8 - V_SHL_I16X8), v128.load(a), imm)
      : shifted(kind, v128.load(a), load<u64>(b));
  v128.store(d, r);
}

/** Kinds that rearrange whole vectors in one way; those that look at imm lane by lane are in vector-lanes.ts. */
export function rearrange(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  v128.store(d, rearranged(kind, v128.load(a), v128.load(b), imm));
}
