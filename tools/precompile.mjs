// The last step of a build: keeps what V8 would otherwise make anew at each start, for the Node that builds. Of the cores
// their machine code (src/cli/core-file.ts), of the command's bundle its code cache (bin/bundle.cjs). tsvm does without.
//
// `node tools/precompile.mjs` makes each in a process of its own, which V8 ends if it cannot.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const CORES = ['x86', 'arm'];
/** The code cache has the functions that these need, without the compiling tiers: those change flags, which V8 compares. */
const GUESTS = ['guests/hello.img', 'guests/arm/hello.img'];

/** Nothing but a whole file is ever found at `path`. */
function writeWhole(path, bytes) {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

async function machineCode(core) {
  const { machineCodePath, makeMachineCode, takeMachineCode } = await import('../dist/src/cli/core-file.js');
  const path = `build/${core}.wasm`;
  const wasm = readFileSync(root + path);
  const file = Buffer.from(makeMachineCode(wasm));
  if (!takeMachineCode(file, wasm)) throw new Error('V8 does not take its own machine code back');
  writeWhole(root + machineCodePath(path), file);
}

async function codeCache() {
  const { CACHE, loadBundle } = createRequire(import.meta.url)('../bin/bundle.cjs');
  const { script, exports } = loadBundle();
  for (const guest of GUESTS) {
    process.argv = [process.execPath, 'tsvm', 'run', root + guest, '--mode', 'emu', '--jit', 'off'];
    const exitCode = await exports.main();
    if (exitCode !== 0) throw new Error(`${guest} ended with ${exitCode}`);
  }
  writeWhole(CACHE, script.createCachedData());
  process.exit(0);
}

const [part] = process.argv.slice(2);
if (part === 'bundle') await codeCache();
else if (part) await machineCode(part);
else {
  for (const name of readdirSync(`${root}build`)) if (name.endsWith('.code')) rmSync(`${root}build/${name}`);
  for (const each of [...CORES, 'bundle']) {
    // The guests print on the output that is ignored.
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), each], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (child.status === 0) continue;
    process.stderr.write(`tools/precompile.mjs: none kept of ${each}, tsvm will start more slowly: ${child.stderr}\n`);
  }
}
