// The benchmark workloads built for AArch64 give the checksums that they give everywhere, in both tiers of the emulator.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WORKLOADS } from '../../bench/workloads.js';
import { runGuest } from './run-guest.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Without REP prefixes and ports there is nothing to measure. */
const X86_ONLY = ['rep', 'port'];

for (const { name, checksum } of WORKLOADS.filter((workload) => !X86_ONLY.includes(workload.name))) {
  const image = `guests/bench/aarch64/${name}.img`;
  test(`${name}: has an image`, () => assert.ok(existsSync(ROOT + image)));
  for (const jit of ['off', 'on']) {
    test(`${name}, jit ${jit}`, () => {
      const parameters = ['--append', 'rounds=1 repeat=1', '--mode', 'emu', '--jit', jit];
      const { code, stdout, stderr } = runGuest(image, parameters, 120);
      assert.is(stdout.replaceAll('\r', ''), `start\nround ${checksum}\n`, stderr);
      assert.is(code, 0);
    });
  }
}

test.run();
