// Compiled code of two pages, one of which has not been executed since the translations were dropped.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { CODE, DATA, EL1H, Rig } from './rig.js';
import { AF, PXN, READ_ONLY, Tables } from './tables.js';

const FAR = BigInt(CODE + 0x40000);
const MMU_ON = L.SCTLR_EL1_RES1 | L.SCTLR_EL1_SPAN | 1;
/** T0SZ 16, IPS 44 bits, 4 KB granule; the high half off. */
const TCR = 16n | (1n << 23n) | (16n << 16n) | (4n << 32n);
const ROUNDS = 2100;
/** 14 and seven for each of 40 times in a round; two more in those of the last one. */
const INSTRUCTIONS = ROUNDS * (14 + 40 * 7) + 80;

/** In each round X9, in the last 2000 X10, in the last one X11 is written to the far page's descriptor, then TLBI VMALLE1. */
const MAIN = [
  0x711f419f, // main: CMP W12, #2000
  0x9a8a8120, // CSEL X0, X9, X10, HI
  0x7100059f, // CMP W12, #1
  0x9a800160, // CSEL X0, X11, X0, EQ
  0xf9000100, // STR X0, [X8]
  0xd5033b9f, // DSB ISH
  0xd508871f, // TLBI VMALLE1
  0xd5033b9f, // DSB ISH
  0xd5033fdf, // ISB
  0x94000004, // BL function
  0x7100058c, // SUBS W12, W12, #1
  0x54fffea1, // B.NE main
  0x14000000, // B .
  0x52800501, // function: MOV W1, #40
  0x91000c42, // loop: ADD X2, X2, #3
  0x711f419f, // CMP W12, #2000
  0x541ffe08, // B.HI far
  0x7100059f, // CMP W12, #1
  0x541ffdc0, // B.EQ far
  0x71000421, // back: SUBS W1, W1, #1
  0x54ffff41, // B.NE loop
  0xd65f03c0, // RET
];
/** far: ADD X2, X2, #imm; B back */
const far = (imm: number): number[] => [0x91000042 | (imm << 10), 0x17ff0012];

const [FIVE, SEVEN] = [DATA, DATA + 0x1000];
const page = (pa: number, attributes = 0n): bigint => BigInt(pa) | AF | READ_ONLY | attributes | 3n;

/** X2 at the end, and the share of the instructions that were executed in regions. */
async function run(descriptors: readonly bigint[], jit?: JitOptions): Promise<[bigint, number]> {
  const rig = await Rig.create({ jit });
  const tables = new Tables(rig, 12, 0);
  const at = tables.entry(FAR, 3);
  tables.map(BigInt(CODE), CODE, AF | READ_ONLY);
  const written = at & ~0xfff;
  tables.map(BigInt(written), written, AF | PXN);
  rig.set(L.S_TCR_EL1, TCR).set(L.S_TTBR0_EL1, tables.root).set(L.S_SCTLR_EL1, MMU_ON).set(L.S_MAIR_EL1, 0xff);
  rig.load(CODE, MAIN).load(FIVE, far(5)).load(SEVEN, far(7)).pstate(EL1H);
  rig.x(8, at).x(12, ROUNDS);
  descriptors.forEach((descriptor, i) => {
    rig.x(9 + i, descriptor);
  });
  rig.vcpu.writeState(rig.state);
  rig.vcpu.run({ instructions: INSTRUCTIONS, nanoseconds: 1e9 });
  rig.more(0);
  assert.is(rig.pc, CODE + 4 * 12, 'at its end');
  return [rig.state.x(2), rig.vcpu.counters().details['jitInstructions'] / INSTRUCTIONS];
}

/** The same compiled as interpreted; `last` is what the last round adds in the far page. Returns that share. */
async function alike(descriptors: readonly bigint[], last: number): Promise<number> {
  const sum = 40n * BigInt(100 * (3 + 5) + 1999 * 3 + 3 + last);
  assert.is((await run(descriptors))[0], sum);
  let share = 0;
  for (const jit of [{ threshold: 1 }, { threshold: 20 }, { threshold: 0xffffffff, baseline: 10 }]) {
    const [found, compiled] = await run(descriptors, jit);
    assert.is(found, sum, JSON.stringify(jit));
    share = compiled;
  }
  return share;
}

test('a region is entered although one of its pages has not been executed since', async () => {
  const here = page(FIVE);
  const share = await alike([here, here, here], 5);
  assert.ok(share > 0.9, `${share} of the instructions`);
});

test('but not while that page may not be executed, is not mapped, or is another one', async () => {
  for (const between of [page(FIVE, PXN), page(FIVE) & ~AF, 0n, page(SEVEN)]) {
    const share = await alike([page(FIVE), between, page(SEVEN)], 7);
    assert.ok(share < 0.5, `${share} of the instructions, ${between.toString(16)}`);
  }
});

test.run();
