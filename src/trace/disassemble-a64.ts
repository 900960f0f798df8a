// A64 instructions as text, in the notation of the Arm ARM with its preferred aliases.

import { FLOAT } from './a64/float.js';
import { INTEGER } from './a64/integer.js';
import { MEMORY } from './a64/memory.js';
import { matches, type Row } from './a64/row.js';
import { SYSTEM } from './a64/system.js';
import { VECTOR } from './a64/vector.js';
import { VECTOR_MEMORY } from './a64/vector-memory.js';

/** Rows by bits 28–25 of the word, the first field to be decoded (Arm ARM C4.1), in the tables' order. */
const BY_OP0: readonly (readonly Row[])[] = [...Array(16).keys()].map((op0) => {
  const rows = [...INTEGER, ...SYSTEM, ...MEMORY, ...VECTOR_MEMORY, ...FLOAT, ...VECTOR];
  return rows.filter((r) => (((op0 << 25) ^ r.value) & r.mask & 0x1e000000) === 0);
});

/**
 * Text of one instruction: mnemonic, a space, operands. Numbers are as objdump shows them.
 * @param word the instruction
 * @param address where it is: targets of branches and literals are absolute
 * @returns `.inst 0x…` if the word is not allocated, or not known here
 */
export function disassembleA64(word: number, address: bigint): string {
  const w = word >>> 0;
  const found = BY_OP0[(w >>> 25) & 15].find((r) => matches(r, w));
  return found ? found.text(w, address) : `.inst 0x${w.toString(16).padStart(8, '0')}`;
}
