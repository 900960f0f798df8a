// Instruction decoder: prefixes, opcode map, ModRM, SIB, displacement, immediate (SDM vol. 2, ch. 2).
//
// What follows an opcode comes from the opcode table (layout/x86-opcodes.ts), which TypeScript writes to DECODE_TABLE
// at start. The result stands in the d… variables below until the next decode().

import { DECODE_TABLE } from '../layout/memory';
import {
  A_FAR,
  A_GROUP3B,
  A_GROUP3V,
  A_IB,
  A_IMM,
  A_IMM_SHIFT,
  A_INVALID64,
  A_IV,
  A_IW,
  A_IWB,
  A_IZ,
  A_JZ,
  A_MODRM,
  A_MOFFS,
  A_VALID,
  A_WIDE,
} from '../layout/x86-attributes';
import {
  S_RAX,
  S_RBP,
  S_RBX,
  S_RDI,
  S_RSI,
  S_ZERO,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../layout/x86-state';
import { MODE_CODE } from './mode';

export const MAP_1: u32 = 0;
export const MAP_0F: u32 = 1;
export const MAP_0F38: u32 = 2;
export const MAP_0F3A: u32 = 3;

/** Opcode map and opcode byte. */
export let dMap: u32 = 0;
export let dOpcode: u32 = 0;
/** Table attributes of the opcode (A_…). */
export let dAttr: u32 = 0;
/** ModRM byte; its fields, reg and rm extended by REX. */
export let dModrm: u32 = 0;
export let dMod: u32 = 0;
export let dReg: u32 = 0;
export let dRm: u32 = 0;
/** Operand size: log2 of bytes, 1–3. Address size likewise. */
export let dOpSize: u32 = 0;
export let dAddrSize: u32 = 0;
/** 66 was present; F2 or F3 (the last one counts), or 0; LOCK. */
export let dOpPrefix: bool = false;
export let dRep: u32 = 0;
export let dLock: bool = false;
/** REX byte, 0 if none. */
export let dRex: u32 = 0;
/** Segment of the memory operand (SEG_*), override considered; and whether there was an override. */
export let dSeg: u32 = 0;
export let dSegOverride: bool = false;
/** Memory operand: slots of base and index, shift, displacement; or RIP-relative. */
export let dBase: u32 = 0;
export let dIndex: u32 = 0;
export let dShift: u32 = 0;
export let dDisp: i32 = 0;
export let dRipRelative: bool = false;
/** Immediate, sign-extended; the second one of ENTER and of far pointers; moffs address. */
export let dImm: i64 = 0;
export let dImm2: u32 = 0;
/** Length in bytes. */
export let dLength: u32 = 0;

// Where instruction bytes come from: a host pointer into the first page, and one into the second.
let fetchAt: usize = 0;
let fetchLeft: u32 = 0;
let fetchNext: usize = 0;
let consumed: u32 = 0;
/** The bytes ran into a page that is not there, or past 15. */
let overrun: bool = false;

export const DECODE_OK: u32 = 0;
/** No such instruction, or one that this mode does not have: #UD. */
export const DECODE_UNDEFINED: u32 = 1;
/** More than 15 bytes: #GP(0). */
export const DECODE_TOO_LONG: u32 = 2;
/** Needs bytes of the next page, which was not given. */
export const DECODE_NEXT_PAGE: u32 = 3;

function next8(): u32 {
  if (consumed >= 15) {
    overrun = true;
    return 0;
  }
  if (consumed >= fetchLeft && !fetchNext) {
    overrun = true;
    return 0;
  }
  const at = consumed < fetchLeft ? fetchAt + consumed : fetchNext + (consumed - fetchLeft);
  consumed++;
  return load<u8>(at);
}
function next16(): u32 {
  const low = next8();
  return low | (next8() << 8);
}
function next32(): u32 {
  const low = next16();
  return low | (next16() << 16);
}
function next64(): u64 {
  const low = next32();
  return <u64>low | ((<u64>next32()) << 32);
}

/** Adds to the displacement (POP to an address based on the stack pointer). */
export function shiftDisplacement(by: i32): void {
  dDisp += by;
}

/** General register slot by number. */
export function gprSlot(n: u32): u32 {
  return S_RAX + (n << 3);
}

/** Byte register slot: AH, CH, DH, BH are 4–7 without REX. */
export function gpr8Slot(n: u32): u32 {
  return !dRex && n >= 4 && n < 8 ? S_RAX + ((n - 4) << 3) + 1 : S_RAX + (n << 3);
}

function useSegment(seg: u32): void {
  if (!dSegOverride) dSeg = seg;
}

function modrm16(): void {
  const rm = dModrm & 7;
  dIndex = S_ZERO;
  dShift = 0;
  dDisp = 0;
  switch (rm) {
    case 0:
      dBase = S_RBX;
      dIndex = S_RSI;
      break;
    case 1:
      dBase = S_RBX;
      dIndex = S_RDI;
      break;
    case 2:
      dBase = S_RBP;
      dIndex = S_RSI;
      useSegment(SEG_SS);
      break;
    case 3:
      dBase = S_RBP;
      dIndex = S_RDI;
      useSegment(SEG_SS);
      break;
    case 4:
      dBase = S_RSI;
      break;
    case 5:
      dBase = S_RDI;
      break;
    case 6:
      if (dMod == 0) {
        dBase = S_ZERO;
        dDisp = <i32>next16();
        return;
      }
      dBase = S_RBP;
      useSegment(SEG_SS);
      break;
    default:
      dBase = S_RBX;
      break;
  }
  if (dMod == 1) dDisp = <i32>(<i8>next8());
  else if (dMod == 2) dDisp = <i32>(<i16>next16());
}

function modrm32(code64: bool): void {
  const rm = dModrm & 7;
  dIndex = S_ZERO;
  dShift = 0;
  dDisp = 0;
  let base = rm | ((dRex & 1) << 3);
  let disp32 = dMod == 2;
  if (rm == 4) {
    const sib = next8();
    const index = ((sib >> 3) & 7) | ((dRex & 2) << 2);
    if (index != 4) {
      dIndex = gprSlot(index);
      dShift = sib >> 6;
    }
    base = (sib & 7) | ((dRex & 1) << 3);
    if ((sib & 7) == 5 && dMod == 0) {
      dBase = S_ZERO;
      dDisp = <i32>next32();
      return;
    }
  } else if (rm == 5 && dMod == 0) {
    dBase = S_ZERO;
    dDisp = <i32>next32();
    dRipRelative = code64;
    return;
  }
  dBase = gprSlot(base);
  if (base == 4 || base == 5) useSegment(SEG_SS);
  if (disp32) dDisp = <i32>next32();
  else if (dMod == 1) dDisp = <i32>(<i8>next8());
}

function attributes(map: u32, opcode: u32): u32 {
  return load<u16>(DECODE_TABLE + ((<usize>(map << 8) + opcode) << 1));
}

/**
 * Decodes one instruction. `at` is the host address of its first byte, `left` the bytes to the end of that page,
 * `next` the host address of the next page's first byte or 0. Returns DECODE_*.
 */
export function decode(at: usize, left: u32, next: usize, mode: u32): u32 {
  fetchAt = at;
  fetchLeft = left;
  fetchNext = next;
  consumed = 0;
  overrun = false;
  dRex = 0;
  dRep = 0;
  dLock = false;
  dOpPrefix = false;
  dSegOverride = false;
  dSeg = SEG_DS;
  dRipRelative = false;
  dImm = 0;
  dImm2 = 0;
  dModrm = 0;
  dMod = 3;
  dReg = 0;
  dRm = 0;
  const status = decodeBody(mode & MODE_CODE);
  dLength = consumed;
  if (overrun) return consumed >= 15 ? DECODE_TOO_LONG : DECODE_NEXT_PAGE;
  return status;
}

function decodeBody(code: u32): u32 {
  const code64 = code == 3;
  let addrPrefix = false;
  let b: u32;
  while (true) {
    b = next8();
    if (overrun) return DECODE_OK;
    // 64-bit mode ignores the ES, CS, SS and DS overrides (SDM vol. 1, 3.7.4).
    if (b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e) {
      if (!code64) {
        dSeg = b == 0x26 ? SEG_ES : b == 0x2e ? SEG_CS : b == 0x36 ? SEG_SS : SEG_DS;
        dSegOverride = true;
      }
    } else if (b == 0x64 || b == 0x65) {
      dSeg = b == 0x64 ? SEG_FS : SEG_GS;
      dSegOverride = true;
    } else if (b == 0x66) dOpPrefix = true;
    else if (b == 0x67) addrPrefix = true;
    else if (b == 0xf0) dLock = true;
    else if (b == 0xf2 || b == 0xf3) dRep = b;
    else if (code64 && (b & 0xf0) == 0x40) {
      // A REX that is not right before the opcode is ignored (SDM vol. 2, 2.2.1).
      dRex = b;
      continue;
    } else break;
    dRex = 0;
  }

  let map = MAP_1;
  if (b == 0x0f) {
    map = MAP_0F;
    b = next8();
    if (b == 0x38 || b == 0x3a) {
      map = b == 0x38 ? MAP_0F38 : MAP_0F3A;
      b = next8();
    }
  }
  dMap = map;
  dOpcode = b;
  const attr = attributes(map, b);
  dAttr = attr;

  // Operand and address size (SDM vol. 1, tables 3-3 and 3-4).
  if (code64) {
    dOpSize = dRex & 8 ? 3 : dOpPrefix ? 1 : 2;
    if (attr & A_WIDE && dOpSize == 2) dOpSize = 3;
    dAddrSize = addrPrefix ? 2 : 3;
  } else {
    dOpSize = dOpPrefix ? 3 - code : code;
    dAddrSize = addrPrefix ? 3 - code : code;
  }
  if (!(attr & A_VALID)) return DECODE_UNDEFINED;

  if (attr & A_MODRM) {
    dModrm = next8();
    dMod = dModrm >> 6;
    dReg = ((dModrm >> 3) & 7) | ((dRex & 4) << 1);
    dRm = (dModrm & 7) | ((dRex & 1) << 3);
    // MOV to and from control and debug registers ignore mod (SDM vol. 2, "MOV—Move to/from Control Registers").
    if (map == MAP_0F && b >= 0x20 && b <= 0x23) dMod = 3;
    if (dMod != 3) {
      if (dAddrSize == 1) modrm16();
      else modrm32(code64);
    }
  }

  const n = (attr >> A_IMM_SHIFT) & A_IMM;
  switch (n) {
    case A_IB:
      dImm = <i64>(<i8>next8());
      break;
    case A_IW:
      dImm = <i64>next16();
      break;
    case A_IZ:
      dImm = dOpSize == 1 ? <i64>(<i16>next16()) : <i64>(<i32>next32());
      break;
    case A_IV:
      dImm = dOpSize == 1 ? <i64>(<i16>next16()) : dOpSize == 2 ? <i64>(<i32>next32()) : <i64>next64();
      break;
    case A_MOFFS:
      dImm = dAddrSize == 1 ? <i64>next16() : dAddrSize == 2 ? <i64>next32() : <i64>next64();
      break;
    case A_FAR:
      dImm = dOpSize == 1 ? <i64>next16() : <i64>next32();
      dImm2 = next16();
      break;
    case A_IWB:
      dImm = <i64>next16();
      dImm2 = next8();
      break;
    case A_GROUP3B:
      if ((dModrm & 0x30) == 0) dImm = <i64>(<i8>next8());
      break;
    case A_GROUP3V:
      if ((dModrm & 0x30) == 0) dImm = dOpSize == 1 ? <i64>(<i16>next16()) : <i64>(<i32>next32());
      break;
    case A_JZ:
      // Near branches: in 64-bit mode the operand-size prefix is ignored (Intel).
      dImm = code64 || dOpSize != 1 ? <i64>(<i32>next32()) : <i64>(<i16>next16());
      break;
    default:
      break;
  }
  if (code64 && attr & A_INVALID64) return DECODE_UNDEFINED;
  return DECODE_OK;
}
