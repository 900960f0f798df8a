// The header of an AArch64 Linux Image (Linux kernel documentation, "Booting AArch64 Linux", section 4).

import { corrupt, truncated, unsupportedIsa } from './errors.js';
import { ImageReader } from './image-reader.js';

const MAGIC_OFFSET = 0x38;
/** "ARM\x64". */
const MAGIC = [0x41, 0x52, 0x4d, 0x64];
const HEADER_SIZE = 0x40;
const GZIP_MAGIC = [0x1f, 0x8b, 8];

const FLAG_BIG_ENDIAN = 1n;
/** Kernels before 3.17 have no image_size and want this offset. */
const OLD_TEXT_OFFSET = 0x80000;
const MAX_TEXT_OFFSET = 1n << 32n;

export interface Arm64Header {
  /** Bytes from a 2 MiB boundary to where the image goes. */
  readonly textOffset: number;
  /** Bytes of memory that the kernel takes from there on, at least the file's. */
  readonly memorySize: number;
}

export function isArm64Image(bytes: Uint8Array): boolean {
  return new ImageReader(bytes).matches(MAGIC_OFFSET, MAGIC);
}

/**
 * `size`: bytes of the whole file. E_IMAGE_TRUNCATED, E_IMAGE_CORRUPT, or E_ISA_UNSUPPORTED for a big-endian kernel.
 */
export function parseArm64Header(bytes: Uint8Array, size = bytes.length): Arm64Header {
  const reader = new ImageReader(bytes);
  reader.check(0, HEADER_SIZE, 'the AArch64 Image header');
  const imageSize = reader.u64(0x10, 'image_size');
  if (imageSize === 0n) return { textOffset: OLD_TEXT_OFFSET, memorySize: size };
  const textOffset = reader.u64(0x08, 'text_offset');
  if (textOffset >= MAX_TEXT_OFFSET || textOffset % 8n !== 0n)
    throw corrupt(`text_offset is 0x${textOffset.toString(16)}`);
  if (imageSize > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(`image_size is 0x${imageSize.toString(16)}`);
  if (reader.u64(0x18, 'flags') & FLAG_BIG_ENDIAN) throw unsupportedIsa('This is a big-endian AArch64 Linux Image.');
  return { textOffset: Number(textOffset), memorySize: Math.max(Number(imageSize), size) };
}

/** Unpacks gzip data into at most `limit` bytes; throws whatever it likes when the data are damaged or larger. */
export type Gunzip = (bytes: Uint8Array, limit: number) => Uint8Array;

/**
 * A gzip-compressed AArch64 Image (Image.gz) comes out unpacked, anything else as it is. E_IMAGE_TRUNCATED when it
 * cannot be unpacked within `limit` bytes.
 */
export function unpackArm64Image(bytes: Uint8Array, gunzip: Gunzip, limit: number): Uint8Array {
  if (!new ImageReader(bytes).matches(0, GZIP_MAGIC)) return bytes;
  let unpacked: Uint8Array;
  try {
    unpacked = gunzip(bytes, limit);
  } catch (error) {
    throw truncated(`its gzip data cannot be unpacked (${error instanceof Error ? error.message : 'damaged'})`);
  }
  return isArm64Image(unpacked) ? unpacked : bytes;
}
