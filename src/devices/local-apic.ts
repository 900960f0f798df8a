// The local APIC in xAPIC mode (Intel SDM vol. 3, chapter 11): it ranks the interrupts that arrive for one processor,
// and keeps that processor's timer.
//
// What a guest could try: a timer with a period of nanoseconds (see MIN_TIMER_PERIOD), and error interrupts with
// an illegal vector, each of which would be an error again (reported once, never delivered).

import type { BusDevice, Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import * as M from './apic-message.js';
import * as R from './apic-registers.js';
import { ApicTimer } from './apic-timer.js';
import { StateReader } from './state-reader.js';
import { VectorSet } from './vector-set.js';

export interface LocalApicOptions {
  /** APIC ID after reset. */
  readonly id: number;
  readonly clock: Clock;
  /** The processor's INTR pin. */
  readonly output: IrqLine;
  /** Bootstrap processor: IA32_APIC_BASE says so, and LINT0 starts as virtual wire. Default true. */
  readonly bootstrap?: boolean;
  /** All local APICs on the bus, this one included, for interprocessor interrupts. Default: this one alone. */
  readonly peers?: () => readonly M.ApicTarget[];
  /** EOI message of a level-triggered interrupt, for the I/O APICs. */
  readonly onEoi?: (vector: number) => void;
  readonly onNmi?: () => void;
  /** INIT arrived; this APIC has already been reset. */
  readonly onInit?: () => void;
  /** Start-up message: execution begins at vector × 4096. */
  readonly onStartup?: (vector: number) => void;
}

const STATE_VERSION = 1;
const DEFAULT_BASE = 0xfee00000;

export class LocalApic implements BusDevice, TimedDevice, Stateful, M.ApicTarget {
  readonly name = 'local-apic';
  private id = 0;
  private baseRegister = 0;
  private tpr = 0;
  private ldr = 0;
  private dfr = 0;
  private svr = 0;
  private icrLow = 0;
  private icrHigh = 0;
  /** The ESR as reads show it, and the errors since it was last written (11.5.3: write, then read). */
  private esr = 0;
  private errors = 0;
  private readonly isr = new VectorSet();
  private readonly tmr = new VectorSet();
  private readonly irr = new VectorSet();
  /** LVT entries in register order: timer, thermal, performance, LINT0, LINT1, error. */
  private readonly lvt = new Uint32Array(6);
  private readonly lintLevel = [false, false];
  /** An ExtINT message (not wire) that waits for its acknowledge cycle. */
  private extIntMessage = false;
  private asserted = false;
  private readonly timer: ApicTimer;

  constructor(private readonly options: LocalApicOptions) {
    this.timer = new ApicTimer(options.clock);
    this.reset();
  }

  /** RESET pin: power-up state (11.4.7.1), IA32_APIC_BASE included. */
  reset(): void {
    this.id = this.options.id & 0xff;
    this.baseRegister = DEFAULT_BASE + R.APIC_BASE_ENABLE + (this.isBootstrap ? R.APIC_BASE_BSP : 0);
    this.initialise();
  }

  private get isBootstrap(): boolean {
    return this.options.bootstrap ?? true;
  }

  /** INIT leaves the ID and IA32_APIC_BASE alone (11.4.7.3). */
  private initialise(): void {
    this.tpr = 0;
    this.ldr = 0;
    this.dfr = 0xffffffff;
    this.svr = 0xff;
    this.icrLow = 0;
    this.icrHigh = 0;
    this.esr = 0;
    this.errors = 0;
    this.isr.clear();
    this.tmr.clear();
    this.irr.clear();
    this.lvt.fill(R.LVT_MASKED);
    // The hardware's reset value is "masked" here too. Firmware then sets up virtual wire mode (MP specification 1.4,
    // 3.6.2.2), so that a system that knows nothing of APICs still gets its 8259A interrupts. Most guests here start
    // without firmware, so the bootstrap processor's APIC starts as the firmware would leave it.
    if (this.isBootstrap) this.lvt[R.LVT_INDEX_LINT0] = M.DELIVERY_EXTINT << 8;
    this.extIntMessage = false;
    this.timer.reset();
    this.updateOutput();
  }

  // ---- the board's and the processor's side

  /** Physical address of the register page. */
  get base(): number {
    return Math.floor(this.baseRegister / 0x1000) * 0x1000;
  }

  /** Global enable, bit 11 of IA32_APIC_BASE. Without it the register page does not answer. */
  get enabled(): boolean {
    return (this.baseRegister & R.APIC_BASE_ENABLE) !== 0;
  }

  /** Value of IA32_APIC_BASE. */
  getBase(): number {
    return this.baseRegister;
  }

  /** WRMSR to IA32_APIC_BASE. Disabling loses the state (11.4.3). x2APIC mode is not offered. */
  setBase(value: number): void {
    const wasEnabled = this.enabled;
    const page = Math.floor(value / 0x1000) * 0x1000;
    this.baseRegister = page + (value & R.APIC_BASE_ENABLE) + (this.isBootstrap ? R.APIC_BASE_BSP : 0);
    if (wasEnabled && !this.enabled) this.initialise();
    else this.updateOutput();
  }

  /** CR8: bits 7–4 of the TPR (11.8.6). */
  get taskPriority(): number {
    return this.tpr >> 4;
  }

  set taskPriority(cr8: number) {
    this.tpr = (cr8 & 0xf) << 4;
    this.updateOutput();
  }

  /** The processor priority register (11.8.3.1). */
  get priority(): number {
    const inService = this.isr.highest();
    return this.tpr >> 4 >= inService >> 4 ? this.tpr : inService & 0xf0;
  }

  matches(destination: number, logical: boolean): boolean {
    if (!logical) return destination === this.id || destination === 0xff;
    const address = this.ldr >>> 24;
    if (this.dfr >>> 28 === 0xf) return (address & destination) !== 0;
    // Cluster model: the upper four bits name the cluster, 15 all of them; the lower four are a set (11.6.2.2).
    const cluster = destination >> 4;
    return (cluster === 0xf || cluster === address >> 4) && (destination & address & 0xf) !== 0;
  }

  /**
   * A message from an I/O APIC, another processor, or this APIC's own sources. Returns false when it was not taken:
   * a software-disabled APIC takes INIT, NMI and start-up messages only (11.4.7.2).
   */
  acceptInterrupt(vector: number, trigger: M.TriggerMode, deliveryMode: number): boolean {
    if (!this.enabled) return false;
    switch (deliveryMode) {
      case M.DELIVERY_FIXED:
      case M.DELIVERY_LOWEST_PRIORITY:
        return this.acceptFixed(vector & 0xff, trigger);
      case M.DELIVERY_NMI:
        this.options.onNmi?.();
        return true;
      case M.DELIVERY_INIT:
        this.initialise();
        this.options.onInit?.();
        return true;
      case M.DELIVERY_STARTUP:
        this.options.onStartup?.(vector & 0xff);
        return true;
      case M.DELIVERY_EXTINT:
        if (!this.softwareEnabled) return false;
        this.extIntMessage = true;
        this.updateOutput();
        return true;
      default:
        // SMI: this board has no system-management mode. Mode 3 is reserved.
        return false;
    }
  }

  /** Level of a local interrupt pin. By the PC's wiring, LINT0 carries the 8259A's INTR and LINT1 the NMI. */
  setLint(pin: 0 | 1, level: boolean): void {
    const rising = level && !this.lintLevel[pin];
    this.lintLevel[pin] = level;
    const entry = this.lvt[R.LVT_INDEX_LINT0 + pin];
    if (!this.enabled) {
      // Without an APIC the pins are plain INTR and NMI (11.4.3).
      if (pin === 1 && rising) this.options.onNmi?.();
    } else if ((entry & R.LVT_MASKED) === 0) {
      const mode = (entry >> 8) & 7;
      if (mode === M.DELIVERY_FIXED) this.serviceFixedLint(pin, rising);
      else if (mode !== M.DELIVERY_EXTINT && rising) this.acceptInterrupt(entry & 0xff, 'edge', mode);
    }
    this.updateOutput();
  }

  /** A local interrupt pin, to be wired to a device. */
  lint(pin: 0 | 1): IrqLine {
    return { set: (level) => this.setLint(pin, level) };
  }

  /**
   * Interrupt acknowledge: takes the most urgent interrupt into service and returns its vector. Returns -1 when the
   * 8259A must be asked instead (`wantsExtInt()` was true) or nothing is pending. When TPR or PPR rose above
   * the request in the meantime, returns the spurious vector, with nothing in service (11.9).
   */
  acknowledge(): number {
    if (!this.enabled) return -1;
    const vector = this.deliverableVector();
    if (vector >= 0) {
      this.irr.remove(vector);
      this.isr.add(vector);
      this.updateOutput();
      return vector;
    }
    if (this.wantsExtInt()) {
      this.extIntMessage = false;
      this.updateOutput();
      return -1;
    }
    return this.irr.highest() > 0 ? this.svr & 0xff : -1;
  }

  /** Whether the processor's next interrupt acknowledge belongs to the 8259A. */
  wantsExtInt(): boolean {
    if (!this.enabled) return this.lintLevel[0];
    if (this.extIntMessage) return true;
    return [0, 1].some((pin) => {
      const entry = this.lvt[R.LVT_INDEX_LINT0 + pin];
      return this.lintLevel[pin] && (entry & R.LVT_MASKED) === 0 && ((entry >> 8) & 7) === M.DELIVERY_EXTINT;
    });
  }

  deadline(): number {
    return this.timer.deadline();
  }

  advance(now: number): void {
    if (!this.timer.expire(now)) return;
    const entry = this.lvt[R.LVT_INDEX_TIMER];
    if ((entry & R.LVT_MASKED) === 0) this.acceptFixed(entry & 0xff, 'edge');
  }

  // ---- the register page

  read(offset: number, size: AccessSize): number {
    const mask = size === 4 ? 0xffffffff : (1 << (8 * size)) - 1;
    if (!this.enabled) return mask >>> 0;
    const register = offset & 0xff0;
    const byte = offset & 0xf;
    // Only the first four of a register's 16 bytes exist; narrower reads see a part of them.
    if (byte > 3) return 0;
    return ((this.readRegister(register) >>> (8 * byte)) & mask) >>> 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    // Anything but an aligned 32-bit store is undefined (11.4.1.1); here it does nothing.
    if (!this.enabled || size !== 4 || (offset & 0xf) !== 0) return;
    this.advance(this.options.clock.now());
    this.writeRegister(offset & 0xff0, value >>> 0);
    this.updateOutput();
  }

  private readRegister(register: number): number {
    if (register >= R.APIC_ISR && register < R.APIC_TMR) return this.isr.words[(register - R.APIC_ISR) >> 4];
    if (register >= R.APIC_TMR && register < R.APIC_IRR) return this.tmr.words[(register - R.APIC_TMR) >> 4];
    if (register >= R.APIC_IRR && register < R.APIC_ESR) return this.irr.words[(register - R.APIC_IRR) >> 4];
    if (register >= R.APIC_LVT_TIMER && register <= R.APIC_LVT_ERROR) {
      return this.lvt[(register - R.APIC_LVT_TIMER) >> 4];
    }
    switch (register) {
      case R.APIC_ID:
        return (this.id << 24) >>> 0;
      case R.APIC_VERSION:
        return R.VERSION_VALUE;
      case R.APIC_TPR:
        return this.tpr;
      case R.APIC_APR:
        return this.arbitrationPriority();
      case R.APIC_PPR:
        return this.priority;
      case R.APIC_EOI:
      case R.APIC_RRD:
        return 0;
      case R.APIC_LDR:
        return this.ldr;
      case R.APIC_DFR:
        return this.dfr;
      case R.APIC_SVR:
        return this.svr;
      case R.APIC_ESR:
        return this.esr;
      case R.APIC_ICR_LOW:
        return this.icrLow;
      case R.APIC_ICR_HIGH:
        return this.icrHigh;
      case R.APIC_INITIAL_COUNT:
        return this.timer.initialCount;
      case R.APIC_CURRENT_COUNT:
        return this.timer.currentCount();
      case R.APIC_DIVIDE_CONFIGURATION:
        return this.timer.divideConfiguration;
      default:
        this.reportError(R.ESR_ILLEGAL_REGISTER);
        return 0;
    }
  }

  private writeRegister(register: number, value: number): void {
    if (register >= R.APIC_LVT_TIMER && register <= R.APIC_LVT_ERROR) {
      this.writeLvt((register - R.APIC_LVT_TIMER) >> 4, value);
      return;
    }
    switch (register) {
      case R.APIC_ID:
        this.id = value >>> 24;
        break;
      case R.APIC_TPR:
        this.tpr = value & 0xff;
        break;
      case R.APIC_EOI:
        this.endOfInterrupt();
        break;
      case R.APIC_LDR:
        this.ldr = (value & 0xff000000) >>> 0;
        break;
      case R.APIC_DFR:
        this.dfr = (value | 0x0fffffff) >>> 0;
        break;
      case R.APIC_SVR:
        this.svr = value & R.SVR_WRITABLE;
        if (!this.softwareEnabled) for (let i = 0; i < 6; i++) this.lvt[i] |= R.LVT_MASKED;
        break;
      case R.APIC_ESR:
        this.esr = this.errors;
        this.errors = 0;
        break;
      case R.APIC_ICR_LOW:
        this.icrLow = value & R.ICR_WRITABLE;
        this.sendInterprocessorInterrupt();
        break;
      case R.APIC_ICR_HIGH:
        this.icrHigh = (value & 0xff000000) >>> 0;
        break;
      case R.APIC_INITIAL_COUNT:
        this.timer.load(value);
        break;
      case R.APIC_DIVIDE_CONFIGURATION:
        this.timer.setDivideConfiguration(value);
        break;
      default:
        this.writeReadOnly(register);
    }
  }

  /** Read-only registers ignore writes; addresses without a register are an error. */
  private writeReadOnly(register: number): void {
    const vectors = register >= R.APIC_ISR && register < R.APIC_ESR;
    const readOnly: number[] = [R.APIC_VERSION, R.APIC_APR, R.APIC_PPR, R.APIC_RRD, R.APIC_CURRENT_COUNT];
    if (!vectors && !readOnly.includes(register)) this.reportError(R.ESR_ILLEGAL_REGISTER);
  }

  private writeLvt(index: number, value: number): void {
    const remoteIrr = this.lvt[index] & R.LVT_REMOTE_IRR;
    let entry = (value & R.LVT_WRITABLE[index]) | remoteIrr;
    if ((entry & R.LVT_LEVEL) === 0) entry &= ~R.LVT_REMOTE_IRR;
    if (!this.softwareEnabled) entry |= R.LVT_MASKED;
    this.lvt[index] = entry;
    if (index === R.LVT_INDEX_TIMER) this.timer.periodic = (entry & R.LVT_PERIODIC) !== 0;
    if (index === R.LVT_INDEX_LINT0 || index === R.LVT_INDEX_LINT1) {
      this.serviceFixedLint((index - R.LVT_INDEX_LINT0) as 0 | 1, false);
    }
  }

  private get softwareEnabled(): boolean {
    return (this.svr & R.SVR_ENABLE) !== 0;
  }

  /** The arbitration priority register of older processors (11.6.2.4). */
  private arbitrationPriority(): number {
    const [request, service] = [this.irr.highest(), this.isr.highest()];
    if (this.tpr >> 4 >= request >> 4 && this.tpr >> 4 > service >> 4) return this.tpr;
    return Math.max(this.tpr & 0xf0, request & 0xf0, service & 0xf0);
  }

  private acceptFixed(vector: number, trigger: M.TriggerMode): boolean {
    if (!this.softwareEnabled) return false;
    if (vector < 16) {
      this.reportError(R.ESR_RECEIVE_ILLEGAL_VECTOR);
      return false;
    }
    this.irr.add(vector);
    if (trigger === 'level') this.tmr.add(vector);
    else this.tmr.remove(vector);
    this.updateOutput();
    return true;
  }

  /** A pin in fixed mode. Only LINT0 may be level-triggered (11.5.1); it is held off until its EOI. */
  private serviceFixedLint(pin: 0 | 1, rising: boolean): void {
    const index = R.LVT_INDEX_LINT0 + pin;
    const entry = this.lvt[index];
    if ((entry & R.LVT_MASKED) !== 0 || ((entry >> 8) & 7) !== M.DELIVERY_FIXED) return;
    if (pin === 0 && (entry & R.LVT_LEVEL) !== 0) {
      if (!this.lintLevel[0] || (entry & R.LVT_REMOTE_IRR) !== 0) return;
      if (this.acceptFixed(entry & 0xff, 'level')) this.lvt[index] |= R.LVT_REMOTE_IRR;
    } else if (rising) {
      this.acceptFixed(entry & 0xff, 'edge');
    }
  }

  private endOfInterrupt(): void {
    const vector = this.isr.highest();
    if (vector === 0) return;
    this.isr.remove(vector);
    if (!this.tmr.has(vector)) return;
    const lint0 = this.lvt[R.LVT_INDEX_LINT0];
    if ((lint0 & R.LVT_REMOTE_IRR) !== 0 && (lint0 & 0xff) === vector) {
      this.lvt[R.LVT_INDEX_LINT0] = lint0 & ~R.LVT_REMOTE_IRR;
      this.serviceFixedLint(0, false);
    }
    this.options.onEoi?.(vector);
  }

  private sendInterprocessorInterrupt(): void {
    const command = M.decodeInterruptCommand(this.icrLow, this.icrHigh);
    if (command === null) return;
    const { shorthand, message } = command;
    if (message.deliveryMode <= M.DELIVERY_LOWEST_PRIORITY && message.vector < 16) {
      this.reportError(R.ESR_SEND_ILLEGAL_VECTOR);
      return;
    }
    let targets: readonly M.ApicTarget[] = this.options.peers?.() ?? [this];
    if (shorthand === 'self') targets = [this];
    if (shorthand === 'others') targets = targets.filter((target) => target !== this);
    M.deliverApicMessage(targets, message);
  }

  /** Records an error; the first of its kind since the last ESR write also interrupts. */
  private reportError(bit: number): void {
    const isNew = (this.errors & bit) === 0;
    this.errors |= bit;
    const entry = this.lvt[R.LVT_INDEX_ERROR];
    if (isNew && (entry & R.LVT_MASKED) === 0) this.acceptFixed(entry & 0xff, 'edge');
  }

  /** The vector that may interrupt the processor now: its class is above the processor priority's. Or -1. */
  private deliverableVector(): number {
    const vector = this.irr.highest();
    return vector >> 4 > this.priority >> 4 ? vector : -1;
  }

  private outputLevel(): boolean {
    return this.wantsExtInt() || (this.enabled && this.deliverableVector() >= 0);
  }

  private updateOutput(): void {
    const asserted = this.outputLevel();
    if (asserted === this.asserted) return;
    this.asserted = asserted;
    this.options.output.set(asserted);
  }

  // ---- state

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      id: this.id,
      base: this.baseRegister,
      tpr: this.tpr,
      ldr: this.ldr,
      dfr: this.dfr,
      svr: this.svr,
      icrLow: this.icrLow,
      icrHigh: this.icrHigh,
      esr: this.esr,
      errors: this.errors,
      isr: [...this.isr.words],
      tmr: [...this.tmr.words],
      irr: [...this.irr.words],
      lvt: [...this.lvt],
      lint0: this.lintLevel[0],
      lint1: this.lintLevel[1],
      extIntMessage: this.extIntMessage,
      timer: this.timer.saveState(),
    };
  }

  /** Times are those of the machine's clock, which therefore has to be restored as well. */
  loadState(state: DeviceState): void {
    const from = new StateReader(this.name, state, STATE_VERSION);
    const id = from.uint('id', 0xff);
    const base = from.uint('base', Number.MAX_SAFE_INTEGER);
    const [tpr, esr, errors] = [from.uint('tpr', 0xff), from.uint('esr', 0xff), from.uint('errors', 0xff)];
    const [ldr, dfr, svr] = [from.uint('ldr'), from.uint('dfr'), from.uint('svr', R.SVR_WRITABLE)];
    const [icrLow, icrHigh] = [from.uint('icrLow', R.ICR_WRITABLE), from.uint('icrHigh')];
    const [isr, tmr, irr] = [from.uints('isr', 8), from.uints('tmr', 8), from.uints('irr', 8)];
    // Vectors 0–15 cannot be requested, so they cannot have been saved either.
    if (((isr[0] | irr[0]) & 0xffff) !== 0) from.refuse('irr', 'free of illegal vectors');
    const lvt = from.uints('lvt', 6, 0x3ffff);
    const lint = [from.flag('lint0'), from.flag('lint1')];
    const extIntMessage = from.flag('extIntMessage');
    this.timer.loadState(from.nested('timer'));

    this.id = id;
    this.baseRegister = base;
    this.tpr = tpr;
    this.ldr = ldr;
    this.dfr = dfr;
    this.svr = svr;
    this.icrLow = icrLow;
    this.icrHigh = icrHigh;
    this.esr = esr;
    this.errors = errors;
    this.extIntMessage = extIntMessage;
    this.isr.words.set(isr);
    this.tmr.words.set(tmr);
    this.irr.words.set(irr);
    this.lvt.set(lvt);
    [this.lintLevel[0], this.lintLevel[1]] = lint;
    this.asserted = this.outputLevel();
    this.options.output.set(this.asserted);
  }
}
