// What a measurement leaves behind: the samples and all that is needed to judge them. Reports are made from this alone,
// so an exported file can be read again, compared with another, or judged by someone else's program.

import type { RunStatistics } from '../src/trace/stats.js';
import type { HostDescription } from './host.js';
import type { WorkloadGroup } from './workloads.js';

export const FORMAT = 'tsvm-bench';
/** Raised when a reader of the previous version would misunderstand a file. */
export const FORMAT_VERSION = 1;

export type Kind = 'compute' | 'overhead';

export interface Settings {
  /** Processes of each engine for each workload, at most. */
  readonly runs: number;
  /** Timed rounds in a run, after those that warm up. */
  readonly rounds: number;
  /** Rounds at a run's beginning that do not count, at least; engines that translate code take more. */
  readonly warmup: number;
  /** Milliseconds to which a round's work is scaled. */
  readonly roundTime: number;
  /** Milliseconds after which a run is given up. */
  readonly timeout: number;
  /** Milliseconds after which no further pass begins. */
  readonly timeLimit: number;
}

export interface EngineData {
  readonly name: string;
  readonly description: string;
  readonly architecture: string;
  readonly version: string;
  /** What executes under tsvm: the KVM back end's name, or 'emu'; null for others. */
  readonly backend: string | null;
  readonly native: boolean;
  readonly tone: number;
}

export interface AbsentEngine {
  readonly name: string;
  readonly reason: string;
}

export interface WorkloadData {
  readonly name: string;
  readonly description: string;
  readonly group: WorkloadGroup;
  readonly checksum: string;
  readonly operations: { readonly count: number; readonly name: string } | null;
  /** The time to its first mark is not the engine's start alone. */
  readonly prepares: boolean;
}

/** One process. */
export interface RunData {
  /** Milliseconds from the process's start to the workload's first mark. */
  readonly startup: number;
  /** Milliseconds of each round, first to last, those that warm up included. */
  readonly rounds: readonly number[];
  /** Milliseconds of processor time that the process had had at the first mark and after each round; empty where unknown. */
  readonly processor: readonly number[];
}

/** Events for one unit of work: differences of two runs' counters, so that start and console do not count. */
export interface UnitCounters {
  /** Retired instructions, where they are counted. */
  readonly instructions: number | null;
  /** By tsvm's names (src/trace/stats.ts): what a virtual machine monitor gets control for. */
  readonly exits: Readonly<Record<string, number>>;
  /** The back end's own counters. */
  readonly details: Readonly<Record<string, number>>;
}

export interface CellData {
  readonly workload: string;
  readonly engine: string;
  /** Units of work in a round. */
  readonly repeat: number;
  /** Rounds at the beginning of each run that do not count. */
  readonly warmup: number;
  readonly runs: readonly RunData[];
  /** For tsvm's own engines. */
  readonly unit: UnitCounters | null;
}

export interface FailureData {
  readonly workload: string;
  readonly engine: string;
  readonly reason: string;
  /** Known not to be possible there, as against gone wrong. */
  readonly expected: boolean;
}

/** What the plan does not include, as against what cannot be measured. */
export interface LeftOut {
  readonly engine: string;
  readonly workloads: readonly string[];
  readonly reason: string;
}

/** How an engine gets up to speed: time of each unit of work against the time since its process was started. */
export interface CurveData {
  readonly workload: string;
  readonly engine: string;
  readonly repeat: number;
  readonly startup: number;
  readonly rounds: readonly number[];
}

export interface BenchData {
  readonly format: typeof FORMAT;
  readonly version: typeof FORMAT_VERSION;
  readonly kind: Kind;
  readonly tsvm: string;
  readonly host: HostDescription;
  readonly settings: Settings;
  /** Seconds that it took. */
  readonly elapsed: number;
  /** Share of processor time that a hypervisor below took away, 0 to 1; null where unknown. */
  readonly stolen: number | null;
  readonly engines: readonly EngineData[];
  readonly absent: readonly AbsentEngine[];
  readonly workloads: readonly WorkloadData[];
  readonly cells: readonly CellData[];
  readonly failures: readonly FailureData[];
  /** Absent in files of earlier versions, which planned everything. */
  readonly leftOut?: readonly LeftOut[];
  readonly curves: readonly CurveData[];
}

/** A file that is no measurement, or one of a version that this program does not know. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isCell = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value['workload'] === 'string' &&
  typeof value['engine'] === 'string' &&
  typeof value['repeat'] === 'number' &&
  Array.isArray(value['runs']) &&
  value['runs'].every(
    (run: unknown) => isRecord(run) && Array.isArray(run['rounds']) && Array.isArray(run['processor']),
  );

/** Reads an exported file. Throws a DataError. */
export function parseData(text: string): BenchData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError('is not JSON');
  }
  if (!isRecord(value) || value['format'] !== FORMAT) throw new DataError('is not a file of tsvm bench --export-json');
  if (value['version'] !== FORMAT_VERSION) {
    throw new DataError(`has version ${String(value['version'])}; this tsvm reads version ${FORMAT_VERSION}`);
  }
  const lists = ['engines', 'absent', 'workloads', 'cells', 'failures', 'curves'];
  const complete =
    lists.every((name) => Array.isArray(value[name])) && isRecord(value['host']) && isRecord(value['settings']);
  if (!complete || !(value['cells'] as unknown[]).every(isCell)) throw new DataError('is incomplete');
  return value as unknown as BenchData;
}

const difference = (
  more: Readonly<Record<string, number>>,
  less: Readonly<Record<string, number>>,
  units: number,
): Record<string, number> => {
  const result: Record<string, number> = {};
  for (const [name, count] of Object.entries(more)) {
    const per = (count - (less[name] ?? 0)) / units;
    if (per !== 0) result[name] = per;
  }
  return result;
};

/** The console's port accesses are the marks', not the workload's. */
const CONSOLE = ['com1', 'pl011'];

function exitsOf({ exits, io }: RunStatistics): Record<string, number> {
  const result: Record<string, number> = { ...exits };
  for (const kind of ['pio', 'mmio'] as const) {
    for (const device of CONSOLE) {
      const use = io[kind][device];
      if (use) result[kind] = (result[kind] ?? 0) - use.reads - use.writes;
    }
  }
  return result;
}

/** `more` did `units` units of work more than `less`, and nothing else but mark them. */
export function unitCounters(more: RunStatistics, less: RunStatistics, units: number): UnitCounters {
  const instructions =
    more.instructions === null || less.instructions === null ? null : (more.instructions - less.instructions) / units;
  return {
    instructions,
    exits: difference(exitsOf(more), exitsOf(less), units),
    details: difference(more.vcpu.details, less.vcpu.details, units),
  };
}
