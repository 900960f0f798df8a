// 8042 keyboard controller as the PC AT and PS/2 programmed it
// (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller").

import type { Clock, DeviceState, IrqLine, Stateful, TimedDevice } from '../vcpu/device.js';
import type { A20Gate } from './a20.js';
import { ByteFace } from './byte-device.js';
import { NumberQueue } from './number-queue.js';
import { Ps2Keyboard } from './ps2-keyboard.js';
import { ScancodeTranslator } from './scancodes.js';
import { StateReader } from './state-reader.js';

// Status register, port 0x64.
const STATUS_OBF = 0x01;
const STATUS_SYS = 0x04;
/** The last write was to port 0x64. */
const STATUS_A2 = 0x08;
/** The keyboard lock is open. */
const STATUS_NOT_INHIBITED = 0x10;
const STATUS_AUX_OBF = 0x20;
const STATUS_TIMEOUT = 0x40;

// Command byte: byte 0 of the controller's RAM.
const COMMAND_KIE = 0x01;
const COMMAND_MIE = 0x02;
const COMMAND_SYS = 0x04;
const COMMAND_KEYBOARD_DISABLE = 0x10;
const COMMAND_AUX_DISABLE = 0x20;
const COMMAND_TRANSLATE = 0x40;

// Controller commands. 0x20–0x3F read the RAM, 0x60–0x7F write it.
const CMD_TEST_PASSWORD = 0xa4;
const CMD_DISABLE_AUX = 0xa7;
const CMD_ENABLE_AUX = 0xa8;
const CMD_TEST_AUX = 0xa9;
const CMD_SELF_TEST = 0xaa;
const CMD_TEST_KEYBOARD = 0xab;
const CMD_DISABLE_KEYBOARD = 0xad;
const CMD_ENABLE_KEYBOARD = 0xae;
const CMD_READ_INPUT_PORT = 0xc0;
const CMD_READ_OUTPUT_PORT = 0xd0;
const CMD_WRITE_OUTPUT_PORT = 0xd1;
const CMD_WRITE_KEYBOARD_BUFFER = 0xd2;
const CMD_WRITE_AUX_BUFFER = 0xd3;
const CMD_WRITE_AUX = 0xd4;
/** These two are not IBM's, but every clone has them. */
const CMD_DISABLE_A20 = 0xdd;
const CMD_ENABLE_A20 = 0xdf;
const CMD_READ_TEST_INPUTS = 0xe0;
const CMD_PULSE_FIRST = 0xf0;

// Output port (P2). Bit 0 low resets the CPU.
const OUTPUT_NOT_RESET = 0x01;
const OUTPUT_A20 = 0x02;
const OUTPUT_IRQ1 = 0x10;
const OUTPUT_IRQ12 = 0x20;
const OUTPUT_IDLE_LINES = 0xc0;

const SELF_TEST_PASSED = 0x55;
const NO_PASSWORD = 0xf1;
const TEST_PASSED = 0x00;
/** Keyboard not locked. */
const INPUT_PORT = 0x80;
/** What the controller puts in the buffer for a device that does not answer. */
const NO_ANSWER = 0xfe;

/** In the controller's queue, bit 8 and up tell what else to set in the status register. */
const FROM_AUX = STATUS_AUX_OBF << 8;
const TIMED_OUT = STATUS_TIMEOUT << 8;

/** Time on the cable until the next scan code arrives: eleven bits at 12 kHz or more. */
const KEY_INTERVAL_NS = 700_000;
const QUEUE_SIZE = 16;
const RAM_SIZE = 32;
const STATE_VERSION = 1;

export interface I8042Options {
  readonly clock: Clock;
  /** IRQ 1. */
  readonly keyboardIrq: IrqLine;
  /** IRQ 12. */
  readonly auxIrq: IrqLine;
  readonly a20: A20Gate;
  /** The guest pulled the CPU's reset line. */
  readonly onReset: () => void;
}

/**
 * Two register blocks of one port: `data` at 0x60, `command` at 0x64. It starts as a BIOS leaves it (translating
 * to set 1, keyboard interrupt on), since kernels that are loaded without a BIOS rely on that. There is no
 * mouse: the auxiliary port works, and what is sent through it times out.
 *
 * A byte stays in the output buffer until it is read; port 0x60 goes on reading the same value until the
 * next byte has had time to cross the cable, so interrupt handlers that both read the port see one key.
 *
 * Threat: commands produce answers; all queues are bounded and what does not fit is dropped.
 */
export class I8042 implements Stateful, TimedDevice {
  readonly name = 'i8042';
  readonly data: ByteFace;
  readonly command: ByteFace;
  readonly keyboard = new Ps2Keyboard();
  private readonly clock: Clock;
  private readonly keyboardIrq: IrqLine;
  private readonly auxIrq: IrqLine;
  private readonly a20: A20Gate;
  private readonly onReset: () => void;
  private readonly translator = new ScancodeTranslator();

  private readonly ram = new Uint8Array(RAM_SIZE);
  /** The controller's own answers, which go before the keyboard's. */
  private readonly queue = new NumberQueue(QUEUE_SIZE);
  private outputBuffer = 0;
  private outputFull = false;
  /** STATUS_AUX_OBF and STATUS_TIMEOUT of the byte in the buffer. */
  private outputFlags = 0;
  private lastWasCommand = false;
  /** Command whose data byte comes next at port 0x60, 0 for none. */
  private awaiting = 0;
  /** Clock time from which the next scan code can be there. */
  private nextKeyAt = 0;

  constructor(options: I8042Options) {
    this.clock = options.clock;
    this.keyboardIrq = options.keyboardIrq;
    this.auxIrq = options.auxIrq;
    this.a20 = options.a20;
    this.onReset = options.onReset;
    this.ram[0] = COMMAND_KIE | COMMAND_SYS | COMMAND_AUX_DISABLE | COMMAND_TRANSLATE;
    this.data = new ByteFace(
      'i8042',
      1,
      () => this.readData(),
      (_offset, value) => this.writeData(value),
    );
    this.command = new ByteFace(
      'i8042',
      1,
      () => this.readStatus(),
      (_offset, value) => this.writeCommand(value),
    );
  }

  /** A key event in scan code set 2, as the keyboard sends it; false when it was not taken. */
  key(codes: readonly number[]): boolean {
    const taken = this.keyboard.press(codes);
    this.advance(this.clock.now());
    return taken;
  }

  /** Types on a US keyboard. Returns how many characters were taken; the rest has no room now. */
  typeText(text: string): number {
    const taken = this.keyboard.type(text);
    this.advance(this.clock.now());
    return taken;
  }

  deadline(): number {
    const waiting = !this.outputFull && this.keyboardEnabled && this.keyboard.hasKey;
    return waiting ? this.nextKeyAt : Infinity;
  }

  /** Fills the output buffer if something is there for it. */
  advance(now: number): void {
    if (!this.outputFull) {
      const own = this.queue.shift();
      if (own >= 0) this.fill(own & 0xff, own >> 8);
      else if (this.keyboardEnabled) this.fillFromKeyboard(now);
    }
    this.update();
  }

  private get keyboardEnabled(): boolean {
    return !(this.ram[0] & COMMAND_KEYBOARD_DISABLE);
  }

  private fillFromKeyboard(now: number): void {
    // Prefixes that the translation swallows make this go round; the queues are bounded, so it ends.
    while (this.keyboard.hasResponse || (this.keyboard.hasKey && now >= this.nextKeyAt)) {
      const sent = this.keyboard.send();
      const byte = sent >= 0 && this.ram[0] & COMMAND_TRANSLATE ? this.translator.translate(sent) : sent;
      if (byte >= 0) {
        this.fill(byte, 0);
        return;
      }
    }
  }

  private fill(byte: number, flags: number): void {
    this.outputBuffer = byte;
    this.outputFlags = flags;
    this.outputFull = true;
  }

  private readData(): number {
    const now = this.clock.now();
    this.advance(now);
    const value = this.outputBuffer;
    if (this.outputFull) {
      this.outputFull = false;
      this.nextKeyAt = now + KEY_INTERVAL_NS;
      // The line falls between two bytes: an edge-triggered controller must see each of them.
      this.update();
      this.advance(now);
    }
    return value;
  }

  private readStatus(): number {
    this.advance(this.clock.now());
    return (
      STATUS_NOT_INHIBITED |
      (this.ram[0] & COMMAND_SYS ? STATUS_SYS : 0) |
      (this.lastWasCommand ? STATUS_A2 : 0) |
      (this.outputFull ? STATUS_OBF | this.outputFlags : 0)
    );
  }

  private writeData(value: number): void {
    const awaiting = this.awaiting;
    this.awaiting = 0;
    this.lastWasCommand = false;
    if (awaiting >= 0x60 && awaiting <= 0x7f) this.ram[awaiting & 0x1f] = value;
    else if (awaiting === CMD_WRITE_OUTPUT_PORT) this.writeOutputPort(value);
    else if (awaiting === CMD_WRITE_KEYBOARD_BUFFER) this.queue.push(value);
    else if (awaiting === CMD_WRITE_AUX_BUFFER) this.queue.push(FROM_AUX | value);
    else if (awaiting === CMD_WRITE_AUX) this.queue.push(FROM_AUX | TIMED_OUT | NO_ANSWER);
    else {
      // Talking to the keyboard releases its clock line.
      this.ram[0] &= ~COMMAND_KEYBOARD_DISABLE;
      this.keyboard.receive(value);
    }
    this.advance(this.clock.now());
  }

  private writeCommand(value: number): void {
    this.lastWasCommand = true;
    this.awaiting = 0;
    if (value >= 0x20 && value <= 0x3f) this.queue.push(this.ram[value & 0x1f]);
    else if (value >= 0x60 && value <= 0x7f) this.awaiting = value;
    else if (value >= CMD_PULSE_FIRST) {
      // Bits that are 0 pulse their line of the output port; only the reset line notices.
      if (!(value & OUTPUT_NOT_RESET)) this.onReset();
    } else this.runCommand(value);
    this.advance(this.clock.now());
  }

  private runCommand(value: number): void {
    switch (value) {
      case CMD_WRITE_OUTPUT_PORT:
      case CMD_WRITE_KEYBOARD_BUFFER:
      case CMD_WRITE_AUX_BUFFER:
      case CMD_WRITE_AUX:
        this.awaiting = value;
        break;
      case CMD_TEST_PASSWORD:
        this.queue.push(NO_PASSWORD);
        break;
      case CMD_DISABLE_AUX:
        this.ram[0] |= COMMAND_AUX_DISABLE;
        break;
      case CMD_ENABLE_AUX:
        this.ram[0] &= ~COMMAND_AUX_DISABLE;
        break;
      case CMD_TEST_AUX:
      case CMD_TEST_KEYBOARD:
        this.queue.push(TEST_PASSED);
        break;
      case CMD_SELF_TEST:
        this.ram[0] |= COMMAND_SYS;
        this.queue.push(SELF_TEST_PASSED);
        break;
      case CMD_DISABLE_KEYBOARD:
        this.ram[0] |= COMMAND_KEYBOARD_DISABLE;
        break;
      case CMD_ENABLE_KEYBOARD:
        this.ram[0] &= ~COMMAND_KEYBOARD_DISABLE;
        break;
      case CMD_READ_INPUT_PORT:
        this.queue.push(INPUT_PORT);
        break;
      case CMD_READ_OUTPUT_PORT:
        this.queue.push(this.readOutputPort());
        break;
      case CMD_DISABLE_A20:
        this.a20.set(false);
        break;
      case CMD_ENABLE_A20:
        this.a20.set(true);
        break;
      case CMD_READ_TEST_INPUTS:
        // Both clock inputs low.
        this.queue.push(0);
        break;
      // Others are undefined, and ignored.
    }
  }

  private readOutputPort(): number {
    return (
      OUTPUT_IDLE_LINES |
      OUTPUT_NOT_RESET |
      (this.a20.enabled ? OUTPUT_A20 : 0) |
      (this.keyboardRequest ? OUTPUT_IRQ1 : 0) |
      (this.auxRequest ? OUTPUT_IRQ12 : 0)
    );
  }

  private writeOutputPort(value: number): void {
    this.a20.set((value & OUTPUT_A20) !== 0);
    if (!(value & OUTPUT_NOT_RESET)) this.onReset();
  }

  private get keyboardRequest(): boolean {
    return this.outputFull && !(this.outputFlags & STATUS_AUX_OBF) && (this.ram[0] & COMMAND_KIE) !== 0;
  }

  private get auxRequest(): boolean {
    return this.outputFull && (this.outputFlags & STATUS_AUX_OBF) !== 0 && (this.ram[0] & COMMAND_MIE) !== 0;
  }

  private update(): void {
    this.keyboardIrq.set(this.keyboardRequest);
    this.auxIrq.set(this.auxRequest);
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      keyboard: this.keyboard.saveState(),
      breakSeen: this.translator.breakSeen,
      ram: this.ram.slice(),
      queue: this.queue.toArray(),
      outputBuffer: this.outputBuffer,
      outputFull: this.outputFull,
      outputFlags: this.outputFlags,
      lastWasCommand: this.lastWasCommand,
      awaiting: this.awaiting,
      nextKeyAt: this.nextKeyAt,
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const loadKeyboard = this.keyboard.prepareLoad(r.nested('keyboard'));
    const breakSeen = r.flag('breakSeen');
    const ram = r.uints('ram', RAM_SIZE, 0xff);
    const queue = r.list('queue', QUEUE_SIZE, FROM_AUX | TIMED_OUT | 0xff);
    const fields = {
      outputBuffer: r.uint('outputBuffer', 0xff),
      outputFull: r.flag('outputFull'),
      outputFlags: r.uint('outputFlags', 0xff) & (STATUS_AUX_OBF | STATUS_TIMEOUT),
      lastWasCommand: r.flag('lastWasCommand'),
      awaiting: r.uint('awaiting', 0xff),
      nextKeyAt: r.time('nextKeyAt'),
    };
    loadKeyboard();
    this.translator.breakSeen = breakSeen;
    this.ram.set(ram);
    this.queue.assign(queue);
    Object.assign(this, fields);
    this.update();
  }
}
