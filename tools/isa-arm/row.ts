// A row of the instruction tables: an encoding as the Arm ARM draws it, and what its operands need.

import type { Kind } from '../isa/values.js';

/** Values of an instruction's named fields. */
export type Fields = Readonly<Record<string, number>>;

/** What a vector register is filled with: lanes of one kind. */
export type LaneKind = Kind | 'f16' | 'index';

/** A memory operand: where the address comes from. */
export interface MemoryUse {
  /** Bytes from the address on. */
  readonly size: number;
  /** To be added to the base register, in bytes. For a register offset the index register's value is chosen. */
  readonly offset?: number;
  /** Register offset: extend option (Arm ARM C6, ExtendType) and shift. */
  readonly index?: { readonly option: number; readonly shift: number };
  /** The address is PC plus `offset`. */
  readonly literal?: boolean;
  /** Natural alignment is required: most addresses have it. */
  readonly aligned?: boolean;
  /** Only where all of it can be accessed. */
  readonly mapped?: boolean;
  /** Compare and swap: half of the time memory holds what Rs has. */
  readonly compared?: boolean;
}

/** A register that is given the address of a branch's target. */
export type Target = 'Rn';

export interface Row {
  readonly name: string;
  readonly pattern: Pattern;
  /** Multiple of the group's cases for each row. */
  readonly weight: number;
  /** What the vector operands are filled with. */
  readonly lanes?: (f: Fields) => LaneKind;
  /** False for encodings that are CONSTRAINED UNPREDICTABLE or another instruction. */
  readonly accept?: (f: Fields) => boolean;
  /** Fields that must be chosen together. */
  readonly fix?: (f: Record<string, number>) => void;
  readonly memory?: (f: Fields) => MemoryUse;
  readonly target?: Target;
  /** Bits of FPCR that the row's cases vary, beyond none: FP instructions. */
  readonly fpcr?: boolean;
}

/** A row without its pattern parsed. */
export interface RowOptions extends Partial<Omit<Row, 'name' | 'pattern'>> {}

interface Part {
  /** Empty for fixed bits. */
  readonly name: string;
  readonly width: number;
  readonly bits: number;
}

/** An encoding: fixed bits and named fields, most significant first, 32 in all. */
export class Pattern {
  readonly parts: readonly Part[];

  /** @param text tokens like `sf:1 0010001 sh:1 imm12:12 Rn Rd`; names that begin with R are 5 bits wide */
  constructor(readonly text: string) {
    this.parts = text.split(/\s+/).map((token) => {
      if (/^[01]+$/.test(token)) return { name: '', width: token.length, bits: Number.parseInt(token, 2) };
      const [name, width] = token.split(':');
      return { name, width: width === undefined ? 5 : Number(width), bits: 0 };
    });
    const total = this.parts.reduce((sum, p) => sum + p.width, 0);
    if (total !== 32) throw new Error(`${text}: ${total} bits`);
  }

  get fields(): readonly Part[] {
    return this.parts.filter((p) => p.name !== '');
  }

  encode(f: Fields): number {
    let word = 0;
    for (const p of this.parts) {
      const value = p.name === '' ? p.bits : f[p.name];
      word = word * 2 ** p.width + (value & (2 ** p.width - 1));
    }
    return word >>> 0;
  }
}

export function row(name: string, text: string, options: RowOptions = {}): Row {
  return { name, pattern: new Pattern(text), weight: 1, ...options };
}

/** Two's complement of `bits` bits. */
export const signed = (value: number, bits: number) => (value << (32 - bits)) >> (32 - bits);
/** `value` in `width` binary digits. */
export const binary = (value: number, width: number) => value.toString(2).padStart(width, '0');
