// The suites that stress the code cache, on a debug build, which asserts its invariants after each event.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SUITES = [
  'emulator-x86/fuzz',
  'jit/self-modifying',
  'jit/second-page',
  'jit/precise',
  'jit/ranges',
  'jit/endless',
];

function run(args: readonly string[], env: Record<string, string> = {}): { status: number | null; output: string } {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env } });
  return { status: result.status, output: result.stdout + result.stderr };
}

test.before(() => {
  const { status, output } = run(['tools/build-core.mjs', '--debug', 'x86']);
  assert.is(status, 0, output);
});

for (const suite of SUITES) {
  test(`${suite}, with invariants asserted`, () => {
    const { status, output } = run([`dist/test/${suite}.test.js`], {
      TSVM_CORE: `${ROOT}build/debug/x86.wasm`,
      TSVM_FUZZ_SEEDS: '66',
    });
    assert.is(status, 0, output);
    assert.match(output, /Passed: +[1-9]/);
  });
}

test.run();
