// Reads an ELF file's header, program headers and notes (System V ABI, chapters 4 and 5; psABI for machine numbers).

import { corrupt, hex, truncated } from './errors.js';
import { ImageReader } from './image-reader.js';

export const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

// e_type
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
// e_machine
export const EM_386 = 3;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;
/** Machines that a user might bring, for the refusal. */
const MACHINE_NAMES: Record<number, string> = {
  [EM_386]: 'i386',
  [EM_X86_64]: 'x86-64',
  [EM_AARCH64]: 'AArch64',
  2: 'SPARC',
  4: 'Motorola 68000',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64-bit',
  22: 'IBM S/390',
  40: '32-bit Arm',
  43: 'SPARC V9',
  50: 'Itanium',
  83: 'AVR',
  94: 'Xtensa',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
};
// p_type
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_NOTE = 4;

/** More program headers than any kernel has; keeps the work on a hostile file small. */
const MAX_PROGRAM_HEADERS = 256;
/** Notes are looked at up to this many bytes of a segment. */
const MAX_NOTE_BYTES = 0x10000;

export interface ElfSegment {
  /** Index in the program header table. */
  readonly index: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  /** The bytes that the file holds. */
  readonly data: Uint8Array;
  /** Bytes in memory, at least data.length; below 2^53. */
  readonly memorySize: number;
}

export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly descriptor: Uint8Array;
}

export interface ElfFile {
  readonly bits: 32 | 64;
  readonly machine: number;
  readonly type: number;
  readonly entry: bigint;
  /** The PT_LOAD segments that occupy memory, in file order. */
  readonly segments: readonly ElfSegment[];
  readonly notes: readonly ElfNote[];
  /** It has a PT_INTERP segment: a program for an operating system. */
  readonly hasInterpreter: boolean;
}

export function isElf(bytes: Uint8Array): boolean {
  return ELF_MAGIC.every((byte, i) => bytes[i] === byte);
}

export function machineName(machine: number): string {
  return MACHINE_NAMES[machine] ?? `machine number ${machine}`;
}

/** Class, byte order and machine alone: what is needed to say whose file this is. */
export interface ElfIdentity {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly machine: number;
  readonly type: number;
}

/** E_IMAGE_TRUNCATED or E_IMAGE_CORRUPT when even the identification is damaged. */
export function elfIdentity(bytes: Uint8Array): ElfIdentity {
  if (bytes.length < 20) throw truncated('it ends within the ELF header');
  const elfClass = bytes[4];
  const data = bytes[5];
  if (elfClass !== 1 && elfClass !== 2) throw corrupt(`ELF class ${elfClass} is neither 1 (32-bit) nor 2 (64-bit)`);
  if (data !== 1 && data !== 2) throw corrupt(`ELF byte order ${data} is neither 1 (little) nor 2 (big)`);
  const half = (at: number) => (data === 1 ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] << 8) | bytes[at + 1]);
  return { bits: elfClass === 1 ? 32 : 64, littleEndian: data === 1, machine: half(18), type: half(16) };
}

/** Reads a little-endian ELF file whose identity is sound. */
export function parseElf(bytes: Uint8Array): ElfFile {
  const { bits, machine, type } = elfIdentity(bytes);
  const reader = new ImageReader(bytes);
  const wide = bits === 64;
  /** Address or offset of the file's class. */
  const word = (offset: number, field: string) =>
    wide ? reader.u64(offset, field) : BigInt(reader.u32(offset, field));

  reader.check(0, wide ? 64 : 52, 'the ELF header');
  const entry = word(24, 'e_entry');
  const headers = toNumber(word(wide ? 32 : 28, 'e_phoff'), 'e_phoff');
  const entrySize = reader.u16(wide ? 54 : 42, 'e_phentsize');
  const count = reader.u16(wide ? 56 : 44, 'e_phnum');
  if (count > MAX_PROGRAM_HEADERS) throw corrupt(`e_phnum ${count} is more than ${MAX_PROGRAM_HEADERS}`);
  if (count > 0 && entrySize < (wide ? 56 : 32))
    throw corrupt(`e_phentsize ${entrySize} is smaller than a program header`);
  reader.check(headers, count * entrySize, 'the ELF program header table');

  const segments: ElfSegment[] = [];
  const notes: ElfNote[] = [];
  let hasInterpreter = false;
  for (let index = 0; index < count; index++) {
    const at = headers + index * entrySize;
    const field = (name: string) => `${name} of ELF segment ${index}`;
    const segmentType = reader.u32(at, field('p_type'));
    if (segmentType === PT_INTERP) hasInterpreter = true;
    if (segmentType !== PT_LOAD && segmentType !== PT_NOTE) continue;
    const offset = toNumber(word(at + (wide ? 8 : 4), field('p_offset')), field('p_offset'));
    const fileSize = toNumber(word(at + (wide ? 32 : 16), field('p_filesz')), field('p_filesz'));
    if (segmentType === PT_NOTE) {
      const alignment = word(at + (wide ? 48 : 28), field('p_align')) === 8n ? 8 : 4;
      if (reader.has(offset, fileSize)) notes.push(...parseNotes(bytes.subarray(offset, offset + fileSize), alignment));
      continue;
    }
    const memorySize = toNumber(word(at + (wide ? 40 : 20), field('p_memsz')), field('p_memsz'));
    if (memorySize < fileSize) {
      throw corrupt(`ELF segment ${index} has p_memsz ${hex(memorySize)} below its p_filesz ${hex(fileSize)}`);
    }
    const virtualAddress = word(at + (wide ? 16 : 8), field('p_vaddr'));
    const physicalAddress = word(at + (wide ? 24 : 12), field('p_paddr'));
    const space = 1n << BigInt(bits);
    if (virtualAddress + BigInt(memorySize) > space || physicalAddress + BigInt(memorySize) > space) {
      throw corrupt(`ELF segment ${index} wraps around the end of the ${bits}-bit address space`);
    }
    // A segment without file bytes (bss) may name any offset.
    const data = reader.slice(fileSize === 0 ? 0 : offset, fileSize, `ELF segment ${index}`);
    if (memorySize > 0) segments.push({ index, virtualAddress, physicalAddress, data, memorySize });
  }
  return { bits, machine, type, entry, segments, notes, hasInterpreter };
}

/** Notes: name size, descriptor size, type, then name and descriptor, each padded to `alignment`. */
function parseNotes(bytes: Uint8Array, alignment: number): ElfNote[] {
  const reader = new ImageReader(bytes.subarray(0, MAX_NOTE_BYTES));
  const pad = (size: number) => Math.ceil(size / alignment) * alignment;
  const notes: ElfNote[] = [];
  let at = 0;
  while (reader.has(at, 12)) {
    const nameSize = reader.u32(at, 'note');
    const descriptorSize = reader.u32(at + 4, 'note');
    const type = reader.u32(at + 8, 'note');
    const descriptor = at + pad(12 + nameSize);
    // A note that runs past its segment ends the list; nobody else's data is taken for a note.
    if (!reader.has(descriptor, descriptorSize)) break;
    const name = reader.text(at + 12, nameSize);
    notes.push({ name, type, descriptor: reader.slice(descriptor, descriptorSize, 'note') });
    at = descriptor + pad(descriptorSize);
  }
  return notes;
}

/** File offsets and sizes: anything that large is wrong in any file. */
function toNumber(value: bigint, field: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(`${field} is ${hex(value)}`);
  return Number(value);
}
