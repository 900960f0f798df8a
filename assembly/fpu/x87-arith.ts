// Helpers of the x87 instructions that compute: arithmetic, comparison, and what works on ST(0) alone.
//
// The shape of all of them: report a pending exception, read memory, remember the pointers, test the stack, compute,
// and let settle() say whether the result may be written (SDM vol. 1, 8.5 and 8.6).

import { condition, setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_CF, FLAG_PF, FLAG_ZF } from '../layout/x86-state';
import { read16, read32, read64 } from '../mmu/access';
import { faulted } from '../x86/fault';
import {
  beginOp,
  exc,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  isInfinity,
  isNaN80,
  isUnsupported,
  raiseX,
  setResult,
  specialOne,
  zSe,
  zSig,
} from './floatx80';
import { add80, compare80, div80, mul80, sqrt80 } from './floatx80-arith';
import { fromInteger, fromReal32, fromReal64 } from './floatx80-convert';
import { extract80, rem80, roundInt80, scale80, significandSe, significandSig } from './floatx80-scale';
import {
  FSW_B,
  FSW_C0,
  FSW_C1,
  FSW_C2,
  FSW_C3,
  FSW_CC,
  FSW_DE,
  FSW_ES,
  FSW_EXCEPTIONS,
  FSW_IE,
  FSW_OE,
  FSW_PE,
  FSW_SF,
  FSW_UE,
  FSW_ZE,
  fcw,
  fsw,
  immReg,
  immRm,
  isEmpty,
  pop,
  push,
  putSt,
  record,
  recordData,
  setFsw,
  st,
  waiting,
} from './x87-state';

/**
 * Enters the operation's exceptions in the status word, C1 with them. True when its result may be written: no
 * unmasked #I, #Z or #D came before it. `memory`: an unmasked #O or #U keeps a result from memory, too.
 */
export function settleTo(memory: bool): bool {
  let flags = exc;
  const open = ~fcw() & FSW_EXCEPTIONS;
  let stop = flags & open & (FSW_IE | FSW_ZE | FSW_DE);
  if (stop) flags &= ~(FSW_OE | FSW_UE | FSW_PE | (flags & FSW_SF ? 0 : FSW_C1));
  else if (memory && flags & open & (FSW_OE | FSW_UE)) {
    stop = 1;
    flags &= ~(FSW_PE | FSW_C1);
  }
  let s = (fsw() & ~FSW_C1) | flags;
  if (flags & open) s |= FSW_ES | FSW_B;
  setFsw(s);
  return !stop;
}

export function settle(): bool {
  return settleTo(false);
}

/** An operand register is empty: the result is the indefinite, if #IS is masked. */
export function stackUnderflow(): void {
  beginOp();
  raiseX(FSW_IE | FSW_SF);
  setResult(INDEFINITE_SE, INDEFINITE_SIG);
}

/** The register that a push would use is not empty. C1 tells it from an underflow. */
export function stackOverflow(): void {
  beginOp();
  raiseX(FSW_IE | FSW_SF | FSW_C1);
  setResult(INDEFINITE_SE, INDEFINITE_SIG);
}

/** Sets C3, C2, C0. */
export function setCodes(codes: u32): void {
  setFsw((fsw() & ~(FSW_C3 | FSW_C2 | FSW_C0)) | codes);
}

export function se(i: u32): u32 {
  return load<u16>(st(i), 8);
}

export function sig(i: u32): u64 {
  return load<u64>(st(i));
}

/** Result = ST(0) op b, by the reg field of the opcode: ADD MUL – – SUB SUBR DIV DIVR. */
function compute(op: u32, bse: u32, bsig: u64): void {
  const ase = se(0);
  const asig = sig(0);
  switch (op) {
    case 0:
      add80(ase, asig, bse, bsig, 0);
      break;
    case 1:
      mul80(ase, asig, bse, bsig);
      break;
    case 4:
      add80(ase, asig, bse, bsig, 1);
      break;
    case 5:
      add80(bse, bsig, ase, asig, 1);
      break;
    case 6:
      div80(ase, asig, bse, bsig);
      break;
    default:
      div80(bse, bsig, ase, asig);
      break;
  }
}

/** D8, DC, DE with registers: ST(a) = ST(0) op ST(rm); b: pop. */
export function x87Arith(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  if (isEmpty(0) || isEmpty(i)) stackUnderflow();
  else {
    beginOp();
    compute(immReg(imm), se(i), sig(i));
  }
  if (!settle()) return;
  putSt(a, zSe, zSig);
  if (b) pop();
}

/** Reads a memory operand: kind 0 m32fp, 1 m32int, 2 m64fp, 3 m16int, as bits 1–2 of the opcode have it. */
function readOperand(linear: u64, imm: u64): void {
  const kind = <u32>(imm >> 57) & 3;
  let v: u64;
  if (kind == 2) v = read64(linear);
  else if (kind == 3) v = read16(linear);
  else v = read32(linear);
  if (faulted()) return;
  beginOp();
  if (kind == 0) fromReal32(<u32>v);
  else if (kind == 2) fromReal64(v);
  else if (kind == 1) fromInteger(<i64>(<i32>v));
  else fromInteger(<i64>(<i16>v));
}

/** D8, DA, DC, DE with memory: ST(0) = ST(0) op m. a: slot of the linear address, b: segment. */
export function x87ArithMem(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  readOperand(load<u64>(STATE + a), imm);
  if (faulted()) return;
  recordData(imm, b);
  if (isEmpty(0)) stackUnderflow();
  else compute(immReg(imm), zSe, zSig);
  if (settle()) putSt(0, zSe, zSig);
}

/** Compares ST(0) with an operand and pops `pops` times. */
function compareWith(bse: u32, bsig: u64, quiet: bool, pops: u32): void {
  finishCompare(compare80(se(0), sig(0), bse, bsig, quiet), pops);
}

/** The codes of an unmasked invalid comparison are not set (SDM vol. 2A, "FCOM"); those of an unmasked #D are. */
function finishCompare(codes: u32, pops: u32): void {
  const done = settle();
  if (done || !(exc & FSW_IE)) setCodes(codes);
  if (!done) return;
  if (pops > 0) pop();
  if (pops > 1) pop();
}

/** FCOM, FCOMP, FCOMPP; a: how many pops, b: the unordered compares. */
export function x87Compare(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  if (isEmpty(0) || isEmpty(i)) {
    stackUnderflow();
    finishCompare(FSW_C3 | FSW_C2 | FSW_C0, a);
    return;
  }
  beginOp();
  compareWith(se(i), sig(i), b != 0, a);
}

/** FCOM, FCOMP, FICOM, FICOMP with memory. */
export function x87CompareMem(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  readOperand(load<u64>(STATE + a), imm);
  if (faulted()) return;
  recordData(imm, b);
  const pops = immReg(imm) & 1;
  if (isEmpty(0)) {
    stackUnderflow();
    finishCompare(FSW_C3 | FSW_C2 | FSW_C0, pops);
  } else compareWith(zSe, zSig, false, pops);
}

/** FCOMI, FUCOMI and their popping forms; a: pop, b: unordered. ZF PF CF stand for C3 C2 C0; OF SF AF are cleared. */
export function x87CompareFlags(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  let codes = FSW_C3 | FSW_C2 | FSW_C0;
  if (isEmpty(0) || isEmpty(i)) stackUnderflow();
  else {
    beginOp();
    codes = compare80(se(0), sig(0), se(i), sig(i), b != 0);
  }
  const done = settle();
  if (!done && exc & FSW_IE) return;
  setFlags((codes & FSW_C3 ? FLAG_ZF : 0) | (codes & FSW_C2 ? FLAG_PF : 0) | (codes & FSW_C0 ? FLAG_CF : 0));
  if (a && done) pop();
}

/** FTST */
export function x87Test(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0)) {
    stackUnderflow();
    finishCompare(FSW_C3 | FSW_C2 | FSW_C0, 0);
    return;
  }
  beginOp();
  compareWith(0, 0, false, 0);
}

/** FXAM: class of ST(0) in C3 C2 C0, sign in C1; an empty register has a sign, too. */
export function x87Examine(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const s = se(0);
  const m = sig(0);
  let codes: u32;
  if (isEmpty(0)) codes = FSW_C3 | FSW_C0;
  else if (isUnsupported(s, m)) codes = 0;
  else if (isNaN80(s, m)) codes = FSW_C0;
  else if (isInfinity(s, m)) codes = FSW_C2 | FSW_C0;
  else if (s & 0x7fff) codes = FSW_C2;
  else codes = m ? FSW_C3 | FSW_C2 : FSW_C3;
  setFsw((fsw() & ~FSW_CC) | codes | (s >> 15 ? FSW_C1 : 0));
}

/** FCHS, FABS: a: bits of the sign word to keep, b: to flip. Only an empty register is wrong with them. */
export function x87Sign(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0)) stackUnderflow();
  else {
    beginOp();
    setResult((se(0) & a) ^ b, sig(0));
  }
  if (settle()) putSt(0, zSe, zSig);
}

/** FSQRT */
export function x87Sqrt(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0)) stackUnderflow();
  else {
    beginOp();
    sqrt80(se(0), sig(0));
  }
  if (settle()) putSt(0, zSe, zSig);
}

/** FRNDINT */
export function x87RoundInt(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0)) stackUnderflow();
  else {
    beginOp();
    roundInt80(se(0), sig(0));
  }
  if (settle()) putSt(0, zSe, zSig);
}

/** FSCALE */
export function x87Scale(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0) || isEmpty(1)) stackUnderflow();
  else {
    beginOp();
    scale80(se(0), sig(0), se(1), sig(1));
  }
  if (settle()) putSt(0, zSe, zSig);
}

/** FPREM; a: FPREM1 */
export function x87Remainder(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  let codes: u32 = 0;
  if (isEmpty(0) || isEmpty(1)) stackUnderflow();
  else {
    beginOp();
    codes = rem80(se(0), sig(0), se(1), sig(1), a != 0);
  }
  const done = settle();
  // Without a quotient C3 and C0 stay.
  setCodes(!done || isNaN80(zSe, zSig) ? fsw() & (FSW_C3 | FSW_C0) : codes);
  if (done) putSt(0, zSe, zSig);
}

/** FXTRACT: the exponent takes the operand's place, the significand is pushed. */
export function x87Extract(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  let mse = INDEFINITE_SE;
  let msig = INDEFINITE_SIG;
  if (isEmpty(0)) stackUnderflow();
  else if (!isEmpty(7)) stackOverflow();
  else {
    beginOp();
    if (specialOne(se(0), sig(0))) {
      mse = zSe;
      msig = zSig;
    } else {
      extract80(se(0), sig(0));
      mse = significandSe;
      msig = significandSig;
    }
  }
  if (!settle()) return;
  putSt(0, zSe, zSig);
  push(mse, msig);
}

/** FCMOVcc: ST(0) = ST(rm) if condition a is true. */
export function x87Move(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  if (isEmpty(0) || isEmpty(i)) {
    stackUnderflow();
    if (settle()) putSt(0, zSe, zSig);
    return;
  }
  if (condition(a)) putSt(0, se(i), sig(i));
}
