// The little machine in which every instruction case runs: where code, data and stack lie, which pages are missing or
// read-only, the segments of each mode, and ring-0 exception handlers that only halt. A case runs in ring 3 and ends in
// an exception: an instruction without a fault of its own runs into the opcode that fills all memory around it.

import * as L from '../../assembly/layout/x86-state.js';
import type { GuestMemory, MemoryRegion } from '../../src/vcpu/guest-memory.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_HANDLERS, BARE_PD, bareState, bareTables, EXCEPTION_STUB, setIdtGate } from '../../src/vmm/bare-guest.js';

export const ISA_RAM = 0x800000;
export const ISA_REGIONS: readonly MemoryRegion[] = [{ kind: 'ram', start: 0, size: ISA_RAM }];

/** INT3: wherever execution reaches it, the case ends. */
export const FILL = 0xcc;
/** Cases' code, each at another address. */
export const ARENA = 0x200000;
export const ARENA_END = 0x300000;
/** The part of the arena that a 64 KiB code segment covers. */
export const SEGMENT_CODE = 0x210000;
/** Targets of far-reaching branches: 64 KiB of fill. */
export const LANDING = 0x500000;
export const LANDING_SIZE = 0x10000;

/** 2 MiB mapped by 4 KiB pages. */
const PAGED = 0x600000;
const PAGE_TABLE = 0xb000;
/** The boundary between two writable pages, in the middle of the data. */
export const DATA = 0x701000;
/** Boundary from a writable page to a read-only one. */
export const TO_READ_ONLY = 0x711000;
/** Boundary from a writable page to one that is not present. */
export const TO_ABSENT = 0x721000;
/** Boundary from a writable page to one of the supervisor. */
export const TO_SUPERVISOR = 0x731000;
export const STACK = 0x741000;
/** Ends of the segments of 64 KiB, in the middle of a page. */
export const END_OF_DS = 0x709880;
export const END_OF_SS = 0x748ee0;
/** All pages that cases can write lie between these. */
export const USER_DATA = 0x700000;
export const USER_DATA_END = 0x74a000;
/** First address that is not canonical (SDM vol. 1, 3.3.7.1). */
export const NOT_CANONICAL = 2 ** 47;

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
/** Page, access bits. All other pages of the paged 2 MiB are absent. */
const PAGES: readonly (readonly [number, number])[] = [
  [DATA - 0x1000, PRESENT | WRITABLE | USER],
  [DATA, PRESENT | WRITABLE | USER],
  [TO_READ_ONLY - 0x1000, PRESENT | WRITABLE | USER],
  [TO_READ_ONLY, PRESENT | USER],
  [TO_ABSENT - 0x1000, PRESENT | WRITABLE | USER],
  [TO_SUPERVISOR - 0x1000, PRESENT | WRITABLE | USER],
  [TO_SUPERVISOR, PRESENT | WRITABLE],
  [STACK - 0x1000, PRESENT | WRITABLE | USER],
  [STACK, PRESENT | WRITABLE | USER],
  [END_OF_DS & ~0xfff, PRESENT | WRITABLE | USER],
  [END_OF_SS & ~0xfff, PRESENT | WRITABLE | USER],
];
/** What a native process has to map for the cases of compatibility mode, as [address, size, writable]. */
export const NATIVE_MAPPINGS: readonly (readonly [number, number, boolean])[] = [
  [ARENA, ARENA_END - ARENA, true],
  [LANDING, LANDING_SIZE, true],
  ...PAGES.filter(([, bits]) => bits & USER).map(([at, bits]) => [at, 0x1000, (bits & WRITABLE) !== 0] as const),
];

/** Writes tables, handlers and fill into RAM. */
export function prepareMemory(ram: GuestMemory): void {
  bareTables(ram);
  for (let vector = 0; vector < 256; vector++) setIdtGate(ram, vector, BARE_HANDLERS + EXCEPTION_STUB * (vector & 31));
  for (let vector = 0; vector < 32; vector++) {
    // hlt; jmp to the hlt
    ram.write(BARE_HANDLERS + EXCEPTION_STUB * vector, Uint8Array.from([0xf4, 0xeb, 0xfd]));
  }
  // The tables and the handlers' stack are the supervisor's: a stray access of ring 3 must not reach them.
  ram.writeU64(BARE_PD, 0x83n);
  ram.writeU64(BARE_PD + 8 * (PAGED >> 21), BigInt(PAGE_TABLE | PRESENT | WRITABLE | USER));
  ram.fill(PAGE_TABLE, 0x1000);
  for (const [at, bits] of PAGES) ram.writeU64(PAGE_TABLE + 8 * ((at - PAGED) >> 12), BigInt(at | bits));
  // Nothing above 8 MiB.
  for (let i = 4; i < 512; i++) ram.writeU64(BARE_PD + 8 * i, 0n);
  ram.fill(ARENA, ARENA_END - ARENA, FILL);
  ram.fill(LANDING, LANDING_SIZE, FILL);
}

/** 64: 64-bit mode. 32: flat 32-bit code. seg32: 32-bit segments of 64 KiB with bases. 16: the same with 16-bit code. */
export type CaseMode = '64' | '32' | 'seg32' | '16';

export interface SegmentLayout {
  readonly base: number;
  readonly limit: number;
}
const FLAT: SegmentLayout = { base: 0, limit: 0xffffffff };
const SEGMENTED = {
  cs: { base: SEGMENT_CODE, limit: 0xffff },
  ds: { base: END_OF_DS - 0x10000, limit: 0xffff },
  es: { base: DATA - 0x6a40, limit: 0xffff },
  ss: { base: END_OF_SS - 0x10000, limit: 0xffff },
} as const;
const FLAT_ALL = { cs: FLAT, ds: FLAT, es: FLAT, ss: FLAT } as const;

export function segmentsOf(mode: CaseMode): Readonly<Record<'cs' | 'ds' | 'es' | 'ss', SegmentLayout>> {
  return mode === 'seg32' || mode === '16' ? SEGMENTED : FLAT_ALL;
}

/** Default operand size of a mode's code: log2 of bytes. */
export function codeSize(mode: CaseMode): number {
  return mode === '16' ? 1 : 2;
}

/** Selectors that Linux has in its GDT; entry n of the LDT is selector 8 n + 7. */
export const NATIVE_CODE64 = 0x33;
export const NATIVE_CODE32 = 0x23;
export const NATIVE_DATA = 0x2b;
export interface LdtEntry extends SegmentLayout {
  readonly code: boolean;
  readonly big: boolean;
}
export const NATIVE_LDT: readonly LdtEntry[] = [
  { ...SEGMENTED.cs, code: true, big: false },
  { ...SEGMENTED.cs, code: true, big: true },
  { ...SEGMENTED.ds, code: false, big: false },
  { ...SEGMENTED.ds, code: false, big: true },
  { ...SEGMENTED.es, code: false, big: false },
  { ...SEGMENTED.es, code: false, big: true },
  { ...SEGMENTED.ss, code: false, big: false },
  { ...SEGMENTED.ss, code: false, big: true },
];
const ldtSelector = (index: number) => 8 * index + 7;

/** Selectors of a compatibility-mode case. */
export function selectorsOf(mode: CaseMode): Readonly<Record<'cs' | 'ds' | 'es' | 'ss', number>> {
  if (mode === '32') return { cs: NATIVE_CODE32, ds: NATIVE_DATA, es: NATIVE_DATA, ss: NATIVE_DATA };
  const big = mode === 'seg32' ? 1 : 0;
  return { cs: ldtSelector(big), ds: ldtSelector(2 + big), es: ldtSelector(4 + big), ss: ldtSelector(6 + big) };
}

/** Processor state common to all cases of a mode. */
export function baseState(mode: CaseMode): X86State {
  const state = bareState({ mode: mode === '64' ? 'long' : 'compat32', ring: 3, rip: ARENA });
  // A host that runs ring 3 directly has these set, whatever the guest asked for: say so.
  state.setU64(L.S_CR0, state.u64(L.S_CR0) | BigInt(L.CR0_AM));
  state.setU64(L.S_CR4, state.u64(L.S_CR4) | BigInt(L.CR4_FSGSBASE));
  state.setU16(L.S_FCW, 0x37f);
  state.setU16(L.S_FTW, 0xffff);
  if (mode === '64') return state;
  // These cases run in a process of a kernel that has XSAVE enabled.
  state.setU64(L.S_CR4, state.u64(L.S_CR4) | BigInt(L.CR4_OSXSAVE));
  const layout = segmentsOf(mode);
  const selectors = selectorsOf(mode);
  const big = mode !== '16';
  for (const [index, name] of [
    [L.SEG_CS, 'cs'],
    [L.SEG_DS, 'ds'],
    [L.SEG_ES, 'es'],
    [L.SEG_SS, 'ss'],
  ] as const) {
    const { base, limit } = layout[name];
    // Type, S, DPL 3, P; D/B; G for limits beyond 1 MiB (SDM vol. 3, 3.4.5).
    const attr = (name === 'cs' ? 0xfb : 0xf3) | (big ? 0x4000 : 0) | (limit > 0xfffff ? 0x8000 : 0);
    state.setSegment(index, { selector: selectors[name], base: BigInt(base), limit, attr, unusable: false });
  }
  for (const index of [L.SEG_FS, L.SEG_GS]) {
    state.setSegment(index, { selector: 0, base: 0n, limit: 0, attr: 0, unusable: true });
  }
  return state;
}

/** Where a case's instruction starts, as a linear address: another place for each, some across a page boundary. */
export function codeAddress(mode: CaseMode, index: number): number {
  const scattered = index * 32 + ((index * 7) % 32);
  if (mode === 'seg32' || mode === '16') return SEGMENT_CODE + 0x1000 + (scattered % 0xd000);
  return ARENA + 0x1000 + (scattered % (ARENA_END - ARENA - 0x2000));
}
