import { immediateKind, type OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import { type CaseMode, codeSize } from './environment.js';
import { flowSizes } from './flow.js';
import { FLOW, STRINGS } from './rows.js';

/** Operand sizes (log2 of bytes) that make a difference to a row. */
export function sizesOf(row: OpcodeRow, mode: CaseMode): readonly number[] {
  if (FLOW.test(row.mnemonic)) return flowSizes(mode);
  const has = (pattern: RegExp) => row.operands.some((code) => pattern.test(code));
  const usual = codeSize(mode);
  const wide = row.flags.includes('wide');
  const prefixFree = row.prefix === undefined;
  const sized =
    has(/^([EGMRZXYIO][vz]|rAX|eAX|Ma)$/) ||
    immediateKind(row) >= 3 ||
    /^(CBW|CWD|PUSHA|POPA|PUSHF|POPF|ENTER|LEAVE)$/.test(row.mnemonic) ||
    (STRINGS.test(row.mnemonic) && !row.mnemonic.endsWith('B'));
  if (mode === '64') {
    if (wide) return [3, 1];
    if (has(/^[EGMR]y$/) || row.mnemonic === 'CMPXCHG8B') return [2, 3];
    if (/^(FXSAVE|FXRSTOR|FNSAVE|FRSTOR|FNSTENV|FLDENV)$/.test(row.mnemonic)) return row.map === 0 ? [2, 1] : [2, 3];
    if (!sized) return [2];
    return prefixFree || row.prefix === 0xf3 || row.prefix === 0xf2 ? [2, 1, 3] : [2, 3];
  }
  return sized && row.prefix !== 0x66 ? [usual, 3 - usual] : [usual];
}
