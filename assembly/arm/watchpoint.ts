// Watchpoints (Arm ARM D2.10): an access that matches raises an exception before it happens.

import { ARM_WATCHPOINTS, S_DBGWCR0_EL1, S_DBGWVR0_EL1, S_EL, S_MDSCR_EL1, S_TLB } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { TLB_USER, tlbTable } from '../mmu/tlb';
import { debugTarget, enabledFrom, linkedContextMatches, MDSCR_MDE, stateMatches } from './debug';
import { EC_WATCHPOINT, raiseAt } from './fault';

function control(i: u32): u32 {
  return load<u32>(STATE + ((<usize>i) << 4), S_DBGWCR0_EL1);
}
function value(i: u32): u64 {
  return load<u64>(STATE + ((<usize>i) << 4), S_DBGWVR0_EL1);
}

/** Address bits that watchpoint `i` does not compare: those of MASK, or of its doubleword. */
function maskOf(wcr: u32): u64 {
  const mask = (wcr >> 24) & 31;
  return mask >= 3 ? ((<u64>1) << (<u64>mask)) - 1 : 7;
}

/** Does an enabled watchpoint look at this 4 KiB page? Its accesses have to take the slow path. */
export function isWatched(page: u64): bool {
  if (!(load<u32>(STATE, S_MDSCR_EL1) & MDSCR_MDE)) return false;
  for (let i: u32 = 0; i < <u32>ARM_WATCHPOINTS; i++) {
    const wcr = control(i);
    if (!(wcr & 1)) continue;
    const ignored = maskOf(wcr) | 0xfff;
    if ((value(i) & ~ignored) == (page & ~ignored)) return true;
  }
  return false;
}

/** Does watchpoint `i` match any of the bytes [address, address + size)? */
function addressMatches(i: u32, wcr: u32, address: u64, size: u32): bool {
  const wvr = value(i);
  if (((wcr >> 24) & 31) >= 3) {
    const base = wvr & ~maskOf(wcr);
    return address <= base + maskOf(wcr) && base <= address + size - 1;
  }
  const select = (wcr >> 5) & 0xff;
  // A value that is a multiple of 4 only uses the lower half of the byte select.
  const bytes = wvr & 4 ? select & 15 : select;
  for (let b: u64 = 0; b < 8; b++) {
    if (!((bytes >> <u32>b) & 1)) continue;
    const at = wvr + b;
    if (at >= address && at < address + size) return true;
  }
  return false;
}

/** Before a load or store on the slow path. Raises the watchpoint exception, and returns true, if one matches. */
export function checkWatchpoints(address: u64, size: u32, write: bool): bool {
  if (!(load<u32>(STATE, S_MDSCR_EL1) & MDSCR_MDE)) return false;
  const el = load<u32>(STATE, S_EL);
  if (!enabledFrom(el)) return false;
  // An unprivileged access counts as one of EL0.
  const as = load<u32>(STATE, S_TLB) == <u32>tlbTable(TLB_USER) ? 0 : el;
  for (let i: u32 = 0; i < <u32>ARM_WATCHPOINTS; i++) {
    const wcr = control(i);
    if (!(wcr & 1)) continue;
    const kinds = (wcr >> 3) & 3;
    if (!(kinds & (write ? 2 : 1))) continue;
    if (!stateMatches((wcr >> 13) & 1, (wcr >> 14) & 3, (wcr >> 1) & 3, as)) continue;
    if (wcr & (1 << 20) && !linkedContextMatches((wcr >> 16) & 15)) continue;
    if (!addressMatches(i, wcr, address, size)) continue;
    raiseAt(EC_WATCHPOINT, 0x22 | (u32(write) << 6), address, debugTarget());
    return true;
  }
  return false;
}
