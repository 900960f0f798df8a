// From the names of a CPU model's features (src/vcpu/cpu-model.ts) to S_CPU_FEATURES. Only TypeScript reads it.

import * as F from './x86-features.js';

const BITS: Record<string, number> = {
  lm: F.CPU_LONG_MODE,
  nx: F.CPU_NX,
  syscall: F.CPU_SYSCALL,
  sep: F.CPU_SEP,
  pge: F.CPU_PGE,
  pae: F.CPU_PAE,
  mtrr: F.CPU_MTRR,
  pat: F.CPU_PAT,
  cmov: F.CPU_CMOV,
  mmx: F.CPU_MMX,
  fxsr: F.CPU_FXSR,
  sse: F.CPU_SSE,
  sse2: F.CPU_SSE2,
  sse3: F.CPU_SSE3,
  ssse3: F.CPU_SSSE3,
  sse4_1: F.CPU_SSE4_1,
  sse4_2: F.CPU_SSE4_2,
  cx16: F.CPU_CX16,
  popcnt: F.CPU_POPCNT,
  movbe: F.CPU_MOVBE,
  xsave: F.CPU_XSAVE,
  rdrand: F.CPU_RDRAND,
  rdseed: F.CPU_RDSEED,
  fsgsbase: F.CPU_FSGSBASE,
  smep: F.CPU_SMEP,
  smap: F.CPU_SMAP,
  umip: F.CPU_UMIP,
  rdtscp: F.CPU_RDTSCP,
  pdpe1gb: F.CPU_PAGE1G,
  lahf_lm: F.CPU_LAHF64,
  clfsh: F.CPU_CLFLUSH,
};

/** The CPU_* bits of these features; names that change nothing in the core (hypervisor, erms …) are passed over. */
export function featureBits(features: Iterable<string>): number {
  let bits = 0;
  for (const name of features) bits |= BITS[name] ?? 0;
  return bits;
}
