// virtio block device against virtio 1.2, 5.2.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockBackend } from '../../src/devices/block-backend.js';
import { VirtioBlk } from '../../src/devices/virtio-blk.js';
import { BASE, BUFFERS, TestDriver, WRITE } from './virtio-driver.js';

const SECTORS = 20_000;
const F_FLUSH = 1 << 9;
const HEADER = BUFFERS;
const DATA = BUFFERS + 0x1000;
const STATUS = BUFFERS + 0x800;

class MemoryDisk implements BlockBackend {
  readonly sectors = SECTORS;
  readonly bytes = new Uint8Array(SECTORS * 512);
  flushes = 0;
  broken = false;
  constructor(readonly readOnly = false) {}
  read(sector: number, count: number, into: Uint8Array): void {
    if (this.broken) throw new Error('medium error');
    assert.is(into.length, count * 512);
    into.set(this.bytes.subarray(sector * 512, (sector + count) * 512));
  }
  write(sector: number, from: Uint8Array): void {
    if (this.broken) throw new Error('medium error');
    this.bytes.set(from, sector * 512);
  }
  flush(): void {
    this.flushes++;
  }
}

function make(options: { readOnly?: boolean; features?: number; serial?: string } = {}) {
  const disk = new MemoryDisk(options.readOnly);
  for (let i = 0; i < disk.bytes.length; i++) disk.bytes[i] = (i >> 9) ^ i;
  const driver = new TestDriver(new VirtioBlk({ backend: disk, serial: options.serial ?? 'disk' }), 64);
  driver.start(1, options.features ?? F_FLUSH);
  const request = (type: number, sector: number): void => {
    const { view } = driver.memory;
    view.setUint32(HEADER - BASE, type, true);
    view.setBigUint64(HEADER + 8 - BASE, BigInt(sector), true);
    view.setUint8(STATUS - BASE, 0xee);
  };
  const header = { address: HEADER, length: 16 };
  const status = { address: STATUS, length: 1, flags: WRITE };
  const result = () => driver.memory.at(STATUS, 1)[0];
  return { disk, driver, request, header, status, result };
}

test('configuration: capacity, segments, block size', () => {
  const { driver } = make();
  assert.is(driver.read(0x100), SECTORS);
  assert.is(driver.read(0x104), 0);
  assert.is(driver.read(0x10c), 254);
  assert.is(driver.read(0x114), 512);
  assert.is(driver.mmio.read(0x100, 1), SECTORS & 0xff);
});

test('reads sectors into several buffers', () => {
  const { disk, driver, request, header, status, result } = make();
  request(0, 3);
  const first = { address: DATA, length: 512, flags: WRITE };
  const second = { address: DATA + 0x1000, length: 1024, flags: WRITE };
  driver.send(0, [header, first, second, status]);
  assert.equal(driver.take(0), [{ head: 0, length: 1537 }]);
  assert.is(result(), 0);
  assert.equal(driver.memory.at(DATA, 512), disk.bytes.slice(3 * 512, 4 * 512));
  assert.equal(driver.memory.at(DATA + 0x1000, 1024), disk.bytes.slice(4 * 512, 6 * 512));
});

test('any division into buffers is one request', () => {
  const { disk, driver, request, status, result } = make();
  request(0, 7);
  const pieces = [
    { address: HEADER, length: 5 },
    { address: HEADER + 5, length: 11 },
    { address: DATA, length: 100, flags: WRITE },
    { address: DATA + 100, length: 413, flags: WRITE },
  ];
  driver.send(0, pieces);
  assert.is(driver.memory.at(DATA + 512, 1)[0], 0, 'the status is the last byte');
  assert.equal(driver.memory.at(DATA, 512), disk.bytes.slice(7 * 512, 8 * 512));
  request(1, 9);
  driver.memory.at(DATA, 512).fill(0x77);
  const odd = [
    { address: HEADER, length: 16 },
    { address: DATA, length: 1 },
    { address: DATA + 1, length: 511 },
  ];
  driver.send(0, [...odd, status]);
  assert.is(result(), 0);
  assert.ok(disk.bytes.slice(9 * 512, 10 * 512).every((b) => b === 0x77));
});

test('writes sectors; FLUSH makes them safe', () => {
  const { disk, driver, request, header, status, result } = make();
  driver.memory.at(DATA, 1024).fill(0xab);
  request(1, 100);
  driver.send(0, [header, { address: DATA, length: 1024 }, status]);
  assert.is(result(), 0);
  assert.ok(disk.bytes.slice(100 * 512, 102 * 512).every((b) => b === 0xab));
  assert.is(disk.flushes, 0);
  request(4, 0);
  driver.send(0, [header, status]);
  assert.is(result(), 0);
  assert.is(disk.flushes, 1);
});

test('a driver without FLUSH has every write safe at once', () => {
  const { disk, driver, request, header, status } = make({ features: 0 });
  request(1, 0);
  driver.send(0, [header, { address: DATA, length: 512 }, status]);
  assert.is(disk.flushes, 1);
});

test('the last sector is there, the next is an error', () => {
  const { driver, request, header, status, result } = make();
  const data = { address: DATA, length: 512, flags: WRITE };
  request(0, SECTORS - 1);
  driver.send(0, [header, data, status]);
  assert.is(result(), 0);
  for (const sector of [SECTORS, 2 ** 32, 2 ** 52]) {
    request(0, sector);
    driver.send(0, [header, data, status]);
    assert.is(result(), 1, `sector ${sector}`);
  }
  request(0, SECTORS - 1);
  driver.send(0, [header, data, { ...data, address: DATA + 512 }, status]);
  assert.is(result(), 1);
  request(0, 0);
  driver.send(0, [header, { ...data, length: 100 }, status]);
  assert.is(result(), 1, 'no whole sectors');
});

test('a read-only disk says so and refuses writes', () => {
  const { driver, request, header, status, result } = make({ readOnly: true });
  driver.write(0x14, 0);
  assert.is(driver.read(0x10) & 0x20, 0x20);
  request(1, 0);
  driver.send(0, [header, { address: DATA, length: 512 }, status]);
  assert.is(result(), 1);
});

test('a backend that throws is an I/O error', () => {
  const { disk, driver, request, header, status, result } = make();
  disk.broken = true;
  request(0, 0);
  driver.send(0, [header, { address: DATA, length: 512, flags: WRITE }, status]);
  assert.is(result(), 1);
  assert.is(driver.status, 15);
});

test('GET_ID, and requests that do not exist', () => {
  const { driver, request, header, status, result } = make({ serial: 'tsvm-disk-0' });
  request(8, 0);
  driver.send(0, [header, { address: DATA, length: 20, flags: WRITE }, status]);
  assert.is(result(), 0);
  const id = String.fromCharCode(...driver.memory.at(DATA, 20));
  assert.is(id, 'tsvm-disk-0'.padEnd(20, '\0'));
  request(11, 0);
  driver.send(0, [header, status]);
  assert.is(result(), 2, 'discard is not offered');
});

test('a request without header or status needs a reset', () => {
  for (const chain of ['header', 'status'] as const) {
    const { driver, header, status } = make();
    driver.send(0, [chain === 'header' ? header : status]);
    assert.is(driver.status & 0x40, 0x40, chain);
  }
});

test('many large requests are served in portions, and all of them in the end', () => {
  const { driver, request, header, status, result } = make();
  request(0, 0);
  // 16 buffers of 512 KiB, all the same memory: 8 MiB a request.
  const data = Array.from({ length: 16 }, () => ({ address: DATA, length: 0x80000, flags: WRITE }));
  for (let i = 0; i < 3; i++) driver.put(0, [header, ...data, status]);
  driver.notify(0);
  assert.is(driver.take(0).length, 1, 'the guest gets its turn');
  assert.is(result(), 0);
  let rounds = 0;
  let done = 1;
  while (driver.mmio.deadline() < Infinity) {
    assert.ok(driver.mmio.deadline() > driver.clock.time);
    driver.clock.time = driver.mmio.deadline();
    driver.mmio.advance(driver.clock.time);
    done += driver.take(0).length;
    rounds++;
  }
  assert.is(done, 3);
  assert.is(rounds, 2);
});

test.run();
