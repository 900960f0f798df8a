// PUSH and POP as IR, for every stack width and segment; and near calls and returns.

import { emit, emitCall, emitMem } from '../ir/emit';
import {
  LD_32,
  LD_64,
  LD_Z16,
  OP_CANON,
  OP_CSLIM,
  OP_JMP,
  OP_JMPI,
  OP_LEA16,
  OP_LEA32,
  OP_LEA64,
  OP_MOV,
  OP_MOVI,
  OP_POP32,
  OP_POP64,
  OP_PUSH32,
  OP_PUSH64,
  OP_PUSHI32,
  OP_PUSHI64,
  OP_RET32,
  OP_RET64,
  OP_ZX16,
  SIZE16,
  SIZE32,
  SIZE64,
} from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_RSP, S_ZERO, SEG_SS } from '../layout/x86-state';
import { MODE_ALIGN, MODE_CODE, MODE_FLAT, MODE_FLAT_CS, MODE_STACK32 } from './mode';
import { emitLoadAt, emitSegment, emitStoreAt, liftMode, temp } from './operand';

/** log2 of the stack pointer's width in bytes. */
export function stackWidth(): u32 {
  return (liftMode & MODE_CODE) == 3 ? SIZE64 : liftMode & MODE_STACK32 ? SIZE32 : SIZE16;
}

/** Is the stack flat and as wide as a push of this size, so that the short operations fit? */
function simple(size: u32): bool {
  if (liftMode & MODE_ALIGN || size != stackWidth()) return false;
  return size == SIZE64 || (size == SIZE32 && (liftMode & MODE_FLAT) != 0);
}

/** A temporary with the stack pointer plus `delta`, wrapped to the stack's width. */
export function stackPointerPlus(delta: i32): u32 {
  const t = temp();
  const w = stackWidth();
  emitMem(w == SIZE16 ? OP_LEA16 : w == SIZE32 ? OP_LEA32 : OP_LEA64, t, S_RSP, S_ZERO, 0, delta);
  return t;
}

/** Sets the stack pointer from slot t: a 16-bit one leaves the upper half alone. */
export function setStackPointer(t: u32): void {
  emit(OP_MOV + stackWidth(), S_RSP, t, 0, 0);
}

/** Linear address of the stack at offset slot `t`, for `bytes` bytes, in a new temporary. */
export function stackLinear(t: u32, bytes: u32, write: bool): u32 {
  const linear = temp();
  emit(OP_MOV + SIZE64, linear, t, 0, 0);
  emitSegment(linear, SEG_SS, bytes, write);
  return linear;
}

/** Pushes slot `value`; size is log2 of bytes (1–3). */
export function emitPush(size: u32, value: u32): void {
  if (simple(size)) {
    emit(size == SIZE64 ? OP_PUSH64 : OP_PUSH32, 0, value, 0, 0);
    return;
  }
  const sp = stackPointerPlus(-(1 << size));
  emitStoreAt(size, value, stackLinear(sp, 1 << size, true));
  setStackPointer(sp);
}

export function emitPushImm(size: u32, value: u64): void {
  if (simple(size)) {
    emit(size == SIZE64 ? OP_PUSHI64 : OP_PUSHI32, 0, 0, 0, value);
    return;
  }
  const t = temp();
  emit(OP_MOVI + SIZE64, t, 0, 0, value);
  emitPush(size, t);
}

function loadForm(size: u32): u32 {
  return size == SIZE16 ? LD_Z16 : size == SIZE32 ? LD_32 : LD_64;
}

/** Pops into a temporary, leaving the stack pointer alone; returns its slot. */
export function emitTop(size: u32): u32 {
  const v = temp();
  emitLoadAt(loadForm(size), v, stackLinear(stackPointerPlus(0), 1 << size, false));
  return v;
}

/** Pops into slot d. */
export function emitPop(size: u32, d: u32): void {
  if (simple(size)) {
    emit(size == SIZE64 ? OP_POP64 : OP_POP32, d, 0, 0, 0);
    return;
  }
  const v = emitTop(size);
  setStackPointer(stackPointerPlus(1 << size));
  emit(OP_MOV + size, d, v, 0, 0);
}

/** Checks a branch target in slot t before anything is committed. */
export function emitCheckTarget(t: u32): void {
  if ((liftMode & MODE_CODE) == 3) emit(OP_CANON, 0, t, 0, 0);
  else if (!(liftMode & MODE_FLAT_CS)) emit(OP_CSLIM, 0, t, 0, 0);
}

/** Goes to a constant target. */
export function emitJump(target: u64): void {
  checkConstant(target);
  emit(OP_JMP, 0, 0, 0, target);
}

/** Can a constant branch target lie where CS does not reach? */
export function needsCheck(target: u64): bool {
  if ((liftMode & MODE_CODE) == 3) return <u64>(((<i64>target) << 16) >> 16) != target;
  return (liftMode & MODE_FLAT_CS) == 0;
}

/** A constant branch target beyond the limit of CS raises #GP(0) at the branch. */
export function checkConstant(target: u64): void {
  if (!needsCheck(target)) return;
  const t = temp();
  emit(OP_MOVI + SIZE64, t, 0, 0, target);
  emitCheckTarget(t);
}

/** The same for a branch that is taken when the value in slot `taken`, of `size`, is not zero. */
export function checkConditional(target: u64, taken: u32, size: u32): void {
  if (!needsCheck(target)) return;
  const wide = temp();
  emit(OP_MOVI + SIZE64, wide, 0, 0, 0);
  emit(OP_MOV + size, wide, taken, 0, 0);
  const t = temp();
  emit(OP_MOVI + SIZE64, t, 0, 0, target);
  emitCall(zeroUnless.index, t, wide, 0);
  emitCheckTarget(t);
}

/** a = 0 unless b is set. Offset 0 is a target that any code segment has. */
function zeroUnless(a: u32, b: u32, _imm: u64): void {
  if (load<u64>(STATE + <usize>b) == 0) store<u64>(STATE + <usize>a, 0);
}

/** Near return, `extra` bytes of parameters dropped. size: log2 of the operand. */
export function emitReturn(size: u32, extra: u32): void {
  if (simple(size) && liftMode & MODE_FLAT_CS) {
    emit(size == SIZE64 ? OP_RET64 : OP_RET32, 0, 0, 0, extra);
    return;
  }
  const v = emitTop(size);
  const target = temp();
  emit(size == SIZE16 ? OP_ZX16 : OP_MOV + size, target, v, 0, 0);
  emitCheckTarget(target);
  setStackPointer(stackPointerPlus((1 << size) + <i32>extra));
  emit(OP_JMPI, 0, target, 0, 0);
}
