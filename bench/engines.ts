// Who can execute a workload: the host's processor, tsvm in its modes, and others where they are installed.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ARCHITECTURES,
  type Architecture,
  type Engine,
  engineName,
  guestImage,
  KVM_LEAST_ROUND,
  type Need,
  nativeProgram,
  ROOT,
  tool,
} from './engine.js';
import { peers } from './peers.js';

export { type Architecture, type Command, type Engine, guestImage, ROOT, TSVM } from './engine.js';

/** A built tree of tsvm, by default this one. */
export interface TsvmTree {
  readonly root: string;
  /** Appended to the names of its engines. */
  readonly suffix: string;
}

const OWN_TREE: TsvmTree = { root: ROOT, suffix: '' };

interface TsvmKind {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
  readonly architectures: readonly Architecture[];
  readonly warmup: number;
  readonly tone: number;
  readonly guess: number;
  readonly available?: boolean;
  readonly absence?: string;
}

function tsvmVersion(root: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return existsSync(join(root, 'dist/src/cli/main.js')) ? `tsvm ${version}, Node ${process.version}` : undefined;
  } catch {
    return undefined;
  }
}

/** kvm_pvm executes ring 0 in the kernel's instruction emulator, and differs in these ways (docs/virt.md). */
function virtCannot(need: Need, backend: string | undefined): string | undefined {
  if (backend !== 'kvm_pvm') return undefined;
  if (need === 'vmcall') return 'kvm_pvm makes no progress at VMCALL';
  return need === 'syscall' ? 'under kvm_pvm SYSCALL does not reach ring 0' : undefined;
}

/** The engines of one tree of tsvm. */
export function tsvmEngines(architecture: Architecture, tree: TsvmTree = OWN_TREE): readonly Engine[] {
  const command = join(tree.root, 'bin/tsvm.cjs');
  const jit = (tool(process.execPath, [command, 'run', '--help']) ?? '').includes('--jit');
  const kinds: readonly TsvmKind[] = [
    {
      name: 'virt',
      description: 'tsvm, KVM',
      options: ['--mode', 'virt'],
      architectures: ['x86-64', 'i386'],
      warmup: 0,
      tone: 1,
      guess: 1,
    },
    {
      name: 'interp',
      description: 'tsvm, emulator: interpreter',
      options: ['--mode', 'emu', ...(jit ? ['--jit', 'off'] : [])],
      architectures: ARCHITECTURES,
      warmup: 20,
      tone: 3,
      guess: 50,
    },
    {
      name: 'jit',
      description: 'tsvm, emulator: JIT',
      options: ['--mode', 'emu', '--jit', 'on'],
      architectures: ARCHITECTURES,
      warmup: 120,
      tone: 2,
      guess: 4,
      available: jit,
      absence: 'this tsvm has no --jit',
    },
  ];
  return kinds
    .filter(({ architectures }) => architectures.includes(architecture))
    .map((kind) => ({
      name: engineName(kind.name, architecture) + tree.suffix,
      description: kind.description,
      architecture,
      version: () => ((kind.available ?? true) ? tsvmVersion(tree.root) : undefined),
      absence: kind.absence ?? `${tree.root} has not been built`,
      command: (workload, commandLine, statsFile) => ({
        file: process.execPath,
        args: [
          ...[command, 'run', guestImage(architecture, workload), ...kind.options],
          ...['--append', commandLine, '--stats', statsFile],
        ],
      }),
      success: 0,
      processes: false,
      native: false,
      warmup: kind.warmup,
      tone: kind.tone,
      guess: kind.guess,
      ...(kind.name === 'virt' ? { cannot: virtCannot, leastRound: KVM_LEAST_ROUND } : {}),
    }));
}

/** Node's names of the processors that run a Linux program of each architecture directly. */
const RUNS_ON: Record<Architecture, string> = { 'x86-64': 'x64', i386: 'x64', aarch64: 'arm64' };

function nativeEngine(architecture: Architecture): Engine {
  const built = existsSync(nativeProgram(architecture, ''));
  const runsHere = process.platform === 'linux' && process.arch === RUNS_ON[architecture] && built;
  return {
    name: engineName('native', architecture),
    description: 'a process of the host',
    architecture,
    version: () => (runsHere ? `Linux ${architecture}, gcc 12 -O2` : undefined),
    absence: built
      ? `the workloads are built for Linux on ${architecture}`
      : `the workloads are not built as Linux programs for ${architecture}`,
    command: (workload, commandLine) => ({ file: nativeProgram(architecture, workload), args: [commandLine] }),
    success: 0,
    processes: true,
    native: true,
    warmup: 0,
    tone: 0,
    guess: 1,
  };
}

/** All that this harness knows for one architecture, native first: the others' times are given as multiples of its. */
export function createEngines(architecture: Architecture): readonly Engine[] {
  return [nativeEngine(architecture), ...tsvmEngines(architecture), ...peers(architecture)];
}

/** What is measured unless the user names architectures: x86-64, and v86 with the native programs of its 32 bits. */
export function defaultEngines(): readonly Engine[] {
  const v86 = createEngines('i386').filter(({ name, native }) => native || name === 'v86');
  return [...createEngines('x86-64'), ...v86];
}

/** Those of `names`, in the order above; all without names. Throws a RangeError that lists them for an unknown one. */
export function selectEngines(engines: readonly Engine[], names: readonly string[]): readonly Engine[] {
  const unknown = names.find((name) => !engines.some((engine) => engine.name === name));
  if (unknown !== undefined) {
    throw new RangeError(`no engine ${unknown}. There are: ${engines.map(({ name }) => name).join(', ')}.`);
  }
  return names.length === 0 ? engines : engines.filter(({ name }) => names.includes(name));
}
