// Integer operations of the IR that A64 brought: bit fields, counts, quotients, conditional compares.

import { STATE } from '../layout/memory';
import { immB, srcA, srcB } from './alu';
import { CCK_ADD, CCK_SUB, condition, setFlags, setLazy } from './flags';

/** OP_FIELD. */
export function field(p: usize): u64 {
  return rotl<u64>(srcA<u64>(p), <u64>load<u16>(p, 6)) & immB<u64>(p);
}

/** OP_INSERT32, OP_INSERT64: the new d. */
export function inserted(p: usize): u64 {
  return (load<u64>(<usize>load<u16>(p, 2), STATE) & ~immB<u64>(p)) | field(p);
}

/** All 64 bits in reverse order. */
export function reverseBits(v: u64): u64 {
  let r = ((v >> 1) & 0x5555555555555555) | ((v & 0x5555555555555555) << 1);
  r = ((r >> 2) & 0x3333333333333333) | ((r & 0x3333333333333333) << 2);
  r = ((r >> 4) & 0x0f0f0f0f0f0f0f0f) | ((r & 0x0f0f0f0f0f0f0f0f) << 4);
  return bswap<u64>(r);
}

export function divideUnsigned(a: u64, b: u64): u64 {
  return b ? a / b : 0;
}

/** Of 32-bit operands, sign-extended, too: their one overflow wraps when the result is cut. */
export function divideSigned(a: i64, b: i64): i64 {
  if (!b) return 0;
  // WebAssembly would trap on MIN / -1.
  return b == -1 ? 0 - a : a / b;
}

/** OP_CCMP. */
export function conditionalCompare<T>(p: usize): void {
  if (condition(<u32>load<u16>(p, 2))) {
    const a = srcA<T>(p);
    setLazy((CCK_SUB << 2) | (sizeof<T>() == 8 ? 3 : 2), <u64>a, <u64>(<T>(a - srcB<T>(p))));
  } else setFlags(<u32>immB<u64>(p));
}

/** OP_CCMN. */
export function conditionalAdd<T>(p: usize): void {
  if (condition(<u32>load<u16>(p, 2))) {
    const a = srcA<T>(p);
    setLazy((CCK_ADD << 2) | (sizeof<T>() == 8 ? 3 : 2), <u64>a, <u64>(<T>(a + srcB<T>(p))));
  } else setFlags(<u32>immB<u64>(p));
}
