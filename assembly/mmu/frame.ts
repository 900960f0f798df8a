// Where guest physical memory lies.

import { ARM_RAM_BASE } from '../layout/arm-state';
import { GUEST_BASE, PAGE_INFO } from '../layout/memory';

/** Host address of physical address 0: on the virt board RAM begins higher, and nothing below it is memory. */
export const PHYSICAL_ZERO: u32 = ISA_AARCH64 ? <u32>GUEST_BASE - <u32>ARM_RAM_BASE : <u32>GUEST_BASE;

/** Host address of a physical address that is memory. */
export function hostOf(phys: u64): usize {
  return <usize>(PHYSICAL_ZERO + <u32>phys);
}

/** Where the page-info word of physical address `phys` is. */
export function pageInfoAt(phys: u32): usize {
  return PAGE_INFO + ((<usize>phys >> 12) << 2);
}

/** `size` (1, 2, 4, 8) bytes at host address `at`, zero-extended. */
export function loadSized(at: usize, size: u32): u64 {
  if (size == 1) return load<u8>(at);
  if (size == 2) return load<u16>(at);
  return size == 4 ? <u64>load<u32>(at) : load<u64>(at);
}
export function storeSized(at: usize, size: u32, value: u64): void {
  if (size == 1) store<u8>(at, <u8>value);
  else if (size == 2) store<u16>(at, <u16>value);
  else if (size == 4) store<u32>(at, <u32>value);
  else store<u64>(at, value);
}
