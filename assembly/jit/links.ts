// Links: from where a region ends by a constant jump to the region there, without the run loop in between.
//
// A link is looked at by the code that leaves: if it leads somewhere, that is what the region returns, and the next one
// is entered with what is left of the budget. It is set when the run loop has found a region where the jump goes, and
// led back when that region is dropped. What the run loop would have looked at, the region that is entered looks at
// itself: whether its pages are where they were, and whether enough of the budget is left.

import { B_CS_BASE, B_MODE, B_RIP, takeHeap } from '../ir/blocks';
import { STATE } from '../layout/memory';
import { S_JIT_LINK } from '../layout/x86-state';

// --- Link ---
/** u32 exit word: table entry << 10 | entry << 4 | LEFT_LINKED, or 0. */
const L_EXIT: usize = 0;
/** u32 next link to the same region. */
const L_NEXT: usize = 4;
/** u64 where the jump goes. */
const L_RIP: usize = 8;
const LINK_BYTES: usize = 16;

/** A new link for a jump to `rip`, or 0. */
export function newLink(rip: u64): usize {
  const link = takeHeap(LINK_BYTES);
  if (!link) return 0;
  store<u32>(link, 0, L_EXIT);
  store<u64>(link, rip, L_RIP);
  return link;
}

/** The link that the region just left could have used, or 0, and the block that it left. */
let open: usize = 0;
let from: usize = 0;

export function openLink(block: usize): void {
  open = load<u32>(STATE, S_JIT_LINK);
  from = block;
}
export function closeLink(): void {
  open = 0;
}

/** Region `record` is about to be entered at `block` by `exit`. Was that where the link leads? Returns the link if so. */
export function linkTo(block: usize, exit: u32, others: u32): usize {
  const link = open;
  open = 0;
  if (
    !link ||
    load<u64>(link, L_RIP) != load<u64>(block, B_RIP) ||
    load<u32>(from, B_MODE) != load<u32>(block, B_MODE) ||
    load<u32>(from, B_CS_BASE) != load<u32>(block, B_CS_BASE)
  )
    return 0;
  assert(!load<u32>(link, L_EXIT), 'a link is on two lists');
  store<u32>(link, exit, L_EXIT);
  store<u32>(link, others, L_NEXT);
  return link;
}

/** The region that the links on a list lead to is gone. */
export function unlink(list: usize): void {
  let link = list;
  while (link) {
    store<u32>(link, 0, L_EXIT);
    link = <usize>load<u32>(link, L_NEXT);
  }
}
