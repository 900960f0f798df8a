// The virtio transport and its queues against virtio 1.2, 2.7 and 4.2; and every way to get a ring wrong.

import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyVirtioMmio } from '../../src/devices/virtio-mmio.js';
import { VirtioRng } from '../../src/devices/virtio-rng.js';
import { BASE, BUFFERS, F_EVENT_IDX, F_INDIRECT, INDIRECT, NEXT, TestDriver, WRITE } from './virtio-driver.js';

const NEEDS_RESET = 0x40;
const rng = () => new VirtioRng((into) => into.fill(0x5a));
const started = (features = 0) => {
  const driver = new TestDriver(rng(), 8);
  driver.start(1, features);
  return driver;
};
const buffer = (length = 16, flags = WRITE) => ({ address: BUFFERS, length, flags });

test('identification and an empty window', () => {
  const driver = new TestDriver(rng());
  assert.is(driver.read(0), 0x74726976, '"virt"');
  assert.is(driver.read(4), 2);
  assert.is(driver.read(8), 4, 'entropy device');
  const empty = emptyVirtioMmio();
  assert.equal([empty.read(0, 4), empty.read(4, 4), empty.read(8, 4)], [0x74726976, 2, 0]);
});

test('features: both halves, and FEATURES_OK only for what was offered', () => {
  const driver = new TestDriver(rng());
  driver.write(0x14, 0);
  assert.is(driver.read(0x10), (F_INDIRECT | F_EVENT_IDX) >>> 0);
  driver.write(0x14, 1);
  assert.is(driver.read(0x10), 1, 'VIRTIO_F_VERSION_1');
  driver.write(0x14, 2);
  assert.is(driver.read(0x10), 0);

  const negotiate = (low: number, high: number): number => {
    driver.write(0x70, 0);
    driver.write(0x70, 3);
    driver.write(0x24, 0);
    driver.write(0x20, low);
    driver.write(0x24, 1);
    driver.write(0x20, high);
    driver.write(0x70, 11);
    return driver.status;
  };
  assert.is(negotiate(F_INDIRECT, 1), 11);
  assert.is(negotiate(F_INDIRECT, 0), 3, 'no legacy driver');
  assert.is(negotiate(1, 1), 3, 'not offered');
  assert.is(negotiate(0, 3), 3, 'not offered, upper half');
});

test('a request: descriptor, used ring, interrupt, acknowledgement', () => {
  const driver = started();
  assert.is(driver.status, 15);
  driver.send(0, [buffer(32)]);
  assert.equal(driver.take(0), [{ head: 0, length: 32 }]);
  assert.ok(driver.memory.at(BUFFERS, 32).every((b) => b === 0x5a));
  assert.is(driver.memory.at(BUFFERS + 32, 1)[0], 0);
  assert.is(driver.read(0x60), 1);
  assert.is(driver.irq.level, true);
  driver.write(0x64, 1);
  assert.is(driver.irq.level, false);
  assert.ok(
    driver.memory.writes.some(([at, length]) => at === BUFFERS && length === 32),
    'the vCPU is told',
  );
});

test('queue registers: sizes, readiness, queues that do not exist', () => {
  const driver = new TestDriver(rng());
  driver.write(0x30, 0);
  assert.is(driver.read(0x34), 8);
  assert.is(driver.read(0x44), 0);
  driver.write(0x30, 1);
  assert.is(driver.read(0x34), 0);
  driver.write(0x44, 1);
  assert.is(driver.read(0x44), 0);
});

test('reset takes everything back', () => {
  const driver = started();
  driver.send(0, [buffer()]);
  driver.write(0x70, 0);
  assert.equal([driver.status, driver.read(0x60), driver.irq.level], [0, 0, false]);
  driver.write(0x30, 0);
  assert.is(driver.read(0x44), 0);
  driver.notify(0);
  assert.is(driver.irq.level, false);
});

test('nothing is served before DRIVER_OK, everything that waits with it', () => {
  const driver = new TestDriver(rng(), 8);
  driver.start(1);
  driver.write(0x70, 0);
  for (const status of [1, 3]) driver.write(0x70, status);
  driver.write(0x24, 1);
  driver.write(0x20, 1);
  driver.write(0x70, 11);
  driver.memory.bytes.fill(0);
  driver.setUp(0);
  driver.put(0, [buffer()]);
  driver.notify(0);
  assert.equal(driver.take(0), []);
  driver.write(0x70, 15);
  assert.is(driver.take(0).length, 1);
});

test('the index of the ring wraps', () => {
  const driver = started();
  for (let i = 0; i < 70_000; i++) {
    driver.send(0, [buffer(1)]);
    if (i % 5000 === 0 || i > 65_530) assert.is(driver.take(0).length > 0, true);
    else driver.take(0);
  }
  assert.is(driver.status, 15);
});

test('indirect descriptors', () => {
  const driver = started(F_INDIRECT);
  const table = BUFFERS + 0x1000;
  driver.descriptor(table, BUFFERS, 8, WRITE | NEXT, 2);
  driver.descriptor(table + 32, BUFFERS + 0x100, 8, WRITE, 0);
  driver.send(0, [{ address: table, length: 48, flags: INDIRECT }]);
  assert.equal(driver.take(0), [{ head: 0, length: 16 }]);
  assert.is(driver.memory.at(BUFFERS + 0x107, 1)[0], 0x5a);
});

test('no interrupt when the driver wants none, by flag', () => {
  const driver = started();
  driver.memory.view.setUint16(driver.available(0) - BASE, 1, true);
  driver.send(0, [buffer()]);
  assert.is(driver.take(0).length, 1);
  assert.is(driver.irq.level, false);
});

test('event index: an interrupt when the used ring passes it, and the device asks for each notification', () => {
  const driver = started(F_EVENT_IDX);
  const usedEvent = driver.available(0) + 4 + 2 * 8;
  const availEvent = driver.used(0) + 4 + 8 * 8;
  driver.memory.view.setUint16(usedEvent - BASE, 1, true);
  driver.send(0, [buffer()]);
  assert.is(driver.irq.level, false, 'entry 0, but the driver waits for entry 1');
  assert.is(driver.memory.u16(availEvent), 1);
  driver.send(0, [buffer()]);
  assert.is(driver.irq.level, true);
  assert.is(driver.memory.u16(availEvent), 2);
});

const MISTAKES: readonly [name: string, mistake: (driver: TestDriver) => void][] = [
  ['a buffer outside RAM', (d) => d.send(0, [{ address: 0x1000, length: 16, flags: WRITE }])],
  ['a buffer that ends outside RAM', (d) => d.send(0, [{ address: BASE + 0xffff8, length: 16, flags: WRITE }])],
  ['a buffer at the end of the address space', (d) => d.send(0, [{ address: 2 ** 53, length: 2 ** 31, flags: WRITE }])],
  ['a readable buffer behind a writable one', (d) => d.send(0, [buffer(), buffer(16, 0)])],
  ['a head that is no descriptor', (d) => [d.publish(0, 8), d.notify(0)]],
  [
    'an available index too far ahead',
    (d) => [d.memory.view.setUint16(d.available(0) + 2 - BASE, 9, true), d.notify(0)],
  ],
  [
    'a chain that leads to itself',
    (d) => [d.descriptor(d.table(0), BUFFERS, 4, WRITE | NEXT, 0), d.publish(0, 0), d.notify(0)],
  ],
  [
    'a link to no descriptor',
    (d) => [d.descriptor(d.table(0), BUFFERS, 4, WRITE | NEXT, 8), d.publish(0, 0), d.notify(0)],
  ],
  ['an indirect table of odd length', (d) => d.send(0, [{ address: BUFFERS, length: 17, flags: INDIRECT }])],
  ['an empty indirect table', (d) => d.send(0, [{ address: BUFFERS, length: 0, flags: INDIRECT }])],
  [
    'an indirect descriptor with a successor',
    (d) => d.send(0, [{ address: BUFFERS, length: 16, flags: INDIRECT }, buffer()]),
  ],
  [
    'an indirect table in an indirect table',
    (d) => {
      d.descriptor(BUFFERS, BUFFERS + 16, 16, INDIRECT, 0);
      d.send(0, [{ address: BUFFERS, length: 32, flags: INDIRECT }]);
    },
  ],
];
for (const [name, mistake] of MISTAKES) {
  test(`${name}: the device needs a reset, and works after it`, () => {
    const driver = started(F_INDIRECT);
    mistake(driver);
    assert.is(driver.status & NEEDS_RESET, NEEDS_RESET);
    assert.is(driver.read(0x60) & 2, 2, 'configuration change');
    assert.equal(driver.take(0), []);
    driver.memory.bytes.fill(0);
    driver.start(1);
    driver.send(0, [buffer()]);
    assert.is(driver.take(0).length, 1);
  });
}

const BAD_QUEUES: readonly [name: string, register: number, value: number][] = [
  ['a size that is no power of two', 0x38, 6],
  ['no size', 0x38, 0],
  ['too large a size', 0x38, 16],
  ['a table that is not aligned', 0x80, BASE + 0x1008],
  ['a table outside RAM', 0x80, 0x1000],
  ['rings above 4 GiB', 0x94, 1],
  ['a used ring that is not aligned', 0xa0, BASE + 0x3002],
  ['an available ring at the end of RAM', 0x90, BASE + 0xffffe],
];
for (const [name, register, value] of BAD_QUEUES) {
  test(`${name}: the queue does not become ready`, () => {
    const driver = new TestDriver(rng(), 8);
    driver.setUp(0);
    assert.is(driver.read(0x44), 1);
    driver.write(0x44, 0);
    driver.write(register, value);
    driver.write(0x44, 1);
    assert.is(driver.read(0x44), 0);
    assert.is(driver.status & NEEDS_RESET, NEEDS_RESET);
  });
}

test('a ring that feeds itself leaves the guest its turn', () => {
  let index = 1;
  let served = 0;
  // What the device writes is the available ring's index, one further each time.
  const device = new VirtioRng((into) => {
    served++;
    index = (index + 1) & 0xffff;
    into.set([index & 0xff, index >> 8]);
  });
  const driver = new TestDriver(device, 8);
  driver.start(1);
  driver.send(0, [{ address: driver.available(0) + 2, length: 2, flags: WRITE }]);
  assert.is(served, 8);
  for (let round = 2; round < 5; round++) {
    driver.clock.time = driver.mmio.deadline();
    assert.ok(driver.clock.time < Infinity);
    driver.mmio.advance(driver.clock.time);
    assert.is(served, 8 * round);
  }
  driver.write(0x70, 0);
  assert.is(driver.mmio.deadline(), Infinity);
});

test('rings full of random bytes are survived', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.nat(0xffff), (bytes, index) => {
      const driver = started(F_INDIRECT);
      // Addresses with a chance of lying in RAM.
      for (let i = 0; i + 16 <= bytes.length; i += 16) {
        bytes[i + 3] = bytes[i + 3] & 1 ? 0x40 : bytes[i + 3];
        bytes.fill(0, i + 4, i + 8);
        bytes[i + 2] &= 0x1f;
      }
      driver.memory.at(driver.table(0), 128).set(bytes.subarray(0, 128));
      driver.memory.at(BUFFERS, 384).set(bytes.subarray(128));
      for (let i = 0; i < 8; i++) driver.publish(0, bytes[i * 16] % 9);
      if (index % 3 === 0) driver.memory.view.setUint16(driver.available(0) + 2 - BASE, index, true);
      driver.notify(0);
      assert.ok(driver.status === 15 || (driver.status & NEEDS_RESET) !== 0);
    }),
    { numRuns: 500 },
  );
});

test('register accesses of any size and place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(0x1ff), fc.constantFrom(1, 2, 4), fc.nat(0xffffffff), fc.boolean()), { maxLength: 80 }),
      (accesses) => {
        const driver = started();
        for (const [offset, size, value, write] of accesses) {
          if (write) driver.mmio.write(offset, size as 1 | 2 | 4, value);
          else {
            const seen = driver.mmio.read(offset, size as 1 | 2 | 4);
            assert.ok(Number.isInteger(seen) && seen >= 0 && seen < 2 ** (8 * size));
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a state travels to another device over the same memory, and damaged ones are refused', () => {
  const driver = started(F_EVENT_IDX);
  driver.send(0, [buffer()]);
  const state = structuredClone(driver.mmio.saveState());
  driver.put(0, [buffer(4)]);
  const other = new TestDriver(rng(), 8);
  other.memory.bytes.set(driver.memory.bytes);
  other.mmio.loadState(state);
  assert.equal(other.mmio.saveState(), state);
  assert.is(other.irq.level, true);
  other.notify(0);
  assert.is(other.memory.u16(other.used(0) + 2), 2);

  for (const field of Object.keys(state)) {
    const before = other.mmio.saveState();
    assert.throws(() => other.mmio.loadState({ ...state, [field]: 'nonsense' }), /saved state/);
    assert.equal(other.mmio.saveState(), before);
  }
});

test.run();
