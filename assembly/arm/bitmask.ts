// Bitmask immediates of the logical instructions (Arm ARM, shared pseudocode DecodeBitMasks).

import { ones } from './operands';

/**
 * The value that N:immr:imms stands for in a 64-bit register, or 0 where the encoding is reserved (no bitmask is 0):
 * an element of 2 to 64 bits with a run of ones, rotated right, and repeated.
 */
export function decodeBitmask(n: u32, immr: u32, imms: u32): u64 {
  const code = (n << 6) | (~imms & 63);
  if (!code) return 0;
  const length: u32 = 31 - clz(code);
  if (length < 1) return 0;
  const levels: u32 = (1 << length) - 1;
  const s = imms & levels;
  const r = immr & levels;
  // A run that fills its element would be all ones.
  if (s == levels) return 0;
  const size: u32 = 1 << length;
  const run = ones(s + 1);
  let element = run;
  if (r) element = ((run >> <u64>r) | (run << (<u64>(size - r)))) & ones(size);
  for (let width = size; width < 64; width <<= 1) element |= element << (<u64>width);
  return element;
}
