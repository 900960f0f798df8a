// Operands of Advanced SIMD instructions (Arm ARM C7): arrangements, lanes, immediates.

import { bits, floatImm, hex, TOKENS, type Token, wReg, xReg } from './fields.js';

/** "8b", "16b", "4h" …: lanes of 8 << size bits in 64 bits, or 128 if q. */
export const arrangement = (size: number, q: number) => `${(8 << q) >> size}${'bhsdq'[size]}`;
const size = (w: number) => bits(w, 22, 2);
const q = (w: number) => bits(w, 30, 1);
/** Lane size of FP: single or double. */
const fsize = (w: number) => 2 + bits(w, 22, 1);
/** Lane size and number from imm5: the lowest set bit says how wide. */
const laneSize = (w: number) => 31 - Math.clz32(bits(w, 16, 5) & -bits(w, 16, 5));
/** Lane size from immh: the highest set bit. */
export const shiftSize = (w: number) => 31 - Math.clz32(bits(w, 19, 4));
/** Element of by-element instructions: index from H, L, M. */
export const elementIndex = (w: number, lane: number) => {
  const hlm = (bits(w, 11, 1) << 2) | (bits(w, 21, 1) << 1) | bits(w, 20, 1);
  return lane === 1 ? hlm : lane === 2 ? hlm >> 1 : hlm >> 2;
};
const element = (w: number, lane: number) => {
  const m = lane === 1 ? bits(w, 16, 4) : bits(w, 16, 5);
  return `v${m}.${'bhsd'[lane]}[${elementIndex(w, lane)}]`;
};

/** The 64-bit constant of AdvSIMDExpandImm with cmode 1110 and op 1: each bit a byte. */
function byteMask(imm8: number): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) if ((imm8 >> i) & 1) value |= 0xffn << BigInt(8 * i);
  return value;
}
/** `count` registers from n on; a range where it does not wrap and has more than two. */
export function registerList(n: number, count: number, text: string): string {
  const last = (n + count - 1) % 32;
  if (count > 2 && last > n) return `{v${n}.${text}-v${last}.${text}}`;
  return `{${[...Array(count).keys()].map((i) => `v${(n + i) % 32}.${text}`).join(', ')}}`;
}
const imm8 = (w: number) => bits(w, 16, 3) * 32 + bits(w, 5, 5);
const REGISTERS: Readonly<Record<string, number>> = { d: 0, n: 5, m: 16 };

export const VECTOR_TOKENS: Record<string, Token> = {
  ...TOKENS,
  laneD: (w) => `v${bits(w, 0, 5)}.${'bhsd'[laneSize(w)]}[${bits(w, 16, 5) >> (laneSize(w) + 1)}]`,
  laneN: (w) => `v${bits(w, 5, 5)}.${'bhsd'[laneSize(w)]}[${bits(w, 16, 5) >> (laneSize(w) + 1)}]`,
  laneN4: (w) => `v${bits(w, 5, 5)}.${'bhsd'[laneSize(w)]}[${bits(w, 11, 4) >> laneSize(w)}]`,
  laneGn: (w) => (laneSize(w) === 3 ? xReg : wReg)(bits(w, 5, 5)),
  laneGd: (w) => (q(w) ? xReg : wReg)(bits(w, 0, 5)),
  laneSd: (w) => 'bhsd'[laneSize(w)] + bits(w, 0, 5),
  'Vd.lane': (w) => `v${bits(w, 0, 5)}.${arrangement(laneSize(w), q(w))}`,
  extIndex: (w) => `#${bits(w, 11, 4)}`,
  'el.T': (w) => element(w, size(w)),
  'el.F': (w) => element(w, fsize(w)),
  byteImm: (w) => hex(imm8(w)),
  byteShift: (w) => hex(imm8(w)) + (bits(w, 13, 2) ? `, lsl #${8 * bits(w, 13, 2)}` : ''),
  byteOnes: (w) => `${hex(imm8(w))}, msl #${bits(w, 12, 1) ? 16 : 8}`,
  byteMask: (w) => hex(byteMask(imm8(w))),
  floatImm: (w) => floatImm(imm8(w)),
  right: (w) => `#${(16 << shiftSize(w)) - bits(w, 16, 7)}`,
  left: (w) => `#${bits(w, 16, 7) - (8 << shiftSize(w))}`,
  table: (w) => registerList(bits(w, 5, 5), bits(w, 13, 2) + 1, '16b'),
  widths: (w) => `#${8 << size(w)}`,
};
for (const [name, low] of Object.entries(REGISTERS)) {
  const v = (text: (w: number) => string) => (w: number) => `v${bits(w, low, 5)}.${text(w)}`;
  VECTOR_TOKENS[`V${name}.T`] = v((w) => arrangement(size(w), q(w)));
  VECTOR_TOKENS[`V${name}.B`] = v((w) => arrangement(0, q(w)));
  VECTOR_TOKENS[`V${name}.F`] = v((w) => arrangement(fsize(w), q(w)));
  VECTOR_TOKENS[`V${name}.L`] = v((w) => arrangement(size(w) + 1, 1));
  // Half as many lanes, twice as wide.
  VECTOR_TOKENS[`V${name}.LP`] = v((w) => arrangement(size(w) + 1, q(w)));
  VECTOR_TOKENS[`V${name}.FL`] = v((w) => arrangement(fsize(w), 1));
  VECTOR_TOKENS[`V${name}.FN`] = v((w) => arrangement(fsize(w) - 1, q(w)));
  VECTOR_TOKENS[`V${name}.I`] = v((w) => arrangement(shiftSize(w), q(w)));
  VECTOR_TOKENS[`V${name}.IL`] = v((w) => arrangement(shiftSize(w) + 1, 1));
  for (const text of ['1q', '16b', '4s', '2d', '8h', '4h', '2s']) VECTOR_TOKENS[`V${name}.${text}`] = v(() => text);
  // Scalars by size, FP size, next greater size, shift size.
  VECTOR_TOKENS[`s${name}.T`] = (w) => 'bhsd'[size(w)] + bits(w, low, 5);
  VECTOR_TOKENS[`s${name}.F`] = (w) => 'bhsd'[fsize(w)] + bits(w, low, 5);
  VECTOR_TOKENS[`s${name}.L`] = (w) => 'hsdq'[size(w)] + bits(w, low, 5);
  VECTOR_TOKENS[`s${name}.I`] = (w) => 'bhsd'[shiftSize(w)] + bits(w, low, 5);
  VECTOR_TOKENS[`s${name}.IL`] = (w) => 'hsdq'[shiftSize(w)] + bits(w, low, 5);
}
