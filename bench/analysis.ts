// From samples to statements: medians with intervals, times over native, instructions a second, means over a group.

import type { BenchData, CellData, EngineData, FailureData, WorkloadData } from './data.js';
import { best, geometricMean, type Interval, interval95, median, outliers, resampledMedians } from './statistics.js';

/** A number and where it lies with 95 % confidence. */
export interface Estimate extends Interval {
  readonly value: number;
}

/** One workload on one engine. */
export interface Summary {
  readonly workload: WorkloadData;
  readonly engine: EngineData;
  readonly cell: CellData;
  /** Processes, and timed rounds in all of them. */
  readonly runs: number;
  readonly n: number;
  /** Milliseconds for a unit of work, warm. */
  readonly time: Estimate;
  readonly best: number;
  /** Milliseconds a unit in the first round: with translation, page faults, cold caches. */
  readonly cold: number;
  readonly outliers: number;
  /** Time over that of a native process of the same architecture; null without one. */
  readonly ratio: Estimate | null;
  /** Fastest round over native's fastest: what is left of the ratio on a host that is busy with other work. */
  readonly bestRatio: number | null;
  /** Milliseconds of processor time a unit, warm, of all threads; null where unknown. */
  readonly processor: number | null;
  /** That over native's: what others took of the host's time is not in it. */
  readonly processorRatio: number | null;
  /** Guest instructions in a unit of work; null where nothing counted them. */
  readonly instructions: number | null;
  /** A second. */
  readonly rate: number | null;
  /** Nanoseconds of one operation, for workloads that count them. */
  readonly operation: Estimate | null;
}

export interface Row {
  readonly workload: WorkloadData;
  /** By engine's name. */
  readonly cells: ReadonlyMap<string, Summary>;
  readonly failures: ReadonlyMap<string, FailureData>;
}

/** Geometric mean of times over native. */
export interface Mean {
  readonly engine: EngineData;
  readonly ratio: Estimate;
  /** The same of the fastest rounds. */
  readonly bestRatio: number;
  /** The same of processor time; null where unknown. */
  readonly processorRatio: number | null;
  /** Workloads in it. */
  readonly n: number;
}

/** Milliseconds from a process's start to the guest's first byte. */
export interface Start {
  readonly engine: EngineData;
  readonly time: Estimate;
  readonly n: number;
}

export const MEANS = [
  { name: 'integer', label: 'geometric mean, integer', groups: ['integer'] },
  { name: 'double', label: 'geometric mean, double', groups: ['float'] },
  { name: 'compute', label: 'geometric mean, all compute', groups: ['integer', 'float'] },
] as const;

export interface Analysis {
  readonly data: BenchData;
  readonly rows: readonly Row[];
  /** By the names of MEANS; a group with fewer than two workloads is empty. */
  readonly means: ReadonlyMap<string, readonly Mean[]>;
  readonly starts: readonly Start[];
}

const estimate = (value: number, resamples: readonly number[], scale = 1): Estimate => {
  const { low, high } = interval95(resamples);
  return { value: value * scale, low: low * scale, high: high * scale };
};

/** Rounds that count, by run, in milliseconds a unit. */
export const timedRounds = ({ runs, warmup, repeat }: CellData): readonly (readonly number[])[] =>
  runs.map(({ rounds }) => rounds.slice(warmup).map((time) => time / repeat));

/** Of the rounds that count; the kernel keeps it to a few milliseconds, so single rounds would be rough. */
function processorTime({ runs, warmup, repeat }: CellData): number | null {
  const known = runs.filter(({ processor }) => processor.length > warmup + 1);
  const used = known.reduce((sum, { processor }) => sum + processor[processor.length - 1] - processor[warmup], 0);
  const rounds = known.reduce((sum, { processor }) => sum + processor.length - 1 - warmup, 0);
  return rounds === 0 || used <= 0 ? null : used / (rounds * repeat);
}

const quotient = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a / b);

interface Sampled {
  readonly cell: CellData;
  readonly median: number;
  readonly resamples: readonly number[];
}

export function analyse(data: BenchData): Analysis {
  const engines = new Map(data.engines.map((engine) => [engine.name, engine]));
  const natives = new Map(
    data.engines.filter(({ native }) => native).map((engine) => [engine.architecture, engine.name]),
  );
  const key = (workload: string, engine: string | undefined): string => `${workload} ${engine}`;
  const sampled = new Map<string, Sampled>();
  data.cells.forEach((cell, number) => {
    const rounds = timedRounds(cell);
    const one = { cell, median: median(rounds.flat()), resamples: resampledMedians(rounds, number + 1) };
    sampled.set(key(cell.workload, cell.engine), one);
  });
  // Every engine of an architecture executes the same machine code, so who counts instructions counts for all.
  const counted = new Map<string, number>();
  for (const { workload, engine, unit } of data.cells) {
    const architecture = engines.get(engine)?.architecture;
    if (unit?.instructions) counted.set(key(workload, architecture), unit.instructions);
  }

  const ratios = new Map<string, readonly number[]>();
  const summarize = (workload: WorkloadData, engine: EngineData): Summary | undefined => {
    const own = sampled.get(key(workload.name, engine.name));
    if (!own) return undefined;
    const native = sampled.get(key(workload.name, natives.get(engine.architecture)));
    const time = estimate(own.median, own.resamples);
    const rounds = timedRounds(own.cell).flat();
    let ratio: Estimate | null = null;
    if (native) {
      const resamples = own.resamples.map((value, i) => value / native.resamples[i]);
      ratio = native === own ? { value: 1, low: 1, high: 1 } : estimate(own.median / native.median, resamples);
      if (native !== own) ratios.set(key(workload.name, engine.name), resamples);
    }
    const instructions = counted.get(key(workload.name, engine.architecture)) ?? null;
    const { operations } = workload;
    return {
      workload,
      engine,
      cell: own.cell,
      runs: own.cell.runs.length,
      n: rounds.length,
      time,
      best: best(rounds),
      cold: median(own.cell.runs.map((run) => run.rounds[0] / own.cell.repeat)),
      outliers: outliers(rounds).length,
      ratio,
      bestRatio: native ? best(rounds) / best(timedRounds(native.cell).flat()) : null,
      processor: processorTime(own.cell),
      processorRatio: native ? quotient(processorTime(own.cell), processorTime(native.cell)) : null,
      instructions,
      rate: instructions === null ? null : (instructions * 1000) / own.median,
      operation: operations && estimate(own.median, own.resamples, 1e6 / operations.count),
    };
  };

  const rows = data.workloads.map((workload): Row => {
    const cells = data.engines.flatMap((engine) => {
      const summary = summarize(workload, engine);
      return summary ? [[engine.name, summary] as const] : [];
    });
    const failures = data.failures.filter((failure) => failure.workload === workload.name);
    return { workload, cells: new Map(cells), failures: new Map(failures.map((one) => [one.engine, one])) };
  });

  const means = new Map<string, readonly Mean[]>();
  for (const { name, groups } of MEANS) {
    const members = rows.filter(({ workload }) => groups.some((group) => group === workload.group));
    const list = data.engines.flatMap((engine): Mean[] => {
      const cells = members.flatMap(({ workload }) => ratios.get(key(workload.name, engine.name)) ?? []);
      const values = members.flatMap(({ cells: own }) =>
        engine.native ? [] : (own.get(engine.name)?.ratio?.value ?? []),
      );
      if (values.length < 2) return [];
      // The n-th resamples of all workloads make the n-th resample of their mean.
      const size = cells.length / values.length;
      const resamples = Array.from({ length: size }, (_, i) =>
        geometricMean(values.map((_value, member) => cells[member * size + i])),
      );
      const bests = members.flatMap(({ cells: own }) => own.get(engine.name)?.bestRatio ?? []);
      const used = members.flatMap(({ cells: own }) => own.get(engine.name)?.processorRatio ?? []);
      const ratio = estimate(geometricMean(values), resamples);
      const processorRatio = used.length === values.length ? geometricMean(used) : null;
      return [{ engine, ratio, bestRatio: geometricMean(bests), processorRatio, n: values.length }];
    });
    means.set(name, list);
  }
  return { data, rows, means, starts: startTimes(data) };
}

function startTimes(data: BenchData): readonly Start[] {
  const prepares = new Set(data.workloads.filter(({ prepares }) => prepares).map(({ name }) => name));
  return data.engines.flatMap((engine): Start[] => {
    const cells = data.cells.filter((cell) => cell.engine === engine.name && !prepares.has(cell.workload));
    const times = cells.flatMap(({ runs }) => runs.map(({ startup }) => startup));
    if (times.length === 0) return [];
    const resamples = resampledMedians(times.map((time) => [time]));
    return [{ engine, time: estimate(median(times), resamples), n: times.length }];
  });
}

/** Whether any engine went wrong, as against being known not to be able. */
export const hasFailures = ({ failures }: BenchData): boolean => failures.some(({ expected }) => !expected);
