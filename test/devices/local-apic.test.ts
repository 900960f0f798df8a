import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as M from '../../src/devices/apic-message.js';
import * as R from '../../src/devices/apic-registers.js';
import { MIN_TIMER_PERIOD } from '../../src/devices/apic-timer.js';
import { LocalApic } from '../../src/devices/local-apic.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestClock, TestLine } from './random-access.js';

function rig(id = 0, clock = new TestClock()) {
  const line = new TestLine();
  const eois: number[] = [];
  const events: string[] = [];
  const peers: LocalApic[] = [];
  const apic = new LocalApic({
    id,
    clock,
    output: line,
    peers: () => peers,
    onEoi: (vector) => eois.push(vector),
    onNmi: () => events.push('nmi'),
    onInit: () => events.push('init'),
    onStartup: (vector) => events.push(`startup ${vector}`),
  });
  peers.push(apic);
  const write = (offset: number, value: number) => apic.write(offset, 4, value);
  const read = (offset: number) => apic.read(offset, 4);
  return { apic, clock, line, eois, events, peers, write, read };
}

function enabledRig() {
  const r = rig();
  r.write(R.APIC_SVR, 0x1ff);
  return r;
}

test('reset values (SDM 11.4.7.1), with LINT0 left as virtual wire', () => {
  const { apic, read } = rig(3);
  assert.is(read(R.APIC_ID), 0x03000000);
  assert.is(read(R.APIC_VERSION), 0x00050014);
  assert.is(read(R.APIC_SVR), 0xff);
  assert.is(read(R.APIC_DFR), 0xffffffff);
  assert.is(read(R.APIC_LDR), 0);
  for (const lvt of [R.APIC_LVT_TIMER, R.APIC_LVT_THERMAL, R.APIC_LVT_PERFORMANCE, R.APIC_LVT_LINT1]) {
    assert.is(read(lvt), R.LVT_MASKED);
  }
  assert.is(read(R.APIC_LVT_LINT0), 0x700);
  assert.is(apic.getBase(), 0xfee00900);
  assert.is(apic.base, 0xfee00000);
});

test('highest vector first; PPR holds lower classes back until EOI', () => {
  const { apic, line, read, write } = enabledRig();
  assert.ok(apic.acceptInterrupt(0x31, 'edge', M.DELIVERY_FIXED));
  assert.ok(apic.acceptInterrupt(0x52, 'edge', M.DELIVERY_FIXED));
  assert.ok(line.level);
  assert.is(apic.acknowledge(), 0x52);
  assert.is(read(R.APIC_PPR), 0x50);
  assert.is(read(R.APIC_ISR + 0x20), 1 << 18);
  assert.is(read(R.APIC_IRR + 0x10), 1 << 17);
  assert.not(line.level);
  // The same class does not interrupt either.
  apic.acceptInterrupt(0x5f, 'edge', M.DELIVERY_FIXED);
  assert.not(line.level);
  apic.acceptInterrupt(0x60, 'edge', M.DELIVERY_FIXED);
  assert.ok(line.level);
  assert.is(apic.acknowledge(), 0x60);
  write(R.APIC_EOI, 0);
  assert.not(line.level);
  write(R.APIC_EOI, 0);
  assert.is(apic.acknowledge(), 0x5f);
  write(R.APIC_EOI, 0);
  assert.is(apic.acknowledge(), 0x31);
  write(R.APIC_EOI, 0);
  assert.is(apic.acknowledge(), -1);
});

test('an edge that repeats while pending merges into one', () => {
  const { apic, write } = enabledRig();
  apic.acceptInterrupt(0x40, 'edge', M.DELIVERY_FIXED);
  apic.acceptInterrupt(0x40, 'edge', M.DELIVERY_FIXED);
  assert.is(apic.acknowledge(), 0x40);
  write(R.APIC_EOI, 0);
  assert.is(apic.acknowledge(), -1);
});

test('TPR and CR8 are one register; a request that TPR now masks gives the spurious vector', () => {
  const { apic, line, read, write } = enabledRig();
  write(R.APIC_SVR, 0x1f7);
  apic.acceptInterrupt(0x45, 'edge', M.DELIVERY_FIXED);
  assert.ok(line.level);
  apic.taskPriority = 4;
  assert.is(read(R.APIC_TPR), 0x40);
  assert.not(line.level);
  assert.is(apic.acknowledge(), 0xf7);
  assert.is(read(R.APIC_ISR + 0x70), 0, 'a spurious interrupt is not in service');
  write(R.APIC_TPR, 0x3f);
  assert.is(apic.taskPriority, 3);
  assert.is(apic.acknowledge(), 0x45);
});

test('level-triggered: TMR is set and EOI is broadcast', () => {
  const { apic, eois, read, write } = enabledRig();
  apic.acceptInterrupt(0x41, 'level', M.DELIVERY_FIXED);
  assert.is(read(R.APIC_TMR + 0x20), 2);
  apic.acknowledge();
  write(R.APIC_EOI, 0);
  apic.acceptInterrupt(0x41, 'edge', M.DELIVERY_FIXED);
  assert.is(read(R.APIC_TMR + 0x20), 0);
  apic.acknowledge();
  write(R.APIC_EOI, 0);
  assert.equal(eois, [0x41]);
});

test('software disable: LVTs are masked and stay so, fixed interrupts are refused, pending ones kept', () => {
  const { apic, events, read, write } = enabledRig();
  write(R.APIC_LVT_TIMER, 0x30);
  write(R.APIC_LVT_LINT1, 0x400);
  apic.acceptInterrupt(0x50, 'edge', M.DELIVERY_FIXED);
  write(R.APIC_SVR, 0xff);
  assert.is(read(R.APIC_LVT_TIMER), 0x10030);
  assert.is(read(R.APIC_LVT_LINT1), 0x10400);
  write(R.APIC_LVT_TIMER, 0x30);
  assert.is(read(R.APIC_LVT_TIMER), 0x10030);
  assert.not(apic.acceptInterrupt(0x60, 'edge', M.DELIVERY_FIXED));
  assert.ok(apic.acceptInterrupt(0, 'edge', M.DELIVERY_NMI));
  assert.equal(events, ['nmi']);
  assert.is(apic.acknowledge(), 0x50);
});

test('virtual wire: the 8259A passes through LINT0 at reset, unmasked ExtINT, and a disabled APIC', () => {
  const { apic, line, write } = rig();
  const intr = apic.lint(0);
  intr.set(true);
  assert.ok(line.level && apic.wantsExtInt());
  assert.is(apic.acknowledge(), -1);
  assert.ok(line.level, 'the 8259A itself drops its output');
  write(R.APIC_SVR, 0x1ff);
  write(R.APIC_LVT_LINT0, 0x10700);
  assert.not(line.level);
  // TPR does not hold ExtINT back.
  write(R.APIC_TPR, 0xff);
  write(R.APIC_LVT_LINT0, 0x700);
  assert.ok(line.level);
  write(R.APIC_LVT_LINT0, 0x10000);
  apic.setBase(0xfee00000);
  assert.ok(line.level && apic.wantsExtInt());
  assert.is(apic.read(R.APIC_VERSION, 4), 0xffffffff, 'the page is gone');
  intr.set(false);
  assert.not(line.level);
  apic.setBase(0xfee00800);
  assert.is(apic.getBase(), 0xfee00900);
});

test('APIC requests come before ExtINT, and a masked one does not turn ExtINT into a spurious vector', () => {
  const { apic, write } = enabledRig();
  write(R.APIC_LVT_LINT0, 0x700);
  apic.setLint(0, true);
  apic.acceptInterrupt(0x30, 'edge', M.DELIVERY_FIXED);
  assert.is(apic.acknowledge(), 0x30);
  apic.acceptInterrupt(0x31, 'edge', M.DELIVERY_FIXED);
  assert.is(apic.acknowledge(), -1);
  assert.ok(apic.wantsExtInt());
});

test('LINT pins: NMI on the edge; fixed edge; fixed level held off by remote IRR until EOI', () => {
  const { apic, events, eois, read, write } = enabledRig();
  write(R.APIC_LVT_LINT1, 0x400);
  apic.setLint(1, true);
  apic.setLint(1, true);
  apic.setLint(1, false);
  apic.setLint(1, true);
  assert.equal(events, ['nmi', 'nmi']);
  write(R.APIC_LVT_LINT1, 0x51);
  apic.setLint(1, false);
  apic.setLint(1, true);
  assert.is(apic.acknowledge(), 0x51);
  write(R.APIC_EOI, 0);
  write(R.APIC_LVT_LINT0, 0x8052);
  apic.setLint(0, true);
  assert.is(read(R.APIC_LVT_LINT0), 0xc052);
  assert.is(apic.acknowledge(), 0x52);
  write(R.APIC_EOI, 0);
  assert.is(apic.acknowledge(), 0x52, 'still asserted');
  apic.setLint(0, false);
  write(R.APIC_EOI, 0);
  assert.is(read(R.APIC_LVT_LINT0), 0x8052);
  assert.is(apic.acknowledge(), -1);
  assert.equal(eois, [0x52, 0x52]);
});

test('timer: one-shot counts down through the divider, interrupts once and stops at zero', () => {
  const { apic, clock, line, read, write } = enabledRig();
  write(R.APIC_LVT_TIMER, 0x40);
  write(R.APIC_DIVIDE_CONFIGURATION, 0x3); // by 16
  clock.time = 1000;
  write(R.APIC_INITIAL_COUNT, 100);
  assert.is(apic.deadline(), 1000 + 1600);
  clock.time = 1000 + 159;
  assert.is(read(R.APIC_CURRENT_COUNT), 91);
  clock.time = 2599;
  apic.advance(clock.time);
  assert.not(line.level);
  clock.time = 2600;
  apic.advance(clock.time);
  assert.ok(line.level);
  assert.is(read(R.APIC_CURRENT_COUNT), 0);
  assert.is(apic.deadline(), Infinity);
  assert.is(apic.acknowledge(), 0x40);
});

test('timer: all eight divisors', () => {
  const { apic, write } = enabledRig();
  const codes: [number, number][] = [
    [0, 2],
    [1, 4],
    [2, 8],
    [3, 16],
    [8, 32],
    [9, 64],
    [10, 128],
    [11, 1],
  ];
  for (const [code, divisor] of codes) {
    write(R.APIC_DIVIDE_CONFIGURATION, code);
    write(R.APIC_INITIAL_COUNT, 1000);
    assert.is(apic.deadline(), 1000 * divisor);
  }
});

test('timer: periodic reloads on its grid, late or not', () => {
  const { apic, clock, read, write } = enabledRig();
  write(R.APIC_LVT_TIMER, 0x20040);
  write(R.APIC_DIVIDE_CONFIGURATION, 0xb);
  write(R.APIC_INITIAL_COUNT, 1_000_000);
  let ticks = 0;
  const run = () => {
    apic.advance(clock.time);
    if (apic.acknowledge() === 0x40) ticks++;
    write(R.APIC_EOI, 0);
  };
  clock.time = 1_000_300;
  run();
  assert.is(apic.deadline(), 2_000_000);
  assert.is(read(R.APIC_CURRENT_COUNT), 999_700);
  clock.time = 5_400_000;
  run();
  assert.is(apic.deadline(), 6_000_000);
  assert.is(ticks, 2, 'ticks that nobody took merge');
  write(R.APIC_INITIAL_COUNT, 0);
  assert.is(apic.deadline(), Infinity);
  assert.is(read(R.APIC_CURRENT_COUNT), 0);
});

test('timer: an absurd period is delivered at a bounded rate', () => {
  const { apic, clock, write } = enabledRig();
  write(R.APIC_LVT_TIMER, 0x20040);
  write(R.APIC_DIVIDE_CONFIGURATION, 0xb);
  write(R.APIC_INITIAL_COUNT, 1);
  let wakeups = 0;
  while (clock.time < 1e6) {
    clock.time = apic.deadline();
    apic.advance(clock.time);
    wakeups++;
  }
  assert.ok(wakeups <= 1e6 / MIN_TIMER_PERIOD + 2, `${wakeups} wakeups`);
});

test('timer: an expiry while masked is lost, and counting goes on', () => {
  const { apic, clock, line, read, write } = enabledRig();
  write(R.APIC_LVT_TIMER, 0x10040);
  write(R.APIC_INITIAL_COUNT, 50);
  clock.time = 60;
  assert.is(read(R.APIC_CURRENT_COUNT), 20);
  clock.time = 200;
  write(R.APIC_LVT_TIMER, 0x40);
  assert.not(line.level);
  assert.is(apic.deadline(), Infinity);
});

test('ESR: written, then read; illegal vectors and registers', () => {
  const { apic, read, write } = enabledRig();
  write(R.APIC_LVT_ERROR, 0xfe);
  assert.not(apic.acceptInterrupt(15, 'edge', M.DELIVERY_FIXED));
  assert.is(read(R.APIC_ESR), 0);
  write(R.APIC_ESR, 0);
  assert.is(read(R.APIC_ESR), R.ESR_RECEIVE_ILLEGAL_VECTOR);
  assert.is(apic.acknowledge(), 0xfe);
  write(R.APIC_EOI, 0);
  write(R.APIC_ICR_LOW, 0x40005); // to self, vector 5
  read(0x3f0);
  write(R.APIC_ESR, 0);
  assert.is(read(R.APIC_ESR), R.ESR_SEND_ILLEGAL_VECTOR | R.ESR_ILLEGAL_REGISTER);
  write(R.APIC_ESR, 0);
  assert.is(read(R.APIC_ESR), 0);
  // An error interrupt whose own vector is illegal ends there.
  write(R.APIC_LVT_ERROR, 0x03);
  read(0x3f0);
  write(R.APIC_ESR, 0);
  assert.is(read(R.APIC_ESR), R.ESR_RECEIVE_ILLEGAL_VECTOR | R.ESR_ILLEGAL_REGISTER);
});

test('ICR: self, all, others, destination; INIT, start-up and NMI arrive by callback', () => {
  const [a, b] = [enabledRig(), rig(1)];
  b.write(R.APIC_SVR, 0x1ff);
  a.peers.push(b.apic);
  a.write(R.APIC_ICR_LOW, 0x40061);
  assert.is(a.apic.acknowledge(), 0x61);
  assert.is(a.read(R.APIC_ICR_LOW), 0x40061, 'delivery status reads idle');
  a.write(R.APIC_ICR_LOW, 0x80062);
  a.write(R.APIC_EOI, 0);
  assert.is(a.apic.acknowledge(), 0x62);
  assert.is(b.apic.acknowledge(), 0x62);
  b.write(R.APIC_EOI, 0);
  a.write(R.APIC_ICR_LOW, 0xc0072);
  assert.is(a.apic.acknowledge(), -1);
  assert.is(b.apic.acknowledge(), 0x72);
  a.write(R.APIC_ICR_HIGH, 0x01000000);
  a.write(R.APIC_ICR_LOW, 0x4500); // INIT, assert
  assert.is(b.read(R.APIC_SVR), 0xff, 'INIT resets the APIC');
  assert.is(b.read(R.APIC_ID), 0x01000000);
  a.write(R.APIC_ICR_LOW, 0x8500); // INIT level de-assert
  a.write(R.APIC_ICR_LOW, 0x4608);
  a.write(R.APIC_ICR_LOW, 0x4400);
  assert.equal(b.events, ['init', 'startup 8', 'nmi']);
  assert.equal(a.events, []);
  a.write(R.APIC_ICR_LOW, 0x88500); // what small kernels send at start: must not reset anyone
  assert.equal(a.events, []);
});

test('logical destinations: flat and cluster; lowest priority picks the idle one', () => {
  const [a, b] = [enabledRig(), rig(1)];
  b.write(R.APIC_SVR, 0x1ff);
  a.write(R.APIC_LDR, 0x01000000);
  b.write(R.APIC_LDR, 0x02000000);
  const both = [a.apic, b.apic];
  assert.equal(
    both.map((x) => x.matches(0x02, true)),
    [false, true],
  );
  assert.equal(
    both.map((x) => x.matches(0xff, true)),
    [true, true],
  );
  assert.equal(
    both.map((x) => x.matches(0xff, false)),
    [true, true],
  );
  assert.equal(
    both.map((x) => x.matches(0x01, false)),
    [false, true],
  );
  a.write(R.APIC_TPR, 0x20);
  const message = { destination: 0xff, logical: true, deliveryMode: M.DELIVERY_LOWEST_PRIORITY, vector: 0x90 };
  assert.ok(M.deliverApicMessage(both, { ...message, trigger: 'edge' }));
  assert.is(a.apic.acknowledge(), -1);
  assert.is(b.apic.acknowledge(), 0x90);
  b.write(R.APIC_DFR, 0);
  b.write(R.APIC_LDR, 0x21000000);
  assert.ok(b.apic.matches(0x23, true));
  assert.not(b.apic.matches(0x22, true));
  assert.not(b.apic.matches(0x13, true));
  assert.ok(b.apic.matches(0xf1, true));
});

test('narrow reads see part of a register; narrow writes do nothing', () => {
  const { apic, read, write } = enabledRig();
  write(R.APIC_LDR, 0x12000000);
  assert.is(apic.read(R.APIC_LDR + 3, 1), 0x12);
  assert.is(apic.read(R.APIC_LDR + 4, 4), 0);
  apic.write(R.APIC_TPR, 1, 0x55);
  assert.is(read(R.APIC_TPR), 0);
});

const plan: Plan = {
  make: (clock) => {
    const r = rig(0, clock);
    return {
      device: r.apic,
      faces: [r.apic],
      timed: r.apic,
      inputs: [
        (v) => void r.apic.acceptInterrupt(v, v % 2 === 0 ? 'edge' : 'level', v % 8),
        (v) => r.apic.setLint(v % 2 === 0 ? 0 : 1, v > 127),
        () => void r.apic.acknowledge(),
        (v) => {
          r.apic.taskPriority = v;
        },
        (v) => r.apic.setBase(v > 20 ? 0xfee00900 : 0xfee00000),
      ],
      outputs: () => [
        r.line.level,
        r.events.length === 0,
        r.eois.length === 0,
        r.apic.wantsExtInt(),
        r.apic.deadline(),
      ],
    };
  },
  offsets: [Array.from({ length: 0x40 }, (_, i) => i * 16)],
  values: [0, 0x1ff, 0x20040, 0x700, 0x8052, 0x40031, 0xffffffff],
};

test('random accesses never throw, and a restored APIC goes on like the saved one', () => {
  // The record of past events is the test's own, so the copy starts without it.
  const fresh: Plan = {
    ...plan,
    make: (clock, medium) => {
      const subject = plan.make(clock, medium);
      return { ...subject, outputs: () => (subject.outputs() as unknown[]).filter((_, i) => i !== 1 && i !== 2) };
    },
  };
  checkRandomAccess(fresh);
});

test('damaged states are refused or harmless', () => checkDamagedStates(plan));

test.run();
