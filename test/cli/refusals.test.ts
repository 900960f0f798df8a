// Each thing a user can get wrong: exit code, a stable code at the start of the line, no stack trace.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch, tsvm } from './spawn.js';

const HELLO = 'guests/hello.img';

/** AArch64 Linux Image header: "ARM\x64" at 38H. */
function aarch64Image(): Uint8Array {
  const bytes = new Uint8Array(4096);
  bytes.set([0x41, 0x52, 0x4d, 0x64], 0x38);
  new DataView(bytes.buffer).setBigUint64(0x10, 4096n, true);
  return bytes;
}

mkdirSync(scratch('folder'));
const elf = scratch('truncated.elf', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1));
const arm = scratch('Image', aarch64Image());

const CASES: readonly [what: string, args: string[], code: number, name: string, ...parts: string[]][] = [
  ['absent image', ['run', 'nowhere.img'], 127, 'E_NOT_FOUND', 'nowhere.img'],
  ['absent kernel', ['run', '-k', 'nowhere'], 127, 'E_NOT_FOUND', 'kernel'],
  ['absent initrd', ['run', HELLO, '-i', 'nowhere'], 127, 'E_NOT_FOUND', 'initrd'],
  ['absent disk', ['run', HELLO, '-d', 'nowhere'], 127, 'E_NOT_FOUND', 'disk'],
  ['absent BIOS', ['run', 'guests/boot16.img', '--bios', 'nowhere'], 127, 'E_NOT_FOUND', 'BIOS'],
  ['path through a file', ['run', `${HELLO}/x`], 127, 'E_NOT_FOUND'],
  ['directory', ['run', scratch('folder')], 125, 'E_FILE_KIND', 'directory'],
  ['device', ['run', '/dev/null'], 125, 'E_FILE_KIND'],
  ['empty file', ['run', scratch('empty', '')], 125, 'E_IMAGE_UNKNOWN', 'empty'],
  ['text file', ['run', scratch('notes.txt', 'remember the milk\n')], 125, 'E_IMAGE_UNKNOWN', 'Accepted'],
  ['truncated ELF', ['run', elf], 125, 'E_IMAGE_TRUNCATED'],
  ['no image', ['run'], 125, 'E_NO_IMAGE'],
  ['image and kernel', ['run', HELLO, '-k', HELLO], 125, 'E_OPTION_CONFLICT', '--kernel'],
  ['BIOS for a kernel', ['run', HELLO, '--bios', 'guests/bios/bios.bin'], 125, 'E_OPTION_CONFLICT', '--bios'],
  ['BIOS of odd size', ['run', 'guests/boot16.img', '--mode', 'emu', '--bios', HELLO], 125, 'E_BIOS_SIZE'],
  ['disk that is no disk', ['run', '-d', HELLO], 125, 'E_DISK_BOOT'],
  ['three disks', ['run', HELLO, ...['-d', '-d', '-d'].flatMap((d) => [d, HELLO])], 125, 'E_DISK_COUNT', '3'],
  ['memory 0', ['run', HELLO, '-m', '0'], 125, 'E_MEMORY_SIZE'],
  ['memory negative', ['run', HELLO, '-m=-5M'], 125, 'E_MEMORY_SIZE'],
  ['memory absurd', ['run', HELLO, '-m', '64G'], 125, 'E_MEMORY_SIZE', '3G'],
  ['memory garbled', ['run', HELLO, '--memory', 'lots'], 125, 'E_MEMORY_SIZE', 'lots'],
  ['unknown mode', ['run', HELLO, '--mode', 'fast'], 125, 'E_MODE', 'virt, emu, auto'],
  ['unknown CPU', ['run', HELLO, '--cpu', '6502'], 125, 'E_CPU_UNKNOWN', 'max'],
  ['unknown clock', ['run', HELLO, '--clock', 'sun'], 125, 'E_CLOCK', 'wall, instructions'],
  ['load address garbled', ['run', HELLO, '--load-address', 'here'], 125, 'E_ADDRESS'],
  ['no instructions', ['run', HELLO, '--max-instructions', '0'], 125, 'E_COUNT'],
  ['disk format', ['run', HELLO, '-d', 'file=x,format=vmdk'], 125, 'E_DISK_FORMAT', 'raw'],
  ['AArch64 under virt', ['run', arm, '--mode', 'virt'], 126, 'E_ISA_MISMATCH', 'AArch64', 'Use --mode emu.'],
  ['AArch64 on the pc board', ['run', arm, '-M', 'pc'], 126, 'E_ISA_UNSUPPORTED', 'pc board'],
  ['x86 on the virt board', ['run', HELLO, '-M', 'virt'], 126, 'E_ISA_UNSUPPORTED', 'virt board'],
  ['AArch64 in too little RAM', ['run', arm, '--mode', 'emu', '-m', '1M'], 125, 'E_IMAGE_TOO_LARGE'],
  ['BIOS for AArch64', ['run', arm, '--bios', 'guests/bios/bios.bin'], 125, 'E_OPTION_CONFLICT', '--bios'],
  ['x86 CPU for AArch64', ['run', arm, '--cpu', 'i386'], 125, 'E_CPU_UNKNOWN', 'i386'],
  ['unknown machine', ['run', HELLO, '-M', 'raspi'], 125, 'E_MACHINE', 'pc, virt'],
  ['unknown GIC', ['run', arm, '-M', 'virt,gic=4'], 125, 'E_MACHINE', 'gic=3'],
  ['options for the pc', ['run', HELLO, '-M', 'pc,gic=3'], 125, 'E_MACHINE'],
  ['two processors', ['run', HELLO, '--smp', '2'], 125, 'E_SMP', 'one processor'],
  ['unknown network', ['run', HELLO, '--net', 'tap'], 125, 'E_NET', 'none, user'],
  ['unknown console', ['run', HELLO, '--console', 'vga'], 125, 'E_CONSOLE', 'serial, virtio'],
  ['unknown disk interface', ['run', HELLO, '-d', 'file=x,if=scsi'], 125, 'E_DISK_OPTION', 'ide, virtio'],
  ['IDE on the virt board', ['run', arm, '-d', `file=${HELLO},if=ide`], 125, 'E_DISK_OPTION', 'virt board'],
  ['boot from virtio', ['run', '-d', 'file=guests/boot16.img,if=virtio'], 125, 'E_DISK_BOOT', 'IDE'],
  ['virt board without image', ['run', '-M', 'virt', '-d', HELLO], 125, 'E_NO_IMAGE'],
  ['statistics nowhere', ['run', HELLO, '--stats', 'no/such/folder/s.json'], 127, 'E_NOT_FOUND', '--stats'],
  ['statistics into a folder', ['run', HELLO, '--stats', scratch('folder')], 125, 'E_FILE_KIND'],
  [
    'instruction clock under virt',
    ['run', HELLO, '--mode', 'virt', '--clock', 'instructions'],
    125,
    'E_OPTION_CONFLICT',
  ],
  ['unknown option', ['run', HELLO, '--frobnicate'], 125, 'E_USAGE', '--frobnicate'],
  ['unknown verb', ['fly'], 125, 'E_USAGE', 'fly'],
  ['option without value', ['run', HELLO, '-m'], 125, 'E_USAGE'],
  ['two images', ['run', HELLO, HELLO], 125, 'E_USAGE'],
];

for (const [what, args, code, name, ...parts] of CASES) {
  test(`${what}: ${name}`, async () => {
    // AArch64 hosts name other instruction sets.
    if (what.startsWith('AArch64') && process.arch !== 'x64') return;
    const result = await tsvm(args);
    assert.is(result.code, code, result.stderr);
    assert.ok(result.stderr.startsWith(`${name}: `), result.stderr);
    for (const part of parts) assert.ok(result.stderr.includes(part), result.stderr);
    assert.not.match(result.stderr, /\n\s+at /);
    assert.is(result.stderr.trimEnd().split('\n').length, 1, 'one line');
    assert.is(result.stdout, '');
  });
}

test('a FIFO without a writer is refused, not waited for', async () => {
  const fifo = scratch('fifo');
  try {
    execFileSync('mkfifo', [fifo]);
  } catch (error) {
    console.log(`skipped: mkfifo: ${error}`);
    return;
  }
  for (const args of [[fifo], ['guests/hello.img', '-d', fifo]]) {
    const result = await tsvm(['run', ...args]);
    assert.is(result.code, 125);
    assert.match(result.stderr, /^E_FILE_KIND: /);
  }
});

test('an unreadable file: E_FILE_PERMISSION', async () => {
  if (process.getuid?.() === 0) {
    console.log('skipped: root may read everything');
    return;
  }
  const path = scratch('secret.img', 'x');
  chmodSync(path, 0);
  const result = await tsvm(['run', path]);
  assert.is(result.code, 125);
  assert.match(result.stderr, /^E_FILE_PERMISSION: /);
});

test('help starts with examples', async () => {
  for (const args of [['--help'], ['run', '--help']]) {
    const result = await tsvm(args);
    assert.is(result.code, 0);
    assert.ok(result.stdout.startsWith('Examples:\n  tsvm run '), result.stdout);
  }
});

test('the version is the package’s', async () => {
  const result = await tsvm(['--version']);
  assert.is(result.code, 0);
  assert.match(result.stdout, /^\d+\.\d+\.\d+\n$/);
});

test.run();
