// A pc board with a scripted vCPU and a clock that only moves when told.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import type { BlockBackend } from '../../src/devices/block-backend.js';
import type { HostTime } from '../../src/machine/clock.js';
import { type MachineClock, WallClock } from '../../src/machine/clock.js';
import { type HostTimers, Machine, type MachineOptions } from '../../src/machine/machine.js';
import { PcBoard, type PcBoardOptions, type PcBoot } from '../../src/machine/pc-board.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { FakeVcpu, type Step } from './fake-vcpu.js';

export const RAM = 4 << 20;

export class TestTime implements HostTime {
  ns = 0;
  monotonic(): number {
    return this.ns;
  }
  date(): number {
    return Date.UTC(2026, 0, 2, 3, 4, 5) + this.ns / 1e6;
  }
}

export interface Rig {
  readonly time: TestTime;
  readonly memory: GuestMemory;
  readonly board: PcBoard;
  readonly vcpu: FakeVcpu;
  readonly machine: Machine<X86State>;
  readonly output: number[];
  /** Lengths of the sleeps, nanoseconds. */
  readonly sleeps: number[];
}

export interface RigOptions {
  readonly script?: Step[];
  readonly boot?: PcBoot;
  readonly disks?: BlockBackend[];
  readonly board?: Partial<PcBoardOptions>;
  readonly machine?: Partial<MachineOptions<X86State>>;
  readonly clock?: (vcpu: FakeVcpu) => MachineClock;
}

/** A flat binary at 0x1000: what it contains does not matter to a scripted vCPU. */
export const FLAT: PcBoot = { image: Uint8Array.of(0xf4), load: { loadAddress: 0x1000 } };

export function makeRig(options: RigOptions = {}): Rig {
  const time = new TestTime();
  const pages = Math.ceil((GUEST_BASE + RAM) / 65536);
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), RAM);
  const vcpu = new FakeVcpu(options.script);
  const clock = options.clock?.(vcpu) ?? new WallClock(time);
  const output: number[] = [];
  const sleeps: number[] = [];
  const timers: HostTimers = {
    monotonic: () => time.ns,
    yieldToHost: () => Promise.resolve(),
    // Host time passes exactly as asked.
    sleep: (ns) => {
      sleeps.push(ns);
      if (Number.isFinite(ns)) time.ns += ns;
      return { done: Promise.resolve(), cancel: () => undefined };
    },
  };
  const board = new PcBoard({
    memory,
    clock,
    boot: options.boot ?? FLAT,
    disks: options.disks ?? [],
    sink: (byte) => output.push(byte),
    ...options.board,
  });
  const machine = new Machine<X86State>({
    board,
    vcpu,
    clock,
    timers,
    newState: () => new X86State(),
    refuseHypercall: (state) => state.setGpr(0, -1000n),
    ...options.machine,
  });
  return { time, memory, board, vcpu, machine, output, sleeps };
}
