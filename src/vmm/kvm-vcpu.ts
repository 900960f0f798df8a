// The KVM vCPU: KVM_RUN in slices, exits dispatched to the machine's bus, interrupts injected from its controllers.

import * as L from '../../assembly/layout/x86-state.js';
import type { CpuidEntry } from '../vcpu/cpu-model.js';
import { type GuestBus, type Slice, TsvmError, type Vcpu, type VcpuCounters, type VmExit } from '../vcpu/vcpu.js';
import { X86State } from '../vcpu/x86-state.js';
import { encodeCpuid, hostCpuid, intersectCpuid } from './cpuid.js';
import { type DebugSupport, debugSupport } from './debug-support.js';
import { GuestDebug, HARDWARE_BREAKPOINTS } from './guest-debug.js';
import * as IO from './ioctl.js';
import { checkIoctl } from './kvm.js';
import { isMmioWrite, isPortWrite, memoryIo, mmioAddress, portIo } from './kvm-io.js';
import type { KvmVm } from './kvm-vm.js';
import { EAGAIN, EINTR, type Libc, type Mapping, type SignalTimer } from './libc.js';
import * as R from './run-page.js';
import { VcpuStats } from './stats-fd.js';
import { UserStep } from './user-step.js';
import { changedGroups, GROUP_ALL, GROUP_EVENTS, GROUP_REGS, GROUP_SREGS, VcpuState } from './vcpu-state.js';

/** Executes exactly one instruction on this state and the shared RAM; null when done, a VmExit when it cannot. */
export type Assist = (state: X86State) => VmExit | null;

export interface KvmVcpuOptions {
  /** Local APIC id; 0 is the bootstrap processor. */
  readonly id?: number;
  /** The CPU model; without one, what this host's KVM supports. */
  readonly cpuid?: readonly CpuidEntry[];
  /** Called for instructions that KVM refuses to emulate. */
  readonly assist?: Assist;
  /** Rely on KVM_SET_GUEST_DEBUG in ring 3 without trying it first. */
  readonly trustGuestDebug?: boolean;
}

/** 'trap' is a step by way of TF and an empty IDT: see user-step.ts. */
type EntryMode = 'run' | 'step' | 'trap';

/** A signal that arrives just before KVM_RUN is lost: the timer therefore repeats until the slice has ended. */
const TICK_NS = 1_000_000;
/** A step that takes longer than this makes no progress. */
const STEP_NS = 200_000_000;
/** Exits between two looks at the clock, which cost as much as the rest of such a round. */
const LOOK_INTERVAL = 8;
/** Rounds granted to an interrupt that was injected just as the slice ended. */
const DELIVERY_ROUNDS = 16;

export class KvmVcpu implements Vcpu<X86State> {
  readonly backend = 'kvm';
  /** Guest TSC frequency in kHz; 0 where KVM does not tell. */
  readonly tscKhz: number;

  private readonly libc: Libc;
  private readonly fd: number;
  private readonly mapping: Mapping;
  private readonly page: R.RunPage;
  private readonly registers: VcpuState;
  private readonly timer: SignalTimer;
  private readonly debug: GuestDebug;
  private readonly stats: VcpuStats | null;
  private readonly assist: Assist | undefined;
  private readonly assistState = new X86State();
  private readonly assistBefore = new X86State();
  private readonly userStep: UserStep;
  private readonly trustGuestDebug: boolean;
  private readonly interruptBuffer = new ArrayBuffer(4);
  private readonly interruptView = new DataView(this.interruptBuffer);
  private readonly interruptAt: number;

  private activity: number = L.ACTIVITY_ACTIVE;
  private line = false;
  private nmi = false;
  private readonly queue: number[] = [];
  /** Whether KVM said, and nothing has changed since, that an interrupt can be taken now. */
  private ready = false;
  private breakpoints: readonly bigint[] = [];
  /** Linear address of the last 'debug' exit: a run that starts there executes the instruction first. */
  private stoppedAt: bigint | null = null;
  private apicBase: number;
  /** By KVM's number; counted at every exit, so in no slower shape than this. */
  private readonly exits = new Float64Array(R.EXIT_REASONS);
  private assists = 0;
  private romWrites = 0;
  /** kick() was called and the run it is meant for has not returned. */
  private kicked = false;
  private running = false;
  /** An interrupt was handed to KVM, and has not been seen to be delivered. */
  private inFlight = false;
  /** The last exit was a store to a device: the instruction that made it is complete. */
  private stored = false;
  private closed = false;

  constructor(
    private readonly vm: KvmVm,
    private readonly bus: GuestBus,
    options: KvmVcpuOptions = {},
  ) {
    const { kvm } = vm;
    this.libc = kvm.libc;
    this.assist = options.assist;
    this.trustGuestDebug = options.trustGuestDebug ?? false;
    // At ring 3 KVM would raise #UD for what its emulator lacks; with an assist at hand, ask for the exit instead.
    if (options.assist) vm.enableCapability('EXIT_ON_EMULATION_FAILURE', 1);
    this.fd = vm.createVcpu(options.id ?? 0);
    this.mapping = kvm.mapVcpu(this.fd);
    this.page = new R.RunPage(this.mapping.buffer);
    this.setCpuid(options.cpuid);
    this.registers = new VcpuState(this.libc, this.fd, this.page, kvm.capability('SYNC_REGS') & R.KVM_SYNC_X86_ALL, {
      xcrs: kvm.capability('XCRS') > 0,
      debugRegs: kvm.capability('DEBUGREGS') > 0,
    });
    this.interruptAt = this.libc.addressOf(this.interruptBuffer);
    this.tscKhz = Math.max(0, this.libc.ioctl(this.fd, IO.KVM_GET_TSC_KHZ, 0));
    this.debug = new GuestDebug(this.libc, this.fd);
    this.userStep = new UserStep(this.registers, this.debug);
    this.stats = VcpuStats.open(this.libc, this.fd);
    this.timer = this.libc.createTimer();
    this.registers.refresh(GROUP_SREGS);
    this.apicBase = Number(this.page.syncedApicBase);
  }

  private setCpuid(model: readonly CpuidEntry[] | undefined): void {
    const supported = this.vm.kvm.supportedCpuid();
    const cpuid = encodeCpuid(model ? intersectCpuid(model, supported) : hostCpuid(supported));
    checkIoctl(this.libc.ioctl(this.fd, IO.KVM_SET_CPUID2, this.libc.addressOf(cpuid)), 'KVM_SET_CPUID2');
  }

  run(slice: Slice): VmExit {
    this.checkOpen();
    try {
      return this.runSlice(Math.max(1, slice.nanoseconds));
    } finally {
      this.kicked = false;
    }
  }

  private runSlice(nanoseconds: number): VmExit {
    if (this.breakpoints.length === 0) return this.enter(nanoseconds, 'run');
    const end = performance.now() + nanoseconds / 1e6;
    if (this.stoppedAt !== null && this.linearPc() === this.stoppedAt && this.breakpoints.includes(this.stoppedAt)) {
      const exit = this.step();
      if (exit.reason !== 'debug' || this.breakpoints.includes(exit.pc)) return exit;
    }
    const enough = this.breakpoints.length <= HARDWARE_BREAKPOINTS;
    if (!enough || !this.support().userBreakpoints) return this.runStepping(end);
    return this.enter(Math.max(1, (end - performance.now()) * 1e6), 'run');
  }

  step(): VmExit {
    this.checkOpen();
    if (this.activity === L.ACTIVITY_ACTIVE && !this.support().userStep && this.userStep.applies()) {
      return this.stepInRing3();
    }
    return this.stallIfUnfinished(this.enter(STEP_NS, 'step'));
  }

  kick(): void {
    this.kicked = true;
    // Bus callbacks run between two entries: the next one then returns as soon as the I/O at hand is complete.
    if (this.running) this.page.immediateExit = true;
  }

  setInterruptLine(asserted: boolean): void {
    this.line = asserted;
  }

  injectNmi(): void {
    this.nmi = true;
  }

  inject(vector: number): void {
    this.queue.push(vector & 0xff);
  }

  readState(into: X86State): void {
    this.readGroups(into, GROUP_ALL);
  }

  /** Only some register groups (GROUP_*), for callers that know what a guest in ring 3 can have changed. */
  readGroups(into: X86State, groups: number): void {
    this.checkOpen();
    this.registers.read(into, groups);
    if (groups & GROUP_SREGS) into.setU64(L.S_CR8, BigInt(this.bus.readTaskPriority() & 15));
    into.setU32(L.S_ACTIVITY, this.activity);
    if (this.nmi) into.setU32(L.S_NMI_PENDING, 1);
  }

  /** Throws E_KVM_STATE where KVM refuses a value; some values are refused as late as the next run. */
  writeState(from: X86State): void {
    this.writeGroups(from, GROUP_ALL);
  }

  writeGroups(from: X86State, groups: number): void {
    this.checkOpen();
    this.registers.write(from, groups);
    this.activity = from.u32(L.S_ACTIVITY);
    this.stoppedAt = null;
    this.nmi = false;
    this.inFlight = false;
    // HLT ends any interrupt shadow, so a halted vCPU takes interrupts as soon as IF allows.
    this.ready = this.activity === L.ACTIVITY_HLT && (from.u32(L.S_RFLAGS) & L.FLAG_IF) !== 0;
    if (groups & GROUP_SREGS) {
      const cr8 = Number(from.u64(L.S_CR8) & 15n);
      if (cr8 !== this.bus.readTaskPriority()) this.bus.writeTaskPriority(cr8);
      this.noticeApicBase(Number(from.u64(L.S_MSR_APIC_BASE)));
    }
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    this.breakpoints = [...new Set(addresses.map((a) => BigInt.asUintN(64, a)))];
  }

  setA20(enabled: boolean): void {
    this.checkOpen();
    this.vm.setA20(enabled);
  }

  counters(): VcpuCounters {
    const details: Record<string, number> = {};
    if (!this.closed && this.stats) {
      for (const [name, value] of Object.entries(this.stats.read())) details[`kvm_${name}`] = value;
    }
    details['rom_writes_ignored'] = this.romWrites;
    const exits: Record<string, number> = {};
    this.exits.forEach((count, reason) => {
      if (count > 0) exits[R.exitName(reason)] = count;
    });
    return { instructions: null, exits, assists: this.assists, details };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.running) this.kick();
    else this.release();
  }

  private release(): void {
    this.timer.delete();
    this.stats?.close();
    this.mapping.unmap();
    this.libc.close(this.fd);
  }

  /** Linear address of the next instruction. */
  linearPc(): bigint {
    this.checkOpen();
    this.registers.refresh(GROUP_REGS | GROUP_SREGS);
    return this.page.linearPc;
  }

  private enter(nanoseconds: number, mode: EntryMode): VmExit {
    const inactive = this.wakeUp();
    if (inactive) return inactive;
    this.stoppedAt = null;
    this.running = true;
    try {
      // KVM arms TF for the RIP that it knows: registers that still wait in kvm_run must get there first.
      const moved = this.page.dirtyRegs !== 0;
      if (mode === 'step') this.registers.flush();
      const breakpoints = mode === 'run' ? this.breakpoints.slice(0, HARDWARE_BREAKPOINTS) : [];
      this.debug.set(mode === 'step', breakpoints, moved);
      // Whoever steps looks at the registers after every exit; a running guest's are wanted after few.
      this.registers.synchronize(mode === 'run' ? 0 : GROUP_ALL);
      this.timer.arm(nanoseconds, TICK_NS);
      return this.loop(performance.now() + nanoseconds / 1e6, mode !== 'run');
    } catch (error) {
      if (error instanceof TsvmError && error.code === 'E_KVM_STATE') return this.failed(error.code, error.message);
      throw error;
    } finally {
      this.timer.disarm();
      this.page.immediateExit = false;
      this.running = false;
      // A bus callback closed the vCPU: kvm_run stays mapped until here.
      if (this.closed) this.release();
    }
  }

  /**
   * Leaves only when KVM has finished the instruction at hand: an I/O exit is completed by the next KVM_RUN, so the
   * slice's end asks for an immediate exit instead of simply not entering again.
   */
  private loop(deadline: number, stepping: boolean): VmExit {
    const { page, libc, fd, bus } = this;
    let undelivered = 0;
    let untilLook = LOOK_INTERVAL;
    this.stored = false;
    if (this.kicked && !stepping) page.immediateExit = true;
    for (;;) {
      if (!page.immediateExit) this.offerInterrupts();
      const cr8 = bus.readTaskPriority() & 15;
      page.cr8 = cr8;
      const result = libc.ioctl(fd, IO.KVM_RUN, 0);
      if (page.dirtyRegs !== 0 && result < 0 && result !== -EINTR && result !== -EAGAIN) {
        return this.failed('E_KVM_STATE', `KVM refuses this processor state (errno ${-result})`);
      }
      this.registers.afterRun();
      this.ready = page.readyForInterrupt;
      if (page.cr8 !== cr8) bus.writeTaskPriority(page.cr8 & 15);
      this.noticeApicBase(page.apicBase);

      let exit: VmExit | null;
      if (result < 0) {
        if (result !== -EINTR && result !== -EAGAIN) {
          return this.failed('E_KVM_RUN', `KVM_RUN failed with errno ${-result}`);
        }
        this.count(R.KVM_EXIT_INTR);
        page.immediateExit = false;
        // An acknowledged interrupt must not be left between controller and guest.
        if (this.inFlight && undelivered < DELIVERY_ROUNDS && this.registers.queuedInterrupt() >= 0) {
          undelivered++;
          continue;
        }
        this.inFlight = false;
        if (!stepping) exit = { reason: 'slice-end' };
        else if (this.stored) exit = this.stopped(this.linearPc());
        else exit = performance.now() < deadline ? null : { reason: 'slice-end' };
      } else {
        exit = this.dispatch(stepping);
        // KVM forgets the step's debug exit when the instruction ends in one to a device.
        if (stepping && this.stored) page.immediateExit = true;
      }
      if (exit) return exit;
      // The timer's signal usually ends the slice; this is for guests that exit so often that it finds them outside.
      if (--untilLook === 0) {
        untilLook = LOOK_INTERVAL;
        if (performance.now() >= deadline) page.immediateExit = true;
      }
    }
  }

  /** One exit with a reason. Null: go on. */
  private dispatch(stepping: boolean): VmExit | null {
    const { page } = this;
    const reason = page.exitReason;
    this.count(reason);
    switch (reason) {
      case R.KVM_EXIT_IO:
        this.stored = isPortWrite(page);
        portIo(page, this.bus);
        return null;
      case R.KVM_EXIT_MMIO:
        this.stored = isMmioWrite(page);
        if (isMmioWrite(page) && this.vm.isRom(this.physical(mmioAddress(page)))) this.romWrites++;
        else memoryIo(page, this.bus, (address) => this.physical(address));
        return null;
      case R.KVM_EXIT_IRQ_WINDOW_OPEN:
      case R.KVM_EXIT_SET_TPR:
        return null;
      case R.KVM_EXIT_INTR:
        return stepping ? null : { reason: 'slice-end' };
      case R.KVM_EXIT_HLT:
        this.activity = L.ACTIVITY_HLT;
        return this.wakeUp();
      case R.KVM_EXIT_DEBUG:
        return this.stopped(page.view.getBigUint64(R.RUN_DEBUG_PC, true));
      case R.KVM_EXIT_HYPERCALL:
        return { reason: 'hypercall' };
      case R.KVM_EXIT_SHUTDOWN:
        this.activity = L.ACTIVITY_SHUTDOWN;
        return { reason: 'shutdown', cause: 'triple fault (KVM does not tell which exception came first)' };
      case R.KVM_EXIT_SYSTEM_EVENT:
        return { reason: 'shutdown', cause: `system event ${page.view.getUint32(R.RUN_SYSTEM_EVENT_TYPE, true)}` };
      case R.KVM_EXIT_INTERNAL_ERROR:
        return this.internalError(stepping);
      case R.KVM_EXIT_FAIL_ENTRY: {
        const cause = page.view.getBigUint64(R.RUN_FAIL_ENTRY_REASON, true).toString(16);
        return this.failed('E_KVM_FAIL_ENTRY', `the processor refused to enter the guest (hardware reason 0x${cause})`);
      }
      default:
        return this.failed('E_KVM_EXIT', `KVM returned with ${R.exitName(reason)}, which tsvm does not handle`);
    }
  }

  /** The kernel's instruction emulator gave up: one instruction is the assist's. */
  private internalError(stepping: boolean): VmExit | null {
    const suberror = this.page.view.getUint32(R.RUN_INTERNAL_SUBERROR, true);
    if (suberror !== R.KVM_INTERNAL_ERROR_EMULATION) {
      return this.failed('E_KVM_INTERNAL', `KVM internal error ${R.suberrorName(suberror)}`);
    }
    const code = Array.from(this.page.refusedInstruction(), (b) => b.toString(16).padStart(2, '0')).join(' ');
    this.registers.refresh(GROUP_REGS);
    const what = `KVM's emulator refuses the instruction at rip=0x${this.page.rip.toString(16)}${code && ` (bytes ${code})`}`;
    if (!this.assist) return this.failed('E_KVM_EMULATION', what);
    this.userStep.end();
    this.readState(this.assistState);
    this.assistBefore.copyFrom(this.assistState);
    const exit = this.assist(this.assistState);
    if (exit) return exit.reason === 'failed' ? { ...exit, message: `${what}; ${exit.message}` } : exit;
    this.assists++;
    // A jump to itself changes nothing either, but is never refused.
    // Always the events: KVM may have queued #UD for the instruction that it refused.
    // Writing the events forgets an interrupt that KVM has not delivered yet: it goes in again afterwards.
    const queued = this.registers.queuedInterrupt();
    if (queued >= 0) this.queue.unshift(queued);
    const changed = changedGroups(this.assistBefore, this.assistState);
    if (changed === 0 && this.assistState.u32(L.S_ACTIVITY) === L.ACTIVITY_ACTIVE) {
      return this.failed('E_KVM_EMULATION', `${what}; the emulator executed it without any effect`);
    }
    this.writeGroups(this.assistState, changed | GROUP_EVENTS);
    if (this.activity !== L.ACTIVITY_ACTIVE) return this.wakeUp();
    const pc = this.linearPc();
    return stepping || this.breakpoints.includes(pc) ? this.stopped(pc) : null;
  }

  private stopped(pc: bigint): VmExit {
    this.stoppedAt = pc;
    return { reason: 'debug', pc };
  }

  /** Null when the vCPU runs, or an interrupt makes it run; else why it does not. */
  private wakeUp(): VmExit | null {
    if (this.activity === L.ACTIVITY_ACTIVE) return null;
    if (this.activity === L.ACTIVITY_SHUTDOWN) return { reason: 'shutdown', cause: 'the processor is shut down' };
    if (this.activity !== L.ACTIVITY_HLT) return { reason: 'halt' };
    if (!this.nmi && !this.injectOne()) return { reason: 'halt' };
    this.activity = L.ACTIVITY_ACTIVE;
    return null;
  }

  /** Before an entry: hands KVM what waits, or asks for an exit as soon as it can be taken. */
  private offerInterrupts(): void {
    if (this.nmi) {
      this.registers.flush();
      checkIoctl(this.libc.ioctl(this.fd, IO.KVM_NMI, 0), 'KVM_NMI');
      this.registers.eventsChanged();
      this.nmi = false;
    }
    this.injectOne();
    this.page.requestInterruptWindow = this.line || this.queue.length > 0;
  }

  /** Injects the most urgent interrupt if one waits and the guest can take it. */
  private injectOne(): boolean {
    if (!this.ready || !(this.line || this.queue.length > 0)) return false;
    const vector = this.queue.shift() ?? this.bus.acknowledgeInterrupt();
    if (vector < 0) return false;
    // What waits in kvm_run would overwrite the injection at the next entry.
    this.registers.flush();
    this.interruptView.setUint32(0, vector & 0xff, true);
    checkIoctl(this.libc.ioctl(this.fd, IO.KVM_INTERRUPT, this.interruptAt), 'KVM_INTERRUPT');
    this.registers.eventsChanged();
    this.ready = false;
    this.inFlight = true;
    return true;
  }

  /** More breakpoints than debug registers: compare after every step. */
  private runStepping(end: number): VmExit {
    while (performance.now() < end && !this.kicked) {
      const exit = this.step();
      if (exit.reason !== 'debug') return exit;
      if (this.breakpoints.includes(exit.pc)) return exit;
    }
    return { reason: 'slice-end' };
  }

  private support(): DebugSupport {
    if (this.trustGuestDebug) return { userStep: true, userBreakpoints: true };
    return debugSupport(this.vm.kvm, (vm, bus) => new KvmVcpu(vm, bus, { trustGuestDebug: true }));
  }

  private stepInRing3(): VmExit {
    const pending = (interruptFlag: boolean) => this.nmi || (interruptFlag && (this.line || this.queue.length > 0));
    const exit = this.userStep.run(pending, (mode) => {
      const result = this.enter(STEP_NS, mode);
      if (mode === 'trap' && result.reason === 'shutdown') this.activity = L.ACTIVITY_ACTIVE;
      return result;
    });
    return exit === 'stepped' ? this.stopped(this.linearPc()) : this.stallIfUnfinished(exit);
  }

  private stallIfUnfinished(exit: VmExit): VmExit {
    if (exit.reason !== 'slice-end' || this.closed) return exit;
    return this.failed('E_KVM_STALL', 'the instruction did not complete under single step');
  }

  private noticeApicBase(value: number): void {
    if (value === this.apicBase) return;
    this.apicBase = value;
    this.bus.writeApicBase(value);
  }

  /** Guest-physical address behind the A20 gate. */
  private physical(address: number): number {
    return !this.vm.a20Enabled && Math.floor(address / 0x100000) % 2 === 1 ? address - 0x100000 : address;
  }

  private failed(name: string, message: string): VmExit {
    let registers = '';
    try {
      const state = new X86State();
      this.registers.read(state, GROUP_REGS | GROUP_SREGS);
      registers = `\n${state.describe()}`;
    } catch {
      registers = '\n(registers cannot be read)';
    }
    return { reason: 'failed', name, message: message + registers };
  }

  private count(reason: number): void {
    // A reason newer than the table ends the run and is named there.
    if (reason < R.EXIT_REASONS) this.exits[reason]++;
  }

  private checkOpen(): void {
    if (this.closed) throw new TsvmError('E_CLOSED', 'this vCPU has been closed');
  }
}
