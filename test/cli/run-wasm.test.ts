// tsvm run program.wasm: what the program gets, what comes of its output, and what is refused.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch, tsvm } from './spawn.js';

const ECHO = 'guests/wasi/echo.wasm';
const HELLO = 'guests/hello.img';

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, ...bytes: number[]): number[] => [id, bytes.length, ...bytes];
/** Type 0: no parameters, no results. */
const TYPES = section(1, 1, 0x60, 0, 0);
/** Imports one function of type 0. */
const imports = (space: string, field: string) => section(2, 1, ...name(space), ...name(field), 0, 0);
const MEMORY = section(5, 1, 0, 1);
/** One function of type 0 and its body. */
const FUNCTION = section(3, 1, 0);
const body = (...code: number[]) => section(10, 1, code.length + 2, 0, ...code, 0x0b);
/** Exports memory 0 and function `index` under these names. */
const exports = (memory: string, start: string, index: number) =>
  section(7, 2, ...name(memory), 2, 0, ...name(start), 0, index);
const module = (file: string, ...sections: number[][]): string =>
  scratch(file, Uint8Array.from([...MAGIC, ...sections.flat()]));

test('arguments, environment and standard input arrive; the exit code comes back', async () => {
  const args = ['run', ECHO, '--env', 'A=1', '--env', 'B=x=y', 'one', 'two', '--', '-v'];
  const { code, stdout, stderr } = await tsvm(args, { stdin: 'hello\nthere\n' });
  assert.is(stdout, 'env A=1\nenv B=x=y\narg echo.wasm\narg one\narg two\narg -v\nhello\nthere\n');
  assert.is(stderr, 'end of input\n');
  assert.is(code, 3);
});

test("the host's environment stays hidden", async () => {
  process.env['TSVM_TEST_SECRET'] = 'x';
  const { stdout } = await tsvm(['run', ECHO]);
  delete process.env['TSVM_TEST_SECRET'];
  assert.is(stdout, 'arg echo.wasm\n');
});

test('output streams: an answer to each line, before the next is sent', async () => {
  const lines = ['first\n', 'second\n', 'third\n'];
  let sent = 0;
  const { code, stdout } = await tsvm(['run', ECHO], {
    stdin: null,
    onOutput: (child, text) => {
      const expected = `arg echo.wasm\n${lines.slice(0, sent).join('')}`;
      if (text !== expected) return;
      if (sent < lines.length) child.stdin?.write(lines[sent++]);
      else child.stdin?.end();
    },
  });
  assert.is(stdout, `arg echo.wasm\n${lines.join('')}`);
  assert.is(code, 0);
});

test('every byte passes, in both directions', async () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  const { stdout } = await tsvm(['run', ECHO], { stdin: bytes });
  const echoed = Buffer.from(stdout, 'latin1').subarray('arg echo.wasm\n'.length);
  assert.is(Buffer.compare(echoed, bytes), 0);
});

test('a program in an endless loop can be ended', async () => {
  const { code } = await tsvm(['run', ECHO, 'spin'], { stdin: null, onOutput: (child) => child.kill('SIGTERM') });
  assert.is(code, null);
});

test('the workloads run as WASI modules', async () => {
  const { code, stdout } = await tsvm(['run', 'guests/bench/wasi/sieve.wasm', 'rounds=2 repeat=1']);
  assert.is(stdout, 'start\nround a586848b\nround a586848b\n');
  assert.is(code, 0);
});

const WASI = 'wasi_snapshot_preview1';
const START = [TYPES, FUNCTION, MEMORY, exports('memory', '_start', 0)] as const;
const empty = module('empty.wasm');
const bodiless = module('bodiless.wasm', ...START);
const CASES: readonly [what: string, args: string[], code: number, name: string, ...parts: string[]][] = [
  ['no exports', ['run', empty], 125, 'E_WASI_MODULE', 'nothing', '_start'],
  [
    'a reactor',
    ['run', module('reactor.wasm', TYPES, FUNCTION, MEMORY, exports('memory', '_initialize', 0), body())],
    125,
    'E_WASI_MODULE',
    'reactor',
  ],
  [
    'memory by another name',
    ['run', module('mem.wasm', TYPES, FUNCTION, MEMORY, exports('ram', '_start', 0), body())],
    125,
    'E_WASI_MODULE',
    'memory',
  ],
  ['a function without a body', ['run', bodiless], 125, 'E_WASM_INVALID'],
  ['truncated', ['run', scratch('short.wasm', Uint8Array.from(MAGIC.slice(0, 5)))], 125, 'E_WASM_INVALID'],
  ['a component', ['run', scratch('c.wasm', Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0))], 125, 'E_WASM_COMPONENT'],
  ['a trap', ['run', module('trap.wasm', ...START, body(0x00))], 125, 'E_WASM_TRAP', 'unreachable', 'function 0'],
  ['endless recursion', ['run', module('deep.wasm', ...START, body(0x10, 0))], 125, 'E_WASM_TRAP', 'call stack'],
  ['a mode', ['run', ECHO, '--mode', 'virt'], 126, 'E_OPTION_CONFLICT', '--mode'],
  ['a disk', ['run', ECHO, '-d', HELLO], 125, 'E_OPTION_CONFLICT', '--disk'],
  ['a variable without a value', ['run', ECHO, '--env', 'A'], 125, 'E_ENV', 'NAME=VALUE'],
  ['arguments for a machine', ['run', HELLO, 'x'], 125, 'E_USAGE', '--append'],
  ['a variable for a machine', ['run', HELLO, '--env', 'A=1'], 125, 'E_OPTION_CONFLICT', '--env'],
];
for (const [what, args, code, error, ...parts] of CASES) {
  test(`refused: ${what}`, async () => {
    const result = await tsvm(args);
    assert.is(result.code, code, result.stderr);
    assert.ok(result.stderr.startsWith(`${error}: `), result.stderr);
    for (const part of parts) assert.ok(result.stderr.includes(part), `${result.stderr} lacks ${part}`);
    assert.not.ok(result.stderr.includes('    at '), 'a stack trace');
    assert.is(result.stdout, '');
  });
}

test('foreign and unknown imports are named', async () => {
  const valid = (file: string, space: string, field: string) =>
    module(file, TYPES, imports(space, field), FUNCTION, MEMORY, exports('memory', '_start', 1), body());
  const other = await tsvm(['run', valid('other.wasm', 'env', 'print')]);
  assert.match(other.stderr, /^E_WASI_MODULE: .*'env\.print'/);
  const absent = await tsvm(['run', valid('absent.wasm', WASI, 'fd_fly')]);
  assert.match(absent.stderr, /^E_WASI_MODULE: .*fd_fly/);
});

test.run();
