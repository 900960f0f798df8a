// Puts the command's modules together into one script, dist/bundle/cli/main.js: what is found, read and parsed at once starts
// sooner, and what V8 makes of it can be kept (bin/bundle.cjs). The folder is as deep as dist/src/cli, so that src/cli/files.ts
// finds the checkout from both.
// Of the packages, commander comes along: every start needs it. The others are found where npm has put them.

import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
// The cache goes, too: V8 would take it for that of any bundle of the same length.
rmSync(`${root}dist/bundle`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['dist/src/cli/main.js'],
  outfile: 'dist/bundle/cli/main.js',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // Less to read at each start; names stay, for they are in reports of errors.
  minifyWhitespace: true,
  minifySyntax: true,
  external: Object.keys(dependencies).filter((name) => name !== 'commander'),
  define: { 'import.meta.url': 'bundleUrl' },
  // An expression: the function that bin/bundle.cjs calls.
  banner: {
    js: "(function(exports,require,module,__filename){'use strict';const bundleUrl=require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  // A script of its own making has no import().
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
});
