// REPE and REPNE CMPS and SCAS: where they stop, whatever the size of elements, length, and place of what stops them
// (SDM vol. 2, REP/REPE/REPZ/REPNE/REPNZ: the count and the pointers are those after the pair that stopped it).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { X86State } from '../../src/vcpu/x86-state.js';
import { CodeRig } from '../jit/code-rig.js';

const [CODE, SOURCE, TARGET] = [0x10000, 0x40000, 0x50000];
const CF = 1n;
const ZF = 0x40n;

/** REP prefix, operand size, opcode; HLT. */
function code(scan: boolean, repeatIfEqual: boolean, size: number): Uint8Array {
  const prefix = size === 2 ? [0x66] : [];
  const rex = size === 8 ? [0x48] : [];
  const opcode = (scan ? 0xae : 0xa6) + (size === 1 ? 0 : 1);
  return Uint8Array.from([repeatIfEqual ? 0xf3 : 0xf2, ...prefix, ...rex, opcode, 0xf4]);
}

function put(ram: DataView, at: number, size: number, value: number): void {
  new Uint8Array(ram.buffer, ram.byteOffset + at, size).fill(0);
  if (size === 1) ram.setUint8(at, value);
  else ram.setUint16(at, value, true);
}

/** Elements that go on; the one, number `stop`, that ends the repetition; `misaligned` bytes off a boundary. */
function check(
  rig: CodeRig,
  scan: boolean,
  repeatIfEqual: boolean,
  size: number,
  n: number,
  stop: number,
  misaligned: number,
): void {
  const { ram, state } = rig;
  const source = SOURCE + misaligned;
  const target = TARGET + 3 * misaligned;
  for (let i = 0; i < n + 4; i++) {
    const equal = (i === stop) !== repeatIfEqual;
    put(ram, source + i * size, size, 0x50);
    put(ram, target + i * size, size, equal ? 0x50 : 0x4f);
  }
  rig.put(CODE, code(scan, repeatIfEqual, size));
  state.rip = BigInt(CODE);
  state.rflags = 2n;
  state.setGpr(0, 0x50n);
  state.setGpr(1, BigInt(n));
  state.setGpr(6, BigInt(source));
  state.setGpr(7, BigInt(target));
  rig.start();
  const exit = rig.run(1e6);
  const after = new X86State();
  rig.vcpu.readState(after);
  const name = `${scan ? 'scas' : 'cmps'} ${size} × ${n}, ${repeatIfEqual ? 'repe' : 'repne'}, stops at ${stop}, + ${misaligned}`;
  const done = Math.min(n, stop + 1);
  assert.equal(exit, { reason: 'halt' }, name);
  assert.is(after.gpr(1), BigInt(n - done), `${name}: RCX`);
  assert.is(after.gpr(7), BigInt(target + done * size), `${name}: RDI`);
  assert.is(after.gpr(6), BigInt(scan ? source : source + done * size), `${name}: RSI`);
  const equal = (done - 1 === stop) !== repeatIfEqual;
  // 50 – 50 or 50 – 4F: no borrow.
  assert.is(after.rflags & (ZF | CF), equal ? ZF : 0n, `${name}: flags`);
}

for (const scan of [false, true]) {
  for (const repeatIfEqual of [false, true]) {
    test(`${repeatIfEqual ? 'REPE' : 'REPNE'} ${scan ? 'SCAS' : 'CMPS'} stops where it should`, async () => {
      const rig = await CodeRig.create(undefined);
      for (const size of [1, 2, 4, 8]) {
        for (const n of [1, 2, 15, 16, 17, 31, 33, 64, 100]) {
          const stops = [0, 1, 7, 14, 15, 16, 17, 31, 32, 48, n - 2, n - 1, n, n + 1];
          for (const stop of new Set(stops.filter((k) => k >= 0))) {
            for (const misaligned of [0, 5]) check(rig, scan, repeatIfEqual, size, n, stop, misaligned);
          }
        }
      }
    });
  }
}

test('a comparison that ends with the page', async () => {
  const rig = await CodeRig.create(undefined);
  for (const size of [1, 4]) {
    for (const stop of [4094, 4095, 4096, 5000]) check(rig, false, true, size, 4100, stop, 0);
  }
});

test.run();
