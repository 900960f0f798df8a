// Words that are no instruction, and their neighbours that are: only whether they are undefined is compared.

import { hashText, Random } from '../isa/random.js';
import { chooseFields, codeAddress } from './build-case.js';
import type { Case } from './case.js';
import * as I from './case.js';
import { setUpRegisters } from './registers.js';
import type { Row } from './row.js';

const matches = (word: number, mask: number, value: number) => (word & mask) >>> 0 === value >>> 0;

/** Words that oracle or process cannot stand, that other extensions define, or that are CONSTRAINED UNPREDICTABLE. */
export function isExcluded(word: number): boolean {
  const rt = word & 31;
  const rn = (word >>> 5) & 31;
  const rt2 = (word >>> 10) & 31;
  return (
    // Exception generation, system instructions.
    matches(word, 0xff000000, 0xd4000000) ||
    matches(word, 0xffc00000, 0xd5000000) ||
    // Branches that are allocated.
    matches(word, 0x7c000000, 0x14000000) ||
    matches(word, 0xff000010, 0x54000000) ||
    matches(word, 0x7e000000, 0x34000000) ||
    matches(word, 0x7e000000, 0x36000000) ||
    matches(word, 0xfe000000, 0xd6000000) ||
    // ARMv8.1: atomics, CAS, CASP.
    matches(word, 0x3f208c00, 0x38200000) ||
    matches(word, 0x3f20fc00, 0x38208000) ||
    matches(word, 0x3fa07c00, 0x08a07c00) ||
    matches(word, 0xbfa07c00, 0x08207c00) ||
    // Pairs into one register, write-back to the transferred one.
    (matches(word, 0x3a400000, 0x28400000) && rt === rt2) ||
    (matches(word, 0x3e800000, 0x28800000) && rn !== 31 && (rn === rt || rn === rt2)) ||
    (matches(word, 0x3f200400, 0x38000400) && rn === rt && rn !== 31) ||
    // Exclusives: fields that should be ones, status register equal to another.
    matches(word, 0x3f000000, 0x08000000)
  );
}

/** The `i`th case: a row's instruction with a few bits turned, or any word. */
export function buildUnallocated(group: string, variant: string, rows: readonly Row[], i: number, index: number): Case {
  const random = new Random(hashText(`${variant}${group}/${i}`));
  let code = 0;
  do {
    if (random.oneIn(4)) code = random.u32();
    else {
      const row = random.pick(rows);
      code = row.pattern.encode(chooseFields(random, row));
      for (let k = random.between(1, 3); k > 0; k--) code = (code ^ (1 << random.below(32))) >>> 0;
    }
  } while (isExcluded(code));
  const state = new Uint8Array(I.IMAGE_WINDOWS);
  const view = new DataView(state.buffer);
  const pc = codeAddress(index);
  setUpRegisters(random, view, new Set(), 'int');
  // No address of memory that exists.
  for (let n = 0; n < 31; n++) view.setBigUint64(I.IMAGE_X + 8 * n, 0x7f0000000000n + (random.u64() & 0xfffff0n), true);
  view.setBigUint64(I.IMAGE_SP, 0x7f0000000000n, true);
  view.setBigUint64(I.IMAGE_PC, BigInt(pc), true);
  const top = ((code >>> 25) & 15).toString(2).padStart(4, '0');
  return { group, index, name: `op0=${top}`, code: Uint32Array.of(code), pc, state, windows: [] };
}

/** Of an unallocated case's image: nothing but whether it was undefined. */
export function onlyUndefined(c: Case, image: Uint8Array): Uint8Array {
  const end = new DataView(image.buffer, image.byteOffset).getUint32(I.IMAGE_END, true);
  const reduced = I.inputImage(c);
  new DataView(reduced.buffer).setUint32(I.IMAGE_END, end === I.END_UNDEFINED ? I.END_UNDEFINED : I.END_BRK, true);
  return reduced;
}
