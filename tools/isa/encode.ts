// Machine code of one instruction from an opcode row and the choices made for its operands, and the register values
// that make a chosen addressing form reach a chosen address.

import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import type { CaseMode } from './environment.js';
import type { Random } from './random.js';

/** Parts of an instruction in the order of SDM vol. 2, figure 2-1. */
export interface Encoding {
  /** Legacy prefixes. */
  readonly prefixes: number[];
  /** REX bits (0x48 …), or 0 for no REX. */
  rex: number;
  opcode: readonly number[];
  /** ModRM, SIB, displacement; empty if none. */
  modrm: number[];
  immediate: number[];
  /** The last four bytes of modrm are to hold this linear address relative to the next instruction. */
  ripTarget: bigint | null;
}

export function little(value: bigint | number, bytes: number): number[] {
  const v = BigInt(value);
  return Array.from({ length: bytes }, (_, i) => Number((v >> BigInt(8 * i)) & 0xffn));
}

/** @param rip linear address of the instruction, for RIP-relative operands */
export function assemble(e: Encoding, rip: number): Uint8Array {
  const rex = e.rex ? [e.rex] : [];
  const length = e.prefixes.length + rex.length + e.opcode.length + e.modrm.length + e.immediate.length;
  const modrm = [...e.modrm];
  if (e.ripTarget !== null) {
    modrm.splice(modrm.length - 4, 4, ...little(BigInt.asIntN(32, e.ripTarget - BigInt(rip + length)), 4));
  }
  return Uint8Array.from([...e.prefixes, ...rex, ...e.opcode, ...modrm, ...e.immediate]);
}

/** What an addressing form has to reach. */
export interface Target {
  readonly mode: CaseMode;
  /** Address width in bits: 16, 32 or 64. */
  readonly width: number;
  /** Offset in the segment, which the form has to give modulo 2^width. */
  readonly offset: bigint;
  /** Registers that may not change. */
  readonly pinned: ReadonlySet<number>;
  /** ModRM.reg, 0–15. */
  readonly reg: number;
}

const signed = (value: bigint, bits: number) => BigInt.asIntN(bits, value);
const fits = (value: bigint, bits: number) => signed(value, bits) === value;

/** Sets a register so that its low `width` bits are `value`; what lies above them must not matter. */
function setAddress(random: Random, state: X86State, register: number, value: bigint, width: number): void {
  const low = BigInt.asUintN(width, value);
  state.setGpr(register, width === 64 ? low : low | ((random.u64() >> BigInt(width)) << BigInt(width)));
}

function pickRegister(random: Random, t: Target, count: number): number {
  for (;;) {
    const r = random.below(count);
    if (!t.pinned.has(r)) return r;
  }
}

/** Registers of the 16-bit forms by ModRM.rm (SDM vol. 2, table 2-1). */
const FORMS16: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]];

function address16(random: Random, state: X86State, t: Target, e: Encoding): void {
  const usable = FORMS16.map((_, i) => i).filter((i) => FORMS16[i].every((r) => !t.pinned.has(r)));
  let mod = random.below(3);
  let rm = usable.length ? random.pick(usable) : 6;
  if (usable.length === 0 || random.oneIn(8)) [mod, rm] = [0, 6];
  const direct = mod === 0 && rm === 6;
  const disp = direct
    ? t.offset
    : mod === 0
      ? 0n
      : mod === 1
        ? BigInt(random.between(-128, 127))
        : BigInt.asIntN(16, random.u64());
  if (!direct) {
    const [base, index] = FORMS16[rm];
    let rest = t.offset - disp;
    if (index !== undefined) {
      const i = random.u64();
      setAddress(random, state, index, i, 16);
      rest -= i;
    }
    setAddress(random, state, base, rest, 16);
  }
  e.modrm = [(mod << 6) | ((t.reg & 7) << 3) | rm, ...little(disp, direct || mod === 2 ? 2 : mod)];
}

/**
 * Picks an addressing form that reaches the target, sets its registers in `state`, and appends ModRM, SIB and
 * displacement and the REX bits to `e`.
 */
export function encodeAddress(random: Random, state: X86State, t: Target, e: Encoding): void {
  if (t.width === 16) {
    address16(random, state, t, e);
    return;
  }
  const { width } = t;
  const long = t.mode === '64';
  const registers = long ? 16 : 8;
  const regField = (t.reg & 7) << 3;
  const target = BigInt.asUintN(width, t.offset);
  const absolute = fits(target, 32) || !long;
  const form = random.pick([
    'base',
    'base',
    'base8',
    'base8',
    'base32',
    'sib',
    'sib8',
    'sib32',
    'sib32',
    'index',
    'absolute',
    'rip',
  ]);

  if ((form === 'absolute' && absolute) || (form === 'rip' && !long)) {
    // In 64-bit mode only a SIB byte without base and index means an absolute address (SDM vol. 2, table 2-7).
    e.modrm =
      long || random.oneIn(3) ? [regField | 4, 0x25, ...little(target, 4)] : [regField | 5, ...little(target, 4)];
    return;
  }
  if (form === 'rip' && target < 0x80000000n) {
    e.modrm = [regField | 5, 0, 0, 0, 0];
    e.ripTarget = target;
    return;
  }
  if (form === 'index') {
    const scale = random.below(4);
    const index = indexRegister(random, t, registers);
    const disp = BigInt.asIntN(32, (random.u64() & ~7n) | (target & 7n));
    setAddress(random, state, index, (target - disp) >> BigInt(scale), width);
    e.modrm = [regField | 4, (scale << 6) | ((index & 7) << 3) | 5, ...little(disp, 4)];
    e.rex |= index >= 8 ? 0x42 : 0;
    return;
  }

  const base = pickRegister(random, t, registers);
  const withSib = form.startsWith('sib') || (base & 7) === 4;
  let dispSize = form.endsWith('8') ? 1 : form.endsWith('32') ? 4 : 0;
  // Base 5 and 13 without displacement mean something else.
  if (dispSize === 0 && (base & 7) === 5) dispSize = 1;
  let disp = dispSize === 1 ? BigInt(random.between(-128, 127)) : dispSize === 4 ? BigInt.asIntN(32, random.u64()) : 0n;
  let sib = 0x20 | (base & 7);
  if (form.startsWith('sib')) {
    const index = indexRegister(random, t, registers);
    const scale = random.below(4);
    if (index === base) {
      // (1 + 2^scale) r + disp = target: the displacement takes what the division leaves.
      const factor = 1n + (1n << BigInt(scale));
      const small = target < 0x40000000n ? target : target & 0x3fffffffn;
      const r = small / factor - BigInt(random.below(1000));
      disp = BigInt.asIntN(32, target - factor * r);
      dispSize = 4;
      if (!fits(target - factor * r, 32) && width === 64) {
        // Out of reach for a register that is base and index at once: leave the index out.
        setAddress(random, state, base, target - disp, width);
        sib = 0x20 | (base & 7);
      } else {
        setAddress(random, state, base, r, width);
        sib = (scale << 6) | ((index & 7) << 3) | (base & 7);
        e.rex |= index >= 8 ? 0x42 : 0;
      }
    } else {
      const i = random.oneIn(2) ? BigInt(random.between(-512, 512)) : random.u64();
      setAddress(random, state, index, i, width);
      setAddress(random, state, base, target - disp - (i << BigInt(scale)), width);
      sib = (scale << 6) | ((index & 7) << 3) | (base & 7);
      e.rex |= index >= 8 ? 0x42 : 0;
    }
  } else setAddress(random, state, base, target - disp, width);
  const mod = dispSize === 0 ? 0 : dispSize === 1 ? 0x40 : 0x80;
  e.rex |= base >= 8 ? 0x41 : 0;
  e.modrm = [mod | regField | (withSib ? 4 : base & 7), ...(withSib ? [sib] : []), ...little(disp, dispSize)];
}

/** RSP cannot be an index. */
function indexRegister(random: Random, t: Target, registers: number): number {
  for (;;) {
    const index = pickRegister(random, t, registers);
    if (index !== 4) return index;
  }
}

/** Slot of a general register's byte as ModRM names it: 4–7 are AH–BH without REX. */
export function byteRegisterSlot(register: number, rex: boolean): number {
  return !rex && register >= 4 && register < 8 ? L.S_RAX + 8 * (register - 4) + 1 : L.S_RAX + 8 * register;
}
