// Makes the vCPU that executes a guest: the emulator's, or KVM's with the emulator as its assist.

import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { JitOptions } from '../emulator/jit.js';
import type { EmulatorOptions } from '../emulator-x86/index.js';
import type { PcBoard } from '../machine/pc-board.js';
import type { VirtBoard } from '../machine/virt-board.js';
import type { ArmState } from '../vcpu/arm-state.js';
import { type CpuModel, TSC_FREQUENCY } from '../vcpu/cpu-model.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import type { Vcpu } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import type { Divergence } from '../vmm/divergences.js';
import { loadCore } from './core-file.js';
import { randomWords } from './random.js';

export interface BackendOptions {
  readonly memory: GuestMemory;
  readonly board: PcBoard;
  readonly cpu: CpuModel;
  /** Two runs must not differ: no randomness from the host. */
  readonly deterministic: boolean;
  /** When the emulator compiles code; undefined: never. */
  readonly jit: JitOptions | undefined;
}

export interface Backend<State = X86State> {
  readonly vcpu: Vcpu<State>;
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
  /** To be called when a device has written to guest memory. */
  readonly memoryWritten?: (address: number, length: number) => void;
  close(): void;
}

const CORE = 'build/x86.wasm';
const ARM_CORE = 'build/arm.wasm';

function emulatorOptions(options: BackendOptions): EmulatorOptions & { readonly wasm: WebAssembly.Module } {
  const { memory, board, cpu, deterministic, jit } = options;
  return {
    memory: memory.memory,
    ramSize: memory.size,
    regions: board.regions,
    bus: board.bus,
    wasm: loadCore(CORE),
    cpu,
    tscFrequency: TSC_FREQUENCY,
    random: randomWords(deterministic),
    jit,
  };
}

/**
 * Tells V8 what compiled guest code profits from: branch hints keep slow paths out of its loops; and its loops, which
 * count instructions anyway and come back soon, need no check of the stack (a tenth to a fifth of a short loop's time).
 * No recursion of the core is deeper than its tables allow, so it needs no such check either.
 */
function prepareCompiler(): void {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString('--no-wasm-stack-checks');
  // What the core writes is valid; the check that is left, when code is compiled, is enough.
  setFlagsFromString('--wasm-lazy-validation');
  // More than one of them for each module takes time from the guest on a host of two processors.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  preferGuest();
}

/** Added to the nice value of V8's compile threads (nice(2): 19 is the least favourable). */
const COMPILER_NICE = 15;

/**
 * Lets the thread that executes the guest go first. Each module of hot guest code has a compile job of its own, and
 * together they would take more processors than a small host has. Where threads cannot be told apart nothing changes.
 */
function preferGuest(): void {
  if (process.platform !== 'linux') return;
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      if (Number(thread) !== process.pid) setPriority(Number(thread), COMPILER_NICE);
    }
  } catch {
    // No /proc, or not allowed: as before.
  }
}

export async function createEmuBackend(options: BackendOptions): Promise<Backend> {
  const { createEmulatedVcpu } = await import('../emulator-x86/index.js');
  const parts = emulatorOptions(options);
  if (options.jit) prepareCompiler();
  const vcpu = createEmulatedVcpu(parts);
  return {
    vcpu,
    name: 'emu',
    notes: [],
    instructions: () => vcpu.instructionCount(),
    executingRip: () => vcpu.executingRip(),
    memoryReplaced: () => vcpu.invalidateAll(),
    memoryWritten: (address, length) => vcpu.memoryWritten(address, length),
    close: () => vcpu.close(),
  };
}

export interface ArmBackendOptions {
  readonly memory: GuestMemory;
  readonly board: VirtBoard;
  readonly el2: boolean;
  readonly gic: 2 | 3;
  readonly jit: JitOptions | undefined;
}

/** The AArch64 emulator. */
export async function createArmBackend(options: ArmBackendOptions): Promise<Backend<ArmState>> {
  const { memory, board, el2, gic, jit } = options;
  const { createEmulatedArmVcpu } = await import('../emulator-arm/index.js');
  const wasm = loadCore(ARM_CORE);
  if (jit) prepareCompiler();
  const vcpu = createEmulatedArmVcpu({
    memory: memory.memory,
    ramSize: memory.size,
    regions: board.regions,
    bus: board.bus,
    wasm,
    features: { el2, gicRegisters: gic === 3 },
    jit,
  });
  return {
    vcpu,
    name: 'emu',
    notes: [],
    instructions: () => vcpu.instructionCount(),
    executingRip: () => vcpu.executingPc(),
    memoryReplaced: () => vcpu.invalidateAll(),
    memoryWritten: (address, length) => vcpu.memoryWritten(address, length),
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
      const { jit: _, ...parts } = emulatorOptions(options);
      emulator = new EmulatedVcpu(parts, parts.wasm);
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
