// Port I/O: IN, OUT, INS, OUTS (SDM vol. 1, ch. 19).

import { STATE } from '../layout/memory';
import {
  CR0_PE,
  FLAG_DF,
  FLAG_IF,
  FLAG_TF,
  FLAG_VM,
  S_CPL,
  S_CR0,
  S_EXIT_REQUEST,
  S_INTR,
  S_KICK,
  S_NMI_PENDING,
  S_RAX,
  S_RCX,
  S_RDI,
  S_RDX,
  S_RFLAGS,
  S_RSI,
  SEG_ATTR,
  SEG_BASE,
  SEG_ES,
  SEG_LIMIT,
  SEG_TR,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { probeWrite, read8, read16, read32, sysRead8, sysRead16, write8, write16, write32 } from '../mmu/access';
import { getSlot, maskOf, putSlot } from './arith';
import { checkIoBreakpoint } from './debug';
import { faulted, raiseGP } from './fault';
import { ioPrivilege } from './flag-control';
import { finish, in64BitMode, linearAddress } from './helper';
import { pioRead, pioWrite } from './host';
import { segSlot } from './mode';
import { DEVICE_CALL, worked } from './work';

/** Type of a 32-bit or 64-bit TSS, busy bit masked out. */
const TYPE_TSS: u32 = 9;
/** Offset of the I/O map base in such a TSS. */
const TSS_IO_MAP: u64 = 102;
/** Elements of a repeated instruction before interrupts get their turn. */
const BATCH: u32 = 4096;

function taskStateAddress(offset: u64): u64 {
  const linear = load<u64>(segSlot(SEG_TR), SEG_BASE) + offset;
  return in64BitMode() ? linear : linear & 0xffffffff;
}

/** Do the bits of the I/O permission bitmap allow all `size` ports from `port` on? (SDM vol. 1, 19.5.2.) */
function bitmapAllows(port: u32, size: u32): bool {
  const tr = segSlot(SEG_TR);
  const limit = load<u32>(tr, SEG_LIMIT);
  const type = load<u16>(tr, SEG_ATTR) & 0xd;
  if (load<u32>(tr, SEG_UNUSABLE) || type != TYPE_TSS || limit < <u32>TSS_IO_MAP + 1) return false;
  const map = sysRead16(taskStateAddress(TSS_IO_MAP));
  if (faulted()) return false;
  // Two bytes are always read, even if the bits lie in the first: both must be within the limit.
  const at = map + (port >> 3);
  if (at + 1 > limit) return false;
  const low = sysRead8(taskStateAddress(at));
  if (faulted()) return false;
  const high = sysRead8(taskStateAddress(at + 1));
  if (faulted()) return false;
  return !(((low | (high << 8)) >> (port & 7)) & ((1 << size) - 1));
}

/** #GP(0) (or a page fault from the bitmap) unless these ports may be used. `size` in bytes. */
function portAllowed(port: u32, size: u32): bool {
  const v86 = (load<u32>(STATE, S_RFLAGS) & FLAG_VM) != 0;
  if (!(load<u32>(STATE, S_CR0) & CR0_PE)) return true;
  if (!v86 && load<u32>(STATE, S_CPL) <= ioPrivilege()) return true;
  if (bitmapAllows(port, size)) return true;
  if (!faulted()) raiseGP(0);
  return false;
}

/** Port number: the immediate, or DX where imm bit 8 is set. */
function portOf(imm: u64): u32 {
  return imm & 0x100 ? load<u16>(STATE, S_RDX) : <u32>imm & 0xff;
}

function readPort(port: u32, size: u32): u32 {
  const v = pioRead(port, 1 << size);
  worked(DEVICE_CALL);
  checkIoBreakpoint(port, 1 << size);
  return v;
}

function writePort(port: u32, size: u32, value: u32): void {
  pioWrite(port, 1 << size, value);
  worked(DEVICE_CALL);
  checkIoBreakpoint(port, 1 << size);
}

/** IN: a = size (log2), imm = port. */
export function portIn(a: u32, _b: u32, imm: u64): void {
  const port = portOf(imm);
  if (!portAllowed(port, 1 << a)) return;
  putSlot(S_RAX, a, readPort(port, a));
  finish();
}

/** OUT: a = size (log2), imm = port. */
export function portOut(a: u32, _b: u32, imm: u64): void {
  const port = portOf(imm);
  if (!portAllowed(port, 1 << a)) return;
  writePort(port, a, <u32>getSlot(S_RAX, a));
  finish();
}

/** One element of INS. The memory is probed first: a device read cannot be taken back. */
function stringIn(port: u32, size: u32, addr: u32): void {
  const at = linearAddress(getSlot(S_RDI, addr), SEG_ES, 1 << size, true);
  if (faulted() || !probeWrite(at, 1 << size)) return;
  const v = readPort(port, size);
  if (size == 0) write8(at, v);
  else if (size == 1) write16(at, v);
  else write32(at, v);
}

/** One element of OUTS. */
function stringOut(port: u32, size: u32, addr: u32, seg: u32): void {
  const at = linearAddress(getSlot(S_RSI, addr), seg, 1 << size, false);
  if (faulted()) return;
  const v = size == 0 ? read8(at) : size == 1 ? read16(at) : read32(at);
  if (!faulted()) writePort(port, size, v);
}

/** Must a repeated instruction pause here, for an interrupt, a request to stop, or a single-step trap? */
function disturbed(): bool {
  const flags = load<u32>(STATE, S_RFLAGS);
  if (flags & FLAG_TF || load<u32>(STATE, S_KICK) | load<u32>(STATE, S_EXIT_REQUEST) | load<u32>(STATE, S_NMI_PENDING))
    return true;
  return load<u32>(STATE, S_INTR) != 0 && (flags & FLAG_IF) != 0;
}

/**
 * INS (imm bit 0 clear), OUTS (set): a = size, b = address size (both log2), imm bit 1: REP, imm >> 4: source segment.
 * A REP that is not finished leaves RIP at the instruction, which goes on when it is executed again.
 */
export function portString(a: u32, b: u32, imm: u64): void {
  const rep = (imm & 2) != 0;
  if (rep && getSlot(S_RCX, b) == 0) {
    finish();
    return;
  }
  const port = <u32>load<u16>(STATE, S_RDX);
  if (!portAllowed(port, 1 << a)) return;
  const out = (imm & 1) != 0;
  const pointer = out ? S_RSI : S_RDI;
  const step: u64 = load<u32>(STATE, S_RFLAGS) & FLAG_DF ? -((<u64>1) << (<u64>a)) : (<u64>1) << (<u64>a);
  for (let n: u32 = 0; n < BATCH; n++) {
    if (out) stringOut(port, a, b, <u32>imm >> 4);
    else stringIn(port, a, b);
    if (faulted()) return;
    putSlot(pointer, b, (getSlot(pointer, b) + step) & maskOf(b));
    if (!rep) {
      finish();
      return;
    }
    putSlot(S_RCX, b, getSlot(S_RCX, b) - 1);
    if (getSlot(S_RCX, b) == 0) {
      finish();
      return;
    }
    if (disturbed()) return;
  }
}
