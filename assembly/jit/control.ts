// Control flow of an optimized region: its graph as nested blocks, loops and ifs, by its dominator tree.
//
// A node is followed, inside the block that ends before each merge that it dominates, by what it jumps to: nodes with
// one way in stand in place, merges are reached by leaving their block, loop heads by continuing their loop.
//
// Of a baseline region: all nodes stand one after another, each after the end of a block, so that jumps forwards leave
// that block. Entries and jumps backwards go by way of a table of them all, at the head of the one loop around.

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
import { S_JIT_FUEL, S_JIT_LINK, S_RIP, S_TLB_GENERATION } from '../layout/x86-state';
import { setEmittedBlock } from './access';
import { emitCompare, emitCompareImm, emitTest, emitTestImm } from './alu';
import { LEFT_BEFORE, LEFT_JUMP, LEFT_NOT_CANONICAL, LEFT_REFUSED } from './exits';
import { forgetFlags, pushCondition, restoreKnown, savedConstant, saveKnown, settleAtExit, settleFlags } from './flags';
import {
  beginInstruction,
  continueFloat,
  declareLocals,
  ENTRY,
  EXIT,
  FUEL,
  finishLocals,
  I0,
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
import { newLink } from './links';
import { emitDropReturn, emitLoadReturn } from './memory';
import { emitOp, endedEarly, startOps } from './op';
import { startRanges } from './ranges';
import { loopLink, R_GENERATION, R_HEAT } from './record';
import {
  bit,
  blockOf,
  childrenOf,
  isBaselineRegion,
  isConditional,
  isReturn,
  loopHeads,
  mayLink,
  merges,
  nextOf,
  nodes,
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
  tee,
  u,
  W_BR_TABLE,
  W_END,
  W_EQ,
  W_EQZ,
  W_EQZ64,
  W_LOAD_I32,
  W_LT_S,
  W_NE,
  W_OR,
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
let recordOfRegion: usize = 0;
/** Links of a baseline region's loops, by the node at their head. */
const MAX_LOOPS: usize = 64;
const loopLinks: usize = memory.data(64 * 4);

/** Emits the function of the region that has been formed, at BODY, to get `record`. Returns its length, 0 if it is too large. */
export function emitRegion(record: usize): u32 {
  overflow = false;
  recordOfRegion = record;
  memory.fill(loopLinks, 0, MAX_LOOPS << 2);
  startAt(BODY);
  resetLabels(BODY);
  declareLocals();
  openBlock(LEAVE_WRITTEN);
  emitEntryChecks(record);
  loadFrame();
  openBlock(LEAVE_AT_RIP);
  openBlock(LEAVE);
  if (isBaselineRegion) emitAll();
  else emitTree(0);
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

/** Leaves at once if the region is not to be entered now (LEFT_REFUSED). */
function emitEntryChecks(record: usize): void {
  get(FUEL);
  const32(regionInsns);
  byte(W_LT_S);
  const32(0);
  mem(W_LOAD_I32, <u32>(record + R_GENERATION));
  const32(0);
  mem(W_LOAD_I32, STATE + S_TLB_GENERATION);
  byte(W_NE);
  byte(W_OR);
  if (isBaselineRegion) {
    const32(0);
    const32(0);
    mem(W_LOAD_I32, <u32>(record + R_HEAT));
    const32(1);
    byte(W_SUB);
    tee(I0);
    mem(W_STORE_I32, <u32>(record + R_HEAT));
    get(I0);
    const32(0);
    byte(W_LT_S);
    byte(W_OR);
  }
  hint(false);
  openIf();
  const32(LEFT_REFUSED);
  set(EXIT);
  branch(LEAVE_WRITTEN);
  close();
}

/** The nodes of a baseline region. */
function emitAll(): void {
  openLoop(LOOP);
  for (let i = nodes - 1; i >= 0; i--) openBlock(MERGE | i);
  get(ENTRY);
  byte(W_BR_TABLE);
  u(nodes - 1);
  for (let i = 0; i < nodes; i++) u(i);
  for (let i = 0; i < nodes && !overflow; i++) {
    close();
    forgetFlags();
    emitNode(i);
  }
  close();
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
    checkFuel(node);
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

/** Leaves for the beginning of `node` if too little is left for any way to the next such check: the interpreter counts the rest. */
function checkFuel(node: i32): void {
  get(FUEL);
  const32(regionInsns);
  byte(W_LT_S);
  hint(false);
  openIf();
  leaveTo(<u32>blockOf(node) | LEFT_INDIRECT, load<u64>(blockOf(node), B_RIP));
  close();
}

/** Leaves for the loop with head `node` if there is an optimized region for it. */
function leaveLoop(node: i32): void {
  if (!mayLink()) return;
  const at = loopLinks + ((<usize>node) << 2);
  const rip = load<u64>(blockOf(node), B_RIP);
  if (!load<u32>(at)) store<u32>(at, <u32>loopLink(recordOfRegion, rip));
  if (!load<u32>(at)) return;
  const64(rip);
  set(RIP);
  const32(0);
  mem(W_LOAD_I32, load<u32>(at));
  tee(EXIT);
  hint(false);
  branchIf(LEAVE);
}

function jumpTo(from: i32, to: i32): void {
  if (isBaselineRegion && to <= from) {
    leaveLoop(to);
    checkFuel(to);
    const32(to);
    set(ENTRY);
    branch(LOOP);
  } else if (to <= from) branch(LOOP | to);
  else if (isBaselineRegion || merges & bit(to)) branch(MERGE | to);
  else emitTree(to);
}

/** The label that a jump from one node to another one branches to, or 0 if it takes more than that. */
function labelOf(from: i32, to: i32): u32 {
  if (to <= from) return isBaselineRegion ? 0 : LOOP | to;
  return isBaselineRegion || merges & bit(to) ? MERGE | to : 0;
}

/** Leaves for `rip`, by a link once there is a region there. */
function leaveByLink(at: u32, rip: u64): void {
  const link = mayLink() ? newLink(rip) : 0;
  const64(rip);
  set(RIP);
  if (link) {
    const32(0);
    mem(W_LOAD_I32, <u32>link);
    tee(EXIT);
    branchIf(LEAVE);
  }
  const32(0);
  const32(<u32>link);
  mem(W_STORE_I32, STATE + S_JIT_LINK);
  const32(at);
  set(EXIT);
  branch(LEAVE);
}

/** The end of `node` by chain slot `slot`, whose target is `rip`. */
function edge(node: i32, slot: u32, rip: u64): void {
  const to = nextOf(node, slot);
  if (to < 0) leaveByLink(<u32>blockOf(node) | slot, rip);
  else jumpTo(node, to);
}

/** A condition is on the stack: the end of `node` by slot 1 if it is true, else by slot 0. */
function fork(node: i32, taken: u64): void {
  const b = blockOf(node);
  const to = nextOf(node, 1);
  const label = to < 0 ? 0 : labelOf(node, to);
  if (label) branchIf(label);
  else {
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
      const32(<u32>b | LEFT_JUMP);
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
  const32(<u32>b | LEFT_JUMP);
  set(EXIT);
  branch(LEAVE);
}
