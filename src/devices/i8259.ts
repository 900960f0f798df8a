// The PC's two cascaded 8259A interrupt controllers (Intel 8259A data sheet, December 1988) and the
// edge/level control registers of the PIIX (82371AB data sheet, 4.2.3).

import type { DeviceState, IrqLine, Stateful } from '../vcpu/device.js';
import { ByteFace } from './byte-device.js';
import { StateReader } from './state-reader.js';

// ICW1 (data sheet, figure 7).
const ICW1_IC4 = 0x01;
const ICW1_SNGL = 0x02;
const ICW1_LTIM = 0x08;
const ICW1 = 0x10;

// ICW4.
const ICW4_AEOI = 0x02;
const ICW4_SFNM = 0x10;

// OCW2 (figure 8): R, SL, EOI.
const OCW2_EOI = 0x20;
const OCW2_SL = 0x40;
const OCW2_R = 0x80;

// OCW3.
const OCW3 = 0x08;
const OCW3_RIS = 0x01;
const OCW3_RR = 0x02;
const OCW3_POLL = 0x04;
const OCW3_SMM = 0x20;
const OCW3_ESMM = 0x40;

/** The master's input that the slave's INT output is wired to. */
const CASCADE = 2;
/** The input that an 8259A reports when its request vanished before the acknowledge. */
const SPURIOUS = 7;

const CHIP_VERSION = 1;
const PAIR_VERSION = 1;

/** Which initialization command word port 1 expects next; 0 when initialized. */
type InitStep = 0 | 2 | 3 | 4;

/** One 8259A. Input n is bit n of every register. */
class Pic8259 implements Stateful {
  /** Levels of the inputs IR0–IR7. */
  private lines = 0;
  /** Edge-sense latches: a rising edge that has not been acknowledged. */
  private edges = 0;
  private isr = 0;
  /** Masked until programmed. (After power-on the real register holds anything.) */
  private imr = 0xff;
  /** Edge/level control register: inputs that are level-triggered. */
  elcr = 0;
  private icw1 = 0;
  private icw4 = 0;
  private initStep: InitStep = 0;
  /** ICW2: vector of IR0. */
  base: number;
  /** The input of lowest priority; the one after it is the most urgent (fully nested: 7). */
  private lowest = 7;
  private rotateOnAutoEoi = false;
  private specialMask = false;
  private readIsr = false;
  private poll = false;

  constructor(
    private readonly name: string,
    private readonly isMaster: boolean,
    /** ELCR bits that exist: IRQ 0, 1, 2, 8 and 13 are always edge-triggered. */
    readonly elcrMask: number,
    base: number,
  ) {
    this.base = base;
  }

  get single(): boolean {
    return (this.icw1 & ICW1_SNGL) !== 0;
  }

  private get irr(): number {
    const levelTriggered = this.icw1 & ICW1_LTIM ? 0xff : this.elcr;
    return (this.lines & levelTriggered) | (this.edges & ~levelTriggered);
  }

  setLine(input: number, level: boolean): void {
    const bit = 1 << input;
    if (level) {
      if (!(this.lines & bit)) this.edges |= bit;
      this.lines |= bit;
    } else {
      // The input must stay high until the acknowledge, even when edge-triggered (data sheet, "Edge and level
      // triggered modes").
      this.lines &= ~bit;
      this.edges &= ~bit;
    }
  }

  /** How many inputs are more urgent than the most urgent one in `bits`; 8 when there is none. */
  private rank(bits: number): number {
    for (let rank = 0; rank < 8; rank++) if ((bits >> ((this.lowest + 1 + rank) & 7)) & 1) return rank;
    return 8;
  }

  /** The input to serve now, -1 when the INT output is low. */
  pending(): number {
    if (this.initStep !== 0) return -1;
    const request = this.rank(this.irr & ~this.imr);
    let blocking = this.isr;
    // A level that is in service and masked blocks nobody in special mask mode.
    if (this.specialMask) blocking &= ~this.imr;
    // In special fully nested mode the slave may interrupt its own service routine.
    if (this.isMaster && this.icw4 & ICW4_SFNM) blocking &= ~(1 << CASCADE);
    return request < this.rank(blocking) ? (this.lowest + 1 + request) & 7 : -1;
  }

  /** The effect of the INTA pulses on the input that is served. */
  acknowledge(input: number): void {
    this.edges &= ~(1 << input);
    if (!(this.icw4 & ICW4_AEOI)) this.isr |= 1 << input;
    else if (this.rotateOnAutoEoi) this.lowest = input;
  }

  /** Port 0 (A0 low) or 1. `onPoll` is told of an input that was acknowledged by polling. */
  read(a0: number, onPoll: () => void): number {
    if (this.poll) {
      this.poll = false;
      const input = this.pending();
      if (input < 0) return 0;
      this.acknowledge(input);
      onPoll();
      return 0x80 | input;
    }
    if (a0 === 1) return this.imr;
    return this.readIsr ? this.isr : this.irr;
  }

  write(a0: number, value: number): void {
    if (a0 === 1) this.writeData(value);
    else if (value & ICW1) this.initialize(value);
    else if (value & OCW3) this.writeOcw3(value);
    else this.writeOcw2(value);
  }

  /** ICW1 and what the data sheet lists as happening with it ("Initialization command words 1 and 2"). */
  private initialize(icw1: number): void {
    this.icw1 = icw1 & (ICW1_IC4 | ICW1_SNGL | ICW1_LTIM);
    this.edges = 0;
    this.isr = 0;
    this.imr = 0;
    this.lowest = 7;
    this.rotateOnAutoEoi = false;
    this.specialMask = false;
    this.readIsr = false;
    this.poll = false;
    this.icw4 = 0;
    this.initStep = 2;
  }

  private writeData(value: number): void {
    const afterIcw3 = this.icw1 & ICW1_IC4 ? 4 : 0;
    switch (this.initStep) {
      case 2:
        this.base = value & 0xf8;
        this.initStep = this.single ? afterIcw3 : 3;
        break;
      case 3:
        // The wiring is fixed, so ICW3 has nothing to tell.
        this.initStep = afterIcw3;
        break;
      case 4:
        this.icw4 = value & 0x1f;
        this.initStep = 0;
        break;
      default:
        this.imr = value;
    }
  }

  private writeOcw2(value: number): void {
    const level = value & 7;
    const rotate = (value & OCW2_R) !== 0;
    if (value & OCW2_EOI) {
      let input = level;
      if (!(value & OCW2_SL)) {
        // A masked level in service is not cleared by a non-specific EOI in special mask mode.
        const rank = this.rank(this.specialMask ? this.isr & ~this.imr : this.isr);
        if (rank === 8) return;
        input = (this.lowest + 1 + rank) & 7;
      }
      this.isr &= ~(1 << input);
      if (rotate) this.lowest = input;
    } else if (value & OCW2_SL) {
      // "Set priority"; without R it is a no-operation.
      if (rotate) this.lowest = level;
    } else {
      this.rotateOnAutoEoi = rotate;
    }
  }

  private writeOcw3(value: number): void {
    if (value & OCW3_ESMM) this.specialMask = (value & OCW3_SMM) !== 0;
    if (value & OCW3_RR) this.readIsr = (value & OCW3_RIS) !== 0;
    this.poll = (value & OCW3_POLL) !== 0;
  }

  saveState(): DeviceState {
    return {
      version: CHIP_VERSION,
      lines: this.lines,
      edges: this.edges,
      isr: this.isr,
      imr: this.imr,
      elcr: this.elcr,
      icw1: this.icw1,
      icw4: this.icw4,
      initStep: this.initStep,
      base: this.base,
      lowest: this.lowest,
      rotateOnAutoEoi: this.rotateOnAutoEoi,
      specialMask: this.specialMask,
      readIsr: this.readIsr,
      poll: this.poll,
    };
  }

  /** Checks now; the returned function does the change. */
  prepareLoad(state: DeviceState): () => void {
    const r = new StateReader(this.name, state, CHIP_VERSION);
    const initStep = r.uint('initStep', 4);
    if (initStep === 1) r.refuse('initStep', '0, 2, 3 or 4');
    const fields = {
      lines: r.uint('lines', 0xff),
      edges: r.uint('edges', 0xff),
      isr: r.uint('isr', 0xff),
      imr: r.uint('imr', 0xff),
      elcr: r.uint('elcr', 0xff) & this.elcrMask,
      icw1: r.uint('icw1', 0xff),
      icw4: r.uint('icw4', 0xff),
      initStep,
      base: r.uint('base', 0xff) & 0xf8,
      lowest: r.uint('lowest', 7),
      rotateOnAutoEoi: r.flag('rotateOnAutoEoi'),
      specialMask: r.flag('specialMask'),
      readIsr: r.flag('readIsr'),
      poll: r.flag('poll'),
    };
    return () => Object.assign(this, fields);
  }

  loadState(state: DeviceState): void {
    this.prepareLoad(state)();
  }
}

/**
 * Master (IRQ 0–7) and slave (IRQ 8–15), the slave's INT wired to the master's IR2. Three register blocks:
 * `master` at 0x20, `slave` at 0xA0, `elcr` at 0x4D0, two ports each. `output` is INTR to the CPU.
 *
 * All changes take effect at once and INTR follows; a CPU that acknowledges a request which has vanished
 * gets IRQ 7 (or 15) without any in-service bit, as from the real chip.
 */
export class PicPair implements Stateful {
  readonly name = 'i8259';
  readonly master: ByteFace;
  readonly slave: ByteFace;
  readonly elcr: ByteFace;
  private readonly chips: readonly [Pic8259, Pic8259];
  private readonly lines: readonly IrqLine[];
  /** Level that something other than the slave drives on the cascade input. */
  private foreignCascade = false;

  constructor(private readonly output: IrqLine) {
    // Vector bases of the IBM AT's BIOS.
    const master = new Pic8259('i8259 master', true, 0xf8, 0x08);
    const slave = new Pic8259('i8259 slave', false, 0xde, 0x70);
    this.chips = [master, slave];
    this.master = this.face('i8259 master', master);
    this.slave = this.face('i8259 slave', slave);
    this.elcr = new ByteFace(
      'elcr',
      2,
      (offset) => this.chips[offset].elcr,
      (offset, value) => {
        this.chips[offset].elcr = value & this.chips[offset].elcrMask;
        this.update();
      },
    );
    this.lines = Array.from({ length: 16 }, (_, n) => ({ set: (level: boolean) => this.setLine(n, level) }));
  }

  private face(name: string, chip: Pic8259): ByteFace {
    const onPoll = () => this.afterAcknowledge(chip);
    return new ByteFace(
      name,
      2,
      (offset) => {
        const value = chip.read(offset, onPoll);
        this.update();
        return value;
      },
      (offset, value) => {
        chip.write(offset, value);
        this.update();
      },
    );
  }

  /** The wire of interrupt request `n`, 0–15. Throws RangeError for another number. */
  irq(n: number): IrqLine {
    const line = this.lines[n];
    if (!line) throw new RangeError(`there is no IRQ ${n}`);
    return line;
  }

  private setLine(n: number, level: boolean): void {
    if (n === CASCADE) this.foreignCascade = level;
    else if (n < 8) this.chips[0].setLine(n, level);
    else this.chips[1].setLine(n - 8, level);
    this.update();
  }

  /** Level of INTR. */
  get interruptRequested(): boolean {
    return this.chips[0].pending() >= 0;
  }

  /** The CPU's interrupt-acknowledge cycle: returns the vector, 0–255. */
  acknowledge(): number {
    const [master, slave] = this.chips;
    let chip = master;
    let input = master.pending();
    if (input >= 0) master.acknowledge(input);
    if (input === CASCADE && !master.single) {
      // The second INTA pulse is the slave's to answer.
      chip = slave;
      input = slave.pending();
      if (input >= 0) {
        slave.acknowledge(input);
        this.afterAcknowledge(slave);
      }
    }
    this.update();
    return chip.base | (input >= 0 ? input : SPURIOUS);
  }

  /** INT falls at the acknowledge: if the slave has more to say, the master sees another rising edge. */
  private afterAcknowledge(chip: Pic8259): void {
    if (chip === this.chips[1]) this.chips[0].setLine(CASCADE, false);
  }

  private update(): void {
    const [master, slave] = this.chips;
    master.setLine(CASCADE, slave.pending() >= 0 || this.foreignCascade);
    this.output.set(master.pending() >= 0);
  }

  saveState(): DeviceState {
    return {
      version: PAIR_VERSION,
      master: this.chips[0].saveState(),
      slave: this.chips[1].saveState(),
      foreignCascade: this.foreignCascade,
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, PAIR_VERSION);
    const loadMaster = this.chips[0].prepareLoad(r.nested('master'));
    const loadSlave = this.chips[1].prepareLoad(r.nested('slave'));
    this.foreignCascade = r.flag('foreignCascade');
    loadMaster();
    loadSlave();
    this.update();
  }
}
