// Loading segment registers (SDM vol. 3, 3.4 and 6.4–6.6; vol. 2, MOV, POP, LDS).

import { STATE } from '../layout/memory';
import {
  CR0_PE,
  FLAG_VM,
  S_CPL,
  S_CR0,
  S_INT_SHADOW,
  S_RFLAGS,
  SEG_ATTR,
  SEG_BASE,
  SEG_CS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_UNUSABLE,
  SHADOW_MOV_SS,
} from '../layout/x86-state';
import { addressAfter, read16, read32, read64 } from '../mmu/access';
import {
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  markAccessed,
  selectorError,
  setNullSegment,
  setSegment,
  setSegmentFromDescriptor,
} from './descriptor';
import { EXC_GP, EXC_NP, EXC_SS, faulted, raiseCode, raiseGP } from './fault';
import { finish, in64BitMode } from './helper';
import { segSlot, updateMode } from './mode';

/** Rights of every segment in virtual-8086 mode: present, DPL 3, read/write data, accessed. */
const ATTR_V86: u32 = 0xf3;
/** Rights that a load in real mode leaves: present, DPL 0, read/write data, accessed. */
const ATTR_REAL: u32 = 0x93;

export function virtual8086(): bool {
  return (load<u32>(STATE, S_RFLAGS) & FLAG_VM) != 0;
}

/** Protected mode proper: selectors name descriptors. */
export function usesDescriptors(): bool {
  return (load<u32>(STATE, S_CR0) & CR0_PE) != 0 && !virtual8086();
}

export function selectorOf(seg: u32): u32 {
  return load<u16>(segSlot(seg), SEG_SELECTOR);
}

/**
 * Real mode: the base follows the selector; the limit stays as it is, as do D/B and G (which is what makes "unreal"
 * mode work).
 */
export function setRealSegment(seg: u32, selector: u32): void {
  const s = segSlot(seg);
  const attr = (load<u16>(s, SEG_ATTR) & 0xff00) | ATTR_REAL;
  setSegment(seg, selector, <u64>(selector << 4), load<u32>(s, SEG_LIMIT), attr);
}

/** Virtual-8086 mode: every load makes an 8086 segment of 64 KiB. */
export function setV86Segment(seg: u32, selector: u32): void {
  setSegment(seg, selector, <u64>(selector << 4), 0xffff, ATTR_V86);
}

/** Real or virtual-8086 mode. */
export function set8086Segment(seg: u32, selector: u32): void {
  if (virtual8086()) setV86Segment(seg, selector);
  else setRealSegment(seg, selector);
}

/** Loads SS by MOV, POP or LSS in protected mode. */
function loadStackSegment(selector: u32): void {
  const cpl = load<u32>(STATE, S_CPL);
  if (isNull(selector)) {
    // 64-bit mode below ring 3 may run with a null SS (SDM vol. 3, 6.4.1.1).
    if (!in64BitMode() || cpl == 3 || (selector & 3) != cpl) raiseGP(0);
    else setNullSegment(SEG_SS, selector, cpl);
    return;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return;
  const d = descriptor;
  const error = selectorError(selector, 0);
  if ((selector & 3) != cpl || !isWritableData(d) || dplOf(d) != cpl) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_SS, error);
    return;
  }
  if (markAccessed(descriptorAt, d)) setSegmentFromDescriptor(SEG_SS, selector, d);
}

function loadDataSegment(seg: u32, selector: u32): void {
  if (isNull(selector)) {
    setNullSegment(seg, selector, 0);
    return;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return;
  const d = descriptor;
  const error = selectorError(selector, 0);
  const least = max<u32>(load<u32>(STATE, S_CPL), selector & 3);
  if (!isReadable(d) || (!isConforming(d) && least > dplOf(d))) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  if (markAccessed(descriptorAt, d)) setSegmentFromDescriptor(seg, selector, d);
}

/** Loads ES, SS, DS, FS or GS in the mode in force, with all checks. On a fault the register is as before. */
export function loadSegment(seg: u32, selector: u32): void {
  if (!usesDescriptors()) set8086Segment(seg, selector);
  else if (seg == SEG_SS) loadStackSegment(selector);
  else loadDataSegment(seg, selector);
  if (!faulted() && seg < <u32>SEG_FS) updateMode();
}

/** After a change to an outer privilege level: data segments that it may not use become null (SDM vol. 3, 6.8.6). */
export function dropInnerSegments(): void {
  const cpl = load<u32>(STATE, S_CPL);
  for (let seg: u32 = SEG_ES; seg <= <u32>SEG_GS; seg++) {
    if (seg == SEG_CS || seg == SEG_SS) continue;
    const s = segSlot(seg);
    if (load<u32>(s, SEG_UNUSABLE)) continue;
    const attr = load<u16>(s, SEG_ATTR);
    // Conforming code: S, executable, conforming.
    if ((attr & 0x1c) == 0x1c || ((attr >> 5) & 3) >= cpl) continue;
    const base = load<u64>(s, SEG_BASE);
    setNullSegment(seg, 0, 0);
    // The base of FS and GS outlives this in 64-bit mode, where it is set by MSR.
    if (seg >= <u32>SEG_FS) store<u64>(s, base, SEG_BASE);
  }
}

// Helpers of the lift.

/** MOV Sreg, POP Sreg: a = slot of the selector, b = register; imm 1: the instruction ends the block. */
export function loadSegmentRegister(a: u32, b: u32, imm: u64): void {
  loadSegment(b, load<u16>(STATE + <usize>a));
  if (faulted()) return;
  // Interrupts wait until the next instruction has set the stack pointer (SDM vol. 3, 7.8.3).
  if (b == SEG_SS) store<u32>(STATE, SHADOW_MOV_SS, S_INT_SHADOW);
  if (imm) finish();
}

/**
 * LDS, LES, LFS, LGS, LSS: a = slot of the pointer's linear address, b = slot of the general register; imm = segment
 * register | log2 of operand size << 8 | end of block << 16.
 */
export function loadFarPointer(a: u32, b: u32, imm: u64): void {
  const at = load<u64>(STATE + <usize>a);
  const seg = <u32>imm & 0xff;
  const size = (<u32>imm >> 8) & 0xff;
  const offset: u64 = size == 1 ? read16(at) : size == 2 ? read32(at) : read64(at);
  if (faulted()) return;
  const selector = read16(addressAfter(at, 1 << size));
  if (faulted()) return;
  loadSegment(seg, selector);
  if (faulted()) return;
  if (size == 1) store<u16>(STATE + <usize>b, <u16>offset);
  else store<u64>(STATE + <usize>b, offset);
  if (imm >> 16) finish();
}
