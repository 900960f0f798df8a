// The five levels at which a machine can be virtualized, each with what stands for it here.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, type Engine, guestImage, nativeProgram, ROOT, tool } from '../engine.js';
import { createEngines, TSVM } from '../engines.js';
import {
  ControlGroups,
  forgetOciContainers,
  OCI_RUNTIMES,
  ociContainer,
  RootFolder,
  unshareContainer,
} from './container.js';

export interface Level {
  /** Short, as the tables have it. */
  readonly name: string;
  readonly title: string;
  /** What stands for the level, and what that leaves out. */
  readonly what: string;
  readonly engine: Engine;
  /** Starts a program that prints a line and then does nothing; undefined where there is none. */
  readonly idle: (() => Command) | undefined;
  /** What would have to be shipped: the file of `workload`. */
  readonly image: (workload: string) => string;
  /** Files and folders that a start reads. */
  readonly files: readonly string[];
  /** Which side of "containers against virtual machines" it is on. */
  readonly side: 'container' | 'vm' | undefined;
  /** Workloads for the time into what is below and back, the first that it can do. */
  readonly calls: readonly string[];
  /** Workloads that access a device, the first that it can do: only machines leave for that. */
  readonly exits: readonly string[];
}

export interface Levels {
  readonly all: readonly Level[];
  remove(): void;
}

const OWN_FILES = ['bin', 'build', 'dist/bundle', 'package.json'].map((name) => join(ROOT, name));
const DEPENDENCIES = (names: readonly string[]) => names.map((name) => join(ROOT, 'node_modules', name));

const wasiModule = (name: string): string => join(ROOT, 'guests/bench/wasi', `${name}.wasm`);

const WASI_TONE = 4;
const WASI_WARMUP_MS = 100;

function wasiEngine(): Engine {
  const installed = existsSync(join(ROOT, 'node_modules/@wasmer/wasi'));
  return {
    name: 'wasi',
    description: 'a WebAssembly module',
    architecture: 'x86-64', // the words it computes with; its checksums are the same everywhere
    version: () => (installed ? `@wasmer/wasi 1.2.2, V8 ${process.versions.v8}` : undefined),
    absence: '@wasmer/wasi is not installed',
    command: (workload, commandLine) => ({
      file: process.execPath,
      args: [TSVM, 'run', wasiModule(workload), commandLine],
    }),
    success: 0,
    processes: true,
    native: false,
    warmup: WASI_WARMUP_MS,
    tone: WASI_TONE,
    guess: 1.5,
  };
}

/** Where a program of the host is, for making its start cold. */
const pathOf = (program: string): readonly string[] => {
  const path = tool('sh', ['-c', 'command -v "$0"', program])?.trim();
  return path ? [path] : [];
};

/** The levels for programs of `workload`, whether this host has them or not. */
export function createLevels(programs: readonly string[]): Levels {
  const groups = new ControlGroups(`tsvm-levels-${process.pid}`);
  const root = new RootFolder([...programs, 'idle']);
  const known = [...createEngines('x86-64'), ...createEngines('aarch64')];
  const engine = (name: string): Engine | undefined => known.find((candidate) => candidate.name === name);
  const all: Level[] = [];
  const add = (level: Omit<Level, 'engine'>, found: Engine | undefined): void => {
    if (found) all.push({ ...level, engine: found });
  };

  const native = (name: string): string => nativeProgram('x86-64', name);
  const processCalls = ['syscall'];
  add(
    {
      name: 'native',
      title: 'native process',
      what: 'a static program on the host’s kernel: the measure of the others',
      idle: () => ({ file: native('idle'), args: [] }),
      image: native,
      files: [native('idle')],
      side: undefined,
      calls: processCalls,
      exits: [],
    },
    engine('native'),
  );

  const containers = [
    { name: 'OS', by: 'unshare', groups: groups.description, container: unshareContainer(root, groups) },
    ...OCI_RUNTIMES.map((runtime) => ({
      name: `OS, ${runtime}`,
      by: runtime,
      groups: `control groups by ${runtime}`,
      container: ociContainer(runtime, root),
    })),
  ];
  for (const { name, by, groups: limits, container } of containers) {
    add(
      {
        name,
        title: `OS level: container by ${by}`,
        what: `the same program in namespaces (mount, UTS, IPC, network, PID), with its own root; ${limits}`,
        idle: () => container.start('idle', []),
        image: native,
        files: container.files,
        side: 'container',
        calls: processCalls,
        exits: [],
      },
      container.engine,
    );
  }

  const machine = (name: string, title: string, what: string, engineName: string, mode: readonly string[]): void => {
    const found = engine(engineName);
    const architecture = found?.architecture ?? 'x86-64';
    const image = architecture === 'aarch64' ? join(ROOT, 'guests/arm/idle.img') : guestImage(architecture, 'idle');
    add(
      {
        name,
        title,
        what,
        idle: existsSync(image) ? () => ({ file: process.execPath, args: [TSVM, 'run', image, ...mode] }) : undefined,
        image: (workload) => guestImage(architecture, workload),
        files: [...OWN_FILES, ...DEPENDENCIES(['commander', 'koffi', '@koromix']), image],
        side: 'vm',
        calls: ['syscall', 'trap'],
        exits: ['port', 'mmio'],
      },
      found,
    );
  };
  const kernel = 'a machine with a small kernel that runs the program in ring 3';
  machine('hardware', 'hardware level: KVM', `${kernel}; the host’s processor executes it directly`, 'virt', [
    ...['--mode', 'virt'],
  ]);
  machine('ISA, interpreted', 'ISA level: x86-64 interpreter', `${kernel}; every instruction interpreted`, 'interp', [
    ...['--mode', 'emu', '--jit', 'off'],
  ]);
  machine('ISA, translated', 'ISA level: x86-64 JIT', `${kernel}; hot code translated to WebAssembly`, 'jit', [
    ...['--mode', 'emu', '--jit', 'on'],
  ]);
  const arm = 'the same with another instruction set: the program in EL0';
  machine('ISA, AArch64', 'ISA level: AArch64 interpreter', `${arm}; every instruction interpreted`, 'interp-aarch64', [
    ...['--mode', 'emu', '--jit', 'off'],
  ]);
  machine('ISA, AArch64 JIT', 'ISA level: AArch64 JIT', `${arm}; hot code translated to WebAssembly`, 'jit-aarch64', [
    ...['--mode', 'emu', '--jit', 'on'],
  ]);

  add(
    {
      name: 'library',
      title: 'library level: qemu-user',
      what:
        'the native program, its system calls translated for the host’s kernel. qemu-user translates its instructions ' +
        'too, so its compute time is that of the ISA level; a library like Wine, which only answers calls, has none',
      idle: () => ({ file: 'qemu-x86_64', args: [native('idle')] }),
      image: native,
      files: [...pathOf('qemu-x86_64'), native('idle')],
      side: undefined,
      calls: processCalls,
      exits: [],
    },
    engine('qemu-user'),
  );
  add(
    {
      name: 'language',
      title: 'language level: WASI',
      what: 'a WebAssembly module, compiled by this Node’s V8; its system interface is @wasmer/wasi',
      idle: () => ({ file: process.execPath, args: [TSVM, 'run', wasiModule('idle')] }),
      image: wasiModule,
      files: [...OWN_FILES, ...DEPENDENCIES(['commander', '@wasmer']), wasiModule('idle')],
      side: undefined,
      calls: processCalls,
      exits: [],
    },
    wasiEngine(),
  );

  return {
    all,
    remove() {
      forgetOciContainers(root);
      groups.remove();
      root.remove();
    },
  };
}
