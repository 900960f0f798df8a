// One ATA disk drive in PIO mode (ATA/ATAPI-6). The channel in ide.ts carries register accesses here.
//
// Every command is done by the time the OUT that started it returns, so BSY is only ever seen during a software
// reset. What a guest could try: sector counts up to 65536 in one command. Nothing is transferred but the block that
// the data port is at, at most 16 sectors, so the work done per access is bounded.

import type { DeviceState, Stateful } from '../vcpu/device.js';
import * as G from './ata-geometry.js';
import { identifyData } from './ata-identify.js';
import * as A from './ata-registers.js';
import { ADDRESSINGS, AtaTaskFile } from './ata-task-file.js';
import { type BlockBackend, SECTOR_SIZE } from './block-backend.js';
import { StateReader } from './state-reader.js';

/** What the data port is for at the moment. */
const TRANSFERS = ['none', 'identify', 'read', 'write'] as const;
type Transfer = (typeof TRANSFERS)[number];

export interface AtaDriveOptions {
  readonly backend: BlockBackend;
  /** Position on the cable. */
  readonly device: 0 | 1;
  readonly model?: string;
  readonly serial?: string;
}

const STATE_VERSION = 1;
const BUFFER_SIZE = A.MAX_MULTIPLE * SECTOR_SIZE;
const MAX_SECTORS = 2 ** 48;

/** A command that cannot be carried out: what goes into the error register, and perhaps DF into the status. */
class CommandFailure extends Error {
  constructor(
    readonly error: number,
    readonly statusBits = 0,
  ) {
    super('ATA command failed');
  }
}

export class AtaDrive implements Stateful {
  private readonly registers = new AtaTaskFile();
  private status = A.STATUS_READY;
  private error = A.DIAGNOSTIC_PASSED;
  private interrupt = false;
  private geometry: G.Geometry;
  private readonly defaultGeometry: G.Geometry;
  private multiple = 0;
  private writeCache = true;
  /** SET FEATURES 66h: settings survive a software reset. */
  private keepSettings = false;
  private power = A.POWER_ACTIVE;
  // The data transfer in progress: `left` sectors from `lba` on, in blocks of up to `blockSectors`.
  private transfer: Transfer = 'none';
  private lba = 0;
  private left = 0;
  private blockSectors = 1;
  private readonly buffer = new Uint8Array(BUFFER_SIZE);
  private position = 0;
  private length = 0;

  constructor(private readonly options: AtaDriveOptions) {
    this.defaultGeometry = G.geometryFor(this.sectors);
    this.geometry = this.defaultGeometry;
    this.registers.setSignature();
  }

  private get sectors(): number {
    return Math.min(this.options.backend.sectors, MAX_SECTORS);
  }

  // ---- registers

  /** INTRQ, before nIEN and selection gate it. */
  get interruptPending(): boolean {
    return this.interrupt;
  }

  readStatus(): number {
    return this.status;
  }

  /** Reading Status, unlike Alternate Status, acknowledges the interrupt (7.15). */
  acknowledgeInterrupt(): void {
    this.interrupt = false;
  }

  /** Features to Device, offsets 1–6. `hob` asks for the previous content (7.9). */
  readRegister(register: number, hob: boolean): number {
    if (register === A.ATA_FEATURES) return this.error;
    if (register === A.ATA_DEVICE) return this.registers.current[A.ATA_DEVICE] | A.DEVICE_OBSOLETE;
    return (hob ? this.registers.previous : this.registers.current)[register];
  }

  writeRegister(register: number, value: number): void {
    // While BSY is set the registers belong to the device (7.2).
    if ((this.status & A.STATUS_BSY) !== 0) return;
    this.registers.write(register, value);
  }

  /** The Device register selects between both drives, so both follow it even amid a transfer. */
  writeDevice(value: number): void {
    this.registers.current[A.ATA_DEVICE] = value;
  }

  beginSoftwareReset(): void {
    this.stopTransfer();
    this.interrupt = false;
    this.status = A.STATUS_BSY;
  }

  /** SRST went back to zero (9.2). */
  endSoftwareReset(): void {
    if (!this.keepSettings) {
      this.multiple = 0;
      this.writeCache = true;
      this.geometry = this.defaultGeometry;
    }
    this.runDiagnostics();
  }

  /** RESET line. */
  hardwareReset(): void {
    this.stopTransfer();
    this.interrupt = false;
    this.keepSettings = false;
    this.power = A.POWER_ACTIVE;
    this.registers.clear();
    this.endSoftwareReset();
  }

  /** EXECUTE DEVICE DIAGNOSTIC (8.11), which both drives obey whichever is selected. */
  diagnose(): void {
    this.stopTransfer();
    this.runDiagnostics();
    // Device 0 reports for both.
    if (this.options.device === 0) this.interrupt = true;
  }

  private runDiagnostics(): void {
    this.status = A.STATUS_READY;
    this.error = A.DIAGNOSTIC_PASSED;
    this.registers.setSignature();
  }

  // ---- commands

  command(code: number): void {
    if ((this.status & A.STATUS_BSY) !== 0) return;
    this.stopTransfer();
    this.interrupt = false;
    this.status = A.STATUS_READY;
    this.error = 0;
    this.attempt(() => this.execute(code));
  }

  private execute(code: number): void {
    // The low four bits of these two once gave the step rate.
    const family = code & 0xf0;
    const command = family === A.CMD_RECALIBRATE || family === A.CMD_SEEK ? family : code;
    switch (command) {
      case A.CMD_RECALIBRATE:
        this.complete();
        break;
      case A.CMD_SEEK:
        this.verify(this.startAddress(false), 1);
        break;
      case A.CMD_READ_SECTORS:
      case A.CMD_READ_SECTORS_NO_RETRY:
        this.startRead(false, 1);
        break;
      case A.CMD_READ_SECTORS_EXT:
        this.startRead(true, 1);
        break;
      case A.CMD_READ_MULTIPLE:
        this.startRead(false, this.multipleOrAbort());
        break;
      case A.CMD_READ_MULTIPLE_EXT:
        this.startRead(true, this.multipleOrAbort());
        break;
      case A.CMD_WRITE_SECTORS:
      case A.CMD_WRITE_SECTORS_NO_RETRY:
        this.startWrite(false, 1);
        break;
      case A.CMD_WRITE_SECTORS_EXT:
        this.startWrite(true, 1);
        break;
      case A.CMD_WRITE_MULTIPLE:
        this.startWrite(false, this.multipleOrAbort());
        break;
      case A.CMD_WRITE_MULTIPLE_EXT:
        this.startWrite(true, this.multipleOrAbort());
        break;
      case A.CMD_READ_VERIFY:
      case A.CMD_READ_VERIFY_NO_RETRY:
        this.verify(this.startAddress(false), this.registers.sectorCount(false));
        break;
      case A.CMD_READ_VERIFY_EXT:
        this.verify(this.startAddress(true), this.registers.sectorCount(true));
        break;
      case A.CMD_IDENTIFY_DEVICE:
        this.identify();
        break;
      case A.CMD_SET_MULTIPLE_MODE:
        this.setMultiple(this.registers.current[A.ATA_SECTOR_COUNT]);
        break;
      case A.CMD_INITIALIZE_DEVICE_PARAMETERS:
        this.setGeometry();
        break;
      case A.CMD_SET_FEATURES:
        this.setFeatures(this.registers.current[A.ATA_FEATURES]);
        break;
      case A.CMD_FLUSH_CACHE:
      case A.CMD_FLUSH_CACHE_EXT:
        this.useBackend(A.ERROR_ABRT, A.STATUS_DF, () => this.options.backend.flush());
        this.complete();
        break;
      case A.CMD_CHECK_POWER_MODE:
      case A.CMD_OLD_CHECK_POWER_MODE:
        this.registers.current[A.ATA_SECTOR_COUNT] = this.power;
        this.complete();
        break;
      case A.CMD_IDLE:
      case A.CMD_OLD_IDLE:
      case A.CMD_IDLE_IMMEDIATE:
      case A.CMD_OLD_IDLE_IMMEDIATE:
        this.setPower(A.POWER_IDLE);
        break;
      case A.CMD_STANDBY:
      case A.CMD_OLD_STANDBY:
      case A.CMD_STANDBY_IMMEDIATE:
      case A.CMD_OLD_STANDBY_IMMEDIATE:
      // Sleep would end only by a reset; there is nothing here to spin down, so it is standby by another name.
      case A.CMD_SLEEP:
      case A.CMD_OLD_SLEEP:
        this.setPower(A.POWER_STANDBY);
        break;
      default:
        throw new CommandFailure(A.ERROR_ABRT);
    }
  }

  /** Runs a step of a command and turns a failure into status and error. */
  private attempt(step: () => void): void {
    try {
      step();
    } catch (failure) {
      if (!(failure instanceof CommandFailure)) throw failure;
      this.stopTransfer();
      this.error = failure.error;
      this.status = A.STATUS_READY | A.STATUS_ERR | failure.statusBits;
      this.interrupt = true;
    }
  }

  private complete(): void {
    this.stopTransfer();
    this.status = A.STATUS_READY;
    this.interrupt = true;
  }

  /** Whatever the backend throws, the guest sees a drive with a defect. */
  private useBackend(error: number, statusBits: number, work: () => void): void {
    try {
      work();
    } catch {
      this.registers.reportAddress(this.lba, this.geometry);
      throw new CommandFailure(error, statusBits);
    }
  }

  private verify(lba: number, count: number): void {
    this.lba = lba;
    this.checkRange(lba, count);
    this.power = A.POWER_ACTIVE;
    this.complete();
  }

  private identify(): void {
    const { model = 'TSVM HARDDISK', serial = `TS${String(this.options.device + 1).padStart(8, '0')}` } = this.options;
    const data = identifyData({
      sectors: this.sectors,
      defaultGeometry: this.defaultGeometry,
      currentGeometry: this.geometry,
      multiple: this.multiple,
      writeCache: this.writeCache,
      serial,
      firmware: '1.0',
      model,
    });
    this.buffer.set(data);
    this.offerData('identify', data.length);
    this.interrupt = true;
  }

  private setMultiple(count: number): void {
    const powerOfTwo = (count & (count - 1)) === 0;
    if (count > A.MAX_MULTIPLE || !powerOfTwo) throw new CommandFailure(A.ERROR_ABRT);
    this.multiple = count;
    this.complete();
  }

  private multipleOrAbort(): number {
    if (this.multiple === 0) throw new CommandFailure(A.ERROR_ABRT);
    return this.multiple;
  }

  private setGeometry(): void {
    const sectorsPerTrack = this.registers.current[A.ATA_SECTOR_COUNT];
    if (sectorsPerTrack === 0) throw new CommandFailure(A.ERROR_ABRT);
    this.geometry = G.geometryFor(this.sectors, (this.registers.current[A.ATA_DEVICE] & 0xf) + 1, sectorsPerTrack);
    this.complete();
  }

  /** Subcommands of 8.46 that fit a drive without DMA. */
  private setFeatures(subcommand: number): void {
    const mode = this.registers.current[A.ATA_SECTOR_COUNT];
    switch (subcommand) {
      case 0x02:
        this.writeCache = true;
        break;
      case 0x82:
        this.useBackend(A.ERROR_ABRT, A.STATUS_DF, () => this.options.backend.flush());
        this.writeCache = false;
        break;
      case 0x03:
        // Transfer mode: PIO default (00h, 01h), or PIO flow control modes 0–4 (08h–0Ch).
        if (mode > 0x01 && (mode < 0x08 || mode > 0x0c)) throw new CommandFailure(A.ERROR_ABRT);
        break;
      case 0x66:
        this.keepSettings = true;
        break;
      case 0xcc:
        this.keepSettings = false;
        break;
      default:
        throw new CommandFailure(A.ERROR_ABRT);
    }
    this.complete();
  }

  private setPower(mode: number): void {
    this.power = mode;
    this.complete();
  }

  /** Throws IDNF when CHS names no sector. */
  private startAddress(extended: boolean): number {
    const lba = this.registers.startAddress(extended, this.geometry);
    if (lba === null) throw new CommandFailure(A.ERROR_IDNF);
    return lba;
  }

  /** Throws IDNF, with the first missing sector's address in the registers, unless all sectors exist. */
  private checkRange(lba: number, count: number): void {
    if (lba + count <= this.sectors) return;
    this.registers.reportAddress(Math.max(lba, this.sectors), this.geometry);
    throw new CommandFailure(A.ERROR_IDNF);
  }

  // ---- data transfer (PIO protocols, 9.5 to 9.7)

  private startRead(extended: boolean, blockSectors: number): void {
    this.startTransfer(extended, blockSectors);
    this.fetchBlock();
  }

  private startWrite(extended: boolean, blockSectors: number): void {
    if (this.options.backend.readOnly) throw new CommandFailure(A.ERROR_ABRT);
    this.startTransfer(extended, blockSectors);
    // The first block is asked for without an interrupt.
    this.requestBlock();
  }

  private requestBlock(): void {
    const count = Math.min(this.blockSectors, this.left);
    this.checkRange(this.lba, count);
    this.offerData('write', count * SECTOR_SIZE);
  }

  private startTransfer(extended: boolean, blockSectors: number): void {
    this.lba = this.startAddress(extended);
    this.left = this.registers.sectorCount(extended);
    this.blockSectors = blockSectors;
    this.power = A.POWER_ACTIVE;
  }

  private offerData(transfer: Transfer, length: number): void {
    this.transfer = transfer;
    this.position = 0;
    this.length = length;
    this.status = A.STATUS_READY | A.STATUS_DRQ;
  }

  private stopTransfer(): void {
    this.transfer = 'none';
    this.left = 0;
    this.position = 0;
    this.length = 0;
    this.status &= ~A.STATUS_DRQ;
  }

  /** Reads the next block for the guest, and says so by DRQ and an interrupt. */
  private fetchBlock(): void {
    const count = Math.min(this.blockSectors, this.left);
    this.checkRange(this.lba, count);
    const into = this.buffer.subarray(0, count * SECTOR_SIZE);
    this.useBackend(A.ERROR_UNC, 0, () => this.options.backend.read(this.lba, count, into));
    this.lba += count;
    this.left -= count;
    this.offerData('read', into.length);
    this.interrupt = true;
  }

  /** Writes the block that the guest has filled, and asks for the next or completes. */
  private storeBlock(): void {
    const count = this.length / SECTOR_SIZE;
    this.checkRange(this.lba, count);
    this.useBackend(A.ERROR_ABRT, A.STATUS_DF, () => {
      this.options.backend.write(this.lba, this.buffer.subarray(0, this.length));
      if (!this.writeCache) this.options.backend.flush();
    });
    this.lba += count;
    this.left -= count;
    if (this.left === 0) {
      this.finishAddress();
      this.complete();
      return;
    }
    this.requestBlock();
    this.interrupt = true;
  }

  /** After success the registers name the last sector, as drives before ATA-4 promised. */
  private finishAddress(): void {
    this.registers.current[A.ATA_SECTOR_COUNT] = 0;
    this.registers.reportAddress(this.lba - 1, this.geometry);
  }

  /** `size` bytes from the data port, least significant first; zeros when there are none. */
  readData(size: number): number {
    if (this.transfer !== 'read' && this.transfer !== 'identify') return 0;
    let value = 0;
    for (let i = 0; i < size && this.position < this.length; i++) {
      value |= this.buffer[this.position++] << (8 * i);
    }
    if (this.position >= this.length) this.attempt(() => this.finishRead());
    return value >>> 0;
  }

  private finishRead(): void {
    if (this.transfer === 'read' && this.left > 0) {
      this.fetchBlock();
      return;
    }
    // The last block was announced by its interrupt already: its end is silent (9.5).
    if (this.transfer === 'read') this.finishAddress();
    this.stopTransfer();
  }

  writeData(size: number, value: number): void {
    if (this.transfer !== 'write') return;
    for (let i = 0; i < size && this.position < this.length; i++) {
      this.buffer[this.position++] = (value >>> (8 * i)) & 0xff;
    }
    if (this.position >= this.length) this.attempt(() => this.storeBlock());
  }

  // ---- state: the drive's electronics; the sectors are the backend's

  saveState(): DeviceState {
    return {
      version: STATE_VERSION,
      sectors: this.sectors,
      current: [...this.registers.current],
      previous: [...this.registers.previous],
      status: this.status,
      error: this.error,
      interrupt: this.interrupt,
      heads: this.geometry.heads,
      sectorsPerTrack: this.geometry.sectorsPerTrack,
      multiple: this.multiple,
      writeCache: this.writeCache,
      keepSettings: this.keepSettings,
      power: this.power,
      transfer: this.transfer,
      addressing: this.registers.addressing,
      lba: this.lba,
      left: this.left,
      blockSectors: this.blockSectors,
      position: this.position,
      length: this.length,
      // Of a block to be written, only what the guest has delivered so far means anything.
      buffer: this.buffer.slice(0, this.transfer === 'write' ? this.position : this.length),
    };
  }

  loadState(state: DeviceState): void {
    const from = new StateReader(`ide drive ${this.options.device}`, state, STATE_VERSION);
    if (from.uint('sectors', MAX_SECTORS) !== this.sectors) from.refuse('sectors', `${this.sectors}, this disk's size`);
    const [current, previous] = [from.uints('current', 8, 0xff), from.uints('previous', 8, 0xff)];
    const [status, error] = [from.uint('status', 0xff), from.uint('error', 0xff)];
    const interrupt = from.flag('interrupt');
    const [heads, sectorsPerTrack] = [from.uint('heads', 16), from.uint('sectorsPerTrack', 0xff)];
    if (heads === 0 || sectorsPerTrack === 0) from.refuse('heads', 'a geometry');
    const multiple = from.uint('multiple', A.MAX_MULTIPLE);
    const [writeCache, keepSettings] = [from.flag('writeCache'), from.flag('keepSettings')];
    const power = from.uint('power', 0xff);
    const transfer = from.oneOf('transfer', TRANSFERS);
    const addressing = from.oneOf('addressing', ADDRESSINGS);
    const [lba, left] = [from.uint('lba', MAX_SECTORS), from.uint('left', 0x10000)];
    const blockSectors = from.uint('blockSectors', A.MAX_MULTIPLE);
    const length = from.uint('length', BUFFER_SIZE);
    const position = from.uint('position', length);
    const buffer = from.uints('buffer', transfer === 'write' ? position : length, 0xff);
    // A transfer moves whole sectors, and ends when the last of its bytes is moved.
    const moving = transfer !== 'none';
    if (moving !== ((status & A.STATUS_DRQ) !== 0)) from.refuse('status', 'that of the transfer');
    if (moving !== position < length || length % SECTOR_SIZE !== 0) from.refuse('length', 'whole sectors');
    if (blockSectors === 0) from.refuse('blockSectors', 'more than zero');
    if (transfer === 'write' && left * SECTOR_SIZE < length) from.refuse('left', 'as long as the block');

    this.registers.current.set(current);
    this.registers.previous.set(previous);
    this.status = status;
    this.error = error;
    this.interrupt = interrupt;
    this.geometry = G.geometryFor(this.sectors, heads, sectorsPerTrack);
    this.multiple = multiple;
    this.writeCache = writeCache;
    this.keepSettings = keepSettings;
    this.power = power;
    this.transfer = transfer;
    this.registers.addressing = addressing;
    this.lba = lba;
    this.left = left;
    this.blockSectors = blockSectors;
    this.buffer.set(buffer);
    this.position = position;
    this.length = length;
  }
}
