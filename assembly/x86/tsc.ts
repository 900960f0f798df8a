// The time-stamp counter (SDM vol. 3, 18.17): the machine's clock in ticks, plus an offset that the guest may write.

import { STATE } from '../layout/memory';
import { S_TSC_OFFSET, S_TSC_PER_NS } from '../layout/x86-state';
import { now } from './host';

/** The highest count handed out, offset not included. */
let last: u64 = 0;
/** Ticks by which the clock may lag behind `last` before it counts as another clock (state restored from a snapshot). */
const MOST_LAG: u64 = 1 << 24;

/** The counter without its offset. Strictly monotonic: two reads differ even if the clock stood still between them. */
function clockTicks(): u64 {
  const ticks = <u64>(now() * load<f64>(STATE, S_TSC_PER_NS));
  last = ticks > last || last - ticks > MOST_LAG ? ticks : last + 1;
  return last;
}

export function readTsc(): u64 {
  return clockTicks() + load<u64>(STATE, S_TSC_OFFSET);
}

/** WRMSR to IA32_TIME_STAMP_COUNTER. */
export function writeTsc(value: u64): void {
  store<u64>(STATE, value - clockTicks(), S_TSC_OFFSET);
}
