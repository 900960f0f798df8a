// How many idle instances a host can hold: started one by one until something runs out.

import type { Command } from '../engine.js';
import { quantile } from '../statistics.js';
import type { Quantity, QuantityEnd } from './data.js';
import { type Instance, type Memory, readMemory, StartFailure, startInstance } from './instance.js';

export interface FillLimits {
  /** Bytes, pages shared among instances counted once. */
  readonly budget: number;
  /** Milliseconds that starts took on the quiet host. */
  readonly baseline: readonly number[];
  /** Milliseconds. */
  readonly time: number;
  /** Milliseconds for one start. */
  readonly timeout: number;
}

/** A table of processes is no resource of the level: enough to extrapolate from. */
const COUNT_LIMIT = 200;
/** Starts over which the 95th percentile is taken. */
const WINDOW = 20;
/** Looking at all instances takes time, so it is done every so many starts. */
const LOOK_INTERVAL = 4;

/** A host that is disturbed for a moment makes a few starts slow; only when the median moves too is it the number. */
const MEDIAN_FACTOR = 1.5;

/** Whether the 95th percentile of the latest starts is twice the usual one, and not by outliers alone. */
export function hasDoubled(baseline: readonly number[], starts: readonly number[]): boolean {
  if (starts.length < WINDOW) return false;
  const latest = starts.slice(-WINDOW);
  const grown = (q: number): number => quantile(latest, q) / quantile(baseline, q);
  return grown(0.95) >= 2 && grown(0.5) >= MEDIAN_FACTOR;
}

/** Memory of all instances together; undefined where /proc does not tell. */
function together(instances: readonly Instance[]): Memory | undefined {
  let [resident, proportional] = [0, 0];
  for (const { pid } of instances) {
    const memory = readMemory(pid);
    if (!memory) return undefined;
    resident += memory.resident;
    proportional += memory.proportional;
  }
  return { resident, proportional };
}

/** All instances are gone when it resolves. */
export async function fillWithIdle(idle: () => Command, limits: FillLimits): Promise<Quantity> {
  const deadline = performance.now() + limits.time;
  const instances: Instance[] = [];
  const starts: number[] = [];
  let memory: Memory | undefined;
  /** Bytes that one instance adds, from the last look. */
  let each = 0;
  let end: QuantityEnd | undefined;
  let reason: string | undefined;
  try {
    while (end === undefined) {
      const instance = await startInstance(idle(), limits.timeout);
      instances.push(instance);
      starts.push(instance.start);
      if (instances.length % LOOK_INTERVAL === 1) {
        memory = together(instances);
        each = (memory?.proportional ?? 0) / instances.length;
      }
      const slow = hasDoubled(limits.baseline, starts);
      // One more must not exceed the budget.
      if (each * (instances.length + 1) > limits.budget) end = 'memory';
      else if (slow) end = 'latency';
      else if (instances.length >= COUNT_LIMIT) end = 'count';
      else if (performance.now() > deadline) end = 'time';
    }
    memory = together(instances) ?? memory;
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    end = 'failed';
    reason = error.message;
    memory = together(instances) ?? memory;
  } finally {
    await Promise.all(instances.map((instance) => instance.stop()));
  }
  return { starts, memory, end, reason };
}
