// A virt board with a scripted vCPU and a clock that only moves when told.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { WallClock } from '../../src/machine/clock.js';
import { type HostTimers, Machine, type MachineOptions } from '../../src/machine/machine.js';
import { type ArmVcpu, VirtBoard, type VirtBoardOptions } from '../../src/machine/virt-board.js';
import type { ArmTimers } from '../../src/vcpu/arm-bus.js';
import { ArmState } from '../../src/vcpu/arm-state.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import type { VcpuCounters, VmExit } from '../../src/vcpu/vcpu.js';
import { VIRT_RAM_BASE } from '../../src/vcpu/virt-map.js';
import { TestTime } from './rig.js';

export const RAM = 8 << 20;
const OFF = { control: 0, compare: 0n };

export type ArmStep = (vcpu: FakeArmVcpu) => VmExit;

export class FakeArmVcpu implements ArmVcpu {
  readonly backend = 'fake';
  readonly state = ArmState.reset();
  irq = false;
  fiq = false;
  kicks = 0;
  registers: ArmTimers = { physical: OFF, virtual: OFF, hypervisor: OFF, virtualOffset: 0n };

  constructor(readonly script: ArmStep[] = []) {}

  run(): VmExit {
    return this.script.shift()?.(this) ?? { reason: 'slice-end' };
  }
  step(): VmExit {
    return { reason: 'debug', pc: this.state.pc };
  }
  kick(): void {
    this.kicks++;
  }
  setInterruptLine(asserted: boolean): void {
    this.irq = asserted;
  }
  setFiqLine(asserted: boolean): void {
    this.fiq = asserted;
  }
  timers(): ArmTimers {
    return this.registers;
  }
  injectNmi(): void {}
  inject(): void {}
  readState(into: ArmState): void {
    into.copyFrom(this.state);
  }
  writeState(from: ArmState): void {
    this.state.copyFrom(from);
  }
  setBreakpoints(): void {}
  setA20(): void {}
  counters(): VcpuCounters {
    return { instructions: 0, exits: {}, assists: 0, details: {} };
  }
  close(): void {}
}

export interface VirtRigOptions {
  readonly script?: ArmStep[];
  readonly board?: Partial<VirtBoardOptions>;
  readonly machine?: Partial<MachineOptions<ArmState>>;
}

/** NOP; what the image contains does not matter to a scripted vCPU. */
export const IMAGE = Uint8Array.of(0x1f, 0x20, 0x03, 0xd5);

export function makeVirtRig(options: VirtRigOptions = {}) {
  const time = new TestTime();
  const pages = Math.ceil((GUEST_BASE + RAM) / 65536);
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), RAM, VIRT_RAM_BASE);
  const vcpu = new FakeArmVcpu(options.script);
  const clock = new WallClock(time);
  const output: number[] = [];
  const sleeps: number[] = [];
  const written: [number, number][] = [];
  const timers: HostTimers = {
    monotonic: () => time.ns,
    yieldToHost: () => Promise.resolve(),
    sleep: (ns) => {
      sleeps.push(ns);
      if (Number.isFinite(ns)) time.ns += ns;
      return { done: Promise.resolve(), cancel: () => undefined };
    },
  };
  const board = new VirtBoard({
    memory,
    clock,
    boot: { image: IMAGE, load: {} },
    gic: 2,
    el2: false,
    virtio: {},
    sink: (byte) => output.push(byte),
    ...options.board,
  });
  const machine = new Machine<ArmState>({
    board,
    vcpu,
    clock,
    timers,
    newState: () => new ArmState(),
    refuseHypercall: (state) => state.setX(0, -1n),
    memoryWritten: (address, length) => written.push([address, length]),
    ...options.machine,
  });
  return { time, memory, board, vcpu, machine, output, sleeps, written };
}
