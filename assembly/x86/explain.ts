// For those who want to look inside: which blocks are translated, and what they and the compiled regions consist of.

import {
  B_CODE,
  B_COUNT,
  B_CS_BASE,
  B_INSNS,
  B_LENGTH,
  B_MODE,
  B_PHYS,
  B_PHYS2,
  B_RIP,
  B_SERIAL,
  B_SIDE,
  nextBlock,
  operations,
} from '../ir/blocks';
import { blockOf, isBaselineRegion, nodes } from '../jit/region';
import {
  EXPLAIN_CODE,
  EXPLAIN_COUNT,
  EXPLAIN_CS_BASE,
  EXPLAIN_INSTRUCTIONS,
  EXPLAIN_LENGTH,
  EXPLAIN_MODE,
  EXPLAIN_OPS,
  EXPLAIN_PHYS,
  EXPLAIN_PHYS2,
  EXPLAIN_RIP,
  EXPLAIN_SERIAL,
  EXPLAIN_SIDE,
} from '../layout/explain';
import { TRANSFER } from '../layout/memory';

/** The block after `block`, the first one for 0, described at TRANSFER (layout/explain.ts); 0 when there are no more. */
export function explainNext(block: usize): usize {
  const b = nextBlock(block);
  if (!b) return 0;
  store<u32>(TRANSFER, load<u32>(b, B_PHYS), EXPLAIN_PHYS);
  store<u32>(TRANSFER, load<u32>(b, B_PHYS2), EXPLAIN_PHYS2);
  store<u32>(TRANSFER, load<u32>(b, B_MODE), EXPLAIN_MODE);
  store<u32>(TRANSFER, load<u32>(b, B_CS_BASE), EXPLAIN_CS_BASE);
  store<u64>(TRANSFER, load<u64>(b, B_RIP), EXPLAIN_RIP);
  store<u32>(TRANSFER, load<u16>(b, B_LENGTH), EXPLAIN_LENGTH);
  store<u32>(TRANSFER, load<u16>(b, B_INSNS), EXPLAIN_INSTRUCTIONS);
  store<u32>(TRANSFER, operations(b), EXPLAIN_OPS);
  store<u32>(TRANSFER, <u32>(b + B_CODE), EXPLAIN_CODE);
  store<u32>(TRANSFER, load<u32>(b, B_SIDE), EXPLAIN_SIDE);
  store<u32>(TRANSFER, load<u32>(b, B_COUNT), EXPLAIN_COUNT);
  store<u32>(TRANSFER, load<u32>(b, B_SERIAL), EXPLAIN_SERIAL);
  return b;
}

/** Of the region that is being compiled: is it a baseline one? */
export function explainRegionIsBaseline(): bool {
  return isBaselineRegion;
}
/** While a region is being compiled: its number of blocks, and their serial numbers, the head's first. */
export function explainRegionBlocks(): u32 {
  return nodes;
}
export function explainRegionBlock(i: u32): u32 {
  return load<u32>(blockOf(i), B_SERIAL);
}
