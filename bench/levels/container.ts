// The OS level: the native program in namespaces of its own, with another root and in a control group. Not a runtime of
// ours but util-linux' unshare, or crun, so that what is measured is what people use.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, type Engine, nativeProgram, tool } from '../engine.js';

const CGROUPS = '/sys/fs/cgroup';
/** Enough for one program; a container that tries to fork without end is stopped by it. */
const MAX_PROCESSES = '64';

/** Control groups: one for this measurement, in which each container makes its own; none where the host forbids it. */
export class ControlGroups {
  readonly folders: readonly string[];
  /** What there is, or why there is nothing. */
  readonly description: string;

  constructor(name: string) {
    // Version 2 has one hierarchy, version 1 one for each controller.
    const unified = existsSync(join(CGROUPS, 'cgroup.controllers'));
    const wanted = unified ? [CGROUPS] : ['pids', 'memory', 'cpu'].map((controller) => join(CGROUPS, controller));
    const made: string[] = [];
    let refusal = '';
    for (const parent of wanted.filter((folder) => existsSync(folder))) {
      const folder = join(parent, name);
      try {
        mkdirSync(folder);
        made.push(folder);
        if (unified) writeFileSync(join(folder, 'cgroup.subtree_control'), '+pids');
      } catch (error) {
        refusal = (error as NodeJS.ErrnoException).code ?? String(error);
      }
    }
    this.folders = made;
    const version = unified ? 'version 2' : 'version 1';
    if (made.length > 0) this.description = `a control group of its own (${version})`;
    else this.description = `no control group (${refusal || 'none mounted'})`;
  }

  remove(): void {
    for (const folder of this.folders) {
      try {
        const own = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        for (const { name } of own) rmdirSync(join(folder, name));
        rmdirSync(folder);
      } catch {
        // A process that is still ending holds its group; an empty one costs nothing.
      }
    }
  }
}

/** Makes control groups, moves itself there and becomes the program: arguments are their number, their parents, it. */
const ENTER_GROUPS = [
  'n=$1; shift',
  'while [ "$n" -gt 0 ]; do',
  '  mkdir "$1/$$" || exit 125',
  `  if [ -e "$1/$$/pids.max" ]; then echo ${MAX_PROCESSES} > "$1/$$/pids.max"; fi`,
  '  echo $$ > "$1/$$/cgroup.procs" || exit 125',
  '  shift; n=$((n-1))',
  'done',
  'exec "$@"',
].join('\n');

/** A root file system that holds programs and nothing else. */
export class RootFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsvm-root-'));
  readonly root = join(this.folder, 'rootfs');

  constructor(programs: readonly string[]) {
    mkdirSync(this.root);
    // Where OCI runtimes mount what they themselves need.
    mkdirSync(join(this.root, 'proc'));
    for (const name of programs) {
      const program = nativeProgram('x86-64', name);
      if (existsSync(program)) copyFileSync(program, this.program(name));
    }
  }

  /** Where a program is, seen from outside. */
  program(name: string): string {
    return join(this.root, name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Container {
  readonly engine: Engine;
  readonly start: (program: string, args: readonly string[]) => Command;
  /** What a start reads beyond the program. */
  readonly files: readonly string[];
}

const TONE = 7;

function containerEngine(name: string, version: Engine['version'], absence: string, start: Container['start']): Engine {
  return {
    name,
    description: 'a process in namespaces of its own',
    architecture: 'x86-64',
    version,
    absence,
    command: (workload, commandLine) => start(workload, [commandLine]),
    success: 0,
    processes: true,
    native: false,
    warmup: 0,
    tone: TONE,
    guess: 1,
  };
}

const runsHere = (): boolean => process.platform === 'linux' && process.arch === 'x64';

/** Every namespace that unshare knows on old and new systems alike; the child dies with unshare. */
const NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--kill-child'];

/** Containers by util-linux' unshare: namespaces, then chroot. */
export function unshareContainer(root: RootFolder, groups: ControlGroups): Container {
  // Root needs no user namespace, and some hosts forbid them to everyone else.
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const start: Container['start'] = (program, args) => {
    const inside = ['unshare', ...user, ...NAMESPACES, `--root=${root.root}`, `/${program}`, ...args];
    const { folders } = groups;
    return { file: 'sh', args: ['-c', ENTER_GROUPS, 'sh', String(folders.length), ...folders, ...inside] };
  };
  const version = () => (runsHere() ? tool('unshare', ['--version'])?.trim() : undefined);
  const absence = 'unshare (util-linux) is not installed, or this is not Linux on x86-64';
  return {
    engine: containerEngine('os', version, absence, start),
    start,
    files: ['/usr/bin/unshare', root.program('idle')],
  };
}

/** Runtimes of the Open Container Initiative; they take the same bundles. */
export const OCI_RUNTIMES = ['crun', 'runc'] as const;
export type OciRuntime = (typeof OCI_RUNTIMES)[number];

const containerName = (count: number): string => `tsvm-levels-${process.pid}-${count}`;

/** Containers by an OCI runtime. */
export function ociContainer(runtime: OciRuntime, root: RootFolder): Container {
  let count = 0;
  const start: Container['start'] = (program, args) => {
    const id = containerName(++count);
    const bundle = join(root.folder, runtime, id);
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(ociConfiguration(root.root, [`/${program}`, ...args])));
    return { file: runtime, args: ['run', '--bundle', bundle, id] };
  };
  const version = () => (runsHere() ? tool(runtime, ['--version'])?.split('\n')[0] : undefined);
  const absence = `${runtime} is not installed (Debian: apt-get install ${runtime})`;
  const engine = containerEngine(`os-${runtime}`, version, absence, start);
  return { engine, start, files: [`/usr/bin/${runtime}`, `/usr/sbin/${runtime}`, root.program('idle')] };
}

/** Removes what the runtimes keep about containers that were killed together with them. */
export function forgetOciContainers(root: RootFolder): void {
  for (const runtime of OCI_RUNTIMES) {
    const list = tool(runtime, ['list', '-q']) ?? '';
    for (const id of list.split('\n').filter((line) => line.startsWith(`tsvm-levels-${process.pid}-`))) {
      try {
        execFileSync(runtime, ['delete', '--force', id], { stdio: 'ignore', cwd: root.folder });
      } catch {
        // already gone
      }
    }
  }
}

/** The least that the OCI runtime specification (1.0, config.md) asks for. */
function ociConfiguration(root: string, args: readonly string[]): object {
  return {
    ociVersion: '1.0.0',
    process: { terminal: false, user: { uid: 0, gid: 0 }, args, cwd: '/', env: [], noNewPrivileges: true },
    root: { path: root, readonly: true },
    hostname: 'tsvm',
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      resources: { pids: { limit: Number(MAX_PROCESSES) } },
    },
  };
}
