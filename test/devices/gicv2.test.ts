// GICv2 against IHI 0048B.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GicV2 } from '../../src/devices/gicv2.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestLine } from './random-access.js';

const GICD_CTLR = 0x000;
const GICD_TYPER = 0x004;
const GICD_IGROUPR = 0x080;
const GICD_ISENABLER = 0x100;
const GICD_ICENABLER = 0x180;
const GICD_ISPENDR = 0x200;
const GICD_ICPENDR = 0x280;
const GICD_ISACTIVER = 0x300;
const GICD_IPRIORITYR = 0x400;
const GICD_ITARGETSR = 0x800;
const GICD_ICFGR = 0xc00;
const GICD_SGIR = 0xf00;
const GICD_CPENDSGIR = 0xf10;
const GICD_SPENDSGIR = 0xf20;
const GICC_CTLR = 0x00;
const GICC_PMR = 0x04;
const GICC_BPR = 0x08;
const GICC_IAR = 0x0c;
const GICC_EOIR = 0x10;
const GICC_RPR = 0x14;
const GICC_HPPIR = 0x18;
const GICC_AIAR = 0x20;
const GICC_DIR = 0x1000;

const SPURIOUS = 1023;

function make() {
  const irq = new TestLine();
  const fiq = new TestLine();
  const gic = new GicV2({ interrupts: 288, irq, fiq });
  const d = (offset: number, value: number, size: 1 | 4 = 4) => gic.distributor.write(offset, size, value);
  const c = (offset: number, value: number) => gic.cpuInterface.write(offset, 4, value);
  const readD = (offset: number, size: 1 | 4 = 4) => gic.distributor.read(offset, size);
  const readC = (offset: number) => gic.cpuInterface.read(offset, 4);
  return { gic, irq, fiq, d, c, readD, readC };
}

/** Everything on: distributor, interface, priority mask; interrupts 32–63 enabled at priority 0xA0. */
function makeOn() {
  const rig = make();
  rig.d(GICD_CTLR, 1);
  rig.c(GICC_CTLR, 1);
  rig.c(GICC_PMR, 0xff);
  rig.d(GICD_ISENABLER + 4, 0xffffffff);
  for (let id = 0; id < 64; id += 4) rig.d(GICD_IPRIORITYR + id, 0xa0a0a0a0);
  return rig;
}

test('reset state and identification', () => {
  const { readD, readC, irq } = make();
  assert.is(readD(GICD_CTLR), 0);
  assert.is(readD(GICD_TYPER), 8, '288 interrupts, one processor');
  assert.is(readD(0xfe8) & 0xf0, 0x20, 'architecture version in ICPIDR2');
  assert.is(readC(0xfc) >>> 16, 2, 'GICC_IIDR: version 2');
  assert.is(readC(GICC_IAR), SPURIOUS);
  assert.is(readC(GICC_RPR), 0xff);
  assert.is(readD(GICD_ITARGETSR + 32), 0, 'one processor: RAZ/WI');
  assert.is(irq.level, false);
});

test('a level-sensitive interrupt: signalled, acknowledged, ended, pending again while the line is high', () => {
  const { gic, irq, readC, readD, c } = makeOn();
  const line = gic.line(33);
  line.set(true);
  assert.is(irq.level, true);
  assert.is(readD(GICD_ISPENDR + 4), 2);
  assert.is(readC(GICC_HPPIR), 33);
  assert.is(readC(GICC_IAR), 33);
  assert.is(irq.level, false, 'active: not signalled again');
  assert.is(readD(GICD_ISACTIVER + 4), 2);
  assert.is(readC(GICC_RPR), 0xa0);
  assert.is(readC(GICC_IAR), SPURIOUS);
  c(GICC_EOIR, 33);
  assert.is(irq.level, true, 'the line is still high');
  assert.is(readC(GICC_IAR), 33);
  line.set(false);
  c(GICC_EOIR, 33);
  assert.is(irq.level, false);
  assert.is(readC(GICC_RPR), 0xff);
});

test('an edge-triggered interrupt is remembered once the line has fallen, and taken once', () => {
  const { gic, irq, readC, d, c } = makeOn();
  d(GICD_ICFGR + 8, 2 << 2);
  const line = gic.line(33);
  line.set(true);
  line.set(false);
  assert.is(irq.level, true);
  assert.is(readC(GICC_IAR), 33);
  line.set(true);
  c(GICC_EOIR, 33);
  assert.is(readC(GICC_IAR), 33, 'the second edge came while the first was active');
  c(GICC_EOIR, 33);
  assert.is(irq.level, false);
});

test('ICPENDR takes back an edge but not a level', () => {
  const { gic, readD, d } = makeOn();
  d(GICD_ICFGR + 8, 2 << 2);
  gic.line(33).set(true);
  gic.line(34).set(true);
  assert.is(readD(GICD_ISPENDR + 4), 6);
  d(GICD_ICPENDR + 4, 0xffffffff);
  assert.is(readD(GICD_ISPENDR + 4), 4);
});

test('software makes an interrupt pending', () => {
  const { irq, readC, d } = makeOn();
  d(GICD_ISPENDR + 4, 1 << 5);
  assert.is(irq.level, true);
  assert.is(readC(GICC_IAR), 37);
});

test('enable and disable registers act on the bits that are set', () => {
  const { readD, d } = make();
  d(GICD_ISENABLER + 4, 0b1011);
  d(GICD_ICENABLER + 4, 0b0010);
  assert.is(readD(GICD_ISENABLER + 4), 0b1001);
  assert.is(readD(GICD_ICENABLER + 4), 0b1001);
  assert.is(readD(GICD_ISENABLER) & 0xffff, 0xffff, 'SGIs are always enabled');
});

test('the lower priority value wins, then the lower identifier', () => {
  const { gic, readC, d, c } = makeOn();
  d(GICD_IPRIORITYR + 40, 0x80, 1);
  for (const id of [35, 40, 34]) gic.line(id).set(true);
  assert.is(readC(GICC_IAR), 40);
  gic.line(40).set(false);
  c(GICC_EOIR, 40);
  assert.is(readC(GICC_IAR), 34);
});

test('the priority mask holds back what is not more urgent', () => {
  const { gic, irq, c, readC } = makeOn();
  gic.line(33).set(true);
  c(GICC_PMR, 0xa0);
  assert.is(irq.level, false);
  assert.is(readC(GICC_HPPIR), SPURIOUS);
  c(GICC_PMR, 0xa1);
  assert.is(irq.level, true);
});

test('preemption by group priority, as the binary point divides it', () => {
  const { gic, irq, readC, d, c } = makeOn();
  c(GICC_BPR, 3);
  d(GICD_IPRIORITYR + 34, 0xa8, 1);
  d(GICD_IPRIORITYR + 33, 0xa1, 1);
  d(GICD_IPRIORITYR + 36, 0x9f, 1);
  gic.line(34).set(true);
  assert.is(readC(GICC_IAR), 34);
  assert.is(readC(GICC_RPR), 0xa0);
  gic.line(33).set(true);
  assert.is(irq.level, false, '0xA1 is in the same group of 16 as 0xA8');
  gic.line(36).set(true);
  assert.is(irq.level, true);
  assert.is(readC(GICC_IAR), 36);
  assert.is(readC(GICC_RPR), 0x90);
  gic.line(36).set(false);
  c(GICC_EOIR, 36);
  assert.is(readC(GICC_RPR), 0xa0, 'back to the first one');
});

test('EOImode: EOIR drops the priority, DIR deactivates', () => {
  const { gic, irq, readC, readD, c } = makeOn();
  c(GICC_CTLR, 0x201);
  gic.line(33).set(true);
  assert.is(readC(GICC_IAR), 33);
  c(GICC_EOIR, 33);
  assert.is(readC(GICC_RPR), 0xff);
  assert.is(readD(GICD_ISACTIVER + 4), 2);
  assert.is(irq.level, false, 'still active');
  c(GICC_DIR, 33);
  assert.is(readD(GICD_ISACTIVER + 4), 0);
  assert.is(irq.level, true);
});

test('software-generated interrupts, by target list and to oneself', () => {
  const { irq, readC, readD, d, c } = makeOn();
  d(GICD_SGIR, (1 << 16) | 3);
  assert.is(irq.level, true);
  assert.is(readD(GICD_CPENDSGIR), 0x01000000, 'a byte for each SGI, with the sender');
  assert.is(readC(GICC_IAR), 3);
  c(GICC_EOIR, 3);
  d(GICD_SGIR, (2 << 24) | 5);
  assert.is(readC(GICC_IAR), 5);
  c(GICC_EOIR, 5);
  d(GICD_SGIR, (1 << 24) | 5);
  d(GICD_SGIR, (2 << 16) | 5);
  assert.is(readC(GICC_IAR), SPURIOUS, 'to others only: there are none');
  d(GICD_SPENDSGIR + 7, 1, 1);
  assert.is(readC(GICC_HPPIR), 7);
  d(GICD_CPENDSGIR + 7, 1, 1);
  assert.is(readC(GICC_HPPIR), SPURIOUS);
});

test('Group 0 as FIQ, Group 1 as IRQ', () => {
  const { gic, irq, fiq, readC, d, c } = makeOn();
  d(GICD_CTLR, 3);
  d(GICD_IGROUPR + 4, 1 << 2);
  c(GICC_CTLR, 0x0b);
  gic.line(33).set(true);
  assert.equal([irq.level, fiq.level], [false, true]);
  assert.is(readC(GICC_IAR), 33);
  gic.line(33).set(false);
  c(GICC_EOIR, 33);
  gic.line(34).set(true);
  assert.equal([irq.level, fiq.level], [true, false]);
  assert.is(readC(GICC_IAR), 1022, 'AckCtl is off');
  assert.is(readC(GICC_AIAR), 34);
});

test('nothing is signalled while distributor or interface is off', () => {
  const { gic, irq, d, c } = makeOn();
  assert.is(gic.canSignal, true);
  gic.line(33).set(true);
  c(GICC_CTLR, 0);
  assert.is(irq.level, false);
  assert.is(gic.canSignal, false);
  c(GICC_CTLR, 1);
  d(GICD_CTLR, 0);
  assert.is(irq.level, false);
});

test('bytes of priority registers', () => {
  const { readD, d } = make();
  d(GICD_IPRIORITYR + 33, 0x5f, 1);
  assert.is(readD(GICD_IPRIORITYR + 32), 0x5f00);
  assert.is(readD(GICD_IPRIORITYR + 33, 1), 0x5f);
});

const plan: Plan = {
  make: () => {
    const irq = new TestLine();
    const fiq = new TestLine();
    const gic = new GicV2({ interrupts: 96, irq, fiq });
    const inputs = [16, 27, 32, 33, 64].map((id) => (n: number) => gic.line(id).set(n % 2 === 1));
    return {
      device: gic,
      faces: [gic.distributor, gic.cpuInterface],
      inputs,
      outputs: () => [irq.level, fiq.level],
    };
  },
  offsets: [
    [
      0, 4, 0x80, 0x100, 0x104, 0x108, 0x180, 0x200, 0x204, 0x284, 0x304, 0x384, 0x400, 0x420, 0x440, 0xc08, 0xf00,
      0xf20,
    ],
    [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0xd0, 0xe0, 0x1000],
  ],
  values: [0, 1, 2, 3, 0xff, 0xf0, 0x01010101, 0xffffffff, 27, 32, 33, 0x201, 0x21f],
};

test('any access, and states that travel', () => {
  checkRandomAccess(plan);
  checkDamagedStates(plan);
});

test.run();
