// What CPUs of different make do differently, although the manuals of both describe one architecture: found where answers
// of AMD's and of Intel's were laid beside each other. Emulator and recorded expectations agree with AMD's.

import { readFileSync } from 'node:fs';
import { S_FCW, S_FSW, S_FTW } from '../../assembly/layout/x86-state.js';
import { type Case, ENDED, fpuOffset, IMAGE_GPR, IMAGE_VECTOR, VECTOR_PF } from './case.js';
import { STRINGS } from './rows.js';

const ADDRESS_SIZE = 0x67;
const [RCX, RSI, RDI] = [1, 6, 7];
const FSW_TOP = 0x3800;
const FCW_MASKS = 0x3f;

/** Vendor, family, model and stepping of this host's CPU, as /proc/cpuinfo has them. */
export function hostCpu(): string {
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? '?';
  return `${field('vendor_id')} family ${field('cpu family')} model ${field('model')} stepping ${field('stepping')}`;
}

/** Are both of one make? As hostCpu() describes them. */
export function sameMake(cpu: string, other: string): boolean {
  return cpu.split(' ', 1)[0] === other.split(' ', 1)[0];
}

const vectorOf = (image: Uint8Array): number =>
  new DataView(image.buffer, image.byteOffset).getUint32(IMAGE_VECTOR, true);

/**
 * Makes equal in both images what only differs by make; false if that is everything: which of two exceptions an x87
 * store to a page that is not there raises, an unmasked numeric one or #PF.
 */
export function forgetMake(c: Case, expectedImage: Uint8Array, gotImage: Uint8Array): boolean {
  const faulted = vectorOf(expectedImage) !== ENDED;
  if (vectorOf(expectedImage) === VECTOR_PF && /^FI?ST/.test(c.mnemonic)) {
    if ((c.state.u16(S_FCW) & FCW_MASKS) !== FCW_MASKS) return false;
  }
  for (const image of [expectedImage, gotImage].map((i) => new DataView(i.buffer, i.byteOffset, i.length))) {
    // Registers of 32 bits that a string instruction counts with, but has not changed: are their upper halves cleared?
    if (STRINGS.test(c.mnemonic) && c.code.includes(ADDRESS_SIZE)) {
      for (const register of [RCX, RSI, RDI]) image.setUint32(IMAGE_GPR + 8 * register + 4, 0, true);
    }
    // Has an MMX instruction that faults entered MMX state before?
    if (faulted && c.operands.some((operand) => /^[PQN]/.test(operand))) {
      const fsw = fpuOffset(S_FSW);
      image.setUint16(fsw, image.getUint16(fsw, true) & ~FSW_TOP, true);
      image.setUint16(fpuOffset(S_FTW), 0, true);
    }
  }
  return true;
}
