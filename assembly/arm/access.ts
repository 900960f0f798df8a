// Addresses of loads and stores, and the checks that go before them.

import { emit, emitMem, opCount, SCRATCH_OPS } from '../ir/emit';
import {
  ALIGN_LOAD,
  ALIGN_STACK,
  ALIGN_STORE,
  ALU_ADD,
  ALU_IMM,
  OP_ALIGN,
  OP_BYTES,
  OP_LEA64,
  SIZE64,
} from '../ir/ops';
import { S_SP, S_ZERO } from '../layout/arm-state';
import { MODE_ALIGN, MODE_EL_SHIFT, MODE_SP_ALIGN } from './mode';
import { liftMode, quiet } from './operands';
import { spSlot, tempSlot } from './slots';

/** The temporary that addresses to be checked are formed in. */
const ADDRESS_TEMP: u32 = 8;

// The address of the access being lifted, as emitMem() takes it.
export let aBase: u32 = 0;
export let aIndex: u32 = 0;
export let aShift: u32 = 0;
export let aDisp: i32 = 0;

/** Has this block found the stack pointer aligned, and only moved it by multiples of 16 since? */
function stackKnownAligned(): bool {
  for (let i = <i32>opCount() - 1; i >= 0; i--) {
    const at = SCRATCH_OPS + <usize>i * OP_BYTES;
    const op: u32 = load<u16>(at);
    if (op == OP_ALIGN && load<u16>(at, 6) == ALIGN_STACK) return true;
    if (load<u16>(at, 2) != <u16>S_SP) continue;
    const moved = op == (quiet(ALU_ADD, SIZE64) | ALU_IMM) && load<u16>(at, 4) == <u16>S_SP;
    if (!moved || load<u64>(at, 8) & 15) return false;
  }
  return false;
}

/** SP as a base has to be a multiple of 16 (Arm ARM D1.8.2), looked at before anything else. */
function checkStack(n: u32): void {
  if (n == 31 && liftMode() & MODE_SP_ALIGN && !stackKnownAligned()) emit(OP_ALIGN, 0, S_SP, ALIGN_STACK, 16);
}

/** Base register n (31: SP) plus a displacement. */
export function addressAt(n: u32, disp: i32): void {
  checkStack(n);
  aBase = spSlot(n);
  aIndex = S_ZERO;
  aShift = 0;
  aDisp = disp;
}

/** Base register n plus the register in slot `index`, shifted. */
export function addressIndexed(n: u32, index: u32, shift: u32): void {
  addressAt(n, 0);
  aIndex = index;
  aShift = shift;
}

/** The address in slot `slot`, which is no register that the guest can name. */
export function addressInSlot(slot: u32): void {
  aBase = slot;
  aIndex = S_ZERO;
  aShift = 0;
  aDisp = 0;
}

/** For accesses that have to be aligned whatever SCTLR_ELx.A says; the address is a register without displacement. */
export function emitAligned(bytes: u32, write: bool): void {
  if (bytes > 1) emit(OP_ALIGN, 0, aBase, write ? ALIGN_STORE : ALIGN_LOAD, bytes);
}

/** SCTLR_ELx.A: every access has to be aligned to its `unit` bytes. */
export function checkAlignment(unit: u32, write: bool): void {
  if (unit < 2 || !(liftMode() & MODE_ALIGN)) return;
  if (aIndex != S_ZERO || aDisp) {
    const t = tempSlot(ADDRESS_TEMP);
    emitMem(OP_LEA64, t, aBase, aIndex, aShift, aDisp);
    addressInSlot(t);
  }
  emitAligned(unit, write);
}

/** A load or store (OP_LD…, OP_ST…, OP_LDP…) of slot d at the address. */
export function emitAccess(op: u32, d: u32): void {
  emitMem(op, d, aBase, aIndex, aShift, aDisp);
}

/** Exception level that is lifted for. */
export function liftLevel(): u32 {
  return (liftMode() >> MODE_EL_SHIFT) & 3;
}
