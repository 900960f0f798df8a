// The contract between a machine and whatever executes its guest: KVM or an emulator.

/** What a port or MMIO access may be wide, in bytes. Wider guest accesses arrive in pieces, lowest address first. */
export type AccessSize = 1 | 2 | 4;

/**
 * What a vCPU asks of the machine while it runs. I/O never surfaces as a VmExit: the vCPU calls back, so
 * that both back ends count and trace it in one place.
 */
export interface GuestBus {
  /** IN: `port` 0–0xFFFF; returns the value zero-extended to 32 bits (unsigned). */
  pioRead(port: number, size: AccessSize): number;
  /** OUT. */
  pioWrite(port: number, size: AccessSize, value: number): void;
  /** Load from a physical address that is not memory. */
  mmioRead(address: number, size: AccessSize): number;
  /** Store to a physical address that is not memory. */
  mmioWrite(address: number, size: AccessSize, value: number): void;
  /** Interrupt-acknowledge cycle: the vector of the most urgent interrupt (0–255), or -1 if none is left. */
  acknowledgeInterrupt(): number;
  /** CR8, which is bits 7–4 of the local APIC's task-priority register (SDM vol. 3, 11.8.6). */
  readTaskPriority(): number;
  writeTaskPriority(cr8: number): void;
  /** The guest wrote IA32_APIC_BASE (SDM vol. 3, 11.4.4). */
  writeApicBase(value: number): void;
  /** The machine's clock, in nanoseconds since the machine started. */
  now(): number;
}

/** Why `Vcpu.run` returned. */
export type VmExit =
  /** The slice ended, or kick() was called. */
  | { readonly reason: 'slice-end' }
  /** HLT: nothing to do until an interrupt arrives. */
  | { readonly reason: 'halt' }
  /** Triple fault, or its equivalent: the CPU stopped. `cause` says which exception could not be delivered. */
  | { readonly reason: 'shutdown'; readonly cause: string }
  /** VMCALL or VMMCALL. */
  | { readonly reason: 'hypercall' }
  /** A breakpoint was reached or a step was done; `pc` is the address of the next instruction. */
  | { readonly reason: 'debug'; readonly pc: bigint }
  /** The vCPU can take an interrupt now, and one had been waiting for that. */
  | { readonly reason: 'interrupt-window' }
  /** The back end cannot go on. `name` is an E_… code. */
  | { readonly reason: 'failed'; readonly name: string; readonly message: string };

export type VmExitReason = VmExit['reason'];

/** How long one `run` may take: whichever bound is reached first ends the slice. */
export interface Slice {
  /** Guest instructions at most. The emulator honours it to a block's length, KVM only when stepping. */
  readonly instructions: number;
  /** Host time at most, in nanoseconds. KVM honours it by a timer; the emulator works by instructions. */
  readonly nanoseconds: number;
}

/** What a vCPU counted since it was made. Names are stable: they appear in `--stats` files. */
export interface VcpuCounters {
  /** Guest instructions retired; null where the back end cannot know (KVM). */
  instructions: number | null;
  /** Exits by named reason: what a VMM sees, or, in the emulator, would have seen. */
  exits: Record<string, number>;
  /** Instructions that KVM refused and the emulator executed. */
  assists: number;
  /** Anything else worth printing, by name. */
  details: Record<string, number>;
}

/** One virtual CPU. `State` is the ISA's architectural state class. */
export interface Vcpu<State> {
  /** 'kvm' or 'emu', for messages. */
  readonly backend: string;
  /** Executes guest code until the slice ends or the machine is needed. */
  run(slice: Slice): VmExit;
  /** Makes the current or the next run() return soon. Callable from bus callbacks. */
  kick(): void;
  /** Level of the interrupt pin (INTR, or IRQ). The vCPU acknowledges through the bus when it can take it. */
  setInterruptLine(asserted: boolean): void;
  /** Edge on the NMI pin. */
  injectNmi(): void;
  /** Delivers `vector` as an external interrupt at the next boundary that allows it, bypassing the controllers. */
  inject(vector: number): void;
  /** Copies the architectural state out of, or into, the vCPU. Exact at every instruction boundary. */
  readState(into: State): void;
  writeState(from: State): void;
  /** Instruction addresses (linear) that end run() with 'debug' before they execute. */
  setBreakpoints(addresses: readonly bigint[]): void;
  /** Executes exactly one instruction (an interrupt or exception delivery counts as part of it). */
  step(): VmExit;
  /** The A20 gate: when false, physical address bit 20 is masked. */
  setA20(enabled: boolean): void;
  counters(): VcpuCounters;
  /** Frees what the host lent (file descriptors, mappings). */
  close(): void;
}

/** An error that a user is meant to read: a stable E_… code, one sentence of cause, what to do. */
export class TsvmError extends Error {
  readonly code: string;
  /** Process exit code: 125 tsvm's own error, 126 guest cannot run in this mode, 127 not found. */
  readonly exitCode: number;
  constructor(code: string, message: string, exitCode = 125) {
    super(message);
    this.name = 'TsvmError';
    this.code = code;
    this.exitCode = exitCode;
  }
}
