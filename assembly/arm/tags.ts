// Address tags: with TBI the upper eight bits of a virtual address are not part of it (Arm ARM D5.1.4).

import { S_TCR_EL1, S_TCR_EL2 } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { currentEl } from './mode';

/** Does `address` have upper bits that are no copies of bit 55? */
export function maybeTagged(address: u64): bool {
  return <u64>(((<i64>address) << 8) >> 8) != address;
}

/** The address that a branch to `address` goes to (Arm ARM, pseudocode BranchAddr): where tags are ignored, without. */
export function branchAddress(address: u64): u64 {
  if (currentEl() == 2) {
    const ignored = (load<u64>(STATE, S_TCR_EL2) >> 20) & 1;
    return ignored ? address & 0x00ffffffffffffff : address;
  }
  const high = (address >> 55) & 1;
  const ignored = (load<u64>(STATE, S_TCR_EL1) >> (37 + high)) & 1;
  return ignored ? <u64>(((<i64>address) << 8) >> 8) : address;
}
