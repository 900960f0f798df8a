// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1).

import { setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF, S_RAX, S_RCX, S_RDX, S_XMM } from '../layout/x86-state';

// Control beside the instruction's immediate byte.
/** Lengths in EAX and EDX instead of up to the first zero. */
export const STRING_EXPLICIT: u32 = 0x100;
/** Result is a mask in XMM0, not an index in ECX. */
export const STRING_MASK: u32 = 0x200;
/** REX.W: the lengths are 64 bits wide. */
export const STRING_WIDE: u32 = 0x400;

// Bits of the immediate.
const WORDS: u32 = 1;
const SIGNED: u32 = 2;
const AGGREGATION: u32 = 3 << 2;
const EQUAL_ANY: u32 = 0 << 2;
const RANGES: u32 = 1 << 2;
const EQUAL_EACH: u32 = 2 << 2;
const NEGATIVE: u32 = 1 << 4;
const MASKED: u32 = 1 << 5;
/** Most significant index, or mask of whole elements. */
const MOST_OR_EXPANDED: u32 = 1 << 6;

/** Element i of the string at `s`, as the data format says. */
function element(s: usize, i: u32, control: u32): i32 {
  if (control & WORDS) {
    const at = s + ((<usize>i) << 1);
    return control & SIGNED ? <i32>load<i16>(at) : <i32>load<u16>(at);
  }
  return control & SIGNED ? <i32>load<i8>(s + i) : <i32>load<u8>(s + i);
}

/** Elements before the first zero, at most n. */
function implicitLength(s: usize, n: u32, control: u32): u32 {
  let i: u32 = 0;
  while (i < n && element(s, i, control)) i++;
  return i;
}

/** |register|, at most n. */
function explicitLength(register: u32, n: u32, control: u32): u32 {
  const v = control & STRING_WIDE ? load<i64>(STATE + register) : <i64>load<i32>(STATE + register);
  const size = v < 0 ? <u64>(0 - v) : <u64>v;
  return size < n ? <u32>size : n;
}

/** Does x fall in one of the ranges that s gives as pairs? */
function inRanges(x: i32, s: usize, length: u32, control: u32): bool {
  for (let i: u32 = 0; i + 1 < length; i += 2) {
    if (x >= element(s, i, control) && x <= element(s, i + 1, control)) return true;
  }
  return false;
}

function isAnyOf(x: i32, s: usize, length: u32, control: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (x == element(s, i, control)) return true;
  return false;
}

/** Does the needle (or as much of it as fits before element n) stand at position j? */
function startsAt(j: u32, a: usize, lengthA: u32, b: usize, lengthB: u32, n: u32, control: u32): bool {
  for (let i: u32 = 0; i < lengthA && i + j < n; i++) {
    if (i + j >= lengthB || element(a, i, control) != element(b, i + j, control)) return false;
  }
  return true;
}

/** IntRes1: one bit for each element of b. */
function aggregate(a: usize, lengthA: u32, b: usize, lengthB: u32, n: u32, control: u32): u32 {
  let bits: u32 = 0;
  for (let j: u32 = 0; j < n; j++) {
    let hit = false;
    switch (control & AGGREGATION) {
      case EQUAL_ANY:
        hit = j < lengthB && isAnyOf(element(b, j, control), a, lengthA, control);
        break;
      case RANGES:
        hit = j < lengthB && inRanges(element(b, j, control), a, lengthA, control);
        break;
      case EQUAL_EACH:
        // Past both ends counts as equal.
        if (j < lengthA && j < lengthB) hit = element(a, j, control) == element(b, j, control);
        else hit = j >= lengthA && j >= lengthB;
        break;
      default:
        hit = startsAt(j, a, lengthA, b, lengthB, n, control);
        break;
    }
    bits |= u32(hit) << j;
  }
  return bits;
}

function writeMask(bits: u32, n: u32, control: u32): void {
  const to = STATE + S_XMM;
  if (!(control & MOST_OR_EXPANDED)) {
    store<u64>(to, <u64>bits);
    store<u64>(to, 0, 8);
    return;
  }
  for (let i: u32 = 0; i < n; i++) {
    const all = (bits >> i) & 1 ? -1 : 0;
    if (control & WORDS) store<u16>(to + (i << 1), all);
    else store<u8>(to + i, all);
  }
}

/** Helper: compares the strings at slots a and b; imm: immediate byte and STRING_…. */
export function stringCompare(a: u32, b: u32, imm: u64): void {
  const control = <u32>imm;
  const s = <usize>STATE + a;
  const t = <usize>STATE + b;
  const n: u32 = control & WORDS ? 8 : 16;
  const explicit = (control & STRING_EXPLICIT) != 0;
  const lengthA = explicit ? explicitLength(S_RAX, n, control) : implicitLength(s, n, control);
  const lengthB = explicit ? explicitLength(S_RDX, n, control) : implicitLength(t, n, control);
  let bits = aggregate(s, lengthA, t, lengthB, n, control);
  if (control & NEGATIVE) bits ^= (1 << (control & MASKED ? lengthB : n)) - 1;
  if (control & STRING_MASK) writeMask(bits, n, control);
  else {
    const index = !bits ? n : control & MOST_OR_EXPANDED ? 31 - clz(bits) : ctz(bits);
    store<u64>(STATE, <u64>index, S_RCX);
  }
  setFlags((bits ? FLAG_CF : 0) | (lengthB < n ? FLAG_ZF : 0) | (lengthA < n ? FLAG_SF : 0) | (bits & 1 ? FLAG_OF : 0));
}
