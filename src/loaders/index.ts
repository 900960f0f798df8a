// From the bytes of an image to a guest that stands in memory, ready to be started.

import type { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { bootDisk } from './bios.js';
import { loadElf } from './elf.js';
import { loadFlat } from './flat.js';
import type { ImageKind, LoadedGuest, LoadJob, LoadOptions, RecognizedImage } from './image.js';
import { loadLinux } from './linux.js';
import { loadMultiboot } from './multiboot.js';
import { loadPvh } from './pvh.js';
import { recognizeImage } from './recognize.js';

export { type BiosPlacement, loadBios } from './bios.js';
export type { BootModule, ImageKind, Isa, LoadedGuest, LoadOptions, RecognizedImage } from './image.js';
export { recognizeImage } from './recognize.js';

const X86_LOADERS: Partial<Record<ImageKind, (job: LoadJob, image: RecognizedImage) => LoadedGuest>> = {
  'linux-bzimage': loadLinux,
  multiboot: loadMultiboot,
  pvh: loadPvh,
  elf64: loadElf,
  elf32: loadElf,
  flat: loadFlat,
  disk: bootDisk,
};

/**
 * Recognizes an x86 image and puts it into guest memory; nothing is written unless the image fits. Errors are
 * TsvmErrors: those of recognizeImage, and E_IMAGE_TOO_LARGE, E_IMAGE_ADDRESS (not RAM there), E_LOAD_ADDRESS,
 * E_COMMAND_LINE, E_BOOT_INFO. For an AArch64 image: E_ISA_UNSUPPORTED; ask recognizeImage first.
 */
export function loadGuest(bytes: Uint8Array, memory: GuestMemory, options: LoadOptions = {}): LoadedGuest {
  const image = recognizeImage(bytes, options);
  const load = image.isa === 'x86' ? X86_LOADERS[image.kind] : undefined;
  if (!load) {
    const found = `guest is ${image.description}, and the pc board has an x86 processor`;
    throw new TsvmError('E_ISA_UNSUPPORTED', `${found}. Give an x86 image.`, 126);
  }
  return load({ bytes, memory, options, warnings: [] }, image);
}
