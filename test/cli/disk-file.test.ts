import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DiskFile, ThrowAwayOverlay } from '../../src/cli/disk-file.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { scratch } from './spawn.js';

const sector = (value: number) => new Uint8Array(512).fill(value);

function makeDisk(name: string, bytes: number): string {
  return scratch(
    name,
    Uint8Array.from({ length: bytes }, (_, i) => 1 + Math.floor(i / 512)),
  );
}

test('reads and writes sectors of the file', () => {
  const path = makeDisk('rw.img', 4 * 512);
  const disk = DiskFile.open(path, false);
  assert.is(disk.sectors, 4);
  const into = new Uint8Array(1024);
  disk.read(1, 2, into);
  assert.is(into[0], 2);
  assert.is(into[512], 3);
  disk.write(2, sector(9));
  disk.flush();
  disk.close();
  const file = readFileSync(path);
  assert.equal([file[0], file[512], file[1024], file[1536]], [1, 2, 9, 4]);
});

test('a partial last sector reads as zeros behind its end and keeps its length', () => {
  const path = makeDisk('odd.img', 700);
  const disk = DiskFile.open(path, false);
  assert.is(disk.sectors, 2);
  const into = sector(0xee);
  disk.read(1, 1, into);
  assert.equal([into[0], into[187], into[188], into[511]], [2, 2, 0, 0]);
  assert.throws(
    () => disk.write(1, sector(9)),
    (e: Error) => e instanceof TsvmError && e.code === 'E_DISK_WRITE',
  );
  disk.close();
  assert.is(readFileSync(path).length, 700);
});

test('a read-only disk refuses writes', () => {
  const disk = DiskFile.open(makeDisk('ro.img', 512), true);
  assert.ok(disk.readOnly);
  assert.throws(
    () => disk.write(0, sector(9)),
    (e: Error) => e instanceof TsvmError && e.code === 'E_DISK_WRITE',
  );
  disk.close();
});

test('an empty file is no disk', () => {
  assert.throws(
    () => DiskFile.open(scratch('none.img', ''), false),
    (e: Error) => e instanceof TsvmError && e.code === 'E_FILE_KIND',
  );
});

test('the overlay keeps writes to itself', () => {
  const path = makeDisk('base.img', 4 * 512);
  const before = readFileSync(path);
  const below = DiskFile.open(path, true);
  const disk = new ThrowAwayOverlay(below);
  const two = new Uint8Array(1024).fill(7);
  disk.write(1, two);
  two.fill(8);
  const into = new Uint8Array(4 * 512);
  disk.read(0, 4, into);
  assert.equal([into[0], into[512], into[1024], into[1536]], [1, 7, 7, 4]);
  disk.flush();
  below.close();
  assert.equal(readFileSync(path), before);
});

test.run();
