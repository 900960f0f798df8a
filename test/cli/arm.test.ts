// AArch64 guests through the real command, under the emulator.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunStatistics } from '../../src/trace/stats.js';
import { type Result, type SpawnOptions, scratch, tsvm } from './spawn.js';

const words = (...code: number[]) => new Uint8Array(Uint32Array.from(code).buffer);

/** movz x0, #low; movk x0, #0x8400, lsl #16; hvc #0; b . */
const psci = (low: number) => [0xd2800000 | (low << 5), 0xf2b08000, 0xd4000002, 0x14000000];

/** Machine code for 0x40080000. */
const PROGRAMS = {
  /** Echoes the UART; after 'q' calls SYSTEM_OFF. */
  echo: words(
    // mov x1, #0x09000000; wait: ldr w2, [x1, #0x18]; tbnz w2, #4, wait
    ...[0xd2a12001, 0xb9401822, 0x3727ffe2],
    // ldr w2, [x1]; str w2, [x1]; cmp w2, #'q'; b.ne wait
    ...[0xb9400022, 0xb9000022, 0x7101c45f, 0x54ffff61],
    ...psci(8),
  ),
  /** wfi; b .-4 */
  halt: words(0xd503207f, 0x17ffffff),
  /** b . */
  spin: words(0x14000000),
  /** mov x1, #0x09000000; mov w2, #'r'; str w2, [x1]; SYSTEM_RESET */
  reset: words(0xd2a12001, 0x52800e42, 0xb9000022, ...psci(9)),
  /** mov x1, #0x09030000; ldr w2, [x1]; b . */
  nobody: words(0xd2a12061, 0xb9400022, 0x14000000),
  /** Five interrupts of the virtual timer through GICv2, each awaited by WFI and printed as 'A'; SYSTEM_OFF. */
  timer: words(
    // GICD_CTLR = 1; GICD_ISENABLER0 = 1 << 27; GICC_PMR = 0xff; GICC_CTLR = 1
    ...[0xd2a10004, 0x52800025, 0xb9000085, 0x52a10005, 0xb9010085, 0x91404086, 0x52801fe5, 0xb90004c5],
    ...[0x52800025, 0xb90000c5],
    // x1 = UART; w9 = 5; again: CNTV_TVAL_EL0 = 20000; CNTV_CTL_EL0 = 1; wfi
    ...[0xd2a12001, 0x528000a9, 0xd289c407, 0xd51be307, 0xd2800027, 0xd51be327, 0xd503207f],
    // w8 = GICC_IAR; CNTV_CTL_EL0 = 0; GICC_EOIR = w8; UART = w8 - 27 + 'A'; until w9 is 0
    ...[0xb9400cc8, 0xd51be33f, 0xb90010c8, 0x11009908, 0xb9000028, 0x71000529, 0x54fffea1],
    ...psci(8),
  ),
} as const;

function run(program: keyof typeof PROGRAMS, args: string[] = [], options: SpawnOptions = {}): Promise<Result> {
  const image = scratch(`arm-${program}.bin`, PROGRAMS[program]);
  return tsvm(['run', image, '--machine', 'virt', '--mode', 'emu', ...args], options);
}

function hello(): Uint8Array {
  return new Uint8Array(readFileSync(new URL('../../../guests/arm/hello.img', import.meta.url)));
}

/** An Image of 2 MiB, longer than what it is recognized by; its code begins in the second one. */
function largeImage(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 << 20);
  const view = new DataView(bytes.buffer);
  const start = 0x180000;
  // b start; image_size; flags: little-endian, pages of 4 KiB; magic
  view.setUint32(0, 0x14000000 | (start / 4), true);
  view.setBigUint64(0x10, BigInt(bytes.length), true);
  view.setBigUint64(0x18, 0xan, true);
  bytes.set([0x41, 0x52, 0x4d, 0x64], 0x38);
  bytes.set(code, start);
  return bytes;
}

test('a large Image is read to where it runs, again after a reset', async () => {
  // mov x1, #0x09000000; mov w2, #'r'; str w2, [x1]; adr x3, its beginning; str wzr, [x3]; SYSTEM_RESET
  const code = words(0xd2a12001, 0x52800e42, 0xb9000022, 0x10ffffa3, 0xb900007f, ...psci(9));
  const image = scratch('large-image', largeImage(code));
  const onOutput: SpawnOptions['onOutput'] = (child, text) => void (text.length >= 3 && child.kill('SIGTERM'));
  const result = await tsvm(['run', image, '--mode', 'emu'], { onOutput });
  assert.match(result.stdout, /^rrr/);
  assert.is(result.code, 128 + 15, result.stderr);
});

test('a large Image and little memory: E_FILE_TOO_LARGE', async () => {
  const image = scratch('too-large-image', largeImage(new Uint8Array(0)));
  const result = await tsvm(['run', image, '--mode', 'emu', '--memory', '1M']);
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_FILE_TOO_LARGE: image .*too-large-image.* has 2 MiB, more than the 1 MiB/);
});

test('an Image runs on the virt board without being asked to', async () => {
  const result = await tsvm(['run', 'guests/arm/hello.img', '--mode', 'emu']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stdout, /^Hello/);
  assert.is(result.stderr, '');
});

test('auto mode says why it emulates', async () => {
  const result = await tsvm(['run', 'guests/arm/hello.img']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /^tsvm: mode emu, because .+\n$/);
});

test('Image.gz', async () => {
  const result = await tsvm(['run', scratch('hello.gz', gzipSync(hello())), '--mode', 'emu']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stdout, /^Hello/);
});

test('the console: what is typed comes back, power off ends with 0', async () => {
  const result = await run('echo', [], { stdin: 'hello, qxyz' });
  assert.is(result.code, 0, result.stderr);
  assert.is(result.stdout, 'hello, q');
});

test('WFI, the virtual timer and the GIC, by both clocks', async () => {
  for (const clock of ['wall', 'instructions']) {
    const result = await run('timer', ['--clock', clock]);
    assert.is(result.code, 0, result.stderr);
    assert.is(result.stdout, 'AAAAA');
  }
});

test('statistics: deterministic ones repeat', async () => {
  const statistics: RunStatistics[] = [];
  for (const name of ['a', 'b']) {
    const path = scratch(`arm-stats-${name}.json`);
    await run('timer', ['--clock', 'instructions', '--stats', path]);
    statistics.push(JSON.parse(readFileSync(path, 'utf8')) as RunStatistics);
  }
  const [first, second] = statistics;
  assert.is(first.board, 'virt');
  assert.is(first.cpu, 'armv8-a');
  assert.is(first.outcome, 'poweroff');
  assert.is(first.exits['interrupt'], 5);
  assert.is(first.exits['psci'], 1);
  assert.is(first.exits['hlt'], 5);
  assert.is(first.io.mmio['pl011'].writes, 5);
  assert.is(first.instructions, second.instructions);
  assert.is(first.guestNanoseconds, second.guestNanoseconds);
});

test('a WFI that nothing can end: E_GUEST_HALTED with the registers', async () => {
  const result = await run('halt');
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_GUEST_HALTED: .*pc=0x40080004.*WFI/);
  assert.match(result.stderr, /x0=/);
});

test('--max-instructions', async () => {
  const result = await run('spin', ['--max-instructions', '1000']);
  assert.is(result.code, 124);
  assert.match(result.stderr, /^E_MAX_INSTRUCTIONS: .* 1000 instructions at pc=0x40080000/);
});

test('a reset under --no-reboot', async () => {
  const result = await run('reset', ['--no-reboot']);
  assert.is(result.code, 0);
  assert.is(result.stdout, 'r');
  assert.match(result.stderr, /PSCI SYSTEM_RESET/);
});

test('a reset starts the guest again', async () => {
  const result = await run('reset', [], {
    stdin: null,
    onOutput: (child, text) => {
      if (text.length >= 3) child.kill('SIGTERM');
    },
  });
  assert.is(result.code, 128 + 15);
  assert.match(result.stdout, /^rrr/);
});

test('--strict-io', async () => {
  const result = await run('nobody', ['--strict-io']);
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_STRICT_IO: read \(4 bytes\) at physical address 0x9030000 \(GPIO/);
  assert.match(result.stderr, /pc=0x40080004/);
});

test('virtualization=on starts the guest at EL2', async () => {
  const result = await tsvm(['run', 'guests/arm/hello.img', '--mode', 'emu', '-M', 'virt,gic=3,virtualization=on']);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stdout, /EL2/);
});

test.run();
