// /dev/kvm itself: opening it with errors a user can act on, capabilities, the CPUID that the back end supports.

import type { CpuidEntry } from '../vcpu/cpu-model.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { decodeCpuid } from './cpuid.js';
import * as IO from './ioctl.js';
import {
  E2BIG,
  EACCES,
  ENODEV,
  ENOENT,
  ENXIO,
  EPERM,
  type Libc,
  libc,
  type Mapping,
  O_CLOEXEC,
  O_RDWR,
} from './libc.js';
import { KVM_CPUID_ENTRY2_SIZE, KVM_CPUID2_SIZE } from './structs.js';

export const KVM_DEVICE = '/dev/kvm';

/** Throws the named error for a failed ioctl, with what was being tried. */
export function checkIoctl(result: number, what: string): number {
  if (result < 0) throw new TsvmError('E_KVM_IOCTL', `${what} failed with errno ${-result}`, 126);
  return result;
}

export class Kvm {
  private closed = false;

  private constructor(
    readonly libc: Libc,
    readonly fd: number,
    /** Bytes to map for a vCPU's kvm_run and the port data behind it. */
    readonly vcpuMmapSize: number,
  ) {}

  /** Opens /dev/kvm. Throws E_KOFFI, E_KVM_ABSENT, E_KVM_PERMISSION or E_KVM_VERSION, each saying what to do. */
  static open(device = KVM_DEVICE): Kvm {
    const c = libc();
    const fd = c.open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0) throw openError(device, -fd);
    try {
      const version = c.ioctl(fd, IO.KVM_GET_API_VERSION, 0);
      if (version !== IO.KVM_API_VERSION) {
        throw new TsvmError(
          'E_KVM_VERSION',
          `${device} ${version < 0 ? 'is not KVM' : `speaks KVM API ${version}`}: API ${IO.KVM_API_VERSION} is needed. Use --mode emu.`,
          126,
        );
      }
      const size = checkIoctl(c.ioctl(fd, IO.KVM_GET_VCPU_MMAP_SIZE, 0), 'KVM_GET_VCPU_MMAP_SIZE');
      return new Kvm(c, fd, size);
    } catch (error) {
      c.close(fd);
      throw error;
    }
  }

  /** The capability's value: 0 where it is absent. */
  capability(name: IO.KvmCapName): number {
    return Math.max(0, this.libc.ioctl(this.fd, IO.KVM_CHECK_EXTENSION, IO.KVM_CAPS[name]));
  }

  /** What KVM can present to a guest (KVM_GET_SUPPORTED_CPUID). */
  supportedCpuid(): CpuidEntry[] {
    // The kernel answers E2BIG until the array is large enough; its own limit is 256 entries.
    for (let entries = 64; entries <= 1024; entries *= 2) {
      const buffer = new ArrayBuffer(KVM_CPUID2_SIZE + entries * KVM_CPUID_ENTRY2_SIZE);
      new DataView(buffer).setUint32(0, entries, true);
      const result = this.libc.ioctl(this.fd, IO.KVM_GET_SUPPORTED_CPUID, this.libc.addressOf(buffer));
      if (result !== -E2BIG) {
        checkIoctl(result, 'KVM_GET_SUPPORTED_CPUID');
        return decodeCpuid(buffer);
      }
    }
    throw new TsvmError('E_KVM_IOCTL', 'KVM_GET_SUPPORTED_CPUID wants more than 1024 entries', 126);
  }

  /** A new VM's file descriptor. */
  createVm(): number {
    return checkIoctl(this.libc.ioctl(this.fd, IO.KVM_CREATE_VM, 0), 'KVM_CREATE_VM');
  }

  mapVcpu(vcpuFd: number): Mapping {
    return this.libc.map(vcpuFd, this.vcpuMmapSize);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.libc.close(this.fd);
  }
}

function openError(device: string, errno: number): TsvmError {
  switch (errno) {
    case ENOENT:
      return new TsvmError(
        'E_KVM_ABSENT',
        `${device} does not exist: this host offers no KVM (no virtualization extensions, or their module is not loaded, or a container hides the device). Use --mode emu.`,
        126,
      );
    case ENODEV:
    case ENXIO:
      return new TsvmError(
        'E_KVM_ABSENT',
        `${device} exists, but no KVM back end (kvm_intel, kvm_amd) answers behind it: virtualization may be switched off in the firmware. Use --mode emu.`,
        126,
      );
    case EACCES:
    case EPERM:
      return new TsvmError(
        'E_KVM_PERMISSION',
        `${device} may not be opened by this user: join the group that owns it (usermod -aG kvm USER, then log in again), or use --mode emu.`,
        126,
      );
    default:
      return new TsvmError('E_KVM_ABSENT', `${device} cannot be opened (errno ${errno}). Use --mode emu.`, 126);
  }
}
