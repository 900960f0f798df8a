// Finds and reads a Multiboot 1 header (Multiboot Specification 0.6.96, 3.1).

import { corrupt, hex, truncated, unknownImage } from './errors.js';
import { ImageReader } from './image-reader.js';

const HEADER_MAGIC = 0x1badb002;
/** The header lies wholly within the file's first 8 KiB, at a multiple of 4. */
const SEARCH_BYTES = 8192;
const MULTIBOOT2_MAGIC = 0xe85250d6;
/** Multiboot2 Specification 3.1: within 32 KiB, at a multiple of 8. */
const MULTIBOOT2_SEARCH_BYTES = 32768;

/** Boot modules on page boundaries; always done. */
const FLAG_PAGE_ALIGN = 1 << 0;
/** Memory information; always given. */
const FLAG_MEMORY_INFO = 1 << 1;
const FLAG_VIDEO_MODE = 1 << 2;
const FLAG_ADDRESS_FIELDS = 1 << 16;
/** Bits 0–15 are requirements: a loader must refuse an image that asks for one it does not know. */
const REQUIRED_MASK = 0xffff;
const KNOWN_REQUIREMENTS = FLAG_PAGE_ALIGN | FLAG_MEMORY_INFO | FLAG_VIDEO_MODE;

/** The "a.out kludge": where the file goes, for a file that does not say it itself. */
export interface MultibootAddresses {
  readonly loadAddress: number;
  /** File offset of the byte that goes to loadAddress. */
  readonly fileOffset: number;
  readonly dataSize: number;
  readonly memorySize: number;
  readonly entry: number;
}

export interface MultibootHeader {
  /** File offset. */
  readonly offset: number;
  readonly addresses: MultibootAddresses | null;
  /** The kernel asks for a video mode: 'graphics', 'text' or nothing. */
  readonly video: 'graphics' | 'text' | null;
}

/** File offset of the header, or -1. */
export function findMultibootHeader(bytes: Uint8Array): number {
  const reader = new ImageReader(bytes);
  for (let at = 0; at + 12 <= SEARCH_BYTES && reader.has(at, 12); at += 4) {
    if (reader.u32(at, 'magic') !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + reader.u32(at + 4, 'flags') + reader.u32(at + 8, 'checksum');
    if (sum % 0x100000000 === 0) return at;
  }
  return -1;
}

export function hasMultiboot2Header(bytes: Uint8Array): boolean {
  const reader = new ImageReader(bytes);
  for (let at = 0; at + 16 <= MULTIBOOT2_SEARCH_BYTES && reader.has(at, 16); at += 8) {
    if (reader.u32(at, 'magic') !== MULTIBOOT2_MAGIC) continue;
    const rest = reader.u32(at + 4, 'architecture') + reader.u32(at + 8, 'length') + reader.u32(at + 12, 'checksum');
    if ((MULTIBOOT2_MAGIC + rest) % 0x100000000 === 0) return true;
  }
  return false;
}

export function hasAddressFields(bytes: Uint8Array, offset: number): boolean {
  return (new ImageReader(bytes).u32(offset + 4, 'flags') & FLAG_ADDRESS_FIELDS) !== 0;
}

/** Reads the header at `offset`, which findMultibootHeader gave. */
export function parseMultibootHeader(bytes: Uint8Array, offset: number): MultibootHeader {
  const reader = new ImageReader(bytes);
  const flags = reader.u32(offset + 4, 'multiboot flags');
  const unknown = flags & REQUIRED_MASK & ~KNOWN_REQUIREMENTS;
  if (unknown !== 0) {
    throw unknownImage(`The multiboot header requires a feature that no loader knows (flag bits ${hex(unknown)}).`);
  }
  // Video fields stand after the address fields, whether those are used or not.
  const graphics = flags & FLAG_VIDEO_MODE && reader.u32(offset + 32, 'multiboot mode_type') === 0;
  const video = flags & FLAG_VIDEO_MODE ? (graphics ? 'graphics' : 'text') : null;
  return { offset, addresses: flags & FLAG_ADDRESS_FIELDS ? parseAddresses(reader, offset) : null, video };
}

function parseAddresses(reader: ImageReader, offset: number): MultibootAddresses {
  const headerAddress = reader.u32(offset + 12, 'multiboot header_addr');
  const loadAddress = reader.u32(offset + 16, 'multiboot load_addr');
  const loadEnd = reader.u32(offset + 20, 'multiboot load_end_addr');
  const bssEnd = reader.u32(offset + 24, 'multiboot bss_end_addr');
  const entry = reader.u32(offset + 28, 'multiboot entry_addr');
  const fileOffset = offset - (headerAddress - loadAddress);
  if (loadAddress > headerAddress) {
    throw corrupt(`multiboot load_addr ${hex(loadAddress)} is above header_addr ${hex(headerAddress)}`);
  }
  if (fileOffset < 0) throw corrupt(`multiboot load_addr ${hex(loadAddress)} lies before the start of the file`);
  if (loadEnd !== 0 && loadEnd < loadAddress) {
    throw corrupt(`multiboot load_end_addr ${hex(loadEnd)} is below load_addr ${hex(loadAddress)}`);
  }
  // Zero means the whole rest of the file.
  const dataSize = loadEnd === 0 ? reader.length - fileOffset : loadEnd - loadAddress;
  if (!reader.has(fileOffset, dataSize)) {
    throw truncated(`multiboot load_end_addr asks for ${hex(dataSize)} bytes from file offset ${hex(fileOffset)}`);
  }
  // Zero means that there is no bss.
  const memorySize = bssEnd === 0 ? dataSize : bssEnd - loadAddress;
  if (memorySize < dataSize) throw corrupt(`multiboot bss_end_addr ${hex(bssEnd)} is below load_end_addr`);
  if (entry < loadAddress || entry >= loadAddress + memorySize) {
    throw corrupt(`multiboot entry_addr ${hex(entry)} is outside what is loaded`);
  }
  return { loadAddress, fileOffset, dataSize, memorySize, entry };
}
