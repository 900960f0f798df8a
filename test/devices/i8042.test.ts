import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { A20Gate } from '../../src/devices/a20.js';
import { I8042 } from '../../src/devices/i8042.js';
import { keystrokeOf, ScancodeTranslator } from '../../src/devices/scancodes.js';
import { checkDevice, checkRefusals, FakeClock, run, Wire } from './harness.js';

function setup() {
  const clock = new FakeClock();
  const irq1 = new Wire();
  const irq12 = new Wire();
  const a20 = new A20Gate(() => undefined);
  const events = { resets: 0 };
  const kbc = new I8042({ clock, keyboardIrq: irq1, auxIrq: irq12, a20, onReset: () => events.resets++ });
  const status = () => kbc.command.read(0, 1);
  const data = () => kbc.data.read(0, 1);
  const command = (value: number) => kbc.command.write(0, 1, value);
  const write = (value: number) => kbc.data.write(0, 1, value);
  /** Everything that comes, with the time that it takes. */
  const drain = () => {
    const bytes = [];
    for (let i = 0; i < 10_000; i++) {
      if (status() & 1) bytes.push(data());
      else if (kbc.deadline() === Infinity) return bytes;
      else run(clock, kbc, kbc.deadline() - clock.time);
    }
    throw new Error('it never ends');
  };
  return { clock, irq1, irq12, a20, events, kbc, status, data, command, write, drain };
}

test('self tests and command byte', () => {
  const { status, data, command, write } = setup();
  assert.is(status(), 0x14, 'system flag, lock open, nothing to read');
  command(0xaa);
  assert.is(status(), 0x1d, 'output buffer full, last write was a command');
  assert.is(data(), 0x55);
  assert.is(status(), 0x1c);
  command(0xab);
  assert.is(data(), 0x00);
  command(0xa9);
  assert.is(data(), 0x00);
  command(0x20);
  assert.is(data(), 0x65);
  command(0x60);
  write(0x47);
  command(0x20);
  assert.is(data(), 0x47);
  assert.is(status() & 0x08, 0x08);
  command(0x7f);
  write(0xab);
  command(0x3f);
  assert.is(data(), 0xab, 'the RAM has 32 bytes');
});

test('interface switches are bits of the command byte', () => {
  const { data, command } = setup();
  const byte = () => {
    command(0x20);
    return data();
  };
  command(0xad);
  assert.is(byte() & 0x10, 0x10);
  command(0xae);
  assert.is(byte() & 0x10, 0);
  command(0xa8);
  assert.is(byte() & 0x20, 0);
  command(0xa7);
  assert.is(byte() & 0x20, 0x20);
});

test('a key arrives as set 1 with an interrupt for each byte', () => {
  const { kbc, irq1, clock, status, data } = setup();
  kbc.key([0x1c, 0xf0, 0x1c]);
  assert.ok(irq1.level);
  assert.is(status() & 0x21, 0x01);
  assert.is(data(), 0x1e);
  assert.not(irq1.level);
  assert.is(status() & 1, 0, 'the next byte is still on the cable');
  assert.is(data(), 0x1e, 'reading again gives the same');
  run(clock, kbc, 1e6);
  assert.ok(irq1.level);
  assert.is(irq1.rises, 2);
  assert.is(data(), 0x9e, 'release');
});

test('a guest that polls sees the next byte without anybody calling advance', () => {
  const { kbc, clock, status, data } = setup();
  kbc.key([0x1c, 0x32]);
  data();
  assert.is(status() & 1, 0);
  clock.time += 1e6;
  assert.is(status() & 1, 1);
  assert.is(data(), 0x30);
});

test('without translation the guest gets set 2; extended keys keep their prefix', () => {
  const { kbc, command, write, drain } = setup();
  kbc.key([0xe0, 0x75, 0xe0, 0xf0, 0x75]);
  assert.equal(drain(), [0xe0, 0x48, 0xe0, 0xc8]);
  command(0x60);
  write(0x05);
  kbc.key([0xe0, 0x75, 0xe0, 0xf0, 0x75]);
  assert.equal(drain(), [0xe0, 0x75, 0xe0, 0xf0, 0x75]);
});

test('the keyboard itself can send set 1', () => {
  const { kbc, command, write, drain } = setup();
  command(0x60);
  write(0x05);
  write(0xf0);
  write(0x01);
  assert.equal(drain(), [0xfa, 0xfa]);
  kbc.key([0x1c, 0xf0, 0x1c]);
  assert.equal(drain(), [0x1e, 0x9e]);
  write(0xf0);
  write(0x00);
  assert.equal(drain(), [0xfa, 0xfa, 0x01]);
  write(0xf0);
  write(0x03);
  assert.equal(drain(), [0xfa, 0xfe], 'set 3 is not offered');
});

test('keyboard commands', () => {
  const { kbc, write, drain } = setup();
  const ask = (...bytes: number[]) => {
    for (const byte of bytes) write(byte);
    return drain();
  };
  assert.equal(ask(0xff), [0xfa, 0xaa], 'reset and self test');
  assert.equal(ask(0xee), [0xee], 'echo');
  assert.equal(ask(0xf2), [0xfa, 0xab, 0x41], 'identity, the last byte translated');
  assert.equal(ask(0xed, 0x07), [0xfa, 0xfa]);
  assert.is(kbc.keyboard.leds, 7);
  assert.equal(ask(0xf3, 0x20), [0xfa, 0xfa]);
  assert.equal(ask(0xed, 0xf4), [0xfa, 0xfa], 'a command in place of the option');
  assert.is(kbc.keyboard.leds, 7);
  assert.equal(ask(0xf6), [0xfa]);
  assert.equal(ask(0xfe), [0xfa], 'resend');
  assert.equal(ask(0x00), [0xfe], 'unknown');
});

test('the interrupt line falls between two answers', () => {
  const { irq1, write, data } = setup();
  write(0xff);
  assert.is(data(), 0xfa);
  assert.ok(irq1.level);
  assert.is(irq1.rises, 2);
  assert.is(data(), 0xaa);
  assert.not(irq1.level);
});

test('scanning off: keys are not taken', () => {
  const { kbc, write, drain } = setup();
  write(0xf5);
  assert.equal(drain(), [0xfa]);
  assert.not(kbc.key([0x1c]));
  write(0xf4);
  assert.equal(drain(), [0xfa]);
  assert.ok(kbc.key([0x1c]));
  assert.equal(drain(), [0x1e]);
});

test('a disabled interface holds keys back; writing to the keyboard enables it', () => {
  const { kbc, command, write, status, drain } = setup();
  command(0xad);
  kbc.key([0x1c]);
  assert.is(status() & 1, 0);
  assert.is(kbc.deadline(), Infinity);
  command(0xae);
  assert.equal(drain(), [0x1e]);
  command(0xad);
  write(0xee);
  assert.equal(drain(), [0xee]);
});

test('interrupts only if the command byte says so', () => {
  const { kbc, irq1, command, write } = setup();
  command(0x60);
  write(0x44);
  kbc.key([0x1c]);
  assert.not(irq1.level);
  command(0x60);
  write(0x45);
  assert.ok(irq1.level);
});

test('auxiliary port: loop works, the mouse that is not there times out', () => {
  const { irq1, irq12, status, data, command, write } = setup();
  command(0x60);
  write(0x47);
  command(0xd3);
  write(0xa5);
  assert.is(status() & 0x61, 0x21);
  assert.ok(irq12.level);
  assert.not(irq1.level);
  assert.is(data(), 0xa5);
  assert.not(irq12.level);
  command(0xd4);
  write(0xff);
  assert.is(status() & 0x61, 0x61, 'time-out');
  assert.is(data(), 0xfe);
  command(0xd2);
  write(0x5a);
  assert.is(status() & 0x61, 0x01);
  assert.ok(irq1.level);
  assert.is(data(), 0x5a);
});

test('output port: A20 and reset', () => {
  const { a20, events, command, write, data } = setup();
  command(0xd0);
  assert.is(data() & 0x03, 0x03);
  command(0xd1);
  write(0xdd);
  assert.not(a20.enabled);
  command(0xd0);
  assert.is(data() & 0x02, 0);
  command(0xdf);
  assert.ok(a20.enabled);
  command(0xdd);
  assert.not(a20.enabled);
  assert.is(events.resets, 0);
  command(0xff);
  assert.is(events.resets, 0, 'pulses nothing');
  command(0xfe);
  assert.is(events.resets, 1);
  command(0xd1);
  write(0x02);
  assert.is(events.resets, 2);
});

test('typing text', () => {
  const { kbc, drain } = setup();
  assert.is(kbc.typeText('aB\n'), 3);
  assert.equal(drain(), [0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa, 0x1c, 0x9c]);
  assert.is(kbc.typeText('\x03'), 1);
  assert.equal(drain(), [0x1d, 0x2e, 0xae, 0x9d], 'Ctrl-C');
  assert.is(kbc.typeText('é'), 1, 'skipped');
  assert.equal(drain(), []);
  const taken = kbc.typeText('x'.repeat(10_000));
  assert.ok(taken > 1000 && taken < 2000, `bounded: ${taken}`);
});

test('every printable ASCII character has a key, and no two have the same', () => {
  const seen = new Set<string>();
  for (let code = 0x20; code < 0x7f; code++) {
    const stroke = keystrokeOf(String.fromCharCode(code));
    assert.ok(stroke.length > 0, String.fromCharCode(code));
    seen.add(stroke.join());
  }
  assert.is(seen.size, 0x5f);
});

test('translation of the keys between 0x00 and 0x7F is one to one', () => {
  const translator = new ScancodeTranslator();
  const codes = new Set<number>();
  for (let code = 1; code < 0x80; code++) codes.add(translator.translate(code));
  assert.is(codes.size, 127);
  assert.not(codes.has(0));
  assert.is(Math.max(...codes), 0x7f);
  assert.is(translator.translate(0x83), 0x41, 'F7');
  // The typewriter row of the AT keyboard, in order: set 1 numbers keys from left to right.
  const row = [...'qwertyuiop'].map((c) => translator.translate(keystrokeOf(c)[0]));
  assert.equal(row, [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19]);
  const rest = [..."asdfghjkl;'`"].map((c) => translator.translate(keystrokeOf(c)[0]));
  assert.equal(rest, [0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29]);
  const bottom = [...'\\zxcvbnm,./'].map((c) => translator.translate(keystrokeOf(c)[0]));
  assert.equal(bottom, [0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35]);
  const digits = [...'\x1b1234567890-=\b\t'].map((c) => translator.translate(keystrokeOf(c)[0]));
  assert.equal(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test('a flood of commands is bounded', () => {
  const { command, write, drain } = setup();
  for (let i = 0; i < 10_000; i++) {
    command(0xaa);
    write(0xee);
  }
  assert.ok(drain().length <= 34);
});

test('refuses a damaged state', () => checkRefusals(setup().kbc));

test('property', () => {
  checkDevice((clock) => {
    const lines = [new Wire(), new Wire()];
    let resets = 0;
    const a20 = new A20Gate(() => undefined);
    const kbc = new I8042({ clock, keyboardIrq: lines[0], auxIrq: lines[1], a20, onReset: () => resets++ });
    const stateful = {
      saveState: () => ({ version: 1, kbc: kbc.saveState(), a20: a20.saveState() }),
      loadState: (state: Record<string, unknown>) => {
        kbc.loadState(state['kbc'] as ReturnType<I8042['saveState']>);
        a20.loadState(state['a20'] as ReturnType<A20Gate['saveState']>);
      },
    };
    let resetsAtSave = 0;
    return {
      faces: [kbc.data, kbc.command],
      stateful: {
        saveState: () => {
          resetsAtSave = resets;
          return stateful.saveState();
        },
        loadState: (state) => {
          stateful.loadState(state);
          resetsAtSave = resets;
        },
      },
      timed: kbc,
      inputs: [
        (n) => kbc.key([n & 0xff]),
        (n) => kbc.typeText(String.fromCharCode(n & 0x7f)),
        (n) => kbc.command.write(0, 1, n & 0xff),
        (n) => kbc.data.write(0, 1, n & 0xff),
        () => kbc.data.read(0, 1),
      ],
      observe: () => [lines[0].level, lines[1].level, a20.enabled, kbc.keyboard.leds, resets - resetsAtSave],
    };
  }, 300);
});

test.run();
