// Puts initrd and boot modules into guest RAM.

import { tooLarge } from './errors.js';
import type { BootModule, LoadJob } from './image.js';
import { findHighest, findLowest, PAGE_SIZE, type Range } from './placement.js';

export interface PlacedModule {
  readonly start: number;
  readonly size: number;
  readonly commandLine: string;
}

/**
 * Places modules page-aligned, without writing them yet: 'low' directly above the kernel, where a kernel with
 * small early page tables still reaches them; 'high' at the top of RAM, out of the way of a kernel that
 * unpacks itself. `limit` is the first address that a module may not reach. E_IMAGE_TOO_LARGE without room.
 */
export function placeModules(
  job: LoadJob,
  modules: readonly BootModule[],
  where: 'low' | 'high',
  kernel: readonly Range[],
  limit: number,
): PlacedModule[] {
  const { memory, options } = job;
  const reserved = options.reserved ?? [];
  const used = [...kernel];
  const kernelEnd = used.reduce((end, range) => Math.max(end, range.end), 0);
  return modules.map((module, i) => {
    const size = module.bytes.length;
    const start =
      where === 'low'
        ? findLowest(size, kernelEnd, memory, reserved, used)
        : findHighest(size, limit, memory, reserved, used);
    if (start < 0 || start + size > limit) {
      const total = modules.reduce((sum, m) => sum + Math.ceil(m.bytes.length / PAGE_SIZE) * PAGE_SIZE, 0);
      const reservedBytes = reserved.reduce((sum, range) => sum + range.size, 0);
      const needed = Math.max(kernelEnd, 0x100000) + total + reservedBytes;
      throw tooLarge(modules.length === 1 ? 'the initrd' : `boot module ${i + 1}`, needed, memory.size);
    }
    // An empty module still gets a page, so that no two have the same address.
    used.push({ start, end: start + Math.max(size, PAGE_SIZE) });
    return { start, size, commandLine: module.commandLine ?? '' };
  });
}

/** Several initrds as Linux wants them: one after the other, each starting at a multiple of 4. */
export function concatenate(modules: readonly BootModule[]): Uint8Array {
  // Each is asked for its bytes once: they may come from a file every time.
  const parts = modules.map((m) => m.bytes);
  if (parts.length === 1) return parts[0];
  const size = parts.reduce((sum, part) => Math.ceil(sum / 4) * 4 + part.length, 0);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    at = Math.ceil(at / 4) * 4;
    all.set(part, at);
    at += part.length;
  }
  return all;
}
