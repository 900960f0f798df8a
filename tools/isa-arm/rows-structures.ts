// Loads and stores of Advanced SIMD structures: LD1–LD4, ST1–ST4 (Arm ARM C4.1.69, "Advanced SIMD load/store …").

import { type Fields, type Row, row } from './row.js';

/** Name, opcode, registers. */
const MULTIPLE: readonly (readonly [string, string, number])[] = [
  ['4', '0000', 4],
  ['1 of 4', '0010', 4],
  ['3', '0100', 3],
  ['1 of 3', '0110', 3],
  ['1', '0111', 1],
  ['2', '1000', 2],
  ['1 of 2', '1010', 2],
];

const multiple = MULTIPLE.flatMap(([name, opcode, registers]) =>
  [0, 1].flatMap((load) => {
    const use = (f: Fields) => ({ size: (f['Q'] ? 16 : 8) * registers });
    const mnemonic = `${load ? 'LD' : 'ST'}${name}`;
    return [
      row(`${mnemonic} (multiple)`, `0 Q:1 0011000 ${load} 000000 ${opcode} size:2 Rn Rt`, { memory: use }),
      row(`${mnemonic} (multiple, post-index)`, `0 Q:1 0011001 ${load} 0 Rm ${opcode} size:2 Rn Rt`, { memory: use }),
    ];
  }),
);

/** Bytes of one element of the single-structure forms: opcode<2:1> and, for doublewords, size (C7.2, LD1 single). */
function elementSize(f: Fields): number {
  const scale = f['scale'];
  if (scale === 3) return 1 << f['size'];
  if (scale === 2 && f['size'] & 1) return 8;
  return 1 << scale;
}

const single = [0, 1].flatMap((load) =>
  [1, 2, 3, 4].flatMap((registers) => {
    const mnemonic = `${load ? 'LD' : 'ST'}${registers}`;
    const r = (registers - 1) & 1;
    const high = (registers - 1) >> 1;
    const use = (f: Fields) => ({ size: elementSize(f) * registers });
    const encoding = (head: string, m: string) => `0 Q:1 ${head} ${load} ${r} ${m} scale:2 ${high} S:1 size:2 Rn Rt`;
    return [
      row(`${mnemonic} (single)`, encoding('0011010', '00000'), { memory: use, weight: 1.5 }),
      row(`${mnemonic} (single, post-index)`, encoding('0011011', 'Rm'), { memory: use, weight: 1.5 }),
    ];
  }),
);

export const STRUCTURE_ROWS: readonly Row[] = [...multiple, ...single];
