// The system registers and system instructions of AArch64 (Arm ARM D13, C5): one table for the core, which executes
// MRS, MSR and SYS by it, and for whoever shows their names.

import * as S from './arm-state.js';
import * as K from './arm-sysreg-kinds.js';

/** One register or operation. */
export interface SystemRegister {
  readonly name: string;
  /** op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2. */
  readonly key: number;
  readonly slot: number;
  readonly read: number;
  readonly write: number;
  /** Least exception level that may read, write. */
  readonly readLevel: number;
  readonly writeLevel: number;
  readonly trap: number;
  /** Bits that a write changes. */
  readonly mask: bigint;
  /** Bits that are always 1, or the value of a constant. */
  readonly ones: bigint;
}

/** What can be chosen about the CPU. */
export interface ArmFeatures {
  /** EL2 is implemented. */
  readonly el2: boolean;
  /** The GIC's CPU interface is in system registers (GICv3). */
  readonly gicRegisters: boolean;
}

/** `key` of an encoding. */
export function systemKey(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

type Encoding = readonly [op0: number, op1: number, crn: number, crm: number, op2: number];
type Options = Partial<Pick<SystemRegister, 'trap' | 'mask' | 'ones' | 'readLevel' | 'writeLevel' | 'slot'>>;

const ALL = 0xffffffffffffffffn;
const LOW32 = 0xffffffffn;

/** Least level by op1 (Arm ARM D12.3.1): 3 is EL0, 4 is EL2, the others EL1. */
function levelOf(op1: number): number {
  return op1 === 3 ? 0 : op1 === 4 ? 2 : 1;
}

function row(name: string, at: Encoding, read: number, write: number, options: Options = {}): SystemRegister {
  const level = levelOf(at[1]);
  return {
    name,
    key: systemKey(...at),
    slot: 0,
    read,
    write,
    readLevel: level,
    writeLevel: level,
    trap: K.TRAP_NONE,
    mask: ALL,
    ones: 0n,
    ...options,
  };
}

/** A register that is plain storage. */
function slot(name: string, at: Encoding, where: number, options: Options = {}): SystemRegister {
  return row(name, at, K.READ_SLOT, K.WRITE_SLOT, { slot: where, ...options });
}

/** One that always reads as `value`. */
function constant(name: string, at: Encoding, value: bigint, options: Options = {}): SystemRegister {
  return row(name, at, K.READ_CONSTANT, K.WRITE_NONE, { ones: value, ...options });
}

/** One without storage, whose writes have no effect. */
function ignored(name: string, at: Encoding, options: Options = {}): SystemRegister {
  return row(name, at, K.READ_CONSTANT, K.WRITE_IGNORED, options);
}

function bits(...positions: number[]): bigint {
  return positions.reduce((mask, p) => mask | (1n << BigInt(p)), 0n);
}

/** Bits high…low. */
function field(high: number, low: number): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

const VM = { trap: K.TRAP_VM };

const SCTLR_EL1_BITS = bits(0, 1, 2, 3, 4, 9, 12, 14, 15, 16, 18, 19, 23, 26);
const SCTLR_EL2_BITS = bits(0, 1, 2, 3, 12, 19);

/** Process state and what belongs to no group. */
const SPECIAL: readonly SystemRegister[] = [
  row('NZCV', [3, 3, 4, 2, 0], K.READ_NZCV, K.WRITE_NZCV),
  row('DAIF', [3, 3, 4, 2, 1], K.READ_DAIF, K.WRITE_DAIF, { trap: K.TRAP_DAIF }),
  row('FPCR', [3, 3, 4, 4, 0], K.READ_SLOT32, K.WRITE_SLOT32, { slot: S.S_FPCR, mask: 0x07c00000n, trap: K.TRAP_FP }),
  row('FPSR', [3, 3, 4, 4, 1], K.READ_SLOT32, K.WRITE_SLOT32, { slot: S.S_FPSR, mask: 0x0800009fn, trap: K.TRAP_FP }),
  row('CurrentEL', [3, 0, 4, 2, 2], K.READ_CURRENT_EL, K.WRITE_NONE),
  row('SPSel', [3, 0, 4, 2, 0], K.READ_SPSEL, K.WRITE_SPSEL),
  row('PAN', [3, 0, 4, 2, 3], K.READ_PAN, K.WRITE_PAN),
  row('SP_EL0', [3, 0, 4, 1, 0], K.READ_SP, K.WRITE_SP, { slot: S.S_SP_EL0 }),
  row('SP_EL1', [3, 4, 4, 1, 0], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_SP_EL1 }),
  slot('TPIDR_EL0', [3, 3, 13, 0, 2], S.S_TPIDR_EL0),
  slot('TPIDRRO_EL0', [3, 3, 13, 0, 3], S.S_TPIDRRO_EL0, { writeLevel: 1 }),
  slot('TPIDR_EL1', [3, 0, 13, 0, 4], S.S_TPIDR_EL1),
  slot('TPIDR_EL2', [3, 4, 13, 0, 2], S.S_TPIDR_EL2),
];

const EL1: readonly SystemRegister[] = [
  row('SCTLR_EL1', [3, 0, 1, 0, 0], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_SCTLR_EL1,
    mask: SCTLR_EL1_BITS,
    ones: BigInt(S.SCTLR_EL1_RES1),
    ...VM,
  }),
  ignored('ACTLR_EL1', [3, 0, 1, 0, 1], { trap: K.TRAP_TACR }),
  row('CPACR_EL1', [3, 0, 1, 0, 2], K.READ_SLOT, K.WRITE_MODE, {
    slot: S.S_CPACR_EL1,
    mask: field(21, 20),
    trap: K.TRAP_CPACR,
  }),
  row('TTBR0_EL1', [3, 0, 2, 0, 0], K.READ_SLOT, K.WRITE_TTBR, { slot: S.S_TTBR0_EL1, ...VM }),
  row('TTBR1_EL1', [3, 0, 2, 0, 1], K.READ_SLOT, K.WRITE_TTBR, { slot: S.S_TTBR1_EL1, ...VM }),
  row('TCR_EL1', [3, 0, 2, 0, 2], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_TCR_EL1,
    mask: (field(34, 0) & ~bits(6)) | bits(36, 37, 38),
    ...VM,
  }),
  slot('SPSR_EL1', [3, 0, 4, 0, 0], S.S_SPSR_EL1, { mask: LOW32 }),
  slot('ELR_EL1', [3, 0, 4, 0, 1], S.S_ELR_EL1),
  ignored('AFSR0_EL1', [3, 0, 5, 1, 0], VM),
  ignored('AFSR1_EL1', [3, 0, 5, 1, 1], VM),
  slot('ESR_EL1', [3, 0, 5, 2, 0], S.S_ESR_EL1, { mask: LOW32, ...VM }),
  slot('FAR_EL1', [3, 0, 6, 0, 0], S.S_FAR_EL1, VM),
  slot('PAR_EL1', [3, 0, 7, 4, 0], S.S_PAR_EL1),
  slot('MAIR_EL1', [3, 0, 10, 2, 0], S.S_MAIR_EL1, VM),
  ignored('AMAIR_EL1', [3, 0, 10, 3, 0], VM),
  slot('VBAR_EL1', [3, 0, 12, 0, 0], S.S_VBAR_EL1, { mask: ALL & ~0x7ffn }),
  constant('RVBAR_EL1', [3, 0, 12, 0, 1], 0n),
  row('ISR_EL1', [3, 0, 12, 1, 0], K.READ_ISR, K.WRITE_NONE),
  row('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_CONTEXTIDR_EL1, mask: LOW32, ...VM }),
  slot('CNTKCTL_EL1', [3, 0, 14, 1, 0], S.S_CNTKCTL_EL1, { mask: 0x3ffn }),
];

const EL2: readonly SystemRegister[] = [
  row('VPIDR_EL2', [3, 4, 0, 0, 0], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_VPIDR_EL2, mask: LOW32 }),
  row('VMPIDR_EL2', [3, 4, 0, 0, 5], K.READ_SLOT, K.WRITE_SLOT, {
    slot: S.S_VMPIDR_EL2,
    mask: 0xff41ffffffn,
    ones: 0x80000000n,
  }),
  row('SCTLR_EL2', [3, 4, 1, 0, 0], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_SCTLR_EL2,
    mask: SCTLR_EL2_BITS,
    ones: BigInt(S.SCTLR_EL2_RES1),
  }),
  ignored('ACTLR_EL2', [3, 4, 1, 0, 1]),
  row('HCR_EL2', [3, 4, 1, 1, 0], K.READ_SLOT, K.WRITE_HCR, {
    slot: S.S_HCR_EL2,
    mask: field(33, 0),
    ones: bits(31),
  }),
  row('MDCR_EL2', [3, 4, 1, 1, 1], K.READ_SLOT, K.WRITE_MODE, { slot: S.S_MDCR_EL2, mask: field(11, 8) }),
  row('CPTR_EL2', [3, 4, 1, 1, 2], K.READ_SLOT, K.WRITE_MODE, {
    slot: S.S_CPTR_EL2,
    mask: bits(31, 10),
    ones: BigInt(S.CPTR_EL2_RES1),
  }),
  ignored('HSTR_EL2', [3, 4, 1, 1, 3]),
  ignored('HACR_EL2', [3, 4, 1, 1, 7]),
  row('TTBR0_EL2', [3, 4, 2, 0, 0], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_TTBR0_EL2,
    mask: field(47, 0),
  }),
  row('TCR_EL2', [3, 4, 2, 0, 2], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_TCR_EL2,
    mask: field(5, 0) | field(18, 8) | bits(20),
    ones: bits(31, 23),
  }),
  row('VTTBR_EL2', [3, 4, 2, 1, 0], K.READ_SLOT, K.WRITE_TRANSLATION, { slot: S.S_VTTBR_EL2, mask: field(55, 0) }),
  row('VTCR_EL2', [3, 4, 2, 1, 2], K.READ_SLOT, K.WRITE_TRANSLATION, {
    slot: S.S_VTCR_EL2,
    mask: field(18, 0),
    ones: bits(31),
  }),
  slot('SPSR_EL2', [3, 4, 4, 0, 0], S.S_SPSR_EL2, { mask: LOW32 }),
  slot('ELR_EL2', [3, 4, 4, 0, 1], S.S_ELR_EL2),
  ignored('AFSR0_EL2', [3, 4, 5, 1, 0]),
  ignored('AFSR1_EL2', [3, 4, 5, 1, 1]),
  slot('ESR_EL2', [3, 4, 5, 2, 0], S.S_ESR_EL2, { mask: LOW32 }),
  slot('FAR_EL2', [3, 4, 6, 0, 0], S.S_FAR_EL2),
  slot('HPFAR_EL2', [3, 4, 6, 0, 4], S.S_HPFAR_EL2, { mask: field(39, 4) }),
  slot('MAIR_EL2', [3, 4, 10, 2, 0], S.S_MAIR_EL2),
  ignored('AMAIR_EL2', [3, 4, 10, 3, 0]),
  slot('VBAR_EL2', [3, 4, 12, 0, 0], S.S_VBAR_EL2, { mask: ALL & ~0x7ffn }),
  constant('RVBAR_EL2', [3, 4, 12, 0, 1], 0n),
  row('CNTVOFF_EL2', [3, 4, 14, 0, 3], K.READ_SLOT, K.WRITE_CNTVOFF, { slot: S.S_CNTVOFF_EL2 }),
  slot('CNTHCTL_EL2', [3, 4, 14, 1, 0], S.S_CNTHCTL_EL2, { mask: 0xffn }),
  row('CNTHP_TVAL_EL2', [3, 4, 14, 2, 0], K.READ_TIMER_TVAL, K.WRITE_TIMER_TVAL, { slot: S.S_CNTHP_CTL_EL2 }),
  row('CNTHP_CTL_EL2', [3, 4, 14, 2, 1], K.READ_TIMER_CTL, K.WRITE_TIMER_CTL, { slot: S.S_CNTHP_CTL_EL2, mask: 3n }),
  row('CNTHP_CVAL_EL2', [3, 4, 14, 2, 2], K.READ_SLOT, K.WRITE_TIMER_CVAL, { slot: S.S_CNTHP_CVAL_EL2 }),
];

const TIMERS: readonly SystemRegister[] = [
  slot('CNTFRQ_EL0', [3, 3, 14, 0, 0], S.S_CNTFRQ_EL0, { mask: LOW32, trap: K.TRAP_CNTFRQ, writeLevel: 1 }),
  row('CNTPCT_EL0', [3, 3, 14, 0, 1], K.READ_CNTPCT, K.WRITE_NONE, { trap: K.TRAP_CNTPCT }),
  row('CNTVCT_EL0', [3, 3, 14, 0, 2], K.READ_CNTVCT, K.WRITE_NONE, { trap: K.TRAP_CNTVCT }),
  row('CNTP_TVAL_EL0', [3, 3, 14, 2, 0], K.READ_TIMER_TVAL, K.WRITE_TIMER_TVAL, {
    slot: S.S_CNTP_CTL_EL0,
    trap: K.TRAP_CNTP,
  }),
  row('CNTP_CTL_EL0', [3, 3, 14, 2, 1], K.READ_TIMER_CTL, K.WRITE_TIMER_CTL, {
    slot: S.S_CNTP_CTL_EL0,
    mask: 3n,
    trap: K.TRAP_CNTP,
  }),
  row('CNTP_CVAL_EL0', [3, 3, 14, 2, 2], K.READ_SLOT, K.WRITE_TIMER_CVAL, {
    slot: S.S_CNTP_CVAL_EL0,
    trap: K.TRAP_CNTP,
  }),
  row('CNTV_TVAL_EL0', [3, 3, 14, 3, 0], K.READ_TIMER_TVAL, K.WRITE_TIMER_TVAL, {
    slot: S.S_CNTV_CTL_EL0,
    trap: K.TRAP_CNTV,
  }),
  row('CNTV_CTL_EL0', [3, 3, 14, 3, 1], K.READ_TIMER_CTL, K.WRITE_TIMER_CTL, {
    slot: S.S_CNTV_CTL_EL0,
    mask: 3n,
    trap: K.TRAP_CNTV,
  }),
  row('CNTV_CVAL_EL0', [3, 3, 14, 3, 2], K.READ_SLOT, K.WRITE_TIMER_CVAL, {
    slot: S.S_CNTV_CVAL_EL0,
    trap: K.TRAP_CNTV,
  }),
];

/** Identification (Arm ARM D13.2): what is announced is what the core does. */
function identification(features: ArmFeatures): SystemRegister[] {
  const tid3 = { trap: K.TRAP_TID3 };
  const id = new Map<string, readonly [string, bigint]>();
  const set = (crm: number, op2: number, name: string, value = 0n) => id.set(`${crm},${op2}`, [name, value]);
  // AArch32 is not implemented: its registers read as zero.
  const aarch32 = ['PFR0', 'PFR1', 'DFR0', 'AFR0', 'MMFR0', 'MMFR1', 'MMFR2', 'MMFR3'];
  aarch32.forEach((name, op2) => {
    set(1, op2, `ID_${name}_EL1`);
  });
  ['ISAR0', 'ISAR1', 'ISAR2', 'ISAR3', 'ISAR4', 'ISAR5', 'MMFR4', 'ISAR6'].forEach((name, op2) => {
    set(2, op2, `ID_${name}_EL1`);
  });
  set(3, 0, 'MVFR0_EL1');
  set(3, 1, 'MVFR1_EL1');
  set(3, 2, 'MVFR2_EL1');
  // EL0, EL1 in AArch64 only; EL2 perhaps; FP and Advanced SIMD (0); GIC registers; CSV2, CSV3: no speculation to fear.
  const pfr0 = 0x11n | (features.el2 ? 0x100n : 0n) | (features.gicRegisters ? 1n << 24n : 0n) | (0x11n << 56n);
  set(4, 0, 'ID_AA64PFR0_EL1', pfr0);
  set(4, 1, 'ID_AA64PFR1_EL1');
  set(4, 4, 'ID_AA64ZFR0_EL1');
  // Debug architecture 6 (Armv8.0), breakpoints, watchpoints, 2 context-aware breakpoints; no PMU, no trace.
  const dfr0 = 6n | (BigInt(S.ARM_BREAKPOINTS - 1) << 12n) | (BigInt(S.ARM_WATCHPOINTS - 1) << 20n) | (1n << 28n);
  set(5, 0, 'ID_AA64DFR0_EL1', dfr0);
  set(5, 1, 'ID_AA64DFR1_EL1');
  set(5, 4, 'ID_AA64AFR0_EL1');
  set(5, 5, 'ID_AA64AFR1_EL1');
  set(6, 0, 'ID_AA64ISAR0_EL1', ID_AA64ISAR0);
  set(6, 1, 'ID_AA64ISAR1_EL1');
  // 44 physical address bits, 16-bit ASIDs, all three granules, one endianness.
  set(7, 0, 'ID_AA64MMFR0_EL1', 0x4n | (2n << 4n) | (1n << 20n));
  // PAN.
  set(7, 1, 'ID_AA64MMFR1_EL1', 1n << 20n);
  set(7, 2, 'ID_AA64MMFR2_EL1');
  const rows: SystemRegister[] = [];
  // The whole space of identification registers reads as zero where nothing is defined.
  for (let crm = 1; crm < 8; crm++) {
    for (let op2 = 0; op2 < 8; op2++) {
      const [name, value] = id.get(`${crm},${op2}`) ?? [`S3_0_C0_C${crm}_${op2}`, 0n];
      rows.push(constant(name, [3, 0, 0, crm, op2], value, tid3));
    }
  }
  rows.push(
    row('MIDR_EL1', [3, 0, 0, 0, 0], K.READ_VIRTUAL_ID, K.WRITE_NONE, {
      slot: S.S_VPIDR_EL2,
      ones: BigInt(S.ARM_MIDR),
    }),
    row('MPIDR_EL1', [3, 0, 0, 0, 5], K.READ_VIRTUAL_ID, K.WRITE_NONE, {
      slot: S.S_VMPIDR_EL2,
      ones: BigInt(S.ARM_MPIDR),
    }),
    constant('REVIDR_EL1', [3, 0, 0, 0, 6], 0n, { trap: K.TRAP_TID1 }),
    constant('AIDR_EL1', [3, 1, 0, 0, 7], 0n, { trap: K.TRAP_TID1 }),
    row('CCSIDR_EL1', [3, 1, 0, 0, 0], K.READ_CCSIDR, K.WRITE_NONE, { trap: K.TRAP_TID2 }),
    // Two levels of cache: separate ones, then a unified one.
    constant('CLIDR_EL1', [3, 1, 0, 0, 1], 0x0a200023n, { trap: K.TRAP_TID2 }),
    row('CSSELR_EL1', [3, 2, 0, 0, 0], K.READ_SLOT, K.WRITE_SLOT, {
      slot: S.S_CSSELR_EL1,
      mask: 0xfn,
      trap: K.TRAP_TID2,
    }),
    // Lines of 64 bytes; DIC, IDC: code is coherent without cache maintenance.
    constant('CTR_EL0', [3, 3, 0, 0, 1], 0xb444c004n, { trap: K.TRAP_CTR }),
  );
  return rows;
}

/** AES and PMULL, SHA1, SHA256, CRC32, large-system atomics. */
export const ID_AA64ISAR0 = (2n << 4n) | (1n << 8n) | (1n << 12n) | (1n << 16n) | (2n << 20n);

function debug(): SystemRegister[] {
  const trap = K.TRAP_DEBUG;
  const lock = { trap: K.TRAP_OS_LOCK };
  const rows = [
    row('OSDTRRX_EL1', [2, 0, 0, 0, 2], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_OSDTRRX_EL1, mask: LOW32, trap }),
    row('OSDTRTX_EL1', [2, 0, 0, 3, 2], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_OSDTRTX_EL1, mask: LOW32, trap }),
    row('OSECCR_EL1', [2, 0, 0, 6, 2], K.READ_SLOT, K.WRITE_SLOT, { slot: S.S_OSECCR_EL1, mask: LOW32, trap }),
    slot('MDCCINT_EL1', [2, 0, 0, 2, 0], S.S_MDCCINT_EL1, { mask: bits(29, 30), trap }),
    row('MDSCR_EL1', [2, 0, 0, 2, 2], K.READ_SLOT, K.WRITE_DEBUG, {
      slot: S.S_MDSCR_EL1,
      mask: bits(0, 12, 13, 14, 15),
      trap,
    }),
    constant('MDCCSR_EL0', [2, 3, 0, 1, 0], 0n, { trap: K.TRAP_DCC }),
    row('DBGDTR_EL0', [2, 3, 0, 4, 0], K.READ_CONSTANT, K.WRITE_IGNORED, { trap: K.TRAP_DCC }),
    row('DBGDTRRX_EL0', [2, 3, 0, 5, 0], K.READ_CONSTANT, K.WRITE_IGNORED, { trap: K.TRAP_DCC }),
    constant('MDRAR_EL1', [2, 0, 1, 0, 0], 0n, { trap: K.TRAP_DEBUG_ROM }),
    row('OSLAR_EL1', [2, 0, 1, 0, 4], K.READ_NONE, K.WRITE_OSLAR, lock),
    row('OSLSR_EL1', [2, 0, 1, 1, 4], K.READ_OSLSR, K.WRITE_NONE, lock),
    slot('OSDLR_EL1', [2, 0, 1, 3, 4], S.S_OSDLR_EL1, { mask: 1n, ...lock }),
    slot('DBGPRCR_EL1', [2, 0, 1, 4, 4], S.S_DBGPRCR_EL1, { mask: 1n, ...lock }),
    row('DBGCLAIMSET_EL1', [2, 0, 7, 8, 6], K.READ_CONSTANT, K.WRITE_DBGCLAIMSET, { ones: 0xffn, trap }),
    row('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6], K.READ_DBGCLAIMCLR, K.WRITE_DBGCLAIMCLR, { trap }),
    constant('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], 0n, { trap }),
  ];
  for (let i = 0; i < S.ARM_BREAKPOINTS; i++) {
    const write = K.WRITE_DEBUG;
    rows.push(
      row(`DBGBVR${i}_EL1`, [2, 0, 0, i, 4], K.READ_SLOT, write, {
        slot: S.S_DBGBVR0_EL1 + 16 * i,
        mask: ALL & ~3n,
        trap,
      }),
      row(`DBGBCR${i}_EL1`, [2, 0, 0, i, 5], K.READ_SLOT, write, {
        slot: S.S_DBGBCR0_EL1 + 16 * i,
        mask: 0xffe007n,
        // BAS: all four bytes, there being no other instruction length.
        ones: 0x1e0n,
        trap,
      }),
    );
  }
  for (let i = 0; i < S.ARM_WATCHPOINTS; i++) {
    rows.push(
      row(`DBGWVR${i}_EL1`, [2, 0, 0, i, 6], K.READ_SLOT, K.WRITE_DEBUG, {
        slot: S.S_DBGWVR0_EL1 + 16 * i,
        mask: ALL & ~3n,
        trap,
      }),
      row(`DBGWCR${i}_EL1`, [2, 0, 0, i, 7], K.READ_SLOT, K.WRITE_DEBUG, {
        slot: S.S_DBGWCR0_EL1 + 16 * i,
        mask: 0x1f1fffffn,
        trap,
      }),
    );
  }
  return rows;
}

function gic(): SystemRegister[] {
  const RO = [K.READ_GIC, K.WRITE_NONE] as const;
  const WO = [K.READ_NONE, K.WRITE_GIC] as const;
  const RW = [K.READ_GIC, K.WRITE_GIC] as const;
  const trap = { trap: K.TRAP_GIC };
  const group0 = ([crm, op2]: readonly [number, number], name: string, [read, write]: readonly [number, number]) =>
    row(`ICC_${name}_EL1`, [3, 0, 12, crm, op2], read, write, trap);
  return [
    row('ICC_PMR_EL1', [3, 0, 4, 6, 0], ...RW, trap),
    group0([8, 0], 'IAR0', RO),
    group0([8, 1], 'EOIR0', WO),
    group0([8, 2], 'HPPIR0', RO),
    group0([8, 3], 'BPR0', RW),
    group0([8, 4], 'AP0R0', RW),
    group0([9, 0], 'AP1R0', RW),
    group0([11, 1], 'DIR', WO),
    group0([11, 3], 'RPR', RO),
    group0([11, 5], 'SGI1R', WO),
    group0([11, 6], 'ASGI1R', WO),
    group0([11, 7], 'SGI0R', WO),
    group0([12, 0], 'IAR1', RO),
    group0([12, 1], 'EOIR1', WO),
    group0([12, 2], 'HPPIR1', RO),
    group0([12, 3], 'BPR1', RW),
    group0([12, 4], 'CTLR', RW),
    group0([12, 5], 'SRE', RW),
    group0([12, 6], 'IGRPEN0', RW),
    group0([12, 7], 'IGRPEN1', RW),
    row('ICC_SRE_EL2', [3, 4, 12, 9, 5], ...RW),
    // Virtual interrupts through list registers are not offered; hypervisors switch them off.
    ignored('ICH_HCR_EL2', [3, 4, 12, 11, 0]),
  ];
}

/** Operations that are encoded as SYS. */
function operations(): SystemRegister[] {
  const op = (name: string, at: Encoding, write: number, options: Options = {}) =>
    row(name, at, K.READ_NONE, write, options);
  const pou = { trap: K.TRAP_CACHE_POU };
  const poc = { trap: K.TRAP_CACHE_POC };
  const setWay = { trap: K.TRAP_CACHE_SET_WAY };
  const rows = [
    op('IC IALLUIS', [1, 0, 7, 1, 0], K.SYS_CACHE_NOP, { trap: K.TRAP_ICACHE }),
    op('IC IALLU', [1, 0, 7, 5, 0], K.SYS_CACHE_NOP, { trap: K.TRAP_ICACHE }),
    op('IC IVAU', [1, 3, 7, 5, 1], K.SYS_CACHE_VA, pou),
    op('DC IVAC', [1, 0, 7, 6, 1], K.SYS_CACHE_IVAC, poc),
    op('DC ISW', [1, 0, 7, 6, 2], K.SYS_CACHE_NOP, setWay),
    op('DC CSW', [1, 0, 7, 10, 2], K.SYS_CACHE_NOP, setWay),
    op('DC CISW', [1, 0, 7, 14, 2], K.SYS_CACHE_NOP, setWay),
    op('DC ZVA', [1, 3, 7, 4, 1], K.SYS_DC_ZVA, { trap: K.TRAP_ZVA }),
    op('DC CVAC', [1, 3, 7, 10, 1], K.SYS_CACHE_VA, poc),
    op('DC CVAU', [1, 3, 7, 11, 1], K.SYS_CACHE_VA, pou),
    op('DC CIVAC', [1, 3, 7, 14, 1], K.SYS_CACHE_VA, poc),
  ];
  const translations: readonly [string, number, number, number][] = [
    ['S1E1R', 0, 0, 1],
    ['S1E1W', 0, 1, 1 | 4],
    ['S1E0R', 0, 2, 0],
    ['S1E0W', 0, 3, 0 | 4],
    ['S1E2R', 4, 0, 2],
    ['S1E2W', 4, 1, 2 | 4],
    ['S12E1R', 4, 4, 1 | 8],
    ['S12E1W', 4, 5, 1 | 4 | 8],
    ['S12E0R', 4, 6, 0 | 8],
    ['S12E0W', 4, 7, 0 | 4 | 8],
  ];
  for (const [name, op1, op2, what] of translations) {
    rows.push(op(`AT ${name}`, [1, op1, 7, 8, op2], K.SYS_AT, { slot: what }));
  }
  for (const [suffix, crm] of [
    ['IS', 3],
    ['', 7],
  ] as const) {
    const el1 = { trap: K.TRAP_TLBI };
    rows.push(
      op(`TLBI VMALLE1${suffix}`, [1, 0, 8, crm, 0], K.SYS_TLBI_ALL, el1),
      op(`TLBI VAE1${suffix}`, [1, 0, 8, crm, 1], K.SYS_TLBI_VA, el1),
      op(`TLBI ASIDE1${suffix}`, [1, 0, 8, crm, 2], K.SYS_TLBI_ALL, el1),
      op(`TLBI VAAE1${suffix}`, [1, 0, 8, crm, 3], K.SYS_TLBI_VA, el1),
      op(`TLBI VALE1${suffix}`, [1, 0, 8, crm, 5], K.SYS_TLBI_VA, el1),
      op(`TLBI VAALE1${suffix}`, [1, 0, 8, crm, 7], K.SYS_TLBI_VA, el1),
      op(`TLBI ALLE2${suffix}`, [1, 4, 8, crm, 0], K.SYS_TLBI_ALL),
      op(`TLBI VAE2${suffix}`, [1, 4, 8, crm, 1], K.SYS_TLBI_VA),
      op(`TLBI ALLE1${suffix}`, [1, 4, 8, crm, 4], K.SYS_TLBI_ALL),
      op(`TLBI VALE2${suffix}`, [1, 4, 8, crm, 5], K.SYS_TLBI_VA),
      op(`TLBI VMALLS12E1${suffix}`, [1, 4, 8, crm, 6], K.SYS_TLBI_ALL),
      op(`TLBI IPAS2E1${suffix}`, [1, 4, 8, suffix === 'IS' ? 0 : 4, 1], K.SYS_TLBI_ALL),
      op(`TLBI IPAS2LE1${suffix}`, [1, 4, 8, suffix === 'IS' ? 0 : 4, 5], K.SYS_TLBI_ALL),
    );
  }
  return rows;
}

/** Every register and operation of a CPU with `features`. Where EL2 or the GIC's registers are missing, so are theirs. */
export function systemRegisters(features: ArmFeatures): SystemRegister[] {
  const rows = [
    ...SPECIAL,
    ...EL1,
    ...TIMERS,
    ...identification(features),
    // 64-byte blocks.
    constant('DCZID_EL0', [3, 3, 0, 0, 7], 4n),
    ...debug(),
    ...EL2,
    ...operations(),
    ...(features.gicRegisters ? gic() : []),
  ];
  // Only the highest level may set the frequency (Arm ARM D13.8.6).
  const highest = features.el2 ? 2 : 1;
  return rows
    .filter((r) => features.el2 || ((r.key >> 11) & 7) !== 4)
    .map((r) => (r.name === 'CNTFRQ_EL0' ? { ...r, writeLevel: highest } : r));
}

/** Writes the table for the core; ends with a row of key 0xFFFF. */
export function writeSystemRegisters(view: DataView, offset: number, features: ArmFeatures): void {
  let at = offset;
  for (const r of systemRegisters(features)) {
    view.setUint16(at + K.SYSREG_KEY, r.key, true);
    view.setUint16(at + K.SYSREG_SLOT, r.slot, true);
    view.setUint8(at + K.SYSREG_READ, r.read);
    view.setUint8(at + K.SYSREG_WRITE, r.write);
    view.setUint8(at + K.SYSREG_LEVEL, r.readLevel | (r.writeLevel << 4));
    view.setUint8(at + K.SYSREG_TRAP, r.trap);
    view.setBigUint64(at + K.SYSREG_MASK, r.mask, true);
    view.setBigUint64(at + K.SYSREG_ONES, r.ones, true);
    at += K.SYSREG_ROW;
  }
  view.setUint16(at, 0xffff, true);
}

const NAMES = new Map(systemRegisters({ el2: true, gicRegisters: true }).map((r) => [r.key, r.name]));

/** Name of a register or operation, or its generic form S<op0>_<op1>_C<n>_C<m>_<op2>. */
export function systemRegisterName(key: number): string {
  const generic = `S${key >> 14}_${(key >> 11) & 7}_C${(key >> 7) & 15}_C${(key >> 3) & 15}_${key & 7}`;
  return NAMES.get(key) ?? generic;
}
