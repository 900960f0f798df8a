import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PicPair } from '../../src/devices/i8259.js';
import { checkDevice, checkRefusals, errorCode, Wire } from './harness.js';

const EOI = 0x20;

/** Initialized as every PC kernel does: vectors 0x20 and 0x28, nothing masked. */
function setup({ icw1 = 0x11, icw4 = 0x01, slaveIcw4 = 0x01 } = {}) {
  const intr = new Wire();
  const pic = new PicPair(intr);
  const master = (a0: number, value: number) => pic.master.write(a0, 1, value);
  const slave = (a0: number, value: number) => pic.slave.write(a0, 1, value);
  for (const [write, base, icw3, mode] of [
    [master, 0x20, 0x04, icw4],
    [slave, 0x28, 0x02, slaveIcw4],
  ] as const) {
    write(0, icw1);
    write(1, base);
    if (!(icw1 & 2)) write(1, icw3);
    if (icw1 & 1) write(1, mode);
  }
  const irr = (chip: 'master' | 'slave') => {
    pic[chip].write(0, 1, 0x0a);
    return pic[chip].read(0, 1);
  };
  const isr = (chip: 'master' | 'slave') => {
    pic[chip].write(0, 1, 0x0b);
    return pic[chip].read(0, 1);
  };
  const pulse = (n: number) => {
    pic.irq(n).set(false);
    pic.irq(n).set(true);
  };
  return { pic, intr, master, slave, irr, isr, pulse };
}

test('initialization sets the vectors and clears the mask; nothing gets through before it', () => {
  const intr = new Wire();
  const pic = new PicPair(intr);
  pic.irq(0).set(true);
  assert.not(intr.level);
  pic.master.write(0, 1, 0x11);
  assert.not(intr.level, 'in the middle of the initialization');
  pic.master.write(1, 1, 0x47);
  pic.master.write(1, 1, 0x04);
  pic.master.write(1, 1, 0x01);
  assert.is(pic.master.read(1, 1), 0, 'mask cleared');
  assert.not(intr.level, 'ICW1 forgets edges');
  pic.irq(0).set(false);
  pic.irq(0).set(true);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x40, 'the low three bits of ICW2 are the input');
});

test('without IC4 there is no ICW4, in single mode no ICW3', () => {
  const { pic, master } = setup({ icw4: 0x03 });
  master(0, 0x12);
  master(1, 0x60);
  master(1, 0xab);
  assert.is(pic.master.read(1, 1), 0xab, 'that was OCW1');
});

test('acknowledge, in-service, end of interrupt', () => {
  const { pic, intr, master, irr, isr } = setup();
  pic.irq(4).set(true);
  assert.ok(intr.level);
  assert.is(irr('master'), 0x10);
  assert.is(pic.acknowledge(), 0x24);
  assert.not(intr.level);
  assert.is(irr('master'), 0);
  assert.is(isr('master'), 0x10);
  master(0, EOI);
  assert.is(isr('master'), 0);
  assert.not(intr.level, 'an edge counts once');
});

test('fully nested: more urgent ones interrupt, others wait', () => {
  const { pic, intr, master } = setup();
  pic.irq(3).set(true);
  assert.is(pic.acknowledge(), 0x23);
  pic.irq(5).set(true);
  assert.not(intr.level);
  pic.irq(1).set(true);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x21);
  master(0, EOI);
  assert.not(intr.level, 'IRQ 3 is still in service');
  master(0, EOI);
  assert.is(pic.acknowledge(), 0x25);
});

test('the slave comes through IR2 and both need an EOI', () => {
  const { pic, intr, master, slave, isr } = setup();
  pic.irq(12).set(true);
  assert.is(pic.acknowledge(), 0x2c);
  assert.is(isr('master'), 0x04);
  assert.is(isr('slave'), 0x10);
  pic.irq(14).set(true);
  slave(0, EOI);
  assert.not(intr.level, 'the master still serves IR2');
  master(0, EOI);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x2e);
});

test('mask register hides a request without forgetting it', () => {
  const { pic, intr, master } = setup();
  master(1, 0x02);
  pic.irq(1).set(true);
  assert.not(intr.level);
  master(1, 0x00);
  assert.ok(intr.level);
  assert.is(pic.master.read(1, 1), 0);
});

test('a request that vanishes before the acknowledge gives spurious IRQ 7, without in-service bit', () => {
  const { pic, intr, isr } = setup();
  pic.irq(3).set(true);
  pic.irq(3).set(false);
  assert.not(intr.level);
  assert.is(pic.acknowledge(), 0x27);
  assert.is(isr('master'), 0);
});

test('noise on the cascade input gives spurious IRQ 15: only the master has it in service', () => {
  const { pic, isr } = setup();
  pic.irq(2).set(true);
  assert.is(pic.acknowledge(), 0x2f);
  assert.is(isr('slave'), 0);
  assert.is(isr('master'), 0x04);
});

test('level-triggered inputs ask again after the EOI until they are served', () => {
  const { pic, intr, slave, master } = setup();
  pic.elcr.write(0, 2, 0xffff);
  assert.is(pic.elcr.read(0, 2), 0xdef8, 'IRQ 0, 1, 2, 8 and 13 stay edge-triggered');
  pic.irq(11).set(true);
  assert.is(pic.acknowledge(), 0x2b);
  slave(0, EOI);
  master(0, EOI);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x2b);
  pic.irq(11).set(false);
  slave(0, EOI);
  master(0, EOI);
  assert.not(intr.level);
});

test('ICW1 LTIM makes all inputs level-triggered', () => {
  const { pic, intr, master } = setup({ icw1: 0x19 });
  pic.irq(0).set(true);
  assert.is(pic.acknowledge(), 0x20);
  master(0, EOI);
  assert.ok(intr.level);
});

test('specific EOI', () => {
  const { pic, master, isr } = setup();
  pic.irq(5).set(true);
  pic.acknowledge();
  pic.irq(2).set(false);
  pic.irq(1).set(true);
  pic.acknowledge();
  master(0, 0x65);
  assert.is(isr('master'), 0x02);
});

test('rotation on EOI makes the served input the least urgent', () => {
  const { pic, master, pulse } = setup();
  pulse(4);
  assert.is(pic.acknowledge(), 0x24);
  master(0, 0xa0);
  pulse(4);
  pulse(5);
  pulse(0);
  assert.is(pic.acknowledge(), 0x25);
  master(0, EOI);
  assert.is(pic.acknowledge(), 0x20);
  master(0, EOI);
  assert.is(pic.acknowledge(), 0x24);
});

test('set priority command, and rotation on specific EOI', () => {
  const { pic, master, pulse } = setup();
  master(0, 0xc0 | 5);
  pulse(5);
  pulse(6);
  assert.is(pic.acknowledge(), 0x26);
  master(0, 0xe0 | 6);
  pulse(7);
  assert.is(pic.acknowledge(), 0x27);
});

test('automatic EOI leaves nothing in service; it may rotate', () => {
  const { pic, master, isr, pulse } = setup({ icw4: 0x03 });
  pulse(1);
  assert.is(pic.acknowledge(), 0x21);
  assert.is(isr('master'), 0);
  master(0, 0x80);
  pulse(1);
  pic.acknowledge();
  pulse(1);
  pulse(2);
  pulse(3);
  pic.irq(2).set(false);
  assert.is(pic.acknowledge(), 0x23, 'IRQ 1 is now the least urgent');
  master(0, 0x00);
});

test('with automatic EOI in the slave, its next request makes a new edge at the master', () => {
  const { pic, intr, master } = setup({ slaveIcw4: 0x03 });
  pic.irq(9).set(true);
  pic.irq(10).set(true);
  assert.is(pic.acknowledge(), 0x29);
  master(0, EOI);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x2a);
});

test('special mask mode: a masked level in service blocks nobody', () => {
  const { pic, intr, master, isr } = setup();
  pic.irq(1).set(true);
  pic.acknowledge();
  pic.irq(6).set(true);
  assert.not(intr.level);
  master(1, 0x02);
  assert.not(intr.level);
  master(0, 0x68);
  assert.ok(intr.level);
  assert.is(pic.acknowledge(), 0x26);
  master(0, EOI);
  assert.is(isr('master'), 0x02, 'a non-specific EOI leaves the masked one alone');
  master(0, 0x48);
  master(0, EOI);
  assert.is(isr('master'), 0);
});

test('special fully nested mode: the slave may interrupt its own handler', () => {
  for (const [icw4, expected] of [
    [0x01, false],
    [0x11, true],
  ] as const) {
    const { pic, intr } = setup({ icw4 });
    pic.irq(12).set(true);
    pic.acknowledge();
    pic.irq(8).set(true);
    assert.is(intr.level, expected);
    if (expected) assert.is(pic.acknowledge(), 0x28);
  }
});

test('poll command acknowledges by reading', () => {
  const { pic, intr, master, isr } = setup();
  master(0, 0x0c);
  assert.is(pic.master.read(0, 1), 0x00, 'nobody asks');
  pic.irq(6).set(true);
  master(0, 0x0c);
  assert.is(pic.master.read(0, 1), 0x86);
  assert.not(intr.level);
  assert.is(isr('master'), 0x40);
});

test('there are sixteen requests', () => {
  const { pic } = setup();
  assert.instance(
    errorCode(() => pic.irq(16)),
    RangeError,
  );
});

test('refuses a damaged state', () => checkRefusals(setup().pic));

test('property', () => {
  checkDevice(() => {
    const intr = new Wire();
    const pic = new PicPair(intr);
    return {
      faces: [pic.master, pic.slave, pic.elcr],
      stateful: pic,
      inputs: [
        (n) => pic.irq(n & 15).set((n & 16) !== 0),
        (n) => pic.irq(n & 15).set(true),
        () => {
          const vector = pic.acknowledge();
          assert.ok(vector >= 0 && vector <= 0xff);
          return vector;
        },
      ],
      observe: () => intr.level,
    };
  });
});

test.run();
