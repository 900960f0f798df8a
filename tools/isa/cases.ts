// All cases of a group, in order. Every case depends only on its row and its number within the row, through the seed.

import type { OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import { buildCase } from './build-case.js';
import type { Case } from './case.js';
import { baseState } from './environment.js';
import { canRun, FAULT_GROUPS, faultCases } from './faults.js';
import { hashText, Random } from './random.js';
import { FLOW, ROW_GROUPS, rowKey, rowsOf } from './rows.js';
import { sizesOf } from './sizes.js';

/** Names of all groups: each has one file of expectations. */
export const GROUPS: readonly string[] = [...ROW_GROUPS.map((g) => g.name), ...FAULT_GROUPS];

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

/**
 * A generator: each case is handed out with its state in one object, which the next one overwrites. A variant other than
 * the empty one gives as many cases with other operands.
 */
export function* casesOf(name: string, variant = ''): Generator<Case> {
  const group = ROW_GROUPS.find((g) => g.name === name);
  if (!group) {
    yield* faultCases(name, variant);
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
          const seed = `${variant}${name}/${rowKey(row)}/${opSize}/${i}/${salt++}`;
          made = buildCase(shape, new Random(hashText(seed)), state);
        } while (!canRun(made));
        yield made;
        index++;
      }
    }
  }
}

/** Does any case of the group run in the host's own user mode rather than under KVM? */
export function isNative(name: string): boolean {
  return !name.endsWith('64');
}
