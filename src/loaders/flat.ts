// Loads a flat binary: machine code without a header, at the address that the user gave.

import { TsvmError } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import { writeBiosDataArea, writeBootGdt } from './boot-environment.js';
import { encodeCommandLine } from './command-line.js';
import { writeCFrame } from './elf.js';
import { enterRealMode } from './entry-state.js';
import { hex } from './errors.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import { HIGH_RAM_START } from './memory-map.js';
import { BOOT_COMMAND_LINE, BOOT_STACK_TOP, checkLowMemory, checkSegments, writeSegments } from './placement.js';

/** Real-mode stack: SS:SP = 9000:F000, the same place as every other kind's. */
const STACK_SEGMENT = 0x9000;

/**
 * Below 1 MiB the code starts in real mode: at 0000:A for A < 0x10000, else at (A >> 4):(A & 15), with
 * DS = ES = CS. From 1 MiB on it starts in 32-bit protected mode, called like an ELF32 kernel's entry.
 */
export function loadFlat(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { bytes, memory, options, warnings } = job;
  const address = options.loadAddress ?? -1;
  if (!Number.isInteger(address) || address < 0 || address > 0xffffffff) {
    const found = `load address ${address} is not an integer from 0 to 0xffffffff`;
    throw new TsvmError('E_LOAD_ADDRESS', `${found}. Give one such as --load-address 0x100000.`);
  }
  const segment = { name: 'the flat binary', address, data: bytes, memorySize: bytes.length };
  const commandLine = encodeCommandLine(options.commandLine ?? '');
  checkLowMemory(memory);
  checkSegments([segment], memory, options.reserved ?? []);
  if (options.modules?.length) warnings.push('A flat binary has no way to find an initrd: it is not loaded.');

  writeBiosDataArea(memory);
  writeBootGdt(memory, 32);
  memory.write(BOOT_COMMAND_LINE, commandLine);
  writeSegments([segment], memory);
  if (address >= HIGH_RAM_START) {
    return { ...image, entry: address, warnings, writeState: writeCFrame(job, address) };
  }
  if (options.commandLine) warnings.push('A real-mode flat binary is not told where its command line is.');
  const cs = address < 0x10000 ? 0 : address >> 4;
  const ip = address - cs * 16;
  const sp = BOOT_STACK_TOP - STACK_SEGMENT * 16;
  const writeState = (state: X86State): void => enterRealMode(state, cs, ip, STACK_SEGMENT, sp);
  const where = `${hex(cs)}:${hex(ip)}`;
  return { ...image, description: `${image.description}, real mode at ${where}`, entry: address, warnings, writeState };
}
