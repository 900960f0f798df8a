// Raising exceptions (SDM vol. 3, ch. 7). A helper that raises one returns at once; whoever called it asks faulted().

import { STATE } from '../layout/memory';
import { S_CR2, S_FAULT, S_FAULT_CODE, S_FAULT_HAS_CODE } from '../layout/x86-state';

export const EXC_DE: u32 = 0;
export const EXC_DB: u32 = 1;
export const EXC_NMI: u32 = 2;
export const EXC_BP: u32 = 3;
export const EXC_OF: u32 = 4;
export const EXC_BR: u32 = 5;
export const EXC_UD: u32 = 6;
export const EXC_NM: u32 = 7;
export const EXC_DF: u32 = 8;
export const EXC_TS: u32 = 10;
export const EXC_NP: u32 = 11;
export const EXC_SS: u32 = 12;
export const EXC_GP: u32 = 13;
export const EXC_PF: u32 = 14;
export const EXC_MF: u32 = 16;
export const EXC_AC: u32 = 17;
export const EXC_MC: u32 = 18;
export const EXC_XM: u32 = 19;

/** An exception is being raised: the caller must stop, having committed nothing. */
export function faulted(): bool {
  return load<u32>(STATE, S_FAULT) != 0;
}

/** Raises an exception without an error code. The first one raised by an instruction wins. */
export function raise(vector: u32): void {
  if (faulted()) return;
  store<u32>(STATE, vector + 1, S_FAULT);
  store<u32>(STATE, 0, S_FAULT_CODE);
  store<u32>(STATE, 0, S_FAULT_HAS_CODE);
}

/** Raises an exception with an error code. */
export function raiseCode(vector: u32, code: u32): void {
  if (faulted()) return;
  store<u32>(STATE, vector + 1, S_FAULT);
  store<u32>(STATE, code, S_FAULT_CODE);
  store<u32>(STATE, 1, S_FAULT_HAS_CODE);
}

/** #GP(code). */
export function raiseGP(code: u32): void {
  raiseCode(EXC_GP, code);
}

/** #PF: CR2 gets the linear address (SDM vol. 3, 5.7). */
export function raisePF(linear: u64, code: u32): void {
  if (faulted()) return;
  store<u64>(STATE, linear, S_CR2);
  raiseCode(EXC_PF, code);
}

export function clearFault(): void {
  store<u32>(STATE, 0, S_FAULT);
}
