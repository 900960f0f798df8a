// Code that changes while it is hot: whatever is compiled, what runs is what stands in memory.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike, NEVER, RUNS } from './alike.js';
import { CodeRig } from './code-rig.js';
import { program } from './program.js';
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
  for (const jit of [undefined, { threshold: 2 }, { threshold: NEVER, baseline: 2 }]) {
    const rig = await CodeRig.create(jit, P.PAGE, P.FUNCTION);
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
    if (!jit) expectedDigest = digest;
    else assert.is(digest, expectedDigest);
  }
});
let expectedDigest = '';

/** Calls a function of 81 bytes, and each time makes another immediate of it larger, from the first to the last. */
const LONG = [
  program(
    0x10000,
    `
  e8 1b 10 00 00                   call 0x11020
  41 fe 00                         inc BYTE PTR [r8]
  49 83 c0 04                      add r8,0x4
  41 ff cc                         dec r12d
  75 ef                            jne 0x10000
  f4                               hlt
`,
  ),
  {
    address: 0x11020,
    bytes: Uint8Array.of(...Array.from({ length: 80 }, (_, i) => [0x48, 0x83, 0xc3, 3][i % 4]), 0xc3),
  },
];

test('each part of a long function is rewritten', async () => {
  const [expected] = await alike(
    LONG,
    (rig) => {
      rig.state.rip = 0x10000n;
      rig.state.setGpr(3, 0n);
      rig.state.setGpr(8, 0x11023n);
      rig.state.setGpr(12, 20n);
    },
    // Nothing of it lives long enough for a higher threshold.
    RUNS.slice(0, 2),
  );
  // 20 times 3 in each of 20 calls, and one more for each immediate that has grown before.
  assert.is(expected.state.gpr(3), 20n * 60n + (19n * 20n) / 2n);
});

/** Calls a jump whose offset is on another page, where nothing else is executed; the offset grows by 16 each time. */
const ACROSS = [
  program(
    0x10000,
    `
  e8 fa 1f 00 00                   call 0x11fff
  80 04 25 00 20 01 00 10          add BYTE PTR ds:0x12000,0x10
  41 ff cc                         dec r12d
  75 ee                            jne 0x10000
  f4                               hlt
`,
  ),
  { address: 0x11fff, bytes: Uint8Array.of(0xe9, 0, 0x60, 0, 0) },
  ...Array.from({ length: 15 }, (_, k) => ({
    address: 0x18004 + 16 * k,
    bytes: Uint8Array.of(0x48, 0x83, 0xc3, k + 1, 0xc3),
  })),
];

test('the second page of an instruction is rewritten', async () => {
  const [expected] = await alike(
    ACROSS,
    (rig) => {
      rig.state.rip = 0x10000n;
      rig.state.setGpr(3, 0n);
      rig.state.setGpr(12, 15n);
    },
    RUNS.slice(0, 2),
  );
  assert.is(expected.state.gpr(3), (15n * 16n) / 2n);
});

/** Counts beside a hot function, and stores to a page 16 MiB away that has the same place in the soft TLB. */
const SAME_PLACE = [
  program(
    0x10000,
    `
  e8 fb 1f 00 00                   call 0x12000
  83 04 25 00 28 01 00 01          add DWORD PTR ds:0x12800,0x1
  44 89 24 25 00 38 01 01          mov DWORD PTR ds:0x1013800,r12d
  41 ff cc                         dec r12d
  75 e6                            jne 0x10000
  f4                               hlt
`,
  ),
  { address: 0x12000, bytes: Uint8Array.of(0x48, 0x83, 0xc3, 3, 0xc3) },
];

test('data beside code, and another page in its place in the soft TLB', async () => {
  let rig: CodeRig | undefined;
  await alike(SAME_PLACE, (made) => {
    rig = made;
    made.state.rip = 0x10000n;
    made.state.setGpr(12, 60n);
    // The page directory's entry for 16 MiB: the table that maps 2 MiB to themselves.
    made.ram.setBigUint64(0x5000 + 8 * 8, 0x6003n, true);
  });
  assert.equal([rig?.ram.getUint32(0x12800, true), rig?.ram.getUint32(0x13800, true)], [60, 1]);
});

/** Counts beside a hot function, on a page whose frame is exchanged for another one with such a function in each round. */
const COUNTER = [
  program(
    0x10000,
    `
  e8 fb 2f 00 00                   call 0x13000
  83 04 25 00 38 01 00 01          add DWORD PTR ds:0x13800,0x1
  48 81 34 25 98 60 00 00 00 70 00 00 xor QWORD PTR ds:0x6098,0x7000
  0f 01 3c 25 00 30 01 00          invlpg BYTE PTR ds:0x13000
  41 ff cc                         dec r12d
  75 da                            jne 0x10000
  f4                               hlt
`,
  ),
  { address: 0x13000, bytes: Uint8Array.of(0x48, 0x83, 0xc3, 3, 0xc3) },
  { address: 0x14000, bytes: Uint8Array.of(0x48, 0x83, 0xc3, 5, 0xc3) },
];

test('data beside code on a page that is mapped to two frames in turns', async () => {
  let rig: CodeRig | undefined;
  const [expected] = await alike(COUNTER, (made) => {
    rig = made;
    made.state.rip = 0x10000n;
    made.state.setGpr(3, 0n);
    made.state.setGpr(12, 60n);
  });
  assert.is(expected.state.gpr(3), 30n * 8n);
  assert.equal([rig?.ram.getUint32(0x13800, true), rig?.ram.getUint32(0x14800, true)], [30, 30]);
});

/** The same, but the page may not be written from the end of each round to the fault that the store makes then. */
const PROTECTED = [
  program(
    0x10000,
    `
  e8 fb 2f 00 00                   call 0x13000
  83 04 25 00 38 01 00 01          add DWORD PTR ds:0x13800,0x1
  80 24 25 98 60 00 00 fd          and BYTE PTR ds:0x6098,0xfd
  0f 01 3c 25 00 30 01 00          invlpg BYTE PTR ds:0x13000
  41 ff cc                         dec r12d
  75 de                            jne 0x10000
  f4                               hlt
`,
  ),
  COUNTER[1],
];

test('data beside code on a page that may not be written at times', async () => {
  const [{ log }] = await alike(PROTECTED, (rig) => {
    rig.state.rip = 0x10000n;
    rig.state.setGpr(12, 40n);
  });
  const faults = log.filter((_, i) => i % 13 === 0);
  assert.equal(faults, Array(39).fill(14n));
});

test.run();
