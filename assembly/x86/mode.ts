// The part of the state that decides how instructions are decoded and lifted: it is in every block's key.

import { STATE } from '../layout/memory';
import {
  CR0_AM,
  CR0_EM,
  CR0_PE,
  CR0_TS,
  CR4_OSFXSR,
  CR4_SMAP,
  EFER_LMA,
  FLAG_AC,
  FLAG_TF,
  FLAG_VM,
  S_CPL,
  S_CR0,
  S_CR4,
  S_DR7,
  S_EFER,
  S_MODE,
  S_RFLAGS,
  S_SEG,
  S_WRAP32,
  SEG_ATTR,
  SEG_BASE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_LIMIT,
  SEG_SIZE,
  SEG_SS,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { TLB_SUPERVISOR, TLB_SUPERVISOR_AC, TLB_USER, useTable } from '../mmu/tlb';

/** Default operand size: log2 of bytes, 1 (16-bit code), 2 (32-bit), 3 (64-bit mode). */
export const MODE_CODE: u32 = 3;
/** The stack pointer is 32 bits wide (SS.B). */
export const MODE_STACK32: u32 = 1 << 2;
/** CPL 3. */
export const MODE_USER: u32 = 1 << 3;
/** DS, ES and SS are flat: base 0, 4 GiB, writable (or 64-bit mode): no segment checks needed. */
export const MODE_FLAT: u32 = 1 << 4;
/** CS has base 0 and limit 4 GiB (or 64-bit mode). */
export const MODE_FLAT_CS: u32 = 1 << 5;
/** Virtual-8086 mode. */
export const MODE_VM86: u32 = 1 << 6;
/** CR0.PE. */
export const MODE_PROTECTED: u32 = 1 << 7;
/** EFLAGS.TF or enabled breakpoints in DR7: one instruction a block, looked at after each. */
export const MODE_SINGLE: u32 = 1 << 8;
/** x87 instructions raise #NM (CR0.EM or CR0.TS). */
export const MODE_NO_X87: u32 = 1 << 9;
/** SSE instructions raise #UD (CR0.EM, or CR4.OSFXSR clear). */
export const MODE_NO_SSE: u32 = 1 << 10;
/** CR0.TS: SSE instructions raise #NM. */
export const MODE_TS: u32 = 1 << 11;
/** Alignment checks are on: CPL 3, CR0.AM, EFLAGS.AC. */
export const MODE_ALIGN: u32 = 1 << 12;
/** EFER.LMA: long mode, 64-bit or compatibility. */
export const MODE_LONG: u32 = 1 << 13;
/** CR0.EM: x87 instructions, WAIT excepted, raise #NM; MMX raises #UD. */
export const MODE_EM: u32 = 1 << 14;

/** State slot of a segment register. */
export function segSlot(seg: u32): usize {
  return STATE + S_SEG + <usize>seg * SEG_SIZE;
}

function flatData(seg: u32): bool {
  const s = segSlot(seg);
  // Readable or writable data, expand-up, present: type 2 or 3 (S = 1, P = 1).
  return (
    load<u64>(s, SEG_BASE) == 0 &&
    load<u32>(s, SEG_LIMIT) == 0xffffffff &&
    !load<u32>(s, SEG_UNUSABLE) &&
    (load<u16>(s, SEG_ATTR) & 0x9e) == 0x92
  );
}

/** Works out S_MODE, S_CPL's users, S_TLB and S_WRAP32 again. Call after any change to CS, SS, DS, ES, CR0, CR4, EFER,
 *  DR7, CPL, or EFLAGS.VM, TF, AC. */
export function updateMode(): void {
  const cr0 = load<u32>(STATE, S_CR0);
  const cr4 = load<u32>(STATE, S_CR4);
  const flags = load<u32>(STATE, S_RFLAGS);
  const cpl = load<u32>(STATE, S_CPL);
  const cs = segSlot(SEG_CS);
  const csAttr = load<u16>(cs, SEG_ATTR);
  const long = (load<u32>(STATE, S_EFER) & EFER_LMA) != 0;
  const code64 = long && (csAttr & 0x2000) != 0;

  let mode: u32 = code64 ? 3 : csAttr & 0x4000 ? 2 : 1;
  if (load<u16>(segSlot(SEG_SS), SEG_ATTR) & 0x4000) mode |= MODE_STACK32;
  if (cpl == 3) mode |= MODE_USER;
  if (code64) mode |= MODE_FLAT | MODE_FLAT_CS;
  else {
    if (flatData(SEG_DS) && flatData(SEG_ES) && flatData(SEG_SS)) mode |= MODE_FLAT;
    if (load<u64>(cs, SEG_BASE) == 0 && load<u32>(cs, SEG_LIMIT) == 0xffffffff) mode |= MODE_FLAT_CS;
  }
  if (flags & FLAG_VM) mode |= MODE_VM86;
  if (cr0 & CR0_PE) mode |= MODE_PROTECTED;
  if (flags & FLAG_TF || load<u32>(STATE, S_DR7) & 0xff) mode |= MODE_SINGLE;
  if (cr0 & (CR0_EM | CR0_TS)) mode |= MODE_NO_X87;
  if (cr0 & CR0_EM) mode |= MODE_EM;
  if (cr0 & CR0_EM || !(cr4 & CR4_OSFXSR)) mode |= MODE_NO_SSE;
  if (cr0 & CR0_TS) mode |= MODE_TS;
  if (cpl == 3 && cr0 & CR0_AM && flags & FLAG_AC) mode |= MODE_ALIGN;
  if (long) mode |= MODE_LONG;
  store<u32>(STATE, mode, S_MODE);
  store<u32>(STATE, code64 ? 0 : 1, S_WRAP32);

  const table = cpl == 3 ? TLB_USER : cr4 & CR4_SMAP && flags & FLAG_AC ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
  useTable(table);
}
