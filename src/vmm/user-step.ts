// Single step in ring 3 on a back end whose KVM_SET_GUEST_DEBUG does not reach it (see debug-support.ts).

import * as L from '../../assembly/layout/x86-state.js';
import type { VmExit } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import type { GuestDebug } from './guest-debug.js';
import { changedGroups, GROUP_DEBUG, GROUP_EVENTS, GROUP_REGS, GROUP_SREGS, type VcpuState } from './vcpu-state.js';

/** What a step can touch beside memory, x87 and SSE. */
const STEP_GROUPS = GROUP_REGS | GROUP_SREGS | GROUP_EVENTS | GROUP_DEBUG;
/** DR6.BS, bit 14: the debug exception came from single stepping. */
const DR6_BS = 0x4000n;

export class UserStep {
  private readonly before = new X86State();
  private readonly after = new X86State();
  /** TF and the IDT's limit are bent. */
  private trapping = false;

  constructor(
    private readonly registers: VcpuState,
    private readonly debug: GuestDebug,
  ) {}

  /** Whether the next instruction runs in ring 3. */
  applies(): boolean {
    this.registers.read(this.before, STEP_GROUPS);
    return this.before.cpl === 3;
  }

  /**
   * After applies(). With TF set and an IDT that holds nothing, the trap after the instruction cannot be delivered:
   * the processor shuts down with its registers as the instruction left them. DR6.BS tells this trap from an
   * exception that the instruction itself raised (SDM vol. 3, 18.2.3); that one is then delivered for good.
   * PUSHF shows the guest a set TF, as it does under KVM's own single step.
   *
   * @param pending an interrupt or NMI is about to be delivered, if the flags allow
   * @param enter runs until the next exit: 'trap' without KVM's single step, 'step' with it
   * @returns 'stepped' when the instruction is complete, else how enter ended
   */
  run(pending: (interruptFlag: boolean) => boolean, enter: (mode: 'trap' | 'step') => VmExit): VmExit | 'stepped' {
    const { before, after, registers } = this;
    const flags = before.u32(L.S_RFLAGS);
    // A guest that steps itself gets its own #DB.
    if (pending((flags & L.FLAG_IF) !== 0) || (flags & L.FLAG_TF) !== 0) return this.deliver(enter);
    after.copyFrom(before);
    after.rflags = before.rflags | BigInt(L.FLAG_TF);
    after.setU32(L.S_IDTR_LIMIT, 0);
    after.setU64(L.S_DR6, before.u64(L.S_DR6) & ~DR6_BS);
    registers.write(after, changedGroups(before, after));
    this.trapping = true;
    const exit = enter('trap');
    if (exit.reason !== 'shutdown') {
      this.end();
      return exit;
    }
    registers.read(after, GROUP_DEBUG);
    const stepped = (after.u64(L.S_DR6) & DR6_BS) !== 0n;
    this.end();
    return stepped ? 'stepped' : this.deliver(enter);
  }

  /** Puts back TF, the IDT's limit and DR6, and forgets the trap that is on its way. Harmless when not stepping. */
  end(): void {
    if (!this.trapping) return;
    this.trapping = false;
    const { before, after, registers } = this;
    registers.read(after, GROUP_REGS | GROUP_SREGS | GROUP_EVENTS);
    after.rflags = after.rflags & ~BigInt(L.FLAG_TF | L.FLAG_RF);
    after.setU32(L.S_IDTR_LIMIT, before.u32(L.S_IDTR_LIMIT));
    registers.write(after, GROUP_REGS | GROUP_SREGS | GROUP_EVENTS);
    registers.read(after, GROUP_DEBUG);
    if (after.u64(L.S_DR6) !== before.u64(L.S_DR6)) registers.write(before, GROUP_DEBUG);
  }

  /**
   * Enters ring 3 where an exception or interrupt is certain: the step ends in its ring-0 handler. TF must stay out
   * of the RFLAGS that are pushed; KVM sets it only while RIP is where it was when single step was asked for.
   */
  private deliver(enter: (mode: 'step') => VmExit): VmExit {
    // A fault leaves RIP in front of its instruction, but INT3's shutdown leaves it behind.
    const { rip } = this.before;
    this.setRip(rip ^ 1n);
    this.debug.set(true, [], true);
    this.setRip(rip);
    return enter('step');
  }

  /** Changes RIP in KVM at once. */
  private setRip(rip: bigint): void {
    this.registers.read(this.after, GROUP_REGS);
    this.after.rip = rip;
    this.registers.write(this.after, GROUP_REGS);
    this.registers.flush();
  }
}
