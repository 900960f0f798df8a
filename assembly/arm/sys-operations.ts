// DC, IC and AT: what they do where nothing is cached.

import { S_PAR_EL1, S_TLB } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { fastWrite, probeWrite, write64 } from '../mmu/access';
import { faulted } from './fault';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  faultCode,
  faultOnWalk,
  faultStage2,
  isExternalAbort,
  raiseTranslationAbort,
  setMaintenance,
  translate,
  translatedTo,
  translateFor,
  walkAttributes,
  walkShareability,
} from './mmu';
import { currentEl } from './mode';

/** Bytes that DC ZVA clears, as DCZID_EL0 says. */
export const ZERO_BLOCK: u32 = 64;

/** DC ZVA: zeroes the aligned block that holds `va`. */
export function zeroBlock(va: u64): void {
  const start = va & ~(<u64>(ZERO_BLOCK - 1));
  const at = fastWrite(start, ZERO_BLOCK);
  if (at) {
    for (let i: usize = 0; i < ZERO_BLOCK; i += 16) v128.store(at + i, i64x2.splat(0));
    return;
  }
  // The fault's address is the one given, not that of the block.
  translate(va, ACCESS_WRITE, load<u32>(STATE, S_TLB));
  if (faulted() || !probeWrite(start, ZERO_BLOCK)) return;
  for (let i: u32 = 0; i < ZERO_BLOCK; i += 8) {
    write64(start + i, 0);
    if (faulted()) return;
  }
}

/** Helper of a DC ZVA that nothing can trap: the address is in slot a. Generated code zeroes in line (jit/op.ts). */
export function zeroLine(a: u32, _b: u32, _imm: u64): void {
  zeroBlock(load<u64>(STATE + a));
}

/** IC and DC by virtual address: nothing to do, but the address has to be mapped, for DC IVAC writable. */
export function cacheMaintenance(va: u64, write: bool): void {
  setMaintenance(true);
  translate(va, write ? ACCESS_WRITE : ACCESS_READ, load<u32>(STATE, S_TLB));
  setMaintenance(false);
}

/** AT: `what` is the level | write << 2 | both stages << 3. The result goes to PAR_EL1 (Arm ARM D13.2.97). */
export function addressTranslate(va: u64, what: u32): void {
  const level = what & 3;
  const write = (what & 4) != 0;
  const both = (what & 8) != 0;
  const done = translateFor(va, level == 2 ? 2 : 1, level == 0, write, both);
  if (done) {
    // Bit 11 is always 1; NS.
    const par =
      (translatedTo & 0x000ffffffffff000) | ((<u64>walkAttributes) << 56) | (5 << 9) | (walkShareability << 7);
    store<u64>(STATE, par, S_PAR_EL1);
    return;
  }
  // A fault of stage 2 under stage 1's walk, asked for by EL1, is EL2's to handle; an external abort is an exception
  // for everyone.
  if ((faultStage2 && faultOnWalk && currentEl() == 1) || isExternalAbort()) {
    raiseTranslationAbort(va);
    return;
  }
  // F, FST, PTW, S.
  const par = 1 | ((<u64>faultCode) << 1) | (u32(faultOnWalk) << 8) | (u32(faultStage2) << 9) | (1 << 11);
  store<u64>(STATE, par, S_PAR_EL1);
}
