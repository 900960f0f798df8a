// The generic timer as seen by instructions (Arm ARM D11). When a timer interrupts is the board's part: it is told of
// every change and reads the registers.

import { ARM_COUNTER_FREQUENCY, S_CNTV_CTL_EL0, S_CNTVOFF_EL2 } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { now, timerChanged } from './host';

const ENABLE: u64 = 1;
const ISTATUS: u64 = 4;

/** CNTPCT_EL0: ticks since the machine started. */
export function physicalCount(): u64 {
  // 62.5 MHz: a tick is 16 ns.
  return <u64>(now() * (<f64>ARM_COUNTER_FREQUENCY / 1e9));
}

export function virtualCount(): u64 {
  return physicalCount() - load<u64>(STATE, S_CNTVOFF_EL2);
}

/** The count that the timer with control register in `slot` compares with; CVAL is in the slot after it. */
function countOf(slot: u32): u64 {
  return slot == S_CNTV_CTL_EL0 ? virtualCount() : physicalCount();
}

/** CTL with ISTATUS: the condition holds. Meaningful while the timer is enabled. */
export function readControl(slot: u32): u64 {
  const control = load<u64>(STATE + slot) & 3;
  if (!(control & ENABLE)) return control;
  return control | (countOf(slot) >= load<u64>(STATE + slot, 8) ? ISTATUS : 0);
}

/** TVAL: 32 bits that count down from what was written. */
export function readTimerValue(slot: u32): u64 {
  return (load<u64>(STATE + slot, 8) - countOf(slot)) & 0xffffffff;
}

export function writeTimerValue(slot: u32, value: u64): void {
  store<u64>(STATE + slot, countOf(slot) + <u64>(<i64>(<i32>value)), 8);
  timerChanged();
}

export function writeTimer(slot: u32, value: u64): void {
  store<u64>(STATE + slot, value);
  timerChanged();
}
