// The AArch64 vCPU's state: byte offsets from STATE (memory.ts).
//
// This is the one layout of AArch64 state: the emulator runs on it in place, snapshots store it. Everything is
// little-endian and naturally aligned. [0, ARM_HOT_END) and [ARM_SYS_BASE, ARM_SYS_END) are architectural; what lies
// between are the emulator's own slots, the same as on x86, so that both cores share interpreter and compiler.
// Plain constants only: compiled both by tsc and by asc.

// --- General registers, u64 each. The program counter sits in the middle, in the slot that x86 has its RIP in. ---
export const S_X0 = 0x00;
/** X0–X15 at 8 * n, X16–X30 at 8 * n + 8. */
export const S_PC = 0x80;
export const S_X16 = 0x88;
export const S_X30 = 0xf8;
/** The stack pointer in use; the others wait in S_SP_EL0…S_SP_EL2 (the one in use has no valid value there). */
export const S_SP = 0x100;

/** V0–V31, 16 bytes each. */
export const S_V_REG = 0x110;

// --- Process state and hot registers ---
export const S_FPCR = 0x310; // u32
export const S_FPSR = 0x314; // u32
/** u32: the D, A, I, F masks where DAIF has them: bits 9–6. */
export const S_DAIF = 0x318;
/** u32: current exception level, 0–2. */
export const S_EL = 0x31c;
/** u32: PSTATE.SP: 1 when each level has its own stack pointer. */
export const S_SPSEL = 0x320;
/** u32: N Z C V in bits 31–28. While the emulator runs they live in the lazy-flag slots instead. */
export const S_NZCV = 0x324;
/** u32: PSTATE.PAN, SS, IL where SPSR_ELx has them (PSTATE_*). */
export const S_PSTATE = 0x328;
/** u32: ARM_RUNNING, ARM_WFI or ARM_OFF. */
export const S_ACTIVITY = 0x32c;
export const ARM_RUNNING = 0;
export const ARM_WFI = 1;
export const ARM_OFF = 2;
export const S_TPIDR_EL0 = 0x330; // u64
export const S_TPIDRRO_EL0 = 0x338;
export const S_TPIDR_EL1 = 0x340;
export const S_TPIDR_EL2 = 0x348;
/** The local exclusive monitor: u64 address, u32 bytes (0: open), and the value then seen (u64, u64). */
export const S_EXCL_ADDRESS = 0x350;
export const S_EXCL_SIZE = 0x358;
export const S_EXCL_LOW = 0x360;
export const S_EXCL_HIGH = 0x368;
/** u64 each: stack pointers that are not in use. */
export const S_SP_EL0 = 0x370;
export const S_SP_EL1 = 0x378;
export const S_SP_EL2 = 0x380;
/** u32: an event is registered for WFE. */
export const S_EVENT = 0x388;
/** u32: an SError waits to be taken. */
export const S_SERROR = 0x38c;
/** End of the first architectural part. */
export const ARM_HOT_END = 0x390;

// --- PSTATE in an SPSR (Arm ARM C5.2.18) ---
export const PSTATE_NRW = 0x10;
export const PSTATE_F = 0x40;
export const PSTATE_I = 0x80;
export const PSTATE_A = 0x100;
export const PSTATE_D = 0x200;
export const PSTATE_DAIF = 0x3c0;
export const PSTATE_IL = 0x100000;
export const PSTATE_SS = 0x200000;
export const PSTATE_PAN = 0x400000;
export const PSTATE_V = 0x10000000;
export const PSTATE_C = 0x20000000;
export const PSTATE_Z = 0x40000000;
export const PSTATE_N = 0x80000000;

// ------------------------------------------------------------------------------------------------
// The emulator's own slots: where x86-state.ts has them.
// ------------------------------------------------------------------------------------------------
/** Lazy flags (assembly/ir/flags.ts): kind, first operand, result, third word. C is kept inverted: as a borrow. */
export const S_CC_OP = 0x500;
export const S_CC_A = 0x508;
export const S_CC_RES = 0x510;
export const S_CC_C = 0x518;
/** Always zero: what XZR reads as. */
export const S_ZERO = 0x520;
/** Scalar temporaries T0–T15, u64 each; vector temporaries V0–V7, 16 bytes each. */
export const S_T0 = 0x528;
export const TEMPS = 16;
export const S_V0 = 0x5b0;
export const VTEMPS = 8;
/** u64 instructions retired since reset. */
export const S_ICOUNT = 0x640;
/** u32: something is to be noticed at the next block boundary. */
export const S_ATTENTION = 0x650;
/** u32: 1 after kick(). */
export const S_KICK = 0x658;
/** u32: class of the exception being raised + 1, or 0 (assembly/arm/fault.ts); its syndrome. */
export const S_FAULT = 0x65c;
export const S_FAULT_CODE = 0x660;
/** u64: address of the instruction after the one that a helper executes. */
export const S_NEXT_PC = 0x668;
/** u32: exit reason detail. */
export const S_EXIT_DETAIL = 0x674;
/** u32: host address of the soft TLB in use (one of three). */
export const S_TLB = 0x67c;
/** u32: bits of the block key (assembly/arm/mode.ts). */
export const S_MODE = 0x680;
/** u32: 1 when the running block's code has been overwritten: leave it after this instruction. */
export const S_SMC = 0x688;
/** u32: EXIT_* + 1: leave run() after this instruction. */
export const S_EXIT_REQUEST = 0x6a8;

/** u32: level of the IRQ line, driven by the interrupt controller (x86: INTR). */
export const S_IRQ = 0x654;
/** u32: level of the FIQ line. */
export const S_FIQ = 0x6c8;
/** u32: exception level that the exception being raised goes to, or 0xFF for the usual one (assembly/arm/fault.ts). */
export const S_FAULT_TARGET = 0x664;
/** u64: the address for FAR_ELx; u64: the intermediate physical address for HPFAR_EL2. */
export const S_FAULT_ADDRESS = 0x6b0;
export const S_FAULT_IPA = 0x6b8;
/** u32: nothing answered at the address of the last device access: an external abort. Set by TypeScript. */
export const S_BUS_ERROR = 0x6c0;
/** u32: how the CPU is built (ARM_HAS_*): set by TypeScript at start. */
export const S_ARM_FEATURES = 0x68c;
/** EL2 is implemented; then SMC is the conduit to the firmware, otherwise HVC. */
export const ARM_HAS_EL2 = 1;
/** The GIC CPU interface has system registers (GICv3). */
export const ARM_HAS_GIC_REGISTERS = 2;

// ------------------------------------------------------------------------------------------------
// System registers: u64 each.
// ------------------------------------------------------------------------------------------------
export const ARM_SYS_BASE = 0x1000;
export const S_SCTLR_EL1 = 0x1000;
export const S_CPACR_EL1 = 0x1010;
export const S_TTBR0_EL1 = 0x1018;
export const S_TTBR1_EL1 = 0x1020;
export const S_TCR_EL1 = 0x1028;
export const S_SPSR_EL1 = 0x1030;
export const S_ELR_EL1 = 0x1038;
export const S_ESR_EL1 = 0x1050;
export const S_FAR_EL1 = 0x1058;
export const S_PAR_EL1 = 0x1060;
export const S_MAIR_EL1 = 0x1068;
export const S_VBAR_EL1 = 0x1078;
export const S_CONTEXTIDR_EL1 = 0x1080;
export const S_CNTKCTL_EL1 = 0x1088;
export const S_CSSELR_EL1 = 0x1090;

export const S_SCTLR_EL2 = 0x1100;
export const S_HCR_EL2 = 0x1110;
export const S_CPTR_EL2 = 0x1128;
export const S_MDCR_EL2 = 0x1130;
export const S_TTBR0_EL2 = 0x1138;
export const S_TCR_EL2 = 0x1140;
export const S_VTTBR_EL2 = 0x1148;
export const S_VTCR_EL2 = 0x1150;
export const S_SPSR_EL2 = 0x1158;
export const S_ELR_EL2 = 0x1160;
export const S_ESR_EL2 = 0x1178;
export const S_FAR_EL2 = 0x1180;
export const S_HPFAR_EL2 = 0x1188;
export const S_MAIR_EL2 = 0x1190;
export const S_VBAR_EL2 = 0x11a0;
export const S_VPIDR_EL2 = 0x11a8;
export const S_VMPIDR_EL2 = 0x11b0;

// --- Generic timer (Arm ARM D11) ---
export const S_CNTFRQ_EL0 = 0x1200;
export const S_CNTVOFF_EL2 = 0x1208;
export const S_CNTHCTL_EL2 = 0x1210;
export const S_CNTP_CTL_EL0 = 0x1218;
export const S_CNTP_CVAL_EL0 = 0x1220;
export const S_CNTV_CTL_EL0 = 0x1228;
export const S_CNTV_CVAL_EL0 = 0x1230;
export const S_CNTHP_CTL_EL2 = 0x1238;
export const S_CNTHP_CVAL_EL2 = 0x1240;

// --- Debug (Arm ARM D13.3) ---
export const S_MDSCR_EL1 = 0x1280;
export const S_MDCCINT_EL1 = 0x1288;
/** The OS lock: 1 when locked. */
export const S_OSLOCK = 0x1290;
export const S_OSDLR_EL1 = 0x1298;
export const S_OSECCR_EL1 = 0x12a0;
export const S_DBGCLAIM_EL1 = 0x12a8;
export const S_DBGPRCR_EL1 = 0x12b0;
export const S_OSDTRRX_EL1 = 0x12b8;
export const S_OSDTRTX_EL1 = 0x12c0;
/** Breakpoints: 6 of value, control; watchpoints: 4 of them. 16 bytes a pair. */
export const S_DBGBVR0_EL1 = 0x1300;
export const S_DBGBCR0_EL1 = 0x1308;
export const ARM_BREAKPOINTS = 6;
export const S_DBGWVR0_EL1 = 0x1380;
export const S_DBGWCR0_EL1 = 0x1388;
export const ARM_WATCHPOINTS = 4;
export const ARM_SYS_END = 0x1400;

/** Frequency of the system counter in Hz: one tick is 16 ns. */
export const ARM_COUNTER_FREQUENCY = 62500000;

/** Guest physical address of the first byte of RAM: it lies at GUEST_BASE. */
export const ARM_RAM_BASE = 0x40000000;

// --- What the CPU is (Arm ARM D13.2) ---
/** MIDR_EL1: implementer 0 is reserved for software use; architecture 0xF: see the ID registers. */
export const ARM_MIDR = 0x000f0000;
/** MPIDR_EL1: affinity 0. */
export const ARM_MPIDR = 0x80000000;
/** Bits that are always 1, and SPAN, which is 1 after a reset. */
export const SCTLR_EL1_RES1 = 0x30500980;
export const SCTLR_EL1_SPAN = 0x800000;
export const SCTLR_EL2_RES1 = 0x30c50830;
export const CPTR_EL2_RES1 = 0x33ff;
