// Execution of OP_VEC: one vector operation on slots of the vCPU state. Kinds: vops.ts.

import { setFlags } from '../ir/flags';
import { STATE } from '../layout/memory';
import { FLAG_CF, FLAG_ZF } from '../layout/x86-state';
import { compareToFlags, convert } from './vector-convert';
import { fastArithmetic } from './vector-fast';
import { floatAcross, floatArithmetic } from './vector-float';
import { integerArithmetic } from './vector-integer';
import { laneOperation } from './vector-lanes';
import { rearrange, shift } from './vector-shuffle';
import {
  V_CMP_F32X4,
  V_CVT_F32_F64X2,
  V_FLAGS,
  V_FLOAT,
  V_HADD_F32X4,
  V_LANES,
  V_SHIFTS,
  V_SHUFFLES,
  V_TEST,
} from './vops';

/** PTEST. */
function test(a: v128, b: v128): void {
  setFlags((v128.any_true(v128.and(a, b)) ? 0 : FLAG_ZF) | (v128.any_true(v128.andnot(b, a)) ? 0 : FLAG_CF));
}

/** d = kind(a, b, imm); slots are byte offsets from STATE. Floating-point kinds may raise #XM: ask faulted(). */
export function execVector(kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  const to = <usize>STATE + d;
  const x = <usize>STATE + a;
  const y = <usize>STATE + b;
  if (kind < V_SHIFTS) integerArithmetic(kind, to, x, y);
  else if (kind < V_SHUFFLES) shift(kind, to, x, y, imm);
  else if (kind < V_LANES) rearrange(kind, to, x, y, imm);
  else if (kind < V_FLOAT) laneOperation(kind, to, x, y, imm);
  else if (kind < V_HADD_F32X4) {
    if (kind < V_CMP_F32X4 && fastArithmetic(kind, to, x, y)) return;
    floatArithmetic(kind, to, x, y, imm);
  } else if (kind < V_CVT_F32_F64X2) floatAcross(kind, to, x, y, imm);
  else if (kind < V_FLAGS) convert(kind, to, x, y, imm);
  else if (kind == V_TEST) test(v128.load(x), v128.load(y));
  else compareToFlags(kind, x, y, imm != 0);
}
