// From an instruction word to IR: which part of the lift knows it (Arm ARM C4.1).

import { opCount, truncateOps } from '../ir/emit';
import { LIFT_NONE } from '../ir/lift-result';
import { S_MODE } from '../layout/arm-state';
import { STATE } from '../layout/memory';
import { EC_FP, EC_ILLEGAL, EC_UNKNOWN } from './fault';
import { liftAtomics } from './lift-atomics';
import { liftBranch } from './lift-branch';
import { liftCrc } from './lift-crc';
import { liftDpImm } from './lift-dp-imm';
import { liftDpReg } from './lift-dp-reg';
import { liftLoadStore } from './lift-load-store';
import { emitRaise, emitRaiseTo } from './lift-raise';
import { liftSystem } from './lift-system';
import { MODE_FP_TRAP, MODE_FP_TRAP_EL2, MODE_ILLEGAL } from './mode';
import { liftSimd } from './simd/lift';
import { liftSimdStructures } from './simd/lift-structures';

/** An access to SIMD and floating-point registers that is trapped: syndrome as in Arm ARM D13.2.37 (COND 1110, CV). */
const FP_ISS: u32 = (1 << 24) | (14 << 20);

/** SIMD and floating point in the widest sense: loads and stores of its registers too. */
function usesVectors(insn: u32): bool {
  const op0 = (insn >> 25) & 15;
  return (op0 & 7) == 7 || ((op0 & 5) == 4 && ((insn >> 26) & 1) != 0);
}

function dispatch(insn: u32): u32 {
  const op0 = (insn >> 25) & 15;
  if ((op0 & 14) == 8) return liftDpImm(insn);
  if ((op0 & 14) == 10) {
    const r = liftBranch(insn);
    return r == LIFT_NONE ? liftSystem(insn) : r;
  }
  if ((op0 & 7) == 7) return liftSimd(insn);
  if ((op0 & 7) == 5) {
    const r = liftCrc(insn);
    return r == LIFT_NONE ? liftDpReg(insn) : r;
  }
  if ((op0 & 5) == 4) {
    // Advanced SIMD structures: bits 29–26 = 0011, bit 31 clear.
    if ((insn & 0xbc000000) == 0x0c000000) return liftSimdStructures(insn);
    const r = liftAtomics(insn);
    return r == LIFT_NONE ? liftLoadStore(insn) : r;
  }
  return LIFT_NONE;
}

/** Emits instruction `insn`. Returns LIFT_NEXT or LIFT_END. */
export function lift(insn: u32): u32 {
  const mode = load<u32>(STATE, S_MODE);
  if (mode & MODE_ILLEGAL) return emitRaise(EC_ILLEGAL, 0);
  const start = opCount();
  const r = dispatch(insn);
  if (r == LIFT_NONE) {
    truncateOps(start);
    return emitRaise(EC_UNKNOWN, 0);
  }
  // CPACR_EL1's trap goes to EL1 from there and from EL0, CPTR_EL2's to EL2; the former comes first.
  if (mode & (MODE_FP_TRAP | MODE_FP_TRAP_EL2) && usesVectors(insn)) {
    truncateOps(start);
    return emitRaiseTo(EC_FP, FP_ISS, mode & MODE_FP_TRAP ? 1 : 2);
  }
  return r;
}
