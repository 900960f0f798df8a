import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyse } from '../../bench/analysis.js';
import { compareWithFile, compareWithinRun } from '../../bench/baseline.js';
import type { BenchData, CellData } from '../../bench/data.js';
import type { Comparison } from '../../bench/export.js';
import { cell, sampleData } from './sample-data.js';

const verdicts = ({ table }: Comparison): Record<string, string> =>
  Object.fromEntries((table?.rows ?? []).map((row) => [`${row[0]} ${row[1]}`, row[row.length - 1]]));

const scaled = (data: BenchData, factor: (one: CellData) => number): BenchData => ({
  ...data,
  cells: data.cells.map((one) => ({
    ...one,
    runs: one.runs.map((run) => ({ ...run, rounds: run.rounds.map((time) => time * factor(one)) })),
  })),
});

test('the same numbers are no change', () => {
  const comparison = compareWithFile(sampleData(), analyse(sampleData()));
  assert.ok(Object.values(verdicts(comparison)).every((verdict) => verdict === 'same'));
  assert.match(comparison.lines.join('\n'), /0 of 7 pairs changed beyond noise/);
});

test('a host that is slower in all is no change, an engine that is slower is one', () => {
  const slow = scaled(sampleData(), ({ workload, engine }) => (workload === 'sieve' && engine === 'jit' ? 4 : 2));
  const found = verdicts(compareWithFile(sampleData(), analyse(slow)));
  assert.is(found['sieve jit'], 'slower');
  assert.is(found['sieve virt'], 'same');
  assert.is(found['sha256 jit'], 'same');
  const back = verdicts(compareWithFile(slow, analyse(sampleData())));
  assert.is(back['sieve jit'], 'faster');
});

test('other hosts and other workloads are told apart', () => {
  const before = sampleData();
  const other: BenchData = {
    ...before,
    host: { ...before.host, cpu: 'another processor' },
    workloads: before.workloads.map((one) => ({ ...one, checksum: `${one.checksum}0` })),
  };
  const comparison = compareWithFile(other, analyse(before));
  assert.match(comparison.lines.join('\n'), /other cpu: another processor then, a processor now/);
  assert.match(comparison.lines.join('\n'), /nothing to compare/);
  assert.is(comparison.table, undefined);
});

test('two trees in one run', () => {
  const data = sampleData();
  const engines = [...data.engines, { ...data.engines[2], name: 'jit@baseline' }];
  const cells = [...data.cells, cell('sieve', 'jit@baseline', 300, 100, null)];
  const comparison = compareWithinRun(analyse({ ...data, engines, cells }), '@baseline', 'before');
  assert.equal(verdicts(comparison), { 'sieve jit': 'faster' });
  assert.match(comparison.lines[0], /baseline: before/);
});

test.run();
