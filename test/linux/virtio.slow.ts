// virtio devices under Debian's stock kernels, which find them by ACPI on the pc board and by the device tree on the virt
// board: one ext4 disk written by both, a read-only one, network, entropy, console.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GuestSession } from './guest-session.js';

const LINUX = fileURLToPath(new URL('../../../.cache/linux/', import.meta.url));
const COMMON = 'cryptomgr.notests nokaslr';
const BOARDS = [
  {
    name: 'pc',
    kernel: `${LINUX}vmlinuz-cloud`,
    initramfs: `${LINUX}initramfs-virtio.cpio.gz`,
    append: `console=ttyS0 ${COMMON} mitigations=off nopti lpj=4000000 i8042.nokbd i8042.noaux`,
    machine: 'pc',
    attach: ',if=virtio',
  },
  {
    name: 'virt',
    kernel: `${LINUX}arm64/Image`,
    initramfs: `${LINUX}arm64/initramfs-virtio.cpio.gz`,
    append: `console=ttyAMA0 ${COMMON}`,
    machine: 'virt,gic=3',
    attach: '',
  },
] as const;
type BoardCase = (typeof BOARDS)[number];

function boot(board: BoardCase, more: readonly string[], append: string): GuestSession {
  const kernel = ['--kernel', board.kernel, '--initrd', board.initramfs, '--append', `${board.append} ${append}`];
  return new GuestSession([...kernel, '--memory', '256M', '--machine', board.machine, '--mode', 'emu', ...more]);
}

/** Types a command; returns what the console shows until it has succeeded: its echo, possibly wrapped, and its output. */
async function command(guest: GuestSession, line: string): Promise<string> {
  guest.type(`${line}; echo "<$?>"\n`);
  return (await guest.expect(/<0>\r?\n/, 120)).replaceAll('\r', '');
}

async function withGuest(
  board: BoardCase,
  more: readonly string[],
  work: (guest: GuestSession) => Promise<void>,
  append = '',
): Promise<void> {
  const guest = boot(board, more, append);
  try {
    await guest.expect(/init: user space reached/, 400);
    await guest.expect(/# /, 60);
    await work(guest);
    guest.type('poweroff -f\n');
    assert.is(await guest.exit(60), 0);
  } finally {
    guest.kill();
  }
}

const missing = BOARDS.flatMap((b) => [b.kernel, b.initramfs]).filter((file) => !existsSync(file));
if (missing.length > 0) console.log(`skipped: ${missing.join(', ')} missing: run tools/fetch-linux.sh first`);
const hasMke2fs = spawnSync('mke2fs', ['-V']).status === 0;
if (!hasMke2fs) console.log('skipped: mke2fs is not installed (Debian: e2fsprogs)');
const linuxTest = missing.length === 0 ? test : test.skip;

(hasMke2fs ? linuxTest : test.skip)('both boards write to the same file system, one after the other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsvm-virtio-'));
  try {
    const disk = join(folder, 'disk.img');
    const file = openSync(disk, 'w');
    ftruncateSync(file, 16 << 20);
    closeSync(file);
    assert.is(spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', disk]).status, 0);
    const before: string[] = [];
    for (const board of [...BOARDS, BOARDS[0]]) {
      await withGuest(board, ['--disk', `file=${disk}${board.attach}`], async (guest) => {
        await command(guest, 'mount -t ext4 /dev/vda /mnt');
        await command(
          guest,
          `uname -m >> /mnt/log; dd if=/dev/zero of=/mnt/${before.length} bs=64k count=20 2>/dev/null`,
        );
        const log = await command(guest, 'cat /mnt/log');
        for (const name of before) assert.ok(log.includes(name), log);
        before.push(board.name === 'pc' ? 'x86_64' : 'aarch64');
        assert.match(log, new RegExp(before.join('\\n')));
        await command(guest, 'umount /mnt');
      });
      assert.is(spawnSync('e2fsck', ['-f', '-n', disk]).status, 0, 'the file system is sound');
    }
    await withGuest(BOARDS[1], ['--disk', `file=${disk},ro`], async (guest) => {
      await command(guest, 'mount -t ext4 -o ro /dev/vda /mnt');
      assert.match(await command(guest, 'cat /sys/block/vda/ro'), /^1$/m);
      assert.match(await command(guest, 'cat /mnt/log'), /x86_64\naarch64\nx86_64/);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

for (const board of BOARDS) {
  linuxTest(`${board.name}: DHCP and ping, entropy`, async () => {
    await withGuest(board, ['--net', 'user'], async (guest) => {
      await command(guest, 'ip link set eth0 up');
      assert.match(
        await command(guest, 'udhcpc -n -q -i eth0 -s /bin/true 2>&1'),
        /lease of 10\.0\.2\.15 obtained from 10\.0\.2\.2/,
      );
      await command(guest, 'ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2');
      assert.match(await command(guest, 'ping -c 2 10.0.2.2'), /2 packets received, 0% packet loss/);
      assert.match(await command(guest, 'ping -c 1 -W 5 192.0.2.1 || true'), /100% packet loss/);
      const bytes = await command(guest, 'head -c 16 /dev/hwrng | hexdump -e \'16/1 "%02x" "\\n"\'');
      assert.match(bytes, /^[0-9a-f]{32}$/m);
    });
  });

  linuxTest(`${board.name}: a shell on the virtio console`, async () => {
    const check = async (guest: GuestSession): Promise<void> => assert.match(await command(guest, 'tty'), /hvc0/);
    await withGuest(board, ['--console', 'virtio'], check, 'console=hvc0');
  });
}

test.run();
