// Model-specific registers (SDM vol. 4, ch. 2). One that is not here raises #GP(0), as it would on a CPU without it:
// kernels probe for such registers and expect that.

import { STATE } from '../layout/memory';
import { CPU_LONG_MODE, CPU_MTRR, CPU_NX, CPU_PAT, CPU_RDTSCP, CPU_SEP, CPU_SYSCALL } from '../layout/x86-features';
import {
  CR0_PG,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  S_CPU_FEATURES,
  S_CR0,
  S_EFER,
  S_MSR_APIC_BASE,
  S_MSR_CSTAR,
  S_MSR_FMASK,
  S_MSR_KERNEL_GS_BASE,
  S_MSR_LSTAR,
  S_MSR_MISC_ENABLE,
  S_MSR_PAT,
  S_MSR_STAR,
  S_MSR_SYSENTER_CS,
  S_MSR_SYSENTER_EIP,
  S_MSR_SYSENTER_ESP,
  S_MSR_TSC_AUX,
  S_RAX,
  S_RCX,
  S_RDX,
  S_TSC_OFFSET,
  SEG_BASE,
  SEG_FS,
  SEG_GS,
} from '../layout/x86-state';
import { tlbFlush } from '../mmu/tlb';
import { isCanonical } from '../mmu/walk';
import { PHYSICAL_ADDRESS_BITS } from './control';
import { faulted, raiseGP } from './fault';
import { finish, privileged, putPair } from './helper';
import { writeApicBase } from './host';
import { segSlot, updateMode } from './mode';
import { areTypes, isMtrr, readMtrr, writeMtrr } from './mtrr';
import { readTsc, writeTsc } from './tsc';

const MSR_P5_MC_ADDR: u32 = 0x0;
const MSR_P5_MC_TYPE: u32 = 0x1;
const MSR_TSC: u32 = 0x10;
const MSR_PLATFORM_ID: u32 = 0x17;
const MSR_APIC_BASE: u32 = 0x1b;
const MSR_EBL_CR_POWERON: u32 = 0x2a;
const MSR_FEATURE_CONTROL: u32 = 0x3a;
const MSR_TSC_ADJUST: u32 = 0x3b;
const MSR_BIOS_SIGN_ID: u32 = 0x8b;
const MSR_SYSENTER_CS: u32 = 0x174;
const MSR_SYSENTER_ESP: u32 = 0x175;
const MSR_SYSENTER_EIP: u32 = 0x176;
const MSR_MCG_CAP: u32 = 0x179;
const MSR_MCG_STATUS: u32 = 0x17a;
const MSR_MISC_ENABLE: u32 = 0x1a0;
const MSR_DEBUGCTL: u32 = 0x1d9;
const MSR_LASTBRANCHFROMIP: u32 = 0x1db;
const MSR_LASTINTTOIP: u32 = 0x1de;
const MSR_PAT: u32 = 0x277;
const MSR_EFER: u32 = 0xc0000080;
const MSR_STAR: u32 = 0xc0000081;
const MSR_LSTAR: u32 = 0xc0000082;
const MSR_CSTAR: u32 = 0xc0000083;
const MSR_FMASK: u32 = 0xc0000084;
const MSR_FS_BASE: u32 = 0xc0000100;
const MSR_GS_BASE: u32 = 0xc0000101;
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;
const MSR_TSC_AUX: u32 = 0xc0000103;

/** IA32_APIC_BASE: BSP (8), global enable (11), the page. x2APIC (10) is not offered. */
const APIC_BASE_BITS: u64 = (((1 << PHYSICAL_ADDRESS_BITS) - 1) & ~0xfff) | 0x900;

function has(feature: u32): bool {
  return (load<u32>(STATE, S_CPU_FEATURES) & feature) != 0;
}

/** Host address of a register that is plain storage on this CPU model, or 0. */
function storageOf(msr: u32): usize {
  switch (msr) {
    case MSR_SYSENTER_CS:
      return has(CPU_SEP) ? STATE + S_MSR_SYSENTER_CS : 0;
    case MSR_SYSENTER_ESP:
      return has(CPU_SEP) ? STATE + S_MSR_SYSENTER_ESP : 0;
    case MSR_SYSENTER_EIP:
      return has(CPU_SEP) ? STATE + S_MSR_SYSENTER_EIP : 0;
    case MSR_PAT:
      return has(CPU_PAT) ? STATE + S_MSR_PAT : 0;
    case MSR_MISC_ENABLE:
      return STATE + S_MSR_MISC_ENABLE;
    case MSR_APIC_BASE:
      return STATE + S_MSR_APIC_BASE;
    // IA32_TSC_ADJUST is 0 at reset and follows every change of the counter: so does the offset (SDM vol. 3, 18.17.3).
    case MSR_TSC_ADJUST:
      return STATE + S_TSC_OFFSET;
    case MSR_EFER:
      return has(CPU_LONG_MODE | CPU_NX | CPU_SYSCALL) ? STATE + S_EFER : 0;
    case MSR_STAR:
      return has(CPU_SYSCALL) ? STATE + S_MSR_STAR : 0;
    case MSR_LSTAR:
      return has(CPU_SYSCALL) ? STATE + S_MSR_LSTAR : 0;
    case MSR_CSTAR:
      return has(CPU_SYSCALL) ? STATE + S_MSR_CSTAR : 0;
    case MSR_FMASK:
      return has(CPU_SYSCALL) ? STATE + S_MSR_FMASK : 0;
    case MSR_FS_BASE:
      return has(CPU_LONG_MODE) ? segSlot(SEG_FS) + SEG_BASE : 0;
    case MSR_GS_BASE:
      return has(CPU_LONG_MODE) ? segSlot(SEG_GS) + SEG_BASE : 0;
    case MSR_KERNEL_GS_BASE:
      return has(CPU_LONG_MODE) ? STATE + S_MSR_KERNEL_GS_BASE : 0;
    case MSR_TSC_AUX:
      return has(CPU_RDTSCP) ? STATE + S_MSR_TSC_AUX : 0;
    default:
      return 0;
  }
}

/** Value of a register; raises #GP(0) if there is none. */
function readRegister(msr: u32): u64 {
  const at = storageOf(msr);
  if (at) return load<u64>(at);
  if (has(CPU_MTRR) && isMtrr(msr)) return readMtrr(msr);
  switch (msr) {
    case MSR_TSC:
      return readTsc();
    // Microcode revision 1, in the upper half.
    case MSR_BIOS_SIGN_ID:
      return 0x100000000;
    // Locked, with VMX and SGX off.
    case MSR_FEATURE_CONTROL:
      return 1;
    // No machine-check banks; no branch records; nothing to say about platform and power-on.
    case MSR_P5_MC_ADDR:
    case MSR_P5_MC_TYPE:
    case MSR_PLATFORM_ID:
    case MSR_EBL_CR_POWERON:
    case MSR_MCG_CAP:
    case MSR_MCG_STATUS:
    case MSR_DEBUGCTL:
      return 0;
    default:
      if (msr >= MSR_LASTBRANCHFROMIP && msr <= MSR_LASTINTTOIP) return 0;
      raiseGP(0);
      return 0;
  }
}

function writeEfer(value: u64): void {
  let bits: u64 = 0;
  if (has(CPU_SYSCALL)) bits |= EFER_SCE;
  if (has(CPU_LONG_MODE)) bits |= EFER_LME;
  if (has(CPU_NX)) bits |= EFER_NXE;
  const old = load<u64>(STATE, S_EFER);
  // LMA is read-only; what is written there does not matter.
  const v = (value & ~(<u64>EFER_LMA)) | (old & EFER_LMA);
  const paging = (load<u32>(STATE, S_CR0) & <u32>CR0_PG) != 0;
  if (v & ~(bits | EFER_LMA) || (paging && (v ^ old) & EFER_LME)) {
    raiseGP(0);
    return;
  }
  store<u64>(STATE, v, S_EFER);
  if ((v ^ old) & EFER_NXE) tlbFlush(false);
  updateMode();
}

/** What may be written to a register of storageOf(). */
function isValid(msr: u32, value: u64): bool {
  switch (msr) {
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
      return isCanonical(value);
    case MSR_SYSENTER_CS:
    case MSR_FMASK:
    case MSR_TSC_AUX:
      return value >> 32 == 0;
    case MSR_PAT:
      return areTypes(value, true);
    case MSR_APIC_BASE:
      return !(value & ~APIC_BASE_BITS);
    default:
      return true;
  }
}

function writeRegister(msr: u32, value: u64): void {
  const at = storageOf(msr);
  if (at && msr == MSR_EFER) writeEfer(value);
  else if (at) {
    if (!isValid(msr, value)) {
      raiseGP(0);
      return;
    }
    store<u64>(at, value);
    if (msr == MSR_APIC_BASE) writeApicBase(<u32>value, <u32>(value >> 32));
  } else if (has(CPU_MTRR) && isMtrr(msr)) writeMtrr(msr, value);
  else if (msr == MSR_TSC) writeTsc(value);
  // Writing the revision register is how software asks for it; BTF and LBR of DEBUGCTL are accepted and have no effect.
  else if (msr == MSR_BIOS_SIGN_ID || (msr == MSR_DEBUGCTL && value < 4) || (msr == MSR_MCG_STATUS && !value)) return;
  else raiseGP(0);
}

export function readMsr(_a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  const value = readRegister(load<u32>(STATE, S_RCX));
  if (!faulted()) putPair(S_RAX, S_RDX, value);
}

/** Ends the block: paging, mode and interrupts may be different afterwards. */
export function writeMsr(_a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  writeRegister(load<u32>(STATE, S_RCX), <u64>load<u32>(STATE, S_RAX) | ((<u64>load<u32>(STATE, S_RDX)) << 32));
  if (!faulted()) finish();
}
