// What a board is to the run loop: everything of a machine except the CPU, the clock and the host.

import type { MemoryRegion } from '../vcpu/guest-memory.js';
import type { Vcpu } from '../vcpu/vcpu.js';
import type { MachineRequest } from './outcome.js';

/** How often the guest used a device. */
export interface DeviceUse {
  readonly name: string;
  readonly reads: number;
  readonly writes: number;
}

export interface BoardCounters {
  /** Port accesses by device. */
  readonly pio: readonly DeviceUse[];
  /** Memory-mapped accesses by device. */
  readonly mmio: readonly DeviceUse[];
  /** Other callbacks of the vCPU, by event name. */
  readonly events: Readonly<Record<string, number>>;
}

export interface Board<State> {
  readonly name: string;
  /** What backs guest-physical memory; everything else reaches the bus. */
  readonly regions: readonly MemoryRegion[];
  /**
   * The vCPU whose pins the board drives. Must be connected before powerOn(). `executingRip` tells, inside a bus
   * callback, which instruction is calling; without it the vCPU's state has to do. `memoryWritten` wants to hear of
   * guest memory that a device has changed.
   */
  connect(
    vcpu: Vcpu<State>,
    executingRip?: () => bigint,
    memoryWritten?: (address: number, length: number) => void,
  ): void;
  /**
   * Power-on or reset: devices in their reset state, guest loaded, `state` set to the guest's first instruction.
   * Throws TsvmError when the guest cannot be loaded.
   */
  powerOn(state: State): void;
  /** Clock time of the next thing that a device will do by itself; Infinity when nothing is planned. */
  deadline(): number;
  /** Does all that was due by `now`. */
  advance(now: number): void;
  /** Whether the vCPU, halted in `state`, has an interrupt to take now. */
  wakesFromHalt(state: State): boolean;
  /** Why a halted vCPU will stay so: with nothing that can reach it, or with nothing that is planned. */
  readonly haltCauses: { readonly masked: string; readonly idle: string };
  /** Whether some interrupt could still arrive for the vCPU halted in `state`, from a timer or from the host. */
  canWakeFromHalt(state: State): boolean;
  /** Called when a device asks for something that only the run loop can do. */
  onRequest: (request: MachineRequest) => void;
  /** Called after each guest write that may have changed deadline(). */
  onWrite: () => void;
  counters(): BoardCounters;
}
