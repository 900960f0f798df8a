// A case in the making, and its memory.

import type { OpcodeRow } from '../../assembly/layout/x86-opcodes.js';
import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import type { Window } from './case.js';
import { byteRegisterSlot, type Encoding, little } from './encode.js';
import { type CaseMode, LANDING, LANDING_SIZE } from './environment.js';
import type { Random } from './random.js';

/** A case in the making. */
export interface Draft {
  readonly random: Random;
  readonly row: OpcodeRow;
  readonly mode: CaseMode;
  readonly state: X86State;
  readonly opSize: number;
  /** Address size in bits. */
  readonly width: number;
  readonly linear: number;
  readonly encoding: Encoding;
  readonly windows: Window[];
  /** Registers whose values the instruction needs; addresses use others. */
  readonly pinned: Set<number>;
  /** ModRM.reg and, for register operands, ModRM.rm with REX. */
  reg: number;
  rm: number;
  /** Where data and stack lie: the middle of the window, or the boundary to memory that faults. */
  readonly data: number;
  readonly stack: number;
  /** Linear address of the memory operand, or null. */
  ea: number | null;
  count: number;
  /** Base of the memory operand's segment. */
  segmentBase: bigint;
}

/** Bytes of the windows at a linear address. */
export function poke(d: Draft, at: number, bytes: ArrayLike<number>): void {
  for (const w of d.windows) {
    for (let i = 0; i < bytes.length; i++) {
      const k = at + i - w.at;
      if (k >= 0 && k < w.bytes.length) w.bytes[k] = bytes[i];
    }
  }
}
export function pokeInteger(d: Draft, at: number, value: bigint, size: number): void {
  poke(d, at, little(value, size));
}
export function peek(d: Draft, at: number, size: number): bigint {
  let value = 0n;
  for (const w of d.windows) {
    for (let i = 0; i < size; i++) {
      const k = at + i - w.at;
      if (k >= 0 && k < w.bytes.length) value |= BigInt(w.bytes[k]) << BigInt(8 * i);
    }
  }
  return value;
}

/** Value of the r/m operand, `size` bytes. */
export function readRm(d: Draft, size: number): bigint {
  if (d.ea !== null) return peek(d, d.ea, size);
  const slot = size === 1 ? byteRegisterSlot(d.rm, d.encoding.rex !== 0) : L.S_RAX + 8 * d.rm;
  return BigInt.asUintN(8 * size, d.state.u64(slot));
}

/** A window of random bytes. */
export function randomWindow(random: Random, at: number, length: number): Window {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer);
  for (let i = 0; i < words.length; i++) words[i] = random.u32();
  return { at, bytes };
}

/** A place where a branch may go: nothing but fill lies there. */
export function landing(random: Random): number {
  return LANDING + random.below(LANDING_SIZE - 16);
}
