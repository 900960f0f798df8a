// Taking exceptions and returning from them (Arm ARM D1.10, D1.11).

import {
  ARM_HAS_EL2,
  ARM_RUNNING,
  PSTATE_A,
  PSTATE_DAIF,
  PSTATE_F,
  PSTATE_I,
  PSTATE_IL,
  PSTATE_NRW,
  PSTATE_PAN,
  PSTATE_SS,
  S_ACTIVITY,
  S_ARM_FEATURES,
  S_DAIF,
  S_EL,
  S_ELR_EL1,
  S_ELR_EL2,
  S_ESR_EL1,
  S_ESR_EL2,
  S_EVENT,
  S_EXCL_SIZE,
  S_FAR_EL1,
  S_FAR_EL2,
  S_FAULT,
  S_FAULT_ADDRESS,
  S_FAULT_CODE,
  S_FAULT_IPA,
  S_FAULT_TARGET,
  S_FIQ,
  S_HCR_EL2,
  S_HPFAR_EL2,
  S_IRQ,
  S_PC,
  S_PSTATE,
  S_SERROR,
  S_SP,
  S_SP_EL0,
  S_SPSEL,
  S_SPSR_EL1,
  S_SPSR_EL2,
  S_VBAR_EL1,
  S_VBAR_EL2,
} from '../layout/arm-state';
import { STATE } from '../layout/memory';

import { stepBitOnReturn } from './debug';
import {
  clearFault,
  EC_BREAKPOINT,
  EC_DATA_ABORT,
  EC_HVC,
  EC_INSTRUCTION_ABORT,
  EC_PC_ALIGNMENT,
  EC_SERROR,
  EC_SVC,
  EC_WATCHPOINT,
  TARGET_USUAL,
} from './fault';
import { flushTranslations } from './mmu';
import {
  currentEl,
  HCR_AMO,
  HCR_FMO,
  HCR_IMO,
  HCR_TGE,
  HCR_VF,
  HCR_VI,
  HCR_VSE,
  hcr,
  SCTLR_SPAN,
  sctlrOf,
  updateMode,
} from './mode';
import { getNzcv, setNzcv } from './nzcv';
import { abortSyndrome } from './syndrome';

// Vector offsets (Arm ARM table D1-7): kind, then where the exception comes from.
const VECTOR_SYNCHRONOUS: u32 = 0;
const VECTOR_IRQ: u32 = 0x80;
const VECTOR_FIQ: u32 = 0x100;
const VECTOR_SERROR: u32 = 0x180;
const FROM_SAME_SPX: u64 = 0x200;
const FROM_LOWER: u64 = 0x400;

export function hasEl2(): bool {
  return (load<u32>(STATE, S_ARM_FEATURES) & ARM_HAS_EL2) != 0;
}

/** PSTATE as an SPSR holds it. */
export function getPstate(): u32 {
  const el = currentEl();
  const mode = (el << 2) | (el ? load<u32>(STATE, S_SPSEL) : 0);
  return getNzcv() | load<u32>(STATE, S_PSTATE) | load<u32>(STATE, S_DAIF) | mode;
}

/** Slot where the stack pointer in use belongs. */
function bankedSp(): usize {
  const el: usize = load<u32>(STATE, S_SPSEL) ? currentEl() : 0;
  return STATE + S_SP_EL0 + (el << 3);
}

/** Moves to level `el` with stack pointer selection `spsel`; translations of another regime go. */
export function changeLevel(el: u32, spsel: u32): void {
  store<u64>(bankedSp(), load<u64>(STATE, S_SP));
  if ((el == 2) != (currentEl() == 2)) flushTranslations();
  store<u32>(STATE, el, S_EL);
  store<u32>(STATE, el ? spsel : 0, S_SPSEL);
  store<u64>(STATE, load<u64>(bankedSp()), S_SP);
}

/** Enters the handler of level `target`; `returnTo` is the preferred return address. */
function take(target: u32, kind: u32, returnTo: u64): void {
  const from = currentEl();
  let vector = load<u64>(STATE + (target == 2 ? S_VBAR_EL2 : S_VBAR_EL1)) + kind;
  if (from < target) vector += FROM_LOWER;
  else if (load<u32>(STATE, S_SPSEL)) vector += FROM_SAME_SPX;
  const pstate = getPstate();
  store<u64>(STATE + (target == 2 ? S_SPSR_EL2 : S_SPSR_EL1), pstate);
  store<u64>(STATE + (target == 2 ? S_ELR_EL2 : S_ELR_EL1), returnTo);
  changeLevel(target, 1);
  let rest = pstate & PSTATE_PAN;
  if (target == 1 && !(sctlrOf(1) & SCTLR_SPAN)) rest |= PSTATE_PAN;
  store<u32>(STATE, rest, S_PSTATE);
  store<u32>(STATE, PSTATE_DAIF, S_DAIF);
  store<u32>(STATE, ARM_RUNNING, S_ACTIVITY);
  store<u64>(STATE, vector, S_PC);
  updateMode();
}

/** Where synchronous exceptions of the current level go if nothing else is said. */
export function usualTarget(): u32 {
  const el = currentEl();
  if (el == 0) return hcr() & HCR_TGE ? 2 : 1;
  return el;
}

/** Delivers the exception that was raised; S_PC is the address of its instruction. */
export function deliverException(): void {
  const ec: u32 = load<u32>(STATE, S_FAULT) - 1;
  let iss = load<u32>(STATE, S_FAULT_CODE);
  let target = load<u32>(STATE, S_FAULT_TARGET);
  if (target == TARGET_USUAL) target = usualTarget();
  clearFault();
  const from = currentEl();
  const pc = load<u64>(STATE, S_PC);
  // SVC and HVC return behind themselves.
  const returnTo = ec == EC_SVC || ec == EC_HVC ? pc + 4 : pc;
  if (ec == EC_DATA_ABORT && target == 2 && from < 2) iss = abortSyndrome(iss, pc);
  // Aborts and debug exceptions have one class for lower levels and another, the next, for the same level.
  let klass = ec;
  const split =
    ec == EC_INSTRUCTION_ABORT || ec == EC_DATA_ABORT || (ec >= EC_BREAKPOINT && ec <= EC_WATCHPOINT && !(ec & 1));
  if (split && from == target) klass++;
  const far = ec == EC_INSTRUCTION_ABORT || ec == EC_DATA_ABORT || ec == EC_PC_ALIGNMENT || ec == EC_WATCHPOINT;
  if (far) store<u64>(STATE + (target == 2 ? S_FAR_EL2 : S_FAR_EL1), load<u64>(STATE, S_FAULT_ADDRESS));
  if (target == 2 && (ec == EC_INSTRUCTION_ABORT || ec == EC_DATA_ABORT)) {
    store<u64>(STATE, (load<u64>(STATE, S_FAULT_IPA) >> 12) << 4, S_HPFAR_EL2);
  }
  // IL: the instruction was 32 bits wide, or there was none.
  store<u64>(STATE + (target == 2 ? S_ESR_EL2 : S_ESR_EL1), (klass << 26) | (1 << 25) | iss);
  take(target, VECTOR_SYNCHRONOUS, returnTo);
}

// --- Interrupts (Arm ARM D1.13) ---

/** Level that physical interrupts with routing bit `route` of HCR_EL2 go to. */
function interruptTarget(route: u64): u32 {
  return hasEl2() && hcr() & (route | HCR_TGE) ? 2 : 1;
}

/** Is a physical interrupt taken now? `mask`: its PSTATE bit. */
function unmasked(target: u32, mask: u32): bool {
  const el = currentEl();
  if (target > el) return target == 2 || !(load<u32>(STATE, S_DAIF) & mask);
  return target == el && !(load<u32>(STATE, S_DAIF) & mask);
}

/** Virtual interrupts exist below EL2 while physical ones of their kind are routed there. */
function virtualPending(route: u64, pending: u64): bool {
  const h = hcr();
  return currentEl() < 2 && !(h & HCR_TGE) && (h & route) != 0 && (h & pending) != 0;
}

/** A virtual interrupt that is not masked? */
function virtualTaken(route: u64, pending: u64, mask: u32): bool {
  return virtualPending(route, pending) && !(load<u32>(STATE, S_DAIF) & mask);
}

function takeSError(target: u32): void {
  store<u64>(STATE + (target == 2 ? S_ESR_EL2 : S_ESR_EL1), (EC_SERROR << 26) | (1 << 25));
  take(target, VECTOR_SERROR, load<u64>(STATE, S_PC));
}

/** Takes the most urgent interrupt that can be taken. */
export function takeInterrupt(): void {
  const pc = load<u64>(STATE, S_PC);
  const fiq = interruptTarget(HCR_FMO);
  const irq = interruptTarget(HCR_IMO);
  const serror = interruptTarget(HCR_AMO);
  if (load<u32>(STATE, S_FIQ) && unmasked(fiq, PSTATE_F)) take(fiq, VECTOR_FIQ, pc);
  else if (load<u32>(STATE, S_IRQ) && unmasked(irq, PSTATE_I)) take(irq, VECTOR_IRQ, pc);
  else if (load<u32>(STATE, S_SERROR) && unmasked(serror, PSTATE_A)) {
    store<u32>(STATE, 0, S_SERROR);
    takeSError(serror);
  } else if (virtualTaken(HCR_FMO, HCR_VF, PSTATE_F)) take(1, VECTOR_FIQ, pc);
  else if (virtualTaken(HCR_IMO, HCR_VI, PSTATE_I)) take(1, VECTOR_IRQ, pc);
  else if (virtualTaken(HCR_AMO, HCR_VSE, PSTATE_A)) {
    store<u64>(STATE, hcr() & ~HCR_VSE, S_HCR_EL2);
    takeSError(1);
  }
}

/** Does anything wait that ends WFI (Arm ARM D1.16.2)? Masks do not count. */
export function wakeUp(): bool {
  if (load<u32>(STATE, S_FIQ) | load<u32>(STATE, S_IRQ) | load<u32>(STATE, S_SERROR)) return true;
  return virtualPending(HCR_FMO, HCR_VF) || virtualPending(HCR_IMO, HCR_VI) || virtualPending(HCR_AMO, HCR_VSE);
}

/** ISR_EL1: what is pending, as the current level sees it (Arm ARM D13.2.72): bits 8 A, 7 I, 6 F. */
export function interruptStatus(): u32 {
  const virtual = currentEl() == 1 && hasEl2();
  let isr: u32 = 0;
  if (virtual && hcr() & HCR_FMO) isr |= u32((hcr() & HCR_VF) != 0) << 6;
  else if (load<u32>(STATE, S_FIQ)) isr |= PSTATE_F;
  if (virtual && hcr() & HCR_IMO) isr |= u32((hcr() & HCR_VI) != 0) << 7;
  else if (load<u32>(STATE, S_IRQ)) isr |= PSTATE_I;
  if (virtual && hcr() & HCR_AMO) isr |= u32((hcr() & HCR_VSE) != 0) << 8;
  else if (load<u32>(STATE, S_SERROR)) isr |= PSTATE_A;
  return isr;
}

// --- Exception return (Arm ARM D1.11) ---

/** Does SPSR value `spsr` name a state that ERET from level `from` may go to? */
function legalReturn(spsr: u32, from: u32): bool {
  if (spsr & PSTATE_NRW) return false;
  const el = (spsr >> 2) & 3;
  if (el > from || el == 3 || spsr & 2) return false;
  if (el == 0 && spsr & 1) return false;
  return !(el == 1 && hasEl2() && (hcr() & HCR_TGE) != 0);
}

/** ERET. S_PC is set. */
export function exceptionReturn(): void {
  const from = currentEl();
  const spsr: u32 = load<u32>(STATE + (from == 2 ? S_SPSR_EL2 : S_SPSR_EL1));
  const to = load<u64>(STATE + (from == 2 ? S_ELR_EL2 : S_ELR_EL1));
  const legal = legalReturn(spsr, from);
  const step = stepBitOnReturn(spsr, legal ? (spsr >> 2) & 3 : from);
  store<u32>(STATE, 0, S_EXCL_SIZE);
  store<u32>(STATE, 1, S_EVENT);
  if (legal) changeLevel((spsr >> 2) & 3, spsr & 1);
  let rest = spsr & (PSTATE_PAN | PSTATE_IL);
  // An illegal return stays where it is, with IL set: the next instruction faults.
  if (!legal) rest |= PSTATE_IL;
  store<u32>(STATE, rest | (step ? PSTATE_SS : 0), S_PSTATE);
  store<u32>(STATE, spsr & PSTATE_DAIF, S_DAIF);
  setNzcv(spsr);
  store<u64>(STATE, to, S_PC);
  updateMode();
}
