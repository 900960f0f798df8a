// Interrupt wires between devices.

import type { IrqLine } from '../vcpu/device.js';

/** A wire, low at first. Devices drive theirs at every access; what hangs on it is to hear of changes only. */
export function onChange(listener: (level: boolean) => void): IrqLine {
  let now = false;
  return {
    set: (level) => {
      if (level === now) return;
      now = level;
      listener(level);
    },
  };
}
