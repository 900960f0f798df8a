// Arithmetic of the IR, generic over the operand's unsigned type. p is the operation's address; b the second operand.

import { STATE } from '../layout/memory';
import { FLAG_CF, FLAG_OF, S_CC_C, S_CC_OP, S_CC_RES } from '../layout/x86-state';
import {
  CCK_ADC,
  CCK_ADD,
  CCK_DEC,
  CCK_INC,
  CCK_LOGIC,
  CCK_SBB,
  CCK_SHIFT,
  CCK_SUB,
  getCF,
  getFlags,
  setFlags,
  setLazy,
} from './flags';

/** Operand a, b, and the immediate, as T. */
export function srcA<T>(p: usize): T {
  return load<T>(<usize>load<u16>(p, 4), STATE);
}
export function srcB<T>(p: usize): T {
  return load<T>(<usize>load<u16>(p, 6), STATE);
}
export function immB<T>(p: usize): T {
  return load<T>(p, 8);
}

/** Writes the destination: 32-bit results zero-extend, smaller ones merge. */
export function setD<T>(p: usize, v: T): void {
  const d = <usize>load<u16>(p, 2);
  if (sizeof<T>() == 4) store<u64>(d, <u64>(<u32>v), STATE);
  else store<T>(d, v, STATE);
}

/** log2 of T's bytes. */
function log2<T>(): u32 {
  return sizeof<T>() == 1 ? 0 : sizeof<T>() == 2 ? 1 : sizeof<T>() == 4 ? 2 : 3;
}

function bits<T>(): u32 {
  return (<u32>sizeof<T>()) << 3;
}

function lazy<T>(kind: u32, a: T, r: T): void {
  setLazy((kind << 2) | log2<T>(), <u64>a, <u64>r);
}

export function aluAdd<T>(p: usize, b: T): void {
  const a = srcA<T>(p);
  const r = <T>(a + b);
  lazy<T>(CCK_ADD, a, r);
  setD<T>(p, r);
}
export function aluSub<T>(p: usize, b: T): void {
  const a = srcA<T>(p);
  const r = <T>(a - b);
  lazy<T>(CCK_SUB, a, r);
  setD<T>(p, r);
}
export function aluCmp<T>(p: usize, b: T): void {
  const a = srcA<T>(p);
  lazy<T>(CCK_SUB, a, <T>(a - b));
}
function logic<T>(r: T): void {
  store<u32>(STATE, (CCK_LOGIC << 2) | log2<T>(), S_CC_OP);
  store<u64>(STATE, <u64>r, S_CC_RES);
}
export function aluAnd<T>(p: usize, b: T): void {
  const r = <T>(srcA<T>(p) & b);
  logic<T>(r);
  setD<T>(p, r);
}
export function aluOr<T>(p: usize, b: T): void {
  const r = <T>(srcA<T>(p) | b);
  logic<T>(r);
  setD<T>(p, r);
}
export function aluXor<T>(p: usize, b: T): void {
  const r = <T>(srcA<T>(p) ^ b);
  logic<T>(r);
  setD<T>(p, r);
}
export function aluTest<T>(p: usize, b: T): void {
  logic<T>(<T>(srcA<T>(p) & b));
}
export function aluAdc<T>(p: usize, b: T): void {
  const c = getCF();
  const a = srcA<T>(p);
  const r = <T>(a + b + <T>c);
  lazy<T>(CCK_ADC, a, r);
  store<u64>(STATE, <u64>c, S_CC_C);
  setD<T>(p, r);
}
export function aluSbb<T>(p: usize, b: T): void {
  const c = getCF();
  const a = srcA<T>(p);
  const r = <T>(a - b - <T>c);
  lazy<T>(CCK_SBB, a, r);
  store<u64>(STATE, <u64>c, S_CC_C);
  setD<T>(p, r);
}
export function aluInc<T>(p: usize): void {
  const c = getCF();
  const r = <T>(srcA<T>(p) + <T>1);
  store<u32>(STATE, (CCK_INC << 2) | log2<T>(), S_CC_OP);
  store<u64>(STATE, <u64>r, S_CC_RES);
  store<u64>(STATE, <u64>c, S_CC_C);
  setD<T>(p, r);
}
export function aluDec<T>(p: usize): void {
  const c = getCF();
  const r = <T>(srcA<T>(p) - <T>1);
  store<u32>(STATE, (CCK_DEC << 2) | log2<T>(), S_CC_OP);
  store<u64>(STATE, <u64>r, S_CC_RES);
  store<u64>(STATE, <u64>c, S_CC_C);
  setD<T>(p, r);
}
export function aluNeg<T>(p: usize): void {
  const b = srcA<T>(p);
  const r = <T>(<T>0 - b);
  lazy<T>(CCK_SUB, <T>0, r);
  setD<T>(p, r);
}

// The same without flags.
export function nfAdd<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) + b));
}
export function nfSub<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) - b));
}
export function nfAnd<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) & b));
}
export function nfOr<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) | b));
}
export function nfXor<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) ^ b));
}

/** Shift count: 5 bits, 6 for 64-bit operands. */
function countMask<T>(): u32 {
  return sizeof<T>() == 8 ? 63 : 31;
}

function shiftFlags<T>(r: T, carry: u32, overflow: u32): void {
  store<u32>(STATE, (CCK_SHIFT << 2) | log2<T>(), S_CC_OP);
  store<u64>(STATE, <u64>r, S_CC_RES);
  store<u64>(STATE, <u64>((carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0)), S_CC_C);
}

// 8- and 16-bit operands may be shifted by up to 31: shift in 64 bits.
export function aluShl<T>(p: usize, count: u32): void {
  const n = count & countMask<T>();
  const a = <u64>srcA<T>(p);
  if (!n) {
    setD<T>(p, <T>a);
    return;
  }
  const r = <T>(a << (<u64>n));
  const cf = sizeof<T>() == 8 ? <u32>(a >> (64 - <u64>n)) & 1 : <u32>((a << (<u64>n)) >> <u64>bits<T>()) & 1;
  // OF = CF xor the new sign: defined for a count of 1, and what CPUs give for others too.
  shiftFlags<T>(r, cf, cf ^ <u32>((<u64>r >> <u64>(bits<T>() - 1)) & 1));
  setD<T>(p, r);
}
export function aluShr<T>(p: usize, count: u32): void {
  const n = count & countMask<T>();
  const a = <u64>srcA<T>(p);
  if (!n) {
    setD<T>(p, <T>a);
    return;
  }
  const r = <T>(a >> <u64>n);
  shiftFlags<T>(r, <u32>(a >> <u64>(n - 1)) & 1, <u32>((a >> <u64>(bits<T>() - 1)) & 1));
  setD<T>(p, r);
}
/** a, sign-extended from T to 64 bits. */
function signed<T>(a: u64): i64 {
  const s = <i64>(64 - bits<T>());
  return ((<i64>a) << s) >> s;
}
export function aluSar<T>(p: usize, count: u32): void {
  const n = count & countMask<T>();
  const a = signed<T>(<u64>srcA<T>(p));
  if (!n) {
    setD<T>(p, <T>a);
    return;
  }
  const r = <T>(<u64>(a >> <i64>n));
  shiftFlags<T>(r, <u32>(a >> <i64>(n - 1)) & 1, 0);
  setD<T>(p, r);
}
export function nfShl<T>(p: usize, count: u32): void {
  setD<T>(p, <T>((<u64>srcA<T>(p)) << (<u64>(count & countMask<T>()))));
}
export function nfShr<T>(p: usize, count: u32): void {
  setD<T>(p, <T>(<u64>srcA<T>(p) >> <u64>(count & countMask<T>())));
}
export function nfSar<T>(p: usize, count: u32): void {
  setD<T>(p, <T>(<u64>(signed<T>(<u64>srcA<T>(p)) >> <i64>(count & countMask<T>()))));
}

function rotated<T>(a: u64, n: u32, right: bool): T {
  const k = n & (bits<T>() - 1);
  const m = right ? (bits<T>() - k) & (bits<T>() - 1) : k;
  if (!m) return <T>a;
  return <T>((a << (<u64>m)) | (a >> <u64>(bits<T>() - m)));
}
export function aluRol<T>(p: usize, count: u32): void {
  const n = count & countMask<T>();
  const r = rotated<T>(<u64>srcA<T>(p), n, false);
  if (n) {
    const cf = <u32>(<u64>r & 1);
    const overflow = cf ^ <u32>((<u64>r >> <u64>(bits<T>() - 1)) & 1);
    setFlags((getFlags() & ~(FLAG_CF | FLAG_OF)) | cf | (overflow << 11));
  }
  setD<T>(p, r);
}
export function aluRor<T>(p: usize, count: u32): void {
  const n = count & countMask<T>();
  const r = rotated<T>(<u64>srcA<T>(p), n, true);
  if (n) {
    const top = <u32>((<u64>r >> <u64>(bits<T>() - 1)) & 1);
    const second = <u32>((<u64>r >> <u64>(bits<T>() - 2)) & 1);
    setFlags((getFlags() & ~(FLAG_CF | FLAG_OF)) | top | ((top ^ second) << 11));
  }
  setD<T>(p, r);
}
export function nfRol<T>(p: usize, count: u32): void {
  setD<T>(p, rotated<T>(<u64>srcA<T>(p), count & countMask<T>(), false));
}
export function nfRor<T>(p: usize, count: u32): void {
  setD<T>(p, rotated<T>(<u64>srcA<T>(p), count & countMask<T>(), true));
}

/** High 64 bits of a signed 64 × 64 product. */
export function mulHighSigned(a: i64, b: i64): i64 {
  let h = <i64>mulHigh(<u64>a, <u64>b);
  if (a < 0) h -= b;
  if (b < 0) h -= a;
  return h;
}

/** High 64 bits of an unsigned 64 × 64 product. */
export function mulHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const mid = ah * bl + ((al * bl) >> 32);
  const mid2 = al * bh + (mid & 0xffffffff);
  return ah * bh + (mid >> 32) + (mid2 >> 32);
}

export function aluImul<T>(p: usize, b: T): void {
  const x = signed<T>(<u64>srcA<T>(p));
  const y = signed<T>(<u64>b);
  const full = x * y;
  const r = <T>(<u64>full);
  let overflow: bool;
  if (sizeof<T>() == 8) overflow = mulHighSigned(x, y) != full >> 63;
  else overflow = signed<T>(<u64>r) != full;
  shiftFlags<T>(r, u32(overflow), u32(overflow));
  setD<T>(p, r);
}
export function nfImul<T>(p: usize, b: T): void {
  setD<T>(p, <T>(srcA<T>(p) * b));
}

/** Condition `cc` of a compared with b, flags not consulted: the fused compare-and-branch. Nothing here branches. */
export function compared<T>(cc: u32, a: T, b: T): bool {
  const found =
    u32(a == b) |
    (u32(a < b) << 1) |
    (u32(signed<T>(<u64>a) < signed<T>(<u64>b)) << 2) |
    (u32(signed<T>(<u64>(<T>(a - b))) < 0) << 3);
  // By cc >> 1, four bits each: which of these make the condition true (1: B, 2: E, 3: BE, 4: S, 6: L, 7: LE).
  const wanted: u32 = 0x54083120 >> ((cc >> 1) << 2);
  return u32((found & wanted & 15) != 0) != (cc & 1);
}
/** The same for a AND b compared with zero (TEST): OF is clear, and so is CF (ARM build: set). */
export function tested<T>(cc: u32, v: T): bool {
  const found = u32(v == <T>0) | (u32(signed<T>(<u64>v) < 0) << 1) | (ISA_AARCH64 << 2);
  const wanted: u32 = 0x32025140 >> ((cc >> 1) << 2);
  return u32((found & wanted & 15) != 0) != (cc & 1);
}
/** Can `cc` be fused with a compare (not overflow or parity)? */
export function fusible(cc: u32): bool {
  const k = cc >> 1;
  return k != 0 && k != 5;
}
