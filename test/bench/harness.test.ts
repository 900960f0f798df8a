// The harness with made-up engines, and what its table of workloads says against the images in the repository.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ARCHITECTURES } from '../../bench/engine.js';
import { createEngines, defaultEngines, type Engine, guestImage, ROOT, selectEngines } from '../../bench/engines.js';
import { calibrate, RunFailure, type RunResult, runOnce, runTimed } from '../../bench/measure.js';
import { selectWorkloads, WORKLOADS } from '../../bench/workloads.js';

const [SIEVE] = selectWorkloads(['sieve']);

/** An engine that is a Node script; it finds the command line in process.argv[1]. */
function scripted(script: string): Engine {
  return {
    name: 'scripted',
    description: '',
    architecture: 'x86-64',
    version: () => '1',
    absence: '',
    command: (_workload, commandLine) => ({ file: process.execPath, args: ['-e', script, commandLine] }),
    success: 3,
    processes: false,
    native: false,
    warmup: 0,
    tone: 0,
    guess: 1,
  };
}

const fails = async (script: string, reason: RegExp, timeout = 20_000): Promise<void> => {
  try {
    await runOnce(scripted(script), { workload: SIEVE, rounds: 1, repeat: 1, timeout });
  } catch (error) {
    assert.ok(error instanceof RunFailure);
    assert.match((error as Error).message, reason);
    return;
  }
  assert.unreachable('the run should have failed');
};

test('a run that goes well', async () => {
  const script = `if (process.argv[1] !== 'rounds=2 repeat=5') process.exit(9);
    console.log('start'); console.log('round ${SIEVE.checksum}'); console.log('round ${SIEVE.checksum}'); process.exitCode = 3;`;
  const { rounds, statistics } = await runOnce(scripted(script), {
    workload: SIEVE,
    rounds: 2,
    repeat: 5,
    timeout: 20_000,
  });
  assert.is(rounds.length, 2);
  assert.is(statistics, undefined);
});

test('a run that gives no number says why', async () => {
  await fails(
    `console.log('start'); console.log('round 00000000'); process.exitCode = 3`,
    /^checksum 00000000, expected/,
  );
  await fails('process.exitCode = 3', /^checksum missing/);
  await fails(
    `console.log('start'); for (let i = 0; i < 2; i++) console.log('round ${SIEVE.checksum}'); process.exitCode = 3`,
    /^2 rounds marked, expected 1/,
  );
  await fails(
    `console.error('tsvm: note: x'); console.error('E_SOMETHING: y'); process.exitCode = 125`,
    /125: E_SOMETHING: y$/,
  );
  await fails(`console.log('who?'); setInterval(() => {}, 1000)`, /unexpected output "who\?"/);
  await fails('setInterval(() => {}, 1000)', /took too long/, 300);
});

test('a program that is not there is a failure, too', async () => {
  const engine: Engine = { ...scripted(''), command: () => ({ file: '/nonexistent/engine', args: [] }) };
  try {
    await runOnce(engine, { workload: SIEVE, rounds: 1, repeat: 1, timeout: 1000 });
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof RunFailure);
  }
});

const result = (rounds: number[], together = false): RunResult => ({
  rounds,
  startup: 0,
  processor: [],
  together,
  statistics: undefined,
});

test('a run whose marks come together is repeated, but not for ever', async () => {
  const request = { workload: SIEVE, rounds: 2, repeat: 1, timeout: 1000 };
  let runs = 0;
  const third = async (): Promise<RunResult> => result([5, runs], ++runs < 3);
  assert.equal((await runTimed(scripted(''), request, third)).rounds, [5, 2]);
  try {
    await runTimed(scripted(''), request, async () => result([0, 0], true));
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /too busy/);
  }
});

test('calibration scales the work to the time', async () => {
  const tried: number[] = [];
  const calibrated = (unit: number, together = (_repeat: number): boolean => false): Promise<number> => {
    tried.length = 0;
    return calibrate(scripted(''), SIEVE, 100, 1000, async (_engine, { repeat }) => {
      tried.push(repeat);
      return result([5 * unit * repeat, unit * repeat], together(repeat));
    });
  };
  assert.is(await calibrated(2), 50);
  assert.is(await calibrated(0.125), 800);
  // One unit is more than a round: then it is one.
  assert.is(await calibrated(3000), 1);
  assert.equal(tried, [1]);
  // Too fast to be told apart at first.
  assert.is(await calibrated(0.0625, (repeat) => repeat < 10), 1600);
  assert.equal(tried.slice(0, 3), [1, 4, 16]);
  // Slow, and the host stalls once: the same again.
  assert.is(await calibrated(50, () => tried.length === 1), 2);
  assert.equal(tried, [1, 1]);
});

test('every source has its images and its line in the table', () => {
  const sources = readdirSync(join(ROOT, 'guests/bench')).filter((file) => file.endsWith('.c'));
  assert.equal(sources.map((file) => basename(file, '.c')).sort(), WORKLOADS.map(({ name }) => name).sort());
  for (const { name } of WORKLOADS) {
    for (const architecture of ['x86-64', 'i386'] as const) {
      assert.ok(existsSync(guestImage(architecture, name)), `${name} ${architecture}`);
      assert.ok(existsSync(join(ROOT, `guests/bench/linux-${architecture}/${name}`)), `${name} linux-${architecture}`);
    }
  }
});

test('engines are chosen by name', () => {
  const engines = createEngines('x86-64');
  assert.equal(
    selectEngines(engines, ['tcg', 'interp']).map(({ name }) => name),
    ['interp', 'tcg'],
  );
  assert.throws(() => selectEngines(engines, ['bochs']), /no engine bochs\. There are: native, /);
  // Every name once, however many architectures there are.
  const names = ARCHITECTURES.flatMap(createEngines).map(({ name }) => name);
  assert.is(new Set(names).size, names.length);
  assert.equal(
    defaultEngines()
      .filter(({ architecture }) => architecture !== 'x86-64')
      .map(({ name }) => name),
    ['native-i386', 'v86'],
  );
});

// The guests in all tiers: a sample here, all of them in the slow suite.
for (const architecture of ['x86-64', 'i386'] as const) {
  for (const engine of createEngines(architecture).filter(({ name }) => /^(interp|jit)(-|$)/.test(name))) {
    if (engine.version() === undefined) continue;
    test(`a sample on ${engine.name}, ${architecture}`, async () => {
      for (const workload of selectWorkloads(['recursion', 'syscall', 'pagefault', 'switch', 'interrupt'])) {
        const { rounds } = await runOnce(engine, { workload, rounds: 2, repeat: 1, timeout: 60_000 });
        assert.is(rounds.length, 2);
      }
    });
  }
}

test.run();
