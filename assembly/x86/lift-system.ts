// System instructions as IR: mostly one helper call, with the block ended where mode, paging, privilege or interrupts
// may be different afterwards.

import { emit, emitCall, emitSync } from '../ir/emit';
import { LIFT_END, LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { ALU_AND, ALU_IMM, ALU_NOFLAGS, ALU_OR, OP_ALU, OP_EXIT, OP_MOV, SIZE16, SIZE32, SIZE64 } from '../ir/ops';
import { STATE } from '../layout/memory';
import {
  CPU_LAHF64,
  CPU_RDRAND,
  CPU_RDSEED,
  CPU_RDTSCP,
  CPU_SEP,
  CPU_SMAP,
  CPU_SYSCALL,
  CPU_XSAVE,
} from '../layout/x86-features';
import { FLAG_CF, FLAG_DF, S_CPU_FEATURES, S_CR0, S_RFLAGS, SEG_FS, SEG_GS } from '../layout/x86-state';
import {
  clearTaskSwitched,
  getExtendedControl,
  halt,
  hypercall,
  loadMachineStatus,
  readControl,
  readPerformanceCounter,
  setExtendedControl,
  writeControl,
} from './control';
import { identify, readRandom, readSegmentBase, readTimeStamp, writeSegmentBase } from './cpuid';
import { readDebug, writeDebug } from './debug';
import {
  dAddrSize,
  dImm,
  dMap,
  dMod,
  dModrm,
  dOpcode,
  dOpPrefix,
  dOpSize,
  dReg,
  dRep,
  dRm,
  dSeg,
  gprSlot,
  MAP_0F,
  MAP_1,
} from './decode';
import { invalidatePage, loadTable, storeTable } from './descriptor-tables';
import {
  changeAc,
  changeCarry,
  clearInterruptFlag,
  flagsImage,
  loadAh,
  popFlags,
  requireV86Iopl,
  setInterruptFlag,
  storeAh,
} from './flag-control';
import { requirePrivilege, requireUmip } from './helper';
import { portIn, portOut, portString } from './io';
import { MODE_CODE, MODE_VM86 } from './mode';
import { readMsr, writeMsr } from './msr';
import { emitOffset, emitRead, emitStore, liftMode, temp } from './operand';
import { emitPop, emitPush } from './stack';
import { swapGs, systemCall, systemEnter, systemExit, systemReturn } from './syscall';

function code64(): bool {
  return (liftMode & MODE_CODE) == 3;
}

function has(feature: u32): bool {
  return (load<u32>(STATE, S_CPU_FEATURES) & feature) != 0;
}

/** None of the prefixes 66, F2, F3: the manual's "NP". */
function plain(): bool {
  return !dRep && !dOpPrefix;
}

/** A helper after which the block goes on. */
function call(helper: u32, a: u32, b: u32, imm: u64): u32 {
  emitCall(helper, a, b, imm);
  return LIFT_NEXT;
}

/** A helper that sets RIP and ends the block. */
function callEnd(helper: u32, a: u32, b: u32, imm: u64): u32 {
  emitSync();
  emitCall(helper, a, b, imm);
  emit(OP_EXIT, 0, 0, 0, 0);
  return LIFT_END;
}

/** Offset of the memory operand in a temporary. */
function offset(): u32 {
  const t = temp();
  emitOffset(t);
  return t;
}

/** 0F 01 with a memory operand. */
function liftGroup7Memory(): u32 {
  switch (dReg & 7) {
    case 0:
    case 1:
      emitCall(requireUmip.index, 0, 0, 0);
      return call(storeTable.index, offset(), dSeg, dReg & 1);
    case 2:
    case 3:
      return callEnd(loadTable.index, offset(), dSeg, <u64>(dReg & 1) | (dOpSize == SIZE16 ? 2 : 0));
    case 4:
      // SMSW stores 16 bits to memory whatever the operand size.
      emitCall(requireUmip.index, 0, 0, 0);
      emitStore(SIZE16, S_CR0);
      return LIFT_NEXT;
    case 6:
      return liftLmsw();
    case 7:
      return callEnd(invalidatePage.index, offset(), dSeg, 0);
    default:
      return LIFT_NONE;
  }
}

function liftLmsw(): u32 {
  emitCall(requirePrivilege.index, 0, 0, 0);
  return callEnd(loadMachineStatus.index, emitRead(SIZE16), 0, 0);
}

/** 0F 01 with a register form: many instructions by the whole ModRM byte. */
function liftGroup7Register(): u32 {
  const reg = dReg & 7;
  if (reg == 4) {
    emitCall(requireUmip.index, 0, 0, 0);
    emit(OP_MOV + dOpSize, gprSlot(dRm), S_CR0, 0, 0);
    return LIFT_NEXT;
  }
  if (reg == 6) return liftLmsw();
  switch (dModrm) {
    // VMCALL, VMMCALL: both names for the same hypercall.
    case 0xc1:
    case 0xd9:
      return plain() ? callEnd(hypercall.index, 0, 0, 0) : LIFT_NONE;
    case 0xca:
    case 0xcb:
      return plain() && has(CPU_SMAP) ? callEnd(changeAc.index, 0, 0, dModrm & 1) : LIFT_NONE;
    case 0xd0:
      return plain() && has(CPU_XSAVE) ? call(getExtendedControl.index, 0, 0, 0) : LIFT_NONE;
    case 0xd1:
      return plain() && has(CPU_XSAVE) ? callEnd(setExtendedControl.index, 0, 0, 0) : LIFT_NONE;
    case 0xf8:
      return code64() ? call(swapGs.index, 0, 0, 0) : LIFT_NONE;
    case 0xf9:
      return has(CPU_RDTSCP) ? call(readTimeStamp.index, 0, 0, 1) : LIFT_NONE;
    default:
      return LIFT_NONE;
  }
}

/** MOV to and from control (20, 22) and debug registers (21, 23). Bit 1 of the opcode: to. */
function liftMoveSpecial(): u32 {
  const slot = gprSlot(dRm);
  const write = (dOpcode & 2) != 0;
  if (dOpcode & 1) {
    if (dReg > 7) return LIFT_NONE;
    return write ? callEnd(writeDebug.index, slot, dReg, 0) : call(readDebug.index, slot, dReg, 0);
  }
  if (dReg != 0 && dReg != 2 && dReg != 3 && dReg != 4 && dReg != 8) return LIFT_NONE;
  return write ? callEnd(writeControl.index, slot, dReg, 0) : call(readControl.index, slot, dReg, 0);
}

/** F3 0F AE /0–/3: RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE. */
function liftSegmentBase(): u32 {
  const reg = dReg & 7;
  if (dRep != 0xf3 || dMod != 3 || reg > 3 || !code64()) return LIFT_NONE;
  const size: u32 = dOpSize == SIZE64 ? SIZE64 : SIZE32;
  const seg: u32 = reg & 1 ? SEG_GS : SEG_FS;
  return call(reg < 2 ? readSegmentBase.index : writeSegmentBase.index, gprSlot(dRm), size, seg);
}

/** 0F C7 /6, /7 with a register: RDRAND, RDSEED. The memory forms are VMX's. */
function liftRandom(): u32 {
  const reg = dReg & 7;
  if (dMod != 3 || dRep || !(reg == 6 ? has(CPU_RDRAND) : reg == 7 && has(CPU_RDSEED))) return LIFT_NONE;
  return call(readRandom.index, gprSlot(dRm), dOpSize, 0);
}

function liftTwoByteSystem(): u32 {
  switch (dOpcode) {
    case 0x01:
      return dMod == 3 ? liftGroup7Register() : liftGroup7Memory();
    case 0x05:
      return code64() && has(CPU_SYSCALL) ? callEnd(systemCall.index, 0, 0, 0) : LIFT_NONE;
    case 0x06:
      return callEnd(clearTaskSwitched.index, 0, 0, 0);
    case 0x07:
      return code64() && has(CPU_SYSCALL) ? callEnd(systemReturn.index, 0, 0, u64(dOpSize == SIZE64)) : LIFT_NONE;
    // INVD, WBINVD (WBNOINVD with F3): no caches to write back.
    case 0x08:
    case 0x09:
      return call(requirePrivilege.index, 0, 0, 0);
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
      return liftMoveSpecial();
    case 0x30:
      return callEnd(writeMsr.index, 0, 0, 0);
    case 0x31:
      return call(readTimeStamp.index, 0, 0, 0);
    case 0x32:
      return call(readMsr.index, 0, 0, 0);
    case 0x33:
      return call(readPerformanceCounter.index, 0, 0, 0);
    case 0x34:
      return has(CPU_SEP) ? callEnd(systemEnter.index, 0, 0, 0) : LIFT_NONE;
    case 0x35:
      return has(CPU_SEP) ? callEnd(systemExit.index, 0, 0, u64(dOpSize == SIZE64)) : LIFT_NONE;
    case 0xa2:
      return call(identify.index, 0, 0, 0);
    case 0xae:
      return liftSegmentBase();
    case 0xc7:
      return liftRandom();
    default:
      return LIFT_NONE;
  }
}

/** Size of a port access: opcode bit 0 clear, a byte; else 16 or 32 bits (REX.W does not widen it). */
function portSize(): u32 {
  return !(dOpcode & 1) ? 0 : dOpSize == SIZE16 ? SIZE16 : SIZE32;
}

/** E4–E7, EC–EF. Bit 1 of the opcode: OUT; bit 3: the port is in DX. */
function liftPort(): u32 {
  const port: u64 = dOpcode & 8 ? 0x100 : dImm & 0xff;
  return callEnd(dOpcode & 2 ? portOut.index : portIn.index, portSize(), 0, port);
}

/** 6C–6F. Bit 1 of the opcode: OUTS. F2 repeats like F3. */
function liftPortString(): u32 {
  const imm = (dOpcode & 2 ? 1 : 0) | (dRep ? 2 : 0) | (dSeg << 4);
  return callEnd(portString.index, portSize(), dAddrSize, imm);
}

function liftPushf(): u32 {
  const t = temp();
  if (liftMode & MODE_VM86) emitCall(requireV86Iopl.index, 0, 0, 0);
  emitCall(flagsImage.index, t, 0, 0);
  emitPush(dOpSize, t);
  return LIFT_NEXT;
}

function liftPopf(): u32 {
  const t = temp();
  if (liftMode & MODE_VM86) emitCall(requireV86Iopl.index, 0, 0, 0);
  emitPop(dOpSize, t);
  return callEnd(popFlags.index, t, dOpSize, 0);
}

/** CLD, STD: DF has no lazy copy, so plain arithmetic on RFLAGS does it. */
function liftDirection(kind: u32, mask: u32): u32 {
  emit(OP_ALU | (kind << 4) | (SIZE32 << 2) | ALU_IMM | ALU_NOFLAGS, S_RFLAGS, S_RFLAGS, 0, mask);
  return LIFT_NEXT;
}

function liftOneByteSystem(): u32 {
  switch (dOpcode) {
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
      return liftPortString();
    case 0x9c:
      return liftPushf();
    case 0x9d:
      return liftPopf();
    case 0x9e:
      return code64() && !has(CPU_LAHF64) ? LIFT_NONE : call(storeAh.index, 0, 0, 0);
    case 0x9f:
      return code64() && !has(CPU_LAHF64) ? LIFT_NONE : call(loadAh.index, 0, 0, 0);
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
      return liftPort();
    case 0xf4:
      return callEnd(halt.index, 0, 0, 0);
    case 0xf5:
      return call(changeCarry.index, FLAG_CF, FLAG_CF, 0);
    case 0xf8:
      return call(changeCarry.index, 0, 0, 0);
    case 0xf9:
      return call(changeCarry.index, 0, FLAG_CF, 0);
    case 0xfa:
      return call(clearInterruptFlag.index, 0, 0, 0);
    case 0xfb:
      return callEnd(setInterruptFlag.index, 0, 0, 0);
    case 0xfc:
      return liftDirection(ALU_AND, ~FLAG_DF);
    case 0xfd:
      return liftDirection(ALU_OR, FLAG_DF);
    default:
      return LIFT_NONE;
  }
}

/** Lifts the system instructions; LIFT_NONE for all others. */
export function liftSystem(): u32 {
  if (dMap == MAP_1) return liftOneByteSystem();
  if (dMap == MAP_0F) return liftTwoByteSystem();
  return LIFT_NONE;
}
