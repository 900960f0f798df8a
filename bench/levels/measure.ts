// Measures the levels: trial, starts, computing, calls and exits, idle instances. Everything that is compared is measured
// in turns, so that what disturbs the host for a while disturbs all levels alike; a time limit bounds the whole.

import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStatistics } from '../../src/trace/stats.js';
import type { Command, Engine } from '../engine.js';
import { describeHost, readProcessorTime, stolenShare } from '../host.js';
import { RunFailure, runOnce } from '../measure.js';
import { selectWorkloads, type Workload } from '../workloads.js';
import { buildCMonitor } from './c-vmm.js';
import {
  type AbsentLevel,
  type Latency,
  LEVELS_FORMAT,
  LEVELS_VERSION,
  type LevelData,
  type LevelsData,
  type Samples,
} from './data.js';
import { availableMemory, type Memory, readMemory, StartFailure, startInstance } from './instance.js';
import { createLevels, type Level } from './level.js';
import { createEvictor } from './page-cache.js';
import { type Comparison, compareProcessorTime } from './processor-time.js';
import { fillWithIdle } from './quantity.js';
import { inTurns, type Series } from './turns.js';

export interface LevelsRequest {
  readonly tsvm: string;
  readonly workload: string;
  /** Processes of each level for each number that is compared, at most. */
  readonly runs: number;
  /** Only these levels, by engine or name; all when empty. */
  readonly only: readonly string[];
  /** Bytes that idle instances may take together. */
  readonly memoryBudget: number;
  /** Seconds for everything. */
  readonly timeLimit: number;
  readonly progress: (line: string) => void;
}

const TIMEOUT_MS = 30_000;
const COLD_STARTS = 3;
const LATENCY_RUNS = 5;
/** Rounds, and units of work in each, for exits by processor time. */
const EXIT_ROUNDS = 10;
const EXIT_REPEAT = 5;
/** Even a host that has no time left is measured so often. */
const LEAST_PASSES = 2;
/** An instance is looked at when what it does at its start is over. */
const SETTLE_MS = 400;
/** Shares of the time limit after which a phase begins no further pass; idle instances get the rest. */
const END_OF = { start: 0.25, compute: 0.55, latency: 0.75 } as const;

/** And after which nothing at all is begun but one idle instance of each level. */
const HARD_END = 0.85;

/** What is filled in phase by phase; becomes a LevelData. */
interface Draft {
  readonly level: Level;
  readonly version: string;
  backend: string | undefined;
  cold: number[];
  warm: number[];
  memory: Memory | undefined;
  compute: Samples | undefined;
  call: Latency | undefined;
  exit: Latency | undefined;
  hypercall: Latency | undefined;
  quantity: LevelData['quantity'];
  readonly gaps: string[];
}

/** Throws a RangeError for an unknown workload or level. */
export async function measureLevels(request: LevelsRequest): Promise<LevelsData> {
  const [workload] = selectWorkloads([request.workload]);
  if (workload.group === 'system') throw new RangeError(`${workload.name} does not compute. Give one such as sieve.`);
  const began = performance.now();
  const limit = request.timeLimit * 1000;
  const until = (share: number): number => began + share * limit;
  const host = describeHost();
  const before = readProcessorTime();
  const memoryAtStart = availableMemory();
  const levels = createLevels([workload.name, 'syscall']);
  const monitor = buildCMonitor();
  const remove = (): void => {
    monitor.remove();
    levels.remove();
  };
  process.once('exit', remove);
  try {
    const absent: AbsentLevel[] = [];
    const kvm: { statistics?: RunStatistics } = {};
    const drafts = await tryLevels(choose(levels.all, request.only), workload, absent, kvm, request.progress);

    const node = await measureStarts(drafts, request, until(END_OF.start));

    request.progress('computing');
    await inTurns(
      drafts.map(({ level: { engine }, gaps }, i) => ({
        engine,
        workload,
        gaps,
        done: (samples) => {
          drafts[i].compute = samples;
        },
      })),
      { runs: request.runs, soft: until(END_OF.compute), hard: until(HARD_END), timeout: TIMEOUT_MS },
    );

    request.progress('calls and exits');
    const series = drafts.flatMap((draft) => callSeries(draft));
    const version = monitor.engine.version();
    const yardstick: { exit?: Latency } = {};
    const monitorGaps: string[] = [];
    const hardware = drafts.some(({ level }) => level.engine.name === 'virt');
    if (version !== undefined && hardware) {
      const port = withOperations('port');
      const done = (samples: Samples): void => {
        yardstick.exit = latency(samples, port);
      };
      series.push({ engine: monitor.engine, workload: port, gaps: monitorGaps, done });
    }
    await inTurns(series, {
      ...{ runs: Math.min(request.runs, LATENCY_RUNS), timeout: TIMEOUT_MS },
      ...{ soft: until(END_OF.latency), hard: until(HARD_END) },
    });

    const virt = drafts.find(({ level }) => level.engine.name === 'virt')?.level.engine;
    const processor =
      yardstick.exit && virt ? await compareExits(virt, monitor.engine, until(END_OF.latency + 0.05)) : undefined;

    await measureIdle(drafts, request, memoryAtStart, until(1));

    const details = kvm.statistics?.vcpu.details;
    return {
      format: LEVELS_FORMAT,
      version: LEVELS_VERSION,
      tsvm: request.tsvm,
      host,
      workload: { name: workload.name, description: workload.description, checksum: workload.checksum },
      settings: { runs: request.runs, memoryBudget: request.memoryBudget, timeLimit: request.timeLimit },
      elapsed: (performance.now() - began) / 1000,
      stolen: stolenShare(before) ?? null,
      availableMemory: memoryAtStart ?? null,
      node,
      coldStarts: drafts.some(({ cold }) => cold.length > 0),
      emulatedByKvm: details?.['kvm_insn_emulation'] ?? null,
      levels: drafts.map((draft) => finish(draft, workload)),
      absent,
      wrong: [...absent.map(({ reason }) => reason), ...drafts.flatMap(({ gaps }) => gaps)].filter((reason) =>
        reason.includes('checksum'),
      ),
      cMonitor:
        yardstick.exit && version !== undefined
          ? { version, exit: yardstick.exit, processor: processor ?? null }
          : null,
      cMonitorAbsence: yardstick.exit
        ? null
        : hardware
          ? (monitorGaps[0] ?? monitor.engine.absence)
          : 'the hardware level was not measured',
    };
  } finally {
    process.off('exit', remove);
    remove();
  }
}

function choose(all: readonly Level[], only: readonly string[]): readonly Level[] {
  const names = all.flatMap(({ name, engine }) => [name, engine.name]);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`no level ${unknown}. There are: ${all.map(({ engine }) => engine.name).join(', ')}.`);
  }
  // The native program is always there: it is what the others are compared with.
  const wanted = ({ name, engine }: Level) => only.includes(name) || only.includes(engine.name) || engine.native;
  return only.length === 0 ? all : all.filter(wanted);
}

async function tryLevels(
  levels: readonly Level[],
  workload: Workload,
  absent: AbsentLevel[],
  kvm: { statistics?: RunStatistics },
  progress: (line: string) => void,
): Promise<readonly Draft[]> {
  const drafts: Draft[] = [];
  for (const level of levels) {
    const { name, title, engine } = level;
    progress(`trying ${title}`);
    const version = engine.version();
    try {
      if (version === undefined) throw new RunFailure(engine.absence);
      if (!existsSync(level.image(workload.name))) throw new RunFailure(`${workload.name} is not built for it`);
      const { statistics } = await runOnce(engine, { workload, rounds: 1, repeat: 1, timeout: TIMEOUT_MS });
      if (statistics?.mode === 'virt') kvm.statistics = statistics;
      drafts.push({
        ...{ level, version, backend: statistics?.backend, cold: [], warm: [], memory: undefined, gaps: [] },
        ...{ compute: undefined, call: undefined, exit: undefined, hypercall: undefined, quantity: null },
      });
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      absent.push({ name, title, reason: error.message });
    }
  }
  return drafts;
}

/** Returns how long `node` alone takes: part of every start that tsvm makes. */
async function measureStarts(
  drafts: readonly Draft[],
  request: LevelsRequest,
  end: number,
): Promise<readonly number[]> {
  const evict = createEvictor();
  const node: number[] = [];
  const once = async (command: Command): Promise<number> => {
    const instance = await startInstance(command, TIMEOUT_MS);
    await instance.stop();
    return instance.start;
  };
  const pass = async (isCold: boolean): Promise<void> => {
    for (const { level, cold, warm, gaps } of drafts) {
      if (!level.idle || gaps.length > 0) continue;
      try {
        if (isCold) evict?.(level.files);
        (isCold ? cold : warm).push(await once(level.idle()));
      } catch (error) {
        if (!(error instanceof StartFailure)) throw error;
        gaps.push(`no start: ${error.message}`);
      }
    }
    if (!isCold) node.push(await once({ file: process.execPath, args: ['-e', 'process.stdout.write("x")'] }));
  };
  const middle = (performance.now() + end) / 2;
  for (let i = 0; evict && i < COLD_STARTS && (i === 0 || performance.now() < middle); i++) {
    request.progress(`cold starts ${i + 1}/${COLD_STARTS}`);
    await pass(true);
  }
  for (let i = 0; i < request.runs && (i < LEAST_PASSES || performance.now() < end); i++) {
    request.progress(`starts ${i + 1}/${request.runs}`);
    await pass(false);
  }
  return node;
}

type CountedWorkload = Workload & { readonly operations: { readonly count: number; readonly name: string } };

function withOperations(name: string): CountedWorkload {
  const [workload] = selectWorkloads([name]);
  if (!workload.operations) throw new RangeError(`${name} counts no operations`);
  return workload as CountedWorkload;
}

const latency = (samples: Samples, { operations }: CountedWorkload): Latency => ({
  ...samples,
  operations: operations.count,
  operation: operations.name,
});

/** What this level can be asked for beyond computing. */
function callSeries(draft: Draft): readonly Series[] {
  const { level, backend, gaps } = draft;
  const { engine } = level;
  const series: Series[] = [];
  const refusal = (workload: Workload): string | undefined => {
    if (!existsSync(level.image(workload.name))) return 'there is none for this level';
    return workload.needs && engine.cannot?.(workload.needs, backend);
  };
  const add = (workload: CountedWorkload, into: 'call' | 'exit' | 'hypercall'): void => {
    series.push({
      engine,
      workload,
      gaps,
      done: (samples) => {
        draft[into] = latency(samples, workload);
      },
    });
  };
  const addFirst = (names: readonly string[], into: 'call' | 'exit' | 'hypercall'): void => {
    for (const name of names) {
      const workload = withOperations(name);
      const reason = refusal(workload);
      if (reason === undefined) {
        add(workload, into);
        return;
      }
      gaps.push(`${workload.description}: ${reason}`);
    }
  };
  addFirst(level.calls, 'call');
  addFirst(level.exits, 'exit');
  if (level.exits.length > 0) addFirst(['hypercall'], 'hypercall');
  return series;
}

/** Exits to a port, by the processor time that they cost. */
function compareExits(mine: Engine, other: Engine, end: number): Promise<Comparison> {
  const { name, operations } = withOperations('port');
  const line = `rounds=${EXIT_ROUNDS} repeat=${EXIT_REPEAT}`;
  return compareProcessorTime(mine.command(name, line, '/dev/null'), other.command(name, line, '/dev/null'), {
    ...{ operations: operations.count * EXIT_REPEAT, runs: LATENCY_RUNS, end, timeout: TIMEOUT_MS },
  });
}

/** One idle instance's memory, then as many as the budget, the latency or the time allow. */
async function measureIdle(
  drafts: readonly Draft[],
  request: LevelsRequest,
  available: number | undefined,
  end: number,
): Promise<void> {
  const budget = Math.min(request.memoryBudget, (available ?? Number.POSITIVE_INFINITY) / 4);
  const idle = drafts.filter(({ level, warm }) => level.idle && warm.length > 0);
  for (const [i, draft] of idle.entries()) {
    const { level, warm } = draft;
    if (!level.idle) continue;
    request.progress(`idle instances: ${level.title}`);
    try {
      const instance = await startInstance(level.idle(), TIMEOUT_MS);
      await sleep(SETTLE_MS);
      draft.memory = readMemory(instance.pid);
      await instance.stop();
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      draft.gaps.push(`no idle instance: ${error.message}`);
      continue;
    }
    const slot = Math.max(0, (end - performance.now()) / (idle.length - i));
    draft.quantity = await fillWithIdle(level.idle, { budget, baseline: warm, time: slot, timeout: TIMEOUT_MS });
  }
}

function finish(draft: Draft, workload: Workload): LevelData {
  const { level, version, backend, cold, warm, memory, compute, call, exit, hypercall, quantity, gaps } = draft;
  return {
    name: level.name,
    title: level.title,
    what: level.what,
    side: level.side ?? null,
    engine: level.engine.name,
    version,
    backend: backend ?? null,
    tone: level.engine.tone,
    cold,
    warm,
    image: statSync(level.image(workload.name)).size,
    memory: memory ?? null,
    compute: compute ?? null,
    call: call ?? null,
    exit: exit ?? null,
    hypercall: hypercall ?? null,
    quantity,
    gaps,
  };
}
