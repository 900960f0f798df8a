// Helpers of the x87 control instructions: control and status word, environment, whole state. None of them touches
// FIP, FDP and FOP, and those with an N in their names do not look at pending exceptions (SDM vol. 1, 8.3.12).

import { STATE } from '../layout/memory';
import {
  CR0_MP,
  CR0_PE,
  CR0_TS,
  FLAG_VM,
  S_CR0,
  S_FCS,
  S_FCW,
  S_FDP,
  S_FDS,
  S_FIP,
  S_FOP,
  S_FPR,
  S_FSW,
  S_FTW,
  S_RAX,
  S_RFLAGS,
} from '../layout/x86-state';
import { probeWrite, read16, readBytes, write16, writeBytes } from '../mmu/access';
import { EXC_NM, faulted, raise } from '../x86/fault';
import { EXP_MAX } from './floatx80';
import {
  FCW_ALWAYS,
  FCW_BITS,
  FSW_B,
  FSW_ES,
  FSW_EXCEPTIONS,
  FSW_SF,
  fcw,
  fsw,
  setFsw,
  st,
  updateSummary,
  waiting,
} from './x87-state';

/** An environment or a whole state on its way from or to memory: 28 + 80 bytes. */
const BUFFER: usize = memory.data(112, 16);

/** State after FNINIT (SDM vol. 1, 8.1.3–8.1.8); the registers' contents stay. */
export function initX87(): void {
  store<u16>(STATE, 0x37f, S_FCW);
  store<u16>(STATE, 0, S_FSW);
  store<u16>(STATE, 0xffff, S_FTW);
  store<u16>(STATE, 0, S_FOP);
  store<u64>(STATE, 0, S_FIP);
  store<u64>(STATE, 0, S_FDP);
  store<u16>(STATE, 0, S_FCS);
  store<u16>(STATE, 0, S_FDS);
}

/** FNINIT */
export function x87Init(_a: u32, _b: u32, _imm: u64): void {
  initX87();
}

/** FNCLEX */
export function x87Clear(_a: u32, _b: u32, _imm: u64): void {
  setFsw(fsw() & ~(FSW_EXCEPTIONS | FSW_SF | FSW_ES | FSW_B));
}

export function loadControlWord(v: u32): void {
  store<u16>(STATE, (v & FCW_BITS) | FCW_ALWAYS, S_FCW);
}

/** FLDCW: unmasking a flagged exception makes it pending. a: slot of the linear address, here and below. */
export function x87LoadControl(a: u32, _b: u32, _imm: u64): void {
  if (waiting()) return;
  const v = read16(load<u64>(STATE + a));
  if (faulted()) return;
  loadControlWord(v);
  updateSummary();
}

/** FNSTCW, FNSTSW to memory; b: offset of the word in the state. */
export function x87StoreWord(a: u32, b: u32, _imm: u64): void {
  write16(load<u64>(STATE + a), load<u16>(STATE + b));
}

/** FNSTSW AX */
export function x87StoreStatus(_a: u32, _b: u32, _imm: u64): void {
  store<u16>(STATE, fsw(), S_RAX);
}

/** WAIT: with CR0.MP set CR0.TS makes it raise #NM, too (SDM vol. 3, 2.5). */
export function x87Wait(_a: u32, _b: u32, _imm: u64): void {
  const both = CR0_MP | CR0_TS;
  if ((load<u32>(STATE, S_CR0) & both) == both) raise(EXC_NM);
  else waiting();
}

/** The tag word with "zero" and "special" worked out from the registers. */
function fullTagWord(): u32 {
  let tags: u32 = load<u16>(STATE, S_FTW);
  for (let i: u32 = 0; i < 8; i++) {
    if (((tags >> (i << 1)) & 3) == 3) continue;
    const at = STATE + S_FPR + <usize>(i << 4);
    const e: u32 = load<u16>(at, 8) & EXP_MAX;
    const sig = load<u64>(at);
    const tag: u32 = e == 0 ? (sig ? 2 : 1) : e == EXP_MAX || !(sig >> 63) ? 2 : 0;
    tags = (tags & ~(3 << (i << 1))) | (tag << (i << 1));
  }
  return tags;
}

// Layouts of the environment (SDM vol. 1, figures 8-9 to 8-12), in bits of b: 16 or 32 bits wide; with selectors, or
// with linear addresses and the opcode as in real and v8086 mode.
export const ENV_32: u32 = 1;

function realLayout(): bool {
  return !(load<u32>(STATE, S_CR0) & CR0_PE) || (load<u32>(STATE, S_RFLAGS) & FLAG_VM) != 0;
}

function environmentSize(layout: u32): u32 {
  return layout & ENV_32 ? 28 : 14;
}

/** Writes the environment to the buffer. */
function buildEnvironment(layout: u32): void {
  const real = realLayout();
  let ip = load<u32>(STATE, S_FIP);
  let dp = load<u32>(STATE, S_FDP);
  const cs: u32 = load<u16>(STATE, S_FCS);
  const ds: u32 = load<u16>(STATE, S_FDS);
  const op: u32 = load<u16>(STATE, S_FOP) & 0x7ff;
  if (real) {
    ip += cs << 4;
    dp += ds << 4;
  }
  if (layout & ENV_32) {
    // The upper halves of the words that have nothing there read as ones.
    store<u32>(BUFFER, 0xffff0000 | fcw());
    store<u32>(BUFFER, 0xffff0000 | fsw(), 4);
    store<u32>(BUFFER, 0xffff0000 | fullTagWord(), 8);
    store<u32>(BUFFER, real ? 0xffff0000 | ip : ip, 12);
    store<u32>(BUFFER, real ? ((ip >> 16) << 12) | op : (op << 16) | cs, 16);
    store<u32>(BUFFER, real ? 0xffff0000 | dp : dp, 20);
    store<u32>(BUFFER, real ? (dp >> 16) << 12 : 0xffff0000 | ds, 24);
    return;
  }
  store<u16>(BUFFER, fcw());
  store<u16>(BUFFER, fsw(), 2);
  store<u16>(BUFFER, fullTagWord(), 4);
  store<u16>(BUFFER, ip, 6);
  store<u16>(BUFFER, real ? ((ip >> 4) & 0xf000) | op : cs, 8);
  store<u16>(BUFFER, dp, 10);
  store<u16>(BUFFER, real ? (dp >> 4) & 0xf000 : ds, 12);
}

/** Takes the environment from the buffer. ES and B follow from flags and masks, whatever was stored. */
function takeEnvironment(layout: u32): void {
  const wide = (layout & ENV_32) != 0;
  const real = realLayout();
  loadControlWord(load<u16>(BUFFER));
  setFsw(wide ? load<u16>(BUFFER, 4) : load<u16>(BUFFER, 2));
  store<u16>(STATE, wide ? load<u16>(BUFFER, 8) : load<u16>(BUFFER, 4), S_FTW);
  updateSummary();
  let ip: u32 = wide ? load<u32>(BUFFER, 12) : load<u16>(BUFFER, 6);
  let dp: u32 = wide ? load<u32>(BUFFER, 20) : load<u16>(BUFFER, 10);
  let cs: u32 = wide ? load<u32>(BUFFER, 16) : load<u16>(BUFFER, 8);
  let ds: u32 = wide ? load<u32>(BUFFER, 24) : load<u16>(BUFFER, 12);
  if (real) {
    // 16 or 4 upper bits of the linear addresses stand above the opcode.
    store<u16>(STATE, cs & 0x7ff, S_FOP);
    ip = wide ? (ip & 0xffff) | ((cs << 4) & 0xffff0000) : ip | ((cs & 0xf000) << 4);
    dp = wide ? (dp & 0xffff) | ((ds << 4) & 0xffff0000) : dp | ((ds & 0xf000) << 4);
    cs = 0;
    ds = 0;
  } else store<u16>(STATE, wide ? (cs >> 16) & 0x7ff : 0, S_FOP);
  store<u64>(STATE, ip, S_FIP);
  store<u64>(STATE, dp, S_FDP);
  store<u16>(STATE, cs, S_FCS);
  store<u16>(STATE, ds, S_FDS);
}

/** FNSTENV: afterwards all exceptions are masked. b: layout. */
export function x87StoreEnvironment(a: u32, b: u32, _imm: u64): void {
  buildEnvironment(b);
  writeBytes(load<u64>(STATE + a), environmentSize(b), BUFFER);
  if (faulted()) return;
  store<u16>(STATE, fcw() | FSW_EXCEPTIONS, S_FCW);
  updateSummary();
}

/** FLDENV */
export function x87LoadEnvironment(a: u32, b: u32, _imm: u64): void {
  if (waiting()) return;
  readBytes(load<u64>(STATE + a), environmentSize(b), BUFFER);
  if (!faulted()) takeEnvironment(b);
}

/** FNSAVE: environment, then ST(0) to ST(7), ten bytes each; then as FNINIT. */
export function x87Save(a: u32, b: u32, _imm: u64): void {
  const linear = load<u64>(STATE + a);
  const size = environmentSize(b);
  if (!probeWrite(linear, size + 80)) return;
  buildEnvironment(b);
  for (let i: u32 = 0; i < 8; i++) {
    const at = BUFFER + size + i * 10;
    store<u64>(at, load<u64>(st(i)));
    store<u16>(at, load<u16>(st(i), 8), 8);
  }
  writeBytes(linear, size + 80, BUFFER);
  initX87();
}

/** FRSTOR */
export function x87Restore(a: u32, b: u32, _imm: u64): void {
  if (waiting()) return;
  const size = environmentSize(b);
  readBytes(load<u64>(STATE + a), size + 80, BUFFER);
  if (faulted()) return;
  takeEnvironment(b);
  for (let i: u32 = 0; i < 8; i++) {
    const at = BUFFER + size + i * 10;
    store<u64>(st(i), load<u64>(at));
    store<u64>(st(i), load<u16>(at, 8), 8);
  }
}
