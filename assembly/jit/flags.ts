// Flags in generated code. What kind of operation set them last is mostly known while emitting: then a condition is
// a comparison of its operands. Otherwise the core works it out from the lazy-flag words.

import { CCK_ADC, CCK_ADD, CCK_DEC, CCK_EXPLICIT, CCK_INC, CCK_LOGIC, CCK_SBB, CCK_SHIFT, CCK_SUB } from '../ir/flags';
import { CC_A, CC_B, CC_C, CC_OP, CC_RES, call, cut, I1, loadFlags, PENDING_A, PENDING_R, storeFlags } from './frame';
import { F_CARRY, F_CONDITION, F_OVERFLOW, F_ROTATED } from './imports';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  I32,
  set,
  tee,
  W_ADD,
  W_AND,
  W_ELSE,
  W_END,
  W_EQ,
  W_EQZ,
  W_EQZ64,
  W_EXTEND_U,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_GE_S,
  W_GE_U,
  W_GT_S,
  W_GT_U,
  W_IF,
  W_LE_S,
  W_LE_U,
  W_LT_S,
  W_LT_U,
  W_MUL,
  W_NE,
  W_OR,
  W_POPCNT,
  W_SHL,
  W_SHR_U,
  W_SUB,
  W_WRAP,
  W_XOR,
} from './wasm';

const UNKNOWN: u32 = 0xffff;
/** kind << 2 | size of what set the flags last, as in S_CC_OP. */
let known: u32 = UNKNOWN;
// Second operand of a subtraction: none at hand, the local CC_B, or a constant.
const B_NONE: u32 = 0;
const B_LOCAL: u32 = 1;
const B_CONST: u32 = 2;
let operand: u32 = B_NONE;
let constant: u64 = 0;

// --- Flags put off ---
//
// Shifts, rotates and multiplications set flags that hardly anything looks at, but that are laborious to work out. They
// are remembered, and worked out when something may look at them: a condition, an exit, the end of a block.

export const PENDING_NONE: u32 = 0;
export const PENDING_SHL: u32 = 1;
export const PENDING_SHR: u32 = 2;
export const PENDING_SAR: u32 = 3;
export const PENDING_ROL: u32 = 4;
export const PENDING_ROR: u32 = 5;
export const PENDING_IMUL: u32 = 6;
/** SHLD, SHRD: OF says whether the sign has changed. */
export const PENDING_SHLD: u32 = 7;
export const PENDING_SHRD: u32 = 8;
let pending: u32 = PENDING_NONE;
let pendingSize: u32 = 0;
let pendingCount: u32 = 0;

/**
 * The flags are those of an operation that has left its first operand, extended, in PENDING_A and its result (IMUL:
 * its second operand) in PENDING_R, both i64. `n`: shift count, not 0.
 */
export function putOff(kind: u32, size: u32, n: u32): void {
  // A rotate leaves some flags as they are: those of an earlier operation must be there. Another rotate's are not kept.
  if (kind == PENDING_ROL || kind == PENDING_ROR) {
    if (pending && pending != PENDING_ROL && pending != PENDING_ROR) unreachable();
  }
  pending = kind;
  pendingSize = size;
  pendingCount = n;
}
/** Before an operation that leaves some flags alone, or the next putOff() of a rotate. */
export function havePendingBut(rotates: bool): bool {
  return pending != PENDING_NONE && !(rotates && (pending == PENDING_ROL || pending == PENDING_ROR));
}
export function havePending(): bool {
  return pending != PENDING_NONE;
}

/** Works out the flags put off. */
export function settleFlags(): void {
  if (!pending) return;
  emitPending();
}
/** The same for an exit: what is known of the way past it stays. */
export function settleAtExit(): void {
  if (!pending) return;
  const saved = saveKnown();
  const value = constant;
  const kind = pending;
  emitPending();
  pending = kind;
  restoreKnown(saved, value);
}

function emitPending(): void {
  const kind = pending;
  pending = PENDING_NONE;
  if (kind == PENDING_ROL || kind == PENDING_ROR) {
    storeFlags();
    get(PENDING_R);
    const32(pendingSize | (kind == PENDING_ROR ? 4 : 0));
    call(F_ROTATED);
    loadFlags();
    flagsAreExplicit();
    return;
  }
  if (kind == PENDING_IMUL) emitProductFlags(pendingSize);
  else emitShiftFlags(kind, pendingSize, pendingCount);
}

function signBit(local: u32, size: u32): void {
  get(local);
  const64((8 << size) - 1);
  byte(W_SHR_U + ARITH64);
  const64(1);
  byte(W_AND + ARITH64);
}

/** Flags of a shift by n, or by the i32 in local I1 if n is 0. */
export function emitShiftFlags(kind: u32, size: u32, n: u32): void {
  const bits: u32 = 8 << size;
  const left = kind == PENDING_SHL || kind == PENDING_SHLD;
  const double = kind == PENDING_SHLD || kind == PENDING_SHRD;
  // CF: the last bit shifted out.
  if (left && size < 2) {
    get(PENDING_R);
    const64(bits);
  } else {
    get(PENDING_A);
    if (n) const64(left ? bits - n : n - 1);
    else {
      if (left) const32(bits);
      get(I1);
      if (!left) const32(1);
      byte(W_SUB);
      byte(W_EXTEND_U);
    }
  }
  byte(W_SHR_U + ARITH64);
  const64(1);
  byte(W_AND + ARITH64);
  tee(CC_C);
  // OF: SHL the carry xor the new sign, SHR the old sign, SAR 0.
  if (kind != PENDING_SAR) {
    signBit(kind == PENDING_SHL ? PENDING_R : PENDING_A, size);
    if (kind == PENDING_SHL) get(CC_C);
    else if (double) signBit(PENDING_R, size);
    if (kind == PENDING_SHL || double) byte(W_XOR + ARITH64);
    const64(11);
    byte(W_SHL + ARITH64);
    byte(W_OR + ARITH64);
  }
  set(CC_C);
  get(PENDING_R);
  if (size != 3) {
    const64(size == 2 ? 0xffffffff : size == 1 ? 0xffff : 0xff);
    byte(W_AND + ARITH64);
  }
  set(CC_RES);
  setKind(CCK_SHIFT, size);
}

/** CF and OF of a multiplication: did the product not fit? */
function emitProductFlags(size: u32): void {
  get(PENDING_A);
  get(PENDING_R);
  byte(W_MUL + ARITH64);
  set(CC_RES);
  if (size == 3) {
    get(PENDING_A);
    get(PENDING_R);
    call(F_OVERFLOW);
  } else {
    get(CC_RES);
    byte(size == 2 ? W_EXTEND32_S64 : size == 1 ? W_EXTEND16_S64 : W_EXTEND8_S64);
    get(CC_RES);
    byte(W_NE + COMPARE64);
    get(CC_RES);
    const64(size == 2 ? 0xffffffff : size == 1 ? 0xffff : 0xff);
    byte(W_AND + ARITH64);
    set(CC_RES);
  }
  const32(0x801);
  byte(W_MUL);
  byte(W_EXTEND_U);
  set(CC_C);
  setKind(CCK_SHIFT, size);
}

/** What is known here, to be restored with restoreKnown() on another path from here. */
export function saveKnown(): u64 {
  return <u64>known | ((<u64>operand) << 16);
}
export function savedConstant(): u64 {
  return constant;
}
export function restoreKnown(saved: u64, value: u64): void {
  known = <u32>saved & 0xffff;
  operand = <u32>(saved >> 16);
  constant = value;
}
export function forgetFlags(): void {
  pending = PENDING_NONE;
  known = UNKNOWN;
  operand = B_NONE;
}

/** The flags' words have just been set as for `kind`. */
export function setKind(kind: u32, size: u32): void {
  pending = PENDING_NONE;
  known = (kind << 2) | size;
  operand = B_NONE;
  const32(known);
  set(CC_OP);
}
/** After setKind(CCK_SUB): its second operand is in CC_B, or constant. */
export function secondIsLocal(): void {
  operand = B_LOCAL;
}
export function secondIs(value: u64): void {
  operand = B_CONST;
  constant = value;
}
/** The flags were set explicitly, in CC_A. */
export function flagsAreExplicit(): void {
  pending = PENDING_NONE;
  known = CCK_EXPLICIT << 2;
  operand = B_NONE;
}

/** Pushes a word of the flags cut to `size`, an i64 for size 3; sign-extended if `signed`. */
function word(local: u32, size: u32, signed: bool): void {
  get(local);
  if (size == 3) return;
  byte(W_WRAP);
  extend(size, signed);
}
function extend(size: u32, signed: bool): void {
  if (size > 1) return;
  if (signed) byte(size ? W_EXTEND16_S : W_EXTEND8_S);
  else cut(size);
}
/** Pushes the second operand likewise. */
function second(size: u32, signed: bool): void {
  if (operand == B_LOCAL) word(CC_B, size, signed);
  else if (size == 3) const64(constant);
  else {
    let v = <u32>constant;
    if (size == 1) v = signed ? <u32>(<i32>(<i16>v)) : v & 0xffff;
    if (size == 0) v = signed ? <u32>(<i32>(<i8>v)) : v & 0xff;
    const32(v);
  }
}
function compare(op: u32, size: u32): void {
  byte(size == 3 ? op + COMPARE64 : op);
}
function zero(size: u32): void {
  if (size == 3) const64(0);
  else const32(0);
}

/** Pushes bit n of CC_C or CC_A. */
function bitOf(local: u32, n: u32): void {
  get(local);
  byte(W_WRAP);
  if (n) {
    const32(n);
    byte(W_SHR_U);
  }
  const32(1);
  byte(W_AND);
}

/** Comparison for a condition after a subtraction. */
function afterSub(cc: u32, size: u32): bool {
  let op: u32;
  let signed = false;
  switch (cc) {
    case 2:
      op = W_LT_U;
      break;
    case 3:
      op = W_GE_U;
      break;
    case 4:
      op = W_EQ;
      break;
    case 5:
      op = W_NE;
      break;
    case 6:
      op = W_LE_U;
      break;
    case 7:
      op = W_GT_U;
      break;
    case 12:
      op = W_LT_S;
      signed = true;
      break;
    case 13:
      op = W_GE_S;
      signed = true;
      break;
    case 14:
      op = W_LE_S;
      signed = true;
      break;
    case 15:
      op = W_GT_S;
      signed = true;
      break;
    default:
      return false;
  }
  word(CC_A, size, signed);
  second(size, signed);
  compare(op, size);
  return true;
}

/** Comparison of CC_RES with zero for a condition after an operation that cleared OF and (x86) CF. */
function afterLogic(cc: u32, size: u32): bool {
  if (ISA_AARCH64 && (cc >> 1 == 1 || cc >> 1 == 3)) {
    // CF, which stands for no carry, is set.
    const32(~cc & 1);
    return true;
  }
  let op: u32;
  switch (cc) {
    case 4:
    case 6:
      op = W_EQ;
      break;
    case 5:
    case 7:
      op = W_NE;
      break;
    case 8:
    case 12:
      op = W_LT_S;
      break;
    case 9:
    case 13:
      op = W_GE_S;
      break;
    case 14:
      op = W_LE_S;
      break;
    case 15:
      op = W_GT_S;
      break;
    case 0:
    case 2:
      const32(0);
      return true;
    case 1:
    case 3:
      const32(1);
      return true;
    default:
      return false;
  }
  word(CC_RES, size, true);
  zero(size);
  compare(op, size);
  return true;
}

/** Conditions on ZF, SF, PF, which come from the result alike after all kinds but explicit flags. */
function fromResult(cc: u32, size: u32): bool {
  switch (cc >> 1) {
    case 2:
      word(CC_RES, size, false);
      zero(size);
      compare(cc & 1 ? W_NE : W_EQ, size);
      return true;
    case 4:
      word(CC_RES, size, true);
      zero(size);
      compare(cc & 1 ? W_GE_S : W_LT_S, size);
      return true;
    case 5:
      get(CC_RES);
      byte(W_WRAP);
      const32(0xff);
      byte(W_AND);
      byte(W_POPCNT);
      const32(1);
      byte(W_AND);
      if (!(cc & 1)) byte(W_EQZ);
      return true;
    default:
      return false;
  }
}

function afterExplicit(cc: u32): bool {
  const bits: u32 =
    cc >> 1 == 0 ? 0x800 : cc >> 1 == 1 ? 1 : cc >> 1 == 2 ? 0x40 : cc >> 1 == 3 ? 0x41 : cc >> 1 == 4 ? 0x80 : 4;
  if (cc >> 1 > 5) return false;
  get(CC_A);
  byte(W_WRAP);
  const32(bits);
  byte(W_AND);
  byte(W_EQZ);
  if (!(cc & 1)) byte(W_EQZ);
  return true;
}

/** SF ≠ OF after INC or DEC means that the operand was below -1 or 1: there is no need to know OF. */
function afterIncDec(kind: u32, cc: u32, size: u32): bool {
  const k = cc >> 1;
  if (k < 6) return false;
  // The operand: result - 1 or + 1.
  get(CC_RES);
  const64(kind == CCK_INC ? -1 : 1);
  byte(W_ADD + ARITH64);
  if (size != 3) {
    byte(W_WRAP);
    extend(size, true);
  }
  const bound: i64 = kind == CCK_INC ? -1 : 1;
  if (size == 3) const64(bound);
  else const32(<u32>bound);
  compare(k == 6 ? (cc & 1 ? W_GE_S : W_LT_S) : cc & 1 ? W_GT_S : W_LE_S, size);
  return true;
}

/** Pushes condition `cc` as 0 or 1. */
export function pushCondition(cc: u32): void {
  settleFlags();
  if (known != UNKNOWN) {
    const kind = known >> 2;
    const size = known & 3;
    if (kind == CCK_EXPLICIT) {
      if (afterExplicit(cc)) return;
    } else {
      if (kind == CCK_SUB && operand != B_NONE && afterSub(cc, size)) return;
      if (kind == CCK_LOGIC && afterLogic(cc, size)) return;
      if (fromResult(cc, size)) return;
      if ((kind == CCK_INC || kind == CCK_DEC) && afterIncDec(kind, cc, size)) return;
      if (cc >> 1 == 1) {
        pushCarry();
        if (cc & 1) byte(W_EQZ);
        return;
      }
      if (cc >> 1 == 0 && kind == CCK_SHIFT) {
        bitOf(CC_C, 11);
        if (cc & 1) byte(W_EQZ);
        return;
      }
      if (cc >> 1 == 3 && kind != CCK_ADC && kind != CCK_SBB) {
        pushCarry();
        word(CC_RES, size, false);
        byte(size == 3 ? W_EQZ64 : W_EQZ);
        byte(W_OR);
        if (cc & 1) byte(W_EQZ);
        return;
      }
    }
  }
  storeFlags();
  const32(cc);
  call(F_CONDITION);
}

/** Pushes CF as 0 or 1. */
export function pushCarry(): void {
  settleFlags();
  const kind = known >> 2;
  const size = known & 3;
  if (known == UNKNOWN) {
    // INC, DEC and shifts keep it in CC_C; loops meet themselves here.
    get(CC_OP);
    const32(2);
    byte(W_SHR_U);
    const32(CCK_INC);
    byte(W_SUB);
    const32(3);
    byte(W_LT_U);
    byte(W_IF);
    byte(I32);
    bitOf(CC_C, 0);
    byte(W_ELSE);
    storeFlags();
    call(F_CARRY);
    byte(W_END);
    return;
  }
  switch (kind) {
    case CCK_EXPLICIT:
      bitOf(CC_A, 0);
      return;
    case CCK_LOGIC:
      const32(ISA_AARCH64);
      return;
    case CCK_INC:
    case CCK_DEC:
    case CCK_SHIFT:
      bitOf(CC_C, 0);
      return;
    case CCK_ADD:
      word(CC_RES, size, false);
      word(CC_A, size, false);
      compare(ISA_AARCH64 ? W_GE_U : W_LT_U, size);
      return;
    case CCK_SUB:
      word(CC_RES, size, false);
      word(CC_A, size, false);
      compare(W_GT_U, size);
      return;
    default:
      storeFlags();
      call(F_CARRY);
  }
}
