// What a lecture says about containers and virtual machines, beside what was measured.

import { interval95, median, resampledMedians } from '../statistics.js';
import type { LevelData, LevelsData, Samples } from './data.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export type Property = 'start' | 'size' | 'performance' | 'quantity';

export interface Claim {
  readonly property: Property;
  readonly side: 'container' | 'vm';
  /** As it is said. */
  readonly words: string;
  /** The range that the words mean: seconds, bytes, time over native, instances. */
  readonly low: number;
  readonly high: number;
  /** What the words have in mind that a measurement of the bare level has not, when the measured value is smaller. */
  readonly below: string;
  /** The same when it is larger. */
  readonly above: string;
}

/** The usual table of a virtualization lecture. Orders of magnitude: "tens" is 10 to 100. */
export const CLAIMS: readonly Claim[] = [
  {
    property: 'start',
    side: 'container',
    words: 'seconds',
    low: 1,
    high: 60,
    below: 'one static process starts; the seconds are a service’s own start and its image’s arrival',
    above: '',
  },
  {
    property: 'start',
    side: 'vm',
    words: 'minutes',
    low: 60,
    high: 3600,
    below: 'a small kernel starts directly; the minutes are firmware, a full operating system and its services',
    above: '',
  },
  {
    property: 'size',
    side: 'container',
    words: 'tens of MB',
    low: 10 * MIB,
    high: 100 * MIB,
    below: 'the image holds one static program; the MB are a distribution’s libraries and tools',
    above: '',
  },
  {
    property: 'size',
    side: 'vm',
    words: 'tens of GB',
    low: 10 * GIB,
    high: 100 * GIB,
    below: 'the image holds a small kernel and one program; the GB are an installed operating system',
    above: '',
  },
  {
    property: 'performance',
    side: 'container',
    words: 'close to native',
    low: 0,
    high: 1.1,
    below: '',
    above: 'more than a tenth is lost',
  },
  {
    property: 'performance',
    side: 'vm',
    words: 'weaker',
    low: 1.1,
    high: Number.POSITIVE_INFINITY,
    below: 'computing needs no exits: the processor executes the guest’s ring 3 directly',
    above: '',
  },
  {
    property: 'quantity',
    side: 'container',
    words: 'thousands',
    low: 1000,
    high: 10_000,
    below: 'memory ends it earlier here',
    above: 'an idle static program shares nearly all of its pages; services do not',
  },
  {
    property: 'quantity',
    side: 'vm',
    words: 'tens',
    low: 10,
    high: 100,
    below: 'memory ends it earlier here',
    above: 'an idle small guest touches little of its RAM; an operating system touches most of it',
  },
];

/** A value and its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Processes. */
  readonly runs: number;
}

/** Milliseconds of one unit of work. */
export function unitTime({ runs, repeat }: Samples): Estimate {
  const { low, high } = interval95(resampledMedians(runs));
  return { value: median(runs.flat()) / repeat, low: low / repeat, high: high / repeat, runs: runs.length };
}

type Runs = readonly (readonly number[])[];

/** Ratios of resampled medians. Two resamplings with different seeds are independent. */
export function resampledRatios(mine: Runs, other: Runs): readonly number[] {
  const [a, b] = [resampledMedians(mine, 1), resampledMedians(other, 2)];
  return a.map((value, i) => value / b[i]);
}

/** How many times slower; undefined without both. */
export function ratio(mine: Samples | null, other: Samples | null | undefined): Estimate | undefined {
  if (!mine || !other) return undefined;
  const scale = other.repeat / mine.repeat;
  const { low, high } = interval95(resampledRatios(mine.runs, other.runs));
  return {
    value: (median(mine.runs.flat()) / median(other.runs.flat())) * scale,
    low: low * scale,
    high: high * scale,
    runs: Math.min(mine.runs.length, other.runs.length),
  };
}

export const nativeLevel = (data: LevelsData): LevelData | undefined =>
  data.levels.find(({ engine }) => engine === 'native');

/** Instances that the memory which was free at the beginning would hold, each as large as the measured ones. */
export function extrapolated(level: LevelData, data: LevelsData): number | undefined {
  const { quantity } = level;
  if (!quantity?.memory || quantity.starts.length === 0 || data.availableMemory === null) return undefined;
  const each = quantity.memory.proportional / quantity.starts.length;
  return each > 0 ? Math.floor(data.availableMemory / each) : undefined;
}

export interface Verdict {
  readonly claim: Claim;
  readonly level: LevelData;
  /** In the claim's unit. */
  readonly value: number;
  /** Whether memory was extrapolated from. */
  readonly extrapolated: boolean;
  /** "agrees" or "off by 10^k", and in which direction. */
  readonly words: string;
  readonly agrees: boolean;
  /** Why it may be off. */
  readonly why: string;
}

const DIRECTIONS: Record<Property, readonly [below: string, above: string]> = {
  start: ['faster', 'slower'],
  size: ['smaller', 'larger'],
  performance: ['faster', 'slower'],
  quantity: ['fewer', 'more'],
};

/** Orders of magnitude between a value and a range: 0 inside and near it, negative below. */
export function magnitudesOff(value: number, low: number, high: number): number {
  if (value >= low && value <= high) return 0;
  return Math.round(Math.log10(value / (value < low ? low : high)));
}

function judge(claim: Claim, level: LevelData, value: number, isExtrapolated: boolean, near?: Estimate): Verdict {
  const { property, low, high } = claim;
  const off = magnitudesOff(value, low, high);
  const side = value < low ? 0 : 1;
  const verdict = { claim, level, value, extrapolated: isExtrapolated };
  // Performance is claimed to the percent, not to the order of magnitude: there the interval decides.
  if (near && near.high >= low && near.low <= high && !(near.low >= low && near.high <= high)) {
    return {
      ...verdict,
      words: 'undecided',
      agrees: false,
      why: 'the interval is too wide: more runs, a quieter host',
    };
  }
  const agrees = near ? near.low >= low && near.high <= high : off === 0;
  if (agrees) return { ...verdict, words: 'agrees', agrees, why: '' };
  const why = side === 0 ? claim.below : claim.above;
  if (near && off === 0) return { ...verdict, words: `off by 10^0: ${side ? 'weaker' : 'not weaker'}`, agrees, why };
  return { ...verdict, words: `off by 10^${Math.abs(off)}, ${DIRECTIONS[property][side]}`, agrees, why };
}

/** Every claim against every level that it is about. */
export function verdicts(data: LevelsData): readonly Verdict[] {
  const native = nativeLevel(data)?.compute;
  const found: Verdict[] = [];
  for (const claim of CLAIMS) {
    for (const level of data.levels.filter(({ side }) => side === claim.side)) {
      if (claim.property === 'start' && level.warm.length > 0) {
        found.push(judge(claim, level, median(level.warm) / 1000, false));
      } else if (claim.property === 'size') {
        found.push(judge(claim, level, level.image, false));
      } else if (claim.property === 'performance') {
        const over = ratio(level.compute, native);
        if (over) found.push(judge(claim, level, over.value, false, over));
      } else if (claim.property === 'quantity' && level.quantity) {
        // Where starts became slow, that is the end; where something of this measurement ended it, memory says the rest.
        const measured = level.quantity.end === 'latency' ? level.quantity.starts.length : undefined;
        const value = measured ?? extrapolated(level, data);
        if (value === undefined) continue;
        const verdict = judge(claim, level, value, measured === undefined);
        const early = measured !== undefined && verdict.why !== '' && value < claim.low;
        found.push(early ? { ...verdict, why: 'starts became slow before memory ended' } : verdict);
      }
    }
  }
  return found;
}
