// Checked access to a saved device state. A device reads every field through this before it changes anything, so
// that a damaged or foreign state is refused as a whole.

import type { DeviceState } from '../vcpu/device.js';
import { TsvmError } from '../vcpu/vcpu.js';

export class StateReader {
  /** Refuses (E_STATE) a state whose version is not `version`. `device` names the device in messages. */
  constructor(
    private readonly device: string,
    private readonly state: DeviceState,
    version: number,
  ) {
    if (typeof state !== 'object' || state === null || state.version !== version) {
      throw new TsvmError('E_STATE', `saved state of ${device} is not of version ${version}`);
    }
  }

  refuse(field: string, wanted: string): never {
    throw new TsvmError('E_STATE', `saved state of ${this.device}: field '${field}' is not ${wanted}`);
  }

  /** An integer from 0 to `max`. */
  uint(field: string, max = 0xffffffff): number {
    const value = this.state[field];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
      return this.refuse(field, `an integer from 0 to ${max}`);
    }
    return value;
  }

  /** A finite number of at least zero, such as a time in nanoseconds. */
  time(field: string): number {
    const value = this.state[field];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return this.refuse(field, 'a time');
    return value;
  }

  /** Any finite number. */
  finite(field: string): number {
    const value = this.state[field];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.refuse(field, 'a number');
  }

  /** A time that may be "never": Infinity, saved as null because JSON has no infinity (see savedDeadline). */
  deadline(field: string): number {
    return this.state[field] === null ? Infinity : this.time(field);
  }

  flag(field: string): boolean {
    const value = this.state[field];
    return typeof value === 'boolean' ? value : this.refuse(field, 'true or false');
  }

  oneOf<T extends string>(field: string, names: readonly T[]): T {
    const value = this.state[field];
    return names.find((name) => name === value) ?? this.refuse(field, `one of ${names.join(', ')}`);
  }

  /** An array (plain or typed) of `length` integers from 0 to `max`. */
  uints(field: string, length: number, max = 0xffffffff): number[] {
    const value = this.state[field];
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    const list = isList ? Array.from(value as ArrayLike<unknown>) : this.refuse(field, 'an array');
    const good = list.every((v) => typeof v === 'number' && Number.isInteger(v) && v >= 0 && v <= max);
    if (list.length !== length || !good) return this.refuse(field, `${length} integers from 0 to ${max}`);
    return list as number[];
  }

  /** An array (plain or typed) of at most `maxLength` integers from 0 to `max`. */
  list(field: string, maxLength: number, max = 0xff): number[] {
    const length = (this.state[field] as { length?: unknown } | null | undefined)?.length;
    if (typeof length !== 'number' || length > maxLength) return this.refuse(field, `at most ${maxLength} integers`);
    return this.uints(field, length, max);
  }

  /** A nested state, as an object. */
  nested(field: string): DeviceState {
    const value = this.state[field];
    if (typeof value !== 'object' || value === null) return this.refuse(field, 'a state');
    return value as DeviceState;
  }
}

/** How a deadline is saved. */
export function savedDeadline(time: number): number | null {
  return time === Infinity ? null : time;
}
