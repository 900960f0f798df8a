// One counter of the 8254, computed from elapsed clock pulses instead of being ticked
// (Intel 8254 data sheet, September 1993, "Mode definitions").

import type { DeviceState, Stateful } from '../vcpu/device.js';
import { StateReader, savedDeadline } from './state-reader.js';

const STATE_VERSION = 1;

// RW field of a control word.
const RW_LATCH = 0;
const RW_LSB = 1;
const RW_MSB = 2;
const RW_BOTH = 3;

/** Times are in CLK pulses since the machine started. */
export class TimerCounter implements Stateful {
  private mode = 0;
  private rw = RW_BOTH;
  private bcd = false;
  /** The count in use: 1–65536. 0: none was loaded since the control word. */
  private initial = 0;
  /** Pulse at which the counting element held `initial`. */
  private start = 0;
  /** Pulses counted so far, while GATE stops the counting; -1 while it runs. */
  private stoppedAt = -1;
  /** A count that was written and not yet loaded (NULL COUNT is set), 0 for none. */
  private pending = 0;
  /** Pulse at which `pending` becomes `initial`; Infinity while it waits for a trigger. */
  private loadAt = Infinity;
  /** The CLK pulse up to which everything has been worked out. */
  private settledAt = 0;
  /** Modes 1 and 5: the trigger has come. */
  private triggered = false;
  private gateLevel: boolean;
  /** Low byte of a two-byte write that waits for its high byte, -1 for none. */
  private writeLow = -1;
  /** The next unlatched read of a two-byte counter gives the high byte. */
  private readHigh = false;
  /** Bytes that the guest latched and has not read, status first. */
  private latchedStatus = -1;
  private latchedCount: number[] = [];

  constructor(
    private readonly name: string,
    gate: boolean,
  ) {
    this.gateLevel = gate;
  }

  /** Full period of the counting element: what a count of 0 means. */
  private get modulus(): number {
    return this.bcd ? 10000 : 65536;
  }

  private get periodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }

  /** Pulses between rising edges of OUT, 0 when it does not repeat. */
  get period(): number {
    return this.periodic && this.initial > 1 ? this.initial : 0;
  }

  private elapsed(tick: number): number {
    return this.stoppedAt >= 0 ? this.stoppedAt : tick - this.start;
  }

  /** Mode 3: pulses with OUT high in one period; an odd count gives the extra one to the high half. */
  private static highHalf(count: number): number {
    return Math.ceil(count / 2);
  }

  /** Works out everything up to `tick` and returns how many rising edges OUT has had since the last call. */
  settle(tick: number): number {
    if (tick <= this.settledAt) return 0;
    let edges = 0;
    if (this.pending > 0 && this.loadAt <= tick) {
      edges += this.risingEdges(this.settledAt, this.loadAt);
      this.settledAt = Math.max(this.settledAt, this.loadAt);
      this.load();
    }
    edges += this.risingEdges(this.settledAt, tick);
    this.settledAt = tick;
    return edges;
  }

  /** The pending count goes into the counting element at `loadAt`. */
  private load(): void {
    let start = this.loadAt;
    // Mode 3 reloads at each half cycle, so the new count may begin with its low half.
    if (this.mode === 3 && this.initial > 0 && !this.outputAt(this.loadAt)) {
      start -= TimerCounter.highHalf(this.pending);
    }
    this.initial = this.pending;
    this.pending = 0;
    this.loadAt = Infinity;
    this.start = start;
    this.stoppedAt = this.gateLevel || this.mode === 1 || this.mode === 5 ? -1 : 0;
  }

  /** First pulse after `from` at which OUT rises with the count in use, Infinity if it does not. */
  private risingEdgeAfter(from: number): number {
    if (this.initial === 0 || this.stoppedAt >= 0) return Infinity;
    let edge: number;
    switch (this.mode) {
      case 0:
        edge = this.start + this.initial;
        break;
      case 1:
        edge = this.triggered ? this.start + this.initial : Infinity;
        break;
      case 2:
      case 3:
        // A count of 1 is illegal in these modes; OUT then stays high.
        if (this.initial === 1) return Infinity;
        return this.start + Math.max(1, Math.floor((from - this.start) / this.initial) + 1) * this.initial;
      case 4:
        edge = this.start + this.initial + 1;
        break;
      default:
        edge = this.triggered ? this.start + this.initial + 1 : Infinity;
    }
    return edge > from ? edge : Infinity;
  }

  /** Rising edges in (from, to] with the count in use. */
  private risingEdges(from: number, to: number): number {
    const first = this.risingEdgeAfter(from);
    if (first > to) return 0;
    return this.periodic ? 1 + Math.floor((to - first) / this.initial) : 1;
  }

  /** The next pulse at which settle() will find a rising edge. */
  nextRisingEdge(): number {
    if (this.pending === 0 || this.loadAt === Infinity) return this.risingEdgeAfter(this.settledAt);
    const first = this.risingEdgeAfter(this.settledAt);
    if (first <= this.loadAt) return first;
    // Not loaded yet: settling at the load is soon enough to learn more.
    return this.loadAt;
  }

  private outputAt(tick: number): boolean {
    const e = this.elapsed(tick);
    const n = this.initial;
    switch (this.mode) {
      case 0:
        return n > 0 && e >= n;
      case 1:
        return !(this.triggered && n > 0 && e < n);
      case 2:
        return !this.gateLevel || n <= 1 || e % n !== n - 1;
      case 3:
        return !this.gateLevel || n <= 1 || e % n < TimerCounter.highHalf(n);
      case 4:
        return !(n > 0 && e === n);
      default:
        return !(this.triggered && n > 0 && e === n);
    }
  }

  /** Level of OUT. settle() first. */
  get output(): boolean {
    return this.outputAt(this.settledAt);
  }

  /** OUT is low and stays so until a count ends: not just between two edges of a periodic signal. */
  get steadyLow(): boolean {
    return this.mode < 2 && !this.output;
  }

  /** The counting element, 0–0xFFFF as the guest reads it (in BCD if so programmed). settle() first. */
  private get count(): number {
    const n = this.initial;
    if (n === 0) return 0;
    const e = this.elapsed(this.settledAt);
    let value: number;
    if (this.mode === 2) value = n - (e % n);
    else if (this.mode === 3) {
      const phase = e % n;
      const high = TimerCounter.highHalf(n);
      // Counts down by two; an odd count is loaded less one.
      value = n === 1 ? 1 : (n & ~1) - 2 * (phase < high ? phase : phase - high);
    } else value = n - e;
    value = ((value % this.modulus) + this.modulus) % this.modulus;
    return this.bcd ? toBcd4(value) : value;
  }

  // Guest accesses. The caller has settled the counter at `tick`.

  /** Bits 5–0 of a control word for this counter. */
  control(value: number): void {
    const rw = (value >> 4) & 3;
    if (rw === RW_LATCH) {
      this.latchCount();
      return;
    }
    this.rw = rw;
    const mode = (value >> 1) & 7;
    // Bit 2 of M is "don't care" for modes 2 and 3.
    this.mode = mode > 5 ? mode - 4 : mode;
    this.bcd = (value & 1) !== 0;
    this.initial = 0;
    this.pending = 0;
    this.loadAt = Infinity;
    this.stoppedAt = -1;
    this.triggered = false;
    this.writeLow = -1;
    this.readHigh = false;
    this.latchedStatus = -1;
    this.latchedCount = [];
  }

  /** Counter latch command: further ones are ignored until the latched count is read. */
  latchCount(): void {
    if (this.latchedCount.length > 0) return;
    const count = this.count;
    const low = count & 0xff;
    const high = count >> 8;
    this.latchedCount = this.rw === RW_LSB ? [low] : this.rw === RW_MSB ? [high] : [low, high];
  }

  /** Read-back command with STATUS low (data sheet, figure 11). */
  latchStatus(): void {
    if (this.latchedStatus >= 0) return;
    const nullCount = this.pending > 0 || this.initial === 0;
    this.latchedStatus =
      (this.output ? 0x80 : 0) | (nullCount ? 0x40 : 0) | (this.rw << 4) | (this.mode << 1) | (this.bcd ? 1 : 0);
  }

  read(): number {
    if (this.latchedStatus >= 0) {
      const status = this.latchedStatus;
      this.latchedStatus = -1;
      return status;
    }
    const latched = this.latchedCount.shift();
    if (latched !== undefined) return latched;
    const high = this.rw === RW_MSB || (this.rw === RW_BOTH && this.readHigh);
    if (this.rw === RW_BOTH) this.readHigh = !this.readHigh;
    return high ? this.count >> 8 : this.count & 0xff;
  }

  write(value: number, tick: number): void {
    if (this.rw === RW_BOTH && this.writeLow < 0) {
      this.writeLow = value;
      // In mode 0 the first byte stops the counting and forces OUT low.
      if (this.mode === 0) this.initial = 0;
      return;
    }
    // In mode 0 a new count keeps OUT low until it has run out.
    if (this.mode === 0) this.initial = 0;
    let count = this.rw === RW_LSB ? value : this.rw === RW_MSB ? value << 8 : this.writeLow | (value << 8);
    this.writeLow = -1;
    if (this.bcd) count = fromBcd4(count);
    this.pending = count === 0 ? this.modulus : count;
    this.loadAt = this.nextLoad(tick);
  }

  /** When a count written at `tick` gets into the counting element. */
  private nextLoad(tick: number): number {
    // Modes 1 and 5 wait for a trigger, which may just have come.
    if (this.mode === 1 || this.mode === 5) return this.loadAt;
    if (!this.periodic || this.initial <= 1) return tick + 1;
    // Stopped by the gate: its rising edge reloads.
    if (this.stoppedAt >= 0) return Infinity;
    // Modes 2 and 3 finish the current cycle or half cycle first.
    const phase = (tick - this.start) % this.initial;
    const high = TimerCounter.highHalf(this.initial);
    if (this.mode === 3 && phase < high) return tick + high - phase;
    return tick + this.initial - phase;
  }

  get gate(): boolean {
    return this.gateLevel;
  }

  /** Level of GATE (data sheet, figure 21). The caller has settled the counter at `tick`. */
  setGate(level: boolean, tick: number): void {
    if (level === this.gateLevel) return;
    const trigger = this.mode === 1 || this.mode === 5 || this.periodic;
    if (!level) {
      if (!(this.mode === 1 || this.mode === 5) && this.initial > 0) this.stoppedAt = tick - this.start;
      // A reload that was due at the end of the cycle now waits for the gate.
      if (this.periodic && this.initial > 0 && this.pending > 0) this.loadAt = Infinity;
    } else if (trigger) {
      const count = this.pending || this.initial;
      if (count > 0) {
        this.pending = count;
        this.loadAt = tick + 1;
        this.triggered = true;
        // Reloading begins a period with OUT high.
        if (this.periodic) this.initial = 0;
      }
    } else if (this.stoppedAt >= 0) {
      this.start = tick - this.stoppedAt;
      this.stoppedAt = -1;
    }
    this.gateLevel = level;
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      mode: this.mode,
      rw: this.rw,
      bcd: this.bcd,
      initial: this.initial,
      start: this.start,
      stoppedAt: this.stoppedAt,
      pending: this.pending,
      loadAt: savedDeadline(this.loadAt),
      settledAt: this.settledAt,
      triggered: this.triggered,
      gateLevel: this.gateLevel,
      writeLow: this.writeLow,
      readHigh: this.readHigh,
      latchedStatus: this.latchedStatus,
      latchedCount: [...this.latchedCount],
    };
  }

  /** Checks now; the returned function does the change. */
  prepareLoad(state: DeviceState): () => void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    /** -1 (none) or more. */
    const optional = (field: string, max: number) => (state[field] === -1 ? -1 : r.uint(field, max));
    const fields = {
      mode: r.uint('mode', 5),
      rw: r.uint('rw', 3) || RW_BOTH,
      bcd: r.flag('bcd'),
      initial: r.uint('initial', 65536),
      start: Math.trunc(r.finite('start')),
      stoppedAt: optional('stoppedAt', Number.MAX_SAFE_INTEGER),
      pending: r.uint('pending', 65536),
      loadAt: Math.trunc(r.deadline('loadAt')),
      settledAt: r.uint('settledAt', Number.MAX_SAFE_INTEGER),
      triggered: r.flag('triggered'),
      gateLevel: r.flag('gateLevel'),
      writeLow: optional('writeLow', 0xff),
      readHigh: r.flag('readHigh'),
      latchedStatus: optional('latchedStatus', 0xff),
      latchedCount: r.list('latchedCount', 2),
    };
    return () => Object.assign(this, fields);
  }

  loadState(state: DeviceState): void {
    this.prepareLoad(state)();
  }
}

function toBcd4(value: number): number {
  return Number.parseInt(value.toString(10), 16) & 0xffff;
}

/** Digits above 9 count as they weigh, so any bit pattern has a value of at most 16665; kept within 10000. */
function fromBcd4(value: number): number {
  const digits = (value >> 12) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15);
  return digits % 10000;
}
