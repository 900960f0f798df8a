// Every guest, interpreted and compiled: the same output, instruction count, and final state to the last bit.

import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runGuest } from './guest-run.js';

/** What rewrites its code all the time would be compiled all the time. */
const thresholds = (image: string): number[] => (image.endsWith('/smc.img') ? [5, 20] : [1, 20]);

const images = ['guests', 'guests/systests']
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.img'));

for (const image of images) {
  test(`${image}: interpreted and compiled alike`, async () => {
    const expected = await runGuest(image, undefined);
    for (const threshold of thresholds(image)) {
      const { details, ...got } = await runGuest(image, threshold);
      const { details: _, ...wanted } = expected;
      assert.equal(got, wanted, `threshold ${threshold}`);
      if (threshold === 1) assert.ok(details['jitRegions'] > 0, 'something was compiled');
      assert.is(details['jitRegionsRefused'], 0);
    }
  });
}

test('a slice may end inside a region: limits are exact', async () => {
  for (const limit of [1, 17, 1000, 12_345]) {
    const { details: _, ...expected } = await runGuest('guests/longmode.img', undefined, limit);
    const { details: __, ...got } = await runGuest('guests/longmode.img', 2, limit);
    assert.is(got.instructions, limit);
    assert.equal(got, expected, `${limit} instructions`);
  }
});

test('a long loop runs in generated code', async () => {
  const run = await runGuest('guests/longmode.img', 50);
  assert.ok(run.details['jitInstructions'] > 0.9 * run.instructions, 'most of it ran in regions');
});

test.run();
