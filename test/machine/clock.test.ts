import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_EPOCH, InstructionClock, WallClock } from '../../src/machine/clock.js';
import { SliceSizer } from '../../src/machine/slice-sizer.js';

test('the wall clock starts at zero and never goes back', () => {
  let ns = 5000;
  const clock = new WallClock({ monotonic: () => ns, date: () => 42 });
  assert.is(clock.now(), 0);
  ns = 6500;
  assert.is(clock.now(), 1500);
  ns = 6000;
  assert.is(clock.now(), 1500);
  assert.is(clock.date(), 42);
  assert.is(clock.idleUntil(2500), 1000);
  assert.is(clock.idleUntil(100), 0);
});

test('the instruction clock counts work and jumps over idle time', () => {
  let count = 0;
  const clock = new InstructionClock(() => count, 2, DEFAULT_EPOCH);
  assert.is(clock.now(), 0);
  count = 100;
  assert.is(clock.now(), 200);
  assert.is(clock.instructionsUntil(301), 51);
  assert.is(clock.instructionsUntil(0), 1);
  assert.is(clock.idleUntil(1000), 0);
  assert.is(clock.now(), 1000);
  assert.is(clock.idleUntil(500), 0);
  assert.is(clock.now(), 1000, 'a deadline in the past moves nothing');
  count = 101;
  assert.is(clock.now(), 1002);
  assert.is(clock.date(), DEFAULT_EPOCH + 1002 / 1e6);
});

test('slices end at the deadline', () => {
  const sizer = new SliceSizer();
  assert.is(sizer.next(0, Infinity).nanoseconds, 1_500_000);
  assert.is(sizer.next(1000, 601_000).nanoseconds, 600_000);
  assert.ok(sizer.next(1000, 1001).nanoseconds > 0);
  const before = sizer.next(0, Infinity).instructions;
  sizer.learn(1_000_000, 1_000_000);
  assert.ok(sizer.next(0, Infinity).instructions > before, 'a fast guest gets more instructions');
});

test('slices of a guest that only computes grow, and are short again when it does something else', () => {
  const sizer = new SliceSizer();
  const length = (): number => sizer.next(0, Infinity).nanoseconds;
  const first = length();
  sizer.settle(true);
  const second = length();
  assert.ok(second > first);
  for (let i = 0; i < 10; i++) sizer.settle(true);
  const longest = length();
  assert.ok(longest >= second && longest <= 30_000_000, 'a key that is pressed must not wait for long');
  assert.is(sizer.next(1000, 601_000).nanoseconds, 600_000, 'a deadline ends it as before');
  sizer.settle(false);
  assert.is(length(), first);
});

test('slices under the instruction clock do not depend on the host', () => {
  const clock = new InstructionClock(() => 0);
  const sizer = new SliceSizer(clock);
  const first = sizer.next(0, Infinity);
  sizer.learn(10_000_000, 1_000_000);
  sizer.settle(true);
  assert.equal(sizer.next(0, Infinity), first);
  assert.is(sizer.next(0, 1234).instructions, 1234);
});

test.run();
