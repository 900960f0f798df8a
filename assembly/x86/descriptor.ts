// Segment descriptors: where they stand, what their fields say, and the hidden part of a segment register that they
// are loaded to (SDM vol. 3, 3.4.5 and 3.5).

import { STATE } from '../layout/memory';
import {
  EFER_LMA,
  S_EFER,
  S_GDTR_BASE,
  S_GDTR_LIMIT,
  SEG_ATTR,
  SEG_BASE,
  SEG_LDTR,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { sysRead64, sysWrite8 } from '../mmu/access';
import { faulted, raiseCode } from './fault';
import { segSlot } from './mode';

/** System descriptor types (SDM vol. 3, table 3-2). In long mode only LDT, 32/64-bit TSS, call gate and IDT gates exist. */
export const TYPE_TSS16: u32 = 1;
export const TYPE_LDT: u32 = 2;
export const TYPE_CALL_GATE16: u32 = 4;
export const TYPE_TASK_GATE: u32 = 5;
export const TYPE_INTERRUPT_GATE16: u32 = 6;
export const TYPE_TRAP_GATE16: u32 = 7;
export const TYPE_TSS: u32 = 9;
export const TYPE_CALL_GATE: u32 = 12;
export const TYPE_INTERRUPT_GATE: u32 = 14;
export const TYPE_TRAP_GATE: u32 = 15;
/** In a TSS descriptor's type: the task is busy. */
export const TYPE_BUSY: u32 = 2;

/** The descriptor fetched last, and its linear address. Copy them before the next fetch. */
export let descriptor: u64 = 0;
export let descriptorAt: u64 = 0;

/** Is IA-32e mode active (64-bit or compatibility)? */
export function longMode(): bool {
  return (load<u32>(STATE, S_EFER) & EFER_LMA) != 0;
}

/** Linear address of an offset in a system structure: 32 bits wide outside long mode. */
export function systemLinear(base: u64, offset: u64): u64 {
  return longMode() ? base + offset : (base + offset) & 0xffffffff;
}

export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}

/** Error code that names a selector; `ext` is its EXT bit (SDM vol. 3, 7.13). */
export function selectorError(selector: u32, ext: u32): u32 {
  return (selector & 0xfffc) | ext;
}

/** Locates a selector's descriptor of `size` bytes (8 or 16); false when it lies outside its table. */
export function locate(selector: u32, size: u32): bool {
  const offset = selector & 0xfff8;
  let base: u64;
  let limit: u32;
  if (selector & 4) {
    const ldt = segSlot(SEG_LDTR);
    if (load<u32>(ldt, SEG_UNUSABLE)) return false;
    base = load<u64>(ldt, SEG_BASE);
    limit = load<u32>(ldt, SEG_LIMIT);
  } else {
    base = load<u64>(STATE, S_GDTR_BASE);
    limit = load<u32>(STATE, S_GDTR_LIMIT);
  }
  if (<u64>offset + size - 1 > <u64>limit) return false;
  descriptorAt = systemLinear(base, offset);
  return true;
}

/** Reads the descriptor that locate() found; false when reading faults. */
export function readDescriptor(): bool {
  descriptor = sysRead64(descriptorAt);
  return !faulted();
}

/** Fetches a selector's descriptor. Outside its table: exception `vector` with the selector as error code. */
export function fetchDescriptor(selector: u32, vector: u32, ext: u32): bool {
  if (!locate(selector, 8)) {
    raiseCode(vector, selectorError(selector, ext));
    return false;
  }
  return readDescriptor();
}

/**
 * The upper half of a 16-byte system descriptor of long mode, whose lower half fetchDescriptor() has just read: the
 * value is its low 32 bits. Raises `vector` when it lies outside the table or when its type field is not zero.
 */
export function fetchUpperHalf(selector: u32, vector: u32): u64 {
  if (!locate(selector, 16)) {
    raiseCode(vector, selectorError(selector, 0));
    return 0;
  }
  const upper = sysRead64(descriptorAt + 8);
  if (faulted()) return 0;
  if (upper & 0x1f0000000000) raiseCode(vector, selectorError(selector, 0));
  return upper & 0xffffffff;
}

// Fields.

export function typeOf(d: u64): u32 {
  return <u32>(d >> 40) & 15;
}
/** A code or data segment, not a system descriptor. */
export function isSegment(d: u64): bool {
  return (d & 0x100000000000) != 0;
}
export function dplOf(d: u64): u32 {
  return <u32>(d >> 45) & 3;
}
export function isPresent(d: u64): bool {
  return (d & 0x800000000000) != 0;
}
export function isCode(d: u64): bool {
  return isSegment(d) && (typeOf(d) & 8) != 0;
}
export function isConforming(d: u64): bool {
  return isCode(d) && (typeOf(d) & 4) != 0;
}
export function isWritableData(d: u64): bool {
  return isSegment(d) && (typeOf(d) & 10) == 2;
}
/** Data, or code that may be read. */
export function isReadable(d: u64): bool {
  return isSegment(d) && ((typeOf(d) & 8) == 0 || (typeOf(d) & 2) != 0);
}
/** L: 64-bit code. */
export function isLong(d: u64): bool {
  return (d & 0x20000000000000) != 0;
}
/** D/B: 32-bit code or stack. */
export function isBig(d: u64): bool {
  return (d & 0x40000000000000) != 0;
}
export function baseOf(d: u64): u64 {
  return ((d >> 16) & 0xffffff) | ((d >> 32) & 0xff000000);
}
/** Limit in bytes. */
export function limitOf(d: u64): u32 {
  const limit = (<u32>d & 0xffff) | (<u32>(d >> 32) & 0xf0000);
  return d & 0x80000000000000 ? (limit << 12) | 0xfff : limit;
}
/** A code segment that long mode rejects: L and D both set. */
export function isReservedCode(d: u64): bool {
  return longMode() && isLong(d) && isBig(d);
}

// Gates.

export function gateSelector(d: u64): u32 {
  return <u32>(d >> 16) & 0xffff;
}
/** Offset of a 32-bit gate, or of a 16-bit one (`big` false). */
export function gateOffset(d: u64, big: bool): u64 {
  return big ? (d & 0xffff) | ((d >> 32) & 0xffff0000) : d & 0xffff;
}

/** Sets a type bit in the descriptor at `at`, in memory. May fault. */
export function writeType(at: u64, d: u64, type: u32): void {
  sysWrite8(systemLinear(at, 5), (<u32>(d >> 40) & 0xf0) | type);
}

/** Sets the accessed bit of a code or data segment's descriptor (SDM vol. 3, 3.4.5.1); false when that faults. */
export function markAccessed(at: u64, d: u64): bool {
  if (typeOf(d) & 1) return true;
  writeType(at, d, typeOf(d) | 1);
  return !faulted();
}

/** Sets a segment register, hidden part and all. */
export function setSegment(seg: u32, selector: u32, base: u64, limit: u32, attr: u32): void {
  const s = segSlot(seg);
  store<u64>(s, base, SEG_BASE);
  store<u32>(s, limit, SEG_LIMIT);
  store<u16>(s, <u16>selector, SEG_SELECTOR);
  store<u16>(s, <u16>attr, SEG_ATTR);
  store<u32>(s, 0, SEG_UNUSABLE);
}

/** Sets a segment register from its descriptor; a code or data segment's accessed bit is set. */
export function setSegmentFromDescriptor(seg: u32, selector: u32, d: u64): void {
  const attr = (<u32>(d >> 40) & 0xf0ff) | (isSegment(d) ? 1 : 0);
  setSegment(seg, selector, baseOf(d), limitOf(d), attr);
}

/** A null selector: nothing can be reached through the register. `dpl` matters for SS, which carries the CPL. */
export function setNullSegment(seg: u32, selector: u32, dpl: u32): void {
  setSegment(seg, selector, 0, 0, dpl << 5);
  store<u32>(segSlot(seg), 1, SEG_UNUSABLE);
}
