// The TypeScript side of the x86 core: instantiation, host calls, state transfer, the Vcpu contract.

import * as EXIT from '../../assembly/layout/exits.js';
import {
  DECODE_TABLE,
  GUEST_BASE,
  PAGE_INFO,
  PAGE_KIND_MASK,
  PAGE_MMIO,
  PAGE_RAM,
  PAGE_ROM,
  STATE,
  TRANSFER,
} from '../../assembly/layout/memory.js';
import { featureBits } from '../../assembly/layout/x86-feature-bits.js';
import { buildDecodeAttributes } from '../../assembly/layout/x86-opcodes.js';
import * as L from '../../assembly/layout/x86-state.js';
import { coreModule } from '../emulator/core-module.js';
import {
  type CompiledRegion,
  type ExplainExports,
  type TranslatedBlock,
  translatedBlocks,
} from '../emulator/explain.js';
import { guardWith } from '../emulator/guarded.js';
import { Jit, type JitOptions } from '../emulator/jit.js';
import type { CpuModel } from '../vcpu/cpu-model.js';
import type { MemoryRegion } from '../vcpu/guest-memory.js';
import type { AccessSize, GuestBus, Slice, Vcpu, VcpuCounters, VmExit } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import { exceptionName } from './names.js';

/** What the core exports (assembly/x86/index.ts). */
interface CoreExports extends ExplainExports {
  start(): void;
  run(instructions: number): number;
  stateOut(): void;
  stateIn(): void;
  invalidateAll(): void;
  memoryWritten(address: number, size: number): void;
  setA20(enabled: number): void;
  breakpointsClear(): void;
  breakpointAdd(low: number, high: number): number;
  instructionCount(): number;
  executingRip(): bigint;
  statBlocksBuilt(): number;
  statBlocksDropped(): number;
  statCacheFlushes(): number;
  statBlockBytes(): number;
}

export interface EmulatorOptions {
  /** From createGuestMemory. */
  readonly memory: WebAssembly.Memory;
  readonly ramSize: number;
  /** What backs guest physical addresses. */
  readonly regions: readonly MemoryRegion[];
  readonly bus: GuestBus;
  /** build/x86.wasm, as bytes or compiled. */
  readonly wasm: BufferSource | WebAssembly.Module;
  readonly cpu: CpuModel;
  /** TSC ticks a second. */
  readonly tscFrequency: number;
  /** Fills an array with random bits (RDRAND); the platform's generator if not given. A deterministic run hands in its own. */
  readonly random?: (into: Uint32Array<ArrayBuffer>) => void;
  /** Compiles hot code; if not given, everything is interpreted. */
  readonly jit?: JitOptions | undefined;
}

/** A memory for a machine with `ramBytes` of RAM. Its size never changes, so its address does not either. */
export function createGuestMemory(ramBytes: number): WebAssembly.Memory {
  const pages = Math.ceil((GUEST_BASE + ramBytes) / 65536);
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** Instantiates the core over `options.memory`. */
export function createEmulatedVcpu(options: EmulatorOptions): EmulatedVcpu {
  return new EmulatedVcpu(options, coreModule(options.wasm));
}

export class EmulatedVcpu implements Vcpu<X86State> {
  readonly backend = 'emu';
  /** The core's live state. Call core.stateOut() before reading RFLAGS from it. */
  private readonly live: X86State;
  private readonly words: DataView;
  private readonly core: CoreExports;
  private readonly bus: GuestBus;
  private readonly jit: Jit;
  private hostError: unknown = null;
  private injected = -1;

  constructor(
    private readonly options: EmulatorOptions,
    module: WebAssembly.Module,
  ) {
    const { memory, bus, cpu } = options;
    this.bus = bus;
    this.jit = new Jit(memory, options.jit, () => performance.now());
    this.live = new X86State(memory.buffer, STATE);
    this.words = new DataView(memory.buffer);
    new Uint16Array(memory.buffer, DECODE_TABLE, 1024).set(buildDecodeAttributes());
    const instance = new WebAssembly.Instance(module, this.imports());
    this.core = instance.exports as unknown as CoreExports;
    this.mapRegions(options.regions, false);
    this.core.start();
    this.words.setUint32(STATE + L.S_CPU_FEATURES, featureBits(cpu.features), true);
    this.words.setFloat64(STATE + L.S_TSC_PER_NS, options.tscFrequency / 1e9, true);
    this.jit.attach(instance.exports);
    X86State.reset(this.live);
    this.core.stateIn();
  }

  /** Imports of the core (assembly/x86/host.ts). What one of them throws is thrown again after the slice. */
  private imports(): WebAssembly.Imports {
    const { bus, memory, cpu } = this.options;
    const transfer = new DataView(memory.buffer, TRANSFER, 64);
    const randomWord = new Uint32Array(1);
    const random = this.options.random ?? ((into: Uint32Array<ArrayBuffer>) => void crypto.getRandomValues(into));
    const guarded = guardWith((error) => {
      this.hostError ??= error;
      this.kick();
    });
    return {
      env: { memory, abort: () => this.abort() },
      host: {
        pioRead: guarded((port: number, size: number) => bus.pioRead(port, size as AccessSize), 0xffffffff),
        pioWrite: guarded(
          (port: number, size: number, value: number) => bus.pioWrite(port, size as AccessSize, value >>> 0),
          undefined,
        ),
        mmioRead: guarded(
          (address: number, size: number) => bus.mmioRead(address >>> 0, size as AccessSize),
          0xffffffff,
        ),
        mmioWrite: guarded(
          (address: number, size: number, value: number) =>
            bus.mmioWrite(address >>> 0, size as AccessSize, value >>> 0),
          undefined,
        ),
        acknowledgeInterrupt: guarded(() => this.acknowledge(), -1),
        readTaskPriority: guarded(() => bus.readTaskPriority(), 0),
        writeTaskPriority: guarded((cr8: number) => bus.writeTaskPriority(cr8), undefined),
        writeApicBase: guarded(
          (low: number, high: number) => bus.writeApicBase((low >>> 0) + (high >>> 0) * 0x100000000),
          undefined,
        ),
        now: guarded(() => bus.now(), 0),
        cpuid: (leaf: number, subleaf: number) => {
          const r = cpu.cpuid(leaf >>> 0, subleaf >>> 0);
          transfer.setUint32(0, r.eax, true);
          transfer.setUint32(4, r.ebx, true);
          transfer.setUint32(8, r.ecx, true);
          transfer.setUint32(12, r.edx, true);
        },
        random: () => {
          random(randomWord);
          return randomWord[0];
        },
        ...this.jit.hostFunctions(),
      },
    };
  }

  private abort(): never {
    throw new Error('the emulator core stopped on an assertion');
  }

  private acknowledge(): number {
    if (this.injected >= 0) {
      const vector = this.injected;
      this.injected = -1;
      this.setWord(L.S_INTR, this.line ? 1 : 0);
      return vector;
    }
    return this.bus.acknowledgeInterrupt();
  }

  private line = false;

  private setWord(slot: number, value: number): void {
    this.words.setUint32(STATE + slot, value, true);
  }
  private word(slot: number): number {
    return this.words.getUint32(STATE + slot, true);
  }

  /** Says what backs guest physical memory; everything else goes to the bus. */
  mapRegions(regions: readonly MemoryRegion[], invalidate = true): void {
    const info = new Uint32Array(this.options.memory.buffer, PAGE_INFO, 0x100000);
    // A new memory is all PAGE_MMIO (0) already: writing that would only make its pages resident.
    if (invalidate) info.fill(PAGE_MMIO);
    for (const region of regions) {
      const first = region.start / 4096;
      const last = Math.min(region.start + region.size, this.options.ramSize) / 4096;
      const kind = (region.kind === 'ram' ? PAGE_RAM : PAGE_ROM) & PAGE_KIND_MASK;
      info.fill(kind, first, Math.max(first, last));
    }
    if (invalidate) this.core.invalidateAll();
  }

  run(slice: Slice): VmExit {
    return this.exit(this.core.run(Math.max(1, Math.min(slice.instructions, 0x7fffffff))));
  }

  step(): VmExit {
    const exit = this.run({ instructions: 1, nanoseconds: Number.POSITIVE_INFINITY });
    return exit.reason === 'slice-end' ? { reason: 'debug', pc: this.linearPc() } : exit;
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
      case EXIT.EXIT_SHUTDOWN:
        return { reason: 'shutdown', cause: this.shutdownCause() };
      case EXIT.EXIT_HYPERCALL:
        return { reason: 'hypercall' };
      case EXIT.EXIT_DEBUG:
        return { reason: 'debug', pc: this.linearPc() };
      default:
        return { reason: 'failed', name: 'E_EMULATOR', message: `the core left its loop with code ${code}` };
    }
  }

  private shutdownCause(): string {
    return `triple fault that began with ${exceptionName(this.word(L.S_EXIT_DETAIL))}`;
  }

  private linearPc(): bigint {
    const cs = this.live.segment(L.SEG_CS);
    const long = (this.live.u64(L.S_EFER) & BigInt(L.EFER_LMA)) !== 0n && (cs.attr & 0x2000) !== 0;
    return long ? this.live.rip : BigInt.asUintN(32, cs.base + this.live.rip);
  }

  kick(): void {
    this.setWord(L.S_KICK, 1);
    this.setWord(L.S_ATTENTION, 1);
  }

  setInterruptLine(asserted: boolean): void {
    this.line = asserted;
    this.setWord(L.S_INTR, asserted || this.injected >= 0 ? 1 : 0);
    if (asserted) this.setWord(L.S_ATTENTION, 1);
    if (asserted && this.word(L.S_ACTIVITY) === L.ACTIVITY_HLT) this.wakeIfPossible();
  }

  injectNmi(): void {
    this.setWord(L.S_NMI_PENDING, 1);
    this.setWord(L.S_ATTENTION, 1);
  }

  inject(vector: number): void {
    this.injected = vector & 0xff;
    this.setWord(L.S_INTR, 1);
    this.setWord(L.S_ATTENTION, 1);
  }

  /** HLT ends by an interrupt that is let through; the run loop looks at it when it is entered. */
  private wakeIfPossible(): void {
    this.setWord(L.S_ATTENTION, 1);
  }

  readState(into: X86State): void {
    this.core.stateOut();
    into.copyFrom(this.live);
  }

  writeState(from: X86State): void {
    this.live.copyFrom(from);
    this.core.stateIn();
  }

  /** RIP of the instruction that is calling the bus right now. */
  executingRip(): bigint {
    return this.core.executingRip();
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    this.core.breakpointsClear();
    for (const a of addresses)
      this.core.breakpointAdd(Number(a & 0xffffffffn) | 0, Number((a >> 32n) & 0xffffffffn) | 0);
  }

  setA20(enabled: boolean): void {
    this.core.setA20(enabled ? 1 : 0);
  }

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

  /**
   * Executes the one instruction at `state` on the shared RAM and puts the result back: what KVM's own emulator
   * could not do. Returns an exit that the machine must see, or null.
   */
  assist(state: X86State): VmExit | null {
    this.core.invalidateAll();
    this.writeState(state);
    const exit = this.step();
    this.readState(state);
    return exit.reason === 'debug' || exit.reason === 'slice-end' ? null : exit;
  }

  /** The blocks that are translated now. */
  translatedBlocks(): TranslatedBlock[] {
    return translatedBlocks(this.core, this.options.memory);
  }

  /** The regions that are compiled now; only with `jit.keepModules`. */
  compiledRegions(): readonly CompiledRegion[] {
    return this.jit.regions();
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
