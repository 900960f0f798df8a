// Compiles the AssemblyScript cores to build/*.wasm. `node tools/build-core.mjs [--debug]`
import { mkdirSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const root = new URL('..', import.meta.url).pathname;
const debug = process.argv.includes('--debug');
mkdirSync(`${root}build`, { recursive: true });

const cores = [['assembly/x86/index.ts', 'build/x86.wasm']];

for (const [source, output] of cores) {
  const { error, stderr } = await asc.main(
    [
      source,
      '--outFile',
      output,
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
      '201',
      '--enable',
      'simd',
    ],
    { stdout: process.stdout, stderr: process.stderr },
  );
  if (error) {
    process.stderr.write(`${stderr}\n`);
    process.exit(1);
  }
}
