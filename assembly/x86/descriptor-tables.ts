// LGDT, LIDT, SGDT, SIDT and INVLPG: system instructions with a memory operand whose offset arrives in slot a,
// its segment in b.

import { STATE } from '../layout/memory';
import {
  CR4_PAE,
  CR4_PSE,
  S_CR4,
  S_GDTR_BASE,
  S_GDTR_LIMIT,
  S_IDTR_BASE,
  S_IDTR_LIMIT,
  SEG_BASE,
  SEG_FS,
} from '../layout/x86-state';
import { probeWrite, read16, read32, read64, write16, write32, write64 } from '../mmu/access';
import { tlbFlush, tlbInvalidate } from '../mmu/tlb';
import { isCanonical, met1GiB } from '../mmu/walk';
import { faulted, raiseGP } from './fault';
import { finish, in64BitMode, linearAddress, privileged } from './helper';
import { segSlot } from './mode';

/** The pseudo-descriptor's base follows its 16-bit limit; linear addresses wrap outside 64-bit mode. */
function baseAddress(at: u64): u64 {
  return in64BitMode() ? at + 2 : (at + 2) & 0xffffffff;
}

/** LGDT (imm bit 0 clear), LIDT (set). imm bit 1: 16-bit operand size, which loads only 24 bits of base. */
export function loadTable(a: u32, b: u32, imm: u64): void {
  if (!privileged()) return;
  const wide = in64BitMode();
  const at = linearAddress(load<u64>(STATE + <usize>a), b, wide ? 10 : 6, false);
  if (faulted()) return;
  const limit = read16(at);
  if (faulted()) return;
  let base = wide ? read64(baseAddress(at)) : <u64>read32(baseAddress(at));
  if (faulted()) return;
  if (!wide && imm & 2) base &= 0xffffff;
  if (!isCanonical(base)) {
    raiseGP(0);
    return;
  }
  if (imm & 1) {
    store<u32>(STATE, limit, S_IDTR_LIMIT);
    store<u64>(STATE, base, S_IDTR_BASE);
  } else {
    store<u32>(STATE, limit, S_GDTR_LIMIT);
    store<u64>(STATE, base, S_GDTR_BASE);
  }
  finish();
}

/** SGDT (imm 0), SIDT (imm 1). All 32 bits of base are stored even with a 16-bit operand size, as real CPUs do. */
export function storeTable(a: u32, b: u32, imm: u64): void {
  const wide = in64BitMode();
  const size: u32 = wide ? 10 : 6;
  const at = linearAddress(load<u64>(STATE + <usize>a), b, size, true);
  if (faulted() || !probeWrite(at, size)) return;
  const base = imm ? load<u64>(STATE, S_IDTR_BASE) : load<u64>(STATE, S_GDTR_BASE);
  write16(at, imm ? load<u32>(STATE, S_IDTR_LIMIT) : load<u32>(STATE, S_GDTR_LIMIT));
  if (wide) write64(baseAddress(at), base);
  else write32(baseAddress(at), <u32>base);
}

/**
 * Drops all translations of the page at `linear`. It may have been a large one (the tables may say otherwise by now),
 * which the soft TLB holds in pieces of 4 KiB: every piece of the largest page that there may have been has to go.
 */
function invalidate(linear: u64): void {
  if (met1GiB) {
    tlbFlush(false);
    return;
  }
  const cr4 = load<u32>(STATE, S_CR4);
  const size: u64 = cr4 & CR4_PAE ? 0x200000 : cr4 & CR4_PSE ? 0x400000 : 0x1000;
  tlbInvalidate(linear & ~(size - 1), size);
}

/** INVLPG: no access takes place, so there is no limit check and no page fault; a non-canonical address does nothing. */
export function invalidatePage(a: u32, b: u32, _imm: u64): void {
  if (!privileged()) return;
  let linear = load<u64>(STATE + <usize>a);
  if (!in64BitMode()) linear = (linear + load<u64>(segSlot(b), SEG_BASE)) & 0xffffffff;
  else if (b >= <u32>SEG_FS) linear += load<u64>(segSlot(b), SEG_BASE);
  if (isCanonical(linear)) invalidate(linear);
  finish();
}
