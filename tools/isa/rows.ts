// Which rows of the opcode table are tested in which group, and what their operands hold.

import { type OpcodeRow, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import type { CaseMode } from './environment.js';
import type { Kind } from './values.js';

/** Results are the host's own (what it is, what time it is, what its kernel has set up), or the kernel's business. */
const HOST_DEPENDENT = words(`
  CPUID RDTSC RDTSCP RDPMC RDRAND RDSEED SGDT SIDT SLDT STR SMSW XGETBV XSAVE XRSTOR
  SYSCALL SYSRET SYSENTER SYSEXIT VMCALL VMMCALL INT INT1
  LAR LSL VERR VERW LES LDS LSS LFS LGS CALLF JMPF RETF IRET RSM`);
/** Ring 3 without I/O permission gets #GP(0); see faults.ts. */
export const PRIVILEGED = words(`
  HLT CLI STI CLTS LGDT LIDT LLDT LTR LMSW INVD WBINVD INVLPG RDMSR WRMSR SWAPGS XSETBV
  IN OUT INSB INS OUTSB OUTS`);
/** Branches: see flow.ts. */
export const FLOW = /^(J|LOOP|CALL|RET)/;
/** Instructions that use the stack pointer. */
export const STACK_USERS = /^(PUSH|POP(F|A)?$|CALL|RET|ENTER|LEAVE)/;
export const STRINGS = /^(MOVS|CMPS|STOS|LODS|SCAS)B?$/;
export const SHIFTS = /^(ROL|ROR|RCL|RCR|SHL|SHR|SAL|SAR|SHLD|SHRD)$/;

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

export type RowClass = 'integer' | 'vector' | 'x87' | 'privileged' | 'none';

/** MOV to and from segment, control and debug registers. */
const systemMove = (row: OpcodeRow) => row.operands.some((code) => /^[CDS][dw]$/.test(code));
const segmentStack = (row: OpcodeRow) => row.operands.some((code) => /^[C-G]S$|^SS$/.test(code));

/** D9 D8–DF, an undocumented FSTP: some CPUs check for an empty register, some do not. */
const undocumented = (row: OpcodeRow) => row.map === 0 && row.opcode === 0xd9 && row.reg === 3 && row.mod3 === true;

export function classOf(row: OpcodeRow): RowClass {
  if (undocumented(row)) return 'none';
  if (row.map === 0 && ((row.opcode >= 0xd8 && row.opcode <= 0xdf) || row.opcode === 0x9b)) return 'x87';
  if (PRIVILEGED.has(row.mnemonic)) return 'privileged';
  if (systemMove(row)) return row.operands.some((code) => code === 'Sw') ? 'none' : 'privileged';
  // The string move and compare of map 0 share names with SSE2's.
  if (segmentStack(row) || HOST_DEPENDENT.has(row.mnemonic)) return 'none';
  if (/^(EMMS|LDMXCSR|STMXCSR|FXSAVE|FXRSTOR)$/.test(row.mnemonic)) return 'vector';
  return row.map > 0 && row.operands.some((code) => /^[VWUPQN]|^M(ps|pd|dq)$/.test(code)) ? 'vector' : 'integer';
}

export interface Group {
  readonly name: string;
  readonly mode: CaseMode;
  readonly classes: readonly RowClass[];
  /** Cases an operand size of a row; scaled by what the row has to vary. */
  readonly density: number;
}

/** Each group is one file of expectations. */
export const ROW_GROUPS: readonly Group[] = [
  { name: 'integer64', mode: '64', classes: ['integer'], density: 36 },
  { name: 'vector64', mode: '64', classes: ['vector'], density: 40 },
  { name: 'x87-64', mode: '64', classes: ['x87'], density: 100 },
  { name: 'integer32', mode: '32', classes: ['integer', 'privileged'], density: 16 },
  { name: 'segmented32', mode: 'seg32', classes: ['integer'], density: 10 },
  { name: 'integer16', mode: '16', classes: ['integer'], density: 12 },
  { name: 'float32', mode: '32', classes: ['vector', 'x87'], density: 6 },
];

/** Table rows of a group, in table order. */
export function rowsOf(group: Group): OpcodeRow[] {
  return parseOpcodeTable().filter((row) => {
    if (!group.classes.includes(classOf(row))) return false;
    if (row.flags.includes(group.mode === '64' ? 'i64' : 'o64')) return false;
    // FS and GS bases exist in 64-bit mode only.
    return true;
  });
}

/** Unique text of a row: seeds its random numbers, so that other rows may come and go. */
export function rowKey(row: OpcodeRow): string {
  const prefix = row.prefix === undefined ? '' : row.prefix.toString(16);
  return [row.map, row.opcode, prefix, row.reg ?? '', row.rm ?? '', row.mod3 ?? '', row.mnemonic].join(':');
}

/** Bytes of an operand by its code; 0 where only the mnemonic tells. */
export function operandSize(code: string, opSize: number): number {
  switch (code.slice(1)) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
    case 'ss':
      return 4;
    case 'q':
    case 'sd':
      return 8;
    case 't':
      return 10;
    case 'dq':
    case 'ps':
    case 'pd':
      return 16;
    case 'v':
      return 1 << opSize;
    case 'z':
      return Math.min(4, 1 << opSize);
    case 'y':
      return opSize === 3 ? 8 : 4;
    case 'a':
      return 2 << opSize;
    default:
      return 0;
  }
}

/** Memory operands whose size only the mnemonic tells, in bytes. */
export function memorySize(row: OpcodeRow, code: string, opSize: number): number {
  const size = operandSize(code, opSize);
  if (size > 0) return size;
  switch (row.mnemonic) {
    case 'CMPXCHG8B':
      return opSize === 3 ? 16 : 8;
    case 'FXSAVE':
    case 'FXRSTOR':
      return 512;
    case 'FNSAVE':
    case 'FRSTOR':
      return opSize === 1 ? 94 : 108;
    case 'FNSTENV':
    case 'FLDENV':
      return opSize === 1 ? 14 : 28;
    default:
      return 1;
  }
}

/** What a source operand of the row holds. `code` is the operand's code in the table. */
export function kindOf(row: OpcodeRow, code: string): Kind {
  const name = row.mnemonic;
  if (classOf(row) === 'x87') {
    if (/^FB/.test(name)) return 'bcd';
    if (/^FI/.test(name) || code === 'Mw') return 'int';
    return code === 'Mt' ? 'f80' : code === 'Mq' ? 'f64' : 'f32';
  }
  if (name.startsWith('PCMPEST') || name.startsWith('PCMPIST')) return 'text';
  if (name.startsWith('P') || classOf(row) !== 'vector') return 'int';
  const convert = /^CVTT?(PS|SS|PD|SD|PI|SI|DQ)2/.exec(name);
  if (convert) return convert[1] === 'PS' || convert[1] === 'SS' ? 'f32' : /D$/.test(convert[1]) ? 'f64' : 'int';
  if (/(PS|SS)$/.test(name)) return 'f32';
  if (/(PD|SD)$/.test(name)) return 'f64';
  return 'int';
}

/** 16-byte memory operands that need no alignment. */
export function toleratesMisalignment(row: OpcodeRow): boolean {
  return /^(MOVUPS|MOVUPD|MOVDQU|LDDQU|PCMP[EI]STR[IM])$/.test(row.mnemonic);
}
