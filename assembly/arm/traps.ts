// Who has asked to be told of an access to a system register: HCR_EL2 and its like (Arm ARM D1.15, D13.2).

import {
  S_CNTHCTL_EL2,
  S_CNTKCTL_EL1,
  S_CPACR_EL1,
  S_CPTR_EL2,
  S_MDCR_EL2,
  S_MDSCR_EL1,
  S_SCTLR_EL1,
} from '../layout/arm-state';
import * as K from '../layout/arm-sysreg-kinds';
import { STATE } from '../layout/memory';
import { hasEl2, usualTarget } from './exception';
import {
  HCR_FMO,
  HCR_IMO,
  HCR_TACR,
  HCR_TDZ,
  HCR_TGE,
  HCR_TID1,
  HCR_TID2,
  HCR_TID3,
  HCR_TPC,
  HCR_TPU,
  HCR_TRVM,
  HCR_TSW,
  HCR_TTLB,
  HCR_TVM,
  hcr,
  SCTLR_DZE,
  SCTLR_UCI,
  SCTLR_UCT,
  SCTLR_UMA,
} from './mode';

const MDCR_TDA: u32 = 1 << 9;
const MDCR_TDOSA: u32 = 1 << 10;
const MDCR_TDRA: u32 = 1 << 11;
const MDCR_TDE: u32 = 1 << 8;
const MDSCR_TDCC: u32 = 1 << 12;

/** At EL0 under HCR_EL2.TGE there is no EL1 whose controls would count; nor its traps to EL2, which are for guests. */
function hosted(el: u32): bool {
  return el == 0 && (hcr() & HCR_TGE) != 0;
}

/** EL2, if `bit` of HCR_EL2 is set and the access comes from below. */
function byHcr(bit: u64, el: u32): u32 {
  return el < 2 && (hcr() & bit) != 0 ? 2 : 0;
}

/** From EL0: where it is trapped to if bit `bit` of SCTLR_EL1 is clear; else, and from EL1, EL2 by HCR_EL2. */
function byControl(bit: u32, trap: u64, el: u32): u32 {
  if (el == 0 && !hosted(el) && !(load<u32>(STATE, S_SCTLR_EL1) & bit)) return usualTarget();
  return byHcr(trap, el);
}

function byMdcr(bits: u32, el: u32): u32 {
  return el < 2 && hasEl2() && (load<u32>(STATE, S_MDCR_EL2) & (bits | MDCR_TDE) || hosted(el)) ? 2 : 0;
}

/** Counters and timers: EL0 needs `user` in CNTKCTL_EL1, EL0 and EL1 `below` in CNTHCTL_EL2. */
function byTimer(user: u32, below: u32, el: u32): u32 {
  if (el == 0 && !hosted(el) && !(load<u32>(STATE, S_CNTKCTL_EL1) & user)) return usualTarget();
  if (below && el < 2 && hasEl2() && (load<u32>(STATE, S_CNTHCTL_EL2) & below) == 0) return 2;
  return 0;
}

/** Floating point: CPACR_EL1.FPEN, then CPTR_EL2.TFP. */
function byFp(el: u32): u32 {
  if (el < 2 && !hosted(el)) {
    const fpen = (load<u32>(STATE, S_CPACR_EL1) >> 20) & 3;
    if (!(fpen & 1) || (fpen == 1 && el == 0)) return 1;
  }
  return load<u32>(STATE, S_CPTR_EL2) & (1 << 10) ? 2 : 0;
}

/** Exception level that an access of class `trap` (TRAP_*) from level `el` is trapped to, or 0. */
export function trapTarget(trap: u32, reading: bool, el: u32): u32 {
  switch (trap) {
    case K.TRAP_NONE:
      return 0;
    case K.TRAP_VM:
      return el == 1 ? byHcr(reading ? HCR_TRVM : HCR_TVM, el) : 0;
    case K.TRAP_TID1:
      return byHcr(HCR_TID1, el);
    case K.TRAP_TID2:
      return byHcr(HCR_TID2, el);
    case K.TRAP_TID3:
      return byHcr(HCR_TID3, el);
    case K.TRAP_TACR:
      return byHcr(HCR_TACR, el);
    case K.TRAP_CPACR:
      return el == 1 && load<u32>(STATE, S_CPTR_EL2) >> 31 ? 2 : 0;
    case K.TRAP_CTR:
      return byControl(SCTLR_UCT, HCR_TID2, el);
    case K.TRAP_DAIF:
      return byControl(SCTLR_UMA, 0, el);
    case K.TRAP_FP:
      return byFp(el);
    case K.TRAP_DEBUG:
      return byMdcr(MDCR_TDA, el);
    case K.TRAP_OS_LOCK:
      return byMdcr(MDCR_TDOSA, el);
    case K.TRAP_DEBUG_ROM:
      return byMdcr(MDCR_TDRA, el);
    case K.TRAP_DCC:
      if (el == 0 && load<u32>(STATE, S_MDSCR_EL1) & MDSCR_TDCC) return usualTarget();
      return byMdcr(MDCR_TDA, el);
    case K.TRAP_CNTFRQ:
      return byTimer(3, 0, el);
    case K.TRAP_CNTPCT:
      return byTimer(1, 1, el);
    case K.TRAP_CNTVCT:
      return byTimer(2, 0, el);
    case K.TRAP_CNTP:
      return byTimer(1 << 9, 2, el);
    case K.TRAP_CNTV:
      return byTimer(1 << 8, 0, el);
    case K.TRAP_TLBI:
      return byHcr(HCR_TTLB, el);
    case K.TRAP_CACHE_POU:
      return byControl(SCTLR_UCI, HCR_TPU, el);
    case K.TRAP_CACHE_POC:
      return byControl(SCTLR_UCI, HCR_TPC, el);
    case K.TRAP_CACHE_SET_WAY:
      return byHcr(HCR_TSW, el);
    case K.TRAP_ZVA:
      return byControl(SCTLR_DZE, HCR_TDZ, el);
    case K.TRAP_ICACHE:
      return byHcr(HCR_TPU, el);
    case K.TRAP_GIC:
      return byHcr(HCR_FMO | HCR_IMO, el);
    default:
      return 0;
  }
}
