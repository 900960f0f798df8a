// The A64 disassembler against expectations from the Arm ARM, and against objdump where that is installed.

import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { disassembleA64 } from '../../src/trace/disassemble-a64.js';
import { scratch } from '../cli/spawn.js';

/** Words at address 0x1000. */
const EXPECTED: readonly (readonly [word: number, text: string])[] = [
  // Data processing, immediate.
  [0x910043ff, 'add sp, sp, #0x10'],
  [0x910003fd, 'mov x29, sp'],
  [0xd10083ff, 'sub sp, sp, #0x20'],
  [0x7100041f, 'cmp w0, #0x1'],
  [0xb140041f, 'cmn x0, #0x1, lsl #12'],
  [0x92401c20, 'and x0, x1, #0xff'],
  [0xb200f3e0, 'mov x0, #0x5555555555555555'],
  [0x72000c1f, 'tst w0, #0xf'],
  [0xd2824680, 'mov x0, #0x1234'],
  [0x92800000, 'mov x0, #0xffffffffffffffff'],
  [0xf2a24680, 'movk x0, #0x1234, lsl #16'],
  [0x10000040, 'adr x0, 0x1008'],
  [0xb0000000, 'adrp x0, 0x2000'],
  [0xd37df020, 'lsl x0, x1, #3'],
  [0x53047c20, 'lsr w0, w1, #4'],
  [0x93407c20, 'sxtw x0, w1'],
  [0xd3441c20, 'ubfx x0, x1, #4, #4'],
  [0xb37c0c20, 'bfi x0, x1, #4, #4'],
  [0x13811020, 'ror w0, w1, #4'],
  [0x13821020, 'extr w0, w1, w2, #4'],
  // Data processing, registers.
  [0x8b020c20, 'add x0, x1, x2, lsl #3'],
  [0x8b22cc3f, 'add sp, x1, w2, sxtw #3'],
  [0xeb02003f, 'cmp x1, x2'],
  [0x4b0203e0, 'neg w0, w2'],
  [0xaa0203e0, 'mov x0, x2'],
  [0x2a2203e0, 'mvn w0, w2'],
  [0x8a220020, 'bic x0, x1, x2'],
  [0x9a9f17e0, 'cset x0, eq'],
  [0x9a820420, 'csinc x0, x1, x2, eq'],
  [0x5a810421, 'cneg w1, w1, ne'],
  [0xfa410804, 'ccmp x0, #0x1, #0x4, eq'],
  [0x9b027c20, 'mul x0, x1, x2'],
  [0x9b220c20, 'smaddl x0, w1, w2, x3'],
  [0x9ac20820, 'udiv x0, x1, x2'],
  [0x9ac24c20, 'crc32x w0, w1, x2'],
  [0xdac00c20, 'rev x0, x1'],
  // Branches and system.
  [0x14000004, 'b 0x1010'],
  [0x97ffffff, 'bl 0xffc'],
  [0x54000041, 'b.ne 0x1008'],
  [0xb4000040, 'cbz x0, 0x1008'],
  [0x37f80040, 'tbnz w0, #31, 0x1008'],
  [0xd65f03c0, 'ret'],
  [0xd63f0020, 'blr x1'],
  [0xd69f03e0, 'eret'],
  [0xd4000001, 'svc #0x0'],
  [0xd503201f, 'nop'],
  [0xd5033bbf, 'dmb ish'],
  [0xd5033fdf, 'isb'],
  [0xd5381000, 'mrs x0, sctlr_el1'],
  [0xd51bd040, 'msr tpidr_el0, x0'],
  [0xd50342df, 'msr daifset, #0x2'],
  [0xd508871f, 'tlbi vmalle1'],
  [0xd50b7420, 'dc zva, x0'],
  [0xd5087800, 'at s1e1r, x0'],
  [0x00000000, 'udf #0'],
  // Loads and stores.
  [0xf9400420, 'ldr x0, [x1, #8]'],
  [0xb85fcc20, 'ldr w0, [x1, #-4]!'],
  [0x38001420, 'strb w0, [x1], #1'],
  [0xf8627820, 'ldr x0, [x1, x2, lsl #3]'],
  [0x7862c820, 'ldrh w0, [x1, w2, sxtw]'],
  [0xf8408020, 'ldur x0, [x1, #8]'],
  [0xf8400820, 'ldtr x0, [x1]'],
  [0x58000040, 'ldr x0, 0x1008'],
  [0xa9bf7bfd, 'stp x29, x30, [sp, #-16]!'],
  [0xa8c17bfd, 'ldp x29, x30, [sp], #16'],
  [0xad400400, 'ldp q0, q1, [x0]'],
  [0x3dc00420, 'ldr q0, [x1, #16]'],
  [0xf9800020, 'prfm pldl1keep, [x1]'],
  [0xc85f7c20, 'ldxr x0, [x1]'],
  [0x8802fc20, 'stlxr w2, w0, [x1]'],
  [0xf8e10002, 'ldaddal x1, x2, [x0]'],
  [0xb821001f, 'stadd w1, [x0]'],
  [0x08a07c41, 'casb w0, w1, [x2]'],
  [0x4c407020, 'ld1 {v0.16b}, [x1]'],
  [0x0d40c820, 'ld1r {v0.2s}, [x1]'],
  // Floating point and Advanced SIMD.
  [0x1e622820, 'fadd d0, d1, d2'],
  [0x1e602008, 'fcmp d0, #0.0'],
  [0x1e6e1000, 'fmov d0, #1.000000000000000000e+00'],
  [0x9e660020, 'fmov x0, d1'],
  [0x9e780020, 'fcvtzs x0, d1'],
  [0x1f420c20, 'fmadd d0, d1, d2, d3'],
  [0x4ea28420, 'add v0.4s, v1.4s, v2.4s'],
  [0x4ea11c20, 'mov v0.16b, v1.16b'],
  [0x6e30a820, 'umaxv b0, v1.16b'],
  [0x4f000420, 'movi v0.4s, #0x1'],
  [0x0e0c3c20, 'mov w0, v1.s[1]'],
  [0x0e612820, 'xtn v0.4h, v1.4s'],
  [0x6e021820, 'ext v0.16b, v1.16b, v2.16b, #3'],
  [0x4f0aa420, 'sshll2 v0.8h, v1.16b, #2'],
  [0x5f723020, 'sqdmlal s0, h1, v2.h[3]'],
  [0x4e032020, 'tbl v0.16b, {v1.16b, v2.16b}, v3.16b'],
  [0x4e284820, 'aese v0.16b, v1.16b'],
  [0x4e216820, 'fcvtn2 v0.8h, v1.4s'],
  [0x4f7ce420, 'scvtf v0.2d, v1.2d, #4'],
  [0x0e020c20, 'dup v0.4h, w1'],
  [0x4cdf4820, 'ld3 {v0.4s-v2.4s}, [x1], #48'],
  [0x4da28420, 'st2 {v0.d, v1.d}[1], [x1], x2'],
  // Not allocated.
  [0xffffffff, '.inst 0xffffffff'],
  [0x12400000, '.inst 0x12400000'],
];

test('words as the Arm ARM writes them', () => {
  for (const [word, text] of EXPECTED) assert.is(disassembleA64(word, 0x1000n), text, word.toString(16));
});

test('any word has a text', () => {
  for (let i = 0; i < 20000; i++) {
    const text = disassembleA64(Math.imul(i, 0x9e3779b1), 0xffffffc008000000n);
    assert.not.match(text, /undefined|NaN|\?/);
  }
});

// --- objdump ---

const OBJDUMP = 'aarch64-linux-gnu-objdump';
const haveObjdump = spawnSync(OBJDUMP, ['--version']).status === 0;

/** Without comments, one space between mnemonic and operands. */
const normalize = (text: string) =>
  text
    .replace(/\s+\/\/.*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
/** A register of an extension that this CPU has not. */
const foreign = (word: number) => (word & 0xffd00000) >>> 0 === 0xd5100000;

test('what it knows, objdump knows alike', () => {
  if (!haveObjdump) {
    console.log('skipped: aarch64-linux-gnu-objdump is not installed');
    return;
  }
  const words = new Uint32Array(60000);
  for (let i = 0, seed = 1; i < words.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    words[i] = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d);
  }
  const file = scratch('words.bin', new Uint8Array(words.buffer));
  const dump = spawnSync(OBJDUMP, ['-D', '-z', '-b', 'binary', '-m', 'aarch64', file], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  });
  let compared = 0;
  for (const line of dump.stdout.split('\n')) {
    const m = /^\s*([0-9a-f]+):\s+([0-9a-f]{8})\s+(.*)$/.exec(line);
    if (!m) continue;
    const word = parseInt(m[2], 16);
    const got = disassembleA64(word, BigInt(`0x${m[1]}`));
    if (got.startsWith('.inst') || foreign(word)) continue;
    assert.is(got, normalize(m[3]), m[2]);
    compared++;
  }
  assert.ok(compared > 10000);
});

test.run();
