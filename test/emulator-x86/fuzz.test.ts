// Random guests: whatever they do, the core goes on, stays within its bounds and keeps to its budget; and they do the
// same in whole blocks, in slices of odd lengths, one instruction at a time, and compiled. TSVM_FUZZ_SEEDS asks for more of them.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { X86_STATE_SIZE } from '../../assembly/layout/x86-state.js';
import { type FuzzResult, FuzzRig } from './fuzz-rig.js';
import { changedPageTables, GUEST_MODES, GUEST_RAM, type RandomGuest, randomGuest } from './random-guest.js';

const SEEDS = Number(process.env['TSVM_FUZZ_SEEDS'] ?? 240);
const INSTRUCTIONS = 1500;
const ENDS = ['limit', 'halt', 'shutdown'];

const whole = await FuzzRig.create();
const pieces = await FuzzRig.create();
const compiled = [await FuzzRig.create({ threshold: 2 }), await FuzzRig.create({ threshold: 0xffffffff, baseline: 2 })];

/** Where two runs of one guest differ; empty if nowhere. */
function differences(guest: RandomGuest, a: FuzzResult, b: FuzzResult): string[] {
  const lines: string[] = [];
  if (a.end !== b.end) lines.push(`end: ${a.end} ${b.end}`);
  if (a.instructions !== b.instructions) lines.push(`instructions: ${a.instructions} ${b.instructions}`);
  if (a.bus !== b.bus) lines.push('bus traffic');
  for (let i = 0; i < X86_STATE_SIZE; i += 8) {
    const [x, y] = [a.state.u64(i), b.state.u64(i)];
    if (x !== y) lines.push(`state +0x${i.toString(16)}: ${x.toString(16)} ${y.toString(16)}`);
  }
  if (!a.ram.equals(b.ram)) {
    const at = a.ram.findIndex((byte, i) => byte !== b.ram[i]);
    lines.push(`RAM at 0x${at.toString(16)}: ${a.ram[at].toString(16)} ${b.ram[at].toString(16)}`);
  }
  return lines.length > 0 && changedPageTables(guest, a.ram) ? [] : lines;
}

function check(seed: number, guest: RandomGuest, rig: FuzzRig, result: FuzzResult): void {
  const name = `seed ${seed} (${guest.mode})`;
  assert.ok(ENDS.includes(result.end), `${name}: ${result.end}`);
  assert.ok(result.instructions <= INSTRUCTIONS, `${name}: budget passed`);
  assert.is(rig.trespass(guest), null, name);
}

/** Slice lengths that never settle. */
function oddSlices(): () => number {
  let n = 1;
  return () => {
    n = (n * 7 + 3) % 41;
    return n + 1;
  };
}

GUEST_MODES.forEach((mode, index) => {
  test(`${mode}: random guests run alike in blocks, odd slices, single steps, and compiled`, () => {
    let instructions = 0;
    for (let seed = index; seed < SEEDS; seed += GUEST_MODES.length) {
      const guest = randomGuest(seed);
      assert.is(guest.mode, mode);
      const a = whole.run(guest, INSTRUCTIONS, () => INSTRUCTIONS);
      check(seed, guest, whole, a);
      instructions += a.instructions;
      const step = seed % 20 < 10;
      const b = pieces.run(guest, INSTRUCTIONS, step ? () => 0 : oddSlices());
      check(seed, guest, pieces, b);
      assert.equal(differences(guest, a, b), [], `seed ${seed} (${mode}), ${step ? 'steps' : 'slices'}`);
      for (const rig of compiled) {
        const c = rig.run(guest, INSTRUCTIONS, () => INSTRUCTIONS);
        check(seed, guest, rig, c);
        assert.equal(differences(guest, a, c), [], `seed ${seed} (${mode}), compiled`);
      }
    }
    // Most guests must come some way, or nothing has been tried.
    assert.ok(instructions > (SEEDS / GUEST_MODES.length) * 300, `${instructions} instructions in all`);
  });
});

test('a handler that faults for ever does not hold the slice', () => {
  // Real mode, every vector at 0x600: UD2. Each delivery succeeds, and nothing ever retires.
  const guest = randomGuest(0);
  const ram = new Uint8Array(GUEST_RAM);
  const view = new DataView(ram.buffer);
  for (let vector = 0; vector < 256; vector++) view.setUint32(4 * vector, 0x600, true);
  ram.set([0x0f, 0x0b], 0x600);
  guest.state.setU64(0x80, 0x600n);
  guest.state.setSegment(1, { selector: 0, base: 0n, limit: 0xffff, attr: 0x9b, unusable: false });
  guest.state.rflags = 2n;
  guest.state.setU64(0x1d0, 0x400n);
  const result = whole.run({ ...guest, ram }, 5000, () => 5000);
  assert.is(result.end, 'limit');
  assert.is(result.instructions, 5000);
  assert.is(result.state.rip, 0x600n);
});

test.run();
