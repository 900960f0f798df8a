// RFLAGS as a whole: S_RFLAGS has all but the six arithmetic flags, which are lazy (ir/flags.ts).

import { getFlags, setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_IF, FLAGS_ARITH, S_ATTENTION, S_INTR, S_NMI_PENDING, S_RFLAGS } from '../layout/x86-state';

/** Bit 1 reads as 1 (SDM vol. 1, figure 3-8). */
const FLAG_ONE: u32 = 2;

/** The RFLAGS image, as PUSHF would see it before it masks VM and RF. */
export function readEflags(): u32 {
  return (load<u32>(STATE, S_RFLAGS) & ~(<u32>FLAGS_ARITH)) | getFlags() | FLAG_ONE;
}

/** Replaces the flags in `mask` by those of `image`. The caller calls updateMode() if TF, VM or AC may have changed. */
export function writeEflags(image: u32, mask: u32): void {
  const flags = (readEflags() & ~mask) | (image & mask) | FLAG_ONE;
  setFlags(flags);
  store<u64>(STATE, <u64>(flags & ~(<u32>FLAGS_ARITH)), S_RFLAGS);
  if (flags & FLAG_IF) noticeInterrupts();
}

/** Interrupts may have been unblocked: one that waits is to be taken at the next instruction boundary. */
export function noticeInterrupts(): void {
  if (load<u32>(STATE, S_INTR) | load<u32>(STATE, S_NMI_PENDING)) store<u32>(STATE, 1, S_ATTENTION);
}
