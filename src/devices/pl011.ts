// PL011 UART: the virt board's serial port (Arm PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, r1p4).

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import { NumberQueue } from './number-queue.js';
import { PrimeCell } from './primecell.js';
import { StateReader, savedDeadline } from './state-reader.js';

// Register offsets (table 3-1).
const DR = 0x00;
const RSR_ECR = 0x04;
const FR = 0x18;
const ILPR = 0x20;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const DMACR = 0x48;

/** Error bits of a received character: framing, parity, break and overrun (table 3-2). */
const DR_FRAMING = 0x100;
const DR_BREAK = 0x400;
const DR_OVERRUN = 0x800;
const DR_BITS = 0xfff;

// Flags (table 3-4). CTS, DSR and DCD: a terminal that is connected and ready.
const FR_MODEM = 0x07;
const FR_RX_EMPTY = 0x10;
const FR_RX_FULL = 0x40;
const FR_TX_EMPTY = 0x80;

const LCR_FIFO_ENABLE = 0x10;
const CR_LOOPBACK = 0x80;
/** Transmitter and receiver enabled, UART not (table 3-11). */
const CR_RESET = 0x300;
const IFLS_RESET = 0x12;

// Interrupts (table 3-14).
const INT_RX = 0x10;
const INT_TX = 0x20;
const INT_RX_TIMEOUT = 0x40;
const INT_OVERRUN = 0x400;
const INT_BREAK = 0x200;
const INT_FRAMING = 0x80;
const INT_ALL = 0x7ff;

const FIFO_SIZE = 16;
/** Bytes the host may have typed ahead of the guest. */
const HOST_QUEUE_SIZE = 65536;
/** The receive timeout comes after so many bit times without a new character (2.8.1). */
const TIMEOUT_BITS = 32;
/** 115200 baud at 24 MHz, for a guest that has not set a rate. */
const DEFAULT_DIVISOR = 13;

const STATE_VERSION = 1;

export interface Pl011Options {
  readonly clock: Clock;
  readonly irq: IrqLine;
  /** Takes every byte that the guest transmits; it decides how much of a flood it keeps. */
  readonly sink: (byte: number) => void;
  /** UARTCLK in Hz. */
  readonly frequency: number;
  readonly name?: string;
}

/**
 * Transmission takes no time, and works even while the UART is not enabled: small kernels that print without setting
 * it up are many. Received characters wait in a host-side queue and enter the FIFO as the guest drains it, so that
 * overrun occurs in loopback only.
 *
 * The receive interrupt comes with the first character, whatever level IFLS selects: kernels that enable it without
 * the receive timeout would otherwise wait for a second one.
 */
export class Pl011 extends PrimeCell implements Stateful, TimedDevice {
  private readonly clock: Clock;
  private readonly irq: IrqLine;
  private readonly sink: (byte: number) => void;

  private receiveStatus = 0;
  private ilpr = 0;
  private integerDivisor = 0;
  private fractionalDivisor = 0;
  private lineControl = 0;
  private control = CR_RESET;
  private fifoLevels = IFLS_RESET;
  private mask = 0;
  private raw = 0;
  private dmaControl = 0;
  private timeoutAt = Infinity;
  /** Characters with their error bits where DR has them. */
  private readonly fifo = new NumberQueue(FIFO_SIZE);
  private readonly hostQueue = new NumberQueue(HOST_QUEUE_SIZE);

  constructor(private readonly options: Pl011Options) {
    super(options.name ?? 'pl011', [0x11, 0x10, 0x14, 0x00]);
    this.clock = options.clock;
    this.irq = options.irq;
    this.sink = options.sink;
  }

  /** Characters arriving on the line. Returns how many were taken: at most space(). */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.hostQueue.push(bytes[taken])) taken++;
    this.feed();
    this.update();
    return taken;
  }

  /** A break condition on the line. False when there is no room. */
  receiveBreak(): boolean {
    const taken = this.hostQueue.push(DR_BREAK | DR_FRAMING);
    this.feed();
    this.update();
    return taken;
  }

  /** Bytes that receive() would take now. */
  space(): number {
    return this.hostQueue.space;
  }

  deadline(): number {
    return this.timeoutAt;
  }

  advance(now: number): void {
    if (now < this.timeoutAt) return;
    this.timeoutAt = Infinity;
    this.raw |= INT_RX_TIMEOUT;
    this.update();
  }

  protected readRegister(offset: number): number {
    // A guest may look before the run loop has called advance().
    if (this.timeoutAt !== Infinity) this.advance(this.clock.now());
    switch (offset) {
      case DR:
        return this.readData();
      case RSR_ECR:
        return this.receiveStatus;
      case FR: {
        const full = this.fifo.length >= this.capacity;
        const empty = this.fifo.length === 0;
        return FR_MODEM | FR_TX_EMPTY | (full ? FR_RX_FULL : 0) | (empty ? FR_RX_EMPTY : 0);
      }
      case ILPR:
        return this.ilpr;
      case IBRD:
        return this.integerDivisor;
      case FBRD:
        return this.fractionalDivisor;
      case LCR_H:
        return this.lineControl;
      case CR:
        return this.control;
      case IFLS:
        return this.fifoLevels;
      case IMSC:
        return this.mask;
      case RIS:
        return this.raw;
      case MIS:
        return this.raw & this.mask;
      case DMACR:
        return this.dmaControl;
      default:
        return 0;
    }
  }

  protected writeRegister(offset: number, value: number): void {
    if (this.timeoutAt !== Infinity) this.advance(this.clock.now());
    switch (offset) {
      case DR:
        this.transmit(value & 0xff);
        break;
      case RSR_ECR:
        this.receiveStatus = 0;
        break;
      case ILPR:
        this.ilpr = value & 0xff;
        break;
      case IBRD:
        this.integerDivisor = value & 0xffff;
        break;
      case FBRD:
        this.fractionalDivisor = value & 0x3f;
        break;
      case LCR_H:
        this.writeLineControl(value & 0xff);
        break;
      case CR:
        this.control = value & 0xffff;
        this.feed();
        break;
      case IFLS:
        this.fifoLevels = value & 0x3f;
        break;
      case IMSC:
        this.mask = value & INT_ALL;
        break;
      case ICR:
        this.raw &= ~value;
        break;
      case DMACR:
        this.dmaControl = value & 7;
        break;
    }
    this.update();
  }

  private get capacity(): number {
    return this.lineControl & LCR_FIFO_ENABLE ? FIFO_SIZE : 1;
  }

  private transmit(byte: number): void {
    if (this.control & CR_LOOPBACK) this.receiveCharacter(byte);
    else this.sink(byte);
    // The FIFO went below its trigger level by the transmission (2.8.1).
    this.raw |= INT_TX;
  }

  private receiveCharacter(character: number): void {
    if (this.fifo.length >= this.capacity) {
      this.receiveStatus |= DR_OVERRUN >> 8;
      this.raw |= INT_OVERRUN;
      return;
    }
    this.fifo.push(character);
    this.raw |= INT_RX;
    if (character & DR_BREAK) this.raw |= INT_BREAK;
    if (character & DR_FRAMING) this.raw |= INT_FRAMING;
    this.restartTimeout();
  }

  private readData(): number {
    const character = this.fifo.shift();
    if (character < 0) return 0;
    this.receiveStatus = (this.receiveStatus & (DR_OVERRUN >> 8)) | ((character >> 8) & 7);
    if (this.fifo.length === 0) this.raw &= ~(INT_RX | INT_RX_TIMEOUT);
    // The line falls before the next character comes, as it would with the time a character takes.
    this.update();
    this.feed();
    this.restartTimeout();
    this.update();
    return character;
  }

  /** Moves what the host sent into the FIFO as far as there is room. In loopback the line is disconnected. */
  private feed(): void {
    if (this.control & CR_LOOPBACK) return;
    while (this.fifo.length < this.capacity && this.hostQueue.length > 0) this.receiveCharacter(this.hostQueue.shift());
  }

  private restartTimeout(): void {
    if (this.fifo.length === 0) {
      this.timeoutAt = Infinity;
      return;
    }
    // A bit takes 16 × (IBRD + FBRD / 64) clocks (3.3.6).
    const divisor = this.integerDivisor + this.fractionalDivisor / 64 || DEFAULT_DIVISOR;
    this.timeoutAt = this.clock.now() + (TIMEOUT_BITS * 16 * divisor * 1e9) / this.options.frequency;
  }

  private writeLineControl(value: number): void {
    // Switching the FIFOs on or off flushes them (3.3.7).
    if ((value ^ this.lineControl) & LCR_FIFO_ENABLE) {
      this.fifo.clear();
      this.timeoutAt = Infinity;
      this.raw &= ~(INT_RX | INT_RX_TIMEOUT);
    }
    this.lineControl = value;
    this.feed();
  }

  private update(): void {
    this.irq.set((this.raw & this.mask) !== 0);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      receiveStatus: this.receiveStatus,
      ilpr: this.ilpr,
      integerDivisor: this.integerDivisor,
      fractionalDivisor: this.fractionalDivisor,
      lineControl: this.lineControl,
      control: this.control,
      fifoLevels: this.fifoLevels,
      mask: this.mask,
      raw: this.raw,
      dmaControl: this.dmaControl,
      timeoutAt: savedDeadline(this.timeoutAt),
      fifo: this.fifo.toArray(),
      hostQueue: this.hostQueue.toArray(),
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const lineControl = from.uint('lineControl', 0xff);
    const fields = {
      receiveStatus: from.uint('receiveStatus', 0xf),
      ilpr: from.uint('ilpr', 0xff),
      integerDivisor: from.uint('integerDivisor', 0xffff),
      fractionalDivisor: from.uint('fractionalDivisor', 0x3f),
      lineControl,
      control: from.uint('control', 0xffff),
      fifoLevels: from.uint('fifoLevels', 0x3f),
      mask: from.uint('mask', INT_ALL),
      raw: from.uint('raw', INT_ALL),
      dmaControl: from.uint('dmaControl', 7),
      timeoutAt: from.deadline('timeoutAt'),
    };
    const fifo = from.list('fifo', lineControl & LCR_FIFO_ENABLE ? FIFO_SIZE : 1, DR_BITS);
    const hostQueue = from.list('hostQueue', HOST_QUEUE_SIZE, DR_BITS);
    Object.assign(this, fields);
    this.fifo.assign(fifo);
    this.hostQueue.assign(hostQueue);
    this.update();
  }
}
