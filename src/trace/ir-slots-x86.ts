// Names for slots of the x86 vCPU's state, which are the operands of the IR.

import * as L from '../../assembly/layout/x86-state.js';
import { gpr } from './disassemble-x86-operands.js';

const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'];

/** Slots that have a name of their own: S_RIP is rip. */
const NAMED = new Map<number, string>(
  Object.entries(L)
    .filter(([name]) => name.startsWith('S_'))
    .map(([name, slot]) => [slot as number, name.slice(2).toLowerCase()]),
);

/** Which of an array of equal slots: its number, and the byte within it. */
function element(slot: number, base: number, bytes: number, count: number): [number, number] | undefined {
  const offset = slot - base;
  return offset < 0 || offset >= bytes * count ? undefined : [Math.floor(offset / bytes), offset % bytes];
}
const within = (name: string, byte: number): string => (byte ? `${name}[${byte}]` : name);

/**
 * Name of the slot at byte `slot` of the state, used as an operand of `1 << size` bytes: eax, ah, t0, xmm3, ds.base, or
 * state+0x… where there is none.
 */
export function x86SlotName(slot: number, size: number): string {
  const register = element(slot, L.S_RAX, 8, 16);
  if (register) {
    const [n, byte] = register;
    if (byte === 0 && size <= 3) return gpr(n, size, 1);
    if (byte === 1 && size === 0 && n < 4) return gpr(n + 4, 0, 0);
    return within(gpr(n, 3, 0), byte);
  }
  for (const [name, base, bytes, count] of [
    ['t', L.S_T0, 8, L.TEMPS],
    ['v', L.S_V0, 16, L.VTEMPS],
    ['xmm', L.S_XMM, 16, 16],
    ['fpr', L.S_FPR, 16, 8],
    ['dr', L.S_DR0, 8, 4],
  ] as const) {
    const found = element(slot, base, bytes, count);
    if (found) return within(name + found[0], found[1]);
  }
  const segment = element(slot, L.S_SEG, L.SEG_SIZE, 8);
  if (segment) {
    const field = { [L.SEG_BASE]: 'base', [L.SEG_LIMIT]: 'limit', [L.SEG_SELECTOR]: 'selector' }[segment[1]];
    if (field) return `${SEGMENTS[segment[0]]}.${field}`;
  }
  return NAMED.get(slot) ?? `state+0x${slot.toString(16)}`;
}

/** Name of a segment register by number (SEG_*). */
export function segmentName(segment: number): string {
  return SEGMENTS[segment] ?? `segment ${segment}`;
}
