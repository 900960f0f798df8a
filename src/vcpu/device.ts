// What a device gets and gives. A device never sees a vCPU, an execution mode, or another device.

import type { AccessSize } from './vcpu.js';

/** A device's registers, at offsets from wherever the board put them. Values are unsigned 32-bit at most. */
export interface BusDevice {
  readonly name: string;
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** One interrupt wire. Setting the level that it already has is harmless. */
export interface IrqLine {
  set(level: boolean): void;
}

/** The machine's one source of time. */
export interface Clock {
  /** Nanoseconds since the machine started; never decreases. May be fractional. */
  now(): number;
  /** Wall-clock date that the guest should see, in milliseconds since 1970 (UTC). */
  date(): number;
}

/** A device that does something at a time of its own. */
export interface TimedDevice {
  /** Clock time (ns) of the next thing to happen, Infinity when nothing is planned. */
  deadline(): number;
  /** Called at or after deadline(): does all that was due by `now`. */
  advance(now: number): void;
}

/** A device whose state can be saved and restored. Plain JSON values, typed arrays allowed. */
export interface Stateful {
  /** Named fields and a version. */
  saveState(): DeviceState;
  /** Refuses (throws TsvmError E_STATE) what it does not understand, changing nothing. */
  loadState(state: DeviceState): void;
}

export interface DeviceState {
  readonly version: number;
  readonly [field: string]: unknown;
}

/** An interrupt line that goes nowhere. */
export const UNCONNECTED: IrqLine = { set: () => undefined };
