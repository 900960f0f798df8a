// The benchmark workloads of guests/bench: C, compiled once for 64 and once for 32 bits, and each object linked twice,
// over a small kernel as a guest and over a few system calls as a Linux process. So both execute the same machine code.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** An image that the guest builder can make. */
export interface Image {
  /** By which the command line asks for it. */
  readonly name: string;
  /** Path below guests/. */
  readonly image: string;
  /** A program of the host, not a guest. */
  readonly executable?: boolean;
  /** Builds in the directory `work`; returns the image's bytes. */
  readonly build: (work: string) => Uint8Array;
}

export type Run = (command: string, args: readonly string[]) => void;

/** The committed images come from this major version: another one compiles the same sources to other bytes. */
export const GCC_MAJOR = '12';

/** Options for C on every architecture but for -fcf-protection, which is x86's. */
export const GCC: readonly string[] = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-math-errno',
  '-ffp-contract=off',
  '-fcf-protection=none',
  '-fno-tree-loop-distribute-patterns', // byte loops stay loops, instead of becoming calls of memcpy
  '-falign-functions=64', // one function's change of length does not move the others against cache lines
];

type Bits = 32 | 64;
const WIDTH: Record<Bits, { folder: string; gcc: readonly string[]; as: readonly string[]; ld: string }> = {
  64: { folder: 'x86-64', gcc: ['-m64'], as: ['--64', '--defsym', 'LONG=1'], ld: 'elf_x86_64' },
  // SSE2 for doubles, as in 64 bits: the x87's longer intermediate results would give another checksum.
  32: { folder: 'i386', gcc: ['-m32', '-march=pentium4', '-mfpmath=sse'], as: ['--32'], ld: 'elf_i386' },
};

/** Major version of the installed gcc; null without one. */
export function gccMajor(): string | null {
  try {
    return execFileSync('gcc', ['-dumpversion'], { encoding: 'utf8' }).trim().split('.')[0];
  } catch {
    return null;
  }
}

/** All images of guests/bench. `guests` is that folder's parent. */
export function benchImages(guests: string, run: Run): readonly Image[] {
  const folder = join(guests, 'bench');
  const runtime = join(folder, 'runtime');
  const built = new Set<string>();

  const once = (object: string, make: () => void): string => {
    if (!built.has(object)) make();
    built.add(object);
    return object;
  };
  const compile = (source: string, work: string, bits: Bits): string => {
    const object = join(work, `${basename(source, '.c')}.${bits}.o`);
    return once(object, () => run('gcc', [...GCC, ...WIDTH[bits].gcc, '-I', runtime, '-c', '-o', object, source]));
  };
  const assemble = (source: string, work: string, bits: Bits): string => {
    const object = join(work, `${basename(source, '.s')}.o`);
    const includes = ['-I', runtime, '-I', join(guests, 'lib')];
    const args = [...WIDTH[bits].as, '-mx86-used-note=no', ...includes, '-o', object, source];
    return once(object, () => run('as', args));
  };
  const link = (work: string, bits: Bits, script: string, pageSize: number, objects: readonly string[]) => {
    const output = join(work, 'linked');
    const options = [
      '--build-id=none',
      '--no-warn-rwx-segments',
      '-s',
      '-z',
      'noexecstack',
      '-z',
      `max-page-size=${pageSize}`,
    ];
    run('ld', ['-m', WIDTH[bits].ld, ...options, '-T', script, '-o', output, ...objects]);
    return readFileSync(output);
  };

  const workload = (name: string, bits: Bits, native: boolean): Image => {
    const below = native ? `native${bits}` : `kernel${bits}`;
    return {
      name: `bench/${name}`,
      image: native ? `bench/linux-${WIDTH[bits].folder}/${name}` : `bench/${WIDTH[bits].folder}/${name}.img`,
      executable: native,
      build: (work) =>
        // Linux maps a process by pages, so its segments must be aligned in the file; a loader that copies does not care.
        link(work, bits, join(runtime, native ? 'native.ld' : 'guest.ld'), native ? 4096 : 16, [
          assemble(join(runtime, `${below}.s`), work, bits),
          compile(join(runtime, 'runtime.c'), work, bits),
          compile(join(folder, `${name}.c`), work, bits),
        ]),
    };
  };
  const chain: Image = {
    name: 'bench/chain',
    image: 'bench/x86-64/chain.img',
    build: (work) =>
      link(work, 64, join(runtime, 'chain.ld'), 16, [
        assemble(join(guests, 'lib/pvh-entry.s'), work, 64),
        assemble(join(runtime, 'chain.s'), work, 64),
      ]),
  };

  const idle: Image = {
    name: 'bench/idle',
    image: 'bench/x86-64/idle.img',
    build: (work) => link(work, 64, join(guests, 'lib/user.ld'), 16, [assemble(join(runtime, 'idle.s'), work, 64)]),
  };

  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .map((file) => basename(file, '.c'))
    .sort();
  const variants = names.flatMap((name) =>
    ([64, 32] as const).flatMap((bits) => [false, true].map((native) => workload(name, bits, native))),
  );
  return [...variants, chain, idle];
}
