// The order of a measurement and what becomes of engines that are absent, wrong or slow, with made-up engines.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BenchData, Settings } from '../../bench/data.js';
import type { Engine } from '../../bench/engine.js';
import { measure } from '../../bench/experiment.js';
import { selectWorkloads } from '../../bench/workloads.js';

const SETTINGS: Settings = { runs: 2, rounds: 2, warmup: 1, roundTime: 30, timeout: 20_000, timeLimit: 100_000 };

/** Takes two milliseconds for a unit of work; `checksum` is an expression over the workload's own. */
function engine(name: string, checksum: string, changes: Partial<Engine> = {}, startup = 0): Engine {
  const script = (own: string): string => `
    const [rounds, repeat] = process.argv[1].match(/\\d+/g).map(Number);
    let round = 0;
    const next = () => setTimeout(() => {
      const own = ${JSON.stringify(own)};
      console.log('round ' + (${checksum}));
      if (++round < rounds) next();
    }, 2 * repeat);
    setTimeout(() => {
      console.log('start');
      next();
    }, ${startup});`;
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

const run = (
  engines: readonly Engine[],
  workloads: string[],
  settings: Partial<Settings> = {},
  selective = false,
): Promise<BenchData> =>
  measure({
    kind: 'compute',
    tsvm: '0',
    engines,
    workloads: selectWorkloads(workloads),
    settings: { ...SETTINGS, ...settings },
    selective,
  });

const pairs = (data: BenchData): string[] => data.cells.map(({ workload, engine: name }) => `${workload} ${name}`);

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

test('an engine whose marks are dear computes in longer rounds', async () => {
  const engines = [engine('cheap', 'own'), engine('dear', 'own', { leastRound: 400 })];
  const data = await run(engines, ['sieve', 'port'], { runs: 1, rounds: 1 });
  const repeats = data.cells.map(({ repeat }) => repeat);
  assert.equal(pairs(data), ['sieve cheap', 'sieve dear', 'port cheap', 'port dear']);
  assert.ok(repeats[1] > 3 * repeats[0], `${repeats}`);
  assert.ok(repeats[3] < 3 * repeats[2], `${repeats}`);
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

test('a selective plan measures its own engines on everything, and peers on a selection', async () => {
  const own = engine('own', 'own');
  const peer = engine('peer', 'own', { peer: true });
  const slow = engine('slow', 'own', { peer: true }, 2100);
  const data = await run([own, peer, slow], ['sieve', 'alu64', 'port'], { runs: 2 }, true);
  assert.equal(pairs(data), ['sieve own', 'port own', 'alu64 own', 'sieve peer', 'sieve slow', 'port peer']);
  assert.equal(data.failures, []);
  assert.equal(
    data.leftOut?.map(({ engine: name, workloads }) => `${name} ${workloads}`),
    ['peer alu64', 'slow alu64', 'slow port'],
  );
  assert.match(data.leftOut?.[2].reason ?? '', /^each start takes 2\.\d s$/);
  const runs = (name: string): number[] =>
    data.cells.filter((cell) => cell.engine === name).map((cell) => cell.runs.length);
  assert.equal(runs('own'), [2, 2, 2]);
  assert.equal(runs('peer'), [2, 2]);
  assert.equal(runs('slow'), [1], 'one start has to do');
});

test('peers get no more than their share of a selective plan’s time', async () => {
  const data = await run(
    [engine('own', 'own'), engine('peer', 'own', { peer: true, warmup: 60_000 })],
    ['sieve', 'port'],
    { runs: 1 },
    true,
  );
  assert.equal(pairs(data), ['sieve own', 'port own']);
  assert.equal(data.leftOut?.length, 1);
  assert.match(data.leftOut?.[0].reason ?? '', /time for other engines/);
});

test('the native programs of an architecture that only a peer has are that peer’s', async () => {
  const engines = [
    engine('native', 'own', { native: true }),
    engine('own', 'own'),
    engine('native-i386', 'own', { native: true, architecture: 'i386' }),
    engine('other', 'own', { peer: true, architecture: 'i386' }),
  ];
  const data = await run(engines, ['alu64', 'sieve'], { runs: 1 }, true);
  // On a busy host a pair may fail; that it was tried is what counts.
  const tried = [...pairs(data), ...data.failures.map(({ workload, engine: name }) => `${workload} ${name}`)];
  const expected = ['sieve native', 'sieve own', 'alu64 native', 'alu64 own', 'sieve native-i386', 'sieve other'];
  assert.equal(tried.toSorted(), expected.toSorted());
});

test.run();
