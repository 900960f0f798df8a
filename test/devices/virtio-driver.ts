// A virtio driver for tests: sets up queues in a small guest memory and sends requests, right or wrong ones.

import type { DmaMemory } from '../../src/devices/dma-memory.js';
import type { VirtioDevice } from '../../src/devices/virtio-device.js';
import { VirtioMmio } from '../../src/devices/virtio-mmio.js';
import { TestClock, TestLine } from './random-access.js';

/** Guest RAM of the tests: 1 MiB at an address that is not zero. */
export const BASE = 0x40000000;
const SIZE = 1 << 20;

export const F_INDIRECT = 1 << 28;
export const F_EVENT_IDX = 1 << 29;

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

export interface Buffer {
  readonly address: number;
  readonly length: number;
  readonly flags?: number;
}

export class TestMemory implements DmaMemory {
  readonly bytes = new Uint8Array(SIZE);
  readonly view = new DataView(this.bytes.buffer);
  /** Ranges that were reported as written. */
  readonly writes: [number, number][] = [];

  range(address: number, length: number): Uint8Array | undefined {
    const offset = address - BASE;
    return offset >= 0 && offset + length <= SIZE ? this.bytes.subarray(offset, offset + length) : undefined;
  }
  written(address: number, length: number): void {
    this.writes.push([address, length]);
  }
  at(address: number, length: number): Uint8Array {
    return this.bytes.subarray(address - BASE, address - BASE + length);
  }
  u16(address: number): number {
    return this.view.getUint16(address - BASE, true);
  }
  u32(address: number): number {
    return this.view.getUint32(address - BASE, true);
  }
}

/** Addresses of one queue: 4 KiB each for table and rings. */
const QUEUE_BASE = BASE + 0x1000;
const QUEUE_STRIDE = 0x3000;
/** Where tests put their buffers. */
export const BUFFERS = BASE + 0x10000;

export class TestDriver {
  readonly memory = new TestMemory();
  readonly clock = new TestClock();
  readonly irq = new TestLine();
  readonly mmio: VirtioMmio;
  /** Next free descriptor of each queue. */
  private readonly free: number[] = [];
  private readonly published: number[] = [];
  private readonly seen: number[] = [];

  constructor(
    device: VirtioDevice,
    private readonly size = 16,
  ) {
    this.mmio = new VirtioMmio({ device, memory: this.memory, clock: this.clock, irq: this.irq });
  }

  read(offset: number): number {
    return this.mmio.read(offset, 4);
  }
  write(offset: number, value: number): void {
    this.mmio.write(offset, 4, value);
  }
  get status(): number {
    return this.read(0x70);
  }

  table(queue: number): number {
    return QUEUE_BASE + queue * QUEUE_STRIDE;
  }
  available(queue: number): number {
    return this.table(queue) + 0x1000;
  }
  used(queue: number): number {
    return this.table(queue) + 0x2000;
  }

  /** As a driver does it (3.1.1): features, queues, DRIVER_OK. */
  start(queues: number, features = 0): void {
    this.write(0x70, 0);
    this.write(0x70, 1);
    this.write(0x70, 3);
    this.write(0x24, 0);
    this.write(0x20, features);
    this.write(0x24, 1);
    this.write(0x20, 1);
    this.write(0x70, 11);
    for (let queue = 0; queue < queues; queue++) this.setUp(queue);
    this.write(0x70, 15);
  }

  setUp(queue: number): void {
    this.write(0x30, queue);
    this.write(0x38, this.size);
    this.write(0x80, this.table(queue));
    this.write(0x90, this.available(queue));
    this.write(0xa0, this.used(queue));
    this.write(0x44, 1);
    this.free[queue] = 0;
    this.published[queue] = 0;
    this.seen[queue] = 0;
  }

  /** Writes a descriptor as it is given. */
  descriptor(at: number, address: number, length: number, flags: number, next: number): void {
    const { view } = this.memory;
    view.setBigUint64(at - BASE, BigInt(address), true);
    view.setUint32(at - BASE + 8, length, true);
    view.setUint16(at - BASE + 12, flags, true);
    view.setUint16(at - BASE + 14, next, true);
  }

  /** Writes a chain and makes it available, without telling the device. Returns its head. */
  put(queue: number, buffers: readonly Buffer[]): number {
    const head = this.free[queue];
    buffers.forEach(({ address, length, flags = 0 }, i) => {
      const index = (head + i) % this.size;
      const last = i === buffers.length - 1;
      const at = this.table(queue) + 16 * index;
      this.descriptor(at, address, length, flags | (last ? 0 : NEXT), last ? 0 : (index + 1) % this.size);
    });
    this.free[queue] = (head + buffers.length) % this.size;
    this.publish(queue, head);
    return head;
  }

  publish(queue: number, head: number): void {
    const ring = this.available(queue) - BASE;
    const { view } = this.memory;
    view.setUint16(ring + 4 + 2 * (this.published[queue] % this.size), head, true);
    this.published[queue] = (this.published[queue] + 1) & 0xffff;
    view.setUint16(ring + 2, this.published[queue], true);
  }

  notify(queue: number): void {
    this.write(0x50, queue);
  }

  send(queue: number, buffers: readonly Buffer[]): void {
    this.put(queue, buffers);
    this.notify(queue);
  }

  /** What the device gave back since the last call: heads and lengths. */
  take(queue: number): { head: number; length: number }[] {
    const ring = this.used(queue);
    const taken = [];
    while (this.seen[queue] !== this.memory.u16(ring + 2)) {
      const at = ring + 4 + 8 * (this.seen[queue] % this.size);
      taken.push({ head: this.memory.u32(at), length: this.memory.u32(at + 4) });
      this.seen[queue] = (this.seen[queue] + 1) & 0xffff;
    }
    return taken;
  }
}
