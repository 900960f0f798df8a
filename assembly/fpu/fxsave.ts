// FXSAVE, FXRSTOR, XSAVE, XRSTOR (SDM vol. 1, 10.5 and ch. 13; vol. 2). The state components are x87 (bit 0 of XCR0)
// and SSE (bit 1); the standard format is the only one.

import { STATE } from '../layout/memory';
import {
  CR4_OSXSAVE,
  S_CR4,
  S_FCS,
  S_FCW,
  S_FDP,
  S_FDS,
  S_FIP,
  S_FOP,
  S_FPR,
  S_FTW,
  S_MODE,
  S_MXCSR,
  S_RAX,
  S_RDX,
  S_XCR0,
  S_XMM,
} from '../layout/x86-state';
import { addressAfter, probeWrite, read64, readBytes, write64, writeBytes } from '../mmu/access';
import { EXC_UD, faulted, raise, raiseGP } from '../x86/fault';
import { MODE_CODE } from '../x86/mode';
import { initX87, loadControlWord } from './x87-control';
import { fsw, setFsw, st, updateSummary } from './x87-state';

/** The legacy region and the XSAVE header. */
const BUFFER: usize = memory.data(576, 16);
const LEGACY_SIZE: u32 = 512;
const HEADER: u32 = 512;
const HEADER_SIZE: u32 = 64;

// Offsets in the legacy region (SDM vol. 1, table 10-2).
const FX_FCW: usize = 0;
const FX_FSW: usize = 2;
const FX_FTW: usize = 4;
const FX_FOP: usize = 6;
const FX_FIP: usize = 8;
const FX_FDP: usize = 16;
const FX_MXCSR: usize = 24;
const FX_MXCSR_MASK: usize = 28;
const FX_ST: usize = 32;
const FX_XMM: usize = 160;
const FX_XMM_END: u32 = 416;
const FX_XMM8: u32 = 288;

/** Bits of MXCSR that exist (MXCSR_MASK). */
const MXCSR_BITS: u32 = 0xffff;

const COMPONENT_X87: u64 = 1;
const COMPONENT_SSE: u64 = 2;

/** Bit of b: REX.W, the form with 64-bit pointers. */
export const FX_WIDE: u32 = 1;

function code64(): bool {
  return (load<u32>(STATE, S_MODE) & MODE_CODE) == 3;
}

/** How far the XMM registers reach: outside 64-bit mode there are eight. */
function xmmEnd(): u32 {
  return code64() ? FX_XMM_END : FX_XMM8;
}

/** Bytes 0–23 and 32–159: the x87 state; the tag word shrinks to one bit a register. */
function buildX87(wide: bool): void {
  store<u16>(BUFFER, load<u16>(STATE, S_FCW), FX_FCW);
  store<u16>(BUFFER, fsw(), FX_FSW);
  const tags: u32 = load<u16>(STATE, S_FTW);
  let valid: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    if (((tags >> (i << 1)) & 3) != 3) valid |= 1 << i;
    const at = BUFFER + <usize>(i << 4);
    store<u64>(at, load<u64>(st(i)), FX_ST);
    store<u64>(at, load<u16>(st(i), 8), FX_ST + 8);
  }
  store<u16>(BUFFER, valid, FX_FTW);
  store<u16>(BUFFER, load<u16>(STATE, S_FOP), FX_FOP);
  store<u64>(BUFFER, load<u64>(STATE, S_FIP), FX_FIP);
  store<u64>(BUFFER, load<u64>(STATE, S_FDP), FX_FDP);
  if (wide) return;
  store<u32>(BUFFER, load<u16>(STATE, S_FCS), FX_FIP + 4);
  store<u32>(BUFFER, load<u16>(STATE, S_FDS), FX_FDP + 4);
}

function takeX87(wide: bool): void {
  loadControlWord(load<u16>(BUFFER, FX_FCW));
  setFsw(load<u16>(BUFFER, FX_FSW));
  updateSummary();
  const valid: u32 = load<u8>(BUFFER, FX_FTW);
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    if (!((valid >> i) & 1)) tags |= 3 << (i << 1);
    const at = BUFFER + <usize>(i << 4);
    store<u64>(st(i), load<u64>(at, FX_ST));
    store<u64>(st(i), load<u16>(at, FX_ST + 8), 8);
  }
  store<u16>(STATE, tags, S_FTW);
  store<u16>(STATE, load<u16>(BUFFER, FX_FOP) & 0x7ff, S_FOP);
  store<u64>(STATE, wide ? load<u64>(BUFFER, FX_FIP) : load<u32>(BUFFER, FX_FIP), S_FIP);
  store<u64>(STATE, wide ? load<u64>(BUFFER, FX_FDP) : load<u32>(BUFFER, FX_FDP), S_FDP);
  store<u16>(STATE, wide ? 0 : load<u16>(BUFFER, FX_FIP + 4), S_FCS);
  store<u16>(STATE, wide ? 0 : load<u16>(BUFFER, FX_FDP + 4), S_FDS);
}

function clearX87(): void {
  initX87();
  memory.fill(STATE + S_FPR, 0, 128);
}

function buildMxcsr(): void {
  store<u32>(BUFFER, load<u32>(STATE, S_MXCSR), FX_MXCSR);
  store<u32>(BUFFER, MXCSR_BITS, FX_MXCSR_MASK);
}

/** The linear address in slot `a`, if it is a multiple of `alignment`; else #GP(0). */
function misaligned(linear: u64, alignment: u64): bool {
  if (!(linear & (alignment - 1))) return false;
  raiseGP(0);
  return true;
}

function writeRange(linear: u64, from: u32, to: u32): void {
  writeBytes(addressAfter(linear, from), to - from, BUFFER + from);
}

/** FXSAVE; a: slot of the linear address, b: FX_WIDE. What it does not define in memory stays as it is. */
export function fxsave(a: u32, b: u32, _imm: u64): void {
  const linear = load<u64>(STATE + a);
  if (misaligned(linear, 16) || !probeWrite(linear, LEGACY_SIZE)) return;
  buildX87(b != 0);
  buildMxcsr();
  memory.copy(BUFFER + FX_XMM, STATE + S_XMM, 256);
  writeRange(linear, 0, xmmEnd());
}

/** FXRSTOR */
export function fxrstor(a: u32, b: u32, _imm: u64): void {
  const linear = load<u64>(STATE + a);
  if (misaligned(linear, 16)) return;
  readBytes(linear, LEGACY_SIZE, BUFFER);
  if (faulted()) return;
  const mxcsr = load<u32>(BUFFER, FX_MXCSR);
  if (mxcsr & ~MXCSR_BITS) {
    raiseGP(0);
    return;
  }
  takeX87(b != 0);
  store<u32>(STATE, mxcsr, S_MXCSR);
  memory.copy(STATE + S_XMM, BUFFER + FX_XMM, xmmEnd() - <u32>FX_XMM);
}

/** XSAVE and XRSTOR exist only when CR4.OSXSAVE says so. */
function disabled(): bool {
  if (load<u32>(STATE, S_CR4) & CR4_OSXSAVE) return false;
  raise(EXC_UD);
  return true;
}

/** Requested-feature bitmap: EDX:EAX & XCR0. */
function requested(): u64 {
  return (((<u64>load<u32>(STATE, S_RDX)) << 32) | load<u32>(STATE, S_RAX)) & load<u64>(STATE, S_XCR0);
}

/** XSAVE: writes the requested components, and their bits of XSTATE_BV. Every component counts as in use. */
export function xsave(a: u32, b: u32, _imm: u64): void {
  if (disabled()) return;
  const linear = load<u64>(STATE + a);
  if (misaligned(linear, 64) || !probeWrite(linear, LEGACY_SIZE + HEADER_SIZE)) return;
  const rfbm = requested();
  const header = addressAfter(linear, HEADER);
  const xstate = read64(header);
  if (faulted()) return;
  if (rfbm & COMPONENT_X87) {
    buildX87(b != 0);
    writeRange(linear, 0, <u32>FX_MXCSR);
    writeRange(linear, <u32>FX_ST, <u32>FX_XMM);
  }
  if (rfbm & COMPONENT_SSE) {
    buildMxcsr();
    memory.copy(BUFFER + FX_XMM, STATE + S_XMM, 256);
    writeRange(linear, <u32>FX_MXCSR, <u32>FX_ST);
    writeRange(linear, <u32>FX_XMM, xmmEnd());
  }
  write64(header, xstate | rfbm);
}

/** XRSTOR: requested components come from memory, or are initialized where XSTATE_BV has a 0. */
export function xrstor(a: u32, b: u32, _imm: u64): void {
  if (disabled()) return;
  const linear = load<u64>(STATE + a);
  if (misaligned(linear, 64)) return;
  readBytes(linear, LEGACY_SIZE + HEADER_SIZE, BUFFER);
  if (faulted()) return;
  const xstate = load<u64>(BUFFER, HEADER);
  const rfbm = requested();
  const mxcsr = load<u32>(BUFFER, FX_MXCSR);
  // XCOMP_BV and the eight bytes after it are zero in the standard format.
  const reserved = load<u64>(BUFFER, HEADER + 8) | load<u64>(BUFFER, HEADER + 16);
  if (xstate & ~load<u64>(STATE, S_XCR0) || reserved || (rfbm & COMPONENT_SSE && mxcsr & ~MXCSR_BITS)) {
    raiseGP(0);
    return;
  }
  if (rfbm & COMPONENT_X87) {
    if (xstate & COMPONENT_X87) takeX87(b != 0);
    else clearX87();
  }
  if (rfbm & COMPONENT_SSE) {
    // MXCSR belongs to the request alone, not to XSTATE_BV (SDM vol. 1, 13.8.1).
    store<u32>(STATE, mxcsr, S_MXCSR);
    const bytes = xmmEnd() - <u32>FX_XMM;
    if (xstate & COMPONENT_SSE) memory.copy(STATE + S_XMM, BUFFER + FX_XMM, bytes);
    else memory.fill(STATE + S_XMM, 0, bytes);
  }
}
