// Frees what loading left behind. A running guest allocates next to nothing in JavaScript, so that the collector would
// hardly ever run by itself, and a kernel image of tens of megabytes would stay.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection, at once (a few milliseconds). */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
