// The opcode table: every x86 instruction of this project, as rows of text in the notation of SDM vol. 2D, appendix A.
//
// One row is   [prefix:]opcode[/member[.form]]  mnemonic  [operands]  [flags]
//
//   prefix    NP (none of 66, F3, F2), 66, F3 or F2 where that prefix chooses the instruction; left out: does not matter
//   opcode    two hexadecimal digits, or a range 50-57
//   member    ModRM.reg for opcode groups, or a range 4-7
//   form      m: the operand is memory; r: it is a register; r3: register 3 only
//   mnemonic  a * stands for the condition of opcode & 15
//   operands  Intel's codes: letter = where from, rest = size. E M R: ModRM.rm (any, memory, register), G: ModRM.reg,
//             Z: opcode & 7, I J O A: immediate, branch displacement, absolute offset, far pointer, C D S: control,
//             debug, segment register, V W U: XMM reg, rm, rm that is a register, P Q N: the same for MMX,
//             X Y: memory at DS:rSI, ES:rDI, T: x87 stack register ST(rm). Ibs: byte, sign-extended to operand size.
//             Anything else is a register by name (rAX: sized by operand size) or the constant 1.
//   flags     lock: LOCK may precede the memory form; i64: not in 64-bit mode; o64: only in 64-bit mode;
//             wide: 64-bit operand size without REX.W in 64-bit mode
//
// The decoder's attributes, the disassembler and the instruction tests all come from here. Only TypeScript reads it.

import {
  A_FAR,
  A_GROUP3B,
  A_GROUP3V,
  A_IB,
  A_IMM_SHIFT,
  A_INVALID64,
  A_IV,
  A_IW,
  A_IWB,
  A_IZ,
  A_JZ,
  A_LOCK,
  A_MODRM,
  A_MOFFS,
  A_VALID,
  A_WIDE,
} from './x86-attributes.js';
import { GENERAL_ROWS, GENERAL_ROWS_0F, GENERAL_ROWS_0F38 } from './x86-opcodes-general.js';
import { PACKED_ROWS, SSE_ROWS_0F, SSE_ROWS_0F3A, SSE_ROWS_0F38 } from './x86-opcodes-sse.js';
import { X87_ROWS } from './x86-opcodes-x87.js';

export type OpcodeFlag = 'lock' | 'i64' | 'o64' | 'wide';

export interface OpcodeRow {
  /** 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A. */
  readonly map: number;
  readonly opcode: number;
  /** 0x66, 0xF3, 0xF2, or 0 for none of them; undefined: prefixes do not choose. */
  readonly prefix?: number;
  /** ModRM.reg (without REX) that the row stands for. */
  readonly reg?: number;
  /** ModRM.rm (without REX) that the row stands for; only with mod3. */
  readonly rm?: number;
  /** true: register form only (mod = 3), false: memory form only. */
  readonly mod3?: boolean;
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly flags: readonly OpcodeFlag[];
}

const CONDITIONS = ['O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G'];
const PREFIXES: Record<string, number> = { NP: 0, '66': 0x66, F3: 0xf3, F2: 0xf2 };
const KEY = /^(?:(NP|66|F3|F2):)?([0-9A-F]{2})(?:-([0-9A-F]{2}))?(?:\/([0-7])(?:-([0-7]))?)?(?:\.(m|r([0-7])?))?$/;
const FLAGS: readonly string[] = ['lock', 'i64', 'o64', 'wide'];
/** Operand codes that are read from a ModRM byte. */
const MODRM_OPERAND = /^(?:[EGMRCDSVWUPQN](?:b|w|v|z|d|q|y|p|s|a|t|dq|ps|pd|ss|sd)?|T)$/;

function parseRow(map: number, text: string): OpcodeRow[] {
  const [key, mnemonic, ...rest] = text.split(/\s+/);
  const m = KEY.exec(key);
  if (!m || !mnemonic) throw new SyntaxError(`opcode table: '${text}'`);
  const [, prefixName, first, last, reg, lastReg, form, rm] = m;
  const flags = rest.filter((word) => FLAGS.includes(word)) as OpcodeFlag[];
  const words = rest.filter((word) => !FLAGS.includes(word));
  if (words.length > 1) throw new SyntaxError(`opcode table: '${text}'`);
  const operands = words.length ? words[0].split(',') : [];
  const rows: OpcodeRow[] = [];
  for (let opcode = parseInt(first, 16); opcode <= parseInt(last ?? first, 16); opcode++) {
    const common = {
      map,
      opcode,
      ...(prefixName === undefined ? {} : { prefix: PREFIXES[prefixName] }),
      ...(form === undefined ? {} : { mod3: form !== 'm' }),
      ...(rm === undefined ? {} : { rm: Number(rm) }),
      mnemonic: mnemonic.replace('*', CONDITIONS[opcode & 15]),
      operands,
      flags,
    };
    if (reg === undefined) rows.push(common);
    else for (let r = Number(reg); r <= Number(lastReg ?? reg); r++) rows.push({ ...common, reg: r });
  }
  return rows;
}

function parseRows(map: number, text: string): OpcodeRow[] {
  return text
    .split(/[;\n]/)
    .map((row) => row.trim())
    .filter((row) => row !== '' && !row.startsWith('#'))
    .flatMap((row) => parseRow(map, row));
}

/** `map opcode mnemonic [Ib]`: the MMX instruction, and with prefix 66 the same on XMM registers. */
function parsePacked(text: string): OpcodeRow[] {
  return text
    .split(/[;\n]/)
    .map((row) => row.trim())
    .filter((row) => row !== '')
    .flatMap((row) => {
      const [map, opcode, mnemonic, immediate] = row.split(/\s+/);
      const third = immediate ? `,${immediate}` : '';
      return [
        ...parseRow(Number(map), `NP:${opcode} ${mnemonic} Pq,Qq${third}`),
        ...parseRow(Number(map), `66:${opcode} ${mnemonic} Vdq,Wdq${third}`),
      ];
    });
}

/** All rows. Where several match an instruction, the one that names more (prefix, member, form) is meant. */
export function parseOpcodeTable(): OpcodeRow[] {
  return [
    ...parseRows(0, GENERAL_ROWS),
    ...parseRows(0, X87_ROWS),
    ...parseRows(1, GENERAL_ROWS_0F),
    ...parseRows(1, SSE_ROWS_0F),
    ...parseRows(2, GENERAL_ROWS_0F38),
    ...parseRows(2, SSE_ROWS_0F38),
    ...parseRows(3, SSE_ROWS_0F3A),
    ...parsePacked(PACKED_ROWS),
  ];
}

/** Does the instruction of this row have a ModRM byte? */
export function hasModrm(row: OpcodeRow): boolean {
  if (row.reg !== undefined || row.mod3 !== undefined) return true;
  return row.operands.some((code) => MODRM_OPERAND.test(code));
}

/** Immediate kind (A_IB …) by the row's operands; 0: no immediate. */
export function immediateKind(row: OpcodeRow): number {
  const has = (...codes: string[]) => row.operands.some((code) => codes.includes(code));
  if (has('Iw')) return has('Ib') ? A_IWB : A_IW;
  if (has('Ib', 'Ibs', 'Jb')) return A_IB;
  if (has('Iz')) return A_IZ;
  if (has('Iv')) return A_IV;
  if (has('Jz')) return A_JZ;
  if (has('Ob', 'Ov')) return A_MOFFS;
  if (has('Ap')) return A_FAR;
  return 0;
}

/** Attributes of one opcode from its rows. */
function attributesOf(rows: readonly OpcodeRow[]): number {
  let attributes = A_VALID;
  const every = (flag: OpcodeFlag) => rows.every((row) => row.flags.includes(flag));
  if (rows.some(hasModrm)) attributes |= A_MODRM;
  if (every('i64')) attributes |= A_INVALID64;
  if (every('wide')) attributes |= A_WIDE;
  if (rows.some((row) => row.flags.includes('lock'))) attributes |= A_LOCK;
  const kinds = new Set(rows.map(immediateKind));
  let [kind] = kinds;
  if (kinds.size > 1) {
    // Only group 3 (F6, F7) mixes members with and without an immediate: TEST, which is /0 and /1, has one.
    if (rows[0].map !== 0 || (rows[0].opcode & 0xfe) !== 0xf6) {
      throw new SyntaxError(`opcode table: immediates of ${rows[0].opcode.toString(16)} differ`);
    }
    kind = kinds.has(A_IB) ? A_GROUP3B : A_GROUP3V;
  }
  return attributes | (kind << A_IMM_SHIFT);
}

/** What the decoder needs to know of each opcode: 4 maps × 256 entries of A_… bits, 0 where there is no instruction. */
export function buildDecodeAttributes(table: readonly OpcodeRow[] = parseOpcodeTable()): Uint16Array {
  const byOpcode = new Map<number, OpcodeRow[]>();
  for (const row of table) {
    const index = row.map * 256 + row.opcode;
    const rows = byOpcode.get(index);
    if (rows) rows.push(row);
    else byOpcode.set(index, [row]);
  }
  const attributes = new Uint16Array(4 * 256);
  for (const [index, rows] of byOpcode) attributes[index] = attributesOf(rows);
  return attributes;
}
