// Code that lies across two pages: either may be exchanged.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { alike, NEVER, RUNS } from './alike.js';
import { program } from './program.js';

/** A loop that lies across two pages, the second of which is exchanged for another frame while the loop is hot. */
const ACROSS = program(
  0x10fe8,
  `
  b9 28 00 00 00                   mov ecx,0x28
  48 83 c3 03                      add rbx,0x3
  48 8d 1c 4b                      lea rbx,[rbx+rcx*2]
  48 81 c3 00 01 00 00             add rbx,0x100
  48 d1 c3                         rol rbx,1
  48 83 f3 55                      xor rbx,0x55
  ff c9                            dec ecx
  75 e6                            jne 0x10fed
  48 81 34 25 88 60 00 00 00 30 00 00 xor QWORD PTR ds:0x6088,0x3000
  0f 01 3c 25 00 10 01 00          invlpg BYTE PTR ds:0x11000
  41 ff cc                         dec r12d
  75 c8                            jne 0x10fe8
  f4                               hlt
`,
);

test('another frame under the second page of a hot loop', async () => {
  const [expected] = await alike([ACROSS], (rig) => {
    rig.state.rip = BigInt(ACROSS.address);
    rig.state.setGpr(12, 60n);
    // The same code in the other frame, but XOR RBX, 66h: its immediate is the third byte of the page.
    const second = ACROSS.bytes.slice(0x11000 - ACROSS.address);
    assert.is(second[2], 0x55);
    second[2] = 0x66;
    rig.put(0x12000, second);
  });
  // Computed apart from any emulator.
  assert.is(expected.state.gpr(3), 9890054439913129185n);
});

/**
 * Calls a function that goes to another page and back, before and after a flush that spares global pages. INVLPG takes
 * what may have been a page of 2 MiB, so the other page is in one of its own, by an alias of 0x14000.
 */
const AFTER_FLUSH = [
  program(
    0x10000,
    `
  e8 fb 2f 00 00                   call 0x13000
  0f 20 d8                         mov rax,cr3
  0f 22 d8                         mov cr3,rax
  e8 f0 2f 00 00                   call 0x13000
  48 81 34 25 a0 70 00 00 00 10 00 00 xor QWORD PTR ds:0x70a0,0x1000
  0f 01 3c 25 00 40 21 00          invlpg BYTE PTR ds:0x214000
  41 ff cc                         dec r12d
  75 d7                            jne 0x10000
  f4                               hlt
`,
  ),
  program(
    0x13000,
    `
  b9 28 00 00 00                   mov ecx,0x28
  e9 f6 0f 20 00                   jmp 0x214000
  ff c9                            dec ecx
  75 f7                            jne 0x13005
  c3                               ret
`,
  ),
  program(
    0x214000,
    `
  48 83 c3 03                      add rbx,0x3
  e9 01 f0 df ff                   jmp 0x1300a
`,
  ),
];

test('another frame under a global page that only a compiled loop has entered since a flush', async () => {
  const [main, , other] = AFTER_FLUSH;
  const [expected] = await alike(AFTER_FLUSH, (rig) => {
    rig.state.rip = BigInt(main.address);
    rig.state.setGpr(12, 60n);
    rig.state.setU64(L.S_CR4, rig.state.u64(L.S_CR4) | BigInt(L.CR4_PGE));
    rig.ram.setBigUint64(0x70a0, 0x14103n, true);
    rig.put(0x14000, other.bytes);
    const second = other.bytes.slice();
    second[3] = 5;
    rig.put(0x15000, second);
  });
  // In turns 3 and 5, 40 times in each of two calls.
  assert.is(expected.state.gpr(3), 30n * 80n * 8n);
});

/** A jump whose offset is on the second page; nothing else is executed there. */
const JUMP_ACROSS = [
  program(
    0x10000,
    `
  e8 fa ff 1e 00                   call 0x1fffff
  48 81 34 25 00 70 00 00 00 e0 00 00 xor QWORD PTR ds:0x7000,0xe000
  0f 01 3c 25 00 00 20 00          invlpg BYTE PTR ds:0x200000
  41 ff cc                         dec r12d
  75 e2                            jne 0x10000
  f4                               hlt
`,
  ),
  program(
    0x1fffff,
    `
  e9 fc 7f e1 ff                   jmp 0x18000
`,
  ),
  program(
    0x18000,
    `
  48 83 c3 03                      add rbx,0x3
  c3                               ret
`,
  ),
  program(
    0x18010,
    `
  48 83 c3 05                      add rbx,0x5
  c3                               ret
`,
  ),
];

test('another frame under the page where a jump ends', async () => {
  const [expected] = await alike(JUMP_ACROSS, (rig) => {
    rig.state.rip = 0x10000n;
    rig.state.setGpr(12, 60n);
    rig.ram.setBigUint64(0x7000, 0x17003n, true);
    // To 0x18000, to 0x18010.
    rig.ram.setUint32(0x17000, 0xffe17ffc, true);
    rig.ram.setUint32(0x19000, 0xffe1800c, true);
  });
  assert.is(expected.state.gpr(3), 30n * 8n);
});

/**
 * A loop that goes by way of another page in the first 100 rounds of 2100 and in the last one, after a flush in each. What
 * maps that page is written before: R9 in the first ones, R10, R11 in the last.
 */
const FAR_PAGE = [
  program(
    0x10000,
    `
  4c 89 c8                         mov rax,r9
  41 81 fc d0 07 00 00             cmp r12d,0x7d0
  49 0f 46 c2                      cmovbe rax,r10
  41 83 fc 01                      cmp r12d,0x1
  49 0f 44 c3                      cmove rax,r11
  48 89 04 25 a0 70 00 00          mov QWORD PTR ds:0x70a0,rax
  0f 20 d8                         mov rax,cr3
  0f 22 d8                         mov cr3,rax
  e8 d7 1f 00 00                   call 0x12000
  41 ff cc                         dec r12d
  75 d2                            jne 0x10000
  f4                               hlt
`,
  ),
  program(
    0x12000,
    `
  b9 28 00 00 00                   mov ecx,0x28
  48 83 c3 03                      add rbx,0x3
  41 81 fc d0 07 00 00             cmp r12d,0x7d0
  0f 87 ea 1f 20 00                ja 0x214000
  41 83 fc 01                      cmp r12d,0x1
  0f 84 e0 1f 20 00                je 0x214000
  ff c9                            dec ecx
  75 e1                            jne 0x12005
  c3                               ret
`,
  ),
  program(
    0x214000,
    `
  48 83 c3 05                      add rbx,0x5
  e9 17 e0 df ff                   jmp 0x12020
`,
  ),
];

/** Of a page-table entry: present, writable, accessed. */
const [P, W, A] = [1, 2, 0x20];
const HERE = 0x14000 | P | W;
const THERE = 0x15000 | P | W;

/** Returns the share of the instructions that were executed in regions, one of which has the loop and the far page. */
async function farPage(entries: readonly [number, number, number], last: number): Promise<number> {
  const [main, , other] = FAR_PAGE;
  const [expected, { details, instructions }] = await alike(
    FAR_PAGE,
    (rig) => {
      rig.state.rip = BigInt(main.address);
      rig.state.setGpr(12, 2100n);
      entries.forEach((entry, i) => {
        rig.state.setGpr(9 + i, BigInt(entry));
      });
      rig.put(0x14000, other.bytes);
      const second = other.bytes.slice();
      second[3] = 7;
      rig.put(0x15000, second);
    },
    [...RUNS, { threshold: NEVER, baseline: 10, slice: 1e6 }],
  );
  assert.is(expected.state.gpr(3), 40n * BigInt(100 * (3 + 5) + 1999 * 3 + 3 + last));
  return details['jitInstructions'] / instructions;
}

test('a region is entered after a flush although one of its pages has not been executed since', async () => {
  const share = await farPage([HERE | A, HERE | A, HERE | A], 5);
  assert.ok(share > 0.99, `${share} of the instructions`);
});

test('but not if only an access would mark its page table entry: that is left as it is', async () => {
  const share = await farPage([HERE, HERE, HERE], 5);
  assert.ok(share < 0.5, `${share} of the instructions`);
});

test('nor if the page is not mapped, or to another frame', async () => {
  await farPage([HERE | A, 0, THERE | A], 7);
  await farPage([HERE | A, THERE | A, THERE | A], 7);
});

test.run();
