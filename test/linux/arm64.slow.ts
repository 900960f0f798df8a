// Debian's stock AArch64 kernel to a busybox shell under emu, with either interrupt controller, and with a disk whose file
// system survives the machine. tools/fetch-linux.sh brings kernel and initramfs.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GuestSession } from './guest-session.js';

const LINUX = fileURLToPath(new URL('../../../.cache/linux/arm64/', import.meta.url));
const APPEND = 'console=ttyAMA0 cryptomgr.notests nokaslr';
const fetched = existsSync(`${LINUX}Image`);
if (!fetched) console.log('skipped: AArch64 Linux: run tools/fetch-linux.sh first');
const linuxTest = fetched ? test : test.skip;

function boot(initramfs: string, machine: string, more: readonly string[] = []): GuestSession {
  const kernel = ['--kernel', `${LINUX}Image`, '--initrd', `${LINUX}${initramfs}`, '--append', APPEND];
  return new GuestSession([...kernel, '--memory', '256M', '--machine', machine, '--mode', 'emu', ...more]);
}

async function shell(guest: GuestSession): Promise<void> {
  await guest.expect(/init: user space reached/, 400);
  await guest.expect(/# /, 60);
}

/** Types a command; returns what the console shows until it has succeeded: its echo, possibly wrapped, and its output. */
async function command(guest: GuestSession, line: string): Promise<string> {
  guest.type(`${line}; echo "<$?>"\n`);
  return (await guest.expect(/<0>\r?\n/, 120)).replaceAll('\r', '');
}

async function powerOff(guest: GuestSession): Promise<void> {
  guest.type('poweroff -f\n');
  assert.is(await guest.exit(60), 0);
}

for (const machine of ['virt,gic=2', 'virt,gic=3', 'virt,virtualization=on']) {
  linuxTest(`${machine}: shell, clock, sha256sum, awk, power off`, async () => {
    const guest = boot('initramfs.cpio.gz', machine);
    try {
      await shell(guest);
      assert.match(await command(guest, 'uname -m'), /aarch64/);

      const guestSeconds = Number(/^\d{10}$/m.exec(await command(guest, 'date +%s'))?.[0]);
      assert.ok(Math.abs(guestSeconds - Date.now() / 1000) < 30, `guest clock is at ${guestSeconds}`);

      const text = 'the quick brown fox';
      const digest = createHash('sha256').update(text).digest('hex');
      assert.match(await command(guest, `printf '${text}' | sha256sum`), new RegExp(digest));
      const sums = `awk 'BEGIN { printf "%.12f %d %s", 22 / 7, 12345 * 67890, 0.1 + 0.2 }'`;
      assert.match(await command(guest, sums), /3\.142857142857 838102050 0\.3/);
      assert.match(await command(guest, 'seq 1 2000 | sort -rn | head -1'), /^2000$/m);
      await command(guest, 'sleep 1');
      // Linux names the GICv2 by whether it was entered at EL2.
      const controller = machine.includes('gic=3') ? /GICv3/ : /GIC-0|GICv2/;
      assert.match(await command(guest, 'cat /proc/interrupts'), controller);
      await powerOff(guest);
    } finally {
      guest.kill();
    }
  });
}

linuxTest('reboot by PSCI', async () => {
  const guest = boot('initramfs.cpio.gz', 'virt');
  try {
    await shell(guest);
    guest.type('reboot -f\n');
    await guest.expect(/Linux version/, 120);
    await shell(guest);
    await powerOff(guest);
  } finally {
    guest.kill();
  }
});

const hasMke2fs = spawnSync('mke2fs', ['-V']).status === 0;
if (!hasMke2fs) console.log('skipped: AArch64 Linux with a disk: mke2fs is not installed (Debian: e2fsprogs)');

(hasMke2fs ? linuxTest : test.skip)('an ext4 disk on virtio keeps what was written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsvm-disk-'));
  try {
    const disk = join(folder, 'disk.img');
    const file = openSync(disk, 'w');
    ftruncateSync(file, 16 << 20);
    closeSync(file);
    assert.is(spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', disk]).status, 0);

    let digest = '';
    for (const pass of [1, 2]) {
      const guest = boot('initramfs-virtio.cpio.gz', 'virt', ['--disk', disk]);
      try {
        await shell(guest);
        await command(guest, 'mount -t ext4 /dev/vda /mnt');
        if (pass === 1) await command(guest, 'seq 1 200000 > /mnt/numbers');
        const sum = /[0-9a-f]{64}/.exec(await command(guest, 'sha256sum /mnt/numbers'))?.[0] ?? 'none';
        if (pass === 1) digest = sum;
        assert.is(sum, digest);
        await command(guest, 'umount /mnt');
        await powerOff(guest);
      } finally {
        guest.kill();
      }
    }
    const lines = Array.from({ length: 200000 }, (_, i) => `${i + 1}\n`).join('');
    assert.is(digest, createHash('sha256').update(lines).digest('hex'));
    assert.is(spawnSync('e2fsck', ['-f', '-n', disk]).status, 0, 'the file system is sound');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
