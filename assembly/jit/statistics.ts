// Numbers about the second tier, for --stats.

import { LEFT_WINDOW } from './exits';
import { entries, exitCounts, instructionsInRegions } from './run-region';
import { regionBlocks, regionBytes, regionFlushes, regionsBuilt, regionsDropped, regionsRefused } from './tier';

/** Statistic `index`, in the order of JIT_STATISTICS in src/emulator/jit.ts. */
export function jitStatistic(index: u32): f64 {
  switch (index) {
    case 0:
      return <f64>regionsBuilt;
    case 1:
      return <f64>regionsDropped;
    case 2:
      return <f64>regionsRefused;
    case 3:
      return <f64>regionFlushes;
    case 4:
      return <f64>regionBlocks;
    case 5:
      return <f64>regionBytes;
    case 6:
      return <f64>instructionsInRegions;
    case 7:
      return <f64>entries();
    case 14:
      return <f64>load<u64>(exitCounts + ((<usize>LEFT_WINDOW) << 3));
    default:
      return index < 14 ? <f64>load<u64>(exitCounts + ((<usize>index - 8) << 3)) : 0;
  }
}
