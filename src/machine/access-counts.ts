// Sums of device accesses over several power cycles.

import type { DeviceUse } from './board.js';

export type UseCounts = Map<string, { reads: number; writes: number }>;

/** Adds `uses` to `sums`, name by name. */
export function addUses(sums: UseCounts, uses: readonly DeviceUse[]): void {
  for (const use of uses) {
    if (use.reads + use.writes === 0) continue;
    const sum = sums.get(use.name) ?? { reads: 0, writes: 0 };
    sums.set(use.name, { reads: sum.reads + use.reads, writes: sum.writes + use.writes });
  }
}

export function listUses(sums: UseCounts): DeviceUse[] {
  return [...sums].map(([name, n]) => ({ name, ...n }));
}
