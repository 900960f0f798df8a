// Single lanes of vectors in memory, and the vector in which results gather: operands may be overwritten only when
// all of them have been read.

import { FORM_Q, FORM_SCALAR } from './kinds';

const gathered: usize = memory.data(16, 16);

/** Number of lanes that a form has. */
export function laneCount(form: u32): u32 {
  if (form & FORM_SCALAR) return 1;
  return (form & FORM_Q ? 16 : 8) >> (form & 3);
}

/** Lane i, zero-extended. */
export function lane(v: usize, i: u32, size: u32): u64 {
  const at = v + ((<usize>i) << size);
  if (size == 0) return load<u8>(at);
  if (size == 1) return load<u16>(at);
  if (size == 2) return load<u32>(at);
  return load<u64>(at);
}

/** Lane i, sign-extended. */
export function signedLane(v: usize, i: u32, size: u32): i64 {
  const at = v + ((<usize>i) << size);
  if (size == 0) return load<i8>(at);
  if (size == 1) return load<i16>(at);
  if (size == 2) return load<i32>(at);
  return load<i64>(at);
}

/** Results start as zeros. */
export function clearLanes(): void {
  v128.store(gathered, i64x2.splat(0));
}
export function setLane(i: u32, size: u32, value: u64): void {
  const at = gathered + ((<usize>i) << size);
  if (size == 0) store<u8>(at, <u8>value);
  else if (size == 1) store<u16>(at, <u16>value);
  else if (size == 2) store<u32>(at, <u32>value);
  else store<u64>(at, value);
}
export function commitLanes(d: usize): void {
  v128.store(d, v128.load(gathered));
}
/** The low 64 bits gathered: to the low half of d with zeros above, or (upper) to its upper half. */
export function commitHalf(d: usize, upper: bool): void {
  if (upper) store<u64>(d, load<u64>(gathered), 8);
  else commitLanes(d);
}
