// Compares two images of one case and says in words where they differ.

import type { Case } from './case.js';
import * as I from './case.js';

const hex = (v: bigint | number, digits = 16) => v.toString(16).padStart(digits, '0');

interface Field {
  readonly name: string;
  readonly at: number;
  readonly size: number;
  readonly show: (v: bigint) => string;
}

const FPSR_BITS: readonly (readonly [number, string])[] = [
  [27, 'QC'],
  [7, 'IDC'],
  [4, 'IXC'],
  [3, 'UFC'],
  [2, 'OFC'],
  [1, 'DZC'],
  [0, 'IOC'],
];
const flagNames = (v: bigint) => ['N', 'Z', 'C', 'V'].filter((_, i) => (v >> BigInt(31 - i)) & 1n).join('');
const stickyNames = (v: bigint) =>
  FPSR_BITS.filter(([bit]) => (v >> BigInt(bit)) & 1n)
    .map(([, name]) => name)
    .join(' ');

function fields(): Field[] {
  const list: Field[] = [];
  const add = (name: string, at: number, size: number, show = (v: bigint) => hex(v, 2 * size)) => {
    list.push({ name, at, size, show });
  };
  add('exception', I.IMAGE_END, 4, (v) => I.END_NAMES[Number(v)]);
  add('pc', I.IMAGE_PC, 8);
  add('far', I.IMAGE_FAR, 8);
  for (let i = 0; i < 31; i++) add(`x${i}`, I.IMAGE_X + 8 * i, 8);
  add('sp', I.IMAGE_SP, 8);
  add('nzcv', I.IMAGE_NZCV, 4, (v) => `[${flagNames(v)}]`);
  add('fpcr', I.IMAGE_FPCR, 4);
  add('fpsr', I.IMAGE_FPSR, 4, (v) => `${hex(v, 8)} [${stickyNames(v)}]`);
  add('tpidr_el0', I.IMAGE_TPIDR, 8);
  for (let i = 0; i < 32; i++) {
    add(`v${i} low`, I.IMAGE_V + 16 * i, 8);
    add(`v${i} high`, I.IMAGE_V + 16 * i + 8, 8);
  }
  return list;
}
const FIELDS = fields();

function value(image: Uint8Array, at: number, size: number): bigint {
  let v = 0n;
  for (let i = size - 1; i >= 0; i--) v = (v << 8n) | BigInt(image[at + i]);
  return v;
}

/** Differences, empty if there are none. */
export function differences(c: Case, expected: Uint8Array, got: Uint8Array): string[] {
  if (expected.every((b, i) => b === got[i])) return [];
  const lines: string[] = [];
  for (const f of FIELDS) {
    const [e, g] = [value(expected, f.at, f.size), value(got, f.at, f.size)];
    if (e !== g) lines.push(`${f.name}: expected ${f.show(e)}, got ${f.show(g)}`);
  }
  let at = I.IMAGE_WINDOWS;
  for (const w of c.windows) {
    for (let i = 0; i < w.bytes.length; i++) {
      if (expected[at + i] === got[at + i]) continue;
      const length = Math.min(16, w.bytes.length - i);
      const [e, g] = [expected, got].map((image) =>
        Buffer.from(image.subarray(at + i, at + i + length)).toString('hex'),
      );
      lines.push(`memory at ${hex(w.at + i, 8)}: expected ${e}, got ${g}`);
      i += length;
    }
    at += w.bytes.length;
  }
  return lines;
}

/** The case as one reads it: what, instruction words, where, registers, memory. */
export function describeCase(c: Case, disassemble?: (word: number, pc: bigint) => string): string {
  const { state } = c;
  const lines = [`${c.group}/${c.index} ${c.name} at ${hex(c.pc, 8)}`];
  c.code.forEach((word, i) => {
    lines.push(`  ${hex(word, 8)}  ${disassemble?.(word, BigInt(c.pc + 4 * i)) ?? ''}`.trimEnd());
  });
  const x = Array.from({ length: 31 }, (_, i) => `x${i}=${hex(value(state, I.IMAGE_X + 8 * i, 8))}`);
  const nzcv = flagNames(value(state, I.IMAGE_NZCV, 4));
  lines.push(`  ${x.join(' ')} sp=${hex(value(state, I.IMAGE_SP, 8))} [${nzcv}]`);
  if (c.code.some((word) => (word >>> 25) & 7 && ((word >>> 25) & 5) !== 1 && (word >>> 26) & 1)) {
    const control = ['fpcr', 'fpsr'].map((name, i) => `${name}=${hex(value(state, I.IMAGE_FPCR + 4 * i, 4), 8)}`);
    const registers = usedVectors(c);
    const v = registers.map((n) => {
      const at = I.IMAGE_V + 16 * n;
      return `v${n}=${hex(value(state, at + 8, 8))}.${hex(value(state, at, 8))}`;
    });
    lines.push(`  ${control.join(' ')} ${v.join(' ')}`);
  }
  for (const w of c.windows) lines.push(`  memory at ${hex(w.at, 8)}: ${Buffer.from(w.bytes).toString('hex')}`);
  return lines.join('\n');
}

/** Registers in the usual fields Rd, Rn, Ra, Rm of the words. */
function usedVectors(c: Case): number[] {
  const used = new Set<number>();
  for (const word of c.code) for (const shift of [0, 5, 10, 16]) used.add((word >>> shift) & 31);
  return [...used].sort((a, b) => a - b);
}
