// Who can execute a workload: how each is started, and whether it is there.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const TSVM = join(ROOT, 'bin/tsvm.mjs');
const IMAGES = join(ROOT, 'guests/bench');

export type Architecture = 'x86-64' | 'i386';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Engine {
  readonly name: string;
  readonly description: string;
  /** Name and version; undefined when it is not installed. Whether it works, a trial run must show. */
  readonly version: () => string | undefined;
  /** Why it is missing, for people. */
  readonly absence: string;
  /** Runs a workload with `commandLine`; tsvm writes its statistics to `statsFile`. */
  readonly command: (workload: string, commandLine: string, statsFile: string) => Command;
  /** Exit code of a run that went well. */
  readonly success: number;
  /** Runs processes of the host, not guests. */
  readonly native: boolean;
}

export const guestImage = (architecture: Architecture, workload: string): string =>
  join(IMAGES, architecture, `${workload}.img`);

function tool(file: string, args: readonly string[]): string | undefined {
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 10_000 });
  return result.status === 0 ? result.stdout : undefined;
}

function tsvmVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `tsvm ${version}, Node ${process.version}`;
}

/** Whether `tsvm run` has the switch that chooses between the emulator's tiers. */
function hasJit(): boolean {
  return (tool(process.execPath, [TSVM, 'run', '--help']) ?? '').includes('--jit');
}

interface TsvmEngine {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
  readonly available?: () => boolean;
  readonly absence?: string;
}

function tsvm(architecture: Architecture, engine: TsvmEngine): Engine {
  return {
    name: engine.name,
    description: engine.description,
    version: () => ((engine.available?.() ?? true) ? tsvmVersion() : undefined),
    absence: engine.absence ?? '',
    command: (workload, commandLine, statsFile) => ({
      file: process.execPath,
      args: [
        ...[TSVM, 'run', guestImage(architecture, workload), ...engine.options],
        ...['--append', commandLine, '--stats', statsFile],
      ],
    }),
    success: 0,
    native: false,
  };
}

function nativeEngine(architecture: Architecture): Engine {
  const folder = join(IMAGES, `linux-${architecture}`);
  const runsHere = process.platform === 'linux' && process.arch === 'x64' && existsSync(folder);
  return {
    name: 'native',
    description: 'a process of the host',
    version: () => (runsHere ? `Linux ${architecture}, gcc 12 -O2` : undefined),
    absence: 'the workloads are built for Linux on x86-64',
    command: (workload, commandLine) => ({ file: join(folder, workload), args: [commandLine] }),
    success: 0,
    native: true,
  };
}

/** QEMU's isa-debug-exit ends with twice the guest's code plus one. */
const QEMU_SUCCESS = 1;

function tcg(architecture: Architecture): Engine {
  const file = architecture === 'x86-64' ? 'qemu-system-x86_64' : 'qemu-system-i386';
  return {
    name: 'tcg',
    description: 'QEMU, emulating',
    version: () => tool(file, ['--version'])?.split('\n')[0],
    absence: `${file} is not installed (Debian: apt-get install qemu-system-x86)`,
    command: (workload, commandLine) => {
      const image = guestImage(architecture, workload);
      // QEMU starts multiboot ELF32 files itself; for our ELF64 files, chain.img does what tsvm's loader does.
      const kernel =
        architecture === 'x86-64'
          ? ['-kernel', guestImage(architecture, 'chain'), '-initrd', image]
          : ['-kernel', image];
      return {
        file,
        args: [
          ...['-M', 'pc', '-accel', 'tcg', '-m', '128', '-nodefaults', '-no-reboot'],
          ...['-display', 'none', '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
          ...kernel,
          ...['-append', commandLine],
        ],
      };
    },
    success: QEMU_SUCCESS,
    native: false,
  };
}

/** All that this harness knows, native first: the others' times are given as multiples of its. */
export function createEngines(architecture: Architecture): readonly Engine[] {
  const jit = hasJit();
  return [
    nativeEngine(architecture),
    tsvm(architecture, { name: 'virt', description: 'tsvm, KVM', options: ['--mode', 'virt'] }),
    tsvm(architecture, {
      name: 'interp',
      description: 'tsvm, emulator: interpreter',
      options: ['--mode', 'emu', ...(jit ? ['--jit', 'off'] : [])],
    }),
    tsvm(architecture, {
      name: 'jit',
      description: 'tsvm, emulator: JIT',
      options: ['--mode', 'emu', '--jit', 'on'],
      available: () => jit,
      absence: 'this tsvm has no --jit',
    }),
    tcg(architecture),
  ];
}

/** Those of `names`, in the order above; all without names. Throws a RangeError that lists them for an unknown one. */
export function selectEngines(engines: readonly Engine[], names: readonly string[]): readonly Engine[] {
  const unknown = names.find((name) => !engines.some((engine) => engine.name === name));
  if (unknown !== undefined) {
    throw new RangeError(`no engine ${unknown}. There are: ${engines.map(({ name }) => name).join(', ')}.`);
  }
  return names.length === 0 ? engines : engines.filter(({ name }) => names.includes(name));
}
