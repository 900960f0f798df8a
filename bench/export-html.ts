// A report as one HTML file: charts first, then the same tables as everywhere.

import { type Analysis, MEANS, type Row } from './analysis.js';
import type { EngineData } from './data.js';
import { type Comparison, titleOf } from './export.js';
import { type Bar, barChart, dataTable, lineChart, note, page, panels, paragraph, section } from './html/index.js';
import {
  computeTable,
  emulatedLines,
  exitTable,
  facts,
  failureLines,
  leftOutLines,
  operationTable,
  partOf,
  type ReportTable,
  rowTable,
  startTable,
  warmUps,
  warmUpTable,
} from './report.js';
import { duration, short } from './statistics.js';

const table = ({ title, head, text, rows, strong }: ReportTable): string =>
  dataTable({
    title,
    columns: head.map((name, i) => ({ head: name, numeric: !text.includes(i) })),
    rows,
    ...(strong ? { strong } : {}),
  });

const tables = (...list: readonly (ReportTable | undefined)[]): readonly string[] =>
  list.flatMap((one) => (one ? [table(one)] : []));

const AXIS = 'times native, log scale; lines: 95 % intervals';

/** A bar an engine; those that gave no number say so. */
function bars(row: Row, engines: readonly EngineData[], pick: 'ratio' | 'operation'): readonly Bar[] {
  return engines.flatMap(({ name, tone, native }): readonly Bar[] => {
    if (native && pick === 'ratio') return [];
    const summary = row.cells.get(name);
    const failure = row.failures.get(name);
    if (!summary) {
      return failure
        ? [{ label: name, value: Number.NaN, text: failure.expected ? 'cannot' : 'failed', note: failure.reason }]
        : [];
    }
    const estimate = summary[pick];
    if (!estimate) return [];
    const { value, low, high } = estimate;
    const text = pick === 'ratio' ? short(value) : duration(value);
    return [{ label: name, value, low, high, text, tone, note: `n = ${summary.runs} × ${summary.n / summary.runs}` }];
  });
}

const values = (rows: readonly Row[], pick: 'ratio' | 'operation'): readonly number[] =>
  rows.flatMap(({ cells }) =>
    [...cells.values()].flatMap((summary) => {
      const estimate = summary[pick];
      return estimate ? [estimate.value, estimate.low, estimate.high] : [];
    }),
  );

function meansSection({ means, data }: Analysis): readonly string[] {
  const charts = MEANS.flatMap(({ name, label }) => {
    const members = means.get(name) ?? [];
    if (members.length === 0) return [];
    return [
      barChart({
        title: label,
        scale: 'log',
        base: 1,
        axis: AXIS,
        bars: members.map((mean) => ({
          label: mean.engine.name,
          ...mean.ratio,
          text: `${short(mean.ratio.value)}${partOf(mean, members)}`,
          tone: mean.engine.tone,
          note: `${mean.n} workloads`,
        })),
      }),
    ];
  });
  if (charts.length === 0) return [];
  const [widest] = charts.slice(-1);
  const partial = [...means.values()].some((members) => members.some((mean) => partOf(mean, members) !== ''));
  const legend = data.engines.map(({ name, description }) => `${name}: ${description}`).join('; ');
  return [
    section(
      'Time over native',
      paragraph(
        'A bar from 1 to the right is as many times the time that a process of the host needs for the same work.',
      ),
      widest,
      panels(charts.slice(0, -1)),
      ...(partial ? [note('In brackets: of how many workloads a mean is, where others are of more.')] : []),
      note(legend),
    ),
  ];
}

function computeSection(analysis: Analysis): readonly string[] {
  const { rows, data } = analysis;
  const compute = rows.filter(({ workload }) => workload.group !== 'system');
  const reach = values(compute, 'ratio');
  if (compute.length === 0) return [];
  const charts = compute.map((row) =>
    barChart({ title: row.workload.description, scale: 'log', base: 1, reach, bars: bars(row, data.engines, 'ratio') }),
  );
  const native = reach.length > 0;
  return [
    section(
      'Computing, by workload',
      ...(native ? [note(AXIS), panels(charts)] : []),
      ...tables(computeTable(analysis)),
    ),
  ];
}

function operationSection(analysis: Analysis): readonly string[] {
  const { rows, data } = analysis;
  const system = rows.filter(({ workload }) => workload.operations);
  if (system.length === 0) return [];
  const reach = values(system, 'operation');
  const base = 10 ** Math.floor(Math.log10(Math.min(...reach.filter((value) => value > 0), 1e9)));
  const charts = system.map((row) =>
    barChart({
      title: row.workload.description,
      scale: 'log',
      base,
      reach,
      bars: bars(row, data.engines, 'operation'),
    }),
  );
  return [
    section(
      'What leaves the fast path',
      paragraph('Work that a virtual machine cannot simply let run: time of one operation, nanoseconds, log scale.'),
      panels(charts),
      ...tables(operationTable(analysis)),
    ),
  ];
}

function startSection(analysis: Analysis): readonly string[] {
  const { starts, data } = analysis;
  if (data.kind !== 'overhead' || starts.length === 0) return [];
  const startBars = starts.map(({ engine, time, n }) => ({
    label: engine.name,
    ...time,
    text: duration(time.value * 1e6),
    tone: engine.tone,
    note: `n = ${n}`,
  }));
  const curves = warmUps(analysis);
  const names = [...new Set(curves.map(({ workload }) => workload))];
  const charts = names.map((name) =>
    lineChart({
      title: `Getting up to speed: ${data.workloads.find((one) => one.name === name)?.description ?? name}`,
      series: curves
        .filter(({ workload }) => workload === name)
        .map(({ engine, tone, points }) => ({ label: engine, tone, points })),
      xAxis: 'milliseconds since the process was started, log scale',
      yAxis: 'milliseconds a unit of work, median of three rounds, log scale',
      xScale: 'log',
      yScale: 'log',
    }),
  );
  return [
    section(
      'Start and warm-up',
      barChart({
        title: 'From starting the process to the first byte of output',
        axis: 'milliseconds; lines: 95 % intervals',
        bars: startBars,
      }),
      ...charts,
      ...tables(startTable(analysis), warmUpTable(analysis)),
    ),
  ];
}

const listed = (lines: readonly string[]): readonly string[] => lines.map((line) => paragraph(line));

/** A document that loads nothing. */
export function toHtml(analysis: Analysis, comparison?: Comparison): string {
  const overhead = analysis.data.kind === 'overhead';
  const sections = [
    ...meansSection(analysis),
    ...(comparison ? [section('Against the baseline', ...listed(comparison.lines), ...tables(comparison.table))] : []),
    ...computeSection(analysis),
    ...operationSection(analysis),
    ...(overhead ? [section('Exits', ...listed(emulatedLines(analysis)), ...tables(exitTable(analysis)))] : []),
    ...startSection(analysis),
    ...(overhead ? [section('Row by row', ...tables(rowTable(analysis)))] : []),
  ];
  const failures = [...failureLines(analysis), ...leftOutLines(analysis)];
  if (failures.length > 0) sections.push(section('Not measured', ...listed(failures)));
  return page({ title: titleOf(analysis), facts: facts(analysis), sections });
}
