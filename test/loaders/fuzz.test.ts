// Damaged and random images either load within bounds or are refused with a TsvmError: nothing else may happen.

import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LoadOptions, loadGuest, loadVirtGuest } from '../../src/loaders/index.js';
import { ArmState } from '../../src/vcpu/arm-state.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { VIRT_RAM_BASE } from '../../src/vcpu/virt-map.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import {
  buildArm64Image,
  buildBootSector,
  buildBzImage,
  buildElf,
  buildMultibootElf,
  buildMultibootFlat,
  buildPvh,
  MIB,
  makeMemory,
  pattern,
} from './builders.js';

const memory = makeMemory(24, 0);
const virtRam = makeMemory(8, 0);
const virtMemory = new GuestMemory(virtRam.memory, virtRam.size, VIRT_RAM_BASE);
const HARDWARE = { gic: 2, el2: false, virtioSlots: [0] } as const;
const hole = memory.slice(0x9fc00, 0x100000 - 0x9fc00);
const images = [
  buildBzImage(),
  buildBzImage({ xloadflags: 0, protocol: 0x20b }),
  buildMultibootElf(),
  buildMultibootElf(7 | (1 << 16), [0x100054, 0x100000, 0, 0, 0x100054, 0, 80, 25, 0]),
  buildMultibootFlat(),
  buildPvh(),
  buildElf({
    bits: 64,
    entry: MIB,
    segments: [
      { paddr: MIB, data: pattern(64) },
      { paddr: 2 * MIB, data: pattern(64) },
    ],
  }),
  buildElf({ bits: 32, entry: MIB, segments: [{ paddr: MIB, data: pattern(64) }] }),
  buildArm64Image(),
  buildElf({
    bits: 64,
    machine: 183,
    entry: VIRT_RAM_BASE + MIB,
    segments: [{ paddr: VIRT_RAM_BASE + MIB, data: pattern(64) }],
  }),
  buildBootSector(2),
];
const CODES = /^E_(IMAGE_(UNKNOWN|TRUNCATED|CORRUPT|TOO_LARGE|ADDRESS)|ISA_UNSUPPORTED|LOAD_ADDRESS|COMMAND_LINE)$/;

function tryToLoad(bytes: Uint8Array, options: LoadOptions): void {
  tryToLoadForPc(bytes, options);
  tryToLoadForVirt(bytes, options);
}

function tryToLoadForVirt(bytes: Uint8Array, options: LoadOptions): void {
  try {
    const guest = loadVirtGuest(bytes, virtMemory, { ...options, hardware: HARDWARE });
    guest.writeState(ArmState.reset());
    assert.ok(guest.entry >= VIRT_RAM_BASE && guest.entry < VIRT_RAM_BASE + virtMemory.size, `entry ${guest.entry}`);
    assert.match(guest.description, /^[\x20-\x7e]+$/);
  } catch (error) {
    if (!(error instanceof TsvmError)) throw error;
    assert.match(error.code, CODES);
    assert.match(error.message, /^[\x20-\x7e–]+$/);
  }
}

function tryToLoadForPc(bytes: Uint8Array, options: LoadOptions): void {
  try {
    const guest = loadGuest(bytes, memory, options);
    guest.writeState(X86State.reset());
    assert.ok(guest.entry >= 0 && guest.entry < memory.size, `entry ${guest.entry}`);
    assert.match(guest.description, /^[\x20-\x7e]+$/);
  } catch (error) {
    if (!(error instanceof TsvmError)) throw error;
    assert.match(error.code, CODES);
    assert.match(error.message, /^[\x20-\x7e–]+$/);
  }
}

const options: fc.Arbitrary<LoadOptions> = fc.record({
  commandLine: fc.string({ maxLength: 40 }),
  modules: fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 9 }) }), { maxLength: 3 }),
});

/** Values on which size and address arithmetic breaks. */
const nasty = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xa0000, 0x1800000);
const mutation = fc.record({ at: fc.nat(0x400), width: fc.constantFrom(1, 2, 4), value: fc.oneof(nasty, fc.nat()) });

test('random bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2048 }), options, tryToLoad), { numRuns: 300 });
});

test('random bytes behind a known magic', () => {
  const elf = (bits: number, machine: number) => [
    0x7f,
    0x45,
    0x4c,
    0x46,
    bits,
    1,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    2,
    0,
    machine,
  ];
  const magic = fc.constantFrom(elf(1, 3), elf(2, 62), elf(1, 62), elf(2, 183));
  fc.assert(
    fc.property(magic, fc.uint8Array({ maxLength: 600 }), options, (start, rest, o) =>
      tryToLoad(Uint8Array.from([...start, 0, ...rest]), o),
    ),
    { numRuns: 300 },
  );
});

test('valid images with fields overwritten', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...images),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      options,
      (image, edits, o) => {
        const bytes = image.slice();
        for (const { at, width, value } of edits) {
          for (let i = 0; i < width; i++) bytes[(at + i) % bytes.length] = value >>> (8 * i);
        }
        tryToLoad(bytes, o);
      },
    ),
    { numRuns: 1500 },
  );
});

test('every header field of every image with a nasty value', () => {
  const values = [0, 1, 0x7f, 0x80, 0xff];
  for (const image of images) {
    for (let at = 0; at < Math.min(image.length, 0x270); at++) {
      for (const value of values) {
        const bytes = image.slice();
        bytes[at] = value;
        tryToLoad(bytes, {});
      }
    }
  }
});

test('valid images cut off', () => {
  fc.assert(
    fc.property(fc.constantFrom(...images), fc.nat(0x1000), options, (image, length, o) =>
      tryToLoad(image.subarray(0, length), o),
    ),
    { numRuns: 500 },
  );
});

test('flat binaries at any address', () => {
  const address = fc.oneof(nasty, fc.double(), fc.integer(), fc.nat(32 * MIB));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), address, (bytes, loadAddress) =>
      tryToLoad(bytes, { loadAddress }),
    ),
    { numRuns: 500 },
  );
});

// Last, for all of the above.
test('no load has touched display, ROM or EBDA', () => {
  assert.ok(hole.every((b) => b === 0));
});

test.run();
