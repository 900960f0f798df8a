// Numbers about samples.

/** Middle of the sorted values; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Smallest value; NaN for none. */
export function best(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.min(...values);
}

/** For ratios: unlike the arithmetic mean it does not depend on which side is the divisor. NaN for none. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: divided by n - 1. NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1));
}

/** Value below which the share `q` of the values lies, by linear interpolation. NaN for none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993): modified z-score and its customary bound. */
const OUTLIER_SCORE = 3.5;
const NORMAL_QUARTILE = 0.6745;

/** Values far off the median, by the median absolute deviation. */
export function outliers(values: readonly number[]): readonly number[] {
  const middle = median(values);
  const deviation = median(values.map((value) => Math.abs(value - middle)));
  if (!(deviation > 0)) return [];
  return values.filter((value) => (NORMAL_QUARTILE * Math.abs(value - middle)) / deviation > OUTLIER_SCORE);
}

/** Numbers from 0 to below 1, always the same: a report made twice from the same samples has the same intervals. */
function createRandom(seed: number): () => number {
  // xorshift32 (Marsaglia, "Xorshift RNGs", 2003), which must not begin with 0.
  let x = Math.imul(seed, 0x9e3779b9) ^ 0x2545f491 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

const pick = <T>(values: readonly T[], random: () => number): T => values[Math.floor(random() * values.length)];

const RESAMPLES = 1000;

/**
 * Medians of resampled samples (bootstrap; Efron and Tibshirani, 1993), in no order. Rounds of one process resemble each
 * other more than those of another, so processes are drawn first and rounds within each. `runs` are the rounds by process.
 */
export function resampledMedians(runs: readonly (readonly number[])[], seed = 0): readonly number[] {
  const filled = runs.filter(({ length }) => length > 0);
  if (filled.length === 0) return [];
  const random = createRandom(seed);
  return Array.from({ length: RESAMPLES }, () => {
    const drawn = filled.flatMap(() => {
      const run = pick(filled, random);
      return run.map(() => pick(run, random));
    });
    return median(drawn);
  });
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The middle 95 % of resampled values; NaN for none. */
export function interval95(resamples: readonly number[]): Interval {
  return { low: quantile(resamples, 0.025), high: quantile(resamples, 0.975) };
}

/** Two or three significant digits, plain: 0.98, 12.3, 456. A dash for NaN. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toFixed(digits);
}

/** A time with its unit: 480 ns, 5.02 µs, 1.30 ms, 2.41 s. */
export function duration(nanoseconds: number): string {
  const size = Math.abs(nanoseconds);
  if (!Number.isFinite(nanoseconds)) return '–';
  if (size < 999.5) return `${short(nanoseconds)} ns`;
  if (size < 999.5e3) return `${short(nanoseconds / 1e3)} µs`;
  if (size < 999.5e6) return `${short(nanoseconds / 1e6)} ms`;
  return `${short(nanoseconds / 1e9)} s`;
}

/** A count with its magnitude: 12, 1,234, 45.6 k, 5.32 M, 1.20 G. */
export function amount(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return '–';
  if (size >= 1e9) return `${short(value / 1e9)} G`;
  if (size >= 1e6) return `${short(value / 1e6)} M`;
  if (size >= 1e4) return `${short(value / 1e3)} k`;
  return Number.isInteger(value) ? value.toLocaleString('en') : short(value);
}
