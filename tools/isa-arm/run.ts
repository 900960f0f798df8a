// Compares the AArch64 emulator with the recorded expectations, or live with QEMU on other operands.
//
//   node dist/tools/isa-arm/run.js [GROUP …] [--row REGEXP] [--tier NAME] [--reports N] [--live VARIANT]
//
//   GROUP          groups of tools/isa-arm/groups.ts: integer, branch, system, memory, structures, atomics, fp,
//                  vector-integer, vector-float, crypto, exclusive-pairs, integer-sequences, vector-sequences,
//                  integer-loops, vector-loops, unallocated; all without one
//   --row REGEXP   only rows whose name matches: --row '^FCVT', --row 'LDP'. `--list` prints the names.
//   --tier NAME    interpreter; baseline, optimized: every block compiled before it first runs. All without it.
//   --reports N    so many failing cases in full (default 20, one of each row first)
//   --live VARIANT as many cases with other operands (any text), expectations from qemu-aarch64 at once
//
// Prints failures by row, most first. Exit code 1 if there are any. TSVM_CORE names another core than build/arm.wasm.

import { parseArgs } from 'node:util';
import { disassembleA64 } from '../../src/trace/disassemble-a64.js';
import { TIERS, tiersToTest } from '../isa/emulator-subject.js';
import { type Failure, summarize } from '../isa/replay.js';
import { keepCase } from './case.js';
import { EmulatorSubject } from './emulator-subject.js';
import { casesOf, findGroup, GROUPS } from './groups.js';
import { QemuOracle } from './qemu-oracle.js';
import { check, replay } from './replay.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: 'string' },
    tier: { type: 'string' },
    reports: { type: 'string' },
    live: { type: 'string' },
    list: { type: 'boolean' },
  },
});
const groups = positionals.length > 0 ? positionals.map(findGroup) : GROUPS;
const only = values.row === undefined ? undefined : new RegExp(values.row);
const tiers = values.tier === undefined ? tiersToTest() : TIERS.filter((tier) => tier === values.tier);
if (tiers.length === 0) throw new RangeError(`no tier ${values.tier}. There are: ${TIERS.join(', ')}.`);

function live(subject: EmulatorSubject, group: (typeof GROUPS)[number], variant: string): [number, Failure[]] {
  const oracle = new QemuOracle();
  try {
    const cases = [...casesOf(group, `${variant}/`, only)].map(keepCase);
    const images = oracle.run(cases, group.cpu);
    return [cases.length, cases.flatMap((c, i) => check(c, images[i], subject, disassembleA64) ?? [])];
  } finally {
    oracle.close();
  }
}

if (values.list) {
  for (const group of groups) {
    for (const row of group.rows) console.log(`${group.name.padEnd(16)} ${row.name.padEnd(36)} ${row.pattern.text}`);
  }
} else {
  for (const tier of tiers) {
    for (const group of groups) {
      const subject = await EmulatorSubject.create(tier);
      let cases: number;
      let failures: readonly Failure[];
      if (values.live === undefined) ({ cases, failures } = replay(group, subject, only, disassembleA64));
      else [cases, failures] = live(subject, group, values.live);
      console.log(`${group.name}, ${tier}: ${cases} cases, ${failures.length} failures`);
      if (failures.length === 0) continue;
      process.exitCode = 1;
      console.log(summarize(failures, Number(values.reports ?? 20)));
    }
  }
}
