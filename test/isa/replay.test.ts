// Every instruction case against the answers that real hardware gave. TSVM_TIER limits the tiers, TSVM_ISA the groups.

import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GROUPS } from '../../tools/isa/cases.js';
import { EmulatorSubject, tiersToTest } from '../../tools/isa/emulator-subject.js';
import { dataFile, replay, summarize } from '../../tools/isa/replay.js';

const wanted = process.env['TSVM_ISA']?.split(',') ?? GROUPS;

for (const tier of tiersToTest()) {
  for (const group of GROUPS.filter((name) => wanted.includes(name))) {
    test(`${group}, ${tier}`, async () => {
      assert.ok(existsSync(dataFile(group)), `no expectations for ${group}: record them`);
      const subject = await EmulatorSubject.create(tier);
      const { cases, failures, cpu } = replay(group, subject);
      console.log(`${group}, ${tier}: ${cases} cases as on ${cpu}, ${failures.length} failures`);
      if (failures.length > 0) console.log(summarize(failures));
      assert.is(failures.length, 0);
      assert.is(subject.refused(), 0, 'all was compiled');
    });
  }
}

test.run();
