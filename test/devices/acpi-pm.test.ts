import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AcpiPm, PM_TIMER_FREQUENCY } from '../../src/devices/acpi-pm.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestClock, TestLine } from './random-access.js';

const [STATUS, ENABLE, CONTROL, TIMER] = [0, 2, 4, 8];

function rig(timerBits: 24 | 32 = 32, clock = new TestClock()) {
  const sci = new TestLine();
  const world = { poweredOff: 0 };
  const pm = new AcpiPm({ clock, sci, timerBits, onPowerOff: () => world.poweredOff++ });
  return { pm, sci, clock, world };
}

test('the timer runs at 3.579545 MHz and wraps at its width', () => {
  const { pm, clock } = rig();
  clock.time = 1e9;
  assert.is(pm.read(TIMER, 4), PM_TIMER_FREQUENCY);
  clock.time = 1300e9; // beyond 2^32 ticks, at about 1200 s
  assert.is(pm.read(TIMER, 4), 1300 * PM_TIMER_FREQUENCY - 2 ** 32);
  const narrow = rig(24);
  narrow.clock.time = 5e9;
  assert.is(narrow.pm.read(TIMER, 4), (5 * PM_TIMER_FREQUENCY) % 2 ** 24);
  const before = pm.read(TIMER, 4);
  pm.write(TIMER, 4, 0);
  assert.is(pm.read(TIMER, 4), before, 'read-only');
});

test('the highest bit of the timer raises the SCI when it changes', () => {
  const { pm, sci, clock } = rig(24);
  assert.is(pm.deadline(), Infinity);
  pm.write(ENABLE, 2, 1);
  const half = (2 ** 23 / PM_TIMER_FREQUENCY) * 1e9;
  assert.ok(pm.deadline() >= half && pm.deadline() < half + 1000);
  clock.time = half - 1000;
  pm.advance(clock.time);
  assert.not(sci.level);
  clock.time = pm.deadline();
  pm.advance(clock.time);
  assert.ok(sci.level);
  assert.is(pm.read(STATUS, 2), 1);
  assert.is(pm.deadline(), Infinity);
  pm.write(STATUS, 2, 1);
  assert.not(sci.level);
  assert.ok(pm.deadline() > clock.time);
});

test('status bits are cleared by ones; the power button needs its enable bit to interrupt', () => {
  const { pm, sci } = rig();
  pm.pressPowerButton();
  assert.not(sci.level);
  pm.write(ENABLE, 2, 0x100);
  assert.ok(sci.level);
  pm.write(STATUS, 2, 0x00ff);
  assert.ok(sci.level);
  pm.write(STATUS + 1, 1, 0x01);
  assert.not(sci.level);
  pm.write(ENABLE, 2, 0xffff);
  assert.is(pm.read(ENABLE, 2), 0x521);
  assert.is(pm.read(STATUS, 4), 0x5210000);
});

test('ACPI mode is on and stays on', () => {
  const { pm } = rig();
  assert.is(pm.read(CONTROL, 2), 1);
  pm.write(CONTROL, 2, 0x1c02);
  assert.is(pm.read(CONTROL, 2), 0x1c03);
});

test('S5 powers off, by word or by byte; other sleep types do nothing', () => {
  const { pm, world } = rig();
  pm.write(CONTROL, 2, 0x2400);
  pm.write(CONTROL, 2, 0x0000);
  assert.is(world.poweredOff, 0);
  pm.write(CONTROL, 2, 0x2000);
  assert.is(world.poweredOff, 1);
  assert.is(pm.read(CONTROL, 2), 1, 'SLP_EN reads as zero');
  pm.write(CONTROL + 1, 1, 0x20);
  assert.is(world.poweredOff, 2);
});

const plan: Plan = {
  make: (clock) => {
    const r = rig(24, clock);
    return {
      device: r.pm,
      faces: [r.pm],
      timed: r.pm,
      inputs: [() => r.pm.pressPowerButton()],
      outputs: () => [r.sci.level, r.pm.deadline()],
    };
  },
  offsets: [[0, 1, 2, 3, 4, 5, 8, 11]],
  values: [0, 1, 0x101, 0x2000, 0xffff],
};

test('random accesses never throw, and a restored device goes on like the saved one', () => checkRandomAccess(plan));
test('damaged states are refused or harmless', () => checkDamagedStates(plan));

test.run();
