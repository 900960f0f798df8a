// Self-hosted debug: software step, breakpoints, watchpoints (Arm ARM D2); and the debugger's own breakpoints.

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
  FROM_LOWER,
  FROM_SAME,
  hex,
  Rig,
  VECTORS_EL1,
  VECTORS_EL2,
} from './rig.js';

const SS = 1;
const KDE = 1 << 13;
const MDE = 1 << 15;

async function rigWith(mdscr: number, el2 = false): Promise<Rig> {
  const rig = await Rig.create({ el2 });
  return rig.set(L.S_MDSCR_EL1, mdscr).set(L.S_OSLOCK, 0);
}

test('step: ERET with SPSR.SS executes one instruction, then the exception comes', async () => {
  const rig = await rigWith(SS);
  rig.load(DATA, [A.movz(0, 1), A.movz(1, 2), A.movz(2, 3)]);
  rig.set(L.S_ELR_EL1, DATA).set(L.S_SPSR_EL1, L.PSTATE_SS | EL0);
  rig.pstate(EL1H | DAIF).run([A.ERET], 3);
  assert.is(rig.state.x(0), 1n);
  assert.is(rig.state.x(1), 0n);
  assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_LOWER));
  // ISV: an instruction was stepped.
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x32, (1 << 24) | 0x22)));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(DATA + 4));
  assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(EL0));
});

test('step: without SPSR.SS the exception comes at once', async () => {
  const rig = await rigWith(SS);
  rig.set(L.S_ELR_EL1, DATA).set(L.S_SPSR_EL1, EL0);
  rig.pstate(EL1H | DAIF).run([A.ERET], 2);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x32, 0x22)));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(DATA));
});

test('step: a load-exclusive is told, a call is over when its exception is taken, a fault leaves the step to do', async () => {
  const stepped = async (word: number, steps: number) => {
    const rig = await rigWith(SS);
    rig
      .load(DATA, [word, A.NOP])
      .x(1, DATA)
      .set(L.S_ELR_EL1, DATA)
      .set(L.S_SPSR_EL1, L.PSTATE_SS | EL0);
    return rig.pstate(EL1H | DAIF).run([A.ERET], steps);
  };
  assert.is(hex((await stepped(A.ldxrX(0, 1), 3)).get(L.S_ESR_EL1)), hex(esr(0x32, (1 << 24) | 0x62)));
  const call = await stepped(A.svc(9), 2);
  assert.is(hex(call.get(L.S_ESR_EL1)), hex(esr(0x15, 9)));
  assert.is(hex(call.get(L.S_SPSR_EL1)), hex(EL0));
  const fault = await stepped(A.UDF, 2);
  assert.is(hex(fault.get(L.S_SPSR_EL1)), hex(EL0 | L.PSTATE_SS));
});

test('step: not at the level of debug exceptions without KDE, or with PSTATE.D, or under the OS lock', async () => {
  for (const [mdscr, mode, lock, steps] of [
    [SS, EL1H, 0, false],
    [SS | KDE, EL1H | L.PSTATE_D, 0, false],
    [SS | KDE, EL1H, 1, false],
    [SS | KDE, EL1H, 0, true],
  ] as const) {
    const rig = await rigWith(mdscr);
    rig
      .set(L.S_OSLOCK, lock)
      .pstate(mode | L.PSTATE_SS)
      .run([A.movz(0, 1), A.movz(1, 1)]);
    assert.is(rig.state.x(1), steps ? 0n : 1n);
    if (steps) assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_SAME));
  }
});

test('breakpoints compare address and level', async () => {
  // PMC: 1 EL1, 2 EL0, 3 both.
  for (const [pmc, mode, hit] of [
    [2, EL0, true],
    [1, EL0, false],
    [3, EL0, true],
    [1, EL1H, true],
    [2, EL1H, false],
  ] as const) {
    const rig = await rigWith(MDE | KDE);
    rig.set(L.S_DBGBVR0_EL1 + 16, CODE + 4).set(L.S_DBGBCR0_EL1 + 16, 0x1e1 | (pmc << 1));
    rig.pstate(mode).run([A.movz(0, 1), A.movz(1, 1)]);
    assert.is(rig.state.x(1), hit ? 0n : 1n, `${pmc} ${mode}`);
    if (!hit) continue;
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(mode === EL0 ? 0x30 : 0x31, 0x22)));
    assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 4));
  }
});

test('a breakpoint linked to a context', async () => {
  for (const [context, hit] of [
    [5, true],
    [6, false],
  ] as const) {
    const rig = await rigWith(MDE);
    rig.set(L.S_DBGBVR0_EL1, CODE).set(L.S_DBGBCR0_EL1, 0x1e5 | (1 << 20) | (5 << 16));
    rig
      .set(L.S_DBGBVR0_EL1 + 80, 5)
      .set(L.S_DBGBCR0_EL1 + 80, 0x1e7 | (3 << 20))
      .set(L.S_CONTEXTIDR_EL1, context);
    rig.pstate(EL0).run([A.movz(0, 1)]);
    assert.is(rig.state.x(0), hit ? 0n : 1n);
  }
});

test('watchpoints: loads, stores, bytes, ranges', async () => {
  const cases: [string, bigint, number, number, number, boolean][] = [
    ['store watched for stores', BigInt(DATA), 0xff << 5, 2, A.strX(0, 1), true],
    ['load watched for stores', BigInt(DATA), 0xff << 5, 2, A.ldrX(0, 1), false],
    ['load watched for both', BigInt(DATA), 0xff << 5, 3, A.ldrX(0, 1), true],
    ['byte that is not selected', BigInt(DATA), 0xfe << 5, 3, A.strB(0, 1), false],
    ['doubleword with one byte selected', BigInt(DATA), 0x80 << 5, 3, A.strX(0, 1), true],
    ['a range by MASK', BigInt(DATA - (DATA % 4096)), (0xff << 5) | (12 << 24), 3, A.strB(0, 1), true],
    ['another page', BigInt(DATA + 4096), (0xff << 5) | (12 << 24), 3, A.strB(0, 1), false],
  ];
  for (const [name, value, select, kinds, word, hit] of cases) {
    const rig = await rigWith(MDE | KDE);
    rig.set(L.S_DBGWVR0_EL1, value).set(L.S_DBGWCR0_EL1, select | (kinds << 3) | (1 << 1) | 1);
    rig.x(1, DATA).x(0, 0xff).pstate(EL1H).run([word]);
    if (!hit) {
      assert.is(rig.pc, CODE + 4, name);
      continue;
    }
    const write = word === A.ldrX(0, 1) ? 0 : 0x40;
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x35, 0x22 | write)), name);
    assert.is(hex(rig.get(L.S_FAR_EL1)), hex(DATA), name);
    assert.is(rig.memory.readU8(DATA), 0, name);
  }
});

test('debug exceptions go to EL2 by MDCR_EL2.TDE', async () => {
  const rig = await rigWith(0, true);
  rig
    .set(L.S_MDCR_EL2, 1 << 8)
    .pstate(EL1H)
    .run([A.brk(1)]);
  assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_LOWER));
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x3c, 1)));
  // BRK at EL2 stays there.
  rig
    .set(L.S_MDCR_EL2, 0)
    .pstate(EL2H)
    .run([A.brk(2)]);
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x3c, 2)));
});

test('the OS lock and the claim tags', async () => {
  const rig = await Rig.create();
  rig.x(0, 0).x(1, 0x33).x(2, 0x21).pstate(EL1H);
  rig.run([
    A.mrs(3, 'OSLSR_EL1'),
    A.msr('OSLAR_EL1', 0),
    A.mrs(4, 'OSLSR_EL1'),
    A.msr('DBGCLAIMSET_EL1', 1),
    A.msr('DBGCLAIMCLR_EL1', 2),
    A.mrs(5, 'DBGCLAIMCLR_EL1'),
  ]);
  assert.is(rig.state.x(3), 10n);
  assert.is(rig.state.x(4), 8n);
  assert.is(rig.state.x(5), 0x12n);
});

test("the debugger's breakpoints stop before the instruction, once", async () => {
  const rig = await Rig.create();
  rig.load(CODE, [A.movz(0, 1), A.movz(1, 2), A.movz(2, 3), A.STOP]);
  rig.pstate(EL1H);
  rig.vcpu.writeState(rig.state);
  rig.vcpu.setBreakpoints([BigInt(CODE + 4)]);
  const slice = { instructions: 100, nanoseconds: 1e9 };
  assert.equal(rig.vcpu.run(slice), { reason: 'debug', pc: BigInt(CODE + 4) });
  rig.vcpu.readState(rig.state);
  assert.is(rig.state.x(0), 1n);
  assert.is(rig.state.x(1), 0n);
  assert.is(rig.vcpu.run(slice).reason, 'slice-end');
  rig.vcpu.readState(rig.state);
  assert.is(rig.state.x(2), 3n);
});

test.run();
