// What generated code calls: memory accesses that no range serves, helpers, vector operations. Each is told which
// operation of which block asks, so that devices see an exact instruction count, and faults an exact RIP.
//
// The answer is an exit word (exits.ts): 0 to go on. The last parameter is there for its type (imports.ts).

import * as alu from '../ir/alu';
import { mulHigh, mulHighSigned } from '../ir/alu';
import { condition, getCF, getFlags, setFlags } from '../ir/flags';
import { enterSite, execVec, LEFT_FAULT, leaveSite } from '../ir/interp';
import { ALU_IMM, OP_LDP, OP_STP, ROT_RIGHT, SIZE32, SIZE128 } from '../ir/ops';
import { STATE } from '../layout/memory';
import { FLAG_CF, FLAG_OF, S_ATTENTION, S_JIT_BLOCK, S_JIT_EXIT, S_SMC, S_TLB } from '../layout/x86-state';
import {
  addressAfter,
  fastRead,
  fastWrite,
  probeRead,
  probeWrite,
  slowRead,
  slowWrite,
  translate,
} from '../mmu/access';
import { loadSized, storeSized } from '../mmu/frame';
import { fillRange } from '../mmu/ranges';
import { ACCESS_READ, ACCESS_WRITE } from '../mmu/walk';
import { clearFault, faulted, raiseGP } from '../x86/fault';
import { segmentLinear } from '../x86/seglin';
import { SITE_RMW } from './access';
import { LEFT_AFTER } from './exits';

/** What a load gave that is to be completed outside of the region. */
export let pendingValue: u64 = 0;

/** Exit word after operation p of `block`. */
function finish(p: usize, block: usize): u32 {
  leaveSite();
  let exit: u32 = 0;
  if (faulted()) exit = <u32>p | LEFT_FAULT;
  else if (load<u32>(STATE, S_SMC) | load<u32>(STATE, S_ATTENTION)) exit = <u32>p | LEFT_AFTER;
  if (exit) store<u32>(STATE, <u32>block, S_JIT_BLOCK);
  return exit;
}

/** `range` takes in the pages of an access that it did not serve. */
function widen(range: usize, linear: u64, size: u32, write: bool): void {
  fillRange(range, linear, write);
  if ((<u32>linear & 0xfff) + size > 0x1000) fillRange(range, addressAfter(linear, size - 1), write);
}

/** Load; the exit word is in S_JIT_EXIT. */
export function jitLoad(linear: u64, site: u32, block: usize, fuel: u32, range: usize, _type: v128): u64 {
  const p = <usize>(site & ~15);
  const size: u32 = 1 << (site & 3);
  const rmw = (site & SITE_RMW) != 0;
  const at = rmw ? fastWrite(linear, size) : fastRead(linear, size);
  if (at) {
    widen(range, linear, size, rmw);
    store<u32>(STATE, 0, S_JIT_EXIT);
    return loadSized(at, size);
  }
  enterSite(block, p, fuel);
  let v: u64 = 0;
  if (!rmw || probeWrite(linear, size)) v = slowRead(linear, size);
  widen(range, linear, size, rmw);
  pendingValue = v;
  store<u32>(STATE, finish(p, block), S_JIT_EXIT);
  return v;
}

export function jitStore(linear: u64, value: u64, site: u32, block: usize, fuel: u32, range: usize, _type: v128): u32 {
  const p = <usize>(site & ~15);
  const size: u32 = 1 << (site & 3);
  const at = fastWrite(linear, size);
  if (at) {
    widen(range, linear, size, true);
    storeSized(at, size, value);
    return 0;
  }
  enterSite(block, p, fuel);
  slowWrite(linear, size, size == 8 ? value : value & (((<u64>1) << ((<u64>size) << 3)) - 1));
  widen(range, linear, size, true);
  return finish(p, block);
}

/** To or from the slot of operation p. */
export function jitLoad128(linear: u64, site: u32, block: usize, fuel: u32, range: usize, _type: v128): u32 {
  const p = <usize>(site & ~15);
  const d = STATE + <usize>load<u16>(p, 2);
  const misaligned = site & 1 && linear & 15;
  const at = misaligned ? 0 : fastRead(linear, 16);
  if (at) {
    widen(range, linear, 16, false);
    v128.store(d, v128.load(at));
    return 0;
  }
  enterSite(block, p, fuel);
  if (misaligned) raiseGP(0);
  else if (probeRead(linear, 16)) {
    const low = slowRead(linear, 8);
    const high = slowRead(addressAfter(linear, 8), 8);
    store<u64>(d, low);
    store<u64>(d, high, 8);
    widen(range, linear, 16, false);
  }
  return finish(p, block);
}
export function jitStore128(linear: u64, site: u32, block: usize, fuel: u32, range: usize, _type: v128): u32 {
  const p = <usize>(site & ~15);
  const d = STATE + <usize>load<u16>(p, 2);
  const misaligned = site & 1 && linear & 15;
  const at = misaligned ? 0 : fastWrite(linear, 16);
  if (at) {
    widen(range, linear, 16, true);
    v128.store(at, v128.load(d));
    return 0;
  }
  enterSite(block, p, fuel);
  if (misaligned) raiseGP(0);
  else if (probeWrite(linear, 16)) {
    slowWrite(linear, 8, load<u64>(d));
    slowWrite(addressAfter(linear, 8), 8, load<u64>(d, 8));
    widen(range, linear, 16, true);
  }
  return finish(p, block);
}

/** OP_LDP, OP_STP: to or from the slots of operation p. */
export function jitPair(p: usize, block: usize, fuel: u32, range: usize, _type: v128): u32 {
  const op: u32 = load<u16>(p);
  const isStore = op >= OP_STP + SIZE32;
  const size = op - (isStore ? OP_STP : OP_LDP);
  const d = STATE + <usize>load<u16>(p, 2);
  const d2 = STATE + <usize>load<u16>(p, 6);
  const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
  const bytes: u32 = 1 << size;
  enterSite(block, p, fuel);
  if (isStore ? probeWrite(linear, 2 * bytes) : probeRead(linear, 2 * bytes)) {
    if (size == SIZE128) {
      for (let i: u32 = 0; i < 4; i++) {
        const at = (i < 2 ? d : d2) + ((<usize>i & 1) << 3);
        const address = addressAfter(linear, i << 3);
        if (isStore) slowWrite(address, 8, load<u64>(at));
        else store<u64>(at, slowRead(address, 8));
      }
    } else if (isStore) {
      slowWrite(linear, bytes, size == 3 ? load<u64>(d) : <u64>load<u32>(d));
      slowWrite(addressAfter(linear, bytes), bytes, size == 3 ? load<u64>(d2) : <u64>load<u32>(d2));
    } else {
      const low = slowRead(linear, bytes);
      const high = slowRead(addressAfter(linear, bytes), bytes);
      if (!faulted()) {
        store<u64>(d, low);
        store<u64>(d2, high);
      }
    }
    widen(range, linear, 2 * bytes, isStore);
  }
  return finish(p, block);
}

/** Host address of [linear, linear + span) if it may be accessed as one piece, else 0. */
function wholeAt(linear: u64, span: u32, write: bool): usize {
  const last = linear + (span - 1);
  const at = write ? fastWrite(linear, 1) : fastRead(linear, 1);
  if (!at || (linear ^ last) < 0x1000) return at;
  const end = write ? fastWrite(last, 1) : fastRead(last, 1);
  return end == at + span - 1 ? at : 0;
}

/**
 * Host address of [linear, linear + span), `what` = span | write << 16, if it may be accessed as one window (windows.ts),
 * else 0. Its range takes its pages in. The first access of the window is about to happen, so a walk of the tables for
 * its page has no effect that it would not have; a fault is left for that access to find again.
 */
export function jitWindow(linear: u64, what: u32, range: usize, _type: v128): u32 {
  const span = what & 0xffff;
  const write = what >> 16 != 0;
  let at = wholeAt(linear, span, write);
  if (!at && (<u32>linear & 0xfff) + span <= 0x1000) {
    translate(linear, write ? ACCESS_WRITE : ACCESS_READ, load<u32>(STATE, S_TLB));
    if (faulted()) clearFault();
    else at = wholeAt(linear, span, write);
  }
  if (at) widen(range, linear, span, write);
  return <u32>at;
}

/** OP_CALL. */
export function jitHelper(p: usize, block: usize, fuel: u32, _type: v128): u32 {
  enterSite(block, p, fuel);
  call_indirect<void>(<u32>load<u16>(p, 2), <u32>load<u16>(p, 4), <u32>load<u16>(p, 6), load<u64>(p, 8));
  return finish(p, block);
}

/** OP_VEC. */
export function jitVector(p: usize, block: usize, fuel: u32, _type: v128): u32 {
  enterSite(block, p, fuel);
  execVec(p);
  leaveSite();
  if (!faulted()) return 0;
  store<u32>(STATE, <u32>block, S_JIT_BLOCK);
  return <u32>p | LEFT_FAULT;
}

/** OP_ROT with flags. */
export function jitRotate(p: usize, block: usize, fuel: u32, _type: v128): u32 {
  const op: u32 = load<u16>(p);
  const count: u32 = op & ALU_IMM ? load<u8>(p, 8) : load<u8>(<usize>load<u16>(p, 6), STATE);
  const size = (op >> 2) & 3;
  if (op & ROT_RIGHT) {
    if (size == 3) alu.aluRor<u64>(p, count);
    else if (size == 2) alu.aluRor<u32>(p, count);
    else if (size == 1) alu.aluRor<u16>(p, count);
    else alu.aluRor<u8>(p, count);
  } else if (size == 3) alu.aluRol<u64>(p, count);
  else if (size == 2) alu.aluRol<u32>(p, count);
  else if (size == 1) alu.aluRol<u16>(p, count);
  else alu.aluRol<u8>(p, count);
  return 0;
}

/** CF and OF after a rotate that gave `result`; the other flags stay. */
export function jitRotated(result: u64, how: u32, _type: v128): void {
  const top: u64 = (8 << (how & 3)) - 1;
  const sign = <u32>(result >> top) & 1;
  const cf = how & 4 ? sign : <u32>result & 1;
  const overflow = sign ^ (how & 4 ? <u32>(result >> (top - 1)) & 1 : cf);
  setFlags((getFlags() & ~(FLAG_CF | FLAG_OF)) | cf | (overflow << 11));
}

export function jitCondition(cc: u32, _type: v128): u32 {
  return u32(condition(cc));
}
export function jitCarry(_type: v128): u32 {
  return getCF();
}
export function jitMulHigh(a: u64, b: u64, signed: u32, _type: v128): u64 {
  return signed ? <u64>mulHighSigned(<i64>a, <i64>b) : mulHigh(a, b);
}
export function jitOverflow(a: i64, b: i64, _type: v128): u32 {
  return u32(mulHighSigned(a, b) != (a * b) >> 63);
}

/** OP_SEGLIN: the linear address; the exit word is in S_JIT_EXIT. */
export function jitSegment(offset: u64, site: u32, block: usize, fuel: u32, _type: v128): u64 {
  const p = <usize>site;
  const linear = segmentLinear(offset, load<u16>(p, 6), load<u16>(p, 8), load<u8>(p, 10) != 0);
  let exit: u32 = 0;
  if (faulted()) {
    exit = <u32>p | LEFT_FAULT;
    store<u32>(STATE, <u32>block, S_JIT_BLOCK);
  }
  store<u32>(STATE, exit, S_JIT_EXIT);
  return linear;
}
