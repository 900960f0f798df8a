// The AArch64 guests: guests/arm in assembly and C, and guests/bench compiled once more, over a kernel of their own. All
// are flat Images (guests/arm/lib/image.inc), which QEMU's virt board takes with -kernel.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GCC, type Image, type Run } from './bench-images.js';

/** An Arm host has the tools under their plain names. */
const PREFIX = process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-';
export const ARM_GCC = `${PREFIX}gcc`;

const ARM = ['-mbranch-protection=none', '-mno-outline-atomics', '-fwrapv'];
/** Code that runs at EL1 or EL2, also with the MMU off: no FP registers, no access that is not aligned. */
const KERNEL = [...ARM, '-mgeneral-regs-only', '-mstrict-align'];

/** Workloads that have no meaning without x86: REP prefixes, I/O ports. */
const X86_ONLY: ReadonlySet<string> = new Set(['rep', 'port']);

/** Major version of the installed compiler for AArch64; null without one. */
export function armGccMajor(): string | null {
  try {
    return execFileSync(ARM_GCC, ['-dumpversion'], { encoding: 'utf8' }).trim().split('.')[0];
  } catch {
    return null;
  }
}

/** Names of the sources of a folder with an ending, without it. */
function sources(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => basename(file, ending))
    .sort();
}

/** All AArch64 images. `guests` is the folder of all guests. */
export function armImages(guests: string, run: Run): readonly Image[] {
  const arm = join(guests, 'arm');
  const library = join(arm, 'lib');
  const systests = join(arm, 'systests');
  const bench = join(guests, 'bench');
  const runtime = join(bench, 'runtime');

  const assemble = (source: string, work: string): string => {
    const object = join(work, `${basename(source, '.s')}.arm.o`);
    run(`${PREFIX}as`, ['-march=armv8-a', '-I', library, '-o', object, source]);
    return object;
  };
  const compile = (source: string, work: string, flags: readonly string[]): string => {
    const object = join(work, `${basename(source, '.c')}.arm.o`);
    const common = GCC.filter((flag) => flag !== '-fcf-protection=none');
    run(ARM_GCC, [...common, ...flags, '-I', library, '-I', runtime, '-c', '-o', object, source]);
    return object;
  };
  const link = (work: string, script: string, objects: readonly string[]): Uint8Array => {
    const elf = join(work, 'arm.elf');
    const flat = join(work, 'arm.img');
    const options = [
      '--build-id=none',
      '--no-warn-rwx-segments',
      '-s',
      '-z',
      'noexecstack',
      '-z',
      'max-page-size=4096',
    ];
    run(`${PREFIX}ld`, ['-m', 'aarch64linux', ...options, '-T', script, '-o', elf, ...objects]);
    run(`${PREFIX}objcopy`, ['-O', 'binary', elf, flat]);
    return readFileSync(flat);
  };

  const assembled = sources(arm, '.s').map((name): Image => {
    const build = (work: string) => link(work, join(library, 'kernel.ld'), [assemble(join(arm, `${name}.s`), work)]);
    return { name: `arm/${name}`, image: `arm/${name}.img`, build };
  });
  const tests = sources(systests, '.c').map((name): Image => {
    const build = (work: string) =>
      link(work, join(library, 'kernel.ld'), [
        assemble(join(library, 'entry.s'), work),
        ...['test', 'mmu', 'gic'].map((name) => compile(join(library, `${name}.c`), work, KERNEL)),
        compile(join(systests, `${name}.c`), work, KERNEL),
      ]);
    return { name: `arm/systests/${name}`, image: `arm/systests/${name}.img`, build };
  });
  const workloads = sources(bench, '.c')
    .filter((name) => !X86_ONLY.has(name))
    .map((name): Image => {
      const build = (work: string) =>
        link(work, join(runtime, 'guest-a64.ld'), [
          assemble(join(runtime, 'entry-a64.s'), work),
          compile(join(runtime, 'kernel-a64.c'), work, KERNEL),
          compile(join(runtime, 'runtime.c'), work, ARM),
          compile(join(bench, `${name}.c`), work, ARM),
        ]);
      return { name: `bench/${name}`, image: `bench/aarch64/${name}.img`, build };
    });
  return [...assembled, ...tests, ...workloads];
}
