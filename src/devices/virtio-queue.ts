// Split virtqueues (OASIS virtio 1.2, 2.7) from the device's side.
//
// Threats: rings and descriptors are guest memory, so every address, index and length in them is a guest's. Each is
// checked before it is used; a chain has an end after MAX_SEGMENTS descriptors whatever its links say; a ring that
// breaks the rules throws RingError, upon which the transport stops the device until the driver resets it.

import type { DeviceState } from '../vcpu/device.js';
import type { DmaMemory } from './dma-memory.js';
import type { StateReader } from './state-reader.js';

/** The driver broke the rules of the ring. */
export class RingError extends Error {}

// Descriptor (2.7.5): address u64, length u32, flags u16, next u16.
const DESCRIPTOR_SIZE = 16;
const DESC_F_NEXT = 1;
const DESC_F_WRITE = 2;
const DESC_F_INDIRECT = 4;
/** avail.flags: the driver wants no interrupts (2.7.7). */
const AVAIL_F_NO_INTERRUPT = 1;
/** Descriptors in one chain, direct and indirect ones together. */
const MAX_SEGMENTS = 1024;

/** One buffer of a chain. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A request of the driver: buffers that the device reads, then buffers that it writes. */
export interface Chain {
  /** Index of the first descriptor, by which the device gives the chain back. */
  readonly head: number;
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
  readonly readableBytes: number;
  readonly writableBytes: number;
}

export interface RingAddresses {
  readonly descriptors: number;
  /** Available ring: the driver area. */
  readonly driver: number;
  /** Used ring: the device area. */
  readonly device: number;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class VirtQueue {
  /** Entries, a power of two; at most `maxSize`. */
  size: number;
  addresses: RingAddresses = { descriptors: 0, driver: 0, device: 0 };
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  eventIndex = false;
  private descriptors: DataView | undefined;
  private available: DataView | undefined;
  private used: DataView | undefined;
  /** Index of the next entry of the available ring to be taken; modulo 2^16. */
  private nextAvailable = 0;
  private nextUsed = 0;
  /** Value of nextUsed when the driver was last interrupted. */
  private signalledUsed = 0;

  constructor(
    readonly maxSize: number,
    private readonly memory: DmaMemory,
  ) {
    this.size = maxSize;
  }

  get ready(): boolean {
    return this.used !== undefined;
  }

  reset(): void {
    this.disable();
    this.size = this.maxSize;
    this.addresses = { descriptors: 0, driver: 0, device: 0 };
    this.eventIndex = false;
  }

  disable(): void {
    this.descriptors = undefined;
    this.available = undefined;
    this.used = undefined;
    this.nextAvailable = 0;
    this.nextUsed = 0;
    this.signalledUsed = 0;
  }

  /** Throws RingError when size or addresses cannot be used (alignments: 2.7). */
  enable(): void {
    const { size, addresses } = this;
    if (size === 0 || size > this.maxSize || (size & (size - 1)) !== 0) throw new RingError(`queue size ${size}`);
    const area = (name: string, address: number, length: number, alignment: number): DataView => {
      const bytes = address % alignment === 0 ? this.memory.range(address, length) : undefined;
      if (bytes === undefined) throw new RingError(`${name} at 0x${address.toString(16)}`);
      return view(bytes);
    };
    const descriptors = area('descriptor table', addresses.descriptors, size * DESCRIPTOR_SIZE, 16);
    // Both rings end with the event index field.
    const available = area('available ring', addresses.driver, 6 + 2 * size, 2);
    this.used = area('used ring', addresses.device, 6 + 8 * size, 4);
    this.descriptors = descriptors;
    this.available = available;
  }

  /** Chains that wait in the available ring. */
  get waiting(): number {
    if (!this.available) return 0;
    const count = (this.available.getUint16(2, true) - this.nextAvailable) & 0xffff;
    if (count > this.size) throw new RingError(`available index ${count} ahead`);
    return count;
  }

  /** Takes the next chain; undefined when there is none. */
  pop(): Chain | undefined {
    if (!this.available || !this.descriptors || this.waiting === 0) return undefined;
    const head = this.available.getUint16(4 + 2 * (this.nextAvailable % this.size), true);
    const chain = this.follow(head);
    this.nextAvailable = (this.nextAvailable + 1) & 0xffff;
    if (this.eventIndex) this.used?.setUint16(4 + 8 * this.size, this.nextAvailable, true);
    return chain;
  }

  private follow(head: number): Chain {
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let readableBytes = 0;
    let writableBytes = 0;
    let table = this.descriptors as DataView;
    let entries = this.size;
    let isIndirect = false;
    let index = head;
    // Every descriptor looked at counts, so that no chain is endless.
    for (let count = 0; ; count++) {
      if (count >= MAX_SEGMENTS) throw new RingError('a chain without end');
      if (index >= entries) throw new RingError(`descriptor ${index} of ${entries}`);
      const at = index * DESCRIPTOR_SIZE;
      const address = table.getUint32(at, true) + table.getUint32(at + 4, true) * 2 ** 32;
      const length = table.getUint32(at + 8, true);
      const flags = table.getUint16(at + 12, true);
      const next = table.getUint16(at + 14, true);
      const bytes = this.memory.range(address, length);
      if (bytes === undefined) throw new RingError(`buffer 0x${address.toString(16)}+0x${length.toString(16)}`);

      if (flags & DESC_F_INDIRECT) {
        if (isIndirect || flags & DESC_F_NEXT) throw new RingError('misplaced indirect descriptor');
        if (length === 0 || length % DESCRIPTOR_SIZE !== 0) throw new RingError(`indirect table of ${length} bytes`);
        isIndirect = true;
        table = view(bytes);
        entries = length / DESCRIPTOR_SIZE;
        index = 0;
        continue;
      }
      if (flags & DESC_F_WRITE) {
        writable.push({ address, bytes });
        writableBytes += length;
      } else {
        // 2.7.4.2: all that the device reads comes first.
        if (writable.length > 0) throw new RingError('a readable buffer after a writable one');
        readable.push({ address, bytes });
        readableBytes += length;
      }
      if ((flags & DESC_F_NEXT) === 0) return { head, readable, writable, readableBytes, writableBytes };
      index = next;
    }
  }

  /** Gives a chain back, of whose writable buffers the first `written` bytes were filled. */
  push(chain: Chain, written: number): void {
    if (!this.used) return;
    let left = written;
    for (const { address, bytes } of chain.writable) {
      if (left <= 0) break;
      this.memory.written(address, Math.min(left, bytes.length));
      left -= bytes.length;
    }
    const slot = this.nextUsed % this.size;
    this.used.setUint32(4 + 8 * slot, chain.head, true);
    this.used.setUint32(8 + 8 * slot, written, true);
    this.nextUsed = (this.nextUsed + 1) & 0xffff;
    this.used.setUint16(2, this.nextUsed, true);
    this.memory.written(this.addresses.device, 6 + 8 * this.size);
  }

  /** Whether what was pushed since the last call is worth an interrupt to the driver (2.7.7, 2.7.10). */
  takeInterrupt(): boolean {
    if (!this.available) return false;
    const before = this.signalledUsed;
    const after = this.nextUsed;
    if (before === after) return false;
    if (!this.eventIndex) {
      this.signalledUsed = after;
      return (this.available.getUint16(0, true) & AVAIL_F_NO_INTERRUPT) === 0;
    }
    this.signalledUsed = after;
    const event = this.available.getUint16(4 + 2 * this.size, true);
    // The event index lies within what was pushed.
    return ((after - event - 1) & 0xffff) < ((after - before) & 0xffff);
  }

  save(): DeviceState {
    const { size, addresses, ready, nextAvailable, nextUsed, signalledUsed } = this;
    return { version: 1, size, ...addresses, ready, nextAvailable, nextUsed, signalledUsed };
  }

  /** Checks a saved state; the returned function loads it. Guest memory must be in place before. */
  prepareLoad(from: StateReader): (eventIndex: boolean) => void {
    const size = from.uint('size', this.maxSize);
    const address = (field: string) => {
      const value = from.time(field);
      return Number.isInteger(value) ? value : from.refuse(field, 'an address');
    };
    const addresses = {
      descriptors: address('descriptors'),
      driver: address('driver'),
      device: address('device'),
    };
    const ready = from.flag('ready');
    const fields = {
      nextAvailable: from.uint('nextAvailable', 0xffff),
      nextUsed: from.uint('nextUsed', 0xffff),
      signalledUsed: from.uint('signalledUsed', 0xffff),
    };
    if (ready) {
      const trial = new VirtQueue(this.maxSize, this.memory);
      Object.assign(trial, { size, addresses });
      try {
        trial.enable();
      } catch {
        from.refuse('ready', 'that of a queue in RAM');
      }
    }
    return (eventIndex) => {
      this.disable();
      Object.assign(this, { size, addresses, eventIndex });
      if (ready) this.enable();
      Object.assign(this, fields);
    };
  }
}

/** Copies the first bytes of a chain's readable buffers into `into`; returns how many there were. */
export function gather(segments: readonly Segment[], skip: number, into: Uint8Array): number {
  let done = 0;
  let before = skip;
  for (const { bytes } of segments) {
    if (done === into.length) break;
    if (before >= bytes.length) {
      before -= bytes.length;
      continue;
    }
    const part = bytes.subarray(before, before + into.length - done);
    into.set(part, done);
    done += part.length;
    before = 0;
  }
  return done;
}

/** Copies `from` into writable buffers, `skip` bytes after their beginning; returns how many bytes fitted. */
export function scatter(segments: readonly Segment[], skip: number, from: Uint8Array): number {
  let done = 0;
  let before = skip;
  for (const { bytes } of segments) {
    if (done === from.length) break;
    if (before >= bytes.length) {
      before -= bytes.length;
      continue;
    }
    const room = Math.min(bytes.length - before, from.length - done);
    bytes.set(from.subarray(done, done + room), before);
    done += room;
    before = 0;
  }
  return done;
}

/** The `length` bytes `skip` bytes after the beginning, as parts of the buffers themselves. */
export function slices(segments: readonly Segment[], skip: number, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let before = skip;
  let left = length;
  for (const { bytes } of segments) {
    if (left === 0) break;
    if (before >= bytes.length) {
      before -= bytes.length;
      continue;
    }
    const part = bytes.subarray(before, Math.min(bytes.length, before + left));
    parts.push(part);
    left -= part.length;
    before = 0;
  }
  return parts;
}
