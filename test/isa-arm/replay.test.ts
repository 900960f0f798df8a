// Every A64 case against the recorded answers. TSVM_TIER limits the tiers, TSVM_ISA the groups.

import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tiersToTest } from '../../tools/isa/emulator-subject.js';
import { summarize } from '../../tools/isa/replay.js';
import { EmulatorSubject } from '../../tools/isa-arm/emulator-subject.js';
import { dataFile } from '../../tools/isa-arm/expected.js';
import { GROUPS } from '../../tools/isa-arm/groups.js';
import { replay } from '../../tools/isa-arm/replay.js';

const wanted = process.env['TSVM_ISA']?.split(',') ?? GROUPS.map((g) => g.name);

for (const tier of tiersToTest()) {
  for (const group of GROUPS.filter((g) => wanted.includes(g.name))) {
    test(`${group.name}, ${tier}`, async () => {
      assert.ok(existsSync(dataFile(group.name)), `no expectations for ${group.name}: record them`);
      const subject = await EmulatorSubject.create(tier);
      const { cases, failures, oracle } = replay(group, subject);
      console.log(`${group.name}, ${tier}: ${cases} cases as on ${oracle}, ${failures.length} failures`);
      if (failures.length > 0) console.log(summarize(failures));
      assert.is(failures.length, 0);
      assert.is(subject.refused(), 0, 'all was compiled');
    });
  }
}

test.run();
