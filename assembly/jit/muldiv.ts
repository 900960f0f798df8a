// MUL, IMUL and DIV, IDIV on RDX:RAX, 32 and 64 bits wide, in line where WebAssembly's arithmetic suffices: a quotient
// that does not fit, and a dividend of more than 64 bits, are left to the core's helpers (x86/arith.ts).

import { CCK_SHIFT } from '../ir/flags';
import { S_RAX, S_RDX } from '../layout/x86-state';
import { divide, multiply } from '../x86/arith';
import { setKind, settleFlags } from './flags';
import { CC_C, CC_RES, call, I0, I1, I2, L0, L1, L2, pop, push, pushWide } from './frame';
import { F_MUL_HIGH } from './imports';
import { hint, openIf } from './labels';
import {
  ARITH64,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  set,
  tee,
  W_ADD,
  W_AND,
  W_EQ,
  W_EXTEND_U,
  W_EXTEND32_S64,
  W_GT_U,
  W_MUL,
  W_NE,
  W_OR,
  W_SHL,
  W_SHR_S,
  W_SHR_U,
  W_SUB,
  W_WRAP,
} from './wasm';

const W_DIV_S: u32 = 0x6d;
const W_DIV_U: u32 = 0x6e;

export function isMultiply(helper: u32): bool {
  return helper == multiply.index;
}
export function isDivide(helper: u32): bool {
  return helper == divide.index;
}

/** A multiplication by slot `a`, 32 or 64 bits wide. */
export function emitMultiply(a: u32, size: u32, signed: bool): void {
  if (size == 3) {
    push(S_RAX, 3);
    set(L0);
    push(a, 3);
    set(L1);
    get(L0);
    get(L1);
    const32(u32(signed));
    call(F_MUL_HIGH);
    set(L2);
    get(L0);
    get(L1);
    byte(W_MUL + ARITH64);
    tee(CC_RES);
    pop(S_RAX, 3);
    get(L2);
    pop(S_RDX, 3);
    get(L2);
    if (signed) {
      get(CC_RES);
      const64(63);
      byte(W_SHR_S + ARITH64);
    } else const64(0);
    byte(W_NE + COMPARE64);
  } else {
    pushWide(S_RAX, 2);
    if (signed) byte(W_EXTEND32_S64);
    pushWide(a, 2);
    if (signed) byte(W_EXTEND32_S64);
    byte(W_MUL + ARITH64);
    set(L0);
    get(L0);
    byte(W_WRAP);
    tee(I0);
    byte(W_EXTEND_U);
    set(CC_RES);
    get(I0);
    pop(S_RAX, 2);
    get(L0);
    const64(32);
    byte(W_SHR_U + ARITH64);
    byte(W_WRAP);
    tee(I1);
    pop(S_RDX, 2);
    get(I1);
    if (signed) {
      get(I0);
      const32(31);
      byte(W_SHR_S);
    } else const32(0);
    byte(W_NE);
  }
  // CF and OF alike.
  const32(0x801);
  byte(W_MUL);
  byte(W_EXTEND_U);
  set(CC_C);
  setKind(CCK_SHIFT, size);
}

/** The quotient and remainder of L0 by L1 (i64), or of I0 by I1, to RAX and RDX. */
function quotient(wide: bool, signed: bool, size: u32): void {
  const off = wide ? ARITH64 : 0;
  const n = wide ? L0 : I0;
  const d = wide ? L1 : I1;
  const q = wide ? L2 : I2;
  get(n);
  get(d);
  byte((signed ? W_DIV_S : W_DIV_U) + off);
  set(q);
  get(n);
  get(q);
  get(d);
  byte(W_MUL + off);
  byte(W_SUB + off);
  if (wide && size == 2) byte(W_WRAP);
  pop(S_RDX, size);
  get(q);
  if (wide && size == 2) byte(W_WRAP);
  pop(S_RAX, size);
}

/**
 * A division by slot `a`, 32 or 64 bits wide: opens an IF, whose ELSE the caller fills with the call of the helper.
 */
export function emitDivide(a: u32, size: u32, signed: bool): void {
  settleFlags();
  if (size == 2) {
    pushWide(S_RAX, 2);
    pushWide(S_RDX, 2);
    const64(32);
    byte(W_SHL + ARITH64);
    byte(W_OR + ARITH64);
    set(L0);
    push(a, 2);
    set(I1);
    if (signed) {
      // The dividend fits in 32 bits, and the divisor is neither 0 nor -1.
      get(L0);
      byte(W_EXTEND32_S64);
      get(L0);
      byte(W_EQ + COMPARE64);
      get(L0);
      byte(W_WRAP);
      set(I0);
      get(I1);
      const32(1);
      byte(W_ADD);
      const32(1);
      byte(W_GT_U);
    } else {
      // The quotient fits if the divisor is above the dividend's high half.
      get(I1);
      byte(W_EXTEND_U);
      set(L1);
      get(I1);
      push(S_RDX, 2);
      byte(W_GT_U);
      const32(1);
    }
  } else {
    push(S_RAX, 3);
    set(L0);
    push(a, 3);
    set(L1);
    push(S_RDX, 3);
    if (signed) {
      get(L0);
      const64(63);
      byte(W_SHR_S + ARITH64);
      byte(W_EQ + COMPARE64);
      get(L1);
      const64(1);
      byte(W_ADD + ARITH64);
      const64(1);
      byte(W_GT_U + COMPARE64);
    } else {
      const64(0);
      byte(W_EQ + COMPARE64);
      get(L1);
      const64(0);
      byte(W_NE + COMPARE64);
    }
  }
  byte(W_AND);
  hint(true);
  openIf();
  quotient(size == 3 || !signed, signed, size);
}
