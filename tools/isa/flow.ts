// Branches: targets where INT3 waits, return addresses on the stack, loop counts.

import { type Draft, landing, poke, pokeInteger } from './draft.js';
import { little } from './encode.js';
import { codeSize, segmentsOf, TO_ABSENT } from './environment.js';

/** Where a far-reaching near branch goes, as an offset in CS; rarely to where no code can be. */
function farTarget(d: Draft): bigint {
  const { random, mode, opSize } = d;
  if (mode === '64') {
    if (random.oneIn(16)) return random.pick([0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 0x1234_5678_9abc_def0n]);
    if (random.oneIn(24)) return BigInt(TO_ABSENT + random.below(0x1000));
    return BigInt(landing(random));
  }
  if (mode === '32') return BigInt(landing(random));
  // Beyond the limit of CS: #GP.
  if (opSize === 2 && random.oneIn(12)) return BigInt(random.pick([0x10000, 0x12345678, 0xffffffff]));
  return BigInt(random.between(0x10, 0xffe0));
}

/** Sets up operands and immediates of a branch. */
export function setUpFlow(d: Draft): void {
  const { random, row, state, encoding, opSize, mode } = d;
  const [code] = row.operands;
  const offset = BigInt(d.linear - segmentsOf(mode).cs.base);
  if (/^(LOOP|JCXZ)/.test(row.mnemonic)) {
    const high = (random.u64() >> BigInt(d.width)) << BigInt(d.width);
    const count = random.pick([0n, 1n, 1n, 2n, BigInt.asUintN(d.width, random.u64())]);
    state.setGpr(1, (high | count) & (mode === '64' ? ~0n : 0xffffffffn));
  }
  if (code === 'Jb') {
    // Not into the branch itself.
    let disp = random.between(-128, 127);
    while (disp < 0 && disp >= -16) disp = random.between(-128, 127);
    encoding.immediate = [disp & 0xff];
  } else if (code === 'Jz') {
    const size = mode !== '64' && opSize === 1 ? 2 : 4;
    // Where exactly it lands may be off by a prefix that is still to come.
    const length = encoding.prefixes.length + encoding.opcode.length + size;
    let target = farTarget(d);
    if (mode === '64' && target >= 0x80000000n) target = BigInt(landing(random));
    encoding.immediate = little(BigInt.asUintN(32, target - offset - BigInt(length)), size);
  } else if (row.mnemonic.startsWith('RET')) {
    const target = farTarget(d);
    const size = mode === '64' ? 8 : 1 << opSize;
    const sp = BigInt.asUintN(mode === '64' ? 64 : mode === '16' ? 16 : 32, state.gpr(4));
    pokeInteger(d, Number(sp) + segmentsOf(mode).ss.base, target, size);
    if (code === 'Iw') encoding.immediate = little(random.pick([0, 8, 16, random.below(0x10000)]), 2);
  } else if (code === 'Ev') {
    const target = farTarget(d);
    const size = mode === '64' ? 8 : 1 << opSize;
    if (d.ea !== null) poke(d, d.ea, little(target, size));
    else {
      // A branch to the stack pointer would execute what lies on the stack.
      if (d.rm === 4) d.rm = 3;
      d.pinned.add(d.rm);
      const bits = BigInt(8 * size);
      const high = mode === '64' ? 0n : (BigInt(random.u32()) >> bits) << bits;
      state.setGpr(d.rm, target | high);
    }
  }
}

/** In 64-bit mode AMD truncates the target of a near branch with an operand-size prefix, Intel ignores the prefix. */
export function flowSizes(mode: Draft['mode']): readonly number[] {
  if (mode === '64') return [3];
  // Flat 32-bit code: a 16-bit target would lie in the first 64 KiB, where nothing is.
  return mode === '32' ? [2] : [codeSize(mode), 3 - codeSize(mode)];
}
