// Lift of the instructions of segmentation and protection: segment registers, far transfers, software interrupts,
// selector checks. Nearly all of them are calls of helpers.

import { emit, emitCall, emitMem, emitSync } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import {
  LD_32,
  LD_64,
  LD_Z16,
  OP_ALIGN,
  OP_EXIT,
  OP_LD,
  OP_LD_A32,
  OP_MOV,
  OP_MOVI,
  OP_ZX16,
  SIZE16,
  SIZE64,
} from '../ir/ops';
import {
  S_SEG,
  S_ZERO,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDTR,
  SEG_SELECTOR,
  SEG_SIZE,
  SEG_SS,
  SEG_TR,
} from '../layout/x86-state';
import {
  dImm,
  dImm2,
  dMap,
  dMod,
  dModrm,
  dOpcode,
  dOpPrefix,
  dOpSize,
  dReg,
  dRex,
  dRm,
  gprSlot,
  MAP_0F,
  MAP_1,
} from './decode';
import { checkBounds, farCall, farJump, interruptOnOverflow, softwareInterrupt } from './far';
import { farReturn, interruptReturn } from './far-return';
import { EXC_BP, EXC_DB } from './fault';
import { requirePrivilege, requireUmip } from './helper';
import { DELIVER_INT_N, DELIVER_INT1, DELIVER_INT3 } from './interrupt';
import { MODE_ALIGN, MODE_CODE, MODE_PROTECTED, MODE_VM86 } from './mode';
import { emitLinear, emitRead, emitStore, liftMode, setLiftMode, temp } from './operand';
import { loadFarPointer, loadSegmentRegister } from './segment';
import {
  adjustRpl,
  adjustRplInMemory,
  loadAccessRights,
  loadLdt,
  loadSegmentLimit,
  loadTaskRegister,
  verifyRead,
  verifyWrite,
} from './selector';
import { emitPush, emitTop, setStackPointer, stackPointerPlus } from './stack';

function code64(): bool {
  return (liftMode & MODE_CODE) == 3;
}

/** Operand size of instructions that are 32 bits wide in 64-bit mode without REX.W, whatever else shares their opcode. */
function plainSize(): u32 {
  if (!code64()) return dOpSize;
  return dRex & 8 ? 3 : dOpPrefix ? 1 : 2;
}

/** Operand size of stack instructions: in 64-bit mode 64 or 16 bits. */
function stackSize(): u32 {
  if (!code64()) return dOpSize;
  return dOpPrefix && !(dRex & 8) ? 1 : 3;
}

/** ModRM.reg as a segment register: REX.R does not count. */
function segmentField(): u32 {
  return (dModrm >> 3) & 7;
}

function selectorSlot(seg: u32): u32 {
  return S_SEG + seg * SEG_SIZE + SEG_SELECTOR;
}

/** Selectors name descriptors: elsewhere several instructions are undefined. */
function descriptorMode(): bool {
  return (liftMode & (MODE_PROTECTED | MODE_VM86)) == MODE_PROTECTED;
}

/** Does loading `seg` change the mode that blocks are keyed by, so that the block must end? */
function loadEndsBlock(seg: u32): bool {
  return seg == SEG_SS || (seg < <u32>SEG_FS && !code64());
}

/** Ends the block after a helper that set S_RIP. */
function end(): u32 {
  emit(OP_EXIT, 0, 0, 0, 0);
  return LIFT_END;
}

/** A helper that decides where execution goes on. */
function endWith(helper: u32, a: u32, b: u32, imm: u64): u32 {
  emitSync();
  emitCall(helper, a, b, imm);
  return end();
}

function pushSegment(seg: u32): u32 {
  // CPUs differ in what the upper part of the stack slot gets; zeros are the documented choice.
  const t = temp();
  emit(OP_ZX16, t, selectorSlot(seg), 0, 0);
  emitPush(stackSize(), t);
  return LIFT_NEXT;
}

function popSegment(seg: u32): u32 {
  const size = stackSize();
  const value = emitTop(size);
  const sp = stackPointerPlus(1 << size);
  const ends = loadEndsBlock(seg);
  if (ends) emitSync();
  emitCall(loadSegmentRegister.index, value, seg, ends ? 1 : 0);
  // As wide as the stack was when the instruction began.
  setStackPointer(sp);
  return ends ? end() : LIFT_NEXT;
}

function moveFromSegment(slot: u32): u32 {
  if (dMod != 3) emitStore(1, slot);
  else if (plainSize() == 1) emit(OP_MOV + SIZE16, gprSlot(dRm), slot, 0, 0);
  else emit(OP_ZX16, gprSlot(dRm), slot, 0, 0);
  return LIFT_NEXT;
}

function moveToSegment(): u32 {
  const seg = segmentField();
  if (seg == SEG_CS || seg > <u32>SEG_GS) return LIFT_NONE;
  const value = emitRead(1);
  const ends = loadEndsBlock(seg);
  if (ends) emitSync();
  emitCall(loadSegmentRegister.index, value, seg, ends ? 1 : 0);
  return ends ? end() : LIFT_NEXT;
}

/** Linear address of a memory operand of `bytes` bytes that counts as aligned on `alignment` bytes. */
function emitAligned(bytes: u32, alignment: u32): u32 {
  const mode = liftMode;
  setLiftMode(mode & ~MODE_ALIGN);
  const t = emitLinear(bytes, false);
  setLiftMode(mode);
  if (mode & MODE_ALIGN) emit(OP_ALIGN, 0, t, 0, alignment);
  return t;
}

function emitPart(form: u32, d: u32, t: u32, disp: i32): void {
  emitMem((code64() ? OP_LD : OP_LD_A32) + form, d, t, S_ZERO, 0, disp);
}

function offsetForm(size: u32): u32 {
  return size == 1 ? LD_Z16 : size == 2 ? LD_32 : LD_64;
}

/** LDS, LES, LFS, LGS, LSS. */
function loadPointer(seg: u32): u32 {
  if (dMod == 3) return LIFT_NONE;
  const size = plainSize();
  const t = emitAligned((1 << size) + 2, size == 1 ? 2 : 4);
  const ends = loadEndsBlock(seg);
  if (ends) emitSync();
  emitCall(loadFarPointer.index, t, gprSlot(dReg), <u64>(seg | (size << 8) | (ends ? 0x10000 : 0)));
  return ends ? end() : LIFT_NEXT;
}

/** JMP and CALL with a far pointer in the instruction. */
function farDirect(helper: u32): u32 {
  const offset = temp();
  const selector = temp();
  emit(OP_MOVI + SIZE64, offset, 0, 0, dOpSize == 1 ? <u64>dImm & 0xffff : <u64>dImm & 0xffffffff);
  emit(OP_MOVI + SIZE64, selector, 0, 0, dImm2);
  return endWith(helper, offset, selector, dOpSize);
}

/** JMP and CALL with a far pointer in memory. */
function farIndirect(helper: u32): u32 {
  if (dMod == 3) return LIFT_NONE;
  const size = plainSize();
  const t = emitAligned((1 << size) + 2, size == 1 ? 2 : 4);
  const offset = temp();
  const selector = temp();
  emitPart(offsetForm(size), offset, t, 0);
  emitPart(LD_Z16, selector, t, 1 << size);
  return endWith(helper, offset, selector, size);
}

function bound(): u32 {
  if (dMod == 3) return LIFT_NONE;
  const bytes: u32 = 1 << dOpSize;
  const t = emitAligned(2 * bytes, bytes);
  // Consecutive temporaries: lower, upper.
  const lower = temp();
  const upper = temp();
  emitPart(offsetForm(dOpSize), lower, t, 0);
  emitPart(offsetForm(dOpSize), upper, t, bytes);
  emitCall(checkBounds.index, gprSlot(dReg), lower, dOpSize);
  return LIFT_NEXT;
}

function arpl(): u32 {
  if (!descriptorMode()) return LIFT_NONE;
  if (dMod == 3) {
    emitCall(adjustRpl.index, gprSlot(dRm), gprSlot(dReg), 0);
    return LIFT_NEXT;
  }
  emitCall(adjustRplInMemory.index, emitLinear(2, true), gprSlot(dReg), 0);
  return LIFT_NEXT;
}

/** 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW. */
function group6(): u32 {
  if (!descriptorMode()) return LIFT_NONE;
  switch (segmentField()) {
    case 0:
      emitCall(requireUmip.index, 0, 0, 0);
      return moveFromSegment(selectorSlot(SEG_LDTR));
    case 1:
      emitCall(requireUmip.index, 0, 0, 0);
      return moveFromSegment(selectorSlot(SEG_TR));
    case 2:
      emitCall(requirePrivilege.index, 0, 0, 0);
      emitCall(loadLdt.index, emitRead(1), 0, 0);
      return LIFT_NEXT;
    case 3:
      emitCall(requirePrivilege.index, 0, 0, 0);
      emitCall(loadTaskRegister.index, emitRead(1), 0, 0);
      return LIFT_NEXT;
    case 4:
      emitCall(verifyRead.index, emitRead(1), 0, 0);
      return LIFT_NEXT;
    case 5:
      emitCall(verifyWrite.index, emitRead(1), 0, 0);
      return LIFT_NEXT;
    default:
      return LIFT_NONE;
  }
}

function lift1(): u32 {
  switch (dOpcode) {
    case 0x06:
      return pushSegment(SEG_ES);
    case 0x07:
      return popSegment(SEG_ES);
    case 0x0e:
      return pushSegment(SEG_CS);
    case 0x16:
      return pushSegment(SEG_SS);
    case 0x17:
      return popSegment(SEG_SS);
    case 0x1e:
      return pushSegment(SEG_DS);
    case 0x1f:
      return popSegment(SEG_DS);
    case 0x62:
      return bound();
    case 0x63:
      return code64() ? LIFT_NONE : arpl();
    case 0x8c:
      return segmentField() > <u32>SEG_GS ? LIFT_NONE : moveFromSegment(selectorSlot(segmentField()));
    case 0x8e:
      return moveToSegment();
    case 0x9a:
      return farDirect(farCall.index);
    case 0xc4:
      return loadPointer(SEG_ES);
    case 0xc5:
      return loadPointer(SEG_DS);
    case 0xca:
      return endWith(farReturn.index, plainSize(), 0, <u64>dImm & 0xffff);
    case 0xcb:
      return endWith(farReturn.index, plainSize(), 0, 0);
    case 0xcc:
      return endWith(softwareInterrupt.index, EXC_BP, DELIVER_INT3, 0);
    case 0xcd:
      return endWith(softwareInterrupt.index, <u32>dImm & 0xff, DELIVER_INT_N, 0);
    case 0xce:
      return endWith(interruptOnOverflow.index, 0, 0, 0);
    case 0xcf:
      return endWith(interruptReturn.index, plainSize(), 0, 0);
    case 0xea:
      return farDirect(farJump.index);
    case 0xf1:
      return endWith(softwareInterrupt.index, EXC_DB, DELIVER_INT1, 0);
    case 0xff:
      if (segmentField() == 3) return farIndirect(farCall.index);
      if (segmentField() == 5) return farIndirect(farJump.index);
      return LIFT_NONE;
    default:
      return LIFT_NONE;
  }
}

function lift0F(): u32 {
  switch (dOpcode) {
    case 0x00:
      return group6();
    case 0x02:
      if (!descriptorMode()) return LIFT_NONE;
      emitCall(loadAccessRights.index, emitRead(1), gprSlot(dReg), plainSize());
      return LIFT_NEXT;
    case 0x03:
      if (!descriptorMode()) return LIFT_NONE;
      emitCall(loadSegmentLimit.index, emitRead(1), gprSlot(dReg), plainSize());
      return LIFT_NEXT;
    case 0xa0:
      return pushSegment(SEG_FS);
    case 0xa1:
      return popSegment(SEG_FS);
    case 0xa8:
      return pushSegment(SEG_GS);
    case 0xa9:
      return popSegment(SEG_GS);
    case 0xb2:
      return loadPointer(SEG_SS);
    case 0xb4:
      return loadPointer(SEG_FS);
    case 0xb5:
      return loadPointer(SEG_GS);
    default:
      return LIFT_NONE;
  }
}

/** Emits the instruction just decoded if it is one of segmentation or protection. Returns LIFT_*. */
export function liftProtection(): u32 {
  if (dMap == MAP_1) return lift1();
  if (dMap == MAP_0F) return lift0F();
  return LIFT_NONE;
}
