// What a run is made of, for each board: memory, devices, vCPU, and what depends on the instruction set.

import { UserNet } from '../devices/user-net.js';
import type { NetBackend } from '../devices/virtio-net.js';
import type { Board } from '../machine/board.js';
import type { MachineClock } from '../machine/clock.js';
import { PcBoard } from '../machine/pc-board.js';
import { VirtBoard } from '../machine/virt-board.js';
import type { VirtioPlan } from '../machine/virtio-slots.js';
import { ArmState } from '../vcpu/arm-state.js';
import { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { VIRT_RAM_BASE } from '../vcpu/virt-map.js';
import { X86State } from '../vcpu/x86-state.js';
import { type Backend, createArmBackend, createEmuBackend, createVirtBackend } from './backends.js';
import type { ConsoleReceiver } from './console.js';
import { randomBytes } from './random.js';
import type { RunPlan } from './run-plan.js';

/** KVM_ENOSYS of the KVM hypercall interface: what a guest sees that asks for a hypercall nobody offers. */
const HYPERCALL_NOT_OFFERED = -1000n;

export interface System<State> {
  readonly board: Board<State>;
  readonly backend: Backend<State>;
  readonly memory: GuestMemory;
  readonly newState: () => State;
  readonly refuseHypercall: (state: State) => void;
  /** Where the instruction pointer is, such as "rip=0x7c00". */
  readonly position: (state: State) => string;
  readonly describe: (state: State) => string;
  /** The state as it is saved. */
  readonly bytes: (state: State) => Uint8Array;
  /** What takes the guest's input, in this power cycle. */
  readonly receiver: () => ConsoleReceiver;
  /** Of the guest that stands in memory, one sentence each. */
  readonly warnings: () => readonly string[];
  readonly cpu: string;
}

/** What every system is made with. */
export interface SystemParts {
  readonly plan: RunPlan;
  readonly clock: MachineClock;
  /** Takes each byte that the guest prints. */
  readonly sink: (byte: number) => void;
  /** The x86 emulator keeps compiled code, to be looked at. */
  readonly keepModules?: boolean;
}

async function createMemory(ramSize: number, base: number): Promise<GuestMemory> {
  const { createGuestMemory } = await import('../emulator-x86/index.js');
  try {
    return new GuestMemory(createGuestMemory(ramSize), ramSize, base);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const size = `${ramSize / 2 ** 20} MiB`;
    throw new TsvmError('E_HOST_MEMORY', `this host cannot reserve ${size} for the guest. Give less --memory.`);
  }
}

function virtioPlan({ plan, sink }: SystemParts, always: boolean): VirtioPlan {
  const disks = plan.source.virtioDisks;
  const net = plan.net ? (): NetBackend => new UserNet() : undefined;
  const console = plan.console === 'virtio' ? sink : undefined;
  // Entropy is there wherever virtio is.
  const any = always || disks.length > 0 || net !== undefined || console !== undefined;
  const random = any ? randomBytes(plan.clock === 'instructions') : undefined;
  return { disks, net, random, console };
}

export async function createPcSystem(parts: SystemParts): Promise<System<X86State>> {
  const { plan, clock, sink, keepModules = false } = parts;
  const memory = await createMemory(plan.ramSize, 0);
  const board = new PcBoard({
    memory,
    clock,
    boot: plan.source.boot,
    disks: plan.source.disks,
    virtio: virtioPlan(parts, false),
    sink,
    strictIo: plan.strictIo,
  });
  const create = plan.choice.mode === 'virt' ? createVirtBackend : createEmuBackend;
  const deterministic = plan.clock === 'instructions';
  const { cpu } = plan;
  const jit = plan.jit && { ...plan.jit, keepModules };
  const backend = await create({ memory, board, cpu, deterministic, jit });
  return {
    board,
    backend,
    memory,
    newState: () => new X86State(),
    refuseHypercall: (state) => state.setGpr(0, HYPERCALL_NOT_OFFERED),
    position: (state) => `rip=0x${state.rip.toString(16)}`,
    describe: (state) => state.describe(),
    bytes: (state) => state.bytes,
    receiver: () => board.console ?? board.serial,
    warnings: () => board.guest?.warnings ?? [],
    cpu: plan.cpu.name,
  };
}

export async function createVirtSystem(
  parts: SystemParts,
  machine: { readonly gic: 2 | 3; readonly el2: boolean },
): Promise<System<ArmState>> {
  const { plan, clock, sink } = parts;
  const { gic, el2 } = machine;
  const memory = await createMemory(plan.ramSize, VIRT_RAM_BASE);
  const board = new VirtBoard({
    memory,
    clock,
    boot: plan.source.boot,
    gic,
    el2,
    virtio: virtioPlan(parts, true),
    sink,
    seed: randomBytes(plan.clock === 'instructions'),
    strictIo: plan.strictIo,
  });
  const ahead = board.readAhead();
  const backend = await createArmBackend({ memory, board, el2, gic, jit: plan.jit });
  await ahead;
  return {
    board,
    backend,
    memory,
    newState: () => new ArmState(),
    // Calls to the firmware are the board's; no other hypercall leaves the vCPU.
    refuseHypercall: (state) => state.setX(0, -1n),
    position: (state) => `pc=0x${state.pc.toString(16)}`,
    describe: (state) => state.describe(),
    bytes: (state) => state.bytes,
    receiver: () => board.console ?? board.serial,
    warnings: () => board.guest?.warnings ?? [],
    cpu: 'armv8-a',
  };
}
