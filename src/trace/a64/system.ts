// A64 exception generation, hints, barriers, system registers and instructions as text (Arm ARM C4.1.65).

import { systemKey, systemRegisterName } from '../../../assembly/layout/arm-sysregs.js';
import { bits, TOKENS, type Token, xReg } from './fields.js';
import { type Row, row } from './row.js';

const D = 'xxxxx';
const IMM16 = 'x'.repeat(16);
const keyOf = (w: number) => systemKey(bits(w, 19, 2), bits(w, 16, 3), bits(w, 12, 4), bits(w, 8, 4), bits(w, 5, 3));
const hasName = (w: number) => !/^S\d_/.test(systemRegisterName(keyOf(w)));

/** "s3_0_c1_c0_0" where the register has no name here. */
const register: Token = (w) => systemRegisterName(keyOf(w)).toLowerCase();
/** Operations of DC, IC, AT, TLBI; those without an address have no register operand. */
const operation: Token = (w) => {
  const name = systemRegisterName(keyOf(w)).toLowerCase();
  const t = bits(w, 0, 5);
  return t === 31 && !/^(dc|at)/.test(name) ? name : `${name}, ${xReg(t)}`;
};
const sys: Token = (w) => {
  const text = `#${bits(w, 16, 3)}, C${bits(w, 12, 4)}, C${bits(w, 8, 4)}, #${bits(w, 5, 3)}`;
  return bits(w, 0, 5) === 31 ? text : `${text}, ${xReg(bits(w, 0, 5))}`;
};
const TOKENS_HERE = { ...TOKENS, register, operation, sys };

const HINTS: readonly (readonly [number, string])[] = [
  [0, 'nop'],
  [1, 'yield'],
  [2, 'wfe'],
  [3, 'wfi'],
  [4, 'sev'],
  [5, 'sevl'],
  [6, 'dgh'],
  [7, 'xpaclri'],
  [8, 'pacia1716'],
  [10, 'pacib1716'],
  [12, 'autia1716'],
  [14, 'autib1716'],
  [16, 'esb'],
  [17, 'psb csync'],
  [18, 'tsb csync'],
  [20, 'csdb'],
  [24, 'paciaz'],
  [25, 'paciasp'],
  [26, 'pacibz'],
  [27, 'pacibsp'],
  [28, 'autiaz'],
  [29, 'autiasp'],
  [30, 'autibz'],
  [31, 'autibsp'],
  [32, 'bti'],
  [34, 'bti c'],
  [36, 'bti j'],
  [38, 'bti jc'],
];
/** MSR (immediate): op1, op2, name. */
const PSTATE: readonly (readonly [string, string, string])[] = [
  ['000', '011', 'uao'],
  ['000', '100', 'pan'],
  ['000', '101', 'spsel'],
  ['011', '010', 'dit'],
  ['011', '110', 'daifset'],
  ['011', '111', 'daifclr'],
];
const EXCEPTIONS: readonly (readonly [string, string, string])[] = [
  ['000', '01', 'svc'],
  ['000', '10', 'hvc'],
  ['000', '11', 'smc'],
  ['001', '00', 'brk'],
  ['010', '00', 'hlt'],
  ['101', '01', 'dcps1'],
  ['101', '10', 'dcps2'],
  ['101', '11', 'dcps3'],
];

export const SYSTEM: readonly Row[] = [
  ...EXCEPTIONS.map(([opc, ll, name]) =>
    name.startsWith('dcps')
      ? row(`11010100 ${opc} ${'0'.repeat(16)} 000 ${ll}`, name)
      : row(`11010100 ${opc} ${IMM16} 000 ${ll}`, `${name} {imm16}`),
  ),
  row('1101011 0100 11111 000000 11111 00000', 'eret'),
  row('1101011 0101 11111 000000 11111 00000', 'drps'),
  ...HINTS.map(([code, name]) => row(`11010101000000110010 ${code.toString(2).padStart(7, '0')} 11111`, name)),
  row('11010101000000110010 xxxxxxx 11111', 'hint {hint}'),
  row('11010101000000110011 1111 010 11111', 'clrex'),
  row('11010101000000110011 xxxx 010 11111', 'clrex {CRm}'),
  row('11010101000000110011 0000 100 11111', 'ssbb'),
  row('11010101000000110011 0100 100 11111', 'pssbb'),
  row('11010101000000110011 xxxx 100 11111', 'dsb {barrier}'),
  row('11010101000000110011 xxxx 101 11111', 'dmb {barrier}'),
  row('11010101000000110011 1111 110 11111', 'isb'),
  row('11010101000000110011 xxxx 110 11111', 'isb {CRm}'),
  row('11010101000000110011 0000 111 11111', 'sb'),
  ...PSTATE.map(([op1, op2, name]) => row(`1101010100000 ${op1} 0100 xxxx ${op2} 11111`, `msr ${name}, {CRm}`)),
  row(`1101010100001 xxx xxxx xxxx xxx ${D}`, '{operation}', hasName, TOKENS_HERE),
  row(`1101010100001 xxx xxxx xxxx xxx ${D}`, 'sys {sys}', undefined, TOKENS_HERE),
  row(`110101010001x xxx xxxx xxxx xxx ${D}`, 'msr {register}, {Xd}', undefined, TOKENS_HERE),
  row(`110101010011x xxx xxxx xxxx xxx ${D}`, 'mrs {Xd}, {register}', undefined, TOKENS_HERE),
  row(`0000000000000000 ${IMM16}`, 'udf {udf}', undefined, { ...TOKENS, udf: (w) => `#${bits(w, 0, 16)}` }),
];
