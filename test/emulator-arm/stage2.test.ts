// Stage 2: intermediate physical addresses, faults to EL2 with HPFAR_EL2, syndromes for device emulation
// (Arm ARM D5.2, D5.4, D13.2.37).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import * as A from './a64.js';
import { CODE, DATA, EL0, EL1H, EL2H, esr, FROM_LOWER, hex, RAM, Rig, VECTORS_EL1, VECTORS_EL2 } from './rig.js';
import { AF, type Granule, S2_NORMAL, S2_READ, S2_WRITE, S2_XN, Tables, USER } from './tables.js';

const RW = S2_READ | S2_WRITE | S2_NORMAL | AF;
const HCR_VM = 1n | (1n << 31n);
const HCR_PTW = 1n << 2n;
/** Start level by VTCR_EL2.SL0. */
const SL0 = (granule: Granule, start: number) => (granule === 12 ? 2 - start : 3 - start);

/** Stage 2 on for 40-bit addresses; RAM is mapped where it is but for the page at DATA. */
async function guest(): Promise<[Rig, Tables]> {
  const rig = await Rig.create({ el2: true });
  const tables = new Tables(rig, 12, 1, 40);
  for (const at of [CODE, VECTORS_EL1]) tables.map(BigInt(at), at, RW);
  const start = BigInt(SL0(12, 1));
  rig.set(L.S_VTCR_EL2, (1n << 31n) | 24n | (start << 6n) | (2n << 16n)).set(L.S_VTTBR_EL2, tables.root);
  rig.set(L.S_HCR_EL2, HCR_VM);
  return [rig, tables];
}

const IPA = 0x1234567000n;

test('an IPA goes through stage 2', async () => {
  const [rig, tables] = await guest();
  tables.map(IPA, DATA, RW);
  rig.memory.writeU64(DATA + 8, 0x55n);
  rig
    .x(1, IPA)
    .pstate(EL1H)
    .run([A.ldrX(0, 1, 8), A.strX(0, 1, 16)]);
  assert.is(rig.state.x(0), 0x55n);
  assert.is(rig.memory.readU64(DATA + 16), 0x55n);
  // EL2 is not translated by it.
  rig
    .x(1, DATA)
    .pstate(EL2H)
    .run([A.ldrX(0, 1, 16)]);
  assert.is(rig.state.x(0), 0x55n);
});

test('faults go to EL2 with HPFAR_EL2 and, for single registers, what the access was', async () => {
  const ISV = 1 << 24;
  const SF = 1 << 15;
  const cases: [string, number, number][] = [
    ['ldr x3', A.ldrX(3, 1), ISV | (3 << 22) | (3 << 16) | SF],
    ['str x5', A.strX(5, 1), ISV | (3 << 22) | (5 << 16) | SF | 0x40],
    ['ldr w7', A.ldrW(7, 1), ISV | (2 << 22) | (7 << 16)],
    ['strb wzr', A.strB(31, 1), ISV | (31 << 16) | 0x40],
    ['ldrsb w2', A.ldrsbW(2, 1), ISV | (1 << 21) | (2 << 16)],
    ['ldrh with write-back', A.ldrhPost(2, 1, 2), 0],
    ['ldxr', A.ldxrX(2, 1), 0],
  ];
  for (const [name, word, iss] of cases) {
    const [rig] = await guest();
    rig
      .x(1, IPA + 0x128n)
      .pstate(EL1H)
      .run([word]);
    assert.is(hex(rig.pc), hex(VECTORS_EL2 + FROM_LOWER), name);
    // The first table has nothing: translation fault, level 1.
    assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x24, iss | 5)), name);
    assert.is(hex(rig.get(L.S_FAR_EL2)), hex(IPA + 0x128n), name);
    assert.is(hex(rig.get(L.S_HPFAR_EL2)), hex((IPA >> 12n) << 4n), name);
    assert.is(rig.state.x(1), IPA + 0x128n, name);
  }
});

test('kinds of faults and their levels', async () => {
  const at = (rig: Rig, mode: number, word: number) => {
    rig
      .x(1, IPA)
      .pstate(mode)
      .run([word], word === A.br(1) ? 2 : 1);
    return hex(rig.get(L.S_ESR_EL2) & 0x7fn);
  };
  const [rig, tables] = await guest();
  tables.map(IPA, DATA, RW & ~AF);
  assert.is(at(rig, EL1H, A.ldrX(0, 1)), hex(0xb));
  tables.map(IPA, DATA, RW & ~S2_READ);
  assert.is(at(rig, EL0, A.ldrX(0, 1)), hex(0xf));
  tables.map(IPA, DATA, RW & ~S2_WRITE);
  assert.is(at(rig, EL0, A.strX(0, 1)), hex(0x4f));
  tables.map(IPA, DATA, RW | S2_XN);
  assert.is(at(rig, EL0, A.br(1)), hex(0xf));
  assert.is(Number(rig.get(L.S_ESR_EL2) >> 26n), 0x20);
  tables.map(IPA, 1n << 41n, RW);
  assert.is(at(rig, EL0, A.ldrX(0, 1)), hex(3));
  tables.map(IPA & ~0x1fffffn, RAM, RW & ~S2_READ, 2);
  assert.is(at(rig, EL0, A.ldrX(0, 1)), hex(0xe));
  // Beyond 40 bits.
  rig
    .x(1, 1n << 40n)
    .pstate(EL1H)
    .run([A.ldrX(0, 1)]);
  assert.is(hex(rig.get(L.S_ESR_EL2) & 0x7fn), '4');
});

test('stage 1 comes first, and its own tables go through stage 2', async () => {
  const [rig, stage2] = await guest();
  const stage1 = new Tables(rig, 12, 0);
  const va = 0x5000n;
  stage1.map(BigInt(CODE), CODE, AF | (1n << 7n) | USER).map(va, IPA, AF | USER);
  // Stage 1 is not mapped by stage 2 yet: S1PTW, FAR is the guest's address, HPFAR that of the descriptor.
  rig.set(L.S_TCR_EL1, 16n | (1n << 23n) | (16n << 16n) | (2n << 32n)).set(L.S_TTBR0_EL1, stage1.root);
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | 1).x(1, va);
  rig.pstate(EL1H).run([A.ldrX(0, 1)]);
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x20, 0x87)));
  assert.is(hex(rig.get(L.S_FAR_EL2)), hex(CODE));
  assert.is(hex(rig.get(L.S_HPFAR_EL2)), hex((BigInt(stage1.root) >> 12n) << 4n));
  // Map the tables; now the data's IPA faults.
  for (let at = 0; at < 16; at++) stage2.map(BigInt(stage1.root + at * 4096), stage1.root + at * 4096, RW);
  rig.pstate(EL1H).run([A.ldrX(0, 1, 8)]);
  assert.is(hex(rig.get(L.S_ESR_EL2) & 0xffn), '5');
  assert.is(hex(rig.get(L.S_FAR_EL2)), hex(va + 8n));
  assert.is(hex(rig.get(L.S_HPFAR_EL2)), hex((IPA >> 12n) << 4n));
  stage2.map(IPA, DATA, RW);
  rig.memory.writeU64(DATA + 8, 77n);
  rig.pstate(EL1H).run([A.ldrX(0, 1, 8)]);
  assert.is(rig.state.x(0), 77n);
  // A stage 1 fault stays with EL1.
  rig
    .set(L.S_ESR_EL2, 0)
    .x(1, 0x6000)
    .pstate(EL1H)
    .run([A.ldrX(0, 1)]);
  assert.is(hex(rig.get(L.S_ESR_EL1) & 0xfc00007fn), hex((0x25n << 26n) | 7n));
  assert.is(rig.get(L.S_ESR_EL2), 0n);
});

test('HCR_EL2.PTW: a table in device memory', async () => {
  const [rig, stage2] = await guest();
  const stage1 = new Tables(rig, 12, 0);
  stage1.map(BigInt(CODE), CODE, AF | (1n << 7n));
  for (let at = 0; at < 16; at++) stage2.map(BigInt(stage1.root + at * 4096), stage1.root + at * 4096, RW & ~S2_NORMAL);
  rig.set(L.S_TCR_EL1, 16n | (1n << 23n) | (16n << 16n) | (2n << 32n)).set(L.S_TTBR0_EL1, stage1.root);
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | 1);
  rig.pstate(EL1H).run([A.movz(0, 1)]);
  assert.is(rig.state.x(0), 1n);
  rig
    .set(L.S_HCR_EL2, HCR_VM | HCR_PTW)
    .pstate(EL1H)
    .run([A.movz(0, 2)], 1);
  assert.is(hex(rig.get(L.S_ESR_EL2)), hex(esr(0x20, 0x8f)));
});

test('granules, start levels, concatenated tables', async () => {
  const cases: [Granule, number, number][] = [
    [12, 0, 44],
    [12, 1, 40],
    [12, 1, 32],
    [12, 2, 33],
    [14, 1, 40],
    [14, 2, 40],
    [16, 1, 44],
    [16, 2, 40],
  ];
  for (const [granule, start, inputBits] of cases) {
    const rig = await Rig.create({ el2: true });
    // Concatenated tables lie one after the other: take sixteen pages' worth of room.
    const tables = new Tables(rig, granule, start, inputBits);
    for (let i = 0; i < 15; i++) new Tables(rig, granule, start, inputBits);
    const page = (at: number) => at - (at % (1 << granule));
    tables.map(BigInt(page(CODE)), page(CODE), RW);
    const ipa = (1n << BigInt(inputBits - 1)) + 0x40000n;
    tables.map(ipa, page(DATA), RW);
    rig.memory.writeU64(DATA, 9n);
    const tg = granule === 12 ? 0n : granule === 14 ? 2n : 1n;
    const vtcr = (1n << 31n) | BigInt(64 - inputBits) | (BigInt(SL0(granule, start)) << 6n) | (tg << 14n) | (4n << 16n);
    rig.set(L.S_VTCR_EL2, vtcr).set(L.S_VTTBR_EL2, tables.root).set(L.S_HCR_EL2, HCR_VM);
    rig
      .x(1, ipa + BigInt(DATA - page(DATA)))
      .pstate(EL1H)
      .run([A.ldrX(0, 1)], 1);
    assert.is(rig.state.x(0), 9n, `granule ${granule} start ${start} input ${inputBits}`);
    // Physical addresses have 44 bits, so that stage 1 would complain first.
    if (inputBits === 44) continue;
    rig
      .x(1, 1n << BigInt(inputBits))
      .pstate(EL1H)
      .run([A.ldrX(0, 1)], 1);
    assert.is(hex(rig.get(L.S_ESR_EL2) & 0x3fn), '4');
  }
});

test('AT for both stages', async () => {
  const [rig, stage2] = await guest();
  stage2.map(IPA, DATA, RW & ~S2_WRITE);
  const at = (operation: string) => {
    rig
      .x(1, IPA)
      .pstate(EL2H)
      .run([A.sys(operation, 1), A.mrs(2, 'PAR_EL1')]);
    return rig.state.x(2);
  };
  assert.is(hex(at('AT S12E1R') & 0xfffffffff001n), hex(DATA));
  assert.is(hex(at('AT S1E1R') & 0xfffffffff001n), hex(IPA));
  // F, FST, S.
  assert.is(hex(at('AT S12E1W')), hex(0x801 | (0xf << 1) | (1 << 9)));
});

test.run();
