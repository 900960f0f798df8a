import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recognizeImage } from '../../src/loaders/index.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import {
  buildArm64Image,
  buildBootSector,
  buildBzImage,
  buildElf,
  buildMultibootElf,
  buildMultibootFlat,
  buildPvh,
  multibootHeader,
  pattern,
  Writer,
} from './builders.js';

const one = [{ paddr: 0x100000, data: pattern(64) }];

function refusal(bytes: Uint8Array): TsvmError {
  try {
    const found = recognizeImage(bytes);
    throw new Error(`accepted as ${found.kind}`);
  } catch (error) {
    if (!(error instanceof TsvmError)) throw error;
    return error;
  }
}

function refused(bytes: Uint8Array, code: string, words: RegExp): void {
  const error = refusal(bytes);
  assert.is(error.code, code, error.message);
  assert.match(error.message, words);
}

test('every accepted kind is recognized by its content', () => {
  const kinds: [Uint8Array, string, string][] = [
    [buildBzImage(), 'linux-bzimage', 'Linux bzImage 6.1.0-test, boot protocol 2.15, 64-bit entry'],
    [buildMultibootElf(), 'multiboot', 'multiboot 1 kernel, ELF32 i386'],
    [buildMultibootFlat(), 'multiboot', 'multiboot 1 kernel with address fields'],
    [buildPvh(), 'pvh', 'ELF64 x86-64 kernel, PVH entry at 0x1000040'],
    [buildElf({ bits: 64, entry: 0x100000, segments: one }), 'elf64', 'ELF64 x86-64 kernel, entry at 0x100000'],
    [buildElf({ bits: 32, entry: 0x100000, segments: one }), 'elf32', 'ELF32 i386 kernel, entry at 0x100000'],
    [buildBootSector(), 'disk', 'boot sector'],
    [buildBootSector(4), 'disk', 'disk image, 2 KiB'],
  ];
  for (const [bytes, kind, description] of kinds) {
    assert.equal(recognizeImage(bytes), { kind, isa: 'x86', description });
  }
});

test('a load address makes anything a flat binary', () => {
  const found = recognizeImage(buildBzImage(), { loadAddress: 0x8000 });
  assert.is(found.kind, 'flat');
  assert.match(found.description, /0x8000/);
});

test('AArch64 images are recognized for what they are', () => {
  assert.equal([recognizeImage(buildArm64Image())].map((i) => [i.kind, i.isa])[0], ['aarch64-image', 'aarch64']);
  const elf = buildElf({
    bits: 64,
    machine: 183,
    entry: 0x40000000,
    segments: [{ paddr: 0x40000000, data: pattern(8) }],
  });
  assert.is(recognizeImage(elf).isa, 'aarch64');
});

test('a disk with a multiboot kernel near its start is still a disk', () => {
  const disk = buildBootSector(16);
  disk.set(multibootHeader(1 << 16, [0x100000, 0x100000, 0, 0, 0x100000]), 512);
  assert.is(recognizeImage(disk).kind, 'disk');
});

test('a multiboot header needs a right checksum, alignment, and its place in the first 8 KiB', () => {
  const elf = (offset: number, change?: (data: Uint8Array) => void) => {
    const data = new Uint8Array(0x3000);
    data.set(multibootHeader(0), offset);
    change?.(data);
    return buildElf({ bits: 32, entry: 0x100000, dataOffset: 128, segments: [{ paddr: 0x100000, data }] });
  };
  assert.is(recognizeImage(elf(8192 - 128 - 12)).kind, 'multiboot');
  assert.is(recognizeImage(elf(8192 - 128 - 8)).kind, 'elf32');
  assert.is(recognizeImage(elf(66)).kind, 'elf32');
  assert.is(recognizeImage(elf(64, (d) => d.fill(1, 72, 73))).kind, 'elf32');
});

test('other formats are named in the refusal, with what is accepted', () => {
  const start = (...bytes: number[]) => new Writer(1024).put(0, Uint8Array.from(bytes)).bytes;
  const named: [Uint8Array, RegExp][] = [
    [start(0x1f, 0x8b, 8), /gzip file.*Decompress/],
    [start(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /xz file/],
    [start(0x28, 0xb5, 0x2f, 0xfd), /Zstandard/],
    [start(0x51, 0x46, 0x49, 0xfb), /qcow2/],
    [start(0x4d, 0x5a), /PE/],
    [new Writer(1024).text(0, '070701').bytes, /cpio.*--initrd/],
    [new Writer(0x9000).text(0x8001, 'CD001').bytes, /ISO 9660/],
    [new TextEncoder().encode('#!/bin/sh\necho hello\n'), /text file/],
    [new Uint8Array(0), /empty/],
    [new Uint8Array(100), /100 bytes/],
    [new Uint8Array(1024), /55 AA/],
  ];
  for (const [bytes, words] of named) {
    refused(bytes, 'E_IMAGE_UNKNOWN', words);
    assert.match(refusal(bytes).message, /Accepted are: .*bzImage.*--load-address/);
  }
});

test('ELF files that are no x86 kernel are refused by name', () => {
  const elf = (machine: number, type = 2, bits: 32 | 64 = 64) =>
    buildElf({ bits, machine, type, entry: 0x100000, segments: one });
  refused(elf(243), 'E_ISA_UNSUPPORTED', /RISC-V/);
  refused(elf(40, 2, 32), 'E_ISA_UNSUPPORTED', /32-bit Arm/);
  refused(elf(9999), 'E_ISA_UNSUPPORTED', /9999/);
  refused(elf(62, 2, 32), 'E_ISA_UNSUPPORTED', /x32/);
  refused(elf(3), 'E_IMAGE_CORRUPT', /64-bit ELF file for i386/);
  refused(elf(62, 1), 'E_IMAGE_UNKNOWN', /object file/);
  refused(elf(62, 4), 'E_IMAGE_UNKNOWN', /not an executable/);
  refused(elf(62, 3), 'E_IMAGE_UNKNOWN', /position-independent/);
  const interpreter = { type: 3, paddr: 0, data: pattern(16) };
  refused(
    buildElf({ bits: 64, entry: 0x100000, segments: [...one, interpreter] }),
    'E_IMAGE_UNKNOWN',
    /dynamic linker/,
  );
  refused(new Writer(1024).text(0x38, 'RSC\x05').bytes, 'E_ISA_UNSUPPORTED', /RISC-V/);
  assert.is(refusal(elf(243)).exitCode, 126);
});

test('a kernel with only a multiboot 2 header is not started as something else', () => {
  const w = new Writer(64)
    .u32(0, 0xe85250d6)
    .u32(4, 0)
    .u32(8, 64)
    .u32(12, -(0xe85250d6 + 64) >>> 0);
  const elf = buildElf({ bits: 32, entry: 0x100000, dataOffset: 128, segments: [{ paddr: 0x100000, data: w.bytes }] });
  refused(elf, 'E_IMAGE_UNKNOWN', /multiboot 2/);
});

test('kernels older than what the loader speaks are refused', () => {
  refused(buildBzImage({ protocol: 0x201 }), 'E_IMAGE_UNKNOWN', /2\.01/);
  refused(buildBzImage({ loadflags: 0 }), 'E_IMAGE_UNKNOWN', /zImage/);
  refused(buildMultibootElf(8), 'E_IMAGE_UNKNOWN', /flag bits 0x8/);
});

test('text from a file cannot reach the terminal as control characters', () => {
  const image = buildBzImage();
  image.set([0x1b, 0x5b, 0x32, 0x4a], 0x300);
  assert.match(recognizeImage(image).description, /^Linux bzImage \?\[2J/);
});

test.run();
