// Page caches: accesses by the same base and index registers mostly stay on one page.
//
// A page cache is three words at a fixed address (mmu/tlb.ts): the page that may be read, the page that may be written,
// and the addend that leads to host memory. Each base register has one, and so do groups of pairs of registers. A hit
// costs one comparison with memory; a miss looks the page up in the soft TLB and copies its entry. All regions share the
// caches, which the TLB empties with itself. (In locals of the region they would have to be emptied at each entry, and
// values that V8 carries around a loop through the stack take longer than the loop.)

import { B_CODE, B_OPS } from '../ir/blocks';
import { OP_BYTES, OP_LD, OP_LDP, OP_POP32, OP_POP64, OP_ST, SIZE32, SIZE64 } from '../ir/ops';
import { S_SP } from '../layout/arm-state';
import { S_RSP, S_ZERO } from '../layout/x86-state';
import { PAGE_CACHE_BYTES, PAGE_CACHES } from '../mmu/tlb';
import { GENERAL } from './frame';

// Caches after those of single registers: for pairs and tables, and for addresses without registers.
const PAIRS: u32 = 16;
const CONSTANTS: u32 = 4;
/** A displacement from here on, of either sign, is that of a table: the register is only an index. */
const TABLE: i32 = 0x1000;

/** Registers that the block being emitted loads from memory. */
let loaded: u64 = 0;

const STACK: u32 = ISA_AARCH64 ? S_SP : S_RSP;

function isRegister(slot: u32): bool {
  return slot < GENERAL << 3 && !(slot & 7);
}
/** A pointer that has just been loaded leads anywhere. */
function isRandom(slot: u32): bool {
  return slot != STACK && slot < GENERAL << 3 && ((loaded >> (<u64>slot >> 3)) & 1) != 0;
}
function noteLoaded(slot: u32): void {
  if (slot < GENERAL << 3) loaded |= (<u64>1) << (<u64>slot >> 3);
}

/** A block is about to be emitted: which registers does it load? */
export function startCaches(b: usize): void {
  loaded = 0;
  const end = b + B_CODE + <usize>load<u32>(b, B_OPS) * OP_BYTES;
  for (let p = b + B_CODE; p < end; p += OP_BYTES) {
    const op: u32 = load<u16>(p);
    const d: u32 = load<u16>(p, 2);
    if (ISA_AARCH64 && op >= OP_LDP + SIZE32 && op <= OP_LDP + SIZE64) {
      noteLoaded(d);
      noteLoaded(load<u16>(p, 6));
    } else if ((op >= OP_LD && op < OP_ST) || (!ISA_AARCH64 && (op == OP_POP64 || op == OP_POP32))) noteLoaded(d);
  }
}

/** Address of the cache for an access of the block being emitted by these slots, or 0. */
export function cacheFor(base: u32, index: u32, disp: i32): usize {
  const single = index == <u32>S_ZERO;
  if (!isRegister(base) && base != <u32>S_ZERO) return 0;
  if (!isRegister(index) && !single) return 0;
  if (isRandom(base) || isRandom(index)) return 0;
  const page = <u32>disp >> 12;
  const table = disp >= TABLE || disp < -TABLE;
  let number: u32;
  if (single && base == <u32>S_ZERO) number = GENERAL + PAIRS + (page & (CONSTANTS - 1));
  else {
    const a = base == <u32>S_ZERO ? index >> 3 : base >> 3;
    if (table) number = GENERAL + ((a + 3 * (index >> 3) + 5 * page) & (PAIRS - 1));
    else if (single || base == <u32>S_ZERO) number = a;
    else number = GENERAL + ((a + 3 * (index >> 3)) & (PAIRS - 1));
  }
  return PAGE_CACHES + <usize>number * PAGE_CACHE_BYTES;
}
