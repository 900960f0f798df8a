// The few A64 instructions that system tests need, encoded by hand (Arm ARM C6.2).

import { systemRegisters } from '../../assembly/layout/arm-sysregs.js';

const KEYS = new Map(systemRegisters({ el2: true, gicRegisters: true }).map((r) => [r.name, r.key]));

function keyOf(name: string): number {
  const key = KEYS.get(name);
  if (key === undefined) throw new Error(`no system register ${name}`);
  return key;
}

export const NOP = 0xd503201f;
export const WFE = 0xd503205f;
export const WFI = 0xd503207f;
export const SEVL = 0xd50320bf;
export const ISB = 0xd5033fdf;
export const CLREX = 0xd5033f5f;
export const ERET = 0xd69f03e0;
/** Branch to itself. */
export const STOP = 0x14000000;
/** UDF #0. */
export const UDF = 0;

export const svc = (imm: number) => (0xd4000001 | (imm << 5)) >>> 0;
export const hvc = (imm: number) => (0xd4000002 | (imm << 5)) >>> 0;
export const smc = (imm: number) => (0xd4000003 | (imm << 5)) >>> 0;
export const brk = (imm: number) => (0xd4200000 | (imm << 5)) >>> 0;
export const mrs = (rt: number, name: string) => (0xd5300000 | ((keyOf(name) & 0x7fff) << 5) | rt) >>> 0;
export const msr = (name: string, rt: number) => (0xd5100000 | ((keyOf(name) & 0x7fff) << 5) | rt) >>> 0;
/** DC, IC, AT, TLBI. */
export const sys = (name: string, rt: number) => (0xd5080000 | ((keyOf(name) & 0x3fff) << 5) | rt) >>> 0;
/** MRS with an encoding given as numbers. */
export const mrsRaw = (rt: number, op0: number, op1: number, crn: number, crm: number, op2: number) =>
  (0xd5200000 | (op0 << 19) | (op1 << 16) | (crn << 12) | (crm << 8) | (op2 << 5) | rt) >>> 0;
export const msrSpsel = (imm: number) => (0xd50040bf | (imm << 8)) >>> 0;
export const msrPan = (imm: number) => (0xd500409f | (imm << 8)) >>> 0;
export const daifSet = (imm: number) => (0xd50340df | (imm << 8)) >>> 0;
export const daifClr = (imm: number) => (0xd50340ff | (imm << 8)) >>> 0;

export const ldrX = (rt: number, rn: number, offset = 0) => (0xf9400000 | ((offset / 8) << 10) | (rn << 5) | rt) >>> 0;
export const strX = (rt: number, rn: number, offset = 0) => (0xf9000000 | ((offset / 8) << 10) | (rn << 5) | rt) >>> 0;
export const ldrW = (rt: number, rn: number) => (0xb9400000 | (rn << 5) | rt) >>> 0;
export const strW = (rt: number, rn: number) => (0xb9000000 | (rn << 5) | rt) >>> 0;
export const ldrsbW = (rt: number, rn: number) => (0x39c00000 | (rn << 5) | rt) >>> 0;
export const strB = (rt: number, rn: number) => (0x39000000 | (rn << 5) | rt) >>> 0;
export const ldrhPost = (rt: number, rn: number, by: number) =>
  (0x78400400 | ((by & 0x1ff) << 12) | (rn << 5) | rt) >>> 0;
export const ldtrX = (rt: number, rn: number) => (0xf8400800 | (rn << 5) | rt) >>> 0;
export const ldxrX = (rt: number, rn: number) => (0xc85f7c00 | (rn << 5) | rt) >>> 0;
export const br = (rn: number) => (0xd61f0000 | (rn << 5)) >>> 0;
export const movz = (rd: number, imm: number) => (0xd2800000 | (imm << 5) | rd) >>> 0;
export const addImm = (rd: number, rn: number, imm: number) => (0x91000000 | (imm << 10) | (rn << 5) | rd) >>> 0;
/** FMOV D<d>, X<n>. */
export const fmovDX = (d: number, n: number) => (0x9e670000 | (n << 5) | d) >>> 0;
