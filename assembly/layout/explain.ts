// A translated block as the core describes it to TypeScript: byte offsets from TRANSFER (memory.ts), u32 unless said
// otherwise. Plain constants only.

/** Physical address of the first byte; of the second page that the block reaches | 1, or 0. */
export const EXPLAIN_PHYS = 0;
export const EXPLAIN_PHYS2 = 4;
/** Mode bits that it was translated for (assembly/x86/mode.ts); of which: log2 of the code's width in bytes; ring 3;
 *  made to be executed one instruction at a time. */
export const EXPLAIN_MODE = 8;
export const EXPLAIN_MODE_CODE = 3;
export const EXPLAIN_MODE_USER = 8;
export const EXPLAIN_MODE_SINGLE = 0x100;
/** Base of CS. */
export const EXPLAIN_CS_BASE = 12;
/** u64: offset in CS of the first instruction. */
export const EXPLAIN_RIP = 16;
/** Bytes of code; instructions. */
export const EXPLAIN_LENGTH = 24;
export const EXPLAIN_INSTRUCTIONS = 28;
/** Operations: how many, and the addresses in the core's memory of the first (16 bytes each), and of its side-table entry
 *  (u32 each: offset of the instruction from the block's start, its index in bits 16 and up). */
export const EXPLAIN_OPS = 32;
export const EXPLAIN_CODE = 36;
export const EXPLAIN_SIDE = 40;
/** Executions counted so far: all of them while nothing is compiled. */
export const EXPLAIN_COUNT = 44;
/** Number that no other block of this core has or had. */
export const EXPLAIN_SERIAL = 48;
