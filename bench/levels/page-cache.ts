// Starts are cold when the files they read are not in memory: asks Linux to forget its copies.

import { closeSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** posix_fadvise(2): do not expect access in the near future, which for clean pages means: drop them. */
const POSIX_FADV_DONTNEED = 4;

type Advise = (fd: number, offset: number, length: number, advice: number) => number;

/** posix_fadvise, or undefined where koffi or the C library is missing. */
function loadAdvise(): Advise | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const libc = koffi.load('libc.so.6');
    return libc.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)') as Advise;
  } catch {
    return undefined;
  }
}

/** Regular files only: opening a device or a pipe could do anything. */
function* filesBelow(path: string): Generator<string> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) yield path;
  else if (found?.isDirectory()) for (const name of readdirSync(path)) yield* filesBelow(join(path, name));
}

/**
 * A function that makes the system forget files and all files below folders; undefined where that cannot be asked for.
 * Pages that a running process has mapped stay, and so does whatever a host below keeps.
 */
export function createEvictor(): ((paths: readonly string[]) => void) | undefined {
  const advise = loadAdvise();
  if (!advise) return undefined;
  return (paths) => {
    for (const path of paths) {
      for (const file of filesBelow(path)) {
        const fd = openSync(file, 'r');
        advise(fd, 0, 0, POSIX_FADV_DONTNEED);
        closeSync(fd);
      }
    }
  };
}
