// Files that a user names: opened and read with errors that say which file and what to do.

import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { TsvmError } from '../vcpu/vcpu.js';
import { quote } from './options.js';

/** The folder that holds package.json, build/ and guests/: compiled code runs from dist/src/cli/. */
export const ROOT = new URL('../../../', import.meta.url);

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** `what` is what the file is for, e.g. 'image' or 'initrd'. */
export function fileError(error: unknown, what: string, path: string): TsvmError {
  if (error instanceof TsvmError) return error;
  const name = `${what} ${quote(path)}`;
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new TsvmError('E_NOT_FOUND', `${name} does not exist. Check the path.`, 127);
    case 'EACCES':
    case 'EPERM':
      return new TsvmError('E_FILE_PERMISSION', `${name} may not be opened. Check its permissions.`);
    case 'EISDIR':
      return new TsvmError('E_FILE_KIND', `${name} is a directory. Give a file.`);
    case 'EROFS':
      return new TsvmError('E_FILE_PERMISSION', `${name} is on a read-only file system. Add ,ro to --disk.`);
    default:
      return new TsvmError('E_FILE', `${name} cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
}

/** A readable regular file: its size, and its bytes on demand. */
export class InputFile {
  private constructor(
    private readonly fd: number,
    readonly what: string,
    readonly path: string,
    readonly size: number,
  ) {}

  /** Throws E_NOT_FOUND, E_FILE_PERMISSION or E_FILE_KIND. */
  static open(what: string, path: string): InputFile {
    let fd: number;
    try {
      // Without O_NONBLOCK, opening a FIFO would wait for a writer that may never come.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw fileError(error, what, path);
    }
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      const kind = stat.isDirectory() ? 'a directory' : 'not a regular file';
      throw new TsvmError('E_FILE_KIND', `${what} ${quote(path)} is ${kind}. Give a file.`);
    }
    return new InputFile(fd, what, path, stat.size);
  }

  /** The first `length` bytes, or as many as there are. */
  head(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, this.size));
    return bytes.subarray(0, this.readInto(bytes));
  }

  /** Reads from the beginning until `bytes` is full or the file ends; returns how many it read. */
  readInto(bytes: Uint8Array): number {
    let done = 0;
    try {
      while (done < bytes.length) {
        const n = readSync(this.fd, bytes, done, bytes.length - done, done);
        if (n === 0) break;
        done += n;
      }
    } catch (error) {
      throw fileError(error, this.what, this.path);
    }
    return done;
  }

  /** Throws E_FILE_TOO_LARGE above `limit` bytes. */
  checkSize(limit: number): void {
    if (this.size <= limit) return;
    const mib = (n: number) => `${Math.ceil(n / 2 ** 20)} MiB`;
    throw new TsvmError(
      'E_FILE_TOO_LARGE',
      `${this.what} ${quote(this.path)} has ${mib(this.size)}, more than the ${mib(limit)} that can be used here. Give more --memory or a smaller file.`,
    );
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A whole file, refused with E_FILE_TOO_LARGE above `limit` bytes. */
export function readWhole(what: string, path: string, limit: number): Uint8Array {
  const file = InputFile.open(what, path);
  try {
    file.checkSize(limit);
    return file.head(file.size);
  } finally {
    file.close();
  }
}

/** A file that belongs to tsvm itself, by its path inside the package. */
export function readOwn(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(new URL(path, ROOT)));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileError(error, 'file', path);
    throw new TsvmError(
      'E_NOT_BUILT',
      `${path} is missing: tsvm has not been built completely. Run \`npm run build\`.`,
    );
  }
}

export function version(): string {
  const { version } = JSON.parse(new TextDecoder().decode(readOwn('package.json'))) as { version: string };
  return version;
}
