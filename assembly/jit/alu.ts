// Arithmetic: each operation of ir/alu.ts as WebAssembly.

import { CCK_ADC, CCK_ADD, CCK_DEC, CCK_INC, CCK_LOGIC, CCK_SBB, CCK_SUB } from '../ir/flags';
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
  ALU_TEST,
  ALU_XOR,
  ROT_RIGHT,
} from '../ir/ops';
import {
  emitShiftFlags,
  forgetFlags,
  havePendingBut,
  PENDING_IMUL,
  PENDING_ROL,
  PENDING_ROR,
  PENDING_SAR,
  PENDING_SHL,
  PENDING_SHLD,
  PENDING_SHR,
  PENDING_SHRD,
  pushCarry,
  putOff,
  secondIs,
  secondIsLocal,
  setKind,
  settleFlags,
} from './flags';
import { CC_A, CC_B, CC_C, CC_RES, cut, I0, I1, I2, I3, L0, L1, L2, PENDING_A, PENDING_R, pop, push } from './frame';
import { close, openIf } from './labels';
import {
  ARITH64,
  byte,
  const32,
  const64,
  get,
  set,
  tee,
  W_ADD,
  W_AND,
  W_EXTEND_S,
  W_EXTEND_U,
  W_EXTEND8_S,
  W_EXTEND8_S64,
  W_EXTEND16_S,
  W_EXTEND16_S64,
  W_EXTEND32_S64,
  W_MUL,
  W_OR,
  W_ROTL,
  W_ROTR,
  W_SHL,
  W_SHR_S,
  W_SHR_U,
  W_SUB,
  W_WRAP,
  W_XOR,
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
    if (size == 3) byte(W_EXTEND_U);
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
  set(PENDING_A);
  if (isImm) {
    const64(imm);
    signed64(size);
  } else pushSigned(b, size);
  set(PENDING_R);
  get(PENDING_A);
  get(PENDING_R);
  byte(W_MUL + ARITH64);
  if (size != 3) {
    byte(W_WRAP);
    cut(size);
  }
  pop(d, size);
  putOff(PENDING_IMUL, size, 0);
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

// Shifts work in 64 bits for all operands but 32-bit ones, since 8- and 16-bit operands may be shifted by up to 31.
function emitShift(kind: u32, size: u32, isImm: bool, flags: bool, d: u32, a: u32, b: u32, imm: u32): void {
  const mask: u32 = size == 3 ? 63 : 31;
  const wide = size != 2;
  const n = imm & mask;
  if (isImm && !n) {
    push(a, size);
    pop(d, size);
    return;
  }
  if (flags && !isImm) settleFlags();
  push(a, size);
  if (size < 2) {
    if (kind == ALU_SAR) byte(size ? W_EXTEND16_S : W_EXTEND8_S);
    byte(kind == ALU_SAR ? W_EXTEND_S : W_EXTEND_U);
  }
  if (flags) {
    // The operand stays: flags come later.
    if (!wide) byte(W_EXTEND_U);
    set(PENDING_A);
    get(PENDING_A);
    if (!wide) byte(W_WRAP);
  }
  if (isImm) {
    if (wide) const64(n);
    else const32(n);
  } else {
    push(b, 0);
    const32(mask);
    byte(W_AND);
    tee(I1);
    if (wide) byte(W_EXTEND_U);
  }
  const w = kind == ALU_SHL ? W_SHL : kind == ALU_SHR ? W_SHR_U : W_SHR_S;
  byte(wide ? w + ARITH64 : w);
  if (flags) {
    if (!wide) byte(W_EXTEND_U);
    set(PENDING_R);
    const off = kind == ALU_SHL ? PENDING_SHL : kind == ALU_SHR ? PENDING_SHR : PENDING_SAR;
    if (isImm) putOff(off, size, n);
    else {
      // A count of 0 leaves the flags alone.
      get(I1);
      openIf();
      emitShiftFlags(off, size, 0);
      close();
      forgetFlags();
    }
    get(PENDING_R);
    if (!wide) byte(W_WRAP);
  }
  if (size < 2) {
    byte(W_WRAP);
    cut(size);
  }
  pop(d, size);
}

/** SHLD, SHRD (`right`) of slot a by n, with bits of slot b; 32 or 64 bits wide. */
export function emitDoubleShift(a: u32, b: u32, size: u32, right: bool, n: u32): void {
  push(a, size);
  if (n) {
    const bits: u32 = 8 << size;
    widen(size);
    set(PENDING_A);
    push(a, size);
    constant(n, size);
    arith(right ? W_SHR_U : W_SHL, size);
    push(b, size);
    constant(bits - n, size);
    arith(right ? W_SHL : W_SHR_U, size);
    arith(W_OR, size);
    widen(size);
    tee(PENDING_R);
    if (size != 3) byte(W_WRAP);
    putOff(right ? PENDING_SHRD : PENDING_SHLD, size, n);
  }
  pop(a, size);
}

/** OP_ROT by a constant, or without flags. */
export function emitRotate(p: usize): void {
  const op: u32 = load<u16>(p);
  const flags = !(op & ALU_NOFLAGS) && (load<u8>(p, 8) & (((op >> 2) & 3) == 3 ? 63 : 31)) != 0;
  if (flags && havePendingBut(true)) settleFlags();
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
    endRotate(d, size, right, flags);
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
  endRotate(d, size, right, flags);
}

/** The result is on the stack. */
function endRotate(d: u32, size: u32, right: bool, flags: bool): void {
  if (flags) {
    widen(size);
    tee(PENDING_R);
    if (size != 3) byte(W_WRAP);
    putOff(right ? PENDING_ROR : PENDING_ROL, size, 1);
  }
  pop(d, size);
}

/** The comparison of OP_CMPJ. */
export function emitCompare(size: u32, a: u32, b: u32): void {
  const A = size == 3 ? L0 : I0;
  const B = size == 3 ? L1 : I1;
  push(a, size);
  set(A);
  push(b, size);
  set(B);
  setFlag(CC_A, A, size);
  setFlag(CC_B, B, size);
  get(A);
  get(B);
  arith(W_SUB, size);
  cut(size);
  widen(size);
  set(CC_RES);
  setKind(CCK_SUB, size);
  secondIsLocal();
}

/** The comparison of OP_CMPIJ. */
export function emitCompareImm(size: u32, a: u32, n: i64): void {
  const A = size == 3 ? L0 : I0;
  push(a, size);
  set(A);
  setFlag(CC_A, A, size);
  get(A);
  constant(n, size);
  arith(W_SUB, size);
  cut(size);
  widen(size);
  set(CC_RES);
  setKind(CCK_SUB, size);
  secondIs(n);
}

/** The test of OP_TESTJ. */
export function emitTest(size: u32, a: u32, b: u32): void {
  push(a, size);
  push(b, size);
  arith(W_AND, size);
  widen(size);
  set(CC_RES);
  setKind(CCK_LOGIC, size);
}
/** The test of OP_TESTIJ. */
export function emitTestImm(size: u32, a: u32, n: i64): void {
  push(a, size);
  constant(n, size);
  arith(W_AND, size);
  widen(size);
  set(CC_RES);
  setKind(CCK_LOGIC, size);
}
