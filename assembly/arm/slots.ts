// From register numbers to state slots.

import { S_SP, S_T0, S_V_REG, S_X0, S_ZERO } from '../layout/arm-state';

/** Scratch that writes to XZR go to: T15. */
export const SLOT_DISCARD: u32 = S_T0 + 15 * 8;

/** X<n>, n < 31. S_PC lies between X15 and X16. */
export function xSlot(n: u32): u32 {
  return S_X0 + (n < 16 ? n << 3 : (n << 3) + 8);
}

/** Source register, 31 being XZR. */
export function srcSlot(n: u32): u32 {
  return n == 31 ? S_ZERO : xSlot(n);
}

/** Destination register, 31 being XZR. */
export function dstSlot(n: u32): u32 {
  return n == 31 ? SLOT_DISCARD : xSlot(n);
}

/** Source or destination, 31 being SP. */
export function spSlot(n: u32): u32 {
  return n == 31 ? S_SP : xSlot(n);
}

/** V<n>. */
export function vSlot(n: u32): u32 {
  return S_V_REG + (n << 4);
}

/** Scalar temporary T<n>. */
export function tempSlot(n: u32): u32 {
  return S_T0 + (n << 3);
}
