// What `tsvm bench levels` runs beside the benchmark guests: the workloads as WASI modules, compiled from the same
// sources by clang, and programs that idle.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Image, Run } from './bench-images.js';

/** The committed modules come from this major version, as GCC_MAJOR says for the guests. */
export const CLANG_MAJOR = '14';

/** Those that need no x86 instruction and no kernel of their own. */
const PORTABLE = [
  ...['sieve', 'matrix', 'alu32', 'alu64', 'divide', 'sha256', 'strings', 'recursion', 'bytecode', 'sort', 'chase'],
  ...['nbody', 'mandelbrot', 'syscall'],
];

const CLANG = [
  '--target=wasm32-unknown-unknown',
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unknown-attributes', // some are gcc's alone
  '-ffreestanding',
  '-fno-builtin', // byte loops stay loops, instead of becoming calls of memcpy
  '-ffp-contract=off',
];

const LINK = [
  '--no-entry',
  '--strip-all',
  '--stack-first', // a stack that overflows leaves memory, and traps, before it meets data
  ...['-z', 'stack-size=65536'],
];

/** Major version of the installed clang; null without one. */
export function clangMajor(): string | null {
  try {
    return execFileSync('clang', ['-dumpversion'], { encoding: 'utf8' }).trim().split('.')[0];
  } catch {
    return null;
  }
}

/** The WASI modules of guests/bench and guests/wasi. `guests` is that folder's parent. */
export function wasiImages(guests: string, run: Run): readonly Image[] {
  const folder = join(guests, 'bench');
  const runtime = join(folder, 'runtime');

  const header = join(guests, 'wasi');

  const module = (name: string, image: string, sources: readonly string[]): Image => ({
    name: `wasi/${name}`,
    image,
    build: (work) => {
      const objects = sources.map((source) => {
        const object = join(work, `${basename(source, '.c')}.wasm.o`);
        run('clang', [...CLANG, '-I', runtime, '-I', header, '-c', '-o', object, source]);
        return object;
      });
      const output = join(work, 'module.wasm');
      run('wasm-ld', [...LINK, '-o', output, ...objects]);
      return readFileSync(output);
    },
  });

  return [
    ...PORTABLE.map((name) =>
      module(name, `bench/wasi/${name}.wasm`, [
        join(runtime, 'wasi.c'),
        join(runtime, 'runtime.c'),
        join(folder, `${name}.c`),
      ]),
    ),
    module('idle', 'bench/wasi/idle.wasm', [join(runtime, 'idle-wasi.c')]),
    module('echo', 'wasi/echo.wasm', [join(header, 'echo.c')]),
  ];
}

/** A process of the host that sleeps. */
export function idleProcess(guests: string, run: Run): Image {
  const runtime = join(guests, 'bench/runtime');
  return {
    name: 'bench/idle-linux',
    image: 'bench/linux-x86-64/idle',
    executable: true,
    build: (work) => {
      const object = join(work, 'idle-linux.o');
      const output = join(work, 'idle-linux');
      run('as', ['--64', '-mx86-used-note=no', '-o', object, join(runtime, 'idle-linux.s')]);
      const options = ['--build-id=none', '--no-warn-rwx-segments', '-s', '-z', 'noexecstack'];
      const layout = ['-z', 'max-page-size=4096', '-T', join(runtime, 'native.ld')];
      run('ld', ['-m', 'elf_x86_64', ...options, ...layout, '-o', output, object]);
      return readFileSync(output);
    },
  };
}
