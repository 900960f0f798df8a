// What interrupts compiled code finds the exact state: faults in the middle of a region, string instructions, interrupts
// between any two instructions, devices that ask for attention.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JitOptions } from '../../src/emulator/jit.js';
import { alike, describeRun, NEVER, RUNS } from './alike.js';
import { CodeRig, type Result } from './code-rig.js';
import * as P from './programs.js';

/** Words that the handler writes down of an exception: vector, error code, RIP, RFLAGS, RSP, CR2, then registers. */
const WORDS = 13;

test('page faults in the middle of a hot loop: missing pages, and pages that may not be written', async () => {
  const [{ log }] = await alike([P.FAULTS]);
  assert.is(log.length % WORDS, 0);
  const count = log.length / WORDS;
  const errors = new Set<bigint>();
  for (let i = 0; i < count; i++) {
    assert.is(log[i * WORDS], 14n);
    errors.add(log[i * WORDS + 1]);
    const cr2 = log[i * WORDS + 5];
    assert.ok(cr2 >= 0x100000n && cr2 < 0x10c000n, `CR2 ${cr2.toString(16)}`);
  }
  // Not present, reading (0); present, writing (3).
  assert.equal([...errors].sort(), [0n, 3n]);
  assert.ok(count > 100, `${count} faults`);
});

test('division errors, undefined opcodes and bad addresses in the middle of a hot loop', async () => {
  const [{ log }] = await alike([P.TRAPS]);
  const vectors = new Map<bigint, number>();
  for (let i = 0; i < log.length; i += WORDS) vectors.set(log[i], (vectors.get(log[i]) ?? 0) + 1);
  // R12 from 2000 down: every 8th round divides by 0, every 64th meets UD2, every 32nd an address that is not canonical.
  assert.equal(
    [...vectors].sort(([a], [b]) => Number(a - b)),
    [
      [0n, 250],
      [6n, 31],
      [13n, 62],
    ],
  );
});

/** Memory that string instructions work on, or others from another address on. */
function fill(rig: CodeRig, at = 0x40000): void {
  const bytes = new Uint8Array(0x20000);
  let x = 1;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    bytes[i] = x >>> 24;
  }
  rig.put(at, bytes);
}

test('string instructions across pages', async () => {
  await alike([P.STRINGS], fill);
});

test('string instructions that fault half way', async () => {
  const [{ log }] = await alike([P.STRINGS], (rig) => {
    fill(rig);
    // Some of the pages are missing at first; others may not be written.
    for (const page of [0x41, 0x44, 0x47]) rig.ram.setUint8(0x6000 + 8 * page, 0);
    for (const page of [0x43, 0x46, 0x48]) rig.ram.setUint8(0x6000 + 8 * page, 1);
  });
  assert.is(log.length / WORDS, 6);
});

/** Interrupts a loop after each slice, until it has seen 40. `slices`: their lengths, used again and again. */
async function interrupted(jit: JitOptions | undefined, slices: readonly number[]): Promise<Result> {
  const rig = await CodeRig.create(jit, P.INTERRUPTED);
  rig.start();
  for (let i = 0; ; i++) {
    assert.ok(i < 10_000, 'the guest ends');
    const exit = rig.run(slices[i % slices.length]);
    if (exit.reason === 'halt') return rig.result(exit);
    assert.is(exit.reason, 'slice-end');
    // More would leave the loop no time.
    if (rig.ram.getUint32(0x108000, true) < 40) rig.vcpu.setInterruptLine(true);
  }
}

test('interrupts arrive at the same instruction of a hot loop', async () => {
  for (const slices of [[1000], [1, 2, 3, 5, 8, 13, 21, 34, 55, 89], [7], [99_991]]) {
    const expected = await interrupted(undefined, slices);
    // One may have been on its way when the loop saw the last.
    assert.ok(expected.log.length === 160 || expected.log.length === 164, `slices of ${slices}`);
    for (const run of RUNS) {
      const got = await interrupted(run, slices);
      const name = `${describeRun(run)}, interrupted after ${slices}`;
      assert.equal(got.log, expected.log, name);
      assert.is(got.instructions, expected.instructions, name);
      assert.is(got.digest, expected.digest, name);
      if (Math.min(run.threshold, run.baseline ?? NEVER) === 1) assert.ok(got.details['jitRegions'] > 0);
    }
  }
});

test('a device that kicks or interrupts is obeyed right after its instruction', async () => {
  const run = async (jit: JitOptions | undefined): Promise<{ stops: number[]; result: Result }> => {
    const rig = await CodeRig.create(jit, P.DEVICE);
    const stops: number[] = [];
    rig.onOut = (port, value) => {
      stops.push(port, value, rig.vcpu.instructionCount(), Number(rig.vcpu.executingRip()));
      if (value % 3 === 0) rig.vcpu.setInterruptLine(true);
      else rig.vcpu.kick();
    };
    rig.state.rflags |= 0x200n;
    rig.start();
    for (;;) {
      const exit = rig.run(1e6);
      stops.push(rig.vcpu.instructionCount());
      if (exit.reason !== 'slice-end') return { stops, result: rig.result(exit) };
    }
  };
  const expected = await run(undefined);
  assert.is(expected.result.log.length, 4 * 16);
  for (const jit of RUNS) {
    const got = await run(jit);
    assert.equal(got.stops, expected.stops, describeRun(jit));
    assert.equal(got.result.log, expected.result.log);
    assert.is(got.result.digest, expected.result.digest);
  }
});

test('floating point that is not ordinary: exact, and soon done without leaving the region', async () => {
  for (const program of [P.DENORMAL, P.ROUNDED]) {
    const [{ state }, { details }] = await alike([program]);
    assert.ok(state.gpr(10) > 0n, 'COMISD set CF');
    // Of 4000 rounds, half or all have such operations.
    assert.ok(details['jitExitsUncommon'] > 0, 'regions were left');
    assert.ok(details['jitExitsUncommon'] < 300, `${details['jitExitsUncommon']} exits`);
  }
});

test('close accesses whose page is missing, may not be written, or ends between them', async () => {
  const [{ log }, { details }] = await alike([P.CLOSE]);
  assert.ok(log.length / WORDS > 100, `${log.length / WORDS} faults`);
  // A few blocks, each of which is left so 64 times at most.
  assert.ok(details['jitExitsScattered'] > 0, 'regions were left');
  assert.ok(details['jitExitsScattered'] < 500, `${details['jitExitsScattered']} exits`);
});

test('accesses that cross to a page whose frame lies elsewhere', async () => {
  const [{ state }] = await alike([P.CROSSING], (rig) => fill(rig, 0x100000));
  assert.ok(state.gpr(2) !== 0n && state.gpr(6) !== 0n, 'something was read');
});

test('close accesses that have to be aligned', async () => {
  const [{ log }] = await alike([P.ALIGNED]);
  // Of 800 rounds, 600 have three accesses that fault.
  assert.is(log.length / WORDS, 1800);
  assert.ok(log.every((word, i) => i % WORDS !== 0 || word === 13n));
});

test('kick() from outside ends a slice of a loop that never ends by itself', async () => {
  const rig = await CodeRig.create({ threshold: 2 }, P.INTERRUPTED);
  rig.start();
  rig.run(100_000);
  const before = rig.vcpu.instructionCount();
  rig.vcpu.kick();
  assert.equal(rig.run(1e6), { reason: 'slice-end' });
  assert.is(rig.vcpu.instructionCount(), before, 'nothing ran');
  assert.equal(rig.run(50_000), { reason: 'slice-end' });
  assert.is(rig.vcpu.instructionCount(), before + 50_000);
});

test.run();
