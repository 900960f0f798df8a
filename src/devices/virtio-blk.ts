// virtio block device (OASIS virtio 1.2, 5.2).

import type { DeviceState } from '../vcpu/device.js';
import { type BlockBackend, SECTOR_SIZE } from './block-backend.js';
import { StateReader } from './state-reader.js';
import { VIRTIO_ID_BLOCK, type VirtioDevice } from './virtio-device.js';
import { type Chain, gather, RingError, scatter, slices, type VirtQueue } from './virtio-queue.js';

// Feature bits (5.2.3).
const F_SEG_MAX = 1 << 2;
const F_RO = 1 << 5;
const F_BLK_SIZE = 1 << 6;
const F_FLUSH = 1 << 9;

// Request types and status (5.2.6).
const T_IN = 0;
const T_OUT = 1;
const T_FLUSH = 4;
const T_GET_ID = 8;
const S_OK = 0;
const S_IOERR = 1;
const S_UNSUPP = 2;
/** type u32, reserved u32, sector u64. */
const HEADER_SIZE = 16;
const ID_SIZE = 20;

const QUEUE_SIZE = 256;
/** Data buffers of one request: the queue's size without header and status. */
const SEGMENTS = QUEUE_SIZE - 2;
const CONFIG_SIZE = 0x24;

/** Bytes of data in one request; drivers stay far below. */
const MAX_TRANSFER = 8 << 20;
/** After so many bytes the guest gets its turn before the next request. */
const BUDGET = 4 << 20;

const STATE_VERSION = 1;

export interface VirtioBlkOptions {
  readonly backend: BlockBackend;
  /** What GET_ID answers, at most 20 characters. */
  readonly serial: string;
}

/** Whatever the backend throws, the guest sees an I/O error. */
export class VirtioBlk implements VirtioDevice {
  readonly name = 'virtio-blk';
  readonly deviceId = VIRTIO_ID_BLOCK;
  readonly features: number;
  readonly queueSizes = [QUEUE_SIZE];
  private readonly backend: BlockBackend;
  private readonly configuration = new Uint8Array(CONFIG_SIZE);
  /** The driver knows FLUSH; one that does not expects every write to be safe at once (5.2.6.2). */
  private driverFlushes = false;

  constructor(private readonly options: VirtioBlkOptions) {
    this.backend = options.backend;
    this.features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (this.backend.readOnly ? F_RO : 0);
    const view = new DataView(this.configuration.buffer);
    view.setBigUint64(0x00, BigInt(this.backend.sectors), true);
    view.setUint32(0x0c, SEGMENTS, true);
    view.setUint32(0x14, SECTOR_SIZE, true);
  }

  attach(): void {}

  config(): Uint8Array {
    return this.configuration;
  }

  negotiated(features: number): void {
    this.driverFlushes = (features & F_FLUSH) !== 0;
  }

  reset(): void {
    this.driverFlushes = false;
  }

  serve(_index: number, queue: VirtQueue): boolean {
    let moved = 0;
    for (let served = 0; served < queue.size && moved < BUDGET; served++) {
      const chain = queue.pop();
      if (!chain) return true;
      moved += Math.min(chain.readableBytes + chain.writableBytes, MAX_TRANSFER);
      queue.push(chain, this.perform(chain));
    }
    return queue.waiting === 0;
  }

  /** Returns how many bytes were written into the chain, its last one being the status. */
  private perform(chain: Chain): number {
    const { readableBytes, writableBytes } = chain;
    if (readableBytes < HEADER_SIZE || writableBytes < 1)
      throw new RingError('a block request without header or status');
    const header = new Uint8Array(HEADER_SIZE);
    gather(chain.readable, 0, header);
    const view = new DataView(header.buffer);
    const sector = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
    const dataIn = writableBytes - 1;
    let status: number;
    try {
      status = this.execute(view.getUint32(0, true), sector, chain, dataIn);
    } catch {
      status = S_IOERR;
    }
    scatter(chain.writable, dataIn, Uint8Array.of(status));
    // The status is the last byte, so all before it count as written, whatever the request was.
    return writableBytes;
  }

  private execute(type: number, sector: number, chain: Chain, dataIn: number): number {
    switch (type) {
      case T_IN:
        return this.readSectors(sector, chain, dataIn);
      case T_OUT:
        return this.writeSectors(sector, chain, chain.readableBytes - HEADER_SIZE);
      case T_FLUSH:
        this.backend.flush();
        return S_OK;
      case T_GET_ID: {
        const id = new Uint8Array(Math.min(ID_SIZE, dataIn));
        for (let i = 0; i < Math.min(id.length, this.options.serial.length); i++)
          id[i] = this.options.serial.charCodeAt(i) & 0x7f;
        scatter(chain.writable, 0, id);
        return S_OK;
      }
      default:
        return S_UNSUPP;
    }
  }

  private exists(sector: number, length: number): boolean {
    if (length % SECTOR_SIZE !== 0 || length > MAX_TRANSFER) return false;
    return sector + length / SECTOR_SIZE <= this.backend.sectors;
  }

  private readSectors(sector: number, chain: Chain, length: number): number {
    if (!this.exists(sector, length)) return S_IOERR;
    const parts = slices(chain.writable, 0, length);
    if (parts.every((part) => part.length % SECTOR_SIZE === 0)) {
      let at = sector;
      for (const part of parts) {
        this.backend.read(at, part.length / SECTOR_SIZE, part);
        at += part.length / SECTOR_SIZE;
      }
      return S_OK;
    }
    const whole = new Uint8Array(length);
    this.backend.read(sector, length / SECTOR_SIZE, whole);
    scatter(chain.writable, 0, whole);
    return S_OK;
  }

  private writeSectors(sector: number, chain: Chain, length: number): number {
    if (this.backend.readOnly || !this.exists(sector, length)) return S_IOERR;
    const parts = slices(chain.readable, HEADER_SIZE, length);
    if (parts.every((part) => part.length % SECTOR_SIZE === 0)) {
      let at = sector;
      for (const part of parts) {
        this.backend.write(at, part);
        at += part.length / SECTOR_SIZE;
      }
    } else {
      const whole = new Uint8Array(length);
      gather(chain.readable, HEADER_SIZE, whole);
      this.backend.write(sector, whole);
    }
    if (!this.driverFlushes) this.backend.flush();
    return S_OK;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, sectors: this.backend.sectors };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const sectors = this.backend.sectors;
    if (from.uint('sectors', Number.MAX_SAFE_INTEGER) !== sectors)
      from.refuse('sectors', `${sectors}, this disk's size`);
  }
}
