// The host's CPU as oracle for 64-bit mode: ring 3 under KVM.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { KvmVcpu } from '../../src/vmm/kvm-vcpu.js';
import { KvmVm } from '../../src/vmm/kvm-vm.js';
import { GROUP_EVENTS, GROUP_FPU, GROUP_REGS, GROUP_SREGS } from '../../src/vmm/vcpu-state.js';
import type { Case } from './case.js';
import { ISA_RAM, ISA_REGIONS } from './environment.js';
import { CaseGuest, NO_DEVICES } from './guest.js';

export class KvmOracle {
  private readonly vm: KvmVm;
  private readonly vcpu: KvmVcpu;
  private readonly guest: CaseGuest;

  /** Throws a TsvmError where there is no KVM. */
  constructor() {
    const pages = (GUEST_BASE + ISA_RAM) / 65536;
    const ram = new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), ISA_RAM);
    this.vm = KvmVm.create({ memory: ram, regions: ISA_REGIONS });
    this.vcpu = new KvmVcpu(this.vm, NO_DEVICES);
    const groups = GROUP_REGS | GROUP_SREGS | GROUP_EVENTS;
    this.guest = new CaseGuest(ram, this.vcpu, {
      write: (state, fpu) => this.vcpu.writeGroups(state, fpu ? groups | GROUP_FPU : groups),
      read: (into, fpu) => this.vcpu.readGroups(into, fpu ? groups | GROUP_FPU : groups),
    });
  }

  run(c: Case): Uint8Array | string {
    return this.guest.run(c);
  }
  strayWrite(): number {
    return this.guest.strayWrite();
  }
  close(): void {
    this.vcpu.close();
    this.vm.close();
  }
}
