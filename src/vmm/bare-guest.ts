// Processor states and tables for tiny guests without any firmware: what the probes, the tests and the instruction
// comparisons run. Everything below BARE_CODE belongs to these tables.

import * as L from '../../assembly/layout/x86-state.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { X86State } from '../vcpu/x86-state.js';

// Guest-physical layout.
export const BARE_GDT = 0x1000;
export const BARE_TSS = 0x1100;
export const BARE_IDT = 0x2000;
/** 32 entry points of EXCEPTION_STUB bytes. */
export const BARE_HANDLERS = 0x3000;
export const EXCEPTION_STUB = 16;
export const BARE_PML4 = 0x4000;
export const BARE_PDPT = 0x5000;
export const BARE_PD = 0x6000;
/** Top of the ring-0 stack that exceptions and interrupts from ring 3 use. */
export const BARE_STACK0 = 0x9000;
export const BARE_STACK = 0xa000;
/** Where the guest's own code starts; 16 KiB further lies free room for its data. */
export const BARE_CODE = 0x10000;
export const BARE_DATA = 0x14000;

// Selectors in the table that bareTables writes.
export const SEL_CODE64 = 0x08;
export const SEL_DATA = 0x10;
export const SEL_CODE32 = 0x18;
export const SEL_USER_DATA = 0x2b;
export const SEL_USER_CODE64 = 0x33;
export const SEL_USER_CODE32 = 0x3b;
export const SEL_TSS = 0x40;

/** The exception handlers report the vector through this port, then halt. */
export const EXCEPTION_PORT = 0xe0;

const FLAT = 0xffff_ffff;
// Access rights as X86State holds them (SDM vol. 3, 3.4.5): accessed, so that loading them writes nothing back.
const CODE64 = 0xa09b;
const CODE32 = 0xc09b;
const DATA = 0xc093;
const RING3 = 0x60;

/** A flat descriptor with these access rights (SDM vol. 3, figure 3-8). */
const descriptor = (attr: number): bigint => 0x000f_0000_0000_ffffn | (BigInt(attr) << 40n);

/**
 * Writes a GDT, a TSS with the ring-0 stack, identity-mapped page tables for the first GiB (2 MiB pages, user
 * accessible) and an IDT whose 32 exception handlers write their vector to EXCEPTION_PORT and halt.
 */
export function bareTables(ram: GuestMemory): void {
  const gdt = [0, CODE64, DATA, CODE32, 0, DATA | RING3, CODE64 | RING3, CODE32 | RING3];
  gdt.forEach((attr, i) => {
    ram.writeU64(BARE_GDT + 8 * i, attr === 0 ? 0n : descriptor(attr));
  });
  // 64-bit TSS descriptor, busy (type 11): limit 0x67, base in three pieces (SDM vol. 3, figure 8-4).
  ram.writeU64(BARE_GDT + SEL_TSS, 0x67n | (BigInt(BARE_TSS) << 16n) | (0x8bn << 40n));
  ram.writeU64(BARE_GDT + SEL_TSS + 8, 0n);
  ram.fill(BARE_TSS, 0x68);
  ram.writeU64(BARE_TSS + 4, BigInt(BARE_STACK0));
  ram.writeU16(BARE_TSS + 0x66, 0x68);

  for (let vector = 0; vector < 256; vector++) setIdtGate(ram, vector, BARE_HANDLERS + EXCEPTION_STUB * (vector & 31));
  for (let vector = 0; vector < 32; vector++) {
    // mov al, vector; out EXCEPTION_PORT, al; hlt; jmp to the hlt
    const stub = [0xb0, vector, 0xe6, EXCEPTION_PORT, 0xf4, 0xeb, 0xfd];
    ram.write(BARE_HANDLERS + EXCEPTION_STUB * vector, Uint8Array.from(stub));
  }

  ram.writeU64(BARE_PML4, BigInt(BARE_PDPT) | 7n);
  ram.writeU64(BARE_PDPT, BigInt(BARE_PD) | 7n);
  for (let i = 0; i < 512; i++) ram.writeU64(BARE_PD + 8 * i, (BigInt(i) << 21n) | 0x87n);
}

/** An interrupt gate of 64-bit mode to ring 0 (SDM vol. 3, figure 7-8). Ring 3 may call it with INT n. */
export function setIdtGate(ram: GuestMemory, vector: number, handler: number): void {
  const offset = BigInt(handler);
  const at = BARE_IDT + 16 * vector;
  const low = (offset & 0xffffn) | (BigInt(SEL_CODE64) << 16n) | (0xeen << 40n) | (((offset >> 16n) & 0xffffn) << 48n);
  ram.writeU64(at, low);
  ram.writeU64(at + 8, offset >> 32n);
}

export type BareMode = 'real' | 'protected32' | 'paging32' | 'pae' | 'long' | 'compat32';

export interface BareStart {
  readonly mode: BareMode;
  /** Privilege level: 0 or 3. Modes without paging run in ring 0 only here. */
  readonly ring: 0 | 3;
  readonly rip: number;
  readonly rflags?: number;
}

/** A processor state that starts at `rip` in the given mode, on the tables of bareTables. */
export function bareState(start: BareStart): X86State {
  const state = X86State.reset();
  const { mode, ring } = start;
  state.rip = BigInt(start.rip);
  state.rflags = BigInt((start.rflags ?? 0) | 2);
  state.setGpr(4, BigInt(BARE_STACK));
  const flat = (index: number, selector: number, attr: number, limit = FLAT): void => {
    state.setSegment(index, { selector, base: 0n, limit, attr, unusable: false });
  };
  if (mode === 'real') {
    for (let i = 0; i < 6; i++) flat(i, 0, i === L.SEG_CS ? 0x9b : 0x93, 0xffff);
    state.setU64(L.S_IDTR_BASE, 0n);
    state.setU32(L.S_IDTR_LIMIT, 0x3ff);
    return state;
  }
  const long = mode === 'long' || mode === 'compat32';
  const rpl = ring === 3 ? RING3 : 0;
  const data = ring === 3 ? SEL_USER_DATA : SEL_DATA;
  for (const i of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) flat(i, data, DATA | rpl);
  if (mode === 'long') flat(L.SEG_CS, ring === 3 ? SEL_USER_CODE64 : SEL_CODE64, CODE64 | rpl);
  else flat(L.SEG_CS, ring === 3 ? SEL_USER_CODE32 : SEL_CODE32, CODE32 | rpl);
  state.setSegment(L.SEG_TR, { selector: SEL_TSS, base: BigInt(BARE_TSS), limit: 0x67, attr: 0x8b, unusable: false });
  state.setSegment(L.SEG_LDTR, { selector: 0, base: 0n, limit: 0, attr: 0x82, unusable: true });
  state.setU64(L.S_GDTR_BASE, BigInt(BARE_GDT));
  state.setU32(L.S_GDTR_LIMIT, SEL_TSS + 15);
  state.setU64(L.S_IDTR_BASE, BigInt(BARE_IDT));
  state.setU32(L.S_IDTR_LIMIT, 0xfff);

  let cr0 = L.CR0_PE | L.CR0_MP | L.CR0_ET | L.CR0_NE;
  let cr4 = 0;
  if (mode !== 'protected32') {
    cr0 = (cr0 | L.CR0_WP | L.CR0_PG) >>> 0;
    cr4 = mode === 'paging32' ? L.CR4_PSE : L.CR4_PAE;
    state.setU64(L.S_CR3, BigInt(mode === 'pae' || mode === 'paging32' ? BARE_PDPT : BARE_PML4));
  }
  // SSE usable (SDM vol. 3, 14.1).
  cr4 |= L.CR4_OSFXSR | L.CR4_OSXMMEXCPT;
  state.setU64(L.S_CR0, BigInt(cr0));
  state.setU64(L.S_CR4, BigInt(cr4));
  if (long) state.setU64(L.S_EFER, BigInt(L.EFER_SCE | L.EFER_LME | L.EFER_LMA));
  return state;
}

/** Page tables of the other two paging modes, in the place of the long-mode ones: PSE 4 MiB pages, or PAE. */
export function legacyPaging(ram: GuestMemory, mode: 'paging32' | 'pae'): void {
  ram.fill(BARE_PDPT, 0x1000);
  if (mode === 'paging32') for (let i = 0; i < 64; i++) ram.writeU32(BARE_PDPT + 4 * i, ((i << 22) | 0x87) >>> 0);
  else ram.writeU64(BARE_PDPT, BigInt(BARE_PD) | 1n);
}
