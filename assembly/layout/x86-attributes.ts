// Attributes of an opcode as the decoder needs them: one u16 an opcode, 256 an opcode map. Plain constants only.

/** The opcode exists (in some mode, with some prefix). */
export const A_VALID = 0x1;
/** A ModRM byte follows. */
export const A_MODRM = 0x2;
/** #UD in 64-bit mode. */
export const A_INVALID64 = 0x4;
/** Operand size is 64 bits in 64-bit mode without REX.W (stack operations, near branches). */
export const A_WIDE = 0x8;
/** LOCK may precede it when the destination is memory. */
export const A_LOCK = 0x10;

/** Immediate kind: (attributes >> A_IMM_SHIFT) & A_IMM. */
export const A_IMM_SHIFT = 8;
export const A_IMM = 15;
export const A_IB = 1;
export const A_IW = 2;
/** 16 or 32 bits by operand size. */
export const A_IZ = 3;
/** 16, 32 or 64 bits by operand size. */
export const A_IV = 4;
/** Address-sized offset. */
export const A_MOFFS = 5;
/** Far pointer: offset by operand size, then selector. */
export const A_FAR = 6;
/** ENTER: 16 bits, then 8. */
export const A_IWB = 7;
/** Byte, only for /0 and /1. */
export const A_GROUP3B = 8;
/** 16 or 32 bits, only for /0 and /1. */
export const A_GROUP3V = 9;
/** Branch displacement, 16 or 32 bits. */
export const A_JZ = 10;
