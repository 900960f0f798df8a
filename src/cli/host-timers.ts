// How the machine waits on a Node host.

import type { HostTimers, Sleep } from '../machine/machine.js';

/** Below this, setTimeout (whose unit is a millisecond) would overshoot too far. */
const SHORT_NS = 1_500_000;
/** setTimeout's range is 31 bits of milliseconds; a longer sleep is repeated by the run loop. */
const LONGEST_MS = 2 ** 31 - 1;

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Nanoseconds from any origin. */
export const monotonic = (): number => performance.now() * 1e6;

/** `beforePause` is awaited before each pause: the moment to write out what the guest printed. */
export function nodeTimers(beforePause: () => Promise<void>): HostTimers {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const yieldToHost = async (): Promise<void> => {
    await beforePause();
    await oneTurn();
  };
  return {
    monotonic,
    yieldToHost,
    sleep(ns: number): Sleep {
      if (ns < SHORT_NS) {
        const short = async (): Promise<void> => {
          await beforePause();
          // Waiting on a cell that nobody changes sleeps precisely and costs no CPU time.
          Atomics.wait(cell, 0, 0, ns / 1e6);
          await oneTurn();
        };
        return { done: short(), cancel: () => undefined };
      }
      let cancel = (): void => undefined;
      const slept = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(LONGEST_MS, Math.floor(ns / 1e6)));
        cancel = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const done = (async () => {
        await beforePause();
        await slept;
      })();
      return { done, cancel: () => cancel() };
    },
  };
}
