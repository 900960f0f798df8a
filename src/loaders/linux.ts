// Loads a Linux bzImage (Linux kernel documentation, "The Linux/x86 Boot Protocol", 32-bit and 64-bit boot protocol;
// "Zero Page" for boot_params).

import type { GuestMemory } from '../vcpu/guest-memory.js';
import type { X86State } from '../vcpu/x86-state.js';
import { writeBiosDataArea, writeBootGdt, writeIdentityPageTables } from './boot-environment.js';
import { encodeCommandLine } from './command-line.js';
import { enterLongMode, enterProtectedMode } from './entry-state.js';
import { tooLarge } from './errors.js';
import type { LoadedGuest, LoadJob, RecognizedImage } from './image.js';
import { parseLinuxHeader, SETUP_HEADER } from './linux-header.js';
import { buildMemoryMap, E820_RAM, HIGH_RAM_START } from './memory-map.js';
import { concatenate, placeModules } from './modules.js';
import { BOOT_COMMAND_LINE, BOOT_PARAMS, checkLowMemory, checkRange } from './placement.js';

/** The long-mode entry stands this far into the protected-mode kernel. */
const ENTRY_64_OFFSET = 0x200;

// boot_params fields (zero page); those below SETUP_HEADER + its length belong to the setup header.
const BP_SCREEN_INFO = 0x000;
const BP_ACPI_RSDP_ADDR = 0x070;
const BP_ALT_MEM_K = 0x1e0;
const BP_E820_ENTRIES = 0x1e8;
const BP_TYPE_OF_LOADER = 0x210;
const BP_CODE32_START = 0x214;
const BP_RAMDISK_IMAGE = 0x218;
const BP_RAMDISK_SIZE = 0x21c;
const BP_CMD_LINE_PTR = 0x228;
const BP_E820_TABLE = 0x2d0;
const E820_TABLE_MAX = 128;

/** type_of_loader: no number has been assigned to this loader. */
const LOADER_UNDEFINED = 0xff;

export function loadLinux(job: LoadJob, image: RecognizedImage): LoadedGuest {
  const { memory, options, warnings } = job;
  const header = parseLinuxHeader(job.bytes);
  const { loadAddress, kernel } = header;
  const commandLine = encodeCommandLine(options.commandLine ?? '', header.commandLineMax);
  checkLowMemory(memory);
  checkRange('the Linux kernel', loadAddress, header.initSize, memory, options.reserved ?? []);
  const initrd = { bytes: concatenate(options.modules ?? []) };
  const range = { start: loadAddress, end: loadAddress + header.initSize };
  const limit = Math.min(header.initrdMax + 1, memory.size);
  const [ramdisk] = initrd.bytes.length > 0 ? placeModules(job, [initrd], 'high', [range], limit) : [];
  const map = buildMemoryMap(memory.size, options.reserved);
  if (map.length > E820_TABLE_MAX) throw tooLarge('a memory map of more than 128 entries', memory.size, memory.size);

  writeBiosDataArea(memory);
  writeBootGdt(memory, header.is64 ? 64 : 32);
  memory.write(BOOT_COMMAND_LINE, commandLine);
  memory.write(loadAddress, kernel);
  if (ramdisk) memory.write(ramdisk.start, initrd.bytes);

  memory.write(BOOT_PARAMS + SETUP_HEADER, header.setupHeader);
  writeScreenInfo(memory);
  memory.writeU64(BOOT_PARAMS + BP_ACPI_RSDP_ADDR, BigInt(options.rsdpAddress ?? 0));
  const high = map.find((entry) => entry.start === HIGH_RAM_START && entry.type === E820_RAM);
  memory.writeU32(BOOT_PARAMS + BP_ALT_MEM_K, (high?.size ?? 0) / 1024);
  memory.writeU8(BOOT_PARAMS + BP_TYPE_OF_LOADER, LOADER_UNDEFINED);
  memory.writeU32(BOOT_PARAMS + BP_CODE32_START, loadAddress);
  memory.writeU32(BOOT_PARAMS + BP_RAMDISK_IMAGE, ramdisk?.start ?? 0);
  memory.writeU32(BOOT_PARAMS + BP_RAMDISK_SIZE, ramdisk?.size ?? 0);
  memory.writeU32(BOOT_PARAMS + BP_CMD_LINE_PTR, BOOT_COMMAND_LINE);
  memory.writeU8(BOOT_PARAMS + BP_E820_ENTRIES, map.length);
  map.forEach((entry, i) => {
    const at = BOOT_PARAMS + BP_E820_TABLE + 20 * i;
    memory.writeU64(at, BigInt(entry.start));
    memory.writeU64(at + 8, BigInt(entry.size));
    memory.writeU32(at + 16, entry.type);
  });

  if (!header.is64) {
    const writeState = (state: X86State): void => enterProtectedMode(state, { rip: loadAddress, rsi: BOOT_PARAMS });
    return { ...image, entry: loadAddress, warnings, writeState };
  }
  const cr3 = writeIdentityPageTables(memory);
  const entry = loadAddress + ENTRY_64_OFFSET;
  const writeState = (state: X86State): void => enterLongMode(state, cr3, { rip: entry, rsi: BOOT_PARAMS });
  return { ...image, entry, warnings, writeState };
}

/** What the kernel's real-mode part would have learned from INT 10h: VGA text, 80 × 25, cursor at the top left. */
function writeScreenInfo(memory: GuestMemory): void {
  const at = BOOT_PARAMS + BP_SCREEN_INFO;
  memory.writeU8(at + 0x06, 3); // orig_video_mode
  memory.writeU8(at + 0x07, 80); // orig_video_cols
  memory.writeU8(at + 0x0e, 25); // orig_video_lines
  memory.writeU8(at + 0x0f, 1); // orig_video_isVGA
  memory.writeU16(at + 0x10, 16); // orig_video_points: scan lines a character
}
