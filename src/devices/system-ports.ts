// The single-register devices of a PC: resets, the fast A20 gate, and three ports for debugging.

import type { BusDevice, DeviceState, Stateful } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import type { A20Gate } from './a20.js';
import { ByteDevice } from './byte-device.js';
import { StateReader } from './state-reader.js';

const STATE_VERSION = 1;

/** System control port A (82371AB PIIX4 data sheet, 4.2.6.2). */
const FAST_INIT = 0x01;
const FAST_A20 = 0x02;

/** Port 0x92: fast reset and fast A20. Cannot be used to exhaust anything. */
export class Port92 extends ByteDevice implements Stateful {
  private value = 0;

  constructor(
    private readonly a20: A20Gate,
    private readonly onReset: () => void,
  ) {
    super('port92', 1);
  }

  protected readByte(): number {
    return (this.value & ~FAST_A20) | (this.a20.enabled ? FAST_A20 : 0);
  }

  protected writeByte(_offset: number, value: number): void {
    // Only the change from 0 to 1 resets.
    const reset = value & ~this.value & FAST_INIT;
    this.value = value;
    this.a20.set((value & FAST_A20) !== 0);
    if (reset) this.onReset();
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, value: this.value };
  }

  loadState(state: DeviceState): void {
    this.value = new StateReader(this.name, state, STATE_VERSION).uint('value', 0xff);
  }
}

/** Where ResetControl belongs, and how long it is. */
export const RESET_CONTROL_BASE = 0xcf8;
export const RESET_CONTROL_LENGTH = 4;
/** The register's own port is RESET_CONTROL_BASE + 1. */
const RESET_CONTROL_OFFSET = 1;
/** Reset control register (PIIX4, 4.2.5.5). */
const RCPU = 0x04;
const SRST = 0x02;
const WRITABLE = SRST | RCPU;

/**
 * Port 0xCF9. It takes the whole doubleword at 0xCF8, where a PC with PCI has the configuration address: there
 * only byte accesses reach the reset register, so a kernel that looks for PCI must not reset the machine with the
 * second byte of an address. Other accesses are as without PCI: all ones, ignored.
 */
export class ResetControl implements BusDevice, Stateful {
  readonly name = 'reset-control';
  private value = 0;

  /** `kind`: 'hard' resets everything, 'soft' only the CPU. */
  constructor(private readonly onReset: (kind: 'hard' | 'soft') => void) {}

  read(offset: number, size: AccessSize): number {
    if (size === 1 && offset === RESET_CONTROL_OFFSET) return this.value;
    return 2 ** (8 * size) - 1;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 1 || offset !== RESET_CONTROL_OFFSET) return;
    const reset = value & ~this.value & RCPU;
    this.value = value & WRITABLE;
    if (reset) this.onReset(value & SRST ? 'hard' : 'soft');
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, value: this.value };
  }

  loadState(state: DeviceState): void {
    this.value = new StateReader(this.name, state, STATE_VERSION).uint('value', WRITABLE) & WRITABLE;
  }
}

/** POST codes that are remembered. */
const POST_HISTORY = 32;

/**
 * Port 0x80: a latch that diagnostics cards display. Linux also writes it merely to pass a microsecond, so
 * the history is a ring of fixed size.
 */
export class PostCode extends ByteDevice implements Stateful {
  private latch = 0;
  private readonly ring = new Uint8Array(POST_HISTORY);
  private written = 0;

  constructor() {
    super('post-code', 1);
  }

  /** The last codes, oldest first. */
  codes(): number[] {
    const count = Math.min(this.written, POST_HISTORY);
    return Array.from({ length: count }, (_, i) => this.ring[(this.written - count + i) % POST_HISTORY]);
  }

  protected readByte(): number {
    return this.latch;
  }

  protected writeByte(_offset: number, value: number): void {
    this.latch = value;
    this.ring[this.written % POST_HISTORY] = value;
    this.written++;
  }

  saveState(): DeviceState {
    return { version: STATE_VERSION, latch: this.latch, codes: this.codes() };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const latch = r.uint('latch', 0xff);
    const codes = r.list('codes', POST_HISTORY);
    this.latch = latch;
    this.ring.set(codes);
    this.written = codes.length;
  }
}

/** What port 0xE9 reads, so that a guest can tell whether it is there. */
const DEBUG_CONSOLE_PRESENT = 0xe9;

/**
 * Port 0xE9: bytes written go to the host. No register, no state. Threat: a flood of bytes; each goes to the
 * sink at once, which must bound what it stores.
 */
export class DebugConsole extends ByteDevice {
  constructor(private readonly sink: (byte: number) => void) {
    super('debug-console', 1);
  }

  protected readByte(): number {
    return DEBUG_CONSOLE_PRESENT;
  }

  protected writeByte(_offset: number, value: number): void {
    this.sink(value);
  }
}

/** Bytes that the debug exit takes: guests write its code with OUT of any width. */
export const DEBUG_EXIT_LENGTH = 4;

/** Port 0xF4: writing v ends the guest with exit code v (0–255). No state. */
export class DebugExit implements BusDevice {
  readonly name = 'debug-exit';

  constructor(private readonly onExit: (code: number) => void) {}

  read(_offset: number, size: AccessSize): number {
    return 2 ** (8 * size) - 1;
  }

  write(offset: number, _size: AccessSize, value: number): void {
    if (offset === 0) this.onExit(value & 0xff);
  }
}
