// The generic timers against Arm ARM D11.2: conditions, masks, the virtual offset, deadlines.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { countAt, GenericTimers } from '../../src/devices/arm-timer.js';
import type { ArmTimers } from '../../src/vcpu/arm-bus.js';
import { TestClock, TestLine } from './random-access.js';

const OFF = { control: 0, compare: 0n };

function make(timers: Partial<ArmTimers>) {
  const clock = new TestClock();
  const lines = { physical: new TestLine(), virtual: new TestLine(), hypervisor: new TestLine() };
  const registers: ArmTimers = { physical: OFF, virtual: OFF, hypervisor: OFF, virtualOffset: 0n, ...timers };
  const device = new GenericTimers({ clock, registers: () => registers, ...lines });
  device.update();
  return { clock, device, ...lines };
}

test('one count is 16 ns', () => {
  assert.is(countAt(15.9), 0n);
  assert.is(countAt(16), 1n);
  assert.is(countAt(1e9), 62_500_000n);
});

test('a timer interrupts when the count reaches its compare value', () => {
  const { clock, device, physical, virtual } = make({ physical: { control: 1, compare: 100n } });
  assert.is(device.deadline(), 1600);
  assert.is(physical.level, false);
  clock.time = 1600;
  device.advance(clock.time);
  assert.is(physical.level, true);
  assert.is(virtual.level, false);
  assert.is(device.deadline(), Infinity);
});

test('a compare value in the past is met at once; one never reached has no deadline', () => {
  assert.is(make({ hypervisor: { control: 1, compare: 0n } }).hypervisor.level, true);
  const { device, physical } = make({ physical: { control: 1, compare: 2n ** 64n - 1n } });
  assert.is(physical.level, false);
  assert.is(device.deadline(), Infinity);
});

test('IMASK and ENABLE', () => {
  for (const control of [0, 2, 3]) {
    const { device, physical } = make({ physical: { control, compare: 0n } });
    assert.is(physical.level, false, `control ${control}`);
    assert.is(device.deadline(), Infinity);
  }
});

test('the virtual count is behind by the offset, modulo 2^64', () => {
  const ahead = make({ virtual: { control: 1, compare: 100n }, virtualOffset: 50n });
  // Below the offset the virtual count has wrapped: it is far past any small value.
  assert.is(ahead.virtual.level, true);
  ahead.clock.time = 50 * 16;
  ahead.device.update();
  assert.is(ahead.virtual.level, false);
  assert.is(ahead.device.deadline(), 150 * 16);
  const behind = make({ virtual: { control: 1, compare: 100n }, virtualOffset: 2n ** 64n - 60n });
  assert.is(behind.device.deadline(), 40 * 16);
});

test('the earliest of all timers is the deadline', () => {
  const { device } = make({
    physical: { control: 1, compare: 300n },
    virtual: { control: 1, compare: 200n },
    hypervisor: { control: 3, compare: 100n },
  });
  assert.is(device.deadline(), 3200);
});

test.run();
