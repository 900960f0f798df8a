// What a CPU model can do, as bits of S_CPU_FEATURES. Named after the bits of CPUID (SDM vol. 2A, tables 3-8 to 3-11).
// Plain constants only: compiled both by tsc and by asc. x86-feature-bits.ts makes the word from a model's features.

/** Long mode: EFER.LME, 64-bit MSRs. */
export const CPU_LONG_MODE = 0x1;
/** EFER.NXE. */
export const CPU_NX = 0x2;
/** SYSCALL, SYSRET, EFER.SCE. */
export const CPU_SYSCALL = 0x4;
/** SYSENTER, SYSEXIT. */
export const CPU_SEP = 0x8;
/** CR4.PGE. */
export const CPU_PGE = 0x10;
/** CR4.PAE. */
export const CPU_PAE = 0x20;
export const CPU_MTRR = 0x40;
export const CPU_PAT = 0x80;
export const CPU_CMOV = 0x100;
export const CPU_MMX = 0x200;
/** FXSAVE, FXRSTOR, CR4.OSFXSR. */
export const CPU_FXSR = 0x400;
export const CPU_SSE = 0x800;
export const CPU_SSE2 = 0x1000;
export const CPU_SSE3 = 0x2000;
export const CPU_SSSE3 = 0x4000;
export const CPU_SSE4_1 = 0x8000;
export const CPU_SSE4_2 = 0x10000;
/** CMPXCHG16B. */
export const CPU_CX16 = 0x20000;
export const CPU_POPCNT = 0x40000;
export const CPU_MOVBE = 0x80000;
/** XSAVE, XCR0, CR4.OSXSAVE. */
export const CPU_XSAVE = 0x100000;
export const CPU_RDRAND = 0x200000;
export const CPU_RDSEED = 0x400000;
export const CPU_FSGSBASE = 0x800000;
export const CPU_SMEP = 0x1000000;
export const CPU_SMAP = 0x2000000;
export const CPU_UMIP = 0x4000000;
export const CPU_RDTSCP = 0x8000000;
/** 1 GiB pages. */
export const CPU_PAGE1G = 0x10000000;
/** LAHF and SAHF in 64-bit mode. */
export const CPU_LAHF64 = 0x20000000;
export const CPU_CLFLUSH = 0x40000000;
