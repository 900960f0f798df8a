import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Mc146818 } from '../../src/devices/mc146818.js';
import { checkDevice, checkRefusals, FakeClock, run, Wire } from './harness.js';

const MIB = 1024 * 1024;

function setup(date = Date.UTC(2024, 1, 28, 23, 59, 50), memoryBelow4G = 128 * MIB, memoryAbove4G = 0) {
  const clock = new FakeClock(0, date);
  const irq = new Wire();
  const masks: boolean[] = [];
  const rtc = new Mc146818({
    clock,
    irq,
    cmos: { memoryBelow4G, memoryAbove4G, bytes: { 61: 0x02 } },
    onNmiMask: (masked) => masks.push(masked),
  });
  const read = (index: number) => {
    rtc.write(0, 1, index);
    return rtc.read(1, 1);
  };
  const write = (index: number, value: number) => {
    rtc.write(0, 1, index);
    rtc.write(1, 1, value);
  };
  /** Hours, minutes, seconds. */
  const time = () => [read(4), read(2), read(0)];
  /** Century, year, month, day, day of week. */
  const date_ = () => [read(0x32), read(9), read(8), read(7), read(6)];
  return { clock, irq, rtc, masks, read, write, time, date: date_ };
}

test('tells the time in BCD, 24 hours', () => {
  const { clock, time, date } = setup();
  assert.equal(time(), [0x23, 0x59, 0x50]);
  assert.equal(date(), [0x20, 0x24, 0x02, 0x28, 4], 'a Wednesday');
  clock.time = 10e9;
  assert.equal(time(), [0, 0, 0]);
  assert.equal(date(), [0x20, 0x24, 0x02, 0x29, 5], 'leap day');
});

test('binary and 12-hour modes', () => {
  const { clock, write, time } = setup();
  write(0x0b, 0x06);
  assert.equal(time(), [23, 59, 50]);
  write(0x0b, 0x04);
  assert.equal(time(), [0x80 | 11, 59, 50]);
  clock.time = 10e9;
  assert.equal(time(), [12, 0, 0], 'midnight is 12 AM');
  clock.time += 12 * 3600e9;
  assert.equal(time(), [0x80 | 12, 0, 0], 'noon is 12 PM');
  write(0x0b, 0x00);
  assert.equal(time(), [0x92, 0, 0]);
});

test('setting the time with SET: registers stand still, then the new time runs', () => {
  const { clock, read, write, time, date } = setup();
  write(0x0b, 0x82);
  clock.time = 5e9;
  assert.equal(time(), [0x23, 0x59, 0x50], 'frozen');
  assert.is(read(0x0a) & 0x80, 0, 'no update in progress');
  for (const [index, value] of [
    [0, 0x58],
    [2, 0x59],
    [4, 0x23],
    [7, 0x31],
    [8, 0x12],
    [9, 0x99],
    [0x32, 0x19],
  ]) {
    write(index, value);
  }
  write(0x0b, 0x02);
  assert.equal(time(), [0x23, 0x59, 0x58]);
  clock.time = 7.5e9;
  assert.equal(time(), [0, 0, 0]);
  assert.equal(date(), [0x20, 0x00, 0x01, 0x01, 7], 'Saturday, 1 January 2000');
});

test('setting the time as Linux does, with the divider in reset: the first update comes half a second later', () => {
  const { clock, write, time } = setup();
  write(0x0b, 0x82);
  write(0x0a, 0x76);
  write(0, 0x10);
  write(0x0b, 0x02);
  clock.time = 3e9;
  assert.equal(time(), [0x23, 0x59, 0x10]);
  write(0x0a, 0x26);
  clock.time = 3.49e9;
  assert.equal(time(), [0x23, 0x59, 0x10]);
  clock.time = 3.51e9;
  assert.equal(time(), [0x23, 0x59, 0x11]);
});

test('a time register written without SET takes effect at once', () => {
  const { clock, write, time } = setup();
  write(4, 0x07);
  clock.time = 1e9;
  assert.equal(time(), [0x07, 0x59, 0x51]);
});

test('UIP is up for the last two milliseconds of each second', () => {
  const { clock, read, write } = setup();
  write(0x0a, 0xa6);
  clock.time = 0.9e9;
  assert.is(read(0x0a), 0x26, 'it cannot be written');
  clock.time = 0.999e9;
  assert.is(read(0x0a), 0xa6);
  clock.time = 1e9;
  assert.is(read(0x0a), 0x26);
  assert.is(read(0x0d), 0x80, 'the battery is good');
});

test('update-ended interrupt: once a second, cleared by reading C', () => {
  const { clock, rtc, irq, read, write } = setup();
  write(0x0b, 0x12);
  run(clock, rtc, 1.5e9);
  assert.ok(irq.level);
  assert.is(read(0x0c), 0x90 | 0x40, 'with the flags of interrupts that are not enabled');
  assert.not(irq.level);
  assert.is(read(0x0c), 0);
  run(clock, rtc, 1e9);
  assert.is(irq.rises, 2);
  write(0x0b, 0x92);
  assert.is(read(0x0b), 0x82, 'SET clears UIE');
});

test('flags are there for a guest that polls with all interrupts off', () => {
  const { clock, rtc, irq, read } = setup();
  clock.time = 1.5e9;
  assert.is(rtc.deadline(), Infinity);
  assert.is(read(0x0c), 0x50);
  assert.not(irq.level);
});

test('periodic interrupt at the programmed rate', () => {
  for (const [rate, hertz] of [
    [6, 1024],
    [15, 2],
    [1, 256],
    [2, 128],
    [3, 8192],
  ]) {
    const { clock, rtc, irq, read, write } = setup();
    write(0x0a, 0x20 | rate);
    write(0x0b, 0x42);
    let count = 0;
    while (clock.time < 1e9) {
      const deadline = rtc.deadline();
      if (deadline > 1e9) break;
      clock.time = deadline;
      rtc.advance(clock.time);
      assert.ok(irq.level);
      assert.is(read(0x0c) & 0xc0, 0xc0);
      count++;
    }
    assert.ok(Math.abs(count - hertz) <= 1, `rate ${rate}: ${count} Hz`);
  }
});

test('an interrupt that is not acknowledged costs nothing', () => {
  const { clock, rtc, irq, write } = setup();
  write(0x0a, 0x23);
  write(0x0b, 0x72);
  run(clock, rtc, 5e9);
  assert.is(irq.rises, 1);
  assert.is(rtc.deadline(), Infinity);
});

test('alarm at a time of day, and with "any" bytes', () => {
  const { clock, rtc, irq, read, write } = setup();
  write(1, 0x05);
  write(3, 0x00);
  write(5, 0x00);
  write(0x0b, 0x22);
  run(clock, rtc, 14.5e9);
  assert.not(irq.level);
  run(clock, rtc, 1e9);
  assert.ok(irq.level);
  assert.is(read(0x0c) & 0xa0, 0xa0);
  write(3, 0xff);
  write(5, 0xc0);
  run(clock, rtc, 130e9);
  assert.is(irq.rises, 2);
  assert.is(read(0x0c) & 0x20, 0x20);
});

test('an alarm that passed during a long absence is noticed', () => {
  const { clock, read, write } = setup();
  write(1, 0x00);
  write(3, 0x30);
  write(5, 0x12);
  read(0x0c);
  clock.time = 11 * 3600e9;
  assert.is(read(0x0c) & 0x20, 0);
  clock.time = 400 * 86400e9;
  assert.is(read(0x0c) & 0x20, 0x20);
});

test('memory sizes', () => {
  const word = (read: (index: number) => number, low: number) => read(low) | (read(low + 1) << 8);
  const small = setup(0, 128 * MIB).read;
  assert.is(word(small, 0x15), 640);
  assert.is(word(small, 0x17), 0xffff);
  assert.is(word(small, 0x30), 0xffff);
  assert.is(word(small, 0x34), (112 * MIB) / 65536);
  assert.is(small(0x5b) | small(0x5c) | small(0x5d), 0);
  const tiny = setup(0, 8 * MIB).read;
  assert.is(word(tiny, 0x17), 7 * 1024);
  assert.is(word(tiny, 0x34), 0);
  const large = setup(0, 3072 * MIB, 2 ** 36).read;
  assert.is(word(large, 0x34), 3056 * 16);
  assert.is(large(0x5b) | (large(0x5c) << 8) | (large(0x5d) << 16), 2 ** 20);
});

test('equipment, checksum, and plain RAM', () => {
  const { read, write } = setup();
  assert.is(read(0x14), 0x02);
  assert.is(read(0x3d), 0x02, 'a byte that the board gave');
  let sum = 0;
  for (let i = 0x10; i <= 0x2d; i++) sum += read(i);
  assert.is((read(0x2e) << 8) | read(0x2f), sum);
  write(0x0f, 0x0a);
  write(0x7f, 0x55);
  assert.is(read(0x0f), 0x0a);
  assert.is(read(0x7f), 0x55);
});

test('bit 7 of port 0x70 masks NMIs and is no part of the index', () => {
  const { rtc, masks, read } = setup();
  assert.is(read(0x14), read(0x80 | 0x14));
  assert.ok(rtc.nmiMasked);
  read(0x14);
  assert.not(rtc.nmiMasked);
  assert.equal(masks, [true, false]);
  assert.is(rtc.read(0, 1), 0xff, 'the index cannot be read');
});

test('any nonsense in the time registers is survived', () => {
  const { clock, read, write } = setup();
  for (const mode of [0x82, 0x86, 0x80, 0x84]) {
    write(0x0b, mode);
    for (const index of [0, 2, 4, 6, 7, 8, 9, 0x32]) write(index, 0xff);
    write(0x0b, mode & 0x7f);
    clock.time += 1e9;
    for (let index = 0; index < 0x80; index++) assert.ok(read(index) <= 0xff);
  }
});

test('refuses a damaged state', () => checkRefusals(setup().rtc));

test('property', () => {
  checkDevice((clock) => {
    const irq = new Wire();
    const rtc = new Mc146818({ clock, irq, cmos: { memoryBelow4G: 64 * MIB } });
    return {
      faces: [rtc],
      stateful: rtc,
      timed: rtc,
      // Register accesses that hit something more often than random ones.
      inputs: [
        (n) => rtc.write(0, 1, n % 14),
        (n) => {
          rtc.write(0, 1, 10 + (n & 1));
          rtc.write(1, 1, n >> 1);
        },
      ],
      observe: () => [irq.level, rtc.nmiMasked],
    };
  }, 300);
});

test.run();
