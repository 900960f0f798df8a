#!/usr/bin/env node
import { existsSync } from 'node:fs';

const entry = new URL('../dist/src/cli/main.js', import.meta.url);
if (!existsSync(entry)) {
  process.stderr.write('E_NOT_BUILT: tsvm has not been built yet. Run `npm ci` (or `npm run build`) first.\n');
  process.exit(125);
}
await import(entry.href);
