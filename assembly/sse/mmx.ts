// What MMX instructions do to the x87 state that they share (SDM vol. 3, 13.2).

import { checkPending, setTop, waiting } from '../fpu/x87-state';
import { emitCall } from '../ir/emit';
import { LD_32, LD_64 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_FTW } from '../layout/x86-state';
import { dMod, dRm } from '../x86/decode';
import { emitLoad, temp } from '../x86/operand';
import { mmx } from './operands';

/** Helper: the x87 stack becomes MMX registers: TOP 0, no register empty. */
export function enterMmx(_a: u32, _b: u32, _imm: u64): void {
  setTop(0);
  store<u16>(STATE, 0, S_FTW);
}

/** Helper: the same, and register a = low 64 bits of slot b, exponent all ones. */
export function writeMmx(a: u32, b: u32, _imm: u64): void {
  const v = load<u64>(STATE + b);
  enterMmx(0, 0, 0);
  store<u64>(STATE + a, v);
  store<u64>(STATE + a, 0xffff, 8);
}

/** Helper: EMMS: all registers empty, TOP 0 (SDM vol. 3, table 13-2). */
export function emptyMmx(_a: u32, _b: u32, _imm: u64): void {
  if (waiting()) return;
  setTop(0);
  store<u16>(STATE, 0xffff, S_FTW);
}

/** #MF if an x87 exception waits, before anything else happens. */
export function emitCheckMmx(): void {
  emitCall(checkPending.index, 0, 0, 0);
}
export function emitEnterMmx(): void {
  emitCall(enterMmx.index, 0, 0, 0);
}
/** MMX register n = low 64 bits of `slot`. */
export function emitWriteMmx(n: u32, slot: u32): void {
  emitCall(writeMmx.index, mmx(n), slot, 0);
}

/** MMX register or 8 bytes of memory. */
export function mmxSource(): u32 {
  if (dMod == 3) return mmx(dRm);
  const t = temp();
  emitLoad(LD_64, t, 8);
  return t;
}
/** The same with 4 bytes of memory. */
export function mmxSource32(): u32 {
  if (dMod == 3) return mmx(dRm);
  const t = temp();
  emitLoad(LD_32, t, 4);
  return t;
}
