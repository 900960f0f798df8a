// What this host's KVM can do, found out by trying: small guests in throw-away VMs, each bounded in time.

import { existsSync, readdirSync } from 'node:fs';
import { type GuestBus, TsvmError, type VmExit } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import * as B from './bare-guest.js';
import { DEAD_BUS, type DebugSupport, debugSupport, throwAwayVm } from './debug-support.js';
import { KVM_API_VERSION, KVM_CAPS, type KvmCapName } from './ioctl.js';
import { KVM_DEVICE, Kvm } from './kvm.js';
import { KvmVcpu } from './kvm-vcpu.js';
import type { KvmVm } from './kvm-vm.js';
import { type Observation, TRIALS, type Trial } from './probe-trials.js';

/** How a mode of the guest executes. */
export interface ModeReport {
  readonly mode: B.BareMode;
  readonly ring: 0 | 3;
  /** 'native': on the processor; 'emulated': instruction by instruction inside the kernel. */
  readonly execution: 'native' | 'emulated' | 'none' | 'unknown';
  /** What happened, where execution is 'none'. */
  readonly detail: string;
}

/** What became of one instruction. */
export interface InstructionReport {
  readonly name: string;
  readonly ring: 0 | 3;
  /** 'refused' can be assisted by the emulator; 'wrong' cannot, because KVM does not notice. */
  readonly outcome: 'ok' | 'refused' | 'wrong' | 'stuck';
  readonly manual: string;
  readonly observed: string;
}

export interface KvmReport {
  readonly usable: boolean;
  /** Why not usable: an E_… code and a sentence that says what to do. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly device: { readonly path: string; readonly present: boolean };
  readonly apiVersion: number | null;
  /** Loaded vendor modules: kvm_intel, kvm_amd, kvm_pvm; 'built-in' where /sys/module shows none. */
  readonly backend: string;
  readonly capabilities: Partial<Record<KvmCapName, number>>;
  readonly tscKhz: number;
  readonly modes: readonly ModeReport[];
  readonly instructions: readonly InstructionReport[];
  readonly debug: DebugSupport | null;
}

/** Never throws for a host without KVM: the report says what is missing. */
export function probeKvm(): KvmReport {
  const device = { path: KVM_DEVICE, present: existsSync(KVM_DEVICE) };
  let kvm: Kvm;
  try {
    kvm = Kvm.open();
  } catch (error) {
    return unusable(device, error);
  }
  try {
    const capabilities: Partial<Record<KvmCapName, number>> = {};
    for (const name of Object.keys(KVM_CAPS) as KvmCapName[]) capabilities[name] = kvm.capability(name);
    const { modes, tscKhz } = probeModes(kvm);
    return {
      usable: true,
      error: null,
      device,
      apiVersion: KVM_API_VERSION,
      backend: backendName(),
      capabilities,
      tscKhz,
      modes,
      instructions: runsLongMode(modes) ? TRIALS.map((trial) => runTrial(kvm, trial)) : [],
      debug: runsLongMode(modes)
        ? debugSupport(kvm, (vm, bus) => new KvmVcpu(vm, bus, { trustGuestDebug: true }))
        : null,
    };
  } catch (error) {
    return unusable(device, error);
  } finally {
    kvm.close();
  }
}

function unusable(device: KvmReport['device'], error: unknown): KvmReport {
  if (!(error instanceof TsvmError)) throw error;
  return {
    usable: false,
    error: { code: error.code, message: error.message },
    device,
    apiVersion: null,
    backend: backendName(),
    capabilities: {},
    tscKhz: 0,
    modes: [],
    instructions: [],
    debug: null,
  };
}

/** The vendor half of KVM, from /sys/module. */
export function backendName(): string {
  try {
    const vendors = readdirSync('/sys/module').filter((name) => /^kvm_(intel|amd|pvm)$/.test(name));
    if (vendors.length > 0) return vendors.sort().join('+');
    return existsSync('/sys/module/kvm') ? 'built-in' : 'none';
  } catch {
    return 'unknown';
  }
}

const runsLongMode = (modes: readonly ModeReport[]) =>
  modes.some((m) => m.mode === 'long' && m.ring === 3 && m.execution !== 'none');

/** Every probe's bound: slices of 2 ms. An emulated loop of LOOP_COUNT rounds takes some 10 ms. */
const PROBE_SLICES = 100;
const LOOP_COUNT = 5000;

function runBounded(vcpu: KvmVcpu): VmExit {
  let exit: VmExit = { reason: 'slice-end' };
  for (let i = 0; i < PROBE_SLICES && exit.reason === 'slice-end'; i++) {
    exit = vcpu.run({ instructions: Number.MAX_SAFE_INTEGER, nanoseconds: 2e6 });
  }
  return exit;
}

function withVcpu<T>(kvm: Kvm, bus: GuestBus, body: (vcpu: KvmVcpu, vm: KvmVm) => T): T {
  const vm = throwAwayVm(kvm);
  try {
    const vcpu = new KvmVcpu(vm, bus, { trustGuestDebug: true });
    try {
      return body(vcpu, vm);
    } finally {
      vcpu.close();
    }
  } finally {
    vm.close();
  }
}

const MODES: readonly (readonly [B.BareMode, 0 | 3])[] = [
  ['real', 0],
  ['protected32', 0],
  ['paging32', 0],
  ['pae', 0],
  ['compat32', 3],
  ['long', 0],
  ['long', 3],
];

function probeModes(kvm: Kvm): { modes: ModeReport[]; tscKhz: number } {
  let tscKhz = 0;
  const modes = MODES.map(([mode, ring]) =>
    withVcpu(kvm, DEAD_BUS, (vcpu, vm): ModeReport => {
      tscKhz = vcpu.tscKhz;
      if (mode === 'paging32' || mode === 'pae') B.legacyPaging(vm.memory, mode);
      // mov (e)cx,LOOP_COUNT; L: dec (e)cx; jnz L; hlt — which in ring 3 ends in the #GP handler.
      const [low, high] = [LOOP_COUNT & 0xff, LOOP_COUNT >> 8];
      const code =
        mode === 'real'
          ? [0xb9, low, high, 0x49, 0x75, 0xfd, 0xf4]
          : [0xb9, low, high, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xf4];
      const rip = mode === 'real' ? 0x7c00 : B.BARE_CODE;
      vm.memory.write(rip, Uint8Array.from(code));
      vcpu.writeState(B.bareState({ mode, ring, rip }));
      const exit = runBounded(vcpu);
      if (exit.reason !== 'halt') return { mode, ring, execution: 'none', detail: describeExit(exit) };
      const emulated = vcpu.counters().details['kvm_insn_emulation'];
      if (emulated === undefined) return { mode, ring, execution: 'unknown', detail: 'no KVM statistics' };
      return { mode, ring, execution: emulated > LOOP_COUNT ? 'emulated' : 'native', detail: '' };
    }),
  );
  return { modes, tscKhz };
}

function describeExit(exit: VmExit): string {
  switch (exit.reason) {
    case 'slice-end':
      return 'makes no progress';
    case 'shutdown':
      return 'shuts down at once';
    case 'failed':
      return `${exit.name}: ${exit.message.split('\n', 1)[0]}`;
    default:
      return exit.reason;
  }
}

/** Runs one trial in a VM of its own. */
export function runTrial(kvm: Kvm, trial: Trial): InstructionReport {
  const ports: { port: number; value: number }[] = [];
  const bus: GuestBus = { ...DEAD_BUS, pioWrite: (port, _, value) => void ports.push({ port, value }) };
  return withVcpu(kvm, bus, (vcpu, vm): InstructionReport => {
    const ram = vm.memory;
    const result = (outcome: InstructionReport['outcome'], observed: string): InstructionReport => ({
      name: trial.name,
      ring: trial.ring,
      outcome,
      manual: trial.manual,
      observed,
    });
    ram.write(B.BARE_CODE, Uint8Array.from([...trial.code, 0xf4]));
    const start = B.bareState({ mode: 'long', ring: trial.ring, rip: B.BARE_CODE });
    start.setGpr(3, 0n);
    trial.prepare?.(start, ram);
    vcpu.writeState(start);
    const exit = runBounded(vcpu);
    if (exit.reason === 'failed') {
      return exit.name === 'E_KVM_EMULATION'
        ? result('refused', 'KVM_EXIT_INTERNAL_ERROR, emulation failure')
        : result('stuck', describeExit(exit));
    }
    if (exit.reason !== 'halt') return result('stuck', describeExit(exit));
    const state = new X86State();
    vcpu.readState(state);
    const wrong = trial.check(observe(trial, ports, state, ram));
    return wrong === null ? result('ok', trial.manual) : result('wrong', wrong);
  });
}

function observe(
  trial: Trial,
  writes: readonly { port: number; value: number }[],
  state: X86State,
  ram: KvmVm['memory'],
): Observation {
  const first = writes.find((w) => w.port === B.EXCEPTION_PORT);
  // The frame that a 64-bit interrupt pushes: SS, RSP, RFLAGS, CS, RIP (SDM vol. 3, 7.14.2).
  const frame = trial.ring === 3 ? B.BARE_STACK0 : B.BARE_STACK;
  const pushedRip = Number(ram.readU64(frame - 40));
  // In ring 3 the trial's own HLT ends it by #GP.
  const ended = trial.ring === 3 && first?.value === 13 && pushedRip === B.BARE_CODE + trial.code.length;
  // From ring 0 into ring 3 and back the frame is on the TSS's stack.
  const pushedCs = Number(ram.readU64(B.BARE_STACK0 - 32) & 0xffffn);
  return {
    vector: ended ? null : (first?.value ?? null),
    pushedCs,
    state,
    ram,
    ports: writes.map((w) => w.port),
  };
}
