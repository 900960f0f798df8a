// KVM's ioctl numbers, built as Linux builds them (include/uapi/asm-generic/ioctl.h) from direction, number and
// argument size, so that a wrong structure layout cannot hide behind a copied magic number.

import {
  KVM_CPUID2_SIZE,
  KVM_DEBUGREGS_SIZE,
  KVM_DEVICE_ATTR_SIZE,
  KVM_ENABLE_CAP_SIZE,
  KVM_GUEST_DEBUG_SIZE,
  KVM_MSRS_SIZE,
  KVM_REGS_SIZE,
  KVM_SREGS_SIZE,
  KVM_USERSPACE_MEMORY_REGION_SIZE,
  KVM_VCPU_EVENTS_SIZE,
  KVM_XCRS_SIZE,
  KVM_XSAVE_SIZE,
} from './structs.js';

/** The argument is not a structure that moves (none, or a plain integer). */
export const IOC_NONE = 0;
/** User space writes the argument, the kernel reads it. */
export const IOC_WRITE = 1;
/** The kernel fills the argument. */
export const IOC_READ = 2;

/** The letter under which KVM's ioctls are registered. */
export const KVMIO = 0xae;

/** Direction in bits 31–30, argument size in 29–16, type in 15–8, number in 7–0. */
export function ioc(direction: number, nr: number, size: number): number {
  if (size >= 1 << 14 || nr > 0xff) throw new RangeError(`ioctl 0x${nr.toString(16)} does not fit: size ${size}`);
  return ((direction << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0;
}

const io = (nr: number) => ioc(IOC_NONE, nr, 0);
const iow = (nr: number, size: number) => ioc(IOC_WRITE, nr, size);
const ior = (nr: number, size: number) => ioc(IOC_READ, nr, size);
const iowr = (nr: number, size: number) => ioc(IOC_READ | IOC_WRITE, nr, size);

// --- On /dev/kvm ---
export const KVM_GET_API_VERSION = io(0x00);
export const KVM_CREATE_VM = io(0x01);
export const KVM_CHECK_EXTENSION = io(0x03);
export const KVM_GET_VCPU_MMAP_SIZE = io(0x04);
export const KVM_GET_SUPPORTED_CPUID = iowr(0x05, KVM_CPUID2_SIZE);

// --- On a VM ---
export const KVM_CREATE_VCPU = io(0x41);
export const KVM_SET_USER_MEMORY_REGION = iow(0x46, KVM_USERSPACE_MEMORY_REGION_SIZE);
export const KVM_SET_TSS_ADDR = io(0x47);
export const KVM_SET_IDENTITY_MAP_ADDR = iow(0x48, 8);
export const KVM_ENABLE_CAP = iow(0xa3, KVM_ENABLE_CAP_SIZE);

// --- On a vCPU ---
export const KVM_RUN = io(0x80);
export const KVM_GET_REGS = ior(0x81, KVM_REGS_SIZE);
export const KVM_SET_REGS = iow(0x82, KVM_REGS_SIZE);
export const KVM_GET_SREGS = ior(0x83, KVM_SREGS_SIZE);
export const KVM_SET_SREGS = iow(0x84, KVM_SREGS_SIZE);
/** struct kvm_interrupt: one u32, the vector. */
export const KVM_INTERRUPT = iow(0x86, 4);
export const KVM_GET_MSRS = iowr(0x88, KVM_MSRS_SIZE);
export const KVM_SET_MSRS = iow(0x89, KVM_MSRS_SIZE);
export const KVM_SET_CPUID2 = iow(0x90, KVM_CPUID2_SIZE);
export const KVM_NMI = io(0x9a);
export const KVM_SET_GUEST_DEBUG = iow(0x9b, KVM_GUEST_DEBUG_SIZE);
export const KVM_GET_VCPU_EVENTS = ior(0x9f, KVM_VCPU_EVENTS_SIZE);
export const KVM_SET_VCPU_EVENTS = iow(0xa0, KVM_VCPU_EVENTS_SIZE);
export const KVM_GET_DEBUGREGS = ior(0xa1, KVM_DEBUGREGS_SIZE);
export const KVM_SET_DEBUGREGS = iow(0xa2, KVM_DEBUGREGS_SIZE);
export const KVM_GET_TSC_KHZ = io(0xa3);
export const KVM_GET_XSAVE = ior(0xa4, KVM_XSAVE_SIZE);
export const KVM_SET_XSAVE = iow(0xa5, KVM_XSAVE_SIZE);
export const KVM_GET_XCRS = ior(0xa6, KVM_XCRS_SIZE);
export const KVM_SET_XCRS = iow(0xa7, KVM_XCRS_SIZE);
export const KVM_GET_STATS_FD = io(0xce);
export const KVM_SET_DEVICE_ATTR = iow(0xe1, KVM_DEVICE_ATTR_SIZE);
export const KVM_GET_DEVICE_ATTR = iow(0xe2, KVM_DEVICE_ATTR_SIZE);

/** The API version that every KVM since Linux 2.6.22 reports; anything else must be refused (KVM API, 4.1). */
export const KVM_API_VERSION = 12;

/** Capabilities that tsvm asks for or reports, by the name of KVM's API document without KVM_CAP_. */
export const KVM_CAPS = {
  IRQCHIP: 0,
  USER_MEMORY: 3,
  SET_TSS_ADDR: 4,
  EXT_CPUID: 7,
  NR_MEMSLOTS: 10,
  SYNC_MMU: 16,
  USER_NMI: 22,
  SET_GUEST_DEBUG: 23,
  SET_IDENTITY_MAP_ADDR: 37,
  INTERNAL_ERROR_DATA: 40,
  VCPU_EVENTS: 41,
  DEBUGREGS: 50,
  XSAVE: 55,
  XCRS: 56,
  TSC_CONTROL: 60,
  GET_TSC_KHZ: 61,
  SYNC_REGS: 74,
  READONLY_MEM: 81,
  IMMEDIATE_EXIT: 136,
  BINARY_STATS_FD: 203,
  EXIT_ON_EMULATION_FAILURE: 204,
} as const;

export type KvmCapName = keyof typeof KVM_CAPS;
