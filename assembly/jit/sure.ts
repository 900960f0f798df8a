// What is known of vectors while a region is being emitted (float.ts): that they hold ordinary numbers, zero or normal,
// and of doubles how large and how small they can be.
//
// A bound e says: zero, or 2^-e ≤ |x| ≤ 2^e. A product of two such is then bounded by the sum of their bounds, a sum by the
// larger one and 53 (what cancels is a multiple of the operands' last bit): as long as that stays in the range of normal
// numbers, the operation can neither overflow nor underflow, and its result need not be looked at.
//
// What is known holds while PLAIN does; a way through the core clears that.

import { B_ROUGH, ROUGH } from '../ir/blocks';
import { vectorIndexOf } from './frame';

// Lane 0 as a single; all lanes as singles.
export const SURE_F32: u32 = 0;
export const SURE_F32X4: u32 = 1;
const MEANINGS: u32 = 2;

/** The bound of any ordinary double. */
export const ORDINARY: u32 = 1023;

/** u64 set of vectors for each meaning; u16 bounds of each vector's two doubles, 0 if there is none. */
const BOUNDS: usize = 16;
const VECTORS_AT_MOST: u32 = 52;
const STATE_BYTES: usize = 16 + 52 * 4;
const known: usize = memory.data(224);

/** Has PLAIN been found true in this block, which is not rough? */
let plainSure: bool = false;
let rough: bool = false;

function setOf(meaning: u32): usize {
  return known + ((<usize>meaning) << 3);
}
function one(i: i32): u64 {
  return (<u64>1) << (<u64>i);
}

/** Nothing is known at the beginning of a block that several ways lead to. */
export function startSure(b: usize): void {
  memory.fill(known, 0, STATE_BYTES);
  plainSure = false;
  rough = isRough(b);
}
/** Does what is known hold in block b, to which one way only leads? */
export function staysSure(b: usize): bool {
  return !rough && !isRough(b);
}
export function isPlainKnown(): bool {
  return plainSure;
}
/**
 * A floating-point operation is about to be emitted: has one before it left the region unless PLAIN was true? This one
 * will, and those after it need not look again; in a rough block each looks.
 */
export function isPlainSure(): bool {
  const was = plainSure;
  plainSure = !rough;
  return was;
}
/** Has block b too often had operands that are not ordinary numbers for the region to be left each time? */
export function isRough(b: usize): bool {
  return <u32>load<u16>(b, B_ROUGH) >= ROUGH;
}

/** Vector number i has been written. */
export function forgetVector(i: i32): void {
  for (let m: u32 = 0; m < MEANINGS; m++) store<u64>(setOf(m), load<u64>(setOf(m)) & ~one(i));
  store<u32>(known + BOUNDS + ((<usize>i) << 2), 0);
}
function indexOf(slot: u32): i32 {
  const i = vectorIndexOf(slot);
  return i < <i32>VECTORS_AT_MOST && !(slot & 15) ? i : -1;
}

export function isSure(slot: u32, meaning: u32): bool {
  const i = indexOf(slot);
  return i >= 0 && (load<u64>(setOf(meaning)) & one(i)) != 0;
}
export function makeSure(slot: u32, meaning: u32): void {
  const i = indexOf(slot);
  if (i >= 0) store<u64>(setOf(meaning), load<u64>(setOf(meaning)) | one(i));
}
/** Bound of the double in a lane, 0 if nothing is known of it. */
export function boundOf(slot: u32, lane: u32): u32 {
  const i = indexOf(slot);
  return i < 0 ? 0 : <u32>load<u16>(known + BOUNDS + ((<usize>i) << 2) + ((<usize>lane) << 1));
}
/** Bound of both, 0 if one is not known. */
export function boundOfBoth(slot: u32): u32 {
  const low = boundOf(slot, 0);
  const high = boundOf(slot, 1);
  return low && high ? max<u32>(low, high) : 0;
}
export function setBounds(slot: u32, low: u32, high: u32): void {
  const i = indexOf(slot);
  if (i >= 0) store<u32>(known + BOUNDS + ((<usize>i) << 2), low | (high << 16));
}
/** What is known of vector a is known of d. */
export function copySure(d: u32, a: u32): void {
  for (let m: u32 = 0; m < MEANINGS; m++) if (isSure(a, m)) makeSure(d, m);
  setBounds(d, boundOf(a, 0), boundOf(a, 1));
}
/** Vector d is zero. */
export function makeZero(d: u32): void {
  for (let m: u32 = 0; m < MEANINGS; m++) makeSure(d, m);
  setBounds(d, 1, 1);
}

// What is known at the forks that are open.
const MAX_FORKS: u32 = 48;
const SAVED_BYTES: usize = 232;
const saved: usize = memory.data(48 * 232);
let forks: u32 = 0;

/** A way is about to be emitted, after which restoreSure() goes back to what is known now. */
export function saveSure(): void {
  if (forks < MAX_FORKS) {
    const at = saved + <usize>forks * SAVED_BYTES;
    memory.copy(at, known, STATE_BYTES);
    store<u8>(at + STATE_BYTES, <u8>plainSure);
    store<u8>(at + STATE_BYTES, <u8>rough, 1);
  }
  forks++;
}
export function restoreSure(): void {
  forks--;
  if (forks >= MAX_FORKS) {
    memory.fill(known, 0, STATE_BYTES);
    plainSure = false;
    return;
  }
  const at = saved + <usize>forks * SAVED_BYTES;
  memory.copy(known, at, STATE_BYTES);
  plainSure = load<u8>(at + STATE_BYTES) != 0;
  rough = load<u8>(at + STATE_BYTES, 1) != 0;
}
