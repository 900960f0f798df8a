// Memory operands: where they lie, by which segment and which registers they are reached.

import * as L from '../../assembly/layout/x86-state.js';
import { type Draft, peek, poke, pokeInteger, randomWindow } from './draft.js';
import { encodeAddress, little } from './encode.js';
import { DATA, segmentsOf } from './environment.js';
import { classOf, toleratesMisalignment } from './rows.js';
import { integer } from './values.js';

/** Linear address of a memory operand of `size` bytes. */
export function chooseAddress(d: Draft, size: number): number {
  const { random, row } = d;
  if (size >= 16 && size < 90 && !(row.mnemonic === 'BOUND')) {
    const aligned = d.data + 16 * random.between(-8, 7);
    const strict = !toleratesMisalignment(row) && classOf(row) === 'vector';
    return random.oneIn(strict ? 16 : 2) ? aligned + random.between(1, 15) : aligned;
  }
  if (row.mnemonic === 'FXSAVE' || row.mnemonic === 'FXRSTOR') {
    return d.data - 512 + 16 * random.below(32) + (random.oneIn(8) ? random.below(16) : 0);
  }
  if (size >= 90) return d.data - random.between(0, 200);
  // One in eight across the page boundary.
  if (size > 1 && random.oneIn(8)) return d.data - random.between(1, size - 1);
  return random.oneIn(2) ? d.data + size * random.between(-8, 8) : d.data + random.between(-64, 64);
}

/** A segment override with a base of its own, now and then; sets segmentBase. */
export function chooseSegment(d: Draft, usual: 'ds' | 'ss' = 'ds'): void {
  const { random, state, mode, encoding } = d;
  const layout = segmentsOf(mode);
  if (mode !== '64') {
    d.segmentBase = BigInt(layout[usual].base);
    if (mode === '32' || !random.oneIn(6)) return;
    const [prefix, name] = random.pick([
      [0x26, 'es'],
      [0x36, 'ss'],
      [0x3e, 'ds'],
    ] as const);
    // The data lies outside the stack segment.
    if (name === 'ss') return;
    encoding.prefixes.unshift(prefix);
    d.segmentBase = BigInt(layout[name].base);
    return;
  }
  d.segmentBase = 0n;
  // These are ignored. (After FS or GS they are not, on AMD: such pairs are left out.)
  if (random.oneIn(12)) {
    encoding.prefixes.unshift(random.pick([0x26, 0x2e, 0x36, 0x3e]));
    return;
  }
  if (!random.oneIn(10)) return;
  const fs = random.oneIn(2);
  encoding.prefixes.unshift(fs ? 0x64 : 0x65);
  const index = fs ? L.SEG_FS : L.SEG_GS;
  const base = random.pick([0n, BigInt(random.below(0x100000)), d.width === 64 ? 0x7000_1234_5000n : 1n, 0x700000n]);
  state.setSegment(index, { ...state.segment(index), base });
  d.segmentBase = base;
}

/** ModRM, SIB and displacement for the memory operand, and the registers that they need. */
export function addressMemory(d: Draft, ea: number, stack: boolean): void {
  const { random, state, encoding, mode, width } = d;
  if (stack && width >= 32 && mode === '64' && random.oneIn(4)) {
    // [rsp + disp8], also for POP, which takes the stack pointer after the pop.
    const disp = random.between(-40, 40);
    encoding.modrm = [0x44 | ((d.reg & 7) << 3), 0x24, disp & 0xff];
    const size = d.opSize === 1 ? 2 : 8;
    const at = Number(BigInt.asUintN(width, state.gpr(4))) + disp + (d.row.mnemonic === 'POP' ? size : 0);
    pokeInteger(d, at, peek(d, ea, 8), 8);
    return;
  }
  if (d.row.mnemonic === 'LEA') {
    encodeAddress(random, state, target(d, random.u64()), encoding);
    return;
  }
  chooseSegment(d);
  // RBP-based addresses mean SS where there is no override: keep them out where the segments differ.
  if (mode === 'seg32' || mode === '16') {
    d.pinned.add(5);
    d.pinned.add(4);
  }
  const relative = /^BT[SRC]?$/.test(d.row.mnemonic) && d.row.operands[1] === 'Gv' ? bitStringDisplacement(d) : 0;
  encodeAddress(random, state, target(d, BigInt(ea - relative) - d.segmentBase), encoding);
}

function target(d: Draft, offset: bigint) {
  return { mode: d.mode, width: d.width, offset: BigInt.asUintN(d.width, offset), pinned: d.pinned, reg: d.reg };
}

/** BT with a register reaches beyond its operand: by how many bytes (SDM vol. 2, "BT—Bit Test"). */
function bitStringDisplacement(d: Draft): number {
  const bits = 8 << d.opSize;
  const offset = BigInt.asIntN(bits, d.state.gpr(d.reg));
  return Number(offset >> BigInt(3 + d.opSize)) << d.opSize;
}

/** Source, destination, count and prefix of a string instruction. */
export function setUpString(d: Draft): void {
  const { random, row, state, opSize, encoding, width, mode } = d;
  const size = row.mnemonic.endsWith('B') ? 1 : 1 << opSize;
  const layout = segmentsOf(mode);
  const at = (middle: number) => middle + random.pick([0, random.between(-30, 30), random.between(-30, 30)]);
  // Which of two bad operands faults first is the CPU's choice: only one of them is.
  const middles = [d.data, d.data];
  if (d.data !== DATA && (mode === '64' || mode === '32')) {
    middles[random.below(2)] = DATA;
    d.windows.push(randomWindow(random, DATA - 256, 512));
  }
  const [from, to] = middles.map(at);
  chooseSegment(d);
  const garbage = () =>
    (width === 64 ? 0n : (random.u64() >> BigInt(width)) << BigInt(width)) & (mode === '64' ? ~0n : 0xffffffffn);
  const set = (register: number, value: bigint) => {
    state.setGpr(register, BigInt.asUintN(width, value) | BigInt.asUintN(64, garbage()));
  };
  set(6, BigInt(from) - d.segmentBase);
  set(7, BigInt(to) - BigInt(layout.es.base));
  if (!random.oneIn(3)) {
    encoding.prefixes.push(random.pick([0xf3, 0xf2]));
    set(1, BigInt(random.oneIn(6) ? 0 : random.between(1, Math.min(20, Math.floor(160 / size)))));
  }
  if (/^(CMPS|SCAS)/.test(row.mnemonic) && !random.oneIn(4)) {
    // Mostly equal elements, so that a repeated comparison goes on for a while.
    const element = little(integer(random, 8 * size), size);
    for (let i = -24; i < 24; i++) {
      if (!random.oneIn(12)) poke(d, from + i * size, element);
      if (!random.oneIn(12)) poke(d, to + i * size, element);
    }
    if (row.mnemonic.startsWith('SCAS')) {
      const value = element.reduceRight((v, b) => (v << 8n) | BigInt(b), 0n);
      state.setGpr(0, random.oneIn(2) ? value : BigInt.asUintN(mode === '64' ? 64 : 32, ~value));
    }
  }
}
