// Properties that every device has to have, whatever a guest does to its registers.

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BusDevice, Clock, DeviceState, Stateful, TimedDevice } from '../../src/vcpu/device.js';
import { type AccessSize, TsvmError } from '../../src/vcpu/vcpu.js';

export class TestClock implements Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  date(): number {
    return 0;
  }
}

export interface Subject {
  readonly device: Stateful;
  readonly faces: readonly BusDevice[];
  readonly timed?: TimedDevice;
  /** Inputs other than register accesses, each with a parameter of 0–255. */
  readonly inputs?: readonly ((parameter: number) => void)[];
  /** What the device did to the world, compared between two equal devices. */
  readonly outputs: () => unknown;
}

export interface Plan {
  /** A new device; a second one made with the same `medium` content must behave equally. */
  readonly make: (clock: TestClock, medium: Uint8Array) => Subject;
  readonly medium?: Uint8Array;
  /** Offsets that are worth trying more often, by face. */
  readonly offsets: readonly (readonly number[])[];
  /** Values that are worth trying more often. */
  readonly values: readonly number[];
}

type Step =
  | { kind: 'read' | 'write'; face: number; offset: number; size: AccessSize; value: number }
  | { kind: 'input'; which: number; parameter: number }
  | { kind: 'time'; ns: number };

function steps(plan: Plan): fc.Arbitrary<Step[]> {
  const face = fc.nat(plan.offsets.length - 1);
  const access = face.chain((f) =>
    fc.record({
      kind: fc.constantFrom('read' as const, 'write' as const),
      face: fc.constant(f),
      offset: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...plan.offsets[f]) }, fc.nat(0xfff)),
      size: fc.constantFrom<AccessSize>(1, 2, 4, 4),
      value: fc.oneof(fc.constantFrom(...plan.values), fc.nat(0xff), fc.nat(0xffffffff)),
    }),
  );
  const input = fc.record({ kind: fc.constant('input' as const), which: fc.nat(99), parameter: fc.nat(255) });
  const time = fc.record({
    kind: fc.constant('time' as const),
    ns: fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 1e13, noNaN: true })),
  });
  return fc.array(fc.oneof({ weight: 8, arbitrary: access }, { weight: 2, arbitrary: input }, time), { maxLength: 60 });
}

/** Does the steps, checks every answer's range and that time makes progress, and returns what was read. */
function perform(subject: Subject, clock: TestClock, list: readonly Step[]): unknown[] {
  const seen: unknown[] = [];
  for (const step of list) {
    if (step.kind === 'time') {
      clock.time += step.ns;
      const { timed } = subject;
      if (timed !== undefined && timed.deadline() <= clock.time) {
        timed.advance(clock.time);
        assert.ok(timed.deadline() > clock.time, 'advance() must move the deadline on');
      }
    } else if (step.kind === 'input') {
      const inputs = subject.inputs ?? [];
      if (inputs.length > 0) inputs[step.which % inputs.length](step.parameter);
    } else if (step.kind === 'write') {
      subject.faces[step.face].write(step.offset, step.size, step.value);
    } else {
      const value = subject.faces[step.face].read(step.offset, step.size);
      assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** (8 * step.size), `read gave ${value}`);
      seen.push(value);
    }
    seen.push(subject.outputs());
  }
  return seen;
}

/** Random accesses never throw; a device with a restored state goes on exactly like the one that was saved. */
export function checkRandomAccess(plan: Plan, runs = 150): void {
  fc.assert(
    fc.property(steps(plan), steps(plan), (before, after) => {
      const clock = new TestClock();
      const medium = plan.medium?.slice() ?? new Uint8Array(0);
      const first = plan.make(clock, medium);
      perform(first, clock, before);
      const state = structuredClone(first.device.saveState());

      const otherClock = new TestClock();
      otherClock.time = clock.time;
      const second = plan.make(otherClock, medium.slice());
      second.device.loadState(state);
      assert.equal(second.device.saveState(), state);
      assert.equal(perform(second, otherClock, after), perform(first, clock, after));
      assert.equal(second.device.saveState(), first.device.saveState());
    }),
    { numRuns: runs },
  );
}

/** A damaged state is refused with E_STATE and changes nothing, or it is harmless. */
export function checkDamagedStates(plan: Plan, runs = 150): void {
  const junk = fc.constantFrom<unknown>(-1, 0.5, 2 ** 40, 255, 0, Number.NaN, 'x', null, undefined, [], {}, true);
  fc.assert(
    fc.property(steps(plan), fc.nat(99), fc.nat(99), junk, steps(plan), (before, field, element, value, after) => {
      const clock = new TestClock();
      const subject = plan.make(clock, plan.medium?.slice() ?? new Uint8Array(0));
      perform(subject, clock, before);
      const state = subject.device.saveState();
      const damaged = structuredClone(state) as Record<string, unknown>;
      damage(damaged, field, element, value);
      try {
        subject.device.loadState(damaged as DeviceState);
      } catch (error) {
        assert.instance(error, TsvmError);
        assert.is((error as TsvmError).code, 'E_STATE');
        assert.equal(subject.device.saveState(), state);
      }
      perform(subject, clock, after);
    }),
    { numRuns: runs },
  );
}

/** Replaces one field, or one element in a field that is a list or a nested state. */
function damage(target: Record<string, unknown>, field: number, element: number, value: unknown): void {
  const names = Object.keys(target);
  const name = names[field % names.length];
  const inner = target[name];
  if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner) && element % 4 !== 0) {
    damage(inner as Record<string, unknown>, element, element >> 2, value);
  } else {
    target[name] = value;
  }
}

/** An interrupt line that remembers its level and how often it rose. */
export class TestLine {
  level = false;
  rises = 0;
  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}
