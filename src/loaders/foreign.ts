// Files that people give to an emulator and that tsvm does not start: known by their first bytes, refused by name.

import { ImageReader } from './image-reader.js';

interface Signature {
  readonly offset: number;
  readonly bytes: readonly number[];
  readonly name: string;
  readonly advice: string;
}

function ascii(text: string): number[] {
  return [...text].map((c) => c.charCodeAt(0));
}

const DECOMPRESS = 'Decompress it first.';
const RAW_DISK = 'Convert it to a raw disk image first.';

const SIGNATURES: readonly Signature[] = [
  { offset: 0, bytes: [0x1f, 0x8b, 8], name: 'a gzip file', advice: DECOMPRESS },
  { offset: 0, bytes: [0xfd, ...ascii('7zXZ'), 0], name: 'an xz file', advice: DECOMPRESS },
  { offset: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd], name: 'a Zstandard file', advice: DECOMPRESS },
  { offset: 0, bytes: ascii('BZh'), name: 'a bzip2 file', advice: DECOMPRESS },
  { offset: 0, bytes: [4, 0x22, 0x4d, 0x18], name: 'an LZ4 file', advice: DECOMPRESS },
  { offset: 0, bytes: [0x50, 0x4b, 3, 4], name: 'a ZIP archive', advice: 'Unpack it first.' },
  { offset: 0, bytes: ascii('070701'), name: 'a cpio archive (initramfs)', advice: 'Give it with --initrd.' },
  { offset: 0, bytes: ascii('070702'), name: 'a cpio archive (initramfs)', advice: 'Give it with --initrd.' },
  { offset: 0, bytes: [...ascii('QFI'), 0xfb], name: 'a qcow2 disk image', advice: RAW_DISK },
  { offset: 0, bytes: ascii('KDMV'), name: 'a VMDK disk image', advice: RAW_DISK },
  { offset: 0, bytes: ascii('conectix'), name: 'a VHD disk image', advice: RAW_DISK },
  { offset: 0, bytes: ascii('vhdxfile'), name: 'a VHDX disk image', advice: RAW_DISK },
  { offset: 0x40, bytes: [0x7f, 0x10, 0xda, 0xbe], name: 'a VDI disk image', advice: RAW_DISK },
  { offset: 0, bytes: [0x27, 5, 0x19, 0x56], name: 'a U-Boot uImage', advice: 'Extract the kernel first.' },
  { offset: 0, bytes: [0xd0, 0x0d, 0xfe, 0xed], name: 'a device tree', advice: 'Give a kernel.' },
  { offset: 0, bytes: [0, ...ascii('asm')], name: 'a WebAssembly module', advice: 'Give a kernel.' },
  { offset: 0, bytes: [0xcf, 0xfa, 0xed, 0xfe], name: 'a Mach-O file', advice: 'Link the kernel as ELF.' },
  { offset: 0, bytes: [0xce, 0xfa, 0xed, 0xfe], name: 'a Mach-O file', advice: 'Link the kernel as ELF.' },
];

/** Recognized only when nothing better is found: a boot sector may start with the same bytes, or stand before them. */
const WEAK_SIGNATURES: readonly Signature[] = [
  { offset: 0x8001, bytes: ascii('CD001'), name: 'an ISO 9660 CD image', advice: 'Take the kernel out of it.' },
  {
    offset: 0,
    bytes: ascii('MZ'),
    name: 'a PE (DOS, Windows or EFI) program',
    advice: 'There is no EFI firmware here.',
  },
];

function find(bytes: Uint8Array, signatures: readonly Signature[]): string | null {
  const reader = new ImageReader(bytes);
  const found = signatures.find((s) => reader.matches(s.offset, s.bytes));
  return found ? `This is ${found.name}. ${found.advice}` : null;
}

const TEXT_SAMPLE = 512;

/** Whether the file's beginning holds nothing but printable characters and white space, in ASCII or UTF-8. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, TEXT_SAMPLE).every((b) => (b >= 0x20 && b !== 0x7f) || (b >= 0x09 && b <= 0x0d));
}

/** "This is a gzip file. Decompress it first.", or null. */
export function foreignFormat(bytes: Uint8Array): string | null {
  return find(bytes, SIGNATURES);
}

/** The same, for what is left when no accepted kind matched; always says something. */
export function describeUnknown(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'The file is empty.';
  const weak = find(bytes, WEAK_SIGNATURES);
  if (weak) return weak;
  if (isText(bytes)) return 'This is a text file.';
  if (bytes.length < 512) return `The file has ${bytes.length} bytes and no known header; a boot sector has 512.`;
  return 'The file has no known header, and its first sector does not end with the boot signature 55 AA.';
}
