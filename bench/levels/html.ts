// The report on the levels as one HTML file.

import { hostLines } from '../host.js';
import { type Bar, barChart, dataTable, note, page, panels, paragraph, section } from '../html/index.js';
import { duration, interval95, median, resampledMedians, short } from '../statistics.js';
import { extrapolated, nativeLevel, ratio } from './claims.js';
import type { LevelData, LevelsData } from './data.js';
import { bytes, findings, levelTables, type ReportTable, smallPrint } from './report.js';

const table = ({ title, head, rows, numeric }: ReportTable): string =>
  dataTable({ title, columns: head.map((text, i) => ({ head: text, numeric: numeric.includes(i) })), rows });

function bars(data: LevelsData, bar: (level: LevelData) => Omit<Bar, 'label' | 'tone'> | undefined): readonly Bar[] {
  return data.levels.map((level) => {
    const found = bar(level) ?? { value: Number.NaN, text: '–' };
    return { label: level.name, tone: level.tone, note: level.title, ...found };
  });
}

/** Start-up, compute time, memory and number: what the four claims are about. */
function charts(data: LevelsData): string {
  const native = nativeLevel(data)?.compute;
  const start = bars(data, ({ warm }) => {
    if (warm.length === 0) return undefined;
    const { low, high } = interval95(resampledMedians(warm.map((value) => [value])));
    return { value: median(warm), low, high, text: duration(median(warm) * 1e6) };
  });
  const compute = bars(data, (level) => {
    if (level.engine === 'native') return { value: 1, text: '1' };
    const found = ratio(level.compute, native);
    return found && { value: found.value, low: found.low, high: found.high, text: `${short(found.value)} ×` };
  });
  const memory = bars(data, ({ memory: found }) =>
    found ? { value: found.proportional / 2 ** 20, text: bytes(found.proportional) } : undefined,
  );
  const quantity = bars(data, (level) => {
    const found = extrapolated(level, data);
    return found === undefined ? undefined : { value: found, text: found.toLocaleString('en') };
  });
  return panels([
    barChart({ title: 'Start, warm', bars: start, scale: 'log', base: 1, axis: 'milliseconds to the first byte' }),
    barChart({ title: 'Time over native', bars: compute, scale: 'log', base: 1, axis: `times, ${data.workload.name}` }),
    barChart({
      title: 'Memory of an idle instance',
      bars: memory,
      scale: 'log',
      base: 0.01,
      axis: 'MiB, proportional',
    }),
    barChart({ title: 'Idle instances, extrapolated', bars: quantity, scale: 'log', base: 1, axis: 'in free memory' }),
  ]);
}

export function formatHtml(data: LevelsData): string {
  const tables = levelTables(data);
  const verdicts = tables[tables.length - 1];
  return page({
    title: 'Five levels of virtualization',
    facts: [...hostLines(data.host), `tsvm ${data.tsvm}`],
    sections: [
      section('One program, every level', charts(data), ...findings(data).map(paragraph)),
      section('Numbers', ...tables.slice(0, -1).map(table)),
      section('Claims and verdicts', table(verdicts)),
      section('How it was measured', ...smallPrint(data).map(note)),
    ],
  });
}
