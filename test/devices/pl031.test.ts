// PL031 real-time clock against DDI 0224.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pl031 } from '../../src/devices/pl031.js';
import { FakeClock, run } from './harness.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestLine } from './random-access.js';

const START = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;

function make() {
  const clock = new FakeClock(0, START * 1000 + 250);
  const irq = new TestLine();
  const rtc = new Pl031({ clock, irq });
  return {
    clock,
    irq,
    rtc,
    write: (at: number, v: number) => rtc.write(at, 4, v),
    read: (at: number) => rtc.read(at, 4),
  };
}

test('counts the seconds of the date, and from what LR sets', () => {
  const { clock, write, read } = make();
  assert.is(read(0), START);
  clock.time = 749e6;
  assert.is(read(0), START);
  clock.time = 750e6;
  assert.is(read(0), START + 1);
  write(8, 1000);
  assert.is(read(0), 1000);
  clock.time += 5e9;
  assert.is(read(0), 1005);
  assert.is(read(8), 1000);
  assert.is(read(0xc), 1, 'always on');
});

test('the alarm interrupts when the counter shows MR', () => {
  const { clock, irq, rtc, write, read } = make();
  write(0x10, 1);
  write(4, START + 3);
  assert.is(rtc.deadline(), 2750e6, '250 ms of the first second have passed');
  run(clock, rtc, 2749e6);
  assert.is(irq.level, false);
  run(clock, rtc, 1e6);
  assert.is(irq.level, true);
  assert.equal([read(0x14), read(0x18)], [1, 1]);
  assert.is(rtc.deadline(), Infinity);
  write(0x1c, 1);
  assert.is(irq.level, false);
  assert.is(read(0x14), 0);
});

test('a masked alarm is seen in RIS', () => {
  const { clock, irq, rtc, write, read } = make();
  write(4, START + 1);
  assert.is(rtc.deadline(), Infinity);
  clock.time = 1e9;
  assert.equal([read(0x14), read(0x18)], [1, 0]);
  write(0x10, 1);
  assert.is(irq.level, true);
});

const plan: Plan = {
  make: (clock) => {
    const irq = new TestLine();
    const dated = { now: () => clock.now(), date: () => START * 1000 + clock.now() / 1e6 };
    const rtc = new Pl031({ clock: dated, irq });
    return { device: rtc, faces: [rtc], timed: rtc, outputs: () => [irq.level, rtc.deadline()] };
  },
  offsets: [[0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0xfe0]],
  values: [0, 1, START, START + 2, START + 100, 0xffffffff],
};

test('any access, and states that travel', () => {
  checkRandomAccess(plan);
  checkDamagedStates(plan);
});

test.run();
