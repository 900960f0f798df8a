// Numbers about compiled code, for --stats.

import { EXITS, LEFT_NOT_CANONICAL } from './exits';
import { entries, exitCounts, instructionsInRegions } from './run-region';
import {
  regionBlocks,
  regionBytes,
  regionFlushes,
  regionsBaseline,
  regionsBuilt,
  regionsDropped,
  regionsRefused,
} from './tier';

/** Statistic `index`, in the order of STATISTICS in src/emulator/jit.ts. */
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
    case 18:
      return <f64>regionsBaseline;
    default: {
      // Exits: all ways but LEFT_NOT_CANONICAL, which is hardly ever taken.
      const how: usize = index < 8 + LEFT_NOT_CANONICAL ? index - 8 : index - 7;
      return how < <usize>EXITS ? <f64>load<u64>(exitCounts + (how << 3)) : 0;
    }
  }
}
