// Instructions about selectors: LLDT, LTR, LAR, LSL, VERR, VERW, ARPL (SDM vol. 2).

import { getFlags, setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_ZF, S_CPL, SEG_LDTR, SEG_TR } from '../layout/x86-state';
import { read16, write16 } from '../mmu/access';
import {
  baseOf,
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  fetchUpperHalf,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isSegment,
  isWritableData,
  limitOf,
  locate,
  longMode,
  readDescriptor,
  selectorError,
  setNullSegment,
  setSegment,
  TYPE_BUSY,
  TYPE_LDT,
  TYPE_TSS,
  TYPE_TSS16,
  typeOf,
  writeType,
} from './descriptor';
import { EXC_GP, EXC_NP, faulted, raiseCode, raiseGP } from './fault';
import { privileged } from './helper';

/** Types that LAR knows, a bit each: TSS, LDT, call and task gates; fewer in long mode (SDM vol. 2, LAR, table 3-53). */
const LAR_TYPES: u32 = 0x1a3e;
const LAR_TYPES_LONG: u32 = 0x1a04;
/** Types that LSL knows: TSS and LDT. */
const LSL_TYPES: u32 = 0x0a0e;
const LSL_TYPES_LONG: u32 = 0x0a04;

/** Base of an LDT or TSS whose descriptor `d` has just been fetched; 64 bits in long mode. */
function systemBase(selector: u32, d: u64): u64 {
  return longMode() ? baseOf(d) | (fetchUpperHalf(selector, EXC_GP) << 32) : baseOf(d);
}

/** Rights of a system segment register from its descriptor, with type `type`. */
function systemAttr(d: u64, type: u32): u32 {
  return (<u32>(d >> 40) & 0xf0f0) | type;
}

/** a = slot of the selector. */
export function loadLdt(a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  const selector: u32 = load<u16>(STATE + <usize>a);
  if (isNull(selector)) {
    setNullSegment(SEG_LDTR, selector, 0);
    return;
  }
  const error = selectorError(selector, 0);
  if (selector & 4) {
    raiseGP(error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return;
  const d = descriptor;
  if (isSegment(d) || typeOf(d) != TYPE_LDT) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  const base = systemBase(selector, d);
  if (!faulted()) setSegment(SEG_LDTR, selector, base, limitOf(d), systemAttr(d, TYPE_LDT));
}

/** a = slot of the selector. */
export function loadTaskRegister(a: u32, _b: u32, _imm: u64): void {
  if (!privileged()) return;
  const selector: u32 = load<u16>(STATE + <usize>a);
  if (isNull(selector)) {
    raiseGP(0);
    return;
  }
  const error = selectorError(selector, 0);
  if (selector & 4) {
    raiseGP(error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_GP, 0)) return;
  const d = descriptor;
  const at = descriptorAt;
  const type = typeOf(d);
  if (isSegment(d) || (type != TYPE_TSS && (type != TYPE_TSS16 || longMode()))) {
    raiseGP(error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  const base = systemBase(selector, d);
  if (faulted()) return;
  writeType(at, d, type | TYPE_BUSY);
  if (!faulted()) setSegment(SEG_TR, selector, base, limitOf(d), systemAttr(d, type | TYPE_BUSY));
}

function setZero(on: bool): void {
  setFlags((getFlags() & ~(<u32>FLAG_ZF)) | (on ? FLAG_ZF : 0));
}

/** Can the selector's segment be seen at this privilege? Leaves its descriptor in `descriptor`; may raise #PF. */
function visible(selector: u32): bool {
  if (isNull(selector) || !locate(selector, 8) || !readDescriptor()) return false;
  return isConforming(descriptor) || dplOf(descriptor) >= max<u32>(load<u32>(STATE, S_CPL), selector & 3);
}

function writeRegister(slot: u32, size: u32, value: u32): void {
  if (size == 1) store<u16>(STATE + <usize>slot, <u16>value);
  else store<u64>(STATE + <usize>slot, <u64>value);
}

/** LAR: a = slot of the selector, b = slot of the destination, imm = log2 of operand size. */
export function loadAccessRights(a: u32, b: u32, imm: u64): void {
  let ok = visible(load<u16>(STATE + <usize>a));
  if (faulted()) return;
  if (ok && !isSegment(descriptor)) ok = (((longMode() ? LAR_TYPES_LONG : LAR_TYPES) >> typeOf(descriptor)) & 1) != 0;
  setZero(ok);
  // Limit bits 19:16 are undefined in the result; CPUs let them through.
  if (ok) writeRegister(b, <u32>imm, <u32>(descriptor >> 32) & 0xffff00);
}

/** LSL: as LAR. */
export function loadSegmentLimit(a: u32, b: u32, imm: u64): void {
  let ok = visible(load<u16>(STATE + <usize>a));
  if (faulted()) return;
  if (ok && !isSegment(descriptor)) ok = (((longMode() ? LSL_TYPES_LONG : LSL_TYPES) >> typeOf(descriptor)) & 1) != 0;
  setZero(ok);
  if (ok) writeRegister(b, <u32>imm, limitOf(descriptor));
}

/** VERR: a = slot of the selector. */
export function verifyRead(a: u32, _b: u32, _imm: u64): void {
  const ok = visible(load<u16>(STATE + <usize>a));
  if (!faulted()) setZero(ok && isReadable(descriptor));
}

/** VERW: a = slot of the selector. */
export function verifyWrite(a: u32, _b: u32, _imm: u64): void {
  const ok = visible(load<u16>(STATE + <usize>a));
  if (!faulted()) setZero(ok && isWritableData(descriptor));
}

/** ARPL: a = slot of the selector to adjust, in place; b = slot of the one whose RPL is the least. */
export function adjustRpl(a: u32, b: u32, _imm: u64): void {
  const selector: u32 = load<u16>(STATE + <usize>a);
  const least: u32 = load<u16>(STATE + <usize>b) & 3;
  const lower = (selector & 3) < least;
  setZero(lower);
  if (lower) store<u16>(STATE + <usize>a, <u16>((selector & ~3) | least));
}

/** The same with a = slot of the selector's linear address. A selector that is high enough is only read. */
export function adjustRplInMemory(a: u32, b: u32, _imm: u64): void {
  const linear = load<u64>(STATE + <usize>a);
  const selector = read16(linear);
  if (faulted()) return;
  const least: u32 = load<u16>(STATE + <usize>b) & 3;
  const lower = (selector & 3) < least;
  if (lower) write16(linear, (selector & ~3) | least);
  if (!faulted()) setZero(lower);
}
