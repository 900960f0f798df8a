// Loads and stores but for the SIMD structures (Arm ARM C4.1.69): all sizes, all addressing modes, exclusives, LSE atomics.

import { binary, type Fields, type MemoryUse, type Row, row, signed } from './row.js';

/** Name, size, V, opc of the single-register forms; log2 of the bytes moved. */
const SINGLE: readonly (readonly [string, number, number, number, number])[] = [
  ['STRB', 0, 0, 0, 0],
  ['LDRB', 0, 0, 1, 0],
  ['LDRSB X', 0, 0, 2, 0],
  ['LDRSB W', 0, 0, 3, 0],
  ['STRH', 1, 0, 0, 1],
  ['LDRH', 1, 0, 1, 1],
  ['LDRSH X', 1, 0, 2, 1],
  ['LDRSH W', 1, 0, 3, 1],
  ['STR W', 2, 0, 0, 2],
  ['LDR W', 2, 0, 1, 2],
  ['LDRSW', 2, 0, 2, 2],
  ['STR X', 3, 0, 0, 3],
  ['LDR X', 3, 0, 1, 3],
  ['STR B', 0, 1, 0, 0],
  ['LDR B', 0, 1, 1, 0],
  ['STR H', 1, 1, 0, 1],
  ['LDR H', 1, 1, 1, 1],
  ['STR S', 2, 1, 0, 2],
  ['LDR S', 2, 1, 1, 2],
  ['STR D', 3, 1, 0, 3],
  ['LDR D', 3, 1, 1, 3],
  ['STR Q', 0, 1, 2, 4],
  ['LDR Q', 0, 1, 3, 4],
];

/** Write-back to a register that is also transferred is CONSTRAINED UNPREDICTABLE. */
const distinctBase = (f: Fields) => f['Rn'] === 31 || (f['Rn'] !== f['Rt'] && f['Rn'] !== f['Rt2']);

function singleRows([name, size, v, opc, scale]: (typeof SINGLE)[number]): Row[] {
  const head = `${binary(size, 2)} 111 ${v}`;
  const op = binary(opc, 2);
  const bytes = 1 << scale;
  const imm9 = (f: Fields) => ({ size: bytes, offset: signed(f['imm9'], 9) });
  const writeBack = v ? {} : { accept: distinctBase };
  const forms = [
    row(`${name} (unsigned offset)`, `${head} 01 ${op} imm12:12 Rn Rt`, {
      memory: (f) => ({ size: bytes, offset: f['imm12'] << scale }),
    }),
    row(`${name} (unscaled)`, `${head} 00 ${op} 0 imm9:9 00 Rn Rt`, { memory: imm9 }),
    row(`${name} (post-index)`, `${head} 00 ${op} 0 imm9:9 01 Rn Rt`, {
      memory: () => ({ size: bytes }),
      ...writeBack,
    }),
    row(`${name} (pre-index)`, `${head} 00 ${op} 0 imm9:9 11 Rn Rt`, { memory: imm9, ...writeBack }),
    row(`${name} (register)`, `${head} 00 ${op} 1 Rm opt:1 1 sxtx:1 S:1 10 Rn Rt`, {
      memory: (f) => ({
        size: bytes,
        index: { option: (f['opt'] << 2) | 2 | f['sxtx'], shift: f['S'] ? scale : 0 },
      }),
      accept: (f) => f['Rm'] !== f['Rn'],
      weight: 1.5,
    }),
  ];
  if (!v) {
    forms.push(row(`${name} (unprivileged)`, `${head} 00 ${op} 0 imm9:9 10 Rn Rt`, { memory: imm9, weight: 0.5 }));
  }
  return forms;
}

/** Name, opc, V, log2 of the bytes of one register. */
const PAIRS: readonly (readonly [string, number, number, number])[] = [
  ['W', 0, 0, 2],
  ['X', 2, 0, 3],
  ['S', 0, 1, 2],
  ['D', 1, 1, 3],
  ['Q', 2, 1, 4],
];
/** A pair of loads into one register is CONSTRAINED UNPREDICTABLE. */
const distinctPair = (f: Fields) => f['Rt'] !== f['Rt2'];

function pairRows([name, opc, v, scale]: (typeof PAIRS)[number], signedWord = false): Row[] {
  return [0, 1].flatMap((load) => {
    if (signedWord && !load) return [];
    const mnemonic = signedWord ? 'LDPSW' : `${load ? 'LDP' : 'STP'} ${name}`;
    const offset = (f: Fields) => ({ size: 2 << scale, offset: signed(f['imm7'], 7) << scale });
    const accept = (f: Fields) => !load || distinctPair(f);
    const both = (f: Fields) => accept(f) && (v === 1 || distinctBase(f));
    const encoding = (index: string) => `${binary(opc, 2)} 101 ${v} ${index} ${load} imm7:7 Rt2 Rn Rt`;
    const rows = [
      row(`${mnemonic} (post-index)`, encoding('001'), { memory: () => ({ size: 2 << scale }), accept: both }),
      row(`${mnemonic} (offset)`, encoding('010'), { memory: offset, accept }),
      row(`${mnemonic} (pre-index)`, encoding('011'), { memory: offset, accept: both }),
    ];
    if (!signedWord) {
      rows.push(row(`${mnemonic} (no-allocate)`, encoding('000'), { memory: offset, accept, weight: 0.5 }));
    }
    return rows;
  });
}

const LITERALS: readonly (readonly [string, number, number, number])[] = [
  ['LDR W', 0, 0, 4],
  ['LDR X', 1, 0, 8],
  ['LDRSW', 2, 0, 4],
  ['LDR S', 0, 1, 4],
  ['LDR D', 1, 1, 8],
  ['LDR Q', 2, 1, 16],
];

const prefetch: Row[] = [
  row('PRFM (unsigned offset)', '1111100110 imm12:12 Rn Rt', { weight: 0.3 }),
  row('PRFUM', '11111000100 imm9:9 00 Rn Rt', { weight: 0.3 }),
  row('PRFM (register)', '11111000101 Rm opt:1 1 sxtx:1 S:1 10 Rn Rt', { weight: 0.3 }),
  row('PRFM (literal)', '11011000 imm19:19 Rt', { weight: 0.3 }),
];

export const MEMORY_ROWS: readonly Row[] = [
  ...SINGLE.flatMap(singleRows),
  ...PAIRS.flatMap((p) => pairRows(p)),
  ...pairRows(['LDPSW', 1, 0, 2], true),
  ...LITERALS.map(([name, opc, v, size]) =>
    row(`${name} (literal)`, `${binary(opc, 2)} 011 ${v} 00 imm19:19 Rt`, {
      memory: (f) => ({ size, offset: signed(f['imm19'], 19) * 4, literal: true }),
    }),
  ),
  ...prefetch,
  ...['B', 'H', 'W', 'X'].flatMap((name, size) => [
    row(`STLR ${name}`, `${binary(size, 2)} 001000 100 11111 1 11111 Rn Rt`, aligned(1 << size)),
    row(`LDAR ${name}`, `${binary(size, 2)} 001000 110 11111 1 11111 Rn Rt`, aligned(1 << size)),
    row(`LDXR ${name}`, `${binary(size, 2)} 001000 010 11111 0 11111 Rn Rt`, aligned(1 << size)),
    row(`LDAXR ${name}`, `${binary(size, 2)} 001000 010 11111 1 11111 Rn Rt`, aligned(1 << size)),
  ]),
  ...['W', 'X'].flatMap((name, sz) => [
    row(`LDXP ${name}`, `1 ${sz} 001000 011 11111 0 Rt2 Rn Rt`, { ...aligned(8 << sz), accept: distinctPair }),
    row(`LDAXP ${name}`, `1 ${sz} 001000 011 11111 1 Rt2 Rn Rt`, { ...aligned(8 << sz), accept: distinctPair }),
  ]),
];

function aligned(size: number): { memory: () => MemoryUse } {
  return { memory: () => ({ size, aligned: true }) };
}
const compared = (size: number) => ({ memory: () => ({ size, aligned: true, compared: true }) });

const ATOMIC = ['LDADD', 'LDCLR', 'LDEOR', 'LDSET', 'LDSMAX', 'LDSMIN', 'LDUMAX', 'LDUMIN', 'SWP'];

/** ARMv8.1's atomic instructions. */
export const ATOMIC_ROWS: readonly Row[] = ['B', 'H', 'W', 'X'].flatMap((name, size) => [
  ...ATOMIC.map((operation, i) =>
    row(`${operation} ${name}`, `${binary(size, 2)} 111000 A:1 R:1 1 Rs ${binary(i, 4)} 00 Rn Rt`, aligned(1 << size)),
  ),
  row(`CAS ${name}`, `${binary(size, 2)} 0010001 L:1 1 Rs o0:1 11111 Rn Rt`, { ...compared(1 << size), weight: 2 }),
  ...(size < 2
    ? []
    : [
        row(`CASP ${name}`, `0 ${size - 2} 0010000 L:1 1 Rs o0:1 11111 Rn Rt`, {
          ...compared(4 << (size - 1)),
          weight: 2,
          // Odd registers are undefined: some.
          fix: (f) => {
            if (f['o0']) {
              f['Rs'] &= 30;
              f['Rt'] &= 30;
            }
          },
        }),
      ]),
]);
