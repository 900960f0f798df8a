// Every guest, interpreted and compiled: the same output, instruction count, and final state to the last bit.

import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JitOptions } from '../../src/emulator/jit.js';
import { NEVER } from './alike.js';
import { runGuest } from './guest-run.js';

/** What rewrites its code all the time would be compiled all the time. */
const runs = (image: string): JitOptions[] => {
  const first = image.endsWith('/smc.img') ? 5 : 1;
  return [
    { threshold: first },
    { threshold: 20 },
    { threshold: NEVER, baseline: first },
    { threshold: 30, baseline: 10 },
  ];
};

const images = ['guests', 'guests/systests']
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.img'));

for (const image of images) {
  test(`${image}: interpreted and compiled alike`, async () => {
    const expected = await runGuest(image, undefined);
    for (const jit of runs(image)) {
      const { details, ...got } = await runGuest(image, jit);
      const { details: _, ...wanted } = expected;
      assert.equal(got, wanted, JSON.stringify(jit));
      if (jit.threshold === 1 || jit.baseline === 1) assert.ok(details['jitRegions'] > 0, 'something was compiled');
      assert.is(details['jitRegionsRefused'], 0);
    }
  });
}

test('a slice may end inside a region: limits are exact', async () => {
  for (const limit of [1, 17, 1000, 12_345]) {
    const { details: _, ...expected } = await runGuest('guests/longmode.img', undefined, limit);
    const { details: __, ...got } = await runGuest('guests/longmode.img', { threshold: 2 }, limit);
    assert.is(got.instructions, limit);
    assert.equal(got, expected, `${limit} instructions`);
  }
});

test('a long loop runs in generated code', async () => {
  const run = await runGuest('guests/longmode.img', { threshold: 50 });
  assert.ok(run.details['jitInstructions'] > 0.9 * run.instructions, 'most of it ran in regions');
});

test.run();
