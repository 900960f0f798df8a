// Segmentation: from an offset in a segment to a linear address, with limit and rights (SDM vol. 3, 6.3–6.5).

import { STATE } from '../layout/memory';
import {
  CR0_PE,
  FLAG_VM,
  S_CR0,
  S_RFLAGS,
  SEG_ATTR,
  SEG_BASE,
  SEG_LIMIT,
  SEG_SS,
  SEG_UNUSABLE,
} from '../layout/x86-state';
import { EXC_GP, EXC_SS, raiseCode } from './fault';
import { segSlot } from './mode';

/** Descriptor type bits: executable; expand-down (data) or conforming (code); writable (data) or readable (code). */
const TYPE_CODE: u32 = 8;
const TYPE_EXPAND_DOWN: u32 = 4;
const TYPE_WRITABLE: u32 = 2;
const ATTR_BIG: u32 = 0x4000;

/** Linear address of `offset` in segment `seg` for an access of `size` bytes outside 64-bit mode; raises #GP(0) or #SS(0). */
export function segmentLinear(offset: u64, seg: u32, size: u32, write: bool): u64 {
  const s = segSlot(seg);
  const attr = load<u16>(s, SEG_ATTR);
  const limit = <u64>load<u32>(s, SEG_LIMIT);
  const last = offset + size - 1;
  let ok = !load<u32>(s, SEG_UNUSABLE);
  if (attr & TYPE_CODE) {
    // Real and v8086 mode may write through CS: there the hidden rights of a code segment do not apply.
    const checked = load<u32>(STATE, S_CR0) & CR0_PE && !(load<u32>(STATE, S_RFLAGS) & FLAG_VM);
    if (checked && (write || !(attr & TYPE_WRITABLE))) ok = false;
    if (last > limit) ok = false;
  } else {
    if (write && !(attr & TYPE_WRITABLE)) ok = false;
    if (attr & TYPE_EXPAND_DOWN) {
      if (offset <= limit || last > (attr & ATTR_BIG ? 0xffffffff : 0xffff)) ok = false;
    } else if (last > limit) ok = false;
  }
  if (!ok) {
    raiseCode(seg == SEG_SS ? EXC_SS : EXC_GP, 0);
    return 0;
  }
  return (load<u64>(s, SEG_BASE) + offset) & 0xffffffff;
}
