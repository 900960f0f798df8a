// The tables of compute.ts.

import type { RunResult } from './measure.js';
import { best, geometricMean, median, short } from './statistics.js';
import { formatTable } from './text-table.js';
import type { Workload } from './workloads.js';

/** All runs of one workload on one engine. */
export interface Cell {
  /** Units of work in a round. */
  readonly repeat: number;
  readonly runs: readonly RunResult[];
}

export interface Row {
  readonly workload: Workload;
  /** By engine. */
  readonly cells: Map<string, Cell>;
  /** Why an engine has no cell, by engine. */
  readonly failures: Map<string, string>;
}

export interface CellSummary {
  /** Milliseconds for a unit of work once warm: median over the runs of each run's median. */
  readonly median: number;
  /** The fastest warm round of all. */
  readonly best: number;
  /** Median of the runs' first rounds. */
  readonly cold: number;
}

export function summarize({ repeat, runs }: Cell): CellSummary {
  const warm = runs.map(({ rounds }) => rounds.slice(1));
  return {
    median: median(warm.map((rounds) => median(rounds))) / repeat,
    best: best(warm.flat()) / repeat,
    cold: median(runs.map(({ rounds }) => rounds[0])) / repeat,
  };
}

export function engineLines(
  engines: readonly { engine: { name: string; description: string }; version: string; backend: string | undefined }[],
): string[] {
  return engines.map(({ engine, version, backend }) => {
    const on = backend === undefined ? '' : `, back end ${backend}`;
    return `${engine.name.padEnd(7)} ${engine.description} (${version}${on})`;
  });
}

const summaryOf = (row: Row, engine: string): CellSummary | undefined => {
  const cell = row.cells.get(engine);
  return cell && summarize(cell);
};

/** Times over native: medians, and in brackets the best round against native's best. */
export function formatCompute(rows: readonly Row[], engines: readonly string[]): string {
  const compute = rows.filter(({ workload }) => workload.group !== 'system');
  if (compute.length === 0) return '';
  const others = engines.filter((name) => name !== 'native');
  const table = [['time over native', 'native, ms', ...others]];
  const ratios = (name: string, group: readonly Row[]): number[] =>
    group.flatMap((row) => {
      const native = summaryOf(row, 'native');
      const mine = summaryOf(row, name);
      return native && mine ? [mine.median / native.median] : [];
    });
  for (const row of compute) {
    const native = summaryOf(row, 'native');
    const cells = others.map((name) => {
      const mine = summaryOf(row, name);
      if (!mine) return row.failures.has(name) ? 'failed' : '–';
      if (!native) return `${short(mine.median)} ms`;
      return `${short(mine.median / native.median)} (${short(mine.best / native.best)})`;
    });
    table.push([row.workload.description, native ? native.median.toFixed(3) : '–', ...cells]);
  }
  for (const [label, group] of [
    ['geometric mean, integer', compute.filter(({ workload }) => workload.group === 'integer')],
    ['geometric mean, double', compute.filter(({ workload }) => workload.group === 'float')],
    ['geometric mean, all', compute],
  ] as const) {
    if (group.length > 1) table.push([label, '', ...others.map((name) => short(geometricMean(ratios(name, group))))]);
  }
  return `${formatTable(table)}\n`;
}

/** Nanoseconds an operation, medians. */
export function formatSystem(rows: readonly Row[], engines: readonly string[]): string {
  const system = rows.filter(({ workload }) => workload.operations);
  if (system.length === 0) return '';
  const table = [['ns an operation', ...engines]];
  for (const row of system) {
    const count = row.workload.operations?.count ?? 1;
    const cells = engines.map((name) => {
      const mine = summaryOf(row, name);
      if (!mine) return row.failures.has(name) ? 'failed' : '–';
      return short((mine.median * 1e6) / count);
    });
    table.push([row.workload.description, ...cells]);
  }
  return `${formatTable(table)}\n`;
}
