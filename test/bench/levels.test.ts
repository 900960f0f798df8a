// The levels report: arithmetic of claims and verdicts, what /proc is read for, options, and a run that must end.

import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLAIMS, extrapolated, magnitudesOff, ratio, verdicts } from '../../bench/levels/claims.js';
import { readRequest } from '../../bench/levels/command.js';
import {
  LEVELS_FORMAT,
  LEVELS_VERSION,
  type LevelData,
  type LevelsData,
  type Samples,
} from '../../bench/levels/data.js';
import { formatHtml } from '../../bench/levels/html.js';
import { parseRollup, processTree, startInstance } from '../../bench/levels/instance.js';
import { roundProcessorTime } from '../../bench/levels/processor-time.js';
import { fillWithIdle, hasDoubled } from '../../bench/levels/quantity.js';
import { bytes, formatMarkdown, formatText } from '../../bench/levels/report.js';

const MIB = 2 ** 20;
const samples = (time: number, repeat = 1): Samples => ({
  workload: 'sieve',
  repeat,
  runs: Array.from({ length: 10 }, (_, i) => [time * (1 + i / 1000), time, time * (1 - i / 1000)]),
});

const level = (engine: string, side: LevelData['side'], more: Partial<LevelData> = {}): LevelData => ({
  name: engine,
  title: `level ${engine} <&>`,
  what: 'a test',
  side,
  engine,
  version: '1',
  backend: null,
  tone: 1,
  cold: [],
  warm: [20, 21, 22],
  image: 9000,
  memory: { resident: 2 * MIB, proportional: MIB },
  compute: samples(10),
  call: null,
  exit: null,
  hypercall: null,
  quantity: { starts: [20, 20], memory: { resident: 4 * MIB, proportional: 2 * MIB }, end: 'time', reason: undefined },
  gaps: [],
  ...more,
});

const data = (levels: readonly LevelData[], more: Partial<LevelsData> = {}): LevelsData => ({
  format: LEVELS_FORMAT,
  version: LEVELS_VERSION,
  tsvm: '0',
  host: { date: '2026-01-01', cpu: 'test', cores: 1, kernel: 'test', node: 'v20', load: 0 },
  workload: { name: 'sieve', description: 'sieve', checksum: 'a586848b' },
  settings: { runs: 10, memoryBudget: 1024 * MIB, timeLimit: 60 },
  elapsed: 1,
  stolen: null,
  availableMemory: 5000 * MIB,
  node: [80],
  coldStarts: false,
  emulatedByKvm: 7,
  levels,
  absent: [{ name: 'library', title: 'library level', reason: 'not installed' }],
  wrong: [],
  cMonitor: null,
  cMonitorAbsence: 'no compiler',
  ...more,
});

test('orders of magnitude off a range', () => {
  assert.is(magnitudesOff(5, 1, 60), 0);
  assert.is(magnitudesOff(0.02, 1, 60), -2);
  assert.is(magnitudesOff(0.5, 1, 60), 0, 'nearer to the range than to a tenth of it');
  assert.is(magnitudesOff(60_000, 1, 60), 3);
  assert.is(magnitudesOff(1, 1, 60), 0);
});

test('a ratio is of units of work, and its interval surrounds it', () => {
  const found = ratio(samples(40, 2), samples(10));
  assert.ok(found);
  assert.ok(Math.abs(found.value - 2) < 1e-9);
  assert.ok(found.low <= 2 && found.high >= 2 && found.high - found.low < 0.05);
  assert.is(found.runs, 10);
  assert.is(ratio(null, samples(1)), undefined);
});

test('verdicts: every claim meets the levels that it is about, and no other', () => {
  const native = level('native', null);
  const found = verdicts(data([native, level('os', 'container'), level('virt', 'vm', { compute: samples(30) })]));
  assert.is(found.length, CLAIMS.length);
  const words = (property: string, side: string) =>
    found.find(({ claim }) => claim.property === property && claim.side === side)?.words;
  assert.is(words('start', 'container'), 'off by 10^2, faster');
  assert.is(words('start', 'vm'), 'off by 10^3, faster');
  assert.is(words('size', 'container'), 'off by 10^3, smaller');
  assert.is(words('size', 'vm'), 'off by 10^6, smaller');
  assert.is(words('performance', 'container'), 'agrees');
  assert.is(words('performance', 'vm'), 'agrees');
  assert.is(words('quantity', 'container'), 'agrees', '5,000 of them');
  assert.is(words('quantity', 'vm'), 'off by 10^2, more');
  assert.ok(found.every(({ agrees, why }) => agrees || why !== ''));
});

test('performance: as fast as native is not weaker, and a wide interval decides nothing', () => {
  const native = level('native', null);
  const judge = (compute: Samples) =>
    verdicts(data([native, level('virt', 'vm', { compute })])).find(({ claim }) => claim.property === 'performance');
  assert.is(judge(samples(10))?.words, 'off by 10^0: not weaker');
  const wide = { workload: 'sieve', repeat: 1, runs: [[8], [9], [10], [11], [12], [30], [31]] };
  assert.is(judge(wide)?.words, 'undecided');
});

test('quantity: measured where starts became slow, else extrapolated from memory', () => {
  const slow = { starts: new Array(30).fill(50), memory: { resident: MIB, proportional: 30 * MIB }, reason: undefined };
  const one = level('os', 'container', { quantity: { ...slow, end: 'latency' } });
  const all = data([level('native', null), one]);
  assert.is(extrapolated(one, all), 5000);
  const found = verdicts(all).find(({ claim }) => claim.property === 'quantity');
  assert.is(found?.value, 30);
  assert.is(found?.extrapolated, false);
  assert.is(extrapolated(one, { ...all, availableMemory: null }), undefined);
});

test('doubling is not a matter of a few outliers', () => {
  const usual = new Array(10).fill(10);
  assert.is(hasDoubled(usual, new Array(19).fill(30)), false, 'too few to tell');
  assert.is(hasDoubled(usual, new Array(20).fill(30)), true);
  assert.is(hasDoubled(usual, [...new Array(17).fill(10), 90, 90, 90]), false);
});

test('sizes', () => {
  assert.is(bytes(512), '512 B');
  assert.is(bytes(1536), '1.50 KiB');
  assert.is(bytes(61.3 * MIB), '61.3 MiB');
});

test('the reports carry the same numbers, and text stays text', () => {
  const all = data([level('native', null), level('os', 'container'), level('virt', 'vm')]);
  const [text, markdown, html] = [formatText(all), formatMarkdown(all), formatHtml(all)];
  for (const report of [text, markdown]) {
    for (const part of ['level os <&>', '21.0 ms', '1.00 MiB', 'off by 10^2, faster', 'not installed', 'no compiler']) {
      assert.ok(report.includes(part), part);
    }
  }
  for (const part of ['level os &lt;&amp;&gt;', '21.0 ms', 'off by 10^2, faster', 'not installed']) {
    assert.ok(html.includes(part), part);
  }
  assert.not.ok(html.includes('<&>'));
  assert.not.match(html, /(src|href)="?http/);
});

test('smaps_rollup', () => {
  assert.equal(parseRollup('0-1 ---p [rollup]\nRss:  1596 kB\nPss:   306 kB\nPss_Dirty: 116 kB\n'), {
    resident: 1596 * 1024,
    proportional: 306 * 1024,
  });
});

const idle = {
  file: process.execPath,
  args: ['-e', 'console.log("start"); setInterval(() => undefined, 1000)'],
};

test('an instance is waited for until its first byte, and is gone when stopped', async () => {
  const instance = await startInstance(idle, 20_000);
  assert.ok(instance.start > 0);
  assert.ok(processTree(instance.pid).includes(instance.pid));
  await instance.stop();
  assert.throws(() => process.kill(instance.pid, 0));
});

test('an instance that does not come up says why', async () => {
  const reason = async (file: string, args: readonly string[]): Promise<string> => {
    try {
      await startInstance({ file, args }, 20_000);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(await reason(process.execPath, ['-e', 'console.error("no room"); process.exit(1)']), /no room/);
  assert.match(await reason('/nowhere/at/all', []), /ENOENT/);
});

/** work() takes so many milliseconds of this process's own time. */
const PRINT = `
const print = (line) => require('node:fs').writeSync(1, line + '\\n');
const work = (ms) => { const until = process.cpuUsage().user + ms * 1000; while (process.cpuUsage().user < until); };
`;

test('filling ends at the time limit and leaves nothing behind', async () => {
  const found = await fillWithIdle(() => idle, { budget: 2 ** 40, baseline: [1e6], time: 1, timeout: 20_000 });
  assert.is(found.end, 'time');
  assert.is(found.starts.length, 1);
});

test('filling ends when no further instance starts', async () => {
  let count = 0;
  const command = () => (++count < 3 ? idle : { file: '/nowhere/at/all', args: [] });
  const found = await fillWithIdle(command, { budget: 2 ** 40, baseline: [1e6], time: 60_000, timeout: 20_000 });
  assert.is(found.end, 'failed');
  assert.is(found.starts.length, 2);
  assert.match(found.reason ?? '', /ENOENT/);
});

test('processor time between marks, without the rounds that warm up', async () => {
  const marked = (script: string) =>
    roundProcessorTime({ file: process.execPath, args: ['-e', `${PRINT} ${script}`] }, 20_000);
  const busy = 'print("start"); for (let i = 0; i < 5; i++) { work(30); print("round 00000001"); } ';
  const used = await marked(busy);
  if (!existsSync('/proc/self/schedstat')) {
    assert.is(used, undefined);
    return;
  }
  assert.ok(used !== undefined && used > 10e6, `${used} ns for 30 ms of work`);
  assert.is(await marked(`${busy} process.exit(3)`), undefined, 'a program that fails has no time');
  assert.is(await marked('print("nonsense")'), undefined);
  assert.is(await roundProcessorTime({ file: '/nowhere/at/all', args: [] }, 1000), undefined);
});

test('options are checked', () => {
  assert.is(readRequest({}).workload, 'sha256');
  assert.is(readRequest({ memoryBudget: '512M' }).memoryBudget, 512 * MIB);
  assert.equal(readRequest({ engines: 'virt,wasi' }).only, ['virt', 'wasi']);
  assert.throws(() => readRequest({ runs: '0' }), /--runs/);
  assert.throws(() => readRequest({ memoryBudget: 'lots' }), /--memory-budget/);
  assert.throws(() => readRequest({ exportCsv: 'x.csv' }), /--export-csv/);
});

test.run();
