// Any access of any size to any port or device register: nothing throws, and answers fit their size.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AccessSize } from '../../src/vcpu/vcpu.js';
import { makeRig, RAM } from './rig.js';

const SIZES: readonly AccessSize[] = [1, 2, 4];

/** xorshift32. */
function generator(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

function poweredOn() {
  const rig = makeRig();
  rig.machine.powerOn();
  // Resets and exits are asked for over and over: they are no concern here.
  rig.board.onRequest = () => undefined;
  return rig;
}

function fits(value: number, size: AccessSize): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** (8 * size);
}

test('every port, in every size', () => {
  const { board, time } = poweredOn();
  const random = generator(1);
  for (let port = 0; port < 0x10000; port++) {
    for (const size of SIZES) {
      board.bus.pioWrite(port, size, random() >>> (32 - 8 * size));
      const value = board.bus.pioRead(port, size);
      assert.ok(fits(value, size), `port ${port.toString(16)}, ${size} bytes: ${value}`);
    }
    if (port % 64 === 0) {
      time.ns += 100_000;
      board.advance(time.ns);
    }
  }
});

test('the devices, again and again in random order', () => {
  const { board, time } = poweredOn();
  const random = generator(2);
  for (let i = 0; i < 200_000; i++) {
    const base = [0x20, 0x40, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xf0, 0x1f0, 0x3f0, 0x3f8, 0x4d0, 0x600, 0xcf8][
      random() % 14
    ];
    const port = base + (random() % 9);
    const size = SIZES[random() % 3];
    if (random() & 1) board.bus.pioWrite(port, size, random() >>> (32 - 8 * size));
    else assert.ok(fits(board.bus.pioRead(port, size), size));
    if (i % 16 === 0) {
      time.ns += random() % 1_000_000;
      board.advance(time.ns);
      assert.ok(board.deadline() >= time.ns, 'a deadline in the past would be waited for without end');
      if (random() & 1) board.bus.acknowledgeInterrupt();
    }
  }
});

test('the memory-mapped registers, aligned and not, wherever the local APIC was moved', () => {
  const { board, time } = poweredOn();
  const random = generator(3);
  const windows = [0xfee00000, 0xfec00000, 0xa0000, 0xb8000, 0xd0000000, 0xfffff000, 0xc0000000, RAM];
  for (let i = 0; i < 200_000; i++) {
    const size = SIZES[random() % 3];
    const address = windows[random() % windows.length] + (random() % 0xffd);
    if (random() & 1) board.bus.mmioWrite(address, size, random() >>> (32 - 8 * size));
    else assert.ok(fits(board.bus.mmioRead(address, size), size), address.toString(16));
    if (i % 5000 === 0) board.bus.writeApicBase(0xfee00800 + (i % 3 === 0 ? 0x1000 * (random() % 16) : 0));
    if (i % 16 === 0) {
      time.ns += random() % 1_000_000;
      board.advance(time.ns);
      board.bus.writeTaskPriority(random() & 15);
      assert.ok(board.bus.readTaskPriority() < 16);
      const vector = board.bus.acknowledgeInterrupt();
      assert.ok(vector >= -1 && vector < 256);
    }
  }
});

test.run();
