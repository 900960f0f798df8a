// BIOS ROM and the start from disk: nothing is loaded but the ROM, and the processor starts as after a reset.

import * as L from '../../assembly/layout/x86-state.js';
import type { GuestMemory, MemoryRegion } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import { HIGH_RAM_START } from './memory-map.js';
import { checkLowMemory, PAGE_SIZE } from './placement.js';

/** The ROM may fill 0xC0000–0xFFFFF. */
export const BIOS_MAX = 0x40000;
/** F000:FFF0, where the processor fetches its first instruction. */
export const RESET_VECTOR = 0xffff0;

export interface BiosPlacement {
  /** Read-only for the guest; ends at 1 MiB. */
  readonly rom: MemoryRegion;
  /** The same bytes are to appear at this address too, ending at 4 GiB. */
  readonly aliasStart: number;
}

/** Writes a BIOS ROM image to its place below 1 MiB. E_BIOS_SIZE unless it has 4–256 KiB in whole pages. */
export function loadBios(memory: GuestMemory, bytes: Uint8Array): BiosPlacement {
  const size = bytes.length;
  if (size === 0 || size > BIOS_MAX || size % PAGE_SIZE !== 0) {
    const found = `the BIOS image has ${size} bytes; it must have a multiple of 4 KiB, 256 KiB at most`;
    throw new TsvmError('E_BIOS_SIZE', `${found}. Give a ROM image such as SeaBIOS' bios.bin.`);
  }
  checkLowMemory(memory);
  const start = HIGH_RAM_START - size;
  memory.write(start, bytes);
  return { rom: { kind: 'rom', start, size }, aliasStart: 0x100000000 - size };
}

/** A boot sector or disk: the board attaches it as the first hard disk, and the BIOS reads its first sector. */
export function bootDisk(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { bytes, memory, options, warnings } = job;
  checkLowMemory(memory);
  if (options.commandLine) warnings.push('A boot sector gets no command line: it is not passed on.');
  if (options.modules?.length) warnings.push('A boot sector has no way to find an initrd: it is not loaded.');
  if (bytes.length % 512 !== 0)
    warnings.push('The disk image ends within a sector: the rest of that sector reads as 0.');
  return { ...image, entry: RESET_VECTOR, warnings, needsBios: true, disk: true, writeState: writeResetState };
}

/**
 * The state after reset, but with CS where its selector says. Hardware starts in the ROM's copy below 4 GiB (CS base
 * 0xFFFF0000) and comes down with the BIOS' first far jump; both copies hold the same bytes, so a board need not
 * make the upper one executable for that one instruction.
 */
function writeResetState(state: X86State): void {
  state.setSegment(L.SEG_CS, { ...state.segment(L.SEG_CS), base: BigInt(0xf0000) });
}
