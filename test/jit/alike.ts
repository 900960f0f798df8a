// A program interpreted, and compiled in several ways: the same registers, memory, and number of instructions.

import * as assert from 'uvu/assert';
import type { JitOptions } from '../../src/emulator/jit.js';
import { CodeRig, type Result } from './code-rig.js';
import type { Program } from './program.js';

/** How a program is run: when a block is compiled, and instructions in a slice. */
export interface Run extends JitOptions {
  readonly slice: number;
}

/** No block is executed so often: baseline regions stay. */
export const NEVER = 0xffffffff;

/** Optimized regions only, baseline regions only, one after the other. */
export const RUNS: readonly Run[] = [
  { threshold: 1, slice: 1e6 },
  { threshold: 2, slice: 333 },
  { threshold: 10, slice: 1e6 },
  { threshold: 25, slice: 77 },
  { threshold: NEVER, baseline: 1, slice: 1e6 },
  { threshold: NEVER, baseline: 3, slice: 211 },
  { threshold: 25, baseline: 2, slice: 1e6 },
];

export const describeRun = ({ threshold, baseline, slice }: Run): string =>
  `threshold ${threshold}, baseline ${baseline ?? 'default'}, slices of ${slice}`;

/** Interpreted and compiled alike. Returns the interpreter's result, and the last compiled one. */
export async function alike(
  programs: readonly Program[],
  prepare: (rig: CodeRig) => void = () => undefined,
  runs: readonly Run[] = RUNS,
): Promise<[Result, Result]> {
  const make = async (jit: JitOptions | undefined, slice: number): Promise<Result> => {
    const rig = await CodeRig.create(jit, ...programs);
    prepare(rig);
    return rig.toHalt(slice);
  };
  const expected = await make(undefined, 1e6);
  assert.is(expected.exit.reason, 'halt');
  let last = expected;
  for (const run of runs) {
    last = await make(run, run.slice);
    const name = describeRun(run);
    assert.equal(last.exit, expected.exit, name);
    assert.is(last.instructions, expected.instructions, name);
    for (let r = 0; r < 16; r++) assert.is(last.state.gpr(r), expected.state.gpr(r), `${name}: register ${r}`);
    assert.is(last.digest, expected.digest, name);
    assert.ok(last.details['jitRegions'] > 0, `${name}: something was compiled`);
    assert.is(last.details['jitRegionsRefused'], 0, name);
  }
  return [expected, last];
}
