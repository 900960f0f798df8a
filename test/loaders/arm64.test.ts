// AArch64 guests on the virt board: Linux Image by "Booting AArch64 Linux", ELF, flat binaries, the device tree.

import { gunzipSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildFdt } from '../../src/loaders/fdt.js';
import { loadVirtGuest, recognizeImage, unpackArm64Image, type VirtLoadOptions } from '../../src/loaders/index.js';
import { ArmState } from '../../src/vcpu/arm-state.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import type { TsvmError } from '../../src/vcpu/vcpu.js';
import { buildBzImage, buildElf, MIB, makeMemory, pattern, Writer } from './builders.js';
import { cells, readFdt, strings } from './fdt-reader.js';

const BASE = 0x40000000;
const HARDWARE = { gic: 2, el2: false, virtioSlots: [] } as const;

function image(fields: { textOffset?: bigint; imageSize?: bigint; flags?: bigint; length?: number } = {}): Uint8Array {
  const { textOffset = 0n, imageSize = 0x30000n, flags = 0xan, length = 0x2000 } = fields;
  const body = new Writer(length).put(0x40, pattern(length - 0x40));
  return body.u64(8, textOffset).u64(0x10, imageSize).u64(0x18, flags).text(0x38, 'ARM\x64').bytes;
}

function ramOf(mib: number, fill = 0): GuestMemory {
  const { memory, bytes } = makeMemory(mib, fill);
  return new GuestMemory(memory, bytes.length, BASE);
}

function load(bytes: Uint8Array, options: Partial<VirtLoadOptions> = {}, mib = 64, fill = 0) {
  const memory = ramOf(mib, fill);
  const guest = loadVirtGuest(bytes, memory, { hardware: HARDWARE, ...options });
  const state = new ArmState();
  guest.writeState(state);
  const treeAddress = Number(state.x(0));
  const size = memory.slice(treeAddress + 4, 4);
  const length = (size[0] << 24) | (size[1] << 16) | (size[2] << 8) | size[3];
  const tree = readFdt(memory.slice(treeAddress, length).slice());
  return { memory, guest, state, treeAddress, tree };
}

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as TsvmError).code;
  }
  return 'nothing';
}

test('Image: 2 MiB into RAM without an offset, at its offset otherwise', () => {
  const bytes = image();
  const { memory, guest, state } = load(bytes, {}, 64, 0xcc);
  assert.is(guest.kind, 'aarch64-image');
  assert.is(guest.entry, BASE + 2 * MIB);
  assert.equal(memory.slice(BASE + 2 * MIB, bytes.length), bytes);
  assert.is(memory.readU8(BASE + 2 * MIB + 0x2fff0), 0, 'the rest of image_size is cleared');
  assert.is(state.pc, BigInt(BASE + 2 * MIB));
  assert.is(load(image({ textOffset: 0x80000n })).guest.entry, BASE + 0x80000);
  assert.is(load(image({ textOffset: 5n * 8n, imageSize: 0n })).guest.entry, BASE + 0x80000, 'before image_size');
});

test('state at entry: EL1, everything masked, X0 the tree, X1–X3 zero; EL2 if there is one', () => {
  const { state, treeAddress } = load(image());
  assert.is(state.el, 1);
  assert.is(state.pstate & 0x3c0, 0x3c0);
  assert.is(treeAddress % (2 * MIB), 0);
  for (const n of [1, 2, 3]) assert.is(state.x(n), 0n);
  assert.is(load(image(), { hardware: { ...HARDWARE, el2: true } }).state.el, 2);
});

test('initrd: halfway up, announced in the tree, the tree above it', () => {
  const initrd = pattern(0x12345, 9);
  const { memory, tree, treeAddress } = load(image(), { modules: [{ bytes: initrd }] });
  const { properties } = tree.children['chosen'];
  const start = cells(properties['linux,initrd-start']);
  const end = cells(properties['linux,initrd-end']);
  assert.equal(start, [0, BASE + 32 * MIB]);
  assert.equal(end, [0, BASE + 32 * MIB + initrd.length]);
  assert.equal(memory.slice(start[1], initrd.length), initrd);
  assert.ok(treeAddress >= end[1]);
});

test('chosen: command line, console, entropy', () => {
  const rngSeed = pattern(32);
  const { tree } = load(image(), { commandLine: 'console=ttyAMA0 quiet', rngSeed });
  const { properties } = tree.children['chosen'];
  assert.equal(strings(properties['bootargs']), ['console=ttyAMA0 quiet']);
  assert.equal(strings(properties['stdout-path']), ['/pl011@9000000']);
  assert.equal(properties['rng-seed'], rngSeed);
  assert.is(load(image()).tree.children['chosen'].properties['bootargs'], undefined);
});

test('the tree names every device where the board has it', () => {
  const { tree } = load(image(), { hardware: { gic: 2, el2: false, virtioSlots: [0, 3] } });
  const node = (name: string) => tree.children[name].properties;
  assert.equal(cells(node('memory@40000000')['reg']), [0, BASE, 0, 64 * MIB]);
  assert.equal(cells(node('intc@8000000')['reg']), [0, 0x08000000, 0, 0x10000, 0, 0x08010000, 0, 0x10000]);
  assert.equal(strings(node('intc@8000000')['compatible']), ['arm,cortex-a15-gic']);
  assert.equal(cells(node('pl011@9000000')['interrupts']), [0, 1, 4]);
  assert.equal(cells(node('pl031@9010000')['interrupts']), [0, 2, 4]);
  assert.equal(cells(node('virtio_mmio@a000600')['interrupts']), [0, 19, 4]);
  assert.is(tree.children['virtio_mmio@a000200'], undefined);
  assert.equal(cells(node('timer')['interrupts']), [1, 13, 0x104, 1, 14, 0x104, 1, 11, 0x104, 1, 10, 0x104]);
  assert.equal(strings(node('psci')['method']), ['hvc']);
  const gic = cells(node('intc@8000000')['phandle']);
  assert.equal(cells(tree.properties['interrupt-parent']), gic);

  const v3 = load(image(), { hardware: { gic: 3, el2: true, virtioSlots: [] } }).tree;
  assert.equal(strings(v3.children['intc@8000000'].properties['compatible']), ['arm,gic-v3']);
  assert.equal(strings(v3.children['psci'].properties['method']), ['smc']);
});

test('property values of every kind', () => {
  const tree = readFdt(
    buildFdt({
      properties: {
        cells: [1, 0xffffffff],
        text: 'x',
        list: { strings: ['a', 'bc'] },
        raw: Uint8Array.of(7),
        flag: true,
      },
      children: { a: { properties: { cells: [2] }, children: { b: { properties: {} } } } },
    }),
  );
  assert.equal(cells(tree.properties['cells']), [1, 0xffffffff]);
  assert.equal(strings(tree.properties['list']), ['a', 'bc']);
  assert.equal(strings(tree.properties['text']), ['x']);
  assert.equal([...tree.properties['raw']], [7]);
  assert.is(tree.properties['flag'].length, 0);
  assert.equal(cells(tree.children['a'].properties['cells']), [2]);
  assert.ok(tree.children['a'].children['b']);
});

const arm = (entry: number, paddr: number, vaddr = paddr, length = 64) =>
  buildElf({ bits: 64, machine: 183, entry, segments: [{ paddr, vaddr, data: pattern(length) }] });

test('ELF: segments at their physical addresses, the tree at the start of RAM when it is free', () => {
  const { guest, memory, treeAddress } = load(arm(BASE + 0x80010, BASE + 0x80000));
  assert.is(guest.kind, 'elf64');
  assert.is(guest.isa, 'aarch64');
  assert.is(guest.entry, BASE + 0x80010);
  assert.is(treeAddress, BASE);
  assert.equal(memory.slice(BASE + 0x80000, 64), pattern(64));
  assert.ok(load(arm(BASE, BASE)).treeAddress > BASE, 'not over an image that is there');
});

test('ELF linked high starts at its physical entry', () => {
  const bytes = buildElf({
    bits: 64,
    machine: 183,
    entry: 0xffff000000080010n,
    segments: [{ paddr: BASE + 0x80000, vaddr: 0xffff000000080000n, data: pattern(64) }],
  });
  assert.is(load(bytes).guest.entry, BASE + 0x80010);
});

test('a binary without a header: at 0x40080000 or where the user says', () => {
  const bytes = Uint8Array.of(0x1f, 0x20, 0x03, 0xd5, 0, 1, 2, 3);
  assert.is(load(bytes).guest.entry, BASE + 0x80000);
  const { guest, memory } = load(bytes, { loadAddress: BASE + 0x1000 });
  assert.is(guest.entry, BASE + 0x1000);
  assert.equal(memory.slice(BASE + 0x1000, 8), bytes);
  assert.is(recognizeImage(bytes, { isa: 'aarch64' }).kind, 'flat');
  assert.is(
    code(() => recognizeImage(bytes)),
    'E_IMAGE_UNKNOWN',
  );
});

test('gzip: an Image comes out, anything else stays', () => {
  const gunzip = (bytes: Uint8Array, limit: number) => gunzipSync(bytes, { maxOutputLength: limit });
  const bytes = image();
  assert.equal(new Uint8Array(unpackArm64Image(gzipSync(bytes), gunzip, MIB)), bytes);
  const other = new Uint8Array(gzipSync(pattern(100)));
  assert.is(unpackArm64Image(other, gunzip, MIB), other);
  assert.is(unpackArm64Image(bytes, gunzip, MIB), bytes);
  const packed = new Uint8Array(gzipSync(bytes));
  assert.is(
    code(() => unpackArm64Image(packed.subarray(0, packed.length - 20), gunzip, MIB)),
    'E_IMAGE_TRUNCATED',
  );
  assert.is(
    code(() => unpackArm64Image(packed, gunzip, 100)),
    'E_IMAGE_TRUNCATED',
    'larger than allowed',
  );
});

test('refusals', () => {
  const cases: [string, () => unknown, string][] = [
    ['too little RAM', () => load(image({ imageSize: 0x3f00000n })), 'E_IMAGE_TOO_LARGE'],
    [
      'an initrd without room',
      () => load(image(), { modules: [{ bytes: new Uint8Array(33 * MIB) }] }),
      'E_IMAGE_TOO_LARGE',
    ],
    ['a header cut off', () => load(image().subarray(0, 0x3c)), 'E_IMAGE_TRUNCATED'],
    ['an absurd offset', () => load(image({ textOffset: 1n << 40n })), 'E_IMAGE_CORRUPT'],
    ['an absurd size', () => load(image({ imageSize: 1n << 60n })), 'E_IMAGE_CORRUPT'],
    ['big-endian', () => load(image({ flags: 1n })), 'E_ISA_UNSUPPORTED'],
    ['below RAM', () => load(arm(0x80000, 0x80000)), 'E_IMAGE_ADDRESS'],
    ['above RAM', () => load(arm(BASE + 128 * MIB, BASE + 128 * MIB)), 'E_IMAGE_TOO_LARGE'],
    ['an entry that is not aligned', () => load(arm(BASE + 2, BASE)), 'E_IMAGE_CORRUPT'],
    ['an entry outside', () => load(arm(BASE + 0x100, BASE)), 'E_IMAGE_CORRUPT'],
    ['a flat binary below RAM', () => load(pattern(8), { loadAddress: 0x1000 }), 'E_IMAGE_ADDRESS'],
    ['an x86 kernel', () => load(buildBzImage()), 'E_ISA_UNSUPPORTED'],
    ['a command line that is too long', () => load(image(), { commandLine: 'x'.repeat(2048) }), 'E_COMMAND_LINE'],
    ['a NUL in the command line', () => load(image(), { commandLine: 'a\0b' }), 'E_COMMAND_LINE'],
  ];
  for (const [what, action, expected] of cases) assert.is(code(action), expected, what);
});

test('nothing is written when something does not fit', () => {
  const memory = ramOf(4);
  const before = memory.bytes.slice();
  const options = { hardware: HARDWARE, modules: [{ bytes: new Uint8Array(3 * MIB) }] };
  assert.is(
    code(() => loadVirtGuest(image(), memory, options)),
    'E_IMAGE_TOO_LARGE',
  );
  assert.ok(Buffer.from(memory.bytes).equals(before));
});

test.run();
