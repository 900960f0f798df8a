// x87, MMX and SSE state before a case: registers, control and status words.

import * as L from '../../assembly/layout/x86-state.js';
import { x87Tag } from '../../src/vmm/convert.js';
import type { Draft } from './draft.js';
import { classOf } from './rows.js';
import { fillKind, float80 } from './values.js';

/** Exception flags of FSW and MXCSR; exception masks of FCW. */
const EXCEPTIONS = 0x3f;
const FSW_ES = 0x80;
const FSW_B = 0x8000;
/** FCW bit 6 reads as one. */
const FCW_FIXED = 0x40;

export function setUpFloatingPoint(d: Draft): void {
  const { random, state } = d;
  for (let i = 0; i < 16; i++) fillKind(random, state.view, L.S_XMM + 16 * i, 16, 'int');
  setUpMxcsr(d);
  setUpX87(d, classOf(d.row) === 'x87');
}

function setUpMxcsr(d: Draft): void {
  const { random, state } = d;
  let mxcsr = 0x1f80;
  if (random.oneIn(2)) {
    // Rounding control, FZ and DAZ, sticky flags.
    mxcsr |= random.u32() & 0x6000;
    if (random.oneIn(3)) mxcsr |= random.u32() & 0x8040;
    if (random.oneIn(3)) mxcsr |= random.u32() & EXCEPTIONS;
    // Unmasked exceptions.
    if (random.oneIn(8)) mxcsr &= ~(random.u32() & 0x1f80);
  }
  state.setU32(L.S_MXCSR, mxcsr);
}

function setUpX87(d: Draft, arithmetic: boolean): void {
  const { random, state } = d;
  const precision = random.pick([0x300, 0x300, 0x300, 0x200, 0x000]);
  let fcw = FCW_FIXED | EXCEPTIONS | precision | (random.below(4) << 10);
  if (random.oneIn(10)) fcw &= ~(random.u32() & EXCEPTIONS);
  const top = random.below(8);
  // Condition codes, stack fault and sticky flags are whatever came before.
  let fsw = (top << 11) | (random.u32() & 0x4700);
  if (random.oneIn(4)) fsw |= random.u32() & 0x7f & (random.oneIn(4) ? 0x7f : fcw | 0x40);
  if (fsw & ~fcw & EXCEPTIONS) fsw |= FSW_ES | FSW_B;
  // Mostly full registers; empty ones are stack faults.
  const full = random.oneIn(3);
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    const slot = L.S_FPR + 16 * i;
    if (arithmetic) {
      const [significand, exponent] = float80(random);
      state.setU64(slot, significand);
      state.setU64(slot + 8, BigInt(exponent));
    } else {
      fillKind(random, state.view, slot, 8, 'int');
      state.setU64(slot + 8, random.oneIn(2) ? 0xffffn : BigInt(random.below(0x10000)));
    }
    const empty = !full && random.oneIn(6);
    const tag = empty ? 3 : x87Tag(state.u64(slot), state.u16(slot + 8));
    tags |= tag << (2 * i);
  }
  // Pushes need room: the register that the next one would take is empty half of the time.
  if (random.oneIn(2)) tags |= 3 << (2 * ((top - 1) & 7));
  state.setU16(L.S_FCW, fcw);
  state.setU16(L.S_FSW, fsw);
  state.setU16(L.S_FTW, tags);
}
