// PL031 real-time clock (Arm PrimeCell Real Time Clock (PL031) Technical Reference Manual, DDI 0224): seconds since
// 1970 in one register, and an alarm.

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import { PrimeCell } from './primecell.js';
import { StateReader } from './state-reader.js';

// Register offsets (table 3-1).
const DR = 0x00;
const MR = 0x04;
const LR = 0x08;
const CR = 0x0c;
const IMSC = 0x10;
const RIS = 0x14;
const MIS = 0x18;
const ICR = 0x1c;

const STATE_VERSION = 1;

export class Pl031 extends PrimeCell implements Stateful, TimedDevice {
  /** Seconds by which the guest has set its clock off from the date; modulo 2^32. */
  private offset = 0;
  private load = 0;
  private match = 0;
  private matchSet = false;
  private mask = 0;
  private raw = 0;

  constructor(private readonly options: { readonly clock: Clock; readonly irq: IrqLine }) {
    super('pl031', [0x31, 0x10, 0x04, 0x00]);
  }

  private seconds(): number {
    return Math.floor(this.options.clock.date() / 1000);
  }

  private counter(): number {
    return (this.seconds() + this.offset) >>> 0;
  }

  /** Milliseconds from now until the counter begins to show MR. */
  private untilMatch(): number {
    const date = this.options.clock.date();
    const wait = (this.match - this.counter()) >>> 0;
    return wait === 0 ? 0 : (Math.floor(date / 1000) + wait) * 1000 - date;
  }

  deadline(): number {
    // An alarm that nobody is to hear needs no time of its own.
    if (!this.matchSet || this.mask === 0) return Infinity;
    return this.options.clock.now() + Math.max(this.untilMatch() * 1e6, 1);
  }

  advance(): void {
    this.lookForMatch();
  }

  /** Sets the interrupt when the counter shows MR (3.3.2). */
  private lookForMatch(): void {
    if (!this.matchSet || this.counter() !== this.match) return;
    this.matchSet = false;
    this.raw = 1;
    this.update();
  }

  protected readRegister(offset: number): number {
    this.lookForMatch();
    switch (offset) {
      case DR:
        return this.counter();
      case MR:
        return this.match;
      case LR:
        return this.load;
      case CR:
        // The counter runs from reset on; writing has no effect once it does (3.3.4).
        return 1;
      case IMSC:
        return this.mask;
      case RIS:
        return this.raw;
      case MIS:
        return this.raw & this.mask;
      default:
        return 0;
    }
  }

  protected writeRegister(offset: number, value: number): void {
    switch (offset) {
      case MR:
        this.match = value;
        this.matchSet = true;
        break;
      case LR:
        this.load = value;
        this.offset = (value - this.seconds()) >>> 0;
        break;
      case IMSC:
        this.mask = value & 1;
        break;
      case ICR:
        if (value & 1) this.raw = 0;
        break;
    }
    this.lookForMatch();
    this.update();
  }

  private update(): void {
    this.options.irq.set((this.raw & this.mask) !== 0);
  }

  saveState(): DeviceState {
    const { offset, load, match, matchSet, mask, raw } = this;
    return { version: STATE_VERSION, offset, load, match, matchSet, mask, raw };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader('pl031', state, STATE_VERSION);
    const fields = {
      offset: from.uint('offset'),
      load: from.uint('load'),
      match: from.uint('match'),
      matchSet: from.flag('matchSet'),
      mask: from.uint('mask', 1),
      raw: from.uint('raw', 1),
    };
    Object.assign(this, fields);
    this.update();
  }
}
