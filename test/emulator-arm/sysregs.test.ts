// System registers: identification, writable bits, timers, the GIC's interface (Arm ARM D13).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import * as K from '../../assembly/layout/arm-sysreg-kinds.js';
import { systemKey, systemRegisterName, systemRegisters } from '../../assembly/layout/arm-sysregs.js';
import * as X86 from '../../assembly/layout/x86-state.js';
import * as A from './a64.js';
import { CODE, EL0, EL1H, EL2H, esr, hex, Rig } from './rig.js';

test('the slots that both cores share are in the same place', () => {
  const shared = ['S_CC_OP', 'S_CC_A', 'S_CC_RES', 'S_CC_C', 'S_ZERO', 'S_T0', 'TEMPS', 'S_V0', 'VTEMPS', 'S_ICOUNT'];
  const control = ['S_ATTENTION', 'S_KICK', 'S_FAULT', 'S_FAULT_CODE', 'S_EXIT_DETAIL', 'S_TLB', 'S_MODE', 'S_SMC'];
  const arm = L as unknown as Record<string, number>;
  const x86 = X86 as unknown as Record<string, number>;
  for (const name of [...shared, ...control, 'S_EXIT_REQUEST']) assert.is(arm[name], x86[name], name);
  assert.is(L.S_PC, X86.S_RIP);
  assert.is(L.S_NEXT_PC, X86.S_NEXT_RIP);
  assert.is(L.S_IRQ, X86.S_INTR);
});

test('slots of system registers do not overlap', () => {
  const names = Object.entries(L).filter(([name, at]) => /^S_/.test(name) && at >= L.ARM_SYS_BASE);
  const seen = new Map<number, string>();
  for (const [name, at] of names) {
    assert.not.ok(seen.has(at), `${name} and ${seen.get(at)}`);
    assert.ok(at % 8 === 0 && at < L.ARM_SYS_END, name);
    seen.set(at, name);
  }
});

test('the table: no encoding twice, names found again', () => {
  const rows = systemRegisters({ el2: true, gicRegisters: true });
  const keys = new Map(rows.map((r) => [r.key, r.name]));
  assert.is(keys.size, rows.length);
  assert.ok(rows.length * K.SYSREG_ROW < 0x10000);
  assert.is(systemRegisterName(systemKey(3, 0, 1, 0, 0)), 'SCTLR_EL1');
  assert.is(systemRegisterName(systemKey(1, 0, 8, 7, 1)), 'TLBI VAE1');
  assert.is(systemRegisterName(systemKey(3, 7, 15, 2, 1)), 'S3_7_C15_C2_1');
});

test('identification announces what there is', async () => {
  const rig = await Rig.create({ el2: true, gicRegisters: true });
  const read = (name: string) => {
    rig.pstate(EL1H).run([A.mrs(0, name)]);
    return rig.state.x(0);
  };
  const pfr0 = read('ID_AA64PFR0_EL1');
  assert.is(hex(pfr0 & 0xffffn), '111', 'EL0, EL1, EL2 in AArch64 only; no EL3');
  assert.is(hex((pfr0 >> 24n) & 15n), '1', 'GIC');
  const isar0 = read('ID_AA64ISAR0_EL1');
  assert.is(hex((isar0 >> 16n) & 15n), '1', 'CRC32');
  assert.is(hex((isar0 >> 20n) & 15n), '2', 'atomics');
  assert.is(hex(read('ID_AA64MMFR1_EL1')), '100000', 'PAN and nothing else');
  assert.is(hex(read('ID_AA64MMFR0_EL1')), '100024');
  assert.is(hex(read('ID_AA64DFR0_EL1') & 0xfn), '6');
  assert.is((read('ID_AA64DFR0_EL1') >> 8n) & 15n, 0n, 'no PMU');
  const plain = await Rig.create();
  plain.pstate(EL1H).run([A.mrs(0, 'ID_AA64PFR0_EL1')]);
  assert.is(hex(plain.state.x(0) & 0xf000fffn), '11');
});

test('the whole space of identification registers can be read', async () => {
  const rig = await Rig.create();
  for (let crm = 1; crm < 8; crm++) {
    for (let op2 = 0; op2 < 8; op2++) {
      rig.pstate(EL1H).run([A.mrsRaw(0, 3, 0, 0, crm, op2)]);
      assert.is(rig.pc, CODE + 4);
    }
  }
});

test('bits that cannot be written', async () => {
  const rig = await Rig.create({ el2: true });
  const cases: [string, string][] = [
    ['SCTLR_EL1', '34dddb9f'],
    ['TCR_EL1', '77ffffffbf'],
    ['CPACR_EL1', '300000'],
    ['VBAR_EL1', 'fffffffffffff800'],
    ['CONTEXTIDR_EL1', 'ffffffff'],
    ['CNTKCTL_EL1', '3ff'],
    ['AFSR0_EL1', '0'],
    ['SPSR_EL1', 'ffffffff'],
    ['HPFAR_EL2', 'fffffffff0'],
    ['CPTR_EL2', hex(0x80000400n | 0x33ffn)],
    ['VTCR_EL2', '8007ffff'],
    ['MDCR_EL2', 'f00'],
    ['DBGBCR0_EL1', hex(0xffe1e7)],
    ['FPCR', '7c00000'],
    ['FPSR', '800009f'],
    ['CSSELR_EL1', 'f'],
  ];
  for (const [name, value] of cases) {
    rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1).set(L.S_CPTR_EL2, L.CPTR_EL2_RES1).x(1, -1n);
    rig.pstate(EL2H).run([A.msr(name, 1), A.mrs(0, name)]);
    assert.is(hex(rig.state.x(0)), value, name);
    assert.is(rig.pc, CODE + 8, name);
    rig.set(L.S_MDSCR_EL1, 0).set(L.S_MDCR_EL2, 0);
  }
});

test('the counter and the timers', async () => {
  const rig = await Rig.create({ el2: true });
  rig.nanoseconds = 1_000_000;
  rig.set(L.S_CNTVOFF_EL2, 500);
  rig.x(1, 1000).x(2, -10n).x(3, 1);
  rig
    .pstate(EL1H)
    .run([
      A.mrs(4, 'CNTPCT_EL0'),
      A.mrs(5, 'CNTVCT_EL0'),
      A.mrs(6, 'CNTFRQ_EL0'),
      A.msr('CNTV_TVAL_EL0', 1),
      A.mrs(7, 'CNTV_CVAL_EL0'),
      A.mrs(8, 'CNTV_TVAL_EL0'),
      A.msr('CNTP_TVAL_EL0', 2),
      A.msr('CNTP_CTL_EL0', 3),
      A.mrs(9, 'CNTP_CTL_EL0'),
      A.msr('CNTV_CTL_EL0', 3),
      A.mrs(10, 'CNTV_CTL_EL0'),
    ]);
  assert.is(rig.state.x(4), 62500n);
  assert.is(rig.state.x(5), 62000n);
  assert.is(rig.state.x(6), 62_500_000n);
  assert.is(rig.state.x(7), 63000n);
  assert.is(rig.state.x(8), 1000n);
  assert.is(rig.state.x(9), 5n, 'the condition holds');
  assert.is(rig.state.x(10), 1n, 'not yet');
  assert.equal(rig.log, ['timer', 'timer', 'timer', 'timer']);
  const timers = rig.vcpu.timers();
  assert.equal(timers.physical, { control: 1, compare: 62490n });
  assert.equal(timers.virtual, { control: 1, compare: 63000n });
  assert.is(timers.virtualOffset, 500n);
  rig.nanoseconds = 1_016_000;
  rig.run([A.mrs(10, 'CNTV_CTL_EL0'), A.mrs(11, 'CNTV_TVAL_EL0')]);
  assert.is(rig.state.x(10), 5n);
  assert.is(rig.state.x(11), 0n);
});

test('CNTFRQ_EL0 can be written at the highest level only', async () => {
  const two = await Rig.create({ el2: true });
  two
    .x(0, 5)
    .pstate(EL1H)
    .run([A.msr('CNTFRQ_EL0', 0)]);
  assert.is(hex(two.get(L.S_ESR_EL1)), hex(esr(0)));
  const one = await Rig.create();
  one
    .x(0, 5)
    .pstate(EL1H)
    .run([A.msr('CNTFRQ_EL0', 0), A.mrs(1, 'CNTFRQ_EL0')]);
  assert.is(one.state.x(1), 5n);
});

test('registers of the GIC are asked of the board, where there are any', async () => {
  const rig = await Rig.create({ gicRegisters: true });
  rig
    .x(1, 0x1_0000_0002n)
    .pstate(EL1H)
    .run([A.mrs(0, 'ICC_IAR1_EL1'), A.msr('ICC_SGI1R_EL1', 1)]);
  assert.is(rig.state.x(0), 0x3ffn);
  const iar = systemKey(3, 0, 12, 12, 0);
  const sgi = systemKey(3, 0, 12, 11, 5);
  assert.equal(rig.log, [`gic read ${hex(iar)}`, `gic write ${hex(sgi)} 2 1`]);
  const without = await Rig.create();
  without.pstate(EL1H).run([A.mrs(0, 'ICC_IAR1_EL1')]);
  assert.is(hex(without.get(L.S_ESR_EL1)), hex(esr(0)));
});

test('NZCV and thread registers', async () => {
  const rig = await Rig.create();
  rig.x(1, 0xa0000000).x(2, 0x123).pstate(EL0);
  rig.run([A.msr('NZCV', 1), A.mrs(3, 'NZCV'), A.msr('TPIDR_EL0', 2), A.mrs(4, 'TPIDR_EL0'), A.mrs(5, 'TPIDRRO_EL0')]);
  assert.is(hex(rig.state.x(3)), 'a0000000');
  assert.is(hex(rig.state.nzcv), 'a0000000');
  assert.is(rig.state.x(4), 0x123n);
  assert.is(rig.state.x(5), 0n);
});

test('every register of the table can be read or written at the highest level without harm', async () => {
  const rig = await Rig.create({ el2: true, gicRegisters: true });
  for (const r of systemRegisters({ el2: true, gicRegisters: true })) {
    if (r.key >> 14 === 1 || r.name === 'SP_EL0') continue;
    const name = r.name;
    if (r.read !== K.READ_NONE) {
      rig.pstate(EL2H).run([A.mrs(0, name)]);
      assert.is(rig.pc, CODE + 4, name);
    }
    rig.x(0, r.name === 'HCR_EL2' ? 1n << 31n : 0n);
    if (r.write !== K.WRITE_NONE && r.writeLevel <= 2) {
      rig.pstate(EL2H).run([A.msr(name, 0)]);
      if (name !== 'SPSel') assert.is(rig.pc, CODE + 4, name);
    }
  }
});

test.run();
