// The x86 core as TypeScript sees it (src/emulator-x86).

import { blockBytes, blocksBuilt, blocksDropped, cacheFlushes, codeWrittenRange, dropAllBlocks } from '../ir/blocks';
import { getFlags, setFlags } from '../ir/flags';
import { STATE, TLB_BASE, TLB_ENTRY, TLB_SIZE } from '../layout/memory';
import {
  CR0_PE,
  FLAG_VM,
  FLAGS_ARITH,
  S_A20_MASK,
  S_ATTENTION,
  S_CPL,
  S_CR0,
  S_EXIT_REQUEST,
  S_FAULT,
  S_RFLAGS,
  S_SMC,
  SEG_ATTR,
  SEG_SS,
} from '../layout/x86-state';
import { TAG_NONE, tlbFlush } from '../mmu/tlb';
import { loadPdptes } from '../mmu/walk';
import { addBreakpoint, clearBreakpoints } from './breakpoints';
import { faulted } from './fault';
import { segSlot, updateMode } from './mode';
import { retired, runSlice } from './run';

export { executingRip } from '../ir/interp';
export {
  jitCarry,
  jitCondition,
  jitHelper,
  jitLoad,
  jitLoad128,
  jitMulHigh,
  jitOverflow,
  jitPair,
  jitRotate,
  jitRotated,
  jitSegment,
  jitStore,
  jitStore128,
  jitVector,
  jitWindow,
} from '../jit/runtime';
export { jitStatistic } from '../jit/statistics';
export { jitEnable } from '../jit/tier';
export { explainNext, explainRegionBlock, explainRegionBlocks, explainRegionIsBaseline } from './explain';

/** Once, before anything else: empties TLB and block cache. */
export function start(): void {
  for (let entry: usize = TLB_BASE; entry < <usize>(TLB_BASE + 3 * TLB_SIZE); entry += TLB_ENTRY) {
    store<u64>(entry, TAG_NONE);
    store<u64>(entry, TAG_NONE, 8);
    store<u64>(entry, TAG_NONE, 16);
  }
  dropAllBlocks();
  store<u32>(STATE, 0xffffffff, S_A20_MASK);
}

/** Executes at most `instructions` guest instructions; returns EXIT_* (layout/exits.ts). */
export function run(instructions: u32): u32 {
  return runSlice(instructions);
}

/** Makes RFLAGS in the state complete: the lazy flags are worked out. Before reading the state. */
export function stateOut(): void {
  const rest = load<u64>(STATE, S_RFLAGS) & ~(<u64>FLAGS_ARITH);
  store<u64>(STATE, rest | getFlags() | 2, S_RFLAGS);
}

/** Takes over a state that TypeScript has written: derives everything that the core keeps beside it. */
export function stateIn(): void {
  const flags = load<u32>(STATE, S_RFLAGS);
  setFlags(flags);
  store<u32>(STATE, 0, S_FAULT);
  store<u32>(STATE, 0, S_SMC);
  store<u32>(STATE, 0, S_EXIT_REQUEST);
  store<u32>(STATE, 1, S_ATTENTION);
  // The CPL is SS.DPL; real mode has 0, v8086 mode 3 (SDM vol. 3, 5.5).
  let cpl: u32 = (load<u16>(segSlot(SEG_SS), SEG_ATTR) >> 5) & 3;
  if (!(load<u32>(STATE, S_CR0) & CR0_PE)) cpl = 0;
  if (flags & FLAG_VM) cpl = 3;
  store<u32>(STATE, cpl, S_CPL);
  tlbFlush(false);
  loadPdptes();
  if (faulted()) store<u32>(STATE, 0, S_FAULT);
  updateMode();
}

/** Drops all translations and translated code: memory was replaced behind the core's back. */
export function invalidateAll(): void {
  tlbFlush(false);
  dropAllBlocks();
}

/** Guest memory [address, address + size) was written by something other than the CPU. */
export function memoryWritten(address: u32, size: u32): void {
  codeWrittenRange(address, size);
}

export function setA20(enabled: bool): void {
  store<u32>(STATE, enabled ? 0xffffffff : 0xffefffff, S_A20_MASK);
  tlbFlush(false);
}

export function breakpointsClear(): void {
  clearBreakpoints();
  dropAllBlocks();
}

export function breakpointAdd(low: u32, high: u32): bool {
  return addBreakpoint(<u64>low | ((<u64>high) << 32));
}

/** Instructions retired since start; exact inside host calls. */
export function instructionCount(): f64 {
  return <f64>retired();
}

// Statistics.
export function statBlocksBuilt(): f64 {
  return <f64>blocksBuilt;
}
export function statBlocksDropped(): f64 {
  return <f64>blocksDropped;
}
export function statCacheFlushes(): f64 {
  return <f64>cacheFlushes;
}
export function statBlockBytes(): u32 {
  return blockBytes();
}
