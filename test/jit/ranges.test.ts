// Runs of pages that compiled code takes for one: what happens to a page in their midst is seen.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike, NEVER } from './alike.js';
import type { CodeRig } from './code-rig.js';
import * as P from './programs.js';

/** Runs that see most of their instructions compiled. */
const RUNS = [
  { threshold: 1, slice: 1e6 },
  { threshold: 3, slice: 211 },
  { threshold: NEVER, baseline: 1, slice: 1e6 },
];

function seed(rig: CodeRig): void {
  rig.state.setGpr(3, 0x123456789abcdef1n);
}

test('another frame under a page within a run', async () => {
  const [expected, compiled] = await alike([P.WALK], seed, RUNS);
  assert.is.not(expected.state.gpr(3), 0x123456789abcdef1n);
  const { jitInstructions } = compiled.details;
  assert.ok(jitInstructions > 0.8 * compiled.instructions, `${jitInstructions} of ${compiled.instructions} compiled`);
});

test('another frame under a page between two of a run', async () => {
  await alike([P.BETWEEN], seed, RUNS);
});

test('code in a page within a run is written', async () => {
  const called = { address: 0x43000, bytes: P.FUNCTION.bytes };
  const [, compiled] = await alike([P.STEPS, called], seed, RUNS.slice(0, 1));
  const { jitRegionsDropped } = compiled.details;
  assert.ok(jitRegionsDropped >= 59, `the function was compiled anew only ${jitRegionsDropped} times in 60 rounds`);
});

test.run();
