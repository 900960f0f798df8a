// Self-hosted debug: software step and breakpoints (Arm ARM D2).

import {
  ARM_BREAKPOINTS,
  PSTATE_D,
  PSTATE_SS,
  S_CONTEXTIDR_EL1,
  S_DAIF,
  S_DBGBCR0_EL1,
  S_DBGBVR0_EL1,
  S_EL,
  S_HCR_EL2,
  S_MDCR_EL2,
  S_MDSCR_EL1,
  S_OSLOCK,
  S_PC,
  S_PSTATE,
} from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { EC_BREAKPOINT, EC_STEP, raiseTo } from './fault';

const MDSCR_SS: u32 = 1;
const MDSCR_KDE: u32 = 1 << 13;
export const MDSCR_MDE: u32 = 1 << 15;
const MDCR_TDE: u64 = 1 << 8;
const TGE: u64 = 1 << 27;

/** Level that debug exceptions go to. */
export function debugTarget(): u32 {
  return load<u64>(STATE, S_HCR_EL2) & TGE || load<u64>(STATE, S_MDCR_EL2) & MDCR_TDE ? 2 : 1;
}

/** Are debug exceptions enabled from level `el` with PSTATE.D as `masked` (Arm ARM D2.4)? */
function enabledAt(el: u32, masked: bool): bool {
  if (load<u32>(STATE, S_OSLOCK)) return false;
  const target = debugTarget();
  if (el > target) return false;
  if (el < target) return true;
  return (load<u32>(STATE, S_MDSCR_EL1) & MDSCR_KDE) != 0 && !masked;
}

export function enabledFrom(el: u32): bool {
  return enabledAt(el, (load<u32>(STATE, S_DAIF) & PSTATE_D) != 0);
}

/** Software step is on: the next instruction is stepped, or was. */
export function stepActive(): bool {
  return (load<u32>(STATE, S_MDSCR_EL1) & MDSCR_SS) != 0 && enabledFrom(load<u32>(STATE, S_EL));
}

/** An enabled breakpoint may match somewhere. */
export function debugActive(): bool {
  if (!(load<u32>(STATE, S_MDSCR_EL1) & MDSCR_MDE) || !enabledFrom(load<u32>(STATE, S_EL))) return false;
  for (let i: u32 = 0; i < <u32>ARM_BREAKPOINTS; i++) if (control(i) & 1) return true;
  return false;
}

/** PSTATE.SS after a return to level `el` with SPSR `spsr` (Arm ARM "DebugExceptionReturnSS"). */
export function stepBitOnReturn(spsr: u32, el: u32): bool {
  if (!(load<u32>(STATE, S_MDSCR_EL1) & MDSCR_SS) || !(spsr & PSTATE_SS)) return false;
  return !enabledFrom(load<u32>(STATE, S_EL)) && enabledAt(el, (spsr & PSTATE_D) != 0);
}

/** An instruction is over: a step that was not pending now is. */
export function stepAdvance(): void {
  if (load<u32>(STATE, S_MDSCR_EL1) & MDSCR_SS) {
    store<u32>(STATE, load<u32>(STATE, S_PSTATE) & ~(<u32>PSTATE_SS), S_PSTATE);
  }
}

/** The instruction just stepped: 0 none, 1 any, 3 a load-exclusive. For the syndrome. */
let stepped: u32 = 0;
export function noteStepped(exclusive: bool): void {
  stepped = exclusive ? 3 : 1;
}
export function forgetStepped(): void {
  stepped = 0;
}

/** Before an instruction: raises the step exception that is pending. True if so. */
export function checkStep(): bool {
  if (!stepActive() || load<u32>(STATE, S_PSTATE) & PSTATE_SS) return false;
  // ISV, EX: the step is that of an instruction, which was a load-exclusive.
  raiseTo(EC_STEP, 0x22 | ((stepped & 1) << 24) | ((stepped >> 1) << 6), debugTarget());
  stepped = 0;
  return true;
}

function control(i: u32): u32 {
  return load<u32>(STATE + ((<usize>i) << 4), S_DBGBCR0_EL1);
}

/** Does a breakpoint or watchpoint with these fields look at accesses of level `el` (Arm ARM D2.9.3, Non-secure state)? */
export function stateMatches(hmc: u32, ssc: u32, pxc: u32, el: u32): bool {
  if (ssc == 2) return false;
  if (el == 2) return (hmc != 0 && !(ssc == 0 && pxc == 0)) || ssc == 3;
  if (el == 1) return (pxc & 1) != 0;
  return (pxc & 2) != 0;
}

/** Breakpoint `n` is a linked context breakpoint whose context is the current one. */
export function linkedContextMatches(n: u32): bool {
  if (n >= <u32>ARM_BREAKPOINTS || n < <u32>ARM_BREAKPOINTS - 2) return false;
  const bcr = control(n);
  return (bcr & 1) != 0 && ((bcr >> 20) & 15) == 3 && contextMatches(n);
}

function contextMatches(n: u32): bool {
  return load<u32>(STATE + ((<usize>n) << 4), S_DBGBVR0_EL1) == load<u32>(STATE, S_CONTEXTIDR_EL1);
}

/** Before an instruction: raises the exception of a breakpoint that matches. True if so. */
export function checkBreakpoint(): bool {
  if (!debugActive()) return false;
  const el = load<u32>(STATE, S_EL);
  const pc = load<u64>(STATE, S_PC);
  for (let i: u32 = 0; i < <u32>ARM_BREAKPOINTS; i++) {
    const bcr = control(i);
    if (!(bcr & 1)) continue;
    const type = (bcr >> 20) & 15;
    if (!stateMatches((bcr >> 13) & 1, (bcr >> 14) & 3, (bcr >> 1) & 3, el)) continue;
    let hit = false;
    if (type < 2) {
      hit = load<u64>(STATE + ((<usize>i) << 4), S_DBGBVR0_EL1) == (pc & ~3);
      if (type == 1 && !linkedContextMatches((bcr >> 16) & 15)) hit = false;
    } else if (type == 2 && i >= <u32>ARM_BREAKPOINTS - 2) hit = el < 2 && contextMatches(i);
    if (!hit) continue;
    raiseTo(EC_BREAKPOINT, 0x22, debugTarget());
    return true;
  }
  return false;
}
