// The generic timers of an AArch64 processor (Arm ARM D11.2): when their conditions become true, and their interrupts.
// The registers are the processor's; this is what watches them.

import { ARM_COUNTER_FREQUENCY } from '../../assembly/layout/arm-state.js';
import type { ArmTimerRegisters, ArmTimers } from '../vcpu/arm-bus.js';
import type { Clock, IrqLine, TimedDevice } from '../vcpu/device.js';

/** Nanoseconds between two counts: 16, so that both directions of the conversion are exact. */
const COUNT_NS = 1e9 / ARM_COUNTER_FREQUENCY;

const CTL_ENABLE = 1;
const CTL_IMASK = 2;

/** Counts further away than this many nanoseconds (over a century) are never reached. */
const HORIZON_NS = 2 ** 62;

/** The system counter at `now` nanoseconds: CNTPCT_EL0. */
export function countAt(now: number): bigint {
  return BigInt(Math.floor(now / COUNT_NS));
}

export interface GenericTimersOptions {
  readonly clock: Clock;
  /** The vCPU's registers as they stand; undefined while there is no vCPU. */
  readonly registers: () => ArmTimers | undefined;
  /** Level-sensitive outputs. */
  readonly physical: IrqLine;
  readonly virtual: IrqLine;
  readonly hypervisor: IrqLine;
}

/** Has no state of its own. */
export class GenericTimers implements TimedDevice {
  private next = Infinity;

  constructor(private readonly options: GenericTimersOptions) {}

  /** The registers have changed, or time has passed: drives the lines and plans the next deadline. */
  update(now = this.options.clock.now()): void {
    const { registers, physical, virtual, hypervisor } = this.options;
    const timers = registers();
    this.next = Infinity;
    if (!timers) return;
    const count = countAt(now);
    const virtualCount = BigInt.asUintN(64, count - timers.virtualOffset);
    this.drive(timers.physical, count, count, physical);
    this.drive(timers.virtual, virtualCount, count, virtual);
    this.drive(timers.hypervisor, count, count, hypervisor);
  }

  /** `count` is the timer's own count, `systemCount` the system counter at the same time. */
  private drive(timer: ArmTimerRegisters, count: bigint, systemCount: bigint, line: IrqLine): void {
    const enabled = (timer.control & (CTL_ENABLE | CTL_IMASK)) === CTL_ENABLE;
    const met = count >= timer.compare;
    line.set(enabled && met);
    if (!enabled || met) return;
    const at = Number(systemCount + (timer.compare - count)) * COUNT_NS;
    if (at < HORIZON_NS) this.next = Math.min(this.next, at);
  }

  deadline(): number {
    return this.next;
  }

  advance(now: number): void {
    this.update(now);
  }
}
