// A64 loads and stores of SIMD structures as text: LD1–LD4, ST1–ST4, LD1R–LD4R (Arm ARM C4.1.66).

import { bits, TOKENS, type Token, xReg, xSp } from './fields.js';
import { binary, type Row, row } from './row.js';
import { arrangement, registerList } from './vector-fields.js';

const D = 'xxxxx';
const q = (w: number) => bits(w, 30, 1);
const base = (w: number) => `[${xSp(bits(w, 5, 5))}]`;
/** Post-index by a register, or by the bytes transferred. */
const post = (w: number, transferred: number) => {
  const m = bits(w, 16, 5);
  return `${base(w)}, ${m === 31 ? `#${transferred}` : xReg(m)}`;
};

/** Opcode of the multiple structures, elements of a structure, registers. */
const MULTIPLE: readonly (readonly [opcode: number, elements: number, registers: number])[] = [
  [0, 4, 4],
  [2, 1, 4],
  [4, 3, 3],
  [6, 1, 3],
  [7, 1, 1],
  [8, 2, 2],
  [10, 1, 2],
];

function multiple(): Row[] {
  return MULTIPLE.flatMap(([opcode, elements, registers]) => {
    const list: Token = (w) => registerList(bits(w, 0, 5), registers, arrangement(bits(w, 10, 2), q(w)));
    const after: Token = (w) => post(w, registers * (8 << q(w)));
    const tokens = { ...TOKENS, list, after };
    // Structures of 64-bit elements need all 128 bits.
    const ok = (w: number) => elements === 1 || bits(w, 10, 2) < 3 || q(w) === 1;
    return ['st', 'ld'].flatMap((name, load) => [
      row(
        `0 x 0011000 ${load} 000000 ${binary(opcode, 4)} xx ${D} ${D}`,
        `${name}${elements} {list}, {base}`,
        ok,
        tokens,
      ),
      row(
        `0 x 0011001 ${load} 0 ${D} ${binary(opcode, 4)} xx ${D} ${D}`,
        `${name}${elements} {list}, {after}`,
        ok,
        tokens,
      ),
    ]);
  });
}

/** log2 of the lane's bytes, or -1: by opcode's upper bits, S and size. */
function laneSize(w: number): number {
  const kind = bits(w, 14, 2);
  const low = bits(w, 10, 2);
  if (kind === 0) return 0;
  if (kind === 1) return low & 1 ? -1 : 1;
  if (low === 0) return 2;
  return low === 1 && bits(w, 12, 1) === 0 ? 3 : -1;
}
const laneIndex = (w: number, size: number) => ((q(w) << 3) | (bits(w, 12, 1) << 2) | bits(w, 10, 2)) >> size;
const elementsOf = (w: number) => ((bits(w, 13, 1) << 1) | bits(w, 21, 1)) + 1;

const single: Token = (w) => {
  const size = laneSize(w);
  return `${registerList(bits(w, 0, 5), elementsOf(w), 'bhsd'[size])}[${laneIndex(w, size)}]`;
};
const replicated: Token = (w) => registerList(bits(w, 0, 5), elementsOf(w), arrangement(bits(w, 10, 2), q(w)));
const SINGLE_TOKENS = {
  ...TOKENS,
  n: (w: number) => `${elementsOf(w)}`,
  single,
  replicated,
  after: (w: number) => post(w, elementsOf(w) << laneSize(w)),
  afterAll: (w: number) => post(w, elementsOf(w) << bits(w, 10, 2)),
};

function singles(): Row[] {
  const ok = (w: number) => bits(w, 14, 2) !== 3 && laneSize(w) >= 0;
  return [
    ...['st', 'ld'].flatMap((name, load) => [
      row(`0 x 0011010 ${load} x 00000 xxx x xx ${D} ${D}`, `${name}{n} {single}, {base}`, ok, SINGLE_TOKENS),
      row(`0 x 0011011 ${load} x ${D} xxx x xx ${D} ${D}`, `${name}{n} {single}, {after}`, ok, SINGLE_TOKENS),
    ]),
    row(`0 x 0011010 1 x 00000 11x 0 xx ${D} ${D}`, 'ld{n}r {replicated}, {base}', undefined, SINGLE_TOKENS),
    row(`0 x 0011011 1 x ${D} 11x 0 xx ${D} ${D}`, 'ld{n}r {replicated}, {afterAll}', undefined, SINGLE_TOKENS),
  ];
}

export const VECTOR_MEMORY: readonly Row[] = [...multiple(), ...singles()];
