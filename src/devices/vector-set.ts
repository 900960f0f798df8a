// A set of interrupt vectors, one bit each: the form of the local APIC's ISR, TMR and IRR (SDM vol. 3, figure 11-20).

export class VectorSet {
  /** Eight words as the registers show them: vector v is bit v mod 32 of word v div 32. */
  readonly words = new Uint32Array(8);

  /** Highest vector in the set, 0 when it is empty: an APIC never holds vectors below 16. */
  highest(): number {
    for (let word = 7; word >= 0; word--) {
      if (this.words[word] !== 0) return word * 32 + 31 - Math.clz32(this.words[word]);
    }
    return 0;
  }

  has(vector: number): boolean {
    return (this.words[vector >> 5] & (1 << (vector & 31))) !== 0;
  }

  add(vector: number): void {
    this.words[vector >> 5] |= 1 << (vector & 31);
  }

  remove(vector: number): void {
    this.words[vector >> 5] &= ~(1 << (vector & 31));
  }

  clear(): void {
    this.words.fill(0);
  }
}
