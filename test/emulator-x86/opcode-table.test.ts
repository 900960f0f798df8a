import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as A from '../../assembly/layout/x86-attributes.js';
import { buildDecodeAttributes, immediateKind, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';

const table = parseOpcodeTable();
const attributes = buildDecodeAttributes(table);
const MAPS: Record<string, number> = { '': 0, '0F': 1, '0F38': 2, '0F3A': 3 };

/** Attributes of an opcode written like '0F 38 F0'. */
function of(opcode: string): number {
  const bytes = opcode.split(' ');
  const last = bytes.pop() ?? '';
  return attributes[MAPS[bytes.join('')] * 256 + parseInt(last, 16)];
}
const immediate = (opcode: string) => (of(opcode) >> A.A_IMM_SHIFT) & A.A_IMM;

test('every immediate kind stands where the manual has it', () => {
  const expected: [number, string[]][] = [
    [
      A.A_IB,
      ['04', '6A', '6B', '70', '80', '83', 'A8', 'B0', 'C0', 'C6', 'CD', 'D4', 'E2', 'E4', 'EB', '0F 70', '0F A4'],
    ],
    [A.A_IB, ['0F BA', '0F C2', '0F C6', '0F 71', '0F 3A 0F', '0F 3A 63']],
    [A.A_IW, ['C2', 'CA']],
    [A.A_IZ, ['05', '68', '69', '81', 'A9', 'C7']],
    [A.A_IV, ['B8', 'BF']],
    [A.A_MOFFS, ['A0', 'A1', 'A2', 'A3']],
    [A.A_FAR, ['9A', 'EA']],
    [A.A_IWB, ['C8']],
    [A.A_GROUP3B, ['F6']],
    [A.A_GROUP3V, ['F7']],
    [A.A_JZ, ['E8', 'E9', '0F 80', '0F 8F']],
    [0, ['00', '50', '84', '90', 'D0', 'D9', 'EC', 'FF', '0F 01', '0F A2', '0F AE', '0F B6', '0F 38 F0']],
  ];
  for (const [kind, opcodes] of expected) {
    for (const opcode of opcodes) {
      assert.ok(of(opcode) & A.A_VALID, opcode);
      assert.is(immediate(opcode), kind, opcode);
    }
  }
});

test('ModRM', () => {
  for (const opcode of ['00', '03', '62', '63', '69', '8C', '8D', '8F', 'C4', 'C6', 'D0', 'D8', 'DF', 'F6', 'FF']) {
    assert.ok(of(opcode) & A.A_MODRM, opcode);
  }
  for (const opcode of [
    '0F 00',
    '0F 01',
    '0F 0D',
    '0F 1F',
    '0F 20',
    '0F 23',
    '0F 90',
    '0F AE',
    '0F B9',
    '0F C7',
    '0F FF',
  ]) {
    assert.ok(of(opcode) & A.A_MODRM, opcode);
  }
  for (const opcode of [
    '04',
    '06',
    '27',
    '40',
    '50',
    '68',
    '6C',
    '90',
    '91',
    'A4',
    'B0',
    'C3',
    'D7',
    'E4',
    'EE',
    'F1',
  ]) {
    assert.not(of(opcode) & A.A_MODRM, opcode);
  }
  for (const opcode of ['0F 05', '0F 31', '0F 34', '0F 77', '0F 80', '0F A0', '0F A2', '0F C8']) {
    assert.not(of(opcode) & A.A_MODRM, opcode);
  }
});

test('64-bit mode: what is gone and what is wide', () => {
  const gone = [
    '06',
    '0E',
    '1F',
    '27',
    '37',
    '60',
    '61',
    '62',
    '82',
    '9A',
    'C4',
    'C5',
    'CE',
    'D4',
    'D5',
    'EA',
    '40',
    '4F',
  ];
  for (const opcode of gone) assert.ok(of(opcode) & A.A_INVALID64, opcode);
  for (const opcode of ['63', '90', 'CC', 'CD', 'CF', 'F1', '0F 05', '0F 34', '0F A0', '0F B2']) {
    assert.not(of(opcode) & A.A_INVALID64, opcode);
  }
  for (const opcode of [
    '50',
    '5F',
    '68',
    '6A',
    '8F',
    '9C',
    '9D',
    'C2',
    'C3',
    'C8',
    'C9',
    'E2',
    'E8',
    'EB',
    '0F 84',
    '0F A1',
  ]) {
    assert.ok(of(opcode) & A.A_WIDE, opcode);
  }
  // FF mixes both kinds; far returns and IRET default to 32 bits.
  for (const opcode of ['FF', 'CA', 'CB', 'CF', '89']) assert.not(of(opcode) & A.A_WIDE, opcode);
});

test('LOCK', () => {
  const lockable = [
    '00',
    '31',
    '80',
    '81',
    '83',
    '86',
    '87',
    'F6',
    'F7',
    'FE',
    'FF',
    '0F AB',
    '0F B0',
    '0F BA',
    '0F C1',
  ];
  for (const opcode of [...lockable, '0F C7']) assert.ok(of(opcode) & A.A_LOCK, opcode);
  for (const opcode of ['02', '38', '39', '3D', '84', '88', '89', '8F', '0F A3', '0F A4', '0F AF']) {
    assert.not(of(opcode) & A.A_LOCK, opcode);
  }
  const members = table.filter((r) => r.map === 0 && r.opcode === 0x81 && r.flags.includes('lock')).map((r) => r.reg);
  assert.equal(members, [0, 1, 2, 3, 4, 5, 6]);
});

test('opcodes that do not exist', () => {
  for (const opcode of ['0F', '26', '64', '66', '67', 'D6', 'F0', 'F2', '0F 04', '0F 0A', '0F 0E', '0F 24', '0F 36']) {
    assert.is(of(opcode), 0, opcode);
  }
  for (const opcode of ['0F 38 F2', '0F 3A 44', '0F 38', '0F 3A', '0F A6', '0F 7B']) assert.is(of(opcode), 0, opcode);
});

test('conditions, ranges and pairs are spelt out', () => {
  const find = (map: number, opcode: number) => table.filter((r) => r.map === map && r.opcode === opcode);
  assert.equal(find(0, 0x7c)[0].mnemonic, 'JL');
  assert.equal(find(1, 0x95)[0].mnemonic, 'SETNE');
  assert.equal(
    find(1, 0xfc).map((r) => [r.prefix, r.mnemonic, r.operands]),
    [
      [0, 'PADDB', ['Pq', 'Qq']],
      [0x66, 'PADDB', ['Vdq', 'Wdq']],
    ],
  );
  assert.equal(
    find(0, 0xd9)
      .filter((r) => r.reg === 6)
      .map((r) => r.rm ?? r.mnemonic),
    ['FNSTENV', 0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test('no two rows stand for the same instruction', () => {
  const seen = new Set<string>();
  for (const r of table) {
    const key = [r.map, r.opcode, r.prefix, r.reg, r.rm, r.mod3, r.flags.filter((f) => f.endsWith('64'))].join(' ');
    assert.not(seen.has(key), `${r.mnemonic} ${key}`);
    seen.add(key);
  }
});

test('all of 0F 3A takes an immediate byte, none of 0F 38 does', () => {
  for (const row of table) {
    if (row.map === 3) assert.is(immediateKind(row), A.A_IB, row.mnemonic);
    if (row.map === 2) assert.is(immediateKind(row), 0, row.mnemonic);
  }
});

test.run();
