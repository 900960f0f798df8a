// Data processing with SIMD and floating-point registers: which class an instruction belongs to (Arm ARM C4.1.71).

import { LIFT_NONE } from '../../ir/lift-result';
import { bits } from '../operands';
import { liftAes, liftSha2, liftSha3 } from './lift-crypto';
import { liftByElement } from './lift-element';
import { liftCopy, liftExtract, liftModifiedImmediate, liftPermute, liftScalarCopy, liftTable } from './lift-moves';
import { liftScalarFloat } from './lift-scalar-float';
import { liftShift } from './lift-shift';
import { liftThreeDifferent } from './lift-three-different';
import { liftThreeSame } from './lift-three-same';
import { liftAcross, liftScalarPairwise, liftTwoMisc } from './lift-two-misc';

/** Bit 24 clear, bit 21 set, of vectors and scalars alike; bits 20–17 choose among operations of one register. */
function liftRegisters(insn: u32, scalar: bool): u32 {
  if (bits(insn, 10, 1)) return liftThreeSame(insn, scalar);
  if (!bits(insn, 11, 1)) return liftThreeDifferent(insn, scalar);
  switch (bits(insn, 17, 4)) {
    case 0:
      return liftTwoMisc(insn, scalar);
    case 8:
      return scalar ? liftScalarPairwise(insn) : liftAcross(insn);
    case 4:
      return scalar ? liftSha2(insn) : liftAes(insn);
    default:
      return LIFT_NONE;
  }
}

/** Bit 24 set: operations with an immediate, or with an element of a vector. */
function liftImmediates(insn: u32, scalar: bool): u32 {
  if (!bits(insn, 10, 1)) return liftByElement(insn, scalar);
  if (bits(insn, 23, 1)) return LIFT_NONE;
  if (bits(insn, 19, 4)) return liftShift(insn, scalar);
  return scalar ? LIFT_NONE : liftModifiedImmediate(insn);
}

function liftVector(insn: u32): u32 {
  if (bits(insn, 24, 1)) return liftImmediates(insn, false);
  if (bits(insn, 21, 1)) return liftRegisters(insn, false);
  // Half-precision arithmetic and the operations added to ARMv8.0 are not there.
  if (bits(insn, 15, 1)) return LIFT_NONE;
  if (bits(insn, 10, 1)) return bits(insn, 22, 2) ? LIFT_NONE : liftCopy(insn);
  if (bits(insn, 29, 1)) return bits(insn, 22, 2) ? LIFT_NONE : liftExtract(insn);
  if (bits(insn, 11, 1)) return liftPermute(insn);
  return bits(insn, 22, 2) ? LIFT_NONE : liftTable(insn);
}

function liftScalar(insn: u32): u32 {
  if (bits(insn, 24, 1)) return liftImmediates(insn, true);
  if (bits(insn, 21, 1)) return liftRegisters(insn, true);
  if (bits(insn, 22, 2) || bits(insn, 15, 1)) return LIFT_NONE;
  if (bits(insn, 10, 1)) return liftScalarCopy(insn);
  return bits(insn, 11, 1) ? LIFT_NONE : liftSha3(insn);
}

/** Instructions whose bits 27–25 are 111. LIFT_NONE if it is undefined. */
export function liftSimd(insn: u32): u32 {
  // Bits 31–28: 0xx0 vectors, 01x1 scalars of Advanced SIMD, x0x1 scalar floating point.
  if (!bits(insn, 28, 1)) return insn >> 31 ? LIFT_NONE : liftVector(insn);
  if (!bits(insn, 30, 1)) return bits(insn, 29, 1) ? LIFT_NONE : liftScalarFloat(insn);
  return insn >> 31 ? LIFT_NONE : liftScalar(insn);
}
