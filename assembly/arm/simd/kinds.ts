// Vector and floating-point operations that only AArch64 needs: further kinds of OP_VEC, from 512 on.
//
// Kind = A_BASE + operation << 4 | form. The form says what the lanes are:
//
//    bits 1:0  log2 of a lane's bytes (floating point: 1 half, 2 single, 3 double)
//    bit 2     FORM_Q: all 128 bits of the registers; else the low 64, and the upper half of d becomes zero
//    bit 3     FORM_SCALAR: lane 0 only; all of d above it becomes zero
//
// Operations below A_ACROSS work on all 128 bits whatever bit 2 says, unless they give it a meaning of their own: the
// lift clears the upper half of d by an operation of its own, as it does for the kinds shared with x86 (sse/vops.ts).
// d, a, b are slots; "d op= …" reads d as well.

/** First kind that is not in sse/vops.ts. */
export const A_BASE: u32 = 512;

export const FORM_Q: u32 = 4;
export const FORM_SCALAR: u32 = 8;

// --- Bits ---
/** ~a. */
export const A_NOT: u32 = 0;
/** a | ~b. */
export const A_ORN: u32 = 1;
/** d = bits of a where d is 1, else of b; d = bits of a where b is 1, else of d; the other way round. */
export const A_BSL: u32 = 2;
export const A_BIT: u32 = 3;
export const A_BIF: u32 = 4;
/** Lane imm of a in all lanes. a may be a general register (lane 0). */
export const A_DUP: u32 = 5;

// --- Lane by lane, of a ---
export const A_NEG: u32 = 6;
export const A_ABS: u32 = 7;
/** Leading bits that are equal to the sign, not counting it; leading zeros; ones; bits reversed (bytes). */
export const A_CLS: u32 = 8;
export const A_CLZ: u32 = 9;
export const A_CNT: u32 = 10;
export const A_RBIT: u32 = 11;
/** Lanes reversed within 16, 32, 64 bits. */
export const A_REV16: u32 = 12;
export const A_REV32: u32 = 13;
export const A_REV64: u32 = 14;
/** Sums of adjacent lanes, twice as wide. */
export const A_SADDLP: u32 = 15;
export const A_UADDLP: u32 = 16;
/** Estimates of 1/x and 1/√x of fixed-point fractions (32-bit lanes). */
export const A_URECPE: u32 = 17;
export const A_URSQRTE: u32 = 18;

// --- Lane by lane, of a and b ---
export const A_CMGE: u32 = 19;
export const A_CMHI: u32 = 20;
export const A_CMHS: u32 = 21;
/** (a & b) != 0. */
export const A_CMTST: u32 = 22;
/** Product of bytes; carry-less product of bytes. */
export const A_MUL: u32 = 23;
export const A_PMUL: u32 = 24;
/** |a - b|. */
export const A_SABD: u32 = 25;
export const A_UABD: u32 = 26;
/** (a ± b) >> 1 without overflow; R: rounded up. */
export const A_SHADD: u32 = 27;
export const A_UHADD: u32 = 28;
export const A_SRHADD: u32 = 29;
export const A_URHADD: u32 = 30;
export const A_SHSUB: u32 = 31;
export const A_UHSUB: u32 = 32;
/** a << b, or to the right for a negative b (its low byte, signed); R: rounded. */
export const A_SSHL: u32 = 33;
export const A_USHL: u32 = 34;
export const A_SRSHL: u32 = 35;
export const A_URSHL: u32 = 36;

// --- Shifts of a by imm ---
export const A_SHLI: u32 = 37;
export const A_SHRI_U: u32 = 38;
export const A_SHRI_S: u32 = 39;
/** Rounded. */
export const A_RSHRI_U: u32 = 40;
export const A_RSHRI_S: u32 = 41;
/** Shifted bits inserted into d. */
export const A_SLI: u32 = 42;
export const A_SRI: u32 = 43;

// --- Between widths. The form's size is that of the narrow lanes; FORM_Q: the upper half of the narrow side. ---
/** Extended to twice the width. */
export const A_SXTL: u32 = 44;
export const A_UXTL: u32 = 45;
/** Products, twice as wide. P: carry-less, of bytes or 64 bits. */
export const A_SMULL: u32 = 46;
export const A_UMULL: u32 = 47;
export const A_PMULL: u32 = 48;
/** Low halves of a's lanes to the low half of d, zeros above; FORM_Q: to its upper half, the lower one kept. */
export const A_XTN: u32 = 49;

// --- Rearranging ---
/** Even, odd lanes of a, then of b. */
export const A_UZP1: u32 = 50;
export const A_UZP2: u32 = 51;
/** Even, odd lanes, alternating between a and b. */
export const A_TRN1: u32 = 52;
export const A_TRN2: u32 = 53;

// --- Across lanes: FORM_Q counts; the result is in lane 0, zeros above. ---
export const A_ACROSS: u32 = 54;
export const A_ADDV: u32 = 54;
/** Twice as wide. */
export const A_SADDLV: u32 = 55;
export const A_UADDLV: u32 = 56;
export const A_SMAXV: u32 = 57;
export const A_SMINV: u32 = 58;
export const A_UMAXV: u32 = 59;
export const A_UMINV: u32 = 60;

// --- Operands are several registers: what they live in has to be stored to the state first. ---
export const A_LISTS: u32 = 61;
/** Bytes picked by b from the imm registers from a on (after V31 comes V0); out of range: 0, or (TBX) kept. */
export const A_TBL: u32 = 61;
export const A_TBX: u32 = 62;
/** Every third lane, from lane imm on, of the three consecutive vectors (FORM_Q) or halves from a on. */
export const A_UNZIP3: u32 = 63;
/** Piece imm of three registers from a on (after V31 comes V0), lanes taken from each in turn. */
export const A_ZIP3: u32 = 64;

// --- Cryptography; "d op=" except AESMC, AESIMC, SHA1H. ---
export const A_CRYPTO: u32 = 65;
export const A_AESE: u32 = 65;
export const A_AESD: u32 = 66;
export const A_AESMC: u32 = 67;
export const A_AESIMC: u32 = 68;
export const A_SHA1C: u32 = 69;
export const A_SHA1P: u32 = 70;
export const A_SHA1M: u32 = 71;
export const A_SHA1SU0: u32 = 72;
export const A_SHA256H: u32 = 73;
export const A_SHA256H2: u32 = 74;
export const A_SHA256SU1: u32 = 75;
export const A_SHA1H: u32 = 76;
export const A_SHA1SU1: u32 = 77;
export const A_SHA256SU0: u32 = 78;

// --- Saturating: may set FPSR.QC. ---
export const A_SATURATING: u32 = 80;
export const A_SQADD: u32 = 80;
export const A_UQADD: u32 = 81;
export const A_SQSUB: u32 = 82;
export const A_UQSUB: u32 = 83;
/** d + a: signed + unsigned, saturated signed; unsigned + signed, saturated unsigned. */
export const A_SUQADD: u32 = 84;
export const A_USQADD: u32 = 85;
export const A_SQABS: u32 = 86;
export const A_SQNEG: u32 = 87;
/** As A_SSHL. */
export const A_SQSHL: u32 = 88;
export const A_UQSHL: u32 = 89;
export const A_SQRSHL: u32 = 90;
export const A_UQRSHL: u32 = 91;
/** To the left by imm; U: signed operand, unsigned result. */
export const A_SQSHLI: u32 = 92;
export const A_UQSHLI: u32 = 93;
export const A_SQSHLUI: u32 = 94;
/** Upper half of 2 × a × b; R: rounded. */
export const A_SQDMULH: u32 = 95;
export const A_SQRDMULH: u32 = 96;
/** 2 × a × b, twice as wide; form as A_SMULL, or scalar. */
export const A_SQDMULL: u32 = 97;
/** As A_XTN, saturated; U: signed operand, unsigned result. Or scalar. */
export const A_SQXTN: u32 = 98;
export const A_UQXTN: u32 = 99;
export const A_SQXTUN: u32 = 100;

// --- Floating point without exceptions ---
export const A_FABS: u32 = 102;
export const A_FNEG: u32 = 103;

// --- Floating point: looks at FPCR and sets the cumulative flags of FPSR. ---
export const A_FADD: u32 = 104;
export const A_FSUB: u32 = 105;
export const A_FMUL: u32 = 106;
export const A_FDIV: u32 = 107;
export const A_FSQRT: u32 = 108;
export const A_FMAX: u32 = 109;
export const A_FMIN: u32 = 110;
export const A_FMAXNM: u32 = 111;
export const A_FMINNM: u32 = 112;
/** -(a × b). */
export const A_FNMUL: u32 = 113;
/** Product, but 0 × ∞ = ±2. */
export const A_FMULX: u32 = 114;
/** |a - b|. */
export const A_FABD: u32 = 115;
/** 2 - a × b; (3 - a × b) / 2; fused. */
export const A_FRECPS: u32 = 116;
export const A_FRSQRTS: u32 = 117;
/** All ones where true; AC: of absolute values. */
export const A_FCMEQ: u32 = 118;
export const A_FCMGE: u32 = 119;
export const A_FCMGT: u32 = 120;
export const A_FACGE: u32 = 121;
export const A_FACGT: u32 = 122;
/** Rounded to an integral value: imm & 7 is the mode (status.ts), imm & 8: report what is inexact. */
export const A_FRINT: u32 = 123;
export const A_FRECPE: u32 = 124;
export const A_FRSQRTE: u32 = 125;
export const A_FRECPX: u32 = 126;
/** Fused: c + a × b, c - a × b, -c - a × b, -c + a × b, where c is the vector at slot imm. */
export const A_FMADD: u32 = 127;
export const A_FMSUB: u32 = 128;
export const A_FNMADD: u32 = 129;
export const A_FNMSUB: u32 = 130;
/** To integers of the lanes' width, and back: imm & 7 is the mode, imm >> 8 the fraction bits. */
export const A_FCVT_S: u32 = 131;
export const A_FCVT_U: u32 = 132;
export const A_SCVTF: u32 = 133;
export const A_UCVTF: u32 = 134;
/**
 * Lane 0 of a (format by the form) to a general register at slot d, as 64 bits; a general register at a to floating
 * point. imm as above, and bit 3: unsigned, bit 4: the register has 64 bits.
 */
export const A_FCVT_X: u32 = 135;
export const A_XCVTF: u32 = 136;
/** Scalar: the format of the form, from the format imm. */
export const A_FCVT: u32 = 137;
/** Low (FORM_Q: upper) half of a to twice the width; form's size: the narrow format. */
export const A_FCVTL: u32 = 138;
/** Narrowed to the low (FORM_Q: upper) half; X: rounded to odd. Form's size: the narrow format. X: also scalar. */
export const A_FCVTN: u32 = 139;
export const A_FCVTXN: u32 = 140;
/** Four single lanes to one: imm is A_FMAX, A_FMIN, A_FMAXNM or A_FMINNM. */
export const A_FMAXV: u32 = 141;

// --- NZCV from a comparison of a and b; imm 1: quiet NaNs are invalid too. d is not used. ---
export const A_FCMP: u32 = 142;

/** The kind of an operation in a form. */
export function armKind(op: u32, form: u32): u32 {
  return A_BASE + (op << 4) + form;
}
