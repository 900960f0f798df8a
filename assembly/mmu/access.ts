// Guest memory as instructions see it: linear addresses, current rights, exact faults.

import { raiseExternalAbort } from '../arm/fault';
import { translate as translateArm } from '../arm/mmu';
import { checkWatchpoints } from '../arm/watchpoint';
import { codeWritten } from '../ir/blocks';
import { S_BUS_ERROR } from '../layout/arm-state';
import { PAGE_HAS_CODE, PAGE_KIND_MASK, PAGE_MMIO, PAGE_RAM, STATE } from '../layout/memory';
import { EFER_LMA, S_EFER, S_TLB, S_WRAP32 } from '../layout/x86-state';
import { checkDataBreakpoint } from '../x86/debug';
import { faulted } from '../x86/fault';
import { mmioRead, mmioWrite } from '../x86/host';
import { DEVICE_CALL, worked } from '../x86/work';
import { hostOf, loadSized, pageInfoAt, storeSized } from './frame';
import { TLB_ADDEND, TLB_READ, TLB_SUPERVISOR, TLB_WRITE, tlbEntry, tlbTable } from './tlb';
import { ACCESS_READ, ACCESS_WRITE, isCanonical, translate as translateX86 } from './walk';

/** Physical address of a linear one; raises the fault that the access makes, and then returns 0. */
export function translate(linear: u64, access: u32, table: u32): u64 {
  return ISA_AARCH64 ? translateArm(linear, access, table) : translateX86(linear, access, table);
}

/** Page-info word of a physical address. Addresses past 4 GiB have no memory. */
export function pageInfo(phys: u64): u32 {
  if (phys >> 32) return PAGE_MMIO;
  return load<u32>(pageInfoAt(<u32>phys));
}

function physRead(phys: u64, size: u32): u64 {
  if ((pageInfo(phys) & PAGE_KIND_MASK) != PAGE_MMIO) return loadSized(hostOf(phys), size);
  if (phys >> 32) {
    if (ISA_AARCH64) store<u32>(STATE, 1, S_BUS_ERROR);
    return u64.MAX_VALUE >> (64 - (size << 3));
  }
  worked(DEVICE_CALL);
  if (size < 8) return mmioRead(<u32>phys, size);
  const low = mmioRead(<u32>phys, 4);
  return <u64>low | ((<u64>mmioRead(<u32>phys + 4, 4)) << 32);
}

function physWrite(phys: u64, size: u32, value: u64): void {
  const info = pageInfo(phys);
  const kind = info & PAGE_KIND_MASK;
  if (kind == PAGE_RAM) {
    if (info & PAGE_HAS_CODE) codeWritten(<u32>phys, size);
    storeSized(hostOf(phys), size, value);
  } else if (ISA_AARCH64 && phys >> 32) store<u32>(STATE, 1, S_BUS_ERROR);
  else if (kind == PAGE_MMIO && !(phys >> 32)) {
    worked(DEVICE_CALL);
    if (size < 8) mmioWrite(<u32>phys, size, <u32>value);
    else {
      mmioWrite(<u32>phys, 4, <u32>value);
      mmioWrite(<u32>phys + 4, 4, <u32>(value >> 32));
    }
  }
}

/** Did nobody answer at device address `phys`? Then the access at `linear` is an external abort. */
function busError(linear: u64, write: bool): void {
  if (!load<u32>(STATE, S_BUS_ERROR)) return;
  store<u32>(STATE, 0, S_BUS_ERROR);
  raiseExternalAbort(linear, write);
}

/** Does [linear, linear + size) cross into the next page? */
function crosses(linear: u64, size: u32): bool {
  return (<u32>linear & 0xfff) + size > 0x1000;
}

/** The address after `linear` by n, wrapped to 32 bits outside 64-bit mode (where linear addresses are 32 bits wide). */
export function addressAfter(linear: u64, n: u32): u64 {
  const next = linear + n;
  return !ISA_AARCH64 && load<u32>(STATE, S_WRAP32) ? next & 0xffffffff : next;
}

/**
 * An operand that crosses into addresses that are not canonical raises that fault, whatever its first page is: does it?
 * (Outside 64-bit mode addresses wrap at 4 GiB and are all canonical.)
 */
function endsBeyond(linear: u64, size: u32, access: u32, table: u32): bool {
  if (ISA_AARCH64) return false;
  const last = addressAfter(linear, size - 1);
  if (isCanonical(last)) return false;
  translate(last, access, table);
  return true;
}

/** Slow path of a load: TLB miss, page crossing, MMIO. 0 when it faults. */
export function slowRead(linear: u64, size: u32): u64 {
  if (!ISA_AARCH64) checkDataBreakpoint(linear, size, false);
  if (!crosses(linear, size)) {
    const phys = translate(linear, ACCESS_READ, load<u32>(STATE, S_TLB));
    if (faulted()) return 0;
    if (!ISA_AARCH64) return physRead(phys, size);
    if (checkWatchpoints(linear, size, false)) return 0;
    const value = physRead(phys, size);
    busError(linear, false);
    return value;
  }
  // Both pages first: a fault on the second must not leave a device read behind.
  const first: u32 = 0x1000 - (<u32>linear & 0xfff);
  const table = load<u32>(STATE, S_TLB);
  if (endsBeyond(linear, size, ACCESS_READ, table)) return 0;
  const low = translate(linear, ACCESS_READ, table);
  if (faulted()) return 0;
  const high = translate(addressAfter(linear, first), ACCESS_READ, table);
  if (faulted() || (ISA_AARCH64 && checkWatchpoints(linear, size, false))) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const phys = i < first ? low + i : high + (i - first);
    value |= physRead(phys, 1) << (<u64>(i << 3));
  }
  if (ISA_AARCH64) busError(linear, false);
  return value;
}

/** Slow path of a store. Nothing is written when it faults. */
export function slowWrite(linear: u64, size: u32, value: u64): void {
  if (!ISA_AARCH64) checkDataBreakpoint(linear, size, true);
  const table = load<u32>(STATE, S_TLB);
  if (!crosses(linear, size)) {
    const phys = translate(linear, ACCESS_WRITE, table);
    if (faulted() || (ISA_AARCH64 && checkWatchpoints(linear, size, true))) return;
    physWrite(phys, size, value);
    if (ISA_AARCH64) busError(linear, true);
    return;
  }
  if (endsBeyond(linear, size, ACCESS_WRITE, table)) return;
  const first: u32 = 0x1000 - (<u32>linear & 0xfff);
  const low = translate(linear, ACCESS_WRITE, table);
  if (faulted()) return;
  const high = translate(addressAfter(linear, first), ACCESS_WRITE, table);
  if (faulted() || (ISA_AARCH64 && checkWatchpoints(linear, size, true))) return;
  for (let i: u32 = 0; i < size; i++) {
    const phys = i < first ? low + i : high + (i - first);
    physWrite(phys, 1, (value >> <u64>(i << 3)) & 0xff);
  }
  if (ISA_AARCH64) busError(linear, true);
}

/** Host address of [linear, linear + size) if the TLB lets such a load go straight to memory, else 0. */
export function fastRead(linear: u64, size: u32): usize {
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_READ) != ((linear + (size - 1)) & ~0xfff)) return 0;
  return <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
}

export function fastWrite(linear: u64, size: u32): usize {
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_WRITE) != ((linear + (size - 1)) & ~0xfff)) return 0;
  return <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
}

// Loads and stores with the current privilege. After one, ask faulted(): a load that faults returns 0.

export function read8(linear: u64): u32 {
  const at = fastRead(linear, 1);
  return at ? load<u8>(at) : <u32>slowRead(linear, 1);
}
export function read16(linear: u64): u32 {
  const at = fastRead(linear, 2);
  return at ? load<u16>(at) : <u32>slowRead(linear, 2);
}
export function read32(linear: u64): u32 {
  const at = fastRead(linear, 4);
  return at ? load<u32>(at) : <u32>slowRead(linear, 4);
}
export function read64(linear: u64): u64 {
  const at = fastRead(linear, 8);
  return at ? load<u64>(at) : slowRead(linear, 8);
}
export function write8(linear: u64, value: u32): void {
  const at = fastWrite(linear, 1);
  if (at) store<u8>(at, value);
  else slowWrite(linear, 1, value);
}
export function write16(linear: u64, value: u32): void {
  const at = fastWrite(linear, 2);
  if (at) store<u16>(at, value);
  else slowWrite(linear, 2, value);
}
export function write32(linear: u64, value: u32): void {
  const at = fastWrite(linear, 4);
  if (at) store<u32>(at, value);
  else slowWrite(linear, 4, value);
}
export function write64(linear: u64, value: u64): void {
  const at = fastWrite(linear, 8);
  if (at) store<u64>(at, value);
  else slowWrite(linear, 8, value);
}

/** Would a load of `size` bytes (any number) succeed? If not, the fault is raised. */
export function probeRead(linear: u64, size: u32): bool {
  return probe(linear, size, ACCESS_READ);
}

/** Would a store of `size` bytes succeed? If not, the fault is raised. A store that follows cannot fault. */
export function probeWrite(linear: u64, size: u32): bool {
  return probe(linear, size, ACCESS_WRITE);
}

function probe(linear: u64, size: u32, access: u32): bool {
  const table = load<u32>(STATE, S_TLB);
  if (endsBeyond(linear, size, access, table)) return false;
  translate(linear, access, table);
  if (faulted()) return false;
  let done: u32 = 0x1000 - (<u32>linear & 0xfff);
  while (done < size) {
    translate(addressAfter(linear, done), access, table);
    if (faulted()) return false;
    done += 0x1000;
  }
  return true;
}

/** Copies `size` bytes of guest memory to host address `to`. Nothing is copied when it faults. */
export function readBytes(linear: u64, size: u32, to: usize): void {
  if (!probeRead(linear, size)) return;
  for (let i: u32 = 0; i < size; i++) store<u8>(to + i, read8(addressAfter(linear, i)));
}

/** Copies `size` bytes from host address `from` to guest memory. Nothing is written when it faults. */
export function writeBytes(linear: u64, size: u32, from: usize): void {
  if (!probeWrite(linear, size)) return;
  for (let i: u32 = 0; i < size; i++) write8(addressAfter(linear, i), load<u8>(from + i));
}

// System accesses: descriptor tables, TSS, stacks of the next privilege level. Supervisor rights whatever the CPL
// (SDM vol. 3, 4.6.1 "implicit supervisor-mode accesses"; SMAP applies whatever EFLAGS.AC).

let savedTable: u32 = 0;
let savedWrap: u32 = 0;

function enterSystem(): void {
  savedTable = load<u32>(STATE, S_TLB);
  savedWrap = load<u32>(STATE, S_WRAP32);
  // In long mode the tables' bases are 64 bits wide, whatever the code that is running.
  if (load<u32>(STATE, S_EFER) & EFER_LMA) store<u32>(STATE, 0, S_WRAP32);
  store<u32>(STATE, <u32>tlbTable(TLB_SUPERVISOR), S_TLB);
}
function leaveSystem(): void {
  store<u32>(STATE, savedTable, S_TLB);
  store<u32>(STATE, savedWrap, S_WRAP32);
}

export function sysRead8(linear: u64): u32 {
  enterSystem();
  const v = read8(linear);
  leaveSystem();
  return v;
}
export function sysRead16(linear: u64): u32 {
  enterSystem();
  const v = read16(linear);
  leaveSystem();
  return v;
}
export function sysRead32(linear: u64): u32 {
  enterSystem();
  const v = read32(linear);
  leaveSystem();
  return v;
}
export function sysRead64(linear: u64): u64 {
  enterSystem();
  const v = read64(linear);
  leaveSystem();
  return v;
}
export function sysWrite8(linear: u64, value: u32): void {
  enterSystem();
  write8(linear, value);
  leaveSystem();
}
export function sysWrite16(linear: u64, value: u32): void {
  enterSystem();
  write16(linear, value);
  leaveSystem();
}
export function sysWrite32(linear: u64, value: u32): void {
  enterSystem();
  write32(linear, value);
  leaveSystem();
}
export function sysWrite64(linear: u64, value: u64): void {
  enterSystem();
  write64(linear, value);
  leaveSystem();
}
export function sysProbeRead(linear: u64, size: u32): bool {
  enterSystem();
  const ok = probeRead(linear, size);
  leaveSystem();
  return ok;
}
export function sysProbeWrite(linear: u64, size: u32): bool {
  enterSystem();
  const ok = probeWrite(linear, size);
  leaveSystem();
  return ok;
}
