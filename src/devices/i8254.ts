// 8254 programmable interval timer: three counters on the PC's 1.193182 MHz clock
// (Intel 8254 data sheet, September 1993).

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import { ByteDevice } from './byte-device.js';
import { TimerCounter } from './i8254-counter.js';
import { StateReader } from './state-reader.js';

/** 14.31818 MHz / 12, in Hz. */
export const PIT_FREQUENCY = 1_193_182;
const PULSES_PER_NS = PIT_FREQUENCY / 1e9;

/**
 * Ticks of channel 0 that are made up for at most, when the machine was too late to deliver them on time. A
 * kernel that keeps time by counting ticks stays right over hiccups of the host; a laptop that slept does
 * not make its guest work through hours of ticks.
 */
export const MAX_LATE_TICKS = 32;
/** Channel 0 interrupts at most every 20 µs: faster programming merges ticks instead of drowning the machine. */
export const MIN_TICK_INTERVAL_NS = 20_000;

const CONTROL_WORD = 3;
const STATE_VERSION = 1;

/** CLK pulses since the machine started. */
export function pulsesAt(now: number): number {
  return Math.floor(now * PULSES_PER_NS);
}

/** The earliest time (ns) at which pulsesAt() is at least `pulse`. */
function timeOf(pulse: number): number {
  let time = Math.ceil(pulse / PULSES_PER_NS);
  while (pulsesAt(time) < pulse) time += 1 + time * Number.EPSILON;
  return time;
}

/** Counter 2 as port 0x61 sees it. */
export interface GatedTimer {
  /** Level of GATE 2. */
  gate: boolean;
  /** Level of OUT 2. */
  readonly output: boolean;
}

export interface I8254Options {
  readonly clock: Clock;
  /** OUT 0: IRQ 0. */
  readonly irq: IrqLine;
}

/**
 * Four ports at 0x40. Counts and outputs are computed from the clock whenever the guest looks, so a calibration
 * loop reads exact values; only channel 0's rising edges are events.
 *
 * IRQ 0 is raised at each rising edge of OUT 0. Its falling edge says nothing to an edge-triggered controller and
 * is given together with the next rising one, so a tick stays pending for a whole period. Ticks that were
 * due while nobody could deliver them (at most MAX_LATE_TICKS) follow at double speed, or half the period apart.
 *
 * Threat: a guest programs the shortest period to have the host do nothing but ticks; see MIN_TICK_INTERVAL_NS.
 */
export class I8254 extends ByteDevice implements Stateful, TimedDevice {
  private readonly clock: Clock;
  private readonly irq: IrqLine;
  /** GATE 0 and 1 are tied high. GATE 2 is low until port 0x61 raises it. */
  private readonly counters = [
    new TimerCounter('i8254 counter 0', true),
    new TimerCounter('i8254 counter 1', true),
    new TimerCounter('i8254 counter 2', false),
  ] as const;
  /** Rising edges of OUT 0 that IRQ 0 has not shown yet. */
  private ticksDue = 0;
  /** Clock time before which IRQ 0 does not rise again. */
  private nextTickAt = 0;
  private irqLevel = false;
  /** Counter 2's gate and output. */
  readonly channel2: GatedTimer;

  constructor(options: I8254Options) {
    super('i8254', 4);
    this.clock = options.clock;
    this.irq = options.irq;
    const counter = this.counters[2];
    const settle = () => {
      const tick = pulsesAt(this.clock.now());
      counter.settle(tick);
      return tick;
    };
    this.channel2 = {
      get gate() {
        return counter.gate;
      },
      set gate(level: boolean) {
        counter.setGate(level, settle());
      },
      get output() {
        settle();
        return counter.output;
      },
    };
  }

  deadline(): number {
    if (this.ticksDue > 0) return this.nextTickAt;
    const edge = this.counters[0].nextRisingEdge();
    return edge === Infinity ? Infinity : Math.max(timeOf(edge), this.nextTickAt);
  }

  advance(now: number): void {
    const counter = this.counters[0];
    const edges = counter.settle(pulsesAt(now));
    this.ticksDue = Math.min(this.ticksDue + edges, 1 + MAX_LATE_TICKS);
    if (this.ticksDue > 0 && now >= this.nextTickAt) {
      this.ticksDue--;
      this.setIrq(false);
      this.setIrq(true);
      const catchUp = (counter.period / 2 / PIT_FREQUENCY) * 1e9;
      // Late ticks must not push on-time ones away, so the distance counts only while there are late ones.
      const distance = this.ticksDue > 0 ? Math.max(catchUp, MIN_TICK_INTERVAL_NS) : MIN_TICK_INTERVAL_NS;
      this.nextTickAt = now + distance + now * Number.EPSILON;
    }
    if (counter.steadyLow && this.ticksDue === 0) this.setIrq(false);
  }

  private setIrq(level: boolean): void {
    this.irqLevel = level;
    this.irq.set(level);
  }

  /** Brings all counters to the present; returns it in pulses. */
  private settle(): number {
    const now = this.clock.now();
    const tick = pulsesAt(now);
    this.advance(now);
    this.counters[1].settle(tick);
    this.counters[2].settle(tick);
    return tick;
  }

  protected readByte(offset: number): number {
    // The control word cannot be read (data sheet, table 1): the bus floats.
    if (offset === CONTROL_WORD) return 0xff;
    this.settle();
    return this.counters[offset].read();
  }

  protected writeByte(offset: number, value: number): void {
    const tick = this.settle();
    const wasHigh = this.counters[0].output;
    if (offset !== CONTROL_WORD) this.counters[offset].write(value, tick);
    else if (value >> 6 === 3) this.readBack(value);
    else this.writeControlWord(value);
    this.followOutput0(wasHigh);
  }

  private writeControlWord(value: number): void {
    const select = value >> 6;
    this.counters[select].control(value);
    // Ticks of the previous programming are nobody's concern any more.
    if (select === 0 && (value & 0x30) !== 0) this.ticksDue = 0;
  }

  /** Read-back command: COUNT and STATUS are active low (figure 10). */
  private readBack(value: number): void {
    this.counters.forEach((counter, n) => {
      if (!(value & (2 << n))) return;
      if (!(value & 0x20)) counter.latchCount();
      if (!(value & 0x10)) counter.latchStatus();
    });
  }

  /** Programming alone can move OUT 0: mode 0 starts low, the other modes high. */
  private followOutput0(wasHigh: boolean): void {
    const counter = this.counters[0];
    if (counter.steadyLow) this.setIrq(false);
    else if (counter.output && !wasHigh) this.setIrq(true);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      counters: this.counters.map((counter) => counter.saveState()),
      ticksDue: this.ticksDue,
      nextTickAt: this.nextTickAt,
      irqLevel: this.irqLevel,
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const saved = state['counters'];
    if (!Array.isArray(saved) || saved.length !== 3) r.refuse('counters', 'the states of 3 counters');
    const loads = this.counters.map((counter, n) => counter.prepareLoad((saved as DeviceState[])[n]));
    const ticksDue = r.uint('ticksDue', 1 + MAX_LATE_TICKS);
    const nextTickAt = r.time('nextTickAt');
    const irqLevel = r.flag('irqLevel');
    for (const load of loads) load();
    this.ticksDue = ticksDue;
    this.nextTickAt = nextTickAt;
    this.setIrq(irqLevel);
  }
}
