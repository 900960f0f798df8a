// Loads a Multiboot 1 kernel (Multiboot Specification 0.6.96, 3.2 machine state, 3.3 boot information).

import type { X86State } from '../vcpu/x86-state.js';
import { writeBiosDataArea, writeBootGdt } from './boot-environment.js';
import { BootInfoArea } from './boot-info.js';
import { encodeCommandLine } from './command-line.js';
import { elfLoadSegments, physicalEntry } from './elf.js';
import { parseElf } from './elf-file.js';
import { enterProtectedMode } from './entry-state.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import { buildMemoryMap, E820_RAM, HIGH_RAM_START, LOW_RAM_END } from './memory-map.js';
import { type PlacedModule, placeModules } from './modules.js';
import { findMultibootHeader, type MultibootHeader, parseMultibootHeader } from './multiboot-header.js';
import { BOOT_COMMAND_LINE, checkLowMemory, checkSegments, type LoadSegment, writeSegments } from './placement.js';

/** What a kernel finds in EAX. */
export const MULTIBOOT_BOOTLOADER_MAGIC = 0x2badb002;

// Flags of the information structure: which fields are valid.
const INFO_MEMORY = 1 << 0;
const INFO_CMDLINE = 1 << 2;
const INFO_MODS = 1 << 3;
const INFO_MMAP = 1 << 6;
const INFO_BOOT_LOADER_NAME = 1 << 9;
const INFO_FRAMEBUFFER = 1 << 12;
/** Bytes of the structure, framebuffer fields included. */
const INFO_SIZE = 116;
/** framebuffer_type: EGA-standard text. */
const FRAMEBUFFER_EGA_TEXT = 2;

/** The kernel's segments and its entry: by the header's address fields if it has them, else by the ELF headers. */
function plan(bytes: Uint8Array, header: MultibootHeader): { segments: LoadSegment[]; entry: number } {
  const a = header.addresses;
  if (!a) {
    const elf = parseElf(bytes);
    return { segments: elfLoadSegments(elf), entry: physicalEntry(elf) };
  }
  const data = bytes.subarray(a.fileOffset, a.fileOffset + a.dataSize);
  const segment = { name: 'the multiboot kernel', address: a.loadAddress, data, memorySize: a.memorySize };
  return { segments: [segment], entry: a.entry };
}

export function loadMultiboot(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { bytes, memory, options, warnings } = job;
  const header = parseMultibootHeader(bytes, findMultibootHeader(bytes));
  const { segments, entry } = plan(bytes, header);
  const words = [options.imageName, options.commandLine].filter((word) => word);
  const commandLine = encodeCommandLine(words.join(' '));
  checkLowMemory(memory);
  checkSegments(segments, memory, options.reserved ?? []);
  const kernel = segments.map((s) => ({ start: s.address, end: s.address + s.memorySize }));
  const modules = options.modules ?? [];
  const placed = placeModules(job, modules, 'low', kernel, memory.size);
  if (header.video === 'graphics') {
    warnings.push('The kernel asks for a graphics mode: the board has VGA text only, and says so to the kernel.');
  }

  writeBiosDataArea(memory);
  writeBootGdt(memory, 32);
  memory.write(BOOT_COMMAND_LINE, commandLine);
  const info = writeInformation(job, placed, header.video !== null);
  writeSegments(segments, memory);
  placed.forEach((p, i) => {
    memory.write(p.start, modules[i].bytes);
  });
  const writeState = (state: X86State): void =>
    enterProtectedMode(state, { rip: entry, rax: MULTIBOOT_BOOTLOADER_MAGIC, rbx: info });
  return { ...image, entry, warnings, writeState };
}

/** Writes the information structure and what it points to. Returns its address. */
function writeInformation(job: LoadJob, modules: readonly PlacedModule[], framebuffer: boolean): number {
  const { memory, options } = job;
  const area = new BootInfoArea(memory);
  const info = area.reserve(INFO_SIZE);
  const map = buildMemoryMap(memory.size, options.reserved);
  const high = map.find((entry) => entry.start === HIGH_RAM_START && entry.type === E820_RAM);
  let flags = INFO_MEMORY | INFO_CMDLINE | INFO_MMAP | INFO_BOOT_LOADER_NAME;

  // In KiB; mem_upper counts from 1 MiB to the first hole.
  memory.writeU32(info + 4, LOW_RAM_END / 1024);
  memory.writeU32(info + 8, (high?.size ?? 0) / 1024);
  memory.writeU32(info + 16, BOOT_COMMAND_LINE);

  if (modules.length > 0) {
    flags |= INFO_MODS;
    const list = area.reserve(16 * modules.length);
    modules.forEach((m, i) => {
      memory.writeU32(list + 16 * i, m.start);
      memory.writeU32(list + 16 * i + 4, m.start + m.size);
      memory.writeU32(list + 16 * i + 8, area.place(encodeCommandLine(m.commandLine)));
    });
    memory.writeU32(info + 20, modules.length);
    memory.writeU32(info + 24, list);
  }

  // Each entry starts with its size, which does not count itself. Types are those of INT 15h, E820h.
  const mmap = area.reserve(24 * map.length);
  map.forEach((entry, i) => {
    const at = mmap + 24 * i;
    memory.writeU32(at, 20);
    memory.writeU64(at + 4, BigInt(entry.start));
    memory.writeU64(at + 12, BigInt(entry.size));
    memory.writeU32(at + 20, entry.type);
  });
  memory.writeU32(info + 44, 24 * map.length);
  memory.writeU32(info + 48, mmap);
  memory.writeU32(info + 64, area.place(encodeCommandLine('tsvm')));

  if (framebuffer) {
    flags |= INFO_FRAMEBUFFER;
    memory.writeU64(info + 88, 0xb8000n);
    memory.writeU32(info + 96, 160); // bytes a line
    memory.writeU32(info + 100, 80); // columns
    memory.writeU32(info + 104, 25); // lines
    memory.writeU8(info + 108, 16); // bits a character cell
    memory.writeU8(info + 109, FRAMEBUFFER_EGA_TEXT);
  }
  memory.writeU32(info, flags);
  return info;
}
