// Which blocks make a region, and how control flows between them.
//
// A region grows from its hot head along direct jumps. Its nodes are numbered in reverse postorder, so a jump to a node of
// a smaller or equal number goes backwards.
//
// Of an optimized region, a near return may go back to the calls inside it. Where a jump backwards is not to a dominator
// (the flow graph would be irreducible) it becomes an exit, so that loops always nest and WebAssembly's structured control
// flow can express the graph (N. Ramsey, "Beyond Relooper", 2022).
//
// A baseline region, which may be entered at each node, takes in what waits to be compiled elsewhere (waiting.ts), but
// nothing that is in such a region already.

import {
  B_CODE,
  B_COUNT,
  B_CS_BASE,
  B_END_RIP,
  B_INSNS,
  B_LENGTH,
  B_MODE,
  B_PHYS,
  B_PHYS2,
  B_REGION,
  B_RIP,
  B_SIDE,
  findBlock,
  lastByte,
  operations,
} from '../ir/blocks';
import {
  OP_BYTES,
  OP_CMPJ,
  OP_JCC,
  OP_JMP,
  OP_JMPI,
  OP_JNZ,
  OP_JZ,
  OP_MOVI,
  OP_PUSHI32,
  OP_PUSHI64,
  OP_RET32,
  OP_RET64,
  OP_TESTIJ,
  SIZE64,
} from '../ir/ops';
import { S_X30 } from '../layout/arm-state';
import { SEG_CS, SEG_LIMIT } from '../layout/x86-state';
import { NO_FRAME, tlbFetchFrame } from '../mmu/tlb';
import { MODE_CODE, MODE_FLAT_CS, segSlot } from '../x86/mode';
import { target, targetCount } from './profile';
import { waitingBlock, waitingBlocks } from './waiting';

/** Most blocks of an optimized region, operations in them, and pages that they may come from. */
const MAX_NODES: i32 = 30;
const MAX_OPS: u32 = 700;
const MAX_PAGES: u32 = 5;
/** The same of a baseline region. */
const MAX_BASELINE_NODES: i32 = 60;
const MAX_BASELINE_OPS: u32 = 1000;
const MAX_BASELINE_PAGES: u32 = 16;
/** Most return sites that a return inside the region looks for, beside those that it was seen to go to. */
const MAX_RETURNS: u64 = 8;

// As discovered: block, successors by chain slot (-1: leaves the region), return sites (a set of nodes).
const foundBlock: usize = memory.data(64 * 4);
const foundNext: usize = memory.data(64 * 8);
const foundReturns: usize = memory.data(64 * 8);
let found: i32 = 0;
let ops: u32 = 0;
let sites: u64 = 0;

// In reverse postorder.
const nodeBlock: usize = memory.data(64 * 4);
const nodeNext: usize = memory.data(64 * 8);
const nodeReturns: usize = memory.data(64 * 8);
const predecessors: usize = memory.data(64 * 8);
const dominators: usize = memory.data(64 * 8);
/** Number of nodes. */
export let nodes: i32 = 0;
/** Nodes that are the target of a jump backwards; that several jumps forwards meet at. */
export let loopHeads: u64 = 0;
export let merges: u64 = 0;
/** Instructions in all blocks: no path through the region without a jump backwards has more. */
export let regionInsns: u32 = 0;

// Pages: linear page (u64), frame (u32); first the head's.
export const pageList: usize = memory.data(16 * 16);
export let pages: u32 = 0;

let code64: bool = false;
let csBase: u32 = 0;
/** Blocks executed fewer times stay outside. */
let rare: u32 = 0;
let mode: u32 = 0;
export let isBaselineRegion: bool = false;

/** May it be left for another one by a link? Of code whose addresses have a limit the run loop looks at each. */
export function mayLink(): bool {
  return ISA_AARCH64 || (mode & MODE_FLAT_CS) != 0;
}

/** Offset of the last byte of the code of all nodes, if CS has a limit; else 0. */
export function lastOffset(): u32 {
  let last: u64 = 0;
  if (ISA_AARCH64 || mode & MODE_FLAT_CS) return 0;
  for (let i = 0; i < nodes; i++) last = max<u64>(last, lastByte(blockOf(i)));
  return <u32>last;
}

export function bit(i: i32): u64 {
  return (<u64>1) << (<u64>i);
}
export function blockOf(node: i32): usize {
  return <usize>load<u32>(nodeBlock + ((<usize>node) << 2));
}
/** Node that follows by chain slot 0 or 1, or -1. */
export function nextOf(node: i32, slot: u32): i32 {
  return load<i32>(nodeNext + ((<usize>node) << 3) + ((<usize>slot) << 2));
}
/** Nodes that the return or indirect jump at the end of `node` is known to go to. */
export function returnsOf(node: i32): u64 {
  return load<u64>(nodeReturns + ((<usize>node) << 3));
}
/** Does one jump only lead here, and no entry? */
export function singleEntry(node: i32): bool {
  return !isBaselineRegion && node != 0 && !((loopHeads | merges) & bit(node));
}
/** Nodes whose immediate dominator is `node`. */
export function childrenOf(node: i32): u64 {
  let set: u64 = 0;
  for (let i = node + 1; i < nodes; i++) if (immediateDominator(i) == node) set |= bit(i);
  return set;
}
function immediateDominator(node: i32): i32 {
  const strict = load<u64>(dominators + ((<usize>node) << 3)) & ~bit(node);
  return 63 - <i32>clz<u64>(strict);
}

export function lastOp(block: usize): usize {
  return <usize>load<u32>(block, B_SIDE) - OP_BYTES;
}

/** Frame of a linear page if the region has it already or the TLB knows it for fetches; else NO_FRAME. */
function frameOf(page: u64): u64 {
  for (let i: u32 = 0; i < pages; i++) {
    const at = pageList + ((<usize>i) << 4);
    if (load<u64>(at) == page) return load<u32>(at, 8);
  }
  const frame = tlbFetchFrame(page);
  if (frame == NO_FRAME || pages == (isBaselineRegion ? MAX_BASELINE_PAGES : MAX_PAGES)) return NO_FRAME;
  const at = pageList + ((<usize>pages) << 4);
  store<u64>(at, page);
  store<u32>(at, <u32>frame, 8);
  pages++;
  return frame;
}

export function linearOf(rip: u64): u64 {
  return code64 ? rip : (rip + csBase) & 0xffffffff;
}

/** Node for the block at `rip`, added if it exists and there is room; else -1. */
function nodeAt(rip: u64): i32 {
  for (let i = 0; i < found; i++) {
    if (load<u64>(<usize>load<u32>(foundBlock + ((<usize>i) << 2)), B_RIP) == rip) return i;
  }
  const linear = linearOf(rip);
  const frame = frameOf(linear & ~0xfff);
  if (frame == NO_FRAME) return -1;
  const b = findBlock(<u32>frame | (<u32>linear & 0xfff), rip, csBase, mode);
  if (!b || (isBaselineRegion && load<u32>(b, B_REGION))) return -1;
  // What is rarely executed would only make the region larger.
  return load<u32>(b, B_COUNT) >= rare ? add(b) : -1;
}

function add(b: usize): i32 {
  if (found == (isBaselineRegion ? MAX_BASELINE_NODES : MAX_NODES)) return -1;
  if (ops + operations(b) > (isBaselineRegion ? MAX_BASELINE_OPS : MAX_OPS)) return -1;
  const rip = load<u64>(b, B_RIP);
  if (!ISA_AARCH64 && !(mode & MODE_FLAT_CS) && lastByte(b) > load<u32>(segSlot(SEG_CS), SEG_LIMIT)) return -1;
  const second = load<u32>(b, B_PHYS2);
  if (second && frameOf((linearOf(rip) & ~0xfff) + 0x1000) != (second & 0xfffff000)) return -1;
  const i = found++;
  ops += operations(b);
  store<u32>(foundBlock + ((<usize>i) << 2), <u32>b);
  return i;
}

/** Does the operation before the last one, a jump elsewhere, leave the address of what follows the block? */
function isCall(p: usize, end: u64): bool {
  const op: u32 = load<u16>(p);
  if (load<u64>(p, 8) != end) return false;
  if (ISA_AARCH64) return op == OP_MOVI + SIZE64 && load<u16>(p, 2) == S_X30;
  return op == OP_PUSHI64 || op == OP_PUSHI32;
}

/** Is p, the end of a block, a return? */
export function isReturn(p: usize): bool {
  const op: u32 = load<u16>(p);
  if (ISA_AARCH64) return op == OP_JMPI && load<u16>(p, 4) == S_X30;
  return op == OP_RET64 || op == OP_RET32;
}

/** Is `op`, the end of a block, a conditional branch? */
export function isConditional(op: u32): bool {
  return op == OP_JCC || op == OP_JNZ || op == OP_JZ || (op >= OP_CMPJ && op <= OP_TESTIJ + SIZE64);
}

/** Finds what follows discovered block i. */
function follow(i: i32): void {
  const b = <usize>load<u32>(foundBlock + ((<usize>i) << 2));
  const at = foundNext + ((<usize>i) << 3);
  store<i32>(at, -1);
  store<i32>(at, -1, 4);
  store<u64>(foundReturns + ((<usize>i) << 3), 0);
  const last = lastOp(b);
  const op: u32 = load<u16>(last);
  if (op == OP_JMP) {
    const end = load<u64>(b, B_END_RIP);
    store<i32>(at, nodeAt(load<u64>(last, 8)));
    if (operations(b) > 1) {
      // A call: a return in the region may come back to what follows it.
      if (isCall(last - OP_BYTES, end) && load<u64>(last, 8) != end) {
        const site = nodeAt(end);
        if (site >= 0) sites |= bit(site);
      }
    }
  } else if (isConditional(op)) {
    store<i32>(at, nodeAt(load<u64>(b, B_END_RIP)));
    store<i32>(at, nodeAt(load<u64>(last, 8)), 4);
  } else if (op == OP_JMPI || isReturn(last)) {
    let to: u64 = 0;
    const n = targetCount(b);
    for (let k: u32 = 0; k < n; k++) {
      const node = nodeAt(target(b, k));
      if (node >= 0) to |= bit(node);
    }
    store<u64>(foundReturns + ((<usize>i) << 3), to);
  }
}

// --- Order ---
let visited: u64 = 0;
const postorder: usize = memory.data(64 * 4);
/** Number in the new order, by number of discovery. */
const renumbered: usize = memory.data(64 * 4);
let finished: i32 = 0;

function visit(i: i32): void {
  visited |= bit(i);
  for (let slot: usize = 0; slot < 2; slot++) {
    const next = load<i32>(foundNext + ((<usize>i) << 3) + ((1 - slot) << 2));
    if (next >= 0 && !(visited & bit(next))) visit(next);
  }
  let returns = load<u64>(foundReturns + ((<usize>i) << 3));
  while (returns) {
    const next = <i32>ctz<u64>(returns);
    returns &= returns - 1;
    if (!(visited & bit(next))) visit(next);
  }
  store<i32>(postorder + ((<usize>finished) << 2), i);
  finished++;
}

function renumber(next: i32): i32 {
  return next < 0 ? -1 : load<i32>(renumbered + ((<usize>next) << 2));
}

function sort(): void {
  visited = 0;
  finished = 0;
  // The head comes first. What no jump leads to from there is in baseline regions only.
  for (let i = found - 1; i > 0 && isBaselineRegion; i--) if (!(visited & bit(i))) visit(i);
  if (!(visited & 1)) visit(0);
  nodes = finished;
  for (let r = 0; r < nodes; r++) {
    store<i32>(renumbered + ((<usize>load<i32>(postorder + ((<usize>(nodes - 1 - r)) << 2))) << 2), r);
  }
  for (let r = 0; r < nodes; r++) {
    const i = <usize>load<i32>(postorder + ((<usize>(nodes - 1 - r)) << 2));
    store<u32>(nodeBlock + ((<usize>r) << 2), load<u32>(foundBlock + (i << 2)));
    store<i32>(nodeNext + ((<usize>r) << 3), renumber(load<i32>(foundNext + (i << 3))));
    store<i32>(nodeNext + ((<usize>r) << 3), renumber(load<i32>(foundNext + (i << 3), 4)), 4);
    let from = load<u64>(foundReturns + (i << 3));
    let to: u64 = 0;
    while (from) {
      to |= bit(load<i32>(renumbered + ((<usize>ctz<u64>(from)) << 2)));
      from &= from - 1;
    }
    store<u64>(nodeReturns + ((<usize>r) << 3), to);
  }
}

/** All nodes that may follow node r. */
function successors(r: i32): u64 {
  let set = returnsOf(r);
  if (nextOf(r, 0) >= 0) set |= bit(nextOf(r, 0));
  if (nextOf(r, 1) >= 0) set |= bit(nextOf(r, 1));
  return set;
}

/** Dominators by iteration (Aho, Lam, Sethi, Ullman, algorithm 9.16); finds loop heads and merges. */
function analyze(): void {
  for (let r = 0; r < nodes; r++) {
    store<u64>(predecessors + ((<usize>r) << 3), 0);
    store<u64>(dominators + ((<usize>r) << 3), r ? u64.MAX_VALUE : 1);
  }
  loopHeads = 0;
  merges = 0;
  for (let r = 0; r < nodes; r++) {
    let set = successors(r);
    if (nextOf(r, 0) >= 0 && nextOf(r, 0) == nextOf(r, 1)) merges |= bit(nextOf(r, 0));
    while (set) {
      const to = <i32>ctz<u64>(set);
      set &= set - 1;
      const at = predecessors + ((<usize>to) << 3);
      if (to <= r) loopHeads |= bit(to);
      else if (load<u64>(at) & (bit(to) - 1)) merges |= bit(to);
      store<u64>(at, load<u64>(at) | bit(r));
    }
  }
  let changed = true;
  while (changed) {
    changed = false;
    for (let r = 1; r < nodes; r++) {
      let dom = u64.MAX_VALUE;
      let from = load<u64>(predecessors + ((<usize>r) << 3));
      while (from) {
        dom &= load<u64>(dominators + ((<usize>ctz<u64>(from)) << 3));
        from &= from - 1;
      }
      dom |= bit(r);
      const at = dominators + ((<usize>r) << 3);
      if (dom != load<u64>(at)) {
        store<u64>(at, dom);
        changed = true;
      }
    }
  }
}

/** Turns jumps backwards to nodes that do not dominate into exits. Returns whether there were any. */
function cutIrreducible(): bool {
  let cut = false;
  for (let r = 0; r < nodes; r++) {
    const i = <usize>load<i32>(postorder + ((<usize>(nodes - 1 - r)) << 2));
    const dom = load<u64>(dominators + ((<usize>r) << 3));
    for (let slot: u32 = 0; slot < 2; slot++) {
      const to = nextOf(r, slot);
      if (to >= 0 && to <= r && !(dom & bit(to))) {
        store<i32>(foundNext + (i << 3) + ((<usize>slot) << 2), -1);
        cut = true;
      }
    }
    let returns = returnsOf(r) & (bit(r + 1) - 1) & ~dom;
    while (returns) {
      const to = <i32>ctz<u64>(returns);
      returns &= returns - 1;
      const was = bit(load<i32>(postorder + ((<usize>(nodes - 1 - to)) << 2)));
      store<u64>(foundReturns + (i << 3), load<u64>(foundReturns + (i << 3)) & ~was);
      cut = true;
    }
  }
  return cut;
}

/** Does an instruction of block b, other than its first, start at `rip`? */
function startsWithin(b: usize, rip: u64): bool {
  const offset = rip - load<u64>(b, B_RIP);
  if (!offset || offset >= load<u16>(b, B_LENGTH)) return false;
  const side = <usize>load<u32>(b, B_SIDE);
  for (let i: usize = 0; i < <usize>operations(b); i++) {
    if (load<u16>(side + (i << 2)) == <u16>offset) return true;
  }
  return false;
}

/** A block of the region that runs into the start of another one, or 0; see tier.ts. */
export function overlapping(): usize {
  for (let i = 0; i < nodes; i++) {
    const b = blockOf(i);
    for (let k = 0; k < nodes; k++) if (k != i && startsWithin(b, load<u64>(blockOf(k), B_RIP))) return b;
  }
  return 0;
}

/** Lets the returns in the region go back to its calls. */
function findReturns(): void {
  for (let i = 0; i < found; i++) {
    if (!isReturn(lastOp(<usize>load<u32>(foundBlock + ((<usize>i) << 2))))) continue;
    const at = foundReturns + ((<usize>i) << 3);
    let more = sites & ~load<u64>(at);
    while (more && popcnt<u64>(load<u64>(at)) < MAX_RETURNS) {
      store<u64>(at, load<u64>(at) | (more & (0 - more)));
      more &= more - 1;
    }
  }
}

/** Gathers the region of hot block `head`, without blocks that were executed fewer than `least` times. */
export function formRegion(head: usize, least: u32, baseline: bool): void {
  isBaselineRegion = baseline;
  rare = least;
  mode = load<u32>(head, B_MODE);
  code64 = (mode & MODE_CODE) == 3;
  csBase = load<u32>(head, B_CS_BASE);
  pages = 1;
  found = 0;
  ops = 0;
  sites = 0;
  store<u64>(pageList, linearOf(load<u64>(head, B_RIP)) & ~0xfff);
  store<u32>(pageList, load<u32>(head, B_PHYS) & 0xfffff000, 8);
  nodes = 0;
  if (add(head) < 0) return;
  let done = 0;
  while (done < found) follow(done++);
  if (baseline) {
    for (let k: u32 = 0; k < waitingBlocks(); k++) {
      const b = waitingBlock(k, mode, csBase);
      // Of one that has been dropped the code may have been translated anew.
      if (b) nodeAt(load<u64>(b, B_RIP));
      while (done < found) follow(done++);
    }
    sort();
  } else {
    findReturns();
    sort();
    analyze();
    while (cutIrreducible()) {
      sort();
      analyze();
    }
  }
  regionInsns = 0;
  for (let r = 0; r < nodes; r++) regionInsns += load<u16>(blockOf(r), B_INSNS);
}
