// Port 0x61: speaker, counter 2's gate, and two status bits that timing loops watch
// (82371AB PIIX4 data sheet, 4.2.6.1 "NMI status and control").

import type { Clock, DeviceState, Stateful } from '../vcpu/device.js';
import { ByteDevice } from './byte-device.js';
import type { GatedTimer } from './i8254.js';
import { pulsesAt } from './i8254.js';
import { StateReader } from './state-reader.js';

/** Timer counter 2 enable: GATE 2. */
const GATE2 = 0x01;
const SPEAKER_DATA = 0x02;
/** Bits that the guest sets: gate, speaker, and the two NMI source masks. */
const WRITABLE = 0x0f;
const REFRESH_TOGGLE = 0x10;
const OUT2 = 0x20;

/** Counter 1 asks for a memory refresh every 18 pulses, 15 µs: what it is programmed to on every PC. */
const PULSES_PER_REFRESH = 18;

const STATE_VERSION = 1;

/** One port. It keeps four bits, so there is nothing that a guest could exhaust. */
export class Port61 extends ByteDevice implements Stateful {
  private control = 0;

  constructor(
    private readonly clock: Clock,
    private readonly channel2: GatedTimer,
  ) {
    super('port61', 1);
  }

  /** Level at the loudspeaker. */
  get speaker(): boolean {
    return (this.control & SPEAKER_DATA) !== 0 && this.channel2.output;
  }

  protected readByte(): number {
    // Each refresh toggles bit 4. Delay loops of old BIOSes count the toggles.
    const refreshes = Math.floor(pulsesAt(this.clock.now()) / PULSES_PER_REFRESH);
    return this.control | (refreshes % 2 ? REFRESH_TOGGLE : 0) | (this.channel2.output ? OUT2 : 0);
  }

  protected writeByte(_offset: number, value: number): void {
    this.control = value & WRITABLE;
    this.channel2.gate = (value & GATE2) !== 0;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, control: this.control };
  }

  loadState(state: DeviceState): void {
    // The gate's level is part of the timer's own state.
    this.control = new StateReader(this.name, state, STATE_VERSION).uint('control', WRITABLE);
  }
}
