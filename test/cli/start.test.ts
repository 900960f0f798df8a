// What a build keeps for the next starts: machine code of the cores, code cache of the command.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { machineCodePath, takeMachineCode } from '../../src/cli/core-file.js';
import { ROOT } from './spawn.js';

const CORES = ['build/x86.wasm', 'build/arm.wasm'] as const;
const read = (path: string): Buffer => readFileSync(join(ROOT, path));

/** Of every core whose machine code the build kept; another Node than that which built has none. */
function forKept(what: string, check: (wasm: Uint8Array, kept: Buffer) => void): void {
  for (const path of CORES) {
    test(`${path}: ${what}`, () => {
      const kept = machineCodePath(path);
      if (!existsSync(join(ROOT, kept))) {
        console.log(`skipped: there is no ${kept}`);
        return;
      }
      check(new Uint8Array(read(path)), read(kept));
    });
  }
}

forKept('kept machine code becomes the same module', (wasm, kept) => {
  const module = takeMachineCode(kept, wasm);
  assert.instance(module, WebAssembly.Module);
  const compiled = new WebAssembly.Module(wasm as BufferSource);
  assert.equal(WebAssembly.Module.exports(module!), WebAssembly.Module.exports(compiled));
  assert.equal(WebAssembly.Module.imports(module!), WebAssembly.Module.imports(compiled));
});

forKept('machine code of another core is not taken', (wasm, kept) => {
  const other = wasm.slice();
  other[other.length - 1] ^= 1;
  assert.is(takeMachineCode(kept, other), undefined);
  assert.is(takeMachineCode(kept, wasm.slice(1)), undefined);
});

forKept("another V8's machine code is not taken", (wasm, kept) => {
  // V8's own header comes first: magic number, version, processor's features, flags.
  for (const word of [0, 1, 2, 3]) {
    const foreign = Buffer.from(kept);
    foreign[4 + wasm.length + word * 4] ^= 0x55;
    assert.is(takeMachineCode(foreign, wasm), undefined, `word ${word}`);
  }
});

forKept('a file without machine code is not taken', (wasm, kept) => {
  assert.is(takeMachineCode(kept.subarray(0, 4 + wasm.length), wasm), undefined);
  assert.is(takeMachineCode(kept.subarray(0, 3), wasm), undefined);
  assert.is(takeMachineCode(Buffer.alloc(0), wasm), undefined);
});

const hello = (...nodeOptions: string[]) =>
  spawnSync(process.execPath, [...nodeOptions, 'bin/tsvm.cjs', 'run', 'guests/hello.img', '--mode', 'emu'], {
    cwd: ROOT,
    encoding: 'utf8',
  });

test('the command starts with other flags of V8, for which neither holds', () => {
  const usual = hello();
  assert.is(usual.status, 0, usual.stderr);
  assert.match(usual.stdout, 'Hello from tsvm!');
  const other = hello('--max-lazy');
  assert.equal([other.status, other.stdout, other.stderr], [0, usual.stdout, '']);
});

test('the code cache is taken', () => {
  const bundle = join(ROOT, 'bin/bundle.cjs');
  const { CACHE } = createRequire(import.meta.url)(bundle);
  if (!existsSync(CACHE)) {
    console.log('skipped: the command has not been bundled');
    return;
  }
  const load = `process.exit(require(${JSON.stringify(bundle)}).loadBundle().script.cachedDataRejected ? 1 : 0)`;
  assert.is(spawnSync(process.execPath, ['-e', load]).status, 0);
});

test.run();
