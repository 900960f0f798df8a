// From the bytes of an image to a guest that stands in memory, ready to be started.

import type { ArmState } from '../vcpu/arm-state.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { loadArm64, type VirtLoadOptions } from './arm64.js';
import { bootDisk } from './bios.js';
import { loadElf } from './elf.js';
import { loadFlat } from './flat.js';
import type { ImageKind, LoadedGuest, LoadJob, LoadOptions, RecognizedImage } from './image.js';
import { loadLinux } from './linux.js';
import { loadMultiboot } from './multiboot.js';
import { loadPvh } from './pvh.js';
import { recognizeImage } from './recognize.js';

export { readAheadArm64 } from './arm64.js';
export { type Gunzip, unpackArm64Image } from './arm64-header.js';
export { type BiosPlacement, loadBios } from './bios.js';
export type { BootModule, ImageFile, ImageKind, Isa, LoadedGuest, LoadOptions, RecognizedImage } from './image.js';
export { type RecognizeOptions, recognizeImage } from './recognize.js';
export type { VirtHardware } from './virt-fdt.js';
export type { VirtLoadOptions };

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
    throw new TsvmError('E_ISA_UNSUPPORTED', `${found}. Give an x86 image, or use --machine virt.`, 126);
  }
  return load({ bytes, memory, options, warnings: [] }, image);
}

/**
 * Recognizes an AArch64 image and puts it into the virt board's memory; nothing is written unless it fits. Errors are
 * those of loadGuest; for an x86 image: E_ISA_UNSUPPORTED.
 */
export function loadVirtGuest(bytes: Uint8Array, memory: GuestMemory, options: VirtLoadOptions): LoadedGuest<ArmState> {
  const { loadAddress, file } = options;
  const image = recognizeImage(bytes, { loadAddress, isa: 'aarch64', size: file?.length });
  if (image.isa !== 'aarch64') {
    const found = `guest is ${image.description}, and the virt board has an AArch64 processor`;
    throw new TsvmError('E_ISA_UNSUPPORTED', `${found}. Give an AArch64 image, or use --machine pc.`, 126);
  }
  return loadArm64({ bytes, memory, options, warnings: [] }, image);
}
