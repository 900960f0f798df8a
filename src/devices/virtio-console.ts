// virtio console with one port (OASIS virtio 1.2, 5.3).

import type { DeviceState } from '../vcpu/device.js';
import { NumberQueue } from './number-queue.js';
import { StateReader } from './state-reader.js';
import { VIRTIO_ID_CONSOLE, type VirtioDevice, type VirtioHost } from './virtio-device.js';
import { scatter, type VirtQueue } from './virtio-queue.js';

/** A driver may print a character by writing to the configuration space (5.3.3). */
const F_EMERG_WRITE = 1 << 2;
const CONFIG_SIZE = 12;
const EMERG_WR = 8;

const RECEIVE_QUEUE = 0;
const QUEUE_SIZE = 64;
/** Bytes the host may have typed ahead of the guest. */
const HOST_QUEUE_SIZE = 65536;
/** After so many bytes of output the guest gets its turn. */
const BUDGET = 1 << 20;

const STATE_VERSION = 1;

export class VirtioConsole implements VirtioDevice {
  readonly name = 'virtio-console';
  readonly deviceId = VIRTIO_ID_CONSOLE;
  readonly features = F_EMERG_WRITE;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  private readonly configuration = new Uint8Array(CONFIG_SIZE);
  private readonly input = new NumberQueue(HOST_QUEUE_SIZE);
  private host: VirtioHost | undefined;

  /** `sink` takes every byte that the guest prints; it decides how much of a flood it keeps. */
  constructor(private readonly sink: (byte: number) => void) {}

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** Characters for the guest. Returns how many were taken: at most space(). */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.input.push(bytes[taken])) taken++;
    this.host?.serve(RECEIVE_QUEUE);
    return taken;
  }

  /** Bytes that receive() would take now. */
  space(): number {
    return this.input.space;
  }

  config(): Uint8Array {
    return this.configuration;
  }

  writeConfig(offset: number, value: number): void {
    if (offset === EMERG_WR) this.sink(value);
  }

  reset(): void {}

  serve(index: number, queue: VirtQueue): boolean {
    return index === RECEIVE_QUEUE ? this.fill(queue) : this.drain(queue);
  }

  private fill(queue: VirtQueue): boolean {
    for (let served = 0; this.input.length > 0; served++) {
      if (served === queue.size) return false;
      const chain = queue.pop();
      if (!chain) return true;
      const bytes = new Uint8Array(Math.min(this.input.length, chain.writableBytes));
      for (let i = 0; i < bytes.length; i++) bytes[i] = this.input.shift();
      queue.push(chain, scatter(chain.writable, 0, bytes));
    }
    return true;
  }

  private drain(queue: VirtQueue): boolean {
    let printed = 0;
    for (let served = 0; served < queue.size && printed < BUDGET; served++) {
      const chain = queue.pop();
      if (!chain) return true;
      for (const { bytes } of chain.readable) {
        // One request has at most the budget; what a driver puts beyond is lost.
        for (let i = 0; i < bytes.length && printed < BUDGET; i++, printed++) this.sink(bytes[i]);
      }
      queue.push(chain, 0);
    }
    return queue.waiting === 0;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, input: this.input.toArray() };
  }

  loadState(state: DeviceState): void {
    this.input.assign(new StateReader(this.name, state, STATE_VERSION).list('input', HOST_QUEUE_SIZE));
  }
}
