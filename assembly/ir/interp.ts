// The IR interpreter: one switch over the operations of a block.
//
// The fast path of every load and store is in line: one comparison with the soft TLB's tag. Whatever fails it goes to
// mmu/access.ts. The arithmetic cases are opcode = OP_ALU | kind << 4 | size << 2 | imm << 1 | no flags (ops.ts).

import { raiseAlignment, raisePacked, raiseStackAlignment } from '../arm/fault';
import { A_BASE } from '../arm/simd/kinds';
import { execArmVector } from '../arm/simd/vector';
import { STATE } from '../layout/memory';
import {
  FLAG_AC,
  S_ATTENTION,
  S_NEXT_RIP,
  S_RFLAGS,
  S_RIP,
  S_RSP,
  S_SMC,
  S_TLB,
  SEG_CS,
  SEG_LIMIT,
} from '../layout/x86-state';
import { addressAfter, probeRead, probeWrite, slowRead, slowWrite } from '../mmu/access';
import { TLB_ADDEND, TLB_READ, TLB_USER, TLB_WRITE, tlbEntry, tlbGeneration, tlbTable } from '../mmu/tlb';
import { execVector } from '../sse/vector';
import { EXC_AC, faulted, raise, raiseCode, raiseGP } from '../x86/fault';
import { segSlot } from '../x86/mode';
import { segmentLinear } from '../x86/seglin';
import * as alu from './alu';
import { compared, immB, setD, srcA, srcB, tested } from './alu';
import {
  B_CHAIN,
  B_CHAIN_GENERATION,
  B_CODE,
  B_COUNT,
  B_END_RIP,
  B_INSNS,
  B_LOOK,
  B_RIP,
  B_SIDE,
  running,
  setRunning,
} from './blocks';
import { CCK_LOGIC, CCK_SUB, condition, setLazy } from './flags';
import { afterIndirect, afterJump, budget, reserve, setBudget } from './follow';
import * as int from './integer';
import {
  ALIGN_STACK,
  ALIGN_STORE,
  LD_8,
  LD_16,
  LD_128,
  LD_128_ALIGNED,
  LD_S8_16,
  LD_S8_32,
  LD_S8_64,
  LD_S16_32,
  LD_S16_64,
  LD_S32_64,
  LD_Z8_16,
  OP_BYTES,
  OP_JMP,
  OP_LD,
  OP_LEAVE,
  OP_POP32,
  OP_POP64,
  OP_PUSH32,
  OP_PUSH64,
  OP_PUSHI32,
  OP_PUSHI64,
  OP_RET32,
  OP_RET64,
  OP_ST,
} from './ops';

/** How exec() left a block: by chain slot 0 or 1, to an address not known before, or with a fault. S_RIP is right. */
export const LEFT_CHAIN0: u32 = 0;
export const LEFT_CHAIN1: u32 = 1;
export const LEFT_INDIRECT: u32 = 2;
export const LEFT_FAULT: u32 = 3;

/** The block that was left last, and how. */
export let lastBlock: usize = 0;
let left: u32 = 0;

/** Instructions of the block that were counted at its entry but not executed. */
export let unexecuted: u32 = 0;

/** The operation that last called out of the interpreter. */
let current: usize = 0;

/** Instructions that a region was given and has not begun. */
let regionFuel: u32 = 0;

/** Generated code calls out, at operation p of block b, with `fuel` instructions not begun; it goes on. */
export function enterSite(b: usize, p: usize, fuel: u32): void {
  setRunning(b);
  current = p;
  regionFuel = fuel;
}
export function leaveSite(): void {
  setRunning(0);
  regionFuel = 0;
}

/** Side-table word of an operation: offset of its instruction | index << 16. */
function sideOf(p: usize): u32 {
  return load<u32>(load<u32>(running, B_SIDE) + (((p - running - B_CODE) / OP_BYTES) << 2));
}

/** Instructions of the running block from the current one on: what an exact instruction count has to take off. */
export function pendingInstructions(): u32 {
  return running ? regionFuel + load<u16>(running, B_INSNS) - (sideOf(current) >> 16) : 0;
}

/** RIP of the instruction being executed. */
export function executingRip(): u64 {
  return load<u64>(running, B_RIP) + (sideOf(current) & 0xffff);
}

// Leaving after the current instruction (its own code was overwritten, or a device wants attention): the next
// instruction's first operation is replaced by OP_LEAVE and put back when the block is left. (An instruction that does
// nothing has no operations: it is passed, too.)
let patched: usize = 0;
let patchedOp: u16 = 0;

function leaveAfter(p: usize): void {
  if (patched) return;
  const index = sideOf(p) >> 16;
  const end = <usize>load<u32>(running, B_SIDE);
  let q = p + OP_BYTES;
  while (q < end && sideOf(q) >> 16 == index) q += OP_BYTES;
  if (q >= end) return;
  patched = q;
  patchedOp = load<u16>(q);
  store<u16>(q, OP_LEAVE);
}

function unpatch(): void {
  if (!patched) return;
  store<u16>(patched, patchedOp);
  patched = 0;
}

/** After anything outside the fast paths: must this block be left early? */
function noticed(p: usize): void {
  if (load<u32>(STATE, S_SMC) | load<u32>(STATE, S_ATTENTION)) leaveAfter(p);
}

function slowLoad(p: usize, linear: u64, size: u32): u64 {
  current = p;
  const v = slowRead(linear, size);
  noticed(p);
  return v;
}

function slowStore(p: usize, linear: u64, size: u32, value: u64): bool {
  current = p;
  slowWrite(linear, size, value);
  if (faulted()) return true;
  noticed(p);
  return false;
}

/** Address of a memory operation, in 64 bits or wrapped to 32. */
function ea(p: usize): u64 {
  return (
    load<u64>(<usize>load<u16>(p, 4), STATE) +
    (load<u64>(<usize>load<u16>(p, 6), STATE) << (<u64>load<u8>(p, 12))) +
    <u64>(<i64>load<i32>(p, 8))
  );
}
function ea32(p: usize): u64 {
  return ea(p) & 0xffffffff;
}
/** The same for STI, whose shift is in d. */
function eaImm(p: usize): u64 {
  return (
    load<u64>(<usize>load<u16>(p, 4), STATE) +
    (load<u64>(<usize>load<u16>(p, 6), STATE) << (<u64>load<u16>(p, 2))) +
    <u64>(<i64>load<i32>(p, 8))
  );
}

/** Does TLB entry e allow a T to be loaded from `linear`, or stored there; and where is it then? */
function readable<T>(e: usize, linear: u64): bool {
  return load<u64>(e, TLB_READ) == ((linear + (sizeof<T>() - 1)) & ~0xfff);
}
function writable<T>(e: usize, linear: u64): bool {
  return load<u64>(e, TLB_WRITE) == ((linear + (sizeof<T>() - 1)) & ~0xfff);
}
function hostAt(e: usize, linear: u64): usize {
  return <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
}

/** Loads T (unsigned) from `linear`; on a fault the result is 0 and faulted() true. */
function loadMem<T>(p: usize, linear: u64): T {
  const e = tlbEntry(linear);
  if (readable<T>(e, linear)) return load<T>(hostAt(e, linear));
  return <T>slowLoad(p, linear, <u32>sizeof<T>());
}

/** Stores T; true when it faults. */
function storeMem<T>(p: usize, linear: u64, value: T): bool {
  const e = tlbEntry(linear);
  if (writable<T>(e, linear)) {
    store<T>(hostAt(e, linear), value);
    return false;
  }
  return slowStore(p, linear, <u32>sizeof<T>(), <u64>value);
}

/** Loads for a later store to the same address: every fault of that store is raised now. */
function loadRmw<T>(p: usize, linear: u64): T {
  const e = tlbEntry(linear);
  if (writable<T>(e, linear)) return load<T>(hostAt(e, linear));
  return <T>slowLoadRmw(p, linear, <u32>sizeof<T>());
}

function slowLoadRmw(p: usize, linear: u64, size: u32): u64 {
  current = p;
  // A64's atomics report a fault of their load as a load's.
  if (ISA_AARCH64 && !probeRead(linear, size)) return 0;
  if (!probeWrite(linear, size)) return 0;
  return slowLoad(p, linear, size);
}

/** OP_LD_A32: a load from an address of 32 bits; or, in the ARM build, OP_LD_USER: one with the rights of EL0. */
function loadNarrow<T>(p: usize): T {
  if (ISA_AARCH64) {
    const linear = ea(p);
    const table = load<u32>(STATE, S_TLB);
    store<u32>(STATE, <u32>tlbTable(TLB_USER), S_TLB);
    const v = loadMem<T>(p, linear);
    store<u32>(STATE, table, S_TLB);
    return v;
  } else {
    return loadMem<T>(p, ea32(p));
  }
}

/** The same for stores. */
function storeNarrow<T>(p: usize, value: T): bool {
  if (ISA_AARCH64) {
    const linear = ea(p);
    const table = load<u32>(STATE, S_TLB);
    store<u32>(STATE, <u32>tlbTable(TLB_USER), S_TLB);
    const failed = storeMem<T>(p, linear, value);
    store<u32>(STATE, table, S_TLB);
    return failed;
  } else {
    return storeMem<T>(p, ea32(p), value);
  }
}

/** OP_LDP at operation p: both values, or a fault (true) and none. */
export function loadPair<T>(p: usize): bool {
  const d = <usize>load<u16>(p, 2);
  const d2 = <usize>load<u16>(p, 6);
  const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_READ) == ((linear + (2 * sizeof<T>() - 1)) & ~0xfff)) {
    const at = <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
    const low = load<T>(at);
    const high = load<T>(at + sizeof<T>());
    store<u64>(d, <u64>low, STATE);
    store<u64>(d2, <u64>high, STATE);
    return false;
  }
  current = p;
  if (!probeRead(linear, 2 * <u32>sizeof<T>())) return true;
  const low = slowRead(linear, <u32>sizeof<T>());
  const high = slowRead(addressAfter(linear, <u32>sizeof<T>()), <u32>sizeof<T>());
  if (faulted()) return true;
  store<u64>(d, low, STATE);
  store<u64>(d2, high, STATE);
  noticed(p);
  return false;
}

/** OP_STP: both are stored, or a fault (true) and none. */
export function storePair<T>(p: usize): bool {
  const low = load<T>(<usize>load<u16>(p, 2), STATE);
  const high = load<T>(<usize>load<u16>(p, 6), STATE);
  const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_WRITE) == ((linear + (2 * sizeof<T>() - 1)) & ~0xfff)) {
    const at = <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
    store<T>(at, low);
    store<T>(at + sizeof<T>(), high);
    return false;
  }
  current = p;
  if (!probeWrite(linear, 2 * <u32>sizeof<T>())) return true;
  slowWrite(linear, <u32>sizeof<T>(), <u64>low);
  slowWrite(addressAfter(linear, <u32>sizeof<T>()), <u32>sizeof<T>(), <u64>high);
  if (faulted()) return true;
  noticed(p);
  return false;
}

/** The same for two vector registers. */
export function loadPair128(p: usize): bool {
  const d = STATE + <usize>load<u16>(p, 2);
  const d2 = STATE + <usize>load<u16>(p, 6);
  const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_READ) == ((linear + 31) & ~0xfff)) {
    const at = <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
    const low = v128.load(at);
    const high = v128.load(at, 16);
    v128.store(d, low);
    v128.store(d2, high);
    return false;
  }
  current = p;
  if (!probeRead(linear, 32)) return true;
  const a = slowRead(linear, 8);
  const b = slowRead(addressAfter(linear, 8), 8);
  const c = slowRead(addressAfter(linear, 16), 8);
  const f = slowRead(addressAfter(linear, 24), 8);
  if (faulted()) return true;
  store<u64>(d, a);
  store<u64>(d, b, 8);
  store<u64>(d2, c);
  store<u64>(d2, f, 8);
  noticed(p);
  return false;
}

export function storePair128(p: usize): bool {
  const d = STATE + <usize>load<u16>(p, 2);
  const d2 = STATE + <usize>load<u16>(p, 6);
  const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_WRITE) == ((linear + 31) & ~0xfff)) {
    const at = <usize>(<u32>linear + load<u32>(e, TLB_ADDEND));
    v128.store(at, v128.load(d));
    v128.store(at, v128.load(d2), 16);
    return false;
  }
  current = p;
  if (!probeWrite(linear, 32)) return true;
  slowWrite(linear, 8, load<u64>(d));
  slowWrite(addressAfter(linear, 8), 8, load<u64>(d, 8));
  slowWrite(addressAfter(linear, 16), 8, load<u64>(d2));
  slowWrite(addressAfter(linear, 24), 8, load<u64>(d2, 8));
  if (faulted()) return true;
  noticed(p);
  return false;
}

/** Writes a 64-bit slot. */
function setD64(p: usize, v: u64): void {
  store<u64>(<usize>load<u16>(p, 2), v, STATE);
}

/** A load operation, by form; true when it faults. */
function execLoad128(p: usize, linear: u64, aligned: bool): bool {
  current = p;
  if (aligned && linear & 15) {
    raiseGP(0);
    return true;
  }
  const d = STATE + <usize>load<u16>(p, 2);
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_READ) == ((linear + 15) & ~0xfff)) {
    v128.store(d, v128.load(<usize>(<u32>linear + load<u32>(e, TLB_ADDEND))));
    return false;
  }
  if (!probeRead(linear, 16)) return true;
  const low = slowRead(linear, 8);
  const high = slowRead(addressAfter(linear, 8), 8);
  store<u64>(d, low);
  store<u64>(d, high, 8);
  noticed(p);
  return false;
}

function execStore128(p: usize, linear: u64, aligned: bool): bool {
  current = p;
  if (aligned && linear & 15) {
    raiseGP(0);
    return true;
  }
  const d = STATE + <usize>load<u16>(p, 2);
  const e = tlbEntry(linear);
  if (load<u64>(e, TLB_WRITE) == ((linear + 15) & ~0xfff)) {
    v128.store(<usize>(<u32>linear + load<u32>(e, TLB_ADDEND)), v128.load(d));
    return false;
  }
  if (!probeWrite(linear, 16)) return true;
  slowWrite(linear, 8, load<u64>(d));
  slowWrite(addressAfter(linear, 8), 8, load<u64>(d, 8));
  noticed(p);
  return false;
}

/** A fault at p: RIP is that of its instruction, and the rest of the block was not executed. */
function fault(p: usize): u32 {
  unpatch();
  const side = sideOf(p);
  store<u64>(STATE, load<u64>(running, B_RIP) + (side & 0xffff), S_RIP);
  unexecuted = load<u16>(running, B_INSNS) - (side >> 16);
  lastBlock = running;
  setRunning(0);
  return LEFT_FAULT;
}

function leave(how: u32, rip: u64): u32 {
  store<u64>(STATE, rip, S_RIP);
  lastBlock = running;
  setRunning(0);
  return how;
}

/** The block is left for `rip` by an indirect jump. Returns the block that is executed next, or 0: the run loop goes on. */
function goTo(rip: u64): usize {
  const next = afterIndirect(running, rip);
  if (!next) {
    left = leave(LEFT_INDIRECT, rip);
    return 0;
  }
  setRunning(next);
  return next;
}

/** The same for a constant jump at operation p by chain slot `slot`, when the chain cannot be followed. */
function goOn(p: usize, slot: u32): usize {
  const rip = slot || load<u16>(p) == <u16>OP_JMP ? load<u64>(p, 8) : load<u64>(running, B_END_RIP);
  const next = afterJump(running, slot, rip);
  if (!next) {
    left = leave(slot, rip);
    return 0;
  }
  setRunning(next);
  return next;
}

/** OP_VEC: A64's own kinds begin at A_BASE. */
export function execVec(p: usize): void {
  const kind: u32 = load<u16>(p, 8);
  const d: u32 = load<u16>(p, 2);
  const a: u32 = load<u16>(p, 4);
  const b: u32 = load<u16>(p, 6);
  if (ISA_AARCH64 && kind >= A_BASE) execArmVector(kind, d, a, b, load<u32>(p, 10));
  else execVector(kind, d, a, b, load<u32>(p, 10));
}

function isCanonical(a: u64): bool {
  return <u64>(((<i64>a) << 16) >> 16) == a;
}

/** A region begins. */
export function noUnexecuted(): void {
  unexecuted = 0;
}

/** A fault was raised at operation p of block b, outside of the interpreter. */
export function faultAt(b: usize, p: usize): u32 {
  setRunning(b);
  return fault(p);
}

/** Operation p of block b accessed memory or called a helper, outside of the interpreter, and something wants
 *  attention: completes it (`value`: what a load gave), and the instruction. */
export function resumeAfter(b: usize, p: usize, value: u64): u32 {
  setRunning(b);
  const op: u32 = load<u16>(p);
  if (op >= OP_LD && op < OP_ST) complete(p, (op - OP_LD) & 31, value);
  else if (op >= OP_PUSH64 && op <= OP_RET32) {
    const narrow = op == OP_PUSH32 || op == OP_PUSHI32 || op == OP_POP32 || op == OP_RET32;
    const down = op == OP_PUSH64 || op == OP_PUSHI64 || op == OP_PUSH32 || op == OP_PUSHI32;
    if (op == OP_RET64 && !isCanonical(value)) {
      raiseGP(0);
      return fault(p);
    }
    let sp = load<u64>(STATE, S_RSP) + (down ? (narrow ? -4 : -8) : narrow ? 4 : 8);
    if (op == OP_RET64 || op == OP_RET32) sp += load<u64>(p, 8);
    store<u64>(STATE, narrow ? sp & 0xffffffff : sp, S_RSP);
    if (op == OP_RET64 || op == OP_RET32) {
      unexecuted = 0;
      return leave(LEFT_INDIRECT, value);
    }
    if (!down) setD64(p, value);
  }
  leaveAfter(p);
  return execFrom(b, p + OP_BYTES);
}

/** The end of a load of form LD_* (or LD_RMW + size) that gave `v`, zero-extended. */
function complete(p: usize, form: u32, v: u64): void {
  switch (form) {
    case LD_8:
      setD<u8>(p, <u8>v);
      break;
    case LD_16:
    case LD_Z8_16:
      setD<u16>(p, <u16>v);
      break;
    case LD_S8_16:
      setD<u16>(p, <u16>(<i16>(<i8>v)));
      break;
    case LD_S8_32:
      setD<u32>(p, <u32>(<i32>(<i8>v)));
      break;
    case LD_S8_64:
      setD64(p, <u64>(<i64>(<i8>v)));
      break;
    case LD_S16_32:
      setD<u32>(p, <u32>(<i32>(<i16>v)));
      break;
    case LD_S16_64:
      setD64(p, <u64>(<i64>(<i16>v)));
      break;
    case LD_S32_64:
      setD64(p, <u64>(<i64>(<i32>v)));
      break;
    case LD_128:
    case LD_128_ALIGNED:
      break;
    default:
      setD64(p, v);
  }
}

/** Executes block b, and those that follow it, until the run loop is needed: returns LEFT_*. */
export function exec(b: usize): u32 {
  return execFrom(b, b + B_CODE);
}

/** The same from the operation at `start` on. */
export function execFrom(b: usize, start: usize): u32 {
  setRunning(b);
  unexecuted = 0;
  let p = start;
  while (true) {
    let slot: u32 = 0;
    for (; ; p += OP_BYTES) {
      switch (load<u16>(p)) {
        case 0x0:
          alu.aluAdd<u8>(p, srcB<u8>(p));
          continue;
        case 0x1:
          alu.nfAdd<u8>(p, srcB<u8>(p));
          continue;
        case 0x2:
          alu.aluAdd<u8>(p, immB<u8>(p));
          continue;
        case 0x3:
          alu.nfAdd<u8>(p, immB<u8>(p));
          continue;
        case 0x4:
          alu.aluAdd<u16>(p, srcB<u16>(p));
          continue;
        case 0x5:
          alu.nfAdd<u16>(p, srcB<u16>(p));
          continue;
        case 0x6:
          alu.aluAdd<u16>(p, immB<u16>(p));
          continue;
        case 0x7:
          alu.nfAdd<u16>(p, immB<u16>(p));
          continue;
        case 0x8:
          alu.aluAdd<u32>(p, srcB<u32>(p));
          continue;
        case 0x9:
          alu.nfAdd<u32>(p, srcB<u32>(p));
          continue;
        case 0xa:
          alu.aluAdd<u32>(p, immB<u32>(p));
          continue;
        case 0xb:
          alu.nfAdd<u32>(p, immB<u32>(p));
          continue;
        case 0xc:
          alu.aluAdd<u64>(p, srcB<u64>(p));
          continue;
        case 0xd:
          alu.nfAdd<u64>(p, srcB<u64>(p));
          continue;
        case 0xe:
          alu.aluAdd<u64>(p, immB<u64>(p));
          continue;
        case 0xf:
          alu.nfAdd<u64>(p, immB<u64>(p));
          continue;
        case 0x10:
          alu.aluOr<u8>(p, srcB<u8>(p));
          continue;
        case 0x11:
          alu.nfOr<u8>(p, srcB<u8>(p));
          continue;
        case 0x12:
          alu.aluOr<u8>(p, immB<u8>(p));
          continue;
        case 0x13:
          alu.nfOr<u8>(p, immB<u8>(p));
          continue;
        case 0x14:
          alu.aluOr<u16>(p, srcB<u16>(p));
          continue;
        case 0x15:
          alu.nfOr<u16>(p, srcB<u16>(p));
          continue;
        case 0x16:
          alu.aluOr<u16>(p, immB<u16>(p));
          continue;
        case 0x17:
          alu.nfOr<u16>(p, immB<u16>(p));
          continue;
        case 0x18:
          alu.aluOr<u32>(p, srcB<u32>(p));
          continue;
        case 0x19:
          alu.nfOr<u32>(p, srcB<u32>(p));
          continue;
        case 0x1a:
          alu.aluOr<u32>(p, immB<u32>(p));
          continue;
        case 0x1b:
          alu.nfOr<u32>(p, immB<u32>(p));
          continue;
        case 0x1c:
          alu.aluOr<u64>(p, srcB<u64>(p));
          continue;
        case 0x1d:
          alu.nfOr<u64>(p, srcB<u64>(p));
          continue;
        case 0x1e:
          alu.aluOr<u64>(p, immB<u64>(p));
          continue;
        case 0x1f:
          alu.nfOr<u64>(p, immB<u64>(p));
          continue;
        case 0x20:
          alu.aluAdc<u8>(p, srcB<u8>(p));
          continue;
        case 0x22:
          alu.aluAdc<u8>(p, immB<u8>(p));
          continue;
        case 0x24:
          alu.aluAdc<u16>(p, srcB<u16>(p));
          continue;
        case 0x26:
          alu.aluAdc<u16>(p, immB<u16>(p));
          continue;
        case 0x28:
          alu.aluAdc<u32>(p, srcB<u32>(p));
          continue;
        case 0x2a:
          alu.aluAdc<u32>(p, immB<u32>(p));
          continue;
        case 0x2c:
          alu.aluAdc<u64>(p, srcB<u64>(p));
          continue;
        case 0x2e:
          alu.aluAdc<u64>(p, immB<u64>(p));
          continue;
        case 0x30:
          alu.aluSbb<u8>(p, srcB<u8>(p));
          continue;
        case 0x32:
          alu.aluSbb<u8>(p, immB<u8>(p));
          continue;
        case 0x34:
          alu.aluSbb<u16>(p, srcB<u16>(p));
          continue;
        case 0x36:
          alu.aluSbb<u16>(p, immB<u16>(p));
          continue;
        case 0x38:
          alu.aluSbb<u32>(p, srcB<u32>(p));
          continue;
        case 0x3a:
          alu.aluSbb<u32>(p, immB<u32>(p));
          continue;
        case 0x3c:
          alu.aluSbb<u64>(p, srcB<u64>(p));
          continue;
        case 0x3e:
          alu.aluSbb<u64>(p, immB<u64>(p));
          continue;
        case 0x40:
          alu.aluAnd<u8>(p, srcB<u8>(p));
          continue;
        case 0x41:
          alu.nfAnd<u8>(p, srcB<u8>(p));
          continue;
        case 0x42:
          alu.aluAnd<u8>(p, immB<u8>(p));
          continue;
        case 0x43:
          alu.nfAnd<u8>(p, immB<u8>(p));
          continue;
        case 0x44:
          alu.aluAnd<u16>(p, srcB<u16>(p));
          continue;
        case 0x45:
          alu.nfAnd<u16>(p, srcB<u16>(p));
          continue;
        case 0x46:
          alu.aluAnd<u16>(p, immB<u16>(p));
          continue;
        case 0x47:
          alu.nfAnd<u16>(p, immB<u16>(p));
          continue;
        case 0x48:
          alu.aluAnd<u32>(p, srcB<u32>(p));
          continue;
        case 0x49:
          alu.nfAnd<u32>(p, srcB<u32>(p));
          continue;
        case 0x4a:
          alu.aluAnd<u32>(p, immB<u32>(p));
          continue;
        case 0x4b:
          alu.nfAnd<u32>(p, immB<u32>(p));
          continue;
        case 0x4c:
          alu.aluAnd<u64>(p, srcB<u64>(p));
          continue;
        case 0x4d:
          alu.nfAnd<u64>(p, srcB<u64>(p));
          continue;
        case 0x4e:
          alu.aluAnd<u64>(p, immB<u64>(p));
          continue;
        case 0x4f:
          alu.nfAnd<u64>(p, immB<u64>(p));
          continue;
        case 0x50:
          alu.aluSub<u8>(p, srcB<u8>(p));
          continue;
        case 0x51:
          alu.nfSub<u8>(p, srcB<u8>(p));
          continue;
        case 0x52:
          alu.aluSub<u8>(p, immB<u8>(p));
          continue;
        case 0x53:
          alu.nfSub<u8>(p, immB<u8>(p));
          continue;
        case 0x54:
          alu.aluSub<u16>(p, srcB<u16>(p));
          continue;
        case 0x55:
          alu.nfSub<u16>(p, srcB<u16>(p));
          continue;
        case 0x56:
          alu.aluSub<u16>(p, immB<u16>(p));
          continue;
        case 0x57:
          alu.nfSub<u16>(p, immB<u16>(p));
          continue;
        case 0x58:
          alu.aluSub<u32>(p, srcB<u32>(p));
          continue;
        case 0x59:
          alu.nfSub<u32>(p, srcB<u32>(p));
          continue;
        case 0x5a:
          alu.aluSub<u32>(p, immB<u32>(p));
          continue;
        case 0x5b:
          alu.nfSub<u32>(p, immB<u32>(p));
          continue;
        case 0x5c:
          alu.aluSub<u64>(p, srcB<u64>(p));
          continue;
        case 0x5d:
          alu.nfSub<u64>(p, srcB<u64>(p));
          continue;
        case 0x5e:
          alu.aluSub<u64>(p, immB<u64>(p));
          continue;
        case 0x5f:
          alu.nfSub<u64>(p, immB<u64>(p));
          continue;
        case 0x60:
          alu.aluXor<u8>(p, srcB<u8>(p));
          continue;
        case 0x61:
          alu.nfXor<u8>(p, srcB<u8>(p));
          continue;
        case 0x62:
          alu.aluXor<u8>(p, immB<u8>(p));
          continue;
        case 0x63:
          alu.nfXor<u8>(p, immB<u8>(p));
          continue;
        case 0x64:
          alu.aluXor<u16>(p, srcB<u16>(p));
          continue;
        case 0x65:
          alu.nfXor<u16>(p, srcB<u16>(p));
          continue;
        case 0x66:
          alu.aluXor<u16>(p, immB<u16>(p));
          continue;
        case 0x67:
          alu.nfXor<u16>(p, immB<u16>(p));
          continue;
        case 0x68:
          alu.aluXor<u32>(p, srcB<u32>(p));
          continue;
        case 0x69:
          alu.nfXor<u32>(p, srcB<u32>(p));
          continue;
        case 0x6a:
          alu.aluXor<u32>(p, immB<u32>(p));
          continue;
        case 0x6b:
          alu.nfXor<u32>(p, immB<u32>(p));
          continue;
        case 0x6c:
          alu.aluXor<u64>(p, srcB<u64>(p));
          continue;
        case 0x6d:
          alu.nfXor<u64>(p, srcB<u64>(p));
          continue;
        case 0x6e:
          alu.aluXor<u64>(p, immB<u64>(p));
          continue;
        case 0x6f:
          alu.nfXor<u64>(p, immB<u64>(p));
          continue;
        case 0x70:
          alu.aluCmp<u8>(p, srcB<u8>(p));
          continue;
        case 0x72:
          alu.aluCmp<u8>(p, immB<u8>(p));
          continue;
        case 0x74:
          alu.aluCmp<u16>(p, srcB<u16>(p));
          continue;
        case 0x76:
          alu.aluCmp<u16>(p, immB<u16>(p));
          continue;
        case 0x78:
          alu.aluCmp<u32>(p, srcB<u32>(p));
          continue;
        case 0x7a:
          alu.aluCmp<u32>(p, immB<u32>(p));
          continue;
        case 0x7c:
          alu.aluCmp<u64>(p, srcB<u64>(p));
          continue;
        case 0x7e:
          alu.aluCmp<u64>(p, immB<u64>(p));
          continue;
        case 0x80:
          alu.aluTest<u8>(p, srcB<u8>(p));
          continue;
        case 0x82:
          alu.aluTest<u8>(p, immB<u8>(p));
          continue;
        case 0x84:
          alu.aluTest<u16>(p, srcB<u16>(p));
          continue;
        case 0x86:
          alu.aluTest<u16>(p, immB<u16>(p));
          continue;
        case 0x88:
          alu.aluTest<u32>(p, srcB<u32>(p));
          continue;
        case 0x8a:
          alu.aluTest<u32>(p, immB<u32>(p));
          continue;
        case 0x8c:
          alu.aluTest<u64>(p, srcB<u64>(p));
          continue;
        case 0x8e:
          alu.aluTest<u64>(p, immB<u64>(p));
          continue;
        case 0x90:
          alu.aluShl<u8>(p, srcB<u8>(p));
          continue;
        case 0x91:
          alu.nfShl<u8>(p, srcB<u8>(p));
          continue;
        case 0x92:
          alu.aluShl<u8>(p, immB<u8>(p));
          continue;
        case 0x93:
          alu.nfShl<u8>(p, immB<u8>(p));
          continue;
        case 0x94:
          alu.aluShl<u16>(p, srcB<u8>(p));
          continue;
        case 0x95:
          alu.nfShl<u16>(p, srcB<u8>(p));
          continue;
        case 0x96:
          alu.aluShl<u16>(p, immB<u8>(p));
          continue;
        case 0x97:
          alu.nfShl<u16>(p, immB<u8>(p));
          continue;
        case 0x98:
          alu.aluShl<u32>(p, srcB<u8>(p));
          continue;
        case 0x99:
          alu.nfShl<u32>(p, srcB<u8>(p));
          continue;
        case 0x9a:
          alu.aluShl<u32>(p, immB<u8>(p));
          continue;
        case 0x9b:
          alu.nfShl<u32>(p, immB<u8>(p));
          continue;
        case 0x9c:
          alu.aluShl<u64>(p, srcB<u8>(p));
          continue;
        case 0x9d:
          alu.nfShl<u64>(p, srcB<u8>(p));
          continue;
        case 0x9e:
          alu.aluShl<u64>(p, immB<u8>(p));
          continue;
        case 0x9f:
          alu.nfShl<u64>(p, immB<u8>(p));
          continue;
        case 0xa0:
          alu.aluShr<u8>(p, srcB<u8>(p));
          continue;
        case 0xa1:
          alu.nfShr<u8>(p, srcB<u8>(p));
          continue;
        case 0xa2:
          alu.aluShr<u8>(p, immB<u8>(p));
          continue;
        case 0xa3:
          alu.nfShr<u8>(p, immB<u8>(p));
          continue;
        case 0xa4:
          alu.aluShr<u16>(p, srcB<u8>(p));
          continue;
        case 0xa5:
          alu.nfShr<u16>(p, srcB<u8>(p));
          continue;
        case 0xa6:
          alu.aluShr<u16>(p, immB<u8>(p));
          continue;
        case 0xa7:
          alu.nfShr<u16>(p, immB<u8>(p));
          continue;
        case 0xa8:
          alu.aluShr<u32>(p, srcB<u8>(p));
          continue;
        case 0xa9:
          alu.nfShr<u32>(p, srcB<u8>(p));
          continue;
        case 0xaa:
          alu.aluShr<u32>(p, immB<u8>(p));
          continue;
        case 0xab:
          alu.nfShr<u32>(p, immB<u8>(p));
          continue;
        case 0xac:
          alu.aluShr<u64>(p, srcB<u8>(p));
          continue;
        case 0xad:
          alu.nfShr<u64>(p, srcB<u8>(p));
          continue;
        case 0xae:
          alu.aluShr<u64>(p, immB<u8>(p));
          continue;
        case 0xaf:
          alu.nfShr<u64>(p, immB<u8>(p));
          continue;
        case 0xb0:
          alu.aluSar<u8>(p, srcB<u8>(p));
          continue;
        case 0xb1:
          alu.nfSar<u8>(p, srcB<u8>(p));
          continue;
        case 0xb2:
          alu.aluSar<u8>(p, immB<u8>(p));
          continue;
        case 0xb3:
          alu.nfSar<u8>(p, immB<u8>(p));
          continue;
        case 0xb4:
          alu.aluSar<u16>(p, srcB<u8>(p));
          continue;
        case 0xb5:
          alu.nfSar<u16>(p, srcB<u8>(p));
          continue;
        case 0xb6:
          alu.aluSar<u16>(p, immB<u8>(p));
          continue;
        case 0xb7:
          alu.nfSar<u16>(p, immB<u8>(p));
          continue;
        case 0xb8:
          alu.aluSar<u32>(p, srcB<u8>(p));
          continue;
        case 0xb9:
          alu.nfSar<u32>(p, srcB<u8>(p));
          continue;
        case 0xba:
          alu.aluSar<u32>(p, immB<u8>(p));
          continue;
        case 0xbb:
          alu.nfSar<u32>(p, immB<u8>(p));
          continue;
        case 0xbc:
          alu.aluSar<u64>(p, srcB<u8>(p));
          continue;
        case 0xbd:
          alu.nfSar<u64>(p, srcB<u8>(p));
          continue;
        case 0xbe:
          alu.aluSar<u64>(p, immB<u8>(p));
          continue;
        case 0xbf:
          alu.nfSar<u64>(p, immB<u8>(p));
          continue;
        case 0xc4:
          alu.aluImul<u16>(p, srcB<u16>(p));
          continue;
        case 0xc5:
          alu.nfImul<u16>(p, srcB<u16>(p));
          continue;
        case 0xc6:
          alu.aluImul<u16>(p, immB<u16>(p));
          continue;
        case 0xc7:
          alu.nfImul<u16>(p, immB<u16>(p));
          continue;
        case 0xc8:
          alu.aluImul<u32>(p, srcB<u32>(p));
          continue;
        case 0xc9:
          alu.nfImul<u32>(p, srcB<u32>(p));
          continue;
        case 0xca:
          alu.aluImul<u32>(p, immB<u32>(p));
          continue;
        case 0xcb:
          alu.nfImul<u32>(p, immB<u32>(p));
          continue;
        case 0xcc:
          alu.aluImul<u64>(p, srcB<u64>(p));
          continue;
        case 0xcd:
          alu.nfImul<u64>(p, srcB<u64>(p));
          continue;
        case 0xce:
          alu.aluImul<u64>(p, immB<u64>(p));
          continue;
        case 0xcf:
          alu.nfImul<u64>(p, immB<u64>(p));
          continue;
        case 0xd0:
          alu.aluInc<u8>(p);
          continue;
        case 0xd1:
          alu.nfAdd<u8>(p, 1);
          continue;
        case 0xd2:
          alu.aluDec<u8>(p);
          continue;
        case 0xd3:
          alu.nfSub<u8>(p, 1);
          continue;
        case 0xd4:
          alu.aluInc<u16>(p);
          continue;
        case 0xd5:
          alu.nfAdd<u16>(p, 1);
          continue;
        case 0xd6:
          alu.aluDec<u16>(p);
          continue;
        case 0xd7:
          alu.nfSub<u16>(p, 1);
          continue;
        case 0xd8:
          alu.aluInc<u32>(p);
          continue;
        case 0xd9:
          alu.nfAdd<u32>(p, 1);
          continue;
        case 0xda:
          alu.aluDec<u32>(p);
          continue;
        case 0xdb:
          alu.nfSub<u32>(p, 1);
          continue;
        case 0xdc:
          alu.aluInc<u64>(p);
          continue;
        case 0xdd:
          alu.nfAdd<u64>(p, 1);
          continue;
        case 0xde:
          alu.aluDec<u64>(p);
          continue;
        case 0xdf:
          alu.nfSub<u64>(p, 1);
          continue;
        case 0xe0:
          alu.aluNeg<u8>(p);
          continue;
        case 0xe1:
          setD<u8>(p, <u8>(0 - srcA<u8>(p)));
          continue;
        case 0xe4:
          alu.aluNeg<u16>(p);
          continue;
        case 0xe5:
          setD<u16>(p, <u16>(0 - srcA<u16>(p)));
          continue;
        case 0xe8:
          alu.aluNeg<u32>(p);
          continue;
        case 0xe9:
          setD<u32>(p, <u32>(0 - srcA<u32>(p)));
          continue;
        case 0xec:
          alu.aluNeg<u64>(p);
          continue;
        case 0xed:
          setD<u64>(p, <u64>(0 - srcA<u64>(p)));
          continue;
        case 0xf1:
          setD<u8>(p, <u8>~srcA<u8>(p));
          continue;
        case 0xf5:
          setD<u16>(p, <u16>~srcA<u16>(p));
          continue;
        case 0xf9:
          setD<u32>(p, <u32>~srcA<u32>(p));
          continue;
        case 0xfd:
          setD<u64>(p, <u64>~srcA<u64>(p));
          continue;
        case 0xfb:
          setD<u32>(p, bswap<u32>(srcA<u32>(p)));
          continue;
        case 0xff:
          setD<u64>(p, bswap<u64>(srcA<u64>(p)));
          continue;
        case 0x200:
          alu.aluRol<u8>(p, srcB<u8>(p));
          continue;
        case 0x201:
          alu.nfRol<u8>(p, srcB<u8>(p));
          continue;
        case 0x202:
          alu.aluRol<u8>(p, immB<u8>(p));
          continue;
        case 0x203:
          alu.nfRol<u8>(p, immB<u8>(p));
          continue;
        case 0x204:
          alu.aluRol<u16>(p, srcB<u8>(p));
          continue;
        case 0x205:
          alu.nfRol<u16>(p, srcB<u8>(p));
          continue;
        case 0x206:
          alu.aluRol<u16>(p, immB<u8>(p));
          continue;
        case 0x207:
          alu.nfRol<u16>(p, immB<u8>(p));
          continue;
        case 0x208:
          alu.aluRol<u32>(p, srcB<u8>(p));
          continue;
        case 0x209:
          alu.nfRol<u32>(p, srcB<u8>(p));
          continue;
        case 0x20a:
          alu.aluRol<u32>(p, immB<u8>(p));
          continue;
        case 0x20b:
          alu.nfRol<u32>(p, immB<u8>(p));
          continue;
        case 0x20c:
          alu.aluRol<u64>(p, srcB<u8>(p));
          continue;
        case 0x20d:
          alu.nfRol<u64>(p, srcB<u8>(p));
          continue;
        case 0x20e:
          alu.aluRol<u64>(p, immB<u8>(p));
          continue;
        case 0x20f:
          alu.nfRol<u64>(p, immB<u8>(p));
          continue;
        case 0x210:
          alu.aluRor<u8>(p, srcB<u8>(p));
          continue;
        case 0x211:
          alu.nfRor<u8>(p, srcB<u8>(p));
          continue;
        case 0x212:
          alu.aluRor<u8>(p, immB<u8>(p));
          continue;
        case 0x213:
          alu.nfRor<u8>(p, immB<u8>(p));
          continue;
        case 0x214:
          alu.aluRor<u16>(p, srcB<u8>(p));
          continue;
        case 0x215:
          alu.nfRor<u16>(p, srcB<u8>(p));
          continue;
        case 0x216:
          alu.aluRor<u16>(p, immB<u8>(p));
          continue;
        case 0x217:
          alu.nfRor<u16>(p, immB<u8>(p));
          continue;
        case 0x218:
          alu.aluRor<u32>(p, srcB<u8>(p));
          continue;
        case 0x219:
          alu.nfRor<u32>(p, srcB<u8>(p));
          continue;
        case 0x21a:
          alu.aluRor<u32>(p, immB<u8>(p));
          continue;
        case 0x21b:
          alu.nfRor<u32>(p, immB<u8>(p));
          continue;
        case 0x21c:
          alu.aluRor<u64>(p, srcB<u8>(p));
          continue;
        case 0x21d:
          alu.nfRor<u64>(p, srcB<u8>(p));
          continue;
        case 0x21e:
          alu.aluRor<u64>(p, immB<u8>(p));
          continue;
        case 0x21f:
          alu.nfRor<u64>(p, immB<u8>(p));
          continue;

        // OP_MOV, OP_MOVI, extensions
        case 0x100:
          setD<u8>(p, srcA<u8>(p));
          continue;
        case 0x101:
          setD<u16>(p, srcA<u16>(p));
          continue;
        case 0x102:
          setD<u32>(p, srcA<u32>(p));
          continue;
        case 0x103:
          setD<u64>(p, srcA<u64>(p));
          continue;
        case 0x104:
          setD<u8>(p, immB<u8>(p));
          continue;
        case 0x105:
          setD<u16>(p, immB<u16>(p));
          continue;
        case 0x106:
          setD<u32>(p, immB<u32>(p));
          continue;
        case 0x107:
          setD<u64>(p, immB<u64>(p));
          continue;
        case 0x108:
          setD64(p, srcA<u8>(p));
          continue;
        case 0x109:
          setD64(p, srcA<u16>(p));
          continue;
        case 0x10a:
          setD<u16>(p, srcA<u8>(p));
          continue;
        case 0x10b:
          setD<u16>(p, <u16>(<i16>srcA<i8>(p)));
          continue;
        case 0x10c:
          setD<u32>(p, <u32>(<i32>srcA<i8>(p)));
          continue;
        case 0x10d:
          setD64(p, <u64>(<i64>srcA<i8>(p)));
          continue;
        case 0x10e:
          setD<u32>(p, <u32>(<i32>srcA<i16>(p)));
          continue;
        case 0x10f:
          setD64(p, <u64>(<i64>srcA<i16>(p)));
          continue;
        case 0x110:
          setD64(p, <u64>(<i64>srcA<i32>(p)));
          continue;
        // OP_LEA16, 32, 64
        case 0x111:
          setD64(p, ea(p) & 0xffff);
          continue;
        case 0x112:
          setD64(p, ea32(p));
          continue;
        case 0x113:
          setD64(p, ea(p));
          continue;
        // OP_XCHG, OP_CMOV, OP_SETCC, OP_MOV128
        case 0x114: {
          const d = <usize>load<u16>(p, 2);
          const x = load<u8>(d, STATE);
          setD<u8>(p, srcA<u8>(p));
          store<u8>(<usize>load<u16>(p, 4), x, STATE);
          continue;
        }
        case 0x115: {
          const d = <usize>load<u16>(p, 2);
          const x = load<u16>(d, STATE);
          setD<u16>(p, srcA<u16>(p));
          store<u16>(<usize>load<u16>(p, 4), x, STATE);
          continue;
        }
        case 0x116: {
          const d = <usize>load<u16>(p, 2);
          const x = load<u32>(d, STATE);
          setD<u32>(p, srcA<u32>(p));
          store<u64>(<usize>load<u16>(p, 4), <u64>x, STATE);
          continue;
        }
        case 0x117: {
          const d = <usize>load<u16>(p, 2);
          const x = load<u64>(d, STATE);
          setD<u64>(p, srcA<u64>(p));
          store<u64>(<usize>load<u16>(p, 4), x, STATE);
          continue;
        }
        case 0x119:
          if (condition(<u32>load<u8>(p, 8))) setD<u16>(p, srcA<u16>(p));
          continue;
        case 0x11a:
          setD<u32>(p, condition(<u32>load<u8>(p, 8)) ? srcA<u32>(p) : load<u32>(<usize>load<u16>(p, 2), STATE));
          continue;
        case 0x11b:
          if (condition(<u32>load<u8>(p, 8))) setD64(p, srcA<u64>(p));
          continue;
        case 0x11c:
          setD<u8>(p, u8(condition(<u32>load<u8>(p, 8))));
          continue;
        case 0x11d:
          v128.store(STATE + <usize>load<u16>(p, 2), v128.load(STATE + <usize>load<u16>(p, 4)));
          continue;
        // OP_SETCC64, OP_SEL, OP_FIELD, OP_INSERT…
        case 0x11e:
          setD64(p, u64(condition(<u32>load<u8>(p, 8))));
          continue;
        case 0x122:
          setD<u32>(p, condition(<u32>load<u8>(p, 8)) ? srcA<u32>(p) : srcB<u32>(p));
          continue;
        case 0x123:
          setD64(p, condition(<u32>load<u8>(p, 8)) ? srcA<u64>(p) : srcB<u64>(p));
          continue;
        case 0x124:
          setD64(p, int.field(p));
          continue;
        case 0x125:
          setD<u32>(p, <u32>int.inserted(p));
          continue;
        case 0x126:
          setD64(p, int.inserted(p));
          continue;
        // OP_CLZ…, OP_RBIT64, products, quotients
        case 0x127:
          setD<u32>(p, clz<u32>(srcA<u32>(p)));
          continue;
        case 0x128:
          setD64(p, clz<u64>(srcA<u64>(p)));
          continue;
        case 0x129:
          setD64(p, int.reverseBits(srcA<u64>(p)));
          continue;
        case 0x12a:
          setD64(p, <u64>(<i64>srcA<i32>(p) * <i64>srcB<i32>(p)));
          continue;
        case 0x12b:
          setD64(p, <u64>srcA<u32>(p) * <u64>srcB<u32>(p));
          continue;
        case 0x12c:
          setD64(p, <u64>alu.mulHighSigned(srcA<i64>(p), srcB<i64>(p)));
          continue;
        case 0x12d:
          setD64(p, alu.mulHigh(srcA<u64>(p), srcB<u64>(p)));
          continue;
        case 0x12e:
          setD<u32>(p, <u32>int.divideUnsigned(srcA<u32>(p), srcB<u32>(p)));
          continue;
        case 0x12f:
          setD64(p, int.divideUnsigned(srcA<u64>(p), srcB<u64>(p)));
          continue;
        case 0x130:
          setD<u32>(p, <u32>int.divideSigned(srcA<i32>(p), srcB<i32>(p)));
          continue;
        case 0x131:
          setD64(p, <u64>int.divideSigned(srcA<i64>(p), srcB<i64>(p)));
          continue;
        // OP_CCMP, OP_CCMN
        case 0x132:
          int.conditionalCompare<u32>(p);
          continue;
        case 0x133:
          int.conditionalCompare<u64>(p);
          continue;
        case 0x134:
          int.conditionalAdd<u32>(p);
          continue;
        case 0x135:
          int.conditionalAdd<u64>(p);
          continue;
        // OP_LD, OP_LD_A32: forms LD_*
        case 0x140: {
          const v = loadMem<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u8>(p, v);
          continue;
        }
        case 0x141: {
          const v = loadMem<u16>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u16>(p, v);
          continue;
        }
        case 0x142: {
          const linear = ea(p);
          const e = tlbEntry(linear);
          if (readable<u32>(e, linear)) setD64(p, load<u32>(hostAt(e, linear)));
          else {
            const v = slowLoad(p, linear, 4);
            if (faulted()) return fault(p);
            setD64(p, v);
          }
          continue;
        }
        case 0x143: {
          const linear = ea(p);
          const e = tlbEntry(linear);
          if (readable<u64>(e, linear)) setD64(p, load<u64>(hostAt(e, linear)));
          else {
            const v = slowLoad(p, linear, 8);
            if (faulted()) return fault(p);
            setD64(p, v);
          }
          continue;
        }
        case 0x144: {
          const linear = ea(p);
          const e = tlbEntry(linear);
          if (readable<u8>(e, linear)) setD64(p, load<u8>(hostAt(e, linear)));
          else {
            const v = slowLoad(p, linear, 1);
            if (faulted()) return fault(p);
            setD64(p, v);
          }
          continue;
        }
        case 0x145: {
          const v = loadMem<u16>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x146: {
          const v = loadMem<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u16>(p, v);
          continue;
        }
        case 0x147: {
          const v = loadMem<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u16>(p, <u16>(<i16>(<i8>v)));
          continue;
        }
        case 0x148: {
          const v = loadMem<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u32>(p, <u32>(<i32>(<i8>v)));
          continue;
        }
        case 0x149: {
          const v = loadMem<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i8>v)));
          continue;
        }
        case 0x14a: {
          const v = loadMem<u16>(p, ea(p));
          if (faulted()) return fault(p);
          setD<u32>(p, <u32>(<i32>(<i16>v)));
          continue;
        }
        case 0x14b: {
          const v = loadMem<u16>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i16>v)));
          continue;
        }
        case 0x14c: {
          const v = loadMem<u32>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i32>v)));
          continue;
        }
        case 0x14d:
          if (execLoad128(p, ea(p), false)) return fault(p);
          continue;
        case 0x14e:
          if (execLoad128(p, ea(p), true)) return fault(p);
          continue;
        case 0x150: {
          const v = loadRmw<u8>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x151: {
          const v = loadRmw<u16>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x152: {
          const v = loadRmw<u32>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x153: {
          const v = loadRmw<u64>(p, ea(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x160: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD<u8>(p, v);
          continue;
        }
        case 0x161: {
          const v = loadNarrow<u16>(p);
          if (faulted()) return fault(p);
          setD<u16>(p, v);
          continue;
        }
        case 0x162: {
          const v = loadNarrow<u32>(p);
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x163: {
          const v = loadNarrow<u64>(p);
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x164: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x165: {
          const v = loadNarrow<u16>(p);
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x166: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD<u16>(p, v);
          continue;
        }
        case 0x167: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD<u16>(p, <u16>(<i16>(<i8>v)));
          continue;
        }
        case 0x168: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD<u32>(p, <u32>(<i32>(<i8>v)));
          continue;
        }
        case 0x169: {
          const v = loadNarrow<u8>(p);
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i8>v)));
          continue;
        }
        case 0x16a: {
          const v = loadNarrow<u16>(p);
          if (faulted()) return fault(p);
          setD<u32>(p, <u32>(<i32>(<i16>v)));
          continue;
        }
        case 0x16b: {
          const v = loadNarrow<u16>(p);
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i16>v)));
          continue;
        }
        case 0x16c: {
          const v = loadNarrow<u32>(p);
          if (faulted()) return fault(p);
          setD64(p, <u64>(<i64>(<i32>v)));
          continue;
        }
        case 0x16d:
          if (execLoad128(p, ea32(p), false)) return fault(p);
          continue;
        case 0x16e:
          if (execLoad128(p, ea32(p), true)) return fault(p);
          continue;
        case 0x170: {
          const v = loadRmw<u8>(p, ea32(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x171: {
          const v = loadRmw<u16>(p, ea32(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x172: {
          const v = loadRmw<u32>(p, ea32(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        case 0x173: {
          const v = loadRmw<u64>(p, ea32(p));
          if (faulted()) return fault(p);
          setD64(p, v);
          continue;
        }
        // OP_ST, OP_ST_A32, OP_STI, OP_STI_A32
        case 0x180: {
          const linear = ea(p);
          const v = load<u8>(<usize>load<u16>(p, 2), STATE);
          const e = tlbEntry(linear);
          if (writable<u8>(e, linear)) store<u8>(hostAt(e, linear), v);
          else if (slowStore(p, linear, 1, v)) return fault(p);
          continue;
        }
        case 0x181:
          if (storeMem<u16>(p, ea(p), load<u16>(<usize>load<u16>(p, 2), STATE))) return fault(p);
          continue;
        case 0x182: {
          const linear = ea(p);
          const v = load<u32>(<usize>load<u16>(p, 2), STATE);
          const e = tlbEntry(linear);
          if (writable<u32>(e, linear)) store<u32>(hostAt(e, linear), v);
          else if (slowStore(p, linear, 4, v)) return fault(p);
          continue;
        }
        case 0x183: {
          const linear = ea(p);
          const v = load<u64>(<usize>load<u16>(p, 2), STATE);
          const e = tlbEntry(linear);
          if (writable<u64>(e, linear)) store<u64>(hostAt(e, linear), v);
          else if (slowStore(p, linear, 8, v)) return fault(p);
          continue;
        }
        case 0x184:
          if (execStore128(p, ea(p), false)) return fault(p);
          continue;
        case 0x185:
          if (execStore128(p, ea(p), true)) return fault(p);
          continue;
        case 0x188:
          if (storeNarrow<u8>(p, load<u8>(<usize>load<u16>(p, 2), STATE))) return fault(p);
          continue;
        case 0x189:
          if (storeNarrow<u16>(p, load<u16>(<usize>load<u16>(p, 2), STATE))) return fault(p);
          continue;
        case 0x18a:
          if (storeNarrow<u32>(p, load<u32>(<usize>load<u16>(p, 2), STATE))) return fault(p);
          continue;
        case 0x18b:
          if (storeNarrow<u64>(p, load<u64>(<usize>load<u16>(p, 2), STATE))) return fault(p);
          continue;
        case 0x18c:
          if (execStore128(p, ea32(p), false)) return fault(p);
          continue;
        case 0x18d:
          if (execStore128(p, ea32(p), true)) return fault(p);
          continue;
        case 0x190:
          if (storeMem<u8>(p, eaImm(p), <u8>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x191:
          if (storeMem<u16>(p, eaImm(p), <u16>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x192:
          if (storeMem<u32>(p, eaImm(p), <u32>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x193:
          if (storeMem<u64>(p, eaImm(p), <u64>(<i64>load<i32>(p, 12)))) return fault(p);
          continue;
        case 0x194:
          if (storeMem<u8>(p, eaImm(p) & 0xffffffff, <u8>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x195:
          if (storeMem<u16>(p, eaImm(p) & 0xffffffff, <u16>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x196:
          if (storeMem<u32>(p, eaImm(p) & 0xffffffff, <u32>load<u32>(p, 12))) return fault(p);
          continue;
        case 0x197:
          if (storeMem<u64>(p, eaImm(p) & 0xffffffff, <u64>(<i64>load<i32>(p, 12)))) return fault(p);
          continue;
        // OP_SEGLIN, OP_ALIGN, OP_RAISE, OP_CANON, OP_CSLIM
        case 0x198: {
          const linear = segmentLinear(srcA<u64>(p), <u32>load<u16>(p, 6), <u32>load<u16>(p, 8), load<u8>(p, 10) != 0);
          if (faulted()) return fault(p);
          setD64(p, linear);
          continue;
        }
        case 0x199:
          if (ISA_AARCH64) {
            if (srcA<u64>(p) & (load<u64>(p, 8) - 1)) {
              const what: u32 = load<u16>(p, 6);
              if (what == ALIGN_STACK) raiseStackAlignment();
              else raiseAlignment(srcA<u64>(p), what == ALIGN_STORE);
              return fault(p);
            }
            continue;
          }
          if (srcA<u64>(p) & (load<u64>(p, 8) - 1) && load<u32>(STATE, S_RFLAGS) & FLAG_AC) {
            raiseCode(EXC_AC, 0);
            return fault(p);
          }
          continue;
        case 0x19a:
          if (ISA_AARCH64) raisePacked(load<u64>(p, 8));
          else if (load<u8>(p, 9)) raiseCode(<u32>load<u8>(p, 8), load<u32>(p, 12));
          else raise(<u32>load<u8>(p, 8));
          return fault(p);
        case 0x19b:
          if (!isCanonical(srcA<u64>(p))) {
            raiseGP(0);
            return fault(p);
          }
          continue;
        case 0x19c:
          if (srcA<u32>(p) > load<u32>(segSlot(SEG_CS), SEG_LIMIT)) {
            raiseGP(0);
            return fault(p);
          }
          continue;
        // OP_PUSH…, OP_POP…
        case 0x1a0: {
          const sp = load<u64>(STATE, S_RSP) - 8;
          const v = srcA<u64>(p);
          const e = tlbEntry(sp);
          if (writable<u64>(e, sp)) store<u64>(hostAt(e, sp), v);
          else if (slowStore(p, sp, 8, v)) return fault(p);
          store<u64>(STATE, sp, S_RSP);
          // Several registers tend to be saved one after the other.
          while (load<u16>(p, OP_BYTES) == <u16>OP_PUSH64) {
            const next = load<u64>(STATE, S_RSP) - 8;
            const entry = tlbEntry(next);
            if (!writable<u64>(entry, next)) break;
            p += OP_BYTES;
            store<u64>(hostAt(entry, next), srcA<u64>(p));
            store<u64>(STATE, next, S_RSP);
          }
          continue;
        }
        case 0x1a1: {
          const sp = load<u64>(STATE, S_RSP) - 8;
          const v = load<u64>(p, 8);
          const e = tlbEntry(sp);
          if (writable<u64>(e, sp)) store<u64>(hostAt(e, sp), v);
          else if (slowStore(p, sp, 8, v)) return fault(p);
          store<u64>(STATE, sp, S_RSP);
          // Mostly a call.
          if (load<u16>(p, OP_BYTES) != <u16>OP_JMP) continue;
          p += OP_BYTES;
          break;
        }
        case 0x1a2: {
          const sp = load<u64>(STATE, S_RSP);
          const e = tlbEntry(sp);
          let v: u64;
          if (readable<u64>(e, sp)) v = load<u64>(hostAt(e, sp));
          else {
            v = slowLoad(p, sp, 8);
            if (faulted()) return fault(p);
          }
          store<u64>(STATE, sp + 8, S_RSP);
          setD64(p, v);
          // Several registers tend to be restored one after the other.
          while (load<u16>(p, OP_BYTES) == <u16>OP_POP64) {
            const next = load<u64>(STATE, S_RSP);
            const entry = tlbEntry(next);
            if (!readable<u64>(entry, next)) break;
            p += OP_BYTES;
            store<u64>(STATE, next + 8, S_RSP);
            setD64(p, load<u64>(hostAt(entry, next)));
          }
          continue;
        }
        case 0x1a3: {
          const sp = load<u32>(STATE, S_RSP) - 4;
          if (storeMem<u32>(p, sp, srcA<u32>(p))) return fault(p);
          store<u64>(STATE, sp, S_RSP);
          continue;
        }
        case 0x1a4: {
          const sp = load<u32>(STATE, S_RSP) - 4;
          if (storeMem<u32>(p, sp, load<u32>(p, 8))) return fault(p);
          store<u64>(STATE, sp, S_RSP);
          continue;
        }
        case 0x1a5: {
          const sp = load<u32>(STATE, S_RSP);
          const v = loadMem<u32>(p, sp);
          if (faulted()) return fault(p);
          store<u64>(STATE, sp + 4, S_RSP);
          setD64(p, v);
          continue;
        }
        case 0x1a6: {
          const sp = load<u64>(STATE, S_RSP);
          const e = tlbEntry(sp);
          let target: u64;
          if (readable<u64>(e, sp)) target = load<u64>(hostAt(e, sp));
          else {
            target = slowLoad(p, sp, 8);
            if (faulted()) return fault(p);
          }
          if (!isCanonical(target)) {
            raiseGP(0);
            return fault(p);
          }
          store<u64>(STATE, sp + 8 + load<u64>(p, 8), S_RSP);
          unpatch();
          b = goTo(target);
          if (!b) return left;
          p = b + B_CODE - OP_BYTES;
          continue;
        }
        case 0x1a7: {
          const sp = load<u32>(STATE, S_RSP);
          const target = loadMem<u32>(p, sp);
          if (faulted()) return fault(p);
          store<u64>(STATE, sp + 4 + load<u32>(p, 8), S_RSP);
          unpatch();
          b = goTo(target);
          if (!b) return left;
          p = b + B_CODE - OP_BYTES;
          continue;
        }
        // OP_LDP, OP_STP
        case 0x1a8:
          if (loadPair<u32>(p)) return fault(p);
          continue;
        case 0x1a9: {
          const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
          const e = tlbEntry(linear);
          if (readable<v128>(e, linear)) {
            const at = hostAt(e, linear);
            const low = load<u64>(at);
            const high = load<u64>(at, 8);
            setD64(p, low);
            store<u64>(<usize>load<u16>(p, 6), high, STATE);
          } else if (loadPair<u64>(p)) return fault(p);
          continue;
        }
        case 0x1aa:
          if (loadPair128(p)) return fault(p);
          continue;
        case 0x1ac:
          if (storePair<u32>(p)) return fault(p);
          continue;
        case 0x1ad: {
          const linear = load<u64>(<usize>load<u16>(p, 4), STATE) + <u64>(<i64>load<i32>(p, 8));
          const low = load<u64>(<usize>load<u16>(p, 2), STATE);
          const high = srcB<u64>(p);
          const e = tlbEntry(linear);
          if (writable<v128>(e, linear)) {
            const at = hostAt(e, linear);
            store<u64>(at, low);
            store<u64>(at, high, 8);
          } else if (storePair<u64>(p)) return fault(p);
          continue;
        }
        case 0x1ae:
          if (storePair128(p)) return fault(p);
          continue;
        // OP_CALL, OP_SYNC, OP_VEC
        case 0x1b0:
          current = p;
          call_indirect<void>(<u32>load<u16>(p, 2), <u32>load<u16>(p, 4), <u32>load<u16>(p, 6), load<u64>(p, 8));
          if (faulted()) return fault(p);
          noticed(p);
          continue;
        case 0x1b1: {
          const next = load<u64>(p, 8);
          store<u64>(STATE, next, S_NEXT_RIP);
          store<u64>(STATE, next - <u64>load<u16>(p, 2), S_RIP);
          continue;
        }
        case 0x1b2:
          current = p;
          execVec(p);
          if (faulted()) return fault(p);
          continue;
        // Ends of a block: OP_JMP, OP_JCC, OP_JNZ, OP_JMPI, OP_EXIT, OP_JZ, OP_CMPJ, OP_TESTJ, OP_CMPIJ, OP_TESTIJ, OP_LEAVE
        case 0x1c0:
          break;
        case 0x1c1:
          slot = u32(condition(<u32>load<u16>(p, 4)));
          break;
        case 0x1c2: {
          const size = load<u16>(p, 6);
          const v =
            size == 3 ? srcA<u64>(p) : size == 2 ? <u64>srcA<u32>(p) : size == 1 ? <u64>srcA<u16>(p) : <u64>srcA<u8>(p);
          slot = u32(v != 0);
          break;
        }
        case 0x1c3:
          if (!ISA_AARCH64 && !isCanonical(srcA<u64>(p))) {
            raiseGP(0);
            return fault(p);
          }
          b = goTo(srcA<u64>(p));
          if (!b) return left;
          p = b + B_CODE - OP_BYTES;
          continue;
        case 0x1c4:
          return leave(LEFT_INDIRECT, load<u64>(STATE, S_RIP));
        case 0x1c5: {
          const v = load<u16>(p, 6) == 3 ? srcA<u64>(p) : <u64>srcA<u32>(p);
          slot = u32(v == 0);
          break;
        }
        case 0x1c8: {
          const x = srcA<u8>(p);
          const y = srcB<u8>(p);
          setLazy((CCK_SUB << 2) | 0, <u64>x, <u64>(<u8>(x - y)));
          slot = u32(compared<u8>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1c9: {
          const x = srcA<u16>(p);
          const y = srcB<u16>(p);
          setLazy((CCK_SUB << 2) | 1, <u64>x, <u64>(<u16>(x - y)));
          slot = u32(compared<u16>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1ca: {
          const x = srcA<u32>(p);
          const y = srcB<u32>(p);
          setLazy((CCK_SUB << 2) | 2, <u64>x, <u64>(<u32>(x - y)));
          slot = u32(compared<u32>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1cb: {
          const x = srcA<u64>(p);
          const y = srcB<u64>(p);
          setLazy((CCK_SUB << 2) | 3, <u64>x, <u64>(<u64>(x - y)));
          slot = u32(compared<u64>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1cc: {
          const x = <u8>(srcA<u8>(p) & srcB<u8>(p));
          setLazy((CCK_LOGIC << 2) | 0, 0, <u64>x);
          slot = u32(tested<u8>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1cd: {
          const x = <u16>(srcA<u16>(p) & srcB<u16>(p));
          setLazy((CCK_LOGIC << 2) | 1, 0, <u64>x);
          slot = u32(tested<u16>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1ce: {
          const x = <u32>(srcA<u32>(p) & srcB<u32>(p));
          setLazy((CCK_LOGIC << 2) | 2, 0, <u64>x);
          slot = u32(tested<u32>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1cf: {
          const x = <u64>(srcA<u64>(p) & srcB<u64>(p));
          setLazy((CCK_LOGIC << 2) | 3, 0, <u64>x);
          slot = u32(tested<u64>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1d0: {
          const x = srcA<u8>(p);
          const y = <u8>(<i64>load<i16>(p, 6));
          setLazy((CCK_SUB << 2) | 0, <u64>x, <u64>(<u8>(x - y)));
          slot = u32(compared<u8>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1d1: {
          const x = srcA<u16>(p);
          const y = <u16>(<i64>load<i16>(p, 6));
          setLazy((CCK_SUB << 2) | 1, <u64>x, <u64>(<u16>(x - y)));
          slot = u32(compared<u16>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1d2: {
          const x = srcA<u32>(p);
          const y = <u32>(<i64>load<i16>(p, 6));
          setLazy((CCK_SUB << 2) | 2, <u64>x, <u64>(<u32>(x - y)));
          slot = u32(compared<u32>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1d3: {
          const x = srcA<u64>(p);
          const y = <u64>(<i64>load<i16>(p, 6));
          setLazy((CCK_SUB << 2) | 3, <u64>x, <u64>(<u64>(x - y)));
          slot = u32(compared<u64>(<u32>load<u16>(p, 2), x, y));
          break;
        }
        case 0x1d4: {
          const x = <u8>(srcA<u8>(p) & <u8>(<i64>load<i16>(p, 6)));
          setLazy((CCK_LOGIC << 2) | 0, 0, <u64>x);
          slot = u32(tested<u8>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1d5: {
          const x = <u16>(srcA<u16>(p) & <u16>(<i64>load<i16>(p, 6)));
          setLazy((CCK_LOGIC << 2) | 1, 0, <u64>x);
          slot = u32(tested<u16>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1d6: {
          const x = <u32>(srcA<u32>(p) & <u32>(<i64>load<i16>(p, 6)));
          setLazy((CCK_LOGIC << 2) | 2, 0, <u64>x);
          slot = u32(tested<u32>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1d7: {
          const x = <u64>(srcA<u64>(p) & <u64>(<i64>load<i16>(p, 6)));
          setLazy((CCK_LOGIC << 2) | 3, 0, <u64>x);
          slot = u32(tested<u64>(<u32>load<u16>(p, 2), x));
          break;
        }
        case 0x1d8: {
          // Put there by leaveAfter(): the instruction before is complete, this one was not begun.
          const side = sideOf(p);
          unpatch();
          unexecuted = load<u16>(b, B_INSNS) - (side >> 16);
          return leave(LEFT_INDIRECT, load<u64>(b, B_RIP) + (side & 0xffff));
        }
        default:
          unreachable();
      }
      break;
    }
    // As afterJump(), for most blocks. One condition after the other: each is true nearly always.
    let next: usize;
    let generation: u32;
    if (slot) {
      next = <usize>load<u32>(b, B_CHAIN + 4);
      generation = load<u32>(b, B_CHAIN_GENERATION + 4);
    } else {
      next = <usize>load<u32>(b, B_CHAIN);
      generation = load<u32>(b, B_CHAIN_GENERATION);
    }
    if (generation >= tlbGeneration) {
      const rest = budget - <i64>load<u16>(next, B_INSNS);
      if (rest >= reserve) {
        if (!load<u32>(STATE, S_ATTENTION)) {
          const count = load<u32>(next, B_COUNT) + 1;
          if (count < load<u32>(next, B_LOOK)) {
            store<u32>(next, count, B_COUNT);
            setBudget(rest);
            b = next;
            setRunning(next);
            p = next + B_CODE;
            continue;
          }
        }
      }
    }
    b = goOn(p, slot);
    if (!b) return left;
    p = b + B_CODE;
  }
}
