// What the emulator tells of its blocks and regions agrees with the code they were made from.

import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TranslatedBlock } from '../../src/emulator/explain.js';
import { disassembleX86 } from '../../src/trace/disassemble-x86.js';
import { x86SlotName } from '../../src/trace/ir-slots-x86.js';
import { irText, readIrOperation } from '../../src/trace/ir-text.js';
import { wasmText } from '../../src/trace/wasm-text.js';
import type { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { runGuest } from '../jit/guest-run.js';

const IMAGES = ['guests', 'guests/systests']
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.img'));
const LIMIT = 5e5;

const names = { slot: x86SlotName, helper: (index: number) => `helper ${index}` };

/** Offsets in a block at which the disassembler finds instructions. */
function starts(block: TranslatedBlock, memory: GuestMemory): Set<number> {
  const found = new Set<number>();
  for (let offset = 0; offset < block.length; ) {
    found.add(offset);
    const left = memory.slice(block.physical + offset, block.length - offset);
    offset += disassembleX86(left, block.rip + BigInt(offset), block.bits).length;
  }
  return found;
}

test('disassembler and decoder agree where instructions begin; every operation has a text of its own', async () => {
  let blocks = 0;
  const opcodes = new Set<number>();
  for (const image of IMAGES) {
    await runGuest(image, undefined, LIMIT, (vcpu, memory) => {
      const view = new DataView(memory.memory.buffer);
      for (const block of vcpu.translatedBlocks()) {
        const name = `${image}: block 0x${block.address.toString(16)}`;
        // The bytes of one that reaches into a second page are in two places.
        const known = block.secondPage === undefined ? starts(block, memory) : undefined;
        for (let i = 0; i < block.operations; i++) {
          const at = view.getUint32(block.side + 4 * i, true) & 0xffff;
          assert.ok(known?.has(at) ?? true, `${name}, instruction at +${at}`);
          const op = readIrOperation(view, block.code + 16 * i);
          opcodes.add(op.opcode);
          assert.not.match(
            irText(op, names),
            /imm=|undefined|NaN|kind \d/,
            `${name}, opcode 0x${op.opcode.toString(16)}`,
          );
        }
        blocks++;
      }
    });
  }
  assert.ok(blocks > 1000, `${blocks} blocks`);
  assert.ok(opcodes.size > 100, `${opcodes.size} opcodes`);
});

test('the text of every region is whole: blocks are closed, imports and locals have names', async () => {
  let regions = 0;
  for (const image of IMAGES) {
    // What rewrites its code all the time would be compiled all the time.
    await runGuest(image, { threshold: image.endsWith('smc.img') ? 50 : 1 }, 50_000, (vcpu) => {
      const serials = new Set(vcpu.translatedBlocks().map((b) => b.serial));
      vcpu.compiledRegions().forEach(({ module, blocks }, i) => {
        assert.ok(
          blocks.every((serial) => serials.has(serial)),
          `${image}: a region lives longer than its blocks`,
        );
        // Text takes its time: some of them will do.
        if (i % 10 !== 0) return;
        const lines = wasmText(module, { import: (name) => `import_${name}`, address: () => undefined });
        const count = (word: string) => lines.filter((line) => line.trim().split(' ')[0] === word).length;
        assert.is(count('end'), count('block') + count('loop') + count('if'));
        assert.is(lines[0], '(module');
        assert.is(lines.at(-1), '  ))');
        // The function's own END is not shown; what stands before it is in its body.
        assert.match(lines.at(-2) ?? '', /^ {4}\(/);
        const parens = lines.join('').replace(/\(;.*?;\)/g, '');
        assert.is(parens.split('(').length, parens.split(')').length);
        regions++;
      });
    });
  }
  assert.ok(regions > 200, `${regions} regions`);
});

test('regions are forgotten with their code', async () => {
  await runGuest('guests/systests/smc.img', { threshold: 50 }, LIMIT, (vcpu) => {
    const { jitRegions, jitRegionsDropped } = vcpu.counters().details;
    assert.ok(jitRegionsDropped > 0);
    assert.is(vcpu.compiledRegions().length, jitRegions - jitRegionsDropped);
  });
});

test.run();
