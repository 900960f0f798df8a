// A whole guest on the emulator, deterministically, and a digest of everything that it left behind.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { openGuestSource } from '../../src/cli/guest-source.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { createEmulatedVcpu, createGuestMemory, type EmulatedVcpu } from '../../src/emulator-x86/index.js';
import { InstructionClock } from '../../src/machine/clock.js';
import { Machine } from '../../src/machine/machine.js';
import { PcBoard } from '../../src/machine/pc-board.js';
import { findCpuModel, TSC_FREQUENCY } from '../../src/vcpu/cpu-model.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { X86State } from '../../src/vcpu/x86-state.js';

const core = process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));

export interface GuestRun {
  readonly outcome: string;
  readonly output: string;
  readonly instructions: number;
  /** SHA-256 of the vCPU's state and of guest RAM. */
  readonly digest: string;
  readonly details: Readonly<Record<string, number>>;
}

/**
 * @param jit when code is compiled; undefined: never
 * @param inspect looks at what the run left behind in the emulator
 */
export async function runGuest(
  image: string,
  jit: JitOptions | undefined,
  limit = 20e6,
  inspect: (vcpu: EmulatedVcpu, memory: GuestMemory) => void = () => undefined,
): Promise<GuestRun> {
  const ramSize = 32 << 20;
  const memory = new GuestMemory(createGuestMemory(ramSize), ramSize);
  const source = openGuestSource({ image, initrd: [], disk: [], snapshot: true, ramSize });
  const late: { vcpu?: EmulatedVcpu } = {};
  const clock = new InstructionClock(() => late.vcpu?.instructionCount() ?? 0);
  let output = '';
  const board = new PcBoard({
    memory,
    clock,
    boot: source.boot,
    disks: source.disks,
    sink: (byte) => {
      output += String.fromCharCode(byte);
    },
  });
  const vcpu = createEmulatedVcpu({
    memory: memory.memory,
    ramSize,
    regions: board.regions,
    bus: board.bus,
    wasm,
    cpu: findCpuModel('max'),
    tscFrequency: TSC_FREQUENCY,
    random: (into) => into.fill(0x12345678),
    jit: jit && { ...jit, keepModules: true },
  });
  late.vcpu = vcpu;
  const machine = new Machine<X86State>({
    board,
    vcpu,
    clock,
    timers: {
      monotonic: () => 0,
      yieldToHost: () => Promise.resolve(),
      sleep: () => ({ done: Promise.resolve(), cancel: () => undefined }),
    },
    newState: () => new X86State(),
    refuseHypercall: (state) => state.setGpr(0, -1000n),
    instructions: () => vcpu.instructionCount(),
    executingRip: () => vcpu.executingRip(),
    memoryReplaced: () => vcpu.invalidateAll(),
    maxInstructions: limit,
    inputOpen: () => false,
  });
  machine.powerOn();
  const outcome = await machine.run();
  const state = new X86State();
  vcpu.readState(state);
  const digest = createHash('sha256').update(state.bytes).update(memory.bytes).digest('hex');
  const { details } = vcpu.counters();
  inspect(vcpu, memory);
  return { outcome: JSON.stringify(outcome), output, instructions: vcpu.instructionCount(), digest, details };
}
