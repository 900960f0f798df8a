// The machine: a board, a vCPU, a clock, and the loop that runs them in slices on one thread.

import { TsvmError, type Vcpu, type VmExit } from '../vcpu/vcpu.js';
import type { Board, BoardCounters } from './board.js';
import type { InstructionClock, MachineClock } from './clock.js';
import { EventCounter } from './event-counter.js';
import type { MachineRequest, Outcome } from './outcome.js';
import { SLICE_NS, SliceSizer } from './slice-sizer.js';

/** A pause that something else may end early. */
export interface Sleep {
  readonly done: Promise<void>;
  cancel(): void;
}

/** How the machine gives way to its host, which has terminals and sockets to serve. */
export interface HostTimers {
  /** Resolves after the host has looked after its own events once. */
  yieldToHost(): Promise<void>;
  /** Resolves after about `ns` nanoseconds (at most 2³¹ ms), or when cancelled. */
  sleep(ns: number): Sleep;
  /** Monotonic, nanoseconds. */
  monotonic(): number;
}

export interface MachineOptions<State> {
  readonly board: Board<State>;
  readonly vcpu: Vcpu<State>;
  readonly clock: MachineClock;
  readonly timers: HostTimers;
  /** Scratch state, and the way to the accumulator of a hypercall. */
  readonly newState: () => State;
  /** Result of a hypercall that this machine does not offer: all of them. */
  readonly refuseHypercall: (state: State) => void;
  /** Retired instructions so far; absent where the back end cannot count. */
  readonly instructions?: (() => number) | undefined;
  /** Inside a bus callback: address of the instruction that is calling. */
  readonly executingRip?: (() => bigint) | undefined;
  /** Ends the run after so many instructions; needs `instructions`. */
  readonly maxInstructions?: number | undefined;
  /** A guest reset ends the run instead of restarting the guest. */
  readonly noReboot?: boolean | undefined;
  /** Whether the host may still send input that could wake a halted guest. */
  readonly inputOpen?: (() => boolean) | undefined;
  /** Whether the host has input that the guest has not taken yet. */
  readonly inputWaiting?: (() => boolean) | undefined;
  /** Guest memory was loaded anew: a vCPU that keeps code translated from it must drop that. */
  readonly memoryReplaced?: (() => void) | undefined;
  /** A device has changed guest memory; likewise. */
  readonly memoryWritten?: ((address: number, length: number) => void) | undefined;
}

/**
 * The host gets its turn this often, in nanoseconds of host time: a turn takes a tenth of a millisecond, and nobody sees
 * a line or feels a key that comes so much later.
 */
const YIELD_INTERVAL = 4_000_000;
/** A slice may pass its instruction budget by the rest of a block: the last instructions are stepped one by one. */
const STEP_MARGIN = 4096;
const LINE_FEED = 10;

export class Machine<State> {
  readonly board: Board<State>;
  readonly vcpu: Vcpu<State>;
  readonly clock: MachineClock;
  private readonly state: State;
  private readonly events = new EventCounter();
  private readonly sizer: SliceSizer;
  private request: MachineRequest | undefined;
  private sleeping: Sleep | undefined;
  private lastYield = 0;
  /** Clock time at which the running slice is to end. */
  private sliceEnd = Infinity;
  private sliceLength = SLICE_NS;
  /** The board's deadline when it started. */
  private sliceDeadline = Infinity;
  /** The guest has printed something since the slice's start. */
  private printed = false;
  /** What it printed ends a line, and the host is to show that now. */
  private linePending = false;
  private sliceCount = 0;
  private resetCount = 0;

  constructor(private readonly options: MachineOptions<State>) {
    this.board = options.board;
    this.vcpu = options.vcpu;
    this.clock = options.clock;
    this.state = options.newState();
    this.sizer = new SliceSizer(
      options.clock.kind === 'instructions' ? (options.clock as InstructionClock) : undefined,
    );
    this.board.onRequest = (request) => this.stop(request);
    this.board.onWrite = () => {
      // A timer that the guest has just set for sooner than the slice's end must not fire late.
      const deadline = this.board.deadline();
      if (deadline < this.sliceEnd && deadline < this.sliceDeadline) this.vcpu.kick();
    };
    this.board.connect(this.vcpu, options.executingRip, options.memoryWritten);
  }

  get slices(): number {
    return this.sliceCount;
  }
  get resets(): number {
    return this.resetCount;
  }

  /** Loads the guest and sets the vCPU to its first instruction. Throws TsvmError when that is impossible. */
  powerOn(): void {
    this.board.powerOn(this.state);
    this.options.memoryReplaced?.();
    this.vcpu.writeState(this.state);
  }

  /** Ends the run at the next boundary, or restarts the guest ('reset'). The first request of a slice counts. */
  stop(request: MachineRequest): void {
    this.request ??= request;
    this.vcpu.kick();
    this.wake();
  }

  /** Something happened outside that may end the guest's HLT. */
  wake(): void {
    this.sizer.settle(false);
    this.sleeping?.cancel();
  }

  /**
   * The guest has printed a byte. A line is shown when it ends rather than when the slice does, unless lines follow each
   * other so closely that the host has just had its turn. Not under the instruction clock, where host time decides nothing.
   */
  consoleWritten(byte: number): void {
    this.printed = true;
    if (byte !== LINE_FEED || this.linePending || this.clock.kind === 'instructions') return;
    const sinceYield = this.options.timers.monotonic() - this.lastYield;
    if (sinceYield < YIELD_INTERVAL && this.sliceLength <= SLICE_NS) return;
    this.linePending = true;
    this.vcpu.kick();
  }

  /** Runs the guest until something ends the run. */
  async run(): Promise<Outcome> {
    this.lastYield = this.options.timers.monotonic();
    for (;;) {
      const outcome = (await this.runSlice()) ?? null;
      if (outcome !== null) return outcome;
      const due = this.options.timers.monotonic() - this.lastYield >= YIELD_INTERVAL;
      if (due || this.linePending) await this.giveWay();
    }
  }

  /** One slice, with the waiting that its HLT asks for. Returns how the run ended, if it did. */
  async runSlice(): Promise<Outcome | undefined> {
    const { vcpu, board, clock, options } = this;
    board.advance(clock.now());
    const asked = this.takeRequest();
    if (asked) return asked;

    const exit = this.limitedRun();
    if (exit === undefined) return { kind: 'max-instructions' };
    this.sliceCount++;
    if (exit.reason !== 'slice-end' && exit.reason !== 'debug')
      this.events.add(exit.reason === 'halt' ? 'hlt' : exit.reason);

    switch (exit.reason) {
      case 'halt':
        return this.request ? undefined : await this.halt();
      case 'hypercall':
        vcpu.readState(this.state);
        options.refuseHypercall(this.state);
        vcpu.writeState(this.state);
        return undefined;
      case 'shutdown':
        return this.takeRequest() ?? { kind: 'shutdown', cause: exit.cause };
      case 'failed':
        return this.takeRequest() ?? { kind: 'failed', name: exit.name, message: exit.message };
      default:
        return undefined;
    }
  }

  /** One call of the vCPU, sized by deadline and instruction limit; undefined when the limit is used up. */
  private limitedRun(): VmExit | undefined {
    const { vcpu, options } = this;
    const deadline = this.board.deadline();
    const slice = this.sizer.next(this.clock.now(), deadline);
    this.sliceDeadline = deadline;
    this.sliceLength = slice.nanoseconds;
    this.sliceEnd = this.clock.now() + slice.nanoseconds;
    const count = options.instructions;
    if (!count) {
      const exit = vcpu.run(slice);
      const waiting = options.inputWaiting?.() ?? false;
      this.sizer.settle(exit.reason === 'slice-end' && !this.printed && !waiting);
      this.printed = false;
      return exit;
    }

    let instructions = slice.instructions;
    if (options.maxInstructions !== undefined) {
      const left = options.maxInstructions - count();
      if (left <= 0) return undefined;
      if (left <= STEP_MARGIN) {
        const exit = vcpu.step();
        return exit.reason === 'debug' ? { reason: 'slice-end' } : exit;
      }
      instructions = Math.min(instructions, left - STEP_MARGIN);
    }
    const [before, started] = [count(), options.timers.monotonic()];
    const exit = vcpu.run({ ...slice, instructions });
    this.sizer.learn(count() - before, options.timers.monotonic() - started);
    return exit;
  }

  /** The vCPU is halted: waits until it has an interrupt to take. */
  private async halt(): Promise<Outcome | undefined> {
    const { board, clock, options } = this;
    this.vcpu.readState(this.state);
    if (!board.canWakeFromHalt(this.state)) {
      return { kind: 'halted', cause: board.haltCauses.masked };
    }
    while (!this.request && !board.wakesFromHalt(this.state)) {
      const deadline = board.deadline();
      if (deadline === Infinity && !(options.inputOpen?.() ?? false)) {
        return { kind: 'halted', cause: board.haltCauses.idle };
      }
      const wait = deadline === Infinity ? Infinity : clock.idleUntil(deadline);
      if (wait > 0) {
        this.sleeping = options.timers.sleep(wait);
        await this.sleeping.done;
        this.sleeping = undefined;
        this.lastYield = options.timers.monotonic();
      } else if (options.timers.monotonic() - this.lastYield >= YIELD_INTERVAL) {
        await this.giveWay();
      }
      board.advance(clock.now());
    }
    return undefined;
  }

  private async giveWay(): Promise<void> {
    this.linePending = false;
    await this.options.timers.yieldToHost();
    this.lastYield = this.options.timers.monotonic();
  }

  /** Settles what was asked for: a reset restarts the guest, anything else ends the run. */
  private takeRequest(): Outcome | undefined {
    const request = this.request;
    this.request = undefined;
    if (request?.kind !== 'reset' || this.options.noReboot) return request;
    this.resetCount++;
    try {
      this.powerOn();
    } catch (error) {
      if (error instanceof TsvmError) return { kind: 'failed', name: error.code, message: error.message };
      throw error;
    }
    return undefined;
  }

  /** Events for which a VMM gets control, by name, with port and memory-mapped I/O in detail. */
  counters(): { exits: Record<string, number>; board: BoardCounters } {
    const board = this.board.counters();
    const sum = (uses: BoardCounters['pio']) => uses.reduce((n, use) => n + use.reads + use.writes, 0);
    const exits = { pio: sum(board.pio), mmio: sum(board.mmio), ...board.events, ...this.events.toRecord() };
    return { exits, board };
  }
}
