// ACPI fixed hardware: PM1 event and control registers and the power management timer (ACPI 6.4, 4.8.3).

import type { BusDevice, Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import * as P from '../vcpu/pc-ports.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import { StateReader } from './state-reader.js';

/** Frequency of the power management timer in Hz (4.8.3.3): three times the 8254's. */
export const PM_TIMER_FREQUENCY = 3_579_545;

// PM1 status, and enable at the same bits (tables 4.11 and 4.12).
const TMR = 1 << 0;
const GBL = 1 << 5;
const PWRBTN = 1 << 8;
const RTC = 1 << 10;
/** Events that can raise the SCI; there is no sleep button. */
const ENABLE_WRITABLE = TMR | GBL | PWRBTN | RTC;

// PM1 control (table 4.13).
const SCI_EN = 1 << 0;
const SLP_TYP_SHIFT = 10;
const SLP_EN = 1 << 13;
/** BM_RLD and SLP_TYP read back; GBL_RLS and SLP_EN are write-only; SCI_EN is not the guest's to clear here. */
const CONTROL_WRITABLE = (1 << 1) | (7 << SLP_TYP_SHIFT);

export interface AcpiPmOptions {
  readonly clock: Clock;
  /** System control interrupt, level. */
  readonly sci: IrqLine;
  /** The guest entered S5. */
  readonly onPowerOff: () => void;
  /** Width of the timer; the FADT's TMR_VAL_EXT must say the same. */
  readonly timerBits?: 24 | 32;
}

const STATE_VERSION = 1;

/** PM registers at ACPI_PM_BASE. The board has no SMI command port, so ACPI mode is on from the start. */
export class AcpiPm implements BusDevice, TimedDevice, Stateful {
  readonly name = 'acpi-pm';
  private status = 0;
  private enable = 0;
  private control = SCI_EN;
  /** How often the timer's highest bit had changed when that was last looked at. */
  private toggles = 0;
  private readonly timerBits: number;

  constructor(private readonly options: AcpiPmOptions) {
    this.timerBits = options.timerBits ?? 32;
  }

  reset(): void {
    this.status = 0;
    this.enable = 0;
    this.control = SCI_EN;
    this.toggles = this.togglesAt(this.options.clock.now());
    this.updateSci();
  }

  /** The user pressed the power button: an operating system with ACPI is asked to shut down. */
  pressPowerButton(): void {
    this.status |= PWRBTN;
    this.updateSci();
  }

  /** Value of the timer register. */
  timer(): number {
    return this.ticksAt(this.options.clock.now()) % 2 ** this.timerBits;
  }

  private ticksAt(now: number): number {
    return Math.floor((now * PM_TIMER_FREQUENCY) / 1e9);
  }

  private togglesAt(now: number): number {
    return Math.floor(this.ticksAt(now) / 2 ** (this.timerBits - 1));
  }

  /** TMR_STS is set whenever the timer's highest bit changes, in either direction (4.8.3.3). */
  deadline(): number {
    if ((this.enable & TMR) === 0 || (this.status & TMR) !== 0) return Infinity;
    // One tick late, so that rounding never leaves advance() short of the change.
    return (((this.toggles + 1) * 2 ** (this.timerBits - 1) + 1) * 1e9) / PM_TIMER_FREQUENCY;
  }

  advance(now: number): void {
    const toggles = this.togglesAt(now);
    if (toggles === this.toggles) return;
    this.toggles = toggles;
    this.status |= TMR;
    this.updateSci();
  }

  private updateSci(): void {
    this.options.sci.set((this.status & this.enable) !== 0);
  }

  read(offset: number, size: AccessSize): number {
    this.advance(this.options.clock.now());
    const timer = this.timer();
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.readByte(offset + i, timer) << (8 * i);
    return value >>> 0;
  }

  private readByte(offset: number, timer: number): number {
    const byteOf = (register: number, start: number) => (register >>> (8 * (offset - start))) & 0xff;
    if (offset < 0) return 0;
    if (offset < 2) return byteOf(this.status, P.PM1_EVENT_OFFSET);
    if (offset < 4) return byteOf(this.enable, P.PM1_EVENT_OFFSET + 2);
    if (offset < 6) return byteOf(this.control, P.PM1_CONTROL_OFFSET);
    if (offset < 8) return 0;
    return offset < 12 ? byteOf(timer, P.PM_TIMER_OFFSET) : 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.advance(this.options.clock.now());
    for (let i = 0; i < size; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff);
    this.updateSci();
  }

  private writeByte(offset: number, byte: number): void {
    const shift = (offset & 1) * 8;
    const merge = (register: number, writable: number) =>
      (register & ~((0xff << shift) & writable)) | ((byte << shift) & writable);
    switch (offset & ~1) {
      case P.PM1_EVENT_OFFSET:
        // Ones clear.
        this.status &= ~(byte << shift);
        break;
      case P.PM1_EVENT_OFFSET + 2:
        this.enable = merge(this.enable, ENABLE_WRITABLE);
        break;
      case P.PM1_CONTROL_OFFSET:
        this.control = merge(this.control, CONTROL_WRITABLE);
        if (((byte << shift) & SLP_EN) !== 0) this.sleep();
        break;
    }
  }

  /** SLP_EN enters the state that SLP_TYP names. The tables offer S5 alone; other types do nothing. */
  private sleep(): void {
    const type = (this.control >> SLP_TYP_SHIFT) & 7;
    if (type === P.SLEEP_TYPE_S5) this.options.onPowerOff();
  }

  saveState(): DeviceState {
    const { status, enable, control, toggles } = this;
    return { version: STATE_VERSION, status, enable, control, toggles };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const [status, enable] = [from.uint('status', 0xffff), from.uint('enable', ENABLE_WRITABLE)];
    const [control, toggles] = [from.uint('control', 0xffff), from.uint('toggles', Number.MAX_SAFE_INTEGER)];
    this.status = status;
    this.enable = enable;
    this.control = control;
    this.toggles = toggles;
    this.updateSci();
  }
}
