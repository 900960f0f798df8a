// Execution of the kinds of OP_VEC that are AArch64's own (kinds.ts).

import { STATE } from '../../layout/memory';
import { cryptoOperation } from './crypto';
import { floatOperation } from './float-exec';
import { acrossLanes, integerOperation } from './integer';
import { A_ACROSS, A_BASE, A_CRYPTO, A_FABS, A_LISTS, A_SATURATING, A_SXTL } from './kinds';
import { laneCount } from './lanes';
import { saturatingOperation } from './saturate';
import { listOperation, widthOperation } from './widths';

/** d = kind(a, b, imm); slots are byte offsets from STATE. */
export function execArmVector(kind: u32, d: u32, a: u32, b: u32, imm: u32): void {
  const op = (kind - A_BASE) >> 4;
  const form = kind & 15;
  const to = <usize>STATE + d;
  const x = <usize>STATE + a;
  const y = <usize>STATE + b;
  if (op >= A_FABS) floatOperation(op, form, to, x, y, imm);
  else if (op < A_SXTL) integerOperation(op, form & 3, to, x, y, imm);
  else if (op < A_ACROSS) widthOperation(op, form, to, x, y);
  else if (op < A_LISTS) acrossLanes(op, form & 3, laneCount(form), to, x);
  else if (op < A_CRYPTO) listOperation(op, form, to, a, y, imm);
  else if (op < A_SATURATING) cryptoOperation(op, to, x, y);
  else saturatingOperation(op, form, to, x, y, imm);
}
