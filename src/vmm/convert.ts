// Conversion between KVM's structures and the one layout of x86 state, in both directions and without loss.

import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../vcpu/x86-state.js';
import * as K from './structs.js';

/** X86State offset of each kvm_regs field, in kvm_regs order: KVM lists RBX second and RSP seventh. */
const REGS: readonly number[] = [
  L.S_RAX,
  L.S_RBX,
  L.S_RCX,
  L.S_RDX,
  L.S_RSI,
  L.S_RDI,
  L.S_RSP,
  L.S_RBP,
  ...Array.from({ length: 8 }, (_, i) => L.S_R8 + 8 * i),
  L.S_RIP,
  L.S_RFLAGS,
];

export function regsToState(regs: DataView, state: X86State): void {
  for (let i = 0; i < REGS.length; i++) state.view.setBigUint64(REGS[i], regs.getBigUint64(8 * i, true), true);
}

export function regsFromState(state: X86State, regs: DataView): void {
  for (let i = 0; i < REGS.length; i++) regs.setBigUint64(8 * i, state.view.getBigUint64(REGS[i], true), true);
}

/** [offset in kvm_sregs, index in X86State] of the segment registers. */
const SEGMENTS: readonly (readonly [number, number])[] = [
  [K.SREGS_CS, L.SEG_CS],
  [K.SREGS_DS, L.SEG_DS],
  [K.SREGS_ES, L.SEG_ES],
  [K.SREGS_FS, L.SEG_FS],
  [K.SREGS_GS, L.SEG_GS],
  [K.SREGS_SS, L.SEG_SS],
  [K.SREGS_TR, L.SEG_TR],
  [K.SREGS_LDT, L.SEG_LDTR],
];

/** [offset in kvm_sregs, offset in X86State] of the u64 registers. */
const CONTROL: readonly (readonly [number, number])[] = [
  [K.SREGS_CR0, L.S_CR0],
  [K.SREGS_CR2, L.S_CR2],
  [K.SREGS_CR3, L.S_CR3],
  [K.SREGS_CR4, L.S_CR4],
  [K.SREGS_CR8, L.S_CR8],
  [K.SREGS_EFER, L.S_EFER],
  [K.SREGS_APIC_BASE, L.S_MSR_APIC_BASE],
];

export function sregsToState(sregs: DataView, state: X86State): void {
  const to = state.view;
  for (const [from, index] of SEGMENTS) {
    const at = L.S_SEG + L.SEG_SIZE * index;
    to.setBigUint64(at + L.SEG_BASE, sregs.getBigUint64(from + K.KSEG_BASE, true), true);
    to.setUint32(at + L.SEG_LIMIT, sregs.getUint32(from + K.KSEG_LIMIT, true), true);
    to.setUint16(at + L.SEG_SELECTOR, sregs.getUint16(from + K.KSEG_SELECTOR, true), true);
    const attr =
      (sregs.getUint8(from + K.KSEG_TYPE) & 15) |
      ((sregs.getUint8(from + K.KSEG_S) & 1) << 4) |
      ((sregs.getUint8(from + K.KSEG_DPL) & 3) << 5) |
      ((sregs.getUint8(from + K.KSEG_PRESENT) & 1) << 7) |
      ((sregs.getUint8(from + K.KSEG_AVL) & 1) << 12) |
      ((sregs.getUint8(from + K.KSEG_L) & 1) << 13) |
      ((sregs.getUint8(from + K.KSEG_DB) & 1) << 14) |
      ((sregs.getUint8(from + K.KSEG_G) & 1) << 15);
    to.setUint16(at + L.SEG_ATTR, attr, true);
    to.setUint32(at + L.SEG_UNUSABLE, sregs.getUint8(from + K.KSEG_UNUSABLE) & 1, true);
  }
  to.setBigUint64(L.S_GDTR_BASE, sregs.getBigUint64(K.SREGS_GDT, true), true);
  to.setUint32(L.S_GDTR_LIMIT, sregs.getUint16(K.SREGS_GDT + K.DTABLE_LIMIT, true), true);
  to.setBigUint64(L.S_IDTR_BASE, sregs.getBigUint64(K.SREGS_IDT, true), true);
  to.setUint32(L.S_IDTR_LIMIT, sregs.getUint16(K.SREGS_IDT + K.DTABLE_LIMIT, true), true);
  for (const [from, offset] of CONTROL) to.setBigUint64(offset, sregs.getBigUint64(from, true), true);
}

export function sregsFromState(state: X86State, sregs: DataView): void {
  const from = state.view;
  for (const [to, index] of SEGMENTS) {
    const at = L.S_SEG + L.SEG_SIZE * index;
    const attr = from.getUint16(at + L.SEG_ATTR, true);
    sregs.setBigUint64(to + K.KSEG_BASE, from.getBigUint64(at + L.SEG_BASE, true), true);
    sregs.setUint32(to + K.KSEG_LIMIT, from.getUint32(at + L.SEG_LIMIT, true), true);
    sregs.setUint16(to + K.KSEG_SELECTOR, from.getUint16(at + L.SEG_SELECTOR, true), true);
    sregs.setUint8(to + K.KSEG_TYPE, attr & 15);
    sregs.setUint8(to + K.KSEG_S, (attr >> 4) & 1);
    sregs.setUint8(to + K.KSEG_DPL, (attr >> 5) & 3);
    sregs.setUint8(to + K.KSEG_PRESENT, (attr >> 7) & 1);
    sregs.setUint8(to + K.KSEG_AVL, (attr >> 12) & 1);
    sregs.setUint8(to + K.KSEG_L, (attr >> 13) & 1);
    sregs.setUint8(to + K.KSEG_DB, (attr >> 14) & 1);
    sregs.setUint8(to + K.KSEG_G, (attr >> 15) & 1);
    sregs.setUint8(to + K.KSEG_UNUSABLE, from.getUint32(at + L.SEG_UNUSABLE, true) & 1);
    sregs.setUint8(to + K.KSEG_UNUSABLE + 1, 0);
  }
  sregs.setBigUint64(K.SREGS_GDT, from.getBigUint64(L.S_GDTR_BASE, true), true);
  sregs.setUint16(K.SREGS_GDT + K.DTABLE_LIMIT, from.getUint32(L.S_GDTR_LIMIT, true) & 0xffff, true);
  sregs.setBigUint64(K.SREGS_IDT, from.getBigUint64(L.S_IDTR_BASE, true), true);
  sregs.setUint16(K.SREGS_IDT + K.DTABLE_LIMIT, from.getUint32(L.S_IDTR_LIMIT, true) & 0xffff, true);
  for (const [to, offset] of CONTROL) sregs.setBigUint64(to, from.getBigUint64(offset, true), true);
  for (let i = 0; i < 4; i++) sregs.setBigUint64(K.SREGS_INTERRUPT_BITMAP + 8 * i, 0n, true);
}

/** SVM cannot tell STI's shadow from MOV SS's and reports both bits: that is read as STI, the common one. */
export function eventsToState(events: DataView, state: X86State): void {
  const shadow = events.getUint8(K.EVENTS_SHADOW);
  const sti = (shadow & K.KVM_X86_SHADOW_INT_STI) !== 0;
  const movSs = (shadow & K.KVM_X86_SHADOW_INT_MOV_SS) !== 0;
  state.setU32(L.S_INT_SHADOW, sti ? L.SHADOW_STI : movSs ? L.SHADOW_MOV_SS : 0);
  state.setU32(L.S_NMI_BLOCKED, events.getUint8(K.EVENTS_NMI_MASKED) & 1);
  const pending = events.getUint8(K.EVENTS_NMI_PENDING) | events.getUint8(K.EVENTS_NMI_INJECTED);
  state.setU32(L.S_NMI_PENDING, pending !== 0 ? 1 : 0);
}

/**
 * Also forgets any exception or interrupt on its way into the guest: the state that is written stands at an
 * instruction boundary, and a fault that was about to be raised is raised again by the instruction itself.
 */
export function eventsFromState(state: X86State, events: DataView): void {
  for (let i = 0; i < K.KVM_VCPU_EVENTS_SIZE; i += 4) events.setUint32(i, 0, true);
  const shadow = state.u32(L.S_INT_SHADOW);
  events.setUint8(
    K.EVENTS_SHADOW,
    (shadow & L.SHADOW_STI ? K.KVM_X86_SHADOW_INT_STI : 0) |
      (shadow & L.SHADOW_MOV_SS ? K.KVM_X86_SHADOW_INT_MOV_SS : 0),
  );
  events.setUint8(K.EVENTS_NMI_MASKED, state.u32(L.S_NMI_BLOCKED) !== 0 ? 1 : 0);
  events.setUint8(K.EVENTS_NMI_PENDING, state.u32(L.S_NMI_PENDING) !== 0 ? 1 : 0);
  events.setUint32(K.EVENTS_FLAGS, K.KVM_VCPUEVENT_VALID_NMI_PENDING | K.KVM_VCPUEVENT_VALID_SHADOW, true);
}

/** The vector that is acknowledged but not delivered yet, or -1. */
export function queuedInterrupt(events: DataView): number {
  return events.getUint8(K.EVENTS_INTERRUPT_INJECTED) !== 0 ? events.getUint8(K.EVENTS_INTERRUPT_NR) : -1;
}

export function debugRegsToState(debug: DataView, state: X86State): void {
  for (let i = 0; i < 4; i++) state.setU64(L.S_DR0 + 8 * i, debug.getBigUint64(8 * i, true));
  state.setU64(L.S_DR6, debug.getBigUint64(K.DEBUGREGS_DR6, true));
  state.setU64(L.S_DR7, debug.getBigUint64(K.DEBUGREGS_DR7, true));
}

export function debugRegsFromState(state: X86State, debug: DataView): void {
  for (let i = 0; i < K.KVM_DEBUGREGS_SIZE; i += 8) debug.setBigUint64(i, 0n, true);
  for (let i = 0; i < 4; i++) debug.setBigUint64(8 * i, state.u64(L.S_DR0 + 8 * i), true);
  debug.setBigUint64(K.DEBUGREGS_DR6, state.u64(L.S_DR6), true);
  debug.setBigUint64(K.DEBUGREGS_DR7, state.u64(L.S_DR7), true);
}

/** Tag of a non-empty register's content: 0 valid, 1 zero, 2 special (SDM vol. 1, 8.1.7). */
export function x87Tag(significand: bigint, signAndExponent: number): number {
  const exponent = signAndExponent & 0x7fff;
  if (exponent === 0) return significand === 0n ? 1 : 2;
  if (exponent === 0x7fff) return 2;
  return significand >> 63n === 1n ? 0 : 2;
}

/**
 * The tags other than "empty" follow from the registers' contents, as the processor itself derives them when it
 * stores an environment. FCS and FDS do not exist in the image: they read as zero.
 */
export function xsaveToState(xsave: DataView, state: X86State): void {
  const bv = xsave.getUint32(K.XSAVE_XSTATE_BV, true);
  const x87 = (bv & K.XSTATE_X87) !== 0;
  // A clear bit means the initial state, that of FNINIT (SDM vol. 1, 13.6).
  const fsw = x87 ? xsave.getUint16(K.XSAVE_FSW, true) : 0;
  const abridged = x87 ? xsave.getUint8(K.XSAVE_FTW) : 0;
  state.setU16(L.S_FCW, x87 ? xsave.getUint16(K.XSAVE_FCW, true) : 0x37f);
  state.setU16(L.S_FSW, fsw);
  state.setU16(L.S_FOP, x87 ? xsave.getUint16(K.XSAVE_FOP, true) & 0x7ff : 0);
  state.setU64(L.S_FIP, x87 ? xsave.getBigUint64(K.XSAVE_FIP, true) : 0n);
  state.setU64(L.S_FDP, x87 ? xsave.getBigUint64(K.XSAVE_FDP, true) : 0n);
  state.setU16(L.S_FCS, 0);
  state.setU16(L.S_FDS, 0);
  const top = (fsw >> 11) & 7;
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const physical = (top + i) & 7;
    const from = K.XSAVE_ST + 16 * i;
    const significand = x87 ? xsave.getBigUint64(from, true) : 0n;
    const signAndExponent = x87 ? xsave.getUint16(from + 8, true) : 0;
    const to = L.S_FPR + 16 * physical;
    state.setU64(to, significand);
    state.setU64(to + 8, BigInt(signAndExponent));
    const tag = (abridged >> physical) & 1 ? x87Tag(significand, signAndExponent) : 3;
    tags |= tag << (2 * physical);
  }
  state.setU16(L.S_FTW, tags);
  state.setU32(L.S_MXCSR, xsave.getUint32(K.XSAVE_MXCSR, true));
  const sse = (bv & K.XSTATE_SSE) !== 0;
  for (let i = 0; i < 32; i++) {
    state.setU64(L.S_XMM + 8 * i, sse ? xsave.getBigUint64(K.XSAVE_XMM + 8 * i, true) : 0n);
  }
}

/** Writes x87 and SSE; components that the layout does not have (AVX and later) go to their initial state. */
export function xsaveFromState(state: X86State, xsave: DataView): void {
  const fsw = state.u16(L.S_FSW);
  const tags = state.u16(L.S_FTW);
  xsave.setUint16(K.XSAVE_FCW, state.u16(L.S_FCW), true);
  xsave.setUint16(K.XSAVE_FSW, fsw, true);
  let abridged = 0;
  for (let i = 0; i < 8; i++) if (((tags >> (2 * i)) & 3) !== 3) abridged |= 1 << i;
  xsave.setUint8(K.XSAVE_FTW, abridged);
  xsave.setUint16(K.XSAVE_FOP, state.u16(L.S_FOP) & 0x7ff, true);
  xsave.setBigUint64(K.XSAVE_FIP, state.u64(L.S_FIP), true);
  xsave.setBigUint64(K.XSAVE_FDP, state.u64(L.S_FDP), true);
  xsave.setUint32(K.XSAVE_MXCSR, state.u32(L.S_MXCSR), true);
  const top = (fsw >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const from = L.S_FPR + 16 * ((top + i) & 7);
    xsave.setBigUint64(K.XSAVE_ST + 16 * i, state.u64(from), true);
    xsave.setBigUint64(K.XSAVE_ST + 16 * i + 8, BigInt(state.u16(from + 8)), true);
  }
  for (let i = 0; i < 32; i++) xsave.setBigUint64(K.XSAVE_XMM + 8 * i, state.u64(L.S_XMM + 8 * i), true);
  // The 64-byte XSAVE header: XSTATE_BV, XCOMP_BV (0: standard format), reserved.
  for (let i = 0; i < 64; i += 8) xsave.setBigUint64(K.XSAVE_XSTATE_BV + i, 0n, true);
  xsave.setUint32(K.XSAVE_XSTATE_BV, K.XSTATE_X87 | K.XSTATE_SSE, true);
}

/** IA32_TSC_ADJUST moves by as much as a guest moves its TSC (SDM vol. 3, 19.17.3). */
export const MSR_TSC_ADJUST = 0x3b;
export const MSR_TSC = 0x10;

/** [MSR number, offset in X86State], SDM vol. 4, tables 2-2 and 2-3; MTRRs: SDM vol. 3, 13.11. */
export const STATE_MSRS: readonly (readonly [number, number])[] = [
  [0xc0000081, L.S_MSR_STAR],
  [0xc0000082, L.S_MSR_LSTAR],
  [0xc0000083, L.S_MSR_CSTAR],
  [0xc0000084, L.S_MSR_FMASK],
  [0xc0000102, L.S_MSR_KERNEL_GS_BASE],
  [0x174, L.S_MSR_SYSENTER_CS],
  [0x175, L.S_MSR_SYSENTER_ESP],
  [0x176, L.S_MSR_SYSENTER_EIP],
  [0x277, L.S_MSR_PAT],
  [0xc0000103, L.S_MSR_TSC_AUX],
  [0x1a0, L.S_MSR_MISC_ENABLE],
  [0x2ff, L.S_MSR_MTRR_DEF_TYPE],
  ...Array.from({ length: 16 }, (_, i) => [0x200 + i, L.S_MSR_MTRR_VAR + 8 * i] as const),
  ...[0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f].map(
    (msr, i) => [msr, L.S_MSR_MTRR_FIX + 8 * i] as const,
  ),
];
