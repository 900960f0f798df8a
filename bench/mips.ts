// How many million guest instructions a second does the emulator execute? From tsvm's own count and the host's clock.
//   node dist/bench/mips.js [--runs N] [--engine interp|jit] [--only NAME,…] [--export-json FILE]

import { writeFileSync } from 'node:fs';
import { createEngines, selectEngines } from './engines.js';
import { describeHost, hostLines } from './host.js';
import { calibrate, runOnce, runTimed } from './measure.js';
import { geometricMean, median } from './statistics.js';
import { formatTable } from './text-table.js';
import { count, list, type Options, print, progress, runTool, UsageError } from './tool.js';
import { selectWorkloads, type Workload } from './workloads.js';

const USAGE = `node dist/bench/mips.js [options]
  --runs N            runs of each workload (default 5)
  --engine NAME       interp (default) or jit
  --only NAME,…       these workloads
  --export-json FILE  every number
`;

const ROUND_MS = 300;
const TIMEOUT_MS = 120_000;

async function main(values: Options): Promise<number> {
  const runs = count(values, 'runs', 5);
  const name = values['engine'] ?? 'interp';
  if (name !== 'interp' && name !== 'jit') throw new UsageError('--engine is interp or jit.');
  const [engine] = selectEngines(createEngines('x86-64'), [name]);
  const version = engine.version();
  if (version === undefined) throw new UsageError(`${name}: ${engine.absence}.`);
  const host = describeHost();
  // An instruction with a REP prefix counts once, however long it works.
  const counts = ({ group, name }: Workload): boolean => group !== 'system' && name !== 'rep';
  const workloads = selectWorkloads(list(values, 'only')).filter(counts);

  const rows = [['million instructions a second', 'median', 'best', 'instructions a unit']];
  const medians = new Map<string, number>();
  const results: object[] = [];
  for (const workload of workloads) {
    progress(workload.name);
    const repeat = await calibrate(engine, workload, ROUND_MS, TIMEOUT_MS);
    // Two runs that differ by one round: what is left is the work itself, without kernel, prepare() and console.
    const base = await runOnce(engine, { workload, rounds: 1, repeat, timeout: TIMEOUT_MS });
    const samples: number[] = [];
    let instructions = 0;
    for (let run = 0; run < runs; run++) {
      const result = await runTimed(engine, { workload, rounds: 2, repeat, timeout: TIMEOUT_MS });
      instructions = (result.statistics?.instructions ?? 0) - (base.statistics?.instructions ?? 0);
      samples.push(instructions / result.rounds[1] / 1000);
    }
    medians.set(workload.name, median(samples));
    results.push({ workload: workload.name, repeat, instructions, samples });
    const unit = Math.round(instructions / repeat).toLocaleString('en');
    rows.push([workload.description, median(samples).toFixed(1), Math.max(...samples).toFixed(1), unit]);
  }
  for (const [label, group] of [
    ['geometric mean, integer', 'integer'],
    ['geometric mean, double', 'float'],
  ] as const) {
    const members = workloads.filter((workload) => workload.group === group);
    if (members.length < 2) continue;
    rows.push([
      label,
      geometricMean(members.map((member) => medians.get(member.name) ?? Number.NaN)).toFixed(1),
      '',
      '',
    ]);
  }
  for (const line of [...hostLines(host), `${engine.description} (${version})`, '']) print(line);
  print(formatTable(rows));
  print(`n = ${runs}`);
  const file = values['export-json'];
  if (typeof file === 'string') writeFileSync(file, `${JSON.stringify({ host, engine: name, results }, null, 2)}\n`);
  return 0;
}

await runTool(
  USAGE,
  {
    runs: { type: 'string' },
    engine: { type: 'string' },
    only: { type: 'string' },
    'export-json': { type: 'string' },
  },
  main,
);
