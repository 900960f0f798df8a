// What an engine is: something that can execute a workload.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT as CHECKOUT } from '../src/cli/files.js';

export const ROOT = fileURLToPath(CHECKOUT);
export const TSVM = join(ROOT, 'bin/tsvm.cjs');
const IMAGES = join(ROOT, 'guests/bench');

/** For which processor a workload is built. A further one needs its images, see guestImage() and nativeProgram(). */
export const ARCHITECTURES = ['x86-64', 'i386', 'aarch64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What a workload asks of its engine beyond ordinary instructions. */
export type Need = 'vmcall' | 'syscall' | 'self-interrupt';

export interface Engine {
  readonly name: string;
  readonly description: string;
  readonly architecture: Architecture;
  /** Name and version; undefined when it is not installed. Whether it works, a trial run must show. */
  readonly version: () => string | undefined;
  /** Why it is missing, for people. */
  readonly absence: string;
  /** Runs a workload with `commandLine`; tsvm writes its statistics to `statsFile`. */
  readonly command: (workload: string, commandLine: string, statsFile: string) => Command;
  /** Exit code of a run that went well. */
  readonly success: number;
  /** Runs processes of the host, not guests: no workload that needs a kernel of its own. */
  readonly processes: boolean;
  /** The divisor of the others with its architecture. */
  readonly native: boolean;
  /** Someone else's: there to compare tsvm with, so a plan that has little time measures it on a selection. */
  readonly peer?: boolean;
  /** Milliseconds of work after which it is at its full speed. */
  readonly warmup: number;
  /**
   * Milliseconds that a round of computing takes at least, where a mark costs the engine so much that shorter ones would
   * measure marks.
   */
  readonly leastRound?: number;
  /** Number of its colour in charts. */
  readonly tone: number;
  /** How many times slower than native it may be: only a first guess of how much work makes a round. */
  readonly guess: number;
  /** Why it cannot do what a workload needs; undefined when it can. `backend` is what executes under tsvm. */
  readonly cannot?: (need: Need, backend: string | undefined) => string | undefined;
}

/** Under KVM a mark costs a millisecond or two on some hosts (docs/bench.md). */
export const KVM_LEAST_ROUND = 200;

export const guestImage = (architecture: Architecture, workload: string): string =>
  join(IMAGES, architecture, `${workload}.img`);

export const nativeProgram = (architecture: Architecture, workload: string): string =>
  join(IMAGES, `linux-${architecture}`, workload);

/** Whether the repository holds workloads for it. */
export const isBuilt = (architecture: Architecture): boolean => existsSync(join(IMAGES, architecture));

/** x86-64 is what most hosts are; engines of other architectures carry their name. */
export const engineName = (name: string, architecture: Architecture): string =>
  architecture === 'x86-64' ? name : `${name}-${architecture}`;

/** Standard output of a program that ended well; undefined when it is not there. */
export function tool(file: string, args: readonly string[]): string | undefined {
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 10_000 });
  return result.status === 0 ? result.stdout : undefined;
}
