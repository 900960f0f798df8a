// When a slice ends: how long a guest may keep the host waiting, and how soon the host sees a line that it printed.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InstructionClock } from '../../src/machine/clock.js';
import type { MachineOptions } from '../../src/machine/machine.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import { type FakeVcpu, SLICE_END, type Step } from './fake-vcpu.js';
import { makeRig, type Rig, type RigOptions } from './rig.js';

const COM1 = 0x3f8;
const COM1_LSR = COM1 + 5;
const DEBUG_EXIT = 0xf4;

/** A guest whose slices take the time they are given, on a machine whose turns for the host are counted. */
class Guest {
  yields = 0;
  readonly script: Step[] = [];
  readonly rig: Rig;

  constructor(changes: Partial<MachineOptions<X86State>> = {}, options: RigOptions = {}) {
    const timers = {
      monotonic: () => this.rig.time.ns,
      yieldToHost: () => {
        this.yields++;
        return Promise.resolve();
      },
      sleep: () => ({ done: Promise.resolve(), cancel: () => undefined }),
    };
    this.rig = makeRig({ ...options, script: this.script, machine: { timers, ...changes } });
  }

  /** One slice that lasts for `share` of its length, then does something. */
  slice(action: () => void = () => undefined, share = 1): this {
    this.script.push((_, { nanoseconds }) => {
      this.rig.time.ns += share * nanoseconds;
      action();
      return SLICE_END;
    });
    return this;
  }

  /** Kicks so far; the last one of a run is the exit's. */
  get kicks(): number {
    return this.rig.vcpu.kicks;
  }

  print(text: string): void {
    for (const char of text) this.rig.board.bus.pioWrite(COM1, 1, char.charCodeAt(0));
  }

  async run(): Promise<readonly number[]> {
    this.slice(() => this.rig.board.bus.pioWrite(DEBUG_EXIT, 1, 0));
    this.rig.machine.powerOn();
    assert.equal(await this.rig.machine.run(), { kind: 'exit', code: 0 });
    return this.rig.vcpu.slices.map(({ nanoseconds }) => nanoseconds);
  }
}

/** The machine learns of lines from whoever shows them. */
function printing(changes: Partial<MachineOptions<X86State>> = {}, options: RigOptions = {}): Guest {
  const guest: Guest = new Guest(changes, {
    ...options,
    board: { sink: (byte) => guest.rig.machine.consoleWritten(byte) },
  });
  return guest;
}

test('slices grow unless the guest prints, has input to take, or gets some', async () => {
  let waiting = false;
  const guest = printing({ inputWaiting: () => waiting });
  const { rig } = guest;
  const wait = (on: boolean) => () => {
    waiting = on;
  };
  guest.slice().slice();
  // Not all that uses a device is a dialogue.
  guest.slice(() => rig.board.bus.pioRead(COM1_LSR, 1));
  guest.slice(() => guest.print('x')).slice();
  guest.slice(wait(true)).slice(wait(false));
  guest.slice(() => rig.machine.wake());
  const lengths = await guest.run();
  const [short, longer, long] = lengths;
  assert.ok(longer > short && long > longer && lengths[3] === long);
  assert.equal(lengths.slice(4), [short, longer, short, longer, longer]);
});

test('slices that a count of instructions bounds do not grow', async () => {
  const guest = new Guest({ instructions: () => 0 });
  const lengths = await guest.slice().slice().slice().run();
  assert.is(new Set(lengths).size, 1);
});

test('the end of a line ends a slice, and the host has its turn', async () => {
  const guest = printing();
  const kicks: number[] = [];
  const act = (text: string) => () => {
    guest.print(text);
    kicks.push(guest.kicks);
  };
  guest.slice(act('no end')).slice(act('no end')).slice(act('line\n'), 0.9);
  await guest.run();
  assert.equal(kicks, [0, 0, 1]);
});

test('lines that follow each other closely share one turn of the host', async () => {
  const guest = printing();
  let kicks = 0;
  for (let i = 0; i < 500; i++) guest.slice(() => guest.print('a\nb\nc\n'), 0.01);
  guest.slice(() => {
    kicks = guest.kicks;
  });
  await guest.run();
  // 500 slices of 15 µs: the host's turn is due every four milliseconds.
  assert.ok(kicks >= 1 && kicks <= 3, `${kicks} kicks`);
  assert.ok(guest.yields <= kicks + 2, `${guest.yields} turns`);
});

test('a line in a long slice is shown even just after the host’s turn', async () => {
  const guest = printing();
  guest
    .slice()
    .slice()
    .slice(() => guest.print('line\n'), 0.001);
  await guest.run();
  assert.is(guest.kicks, 2);
});

test('under the instruction clock lines end no slice: host time would decide which', async () => {
  const clock = (vcpu: FakeVcpu) => new InstructionClock(() => vcpu.retired);
  const guest = printing({}, { clock });
  guest.slice(() => guest.print('line\n')).slice(() => guest.print('line\n'));
  await guest.run();
  assert.is(guest.kicks, 1);
});

test.run();
