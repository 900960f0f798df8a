// The AArch64 core as TypeScript sees it (src/emulator-arm).

import { blockBytes, blocksBuilt, blocksDropped, cacheFlushes, codeWrittenRange, dropAllBlocks } from '../ir/blocks';
import { S_ATTENTION, S_EXIT_REQUEST, S_FAULT, S_NZCV, S_SMC } from '../layout/arm-state';
import { STATE, TLB_BASE, TLB_ENTRY, TLB_SIZE } from '../layout/memory';
import { TAG_NONE } from '../mmu/tlb';
import { addBreakpoint, clearBreakpoints } from './breakpoints';
import { flushTranslations } from './mmu';
import { updateMode } from './mode';
import { getNzcv, setNzcv } from './nzcv';
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

/** Once, before anything else: empties TLB and block cache. */
export function start(): void {
  for (let entry: usize = TLB_BASE; entry < <usize>(TLB_BASE + 3 * TLB_SIZE); entry += TLB_ENTRY) {
    store<u64>(entry, TAG_NONE);
    store<u64>(entry, TAG_NONE, 8);
    store<u64>(entry, TAG_NONE, 16);
  }
  dropAllBlocks();
}

/** Executes at most `instructions` guest instructions; returns EXIT_* (layout/exits.ts). */
export function run(instructions: u32): u32 {
  return runSlice(instructions);
}

/** Makes NZCV in the state complete: the lazy flags are worked out. Before reading the state. */
export function stateOut(): void {
  store<u32>(STATE, getNzcv(), S_NZCV);
}

/** Takes over a state that TypeScript has written: derives everything that the core keeps beside it. */
export function stateIn(): void {
  setNzcv(load<u32>(STATE, S_NZCV));
  store<u32>(STATE, 0, S_FAULT);
  store<u32>(STATE, 0, S_SMC);
  store<u32>(STATE, 0, S_EXIT_REQUEST);
  store<u32>(STATE, 1, S_ATTENTION);
  flushTranslations();
  updateMode();
}

/** Drops all translations and translated code: memory was replaced behind the core's back. */
export function invalidateAll(): void {
  flushTranslations();
  dropAllBlocks();
}

/** Guest memory [address, address + size) was written by something other than the CPU. */
export function memoryWritten(address: u32, size: u32): void {
  codeWrittenRange(address, size);
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
