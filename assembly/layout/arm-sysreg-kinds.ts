// How MRS, MSR and SYS act on a register or operation: numbers shared by the table (arm-sysregs.ts) and the core.
// Plain constants only: compiled both by tsc and by asc.

/** A row in the core's memory (at DECODE_TABLE): u16 encoding, u16 slot, u8 read kind, u8 write kind, u8 least
 *  exception level to read | to write << 4, u8 trap class, u64 writable bits, u64 bits that are always 1 (for READ_CONSTANT: the value). */
export const SYSREG_ROW = 24;
export const SYSREG_KEY = 0;
export const SYSREG_SLOT = 2;
export const SYSREG_READ = 4;
export const SYSREG_WRITE = 5;
export const SYSREG_LEVEL = 6;
export const SYSREG_TRAP = 7;
export const SYSREG_MASK = 8;
export const SYSREG_ONES = 16;

// --- Reading ---
/** Cannot be read. */
export const READ_NONE = 0;
/** A 64-bit slot. */
export const READ_SLOT = 1;
export const READ_CONSTANT = 2;
export const READ_SLOT32 = 3;
export const READ_NZCV = 4;
export const READ_DAIF = 5;
export const READ_CURRENT_EL = 6;
export const READ_SPSEL = 7;
export const READ_PAN = 8;
/** MIDR_EL1, MPIDR_EL1: at EL1 the values that EL2 wants seen. */
export const READ_VIRTUAL_ID = 9;
export const READ_CCSIDR = 10;
export const READ_ISR = 11;
export const READ_OSLSR = 12;
export const READ_CNTPCT = 13;
export const READ_CNTVCT = 14;
/** Timer control: the slot and ISTATUS. */
export const READ_TIMER_CTL = 15;
export const READ_TIMER_TVAL = 16;
export const READ_GIC = 17;
export const READ_DBGCLAIMCLR = 18;
/** SP_EL0, SP_EL1: illegal for the stack pointer in use. */
export const READ_SP = 19;

// --- Writing ---
export const WRITE_NONE = 0;
/** A 64-bit slot: writable bits from the value, the others zero or always 1. */
export const WRITE_SLOT = 1;
/** The write has no effect. */
export const WRITE_IGNORED = 2;
/** As WRITE_SLOT; translations change: those of global pages may stay. */
export const WRITE_TTBR = 3;
/** As WRITE_SLOT; all translations go, and the mode is worked out again. */
export const WRITE_TRANSLATION = 4;
/** As WRITE_SLOT; the mode is worked out again. */
export const WRITE_MODE = 5;
export const WRITE_NZCV = 6;
export const WRITE_DAIF = 7;
export const WRITE_SPSEL = 8;
export const WRITE_PAN = 9;
export const WRITE_SLOT32 = 10;
export const WRITE_TIMER_CTL = 11;
export const WRITE_TIMER_CVAL = 12;
export const WRITE_TIMER_TVAL = 13;
/** CNTVOFF_EL2: the timer device has to know. */
export const WRITE_CNTVOFF = 14;
export const WRITE_GIC = 15;
export const WRITE_OSLAR = 16;
export const WRITE_DBGCLAIMSET = 17;
export const WRITE_DBGCLAIMCLR = 18;
/** Watchpoints and breakpoints: all translations go, and the mode is worked out again. */
export const WRITE_DEBUG = 19;
export const WRITE_HCR = 20;
export const WRITE_SP = 21;
// Operations (SYS).
export const SYS_DC_ZVA = 32;
/** Cache maintenance by address: nothing to do, but the address has to be mapped. */
export const SYS_CACHE_VA = 33;
/** The same for DC IVAC: it needs write permission. */
export const SYS_CACHE_IVAC = 34;
export const SYS_CACHE_NOP = 35;
export const SYS_TLBI_ALL = 36;
export const SYS_TLBI_VA = 37;
/** AT: stage and level in the row's slot field: level | write << 2 | both stages << 3. */
export const SYS_AT = 38;

// --- Who may want to trap the access (to EL2 by HCR_EL2 if nothing else is said) ---
export const TRAP_NONE = 0;
/** HCR_EL2.TVM for writes, TRVM for reads. */
export const TRAP_VM = 1;
export const TRAP_TID1 = 2;
export const TRAP_TID2 = 3;
export const TRAP_TID3 = 4;
export const TRAP_TACR = 5;
/** CPTR_EL2.TCPAC. */
export const TRAP_CPACR = 6;
/** SCTLR_EL1.UCT for EL0, HCR_EL2.TID2. */
export const TRAP_CTR = 7;
/** SCTLR_EL1.UMA for EL0. */
export const TRAP_DAIF = 8;
/** CPACR_EL1.FPEN, CPTR_EL2.TFP. */
export const TRAP_FP = 9;
/** MDCR_EL2.TDA; TDOSA; TDRA. */
export const TRAP_DEBUG = 10;
export const TRAP_OS_LOCK = 11;
export const TRAP_DEBUG_ROM = 12;
/** Debug communications channel at EL0: MDSCR_EL1.TDCC. */
export const TRAP_DCC = 13;
/** Timers: CNTKCTL_EL1 for EL0, CNTHCTL_EL2. */
export const TRAP_CNTFRQ = 14;
export const TRAP_CNTPCT = 15;
export const TRAP_CNTVCT = 16;
export const TRAP_CNTP = 17;
export const TRAP_CNTV = 18;
/** HCR_EL2.TTLB. */
export const TRAP_TLBI = 19;
/** SCTLR_EL1.UCI for EL0, HCR_EL2.TPU; TPC. */
export const TRAP_CACHE_POU = 20;
export const TRAP_CACHE_POC = 21;
/** HCR_EL2.TSW. */
export const TRAP_CACHE_SET_WAY = 22;
/** SCTLR_EL1.DZE for EL0, HCR_EL2.TDZ. */
export const TRAP_ZVA = 23;
/** HCR_EL2.FMO or IMO: the CPU interface of the GIC. */
export const TRAP_GIC = 24;
/** HCR_EL2.TPU alone. */
export const TRAP_ICACHE = 25;
