// Runs a group's cases on a subject and compares with the recorded expectations.

import { fileURLToPath } from 'node:url';
import type { Case } from './case.js';
import { casesOf } from './cases.js';
import { describeCase, differences } from './compare.js';
import { ExpectationReader } from './expected.js';

const DATA = fileURLToPath(new URL('../../../test/data/isa/', import.meta.url));
export const dataFile = (group: string) => `${DATA}${group}.bin`;

export interface Subject {
  /** The image after the case, or how it went wrong. */
  run(c: Case): Uint8Array | string;
  /** An address that a case wrote although it does not belong to it, or -1. */
  strayWrite(): number;
}

export interface Failure {
  readonly mnemonic: string;
  /** What ran, its inputs, and what differs, in lines. */
  readonly report: string;
}

export interface Replay {
  readonly cases: number;
  readonly failures: readonly Failure[];
  /** CPU that the expectations come from. */
  readonly cpu: string;
}

export function replay(group: string, subject: Subject): Replay {
  const expectations = new ExpectationReader(dataFile(group));
  const failures: Failure[] = [];
  let cases = 0;
  for (const c of casesOf(group)) {
    const expected = expectations.next(c);
    cases++;
    const got = subject.run(c);
    const lines = typeof got === 'string' ? [got] : differences(c, expected, got);
    const stray = lines.length > 0 ? subject.strayWrite() : -1;
    if (stray >= 0) lines.push(`a write outside the operands, at 0x${stray.toString(16)}`);
    if (lines.length > 0) {
      const report = [describeCase(c), ...lines.map((line) => `  * ${line}`)].join('\n');
      failures.push({ mnemonic: `${c.mnemonic} ${c.operands.join(',')}`.trim(), report });
    }
  }
  expectations.finish();
  const stray = subject.strayWrite();
  if (stray >= 0)
    failures.push({
      mnemonic: 'all',
      report: `${group}: memory outside the operands changed at 0x${stray.toString(16)}`,
    });
  return { cases, failures, cpu: expectations.header.cpu };
}

/** Failures by instruction, most first, and the first reports in full. */
export function summarize(failures: readonly Failure[], reports = 20): string {
  const counts = new Map<string, number>();
  for (const f of failures) counts.set(f.mnemonic, (counts.get(f.mnemonic) ?? 0) + 1);
  const table = [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${n.toString().padStart(6)}  ${name}`);
  // One of each instruction before a second one of any.
  const seen = new Set<string>();
  const firsts = failures.filter((f) => !seen.has(f.mnemonic) && seen.add(f.mnemonic));
  const shown = [...firsts, ...failures.filter((f) => !firsts.includes(f))].slice(0, reports);
  return [`${failures.length} failures`, ...table.slice(0, 60), '', ...shown.map((f) => f.report)].join('\n');
}
