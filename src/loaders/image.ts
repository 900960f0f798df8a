// What the loaders are given and what they answer.

import type { GuestMemory } from '../vcpu/guest-memory.js';
import type { X86State } from '../vcpu/x86-state.js';
import type { MemoryMapEntry } from './memory-map.js';

/** What an image is, by its content (or, for 'flat', by the user's word). */
export type ImageKind =
  /** Linux kernel in its self-decompressing x86 container. */
  | 'linux-bzimage'
  /** Kernel with a Multiboot 1 header, ELF or not. */
  | 'multiboot'
  /** ELF kernel with a Xen PVH entry point (Linux' vmlinux has one). */
  | 'pvh'
  | 'elf64'
  | 'elf32'
  /** AArch64 Linux kernel. */
  | 'aarch64-image'
  /** Boot sector, or a whole disk that starts with one: booted by a BIOS. */
  | 'disk'
  /** Bare machine code, placed at the address that the user gave. */
  | 'flat';

export type Isa = 'x86' | 'aarch64';

export interface RecognizedImage {
  readonly kind: ImageKind;
  readonly isa: Isa;
  /** One line for people, such as "Linux bzImage 6.1.0, boot protocol 2.15". Printable ASCII only. */
  readonly description: string;
}

/** A long image that is read straight to where it goes in guest memory. */
export interface ImageFile {
  /** Bytes. */
  readonly length: number;
  /** Fills `into`, of that length, or throws. */
  readInto(into: Uint8Array): void;
  /** Begins with that: readInto(), for the same place, has less to do or nothing once it resolves. It never rejects. */
  readAhead?(into: Uint8Array): Promise<void>;
}

/** An initrd, or one of several boot modules. */
export interface BootModule {
  readonly bytes: Uint8Array;
  /** The module's own string, which Multiboot and PVH pass on. */
  readonly commandLine?: string | undefined;
}

export interface LoadOptions {
  /** Kernel command line; default empty. */
  readonly commandLine?: string | undefined;
  /** Initrd or boot modules, in order. Linux gets them as one concatenated initrd. */
  readonly modules?: readonly BootModule[] | undefined;
  /** File name of the image: first word of a Multiboot command line. */
  readonly imageName?: string | undefined;
  /** The whole image, where the bytes that are given are only its beginning: for an AArch64 Image. */
  readonly file?: ImageFile | undefined;
  /** Guest physical address for a flat binary; when given, the image is not examined at all. */
  readonly loadAddress?: number | undefined;
  /** Ranges that firmware tables occupy: kept free, and announced with their type in the memory map. */
  readonly reserved?: readonly MemoryMapEntry[] | undefined;
  /** Guest physical address of the ACPI RSDP, for those boot protocols that pass it. */
  readonly rsdpAddress?: number | undefined;
}

/** A guest that stands in memory, ready to be started. */
export interface LoadedGuest<State = X86State> extends RecognizedImage {
  /** Sets the state at the guest's first instruction, over the reset state. May be called again for a reboot. */
  writeState(state: State): void;
  /** Address of the first instruction: linear on x86, physical on AArch64. */
  readonly entry: number;
  /** What was asked for and cannot be had, one sentence each. */
  readonly warnings: readonly string[];
  /** The board must provide a BIOS ROM (see loadBios) … */
  readonly needsBios?: boolean;
  /** … and the image as its first hard disk, BIOS drive 0x80. */
  readonly disk?: boolean;
}

/** What one loader works on. */
export interface LoadJob {
  readonly bytes: Uint8Array;
  readonly memory: GuestMemory;
  readonly options: LoadOptions;
  /** Loaders append here. */
  readonly warnings: string[];
}
