import { LIFT_NONE } from '../x86/lift-result';

export function liftX87(): u32 {
  return LIFT_NONE;
}
