// From an opcode row to one case: operands, registers, memory, addressing form.

import { hasModrm, type OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import type { Case } from './case.js';
import { type Draft, poke, randomWindow } from './draft.js';
import { assemble, little } from './encode.js';
import { type CaseMode, codeAddress, codeSize, DATA, NOT_CANONICAL, STACK, segmentsOf } from './environment.js';
import { setUpFloatingPoint } from './float-state.js';
import { setUpFlow } from './flow.js';
import { addressMemory, chooseAddress, chooseSegment, setUpString } from './memory-operand.js';
import type { Random } from './random.js';
import { classOf, FLOW, kindOf, memorySize, operandSize, SHIFTS, STACK_USERS, STRINGS } from './rows.js';
import { tune } from './tune.js';
import { fillKind, integer, shiftCount } from './values.js';

/** How far the windows reach from their middle. */
const DATA_REACH = 256;
const STACK_REACH = 224;

/** Boundaries to a bad page lie between pages, as DATA and STACK do; ends of segments are inside one. */
const isPageFault = (boundary: number) => boundary % 0x1000 === 0 && boundary !== DATA && boundary !== STACK;

/** Memory about `middle`, or only below it where it is the end of what can be written. */
function addWindow(d: Draft, middle: number, reach: number, end: boolean): void {
  if (middle < NOT_CANONICAL) d.windows.push(randomWindow(d.random, middle - reach, end ? reach : 2 * reach));
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
  const { row, mode, opSize, place } = shape;
  const long = mode === '64';
  const linear = codeAddress(mode, shape.index);
  const modrm = hasModrm(row);
  const usesAddress = modrm || STRINGS.test(row.mnemonic) || /^(LOOP|JCXZ|XLAT|MASKMOV)/.test(row.mnemonic);
  const moffs = row.operands.some((code) => code[0] === 'O');
  // Outside 64-bit mode a flat 16-bit address reaches nothing that is mapped.
  const canShrink = (usesAddress || moffs) && (mode !== '32' || /^(LOOP|JCXZ)/.test(row.mnemonic));
  const shrink = canShrink && place?.data !== NOT_CANONICAL && random.oneIn(mode === '64' ? 8 : 4);
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
    windows: [],
    data: place?.data ?? DATA,
    stack: place?.stack ?? STACK,
    pinned: new Set(),
    reg: 0,
    rm: 0,
    ea: null,
    count: -1,
    segmentBase: 0n,
  };
  const { encoding, pinned } = d;
  addWindow(d, d.data, big ? 640 : DATA_REACH, isPageFault(d.data));
  const stack = STACK_USERS.test(row.mnemonic);
  state.rip = BigInt(linear - segmentsOf(mode).cs.base);
  fillRegisters(d);
  if (stack) {
    addWindow(d, d.stack, STACK_REACH, isPageFault(d.stack));
    pinned.add(4);
    const crooked = random.between(-30, 30);
    const off = place?.alignmentCheck ? crooked : random.pick([0, 0, 8, -8, -16, 24, crooked]);
    const top = d.stack + off - segmentsOf(mode).ss.base;
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

  chooseOperands(d, modrm, place !== undefined);
  if (STRINGS.test(row.mnemonic)) setUpString(d);
  if (classOf(row) !== 'integer') setUpFloatingPoint(d);
  fillOperands(d);
  if (FLOW.test(row.mnemonic)) setUpFlow(d);
  else chooseImmediate(d);
  tune(d);

  if (modrm) {
    if (d.ea !== null) {
      addressMemory(d, d.ea, stack);
      const lock = row.flags.includes('lock') ? random.oneIn(5) && !shape.misplacedLock : shape.misplacedLock;
      if (lock) encoding.prefixes.unshift(0xf0);
    } else {
      encoding.modrm = [0xc0 | ((d.reg & 7) << 3) | (d.rm & 7)];
      if (d.rm >= 8) encoding.rex |= 0x41;
      if (shape.misplacedLock) encoding.prefixes.unshift(0xf0);
    }
    if (d.reg >= 8) encoding.rex |= 0x44;
  } else if (shape.misplacedLock) encoding.prefixes.unshift(0xf0);
  // A REX prefix without effect, but for the byte registers.
  if (long && encoding.rex === 0 && random.oneIn(6) && !usesHighByte(d)) encoding.rex = 0x40;

  if (place?.alignmentCheck) state.rflags |= BigInt(L.FLAG_AC);
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
function chooseOperands(d: Draft, modrm: boolean, inMemory: boolean): void {
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
  const memory = row.mod3 === undefined ? always || (!never && (inMemory || random.oneIn(2))) : !row.mod3;
  if (!memory) return;
  const size = memorySize(row, code, opSize);
  d.ea = chooseAddress(d, size);
  // ModRM.rm of a memory operand is the address's business; REX.B then belongs to the base.
  if (highBytes) for (const r of [8, 9, 10, 11, 12, 13, 14, 15]) d.pinned.add(r);
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
