// The disassembler against expectations from the manuals, and against objdump where that is installed.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasModrm, type OpcodeRow, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import { disassembleX86, formatX86, type X86Bits } from '../../src/trace/disassemble-x86.js';
import { ROOT } from '../cli/spawn.js';
import { haveObjdump, normalize, objdumpElf, objdumpFlat } from './objdump.js';

const BITS = [16, 32, 64] as const;

function text(hex: string, bits: X86Bits, address = 0x1000n): string {
  const bytes = Uint8Array.from(hex.split(' ').map((byte) => parseInt(byte, 16)));
  const insn = disassembleX86(bytes, address, bits);
  if (insn.mnemonic !== '(bad)') assert.is(insn.length, bytes.length, hex);
  return formatX86(insn).replace(/\s+/g, ' ');
}

/** Bytes, then the text in 16-, 32- and 64-bit code; one text alone is that of 64-bit code. */
const EXPECTED: readonly (readonly string[])[] = [
  ['01 d8', 'add ax,bx', 'add eax,ebx', 'add eax,ebx'],
  ['66 01 d8', 'add eax,ebx', 'add ax,bx', 'add ax,bx'],
  ['48', 'dec ax', 'dec eax', '(bad)'],
  ['48 01 d8', 'add rax,rbx'],
  ['41 8a 24 24', 'mov spl,BYTE PTR [r12]'],
  ['8a 65 fe', 'mov ah,BYTE PTR [di-0x2]', 'mov ah,BYTE PTR [ebp-0x2]', 'mov ah,BYTE PTR [rbp-0x2]'],
  ['8b 84 8a 00 01 00 00', 'mov eax,DWORD PTR [rdx+rcx*4+0x100]'],
  ['8b 04 25 f0 ff ff ff', 'mov eax,DWORD PTR ds:0xfffffffffffffff0'],
  ['8b 05 f9 ff ff ff', 'mov eax,DWORD PTR [rip-0x7] # 0xfff'],
  ['64 48 8b 04 25 28 00 00 00', 'mov rax,QWORD PTR fs:0x28'],
  [
    'f0 0f b1 0b',
    'lock cmpxchg WORD PTR [bp+di],cx',
    'lock cmpxchg DWORD PTR [ebx],ecx',
    'lock cmpxchg DWORD PTR [rbx],ecx',
  ],
  ['48 b8 88 77 66 55 44 33 22 11', 'movabs rax,0x1122334455667788'],
  ['48 a1 88 77 66 55 44 33 22 11', 'movabs rax,ds:0x1122334455667788'],
  [
    'f3 a4',
    'rep movs BYTE PTR es:[di],BYTE PTR ds:[si]',
    'rep movs BYTE PTR es:[edi],BYTE PTR ds:[esi]',
    'rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]',
  ],
  ['f2 ae', 'repnz scas al,BYTE PTR es:[di]', 'repnz scas al,BYTE PTR es:[edi]', 'repnz scas al,BYTE PTR es:[rdi]'],
  ['eb fe', 'jmp 0x1000', 'jmp 0x1000', 'jmp 0x1000'],
  ['74 80', 'je 0xf82', 'je 0xf82', 'je 0xf82'],
  ['e3 00', 'jcxz 0x1002', 'jecxz 0x1002', 'jrcxz 0x1002'],
  ['6a ff', 'push 0xffff', 'push 0xffffffff', 'push 0xffffffffffffffff'],
  ['83 c8 80', 'or ax,0xff80', 'or eax,0xffffff80', 'or eax,0xffffff80'],
  ['98', 'cbw', 'cwde', 'cwde'],
  ['48 99', 'cqo'],
  ['90', 'nop', 'nop', 'nop'],
  ['f3 90', 'pause', 'pause', 'pause'],
  ['49 90', 'xchg r8,rax'],
  ['cf', 'iret', 'iret', 'iret'],
  ['48 cf', 'iretq'],
  ['0f 01 f8', '(bad)', '(bad)', 'swapgs'],
  ['0f 22 d8', 'mov cr3,eax', 'mov cr3,eax', 'mov cr3,rax'],
  ['d8 c1', 'fadd st,st(1)', 'fadd st,st(1)', 'fadd st,st(1)'],
  ['0f 58 c8', 'addps xmm1,xmm0', 'addps xmm1,xmm0', 'addps xmm1,xmm0'],
  ['66 0f fe c8', 'paddd xmm1,xmm0', 'paddd xmm1,xmm0', 'paddd xmm1,xmm0'],
  ['0f fe c8', 'paddd mm1,mm0', 'paddd mm1,mm0', 'paddd mm1,mm0'],
  ['f2 0f c2 c8 01', 'cmpltsd xmm1,xmm0', 'cmpltsd xmm1,xmm0', 'cmpltsd xmm1,xmm0'],
  ['66 48 0f 6e c0', 'movq xmm0,rax'],
  // No such instruction: VEX prefixes, LEA of a register, segment register 6, the end of the bytes.
  ['c5 f8 77', '(bad)', '(bad)', '(bad)'],
  ['8d c0', '(bad)', '(bad)', '(bad)'],
  ['8e f0', '(bad)', '(bad)', '(bad)'],
  ['81 c0 01', '(bad)', '(bad)', '(bad)'],
];

test('what the manuals say', () => {
  for (const [bytes, ...texts] of EXPECTED) {
    if (texts.length === 1) assert.is(text(bytes, 64), texts[0], bytes);
    else BITS.forEach((bits, i) => void assert.is(text(bytes, bits), texts[i], `${bytes}, ${bits} bits`));
  }
});

test('branches wrap at the end of the segment', () => {
  assert.is(text('e9 00 10', 16, 0xfff0n), 'jmp 0xff3');
  assert.is(text('eb 7f', 32, 0xfffffff0n), 'jmp 0x71');
  assert.is(text('eb 80', 64, 0n), 'jmp 0xffffffffffffff82');
});

test('an instruction has at most 15 bytes', () => {
  const prefixes = (n: number) => Uint8Array.from([...Array(n).fill(0x66), 0x90]);
  assert.is(disassembleX86(prefixes(14), 0n, 32).length, 15);
  assert.is(disassembleX86(prefixes(15), 0n, 32).mnemonic, '(bad)');
});

test('any bytes give some text and a length within them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.constantFrom(...BITS), (bytes, bits) => {
      const { length, mnemonic } = disassembleX86(bytes, 0xfffffffffffffff0n, bits);
      assert.ok(length >= 1 && length <= Math.min(15, bytes.length));
      assert.ok(mnemonic.length > 0);
    }),
    { numRuns: 20_000, seed: 7 },
  );
});

// --- objdump ---

/** A generator of numbers below n that never changes (xorshift32). */
function numbers(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
/** Bytes between instructions: no instruction reaches the next one. */
const SLOT = 32;
const PER_ROW = 6;

/** Rows that objdump knows as something else: prefetches and hint NOPs that got meanings since, UD0 and UD1 with operands
 *  of any size, LDDQU without a size, FWAIT as a prefix, far pointers and masks whose size it gives otherwise. */
const DIFFER = /^(?:PREFETCH|NOP|UD[01]|LDDQU|FWAIT|CALLF|JMPF|L[DEFGS]S|P?MOVMSK|PCMPESTR)/;

/** One encoding of a row, with anything after it. */
function encode(row: OpcodeRow, bits: X86Bits, draw: (n: number) => number): number[] {
  const bytes: number[] = [];
  const operands = row.operands.join(' ');
  const sized = /[A-Z](?:v|z|bs)\b|AX/.test(operands) && !/\bJ/.test(operands);
  const memory = row.mod3 === undefined ? draw(2) === 0 : !row.mod3;
  if (row.prefix) bytes.push(row.prefix);
  const rex = bits === 64 && draw(2) === 0 ? 0x40 | draw(16) : 0;
  if (row.prefix === undefined && sized && !(rex & 8) && draw(3) === 0) bytes.push(0x66);
  if (memory && hasModrm(row)) {
    if (draw(6) === 0) bytes.push([0x64, 0x65, 0x2e, 0x36, 0x26][draw(bits === 64 ? 2 : 5)]);
    if (draw(6) === 0) bytes.push(0x67);
  }
  if (rex) bytes.push(rex);
  bytes.push(...MAP_BYTES[row.map], row.opcode);
  if (hasModrm(row)) bytes.push(((memory ? draw(3) : 3) << 6) | ((row.reg ?? draw(8)) << 3) | (row.rm ?? draw(8)));
  while (bytes.length < 16) bytes.push(draw(256));
  return bytes;
}

/** What objdump says of encodings that the manuals leave to be as their neighbours, and of bytes that are none. */
const BEYOND = /\(bad\)|^\.byte|^ud[01]|^rex[.WRXB]*$/;

/** How the two differ about an instruction, if they do. */
function difference(address: number, bits: X86Bits, code: Uint8Array, theirs: string): string | undefined {
  const ours = normalize(formatX86(disassembleX86(code, BigInt(address), bits)), bits);
  if (ours === normalize(theirs, bits) || BEYOND.test(theirs)) return undefined;
  return `${Buffer.from(code.subarray(0, 15)).toString('hex')} (${bits} bits): '${ours}', objdump '${normalize(theirs, bits)}'`;
}

for (const bits of BITS) {
  test(`every row of the opcode table reads in ${bits}-bit code as objdump reads it`, () => {
    if (!haveObjdump) return void console.log('skipped: objdump is not installed');
    const draw = numbers(12345 + bits);
    const rows = parseOpcodeTable().filter(
      (row) => !row.flags.includes(bits === 64 ? 'i64' : 'o64') && !DIFFER.test(row.mnemonic),
    );
    const list = rows.flatMap((row) => Array.from({ length: PER_ROW }, () => encode(row, bits, draw)));
    const differences: string[] = [];
    let compared = 0;
    // 64 KiB at a time: beyond that, addresses of 16-bit code are ambiguous.
    const chunk = 0x10000 / SLOT;
    for (let first = 0; first < list.length; first += chunk) {
      const code = new Uint8Array(0x10000).fill(0x90);
      const part = list.slice(first, first + chunk);
      part.forEach((bytes, i) => {
        const { length } = disassembleX86(Uint8Array.from(bytes), BigInt(i * SLOT), bits);
        code.set(bytes.slice(0, length), i * SLOT);
      });
      const lines = objdumpFlat(code, bits);
      for (let at = 0; at < part.length * SLOT; at += SLOT) {
        const line = lines.get(at);
        if (!line) continue;
        compared++;
        const d = difference(at, bits, code.subarray(at, at + 16), line.text);
        if (d) differences.push(d);
      }
    }
    assert.equal(differences, []);
    assert.ok(compared > 0.98 * list.length, `${compared} of ${list.length} compared`);
  });
}

for (const [name, bits] of [
  ['multiboot32', 32],
  ['rings', 64],
  ['longmode', 64],
  ['systests/paging64', 64],
  ['systests/gates32', 32],
] as const) {
  test(`the code of guests/${name}.img reads as objdump reads it`, () => {
    if (!haveObjdump) return void console.log('skipped: objdump is not installed');
    const lines = objdumpElf(`${ROOT}guests/${name}.img`);
    const differences: string[] = [];
    for (const [address, { text, bytes }] of lines) {
      const code = Uint8Array.from([...bytes, ...Array(16 - bytes.length).fill(0x90)]);
      const d = difference(address, bits, code, text);
      if (d) differences.push(d);
    }
    assert.equal(differences, []);
    assert.ok(lines.size > 100, `${lines.size} instructions`);
  });
}

test('the BIOS, code and data, reads as objdump reads it', () => {
  if (!haveObjdump) return void console.log('skipped: objdump is not installed');
  const code = new Uint8Array(readFileSync(`${ROOT}guests/bios/bios.bin`)).subarray(-0x10000);
  const differences: string[] = [];
  for (const [address, { text }] of objdumpFlat(code, 16)) {
    const d = difference(address, 16, code.subarray(address, address + 16), text);
    if (d) differences.push(d);
  }
  assert.equal(differences, []);
});

test.run();
