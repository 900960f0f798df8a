// MXCSR: control and status of SSE floating point (SDM vol. 1, 10.2.3), and what an operation's exceptions do.

import { beginFloat, FP_DE, FP_IE, FP_PE, FP_ZE, fpFlags } from '../fpu/softfloat';
import { STATE } from '../layout/memory';
import { CR4_OSXMMEXCPT, S_CR4, S_MXCSR } from '../layout/x86-state';
import { EXC_UD, EXC_XM, raise, raiseGP } from '../x86/fault';

const DAZ: u32 = 1 << 6;
const MASKS: u32 = 7;
const RC: u32 = 13;
const FTZ: u32 = 1 << 15;
/** Exceptions found before an operation is carried out; one of these unmasked, the later ones are not looked for. */
const PRE_COMPUTATION: u32 = FP_IE | FP_DE | FP_ZE;
/** Bits that exist; setting another raises #GP(0). */
export const MXCSR_MASK: u32 = 0xffff;

/** Rounding mode in force. */
export function roundingMode(): u32 {
  return (load<u32>(STATE, S_MXCSR) >> RC) & 3;
}

/**
 * Between the steps of an operation that rounds more than once: the flags so far become sticky. False if they raise an
 * unmasked exception: then the next step is not carried out.
 */
export function settleSse(): bool {
  const m = load<u32>(STATE, S_MXCSR);
  if (fpFlags & ~(m >> MASKS) & 0x3f) return false;
  store<u32>(STATE, m | fpFlags, S_MXCSR);
  return true;
}

/** Starts an operation under MXCSR's control. */
export function beginSse(): void {
  const m = load<u32>(STATE, S_MXCSR);
  beginFloat((m >> RC) & 3, (m & DAZ) != 0, (m & FTZ) != 0, ~(m >> MASKS));
}

/** Ends it: flags become sticky. False if an unmasked exception was raised: then no result may be written. */
export function commitSse(): bool {
  const m = load<u32>(STATE, S_MXCSR);
  const unmasked = fpFlags & ~(m >> MASKS) & 0x3f;
  if (!unmasked) {
    store<u32>(STATE, m | fpFlags, S_MXCSR);
    return true;
  }
  store<u32>(STATE, m | (unmasked & PRE_COMPUTATION ? fpFlags & PRE_COMPUTATION : fpFlags), S_MXCSR);
  raise(load<u32>(STATE, S_CR4) & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
  return false;
}

/**
 * Can WebAssembly's arithmetic stand in, provided the result is an ordinary number? Rounding to nearest, no DAZ or
 * FTZ, all exceptions masked.
 */
export function plainArithmetic(): bool {
  return (load<u32>(STATE, S_MXCSR) & 0xffc0) == 0x1f80;
}

/** Is the precision flag still clear, so that it matters whether a result is exact? It is sticky: mostly not. */
export function precisionMatters(): bool {
  return !(load<u32>(STATE, S_MXCSR) & FP_PE);
}

/** As plainArithmetic(), for operations that do not round. */
export function plainExact(): bool {
  return (load<u32>(STATE, S_MXCSR) & 0x1fc0) == 0x1f80;
}

/** LDMXCSR of the value at slot a. */
export function loadMxcsr(a: u32, _b: u32, _imm: u64): void {
  const v = load<u32>(STATE + a);
  if (v & ~MXCSR_MASK) raiseGP(0);
  else store<u32>(STATE, v, S_MXCSR);
}
