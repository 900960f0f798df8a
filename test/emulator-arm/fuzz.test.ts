// Random guests: whatever they do, the core goes on and keeps to its budget; and they do the same in whole blocks, in
// slices of odd lengths, one instruction at a time, and compiled. TSVM_FUZZ_SEEDS asks for more of them.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import { systemRegisters } from '../../assembly/layout/arm-sysregs.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { CODE, DATA, EL0, EL1H, EL2H, RAM, Rig, TABLES } from './rig.js';

/** xorshift32. */
function generator(seed: number): () => number {
  let s = seed | 1;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

const registers = systemRegisters({ el2: true, gicRegisters: true });

/** A word of any kind, or a system instruction, load or store that exists. */
function word(random: () => number): number {
  const any = random();
  switch (random() % 6) {
    case 0: {
      const r = registers[random() % registers.length];
      const op0 = r.key >> 14;
      const read = op0 !== 1 && random() & 1 ? 0x200000 : 0;
      return (0xd5000000 | read | (op0 << 19) | ((r.key & 0x3fff) << 5) | (any & 31)) >>> 0;
    }
    case 1:
      return (0x38000000 | (any & 0xc7ffffff)) >>> 0;
    case 2:
      return (0x28000000 | (any & 0xd7ffffff)) >>> 0;
    case 3:
      return (0x08000000 | (any & 0xf7ffffff)) >>> 0;
    case 4:
      return [0xd69f03e0, 0xd4000001, 0xd4000002, 0xd4000003, 0xd503207f, 0x0e000000 | any][any % 6] >>> 0;
    default:
      return any;
  }
}

const INSTRUCTIONS = 1500;
const SEEDS = Number(process.env['TSVM_FUZZ_SEEDS'] ?? 24);
const TABLES_SIZE = 0x20000;

interface Outcome {
  readonly state: Uint8Array;
  readonly ram: Uint8Array;
  readonly instructions: number;
  readonly log: readonly string[];
  /** The guest wrote to its translation tables: which of two versions is seen then is open. */
  readonly changedTables: boolean;
}

/** Runs guest `seed` in slices of what `slice` says. */
async function run(seed: number, el2: boolean, slice: () => number, jit?: JitOptions): Promise<Outcome> {
  const random = generator(seed);
  const rig = await Rig.create({ el2, gicRegisters: true, jit });
  const wide = () => (BigInt(random()) << 32n) | BigInt(random());
  // Vectors and code of random words.
  for (let at = RAM; at < RAM + 0x40000; at += 4) rig.memory.writeU32(at, word(random));
  for (let at = TABLES; at < TABLES + TABLES_SIZE; at += 8) {
    // Descriptors that often point to tables, code and data.
    const target = random() & 1 ? TABLES + (random() & 0x1f000) : RAM + (random() & 0x3f000);
    rig.memory.writeU64(at, (wide() & 0xfff0000000000fffn) | BigInt(target) | (random() & 3 ? 0x403n : 0n));
  }
  const tables = rig.memory.slice(TABLES, TABLES_SIZE).slice();
  for (let i = 0; i < 31; i++) {
    const pointers = [BigInt(DATA + (random() & 0xffff)), wide(), BigInt(random() & 0xff), BigInt(TABLES)];
    rig.x(i, pointers[random() & 3]);
  }
  if (seed & 1) {
    rig
      .set(L.S_TTBR0_EL1, TABLES)
      .set(L.S_TTBR1_EL1, TABLES + 0x1000)
      .set(L.S_VTTBR_EL2, TABLES + 0x2000);
    rig
      .set(L.S_TCR_EL1, wide())
      .set(L.S_VTCR_EL2, random())
      .set(L.S_MDSCR_EL1, random() & 0xffff)
      .set(L.S_OSLOCK, 0);
    if (el2) rig.set(L.S_HCR_EL2, random());
  }
  rig.vcpu.setInterruptLine((random() & 3) === 0);
  rig.vcpu.setFiqLine((random() & 7) === 0);
  rig.state.pc = BigInt(CODE + (random() & 0xfffc));
  rig.pstate([EL0, EL1H, el2 ? EL2H : EL1H][seed % 3]);
  rig.vcpu.writeState(rig.state);
  let done = 0;
  while (done < INSTRUCTIONS) {
    const budget = Math.min(slice(), INSTRUCTIONS - done);
    const exit = rig.vcpu.run({ instructions: budget, nanoseconds: 1e9 });
    const now = rig.vcpu.instructionCount();
    assert.ok(now - done <= budget, 'budget passed');
    done = now;
    if (exit.reason === 'halt') break;
    assert.is(exit.reason, 'slice-end');
  }
  rig.vcpu.readState(rig.state);
  assert.ok(rig.state.el <= (el2 ? 2 : 1));
  const after = rig.memory.slice(TABLES, TABLES_SIZE);
  const changedTables = tables.some((byte, i) => byte !== after[i]);
  const ram = rig.memory.bytes.slice();
  return { state: rig.state.bytes.slice(), ram, instructions: done, log: rig.log, changedTables };
}

/** Names what differs between two runs of one guest. */
function compare(name: string, a: Outcome, b: Outcome): void {
  if (a.changedTables || b.changedTables) return;
  assert.is(a.instructions, b.instructions, `${name}: instructions`);
  for (let at = 0; at < L.ARM_SYS_END; at++) {
    if (at >= L.ARM_HOT_END && at < L.ARM_SYS_BASE) continue;
    assert.is(b.state[at], a.state[at], `${name}: state +0x${at.toString(16)}`);
  }
  assert.equal(b.log, a.log, `${name}: bus`);
  if (Buffer.from(a.ram.buffer).equals(b.ram)) return;
  const at = a.ram.findIndex((byte, i) => byte !== b.ram[i]);
  assert.is(at, -1, `${name}: RAM +0x${at.toString(16)}`);
}

/** Slice lengths that never settle. */
function oddSlices(): () => number {
  let n = 1;
  return () => {
    n = (n * 7 + 3) % 41;
    return n + 1;
  };
}

for (const el2 of [false, true]) {
  test(`random code${el2 ? ' with EL2' : ''} runs alike in blocks, compiled, in odd slices, in single steps`, async () => {
    let executed = 0;
    for (let i = 1; i <= SEEDS; i++) {
      const seed = i * 7919;
      const whole = await run(seed, el2, () => INSTRUCTIONS);
      executed += whole.instructions;
      for (const jit of [{ threshold: 1 }, { threshold: 0xffffffff, baseline: 1 }])
        compare(`seed ${seed} compiled`, whole, await run(seed, el2, () => INSTRUCTIONS, jit));
      if (i % 2 === 0) compare(`seed ${seed} in odd slices`, whole, await run(seed, el2, oddSlices()));
      if (i % 4 === 1) compare(`seed ${seed} in single steps`, whole, await run(seed, el2, () => 1));
    }
    assert.ok(executed > SEEDS * 100);
  });
}

test.run();
