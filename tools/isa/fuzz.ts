// Looks for cases beyond the recorded ones: `node dist/tools/isa/fuzz.js variant [group …]` compares the emulator with
// this machine's CPU on other operands. Needs gcc; what is found is to be understood, mended, and recorded.

import type { Case } from './case.js';
import { casesOf, GROUPS } from './cases.js';
import { describeCase, differences } from './compare.js';
import { EmulatorSubject, tiersToTest } from './emulator-subject.js';
import { keepCase, NativeOracle } from './native-oracle.js';
import { type Failure, summarize } from './replay.js';

const BATCH = 4096;

function compareBatch(batch: readonly Case[], oracle: NativeOracle, subject: EmulatorSubject): Failure[] {
  return oracle.run(batch).flatMap((expected, i) => {
    const c = batch[i];
    const got = subject.run(c);
    const lines = typeof got === 'string' ? [got] : differences(c, expected, got);
    if (lines.length === 0) return [];
    return [{ mnemonic: c.mnemonic, report: [describeCase(c), ...lines.map((line) => `  * ${line}`)].join('\n') }];
  });
}

const [variant = 'other', ...groups] = process.argv.slice(2);
const oracle = new NativeOracle();
try {
  for (const tier of tiersToTest()) {
    const subject = await EmulatorSubject.create(tier);
    // A process has no supervisor pages, and its kernel hides what its own addresses are: faults64 needs KVM.
    for (const group of groups.length > 0 ? groups : GROUPS.filter((name) => name !== 'faults64')) {
      const failures: Failure[] = [];
      let batch: Case[] = [];
      let cases = 0;
      for (const c of casesOf(group, `${variant}/`)) {
        cases++;
        batch.push(keepCase(c));
        if (batch.length < BATCH) continue;
        failures.push(...compareBatch(batch, oracle, subject));
        batch = [];
      }
      failures.push(...compareBatch(batch, oracle, subject));
      console.log(`${group}, ${tier}: ${cases} cases, ${failures.length} failures`);
      if (failures.length > 0) console.log(summarize(failures));
    }
  }
} finally {
  oracle.close();
}
