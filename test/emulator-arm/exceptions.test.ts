// Exceptions between EL0 and EL1: vectors, saved state, syndromes, masks, returns (Arm ARM D1).

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
  EL1T,
  esr,
  FIQ,
  FROM_LOWER,
  FROM_SAME,
  hex,
  IRQ,
  Rig,
  SERROR,
  VECTORS_EL1,
} from './rig.js';

const Z = 0x40000000;

test('SVC from EL0: lower-level vector, return behind it, masks set, own stack pointer', async () => {
  const rig = await Rig.create();
  rig.set(L.S_SP_EL1, 0x1111).set(L.S_SP, 0x2222);
  rig.pstate(EL0 | Z).run([A.svc(0x1234)]);
  assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_LOWER));
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x15, 0x1234)));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 4));
  assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(Z));
  assert.is(hex(rig.state.pstate), hex(Z | DAIF | EL1H));
  assert.is(rig.state.sp, 0x1111n);
  assert.is(rig.get(L.S_SP_EL0), 0x2222n);
});

test('from EL1 the vector depends on the stack pointer in use', async () => {
  for (const [mode, offset] of [
    [EL1H, FROM_SAME],
    [EL1T, 0],
  ] as const) {
    const rig = await Rig.create();
    rig.pstate(mode).run([A.svc(1)]);
    assert.is(hex(rig.pc), hex(VECTORS_EL1 + offset));
    assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(mode));
  }
});

test('undefined instructions, BRK, and what EL0 may not do', async () => {
  const cases: [string, number, number, bigint][] = [
    ['UDF', A.UDF, EL1H, esr(0)],
    ['BRK', A.brk(0xbeef), EL1H, esr(0x3c, 0xbeef)],
    ['MRS of an EL1 register at EL0', A.mrs(0, 'SCTLR_EL1'), EL0, esr(0)],
    ['ERET at EL0', A.ERET, EL0, esr(0)],
    ['HVC at EL0', A.hvc(0), EL0, esr(0)],
    ['SMC at EL0', A.smc(0), EL0, esr(0)],
    ['EL2 register at EL1', A.mrs(0, 'HCR_EL2'), EL1H, esr(0)],
    ['write of a read-only register', A.msr('MIDR_EL1', 0), EL1H, esr(0)],
    ['TPIDRRO_EL0 written at EL0', A.msr('TPIDRRO_EL0', 0), EL0, esr(0)],
    ['the stack pointer in use by name', A.mrs(0, 'SP_EL0'), EL1T, esr(0)],
    ['TLBI at EL0', A.sys('TLBI VMALLE1', 31), EL0, esr(0)],
    ['implementation-defined register', A.mrsRaw(0, 3, 1, 15, 0, 0), EL1H, esr(0)],
    [
      'MSR DAIFSet at EL0 without UMA',
      A.daifSet(2),
      EL0,
      esr(0x18, (6 << 17) | (3 << 14) | (4 << 10) | (31 << 5) | (2 << 1)),
    ],
    [
      'MRS DAIF at EL0 without UMA',
      A.mrs(7, 'DAIF'),
      EL0,
      esr(0x18, (3 << 20) | (1 << 17) | (3 << 14) | (4 << 10) | (7 << 5) | (2 << 1) | 1),
    ],
    [
      'DC ZVA at EL0 without DZE',
      A.sys('DC ZVA', 3),
      EL0,
      esr(0x18, (1 << 20) | (1 << 17) | (3 << 14) | (7 << 10) | (3 << 5) | (4 << 1)),
    ],
    ['CTR_EL0 at EL0 without UCT', A.mrs(0, 'CTR_EL0'), EL0, esr(0x18, (3 << 20) | (1 << 17) | (3 << 14) | 1)],
    [
      'counter at EL0 without EL0VCTEN',
      A.mrs(0, 'CNTVCT_EL0'),
      EL0,
      esr(0x18, (3 << 20) | (2 << 17) | (3 << 14) | (14 << 10) | 1),
    ],
    ['WFI at EL0 without nTWI', A.WFI, EL0, esr(1, (1 << 24) | (14 << 20))],
    ['WFE at EL0 without nTWE', A.WFE, EL0, esr(1, (1 << 24) | (14 << 20) | 1)],
  ];
  for (const [name, word, mode, syndrome] of cases) {
    const rig = await Rig.create();
    rig.pstate(mode).run([word]);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(syndrome), name);
    assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE), name);
    assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(mode), name);
  }
});

test('SCTLR_EL1 lets EL0 do what it otherwise may not', async () => {
  const rig = await Rig.create();
  // UMA, DZE, UCT, nTWI, nTWE, UCI.
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | (1 << 9) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 18) | (1 << 26));
  rig.set(L.S_CNTKCTL_EL1, 3).x(3, DATA + 8);
  rig.memory.fill(DATA, 256, 0xff);
  rig
    .pstate(EL0)
    .run([A.daifSet(2), A.mrs(0, 'DAIF'), A.sys('DC ZVA', 3), A.mrs(1, 'CTR_EL0'), A.mrs(2, 'CNTVCT_EL0')]);
  assert.is(rig.pc, CODE + 20);
  assert.is(rig.state.x(0), 0x80n);
  assert.is(hex(rig.state.x(1)), 'b444c004');
  assert.is(rig.memory.readU64(DATA), 0n);
  assert.is(rig.memory.readU64(DATA + 56), 0n);
  assert.is(hex(rig.memory.readU64(DATA + 64)), 'ffffffffffffffff');
});

test('floating point is trapped by CPACR_EL1.FPEN', async () => {
  for (const [fpen, mode, trapped] of [
    [0, EL1H, true],
    [1, EL1H, false],
    [1, EL0, true],
    [2, EL0, true],
    [3, EL0, false],
  ] as const) {
    const rig = await Rig.create();
    rig.set(L.S_CPACR_EL1, fpen << 20);
    rig
      .x(1, 42)
      .pstate(mode)
      .run([A.fmovDX(0, 1)]);
    assert.is(hex(rig.get(L.S_ESR_EL1)), trapped ? hex(esr(7, 0x1e00000)) : '0', `FPEN ${fpen} from ${mode}`);
    assert.is(rig.state.v(0), trapped ? 0n : 42n);
  }
});

test('ERET restores PSTATE and changes the stack pointer', async () => {
  const rig = await Rig.create();
  rig
    .set(L.S_ELR_EL1, DATA)
    .set(L.S_SPSR_EL1, 0x90000000 + 0x140)
    .set(L.S_SP_EL0, 0x5000)
    .set(L.S_SP, 0x6000);
  rig.pstate(EL1H | DAIF).run([A.ERET]);
  assert.is(hex(rig.pc), hex(DATA));
  assert.is(hex(rig.state.pstate), hex(0x90000000 + 0x140));
  assert.is(rig.state.el, 0);
  assert.is(rig.state.sp, 0x5000n);
  assert.is(rig.get(L.S_SP_EL1), 0x6000n);
});

test('an illegal return stays at its level with PSTATE.IL, and the next instruction is illegal', async () => {
  // AArch32, EL2 from EL1, EL3, EL0 with SP_ELx, M[1].
  for (const spsr of [0x10, 0x9, 0xd, 0x1, 0x6]) {
    const rig = await Rig.create();
    rig.set(L.S_ELR_EL1, DATA).set(L.S_SPSR_EL1, Z + spsr);
    rig.load(DATA, [A.NOP]);
    rig.pstate(EL1H).run([A.ERET]);
    assert.is(hex(rig.pc), hex(DATA), hex(spsr));
    assert.is(hex(rig.state.pstate), hex(Z | EL1H | L.PSTATE_IL), hex(spsr));
    rig.more(1);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x0e)));
    assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(Z | EL1H | L.PSTATE_IL));
    assert.is(rig.state.pstate & L.PSTATE_IL, 0);
  }
});

test('a PC that is not a multiple of 4', async () => {
  const rig = await Rig.create();
  rig
    .x(5, DATA + 2)
    .pstate(EL0)
    .run([A.br(5)], 2);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x22)));
  assert.is(hex(rig.get(L.S_FAR_EL1)), hex(DATA + 2));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(DATA + 2));
});

test('SP that is not a multiple of 16, with SCTLR_EL1.SA', async () => {
  const rig = await Rig.create();
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | 8).set(L.S_SP, DATA + 8);
  rig.pstate(EL1H).run([A.ldrX(0, 31)]);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x26)));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE));
});

test('alignment faults with SCTLR_EL1.A', async () => {
  const rig = await Rig.create();
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | 2).x(1, DATA + 4);
  rig.pstate(EL1H).run([A.strX(0, 1)]);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x61)));
  assert.is(hex(rig.get(L.S_FAR_EL1)), hex(DATA + 4));
});

test('interrupts: vectors, masks, priority of FIQ over IRQ', async () => {
  const cases: [string, number, boolean, boolean, number | undefined][] = [
    ['IRQ', EL1H, true, false, FROM_SAME + IRQ],
    ['IRQ masked', EL1H | 0x80, true, false, undefined],
    ['FIQ', EL1H, false, true, FROM_SAME + FIQ],
    ['FIQ masked', EL1H | 0x40, false, true, undefined],
    ['both', EL0, true, true, FROM_LOWER + FIQ],
    ['both, FIQ masked', EL0 | 0x40, true, true, FROM_LOWER + IRQ],
  ];
  for (const [name, mode, irq, fiq, vector] of cases) {
    const rig = await Rig.create();
    rig.vcpu.setInterruptLine(irq);
    rig.vcpu.setFiqLine(fiq);
    rig.pstate(mode).run([A.NOP, A.NOP], 1);
    if (vector === undefined) assert.is(rig.pc, CODE + 4, name);
    else {
      assert.is(hex(rig.pc), hex(VECTORS_EL1 + vector), name);
      assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE), name);
      assert.is(hex(rig.get(L.S_SPSR_EL1)), hex(mode), name);
    }
  }
});

test('an interrupt that waits is taken when its mask goes', async () => {
  const rig = await Rig.create();
  rig.vcpu.setInterruptLine(true);
  rig.pstate(EL1H | DAIF).run([A.NOP, A.mrs(0, 'ISR_EL1'), A.daifClr(2), A.NOP], 4);
  assert.is(rig.state.x(0), 0x80n);
  assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_SAME + IRQ));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 12));
});

test('a block that was left for a handler is not linked with it', async () => {
  const rig = await Rig.create();
  rig.load(CODE, [A.daifClr(2), A.movz(0, 7), A.NOP]);
  for (const [from, line, pc] of [
    // So that a block begins, and another one ends, behind the first instruction.
    [CODE + 4, false, CODE + 12],
    [CODE, true, VECTORS_EL1 + FROM_SAME + IRQ],
    [CODE, false, CODE + 8],
  ] as const) {
    rig.vcpu.setInterruptLine(line);
    rig.state.pc = BigInt(from);
    rig.pstate(EL1H | DAIF).vcpu.writeState(rig.state);
    rig.vcpu.run({ instructions: 2, nanoseconds: 1e9 });
    rig.more(0);
    assert.is(hex(rig.pc), hex(pc));
  }
  assert.is(rig.state.x(0), 7n);
});

test('SError is taken once', async () => {
  const rig = await Rig.create();
  rig.pstate(EL1H | 0x100).run([A.NOP], 0);
  rig.vcpu.injectNmi();
  rig.more(1);
  assert.is(rig.pc, CODE + 4);
  rig.pstate(EL1H).run([A.NOP], 1);
  assert.is(hex(rig.pc), hex(VECTORS_EL1 + FROM_SAME + SERROR));
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x2f)));
  rig.pstate(EL1H).run([A.NOP], 1);
  assert.is(rig.pc, CODE + 4);
});

test('WFI waits for an interrupt, masked or not', async () => {
  const rig = await Rig.create();
  rig.load(CODE, [A.WFI, A.movz(0, 9)]);
  rig.pstate(EL1H | DAIF);
  rig.vcpu.writeState(rig.state);
  const slice = { instructions: 10, nanoseconds: 1e9 };
  assert.is(rig.vcpu.run(slice).reason, 'halt');
  assert.is(rig.vcpu.run(slice).reason, 'halt');
  rig.vcpu.setInterruptLine(true);
  assert.is(rig.vcpu.run({ instructions: 1, nanoseconds: 1e9 }).reason, 'slice-end');
  rig.more(0);
  assert.is(rig.state.x(0), 9n);
});

test('HVC and SMC call the firmware where there is no EL2', async () => {
  const rig = await Rig.create();
  rig
    .x(0, 0x84000000)
    .x(1, 3)
    .pstate(EL1H)
    .run([A.hvc(0), A.addImm(5, 0, 0), A.smc(0)]);
  assert.equal(rig.log, ['psci 84000000 3', 'psci 77 3']);
  assert.is(rig.state.x(5), 0x77n);
  assert.is(rig.pc, CODE + 12);
});

test('device accesses: sizes, two halves of 64 bits, and an address where nobody answers', async () => {
  const rig = await Rig.create();
  rig.x(1, 0x09000000).x(2, 0x0b000000).x(3, 0xaabbccdd11223344n);
  rig.pstate(EL1H).run([A.ldrW(0, 1), A.strB(3, 1), A.strX(3, 1), A.ldrX(4, 2)]);
  assert.equal(rig.log, [
    'read 9000000 4',
    'write 9000000 1 44',
    'write 9000000 4 11223344',
    'write 9000004 4 aabbccdd',
    'read b000000 4',
    'read b000004 4',
  ]);
  assert.is(hex(rig.state.x(0)), '12345678');
  // Synchronous external abort.
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x10)));
  assert.is(hex(rig.get(L.S_FAR_EL1)), 'b000000');
  assert.is(rig.state.x(4), 0n);
});

test('fetching where there is no memory', async () => {
  const rig = await Rig.create();
  rig
    .x(1, 0x09000000)
    .pstate(EL0)
    .run([A.br(1)], 2);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x20, 0x10)));
});

test('stack pointers and SPSel', async () => {
  const rig = await Rig.create();
  rig.set(L.S_SP_EL0, 0x100).set(L.S_SP, 0x200);
  rig
    .pstate(EL1H)
    .run([A.mrs(0, 'SP_EL0'), A.msrSpsel(0), A.addImm(1, 31, 1), A.mrs(2, 'SPSel'), A.msrSpsel(1), A.addImm(3, 31, 2)]);
  assert.is(rig.state.x(0), 0x100n);
  assert.is(rig.state.x(1), 0x101n);
  assert.is(rig.state.x(2), 0n);
  assert.is(rig.state.x(3), 0x202n);
});

test.run();
