// virtio network device (OASIS virtio 1.2, 5.1): one pair of queues, no offloads.

import type { DeviceState } from '../vcpu/device.js';
import { StateReader } from './state-reader.js';
import { VIRTIO_ID_NET, type VirtioDevice, type VirtioHost } from './virtio-device.js';
import { gather, scatter, type VirtQueue } from './virtio-queue.js';

/** What is at the other end of the cable. */
export interface NetBackend {
  /** Called with each Ethernet frame of the guest, which is valid only during the call. */
  send(frame: Uint8Array): void;
  /** The device sets this: frames to the guest. */
  deliver: (frame: Uint8Array) => void;
}

const F_MAC = 1 << 5;
const F_STATUS = 1 << 16;
const STATUS_LINK_UP = 1;
const CONFIG_SIZE = 8;

/** virtio_net_hdr (5.1.6): of interest is only num_buffers, its last field. */
const HEADER_SIZE = 12;
const NUM_BUFFERS = 10;

const RECEIVE_QUEUE = 0;
const QUEUE_SIZE = 256;
/** Ethernet header, 1500 bytes of payload and a VLAN tag. */
const MAX_FRAME = 1518;
/** Frames that wait for the guest; more are lost, as on any wire. */
const MAX_WAITING = 256;

const STATE_VERSION = 1;

export class VirtioNet implements VirtioDevice {
  readonly name = 'virtio-net';
  readonly deviceId = VIRTIO_ID_NET;
  readonly features = F_MAC | F_STATUS;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  private readonly configuration = new Uint8Array(CONFIG_SIZE);
  private readonly waiting: Uint8Array[] = [];
  private host: VirtioHost | undefined;

  /** `mac`: six bytes. */
  constructor(
    private readonly backend: NetBackend,
    mac: Uint8Array,
  ) {
    this.configuration.set(mac.subarray(0, 6));
    this.configuration[6] = STATUS_LINK_UP;
    backend.deliver = (frame) => {
      if (this.waiting.length >= MAX_WAITING || frame.length > MAX_FRAME) return;
      this.waiting.push(frame.slice());
      this.host?.serve(RECEIVE_QUEUE);
    };
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  config(): Uint8Array {
    return this.configuration;
  }

  reset(): void {
    this.waiting.length = 0;
  }

  serve(index: number, queue: VirtQueue): boolean {
    return index === RECEIVE_QUEUE ? this.fill(queue) : this.drain(queue);
  }

  private fill(queue: VirtQueue): boolean {
    for (let served = 0; this.waiting.length > 0; served++) {
      if (served === queue.size) return false;
      const chain = queue.pop();
      if (!chain) return true;
      const frame = this.waiting.shift() as Uint8Array;
      const packet = new Uint8Array(HEADER_SIZE + frame.length);
      packet[NUM_BUFFERS] = 1;
      packet.set(frame, HEADER_SIZE);
      // A frame that does not fit is lost.
      const fits = packet.length <= chain.writableBytes;
      queue.push(chain, fits ? scatter(chain.writable, 0, packet) : 0);
    }
    return true;
  }

  private drain(queue: VirtQueue): boolean {
    for (let served = 0; served < queue.size; served++) {
      const chain = queue.pop();
      if (!chain) return true;
      const length = chain.readableBytes - HEADER_SIZE;
      if (length > 0 && length <= MAX_FRAME) {
        const frame = new Uint8Array(length);
        gather(chain.readable, HEADER_SIZE, frame);
        this.backend.send(frame);
      }
      queue.push(chain, 0);
    }
    return queue.waiting === 0;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, waiting: this.waiting.map((frame) => frame.slice()) };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const list = state['waiting'];
    const good = Array.isArray(list) && list.length <= MAX_WAITING;
    const saved: unknown[] = good ? list : from.refuse('waiting', 'a list of frames');
    const frames = saved.map((_, i) => {
      const one = new StateReader(this.name, { version: STATE_VERSION, frame: saved[i] }, STATE_VERSION);
      return Uint8Array.from(one.list('frame', MAX_FRAME));
    });
    this.waiting.splice(0, this.waiting.length, ...frames);
  }
}
