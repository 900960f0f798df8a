import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { countPresent, findGuestRam, parseResident } from '../../bench/process-memory.js';
import {
  amount,
  best,
  duration,
  geometricMean,
  interval95,
  mean,
  median,
  outliers,
  quantile,
  resampledMedians,
  short,
  standardDeviation,
} from '../../bench/statistics.js';
import { formatTable } from '../../bench/text-table.js';
import { selectWorkloads } from '../../bench/workloads.js';

test('median, best, geometric mean', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2.5);
  assert.is(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
  assert.is(best([3, 1, 2]), 1);
  assert.ok(Number.isNaN(best([])));
  assert.is(geometricMean([2, 8]), 4);
  assert.ok(Math.abs(geometricMean([3, 1 / 3]) - 1) < 1e-12);
  assert.ok(Number.isNaN(geometricMean([])));
});

test('numbers for people', () => {
  assert.is(short(1.234), '1.23');
  assert.is(short(12.34), '12.3');
  assert.is(short(1234.5), '1235');
  assert.is(short(Number.NaN), '–');
});

test('mean, deviation, quantiles', () => {
  assert.is(mean([2, 4, 9]), 5);
  // Squares 9, 1, 16 around 5; divided by n - 1.
  assert.is(standardDeviation([2, 4, 9]), Math.sqrt(13));
  assert.ok(Number.isNaN(standardDeviation([1])));
  assert.is(quantile([3, 1, 2], 0.5), 2);
  assert.is(quantile([0, 10], 0.25), 2.5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('outliers are far off the median, not merely at the edge', () => {
  assert.equal(outliers([10, 11, 9, 10, 12, 30]), [30]);
  assert.equal(outliers([10, 11, 9, 10, 12, 8]), []);
  assert.equal(outliers([5, 5, 5, 9]), []);
  assert.equal(outliers([]), []);
});

test('bootstrap: the same each time, around the median, wider for fewer and for unlike processes', () => {
  const runs = [
    [10, 11, 12],
    [10, 12, 11],
    [11, 10, 12],
  ];
  const resamples = resampledMedians(runs);
  assert.equal(resamples, resampledMedians(runs));
  assert.not.equal(resamples, resampledMedians(runs, 1));
  const { low, high } = interval95(resamples);
  assert.ok(low >= 10 && low <= 11 && high >= 11 && high <= 12);
  const unlike = interval95(
    resampledMedians([
      [10, 10.1, 10.2],
      [20, 20.1, 20.2],
      [30, 30.1, 30.2],
    ]),
  );
  assert.ok(unlike.low < 11 && unlike.high > 29);
  assert.equal(interval95(resampledMedians([[7]])), { low: 7, high: 7 });
  assert.equal(resampledMedians([[], []]), []);
});

test('every resampled median lies within the sample', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 4,
      }),
      (runs) => {
        const all = runs.flat();
        const { low, high } = interval95(resampledMedians(runs));
        assert.ok(low >= Math.min(...all) && high <= Math.max(...all) && low <= high);
      },
    ),
    { numRuns: 20 },
  );
});

test('times and counts with their units', () => {
  assert.is(duration(480), '480 ns');
  assert.is(duration(5020), '5.02 µs');
  assert.is(duration(999.9), '1.00 µs');
  assert.is(duration(1.3e6), '1.30 ms');
  assert.is(duration(2.41e9), '2.41 s');
  assert.is(duration(Number.NaN), '–');
  assert.is(amount(12), '12');
  assert.is(amount(1234), '1,234');
  assert.is(amount(45_600), '45.6 k');
  assert.is(amount(5.32e6), '5.32 M');
  assert.is(amount(1.2e9), '1.20 G');
});

test('a table lines its columns up', () => {
  const text = formatTable([
    ['name', 'n'],
    ['a', '10'],
    ['longer', '9'],
  ]);
  assert.is(text, 'name     n\n------  --\na       10\nlonger   9');
});

test('workloads are chosen by name, in the order of the table', () => {
  assert.equal(
    selectWorkloads(['sort', 'sieve']).map(({ name }) => name),
    ['sieve', 'sort'],
  );
  assert.throws(() => selectWorkloads(['sieve', 'nothing']), /no workload nothing\. There are: sieve, /);
});

test('resident bytes and guest RAM from /proc', () => {
  assert.is(parseResident('Name:\tnode\nVmRSS:\t   65432 kB\nThreads:\t11\n'), 65432 * 1024);
  assert.ok(Number.isNaN(parseResident('Name:\tkthreadd\n')));
  const size = 16 * 2 ** 20;
  const base = 0x7f0000000000;
  const hex = (n: number): string => n.toString(16);
  const map = (start: number, length: number, mode: string): string =>
    `${hex(start)}-${hex(start + length)} ${mode} 00000000 00:00 0 `;
  const maps = [
    map(0x10000, 2 ** 40, '---p'),
    map(base, GUEST_BASE + size, 'rw-p'),
    map(base + 2 ** 36, 4 * GUEST_BASE, 'rw-p'),
    map(base + 2 ** 38, 4096, 'rw-p'),
  ].join('\n');
  assert.equal(findGuestRam(maps, size), { start: base + GUEST_BASE, end: base + GUEST_BASE + size });
  assert.is(findGuestRam(maps, 2 ** 34), undefined);
});

test('pages that exist: present or swapped out', () => {
  const words = new Uint8Array(4 * 8);
  words[7] = 0x80;
  words[15] = 0x40;
  words[23] = 0x01;
  assert.is(countPresent(words), 2);
});

test.run();
