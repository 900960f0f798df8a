// Asking the processor: CPUID, RDTSC, RDTSCP, RDRAND, RDSEED, and the FS and GS base registers.

import { setFlags } from '../ir/flags';
import { STATE, TRANSFER } from '../layout/memory';
import {
  CR4_FSGSBASE,
  CR4_OSXSAVE,
  CR4_TSD,
  FLAG_CF,
  S_CPL,
  S_CR4,
  S_MSR_APIC_BASE,
  S_MSR_TSC_AUX,
  S_RAX,
  S_RBX,
  S_RCX,
  S_RDX,
  SEG_BASE,
} from '../layout/x86-state';
import { isCanonical } from '../mmu/walk';
import { getSlot, putSlot } from './arith';
import { EXC_UD, raise, raiseGP } from './fault';
import { putPair } from './helper';
import { cpuid, random } from './host';
import { segSlot } from './mode';
import { readTsc } from './tsc';

/** Leaf 1: ECX bit 27 OSXSAVE, EDX bit 9 APIC. */
const CPUID_1_OSXSAVE: u32 = 1 << 27;
const CPUID_1_APIC: u32 = 1 << 9;
const APIC_GLOBAL_ENABLE: u32 = 1 << 11;

/** The CPU model's answer, with the two bits of leaf 1 that follow CR4 and IA32_APIC_BASE. */
export function identify(_a: u32, _b: u32, _imm: u64): void {
  const leaf = load<u32>(STATE, S_RAX);
  cpuid(leaf, load<u32>(STATE, S_RCX));
  let ecx = load<u32>(TRANSFER, 8);
  let edx = load<u32>(TRANSFER, 12);
  if (leaf == 1) {
    ecx &= ~CPUID_1_OSXSAVE;
    if (load<u32>(STATE, S_CR4) & CR4_OSXSAVE) ecx |= CPUID_1_OSXSAVE;
    if (!(load<u32>(STATE, S_MSR_APIC_BASE) & APIC_GLOBAL_ENABLE)) edx &= ~CPUID_1_APIC;
  }
  store<u64>(STATE, load<u32>(TRANSFER, 0), S_RAX);
  store<u64>(STATE, load<u32>(TRANSFER, 4), S_RBX);
  store<u64>(STATE, ecx, S_RCX);
  store<u64>(STATE, edx, S_RDX);
}

/** RDTSC (imm 0), RDTSCP (imm 1). CR4.TSD keeps them for CPL 0. */
export function readTimeStamp(_a: u32, _b: u32, imm: u64): void {
  if (load<u32>(STATE, S_CR4) & CR4_TSD && load<u32>(STATE, S_CPL)) {
    raiseGP(0);
    return;
  }
  putPair(S_RAX, S_RDX, readTsc());
  if (imm) store<u64>(STATE, load<u32>(STATE, S_MSR_TSC_AUX), S_RCX);
}

/** RDRAND, RDSEED: a = destination slot, b = size. Randomness never runs out: CF = 1, the other flags 0. */
export function readRandom(a: u32, b: u32, _imm: u64): void {
  let v = <u64>random();
  if (b == 3) v |= (<u64>random()) << 32;
  putSlot(a, b, v);
  setFlags(FLAG_CF);
}

/** The FSGSBASE instructions exist only while CR4.FSGSBASE is set. */
function baseAccessEnabled(): bool {
  if (load<u32>(STATE, S_CR4) & CR4_FSGSBASE) return true;
  raise(EXC_UD);
  return false;
}

/** RDFSBASE, RDGSBASE: a = destination slot, b = size, imm = SEG_*. */
export function readSegmentBase(a: u32, b: u32, imm: u64): void {
  if (baseAccessEnabled()) putSlot(a, b, load<u64>(segSlot(<u32>imm), SEG_BASE));
}

/** WRFSBASE, WRGSBASE: a = source slot, b = size, imm = SEG_*. */
export function writeSegmentBase(a: u32, b: u32, imm: u64): void {
  if (!baseAccessEnabled()) return;
  const base = getSlot(a, b);
  if (isCanonical(base)) store<u64>(segSlot(<u32>imm), base, SEG_BASE);
  else raiseGP(0);
}
