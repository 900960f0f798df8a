// virtio entropy device (OASIS virtio 1.2, 5.4).

import type { DeviceState } from '../vcpu/device.js';
import { StateReader } from './state-reader.js';
import { VIRTIO_ID_RNG, type VirtioDevice } from './virtio-device.js';
import { scatter, type VirtQueue } from './virtio-queue.js';

const QUEUE_SIZE = 8;
/** A request gets at most so many bytes, and the used ring says how many. */
const MAX_BYTES = 4096;
const STATE_VERSION = 1;

export class VirtioRng implements VirtioDevice {
  readonly name = 'virtio-rng';
  readonly deviceId = VIRTIO_ID_RNG;
  readonly features = 0;
  readonly queueSizes = [QUEUE_SIZE];

  /** `random` fills an array with random bytes. */
  constructor(private readonly random: (into: Uint8Array<ArrayBuffer>) => void) {}

  attach(): void {}

  config(): Uint8Array {
    return new Uint8Array(0);
  }

  reset(): void {}

  serve(_index: number, queue: VirtQueue): boolean {
    for (let served = 0; served < queue.size; served++) {
      const chain = queue.pop();
      if (!chain) return true;
      const bytes = new Uint8Array(Math.min(chain.writableBytes, MAX_BYTES));
      this.random(bytes);
      queue.push(chain, scatter(chain.writable, 0, bytes));
    }
    return queue.waiting === 0;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION };
  }

  loadState(state: DeviceState): void {
    new StateReader(this.name, state, STATE_VERSION);
  }
}
