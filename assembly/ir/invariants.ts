// What must hold of the code cache after each event: asserted in debug builds only (node tools/build-core.mjs --debug).

import { checkRegions } from '../jit/record';
import { PAGE_HAS_CODE, PAGE_STORED_TO, TLB_BASE, TLB_ENTRY, TLB_SIZE } from '../layout/memory';
import { pageInfoAt } from '../mmu/frame';
import { checkRanges } from '../mmu/ranges';
import { TAG_NONE, TLB_PHYS, TLB_WRITE } from '../mmu/tlb';
import { B_END_RIP, B_PHYS, B_PHYS2, B_RIP, B_SERIAL, B_SIDE, isListed, nextBlock } from './blocks';
import { chained } from './follow';
import { OP_BYTES, OP_JMP } from './ops';

/** The first events are looked at one by one, then one in 64: the work grows with the number of blocks. */
const ONE_BY_ONE: u32 = 2000;
let events: u32 = 0;

function hasCode(phys: u32): bool {
  return (load<u32>(pageInfoAt(phys)) & PAGE_HAS_CODE) != 0;
}

/** Does block b's chain `slot` go where its last operation does? */
function isChainRight(b: usize, slot: u32): bool {
  const next = chained(b, slot);
  if (!next) return true;
  const last = <usize>load<u32>(b, B_SIDE) - OP_BYTES;
  const target = slot || load<u16>(last) == <u16>OP_JMP ? load<u64>(last, 8) : load<u64>(b, B_END_RIP);
  return load<u64>(next, B_RIP) == target;
}

/** After blocks or regions have come or gone. */
export function checkCache(): void {
  if (ASC_NO_ASSERT) return;
  events++;
  if (events > ONE_BY_ONE && events & 63) return;
  for (let b = nextBlock(0); b; b = nextBlock(b)) {
    assert(load<u32>(b, B_SERIAL) != 0, 'a dropped block can still be found');
    assert(isChainRight(b, 0) && isChainRight(b, 1), 'a block is chained to where it does not lead');
    const phys = load<u32>(b, B_PHYS);
    const second = load<u32>(b, B_PHYS2);
    assert(hasCode(phys), 'writes to the page of a block go unseen');
    assert(isListed(b, phys & 0xfffff000), 'a block is missing from its page');
    if (!second) continue;
    assert(hasCode(second), 'writes to the second page of a block go unseen');
    assert(isListed(b, second & 0xfffff000), 'a block is missing from its second page');
  }
  for (let entry: usize = TLB_BASE; entry < <usize>(TLB_BASE + 3 * TLB_SIZE); entry += TLB_ENTRY) {
    if (load<u64>(entry, TLB_WRITE) == TAG_NONE) continue;
    const info = load<u32>(pageInfoAt(load<u32>(entry, TLB_PHYS)));
    assert(!(info & PAGE_HAS_CODE), 'the soft TLB lets stores reach translated code');
    assert((info & PAGE_STORED_TO) != 0, 'code could be protected without looking at the soft TLB');
  }
  checkRanges();
  checkRegions();
}
