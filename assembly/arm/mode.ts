// The part of the state that decides how instructions are lifted: it is in every block's key.

import {
  PSTATE_IL,
  PSTATE_PAN,
  S_CPACR_EL1,
  S_CPTR_EL2,
  S_EL,
  S_HCR_EL2,
  S_MODE,
  S_PSTATE,
  S_SCTLR_EL1,
  S_SCTLR_EL2,
  S_SPSEL,
} from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { TLB_SUPERVISOR, TLB_SUPERVISOR_AC, TLB_USER, useTable } from '../mmu/tlb';
import { debugActive, stepActive } from './debug';

// Bits that the shared rooms look at mean there what they mean on x86: 64-bit code, flat, one instruction a block.
const MODE_SHARED: u32 = 3 | (1 << 5);
/** EL0. */
export const MODE_USER: u32 = 1 << 3;
/** One instruction a block, looked at before and after it: software step, breakpoints. */
export const MODE_SINGLE: u32 = 1 << 8;
/** Current exception level, 2 bits. */
export const MODE_EL_SHIFT: u32 = 9;
/** SIMD and floating point trap: to the level of CPACR_EL1's exceptions; to EL2 (CPTR_EL2). */
export const MODE_FP_TRAP: u32 = 1 << 11;
export const MODE_FP_TRAP_EL2: u32 = 1 << 12;
/** SCTLR_ELx.A: every access has to be aligned. */
export const MODE_ALIGN: u32 = 1 << 13;
/** PSTATE.IL: every instruction is illegal. */
export const MODE_ILLEGAL: u32 = 1 << 14;
/** PSTATE.SP. */
export const MODE_SPSEL: u32 = 1 << 15;
/** The stack pointer's alignment is checked where it is a base (SCTLR_ELx.SA, SA0). */
export const MODE_SP_ALIGN: u32 = 1 << 16;

// HCR_EL2 (Arm ARM D13.2.46).
export const HCR_VM: u64 = 1;
export const HCR_PTW: u64 = 1 << 2;
export const HCR_FMO: u64 = 1 << 3;
export const HCR_IMO: u64 = 1 << 4;
export const HCR_AMO: u64 = 1 << 5;
export const HCR_VF: u64 = 1 << 6;
export const HCR_VI: u64 = 1 << 7;
export const HCR_VSE: u64 = 1 << 8;
export const HCR_DC: u64 = 1 << 12;
export const HCR_TWI: u64 = 1 << 13;
export const HCR_TWE: u64 = 1 << 14;
export const HCR_TID1: u64 = 1 << 16;
export const HCR_TID2: u64 = 1 << 17;
export const HCR_TID3: u64 = 1 << 18;
export const HCR_TSC: u64 = 1 << 19;
export const HCR_TIDCP: u64 = 1 << 20;
export const HCR_TACR: u64 = 1 << 21;
export const HCR_TSW: u64 = 1 << 22;
export const HCR_TPC: u64 = 1 << 23;
export const HCR_TPU: u64 = 1 << 24;
export const HCR_TTLB: u64 = 1 << 25;
export const HCR_TVM: u64 = 1 << 26;
export const HCR_TGE: u64 = 1 << 27;
export const HCR_TDZ: u64 = 1 << 28;
export const HCR_HCD: u64 = 1 << 29;
export const HCR_TRVM: u64 = 1 << 30;

// SCTLR_ELx (Arm ARM D13.2.118).
export const SCTLR_M: u32 = 1;
const SCTLR_A: u32 = 1 << 1;
const SCTLR_SA: u32 = 1 << 3;
const SCTLR_SA0: u32 = 1 << 4;
export const SCTLR_UMA: u32 = 1 << 9;
export const SCTLR_DZE: u32 = 1 << 14;
export const SCTLR_UCT: u32 = 1 << 15;
export const SCTLR_NTWI: u32 = 1 << 16;
export const SCTLR_NTWE: u32 = 1 << 18;
export const SCTLR_WXN: u32 = 1 << 19;
export const SCTLR_SPAN: u32 = 1 << 23;
export const SCTLR_UCI: u32 = 1 << 26;

/** Current exception level. */
export function currentEl(): u32 {
  return load<u32>(STATE, S_EL);
}

/** HCR_EL2 as it acts on the current level. */
export function hcr(): u64 {
  return load<u64>(STATE, S_HCR_EL2);
}

/** SCTLR of the translation regime of level `el`. */
export function sctlrOf(el: u32): u32 {
  return el == 2 ? load<u32>(STATE, S_SCTLR_EL2) : load<u32>(STATE, S_SCTLR_EL1);
}

/** Bits MODE_FP_TRAP… (Arm ARM D1.14.2, CPACR_EL1.FPEN, CPTR_EL2.TFP). */
function fpTraps(el: u32): u32 {
  if (el < 2 && !(el == 0 && hcr() & HCR_TGE)) {
    const fpen = (load<u32>(STATE, S_CPACR_EL1) >> 20) & 3;
    if (fpen == 0 || fpen == 2 || (fpen == 1 && el == 0)) return MODE_FP_TRAP;
  }
  return load<u32>(STATE, S_CPTR_EL2) & (1 << 10) ? MODE_FP_TRAP_EL2 : 0;
}

/** Works out S_MODE and S_TLB again. Call after any change to the level, PSTATE, or a register looked at here. */
export function updateMode(): void {
  const el = currentEl();
  const sctlr = sctlrOf(el);
  const pstate = load<u32>(STATE, S_PSTATE);
  let mode = MODE_SHARED | (el << MODE_EL_SHIFT) | fpTraps(el);
  if (el == 0) mode |= MODE_USER;
  if (sctlr & SCTLR_A) mode |= MODE_ALIGN;
  if (sctlr & (el == 0 ? SCTLR_SA0 : SCTLR_SA)) mode |= MODE_SP_ALIGN;
  if (pstate & PSTATE_IL) mode |= MODE_ILLEGAL;
  if (load<u32>(STATE, S_SPSEL)) mode |= MODE_SPSEL;
  if (stepActive() || debugActive()) mode |= MODE_SINGLE;
  store<u32>(STATE, mode, S_MODE);
  const table = el == 0 ? TLB_USER : el == 1 && pstate & PSTATE_PAN ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
  useTable(table);
}
