// The compiling tiers' host side: turns the modules that the core writes into functions of the core's table.

import { JIT_TABLE_ENTRIES } from '../../assembly/layout/jit.js';
import type { CompiledRegion, ExplainExports } from './explain.js';

/** How they are used. */
export interface JitOptions {
  /** Executions after which a block becomes the head of an optimized region, at least 1. */
  readonly threshold: number;
  /** Executions after which a block becomes part of a baseline region, 0: never. Left out: defaultBaseline(). */
  readonly baseline?: number | undefined;
  /** Keep the modules of the regions that live, to be looked at. */
  readonly keepModules?: boolean;
}

/** Baseline regions are made for what is executed this many times less often than what gets an optimized one. */
const BASELINE_SHARE = 20;
/** Below this everything is to be compiled, and the one tier would take everything from the other. */
const LEAST_WITH_BASELINE = 1000;

/** When blocks become parts of baseline regions if only the threshold for optimized ones is known. */
export function defaultBaseline(threshold: number): number {
  return threshold < LEAST_WITH_BASELINE ? 0 : Math.floor(threshold / BASELINE_SHARE);
}

/** What the core exports for generated code, in the order of the imports a, b, c … (assembly/jit/imports.ts). */
export const RUNTIME = [
  'jitLoad',
  'jitStore',
  'jitHelper',
  'jitVector',
  'jitRotate',
  'jitCondition',
  'jitCarry',
  'jitSegment',
  'jitLoad128',
  'jitStore128',
  'jitOverflow',
  'jitRotated',
  'jitMulHigh',
  'jitPair',
  'jitWindow',
] as const;

/** Statistics of the core's compiling tiers, in the order of jitStatistic() (assembly/jit/statistics.ts). */
const STATISTICS = [
  'jitRegions',
  'jitRegionsDropped',
  'jitRegionsRefused',
  'jitFlushes',
  'jitBlocks',
  'jitBytes',
  'jitInstructions',
  'jitEntries',
  'jitExitsFallThrough',
  'jitExitsTaken',
  'jitExitsIndirect',
  'jitExitsFault',
  'jitExitsAttention',
  'jitExitsUncommon',
  'jitExitsScattered',
  'jitExitsLinked',
  'jitExitsJump',
  'jitExitsRefused',
  'jitBaselineRegions',
] as const;

/** Name in the import section of RUNTIME's function `i`; 'm' is the memory. */
export function importName(i: number): string {
  return String.fromCharCode(97 + i + (i >= 12 ? 1 : 0));
}

interface JitExports extends ExplainExports {
  readonly table: WebAssembly.Table;
  jitEnable(first: number, count: number, threshold: number, baseline: number): void;
  jitStatistic(index: number): number;
}

/** Compiles regions for one core. */
export class Jit {
  private imports: WebAssembly.Imports = {};
  private core: (JitExports & Record<string, unknown>) | undefined;
  /** Milliseconds spent in WebAssembly compilation, and the longest single one. */
  private compileTime = 0;
  private longestCompile = 0;
  /** By table entry, if they are kept. */
  private readonly kept = new Map<number, CompiledRegion>();

  constructor(
    private readonly memory: WebAssembly.Memory,
    /** undefined: nothing is compiled. */
    private readonly options: JitOptions | undefined,
    /** Milliseconds, for statistics only. */
    private readonly clock: () => number,
  ) {}

  /** The regions that live, if they are kept. */
  regions(): readonly CompiledRegion[] {
    return [...this.kept.values()];
  }

  /** The core's imports for that (assembly/x86/host.ts). */
  hostFunctions(): Record<string, (...args: number[]) => number | undefined> {
    return {
      jitCompile: (address, length, slot) => this.compile(address!, length!, slot!),
      jitRelease: (slot) => {
        this.core?.table.set(slot!, null);
        this.kept.delete(slot!);
        return undefined;
      },
    };
  }

  /** Switches the tier on for the core just instantiated. */
  attach(exports: WebAssembly.Exports): void {
    if (!this.options) return;
    const { threshold, baseline = defaultBaseline(threshold) } = this.options;
    const core = exports as unknown as JitExports & Record<string, unknown>;
    this.core = core;
    const runtime: Record<string, WebAssembly.ImportValue> = { m: this.memory };
    RUNTIME.forEach((name, i) => {
      runtime[importName(i)] = core[name] as WebAssembly.ImportValue;
    });
    this.imports = { c: runtime };
    const first = core.table.grow(JIT_TABLE_ENTRIES);
    core.jitEnable(first, JIT_TABLE_ENTRIES, threshold, baseline);
  }

  private compile(address: number, length: number, slot: number): number {
    const start = this.clock();
    try {
      const module = new WebAssembly.Module(new Uint8Array(this.memory.buffer, address, length));
      const instance = new WebAssembly.Instance(module, this.imports);
      this.core!.table.set(slot, instance.exports['r']);
      if (this.options?.keepModules) this.keep(slot, new Uint8Array(this.memory.buffer, address, length).slice());
      return 1;
    } catch {
      // The host has no room for more code, for instance: the interpreter runs it.
      return 0;
    } finally {
      const took = this.clock() - start;
      this.compileTime += took;
      this.longestCompile = Math.max(this.longestCompile, took);
    }
  }

  private keep(slot: number, module: Uint8Array): void {
    const core = this.core!;
    const blocks = Array.from({ length: core.explainRegionBlocks() }, (_, i) => core.explainRegionBlock(i) >>> 0);
    this.kept.set(slot, { module, blocks, baseline: core.explainRegionIsBaseline() !== 0 });
  }

  statistics(): Record<string, number> {
    const { core } = this;
    if (!core) return {};
    const counters = STATISTICS.map((name, i): [string, number] => [name, core.jitStatistic(i)]);
    return {
      ...Object.fromEntries(counters),
      jitCompileMilliseconds: this.compileTime,
      jitLongestCompileMilliseconds: this.longestCompile,
    };
  }
}
