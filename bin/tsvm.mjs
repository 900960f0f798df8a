#!/usr/bin/env node
import { statSync } from 'node:fs';

/** When the file was written; 0 without it. */
function written(path) {
  return statSync(new URL(`../dist/${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// The bundle starts sooner, but a compiler that writes dist/src leaves it behind.
const bundle = 'bundle/cli/main.js';
const modules = 'src/cli/main.js';
if (!written(modules)) {
  process.stderr.write('E_NOT_BUILT: tsvm has not been built yet. Run `npm ci` (or `npm run build`) first.\n');
  process.exit(125);
}
const entry = written(bundle) > written('.tsbuildinfo') ? bundle : modules;
await import(new URL(`../dist/${entry}`, import.meta.url).href);
