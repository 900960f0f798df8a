// EL2: routing of exceptions and interrupts, traps, virtual interrupts (Arm ARM D1.14, D1.15).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import * as A from './a64.js';
import {
  CODE,
  DAIF,
  DATA,
  EL0,
  EL1H,
  EL2H,
  esr,
  FIQ,
  FROM_LOWER,
  FROM_SAME,
  hex,
  IRQ,
  Rig,
  SERROR,
  VECTORS_EL1,
  VECTORS_EL2,
} from './rig.js';

const HCR = {
  FMO: 1n << 3n,
  IMO: 1n << 4n,
  AMO: 1n << 5n,
  VF: 1n << 6n,
  VI: 1n << 7n,
  VSE: 1n << 8n,
  TWI: 1n << 13n,
  TWE: 1n << 14n,
  TID1: 1n << 16n,
  TID2: 1n << 17n,
  TID3: 1n << 18n,
  TSC: 1n << 19n,
  TIDCP: 1n << 20n,
  TACR: 1n << 21n,
  TSW: 1n << 22n,
  TPC: 1n << 23n,
  TPU: 1n << 24n,
  TTLB: 1n << 25n,
  TVM: 1n << 26n,
  TGE: 1n << 27n,
  TDZ: 1n << 28n,
  HCD: 1n << 29n,
  TRVM: 1n << 30n,
  RW: 1n << 31n,
};

async function rigWith(hcr: bigint): Promise<Rig> {
  const rig = await Rig.create({ el2: true });
  return rig.set(L.S_HCR_EL2, hcr | HCR.RW);
}

/** Syndrome of a trapped MSR or MRS word. */
function trapped(word: number): bigint {
  const f = (low: number, width: number) => (word >>> low) & ((1 << width) - 1);
  return esr(
    0x18,
    (f(19, 2) << 20) |
      (f(5, 3) << 17) |
      (f(16, 3) << 14) |
      (f(12, 4) << 10) |
      (f(0, 5) << 5) |
      (f(8, 4) << 1) |
      f(21, 1),
  );
}

test('reset into EL2; without EL2 into EL1', async () => {
  const one = await Rig.create({ el2: true });
  assert.is(one.state.pstate, DAIF | EL2H);
  const other = await Rig.create();
  assert.is(other.state.pstate, DAIF | EL1H);
});

test('HVC goes to EL2 and returns behind itself; SMC is the firmware', async () => {
  const rig = await rigWith(0n);
  rig
    .set(L.S_SP_EL2, 0x99)
    .x(0, 1)
    .x(1, 2)
    .pstate(EL1H)
    .run([A.smc(0), A.hvc(0x321)]);
  assert.equal(rig.log, ['psci 1 2']);
  assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_LOWER));
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x16, 0x321)));
  assert.is(hex(rig.get(L.S_ELR_EL2)), hex(CODE + 8));
  assert.is(hex(rig.get(L.S_SPSR_EL2)), hex(EL1H));
  assert.is(hex(rig.state.pstate), hex(DAIF | EL2H));
  assert.is(rig.state.sp, 0x99n);
});

test('HVC from EL2; HVC disabled', async () => {
  const rig = await rigWith(0n);
  rig.pstate(EL2H).run([A.hvc(5)]);
  assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_SAME));
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x16, 5)));
  const disabled = await rigWith(HCR.HCD);
  disabled.pstate(EL1H).run([A.hvc(5)]);
  assert.is(hex(disabled.get(L.S_ESR_EL1)), hex(esr(0)));
});

test('traps of HCR_EL2 from EL1', async () => {
  const cases: [string, bigint, number, bigint?][] = [
    ['TVM', HCR.TVM, A.msr('TTBR0_EL1', 3)],
    ['TVM', HCR.TVM, A.msr('SCTLR_EL1', 4)],
    ['TVM', HCR.TVM, A.msr('CONTEXTIDR_EL1', 4)],
    ['TRVM', HCR.TRVM, A.mrs(5, 'TCR_EL1')],
    ['TRVM', HCR.TRVM, A.mrs(5, 'ESR_EL1')],
    ['TID1', HCR.TID1, A.mrs(5, 'REVIDR_EL1')],
    ['TID2', HCR.TID2, A.mrs(5, 'CTR_EL0')],
    ['TID2', HCR.TID2, A.msr('CSSELR_EL1', 5)],
    ['TID3', HCR.TID3, A.mrs(6, 'ID_AA64MMFR0_EL1')],
    ['TACR', HCR.TACR, A.mrs(6, 'ACTLR_EL1')],
    ['TSW', HCR.TSW, A.sys('DC CISW', 6)],
    ['TPC', HCR.TPC, A.sys('DC CIVAC', 6)],
    ['TPU', HCR.TPU, A.sys('IC IALLU', 31)],
    ['TTLB', HCR.TTLB, A.sys('TLBI VMALLE1IS', 31)],
    ['TDZ', HCR.TDZ, A.sys('DC ZVA', 2)],
    ['TIDCP', HCR.TIDCP, A.mrsRaw(9, 3, 0, 15, 1, 2)],
    ['TWI', HCR.TWI, A.WFI, esr(1, (1 << 24) | (14 << 20))],
    ['TWE', HCR.TWE, A.WFE, esr(1, (1 << 24) | (14 << 20) | 1)],
    ['TSC', HCR.TSC, A.smc(0x55), esr(0x17, 0x55)],
  ];
  for (const [name, bit, word, syndrome] of cases) {
    const rig = await rigWith(bit);
    rig.x(2, DATA).x(6, DATA).pstate(EL1H).run([word]);
    assert.is(hex(rig.get(L.S_ESR_EL2)), hex(syndrome ?? trapped(word)), name);
    assert.is(hex(rig.get(L.S_ELR_EL2)), hex(CODE), name);
    assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_LOWER), name);
    // Not from EL2 itself.
    if (word === A.WFI || name === 'TIDCP') continue;
    rig.set(L.S_ESR_EL2, 0).x(2, DATA).x(6, DATA).pstate(EL2H).run([word]);
    assert.is(rig.get(L.S_ESR_EL2), 0n, name);
  }
});

test('CPTR_EL2 and MDCR_EL2', async () => {
  const fp = await rigWith(0n);
  fp.set(L.S_CPTR_EL2, L.CPTR_EL2_RES1 | (1 << 10))
    .pstate(EL1H)
    .run([A.fmovDX(0, 1)]);
  assert.is(hex(fp.get(L.S_ESR_EL2)), hex(esr(7, 0x1e00000)));
  // CPACR_EL1's trap comes first.
  fp.set(L.S_ESR_EL2, 0)
    .set(L.S_CPACR_EL1, 0)
    .pstate(EL0)
    .run([A.fmovDX(0, 1)]);
  assert.is(hex(fp.get(L.S_ESR_EL1)), hex(esr(7, 0x1e00000)));
  assert.is(fp.get(L.S_ESR_EL2), 0n);
  // EL2's own use.
  fp.set(L.S_CPTR_EL2, L.CPTR_EL2_RES1 | (1 << 10))
    .pstate(EL2H)
    .run([A.fmovDX(0, 1)]);
  assert.is(hex(fp.pc), hex(VECTORS_EL2 + FROM_SAME));

  const rig = await rigWith(0n);
  rig
    .set(L.S_CPTR_EL2, (1n << 31n) | BigInt(L.CPTR_EL2_RES1))
    .pstate(EL1H)
    .run([A.mrs(1, 'CPACR_EL1')]);
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(trapped(A.mrs(1, 'CPACR_EL1'))));
  for (const [bit, register] of [
    [9, 'DBGBVR0_EL1'],
    [9, 'MDSCR_EL1'],
    [10, 'OSLSR_EL1'],
    [11, 'MDRAR_EL1'],
  ] as const) {
    rig.set(L.S_CPTR_EL2, L.CPTR_EL2_RES1).set(L.S_MDCR_EL2, 1 << bit);
    rig.pstate(EL1H).run([A.mrs(1, register)]);
    assert.is(hex(rig.get(L.S_ESR_EL2)), hex(trapped(A.mrs(1, register))), register);
  }
});

test('timers: CNTHCTL_EL2 traps the physical ones', async () => {
  for (const [control, word] of [
    [2, A.mrs(0, 'CNTPCT_EL0')],
    [1, A.msr('CNTP_CTL_EL0', 0)],
    [1, A.mrs(0, 'CNTP_CVAL_EL0')],
  ] as const) {
    const rig = await rigWith(0n);
    rig.set(L.S_CNTHCTL_EL2, control).pstate(EL1H).run([word]);
    assert.is(hex(rig.get(L.S_ESR_EL2)), hex(trapped(word)));
    rig.set(L.S_CNTHCTL_EL2, 3).set(L.S_ESR_EL2, 0).pstate(EL1H).run([word]);
    assert.is(rig.get(L.S_ESR_EL2), 0n);
  }
});

test('TGE: EL0 works for EL2', async () => {
  const rig = await rigWith(HCR.TGE);
  rig.pstate(EL0).run([A.svc(7)]);
  assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_LOWER));
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x15, 7)));
  rig
    .set(L.S_CPACR_EL1, 0)
    .pstate(EL0)
    .run([A.fmovDX(0, 1)]);
  assert.is(rig.pc, CODE + 4, 'CPACR_EL1 does not trap');
  // A return to EL1 is illegal.
  rig.set(L.S_SPSR_EL2, EL1H).set(L.S_ELR_EL2, DATA).pstate(EL2H).run([A.ERET]);
  assert.is(hex(rig.state.pstate), hex(EL2H | L.PSTATE_IL));
});

test('physical interrupts are routed by IMO, FMO, AMO; below EL2 masks do not hold them', async () => {
  const cases: [bigint, number, 'irq' | 'fiq' | 'serror', number | undefined][] = [
    [0n, EL1H, 'irq', VECTORS_EL1 + FROM_SAME + IRQ],
    [0n, EL1H | DAIF, 'irq', undefined],
    [0n, EL2H, 'irq', undefined],
    [HCR.IMO, EL1H | DAIF, 'irq', VECTORS_EL2 + FROM_LOWER + IRQ],
    [HCR.IMO, EL2H, 'irq', VECTORS_EL2 + FROM_SAME + IRQ],
    [HCR.IMO, EL2H | DAIF, 'irq', undefined],
    [HCR.IMO, EL1H | DAIF, 'fiq', undefined],
    [HCR.FMO, EL0 | DAIF, 'fiq', VECTORS_EL2 + FROM_LOWER + FIQ],
    [HCR.AMO, EL1H | DAIF, 'serror', VECTORS_EL2 + FROM_LOWER + SERROR],
    [HCR.TGE, EL0 | DAIF, 'irq', VECTORS_EL2 + FROM_LOWER + IRQ],
    [HCR.TGE, EL2H, 'irq', VECTORS_EL2 + FROM_SAME + IRQ],
  ];
  for (const [hcr, mode, kind, vector] of cases) {
    const rig = await rigWith(hcr);
    rig.vcpu.setInterruptLine(kind === 'irq');
    rig.vcpu.setFiqLine(kind === 'fiq');
    rig.state.setU32(L.S_SERROR, kind === 'serror' ? 1 : 0);
    rig.pstate(mode).run([A.NOP], 1);
    assert.is(hex(rig.pc), hex(vector ?? CODE + 4), `${hex(hcr)} ${hex(mode)} ${kind}`);
  }
});

test('virtual interrupts go to EL1 while physical ones of their kind go to EL2', async () => {
  const cases: [bigint, number, number | undefined][] = [
    [HCR.IMO | HCR.VI, EL1H, VECTORS_EL1 + FROM_SAME + IRQ],
    [HCR.IMO | HCR.VI, EL0, VECTORS_EL1 + FROM_LOWER + IRQ],
    [HCR.IMO | HCR.VI, EL1H | DAIF, undefined],
    [HCR.IMO | HCR.VI, EL2H, undefined],
    [HCR.VI, EL1H, undefined],
    [HCR.IMO | HCR.VI | HCR.TGE, EL0, undefined],
    [HCR.FMO | HCR.VF, EL1H, VECTORS_EL1 + FROM_SAME + FIQ],
    [HCR.AMO | HCR.VSE, EL1H, VECTORS_EL1 + FROM_SAME + SERROR],
  ];
  for (const [hcr, mode, vector] of cases) {
    const rig = await rigWith(hcr);
    rig.pstate(mode).run([A.NOP], 1);
    assert.is(hex(rig.pc), hex(vector ?? CODE + 4), `${hex(hcr)} ${hex(mode)}`);
    // A virtual SError is over once taken.
    if (hcr & HCR.VSE) assert.is(rig.get(L.S_HCR_EL2) & HCR.VSE, 0n);
  }
});

test('a virtual interrupt set by EL2 is taken after its return; ISR_EL1 shows it', async () => {
  const rig = await rigWith(HCR.IMO);
  rig
    .x(0, HCR.IMO | HCR.VI | HCR.RW)
    .set(L.S_ELR_EL2, DATA)
    .set(L.S_SPSR_EL2, EL1H | 0x80);
  rig.load(DATA, [A.mrs(1, 'ISR_EL1'), A.daifClr(2), A.NOP]);
  rig.pstate(EL2H).run([A.msr('HCR_EL2', 0), A.ERET], 5);
  assert.is(rig.state.x(1), 0x80n);
  assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_SAME + IRQ));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(DATA + 8));
});

test('identification seen by EL1 is what EL2 wants', async () => {
  const rig = await rigWith(0n);
  rig.set(L.S_VPIDR_EL2, 0x410fd070).set(L.S_VMPIDR_EL2, 0x80000003);
  rig.pstate(EL1H).run([A.mrs(0, 'MIDR_EL1'), A.mrs(1, 'MPIDR_EL1')]);
  assert.is(hex(rig.state.x(0)), '410fd070');
  assert.is(hex(rig.state.x(1)), '80000003');
  rig.pstate(EL2H).run([A.mrs(0, 'MIDR_EL1'), A.mrs(1, 'MPIDR_EL1')]);
  assert.is(rig.state.x(0), BigInt(L.ARM_MIDR));
  assert.is(rig.state.x(1), BigInt(L.ARM_MPIDR));
});

test('EL2 has its own translation', async () => {
  const rig = await rigWith(0n);
  const { Tables, AF } = await import('./tables.js');
  const tables = new Tables(rig, 12, 0);
  tables.map(BigInt(CODE), CODE, AF | (1n << 7n)).map(0x7000n, DATA, AF);
  rig.set(L.S_TCR_EL2, (1n << 31n) | (1n << 23n) | 16n | (4n << 16n)).set(L.S_TTBR0_EL2, tables.root);
  rig.set(L.S_SCTLR_EL2, L.SCTLR_EL2_RES1 | 1);
  rig.memory.writeU64(DATA, 0x1234n);
  rig
    .x(1, 0x7000)
    .x(2, 0x8000)
    .pstate(EL2H)
    .run([A.ldrX(0, 1), A.ldrX(0, 2)]);
  assert.is(rig.state.x(0), 0x1234n);
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x25, 7)));
  assert.is(hex(rig.get(L.S_FAR_EL2)), '8000');
});

test.run();
