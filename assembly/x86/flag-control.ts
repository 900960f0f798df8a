// Instructions that move whole flag images or single flags: PUSHF, POPF, CLI, STI, LAHF, SAHF, CLC, STC, CMC, STAC, CLAC.

import { getFlags, setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import {
  FLAG_AC,
  FLAG_CF,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_OF,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
  FLAGS_ARITH,
  S_CPL,
  S_INT_SHADOW,
  S_RAX,
  S_RFLAGS,
  SHADOW_STI,
} from '../layout/x86-state';
import { noticeInterrupts, readEflags, writeEflags } from './eflags';
import { EXC_UD, raise, raiseGP } from './fault';
import { finish } from './helper';
import { updateMode } from './mode';

/** EFLAGS.IOPL, 0–3. */
export function ioPrivilege(): u32 {
  return (load<u32>(STATE, S_RFLAGS) & FLAG_IOPL) >> 12;
}

/** v8086 mode without IOPL 3 traps PUSHF, POPF, CLI, STI and INT n: #GP(0) (SDM vol. 3, 22.2.2). */
export function requireV86Iopl(_a: u32, _b: u32, _imm: u64): void {
  if (load<u32>(STATE, S_RFLAGS) & FLAG_VM && ioPrivilege() != 3) raiseGP(0);
}

/** PUSHF: the image goes to slot a; VM and RF are pushed as 0. */
export function flagsImage(a: u32, _b: u32, _imm: u64): void {
  store<u64>(STATE + <usize>a, <u64>(readEflags() & ~(FLAG_VM | FLAG_RF)));
}

/** POPF: slot a holds what was popped, b = operand size. Flags that the CPL does not let change stay (SDM vol. 2B, POPF). */
export function popFlags(a: u32, b: u32, _imm: u64): void {
  const image = load<u32>(STATE + <usize>a);
  const cpl = load<u32>(STATE, S_CPL);
  let mask: u32 = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
  if (b != 1) mask |= FLAG_AC | FLAG_ID;
  if (cpl == 0) mask |= FLAG_IOPL;
  if (cpl <= ioPrivilege()) mask |= FLAG_IF;
  // RF is cleared, whatever was popped.
  writeEflags(image & ~FLAG_RF, mask | FLAG_RF);
  updateMode();
  finish();
}

/** CLI and STI need CPL ≤ IOPL in protected mode, IOPL 3 in v8086 mode. VME and PVI are not implemented. */
function mayChangeIf(): bool {
  if (load<u32>(STATE, S_CPL) <= ioPrivilege()) return true;
  raiseGP(0);
  return false;
}

export function clearInterruptFlag(_a: u32, _b: u32, _imm: u64): void {
  if (!mayChangeIf()) return;
  store<u64>(STATE, load<u64>(STATE, S_RFLAGS) & ~(<u64>FLAG_IF), S_RFLAGS);
}

/** STI: interrupts stay blocked for one more instruction if they were so before. Ends the block. */
export function setInterruptFlag(_a: u32, _b: u32, _imm: u64): void {
  if (!mayChangeIf()) return;
  const flags = load<u64>(STATE, S_RFLAGS);
  if (!(flags & FLAG_IF)) store<u32>(STATE, SHADOW_STI, S_INT_SHADOW);
  store<u64>(STATE, flags | FLAG_IF, S_RFLAGS);
  noticeInterrupts();
  finish();
}

const AH: usize = S_RAX + 1;
/** SF ZF AF PF CF: what AH carries. */
const AH_FLAGS: u32 = 0xd5;

export function loadAh(_a: u32, _b: u32, _imm: u64): void {
  store<u8>(STATE, (getFlags() & AH_FLAGS) | 2, AH);
}

export function storeAh(_a: u32, _b: u32, _imm: u64): void {
  setFlags((getFlags() & FLAG_OF) | (load<u8>(STATE, AH) & AH_FLAGS));
}

/** CLC, STC, CMC: CF = (CF & a) ^ b. */
export function changeCarry(a: u32, b: u32, _imm: u64): void {
  const flags = getFlags();
  setFlags((flags & ~FLAG_CF) | ((flags & FLAG_CF & a) ^ b));
}

/** CLAC (imm 0), STAC (imm 1): #UD unless CPL is 0. Ends the block. */
export function changeAc(_a: u32, _b: u32, imm: u64): void {
  if (load<u32>(STATE, S_CPL)) {
    raise(EXC_UD);
    return;
  }
  const flags = load<u64>(STATE, S_RFLAGS) & ~(<u64>FLAG_AC);
  store<u64>(STATE, imm ? flags | FLAG_AC : flags, S_RFLAGS);
  updateMode();
  finish();
}
