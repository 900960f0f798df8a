// Loads a kernel through its PVH entry (Xen's x86/HVM direct boot ABI, public/arch-x86/hvm/start_info.h).

import type { X86State } from '../vcpu/x86-state.js';
import { writeBiosDataArea, writeBootGdt } from './boot-environment.js';
import { BootInfoArea } from './boot-info.js';
import { encodeCommandLine } from './command-line.js';
import { elfLoadSegments } from './elf.js';
import { type ElfFile, parseElf } from './elf-file.js';
import { enterProtectedMode } from './entry-state.js';
import { corrupt, hex } from './errors.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import { buildMemoryMap } from './memory-map.js';
import { type PlacedModule, placeModules } from './modules.js';
import { BOOT_COMMAND_LINE, checkLowMemory, checkSegments, writeSegments } from './placement.js';

/** XEN_HVM_START_MAGIC_VALUE: "xEn3" with the top bit of the E set. */
export const HVM_START_MAGIC = 0x336ec578;
/** XEN_ELFNOTE_PHYS32_ENTRY: 32-bit physical address to start at. */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

const START_INFO_SIZE = 56;
const MODLIST_ENTRY_SIZE = 32;
const MEMMAP_ENTRY_SIZE = 24;

/** Physical address of the PVH entry, or null when the file has none. */
export function pvhEntry(elf: ElfFile): number | null {
  const note = elf.notes.find((n) => n.name === 'Xen' && n.type === XEN_ELFNOTE_PHYS32_ENTRY);
  if (!note) return null;
  // The descriptor is as wide as the tool chain's word; only the low 32 bits may be used.
  const d = note.descriptor;
  if (d.length !== 4 && d.length !== 8) throw corrupt(`the PVH entry note has ${d.length} bytes instead of 4 or 8`);
  const view = new DataView(d.buffer, d.byteOffset, d.length);
  if (d.length === 8 && view.getUint32(4, true) !== 0) throw corrupt('the PVH entry is above 4 GiB');
  return view.getUint32(0, true);
}

export function loadPvh(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { memory, options, warnings } = job;
  const elf = parseElf(job.bytes);
  const entry = pvhEntry(elf);
  const segments = elfLoadSegments(elf);
  if (entry === null || !segments.some((s) => entry >= s.address && entry < s.address + s.memorySize)) {
    throw corrupt(`the PVH entry ${hex(entry ?? 0)} is in none of the ELF segments`);
  }
  const commandLine = encodeCommandLine(options.commandLine ?? '');
  checkLowMemory(memory);
  checkSegments(segments, memory, options.reserved ?? []);
  const kernel = segments.map((s) => ({ start: s.address, end: s.address + s.memorySize }));
  const modules = options.modules ?? [];
  const placed = placeModules(job, modules, 'high', kernel, memory.size);

  writeBiosDataArea(memory);
  writeBootGdt(memory, 32);
  memory.write(BOOT_COMMAND_LINE, commandLine);
  const info = writeStartInfo(job, placed);
  writeSegments(segments, memory);
  placed.forEach((p, i) => {
    memory.write(p.start, modules[i].bytes);
  });
  const writeState = (state: X86State): void => enterProtectedMode(state, { rip: entry, rbx: info });
  return { ...image, entry, warnings, writeState };
}

/** Writes struct hvm_start_info, version 1, and what it points to. Returns its address. */
function writeStartInfo(job: LoadJob, modules: readonly PlacedModule[]): number {
  const { memory, options } = job;
  const area = new BootInfoArea(memory);
  const info = area.reserve(START_INFO_SIZE);
  const map = buildMemoryMap(memory.size, options.reserved);
  memory.writeU32(info, HVM_START_MAGIC);
  memory.writeU32(info + 4, 1); // version
  memory.writeU32(info + 12, modules.length);
  if (modules.length > 0) {
    const list = area.reserve(MODLIST_ENTRY_SIZE * modules.length);
    modules.forEach((m, i) => {
      const at = list + MODLIST_ENTRY_SIZE * i;
      memory.writeU64(at, BigInt(m.start));
      memory.writeU64(at + 8, BigInt(m.size));
      if (m.commandLine) memory.writeU64(at + 16, BigInt(area.place(encodeCommandLine(m.commandLine))));
    });
    memory.writeU64(info + 16, BigInt(list));
  }
  memory.writeU64(info + 24, BigInt(BOOT_COMMAND_LINE));
  memory.writeU64(info + 32, BigInt(options.rsdpAddress ?? 0));
  const memmap = area.reserve(MEMMAP_ENTRY_SIZE * map.length);
  map.forEach((entry, i) => {
    const at = memmap + MEMMAP_ENTRY_SIZE * i;
    memory.writeU64(at, BigInt(entry.start));
    memory.writeU64(at + 8, BigInt(entry.size));
    memory.writeU32(at + 16, entry.type);
  });
  memory.writeU64(info + 40, BigInt(memmap));
  memory.writeU32(info + 48, map.length);
  return info;
}
