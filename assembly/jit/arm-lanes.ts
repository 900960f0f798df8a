// A64's own operations on integer lanes, where WebAssembly has them.

import {
  A_ABS,
  A_BIF,
  A_BIT,
  A_BSL,
  A_CMGE,
  A_CMHI,
  A_CMHS,
  A_CMTST,
  A_CNT,
  A_DUP,
  A_NEG,
  A_NOT,
  A_ORN,
  A_REV16,
  A_REV32,
  A_REV64,
  A_SHLI,
  A_SHRI_S,
  A_SHRI_U,
  A_SMULL,
  A_SXTL,
  A_TRN1,
  A_TRN2,
  A_UMULL,
  A_UXTL,
  A_UZP1,
  A_UZP2,
  FORM_Q,
} from '../arm/simd/kinds';
import { localFor, popVector, push, pushVector } from './frame';
import { zeroVector } from './vector';
import { byte, const32, simd, WV_AND, WV_BITSELECT, WV_NOT, WV_OR, WV_SHUFFLE } from './wasm';

/** First instruction of a lane size (8, 16, 32, 64 bits): abs, neg follow; shl, shr_s, shr_u; and add, sub. */
function firstOf(size: u32): u32 {
  return 0x60 + (size << 5);
}

/** Pushes a shuffle of a and b: byte i of the result is byte i of them when `from` gives it. */
function shuffleGroups(a: u32, b: u32, size: u32, odd: u32, transpose: bool): void {
  pushVector(a);
  pushVector(b);
  simd(WV_SHUFFLE);
  const n: u32 = 16 >> size;
  for (let i: u32 = 0; i < n; i++) {
    // Lane of a (below n) or b.
    const lane = transpose ? (i & ~1) + odd + (i & 1 ? n : 0) : (((i << 1) + odd) % n) + (i << 1 >= n ? n : 0);
    for (let k: u32 = 0; k < (<u32>1) << size; k++) byte((lane << size) + k);
  }
}

/** Operation `what` in `form`; false if it is not done in line. */
export function emitArmLanes(what: u32, form: u32, d: u32, a: u32, b: u32, imm: u32): bool {
  const size = form & 3;
  switch (what) {
    case A_NOT:
      pushVector(a);
      simd(WV_NOT);
      break;
    case A_ORN:
      pushVector(a);
      pushVector(b);
      simd(WV_NOT);
      simd(WV_OR);
      break;
    case A_BSL:
      pushVector(a);
      pushVector(b);
      pushVector(d);
      simd(WV_BITSELECT);
      break;
    case A_BIT:
      pushVector(a);
      pushVector(d);
      pushVector(b);
      simd(WV_BITSELECT);
      break;
    case A_BIF:
      pushVector(d);
      pushVector(a);
      pushVector(b);
      simd(WV_BITSELECT);
      break;
    case A_DUP:
      if (localFor(a)) {
        push(a, size);
        // i8x16, i16x8, i32x4, i64x2.splat
        simd(0x0f + size);
        break;
      }
      pushVector(a);
      pushVector(a);
      simd(WV_SHUFFLE);
      for (let i: u32 = 0; i < 16; i++) byte((imm << size) + (i & ((1 << size) - 1)));
      break;
    case A_ABS:
    case A_NEG:
      pushVector(a);
      simd(firstOf(size) + (what == A_NEG ? 1 : 0));
      break;
    case A_CNT:
      pushVector(a);
      simd(0x62);
      break;
    case A_REV16:
    case A_REV32:
    case A_REV64: {
      const group: u32 = what == A_REV16 ? 1 : what == A_REV32 ? 3 : 7;
      const within: u32 = (1 << size) - 1;
      pushVector(a);
      pushVector(a);
      simd(WV_SHUFFLE);
      for (let i: u32 = 0; i < 16; i++) byte((i & ~group) | ((i ^ group) & group & ~within) | (i & within));
      break;
    }
    case A_CMGE:
    case A_CMHI:
    case A_CMHS: {
      // WebAssembly has no unsigned comparisons of 64-bit lanes.
      if (size == 3 && what != A_CMGE) return false;
      pushVector(a);
      pushVector(b);
      // i8x16.gt_u is 0x28, ge_s 0x2b, ge_u 0x2c; the next size's are 10 further. i64x2.ge_s is 0xdb.
      if (size == 3) simd(0xdb);
      else simd((what == A_CMHI ? 0x28 : what == A_CMGE ? 0x2b : 0x2c) + 10 * size);
      break;
    }
    case A_CMTST:
      pushVector(a);
      pushVector(b);
      simd(WV_AND);
      zeroVector();
      // ne
      simd(size == 3 ? 0xd7 : 0x24 + 10 * size);
      break;
    case A_SHLI:
    case A_SHRI_U:
    case A_SHRI_S: {
      const bits: u32 = 8 << size;
      if (imm >= bits && what != A_SHRI_S) {
        zeroVector();
        break;
      }
      pushVector(a);
      const32(imm >= bits ? bits - 1 : imm);
      simd(firstOf(size) + 11 + (what == A_SHRI_S ? 1 : what == A_SHRI_U ? 2 : 0));
      break;
    }
    case A_SXTL:
    case A_UXTL:
      if (size == 3) return false;
      pushVector(a);
      // extend_low_s, high_s, low_u, high_u of the wider lanes.
      simd(firstOf(size + 1) + 7 + (what == A_UXTL ? 2 : 0) + (form & FORM_Q ? 1 : 0));
      break;
    case A_SMULL:
    case A_UMULL:
      if (size == 3) return false;
      pushVector(a);
      pushVector(b);
      // extmul_low_s, high_s, low_u, high_u
      simd(firstOf(size + 1) + 28 + (what == A_UMULL ? 2 : 0) + (form & FORM_Q ? 1 : 0));
      break;
    case A_UZP1:
    case A_UZP2:
      shuffleGroups(a, b, size, what - A_UZP1, false);
      break;
    case A_TRN1:
    case A_TRN2:
      shuffleGroups(a, b, size, what - A_TRN1, true);
      break;
    default:
      return false;
  }
  popVector(d);
  return true;
}
