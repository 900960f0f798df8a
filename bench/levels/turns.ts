// Several workloads on several engines, in turns: each pass runs all of them once and begins with another. A run whose
// marks came together told no time and is repeated in a later pass.

import type { Engine } from '../engine.js';
import { RunFailure, runOnce } from '../measure.js';
import type { Workload } from '../workloads.js';
import type { Samples } from './data.js';

/** One thing to be measured in turns with others. */
export interface Series {
  readonly engine: Engine;
  readonly workload: Workload;
  /** Where to say why there are no samples. */
  readonly gaps: string[];
  readonly done: (samples: Samples) => void;
}

export interface TurnLimits {
  /** Runs of each series. */
  readonly runs: number;
  /** performance.now() after which no further pass begins, and after which nothing does. */
  readonly soft: number;
  readonly hard: number;
  /** Milliseconds after which a run is given up. */
  readonly timeout: number;
}

const ROUND_MS = 60;
const ROUNDS = 3;
/** Passes that make up for runs that were lost, as a share of all. */
const SPARE = 0.5;
/** Attempts at finding out how much work makes a round, and how much off it may be. */
const ATTEMPTS = 6;
const SHORTEST = 0.5;
const LARGEST_STEP = 60;

const warmRounds = ({ warmup }: Engine): number => 1 + Math.ceil(warmup / ROUND_MS);

interface Progress {
  readonly series: Series;
  repeat: number;
  readonly runs: (readonly number[])[];
  failed: boolean;
  lost: number;
}

/** Calls `done` of every series that gave samples; the others get a sentence in `gaps`. */
export async function inTurns(all: readonly Series[], limits: TurnLimits): Promise<void> {
  const states = all.map((series): Progress => ({ series, repeat: 0, runs: [], failed: false, lost: 0 }));
  const expired = (): boolean => performance.now() > limits.hard;
  for (const state of states) {
    if (!expired()) await guard(state, () => pilot(state, limits));
  }
  const passes = Math.ceil(limits.runs * (1 + SPARE));
  for (let pass = 0; pass < passes; pass++) {
    const open = states.filter(({ failed, repeat, runs }) => !failed && repeat > 0 && runs.length < limits.runs);
    if (open.length === 0 || (pass > 0 && performance.now() > limits.soft)) break;
    for (let i = 0; i < states.length; i++) {
      const state = states[(pass + i) % states.length];
      if (open.includes(state) && !expired()) await guard(state, () => once(state, limits));
    }
  }
  for (const { series, repeat, runs, failed, lost } of states) {
    const { workload, gaps, done } = series;
    if (runs.length > 0 && !failed) done({ workload: workload.name, repeat, runs });
    else if (!failed)
      gaps.push(`${workload.description}: ${lost > 0 ? 'the host is too busy to time it' : 'no time left'}`);
  }
}

async function guard(state: Progress, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    state.failed = true;
    state.series.gaps.push(`${state.series.workload.description}: ${error.message}`);
  }
}

/** Finds how much work makes a round. */
async function pilot(state: Progress, { timeout, hard }: TurnLimits): Promise<void> {
  const { engine, workload } = state.series;
  let repeat = 1;
  for (let attempt = 0; attempt < ATTEMPTS && performance.now() < hard; attempt++) {
    const { rounds, together } = await runOnce(engine, { workload, rounds: 2, repeat, timeout });
    const [first, last] = rounds;
    const length = together ? (first + last) / 2 : last;
    if (length >= ROUND_MS * SHORTEST) {
      state.repeat = Math.max(1, Math.round((repeat * ROUND_MS) / length));
      return;
    }
    repeat = Math.ceil(repeat * Math.min(LARGEST_STEP, Math.max(2, ROUND_MS / Math.max(length, 0.01))));
  }
}

async function once(state: Progress, { timeout }: TurnLimits): Promise<void> {
  const { engine, workload } = state.series;
  const skip = warmRounds(engine);
  const { rounds, together } = await runOnce(engine, {
    workload,
    rounds: skip + ROUNDS,
    repeat: state.repeat,
    timeout,
  });
  if (together) state.lost++;
  else state.runs.push(rounds.slice(skip));
}
