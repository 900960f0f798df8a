// Code that changes while it is hot: whatever is compiled, what runs is what stands in memory.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike, RUNS } from './alike.js';
import { CodeRig } from './code-rig.js';
import * as P from './programs.js';

test('a function that is rewritten 40 times while it is hot', async () => {
  const [expected, compiled] = await alike([P.PAGE, P.FUNCTION]);
  // RBX = rol(RBX + immediate, 5), with an immediate that grows by 3 after each 50 calls.
  let rbx = 0n;
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 50; i++) {
      const sum = BigInt.asUintN(64, rbx + 0x01010101n + BigInt(3 * round));
      rbx = BigInt.asUintN(64, (sum << 5n) | (sum >> 59n));
    }
  }
  assert.is(expected.state.gpr(3), rbx);
  assert.ok(compiled.details['jitRegionsDropped'] >= 39);
});

test('a function that is rewritten and executed through two linear pages', async () => {
  await alike([P.ALIAS, P.FUNCTION]);
});

test('a loop that changes instructions of its own, before and behind', async () => {
  // Nothing of it lives long enough for a higher threshold.
  await alike([P.RUNNING], undefined, RUNS.slice(0, 2));
});

test('data beside a hot loop: nothing is compiled twice for it', async () => {
  const [expected, compiled] = await alike([P.BESIDE], undefined, [{ threshold: 10, slice: 1e6 }]);
  assert.is(expected.state.gpr(3), (20000n * 20001n) / 2n);
  assert.ok(compiled.details['jitRegions'] < 5, `${compiled.details['jitRegions']} regions`);
  const { jitInstructions } = compiled.details;
  assert.ok(jitInstructions > 0.9 * compiled.instructions, `${jitInstructions} of ${compiled.instructions} compiled`);
});

test('string instructions write the code that is called next', async () => {
  await alike([P.STRING_CODE]);
});

/** Another function in the frame that takes turns with 0x11000: sub rbx, 0x2020202; ror rbx, 7; ret. */
const OTHER = { address: 0x12000, bytes: Uint8Array.of(0x48, 0x81, 0xeb, 2, 2, 2, 2, 0x48, 0xc1, 0xcb, 7, 0xc3) };

test('another frame under the linear page of a hot function', async () => {
  await alike([P.REMAPPED, P.FUNCTION, OTHER]);
});

test('a device writes to compiled code between two slices', async () => {
  for (const threshold of [undefined, 2]) {
    const rig = await CodeRig.create(threshold, P.PAGE, P.FUNCTION);
    // No store changes the function here: the device does.
    rig.state.setGpr(12, 0n);
    rig.start();
    rig.run(6);
    let rbx = -1n;
    for (let round = 0; round < 20; round++) {
      rig.put(0x11000, Uint8Array.of(0x48, 0x81, 0xc3, round, 0, 0, 0, 0x90, 0x90, 0x90, 0x90, 0xc3));
      rig.vcpu.memoryWritten(0x11000, 12);
      rig.run(700);
      const { state } = rig.result({ reason: 'slice-end' });
      assert.not.equal(state.gpr(3), rbx);
      rbx = state.gpr(3);
    }
    const { digest } = rig.result({ reason: 'slice-end' });
    if (threshold === undefined) expectedDigest = digest;
    else assert.is(digest, expectedDigest);
  }
});
let expectedDigest = '';

test.run();
