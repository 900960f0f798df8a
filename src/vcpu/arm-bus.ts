// What an AArch64 vCPU asks of the machine while it runs.

import type { AccessSize } from './vcpu.js';

/** A timer's control and compare registers, CNT*_CTL and CNT*_CVAL (Arm ARM D11.2). */
export interface ArmTimerRegisters {
  /** Bit 0 ENABLE, bit 1 IMASK. ISTATUS is computed by whoever reads. */
  readonly control: number;
  /** Count at which the timer's condition becomes true, unsigned 64-bit. */
  readonly compare: bigint;
}

/** All that decides when the generic timers of a vCPU interrupt. Counts are of ARM_COUNTER_FREQUENCY. */
export interface ArmTimers {
  /** EL1 physical timer, compared with the physical count. */
  readonly physical: ArmTimerRegisters;
  /** EL1 virtual timer, compared with the physical count less `virtualOffset`. */
  readonly virtual: ArmTimerRegisters;
  /** EL2 physical timer. */
  readonly hypervisor: ArmTimerRegisters;
  /** CNTVOFF_EL2. */
  readonly virtualOffset: bigint;
}

/**
 * The bus side of an AArch64 vCPU. As with GuestBus, nothing here surfaces as a VmExit. Registers are named by their
 * encoding: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2.
 */
export interface ArmBus {
  /**
   * Load from a physical address that is not memory; -1 when nobody answers there, which is an external abort. A 64-bit
   * access comes in two pieces, lower half first.
   */
  mmioRead(address: number, size: AccessSize): number;
  /** Store to a physical address that is not memory; false when nobody answers there. */
  mmioWrite(address: number, size: AccessSize, value: number): boolean;
  /** The machine's clock, in nanoseconds since the machine started. */
  now(): number;
  /** Reads a GIC system register (ICC_*_EL1). Only asked when the machine has a GICv3. */
  gicRead(register: number): number;
  /** Writes one; `high` is the upper half, which only the SGI registers have. */
  gicWrite(register: number, low: number, high: number): void;
  /** A register of ArmTimers was written, or the guest unmasked what it had masked there. */
  timerChanged(): void;
  /**
   * A PSCI or SMC Calling Convention call: X0 (W0 holds the function), X1, X2, X3, unsigned 64-bit. Returns what
   * goes into X0. A call that ends the machine kicks the vCPU; the guest must not execute further.
   */
  psci(x0: bigint, x1: bigint, x2: bigint, x3: bigint): bigint;
}

/** What a board needs of an AArch64 vCPU beyond the Vcpu contract, whose interrupt line is the IRQ pin. */
export interface ArmPins {
  /** Level of the FIQ pin. */
  setFiqLine(asserted: boolean): void;
  /** The generic timers' registers as they stand now. Callable from bus callbacks. */
  timers(): ArmTimers;
}
