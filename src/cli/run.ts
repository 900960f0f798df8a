// tsvm run: one guest from its image to its end.

import { closeSync, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { InstructionClock, type MachineClock, WallClock } from '../machine/clock.js';
import { Machine } from '../machine/machine.js';
import type { Outcome } from '../machine/outcome.js';
import { formatStatistics, type RunStatistics } from '../trace/stats.js';
import { TsvmError } from '../vcpu/vcpu.js';
import type { Backend } from './backends.js';
import { collectGarbage } from './collect-garbage.js';
import { Console } from './console.js';
import { ESCAPE_HELP, type EscapeCommand } from './escape.js';
import { fileError, version } from './files.js';
import { monotonic, nodeTimers } from './host-timers.js';
import { quote } from './options.js';
import { describeOutcome, EXIT_SIGNAL, exitCode, isAbnormal } from './report.js';
import { planRun, type RunFlags, type RunPlan } from './run-plan.js';
import { createPcSystem, createVirtSystem, type System } from './systems.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs a guest; returns the exit code of the process. */
export async function runCommand(image: string | undefined, flags: RunFlags): Promise<number> {
  const plan = await planRun(image, flags);
  // Opened before the run, so that a long run does not end with nowhere to put its numbers.
  const statsFile = plan.statsPath === undefined ? undefined : openStatsFile(plan.statsPath);
  const session = await RunSession.create(plan);
  try {
    const outcome = await session.run();
    session.report(outcome);
    if (statsFile !== undefined) {
      writeSync(
        statsFile,
        `${JSON.stringify({ ...session.statistics(outcome), ...(await session.finalState()) }, null, 2)}\n`,
      );
    }
    return session.exitCode(outcome);
  } finally {
    session.close();
    if (statsFile !== undefined && statsFile !== STANDARD_ERROR) closeSync(statsFile);
  }
}

/** The guest's console is on standard output. */
const STANDARD_ERROR = 2;

/** '-' is standard error, as elsewhere; never a file of that name. */
function openStatsFile(path: string): number {
  if (path === '-') return STANDARD_ERROR;
  try {
    return openSync(path, 'w');
  } catch (error) {
    const cause = fileError(error, 'statistics file', path);
    if (cause.code !== 'E_NOT_FOUND') throw cause;
    throw new TsvmError('E_NOT_FOUND', `the folder of --stats ${quote(path)} does not exist. Make it first.`, 127);
  }
}

/** A run, whatever its guest's instruction set. */
type Session = Pick<RunSession<unknown>, 'run' | 'report' | 'statistics' | 'finalState' | 'exitCode' | 'close'>;

/** A machine with this process's terminal, signals and files around it. */
class RunSession<State> {
  private readonly machine: Machine<State>;
  private readonly console: Console;
  private readonly backend: Backend<State>;
  private readonly started = monotonic();
  private outputClosed = false;
  /** Number of the signal that ended the run, 0 for none. */
  private signal = 0;

  static async create(plan: RunPlan): Promise<Session> {
    // The clock may count instructions of a vCPU that needs the board, which needs the clock.
    const late: { backend?: { readonly instructions?: () => number }; console?: Console } = {};
    const clock: MachineClock =
      plan.clock === 'instructions'
        ? new InstructionClock(() => late.backend?.instructions?.() ?? 0)
        : new WallClock({ monotonic, date: () => Date.now() });
    const parts = { plan, clock, sink: (byte: number) => late.console?.write(byte) };
    const begin = <State>(system: System<State>): RunSession<State> => {
      const session = new RunSession(plan, system, clock);
      late.backend = system.backend;
      late.console = session.console;
      return session;
    };
    const { machine } = plan;
    return machine.board === 'virt'
      ? begin(await createVirtSystem(parts, machine))
      : begin(await createPcSystem(parts));
  }

  private constructor(
    private readonly plan: RunPlan,
    private readonly system: System<State>,
    private readonly clock: MachineClock,
  ) {
    const { board, backend } = system;
    this.backend = backend;
    this.console = new Console({
      stdin: process.stdin,
      stdout: process.stdout,
      onCommand: (command) => this.onCommand(command),
      onOutput: (byte) => this.machine.consoleWritten(byte),
      onInput: () => this.machine.wake(),
      onOutputClosed: () => {
        this.outputClosed = true;
        this.machine.stop({ kind: 'quit' });
      },
    });
    const beforePause = async (): Promise<void> => {
      await this.console.flush();
      this.console.pump(system.receiver());
    };
    this.machine = new Machine<State>({
      board,
      vcpu: backend.vcpu,
      clock,
      timers: nodeTimers(beforePause),
      newState: system.newState,
      refuseHypercall: system.refuseHypercall,
      instructions: backend.instructions,
      executingRip: backend.executingRip,
      memoryReplaced: backend.memoryReplaced,
      memoryWritten: backend.memoryWritten,
      maxInstructions: plan.maxInstructions,
      noReboot: plan.noReboot,
      inputOpen: () => this.console.inputOpen,
      inputWaiting: () => this.console.inputWaiting,
    });
  }

  async run(): Promise<Outcome> {
    const { plan, machine } = this;
    for (const name of SIGNALS) process.on(name, this.onSignal);
    machine.powerOn();
    collectGarbage();
    if (plan.choice.notice) say(`tsvm: ${plan.choice.notice}`);
    for (const note of [...plan.source.notes, ...this.backend.notes, ...this.system.warnings()]) {
      say(`tsvm: note: ${note}`);
    }
    this.console.start(this.system.receiver);
    const outcome = await machine.run();
    await this.console.flush();
    // From here on, lines end as usual.
    this.console.restore();
    return outcome;
  }

  /** Says on standard error what a user cannot know from the guest's own output. */
  report(outcome: Outcome): void {
    const { system } = this;
    const state = system.newState();
    this.backend.vcpu.readState(state);
    const message = describeOutcome(outcome, system.position(state), this.plan.maxInstructions);
    if (message) say(message);
    // KVM's failures bring the registers along.
    if (isAbnormal(outcome) && !message?.includes('\n')) say(system.describe(state));
  }

  exitCode(outcome: Outcome): number {
    if (this.outputClosed) return EXIT_SIGNAL + osConstants.signals.SIGPIPE;
    return this.signal ? EXIT_SIGNAL + this.signal : exitCode(outcome);
  }

  statistics(outcome: Outcome): RunStatistics {
    const { plan, backend, machine } = this;
    const wallNanoseconds = Math.round(monotonic() - this.started);
    const own = backend.vcpu.counters();
    const instructions = own.instructions;
    const { exits, board } = machine.counters();
    const byName = (uses: typeof board.pio) =>
      Object.fromEntries(uses.map(({ name, reads, writes }) => [name, { reads, writes }]));
    return {
      tsvm: version(),
      mode: plan.choice.mode,
      backend: backend.name,
      board: plan.machine.board,
      cpu: this.system.cpu,
      clock: plan.clock,
      memoryBytes: plan.ramSize,
      image: plan.source.description,
      outcome: outcome.kind,
      exitCode: this.exitCode(outcome),
      wallNanoseconds,
      guestNanoseconds: Math.round(this.clock.now()),
      instructions,
      mips: instructions === null ? null : (instructions * 1000) / wallNanoseconds,
      slices: machine.slices,
      resets: machine.resets,
      assists: own.assists,
      exits,
      io: { pio: byName(board.pio), mmio: byName(board.mmio) },
      vcpu: { exits: own.exits, details: own.details },
    };
  }

  /** A digest of everything that a run under the instruction clock left behind: two runs of one guest have the same. */
  async finalState(): Promise<{ readonly stateHash?: string }> {
    const { system, plan } = this;
    if (plan.clock !== 'instructions') return {};
    const state = system.newState();
    this.backend.vcpu.readState(state);
    // Loaded here: it takes some milliseconds, and most runs do without.
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(system.bytes(state)).update(system.memory.bytes);
    return { stateHash: hash.digest('hex') };
  }

  /** Gives back the terminal and what the host lent. Harmless when repeated. */
  close(): void {
    this.console.restore();
    for (const name of SIGNALS) process.off(name, this.onSignal);
    this.backend.close();
  }

  private readonly onSignal = (_name: NodeJS.Signals, number: number): void => {
    // The second one means that the first did not help.
    if (this.signal !== 0) process.exit(EXIT_SIGNAL + number);
    this.signal = number;
    this.machine.stop({ kind: 'quit' });
  };

  private onCommand(command: EscapeCommand): void {
    const print = (lines: readonly string[]) => say(`\n${lines.join('\n')}`);
    if (command === 'quit') this.machine.stop({ kind: 'quit' });
    else if (command === 'help') print(ESCAPE_HELP);
    else print(formatStatistics(this.statistics({ kind: 'quit' })));
  }
}
