// Which range (mmu/ranges.ts) an access uses: accesses by the same base and index registers mostly stay close together.
//
// Each base register has a range, and so do groups of pairs of registers. They are at fixed addresses, so a hit costs one
// comparison with memory, and all regions share them. (In locals of the region they would have to be emptied at each
// entry, and values that V8 carries around a loop through the stack take longer than the loop.)

import { B_MODE } from '../ir/blocks';
import { S_ZERO } from '../layout/x86-state';
import { RANGE_BYTES, rangeSet } from '../mmu/ranges';
import { MODE_USER } from '../x86/mode';
import { GENERAL } from './frame';

// Ranges after those of single registers: for pairs, tables and temporaries, and for addresses without registers.
const PAIRS: u32 = 16;
const CONSTANTS: u32 = 4;
/** A displacement from here on, of either sign, is that of a table: the register is only an index. */
const TABLE: i32 = 0x1000;

/** The set that the block being emitted uses. */
let set: usize = 0;

export function startRanges(b: usize): void {
  set = rangeSet((load<u32>(b, B_MODE) & MODE_USER) != 0);
}

function isRegister(slot: u32): bool {
  return slot < GENERAL << 3 && !(slot & 7);
}

/** Number of the range for an access by these slots. */
function numberFor(base: u32, index: u32, disp: i32): u32 {
  const page = <u32>disp >> 12;
  if (base == <u32>S_ZERO && index == <u32>S_ZERO) return GENERAL + PAIRS + (page & (CONSTANTS - 1));
  const only = base == <u32>S_ZERO ? index : index == <u32>S_ZERO ? base : 0xffffffff;
  const table = disp >= TABLE || disp < -TABLE;
  if (!table && isRegister(only)) return only >> 3;
  const a = (base == <u32>S_ZERO ? index : base) >> 3;
  return GENERAL + ((a + 3 * (index >> 3) + (table ? 5 * page : 0)) & (PAIRS - 1));
}

/** Address of the range for an access of the block being emitted. */
export function rangeFor(base: u32, index: u32, disp: i32): usize {
  return set + <usize>numberFor(base, index, disp) * RANGE_BYTES;
}
