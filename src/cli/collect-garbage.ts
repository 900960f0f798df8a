// Frees what loading left behind. A running guest allocates next to nothing in JavaScript, so that the collector would
// hardly ever run by itself, and a kernel image of tens of megabytes would stay.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes in buffers that are worth the time of a collection. */
const WORTHWHILE = 8 << 20;

/** A full collection, at once (some ten milliseconds), if loading has left much. */
export function collectGarbage(): void {
  if (process.memoryUsage().arrayBuffers < WORTHWHILE) return;
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
