// Runs the real command line on a guest image.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface GuestRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `tsvm run image …args`, from the project's folder; killed after `seconds`. */
export function runGuest(image: string, args: readonly string[], seconds = 60): GuestRun {
  const done = spawnSync(process.execPath, ['bin/tsvm.cjs', 'run', image, ...args], {
    cwd: ROOT,
    input: '',
    encoding: 'latin1',
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}
