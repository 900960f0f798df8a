// Instructions that are an exception whatever the state.

import { emit } from '../ir/emit';
import { LIFT_END } from '../ir/lift-result';
import { OP_RAISE } from '../ir/ops';
import { TARGET_USUAL } from './fault';

/** Ends the block with an exception of class `ec`, taken to the usual level. */
export function emitRaise(ec: u32, iss: u32): u32 {
  return emitRaiseTo(ec, iss, TARGET_USUAL);
}

/** The same, taken to exception level `target`. */
export function emitRaiseTo(ec: u32, iss: u32, target: u32): u32 {
  emit(OP_RAISE, 0, 0, 0, <u64>ec | ((<u64>target) << 8) | ((<u64>iss) << 32));
  return LIFT_END;
}
