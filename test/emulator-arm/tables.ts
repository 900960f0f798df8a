// Builds translation tables (Arm ARM D5.3) in a rig's memory.

import type { Rig } from './rig.js';
import { TABLES } from './rig.js';

export type Granule = 12 | 14 | 16;

// Descriptor bits.
export const AF = 1n << 10n;
export const NG = 1n << 11n;
/** AP[1]: EL0 may access. AP[2]: read-only. */
export const USER = 1n << 6n;
export const READ_ONLY = 1n << 7n;
export const PXN = 1n << 53n;
export const UXN = 1n << 54n;
// In a table descriptor.
export const TABLE_NO_USER = 1n << 61n;
export const TABLE_READ_ONLY = 1n << 62n;
export const TABLE_PXN = 1n << 59n;
export const TABLE_UXN = 1n << 60n;
// Stage 2.
export const S2_READ = 1n << 6n;
export const S2_WRITE = 1n << 7n;
export const S2_XN = 1n << 54n;
/** MemAttr: Normal write-back. */
export const S2_NORMAL = 0xfn << 2n;

/** Where the next table goes, one for each memory. */
const next = new WeakMap<object, number>();

function take(rig: Rig, granule: Granule): number {
  const size = 1 << granule;
  const at = Math.ceil((next.get(rig) ?? TABLES) / size) * size;
  next.set(rig, at + size);
  return at;
}

/** Tables of one stage. */
export class Tables {
  readonly root: number;
  private readonly stride: number;

  constructor(
    private readonly rig: Rig,
    readonly granule: Granule,
    /** Level of the first table, bits of addresses that come in. */
    private readonly start: number,
    private readonly inputBits = 48,
  ) {
    this.stride = granule - 3;
    this.root = take(rig, granule);
  }

  private shift(level: number): bigint {
    return BigInt((3 - level) * this.stride + this.granule);
  }

  /** Address of the descriptor for `va` at `level`; makes the tables above it. */
  entry(va: bigint, level: number): number {
    let table = this.root;
    const masked = va & ((1n << BigInt(this.inputBits)) - 1n);
    for (let l = this.start; ; l++) {
      const index = Number((masked >> this.shift(l)) & ((1n << BigInt(this.stride + (l === this.start ? 4 : 0))) - 1n));
      const at = table + 8 * index;
      if (l === level) return at;
      const d = this.rig.memory.readU64(at);
      if ((d & 3n) === 3n) table = Number(d & 0xfffffffff000n);
      else {
        table = take(this.rig, this.granule);
        this.rig.memory.writeU64(at, BigInt(table) | 3n);
      }
    }
  }

  /** Maps the page or block of `va` at `level` to `pa` with `attributes` (AF not included). */
  map(va: bigint, pa: number | bigint, attributes: bigint, level = 3): this {
    this.rig.memory.writeU64(this.entry(va, level), BigInt(pa) | attributes | (level === 3 ? 3n : 1n));
    return this;
  }
}
