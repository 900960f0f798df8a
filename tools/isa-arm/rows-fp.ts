// Scalar floating point (Arm ARM C4.1.71, "Data Processing -- Scalar Floating-Point").

import { binary, type Fields, type LaneKind, type Row, row } from './row.js';

const TYPES: readonly (readonly [string, string, LaneKind])[] = [
  ['S', '00', 'f32'],
  ['D', '01', 'f64'],
];
const scalar = (kind: LaneKind) => ({ lanes: () => kind, fpcr: true });

const ONE_SOURCE: readonly (readonly [string, number, number])[] = [
  ['FMOV', 0, 0.3],
  ['FABS', 1, 0.3],
  ['FNEG', 2, 0.3],
  ['FSQRT', 3, 1.5],
  ['FRINTN', 8, 1],
  ['FRINTP', 9, 1],
  ['FRINTM', 10, 1],
  ['FRINTZ', 11, 1],
  ['FRINTA', 12, 1],
  ['FRINTX', 14, 1],
  ['FRINTI', 15, 1],
];
const TWO_SOURCE = ['FMUL', 'FDIV', 'FADD', 'FSUB', 'FMAX', 'FMIN', 'FMAXNM', 'FMINNM', 'FNMUL'];
const THREE_SOURCE = ['FMADD', 'FMSUB', 'FNMADD', 'FNMSUB'];
const CONVERSIONS: readonly (readonly [string, string])[] = [
  ['FCVTNS', '00 000'],
  ['FCVTNU', '00 001'],
  ['FCVTAS', '00 100'],
  ['FCVTAU', '00 101'],
  ['FCVTPS', '01 000'],
  ['FCVTPU', '01 001'],
  ['FCVTMS', '10 000'],
  ['FCVTMU', '10 001'],
  ['FCVTZS', '11 000'],
  ['FCVTZU', '11 001'],
  ['SCVTF', '00 010'],
  ['UCVTF', '00 011'],
];

const perType = TYPES.flatMap(([type, code, kind]) => {
  const head = `00011110 ${code} 1`;
  const options = scalar(kind);
  return [
    ...ONE_SOURCE.map(([name, opcode, weight]) =>
      row(`${name} ${type}`, `${head} ${binary(opcode, 6)} 10000 Rn Rd`, { ...options, weight }),
    ),
    ...TWO_SOURCE.map((name, opcode) =>
      row(`${name} ${type}`, `${head} Rm ${binary(opcode, 4)} 10 Rn Rd`, { ...options, weight: 2 }),
    ),
    ...THREE_SOURCE.map((name, i) =>
      row(`${name} ${type}`, `00011111 ${code} ${i >> 1} Rm ${i & 1} Ra Rn Rd`, { ...options, weight: 2.5 }),
    ),
    row(`FCMP ${type}`, `${head} Rm 001000 Rn 00000`, { ...options, weight: 2 }),
    row(`FCMP ${type}, zero`, `${head} 00000 001000 Rn 01000`, options),
    row(`FCMPE ${type}`, `${head} Rm 001000 Rn 10000`, { ...options, weight: 2 }),
    row(`FCMPE ${type}, zero`, `${head} 00000 001000 Rn 11000`, options),
    row(`FCCMP ${type}`, `${head} Rm cond:4 01 Rn 0 nzcv:4`, options),
    row(`FCCMPE ${type}`, `${head} Rm cond:4 01 Rn 1 nzcv:4`, options),
    row(`FCSEL ${type}`, `${head} Rm cond:4 11 Rn Rd`, options),
    row(`FMOV ${type}, immediate`, `${head} imm8:8 10000000 Rd`, { weight: 0.5 }),
    ...CONVERSIONS.map(([name, rest]) =>
      row(`${name} ${type}`, `sf:1 0011110 ${code} 1 ${rest} 000000 Rn Rd`, { ...options, weight: 1.5 }),
    ),
    ...['11 000 FCVTZS', '11 001 FCVTZU', '00 010 SCVTF', '00 011 UCVTF'].map((text) => {
      const [mode, opcode, name] = text.split(' ');
      return row(`${name} ${type}, fixed point`, `sf:1 0011110 ${code} 0 ${mode} ${opcode} scale:6 Rn Rd`, {
        ...options,
        // 64 - scale may not exceed the integer's width: few that do.
        fix: (f) => {
          if (f['sf'] === 0 && f['Rd'] !== 0) f['scale'] |= 32;
        },
      });
    }),
  ];
});

/** From, to: type codes. */
const WIDTHS: readonly (readonly [string, string, string, LaneKind])[] = [
  ['S to D', '00', '01', 'f32'],
  ['S to H', '00', '11', 'f32'],
  ['D to S', '01', '00', 'f64'],
  ['D to H', '01', '11', 'f64'],
  ['H to S', '11', '00', 'f16'],
  ['H to D', '11', '01', 'f16'],
];

export const FP_ROWS: readonly Row[] = [
  ...perType,
  ...WIDTHS.map(([name, from, to, kind]) =>
    row(`FCVT ${name}`, `00011110 ${from} 1 0001 ${to} 10000 Rn Rd`, { ...scalar(kind), weight: 3 }),
  ),
  row('FMOV W from S', '0001111000 1 00 110 000000 Rn Rd', { weight: 0.3 }),
  row('FMOV S from W', '0001111000 1 00 111 000000 Rn Rd', { weight: 0.3 }),
  row('FMOV X from D', '1001111001 1 00 110 000000 Rn Rd', { weight: 0.3 }),
  row('FMOV D from X', '1001111001 1 00 111 000000 Rn Rd', { weight: 0.3 }),
  row('FMOV X from V.D[1]', '1001111010 1 01 110 000000 Rn Rd', { weight: 0.3 }),
  row('FMOV V.D[1] from X', '1001111010 1 01 111 000000 Rn Rd', { weight: 0.3 }),
];

/** Lane kind of a vector FP instruction whose bit 22, sz, tells the width. */
export const bySz = (f: Fields): LaneKind => (f['sz'] ? 'f64' : 'f32');
