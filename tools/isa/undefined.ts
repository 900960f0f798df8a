// What the manuals leave undefined, per instruction (SDM vol. 2, "Flags Affected", and vol. 1, 8.1.3), and where CPUs of
// different make differ by their documentation. Such bits are no part of a comparison.

import {
  FLAG_AF,
  FLAG_CF,
  FLAG_OF,
  FLAG_PF,
  FLAG_RF,
  FLAG_SF,
  FLAG_ZF,
  FLAGS_ARITH,
  S_FCW,
  S_FPR,
  S_FSW,
  S_FTW,
  S_XMM,
} from '../../assembly/layout/x86-state.js';
import {
  type Case,
  ENDED,
  fpuOffset,
  IMAGE_CR2,
  IMAGE_ERROR,
  IMAGE_GPR,
  IMAGE_RFLAGS,
  IMAGE_VECTOR,
  IMAGE_WINDOWS,
  VECTOR_PF,
} from './case.js';

type FlagRule = number | ((c: Case) => number);

const SIZE_BITS = (c: Case) => (c.operands[0]?.endsWith('b') ? 8 : 8 << c.opSize);

/** OF is defined for counts of 1 only, CF not for counts beyond the width, AF never; count 0 changes nothing. */
const shift: FlagRule = (c) => {
  if (c.count === 0) return 0;
  return FLAG_AF | (c.count === 1 ? 0 : FLAG_OF) | (c.count > SIZE_BITS(c) ? FLAG_CF : 0);
};
const shiftLeft: FlagRule = (c) =>
  c.count === 0 ? 0 : (shift as (c: Case) => number)(c) | (c.count >= SIZE_BITS(c) ? FLAG_CF : 0);
const rotate: FlagRule = (c) => (c.count <= 1 ? 0 : FLAG_OF);
const doubleShift: FlagRule = (c) => {
  if (c.count === 0) return 0;
  if (c.count > SIZE_BITS(c)) return FLAGS_ARITH;
  return FLAG_AF | (c.count === 1 ? 0 : FLAG_OF);
};

/** Flags undefined after the instruction. */
const FLAGS: Readonly<Record<string, FlagRule>> = {
  AND: FLAG_AF,
  OR: FLAG_AF,
  XOR: FLAG_AF,
  TEST: FLAG_AF,
  MUL: FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
  IMUL: FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
  DIV: FLAGS_ARITH,
  IDIV: FLAGS_ARITH,
  SHL: shiftLeft,
  SAL: shiftLeft,
  SHR: shiftLeft,
  SAR: shift,
  ROL: rotate,
  ROR: rotate,
  RCL: rotate,
  RCR: rotate,
  SHLD: doubleShift,
  SHRD: doubleShift,
  BT: FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  BTS: FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  BTR: FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  BTC: FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  BSF: FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  BSR: FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
  AAA: FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF,
  AAS: FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF,
  AAM: FLAG_OF | FLAG_AF | FLAG_CF,
  AAD: FLAG_OF | FLAG_AF | FLAG_CF,
  DAA: FLAG_OF,
  DAS: FLAG_OF,
};

/** x87 instructions that define C0, C2 and C3; the others leave them undefined. */
const DEFINES_CONDITIONS =
  /^(FU?COMP?P?|FICOMP?|FTST|FXAM|FPREM1?|FLDENV|FRSTOR|FNSTENV|FNSAVE|FNINIT|FXRSTOR|FXSAVE|FNSTSW|FNSTCW|FLDCW|FWAIT|FNOP|FNENI|FNDISI|FNSETPM|EMMS)$/;
const FSW_CONDITIONS = 0x4500;
const FSW_C1 = 0x200;
const FSW_C2 = 0x400;
/** C1 tells of a stack underflow, and of nothing else; AMD's CPUs leave it alone where Intel's clear it. */
const C1_BY_MAKE = /^(FCMOV.*|FU?COMIP?|FFREEP?)$/;

/** Condition codes in FSW that mean nothing after the instruction. */
function undefinedConditions(mnemonic: string): number {
  if (!mnemonic.startsWith('F') || DEFINES_CONDITIONS.test(mnemonic)) return 0;
  // C2 of the trigonometric functions says whether they were done at all.
  if (APPROXIMATE_X87.test(mnemonic)) return (FSW_CONDITIONS | FSW_C1) & ~FSW_C2;
  return C1_BY_MAKE.test(mnemonic) ? FSW_CONDITIONS | FSW_C1 : FSW_CONDITIONS;
}

/** Results that are approximations: SDM vol. 2 gives an error bound, not a value. */
const APPROXIMATE_X87 = /^(F2XM1|FYL2X|FYL2XP1|FPTAN|FPATAN|FSIN|FCOS|FSINCOS)$/;
const APPROXIMATE_SSE = /^(RCP|RSQRT)[PS]S$/;

const MANY_ACCESSES = /^(ENTER|PUSHA|POPA|FXSAVE|FXRSTOR|FNSAVE|FRSTOR|FNSTENV|FLDENV)$/;
/** #SS, #GP, #PF. */
const MEMORY_FAULTS: ReadonlySet<number> = new Set([12, 13, VECTOR_PF]);

/** The relative error that RCPPS and RSQRTPS may have (SDM vol. 2: 1.5 * 2^-12), each way. */
const SSE_TOLERANCE = 3 / 4096;
/** Two units in the last place of an 80-bit result, and what two implementations may differ by. */
const X87_TOLERANCE_BITS = 3;

function clearBits(images: readonly DataView[], at: number, mask: number): void {
  for (const image of images) image.setUint32(at, image.getUint32(at, true) & ~mask, true);
}
function copyWord(to: DataView, from: DataView, at: number, size: number): void {
  for (let i = 0; i < size; i++) to.setUint8(at + i, from.getUint8(at + i));
}

function closeFloat32(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b) || !Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= SSE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}

/** Where lanes are close enough, the expectation is taken to be what was got. */
function forgiveSse(expected: DataView, got: DataView): void {
  for (let at = fpuOffset(S_XMM); at < fpuOffset(S_XMM) + 256; at += 4) {
    if (closeFloat32(expected.getFloat32(at, true), got.getFloat32(at, true))) copyWord(expected, got, at, 4);
  }
}

function forgiveX87(expected: DataView, got: DataView): void {
  for (let i = 0; i < 8; i++) {
    const at = fpuOffset(S_FPR) + 16 * i;
    const [e, g] = [expected, got].map((v) => (BigInt(v.getUint16(at + 8, true)) << 64n) | v.getBigUint64(at, true));
    // Values next to each other are numbers next to each other, also across a change of exponent, but for the
    // significand's explicit first bit.
    const ordinal = (v: bigint) => ((v >> 64n) << 63n) + (v & 0x7fffffffffffffffn);
    const distance = ordinal(e) - ordinal(g);
    if (distance === 0n || distance > BigInt(X87_TOLERANCE_BITS) || distance < BigInt(-X87_TOLERANCE_BITS)) continue;
    copyWord(expected, got, at, 10);
    // One of them may be a denormal: the tag says so.
    const [tags, mask] = [fpuOffset(S_FTW), 3 << (2 * i)];
    const tag = got.getUint16(tags, true) & mask;
    expected.setUint16(tags, (expected.getUint16(tags, true) & ~mask) | tag, true);
  }
}

/** Are the operands outside those for which F2XM1 and FYL2XP1 are defined: |x| up to 1, and up to 1 - sqrt(1/2)? */
function outOfRange(c: Case): boolean {
  const top = (c.state.u16(S_FSW) >> 11) & 7;
  const at = S_FPR + 16 * top;
  const exponent = c.state.u16(at + 8) & 0x7fff;
  const significand = c.state.u64(at);
  if (c.mnemonic === 'F2XM1') return exponent > 0x3fff || (exponent === 0x3fff && significand > 1n << 63n);
  // 1 - sqrt(1/2) = 0x0.95F619980C4336F7… * 2^-1
  if (c.mnemonic === 'FYL2XP1') return exponent > 0x3ffd || (exponent === 0x3ffd && significand > 0x95f619980c4336f7n);
  return false;
}

function topIsNaN(image: DataView): boolean {
  const top = (image.getUint16(fpuOffset(S_FSW), true) >> 11) & 7;
  const at = fpuOffset(S_FPR) + 16 * top;
  return (image.getUint16(at + 8, true) & 0x7fff) === 0x7fff && image.getBigUint64(at, true) !== 1n << 63n;
}

/** POPA may have loaded some of its registers, RSP not among them, when it faults. */
function forgetGeneral(expected: DataView, got: DataView): void {
  for (const i of [0, 1, 2, 3, 5, 6, 7]) copyWord(expected, got, IMAGE_GPR + 8 * i, 8);
}

/** Clears ST(0) and the exception flags. */
function forgetTop(images: readonly DataView[]): void {
  const top = (images[0].getUint16(fpuOffset(S_FSW), true) >> 11) & 7;
  for (const image of images) {
    image.setBigUint64(fpuOffset(S_FPR) + 16 * top, 0n, true);
    image.setUint16(fpuOffset(S_FPR) + 16 * top + 8, 0, true);
    image.setUint16(fpuOffset(S_FTW), 0, true);
    image.setUint16(fpuOffset(S_FSW), image.getUint16(fpuOffset(S_FSW), true) & ~0x80ff, true);
  }
}

/** FCS, FDS, FIP, FDP and FOP in memory images: [first byte, length] from the operand's start. */
function environmentPointers(c: Case): readonly (readonly [number, number])[] {
  switch (c.mnemonic) {
    case 'FNSTENV':
    case 'FNSAVE':
      return c.opSize === 1 ? [[6, 8]] : [[12, 16]];
    case 'FXSAVE':
      return [
        [6, 18],
        // MXCSR_MASK; reserved bytes and, outside 64-bit mode, XMM8–15 are not written.
        [28, 4],
      ];
    default:
      return [];
  }
}

/** Makes everything equal in both images that need not be. */
export function forgetUndefined(c: Case, expectedImage: Uint8Array, gotImage: Uint8Array): void {
  const expected = new DataView(expectedImage.buffer, expectedImage.byteOffset, expectedImage.length);
  const got = new DataView(gotImage.buffer, gotImage.byteOffset, gotImage.length);
  const both = [expected, got];
  // RF in the saved flags: KVM's debugging and Linux's signals have their own way with it.
  clearBits(both, IMAGE_RFLAGS, FLAG_RF);
  const vector = expected.getUint32(IMAGE_VECTOR, true);
  if (vector !== ENDED) {
    // Instructions with many accesses: which of them are made, and which address is found bad, is the CPU's choice.
    if (
      MANY_ACCESSES.test(c.mnemonic) &&
      both.every((image) => MEMORY_FAULTS.has(image.getUint32(IMAGE_VECTOR, true)))
    ) {
      copyWord(expected, got, IMAGE_CR2, IMAGE_ERROR + 4 - IMAGE_CR2);
      for (let at = IMAGE_WINDOWS; at < expectedImage.length; at++) expected.setUint8(at, got.getUint8(at));
    }
    if (c.mnemonic === 'POPA') forgetGeneral(expected, got);
    // The I/D bit of a page fault is there with execute-disable only, as in a process.
    if (vector === VECTOR_PF && expected.getUint32(IMAGE_ERROR, true) & 0x10) {
      for (const image of both) image.setUint32(IMAGE_ERROR, 0, true);
    }
    return;
  }
  const rule = FLAGS[c.mnemonic];
  if (rule !== undefined) clearBits(both, IMAGE_RFLAGS, typeof rule === 'number' ? rule : rule(c));
  if (/^SH[LR]D$/.test(c.mnemonic) && c.count > SIZE_BITS(c)) forgetDestination(c, both);
  if (!c.fpu) return;
  const fsw = fpuOffset(S_FSW);
  const approximate = APPROXIMATE_X87.test(c.mnemonic);
  // Where such an exception is unmasked Intel's CPUs leave the condition codes alone; AMD's set them.
  const flags = expected.getUint16(fsw, true);
  // #I, #D and #Z are found before there is a result.
  const unmasked = (flags & ~c.state.u16(S_FCW) & 7) !== 0;
  if (unmasked && /^FU?COMIP?$/.test(c.mnemonic)) clearBits(both, IMAGE_RFLAGS, FLAGS_ARITH);
  // A remainder that is no number has no quotient either.
  const noNumber = c.mnemonic.startsWith('FPREM') && topIsNaN(expected);
  const invalid = unmasked || noNumber;
  const conditions = invalid ? FSW_CONDITIONS | FSW_C1 : undefinedConditions(c.mnemonic);
  for (const image of both) image.setUint16(fsw, image.getUint16(fsw, true) & ~conditions, true);
  if (approximate) {
    if (outOfRange(c)) forgetTop(both);
    forgiveX87(expected, got);
    // Whether an approximation is inexact, or its intermediate result was tiny, is the implementation's.
    for (const image of both) image.setUint16(fsw, image.getUint16(fsw, true) & ~0x30, true);
  }
  if (APPROXIMATE_SSE.test(c.mnemonic)) forgiveSse(expected, got);
  for (const [from, length] of environmentPointers(c)) {
    const at = operandOffset(c);
    if (at >= 0)
      for (const image of both) for (let i = 0; i < length; i++) image.setUint8(IMAGE_WINDOWS + at + from + i, 0);
  }
}

/** The 16 bits of a double shift by more than 16. */
function forgetDestination(c: Case, images: readonly DataView[]): void {
  const at = c.ea === null ? IMAGE_GPR + 8 * c.rm : IMAGE_WINDOWS + operandOffset(c);
  for (const image of images) image.setUint16(at, 0, true);
}

/** Offset of the memory operand in the first window, or -1. */
function operandOffset(c: Case): number {
  return c.ea === null ? -1 : c.ea - c.windows[0].at;
}
