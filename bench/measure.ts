// One run of one workload on one engine, timed from outside.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunStatistics } from '../src/trace/stats.js';
import type { Command, Engine } from './engines.js';
import { readProcessorUse } from './host.js';
import { MarkReader } from './marks.js';
import type { Workload } from './workloads.js';

/** A run that gave no number: wrong checksum, wrong end, no end. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
}

/** Not the engine's fault: the host let marks wait, so that their times say nothing. */
export class BusyHost extends RunFailure {
  constructor(what: string) {
    super(`${what}: the host is too busy to measure on`);
  }
}

export interface RunRequest {
  readonly workload: Workload;
  /** How many times the guest marks. */
  readonly rounds: number;
  /** Units of work between two marks. */
  readonly repeat: number;
  /** The run is killed after this many milliseconds. */
  readonly timeout: number;
}

export interface RunResult {
  /** Milliseconds of each round, first to last. */
  readonly rounds: readonly number[];
  /** Milliseconds from the process's start to the workload's. */
  readonly startup: number;
  /** Milliseconds of processor time that the process had had at each mark, "start" first; empty where unknown. */
  readonly processor: readonly number[];
  /** Marks came together, so that the times are worthless. */
  readonly together: boolean;
  /** What tsvm counted, for its own engines. */
  readonly statistics: RunStatistics | undefined;
}

export const commandLine = ({ rounds, repeat }: RunRequest): string => `rounds=${rounds} repeat=${repeat}`;

/** Runs once. Rejects with a RunFailure that says what went wrong. */
export async function runOnce(engine: Engine, request: RunRequest): Promise<RunResult> {
  const work = mkdtempSync(join(tmpdir(), 'tsvm-bench-'));
  const statsFile = join(work, 'stats.json');
  try {
    const command = engine.command(request.workload.name, commandLine(request), statsFile);
    const { reader, startup, processor } = await watch(command, engine.success, request.timeout);
    const { checksum, rounds } = reader;
    if (checksum !== request.workload.checksum) {
      throw new RunFailure(`checksum ${checksum ?? 'missing'}, expected ${request.workload.checksum}`);
    }
    if (rounds.length !== request.rounds) {
      throw new RunFailure(`${rounds.length} rounds marked, expected ${request.rounds}`);
    }
    return { rounds, startup, processor, together: reader.together, statistics: readStatistics(statsFile) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function readStatistics(file: string): RunStatistics | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunStatistics;
  } catch {
    return undefined; // other engines write none
  }
}

interface Watched {
  readonly reader: MarkReader;
  readonly processor: readonly number[];
  readonly startup: number;
}

/** What of an engine's messages is kept for an error message. Characters. */
const MESSAGE_LIMIT = 2000;

function watch({ file, args }: Command, success: number, timeout: number): Promise<Watched> {
  return new Promise((resolve, reject) => {
    const launched = performance.now();
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' });
    const reader = new MarkReader();
    let messages = '';
    let failure: Error | undefined;
    const processor: number[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      const now = performance.now();
      try {
        if (failure) return;
        reader.feed(chunk.toString('latin1'), now);
        const used = child.pid === undefined ? undefined : readProcessorUse(child.pid);
        const marks = reader.started === undefined ? 0 : 1 + reader.rounds.length;
        if (used !== undefined && processor.length < marks) processor.push(used);
      } catch (error) {
        failure = error as Error;
        child.kill('SIGKILL');
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      messages = (messages + chunk.toString('utf8')).slice(-MESSAGE_LIMIT);
    });
    child.on('error', (error) => reject(new RunFailure(error.message)));
    child.on('close', (code, signal) => {
      if (failure) reject(new RunFailure(failure.message));
      else if (code !== success) reject(new RunFailure(describeEnd(code, signal, messages)));
      else resolve({ reader, processor, startup: (reader.started ?? launched) - launched });
    });
  });
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null, messages: string): string {
  const end = signal === 'SIGKILL' ? 'took too long' : signal ? `ended by ${signal}` : `exit code ${code}`;
  // Notes are not the reason.
  const reason = messages.split('\n').find((line) => line !== '' && !line.startsWith('tsvm: note:'));
  return reason === undefined ? end : `${end}: ${reason}`;
}

/** Attempts at a run whose marks come together, which is what a host does that is busy with something else. */
const ATTEMPTS = 5;

/** As runOnce, but again when the marks tell no time. Rejects with a RunFailure when they never do. */
export async function runTimed(engine: Engine, request: RunRequest, run: Runner = runOnce): Promise<RunResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const result = await run(engine, request);
    if (!result.together) return result;
  }
  throw new BusyHost(`marks came together in each of ${ATTEMPTS} runs`);
}

export type Runner = (engine: Engine, request: RunRequest) => Promise<RunResult>;

/**
 * How many units of work make a round of `roundTime` milliseconds. Increases the work until a round is long enough to
 * be timed from outside, then scales it.
 */
export async function calibrate(
  engine: Engine,
  workload: Workload,
  roundTime: number,
  timeout: number,
  run: Runner = runOnce,
): Promise<number> {
  const enough = roundTime / 5;
  for (let repeat = 1, attempts = 0; ; ) {
    const { rounds, together } = await run(engine, { workload, rounds: 2, repeat, timeout });
    const [first, last] = rounds;
    if (together) {
      // Rounds that short, or a host that busy?
      if (first + last < 2 * enough) repeat *= 4;
      else if (++attempts === ATTEMPTS) throw new BusyHost(`marks came together in ${ATTEMPTS} runs`);
      continue;
    }
    if (last >= enough) return Math.max(1, Math.round((repeat * roundTime) / last));
    repeat = Math.ceil(repeat * Math.min(100, Math.max(2, (1.2 * enough) / Math.max(last, 0.01))));
  }
}
