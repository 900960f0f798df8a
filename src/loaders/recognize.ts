// Says what an image is by its content.

import { FLAT_ADDRESS_AARCH64 } from '../vcpu/virt-map.js';
import { isArm64Image, parseArm64Header } from './arm64-header.js';
import {
  EM_386,
  EM_AARCH64,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  ET_REL,
  elfIdentity,
  isElf,
  machineName,
  parseElf,
} from './elf-file.js';
import { corrupt, hex, sizeText, unknownImage, unsupportedIsa } from './errors.js';
import { describeUnknown, foreignFormat, isText } from './foreign.js';
import type { Isa, LoadOptions, RecognizedImage } from './image.js';
import { ImageReader } from './image-reader.js';
import { isLinuxBzImage, parseLinuxHeader, protocolText } from './linux-header.js';
import {
  findMultibootHeader,
  hasAddressFields,
  hasMultiboot2Header,
  parseMultibootHeader,
} from './multiboot-header.js';
import { pvhEntry } from './pvh.js';

/** RISC-V's Image has the shape of AArch64's. */
const IMAGE_MAGIC_OFFSET = 0x38;
const RISCV_MAGIC = [0x52, 0x53, 0x43, 5];
/** 32-bit Arm zImage. */
const ARM_ZIMAGE_OFFSET = 0x24;
const ARM_ZIMAGE_MAGIC = [0x18, 0x28, 0x6f, 1];
/** Last two bytes of a boot sector. */
const BOOT_SIGNATURE_OFFSET = 510;
const BOOT_SIGNATURE = [0x55, 0xaa];

/** What decides besides the content. */
export interface RecognizeOptions extends Pick<LoadOptions, 'loadAddress'> {
  /** The board's instruction set, when the user chose one: what a binary without a header is for. */
  readonly isa?: Isa | undefined;
  /** Bytes of the whole image, when only its beginning is given. */
  readonly size?: number | undefined;
}

/**
 * In this order: flat (when a load address is given), bzImage, multiboot, PVH, plain ELF, AArch64 Image, boot sector
 * or disk. A disk may hold a multiboot kernel within its first 8 KiB, so a multiboot header outside an ELF
 * file counts only when the first sector is not a boot sector.
 *
 * For an AArch64 board, a binary without a header is a flat one at the board's usual address, boot signature or not.
 *
 * Throws E_IMAGE_UNKNOWN, E_IMAGE_TRUNCATED, E_IMAGE_CORRUPT or E_ISA_UNSUPPORTED.
 */
export function recognizeImage(bytes: Uint8Array, options: RecognizeOptions = {}): RecognizedImage {
  if (bytes.length === 0) throw unknownImage(describeUnknown(bytes));
  const flat = (address: number): RecognizedImage => {
    const description = `flat binary, ${sizeText(bytes.length)} at ${hex(address)}`;
    return { kind: 'flat', isa: options.isa ?? 'x86', description };
  };
  if (options.loadAddress !== undefined) return flat(options.loadAddress);
  if (isLinuxBzImage(bytes)) return recognizeLinux(bytes);
  if (isElf(bytes)) return recognizeElf(bytes);
  const foreign = foreignFormat(bytes);
  if (foreign) throw unknownImage(foreign);

  const reader = new ImageReader(bytes);
  if (isArm64Image(bytes)) return recognizeArm64(bytes, options.size ?? bytes.length);
  if (options.isa === 'aarch64' && !isText(bytes)) return flat(FLAT_ADDRESS_AARCH64);
  const isBootSector = reader.matches(BOOT_SIGNATURE_OFFSET, BOOT_SIGNATURE);
  const header = findMultibootHeader(bytes);
  if (header >= 0 && !isBootSector && hasAddressFields(bytes, header)) {
    parseMultibootHeader(bytes, header);
    return { kind: 'multiboot', isa: 'x86', description: 'multiboot 1 kernel with address fields' };
  }
  if (reader.matches(IMAGE_MAGIC_OFFSET, RISCV_MAGIC)) throw unsupportedIsa('This is a RISC-V Linux Image.');
  if (reader.matches(ARM_ZIMAGE_OFFSET, ARM_ZIMAGE_MAGIC)) throw unsupportedIsa('This is a 32-bit Arm Linux zImage.');
  if (isBootSector) {
    const what = bytes.length === 512 ? 'boot sector' : `disk image, ${sizeText(bytes.length)}`;
    return { kind: 'disk', isa: 'x86', description: what };
  }
  throw unknownImage(describeUnknown(bytes));
}

function recognizeLinux(bytes: Uint8Array): RecognizedImage {
  const header = parseLinuxHeader(bytes);
  const name = header.version ? `Linux bzImage ${header.version}` : 'Linux bzImage';
  const entry = header.is64 ? '64-bit' : '32-bit';
  const description = `${name}, boot protocol ${protocolText(header.protocol)}, ${entry} entry`;
  return { kind: 'linux-bzimage', isa: 'x86', description };
}

function recognizeArm64(bytes: Uint8Array, size: number): RecognizedImage {
  parseArm64Header(bytes, size);
  return { kind: 'aarch64-image', isa: 'aarch64', description: `AArch64 Linux Image, ${sizeText(size)}` };
}

function dynamicProgram(name: string): string {
  return `This ${name} file is a program for an operating system (it names a dynamic linker), no kernel.`;
}

function recognizeElf(bytes: Uint8Array): RecognizedImage {
  const { bits, littleEndian, machine, type } = elfIdentity(bytes);
  const name = `ELF${bits} ${machineName(machine)}`;
  if (machine !== EM_386 && machine !== EM_X86_64 && machine !== EM_AARCH64) {
    throw unsupportedIsa(`This is an ${name} file.`);
  }
  if (machine === EM_AARCH64 && (bits === 32 || !littleEndian)) {
    throw unsupportedIsa(`This is an ${name} file in ${littleEndian ? 'ILP32' : 'big-endian'} form.`);
  }
  if (!littleEndian) throw corrupt(`it is a big-endian ELF file for ${machineName(machine)}`);
  if (machine === EM_386 && bits === 64) throw corrupt('it is a 64-bit ELF file for i386');

  if (type === ET_REL) throw unknownImage(`This is an ${name} object file, not yet linked.`);
  if (type !== ET_EXEC && type !== ET_DYN) throw unknownImage(`This is an ${name} file, but not an executable.`);
  const elf = parseElf(bytes);
  const kernelKind = bits === 64 ? 'elf64' : 'elf32';
  if (machine === EM_AARCH64) {
    if (elf.hasInterpreter) throw unknownImage(dynamicProgram(name));
    return { kind: kernelKind, isa: 'aarch64', description: `${name} kernel, entry at ${hex(elf.entry)}` };
  }

  const header = findMultibootHeader(bytes);
  if (header >= 0) {
    parseMultibootHeader(bytes, header);
    return { kind: 'multiboot', isa: 'x86', description: `multiboot 1 kernel, ${name}` };
  }
  const pvh = pvhEntry(elf);
  if (pvh !== null) return { kind: 'pvh', isa: 'x86', description: `${name} kernel, PVH entry at ${hex(pvh)}` };
  if (hasMultiboot2Header(bytes)) {
    throw unknownImage(
      `This ${name} kernel has a multiboot 2 header, but neither a multiboot 1 header nor a PVH entry.`,
    );
  }
  if (elf.hasInterpreter) {
    throw unknownImage(dynamicProgram(name));
  }
  if (type === ET_DYN) {
    throw unknownImage(
      `This ${name} file is position-independent, and nobody would relocate it: link it with -no-pie.`,
    );
  }
  if (machine === EM_X86_64 && bits === 32) {
    throw unsupportedIsa('This is a plain ELF file with the x32 ABI (x86-64 code in ELF32).');
  }
  return { kind: kernelKind, isa: 'x86', description: `${name} kernel, entry at ${hex(elf.entry)}` };
}
