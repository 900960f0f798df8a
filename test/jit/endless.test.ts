// A guest that writes new code for ever: the number of compiled regions stays within the table's size, and what they take
// from the host is given back. V8 takes two memory mappings and some 25 KB for each module; beyond 65530 mappings, which
// Linux allows a process, it aborts.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JIT_TABLE_ENTRIES } from '../../assembly/layout/jit.js';
import { CodeRig } from './code-rig.js';
import { GENERATE } from './programs.js';

/** Bytes that the process may grow by: the table full of modules twice, as those dropped wait to be collected. */
const GROWTH = 400 << 20;
/** Two a module, in the table or waiting to be collected, and those of the process itself. */
const MAPPINGS = 5 * JIT_TABLE_ENTRIES;
const MAPS = '/proc/self/maps';
const CALLS = 3;
const INSTRUCTIONS_EACH = 4 + 5 * CALLS + 3;

interface Most {
  live: number;
  growth: number;
  mappings: number;
}

/** Writes `count` functions `stride` bytes apart and calls each a few times. Each is compiled. */
async function generate(count: number, stride: number): Promise<{ most: Most; rig: CodeRig }> {
  const rig = await CodeRig.create({ threshold: 2 }, GENERATE);
  rig.state.setGpr(7, 0x40000n);
  rig.state.setGpr(6, BigInt(count));
  rig.state.setGpr(2, BigInt(CALLS));
  rig.state.setGpr(8, BigInt(stride));
  rig.start();
  const before = process.memoryUsage().rss;
  const most: Most = { live: 0, growth: 0, mappings: 0 };
  for (;;) {
    const exit = rig.run(100 * INSTRUCTIONS_EACH);
    const { jitRegions, jitRegionsDropped } = rig.vcpu.counters().details;
    most.live = Math.max(most.live, jitRegions - jitRegionsDropped);
    most.growth = Math.max(most.growth, process.memoryUsage().rss - before);
    if (existsSync(MAPS)) most.mappings = Math.max(most.mappings, readFileSync(MAPS, 'latin1').split('\n').length);
    if (exit.reason === 'halt') return { most, rig };
    assert.is(exit.reason, 'slice-end');
    // The run loop gives way between slices, too.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** RBX: the sum of the numbers that the functions add, each as often as it was called. */
const sum = (count: number): bigint => (BigInt(CALLS) * BigInt(count) * BigInt(count + 1)) / 2n;

function check({ most, rig }: { most: Most; rig: CodeRig }, count: number): void {
  const { state, details } = rig.result({ reason: 'halt' });
  assert.is(state.gpr(3), sum(count));
  assert.ok(details['jitRegions'] >= count, `${details['jitRegions']} regions`);
  assert.is(details['jitRegionsRefused'], 0);
  assert.ok(most.growth < GROWTH, `grew by ${most.growth >> 20} MiB`);
  assert.ok(most.mappings < MAPPINGS, `${most.mappings} mappings`);
}

test('new code at ever new places: a full table is emptied', async () => {
  const count = JIT_TABLE_ENTRIES + 600;
  const run = await generate(count, 16);
  check(run, count);
  assert.ok(run.most.live <= JIT_TABLE_ENTRIES, `${run.most.live} live`);
  assert.ok(run.most.live > JIT_TABLE_ENTRIES - 200, 'the table was full');
});

test('new code at the same place: the old is dropped at once', async () => {
  const count = 1500;
  const run = await generate(count, 0);
  check(run, count);
  assert.ok(run.most.live < 10, `${run.most.live} live`);
});

test.run();
