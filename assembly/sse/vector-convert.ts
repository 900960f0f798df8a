// Conversions between integers, single and double precision, and comparisons that set EFLAGS.

import {
  CMP_EQUAL,
  CMP_LESS,
  CMP_UNORDERED,
  compare,
  F32,
  F64,
  fromInteger,
  narrow,
  ROUND_ZERO,
  toInteger,
  widen,
} from '../fpu/softfloat';
import { setFlags } from '../ir/flags';
import { FLAG_CF, FLAG_PF, FLAG_ZF } from '../layout/x86-state';
import { beginSse, commitSse, plainExact, roundingMode } from './mxcsr';
import { clearResult, commitScalar, commitVector, lane, setResult } from './vector-float';
import {
  V_COMPARE_F64,
  V_CVT_F32_F64X2,
  V_CVT_F32_S32X4,
  V_CVT_F64_F32X2,
  V_CVT_F64_S32X2,
  V_CVT_S32_F32X4,
  V_CVT_S32_F64X2,
  V_CVT_S32_SCALAR_F32,
  V_CVT_S32_SCALAR_F64,
  V_CVT_S64_SCALAR_F32,
  V_CVT_S64_SCALAR_F64,
  V_CVT_SCALAR_F32_F64,
  V_CVT_SCALAR_F32_S32,
  V_CVT_SCALAR_F32_S64,
  V_CVT_SCALAR_F64_F32,
  V_CVT_SCALAR_F64_S32,
  V_CVT_SCALAR_F64_S64,
} from './vops';

/** Vector of integers to floating point: n lanes. */
function fromVector(d: usize, a: usize, n: u32, fmt: u32): void {
  for (let i: u32 = 0; i < n; i++) setResult(i, fmt, fromInteger(<i64>(<i32>lane(a, i, F32)), fmt));
  commitVector(d);
}

/** Vector of n floating-point lanes to 32-bit integers. */
function toVector(d: usize, a: usize, n: u32, fmt: u32, mode: u32): void {
  for (let i: u32 = 0; i < n; i++) setResult(i, F32, <u64>(<u32>toInteger(lane(a, i, fmt), fmt, mode, false)));
  commitVector(d);
}

function fromScalar(d: usize, a: usize, v: i64, fmt: u32): void {
  setResult(0, fmt, fromInteger(v, fmt));
  commitScalar(d, a, fmt);
}

function toScalar(d: usize, a: usize, fmt: u32, mode: u32, wide: bool): void {
  const r = toInteger(lane(a, 0, fmt), fmt, mode, wide);
  if (commitSse()) store<u64>(d, wide ? <u64>r : <u64>(<u32>r));
}

/** All conversion kinds. imm 1: truncate, whatever MXCSR says. */
export function convert(kind: u32, d: usize, a: usize, b: usize, imm: u32): void {
  beginSse();
  clearResult();
  const mode = imm & 1 ? ROUND_ZERO : roundingMode();
  switch (kind) {
    case V_CVT_F32_F64X2:
      setResult(0, F64, widen(lane(a, 0, F32)));
      setResult(1, F64, widen(lane(a, 1, F32)));
      commitVector(d);
      break;
    case V_CVT_F64_F32X2:
      setResult(0, F32, narrow(lane(a, 0, F64)));
      setResult(1, F32, narrow(lane(a, 1, F64)));
      commitVector(d);
      break;
    case V_CVT_SCALAR_F32_F64:
      setResult(0, F64, widen(lane(b, 0, F32)));
      commitScalar(d, a, F64);
      break;
    case V_CVT_SCALAR_F64_F32:
      setResult(0, F32, narrow(lane(b, 0, F64)));
      commitScalar(d, a, F32);
      break;
    case V_CVT_S32_F32X4:
      fromVector(d, a, 4, F32);
      break;
    case V_CVT_S32_F64X2:
      fromVector(d, a, 2, F64);
      break;
    case V_CVT_F32_S32X4:
      toVector(d, a, 4, F32, mode);
      break;
    case V_CVT_F64_S32X2:
      toVector(d, a, 2, F64, mode);
      break;
    case V_CVT_S32_SCALAR_F32:
      fromScalar(d, a, <i64>load<i32>(b), F32);
      break;
    case V_CVT_S32_SCALAR_F64:
      v128.store(d, f64x2.replace_lane(v128.load(a), 0, <f64>load<i32>(b)));
      break;
    case V_CVT_S64_SCALAR_F32:
      fromScalar(d, a, load<i64>(b), F32);
      break;
    case V_CVT_S64_SCALAR_F64:
      fromScalar(d, a, load<i64>(b), F64);
      break;
    case V_CVT_SCALAR_F32_S32:
      toScalar(d, a, F32, mode, false);
      break;
    case V_CVT_SCALAR_F64_S32:
      toScalar(d, a, F64, mode, false);
      break;
    case V_CVT_SCALAR_F32_S64:
      toScalar(d, a, F32, mode, true);
      break;
    case V_CVT_SCALAR_F64_S64:
      toScalar(d, a, F64, mode, true);
      break;
    default:
      break;
  }
}

/** COMISS, COMISD, UCOMISS, UCOMISD: the relation in ZF, PF, CF; OF, SF, AF cleared (SDM vol. 2). */
export function compareToFlags(kind: u32, a: usize, b: usize, signaling: bool): void {
  const fmt = kind == V_COMPARE_F64 ? F64 : F32;
  if (plainExact() && ordinary(a, fmt) && ordinary(b, fmt)) {
    const x = fmt ? load<f64>(a) : <f64>load<f32>(a);
    const y = fmt ? load<f64>(b) : <f64>load<f32>(b);
    setFlags(x < y ? FLAG_CF : x == y ? FLAG_ZF : 0);
    return;
  }
  beginSse();
  const relation = compare(lane(a, 0, fmt), lane(b, 0, fmt), fmt, signaling);
  if (!commitSse()) return;
  if (relation == CMP_UNORDERED) setFlags(FLAG_ZF | FLAG_PF | FLAG_CF);
  else setFlags(relation == CMP_LESS ? FLAG_CF : relation == CMP_EQUAL ? FLAG_ZF : 0);
}

/** Normal, zero or infinite: neither NaN nor denormal. */
function ordinary(v: usize, fmt: u32): bool {
  if (fmt) {
    const m = load<u64>(v) << 1;
    return m == 0 || m - 0x20000000000000 <= 0xffe0000000000000 - 0x20000000000000;
  }
  const m = load<u32>(v) << 1;
  return m == 0 || m - 0x1000000 <= 0xff000000 - 0x1000000;
}
