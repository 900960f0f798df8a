// A raw disk image file as a block device's backend.

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { BlockBackend } from '../devices/block-backend.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { fileError } from './files.js';
import { quote } from './options.js';

export const SECTOR_SIZE = 512;

/**
 * One sector is 512 bytes; a last partial sector is padded with zeros when read and refused when written, so
 * that the file keeps its length.
 */
export class DiskFile implements BlockBackend {
  readonly sectors: number;

  private constructor(
    private readonly fd: number,
    readonly path: string,
    private readonly size: number,
    readonly readOnly: boolean,
  ) {
    this.sectors = Math.ceil(size / SECTOR_SIZE);
  }

  /**
   * @param fallBackToReadOnly open a file that may not be written as a read-only disk instead of refusing it
   */
  static open(path: string, readOnly: boolean, fallBackToReadOnly = false): DiskFile {
    let fd: number;
    let opened = readOnly;
    try {
      fd = openSync(path, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (readOnly || !fallBackToReadOnly || (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM')) {
        throw fileError(error, 'disk', path);
      }
      try {
        fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
        opened = true;
      } catch (again) {
        throw fileError(again, 'disk', path);
      }
    }
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size === 0) {
      closeSync(fd);
      const why = stat.isFile() ? 'is empty' : 'is not a regular file';
      throw new TsvmError('E_FILE_KIND', `disk ${quote(path)} ${why}. Give a raw disk image.`);
    }
    return new DiskFile(fd, path, stat.size, opened);
  }

  read(sector: number, count: number, into: Uint8Array): void {
    const length = count * SECTOR_SIZE;
    let done = 0;
    while (done < length) {
      const n = readSync(this.fd, into, done, length - done, sector * SECTOR_SIZE + done);
      if (n === 0) break;
      done += n;
    }
    into.fill(0, done, length);
  }

  write(sector: number, from: Uint8Array): void {
    const start = sector * SECTOR_SIZE;
    if (this.readOnly || start + from.length > this.size) {
      throw new TsvmError('E_DISK_WRITE', `disk ${quote(this.path)} cannot be written at sector ${sector}.`);
    }
    let done = 0;
    while (done < from.length) done += writeSync(this.fd, from, done, from.length - done, start + done);
  }

  flush(): void {
    if (!this.readOnly) fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Writes stay in memory and vanish with the run; the file below is only read. */
export class ThrowAwayOverlay implements BlockBackend {
  readonly readOnly = false;
  private readonly written = new Map<number, Uint8Array>();

  constructor(private readonly below: BlockBackend) {}

  get sectors(): number {
    return this.below.sectors;
  }

  read(sector: number, count: number, into: Uint8Array): void {
    this.below.read(sector, count, into);
    for (let i = 0; i < count; i++) {
      const data = this.written.get(sector + i);
      if (data) into.set(data, i * SECTOR_SIZE);
    }
  }

  write(sector: number, from: Uint8Array): void {
    for (let at = 0; at < from.length; at += SECTOR_SIZE) {
      this.written.set(sector + at / SECTOR_SIZE, from.slice(at, at + SECTOR_SIZE));
    }
  }

  flush(): void {}
}
