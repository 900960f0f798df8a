// All cases of a group, in order. Every case depends only on its row and its number within the row, through the seed.

import { immediateKind, type OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import { buildCase } from './build-case.js';
import type { Case } from './case.js';
import { baseState, codeSize } from './environment.js';
import { faultCases } from './faults.js';
import { flowSizes } from './flow.js';
import { hashText, Random } from './random.js';
import { classOf, FLOW, type Group, ROW_GROUPS, rowKey, rowsOf, STRINGS } from './rows.js';

/** Names of all groups: each has one file of expectations. */
export const GROUPS: readonly string[] = [...ROW_GROUPS.map((g) => g.name), 'faults64', 'faults32'];

/** Operand sizes (log2 of bytes) that make a difference to a row. */
export function sizesOf(row: OpcodeRow, mode: Group['mode']): readonly number[] {
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

/** How many cases a row gets for each operand size, as a multiple of the group's density. */
function weight(row: OpcodeRow): number {
  if (/^(NOP|PAUSE|PREFETCH|ENDBR|LFENCE|MFENCE|SFENCE|CLFLUSH|UD|F1?NOP|FNENI|FNDISI|FNSETPM)/.test(row.mnemonic)) {
    return 0.25;
  }
  if (/^(SET|CMOV)/.test(row.mnemonic) || (FLOW.test(row.mnemonic) && row.operands[0]?.[0] === 'J')) return 0.75;
  // Eight rows for the register in the opcode.
  if (row.operands.some((code) => code[0] === 'Z')) return 0.4;
  if (row.operands.length === 0) return 0.75;
  return 1;
}

/** A generator: each case is handed out with its state in one object, which the next one overwrites. */
export function* casesOf(name: string): Generator<Case> {
  const group = ROW_GROUPS.find((g) => g.name === name);
  if (!group) {
    yield* faultCases(name);
    return;
  }
  const base = baseState(group.mode);
  const state = baseState(group.mode);
  let index = 0;
  for (const row of rowsOf(group)) {
    for (const opSize of sizesOf(row, group.mode)) {
      const count = Math.max(2, Math.round(group.density * weight(row)));
      for (let i = 0; i < count; i++) {
        const shape = { row, mode: group.mode, opSize, group: name, index };
        let made: Case;
        let salt = 0;
        do {
          state.copyFrom(base);
          const seed = `${name}/${rowKey(row)}/${opSize}/${i}/${salt++}`;
          made = buildCase(shape, new Random(hashText(seed)), state);
        } while (!canRun(made));
        yield made;
        index++;
      }
    }
  }
}

/** kvm_pvm interprets instructions of a guest whose RSP is not canonical: that would not be the host's CPU. */
function canRun(c: Case): boolean {
  const rsp = c.state.gpr(4);
  return c.mode !== '64' || BigInt.asUintN(64, BigInt.asIntN(48, rsp)) === rsp;
}

/** Does any case of the group run in the host's own user mode rather than under KVM? */
export function isNative(name: string): boolean {
  return !name.endsWith('64');
}

export { classOf };
