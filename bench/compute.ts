// How much slower than native? Every workload on every engine:
//   node dist/bench/compute.js [--runs N] [--only NAME,…] [--engines NAME,…] [--arch x86-64|i386] [--export-json FILE]

import { writeFileSync } from 'node:fs';
import { type Architecture, createEngines, type Engine, selectEngines } from './engines.js';
import { describeHost, hostLines, readProcessorTime, stolenShare } from './host.js';
import { calibrate, RunFailure, type RunResult, runOnce } from './measure.js';
import { engineLines, formatCompute, formatSystem, type Row } from './report.js';
import { count, list, type Options, print, progress, runTool, UsageError } from './tool.js';
import { selectWorkloads, type Workload } from './workloads.js';

const USAGE = `node dist/bench/compute.js [options]
  --runs N            runs of each workload on each engine (default 5)
  --rounds N          timed rounds in a run, the first being warm-up (default 4)
  --round-ms N        length to which a round's work is scaled (default 100)
  --only NAME,…       these workloads
  --engines NAME,…    these engines
  --arch ARCH         x86-64 (default) or i386
  --timeout S         seconds after which a run is given up (default 120)
  --export-json FILE  every number
`;

interface Settings {
  readonly runs: number;
  readonly rounds: number;
  readonly roundTime: number;
  readonly timeout: number;
}

/** An engine that a trial run has shown to work. */
export interface PresentEngine {
  readonly engine: Engine;
  readonly version: string;
  /** What executes under tsvm: the KVM back end's name. */
  readonly backend: string | undefined;
}

interface AbsentEngine {
  readonly engine: Engine;
  readonly reason: string;
}

async function tryEngine(engine: Engine, timeout: number): Promise<PresentEngine | AbsentEngine> {
  const version = engine.version();
  if (version === undefined) return { engine, reason: engine.absence };
  const [workload] = selectWorkloads(['alu32']);
  try {
    const { statistics } = await runOnce(engine, { workload, rounds: 1, repeat: 1, timeout });
    return { engine, version, backend: statistics?.backend };
  } catch (error) {
    if (error instanceof RunFailure) return { engine, reason: error.message };
    throw error;
  }
}

const failed = (row: Row, engine: Engine, error: unknown): void => {
  if (!(error instanceof RunFailure)) throw error;
  progress(`FAILED ${row.workload.name} on ${engine.name}: ${error.message}`);
  row.failures.set(engine.name, error.message);
};

async function measureWorkload(workload: Workload, engines: readonly Engine[], settings: Settings): Promise<Row> {
  const row: Row = { workload, cells: new Map(), failures: new Map() };
  const takes = engines.filter((engine) => !(engine.native && workload.guestOnly));
  const repeats = new Map<Engine, number>();
  for (const engine of takes) {
    try {
      repeats.set(engine, await calibrate(engine, workload, settings.roundTime, settings.timeout));
    } catch (error) {
      failed(row, engine, error);
    }
  }
  const runs = new Map<Engine, RunResult[]>();
  for (let run = 0; run < settings.runs; run++) {
    // Interleaved, and each time begun with another: what disturbs the host for a while disturbs all engines alike.
    for (let i = 0; i < takes.length; i++) {
      const engine = takes[(run + i) % takes.length];
      const repeat = repeats.get(engine);
      if (repeat === undefined || row.failures.has(engine.name)) continue;
      try {
        const result = await runOnce(engine, { workload, rounds: settings.rounds, repeat, timeout: settings.timeout });
        runs.set(engine, [...(runs.get(engine) ?? []), result]);
      } catch (error) {
        failed(row, engine, error);
      }
    }
  }
  for (const [engine, results] of runs) {
    if (row.failures.has(engine.name)) continue;
    row.cells.set(engine.name, { repeat: repeats.get(engine) ?? 1, runs: results });
  }
  return row;
}

async function main(values: Options): Promise<number> {
  const architecture = (values['arch'] ?? 'x86-64') as Architecture;
  if (architecture !== 'x86-64' && architecture !== 'i386') throw new UsageError('--arch is x86-64 or i386.');
  const settings: Settings = {
    runs: count(values, 'runs', 5),
    rounds: count(values, 'rounds', 4, 2),
    roundTime: count(values, 'round-ms', 100),
    timeout: count(values, 'timeout', 120) * 1000,
  };
  const workloads = selectWorkloads(list(values, 'only'));
  const host = describeHost();
  const before = readProcessorTime();

  const present: PresentEngine[] = [];
  const absent: AbsentEngine[] = [];
  for (const engine of selectEngines(createEngines(architecture), list(values, 'engines'))) {
    const found = await tryEngine(engine, settings.timeout);
    if ('version' in found) present.push(found);
    else absent.push(found);
  }

  const rows: Row[] = [];
  for (const workload of workloads) {
    progress(`${rows.length + 1}/${workloads.length} ${workload.name}`);
    rows.push(
      await measureWorkload(
        workload,
        present.map(({ engine }) => engine),
        settings,
      ),
    );
  }
  const stolen = stolenShare(before);

  for (const line of [...hostLines(host), ...engineLines(present), '']) print(line);
  for (const { engine, reason } of absent) print(`absent: ${engine.name}: ${reason}`);
  const names = present.map(({ engine }) => engine.name);
  print(formatCompute(rows, names));
  print(formatSystem(rows, names));
  const stolenText = stolen === undefined ? '' : `, ${(100 * stolen).toFixed(1)} % of processor time stolen`;
  print(`n = ${settings.runs} runs of ${settings.rounds - 1} rounds after one to warm up${stolenText}`);

  const file = values['export-json'];
  if (typeof file === 'string') {
    const results = rows.map(({ workload, cells, failures }) => ({
      workload: workload.name,
      engines: Object.fromEntries(cells),
      failures: Object.fromEntries(failures),
    }));
    const engines = present.map(({ engine, version, backend }) => ({ name: engine.name, version, backend }));
    const missing = absent.map(({ engine, reason }) => ({ name: engine.name, reason }));
    const report = { host, architecture, settings, stolen, engines, absent: missing, results };
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  }
  for (const { workload, failures } of rows) {
    for (const [name, reason] of failures) print(`FAILED ${workload.name} on ${name}: ${reason}`);
  }
  return rows.some(({ failures }) => failures.size > 0) ? 1 : 0;
}

await runTool(
  USAGE,
  {
    runs: { type: 'string' },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    only: { type: 'string' },
    engines: { type: 'string' },
    arch: { type: 'string' },
    timeout: { type: 'string' },
    'export-json': { type: 'string' },
  },
  main,
);
