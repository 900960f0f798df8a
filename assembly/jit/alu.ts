// Arithmetic: each operation of ir/alu.ts as WebAssembly.

import { CCK_ADC, CCK_ADD, CCK_DEC, CCK_INC, CCK_LOGIC, CCK_SBB, CCK_SHIFT, CCK_SUB } from '../ir/flags';
import {
  ALU_ADC,
  ALU_ADD,
  ALU_AND,
  ALU_CMP,
  ALU_IMM,
  ALU_IMUL,
  ALU_INC,
  ALU_NEG,
  ALU_NOFLAGS,
  ALU_NOT,
  ALU_OR,
  ALU_SAR,
  ALU_SBB,
  ALU_SHL,
  ALU_SHR,
  ALU_SUB,
  ALU_TEST,
  ROT_RIGHT,
} from '../ir/ops';
import {
  CC_A,
  CC_B,
  CC_C,
  CC_RES,
  cut,
  I0,
  I1,
  I2,
  I3,
  L0,
  L1,
  L2,
  pop,
  push,
} from './frame';
import { forgetFlags, pushCarry, secondIs, secondIsLocal, setKind } from './flags';
import { F_OVERFLOW } from './imports';
import { close, openIf } from './labels';
import {
  ARITH64,
  byte,
  call,
  const32,
  const64,
  get,
  set,
  tee,
  W_ADD,
  W_AND,
  W_ELSE,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND_S,
  W_EXTEND_U,
  W_MUL,
  W_NE,
  W_OR,
  W_ROTL,
  W_ROTR,
  W_SHL,
  W_SHR_S,
  W_SHR_U,
  W_SUB,
  W_WRAP,
  W_XOR,
  COMPARE64,
} from './wasm';

/** Emits an arithmetic instruction of the operand's width. */
function arith(op: u32, size: u32): void {
  byte(size == 3 ? op + ARITH64 : op);
}
function constant(v: u64, size: u32): void {
  if (size == 3) const64(v);
  else const32(size == 2 ? <u32>v : size == 1 ? <u32>v & 0xffff : <u32>v & 0xff);
}
/** i32 of the operand's width on the stack to i64. */
function widen(size: u32): void {
  if (size != 3) byte(W_EXTEND_U);
}

function setFlag(local: u32, from: u32, size: u32): void {
  get(from);
  widen(size);
  set(local);
}

function logicFlags(result: u32, size: u32): void {
  setFlag(CC_RES, result, size);
  setKind(CCK_LOGIC, size);
}

/** OP_ALU. */
export function emitAlu(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  const imm = load<u64>(p, 8);
  const kind = (op >> 4) & 15;
  const size = (op >> 2) & 3;
  const isImm = (op & ALU_IMM) != 0;
  const flags = !(op & ALU_NOFLAGS);
  switch (kind) {
    case ALU_SHL:
    case ALU_SHR:
    case ALU_SAR:
      emitShift(kind, size, isImm, flags, d, a, b, <u32>imm & 0xff);
      return;
    case ALU_IMUL:
      emitImul(size, isImm, flags, d, a, b, imm);
      return;
    case ALU_NOT:
      if (isImm) emitByteSwap(size, d, a);
      else {
        push(a, size);
        constant(u64.MAX_VALUE, size);
        arith(W_XOR, size);
        pop(d, size);
      }
      return;
    case ALU_INC:
      emitIncDec(size, isImm, flags, d, a);
      return;
  }
  const A = size == 3 ? L0 : I0;
  const B = size == 3 ? L1 : I1;
  const R = size == 3 ? L2 : I2;
  const carries = kind == ALU_ADC || kind == ALU_SBB;
  if (carries) {
    pushCarry();
    set(I3);
  }
  let w: u32;
  switch (kind) {
    case ALU_ADD:
    case ALU_ADC:
      w = W_ADD;
      break;
    case ALU_OR:
      w = W_OR;
      break;
    case ALU_AND:
    case ALU_TEST:
      w = W_AND;
      break;
    case ALU_XOR:
      w = W_XOR;
      break;
    default:
      w = W_SUB;
      break;
  }
  const logic = w == W_OR || w == W_AND || w == W_XOR;
  if (kind == ALU_NEG) constant(0, size);
  else push(a, size);
  if (flags && !logic) tee(A);
  if (kind == ALU_NEG) push(a, size);
  else if (isImm) constant(imm, size);
  else push(b, size);
  if (flags && w == W_SUB && !isImm) tee(B);
  arith(w, size);
  if (carries) {
    get(I3);
    widen(size);
    arith(w, size);
  }
  if (!logic) cut(size);
  if (flags) {
    set(R);
    if (logic) logicFlags(R, size);
    else {
      setFlag(CC_A, A, size);
      setFlag(CC_RES, R, size);
      if (carries) {
        get(I3);
        byte(W_EXTEND_U);
        set(CC_C);
        setKind(kind == ALU_ADC ? CCK_ADC : CCK_SBB, size);
      } else if (w == W_ADD) setKind(CCK_ADD, size);
      else {
        setKind(CCK_SUB, size);
        if (isImm) secondIs(imm);
        else {
          setFlag(CC_B, B, size);
          secondIsLocal();
        }
      }
    }
    if (kind == ALU_CMP || kind == ALU_TEST) return;
    get(R);
  }
  pop(d, size);
}

function emitIncDec(size: u32, down: bool, flags: bool, d: u32, a: u32): void {
  if (flags) {
    pushCarry();
    byte(W_EXTEND_U);
    set(L0);
  }
  push(a, size);
  constant(1, size);
  arith(down ? W_SUB : W_ADD, size);
  cut(size);
  if (flags) {
    const R = size == 3 ? L2 : I2;
    tee(R);
    widen(size);
    set(CC_RES);
    get(L0);
    set(CC_C);
    setKind(down ? CCK_DEC : CCK_INC, size);
    get(R);
  }
  pop(d, size);
}

/** Pushes a slot as i64, sign-extended from its size. */
function pushSigned(slot: u32, size: u32): void {
  push(slot, size);
  if (size == 3) return;
  if (size < 2) byte(size ? W_EXTEND16_S : W_EXTEND8_S);
  byte(W_EXTEND_S);
}

/** Sign-extends the i64 on the stack from `size`. */
function signed64(size: u32): void {
  if (size == 3) return;
  byte(size == 2 ? W_EXTEND32_S64 : size == 1 ? W_EXTEND16_S64 : W_EXTEND8_S64);
}

function emitImul(size: u32, isImm: bool, flags: bool, d: u32, a: u32, b: u32, imm: u64): void {
  if (!flags) {
    push(a, size);
    if (isImm) constant(imm, size);
    else push(b, size);
    arith(W_MUL, size);
    cut(size);
    pop(d, size);
    return;
  }
  pushSigned(a, size);
  set(L0);
  if (isImm) {
    const64(imm);
    signed64(size);
  } else pushSigned(b, size);
  set(L1);
  get(L0);
  get(L1);
  byte(W_MUL + ARITH64);
  tee(L2);
  if (size == 3) {
    set(CC_RES);
    get(L0);
    get(L1);
    call(F_OVERFLOW);
  } else {
    signed64(size);
    get(L2);
    byte(W_NE + COMPARE64);
    get(L2);
    const64(size == 2 ? 0xffffffff : size == 1 ? 0xffff : 0xff);
    byte(W_AND + ARITH64);
    set(CC_RES);
  }
  // CF and OF alike.
  const32(0x801);
  byte(W_MUL);
  byte(W_EXTEND_U);
  set(CC_C);
  setKind(CCK_SHIFT, size);
  get(CC_RES);
  if (size != 3) byte(W_WRAP);
  pop(d, size);
}

function emitByteSwap(size: u32, d: u32, a: u32): void {
  if (size == 2) {
    push(a, 2);
    tee(I0);
    const32(8);
    byte(W_ROTL);
    const32(0x00ff00ff);
    byte(W_AND);
    get(I0);
    const32(8);
    byte(W_ROTR);
    const32(0xff00ff00);
    byte(W_AND);
    byte(W_OR);
    pop(d, 2);
    return;
  }
  push(a, 3);
  set(L0);
  swapStep(8, 0x00ff00ff00ff00ff);
  swapStep(16, 0x0000ffff0000ffff);
  get(L0);
  const64(32);
  byte(W_ROTL + ARITH64);
  pop(d, 3);
}
/** L0 = neighbouring groups of n bits exchanged. */
function swapStep(n: u64, mask: u64): void {
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

/** Pushes the shift count of `local` (i32) as the operand's type. */
function count(local: u32, wide: bool): void {
  get(local);
  if (wide) byte(W_EXTEND_U);
}

// Shifts work in 64 bits for all operands but 32-bit ones, since 8- and 16-bit operands may be shifted by up to 31.
function emitShift(kind: u32, size: u32, isImm: bool, flags: bool, d: u32, a: u32, b: u32, imm: u32): void {
  const mask: u32 = size == 3 ? 63 : 31;
  const wide = size != 2;
  const A = wide ? L0 : I0;
  const R = wide ? L2 : I2;
  const n = imm & mask;
  // The value first: the count may be in the same register.
  push(a, size);
  if (kind == ALU_SAR && size < 2) byte(size ? W_EXTEND16_S : W_EXTEND8_S);
  if (size < 2) byte(kind == ALU_SAR ? W_EXTEND_S : W_EXTEND_U);
  set(A);
  if (isImm && !n) {
    get(A);
    if (size < 2) {
      byte(W_WRAP);
      cut(size);
    }
    pop(d, size);
    return;
  }
  if (isImm) {
    const32(n);
    set(I1);
  } else {
    push(b, 0);
    const32(mask);
    byte(W_AND);
    set(I1);
  }
  const w = kind == ALU_SHL ? W_SHL : kind == ALU_SHR ? W_SHR_U : W_SHR_S;
  get(A);
  if (isImm) {
    if (wide) const64(n);
    else const32(n);
  } else count(I1, wide);
  byte(wide ? w + ARITH64 : w);
  set(R);
  if (flags) {
    if (!isImm) {
      get(I1);
      openIf();
    }
    shiftFlags(kind, size, wide, A, R);
    if (!isImm) {
      close();
      forgetFlags();
    }
  }
  get(R);
  if (size < 2) {
    byte(W_WRAP);
    cut(size);
  }
  pop(d, size);
}

/** Flags of a shift of A by I1, which is not 0, to R. */
function shiftFlags(kind: u32, size: u32, wide: bool, A: u32, R: u32): void {
  const bits: u32 = 8 << size;
  const off = wide ? ARITH64 : 0;
  // CF: the last bit shifted out.
  if (kind == ALU_SHL && size < 2) {
    get(R);
    const64(bits);
    byte(W_SHR_U + ARITH64);
  } else {
    get(A);
    if (kind == ALU_SHL) const32(bits);
    get(I1);
    if (kind == ALU_SHL) byte(W_SUB);
    else {
      const32(1);
      byte(W_SUB);
    }
    if (wide) byte(W_EXTEND_U);
    byte((kind == ALU_SAR ? W_SHR_S : W_SHR_U) + off);
  }
  if (wide) byte(W_WRAP);
  const32(1);
  byte(W_AND);
  set(I3);
  // OF: SHL the carry xor the new sign, SHR the old sign, SAR 0.
  get(I3);
  if (kind != ALU_SAR) {
    get(kind == ALU_SHL ? R : A);
    if (wide) const64(bits - 1);
    else const32(bits - 1);
    byte(W_SHR_U + off);
    if (wide) byte(W_WRAP);
    const32(1);
    byte(W_AND);
    if (kind == ALU_SHL) {
      get(I3);
      byte(W_XOR);
    }
    const32(11);
    byte(W_SHL);
    byte(W_OR);
  }
  byte(W_EXTEND_U);
  set(CC_C);
  get(R);
  if (!wide) byte(W_EXTEND_U);
  else if (size < 2) {
    const64(size ? 0xffff : 0xff);
    byte(W_AND + ARITH64);
  }
  set(CC_RES);
  setKind(CCK_SHIFT, size);
}

/** OP_ROT without flags. */
export function emitRotate(p: usize): void {
  const op: u32 = load<u16>(p);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  const size = (op >> 2) & 3;
  const right = (op & ROT_RIGHT) != 0;
  const bits: u32 = 8 << size;
  const n = load<u8>(p, 8) & (bits - 1);
  push(a, size);
  if (size >= 2) {
    if (op & ALU_IMM) {
      if (size == 3) const64(n);
      else const32(n);
    } else {
      push(b, 0);
      if (size == 3) byte(W_EXTEND_U);
    }
    arith(right ? W_ROTR : W_ROTL, size);
    pop(d, size);
    return;
  }
  // Two copies side by side, shifted.
  tee(I0);
  get(I0);
  const32(bits);
  byte(W_SHL);
  byte(W_OR);
  if (op & ALU_IMM) const32(right ? n : bits - n);
  else if (right) {
    push(b, 0);
    const32(bits - 1);
    byte(W_AND);
  } else {
    const32(bits);
    push(b, 0);
    const32(bits - 1);
    byte(W_AND);
    byte(W_SUB);
  }
  byte(W_SHR_U);
  cut(size);
  pop(d, size);
}
