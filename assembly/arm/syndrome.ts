// The instruction part of a data abort's syndrome: what a hypervisor needs to emulate a device (Arm ARM D13.2.37,
// "ISS encoding for an exception from a Data Abort", ISV to AR).

import { S_TLB } from '../layout/arm-state';
import { PAGE_KIND_MASK, PAGE_MMIO, STATE } from '../layout/memory';
import { pageInfo } from '../mmu/access';
import { hostOf } from '../mmu/frame';
import { clearFault, faulted } from './fault';
import { ACCESS_FETCH, translate } from './mmu';

const ISV: u32 = 1 << 24;
const S1PTW: u32 = 1 << 7;
const CM: u32 = 1 << 8;

/**
 * Adds the access's size, register and extension to `iss` if the instruction at `pc` is a load or store of one general
 * register without write-back, the only ones for which the architecture gives them.
 */
export function abortSyndrome(iss: u32, pc: u64): u32 {
  if (iss & (S1PTW | CM)) return iss;
  const phys = translate(pc, ACCESS_FETCH, load<u32>(STATE, S_TLB));
  if (faulted()) {
    clearFault();
    return iss;
  }
  if ((pageInfo(phys) & PAGE_KIND_MASK) == PAGE_MMIO) return iss;
  const insn = load<u32>(hostOf(phys));
  const size = insn >> 30;
  const opc = (insn >> 22) & 3;
  // Register, unscaled, unsigned offset or unprivileged, not of a vector register; write-back forms have none.
  const plain = (insn & 0x3f000000) == 0x39000000;
  const offset = (insn & 0x3f200000) == 0x38000000 && !((insn >> 10) & 1);
  const indexed = (insn & 0x3f200c00) == 0x38200800;
  // LDAR, STLR, LDLAR, STLLR.
  const ordered = (insn & 0x3fa07c00) == 0x08807c00;
  if (!plain && !offset && !indexed && !ordered) return iss;
  const rt = insn & 31;
  if (ordered) return iss | ISV | (size << 22) | (rt << 16) | (u32(size == 3) << 15) | (((insn >> 15) & 1) << 14);
  // PRFM does not abort.
  if (size == 3 && opc >= 2) return iss;
  const signed = opc >= 2;
  const wide = signed ? opc == 2 : size == 3;
  return iss | ISV | (size << 22) | (u32(signed) << 21) | (rt << 16) | (u32(wide) << 15);
}
