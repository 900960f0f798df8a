// The report on the levels: the same tables for the terminal, for Markdown and for HTML.

import { hostLines } from '../host.js';
import { duration, interval95, median, quantile, short } from '../statistics.js';
import { formatTable } from '../text-table.js';
import { extrapolated, nativeLevel, ratio, resampledRatios, unitTime, verdicts } from './claims.js';
import type { Latency, LevelData, LevelsData, QuantityEnd } from './data.js';

export interface ReportTable {
  readonly title: string;
  readonly head: readonly string[];
  /** The first cell of each row is its head; columns from `numeric` on are numbers. */
  readonly rows: readonly (readonly string[])[];
  /** Numbers of the columns that hold numbers. */
  readonly numeric: readonly number[];
}

const NONE = '–';
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 512 B, 12.7 KiB, 61.3 MiB. */
export function bytes(value: number): string {
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? scaled : short(scaled)} ${UNITS[unit]}`;
}

const ms = (values: readonly number[]): string => (values.length ? duration(median(values) * 1e6) : NONE);

/** Nanoseconds of one operation. */
export const perOperation = (latency: Latency): number => (unitTime(latency).value * 1e6) / latency.operations;

const operation = (latency: Latency | null): string => (latency ? duration(perOperation(latency)) : NONE);

/** With what it is, which differs from level to level. */
const named = (latency: Latency | null): string => (latency ? `${operation(latency)} (${latency.operation})` : NONE);

const ENDS: Record<QuantityEnd, string> = {
  memory: 'memory budget',
  latency: 'start p95 doubled',
  time: 'time for this level',
  count: 'count for this level',
  failed: 'no further one started',
};

const count = (value: number): string => value.toLocaleString('en');

export function levelTables(data: LevelsData): readonly ReportTable[] {
  const native = nativeLevel(data)?.compute;
  const over = (level: LevelData): string => {
    if (level.engine === 'native') return '1';
    const found = ratio(level.compute, native);
    return found ? `${short(found.value)} (${short(found.low)}–${short(found.high)})` : NONE;
  };
  const start: ReportTable = {
    title: 'Start: from the request to the first byte on the console, and size',
    head: ['level', ...(data.coldStarts ? ['cold'] : []), 'warm', 'p95', 'image', 'resident', 'proportional'],
    rows: data.levels.map((level) => [
      level.title,
      ...(data.coldStarts ? [ms(level.cold)] : []),
      ms(level.warm),
      level.warm.length ? duration(quantile(level.warm, 0.95) * 1e6) : NONE,
      bytes(level.image),
      level.memory ? bytes(level.memory.resident) : NONE,
      level.memory ? bytes(level.memory.proportional) : NONE,
    ]),
    numeric: data.coldStarts ? [1, 2, 3, 4, 5, 6] : [1, 2, 3, 4, 5],
  };
  const performance: ReportTable = {
    title: `Performance: ${data.workload.description}, and what it costs to leave the program`,
    head: [
      'level',
      'a unit of work',
      'time over native (95 %)',
      'n',
      'call into what is below',
      'access to a device',
      'hypercall',
    ],
    rows: data.levels.map((level) => [
      level.title,
      level.compute ? duration(unitTime(level.compute).value * 1e6) : NONE,
      over(level),
      String(level.compute?.runs.length ?? 0),
      named(level.call),
      named(level.exit),
      operation(level.hypercall),
    ]),
    numeric: [1, 2, 3, 4, 5, 6],
  };
  const quantity: ReportTable = {
    title: 'Supported quantity: idle instances',
    head: ['level', 'measured', 'ended by', 'each', 'extrapolated: free memory holds'],
    rows: data.levels
      .filter((level) => level.quantity)
      .map((level) => {
        const { starts, memory, end } = level.quantity ?? { starts: [], memory: undefined, end: 'failed' as const };
        const more = extrapolated(level, data);
        return [
          level.title,
          count(starts.length),
          ENDS[end],
          memory && starts.length ? bytes(memory.proportional / starts.length) : NONE,
          more === undefined ? NONE : count(more),
        ];
      }),
    numeric: [1, 3, 4],
  };
  return [start, performance, quantity, verdictTable(data)];
}

function verdictTable(data: LevelsData): ReportTable {
  const formats = {
    start: (value: number) => duration(value * 1e9),
    size: bytes,
    performance: (value: number) => `${short(value)} × native`,
    quantity: count,
  };
  return {
    title: 'What is said about containers and virtual machines, and what was found',
    head: ['claim', 'level', 'found', 'verdict', 'because'],
    rows: verdicts(data).map(({ claim, level, value, extrapolated: more, words, why }) => [
      `${claim.property}, ${claim.side === 'vm' ? 'virtual machine' : 'container'}: ${claim.words}`,
      level.title,
      formats[claim.property](value) + (more ? ' (extrapolated)' : ''),
      words,
      why,
    ]),
    numeric: [2],
  };
}

/** Computed sentences: what a reader should take away. */
export function findings(data: LevelsData): readonly string[] {
  const lines: string[] = [];
  const { load, cores } = data.host;
  if (load > cores) {
    lines.push(
      `The host was busy: load ${short(load)} on ${cores} processors. Times then depend on who else was running, and ` +
        'ratios of them with it.',
    );
  }
  const least = Math.min(...data.levels.map(({ compute }) => compute?.runs.length ?? 0));
  if (least < data.settings.runs) {
    lines.push(
      `Time was over before every level had its ${data.settings.runs} runs (least: ${least}): a larger --time-limit, or a ` +
        'quieter host, narrows the intervals.',
    );
  }
  if (data.node.length > 0) {
    lines.push(`Of every start of tsvm, ${ms(data.node)} is Node itself: node -e until its first byte.`);
  }
  const hardware = data.levels.find(({ engine }) => engine === 'virt');
  if (hardware?.exit && data.cMonitor) {
    const found = ratio(hardware.exit, data.cMonitor.exit);
    if (found) {
      lines.push(
        `A port exit costs ${operation(hardware.exit)} in tsvm and ${operation(data.cMonitor.exit)} in a minimal monitor in C, ` +
          `measured in turns: ${short(found.value)} times (${short(found.low)}–${short(found.high)}; ${found.runs} processes each).`,
      );
    }
    const { mine, other } = data.cMonitor.processor ?? { mine: [], other: [] };
    if (mine.length > 0 && other.length > 0) {
      const { low, high } = interval95(
        resampledRatios(
          mine.map((value) => [value]),
          other.map((value) => [value]),
        ),
      );
      lines.push(
        'In processor time of the thread that runs the guest, which other programs disturb less: ' +
          `${duration(median(mine))} against ${duration(median(other))}, ${short(median(mine) / median(other))} times ` +
          `(${short(low)}–${short(high)}).`,
      );
    }
  } else if (data.cMonitorAbsence) {
    lines.push(`No comparison with a monitor in C: ${data.cMonitorAbsence}.`);
  }
  if (data.emulatedByKvm !== null && hardware) {
    lines.push(
      `KVM back end ${hardware.backend}: of the guest’s instructions in one short computing run, KVM emulated ` +
        `${count(data.emulatedByKvm)} itself; the processor executed the others.`,
    );
  }
  return lines;
}

export function smallPrint(data: LevelsData): readonly string[] {
  const { settings } = data;
  const stolen = data.stolen === null ? '' : `, ${(100 * data.stolen).toFixed(1)} % of processor time stolen`;
  return [
    ...data.levels.map(({ title, what, version, backend }) => {
      const below = backend === null ? '' : `, back end ${backend}`;
      return `${title}: ${what} (${version}${below}).`;
    }),
    ...data.absent.map(({ title, reason }) => `Absent: ${title}: ${reason}.`),
    ...data.levels.flatMap(({ title, gaps }) => gaps.map((gap) => `Not measured: ${title}: ${gap}.`)),
    ...data.levels.flatMap(({ title, quantity }) =>
      quantity?.end === 'failed' ? [`${title}: no instance after ${quantity.starts.length}: ${quantity.reason}.`] : [],
    ),
    'Proportional: resident memory, a page that n processes share counted as 1/n of a page in each. What the kernel keeps ' +
      'for a process (tables, stacks) is in no number.',
    `Medians of at most ${settings.runs} processes each, in turns, checksum ${data.workload.checksum} on every level; 95 % intervals by ` +
      `bootstrap. Idle instances together may take ${bytes(settings.memoryBudget)} or a quarter of free memory. ` +
      `${data.elapsed.toFixed(0)} s${stolen}.`,
    ...(data.coldStarts
      ? ['Cold: the system was asked to forget the files that a start reads; Node itself stays.']
      : []),
  ];
}

export function formatText(data: LevelsData): string {
  const tables = levelTables(data).map(({ title, head, rows }) => `${title}\n\n${formatTable([head, ...rows])}\n`);
  return [...hostLines(data.host), '', ...tables, ...findings(data), '', ...smallPrint(data), ''].join('\n');
}

export function formatMarkdown(data: LevelsData): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const table = ({ title, head, rows, numeric }: ReportTable): string => {
    const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
    const rule = head.map((_, i) => (numeric.includes(i) ? '---:' : '---'));
    return `## ${title}\n\n${[line(head), line(rule), ...rows.map(line)].join('\n')}\n`;
  };
  const list = (lines: readonly string[]): string => lines.map((text) => `- ${text}`).join('\n');
  const parts = ['# Five levels of virtualization', ...hostLines(data.host), ...levelTables(data).map(table)];
  return `${[...parts, list(findings(data)), list(smallPrint(data))].join('\n\n')}\n`;
}
