// tsvm run: one guest from its image to its end.

import { closeSync, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { InstructionClock, type MachineClock, WallClock } from '../machine/clock.js';
import { Machine } from '../machine/machine.js';
import type { Outcome } from '../machine/outcome.js';
import { PcBoard } from '../machine/pc-board.js';
import { formatStatistics, type RunStatistics } from '../trace/stats.js';
import { findCpuModel } from '../vcpu/cpu-model.js';
import { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import type { Backend } from './backends.js';
import { Console } from './console.js';
import { ESCAPE_HELP, type EscapeCommand } from './escape.js';
import { fileError, version } from './files.js';
import { openGuestSource } from './guest-source.js';
import { monotonic, nodeTimers } from './host-timers.js';
import { chooseMode, MODES, type Mode } from './mode.js';
import { DEFAULT_GUEST_RAM, parseAddress, parseChoice, parseCount, parseMemorySize } from './options.js';
import { describeOutcome, EXIT_SIGNAL, exitCode, isAbnormal } from './report.js';

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
  readonly maxInstructions?: string;
  readonly strictIo?: boolean;
  readonly snapshot?: boolean;
  /** commander's name for the absence of --no-reboot. */
  readonly reboot: boolean;
  readonly stats?: string;
}

const CLOCKS = ['wall', 'instructions'] as const;
/** KVM_ENOSYS of the KVM hypercall interface: what a guest sees that asks for a hypercall nobody offers. */
const HYPERCALL_NOT_OFFERED = -1000n;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The wall clock's time, and the clock itself where it counts instructions of a vCPU that does not exist yet. */
function makeClock(kind: (typeof CLOCKS)[number], instructions: () => number): MachineClock {
  if (kind === 'instructions') return new InstructionClock(instructions);
  return new WallClock({ monotonic, date: () => Date.now() });
}

async function createMemory(ramSize: number): Promise<GuestMemory> {
  const { createGuestMemory } = await import('../emulator-x86/index.js');
  try {
    return new GuestMemory(createGuestMemory(ramSize), ramSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TsvmError(
      'E_HOST_MEMORY',
      `this host cannot reserve ${ramSize / 2 ** 20} MiB for the guest. Give less --memory.`,
    );
  }
}

async function createBackend(
  mode: Mode,
  options: Parameters<typeof import('./backends.js').createEmuBackend>[0],
): Promise<Backend> {
  const { createEmuBackend, createVirtBackend } = await import('./backends.js');
  return mode === 'virt' ? createVirtBackend(options) : createEmuBackend(options);
}

/** Opened before the run, so that a long run does not end with nowhere to put its numbers. */
function openStatsFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    const e = fileError(error, 'statistics file', path);
    throw new TsvmError(e.code, e.code === 'E_NOT_FOUND' ? `--stats ${path}: its folder does not exist.` : e.message);
  }
}

/** Runs a guest; returns the exit code of the process. */
export async function runCommand(image: string | undefined, flags: RunFlags): Promise<number> {
  const requestedMode = parseChoice('E_MODE', '--mode', flags.mode, MODES);
  const clockKind = parseChoice('E_CLOCK', '--clock', flags.clock, CLOCKS);
  const cpu = findCpuModel(flags.cpu);
  const ramSize = flags.memory === undefined ? DEFAULT_GUEST_RAM : parseMemorySize(flags.memory);
  const maxInstructions =
    flags.maxInstructions === undefined ? undefined : parseCount('--max-instructions', flags.maxInstructions);
  const source = openGuestSource({
    image,
    kernel: flags.kernel,
    initrd: flags.initrd ?? [],
    append: flags.append,
    disk: flags.disk ?? [],
    bios: flags.bios,
    loadAddress: flags.loadAddress === undefined ? undefined : parseAddress('--load-address', flags.loadAddress),
    snapshot: flags.snapshot ?? false,
    ramSize,
  });
  const choice = await chooseMode({
    mode: requestedMode,
    isa: source.isa,
    emulatorOnly:
      clockKind === 'instructions' ? '--clock instructions' : maxInstructions ? '--max-instructions' : undefined,
  });
  const statsFile = flags.stats === undefined ? undefined : openStatsFile(flags.stats);

  let backend: Backend | undefined;
  const clock = makeClock(clockKind, () => backend?.instructions?.() ?? 0);
  const memory = await createMemory(ramSize);
  let machine: Machine<X86State> | undefined;
  let outputClosed = false;
  const onCommand = (command: EscapeCommand): void => {
    if (command === 'quit') machine?.stop({ kind: 'quit' });
    else if (command === 'help') for (const line of ESCAPE_HELP) say(line);
    else for (const line of formatStatistics(statistics({ kind: 'quit' }))) say(line);
  };
  const guestConsole = new Console({
    stdin: process.stdin,
    stdout: process.stdout,
    onCommand,
    onInput: () => machine?.wake(),
    onOutputClosed: () => {
      outputClosed = true;
      machine?.stop({ kind: 'quit' });
    },
  });
  const board = new PcBoard({
    memory,
    clock,
    boot: source.boot,
    disks: source.disks,
    sink: guestConsole.write,
    strictIo: flags.strictIo ?? false,
  });
  backend = await createBackend(choice.mode, { memory, board, cpu, deterministic: clockKind === 'instructions' });
  const { vcpu } = backend;
  const beforePause = async (): Promise<void> => {
    await guestConsole.flush();
    guestConsole.pump(board.serial);
  };
  machine = new Machine<X86State>({
    board,
    vcpu,
    clock,
    timers: nodeTimers(beforePause),
    newState: () => new X86State(),
    refuseHypercall: (state) => state.setGpr(0, HYPERCALL_NOT_OFFERED),
    ...(backend.instructions && { instructions: backend.instructions }),
    ...(maxInstructions !== undefined && { maxInstructions }),
    noReboot: !flags.reboot,
    inputOpen: () => guestConsole.inputOpen,
    ...(backend.executingRip && { executingRip: backend.executingRip }),
    ...(backend.memoryReplaced && { memoryReplaced: backend.memoryReplaced }),
  });
  const runningMachine = machine;
  const runningBackend = backend;

  const started = monotonic();
  const statistics = (outcome: Outcome): RunStatistics => {
    const wallNanoseconds = Math.round(monotonic() - started);
    const own = vcpu.counters();
    const instructions = runningBackend.instructions?.() ?? own.instructions;
    const { exits, board: counts } = runningMachine.counters();
    const byName = (uses: typeof counts.pio) =>
      Object.fromEntries(uses.map(({ name, reads, writes }) => [name, { reads, writes }]));
    return {
      tsvm: version(),
      mode: choice.mode,
      backend: runningBackend.name,
      cpu: cpu.name,
      clock: clockKind,
      memoryBytes: ramSize,
      image: source.description,
      outcome: outcome.kind,
      exitCode: exitCode(outcome),
      wallNanoseconds,
      guestNanoseconds: Math.round(clock.now()),
      instructions,
      mips: instructions === null ? null : (instructions * 1000) / wallNanoseconds,
      slices: runningMachine.slices,
      resets: runningMachine.resets,
      assists: own.assists,
      exits,
      io: { pio: byName(counts.pio), mmio: byName(counts.mmio) },
      vcpu: { exits: own.exits, details: own.details },
    };
  };

  let signal = 0;
  const onSignal = (_name: NodeJS.Signals, number: number): void => {
    // The second one means that the first did not help.
    if (signal !== 0) process.exit(EXIT_SIGNAL + number);
    signal = number;
    runningMachine.stop({ kind: 'quit' });
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);

  try {
    machine.powerOn();
    if (choice.notice) say(`tsvm: ${choice.notice}`);
    for (const note of [...source.notes, ...runningBackend.notes, ...(board.guest?.warnings ?? [])]) {
      say(`tsvm: note: ${note}`);
    }
    guestConsole.start(() => board.serial);
    const outcome = await machine.run();
    await guestConsole.flush();
    guestConsole.restore();

    const state = new X86State();
    vcpu.readState(state);
    const message = describeOutcome(outcome, state.rip, maxInstructions);
    if (message) say(message);
    if (isAbnormal(outcome) && !message?.includes('\n')) say(state.describe());
    if (statsFile !== undefined) writeSync(statsFile, `${JSON.stringify(statistics(outcome), null, 2)}\n`);
    if (outputClosed) return EXIT_SIGNAL + osConstants.signals.SIGPIPE;
    return signal ? EXIT_SIGNAL + signal : exitCode(outcome);
  } finally {
    guestConsole.restore();
    for (const name of signals) process.off(name, onSignal);
    if (statsFile !== undefined) closeSync(statsFile);
    runningBackend.close();
  }
}
