// The PC's physical memory map in the form that firmware reports it: INT 15h, EAX=E820h (ACPI 6.5, 15.1).

/** Address range types (ACPI 6.5, table 15.2). */
export const E820_RAM = 1;
export const E820_RESERVED = 2;
/** Holds ACPI tables: free for use once the operating system has read them. */
export const E820_ACPI = 3;
/** ACPI non-volatile storage: never free. */
export const E820_NVS = 4;

export interface MemoryMapEntry {
  /** Guest physical address. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** E820_*. */
  readonly type: number;
}

/** End of conventional memory: the last KiB below 640 KiB is the extended BIOS data area (EBDA). */
export const LOW_RAM_END = 0x9fc00;
export const EBDA_START = LOW_RAM_END;
/** From here to 1 MiB: display memory, option ROMs, BIOS. */
export const HOLE_START = 0xa0000;
/** First byte of extended memory. */
export const HIGH_RAM_START = 0x100000;

/** What the board has above RAM. The I/O APIC and local APIC are at the addresses that every PC uses. */
const FIXED: readonly MemoryMapEntry[] = [
  { start: 0xfec00000, size: 0x1000, type: E820_RESERVED },
  { start: 0xfee00000, size: 0x1000, type: E820_RESERVED },
  // The BIOS ROM's home below 4 GiB, of which the one below 1 MiB is a copy.
  { start: 0xfffc0000, size: 0x40000, type: E820_RESERVED },
];

/**
 * Sorted, non-overlapping map of a board with `ramSize` bytes of RAM from address 0. Each `reserved` range that
 * lies in RAM is cut out of it and listed with its own type; what lies elsewhere is reserved already.
 */
export function buildMemoryMap(ramSize: number, reserved: readonly MemoryMapEntry[] = []): MemoryMapEntry[] {
  const pages = ramSize - (ramSize % 0x1000);
  let ram: MemoryMapEntry[] = [{ start: 0, size: Math.min(pages, LOW_RAM_END), type: E820_RAM }];
  if (pages > HIGH_RAM_START) ram.push({ start: HIGH_RAM_START, size: pages - HIGH_RAM_START, type: E820_RAM });

  const taken: MemoryMapEntry[] = [];
  for (const range of reserved) {
    const rest: MemoryMapEntry[] = [];
    for (const entry of ram) {
      const from = Math.max(entry.start, range.start);
      const to = Math.min(entry.start + entry.size, range.start + range.size);
      if (from >= to) {
        rest.push(entry);
        continue;
      }
      taken.push({ start: from, size: to - from, type: range.type });
      if (from > entry.start) rest.push({ start: entry.start, size: from - entry.start, type: E820_RAM });
      if (to < entry.start + entry.size) rest.push({ start: to, size: entry.start + entry.size - to, type: E820_RAM });
    }
    ram = rest;
  }
  const firmware = { start: LOW_RAM_END, size: HIGH_RAM_START - LOW_RAM_END, type: E820_RESERVED };
  return [...ram, ...taken, firmware, ...FIXED].sort((a, b) => a.start - b.start);
}
