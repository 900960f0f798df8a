// The x87 registers in the vCPU state: stack, tags, control and status word, pointers (SDM vol. 1, 8.1).
//
// In S_FTW the emulator keeps only what programs can observe of a tag between instructions: 3 is empty, anything else
// is not. FNSTENV and FNSAVE work out "zero" and "special" from the contents, as processors since the 80486 do.

import { STATE } from '../layout/memory';
import {
  CR0_NE,
  S_CR0,
  S_FCS,
  S_FCW,
  S_FDP,
  S_FDS,
  S_FIP,
  S_FOP,
  S_FPR,
  S_FSW,
  S_FTW,
  S_LAST_EA,
  S_MODE,
  SEG_CS,
  SEG_SELECTOR,
} from '../layout/x86-state';
import { EXC_MF, raise } from '../x86/fault';
import { MODE_CODE, segSlot } from '../x86/mode';

// Status word (SDM vol. 1, 8.1.3). The six exceptions have the same places in the control word, as masks.
export const FSW_IE: u32 = 0x1;
export const FSW_DE: u32 = 0x2;
export const FSW_ZE: u32 = 0x4;
export const FSW_OE: u32 = 0x8;
export const FSW_UE: u32 = 0x10;
export const FSW_PE: u32 = 0x20;
export const FSW_SF: u32 = 0x40;
export const FSW_ES: u32 = 0x80;
export const FSW_C0: u32 = 0x100;
export const FSW_C1: u32 = 0x200;
export const FSW_C2: u32 = 0x400;
export const FSW_C3: u32 = 0x4000;
export const FSW_B: u32 = 0x8000;
export const FSW_CC: u32 = 0x4700;
export const FSW_EXCEPTIONS: u32 = 0x3f;
const FSW_TOP: u32 = 0x3800;

/** Bits of the control word that exist; bit 6 always reads 1. */
export const FCW_BITS: u32 = 0x1f3f;
export const FCW_ALWAYS: u32 = 0x40;

export function fcw(): u32 {
  return load<u16>(STATE, S_FCW);
}

export function fsw(): u32 {
  return load<u16>(STATE, S_FSW);
}

export function setFsw(v: u32): void {
  store<u16>(STATE, v, S_FSW);
}

/** Rounding control: 0 nearest even, 1 down, 2 up, 3 toward zero. */
export function roundingControl(): u32 {
  return (fcw() >> 10) & 3;
}

export function top(): u32 {
  return (fsw() >> 11) & 7;
}

export function setTop(t: u32): void {
  setFsw((fsw() & ~FSW_TOP) | ((t & 7) << 11));
}

/** Address of ST(i): u64 significand, then u16 sign and exponent. */
export function st(i: u32): usize {
  return STATE + S_FPR + <usize>(((top() + i) & 7) << 4);
}

/** Where the tag of ST(i) stands in the tag word. */
function tagShift(i: u32): u32 {
  return ((top() + i) & 7) << 1;
}

function tagWord(): u32 {
  return load<u16>(STATE, S_FTW);
}

export function isEmpty(i: u32): bool {
  return ((tagWord() >> tagShift(i)) & 3) == 3;
}

export function markEmpty(i: u32): void {
  store<u16>(STATE, tagWord() | (3 << tagShift(i)), S_FTW);
}

function markFull(i: u32): void {
  store<u16>(STATE, tagWord() & ~(3 << tagShift(i)), S_FTW);
}

/** ST(i) = value; it is not empty any more. */
export function putSt(i: u32, se: u32, sig: u64): void {
  const at = st(i);
  store<u64>(at, sig);
  store<u64>(at, se & 0xffff, 8);
  markFull(i);
}

/** Makes a new ST(0). */
export function push(se: u32, sig: u64): void {
  setTop(top() - 1);
  putSt(0, se, sig);
}

export function pop(): void {
  markEmpty(0);
  setTop(top() + 1);
}

/** Sets or clears ES and B, which say that an unmasked exception is flagged. After a change of flags or masks. */
export function updateSummary(): void {
  const s = fsw();
  setFsw(s & ~fcw() & FSW_EXCEPTIONS ? s | FSW_ES | FSW_B : s & ~(FSW_ES | FSW_B));
}

/**
 * Does an unmasked exception wait to be reported (#MF) by the next waiting instruction? With CR0.NE clear a PC answers
 * to FERR# with IRQ 13 and asserts IGNNE#, and the processor goes on; without those pins, going on is all of it.
 */
export function pendingX87Exception(): bool {
  return (fsw() & FSW_ES) != 0 && (load<u32>(STATE, S_CR0) & CR0_NE) != 0;
}

/** Start of every waiting instruction; true when it ends here with #MF. */
export function waiting(): bool {
  if (!pendingX87Exception()) return false;
  raise(EXC_MF);
  return true;
}

/** Helper: the check alone, for MMX instructions and before operands that may fault. */
export function checkPending(_a: u32, _b: u32, _imm: u64): void {
  waiting();
}

// The immediate of a helper carries what is known of the instruction when it is lifted:
// bits 0–47 its address, 48–58 the opcode as FOP has it (bits 0–2 of the first byte, then ModRM).

export function packImm(rip: u64, opcode: u32, modrm: u32): u64 {
  return (rip & 0xffffffffffff) | ((<u64>(((opcode & 7) << 8) | modrm)) << 48);
}

export function immRm(imm: u64): u32 {
  return <u32>(imm >> 48) & 7;
}

export function immReg(imm: u64): u32 {
  return <u32>(imm >> 51) & 7;
}

/** Remembers this instruction in FIP, FCS, FOP. 64-bit mode has no FCS. */
export function record(imm: u64): void {
  store<u64>(STATE, <u64>(((<i64>imm) << 16) >> 16), S_FIP);
  store<u16>(STATE, <u32>(imm >> 48) & 0x7ff, S_FOP);
  const code64 = (load<u32>(STATE, S_MODE) & MODE_CODE) == 3;
  store<u16>(STATE, code64 ? 0 : load<u16>(segSlot(SEG_CS), SEG_SELECTOR), S_FCS);
}

/** The same for an instruction with a memory operand, at offset S_LAST_EA in segment `seg`. */
export function recordData(imm: u64, seg: u32): void {
  record(imm);
  store<u64>(STATE, load<u64>(STATE, S_LAST_EA), S_FDP);
  const code64 = (load<u32>(STATE, S_MODE) & MODE_CODE) == 3;
  store<u16>(STATE, code64 ? 0 : load<u16>(segSlot(seg), SEG_SELECTOR), S_FDS);
}
