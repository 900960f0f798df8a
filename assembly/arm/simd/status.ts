// FPCR and FPSR: control and status of floating point and saturation (Arm ARM C5.2.8, C5.2.10).

import { S_FPCR, S_FPSR } from '../../layout/arm-state';
import { STATE } from '../../layout/memory';

/** Alternative half precision; default NaN; flush to zero. */
export const FPCR_AHP: u32 = 1 << 26;
export const FPCR_DN: u32 = 1 << 25;
export const FPCR_FZ: u32 = 1 << 24;
export const FPCR_RMODE: u32 = 3 << 22;

// Cumulative exceptions.
export const FPSR_IOC: u32 = 1;
export const FPSR_DZC: u32 = 2;
export const FPSR_OFC: u32 = 4;
export const FPSR_UFC: u32 = 8;
export const FPSR_IXC: u32 = 16;
export const FPSR_IDC: u32 = 128;
/** Saturation happened. */
export const FPSR_QC: u32 = 1 << 27;

/** Rounding modes: the first four as FPCR.RMode and FCVT's rmode have them. */
export const ROUND_TIE_EVEN: u32 = 0;
export const ROUND_UP: u32 = 1;
export const ROUND_DOWN: u32 = 2;
export const ROUND_ZERO: u32 = 3;
export const ROUND_TIE_AWAY: u32 = 4;
export const ROUND_ODD: u32 = 5;
/** In an immediate: FPCR's. */
export const ROUND_FPCR: u32 = 7;

export function roundingMode(): u32 {
  return (load<u32>(STATE, S_FPCR) >> 22) & 3;
}

/** Makes flags sticky. */
export function raiseStatus(flags: u32): void {
  store<u32>(STATE, load<u32>(STATE, S_FPSR) | flags, S_FPSR);
}

/**
 * Can WebAssembly's arithmetic stand in, provided the result is an ordinary number? It rounds to nearest and keeps
 * denormals. (FPCR.DN only matters for NaNs, which are none.)
 */
export function plainArithmetic(): bool {
  return !(load<u32>(STATE, S_FPCR) & (FPCR_RMODE | FPCR_FZ));
}

/** The same for operations that do not round by FPCR. */
export function plainExact(): bool {
  return !(load<u32>(STATE, S_FPCR) & FPCR_FZ);
}

/** Is FPSR.IXC still clear, so that it matters whether a result is exact? It is sticky: mostly not. */
export function inexactMatters(): bool {
  return !(load<u32>(STATE, S_FPSR) & FPSR_IXC);
}
