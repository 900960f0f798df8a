// Operands of an x86 instruction as text, Intel syntax (SDM vol. 2, 2.1; operand codes: appendix A.2).

import type { OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import type { X86Bits } from './disassemble-x86-table.js';

/** An instruction being taken apart. */
export interface Insn {
  readonly bytes: Uint8Array;
  /** Address of the first byte, in the code segment. */
  readonly address: bigint;
  readonly bits: X86Bits;
  /** Next byte to be read. */
  at: number;
  /** REX byte, or 0. */
  rex: number;
  /** 66 was present; and 67. */
  opPrefix: boolean;
  addrPrefix: boolean;
  /** Segment override, or ''. */
  segment: string;
  /** F2, F3, or 0. */
  rep: number;
  lock: boolean;
  map: number;
  opcode: number;
  /** ModRM byte; mod = 3 also where the instruction ignores it. */
  modrm: number;
  register: boolean;
  row: OpcodeRow;
  /** log2 of the operand's and address' size in bytes. */
  opSize: number;
  addrSize: number;
  /** The memory operand, without its size; read once. */
  memory: string | undefined;
  /** Address that a RIP-relative operand names, less that of the following instruction. */
  ripOffset: bigint | undefined;
  /** What the operands looked at: a prefix that nothing looked at is shown by name. */
  usedOpPrefix: boolean;
  usedAddrPrefix: boolean;
  usedSegment: boolean;
}

/** This is no instruction: its bytes end too early, it has more than 15, or it names a register that does not exist. */
export class BadInstruction extends Error {}

const GPR = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const BYTE_LEGACY = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const BYTE_REX = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const BASES16 = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx'];
const SIZE_WORDS = ['BYTE', 'WORD', 'DWORD', 'QWORD'];

function noSuchRegister(): never {
  throw new BadInstruction();
}

export const hex = (n: bigint | number): string => `0x${n.toString(16)}`;

/** General register `n` of `1 << size` bytes. */
export function gpr(n: number, size: number, rex: number): string {
  if (size === 0) return n < 8 ? (rex ? BYTE_REX : BYTE_LEGACY)[n] : `r${n}b`;
  if (n >= 8) return `r${n}${size === 1 ? 'w' : size === 2 ? 'd' : ''}`;
  return (size === 1 ? '' : size === 2 ? 'e' : 'r') + GPR[n];
}

export function byteAt(insn: Insn): number {
  if (insn.at >= insn.bytes.length || insn.at >= 15) throw new BadInstruction();
  return insn.bytes[insn.at++];
}

/** Little-endian number of `size` bytes, zero-extended. */
function unsigned(insn: Insn, size: number): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) value |= BigInt(byteAt(insn)) << BigInt(8 * i);
  return value;
}
const signed = (insn: Insn, size: number): bigint => BigInt.asIntN(8 * size, unsigned(insn, size));

/** log2 of the operand size. */
function operandSize(insn: Insn): number {
  insn.usedOpPrefix = true;
  return insn.opSize;
}

/** log2 of the size that a code stands for, in a general register or memory; -1: none of these. */
function sizeOf(insn: Insn, code: string): number {
  switch (code) {
    case 'b':
      return 0;
    case 'w':
      return 1;
    case 'd':
    case 'ss':
      return 2;
    case 'q':
    case 'sd':
      return 3;
    case 'v':
      return operandSize(insn);
    case 'z':
      return Math.min(2, operandSize(insn));
    case 'y':
      return insn.rex & 8 ? 3 : 2;
    default:
      return -1;
  }
}

/** Words before a memory operand: its size. */
function sizeWord(insn: Insn, code: string): string {
  const size = sizeOf(insn, code);
  if (size >= 0) return `${SIZE_WORDS[size]} PTR `;
  switch (code) {
    case 'dq':
    case 'ps':
    case 'pd':
      return 'XMMWORD PTR ';
    case 't':
      return 'TBYTE PTR ';
    case 'p': // offset and selector
      return `${['', 'DWORD', 'FWORD', 'TBYTE'][operandSize(insn)]} PTR `;
    case 'a': // the two bounds of BOUND
      return `${operandSize(insn) === 1 ? 'DWORD' : 'QWORD'} PTR `;
    default:
      return '';
  }
}

function displacement(value: bigint): string {
  return value < 0n ? `-${hex(-value)}` : `+${hex(value)}`;
}

/** The segment override if it counts, else ''. 64-bit mode ignores those but FS and GS (SDM vol. 1, 3.7.4). */
function override(insn: Insn): string {
  if (insn.bits === 64 && insn.segment !== 'fs' && insn.segment !== 'gs') return '';
  insn.usedSegment = true;
  return insn.segment;
}

/** An address without registers. */
function absolute(insn: Insn, address: bigint): string {
  return `${override(insn) || 'ds'}:${hex(address)}`;
}

function inSegment(insn: Insn, inner: string): string {
  const segment = override(insn);
  return `${segment ? `${segment}:` : ''}[${inner}]`;
}

function memory16(insn: Insn): string {
  const mod = insn.modrm >> 6;
  const rm = insn.modrm & 7;
  if (mod === 0 && rm === 6) return absolute(insn, unsigned(insn, 2));
  const disp = mod === 0 ? '' : displacement(signed(insn, mod));
  return inSegment(insn, BASES16[rm] + disp);
}

function memory32(insn: Insn): string {
  const mod = insn.modrm >> 6;
  const rm = insn.modrm & 7;
  const { addrSize, rex, bits } = insn;
  const name = (n: number) => gpr(n, addrSize, 0);
  let base = rm === 5 && mod === 0 ? '' : name(rm | ((rex & 1) << 3));
  let scaled = '';
  if (rm === 4) {
    const sib = byteAt(insn);
    const i = ((sib >> 3) & 7) | ((rex & 2) << 2);
    base = (sib & 7) === 5 && mod === 0 ? '' : name((sib & 7) | ((rex & 1) << 3));
    if (i !== 4) scaled = `${name(i)}*${1 << (sib >> 6)}`;
  } else if (rm === 5 && mod === 0 && bits === 64) {
    const disp = signed(insn, 4);
    insn.ripOffset = disp;
    return inSegment(insn, `${addrSize === 3 ? 'rip' : 'eip'}${displacement(disp)}`);
  }
  if (!base && !scaled) {
    const address = signed(insn, 4);
    return absolute(insn, BigInt.asUintN(addrSize === 3 ? 64 : 32, address));
  }
  const wide = mod === 2 || !base;
  const disp = wide ? displacement(signed(insn, 4)) : mod === 1 ? displacement(signed(insn, 1)) : '';
  return inSegment(insn, [base, scaled].filter((part) => part !== '').join('+') + disp);
}

/** The operand that ModRM names in memory. */
export function memoryOperand(insn: Insn): string {
  insn.usedAddrPrefix = true;
  insn.memory ??= insn.addrSize === 1 ? memory16(insn) : memory32(insn);
  return insn.memory;
}

const regField = (insn: Insn): number => ((insn.modrm >> 3) & 7) | ((insn.rex & 4) << 1);
const rmField = (insn: Insn): number => (insn.modrm & 7) | ((insn.rex & 1) << 3);

/** Instructions whose operand is a whole register, or 16 bits in memory. */
const WORD_IN_MEMORY = ['SLDT', 'STR', 'SMSW', 'LAR', 'LSL'];
/** Byte and word elements of vectors come from and go to 32-bit registers. */
const ELEMENT = /^P(?:INS|EXT)R[BW]$/;

/** log2 of the size of the register that ModRM.rm names. */
function registerSize(insn: Insn, code: string, word: boolean): number {
  if (ELEMENT.test(insn.row.mnemonic)) return 2;
  // Control and debug registers are as wide as the mode.
  if (insn.row.operands.some((other) => other === 'Cd' || other === 'Dd')) return insn.bits === 64 ? 3 : 2;
  return word ? operandSize(insn) : Math.max(0, sizeOf(insn, code));
}

/** Register or memory by ModRM.rm. */
function general(insn: Insn, code: string): string {
  const { mnemonic, operands } = insn.row;
  const word = WORD_IN_MEMORY.includes(mnemonic) || operands.includes('Sw');
  if (insn.register) {
    return gpr(rmField(insn), registerSize(insn, code, word), insn.rex);
  }
  const memory = memoryOperand(insn);
  if (mnemonic === 'CMPXCHG8B') return `${insn.rex & 8 ? 'XMMWORD' : 'QWORD'} PTR ${memory}`;
  if (mnemonic.startsWith('PREFETCH')) return `BYTE PTR ${memory}`;
  return sizeWord(insn, word ? 'w' : code) + memory;
}

function immediate(insn: Insn, code: string): string {
  if (code === 'bs') return hex(BigInt.asUintN(8 << operandSize(insn), signed(insn, 1)));
  if (code === 'z') {
    const size = operandSize(insn);
    return hex(BigInt.asUintN(8 << size, signed(insn, size === 1 ? 2 : 4)));
  }
  return hex(unsigned(insn, 1 << sizeOf(insn, code)));
}

/** Target of a near branch. */
function branch(insn: Insn, code: string): string {
  const { bits, opSize } = insn;
  // In 64-bit mode near branches are always 64 bits wide; the displacement stays 32 (SDM vol. 2, Jcc, CALL, JMP).
  const size = bits === 64 ? 3 : operandSize(insn);
  const disp = signed(insn, code === 'b' ? 1 : bits === 64 || opSize !== 1 ? 4 : 2);
  return hex(BigInt.asUintN(8 << size, insn.address + BigInt(insn.at) + disp));
}

/** Memory that a string instruction or XLAT uses without naming it. */
function implied(insn: Insn, size: number, segment: string, register: number): string {
  insn.usedAddrPrefix = true;
  return `${SIZE_WORDS[size]} PTR ${segment}:[${gpr(register, insn.addrSize, 0)}]`;
}
function fromData(insn: Insn, size: number, register: number): string {
  return implied(insn, size, override(insn) || 'ds', register);
}
export const xlatOperand = (insn: Insn): string => fromData(insn, 0, 3);

/** Registers that the table calls by name, where it is not simply their name in small letters. */
function named(insn: Insn, code: string): string | undefined {
  if (code === 'rAX') return gpr(0, operandSize(insn), 0);
  if (code === 'eAX') return gpr(0, Math.min(2, operandSize(insn)), 0);
  if (/^(?:AL|CL|DX|AX|[ECSDFG]S|ST|XMM0|1)$/.test(code)) return code.toLowerCase();
  return undefined;
}

/** Operand `code` of the instruction's row. To be called in the row's order: immediates follow each other. */
export function operand(insn: Insn, code: string): string {
  const name = named(insn, code);
  if (name !== undefined) return name;
  const rest = code.slice(1);
  const { rex } = insn;
  switch (code[0]) {
    case 'E':
    case 'M':
    case 'R':
      return general(insn, rest);
    case 'G':
      return gpr(regField(insn), sizeOf(insn, rest), rex);
    case 'Z':
      return gpr((insn.opcode & 7) | ((rex & 1) << 3), sizeOf(insn, rest), rex);
    case 'C':
      return `cr${regField(insn)}`;
    case 'D':
      return `dr${regField(insn)}`;
    case 'S':
      return SEGMENTS[(insn.modrm >> 3) & 7] ?? noSuchRegister();
    case 'V':
      return `xmm${regField(insn)}`;
    case 'W':
    case 'U':
      return insn.register ? `xmm${rmField(insn)}` : sizeWord(insn, rest) + memoryOperand(insn);
    case 'P':
      return `mm${(insn.modrm >> 3) & 7}`;
    case 'Q':
    case 'N':
      return insn.register ? `mm${insn.modrm & 7}` : sizeWord(insn, rest) + memoryOperand(insn);
    case 'T':
      return `st(${insn.modrm & 7})`;
    case 'I':
      return immediate(insn, rest);
    case 'J':
      return branch(insn, rest);
    case 'O':
      insn.usedAddrPrefix = true;
      return absolute(insn, unsigned(insn, 1 << insn.addrSize));
    case 'A': {
      const offset = unsigned(insn, operandSize(insn) === 1 ? 2 : 4);
      return `${hex(unsigned(insn, 2))}:${hex(offset)}`;
    }
    case 'X':
      return fromData(insn, sizeOf(insn, rest), 6);
    default: // Y
      return implied(insn, sizeOf(insn, rest), 'es', 7);
  }
}
