// The local APIC's timer (SDM vol. 3, 11.5.4): a 32-bit down-counter behind a divider.

import type { Clock, DeviceState, Stateful } from '../vcpu/device.js';
import { StateReader } from './state-reader.js';

/**
 * Frequency of the clock before the divider, in Hz. One tick per nanosecond: the same as the TSC and the core crystal
 * clock that CPUID leaf 0x15 announces, so that a guest that calibrates and a guest that trusts CPUID get one answer.
 */
export const APIC_BUS_FREQUENCY = 1_000_000_000;
const NS_PER_TICK = 1e9 / APIC_BUS_FREQUENCY;

/**
 * A periodic timer expires at most this often (ns). A guest may program a period of one nanosecond; honoured to the
 * letter, that would leave the host nothing to do but deliver ticks. Ticks in between merge, as they do in the IRR.
 */
export const MIN_TIMER_PERIOD = 20_000;

const STATE_VERSION = 1;

export class ApicTimer implements Stateful {
  /** Divide configuration register, bits 3, 1 and 0. */
  divideConfiguration = 0;
  initialCount = 0;
  /** Timer mode of the LVT entry: periodic, or one-shot. */
  periodic = false;
  private running = false;
  /** Clock time when the count was last loaded, and of the next expiry. Both mean nothing unless `running`. */
  private start = 0;
  private expiry = 0;
  /** Ticks that the counter had at `start`. */
  private startCount = 0;

  constructor(private readonly clock: Clock) {}

  reset(): void {
    this.divideConfiguration = 0;
    this.initialCount = 0;
    this.periodic = false;
    this.start = 0;
    this.expiry = 0;
    this.startCount = 0;
    this.running = false;
  }

  /** 000 divides by 2, … 110 by 128, 111 by 1 (figure 11-10). */
  get divisor(): number {
    const code = (this.divideConfiguration & 3) | ((this.divideConfiguration >> 1) & 4);
    return 1 << ((code + 1) & 7);
  }

  /** Writing the initial count starts the timer; zero stops it. */
  load(count: number): void {
    this.initialCount = count;
    this.restart(this.clock.now(), count);
  }

  /** A new divisor applies to the ticks that are left. */
  setDivideConfiguration(value: number): void {
    const left = this.currentCount();
    this.divideConfiguration = value & 0xb;
    if (this.running) this.restart(this.clock.now(), left);
  }

  currentCount(): number {
    if (!this.running) return 0;
    const elapsed = Math.max(0, this.clock.now() - this.start);
    const ticks = Math.floor(elapsed / (this.divisor * NS_PER_TICK));
    if (ticks < this.startCount) return this.startCount - ticks;
    if (!this.periodic) return 0;
    return this.initialCount - ((ticks - this.startCount) % this.initialCount);
  }

  deadline(): number {
    return this.running ? this.expiry : Infinity;
  }

  /** True when the count reached zero by `now`, however often. Prepares the next expiry. */
  expire(now: number): boolean {
    if (!this.running || now < this.expiry) return false;
    if (!this.periodic || this.initialCount === 0) {
      this.running = false;
      return true;
    }
    const tick = this.divisor * NS_PER_TICK;
    const period = this.initialCount * tick;
    // Reloads happen on the grid of the original start, so that lateness never accumulates.
    const firstReload = this.start + this.startCount * tick;
    const reloads = Math.max(0, Math.floor((now - firstReload) / period));
    this.start = firstReload + reloads * period;
    this.startCount = this.initialCount;
    this.expiry = Math.max(this.start + period, now + MIN_TIMER_PERIOD);
    return true;
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      divideConfiguration: this.divideConfiguration,
      initialCount: this.initialCount,
      periodic: this.periodic,
      start: this.start,
      startCount: this.startCount,
      expiry: this.expiry,
      running: this.running,
    };
  }

  /** Times are those of the machine's clock, which therefore has to be restored as well. */
  loadState(state: DeviceState): void {
    const from = new StateReader('local-apic timer', state, STATE_VERSION);
    const divideConfiguration = from.uint('divideConfiguration', 0xb);
    const [initialCount, startCount] = [from.uint('initialCount'), from.uint('startCount')];
    const [start, expiry] = [from.time('start'), from.time('expiry')];
    const [periodic, running] = [from.flag('periodic'), from.flag('running')];
    if (running && initialCount === 0) from.refuse('initialCount', 'more than zero');
    this.divideConfiguration = divideConfiguration;
    this.initialCount = initialCount;
    this.periodic = periodic;
    this.start = start;
    this.startCount = startCount;
    this.expiry = expiry;
    this.running = running;
  }

  private restart(now: number, count: number): void {
    this.running = count > 0;
    this.startCount = count;
    this.start = now;
    this.expiry = now + count * this.divisor * NS_PER_TICK;
  }
}
