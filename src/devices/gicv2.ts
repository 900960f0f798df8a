// GICv2 for one processor (IHI 0048B): distributor and CPU interface, without the security extensions.

import type { BusDevice, DeviceState, IrqLine, Stateful } from '../vcpu/device.js';
import { ActivePriorities, FIRST_PPI, GicInterrupts, readWords, SPURIOUS, writeWords } from './gic-interrupts.js';
import { StateReader } from './state-reader.js';

// Distributor (table 4-1).
const GICD_CTLR = 0x000;
const GICD_TYPER = 0x004;
const GICD_IIDR = 0x008;
const GICD_SGIR = 0xf00;
const GICD_CPENDSGIR = 0xf10;
const GICD_SPENDSGIR = 0xf20;
const GICD_ID = 0xfd0;
const CTLR_ENABLE_GROUP0 = 1;
const CTLR_ENABLE_GROUP1 = 2;

// CPU interface (table 4-2).
const GICC_CTLR = 0x00;
const GICC_PMR = 0x04;
const GICC_BPR = 0x08;
const GICC_IAR = 0x0c;
const GICC_EOIR = 0x10;
const GICC_RPR = 0x14;
const GICC_HPPIR = 0x18;
const GICC_ABPR = 0x1c;
const GICC_AIAR = 0x20;
const GICC_AEOIR = 0x24;
const GICC_AHPPIR = 0x28;
const GICC_APR = 0xd0;
const GICC_NSAPR = 0xe0;
const GICC_IIDR = 0xfc;
const GICC_DIR = 0x1000;
const CTLR_ACK = 4;
const CTLR_FIQ_ENABLE = 8;
const CTLR_COMMON_BPR = 0x10;
const CTLR_EOI_MODE = 0x200;
const CTLR_IMPLEMENTED = 0x21f;

/** GICC_IAR and GICC_HPPIR: the most urgent interrupt is in Group 1, and AckCtl hides that here (4.4.4). */
const GROUP1_HIDDEN = 1022;
/** GICC_RPR without an active interrupt (4.4.6). */
const IDLE_PRIORITY = 0xff;
/** Preemption levels: seven bits of group priority at the smallest binary point. */
const ACTIVE_WORDS = 4;

/** IIDR: architecture version in bits 19–16, implementer Arm in 11–0. */
const IIDR = (2 << 16) | 0x43b;
/** Peripheral and component identification from 0xFD0 on; the third of the second row has the version (4.3.18). */
const ID_BYTES = [0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1];

const STATE_VERSION = 1;

export interface GicOptions {
  /** Interrupt identifiers, a multiple of 32. */
  readonly interrupts: number;
  readonly irq: IrqLine;
  readonly fiq: IrqLine;
  /** The processor has taken an interrupt: for statistics. */
  readonly onAcknowledge?: () => void;
}

export class GicV2 implements Stateful {
  readonly distributor: BusDevice;
  readonly cpuInterface: BusDevice;
  private readonly ints: GicInterrupts;
  private distributorControl = 0;
  private control = 0;
  private priorityMask = 0;
  private binaryPoint = 0;
  /** For Group 1, at least 1 (4.4.8). */
  private aliasedBinaryPoint = 1;
  private readonly active0 = new ActivePriorities(ACTIVE_WORDS);
  private readonly active1 = new ActivePriorities(ACTIVE_WORDS);

  constructor(private readonly options: GicOptions) {
    this.ints = new GicInterrupts(options.interrupts, 0xff);
    // SGIs cannot be disabled here, which 4.3.5 leaves to the implementation.
    this.ints.enabled.words[0] = 0xffff;
    this.distributor = {
      name: 'gic-distributor',
      read: (offset, size) => readWords(offset, size, (at) => this.readDistributor(at)),
      write: (offset, size, value) => {
        writeWords(offset, size, value, (at, v, mask) => this.writeDistributor(at, v, mask));
        this.update();
      },
    };
    this.cpuInterface = {
      name: 'gic-cpu',
      read: (offset, size) => {
        const value = readWords(offset, size, (at) => this.readInterface(at));
        this.update();
        return value;
      },
      write: (offset, size, value) => {
        writeWords(offset, size, value, (at, v) => this.writeInterface(at, v));
        this.update();
      },
    };
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

  /** Whether an interrupt could still reach the processor: both halves are on. */
  get canSignal(): boolean {
    return (this.distributorControl & this.control & (CTLR_ENABLE_GROUP0 | CTLR_ENABLE_GROUP1)) !== 0;
  }

  // ---- distributor

  private readDistributor(offset: number): number {
    const shared = this.ints.read(offset, 0, this.ints.count);
    if (shared !== undefined) return shared;
    switch (offset) {
      case GICD_CTLR:
        return this.distributorControl;
      case GICD_TYPER:
        // ITLinesNumber; one processor, no security extensions (4.3.2).
        return this.ints.count / 32 - 1;
      case GICD_IIDR:
        return IIDR;
    }
    if (offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR + 16) return this.readPendingSgis(offset & 0xf);
    if (offset >= GICD_ID) return ID_BYTES[(offset - GICD_ID) / 4] ?? 0;
    // GICD_ITARGETSR among them: with one processor they read as zero (4.3.12).
    return 0;
  }

  private writeDistributor(offset: number, value: number, mask: number): void {
    // Disabling an SGI is ignored.
    if (this.ints.write(offset, value, mask, 0, this.ints.count)) {
      this.ints.enabled.words[0] |= 0xffff;
      return;
    }
    if (offset === GICD_CTLR && mask & 3) {
      this.distributorControl = value & (CTLR_ENABLE_GROUP0 | CTLR_ENABLE_GROUP1);
    } else if (offset === GICD_SGIR) {
      this.sendSgi(value);
    } else if (offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR + 16) {
      const set = offset >= GICD_SPENDSGIR;
      // A byte for each SGI, a bit for each sending processor: here the first (4.3.15).
      for (let i = 0; i < 4; i++) {
        if (((value & mask) >>> (8 * i)) & 1) this.ints.latched.set((offset & 0xf) + i, set);
      }
    }
  }

  private readPendingSgis(first: number): number {
    let value = 0;
    for (let i = 0; i < 4; i++) if (this.ints.latched.get(first + i)) value |= 1 << (8 * i);
    return value;
  }

  /** GICD_SGIR (4.3.14): the only processor is either in the target list or the sender itself. */
  private sendSgi(value: number): void {
    const filter = (value >>> 24) & 3;
    const toSelf = filter === 2 || (filter === 0 && ((value >>> 16) & 1) !== 0);
    if (toSelf) this.ints.latched.set(value & 0xf, true);
  }

  // ---- CPU interface

  private readInterface(offset: number): number {
    switch (offset) {
      case GICC_CTLR:
        return this.control;
      case GICC_PMR:
        return this.priorityMask;
      case GICC_BPR:
        return this.binaryPoint;
      case GICC_IAR:
        return this.acknowledge(this.highestVisible());
      case GICC_RPR:
        return this.runningPriority();
      case GICC_HPPIR:
        return this.highestVisible();
      case GICC_ABPR:
        return this.aliasedBinaryPoint;
      case GICC_AIAR:
        return this.acknowledge(this.highestInGroup1());
      case GICC_AHPPIR:
        return this.highestInGroup1();
      case GICC_IIDR:
        return IIDR;
    }
    if (offset >= GICC_APR && offset < GICC_APR + 16) return this.active0.words[(offset - GICC_APR) / 4];
    if (offset >= GICC_NSAPR && offset < GICC_NSAPR + 16) return this.active1.words[(offset - GICC_NSAPR) / 4];
    return 0;
  }

  private writeInterface(offset: number, value: number): void {
    switch (offset) {
      case GICC_CTLR:
        this.control = value & CTLR_IMPLEMENTED;
        return;
      case GICC_PMR:
        this.priorityMask = value & 0xff;
        return;
      case GICC_BPR:
        this.binaryPoint = value & 7;
        return;
      case GICC_ABPR:
        this.aliasedBinaryPoint = Math.max(1, value & 7);
        return;
      case GICC_EOIR:
      case GICC_AEOIR:
        this.endOfInterrupt(value & 0x3ff);
        return;
      case GICC_DIR:
        this.deactivate(value & 0x3ff);
        return;
    }
    if (offset >= GICC_APR && offset < GICC_APR + 16) this.active0.words[(offset - GICC_APR) / 4] = value;
    if (offset >= GICC_NSAPR && offset < GICC_NSAPR + 16) this.active1.words[(offset - GICC_NSAPR) / 4] = value;
  }

  /** The most urgent pending interrupt that the priority mask lets through; -1 without one. */
  private candidate(): number {
    const groups = this.distributorControl & this.control;
    const id = this.ints.mostUrgent((groups & CTLR_ENABLE_GROUP0) !== 0, (groups & CTLR_ENABLE_GROUP1) !== 0);
    return id >= 0 && this.ints.priority[id] < this.priorityMask ? id : -1;
  }

  private highestVisible(): number {
    const id = this.candidate();
    if (id < 0) return SPURIOUS;
    return this.ints.group1.get(id) && (this.control & CTLR_ACK) === 0 ? GROUP1_HIDDEN : id;
  }

  private highestInGroup1(): number {
    const id = this.candidate();
    return id >= 0 && this.ints.group1.get(id) ? id : SPURIOUS;
  }

  /** The part of a priority that decides on preemption (3.3.3). */
  private groupPriority(id: number): number {
    const ownPoint = this.ints.group1.get(id) && (this.control & CTLR_COMMON_BPR) === 0;
    const point = ownPoint ? this.aliasedBinaryPoint - 1 : this.binaryPoint;
    return this.ints.priority[id] & (0xff << (point + 1));
  }

  private runningPriority(): number {
    const [level0, level1] = [this.active0.lowest(), this.active1.lowest()];
    if (level0 < 0 && level1 < 0) return IDLE_PRIORITY;
    return Math.min(level0 < 0 ? 0x100 : level0 * 2, level1 < 0 ? 0x100 : level1 * 2);
  }

  /** Whether interrupt `id` may interrupt what is being handled. */
  private preempts(id: number): boolean {
    return (this.active0.lowest() < 0 && this.active1.lowest() < 0) || this.groupPriority(id) < this.runningPriority();
  }

  /** Returns what IAR shows: the INTID, which becomes active, or a special number. */
  private acknowledge(id: number): number {
    if (id >= GROUP1_HIDDEN) return id;
    if (!this.preempts(id)) return SPURIOUS;
    const priorities = this.ints.group1.get(id) ? this.active1 : this.active0;
    priorities.activate(this.groupPriority(id) >> 1);
    this.ints.acknowledge(id);
    this.options.onAcknowledge?.();
    return id;
  }

  /** Priority drop, and deactivation unless EOImode leaves that to GICC_DIR (4.4.5). */
  private endOfInterrupt(id: number): void {
    if (id >= this.ints.count || (this.active0.lowest() < 0 && this.active1.lowest() < 0)) return;
    (this.ints.group1.get(id) ? this.active1 : this.active0).drop();
    if ((this.control & CTLR_EOI_MODE) === 0) this.ints.active.set(id, false);
  }

  private deactivate(id: number): void {
    if (id < this.ints.count) this.ints.active.set(id, false);
  }

  /** Drives the processor's pins (2.3.2): Group 0 as FIQ when FIQEn says so. */
  private update(): void {
    const id = this.candidate();
    const signalled = id >= 0 && this.preempts(id);
    const asFiq = signalled && (this.control & CTLR_FIQ_ENABLE) !== 0 && !this.ints.group1.get(id);
    this.options.irq.set(signalled && !asFiq);
    this.options.fiq.set(asFiq);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      interrupts: this.ints.save(),
      distributorControl: this.distributorControl,
      control: this.control,
      priorityMask: this.priorityMask,
      binaryPoint: this.binaryPoint,
      aliasedBinaryPoint: this.aliasedBinaryPoint,
      active0: this.active0.words.slice(),
      active1: this.active1.words.slice(),
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader('gicv2', state, STATE_VERSION);
    const loadInterrupts = this.ints.prepareLoad(new StateReader('gicv2', from.nested('interrupts'), 1));
    const distributorControl = from.uint('distributorControl', 3);
    const control = from.uint('control') & CTLR_IMPLEMENTED;
    const priorityMask = from.uint('priorityMask', 0xff);
    const binaryPoint = from.uint('binaryPoint', 7);
    const aliasedBinaryPoint = Math.max(1, from.uint('aliasedBinaryPoint', 7));
    const [active0, active1] = [from.uints('active0', ACTIVE_WORDS), from.uints('active1', ACTIVE_WORDS)];
    loadInterrupts();
    this.ints.enabled.words[0] |= 0xffff;
    this.ints.edge.words[0] |= (1 << FIRST_PPI) - 1;
    Object.assign(this, { distributorControl, control, priorityMask, binaryPoint, aliasedBinaryPoint });
    this.active0.words.set(active0);
    this.active1.words.set(active1);
    this.update();
  }
}
