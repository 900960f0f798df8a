// The intermediate representation: what a guest instruction becomes.
//
// An operation is 16 bytes at a fixed place in its block:
//
//    0        2        4        6        8                       16
//   ┌────────┬────────┬────────┬────────┬───────────────────────┐
//   │ opcode │   d    │   a    │   b    │ imm (u64)             │
//   └────────┴────────┴────────┴────────┴───────────────────────┘
//
// d, a, b are slots: byte offsets into the vCPU state (x86-state.ts), so a slot names a register, a part of one
// (AH is RAX + 1), a temporary or a segment base alike. Widths are in the opcode. As on the guest, a 32-bit result
// zero-extends to the whole 64-bit slot; 8- and 16-bit results leave the rest of the slot alone.
//
// Operations that form an address use a as base slot, b as index slot (S_ZERO for none), an i32 displacement at 8,
// the index shift (0–3) at 12 (u8), and for STI an i32 immediate … see the encoders in emit.ts.
//
// Beside each block stands a side table: for every operation the guest address and index of the instruction
// that it belongs to. A fault takes the exact guest state from there; nothing has to be kept up to date while running.

// --- Arithmetic: OP_ALU | kind << 4 | size << 2 | (b is imm) << 1 | (flags are dead) ---
export const OP_ALU: u32 = 0x0;
export const ALU_ADD: u32 = 0;
export const ALU_OR: u32 = 1;
export const ALU_ADC: u32 = 2;
export const ALU_SBB: u32 = 3;
export const ALU_AND: u32 = 4;
export const ALU_SUB: u32 = 5;
export const ALU_XOR: u32 = 6;
/** Compare: SUB without a result. d is not used. */
export const ALU_CMP: u32 = 7;
/** AND without a result. */
export const ALU_TEST: u32 = 8;
/** Shifts: the count is masked to 5 bits (6 for 64-bit operands); a count of 0 leaves the flags alone. */
export const ALU_SHL: u32 = 9;
export const ALU_SHR: u32 = 10;
export const ALU_SAR: u32 = 11;
/** Two-operand signed multiply: CF and OF say that the product did not fit. */
export const ALU_IMUL: u32 = 12;
/** d = a + 1 or, as the "imm" variant, a - 1; CF is kept. */
export const ALU_INC: u32 = 13;
/** d = -a; CF = (a != 0). */
export const ALU_NEG: u32 = 14;
/** d = ~a; no flags. The "imm" variant swaps bytes (BSWAP; 32 and 64 bits). */
export const ALU_NOT: u32 = 15;
/** Bit 0 of an ALU opcode: flags are not computed. */
export const ALU_NOFLAGS: u32 = 1;
/** Bit 1: the second operand is imm. */
export const ALU_IMM: u32 = 2;

/** log2 of an operand size in bytes. */
export const SIZE8: u32 = 0;
export const SIZE16: u32 = 1;
export const SIZE32: u32 = 2;
export const SIZE64: u32 = 3;

// --- Moves ---
/** d = a, by size: OP_MOV + size. */
export const OP_MOV: u32 = 0x100;
/** d = imm, by size: OP_MOVI + size. */
export const OP_MOVI: u32 = 0x104;
/** d = zero-extended a, as 64 bits. */
export const OP_ZX8: u32 = 0x108;
export const OP_ZX16: u32 = 0x109;
/** 16-bit destination forms keep the upper bits of d. */
export const OP_ZX8_16: u32 = 0x10a;
export const OP_SX8_16: u32 = 0x10b;
export const OP_SX8_32: u32 = 0x10c;
export const OP_SX8_64: u32 = 0x10d;
export const OP_SX16_32: u32 = 0x10e;
export const OP_SX16_64: u32 = 0x10f;
export const OP_SX32_64: u32 = 0x110;
/** d = base + (index << shift) + disp, wrapped to 16 (keeping nothing above), 32 or 64 bits; always a full 64-bit write. */
export const OP_LEA16: u32 = 0x111;
export const OP_LEA32: u32 = 0x112;
export const OP_LEA64: u32 = 0x113;
/** Swap d and a, by size: OP_XCHG + size. */
export const OP_XCHG: u32 = 0x114;
/** If condition imm: d = a (16, 32, 64); a 32-bit move zero-extends d even when false. OP_CMOV + size. */
export const OP_CMOV: u32 = 0x118;
/** d (8 bits) = condition imm. */
export const OP_SETCC: u32 = 0x11c;
/** 128-bit move d = a. */
export const OP_MOV128: u32 = 0x11d;
/** d (64 bits) = condition imm. */
export const OP_SETCC64: u32 = 0x11e;

// --- Integer operations without flags that A64 has as single instructions. 32-bit results zero-extend. ---
/** d = condition imm ? a : b. OP_SEL + size (32, 64). */
export const OP_SEL: u32 = 0x120;
/** d = (a rotated left by b, a number, in 64 bits) AND imm: shifts and zero-extended bit fields. */
export const OP_FIELD: u32 = 0x124;
/** The same into d's bits imm; d's others stay. The 32-bit one zero-extends d. */
export const OP_INSERT32: u32 = 0x125;
export const OP_INSERT64: u32 = 0x126;
/** d = number of leading zeros of a. */
export const OP_CLZ32: u32 = 0x127;
export const OP_CLZ64: u32 = 0x128;
/** d = a with its 64 bits in reverse order. */
export const OP_RBIT64: u32 = 0x129;
/** d = 64-bit product of the low halves of a and b. */
export const OP_SMULL: u32 = 0x12a;
export const OP_UMULL: u32 = 0x12b;
/** d = upper 64 bits of the 128-bit product of a and b. */
export const OP_SMULH: u32 = 0x12c;
export const OP_UMULH: u32 = 0x12d;
/** d = a / b towards zero; a / 0 = 0; the signed overflow wraps. OP_UDIV, OP_SDIV + size (32, 64). */
export const OP_UDIV: u32 = 0x12c;
export const OP_SDIV: u32 = 0x12e;
/** If condition d: the flags of a - b (a + b for CCMN); otherwise the flags imm (EFLAGS positions). + size (32, 64). */
export const OP_CCMP: u32 = 0x130;
export const OP_CCMN: u32 = 0x132;

// --- Memory: address = base + (index << shift) + disp, in 64-bit arithmetic or (A32) wrapped to 32 bits. Linear. ---
export const OP_LD: u32 = 0x140; // + form
export const OP_LD_A32: u32 = 0x160;
/** In the ARM build these forms, and the stores', access memory with the rights of EL0 instead (LDTR, STTR). */
export const OP_LD_USER: u32 = OP_LD_A32;
/** Forms of a load: destination width and extension. */
export const LD_8: u32 = 0;
export const LD_16: u32 = 1;
export const LD_32: u32 = 2;
export const LD_64: u32 = 3;
export const LD_Z8: u32 = 4;
export const LD_Z16: u32 = 5;
export const LD_Z8_16: u32 = 6;
export const LD_S8_16: u32 = 7;
export const LD_S8_32: u32 = 8;
export const LD_S8_64: u32 = 9;
export const LD_S16_32: u32 = 10;
export const LD_S16_64: u32 = 11;
export const LD_S32_64: u32 = 12;
export const LD_128: u32 = 13;
/** 128 bits; an address that is not a multiple of 16 raises #GP(0). */
export const LD_128_ALIGNED: u32 = 14;
/** Load for a read-modify-write, zero-extended by size (16 + size): faults exactly as the later store would. */
export const LD_RMW: u32 = 16;
/** Stores of d by size; + 4: 128 bits, + 5: 128 bits aligned. */
export const OP_ST: u32 = 0x180;
export const OP_ST_A32: u32 = 0x188;
export const OP_ST_USER: u32 = OP_ST_A32;
export const ST_128: u32 = 4;
export const ST_128_ALIGNED: u32 = 5;
/** Stores of an i32 immediate at 12, sign-extended; the index shift is in d. + size. */
export const OP_STI: u32 = 0x190;
export const OP_STI_A32: u32 = 0x194;

/** d = linear address of offset a in segment b (SEG_*), checked for an access of imm & 0xFFFF bytes (bit 16: write). */
export const OP_SEGLIN: u32 = 0x198;
/** #AC(0) if address a is not a multiple of imm and alignment checks are on.
 *  ARM build: alignment fault if address a is not a multiple of imm; b is ALIGN_*. */
export const OP_ALIGN: u32 = 0x199;
/** What the address is for: a load, a store; the stack pointer as a base. */
export const ALIGN_LOAD: u32 = 0;
export const ALIGN_STORE: u32 = 1;
export const ALIGN_STACK: u32 = 2;
/** Raises exception imm & 0xFF; bit 8: with error code imm >> 32. */
export const OP_RAISE: u32 = 0x19a;
/** #GP(0) if the 64-bit address in a is not canonical. */
export const OP_CANON: u32 = 0x19b;
/** #GP(0) if the branch target in a is beyond the limit of CS. */
export const OP_CSLIM: u32 = 0x19c;

// --- Stack, flat segments ---
export const OP_PUSH64: u32 = 0x1a0; // a
export const OP_PUSHI64: u32 = 0x1a1; // imm
export const OP_POP64: u32 = 0x1a2; // d
export const OP_PUSH32: u32 = 0x1a3;
export const OP_PUSHI32: u32 = 0x1a4;
export const OP_POP32: u32 = 0x1a5;

/** Near return: pops the target, adds imm to the stack pointer, goes there. Ends a block. */
export const OP_RET64: u32 = 0x1a6;
export const OP_RET32: u32 = 0x1a7;

// --- Pairs: d and b at base a + disp (i32 at 8) and right after it. One access: nothing happens if any of it faults. ---
/** OP_LDP, OP_STP + size (32, 64; 4: 128). 32-bit loads zero-extend. */
export const OP_LDP: u32 = 0x1a6;
export const OP_STP: u32 = 0x1aa;
/** log2 of the bytes of a vector register, as a size of pairs. */
export const SIZE128: u32 = 4;

// --- Rotates: OP_ROT | right << 4 | size << 2 | (count is imm) << 1 | (flags are dead). d = a rotated by b. ---
export const OP_ROT: u32 = 0x200;
export const ROT_RIGHT: u32 = 0x10;

// --- Helpers ---
/** Calls function-table entry d with (a, b, imm); a fault that it raises ends the block there. */
export const OP_CALL: u32 = 0x1b0;
/** S_RIP = imm - d, S_NEXT_RIP = imm: before a helper that looks at them. */
export const OP_SYNC: u32 = 0x1b1;
/** Vector operation: kind in imm & 0xFFFF (vops.ts), its own immediate in imm >> 16. */
export const OP_VEC: u32 = 0x1b2;

// --- Ends of a block ---
/** Go to imm; chain slot 0. */
export const OP_JMP: u32 = 0x1c0;
/** Condition a true: go to imm (chain slot 1), else to the block's end (slot 0). */
export const OP_JCC: u32 = 0x1c1;
/** Slot a (by size b) is not zero: go to imm, else to the block's end. */
export const OP_JNZ: u32 = 0x1c2;
/** Go to the address in slot a; #GP(0) if it is not canonical. */
export const OP_JMPI: u32 = 0x1c3;
/** S_RIP is set: leave to the dispatcher. */
export const OP_EXIT: u32 = 0x1c4;
/** Slot a (by size b) is zero: go to imm, else to the block's end. */
export const OP_JZ: u32 = 0x1c5;
/** Fused ALU_CMP/ALU_TEST + JCC: OP_CMPJ + size, condition in d; operands a and b; still sets the lazy flags. */
export const OP_CMPJ: u32 = 0x1c8;
export const OP_TESTJ: u32 = 0x1cc;
/** The same with a number b (i16) as second operand. */
export const OP_CMPIJ: u32 = 0x1d0;
export const OP_TESTIJ: u32 = 0x1d4;

/** Put by the interpreter in place of an instruction's first operation, when it has to stop before it. */
export const OP_LEAVE: u32 = 0x1d8;

/** Bytes of an operation, of a side-table entry. */
export const OP_BYTES: u32 = 16;
export const SIDE_BYTES: u32 = 4;

// --- Conditions, in x86 encoding order (SDM vol. 1, appendix B) ---
export const CC_O: u32 = 0;
export const CC_NO: u32 = 1;
export const CC_B: u32 = 2;
export const CC_AE: u32 = 3;
export const CC_E: u32 = 4;
export const CC_NE: u32 = 5;
export const CC_BE: u32 = 6;
export const CC_A: u32 = 7;
export const CC_S: u32 = 8;
export const CC_NS: u32 = 9;
export const CC_P: u32 = 10;
export const CC_NP: u32 = 11;
export const CC_L: u32 = 12;
export const CC_GE: u32 = 13;
export const CC_LE: u32 = 14;
export const CC_G: u32 = 15;
