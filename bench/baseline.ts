// What changed since an earlier measurement, and what of it is more than noise.

import { type Analysis, analyse, type Row, type Summary, timedRounds } from './analysis.js';
import type { BenchData } from './data.js';
import type { Comparison } from './export.js';
import { withInterval } from './report.js';
import { duration, interval95, median, resampledMedians, short } from './statistics.js';

/**
 * Two measurements of the same program on the same host, at different times, differ by about this much for reasons that
 * no interval within one of them shows: placement in memory, the clock of the processor.
 */
const NOISE = 0.03;

interface Change {
  readonly workload: string;
  readonly engine: string;
  readonly before: Summary;
  readonly after: Summary;
  readonly low: number;
  readonly high: number;
  readonly value: number;
  readonly verdict: string;
}

/** Time over native where both have it, which takes the host's own speed out; otherwise the time itself. */
function compare(before: Summary, after: Summary, native: readonly [Summary, Summary] | undefined): Change {
  const resamples = ({ cell }: Summary, seed: number): readonly number[] => resampledMedians(timedRounds(cell), seed);
  const [old, now] = [resamples(before, 1), resamples(after, 2)];
  let value = after.time.value / before.time.value;
  let ratios = now.map((time, i) => time / old[i]);
  if (native) {
    const [oldNative, nowNative] = [resamples(native[0], 3), resamples(native[1], 4)];
    value *= native[0].time.value / native[1].time.value;
    ratios = ratios.map((ratio, i) => (ratio * oldNative[i]) / nowNative[i]);
  }
  const { low, high } = interval95(ratios);
  const verdict = low > 1 + NOISE ? 'slower' : high < 1 - NOISE ? 'faster' : 'same';
  return { workload: after.workload.name, engine: after.engine.name, before, after, low, high, value, verdict };
}

const nativeOf = (row: Row, { engine }: Summary): Summary | undefined =>
  [...row.cells.values()].find((one) => one.engine.native && one.engine.architecture === engine.architecture);

/** Pairs of (baseline's cell, present cell) and their verdicts. `rename` says which engine of the baseline is compared. */
function changes(before: Analysis, after: Analysis, rename: (engine: string) => string | undefined): readonly Change[] {
  return after.rows.flatMap((row) => {
    const old = before.rows.find(({ workload }) => workload.name === row.workload.name);
    // Another checksum is another workload.
    if (!old || old.workload.checksum !== row.workload.checksum) return [];
    return [...row.cells.values()].flatMap((summary) => {
      const name = rename(summary.engine.name);
      const earlier = name === undefined ? undefined : old.cells.get(name);
      if (!earlier || earlier === summary || (summary.engine.native && before === after)) return [];
      const [a, b] = [nativeOf(old, earlier), nativeOf(row, summary)];
      const pair = a && b && a !== b && b !== summary ? ([a, b] as const) : undefined;
      return [compare(earlier, summary, pair)];
    });
  });
}

function report(list: readonly Change[], lines: readonly string[]): Comparison {
  const changed = list.filter(({ verdict }) => verdict !== 'same');
  const medianChange = median(list.map(({ value }) => value));
  const summary =
    list.length === 0
      ? 'nothing to compare: no workload was measured on the same engine in both'
      : `${changed.length} of ${list.length} pairs changed beyond noise (${(100 * NOISE).toFixed(0)} % and the 95 % interval); median change ×${short(medianChange)}`;
  return {
    lines: [...lines, summary],
    table:
      list.length === 0
        ? undefined
        : {
            title: 'Change against the baseline',
            head: ['workload', 'engine', 'before', 'now', 'now over before', 'verdict'],
            text: [0, 1, 5],
            rows: list.map(({ workload, engine, before, after, low, high, value, verdict }) => [
              workload,
              engine,
              duration(before.time.value * 1e6),
              duration(after.time.value * 1e6),
              withInterval({ value, low, high }),
              verdict,
            ]),
          },
  };
}

/** Against a file of an earlier run. */
export function compareWithFile(earlier: BenchData, after: Analysis): Comparison {
  const before = analyse(earlier);
  const lines = [`baseline: ${earlier.host.date}, tsvm ${earlier.tsvm}`];
  for (const key of ['cpu', 'kernel', 'node'] as const) {
    const [old, now] = [earlier.host[key], after.data.host[key]];
    if (old !== now) lines.push(`other ${key}: ${old} then, ${now} now`);
  }
  return report(
    changes(before, after, (engine) => engine),
    lines,
  );
}

/** Against the engines of another tree of tsvm that ran in between: the host was the same for both. */
export function compareWithinRun(after: Analysis, suffix: string, tree: string): Comparison {
  const rename = (engine: string): string | undefined => (engine.endsWith(suffix) ? undefined : engine + suffix);
  return report(changes(after, after, rename), [`baseline: ${tree}, run alternately with this tree`]);
}
