// Code that lies across two pages: either may be exchanged.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike } from './alike.js';
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

test.run();
