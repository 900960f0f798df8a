// The AArch64 guests through the real command line, in all tiers of the emulator; and, where QEMU is installed, the same
// images there: they must print the same.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ARM_GUESTS, ARM_SYSTESTS, type ArmGuest } from './arm-guests.js';
import { runGuest } from './run-guest.js';

const GUESTS = fileURLToPath(new URL('../../../guests/arm/', import.meta.url));
const TIERS = ['off', 'threshold=1', 'threshold=4000000000,baseline=1'];

const expected = (name: string, machine: string) => {
  const level = machine.includes('virtualization=on') ? 'el2' : 'el1';
  return readFileSync(new URL(`../../../test/data/guests/arm/${name}-${level}.txt`, import.meta.url), 'latin1');
};
const run = (image: string, machine: string, jit: string) =>
  runGuest(`guests/arm/${image}.img`, ['--mode', 'emu', '--machine', machine, '--jit', jit]);

for (const { name, machines } of ARM_GUESTS) {
  for (const machine of machines) {
    for (const jit of TIERS) {
      test(`${name} on ${machine}, jit ${jit}`, () => {
        const { code, stdout, stderr } = run(name, machine, jit);
        assert.is(stdout, expected(name, machine), stderr);
        assert.is(code, 0);
      });
    }
  }
}

test('every source of a system test has its image and its place in the list', () => {
  const names = (ending: string) =>
    readdirSync(`${GUESTS}systests`)
      .filter((file) => file.endsWith(ending))
      .map((file) => file.slice(0, -ending.length))
      .sort();
  assert.equal(names('.c'), names('.img'));
  assert.equal(names('.c'), ARM_SYSTESTS.map(({ name }) => name).sort());
});

for (const { name, machines } of ARM_SYSTESTS) {
  for (const machine of machines) {
    for (const jit of TIERS) {
      test(`${name} on ${machine}, jit ${jit}`, () => {
        const { code, stdout, stderr } = run(`systests/${name}`, machine, jit);
        const failed = stdout.split('\n').filter((line) => line.includes('FAIL'));
        assert.equal(failed, [], stderr);
        assert.match(stdout, 'all checks passed');
        assert.is(code, 0);
      });
    }
  }
}

const QEMU = 'qemu-system-aarch64';
const hasQemu = spawnSync(QEMU, ['--version']).status === 0;
if (!hasQemu) console.log(`skipped: the AArch64 guests on QEMU: ${QEMU} is not installed`);

/** What QEMU's console shows. */
function qemu(image: string, machine: string): string {
  const board = ['-M', machine, '-cpu', 'max', '-m', '128', '-display', 'none', '-monitor', 'none'];
  const args = [...board, '-serial', 'stdio', '-kernel', `${GUESTS}${image}.img`];
  return spawnSync(QEMU, args, { input: '', encoding: 'latin1', timeout: 60_000, killSignal: 'SIGKILL' }).stdout;
}

/** Lines that are to be the same; the verdict is not where QEMU is known to be wrong. */
function comparable(text: string, guest: ArmGuest): string[] {
  const lines = text.split(/\r?\n/);
  const { wrongInQemu } = guest;
  return wrongInQemu
    ? lines.filter((line) => !wrongInQemu.test(line) && !/^all checks|^some checks/.test(line))
    : lines;
}

for (const [folder, guests] of [
  ['', ARM_GUESTS],
  ['systests/', ARM_SYSTESTS],
] as const) {
  for (const guest of guests) {
    for (const machine of guest.machines) {
      (hasQemu ? test : test.skip)(`${guest.name} on ${machine} prints the same under QEMU`, () => {
        const image = `${folder}${guest.name}`;
        assert.equal(comparable(run(image, machine, 'off').stdout, guest), comparable(qemu(image, machine), guest));
      });
    }
  }
}

test.run();
