// Compares two images of one case and says in words where they differ.

import * as L from '../../assembly/layout/x86-state.js';
import { exceptionName } from '../../src/emulator-x86/names.js';
import { flagNames, GPR_NAMES } from '../../src/vcpu/x86-state.js';
import type { Case } from './case.js';
import * as I from './case.js';
import { forgetUndefined } from './undefined.js';

const hex = (v: bigint | number, digits = 16) => v.toString(16).padStart(digits, '0');

interface Field {
  readonly name: string;
  readonly at: number;
  readonly size: number;
  readonly show: (v: bigint) => string;
}

function fields(): Field[] {
  const list: Field[] = [];
  const add = (name: string, at: number, size: number, show = (v: bigint) => hex(v, 2 * size)) => {
    list.push({ name, at, size, show });
  };
  add('exception', I.IMAGE_VECTOR, 4, (v) => (Number(v) === I.ENDED ? 'none' : exceptionName(Number(v))));
  add('error code', I.IMAGE_ERROR, 4);
  add('cr2', I.IMAGE_CR2, 8);
  GPR_NAMES.forEach((name, i) => {
    add(name, I.IMAGE_GPR + 8 * i, 8);
  });
  add('rip', I.IMAGE_RIP, 8);
  add('rflags', I.IMAGE_RFLAGS, 8, (v) => `${hex(v, 6)} [${flagNames(v)}]`);
  add('fs base', I.IMAGE_FS_BASE, 8);
  add('gs base', I.IMAGE_GS_BASE, 8);
  for (let i = 0; i < 8; i++) {
    add(`r${i} significand`, I.fpuOffset(L.S_FPR + 16 * i), 8);
    add(`r${i} exponent`, I.fpuOffset(L.S_FPR + 16 * i + 8), 2);
  }
  add('fcw', I.fpuOffset(L.S_FCW), 2);
  add('fsw', I.fpuOffset(L.S_FSW), 2);
  add('ftw', I.fpuOffset(L.S_FTW), 2);
  add('mxcsr', I.fpuOffset(L.S_MXCSR), 4);
  for (let i = 0; i < 16; i++) {
    add(`xmm${i} low`, I.fpuOffset(L.S_XMM + 16 * i), 8);
    add(`xmm${i} high`, I.fpuOffset(L.S_XMM + 16 * i + 8), 8);
  }
  return list;
}
const FIELDS = fields();

function value(image: Uint8Array, at: number, size: number): bigint {
  let v = 0n;
  for (let i = size - 1; i >= 0; i--) v = (v << 8n) | BigInt(image[at + i]);
  return v;
}

/** Differences after the undefined is forgotten, empty if there are none. Both images are changed. */
export function differences(c: Case, expected: Uint8Array, got: Uint8Array): string[] {
  forgetUndefined(c, expected, got);
  if (expected.every((b, i) => b === got[i])) return [];
  const lines: string[] = [];
  for (const f of FIELDS) {
    const [e, g] = [value(expected, f.at, f.size), value(got, f.at, f.size)];
    if (e !== g) lines.push(`${f.name}: expected ${f.show(e)}, got ${f.show(g)}`);
  }
  let at = I.IMAGE_WINDOWS;
  for (const w of c.windows) {
    for (let i = 0; i < w.bytes.length; i++) {
      if (expected[at + i] === got[at + i]) continue;
      const length = Math.min(16, w.bytes.length - i);
      const [e, g] = [expected, got].map((image) =>
        Buffer.from(image.subarray(at + i, at + i + length)).toString('hex'),
      );
      lines.push(`memory at ${hex(w.at + i, 6)}: expected ${e}, got ${g}`);
      i += length;
    }
    at += w.bytes.length;
  }
  return lines;
}

/** The case as one reads it: what, machine code, where, and the registers that are not zero. */
export function describeCase(c: Case): string {
  const code = Buffer.from(c.code).toString('hex');
  const where = c.ea === null ? '' : ` memory operand at ${hex(c.ea, 6)}`;
  const lines = [`${c.group}/${c.index} ${c.mnemonic} ${c.operands.join(',')} size ${8 << c.opSize}: ${code}${where}`];
  const registers: string[] = [];
  for (let i = 0; i < (c.mode === '64' ? 16 : 8); i++) registers.push(`${GPR_NAMES[i]}=${hex(c.state.gpr(i))}`);
  lines.push(`  ${registers.join(' ')} rflags=${hex(c.state.rflags, 4)} [${flagNames(c.state.rflags)}]`);
  if (c.ea !== null) {
    const w = c.windows.find((one) => c.ea !== null && c.ea >= one.at && c.ea < one.at + one.bytes.length);
    if (w) lines.push(`  memory ${Buffer.from(w.bytes.subarray(c.ea - w.at, c.ea - w.at + 16)).toString('hex')}`);
  }
  if (c.fpu) {
    const s = c.state;
    lines.push(
      `  fcw=${hex(s.u16(L.S_FCW), 4)} fsw=${hex(s.u16(L.S_FSW), 4)} ftw=${hex(s.u16(L.S_FTW), 4)} mxcsr=${hex(s.u32(L.S_MXCSR), 8)}`,
    );
    const x87 = Array.from(
      { length: 8 },
      (_, i) => `r${i}=${hex(s.u16(L.S_FPR + 16 * i + 8), 4)}:${hex(s.u64(L.S_FPR + 16 * i))}`,
    );
    if (/^F|^[PQN]q$/.test(c.mnemonic) || c.operands.some((o) => /^[PQN]q$/.test(o))) lines.push(`  ${x87.join(' ')}`);
    if (!/^F/.test(c.mnemonic)) {
      const used = c.code.length > 2 ? [...Array(16).keys()] : [];
      lines.push(
        `  ${used.map((i) => `x${i}=${hex(s.u64(L.S_XMM + 16 * i + 8))}.${hex(s.u64(L.S_XMM + 16 * i))}`).join(' ')}`,
      );
    }
  }
  return lines.join('\n');
}
