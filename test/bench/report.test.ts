// From samples to the numbers and sentences of a report.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Analysis, analyse, hasFailures, type Row, type Summary } from '../../bench/analysis.js';
import { parseData, unitCounters } from '../../bench/data.js';
import { allExitLines, explain } from '../../bench/explain.js';
import { toCsv, toJson, toMarkdown, toText } from '../../bench/export.js';
import { emulatedLines, facts, reportTables, warmUps } from '../../bench/report.js';
import type { RunStatistics } from '../../src/trace/stats.js';
import { cell, sampleData } from './sample-data.js';

const row = ({ rows }: Analysis, name: string): Row => rows.find(({ workload }) => workload.name === name)!;
const summary = (analysis: Analysis, workload: string, engine: string): Summary =>
  row(analysis, workload).cells.get(engine)!;
const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual} is not ${expected}`);

test('a cell: rounds that warm up do not count, a unit is a part of a round', () => {
  const { time, n, runs, cold, best, ratio, operation } = summary(analyse(sampleData()), 'sieve', 'jit');
  assert.is(time.value, 2);
  assert.equal([runs, n], [2, 6]);
  assert.is(cold, 8);
  close(best, 1.98);
  assert.is(ratio?.value, 2);
  assert.ok(ratio!.low > 1.9 && ratio!.low < 2 && ratio!.high > 2 && ratio!.high < 2.1);
  assert.is(operation, null);
  const { processor, processorRatio, bestRatio } = summary(analyse(sampleData()), 'sieve', 'jit');
  close(processor!, 2);
  close(processorRatio!, 2);
  close(bestRatio!, 2);
});

test('operations, instruction counts and means', () => {
  const analysis = analyse(sampleData());
  assert.is(summary(analysis, 'port', 'virt').operation?.value, 5000);
  assert.is(summary(analysis, 'port', 'virt').ratio, null);
  // Counted by the emulator, valid for whoever executes the same code: 6 M in 1 ms.
  close(summary(analysis, 'sieve', 'native').rate!, 6e9);
  const means = analysis.means.get('compute')!;
  assert.equal(
    means.map(({ engine }) => engine.name),
    ['jit'],
  );
  close(means[0].ratio.value, 4);
  assert.ok(means[0].ratio.low < 4 && means[0].ratio.high > 4);
  assert.equal(
    analysis.starts.map(({ engine, n, time }) => [engine.name, n, time.value]),
    [
      ['native', 2, 110],
      ['virt', 4, 110],
      ['jit', 4, 110],
    ],
  );
});

test('what a unit of work costs in events', () => {
  const run = (instructions: number, pio: number, com1: number, exits: number): RunStatistics =>
    ({
      instructions,
      exits: { pio },
      io: { pio: { com1: { reads: 0, writes: com1 } }, mmio: {} },
      vcpu: { exits: {}, details: { kvm_exits: exits } },
    }) as unknown as RunStatistics;
  // 20 of the port accesses of the longer run, and 10 of the other, are the console's.
  assert.equal(unitCounters(run(1100, 1020, 20, 900), run(100, 10, 10, 100), 10), {
    instructions: 100,
    exits: { pio: 100 },
    details: { kvm_exits: 80 },
  });
});

test('exits have the cost of the workload that isolates them', () => {
  const data = sampleData();
  const mixed = cell('sieve', 'virt', 1000, 100, { exits: { pio: 1200, halt: 3 }, details: { kvm_exits: 1300 } });
  const cells = data.cells.map((one) => (one.workload === 'sieve' && one.engine === 'virt' ? mixed : one));
  const analysis = analyse({ ...data, cells });
  const lines = allExitLines(analysis).filter(({ engine }) => engine === 'virt');
  assert.equal(
    lines.map(({ workload, reason, count, cost, share }) => [workload, reason, count, cost, share]),
    [
      ['sieve', 'port access', 1200, 5000, 0.6],
      ['port', 'port access', 1000, 5000, 1],
    ],
  );
  assert.is(
    explain(analysis, row(analysis, 'sieve'), summary(analysis, 'sieve', 'virt')),
    '1,200 port accesses at 5.00 µs are 60 % of the time.',
  );
});

test('sentences come from the row', () => {
  const analysis = analyse(sampleData());
  const why = (workload: string, engine: string): string =>
    explain(analysis, row(analysis, workload), summary(analysis, workload, engine));
  assert.is(why('port', 'virt'), '1,000 port accesses at 5.00 µs are all of the time.');
  assert.match(why('sieve', 'virt'), /^The processor executes 100\.00 % of its instructions directly/);
  assert.is(why('sieve', 'jit'), '95.0 % of 6.00 M instructions translated, 3.00 G a second, natively 6.00 G.');
  assert.is(why('sieve', 'native'), '6.00 M instructions, 6.00 G a second.');
  assert.equal(emulatedLines(analysis).length, 1);
  assert.match(emulatedLines(analysis)[0], /^virt: while computing, KVM emulated 1\.0 of a million/);
});

test('an operation that KVM handles in the kernel', () => {
  const data = sampleData();
  const trap = cell('port', 'virt', 140, 10, { details: { kvm_exits: 2000, kvm_insn_emulation: 5000 } });
  const analysis = analyse({ ...data, cells: [trap] });
  assert.is(
    explain(analysis, row(analysis, 'port'), summary(analysis, 'port', 'virt')),
    'Each port write takes 14.0 µs: 2.00 exits to KVM in the kernel, which emulates 5.00 instructions.',
  );
});

test('getting up to speed', () => {
  const [{ first, steady, warmAt, points }] = warmUps(analyse(sampleData()));
  assert.equal([first, steady], [40, 2]);
  assert.equal(points[0], [240, 40]);
  // The third round is the last that is slow.
  assert.is(warmAt, 263);
});

test('absent engines, failures and what was done are told in every form', () => {
  const analysis = analyse(sampleData());
  assert.ok(hasFailures(analysis.data));
  for (const text of [toText(analysis), toMarkdown(analysis)]) {
    assert.match(text, /absent: tcg: qemu-system-x86_64 is not installed/);
    assert.match(text, /back end kvm_intel/);
    assert.match(text, /FAILED: sha256 on virt: checksum 00000000/);
    assert.match(text, /cannot: port on v86/);
    assert.match(text, /1\.0 % of processor time stolen/);
    assert.match(text, /2 processes × 3 rounds/);
    assert.match(text, /jit: 4\.00 \[.*; best over best 4\.00, by processor time 4\.00/);
    assert.not.match(text, /busy/);
  }
  assert.equal(
    reportTables(analysis).map(({ title }) => title),
    [
      'Time over native',
      'Time of one operation',
      'Every row, and why it is so',
      'Exits by reason',
      'From starting the process to the first byte of output',
      'Getting up to speed',
    ],
  );
});

test('what the plan left out is named with how to include it', () => {
  const leftOut = [{ engine: 'tcg', workloads: ['sieve', 'sort'], reason: 'no time' }];
  const analysis = analyse(sampleData({ leftOut }));
  for (const text of [toText(analysis), toMarkdown(analysis)]) {
    assert.match(text, /left out: tcg on sieve, sort: no time\. --engines/);
  }
});

test('tables are rectangular', () => {
  const { data } = analyse(sampleData());
  const without = { ...data, engines: data.engines.filter(({ native }) => !native) };
  for (const table of [...reportTables(analyse(data)), ...reportTables(analyse(without))]) {
    for (const row of table.rows) assert.is(row.length, table.head.length, table.title);
    assert.ok(table.text.every((column) => column < table.head.length));
  }
});

test('a busy host is told', () => {
  const data = sampleData();
  const cells = data.cells.map((one) => ({
    ...one,
    runs: one.runs.map((run) => ({ ...run, rounds: run.rounds.map((time) => 2 * time) })),
  }));
  assert.match(
    facts(analyse({ ...data, cells })).join('\n'),
    /busy: native processes had a processor 50 % of their time/,
  );
});

test('a report of nothing is a report', () => {
  const empty = analyse(sampleData({ engines: [], cells: [], workloads: [], failures: [], curves: [], stolen: null }));
  assert.equal(reportTables(empty), []);
  assert.match(facts(empty).join('\n'), /unknown/);
  assert.ok(toText(empty).length > 0);
  assert.is(toCsv(empty).split('\r\n').length, 2);
});

test('CSV: a line a pair, quoted', () => {
  const lines = toCsv(analyse(sampleData())).trimEnd().split('\r\n');
  assert.is(lines.length, 1 + 7);
  const fields = lines[0].split(',');
  const port = lines.find((line) => line.startsWith('port,virt,'))!;
  assert.is(port.split(',')[fields.indexOf('operation_ns')], '5000');
  assert.match(port, /,"1,000 port accesses at 5\.00 µs are all of the time\."$/);
});

test('JSON is read back as the measurement that it was', () => {
  const data = sampleData();
  const text = toJson(analyse(data));
  const { results: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.equal(rest, JSON.parse(JSON.stringify(data)));
  assert.equal(parseData(text).cells, data.cells);
  const [first] = (JSON.parse(text) as { results: { median: number; times: number[] }[] }).results;
  assert.is(first.median, 0.001);
  assert.is(first.times.length, 6);
});

test('what is no measurement is refused by name', () => {
  assert.throws(() => parseData('{'), /is not JSON/);
  assert.throws(() => parseData('[]'), /is not a file of tsvm bench/);
  assert.throws(() => parseData('null'), /is not a file of tsvm bench/);
  assert.throws(() => parseData('{"format":"tsvm-bench","version":99}'), /has version 99/);
  assert.throws(() => parseData('{"format":"tsvm-bench","version":1}'), /is incomplete/);
  const broken = { ...sampleData(), cells: [{ workload: 'sieve' }] };
  assert.throws(() => parseData(JSON.stringify(broken)), /is incomplete/);
});

test.run();
