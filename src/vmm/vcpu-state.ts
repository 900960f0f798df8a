// A KVM vCPU's registers as X86State: what travels through kvm_run, what needs an ioctl, and what KVM does not keep.

import * as L from '../../assembly/layout/x86-state.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import * as C from './convert.js';
import * as IO from './ioctl.js';
import { checkIoctl } from './kvm.js';
import type { Libc } from './libc.js';
import * as R from './run-page.js';
import * as K from './structs.js';

/** Register groups, each moved as a whole. The first three are also KVM_SYNC_X86_*. */
export const GROUP_REGS = R.KVM_SYNC_X86_REGS;
export const GROUP_SREGS = R.KVM_SYNC_X86_SREGS;
export const GROUP_EVENTS = R.KVM_SYNC_X86_EVENTS;
/** x87 and SSE. */
export const GROUP_FPU = 8;
/** MSRs of the layout, and the TSC offset. */
export const GROUP_MSRS = 16;
export const GROUP_DEBUG = 32;
export const GROUP_XCR = 64;
export const GROUP_ALL = 127;

/** Byte ranges of X86State that belong to each group, for telling which groups a change touches. */
const GROUP_RANGES: readonly (readonly [number, number, number])[] = [
  [GROUP_REGS, L.S_RAX, L.S_SEG],
  [GROUP_SREGS, L.S_SEG, L.S_XCR0],
  [GROUP_XCR, L.S_XCR0, L.S_DR0],
  [GROUP_DEBUG, L.S_DR0, L.S_MSR_STAR],
  [GROUP_MSRS, L.S_MSR_STAR, L.S_MSR_APIC_BASE],
  [GROUP_SREGS, L.S_MSR_APIC_BASE, L.S_TSC_OFFSET],
  [GROUP_MSRS, L.S_TSC_OFFSET, L.S_ACTIVITY],
  [GROUP_EVENTS, L.S_INT_SHADOW, L.S_FPR],
  [GROUP_FPU, L.S_FPR, L.X86_STATE_SIZE],
];

/** The groups in which two states differ. */
export function changedGroups(before: X86State, after: X86State): number {
  let groups = 0;
  for (const [group, from, to] of GROUP_RANGES) {
    if ((groups & group) !== 0) continue;
    for (let i = from; i < to; i += 4) {
      if (before.u32(i) !== after.u32(i)) {
        groups |= group;
        break;
      }
    }
  }
  return groups;
}

export class VcpuState {
  /** Groups that kvm_run holds as the vCPU has them now. */
  private current = 0;
  /** Groups that KVM stores there at every exit. */
  private stored = 0;
  private readonly base: number;
  private readonly scratch = new ArrayBuffer(K.KVM_XSAVE_SIZE);
  private readonly scratchAt: number;
  private readonly scratchView: DataView;
  /** MSRs of the layout that this KVM has. */
  private readonly msrs: readonly (readonly [number, number])[];
  /** The rest: kept here, so that a state comes back as it was written. */
  private readonly keptMsrs: readonly (readonly [number, number])[];
  private readonly kept = X86State.reset();
  private readonly hasXcrs: boolean;
  private readonly hasDebugRegs: boolean;
  /** KVM's TSC offset when the vCPU was made, null where KVM does not tell. */
  private readonly tscBase: bigint | null;

  /** @param syncMask groups that kvm_run carries (KVM_CAP_SYNC_REGS), 0 for none */
  constructor(
    private readonly libc: Libc,
    private readonly fd: number,
    private readonly page: R.RunPage,
    private readonly syncMask: number,
    capabilities: { readonly xcrs: boolean; readonly debugRegs: boolean },
  ) {
    this.base = libc.addressOf(page.bytes);
    this.scratchAt = libc.addressOf(this.scratch);
    this.scratchView = new DataView(this.scratch);
    this.hasXcrs = capabilities.xcrs;
    this.hasDebugRegs = capabilities.debugRegs;
    this.msrs = this.probeMsrs();
    this.keptMsrs = C.STATE_MSRS.filter((entry) => !this.msrs.includes(entry));
    this.tscBase = this.probeTscOffset();
  }

  /**
   * Which groups KVM is to store into kvm_run at every exit, as far as it can. All three cost it about 0.3 µs, a
   * thirtieth of an exit to a port; the others are fetched when someone asks for them.
   */
  synchronize(groups: number): void {
    this.stored = groups & this.syncMask;
    this.page.validRegs = this.stored;
  }

  /** KVM_RUN returned: it loaded what was dirty and stored what is synchronized. */
  afterRun(): void {
    this.page.dirtyRegs = 0;
    this.current = this.stored;
  }

  /** KVM was told of an interrupt or NMI behind the page's back. */
  eventsChanged(): void {
    this.current &= ~GROUP_EVENTS;
  }

  /** Makes the page's copies of these groups current. */
  refresh(groups: number): void {
    const missing = groups & ~this.current & ~this.page.dirtyRegs;
    if (missing & GROUP_REGS) this.call(IO.KVM_GET_REGS, this.base + R.SYNC_REGS, 'KVM_GET_REGS');
    if (missing & GROUP_SREGS) this.call(IO.KVM_GET_SREGS, this.base + R.SYNC_SREGS, 'KVM_GET_SREGS');
    if (missing & GROUP_EVENTS) this.call(IO.KVM_GET_VCPU_EVENTS, this.base + R.SYNC_EVENTS, 'KVM_GET_VCPU_EVENTS');
    this.current |= missing & 7;
  }

  /** Loads what waits in kvm_run into the vCPU now, instead of at the next KVM_RUN. */
  flush(): void {
    const dirty = this.page.dirtyRegs;
    if (dirty === 0) return;
    this.page.dirtyRegs = 0;
    if (dirty & GROUP_REGS) this.call(IO.KVM_SET_REGS, this.base + R.SYNC_REGS, 'KVM_SET_REGS', 'E_KVM_STATE');
    if (dirty & GROUP_SREGS) this.call(IO.KVM_SET_SREGS, this.base + R.SYNC_SREGS, 'KVM_SET_SREGS', 'E_KVM_STATE');
    if (dirty & GROUP_EVENTS) {
      this.call(IO.KVM_SET_VCPU_EVENTS, this.base + R.SYNC_EVENTS, 'KVM_SET_VCPU_EVENTS', 'E_KVM_STATE');
    }
  }

  /** The vector on its way into the guest, or -1. */
  queuedInterrupt(): number {
    this.refresh(GROUP_EVENTS);
    return C.queuedInterrupt(this.page.events);
  }

  read(into: X86State, groups: number): void {
    this.refresh(groups & 7);
    if (groups & GROUP_REGS) C.regsToState(this.page.regs, into);
    if (groups & GROUP_SREGS) C.sregsToState(this.page.sregs, into);
    if (groups & GROUP_EVENTS) C.eventsToState(this.page.events, into);
    if (groups & GROUP_FPU) {
      this.call(IO.KVM_GET_XSAVE, this.scratchAt, 'KVM_GET_XSAVE');
      C.xsaveToState(this.scratchView, into);
    }
    if (groups & GROUP_MSRS) this.readMsrs(into);
    if (groups & GROUP_DEBUG) {
      if (this.hasDebugRegs) {
        this.call(IO.KVM_GET_DEBUGREGS, this.scratchAt, 'KVM_GET_DEBUGREGS');
        C.debugRegsToState(this.scratchView, into);
      } else copyRange(this.kept, into, L.S_DR0, L.S_MSR_STAR);
    }
    if (groups & GROUP_XCR) {
      if (this.hasXcrs) {
        this.call(IO.KVM_GET_XCRS, this.scratchAt, 'KVM_GET_XCRS');
        // Only XCR0 exists for guests; KVM lists it first.
        const count = this.scratchView.getUint32(K.XCRS_COUNT, true);
        into.setU64(L.S_XCR0, count > 0 ? this.scratchView.getBigUint64(K.XCRS_FIRST_VALUE, true) : 1n);
      } else copyRange(this.kept, into, L.S_XCR0, L.S_DR0);
    }
  }

  /** Throws E_KVM_STATE where KVM refuses a value; regs, sregs and events may be refused as late as the next run. */
  write(from: X86State, groups: number): void {
    const { page } = this;
    if (groups & GROUP_REGS) C.regsFromState(from, page.regs);
    if (groups & GROUP_SREGS) C.sregsFromState(from, page.sregs);
    if (groups & GROUP_EVENTS) C.eventsFromState(from, page.events);
    page.dirtyRegs = page.dirtyRegs | (groups & 7);
    this.current |= groups & 7;
    if (this.syncMask === 0) this.flush();
    if (groups & GROUP_FPU) {
      C.xsaveFromState(from, this.scratchView);
      this.call(IO.KVM_SET_XSAVE, this.scratchAt, 'KVM_SET_XSAVE', 'E_KVM_STATE');
    }
    if (groups & GROUP_MSRS) this.writeMsrs(from);
    if (groups & GROUP_DEBUG) {
      copyRange(from, this.kept, L.S_DR0, L.S_MSR_STAR);
      if (this.hasDebugRegs) {
        C.debugRegsFromState(from, this.scratchView);
        this.call(IO.KVM_SET_DEBUGREGS, this.scratchAt, 'KVM_SET_DEBUGREGS', 'E_KVM_STATE');
      }
    }
    if (groups & GROUP_XCR) {
      copyRange(from, this.kept, L.S_XCR0, L.S_DR0);
      if (this.hasXcrs) {
        for (let i = 0; i < K.KVM_XCRS_SIZE; i += 4) this.scratchView.setUint32(i, 0, true);
        this.scratchView.setUint32(K.XCRS_COUNT, 1, true);
        this.scratchView.setBigUint64(K.XCRS_FIRST_VALUE, from.u64(L.S_XCR0), true);
        this.call(IO.KVM_SET_XCRS, this.scratchAt, 'KVM_SET_XCRS', 'E_KVM_STATE');
      }
    }
  }

  private readMsrs(into: X86State): void {
    this.listMsrs(this.msrs);
    this.call(IO.KVM_GET_MSRS, this.scratchAt, 'KVM_GET_MSRS');
    this.msrs.forEach(([, offset], i) => {
      into.setU64(offset, this.scratchView.getBigUint64(msrEntry(i) + K.MSR_ENTRY_DATA, true));
    });
    for (const [, offset] of this.keptMsrs) into.setU64(offset, this.kept.u64(offset));
    const tsc = this.tscBase === null ? null : this.readTscOffset();
    into.setU64(L.S_TSC_OFFSET, tsc === null ? this.kept.u64(L.S_TSC_OFFSET) : tsc - (this.tscBase ?? 0n));
  }

  private writeMsrs(from: X86State): void {
    this.listMsrs(this.msrs);
    this.msrs.forEach(([, offset], i) => {
      this.scratchView.setBigUint64(msrEntry(i) + K.MSR_ENTRY_DATA, from.u64(offset), true);
    });
    const done = this.call(IO.KVM_SET_MSRS, this.scratchAt, 'KVM_SET_MSRS', 'E_KVM_STATE');
    if (done < this.msrs.length) {
      const [msr, offset] = this.msrs[done];
      throw new TsvmError(
        'E_KVM_STATE',
        `KVM refuses the value 0x${from.u64(offset).toString(16)} for MSR 0x${msr.toString(16)}`,
        126,
      );
    }
    for (const [, offset] of this.keptMsrs) this.kept.setU64(offset, from.u64(offset));
    this.kept.setU64(L.S_TSC_OFFSET, from.u64(L.S_TSC_OFFSET));
    if (this.tscBase !== null) this.writeTscOffset(this.tscBase + from.u64(L.S_TSC_OFFSET));
  }

  private listMsrs(list: readonly (readonly [number, number])[]): void {
    this.scratchView.setUint32(0, list.length, true);
    this.scratchView.setUint32(4, 0, true);
    list.forEach(([msr], i) => {
      this.scratchView.setUint32(msrEntry(i), msr, true);
      this.scratchView.setUint32(msrEntry(i) + 4, 0, true);
    });
  }

  /** KVM_GET_MSRS stops at the first MSR that it does not have: each round drops one, until all are read. */
  private probeMsrs(): (readonly [number, number])[] {
    const list = [...C.STATE_MSRS];
    while (list.length > 0) {
      this.listMsrs(list);
      const done = this.call(IO.KVM_GET_MSRS, this.scratchAt, 'KVM_GET_MSRS');
      if (done >= list.length) break;
      list.splice(done, 1);
    }
    return list;
  }

  private tscAttribute(value: bigint): void {
    const v = this.scratchView;
    v.setUint32(0, 0, true);
    v.setUint32(K.DEVICE_ATTR_GROUP, K.KVM_VCPU_TSC_CTRL, true);
    v.setBigUint64(K.DEVICE_ATTR_ATTR, BigInt(K.KVM_VCPU_TSC_OFFSET), true);
    v.setBigUint64(K.DEVICE_ATTR_ADDR, BigInt(this.scratchAt + K.KVM_DEVICE_ATTR_SIZE), true);
    v.setBigUint64(K.KVM_DEVICE_ATTR_SIZE, BigInt.asUintN(64, value), true);
  }
  /** The offset as KVM made it, or null where it cannot be set (a back end on which RDTSC is never offset). */
  private probeTscOffset(): bigint | null {
    const base = this.readTscOffset();
    if (base === null) return null;
    this.writeTscOffset(base + 1n);
    if (this.readTscOffset() !== BigInt.asUintN(64, base + 1n)) return null;
    this.writeTscOffset(base);
    return base;
  }
  private readTscOffset(): bigint | null {
    this.tscAttribute(0n);
    const failed = this.libc.ioctl(this.fd, IO.KVM_GET_DEVICE_ATTR, this.scratchAt) < 0;
    return failed ? null : this.scratchView.getBigUint64(K.KVM_DEVICE_ATTR_SIZE, true);
  }
  private writeTscOffset(value: bigint): void {
    this.tscAttribute(value);
    this.libc.ioctl(this.fd, IO.KVM_SET_DEVICE_ATTR, this.scratchAt);
  }

  private call(request: number, address: number, what: string, code = 'E_KVM_IOCTL'): number {
    const result = this.libc.ioctl(this.fd, request, address);
    if (code === 'E_KVM_STATE' && result < 0) {
      throw new TsvmError(code, `${what}: KVM refuses this processor state (errno ${-result})`, 126);
    }
    return checkIoctl(result, what);
  }
}

const msrEntry = (i: number) => K.KVM_MSRS_SIZE + i * K.KVM_MSR_ENTRY_SIZE;

function copyRange(from: X86State, to: X86State, start: number, end: number): void {
  to.bytes.set(from.bytes.subarray(start, end), start);
}
