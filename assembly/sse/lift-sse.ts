// Lift of MMX and SSE to SSE4.2: which part knows the instruction, and whether the system has the unit turned on.

import { emit, emitCall, opCount, truncateOps } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { LD_32, OP_RAISE, SIZE32 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_MXCSR } from '../layout/x86-state';
import { probeRead } from '../mmu/access';
import { dMap, dMod, dModrm, dOpcode, MAP_0F, MAP_0F3A, MAP_0F38 } from '../x86/decode';
import { EXC_NM, EXC_UD } from '../x86/fault';
import { MODE_EM, MODE_NO_SSE, MODE_TS } from '../x86/mode';
import { emitLinear, emitLoad, emitStore, liftMode, temp } from '../x86/operand';
import { hasFeature } from './features';
import { liftConvert } from './lift-convert';
import { liftFloat } from './lift-float';
import { liftMoves } from './lift-moves';
import { liftAlign, liftPackedInteger } from './lift-packed';
import { liftSse3A, liftSse38 } from './lift-sse41';
import { loadMxcsr } from './mxcsr';
import { FORM_PS, form, setUnit, UNIT_MMX, UNIT_NONE, UNIT_SSE, unit } from './operands';

/** Helper: CLFLUSH faults as a load of the byte would; there is no cache to flush. */
export function flushLine(a: u32, _b: u32, _imm: u64): void {
  probeRead(load<u64>(STATE + a), 1);
}

/** LDMXCSR, STMXCSR, CLFLUSH, LFENCE, MFENCE, SFENCE: 0F AE. */
function liftGroup15(): u32 {
  if (form() != FORM_PS) return LIFT_NONE;
  const reg = (dModrm >> 3) & 7;
  if (dMod == 3) {
    // One vCPU that executes in order: fences have nothing to do.
    if (reg < 5) return LIFT_NONE;
    setUnit(UNIT_NONE);
    return LIFT_NEXT;
  }
  switch (reg) {
    case 2: {
      const t = temp();
      emitLoad(LD_32, t, 4);
      emitCall(loadMxcsr.index, t, 0, 0);
      return LIFT_NEXT;
    }
    case 3:
      emitStore(SIZE32, S_MXCSR);
      return LIFT_NEXT;
    case 7:
      setUnit(UNIT_NONE);
      emitCall(flushLine.index, emitLinear(1, false), 0, 0);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}

function dispatch(): u32 {
  const op = dOpcode;
  if (dMap == MAP_0F) {
    if (op == 0xae) return liftGroup15();
    let r = liftMoves();
    if (r == LIFT_NONE) r = liftFloat();
    if (r == LIFT_NONE) r = liftConvert();
    if (r == LIFT_NONE) r = liftPackedInteger();
    return r;
  }
  if (dMap == MAP_0F38) return op < 0x10 || (op >= 0x1c && op < 0x1f) ? liftPackedInteger() : liftSse38();
  if (dMap == MAP_0F3A) return op == 0x0f ? liftAlign() : liftSse3A();
  return LIFT_NONE;
}

/** Exception that the instruction raises for its unit being turned off, or 0 (SDM vol. 3, tables 13-1 and 14-1). */
function unavailable(): u32 {
  if (unit == UNIT_NONE) return 0;
  if (liftMode & (unit == UNIT_MMX ? MODE_EM : MODE_NO_SSE)) return EXC_UD;
  return liftMode & MODE_TS ? EXC_NM : 0;
}

/** Lifts the instruction just decoded; LIFT_NONE if it is not one of these. */
export function liftSse(): u32 {
  const start = opCount();
  setUnit(UNIT_SSE);
  const r = dispatch();
  if (r == LIFT_NONE || !hasFeature()) return LIFT_NONE;
  const vector = unavailable();
  if (!vector) return r;
  truncateOps(start);
  emit(OP_RAISE, 0, 0, 0, vector);
  return LIFT_END;
}
