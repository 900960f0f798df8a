// The I/O APIC (Intel 82093AA data sheet): turns the levels of 24 input pins into messages to local APICs.

import type { BusDevice, DeviceState, IrqLine, Stateful } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import type { ApicMessage } from './apic-message.js';
import { StateReader } from './state-reader.js';

export const IO_APIC_PINS = 24;

// The two registers of the memory window (3.1), and what IOREGSEL selects (3.2).
const IOREGSEL = 0x00;
const IOWIN = 0x10;
const IOAPICID = 0x00;
const IOAPICVER = 0x01;
const IOAPICARB = 0x02;
const IOREDTBL = 0x10;

/** Version 0x11; the index of the last redirection entry in bits 23–16 (3.2.2). */
const VERSION_VALUE = 0x11 | ((IO_APIC_PINS - 1) << 16);

// Low half of a redirection table entry (3.2.4).
const REDIR_LOGICAL = 1 << 11;
const REDIR_REMOTE_IRR = 1 << 14;
const REDIR_LEVEL = 1 << 15;
const REDIR_MASKED = 1 << 16;
/** Delivery status (bit 12) and remote IRR (bit 14) are read-only. */
const REDIR_WRITABLE = 0x1afff;

export interface IoApicOptions {
  /** Content of the ID register after reset, 0–15: what firmware would have written there. */
  readonly id: number;
  /** Carries a message to the local APICs; tells whether one accepted it. */
  readonly deliver: (message: ApicMessage) => boolean;
}

const STATE_VERSION = 1;

export class IoApic implements BusDevice, Stateful {
  readonly name = 'io-apic';
  private id = 0;
  private selected = 0;
  private readonly low = new Uint32Array(IO_APIC_PINS);
  private readonly high = new Uint32Array(IO_APIC_PINS);
  private readonly level = new Array<boolean>(IO_APIC_PINS).fill(false);

  constructor(private readonly options: IoApicOptions) {
    this.reset();
  }

  reset(): void {
    this.id = this.options.id & 0xf;
    this.selected = 0;
    this.low.fill(REDIR_MASKED);
    this.high.fill(0);
  }

  /**
   * Input pin `pin`, 0–23. Lines carry "asserted", not a voltage: the polarity bit is kept for the guest to read back,
   * and a source is asserted whichever polarity the guest believes in.
   */
  irq(pin: number): IrqLine {
    if (!Number.isInteger(pin) || pin < 0 || pin >= IO_APIC_PINS) throw new RangeError(`I/O APIC has no pin ${pin}`);
    return { set: (level) => this.setPin(pin, level) };
  }

  /** EOI message from a local APIC: ends every level-triggered interrupt with this vector (3.2.4, remote IRR). */
  eoi(vector: number): void {
    for (let pin = 0; pin < IO_APIC_PINS; pin++) {
      const entry = this.low[pin];
      if ((entry & REDIR_LEVEL) === 0 || (entry & REDIR_REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      this.low[pin] = entry & ~REDIR_REMOTE_IRR;
      this.serviceLevel(pin);
    }
  }

  private setPin(pin: number, level: boolean): void {
    const rising = level && !this.level[pin];
    this.level[pin] = level;
    const entry = this.low[pin];
    if ((entry & REDIR_LEVEL) !== 0) this.serviceLevel(pin);
    // An edge on a masked pin is lost, by the data sheet (3.2.4, interrupt mask).
    else if (rising && (entry & REDIR_MASKED) === 0) this.send(pin);
  }

  /** A level-triggered pin sends once, and again only after the EOI if it is still asserted. */
  private serviceLevel(pin: number): void {
    const entry = this.low[pin];
    if (!this.level[pin] || (entry & (REDIR_MASKED | REDIR_REMOTE_IRR)) !== 0 || (entry & REDIR_LEVEL) === 0) return;
    // Set before sending, for the local APIC may answer at once.
    this.low[pin] = entry | REDIR_REMOTE_IRR;
    if (!this.send(pin)) this.low[pin] &= ~REDIR_REMOTE_IRR;
  }

  private send(pin: number): boolean {
    const entry = this.low[pin];
    return this.options.deliver({
      destination: this.high[pin] >>> 24,
      logical: (entry & REDIR_LOGICAL) !== 0,
      deliveryMode: (entry >> 8) & 7,
      vector: entry & 0xff,
      trigger: (entry & REDIR_LEVEL) !== 0 ? 'level' : 'edge',
    });
  }

  read(offset: number, size: AccessSize): number {
    const mask = size === 4 ? 0xffffffff : (1 << (8 * size)) - 1;
    const byte = offset & 0xf;
    if (byte > 3) return 0;
    let value = 0;
    if ((offset & ~0xf) === IOREGSEL) value = this.selected;
    else if ((offset & ~0xf) === IOWIN) value = this.readIndexed(this.selected);
    return ((value >>> (8 * byte)) & mask) >>> 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    // IOREGSEL's other bytes are reserved, so any width selects.
    if (offset === IOREGSEL) this.selected = value & 0xff;
    else if (offset === IOWIN && size === 4) this.writeIndexed(this.selected, value >>> 0);
  }

  private readIndexed(index: number): number {
    if (index === IOAPICVER) return VERSION_VALUE;
    // The arbitration ID takes over each new ID (3.2.3), and nothing else changes it on a system bus.
    if (index === IOAPICID || index === IOAPICARB) return this.id << 24;
    const pin = (index - IOREDTBL) >> 1;
    if (pin < 0 || pin >= IO_APIC_PINS) return 0;
    return (index & 1) === 0 ? this.low[pin] : this.high[pin];
  }

  private writeIndexed(index: number, value: number): void {
    if (index === IOAPICID) {
      this.id = (value >>> 24) & 0xf;
      return;
    }
    const pin = (index - IOREDTBL) >> 1;
    if (pin < 0 || pin >= IO_APIC_PINS) return;
    if ((index & 1) === 1) {
      this.high[pin] = (value & 0xff000000) >>> 0;
      return;
    }
    let entry = (value & REDIR_WRITABLE) | (this.low[pin] & REDIR_REMOTE_IRR);
    // Remote IRR has no meaning for edges. Systems use this to end an interrupt without the local APIC's EOI.
    if ((entry & REDIR_LEVEL) === 0) entry &= ~REDIR_REMOTE_IRR;
    this.low[pin] = entry;
    this.serviceLevel(pin);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      id: this.id,
      selected: this.selected,
      low: [...this.low],
      high: [...this.high],
      level: this.level.map(Number),
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const [id, selected] = [from.uint('id', 0xf), from.uint('selected', 0xff)];
    const low = from.uints('low', IO_APIC_PINS, 0x1ffff);
    const high = from.uints('high', IO_APIC_PINS);
    const level = from.uints('level', IO_APIC_PINS, 1);
    this.id = id;
    this.selected = selected;
    this.low.set(low);
    this.high.set(high);
    level.forEach((value, pin) => {
      this.level[pin] = value !== 0;
    });
  }
}
