// 16550A UART: the PC's serial port (National Semiconductor PC16550D data sheet, June 1995).

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import { ByteDevice } from './byte-device.js';
import { NumberQueue } from './number-queue.js';
import { StateReader, savedDeadline } from './state-reader.js';

// Register offsets (section 8.0, table II).
const RBR_THR = 0;
const IER = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

// Interrupt enable register (8.7).
const IER_RDA = 0x01;
const IER_THRE = 0x02;
const IER_LINE_STATUS = 0x04;
const IER_MODEM_STATUS = 0x08;

// Interrupt identification register (8.6, table III), most urgent first.
const IIR_LINE_STATUS = 0x06;
const IIR_RDA = 0x04;
const IIR_CHARACTER_TIMEOUT = 0x0c;
const IIR_THRE = 0x02;
const IIR_MODEM_STATUS = 0x00;
const IIR_NONE = 0x01;
const IIR_FIFOS_ENABLED = 0xc0;

// FIFO control register (8.5).
const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVER = 0x02;
const FCR_KEPT = 0xc9;
const TRIGGER_LEVELS = [1, 4, 8, 14];
const FIFO_SIZE = 16;

// Line control register (8.1).
const LCR_STOP_BITS = 0x04;
const LCR_PARITY = 0x08;
const LCR_DLAB = 0x80;

// Modem control register (8.8).
const MCR_DTR = 0x01;
const MCR_RTS = 0x02;
const MCR_OUT1 = 0x04;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;

// Line status register (8.4).
const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_FRAMING = 0x08;
const LSR_BREAK = 0x10;
const LSR_THRE = 0x20;
const LSR_TEMT = 0x40;
const LSR_FIFO_ERROR = 0x80;
const LSR_CHARACTER_ERRORS = 0x1c;
const LSR_ERRORS = 0x1e;

// Modem status register (8.9).
export const MSR_CTS = 0x10;
export const MSR_DSR = 0x20;
export const MSR_RI = 0x40;
export const MSR_DCD = 0x80;
const MSR_DELTA_CTS = 0x01;
const MSR_DELTA_DSR = 0x02;
const MSR_TRAILING_RI = 0x04;
const MSR_DELTA_DCD = 0x08;

/** Bytes the host may have typed ahead of the guest. */
const HOST_QUEUE_SIZE = 65536;
/** Crystal frequency over 16, divided by the divisor latch, gives the baud rate (section 8.3). */
const BAUD_CLOCK = 1_843_200 / 16;

const STATE_VERSION = 1;

export interface Uart16550Options {
  readonly clock: Clock;
  /** INTR: IRQ 4 for COM1. */
  readonly irq: IrqLine;
  /** Takes every byte that the guest transmits. Must not throw and must bound what it stores: see below. */
  readonly sink: (byte: number) => void;
  /**
   * PC wiring: the interrupt reaches the controller only while OUT2 is on (and never in loopback, which forces
   * the modem outputs off). Off by default, since teaching kernels that clear MCR still expect interrupts.
   */
  readonly out2GatesIrq?: boolean;
  readonly name?: string;
}

/**
 * One UART on 8 ports. Transmission takes no time, so the transmitter is always empty; characters are
 * never cut to the programmed word length, since a guest that prints without programming LCR (five bits after
 * reset) would print garbage. Received characters wait in a host-side queue and enter the FIFO as the guest
 * drains it: a slow guest loses nothing, and overrun occurs in loopback only.
 *
 * Threats: a guest can transmit without end; each byte goes to the sink at once and nothing is kept here, so
 * the sink decides how much of a flood it stores. A guest that never reads makes the host queue fill up:
 * receive() then takes no more.
 */
export class Uart16550 extends ByteDevice implements Stateful, TimedDevice {
  private readonly clock: Clock;
  private readonly irq: IrqLine;
  private readonly sink: (byte: number) => void;
  private readonly out2GatesIrq: boolean;

  private ier = 0;
  private fcr = 0;
  private lcr = 0;
  private mcr = 0;
  /** Only the error bits OE, PE, FE, BI; the rest of LSR is computed. */
  private lsrErrors = 0;
  /** Levels of the modem inputs outside loopback: a terminal that is connected and ready. */
  private modemInputs = MSR_DCD | MSR_DSR | MSR_CTS;
  private msrDeltas = 0;
  private scr = 0;
  /** 115200/12 = 9600 baud. */
  private divisor = 12;
  /** The transmitter became empty and the guest has not been told yet. */
  private threPending = false;
  private timeoutPending = false;
  /** When the character timeout expires, in clock time. */
  private timeoutAt = Infinity;
  /** Character in bits 0–7, its error bits in 8–15 (at the places that they have in LSR). */
  private readonly fifo = new NumberQueue(FIFO_SIZE);
  private readonly hostQueue = new NumberQueue(HOST_QUEUE_SIZE);

  constructor(options: Uart16550Options) {
    super(options.name ?? 'uart16550', 8);
    this.clock = options.clock;
    this.irq = options.irq;
    this.sink = options.sink;
    this.out2GatesIrq = options.out2GatesIrq ?? false;
  }

  /** Characters arriving on the line. Returns how many were taken: at most space(). */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.hostQueue.push(bytes[taken])) taken++;
    this.feed();
    this.update();
    return taken;
  }

  /** A break condition on the line (Linux's SysRq key on a serial console). False when there is no room. */
  receiveBreak(): boolean {
    const taken = this.hostQueue.push((LSR_BREAK | LSR_FRAMING) << 8);
    this.feed();
    this.update();
    return taken;
  }

  /** Bytes that receive() would take now. */
  space(): number {
    return this.hostQueue.space;
  }

  /** Levels of the modem inputs, a sum of MSR_CTS, MSR_DSR, MSR_RI and MSR_DCD. */
  setModemInputs(levels: number): void {
    const before = this.modemLevels();
    this.modemInputs = levels & 0xf0;
    this.noteModemChange(before);
    this.update();
  }

  deadline(): number {
    return this.timeoutAt;
  }

  advance(now: number): void {
    if (now < this.timeoutAt) return;
    this.timeoutAt = Infinity;
    this.timeoutPending = true;
    this.update();
  }

  /** A guest may look before the run loop has called advance(). */
  private catchUp(): void {
    if (this.timeoutAt !== Infinity) this.advance(this.clock.now());
  }

  protected readByte(offset: number): number {
    this.catchUp();
    switch (offset) {
      case RBR_THR:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : this.readReceiver();
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier;
      case IIR_FCR:
        return this.readIdentification();
      case LCR:
        return this.lcr;
      case MCR:
        return this.mcr;
      case LSR:
        return this.readLineStatus();
      case MSR: {
        const value = this.modemLevels() | this.msrDeltas;
        this.msrDeltas = 0;
        this.update();
        return value;
      }
      default:
        return this.scr;
    }
  }

  protected writeByte(offset: number, value: number): void {
    this.catchUp();
    switch (offset) {
      case RBR_THR:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case IER:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff) | (value << 8);
        else {
          // Enabling the interrupt while the transmitter is empty raises it, even if IIR had cleared it before:
          // drivers start a transmission this way.
          if (value & ~this.ier & IER_THRE) this.threPending = true;
          this.ier = value & 0x0f;
        }
        break;
      case IIR_FCR:
        this.writeFifoControl(value);
        break;
      case LCR:
        this.lcr = value;
        break;
      case MCR: {
        const before = this.modemLevels();
        this.mcr = value & 0x1f;
        this.noteModemChange(before);
        this.feed();
        break;
      }
      case SCR:
        this.scr = value;
        break;
      // LSR and MSR are for reading; writing LSR is a factory test (8.4).
    }
    this.update();
  }

  private get fifoEnabled(): boolean {
    return (this.fcr & FCR_ENABLE) !== 0;
  }

  private transmit(byte: number): void {
    if (this.mcr & MCR_LOOP) this.receiveCharacter(byte);
    else this.sink(byte);
    this.threPending = true;
  }

  /** A character from the receiver shift register into the FIFO, or the one holding register. */
  private receiveCharacter(character: number): void {
    const capacity = this.fifoEnabled ? FIFO_SIZE : 1;
    if (this.fifo.length >= capacity) {
      this.lsrErrors |= LSR_OVERRUN;
      // A full FIFO keeps what it has; the holding register is overwritten (8.4, bit 1).
      if (this.fifoEnabled) return;
      this.fifo.clear();
    }
    this.fifo.push(character);
    if (this.fifo.length === 1) this.showCharacterErrors();
    this.restartTimeout();
  }

  /** PE, FE and BI are shown when their character is at the top of the FIFO (8.4). */
  private showCharacterErrors(): void {
    const top = this.fifo.peek();
    if (top >= 0) this.lsrErrors |= (top >> 8) & LSR_CHARACTER_ERRORS;
  }

  private readReceiver(): number {
    const character = this.fifo.shift();
    this.timeoutPending = false;
    if (character >= 0) {
      this.showCharacterErrors();
      // The line falls before the next character comes, as it would with the time a character takes: a handler
      // that reads one character per interrupt needs the new edge.
      this.update();
      this.feed();
      this.restartTimeout();
    }
    this.update();
    return character < 0 ? 0 : character & 0xff;
  }

  /** Moves what the host sent into the FIFO as far as there is room. In loopback the line is disconnected. */
  private feed(): void {
    if (this.mcr & MCR_LOOP) return;
    const capacity = this.fifoEnabled ? FIFO_SIZE : 1;
    while (this.fifo.length < capacity && this.hostQueue.length > 0) this.receiveCharacter(this.hostQueue.shift());
  }

  /** The timeout counts four character times without the FIFO being filled or drained (8.6, FIFO mode). */
  private restartTimeout(): void {
    if (!this.fifoEnabled || this.fifo.length === 0) {
      this.timeoutAt = Infinity;
      return;
    }
    const bits = 7 + (this.lcr & 3) + (this.lcr & LCR_STOP_BITS ? 1 : 0) + (this.lcr & LCR_PARITY ? 1 : 0);
    const characterTime = (bits * Math.max(this.divisor, 1) * 1e9) / BAUD_CLOCK;
    this.timeoutAt = this.clock.now() + 4 * characterTime;
  }

  private writeFifoControl(value: number): void {
    // Changing the enable bit empties the FIFOs; the other bits count only together with it (8.5, bit 0).
    const changed = ((value ^ this.fcr) & FCR_ENABLE) !== 0;
    if (changed || (value & FCR_ENABLE && value & FCR_CLEAR_RECEIVER)) {
      this.fifo.clear();
      this.timeoutPending = false;
      this.timeoutAt = Infinity;
    }
    this.fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    this.feed();
  }

  private readLineStatus(): number {
    let value = LSR_THRE | LSR_TEMT | this.lsrErrors;
    if (this.fifo.length > 0) value |= LSR_DATA_READY;
    if (this.fifoEnabled) {
      // The top character's own errors are in lsrErrors until they are read here.
      let errors = this.lsrErrors & LSR_CHARACTER_ERRORS;
      for (let i = 1; i < this.fifo.length; i++) errors |= this.fifo.peek(i) >> 8;
      if (errors) value |= LSR_FIFO_ERROR;
    }
    this.lsrErrors = 0;
    this.update();
    return value;
  }

  /** The most urgent enabled interrupt, as IIR encodes it. */
  private identify(): number {
    if (this.ier & IER_LINE_STATUS && this.lsrErrors & LSR_ERRORS) return IIR_LINE_STATUS;
    if (this.ier & IER_RDA) {
      const trigger = this.fifoEnabled ? TRIGGER_LEVELS[this.fcr >> 6] : 1;
      if (this.fifo.length >= trigger) return IIR_RDA;
      if (this.timeoutPending && this.fifo.length > 0) return IIR_CHARACTER_TIMEOUT;
    }
    if (this.ier & IER_THRE && this.threPending) return IIR_THRE;
    if (this.ier & IER_MODEM_STATUS && this.msrDeltas) return IIR_MODEM_STATUS;
    return IIR_NONE;
  }

  private readIdentification(): number {
    const value = this.identify();
    // Reading IIR resets the THRE interrupt, if that is what it shows (table III).
    if (value === IIR_THRE) {
      this.threPending = false;
      this.update();
    }
    return value | (this.fifoEnabled ? IIR_FIFOS_ENABLED : 0);
  }

  /** MSR bits 4–7. In loopback the four modem outputs are wired to the four inputs (8.8, bit 4). */
  private modemLevels(): number {
    if (!(this.mcr & MCR_LOOP)) return this.modemInputs;
    return (
      (this.mcr & MCR_RTS ? MSR_CTS : 0) |
      (this.mcr & MCR_DTR ? MSR_DSR : 0) |
      (this.mcr & MCR_OUT1 ? MSR_RI : 0) |
      (this.mcr & MCR_OUT2 ? MSR_DCD : 0)
    );
  }

  private noteModemChange(before: number): void {
    const after = this.modemLevels();
    const changed = before ^ after;
    if (changed & MSR_CTS) this.msrDeltas |= MSR_DELTA_CTS;
    if (changed & MSR_DSR) this.msrDeltas |= MSR_DELTA_DSR;
    if (changed & MSR_DCD) this.msrDeltas |= MSR_DELTA_DCD;
    // Only the end of a ring counts (8.9, bit 2).
    if (before & ~after & MSR_RI) this.msrDeltas |= MSR_TRAILING_RI;
  }

  private update(): void {
    const out2 = this.mcr & MCR_OUT2 && !(this.mcr & MCR_LOOP);
    this.irq.set(this.identify() !== IIR_NONE && (!this.out2GatesIrq || Boolean(out2)));
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      ier: this.ier,
      fcr: this.fcr,
      lcr: this.lcr,
      mcr: this.mcr,
      lsrErrors: this.lsrErrors,
      modemInputs: this.modemInputs,
      msrDeltas: this.msrDeltas,
      scr: this.scr,
      divisor: this.divisor,
      threPending: this.threPending,
      timeoutPending: this.timeoutPending,
      timeoutAt: savedDeadline(this.timeoutAt),
      fifo: this.fifo.toArray(),
      hostQueue: this.hostQueue.toArray(),
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const ier = r.uint('ier', 0x0f);
    const fcr = r.uint('fcr', 0xff) & FCR_KEPT;
    const lcr = r.uint('lcr', 0xff);
    const mcr = r.uint('mcr', 0x1f);
    const lsrErrors = r.uint('lsrErrors', 0xff) & LSR_ERRORS;
    const modemInputs = r.uint('modemInputs', 0xff) & 0xf0;
    const msrDeltas = r.uint('msrDeltas', 0x0f);
    const scr = r.uint('scr', 0xff);
    const divisor = r.uint('divisor', 0xffff);
    const threPending = r.flag('threPending');
    const timeoutPending = r.flag('timeoutPending');
    const timeoutAt = r.deadline('timeoutAt');
    const fifo = r.list('fifo', fcr & FCR_ENABLE ? FIFO_SIZE : 1, 0xffff);
    const hostQueue = r.list('hostQueue', HOST_QUEUE_SIZE, 0xffff);
    Object.assign(this, { ier, fcr, lcr, mcr, lsrErrors, modemInputs, msrDeltas, scr, divisor });
    Object.assign(this, { threPending, timeoutPending, timeoutAt });
    this.fifo.assign(fifo);
    this.hostQueue.assign(hostQueue);
    this.update();
  }
}
