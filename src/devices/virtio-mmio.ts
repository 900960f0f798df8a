// virtio over MMIO, version 2 (OASIS virtio 1.2, 4.2): the register window through which a driver finds a device,
// agrees on features and sets up queues.

import type { BusDevice, Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import type { DmaMemory } from './dma-memory.js';
import { StateReader, savedDeadline } from './state-reader.js';
import type { VirtioDevice, VirtioHost } from './virtio-device.js';
import { RingError, VirtQueue } from './virtio-queue.js';

// Registers (4.2.2, table 4.1).
const MAGIC_VALUE = 0x000;
const VERSION = 0x004;
const DEVICE_ID = 0x008;
const VENDOR_ID = 0x00c;
const DEVICE_FEATURES = 0x010;
const DEVICE_FEATURES_SEL = 0x014;
const DRIVER_FEATURES = 0x020;
const DRIVER_FEATURES_SEL = 0x024;
const QUEUE_SEL = 0x030;
const QUEUE_NUM_MAX = 0x034;
const QUEUE_NUM = 0x038;
const QUEUE_READY = 0x044;
const QUEUE_NOTIFY = 0x050;
const INTERRUPT_STATUS = 0x060;
const INTERRUPT_ACK = 0x064;
const STATUS = 0x070;
const QUEUE_DESC_LOW = 0x080;
const QUEUE_DESC_HIGH = 0x084;
const QUEUE_DRIVER_LOW = 0x090;
const QUEUE_DRIVER_HIGH = 0x094;
const QUEUE_DEVICE_LOW = 0x0a0;
const QUEUE_DEVICE_HIGH = 0x0a4;
/** Shared memory regions: there are none, which all ones in length and base say. */
const SHM_LEN_LOW = 0x0b0;
const SHM_BASE_HIGH = 0x0bc;
const CONFIG_GENERATION = 0x0fc;
const CONFIG = 0x100;
/** Bytes of a window. */
export const VIRTIO_MMIO_LENGTH = 0x200;

/** "virt", little-endian. */
const MAGIC = 0x74726976;
const MMIO_VERSION = 2;
/** "TSVM": any number will do. */
const VENDOR = 0x4d565354;

// Device status (2.1).
const STATUS_DRIVER_OK = 4;
const STATUS_FEATURES_OK = 8;
const STATUS_NEEDS_RESET = 0x40;

// Reserved feature bits (chapter 6).
const F_INDIRECT_DESC = 1 << 28;
const F_EVENT_IDX = 1 << 29;
/** Bit 32: bit 0 of the upper half. A device in this version of the transport is no legacy device. */
const F_VERSION_1_HIGH = 1;
const DEVICE_TYPE_FEATURES = 0xffffff;

const INTERRUPT_USED = 1;
const INTERRUPT_CONFIG = 2;

/** Work that was left over goes on after so many nanoseconds of guest time. */
const RESUME_NS = 10_000;

const STATE_VERSION = 1;

export interface VirtioMmioOptions {
  readonly device: VirtioDevice;
  readonly memory: DmaMemory;
  readonly clock: Clock;
  readonly irq: IrqLine;
}

export class VirtioMmio implements BusDevice, Stateful, TimedDevice, VirtioHost {
  readonly name: string;
  private readonly device: VirtioDevice;
  private readonly queues: readonly VirtQueue[];
  private readonly offered: readonly [number, number];
  private deviceFeaturesSelect = 0;
  private driverFeaturesSelect = 0;
  private driverFeatures: [number, number] = [0, 0];
  private queueSelect = 0;
  private interruptStatus = 0;
  private status = 0;
  /** Queues, as bits, whose work is not finished. */
  private unfinished = 0;
  private resumeAt = Infinity;

  constructor(private readonly options: VirtioMmioOptions) {
    this.device = options.device;
    this.name = this.device.name;
    this.queues = this.device.queueSizes.map((size) => new VirtQueue(size, options.memory));
    this.offered = [(this.device.features | F_INDIRECT_DESC | F_EVENT_IDX) >>> 0, F_VERSION_1_HIGH];
    this.device.attach(this);
  }

  read(offset: number, size: AccessSize): number {
    if (offset >= CONFIG) return this.readConfig(offset - CONFIG, size);
    // 4.2.2.2: the driver uses aligned 32-bit accesses to these registers; anything else means nothing.
    return size === 4 ? this.readRegister(offset) >>> 0 : 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset >= CONFIG) {
      for (let i = 0; i < size; i++) this.device.writeConfig?.(offset - CONFIG + i, (value >>> (8 * i)) & 0xff);
    } else if (size === 4) {
      this.writeRegister(offset, value);
    }
  }

  private readConfig(offset: number, size: AccessSize): number {
    const config = this.device.config();
    let value = 0;
    for (let i = 0; i < size; i++) value |= (config[offset + i] ?? 0) << (8 * i);
    return value >>> 0;
  }

  private readRegister(offset: number): number {
    const queue: VirtQueue | undefined = this.queues[this.queueSelect];
    switch (offset) {
      case MAGIC_VALUE:
        return MAGIC;
      case VERSION:
        return MMIO_VERSION;
      case DEVICE_ID:
        return this.device.deviceId;
      case VENDOR_ID:
        return VENDOR;
      case DEVICE_FEATURES:
        return this.offered[this.deviceFeaturesSelect] ?? 0;
      case QUEUE_NUM_MAX:
        return queue?.maxSize ?? 0;
      case QUEUE_READY:
        return queue?.ready ? 1 : 0;
      case INTERRUPT_STATUS:
        return this.interruptStatus;
      case STATUS:
        return this.status;
      case CONFIG_GENERATION:
        // No configuration has a field that changes by itself.
        return 0;
    }
    return offset >= SHM_LEN_LOW && offset <= SHM_BASE_HIGH ? 0xffffffff : 0;
  }

  private writeRegister(offset: number, value: number): void {
    switch (offset) {
      case DEVICE_FEATURES_SEL:
        this.deviceFeaturesSelect = value;
        return;
      case DRIVER_FEATURES:
        // Negotiation ends with FEATURES_OK (3.1.1).
        if (this.driverFeaturesSelect < 2 && (this.status & STATUS_FEATURES_OK) === 0)
          this.driverFeatures[this.driverFeaturesSelect] = value;
        return;
      case DRIVER_FEATURES_SEL:
        this.driverFeaturesSelect = value;
        return;
      case QUEUE_SEL:
        this.queueSelect = value;
        return;
      case QUEUE_NOTIFY:
        this.serve(value);
        return;
      case INTERRUPT_ACK:
        this.interruptStatus &= ~value;
        this.driveLine();
        return;
      case STATUS:
        this.writeStatus(value & 0xff);
        return;
      default: {
        const queue: VirtQueue | undefined = this.queues[this.queueSelect];
        if (queue) this.guard(() => this.writeQueueRegister(queue, offset, value));
      }
    }
  }

  private writeQueueRegister(queue: VirtQueue, offset: number, value: number): void {
    if (offset === QUEUE_READY) {
      if (value & 1 && !queue.ready) {
        queue.eventIndex = (this.driverFeatures[0] & F_EVENT_IDX) !== 0;
        queue.enable();
      } else if ((value & 1) === 0) {
        queue.disable();
      }
      return;
    }
    // Size and addresses are settled once the queue is in use (4.2.2.2).
    if (queue.ready) return;
    const { descriptors, driver, device } = queue.addresses;
    switch (offset) {
      case QUEUE_NUM:
        queue.size = value;
        return;
      case QUEUE_DESC_LOW:
        queue.addresses = { descriptors: withLow(descriptors, value), driver, device };
        return;
      case QUEUE_DESC_HIGH:
        queue.addresses = { descriptors: withHigh(descriptors, value), driver, device };
        return;
      case QUEUE_DRIVER_LOW:
        queue.addresses = { descriptors, driver: withLow(driver, value), device };
        return;
      case QUEUE_DRIVER_HIGH:
        queue.addresses = { descriptors, driver: withHigh(driver, value), device };
        return;
      case QUEUE_DEVICE_LOW:
        queue.addresses = { descriptors, driver, device: withLow(device, value) };
        return;
      case QUEUE_DEVICE_HIGH:
        queue.addresses = { descriptors, driver, device: withHigh(device, value) };
        return;
    }
  }

  private writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    const before = this.status;
    // Only the device sets and only a reset clears this one.
    this.status = (value & ~STATUS_NEEDS_RESET) | (before & STATUS_NEEDS_RESET);
    if (value & ~before & STATUS_FEATURES_OK) {
      const [low, high] = this.driverFeatures;
      const acceptable = (low & ~this.offered[0]) === 0 && high === F_VERSION_1_HIGH;
      // 2.2.2: a device that cannot work with what the driver chose does not accept the bit.
      if (acceptable) this.device.negotiated?.(low & DEVICE_TYPE_FEATURES);
      else this.status &= ~STATUS_FEATURES_OK;
    }
    if (value & ~before & STATUS_DRIVER_OK) for (let i = 0; i < this.queues.length; i++) this.serve(i);
  }

  private reset(): void {
    this.status = 0;
    this.driverFeatures = [0, 0];
    this.deviceFeaturesSelect = 0;
    this.driverFeaturesSelect = 0;
    this.queueSelect = 0;
    this.interruptStatus = 0;
    this.unfinished = 0;
    this.resumeAt = Infinity;
    for (const queue of this.queues) queue.reset();
    this.device.reset();
    this.driveLine();
  }

  serve(index: number): void {
    const queue: VirtQueue | undefined = this.queues[index];
    const running = (this.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) === STATUS_DRIVER_OK;
    if (!queue?.ready || !running) return;
    this.guard(() => {
      const finished = this.device.serve(index, queue);
      if (finished) this.unfinished &= ~(1 << index);
      else this.unfinished |= 1 << index;
      this.resumeAt = this.unfinished === 0 ? Infinity : this.options.clock.now() + RESUME_NS;
      if (queue.takeInterrupt()) this.interrupt(INTERRUPT_USED);
    });
  }

  /** A driver that breaks the rules gets a device that does nothing until it is reset (2.1.2). */
  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.unfinished = 0;
      this.resumeAt = Infinity;
      this.status |= STATUS_NEEDS_RESET;
      if (this.status & STATUS_DRIVER_OK) this.interrupt(INTERRUPT_CONFIG);
    }
  }

  private interrupt(cause: number): void {
    this.interruptStatus |= cause;
    this.driveLine();
  }

  private driveLine(): void {
    this.options.irq.set(this.interruptStatus !== 0);
  }

  deadline(): number {
    return this.resumeAt;
  }

  advance(now: number): void {
    if (now < this.resumeAt) return;
    this.resumeAt = Infinity;
    for (let i = 0; i < this.queues.length; i++) if ((this.unfinished >>> i) & 1) this.serve(i);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      deviceFeaturesSelect: this.deviceFeaturesSelect,
      driverFeaturesSelect: this.driverFeaturesSelect,
      driverFeatures: [...this.driverFeatures],
      queueSelect: this.queueSelect,
      interruptStatus: this.interruptStatus,
      status: this.status,
      unfinished: this.unfinished,
      resumeAt: savedDeadline(this.resumeAt),
      queues: this.queues.map((queue) => queue.save()),
      device: this.device.saveState(),
    };
  }

  /** Guest memory must be in place before. */
  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const driverFeatures = from.uints('driverFeatures', 2);
    const fields = {
      deviceFeaturesSelect: from.uint('deviceFeaturesSelect'),
      driverFeaturesSelect: from.uint('driverFeaturesSelect'),
      driverFeatures,
      queueSelect: from.uint('queueSelect'),
      interruptStatus: from.uint('interruptStatus', INTERRUPT_USED | INTERRUPT_CONFIG),
      status: from.uint('status', 0xff),
      unfinished: from.uint('unfinished', (1 << this.queues.length) - 1),
      resumeAt: from.deadline('resumeAt'),
    };
    const list = state['queues'];
    const good = Array.isArray(list) && list.length === this.queues.length;
    const saved: DeviceState[] = good ? list : from.refuse('queues', 'as many as here');
    const loads = this.queues.map((queue, i) => queue.prepareLoad(new StateReader(this.name, saved[i], 1)));
    this.device.loadState(from.nested('device'));
    Object.assign(this, fields);
    const eventIndex = (driverFeatures[0] & F_EVENT_IDX) !== 0;
    for (const load of loads) load(eventIndex);
    if (fields.status & STATUS_FEATURES_OK) this.device.negotiated?.(driverFeatures[0] & DEVICE_TYPE_FEATURES);
    this.driveLine();
  }
}

/** A window in which there is no device (4.2.3.1.1): drivers that probe all windows go on to the next. */
export function emptyVirtioMmio(): BusDevice {
  return {
    name: 'virtio-empty',
    read: (offset, size) => {
      if (size !== 4) return 0;
      return offset === MAGIC_VALUE ? MAGIC : offset === VERSION ? MMIO_VERSION : 0;
    },
    write: () => undefined,
  };
}

function withLow(address: number, low: number): number {
  return Math.floor(address / 2 ** 32) * 2 ** 32 + low;
}

/** Addresses from 2^53 on lose low bits: there is no memory, so nobody misses them. */
function withHigh(address: number, high: number): number {
  return high * 2 ** 32 + (address % 2 ** 32);
}
