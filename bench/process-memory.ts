// How much memory a tsvm process holds, apart from what its guest has touched. Linux: /proc/PID, proc(5).

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { GUEST_BASE } from '../assembly/layout/memory.js';

const PAGE = 4096;
/** /proc/PID/pagemap (Linux, Documentation/admin-guide/mm/pagemap.rst): a little-endian 64-bit word a page. */
const PAGEMAP_ENTRY = 8;
const PAGEMAP_PRESENT = 0x80;
const PAGEMAP_SWAPPED = 0x40;

export interface ProcessMemory {
  /** Bytes resident: VmRSS. */
  readonly resident: number;
  /** Bytes of guest RAM that exist because something touched them. */
  readonly guest: number;
}

export interface Mapping {
  readonly start: number;
  readonly end: number;
}

/** Bytes of "VmRSS:" in the text of /proc/PID/status; NaN without. */
export function parseResident(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/**
 * Where guest RAM of `ramSize` bytes is, from the text of /proc/PID/maps: inside the WebAssembly memory, which is the
 * smallest readable and writable mapping that can hold it. Undefined when there is none.
 */
export function findGuestRam(maps: string, ramSize: number): Mapping | undefined {
  let found: Mapping | undefined;
  for (const line of maps.split('\n')) {
    const fields = /^([0-9a-f]+)-([0-9a-f]+) rw.. /.exec(line);
    if (!fields) continue;
    const start = Number.parseInt(fields[1], 16);
    const end = Number.parseInt(fields[2], 16);
    if (end - start < GUEST_BASE + ramSize) continue;
    if (!found || end - start < found.end - found.start) found = { start, end };
  }
  return found && { start: found.start + GUEST_BASE, end: found.start + GUEST_BASE + ramSize };
}

/** Pages that exist among those that the pagemap words describe. */
export function countPresent(words: Uint8Array): number {
  let pages = 0;
  for (let i = PAGEMAP_ENTRY - 1; i < words.length; i += PAGEMAP_ENTRY) {
    if (words[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) pages++;
  }
  return pages;
}

/** Throws an Error when /proc does not tell: another system, another user's process, no guest RAM in it. */
export function readProcessMemory(pid: number, ramSize: number): ProcessMemory {
  const ram = findGuestRam(readFileSync(`/proc/${pid}/maps`, 'latin1'), ramSize);
  if (!ram) throw new Error(`process ${pid} has no mapping that could hold ${ramSize} bytes of guest RAM`);
  const words = new Uint8Array(((ram.end - ram.start) / PAGE) * PAGEMAP_ENTRY);
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    const read = readSync(pagemap, words, 0, words.length, (ram.start / PAGE) * PAGEMAP_ENTRY);
    if (read !== words.length) throw new Error(`/proc/${pid}/pagemap ended early`);
  } finally {
    closeSync(pagemap);
  }
  return {
    resident: parseResident(readFileSync(`/proc/${pid}/status`, 'latin1')),
    guest: countPresent(words) * PAGE,
  };
}
