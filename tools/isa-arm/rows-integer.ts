// Integer data processing, branches and the system instructions of EL0 (Arm ARM C4.1.65–C4.1.68, C4.1.71).

import { binary, type Fields, type Row, row } from './row.js';

const bitfieldN = (f: Record<string, number>) => {
  // N has to equal sf; now and then it does not, which is undefined.
  if (f['N'] !== f['sf'] && f['immr'] !== 0) f['N'] = f['sf'];
};
const logicalN = (f: Record<string, number>) => {
  if (f['sf'] === 0 && f['immr'] !== 0) f['N'] = 0;
};
/** Shift amounts of 32 and more are undefined for 32-bit operands: leave few. */
const amount = (f: Record<string, number>) => {
  if (f['sf'] === 0 && f['Rm'] !== 0) f['imm6'] &= 31;
};

const immediate: Row[] = [
  row('ADR', '0 immlo:2 10000 immhi:19 Rd', { weight: 0.5 }),
  row('ADRP', '1 immlo:2 10000 immhi:19 Rd', { weight: 0.5 }),
  ...['ADD', 'ADDS', 'SUB', 'SUBS'].map((name, i) =>
    row(`${name} (immediate)`, `sf:1 ${binary(i, 2)} 100010 sh:1 imm12:12 Rn Rd`),
  ),
  ...['AND', 'ORR', 'EOR', 'ANDS'].map((name, i) =>
    row(`${name} (immediate)`, `sf:1 ${binary(i, 2)} 100100 N:1 immr:6 imms:6 Rn Rd`, { fix: logicalN, weight: 2 }),
  ),
  row('MOVN', 'sf:1 00 100101 hw:2 imm16:16 Rd', { weight: 0.5 }),
  row('MOVZ', 'sf:1 10 100101 hw:2 imm16:16 Rd', { weight: 0.5 }),
  row('MOVK', 'sf:1 11 100101 hw:2 imm16:16 Rd', { weight: 0.5 }),
  ...['SBFM', 'BFM', 'UBFM'].map((name, i) =>
    row(name, `sf:1 ${binary(i, 2)} 100110 N:1 immr:6 imms:6 Rn Rd`, { fix: bitfieldN, weight: 2.5 }),
  ),
  row('EXTR', 'sf:1 00 100111 N:1 0 Rm immr:6 Rn Rd', { fix: bitfieldN }),
];

const TWO_SOURCE: readonly (readonly [string, number])[] = [
  ['UDIV', 2],
  ['SDIV', 3],
  ['LSLV', 8],
  ['LSRV', 9],
  ['ASRV', 10],
  ['RORV', 11],
];
const ONE_SOURCE = ['RBIT', 'REV16', 'REV32', 'REV64', 'CLZ', 'CLS'];
const THREE_SOURCE: readonly (readonly [string, string, string])[] = [
  ['MADD', 'sf:1', '000 Rm 0'],
  ['MSUB', 'sf:1', '000 Rm 1'],
  ['SMADDL', '1', '001 Rm 0'],
  ['SMSUBL', '1', '001 Rm 1'],
  ['SMULH', '1', '010 Rm 0'],
  ['UMADDL', '1', '101 Rm 0'],
  ['UMSUBL', '1', '101 Rm 1'],
  ['UMULH', '1', '110 Rm 0'],
];

const register: Row[] = [
  ...['AND', 'ORR', 'EOR', 'ANDS'].flatMap((name, i) => [
    row(`${name} (register)`, `sf:1 ${binary(i, 2)} 01010 shift:2 0 Rm imm6:6 Rn Rd`, { fix: amount }),
    row(`${['BIC', 'ORN', 'EON', 'BICS'][i]} (register)`, `sf:1 ${binary(i, 2)} 01010 shift:2 1 Rm imm6:6 Rn Rd`, {
      fix: amount,
    }),
  ]),
  ...['ADD', 'ADDS', 'SUB', 'SUBS'].flatMap((name, i) => [
    row(`${name} (register)`, `sf:1 ${binary(i, 2)} 01011 shift:2 0 Rm imm6:6 Rn Rd`, { fix: amount, weight: 1.3 }),
    row(`${name} (extended)`, `sf:1 ${binary(i, 2)} 01011 001 Rm option:3 amount:3 Rn Rd`),
  ]),
  ...['ADC', 'ADCS', 'SBC', 'SBCS'].map((name, i) => row(name, `sf:1 ${binary(i, 2)} 11010000 Rm 000000 Rn Rd`)),
  ...['CCMN', 'CCMP'].flatMap((name, i) => [
    row(`${name} (register)`, `sf:1 ${i} 111010010 Rm cond:4 00 Rn 0 nzcv:4`),
    row(`${name} (immediate)`, `sf:1 ${i} 111010010 imm5:5 cond:4 10 Rn 0 nzcv:4`),
  ]),
  ...['CSEL', 'CSINC', 'CSINV', 'CSNEG'].map((name, i) =>
    row(name, `sf:1 ${i >> 1} 011010100 Rm cond:4 0 ${i & 1} Rn Rd`),
  ),
  ...TWO_SOURCE.map(([name, opcode]) => row(name, `sf:1 0011010110 Rm ${binary(opcode, 6)} Rn Rd`)),
  ...['CRC32B', 'CRC32H', 'CRC32W', 'CRC32X'].flatMap((name, i) => [
    row(name, `${i === 3 ? 1 : 0} 0011010110 Rm 0100 ${binary(i, 2)} Rn Rd`, { weight: 0.4 }),
    row(name.replace('32', '32C'), `${i === 3 ? 1 : 0} 0011010110 Rm 0101 ${binary(i, 2)} Rn Rd`, { weight: 0.4 }),
  ]),
  ...ONE_SOURCE.map((name, opcode) => row(name, `sf:1 10110101100 0000 ${binary(opcode, 6)} Rn Rd`)),
  ...THREE_SOURCE.map(([name, sf, rest]) => row(name, `${sf} 0011011 ${rest} Ra Rn Rd`)),
];

export const INTEGER_ROWS: readonly Row[] = [...immediate, ...register];

export const BRANCH_ROWS: readonly Row[] = [
  row('B', '000101 imm26:26', { weight: 0.5 }),
  row('BL', '100101 imm26:26', { weight: 0.5 }),
  row('B.cond', '01010100 imm19:19 0 cond:4', { weight: 2 }),
  row('CBZ', 'sf:1 0110100 imm19:19 Rt'),
  row('CBNZ', 'sf:1 0110101 imm19:19 Rt'),
  row('TBZ', 'b5:1 0110110 b40:5 imm14:14 Rt'),
  row('TBNZ', 'b5:1 0110111 b40:5 imm14:14 Rt'),
  row('BR', '1101011000011111000000 Rn 00000', { target: 'Rn' }),
  row('BLR', '1101011000111111000000 Rn 00000', { target: 'Rn' }),
  row('RET', '1101011001011111000000 Rn 00000', { target: 'Rn' }),
];

/** System register operands: the lower bit of op0, then op1 CRn CRm op2. */
const READABLE: readonly (readonly [string, string])[] = [
  ['NZCV', '1 011 0100 0010 000'],
  ['FPCR', '1 011 0100 0100 000'],
  ['FPSR', '1 011 0100 0100 001'],
  ['TPIDR_EL0', '1 011 1101 0000 010'],
  ['TPIDRRO_EL0', '1 011 1101 0000 011'],
  ['DCZID_EL0', '1 011 0000 0000 111'],
];
const WRITABLE = READABLE.slice(0, 4);
/** Registers that only higher levels may touch. */
const PRIVILEGED: readonly (readonly [string, string])[] = [
  ['SCTLR_EL1', '1 000 0001 0000 000'],
  ['TTBR0_EL1', '1 000 0010 0000 000'],
  ['SPSR_EL1', '1 000 0100 0000 000'],
  ['ELR_EL1', '1 000 0100 0000 001'],
  ['SP_EL0', '1 000 0100 0001 000'],
  ['SPSel', '1 000 0100 0010 000'],
  ['CurrentEL', '1 000 0100 0010 010'],
  ['PAN', '1 000 0100 0010 011'],
  ['ESR_EL1', '1 000 0101 0010 000'],
  ['FAR_EL1', '1 000 0110 0000 000'],
  ['PAR_EL1', '1 000 0111 0100 000'],
  ['VBAR_EL1', '1 000 1100 0000 000'],
  ['TPIDR_EL1', '1 000 1101 0000 100'],
  ['HCR_EL2', '1 100 0001 0001 000'],
  ['VBAR_EL2', '1 100 1100 0000 000'],
  ['SCR_EL3', '1 110 0001 0001 000'],
  ['DAIF', '1 011 0100 0010 001'],
];
/** Maintenance by address, permitted to EL0 by SCTLR_EL1.UCI. */
const MAINTENANCE: readonly (readonly [string, string])[] = [
  ['IC IVAU', '011 0111 0101 001'],
  ['DC CVAC', '011 0111 1010 001'],
  ['DC CVAU', '011 0111 1011 001'],
  ['DC CIVAC', '011 0111 1110 001'],
];
/** Wait for event and for interrupt end differently in a process. */
const isWait = (f: Fields) => f['CRm'] === 0 && (f['op2'] === 2 || f['op2'] === 3);

export const SYSTEM_ROWS: readonly Row[] = [
  row('HINT', '11010101000000110010 CRm:4 op2:3 11111', { accept: (f) => !isWait(f) }),
  ...['CLREX 010', 'DSB 100', 'DMB 101', 'ISB 110'].map((text) => {
    const [name, op2] = text.split(' ');
    return row(name, `11010101000000110011 CRm:4 ${op2} 11111`, { weight: 0.4 });
  }),
  ...READABLE.map(([name, code]) => row(`MRS ${name}`, `11010101001 1 ${code} Rt`)),
  ...WRITABLE.map(([name, code]) => row(`MSR ${name}`, `11010101000 1 ${code} Rt`, { weight: 1.5 })),
  ...PRIVILEGED.flatMap(([name, code]) => [
    row(`MRS ${name}`, `11010101001 1 ${code} Rt`, { weight: 0.1 }),
    row(`MSR ${name}`, `11010101000 1 ${code} Rt`, { weight: 0.1 }),
  ]),
  ...['SPSel 000 101', 'DAIFSet 011 110', 'DAIFClr 011 111', 'PAN 000 100'].map((text) => {
    const [name, op1, op2] = text.split(' ');
    return row(`MSR ${name} (immediate)`, `1101010100000 ${op1} 0100 CRm:4 ${op2} 11111`, { weight: 0.2 });
  }),
  row('ERET', '11010110100111110000001111100000', { weight: 0.1 }),
  row('DRPS', '11010110101111110000001111100000', { weight: 0.1 }),
  row('UDF', '0000000000000000 imm16:16', { weight: 0.2 }),
  row('TLBI VMALLE1', '11010101000010001000011100011111', { weight: 0.1 }),
  row('DC ZVA', '1101010100001 011 0111 0100 001 Rt', {
    // The block of 64 bytes in which the address lies.
    memory: () => ({ size: 128, offset: -64, mapped: true }),
  }),
  ...MAINTENANCE.map(([name, code]) =>
    row(name, `1101010100001 ${code} Rt`, {
      weight: 0.4,
      memory: () => ({ size: 1, mapped: true }),
      // Address 0 is not mapped, which a process is not told.
      accept: (f) => f['Rt'] !== 31,
    }),
  ),
];
