// GICv3 for one processor (IHI 0069): distributor, one redistributor and the ICC_* system registers, with one security
// state (GICD_CTLR.DS = 1), affinity routing always on, and without LPIs.

import type { BusDevice, DeviceState, IrqLine, Stateful } from '../vcpu/device.js';
import { ActivePriorities, FIRST_SPI, GicInterrupts, readWords, SPURIOUS, writeWords } from './gic-interrupts.js';
import type { GicOptions } from './gicv2.js';
import { StateReader } from './state-reader.js';

// Distributor and redistributor frames (12.8, 12.10).
const GICD_CTLR = 0x0000;
const GICD_TYPER = 0x0004;
const GICD_IIDR = 0x0008;
const ID_REGISTERS = 0xffd0;
const GICR_CTLR = 0x0000;
const GICR_IIDR = 0x0004;
const GICR_TYPER = 0x0008;
const GICR_WAKER = 0x0014;
/** The redistributor's second frame has the SGIs and PPIs. */
const SGI_FRAME = 0x10000;

const CTLR_ENABLE_GROUP0 = 1;
const CTLR_ENABLE_GROUP1 = 2;
/** Affinity routing cannot be switched off; there is a single security state. */
const CTLR_FIXED = 0x10 | 0x40;
/** GICD_TYPER: 16 bits of INTID (bits 23–19), affinity 3 valid (24), no 1-of-N distribution (25). */
const TYPER_FIXED = (15 << 19) | (1 << 24) | (1 << 25);
/** GICR_TYPER.Last. */
const REDISTRIBUTOR_LAST = 0x10;
const WAKER_PROCESSOR_SLEEP = 2;
const WAKER_CHILDREN_ASLEEP = 4;
const IIDR = 0x43b;
/** From 0xFFD0 on: PIDR4–7, PIDR0–3 with the architecture revision in PIDR2, CIDR0–3. */
const ID_BYTES = [0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1];

// System registers: CRn, CRm and op2 of op0 = 3, op1 = 0 unless said otherwise (12.2).
const icc = (crn: number, crm: number, op2: number, op1 = 0) => (3 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
const ICC_PMR = icc(4, 6, 0);
const ICC_IAR0 = icc(12, 8, 0);
const ICC_EOIR0 = icc(12, 8, 1);
const ICC_HPPIR0 = icc(12, 8, 2);
const ICC_BPR0 = icc(12, 8, 3);
const ICC_AP0R0 = icc(12, 8, 4);
const ICC_AP1R0 = icc(12, 9, 0);
const ICC_DIR = icc(12, 11, 1);
const ICC_RPR = icc(12, 11, 3);
const ICC_SGI1R = icc(12, 11, 5);
const ICC_ASGI1R = icc(12, 11, 6);
const ICC_SGI0R = icc(12, 11, 7);
const ICC_IAR1 = icc(12, 12, 0);
const ICC_EOIR1 = icc(12, 12, 1);
const ICC_HPPIR1 = icc(12, 12, 2);
const ICC_BPR1 = icc(12, 12, 3);
const ICC_CTLR = icc(12, 12, 4);
const ICC_SRE = icc(12, 12, 5);
const ICC_IGRPEN0 = icc(12, 12, 6);
const ICC_IGRPEN1 = icc(12, 12, 7);
const ICC_SRE_EL2 = icc(12, 9, 5, 4);

/** Five bits of priority; all of them but subpriority take part in preemption. */
const PRIORITY_MASK = 0xf8;
const MIN_BINARY_POINT0 = 2;
const MIN_BINARY_POINT1 = 3;
const LEVEL_SHIFT = 3;
const ICC_CTLR_CBPR = 1;
const ICC_CTLR_EOI_MODE = 2;
/** PRIbits (10–8) = 5 − 1, IDbits (13–11) = 1 for 24 bits, A3V (15). */
const ICC_CTLR_FIXED = (4 << 8) | (1 << 11) | (1 << 15);
/** System register interface on, no bypass: cannot be changed. EL2 may also let EL1 use it. */
const SRE_FIXED = 7;
const SRE_EL2_FIXED = 0xf;
const IDLE_PRIORITY = 0xff;

const STATE_VERSION = 1;

export class GicV3 implements Stateful {
  readonly distributor: BusDevice;
  /** Both frames of the redistributor, 128 KiB. */
  readonly redistributor: BusDevice;
  private readonly ints: GicInterrupts;
  private distributorControl = 0;
  private waker = WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP;
  private control = 0;
  private priorityMask = 0;
  private binaryPoint0 = MIN_BINARY_POINT0;
  private binaryPoint1 = MIN_BINARY_POINT1;
  private groupsEnabled = 0;
  private readonly active0 = new ActivePriorities(1);
  private readonly active1 = new ActivePriorities(1);

  constructor(private readonly options: GicOptions) {
    this.ints = new GicInterrupts(options.interrupts, PRIORITY_MASK);
    const face = (
      name: string,
      read: (offset: number) => number,
      write: (offset: number, value: number, mask: number) => void,
    ): BusDevice => ({
      name,
      read: (offset, size) => readWords(offset, size, read),
      write: (offset, size, value) => {
        writeWords(offset, size, value, write);
        this.update();
      },
    });
    this.distributor = face(
      'gic-distributor',
      (at) => this.readDistributor(at),
      (at, value, mask) => this.writeDistributor(at, value, mask),
    );
    this.redistributor = face(
      'gic-redistributor',
      (at) => this.readRedistributor(at),
      (at, value, mask) => this.writeRedistributor(at, value, mask),
    );
  }

  /** The wire to interrupt `id`, 16 and up. */
  line(id: number): IrqLine {
    return {
      set: (level) => {
        if (this.ints.line.get(id) === level) return;
        this.ints.setLine(id, level);
        this.update();
      },
    };
  }

  /** Whether an interrupt could still reach the processor: distributor and CPU interface are on. */
  get canSignal(): boolean {
    return (this.distributorControl & this.groupsEnabled) !== 0;
  }

  // ---- distributor: the shared interrupts

  private readDistributor(offset: number): number {
    if (offset < 0x1000) {
      const shared = this.ints.read(offset, FIRST_SPI, this.ints.count);
      if (shared !== undefined) return shared;
    }
    switch (offset) {
      case GICD_CTLR:
        return this.distributorControl | CTLR_FIXED;
      case GICD_TYPER:
        return TYPER_FIXED | (this.ints.count / 32 - 1);
      case GICD_IIDR:
        return IIDR;
    }
    // GICD_IROUTER reads as zero: every interrupt goes to affinity 0.0.0.0, the only processor.
    return identification(offset);
  }

  private writeDistributor(offset: number, value: number, mask: number): void {
    if (offset === GICD_CTLR) {
      if (mask & 3) this.distributorControl = value & (CTLR_ENABLE_GROUP0 | CTLR_ENABLE_GROUP1);
    } else if (offset < 0x1000) {
      this.ints.write(offset, value, mask, FIRST_SPI, this.ints.count);
    }
  }

  // ---- redistributor: SGIs and PPIs

  private readRedistributor(offset: number): number {
    if (offset >= SGI_FRAME) {
      const at = offset - SGI_FRAME;
      return (at < 0x1000 ? this.ints.read(at, 0, FIRST_SPI) : undefined) ?? 0;
    }
    switch (offset) {
      case GICR_CTLR:
        return 0;
      case GICR_IIDR:
        return IIDR;
      case GICR_TYPER:
        return REDISTRIBUTOR_LAST;
      case GICR_WAKER:
        return this.waker;
    }
    return identification(offset);
  }

  private writeRedistributor(offset: number, value: number, mask: number): void {
    if (offset >= SGI_FRAME) {
      if (offset < SGI_FRAME + 0x1000) this.ints.write(offset - SGI_FRAME, value, mask, 0, FIRST_SPI);
    } else if (offset === GICR_WAKER && mask & WAKER_PROCESSOR_SLEEP) {
      // The interface follows at once.
      const asleep = (value & WAKER_PROCESSOR_SLEEP) !== 0;
      this.waker = asleep ? WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP : 0;
    }
  }

  // ---- CPU interface

  /** MRS of an ICC_* register. Those that do not exist read as zero. */
  readRegister(register: number): number {
    switch (register) {
      case ICC_PMR:
        return this.priorityMask;
      case ICC_IAR0:
        return this.acknowledge(this.highest(0));
      case ICC_IAR1:
        return this.acknowledge(this.highest(1));
      case ICC_HPPIR0:
        return this.highest(0);
      case ICC_HPPIR1:
        return this.highest(1);
      case ICC_BPR0:
        return this.binaryPoint0;
      case ICC_BPR1:
        // With CBPR, Group 1 reads Group 0's plus one (12.2.5).
        return this.control & ICC_CTLR_CBPR ? Math.min(7, this.binaryPoint0 + 1) : this.binaryPoint1;
      case ICC_AP0R0:
        return this.active0.words[0];
      case ICC_AP1R0:
        return this.active1.words[0];
      case ICC_RPR:
        return this.runningPriority();
      case ICC_CTLR:
        return this.control | ICC_CTLR_FIXED;
      case ICC_SRE:
        return SRE_FIXED;
      case ICC_SRE_EL2:
        return SRE_EL2_FIXED;
      case ICC_IGRPEN0:
        return this.groupsEnabled & CTLR_ENABLE_GROUP0;
      case ICC_IGRPEN1:
        return (this.groupsEnabled & CTLR_ENABLE_GROUP1) >> 1;
    }
    return 0;
  }

  /** MSR of an ICC_* register: its lower and upper half. */
  writeRegister(register: number, low: number, high: number): void {
    switch (register) {
      case ICC_PMR:
        this.priorityMask = low & PRIORITY_MASK;
        break;
      case ICC_EOIR0:
        this.endOfInterrupt(low & 0xffffff, false);
        break;
      case ICC_EOIR1:
        this.endOfInterrupt(low & 0xffffff, true);
        break;
      case ICC_BPR0:
        this.binaryPoint0 = Math.max(MIN_BINARY_POINT0, low & 7);
        break;
      case ICC_BPR1:
        if ((this.control & ICC_CTLR_CBPR) === 0) this.binaryPoint1 = Math.max(MIN_BINARY_POINT1, low & 7);
        break;
      case ICC_AP0R0:
        this.active0.words[0] = low;
        break;
      case ICC_AP1R0:
        this.active1.words[0] = low;
        break;
      case ICC_DIR:
        // Only when the drop of priority does not deactivate (12.2.9).
        if (this.control & ICC_CTLR_EOI_MODE) this.deactivate(low & 0xffffff);
        break;
      case ICC_SGI1R:
      case ICC_ASGI1R:
        this.sendSgi(low, high, true);
        break;
      case ICC_SGI0R:
        this.sendSgi(low, high, false);
        break;
      case ICC_CTLR:
        this.control = low & (ICC_CTLR_CBPR | ICC_CTLR_EOI_MODE);
        break;
      case ICC_IGRPEN0:
        this.groupsEnabled = (this.groupsEnabled & CTLR_ENABLE_GROUP1) | (low & 1);
        break;
      case ICC_IGRPEN1:
        this.groupsEnabled = (this.groupsEnabled & CTLR_ENABLE_GROUP0) | ((low & 1) << 1);
        break;
    }
    this.update();
  }

  /**
   * ICC_SGI<n>R_EL1 (12.2.17): to affinity 0.0.0.0, if bit 0 of the target list says so; IRM means all others. The
   * interrupt must be in the register's group.
   */
  private sendSgi(low: number, high: number, group1: boolean): void {
    const id = (low >>> 24) & 0xf;
    const toOthers = ((high >>> 8) & 1) !== 0;
    const affinity1 = (low >>> 16) & 0xff;
    // Aff3 in bits 55–48, range selector in 47–44, Aff2 in 39–32.
    const affinity23 = high & 0xfff0ff;
    const isHere = !toOthers && affinity1 === 0 && affinity23 === 0 && (low & 1) !== 0;
    if (isHere && this.ints.group1.get(id) === group1) this.ints.latched.set(id, true);
  }

  /** The most urgent pending interrupt that the priority mask lets through; -1 without one. */
  private candidate(): number {
    const groups = this.distributorControl & this.groupsEnabled;
    const id = this.ints.mostUrgent((groups & CTLR_ENABLE_GROUP0) !== 0, (groups & CTLR_ENABLE_GROUP1) !== 0);
    return id >= 0 && this.ints.priority[id] < this.priorityMask ? id : -1;
  }

  private highest(group: 0 | 1): number {
    const id = this.candidate();
    return id >= 0 && this.ints.group1.get(id) === (group === 1) ? id : SPURIOUS;
  }

  private groupPriority(id: number): number {
    const ownPoint = this.ints.group1.get(id) && (this.control & ICC_CTLR_CBPR) === 0;
    const point = ownPoint ? this.binaryPoint1 - 1 : this.binaryPoint0;
    return this.ints.priority[id] & (0xff << (point + 1)) & 0xff;
  }

  private runningPriority(): number {
    const [level0, level1] = [this.active0.lowest(), this.active1.lowest()];
    if (level0 < 0 && level1 < 0) return IDLE_PRIORITY;
    return Math.min(level0 < 0 ? 32 : level0, level1 < 0 ? 32 : level1) << LEVEL_SHIFT;
  }

  private preempts(id: number): boolean {
    return (this.active0.lowest() < 0 && this.active1.lowest() < 0) || this.groupPriority(id) < this.runningPriority();
  }

  private acknowledge(id: number): number {
    if (id >= SPURIOUS || !this.preempts(id)) return SPURIOUS;
    const priorities = this.ints.group1.get(id) ? this.active1 : this.active0;
    priorities.activate(this.groupPriority(id) >> LEVEL_SHIFT);
    this.ints.acknowledge(id);
    this.options.onAcknowledge?.();
    this.update();
    return id;
  }

  /** Ignored unless the most urgent active priority is of the register's group, as in the pseudocode of ICC_EOIR. */
  private endOfInterrupt(id: number, group1: boolean): void {
    if (id >= this.ints.count) return;
    const [own, other] = group1 ? [this.active1, this.active0] : [this.active0, this.active1];
    const level = own.lowest();
    if (level < 0 || (other.lowest() >= 0 && other.lowest() < level)) return;
    own.drop();
    if ((this.control & ICC_CTLR_EOI_MODE) === 0) this.deactivate(id);
  }

  private deactivate(id: number): void {
    if (id < this.ints.count) this.ints.active.set(id, false);
  }

  /** Group 0 is signalled as FIQ, Group 1 as IRQ (4.6.2). */
  private update(): void {
    const id = this.candidate();
    const signalled = id >= 0 && this.preempts(id);
    const group1 = signalled && this.ints.group1.get(id);
    this.options.irq.set(group1);
    this.options.fiq.set(signalled && !group1);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      interrupts: this.ints.save(),
      distributorControl: this.distributorControl,
      waker: this.waker,
      control: this.control,
      priorityMask: this.priorityMask,
      binaryPoint0: this.binaryPoint0,
      binaryPoint1: this.binaryPoint1,
      groupsEnabled: this.groupsEnabled,
      active0: this.active0.words[0],
      active1: this.active1.words[0],
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader('gicv3', state, STATE_VERSION);
    const loadInterrupts = this.ints.prepareLoad(new StateReader('gicv3', from.nested('interrupts'), 1));
    const distributorControl = from.uint('distributorControl', 3);
    const waker = from.uint('waker', WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP);
    const control = from.uint('control', ICC_CTLR_CBPR | ICC_CTLR_EOI_MODE);
    const priorityMask = from.uint('priorityMask', 0xff) & PRIORITY_MASK;
    const binaryPoint0 = Math.max(MIN_BINARY_POINT0, from.uint('binaryPoint0', 7));
    const binaryPoint1 = Math.max(MIN_BINARY_POINT1, from.uint('binaryPoint1', 7));
    const groupsEnabled = from.uint('groupsEnabled', 3);
    const [active0, active1] = [from.uint('active0'), from.uint('active1')];
    loadInterrupts();
    this.ints.edge.words[0] |= 0xffff;
    Object.assign(this, {
      distributorControl,
      waker,
      control,
      priorityMask,
      binaryPoint0,
      binaryPoint1,
      groupsEnabled,
    });
    this.active0.words[0] = active0;
    this.active1.words[0] = active1;
    this.update();
  }
}

function identification(offset: number): number {
  return offset >= ID_REGISTERS ? (ID_BYTES[(offset - ID_REGISTERS) / 4] ?? 0) : 0;
}
