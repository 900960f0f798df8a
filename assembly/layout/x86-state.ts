// The x86 vCPU's architectural state: byte offsets from STATE (see memory.ts).
//
// This is the one layout of x86 state: the emulator runs on it in place, KVM's kvm_regs, kvm_sregs and
// xsave convert to and from it, snapshots store it. Everything is little-endian and naturally aligned.
// Plain constants only: compiled both by tsc and by asc.

// --- General registers, u64 each, in encoding order (SDM vol. 1, 3.4.1) ---
export const S_RAX = 0x00;
export const S_RCX = 0x08;
export const S_RDX = 0x10;
export const S_RBX = 0x18;
export const S_RSP = 0x20;
export const S_RBP = 0x28;
export const S_RSI = 0x30;
export const S_RDI = 0x38;
export const S_R8 = 0x40;
export const S_R15 = 0x78;
export const S_RIP = 0x80;
/** RFLAGS. While the emulator runs, CF PF AF ZF SF OF live in the lazy-flag slots instead. */
export const S_RFLAGS = 0x88;

// --- Segment registers: SEG_SIZE bytes each, order ES CS SS DS FS GS LDTR TR (SDM vol. 3, 3.4.3) ---
export const S_SEG = 0x90;
export const SEG_SIZE = 24;
export const SEG_ES = 0;
export const SEG_CS = 1;
export const SEG_SS = 2;
export const SEG_DS = 3;
export const SEG_FS = 4;
export const SEG_GS = 5;
export const SEG_LDTR = 6;
export const SEG_TR = 7;
/** Inside a segment register: u64 base. */
export const SEG_BASE = 0;
/** u32 limit in bytes, granularity already applied (the highest valid offset of an expand-up segment). */
export const SEG_LIMIT = 8;
/** u16 selector. */
export const SEG_SELECTOR = 12;
/** u16 access rights as in bits 8–23 of a descriptor's second word, limit bits 8–11 zero:
 *  0–3 type, 4 S, 5–6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G. */
export const SEG_ATTR = 14;
/** u32: 1 when the register holds a null or otherwise unusable selector. */
export const SEG_UNUSABLE = 16;

export const S_GDTR_BASE = 0x150;
export const S_GDTR_LIMIT = 0x158; // u32
export const S_IDTR_BASE = 0x160;
export const S_IDTR_LIMIT = 0x168; // u32

// --- Control registers (SDM vol. 3, 2.5), u64 ---
export const S_CR0 = 0x170;
export const S_CR2 = 0x178;
export const S_CR3 = 0x180;
export const S_CR4 = 0x188;
export const S_CR8 = 0x190;
export const S_EFER = 0x198;
export const S_XCR0 = 0x1a0;

// --- Debug registers (SDM vol. 3, 18.2), u64: DR0–DR3, then DR6, DR7 ---
export const S_DR0 = 0x1a8;
export const S_DR6 = 0x1c8;
export const S_DR7 = 0x1d0;

// --- MSRs with state (SDM vol. 4), u64 ---
export const S_MSR_STAR = 0x1d8;
export const S_MSR_LSTAR = 0x1e0;
export const S_MSR_CSTAR = 0x1e8;
export const S_MSR_FMASK = 0x1f0;
export const S_MSR_KERNEL_GS_BASE = 0x1f8;
export const S_MSR_SYSENTER_CS = 0x200;
export const S_MSR_SYSENTER_ESP = 0x208;
export const S_MSR_SYSENTER_EIP = 0x210;
export const S_MSR_PAT = 0x218;
export const S_MSR_APIC_BASE = 0x220;
/** TSC = clock-derived counter + this offset (two's complement). */
export const S_TSC_OFFSET = 0x228;
export const S_MSR_TSC_AUX = 0x230;
export const S_MSR_MISC_ENABLE = 0x238;
export const S_MSR_MTRR_DEF_TYPE = 0x240;
/** 8 variable MTRR pairs (base, mask). */
export const S_MSR_MTRR_VAR = 0x248;
/** 11 fixed MTRRs: 64K, 2 × 16K, 8 × 4K. */
export const S_MSR_MTRR_FIX = 0x2c8;

// --- Activity (SDM vol. 3, 26.4.2 uses the same terms) ---
/** u32: 0 active, 1 HLT, 2 shutdown, 3 wait-for-SIPI. */
export const S_ACTIVITY = 0x320;
export const ACTIVITY_ACTIVE = 0;
export const ACTIVITY_HLT = 1;
export const ACTIVITY_SHUTDOWN = 2;
/** u32: 1 while blocked by STI, 2 while blocked by MOV SS / POP SS. */
export const S_INT_SHADOW = 0x324;
export const SHADOW_STI = 1;
export const SHADOW_MOV_SS = 2;
/** u32: an NMI handler runs: further NMIs wait for IRET. */
export const S_NMI_BLOCKED = 0x328;
/** u32: an NMI waits to be delivered. */
export const S_NMI_PENDING = 0x32c;

// --- x87 (SDM vol. 1, 8.1) ---
/** 8 registers R0–R7 in physical order (ST(i) is R[(TOP+i)&7]), 16 bytes each: u64 significand, u16 sign+exponent.
 *  MMX register i is the significand of R[i]. */
export const S_FPR = 0x330;
export const S_FCW = 0x3b0; // u16
/** u16 status word, TOP in bits 11–13. */
export const S_FSW = 0x3b2;
/** u16 full tag word, 2 bits a physical register: 0 valid, 1 zero, 2 special, 3 empty. */
export const S_FTW = 0x3b4;
export const S_FOP = 0x3b6; // u16, 11 bits
export const S_FIP = 0x3b8; // u64
export const S_FDP = 0x3c0; // u64
export const S_FCS = 0x3c8; // u16
export const S_FDS = 0x3ca; // u16
export const S_MXCSR = 0x3cc; // u32

/** 16 XMM registers, 16 bytes each. */
export const S_XMM = 0x3d0;

/** End of the architectural state: what is saved, restored, transferred. */
export const X86_STATE_SIZE = 0x4d0;

// ------------------------------------------------------------------------------------------------
// From here on: the emulator's own slots. Not architectural; rebuilt by the core after writeState.
// ------------------------------------------------------------------------------------------------

// --- Lazy flags: see assembly/ir/flags.ts ---
/** u32 kind of the last flag-setting operation. */
export const S_CC_OP = 0x500;
/** u64 first operand (or, for CC_EXPLICIT, the six flags in EFLAGS positions). */
export const S_CC_A = 0x508;
/** u64 result. */
export const S_CC_RES = 0x510;
/** u64 third word: the old CF for INC/DEC, the carry-out for shifts and multiplies. */
export const S_CC_C = 0x518;

// --- Temporaries of the IR: u64 each ---
/** Always zero: the base or index "register" of an address that has none. */
export const S_ZERO = 0x520;
export const S_T0 = 0x528;
/** Number of scalar temporaries T0…T15. */
export const TEMPS = 16;
/** Vector temporaries V0…V7, 16 bytes each. */
export const S_V0 = 0x5b0;
export const VTEMPS = 8;

// --- Run control ---
/** u64 instructions retired since reset; exact at exits, at helper calls made exact by the side table. */
export const S_ICOUNT = 0x640;
/** i64 instructions left in this slice. */
export const S_BUDGET = 0x648;
/** u32: set by the host (kick, INTR, NMI) or the core to be noticed at the next block boundary. */
export const S_ATTENTION = 0x650;
/** u32: level of the INTR pin, driven by the board. */
export const S_INTR = 0x654;
/** u32: 1 after kick(). */
export const S_KICK = 0x658;
/** u32: an exception is being raised: vector + 1, or 0 (assembly/x86/fault.ts). */
export const S_FAULT = 0x65c;
/** u32 error code of that exception. */
export const S_FAULT_CODE = 0x660;
/** u32: 1 when the exception pushes an error code. */
export const S_FAULT_HAS_CODE = 0x664;
/** u64: address of the instruction after the one that a helper executes. */
export const S_NEXT_RIP = 0x668;
/** u32: exit reason of the last run (EXIT_*). */
export const S_EXIT = 0x670;
/** u32: detail of that exit. */
export const S_EXIT_DETAIL = 0x674;
/** u32: current privilege level, kept beside CS for speed. */
export const S_CPL = 0x678;
/** u32: host address of the soft TLB in use (one of three). */
export const S_TLB = 0x67c;
/** u32: bits of the block key: code size, stack size, CPL 3, flat segments … (assembly/x86/mode.ts). */
export const S_MODE = 0x680;
/** u32: 0xFFFFFFFF, or 0xFFEFFFFF while A20 is masked. */
export const S_A20_MASK = 0x684;
/** u32: 1 when the running block's code has been overwritten: leave it after this instruction. */
export const S_SMC = 0x688;
/** u32: which feature bits the CPU model announces (CPU_*). */
export const S_CPU_FEATURES = 0x68c;
/** u64: linear address of the last memory operand, for x87 FDP. */
export const S_LAST_EA = 0x690;
/** u32: 1 outside 64-bit mode, where linear addresses wrap at 4 GiB. */
export const S_WRAP32 = 0x698;
/** f64: TSC ticks a nanosecond. */
export const S_TSC_PER_NS = 0x6a0;

/** u64 × 4: the PDPTE registers of PAE paging, loaded with CR3 (SDM vol. 3, 4.4.1). */
export const S_PDPTE = 0x6b0;

/** u32: EXIT_* + 1: leave run() after this instruction. */
export const S_EXIT_REQUEST = 0x6a8;

/** u32: how a load left generated code (assembly/jit/runtime.ts); 0 to go on. */
export const S_JIT_EXIT = 0x6d0;
/** i32: instructions that a region did not use. */
export const S_JIT_FUEL = 0x6d4;
/** u32: block of the operation that a region was left at. */
export const S_JIT_BLOCK = 0x6d8;
/** u32: the link (assembly/jit/links.ts) that a region was left by because it led nowhere yet. */
export const S_JIT_LINK = 0x6dc;
/** u32: the soft TLB's generation. */
export const S_TLB_GENERATION = 0x6e0;

/** Statistics: u64 each, indexed by STAT_* (stats.ts). */
export const S_STATS = 0x800;

// --- RFLAGS bits (SDM vol. 1, 3.4.3) ---
export const FLAG_CF = 0x1;
export const FLAG_PF = 0x4;
export const FLAG_AF = 0x10;
export const FLAG_ZF = 0x40;
export const FLAG_SF = 0x80;
export const FLAG_TF = 0x100;
export const FLAG_IF = 0x200;
export const FLAG_DF = 0x400;
export const FLAG_OF = 0x800;
export const FLAG_IOPL = 0x3000;
export const FLAG_NT = 0x4000;
export const FLAG_RF = 0x10000;
export const FLAG_VM = 0x20000;
export const FLAG_AC = 0x40000;
export const FLAG_VIF = 0x80000;
export const FLAG_VIP = 0x100000;
export const FLAG_ID = 0x200000;
/** CF PF AF ZF SF OF. */
export const FLAGS_ARITH = 0x8d5;

// --- CR0, CR4, EFER bits (SDM vol. 3, 2.5, 2.2.1) ---
export const CR0_PE = 0x1;
export const CR0_MP = 0x2;
export const CR0_EM = 0x4;
export const CR0_TS = 0x8;
export const CR0_ET = 0x10;
export const CR0_NE = 0x20;
export const CR0_WP = 0x10000;
export const CR0_AM = 0x40000;
export const CR0_NW = 0x20000000;
export const CR0_CD = 0x40000000;
export const CR0_PG = 0x80000000;
export const CR4_VME = 0x1;
export const CR4_PVI = 0x2;
export const CR4_TSD = 0x4;
export const CR4_DE = 0x8;
export const CR4_PSE = 0x10;
export const CR4_PAE = 0x20;
export const CR4_MCE = 0x40;
export const CR4_PGE = 0x80;
export const CR4_PCE = 0x100;
export const CR4_OSFXSR = 0x200;
export const CR4_OSXMMEXCPT = 0x400;
export const CR4_UMIP = 0x800;
export const CR4_FSGSBASE = 0x10000;
export const CR4_OSXSAVE = 0x40000;
export const CR4_SMEP = 0x100000;
export const CR4_SMAP = 0x200000;
export const EFER_SCE = 0x1;
export const EFER_LME = 0x100;
export const EFER_LMA = 0x400;
export const EFER_NXE = 0x800;
