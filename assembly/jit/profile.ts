// Where indirect jumps and returns went: so that a region can go there without leaving.

import { B_TARGETS, takeHeap } from '../ir/blocks';
import { OP_JMPI } from '../ir/ops';
import { isReturn, lastOp } from './region';

// --- Record of a block ---
/** u32 targets known; u32 how many of them were known when the region was made. */
const P_COUNT: usize = 0;
const P_BUILT: usize = 4;
/** u32 jumps seen; u32 of them from a region that was left for want of the target, since it was made. */
const P_SEEN: usize = 8;
const P_MISSED: usize = 12;
/** u32 times that the region was made again because of this block. */
const P_REBUILT: usize = 16;
/** u64 targets. */
const P_TARGETS: usize = 24;
const MAX_TARGETS: u32 = 12;

/** All of the first jumps are looked at, then one in 16. */
const LOOK_AT: u32 = 64;
/** Missed jumps after which a region with new targets is worth making again, and how often it is. */
const TOO_MANY_MISSES: u32 = 2000;
const MAX_REBUILDS: u32 = 4;

function isIndirect(block: usize): bool {
  const last = lastOp(block);
  return load<u16>(last) == OP_JMPI || isReturn(last);
}

/** Block `block` has been left for `rip`, which was not known before. True if its region should be made again. */
export function noteTarget(block: usize, rip: u64, fromRegion: bool): bool {
  let t = <usize>load<u32>(block, B_TARGETS);
  if (!t) {
    if (!isIndirect(block)) return false;
    t = takeHeap(P_TARGETS + ((<usize>MAX_TARGETS) << 3));
    if (!t) return false;
    memory.fill(t, 0, P_TARGETS);
    store<u32>(block, <u32>t, B_TARGETS);
  }
  const seen = load<u32>(t, P_SEEN) + 1;
  store<u32>(t, seen, P_SEEN);
  let again = false;
  if (fromRegion) {
    const missed = load<u32>(t, P_MISSED) + 1;
    store<u32>(t, missed, P_MISSED);
    if (
      missed > TOO_MANY_MISSES &&
      load<u32>(t, P_COUNT) > load<u32>(t, P_BUILT) &&
      load<u32>(t, P_REBUILT) < MAX_REBUILDS
    ) {
      store<u32>(t, load<u32>(t, P_REBUILT) + 1, P_REBUILT);
      again = true;
    }
  }
  if (seen > LOOK_AT && seen & 15 && !again) return false;
  const count = load<u32>(t, P_COUNT);
  for (let i: u32 = 0; i < count; i++) if (targetOf(t, i) == rip) return again;
  if (count < MAX_TARGETS) {
    store<u64>(t + P_TARGETS + ((<usize>count) << 3), rip);
    store<u32>(t, count + 1, P_COUNT);
  }
  return again;
}

function targetOf(t: usize, i: u32): u64 {
  return load<u64>(t + P_TARGETS + ((<usize>i) << 3));
}

/** Number of targets known for `block`, which goes into a region now. */
export function targetCount(block: usize): u32 {
  const t = <usize>load<u32>(block, B_TARGETS);
  if (!t) return 0;
  store<u32>(t, load<u32>(t, P_COUNT), P_BUILT);
  store<u32>(t, 0, P_MISSED);
  return load<u32>(t, P_COUNT);
}
export function target(block: usize, i: u32): u64 {
  return targetOf(<usize>load<u32>(block, B_TARGETS), i);
}
