// Runs on `npm ci` (and `npm install`): builds everything, then makes `npx tsvm` find this checkout's
// own command at once, without asking a registry.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// A production-only install has no compiler; it then has to bring dist/ and build/ along.
if (existsSync(`${root}node_modules/typescript`)) {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
}
const link = `${root}node_modules/.bin/tsvm`;
mkdirSync(`${root}node_modules/.bin`, { recursive: true });
rmSync(link, { force: true });
symlinkSync('../../bin/tsvm.cjs', link);
