// Assembles the guest programs and the BIOS with GNU as, ld and objcopy:
//   node dist/tools/build-guests.js [--check | --pvh DIR] [NAME …]
// --check builds to a temporary directory and compares with the committed images, byte for byte.
// Without names, all of them: 'hello', 'bench/sieve', 'bench' for every benchmark workload (gcc, see bench-images.ts),
// 'arm' and 'arm/systests' for AArch64 (see arm-images.ts), 'wasi' for the workloads as WASI modules (clang and lld, see wasi-images.ts).
// --pvh builds the 64-bit guests with a PVH entry point into DIR, for a second opinion from another monitor.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARM_GCC, armGccMajor, armImages } from './arm-images.js';
import { benchImages, GCC_MAJOR, gccMajor, type Image } from './bench-images.js';
import { CLANG_MAJOR, clangMajor, idleProcess, wasiImages } from './wasi-images.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guests = join(root, 'guests');

/** How a source becomes an image. */
type Kind =
  /** Plain ELF64, entered in long mode. */
  | 'long'
  /** ELF32 with a multiboot header. */
  | 'multiboot'
  /** Raw bytes for 0000:7C00. */
  | 'boot'
  /** 64 KiB ROM. */
  | 'bios';

interface Guest {
  readonly source: string;
  readonly image: string;
  readonly kind: Kind;
  /** Has a part that ring 3 may touch. */
  readonly user?: boolean;
}

const GUESTS: readonly Guest[] = [
  { source: 'hello.s', image: 'hello.img', kind: 'long' },
  { source: 'rings.s', image: 'rings.img', kind: 'long', user: true },
  { source: 'longmode.s', image: 'longmode.img', kind: 'long', user: true },
  { source: 'multiboot32.s', image: 'multiboot32.img', kind: 'multiboot' },
  { source: 'boot16.s', image: 'boot16.img', kind: 'boot' },
  { source: 'bios/bios.s', image: 'bios/bios.bin', kind: 'bios' },
  ...['paging64', 'exceptions64', 'syscall64', 'interrupts', 'smc', 'iopb64', 'idt64', 'transfers64'].map((name) =>
    systest(name, 'long'),
  ),
  ...['gates32', 'idt32', 'taskswitch32', 'taskfaults32', 'v8086', 'paging32', 'iopb32'].map((name) =>
    systest(name, 'multiboot'),
  ),
  systest('bios16', 'boot'),
];

function systest(name: string, kind: Kind): Guest {
  return { source: `systests/${name}.s`, image: `systests/${name}.img`, kind, user: kind === 'long' };
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? `${command} is not installed (Debian: apt-get install binutils gcc)` : `${command} failed`;
    process.stderr.write(`build-guests: ${what}\n`);
    process.exit(1);
  }
}

/** Assembles `source` (relative to guests/) into `object`. */
function assemble(source: string, object: string, bits: 32 | 64): void {
  const path = join(guests, source);
  const word = bits === 64 ? ['--64', '--defsym', 'LONG=1'] : ['--32'];
  const includes = ['-I', dirname(path), '-I', join(guests, 'lib')];
  run('as', [...word, '-mx86-used-note=no', ...includes, '-o', object, path]);
}

// No page alignment in the file, no build id, no symbols: small, and the same on every host.
const LINK = ['--build-id=none', '--no-warn-rwx-segments', '-s', '-z', 'max-page-size=16'];

const SECTOR = 512;

/** Builds one guest; returns the image's bytes. */
function build(guest: Guest, work: string, pvh: boolean): Uint8Array {
  const base = join(work, basename(guest.source, '.s'));
  const object = `${base}.o`;
  const output = `${base}.out`;
  assemble(guest.source, object, guest.kind === 'long' ? 64 : 32);
  const emulation = ['-m', guest.kind === 'long' ? 'elf_x86_64' : 'elf_i386'];
  const link = (script: string, ...objects: string[]) =>
    run('ld', [...emulation, ...LINK, '-T', join(guests, script), '-o', output, ...objects]);

  if (pvh && guest.kind === 'long') {
    const entry = join(work, 'pvh-entry.o');
    assemble('lib/pvh-entry.s', entry, 64);
    link('lib/pvh.ld', object, entry);
  } else if (guest.kind === 'long' || guest.kind === 'multiboot') {
    link(guest.user ? 'lib/user.ld' : 'lib/kernel.ld', object);
  } else if (guest.kind === 'boot') {
    run('ld', [...emulation, ...LINK, '-N', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', output, object]);
  } else {
    link('bios/bios.ld', object);
    const elf = `${base}.elf`;
    writeFileSync(elf, readFileSync(output));
    run('objcopy', ['-O', 'binary', '--gap-fill', '0xff', '-j', '.text', '-j', '.reset', elf, output]);
  }
  const bytes = readFileSync(output);
  if (guest.kind !== 'boot') return bytes;
  // A disk is whole sectors.
  const disk = new Uint8Array(Math.ceil(bytes.length / SECTOR) * SECTOR);
  disk.set(bytes);
  return disk;
}

/** Compiled images, unless this host's compiler is not the one that the committed ones come from. */
function unlessOther(what: string, compiler: string, images: readonly Image[], here: string | null, wanted: string) {
  if (here === wanted) return images;
  const found = here === null ? `${compiler} is not installed` : `${compiler} here is version ${here}`;
  process.stdout.write(`${what}: skipped, ${found} and the images are those of version ${wanted}\n`);
  return [];
}

function main(): number {
  const args = process.argv.slice(2);
  const check = args.includes('--check');
  const pvhAt = args.indexOf('--pvh');
  const pvhDirectory = pvhAt >= 0 ? args[pvhAt + 1] : undefined;
  if (pvhAt >= 0 && !pvhDirectory) {
    process.stderr.write('build-guests: --pvh needs a directory\n');
    return 2;
  }
  const names = args.filter((arg, index) => !arg.startsWith('--') && (pvhAt < 0 || index !== pvhAt + 1));
  const assembled = GUESTS.map((guest): Image => {
    const name = basename(guest.source, '.s');
    return { name, image: guest.image, build: (work) => build(guest, work, pvhDirectory !== undefined) };
  });
  const compiled = benchImages(guests, run);
  const arm = armImages(guests, run);
  const modules = wasiImages(guests, run);
  const processes = [idleProcess(guests, run)];
  const isWanted = ({ name }: Image): boolean => names.includes(name) || names.includes(dirname(name));
  const known = [...assembled, ...processes, ...compiled, ...arm, ...modules];
  const unknown = names.find((name) => !known.some((image) => image.name === name || dirname(image.name) === name));
  if (unknown !== undefined) {
    const list = [...new Set(known.map(({ name }) => name))].join(', ');
    process.stderr.write(`build-guests: unknown guest ${unknown}. Known are: bench, ${list}\n`);
    return 2;
  }
  const chosen =
    names.length > 0
      ? known.filter(isWanted)
      : pvhDirectory
        ? assembled
        : [
            ...assembled,
            ...processes,
            ...unlessOther('bench', 'gcc', compiled, gccMajor(), GCC_MAJOR),
            ...unlessOther('arm', ARM_GCC, arm, armGccMajor(), GCC_MAJOR),
            ...unlessOther('wasi', 'clang', modules, clangMajor(), CLANG_MAJOR),
          ];

  const work = mkdtempSync(join(tmpdir(), 'tsvm-guests-'));
  let different = 0;
  try {
    for (const guest of chosen) {
      const bytes = guest.build(work);
      if (pvhDirectory) {
        mkdirSync(pvhDirectory, { recursive: true });
        writeFileSync(join(pvhDirectory, basename(guest.image)), bytes);
        continue;
      }
      const target = join(guests, guest.image);
      const same = existsSync(target) && Buffer.compare(readFileSync(target), bytes) === 0;
      if (check && !same) {
        process.stdout.write(`${guest.image}: differs from what its source gives\n`);
        different++;
      } else {
        process.stdout.write(`${guest.image}: ${bytes.length} bytes${same ? '' : ', changed'}\n`);
        if (!same) {
          mkdirSync(dirname(target), { recursive: true });
          writeFileSync(target, bytes);
          if (guest.executable) chmodSync(target, 0o755);
        }
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return different === 0 ? 0 : 1;
}

process.exitCode = main();
