// The page: whole, self-contained, and safe against what is in the data.

import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyse } from '../../bench/analysis.js';
import { toHtml } from '../../bench/export-html.js';
import { barChart, dataTable, escapeHtml, lineChart, page, section } from '../../bench/html/index.js';
import { linearScale, logScale, tickText } from '../../bench/html/scale.js';
import { sampleData } from './sample-data.js';

/** Names of opened and not closed elements; throws for a wrong order. */
function unclosed(html: string): readonly string[] {
  const open: string[] = [];
  for (const [, close, name, , empty] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/g)) {
    if (close) assert.is(open.pop(), name);
    else if (!empty && name !== 'meta') open.push(name);
  }
  return open;
}

test('every element is closed, nothing is loaded', () => {
  const html = toHtml(analyse(sampleData()));
  assert.equal(unclosed(html.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, '')), []);
  assert.not.match(html, /<script|<link|<img|src=|href=|url\(|@import|https?:/);
  assert.match(html, /prefers-color-scheme:dark/);
  assert.match(html, /@media print/);
  assert.match(html, /width=device-width/);
  assert.not.match(html, /NaN|undefined|Infinity/);
});

test('the page has the numbers of the tables', () => {
  const html = toHtml(analyse(sampleData()));
  assert.match(html, /1,000 port accesses at 5\.00 µs are all of the time/);
  assert.match(html, /absent: tcg/);
  assert.match(html, /SHA &lt;256&gt;/);
  assert.not.match(html, /SHA <256>/);
  assert.match(html, /checksum 00000000, expected 2/);
});

test('a report of nothing is a page', () => {
  const html = toHtml(analyse(sampleData({ engines: [], cells: [], workloads: [], failures: [], curves: [] })));
  assert.match(html, /<\/html>/);
  assert.not.match(html, /NaN|undefined|Infinity/);
});

test('text stays text', () => {
  assert.is(escapeHtml(`<a b="c">'&`), '&lt;a b=&quot;c&quot;&gt;&#39;&amp;');
  fc.assert(
    fc.property(fc.string(), (text) => {
      const html = page({
        title: text,
        facts: [text],
        sections: [
          section(
            text,
            barChart({ title: text, bars: [{ label: text, value: 1, text, note: text }], axis: text }),
            lineChart({ title: text, xAxis: text, yAxis: text, series: [{ label: text, points: [[1, 1]] }] }),
            dataTable({ title: text, columns: [{ head: text }], rows: [[text]] }),
          ),
        ],
      });
      assert.equal(unclosed(html.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, '')), []);
    }),
  );
});

test('whatever the numbers are, positions are percentages', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(0, -1, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY));
  fc.assert(
    fc.property(
      fc.array(number, { maxLength: 6 }),
      fc.constantFrom('log', 'linear') as fc.Arbitrary<'log' | 'linear'>,
      (values, scale) => {
        const bars = values.map((value) => ({ label: 'x', value, low: value, high: value, text: 'x' }));
        const series = [{ label: 'x', points: values.map((value): [number, number] => [value, value]) }];
        const html =
          barChart({ bars, scale }) + lineChart({ xAxis: '', yAxis: '', series, xScale: scale, yScale: scale });
        assert.not.match(html, /NaN|undefined|Infinity/);
        for (const [, x] of html.matchAll(/ x[12]?="(-?[\d.e+-]+)%"/g)) assert.ok(Number(x) >= 0 && Number(x) <= 100);
      },
    ),
    { numRuns: 200 },
  );
});

test('axes are marked at round numbers that enclose the data', () => {
  assert.equal(
    logScale([1, 73]).ticks.map(({ text }) => text),
    ['1', '2', '5', '10', '20', '50', '100'],
  );
  assert.equal(
    logScale([0.9, 4000]).ticks.map(({ text }) => text),
    ['1', '10', '100', '1000'],
  );
  assert.is(logScale([1, 100]).position(10), 50);
  assert.is(logScale([1, 100]).position(0), 0);
  assert.equal(
    linearScale([3, 97]).ticks.map(({ text }) => text),
    ['0', '20', '40', '60', '80', '100'],
  );
  assert.is(linearScale([100]).position(25), 25);
  assert.is(tickText(0.5), '0.5');
  assert.is(tickText(20_000), '20k');
  assert.is(tickText(4e6), '4M');
});

test('bars begin at the base and point to either side', () => {
  const html = barChart({
    bars: [
      { label: 'a', value: 0.5, text: '' },
      { label: 'b', value: 2, text: '' },
    ],
    scale: 'log',
    reach: [0.1, 10],
  });
  const boxes = [...html.matchAll(/<rect x="([\d.]+)%" width="([\d.]+)%"/g)].map(([, x, width]) => [
    Number(x),
    Number(width),
  ]);
  assert.is(boxes[1][0], 50);
  assert.ok(Math.abs(boxes[0][0] + boxes[0][1] - 50) < 0.02);
});

test.run();
