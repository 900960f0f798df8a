// Work that the instruction count does not show.
//
// Slices are measured in instructions. A repeated string instruction, or one that calls a device, is worth hundreds or
// thousands of others: after enough of them the slice ends as if by kick(), so that the host gets its turn. What is
// counted depends on the guest alone, never on the host's speed.

import { STATE } from '../layout/memory';
import { S_ATTENTION, S_KICK } from '../layout/x86-state';

/** So many units are a few milliseconds. */
const ENOUGH: u32 = 0x20000;
/** A call of a device, in units; one round of a string instruction is one. */
export const DEVICE_CALL: u32 = 16;

let done: u32 = 0;

export function worked(units: u32): void {
  done += units;
  if (done < ENOUGH) return;
  done = 0;
  store<u32>(STATE, 1, S_KICK);
  store<u32>(STATE, 1, S_ATTENTION);
}
