// Helpers of the x87 instructions that move numbers: loads, stores, constants, exchange.

import { STATE } from '../layout/memory';
import { probeWrite, read16, read32, read64, readBytes, write16, write32, write64, writeBytes } from '../mmu/access';
import { faulted } from '../x86/fault';
import {
  beginOp,
  exc,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  noteDenormal,
  roundsUp,
  setResult,
  specialOne,
  zSe,
  zSig,
} from './floatx80';
import {
  fromDecimal,
  fromInteger,
  fromReal32,
  fromReal64,
  toDecimal,
  toInteger,
  toReal32,
  toReal64,
} from './floatx80-convert';
import { se, settle, settleTo, sig, stackOverflow, stackUnderflow } from './x87-arith';
import {
  FSW_C1,
  FSW_IE,
  fsw,
  immRm,
  isEmpty,
  markEmpty,
  pop,
  push,
  putSt,
  record,
  recordData,
  setFsw,
  setTop,
  top,
  waiting,
} from './x87-state';

/** Ten bytes on their way from or to memory. */
const BUFFER: usize = memory.data(16, 16);

// Formats of a memory operand.
export const F_REAL32: u32 = 0;
export const F_REAL64: u32 = 1;
export const F_REAL80: u32 = 2;
export const F_INT16: u32 = 3;
export const F_INT32: u32 = 4;
export const F_INT64: u32 = 5;
export const F_BCD: u32 = 6;
/** Stores: pop afterwards; round toward zero (FISTTP). */
export const F_POP: u32 = 0x10;
export const F_TRUNCATE: u32 = 0x20;

/** Bits of `b`: the segment, and from bit 4 the format with its flags. */
export function packFormat(format: u32, seg: u32): u32 {
  return (format << 4) | seg;
}

/** Pushes the result, or on a full stack what the masked overflow pushes. */
function pushResult(): void {
  if (!isEmpty(7)) stackOverflow();
  // A denormal 32- or 64-bit real is loaded even if #D is unmasked: only #I keeps it out.
  if (settle() || !(exc & FSW_IE)) push(zSe, zSig);
}

/** FLD, FILD, FBLD m: a: slot of the linear address, b: packFormat. */
export function x87LoadMem(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  const linear = load<u64>(STATE + a);
  const format = b >> 4;
  let v: u64 = 0;
  if (format == F_REAL64 || format == F_INT64) v = read64(linear);
  else if (format == F_REAL32 || format == F_INT32) v = read32(linear);
  else if (format == F_INT16) v = read16(linear);
  else readBytes(linear, 10, BUFFER);
  if (faulted()) return;
  recordData(imm, b & 15);
  beginOp();
  switch (format) {
    case F_REAL32:
      fromReal32(<u32>v);
      if (!specialOne(zSe, zSig)) noteDenormal(zSe, zSig);
      break;
    case F_REAL64:
      fromReal64(v);
      if (!specialOne(zSe, zSig)) noteDenormal(zSe, zSig);
      break;
    case F_REAL80:
      setResult(load<u16>(BUFFER, 8), load<u64>(BUFFER));
      break;
    case F_INT16:
      fromInteger(<i64>(<i16>v));
      break;
    case F_INT32:
      fromInteger(<i64>(<i32>v));
      break;
    case F_INT64:
      fromInteger(<i64>v);
      break;
    default:
      fromDecimal(BUFFER);
      break;
  }
  pushResult();
}

/** FST, FSTP, FIST, FISTP, FISTTP, FBSTP m: a, b as above. */
export function x87StoreMem(a: u32, b: u32, imm: u64): void {
  if (waiting()) return;
  const linear = load<u64>(STATE + a);
  const format = (b >> 4) & 15;
  const truncate = ((b >> 4) & F_TRUNCATE) != 0;
  const size: u32 =
    format == F_INT16
      ? 2
      : format == F_REAL32 || format == F_INT32
        ? 4
        : format == F_REAL64 || format == F_INT64
          ? 8
          : 10;
  if (!probeWrite(linear, size)) return;
  recordData(imm, b & 15);
  let s = se(0);
  let m = sig(0);
  const empty = isEmpty(0);
  if (empty) {
    s = INDEFINITE_SE;
    m = INDEFINITE_SIG;
  }
  beginOp();
  let v: u64 = 0;
  switch (format) {
    case F_REAL32:
      v = toReal32(s, m);
      break;
    case F_REAL64:
      v = toReal64(s, m);
      break;
    case F_REAL80:
      store<u64>(BUFFER, m);
      store<u16>(BUFFER, s, 8);
      break;
    case F_BCD:
      toDecimal(s, m, BUFFER);
      break;
    default:
      v = <u64>toInteger(s, m, size << 3, truncate);
      break;
  }
  if (empty) stackUnderflow();
  if (!settleTo(true)) return;
  if (size == 2) write16(linear, <u32>v & 0xffff);
  else if (size == 4) write32(linear, <u32>v);
  else if (size == 8) write64(linear, v);
  else writeBytes(linear, 10, BUFFER);
  if ((b >> 4) & F_POP) pop();
}

/** FLD ST(i) */
export function x87LoadReg(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  if (!isEmpty(i)) {
    beginOp();
    setResult(se(i), sig(i));
    pushResult();
    return;
  }
  stackUnderflow();
  if (settle()) push(zSe, zSig);
}

/** FST, FSTP ST(i); a: pop */
export function x87StoreReg(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  if (isEmpty(0)) stackUnderflow();
  else {
    beginOp();
    setResult(se(0), sig(0));
  }
  if (!settle()) return;
  putSt(immRm(imm), zSe, zSig);
  if (a) pop();
}

/** FSTPNCE, the FSTP ST(i) of opcode D9: an empty ST(0) is popped, without an exception or a store. */
export function x87StoreUnchecked(_a: u32, b: u32, imm: u64): void {
  if (!isEmpty(0)) {
    x87StoreReg(1, b, imm);
    return;
  }
  if (waiting()) return;
  record(imm);
  setFsw(fsw() & ~FSW_C1);
  pop();
}

/** FXCH: an empty register takes part as the indefinite. */
export function x87Exchange(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const i = immRm(imm);
  beginOp();
  const zeroEmpty = isEmpty(0);
  const iEmpty = isEmpty(i);
  if (zeroEmpty || iEmpty) stackUnderflow();
  if (!settle()) return;
  const s = zeroEmpty ? INDEFINITE_SE : se(0);
  const m = zeroEmpty ? INDEFINITE_SIG : sig(0);
  putSt(0, iEmpty ? INDEFINITE_SE : se(i), iEmpty ? INDEFINITE_SIG : sig(i));
  putSt(i, s, m);
}

// FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ: sign and exponent, significand, and the next 64 bits for rounding.
const CONSTANTS: usize = memory.data<u64>([
  0x3fff, 0x8000000000000000, 0, 0x4000, 0xd49a784bcd1b8afe, 0x492bf6ff4dafdb4c, 0x3fff, 0xb8aa3b295c17f0bb,
  0xbe87fed0691d3e88, 0x4000, 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1, 0x3ffd, 0x9a209a84fbcff798, 0x8f8959ac0b7c9178,
  0x3ffe, 0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af, 0, 0, 0,
]);

/** FLD1 … FLDZ: rounded by RC to 64 bits, without flags (SDM vol. 1, 8.3.4). */
export function x87LoadConstant(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  const c = CONSTANTS + <usize>immRm(imm) * 24;
  const m = load<u64>(c, 8);
  beginOp();
  setResult(load<u16>(c), m + u64(roundsUp(0, load<u64>(c, 16), (m & 1) != 0)));
  pushResult();
}

/** FFREE; a: FFREEP, which also pops. */
export function x87Free(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  setFsw(fsw() & ~FSW_C1);
  markEmpty(immRm(imm));
  if (a) pop();
}

/** FDECSTP, FINCSTP; a: what is added to TOP. */
export function x87Rotate(a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
  beginOp();
  settle();
  setTop(top() + a);
}

/** FNOP */
export function x87Nop(_a: u32, _b: u32, imm: u64): void {
  if (waiting()) return;
  record(imm);
}
