// GICv3 with one processor and one security state, against IHI 0069.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GicV3 } from '../../src/devices/gicv3.js';
import type { BusDevice } from '../../src/vcpu/device.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestLine } from './random-access.js';

const sysreg = (crn: number, crm: number, op2: number) => (3 << 14) | (crn << 7) | (crm << 3) | op2;
const PMR = sysreg(4, 6, 0);
const IAR0 = sysreg(12, 8, 0);
const EOIR0 = sysreg(12, 8, 1);
const BPR0 = sysreg(12, 8, 3);
const AP1R0 = sysreg(12, 9, 0);
const DIR = sysreg(12, 11, 1);
const RPR = sysreg(12, 11, 3);
const SGI1R = sysreg(12, 11, 5);
const SGI0R = sysreg(12, 11, 7);
const IAR1 = sysreg(12, 12, 0);
const EOIR1 = sysreg(12, 12, 1);
const HPPIR1 = sysreg(12, 12, 2);
const BPR1 = sysreg(12, 12, 3);
const CTLR = sysreg(12, 12, 4);
const SRE = sysreg(12, 12, 5);
const IGRPEN0 = sysreg(12, 12, 6);
const IGRPEN1 = sysreg(12, 12, 7);

const SGI = 0x10000;
const SPURIOUS = 1023;

function make() {
  const irq = new TestLine();
  const fiq = new TestLine();
  const gic = new GicV3({ interrupts: 288, irq, fiq });
  const d = (offset: number, value: number, size: 1 | 4 = 4) => gic.distributor.write(offset, size, value);
  const r = (offset: number, value: number, size: 1 | 4 = 4) => gic.redistributor.write(offset, size, value);
  const readD = (offset: number) => gic.distributor.read(offset, 4);
  const readR = (offset: number) => gic.redistributor.read(offset, 4);
  const msr = (register: number, low: number, high = 0) => gic.writeRegister(register, low, high);
  const mrs = (register: number) => gic.readRegister(register);
  return { gic, irq, fiq, d, r, readD, readR, msr, mrs };
}

/** As Linux sets it up: all in Group 1 at priority 0xA0, enabled. */
function makeOn() {
  const rig = make();
  rig.d(0, 0x12);
  rig.r(SGI + 0x80, 0xffffffff);
  rig.r(SGI + 0x100, 0xffffffff);
  rig.d(0x84, 0xffffffff);
  rig.d(0x104, 0xffffffff);
  for (let id = 0; id < 32; id += 4) rig.r(SGI + 0x400 + id, 0xa0a0a0a0);
  for (let id = 32; id < 64; id += 4) rig.d(0x400 + id, 0xa0a0a0a0);
  rig.msr(PMR, 0xf0);
  rig.msr(IGRPEN1, 1);
  return rig;
}

test('reset state and identification', () => {
  const { readD, readR, mrs, r } = make();
  assert.is(readD(0), 0x50, 'ARE and DS cannot be cleared');
  assert.is(readD(4) & 0x1f, 8);
  assert.is((readD(4) >>> 19) & 31, 15, '16 bits of INTID');
  assert.is(readD(0xffe8) & 0xf0, 0x30, 'GICD_PIDR2: version 3');
  assert.is(readR(0xffe8) & 0xf0, 0x30, 'GICR_PIDR2');
  assert.is(readR(8), 0x10, 'GICR_TYPER: the last one, processor 0, no LPIs');
  assert.is(readR(12), 0, 'affinity 0.0.0.0');
  assert.is(readR(0x14), 6, 'asleep');
  r(0x14, 0);
  assert.is(readR(0x14), 0, 'awake at once');
  assert.is(mrs(SRE), 7);
  assert.is((mrs(CTLR) >>> 8) & 7, 4, 'five bits of priority');
  assert.is(mrs(BPR0), 2);
  assert.is(mrs(BPR1), 3);
  assert.is(mrs(RPR), 0xff);
  assert.is(mrs(IAR1), SPURIOUS);
});

test('SPIs are the distributor’s, SGIs and PPIs the redistributor’s', () => {
  const { d, r, readD, readR } = make();
  d(0x100, 0xffffffff);
  assert.is(readD(0x100), 0);
  r(SGI + 0x100, 0x8000ffff);
  assert.is(readR(SGI + 0x100), 0x8000ffff, 'SGIs can be disabled here');
  r(SGI + 0x104, 0xffffffff);
  assert.is(readR(SGI + 0x104), 0);
  assert.is(readD(0x104), 0);
  d(0x400, 0xa0a0a0a0);
  assert.is(readD(0x400), 0);
  d(0x420, 0xa7, 1);
  assert.is(readD(0x420), 0xa0, 'three bits of priority are not there');
});

test('a timer interrupt from line to EOI', () => {
  const { gic, irq, fiq, mrs, msr } = makeOn();
  const line = gic.line(27);
  line.set(true);
  assert.equal([irq.level, fiq.level], [true, false]);
  assert.is(mrs(HPPIR1), 27);
  assert.is(mrs(IAR1), 27);
  assert.is(irq.level, false);
  assert.is(mrs(RPR), 0xa0);
  assert.is(mrs(AP1R0), 1 << (0xa0 >> 3));
  line.set(false);
  msr(EOIR1, 27);
  assert.is(mrs(RPR), 0xff);
  assert.is(mrs(IAR1), SPURIOUS);
});

test('split EOI and deactivation', () => {
  const { gic, irq, mrs, msr, readD } = makeOn();
  msr(CTLR, 2);
  gic.line(33).set(true);
  assert.is(mrs(IAR1), 33);
  msr(EOIR1, 33);
  assert.is(readD(0x304), 2);
  assert.is(irq.level, false);
  msr(DIR, 33);
  assert.is(readD(0x304), 0);
  assert.is(irq.level, true, 'the line is still high');
});

test('preemption and the running priority', () => {
  const { gic, irq, d, mrs, msr } = makeOn();
  d(0x400 + 34, 0x80, 1);
  gic.line(33).set(true);
  assert.is(mrs(IAR1), 33);
  gic.line(34).set(true);
  assert.is(irq.level, true);
  assert.is(mrs(IAR1), 34);
  assert.is(mrs(RPR), 0x80);
  gic.line(34).set(false);
  msr(EOIR1, 34);
  assert.is(mrs(RPR), 0xa0);
});

test('the priority mask keeps its five bits', () => {
  const { gic, irq, msr, mrs } = makeOn();
  gic.line(33).set(true);
  msr(PMR, 0xa7);
  assert.is(mrs(PMR), 0xa0);
  assert.is(irq.level, false);
  msr(PMR, 0xff);
  assert.is(mrs(PMR), 0xf8);
  assert.is(irq.level, true);
});

test('binary points have a smallest value', () => {
  const { msr, mrs } = make();
  msr(BPR0, 0);
  msr(BPR1, 0);
  assert.equal([mrs(BPR0), mrs(BPR1)], [2, 3]);
  msr(BPR0, 5);
  msr(CTLR, 1);
  assert.is(mrs(BPR1), 6, 'CBPR: Group 0’s plus one');
});

test('SGIs by affinity, in the register’s group', () => {
  const { irq, msr, mrs, r } = makeOn();
  msr(SGI1R, (3 << 24) | 1);
  assert.is(irq.level, true);
  assert.is(mrs(IAR1), 3);
  msr(EOIR1, 3);
  msr(SGI1R, (3 << 24) | 2);
  msr(SGI1R, (3 << 24) | (1 << 16) | 1);
  msr(SGI1R, (3 << 24) | 1, 1);
  msr(SGI1R, (3 << 24) | 1, 0x100);
  msr(SGI1R, (3 << 24) | 1, 0x10000);
  msr(SGI0R, (3 << 24) | 1);
  assert.is(mrs(IAR1), SPURIOUS, 'other processors, all others, or Group 0');
  r(SGI + 0x80, 0xfffffff7);
  msr(SGI0R, (3 << 24) | 1);
  assert.is(irq.level, false, 'Group 0 is off');
});

test('Group 0 comes as FIQ, through its own registers', () => {
  const { gic, irq, fiq, d, msr, mrs } = makeOn();
  d(0, 3);
  d(0x84, ~(1 << 1));
  msr(IGRPEN0, 1);
  gic.line(33).set(true);
  assert.equal([irq.level, fiq.level], [false, true]);
  assert.is(mrs(IAR1), SPURIOUS);
  assert.is(mrs(IAR0), 33);
  msr(EOIR1, 33);
  assert.is(mrs(RPR), 0xa0, 'the other group’s EOIR is ignored');
  gic.line(33).set(false);
  msr(EOIR0, 33);
  assert.is(mrs(RPR), 0xff);
});

/** System registers as a device of their own, so that the same properties can be tried on them. */
function registersFace(gic: GicV3): BusDevice {
  const registers = [PMR, IAR0, EOIR0, BPR0, AP1R0, DIR, RPR, SGI1R, SGI0R, IAR1, EOIR1, HPPIR1, BPR1, CTLR, SRE];
  const all = [...registers, IGRPEN0, IGRPEN1, sysreg(12, 9, 1)];
  return {
    name: 'icc',
    read: (offset, size) => gic.readRegister(all[offset % all.length]) % 2 ** (8 * size),
    write: (offset, size, value) => gic.writeRegister(all[offset % all.length], value, size),
  };
}

const plan: Plan = {
  make: () => {
    const irq = new TestLine();
    const fiq = new TestLine();
    const gic = new GicV3({ interrupts: 96, irq, fiq });
    const inputs = [16, 27, 32, 33, 64].map((id) => (n: number) => gic.line(id).set(n % 2 === 1));
    return {
      device: gic,
      faces: [gic.distributor, gic.redistributor, registersFace(gic)],
      inputs,
      outputs: () => [irq.level, fiq.level],
    };
  },
  offsets: [
    [0, 4, 0x84, 0x104, 0x108, 0x184, 0x204, 0x284, 0x304, 0x384, 0x420, 0x440, 0xc08, 0x6100, 0xffe8],
    [0, 8, 0x14, SGI + 0x80, SGI + 0x100, SGI + 0x180, SGI + 0x200, SGI + 0x300, SGI + 0x400, SGI + 0x41b, SGI + 0xc04],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
  ],
  values: [0, 1, 2, 3, 0xff, 0xf0, 0x01010101, 0xffffffff, 27, 32, 33, 0x12],
};

test('any access, and states that travel', () => {
  checkRandomAccess(plan);
  checkDamagedStates(plan);
});

test.run();
