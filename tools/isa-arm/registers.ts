// Registers before a case: general registers with corner values, vector registers with lanes of one kind, FPCR, flags.

import type { Random } from '../isa/random.js';
import { fillKind, integer } from '../isa/values.js';
import * as I from './case.js';
import type { LaneKind } from './row.js';

/** FPCR fields (Arm ARM C5.2.8). */
const AHP = 1 << 26;
const DN = 1 << 25;
const FZ = 1 << 24;
const RMODE = 22;
/** FPSR's sticky bits: QC, IDC, IXC, UFC, OFC, DZC, IOC (C5.2.10). */
const STICKY = 0x0800009f;

const F16 = [
  0x0000, 0x8000, 0x3c00, 0xbc00, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00,
  0xfe00, 0x7d01, 0xfc01, 0x7fff, 0x3555,
];
const half = (random: Random) => (random.oneIn(2) ? random.pick(F16) : random.u32() & 0xffff);
/** Near the borders of tables of one to four registers. */
const tableIndex = (random: Random) =>
  random.oneIn(4) ? random.u32() & 0xff : (16 * random.between(0, 4) + random.between(-3, 12)) & 0xff;

function fill(random: Random, view: DataView, at: number, kind: LaneKind): void {
  if (kind === 'f16') for (let i = 0; i < 16; i += 2) view.setUint16(at + i, half(random), true);
  else if (kind === 'index') for (let i = 0; i < 16; i++) view.setUint8(at + i, tableIndex(random));
  else fillKind(random, view, at, 16, kind);
}

/** All registers random; `vectors` are those that the instruction reads, by number. */
export function setUpRegisters(random: Random, view: DataView, vectors: ReadonlySet<number>, kind: LaneKind): void {
  for (let i = 0; i < 31; i++) view.setBigUint64(I.IMAGE_X + 8 * i, integer(random, 64), true);
  // Linux keeps EL0's stack pointer aligned, and SCTLR_EL1.SA0 insists on it.
  view.setBigUint64(I.IMAGE_SP, integer(random, 64) & ~15n, true);
  view.setBigUint64(I.IMAGE_TPIDR, random.u64(), true);
  for (let i = 0; i < 32; i++) {
    const at = I.IMAGE_V + 16 * i;
    if (vectors.has(i)) fill(random, view, at, kind);
    else for (let k = 0; k < 16; k += 4) view.setUint32(at + k, random.u32(), true);
  }
  view.setUint32(I.IMAGE_NZCV, (random.u32() & 0xf0000000) >>> 0, true);
  view.setUint32(I.IMAGE_FPSR, random.oneIn(4) ? random.u32() & STICKY : 0, true);
}

/** Every other case rounds to nearest with nothing else set, as nearly all programs do. */
export function randomFpcr(random: Random): number {
  if (random.oneIn(2)) return 0;
  let fpcr = random.below(4) << RMODE;
  if (random.oneIn(3)) fpcr |= FZ;
  if (random.oneIn(3)) fpcr |= DN;
  if (random.oneIn(4)) fpcr |= AHP;
  return fpcr;
}
