// What a boot loader leaves in low memory for a kernel that it starts: descriptor table, page tables, BIOS data.

import type { GuestMemory } from '../vcpu/guest-memory.js';
import { EBDA_START } from './memory-map.js';
import { BOOT_GDT, BOOT_PAGE_TABLES, BOOT_STACK_TOP, LOADER_START, PAGE_SIZE } from './placement.js';

/** Flat 32-bit code in every mode: the way down from long mode. */
export const GDT_CODE32 = 0x08;
/** The code segment that the guest starts with: 32-bit or 64-bit. Linux calls it __BOOT_CS. */
export const GDT_CODE = 0x10;
/** Flat data, in DS, ES, FS, GS and SS. Linux calls it __BOOT_DS. */
export const GDT_DATA = 0x18;
/** Bytes of the table. */
export const GDT_SIZE = 0x20;

// Descriptors (SDM vol. 3, 3.4.5): base 0, limit 4 GiB, present, DPL 0, accessed bit already set.
const DESCRIPTOR_CODE32 = 0x00cf9b000000ffffn;
const DESCRIPTOR_CODE64 = 0x00af9b000000ffffn;
const DESCRIPTOR_DATA = 0x00cf93000000ffffn;

/** Where a guest lands that returns from its entry point: CLI; HLT; back to HLT. The same bytes in every mode. */
export const HALT_STUB = BOOT_GDT + GDT_SIZE;
const HALT_STUB_CODE = Uint8Array.of(0xfa, 0xf4, 0xeb, 0xfd);

// Page-table entry bits (SDM vol. 3, 4.5): supervisor pages, so a guest's ring 3 needs tables of its own.
const PTE_P = 1n;
const PTE_RW = 2n;
const PTE_PS = 0x80n;

/** Clears the loader's area and writes the GDT, with a code segment for the mode that the guest starts in. */
export function writeBootGdt(memory: GuestMemory, bits: 32 | 64): void {
  memory.fill(LOADER_START, BOOT_STACK_TOP - LOADER_START);
  memory.writeU64(BOOT_GDT + GDT_CODE32, DESCRIPTOR_CODE32);
  memory.writeU64(BOOT_GDT + GDT_CODE, bits === 64 ? DESCRIPTOR_CODE64 : DESCRIPTOR_CODE32);
  memory.writeU64(BOOT_GDT + GDT_DATA, DESCRIPTOR_DATA);
  memory.write(HALT_STUB, HALT_STUB_CODE);
}

/** Maps the first 4 GiB to themselves in pages of 2 MiB. Returns the value for CR3. */
export function writeIdentityPageTables(memory: GuestMemory): number {
  const pml4 = BOOT_PAGE_TABLES;
  const pdpt = pml4 + PAGE_SIZE;
  const directories = pdpt + PAGE_SIZE;
  memory.fill(pml4, 6 * PAGE_SIZE);
  memory.writeU64(pml4, BigInt(pdpt) | PTE_P | PTE_RW);
  for (let gib = 0; gib < 4; gib++) {
    memory.writeU64(pdpt + 8 * gib, BigInt(directories + gib * PAGE_SIZE) | PTE_P | PTE_RW);
  }
  // The four directories stand one after the other, so their 2048 entries count through.
  for (let page = 0; page < 2048; page++) {
    memory.writeU64(directories + 8 * page, (BigInt(page) << 21n) | PTE_P | PTE_RW | PTE_PS);
  }
  return pml4;
}

/**
 * The few words of the BIOS data area by which kernels find COM1, the EBDA (and in it the MP table) and the end
 * of conventional memory.
 */
export function writeBiosDataArea(memory: GuestMemory): void {
  memory.writeU16(0x400, 0x3f8);
  memory.writeU16(0x40e, EBDA_START >> 4);
  memory.writeU16(0x413, EBDA_START >> 10);
}
