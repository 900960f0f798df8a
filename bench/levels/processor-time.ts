// What an operation costs in processor time of the thread that runs the guest. On a busy host, the time on the clock says
// who else was running; this says what the monitor itself used. Linux: /proc/PID/schedstat.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Command } from '../engine.js';
import { MarkError, MarkReader } from '../marks.js';

/** Nanoseconds that a process's first thread has run (Linux: Documentation/scheduler/sched-stats.rst). */
export function processorTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]);
}

/** Rounds before the first that counts: tsvm's own code is compiled in them. */
const WARMUP = 2;

/**
 * Nanoseconds of processor time between two marks, over all rounds but the first ones. Undefined when the program does
 * not end well or /proc does not tell.
 */
export function roundProcessorTime({ file, args }: Command, timeout: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout, killSignal: 'SIGKILL' });
    const reader = new MarkReader();
    const marks: { readonly round: number; readonly used: number }[] = [];
    let failed = false;
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        const used = processorTime(child.pid ?? 0);
        reader.feed(chunk.toString('latin1'), performance.now());
        marks.push({ round: reader.rounds.length, used });
      } catch (error) {
        // Gone before it could be asked is no failure of what came before.
        failed ||= error instanceof MarkError;
      }
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => {
      const first = marks.find(({ round }) => round >= WARMUP);
      const last = marks.at(-1);
      if (failed || code !== 0 || !first || !last || last.round <= first.round) resolve(undefined);
      else resolve((last.used - first.used) / (last.round - first.round));
    });
  });
}

export interface Comparison {
  /** Nanoseconds of an operation, process by process. */
  readonly mine: readonly number[];
  readonly other: readonly number[];
}

/** Two programs in turns. `operations` are those of a round. */
export async function compareProcessorTime(
  mine: Command,
  other: Command,
  limits: { readonly operations: number; readonly runs: number; readonly end: number; readonly timeout: number },
): Promise<Comparison> {
  const samples = { mine: [] as number[], other: [] as number[] };
  for (let run = 0; run < limits.runs && (run === 0 || performance.now() < limits.end); run++) {
    for (const [command, into] of [
      [mine, samples.mine],
      [other, samples.other],
    ] as const) {
      const used = await roundProcessorTime(command, limits.timeout);
      if (used !== undefined) into.push(used / limits.operations);
    }
  }
  return samples;
}
