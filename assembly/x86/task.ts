// Task switches by hardware (SDM vol. 3, ch. 9): JMP, CALL, IRET and task gates save the processor in one TSS and
// load it from another. Long mode has none.
//
// Up to a point a fault belongs to the old task and nothing has changed. Then TR is loaded, the new registers are in,
// and every later fault is the new task's: taskSwitched tells the two apart.

import { STATE } from '../layout/memory';
import {
  CR0_PG,
  CR0_TS,
  CR4_PAE,
  FLAG_NT,
  FLAG_VM,
  S_CPL,
  S_CR0,
  S_CR3,
  S_CR4,
  S_DR7,
  S_FAULT_CODE,
  S_GDTR_BASE,
  S_RAX,
  S_RIP,
  SEG_ATTR,
  SEG_BASE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDTR,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_TR,
} from '../layout/x86-state';
import { sysProbeRead, sysProbeWrite, sysRead8, sysRead16, sysWrite8, sysWrite16, sysWrite32 } from '../mmu/access';
import { tlbFlush } from '../mmu/tlb';
import { loadPdptes } from '../mmu/walk';
import {
  baseOf,
  descriptor,
  descriptorAt,
  dplOf,
  fetchDescriptor,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isSegment,
  isWritableData,
  limitOf,
  markAccessed,
  selectorError,
  setNullSegment,
  setSegment,
  setSegmentFromDescriptor,
  systemLinear,
  TYPE_BUSY,
  TYPE_LDT,
  TYPE_TSS,
  TYPE_TSS16,
  typeOf,
  writeType,
} from './descriptor';
import { writeEflags } from './eflags';
import { EXC_DB, EXC_GP, EXC_NP, EXC_SS, EXC_TS, faulted, raise, raiseCode, raiseGP } from './fault';
import { segSlot, updateMode } from './mode';
import { selectorOf, setV86Segment } from './segment';
import { commitStackPointer, openStack, probePushes, pushFrame } from './stack-frame';

/** Why tasks switch: what happens to busy flags, NT and the back link follows from it (SDM vol. 3, table 9-2). */
export const TASK_JMP: u32 = 0;
export const TASK_CALL: u32 = 1;
export const TASK_INTERRUPT: u32 = 2;
export const TASK_IRET: u32 = 3;

/** The last switch went far enough that a fault now raised belongs to the new task. */
export let taskSwitched: bool = false;

/** Before anything that may switch tasks. */
export function expectTaskSwitch(): void {
  taskSwitched = false;
}

// 32-bit TSS (SDM vol. 3, figure 9-2); 16-bit TSS (figure 9-10).
const TSS32_CR3: usize = 0x1c;
const TSS32_EIP: usize = 0x20;
const TSS32_EFLAGS: usize = 0x24;
const TSS32_EAX: usize = 0x28;
const TSS32_ES: usize = 0x48;
const TSS32_LDT: usize = 0x60;
const TSS32_T: usize = 0x64;
const TSS32_BYTES: u32 = 0x68;
const TSS16_IP: usize = 0x0e;
const TSS16_FLAGS: usize = 0x10;
const TSS16_AX: usize = 0x12;
const TSS16_ES: usize = 0x22;
const TSS16_LDT: usize = 0x2a;
const TSS16_BYTES: u32 = 0x2c;

/** DR6.BT: the new task's T flag is set. */
const DR6_BT: u32 = 0x8000;
/** DR7.L0–L3 and LE. */
const DR7_LOCAL: u32 = 0x155;
/** EFLAGS bits that a TSS may set. */
const EFLAGS_BITS: u32 = 0x3f7fd5;

/** The new TSS, read as a whole before anything of it is loaded. */
const image: usize = memory.data(0x68);

/** Linear address in a TSS. Task switches exist outside long mode only. */
function at32(base: u64, offset: usize): u64 {
  return systemLinear(base, <u64>offset);
}

/** Fetches the descriptor of a TSS that is to be switched to by JMP, CALL or an interrupt: it must not be busy. */
export function fetchAvailableTss(selector: u32, ext: u32): bool {
  const error = selectorError(selector, ext);
  if (isNull(selector) || selector & 4) {
    raiseGP(error);
    return false;
  }
  if (!fetchDescriptor(selector, EXC_GP, ext)) return false;
  if (isSegment(descriptor) || (typeOf(descriptor) != TYPE_TSS && typeOf(descriptor) != TYPE_TSS16)) {
    raiseGP(error);
    return false;
  }
  if (!isPresent(descriptor)) {
    raiseCode(EXC_NP, error);
    return false;
  }
  return true;
}

/** An interrupt or exception through a task gate. `rip`, `flags`: what the old task resumes with. */
export function interruptTask(selector: u32, rip: u64, flags: u32, ext: u32, hasCode: bool, code: u32): void {
  if (!fetchAvailableTss(selector, ext)) return;
  const wide = (typeOf(descriptor) & 8) != 0;
  switchTask(TASK_INTERRUPT, selector, descriptor, descriptorAt, rip, flags, ext);
  if (faulted()) return;
  if (hasCode) {
    const size: u32 = wide ? 4 : 2;
    openStack(ext);
    if (!probePushes(1, size)) return;
    pushFrame(code, size);
    commitStackPointer();
  }
  trapNewTask();
}

/** IRET with NT: back to the task that the link of the current TSS names. */
export function returnTask(rip: u64, flags: u32): void {
  const selector: u32 = sysRead16(load<u64>(segSlot(SEG_TR), SEG_BASE));
  if (faulted()) return;
  const error = selectorError(selector, 0);
  if (isNull(selector) || selector & 4) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_TS, 0)) return;
  const d = descriptor;
  const type = typeOf(d);
  if (isSegment(d) || (type != (TYPE_TSS | TYPE_BUSY) && type != (TYPE_TSS16 | TYPE_BUSY))) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  switchTask(TASK_IRET, selector, d, descriptorAt, rip, flags & ~(<u32>FLAG_NT), 0);
  if (!faulted()) trapNewTask();
}

/** JMP or CALL to a TSS whose descriptor fetchAvailableTss() has just fetched. */
export function jumpTask(source: u32, selector: u32, rip: u64, flags: u32): void {
  switchTask(source, selector, descriptor, descriptorAt, rip, flags, 0);
  if (!faulted()) trapNewTask();
}

/** #DB before the new task's first instruction if the T flag of its TSS is set (SDM vol. 3, 18.3.1.5). */
function trapNewTask(): void {
  if (!(load<u16>(segSlot(SEG_TR), SEG_ATTR) & 8) || !(load<u8>(image, TSS32_T) & 1)) return;
  raise(EXC_DB);
  store<u32>(STATE, DR6_BT, S_FAULT_CODE);
}

/** Order of segment selectors in a TSS: ES CS SS DS (FS GS), as the registers are numbered. */
function saveTask(base: u64, wide: bool, rip: u64, flags: u32): void {
  if (wide) {
    sysWrite32(at32(base, TSS32_EIP), <u32>rip);
    sysWrite32(at32(base, TSS32_EFLAGS), flags);
    for (let i: usize = 0; i < 8; i++) {
      sysWrite32(at32(base, TSS32_EAX + (i << 2)), load<u32>(STATE + (i << 3), S_RAX));
    }
    for (let seg: u32 = SEG_ES; seg <= <u32>SEG_GS; seg++) {
      sysWrite16(at32(base, TSS32_ES + ((<usize>seg) << 2)), selectorOf(seg));
    }
    return;
  }
  sysWrite16(at32(base, TSS16_IP), <u32>rip & 0xffff);
  sysWrite16(at32(base, TSS16_FLAGS), flags & 0xffff);
  for (let i: usize = 0; i < 8; i++) sysWrite16(at32(base, TSS16_AX + (i << 1)), load<u16>(STATE + (i << 3), S_RAX));
  for (let seg: u32 = SEG_ES; seg <= <u32>SEG_DS; seg++) {
    sysWrite16(at32(base, TSS16_ES + ((<usize>seg) << 1)), selectorOf(seg));
  }
}

/**
 * Switches to the task of TSS `selector`, whose checked descriptor `d` stands at `dAt`. `rip`, `flags`: what the old
 * task resumes with. ext: EXT bit of error codes.
 */
function switchTask(source: u32, selector: u32, d: u64, dAt: u64, rip: u64, flags: u32, ext: u32): void {
  const wide = (typeOf(d) & 8) != 0;
  const bytes = wide ? TSS32_BYTES : TSS16_BYTES;
  if (limitOf(d) < bytes - 1) {
    raiseCode(EXC_TS, selectorError(selector, ext));
    return;
  }
  const nested = source == TASK_CALL || source == TASK_INTERRUPT;
  const base = baseOf(d);
  const tr = segSlot(SEG_TR);
  const oldSelector: u32 = load<u16>(tr, SEG_SELECTOR);
  const oldBase = load<u64>(tr, SEG_BASE);
  const oldWide = (load<u16>(tr, SEG_ATTR) & 8) != 0;
  const oldTypeAt = at32(load<u64>(STATE, S_GDTR_BASE), <usize>(oldSelector & 0xfff8) + 5);
  // A TR that was never loaded has no descriptor to mark.
  const unmark = !nested && !isNull(oldSelector);

  // Whatever will be read or written must be there (SDM vol. 3, 9.3, step 7).
  if (oldWide) {
    if (!sysProbeWrite(at32(oldBase, TSS32_EIP), 0x40)) return;
  } else if (!sysProbeWrite(at32(oldBase, TSS16_IP), 0x1c)) return;
  if (!sysProbeRead(base, bytes)) return;
  if (nested && !sysProbeWrite(base, 2)) return;
  if (unmark && !sysProbeWrite(oldTypeAt, 1)) return;
  if (source != TASK_IRET && !sysProbeWrite(at32(dAt, 5), 1)) return;

  if (unmark) sysWrite8(oldTypeAt, sysRead8(oldTypeAt) & ~TYPE_BUSY);
  saveTask(oldBase, oldWide, rip, flags);
  for (let i: usize = 0; i < <usize>bytes; i++) store<u8>(image + i, sysRead8(at32(base, i)));
  if (nested) sysWrite16(base, oldSelector);
  if (source != TASK_IRET) writeType(dAt, d, typeOf(d) | TYPE_BUSY);

  setSegment(SEG_TR, selector, base, limitOf(d), (<u32>(d >> 40) & 0xf0f0) | typeOf(d) | TYPE_BUSY);
  store<u64>(STATE, load<u64>(STATE, S_CR0) | CR0_TS, S_CR0);
  store<u32>(STATE, load<u32>(STATE, S_DR7) & ~DR7_LOCAL, S_DR7);
  taskSwitched = true;
  loadTask(wide, nested, ext);
  updateMode();
}

function imageSelector(wide: bool, seg: u32): u32 {
  return wide ? load<u16>(image + ((<usize>seg) << 2), TSS32_ES) : load<u16>(image + ((<usize>seg) << 1), TSS16_ES);
}

/** Loads the processor from `image`. The first fault stops the segments' loading, with all selectors already in place. */
function loadTask(wide: bool, nested: bool, ext: u32): void {
  if (wide && load<u32>(STATE, S_CR0) & <u32>CR0_PG) {
    store<u64>(STATE, <u64>load<u32>(image, TSS32_CR3), S_CR3);
    if (load<u32>(STATE, S_CR4) & CR4_PAE) loadPdptes();
    tlbFlush(true);
  }
  store<u64>(STATE, wide ? <u64>load<u32>(image, TSS32_EIP) : <u64>load<u16>(image, TSS16_IP), S_RIP);
  for (let i: usize = 0; i < 8; i++) {
    // A 16-bit TSS leaves the upper halves as 386 and later do: all ones.
    const v: u32 = wide ? load<u32>(image + (i << 2), TSS32_EAX) : 0xffff0000 | load<u16>(image + (i << 1), TSS16_AX);
    store<u64>(STATE + (i << 3), <u64>v, S_RAX);
  }
  let flags: u32 = wide ? load<u32>(image, TSS32_EFLAGS) : load<u16>(image, TSS16_FLAGS);
  if (nested) flags |= FLAG_NT;
  writeEflags(flags, EFLAGS_BITS);

  const vm = (flags & FLAG_VM) != 0;
  for (let seg: u32 = SEG_ES; seg <= <u32>SEG_GS; seg++) {
    const selector: u32 = !wide && seg >= <u32>SEG_FS ? 0 : imageSelector(wide, seg);
    if (vm) setV86Segment(seg, selector);
    else setNullSegment(seg, selector, seg == SEG_SS ? imageSelector(wide, SEG_CS) & 3 : 0);
  }
  const cpl: u32 = vm ? 3 : imageSelector(wide, SEG_CS) & 3;
  store<u32>(STATE, cpl, S_CPL);
  const ldt: u32 = wide ? load<u16>(image, TSS32_LDT) : load<u16>(image, TSS16_LDT);
  setNullSegment(SEG_LDTR, ldt, 0);
  updateMode();
  if (faulted()) return;

  loadTaskLdt(ldt, ext);
  if (!vm) {
    if (!faulted()) loadTaskCode(imageSelector(wide, SEG_CS), ext);
    if (!faulted()) loadTaskStack(imageSelector(wide, SEG_SS), cpl, ext);
    if (!faulted()) loadTaskData(SEG_DS, imageSelector(wide, SEG_DS), cpl, ext);
    if (!faulted()) loadTaskData(SEG_ES, imageSelector(wide, SEG_ES), cpl, ext);
    if (wide && !faulted()) loadTaskData(SEG_FS, imageSelector(wide, SEG_FS), cpl, ext);
    if (wide && !faulted()) loadTaskData(SEG_GS, imageSelector(wide, SEG_GS), cpl, ext);
  }
  updateMode();
  if (!faulted() && load<u64>(STATE, S_RIP) > <u64>load<u32>(segSlot(SEG_CS), SEG_LIMIT)) raiseGP(ext);
}

// The checks of SDM vol. 3, table 9-1.

function loadTaskLdt(selector: u32, ext: u32): void {
  if (isNull(selector)) return;
  const error = selectorError(selector, ext);
  if (selector & 4) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_TS, ext)) return;
  const d = descriptor;
  if (isSegment(d) || typeOf(d) != TYPE_LDT || !isPresent(d)) {
    raiseCode(EXC_TS, error);
    return;
  }
  setSegment(SEG_LDTR, selector, baseOf(d), limitOf(d), <u32>(d >> 40) & 0xf0ff);
}

function loadTaskCode(selector: u32, ext: u32): void {
  const error = selectorError(selector, ext);
  if (isNull(selector)) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_TS, ext)) return;
  const d = descriptor;
  const rpl = selector & 3;
  if (!isCode(d) || (isConforming(d) ? dplOf(d) > rpl : dplOf(d) != rpl)) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  if (markAccessed(descriptorAt, d)) setSegmentFromDescriptor(SEG_CS, selector, d);
}

function loadTaskStack(selector: u32, cpl: u32, ext: u32): void {
  const error = selectorError(selector, ext);
  if (isNull(selector)) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!fetchDescriptor(selector, EXC_TS, ext)) return;
  const d = descriptor;
  if (!isWritableData(d) || dplOf(d) != cpl || (selector & 3) != cpl) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_SS, error);
    return;
  }
  if (markAccessed(descriptorAt, d)) setSegmentFromDescriptor(SEG_SS, selector, d);
}

function loadTaskData(seg: u32, selector: u32, cpl: u32, ext: u32): void {
  if (isNull(selector)) return;
  const error = selectorError(selector, ext);
  if (!fetchDescriptor(selector, EXC_TS, ext)) return;
  const d = descriptor;
  if (!isReadable(d) || (!isConforming(d) && max<u32>(cpl, selector & 3) > dplOf(d))) {
    raiseCode(EXC_TS, error);
    return;
  }
  if (!isPresent(d)) {
    raiseCode(EXC_NP, error);
    return;
  }
  if (markAccessed(descriptorAt, d)) setSegmentFromDescriptor(seg, selector, d);
}
