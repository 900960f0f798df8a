// The project's own guests through the real command line: what they print and how they exit, in both modes.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { probeKvm } from '../../src/vmm/probe.js';
import { runGuest } from './run-guest.js';

/** Lines that may differ on a back end that is known to differ from the architecture (src/vmm/divergences.ts). */
const DIVERGING: Record<string, Record<string, readonly RegExp[]>> = {
  kvm_pvm: {
    rings: [/^INT 80h/, /^INT 81h/, /^SYSCALL/],
    longmode: [/^kernel: SYSCALL does not enter ring 0/, /^ring 3: hello by INT 80h/, /^kernel: INT 80h raised #UD/],
  },
};

/** Guests that a back end cannot run at all, and why. */
const IMPOSSIBLE: Record<string, Record<string, string>> = {
  kvm_pvm: { multiboot32: '32-bit paging outside long mode does not run on it' },
};

const GUESTS = ['hello', 'rings', 'longmode', 'multiboot32', 'boot16'];
const expected = (name: string) =>
  readFileSync(new URL(`../../../test/data/guests/${name}.txt`, import.meta.url), 'latin1');

for (const name of GUESTS) {
  test(`${name} in emu`, () => {
    const { code, stdout } = runGuest(`guests/${name}.img`, ['--mode', 'emu']);
    assert.is(code, 0);
    assert.is(stdout, expected(name));
  });
}

const kvm = probeKvm();
if (!kvm.usable) {
  console.log(`skipped: guests in virt: ${kvm.error?.message}`);
} else {
  const backend = kvm.backend;
  for (const name of GUESTS) {
    const impossible = IMPOSSIBLE[backend]?.[name];
    if (impossible) {
      console.log(`skipped: ${name} in virt: ${backend}: ${impossible}`);
      continue;
    }
    test(`${name} in virt`, () => {
      const { code, stdout } = runGuest(`guests/${name}.img`, ['--mode', 'virt']);
      assert.is(code, 0);
      const differing = DIVERGING[backend]?.[name] ?? [];
      const agreed = (text: string) => text.split(/\r?\n/).filter((line) => !differing.some((d) => d.test(line)));
      assert.equal(agreed(stdout), agreed(expected(name)));
    });
  }
}

test.run();
