// tsvm bench levels as a whole, with little time; the workloads as WASI modules; the monitor in C.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TSVM } from '../../bench/engine.js';
import { buildCMonitor } from '../../bench/levels/c-vmm.js';
import type { LevelsData } from '../../bench/levels/data.js';
import { createLevels } from '../../bench/levels/level.js';
import { runOnce } from '../../bench/measure.js';
import { selectWorkloads } from '../../bench/workloads.js';
import { ROOT, scratch } from '../cli/spawn.js';

const TIMEOUT = 60_000;

test('every WASI module gives its checksum', async () => {
  const levels = createLevels([]);
  try {
    const language = levels.all.find(({ engine }) => engine.name === 'wasi');
    assert.ok(language);
    const names = readdirSync(`${ROOT}guests/bench/wasi`).map((file) => file.replace('.wasm', ''));
    const workloads = selectWorkloads(names.filter((name) => name !== 'idle'));
    assert.ok(workloads.length >= 14);
    // A wrong checksum rejects.
    for (const workload of workloads) {
      await runOnce(language.engine, { workload, rounds: 1, repeat: 1, timeout: TIMEOUT });
    }
  } finally {
    levels.remove();
  }
});

test('the monitor in C runs the guests that tsvm runs', async () => {
  const { engine, remove } = buildCMonitor();
  try {
    if (engine.version() === undefined) {
      console.log(`skipped: ${engine.absence}`);
      return;
    }
    for (const workload of selectWorkloads(['port', 'alu32'])) {
      await runOnce(engine, { workload, rounds: 2, repeat: 1, timeout: TIMEOUT });
    }
  } finally {
    remove();
  }
});

test('the report with little time: every level has a row or a reason, and nothing is left behind', async () => {
  const file = scratch('levels.json');
  const page = scratch('levels.html');
  const options = ['--runs', '1', '--time-limit', '10', '--memory-budget', '200M'];
  const args = [TSVM, 'bench', 'levels', ...options, '--export-json', file, '--export-html', page];
  // Rejects when the exit code is not 0.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 5 * TIMEOUT });
  const data = JSON.parse(readFileSync(file, 'utf8')) as LevelsData;
  assert.equal(data.wrong, []);
  const names = [...data.levels, ...data.absent].map(({ title }) => title);
  for (const word of ['OS level', 'hardware level', 'ISA level', 'library level', 'language level']) {
    assert.ok(
      names.some((name) => name.startsWith(word)),
      `${word} in ${names.join(', ')}`,
    );
  }
  for (const { title, reason } of data.absent) assert.ok(stdout.includes(`Absent: ${title}: ${reason}`), title);
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>/);
  const groups = '/sys/fs/cgroup/pids';
  const left = existsSync(groups) ? readdirSync(groups).filter((name) => name.startsWith('tsvm-levels-')) : [];
  assert.equal(left, []);
});

test.run();
