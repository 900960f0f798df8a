// The double extended-precision format of the x87 (SDM vol. 1, 4.2.2 and 8.2): 1 sign bit, 15 exponent bits, a 64-bit
// significand with an explicit integer bit. Here: unpacking, rounding, NaNs; the operations are in floatx80-*.ts.
//
// A number is passed as (se, sig): sign and exponent as in memory, significand. Results stand in zSe, zSig; what went
// wrong gathers in `exc`, as bits of the status word (C1 included: "rounded up").

import { shiftRightSticky, wHi, wLo } from './wide';
import { FSW_C1, FSW_DE, FSW_IE, FSW_OE, FSW_PE, FSW_UE, fcw, roundingControl } from './x87-state';

export let zSe: u32 = 0;
export let zSig: u64 = 0;
export let exc: u32 = 0;

export const BIAS: i32 = 0x3fff;
export const EXP_MAX: u32 = 0x7fff;
export const INTEGER_BIT: u64 = 0x8000000000000000;
const QUIET_BIT: u64 = 0x4000000000000000;
/** What an unmasked overflow or underflow takes from or adds to the exponent (SDM vol. 1, 4.9.1.4). */
const EXP_WRAP: i32 = 0x6000;
/** Real indefinite: the default quiet NaN. */
export const INDEFINITE_SE: u32 = 0xffff;
export const INDEFINITE_SIG: u64 = 0xc000000000000000;

/** Set while a 32- or 64-bit memory operand was denormal in its own format. */
let denormalSource: bool = false;

/** Start of an operation. */
export function beginOp(): void {
  exc = 0;
  denormalSource = false;
}

export function raiseX(flags: u32): void {
  exc |= flags;
}

export function setResult(se: u32, sig: u64): void {
  zSe = se;
  zSig = sig;
}

export function markDenormalSource(): void {
  denormalSource = true;
}

/** Result and flags of an invalid operation: nothing else is reported with it. */
export function invalid(): void {
  exc = FSW_IE;
  setResult(INDEFINITE_SE, INDEFINITE_SIG);
}

export function setZero(sign: u32): void {
  setResult(sign << 15, 0);
}

export function setInfinity(sign: u32): void {
  setResult((sign << 15) | EXP_MAX, INTEGER_BIT);
}

export function setOne(sign: u32): void {
  setResult((sign << 15) | <u32>BIAS, INTEGER_BIT);
}

export function expOf(se: u32): u32 {
  return se & EXP_MAX;
}

export function signOf(se: u32): u32 {
  return (se >> 15) & 1;
}

export function isZero(se: u32, sig: u64): bool {
  return sig == 0 && expOf(se) == 0;
}

/** Denormals, and pseudo-denormals (exponent 0 with the integer bit set): #D. */
export function isDenormal(se: u32, sig: u64): bool {
  return expOf(se) == 0 && sig != 0;
}

/** Encodings that the 80387 and its successors do not know: unnormals, pseudo-NaNs, pseudo-infinities. */
export function isUnsupported(se: u32, sig: u64): bool {
  return expOf(se) != 0 && !(sig >> 63);
}

export function isInfinity(se: u32, sig: u64): bool {
  return expOf(se) == EXP_MAX && sig == INTEGER_BIT;
}

export function isNaN80(se: u32, sig: u64): bool {
  return expOf(se) == EXP_MAX && sig > INTEGER_BIT;
}

export function isSignaling(se: u32, sig: u64): bool {
  return isNaN80(se, sig) && !(sig & QUIET_BIT);
}

/** Is it a zero, a normal or a (pseudo-)denormal number? */
export function isFinite80(se: u32, sig: u64): bool {
  const e = expOf(se);
  return e == 0 || (e != EXP_MAX && sig >> 63 != 0);
}

// A finite operand in parts: value = uSig × 2^(uExp - BIAS - 63), uSig normalized unless zero.
export let uExp: i32 = 0;
export let uSig: u64 = 0;

export function unpack(se: u32, sig: u64): void {
  const e = <i32>expOf(se);
  uExp = e ? e : 1;
  uSig = sig;
  if (sig && !(sig >> 63)) {
    const shift = clz(sig);
    uSig = sig << shift;
    uExp -= <i32>shift;
  }
}

/** Flags #D for a finite or infinite operand that the operation really uses. */
export function noteDenormal(se: u32, sig: u64): void {
  if (denormalSource || isDenormal(se, sig)) exc |= FSW_DE;
}

/** NaN and unsupported operands of a one-operand instruction; true: the result stands. */
export function specialOne(se: u32, sig: u64): bool {
  if (isUnsupported(se, sig)) {
    invalid();
    return true;
  }
  if (!isNaN80(se, sig)) return false;
  if (!(sig & QUIET_BIT)) exc = FSW_IE;
  setResult(se, sig | QUIET_BIT);
  return true;
}

/** The same for two operands, by the rules of SDM vol. 1, table 4-7: of two NaNs the larger significand. */
export function specialTwo(ase: u32, asig: u64, bse: u32, bsig: u64): bool {
  // The common case: both normal.
  if (expOf(ase) - 1 < EXP_MAX - 1 && expOf(bse) - 1 < EXP_MAX - 1 && (asig & bsig) >> 63) return false;
  if (isUnsupported(ase, asig) || isUnsupported(bse, bsig)) {
    invalid();
    return true;
  }
  const aNaN = isNaN80(ase, asig);
  const bNaN = isNaN80(bse, bsig);
  if (!aNaN && !bNaN) return false;
  const aSignaling = aNaN && !(asig & QUIET_BIT);
  const bSignaling = bNaN && !(bsig & QUIET_BIT);
  if (aSignaling || bSignaling) exc = FSW_IE;
  let useA = aNaN;
  if (aNaN && bNaN) {
    if (aSignaling != bSignaling) useA = bSignaling;
    else {
      const x = asig | QUIET_BIT;
      const y = bsig | QUIET_BIT;
      useA = x > y || (x == y && ase < bse);
    }
  }
  if (useA) setResult(ase, asig | QUIET_BIT);
  else setResult(bse, bsig | QUIET_BIT);
  return true;
}

/** Significant bits by precision control (SDM vol. 1, table 8-2); the reserved value acts as 64 bits. */
export function precision(): u32 {
  const pc = (fcw() >> 8) & 3;
  return pc == 0 ? 24 : pc == 2 ? 53 : 64;
}

/** Is a magnitude with the fraction `tail` / 2^64 of the last place rounded up? `odd`: its last place is 1. */
export function roundsUp(sign: u32, tail: u64, odd: bool): bool {
  if (!tail) return false;
  const rc = roundingControl();
  if (rc == 0) return tail > INTEGER_BIT || (tail == INTEGER_BIT && odd);
  if (rc == 3) return false;
  return rc == (sign ? 1 : 2);
}

/** The part of sig:extra below `prec` significant bits, moved to the top of a word, what is lower still kept as a 1. */
function tailOf(sig: u64, extra: u64, prec: u32): u64 {
  return prec == 64 ? extra : (sig << (<u64>prec)) | u64(extra != 0);
}

/**
 * Result = (-1)^sign × sig:extra × 2^(exp - BIAS - 127), rounded to `prec` bits (SDM vol. 1, 4.8.4 and 8.5). sig has
 * its top bit set.
 */
export function roundPack(sign: u32, exp: i32, sig: u64, extra: u64, prec: u32): void {
  const unit: u64 = prec == 64 ? 1 : 1 << (64 - <u64>prec);
  const keep = ~(unit - 1);
  let tail = tailOf(sig, extra, prec);
  let up = roundsUp(sign, tail, (sig & unit) != 0);
  if (exp <= 0) {
    // Tiny, judged after rounding with an unbounded exponent.
    const tiny = exp < 0 || !(up && (sig & keep) == keep);
    if (tiny && !(fcw() & FSW_UE)) {
      exc |= FSW_UE;
      exp += EXP_WRAP;
      // FSCALE can go beyond what the wrapped exponent reaches, below and above (SDM vol. 1, 8.5.4 and 8.5.5).
      if (exp <= 0) {
        exc |= FSW_PE;
        setZero(sign);
        return;
      }
    } else {
      shiftRightSticky(sig, extra, <u32>(1 - exp));
      sig = wHi;
      tail = tailOf(sig, wLo, prec);
      up = roundsUp(sign, tail, (sig & unit) != 0);
      sig &= keep;
      if (tail) exc |= tiny ? FSW_UE | FSW_PE : FSW_PE;
      if (up) {
        sig += unit;
        exc |= FSW_C1;
      }
      setResult((sign << 15) | (sig >> 63 ? 1 : 0), sig);
      return;
    }
  }
  sig &= keep;
  if (tail) exc |= FSW_PE;
  if (up) {
    exc |= FSW_C1;
    sig += unit;
    if (!sig) {
      sig = INTEGER_BIT;
      exp++;
    }
  }
  if (exp >= <i32>EXP_MAX) {
    exc |= FSW_OE;
    if (fcw() & FSW_OE) {
      exc |= FSW_PE;
      const rc = roundingControl();
      if (rc == 0 || rc == (sign ? 1 : 2)) {
        exc |= FSW_C1;
        setInfinity(sign);
      } else {
        exc &= ~FSW_C1;
        setResult((sign << 15) | (EXP_MAX - 1), keep);
      }
      return;
    }
    exp -= EXP_WRAP;
    if (exp >= <i32>EXP_MAX) {
      exc |= FSW_PE | FSW_C1;
      setInfinity(sign);
      return;
    }
  }
  setResult((sign << 15) | (<u32>exp & EXP_MAX), sig);
}

/** roundPack for a significand that need not be normalized, nor be other than zero. */
export function normalizeRoundPack(sign: u32, exp: i32, sig: u64, extra: u64, prec: u32): void {
  if (!sig) {
    if (!extra) {
      setZero(sign);
      return;
    }
    sig = extra;
    extra = 0;
    exp -= 64;
  }
  const n = clz(sig);
  if (n) {
    sig = (sig << n) | (extra >> (64 - n));
    extra <<= n;
    exp -= <i32>n;
  }
  roundPack(sign, exp, sig, extra, prec);
}
