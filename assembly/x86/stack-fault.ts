// A non-canonical address in the stack segment raises #SS(0), not #GP(0) (SDM vol. 1, 3.3.7.1). Translation does not know
// the segment, so a fault that it raised is looked at again: was it the stack, or an operand based on RSP or RBP?

import { STATE } from '../layout/memory';
import { S_FAULT, S_MODE, S_RIP, S_RSP, S_TLB, SEG_SS } from '../layout/x86-state';
import { ACCESS_FETCH, forgetNotCanonical, notCanonical, translate } from '../mmu/walk';
import { DECODE_OK, decode, dMod, dSeg } from './decode';
import { clearFault, EXC_GP, EXC_SS, raiseCode } from './fault';
import { codeAt } from './translate';

/** Farther from the stack pointer than this no instruction reaches implicitly (ENTER allocates up to 64 KiB). */
const STACK_REACH: u64 = 0x10200;

/** Turns the #GP(0) of a non-canonical stack access into #SS(0). S_RIP is at the instruction. */
export function refineStackFault(): void {
  const address = notCanonical;
  if (!address) return;
  forgetNotCanonical();
  if (load<u32>(STATE, S_FAULT) != EXC_GP + 1) return;
  const distance = address - load<u64>(STATE, S_RSP) + STACK_REACH;
  if (distance >= 2 * STACK_REACH && !stackOperand()) return;
  clearFault();
  raiseCode(EXC_SS, 0);
}

/** Does the instruction at RIP have a memory operand in the stack segment? */
function stackOperand(): bool {
  const rip = load<u64>(STATE, S_RIP);
  const saved = load<u32>(STATE, S_FAULT);
  store<u32>(STATE, 0, S_FAULT);
  const phys = translate(rip, ACCESS_FETCH, load<u32>(STATE, S_TLB));
  store<u32>(STATE, saved, S_FAULT);
  const status = decode(codeAt(phys), 0x1000 - (<u32>rip & 0xfff), 0, load<u32>(STATE, S_MODE));
  return status == DECODE_OK && dMod != 3 && dSeg == SEG_SS;
}
