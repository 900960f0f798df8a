// Machine code in tests, as a disassembler prints it: bytes, then text, which is checked.

import { disassembleX86, formatX86 } from '../../src/trace/disassemble-x86.js';

export interface Program {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** 64-bit code for `address`. */
export function program(address: number, listing: string): Program {
  const bytes: number[] = [];
  for (const line of listing.trim().split('\n')) {
    const [, hex, text] = /^((?:[0-9a-f]{2} )+) *(.*)$/.exec(line.trim()) ?? ['', '', ''];
    const code = hex
      .trim()
      .split(' ')
      .map((byte) => parseInt(byte, 16));
    const insn = disassembleX86(Uint8Array.from(code), BigInt(address + bytes.length), 64);
    const read = formatX86(insn).replace(/#.*$/, '').replace(/\s+/g, ' ').trim();
    if (read !== text || insn.length !== code.length) throw new SyntaxError(`${hex} is '${read}', not '${text}'`);
    bytes.push(...code);
  }
  return { address, bytes: Uint8Array.from(bytes) };
}
