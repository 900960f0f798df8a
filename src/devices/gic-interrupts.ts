// The interrupts of a GIC, whatever its version: what is enabled, pending and active, with which priority.
//
// Names and behaviour: ARM Generic Interrupt Controller Architecture Specification, GICv2 (IHI 0048B) and GICv3
// (IHI 0069). INTID 0–15 are software-generated (SGI), 16–31 private to the processor (PPI), 32 and up shared (SPI).

import type { DeviceState } from '../vcpu/device.js';
import type { StateReader } from './state-reader.js';

export const FIRST_PPI = 16;
export const FIRST_SPI = 32;
/** What an acknowledge register returns when there is nothing to acknowledge. */
export const SPURIOUS = 1023;

/** One bit an interrupt, 32 interrupts a word. */
export class InterruptBits {
  readonly words: Uint32Array;

  constructor(count: number) {
    this.words = new Uint32Array(count / 32);
  }
  get(id: number): boolean {
    return ((this.words[id >>> 5] >>> (id & 31)) & 1) !== 0;
  }
  set(id: number, value: boolean): void {
    if (value) this.words[id >>> 5] |= 1 << (id & 31);
    else this.words[id >>> 5] &= ~(1 << (id & 31));
  }
  /** The bits of `mask` take the value that they have in `value`. */
  assign(word: number, value: number, mask: number): void {
    this.words[word] = (this.words[word] & ~mask) | (value & mask);
  }
}

const BIT_FIELDS = ['enabled', 'latched', 'line', 'active', 'edge', 'group1'] as const;

export class GicInterrupts {
  readonly enabled: InterruptBits;
  /** Pending by itself: an edge came, or software said so. */
  readonly latched: InterruptBits;
  /** Level of the input. */
  readonly line: InterruptBits;
  readonly active: InterruptBits;
  /** Edge-triggered rather than level-sensitive. */
  readonly edge: InterruptBits;
  /** In Group 1 rather than Group 0. */
  readonly group1: InterruptBits;
  /** 0 is the most urgent. */
  readonly priority: Uint8Array;

  constructor(
    /** A multiple of 32. */
    readonly count: number,
    /** Priority bits that are implemented. */
    readonly priorityMask: number,
  ) {
    this.enabled = new InterruptBits(count);
    this.latched = new InterruptBits(count);
    this.line = new InterruptBits(count);
    this.active = new InterruptBits(count);
    this.edge = new InterruptBits(count);
    this.group1 = new InterruptBits(count);
    this.priority = new Uint8Array(count);
    // SGIs are edge-triggered, and nothing can change that (GICv2 4.3.13).
    this.edge.words[0] = 0xffff;
  }

  get words(): number {
    return this.count / 32;
  }

  /** The input of interrupt `id` changes. */
  setLine(id: number, level: boolean): void {
    if (level && !this.line.get(id) && this.edge.get(id)) this.latched.set(id, true);
    this.line.set(id, level);
  }

  /** Pending interrupts of 32: those latched, and level-sensitive ones whose input is high. */
  pendingWord(word: number): number {
    return (this.latched.words[word] | (this.line.words[word] & ~this.edge.words[word])) >>> 0;
  }

  /**
   * The most urgent interrupt that is pending, enabled, not active and in a group that is on; the lowest INTID among
   * equals; -1 when there is none.
   */
  mostUrgent(group0On: boolean, group1On: boolean): number {
    let best = -1;
    let bestPriority = 0x100;
    for (let word = 0; word < this.words; word++) {
      const groups = this.group1.words[word];
      const on = (group1On ? groups : 0) | (group0On ? ~groups : 0);
      let candidates = this.pendingWord(word) & this.enabled.words[word] & ~this.active.words[word] & on;
      while (candidates !== 0) {
        const bit = 31 - Math.clz32(candidates & -candidates);
        candidates &= candidates - 1;
        const id = word * 32 + bit;
        if (this.priority[id] < bestPriority) {
          best = id;
          bestPriority = this.priority[id];
        }
      }
    }
    return best;
  }

  /** Pending becomes active; an input that stays high makes a level-sensitive interrupt pending again. */
  acknowledge(id: number): void {
    this.active.set(id, true);
    this.latched.set(id, false);
  }

  // ---- the register blocks that GICv2 and GICv3 share, at the offsets that they have in every frame

  /** Word at `offset`; undefined outside the shared blocks. Interrupts from `first` up to before `end` are visible. */
  read(offset: number, first: number, end: number): number | undefined {
    const block = offset & ~0x7f;
    const word = (offset & 0x7f) >>> 2;
    const visible = word * 32 >= first && word * 32 < Math.min(end, this.count);
    switch (block) {
      case 0x080:
        return visible ? this.group1.words[word] : 0;
      case 0x100:
      case 0x180:
        return visible ? this.enabled.words[word] : 0;
      case 0x200:
      case 0x280:
        return visible ? this.pendingWord(word) : 0;
      case 0x300:
      case 0x380:
        return visible ? this.active.words[word] : 0;
    }
    if (offset >= 0x400 && offset < 0x800) return this.readPriorities(offset - 0x400, first, end);
    if (offset >= 0xc00 && offset < 0xd00) return this.readConfiguration((offset - 0xc00) * 4, first, end);
    return undefined;
  }

  /** Writes the bits of `mask`; false outside the shared blocks. */
  write(offset: number, value: number, mask: number, first: number, end: number): boolean {
    const block = offset & ~0x7f;
    const word = (offset & 0x7f) >>> 2;
    const visible = word * 32 >= first && word * 32 < Math.min(end, this.count);
    // Writing 1 sets or clears; writing 0 does nothing.
    const ones = value & mask;
    switch (block) {
      case 0x080:
        if (visible) this.group1.assign(word, value, mask);
        return true;
      case 0x100:
        if (visible) this.enabled.words[word] |= ones;
        return true;
      case 0x180:
        if (visible) this.enabled.words[word] &= ~ones;
        return true;
      case 0x200:
        if (visible) this.latched.words[word] |= ones;
        return true;
      case 0x280:
        if (visible) this.latched.words[word] &= ~ones;
        return true;
      case 0x300:
        if (visible) this.active.words[word] |= ones;
        return true;
      case 0x380:
        if (visible) this.active.words[word] &= ~ones;
        return true;
    }
    if (offset >= 0x400 && offset < 0x800) {
      this.writePriorities(offset - 0x400, value, mask, first, end);
      return true;
    }
    if (offset >= 0xc00 && offset < 0xd00) {
      this.writeConfiguration((offset - 0xc00) * 4, value, mask, first, end);
      return true;
    }
    return false;
  }

  private readPriorities(id: number, first: number, end: number): number {
    if (id < first || id >= Math.min(end, this.count)) return 0;
    let value = 0;
    for (let i = 0; i < 4; i++) value |= this.priority[id + i] << (8 * i);
    return value >>> 0;
  }

  private writePriorities(id: number, value: number, mask: number, first: number, end: number): void {
    if (id < first || id >= Math.min(end, this.count)) return;
    for (let i = 0; i < 4; i++) {
      if ((mask >>> (8 * i)) & 0xff) this.priority[id + i] = (value >>> (8 * i)) & this.priorityMask;
    }
  }

  /** Two bits an interrupt, of which the upper one says "edge-triggered" (GICv2 4.3.13). */
  private readConfiguration(id: number, first: number, end: number): number {
    if (id < first || id >= Math.min(end, this.count)) return 0;
    let value = 0;
    for (let i = 0; i < 16; i++) if (this.edge.get(id + i)) value |= 2 << (2 * i);
    return value >>> 0;
  }

  private writeConfiguration(id: number, value: number, mask: number, first: number, end: number): void {
    if (id < FIRST_PPI || id < first || id >= Math.min(end, this.count)) return;
    for (let i = 0; i < 16; i++) {
      if ((mask >>> (2 * i)) & 2) this.edge.set(id + i, ((value >>> (2 * i)) & 2) !== 0);
    }
  }

  save(): DeviceState {
    const fields = BIT_FIELDS.map((name) => [name, this[name].words.slice()] as const);
    return { version: 1, ...Object.fromEntries(fields), priority: this.priority.slice() };
  }

  /** Checks a saved state; the returned function loads it. */
  prepareLoad(from: StateReader): () => void {
    const fields = BIT_FIELDS.map((name) => [name, from.uints(name, this.words)] as const);
    const priority = from.uints('priority', this.count, 0xff);
    return () => {
      for (const [name, words] of fields) this[name].words.set(words);
      for (let id = 0; id < this.count; id++) this.priority[id] = priority[id] & this.priorityMask;
    };
  }
}

/**
 * Priorities of the interrupts that are being handled, as the active priorities registers keep them: one bit a
 * preemption level, lowest bit the most urgent (GICv2 4.4.13; GICv3 ICC_AP0R<n>_EL1).
 */
export class ActivePriorities {
  readonly words: Uint32Array;

  constructor(words: number) {
    this.words = new Uint32Array(words);
  }

  activate(level: number): void {
    this.words[level >>> 5] |= 1 << (level & 31);
  }

  /** Most urgent level that is active; -1 when none is. */
  lowest(): number {
    for (let i = 0; i < this.words.length; i++) {
      const word = this.words[i];
      if (word !== 0) return i * 32 + 31 - Math.clz32(word & -word);
    }
    return -1;
  }

  /** The most urgent level is no longer active. */
  drop(): void {
    const level = this.lowest();
    if (level >= 0) this.words[level >>> 5] &= ~(1 << (level & 31));
  }
}

const BYTE_MASKS = [0, 0xff, 0xffff, 0xffffff, 0xffffffff];

/** Reads any access from a device whose registers are words. */
export function readWords(offset: number, size: number, word: (offset: number) => number): number {
  const inWord = offset & 3;
  const here = Math.min(4 - inWord, size);
  const value = (word(offset - inWord) >>> (inWord * 8)) & BYTE_MASKS[here];
  if (here === size) return value >>> 0;
  return (value | (readWords(offset + here, size - here, word) << (here * 8))) >>> 0;
}

/** Writes any access to a device whose registers are words: (offset, value, mask of the bits that are written). */
export function writeWords(
  offset: number,
  size: number,
  value: number,
  word: (offset: number, value: number, mask: number) => void,
): void {
  const inWord = offset & 3;
  const here = Math.min(4 - inWord, size);
  const mask = (BYTE_MASKS[here] << (inWord * 8)) >>> 0;
  word(offset - inWord, ((value << (inWord * 8)) & mask) >>> 0, mask);
  if (here < size) writeWords(offset + here, size - here, value >>> (here * 8), word);
}
