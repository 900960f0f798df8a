// Operands of MMX and SSE instructions: registers, mandatory prefixes, loads and stores.

import { emit, emitVec } from '../ir/emit';
import {
  LD_32,
  LD_64,
  LD_128,
  LD_128_ALIGNED,
  LD_Z16,
  OP_MOV128,
  SIZE32,
  SIZE64,
  ST_128,
  ST_128_ALIGNED,
} from '../ir/ops';
import { S_FPR, S_XMM } from '../layout/x86-state';
import { dMod, dOpPrefix, dReg, dRep, dRex, dRm } from '../x86/decode';
import { emitLoad, emitLoad128, emitStoreForm, temp } from '../x86/operand';

// Mandatory prefix, as it chooses the form of floating-point instructions. F2 and F3 beat 66.
export const FORM_PS: u32 = 0;
export const FORM_PD: u32 = 1;
export const FORM_SS: u32 = 2;
export const FORM_SD: u32 = 3;

export function form(): u32 {
  if (dRep) return dRep == 0xf3 ? FORM_SS : FORM_SD;
  return dOpPrefix ? FORM_PD : FORM_PS;
}

export const UNIT_NONE: u32 = 0;
export const UNIT_SSE: u32 = 1;
export const UNIT_MMX: u32 = 2;
/** Which unit the instruction needs: decides between #UD and #NM when the system has it turned off. */
export let unit: u32 = UNIT_SSE;
export function setUnit(u: u32): void {
  unit = u;
}

/** Slot of an XMM register. */
export function xmm(n: u32): u32 {
  return S_XMM + (n << 4);
}
/** Slot of an MMX register; REX.R and REX.B do not reach it. */
export function mmx(n: u32): u32 {
  return S_FPR + ((n & 7) << 4);
}
/** Slot of the register in ModRM.reg. */
export function xmmReg(): u32 {
  return xmm(dReg);
}

/** Size of a general register operand: 64 bits with REX.W, else 32, whatever the operand-size prefix. */
export function gprSize(): u32 {
  return dRex & 8 ? SIZE64 : SIZE32;
}

/** XMM register or 128 bits of memory, which most instructions want aligned. */
export function source128(): u32 {
  return dMod == 3 ? xmm(dRm) : emitLoad128(true);
}
export function source128Unaligned(): u32 {
  return dMod == 3 ? xmm(dRm) : emitLoad128(false);
}
/** XMM register (its low part) or 8, 4, 2 bytes of memory. */
export function source64(): u32 {
  return dMod == 3 ? xmm(dRm) : load64();
}
export function source32(): u32 {
  return dMod == 3 ? xmm(dRm) : load32();
}
export function source16(): u32 {
  if (dMod == 3) return xmm(dRm);
  const t = temp();
  emitLoad(LD_Z16, t, 2);
  return t;
}
/** 8 or 4 bytes of memory in a temporary. */
export function load64(): u32 {
  const t = temp();
  emitLoad(LD_64, t, 8);
  return t;
}
export function load32(): u32 {
  const t = temp();
  emitLoad(LD_32, t, 4);
  return t;
}
/** Source of an instruction of form PS, PD, SS or SD. */
export function sourceOf(f: u32): u32 {
  return f == FORM_SS ? source32() : f == FORM_SD ? source64() : source128();
}

/** ModRM.reg = 128 bits of r/m. */
export function moveLoad(aligned: bool): void {
  if (dMod == 3) emit(OP_MOV128, xmm(dReg), xmm(dRm), 0, 0);
  else emitLoad(aligned ? LD_128_ALIGNED : LD_128, xmm(dReg), 16);
}

/** 128 bits of r/m = ModRM.reg. */
export function moveStore(aligned: bool): void {
  const op = aligned ? ST_128_ALIGNED : ST_128;
  if (dMod == 3) emit(OP_MOV128, xmm(dRm), xmm(dReg), 0, 0);
  else emitStoreForm(op, xmm(dReg), 16);
}

/** reg = kind(reg, source). */
export function emitBinary(kind: u32, source: u32, imm: u32): void {
  emitVec(kind, xmm(dReg), xmm(dReg), source, imm);
}
/** reg = kind(source). */
export function emitUnary(kind: u32, source: u32, imm: u32): void {
  emitVec(kind, xmm(dReg), source, source, imm);
}
