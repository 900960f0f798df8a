// tsvm bench, from its options to its files: a run of seconds, whose numbers nobody asserts.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseData } from '../../bench/data.js';
import { TSVM } from '../../bench/engines.js';

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [TSVM, 'bench', ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

const work = mkdtempSync(join(tmpdir(), 'tsvm-bench-test-'));
test.after(() => rmSync(work, { recursive: true, force: true }));

const refused = (args: string[], message: RegExp): void => {
  const { status, stdout, stderr } = bench(...args);
  assert.match(stderr, message);
  assert.ok(status !== 0 && stdout === '', args.join(' '));
};

test('wrong options are refused before anything is measured', () => {
  refused(['--runs', '0'], /^E_COUNT: --runs "0"/);
  refused(['overhead', '--round-ms', 'x'], /^E_COUNT: --round-ms "x"/);
  refused(['--only', 'nothing'], /^E_WORKLOAD: no workload nothing\. There are: sieve, /);
  refused(['--engines', 'bochs'], /^E_ENGINE: no engine bochs\. There are: native, /);
  refused(['--arch', 'vax'], /^E_ARCHITECTURE: no workloads for "vax"/);
  refused(['--export-html', join(work, 'no/where.html')], /^E_OUTPUT: --export-html /);
  refused(['--baseline', join(work, 'missing.json')], /^E_NOT_FOUND: /);
  refused(['--baseline', work], /^E_BASELINE: .* without bin\/tsvm\.cjs/);
  writeFileSync(join(work, 'other.json'), '{}');
  refused(['--baseline', join(work, 'other.json')], /^E_BASELINE: .* is not a file of tsvm bench/);
});

test('a small run writes every form, and is its own baseline', () => {
  const file = (ending: string): string => join(work, `report.${ending}`);
  const small = ['--only', 'alu32,port', '--engines', 'interp', '--runs', '2', '--rounds', '2', '--round-ms', '20'];
  const exports = ['--export-json', file('json'), '--export-markdown', file('md'), '--export-csv', file('csv')];
  const first = bench('overhead', ...small, ...exports, '--export-html', file('html'));
  assert.is(first.status, 0, first.stderr);
  for (const ending of ['json', 'md', 'csv', 'html']) assert.ok(existsSync(file(ending)));
  const data = parseData(readFileSync(file('json'), 'utf8'));
  assert.equal(
    data.engines.map(({ name }) => name),
    ['interp'],
  );
  const port = data.cells.find(({ workload }) => workload === 'port')!;
  assert.ok(port.runs.length > 0 && port.runs.every(({ rounds }) => rounds.every((time) => time > 0)));
  // Exactly: the emulator's counts are the architecture's, not the host's.
  assert.is(port.unit?.exits['pio'], 1000);
  assert.match(readFileSync(file('md'), 'utf8'), /1,000 port accesses at /);

  const second = bench(
    '--only',
    'alu32',
    '--engines',
    'interp',
    '--runs',
    '1',
    '--rounds',
    '1',
    '--round-ms',
    '5',
    '--baseline',
    file('json'),
  );
  assert.is(second.status, 0, second.stderr);
  assert.match(second.stdout, /Change against the baseline/);
});

test.run();
