// Links: from where a region ends by a constant jump to the region there, without the run loop in between.
//
// A link is looked at by the code that leaves: if it leads somewhere, that is what the region returns, and the next one
// is entered with what is left of the budget. It is set when the run loop has found a region where the jump goes, and
// led back when that region is dropped. What the run loop would have looked at, the region that is entered looks at
// itself: whether its pages are where they were, and whether enough of the budget is left.
//
// Loops of a baseline region have links, too, to leave by once there is an optimized region for them.
//
// Each region has a list of the links to it, or, of a baseline region, of those of its loops: a u32 field of its record.

import { B_CS_BASE, B_MODE, B_RIP, takeHeap } from '../ir/blocks';
import { STATE } from '../layout/memory';
import { S_JIT_LINK } from '../layout/x86-state';

// --- Link ---
/** u32 exit word (record.ts), or 0. */
const L_EXIT: usize = 0;
/** u32 next link on the list | LOOP. */
const L_NEXT: usize = 4;
/** u64 where the jump goes. */
const L_RIP: usize = 8;
const LINK_BYTES: usize = 16;

/** A loop's link, which leads to optimized regions only. */
const LOOP: u32 = 1;

/** A new link for a jump to `rip`, or 0. */
export function newLink(rip: u64): usize {
  const link = takeHeap(LINK_BYTES);
  if (!link) return 0;
  store<u32>(link, 0, L_EXIT);
  store<u32>(link, 0, L_NEXT);
  store<u64>(link, rip, L_RIP);
  return link;
}
/** The same for a loop of the baseline region with `list`. */
export function newLoopLink(list: usize, rip: u64): usize {
  const link = newLink(rip);
  if (!link) return 0;
  store<u32>(link, LOOP, L_NEXT);
  push(list, link);
  return link;
}

function push(list: usize, link: usize): void {
  store<u32>(link, load<u32>(list) | (load<u32>(link, L_NEXT) & LOOP), L_NEXT);
  store<u32>(list, <u32>link);
}
function nextOf(link: usize): usize {
  return <usize>(load<u32>(link, L_NEXT) & ~LOOP);
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

/** The region with `list` is about to be entered at `block`, by `exit`. If that is where the open link leads, it is set. */
export function setOpenLink(list: usize, block: usize, exit: u32): void {
  const link = open;
  open = 0;
  if (
    !link ||
    load<u64>(link, L_RIP) != load<u64>(block, B_RIP) ||
    load<u32>(from, B_MODE) != load<u32>(block, B_MODE) ||
    load<u32>(from, B_CS_BASE) != load<u32>(block, B_CS_BASE)
  )
    return;
  assert(!load<u32>(link, L_EXIT), 'a link is on two lists');
  store<u32>(link, exit, L_EXIT);
  push(list, link);
}

/** The links to `rip` go from `list` to `other`, and lead to `exit` from now on. */
export function moveLinks(list: usize, other: usize, rip: u64, exit: u32): void {
  let link = <usize>load<u32>(list);
  store<u32>(list, 0);
  while (link) {
    const next = nextOf(link);
    const moves = load<u64>(link, L_RIP) == rip;
    if (moves) store<u32>(link, exit, L_EXIT);
    push(moves ? other : list, link);
    link = next;
  }
}

/** The region with `list` is gone. Links of loops go to the list `loops`, if that is not 0. */
export function unlink(list: usize, loops: usize): void {
  let link = <usize>load<u32>(list);
  store<u32>(list, 0);
  while (link) {
    const next = nextOf(link);
    store<u32>(link, 0, L_EXIT);
    if (loops && load<u32>(link, L_NEXT) & LOOP) push(loops, link);
    link = next;
  }
}
