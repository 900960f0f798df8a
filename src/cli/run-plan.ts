// What `tsvm run` was asked for, checked: everything that can be refused is refused here, before anything is built.

import { type CpuModel, findCpuModel } from '../vcpu/cpu-model.js';
import { type GuestSource, openGuestSource } from './guest-source.js';
import { chooseMode, MODES, type ModeChoice } from './mode.js';
import { DEFAULT_GUEST_RAM, parseAddress, parseChoice, parseCount, parseJit, parseMemorySize } from './options.js';

/** Options as the command line gives them. */
export interface RunFlags {
  readonly mode: string;
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

export interface RunPlan {
  readonly choice: ModeChoice;
  readonly clock: ClockKind;
  readonly cpu: CpuModel;
  /** Executions after which the emulator compiles code; undefined: it interprets all. */
  readonly jitThreshold: number | undefined;
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
  const jitThreshold = parseJit(flags.jit);
  const cpu = findCpuModel(flags.cpu);
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
    snapshot: flags.snapshot ?? false,
    ramSize,
  });
  const emulatorOnly =
    clock === 'instructions'
      ? '--clock instructions'
      : maxInstructions !== undefined
        ? '--max-instructions'
        : undefined;
  const choice = await chooseMode({ mode, isa: source.isa, kind: source.kind, emulatorOnly });
  return {
    choice,
    clock,
    jitThreshold,
    cpu,
    ramSize,
    maxInstructions,
    source,
    strictIo: flags.strictIo ?? false,
    noReboot: !flags.reboot,
    statsPath: flags.stats,
  };
}
