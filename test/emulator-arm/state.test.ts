// ArmState: the layout as TypeScript reads it, and its way into the core and back.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import { ArmState, pstateNames, xOffset } from '../../src/vcpu/arm-state.js';
import { EL1H, Rig } from './rig.js';

test('X16 to X30 lie behind the program counter', () => {
  assert.is(xOffset(0), 0);
  assert.is(xOffset(15), L.S_PC - 8);
  assert.is(xOffset(16), L.S_PC + 8);
  assert.is(xOffset(30), L.S_SP - 8);
});

test('registers keep their values and do not overlap', () => {
  const state = new ArmState();
  for (let n = 0; n < 31; n++) state.setX(n, BigInt(n + 1) << 40n);
  for (let n = 0; n < 32; n++) state.setV(n, (BigInt(n + 1) << 100n) | 7n);
  state.pc = 0x123n;
  state.sp = -16n;
  for (let n = 0; n < 31; n++) assert.is(state.x(n), BigInt(n + 1) << 40n);
  for (let n = 0; n < 32; n++) assert.is(state.v(n), (BigInt(n + 1) << 100n) | 7n);
  assert.is(state.pc, 0x123n);
  assert.is(state.sp, 0xfffffffffffffff0n);
});

test('PSTATE as in an SPSR', () => {
  const state = new ArmState();
  const value = (L.PSTATE_N | L.PSTATE_C | L.PSTATE_PAN | L.PSTATE_I | L.PSTATE_F | EL1H) >>> 0;
  state.pstate = value;
  assert.is(state.pstate, value);
  assert.is(state.el, 1);
  assert.is(pstateNames(value), 'EL1h NC IF PAN');
  assert.match(state.describe(), /pstate=a04000c5 \[EL1h NC IF PAN\]/);
});

test('a state comes back from the core as it went in', async () => {
  const rig = await Rig.create({ el2: true });
  const state = ArmState.reset(new ArmState(), 1, 0x40001000n);
  for (let n = 0; n < 31; n++) state.setX(n, BigInt(n) * 0x0101010101010101n);
  for (const nzcv of [0, 0xf0000000, 0x60000000, 0x90000000]) {
    state.nzcv = nzcv;
    rig.vcpu.writeState(state);
    const back = new ArmState();
    rig.vcpu.readState(back);
    const parts = (s: ArmState) => [s.bytes.slice(0, L.ARM_HOT_END), s.bytes.slice(L.ARM_SYS_BASE)];
    assert.equal(parts(back), parts(state));
  }
});

test.run();
