// How much a vCPU may do before the machine looks at its devices again.

import type { Slice } from '../vcpu/vcpu.js';
import type { InstructionClock } from './clock.js';

/** A slice's length in nanoseconds when no deadline comes first, for a guest in dialogue with its user. */
export const SLICE_NS = 1_500_000;
/** The length to which a guest's slices grow that only works: a user does not feel that a key waits so long. */
const LONGEST_SLICE_NS = 24_000_000;
const GROWTH = 4;
/** Shorter slices would spend their time on entering and leaving. */
const MIN_SLICE_NS = 10_000;
/** Under the instruction clock the length is fixed, so that it cannot make two runs differ. */
const DETERMINISTIC_SLICE = 200_000;
const MIN_INSTRUCTIONS = 1_000;
/** Weight of the newest measurement of speed. */
const LEARNING_RATE = 0.25;

/**
 * Under a wall clock the emulator is bounded by instructions that it is expected to manage in the time given; its
 * speed, which translation changes by orders of magnitude, is learnt from slice to slice.
 *
 * A vCPU that a timer interrupts pays for that with each slice (KVM: some 0.1 ms, for signal, exit and the host's
 * turn), so slices without input and output become longer. One that a count of instructions bounds pays next to
 * nothing, and the longer its slices, the more wrong they would be when its speed changes.
 */
export class SliceSizer {
  /** Instructions per nanosecond, a cautious first guess. */
  private speed = 0.02;
  private length = SLICE_NS;

  constructor(private readonly instructionClock?: InstructionClock) {}

  next(now: number, deadline: number): Slice {
    const clock = this.instructionClock;
    if (clock) {
      const left = deadline === Infinity ? DETERMINISTIC_SLICE : clock.instructionsUntil(deadline);
      const instructions = Math.min(DETERMINISTIC_SLICE, left);
      return { instructions, nanoseconds: instructions * clock.nsPerInstruction };
    }
    const nanoseconds = Math.max(MIN_SLICE_NS, Math.min(this.length, deadline - now));
    return { instructions: Math.max(MIN_INSTRUCTIONS, Math.round(nanoseconds * this.speed)), nanoseconds };
  }

  /** After a slice that time bounded: `quiet` without input and output. Not quiet also when input arrives. */
  settle(quiet: boolean): void {
    this.length = quiet ? Math.min(LONGEST_SLICE_NS, GROWTH * this.length) : SLICE_NS;
  }

  /** `instructions` took `ns` of host time. */
  learn(instructions: number, ns: number): void {
    // A slice that ended at once says little about speed.
    if (instructions < MIN_INSTRUCTIONS || ns <= 0) return;
    this.speed += LEARNING_RATE * (instructions / ns - this.speed);
  }
}
