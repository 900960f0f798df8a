// Helpers for integer instructions that are too rare or too odd for IR of their own. Slots: byte offsets into the state.

import { mulHigh, mulHighSigned } from '../ir/alu';
import { getCF, getFlags, setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF, S_RAX, S_RBX, S_RCX, S_RDX } from '../layout/x86-state';
import { probeWrite, read64, write64 } from '../mmu/access';
import { EXC_DE, faulted, raise, raiseGP } from './fault';

export function maskOf(size: u32): u64 {
  return size == 3 ? u64.MAX_VALUE : ((<u64>1) << (<u64>(8 << size))) - 1;
}

/** Value of a slot by size (log2 bytes), zero-extended. */
export function getSlot(slot: u32, size: u32): u64 {
  const at = STATE + <usize>slot;
  return size == 0 ? load<u8>(at) : size == 1 ? load<u16>(at) : size == 2 ? load<u32>(at) : load<u64>(at);
}

/** Writes a slot as an instruction would: 32-bit results zero-extend. */
export function putSlot(slot: u32, size: u32, v: u64): void {
  const at = STATE + <usize>slot;
  if (size == 0) store<u8>(at, <u8>v);
  else if (size == 1) store<u16>(at, <u16>v);
  else if (size == 2) store<u64>(at, v & 0xffffffff);
  else store<u64>(at, v);
}

function signExtend(v: u64, size: u32): i64 {
  const s = <i64>(64 - (8 << size));
  return ((<i64>v) << s) >> s;
}

/** SF, ZF, PF of a result. */
function szp(v: u64, size: u32): u32 {
  const m = v & maskOf(size);
  return (
    (m == 0 ? FLAG_ZF : 0) |
    ((m >> <u64>((8 << size) - 1)) & 1 ? FLAG_SF : 0) |
    (popcnt(<u32>m & 0xff) & 1 ? 0 : FLAG_PF)
  );
}

/** MUL, IMUL with one operand: a = source slot, b = size, imm = 1 when signed. SF ZF PF follow the low half, AF is clear. */
export function multiply(a: u32, b: u32, imm: u64): void {
  const x = getSlot(S_RAX, b);
  const y = getSlot(a, b);
  let low: u64;
  let high: u64;
  let overflow: bool;
  if (b == 3) {
    low = x * y;
    high = imm ? <u64>mulHighSigned(<i64>x, <i64>y) : mulHigh(x, y);
    overflow = imm ? <i64>high != <i64>low >> 63 : high != 0;
  } else {
    const full = imm ? <u64>(signExtend(x, b) * signExtend(y, b)) : x * y;
    low = full & maskOf(b);
    high = (full >> <u64>(8 << b)) & maskOf(b);
    overflow = imm ? signExtend(low, b) != <i64>full : high != 0;
  }
  if (b == 0) store<u16>(STATE, <u16>(low | (high << 8)), S_RAX);
  else {
    putSlot(S_RAX, b, low);
    putSlot(S_RDX, b, high);
  }
  setFlags(szp(low, b) | (overflow ? FLAG_CF | FLAG_OF : 0));
}

/** DIV, IDIV: a = divisor slot, b = size, imm = 1 when signed. Flags are left alone. */
export function divide(a: u32, b: u32, imm: u64): void {
  const d = getSlot(a, b);
  if (d == 0) {
    raise(EXC_DE);
    return;
  }
  if (b == 3) {
    divide64(d, imm != 0);
    return;
  }
  const bits = <u64>(8 << b);
  const n = b == 0 ? <u64>load<u16>(STATE, S_RAX) : getSlot(S_RAX, b) | (getSlot(S_RDX, b) << bits);
  let q: u64;
  let r: u64;
  if (imm) {
    const sn = b == 2 ? <i64>n : signExtend(n, b + 1);
    const sd = signExtend(d, b);
    // The one case whose quotient does not even fit 64 bits.
    if (sd == -1 && sn == i64.MIN_VALUE) {
      raise(EXC_DE);
      return;
    }
    const sq = sn / sd;
    if (sq != signExtend(<u64>sq, b)) {
      raise(EXC_DE);
      return;
    }
    q = <u64>sq;
    r = <u64>(sn % sd);
  } else {
    q = n / d;
    if (q > maskOf(b)) {
      raise(EXC_DE);
      return;
    }
    r = n % d;
  }
  if (b == 0) store<u16>(STATE, <u16>((q & 0xff) | ((r & 0xff) << 8)), S_RAX);
  else {
    putSlot(S_RAX, b, q & maskOf(b));
    putSlot(S_RDX, b, r & maskOf(b));
  }
}

/** 128 by 64 bits. */
function divide64(divisor: u64, signed: bool): void {
  let low = load<u64>(STATE, S_RAX);
  let high = load<u64>(STATE, S_RDX);
  let d = divisor;
  const negative = signed && <i64>high < 0;
  const negativeDivisor = signed && <i64>d < 0;
  if (negative) {
    low = 0 - low;
    high = ~high + u64(low == 0);
  }
  if (negativeDivisor) d = 0 - d;
  if (high >= d) {
    raise(EXC_DE);
    return;
  }
  let q: u64;
  let r: u64;
  if (high == 0) {
    q = low / d;
    r = low % d;
  } else {
    q = 0;
    r = high;
    for (let i = 0; i < 64; i++) {
      const carry = r >> 63;
      r = (r << 1) | (low >> 63);
      low <<= 1;
      q <<= 1;
      if (carry || r >= d) {
        r -= d;
        q |= 1;
      }
    }
  }
  if (signed) {
    const quotientNegative = negative != negativeDivisor;
    if (quotientNegative ? q > 0x8000000000000000 : q > 0x7fffffffffffffff) {
      raise(EXC_DE);
      return;
    }
    if (quotientNegative) q = 0 - q;
    if (negative) r = 0 - r;
  }
  store<u64>(STATE, q, S_RAX);
  store<u64>(STATE, r, S_RDX);
}

/** RCL, RCR: a = operand slot (in place), b = count slot, imm = size | right << 2 | (count is imm >> 8) << 3. */
export function rotateCarry(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const bits = <u64>(8 << size);
  const raw = imm & 8 ? <u32>(imm >> 8) : load<u8>(STATE + <usize>b);
  const masked = raw & (size == 3 ? 63 : 31);
  const n = size < 2 ? masked % (<u32>bits + 1) : masked;
  let v = getSlot(a, size);
  let c = <u64>getCF();
  const right = (imm & 4) != 0;
  for (let i: u32 = 0; i < n; i++) {
    if (right) {
      const out = v & 1;
      v = (v >> 1) | (c << (bits - 1));
      c = out;
    } else {
      const out = (v >> (bits - 1)) & 1;
      v = ((v << 1) | c) & maskOf(size);
      c = out;
    }
  }
  putSlot(a, size, v);
  if (!masked) return;
  const top = (v >> (bits - 1)) & 1;
  const overflow = right ? top ^ ((v >> (bits - 2)) & 1) : top ^ c;
  setFlags((getFlags() & ~(FLAG_CF | FLAG_OF)) | <u32>c | ((<u32>overflow) << 11));
}

/** SHLD, SHRD: a = destination slot (in place), b = source slot, imm = size | right << 2 | count << 8, count 0xFF: CL. */
export function doubleShift(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const bits = <u64>(8 << size);
  let n = (imm >> 8) & 0xff;
  if (imm & 8) n = load<u8>(STATE, S_RCX);
  n &= size == 3 ? 63 : 31;
  const d = getSlot(a, size);
  if (!n) {
    putSlot(a, size, d);
    return;
  }
  const s = getSlot(b, size);
  let r: u64;
  let cf: u64;
  if (size == 1) {
    // 16-bit counts above 16 are undefined; processors go on shifting dest:src:dest.
    const right = (imm & 4) != 0;
    const three = right ? d | (s << 16) | (d << 32) : (d << 32) | (s << 16) | d;
    if (right) {
      r = (three >> n) & 0xffff;
      cf = (three >> (n - 1)) & 1;
    } else {
      r = ((three << n) >> 32) & 0xffff;
      cf = ((three << (n - 1)) >> 47) & 1;
    }
  } else if (imm & 4) {
    r = ((d >> n) | (s << (bits - n))) & maskOf(size);
    cf = (d >> (n - 1)) & 1;
  } else {
    r = ((d << n) | (s >> (bits - n))) & maskOf(size);
    cf = (d >> (bits - n)) & 1;
  }
  putSlot(a, size, r);
  const changed = ((d ^ r) >> (bits - 1)) & 1;
  setFlags(szp(r, size) | <u32>cf | (changed ? FLAG_OF : 0));
}

/** BT, BTS, BTR, BTC on a slot: a = operand (in place), b = bit number's slot, imm = size | what << 2 | immediate bit << 8 | 0x10 if immediate. */
export function bitTest(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const number = imm & 0x10 ? imm >> 8 : getSlot(b, size);
  const bit = number & <u64>((8 << size) - 1);
  const v = getSlot(a, size);
  setFlags((getFlags() & ~FLAG_CF) | <u32>((v >> bit) & 1));
  const what = (<u32>imm >> 2) & 3;
  if (what == 1) putSlot(a, size, v | ((<u64>1) << bit));
  else if (what == 2) putSlot(a, size, v & ~((<u64>1) << bit));
  else if (what == 3) putSlot(a, size, v ^ ((<u64>1) << bit));
}

/** Adds to the offset in slot a what a bit number in slot b selects beyond the operand; imm = size | address size << 2. */
export function bitOffset(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const number = signExtend(getSlot(b, size), size);
  const bytes = (number >> <i64>(3 + size)) << (<i64>size);
  store<u64>(STATE + <usize>a, (load<u64>(STATE + <usize>a) + <u64>bytes) & maskOf((<u32>imm >> 2) & 3));
}

/** BSF, BSR: a = destination, b = source, imm = size | reverse << 2. A zero source leaves the destination alone. */
export function bitScan(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  const v = getSlot(b, size);
  // Only ZF is defined; the others are left as they were.
  const flags = getFlags() & ~FLAG_ZF;
  if (!v) {
    setFlags(flags | FLAG_ZF);
    return;
  }
  putSlot(a, size, imm & 4 ? 63 - clz(v) : ctz(v));
  setFlags(flags);
}

/** POPCNT: a = destination, b = source, imm = size. */
export function populationCount(a: u32, b: u32, imm: u64): void {
  const v = getSlot(b, <u32>imm);
  putSlot(a, <u32>imm, popcnt(v));
  setFlags(v ? 0 : FLAG_ZF);
}

/** CRC32 (polynomial 11EDC6F41h, reflected): a = destination, b = source, imm = source size | destination is 64 bits << 2. */
export function crc32c(a: u32, b: u32, imm: u64): void {
  const size = <u32>imm & 3;
  let crc = load<u32>(STATE + <usize>a);
  let v = getSlot(b, size);
  for (let i = 0; i < 1 << size; i++) {
    crc ^= <u32>v & 0xff;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
    v >>= 8;
  }
  store<u64>(STATE + <usize>a, crc);
}

/** CMPXCHG8B, CMPXCHG16B: a = slot of the linear address, imm = 1 for 16 bytes. */
export function compareExchangeWide(a: u32, _b: u32, imm: u64): void {
  const at = load<u64>(STATE + <usize>a);
  const flags = getFlags();
  if (!imm) {
    if (!probeWrite(at, 8)) return;
    const old = read64(at);
    if (faulted()) return;
    const expected = <u64>load<u32>(STATE, S_RAX) | ((<u64>load<u32>(STATE, S_RDX)) << 32);
    if (old == expected) {
      write64(at, <u64>load<u32>(STATE, S_RBX) | ((<u64>load<u32>(STATE, S_RCX)) << 32));
      setFlags(flags | FLAG_ZF);
    } else {
      // The write cycle takes place all the same.
      write64(at, old);
      store<u64>(STATE, old & 0xffffffff, S_RAX);
      store<u64>(STATE, old >> 32, S_RDX);
      setFlags(flags & ~FLAG_ZF);
    }
    return;
  }
  if (at & 15) {
    raiseGP(0);
    return;
  }
  if (!probeWrite(at, 16)) return;
  const low = read64(at);
  const high = read64(at + 8);
  if (faulted()) return;
  if (low == load<u64>(STATE, S_RAX) && high == load<u64>(STATE, S_RDX)) {
    write64(at, load<u64>(STATE, S_RBX));
    write64(at + 8, load<u64>(STATE, S_RCX));
    setFlags(flags | FLAG_ZF);
  } else {
    write64(at, low);
    write64(at + 8, high);
    store<u64>(STATE, low, S_RAX);
    store<u64>(STATE, high, S_RDX);
    setFlags(flags & ~FLAG_ZF);
  }
}

// --- Decimal adjustment (SDM vol. 2, AAA … DAS). Undefined flags follow the result. ---

/** imm: 0 DAA, 1 DAS. */
export function decimalAdjust(_a: u32, _b: u32, imm: u64): void {
  const old = load<u8>(STATE, S_RAX);
  const f = getFlags();
  let al: u32 = old;
  let flags: u32 = 0;
  const subtract = imm != 0;
  if ((old & 15) > 9 || f & FLAG_AF) {
    if (subtract ? al < 6 : al > 0xf9) flags |= FLAG_CF;
    al = subtract ? al - 6 : al + 6;
    flags |= FLAG_AF | (f & FLAG_CF);
  }
  if (old > 0x99 || f & FLAG_CF) {
    al = subtract ? al - 0x60 : al + 0x60;
    flags |= FLAG_CF;
  } else if (!subtract) flags &= ~FLAG_CF;
  store<u8>(STATE, al, S_RAX);
  setFlags(flags | szp(al, 0));
}

/** imm: 0 AAA, 1 AAS. */
export function asciiAdjust(_a: u32, _b: u32, imm: u64): void {
  const f = getFlags();
  let ax: u32 = load<u16>(STATE, S_RAX);
  let flags: u32 = 0;
  if ((ax & 15) > 9 || f & FLAG_AF) {
    ax = imm ? ax - 0x106 : ax + 0x106;
    flags = FLAG_AF | FLAG_CF;
  }
  ax &= 0xff0f;
  store<u16>(STATE, ax, S_RAX);
  setFlags(flags | szp(ax & 0xff, 0));
}

/** AAM: imm = base. */
export function asciiMultiply(_a: u32, _b: u32, imm: u64): void {
  const base = <u32>imm & 0xff;
  if (!base) {
    raise(EXC_DE);
    return;
  }
  const al = <u32>load<u8>(STATE, S_RAX);
  store<u16>(STATE, ((al / base) << 8) | (al % base), S_RAX);
  setFlags(szp(al % base, 0));
}

/** AAD: imm = base. */
export function asciiDivide(_a: u32, _b: u32, imm: u64): void {
  const ax = <u32>load<u16>(STATE, S_RAX);
  const al = ((ax & 0xff) + (ax >> 8) * (<u32>imm & 0xff)) & 0xff;
  store<u16>(STATE, al, S_RAX);
  setFlags(szp(al, 0));
}

/** SALC (D6): AL = CF ? FF : 0. */
export function setAlFromCarry(_a: u32, _b: u32, _imm: u64): void {
  store<u8>(STATE, getCF() ? 0xff : 0, S_RAX);
}
