// Operand values that an instruction needs to do something worth seeing: quotients that fit, equal operands for a
// compare-and-exchange, shift counts about the width, string lengths.

import * as L from '../../assembly/layout/x86-state.js';
import { type Draft, peek, poke, pokeInteger, readRm } from './draft.js';
import { little } from './encode.js';
import { segmentsOf } from './environment.js';
import { SHIFTS } from './rows.js';
import { integer, shiftCount } from './values.js';

const low = (d: Draft, register: number, size: number) => BigInt.asUintN(8 * size, d.state.gpr(register));

/** Replaces the low bytes of a register. */
function setLow(d: Draft, register: number, value: bigint, size: number): void {
  const bits = 8 * size;
  const old = d.state.gpr(register);
  d.state.setGpr(register, ((old >> BigInt(bits)) << BigInt(bits)) | BigInt.asUintN(bits, value));
}

const registerBits = (d: Draft) => (d.mode === '64' ? 64 : 32);
const stackPointer = (d: Draft) =>
  Number(BigInt.asUintN(d.mode === '16' ? 16 : registerBits(d), d.state.gpr(4))) + segmentsOf(d.mode).ss.base;

function tuneShift(d: Draft): void {
  const { random, row, opSize, encoding } = d;
  const mask = d.row.operands[0].endsWith('b') || opSize !== 3 ? 31 : 63;
  const last = row.operands[row.operands.length - 1];
  if (last === 'CL') {
    d.pinned.add(1);
    const target = d.ea === null ? d.rm : -1;
    if (target !== 1 || random.oneIn(2)) setLow(d, 1, BigInt(shiftCount(random, opSize)), 1);
    d.count = Number(d.state.gpr(1) & 0xffn) & mask;
  } else d.count = last === '1' ? 1 : encoding.immediate[0] & mask;
}

/** Dividends whose quotient mostly fits. */
function tuneDivision(d: Draft): void {
  const { random, row, opSize } = d;
  const size = row.operands[0] === 'Eb' ? 1 : 1 << opSize;
  d.pinned.add(0).add(2);
  const bits = 8 * size;
  let divisor = readRm(d, size);
  if (divisor === 0n && !random.oneIn(4)) {
    divisor = BigInt(random.between(1, 100));
    if (d.ea !== null) pokeInteger(d, d.ea, divisor, size);
    else if (size > 1) setLow(d, d.rm, divisor, size);
  }
  if (random.oneIn(5)) return;
  const signed = row.mnemonic === 'IDIV';
  const by = signed ? BigInt.asIntN(bits, divisor) : divisor;
  const quotient = signed ? BigInt.asIntN(bits, integer(random, bits)) : integer(random, bits);
  const rest = by === 0n ? 0n : random.u64() % (by < 0n ? -by : by);
  const dividend = BigInt.asUintN(2 * bits, quotient * by + rest);
  if (size === 1) setLow(d, 0, dividend, 2);
  else {
    setLow(d, 0, dividend, size);
    setLow(d, 2, dividend >> BigInt(bits), size);
  }
}

function tuneCompareExchange(d: Draft): void {
  const size = d.row.operands[0] === 'Eb' ? 1 : 1 << d.opSize;
  d.pinned.add(0);
  if (d.random.oneIn(2)) setLow(d, 0, readRm(d, size), size);
}

function tuneCompareExchangeWide(d: Draft): void {
  const { random, ea, opSize } = d;
  if (ea === null) return;
  for (const r of [0, 1, 2, 3]) d.pinned.add(r);
  const half = opSize === 3 ? 8 : 4;
  if (random.oneIn(2)) return;
  setLow(d, 0, peek(d, ea, half), half);
  setLow(d, 2, peek(d, ea + half, half), half);
}

/** Bit offsets that stay inside the data window. */
function tuneBitTest(d: Draft): void {
  const { random, row, opSize, ea } = d;
  if (row.operands[1] !== 'Gv' || ea === null) return;
  d.pinned.add(d.reg);
  setLow(d, d.reg, BigInt(random.oneIn(3) ? random.below(8 << opSize) : random.between(-700, 700)), 1 << opSize);
}

function tuneTranslate(d: Draft): void {
  const { random, state, width, mode } = d;
  const al = state.gpr(0) & 0xffn;
  const high = random.u64() & (mode === '64' ? ~0n : 0xffffffffn);
  const base = BigInt(d.data + random.between(-40, 40) - segmentsOf(mode).ds.base) - al;
  state.setGpr(3, BigInt.asUintN(width, base) | ((high >> BigInt(width)) << BigInt(width)));
}

function tuneEnter(d: Draft): void {
  const { random, encoding, mode, opSize } = d;
  const frame = random.oneIn(8) ? random.below(0x10000) : random.below(64);
  const level = random.pick([0, 0, 1, 2, 3, 5, 32, 33]);
  encoding.immediate = [...little(frame, 2), level];
  // The frames of outer levels are read through RBP.
  const size = mode === '64' && opSize !== 1 ? 8 : 1 << opSize;
  const at = stackPointer(d) + 8 * random.between(4, 6) - segmentsOf(mode).ss.base;
  setLow(d, 5, BigInt(at), mode === '16' ? 2 : mode === '64' ? 8 : 4);
  pokeInteger(d, stackPointer(d), random.u64(), size);
}

function tuneLeave(d: Draft): void {
  const at = stackPointer(d) + 8 * d.random.between(-3, 6) - segmentsOf(d.mode).ss.base;
  setLow(d, 5, BigInt(at), d.mode === '16' ? 2 : d.mode === '64' ? 8 : 4);
}

/** TF would trap and NT would confuse the host's IRET: neither is popped. */
function tunePopFlags(d: Draft): void {
  const { random, mode, opSize } = d;
  let flags = random.u32() & ~(L.FLAG_TF | L.FLAG_NT | L.FLAG_AC) & 0x3fffff;
  if (random.oneIn(4)) flags &= L.FLAGS_ARITH;
  pokeInteger(d, stackPointer(d), BigInt(flags), mode === '64' ? 8 : 1 << opSize);
}

function tuneMaskMove(d: Draft): void {
  const { state, random, width } = d;
  state.setGpr(7, BigInt(d.data + random.between(-40, 40)) | (width === 64 ? 0n : (random.u64() >> 32n) << 32n));
}

/** Explicit lengths, also negative ones and ones beyond the register. */
function tuneStringCompare(d: Draft): void {
  for (const r of [0, 2]) {
    d.pinned.add(r);
    const length = d.random.oneIn(8) ? d.random.u32() : d.random.between(-20, 20);
    d.state.setGpr(r, BigInt.asUintN(registerBits(d), BigInt(length)));
  }
}

/** Reserved bits of MXCSR are #GP. */
function tuneLoadMxcsr(d: Draft): void {
  if (d.ea !== null) pokeInteger(d, d.ea, BigInt(d.random.oneIn(6) ? d.random.u32() : d.random.below(0x10000)), 4);
}

/** BOUND: an index within, at or outside its limits. */
function tuneBound(d: Draft): void {
  const { random, ea, opSize } = d;
  if (ea === null) return;
  d.pinned.add(d.reg);
  const size = 1 << opSize;
  const index = BigInt.asIntN(8 * size, low(d, d.reg, size));
  pokeInteger(d, ea, index + BigInt(random.pick([-5, 0, 0, 1, -1])), size);
  pokeInteger(d, ea + size, index + BigInt(random.pick([5, 0, 0, 1, -1])), size);
}

/** The segment bases that these read and write are any canonical address. */
function tuneSegmentBase(d: Draft): void {
  const { random, state, row } = d;
  for (const index of [L.SEG_FS, L.SEG_GS]) {
    state.setSegment(index, { ...state.segment(index), base: BigInt.asUintN(64, BigInt.asIntN(47, random.u64())) });
  }
  if (row.mnemonic.startsWith('WR')) {
    const canonical = BigInt.asUintN(64, BigInt.asIntN(47, random.u64()));
    state.setGpr(d.rm, random.oneIn(5) ? random.u64() : canonical);
  }
}

/** AAM: base 0 is #DE; base 10 is what assemblers write. */
function tuneAsciiMultiply(d: Draft): void {
  if (d.random.oneIn(3)) d.encoding.immediate = [d.random.pick([0, 10, 10])];
}

/** A valid MXCSR in the image, mostly. */
function tuneRestore(d: Draft): void {
  if (d.ea !== null && !d.random.oneIn(8)) poke(d, d.ea + 24, little(d.random.below(0x10000), 4));
}

const BY_NAME: readonly (readonly [RegExp, (d: Draft) => void])[] = [
  [SHIFTS, tuneShift],
  [/^BT[SRC]?$/, tuneBitTest],
  [/^PCMPEST/, tuneStringCompare],
  [/^(RD|WR)[FG]SBASE$/, tuneSegmentBase],
  [/^I?DIV$/, tuneDivision],
  [/^CMPXCHG$/, tuneCompareExchange],
  [/^CMPXCHG8B$/, tuneCompareExchangeWide],
  [/^XLAT$/, tuneTranslate],
  [/^ENTER$/, tuneEnter],
  [/^LEAVE$/, tuneLeave],
  [/^POPF$/, tunePopFlags],
  [/^MASKMOV/, tuneMaskMove],
  [/^LDMXCSR$/, tuneLoadMxcsr],
  [/^BOUND$/, tuneBound],
  [/^AAM$/, tuneAsciiMultiply],
  [/^FXRSTOR$/, tuneRestore],
];

export function tune(d: Draft): void {
  for (const [name, change] of BY_NAME) if (name.test(d.row.mnemonic)) change(d);
}
