#!/usr/bin/env node
const { statSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { BUNDLE, loadBundle } = require('./bundle.cjs');

const DIST = join(__dirname, '../dist');
const MODULES = join(DIST, 'src/cli/main.js');

/** When the file was written; 0 without it. */
function written(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (!written(MODULES)) {
  process.stderr.write('E_NOT_BUILT: tsvm has not been built yet. Run `npm ci` (or `npm run build`) first.\n');
  process.exit(125);
}
// The bundle starts sooner, but a compiler that writes dist/src leaves it behind.
const isBundled = written(BUNDLE) > written(join(DIST, '.tsbuildinfo'));
const loading = isBundled ? Promise.resolve(loadBundle().exports) : import(pathToFileURL(MODULES).href);
// Standard input may still be open: nothing but this ends the process.
loading.then(({ main }) => main()).then((exitCode) => process.exit(exitCode));
