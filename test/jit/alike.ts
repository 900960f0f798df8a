// A program interpreted, and compiled in several ways: the same registers, memory, and number of instructions.

import * as assert from 'uvu/assert';
import { CodeRig, type Result } from './code-rig.js';
import type { Program } from './program.js';

/** How programs are run: executions after which a block is compiled, and instructions in a slice. */
export const RUNS = [
  { threshold: 1, slice: 1e6 },
  { threshold: 2, slice: 333 },
  { threshold: 10, slice: 1e6 },
  { threshold: 25, slice: 77 },
];

/** Interpreted and compiled alike. Returns the interpreter's result, and the last compiled one. */
export async function alike(
  programs: readonly Program[],
  prepare: (rig: CodeRig) => void = () => undefined,
  runs: readonly { threshold: number; slice: number }[] = RUNS,
): Promise<[Result, Result]> {
  const make = async (threshold: number | undefined, slice: number): Promise<Result> => {
    const rig = await CodeRig.create(threshold, ...programs);
    prepare(rig);
    return rig.toHalt(slice);
  };
  const expected = await make(undefined, 1e6);
  assert.is(expected.exit.reason, 'halt');
  let last = expected;
  for (const { threshold, slice } of runs) {
    last = await make(threshold, slice);
    const name = `threshold ${threshold}, slices of ${slice}`;
    assert.equal(last.exit, expected.exit, name);
    assert.is(last.instructions, expected.instructions, name);
    for (let r = 0; r < 16; r++) assert.is(last.state.gpr(r), expected.state.gpr(r), `${name}: register ${r}`);
    assert.is(last.digest, expected.digest, name);
    assert.ok(last.details['jitRegions'] > 0, `${name}: something was compiled`);
    assert.is(last.details['jitRegionsRefused'], 0, name);
  }
  return [expected, last];
}
