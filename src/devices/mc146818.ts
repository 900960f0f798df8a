// MC146818A real-time clock with the PC AT's CMOS RAM (Motorola MC146818A data sheet, 1984).

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import { ByteDevice } from './byte-device.js';
import type { CmosOptions } from './cmos-layout.js';
import { CMOS_CENTURY, CMOS_SIZE, initialCmos } from './cmos-layout.js';
import { StateReader } from './state-reader.js';

const SECONDS = 0;
const SECONDS_ALARM = 1;
const MINUTES = 2;
const MINUTES_ALARM = 3;
const HOURS = 4;
const HOURS_ALARM = 5;
const DAY_OF_WEEK = 6;
const DAY_OF_MONTH = 7;
const MONTH = 8;
const YEAR = 9;
const REG_A = 0x0a;
const REG_B = 0x0b;
const REG_C = 0x0c;
const REG_D = 0x0d;
const TIME_REGISTERS: readonly number[] = [
  SECONDS,
  MINUTES,
  HOURS,
  DAY_OF_WEEK,
  DAY_OF_MONTH,
  MONTH,
  YEAR,
  CMOS_CENTURY,
];

const A_UIP = 0x80;
/** Both upper divider bits hold the divider chain in reset (table 4). */
const A_DIVIDER_RESET = 0x60;
const A_RATE = 0x0f;

const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
/** Data mode: 1 binary, 0 BCD. */
const B_DM = 0x04;
const B_24_HOURS = 0x02;

const C_IRQF = 0x80;
/** The flags stand in C where their enable bits stand in B. */
const C_PF = B_PIE;
const C_AF = B_AIE;
const C_UF = B_UIE;
const C_SOURCES = C_PF | C_AF | C_UF;

/** Valid RAM and time: the battery is good. */
const D_VRT = 0x80;

/** In 12-hour mode, bit 7 of the hours says PM. */
const PM = 0x80;
/** An alarm byte of 0xC0–0xFF matches any value. */
const DONT_CARE = 0xc0;

/** UIP rises 244 µs before an update, which takes 1984 µs (table 5). The update here ends on the full second. */
const UIP_MS = 0.244 + 1.984;
/** After the divider reset is released, the first update comes half a second later. */
const AFTER_RESET_MS = 500;

const NMI_DISABLE = 0x80;
const DAY_SECONDS = 86400;
const STATE_VERSION = 1;

export interface Mc146818Options {
  readonly clock: Clock;
  /** IRQ, active low on the chip: IRQ 8. */
  readonly irq: IrqLine;
  /** What the CMOS RAM tells of the machine. */
  readonly cmos: CmosOptions;
  /** Bit 7 of port 0x70, the PC's NMI gate, changed. */
  readonly onNmiMask?: (masked: boolean) => void;
}

/**
 * Two ports at 0x70: index and data. The time is the clock's date plus an offset that the guest changes by
 * setting the time; all else is computed when somebody looks. Deadlines exist only for enabled interrupts
 * that are not pending already, so that the fastest periodic rate costs nothing to a guest that ignores it.
 * The state is 128 bytes: a guest has nothing to exhaust.
 */
export class Mc146818 extends ByteDevice implements Stateful, TimedDevice {
  private readonly clock: Clock;
  private readonly irq: IrqLine;
  private readonly onNmiMask: ((masked: boolean) => void) | undefined;
  private readonly ram: Uint8Array;
  private index = 0;
  private masked = false;
  /** Guest date minus the clock's date, in milliseconds. */
  private offset = 0;
  /** Last second (guest date) that updates were worked out for. */
  private lastSecond: number;
  /** Last period of the periodic interrupt that was worked out, counted from clock time 0. */
  private lastPeriod = 0;

  constructor(options: Mc146818Options) {
    super('mc146818', 2);
    this.clock = options.clock;
    this.irq = options.irq;
    this.onNmiMask = options.onNmiMask;
    this.ram = initialCmos(options.cmos);
    // 32.768 kHz time base, 1024 Hz periodic rate, BCD, 24 hours: as a PC's BIOS leaves it.
    this.ram[REG_A] = 0x26;
    this.ram[REG_B] = B_24_HOURS;
    this.lastSecond = Math.floor(this.guestDate() / 1000);
  }

  /** Whether port 0x70 keeps NMIs from the CPU. */
  get nmiMasked(): boolean {
    return this.masked;
  }

  deadline(): number {
    const enabled = this.ram[REG_B] & ~this.ram[REG_C] & C_SOURCES;
    // With IRQF up, the line is up: nothing changes before the guest reads register C.
    if (enabled === 0 || this.ram[REG_B] & this.ram[REG_C] & C_SOURCES) return Infinity;
    let next = Infinity;
    const period = this.periodNs();
    if (enabled & B_PIE && period > 0) next = laterThan((this.lastPeriod + 1) * period);
    if (enabled & (B_AIE | B_UIE) && !this.frozen()) {
      const untilUpdate = (this.lastSecond + 1) * 1000 - this.guestDate();
      next = Math.min(next, laterThan(this.clock.now() + Math.max(untilUpdate, 0) * 1e6));
    }
    return next;
  }

  advance(now: number): void {
    const period = this.periodNs();
    if (period > 0) {
      const current = Math.floor(now / period);
      if (current > this.lastPeriod) this.ram[REG_C] |= C_PF;
      this.lastPeriod = Math.max(current, this.lastPeriod);
    }
    if (!this.frozen()) {
      const second = Math.floor(this.guestDate() / 1000);
      if (second > this.lastSecond) {
        this.ram[REG_C] |= C_UF;
        if (this.alarmWithin(this.lastSecond + 1, second)) this.ram[REG_C] |= C_AF;
      }
      this.lastSecond = second;
    }
    this.update();
  }

  protected readByte(offset: number): number {
    // Port 0x70 is write-only.
    if (offset === 0) return 0xff;
    this.advance(this.clock.now());
    if (!this.frozen() && TIME_REGISTERS.includes(this.index)) this.latchTime();
    switch (this.index) {
      case REG_A:
        return this.ram[REG_A] | (this.updateInProgress() ? A_UIP : 0);
      case REG_C: {
        const value = this.ram[REG_C] | (this.ram[REG_C] & this.ram[REG_B] & C_SOURCES ? C_IRQF : 0);
        this.ram[REG_C] = 0;
        this.update();
        return value;
      }
      case REG_D:
        return D_VRT;
      default:
        return this.ram[this.index];
    }
  }

  protected writeByte(offset: number, value: number): void {
    if (offset === 0) {
      this.index = value & 0x7f;
      this.setNmiMask((value & NMI_DISABLE) !== 0);
      return;
    }
    this.advance(this.clock.now());
    switch (this.index) {
      case REG_A:
        this.writeControl(REG_A, value & ~A_UIP);
        break;
      case REG_B:
        // SET clears UIE (register B, bit 7).
        this.writeControl(REG_B, value & B_SET ? value & ~B_UIE : value);
        break;
      case REG_C:
      case REG_D:
        break;
      default:
        if (TIME_REGISTERS.includes(this.index) && !this.frozen()) {
          this.latchTime();
          this.ram[this.index] = value;
          this.applyTime(mod(this.guestDate(), 1000));
        } else this.ram[this.index] = value;
    }
    this.update();
  }

  private setNmiMask(masked: boolean): void {
    if (masked === this.masked) return;
    this.masked = masked;
    this.onNmiMask?.(masked);
  }

  /** Registers A and B: either can stop and restart the time. */
  private writeControl(register: number, value: number): void {
    const wasFrozen = this.frozen();
    const wasReset = this.dividerReset();
    const oldRate = this.ram[REG_A] & A_RATE;
    if (!wasFrozen) this.latchTime();
    this.ram[register] = value;
    if (wasFrozen && !this.frozen()) this.applyTime(wasReset ? AFTER_RESET_MS : mod(this.guestDate(), 1000));
    if ((this.ram[REG_A] & A_RATE) !== oldRate) {
      const period = this.periodNs();
      this.lastPeriod = period > 0 ? Math.floor(this.clock.now() / period) : 0;
    }
  }

  private dividerReset(): boolean {
    return (this.ram[REG_A] & A_DIVIDER_RESET) === A_DIVIDER_RESET;
  }

  /** No updates: the guest is setting the time. */
  private frozen(): boolean {
    return (this.ram[REG_B] & B_SET) !== 0 || this.dividerReset();
  }

  private guestDate(): number {
    return this.clock.date() + this.offset;
  }

  private updateInProgress(): boolean {
    return !this.frozen() && mod(this.guestDate(), 1000) >= 1000 - UIP_MS;
  }

  /** Period of the periodic interrupt with a 32.768 kHz time base (table 6), 0 for none. */
  private periodNs(): number {
    const rate = this.ram[REG_A] & A_RATE;
    if (rate === 0) return 0;
    // Rates 1 and 2 are those of 8 and 9.
    return (2 ** ((rate <= 2 ? rate + 7 : rate) - 1) / 32768) * 1e9;
  }

  private encode(value: number): number {
    return this.ram[REG_B] & B_DM ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }

  private decode(value: number): number {
    return this.ram[REG_B] & B_DM ? value : (value >> 4) * 10 + (value & 15);
  }

  private encodeHour(hour: number): number {
    if (this.ram[REG_B] & B_24_HOURS) return this.encode(hour);
    return this.encode(hour % 12 || 12) | (hour >= 12 ? PM : 0);
  }

  private decodeHour(value: number): number {
    if (this.ram[REG_B] & B_24_HOURS) return this.decode(value);
    return (this.decode(value & ~PM) % 12) + (value & PM ? 12 : 0);
  }

  /** Puts the present time into the registers. */
  private latchTime(): void {
    const date = new Date(this.guestDate());
    // A guest may have set the year 9999 and let time go on.
    const year = mod(date.getUTCFullYear() || 0, 10000);
    this.ram[SECONDS] = this.encode(date.getUTCSeconds());
    this.ram[MINUTES] = this.encode(date.getUTCMinutes());
    this.ram[HOURS] = this.encodeHour(date.getUTCHours());
    this.ram[DAY_OF_WEEK] = this.encode(date.getUTCDay() + 1);
    this.ram[DAY_OF_MONTH] = this.encode(date.getUTCDate());
    this.ram[MONTH] = this.encode(date.getUTCMonth() + 1);
    this.ram[YEAR] = this.encode(year % 100);
    this.ram[CMOS_CENTURY] = this.encode(Math.floor(year / 100));
  }

  /** The registers become the present time, `ms` milliseconds into the second. */
  private applyTime(ms: number): void {
    const year = (this.decode(this.ram[CMOS_CENTURY]) % 100) * 100 + (this.decode(this.ram[YEAR]) % 100);
    // A form of the constructor in which years below 100 mean themselves.
    const date = new Date(0);
    date.setUTCFullYear(year, this.decode(this.ram[MONTH]) - 1, this.decode(this.ram[DAY_OF_MONTH]));
    date.setUTCHours(this.decodeHour(this.ram[HOURS]), this.decode(this.ram[MINUTES]), this.decode(this.ram[SECONDS]));
    this.offset = date.getTime() + ms - this.clock.date();
    this.lastSecond = Math.floor(this.guestDate() / 1000);
  }

  /** Whether the alarm matches in one of the seconds `first` to `last` (since 1970, guest date). */
  private alarmWithin(first: number, last: number): boolean {
    const matches = (register: number, value: number) =>
      this.ram[register] >= DONT_CARE || this.ram[register] === value;
    // Every time of day occurs within one day.
    const end = Math.min(last, first + DAY_SECONDS - 1);
    for (let second = first; second <= end; second++) {
      const ofDay = mod(second, DAY_SECONDS);
      if (
        matches(SECONDS_ALARM, this.encode(ofDay % 60)) &&
        matches(MINUTES_ALARM, this.encode(Math.floor(ofDay / 60) % 60)) &&
        matches(HOURS_ALARM, this.encodeHour(Math.floor(ofDay / 3600)))
      ) {
        return true;
      }
    }
    return false;
  }

  private update(): void {
    this.irq.set((this.ram[REG_B] & this.ram[REG_C] & C_SOURCES) !== 0);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      ram: this.ram.slice(),
      index: this.index,
      masked: this.masked,
      offset: this.offset,
      lastSecond: this.lastSecond,
      lastPeriod: this.lastPeriod,
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const ram = r.uints('ram', CMOS_SIZE, 0xff);
    const index = r.uint('index', 0x7f);
    const masked = r.flag('masked');
    const offset = r.finite('offset');
    const lastSecond = r.finite('lastSecond');
    const lastPeriod = r.uint('lastPeriod', Number.MAX_SAFE_INTEGER);
    this.ram.set(ram);
    Object.assign(this, { index, offset, lastSecond, lastPeriod });
    this.setNmiMask(masked);
    this.update();
  }
}

/** Remainder with the sign of the divisor. */
function mod(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** A time (ns) that is certainly not before `time` in spite of rounding. */
function laterThan(time: number): number {
  return Math.ceil(time) + 1 + time * Number.EPSILON;
}
