// The one WebAssembly.Memory of a machine: what lives where (byte addresses).
//
//   0x0000_0000  never used, so that a null pointer is noticed
//   0x0000_1000  vCPU state: architectural registers, then the emulator's own (x86-state.ts)
//   0x0001_0000  static data of the AssemblyScript core (tables, constants)
//   0x0010_0000  soft TLBs
//   0x0018_0000  transfer buffer between TypeScript and the core
//   0x0019_0000  opcode attributes
//   0x001E_0000  ranges of the soft TLB, for generated code (mmu/ranges.ts)
//   0x0020_0000  page table of physical pages: one u32 a 4 KiB frame (kind, code flag, block list)
//   0x0060_0000  translated blocks: hash table, block headers, IR operations
//   0x0300_0000  guest physical address 0 (GUEST_BASE)
//
// Plain constants only: this folder is compiled both by tsc and by asc.

/** vCPU state block. */
export const STATE = 0x1000;
/** Bytes reserved for the state block; every slot offset fits in a u16. */
export const STATE_SIZE = 0x8000;

/** Ranges: two sets of 512 by 64 bytes. */
export const RANGES = 0x1e0000;

/** Where asc places the core's static data (its --memoryBase). */
export const CORE_DATA = 0x10000;

/** Three direct-mapped soft TLBs: supervisor, user, supervisor with EFLAGS.AC set (SMAP overridden). */
export const TLB_BASE = 0x100000;
/** log2 of the entries in one soft TLB. */
export const TLB_BITS = 12;
/** Bytes in one TLB entry. */
export const TLB_ENTRY = 32;
/** Bytes in one soft TLB. */
export const TLB_SIZE = 0x20000;

/** Opcode attributes, one u16 an opcode, four maps: written by TypeScript at start (x86-opcodes.ts). */
export const DECODE_TABLE = 0x190000;

/** Scratch that both sides may use for a call's arguments or results (strings, instruction bytes). */
export const TRANSFER = 0x180000;
export const TRANSFER_SIZE = 0x10000;

/** Physical page table: PAGE_INFO + 4 * (physical address >> 12), covering 4 GiB. */
export const PAGE_INFO = 0x200000;
export const PAGE_INFO_SIZE = 0x400000;
/** Low bits of a page-info word: what backs the frame. */
export const PAGE_KIND_MASK = 3;
/** No memory: accesses go to the MMIO bus. */
export const PAGE_MMIO = 0;
/** Readable and writable memory. */
export const PAGE_RAM = 1;
/** Memory that ignores guest writes (firmware). */
export const PAGE_ROM = 2;
/** Blocks have been translated from this frame: writes must be looked at. */
export const PAGE_HAS_CODE = 4;
/** The soft TLB has let stores go straight to this frame since its code was last protected from them. */
export const PAGE_STORED_TO = 8;

/** Block cache: see assembly/ir/blocks.ts. */
export const BLOCKS_BASE = 0x600000;
export const BLOCKS_END = 0x3000000;

/** Offset of guest physical address 0. A multiple of 4 KiB, so that KVM can map from it. */
export const GUEST_BASE = 0x3000000;
/** Largest guest RAM: below the lowest device window (0xD0000000) and within 4 GiB of WebAssembly memory. */
export const MAX_GUEST_RAM = 0xc0000000;
