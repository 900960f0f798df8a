// What `tsvm run` was asked for, checked: everything that can be refused is refused here, before anything is built.

import type { JitOptions } from '../emulator/jit.js';
import { type CpuModel, findCpuModel } from '../vcpu/cpu-model.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { type GuestSource, openGuestSource } from './guest-source.js';
import { chooseMode, MODES, type ModeChoice } from './mode.js';
import {
  checkProcessors,
  DEFAULT_GUEST_RAM,
  DEFAULT_VIRT,
  type MachineOption,
  parseAddress,
  parseChoice,
  parseCount,
  parseJit,
  parseMachine,
  parseMemorySize,
} from './options.js';

/** Options as the command line gives them. */
export interface RunFlags {
  readonly mode: string;
  readonly machine?: string;
  readonly smp?: string;
  readonly net?: string;
  readonly console?: string;
  readonly memory?: string;
  readonly kernel?: string;
  readonly initrd?: string[];
  readonly append?: string;
  readonly disk?: string[];
  readonly bios?: string;
  readonly cpu: string;
  readonly loadAddress?: string;
  readonly clock: string;
  readonly jit: string;
  readonly maxInstructions?: string;
  readonly strictIo?: boolean;
  readonly snapshot?: boolean;
  /** commander's name for the absence of --no-reboot. */
  readonly reboot: boolean;
  readonly stats?: string;
}

const CLOCKS = ['wall', 'instructions'] as const;
export type ClockKind = (typeof CLOCKS)[number];

const NETS = ['none', 'user'] as const;
const CONSOLES = ['serial', 'virtio'] as const;

export interface RunPlan {
  readonly choice: ModeChoice;
  readonly machine: MachineOption;
  /** A network card, with a network inside this process behind it. */
  readonly net: boolean;
  /** Where the guest's console is: on its serial port or on a virtio console. */
  readonly console: (typeof CONSOLES)[number];
  readonly clock: ClockKind;
  readonly cpu: CpuModel;
  /** When the emulator compiles code; undefined: it interprets all. */
  readonly jit: JitOptions | undefined;
  /** Bytes. */
  readonly ramSize: number;
  readonly maxInstructions: number | undefined;
  readonly source: GuestSource;
  readonly strictIo: boolean;
  readonly noReboot: boolean;
  readonly statsPath: string | undefined;
}

/** Throws a TsvmError for the first thing that is wrong. */
export async function planRun(image: string | undefined, flags: RunFlags): Promise<RunPlan> {
  const given = <T>(text: string | undefined, parse: (text: string) => T): T | undefined =>
    text === undefined ? undefined : parse(text);

  const mode = parseChoice('E_MODE', '--mode', flags.mode, MODES);
  const clock = parseChoice('E_CLOCK', '--clock', flags.clock, CLOCKS);
  const jit = parseJit(flags.jit);
  const cpu = findCpuModel(flags.cpu);
  const chosen = given(flags.machine, parseMachine);
  given(flags.smp, checkProcessors);
  const net = parseChoice('E_NET', '--net', flags.net ?? 'none', NETS);
  const console = parseChoice('E_CONSOLE', '--console', flags.console ?? 'serial', CONSOLES);
  const ramSize = given(flags.memory, parseMemorySize) ?? DEFAULT_GUEST_RAM;
  const maxInstructions = given(flags.maxInstructions, (text) => parseCount('--max-instructions', text));
  const loadAddress = given(flags.loadAddress, (text) => parseAddress('--load-address', text));
  const source = openGuestSource({
    image,
    kernel: flags.kernel,
    initrd: flags.initrd ?? [],
    append: flags.append,
    disk: flags.disk ?? [],
    bios: flags.bios,
    loadAddress,
    isa: chosen?.board === 'virt' ? 'aarch64' : undefined,
    snapshot: flags.snapshot ?? false,
    ramSize,
  });
  const machine = chosen ?? (source.isa === 'aarch64' ? DEFAULT_VIRT : { board: 'pc' });
  checkBoard(machine, source, flags);
  const emulatorOnly =
    clock === 'instructions'
      ? '--clock instructions'
      : maxInstructions !== undefined
        ? '--max-instructions'
        : undefined;
  const choice = await chooseMode({ mode, isa: source.isa, kind: source.kind, emulatorOnly });
  return {
    choice,
    machine,
    net: net === 'user',
    console,
    clock,
    jit,
    cpu,
    ramSize,
    maxInstructions,
    source,
    strictIo: flags.strictIo ?? false,
    noReboot: !flags.reboot,
    statsPath: flags.stats,
  };
}

/** Throws unless the board's processor can run the image and has what the options ask for. */
function checkBoard(machine: MachineOption, source: GuestSource, flags: RunFlags): void {
  const isVirt = machine.board === 'virt';
  if ((source.isa === 'aarch64') !== isVirt) {
    const processor = isVirt ? 'the virt board has an AArch64' : 'the pc board has an x86';
    const found = `guest is ${source.description}, and ${processor} processor`;
    throw new TsvmError('E_ISA_UNSUPPORTED', `${found}. Leave --machine out.`, 126);
  }
  if (isVirt && flags.cpu !== 'max') {
    throw new TsvmError('E_CPU_UNKNOWN', `--cpu ${flags.cpu} is an x86 processor. Leave --cpu out for AArch64 guests.`);
  }
}
