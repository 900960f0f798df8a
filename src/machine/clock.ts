// The machine's time. Every timer device and the TSC derive from one of these two clocks, so that a kernel
// which calibrates one against another finds them consistent.

import type { Clock } from '../vcpu/device.js';

/** A clock that the run loop can wait on. Times in nanoseconds since the machine started. */
export interface MachineClock extends Clock {
  readonly kind: 'wall' | 'instructions';
  /**
   * The vCPU has nothing to do before `deadline` (finite). Returns how long the host still has to wait, in
   * nanoseconds; 0 when time has jumped there instead.
   */
  idleUntil(deadline: number): number;
}

/** Where a wall clock gets its time: both functions are the host's. */
export interface HostTime {
  /** Monotonic, nanoseconds from any origin. */
  monotonic(): number;
  /** Milliseconds since 1970 (UTC). */
  date(): number;
}

/** Guest time is host time. */
export class WallClock implements MachineClock {
  readonly kind = 'wall';
  private readonly origin: number;
  private last = 0;

  constructor(private readonly host: HostTime) {
    this.origin = host.monotonic();
  }

  now(): number {
    // A guest may rely on time never going back, whatever the host's clock does.
    const t = this.host.monotonic() - this.origin;
    if (t > this.last) this.last = t;
    return this.last;
  }

  date(): number {
    return this.host.date();
  }

  idleUntil(deadline: number): number {
    return Math.max(0, deadline - this.now());
  }
}

/** 2000-01-01 00:00:00 UTC: the date on which a deterministic run starts unless told otherwise. */
export const DEFAULT_EPOCH = Date.UTC(2000, 0, 1);

/**
 * Guest time is work done: so many nanoseconds for each retired instruction. While the vCPU halts, time jumps
 * to the next deadline. Two runs of one guest then see the same time at the same instruction.
 */
export class InstructionClock implements MachineClock {
  readonly kind = 'instructions';
  private skipped = 0;

  /**
   * @param instructions retired instructions so far, exact whenever a device may ask
   * @param nsPerInstruction virtual nanoseconds that one instruction takes
   * @param epoch date at the machine's start, in milliseconds since 1970
   */
  constructor(
    private readonly instructions: () => number,
    readonly nsPerInstruction = 1,
    private readonly epoch = DEFAULT_EPOCH,
  ) {}

  now(): number {
    return this.skipped + this.instructions() * this.nsPerInstruction;
  }

  date(): number {
    return this.epoch + this.now() / 1e6;
  }

  idleUntil(deadline: number): number {
    this.skipped += Math.max(0, deadline - this.now());
    return 0;
  }

  /** How many instructions the guest may execute until `deadline`, at least one. */
  instructionsUntil(deadline: number): number {
    return Math.max(1, Math.ceil((deadline - this.now()) / this.nsPerInstruction));
  }
}
