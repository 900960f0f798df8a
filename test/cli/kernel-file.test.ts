// A kernel that is read into guest memory, also while something else is done.

import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KernelFile } from '../../src/cli/kernel-file.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { scratch } from './spawn.js';

const LENGTH = 100_001;
const content = (seed: number): Uint8Array => Uint8Array.from({ length: LENGTH }, (_, i) => (i * 7 + seed) >> 3);
const kernel = (path: string): KernelFile => new KernelFile('kernel', path, LENGTH);

/** Memory with room for the kernel at `at`, and something else around. */
function memory(at: number): { readonly all: Uint8Array; readonly into: Uint8Array } {
  const all = new Uint8Array(LENGTH + 64).fill(0xee);
  return { all, into: all.subarray(at, at + LENGTH) };
}

function around({ all, into }: { readonly all: Uint8Array; readonly into: Uint8Array }): number[] {
  const at = into.byteOffset;
  return [...all.subarray(0, at), ...all.subarray(at + LENGTH)];
}

test('the file is read, and nothing else is written', () => {
  const to = memory(16);
  kernel(scratch('kernel', content(1))).readInto(to.into);
  assert.equal(to.into, content(1));
  assert.ok(around(to).every((byte) => byte === 0xee));
});

test('what was read ahead is not read again, except after a reset', async () => {
  const path = scratch('ahead', content(2));
  const file = kernel(path);
  const to = memory(32);
  await file.readAhead(to.into);
  assert.equal(to.into, content(2));
  assert.ok(around(to).every((byte) => byte === 0xee));
  writeFileSync(path, content(3));
  file.readInto(to.into);
  assert.equal(to.into, content(2));
  file.readInto(to.into);
  assert.equal(to.into, content(3));
});

test('what was read ahead to another place is read to the right one', async () => {
  const file = kernel(scratch('elsewhere', content(4)));
  await file.readAhead(memory(0).into);
  const to = memory(8);
  file.readInto(to.into);
  assert.equal(to.into, content(4));
});

test('a file that has become shorter is refused when it is loaded', async () => {
  const path = scratch('shorter', content(5).subarray(0, LENGTH - 1));
  const file = kernel(path);
  const { into } = memory(0);
  await file.readAhead(into);
  assert.throws(
    () => file.readInto(into),
    (error: unknown) =>
      error instanceof TsvmError && error.code === 'E_FILE' && /has become shorter/.test(error.message),
  );
});

test('a file that has gone is refused when it is loaded', async () => {
  const path = scratch('gone', content(6));
  const file = kernel(path);
  rmSync(path);
  const { into } = memory(0);
  await file.readAhead(into);
  assert.throws(
    () => file.readInto(into),
    (error: unknown) => error instanceof TsvmError && error.code === 'E_NOT_FOUND',
  );
});

test.run();
