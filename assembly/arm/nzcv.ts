// N Z C V between the lazy flags and a register. The lazy flags hold C inverted, as a borrow (ir/flags.ts).

import { getFlags, setFlags } from '../ir/flags';
import { PSTATE_C, PSTATE_N, PSTATE_V, PSTATE_Z } from '../layout/arm-state';
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF } from '../layout/x86-state';

/** N Z C V in bits 31–28. */
export function getNzcv(): u32 {
  const f = getFlags();
  return (
    (f & FLAG_SF ? PSTATE_N : 0) |
    (f & FLAG_ZF ? PSTATE_Z : 0) |
    (f & FLAG_CF ? 0 : PSTATE_C) |
    (f & FLAG_OF ? PSTATE_V : 0)
  );
}

/** The flags that setFlags() wants for N Z C V in bits 31–28. */
export function flagsOf(nzcv: u32): u32 {
  return (
    (nzcv & PSTATE_N ? FLAG_SF : 0) |
    (nzcv & PSTATE_Z ? FLAG_ZF : 0) |
    (nzcv & PSTATE_C ? 0 : FLAG_CF) |
    (nzcv & PSTATE_V ? FLAG_OF : 0)
  );
}

export function setNzcv(nzcv: u32): void {
  setFlags(flagsOf(nzcv));
}
