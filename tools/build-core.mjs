// Compiles the AssemblyScript cores to build/*.wasm, and beside each writes the names of the functions in its table
// (build/*.helpers.json), which the IR calls by number. `node tools/build-core.mjs [--debug] [x86] [arm]`;
// without a name both are built.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const debug = process.argv.includes('--debug');
const folder = debug ? 'build/debug' : 'build';
mkdirSync(root + folder, { recursive: true });

// Interpreter and compiler are shared: ISA_AARCH64 says for which instruction set they are built.
const all = ['x86', 'arm'];
const named = all.filter((core) => process.argv.includes(core));

/** The table of a module in text format, as an array of function names without their files; entry 0 is empty. */
function tableNames(text) {
  const [, first, functions] = /^ *\(elem \S+ \(i32\.const (\d+)\) ([^()]*)\)/m.exec(text) ?? ['', '0', ''];
  const names = functions.split(' ').map((name) => name.slice(Math.max(name.lastIndexOf('/'), 0) + 1));
  return [...Array(Number(first)).fill(''), ...names];
}

function write(name, contents) {
  if (name.endsWith('.wat')) {
    writeFileSync(root + name.replace(/\.wat$/, '.helpers.json'), `${JSON.stringify(tableNames(contents))}\n`);
  } else writeFileSync(root + name, contents);
}

for (const core of named.length ? named : all) {
  const { error, stderr } = await asc.main(
    [
      `assembly/${core}/index.ts`,
      '--outFile',
      `${folder}/${core}.wasm`,
      '--textFile',
      `${folder}/${core}.wat`,
      ...(debug ? ['-O1', '--debug'] : ['-O3', '--noAssert']),
      '--baseDir',
      root,
      '--runtime',
      'stub',
      '--importMemory',
      '--memoryBase',
      String(0x10000),
      '--initialMemory',
      '4',
      '--exportTable',
      '--disableWarning',
      '112',
      '--disableWarning',
      '201',
      '--enable',
      'simd',
      '--use',
      `ISA_AARCH64=${core === 'arm' ? 1 : 0}`,
    ],
    { stdout: process.stdout, stderr: process.stderr, writeFile: write },
  );
  if (error) {
    process.stderr.write(`${stderr}\n`);
    process.exit(1);
  }
}
