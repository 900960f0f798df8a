// Whole runs through the command line, under the emulator, which every host has.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunStatistics } from '../../src/trace/stats.js';
import { PROGRAMS, program, scratch, tsvm } from './spawn.js';

const readStats = (path: string): RunStatistics => JSON.parse(readFileSync(path, 'utf8'));

test('hello.img prints and exits with its own code', async () => {
  const result = await tsvm(['run', 'guests/hello.img', '--mode', 'emu']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stdout, /^Hello from tsvm!/);
  assert.is(result.stderr, '');
});

test('auto says on one line which mode it took and why', async () => {
  const result = await tsvm(['run', 'guests/hello.img']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /^tsvm: mode (virt|emu), because .+\n/);
  assert.match(result.stdout, /^Hello from tsvm!/);
});

test('auto with an option that needs exact counts takes the emulator', async () => {
  const result = await tsvm(['run', 'guests/hello.img', '--max-instructions', '10M']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /^tsvm: mode emu, because --max-instructions/);
});

test('a disk image boots through the BIOS, and --snapshot leaves the file alone', async () => {
  const image = readFileSync('guests/boot16.img');
  const copy = scratch('boot16.img', image);
  const result = await tsvm(['run', copy, '--mode', 'emu', '--snapshot']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stdout, /second sector was read/);
  assert.equal(readFileSync(copy), image);
  const asDisk = await tsvm(['run', '-d', `file=${copy},format=raw,ro`, '--mode', 'emu']);
  assert.is(asDisk.code, 0, asDisk.stderr);
});

test('standard input reaches COM1, more of it than any buffer holds', async () => {
  const text = 'abcdefgh'.repeat(20_000);
  const result = await tsvm(program('echo'), { stdin: `${text}q` });
  assert.is(result.code, 3, result.stderr);
  assert.is(result.stdout.length, text.length + 1);
  assert.ok(result.stdout === `${text}q`, 'unchanged');
});

test('Ctrl-a in a pipe is a byte like any other', async () => {
  const result = await tsvm(program('echo'), { stdin: 'a\x01xb\x00q' });
  assert.is(result.code, 3);
  assert.is(result.stdout, 'a\x01xb\x00q');
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} ends a guest in an endless loop with ${code}`, async () => {
    let sent = false;
    const result = await tsvm(program('spin'), {
      stdin: null,
      onOutput: (child) => {
        if (!sent) child.kill(signal);
        sent = true;
      },
    });
    assert.is(result.code, code, result.stderr);
    assert.is(result.stdout, '.');
  });
}

test('a reader that goes away ends a flooding guest', async () => {
  const result = await tsvm(program('flood'), {
    onOutput: (child) => {
      child.stdout?.destroy();
    },
  });
  assert.is(result.code, 141, result.stderr);
  assert.not.match(result.stderr, /EPIPE|\n\s+at /);
});

test('the end of standard input does not end the guest', async () => {
  const result = await tsvm([...program('spin'), '--max-instructions', '3M'], { stdin: '' });
  assert.is(result.code, 124);
  assert.match(result.stderr, /^E_MAX_INSTRUCTIONS: .*3000000 instructions at rip=0x7c06/);
});

test('a triple fault is told with its cause and the registers', async () => {
  const result = await tsvm(program('tripleFault'));
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_GUEST_SHUTDOWN: guest shut down: triple fault/);
  assert.match(result.stderr, /rip=[0-9a-f]{16} rflags=/);
});

test('a halt without interrupts is told', async () => {
  const result = await tsvm(program('halt'), { stdin: null });
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_GUEST_HALTED: .*interrupts disabled/);
});

test('garbage to every port leaves machine and host standing', async () => {
  const result = await tsvm(program('everyPort'));
  assert.is(result.code, 42, result.stderr);
});

test('--strict-io names what nobody answers', async () => {
  const quiet = await tsvm(program('unclaimed'));
  assert.is(quiet.code, 0, quiet.stderr);
  const result = await tsvm([...program('unclaimed'), '--strict-io']);
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_STRICT_IO: write of 0x5a \(1 byte\) at port 0x2f9 \(COM2\).*rip=0x7c05/);
});

test('--no-reboot ends the run at a reset; without it the guest starts again', async () => {
  const once = await tsvm([...program('reset'), '--no-reboot']);
  assert.is(once.code, 0, once.stderr);
  assert.match(once.stderr, /^tsvm: guest asked for a reset by keyboard controller/);

  const stats = scratch('resets.json');
  const again = await tsvm([...program('reset'), '--max-instructions', '100', '--stats', stats]);
  assert.is(again.code, 124);
  assert.ok(readStats(stats).resets > 1);
});

test('--stats counts exits by name, and instructions', async () => {
  const path = scratch('stats.json');
  const result = await tsvm([...program('echo'), '--stats', path, '--cpu', 'i386', '-m', '8M'], { stdin: 'xyq' });
  assert.is(result.code, 3);
  const stats = readStats(path);
  assert.is(stats.mode, 'emu');
  assert.is(stats.cpu, 'i386');
  assert.is(stats.memoryBytes, 8 << 20);
  assert.is(stats.outcome, 'exit');
  assert.is(stats.exitCode, 3);
  assert.is(stats.io.pio['com1'].writes, 3);
  assert.is(stats.io.pio['debug-exit'].writes, 1);
  const { reads, writes } = stats.io.pio['com1'];
  assert.is(stats.exits['pio'], reads + writes + 1);
  assert.ok((stats.instructions ?? 0) >= PROGRAMS.echo.length / 3);
  assert.ok(stats.wallNanoseconds > 0 && (stats.mips ?? 0) > 0);
});

test('--stats - writes to standard error, and makes no file', async () => {
  const result = await tsvm([...program('echo'), '--stats', '-'], { stdin: 'xyq' });
  assert.is(result.code, 3);
  const json = result.stderr.slice(result.stderr.indexOf('{'), result.stderr.lastIndexOf('}') + 1);
  assert.is((JSON.parse(json) as RunStatistics).exitCode, 3);
  assert.not(existsSync('-'));
});

test('under the instruction clock two runs are the same', async () => {
  const runs: RunStatistics[] = [];
  const outputs: string[] = [];
  for (const n of [1, 2]) {
    const path = scratch(`run${n}.json`);
    const result = await tsvm([
      'run',
      'guests/longmode.img',
      '--mode',
      'emu',
      '--clock',
      'instructions',
      '--stats',
      path,
    ]);
    assert.is(result.code, 0, result.stderr);
    outputs.push(result.stdout);
    runs.push(readStats(path));
  }
  const [a, b] = runs;
  assert.is(outputs[0], outputs[1]);
  assert.is(a.instructions, b.instructions);
  assert.is(a.guestNanoseconds, b.guestNanoseconds);
  assert.equal(a.exits, b.exits);
});

test('virt and emu print the same', async () => {
  const path = scratch('virt.json');
  const virt = await tsvm(['run', 'guests/hello.img', '--mode', 'virt', '--stats', path]);
  if (virt.code === 126 && /^E_(KVM|KOFFI|ISA)_?/.test(virt.stderr)) {
    console.log(`skipped: ${virt.stderr.trim()}`);
    return;
  }
  assert.is(virt.code, 0, virt.stderr);
  const emu = await tsvm(['run', 'guests/hello.img', '--mode', 'emu']);
  assert.is(virt.stdout, emu.stdout);
  const stats = readStats(path);
  assert.is(stats.mode, 'virt');
  assert.match(stats.backend, /^(kvm_|built-in|unknown)/);
  assert.is(stats.instructions, null);
  assert.ok(stats.io.pio['com1'].writes >= virt.stdout.length);
});

test.run();
