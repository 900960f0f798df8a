// Random programs that get hot: an outer loop, an inner loop, forward branches and a subroutine, filled with instructions of
// the opcode table that compute.
//
// In 64-bit code R12 counts the outer loop, R14 the inner one, R13 holds the address of the data. In 32- and 16-bit code
// EDI holds it, and the counters lie in memory. RSP is the stack's. Everything else is the instructions' own.

import { hasModrm, immediateKind, type OpcodeRow, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import { Random } from '../../tools/isa/random.js';
import type { Program } from './program.js';

/** General instructions that neither fault nor touch the stack. */
const GENERAL =
  /^(?:ADD|OR|ADC|SBB|AND|SUB|XOR|CMP|TEST|MOV|LEA|XCHG|MOVSXD|IMUL|MUL|INC|DEC|NOT|NEG|CBW|CWD|RO[LR]|RC[LR]|S[HA][LR]|CMOV\w+|SET(?!ALC)\w+|BT[SRC]?|SH[LR]D|BS[FR]|BSWAP|XADD|CMPXCHG|MOVZX|MOVSX|POPCNT|MOVBE|CRC32|SAHF|LAHF|CMC|CLC|STC|NOP)$/;
/** Operands that the encoder below can make. */
const OPERAND = /^(?:[EGMZR][bwvdyqz]?|I(?:b|bs|z|v)|AL|CL|rAX|1|[VWU](?:q|d|w|dq|ps|pd|ss|sd)|M(?:q|dq|ps|pd)|XMM0)$/;
const VECTOR = /^[VWU]/;
/** State that the programs leave alone. */
const EXCLUDED = /^(?:MASKMOV|MOVNTDQA)/;
const FREE_64 = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11];
const FREE_32 = [0, 1, 2, 3, 5, 6];

export type Bits = 16 | 32 | 64;

const ROWS = parseOpcodeTable().filter((row) => {
  if (EXCLUDED.test(row.mnemonic)) return false;
  const operands = row.operands.every((code) => OPERAND.test(code));
  const vector = row.operands.some((code) => VECTOR.test(code));
  return operands && (vector ? row.map > 0 : GENERAL.test(row.mnemonic));
});
const isVector = (row: OpcodeRow): boolean => row.operands.some((code) => VECTOR.test(code));
const rowsOf = (bits: Bits, vector: boolean): OpcodeRow[] =>
  ROWS.filter((row) => isVector(row) === vector && !row.flags.includes(bits === 64 ? 'i64' : 'o64'));
const ROWS_BY_BITS = new Map(
  ([16, 32, 64] as const).map((bits) => [bits, { vector: rowsOf(bits, true), general: rowsOf(bits, false) }]),
);
export const DATA = 0x100000;
/** Offsets from R13 that are used: some accesses lie across two pages. */
const DATA_BYTES = 0x2800;

const little = (n: number, bytes: number): number[] => Array.from({ length: bytes }, (_, i) => (n >> (8 * i)) & 255);

/** Bytes of an immediate, by its kind (A_IB, A_IZ, A_IV). */
function immediateBytes(row: OpcodeRow, opSize: 16 | 32 | 64): number {
  // TEST alone of group 3 has one.
  if ((row.opcode & 0xfe) === 0xf6 && row.map === 0) {
    if ((row.reg ?? 2) > 1) return 0;
    return row.opcode & 1 ? Math.min(4, opSize / 8) : 1;
  }
  return { 1: 1, 3: Math.min(4, opSize / 8), 4: opSize / 8 }[immediateKind(row)] ?? 0;
}

/** ModRM and what follows it for a memory operand at `offset` in the data. */
function memoryOperand(bits: Bits, reg: number, offset: number, indexed: boolean, random: Random): number[] {
  const field = 0x80 | ((reg & 7) << 3);
  // [DI + disp16], [EDI + disp32], [R13 + disp32], [R13 + R14 × scale + disp32].
  if (bits === 16) return [field | 5, ...little(offset, 2)];
  if (bits === 32) return [field | 7, ...little(offset, 4)];
  return indexed ? [field | 4, (random.below(4) << 6) | 0x35, ...little(offset, 4)] : [field | 5, ...little(offset, 4)];
}

/** One instruction of `row`. */
function encode(row: OpcodeRow, bits: Bits, random: Random): number[] {
  const long = bits === 64;
  const free = long ? FREE_64 : FREE_32;
  const vectors = long ? 16 : 8;
  const vector = isVector(row);
  const all = row.operands.join();
  const bytes: number[] = [];
  if (row.prefix) bytes.push(row.prefix);
  const other = row.prefix === undefined && !vector && random.oneIn(6);
  if (other) bytes.push(0x66);
  let rex = long && (random.oneIn(2) || row.flags.includes('o64')) ? 0x40 : 0;
  if (rex && random.oneIn(2) && row.mnemonic !== 'XCHG') rex |= 8;
  const regIsVector = vector && !/G/.test(all);
  const reg = row.reg ?? (regIsVector ? random.below(vectors) : random.pick(free));
  const modrm: number[] = [];
  if (hasModrm(row)) {
    if (reg > 7) rex |= 0x44;
    // A bit number in a register may lead anywhere in memory.
    const registersOnly = /^[UR]/.test(all) || /,[UR]/.test(all) || (row.mnemonic.startsWith('BT') && /Gv/.test(all));
    const mayBeMemory = !registersOnly && (row.mod3 === undefined ? random.oneIn(2) : !row.mod3);
    if (mayBeMemory || /(?:^|,)M/.test(all)) {
      const indexed = !vector && random.oneIn(3);
      if (long) rex |= indexed ? 0x43 : 0x41;
      // Every other one near the end of a page, so that some are close together.
      const [first, size] = random.below(2) ? [0, DATA_BYTES] : [0xf80, 0x100];
      const offset = first + (vector ? 16 * random.below(size / 16) : random.below(size));
      modrm.push(...memoryOperand(bits, reg, offset, indexed, random));
    } else {
      const rm = row.rm ?? (/(?:^|,)[WU]/.test(all) ? random.below(vectors) : random.pick(free));
      if (rm > 7) rex |= 0x41;
      modrm.push(0xc0 | ((reg & 7) << 3) | (rm & 7));
    }
  }
  if (/(?:^|,)Z/.test(all)) {
    const choices = [0, 1].filter((b) => free.includes((row.opcode & 7) + 8 * b));
    if (choices.length === 0) return [0x90];
    if (random.pick(choices)) rex |= 0x41;
    else rex &= ~1;
  }
  if (rex) bytes.push(rex);
  const usual = bits === 16 ? 16 : 32;
  const opSize = rex & 8 ? 64 : other ? (usual === 16 ? 32 : 16) : usual;
  bytes.push(...[[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][row.map], row.opcode, ...modrm);
  for (let i = immediateBytes(row, opSize); i > 0; i--) {
    bytes.push(random.oneIn(3) ? random.pick([0, 1, 255]) : random.below(256));
  }
  return bytes;
}

/** Instructions with branches forward over some of them. */
function body(bits: Bits, random: Random, count: number): number[] {
  const { vector, general } = ROWS_BY_BITS.get(bits)!;
  const instructions = Array.from({ length: count }, () =>
    encode(random.pick(random.oneIn(3) ? vector : general), bits, random),
  );
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    if (random.oneIn(4)) {
      const over = instructions.slice(i, i + random.between(1, 5)).flat().length;
      if (over < 100) bytes.push(0x70 | random.below(16), over);
      // What is jumped over must not begin with another branch, whose bytes were not counted.
      bytes.push(...instructions.slice(i, i + 5).flat());
      i += 4;
      continue;
    }
    bytes.push(...instructions[i]);
  }
  return bytes;
}

/** Offsets in the data of the counters of 32- and 16-bit code. */
const OUTER = 0x2f00;
const INNER = 0x2f10;

/** Instructions that depend on the width of the code. `data`: what EDI is to hold. */
function frame(bits: Bits, data: number) {
  const near = bits === 16 ? 2 : 4;
  const counter = (offset: number, register: number) => {
    if (bits === 64)
      return { set: (n: number) => [0x41, 0xb8 | register, ...little(n, 4)], step: [0x41, 0xff, 0xc8 | register] };
    const rm = bits === 16 ? [5, ...little(offset, 2)] : [7, ...little(offset, 4)];
    return {
      // mov [edi + offset], n; dec [edi + offset]
      set: (n: number) => [0xc7, 0x80 | rm[0], ...rm.slice(1), ...little(n, near)],
      step: [0xff, 0x88 | rm[0], ...rm.slice(1)],
    };
  };
  return {
    near,
    // mov r13d, data; mov edi, data
    begin: bits === 64 ? [0x41, 0xbd, ...little(data, 4)] : [...(bits === 16 ? [0x66] : []), 0xbf, ...little(data, 4)],
    outer: counter(OUTER, 4),
    inner: counter(INNER, 6),
  };
}

/** A program at 0x10000 that ends with HLT. `data`: the data's offset in its segment. */
export function randomLoops(seed: number, bits: Bits = 64, data = DATA): Program {
  const random = new Random(seed);
  const address = 0x10000;
  const { near, begin, outer, inner } = frame(bits, data);
  const code: number[] = [];
  const some = (count: number) => code.push(...body(bits, random, count));
  const back = (to: number) => code.push(0x0f, 0x85, ...little(to - (code.length + 2 + near), near));
  // jmp over the subroutine
  const subroutine = [...body(bits, random, 6), 0xc3];
  code.push(0xe9, ...little(subroutine.length, near), ...subroutine);
  code.push(...begin, ...outer.set(random.between(20, 60)));
  const outerLoop = code.length;
  some(5);
  code.push(...inner.set(random.between(3, 40)));
  const innerLoop = code.length;
  some(random.between(5, 20));
  if (random.oneIn(2)) code.push(0xe8, ...little(1 + near - (code.length + 1 + near), near));
  some(4);
  code.push(...inner.step);
  back(innerLoop);
  some(3);
  code.push(...outer.step);
  back(outerLoop);
  code.push(0xf4);
  return { address, bytes: Uint8Array.from(code) };
}
