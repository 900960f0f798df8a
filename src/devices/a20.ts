// The A20 gate: one wire that both the keyboard controller and port 0x92 drive.

import type { DeviceState, Stateful } from '../vcpu/device.js';
import { StateReader } from './state-reader.js';

const STATE_VERSION = 1;

/**
 * Whether address line 20 reaches memory. The 8086's addresses wrapped at 1 MiB; PCs keep that for old programs
 * until someone opens the gate. Whoever wrote last decides, and both ports read back the common level, which
 * is what drivers that try one method after the other expect.
 */
export class A20Gate implements Stateful {
  private level: boolean;

  constructor(
    private readonly onChange: (enabled: boolean) => void,
    enabled = true,
  ) {
    this.level = enabled;
  }

  get enabled(): boolean {
    return this.level;
  }

  set(enabled: boolean): void {
    if (enabled === this.level) return;
    this.level = enabled;
    this.onChange(enabled);
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, enabled: this.level };
  }

  loadState(state: DeviceState): void {
    this.set(new StateReader('a20', state, STATE_VERSION).flag('enabled'));
  }
}
