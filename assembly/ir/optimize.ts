// Between lift and block: fuse compares with branches, drop flags that nobody can see.

import { fusible } from './alu';
import { opCount, SCRATCH_OPS, truncateOps } from './emit';
import {
  ALU_ADC,
  ALU_CMP,
  ALU_IMM,
  ALU_INC,
  ALU_NOFLAGS,
  ALU_NOT,
  ALU_SAR,
  ALU_SBB,
  ALU_SHL,
  ALU_TEST,
  ALU_XOR,
  CC_E,
  OP_ALU,
  OP_BYTES,
  OP_CCMN,
  OP_CCMP,
  OP_CMOV,
  OP_CMPIJ,
  OP_CMPJ,
  OP_FIELD,
  OP_JCC,
  OP_JNZ,
  OP_JZ,
  OP_MOV,
  OP_MOV128,
  OP_ROT,
  OP_SEL,
  OP_SETCC,
  OP_SETCC64,
  OP_SYNC,
  OP_TESTIJ,
  OP_TESTJ,
  SIZE32,
  SIZE64,
} from './ops';

/** Is `op` one that neither reads flags nor can fault? */
function isPlainMove(op: u32): bool {
  return (
    (op >= OP_MOV && op < OP_CMOV) || (op >= OP_FIELD && op < OP_CCMP + SIZE32) || op == OP_MOV128 || op == OP_SYNC
  );
}

/** Is `op` one that reads flags, and may set some? */
function readsFlags(op: u32): bool {
  return (
    (op >= OP_CMOV && op <= OP_SETCC) ||
    op == OP_SETCC64 ||
    (op >= OP_SEL && op <= OP_SEL + SIZE64) ||
    (op >= OP_CCMP + SIZE32 && op <= OP_CCMN + SIZE64)
  );
}

/** Does `op`, the end of a block, set all flags? */
function comparesAndBranches(op: u32): bool {
  return op >= OP_CMPJ && op <= OP_TESTIJ + SIZE64;
}

/**
 * Flags that are overwritten before anything could look at them are not computed. Whatever may fault looks at them
 * (the exception frame shows them), so only plain operations in between keep them dead.
 */
function dropDeadFlags(): void {
  let needed = true;
  for (let i = <i32>opCount() - 1; i >= 0; i--) {
    const at = SCRATCH_OPS + <usize>i * OP_BYTES;
    const op: u32 = load<u16>(at);
    if (op >= OP_ALU && op < OP_MOV) {
      const kind = (op >> 4) & 15;
      if (kind == ALU_NOT) continue;
      if (op & ALU_NOFLAGS) continue;
      const shiftByCl = kind >= ALU_SHL && kind <= ALU_SAR && !(op & ALU_IMM);
      if (!needed && kind != ALU_ADC && kind != ALU_SBB && kind != ALU_CMP && kind != ALU_TEST) {
        store<u16>(at, op | ALU_NOFLAGS);
        continue;
      }
      // A full setter makes what came before dead; these also read flags or leave some.
      needed = kind == ALU_ADC || kind == ALU_SBB || kind == ALU_INC || shiftByCl;
    } else if (op >= OP_ROT && op < OP_ROT + 0x20) {
      if (op & ALU_NOFLAGS) continue;
      if (!needed) store<u16>(at, op | ALU_NOFLAGS);
      else needed = true;
    } else if (readsFlags(op)) needed = true;
    else if (!isPlainMove(op)) needed = !comparesAndBranches(op);
  }
}

/** CMP or TEST right before the block's conditional branch becomes one operation. */
function fuseCompare(): void {
  const n = opCount();
  if (n < 2) return;
  const last = SCRATCH_OPS + <usize>(n - 1) * OP_BYTES;
  const before = last - OP_BYTES;
  if (load<u16>(last) != OP_JCC) return;
  const cc: u32 = load<u16>(last, 4);
  if (!fusible(cc)) return;
  const op: u32 = load<u16>(before);
  if (op < OP_ALU || op >= OP_MOV) return;
  const kind = (op >> 4) & 15;
  const size = (op >> 2) & 3;
  if (ISA_AARCH64 && kind <= ALU_XOR && cc >> 1 == CC_E >> 1 && !(op & ALU_NOFLAGS)) {
    // SUBS and B.NE: the result itself says whether it is zero.
    store<u16>(last, cc == CC_E ? OP_JZ : OP_JNZ);
    store<u16>(last, load<u16>(before, 2), 4);
    store<u16>(last, size, 6);
    return;
  }
  if (kind != ALU_CMP && kind != ALU_TEST) return;
  if (op & ALU_IMM) {
    const unused = <i64>(64 - (8 << size));
    const n = (load<i64>(before, 8) << unused) >> unused;
    if (n != <i64>(<i16>n)) return;
    store<u16>(last, (kind == ALU_CMP ? OP_CMPIJ : OP_TESTIJ) + size);
    store<u16>(last, <u16>n, 6);
    store<u16>(last, load<u16>(before, 4), 4);
  } else {
    store<u16>(last, (kind == ALU_CMP ? OP_CMPJ : OP_TESTJ) + size);
    store<u32>(last, load<u32>(before, 4), 4);
  }
  store<u16>(last, cc, 2);
  // It stays with the compare in the side table: what stops before the branch must not lose the compare.
  memory.copy(before, last, OP_BYTES);
  truncateOps(n - 1);
}

/** Improves the block in the scratch area. */
export function optimize(): void {
  fuseCompare();
  dropDeadFlags();
}
