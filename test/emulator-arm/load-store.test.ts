// Loads, stores, exclusives and atomics: what a fault leaves as it was, alignment, the monitor, unallocated forms
// (Arm ARM B2, C6, D1.8.2).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { disassembleA64 } from '../../src/trace/disassemble-a64.js';
import * as A from './a64.js';
import { CODE, DATA, EL1H, esr, hex, Rig, VECTORS_EL1 } from './rig.js';
import { AF, READ_ONLY, Tables } from './tables.js';

const MMU_ON = L.SCTLR_EL1_RES1 | L.SCTLR_EL1_SPAN | 1;
/** One page that may be written, one that may be read, nothing, one that may be written. */
const VA = 0x7000000000n;

/** Interpreted, compiled in both ways; instructions in a slice. */
const RUNS: readonly [JitOptions | undefined, number][] = [
  [undefined, 1e6],
  [{ threshold: 1 }, 1e6],
  [{ threshold: 2 }, 77],
  [{ threshold: 0xffffffff, baseline: 1 }, 1e6],
  [{ threshold: 0xffffffff, baseline: 2 }, 77],
];

async function threePages(jit?: JitOptions): Promise<Rig> {
  const rig = await Rig.create({ jit });
  const tables = new Tables(rig, 12, 0);
  tables.map(BigInt(CODE), CODE, AF);
  tables.map(BigInt(VECTORS_EL1), VECTORS_EL1, AF);
  tables.map(VA, DATA, AF).map(VA + 0x1000n, DATA + 0x1000, AF | READ_ONLY);
  tables.map(VA + 0x3000n, DATA + 0x3000, AF);
  rig.set(L.S_TCR_EL1, 16n | (1n << 23n) | (16n << 16n) | (4n << 32n));
  rig.set(L.S_TTBR0_EL1, tables.root).set(L.S_SCTLR_EL1, MMU_ON).set(L.S_MAIR_EL1, 0xff);
  for (let i = 0; i < 0x2000; i += 8) rig.memory.writeU64(DATA + i, BigInt(i) * 0x0101n);
  return rig.pstate(EL1H);
}

// With X2 as base; registers transferred are X0 and X1, or as named.
const LDP = 0xa9400440;
const LDP_BASE_FIRST = 0xa9400442;
const LDP_BASE_SECOND = 0xa9400841;
const LDP_Q_POST = 0xacc10440;
const LDPSW = 0x69400440;
const LDR_PRE = 0xf8408c40;
const STP = 0xa9000440;
const STP_PRE = 0xa9bf0440;
const STP_Q = 0xad000440;
const STR_POST = 0xf8008440;
const LDXR = 0xc85f7c40;
const LDXP = 0xc87f1444;
const LDAXR_W = 0x885ffc40;
/** STXR W3, X1. */
const STXR = 0xc8037c41;
const STLXP = 0xc8238440;
const LDADD = 0xf8200041;
const LDSMAX_W = 0xb8204041;
const SWPB = 0x38208041;
/** CAS X4, X6; CASP W4, W5, W6, W7. */
const CAS = 0xc8a47c46;
const CASP_W = 0x08247c46;
const LDAR = 0xc8dffc40;
const STLR = 0xc89ffc40;

const name = (word: number) => disassembleA64(word, BigInt(CODE));

/** Executes `word` with X0–X7 = 0x1100 + n but X2 = address, and expects a data abort that changed nothing. */
async function expectAbort(word: number, address: bigint, iss: number, far: bigint): Promise<void> {
  const rig = await threePages();
  for (let n = 0; n < 8; n++) rig.x(n, 0x1100 + n);
  rig.x(2, address);
  const before = rig.memory.slice(DATA, 0x2000).slice();
  rig.run([word]);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, iss)), name(word));
  assert.is(hex(rig.get(L.S_FAR_EL1)), hex(far), name(word));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE), name(word));
  assert.is(rig.state.x(2), address, name(word));
  for (const n of [3, 4, 5, 6, 7]) assert.is(hex(rig.state.x(n)), hex(0x1100 + n), name(word));
  assert.equal(rig.memory.slice(DATA, 0x2000), before, name(word));
}

const LAST = VA + 0x1ff8n;
const END = VA + 0x2000n;

test('a load whose second part faults changes neither base nor memory', async () => {
  for (const word of [LDP, LDP_BASE_FIRST, LDP_BASE_SECOND, LDP_Q_POST]) await expectAbort(word, LAST, 7, END);
  await expectAbort(LDPSW, END - 4n, 7, END);
  await expectAbort(LDR_PRE, LAST, 7, END);
});

test('a store whose second part faults stores nothing', async () => {
  const readOnly = VA + 0x1000n;
  for (const word of [STP, STP_Q]) await expectAbort(word, readOnly - 8n, 0x4f, readOnly);
  await expectAbort(STP_PRE, readOnly + 8n, 0x4f, readOnly);
  await expectAbort(STR_POST, readOnly - 4n, 0x4f, readOnly);
});

test('atomics on a page that cannot be read report a load, on a read-only page a store', async () => {
  for (const word of [LDADD, LDSMAX_W, SWPB, CAS, CASP_W]) {
    await expectAbort(word, END, 7, END);
    await expectAbort(word, VA + 0x1000n, 0x4f, VA + 0x1000n);
  }
});

test('alignment that no setting waives', async () => {
  const cases: [number, bigint, boolean][] = [
    [LDXR, 4n, false],
    [LDXP, 8n, false],
    [LDAXR_W, 2n, false],
    [STXR, 4n, true],
    [STLXP, 8n, true],
    [LDADD, 4n, false],
    [LDSMAX_W, 2n, false],
    [CAS, 4n, false],
    [CASP_W, 4n, false],
    [LDAR, 1n, false],
    [STLR, 4n, true],
  ];
  for (const [word, offset, store] of cases) await expectAbort(word, VA + offset, store ? 0x61 : 0x21, VA + offset);
});

test('the exclusive monitor', async () => {
  const rig = await threePages();
  const at = DATA + 0x40;
  rig.x(2, VA + 0x40n).x(1, 0xabcd);
  const status = (words: readonly number[]) => {
    rig.memory.writeU64(at, 5n);
    rig.x(3, 9).x(0, 0).run(words);
    return Number(rig.state.x(3));
  };
  assert.is(status([LDXR, STXR]), 0, 'load, store');
  assert.is(rig.state.x(0), 5n);
  assert.is(rig.memory.readU64(at), 0xabcdn);
  assert.is(status([STXR]), 1, 'no load');
  assert.is(rig.memory.readU64(at), 5n);
  assert.is(status([LDXR, STXR, STXR]), 1, 'a store opens the monitor');
  assert.is(status([LDXR, A.CLREX, STXR]), 1, 'CLREX');
  assert.is(status([LDXR, A.addImm(2, 2, 8), STXR]), 1, 'another address');
  rig.x(2, VA + 0x40n);
  assert.is(status([LDAXR_W, STXR]), 1, 'another size');
  // Memory changed in between, by the same processor.
  assert.is(status([LDXR, A.strX(2, 2), STXR]), 1, 'another value');
  // An exception return opens it.
  rig.set(L.S_SPSR_EL1, EL1H).set(L.S_ELR_EL1, CODE + 8);
  assert.is(status([LDXR, A.ERET, STXR]), 1, 'ERET');
});

test('a store-exclusive that faults leaves the monitor and the status register', async () => {
  const rig = await threePages();
  rig.x(2, VA + 0x1000n).x(3, 9);
  rig.run([LDXR, STXR]);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x4f)));
  assert.is(rig.state.x(3), 9n);
});

test('compare and swap: all of both values decides', async () => {
  const rig = await threePages();
  rig.x(2, VA).x(6, 0x66666666).x(7, 0x77777777);
  const casp = (low: bigint, high: bigint) => {
    rig.memory.writeU64(DATA, 0x2222222211111111n);
    // Upper halves of W registers do not count.
    rig
      .x(4, low | (0xfn << 60n))
      .x(5, high)
      .run([CASP_W]);
    assert.is(rig.state.x(4), 0x11111111n);
    assert.is(rig.state.x(5), 0x22222222n);
    return hex(rig.memory.readU64(DATA));
  };
  assert.is(casp(0x11111111n, 0x22222222n), '7777777766666666');
  assert.is(casp(0x11111111n, 0x22222223n), '2222222211111111');
  assert.is(casp(0x11111110n, 0x22222222n), '2222222211111111');
});

test('the stack pointer is checked where it is used, though it was aligned before', async () => {
  const rig = await Rig.create();
  const SA = 8;
  rig.set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | SA).pstate(EL1H);
  const LDR_SP = A.ldrX(0, 31);
  const SUB_SP_8 = 0xd10023ff;
  const SUB_SP_16 = 0xd10043ff;
  rig.set(L.S_SP, DATA + 0x100);
  // As one block.
  rig.load(CODE, [LDR_SP, SUB_SP_16, LDR_SP, SUB_SP_8, LDR_SP, A.NOP]);
  rig.state.pc = BigInt(CODE);
  rig.vcpu.writeState(rig.state);
  rig.vcpu.run({ instructions: 6, nanoseconds: 1e9 });
  rig.more(0);
  assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x26)));
  assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 16));
  assert.is(hex(rig.state.sp), hex(DATA + 0xe8));
});

test('pairs that move their base, interpreted and compiled, until the stack pointer is misaligned', async () => {
  const words = [
    0xa9be07e0, // STP X0, X1, [SP, #-32]!
    0xa8c10fe2, // LDP X2, X3, [SP], #16
    0x8b020000, // ADD X0, X0, X2
    0xcac11c61, // EOR X1, X3, X1, ROR #7
    0xa8818500, // STP X0, X1, [X8], #24
    0x29fd9504, // LDP W4, W5, [X8, #-20]!
    0x91005108, // ADD X8, X8, #20
    0xad020500, // STP Q0, Q1, [X8, #64]
    0xacff8101, // LDP Q1, Q0, [X8], #-16
    0x91004108, // ADD X8, X8, #16
    0x8b040021, // ADD X1, X1, X4
    0xd1000529, // SUB X9, X9, #1
    0xb5fffe89, // CBNZ X9, to the first
    0xd10023ff, // SUB SP, SP, #8
    0xa9bf07e0, // STP X0, X1, [SP, #-16]!
  ];
  const [rounds, stack, base] = [1000, DATA + 0x40000, DATA + 0x50000];
  const results: string[] = [];
  for (const [jit, slice] of RUNS) {
    const rig = await Rig.create({ jit });
    rig
      .set(L.S_SCTLR_EL1, L.SCTLR_EL1_RES1 | 8)
      .pstate(EL1H)
      .set(L.S_SP, stack);
    rig.x(0, 0x1234567).x(1, 0x89abcdef).x(8, base).x(9, rounds).load(CODE, words);
    rig.vcpu.writeState(rig.state);
    const instructions = 13 * rounds + 2;
    for (let left = instructions; left > 0; left -= slice) {
      rig.vcpu.run({ instructions: Math.min(left, slice), nanoseconds: 1e9 });
    }
    rig.more(0);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x26)));
    assert.is(hex(rig.get(L.S_ELR_EL1)), hex(CODE + 56));
    assert.is(hex(rig.state.sp), hex(stack - 16 * rounds - 8));
    assert.is(hex(rig.state.x(8)), hex(base + 24 * rounds));
    const registers = Array.from({ length: 10 }, (_, n) => hex(rig.state.x(n))).join(' ');
    results.push(`${registers} ${Buffer.from(rig.memory.slice(DATA, 0x60000)).toString('base64')}`);
    if (jit) assert.ok(rig.vcpu.counters().details['jitInstructions'] > 10 * rounds);
  }
  assert.ok(
    results.every((result) => result === results[0]),
    'compiled as interpreted',
  );
});

test('DC ZVA, interpreted and compiled: over data, over code, over what may not be written', async () => {
  const words = [
    0xaa0a03e0, // MOV X0, X10
    A.sys('DC ZVA', 0),
    0x91010000, // ADD X0, X0, #64
    0xeb0c001f, // CMP X0, X12
    0x54ffffa1, // B.NE, to DC ZVA
    0xf9007d49, // STR X9, [X10, #248]
    0xd63f01a0, // BLR X13
    0xd1000529, // SUB X9, X9, #1
    0xb5ffff09, // CBNZ X9, to the first
    A.sys('DC ZVA', 13),
    0xd63f01a0, // BLR X13
  ];
  const routine = [
    0x910004a5, // ADD X5, X5, #1
    0xd65f03c0, // RET
  ];
  const [rounds, target] = [300, VA + 0x3040n];
  for (const [jit, slice] of RUNS) {
    const rig = await threePages(jit);
    const run = (instructions: number) => {
      rig.vcpu.writeState(rig.state);
      for (let left = instructions; left > 0; left -= slice) {
        rig.vcpu.run({ instructions: Math.min(left, slice), nanoseconds: 1e9 });
      }
      rig.more(0);
    };
    rig.load(CODE, words).load(DATA + 0x3040, routine);
    rig.memory.fill(DATA + 0x3080, 64, 0xee);
    // Not the beginning of a line.
    rig
      .x(9, rounds)
      .x(10, VA + 8n)
      .x(12, VA + 0x1008n)
      .x(13, target);
    // 64 lines, and seven instructions around them; then up to what is no longer there.
    run((64 * 4 + 7) * rounds + 3);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0)));
    assert.is(hex(rig.get(L.S_ELR_EL1)), hex(target));
    assert.is(rig.state.x(5), BigInt(rounds));
    // What a round stored, the next one's lines took away; of the last one's it is there.
    const page = rig.memory.slice(DATA, 0x1000);
    assert.is(rig.memory.readU64(DATA + 0x100), 1n);
    assert.is(
      page.reduce((sum, byte) => sum + byte, 0),
      1,
    );
    assert.is(rig.memory.readU64(DATA + 0x3040), 0n);
    assert.is(rig.memory.readU8(DATA + 0x3080), 0xee);

    rig.memory.fill(DATA, 0x1000, 0xee);
    rig.pstate(EL1H).set(L.S_PC, CODE + 4);
    rig.x(0, VA + 0xf88n).x(12, VA + 0x2008n);
    run(4 * 2 + 1);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0x25, 0x4f)));
    assert.is(hex(rig.get(L.S_FAR_EL1)), hex(VA + 0x1008n));
    assert.is(rig.memory.readU64(DATA + 0xf78), 0xeeeeeeeeeeeeeeeen);
    assert.ok(rig.memory.slice(DATA + 0xf80, 0x80).every((byte) => byte === 0));
    assert.is(rig.memory.readU64(DATA + 0x1000), 0x101000n);
    if (jit) assert.ok(rig.vcpu.counters().details['jitInstructions'] > 200 * rounds);
  }
});

test('CONSTRAINED UNPREDICTABLE forms are undefined', async () => {
  const words = [
    0xf8408442, // LDR X2, [X2], #8
    0xa8c10442, // LDP X2, X1, [X2], #16
    0xa8810841, // STP X1, X2, [X2], #16
    0xf8008c42, // STR X2, [X2, #8]!
    0xa9400000, // LDP X0, X0, [X0]
    0xc8017c41, // STXR W1, X1, [X2]
    0xc8027c41, // STXR W2, X1, [X2]
    0xc87f0040, // LDXP X0, X0, [X2]
  ];
  for (const word of words) {
    const rig = await Rig.create();
    rig.x(2, DATA).pstate(EL1H).run([word]);
    assert.is(hex(rig.get(L.S_ESR_EL1)), hex(esr(0)), hex(word));
  }
});

test.run();
