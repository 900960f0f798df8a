// What a virtio device is to its transport, and the transport to it (OASIS virtio 1.2, chapter 2).

import type { Stateful } from '../vcpu/device.js';
import type { VirtQueue } from './virtio-queue.js';

// Device types (chapter 5).
export const VIRTIO_ID_NET = 1;
export const VIRTIO_ID_BLOCK = 2;
export const VIRTIO_ID_CONSOLE = 3;
export const VIRTIO_ID_RNG = 4;

/** The transport, as a device sees it. */
export interface VirtioHost {
  /** Something for queue `index` has arrived from outside: serves it, if the driver is ready. */
  serve(index: number): void;
}

export interface VirtioDevice extends Stateful {
  readonly name: string;
  readonly deviceId: number;
  /** Feature bits 0–23, which are the device type's own. */
  readonly features: number;
  /** Largest size of each queue, powers of two. */
  readonly queueSizes: readonly number[];
  attach(host: VirtioHost): void;
  /** The device's configuration space, as it is now. */
  config(): Uint8Array;
  /** The driver wrote one byte of it. */
  writeConfig?(offset: number, value: number): void;
  /** The driver and the device agreed on these of `features`. */
  negotiated?(features: number): void;
  /**
   * Takes chains from the queue and gives them back. Returns false when it stopped for having done much already: it is
   * called again soon. At most the queue's size of chains are taken at once, because what a device writes may be the
   * very ring that it reads, and that could go on for ever. May throw RingError.
   */
  serve(index: number, queue: VirtQueue): boolean;
  reset(): void;
}
