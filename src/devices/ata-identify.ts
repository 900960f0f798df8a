// The answer to IDENTIFY DEVICE: 256 words about the drive (ATA/ATAPI-6, 8.15 and table 27).

import type { Geometry } from './ata-geometry.js';
import { MAX_MULTIPLE } from './ata-registers.js';

export interface DriveDescription {
  readonly sectors: number;
  /** Translation after reset, and the one in force. */
  readonly defaultGeometry: Geometry;
  readonly currentGeometry: Geometry;
  /** Sectors per block of READ/WRITE MULTIPLE, 0 when that is off. */
  readonly multiple: number;
  readonly writeCache: boolean;
  /** Up to 20, 8 and 40 ASCII characters. */
  readonly serial: string;
  readonly firmware: string;
  readonly model: string;
}

/** Largest capacity that 28-bit addresses can say. */
const MAX_LBA28_SECTORS = 0x0fffffff;

// Words 82–87: feature sets supported, and enabled.
const FEATURE_POWER_MANAGEMENT = 1 << 3;
const FEATURE_WRITE_CACHE = 1 << 5;
const FEATURE_LBA48 = 1 << 10;
const FEATURE_FLUSH_CACHE = 1 << 12;
const FEATURE_FLUSH_CACHE_EXT = 1 << 13;
/** Bit 14 one and bit 15 zero: this word is valid. */
const WORD_VALID = 1 << 14;

/** 512 bytes, words little-endian as the data port delivers them. */
export function identifyData(drive: DriveDescription): Uint8Array {
  const words = new Uint16Array(256);
  const { defaultGeometry: geometry, currentGeometry: current } = drive;
  words[0] = 0x0040; // an ATA device, not removable
  words[1] = geometry.cylinders;
  words[3] = geometry.heads;
  words[6] = geometry.sectorsPerTrack;
  putText(words, 10, 10, drive.serial);
  putText(words, 23, 4, drive.firmware);
  putText(words, 27, 20, drive.model);
  words[47] = 0x8000 | MAX_MULTIPLE;
  words[48] = 1; // the data port may be accessed 32 bits at a time (ATA-1; reserved since)
  words[49] = (1 << 9) | (1 << 11); // LBA; IORDY supported; no DMA
  words[50] = WORD_VALID;
  words[51] = 2 << 8; // PIO mode 2 without flow control
  words[53] = 3; // words 54–58 and 64–70 are valid
  words[54] = current.cylinders;
  words[55] = current.heads;
  words[56] = current.sectorsPerTrack;
  const chsSectors = current.cylinders * current.heads * current.sectorsPerTrack;
  putNumber(words, 57, 2, Math.min(chsSectors, drive.sectors));
  words[59] = drive.multiple > 0 ? 0x100 | drive.multiple : 0;
  putNumber(words, 60, 2, Math.min(drive.sectors, MAX_LBA28_SECTORS));
  words[64] = 3; // PIO modes 3 and 4
  words[67] = 120; // their cycle times in ns, without and with flow control
  words[68] = 120;
  words[80] = 0x0070; // ATA/ATAPI-4 to -6
  words[82] = FEATURE_POWER_MANAGEMENT | FEATURE_WRITE_CACHE;
  words[83] = WORD_VALID | FEATURE_LBA48 | FEATURE_FLUSH_CACHE | FEATURE_FLUSH_CACHE_EXT;
  words[84] = WORD_VALID;
  words[85] = FEATURE_POWER_MANAGEMENT | (drive.writeCache ? FEATURE_WRITE_CACHE : 0);
  words[86] = FEATURE_LBA48 | FEATURE_FLUSH_CACHE | FEATURE_FLUSH_CACHE_EXT;
  words[87] = WORD_VALID;
  putNumber(words, 100, 4, drive.sectors);
  return withIntegrityWord(words);
}

/** Least significant word first. */
function putNumber(words: Uint16Array, at: number, count: number, value: number): void {
  for (let i = 0; i < count; i++) words[at + i] = Math.floor(value / 0x10000 ** i) % 0x10000;
}

/** Text is padded with spaces; the first character of each pair is in the high byte. */
function putText(words: Uint16Array, at: number, count: number, text: string): void {
  const padded = text.padEnd(count * 2, ' ');
  for (let i = 0; i < count; i++) {
    words[at + i] = ((padded.charCodeAt(2 * i) & 0x7f) << 8) | (padded.charCodeAt(2 * i + 1) & 0x7f);
  }
}

/** Word 255: signature A5h, and a byte that makes the sum of all 512 bytes zero. */
function withIntegrityWord(words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(512);
  words.forEach((word, i) => {
    bytes[2 * i] = word & 0xff;
    bytes[2 * i + 1] = word >> 8;
  });
  bytes[510] = 0xa5;
  bytes[511] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}
