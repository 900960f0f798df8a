// Random instruction streams: well-formed instructions from the opcode table, stores into the code itself, plain noise.

import { A_FAR, A_IB, A_IV, A_IW, A_IWB, A_IZ, A_JZ, A_MOFFS } from '../../assembly/layout/x86-attributes.js';
import { hasModrm, immediateKind, type OpcodeRow, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import type { Random } from '../../tools/isa/random.js';

/** Default code size in bits. */
export type CodeSize = 16 | 32 | 64;

/** Where code and data lie, as offsets in their segments. */
export interface CodeLayout {
  readonly size: CodeSize;
  readonly code: number;
  readonly codeBytes: number;
  readonly data: number;
  readonly dataBytes: number;
}

/** With these few a guest would mostly stop: they come now and then only. */
const ENDS = new Set(['HLT', 'CLTS', 'LGDT', 'LIDT', 'LLDT', 'LTR', 'LMSW']);

const ROWS = parseOpcodeTable();
const PREFIXES: readonly (readonly number[])[] = ROWS.map(({ prefix }) => (prefix ? [prefix] : []));

function numbers(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.below(256));
}

function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 0xff);
}

/** A memory address for an operand: mostly in the data, sometimes in the code, at times anywhere. */
function place(random: Random, at: CodeLayout): number {
  switch (random.below(8)) {
    case 0:
      return random.u32() | 0;
    case 1:
      return at.code + random.below(at.codeBytes);
    case 2:
      // The last bytes of a page.
      return (at.data | 0xfff) - random.below(16);
    default:
      return at.data + random.below(at.dataBytes);
  }
}

function immediate(random: Random, row: OpcodeRow, at: CodeLayout, operand: number, address: number): number[] {
  const near = random.between(-60, 60);
  switch (immediateKind(row)) {
    case A_IB:
      return row.operands.includes('Jb') ? little(random.between(-48, 48), 1) : numbers(random, 1);
    case A_IW:
      return numbers(random, 2);
    case A_IWB:
      return [random.below(64), 0, random.below(6)];
    case A_IZ:
      return numbers(random, operand === 16 ? 2 : 4);
    case A_IV:
      return numbers(random, operand / 8);
    case A_JZ:
      return little(near, operand === 16 && at.size !== 64 ? 2 : 4);
    case A_MOFFS:
      return [...little(place(random, at), Math.min(address / 8, 4)), ...(address === 64 ? [0, 0, 0, 0] : [])];
    case A_FAR:
      return [...little(at.code + random.below(at.codeBytes), operand === 16 ? 2 : 4), 8 * random.below(12), 0];
    default:
      return [];
  }
}

function modrm(random: Random, row: OpcodeRow, at: CodeLayout, address: number): number[] {
  const reg = row.reg ?? random.below(8);
  const register = row.mod3 ?? random.oneIn(3);
  if (register) return [0xc0 | (reg << 3) | (row.rm ?? random.below(8))];
  const where = place(random, at);
  if (address === 16) {
    const mod = random.below(3);
    const rm = mod === 0 && random.oneIn(2) ? 6 : random.below(8);
    const direct = mod === 0 && rm === 6;
    const disp = direct || mod === 2 ? little(where, 2) : mod === 1 ? numbers(random, 1) : [];
    return [(mod << 6) | (reg << 3) | rm, ...disp];
  }
  // In 64-bit mode mod 0 rm 5 is relative to RIP: a small displacement then means the code itself.
  if (random.oneIn(3)) {
    const disp = at.size === 64 && random.oneIn(2) ? random.between(-200, 200) : where;
    return at.size === 64 && disp === where
      ? [(reg << 3) | 4, 0x25, ...little(where, 4)]
      : [(reg << 3) | 5, ...little(disp, 4)];
  }
  const mod = random.below(3);
  const rm = random.below(8);
  const sib = rm === 4 ? numbers(random, 1) : [];
  const bare = mod === 0 && (rm === 5 || (rm === 4 && (sib[0] & 7) === 5));
  return [(mod << 6) | (reg << 3) | rm, ...sib, ...numbers(random, bare || mod === 2 ? 4 : mod)];
}

/** One instruction of the table, with prefixes that may or may not suit it. */
export function randomInstruction(random: Random, at: CodeLayout): number[] {
  for (;;) {
    const index = random.below(ROWS.length);
    const row = ROWS[index];
    if (row.flags.includes(at.size === 64 ? 'i64' : 'o64') && !random.oneIn(8)) continue;
    if (ENDS.has(row.mnemonic) && !random.oneIn(12)) continue;
    const prefixes = [...PREFIXES[index]];
    let operand: number = at.size === 16 ? 16 : 32;
    let address: number = at.size;
    if (row.prefix === undefined && random.oneIn(5)) {
      prefixes.push(0x66);
      operand = operand === 16 ? 32 : 16;
    }
    if (random.oneIn(10)) {
      prefixes.push(0x67);
      address = address === 32 ? 16 : 32;
    }
    if (row.prefix === undefined && random.oneIn(10)) prefixes.push(random.pick([0xf2, 0xf3]));
    if (random.oneIn(row.flags.includes('lock') ? 5 : 60)) prefixes.push(0xf0);
    if (random.oneIn(10)) prefixes.push(random.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
    if (at.size === 64 && random.oneIn(2)) {
      const rex = 0x40 | random.below(16);
      prefixes.push(rex);
      if (rex & 8) operand = 64;
    }
    const opcodeMap = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][row.map];
    const form = hasModrm(row) ? modrm(random, row, at, address) : [];
    return [...prefixes, ...opcodeMap, row.opcode, ...form, ...immediate(random, row, at, operand, address)];
  }
}

/** MOV [code], imm8: what follows, or comes the next time round, is another instruction. */
function storeIntoCode(random: Random, at: CodeLayout, here: number): number[] {
  const target = at.code + Math.max(0, Math.min(at.codeBytes - 1, here + random.between(-24, 32)));
  const value = random.pick([0x90, 0x40, 0xf8, 0x31, 0x00, random.below(256)]);
  if (at.size === 16) return [0x2e, 0xc6, 0x06, ...little(target, 2), value];
  if (at.size === 32) return [0xc6, 0x05, ...little(target, 4), value];
  return [0xc6, 0x04, 0x25, ...little(target, 4), value];
}

/** A few instructions in a loop that ends: MOV CL, n … DEC CL; JNZ. */
function loop(random: Random, at: CodeLayout, here: number): number[] {
  const body: number[] = [];
  for (let i = random.between(1, 5); i > 0; i--) body.push(...simple(random));
  if (random.oneIn(3)) body.push(...storeIntoCode(random, at, here + 8));
  return [0xb1, random.between(2, 40), ...body, 0xfe, 0xc9, 0x75, -(body.length + 4) & 0xff];
}

/** Arithmetic on AL, DL, BL and the flags, one code in all modes: what the flags' elimination works on. */
function simple(random: Random): number[] {
  const op = random.pick([0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38]);
  const registers = 0xc0 | (random.pick([0, 2, 3]) << 3) | random.pick([0, 2, 3]);
  switch (random.below(6)) {
    case 0:
      return [0x0f, 0x90 | random.below(16), 0xc0 | random.pick([0, 2, 3])];
    case 1:
      return [random.pick([0x9f, 0x9e, 0xf5, 0xf8, 0xf9])];
    case 2:
      return [0xd0 | random.below(4), 0xc0 | (random.below(8) << 3) | random.pick([0, 2, 3])];
    case 3:
      return [op | 4, random.below(256)];
    case 4:
      return [0x70 | random.below(16), random.below(3)];
    default:
      return [op, registers];
  }
}

/** `at.codeBytes` bytes of code, ending in a jump back into it. */
export function randomCode(random: Random, at: CodeLayout): Uint8Array {
  const code = Uint8Array.from(numbers(random, at.codeBytes));
  if (random.oneIn(12)) return code;
  let used = 0;
  while (used < at.codeBytes - 64) {
    let piece: number[];
    switch (random.below(16)) {
      case 0:
        piece = numbers(random, random.between(1, 6));
        break;
      case 1:
        piece = storeIntoCode(random, at, used);
        break;
      case 2:
      case 3:
        piece = loop(random, at, used);
        break;
      case 4:
      case 5:
      case 6:
        piece = simple(random);
        break;
      case 7:
        // A jump back: blocks that are entered in the middle of others.
        piece = [0xeb, random.between(-120, -2) & 0xff];
        if (!random.oneIn(6)) piece = [0x70 | random.below(16), piece[1]];
        break;
      default:
        piece = randomInstruction(random, at);
    }
    code.set(piece.slice(0, at.codeBytes - used), used);
    used += piece.length;
  }
  const back = -(used + 3 - random.below(used));
  code.set([0xe9, ...little(back, at.size === 16 ? 2 : 4)].slice(0, at.codeBytes - used), used);
  return code;
}
