// Puts AArch64 guests into the virt board's memory: Linux Images, ELF files and flat binaries. Addresses follow QEMU's
// machine of the same name, so that a guest that was linked for one finds itself right on the other.

import { ArmState } from '../vcpu/arm-state.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { FLAT_ADDRESS_AARCH64, VIRT_RAM_BASE } from '../vcpu/virt-map.js';
import { isArm64Image, parseArm64Header } from './arm64-header.js';
import { COMMAND_LINE_MAX, encodeCommandLine } from './command-line.js';
import { elfLoadSegments, physicalEntry } from './elf.js';
import { parseElf } from './elf-file.js';
import { badAddress, corrupt, hex, tooLarge } from './errors.js';
import { buildFdt } from './fdt.js';
import type { ImageFile, LoadedGuest, LoadJob, LoadOptions, RecognizedImage } from './image.js';
import { concatenate } from './modules.js';
import { alignUp, type LoadSegment, PAGE_SIZE, segmentsEnd, writeSegments } from './placement.js';
import { type VirtHardware, virtTree } from './virt-fdt.js';

const MIB = 0x100000;
/** Kernels and device trees are placed at multiples of this. */
const LARGE_PAGE = 2 * MIB;
/** The initrd goes halfway up in RAM, or this far if that is less. */
const INITRD_OFFSET_MAX = 128 * MIB;
/** COMMAND_LINE_SIZE of AArch64 Linux, without the NUL. */
const LINUX_COMMAND_LINE_MAX = 2047;

export interface VirtLoadOptions extends LoadOptions {
  readonly hardware: VirtHardware;
  /** Entropy for /chosen/rng-seed. */
  readonly rngSeed?: Uint8Array | undefined;
}

export interface VirtLoadJob extends LoadJob {
  readonly options: VirtLoadOptions;
}

/** The first 2 MiB stay free below a kernel without an offset, as under QEMU, whose boot code is there. */
function kernelAddress(textOffset: number): number {
  return VIRT_RAM_BASE + (textOffset < PAGE_SIZE ? LARGE_PAGE + textOffset : textOffset);
}

/**
 * Begins to read the kernel that loadArm64() will load, if it has a file of its own. `bytes`: its beginning. What is wrong
 * with it, loading tells.
 */
export async function readAheadArm64(bytes: Uint8Array, memory: GuestMemory, file?: ImageFile): Promise<void> {
  if (!file?.readAhead || !isArm64Image(bytes)) return;
  const address = kernelAddress(parseArm64Header(bytes, file.length).textOffset);
  if (memory.contains(address, file.length)) await file.readAhead(memory.slice(address, file.length));
}

interface Placement {
  readonly segments: readonly LoadSegment[];
  readonly entry: number;
}

/** Where each kind wants to be. */
function plan(job: VirtLoadJob, image: RecognizedImage): Placement {
  const { bytes, options } = job;
  if (image.kind === 'aarch64-image') {
    const data = options.file ?? bytes;
    const { textOffset, memorySize } = parseArm64Header(bytes, data.length);
    const address = kernelAddress(textOffset);
    return { segments: [{ name: 'the Linux kernel', address, data, memorySize }], entry: address };
  }
  if (image.kind === 'elf64') {
    const elf = parseElf(bytes);
    return { segments: elfLoadSegments(elf), entry: physicalEntry(elf) };
  }
  const address = options.loadAddress ?? FLAT_ADDRESS_AARCH64;
  if (!Number.isInteger(address)) throw badAddress(`the flat binary's address ${address} is no address.`);
  return { segments: [{ name: 'the flat binary', address, data: bytes, memorySize: bytes.length }], entry: address };
}

/** Throws unless all segments lie in RAM and no two overlap. */
function checkSegments(segments: readonly LoadSegment[], ramEnd: number): void {
  for (const s of segments) {
    const end = s.address + s.memorySize;
    const range = `${s.name} (${hex(s.address)}–${hex(end - 1)})`;
    if (s.address < VIRT_RAM_BASE) {
      const reason = `lies below ${hex(VIRT_RAM_BASE)}, where the virt board's RAM begins`;
      throw badAddress(`${range} ${reason}. Link the image so that its physical (load) addresses are in RAM.`);
    }
    if (end > ramEnd) throw tooLarge(range, end - VIRT_RAM_BASE, ramEnd - VIRT_RAM_BASE);
  }
  const sorted = [...segments].sort((a, b) => a.address - b.address);
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1];
    if (before.address + before.memorySize > sorted[i].address) {
      throw corrupt(`${before.name} and ${sorted[i].name} overlap at ${hex(sorted[i].address)}`);
    }
  }
}

/** Where `size` bytes of device tree go: for an ELF file or a high flat binary at the start of RAM, else above all. */
function placeTree(
  size: number,
  kernel: readonly LoadSegment[],
  above: number,
  ramEnd: number,
  isLinux: boolean,
): number {
  const lowest = kernel.reduce((low, s) => Math.min(low, s.address), Infinity);
  if (!isLinux && VIRT_RAM_BASE + size <= lowest) return VIRT_RAM_BASE;
  const aligned = alignUp(above, LARGE_PAGE);
  if (aligned + size <= ramEnd) return aligned;
  // A small board: as high as possible.
  const top = Math.floor((ramEnd - size) / PAGE_SIZE) * PAGE_SIZE;
  if (top < above) throw tooLarge('the device tree', above + size - VIRT_RAM_BASE, ramEnd - VIRT_RAM_BASE);
  return top;
}

/**
 * Loads a recognized AArch64 image; nothing is written unless everything fits. The guest starts at its entry with the
 * MMU off, in EL1 (EL2 if the processor has it), all interrupts masked, X0 = device tree, X1–X3 = 0.
 */
export function loadArm64(job: VirtLoadJob, image: RecognizedImage): LoadedGuest<ArmState> {
  const { memory, options, warnings } = job;
  const { hardware } = options;
  const ramEnd = VIRT_RAM_BASE + memory.size;
  const { segments, entry } = plan(job, image);
  const isLinux = image.kind === 'aarch64-image';
  const commandLine = options.commandLine ?? '';
  encodeCommandLine(commandLine, isLinux ? LINUX_COMMAND_LINE_MAX : COMMAND_LINE_MAX);
  checkSegments(segments, ramEnd);
  if (entry % 4 !== 0) throw corrupt(`the entry point ${hex(entry)} is not a multiple of 4`);

  const kernelEnd = segmentsEnd(segments);
  const initrdBytes = concatenate(options.modules ?? []);
  const middle = VIRT_RAM_BASE + Math.min(memory.size / 2, INITRD_OFFSET_MAX);
  let above = Math.max(alignUp(kernelEnd, PAGE_SIZE), alignUp(middle, PAGE_SIZE));
  let initrd: { start: number; end: number } | undefined;
  if (initrdBytes.length > 0) {
    initrd = { start: above, end: above + initrdBytes.length };
    above = initrd.end;
    if (above > ramEnd) throw tooLarge('the initrd', above - VIRT_RAM_BASE, memory.size);
  }
  const tree = buildFdt(virtTree(hardware, memory.size, { commandLine, initrd, rngSeed: options.rngSeed }));
  const treeAddress = placeTree(tree.length, segments, above, ramEnd, isLinux);

  writeSegments(segments, memory);
  if (initrd) memory.write(initrd.start, initrdBytes);
  memory.write(treeAddress, tree);
  const writeState = (state: ArmState): void => {
    ArmState.reset(state, hardware.el2 ? 2 : 1, BigInt(entry));
    state.setX(0, BigInt(treeAddress));
  };
  return { ...image, entry, warnings, writeState };
}
