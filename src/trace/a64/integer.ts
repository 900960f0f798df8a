// A64 integer data processing and branches as text (Arm ARM C4.1.64, C4.1.65, C4.1.67). Preferred aliases come first.

import { bits, immOf, moveWidePreferred } from './fields.js';
import { binary, type Row, row } from './row.js';

const rd = (w: number) => bits(w, 0, 5);
const rn = (w: number) => bits(w, 5, 5);
const rm = (w: number) => bits(w, 16, 5);
const wide = (w: number) => bits(w, 31, 1) === 1;
const immr = (w: number) => bits(w, 16, 6);
const imms = (w: number) => bits(w, 10, 6);
const top = (w: number) => (wide(w) ? 63 : 31);
/** N equals sf, and no shift is too great for 32 bits. */
const fieldOk = (w: number) => bits(w, 22, 1) === bits(w, 31, 1) && (wide(w) || ((immr(w) | imms(w)) & 32) === 0);
const shiftOk = (w: number) => wide(w) || bits(w, 15, 1) === 0;
const extendOk = (w: number) => bits(w, 10, 3) <= 4;
const condOk = (w: number) => bits(w, 13, 3) !== 7;

const D = 'xxxxx';
const ZR = '11111';

function addSubtract(): Row[] {
  return [
    row(`x 00 100010 0 000000000000 ${D} ${D}`, 'mov {Rd|sp}, {Rn|sp}', (w) => rd(w) === 31 || rn(w) === 31),
    row(`x 11 100010 x xxxxxxxxxxxx ${D} ${ZR}`, 'cmp {Rn|sp}, {imm12}'),
    row(`x 01 100010 x xxxxxxxxxxxx ${D} ${ZR}`, 'cmn {Rn|sp}, {imm12}'),
    row(`x 1 1 01011 xx 0 ${D} xxxxxx ${D} ${ZR}`, 'cmp {Rn}, {shifted}', (w) => bits(w, 22, 2) < 3 && shiftOk(w)),
    row(`x 0 1 01011 xx 0 ${D} xxxxxx ${D} ${ZR}`, 'cmn {Rn}, {shifted}', (w) => bits(w, 22, 2) < 3 && shiftOk(w)),
    row(`x 1 0 01011 xx 0 ${D} xxxxxx ${ZR} ${D}`, 'neg {Rd}, {shifted}', (w) => bits(w, 22, 2) < 3 && shiftOk(w)),
    row(`x 1 1 01011 xx 0 ${D} xxxxxx ${ZR} ${D}`, 'negs {Rd}, {shifted}', (w) => bits(w, 22, 2) < 3 && shiftOk(w)),
    row(`x 1 1 01011 001 ${D} xxxxxx ${D} ${ZR}`, 'cmp {Rn|sp}, {extended}', extendOk),
    row(`x 0 1 01011 001 ${D} xxxxxx ${D} ${ZR}`, 'cmn {Rn|sp}, {extended}', extendOk),
    ...['add', 'adds', 'sub', 'subs'].flatMap((name, op) => [
      row(
        `x ${binary(op, 2)} 100010 x xxxxxxxxxxxx ${D} ${D}`,
        `${name} {${op & 1 ? 'Rd' : 'Rd|sp'}}, {Rn|sp}, {imm12}`,
      ),
      row(
        `x ${binary(op, 2)} 01011 xx 0 ${D} xxxxxx ${D} ${D}`,
        `${name} {Rd}, {Rn}, {shifted}`,
        (w) => bits(w, 22, 2) < 3 && shiftOk(w),
      ),
      row(
        `x ${binary(op, 2)} 01011 001 ${D} xxxxxx ${D} ${D}`,
        `${name} {${op & 1 ? 'Rd' : 'Rd|sp'}}, {Rn|sp}, {extended}`,
        extendOk,
      ),
    ]),
  ];
}

function logical(): Row[] {
  const immOk = (w: number) => immOf(w) !== undefined;
  return [
    row(`x 01 100100 x xxxxxx xxxxxx ${ZR} ${D}`, 'mov {Rd|sp}, {bitmask}', (w) => immOk(w) && !moveWidePreferred(w)),
    row(`x 11 100100 x xxxxxx xxxxxx ${D} ${ZR}`, 'tst {Rn}, {bitmask}', immOk),
    row(`x 01 01010 00 0 ${D} 000000 ${ZR} ${D}`, 'mov {Rd}, {Rm}'),
    row(`x 01 01010 xx 1 ${D} xxxxxx ${ZR} ${D}`, 'mvn {Rd}, {shifted}', shiftOk),
    row(`x 11 01010 xx 0 ${D} xxxxxx ${D} ${ZR}`, 'tst {Rn}, {shifted}', shiftOk),
    ...['and', 'orr', 'eor', 'ands'].flatMap((name, op) => [
      row(
        `x ${binary(op, 2)} 100100 x xxxxxx xxxxxx ${D} ${D}`,
        `${name} {${op === 3 ? 'Rd' : 'Rd|sp'}}, {Rn}, {bitmask}`,
        immOk,
      ),
      row(`x ${binary(op, 2)} 01010 xx 0 ${D} xxxxxx ${D} ${D}`, `${name} {Rd}, {Rn}, {shifted}`, shiftOk),
    ]),
    ...['bic', 'orn', 'eon', 'bics'].map((name, op) =>
      row(`x ${binary(op, 2)} 01010 xx 1 ${D} xxxxxx ${D} ${D}`, `${name} {Rd}, {Rn}, {shifted}`, shiftOk),
    ),
  ];
}

function moves(): Row[] {
  const hwOk = (w: number) => wide(w) || bits(w, 22, 1) === 0;
  const imm = (w: number) => bits(w, 5, 16);
  const noZeroShift = (w: number) => imm(w) !== 0 || bits(w, 21, 2) === 0;
  return [
    row(`x 10 100101 xx ${'x'.repeat(16)} ${D}`, 'mov {Rd}, {movz}', (w) => hwOk(w) && noZeroShift(w)),
    row(
      `x 00 100101 xx ${'x'.repeat(16)} ${D}`,
      'mov {Rd}, {movn}',
      (w) => hwOk(w) && noZeroShift(w) && (wide(w) || imm(w) !== 0xffff),
    ),
    row(`x 00 100101 xx ${'x'.repeat(16)} ${D}`, 'movn {Rd}, {wide}', hwOk),
    row(`x 10 100101 xx ${'x'.repeat(16)} ${D}`, 'movz {Rd}, {wide}', hwOk),
    row(`x 11 100101 xx ${'x'.repeat(16)} ${D}`, 'movk {Rd}, {wide}', hwOk),
    row(`0 xx 10000 ${'x'.repeat(19)} ${D}`, 'adr {Xd}, {adr}'),
    row(`1 xx 10000 ${'x'.repeat(19)} ${D}`, 'adrp {Xd}, {adrp}'),
  ];
}

function bitfield(): Row[] {
  const any = `x xxxxxx xxxxxx ${D} ${D}`;
  const extends_ = (w: number, s: number) => fieldOk(w) && immr(w) === 0 && imms(w) === s;
  const extract = (w: number) => fieldOk(w) && imms(w) >= immr(w);
  return [
    row(`x 10 100110 ${any}`, 'lsr {Rd}, {Rn}, {immr}', (w) => fieldOk(w) && imms(w) === top(w)),
    row(
      `x 10 100110 ${any}`,
      'lsl {Rd}, {Rn}, {lslAmount}',
      (w) => fieldOk(w) && imms(w) + 1 === immr(w) && imms(w) !== top(w),
    ),
    row(`0 10 100110 ${any}`, 'uxtb {Wd}, {Wn}', (w) => extends_(w, 7)),
    row(`0 10 100110 ${any}`, 'uxth {Wd}, {Wn}', (w) => extends_(w, 15)),
    row(`x 10 100110 ${any}`, 'ubfx {Rd}, {Rn}, {immr}, {extractWidth}', extract),
    row(`x 10 100110 ${any}`, 'ubfiz {Rd}, {Rn}, {insertLsb}, {insertWidth}', fieldOk),
    row(`x 00 100110 ${any}`, 'asr {Rd}, {Rn}, {immr}', (w) => fieldOk(w) && imms(w) === top(w)),
    row(`x 00 100110 ${any}`, 'sxtb {Rd}, {Wn}', (w) => extends_(w, 7)),
    row(`x 00 100110 ${any}`, 'sxth {Rd}, {Wn}', (w) => extends_(w, 15)),
    row(`1 00 100110 ${any}`, 'sxtw {Rd}, {Wn}', (w) => extends_(w, 31)),
    row(`x 00 100110 ${any}`, 'sbfx {Rd}, {Rn}, {immr}, {extractWidth}', extract),
    row(`x 00 100110 ${any}`, 'sbfiz {Rd}, {Rn}, {insertLsb}, {insertWidth}', fieldOk),
    row(`x 01 100110 ${any}`, 'bfxil {Rd}, {Rn}, {immr}, {extractWidth}', extract),
    row(`x 01 100110 x xxxxxx xxxxxx ${ZR} ${D}`, 'bfc {Rd}, {insertLsb}, {insertWidth}', fieldOk),
    row(`x 01 100110 ${any}`, 'bfi {Rd}, {Rn}, {insertLsb}, {insertWidth}', fieldOk),
    row(`x 00 100111 x 0 ${D} xxxxxx ${D} ${D}`, 'ror {Rd}, {Rn}, {imms}', (w) => extractOk(w) && rn(w) === rm(w)),
    row(`x 00 100111 x 0 ${D} xxxxxx ${D} ${D}`, 'extr {Rd}, {Rn}, {Rm}, {imms}', extractOk),
  ];
}
const extractOk = (w: number) => bits(w, 22, 1) === bits(w, 31, 1) && shiftOk(w);

function conditional(): Row[] {
  const sameSource = (w: number) => rn(w) === rm(w) && rn(w) !== 31 && condOk(w);
  return [
    row(`x 0 0 11010100 ${ZR} xxxx 01 ${ZR} ${D}`, 'cset {Rd}, {notCond}', condOk),
    row(`x 1 0 11010100 ${ZR} xxxx 00 ${ZR} ${D}`, 'csetm {Rd}, {notCond}', condOk),
    row(`x 0 0 11010100 ${D} xxxx 01 ${D} ${D}`, 'cinc {Rd}, {Rn}, {notCond}', sameSource),
    row(`x 1 0 11010100 ${D} xxxx 00 ${D} ${D}`, 'cinv {Rd}, {Rn}, {notCond}', sameSource),
    row(`x 1 0 11010100 ${D} xxxx 01 ${D} ${D}`, 'cneg {Rd}, {Rn}, {notCond}', (w) => rn(w) === rm(w) && condOk(w)),
    ...['csel', 'csinc', 'csinv', 'csneg'].map((name, op) =>
      row(`x ${op >> 1} 0 11010100 ${D} xxxx 0 ${op & 1} ${D} ${D}`, `${name} {Rd}, {Rn}, {Rm}, {cond}`),
    ),
    ...['ccmn', 'ccmp'].flatMap((name, op) => [
      row(`x ${op} 1 11010010 ${D} xxxx 00 ${D} 0 xxxx`, `${name} {Rn}, {Rm}, {nzcv}, {cond}`),
      row(`x ${op} 1 11010010 ${D} xxxx 10 ${D} 0 xxxx`, `${name} {Rn}, {imm5}, {nzcv}, {cond}`),
    ]),
    row(`x 10 11010000 ${D} 000000 ${ZR} ${D}`, 'ngc {Rd}, {Rm}'),
    row(`x 11 11010000 ${D} 000000 ${ZR} ${D}`, 'ngcs {Rd}, {Rm}'),
    ...['adc', 'adcs', 'sbc', 'sbcs'].map((name, op) =>
      row(`x ${binary(op, 2)} 11010000 ${D} 000000 ${D} ${D}`, `${name} {Rd}, {Rn}, {Rm}`),
    ),
  ];
}

const TWO_SOURCE: readonly (readonly [string, number])[] = [
  ['udiv', 2],
  ['sdiv', 3],
  ['lsl', 8],
  ['lsr', 9],
  ['asr', 10],
  ['ror', 11],
];
const CRC = ['b', 'h', 'w', 'x'];

function multiple(): Row[] {
  return [
    ...TWO_SOURCE.map(([name, op]) => row(`x 00 11010110 ${D} ${binary(op, 6)} ${D} ${D}`, `${name} {Rd}, {Rn}, {Rm}`)),
    ...CRC.flatMap((size, op) =>
      ['', 'c'].map((c, i) =>
        row(
          `${op === 3 ? 1 : 0} 00 11010110 ${D} 010 ${i} ${binary(op, 2)} ${D} ${D}`,
          `crc32${c}${size} {Wd}, {Wn}, {${op === 3 ? 'X' : 'W'}m}`,
        ),
      ),
    ),
    ...['rbit', 'rev16', '', '', 'clz', 'cls']
      .map((name, op) => ({ name, op }))
      .filter(({ name }) => name !== '')
      .map(({ name, op }) => row(`x 10 11010110 00000 ${binary(op, 6)} ${D} ${D}`, `${name} {Rd}, {Rn}`)),
    row(`0 10 11010110 00000 000010 ${D} ${D}`, 'rev {Wd}, {Wn}'),
    row(`1 10 11010110 00000 000010 ${D} ${D}`, 'rev32 {Xd}, {Xn}'),
    row(`1 10 11010110 00000 000011 ${D} ${D}`, 'rev {Xd}, {Xn}'),
    row(`x 00 11011 000 ${D} 0 ${ZR} ${D} ${D}`, 'mul {Rd}, {Rn}, {Rm}'),
    row(`x 00 11011 000 ${D} 1 ${ZR} ${D} ${D}`, 'mneg {Rd}, {Rn}, {Rm}'),
    row(`x 00 11011 000 ${D} 0 ${D} ${D} ${D}`, 'madd {Rd}, {Rn}, {Rm}, {Ra}'),
    row(`x 00 11011 000 ${D} 1 ${D} ${D} ${D}`, 'msub {Rd}, {Rn}, {Rm}, {Ra}'),
    ...['s', 'u'].flatMap((sign, u) => [
      row(`1 00 11011 ${u}01 ${D} 0 ${ZR} ${D} ${D}`, `${sign}mull {Xd}, {Wn}, {Wm}`),
      row(`1 00 11011 ${u}01 ${D} 1 ${ZR} ${D} ${D}`, `${sign}mnegl {Xd}, {Wn}, {Wm}`),
      row(`1 00 11011 ${u}01 ${D} 0 ${D} ${D} ${D}`, `${sign}maddl {Xd}, {Wn}, {Wm}, {Xa}`),
      row(`1 00 11011 ${u}01 ${D} 1 ${D} ${D} ${D}`, `${sign}msubl {Xd}, {Wn}, {Wm}, {Xa}`),
      row(`1 00 11011 ${u}10 ${D} 0 ${D} ${D} ${D}`, `${sign}mulh {Xd}, {Xn}, {Xm}`),
    ]),
  ];
}

function branches(): Row[] {
  return [
    row(`0 00101 ${'x'.repeat(26)}`, 'b {label26}'),
    row(`1 00101 ${'x'.repeat(26)}`, 'bl {label26}'),
    row(`01010100 ${'x'.repeat(19)} 0 xxxx`, 'b.{branchCond} {label19}'),
    row(`x 0110100 ${'x'.repeat(19)} ${D}`, 'cbz {Rd}, {label19}'),
    row(`x 0110101 ${'x'.repeat(19)} ${D}`, 'cbnz {Rd}, {label19}'),
    row(`x 0110110 xxxxx ${'x'.repeat(14)} ${D}`, 'tbz {testReg}, {testBit}, {label14}'),
    row(`x 0110111 xxxxx ${'x'.repeat(14)} ${D}`, 'tbnz {testReg}, {testBit}, {label14}'),
    row(`1101011 0000 11111 000000 ${D} 00000`, 'br {Xn}'),
    row(`1101011 0001 11111 000000 ${D} 00000`, 'blr {Xn}'),
    row('1101011 0010 11111 000000 11110 00000', 'ret'),
    row(`1101011 0010 11111 000000 ${D} 00000`, 'ret {Xn}'),
  ];
}

export const INTEGER: readonly Row[] = [
  ...addSubtract(),
  ...logical(),
  ...moves(),
  ...bitfield(),
  ...conditional(),
  ...multiple(),
  ...branches(),
];
