// Lazy flags: the last flag-setting operation is remembered, and flags are worked out when somebody asks.
//
// A64's N, Z, V are SF, ZF, OF. Its C after a subtraction says "no borrow", x86's CF "borrow": in the ARM build CF is
// the inverse of C throughout. So subtractions and compares are alike, and only additions and logic differ.

import { STATE } from '../layout/memory';
import {
  FLAG_AF,
  FLAG_CF,
  FLAG_OF,
  FLAG_PF,
  FLAG_SF,
  FLAG_ZF,
  FLAGS_ARITH,
  S_CC_A,
  S_CC_C,
  S_CC_OP,
  S_CC_RES,
} from '../layout/x86-state';
import { compared, fusible } from './alu';
import { SIZE32 } from './ops';

// S_CC_OP = kind << 2 | size. What the other words hold, by kind:
/** A: the six flags in EFLAGS positions. */
export const CCK_EXPLICIT: u32 = 0;
/** A: first operand, RES: sum. ARM build: CF says that there was no carry. */
export const CCK_ADD: u32 = 1;
/** A: first operand, RES: difference. */
export const CCK_SUB: u32 = 2;
/** RES: result; CF = OF = AF = 0 (ARM build: CF = 1, since A64's logical instructions clear C). */
export const CCK_LOGIC: u32 = 3;
/** RES: result; C: CF before. */
export const CCK_INC: u32 = 4;
export const CCK_DEC: u32 = 5;
/** RES: result; C: CF and OF in EFLAGS positions (shifts, multiplies); AF = 0. */
export const CCK_SHIFT: u32 = 6;
/** A, RES as ADD and SUB; C: the carry that went in. */
export const CCK_ADC: u32 = 7;
export const CCK_SBB: u32 = 8;

export function setLazy(op: u32, a: u64, res: u64): void {
  store<u32>(STATE, op, S_CC_OP);
  store<u64>(STATE, a, S_CC_A);
  store<u64>(STATE, res, S_CC_RES);
}

/** All six arithmetic flags given in EFLAGS positions; other bits of `flags` are ignored. */
export function setFlags(flags: u32): void {
  store<u32>(STATE, CCK_EXPLICIT << 2, S_CC_OP);
  store<u64>(STATE, <u64>(flags & FLAGS_ARITH), S_CC_A);
}

/** Sign bit position of a size: 7, 15, 31, 63. */
function signShift(size: u32): u64 {
  return (8 << size) - 1;
}

function maskOf(size: u32): u64 {
  return size == 3 ? u64.MAX_VALUE : (1 << (8 << (<u64>size))) - 1;
}

export function getCF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  const kind = op >> 2;
  const size = op & 3;
  if (kind == CCK_EXPLICIT) return load<u32>(STATE, S_CC_A) & 1;
  if (kind == CCK_LOGIC) return ISA_AARCH64;
  if (kind == CCK_INC || kind == CCK_DEC || kind == CCK_SHIFT) return load<u32>(STATE, S_CC_C) & 1;
  const m = maskOf(size);
  const a = load<u64>(STATE, S_CC_A) & m;
  const res = load<u64>(STATE, S_CC_RES) & m;
  if (kind == CCK_ADD) return ISA_AARCH64 ? u32(res >= a) : u32(res < a);
  if (kind == CCK_SUB) return u32(res > a);
  const c = load<u32>(STATE, S_CC_C);
  if (kind == CCK_ADC) return c ? u32(res <= a) : u32(res < a);
  // SBB: borrow when a < b + c; b = a - res - c.
  return c ? u32(res >= a) : u32(res > a);
}

function getOF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  const kind = op >> 2;
  const size = op & 3;
  if (kind == CCK_EXPLICIT) return (load<u32>(STATE, S_CC_A) >> 11) & 1;
  if (kind == CCK_LOGIC) return 0;
  if (kind == CCK_SHIFT) return (load<u32>(STATE, S_CC_C) >> 11) & 1;
  const res = load<u64>(STATE, S_CC_RES);
  const s = signShift(size);
  if (kind == CCK_INC) return u32((res & maskOf(size)) == (<u64>1) << s);
  if (kind == CCK_DEC) return u32((res & maskOf(size)) == ((<u64>1) << s) - 1);
  const a = load<u64>(STATE, S_CC_A);
  if (kind == CCK_ADD) return <u32>(((~(a ^ (res - a)) & (a ^ res)) >> s) & 1);
  if (kind == CCK_SUB) return <u32>((((a ^ (a - res)) & (a ^ res)) >> s) & 1);
  const c = load<u64>(STATE, S_CC_C);
  if (kind == CCK_ADC) return <u32>(((~(a ^ (res - a - c)) & (a ^ res)) >> s) & 1);
  return <u32>((((a ^ (a - res - c)) & (a ^ res)) >> s) & 1);
}

function getAF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  const kind = op >> 2;
  if (kind == CCK_EXPLICIT) return (load<u32>(STATE, S_CC_A) >> 4) & 1;
  if (kind == CCK_LOGIC || kind == CCK_SHIFT) return 0;
  const res = load<u64>(STATE, S_CC_RES);
  if (kind == CCK_INC) return u32((res & 15) == 0);
  if (kind == CCK_DEC) return u32((res & 15) == 15);
  const a = load<u64>(STATE, S_CC_A);
  let b: u64;
  if (kind == CCK_ADD) b = res - a;
  else if (kind == CCK_SUB) b = a - res;
  else if (kind == CCK_ADC) b = res - a - load<u64>(STATE, S_CC_C);
  else b = a - res - load<u64>(STATE, S_CC_C);
  return <u32>(((a ^ b ^ res) >> 4) & 1);
}

export function getZF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  if (op >> 2 == CCK_EXPLICIT) return (load<u32>(STATE, S_CC_A) >> 6) & 1;
  return u32((load<u64>(STATE, S_CC_RES) & maskOf(op & 3)) == 0);
}

function getSF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  if (op >> 2 == CCK_EXPLICIT) return (load<u32>(STATE, S_CC_A) >> 7) & 1;
  return <u32>((load<u64>(STATE, S_CC_RES) >> signShift(op & 3)) & 1);
}

function getPF(): u32 {
  const op = load<u32>(STATE, S_CC_OP);
  if (op >> 2 == CCK_EXPLICIT) return (load<u32>(STATE, S_CC_A) >> 2) & 1;
  return ~popcnt(load<u32>(STATE, S_CC_RES) & 0xff) & 1;
}

/** CF PF AF ZF SF OF in EFLAGS positions. */
export function getFlags(): u32 {
  if (load<u32>(STATE, S_CC_OP) >> 2 == CCK_EXPLICIT) return load<u32>(STATE, S_CC_A);
  return (
    (getCF() * FLAG_CF) |
    (getPF() * FLAG_PF) |
    (getAF() * FLAG_AF) |
    (getZF() * FLAG_ZF) |
    (getSF() * FLAG_SF) |
    (getOF() * FLAG_OF)
  );
}

/** Is condition `cc` (x86 encoding) true? */
export function condition(cc: u32): bool {
  const op = load<u32>(STATE, S_CC_OP);
  // Mostly the flags are those of a comparison.
  const size = op & 3;
  if (op >> 2 == CCK_SUB && size >= SIZE32 && fusible(cc)) {
    const a = load<u64>(STATE, S_CC_A);
    const b = a - load<u64>(STATE, S_CC_RES);
    return size > SIZE32 ? compared<u64>(cc, a, b) : compared<u32>(cc, <u32>a, <u32>b);
  }
  let r: u32;
  switch (cc >> 1) {
    case 0:
      r = getOF();
      break;
    case 1:
      r = getCF();
      break;
    case 2:
      r = getZF();
      break;
    case 3:
      r = getCF() | getZF();
      break;
    case 4:
      r = getSF();
      break;
    case 5:
      r = getPF();
      break;
    case 6:
      r = getSF() ^ getOF();
      break;
    default:
      r = getZF() | (getSF() ^ getOF());
      break;
  }
  return (r ^ (cc & 1)) != 0;
}
