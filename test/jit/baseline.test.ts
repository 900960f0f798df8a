// Baseline regions: how blocks get into them, how one leads to the next, and how their hot places become optimized ones.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike, NEVER } from './alike.js';
import { type Program, program } from './program.js';

const ROUNDS = 20_000;

/** A loop of three blocks on three pages. */
const PAGES: readonly Program[] = [
  program(
    0x10000,
    `
  b9 20 4e 00 00                   mov ecx,0x4e20
  48 01 cb                         add rbx,rcx
  e9 f3 0f 00 00                   jmp 0x11000
`,
  ),
  program(
    0x11000,
    `
  48 d1 c3                         rol rbx,1
  e9 f8 0f 00 00                   jmp 0x12000
`,
  ),
  program(
    0x12000,
    `
  48 83 f3 55                      xor rbx,0x55
  ff c9                            dec ecx
  0f 85 f9 df ff ff                jne 0x10005
  f4                               hlt
`,
  ),
];

/** The same loop with a call instead: the way back is an indirect jump. */
const CALLED: readonly Program[] = [
  program(
    0x10000,
    `
  b9 20 4e 00 00                   mov ecx,0x4e20
  48 01 cb                         add rbx,rcx
  e8 f3 0f 00 00                   call 0x11000
  ff c9                            dec ecx
  75 f4                            jne 0x10005
  f4                               hlt
`,
  ),
  program(
    0x11000,
    `
  48 d1 c3                         rol rbx,1
  c3                               ret
`,
  ),
];

test('regions made one by one lead to each other without the run loop', async () => {
  const [, { details }] = await alike(PAGES, undefined, [{ threshold: NEVER, baseline: 1, slice: 1e6 }]);
  const { jitExitsLinked, jitExitsTaken, jitExitsFallThrough } = details;
  assert.ok(jitExitsLinked > 2.9 * ROUNDS, `${jitExitsLinked} of ${3 * ROUNDS} jumps by a link`);
  assert.ok(jitExitsTaken + jitExitsFallThrough < 0.01 * ROUNDS, 'no others');
});

/** A loop of 100 blocks, each "add rbx, rcx; jmp" to the next one: too many for a region. */
function longLoop(): Program {
  const blocks = Array.from(
    { length: 100 },
    (_, i) => `48 01 cb add rbx,rcx\neb 00 jmp 0x${(0x10005 + 5 * (i + 1)).toString(16)}`,
  );
  const after = '48 d1 c3 rol rbx,1\nff c9 dec ecx\n0f 85 01 fe ff ff jne 0x10005\nf4 hlt';
  return program(0x10000, `b9 20 4e 00 00 mov ecx,0x4e20\n${blocks.join('\n')}\n${after}`);
}

test('so do optimized ones', async () => {
  const [, { details }] = await alike([longLoop()], undefined, [{ threshold: 10, slice: 1e6 }]);
  assert.ok(details['jitExitsLinked'] > 0.9 * ROUNDS, `${details['jitExitsLinked']} jumps by a link`);
});

test('blocks that wait get a region without others, if none come', async () => {
  const [, { details, instructions }] = await alike(PAGES, undefined, [
    { threshold: NEVER, baseline: 100, slice: 1e6 },
  ]);
  // The loop's, and maybe the one that its first round begins.
  assert.ok(details['jitBaselineRegions'] <= 2, `${details['jitBaselineRegions']} regions`);
  assert.ok(details['jitInstructions'] > 0.97 * instructions);
});

for (const [name, programs] of [
  ['a loop within a baseline region', PAGES],
  ['a loop from one baseline region to another', CALLED],
] as const) {
  test(`${name} becomes an optimized region when it is hot`, async () => {
    for (const baseline of [1, 20]) {
      const [, { details }] = await alike(programs, undefined, [{ threshold: 3000, baseline, slice: 1e6 }]);
      const { jitRegions, jitBaselineRegions, jitEntries } = details;
      assert.ok(jitBaselineRegions > 0, 'baseline regions first');
      assert.ok(jitRegions > jitBaselineRegions, `no optimized region, baseline ${baseline}`);
      assert.ok(jitEntries < 1.5 * ROUNDS, `${jitEntries} entries: it was not used`);
    }
  });
}

test.run();
