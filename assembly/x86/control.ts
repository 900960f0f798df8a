// Control registers (SDM vol. 3, 2.5) and what hangs on them: CLTS, LMSW, SMSW, XCR0, HLT, hypercalls.

import { EXIT_HYPERCALL } from '../layout/exits';
import { STATE } from '../layout/memory';
import {
  CPU_FSGSBASE,
  CPU_FXSR,
  CPU_PAE,
  CPU_PGE,
  CPU_SMAP,
  CPU_SMEP,
  CPU_SSE,
  CPU_UMIP,
  CPU_XSAVE,
} from '../layout/x86-features';
import {
  ACTIVITY_HLT,
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_FSGSBASE,
  CR4_MCE,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  CR4_OSXSAVE,
  CR4_PAE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  CR4_TSD,
  CR4_UMIP,
  EFER_LMA,
  EFER_LME,
  S_ACTIVITY,
  S_ATTENTION,
  S_CPU_FEATURES,
  S_CR0,
  S_CR2,
  S_CR3,
  S_CR4,
  S_CR8,
  S_EFER,
  S_EXIT_REQUEST,
  S_RAX,
  S_RCX,
  S_RDX,
  S_XCR0,
  SEG_ATTR,
  SEG_CS,
  SEG_TR,
} from '../layout/x86-state';
import { tlbFlush } from '../mmu/tlb';
import { loadPdptes, loadPdptesFrom } from '../mmu/walk';
import { EXC_UD, faulted, raise, raiseGP } from './fault';
import { finish, in64BitMode, privileged, putPair } from './helper';
import { readTaskPriority, writeTaskPriority } from './host';
import { segSlot, updateMode } from './mode';

/** MAXPHYADDR, as CPUID leaf 80000008H announces it. */
export const PHYSICAL_ADDRESS_BITS: u64 = 36;

const PG: u32 = <u32>CR0_PG;
/** Bits of CR0 that keep what is written; the others are ignored, and ET is always 1. */
const CR0_BITS: u32 = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | PG;
/** XCR0 bits: x87 (always set), SSE. */
const XCR0_X87: u64 = 1;
const XCR0_SSE: u64 = 2;

const ATTR_LONG: u32 = 0x2000;
/** Type 1 or 3 of a system descriptor: a 16-bit TSS, available or busy. */
function isTss16(attr: u32): bool {
  return (attr & 0x1d) == 1;
}

/** Loads CR0 with all that follows from it; false when it raised #GP(0). */
function setCr0(value: u64): bool {
  const v = (<u32>value & CR0_BITS) | CR0_ET;
  const old = load<u32>(STATE, S_CR0);
  const changed = v ^ old;
  const pageWithoutProtection = (v & PG) != 0 && !(v & CR0_PE);
  const noWriteThroughWithCache = (v & CR0_NW) != 0 && !(v & CR0_CD);
  if (value >> 32 || pageWithoutProtection || noWriteThroughWithCache) {
    raiseGP(0);
    return false;
  }

  let efer = load<u64>(STATE, S_EFER);
  const cr4 = load<u32>(STATE, S_CR4);
  if (changed & PG) {
    if (!(v & PG)) {
      // Paging may be turned off from compatibility mode, not from 64-bit mode.
      if (in64BitMode()) {
        raiseGP(0);
        return false;
      }
      efer &= ~(<u64>EFER_LMA);
    } else if (efer & EFER_LME) {
      // Activating long mode: SDM vol. 3, 10.8.5.
      const cs = <u32>load<u16>(segSlot(SEG_CS), SEG_ATTR);
      if (!(cr4 & CR4_PAE) || cs & ATTR_LONG || isTss16(load<u16>(segSlot(SEG_TR), SEG_ATTR))) {
        raiseGP(0);
        return false;
      }
      efer |= EFER_LMA;
    }
  }
  const paePaging = (v & PG) != 0 && (cr4 & CR4_PAE) != 0 && !(efer & EFER_LMA);
  if (paePaging && changed & (PG | CR0_CD | CR0_NW) && !loadPdptes()) return false;

  store<u64>(STATE, v, S_CR0);
  store<u64>(STATE, efer, S_EFER);
  // The soft TLB holds rights that CR0.WP decides; real TLBs look at WP again at each access.
  if (changed & (PG | CR0_PE | CR0_WP)) tlbFlush(false);
  updateMode();
  return true;
}

/** Bits of CR4 that this CPU model has. VME and PVI are not implemented. */
function cr4Bits(): u32 {
  const cpu = load<u32>(STATE, S_CPU_FEATURES);
  let bits: u32 = CR4_TSD | CR4_DE | CR4_PSE | CR4_MCE | CR4_PCE;
  if (cpu & CPU_PAE) bits |= CR4_PAE;
  if (cpu & CPU_PGE) bits |= CR4_PGE;
  if (cpu & CPU_FXSR) bits |= CR4_OSFXSR;
  if (cpu & CPU_SSE) bits |= CR4_OSXMMEXCPT;
  if (cpu & CPU_UMIP) bits |= CR4_UMIP;
  if (cpu & CPU_FSGSBASE) bits |= CR4_FSGSBASE;
  if (cpu & CPU_XSAVE) bits |= CR4_OSXSAVE;
  if (cpu & CPU_SMEP) bits |= CR4_SMEP;
  if (cpu & CPU_SMAP) bits |= CR4_SMAP;
  return bits;
}

function setCr4(value: u64): void {
  const old = load<u32>(STATE, S_CR4);
  const v = <u32>value;
  const changed = v ^ old;
  const long = (load<u32>(STATE, S_EFER) & EFER_LMA) != 0;
  if (value & ~(<u64>cr4Bits()) || (long && !(v & CR4_PAE))) {
    raiseGP(0);
    return;
  }
  const paePaging = (load<u32>(STATE, S_CR0) & PG) != 0 && (v & CR4_PAE) != 0 && !long;
  if (paePaging && changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP) && !loadPdptes()) return;
  store<u64>(STATE, v, S_CR4);
  // SDM vol. 3, 5.10.4.1; SMAP and turning SMEP off are here because the soft TLB holds rights.
  if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP | CR4_SMAP)) tlbFlush(false);
  updateMode();
}

function setCr3(value: u64): void {
  const long = (load<u32>(STATE, S_EFER) & EFER_LMA) != 0;
  if (long && value >> PHYSICAL_ADDRESS_BITS) {
    raiseGP(0);
    return;
  }
  const pae = (load<u32>(STATE, S_CR0) & PG) != 0 && (load<u32>(STATE, S_CR4) & CR4_PAE) != 0;
  if (pae && !long && !loadPdptesFrom(value)) return;
  store<u64>(STATE, value, S_CR3);
  tlbFlush(true);
}

/** MOV CRb, a: a = source slot, b = register number. Ends the block. */
export function writeControl(a: u32, b: u32, _imm: u64): void {
  if (!privileged()) return;
  let v = load<u64>(STATE + <usize>a);
  if (!in64BitMode()) v &= 0xffffffff;
  if (b == 0) setCr0(v);
  else if (b == 2) store<u64>(STATE, v, S_CR2);
  else if (b == 3) setCr3(v);
  else if (b == 4) setCr4(v);
  else if (v >> 4) raiseGP(0);
  else {
    store<u64>(STATE, v, S_CR8);
    writeTaskPriority(<u32>v);
  }
  if (!faulted()) finish();
}

/** MOV a, CRb: a = destination slot, b = register number. */
export function readControl(a: u32, b: u32, _imm: u64): void {
  if (!privileged()) return;
  let v: u64;
  if (b == 0) v = load<u64>(STATE, S_CR0);
  else if (b == 2) v = load<u64>(STATE, S_CR2);
  else if (b == 3) v = load<u64>(STATE, S_CR3);
  else if (b == 4) v = load<u64>(STATE, S_CR4);
  else v = readTaskPriority();
  store<u64>(STATE + <usize>a, in64BitMode() ? v : v & 0xffffffff);
}

export function clearTaskSwitched(_a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  store<u64>(STATE, load<u64>(STATE, S_CR0) & ~(<u64>CR0_TS), S_CR0);
  updateMode();
  finish();
}

/** LMSW: a = slot with the 16-bit source. PE, MP, EM, TS are loaded; PE cannot be cleared. */
export function loadMachineStatus(a: u32, _b: u32, _imm: u64): void {
  const low: u64 = load<u16>(STATE + <usize>a) & 0xf;
  const cr0 = load<u64>(STATE, S_CR0);
  if (setCr0((cr0 & ~(<u64>(CR0_MP | CR0_EM | CR0_TS))) | low)) finish();
}

/** XGETBV and XSETBV exist only while CR4.OSXSAVE is set. */
function extendedStateEnabled(): bool {
  if (load<u32>(STATE, S_CR4) & CR4_OSXSAVE) return true;
  raise(EXC_UD);
  return false;
}

export function getExtendedControl(_a: u32, _b: u32, _imm: u64): void {
  if (!extendedStateEnabled()) return;
  if (load<u32>(STATE, S_RCX)) raiseGP(0);
  else putPair(S_RAX, S_RDX, load<u64>(STATE, S_XCR0));
}

export function setExtendedControl(_a: u32, _b: u32, _imm: u64): void {
  if (!extendedStateEnabled() || !privileged()) return;
  const v = <u64>load<u32>(STATE, S_RAX) | ((<u64>load<u32>(STATE, S_RDX)) << 32);
  if (load<u32>(STATE, S_RCX) || !(v & XCR0_X87) || v & ~(XCR0_X87 | XCR0_SSE)) {
    raiseGP(0);
    return;
  }
  store<u64>(STATE, v, S_XCR0);
  finish();
}

/** HLT: the vCPU goes idle with RIP already past the instruction. */
export function halt(_a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  finish();
  store<u32>(STATE, ACTIVITY_HLT, S_ACTIVITY);
  store<u32>(STATE, 1, S_ATTENTION);
}

/** VMCALL, VMMCALL: the machine reads the registers and answers in RAX. */
export function hypercall(_a: u32, _b: u32, _imm: u64): void {
  finish();
  store<u32>(STATE, EXIT_HYPERCALL + 1, S_EXIT_REQUEST);
  store<u32>(STATE, 1, S_ATTENTION);
}

/** RDPMC: there are no performance counters to name. */
export function readPerformanceCounter(_a: u32, _b: u32, _imm: u64): void {
  raiseGP(0);
}
