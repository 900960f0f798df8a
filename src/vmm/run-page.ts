// struct kvm_run: the page that a vCPU shares with the kernel. The kernel describes each exit there, user space
// answers there, and with KVM_CAP_SYNC_REGS the registers travel there too.

import {
  KVM_REGS_SIZE,
  KVM_SREGS_SIZE,
  REGS_RIP,
  SREGS_APIC_BASE,
  SREGS_CR8,
  SREGS_CS,
  SREGS_EFER,
} from './structs.js';

// --- In ---
export const RUN_REQUEST_INTERRUPT_WINDOW = 0; // u8
export const RUN_IMMEDIATE_EXIT = 1; // u8
// --- Out ---
export const RUN_EXIT_REASON = 8; // u32
export const RUN_READY_FOR_INTERRUPT_INJECTION = 12; // u8
export const RUN_IF_FLAG = 13; // u8
// --- In and out, without an in-kernel local APIC ---
export const RUN_CR8 = 16; // u64
export const RUN_APIC_BASE = 24; // u64

// --- The union that depends on the exit reason starts at 32 ---
export const RUN_IO_DIRECTION = 32; // u8: 0 in, 1 out
export const RUN_IO_SIZE = 33; // u8
export const RUN_IO_PORT = 34; // u16
export const RUN_IO_COUNT = 36; // u32
export const RUN_IO_DATA_OFFSET = 40; // u64, from the start of the page
export const KVM_EXIT_IO_OUT = 1;

export const RUN_MMIO_PHYS_ADDR = 32; // u64
export const RUN_MMIO_DATA = 40; // u8[8]
export const RUN_MMIO_LEN = 48; // u32
export const RUN_MMIO_IS_WRITE = 52; // u8

export const RUN_DEBUG_PC = 40; // u64
export const RUN_DEBUG_DR6 = 48; // u64

export const RUN_FAIL_ENTRY_REASON = 32; // u64
export const RUN_SYSTEM_EVENT_TYPE = 32; // u32

export const RUN_INTERNAL_SUBERROR = 32; // u32
export const RUN_INTERNAL_NDATA = 36; // u32
/** With suberror EMULATION: u64 flags; bit 0 says that instruction bytes follow. */
export const RUN_EMULATION_FLAGS = 40;
export const RUN_EMULATION_INSN_SIZE = 48; // u8
export const RUN_EMULATION_INSN_BYTES = 49; // u8[15]

// --- Synchronized registers ---
export const RUN_KVM_VALID_REGS = 288; // u64: what the kernel stores at each exit
export const RUN_KVM_DIRTY_REGS = 296; // u64: what the kernel loads at the next entry
export const RUN_SYNC = 304;
export const SYNC_REGS = RUN_SYNC;
export const SYNC_SREGS = SYNC_REGS + KVM_REGS_SIZE;
export const SYNC_EVENTS = SYNC_SREGS + KVM_SREGS_SIZE;
export const KVM_SYNC_X86_REGS = 1;
export const KVM_SYNC_X86_SREGS = 2;
export const KVM_SYNC_X86_EVENTS = 4;
export const KVM_SYNC_X86_ALL = 7;

/** Size of struct kvm_run; the mapping is larger (KVM_GET_VCPU_MMAP_SIZE): port data follow. */
export const KVM_RUN_SIZE = 2352;

/** Exit reasons by number, named as in the KVM API document without KVM_EXIT_. */
export const EXIT_NAMES: readonly string[] = [
  'UNKNOWN',
  'EXCEPTION',
  'IO',
  'HYPERCALL',
  'DEBUG',
  'HLT',
  'MMIO',
  'IRQ_WINDOW_OPEN',
  'SHUTDOWN',
  'FAIL_ENTRY',
  'INTR',
  'SET_TPR',
  'TPR_ACCESS',
  'S390_SIEIC',
  'S390_RESET',
  'DCR',
  'NMI',
  'INTERNAL_ERROR',
  'OSI',
  'PAPR_HCALL',
  'S390_UCONTROL',
  'WATCHDOG',
  'S390_TSCH',
  'EPR',
  'SYSTEM_EVENT',
  'S390_STSI',
  'IOAPIC_EOI',
  'HYPERV',
  'ARM_NISV',
  'X86_RDMSR',
  'X86_WRMSR',
  'DIRTY_RING_FULL',
  'AP_RESET_HOLD',
  'X86_BUS_LOCK',
  'XEN',
  'RISCV_SBI',
  'RISCV_CSR',
  'NOTIFY',
  'LOONGARCH_IOCSR',
  'MEMORY_FAULT',
];

export const KVM_EXIT_IO = 2;
export const KVM_EXIT_HYPERCALL = 3;
export const KVM_EXIT_DEBUG = 4;
export const KVM_EXIT_HLT = 5;
export const KVM_EXIT_MMIO = 6;
export const KVM_EXIT_IRQ_WINDOW_OPEN = 7;
export const KVM_EXIT_SHUTDOWN = 8;
export const KVM_EXIT_FAIL_ENTRY = 9;
export const KVM_EXIT_INTR = 10;
export const KVM_EXIT_SET_TPR = 11;
export const KVM_EXIT_INTERNAL_ERROR = 17;
export const KVM_EXIT_SYSTEM_EVENT = 24;

/** More than there are; KVM's numbers are dense. */
export const EXIT_REASONS = 64;

/** Name of an exit reason; numbers newer than this table keep their number. */
export function exitName(reason: number): string {
  return EXIT_NAMES[reason] ?? `EXIT_${reason}`;
}

/** Suberrors of KVM_EXIT_INTERNAL_ERROR. */
export const KVM_INTERNAL_ERROR_EMULATION = 1;
const SUBERROR_NAMES: readonly string[] = ['UNKNOWN', 'EMULATION', 'SIMUL_EX', 'DELIVERY_EV', 'UNEXPECTED_EXIT_REASON'];

export function suberrorName(suberror: number): string {
  return SUBERROR_NAMES[suberror] ?? `SUBERROR_${suberror}`;
}

/** Typed access to the parts of kvm_run that the run loop reads and writes. The view must not outlive the mapping. */
export class RunPage {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Views on the synchronized register structures. */
  readonly regs: DataView;
  readonly sregs: DataView;
  readonly events: DataView;

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.regs = new DataView(buffer, SYNC_REGS, KVM_REGS_SIZE);
    this.sregs = new DataView(buffer, SYNC_SREGS, KVM_SREGS_SIZE);
    this.events = new DataView(buffer, SYNC_EVENTS, 64);
  }

  get exitReason(): number {
    return this.view.getUint32(RUN_EXIT_REASON, true);
  }
  set immediateExit(on: boolean) {
    this.bytes[RUN_IMMEDIATE_EXIT] = on ? 1 : 0;
  }
  get immediateExit(): boolean {
    return this.bytes[RUN_IMMEDIATE_EXIT] !== 0;
  }
  set requestInterruptWindow(on: boolean) {
    this.bytes[RUN_REQUEST_INTERRUPT_WINDOW] = on ? 1 : 0;
  }
  get readyForInterrupt(): boolean {
    return this.bytes[RUN_READY_FOR_INTERRUPT_INJECTION] !== 0;
  }
  get interruptFlag(): boolean {
    return this.bytes[RUN_IF_FLAG] !== 0;
  }
  /** Low 4 bits of CR8; the high 32 bits of the field are always zero. */
  get cr8(): number {
    return this.view.getUint32(RUN_CR8, true);
  }
  set cr8(value: number) {
    this.view.setUint32(RUN_CR8, value, true);
    this.view.setUint32(RUN_CR8 + 4, 0, true);
  }
  /** IA32_APIC_BASE. Physical addresses stay below 2^52, so a number holds it exactly. */
  get apicBase(): number {
    return this.view.getUint32(RUN_APIC_BASE, true) + this.view.getUint32(RUN_APIC_BASE + 4, true) * 0x1_0000_0000;
  }

  set validRegs(mask: number) {
    this.view.setUint32(RUN_KVM_VALID_REGS, mask, true);
    this.view.setUint32(RUN_KVM_VALID_REGS + 4, 0, true);
  }
  get dirtyRegs(): number {
    return this.view.getUint32(RUN_KVM_DIRTY_REGS, true);
  }
  set dirtyRegs(mask: number) {
    this.view.setUint32(RUN_KVM_DIRTY_REGS, mask, true);
    this.view.setUint32(RUN_KVM_DIRTY_REGS + 4, 0, true);
  }
  get rip(): bigint {
    return this.regs.getBigUint64(REGS_RIP, true);
  }
  /** Linear address of the next instruction, from the synchronized registers: CS has no base in 64-bit mode. */
  get linearPc(): bigint {
    const longCode = (this.sregs.getUint32(SREGS_EFER, true) & 0x400) !== 0 && this.sregs.getUint8(SREGS_CS + 19) !== 0;
    return longCode ? this.rip : (this.rip + this.sregs.getBigUint64(SREGS_CS, true)) & 0xffff_ffffn;
  }
  /** CR8 and APIC base as the synchronized special registers hold them, for checks against the page's own copies. */
  get syncedCr8(): bigint {
    return this.sregs.getBigUint64(SREGS_CR8, true);
  }
  get syncedApicBase(): bigint {
    return this.sregs.getBigUint64(SREGS_APIC_BASE, true);
  }

  /** The bytes of the instruction that the kernel's emulator refused, as far as the kernel tells. */
  refusedInstruction(): Uint8Array {
    const ndata = this.view.getUint32(RUN_INTERNAL_NDATA, true);
    const hasBytes = ndata >= 3 && (this.view.getUint32(RUN_EMULATION_FLAGS, true) & 1) !== 0;
    const size = hasBytes ? Math.min(15, this.bytes[RUN_EMULATION_INSN_SIZE]) : 0;
    return this.bytes.slice(RUN_EMULATION_INSN_BYTES, RUN_EMULATION_INSN_BYTES + size);
  }
}
