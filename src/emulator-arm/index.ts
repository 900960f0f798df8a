// The TypeScript side of the AArch64 core: instantiation, host calls, state transfer, the Vcpu contract.

import * as L from '../../assembly/layout/arm-state.js';
import { type ArmFeatures, writeSystemRegisters } from '../../assembly/layout/arm-sysregs.js';
import * as EXIT from '../../assembly/layout/exits.js';
import {
  DECODE_TABLE,
  GUEST_BASE,
  PAGE_INFO,
  PAGE_MMIO,
  PAGE_RAM,
  PAGE_ROM,
  STATE,
} from '../../assembly/layout/memory.js';
import { coreModule } from '../emulator/core-module.js';
import { guardWith } from '../emulator/guarded.js';
import { Jit, type JitOptions } from '../emulator/jit.js';
import type { ArmBus, ArmPins, ArmTimerRegisters, ArmTimers } from '../vcpu/arm-bus.js';
import { ArmState } from '../vcpu/arm-state.js';
import type { MemoryRegion } from '../vcpu/guest-memory.js';
import type { AccessSize, Slice, Vcpu, VcpuCounters, VmExit } from '../vcpu/vcpu.js';

/** What the core exports (assembly/arm/index.ts). */
interface CoreExports {
  start(): void;
  run(instructions: number): number;
  stateOut(): void;
  stateIn(): void;
  invalidateAll(): void;
  memoryWritten(address: number, size: number): void;
  breakpointsClear(): void;
  breakpointAdd(low: number, high: number): number;
  instructionCount(): number;
  executingRip(): bigint;
  statBlocksBuilt(): number;
  statBlocksDropped(): number;
  statCacheFlushes(): number;
  statBlockBytes(): number;
}

export interface ArmEmulatorOptions {
  /** From createGuestMemory: guest physical address ARM_RAM_BASE is byte GUEST_BASE. */
  readonly memory: WebAssembly.Memory;
  /** Bytes of RAM, at most MAX_GUEST_RAM. */
  readonly ramSize: number;
  /** What backs guest physical addresses; nothing below ARM_RAM_BASE can. All of RAM if not given. */
  readonly regions?: readonly MemoryRegion[];
  readonly bus: ArmBus;
  /** build/arm.wasm, as bytes or compiled. */
  readonly wasm: BufferSource | WebAssembly.Module;
  /** Without EL2 or the GIC's system registers if not given. */
  readonly features?: Partial<ArmFeatures> | undefined;
  /** Compiles hot code; if not given, everything is interpreted. */
  readonly jit?: JitOptions | undefined;
}

/** A memory for a machine with `ramBytes` of RAM. Its size never changes, so its address does not either. */
export function createGuestMemory(ramBytes: number): WebAssembly.Memory {
  const pages = Math.ceil((GUEST_BASE + ramBytes) / 65536);
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** Instantiates the core over `options.memory`. */
export function createEmulatedArmVcpu(options: ArmEmulatorOptions): EmulatedArmVcpu {
  return new EmulatedArmVcpu(options, coreModule(options.wasm));
}

export class EmulatedArmVcpu implements Vcpu<ArmState>, ArmPins {
  readonly backend = 'emu';
  readonly features: ArmFeatures;
  /** The core's live state. Call core.stateOut() before reading NZCV from it. */
  private readonly live: ArmState;
  private readonly words: DataView;
  private readonly core: CoreExports;
  private readonly jit: Jit;
  private hostError: unknown = null;

  constructor(
    private readonly options: ArmEmulatorOptions,
    module: WebAssembly.Module,
  ) {
    const { memory } = options;
    this.features = { el2: false, gicRegisters: false, ...options.features };
    this.jit = new Jit(memory, options.jit, () => performance.now());
    this.live = new ArmState(memory.buffer, STATE);
    this.words = new DataView(memory.buffer);
    writeSystemRegisters(this.words, DECODE_TABLE, this.features);
    const instance = new WebAssembly.Instance(module, this.imports());
    this.core = instance.exports as unknown as CoreExports;
    this.mapRegions(options.regions ?? [{ kind: 'ram', start: L.ARM_RAM_BASE, size: options.ramSize }], false);
    this.core.start();
    const el2 = this.features.el2 ? L.ARM_HAS_EL2 : 0;
    const gic = this.features.gicRegisters ? L.ARM_HAS_GIC_REGISTERS : 0;
    this.setWord(L.S_ARM_FEATURES, el2 | gic);
    this.jit.attach(instance.exports);
    this.reset();
  }

  /** As after a cold reset, at the highest exception level, PC 0. */
  reset(): void {
    ArmState.reset(this.live, this.features.el2 ? 2 : 1);
    this.core.stateIn();
  }

  /** Imports of the core (assembly/arm/host.ts). What one of them throws is thrown again after the slice. */
  private imports(): WebAssembly.Imports {
    const { bus, memory } = this.options;
    const guarded = guardWith((error) => {
      this.hostError ??= error;
      this.kick();
    });
    return {
      env: { memory, abort: () => this.abort() },
      host: {
        mmioRead: guarded((address: number, size: number) => {
          const value = bus.mmioRead(address >>> 0, size as AccessSize);
          if (value < 0) this.setWord(L.S_BUS_ERROR, 1);
          return value;
        }, 0),
        mmioWrite: guarded((address: number, size: number, value: number) => {
          const answered = bus.mmioWrite(address >>> 0, size as AccessSize, value >>> 0);
          if (!answered) this.setWord(L.S_BUS_ERROR, 1);
        }, undefined),
        now: guarded(() => bus.now(), 0),
        gicRead: guarded((register: number) => bus.gicRead(register), 0),
        gicWrite: guarded(
          (register: number, low: number, high: number) => bus.gicWrite(register, low >>> 0, high >>> 0),
          undefined,
        ),
        timerChanged: guarded(() => bus.timerChanged(), undefined),
        firmwareCall: guarded(() => {
          const { live } = this;
          live.setX(0, bus.psci(live.x(0), live.x(1), live.x(2), live.x(3)));
        }, undefined),
        ...this.jit.hostFunctions(),
      },
    };
  }

  private abort(): never {
    throw new Error('the emulator core stopped on an assertion');
  }

  private setWord(slot: number, value: number): void {
    this.words.setUint32(STATE + slot, value, true);
  }

  /** Says what backs guest physical memory; everything else goes to the bus. */
  mapRegions(regions: readonly MemoryRegion[], invalidate = true): void {
    const info = new Uint32Array(this.options.memory.buffer, PAGE_INFO, 0x100000);
    // A new memory is all PAGE_MMIO (0) already: writing that would only make its pages resident.
    if (invalidate) info.fill(PAGE_MMIO);
    const end = L.ARM_RAM_BASE + this.options.ramSize;
    for (const region of regions) {
      const first = Math.max(region.start, L.ARM_RAM_BASE) / 4096;
      const last = Math.min(region.start + region.size, end) / 4096;
      info.fill(region.kind === 'ram' ? PAGE_RAM : PAGE_ROM, first, Math.max(first, last));
    }
    if (invalidate) this.core.invalidateAll();
  }

  run(slice: Slice): VmExit {
    return this.exit(this.core.run(Math.max(1, Math.min(slice.instructions, 0x7fffffff))));
  }

  step(): VmExit {
    const exit = this.run({ instructions: 1, nanoseconds: Number.POSITIVE_INFINITY });
    return exit.reason === 'slice-end' ? { reason: 'debug', pc: this.live.pc } : exit;
  }

  private exit(code: number): VmExit {
    if (this.hostError !== null) {
      const error = this.hostError;
      this.hostError = null;
      throw error;
    }
    switch (code) {
      case EXIT.EXIT_SLICE_END:
        return { reason: 'slice-end' };
      case EXIT.EXIT_HALT:
        return { reason: 'halt' };
      case EXIT.EXIT_DEBUG:
        return { reason: 'debug', pc: this.live.pc };
      default:
        return { reason: 'failed', name: 'E_EMULATOR', message: `the core left its loop with code ${code}` };
    }
  }

  kick(): void {
    this.setWord(L.S_KICK, 1);
    this.setWord(L.S_ATTENTION, 1);
  }

  /** The IRQ pin. */
  setInterruptLine(asserted: boolean): void {
    this.setWord(L.S_IRQ, asserted ? 1 : 0);
    if (asserted) this.setWord(L.S_ATTENTION, 1);
  }

  setFiqLine(asserted: boolean): void {
    this.setWord(L.S_FIQ, asserted ? 1 : 0);
    if (asserted) this.setWord(L.S_ATTENTION, 1);
  }

  /** The nearest thing that the architecture has: an SError. */
  injectNmi(): void {
    this.setWord(L.S_SERROR, 1);
    this.setWord(L.S_ATTENTION, 1);
  }

  /** Interrupts have no vectors here. */
  inject(_vector: number): void {
    this.injectNmi();
  }

  timers(): ArmTimers {
    const timer = (control: number, compare: number): ArmTimerRegisters => ({
      control: Number(this.live.u64(control) & 3n),
      compare: this.live.u64(compare),
    });
    return {
      physical: timer(L.S_CNTP_CTL_EL0, L.S_CNTP_CVAL_EL0),
      virtual: timer(L.S_CNTV_CTL_EL0, L.S_CNTV_CVAL_EL0),
      hypervisor: timer(L.S_CNTHP_CTL_EL2, L.S_CNTHP_CVAL_EL2),
      virtualOffset: this.live.u64(L.S_CNTVOFF_EL2),
    };
  }

  readState(into: ArmState): void {
    this.core.stateOut();
    into.copyFrom(this.live);
  }

  writeState(from: ArmState): void {
    this.live.copyFrom(from);
    this.core.stateIn();
  }

  /** Address of the instruction that is calling the bus right now. */
  executingPc(): bigint {
    return this.core.executingRip();
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    this.core.breakpointsClear();
    for (const a of addresses)
      this.core.breakpointAdd(Number(a & 0xffffffffn) | 0, Number((a >> 32n) & 0xffffffffn) | 0);
  }

  /** There is no such gate on this board. */
  setA20(_enabled: boolean): void {}

  /** Guest memory was written by a loader or a device: code translated from it is dropped. */
  memoryWritten(address: number, size: number): void {
    this.core.memoryWritten(address, size);
  }

  /** All of guest memory was replaced (reset). */
  invalidateAll(): void {
    this.core.invalidateAll();
  }

  /** Instructions retired since the start; exact inside bus callbacks. */
  instructionCount(): number {
    return this.core.instructionCount();
  }

  counters(): VcpuCounters {
    return {
      instructions: this.core.instructionCount(),
      exits: {},
      assists: 0,
      details: {
        blocksTranslated: this.core.statBlocksBuilt(),
        blocksInvalidated: this.core.statBlocksDropped(),
        codeCacheFlushes: this.core.statCacheFlushes(),
        codeCacheBytes: this.core.statBlockBytes(),
        ...this.jit.statistics(),
      },
    };
  }

  close(): void {}
}
