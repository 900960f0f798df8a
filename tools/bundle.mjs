// Puts the command's modules together into a few files, dist/bundle: node has fewer to find and read,
// which every `tsvm run` begins with. Dynamic imports stay apart. The folder is as deep as dist/src/cli, so that
// src/cli/files.ts finds the checkout from both.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
rmSync(`${root}dist/bundle`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['dist/src/cli/main.js'],
  outdir: 'dist/bundle/cli',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Less for node to read at each start; names stay, for they are in reports of errors.
  minifyWhitespace: true,
  minifySyntax: true,
  packages: 'external',
  chunkNames: '[name]-[hash]',
  logLevel: 'warning',
});
