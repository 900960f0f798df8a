// GNU objdump as a second opinion, where it is installed.

import { spawnSync } from 'node:child_process';
import type { X86Bits } from '../../src/trace/disassemble-x86.js';
import { scratch } from '../cli/spawn.js';

export const haveObjdump = spawnSync('objdump', ['--version']).status === 0;

/** One spelling of what the two write differently though it means the same. */
export function normalize(text: string, bits: X86Bits): string {
  return (
    text
      // The address after #, prefixes without effect, an index register that is not there.
      .replace(/#.*$/, '')
      .replace(/\b(?:rex(?:\.[WRXB]+)?|addr(?:16|32)|data(?:16|32)) /g, '')
      .replace(/[+]?[er]iz\*\d/g, '')
      .replace(/(\w\w:)?\[(\+|-)0x([0-9a-f]+)\]/, (_, segment: string | undefined, sign: string, n: string) => {
        const address = BigInt(`0x${n}`);
        const top = bits === 64 ? 2n ** 64n : 2n ** 32n;
        return `${segment ?? 'ds:'}0x${(sign === '-' ? top - address : address).toString(16)}`;
      })
      // Offsets from RIP as unsigned numbers; CMPXCHG16B's operand.
      .replace(/ip\+0x(f{8}[0-9a-f]{8})/, (_, n: string) => `ip-0x${(2n ** 64n - BigInt(`0x${n}`)).toString(16)}`)
      .replace('OWORD', 'XMMWORD')
      // Sizes in names, which the operands or the code's own size tell.
      .replace(/^((?:.* )?(?:[sl][gi]dt|sysret|sysexit))[wd]\b/, '$1')
      .replace(/^(f[a-z]+)\((?:8087|287) only\)/, '$1')
      .replace(/\s+/g, ' ')
      .trim()
  );
}

const ARCHITECTURE: Record<X86Bits, string> = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' };

export interface Line {
  readonly text: string;
  readonly bytes: readonly number[];
}

function run(args: readonly string[]): Map<number, Line> {
  const { stdout } = spawnSync('objdump', ['-z', '-w', '-M', 'intel', ...args], {
    encoding: 'latin1',
    maxBuffer: 1 << 30,
  });
  const lines = new Map<number, Line>();
  for (const line of stdout.split('\n')) {
    const m = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/.exec(line);
    if (!m) continue;
    const bytes = m[2].trim().split(' ');
    lines.set(parseInt(m[1], 16), { text: m[3], bytes: bytes.map((byte) => parseInt(byte, 16)) });
  }
  return lines;
}

/** Objdump's lines for flat code that begins at address 0, by address. */
export function objdumpFlat(code: Uint8Array, bits: X86Bits): Map<number, Line> {
  return run(['-D', '-b', 'binary', '-m', ARCHITECTURE[bits], scratch(`code${bits}.bin`, code)]);
}

/** Objdump's lines for the code sections of an ELF file. */
export function objdumpElf(file: string): Map<number, Line> {
  return run(['-d', file]);
}
