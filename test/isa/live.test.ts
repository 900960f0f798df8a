// A sample of the cases on this host's CPU under KVM, beside the recorded expectations: are they still what hardware
// does, and does this KVM hand on what hardware does? The emulator has no part in it.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IMAGE_VECTOR } from '../../tools/isa/case.js';
import { casesOf, GROUPS, isNative } from '../../tools/isa/cases.js';
import { describeCase, differences } from '../../tools/isa/compare.js';
import { ExpectationReader } from '../../tools/isa/expected.js';
import { KvmOracle } from '../../tools/isa/kvm-oracle.js';
import { forgetMake, hostCpu, sameMake } from '../../tools/isa/makes.js';
import { dataFile } from '../../tools/isa/replay.js';
import { kvmUnavailable } from '../vmm/kvm-guest.js';

/** One case in so many; another choice each time. */
const SAMPLE = 150;
/** #UD, #SS, #GP: a KVM that interprets the instruction after such an exception may come to another one. */
const INTERPRETED: ReadonlySet<number> = new Set([6, 12, 13]);

const why = kvmUnavailable();
if (why) console.log(`skipped: ${why}`);
const kvmTest = why ? test.skip : test;

for (const group of GROUPS.filter((name) => !isNative(name))) {
  kvmTest(`${group}: a sample of the expectations is what this CPU does under KVM`, () => {
    const oracle = new KvmOracle();
    const expectations = new ExpectationReader(dataFile(group));
    const offset = Date.now() % SAMPLE;
    const oneMake = sameMake(hostCpu(), expectations.header.cpu);
    let compared = 0;
    const failures: string[] = [];
    try {
      for (const c of casesOf(group)) {
        const expected = expectations.next(c);
        if (c.index % SAMPLE !== offset || INTERPRETED.has(expected[IMAGE_VECTOR])) continue;
        compared++;
        let lines: string[] = [];
        // An interruption at the wrong moment makes KVM interpret, too: then a second time is different.
        for (let tries = 0; tries < 3; tries++) {
          const got = oracle.run(c);
          const recorded = expected.slice();
          if (typeof got === 'string') lines = [got];
          else lines = oneMake || forgetMake(c, recorded, got) ? differences(c, recorded, got) : [];
          if (lines.length === 0) break;
        }
        if (lines.length > 0) failures.push([describeCase(c), ...lines.map((line) => `  * ${line}`)].join('\n'));
      }
    } finally {
      oracle.close();
    }
    expectations.finish();
    if (failures.length > 0) {
      console.log(`recorded on ${expectations.header.cpu}\n${failures.slice(0, 20).join('\n')}`);
    }
    assert.ok(compared > 0);
    assert.is(failures.length, 0);
  });
}

test.run();
