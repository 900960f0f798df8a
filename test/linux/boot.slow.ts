// Stock Debian kernels to a busybox shell under emu. tools/fetch-linux.sh brings kernels and initramfs.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GuestSession } from './guest-session.js';

const LINUX = new URL('../../../.cache/linux/', import.meta.url).pathname;
const APPEND = 'console=ttyS0 cryptomgr.notests nokaslr mitigations=off nopti lpj=4000000 i8042.nokbd i8042.noaux';
const KERNELS = [
  ['cloud kernel, ELF by PVH', 'vmlinux-cloud', true],
  ['cloud kernel, bzImage', 'vmlinuz-cloud', false],
  ['full kernel, bzImage', 'vmlinuz-full', false],
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

/** Types a command and returns what it prints. */
async function command(guest: GuestSession, line: string): Promise<string> {
  guest.type(`${line}; echo "<$?>"\n`);
  await guest.expect(/echo "<\$\?>"\r?\n/, 60);
  const printed = await guest.expect(/<0>\r?\n/, 120);
  return printed.slice(0, printed.lastIndexOf('<0>')).replaceAll('\r', '').trim();
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

      const guestSeconds = Number(await command(guest, 'date +%s'));
      assert.ok(Math.abs(guestSeconds - Date.now() / 1000) < 30, `guest clock is at ${guestSeconds}`);

      const text = 'the quick brown fox';
      const digest = createHash('sha256').update(text).digest('hex');
      assert.match(await command(guest, `printf '${text}' | sha256sum`), new RegExp(digest));
      assert.is(
        await command(guest, `awk 'BEGIN { printf "%.10f %d %s", atan2(1, 1) * 4, 2^40, exp(1) }'`),
        '3.1415926536 1099511627776 2.71828',
      );
      assert.is(await command(guest, 'seq 1 2000 | sort -rn | head -1'), '2000');

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
