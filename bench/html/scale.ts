// From numbers to positions, and the round numbers at which an axis is marked.

export interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface Scale {
  /** 0 to 100 within the scale's range, clamped outside of it. */
  readonly position: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/** Short text of a round number: 0.5, 20, 3k, 4M. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  const round = (x: number): string => String(Number(x.toPrecision(3)));
  if (size >= 1e9) return `${round(value / 1e9)}G`;
  if (size >= 1e6) return `${round(value / 1e6)}M`;
  if (size >= 1e4) return `${round(value / 1e3)}k`;
  return round(value);
}

const clamp = (percent: number): number => Math.min(100, Math.max(0, percent));

const MAX_TICKS = 6;

/** Beyond these, arithmetic on floating-point numbers runs out of range; nobody measures there. */
const HUGE = 1e200;
const TINY = 1e-200;
const within = (value: number): number => {
  const size = Math.abs(value);
  return size > HUGE ? Math.sign(value) * HUGE : size < TINY ? 0 : value;
};

/** From 0 (or the least value, if negative) to at least the greatest value. */
export function linearScale(values: readonly number[]): Scale {
  const finite = values.filter(Number.isFinite).map(within);
  const low = Math.min(0, ...finite);
  const high = Math.max(0, ...finite);
  const raw = (high - low) / (MAX_TICKS - 1) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  const ticks: Tick[] = [];
  for (let i = first; i <= last; i++) ticks.push({ value: i * step, text: tickText(i * step) });
  const span = (last - first) * step || 1;
  return { position: (value) => clamp((100 * (within(value) - first * step)) / span), ticks };
}

/** Powers of ten around the values, or finer marks when they span little. Values from zero down stand at the left end. */
export function logScale(values: readonly number[]): Scale {
  const positive = values
    .filter(Number.isFinite)
    .map(within)
    .filter((value) => value > 0);
  const least = Math.min(...(positive.length > 0 ? positive : [1]));
  const most = Math.max(...(positive.length > 0 ? positive : [1]));
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)) + 1; power++) {
    for (const factor of [1, 2, 5]) marks.push(Number(`${factor}e${power}`));
  }
  const from = marks.findLastIndex((mark) => mark <= least * 1.000001);
  const to = marks.findIndex((mark, i) => i > from && mark >= most * 0.999999);
  let shown = marks.slice(from, to + 1);
  if (shown.length > MAX_TICKS + 1) {
    const ends = [shown[0], shown[shown.length - 1]];
    const decades = shown.filter((mark) => Number.isInteger(Math.round(Math.log10(mark) * 1e6) / 1e6));
    const every = Math.ceil(decades.length / MAX_TICKS);
    shown = decades.filter((_, i) => i % every === 0);
    return between(ends[0], ends[1], shown);
  }
  return between(shown[0], shown[shown.length - 1], shown);
}

function between(low: number, high: number, marks: readonly number[]): Scale {
  const [from, to] = [Math.log(low), Math.log(high)];
  return {
    position: (value) => (value > 0 ? clamp((100 * (Math.log(value) - from)) / (to - from || 1)) : 0),
    ticks: marks.map((value) => ({ value, text: tickText(value) })),
  };
}

/** A percentage for an SVG attribute. */
export const percent = (value: number): string => `${Number(value.toFixed(2))}%`;
