// The order of a measurement and what becomes of engines that are absent, wrong or slow, with made-up engines.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BenchData, Settings } from '../../bench/data.js';
import type { Engine } from '../../bench/engine.js';
import { measure } from '../../bench/experiment.js';
import { selectWorkloads } from '../../bench/workloads.js';

const SETTINGS: Settings = { runs: 2, rounds: 2, warmup: 1, roundTime: 30, timeout: 20_000, timeLimit: 100_000 };

/** Takes two milliseconds for a unit of work; `checksum` is an expression over the workload's own. */
function engine(name: string, checksum: string, changes: Partial<Engine> = {}): Engine {
  const script = (own: string): string => `
    const [rounds, repeat] = process.argv[1].match(/\\d+/g).map(Number);
    console.log('start');
    let round = 0;
    const next = () => setTimeout(() => {
      const own = ${JSON.stringify(own)};
      console.log('round ' + (${checksum}));
      if (++round < rounds) next();
    }, 2 * repeat);
    next();`;
  return {
    name,
    description: name,
    architecture: 'x86-64',
    version: () => '1',
    absence: 'it is not installed',
    command: (workload, commandLine) => ({
      file: process.execPath,
      args: ['-e', script(selectWorkloads([workload])[0].checksum), commandLine],
    }),
    success: 0,
    processes: false,
    native: false,
    warmup: 0,
    tone: 0,
    guess: 1,
    ...changes,
  };
}

const run = (engines: readonly Engine[], workloads: string[], settings: Partial<Settings> = {}): Promise<BenchData> =>
  measure({
    kind: 'compute',
    tsvm: '0',
    engines,
    workloads: selectWorkloads(workloads),
    settings: { ...SETTINGS, ...settings },
  });

test('present, absent, wrong and unable engines', async () => {
  // The trial is alu32; from then on, this one is wrong.
  const wrong = engine('wrong', `own === '31842547' ? own : 'deadbeef'`);
  const absent = engine('absent', 'own', { version: () => undefined });
  const broken = engine('broken', `'00000000'`);
  const unable = engine('unable', 'own', { cannot: (need) => `has no ${need}` });
  const data = await run([engine('good', 'own'), wrong, absent, broken, unable], ['sieve', 'hypercall']);
  assert.equal(
    data.engines.map(({ name }) => name),
    ['good', 'wrong', 'unable'],
  );
  assert.equal(
    data.absent.map(({ name }) => name),
    ['absent', 'broken'],
  );
  assert.is(data.absent[0].reason, 'it is not installed');
  assert.match(data.absent[1].reason, /checksum 00000000, expected 31842547/);
  assert.equal(
    data.cells.map(({ workload, engine: name }) => `${workload} ${name}`),
    ['sieve good', 'sieve unable', 'hypercall good'],
  );
  const failures = data.failures.map(({ workload, engine: name, expected }) => `${workload} ${name} ${expected}`);
  assert.equal(failures, ['sieve wrong false', 'hypercall wrong false', 'hypercall unable true']);
  for (const { runs, warmup, repeat } of data.cells) {
    assert.is(warmup, 1);
    assert.ok(repeat >= 1);
    assert.ok(runs.length >= 1 && runs.length <= 2);
    assert.ok(runs.every(({ rounds }) => rounds.length === 3));
  }
});

test('engines that translate code warm up for longer', async () => {
  const data = await run([engine('jit', 'own', { warmup: 100 })], ['sieve'], { runs: 1 });
  assert.is(data.cells[0].warmup, 4);
  assert.is(data.cells[0].runs[0].rounds.length, 6);
});

test('processes do not get what needs a kernel of its own', async () => {
  const data = await run([engine('process', 'own', { processes: true })], ['sieve', 'trap'], { runs: 1 });
  assert.equal(
    data.cells.map(({ workload }) => workload),
    ['sieve'],
  );
});

test('what the time limit leaves out is named', async () => {
  const data = await run([engine('good', 'own')], ['sieve', 'port'], { timeLimit: 1 });
  assert.equal(data.cells, []);
  assert.equal(
    data.failures.map(({ workload, expected }) => `${workload} ${expected}`),
    ['sieve true', 'port true'],
  );
});

test.run();
