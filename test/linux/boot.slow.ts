// Stock Debian kernels to a busybox shell under emu. tools/fetch-linux.sh brings kernels and initramfs.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GuestSession } from './guest-session.js';

const LINUX = fileURLToPath(new URL('../../../.cache/linux/', import.meta.url));
const APPEND = 'console=ttyS0 cryptomgr.notests nokaslr mitigations=off nopti lpj=4000000 i8042.nokbd i8042.noaux';
const KERNELS = [
  ['cloud kernel, ELF by PVH', 'vmlinux-cloud', true],
  ['cloud kernel, bzImage', 'vmlinuz-cloud', false],
  ['full kernel, bzImage', 'vmlinuz-full', false],
  ['full kernel, ELF by PVH', 'vmlinux-full', false],
] as const;

function boot(kernel: string): GuestSession {
  return new GuestSession([
    '--kernel',
    `${LINUX}${kernel}`,
    '--initrd',
    `${LINUX}initramfs.cpio.gz`,
    '--append',
    APPEND,
    '--memory',
    '256M',
    '--mode',
    'emu',
  ]);
}

/** Types a command; returns what the console shows until it has succeeded: its echo, possibly wrapped, and its output. */
async function command(guest: GuestSession, line: string): Promise<string> {
  guest.type(`${line}; echo "<$?>"\n`);
  return (await guest.expect(/<0>\r?\n/, 120)).replaceAll('\r', '');
}

for (const [name, kernel, reboots] of KERNELS) {
  if (!existsSync(LINUX + kernel)) {
    console.log(`skipped: ${name}: run tools/fetch-linux.sh first`);
    continue;
  }
  test(`${name}: shell, clock, sha256sum, awk, power off`, async () => {
    const guest = boot(kernel);
    try {
      await guest.expect(/init: user space reached/, 300);
      await guest.expect(/# /, 60);
      assert.match(await command(guest, 'uname -m'), /x86_64/);

      const guestSeconds = Number(/^\d{10}$/m.exec(await command(guest, 'date +%s'))?.[0]);
      assert.ok(Math.abs(guestSeconds - Date.now() / 1000) < 30, `guest clock is at ${guestSeconds}`);

      const text = 'the quick brown fox';
      const digest = createHash('sha256').update(text).digest('hex');
      assert.match(await command(guest, `printf '${text}' | sha256sum`), new RegExp(digest));
      const sums = `awk 'BEGIN { printf "%.12f %d %s", 22 / 7, 12345 * 67890, 0.1 + 0.2 }'`;
      assert.match(await command(guest, sums), /3\.142857142857 838102050 0\.3/);
      assert.match(await command(guest, 'seq 1 2000 | sort -rn | head -1'), /^2000$/m);

      if (reboots) {
        guest.type('reboot -f\n');
        await guest.expect(/Linux version/, 120);
        await guest.expect(/init: user space reached/, 300);
        await guest.expect(/# /, 60);
      }
      guest.type('poweroff -f\n');
      assert.is(await guest.exit(60), 0);
    } finally {
      guest.kill();
    }
  });
}

test.run();
