// What the device tests share: a clock to turn, wires to watch, and one property that every device must have.

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BusDevice, Clock, IrqLine, Stateful, TimedDevice } from '../../src/vcpu/device.js';
import type { AccessSize } from '../../src/vcpu/vcpu.js';

/** A clock that moves when told to. Its date follows its time. */
export class FakeClock implements Clock {
  constructor(
    public time = 0,
    /** Date at time 0, in milliseconds since 1970. */
    public epoch = Date.UTC(2024, 1, 28, 23, 59, 50),
  ) {}
  now(): number {
    return this.time;
  }
  date(): number {
    return this.epoch + this.time / 1e6;
  }
}

/** A wire that remembers its level and counts its rising edges. */
export class Wire implements IrqLine {
  level = false;
  rises = 0;
  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

/** Moves the clock by `ns`, stopping at each deadline as a machine's run loop does. */
export function run(clock: FakeClock, device: TimedDevice, ns: number): void {
  const end = clock.time + ns;
  for (let deadline = device.deadline(); deadline <= end; deadline = device.deadline()) {
    clock.time = Math.max(clock.time, deadline);
    device.advance(clock.time);
  }
  clock.time = end;
}

/** A device under the property, with all that the outside can do to it and see of it. */
export interface Subject {
  readonly faces: readonly BusDevice[];
  readonly stateful?: Stateful;
  readonly timed?: TimedDevice;
  /** What comes from outside: keys, received bytes, interrupt lines. `n` is random. */
  readonly inputs?: readonly ((n: number) => unknown)[];
  /** What the device shows to the outside besides its registers: levels of lines, screens. */
  readonly observe?: () => unknown;
}

type Operation =
  | { kind: 'read'; face: number; offset: number; size: AccessSize }
  | { kind: 'write'; face: number; offset: number; size: AccessSize; value: number }
  | { kind: 'input'; input: number; value: number }
  | { kind: 'time'; ns: number };

const face = fc.nat(7);
const offset = fc.oneof({ weight: 8, arbitrary: fc.nat(15) }, { weight: 2, arbitrary: fc.nat(0x30) }, fc.nat(0x30000));
const size = fc.constantFrom<AccessSize>(1, 1, 1, 1, 2, 4);
const value = fc.oneof({ weight: 3, arbitrary: fc.nat(0xff) }, fc.nat(0xffffffff));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('read' as const), face, offset, size }),
  fc.record({ kind: fc.constant('write' as const), face, offset, size, value }),
  fc.record({ kind: fc.constant('write' as const), face, offset, size, value }),
  fc.record({ kind: fc.constant('input' as const), input: fc.nat(7), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('time' as const), ns: fc.oneof(fc.nat(2_000), fc.nat(3_000_000), fc.nat(2e9)) }),
);

/** Runs one operation and returns what could be seen. */
function apply(subject: Subject, clock: FakeClock, op: Operation): unknown {
  switch (op.kind) {
    case 'read': {
      const result = subject.faces[op.face % subject.faces.length].read(op.offset, op.size);
      assert.ok(
        Number.isInteger(result) && result >= 0 && result < 2 ** (8 * op.size),
        `${op.size}-byte read gave ${result}`,
      );
      return result;
    }
    case 'write':
      subject.faces[op.face % subject.faces.length].write(op.offset, op.size, op.value);
      return undefined;
    case 'input': {
      const inputs = subject.inputs ?? [];
      return inputs.length > 0 ? inputs[op.input % inputs.length](op.value) : undefined;
    }
    case 'time': {
      const end = clock.time + op.ns;
      const { timed } = subject;
      // A late machine: several deadlines may have passed at once.
      clock.time = end;
      if (timed && timed.deadline() <= end) {
        timed.advance(end);
        assert.ok(timed.deadline() > end, `deadline ${timed.deadline()} is not after ${end}: no progress`);
      }
      return timed?.deadline();
    }
  }
}

/**
 * Random accesses, inputs and times never make the device throw or return values that are too wide; time goes on;
 * and a device that is saved, loaded into a new one and saved again has the same state and behaves the same.
 */
export function checkDevice(make: (clock: FakeClock) => Subject, runs = 150): void {
  const sequence = fc.array(operation, { maxLength: 60 });
  fc.assert(
    fc.property(sequence, sequence, (before, after) => {
      const clock = new FakeClock();
      const subject = make(clock);
      for (const op of before) apply(subject, clock, op);
      const { stateful } = subject;
      const twinClock = new FakeClock(clock.time, clock.epoch);
      const twin = make(twinClock);
      if (stateful && twin.stateful) {
        const saved = stateful.saveState();
        twin.stateful.loadState(saved);
        assert.equal(twin.stateful.saveState(), saved, 'saved, loaded and saved again');
        assert.equal(twin.observe?.(), subject.observe?.(), 'outside view after loading');
      }
      for (const op of after) {
        const seen = apply(subject, clock, op);
        if (!stateful) continue;
        assert.equal(apply(twin, twinClock, op), seen, `${op.kind} after loading`);
        assert.equal(twin.observe?.(), subject.observe?.(), `outside view after ${op.kind}`);
      }
      if (stateful) assert.equal(twin.stateful?.saveState(), stateful.saveState());
    }),
    { numRuns: runs },
  );
}

/** The code of the TsvmError that `action` throws, or what it threw instead. */
export function errorCode(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
  return 'nothing thrown';
}

/** Each field of a saved state, one after the other, replaced by nonsense must be refused without a change. */
export function checkRefusals(device: Stateful): void {
  const saved = device.saveState();
  const damaged: [string, unknown][] = [['version', 99]];
  for (const field of Object.keys(saved)) damaged.push([field, 'nonsense'], [field, -5.5], [field, undefined]);
  for (const [field, nonsense] of damaged) {
    // RTC offsets may be any number.
    if (nonsense === -5.5 && (field === 'offset' || field === 'lastSecond')) continue;
    const code = errorCode(() => device.loadState({ ...saved, [field]: nonsense }));
    assert.is(code, 'E_STATE', `${field} = ${String(nonsense)}`);
    assert.equal(device.saveState(), saved, 'a refused state changes nothing');
  }
}
