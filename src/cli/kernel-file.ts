// A large kernel, read straight to where it goes in guest memory.

import { closeSync, constants, openSync, read } from 'node:fs';
import type { ImageFile } from '../loaders/index.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { InputFile } from './files.js';
import { quote } from './options.js';

/** Node's threads read so many pieces at the same time. */
const PIECES = 2;

export class KernelFile implements ImageFile {
  /** What readAhead() has filled. */
  private filled: Uint8Array | undefined;

  constructor(
    private readonly what: string,
    private readonly path: string,
    /** Bytes, when the file was looked at. */
    readonly length: number,
  ) {}

  readInto(into: Uint8Array): void {
    const { filled } = this;
    // A reset wants it from the file again.
    this.filled = undefined;
    if (filled && filled.buffer === into.buffer && filled.byteOffset === into.byteOffset) return;
    const file = InputFile.open(this.what, this.path);
    try {
      if (file.readInto(into) === into.length) return;
      const found = `${this.what} ${quote(this.path)} has become shorter while it was used`;
      throw new TsvmError('E_FILE', `${found}. Start again.`);
    } finally {
      file.close();
    }
  }

  async readAhead(into: Uint8Array): Promise<void> {
    let fd: number;
    try {
      // As InputFile does: not to wait for a writer, should it be a FIFO by now.
      fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      // readInto() will say why.
      return;
    }
    const size = Math.ceil(into.length / PIECES);
    const starts = Array.from({ length: PIECES }, (_, i) => i * size);
    const read = await Promise.all(starts.map((at) => readPiece(fd, into, at, Math.min(at + size, into.length))));
    closeSync(fd);
    if (read.every((whole) => whole)) this.filled = into;
  }
}

/** Reads into[at, end) from the same place of the file; false if that ends before, or cannot be read. */
function readPiece(fd: number, into: Uint8Array, at: number, end: number): Promise<boolean> {
  return new Promise((resolve) => {
    const next = (): void => {
      if (at === end) resolve(true);
      else read(fd, into, at, end - at, at, done);
    };
    const done = (error: Error | null, bytes: number): void => {
      at += bytes;
      if (error || bytes === 0) resolve(false);
      else next();
    };
    next();
  });
}
