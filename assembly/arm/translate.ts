// From guest bytes to a block.

import { findBlock, finishBlock } from '../ir/blocks';
import { beginBlock, beginInsn, emit, MAX_OPS, MAX_OPS_PER_INSN, opCount, setNextRip } from '../ir/emit';
import { LIFT_END } from '../ir/lift-result';
import { OP_JMP } from '../ir/ops';
import { optimize } from '../ir/optimize';
import { hostOf } from '../mmu/frame';
import { isBreakpoint } from './breakpoints';
import { lift } from './lift';
import { MODE_SINGLE } from './mode';

/** Most instructions in one block. */
const MAX_INSNS: u32 = 64;

/** Translates the code at `pc`, which is at physical address `phys` in memory. Returns the block. */
export function translateBlock(phys: u32, pc: u64, mode: u32): usize {
  beginBlock(pc);
  const host = hostOf(phys);
  const inPage: u32 = 0x1000 - (<u32>pc & 0xfff);
  const most: u32 = mode & MODE_SINGLE ? 1 : MAX_INSNS;
  let offset: u32 = 0;
  let insns: u32 = 0;
  let ended = false;
  while (insns < most && offset < inPage && opCount() < MAX_OPS - MAX_OPS_PER_INSN) {
    const here = pc + offset;
    if (insns && (isBreakpoint(here) || findBlock(phys + offset, here, 0, mode))) break;
    beginInsn(here, insns);
    setNextRip(here + 4);
    const result = lift(load<u32>(host + offset));
    insns++;
    offset += 4;
    if (result == LIFT_END) {
      ended = true;
      break;
    }
  }
  const end = pc + offset;
  if (!ended) emit(OP_JMP, 0, 0, 0, end);
  optimize();
  return finishBlock(phys, 0, pc, 0, mode, offset, insns, opCount(), end);
}
