// Curves: one line a series, on axes whose text does not shrink with the picture.

import { escapeHtml } from './page.js';
import { linearScale, logScale, percent } from './scale.js';
import { toneVariable } from './tones.js';

export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly tone?: number;
}

export interface LineChart {
  readonly title?: string;
  readonly series: readonly Series[];
  readonly xAxis: string;
  readonly yAxis: string;
  readonly xScale?: 'linear' | 'log';
  readonly yScale?: 'linear' | 'log';
}

/** Pixels: the picture, and what of it is left for the text of the axes. */
const HEIGHT = 260;
const LEFT = 44;
const BOTTOM = 18;
const TOP = 8;

/** Lines are also told apart by their dashes, for who cannot tell the colours. */
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2', '1 3', '8 2 2 2 2 2'];

export function lineChart(chart: LineChart): string {
  const points = chart.series.flatMap((series) => series.points);
  const x = (chart.xScale === 'log' ? logScale : linearScale)(points.map(([value]) => value));
  const y = (chart.yScale === 'log' ? logScale : linearScale)(points.map(([, value]) => value));
  const plot = HEIGHT - BOTTOM - TOP;
  const grid = [
    ...y.ticks.map(({ value }) => {
      const at = 100 - y.position(value);
      return `<line class="grid" x1="0" x2="100" y1="${at}" y2="${at}"/>`;
    }),
    ...x.ticks.map(({ value }) => {
      const at = x.position(value);
      return `<line class="grid" x1="${at}" x2="${at}" y1="0" y2="100"/>`;
    }),
  ].join('');
  const lines = chart.series.map(({ points: own, tone = 0, label }, i) => {
    const path = own
      .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
      .map(([a, b]) => `${x.position(a).toFixed(2)},${(100 - y.position(b)).toFixed(2)}`)
      .join(' ');
    const dash = DASHES[i % DASHES.length];
    return (
      `<polyline class="curve" points="${path}" stroke="${toneVariable(tone)}"` +
      `${dash ? ` stroke-dasharray="${dash}"` : ''}><title>${escapeHtml(label)}</title></polyline>`
    );
  });
  const yText = y.ticks
    .map(({ value, text }) => {
      const at = TOP + plot * (1 - y.position(value) / 100);
      return `<text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${escapeHtml(text)}</text>`;
    })
    .join('');
  const xText = x.ticks
    .map(({ value, text }) => {
      const at = x.position(value);
      const anchor = at > 96 ? 'end' : 'middle';
      return `<text x="${percent(at)}" y="14" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
    })
    .join('');
  const legend = chart.series
    .map(({ label, tone = 0 }, i) => {
      const dash = DASHES[i % DASHES.length];
      return (
        `<span class="key"><svg width="26" height="10" aria-hidden="true"><line class="curve" x1="1" x2="25" y1="5" y2="5" ` +
        `stroke="${toneVariable(tone)}"${dash ? ` stroke-dasharray="${dash}"` : ''}/></svg>${escapeHtml(label)}</span>`
      );
    })
    .join('');
  const caption = chart.title === undefined ? '' : `<figcaption>${escapeHtml(chart.title)}</figcaption>`;
  // The picture is stretched to the room there is; its lines keep their width, and its text is in pictures of its own.
  return (
    `<figure class="lines">${caption}<div class="legend">${legend}</div><p class="unit">${escapeHtml(chart.yAxis)}</p>` +
    `<div class="plot"><svg width="${LEFT}" height="${HEIGHT}" aria-hidden="true">${yText}</svg><div>` +
    `<svg class="chart" style="margin-top:${TOP}px" height="${plot}" viewBox="0 0 100 100" preserveAspectRatio="none" ` +
    `role="img" aria-label="${escapeHtml(chart.title ?? chart.yAxis)}">${grid}${lines.join('')}</svg>` +
    `<svg class="chart" height="${BOTTOM}" aria-hidden="true">${xText}</svg></div></div>` +
    `<p class="unit right">${escapeHtml(chart.xAxis)}</p></figure>`
  );
}
