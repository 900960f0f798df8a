// Runs a group's cases on a subject and compares with the recorded expectations.

import type { Failure } from '../isa/replay.js';
import type { Case } from './case.js';
import { describeCase, differences } from './compare.js';
import { ExpectationReader } from './expected.js';
import { casesOf, type Group } from './groups.js';

export interface Subject {
  /** The image after the case, or how it went wrong. */
  run(c: Case): Uint8Array | string;
  /** An address that a case wrote although it does not belong to it, or -1. */
  strayWrite(): number;
}

export interface Replay {
  readonly cases: number;
  readonly failures: readonly Failure[];
  /** What the expectations come from. */
  readonly oracle: string;
}

export type Disassembler = (word: number, pc: bigint) => string;

/** Runs one case and compares; null if it is as expected. */
export function check(c: Case, expected: Uint8Array, subject: Subject, disassemble?: Disassembler): Failure | null {
  const got = subject.run(c);
  const lines = typeof got === 'string' ? [got] : differences(c, expected, got);
  if (lines.length === 0) return null;
  const report = [describeCase(c, disassemble), ...lines.map((line) => `  * ${line}`)].join('\n');
  return { mnemonic: c.name, report };
}

/** @param only limits the rows of the group by name */
export function replay(group: Group, subject: Subject, only?: RegExp, disassemble?: Disassembler): Replay {
  const expectations = new ExpectationReader(group.name);
  const failures: Failure[] = [];
  let cases = 0;
  for (const c of casesOf(group)) {
    const expected = expectations.next(c);
    if (only && !only.test(c.name)) continue;
    cases++;
    const failure = check(c, expected, subject, disassemble);
    if (failure) failures.push(failure);
  }
  expectations.finish();
  const stray = subject.strayWrite();
  if (stray >= 0) {
    failures.push({
      mnemonic: 'all',
      report: `${group.name}: memory outside the operands changed at ${stray.toString(16)}`,
    });
  }
  return { cases, failures, oracle: expectations.header.cpu };
}
