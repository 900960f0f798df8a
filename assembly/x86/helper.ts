// What most helpers of system instructions begin or end with.

import { STATE } from '../layout/memory';
import { CR4_UMIP, S_CPL, S_CR4, S_MODE, S_NEXT_RIP, S_RIP, SEG_BASE, SEG_FS } from '../layout/x86-state';
import { raiseGP } from './fault';
import { MODE_CODE, segSlot } from './mode';
import { segmentLinear } from './seglin';

/** The processor is in 64-bit mode (EFER.LMA and CS.L). */
export function in64BitMode(): bool {
  return (load<u32>(STATE, S_MODE) & MODE_CODE) == 3;
}

/** The instruction is done: RIP moves on. For helpers that end a block. */
export function finish(): void {
  store<u64>(STATE, load<u64>(STATE, S_NEXT_RIP), S_RIP);
}

/** Privileged instruction: #GP(0) unless CPL is 0. */
export function privileged(): bool {
  if (!load<u32>(STATE, S_CPL)) return true;
  raiseGP(0);
  return false;
}

/** The same as an operation of its own, before operands are loaded. */
export function requirePrivilege(_a: u32, _b: u32, _imm: u64): void {
  privileged();
}

/** SGDT, SIDT, SLDT, SMSW, STR under CR4.UMIP: #GP(0) unless CPL is 0 (SDM vol. 3, 2.5). */
export function requireUmip(_a: u32, _b: u32, _imm: u64): void {
  if (load<u32>(STATE, S_CR4) & CR4_UMIP) privileged();
}

/** Linear address of `offset` in segment `seg`, in any mode; raises #GP(0) or #SS(0) as segmentation wants. */
export function linearAddress(offset: u64, seg: u32, bytes: u32, write: bool): u64 {
  if (in64BitMode()) return seg >= <u32>SEG_FS ? offset + load<u64>(segSlot(seg), SEG_BASE) : offset;
  return segmentLinear(offset, seg, bytes, write);
}

/** RDX:RAX of an instruction that returns 64 bits in EDX:EAX. */
export function putPair(low: usize, high: usize, value: u64): void {
  store<u64>(STATE + low, value & 0xffffffff);
  store<u64>(STATE + high, value >> 32);
}
