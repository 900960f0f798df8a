// Makes the vCPU that executes a guest: the emulator's, or KVM's with the emulator as its assist.

import { setFlagsFromString } from 'node:v8';
import type { EmulatorOptions } from '../emulator-x86/index.js';
import type { PcBoard } from '../machine/pc-board.js';
import { type CpuModel, TSC_FREQUENCY } from '../vcpu/cpu-model.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import type { Vcpu } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import type { Divergence } from '../vmm/divergences.js';
import { readOwn } from './files.js';

export interface BackendOptions {
  readonly memory: GuestMemory;
  readonly board: PcBoard;
  readonly cpu: CpuModel;
  /** Two runs must not differ: no randomness from the host. */
  readonly deterministic: boolean;
  /** Executions after which the emulator compiles code; undefined: never. */
  readonly jitThreshold: number | undefined;
}

export interface Backend {
  readonly vcpu: Vcpu<X86State>;
  /** For reports: 'emu', 'kvm_intel', … */
  readonly name: string;
  /** Retired instructions, where they are counted. */
  readonly instructions?: () => number;
  /** What the user should know about this back end, one sentence each. */
  readonly notes: readonly string[];
  /** RIP of the instruction that is calling the bus, where that is known. */
  readonly executingRip?: () => bigint;
  /** To be called when guest memory was loaded anew. */
  readonly memoryReplaced?: () => void;
  close(): void;
}

const CORE = 'build/x86.wasm';

/** Numbers for RDRAND: the host's, or for a deterministic run a sequence that never changes. */
function randomSource(deterministic: boolean): (into: Uint32Array<ArrayBuffer>) => void {
  if (!deterministic) return (into) => void crypto.getRandomValues(into as Uint32Array<ArrayBuffer>);
  // xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
  let x = 0x9e3779b9;
  return (into) => {
    for (let i = 0; i < into.length; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      into[i] = x;
    }
  };
}

function emulatorOptions({ memory, board, cpu, deterministic, jitThreshold }: BackendOptions): EmulatorOptions {
  return {
    memory: memory.memory,
    ramSize: memory.size,
    regions: board.regions,
    bus: board.bus,
    wasm: readOwn(CORE),
    cpu,
    tscFrequency: TSC_FREQUENCY,
    random: randomSource(deterministic),
    jit: jitThreshold === undefined ? undefined : { threshold: jitThreshold },
  };
}

export async function createEmuBackend(options: BackendOptions): Promise<Backend> {
  const { createEmulatedVcpu } = await import('../emulator-x86/index.js');
  // Branch hints keep the slow paths of compiled code out of its loops; V8 takes them for a flag still.
  if (options.jitThreshold !== undefined) setFlagsFromString('--experimental-wasm-branch-hinting');
  const vcpu = await createEmulatedVcpu(emulatorOptions(options));
  return {
    vcpu,
    name: 'emu',
    notes: [],
    instructions: () => vcpu.instructionCount(),
    executingRip: () => vcpu.executingRip(),
    memoryReplaced: () => vcpu.invalidateAll(),
    close: () => vcpu.close(),
  };
}

/** One sentence on where this KVM departs from the manuals in ways that a guest can notice. */
function divergenceNotes(backend: string, divergencesOf: (backend: string) => readonly Divergence[]): string[] {
  const everywhere = divergencesOf('');
  const visible = divergencesOf(backend).filter((d) => d.handling === 'visible' && !everywhere.includes(d));
  if (visible.length === 0) return [];
  const names = visible.map((d) => `${d.what}${d.ring === null ? '' : ` at ring ${d.ring}`}`);
  return [
    `the KVM back end ${backend} differs from the architecture in: ${names.join('; ')}. ` +
      'tsvm doctor tells more; --mode emu is exact.',
  ];
}

export async function createVirtBackend(options: BackendOptions): Promise<Backend> {
  const { memory, board, cpu } = options;
  const [{ KvmVm }, { KvmVcpu }, { backendName }, { divergencesOf }, { EmulatedVcpu }] = await Promise.all([
    import('../vmm/kvm-vm.js'),
    import('../vmm/kvm-vcpu.js'),
    import('../vmm/probe.js'),
    import('../vmm/divergences.js'),
    import('../emulator-x86/index.js'),
  ]);

  // Few guests need an assist under most back ends, so the emulator is made when the first one does.
  let emulator: InstanceType<typeof EmulatedVcpu> | undefined;
  const assist = (state: X86State) => {
    if (!emulator) {
      const { wasm, jit: _, ...rest } = emulatorOptions(options);
      const module = wasm instanceof WebAssembly.Module ? wasm : new WebAssembly.Module(wasm);
      emulator = new EmulatedVcpu({ ...rest, wasm: module }, module);
    }
    return emulator.assist(state);
  };

  const vm = KvmVm.create({ memory, regions: board.regions, aliases: board.aliases });
  // Under KVM the TSC runs at the host's rate, which leaves 15H and 16H of the model do not tell: without them a
  // kernel measures it.
  const cpuid = cpu.leaves.filter((entry) => entry.leaf !== 0x15 && entry.leaf !== 0x16);
  const backend = backendName();
  let vcpu: Vcpu<X86State>;
  try {
    vcpu = new KvmVcpu(vm, board.bus, { cpuid, assist });
  } catch (error) {
    vm.close();
    throw error;
  }
  return {
    vcpu,
    name: backend,
    notes: divergenceNotes(backend, divergencesOf),
    close: () => {
      vcpu.close();
      vm.close();
      emulator?.close();
    },
  };
}
