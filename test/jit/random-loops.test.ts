// Random loops do the same interpreted and compiled, to the last bit of state and memory. TSVM_FUZZ_SEEDS asks for more.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { X86_STATE_SIZE } from '../../assembly/layout/x86-state.js';
import { Random } from '../../tools/isa/random.js';
import { NEVER } from './alike.js';
import { CodeRig, type Result } from './code-rig.js';
import { DATA, randomLoops } from './random-loops.js';

const SEEDS = Number(process.env['TSVM_FUZZ_SEEDS'] ?? 40);
const FIRST = Number(process.env['TSVM_FUZZ_FIRST'] ?? 0);

const interpreted = await CodeRig.create(undefined);
const compiled = [
  await CodeRig.create({ threshold: 3 }),
  await CodeRig.create({ threshold: NEVER, baseline: 2 }),
  await CodeRig.create({ threshold: 20, baseline: 2 }),
];

/** Words that are somebody's favourites, and others. */
function data(random: Random): Uint8Array {
  const bytes = new Uint8Array(0x3000);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) {
    const kind = random.below(6);
    if (kind === 0) view.setFloat64(at, (random.u32() - 2 ** 31) / 2 ** random.below(40), true);
    else if (kind === 1)
      view.setBigUint64(at, random.pick([0n, 1n, -1n, 1n << 63n, (1n << 63n) - 1n, 0x7ff0000000000000n]), true);
    else if (kind === 2)
      for (const i of [0, 4]) view.setFloat32(at + i, (random.u32() - 2 ** 31) / 2 ** random.below(40), true);
    else view.setBigUint64(at, random.u64(), true);
  }
  return bytes;
}

type Mode = 'long' | 'flat' | 'segmented' | 'real';
const MODES: readonly Mode[] = ['long', 'flat', 'segmented', 'real'];
/** In real mode the data must lie below 1 MiB. */
const LOW_DATA = 0x50000;

function run(rig: CodeRig, seed: number, mode: Mode): Result {
  const random = new Random(seed ^ 0x5eed);
  const place = mode === 'real' ? LOW_DATA : DATA;
  if (mode === 'long') rig.load(randomLoops(seed));
  else rig.loadPlain(mode, place, randomLoops(seed, mode === 'real' ? 16 : 32, mode === 'flat' ? DATA : 0));
  rig.put(place, data(random));
  for (let r = 0; r < 12; r++) if (r !== 4) rig.state.setGpr(r, mode === 'long' ? random.u64() : BigInt(random.u32()));
  for (let x = 0; x < 32; x++) rig.state.setU64(0x3d0 + 8 * x, random.u64());
  // Some of the data may not be there at first.
  if (mode === 'long' && seed % 3 === 0) rig.ram.setUint8(0x6000 + 8 * ((DATA >> 12) + (seed % 2)), 0);
  return rig.toHalt(seed % 5 === 0 ? 97 : 1e6, 200_000);
}

function differences(a: Result, b: Result): string[] {
  const lines: string[] = [];
  if (a.exit.reason !== b.exit.reason) lines.push(`end: ${a.exit.reason}, ${b.exit.reason}`);
  if (a.instructions !== b.instructions) lines.push(`instructions: ${a.instructions}, ${b.instructions}`);
  for (let i = 0; i < X86_STATE_SIZE; i += 8) {
    const [x, y] = [a.state.u64(i), b.state.u64(i)];
    if (x !== y) lines.push(`state +0x${i.toString(16)}: ${x.toString(16)}, ${y.toString(16)}`);
  }
  if (a.digest !== b.digest && lines.length === 0) lines.push('memory');
  return lines;
}

for (const mode of MODES) {
  test(`random loops, ${mode}: interpreted and compiled alike`, () => {
    let ended = 0;
    let instructions = 0;
    const inRegions = () => compiled.map(({ vcpu }) => vcpu.counters().details['jitInstructions']);
    const before = inRegions();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const expected = run(interpreted, seed, mode);
      for (const [i, rig] of compiled.entries())
        assert.equal(differences(expected, run(rig, seed, mode)), [], `seed ${seed}, ${i}`);
      if (expected.exit.reason === 'halt') ended++;
      instructions += expected.instructions;
    }
    assert.ok(ended > 0.95 * SEEDS, `${ended} programs came to their end`);
    inRegions().forEach((now, i) => {
      assert.ok(now - before[i] > 0.7 * instructions, `${i}: ${now - before[i]} of ${instructions} compiled`);
    });
  });
}

test.run();
