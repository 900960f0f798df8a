// The integer operations that A64 brought to the IR (ir/integer.ts), as WebAssembly.

import { CCK_ADD, CCK_EXPLICIT, CCK_SUB } from '../ir/flags';
import {
  OP_CCMN,
  OP_CCMP,
  OP_CLZ32,
  OP_CLZ64,
  OP_FIELD,
  OP_INSERT32,
  OP_INSERT64,
  OP_RBIT64,
  OP_SDIV,
  OP_SEL,
  OP_SETCC64,
  OP_SMULH,
  OP_SMULL,
  OP_UDIV,
  OP_UMULH,
  OP_UMULL,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { forgetFlags, pushCondition } from './flags';
import { CC_A, CC_OP, CC_RES, call, I0, I1, L0, L1, L2, pop, push, pushWide } from './frame';
import { F_MUL_HIGH } from './imports';
import { close, openIf } from './labels';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  I32,
  I64,
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
  W_EXTEND32_S64,
  W_IF,
  W_MUL,
  W_OR,
  W_ROTL,
  W_SELECT,
  W_SHL,
  W_SHR_U,
  W_SUB,
  W_WRAP,
} from './wasm';

const W_CLZ: u32 = 0x67;
const W_DIV_S: u32 = 0x6d;
const W_DIV_U: u32 = 0x6e;

function arith(op: u32, size: u32): void {
  byte(size == 3 ? op + ARITH64 : op);
}

/** Operation p, if it is one of those. */
export function emitInteger(p: usize, op: u32): bool {
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  const imm = load<u64>(p, 8);
  switch (op) {
    case OP_SETCC64:
      pushCondition(<u32>imm & 0xff);
      byte(W_EXTEND_U);
      pop(d, 3);
      return true;
    case OP_SEL + SIZE32:
    case OP_SEL + SIZE64: {
      const size = op - OP_SEL;
      push(a, size);
      push(b, size);
      pushCondition(<u32>imm & 0xff);
      byte(W_SELECT);
      pop(d, size);
      return true;
    }
    case OP_FIELD:
      pushField(a, b, imm);
      pop(d, 3);
      return true;
    case OP_INSERT32:
    case OP_INSERT64:
      pushField(a, b, imm);
      push(d, 3);
      const64(op == OP_INSERT32 ? ~imm & 0xffffffff : ~imm);
      byte(W_AND + ARITH64);
      byte(W_OR + ARITH64);
      pop(d, 3);
      return true;
    case OP_CLZ32:
    case OP_CLZ64: {
      const size: u32 = op == OP_CLZ64 ? 3 : 2;
      push(a, size);
      arith(W_CLZ, size);
      pop(d, size);
      return true;
    }
    case OP_RBIT64:
      push(a, 3);
      set(L0);
      swapGroups(1, 0x5555555555555555);
      swapGroups(2, 0x3333333333333333);
      swapGroups(4, 0x0f0f0f0f0f0f0f0f);
      swapGroups(8, 0x00ff00ff00ff00ff);
      swapGroups(16, 0x0000ffff0000ffff);
      get(L0);
      const64(32);
      byte(W_ROTL + ARITH64);
      pop(d, 3);
      return true;
    case OP_SMULL:
    case OP_UMULL:
      pushWide(a, 2);
      if (op == OP_SMULL) byte(W_EXTEND32_S64);
      pushWide(b, 2);
      if (op == OP_SMULL) byte(W_EXTEND32_S64);
      byte(W_MUL + ARITH64);
      pop(d, 3);
      return true;
    case OP_SMULH:
    case OP_UMULH:
      push(a, 3);
      push(b, 3);
      const32(u32(op == OP_SMULH));
      call(F_MUL_HIGH);
      pop(d, 3);
      return true;
    case OP_UDIV + SIZE32:
    case OP_UDIV + SIZE64:
      emitDivision(d, a, b, op - OP_UDIV, false);
      return true;
    case OP_SDIV + SIZE32:
    case OP_SDIV + SIZE64:
      emitDivision(d, a, b, op - OP_SDIV, true);
      return true;
    case OP_CCMP + SIZE32:
    case OP_CCMP + SIZE64:
      emitConditional(d, a, b, op - OP_CCMP, false, imm);
      return true;
    case OP_CCMN + SIZE32:
    case OP_CCMN + SIZE64:
      emitConditional(d, a, b, op - OP_CCMN, true, imm);
      return true;
    default:
      return false;
  }
}

/** (a rotated left by n) AND mask, as a shift where that is all it is. */
function pushField(a: u32, n: u32, mask: u64): void {
  push(a, 3);
  const by = <u64>n & 63;
  if (by && mask == u64.MAX_VALUE << by) {
    const64(by);
    byte(W_SHL + ARITH64);
    return;
  }
  if (by && mask == u64.MAX_VALUE >> (64 - by)) {
    const64(64 - by);
    byte(W_SHR_U + ARITH64);
    return;
  }
  if (by) {
    // Bits that the rotation carries around do not matter if the mask drops them.
    if (!(mask & (((<u64>1) << by) - 1))) {
      const64(by);
      byte(W_SHL + ARITH64);
    } else if (!(mask & ~(u64.MAX_VALUE >> (64 - by)))) {
      const64(64 - by);
      byte(W_SHR_U + ARITH64);
    } else {
      const64(by);
      byte(W_ROTL + ARITH64);
    }
  }
  if (mask == u64.MAX_VALUE) return;
  const64(mask);
  byte(W_AND + ARITH64);
}

/** L0 = neighbouring groups of n bits exchanged. */
function swapGroups(n: u64, mask: u64): void {
  get(L0);
  const64(n);
  byte(W_SHR_U + ARITH64);
  const64(mask);
  byte(W_AND + ARITH64);
  get(L0);
  const64(mask);
  byte(W_AND + ARITH64);
  const64(n);
  byte(W_SHL + ARITH64);
  byte(W_OR + ARITH64);
  set(L0);
}

/** a / b towards zero; a / 0 = 0; MIN / -1 wraps. */
function emitDivision(d: u32, a: u32, b: u32, size: u32, signed: bool): void {
  const A = size == 3 ? L0 : I0;
  const B = size == 3 ? L1 : I1;
  push(a, size);
  set(A);
  push(b, size);
  tee(B);
  byte(size == 3 ? W_EQZ64 : W_EQZ);
  byte(W_IF);
  byte(size == 3 ? I64 : I32);
  if (size == 3) const64(0);
  else const32(0);
  byte(W_ELSE);
  if (signed) {
    // WebAssembly would trap on MIN / -1.
    get(B);
    if (size == 3) const64(-1);
    else const32(-1);
    byte(size == 3 ? W_EQ + COMPARE64 : W_EQ);
    byte(W_IF);
    byte(size == 3 ? I64 : I32);
    if (size == 3) const64(0);
    else const32(0);
    get(A);
    arith(W_SUB, size);
    byte(W_ELSE);
  }
  get(A);
  get(B);
  arith(signed ? W_DIV_S : W_DIV_U, size);
  if (signed) byte(W_END);
  byte(W_END);
  pop(d, size);
}

/** CCMP, CCMN. */
function emitConditional(cc: u32, a: u32, b: u32, size: u32, add: bool, otherwise: u64): void {
  pushCondition(cc);
  openIf();
  push(a, size);
  if (size != 3) byte(W_EXTEND_U);
  set(L0);
  push(b, size);
  if (size != 3) byte(W_EXTEND_U);
  set(L1);
  get(L0);
  get(L1);
  byte((add ? W_ADD : W_SUB) + ARITH64);
  if (size != 3) {
    byte(W_WRAP);
    byte(W_EXTEND_U);
  }
  set(L2);
  get(L0);
  set(CC_A);
  get(L2);
  set(CC_RES);
  const32(((add ? CCK_ADD : CCK_SUB) << 2) | size);
  set(CC_OP);
  byte(W_ELSE);
  const64(otherwise & 0xffffffff);
  set(CC_A);
  const32(CCK_EXPLICIT << 2);
  set(CC_OP);
  close();
  forgetFlags();
}
