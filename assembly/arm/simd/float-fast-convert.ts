// Conversions that WebAssembly does just as the hardware would, under the same conditions as in float-fast.ts.

import { F32, F64 } from './float';
import {
  inexactMatters,
  plainArithmetic,
  plainExact,
  ROUND_DOWN,
  ROUND_TIE_EVEN,
  ROUND_UP,
  ROUND_ZERO,
} from './status';

const MIN_NORMAL_32: f32 = 1.1754943508222875e-38;

/** Result of the last function that returned true. */
export let convertedBits: u64 = 0;

/** The number as a double: exact. */
export function asDouble(bits: u64, fmt: u32): f64 {
  return fmt == F64 ? reinterpret<f64>(bits) : <f64>reinterpret<f32>(<u32>bits);
}

/** To an integer of 8 << size bits, zero-extended. */
export function fastToInteger(bits: u64, fmt: u32, size: u32, unsigned: bool, mode: u32): bool {
  if (!plainExact()) return false;
  const v = asDouble(bits, fmt);
  let r: f64;
  if (mode == ROUND_ZERO) r = trunc<f64>(v);
  else if (mode == ROUND_TIE_EVEN) r = nearest<f64>(v);
  else if (mode == ROUND_DOWN) r = floor<f64>(v);
  else if (mode == ROUND_UP) r = ceil<f64>(v);
  else return false;
  const wide = size == 3;
  let limit: f64 = wide ? 9223372036854775808.0 : 2147483648.0;
  const least: f64 = unsigned ? 0 : -limit;
  if (unsigned) limit *= 2;
  if (!(r >= least && r < limit) || (r != v && inexactMatters())) return false;
  convertedBits = unsigned ? <u64>r : wide ? <u64>(<i64>r) : <u64>(<u32>(<i32>r));
  return true;
}

/** From an integer, sign- or zero-extended to 64 bits. What fits the significand is exact in every rounding mode. */
export function fastFromInteger(v: u64, fmt: u32, unsigned: bool): bool {
  const m = unsigned || <i64>v >= 0 ? v : 0 - v;
  const places: u64 = fmt == F64 ? 53 : 24;
  if (m >> places && (!plainArithmetic() || inexactMatters())) return false;
  if (fmt == F64) convertedBits = reinterpret<u64>(unsigned ? <f64>v : <f64>(<i64>v));
  else convertedBits = reinterpret<u32>(unsigned ? <f32>v : <f32>(<i64>v));
  return true;
}

/** Between single and double precision. */
export function fastFormat(bits: u64, from: u32, to: u32): bool {
  if (from == F32 && to == F64) {
    const x = reinterpret<f32>(<u32>bits);
    if (x != x || !plainExact()) return false;
    convertedBits = reinterpret<u64>(<f64>x);
    return true;
  }
  if (from != F64 || to != F32 || !plainArithmetic()) return false;
  const x = reinterpret<f64>(bits);
  const r = <f32>x;
  const size = abs<f32>(r);
  if (!(size < f32.POSITIVE_INFINITY) || (size <= MIN_NORMAL_32 && x != 0)) return false;
  if (<f64>r != x && inexactMatters()) return false;
  convertedBits = reinterpret<u32>(r);
  return true;
}
