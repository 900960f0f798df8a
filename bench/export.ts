// A report as text for a terminal, as Markdown, as CSV and as JSON. All are made of the same analysis.

import type { Analysis } from './analysis.js';
import { explain } from './explain.js';
import {
  emulatedLines,
  facts,
  failureLines,
  leftOutLines,
  meanLines,
  type ReportTable,
  reportTables,
} from './report.js';
import { mean, standardDeviation } from './statistics.js';
import { formatTable } from './text-table.js';

/** What a comparison with an earlier measurement adds. */
export interface Comparison {
  readonly lines: readonly string[];
  readonly table: ReportTable | undefined;
}

const isText = ({ text }: ReportTable, column: number): boolean => text.includes(column);

/** For a terminal; without line end. */
export function toText(analysis: Analysis, comparison?: Comparison): string {
  const table = (one: ReportTable): string =>
    `${one.title}\n${formatTable(
      [one.head, ...one.rows],
      one.head.map((_, i) => isText(one, i)),
    )}`;
  const parts = [facts(analysis).join('\n'), ...reportTables(analysis).map(table)];
  const lines = [
    ...meanLines(analysis),
    ...emulatedLines(analysis),
    ...failureLines(analysis),
    ...leftOutLines(analysis),
  ];
  if (lines.length > 0) parts.push(lines.join('\n'));
  if (comparison) parts.push([...comparison.lines, ...(comparison.table ? [table(comparison.table)] : [])].join('\n'));
  return parts.join('\n\n');
}

const markdownCell = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('|', '\\|');

function markdownTable(table: ReportTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |`;
  const rule = `|${table.head.map((_, i) => (isText(table, i) ? '---' : '---:')).join('|')}|`;
  const body = table.rows.map((row, i) =>
    line(table.strong?.includes(i) ? row.map((cell) => (cell === '' ? '' : `**${cell}**`)) : row),
  );
  return `## ${table.title}\n\n${[line(table.head), rule, ...body].join('\n')}`;
}

export function toMarkdown(analysis: Analysis, comparison?: Comparison): string {
  const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
  const parts = [`# ${titleOf(analysis)}`, list(facts(analysis)), ...reportTables(analysis).map(markdownTable)];
  const lines = [
    ...meanLines(analysis),
    ...emulatedLines(analysis),
    ...failureLines(analysis),
    ...leftOutLines(analysis),
  ];
  if (lines.length > 0) parts.push(list(lines));
  if (comparison) parts.push(list(comparison.lines), ...(comparison.table ? [markdownTable(comparison.table)] : []));
  return `${parts.join('\n\n')}\n`;
}

export const titleOf = ({ data }: Analysis): string =>
  data.kind === 'overhead' ? 'What virtual machines cost' : 'Computing in virtual machines';

const CSV_HEAD = [
  ...['workload', 'engine', 'architecture', 'backend', 'runs', 'rounds', 'repeat', 'outliers'],
  ...[
    'median_ms',
    'low_ms',
    'high_ms',
    'best_ms',
    'cold_ms',
    'ratio',
    'ratio_low',
    'ratio_high',
    'best_ratio',
    'processor_ms',
    'processor_ratio',
  ],
  ...['operation_ns', 'instructions', 'instructions_per_second', 'why'],
];

/** RFC 4180. A leading sign of a formula is for a spreadsheet to see as text. */
function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(Number(value.toPrecision(7))) : '';
  const text = /^[=+@-]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line for every workload on every engine. */
export function toCsv(analysis: Analysis): string {
  const lines = analysis.rows.flatMap((row) =>
    [...row.cells.values()].map((one) => {
      const { engine, time, ratio, cell } = one;
      return [
        ...[row.workload.name, engine.name, engine.architecture, engine.backend],
        ...[one.runs, one.n, cell.repeat, one.outliers],
        ...[time.value, time.low, time.high, one.best, one.cold],
        ...[
          ratio?.value ?? null,
          ratio?.low ?? null,
          ratio?.high ?? null,
          one.bestRatio,
          one.processor,
          one.processorRatio,
        ],
        ...[one.operation?.value ?? null, one.instructions, one.rate, explain(analysis, row, one)],
      ];
    }),
  );
  return `${[CSV_HEAD, ...lines].map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`;
}

/** The measurement itself, and what follows from it: `results` has hyperfine's words, in seconds for a unit of work. */
export function toJson(analysis: Analysis): string {
  const results = analysis.rows.flatMap((row) =>
    [...row.cells.values()].map((one) => {
      const times = one.cell.runs.flatMap(({ rounds }) =>
        rounds.slice(one.cell.warmup).map((time) => time / one.cell.repeat / 1000),
      );
      return {
        command: `${row.workload.name} on ${one.engine.name}`,
        mean: mean(times),
        stddev: standardDeviation(times),
        median: one.time.value / 1000,
        min: Math.min(...times),
        max: Math.max(...times),
        times,
        ratio: one.ratio,
        outliers: one.outliers,
        why: explain(analysis, row, one),
      };
    }),
  );
  return `${JSON.stringify({ ...analysis.data, results }, null, 2)}\n`;
}
