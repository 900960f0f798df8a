import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch, tsvm } from './spawn.js';

/** Real mode: xor ax, ax; mov cx, 20000; next: add ax, cx; loop next; out F4h, al. Sums up, so it ends with code 16. */
const LOOP = Uint8Array.of(0x31, 0xc0, 0xb9, 0x20, 0x4e, 0x01, 0xc8, 0xe2, 0xfc, 0xb0, 0x10, 0xe6, 0xf4, 0xf4);
const image = scratch('loop.bin', LOOP);
const AT = ['explain', image, '--load-address', '0x7c00'];

interface Block {
  readonly address: string;
  readonly bits: number;
  readonly count: number;
  readonly instructions: readonly { address: string; bytes: string; text: string; operations: string[] }[];
  readonly region?: { blocks: { address: string }[]; moduleBytes: number; wasm: string[] };
}

test('without --block: the hottest blocks, with exact counts', async () => {
  const { code, stdout, stderr } = await tsvm([...AT, '--top', '2', '--json']);
  assert.is(code, 0, stderr);
  const blocks = JSON.parse(stdout) as { address: string; count: number; share: number; text: string; bytes: number }[];
  assert.is(blocks.length, 2);
  const [first] = blocks;
  // The first of 20000 rounds belongs to the block that the program begins with.
  assert.equal([first.address, first.count, first.bytes], ['0x7c05', 19999, 4]);
  assert.match(first.text, /^add +ax,cx$/);
  assert.ok(first.share > 0.99);
  const table = await tsvm([...AT]);
  assert.match(table.stdout, /^address +bits ring +executed +share/);
  assert.match(table.stdout, /^0x7c05 +16 +0-2 +19999 +\d+\.\d% +2 +4 +\d+ add +ax,cx$/m);
});

test('--block: instructions, their operations, and the WebAssembly', async () => {
  const { code, stdout, stderr } = await tsvm([...AT, '--block', '7c05', '--jit', 'threshold=100', '--json']);
  assert.is(code, 0, stderr);
  const block = JSON.parse(stdout) as Block;
  assert.equal([block.address, block.bits], ['0x7c05', 16]);
  assert.equal(
    block.instructions.map((i) => [i.address, i.bytes, i.text.replace(/ +/, ' ')]),
    [
      ['0x7c05', '01 c8', 'add ax,cx'],
      ['0x7c07', 'e2 fc', 'loop 0x7c05'],
    ],
  );
  assert.equal(block.instructions[0].operations, ['ax = add16 ax, cx  ; sets flags']);
  assert.ok(block.instructions[1].operations.length > 0);
  const { region } = block;
  assert.ok(region);
  assert.equal(
    region.blocks.map((b) => b.address),
    ['0x7c05'],
  );
  const text = region.wasm.join('\n');
  assert.match(text, /\(local\.set \$rax \(i64\.load offset=0x1000 \(;rax;\) \(i32\.const 0\)\)\)/);
  assert.match(text, /loop \$loop\d+/);
});

test('text: one under another, or side by side where there is room', async () => {
  const args = [...AT, '--block', '0x7c05', '--jit', 'threshold=100'];
  const narrow = await tsvm(args);
  assert.match(narrow.stdout, /^block 0x7c05: 16-bit code, 2 instructions, 4 bytes at physical address 0x7c05/);
  assert.match(narrow.stdout, /^ {4}7c05: {2}01 c8 +add +ax,cx\n +ax = add16 ax, cx/m);
  assert.match(narrow.stdout, /^\(module$/m);
  for (const [columns, pattern] of [
    ['120', /^ {4}7c05: {2}add +ax,cx +ax = add16 ax, cx {2}; sets flags$/m],
    ['240', /^ {4}7c05: {2}01 c8 +add +ax,cx +ax = add16 ax, cx {2}; sets flags +\(module$/m],
  ] as const) {
    process.env['COLUMNS'] = columns;
    const { stdout } = await tsvm(args);
    assert.match(stdout, pattern, columns);
  }
  delete process.env['COLUMNS'];
});

test('a block that is not hot enough is shown as it is', async () => {
  const { code, stdout, stderr } = await tsvm([...AT, '--block', '0x7c09']);
  assert.is(code, 0);
  assert.match(stdout, /not compiled/);
  assert.match(stderr, /note: the block was not compiled before the guest ended \(exit\): that takes \d+ executions/);
  const off = await tsvm([...AT, '--block', '0x7c09', '--jit', 'off']);
  assert.is(off.stderr, '');
  assert.match(off.stdout, /out +0xf4,al/);
});

test('what cannot be shown is refused by name', async () => {
  for (const [args, code, message] of [
    [
      [...AT, '--block', '0x1234'],
      125,
      /^E_NO_BLOCK: no code at 0x1234 was translated before the guest ended \(exit\)/,
    ],
    [[...AT, '--block', 'here'], 125, /^E_ADDRESS: --block 'here' is not an address/],
    [[...AT, '--top', '0'], 125, /^E_COUNT: /],
    [['explain', '/nowhere.img'], 127, /^E_NOT_FOUND: /],
  ] as const) {
    const result = await tsvm(args);
    assert.is(result.code, code);
    assert.match(result.stderr, message);
    assert.is(result.stdout, '');
  }
});

test.run();
