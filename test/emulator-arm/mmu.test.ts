// Stage 1 of VMSAv8-64: faults with their levels, rights, granules, both ends of the address space (Arm ARM D5).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import * as A from './a64.js';
import { CODE, DATA, EL0, EL1H, esr, hex, RAM, Rig, VECTORS_EL1 } from './rig.js';
import {
  AF,
  type Granule,
  NG,
  PXN,
  READ_ONLY,
  TABLE_NO_USER,
  TABLE_PXN,
  TABLE_READ_ONLY,
  TABLE_UXN,
  Tables,
  USER,
  UXN,
} from './tables.js';

const MMU_ON = L.SCTLR_EL1_RES1 | L.SCTLR_EL1_SPAN | 1;
const WXN = 1 << 19;
const TG0 = { 12: 0, 14: 2, 16: 1 } as const;
const TG1 = { 12: 2, 14: 1, 16: 3 } as const;

/** Code and vectors are mapped where they are, for both levels. */
async function mapped(granule: Granule = 12, sctlr = MMU_ON): Promise<[Rig, Tables]> {
  const rig = await Rig.create();
  const tables = new Tables(rig, granule, granule === 16 ? 1 : 0);
  const size = 1 << granule;
  const page = (at: number) => at - (at % size);
  tables.map(BigInt(page(CODE)), page(CODE), AF | USER | READ_ONLY);
  tables.map(BigInt(page(VECTORS_EL1)), page(VECTORS_EL1), AF | READ_ONLY);
  // T0SZ 16, IPS 44 bits; the high half off.
  rig.set(L.S_TCR_EL1, 16n | (BigInt(TG0[granule]) << 14n) | (1n << 23n) | (16n << 16n) | (4n << 32n));
  rig.set(L.S_TTBR0_EL1, tables.root).set(L.S_SCTLR_EL1, sctlr).set(L.S_MAIR_EL1, 0xff);
  return [rig, tables];
}

const VA = 0x123456789000n;

/** Outcome of one instruction with X1 = address: 'ok', or the fault status code in ESR_EL1. */
function attempt(rig: Rig, mode: number, word: number, va: bigint): string {
  rig.set(L.S_ESR_EL1, 0).x(1, va).pstate(mode).run([word], 1);
  const syndrome = rig.get(L.S_ESR_EL1);
  if (syndrome === 0n) return 'ok';
  assert.is(hex(rig.get(L.S_FAR_EL1)), hex(va));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE));
  return hex(syndrome & 0x1ffffffn);
}

const READ = A.ldrX(0, 1);
const WRITE = A.strX(0, 1);

test('a page, its data, and the abort when it is not there', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF | USER);
  rig.memory.writeU64(DATA + 0x10, 0x1122334455667788n);
  assert.is(attempt(rig, EL0, READ, VA + 0x10n), 'ok');
  assert.is(rig.state.x(0), 0x1122334455667788n);
  assert.is(attempt(rig, EL0, WRITE, VA + 0x20n), 'ok');
  assert.is(rig.memory.readU64(DATA + 0x20), 0x1122334455667788n);
  // The next page's descriptor is invalid.
  assert.is(attempt(rig, EL0, READ, VA + 0x1000n), '7');
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x24, 7)));
  assert.is(attempt(rig, EL1H, WRITE, VA + 0x1000n), '47');
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x47)));
});

test('translation faults name the level', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF);
  assert.is(attempt(rig, EL1H, READ, VA + (1n << 39n)), '4');
  assert.is(attempt(rig, EL1H, READ, VA + (1n << 30n)), '5');
  assert.is(attempt(rig, EL1H, READ, VA + (1n << 21n)), '6');
  assert.is(attempt(rig, EL1H, READ, VA + (1n << 12n)), '7');
  // Reserved at level 3 and 0: what is a block elsewhere.
  rig.memory.writeU64(tables.entry(VA, 3), BigInt(DATA) | AF | 1n);
  assert.is(attempt(rig, EL1H, READ, VA), '7');
  rig.memory.writeU64(tables.entry(VA, 0), AF | 1n);
  assert.is(attempt(rig, EL1H, READ, VA), '4');
});

test('addresses beyond the table, and the high half with EPD1', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF);
  assert.is(attempt(rig, EL1H, READ, 0x0001000000000000n), '4');
  assert.is(attempt(rig, EL1H, READ, 0xffff000000000000n), '4');
  assert.is(attempt(rig, EL1H, READ, VA | (0xabn << 56n)), '4');
  // TBI0: the top byte is ignored.
  rig.set(L.S_TCR_EL1, rig.get(L.S_TCR_EL1) | (1n << 37n));
  assert.is(attempt(rig, EL1H, READ, VA | (0xabn << 56n)), 'ok');
  // EPD0.
  rig.set(L.S_TCR_EL1, rig.get(L.S_TCR_EL1) | (1n << 7n));
  rig.x(1, VA).pstate(EL1H).run([READ], 1);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x21, 4)));
});

test('the high half has its own table, size and granule', async () => {
  const [rig] = await mapped();
  const high = new Tables(rig, 14, 1, 47);
  const va = 0xffff800000000000n + 0x7654321000n;
  const page = va & ~0x3fffn;
  high.map(page, DATA & ~0x3fff, AF);
  const tcr = (rig.get(L.S_TCR_EL1) & ~((1n << 23n) | (63n << 16n))) | (17n << 16n) | (BigInt(TG1[14]) << 30n);
  rig.set(L.S_TCR_EL1, tcr).set(L.S_TTBR1_EL1, high.root);
  assert.is(attempt(rig, EL1H, READ, page + 8n), 'ok');
  assert.is(attempt(rig, EL0, READ, page + 8n), 'f');
  assert.is(attempt(rig, EL1H, READ, page + 0x4000n), '7');
  // With T1SZ 17 an address has to have bits 63 to 47 set.
  assert.is(attempt(rig, EL1H, READ, 0xffff000000000000n), '4');
});

test('blocks and pages of every granule', async () => {
  const cases: [Granule, number, bigint][] = [
    [12, 1, 1n << 30n],
    [12, 2, 1n << 21n],
    [12, 3, 1n << 12n],
    [14, 2, 1n << 25n],
    [14, 3, 1n << 14n],
    [16, 2, 1n << 29n],
    [16, 3, 1n << 16n],
  ];
  for (const [granule, level, size] of cases) {
    const [rig, tables] = await mapped(granule);
    const va = 0x7f0000000000n & ~(size - 1n);
    const pa = BigInt(DATA) & ~(size - 1n);
    tables.map(va, pa, AF, level);
    const at = va + (BigInt(DATA) & (size - 1n)) + 0x18n;
    rig.memory.writeU64(DATA + 0x18, 0xabcdn);
    assert.is(attempt(rig, EL1H, READ, at), 'ok', `granule ${granule} level ${level}`);
    assert.is(rig.state.x(0), 0xabcdn);
    assert.is(attempt(rig, EL0, READ, at), hex(0xc + level));
    // Access flag clear.
    tables.map(va, pa, 0n, level);
    assert.is(attempt(rig, EL1H, READ, at), hex(8 + level));
  }
});

test('blocks where a granule has none', async () => {
  for (const [granule, level] of [
    [14, 1],
    [16, 1],
  ] as const) {
    const [rig, tables] = await mapped(granule);
    const va = 0x7f0000000000n;
    tables.map(va, 0, AF, level);
    assert.is(attempt(rig, EL1H, READ, va), hex(4 + level));
  }
});

test('address size faults', async () => {
  const [rig, tables] = await mapped();
  // IPS 0: 32 bits.
  rig.set(L.S_TCR_EL1, rig.get(L.S_TCR_EL1) & ~(7n << 32n));
  tables.map(VA, 1n << 32n, AF);
  assert.is(attempt(rig, EL1H, READ, VA), '3');
  rig.memory.writeU64(tables.entry(VA, 1), (1n << 33n) | 3n);
  assert.is(attempt(rig, EL1H, READ, VA), '1');
  rig
    .set(L.S_TTBR0_EL1, 1n << 34n)
    .x(1, VA)
    .pstate(EL1H)
    .run([READ], 1);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x21, 0)));
});

test('a descriptor that is not in memory is an external abort on the walk', async () => {
  const [rig, tables] = await mapped();
  rig.memory.writeU64(tables.entry(VA, 1), 0x1000n | 3n);
  assert.is(attempt(rig, EL1H, READ, VA), '16');
});

test('rights of data accesses', async () => {
  // AP, then what EL1 and EL0 may: r, w.
  const cases: [bigint, string, string][] = [
    [0n, 'rw', ''],
    [USER, 'rw', 'rw'],
    [READ_ONLY, 'r', ''],
    [READ_ONLY | USER, 'r', 'r'],
  ];
  for (const [ap, privileged, user] of cases) {
    const [rig, tables] = await mapped();
    tables.map(VA, DATA, AF | ap);
    for (const [mode, may] of [
      [EL1H, privileged],
      [EL0, user],
    ] as const) {
      assert.is(attempt(rig, mode, READ, VA), may.includes('r') ? 'ok' : 'f', `read ${ap} ${mode}`);
      assert.is(attempt(rig, mode, WRITE, VA), may.includes('w') ? 'ok' : '4f', `write ${ap} ${mode}`);
    }
    // Unprivileged loads at EL1 have EL0's rights.
    assert.is(attempt(rig, EL1H, A.ldtrX(0, 1), VA), user.includes('r') ? 'ok' : 'f');
    // Under PAN what EL0 may access EL1 may not; unprivileged loads may.
    const pan = ap & USER ? 'f' : 'ok';
    assert.is(attempt(rig, EL1H | L.PSTATE_PAN, READ, VA), pan);
    assert.is(attempt(rig, EL1H | L.PSTATE_PAN, A.ldtrX(0, 1), VA), user.includes('r') ? 'ok' : 'f');
  }
});

test('rights to execute', async () => {
  // Attributes, WXN, may EL1, may EL0.
  const cases: [bigint, boolean, boolean, boolean][] = [
    [0n, false, true, true],
    [USER, false, false, true],
    [READ_ONLY | USER, false, true, true],
    [READ_ONLY | PXN | USER, false, false, true],
    [READ_ONLY | UXN | USER, false, true, false],
    [0n, true, false, true],
    [READ_ONLY, true, true, true],
    [USER, true, false, false],
  ];
  for (const [attributes, wxn, privileged, user] of cases) {
    for (const [mode, may] of [
      [EL1H, privileged],
      [EL0, user],
    ] as const) {
      const [rig, tables] = await mapped(12, MMU_ON | (wxn ? WXN : 0));
      rig.load(DATA, [A.movz(0, 77)]);
      tables.map(VA, DATA, AF | attributes);
      rig
        .x(1, VA)
        .pstate(mode)
        .run([A.br(1)], 2);
      if (may) assert.is(rig.state.x(0), 77n, `${attributes} ${wxn} ${mode}`);
      else {
        assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(mode === EL0 ? 0x20 : 0x21, 0xf)), `${attributes} ${wxn} ${mode}`);
        assert.is(hex(rig.get(L.S_FAR_EL1)), hex(VA));
        assert.is(hex(rig.get(L.S_ELR_EL1)), hex(VA));
      }
    }
  }
});

test('table descriptors take rights away', async () => {
  const cases: [bigint, number, number, string][] = [
    [TABLE_NO_USER, EL0, READ, 'f'],
    [TABLE_NO_USER, EL1H, WRITE, 'ok'],
    [TABLE_READ_ONLY, EL1H, WRITE, '4f'],
    [TABLE_READ_ONLY, EL0, READ, 'ok'],
  ];
  for (const [limit, mode, word, outcome] of cases) {
    const [rig, tables] = await mapped();
    tables.map(VA, DATA, AF | USER);
    const at = tables.entry(VA, 1);
    rig.memory.writeU64(at, rig.memory.readU64(at) | limit);
    assert.is(attempt(rig, mode, word, VA), outcome);
  }
  for (const [limit, mode] of [
    [TABLE_PXN, EL1H],
    [TABLE_UXN, EL0],
  ] as const) {
    const [rig, tables] = await mapped();
    tables.map(VA, DATA, AF | USER | READ_ONLY);
    const at = tables.entry(VA, 2);
    rig.memory.writeU64(at, rig.memory.readU64(at) | limit);
    rig
      .x(1, VA)
      .pstate(mode)
      .run([A.br(1)], 2);
    assert.is(rig.get(L.S_ESR_EL1) & 0x3fn, 0xfn);
  }
});

test('an access that crosses pages faults at the second one, and nothing is written', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF);
  rig
    .x(0, -1n)
    .x(1, VA + 0xffcn)
    .pstate(EL1H)
    .run([WRITE], 1);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x47)));
  assert.is(hex(rig.get(L.S_FAR_EL1)), hex(VA + 0x1000n));
  assert.is(rig.memory.readU32(DATA + 0xffc), 0);
  tables.map(VA + 0x1000n, DATA + 0x4000, AF);
  rig.pstate(EL1H).run([WRITE], 1);
  assert.is(rig.memory.readU32(DATA + 0xffc), 0xffffffff);
  assert.is(rig.memory.readU32(DATA + 0x4000), 0xffffffff);
});

test('changes of a table are seen after TLBI, of TTBR0_EL1 at once', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF | NG);
  rig.memory.writeU64(DATA, 1n);
  rig.memory.writeU64(DATA + 0x1000, 2n);
  // X3: the descriptor's address, mapped; X4: its new value; X5: page number.
  tables.map(0x1000n, tables.entry(VA, 3) & ~0xfff, AF);
  rig.x(1, VA).x(3, 0x1000n + BigInt(tables.entry(VA, 3) & 0xfff));
  rig.x(4, BigInt(DATA + 0x1000) | AF | NG | 3n).x(5, VA >> 12n);
  rig.pstate(EL1H).run([READ, A.strX(4, 3), A.sys('TLBI VAE1', 5), A.ldrX(6, 1)]);
  assert.is(rig.state.x(0), 1n);
  assert.is(rig.state.x(6), 2n);
  const other = new Tables(rig, 12, 0);
  other.map(BigInt(CODE), CODE, AF | READ_ONLY).map(VA, DATA, AF | NG);
  rig.x(7, other.root);
  rig.run([READ, A.msr('TTBR0_EL1', 7), A.ldrX(6, 1)]);
  assert.is(rig.state.x(0), 2n);
  assert.is(rig.state.x(6), 1n);
});

test('TLBI by address drops all of a block', async () => {
  const [rig, tables] = await mapped();
  const va = 0x40000000000n;
  tables.map(va, RAM, AF, 2);
  tables.map(0x1000n, tables.entry(va, 2) & ~0xfff, AF);
  rig.memory.writeU64(DATA, 5n);
  rig
    .x(1, va + BigInt(DATA - RAM))
    .x(3, 0x1000n + BigInt(tables.entry(va, 2) & 0xfff))
    .x(4, 0)
    .x(5, va >> 12n);
  rig.pstate(EL1H).run([READ, A.strX(4, 3), A.sys('TLBI VAE1', 5), A.ldrX(6, 1)]);
  assert.is(rig.state.x(0), 5n);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 6)));
});

test('a jump to another page follows a change of its mapping', async () => {
  const [rig, tables] = await mapped();
  const page = BigInt(CODE + 0x1000);
  const code = AF | READ_ONLY | NG;
  tables.map(page, DATA, code);
  tables.map(0x1000n, tables.entry(page, 3) & ~0xfff, AF);
  // B to the page; three times from and to there, each time by the same blocks; then BR X10.
  const [toPage, back] = [0x14000400, 0x17fffc00];
  const [subX9, cbnzX9] = [0xd1000529, 0xb5ffffc9];
  rig.load(CODE, [toPage, subX9, cbnzX9, A.br(10)]);
  rig.load(DATA, [A.movz(0, 1), back]).load(DATA + 0x1000, [A.movz(0, 2), back]);
  // The page is mapped elsewhere; once again.
  const toStart = 0x17ffffec;
  rig.load(CODE + 0x40, [A.strX(4, 3), A.sys('TLBI VAE1', 5), A.movz(9, 1), A.addImm(10, 11, 0), toStart]);
  rig.load(CODE + 0x80, [A.STOP]);
  rig.x(3, 0x1000n + BigInt(tables.entry(page, 3) & 0xfff));
  rig.x(4, BigInt(DATA + 0x1000) | code | 3n).x(5, page >> 12n);
  rig
    .x(9, 3)
    .x(10, CODE + 0x40)
    .x(11, CODE + 0x80);
  rig.state.pc = BigInt(CODE);
  rig.pstate(EL1H).vcpu.writeState(rig.state);
  const steps = 3 * 5 + 1 + 5;
  rig.vcpu.run({ instructions: steps, nanoseconds: 1e9 });
  rig.more(0);
  assert.is(hex(rig.pc), hex(CODE));
  assert.is(rig.state.x(0), 1n);
  rig.vcpu.run({ instructions: 6, nanoseconds: 1e9 });
  rig.more(0);
  assert.is(hex(rig.pc), hex(CODE + 0x80));
  assert.is(rig.state.x(0), 2n);
});

test('exceptions to EL1 set PAN unless SPAN', async () => {
  for (const span of [false, true]) {
    const [rig] = await mapped(12, span ? MMU_ON : MMU_ON & ~L.SCTLR_EL1_SPAN);
    rig.pstate(EL0).run([A.svc(0)]);
    assert.is((rig.state.pstate & L.PSTATE_PAN) !== 0, !span);
    assert.is(hex(rig.get(L.S_SPSR_EL1)), '0');
  }
});

test('MSR PAN takes effect at once', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF | USER);
  rig
    .x(1, VA)
    .pstate(EL1H)
    .run([A.msrPan(1), A.mrs(2, 'PAN'), A.msrPan(0), READ, A.msrPan(1), READ]);
  assert.is(hex(rig.state.x(2)), hex(L.PSTATE_PAN));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 20));
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0xf)));
});

test('AT writes PAR_EL1', async () => {
  const [rig, tables] = await mapped();
  tables.map(VA, DATA, AF | READ_ONLY | (3n << 8n));
  const par = (operation: string, va: bigint) => {
    rig
      .x(1, va)
      .pstate(EL1H)
      .run([A.sys(operation, 1), A.mrs(2, 'PAR_EL1')]);
    assert.is(rig.get(L.S_ESR_EL1), 0n);
    return hex(rig.state.x(2));
  };
  assert.is(par('AT S1E1R', VA + 0x123n), hex((0xffn << 56n) | BigInt(DATA) | 0xa00n | (3n << 7n)));
  assert.is(par('AT S1E1W', VA), hex(0x801 | (0xf << 1)));
  assert.is(par('AT S1E0R', VA), hex(0x801 | (0xf << 1)));
  assert.is(par('AT S1E1R', VA + 0x1000n), hex(0x801 | (7 << 1)));
});

test('cache maintenance by address faults as a write, with CM', async () => {
  const [rig, tables] = await mapped(12, MMU_ON | (1 << 26));
  tables.map(VA, DATA, AF | USER | READ_ONLY);
  assert.is(attempt(rig, EL0, A.sys('DC CVAC', 1), VA), 'ok');
  assert.is(attempt(rig, EL0, A.sys('DC CVAC', 1), VA + 0x1000n), hex(0x147));
  assert.is(attempt(rig, EL1H, A.sys('DC IVAC', 1), VA), hex(0x14f));
  assert.is(attempt(rig, EL1H, A.sys('DC ZVA', 1), VA + 8n), hex(0x4f));
});

test('with stage 1 off addresses are physical, up to their size', async () => {
  const rig = await Rig.create();
  rig.memory.writeU64(DATA, 3n);
  rig.x(1, DATA).pstate(EL0).run([READ], 1);
  assert.is(rig.state.x(0), 3n);
  rig
    .x(1, 1n << 44n)
    .pstate(EL0)
    .run([READ], 1);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x24, 0)));
});

test.run();
