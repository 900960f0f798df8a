// The little machine in which every A64 case runs, at EL0: where code and data lie, which pages are missing or
// read-only. The oracle maps the same addresses in a process; the emulator gets page tables and EL1 vectors that only
// wait. A case ends in an exception: an instruction without a fault of its own runs into the BRK that fills all code
// memory.

import type { GuestMemory } from '../../src/vcpu/guest-memory.js';

/** Guest-physical base and size of the emulator's RAM. Virtual addresses of cases are physical ones. */
export const RAM_BASE = 0x40000000;
export const RAM_SIZE = 0x2000000;
const VECTORS = RAM_BASE;
const TABLE_L1 = RAM_BASE + 0x10000;
const TABLE_L2 = RAM_BASE + 0x11000;
const TABLE_L3 = RAM_BASE + 0x12000;

/** BRK #0: wherever execution reaches it, the case ends. */
export const FILL = 0xd4200000;
/** Cases' code, each at another address. */
export const ARENA = 0x41000000;
export const ARENA_SIZE = 0x200000;
/** Part of the arena that holds no cases: targets of branches. */
export const LANDING = 0x41100000;
export const LANDING_SIZE = 0x100000;
/** No case's code lies further on. */
export const CODE_END = LANDING - 0x1000;

/** 2 MiB mapped by 4 KiB pages. */
const PAGED = 0x41400000;
/** The boundary between two writable pages. */
export const DATA = PAGED + 0x11000;
/** Boundary from a writable page to a read-only one. */
export const TO_READ_ONLY = PAGED + 0x21000;
/** Boundary from a writable page to one that is absent. */
export const TO_ABSENT = PAGED + 0x31000;
/** Boundary from an absent page to a writable one. */
export const FROM_ABSENT = PAGED + 0x41000;
export const PAGE = 0x1000;

interface Mapping {
  readonly at: number;
  readonly size: number;
  readonly writable: boolean;
  readonly code: boolean;
}
const data = (at: number, writable = true): Mapping => ({ at, size: PAGE, writable, code: false });
export const MAPPINGS: readonly Mapping[] = [
  { at: ARENA, size: ARENA_SIZE, writable: true, code: true },
  data(DATA - PAGE),
  data(DATA),
  data(TO_READ_ONLY - PAGE),
  data(TO_READ_ONLY, false),
  data(TO_ABSENT - PAGE),
  data(FROM_ABSENT),
];

/** What data memory holds wherever no case has put something else. */
export const background = (address: number) => (Math.imul(address, 0x9e3779b1) >>> 24) & 0xff;
const fillWords = (ram: GuestMemory, at: number, words: number, word: number) => {
  for (let i = 0; i < words; i++) ram.writeU32(at + 4 * i - RAM_BASE, word);
};

/** Puts a window's memory back to what it holds between cases. Addresses are the guest's. */
export function restore(ram: GuestMemory, at: number, size: number): void {
  if (at >= ARENA && at < ARENA + ARENA_SIZE) {
    for (let a = at; a < at + size; a++) ram.bytes[a - RAM_BASE] = FILL >>> (8 * (a & 3));
  } else {
    for (let a = at; a < at + size; a++) ram.bytes[a - RAM_BASE] = background(a);
  }
}

/** Descriptor bits (Arm ARM D8.3): valid, table or page; AttrIndx 0; AP[1] EL0, AP[2] read-only; SH inner; AF; PXN, UXN. */
const VALID = 1n;
const TABLE = 2n;
const AP_EL0 = 1n << 6n;
const AP_READ_ONLY = 1n << 7n;
const SH_INNER = 3n << 8n;
const AF = 1n << 10n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;

/** Wait for interrupts, for ever. */
const WFI = 0xd503207f;
const BRANCH_BACK = 0x17ffffff;

/** Writes vectors, tables and fill into RAM, whose first byte is at RAM_BASE. */
export function prepareMemory(ram: GuestMemory): void {
  for (let vector = 0; vector < 16; vector++) {
    fillWords(ram, VECTORS + 0x80 * vector, 1, WFI);
    fillWords(ram, VECTORS + 0x80 * vector + 4, 1, BRANCH_BACK);
  }
  const entry = (table: number, index: number, value: bigint) => ram.writeU64(table + 8 * index - RAM_BASE, value);
  // 39 bits of virtual address: level 1 has 1 GiB an entry.
  entry(TABLE_L1, 1, BigInt(TABLE_L2) | TABLE | VALID);
  const block = (at: number) => (at - RAM_BASE) >> 21;
  // The supervisor's own 2 MiB. What EL0 may write is never executed at EL1 (D8.4.1), so PXN changes nothing.
  entry(TABLE_L2, block(VECTORS), BigInt(RAM_BASE) | AF | SH_INNER | UXN | VALID);
  entry(TABLE_L2, block(PAGED), BigInt(TABLE_L3) | TABLE | VALID);
  for (const m of MAPPINGS) {
    if (m.code) entry(TABLE_L2, block(m.at), BigInt(m.at) | AF | SH_INNER | AP_EL0 | PXN | VALID);
    else {
      const access = AP_EL0 | (m.writable ? 0n : AP_READ_ONLY);
      entry(TABLE_L3, (m.at - PAGED) >> 12, BigInt(m.at) | AF | SH_INNER | access | TABLE | VALID);
    }
    restore(ram, m.at, m.size);
  }
}

/** System registers of EL1 while cases run, by name (values from the Arm ARM's register descriptions). */
export const SYSTEM_REGISTERS: readonly (readonly [string, bigint])[] = [
  ['VBAR_EL1', BigInt(VECTORS)],
  ['TTBR0_EL1', BigInt(TABLE_L1)],
  ['TTBR1_EL1', BigInt(TABLE_L1)],
  // Normal memory, write-back.
  ['MAIR_EL1', 0xffn],
  // T0SZ = T1SZ = 25, walks write-back inner-shareable; EPD1: no upper range; TG1 4 KiB; IPS 40 bits; TBI0, as Linux has it.
  [
    'TCR_EL1',
    25n | (0x35n << 8n) | (25n << 16n) | (1n << 23n) | (0x35n << 24n) | (2n << 30n) | (2n << 32n) | (1n << 37n),
  ],
  // M, C, SA0, I, DZE, UCT, UCI and the RES1 bits: as Linux leaves them for EL0, WFE and WFI not trapped.
  ['SCTLR_EL1', 0x30d00800n | 1n | 4n | 0x10n | (1n << 12n) | (1n << 14n) | (1n << 15n) | (5n << 16n) | (1n << 26n)],
  // FPEN: no traps of FP and SIMD.
  ['CPACR_EL1', 3n << 20n],
];
