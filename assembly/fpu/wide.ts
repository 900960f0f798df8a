// Arithmetic on 128-bit numbers, for which WebAssembly has no instructions. Results stand in wHi:wLo.

export let wHi: u64 = 0;
export let wLo: u64 = 0;

export function setWide(hi: u64, lo: u64): void {
  wHi = hi;
  wLo = lo;
}

/** High 64 bits of a × b. */
export function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const cross = ((a0 * b0) >> 32) + a1 * b0;
  const cross2 = (cross & 0xffffffff) + a0 * b1;
  return a1 * b1 + (cross >> 32) + (cross2 >> 32);
}

/** a × b, exactly. */
export function mulWide(a: u64, b: u64): void {
  wHi = mulHigh(a, b);
  wLo = a * b;
}

/** Upper 128 bits of the product of two 128-bit numbers; up to 3 too small in the last place. */
export function mulFraction(ah: u64, al: u64, bh: u64, bl: u64): void {
  const hi = mulHigh(ah, bh);
  let lo = ah * bh;
  let carry: u64 = 0;
  const x = mulHigh(ah, bl);
  lo += x;
  if (lo < x) carry++;
  const y = mulHigh(al, bh);
  lo += y;
  if (lo < y) carry++;
  wHi = hi + carry;
  wLo = lo;
}

export function addWide(ah: u64, al: u64, bh: u64, bl: u64): void {
  const lo = al + bl;
  wHi = ah + bh + u64(lo < al);
  wLo = lo;
}

export function subWide(ah: u64, al: u64, bh: u64, bl: u64): void {
  wHi = ah - bh - u64(al < bl);
  wLo = al - bl;
}

/** Is ah:al below bh:bl? */
export function lessWide(ah: u64, al: u64, bh: u64, bl: u64): bool {
  return ah < bh || (ah == bh && al < bl);
}

/** Logical shift to the left by any number of places. */
export function shiftLeft(hi: u64, lo: u64, n: u32): void {
  const k = <u64>(n & 63);
  if (n >= 128) setWide(0, 0);
  else if (n >= 64) setWide(lo << k, 0);
  else if (n == 0) setWide(hi, lo);
  else setWide((hi << k) | (lo >> (64 - k)), lo << k);
}

/** Logical shift to the right by any number of places. */
export function shiftRight(hi: u64, lo: u64, n: u32): void {
  const k = <u64>(n & 63);
  if (n >= 128) setWide(0, 0);
  else if (n >= 64) setWide(0, hi >> k);
  else if (n == 0) setWide(hi, lo);
  else setWide(hi >> k, (lo >> k) | (hi << (64 - k)));
}

/** Shift to the right; any 1 that falls out is kept in the last place, so that rounding still sees it. */
export function shiftRightSticky(hi: u64, lo: u64, n: u32): void {
  if (n == 0) setWide(hi, lo);
  else if (n < 64) {
    const k = <u64>n;
    setWide(hi >> k, (lo >> k) | (hi << (64 - k)) | u64(lo << (64 - k) != 0));
  } else if (n == 64) setWide(0, hi | u64(lo != 0));
  else if (n < 128) {
    const k = <u64>(n - 64);
    setWide(0, (hi >> k) | u64(((hi << (64 - k)) | lo) != 0));
  } else setWide(0, u64((hi | lo) != 0));
}

/** Remainder of the last divWide. */
export let wRemainder: u64 = 0;

/** hi:lo / d for hi < d, by two 32-bit digits of the quotient (Knuth, TAOCP vol. 2, 4.3.1, algorithm D). d has bit 63 set. */
export function divWide(hi: u64, lo: u64, d: u64): u64 {
  const d1 = d >> 32;
  const d0 = d & 0xffffffff;
  const high = divDigit(hi, lo >> 32, d, d1, d0);
  const low = divDigit(wRemainder, lo & 0xffffffff, d, d1, d0);
  return (high << 32) | low;
}

/** One digit of the quotient: (rest × 2^32 + next) / d. */
function divDigit(rest: u64, next: u64, d: u64, d1: u64, d0: u64): u64 {
  let q = rest / d1;
  let r = rest - q * d1;
  // The trial digit is at most 2 too large.
  while (q >> 32 || q * d0 > ((r << 32) | next)) {
    q--;
    r += d1;
    if (r >> 32) break;
  }
  wRemainder = ((rest << 32) | next) - q * d;
  return q;
}

/** Fraction (ah:al) / (bh:bl) × 2^128 for a < b, b with its top bit set; up to 3 too small in the last place. */
export function divFraction(ah: u64, al: u64, bh: u64, bl: u64): void {
  let rh = ah;
  let rl = al;
  let q0: u64 = 0;
  let q1: u64 = 0;
  for (let digit = 0; digit < 2; digit++) {
    // 192 bits (rh:rl:0) by 128: a trial digit from the upper half of b, then what bl takes off.
    let q = u64.MAX_VALUE;
    let r: u64;
    let over = false;
    if (rh < bh) {
      q = divWide(rh, rl, bh);
      r = wRemainder;
    } else {
      r = rl + bh;
      over = r < bh;
    }
    // Remainder r:0 - q × bl; while it is negative, q was too large.
    let mh = mulHigh(q, bl);
    let ml = q * bl;
    while (!over && lessWide(r, 0, mh, ml)) {
      q--;
      const less = u64(ml < bl);
      ml -= bl;
      mh -= less;
      r += bh;
      over = r < bh;
    }
    rl = 0 - ml;
    rh = r - mh - u64(ml != 0);
    if (digit == 0) q0 = q;
    else q1 = q;
  }
  setWide(q0, q1);
}

/** hi:lo / d for a small d (below 2^31). */
export function divSmall(hi: u64, lo: u64, d: u64): void {
  const high = hi / d;
  const a = ((hi - high * d) << 32) | (lo >> 32);
  const mid = a / d;
  const b = ((a - mid * d) << 32) | (lo & 0xffffffff);
  wHi = high;
  wLo = (mid << 32) | (b / d);
}

/** Places that hi:lo has to be shifted to the left for its top bit to be set. */
export function leadingZeros(hi: u64, lo: u64): u32 {
  return <u32>(hi ? clz(hi) : 64 + clz(lo));
}
