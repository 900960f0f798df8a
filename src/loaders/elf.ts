// Loads an ELF kernel: segments to their physical addresses, entry as a plain C function would like it.

import type { X86State } from '../vcpu/x86-state.js';
import { HALT_STUB, writeBiosDataArea, writeBootGdt, writeIdentityPageTables } from './boot-environment.js';
import { COMMAND_LINE_MAX, encodeCommandLine } from './command-line.js';
import { type ElfFile, parseElf } from './elf-file.js';
import { enableSse, enterLongMode, enterProtectedMode } from './entry-state.js';
import { corrupt, hex } from './errors.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import {
  BOOT_COMMAND_LINE,
  BOOT_STACK_TOP,
  checkLowMemory,
  checkSegments,
  type LoadSegment,
  writeSegments,
} from './placement.js';

/** Where the PT_LOAD segments go. Without any the file is no kernel: E_IMAGE_CORRUPT. */
export function elfLoadSegments(elf: ElfFile): LoadSegment[] {
  if (elf.segments.length === 0) throw corrupt('the ELF file has no segment to load');
  return elf.segments.map((s) => ({
    name: `ELF segment ${s.index}`,
    // 64-bit addresses lose low bits here; they are far above any RAM, and checkRange refuses them.
    address: Number(s.physicalAddress),
    data: s.data,
    memorySize: s.memorySize,
  }));
}

/**
 * The entry point's physical address. e_entry is a virtual address; kernels linked high either leave it so (then
 * its segment says where it is) or write the physical one into it. E_IMAGE_CORRUPT when no segment holds it.
 */
export function physicalEntry(elf: ElfFile): number {
  for (const s of elf.segments) {
    const offset = elf.entry - s.virtualAddress;
    if (offset >= 0n && offset < BigInt(s.memorySize)) return Number(s.physicalAddress + offset);
  }
  for (const s of elf.segments) {
    const offset = elf.entry - s.physicalAddress;
    if (offset >= 0n && offset < BigInt(s.memorySize)) return Number(elf.entry);
  }
  throw corrupt(`the entry point ${hex(elf.entry)} is in none of the ELF segments`);
}

/**
 * A plain ELF kernel. ELF64 starts in long mode on identity page tables with RDI = command line, RSI = bytes of
 * RAM; ELF32 in protected mode with the same two as C arguments on the stack. Returning halts.
 */
export function loadElf(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { memory, options, warnings } = job;
  const elf = parseElf(job.bytes);
  const segments = elfLoadSegments(elf);
  const entry = physicalEntry(elf);
  const commandLine = encodeCommandLine(options.commandLine ?? '', COMMAND_LINE_MAX);
  checkLowMemory(memory);
  checkSegments(segments, memory, options.reserved ?? []);
  if (options.modules?.length) warnings.push('A plain ELF kernel has no way to find an initrd: it is not loaded.');

  writeBiosDataArea(memory);
  writeBootGdt(memory, elf.bits);
  memory.write(BOOT_COMMAND_LINE, commandLine);
  writeSegments(segments, memory);
  if (elf.bits === 32) return { ...image, entry, warnings, writeState: writeCFrame(job, entry) };

  const cr3 = writeIdentityPageTables(memory);
  // As after a CALL: the return address on a stack that was aligned to 16 bytes (x86-64 psABI, 3.2.2).
  const rsp = BOOT_STACK_TOP - 8;
  memory.writeU64(rsp, BigInt(HALT_STUB));
  const writeState = (state: X86State): void => {
    enterLongMode(state, cr3, { rip: entry, rsp, rdi: BOOT_COMMAND_LINE, rsi: memory.size });
    enableSse(state);
  };
  return { ...image, entry, warnings, writeState };
}

/** A 32-bit C call frame: return address, command line, bytes of RAM (i386 psABI, 2.2.2). Returns writeState. */
export function writeCFrame(job: LoadJob, entry: number): (state: X86State) => void {
  const rsp = BOOT_STACK_TOP - 0x14;
  job.memory.writeU32(rsp, HALT_STUB);
  job.memory.writeU32(rsp + 4, BOOT_COMMAND_LINE);
  job.memory.writeU32(rsp + 8, job.memory.size);
  return (state) => enterProtectedMode(state, { rip: entry, rsp });
}
