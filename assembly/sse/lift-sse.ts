import { LIFT_NONE } from '../x86/lift-result';

export function liftSse(): u32 {
  return LIFT_NONE;
}
