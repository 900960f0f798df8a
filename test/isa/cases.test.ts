// The generator of instruction cases: complete, repeatable, and inside its memory.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import { type Case, IMAGE_GPR, IMAGE_RFLAGS, inputImage } from '../../tools/isa/case.js';
import { casesOf, GROUPS } from '../../tools/isa/cases.js';
import { differences } from '../../tools/isa/compare.js';
import { ISA_RAM } from '../../tools/isa/environment.js';
import { HASH_START, hashCase } from '../../tools/isa/expected.js';
import { classOf, ROW_GROUPS, rowKey, rowsOf } from '../../tools/isa/rows.js';

function first(group: string, wanted: (c: Case) => boolean): Case {
  for (const c of casesOf(group)) if (wanted(c)) return c;
  throw new Error(`${group} has no such case`);
}

test('every instruction of ring 3 has cases', () => {
  const covered = new Set(ROW_GROUPS.flatMap(rowsOf).map(rowKey));
  const missing = parseOpcodeTable().filter((row) => classOf(row) !== 'none' && !covered.has(rowKey(row)));
  // What is privileged and 64-bit only is among the faults.
  assert.equal(
    missing.filter((row) => classOf(row) !== 'privileged').map((row) => row.mnemonic),
    [],
  );
});

test('what is left out is named', () => {
  const left = new Set(
    parseOpcodeTable()
      .filter((row) => classOf(row) === 'none')
      .map((row) => row.mnemonic),
  );
  const known =
    'CALLF CPUID FSTP INT INT1 IRET JMPF LAR LDS LES LFS LGS LSL LSS MOV POP PUSH RDPMC RDRAND RDSEED RDTSC RDTSCP RETF RSM SGDT SIDT SLDT SMSW STR SYSCALL SYSENTER SYSEXIT SYSRET VERR VERW VMCALL VMMCALL XGETBV XRSTOR XSAVE';
  for (const name of left) assert.ok(known.split(' ').includes(name), name);
});

test('the same cases every time, other ones in a variant', () => {
  const hash = (variant: string) => {
    let h = HASH_START;
    for (const c of casesOf('limits32', variant)) h = hashCase(c, inputImage(c), h);
    return h;
  };
  assert.is(hash(''), hash(''));
  assert.is.not(hash(''), hash('other/'));
});

for (const group of GROUPS) {
  test(`${group}: cases are numbered, short, and lie in memory`, () => {
    let next = 0;
    for (const c of casesOf(group)) {
      assert.is(c.index, next++);
      const longest = c.mnemonic === 'long' ? 16 : 15;
      if (c.code.length < 1 || c.code.length > longest) assert.unreachable(`${c.mnemonic}: ${c.code.length} bytes`);
      for (const w of c.windows) if (w.at < 0 || w.at + w.bytes.length > ISA_RAM) assert.unreachable(c.mnemonic);
    }
    assert.ok(next > 0);
  });
}

test('differences are found where they count, and only there', () => {
  const add = first('integer64', (c) => c.mnemonic === 'ADD');
  const flip = (c: Case, at: number, bit: number) => {
    const image = inputImage(c);
    image[at] ^= bit;
    return differences(c, inputImage(c), image);
  };
  assert.is(flip(add, IMAGE_GPR + 8, 1).length, 1);
  assert.is(flip(add, IMAGE_RFLAGS, 0x10).length, 1, 'AF of ADD');
  const and = first('integer64', (c) => c.mnemonic === 'AND');
  assert.is(flip(and, IMAGE_RFLAGS, 0x10).length, 0, 'AF of AND is undefined');
  assert.is(flip(and, IMAGE_RFLAGS, 0x01).length, 1, 'CF of AND is not');
});

test.run();
