// From guest bytes to a block.

import { findBlock, finishBlock } from '../ir/blocks';
import { beginBlock, beginInsn, emit, MAX_OPS, MAX_OPS_PER_INSN, opCount, setNextRip } from '../ir/emit';
import { LIFT_END } from '../ir/lift-result';
import { OP_JMP, OP_RAISE } from '../ir/ops';
import { optimize } from '../ir/optimize';
import { GUEST_BASE, PAGE_KIND_MASK, PAGE_MMIO, STATE } from '../layout/memory';
import { S_TLB, S_WRAP32 } from '../layout/x86-state';
import { pageInfo } from '../mmu/access';
import { ACCESS_FETCH, translate } from '../mmu/walk';
import { isBreakpoint } from './breakpoints';
import { DECODE_NEXT_PAGE, DECODE_TOO_LONG, DECODE_UNDEFINED, decode, dLength } from './decode';
import { EXC_GP, EXC_UD, faulted } from './fault';
import { lift } from './lift';
import { MODE_CODE, MODE_SINGLE } from './mode';
import { setLiftMode } from './operand';

/** Most instructions in one block. */
const MAX_INSNS: u32 = 64;

// What an instruction fetch from no memory at all sees: ones. FF FF is undefined.
const ONES: usize = memory.data<u64>([-1, -1, -1, -1]);

function ripMask(mode: u32): u64 {
  return (mode & MODE_CODE) == 3 ? u64.MAX_VALUE : 0xffffffff;
}

/** Host address of instruction bytes at a physical address. */
export function codeAt(phys: u64): usize {
  return (pageInfo(phys) & PAGE_KIND_MASK) == PAGE_MMIO ? ONES : GUEST_BASE + <usize>phys;
}

/**
 * Translates the code at RIP, whose first byte is at physical address `phys` and linear address `linear`. Returns the
 * block, or 0 when fetching from the next page faults (the fault is raised).
 */
export function translateBlock(phys: u64, linear: u64, rip: u64, csBase: u32, mode: u32): usize {
  setLiftMode(mode);
  beginBlock(rip);
  const mask = ripMask(mode);
  const inPage: u32 = 0x1000 - (<u32>linear & 0xfff);
  const absent = (pageInfo(phys) & PAGE_KIND_MASK) == PAGE_MMIO;
  const host = codeAt(phys);
  const most: u32 = mode & MODE_SINGLE || absent ? 1 : MAX_INSNS;
  let offset: u32 = 0;
  let insns: u32 = 0;
  let phys2: u32 = 0;
  let ended = false;

  while (insns < most && offset < inPage && opCount() < MAX_OPS - MAX_OPS_PER_INSN) {
    const here = (rip + offset) & mask;
    if (insns && (isBreakpoint(linear + offset) || findBlock(<u32>phys + offset, here, csBase, mode))) break;
    let status = absent ? decode(ONES, 15, 0, mode) : decode(host + offset, inPage - offset, 0, mode);
    if (status == DECODE_NEXT_PAGE) {
      // The instruction reaches into the next page: it gets a block of its own.
      if (insns) break;
      let next = linear + inPage;
      if (load<u32>(STATE, S_WRAP32)) next &= 0xffffffff;
      const second = translate(next, ACCESS_FETCH, load<u32>(STATE, S_TLB));
      if (faulted()) return 0;
      status = decode(host + offset, inPage - offset, codeAt(second), mode);
      phys2 = <u32>second | 1;
    }
    const next = (here + dLength) & mask;
    beginInsn(here, insns);
    setNextRip(next);
    insns++;
    offset += dLength;
    if (status == DECODE_TOO_LONG) {
      emit(OP_RAISE, 0, 0, 0, EXC_GP | 0x100);
      ended = true;
      break;
    }
    if (status == DECODE_UNDEFINED) {
      emit(OP_RAISE, 0, 0, 0, EXC_UD);
      ended = true;
      break;
    }
    if (lift() == LIFT_END) {
      ended = true;
      break;
    }
  }
  const end = (rip + offset) & mask;
  if (!ended) emit(OP_JMP, 0, 0, 0, end);
  optimize();
  return finishBlock(<u32>phys, phys2, rip, csBase, mode, offset, insns, opCount(), end);
}
