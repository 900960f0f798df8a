// A PS/2 keyboard at the other end of the 8042's cable
// (IBM PS/2 Hardware Interface Technical Reference, "Keyboard commands and responses").

import type { DeviceState, Stateful } from '../vcpu/device.js';
import { NumberQueue } from './number-queue.js';
import { keystrokeOf, ScancodeTranslator } from './scancodes.js';
import { StateReader } from './state-reader.js';

const CMD_SET_LEDS = 0xed;
const CMD_ECHO = 0xee;
const CMD_SCAN_CODE_SET = 0xf0;
const CMD_IDENTIFY = 0xf2;
const CMD_TYPEMATIC = 0xf3;
const CMD_ENABLE = 0xf4;
const CMD_DISABLE = 0xf5;
const CMD_SET_DEFAULT = 0xf6;
const CMD_ALL_KEYS_FIRST = 0xf7;
const CMD_ALL_KEYS_LAST = 0xfa;
const CMD_KEY_TYPE_FIRST = 0xfb;
const CMD_KEY_TYPE_LAST = 0xfd;
const CMD_RESEND = 0xfe;
const CMD_RESET = 0xff;

const ACK = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
/** An MF-II keyboard. */
const IDENTITY = [0xab, 0x83];

/** 10.9 characters per second after 500 ms. */
const DEFAULT_TYPEMATIC = 0x2b;
const RESPONSE_QUEUE_SIZE = 16;
/** What a host may type ahead. (The keyboard's own buffer holds 16 bytes, but nobody pastes into that.) */
const KEY_QUEUE_SIZE = 4096;

const STATE_VERSION = 1;

/**
 * Understands commands, answers them, and sends scan codes. Both queues are bounded: a guest that sends commands
 * without reading the answers loses answers, a host that types into a guest that does not listen is told so.
 */
export class Ps2Keyboard implements Stateful {
  private readonly responses = new NumberQueue(RESPONSE_QUEUE_SIZE);
  /** Set 2. */
  private readonly keys = new NumberQueue(KEY_QUEUE_SIZE);
  private readonly toSet1 = new ScancodeTranslator();
  private set = 2;
  private scanning = true;
  private ledBits = 0;
  private typematic = DEFAULT_TYPEMATIC;
  /** Command whose option byte comes next, 0 for none. */
  private command = 0;
  private lastSent = 0;

  /** Bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
  get leds(): number {
    return this.ledBits;
  }

  get hasResponse(): boolean {
    return this.responses.length > 0;
  }

  get hasKey(): boolean {
    return this.keys.length > 0;
  }

  /** Takes set 2 bytes: all or, when there is no room or scanning is off, none (false). */
  press(codes: readonly number[]): boolean {
    if (!this.scanning || codes.length > this.keys.space) return false;
    for (const code of codes) this.keys.push(code & 0xff);
    return true;
  }

  /** Types `text` as far as there is room; returns how many characters were taken. Unknown ones are skipped. */
  type(text: string): number {
    let taken = 0;
    for (const character of text) {
      if (!this.press(keystrokeOf(character))) break;
      taken++;
    }
    return taken;
  }

  /** The next byte to send, -1 when there is none or it was a prefix that is sent as part of the next one. */
  send(): number {
    let byte = this.responses.shift();
    if (byte < 0) {
      byte = this.keys.shift();
      if (byte >= 0 && this.set === 1) byte = this.toSet1.translate(byte);
    }
    if (byte >= 0) this.lastSent = byte;
    return byte;
  }

  /** A byte from the controller. */
  receive(byte: number): void {
    const command = this.command;
    this.command = 0;
    // A command in place of an option byte is taken as a command.
    if (command !== 0 && byte < CMD_SET_LEDS) this.takeOption(command, byte);
    else this.takeCommand(byte);
  }

  private answer(...bytes: number[]): void {
    for (const byte of bytes) this.responses.push(byte);
  }

  private takeOption(command: number, byte: number): void {
    switch (command) {
      case CMD_SET_LEDS:
        this.ledBits = byte & 7;
        this.answer(ACK);
        break;
      case CMD_TYPEMATIC:
        this.typematic = byte & 0x7f;
        this.answer(ACK);
        break;
      case CMD_SCAN_CODE_SET:
        if (byte === 0) this.answer(ACK, this.set);
        else if (byte <= 2) {
          this.set = byte;
          this.clearKeys();
          this.answer(ACK);
        } else this.answer(RESEND);
        break;
      default:
        // Key types exist in set 3 only.
        this.answer(ACK);
    }
  }

  private takeCommand(byte: number): void {
    switch (byte) {
      case CMD_SET_LEDS:
      case CMD_SCAN_CODE_SET:
      case CMD_TYPEMATIC:
        this.command = byte;
        this.answer(ACK);
        break;
      case CMD_ECHO:
        this.answer(CMD_ECHO);
        break;
      case CMD_IDENTIFY:
        this.answer(ACK, ...IDENTITY);
        break;
      case CMD_ENABLE:
        this.clearKeys();
        this.scanning = true;
        this.answer(ACK);
        break;
      case CMD_DISABLE:
        this.setDefaults();
        this.scanning = false;
        this.answer(ACK);
        break;
      case CMD_SET_DEFAULT:
        this.setDefaults();
        this.answer(ACK);
        break;
      case CMD_RESEND:
        this.answer(this.lastSent);
        break;
      case CMD_RESET:
        this.responses.clear();
        this.setDefaults();
        this.scanning = true;
        this.ledBits = 0;
        this.answer(ACK, SELF_TEST_PASSED);
        break;
      default:
        if (byte >= CMD_KEY_TYPE_FIRST && byte <= CMD_KEY_TYPE_LAST) {
          this.command = byte;
          this.answer(ACK);
        } else if (byte >= CMD_ALL_KEYS_FIRST && byte <= CMD_ALL_KEYS_LAST) this.answer(ACK);
        else this.answer(RESEND);
    }
  }

  private setDefaults(): void {
    this.clearKeys();
    this.set = 2;
    this.typematic = DEFAULT_TYPEMATIC;
  }

  private clearKeys(): void {
    this.keys.clear();
    this.toSet1.breakSeen = false;
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      responses: this.responses.toArray(),
      keys: this.keys.toArray(),
      breakSeen: this.toSet1.breakSeen,
      set: this.set,
      scanning: this.scanning,
      leds: this.ledBits,
      typematic: this.typematic,
      command: this.command,
      lastSent: this.lastSent,
    };
  }

  /** Checks now; the returned function does the change. */
  prepareLoad(state: DeviceState): () => void {
    const r = new StateReader('keyboard', state, STATE_VERSION);
    const responses = r.list('responses', RESPONSE_QUEUE_SIZE);
    const keys = r.list('keys', KEY_QUEUE_SIZE);
    const breakSeen = r.flag('breakSeen');
    const fields = {
      set: r.uint('set', 2) || 2,
      scanning: r.flag('scanning'),
      ledBits: r.uint('leds', 7),
      typematic: r.uint('typematic', 0x7f),
      command: r.uint('command', 0xff),
      lastSent: r.uint('lastSent', 0xff),
    };
    return () => {
      this.responses.assign(responses);
      this.keys.assign(keys);
      this.toSet1.breakSeen = breakSeen;
      Object.assign(this, fields);
    };
  }

  loadState(state: DeviceState): void {
    this.prepareLoad(state)();
  }
}
