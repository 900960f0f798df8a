// Every condition after every setter of flags, in one block: branches are fused with what is before them
// (assembly/ir/optimize.ts), so that the flags take many ways. Expectations: Arm ARM, AddWithCarry, ConditionHolds.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOP, STOP } from './a64.js';
import { CODE, EL1H, Rig } from './rig.js';

interface Flags {
  readonly n: boolean;
  readonly z: boolean;
  readonly c: boolean;
  readonly v: boolean;
}

function addWithCarry(a: bigint, b: bigint, carry: bigint, width: number): Flags {
  const sum = a + b + carry;
  const result = BigInt.asUintN(width, sum);
  const signed = BigInt.asIntN(width, a) + BigInt.asIntN(width, b) + carry;
  return {
    n: result >> BigInt(width - 1) === 1n,
    z: result === 0n,
    c: result !== sum,
    v: BigInt.asIntN(width, result) !== signed,
  };
}
const logic = (r: bigint, width: number): Flags => ({
  n: r >> BigInt(width - 1) === 1n,
  z: r === 0n,
  c: false,
  v: false,
});
const flagsOf = (nzcv: number): Flags => ({ n: !!(nzcv & 8), z: !!(nzcv & 4), c: !!(nzcv & 2), v: !!(nzcv & 1) });

function holds(cond: number, f: Flags): boolean {
  const bases = [f.z, f.c, f.n, f.v, f.c && !f.z, f.n === f.v, f.n === f.v && !f.z, true];
  return cond & 1 && cond !== 15 ? !bases[cond >> 1] : bases[cond >> 1];
}

const not = (x: bigint, width: number) => BigInt.asUintN(width, ~x);
/** X0 is a, X1 is b, C is set before. */
const SETTERS: readonly (readonly [name: string, word: number, flags: (a: bigint, b: bigint, w: number) => Flags])[] = [
  ['CMP X0, X1', 0xeb01001f, (a, b, w) => addWithCarry(a, not(b, w), 1n, w)],
  ['SUBS X2, X0, X1', 0xeb010002, (a, b, w) => addWithCarry(a, not(b, w), 1n, w)],
  ['SUBS X0, X0, X1', 0xeb010000, (a, b, w) => addWithCarry(a, not(b, w), 1n, w)],
  ['CMP X0, #5', 0xf100141f, (a, _, w) => addWithCarry(a, not(5n, w), 1n, w)],
  ['CMP X0, #5, LSL #12', 0xf140141f, (a, _, w) => addWithCarry(a, not(0x5000n, w), 1n, w)],
  ['SUBS X0, X0, #1', 0xf1000400, (a, _, w) => addWithCarry(a, not(1n, w), 1n, w)],
  ['CMN X0, X1', 0xab01001f, (a, b, w) => addWithCarry(a, b, 0n, w)],
  ['ADDS X2, X0, #1', 0xb1000402, (a, _, w) => addWithCarry(a, 1n, 0n, w)],
  ['ADCS X2, X0, X1', 0xba010002, (a, b, w) => addWithCarry(a, b, 1n, w)],
  ['SBCS X2, X0, X1', 0xfa010002, (a, b, w) => addWithCarry(a, not(b, w), 1n, w)],
  ['TST X0, X1', 0xea01001f, (a, b, w) => logic(a & b, w)],
  ['TST X0, #0xff', 0xf2401c1f, (a, _, w) => logic(a & 0xffn, w)],
  ['ANDS X0, X0, X1', 0xea010000, (a, b, w) => logic(a & b, w)],
  ['BICS X2, X0, X1', 0xea210002, (a, b, w) => logic(a & not(b, w), w)],
  ['CCMP X0, X1, #5, CS', 0xfa412005, (a, b, w) => addWithCarry(a, not(b, w), 1n, w)],
  ['CCMN X0, #5, #10, CS', 0xba45280a, (a, _, w) => addWithCarry(a, 5n, 0n, w)],
  ['CCMP X0, X1, #5, CC', 0xfa413005, () => flagsOf(5)],
  ['CCMN X0, X1, #10, CC', 0xba41300a, () => flagsOf(10)],
];

const VALUES = [
  0n,
  1n,
  5n,
  0x5000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  1n << 63n,
  (1n << 64n) - 1n,
];
const MSR_NZCV_X3 = 0xd51b4203;
const C = 0x20000000;
/** CSEL X4, X5, X6, cond; CSET X7, cond. */
const csel = (cond: number) => (0x9a8600a4 | (cond << 12)) >>> 0;
const cset = (cond: number) => (0x9a9f07e7 | ((cond ^ 1) << 12)) >>> 0;
/** B.cond over the next instruction. */
const branch = (cond: number) => 0x54000040 | cond;

test('branches and selections by every condition', async () => {
  const rig = await Rig.create();
  rig.pstate(EL1H).x(3, C).x(5, 55).x(6, 66);
  for (const [name, wide, flags] of SETTERS) {
    for (const width of [64, 32]) {
      const word = width === 64 ? wide : wide & 0x7fffffff;
      // The 32-bit form of a bitmask has no N.
      const setter = name.includes('#0xff') && width === 32 ? (word & ~0x400000) >>> 0 : word;
      for (let cond = 0; cond < 16; cond++) {
        const select = cond < 14 ? [csel(cond), cset(cond)] : [];
        rig.load(CODE, [MSR_NZCV_X3, setter, branch(cond), NOP, NOP]);
        rig.load(CODE + 0x100, [MSR_NZCV_X3, setter, ...select, STOP]);
        for (const a of VALUES) {
          for (const b of VALUES) {
            const expected = holds(cond, flags(BigInt.asUintN(width, a), BigInt.asUintN(width, b), width));
            const what = `${name} ${width} cond ${cond} a ${a.toString(16)} b ${b.toString(16)}`;
            rig.x(0, a).x(1, b);
            rig.state.pc = BigInt(CODE);
            rig.vcpu.writeState(rig.state);
            rig.vcpu.run({ instructions: 3, nanoseconds: 1e12 });
            rig.more(0);
            assert.is(rig.pc, CODE + (expected ? 16 : 12), what);
            if (cond >= 14) continue;
            rig.x(0, a).x(1, b);
            rig.state.pc = BigInt(CODE + 0x100);
            rig.vcpu.writeState(rig.state);
            rig.vcpu.run({ instructions: 5, nanoseconds: 1e12 });
            rig.more(0);
            assert.is(rig.state.x(4), expected ? 55n : 66n, what);
            assert.is(rig.state.x(7), expected ? 1n : 0n, what);
          }
        }
      }
    }
  }
});

test.run();
