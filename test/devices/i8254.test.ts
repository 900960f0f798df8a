import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { I8254, MAX_LATE_TICKS, PIT_FREQUENCY, pulsesAt } from '../../src/devices/i8254.js';
import { Port61 } from '../../src/devices/port61.js';
import { checkDevice, checkRefusals, FakeClock, run, Wire } from './harness.js';
import { PulseByPulse } from './i8254-model.js';

const CONTROL = 3;
const PULSE = 1e9 / PIT_FREQUENCY;

function setup() {
  const clock = new FakeClock();
  const irq = new Wire();
  const pit = new I8254({ clock, irq });
  const port61 = new Port61(clock, pit.channel2);
  /** Control word and a two-byte count. */
  const program = (counter: number, mode: number, count: number, bcd = 0) => {
    pit.write(CONTROL, 1, (counter << 6) | 0x30 | (mode << 1) | bcd);
    load(counter, count);
  };
  const load = (counter: number, count: number) => {
    pit.write(counter, 1, count & 0xff);
    pit.write(counter, 1, count >> 8);
  };
  /** Reads by a latch command. */
  const count = (counter: number) => {
    pit.write(CONTROL, 1, counter << 6);
    return pit.read(counter, 1) | (pit.read(counter, 1) << 8);
  };
  const status = (counter: number) => {
    pit.write(CONTROL, 1, 0xe0 | (2 << counter));
    return pit.read(counter, 1);
  };
  const output = (counter: number) => (status(counter) & 0x80) !== 0;
  /** Goes to the middle of the clock pulse that is `n` pulses from now. */
  const pulses = (n: number) => {
    const target = pulsesAt(clock.time) + n;
    run(clock, pit, Math.ceil((target + 0.5) * PULSE - clock.time));
    assert.is(pulsesAt(clock.time), target);
  };
  return { clock, irq, pit, port61, program, load, count, status, output, pulses };
}

test('mode 0: OUT rises N + 1 pulses after the count was written, once; counting goes on', () => {
  const { irq, program, count, output, pulses } = setup();
  program(0, 0, 100);
  assert.not(output(0));
  pulses(1);
  assert.is(count(0), 100, 'loaded by the first pulse');
  pulses(60);
  assert.is(count(0), 40);
  pulses(39);
  assert.is(count(0), 1);
  assert.not(output(0));
  assert.not(irq.level);
  pulses(1);
  assert.ok(output(0));
  assert.ok(irq.level);
  pulses(1);
  assert.is(count(0), 0xffff);
  pulses(65536 * 3);
  assert.is(irq.rises, 1);
});

test('mode 0: a new count starts over with OUT low, from its first byte on', () => {
  const { irq, pit, program, pulses, output } = setup();
  program(0, 0, 10);
  pulses(20);
  assert.ok(irq.level);
  pit.write(0, 1, 10);
  assert.not(output(0));
  assert.not(irq.level);
  pulses(20);
  assert.not(output(0), 'the first byte alone does not count');
  pit.write(0, 1, 0);
  pulses(10);
  assert.not(output(0));
  pulses(1);
  assert.ok(output(0));
  assert.is(irq.rises, 2);
});

test('mode 2: one low pulse in N; the count never reads 0', () => {
  const { program, count, output, pulses } = setup();
  program(0, 2, 4);
  pulses(1);
  const seen: [number, boolean][] = [];
  for (let i = 0; i < 8; i++) {
    seen.push([count(0), output(0)]);
    pulses(1);
  }
  const cycle = [
    [4, true],
    [3, true],
    [2, true],
    [1, false],
  ];
  assert.equal(seen, [...cycle, ...cycle]);
});

test('mode 2 on channel 0: 100 periods give 100 interrupts', () => {
  const { clock, irq, pit, program } = setup();
  program(0, 2, 11932);
  const before = irq.rises;
  run(clock, pit, (11932 * 100 + 2) * PULSE);
  assert.is(irq.rises - before, 100);
});

test('mode 2: a new count waits for the end of the cycle', () => {
  const { program, load, count, status, pulses } = setup();
  program(1, 2, 100);
  pulses(31);
  assert.is(count(1), 70);
  assert.is(status(1) & 0x40, 0);
  load(1, 50);
  assert.is(status(1) & 0x40, 0x40, 'null count: not loaded yet');
  pulses(69);
  assert.is(count(1), 1);
  pulses(1);
  assert.is(count(1), 50);
  assert.is(status(1) & 0x40, 0);
  pulses(50);
  assert.is(count(1), 50);
});

test('mode 3: square wave, counted down by two; an odd count is high one pulse longer', () => {
  for (const [n, expected] of [
    [
      6,
      [
        [6, true],
        [4, true],
        [2, true],
        [6, false],
        [4, false],
        [2, false],
        [6, true],
      ],
    ],
    [
      5,
      [
        [4, true],
        [2, true],
        [0, true],
        [4, false],
        [2, false],
        [4, true],
      ],
    ],
  ] as const) {
    const { program, count, output, pulses } = setup();
    program(1, 3, n);
    pulses(1);
    const seen = expected.map(() => {
      const now = [count(1), output(1)];
      pulses(1);
      return now;
    });
    assert.equal(seen, expected);
  }
});

test('mode 3: a new count takes effect at the half cycle', () => {
  const { program, load, count, output, pulses } = setup();
  program(1, 3, 100);
  pulses(1 + 20);
  load(1, 10);
  pulses(30);
  assert.not(output(1), 'the old high half has ended');
  assert.is(count(1), 10);
  pulses(5);
  assert.ok(output(1), 'the new low half too');
});

test('mode 3 on channel 0: one interrupt per period', () => {
  const { clock, irq, pit, program } = setup();
  program(0, 3, 0);
  const before = irq.rises;
  run(clock, pit, 1e9);
  assert.is(irq.rises - before, 18, '18.2 Hz');
});

test('mode 4: a strobe one pulse wide, N + 1 pulses after the write', () => {
  const { irq, program, output, pulses } = setup();
  program(0, 4, 10);
  assert.ok(output(0));
  const before = irq.rises;
  pulses(10);
  assert.ok(output(0));
  pulses(1);
  assert.not(output(0));
  pulses(1);
  assert.ok(output(0));
  assert.is(irq.rises, before + 1);
});

test('modes 1 and 5 wait for the gate', () => {
  const { port61, program, output, pulses, count } = setup();
  program(2, 1, 10);
  pulses(50);
  assert.ok(output(2));
  port61.write(0, 1, 1);
  pulses(1);
  assert.not(output(2));
  assert.is(count(2), 10);
  pulses(5);
  port61.write(0, 1, 0);
  port61.write(0, 1, 1);
  pulses(10);
  assert.not(output(2), 'triggered again');
  pulses(1);
  assert.ok(output(2));

  port61.write(0, 1, 0);
  program(2, 5, 10);
  pulses(30);
  port61.write(0, 1, 1);
  pulses(10);
  assert.ok(output(2));
  pulses(1);
  assert.not(output(2));
  pulses(1);
  assert.ok(output(2));
});

test('the calibration loop of a kernel: channel 2 in mode 0, gate and output through port 0x61', () => {
  const { clock, port61, program } = setup();
  port61.write(0, 1, (port61.read(0, 1) & ~2) | 1);
  program(2, 0, 11932);
  const start = clock.time;
  while (!(port61.read(0, 1) & 0x20)) clock.time += 1000;
  const elapsed = clock.time - start;
  assert.ok(Math.abs(elapsed - 10e6) < 4000, `10 ms, measured ${elapsed / 1e6} ms`);
});

test('a low gate stops the counting in mode 0 and holds OUT high in mode 3', () => {
  const { port61, program, count, output, pulses } = setup();
  port61.write(0, 1, 1);
  program(2, 0, 100);
  pulses(11);
  port61.write(0, 1, 0);
  pulses(500);
  assert.is(count(2), 90);
  port61.write(0, 1, 1);
  pulses(10);
  assert.is(count(2), 80);
  program(2, 3, 100);
  pulses(61);
  assert.not(output(2));
  port61.write(0, 1, 0);
  assert.ok(output(2));
  port61.write(0, 1, 1);
  pulses(1);
  assert.is(count(2), 100, 'the rising gate reloads');
});

test('latch holds the count until it is read; a second latch changes nothing', () => {
  const { pit, program, pulses } = setup();
  program(1, 2, 1000);
  pulses(101);
  pit.write(CONTROL, 1, 0x40);
  pulses(50);
  pit.write(CONTROL, 1, 0x40);
  assert.is(pit.read(1, 1) | (pit.read(1, 1) << 8), 900);
  assert.is(pit.read(1, 1) | (pit.read(1, 1) << 8), 850, 'then live');
});

test('low-byte-only and high-byte-only access', () => {
  const { pit, pulses } = setup();
  pit.write(CONTROL, 1, 0x54);
  pit.write(1, 1, 18);
  pulses(1);
  assert.is(pit.read(1, 1), 18);
  assert.is(pit.read(1, 1), 18);
  pit.write(CONTROL, 1, 0x64);
  pit.write(1, 1, 0x12);
  pulses(1);
  assert.is(pit.read(1, 1), 0x12);
  pulses(1);
  assert.is(pit.read(1, 1), 0x11);
});

test('read-back: status first, then count, of several counters at once', () => {
  const { pit, program, pulses } = setup();
  program(0, 2, 500);
  program(1, 3, 1000, 0);
  pulses(11);
  pit.write(CONTROL, 1, 0xc0 | 0x06);
  pulses(5);
  assert.is(pit.read(0, 1), 0x80 | 0x34);
  assert.is(pit.read(0, 1) | (pit.read(0, 1) << 8), 490);
  assert.is(pit.read(1, 1), 0x80 | 0x36);
  assert.is(pit.read(1, 1) | (pit.read(1, 1) << 8), 980);
});

test('BCD counts', () => {
  const { program, count, pulses } = setup();
  program(1, 2, 0x1234, 1);
  pulses(1 + 35);
  assert.is(count(1), 0x1199);
  program(1, 2, 0, 1);
  pulses(2);
  assert.is(count(1), 0x9999, 'zero means 10000');
});

test('port 0x61: the refresh bit toggles every 15 µs, the low four bits are kept', () => {
  const { clock, port61 } = setup();
  let toggles = 0;
  let last = port61.read(0, 1) & 0x10;
  for (let i = 0; i < 1000; i++) {
    clock.time += 1000;
    const bit = port61.read(0, 1) & 0x10;
    if (bit !== last) toggles++;
    last = bit;
  }
  assert.is(toggles, 66, 'in a millisecond');
  port61.write(0, 1, 0xff);
  assert.is(port61.read(0, 1) & 0xcf, 0x0f);
  assert.type(port61.speaker, 'boolean');
});

test('late ticks are made up for, at most MAX_LATE_TICKS of them, between the regular ones', () => {
  const { clock, irq, pit, program } = setup();
  program(0, 2, 1193);
  run(clock, pit, 2e6);
  const before = irq.rises;
  clock.time += 10e6;
  run(clock, pit, 20e6);
  assert.ok(Math.abs(irq.rises - before - 30) <= 1, `30 ms: ${irq.rises - before} ticks`);
  run(clock, pit, 100e6);
  const rested = irq.rises;
  clock.time += 3600e9;
  run(clock, pit, 200e6);
  const made = irq.rises - rested - 200;
  assert.ok(made > MAX_LATE_TICKS - 3 && made <= MAX_LATE_TICKS + 2, `${made} late ticks`);
});

test('the fastest programming does not make more than 50,000 interrupts a second', () => {
  const { clock, irq, pit, program } = setup();
  program(0, 2, 2);
  run(clock, pit, 10e6);
  assert.ok(irq.rises > 400 && irq.rises <= 501, `${irq.rises} in 10 ms`);
});

test('time that has gone on for months is still exact', () => {
  const { clock, pit, irq, program, count, pulses } = setup();
  clock.time = 200 * 86400e9 + 0.25;
  program(0, 2, 1000);
  pulses(101);
  assert.is(count(0), 900);
  const before = irq.rises;
  run(clock, pit, 1e9);
  assert.ok(Math.abs(irq.rises - before - 1193) <= 1);
});

test('property: the computed counter agrees with one that counts pulse by pulse', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('pulses' as const), n: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('pulses' as const), n: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('count' as const), n: fc.integer({ min: 2, max: 9 }) }),
    fc.record({ kind: fc.constant('gate' as const), n: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.nat(5), fc.array(step, { maxLength: 25 }), (mode, steps) => {
      const { pit, port61, load, count, output, pulses } = setup();
      const model = new PulseByPulse();
      port61.write(0, 1, 1);
      pit.write(CONTROL, 1, 0xb0 | (mode << 1));
      model.control(mode);
      for (const { kind, n } of steps) {
        if (kind === 'count') {
          load(2, n);
          model.write(n);
        } else if (kind === 'gate') {
          port61.write(0, 1, n);
          model.setGate(n === 1);
        } else {
          for (let i = 0; i < n; i++) {
            pulses(1);
            model.pulse();
            assert.is(output(2), model.out, 'OUT');
            if (model.settled) assert.is(count(2), model.element, 'count');
          }
        }
        assert.is(output(2), model.out, `OUT after ${kind}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test('the control register cannot be read', () => assert.is(setup().pit.read(CONTROL, 1), 0xff));

test('refuses a damaged state', () => {
  checkRefusals(setup().pit);
  checkRefusals(setup().port61);
});

test('property', () => {
  checkDevice((clock) => {
    const irq = new Wire();
    const pit = new I8254({ clock, irq });
    return { faces: [pit], stateful: pit, timed: pit, observe: () => [irq.level, pit.channel2.output] };
  }, 400);
});

test('property with port 0x61', () => {
  checkDevice((clock) => {
    const irq = new Wire();
    const pit = new I8254({ clock, irq });
    const port = new Port61(clock, pit.channel2);
    const stateful = {
      saveState: () => ({ version: 1, pit: pit.saveState(), port: port.saveState() }),
      loadState: (state: Record<string, unknown>) => {
        pit.loadState(state['pit'] as ReturnType<I8254['saveState']>);
        port.loadState(state['port'] as ReturnType<Port61['saveState']>);
      },
    };
    return { faces: [pit, port, port], stateful, timed: pit, observe: () => [irq.level, port.speaker] };
  }, 400);
});

test.run();
