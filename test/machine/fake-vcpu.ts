// A vCPU for tests of the machine around it: each run() plays the next step of a script.

import type { Slice, Vcpu, VcpuCounters, VmExit } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';

export type Step = (vcpu: FakeVcpu, slice: Slice) => VmExit;

export const SLICE_END: VmExit = { reason: 'slice-end' };
export const HALT: VmExit = { reason: 'halt' };

export class FakeVcpu implements Vcpu<X86State> {
  readonly backend = 'fake';
  readonly state = X86State.reset();
  readonly slices: Slice[] = [];
  line = false;
  a20 = true;
  nmis = 0;
  kicks = 0;
  retired = 0;

  /** After the last step of the script, every run ends its slice at once. */
  constructor(readonly script: Step[] = []) {}

  run(slice: Slice): VmExit {
    this.slices.push(slice);
    return this.script.shift()?.(this, slice) ?? SLICE_END;
  }
  step(): VmExit {
    this.retired++;
    return { reason: 'debug', pc: 0n };
  }
  kick(): void {
    this.kicks++;
  }
  setInterruptLine(asserted: boolean): void {
    this.line = asserted;
  }
  injectNmi(): void {
    this.nmis++;
  }
  inject(): void {}
  readState(into: X86State): void {
    into.copyFrom(this.state);
  }
  writeState(from: X86State): void {
    this.state.copyFrom(from);
  }
  setBreakpoints(): void {}
  setA20(enabled: boolean): void {
    this.a20 = enabled;
  }
  counters(): VcpuCounters {
    return { instructions: this.retired, exits: {}, assists: 0, details: {} };
  }
  close(): void {}
}
