// Where guest physical memory lies.

import { ARM_RAM_BASE } from '../layout/arm-state';
import { GUEST_BASE } from '../layout/memory';

/** Host address of physical address 0: on the virt board RAM begins higher, and nothing below it is memory. */
export const PHYSICAL_ZERO: u32 = ISA_AARCH64 ? <u32>GUEST_BASE - <u32>ARM_RAM_BASE : <u32>GUEST_BASE;

/** Host address of a physical address that is memory. */
export function hostOf(phys: u64): usize {
  return <usize>(PHYSICAL_ZERO + <u32>phys);
}
