// An ATA channel with one or two drives, PIO only, as the PC has it at ports 0x1F0–0x1F7 and 0x3F6.

import type { BusDevice, DeviceState, IrqLine, Stateful } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import { AtaDrive } from './ata-drive.js';
import * as A from './ata-registers.js';
import type { BlockBackend } from './block-backend.js';
import { StateReader } from './state-reader.js';

export interface IdeChannelOptions {
  /** IRQ 14 on the first channel. */
  readonly irq: IrqLine;
  /** Device 0, and, if there is one, device 1. */
  readonly drives: readonly [BlockBackend] | readonly [BlockBackend, BlockBackend];
}

const STATE_VERSION = 1;

export class IdeChannel implements Stateful {
  /** Ports 0x1F0–0x1F7. */
  readonly commandBlock: BusDevice;
  /** Port 0x3F6. */
  readonly controlBlock: BusDevice;
  private readonly drives: readonly AtaDrive[];
  /** DEV bit of the Device register, which both drives see. */
  private selected = 0;
  private control = 0;

  constructor(private readonly options: IdeChannelOptions) {
    this.drives = options.drives.map((backend, i) => new AtaDrive({ backend, device: i === 0 ? 0 : 1 }));
    this.commandBlock = {
      name: 'ide',
      read: (offset, size) => this.readCommandBlock(offset, size),
      write: (offset, size, value) => this.writeCommandBlock(offset, size, value),
    };
    this.controlBlock = {
      name: 'ide-control',
      read: (offset, size) => byteAccess(offset, size, (at) => (at === 0 ? this.drive?.readStatus() : undefined)),
      write: (offset, _size, value) => {
        if (offset === 0) this.writeControl(value & 0xff);
      },
    };
  }

  /** RESET line of the cable. */
  reset(): void {
    this.selected = 0;
    this.control = 0;
    for (const drive of this.drives) drive.hardwareReset();
    this.updateInterrupt();
  }

  /** The selected drive; undefined when it is absent. */
  private get drive(): AtaDrive | undefined {
    return this.drives[this.selected];
  }

  private readCommandBlock(offset: number, size: AccessSize): number {
    // The data port is 16 bits wide; controllers split a 32-bit access into two.
    if (offset === A.ATA_DATA) {
      const value = this.drive?.readData(size) ?? 0;
      this.updateInterrupt();
      return value;
    }
    return byteAccess(offset, size, (at) => this.readRegister(at));
  }

  private readRegister(offset: number): number | undefined {
    if (offset > A.ATA_COMMAND || offset < A.ATA_DATA) return undefined;
    if (offset === A.ATA_DATA) return this.drive?.readData(1);
    // For an absent device 1, device 0 answers: status zero, its own registers otherwise (clause 9.16.1).
    if (offset !== A.ATA_COMMAND) {
      const value = (this.drive ?? this.drives[0]).readRegister(offset, (this.control & A.CONTROL_HOB) !== 0);
      return offset === A.ATA_DEVICE ? (value & ~A.DEVICE_DEV) | (this.selected * A.DEVICE_DEV) : value;
    }
    const status = this.drive?.readStatus();
    this.drive?.acknowledgeInterrupt();
    this.updateInterrupt();
    return status;
  }

  private writeCommandBlock(offset: number, size: AccessSize, value: number): void {
    if (offset === A.ATA_DATA) {
      this.drive?.writeData(size, value);
    } else {
      for (let i = 0; i < size; i++) this.writeRegister(offset + i, (value >>> (8 * i)) & 0xff);
    }
    this.updateInterrupt();
  }

  private writeRegister(offset: number, value: number): void {
    if (offset < A.ATA_FEATURES || offset > A.ATA_COMMAND) return;
    // Any write to the command block ends the view on the previous contents (7.9).
    this.control &= ~A.CONTROL_HOB;
    if (offset === A.ATA_COMMAND) {
      this.writeCommand(value);
    } else if (offset === A.ATA_DEVICE) {
      this.selected = (value & A.DEVICE_DEV) !== 0 ? 1 : 0;
      for (const drive of this.drives) drive.writeDevice(value);
    } else {
      // Both drives latch every register; only the selected one obeys commands.
      for (const drive of this.drives) drive.writeRegister(offset, value);
    }
  }

  private writeCommand(code: number): void {
    if ((this.control & A.CONTROL_SRST) !== 0) return;
    if (code === A.CMD_EXECUTE_DEVICE_DIAGNOSTIC) {
      for (const drive of this.drives) drive.diagnose();
      this.selected = 0;
    } else {
      this.drive?.command(code);
    }
  }

  private writeControl(value: number): void {
    const wasReset = (this.control & A.CONTROL_SRST) !== 0;
    const isReset = (value & A.CONTROL_SRST) !== 0;
    this.control = value & (A.CONTROL_HOB | A.CONTROL_SRST | A.CONTROL_NIEN);
    if (isReset && !wasReset) for (const drive of this.drives) drive.beginSoftwareReset();
    if (!isReset && wasReset) {
      this.selected = 0;
      for (const drive of this.drives) drive.endSoftwareReset();
    }
    this.updateInterrupt();
  }

  /** The selected drive drives INTRQ, while nIEN is zero (7.9). */
  private updateInterrupt(): void {
    const enabled = (this.control & A.CONTROL_NIEN) === 0;
    this.options.irq.set(enabled && (this.drive?.interruptPending ?? false));
  }

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      selected: this.selected,
      control: this.control,
      drives: this.drives.map((drive) => drive.saveState()),
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader('ide', state, STATE_VERSION);
    const [selected, control] = [from.uint('selected', 1), from.uint('control', 0xff)];
    const saved = state['drives'];
    if (!Array.isArray(saved) || saved.length !== this.drives.length) from.refuse('drives', 'as many as here');
    const before = this.drives.map((drive) => drive.saveState());
    try {
      this.drives.forEach((drive, i) => {
        drive.loadState((saved as DeviceState[])[i]);
      });
    } catch (error) {
      // The second drive may refuse after the first accepted.
      this.drives.forEach((drive, i) => {
        drive.loadState(before[i]);
      });
      throw error;
    }
    this.selected = selected;
    this.control = control;
    this.updateInterrupt();
  }
}

/** A wider access to byte registers touches several, lowest first. Nothing there reads as zero. */
function byteAccess(offset: number, size: AccessSize, read: (offset: number) => number | undefined): number {
  let value = 0;
  for (let i = 0; i < size; i++) value |= (read(offset + i) ?? 0) << (8 * i);
  return value >>> 0;
}
