// What a report says, as titles, sentences and tables of text; how it looks is decided elsewhere (text, Markdown, HTML).

import { type Analysis, type Estimate, MEANS, type Mean, type Summary } from './analysis.js';
import type { BenchData } from './data.js';
import { KVM_LEAST_ROUND } from './engine.js';
import { allExitLines, explain } from './explain.js';
import { hostLines } from './host.js';
import { amount, duration, median, short } from './statistics.js';

export interface ReportTable {
  readonly title: string;
  readonly head: readonly string[];
  /** Numbers of the columns whose cells are text; the others are numbers. */
  readonly text: readonly number[];
  readonly rows: readonly (readonly string[])[];
  /** Numbers of rows that sum others up. */
  readonly strong?: readonly number[];
}

const times = (value: number): string => short(value);

/** 4.10 [4.02, 4.19]. */
export const withInterval = ({ value, low, high }: Estimate, format: (n: number) => string = times): string =>
  Number.isFinite(low + high) ? `${format(value)} [${format(low)}, ${format(high)}]` : format(value);

/** 4.10 ±2%: half the interval, for narrow columns. */
const withMargin = ({ value, low, high }: Estimate, format: (n: number) => string): string => {
  const margin = (50 * (high - low)) / value;
  return Number.isFinite(margin)
    ? `${format(value)} ±${margin < 9.5 ? margin.toFixed(margin < 0.95 ? 1 : 0) : Math.round(margin)}%`
    : format(value);
};

const nanoseconds = (milliseconds: number): string => duration(milliseconds * 1e6);

const guests = ({ engines }: BenchData) => engines.filter(({ native }) => !native);

/** Where it was measured, when, and with what. */
export function facts({ data, rows }: Analysis): readonly string[] {
  const { host, settings, cells, stolen } = data;
  const runs = cells.map((cell) => cell.runs.length);
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  const count = least === most ? String(least) : `${least} to ${most}`;
  const lines = [
    ...hostLines(host),
    ...data.engines.map(({ name, description, version, backend }) => {
      const on = backend === null ? '' : `, back end ${backend}`;
      return `${name}: ${description} (${version}${on})`;
    }),
    ...data.absent.map(({ name, reason }) => `absent: ${name}: ${reason}`),
  ];
  if (cells.length > 0) {
    lines.push(
      `n = ${count} processes × ${settings.rounds} rounds of about ${settings.roundTime} ms (computing under KVM: at least ${KVM_LEAST_ROUND}) after warming up, interleaved; medians, bootstrap 95 % intervals`,
    );
  }
  const summaries = rows.flatMap((row) => [...row.cells.values()]);
  const rounds = summaries.reduce((sum, { n }) => sum + n, 0);
  const far = summaries.reduce((sum, one) => sum + one.outliers, 0);
  const busy = busySentence(summaries);
  const steal =
    stolen === null
      ? 'time stolen by a hypervisor below: unknown'
      : `${(100 * stolen).toFixed(1)} % of processor time stolen by a hypervisor below`;
  lines.push(
    `${data.elapsed.toFixed(0)} s in all; ${steal}; ${far} of ${rounds} rounds are outliers (modified z-score above 3.5)`,
  );
  if (busy !== undefined) lines.push(busy);
  return lines;
}

/** Where engines of one thread had to wait for a processor, the host was busy with something else. */
const BUSY = 0.9;

function busySentence(summaries: readonly Summary[]): string | undefined {
  const shares = summaries.flatMap(({ engine, processor, time }) =>
    engine.native && processor ? processor / time.value : [],
  );
  const share = median(shares);
  if (!(share < BUSY)) return undefined;
  return `this host was busy: native processes had a processor ${(100 * share).toFixed(0)} % of their time. Trust "by processor time" and "best over best" more than medians`;
}

/** " (4)": of how many workloads a mean is, where others are of more. */
export const partOf = ({ n }: Mean, all: readonly Mean[]): string => (all.some((one) => one.n > n) ? ` (${n})` : '');

/** Times over native, a workload a line. Undefined when no compute workload was measured. */
export function computeTable({ data, rows, means }: Analysis): ReportTable | undefined {
  const compute = rows.filter(({ workload }) => workload.group !== 'system');
  if (compute.length === 0) return undefined;
  const engines = guests(data);
  const [native] = data.engines.filter((engine) => engine.native);
  const table = compute.map(({ workload, cells, failures }) => {
    const base = native && cells.get(native.name);
    const others = engines.map(({ name }) => {
      const summary = cells.get(name);
      if (!summary) return failures.get(name)?.expected === false ? 'failed' : '–';
      return summary.ratio ? withMargin(summary.ratio, times) : nanoseconds(summary.time.value);
    });
    const own = base ? nanoseconds(base.time.value) : '–';
    return [workload.description, ...(native ? [own] : []), ...others];
  });
  const strong: number[] = [];
  for (const { name, label } of MEANS) {
    const members = means.get(name) ?? [];
    if (members.length === 0) continue;
    strong.push(table.length);
    table.push([
      label,
      ...(native ? [''] : []),
      ...engines.map((engine) => {
        const mean = members.find((one) => one.engine.name === engine.name);
        return mean ? `${withMargin(mean.ratio, times)}${partOf(mean, members)}` : '–';
      }),
    ]);
  }
  return {
    title: native ? 'Time over native' : 'Time of a unit of work; there is no native program here to compare with',
    head: ['workload', ...(native ? [native.name] : []), ...engines.map(({ name }) => name)],
    text: [0],
    rows: table,
    strong,
  };
}

/** Time of one operation, for workloads that count them. */
export function operationTable({ data, rows }: Analysis): ReportTable | undefined {
  const system = rows.filter(({ workload }) => workload.operations);
  if (system.length === 0) return undefined;
  return {
    title: 'Time of one operation',
    head: ['workload', ...data.engines.map(({ name }) => name)],
    text: [0],
    rows: system.map(({ workload, cells, failures }) => [
      workload.description,
      ...data.engines.map(({ name }) => {
        const operation = cells.get(name)?.operation;
        if (operation) return withMargin(operation, duration);
        const failure = failures.get(name);
        return failure ? (failure.expected ? 'cannot' : 'failed') : '–';
      }),
    ]),
  };
}

/** Every measured pair with its numbers and the sentence that explains them. */
export function rowTable(analysis: Analysis): ReportTable | undefined {
  const rows = analysis.rows.flatMap((row) =>
    [...row.cells.values()].map((summary) => [
      row.workload.name,
      summary.engine.name,
      nanoseconds(summary.time.value),
      summary.ratio ? withInterval(summary.ratio) : '–',
      summary.bestRatio === null ? '–' : short(summary.bestRatio),
      summary.processorRatio === null ? '–' : short(summary.processorRatio),
      `${summary.runs}×${summary.n / summary.runs}`,
      String(summary.outliers),
      summary.rate === null ? '–' : amount(summary.rate),
      explain(analysis, row, summary),
    ]),
  );
  if (rows.length === 0) return undefined;
  return {
    title: 'Every row, and why it is so',
    head: [
      'workload',
      'engine',
      'time a unit',
      'over native',
      'best over best',
      'by processor time',
      'n',
      'outliers',
      'instructions/s',
      'why',
    ],
    text: [0, 1, 9],
    rows,
  };
}

/** Exits by reason, with what each costs. */
export function exitTable(analysis: Analysis): ReportTable | undefined {
  const lines = allExitLines(analysis);
  if (lines.length === 0) return undefined;
  return {
    title: 'Exits by reason',
    head: ['workload', 'engine', 'reason', 'in a unit', 'cost each', 'share of time'],
    text: [0, 1, 2],
    rows: lines.map(({ workload, engine, reason, count, cost, share }) => [
      workload,
      engine,
      reason,
      amount(Math.round(count)),
      cost === null ? '–' : duration(cost),
      share === null ? '–' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`,
    ]),
  };
}

/** From starting the process to the guest's first byte. */
export function startTable({ starts }: Analysis): ReportTable | undefined {
  if (starts.length === 0) return undefined;
  return {
    title: 'From starting the process to the first byte of output',
    head: ['engine', 'median', 'n'],
    text: [0],
    rows: starts.map(({ engine, time, n }) => [engine.name, withInterval(time, nanoseconds), String(n)]),
  };
}

/** How near to its steady speed an engine must be to be called warm. */
const WARM = 1.1;

/** Single rounds far off are the host's doing; three in a row are not. */
const smooth = (times: readonly number[]): readonly number[] =>
  times.map((time, i) => (i > 0 && i < times.length - 1 ? median(times.slice(i - 1, i + 2)) : time));

export interface WarmUp {
  readonly workload: string;
  readonly engine: string;
  readonly tone: number;
  /** Milliseconds a unit: the first round's, and once warm. */
  readonly first: number;
  readonly steady: number;
  /** Milliseconds from the process's start until it stays near its steady speed. */
  readonly warmAt: number;
  /** Milliseconds since the process's start, and milliseconds a unit, the median of three rounds. */
  readonly points: readonly (readonly [number, number])[];
}

export function warmUps({ data }: Analysis): readonly WarmUp[] {
  return data.curves.map(({ workload, engine, repeat, startup, rounds }) => {
    let now = startup;
    const times = smooth(rounds).map((time) => time / repeat);
    const points = rounds.map((time, i): readonly [number, number] => {
      now += time;
      return [now, times[i]];
    });
    const tail = points.slice(-Math.max(1, rounds.length >> 2)).map(([, time]) => time);
    const steady = median(tail);
    const late = times.findLastIndex((time, i) => time > WARM * steady && i < points.length - tail.length);
    return {
      workload,
      engine,
      tone: data.engines.find(({ name }) => name === engine)?.tone ?? 0,
      first: (rounds[0] ?? Number.NaN) / repeat,
      steady,
      warmAt: late < 0 ? startup : points[late][0],
      points,
    };
  });
}

export function warmUpTable(analysis: Analysis): ReportTable | undefined {
  const curves = warmUps(analysis);
  if (curves.length === 0) return undefined;
  return {
    title: 'Getting up to speed',
    head: ['workload', 'engine', 'first unit', 'steady', 'first over steady', 'warm after'],
    text: [0, 1],
    rows: curves.map(({ workload, engine, first, steady, warmAt }) => [
      workload,
      engine,
      nanoseconds(first),
      nanoseconds(steady),
      short(first / steady),
      nanoseconds(warmAt),
    ]),
  };
}

/** What could not be measured, and why. */
export function failureLines({ data }: Analysis): readonly string[] {
  return data.failures.map(
    ({ workload, engine, reason, expected }) =>
      `${expected ? 'cannot' : 'FAILED'}: ${workload} on ${engine}: ${reason}`,
  );
}

const compute = (summary: Summary): boolean => summary.workload.group !== 'system';

/** Under KVM, how much of a computing guest the kernel emulated; empty where its counters are missing. */
export function emulatedLines({ rows }: Analysis): readonly string[] {
  const shares = new Map<string, number[]>();
  for (const summary of rows.flatMap(({ cells }) => [...cells.values()]).filter(compute)) {
    const { unit } = summary.cell;
    // An emulator counts its instructions; KVM does not.
    if (!unit || unit.instructions !== null || !summary.instructions) continue;
    const share = (unit.details['kvm_insn_emulation'] ?? 0) / summary.instructions;
    shares.set(summary.engine.name, [...(shares.get(summary.engine.name) ?? []), share]);
  }
  return [...shares].map(
    ([engine, values]) =>
      `${engine}: while computing, KVM emulated ${(1e6 * median(values)).toFixed(1)} of a million instructions in the kernel (median; at most ${(1e6 * Math.max(...values)).toFixed(1)}) and the processor executed the rest`,
  );
}

/** The one number for each engine: "jit: 1.90 [1.80, 2.00] times native over 14 workloads". */
export function meanLines({ means }: Analysis): readonly string[] {
  return (means.get('compute') ?? []).map(
    ({ engine, ratio, bestRatio, processorRatio, n }) =>
      `${engine.name}: ${withInterval(ratio)} times native, geometric mean of ${n} compute workloads; best over best ${short(bestRatio)}${processorRatio === null ? '' : `, by processor time ${short(processorRatio)}`}`,
  );
}

/** What the plan did not include, and how to have it. */
export function leftOutLines({ data }: Analysis): readonly string[] {
  const all = data.leftOut ?? [];
  return [...new Set(all.map(({ reason }) => reason))].map((reason) => {
    const list = all.filter((one) => one.reason === reason);
    const engines = list.map(({ engine }) => engine).join(', ');
    const workloads = [...new Set(list.flatMap((one) => one.workloads))].join(', ');
    return `left out: ${engines} on ${workloads}: ${reason}. --engines or --only measures what it names in full, --time-limit for longer`;
  });
}

/** All tables, in the order of a report. */
export function reportTables(analysis: Analysis): readonly ReportTable[] {
  const overhead = analysis.data.kind === 'overhead';
  const tables = [computeTable(analysis), operationTable(analysis)];
  if (overhead) tables.push(rowTable(analysis), exitTable(analysis), startTable(analysis), warmUpTable(analysis));
  return tables.filter((table) => table !== undefined);
}
