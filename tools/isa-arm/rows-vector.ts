// Advanced SIMD on registers (Arm ARM C4.1.71): the classes in which an opcode field names the operation.

import { binary, type Fields, type LaneKind, type Row, type RowOptions, row } from './row.js';

const bySz = (f: Fields): LaneKind => (f['sz'] ? 'f64' : 'f32');
const floating: RowOptions = { lanes: bySz, fpcr: true, weight: 1.6 };

/** Text of a table: entries `OPCODE NAME` (hexadecimal opcode), separated by commas or line ends. */
function entries(text: string): (readonly [number, string])[] {
  return text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [opcode, name] = entry.split(/\s+/);
      return [Number.parseInt(opcode, 16), name] as const;
    });
}

// --- Three registers of the same type ---
const SAME_SIGNED = `0 SHADD, 1 SQADD, 2 SRHADD, 4 SHSUB, 5 SQSUB, 6 CMGT, 7 CMGE, 8 SSHL, 9 SQSHL, a SRSHL, b SQRSHL,
  c SMAX, d SMIN, e SABD, f SABA, 10 ADD, 11 CMTST, 12 MLA, 13 MUL, 14 SMAXP, 15 SMINP, 16 SQDMULH, 17 ADDP`;
const SAME_UNSIGNED = `0 UHADD, 1 UQADD, 2 URHADD, 4 UHSUB, 5 UQSUB, 6 CMHI, 7 CMHS, 8 USHL, 9 UQSHL, a URSHL, b UQRSHL,
  c UMAX, d UMIN, e UABD, f UABA, 10 SUB, 11 CMEQ, 12 MLS, 13 PMUL, 14 UMAXP, 15 UMINP, 16 SQRDMULH`;
const LOGICAL = ['AND', 'BIC', 'ORR', 'ORN', 'EOR', 'BSL', 'BIT', 'BIF'];
/** Entries by U and the upper bit of size. */
const SAME_FLOAT: readonly (readonly [string, string])[] = [
  ['0 0', '18 FMAXNM, 19 FMLA, 1a FADD, 1b FMULX, 1c FCMEQ, 1e FMAX, 1f FRECPS'],
  ['0 1', '18 FMINNM, 19 FMLS, 1a FSUB, 1e FMIN, 1f FRSQRTS'],
  ['1 0', '18 FMAXNMP, 1a FADDP, 1b FMUL, 1c FCMGE, 1d FACGE, 1e FMAXP, 1f FDIV'],
  ['1 1', '18 FMINNMP, 1a FABD, 1c FCMGT, 1d FACGT, 1e FMINP'],
];
const same = [SAME_SIGNED, SAME_UNSIGNED].flatMap((table, u) =>
  entries(table).map(([opcode, name]) => row(name, `0 Q:1 ${u} 01110 size:2 1 Rm ${binary(opcode, 5)} 1 Rn Rd`)),
);
const logical = LOGICAL.map((name, i) =>
  row(name, `0 Q:1 ${i >> 2} 01110 ${binary(i & 3, 2)} 1 Rm 000111 Rn Rd`, { weight: 0.6 }),
);
const sameFloat = SAME_FLOAT.flatMap(([bits, table]) => {
  const [u, a] = bits.split(' ');
  return entries(table).map(([opcode, name]) =>
    row(`${name} (vector)`, `0 Q:1 ${u} 01110 ${a} sz:1 1 Rm ${binary(opcode, 5)} 1 Rn Rd`, floating),
  );
});
const SCALAR_SIGNED =
  '1 SQADD, 5 SQSUB, 6 CMGT, 7 CMGE, 8 SSHL, 9 SQSHL, a SRSHL, b SQRSHL, 10 ADD, 11 CMTST, 16 SQDMULH';
const SCALAR_UNSIGNED =
  '1 UQADD, 5 UQSUB, 6 CMHI, 7 CMHS, 8 USHL, 9 UQSHL, a URSHL, b UQRSHL, 10 SUB, 11 CMEQ, 16 SQRDMULH';
const SCALAR_FLOAT: readonly (readonly [string, string])[] = [
  ['0 0', '1b FMULX, 1c FCMEQ, 1f FRECPS'],
  ['0 1', '1f FRSQRTS'],
  ['1 0', '1c FCMGE, 1d FACGE'],
  ['1 1', '1a FABD, 1c FCMGT, 1d FACGT'],
];
/** Only doublewords are scalars in most rows: let most cases have that size. */
const mostlyDoubleword = (f: Record<string, number>) => {
  if (f['Rn'] > 8) f['size'] = 3;
};
const anyScalar = /^(S|U)Q|^SQR?DMULH/;
const sameScalar = [SCALAR_SIGNED, SCALAR_UNSIGNED].flatMap((table, u) =>
  entries(table).map(([opcode, name]) =>
    row(`${name} (scalar)`, `01 ${u} 11110 size:2 1 Rm ${binary(opcode, 5)} 1 Rn Rd`, {
      weight: 0.6,
      ...(anyScalar.test(name) ? {} : { fix: mostlyDoubleword }),
    }),
  ),
);
const sameScalarFloat = SCALAR_FLOAT.flatMap(([bits, table]) => {
  const [u, a] = bits.split(' ');
  return entries(table).map(([opcode, name]) =>
    row(`${name} (scalar)`, `01 ${u} 11110 ${a} sz:1 1 Rm ${binary(opcode, 5)} 1 Rn Rd`, { ...floating, weight: 1 }),
  );
});

// --- Three registers of different types ---
const DIFFERENT = [
  '0 SADDL, 1 SADDW, 2 SSUBL, 3 SSUBW, 4 ADDHN, 5 SABAL, 6 SUBHN, 7 SABDL, 8 SMLAL, 9 SQDMLAL, a SMLSL, b SQDMLSL, c SMULL, d SQDMULL, e PMULL',
  '0 UADDL, 1 UADDW, 2 USUBL, 3 USUBW, 4 RADDHN, 5 UABAL, 6 RSUBHN, 7 UABDL, 8 UMLAL, a UMLSL, c UMULL',
];
const different = DIFFERENT.flatMap((table, u) =>
  entries(table).map(([opcode, name]) => row(name, `0 Q:1 ${u} 01110 size:2 1 Rm ${binary(opcode, 4)} 00 Rn Rd`)),
);
const differentScalar = entries('9 SQDMLAL, b SQDMLSL, d SQDMULL').map(([opcode, name]) =>
  row(`${name} (scalar)`, `01011110 size:2 1 Rm ${binary(opcode, 4)} 00 Rn Rd`),
);

// --- Two registers ---
const MISC = [
  `0 REV64, 1 REV16, 2 SADDLP, 3 SUQADD, 4 CLS, 5 CNT, 6 SADALP, 7 SQABS, 8 CMGT0, 9 CMEQ0, a CMLT0, b ABS, 12 XTN, 14 SQXTN`,
  `0 REV32, 2 UADDLP, 3 USQADD, 4 CLZ, 5 NOT, 6 UADALP, 7 SQNEG, 8 CMGE0, 9 CMLE0, b NEG, 12 SQXTUN, 13 SHLL, 14 UQXTN`,
];
const misc = MISC.flatMap((table, u) =>
  entries(table).map(([opcode, name]) => row(name, `0 Q:1 ${u} 01110 size:2 10000 ${binary(opcode, 5)} 10 Rn Rd`)),
);
const MISC_FLOAT: readonly (readonly [string, string])[] = [
  ['0 0', '18 FRINTN, 19 FRINTM, 1a FCVTNS, 1b FCVTMS, 1c FCVTAS, 1d SCVTF'],
  ['0 1', 'c FCMGT0, d FCMEQ0, e FCMLT0, f FABS, 18 FRINTP, 19 FRINTZ, 1a FCVTPS, 1b FCVTZS, 1c URECPE, 1d FRECPE'],
  ['1 0', '18 FRINTA, 19 FRINTX, 1a FCVTNU, 1b FCVTMU, 1c FCVTAU, 1d UCVTF'],
  ['1 1', 'c FCMGE0, d FCMLE0, f FNEG, 19 FRINTI, 1a FCVTPU, 1b FCVTZU, 1c URSQRTE, 1d FRSQRTE, 1f FSQRT'],
];
const lanesOf = (name: string): RowOptions => {
  if (/CVTF$/.test(name)) return { fpcr: true, weight: 1.3 };
  return /^UR/.test(name) ? {} : { ...floating, weight: 1.3 };
};
const miscFloat = MISC_FLOAT.flatMap(([bits, table]) => {
  const [u, a] = bits.split(' ');
  return entries(table).map(([opcode, name]) =>
    row(`${name} (vector)`, `0 Q:1 ${u} 01110 ${a} sz:1 10000 ${binary(opcode, 5)} 10 Rn Rd`, lanesOf(name)),
  );
});
const narrow = (f: Fields): LaneKind => (f['sz'] ? 'f32' : 'f16');
const miscWidth = [
  row('FCVTN', '0 Q:1 0011100 sz:1 10000 10110 10 Rn Rd', floating),
  row('FCVTL', '0 Q:1 0011100 sz:1 10000 10111 10 Rn Rd', { ...floating, lanes: narrow }),
  row('FCVTXN', '0 Q:1 1011100 sz:1 10000 10110 10 Rn Rd', floating),
  row('FCVTXN (scalar)', '01 1111100 sz:1 10000 10110 10 Rn Rd', floating),
];
const SCALAR_MISC = [
  '3 SUQADD, 7 SQABS, 8 CMGT0, 9 CMEQ0, a CMLT0, b ABS, 14 SQXTN',
  '3 USQADD, 7 SQNEG, 8 CMGE0, 9 CMLE0, b NEG, 12 SQXTUN, 14 UQXTN',
];
const scalarMisc = SCALAR_MISC.flatMap((table, u) =>
  entries(table).map(([opcode, name]) =>
    row(`${name} (scalar)`, `01 ${u} 11110 size:2 10000 ${binary(opcode, 5)} 10 Rn Rd`, {
      weight: 0.6,
      ...(/Q/.test(name.slice(0, 3)) ? {} : { fix: mostlyDoubleword }),
    }),
  ),
);
const SCALAR_MISC_FLOAT: readonly (readonly [string, string])[] = [
  ['0 0', '1a FCVTNS, 1b FCVTMS, 1c FCVTAS, 1d SCVTF'],
  ['0 1', 'c FCMGT0, d FCMEQ0, e FCMLT0, 1a FCVTPS, 1b FCVTZS, 1d FRECPE, 1f FRECPX'],
  ['1 0', '1a FCVTNU, 1b FCVTMU, 1c FCVTAU, 1d UCVTF'],
  ['1 1', 'c FCMGE0, d FCMLE0, 1a FCVTPU, 1b FCVTZU, 1d FRSQRTE'],
];
const scalarMiscFloat = SCALAR_MISC_FLOAT.flatMap(([bits, table]) => {
  const [u, a] = bits.split(' ');
  return entries(table).map(([opcode, name]) =>
    row(`${name} (scalar)`, `01 ${u} 11110 ${a} sz:1 10000 ${binary(opcode, 5)} 10 Rn Rd`, {
      ...lanesOf(name),
      weight: 0.8,
    }),
  );
});

// --- Across lanes, pairwise scalars ---
const ACROSS = ['3 SADDLV, a SMAXV, 1a SMINV, 1b ADDV', '3 UADDLV, a UMAXV, 1a UMINV'];
const across = ACROSS.flatMap((table, u) =>
  entries(table).map(([opcode, name]) => row(name, `0 Q:1 ${u} 01110 size:2 11000 ${binary(opcode, 5)} 10 Rn Rd`)),
);
const acrossFloat = ['c FMAXNMV, f FMAXV', 'c FMINNMV, f FMINV'].flatMap((table, a) =>
  entries(table).map(([opcode, name]) =>
    row(name, `0 Q:1 1 01110 ${a} sz:1 11000 ${binary(opcode, 5)} 10 Rn Rd`, floating),
  ),
);
const pairwise = [
  row('ADDP (scalar)', '01011110 size:2 11000 11011 10 Rn Rd', { fix: mostlyDoubleword }),
  ...['c FMAXNMP, d FADDP, f FMAXP', 'c FMINNMP, f FMINP'].flatMap((table, a) =>
    entries(table).map(([opcode, name]) =>
      row(`${name} (scalar)`, `01111110 ${a} sz:1 11000 ${binary(opcode, 5)} 10 Rn Rd`, floating),
    ),
  ),
];

export const VECTOR_INTEGER_ROWS: readonly Row[] = [
  ...same,
  ...logical,
  ...sameScalar,
  ...different,
  ...differentScalar,
  ...misc,
  ...scalarMisc,
  ...across,
  pairwise[0],
];
export const VECTOR_FLOAT_ROWS: readonly Row[] = [
  ...sameFloat,
  ...sameScalarFloat,
  ...miscFloat,
  ...miscWidth,
  ...scalarMiscFloat,
  ...acrossFloat,
  ...pairwise.slice(1),
];
