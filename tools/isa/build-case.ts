// From an opcode row to one case: operands, registers, memory, addressing form.

import { hasModrm, type OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import type { Case, Window } from './case.js';
import { assemble, byteRegisterSlot, type Encoding, encodeAddress, little } from './encode.js';
import { type CaseMode, codeAddress, codeSize, DATA, LANDING, LANDING_SIZE, STACK, segmentsOf } from './environment.js';
import { setUpFloatingPoint } from './float-state.js';
import { setUpFlow } from './flow.js';
import type { Random } from './random.js';
import {
  classOf,
  FLOW,
  kindOf,
  memorySize,
  operandSize,
  SHIFTS,
  STACK_USERS,
  STRINGS,
  toleratesMisalignment,
} from './rows.js';
import { tune } from './tune.js';
import { fillKind, integer } from './values.js';

/** A case in the making. */
export interface Draft {
  readonly random: Random;
  readonly row: OpcodeRow;
  readonly mode: CaseMode;
  readonly state: X86State;
  readonly opSize: number;
  /** Address size in bits. */
  readonly width: number;
  readonly linear: number;
  readonly encoding: Encoding;
  readonly windows: Window[];
  /** Registers whose values the instruction needs; addresses use others. */
  readonly pinned: Set<number>;
  /** ModRM.reg and, for register operands, ModRM.rm with REX. */
  reg: number;
  rm: number;
  /** Where data and stack lie: the middle of the window, or the boundary to memory that faults. */
  readonly data: number;
  readonly stack: number;
  /** Linear address of the memory operand, or null. */
  ea: number | null;
  count: number;
  /** Base of the memory operand's segment. */
  segmentBase: bigint;
}

const DATA_WINDOW = 512;
const STACK_WINDOW = 448;

/** Bytes of the windows at a linear address. */
export function poke(d: Draft, at: number, bytes: ArrayLike<number>): void {
  for (const w of d.windows) {
    for (let i = 0; i < bytes.length; i++) {
      const k = at + i - w.at;
      if (k >= 0 && k < w.bytes.length) w.bytes[k] = bytes[i];
    }
  }
}
export function pokeInteger(d: Draft, at: number, value: bigint, size: number): void {
  poke(d, at, little(value, size));
}
export function peek(d: Draft, at: number, size: number): bigint {
  let value = 0n;
  for (const w of d.windows) {
    for (let i = 0; i < size; i++) {
      const k = at + i - w.at;
      if (k >= 0 && k < w.bytes.length) value |= BigInt(w.bytes[k]) << BigInt(8 * i);
    }
  }
  return value;
}

/** Value of the r/m operand, `size` bytes. */
export function readRm(d: Draft, size: number): bigint {
  if (d.ea !== null) return peek(d, d.ea, size);
  const slot = size === 1 ? byteRegisterSlot(d.rm, d.encoding.rex !== 0) : L.S_RAX + 8 * d.rm;
  return BigInt.asUintN(8 * size, d.state.u64(slot));
}

/** Where a case's memory operands lie, if not in the middle of good memory. */
export interface Place {
  readonly data: number;
  readonly stack: number;
  /** EFLAGS.AC is set. */
  readonly alignmentCheck?: boolean;
}

export interface Shape {
  readonly row: OpcodeRow;
  readonly mode: CaseMode;
  readonly opSize: number;
  readonly group: string;
  readonly index: number;
  /** For cases that are to fault. */
  readonly place?: Place;
  /** LOCK where it may not be. */
  readonly misplacedLock?: boolean;
}

/** Makes a case of the row in `state`, which must hold the mode's base state. */
export function buildCase(shape: Shape, random: Random, state: X86State): Case {
  const { row, mode, opSize } = shape;
  const long = mode === '64';
  const linear = codeAddress(mode, shape.index);
  const modrm = hasModrm(row);
  const usesAddress = modrm || STRINGS.test(row.mnemonic) || /^(LOOP|JCXZ|XLAT|MASKMOV)/.test(row.mnemonic);
  const moffs = row.operands.some((code) => code[0] === 'O');
  // Outside 64-bit mode a flat 16-bit address reaches nothing that is mapped.
  const canShrink = (usesAddress || moffs) && (mode !== '32' || /^(LOOP|JCXZ)/.test(row.mnemonic));
  const shrink = canShrink && random.oneIn(mode === '64' ? 8 : 4);
  const widths = { '64': [64, 32], '32': [32, 16], seg32: [32, 16], '16': [16, 32] }[mode];
  const big = memoryIsBig(row);

  const d: Draft = {
    random,
    row,
    mode,
    state,
    opSize,
    width: widths[shrink ? 1 : 0],
    linear,
    encoding: { prefixes: [], rex: 0, opcode: [], modrm: [], immediate: [], ripTarget: null },
    windows: [window(random, DATA - (big ? 640 : DATA_WINDOW / 2), big ? 1280 : DATA_WINDOW)],
    pinned: new Set(),
    reg: 0,
    rm: 0,
    ea: null,
    count: -1,
    segmentBase: 0n,
  };
  const { encoding, pinned } = d;
  const stack = STACK_USERS.test(row.mnemonic);
  state.rip = BigInt(linear - segmentsOf(mode).cs.base);
  fillRegisters(d);
  if (stack) {
    d.windows.push(window(random, STACK - STACK_WINDOW / 2, STACK_WINDOW));
    pinned.add(4);
    const top = STACK + random.pick([0, 0, 8, -8, -16, 24, random.between(-30, 30)]) - segmentsOf(mode).ss.base;
    // Above a 16-bit stack pointer the rest of ESP does not matter.
    state.setGpr(4, mode === '16' ? BigInt(top) | (BigInt(random.u32() & 0x7fff) << 16n) : BigInt(top));
  }

  // Prefixes.
  const mandatory = row.prefix !== undefined && row.prefix !== 0;
  if (shrink) encoding.prefixes.push(0x67);
  if (mandatory) encoding.prefixes.push(row.prefix as number);
  if ((opSize === 1) !== (codeSize(mode) === 1) && opSize !== 3) encoding.prefixes.push(0x66);
  if (opSize === 3 && !row.flags.includes('wide')) encoding.rex |= 0x48;
  if (random.oneIn(2)) encoding.prefixes.reverse();

  chooseOperands(d, modrm);
  if (STRINGS.test(row.mnemonic)) setUpString(d);
  if (classOf(row) !== 'integer') setUpFloatingPoint(d);
  fillOperands(d);
  if (FLOW.test(row.mnemonic)) setUpFlow(d);
  else chooseImmediate(d);
  tune(d);

  if (modrm) {
    if (d.ea !== null) {
      addressMemory(d, d.ea, stack);
      if (row.flags.includes('lock') && random.oneIn(5)) encoding.prefixes.unshift(0xf0);
    } else {
      encoding.modrm = [0xc0 | ((d.reg & 7) << 3) | (d.rm & 7)];
      if (d.rm >= 8) encoding.rex |= 0x41;
    }
    if (d.reg >= 8) encoding.rex |= 0x44;
  }
  // A REX prefix without effect, but for the byte registers.
  if (long && encoding.rex === 0 && random.oneIn(6) && !usesHighByte(d)) encoding.rex = 0x40;

  // Registers are 32 bits wide elsewhere, and what lies above them is nobody's.
  if (!long) for (let i = 0; i < 8; i++) state.setGpr(i, state.gpr(i) & 0xffffffffn);
  const code = assemble(encoding, linear);
  return {
    group: shape.group,
    index: shape.index,
    mode,
    mnemonic: row.mnemonic,
    operands: row.operands,
    code,
    linear,
    opSize,
    count: d.count,
    ea: d.ea,
    rm: d.rm,
    state,
    windows: d.windows,
    fpu: classOf(row) !== 'integer',
  };
}

/** The draft has taken a byte register to be AH–BH or to be new with REX: then that must stay. */
function usesHighByte(d: Draft): boolean {
  return d.row.operands.some((code) => /^[EGZ]b$/.test(code));
}

function memoryIsBig(row: OpcodeRow): boolean {
  return /^(FXSAVE|FXRSTOR|FNSAVE|FRSTOR)$/.test(row.mnemonic);
}

function window(random: Random, at: number, length: number): Window {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer);
  for (let i = 0; i < words.length; i++) words[i] = random.u32();
  return { at, bytes };
}

function fillRegisters(d: Draft): void {
  const { random, state, mode } = d;
  const bits = mode === '64' ? 64 : 32;
  for (let i = 0; i < (mode === '64' ? 16 : 8); i++) state.setGpr(i, integer(random, bits));
  if (mode === '64') state.setGpr(4, BigInt.asIntN(48, state.gpr(4)));
  let flags = 0x202 | (random.u32() & L.FLAGS_ARITH);
  if (random.oneIn(5)) flags |= L.FLAG_DF;
  state.rflags = BigInt(flags);
}

/** Picks registers for ModRM, whether the operand is memory, and where that lies. */
function chooseOperands(d: Draft, modrm: boolean): void {
  const { random, row, mode, encoding, opSize } = d;
  const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][row.map];
  const registers = mode === '64' ? 16 : 8;
  if (row.operands.some((code) => code[0] === 'Z') && mode === '64' && random.oneIn(2)) {
    // REX.B makes the register in the opcode one of R8–R15.
    encoding.rex |= 0x41;
  }
  d.reg = row.reg ?? random.below(registers);
  // A group's member is ModRM.reg without REX.R, which is then ignored.
  if (row.reg !== undefined && mode === '64' && random.oneIn(12)) d.reg |= 8;
  d.rm = row.rm ?? random.below(registers);
  if (row.rm !== undefined && mode === '64' && random.oneIn(12)) d.rm |= 8;
  // Same source and destination more often than chance has it.
  if (row.reg === undefined && random.oneIn(8)) d.rm = d.reg;
  const highBytes = usesHighByte(d) && mode === '64' && encoding.rex === 0 && random.oneIn(2);
  if (highBytes) {
    d.reg &= row.reg === undefined ? 7 : 15;
    d.rm &= 7;
    if (d.reg >= 8) d.reg &= 7;
  } else if (usesHighByte(d) && mode === '64') encoding.rex |= 0x40;
  encoding.opcode = [...escapes, row.opcode];
  if (!modrm) return;
  const code = row.operands.find((o) => /^[EMRWUQN]/.test(o)) ?? '';
  // Of PREFETCH with a register Intel makes a NOP, AMD #UD.
  const always = code[0] === 'M' || row.mnemonic.startsWith('PREFETCH');
  const never = /^[RUN]/.test(code) || row.operands.includes('T');
  const memory = row.mod3 === undefined ? always || (!never && random.oneIn(2)) : !row.mod3;
  if (!memory) return;
  const size = memorySize(row, code, opSize);
  d.ea = chooseAddress(d, size);
  // ModRM.rm of a memory operand is the address's business; REX.B then belongs to the base.
  if (highBytes) for (const r of [8, 9, 10, 11, 12, 13, 14, 15]) d.pinned.add(r);
}

function chooseAddress(d: Draft, size: number): number {
  const { random, row } = d;
  if (size >= 16 && size < 90 && !(row.mnemonic === 'BOUND')) {
    const aligned = DATA + 16 * random.between(-8, 7);
    const strict = !toleratesMisalignment(row) && classOf(row) === 'vector';
    return random.oneIn(strict ? 16 : 2) ? aligned + random.between(1, 15) : aligned;
  }
  if (row.mnemonic === 'FXSAVE' || row.mnemonic === 'FXRSTOR') {
    return DATA - 512 + 16 * random.below(32) + (random.oneIn(8) ? random.below(16) : 0);
  }
  if (size >= 90) return DATA - random.between(0, 200);
  // One in eight across the page boundary.
  if (size > 1 && random.oneIn(8)) return DATA - random.between(1, size - 1);
  return random.oneIn(2) ? DATA + size * random.between(-8, 8) : DATA + random.between(-64, 64);
}

/** Fills the operands that ModRM names with values of their kind. */
function fillOperands(d: Draft): void {
  const { random, row, state, opSize } = d;
  for (const code of row.operands) {
    const kind = kindOf(row, code);
    if (/^[EMWQ]/.test(code) && d.ea !== null) {
      const size = memorySize(row, code, opSize);
      const bytes = new Uint8Array(Math.min(size, 64));
      fillKind(random, new DataView(bytes.buffer), 0, bytes.length, kind);
      if (size < 90) poke(d, d.ea, bytes);
    } else if (/^[VWU]/.test(code)) {
      const register = code[0] === 'V' ? d.reg : d.rm;
      fillKind(random, state.view, L.S_XMM + 16 * register, 16, kind);
    } else if (/^[EGR]/.test(code) && operandSize(code, opSize) <= 4 && random.oneIn(2)) {
      // A value made for the operand's width, garbage above it.
      const register = code[0] === 'G' ? d.reg : d.rm;
      const stackPointer = register === 4 && STACK_USERS.test(row.mnemonic);
      if (operandSize(code, opSize) > 1 && !stackPointer) {
        const bits = 8 * operandSize(code, opSize);
        const high = d.mode === '64' ? random.u64() : random.u64() & 0xffffffffn;
        state.setGpr(register, ((high >> BigInt(bits)) << BigInt(bits)) | integer(random, bits));
      }
    }
  }
}

function chooseImmediate(d: Draft): void {
  const { random, row, opSize, encoding } = d;
  for (const code of row.operands) {
    if (code[0] === 'I') {
      const size = code === 'Ibs' ? 1 : code === 'Iv' ? 1 << opSize : operandSize(code, opSize);
      let value = integer(random, 8 * size);
      if (SHIFTS.test(row.mnemonic) && random.oneIn(2)) value = BigInt(shiftCount(random, opSize));
      encoding.immediate.push(...little(value, size));
    } else if (code[0] === 'O') {
      const size = code === 'Ob' ? 1 : 1 << opSize;
      const ea = chooseAddress(d, size);
      chooseSegment(d);
      encoding.immediate.push(...little(BigInt.asUintN(d.width, BigInt(ea) - d.segmentBase), d.width / 8));
    }
  }
}

export function shiftCount(random: Random, opSize: number): number {
  const bits = 8 << opSize;
  return random.pick([
    0,
    1,
    1,
    2,
    3,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    32,
    33,
    63,
    64,
    65,
    bits - 1,
    bits,
    bits + 1,
    random.below(256),
  ]);
}

/** A segment override with a base of its own, now and then; sets segmentBase. */
export function chooseSegment(d: Draft, usual: 'ds' | 'ss' = 'ds'): void {
  const { random, state, mode, encoding } = d;
  const layout = segmentsOf(mode);
  if (mode !== '64') {
    d.segmentBase = BigInt(layout[usual].base);
    if (mode === '32' || !random.oneIn(6)) return;
    const [prefix, name] = random.pick([
      [0x26, 'es'],
      [0x36, 'ss'],
      [0x3e, 'ds'],
    ] as const);
    // The data lies outside the stack segment.
    if (name === 'ss') return;
    encoding.prefixes.unshift(prefix);
    d.segmentBase = BigInt(layout[name].base);
    return;
  }
  d.segmentBase = 0n;
  // These are ignored. (After FS or GS they are not, on AMD: such pairs are left out.)
  if (random.oneIn(12)) {
    encoding.prefixes.unshift(random.pick([0x26, 0x2e, 0x36, 0x3e]));
    return;
  }
  if (!random.oneIn(10)) return;
  const fs = random.oneIn(2);
  encoding.prefixes.unshift(fs ? 0x64 : 0x65);
  const index = fs ? L.SEG_FS : L.SEG_GS;
  const base = random.pick([0n, BigInt(random.below(0x100000)), d.width === 64 ? 0x7000_1234_5000n : 1n, 0x700000n]);
  state.setSegment(index, { ...state.segment(index), base });
  d.segmentBase = base;
}

function addressMemory(d: Draft, ea: number, stack: boolean): void {
  const { random, state, encoding, mode, width } = d;
  if (stack && width >= 32 && mode === '64' && random.oneIn(4)) {
    // [rsp + disp8], also for POP, which takes the stack pointer after the pop.
    const disp = random.between(-40, 40);
    encoding.modrm = [0x44 | ((d.reg & 7) << 3), 0x24, disp & 0xff];
    const size = d.opSize === 1 ? 2 : 8;
    const at = Number(BigInt.asUintN(width, state.gpr(4))) + disp + (d.row.mnemonic === 'POP' ? size : 0);
    pokeInteger(d, at, peek(d, ea, 8), 8);
    return;
  }
  if (d.row.mnemonic === 'LEA') {
    encodeAddress(random, state, target(d, random.u64()), encoding);
    return;
  }
  chooseSegment(d);
  // RBP-based addresses mean SS where there is no override: keep them out where the segments differ.
  if (mode === 'seg32' || mode === '16') {
    d.pinned.add(5);
    d.pinned.add(4);
  }
  const relative = /^BT[SRC]?$/.test(d.row.mnemonic) && d.row.operands[1] === 'Gv' ? bitStringDisplacement(d) : 0;
  encodeAddress(random, state, target(d, BigInt(ea - relative) - d.segmentBase), encoding);
}

function target(d: Draft, offset: bigint) {
  return { mode: d.mode, width: d.width, offset: BigInt.asUintN(d.width, offset), pinned: d.pinned, reg: d.reg };
}

/** BT with a register reaches beyond its operand: by how many bytes (SDM vol. 2, "BT—Bit Test"). */
function bitStringDisplacement(d: Draft): number {
  const bits = 8 << d.opSize;
  const offset = BigInt.asIntN(bits, d.state.gpr(d.reg));
  return Number(offset >> BigInt(3 + d.opSize)) << d.opSize;
}

function setUpString(d: Draft): void {
  const { random, row, state, opSize, encoding, width, mode } = d;
  const size = row.mnemonic.endsWith('B') ? 1 : 1 << opSize;
  const layout = segmentsOf(mode);
  const at = () => DATA + random.pick([0, random.between(-30, 30), random.between(-30, 30)]);
  const [from, to] = [at(), at()];
  chooseSegment(d);
  const garbage = () =>
    (width === 64 ? 0n : (random.u64() >> BigInt(width)) << BigInt(width)) & (mode === '64' ? ~0n : 0xffffffffn);
  const set = (register: number, value: bigint) => {
    state.setGpr(register, BigInt.asUintN(width, value) | BigInt.asUintN(64, garbage()));
  };
  set(6, BigInt(from) - d.segmentBase);
  set(7, BigInt(to) - BigInt(layout.es.base));
  if (!random.oneIn(3)) {
    encoding.prefixes.push(random.pick([0xf3, 0xf2]));
    set(1, BigInt(random.oneIn(6) ? 0 : random.between(1, Math.min(20, Math.floor(160 / size)))));
  }
  if (/^(CMPS|SCAS)/.test(row.mnemonic) && !random.oneIn(4)) {
    // Mostly equal elements, so that a repeated comparison goes on for a while.
    const element = little(integer(random, 8 * size), size);
    for (let i = -24; i < 24; i++) {
      if (!random.oneIn(12)) poke(d, from + i * size, element);
      if (!random.oneIn(12)) poke(d, to + i * size, element);
    }
    if (row.mnemonic.startsWith('SCAS')) {
      const value = element.reduceRight((v, b) => (v << 8n) | BigInt(b), 0n);
      state.setGpr(0, random.oneIn(2) ? value : BigInt.asUintN(mode === '64' ? 64 : 32, ~value));
    }
  }
}

/** A place where a branch may go: nothing but fill lies there. */
export function landing(random: Random): number {
  return LANDING + random.below(LANDING_SIZE - 16);
}
