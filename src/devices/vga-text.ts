// VGA, as far as text mode needs it (IBM PS/2 Hardware Interface Technical Reference, "Video subsystem").

import type { BusDevice, Clock, DeviceState, Stateful } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import { ByteFace } from './byte-device.js';
import { CP437 } from './cp437.js';
import { StateReader } from './state-reader.js';

export const VGA_MEMORY_ADDRESS = 0xa0000;
export const VGA_MEMORY_LENGTH = 0x20000;
export const VGA_PORT_BASE = 0x3b0;
export const VGA_PORT_LENGTH = 0x30;

// Ports, as offsets from VGA_PORT_BASE. The CRTC answers at 0x3B4 or 0x3D4, as the miscellaneous output says.
const CRTC_INDEX_MONO = 0x04;
const CRTC_DATA_MONO = 0x05;
const STATUS1_MONO = 0x0a;
const ATTRIBUTE = 0x10;
const ATTRIBUTE_DATA_READ = 0x11;
/** Writes the miscellaneous output, reads input status 0. */
const MISC_WRITE = 0x12;
const SEQUENCER_INDEX = 0x14;
const SEQUENCER_DATA = 0x15;
const DAC_MASK = 0x16;
/** Writes the read index, reads the DAC's state. */
const DAC_READ_INDEX = 0x17;
const DAC_WRITE_INDEX = 0x18;
const DAC_DATA = 0x19;
const FEATURE_READ = 0x1a;
const MISC_READ = 0x1c;
const GRAPHICS_INDEX = 0x1e;
const GRAPHICS_DATA = 0x1f;
const CRTC_INDEX_COLOR = 0x24;
const CRTC_DATA_COLOR = 0x25;
const STATUS1_COLOR = 0x2a;
/** From here on the color set of the CRTC's ports; the same with 0x20 less is the monochrome set. */
const COLOR_PORTS = 0x20;

// CRT controller registers.
const CR_HORIZONTAL_DISPLAY_END = 0x01;
const CR_OVERFLOW = 0x07;
const CR_MAXIMUM_SCAN_LINE = 0x09;
const CR_CURSOR_START = 0x0a;
const CR_CURSOR_END = 0x0b;
const CR_START_ADDRESS_HIGH = 0x0c;
const CR_START_ADDRESS_LOW = 0x0d;
const CR_CURSOR_LOCATION_HIGH = 0x0e;
const CR_CURSOR_LOCATION_LOW = 0x0f;
const CR_VERTICAL_RETRACE_END = 0x11;
const CR_VERTICAL_DISPLAY_END = 0x12;
const CR_OFFSET = 0x13;
/** In CR_VERTICAL_RETRACE_END: registers 0–7 cannot be written, except the overflow register's line compare bit. */
const CR_PROTECT = 0x80;
const OVERFLOW_LINE_COMPARE = 0x10;
const CURSOR_OFF = 0x20;

const GR_MISCELLANEOUS = 0x06;
const GRAPHICS_MODE = 0x01;

/** Miscellaneous output, bit 0: CRTC at 0x3D4. */
const MISC_COLOR = 0x01;
/** Input status 0, bit 4: a monitor answers the DAC's comparator. */
const STATUS0_SENSE = 0x10;
// Input status 1.
const STATUS1_DISPLAY_DISABLED = 0x01;
const STATUS1_VERTICAL_RETRACE = 0x08;

// Registers of mode 3: 80×25 characters of 9×16 dots.
const MODE3_CRTC = [
  0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f,
  0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
];
const MODE3_SEQUENCER = [0x03, 0x00, 0x03, 0x00, 0x02];
const MODE3_GRAPHICS = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff];
const MODE3_ATTRIBUTE = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f,
  0x08, 0x00,
];
const MODE3_MISC = 0x67;

const CRTC_REGISTERS = 0x20;
const ATTRIBUTE_REGISTERS = 0x20;
const SEQUENCER_REGISTERS = 8;
const GRAPHICS_REGISTERS = 16;
const PALETTE_SIZE = 768;

// Mode 3's timing: 900 dots at 28.322 MHz make a line, 449 lines a frame (70.09 Hz).
const LINE_NS = (900 / 28.322e6) * 1e9;
const LINE_VISIBLE = 720 / 900;
const FRAME_LINES = 449;
const VISIBLE_LINES = 400;
const RETRACE_FIRST_LINE = 412;
const RETRACE_LAST_LINE = 413;

/** Bounds for what text() returns, whatever the guest programs. */
const MAX_COLUMNS = 160;
const MAX_ROWS = 64;

const STATE_VERSION = 1;

export interface TextCursor {
  /** From 0. Outside the screen when the guest put it there. */
  readonly row: number;
  readonly column: number;
  readonly visible: boolean;
  /** First and last scan line of a character that are lit. */
  readonly start: number;
  readonly end: number;
}

/**
 * Two register blocks: `memory` at 0xA0000 and `ports` at 0x3B0. The memory is plain memory, without the
 * graphics modes' planes. Starts in mode 3, as a BIOS leaves it.
 * Everything has a fixed size: a guest has nothing to exhaust.
 */
export class VgaText implements Stateful {
  readonly name = 'vga';
  readonly memory: BusDevice;
  readonly ports: ByteFace;
  private readonly bytes = new Uint8Array(VGA_MEMORY_LENGTH);
  private readonly crtc = registers(CRTC_REGISTERS, MODE3_CRTC);
  private readonly sequencer = registers(SEQUENCER_REGISTERS, MODE3_SEQUENCER);
  private readonly graphics = registers(GRAPHICS_REGISTERS, MODE3_GRAPHICS);
  private readonly attribute = registers(ATTRIBUTE_REGISTERS, MODE3_ATTRIBUTE);
  private readonly palette = defaultPalette();
  private crtcIndex = 0;
  private sequencerIndex = 0;
  private graphicsIndex = 0;
  /** With bit 5, palette address source. */
  private attributeIndex = 0x20;
  /** The next write to 0x3C0 is data. */
  private attributeFlipFlop = false;
  private misc = MODE3_MISC;
  private feature = 0;
  private dacMask = 0xff;
  private dacReading = false;
  /** Index of a palette byte: three for each color. */
  private dacAt = 0;
  /** Counts guest writes that may have changed the picture. */
  changes = 0;

  constructor(private readonly clock: Clock) {
    this.memory = {
      name: 'vga-memory',
      read: (offset, size) => this.readMemory(offset, size),
      write: (offset, size, value) => this.writeMemory(offset, size, value),
    };
    this.ports = new ByteFace(
      'vga',
      VGA_PORT_LENGTH,
      (offset) => this.readPort(offset),
      (offset, value) => this.writePort(offset, value),
    );
  }

  private readMemory(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= (this.bytes[offset + i] ?? 0xff) << (8 * i);
    return value >>> 0;
  }

  private writeMemory(offset: number, size: AccessSize, value: number): void {
    this.changes++;
    // Stores outside a typed array have no effect.
    for (let i = 0; i < size; i++) this.bytes[offset + i] = (value >>> (8 * i)) & 0xff;
  }

  /** Whether a CRTC or input status 1 port, of the color or the monochrome set, is the active one. */
  private selected(offset: number): boolean {
    return offset >= COLOR_PORTS === ((this.misc & MISC_COLOR) !== 0);
  }

  private readPort(offset: number): number {
    switch (offset) {
      case CRTC_INDEX_MONO:
      case CRTC_INDEX_COLOR:
        return this.selected(offset) ? this.crtcIndex : 0xff;
      case CRTC_DATA_MONO:
      case CRTC_DATA_COLOR:
        return this.selected(offset) ? this.crtc[this.crtcIndex] : 0xff;
      case STATUS1_MONO:
      case STATUS1_COLOR:
        if (!this.selected(offset)) return 0xff;
        this.attributeFlipFlop = false;
        return this.inputStatus1();
      case ATTRIBUTE:
        return this.attributeIndex;
      case ATTRIBUTE_DATA_READ:
        return this.attribute[this.attributeIndex & 0x1f];
      case MISC_WRITE:
        return STATUS0_SENSE;
      case SEQUENCER_INDEX:
        return this.sequencerIndex;
      case SEQUENCER_DATA:
        return this.sequencer[this.sequencerIndex];
      case DAC_MASK:
        return this.dacMask;
      case DAC_READ_INDEX:
        return this.dacReading ? 3 : 0;
      case DAC_WRITE_INDEX:
        return Math.floor(this.dacAt / 3);
      case DAC_DATA: {
        const value = this.palette[this.dacAt];
        this.dacAt = (this.dacAt + 1) % PALETTE_SIZE;
        return value;
      }
      case FEATURE_READ:
        return this.feature;
      case MISC_READ:
        return this.misc;
      case GRAPHICS_INDEX:
        return this.graphicsIndex;
      case GRAPHICS_DATA:
        return this.graphics[this.graphicsIndex];
      default:
        return 0xff;
    }
  }

  private writePort(offset: number, value: number): void {
    switch (offset) {
      case CRTC_INDEX_MONO:
      case CRTC_INDEX_COLOR:
        if (this.selected(offset)) this.crtcIndex = value & (CRTC_REGISTERS - 1);
        break;
      case CRTC_DATA_MONO:
      case CRTC_DATA_COLOR:
        if (this.selected(offset)) this.writeCrtc(value);
        break;
      case STATUS1_MONO:
      case STATUS1_COLOR:
        if (this.selected(offset)) this.feature = value;
        break;
      case ATTRIBUTE:
        if (this.attributeFlipFlop) {
          this.attribute[this.attributeIndex & 0x1f] = value;
          this.changes++;
        } else this.attributeIndex = value & 0x3f;
        this.attributeFlipFlop = !this.attributeFlipFlop;
        break;
      case MISC_WRITE:
        this.misc = value;
        break;
      case SEQUENCER_INDEX:
        this.sequencerIndex = value & (SEQUENCER_REGISTERS - 1);
        break;
      case SEQUENCER_DATA:
        this.sequencer[this.sequencerIndex] = value;
        break;
      case DAC_MASK:
        this.dacMask = value;
        break;
      case DAC_READ_INDEX:
        this.dacAt = value * 3;
        this.dacReading = true;
        break;
      case DAC_WRITE_INDEX:
        this.dacAt = value * 3;
        this.dacReading = false;
        break;
      case DAC_DATA:
        this.palette[this.dacAt] = value & 0x3f;
        this.dacAt = (this.dacAt + 1) % PALETTE_SIZE;
        this.changes++;
        break;
      case GRAPHICS_INDEX:
        this.graphicsIndex = value & (GRAPHICS_REGISTERS - 1);
        break;
      case GRAPHICS_DATA:
        this.graphics[this.graphicsIndex] = value;
        this.changes++;
        break;
    }
  }

  private writeCrtc(value: number): void {
    this.changes++;
    const index = this.crtcIndex;
    if (index <= CR_OVERFLOW && this.crtc[CR_VERTICAL_RETRACE_END] & CR_PROTECT) {
      if (index === CR_OVERFLOW) {
        this.crtc[index] = (this.crtc[index] & ~OVERFLOW_LINE_COMPARE) | (value & OVERFLOW_LINE_COMPARE);
      }
      return;
    }
    this.crtc[index] = value;
  }

  /** Where the beam is follows from the clock, so a guest that waits for the retrace gets it 70 times a second. */
  private inputStatus1(): number {
    const lines = this.clock.now() / LINE_NS;
    const line = Math.floor(lines) % FRAME_LINES;
    const retrace = line >= RETRACE_FIRST_LINE && line <= RETRACE_LAST_LINE;
    const blank = line >= VISIBLE_LINES || lines % 1 >= LINE_VISIBLE;
    return (retrace ? STATUS1_VERTICAL_RETRACE : 0) | (blank ? STATUS1_DISPLAY_DISABLED : 0);
  }

  /** Characters in a row, and rows. */
  get size(): { readonly columns: number; readonly rows: number } {
    const overflow = this.crtc[CR_OVERFLOW];
    const displayEnd =
      this.crtc[CR_VERTICAL_DISPLAY_END] | (overflow & 0x02 ? 0x100 : 0) | (overflow & 0x40 ? 0x200 : 0);
    const height = (this.crtc[CR_MAXIMUM_SCAN_LINE] & 0x1f) + 1;
    return {
      columns: Math.min(this.crtc[CR_HORIZONTAL_DISPLAY_END] + 1, MAX_COLUMNS),
      rows: Math.min(Math.floor((displayEnd + 1) / height), MAX_ROWS),
    };
  }

  /** Whether the guest has switched to graphics, so that there is no text to show. */
  get graphicsMode(): boolean {
    return (this.graphics[GR_MISCELLANEOUS] & GRAPHICS_MODE) !== 0;
  }

  /** Distance between two rows, in characters. */
  private get pitch(): number {
    return this.crtc[CR_OFFSET] * 2;
  }

  private get startAddress(): number {
    return (this.crtc[CR_START_ADDRESS_HIGH] << 8) | this.crtc[CR_START_ADDRESS_LOW];
  }

  /** Screen contents, row by row: the character's code in bits 0–7, its attribute in bits 8–15. */
  cells(): Uint16Array {
    const { columns, rows } = this.size;
    // Memory map select: where in the 128 KiB the adapter shows itself, and how much of it.
    const map = (this.graphics[GR_MISCELLANEOUS] >> 2) & 3;
    const base = [0, 0, 0x10000, 0x18000][map];
    const mask = [0x1ffff, 0xffff, 0x7fff, 0x7fff][map];
    const cells = new Uint16Array(columns * rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = base + ((2 * (this.startAddress + row * this.pitch + column)) & mask);
        cells[row * columns + column] = this.bytes[at] | (this.bytes[at + 1] << 8);
      }
    }
    return cells;
  }

  /** The screen as lines of equal length (25 of 80 in mode 3), empty in graphics modes. */
  text(): string[] {
    if (this.graphicsMode) return [];
    const { columns, rows } = this.size;
    const cells = this.cells();
    return Array.from({ length: rows }, (_, row) =>
      Array.from(cells.subarray(row * columns, (row + 1) * columns), (cell) => CP437[cell & 0xff]).join(''),
    );
  }

  cursor(): TextCursor {
    const location = (this.crtc[CR_CURSOR_LOCATION_HIGH] << 8) | this.crtc[CR_CURSOR_LOCATION_LOW];
    const position = (location - this.startAddress) & 0xffff;
    const pitch = Math.max(this.pitch, 1);
    const start = this.crtc[CR_CURSOR_START] & 0x1f;
    const end = this.crtc[CR_CURSOR_END] & 0x1f;
    return {
      row: Math.floor(position / pitch),
      column: position % pitch,
      visible: !(this.crtc[CR_CURSOR_START] & CURSOR_OFF) && start <= end,
      start,
      end,
    };
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      bytes: this.bytes.slice(),
      crtc: this.crtc.slice(),
      sequencer: this.sequencer.slice(),
      graphics: this.graphics.slice(),
      attribute: this.attribute.slice(),
      palette: this.palette.slice(),
      crtcIndex: this.crtcIndex,
      sequencerIndex: this.sequencerIndex,
      graphicsIndex: this.graphicsIndex,
      attributeIndex: this.attributeIndex,
      attributeFlipFlop: this.attributeFlipFlop,
      misc: this.misc,
      feature: this.feature,
      dacMask: this.dacMask,
      dacReading: this.dacReading,
      dacAt: this.dacAt,
    };
  }

  loadState(state: DeviceState): void {
    const r = new StateReader(this.name, state, STATE_VERSION);
    const bytes = r.uints('bytes', VGA_MEMORY_LENGTH, 0xff);
    const crtc = r.uints('crtc', CRTC_REGISTERS, 0xff);
    const sequencer = r.uints('sequencer', SEQUENCER_REGISTERS, 0xff);
    const graphics = r.uints('graphics', GRAPHICS_REGISTERS, 0xff);
    const attribute = r.uints('attribute', ATTRIBUTE_REGISTERS, 0xff);
    const palette = r.uints('palette', PALETTE_SIZE, 0x3f);
    const fields = {
      crtcIndex: r.uint('crtcIndex', CRTC_REGISTERS - 1),
      sequencerIndex: r.uint('sequencerIndex', SEQUENCER_REGISTERS - 1),
      graphicsIndex: r.uint('graphicsIndex', GRAPHICS_REGISTERS - 1),
      attributeIndex: r.uint('attributeIndex', 0x3f),
      attributeFlipFlop: r.flag('attributeFlipFlop'),
      misc: r.uint('misc', 0xff),
      feature: r.uint('feature', 0xff),
      dacMask: r.uint('dacMask', 0xff),
      dacReading: r.flag('dacReading'),
      dacAt: r.uint('dacAt', PALETTE_SIZE - 1),
    };
    this.bytes.set(bytes);
    this.crtc.set(crtc);
    this.sequencer.set(sequencer);
    this.graphics.set(graphics);
    this.attribute.set(attribute);
    this.palette.set(palette);
    Object.assign(this, fields);
    this.changes++;
  }
}

function registers(count: number, initial: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(count);
  bytes.set(initial);
  return bytes;
}

/** The 64 colors of an EGA, 6 bits for each of red, green and blue: what a BIOS loads for text. */
function defaultPalette(): Uint8Array {
  const palette = new Uint8Array(PALETTE_SIZE);
  for (let color = 0; color < 64; color++) {
    for (let component = 0; component < 3; component++) {
      const strong = (color >> (2 - component)) & 1;
      const weak = (color >> (5 - component)) & 1;
      palette[3 * color + component] = strong * 42 + weak * 21;
    }
  }
  return palette;
}
