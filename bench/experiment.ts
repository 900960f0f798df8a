// Which engines are here, and all runs of all workloads on them, in an order that treats them alike.

import { existsSync } from 'node:fs';
import type { RunStatistics } from '../src/trace/stats.js';
import {
  type AbsentEngine,
  type BenchData,
  type CellData,
  type CurveData,
  type EngineData,
  type FailureData,
  FORMAT,
  FORMAT_VERSION,
  type Kind,
  type LeftOut,
  type RunData,
  type Settings,
  type UnitCounters,
  unitCounters,
} from './data.js';
import { type Engine, guestImage, nativeProgram } from './engine.js';
import { describeHost, readProcessorTime, stolenShare } from './host.js';
import { BusyHost, RunFailure, type RunResult, runOnce, runTimed } from './measure.js';
import { median } from './statistics.js';
import { progress } from './tool.js';
import { SELECTION, selectWorkloads, type Workload } from './workloads.js';

/** An engine that a trial run has shown to work. */
export interface PresentEngine {
  readonly engine: Engine;
  readonly version: string;
  /** What executes under tsvm: the KVM back end's name. */
  readonly backend: string | undefined;
  /** Milliseconds from starting the process to its first mark. */
  readonly startup: number;
}

/** A trial does next to nothing; an engine that needs longer for it never ends. Milliseconds. */
const TRIAL_TIMEOUT = 12_000;

/** Runs something small. */
export async function tryEngine(engine: Engine): Promise<PresentEngine | AbsentEngine> {
  const { name, absence } = engine;
  const version = engine.version();
  if (version === undefined) return { name, reason: absence };
  const [workload] = selectWorkloads(['alu32']);
  try {
    const request = { workload, rounds: 1, repeat: 1, timeout: TRIAL_TIMEOUT };
    const { statistics, startup } = await runOnce(engine, request);
    return { engine, version, backend: statistics?.backend, startup };
  } catch (error) {
    if (error instanceof RunFailure) return { name, reason: `${version}: ${error.message}` };
    throw error;
  }
}

/** Whether the repository has the workload in a form that the engine can run. */
function isBuiltFor(engine: Engine, workload: Workload): boolean {
  if (engine.processes) {
    return !workload.guestOnly && existsSync(nativeProgram(engine.architecture, workload.name));
  }
  return existsSync(guestImage(engine.architecture, workload.name));
}

interface Cell {
  readonly workload: Workload;
  readonly present: PresentEngine;
  warmup: number;
  /** Timed rounds after them. */
  timed: number;
  repeat: number;
  readonly runs: RunData[];
  unit: UnitCounters | null;
  failed: boolean;
}

/** Attempts at finding out how much work makes a round. */
const ATTEMPTS = 8;

/** How far from the wanted length a round may be. */
const SHORTEST = 0.4;
const LONGEST = 3;
/** A round of a single unit of work that takes so much longer: fewer of them must do. */
const VERY_LONG = 10;

/** A curve: length of a round in milliseconds, of all rounds, and how many they are at least and at most. */
const CURVE_ROUND = 3;
const CURVE_TIME = 900;
const CURVE_ROUNDS = { least: 8, most: 250 };
const CURVE_WORKLOADS = ['bytecode', 'sha256'];

/** Shares of the time limit after which the first pass begins nothing new: with peers, and with the other engines. */
const PEERS_END = 0.7;
const FIRST_PASS = 0.85;
/** Starts that the first run of a pair takes at most, as a rule: work has to be scaled, with and without a first guess. */
const STARTS = { guessed: 2, unknown: 3 };
/** An engine that takes longer to start, in milliseconds, is started once for a workload, and not where that cannot do. */
const SLOW_START = 2000;

const OUT_OF_TIME = 'the time limit was reached before';

/** Computing and other workloads in turns, so that a time limit that cuts the list short leaves some of both. */
function alternate(workloads: readonly Workload[]): readonly Workload[] {
  const system = workloads.filter(({ group }) => group === 'system');
  const compute = workloads.filter(({ group }) => group !== 'system');
  const order: Workload[] = [];
  for (let i = 0; i < workloads.length; i++) order.push(...compute.slice(i, i + 1), ...system.slice(i, i + 1));
  return order;
}

export interface Plan {
  readonly kind: Kind;
  readonly tsvm: string;
  readonly engines: readonly Engine[];
  readonly workloads: readonly Workload[];
  readonly settings: Settings;
  /** Other people's engines are measured on a selection of the workloads, after all others. */
  readonly selective?: boolean;
}

const isSlow = ({ engine, startup }: PresentEngine): boolean => engine.peer === true && startup > SLOW_START;

/** Measures all that the plan asks for. Says on standard error how far it is. */
export async function measure(plan: Plan): Promise<BenchData> {
  return new Experiment(plan).run();
}

class Experiment {
  private readonly started = performance.now();
  private readonly cells: Cell[] = [];
  private readonly failures: FailureData[] = [];
  private readonly absent: AbsentEngine[] = [];
  private readonly leftOut: LeftOut[] = [];
  private present: readonly PresentEngine[] = [];
  /** Milliseconds natively for a unit of work, by workload and architecture. */
  private readonly nativeTimes = new Map<string, number>();

  constructor(private readonly plan: Plan) {}

  async run(): Promise<BenchData> {
    const { plan } = this;
    const host = describeHost();
    const before = readProcessorTime();
    await this.findEngines();
    await this.firstPass(this.principals);
    await this.firstPassOfPeers();
    // The curves take their time too, so they come before the passes that fill what is left.
    const curves = plan.kind === 'overhead' ? await this.measureCurves() : [];
    await this.furtherPasses();
    return {
      format: FORMAT,
      version: FORMAT_VERSION,
      kind: plan.kind,
      tsvm: plan.tsvm,
      host,
      settings: plan.settings,
      elapsed: this.elapsed / 1000,
      stolen: stolenShare(before) ?? null,
      engines: this.present.map(describeEngine),
      absent: this.absent,
      workloads: plan.workloads.map(({ name, description, group, checksum, operations, prepares }) => ({
        name,
        description,
        group,
        checksum,
        operations: operations ?? null,
        prepares: prepares ?? false,
      })),
      cells: this.cells.filter(({ failed }) => !failed).map(describeCell),
      failures: this.failures,
      leftOut: this.leftOut,
      curves,
    };
  }

  private get elapsed(): number {
    return performance.now() - this.started;
  }

  private async findEngines(): Promise<void> {
    const found: PresentEngine[] = [];
    for (const engine of this.plan.engines) {
      progress(`trying ${engine.name}`);
      const result = await tryEngine(engine);
      if ('engine' in result) found.push(result);
      else this.absent.push(result);
    }
    // A divisor that nothing is divided by need not be measured.
    const hasOthers = ({ engine }: PresentEngine): boolean =>
      engine.architecture === 'x86-64' ||
      found.some((other) => !other.engine.native && other.engine.architecture === engine.architecture);
    this.present = found.filter((one) => !one.engine.native || hasOthers(one) || found.length === 1);
  }

  /** Measured on everything: all engines, or under a selective plan tsvm's own and what these are divided by. */
  private get principals(): readonly PresentEngine[] {
    if (!this.plan.selective) return this.present;
    const own = this.present.filter(({ engine }) => !engine.peer && !engine.native);
    return this.present.filter(
      ({ engine }) =>
        !engine.peer &&
        (!engine.native || own.length === 0 || own.some((one) => one.engine.architecture === engine.architecture)),
    );
  }

  /** One run of everything, after finding out how much work each engine does in a round. */
  private async firstPass(engines: readonly PresentEngine[]): Promise<void> {
    const { workloads, settings } = this.plan;
    for (const [number, workload] of alternate(workloads).entries()) {
      if (this.elapsed > settings.timeLimit * FIRST_PASS) {
        this.failures.push({ workload: workload.name, engine: 'any', reason: OUT_OF_TIME, expected: true });
        continue;
      }
      progress(`pass 1, ${number + 1} of ${workloads.length}: ${workload.name}`);
      for (const present of engines) await this.firstRun(present, workload);
    }
  }

  /** Cheap ones first; each begins a workload only while the time for it, estimated from its trial, is there. */
  private async firstPassOfPeers(): Promise<void> {
    const { plan, principals } = this;
    const peers = this.present.filter((one) => !principals.includes(one));
    if (peers.length === 0) return;
    const chosen = alternate(plan.workloads.filter(({ name }) => SELECTION.includes(name)));
    const others = plan.workloads.filter(({ name }) => !SELECTION.includes(name));
    const late = new Map<PresentEngine, Workload[]>();
    const slow = new Map<PresentEngine, Workload[]>();
    for (const workload of chosen) {
      progress(`pass 1 of other engines: ${workload.name}`);
      for (const present of peers.toSorted((a, b) => a.startup - b.startup)) {
        if (!isBuiltFor(present.engine, workload)) continue;
        const list = workload.group === 'system' && isSlow(present) ? slow : late;
        const fits = this.elapsed + this.estimate(present, workload) < plan.settings.timeLimit * PEERS_END;
        if (list === late && fits) await this.firstRun(present, workload);
        else list.set(present, [...(list.get(present) ?? []), workload]);
      }
    }
    const leave = (present: PresentEngine, workloads: readonly Workload[], reason: string): void => {
      const names = workloads.filter((one) => isBuiltFor(present.engine, one)).map(({ name }) => name);
      if (names.length > 0) this.leftOut.push({ engine: present.engine.name, workloads: names, reason });
    };
    for (const present of peers) {
      leave(present, others, 'other engines run a selection');
      leave(present, slow.get(present) ?? [], `each start takes ${(present.startup / 1000).toFixed(1)} s`);
      leave(present, late.get(present) ?? [], 'the time for other engines was over');
    }
  }

  /** Milliseconds to which a round's work is scaled. */
  private roundTime({ leastRound }: Engine, { group }: Workload): number {
    const { roundTime } = this.plan.settings;
    return group === 'system' ? roundTime : Math.max(roundTime, leastRound ?? 0);
  }

  /** Milliseconds that the first run of a pair may take. */
  private estimate({ engine, startup }: PresentEngine, workload: Workload): number {
    const { warmup, rounds } = this.plan.settings;
    const run = startup + engine.warmup + (warmup + rounds) * this.roundTime(engine, workload);
    return run * (workload.group === 'system' ? STARTS.unknown : STARTS.guessed);
  }

  private async firstRun(present: PresentEngine, workload: Workload): Promise<void> {
    const { engine, backend } = present;
    const { settings } = this.plan;
    if (!isBuiltFor(engine, workload)) return;
    const obstacle = workload.needs && engine.cannot?.(workload.needs, backend);
    if (obstacle) {
      this.failures.push({ workload: workload.name, engine: engine.name, reason: obstacle, expected: true });
      return;
    }
    const warmup = Math.max(settings.warmup, Math.ceil(engine.warmup / settings.roundTime));
    const timed = settings.rounds;
    const cell: Cell = { workload, present, warmup, timed, repeat: 1, runs: [], unit: null, failed: false };
    this.cells.push(cell);
    await this.guard(cell, async () => this.pilot(cell));
  }

  private async furtherPasses(): Promise<void> {
    const { settings } = this.plan;
    const principals = new Set(this.principals);
    for (let pass = 1; pass < settings.runs; pass++) {
      const cells = this.cells.filter(({ failed, present }) => !failed && !(this.plan.selective && isSlow(present)));
      // Interleaved, and each time begun elsewhere: what disturbs the host for a while disturbs all engines alike.
      const turn = (list: readonly Cell[]): readonly Cell[] => {
        const first = Math.floor((list.length * pass) / settings.runs);
        return [...list.slice(first), ...list.slice(0, first)];
      };
      const own = cells.filter(({ present }) => principals.has(present));
      const order = [...turn(own), ...turn(cells.filter((cell) => !own.includes(cell)))];
      for (const [i, cell] of order.entries()) {
        if (this.elapsed > settings.timeLimit) {
          progress(`time limit reached in pass ${pass + 1}`);
          return;
        }
        if (i % this.present.length === 0) progress(`pass ${pass + 1}, ${i} of ${order.length}: ${cell.workload.name}`);
        if (!cell.failed) await this.guard(cell, async () => this.record(cell, await this.runAgain(cell)));
      }
    }
  }

  /** A cell whose engine fails gives no numbers at all. */
  private async guard(cell: Cell, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      const [workload, engine] = [cell.workload.name, cell.present.engine.name];
      progress(`FAILED ${workload} on ${engine}: ${error.message}`);
      const busy = error instanceof BusyHost;
      if (busy && cell.runs.length > 0) return; // what was measured before stands
      cell.failed = true;
      this.failures.push({ workload, engine, reason: error.message, expected: busy });
    }
  }

  private rounds(cell: Cell): number {
    return cell.warmup + cell.timed;
  }

  private runAgain(cell: Cell): Promise<RunResult> {
    const { workload, repeat, present } = cell;
    const { timeout } = this.plan.settings;
    return runTimed(present.engine, { workload, rounds: this.rounds(cell), repeat, timeout });
  }

  private record(cell: Cell, { startup, rounds, processor }: RunResult): void {
    // A mark that came together with another left no time of its own.
    cell.runs.push({ startup, rounds, processor: processor.length === rounds.length + 1 ? processor : [] });
  }

  /** Finds the work that makes a round, and records the run that had it. */
  private async pilot(cell: Cell): Promise<void> {
    const { workload, present } = cell;
    const { engine } = present;
    const { timeout } = this.plan.settings;
    const roundTime = this.roundTime(engine, workload);
    const key = `${workload.name} ${engine.architecture}`;
    const native = this.nativeTimes.get(key);
    const guess = native !== undefined && workload.group !== 'system' ? native * engine.guess : undefined;
    if (guess !== undefined) cell.repeat = Math.max(1, Math.round(roundTime / guess));
    // Without a guess, two rounds tell enough, and do not take for ever if they are long.
    let rounds = guess === undefined ? Math.min(2, this.rounds(cell)) : this.rounds(cell);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = await runOnce(engine, { workload, rounds, repeat: cell.repeat, timeout });
      const length = median(result.rounds.slice(-Math.max(1, Math.min(rounds - 1, cell.timed))));
      const fits = length < roundTime * LONGEST || cell.repeat === 1;
      if (!result.together && fits && length > roundTime * SHORTEST) {
        if (rounds < this.rounds(cell)) {
          if (length > roundTime * VERY_LONG) {
            cell.warmup = Math.min(cell.warmup, 1);
            cell.timed = Math.min(cell.timed, 2);
          }
          rounds = this.rounds(cell);
          cell.repeat = Math.max(1, Math.round((cell.repeat * roundTime) / length));
          continue;
        }
        this.record(cell, result);
        if (engine.native) this.nativeTimes.set(key, length / cell.repeat);
        cell.unit = await this.countUnit(cell, result.statistics);
        return;
      }
      // Marks that come together were too near to each other, or the host was busy; longer rounds help in both cases.
      const near = length > roundTime * SHORTEST ? 2 : 8;
      const factor = result.together ? near : roundTime / Math.max(length, 0.01);
      cell.repeat = Math.max(1, Math.ceil(cell.repeat * Math.min(100, factor)));
    }
    throw new BusyHost('no amount of work gave rounds of a length that can be timed');
  }

  /** What a unit of work costs in events: this run's against one that did less and was the same otherwise. */
  private async countUnit(cell: Cell, statistics: RunStatistics | undefined): Promise<UnitCounters | null> {
    if (!statistics) return null;
    const { workload, present, repeat } = cell;
    const { timeout } = this.plan.settings;
    const all = this.rounds(cell);
    const [rounds, less] = repeat > 1 ? [all, 1] : [1, repeat];
    if (rounds === all && less === repeat) return null;
    const reference = await runOnce(present.engine, { workload, rounds, repeat: less, timeout });
    if (!reference.statistics) return null;
    return unitCounters(statistics, reference.statistics, all * repeat - rounds * less);
  }

  private async measureCurves(): Promise<readonly CurveData[]> {
    const curves: CurveData[] = [];
    for (const name of CURVE_WORKLOADS) {
      for (const cell of this.cells) {
        const { workload, present } = cell;
        if (workload.name !== name || cell.failed || this.elapsed > this.plan.settings.timeLimit) continue;
        if (this.plan.selective && isSlow(present)) continue;
        const { engine } = present;
        progress(`getting up to speed: ${name} on ${engine.name}`);
        const unit = median(cell.runs[0].rounds.slice(cell.warmup)) / cell.repeat;
        const repeat = Math.max(1, Math.round(CURVE_ROUND / unit));
        const wanted = Math.round(CURVE_TIME / (unit * repeat));
        const rounds = Math.max(CURVE_ROUNDS.least, Math.min(CURVE_ROUNDS.most, wanted));
        const { timeout } = this.plan.settings;
        await this.guard(cell, async () => {
          const result = await runOnce(engine, { workload, rounds, repeat, timeout });
          curves.push({ workload: name, engine: engine.name, repeat, startup: result.startup, rounds: result.rounds });
        });
      }
    }
    return curves;
  }
}

const describeEngine = ({ engine, version, backend }: PresentEngine): EngineData => ({
  name: engine.name,
  description: engine.description,
  architecture: engine.architecture,
  version,
  backend: backend ?? null,
  native: engine.native,
  tone: engine.tone,
});

const describeCell = ({ workload, present, repeat, warmup, runs, unit }: Cell): CellData => ({
  workload: workload.name,
  engine: present.engine.name,
  repeat,
  warmup,
  runs,
  unit,
});
