// The generator of A64 cases: repeatable, inside its memory, and with encodings that do not overlap.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IMAGE_NZCV, IMAGE_X, inputImage } from '../../tools/isa-arm/case.js';
import { differences } from '../../tools/isa-arm/compare.js';
import { FILL, MAPPINGS } from '../../tools/isa-arm/environment.js';
import { casesOf, findGroup, GROUPS } from '../../tools/isa-arm/groups.js';
import { Pattern } from '../../tools/isa-arm/row.js';

const isMapped = (from: number, to: number) => {
  let at = from;
  while (at < to) {
    const m = MAPPINGS.find((one) => at >= one.at && at < one.at + one.size);
    if (!m?.writable) return false;
    at = m.at + m.size;
  }
  return true;
};

for (const group of GROUPS) {
  test(`${group.name}: cases are numbered and lie in memory that can be written`, () => {
    let next = 0;
    for (const c of casesOf(group)) {
      assert.is(c.index, next++);
      if (c.code.length < 1 || c.code.length > 16) assert.unreachable(`${c.name}: ${c.code.length} instructions`);
      if (!isMapped(c.pc, c.pc + 4 * c.code.length)) assert.unreachable(`${c.name}: code at ${c.pc.toString(16)}`);
      for (const w of c.windows) {
        if (!isMapped(w.at, w.at + w.bytes.length)) assert.unreachable(`${c.name}: window at ${w.at.toString(16)}`);
      }
    }
    assert.ok(next > 0);
  });
}

test('row names are unique in a group', () => {
  for (const group of GROUPS) {
    const names = group.rows.map((r) => r.name);
    assert.equal(names, [...new Set(names)]);
  }
});

test('the same cases every time, other ones in a variant', () => {
  const words = (variant: string) => [...casesOf(findGroup('branch'), variant)].map((c) => c.code[0]);
  assert.equal(words(''), words(''));
  assert.not.equal(words(''), words('other/'));
});

test('a pattern has 32 bits and encodes its fields where the manual has them', () => {
  // ADD X3, X4, #5 (Arm ARM C6.2.4)
  const add = new Pattern('sf:1 00 100010 sh:1 imm12:12 Rn Rd');
  assert.is(add.encode({ sf: 1, sh: 0, imm12: 5, Rn: 4, Rd: 3 }), 0x91001483);
  assert.throws(() => new Pattern('sf:1 00 Rn'), /8 bits/);
});

test('no case contains the instruction that ends it', () => {
  for (const group of GROUPS) {
    for (const c of casesOf(group)) if (c.code.includes(FILL)) assert.unreachable(`${group.name}/${c.index}`);
  }
});

test('differences are found', () => {
  const [c] = casesOf(findGroup('integer'));
  const flip = (at: number, bit: number) => {
    const image = inputImage(c);
    image[at] ^= bit;
    return differences(c, inputImage(c), image);
  };
  assert.equal(flip(0, 0).length, 0);
  assert.is(flip(IMAGE_X + 8, 1).length, 1);
  assert.match(flip(IMAGE_NZCV + 3, 0x80)[0], 'nzcv');
});

test.run();
