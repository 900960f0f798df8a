// One KVM virtual machine: its memory slots over the machine's WebAssembly.Memory.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import type { GuestMemory, MemoryRegion } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import * as IO from './ioctl.js';
import { checkIoctl, Kvm } from './kvm.js';
import {
  ENABLE_CAP_ARG0,
  ENABLE_CAP_CAP,
  KVM_ENABLE_CAP_SIZE,
  KVM_MEM_READONLY,
  KVM_USERSPACE_MEMORY_REGION_SIZE,
  REGION_FLAGS,
  REGION_GUEST_PHYS_ADDR,
  REGION_MEMORY_SIZE,
  REGION_SLOT,
  REGION_USERSPACE_ADDR,
} from './structs.js';

const MIB = 0x100000;

// On processors without "unrestricted guest", Intel's KVM runs real mode in a virtual-8086 task and needs room for a
// TSS (three pages) and an identity map (one page) in guest-physical space. These addresses lie between the local
// APIC's page and the firmware below 4 GiB, where a PC has nothing.
const IDENTITY_MAP_ADDR = 0xfeff_c000;
const TSS_ADDR = 0xfeff_d000;

/** The same memory seen at a second guest-physical address (firmware below 4 GiB). */
export interface MemoryAlias {
  readonly kind: 'ram' | 'rom';
  /** Where it appears. */
  readonly at: number;
  /** Guest-physical address, inside RAM, of what appears there. */
  readonly start: number;
  readonly size: number;
}

export interface KvmVmOptions {
  readonly memory: GuestMemory;
  /** What is backed by memory; everything else exits as MMIO. Must not overlap. */
  readonly regions: readonly MemoryRegion[];
  readonly aliases?: readonly MemoryAlias[];
}

interface Slot {
  readonly at: number;
  /** Offset from guest-physical 0 of the memory behind it. */
  readonly offset: number;
  readonly size: number;
  readonly rom: boolean;
}

export class KvmVm {
  readonly fd: number;
  readonly memory: GuestMemory;
  /** ROM is protected from guest writes; without the capability it is plain RAM. */
  readonly readonlyMemory: boolean;
  private readonly hostBase: number;
  private readonly wanted: readonly Slot[];
  private slots: readonly Slot[] = [];
  private a20 = true;
  private closed = false;

  /** Throws E_KVM_MEMORY for regions that are unaligned or outside the guest's memory. */
  constructor(
    readonly kvm: Kvm,
    options: KvmVmOptions,
  ) {
    this.memory = options.memory;
    this.hostBase = kvm.libc.addressOf(options.memory.memory.buffer) + GUEST_BASE;
    this.wanted = [
      ...options.regions.map((r) => ({ at: r.start, offset: r.start, size: r.size, rom: r.kind === 'rom' })),
      ...(options.aliases ?? []).map((a) => ({ at: a.at, offset: a.start, size: a.size, rom: a.kind === 'rom' })),
    ];
    for (const slot of this.wanted) this.checkSlot(slot);
    this.readonlyMemory = kvm.capability('READONLY_MEM') > 0;
    this.fd = kvm.createVm();
    try {
      this.reserveRealModePages();
      this.map(this.wanted);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Opens /dev/kvm for one VM; close() then closes both. */
  static create(options: KvmVmOptions): KvmVm {
    const kvm = Kvm.open();
    try {
      const vm = new KvmVm(kvm, options);
      vm.ownsKvm = true;
      return vm;
    } catch (error) {
      kvm.close();
      throw error;
    }
  }
  private ownsKvm = false;

  /** Whether a write to this guest-physical address goes to firmware, which ignores it. */
  isRom(address: number): boolean {
    return this.slots.some((s) => s.rom && address >= s.at && address < s.at + s.size);
  }

  /**
   * The A20 gate. KVM has no address mask, so the gate is a memory layout: while A20 is masked, the second megabyte
   * shows the first one, which is all that real-mode code can tell (its addresses end at 0x10FFEF). Odd megabytes
   * from the third upwards are not folded.
   */
  setA20(enabled: boolean): void {
    if (enabled === this.a20) return;
    this.a20 = enabled;
    this.map(enabled ? this.wanted : foldSecondMegabyte(this.wanted));
  }
  get a20Enabled(): boolean {
    return this.a20;
  }

  /** Enables a VM capability; false where KVM does not have it. */
  enableCapability(name: IO.KvmCapName, argument: number): boolean {
    const buffer = new ArrayBuffer(KVM_ENABLE_CAP_SIZE);
    const view = new DataView(buffer);
    view.setUint32(ENABLE_CAP_CAP, IO.KVM_CAPS[name], true);
    view.setUint32(ENABLE_CAP_ARG0, argument, true);
    return this.kvm.libc.ioctl(this.fd, IO.KVM_ENABLE_CAP, this.kvm.libc.addressOf(buffer)) >= 0;
  }

  createVcpu(id: number): number {
    return checkIoctl(this.kvm.libc.ioctl(this.fd, IO.KVM_CREATE_VCPU, id), 'KVM_CREATE_VCPU');
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.kvm.libc.close(this.fd);
    if (this.ownsKvm) this.kvm.close();
  }

  private checkSlot(slot: Slot): void {
    const aligned = [slot.at, slot.offset, slot.size].every((v) => Number.isSafeInteger(v) && v >= 0 && v % 4096 === 0);
    if (!aligned || slot.size === 0 || slot.offset + slot.size > this.memory.size) {
      throw new TsvmError(
        'E_KVM_MEMORY',
        `memory region 0x${slot.at.toString(16)}+0x${slot.size.toString(16)} is not page-aligned or not inside the guest's RAM`,
      );
    }
  }

  private reserveRealModePages(): void {
    const c = this.kvm.libc;
    if (this.kvm.capability('SET_IDENTITY_MAP_ADDR') > 0) {
      const address = new BigUint64Array([BigInt(IDENTITY_MAP_ADDR)]);
      checkIoctl(c.ioctl(this.fd, IO.KVM_SET_IDENTITY_MAP_ADDR, c.addressOf(address.buffer)), 'identity map address');
    }
    if (this.kvm.capability('SET_TSS_ADDR') > 0) {
      checkIoctl(c.ioctl(this.fd, IO.KVM_SET_TSS_ADDR, TSS_ADDR), 'KVM_SET_TSS_ADDR');
    }
  }

  /** Replaces all slots: KVM can neither move the memory behind a slot nor resize it. */
  private map(slots: readonly Slot[]): void {
    this.slots.forEach((slot, i) => {
      this.setRegion(i, { ...slot, size: 0 });
    });
    slots.forEach((slot, i) => {
      this.setRegion(i, slot);
    });
    this.slots = slots;
  }

  private setRegion(index: number, slot: Slot): void {
    const buffer = new ArrayBuffer(KVM_USERSPACE_MEMORY_REGION_SIZE);
    const view = new DataView(buffer);
    view.setUint32(REGION_SLOT, index, true);
    view.setUint32(REGION_FLAGS, slot.rom && this.readonlyMemory ? KVM_MEM_READONLY : 0, true);
    view.setBigUint64(REGION_GUEST_PHYS_ADDR, BigInt(slot.at), true);
    view.setBigUint64(REGION_MEMORY_SIZE, BigInt(slot.size), true);
    view.setBigUint64(REGION_USERSPACE_ADDR, BigInt(this.hostBase + slot.offset), true);
    const result = this.kvm.libc.ioctl(this.fd, IO.KVM_SET_USER_MEMORY_REGION, this.kvm.libc.addressOf(buffer));
    checkIoctl(result, `mapping guest memory at 0x${slot.at.toString(16)}`);
  }
}

/** What lies in 1–2 MiB goes; what lies in 0–1 MiB appears there a second time. */
export function foldSecondMegabyte<T extends { at: number; offset: number; size: number }>(slots: readonly T[]): T[] {
  const cut = (slot: T, from: number, to: number): T[] => {
    const start = Math.max(slot.at, from);
    const end = Math.min(slot.at + slot.size, to);
    return start < end ? [{ ...slot, at: start, offset: slot.offset + (start - slot.at), size: end - start }] : [];
  };
  return slots.flatMap((slot) => {
    const low = cut(slot, 0, MIB);
    return [...low, ...low.map((s) => ({ ...s, at: s.at + MIB })), ...cut(slot, 2 * MIB, Number.MAX_SAFE_INTEGER)];
  });
}
