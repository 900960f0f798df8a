// Where things go in guest memory: the loader's own area, and checks for everything that an image asks for.

import { MAX_GUEST_RAM } from '../../assembly/layout/memory.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { badAddress, corrupt, hex, tooLarge } from './errors.js';
import type { ImageFile } from './image.js';
import { buildMemoryMap, E820_RAM, HIGH_RAM_START, LOW_RAM_END, type MemoryMapEntry } from './memory-map.js';

export const PAGE_SIZE = 0x1000;

// The loader's area at the top of conventional memory, where no known kernel or boot sector is linked.
/** Linux' boot_params ("zero page"). */
export const BOOT_PARAMS = 0x90000;
/** Global descriptor table, followed by the halt stub (boot-environment.ts). */
export const BOOT_GDT = 0x91000;
/** PML4, PDPT and four page directories, one page each: 4 GiB in pages of 2 MiB. */
export const BOOT_PAGE_TABLES = 0x92000;
/** NUL-terminated command line. */
export const BOOT_COMMAND_LINE = 0x98000;
/** Multiboot information or hvm_start_info, with what they point to. */
export const BOOT_INFO = 0x99000;
export const BOOT_INFO_END = 0x9b000;
/** The stack grows down from here, 16 KiB before it meets the boot information. */
export const BOOT_STACK_TOP = 0x9f000;

export const LOADER_START = BOOT_PARAMS;
export const LOADER_END = BOOT_STACK_TOP;

/** A part of an image with its place in guest memory. */
export interface LoadSegment {
  /** For messages, such as "ELF segment 2". */
  readonly name: string;
  /** Guest physical address. */
  readonly address: number;
  readonly data: Uint8Array | ImageFile;
  /** Bytes in memory: data, then zeros. */
  readonly memorySize: number;
}

export interface Range {
  readonly start: number;
  /** First byte after. */
  readonly end: number;
}

function overlaps(start: number, end: number, otherStart: number, otherEnd: number): boolean {
  return start < otherEnd && otherStart < end;
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** A board too small for the loader's own area cannot start anything directly. */
export function checkLowMemory(memory: GuestMemory): void {
  if (memory.size < HIGH_RAM_START) throw tooLarge('a PC', HIGH_RAM_START, memory.size);
}

/** Throws unless [start, start + size) is RAM that an image may occupy. `name` is what lies there. */
export function checkRange(
  name: string,
  start: number,
  size: number,
  memory: GuestMemory,
  reserved: readonly MemoryMapEntry[],
): void {
  const end = start + size;
  const range = `${name} (${hex(start)}–${hex(end - 1)})`;
  if (start >= MAX_GUEST_RAM) {
    const reason = `lies above ${hex(MAX_GUEST_RAM)}, where the board never has RAM`;
    throw badAddress(`${range} ${reason}. Link the image so that its physical (load) addresses are low.`);
  }
  if (overlaps(start, end, LOW_RAM_END, HIGH_RAM_START)) {
    const hole = `${hex(LOW_RAM_END)}–${hex(HIGH_RAM_START - 1)}`;
    throw badAddress(
      `${range} lies over ${hole}: BIOS data, display and ROM, not RAM. Link the image at 1 MiB or more.`,
    );
  }
  if (overlaps(start, end, LOADER_START, LOADER_END)) {
    const area = `${hex(LOADER_START)}–${hex(LOADER_END - 1)}`;
    throw badAddress(
      `${range} lies over ${area}, where the loader puts its tables and the first stack. Link it elsewhere.`,
    );
  }
  if (end > memory.size) throw tooLarge(range, end, memory.size);
  for (const other of reserved) {
    if (overlaps(start, end, other.start, other.start + other.size)) {
      // Firmware tables stand at the end of RAM: with more RAM they move away.
      throw tooLarge(`${range}, beside the firmware's tables,`, end + other.size, memory.size);
    }
  }
}

/** Checks every segment by checkRange, and that no two overlap. */
export function checkSegments(
  segments: readonly LoadSegment[],
  memory: GuestMemory,
  reserved: readonly MemoryMapEntry[],
): void {
  for (const s of segments) checkRange(s.name, s.address, s.memorySize, memory, reserved);
  const sorted = [...segments].sort((a, b) => a.address - b.address);
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1];
    if (before.address + before.memorySize > sorted[i].address) {
      throw corrupt(`${before.name} and ${sorted[i].name} overlap at ${hex(sorted[i].address)}`);
    }
  }
}

export function writeSegments(segments: readonly LoadSegment[], memory: GuestMemory): void {
  for (const s of segments) {
    if (s.data instanceof Uint8Array) memory.write(s.address, s.data);
    else s.data.readInto(memory.slice(s.address, s.data.length));
    memory.fill(s.address + s.data.length, s.memorySize - s.data.length);
  }
}

/** First byte after all segments. */
export function segmentsEnd(segments: readonly LoadSegment[]): number {
  return segments.reduce((end, s) => Math.max(end, s.address + s.memorySize), 0);
}

/** Free RAM from 1 MiB on, lowest first. */
function freeRanges(memory: GuestMemory, reserved: readonly MemoryMapEntry[], used: readonly Range[]): Range[] {
  const taken = used.map((u) => ({ start: u.start, size: u.end - u.start, type: 0 }));
  return buildMemoryMap(memory.size, [...reserved, ...taken])
    .filter((entry) => entry.type === E820_RAM && entry.start >= HIGH_RAM_START)
    .map((entry) => ({ start: entry.start, end: entry.start + entry.size }));
}

/** Page-aligned address of the highest free `size` bytes of RAM above 1 MiB that end at or below `limit`, or -1. */
export function findHighest(
  size: number,
  limit: number,
  memory: GuestMemory,
  reserved: readonly MemoryMapEntry[],
  used: readonly Range[],
): number {
  for (const free of freeRanges(memory, reserved, used).reverse()) {
    const end = Math.min(free.end, limit);
    const start = Math.floor((end - size) / PAGE_SIZE) * PAGE_SIZE;
    if (start >= free.start) return start;
  }
  return -1;
}

/** Page-aligned address of the lowest free `size` bytes of RAM at or above `from` and 1 MiB, or -1. */
export function findLowest(
  size: number,
  from: number,
  memory: GuestMemory,
  reserved: readonly MemoryMapEntry[],
  used: readonly Range[],
): number {
  for (const free of freeRanges(memory, reserved, used)) {
    const start = alignUp(Math.max(free.start, from), PAGE_SIZE);
    if (start + size <= free.end) return start;
  }
  return -1;
}
