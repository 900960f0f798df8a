import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MarkError, MarkReader } from '../../bench/marks.js';

test('rounds are timed from the mark before', () => {
  const reader = new MarkReader();
  reader.feed('start\r\n', 100);
  reader.feed('round 0123abcd\r\n', 130);
  reader.feed('round 0123abcd\r\n', 150);
  assert.is(reader.started, 100);
  assert.equal(reader.rounds, [30, 20]);
  assert.is(reader.checksum, '0123abcd');
  assert.not(reader.together);
  reader.feed('round 0123abcd\r\nround 0123abcd\r\n', 200);
  assert.ok(reader.together);
});

test('however the text is cut, the marks are the same', () => {
  const text = 'start\nround 00000001\nround 00000001\n';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const reader = new MarkReader();
      const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
      edges.slice(1).forEach((end, i) => {
        reader.feed(text.slice(edges[i], end), end);
      });
      assert.is(reader.rounds.length, 2);
      assert.is(reader.checksum, '00000001');
    }),
  );
});

test('what no workload prints is refused', () => {
  const refused = (...pieces: string[]): void => {
    const reader = new MarkReader();
    assert.throws(
      () => {
        for (const piece of pieces) reader.feed(piece, 0);
      },
      (error: Error) => error instanceof MarkError,
    );
  };
  refused('hello\n');
  refused('round 00000001\n');
  refused('start\n', 'start\n');
  refused('start\n', 'round 00000001\n', 'round 00000002\n');
  refused('start\n', 'unstable 00000001\n');
  refused('start\n', 'round 1\n');
  refused('x'.repeat(10_000));
});

test.run();
