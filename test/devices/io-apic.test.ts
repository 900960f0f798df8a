import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApicMessage } from '../../src/devices/apic-message.js';
import { IO_APIC_PINS, IoApic } from '../../src/devices/io-apic.js';
import { LocalApic } from '../../src/devices/local-apic.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestClock, TestLine } from './random-access.js';

const LEVEL = 1 << 15;
const MASKED = 1 << 16;
const REMOTE_IRR = 1 << 14;

function rig() {
  const sent: ApicMessage[] = [];
  const world = { accepting: true };
  const apic = new IoApic({
    id: 8,
    deliver: (message) => {
      sent.push(message);
      return world.accepting;
    },
  });
  const write = (index: number, value: number) => {
    apic.write(0, 4, index);
    apic.write(0x10, 4, value);
  };
  const read = (index: number) => {
    apic.write(0, 4, index);
    return apic.read(0x10, 4);
  };
  return { apic, sent, world, write, read };
}

test('identification, and all pins masked after reset', () => {
  const { read, write } = rig();
  assert.is(read(0), 0x08000000);
  assert.is(read(1), 0x00170011);
  for (let pin = 0; pin < IO_APIC_PINS; pin++) {
    assert.is(read(0x10 + 2 * pin), MASKED);
    assert.is(read(0x11 + 2 * pin), 0);
  }
  write(0, 0xff000000);
  assert.is(read(0), 0x0f000000);
  assert.is(read(2), 0x0f000000, 'the arbitration ID follows');
  write(1, 0);
  assert.is(read(1), 0x00170011);
  assert.is(read(0x40), 0);
});

test('an entry keeps its writable bits', () => {
  const { read, write } = rig();
  write(0x10, 0xffffffff);
  assert.is(read(0x10), 0x1afff);
  write(0x11, 0xffffffff);
  assert.is(read(0x11), 0xff000000);
});

test('edge: one message per rising edge, none while masked', () => {
  const { apic, sent, write } = rig();
  const line = apic.irq(4);
  line.set(true);
  line.set(false);
  write(0x18, 0x0924); // vector 24h, lowest priority, logical
  write(0x19, 0x03000000);
  assert.is(sent.length, 0, 'the edge on the masked pin is lost');
  line.set(true);
  line.set(true);
  assert.equal(sent, [{ destination: 3, logical: true, deliveryMode: 1, vector: 0x24, trigger: 'edge' }]);
  line.set(false);
  line.set(true);
  assert.is(sent.length, 2);
});

test('level: sent once, held by remote IRR until EOI, again while asserted', () => {
  const { apic, sent, read, write } = rig();
  const line = apic.irq(9);
  line.set(true);
  write(0x22, LEVEL | 0x59);
  assert.is(sent.length, 1, 'unmasking an asserted level sends');
  assert.is(read(0x22), LEVEL | REMOTE_IRR | 0x59);
  line.set(false);
  line.set(true);
  assert.is(sent.length, 1);
  apic.eoi(0x58);
  assert.is(sent.length, 1, 'another vector');
  apic.eoi(0x59);
  assert.is(sent.length, 2);
  line.set(false);
  apic.eoi(0x59);
  assert.is(sent.length, 2);
  assert.is(read(0x22), LEVEL | 0x59);
});

test('level: not accepted means not in flight; an edge setting clears remote IRR', () => {
  const { apic, sent, world, read, write } = rig();
  write(0x22, LEVEL | 0x59);
  world.accepting = false;
  apic.irq(9).set(true);
  assert.is(read(0x22), LEVEL | 0x59);
  world.accepting = true;
  write(0x22, LEVEL | 0x59);
  assert.is(sent.length, 2);
  assert.is(read(0x22) & REMOTE_IRR, REMOTE_IRR);
  write(0x22, MASKED | 0x59);
  assert.is(read(0x22) & REMOTE_IRR, 0);
});

test('with a local APIC: a level interrupt from pin to EOI and back', () => {
  const line = new TestLine();
  const local: LocalApic = new LocalApic({
    id: 0,
    clock: new TestClock(),
    output: line,
    onEoi: (vector) => io.eoi(vector),
  });
  const io: IoApic = new IoApic({
    id: 8,
    deliver: (m) =>
      local.matches(m.destination, m.logical) && local.acceptInterrupt(m.vector, m.trigger, m.deliveryMode),
  });
  local.write(0xf0, 4, 0x1ff);
  io.write(0, 4, 0x20);
  io.write(0x10, 4, LEVEL | 0x70);
  const pin = io.irq(8);
  pin.set(true);
  for (let round = 0; round < 3; round++) {
    assert.ok(line.level);
    assert.is(local.acknowledge(), 0x70);
    assert.not(line.level);
    if (round === 2) pin.set(false);
    local.write(0xb0, 4, 0);
  }
  assert.not(line.level);
});

test('byte accesses: IOREGSEL takes them, IOWIN gives parts', () => {
  const { apic } = rig();
  apic.write(0, 1, 1);
  assert.is(apic.read(0, 4), 1);
  assert.is(apic.read(0x12, 1), 0x17);
  assert.is(apic.read(0x12, 2), 0x17);
  assert.is(apic.read(0x20, 4), 0);
});

test('there is no pin 24', () => {
  assert.throws(() => rig().apic.irq(24), /no pin 24/);
});

const plan: Plan = {
  make: () => {
    const r = rig();
    return {
      device: r.apic,
      faces: [r.apic],
      inputs: [(v) => r.apic.irq(v % 24).set(v > 127), (v) => r.apic.eoi(v)],
      outputs: () => r.sent.splice(0),
    };
  },
  offsets: [[0, 0x10, 0x10]],
  values: [0x10, 0x11, 0x12, LEVEL | 0x31, 0x31, MASKED],
};

test('random accesses never throw, and a restored I/O APIC goes on like the saved one', () => checkRandomAccess(plan));
test('damaged states are refused or harmless', () => checkDamagedStates(plan));

test.run();
