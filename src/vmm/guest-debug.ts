// KVM_SET_GUEST_DEBUG: single step and hardware breakpoints on the guest's behalf, invisible to the guest.

import { KVM_SET_GUEST_DEBUG } from './ioctl.js';
import { checkIoctl } from './kvm.js';
import type { Libc } from './libc.js';
import * as K from './structs.js';

/** DR0–DR3. */
export const HARDWARE_BREAKPOINTS = 4;
/** DR7 (SDM vol. 3, 18.2.4): bit 10 reads as one; LE and GE (8, 9) ask for exact breakpoints. */
const DR7_BASE = 0x700;

export class GuestDebug {
  private readonly buffer = new ArrayBuffer(K.KVM_GUEST_DEBUG_SIZE);
  private readonly view = new DataView(this.buffer);
  private readonly at: number;
  private active = '';

  constructor(
    private readonly libc: Libc,
    private readonly fd: number,
  ) {
    this.at = libc.addressOf(this.buffer);
  }

  /**
   * Asks for single steps and for breakpoints at up to four linear addresses. Does nothing when already so, unless
   * `moved`: the registers have been written since, and TF with them.
   */
  set(singleStep: boolean, breakpoints: readonly bigint[], moved: boolean): void {
    const key = `${singleStep}:${breakpoints.join()}`;
    const idle = !singleStep && breakpoints.length === 0;
    if ((key === this.active && !(singleStep && moved)) || (this.active === '' && idle)) return;
    let dr7 = DR7_BASE;
    for (let i = 0; i < HARDWARE_BREAKPOINTS; i++) {
      // Condition and length fields 0: break on execution of the instruction at the address.
      if (i < breakpoints.length) dr7 |= 2 << (2 * i);
      this.view.setBigUint64(K.GUEST_DEBUG_DR0 + 8 * i, BigInt.asUintN(64, breakpoints[i] ?? 0n), true);
    }
    const wanted =
      (singleStep ? K.KVM_GUESTDBG_SINGLESTEP : 0) | (breakpoints.length > 0 ? K.KVM_GUESTDBG_USE_HW_BP : 0);
    this.view.setUint32(K.GUEST_DEBUG_CONTROL, wanted === 0 ? 0 : K.KVM_GUESTDBG_ENABLE | wanted, true);
    this.view.setBigUint64(K.GUEST_DEBUG_DR7, BigInt(dr7), true);
    checkIoctl(this.libc.ioctl(this.fd, KVM_SET_GUEST_DEBUG, this.at), 'KVM_SET_GUEST_DEBUG');
    this.active = key;
  }
}
