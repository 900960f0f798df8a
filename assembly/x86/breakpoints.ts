// Breakpoints set by a debugger, by linear address: the guest does not see them.

const MAX: u32 = 64;
const addresses: usize = memory.data(64 * 8);
let count: u32 = 0;

export function clearBreakpoints(): void {
  count = 0;
}

/** False when there is no room for another. */
export function addBreakpoint(linear: u64): bool {
  if (count == MAX) return false;
  store<u64>(addresses + ((<usize>count) << 3), linear);
  count++;
  return true;
}

export function haveBreakpoints(): bool {
  return count != 0;
}

export function isBreakpoint(linear: u64): bool {
  for (let i: u32 = 0; i < count; i++) if (load<u64>(addresses + ((<usize>i) << 3)) == linear) return true;
  return false;
}
