// A64 scalar floating point as text (Arm ARM C4.1.68, bits 28–24 = 1111x).

import { bits, CONDITIONS, floatImm, hex, TOKENS, type Token, wReg, xReg } from './fields.js';
import { binary, type Row, row } from './row.js';

const D = 'xxxxx';
/** Letter of the type field: single, double, (reserved), half. */
const letter = (type: number) => 'sd?h'[type];
const register =
  (low: number): Token =>
  (w) =>
    letter(bits(w, 22, 2)) + bits(w, low, 5);
const general =
  (low: number): Token =>
  (w) =>
    (bits(w, 31, 1) ? xReg : wReg)(bits(w, low, 5));
const typeOk = (w: number) => bits(w, 22, 2) !== 2;

const FLOAT_TOKENS: Readonly<Record<string, Token>> = {
  ...TOKENS,
  Fd: register(0),
  Fn: register(5),
  Fm: register(16),
  Fa: register(10),
  Gd: general(0),
  Gn: general(5),
  imm8: (w) => floatImm(bits(w, 13, 8)),
  fbits: (w) => `#${64 - bits(w, 10, 6)}`,
  fcond: (w) => CONDITIONS[bits(w, 12, 4)],
  nzcvHex: (w) => hex(bits(w, 0, 4)),
};

const TWO_SOURCE = ['fmul', 'fdiv', 'fadd', 'fsub', 'fmax', 'fmin', 'fmaxnm', 'fminnm', 'fnmul'];
const ONE_SOURCE: readonly (readonly [number, string])[] = [
  [0, 'fmov'],
  [1, 'fabs'],
  [2, 'fneg'],
  [3, 'fsqrt'],
  [8, 'frintn'],
  [9, 'frintp'],
  [10, 'frintm'],
  [11, 'frintz'],
  [12, 'frinta'],
  [14, 'frintx'],
  [15, 'frinti'],
];
const THREE_SOURCE = ['fmadd', 'fmsub', 'fnmadd', 'fnmsub'];
/** Conversions to integer by rmode and opcode; FP to general register. */
const TO_INTEGER: readonly (readonly [string, string, string])[] = [
  ['fcvtns', '00', '000'],
  ['fcvtnu', '00', '001'],
  ['fcvtas', '00', '100'],
  ['fcvtau', '00', '101'],
  ['fcvtps', '01', '000'],
  ['fcvtpu', '01', '001'],
  ['fcvtms', '10', '000'],
  ['fcvtmu', '10', '001'],
  ['fcvtzs', '11', '000'],
  ['fcvtzu', '11', '001'],
];

function f(pattern: string, template: string, when: (w: number) => boolean = typeOk): Row {
  return row(pattern, template, when, FLOAT_TOKENS);
}

function convert(): Row[] {
  const fixedOk = (w: number) => typeOk(w) && (bits(w, 31, 1) === 1 || bits(w, 15, 1) === 1);
  return [
    ...TO_INTEGER.map(([name, rmode, op]) => f(`x 0011110 xx 1 ${rmode} ${op} 000000 ${D} ${D}`, `${name} {Gd}, {Fn}`)),
    ...['scvtf', 'ucvtf'].flatMap((name, u) => [
      f(`x 0011110 xx 1 00 01${u} 000000 ${D} ${D}`, `${name} {Fd}, {Gn}`),
      f(`x 0011110 xx 0 00 01${u} xxxxxx ${D} ${D}`, `${name} {Fd}, {Gn}, {fbits}`, fixedOk),
    ]),
    ...['fcvtzs', 'fcvtzu'].map((name, u) =>
      f(`x 0011110 xx 0 11 00${u} xxxxxx ${D} ${D}`, `${name} {Gd}, {Fn}, {fbits}`, fixedOk),
    ),
    f(`0 0011110 00 1 00 110 000000 ${D} ${D}`, 'fmov {Wd}, {Sn}'),
    f(`0 0011110 00 1 00 111 000000 ${D} ${D}`, 'fmov {Sd}, {Wn}'),
    f(`1 0011110 01 1 00 110 000000 ${D} ${D}`, 'fmov {Xd}, {Dn}'),
    f(`1 0011110 01 1 00 111 000000 ${D} ${D}`, 'fmov {Dd}, {Xn}'),
    f(`x 0011110 11 1 00 110 000000 ${D} ${D}`, 'fmov {Gd}, {Hn}'),
    f(`x 0011110 11 1 00 111 000000 ${D} ${D}`, 'fmov {Hd}, {Gn}'),
    row(`1 0011110 10 1 01 110 000000 ${D} ${D}`, 'fmov {Xd}, {upper}', undefined, {
      ...TOKENS,
      upper: (w) => `v${bits(w, 5, 5)}.d[1]`,
    }),
    row(`1 0011110 10 1 01 111 000000 ${D} ${D}`, 'fmov {upper}, {Xn}', undefined, {
      ...TOKENS,
      upper: (w) => `v${bits(w, 0, 5)}.d[1]`,
    }),
    // Between precisions: from type to opc.
    ...['S', 'D', '', 'H'].flatMap((to, opc) =>
      to === ''
        ? []
        : [
            f(`000 11110 xx 1 0001${binary(opc, 2)} 10000 ${D} ${D}`, `fcvt {${to}d}, {Fn}`, (w) => {
              const type = bits(w, 22, 2);
              return type !== 2 && type !== opc;
            }),
          ],
    ),
  ];
}

export const FLOAT: readonly Row[] = [
  ...TWO_SOURCE.map((name, op) => f(`000 11110 xx 1 ${D} ${binary(op, 4)} 10 ${D} ${D}`, `${name} {Fd}, {Fn}, {Fm}`)),
  ...ONE_SOURCE.map(([op, name]) => f(`000 11110 xx 1 ${binary(op, 6)} 10000 ${D} ${D}`, `${name} {Fd}, {Fn}`)),
  ...THREE_SOURCE.map((name, op) =>
    f(`000 11111 xx ${op >> 1} ${D} ${op & 1} ${D} ${D} ${D}`, `${name} {Fd}, {Fn}, {Fm}, {Fa}`),
  ),
  f(`000 11110 xx 1 ${D} 00 1000 ${D} 00000`, 'fcmp {Fn}, {Fm}'),
  f(`000 11110 xx 1 ${D} 00 1000 ${D} 10000`, 'fcmpe {Fn}, {Fm}'),
  f(`000 11110 xx 1 00000 00 1000 ${D} 01000`, 'fcmp {Fn}, #0.0'),
  f(`000 11110 xx 1 00000 00 1000 ${D} 11000`, 'fcmpe {Fn}, #0.0'),
  f(`000 11110 xx 1 ${D} xxxx 01 ${D} 0 xxxx`, 'fccmp {Fn}, {Fm}, {nzcvHex}, {fcond}'),
  f(`000 11110 xx 1 ${D} xxxx 01 ${D} 1 xxxx`, 'fccmpe {Fn}, {Fm}, {nzcvHex}, {fcond}'),
  f(`000 11110 xx 1 ${D} xxxx 11 ${D} ${D}`, 'fcsel {Fd}, {Fn}, {Fm}, {fcond}'),
  f(`000 11110 xx 1 xxxxxxxx 100 00000 ${D}`, 'fmov {Fd}, {imm8}'),
  ...convert(),
];
