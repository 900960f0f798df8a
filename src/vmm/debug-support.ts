// Whether KVM_SET_GUEST_DEBUG reaches code in ring 3. A back end that runs ring 3 directly but is itself a guest may
// leave the debug registers and TF to the guest, and the trap arrives in the guest's own #DB handler.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { GuestMemory } from '../vcpu/guest-memory.js';
import type { GuestBus, Vcpu } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import { BARE_CODE, bareState, bareTables } from './bare-guest.js';
import type { Kvm } from './kvm.js';
import { KvmVm } from './kvm-vm.js';

export interface DebugSupport {
  /** Single step in ring 3 ends in a debug exit. */
  readonly userStep: boolean;
  /** Hardware breakpoints stop ring 3. */
  readonly userBreakpoints: boolean;
}

/** A bus on which nothing is connected: reads give all ones, as an undriven ISA bus does. */
export const DEAD_BUS: GuestBus = {
  pioRead: () => 0xffffffff,
  pioWrite: () => undefined,
  mmioRead: () => 0xffffffff,
  mmioWrite: () => undefined,
  acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0,
  writeTaskPriority: () => undefined,
  writeApicBase: () => undefined,
  now: () => 0,
};

const PROBE_RAM = 0x100000;

/** One memory serves all probes: each WebAssembly.Memory reserves gigabytes of address space. */
let probeRam: GuestMemory | undefined;

/** A VM with one megabyte of RAM and the bare tables, for probes. Close it before making the next. */
export function throwAwayVm(kvm: Kvm): KvmVm {
  const pages = (GUEST_BASE + PROBE_RAM) / 65536;
  probeRam ??= new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), PROBE_RAM);
  probeRam.fill(0, PROBE_RAM);
  bareTables(probeRam);
  return new KvmVm(kvm, { memory: probeRam, regions: [{ kind: 'ram', start: 0, size: PROBE_RAM }] });
}

let known: DebugSupport | undefined;

/** Tried once in a throw-away VM, then remembered: the back end does not change while a process lives. */
export function debugSupport(kvm: Kvm, makeVcpu: (vm: KvmVm, bus: GuestBus) => Vcpu<X86State>): DebugSupport {
  if (known) return known;
  const vm = throwAwayVm(kvm);
  try {
    const vcpu = makeVcpu(vm, DEAD_BUS);
    try {
      // nop; nop; jmp to itself
      vm.memory.write(BARE_CODE, Uint8Array.from([0x90, 0x90, 0xeb, 0xfe]));
      const start = bareState({ mode: 'long', ring: 3, rip: BARE_CODE });
      vcpu.writeState(start);
      const step = vcpu.step();
      const userStep = step.reason === 'debug' && step.pc === BigInt(BARE_CODE + 1);
      vcpu.writeState(start);
      vcpu.setBreakpoints([BigInt(BARE_CODE + 1)]);
      const run = vcpu.run({ instructions: 1, nanoseconds: 3e6 });
      const userBreakpoints = run.reason === 'debug' && run.pc === BigInt(BARE_CODE + 1);
      known = { userStep, userBreakpoints };
      return known;
    } finally {
      vcpu.close();
    }
  } finally {
    vm.close();
  }
}
