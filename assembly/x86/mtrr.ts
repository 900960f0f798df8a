// Memory type range registers and PAT (SDM vol. 3, 12.11, 12.12). The emulator has no caches: they are kept, checked,
// and otherwise without effect.

import { STATE } from '../layout/memory';
import { S_MSR_MTRR_DEF_TYPE, S_MSR_MTRR_FIX, S_MSR_MTRR_VAR } from '../layout/x86-state';
import { PHYSICAL_ADDRESS_BITS } from './control';
import { raiseGP } from './fault';

export const MSR_MTRRCAP: u32 = 0xfe;
export const MSR_MTRR_PHYSBASE0: u32 = 0x200;
export const MSR_MTRR_PHYSMASK7: u32 = 0x20f;
export const MSR_MTRR_FIX64K_00000: u32 = 0x250;
export const MSR_MTRR_FIX16K_80000: u32 = 0x258;
export const MSR_MTRR_FIX4K_C0000: u32 = 0x268;
export const MSR_MTRR_FIX4K_F8000: u32 = 0x26f;
export const MSR_MTRR_DEF_TYPE: u32 = 0x2ff;

/** IA32_MTRRCAP: 8 variable ranges, fixed ranges, write combining. */
export const MTRRCAP: u64 = 0x508;

const BEYOND_PHYSICAL: u64 = ~((1 << PHYSICAL_ADDRESS_BITS) - 1);

/** UC, WC, WT, WP, WB; PAT knows UC- (7) besides. */
function isType(type: u32, pat: bool): bool {
  return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

/** Are all eight bytes memory types? */
export function areTypes(value: u64, pat: bool): bool {
  for (let i: u64 = 0; i < 64; i += 8) if (!isType(<u32>(value >> i) & 0xff, pat)) return false;
  return true;
}

/** State slot of an MTRR, 0 if `msr` is none. */
function slotOf(msr: u32): usize {
  if (msr == MSR_MTRR_DEF_TYPE) return S_MSR_MTRR_DEF_TYPE;
  if (msr >= MSR_MTRR_PHYSBASE0 && msr <= MSR_MTRR_PHYSMASK7)
    return S_MSR_MTRR_VAR + ((<usize>(msr - MSR_MTRR_PHYSBASE0)) << 3);
  if (msr == MSR_MTRR_FIX64K_00000) return S_MSR_MTRR_FIX;
  if (msr >> 1 == MSR_MTRR_FIX16K_80000 >> 1) return S_MSR_MTRR_FIX + 8 + ((<usize>(msr & 1)) << 3);
  if (msr >= MSR_MTRR_FIX4K_C0000 && msr <= MSR_MTRR_FIX4K_F8000)
    return S_MSR_MTRR_FIX + 24 + ((<usize>(msr & 7)) << 3);
  return 0;
}

export function isMtrr(msr: u32): bool {
  return msr == MSR_MTRRCAP || slotOf(msr) != 0;
}

export function readMtrr(msr: u32): u64 {
  return msr == MSR_MTRRCAP ? MTRRCAP : load<u64>(STATE + slotOf(msr));
}

function isValid(msr: u32, value: u64): bool {
  if (msr == MSR_MTRRCAP) return false;
  // IA32_MTRR_DEF_TYPE: type, FE (10), E (11).
  if (msr == MSR_MTRR_DEF_TYPE) return !(value & ~0xcff) && isType(<u32>value & 0xff, false);
  if (msr > MSR_MTRR_PHYSMASK7) return areTypes(value, false);
  if (value & BEYOND_PHYSICAL) return false;
  // PHYSMASKn: bit 11 is V. PHYSBASEn: type in bits 7:0.
  if (msr & 1) return !(value & 0x7ff);
  return !(value & 0xf00) && isType(<u32>value & 0xff, false);
}

/** #GP(0) for values with reserved bits or memory types. */
export function writeMtrr(msr: u32, value: u64): void {
  if (isValid(msr, value)) store<u64>(STATE + slotOf(msr), value);
  else raiseGP(0);
}
