// x86 disassembler: 16-, 32- and 64-bit code to Intel syntax, from the same table that the decoder is built from.
//
// It knows what the emulator knows; anything else is "(bad)", as it is undefined to the emulated CPU.

import { hasModrm, type OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import {
  BadInstruction,
  byteAt,
  gpr,
  hex,
  type Insn,
  memoryOperand,
  operand,
  xlatOperand,
} from './disassemble-x86-operands.js';
import { pickRow, rowsFor, type X86Bits } from './disassemble-x86-table.js';

export type { X86Bits } from './disassemble-x86-table.js';

export interface X86Instruction {
  /** Bytes. */
  readonly length: number;
  /** Prefixes that are not part of the operands, then the instruction's name. */
  readonly mnemonic: string;
  /** Operands, separated by commas; may end in a comment that begins with #. */
  readonly operands: string;
}

const SEGMENT_PREFIXES: Record<number, string> = { 38: 'es', 46: 'cs', 54: 'ss', 62: 'ds', 100: 'fs', 101: 'gs' };

/** Reads prefixes. Returns the first byte after them. */
function prefixes(insn: Insn): number {
  for (;;) {
    const b = byteAt(insn);
    const segment = SEGMENT_PREFIXES[b];
    if (segment) insn.segment = segment;
    else if (b === 0x66) insn.opPrefix = true;
    else if (b === 0x67) insn.addrPrefix = true;
    else if (b === 0xf0) insn.lock = true;
    else if (b === 0xf2 || b === 0xf3) insn.rep = b;
    else if (insn.bits === 64 && (b & 0xf0) === 0x40) {
      // A REX that is not right before the opcode is ignored (SDM vol. 2, 2.2.1).
      insn.rex = b;
      continue;
    } else return b;
    insn.rex = 0;
  }
}

function sizes(insn: Insn): void {
  const { bits, opPrefix, addrPrefix, row } = insn;
  if (bits === 64) {
    insn.opSize = insn.rex & 8 ? 3 : opPrefix ? 1 : row.flags.includes('wide') ? 3 : 2;
    insn.addrSize = addrPrefix ? 2 : 3;
  } else {
    const size = bits === 32 ? 2 : 1;
    insn.opSize = opPrefix ? 3 - size : size;
    insn.addrSize = addrPrefix ? 3 - size : size;
  }
}

/** The row of the instruction that begins at the cursor; undefined if there is none. */
function decode(insn: Insn): OpcodeRow | undefined {
  let b = prefixes(insn);
  if (b === 0x0f) {
    insn.map = 1;
    b = byteAt(insn);
    if (b === 0x38 || b === 0x3a) {
      insn.map = b === 0x38 ? 2 : 3;
      b = byteAt(insn);
    }
  }
  insn.opcode = b;
  const rows = rowsFor(insn.map, b, insn.bits);
  if (rows.some(hasModrm)) {
    insn.modrm = byteAt(insn);
    // MOV to and from control and debug registers ignores mod.
    insn.register = insn.modrm >= 0xc0 || (insn.map === 1 && b >= 0x20 && b <= 0x23);
  }
  return pickRow(rows, insn.rep || (insn.opPrefix ? 0x66 : 0), insn.modrm, insn.register);
}

/** By operand size 16, 32, 64: names of instructions without operands that depend on it. */
const BY_SIZE: Record<string, readonly string[]> = {
  CBW: ['cbw', 'cwde', 'cdqe'],
  CWD: ['cwd', 'cdq', 'cqo'],
};
/** Instructions that carry a letter for an operand size other than the code's own. */
const SIZE_LETTER = ['PUSHA', 'POPA', 'PUSHF', 'POPF', 'IRET', 'RETF', 'RET', 'LEAVE', 'ENTER'];
/** PUSH of an immediate, and jumps whose target has the operand's size. */
function isSizedTransfer(row: OpcodeRow, bits: X86Bits): boolean {
  if (row.mnemonic === 'PUSH') return row.operands[0][0] === 'I';
  return bits !== 64 && row.operands[0] === 'Jz' && row.map === 0;
}
const CALLED_OTHERWISE: Record<string, string> = {
  CALLF: 'call',
  JMPF: 'jmp',
  MOVSB: 'movs',
  CMPSB: 'cmps',
  STOSB: 'stos',
  LODSB: 'lods',
  SCASB: 'scas',
  INSB: 'ins',
  OUTSB: 'outs',
  SAL: 'shl',
};
/** Names with REX.W. */
const WIDE_NAMES: Record<string, string> = {
  CMPXCHG8B: 'cmpxchg16b',
  MOVD: 'movq',
  PEXTRD: 'pextrq',
  PINSRD: 'pinsrq',
  SYSRET: 'sysretq',
  SYSEXIT: 'sysexitq',
  FXSAVE: 'fxsave64',
  FXRSTOR: 'fxrstor64',
  XSAVE: 'xsave64',
  XRSTOR: 'xrstor64',
};
const STRINGS = /^(?:MOVS|CMPS|STOS|LODS|SCAS|INS|OUTS)B?$/;
const PREDICATES = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];

function isString(row: OpcodeRow): boolean {
  return row.map === 0 && STRINGS.test(row.mnemonic);
}

/** The instruction's name, without prefixes. */
function nameOf(insn: Insn): string {
  const { row, opSize, addrSize, bits, rex } = insn;
  const name = row.mnemonic;
  const bySize = BY_SIZE[name];
  if (bySize) {
    insn.usedOpPrefix = true;
    return bySize[opSize - 1];
  }
  if (SIZE_LETTER.includes(name) || isSizedTransfer(row, bits)) {
    insn.usedOpPrefix = true;
    const own = row.flags.includes('wide') && bits === 64 ? 3 : bits === 16 ? 1 : 2;
    return name.toLowerCase() + (opSize === own ? '' : ['w', 'd', 'q'][opSize - 1]);
  }
  if (name === 'JCXZ') {
    insn.usedAddrPrefix = true;
    return ['jcxz', 'jecxz', 'jrcxz'][addrSize - 1];
  }
  if (name === 'MOV' && row.map === 0) {
    if (row.operands.includes('Iv') && opSize === 3) return 'movabs';
    if (row.operands.some((code) => code[0] === 'O') && addrSize === 3) return 'movabs';
  }
  if (rex & 8 && WIDE_NAMES[name]) return WIDE_NAMES[name];
  return CALLED_OTHERWISE[name] ?? name.toLowerCase();
}

/** CMPPS and its like with a predicate that has a name. */
function namedPredicate(insn: Insn, name: string, operands: string[]): string {
  if (insn.map !== 1 || insn.opcode !== 0xc2) return name;
  const predicate = PREDICATES[Number(operands[2])];
  if (!predicate) return name;
  operands.pop();
  return `cmp${predicate}${name.slice(3)}`;
}

/** Prefixes to be shown by name. */
function shownPrefixes(insn: Insn): string {
  const { row, rep, bits } = insn;
  const shown: string[] = [];
  if (insn.lock) shown.push('lock');
  if (rep && row.prefix !== rep) {
    const repeats = isString(row) && !/^(?:CMPS|SCAS)/.test(row.mnemonic);
    shown.push(rep === 0xf2 ? 'repnz' : repeats ? 'rep' : 'repz');
  }
  if (insn.segment && !insn.usedSegment) shown.push(insn.segment);
  if (insn.opPrefix && !insn.usedOpPrefix && row.prefix !== 0x66) shown.push(bits === 16 ? 'data32' : 'data16');
  if (insn.addrPrefix && !insn.usedAddrPrefix) shown.push(bits === 32 ? 'addr16' : 'addr32');
  return shown.map((prefix) => `${prefix} `).join('');
}

function print(insn: Insn): { mnemonic: string; operands: string } {
  const { row } = insn;
  if (row.mnemonic === 'NOP' && insn.map === 0 && (insn.opPrefix || insn.rex & 1)) {
    // 90 is XCHG with AX, and a NOP only where it is EAX with itself.
    insn.usedOpPrefix = true;
    const size = insn.opSize;
    const operands = `${gpr((insn.rex & 1) << 3, size, insn.rex)},${gpr(0, size, 0)}`;
    return { mnemonic: `${shownPrefixes(insn)}xchg`, operands };
  }
  // Displacements come before immediates, whatever the order of the operands.
  if (!insn.register && row.operands.some((code) => /^[EMWQ][a-z]*$/.test(code) && code !== 'ES')) memoryOperand(insn);
  const texts = row.operands.map((code) => operand(insn, code));
  if (row.mnemonic === 'XLAT') texts.push(xlatOperand(insn));
  const name = namedPredicate(insn, nameOf(insn), texts);
  let operands = texts.join(',');
  if (insn.ripOffset !== undefined) {
    const target = BigInt.asUintN(8 << insn.addrSize, insn.address + BigInt(insn.at) + insn.ripOffset);
    operands += `        # ${hex(target)}`;
  }
  return { mnemonic: shownPrefixes(insn) + name, operands };
}

/** No instruction of this CPU begins here, or its bytes are not all there. */
const BAD: X86Instruction = { length: 1, mnemonic: '(bad)', operands: '' };

/**
 * The instruction at `bytes[0]`, which is at `address` in its code segment. What is no instruction has length 1 and the
 * name "(bad)". `bytes` must not be empty.
 */
export function disassembleX86(bytes: Uint8Array, address: bigint, bits: X86Bits): X86Instruction {
  const insn: Insn = {
    bytes,
    address,
    bits,
    at: 0,
    rex: 0,
    opPrefix: false,
    addrPrefix: false,
    segment: '',
    rep: 0,
    lock: false,
    map: 0,
    opcode: 0,
    modrm: 0,
    register: false,
    row: { map: 0, opcode: 0, mnemonic: '', operands: [], flags: [] },
    opSize: 0,
    addrSize: 0,
    memory: undefined,
    ripOffset: undefined,
    usedOpPrefix: false,
    usedAddrPrefix: false,
    usedSegment: false,
  };
  try {
    const row = decode(insn);
    if (!row) return BAD;
    insn.row = row;
    sizes(insn);
    const text = print(insn);
    return { length: insn.at, ...text };
  } catch (error) {
    if (error instanceof BadInstruction) return BAD;
    throw error;
  }
}

/** `mnemonic` and operands in columns, as disassemblers print them. */
export function formatX86(insn: X86Instruction): string {
  return insn.operands ? `${insn.mnemonic.padEnd(6)} ${insn.operands}` : insn.mnemonic;
}
