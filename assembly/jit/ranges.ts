// Which range (mmu/ranges.ts) an access uses: accesses by the same base and index registers, in code that lies close
// together, mostly stay close together, too.
//
// Ranges are at fixed addresses, so a hit costs one comparison with memory, and all regions share them. (In locals of
// the region they would have to be emptied at each entry, and values that V8 carries around a loop through the stack take
// longer than the loop.)

import { B_MODE, B_RIP } from '../ir/blocks';
import { S_SP } from '../layout/arm-state';
import { S_RSP, S_ZERO } from '../layout/x86-state';
import { RANGE_BYTES, RANGE_COUNT, rangeSet } from '../mmu/ranges';
import { MODE_USER } from '../x86/mode';

/** The set that the block being emitted uses. */
let set: usize = 0;
/** log2 of the bytes of code that share ranges: less, and each block fills its own; more, and they empty each other's. */
const NEAR: u64 = 7;
/** What tells the block's ranges from those of others. */
let salt: u32 = 0;

const STACK: u32 = ISA_AARCH64 ? S_SP : S_RSP;

export function startRanges(b: usize): void {
  set = rangeSet((load<u32>(b, B_MODE) & MODE_USER) != 0);
  salt = <u32>(load<u64>(b, B_RIP) >> NEAR) * 0x9e3779b1;
}

/** Number of the range for an access by these slots: 0 for the stack. A displacement beyond a page is that of a table. */
function numberFor(base: u32, index: u32, disp: i32): u32 {
  if (base == STACK && index == <u32>S_ZERO) return 0;
  const h =
    (salt ^ ((base >> 3) * 0x85ebca6b) ^ ((index >> 3) * 0xc2b2ae35) ^ ((<u32>disp >> 12) * 0x27d4eb2f)) * 0x165667b1;
  return ((h >> 16) % <u32>(RANGE_COUNT - 1)) + 1;
}

/** Address of the range for an access of the block being emitted. */
export function rangeFor(base: u32, index: u32, disp: i32): usize {
  return set + <usize>numberFor(base, index, disp) * RANGE_BYTES;
}
