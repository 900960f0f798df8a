// Blocks that wait to become parts of a baseline region. One module for several of them, wherever they are, takes less
// time than one for each.

import { B_CS_BASE, B_MODE } from '../ir/blocks';

const MOST: u32 = 8;
const list: usize = memory.data(8 * 4);
let count: u32 = 0;

/** Block b waits from now on. Are there enough? */
export function wait(b: usize): bool {
  store<u32>(list + ((<usize>count) << 2), <u32>b);
  count++;
  return count == MOST;
}

export function forgetWaiting(): void {
  count = 0;
}

export function waitingBlocks(): u32 {
  return count;
}
/** Waiting block number i, if it can be in a region of such code; else 0. It may have been dropped meanwhile. */
export function waitingBlock(i: u32, mode: u32, csBase: u32): usize {
  const b = <usize>load<u32>(list + ((<usize>i) << 2));
  return load<u32>(b, B_MODE) == mode && load<u32>(b, B_CS_BASE) == csBase ? b : 0;
}
