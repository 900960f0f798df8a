// IR operations as text, one line each: what the interpreter executes and the JIT compiles (assembly/ir/ops.ts).

import * as IR from '../../assembly/ir/ops.js';
import * as VOPS from '../../assembly/sse/vops.js';
import { segmentName } from './ir-slots-x86.js';
import { integerText } from './ir-text-integer.js';

/** One operation, as it lies in its block. */
export interface IrOperation {
  readonly opcode: number;
  readonly d: number;
  readonly a: number;
  readonly b: number;
  readonly imm: bigint;
}

/** What the numbers in operations stand for. */
export interface IrNames {
  /** Operand of `1 << size` bytes at byte `slot` of the vCPU's state. */
  slot(slot: number, size: number): string;
  /** Function-table entry that OP_CALL calls. */
  helper(index: number): string;
}

/** The operation at byte `at`. */
export function readIrOperation(memory: DataView, at: number): IrOperation {
  return {
    opcode: memory.getUint16(at, true),
    d: memory.getUint16(at + 2, true),
    a: memory.getUint16(at + 4, true),
    b: memory.getUint16(at + 6, true),
    imm: memory.getBigUint64(at + 8, true),
  };
}

/** Names of the constants that begin with `prefix`, in small letters and without it, by value. */
function namesOf(constants: object, prefix: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, value] of Object.entries(constants)) {
    if (name.startsWith(prefix)) names.set(value as number, name.slice(prefix.length).toLowerCase());
  }
  return names;
}

const ALU = namesOf(IR, 'ALU_');
// These two are bits of the opcode, not kinds.
ALU.set(IR.ALU_OR, 'or');
ALU.set(IR.ALU_ADC, 'adc');
const CONDITIONS = namesOf(IR, 'CC_');
const OPCODES = namesOf(IR, 'OP_');
const VECTOR = namesOf(VOPS, 'V_');

/** Loads by form: width read, extension, log2 of the width written. */
const LOADS: Record<number, [string, number]> = {
  [IR.LD_8]: ['load8', 0],
  [IR.LD_16]: ['load16', 1],
  [IR.LD_32]: ['load32', 2],
  [IR.LD_64]: ['load64', 3],
  [IR.LD_Z8]: ['load8.zx', 3],
  [IR.LD_Z16]: ['load16.zx', 3],
  [IR.LD_Z8_16]: ['load8.zx', 1],
  [IR.LD_S8_16]: ['load8.sx', 1],
  [IR.LD_S8_32]: ['load8.sx', 2],
  [IR.LD_S8_64]: ['load8.sx', 3],
  [IR.LD_S16_32]: ['load16.sx', 2],
  [IR.LD_S16_64]: ['load16.sx', 3],
  [IR.LD_S32_64]: ['load32.sx', 3],
  [IR.LD_128]: ['load128', 4],
  [IR.LD_128_ALIGNED]: ['load128.aligned', 4],
  [IR.LD_RMW]: ['load8.rmw', 3],
  [IR.LD_RMW + 1]: ['load16.rmw', 3],
  [IR.LD_RMW + 2]: ['load32.rmw', 3],
  [IR.LD_RMW + 3]: ['load64.rmw', 3],
};
/** Extensions: name, log2 of the widths read and written. */
const EXTENSIONS: Record<number, [string, number, number]> = {
  [IR.OP_ZX8]: ['zx8', 0, 3],
  [IR.OP_ZX16]: ['zx16', 1, 3],
  [IR.OP_ZX8_16]: ['zx8', 0, 1],
  [IR.OP_SX8_16]: ['sx8', 0, 1],
  [IR.OP_SX8_32]: ['sx8', 0, 2],
  [IR.OP_SX8_64]: ['sx8', 0, 3],
  [IR.OP_SX16_32]: ['sx16', 1, 2],
  [IR.OP_SX16_64]: ['sx16', 1, 3],
  [IR.OP_SX32_64]: ['sx32', 2, 3],
};

const hex = (n: bigint | number): string => `0x${n.toString(16)}`;
const bitsOf = (size: number): number => 8 << size;
const condition = (cc: number): string => CONDITIONS.get(cc) ?? `cc${cc}`;

/** Values of `1 << size` bytes; small negative ones as such. */
function constant(imm: bigint, size: number): string {
  const value = BigInt.asIntN(bitsOf(size), imm);
  return value < 0n && value >= -0x1000n ? `-${hex(-value)}` : hex(BigInt.asUintN(bitsOf(size), imm));
}

/** Base, scaled index and displacement of a memory operation. */
function address(op: IrOperation, names: IrNames, shift: number, size = 3): string {
  const disp = BigInt.asIntN(32, op.imm);
  const parts: string[] = [];
  const base = names.slot(op.a, size);
  const index = names.slot(op.b, size);
  if (base !== 'zero') parts.push(base);
  if (index !== 'zero') parts.push(shift ? `${index}*${1 << shift}` : index);
  if (parts.length === 0) return hex(BigInt.asUintN(64, disp));
  if (disp === 0n) return parts.join(' + ');
  return `${parts.join(' + ')} ${disp < 0n ? '-' : '+'} ${hex(disp < 0n ? -disp : disp)}`;
}
const shiftOf = (op: IrOperation): number => Number((op.imm >> 32n) & 3n);

const FLAGS = '  ; sets flags';

function alu(op: IrOperation, names: IrNames): string {
  const kind = (op.opcode >> 4) & 15;
  const size = (op.opcode >> 2) & 3;
  const immediate = (op.opcode & IR.ALU_IMM) !== 0;
  const flags = op.opcode & IR.ALU_NOFLAGS || kind === IR.ALU_NOT ? '' : FLAGS;
  const width = bitsOf(size);
  const a = names.slot(op.a, size);
  const d = names.slot(op.d, size);
  if (kind === IR.ALU_INC) return `${d} = ${immediate ? 'dec' : 'inc'}${width} ${a}${flags}`;
  if (kind === IR.ALU_NEG) return `${d} = neg${width} ${a}${flags}`;
  if (kind === IR.ALU_NOT) return `${d} = ${immediate ? 'bswap' : 'not'}${width} ${a}`;
  const count = kind >= IR.ALU_SHL && kind <= IR.ALU_SAR;
  const b = immediate ? constant(op.imm, size) : names.slot(op.b, count ? 0 : size);
  const text = `${ALU.get(kind)}${width} ${a}, ${b}${flags}`;
  return kind === IR.ALU_CMP || kind === IR.ALU_TEST ? text : `${d} = ${text}`;
}

function rotate(op: IrOperation, names: IrNames): string {
  const size = (op.opcode >> 2) & 3;
  const by = op.opcode & IR.ALU_IMM ? String(op.imm & 0xffn) : names.slot(op.b, 0);
  const name = `${op.opcode & IR.ROT_RIGHT ? 'ror' : 'rol'}${bitsOf(size)}`;
  const flags = op.opcode & IR.ALU_NOFLAGS ? '' : FLAGS;
  return `${names.slot(op.d, size)} = ${name} ${names.slot(op.a, size)}, ${by}${flags}`;
}

/** Arguments of a helper are slots or small numbers; which, only the helper knows. */
function argument(value: number, names: IrNames): string {
  if (value >= 0x80) return names.slot(value, 3);
  return value !== 0 && value % 8 === 0 ? `${value}/${names.slot(value, 3)}` : String(value);
}

function vector(op: IrOperation, names: IrNames): string {
  const kind = Number(op.imm & 0xffffn);
  const imm = op.imm >> 16n;
  const operands = [names.slot(op.a, 4), names.slot(op.b, 4), ...(imm ? [hex(imm)] : [])].join(', ');
  const text = `${VECTOR.get(kind) ?? `kind ${kind}`} ${operands}`;
  return kind >= VOPS.V_FLAGS ? `${text}${FLAGS}` : `${names.slot(op.d, 4)} = ${text}`;
}

/** Moves, extensions, LEA, exchanges, conditional moves. */
function move(op: IrOperation, names: IrNames): string | undefined {
  const { opcode: o, d, a } = op;
  const extension = EXTENSIONS[o];
  if (extension) return `${names.slot(d, extension[2])} = ${extension[0]} ${names.slot(a, extension[1])}`;
  if (o < IR.OP_MOVI) return `${names.slot(d, o - IR.OP_MOV)} = ${names.slot(a, o - IR.OP_MOV)}`;
  if (o < IR.OP_ZX8) return `${names.slot(d, o - IR.OP_MOVI)} = ${constant(op.imm, o - IR.OP_MOVI)}`;
  if (o <= IR.OP_LEA64) {
    const size = o - IR.OP_LEA16 + 1;
    return `${names.slot(d, 3)} = lea${bitsOf(size)} ${address(op, names, shiftOf(op), size)}`;
  }
  if (o < IR.OP_CMOV) {
    const size = o - IR.OP_XCHG;
    return `xchg${bitsOf(size)} ${names.slot(d, size)}, ${names.slot(a, size)}`;
  }
  if (o < IR.OP_SETCC) {
    const size = o - IR.OP_CMOV;
    return `if ${condition(Number(op.imm))}: ${names.slot(d, size)} = ${names.slot(a, size)}`;
  }
  if (o === IR.OP_SETCC) return `${names.slot(d, 0)} = ${condition(Number(op.imm))} ? 1 : 0`;
  return o === IR.OP_MOV128 ? `${names.slot(d, 4)} = ${names.slot(a, 4)}` : undefined;
}

function load(op: IrOperation, names: IrNames): string | undefined {
  const wrap = op.opcode >= IR.OP_LD_A32;
  const form = LOADS[op.opcode - (wrap ? IR.OP_LD_A32 : IR.OP_LD)];
  if (!form) return undefined;
  const where = address(op, names, shiftOf(op), wrap ? 2 : 3);
  return `${names.slot(op.d, form[1])} = ${form[0]} [${where}]`;
}

function storeOf(op: IrOperation, names: IrNames): string | undefined {
  const immediate = op.opcode >= IR.OP_STI;
  const base = immediate ? IR.OP_STI : IR.OP_ST;
  const wrapped = immediate ? IR.OP_STI_A32 : IR.OP_ST_A32;
  const wrap = op.opcode >= wrapped;
  const size = op.opcode - (wrap ? wrapped : base);
  const where = `[${address(op, names, immediate ? op.d & 3 : shiftOf(op), wrap ? 2 : 3)}]`;
  if (immediate) return `store${bitsOf(size)} ${where}, ${constant(BigInt.asIntN(32, op.imm >> 32n), size)}`;
  if (size > IR.ST_128_ALIGNED) return undefined;
  if (size < IR.ST_128) return `store${bitsOf(size)} ${where}, ${names.slot(op.d, size)}`;
  return `store128${size === IR.ST_128 ? '' : '.aligned'} ${where}, ${names.slot(op.d, 4)}`;
}

/** Everything with an opcode of its own. */
function other(op: IrOperation, names: IrNames): string | undefined {
  const { opcode: o, d, a, b, imm } = op;
  const wide = (slot: number) => names.slot(slot, 3);
  switch (o) {
    case IR.OP_SEGLIN: {
      const write = imm & 0x10000n ? ', write' : '';
      return `${wide(d)} = linear ${segmentName(b)}:${wide(a)}, ${imm & 0xffffn} bytes${write}`;
    }
    case IR.OP_ALIGN:
      return `check alignment of ${wide(a)} to ${imm}`;
    case IR.OP_RAISE:
      return `raise exception ${imm & 0xffn}${imm & 0x100n ? `, error code ${hex(imm >> 32n)}` : ''}`;
    case IR.OP_CANON:
      return `check canonical ${wide(a)}`;
    case IR.OP_CSLIM:
      return `check limit of cs for ${wide(a)}`;
    case IR.OP_PUSH64:
    case IR.OP_PUSH32:
      return `push${o === IR.OP_PUSH64 ? 64 : 32} ${names.slot(a, o === IR.OP_PUSH64 ? 3 : 2)}`;
    case IR.OP_PUSHI64:
    case IR.OP_PUSHI32:
      return `push${o === IR.OP_PUSHI64 ? 64 : 32} ${constant(imm, o === IR.OP_PUSHI64 ? 3 : 2)}`;
    case IR.OP_POP64:
    case IR.OP_POP32:
      return `${names.slot(d, o === IR.OP_POP64 ? 3 : 2)} = pop${o === IR.OP_POP64 ? 64 : 32}`;
    case IR.OP_RET64:
    case IR.OP_RET32:
      return `goto pop${o === IR.OP_RET64 ? 64 : 32}${imm ? `, then drop ${imm} bytes` : ''}`;
    case IR.OP_CALL:
      return `call ${names.helper(d)}(${argument(a, names)}, ${argument(b, names)}, ${hex(imm)})`;
    case IR.OP_SYNC:
      return `rip = ${hex(BigInt.asUintN(64, imm - BigInt(d)))}, next = ${hex(imm)}`;
    case IR.OP_VEC:
      return vector(op, names);
    case IR.OP_JMP:
      return `goto ${hex(imm)}`;
    case IR.OP_JCC:
      return `if ${condition(a)}: goto ${hex(imm)}`;
    case IR.OP_JNZ:
      return `if ${names.slot(a, b)} != 0: goto ${hex(imm)}`;
    case IR.OP_JMPI:
      return `goto ${wide(a)}`;
    case IR.OP_EXIT:
      return 'leave to the dispatcher';
    case IR.OP_LEAVE:
      return 'stop before this instruction';
    default:
      return undefined;
  }
}

/** Compare and branch in one. */
function compareAndJump(op: IrOperation, names: IrNames): string {
  const size = op.opcode & 3;
  const compare = (op.opcode & ~3) === IR.OP_CMPJ || (op.opcode & ~3) === IR.OP_CMPIJ;
  const second = op.opcode < IR.OP_CMPIJ ? names.slot(op.b, size) : String((op.b << 16) >> 16);
  const operands = `${names.slot(op.a, size)}, ${second}`;
  return `${compare ? 'cmp' : 'test'}${bitsOf(size)} ${operands}; if ${condition(op.d)}: goto ${hex(op.imm)}`;
}

/** An operation that has no text of its own: its name as far as that is known, and its fields. */
function plain(op: IrOperation): string {
  const name = OPCODES.get(op.opcode) ?? `op ${hex(op.opcode)}`;
  return `${name} d=${hex(op.d)} a=${hex(op.a)} b=${hex(op.b)} imm=${hex(op.imm)}`;
}

/** One line for an operation. */
export function irText(op: IrOperation, names: IrNames): string {
  const o = op.opcode;
  let text: string | undefined;
  if (o >= IR.OP_ALU && o < IR.OP_MOV) text = alu(op, names);
  else if (o >= IR.OP_MOV && o <= IR.OP_MOV128) text = move(op, names);
  else if (o >= IR.OP_LD && o < IR.OP_ST) text = load(op, names);
  else if (o >= IR.OP_ST && o < IR.OP_SEGLIN) text = storeOf(op, names);
  else if (o >= IR.OP_CMPJ && o <= IR.OP_TESTIJ + IR.SIZE64) text = compareAndJump(op, names);
  else if (o >= IR.OP_ROT && o < IR.OP_ROT + 0x20) text = rotate(op, names);
  else text = other(op, names);
  return text ?? integerText(o, { ...op, slot: names.slot, condition }) ?? plain(op);
}
