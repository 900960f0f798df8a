// Other people's virtual machines and emulators, where the user has them: QEMU in three ways, and v86.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Architecture,
  type Engine,
  engineName,
  guestImage,
  KVM_LEAST_ROUND,
  nativeProgram,
  ROOT,
  tool,
} from './engine.js';

/** QEMU's isa-debug-exit ends with twice the guest's code plus one. */
const QEMU_X86_SUCCESS = 1;

const firstLine = (text: string | undefined): string | undefined => text?.split('\n')[0];

/** VMCALL exists only with VMX or SVM below. */
const withoutVmcall: NonNullable<Engine['cannot']> = (need) =>
  need === 'vmcall' ? 'emulates a processor without VMX: VMCALL raises #UD' : undefined;

const SYSTEMS: Record<Architecture, string> = {
  'x86-64': 'qemu-system-x86_64',
  i386: 'qemu-system-i386',
  aarch64: 'qemu-system-aarch64',
};

const USERS: Record<Architecture, string> = { 'x86-64': 'qemu-x86_64', i386: 'qemu-i386', aarch64: 'qemu-aarch64' };

/** Arguments after the accelerator: a machine with a console on standard output that a guest can end. */
function machine(architecture: Architecture, workload: string): readonly string[] {
  const image = guestImage(architecture, workload);
  const common = ['-m', '128', '-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'];
  if (architecture === 'aarch64') return ['-M', 'virt', '-cpu', 'max', ...common, '-kernel', image];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
  // QEMU starts multiboot ELF32 files itself; for our ELF64 files, chain.img does what tsvm's loader does.
  const kernel =
    architecture === 'i386' ? ['-kernel', image] : ['-kernel', guestImage('x86-64', 'chain'), '-initrd', image];
  return ['-M', 'pc', ...common, ...exit, ...kernel];
}

function qemuSystem(architecture: Architecture, accelerator: 'tcg' | 'kvm'): Engine {
  const file = SYSTEMS[architecture];
  const kvm = accelerator === 'kvm';
  const debian = architecture === 'aarch64' ? 'qemu-system-arm' : 'qemu-system-x86';
  return {
    name: engineName(kvm ? 'qemu-kvm' : 'tcg', architecture),
    description: kvm ? 'QEMU, KVM' : 'QEMU, emulating (TCG)',
    architecture,
    version: () => firstLine(tool(file, ['--version'])),
    absence: `${file} is not installed (Debian: apt-get install ${debian})`,
    command: (workload, commandLine) => ({
      file,
      args: ['-accel', accelerator, ...machine(architecture, workload), '-append', commandLine],
    }),
    success: architecture === 'aarch64' ? 0 : QEMU_X86_SUCCESS,
    processes: false,
    native: false,
    peer: true,
    warmup: kvm ? 0 : 50,
    tone: kvm ? 5 : 4,
    guess: kvm ? 1 : 4,
    ...(kvm ? { leastRound: KVM_LEAST_ROUND } : {}),
    // AArch64's HVC is the machine's way to its firmware (PSCI), so it is answered there.
    ...(kvm || architecture === 'aarch64' ? {} : { cannot: withoutVmcall }),
  };
}

function qemuUser(architecture: Architecture): Engine {
  const file = USERS[architecture];
  const built = existsSync(nativeProgram(architecture, ''));
  return {
    name: engineName('qemu-user', architecture),
    description: 'QEMU, emulating one process; system calls are the host’s',
    architecture,
    version: () => (built ? firstLine(tool(file, ['--version'])) : undefined),
    absence: built
      ? `${file} is not installed (Debian: apt-get install qemu-user)`
      : `the workloads are not built as Linux programs for ${architecture}`,
    command: (workload, commandLine) => ({ file, args: [nativeProgram(architecture, workload), commandLine] }),
    success: 0,
    processes: true,
    native: false,
    peer: true,
    warmup: 50,
    tone: 6,
    guess: 4,
  };
}

/** Seen with v86 0.5.462: after some ten thousand, the next one never arrives. */
const v86Cannot: NonNullable<Engine['cannot']> = (need, backend) =>
  need === 'self-interrupt'
    ? 'loses an interrupt of its local APIC to itself now and then'
    : withoutVmcall(need, backend);

/** Where v86 may be: the folder that the user names, or an npm package beside this project or above it. */
function v86Folders(): readonly string[] {
  const named = process.env['TSVM_V86'];
  const packages = ['.', '..'].map((up) => join(ROOT, up, 'node_modules/v86'));
  return named ? [named, join(named, 'node_modules/v86')] : packages;
}

function findV86(): { folder: string; version: string } | undefined {
  for (const folder of v86Folders()) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'v86') return { folder, version };
    } catch {
      // not there
    }
  }
  return undefined;
}

function v86(): Engine {
  const found = findV86();
  const runner = join(ROOT, 'dist/bench/v86-runner.js');
  return {
    name: 'v86',
    description: 'v86, 32 bits only, in Node without its BIOS',
    architecture: 'i386',
    version: () => found && `v86 ${found.version}, Node ${process.version}`,
    absence: 'v86 is not installed (npm install v86 in a folder, TSVM_V86=that folder)',
    command: (workload, commandLine) => ({
      file: process.execPath,
      args: [runner, found?.folder ?? '', guestImage('i386', workload), commandLine],
    }),
    success: 0,
    processes: false,
    native: false,
    peer: true,
    warmup: 300,
    tone: 7,
    guess: 6,
    cannot: v86Cannot,
  };
}

/** Engines that are not tsvm's, whether installed or not. */
export function peers(architecture: Architecture): readonly Engine[] {
  const systems = [qemuSystem(architecture, 'tcg')];
  if (architecture !== 'aarch64') systems.push(qemuSystem(architecture, 'kvm'));
  return [...systems, qemuUser(architecture), ...(architecture === 'i386' ? [v86()] : [])];
}
