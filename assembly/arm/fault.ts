// Raising synchronous exceptions (Arm ARM D1.10). A helper that raises one returns at once; whoever called it asks
// faulted(). Taking the exception is the run loop's part (exception.ts).

import { S_FAULT, S_FAULT_ADDRESS, S_FAULT_CODE, S_FAULT_IPA, S_FAULT_TARGET } from '../layout/arm-state';
import { STATE } from '../layout/memory';

// Exception classes (ESR_ELx.EC, Arm ARM D13.2.37).
export const EC_UNKNOWN: u32 = 0x00;
/** WFI or WFE trapped. */
export const EC_WFX: u32 = 0x01;
/** Access to SIMD or floating point trapped by CPACR_EL1 or CPTR_EL2. */
export const EC_FP: u32 = 0x07;
/** Illegal execution state. */
export const EC_ILLEGAL: u32 = 0x0e;
export const EC_SVC: u32 = 0x15;
export const EC_HVC: u32 = 0x16;
/** SMC trapped to EL2. */
export const EC_SMC: u32 = 0x17;
/** MSR, MRS or a system instruction trapped. */
export const EC_SYSTEM: u32 = 0x18;
/** Aborts: from a lower level; + 1: from the same. */
export const EC_INSTRUCTION_ABORT: u32 = 0x20;
export const EC_PC_ALIGNMENT: u32 = 0x22;
export const EC_DATA_ABORT: u32 = 0x24;
export const EC_SP_ALIGNMENT: u32 = 0x26;
export const EC_SERROR: u32 = 0x2f;
/** Debug exceptions: from a lower level; + 1: from the same. */
export const EC_BREAKPOINT: u32 = 0x30;
export const EC_STEP: u32 = 0x32;
export const EC_WATCHPOINT: u32 = 0x34;
export const EC_BRK: u32 = 0x3c;

/** S_FAULT_TARGET: the exception goes where exceptions of its kind go. */
export const TARGET_USUAL: u32 = 0xff;

/** An exception is being raised: the caller must stop, having committed nothing. */
export function faulted(): bool {
  return load<u32>(STATE, S_FAULT) != 0;
}

export function clearFault(): void {
  store<u32>(STATE, 0, S_FAULT);
}

/** Raises an exception of class `ec` with syndrome `iss`. The first one raised by an instruction wins. */
export function raiseException(ec: u32, iss: u32): void {
  raiseTo(ec, iss, TARGET_USUAL);
}

/** The same to exception level `target`. */
export function raiseTo(ec: u32, iss: u32, target: u32): void {
  if (faulted()) return;
  store<u32>(STATE, ec + 1, S_FAULT);
  store<u32>(STATE, iss, S_FAULT_CODE);
  store<u32>(STATE, target, S_FAULT_TARGET);
}

/** Raises one that reports `address` in FAR_ELx: aborts, PC alignment, watchpoints. */
export function raiseAt(ec: u32, iss: u32, address: u64, target: u32): void {
  if (faulted()) return;
  raiseTo(ec, iss, target);
  store<u64>(STATE, address, S_FAULT_ADDRESS);
}

/** Raises an abort of stage 2, which goes to EL2 and reports the intermediate physical address in HPFAR_EL2. */
export function raiseStage2(ec: u32, iss: u32, address: u64, ipa: u64): void {
  if (faulted()) return;
  raiseAt(ec, iss, address, 2);
  store<u64>(STATE, ipa, S_FAULT_IPA);
}

/** Undefined instruction. */
export function raiseUndefined(): void {
  raiseException(EC_UNKNOWN, 0);
}

/** A load or store at an address that is not aligned as the instruction wants (DFSC 0b100001). */
export function raiseAlignment(address: u64, write: bool): void {
  raiseAt(EC_DATA_ABORT, 0x21 | (u32(write) << 6), address, TARGET_USUAL);
}

/** SP is the base of an access and not a multiple of 16. */
export function raiseStackAlignment(): void {
  raiseException(EC_SP_ALIGNMENT, 0);
}

/** OP_RAISE: class in bits 7–0, target in 15–8, syndrome in the upper half. */
export function raisePacked(imm: u64): void {
  raiseTo(<u32>imm & 0xff, <u32>(imm >> 32), <u32>(imm >> 8) & 0xff);
}

/** Nothing answers at the physical address: synchronous external abort. */
export function raiseExternalAbort(address: u64, write: bool): void {
  raiseAt(EC_DATA_ABORT, 0x10 | (u32(write) << 6), address, TARGET_USUAL);
}
