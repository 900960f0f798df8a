// Whole guests through the command line: under the instruction clock, a run ends in the same state to the last bit however
// much of it was compiled.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch, tsvm } from '../cli/spawn.js';

interface Statistics {
  readonly exitCode: number;
  readonly instructions: number;
  readonly guestNanoseconds: number;
  readonly stateHash?: string;
  readonly vcpu: { readonly details: Readonly<Record<string, number>> };
}

async function run(image: string, ...options: readonly string[]): Promise<Statistics> {
  const file = scratch('stats.json', '');
  const { code, stderr } = await tsvm(['run', image, '--mode', 'emu', '--stats', file, ...options]);
  assert.is(code, 0, `${image}: ${stderr}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Statistics;
}

for (const name of ['boot16', 'multiboot32', 'rings', 'longmode', 'systests/interrupts', 'systests/gates32']) {
  test(`${name}: the same state, interpreted and compiled`, async () => {
    const of = (jit: string) => run(`guests/${name}.img`, '--clock', 'instructions', '--jit', jit);
    const { vcpu: _, ...expected } = pick(await of('off'));
    assert.match(expected.stateHash ?? '', /^[0-9a-f]{64}$/);
    for (const jit of ['on', 'threshold=1', 'threshold=4000000000,baseline=1']) {
      const { vcpu, ...got } = pick(await of(jit));
      assert.equal(got, expected, jit);
      if (jit !== 'on') assert.ok(vcpu.details['jitRegions'] > 0);
    }
  });
}

/** What must not differ. */
function pick({ exitCode, instructions, guestNanoseconds, stateHash, vcpu }: Statistics) {
  return { exitCode, instructions, guestNanoseconds, stateHash, vcpu };
}

test('with the wall clock, where no two runs are the same, there is no hash', async () => {
  assert.is((await run('guests/hello.img')).stateHash, undefined);
});

test.run();
