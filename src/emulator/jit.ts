// The second tier's host side: turns the modules that the core writes into functions of the core's table.

import { JIT_TABLE_ENTRIES } from '../../assembly/layout/jit.js';
import type { CompiledRegion, ExplainExports } from './explain.js';

/** How the second tier is used. */
export interface JitOptions {
  /** Executions after which a block is compiled, at least 1. */
  readonly threshold: number;
  /** Keep the modules of the regions that live, to be looked at. */
  readonly keepModules?: boolean;
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

/** Statistics of the core's second tier, in the order of jitStatistic() (assembly/jit/statistics.ts). */
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
] as const;

/** Name in the import section of RUNTIME's function `i`; 'm' is the memory. */
export function importName(i: number): string {
  return String.fromCharCode(97 + i + (i >= 12 ? 1 : 0));
}

interface JitExports extends ExplainExports {
  readonly table: WebAssembly.Table;
  jitEnable(first: number, count: number, threshold: number): void;
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
    /** 0: the tier stays off. */
    private readonly threshold: number,
    /** Milliseconds, for statistics only. */
    private readonly clock: () => number,
    private readonly keepModules = false,
  ) {}

  /** The regions that live, if they are kept. */
  regions(): readonly CompiledRegion[] {
    return [...this.kept.values()];
  }

  /** The core's imports for the second tier (assembly/x86/host.ts). */
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
    if (this.threshold === 0) return;
    const core = exports as unknown as JitExports & Record<string, unknown>;
    this.core = core;
    const runtime: Record<string, WebAssembly.ImportValue> = { m: this.memory };
    RUNTIME.forEach((name, i) => {
      runtime[importName(i)] = core[name] as WebAssembly.ImportValue;
    });
    this.imports = { c: runtime };
    const first = core.table.grow(JIT_TABLE_ENTRIES);
    core.jitEnable(first, JIT_TABLE_ENTRIES, this.threshold);
  }

  private compile(address: number, length: number, slot: number): number {
    const start = this.clock();
    try {
      const module = new WebAssembly.Module(new Uint8Array(this.memory.buffer, address, length));
      const instance = new WebAssembly.Instance(module, this.imports);
      this.core!.table.set(slot, instance.exports['r']);
      if (this.keepModules) this.keep(slot, new Uint8Array(this.memory.buffer, address, length).slice());
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
    this.kept.set(slot, { module, blocks });
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
