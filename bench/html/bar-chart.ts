// Horizontal bars with intervals. Names and values are text of the page beside each bar, so that they keep their size
// on a narrow screen while the bar shrinks.

import { escapeHtml } from './page.js';
import { linearScale, logScale, percent, type Scale, type Tick } from './scale.js';
import { toneVariable } from './tones.js';

export interface Bar {
  readonly label: string;
  /** NaN: no bar, only the text. */
  readonly value: number;
  /** Ends of the interval, in the unit of `value`. */
  readonly low?: number;
  readonly high?: number;
  /** The value for people, with its unit; or why there is none. */
  readonly text: string;
  /** Number of a colour, see TONES. */
  readonly tone?: number;
  /** Shown when pointed at. */
  readonly note?: string;
}

export interface BarChart {
  readonly title?: string;
  readonly bars: readonly Bar[];
  /** Where bars begin on a log scale, such as 1 for ratios; a linear scale begins at 0. */
  readonly base?: number;
  readonly scale?: 'linear' | 'log';
  /** Under the axis: what is drawn, in which unit. */
  readonly axis?: string;
  /** Several charts side by side are comparable only with the same axis: values that it must reach. */
  readonly reach?: readonly number[];
}

const ROW = 20;
const BAR = { top: 4, height: 12 };
const MIDDLE = ROW / 2;
const CAP = 4;

function drawing(bar: Bar, scale: Scale, base: number): string {
  const grid = scale.ticks
    .map(({ value }) => {
      const x = percent(scale.position(value));
      return `<line class="${value === base ? 'base' : 'grid'}" x1="${x}" x2="${x}" y1="0" y2="${ROW}"/>`;
    })
    .join('');
  if (!Number.isFinite(bar.value)) return grid;
  const [zero, end] = [scale.position(base), scale.position(bar.value)];
  const fill = toneVariable(bar.tone ?? 0);
  const box =
    `<rect x="${percent(Math.min(zero, end))}" width="${percent(Math.max(0.4, Math.abs(end - zero)))}" ` +
    `y="${BAR.top}" height="${BAR.height}" rx="2" fill="${fill}"/>`;
  const { low, high } = bar;
  if (low === undefined || high === undefined || !Number.isFinite(low + high)) return grid + box;
  const [from, to] = [percent(scale.position(low)), percent(scale.position(high))];
  const cap = (x: string): string =>
    `<line class="whisker" x1="${x}" x2="${x}" y1="${MIDDLE - CAP}" y2="${MIDDLE + CAP}"/>`;
  return `${grid}${box}<line class="whisker" x1="${from}" x2="${to}" y1="${MIDDLE}" y2="${MIDDLE}"/>${cap(from)}${cap(to)}`;
}

/** Least distance of two numbers under the axis, in percent of its length. */
const APART = 18;
/** From the last number, which ends at its place instead of being centred there. */
const APART_FROM_LAST = 24;

/** The ticks that have room for their numbers, the last of all in any case. */
function labelled({ ticks, position }: Scale): readonly Tick[] {
  const chosen: Tick[] = [];
  for (const tick of ticks.toReversed()) {
    const next = chosen.at(-1);
    const apart = chosen.length === 1 ? APART_FROM_LAST : APART;
    if (next === undefined || position(next.value) - position(tick.value) >= apart) chosen.push(tick);
  }
  return chosen.toReversed();
}

/** A figure. Throws nothing: values without a place on the scale have no bar. */
export function barChart(chart: BarChart): string {
  const log = chart.scale === 'log';
  const base = log ? (chart.base ?? 1) : 0;
  const values = [...chart.bars.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]), base];
  const scale = (log ? logScale : linearScale)([...values, ...(chart.reach ?? [])]);
  const rows = chart.bars.map((bar) => {
    const title = `${bar.label}: ${bar.text}${bar.note ? `. ${bar.note}` : ''}`;
    return (
      `<div class="bar"><span class="bar-label">${escapeHtml(bar.label)}</span>` +
      `<svg class="track" height="${ROW}" role="img" aria-label="${escapeHtml(title)}"><title>${escapeHtml(title)}</title>` +
      `${drawing(bar, scale, base)}</svg><span class="bar-value">${escapeHtml(bar.text)}</span></div>`
    );
  });
  const ticks = labelled(scale).map(({ value, text }) => {
    const at = scale.position(value);
    const anchor = at < 4 ? 'start' : at > 96 ? 'end' : 'middle';
    return `<text x="${percent(at)}" y="11" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
  });
  const axis =
    `<div class="bar axis"><span class="bar-label"></span><svg class="track" height="14" aria-hidden="true">` +
    `${ticks.join('')}</svg><span class="bar-value"></span></div>`;
  const caption = chart.title === undefined ? '' : `<figcaption>${escapeHtml(chart.title)}</figcaption>`;
  const unit = chart.axis === undefined ? '' : `<p class="unit">${escapeHtml(chart.axis)}</p>`;
  return `<figure class="bars">${caption}${rows.join('')}${axis}${unit}</figure>`;
}
