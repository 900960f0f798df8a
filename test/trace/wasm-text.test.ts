import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wasmText } from '../../src/trace/wasm-text.js';

/** A section: id, length, contents. */
const section = (id: number, ...contents: number[]): number[] => [id, contents.length, ...contents];
const ascii = (text: string): number[] => [text.length, ...Buffer.from(text)];

/** A module of one function (i32) -> i32 that imports memory "m" and a function "a" (i64) -> i64 from "c". */
function module(body: readonly number[], hints: readonly number[] = []): Uint8Array {
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7e, 1, 0x7e),
    ...section(2, 2, ...ascii('c'), ...ascii('m'), 2, 0, 1, ...ascii('c'), ...ascii('a'), 0, 1),
    ...section(3, 1, 0),
    ...section(7, 1, ...ascii('r'), 0, 1),
    ...(hints.length ? section(0, ...ascii('metadata.code.branch_hint'), 1, 1, hints.length / 3, ...hints) : []),
    ...section(10, 1, body.length, ...body),
  ]);
}

const names = {
  import: (name: string) => (name === 'a' ? 'load' : undefined),
  address: (address: number) => (address === 0x1008 ? 'rcx' : undefined),
};
/** One i64 and one v128 local. */
const LOCALS = [2, 1, 0x7e, 1, 0x7b];

function body(bytes: readonly number[], hints: readonly number[] = []): string[] {
  const binary = module([...LOCALS, ...bytes, 0x0b], hints);
  const imports = { c: { m: new WebAssembly.Memory({ initial: 1 }), a: (x: bigint) => x } };
  // What V8 does not take is no test.
  void new WebAssembly.Instance(new WebAssembly.Module(binary.slice()), imports);
  const lines = wasmText(binary, names);
  return lines.slice(5, -1).map((line) => line.slice(4));
}

test('the module around the function', () => {
  const lines = wasmText(module([...LOCALS, 0x20, 0, 0x0b]), { ...names, parameters: ['fuel'] });
  assert.equal(lines, [
    '(module',
    '  (import "c" "m" (memory 0))',
    '  (import "c" "a" (func $load (param i64) (result i64)))',
    '  (func $region (export "r") (param $fuel i32) (result i32)',
    '    (local $1 i64) (local $2 v128)',
    '    (local.get $fuel)',
    '  ))',
  ]);
});

test('operands go into the instructions that take them; places give their names to locals', () => {
  assert.equal(
    // i32.const 0; i64.load offset=0x1008; local.set 1; i32.const 8; local.get 1; i64.const -1; i64.add; call a; i64.store; local.get 0
    body([
      ...[0x41, 0, 0x29, 0, 0x88, 0x20, 0x21, 1],
      ...[0x41, 8, 0x20, 1, 0x42, 0x7f, 0x7c, 0x10, 0, 0x37, 0, 0, 0x20, 0],
    ]),
    [
      '(local.set $rcx (i64.load offset=0x1008 (;rcx;) (i32.const 0)))',
      '(i64.store (i32.const 8) (call $load (i64.add (local.get $rcx) (i64.const -1))))',
      '(local.get $0)',
    ],
  );
});

test('blocks, branches, hints', () => {
  // block; loop; local.get 0; br_if 1 (unlikely); local.get 0; if; br 1; else; br 2; end; end; end; local.get 0
  assert.equal(
    body(
      [
        0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x0d, 1, 0x20, 0, 0x04, 0x40, 0x0c, 1, 0x05, 0x0c, 2, 0x0b, 0x0b, 0x0b, 0x20,
        0,
      ],
      [...[11, 1, 0], ...[15, 1, 1]],
    ),
    [
      'block $b1',
      '  loop $loop2',
      '    (br_if $b1 (local.get $0))  ;; unlikely',
      '    (local.get $0)',
      '    if $b3  ;; likely',
      '      (br $loop2)',
      '    else',
      '      (br $b1)',
      '    end  ;; $b3',
      '  end  ;; $loop2',
      'end  ;; $b1',
      '(local.get $0)',
    ],
  );
});

test('the value of a block, and br_table', () => {
  // block; block; local.get 0; br_table 0 1; end; end; local.get 0; if (result i32); i32.const 1; else; i32.const 2; end; i32.const 3; i32.add
  assert.equal(
    body([
      ...[0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 1, 0x0b, 0x0b],
      ...[0x20, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x41, 3, 0x6a],
    ]).slice(5),
    [
      '(local.get $0)',
      'if $b3 (result i32)',
      '  (i32.const 1)',
      'else',
      '  (i32.const 2)',
      'end  ;; $b3',
      '(i32.add (;$b3;) (i32.const 3))',
    ],
  );
});

test('vectors, floating point, wide numbers', () => {
  assert.equal(
    body([
      // v128.const; local.set 2
      ...[0xfd, 12, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x80, 0x21, 2],
      // i32.const 0; local.get 2; local.get 2; i8x16.shuffle; i64x2.extract_lane 1; i64.store offset=16
      ...[0x41, 0, 0x20, 2, 0x20, 2, 0xfd, 13, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 31],
      ...[0xfd, 29, 1, 0x37, 0, 16],
      // f64.const 1.5; i32.trunc_sat_f64_s; i32.const 0x12345678; i32.xor
      ...[0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0xfc, 2, 0x41, 0xf8, 0xac, 0xd1, 0x91, 1, 0x73],
    ]),
    [
      '(local.set $2 (v128.const i32x4 0x00000001 0x00000002 0x00000003 0x80000000))',
      '(i64.store offset=0x10',
      '  (i32.const 0)',
      '  (i64x2.extract_lane 1',
      '    (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (local.get $2) (local.get $2))))',
      '(i32.xor (i32.trunc_sat_f64_s (f64.const 1.5)) (i32.const 0x12345678))',
    ],
  );
});

test('an expression that a statement interrupts stays in order', () => {
  // local.get 0; i64.const 1; local.set 1; i32.const 2; i32.add
  assert.equal(body([0x20, 0, 0x42, 1, 0x21, 1, 0x41, 2, 0x6a]), [
    '(local.get $0)',
    '(local.set $1 (i64.const 1))',
    '(i32.const 2)',
    '(i32.add)',
  ]);
});

test('what is no module of this kind is refused', () => {
  const good = module([0, 0x20, 0, 0x0b]);
  assert.not.throws(() => wasmText(good, names));
  for (let length = 0; length < good.length; length++) {
    assert.throws(
      () => wasmText(good.slice(0, length), names),
      (error: Error) => error instanceof SyntaxError,
      `${length}`,
    );
  }
  assert.throws(() => wasmText(module([0, 0x06, 0x0b]), names), /unknown opcode 0x6/);
  assert.throws(() => wasmText(module([0, 0xfd, 0xff, 0x7f, 0x0b]), names), /unknown opcode 0xfd/);
});

test.run();
