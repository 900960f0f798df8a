// Control flow: the region's graph as nested blocks, loops and ifs, by its dominator tree.
//
// A node is followed, inside the block that ends before each merge that it dominates, by what it jumps to: nodes with
// one way in stand in place, merges are reached by leaving their block, loop heads by continuing their loop.

import { B_CODE, B_END_RIP, B_INSNS, B_RIP, B_SIDE } from '../ir/blocks';
import { LEFT_INDIRECT } from '../ir/interp';
import {
  OP_BYTES,
  OP_CMPIJ,
  OP_CMPJ,
  OP_EXIT,
  OP_JCC,
  OP_JMP,
  OP_JMPI,
  OP_JNZ,
  OP_JZ,
  OP_RET32,
  OP_TESTIJ,
  OP_TESTJ,
} from '../ir/ops';
import { STATE } from '../layout/memory';
import { S_JIT_FUEL, S_RIP } from '../layout/x86-state';
import { setEmittedBlock } from './access';
import { emitCompare, emitCompareImm, emitTest, emitTestImm } from './alu';
import { LEFT_BEFORE, LEFT_NOT_CANONICAL } from './exits';
import { forgetFlags, pushCondition, restoreKnown, savedConstant, saveKnown, settleAtExit, settleFlags } from './flags';
import {
  beginInstruction,
  continueFloat,
  declareLocals,
  EXIT,
  FUEL,
  finishLocals,
  loadFrame,
  push,
  RIP,
  startFloat,
  storeFrame,
  VALUE,
} from './frame';
import {
  branch,
  branchIf,
  close,
  hint,
  LEAVE,
  LEAVE_AT_RIP,
  LEAVE_WRITTEN,
  LOOP,
  labelsFull,
  leaveBefore,
  leaveTo,
  MERGE,
  openBlock,
  openIf,
  openLoop,
  resetLabels,
} from './labels';
import { emitDropReturn, emitLoadReturn } from './memory';
import { emitOp, endedEarly, startOps } from './op';
import { startRanges } from './ranges';
import {
  bit,
  blockOf,
  childrenOf,
  isConditional,
  isReturn,
  loopHeads,
  merges,
  nextOf,
  regionInsns,
  returnsOf,
  singleEntry,
} from './region';
import { restoreSure, saveSure } from './sure';
import {
  ARITH64,
  BODY,
  BODY_LIMIT,
  byte,
  COMPARE64,
  const32,
  const64,
  get,
  here,
  mem,
  set,
  startAt,
  W_END,
  W_EQ,
  W_EQZ,
  W_EQZ64,
  W_LT_S,
  W_NE,
  W_SHL,
  W_SHR_S,
  W_STORE_I32,
  W_STORE_I64,
  W_SUB,
  W_UNREACHABLE,
} from './wasm';
import { startWindows } from './windows';

/** The body or its nesting has become too large. */
let overflow: bool = false;

/** Emits the function of the region that has been formed, at BODY. Returns its length, 0 if it is too large. */
export function emitRegion(): u32 {
  overflow = false;
  startAt(BODY);
  resetLabels(BODY);
  declareLocals();
  loadFrame();
  openBlock(LEAVE_WRITTEN);
  openBlock(LEAVE_AT_RIP);
  openBlock(LEAVE);
  emitTree(0);
  byte(W_UNREACHABLE);
  close();
  const32(0);
  get(RIP);
  mem(W_STORE_I64, STATE + S_RIP);
  close();
  storeFrame();
  close();
  const32(0);
  get(FUEL);
  mem(W_STORE_I32, STATE + S_JIT_FUEL);
  get(EXIT);
  byte(W_END);
  finishLocals();
  return overflow ? 0 : <u32>(here() - BODY);
}

function emitTree(node: i32): void {
  if (overflow || labelsFull()) {
    overflow = true;
    return;
  }
  if (!singleEntry(node)) forgetFlags();
  const loops = (loopHeads & bit(node)) != 0;
  if (loops) {
    openLoop(LOOP | node);
    // Enough left for any way to the next such check? If not, the interpreter counts the rest.
    get(FUEL);
    const32(regionInsns);
    byte(W_LT_S);
    hint(false);
    openIf();
    leaveTo(<u32>blockOf(node) | LEFT_INDIRECT, load<u64>(blockOf(node), B_RIP));
    close();
  }
  emitWithin(node, childrenOf(node) & merges);
  if (loops) close();
}

function emitWithin(node: i32, following: u64): void {
  if (!following) {
    emitNode(node);
    return;
  }
  const last = 63 - <i32>clz<u64>(following);
  openBlock(MERGE | last);
  emitWithin(node, following & ~bit(last));
  close();
  emitTree(last);
}

function jumpTo(from: i32, to: i32): void {
  if (to <= from) branch(LOOP | to);
  else if (merges & bit(to)) branch(MERGE | to);
  else emitTree(to);
}

/** The end of `node` by chain slot `slot`, whose target is `rip`. */
function edge(node: i32, slot: u32, rip: u64): void {
  const to = nextOf(node, slot);
  if (to < 0) leaveTo(<u32>blockOf(node) | slot, rip);
  else jumpTo(node, to);
}

/** A condition is on the stack: the end of `node` by slot 1 if it is true, else by slot 0. */
function fork(node: i32, taken: u64): void {
  const b = blockOf(node);
  const to = nextOf(node, 1);
  if (to >= 0 && (to <= node || merges & bit(to))) {
    branchIf(to <= node ? LOOP | to : MERGE | to);
  } else {
    openIf();
    const saved = saveKnown();
    const value = savedConstant();
    saveSure();
    edge(node, 1, taken);
    close();
    restoreKnown(saved, value);
    restoreSure();
  }
  edge(node, 0, load<u64>(b, B_END_RIP));
}

function emitNode(node: i32): void {
  const b = blockOf(node);
  setEmittedBlock(b);
  startRanges(b);
  startWindows(b);
  if (singleEntry(node)) continueFloat(b);
  else startFloat(b);
  get(FUEL);
  const32(load<u16>(b, B_INSNS));
  byte(W_SUB);
  set(FUEL);
  const end = <usize>load<u32>(b, B_SIDE) - OP_BYTES;
  let side = <usize>load<u32>(b, B_SIDE);
  let insn: u32 = 0xffffffff;
  startOps(b);
  for (let p = b + B_CODE; p < end; p += OP_BYTES) {
    if (here() > BODY_LIMIT) {
      overflow = true;
      return;
    }
    const word = load<u32>(side);
    if (word != insn) {
      insn = word;
      beginInstruction();
    }
    side += 4;
    emitOp(p);
    if (endedEarly()) return;
  }
  if (load<u32>(side) != insn) beginInstruction();
  emitEnd(node, b, end);
}

/** Tests whether the i64 in local `value` is not canonical; if so the region is left with #GP(0) at p. */
function checkCanonical(value: u32, b: usize, p: usize): void {
  get(value);
  const64(16);
  byte(W_SHL + ARITH64);
  const64(16);
  byte(W_SHR_S + ARITH64);
  get(value);
  byte(W_NE + COMPARE64);
  hint(false);
  openIf();
  settleAtExit();
  leaveBefore(b, p, LEFT_NOT_CANONICAL);
  close();
}

/** The block's last operation. */
function emitEnd(node: i32, b: usize, p: usize): void {
  const op: u32 = load<u16>(p);
  const fused = op >= OP_CMPJ && isConditional(op);
  if (!fused) settleFlags();
  const a: u32 = load<u16>(p, 4);
  const imm = load<u64>(p, 8);
  switch (op) {
    case OP_JMP:
      edge(node, 0, imm);
      return;
    case OP_JCC:
      pushCondition(a);
      fork(node, imm);
      return;
    case OP_JNZ:
    case OP_JZ: {
      const size: u32 = load<u16>(p, 6);
      push(a, size);
      if (op == OP_JZ) byte(size == 3 ? W_EQZ64 : W_EQZ);
      else if (size == 3) {
        const64(0);
        byte(W_NE + COMPARE64);
      }
      fork(node, imm);
      return;
    }
    case OP_JMPI:
      push(a, 3);
      set(RIP);
      emitTargets(node, RIP, 0, false, false);
      if (!ISA_AARCH64) checkCanonical(RIP, b, p);
      const32(<u32>b | LEFT_INDIRECT);
      set(EXIT);
      branch(LEAVE);
      return;
    case OP_EXIT:
      const32(<u32>b | LEFT_INDIRECT);
      set(EXIT);
      branch(LEAVE_AT_RIP);
      return;
  }
  if (!ISA_AARCH64 && isReturn(p)) {
    emitReturn(node, b, p, op == OP_RET32, imm);
    return;
  }
  if (fused) {
    if (op >= OP_TESTIJ) emitTestImm(op - OP_TESTIJ, a, load<i16>(p, 6));
    else if (op >= OP_CMPIJ) emitCompareImm(op - OP_CMPIJ, a, load<i16>(p, 6));
    else if (op < OP_TESTJ) emitCompare(op - OP_CMPJ, a, load<u16>(p, 6));
    else emitTest(op - OP_TESTJ, a, load<u16>(p, 6));
    pushCondition(load<u16>(p, 2));
    fork(node, imm);
    return;
  }
  // A fault for certain, or an operation that ended its block: a whole instruction is left to the interpreter.
  leaveBefore(b, p, LEFT_BEFORE);
}

/** Compares the target in local `value` with those in the region; before it goes to one, a return drops its address. */
function emitTargets(node: i32, value: u32, imm: u64, isReturn: bool, narrow: bool): void {
  let sites = returnsOf(node);
  while (sites) {
    const to = <i32>ctz<u64>(sites);
    sites &= sites - 1;
    get(value);
    const64(load<u64>(blockOf(to), B_RIP));
    byte(W_EQ + COMPARE64);
    openIf();
    if (isReturn) emitDropReturn(imm, narrow);
    const saved = saveKnown();
    const constant = savedConstant();
    saveSure();
    jumpTo(node, to);
    restoreKnown(saved, constant);
    restoreSure();
    close();
  }
}

/** A near return. */
function emitReturn(node: i32, b: usize, p: usize, narrow: bool, imm: u64): void {
  emitLoadReturn(p, narrow);
  emitTargets(node, VALUE, imm, true, narrow);
  if (!narrow) checkCanonical(VALUE, b, p);
  emitDropReturn(imm, narrow);
  get(VALUE);
  set(RIP);
  const32(<u32>b | LEFT_INDIRECT);
  set(EXIT);
  branch(LEAVE);
}
