// The processor's state at a guest's first instruction, in the three modes that loaders start guests in.

import * as L from '../../assembly/layout/x86-state.js';
import type { Segment, X86State } from '../vcpu/x86-state.js';
import { GDT_CODE, GDT_DATA, GDT_SIZE } from './boot-environment.js';
import { BOOT_GDT, BOOT_STACK_TOP } from './placement.js';

/** General registers by name; those left out are 0 (the stack pointer: BOOT_STACK_TOP). */
export interface EntryRegisters {
  readonly rip: number;
  readonly rax?: number;
  readonly rbx?: number;
  readonly rsi?: number;
  readonly rdi?: number;
  readonly rsp?: number;
}

// Access rights as in assembly/layout/x86-state.ts.
const ATTR_CODE32 = 0xc09b;
const ATTR_CODE64 = 0xa09b;
const ATTR_DATA32 = 0xc093;
const ATTR_TSS_BUSY = 0x8b;

function flat(selector: number, attr: number): Segment {
  return { selector, base: 0n, limit: 0xffffffff, attr, unusable: false };
}

function setRegisters(state: X86State, registers: EntryRegisters): void {
  for (let i = 0; i < 16; i++) state.setGpr(i, 0n);
  state.setU64(L.S_RAX, BigInt(registers.rax ?? 0));
  state.setU64(L.S_RBX, BigInt(registers.rbx ?? 0));
  state.setU64(L.S_RSI, BigInt(registers.rsi ?? 0));
  state.setU64(L.S_RDI, BigInt(registers.rdi ?? 0));
  state.setU64(L.S_RSP, BigInt(registers.rsp ?? BOOT_STACK_TOP));
  state.rip = BigInt(registers.rip);
  // Bit 1 is always set; interrupts are off.
  state.rflags = 2n;
}

function setSegments(state: X86State, codeAttr: number): void {
  for (const index of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) {
    state.setSegment(index, flat(GDT_DATA, ATTR_DATA32));
  }
  state.setSegment(L.SEG_CS, flat(GDT_CODE, codeAttr));
  // A 32-bit TSS of the smallest size at address 0, as PVH demands; no guest switches tasks before loading its own.
  state.setSegment(L.SEG_TR, { selector: 0, base: 0n, limit: 0x67, attr: ATTR_TSS_BUSY, unusable: false });
  state.setU64(L.S_GDTR_BASE, BigInt(BOOT_GDT));
  state.setU32(L.S_GDTR_LIMIT, GDT_SIZE - 1);
  // No IDT: an exception before the guest has made one becomes a clean triple fault.
  state.setU64(L.S_IDTR_BASE, 0n);
  state.setU32(L.S_IDTR_LIMIT, 0);
}

/** 32-bit protected mode, flat segments, paging off: what Multiboot, PVH and Linux' 32-bit protocol ask for. */
export function enterProtectedMode(state: X86State, registers: EntryRegisters): void {
  setRegisters(state, registers);
  setSegments(state, ATTR_CODE32);
  state.setU64(L.S_CR0, BigInt(L.CR0_PE | L.CR0_ET));
  state.setU64(L.S_CR4, 0n);
  state.setU64(L.S_EFER, 0n);
}

/** 64-bit mode on the page tables at `cr3`, flat segments, CPL 0. */
export function enterLongMode(state: X86State, cr3: number, registers: EntryRegisters): void {
  setRegisters(state, registers);
  setSegments(state, ATTR_CODE64);
  // CR0_PG is bit 31, which the | operator would make negative.
  state.setU64(L.S_CR0, BigInt(L.CR0_PG) | BigInt(L.CR0_PE | L.CR0_ET));
  state.setU64(L.S_CR3, BigInt(cr3));
  state.setU64(L.S_CR4, BigInt(L.CR4_PAE));
  state.setU64(L.S_EFER, BigInt(L.EFER_LME | L.EFER_LMA));
}

/** x87 and SSE ready for compiled code, which in 64-bit mode uses SSE without asking (SDM vol. 3, 10.6 and 14.1). */
export function enableSse(state: X86State): void {
  state.setU64(L.S_CR0, state.u64(L.S_CR0) | BigInt(L.CR0_MP | L.CR0_NE));
  state.setU64(L.S_CR4, state.u64(L.S_CR4) | BigInt(L.CR4_OSFXSR | L.CR4_OSXMMEXCPT));
  // As FNINIT leaves them.
  state.setU16(L.S_FCW, 0x37f);
  state.setU16(L.S_FSW, 0);
  state.setU16(L.S_FTW, 0xffff);
}

/** Real mode at segment:offset, DS = ES = FS = GS = CS, stack at ss:sp. */
export function enterRealMode(state: X86State, segment: number, offset: number, ss: number, sp: number): void {
  setRegisters(state, { rip: offset, rsp: sp });
  const real = (selector: number, attr: number): Segment => ({
    selector,
    base: BigInt(selector * 16),
    limit: 0xffff,
    attr,
    unusable: false,
  });
  for (const index of [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS]) state.setSegment(index, real(segment, 0x93));
  state.setSegment(L.SEG_CS, real(segment, 0x9b));
  state.setSegment(L.SEG_SS, real(ss, 0x93));
  // The interrupt vector table of real mode: 256 vectors of 4 bytes (SDM vol. 3, 21.1.4).
  state.setU64(L.S_IDTR_BASE, 0n);
  state.setU32(L.S_IDTR_LIMIT, 0x3ff);
  state.setU64(L.S_CR0, BigInt(L.CR0_ET));
}
