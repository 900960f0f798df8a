// Operands of the instruction just decoded, as IR: address forming, segment checks, loads and stores.

import { emit, emitMem, emitStoreImm, followingRip } from '../ir/emit';
import {
  ALU_ADD,
  ALU_NOFLAGS,
  LD_32,
  LD_64,
  LD_128,
  LD_128_ALIGNED,
  LD_RMW,
  LD_Z8,
  LD_Z16,
  OP_ALIGN,
  OP_ALU,
  OP_LD,
  OP_LD_A32,
  OP_LEA16,
  OP_LEA32,
  OP_LEA64,
  OP_MOV,
  OP_MOVI,
  OP_SEGLIN,
  OP_ST,
  OP_ST_A32,
  OP_STI,
  OP_STI_A32,
  SIZE16,
  SIZE32,
  SIZE64,
  ST_128,
  ST_128_ALIGNED,
} from '../ir/ops';
import { S_SEG, S_T0, S_V0, S_ZERO, SEG_BASE, SEG_CS, SEG_FS, SEG_SIZE } from '../layout/x86-state';
import { dAddrSize, dBase, dDisp, dIndex, dMod, dRipRelative, dRm, dSeg, dShift, gpr8Slot, gprSlot } from './decode';
import { MODE_ALIGN, MODE_CODE, MODE_FLAT } from './mode';

/** Mode bits (MODE_*) of the block being lifted. */
export let liftMode: u32 = 0;
export function setLiftMode(mode: u32): void {
  liftMode = mode;
}

// Temporaries are handed out from T0 and V0 up, anew for each instruction.
let nextTemp: u32 = 0;
let nextVector: u32 = 0;
export function resetTemps(): void {
  nextTemp = 0;
  nextVector = 0;
}
/** A 64-bit temporary's slot. */
export function temp(): u32 {
  return S_T0 + (nextTemp++ << 3);
}
/** A 128-bit temporary's slot. */
export function tempVector(): u32 {
  return S_V0 + (nextVector++ << 4);
}

/** Slot of a segment register's base, readable as a u64. */
export function segBaseSlot(seg: u32): u32 {
  return S_SEG + seg * SEG_SIZE + SEG_BASE;
}

/** May memory operands in `seg` skip the segment check and base addition? FS, GS never; CS only in 64-bit mode. */
export function segFlat(seg: u32): bool {
  if ((liftMode & MODE_CODE) == 3) return seg < <u32>SEG_FS;
  return (liftMode & MODE_FLAT) != 0 && seg < <u32>SEG_FS && seg != SEG_CS;
}

/** Emits the memory operand's offset (before segmentation) to a temporary. LEA. */
export function emitOffset(d: u32): void {
  if (dRipRelative) {
    const target = followingRip() + <u64>(<i64>dDisp);
    emit(OP_MOVI + SIZE64, d, 0, 0, dAddrSize == 2 ? target & 0xffffffff : target);
    return;
  }
  emitMem(dAddrSize == 1 ? OP_LEA16 : dAddrSize == 2 ? OP_LEA32 : OP_LEA64, d, dBase, dIndex, dShift, dDisp);
}

/** LEA to register slot d, of 1 << size bytes. */
export function emitLea(d: u32, size: u32): void {
  if (size == SIZE16 || dAddrSize == 1) {
    const t = temp();
    emitOffset(t);
    emit(OP_MOV + size, d, t, 0, 0);
  } else if (dRipRelative) {
    const target = followingRip() + <u64>(<i64>dDisp);
    emit(OP_MOVI + SIZE64, d, 0, 0, size == SIZE32 || dAddrSize == 2 ? target & 0xffffffff : target);
  } else emitMem(size == SIZE32 || dAddrSize == 2 ? OP_LEA32 : OP_LEA64, d, dBase, dIndex, dShift, dDisp);
}

/** Turns the offset in slot `t` into a linear address in place, for an access of `size` bytes in segment `seg`. */
export function emitSegment(t: u32, seg: u32, size: u32, write: bool): void {
  if ((liftMode & MODE_CODE) == 3) {
    if (seg >= <u32>SEG_FS) emit(OP_ALU | (ALU_ADD << 4) | (SIZE64 << 2) | ALU_NOFLAGS, t, t, segBaseSlot(seg), 0);
  } else if (!segFlat(seg)) emit(OP_SEGLIN, t, t, seg, <u64>size | (write ? 0x10000 : 0));
  if (liftMode & MODE_ALIGN && size <= 8 && size > 1) emit(OP_ALIGN, 0, t, 0, size);
}

/** The memory operand's linear address, checked for an access of `size` bytes, in a temporary; its slot. */
export function emitLinear(size: u32, write: bool): u32 {
  const t = temp();
  emitOffset(t);
  emitSegment(t, dSeg, size, write);
  return t;
}

// The operand's address as a load or store takes it: base and index slots, shift, displacement; wrapped to 32 bits or not.
let fBase: u32 = 0;
let fIndex: u32 = 0;
let fShift: u32 = 0;
let fDisp: i32 = 0;
let fWraps: bool = false;

/** Can the operand's address go into the load or store itself? If so, f… are its parts. */
function fusedAddress(): bool {
  if (dAddrSize < 2 || liftMode & MODE_ALIGN) return false;
  fWraps = dAddrSize == 2;
  const code64 = (liftMode & MODE_CODE) == 3;
  const flat = segFlat(dSeg);
  // FS and GS: their base takes the place of the base or index, which must be absent; what wraps does so before it.
  if (!flat && (!code64 || fWraps)) return false;
  if (dRipRelative) {
    const target = <i64>(followingRip() + <u64>(<i64>dDisp));
    if (fWraps || target != <i64>(<i32>target)) return false;
    fBase = flat ? S_ZERO : segBaseSlot(dSeg);
    fIndex = S_ZERO;
    fShift = 0;
    fDisp = <i32>target;
    return true;
  }
  fBase = dBase;
  fIndex = dIndex;
  fShift = dShift;
  fDisp = dDisp;
  if (flat) return true;
  if (fIndex == <u32>S_ZERO) {
    fIndex = fBase;
    fShift = 0;
  } else if (fBase != <u32>S_ZERO) return false;
  fBase = segBaseSlot(dSeg);
  return true;
}

/** d = load of the memory operand: form LD_*, `size` in bytes. */
export function emitLoad(form: u32, d: u32, size: u32): void {
  if (fusedAddress()) emitMem((fWraps ? OP_LD_A32 : OP_LD) + form, d, fBase, fIndex, fShift, fDisp);
  else emitMem(OP_LD + form, d, emitLinear(size, false), S_ZERO, 0, 0);
}

/** Stores d, form 0–3 by size, ST_128 or ST_128_ALIGNED, to the memory operand of `size` bytes. */
export function emitStoreForm(form: u32, d: u32, size: u32): void {
  if (fusedAddress()) emitMem((fWraps ? OP_ST_A32 : OP_ST) + form, d, fBase, fIndex, fShift, fDisp);
  else emitMem(OP_ST + form, d, emitLinear(size, true), S_ZERO, 0, 0);
}

/** Stores slot `value`, of 1 << sizeLog2 bytes, to the memory operand. */
export function emitStore(sizeLog2: u32, value: u32): void {
  emitStoreForm(sizeLog2, value, 1 << sizeLog2);
}

/** Stores a number to the memory operand. */
export function emitStoreNumber(sizeLog2: u32, n: u64): void {
  if (fusedAddress()) emitStoreImm((fWraps ? OP_STI_A32 : OP_STI) + sizeLog2, fBase, fIndex, fShift, fDisp, <i32>n);
  else {
    const t = temp();
    emit(OP_MOVI + SIZE64, t, 0, 0, n);
    emitStore(sizeLog2, t);
  }
}

/** Load to d from the linear address in slot `t`. */
export function emitLoadAt(form: u32, d: u32, t: u32): void {
  emitMem(OP_LD + form, d, t, S_ZERO, 0, 0);
}

/** Store of d, form 0–3 by size, ST_128 or ST_128_ALIGNED, to the linear address in slot `t`. */
export function emitStoreAt(form: u32, d: u32, t: u32): void {
  emitMem(OP_ST + form, d, t, S_ZERO, 0, 0);
}

/** Load that finds out every fault of a later store to the same place; zero-extends. sizeLog2 0–3. */
export function emitLoadRmwAt(sizeLog2: u32, d: u32, t: u32): void {
  emitMem(OP_LD + LD_RMW + sizeLog2, d, t, S_ZERO, 0, 0);
}

/** Slot of the r/m operand's value, loaded if it is memory (zero-extended in a temporary). */
export function emitRead(sizeLog2: u32): u32 {
  if (dMod == 3) return sizeLog2 == 0 ? gpr8Slot(dRm) : gprSlot(dRm);
  const t = temp();
  emitLoad(sizeLog2 == 0 ? LD_Z8 : sizeLog2 == 1 ? LD_Z16 : sizeLog2 == 2 ? LD_32 : LD_64, t, 1 << sizeLog2);
  return t;
}

// A read-modify-write: the load finds every fault of the store, so that flags may change in between.
let rmwLinear: u32 = 0;

/** Loads the memory operand for modification; returns the slot of its value, zero-extended. sizeLog2 0–3. */
export function beginRmw(sizeLog2: u32): u32 {
  const v = temp();
  if (fusedAddress()) {
    rmwLinear = 0;
    emitMem((fWraps ? OP_LD_A32 : OP_LD) + LD_RMW + sizeLog2, v, fBase, fIndex, fShift, fDisp);
  } else {
    rmwLinear = emitLinear(1 << sizeLog2, true);
    emitLoadRmwAt(sizeLog2, v, rmwLinear);
  }
  return v;
}

/** Stores slot `value` where beginRmw loaded from; base and index must not have changed. */
export function endRmw(sizeLog2: u32, value: u32): void {
  if (rmwLinear) emitStoreAt(sizeLog2, value, rmwLinear);
  else emitStore(sizeLog2, value);
}

/** 128-bit memory operand in a vector temporary; `aligned`: #GP(0) unless on a 16-byte boundary. */
export function emitLoad128(aligned: bool): u32 {
  const v = tempVector();
  emitLoad(aligned ? LD_128_ALIGNED : LD_128, v, 16);
  return v;
}

/** Stores the 128 bits at slot `v` to the memory operand. */
export function emitStore128(v: u32, aligned: bool): void {
  emitStoreForm(aligned ? ST_128_ALIGNED : ST_128, v, 16);
}
