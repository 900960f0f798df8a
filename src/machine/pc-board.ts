// The `pc` board: physical memory map, devices, firmware tables, and how a guest starts on it.

import * as L from '../../assembly/layout/x86-state.js';
import type { BlockBackend } from '../devices/block-backend.js';
import type { UnclaimedAccess } from '../devices/bus.js';
import { type LoadedGuest, type LoadOptions, loadBios, loadGuest } from '../loaders/index.js';
import type { BusDevice, Clock } from '../vcpu/device.js';
import type { GuestMemory, MemoryRegion } from '../vcpu/guest-memory.js';
import * as P from '../vcpu/pc-ports.js';
import { TsvmError, type Vcpu } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import type { Board, BoardCounters } from './board.js';
import { describeAddress } from './known-addresses.js';
import type { MachineRequest } from './outcome.js';
import { PcBus } from './pc-bus.js';
import { PcDevices } from './pc-devices.js';
import { placeFirmwareTables, withVirtioWindows } from './pc-firmware.js';
import { countVirtio, dmaMemory, type VirtioPlan } from './virtio-slots.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Display memory, 128 KiB: always a device. */
const DISPLAY_START = 0xa0000;
const DISPLAY_END = 0xc0000;

/** How the guest starts: kept, because a reset starts it again. */
export interface PcBoot {
  /** The image, or for a disk at least its first sectors. */
  readonly image: Uint8Array;
  readonly load: LoadOptions;
  /** ROM for an image that boots from disk. */
  readonly bios?: Uint8Array | undefined;
}

export interface PcBoardOptions {
  readonly memory: GuestMemory;
  readonly clock: Clock;
  readonly boot: PcBoot;
  /** IDE drives, at most two; the first is BIOS drive 0x80. */
  readonly disks: readonly BlockBackend[];
  /** Devices behind virtio-mmio windows. */
  readonly virtio?: VirtioPlan | undefined;
  /** Takes each byte that the guest prints, on COM1 or the debug console. */
  readonly sink: (byte: number) => void;
  /** An access that no device answers ends the run instead of reading all ones. */
  readonly strictIo?: boolean;
}

/** A part of memory that appears at a second physical address. */
export interface PcMemoryAlias {
  readonly kind: 'rom';
  readonly at: number;
  readonly start: number;
  readonly size: number;
}

export class PcBoard implements Board<X86State> {
  readonly name = 'pc';
  readonly regions: readonly MemoryRegion[];
  /** The BIOS just below 4 GiB. The bus serves reads there; a back end that can map it saves that detour. */
  readonly aliases: readonly PcMemoryAlias[];
  readonly bus: PcBus;
  readonly haltCauses = {
    masked: 'HLT with interrupts disabled: only an NMI could end it, and nothing sends one',
    idle: 'HLT, but no timer is running and no input can arrive',
  };
  onRequest: (request: MachineRequest) => void = () => undefined;
  onWrite: () => void = () => undefined;

  private readonly options: PcBoardOptions;
  /** First byte of the BIOS; 1 MiB when there is none. */
  private readonly romStart: number;
  private vcpu: Vcpu<X86State> | undefined;
  private executingRip: (() => bigint) | undefined;
  private memoryWritten: ((address: number, length: number) => void) | undefined;
  private devices: PcDevices;
  private loaded: LoadedGuest | undefined;
  private intr = false;
  /** An NMI was sent since the vCPU was last found halted. */
  private nmiSent = false;

  constructor(options: PcBoardOptions) {
    this.options = options;
    const { memory, boot, virtio = {} } = options;
    if (countVirtio(virtio) > P.VIRTIO_SLOTS) {
      const found = `${countVirtio(virtio)} virtio devices are attached, and the pc board takes ${P.VIRTIO_SLOTS}`;
      throw new TsvmError('E_DISK_COUNT', `${found}. Leave some disks out.`);
    }
    // Refuses a ROM of an impossible size before anything depends on it.
    const bios = boot.bios ? loadBios(memory, boot.bios) : undefined;
    this.romStart = bios?.rom.start ?? MIB;
    this.regions = memoryRegions(memory.size, this.romStart);
    this.aliases = bios ? [{ ...bios.rom, kind: 'rom', at: bios.aliasStart }] : [];
    this.bus = new PcBus({
      regions: this.regions,
      now: () => options.clock.now(),
      onUnclaimed: (access) => this.unclaimed(access),
      onWrite: () => this.onWrite(),
    });
    this.devices = this.makeDevices();
  }

  connect(
    vcpu: Vcpu<X86State>,
    executingRip?: () => bigint,
    memoryWritten?: (address: number, length: number) => void,
  ): void {
    this.vcpu = vcpu;
    this.executingRip = executingRip;
    this.memoryWritten = memoryWritten;
  }

  /** COM1, the display and the keyboard of this power cycle. */
  get serial(): PcDevices['uart'] {
    return this.devices.uart;
  }
  get display(): PcDevices['vga'] {
    return this.devices.vga;
  }
  get keyboard(): PcDevices['keyboard'] {
    return this.devices.keyboard;
  }
  /** The virtio console, if there is one. */
  get console(): PcDevices['console'] {
    return this.devices.console;
  }

  /** What stands in memory; undefined before powerOn(). */
  get guest(): LoadedGuest | undefined {
    return this.loaded;
  }

  powerOn(state: X86State): void {
    const { memory, boot } = this.options;
    this.intr = false;
    this.nmiSent = false;
    this.vcpu?.setInterruptLine(false);
    this.vcpu?.setA20(true);
    this.devices = this.makeDevices();

    const { disks, virtio = {} } = this.options;
    const windows = countVirtio(virtio);
    const rsdpAddress = placeFirmwareTables(memory, this.romStart, disks.length > 0, windows);
    const commandLine = withVirtioWindows(boot.load.commandLine, windows);
    this.loaded = loadGuest(boot.image, memory, { ...boot.load, commandLine, rsdpAddress });
    if (this.loaded.needsBios) {
      if (!boot.bios)
        throw new TsvmError('E_BIOS_MISSING', 'this image boots from disk and needs a BIOS. Give --bios FILE.');
      loadBios(memory, boot.bios);
    }
    X86State.reset(state);
    this.loaded.writeState(state);
  }

  deadline(): number {
    return this.devices.deadline();
  }

  advance(now: number): void {
    this.devices.advance(now);
  }

  wakesFromHalt(state: X86State): boolean {
    const nmi = this.nmiSent;
    this.nmiSent = false;
    return nmi || (this.intr && interruptsEnabled(state));
  }

  canWakeFromHalt(state: X86State): boolean {
    return interruptsEnabled(state) || this.nmiSent || state.u32(L.S_NMI_PENDING) !== 0;
  }

  counters(): BoardCounters {
    return this.bus.counters();
  }

  private makeDevices(): PcDevices {
    const { clock, memory, disks, virtio = {}, sink } = this.options;
    const devices = new PcDevices({
      clock,
      ramSize: memory.size,
      disks,
      virtio,
      memory: dmaMemory(memory, (address, length) => this.memoryWritten?.(address, length)),
      sink,
      request: (request) => this.onRequest(request),
      intr: {
        set: (level) => {
          this.intr = level;
          this.vcpu?.setInterruptLine(level);
        },
      },
      nmi: () => {
        this.nmiSent = true;
        this.vcpu?.injectNmi();
      },
      a20: (enabled) => this.vcpu?.setA20(enabled),
    });
    this.bus.install(
      devices,
      this.aliases.map((alias) => ({ ...alias, device: romDevice(memory, alias) })),
    );
    return devices;
  }

  private currentRip(): bigint {
    if (this.executingRip) return this.executingRip();
    const state = new X86State();
    this.vcpu?.readState(state);
    return state.rip;
  }

  private unclaimed(access: UnclaimedAccess): void {
    if (!this.options.strictIo) return;
    const where = describeAddress(access.space, access.address);
    const value = access.value === undefined ? '' : ` of 0x${access.value.toString(16)}`;
    this.onRequest({
      kind: 'failed',
      name: 'E_STRICT_IO',
      message:
        `${access.kind}${value} (${access.size} byte${access.size > 1 ? 's' : ''}) at ${where}, where no device is, ` +
        `rip=0x${this.currentRip().toString(16)}. Without --strict-io it reads all ones and writes are ignored.`,
    });
  }
}

function interruptsEnabled(state: X86State): boolean {
  return (state.u64(L.S_RFLAGS) & BigInt(L.FLAG_IF)) !== 0n;
}

/** RAM everywhere but for the display's window and the ROM, which ends at 1 MiB. */
export function memoryRegions(ramSize: number, romStart: number): MemoryRegion[] {
  const regions: MemoryRegion[] = [
    { kind: 'ram', start: 0, size: DISPLAY_START },
    { kind: 'ram', start: DISPLAY_END, size: romStart - DISPLAY_END },
    { kind: 'rom', start: romStart, size: MIB - romStart },
    { kind: 'ram', start: MIB, size: ramSize - MIB },
  ];
  return regions.filter((region) => region.size > 0);
}

function romDevice(memory: GuestMemory, alias: PcMemoryAlias): BusDevice {
  return {
    name: 'bios-rom',
    read: (offset, size) => {
      let value = 0;
      for (let i = 0; i < size; i++) value += memory.readU8(alias.start + offset + i) * 2 ** (8 * i);
      return value;
    },
    write: () => undefined,
  };
}
