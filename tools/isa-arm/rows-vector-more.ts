// Advanced SIMD, the other classes: copies, permutations, tables, immediates, shifts by immediate, by element, cryptography.

import { binary, type Fields, type LaneKind, type Row, row } from './row.js';

const copies = [
  row('DUP (element)', '0 Q:1 001110000 imm5:5 000001 Rn Rd'),
  row('DUP (general)', '0 Q:1 001110000 imm5:5 000011 Rn Rd'),
  row('SMOV', '0 Q:1 001110000 imm5:5 001011 Rn Rd'),
  row('UMOV', '0 Q:1 001110000 imm5:5 001111 Rn Rd'),
  row('INS (general)', '0 1 001110000 imm5:5 000111 Rn Rd'),
  row('INS (element)', '0 1 101110000 imm5:5 0 imm4:4 1 Rn Rd'),
  row('DUP (scalar)', '01011110000 imm5:5 000001 Rn Rd', { weight: 0.6 }),
];

const permutes = [
  ...['UZP1 001', 'TRN1 010', 'ZIP1 011', 'UZP2 101', 'TRN2 110', 'ZIP2 111'].map((text) => {
    const [name, opcode] = text.split(' ');
    return row(name, `0 Q:1 001110 size:2 0 Rm 0 ${opcode} 10 Rn Rd`);
  }),
  row('EXT', '0 Q:1 101110000 Rm 0 imm4:4 0 Rn Rd', { weight: 1.5 }),
  row('TBL', '0 Q:1 001110000 Rm 0 len:2 000 Rn Rd', { weight: 2, lanes: () => 'index' }),
  row('TBX', '0 Q:1 001110000 Rm 0 len:2 100 Rn Rd', { weight: 2, lanes: () => 'index' }),
];

const immediates = [
  row('MOVI, MVNI, ORR, BIC, FMOV', '0 Q:1 op:1 0111100000 abc:3 cmode:4 01 defgh:5 Rd', { weight: 5 }),
];

/** Opcode, name with U = 0, name with U = 1; - for none. */
const SHIFTS = `00 SSHR USHR, 02 SSRA USRA, 04 SRSHR URSHR, 06 SRSRA URSRA, 08 - SRI, 0a SHL SLI, 0c - SQSHLU,
  0e SQSHL UQSHL, 10 SHRN SQSHRUN, 11 RSHRN SQRSHRUN, 12 SQSHRN UQSHRN, 13 SQRSHRN UQRSHRN, 14 SSHLL USHLL`;
const NO_SCALAR = /^(R?SHRN|[SU]SHLL)$/;
const NARROW = /Q.*(L|N)U?$/;
const shiftRows = SHIFTS.split(',').flatMap((entry) => {
  const [opcode, ...names] = entry.trim().split(/\s+/);
  const code = binary(Number.parseInt(opcode, 16), 5);
  return names.flatMap((name, u) => {
    if (name === '-') return [];
    // immh = 0 is another class.
    const accept = (f: Fields) => f['immh'] !== 0;
    const vector = row(`${name} (immediate)`, `0 Q:1 ${u} 011110 immh:4 immb:3 ${code} 1 Rn Rd`, { accept });
    if (NO_SCALAR.test(name)) return [vector];
    const scalar = row(`${name} (scalar, immediate)`, `01 ${u} 111110 immh:4 immb:3 ${code} 1 Rn Rd`, {
      accept,
      weight: 0.6,
      ...(NARROW.test(name) ? {} : { fix: highImmh }),
    });
    return [vector, scalar];
  });
});
/** Most scalar shifts are of doublewords: immh<3> set. */
function highImmh(f: Record<string, number>): void {
  if (f['Rn'] > 4) f['immh'] |= 8;
}
const lanesByImmh = (f: Fields): LaneKind => (f['immh'] & 8 ? 'f64' : 'f32');
const fixedPoint = ['SCVTF 0 11100', 'UCVTF 1 11100', 'FCVTZS 0 11111', 'FCVTZU 1 11111'].flatMap((text) => {
  const [name, u, code] = text.split(' ');
  const options = {
    accept: (f: Fields) => f['immh'] !== 0,
    fpcr: true,
    fix: (f: Record<string, number>) => {
      if (f['Rn'] > 4 && f['immh'] < 4) f['immh'] |= 4;
    },
    ...(name[0] === 'F' ? { lanes: lanesByImmh } : {}),
  };
  return [
    row(`${name} (vector, fixed point)`, `0 Q:1 ${u} 011110 immh:4 immb:3 ${code} 1 Rn Rd`, options),
    row(`${name} (scalar, fixed point)`, `01 ${u} 111110 immh:4 immb:3 ${code} 1 Rn Rd`, options),
  ];
});

const ELEMENT: readonly (readonly [string, number, string, boolean])[] = [
  ['0', 0x2, 'SMLAL', false],
  ['0', 0x3, 'SQDMLAL', true],
  ['0', 0x6, 'SMLSL', false],
  ['0', 0x7, 'SQDMLSL', true],
  ['0', 0x8, 'MUL', false],
  ['0', 0xa, 'SMULL', false],
  ['0', 0xb, 'SQDMULL', true],
  ['0', 0xc, 'SQDMULH', true],
  ['0', 0xd, 'SQRDMULH', true],
  ['1', 0x0, 'MLA', false],
  ['1', 0x2, 'UMLAL', false],
  ['1', 0x4, 'MLS', false],
  ['1', 0x6, 'UMLSL', false],
  ['1', 0xa, 'UMULL', false],
];
const FLOAT_ELEMENT: readonly (readonly [string, number, string])[] = [
  ['0', 0x1, 'FMLA'],
  ['0', 0x5, 'FMLS'],
  ['0', 0x9, 'FMUL'],
  ['1', 0x9, 'FMULX'],
];
const elements = ELEMENT.flatMap(([u, opcode, name, scalar]) => {
  const rest = `size:2 L:1 M:1 Rm:4 ${binary(opcode, 4)} H:1 0 Rn Rd`;
  const vector = row(`${name} (element)`, `0 Q:1 ${u} 01111 ${rest}`);
  return scalar ? [vector, row(`${name} (scalar, element)`, `01 ${u} 11111 ${rest}`, { weight: 0.6 })] : [vector];
});
const floatElements = FLOAT_ELEMENT.flatMap(([u, opcode, name]) => {
  const rest = `1 sz:1 L:1 M:1 Rm:4 ${binary(opcode, 4)} H:1 0 Rn Rd`;
  const options = { lanes: (f: Fields): LaneKind => (f['sz'] ? 'f64' : 'f32'), fpcr: true, weight: 1.5 };
  return [
    row(`${name} (element)`, `0 Q:1 ${u} 01111 ${rest}`, options),
    row(`${name} (scalar, element)`, `01 ${u} 11111 ${rest}`, options),
  ];
});

const SHA_THREE = ['SHA1C', 'SHA1P', 'SHA1M', 'SHA1SU0', 'SHA256H', 'SHA256H2', 'SHA256SU1'];
const SHA_TWO = ['SHA1H', 'SHA1SU1', 'SHA256SU0'];
const AES = ['AESE', 'AESD', 'AESMC', 'AESIMC'];
export const CRYPTO_ROWS: readonly Row[] = [
  ...AES.map((name, i) => row(name, `010011100010100001 ${binary(i, 2)} 10 Rn Rd`)),
  ...SHA_THREE.map((name, i) => row(name, `01011110000 Rm 0 ${binary(i, 3)} 00 Rn Rd`)),
  ...SHA_TWO.map((name, i) => row(name, `010111100010100 ${binary(i, 5)} 10 Rn Rd`)),
  row('PMULL, 64 bits', '0 Q:1 001110111 Rm 111000 Rn Rd'),
];

export const VECTOR_MORE_ROWS: readonly Row[] = [...copies, ...permutes, ...immediates, ...shiftRows, ...elements];
export const VECTOR_FLOAT_MORE_ROWS: readonly Row[] = [...fixedPoint, ...floatElements];
