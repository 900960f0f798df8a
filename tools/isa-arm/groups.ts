// The groups of cases: each has one file of expectations. A case depends only on its row and its number within the row.

import { buildCase } from './build-case.js';
import type { Case } from './case.js';
import type { Row } from './row.js';
import { FP_ROWS } from './rows-fp.js';
import { BRANCH_ROWS, INTEGER_ROWS, SYSTEM_ROWS } from './rows-integer.js';
import { ATOMIC_ROWS, MEMORY_ROWS } from './rows-memory.js';
import { STRUCTURE_ROWS } from './rows-structures.js';
import { VECTOR_FLOAT_ROWS, VECTOR_INTEGER_ROWS } from './rows-vector.js';
import { CRYPTO_ROWS, VECTOR_FLOAT_MORE_ROWS, VECTOR_MORE_ROWS } from './rows-vector-more.js';
import { buildSequence } from './sequences.js';
import { buildUnallocated } from './unallocated.js';

export interface Group {
  readonly name: string;
  /** Tables of single instructions. */
  readonly rows: readonly Row[];
  /** Cases for a row of weight 1, or, without rows, all. */
  readonly count: number;
  /** The CPU that QEMU models for it. */
  readonly cpu: string;
  readonly sequence?: string;
}

/** ARMv8.0-A with CRC32 and cryptography, nothing later: what is undefined there is undefined here. */
const V8_0 = 'cortex-a57';
/** Everything that QEMU has. */
const LATEST = 'max,sve=off,sme=off';

export const GROUPS: readonly Group[] = [
  { name: 'integer', rows: INTEGER_ROWS, count: 150, cpu: V8_0 },
  { name: 'branch', rows: BRANCH_ROWS, count: 150, cpu: V8_0 },
  { name: 'system', rows: SYSTEM_ROWS, count: 40, cpu: V8_0 },
  { name: 'memory', rows: MEMORY_ROWS, count: 60, cpu: V8_0 },
  { name: 'structures', rows: STRUCTURE_ROWS, count: 60, cpu: V8_0 },
  { name: 'atomics', rows: ATOMIC_ROWS, count: 60, cpu: LATEST },
  { name: 'fp', rows: FP_ROWS, count: 120, cpu: V8_0 },
  { name: 'vector-integer', rows: [...VECTOR_INTEGER_ROWS, ...VECTOR_MORE_ROWS], count: 60, cpu: V8_0 },
  { name: 'vector-float', rows: [...VECTOR_FLOAT_ROWS, ...VECTOR_FLOAT_MORE_ROWS], count: 80, cpu: V8_0 },
  { name: 'crypto', rows: CRYPTO_ROWS, count: 60, cpu: V8_0 },
  { name: 'exclusive-pairs', rows: [], count: 400, cpu: V8_0, sequence: 'exclusive' },
  { name: 'integer-sequences', rows: [], count: 5000, cpu: V8_0, sequence: 'integer' },
  { name: 'vector-sequences', rows: [], count: 4000, cpu: V8_0, sequence: 'vector' },
  { name: 'integer-loops', rows: [], count: 2000, cpu: V8_0, sequence: 'integer-loop' },
  { name: 'vector-loops', rows: [], count: 1500, cpu: V8_0, sequence: 'vector-loop' },
  { name: 'unallocated', rows: [], count: 12000, cpu: V8_0 },
];

export const UNALLOCATED = 'unallocated';

export function findGroup(name: string): Group {
  const group = GROUPS.find((g) => g.name === name);
  if (!group) throw new RangeError(`no group ${name}. There are: ${GROUPS.map((g) => g.name).join(', ')}.`);
  return group;
}

/** Another `variant` than the empty one gives as many cases with other operands; `only` limits the rows by name. */
export function* casesOf(group: Group, variant = '', only?: RegExp): Generator<Case> {
  let index = 0;
  for (const row of group.rows) {
    const count = Math.max(2, Math.round(group.count * row.weight));
    for (let i = 0; i < count; i++, index++) {
      if (only?.test(row.name) ?? true) yield buildCase(group.name, variant, row, i, index);
    }
  }
  if (group.rows.length > 0) return;
  const rows = GROUPS.flatMap((g) => (g.name === 'atomics' ? [] : g.rows));
  for (; index < group.count; index++) {
    if (group.sequence) yield buildSequence(group.name, variant, group.sequence, index, index);
    else yield buildUnallocated(group.name, variant, rows, index, index);
  }
}
