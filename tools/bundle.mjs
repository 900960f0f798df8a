// Puts the command's modules together into a few files, dist/bundle: node has fewer to find and read,
// which every `tsvm run` begins with. Dynamic imports stay apart. The folder is as deep as dist/src/cli, so that
// src/cli/files.ts finds the checkout from both.
// Of the packages, commander comes along: every start needs it. The others are found where npm has put them.
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
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
  external: Object.keys(dependencies).filter((name) => name !== 'commander'),
  // commander is CommonJS, and requires modules of Node.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  chunkNames: '[name]-[hash]',
  logLevel: 'warning',
});
