// Runs cases on a vCPU, whichever it is: KVM's as the oracle, the emulator's as the subject.

import * as L from '../../assembly/layout/x86-state.js';
import type { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { type GuestBus, TsvmError, type Vcpu } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_HANDLERS, BARE_STACK0, EXCEPTION_STUB } from '../../src/vmm/bare-guest.js';
import { buildImage, type Case } from './case.js';
import { FILL, prepareMemory, USER_DATA, USER_DATA_END } from './environment.js';

/** What a guest without devices is given. */
export const NO_DEVICES: GuestBus = {
  pioRead: () => 0xffffffff,
  pioWrite: () => undefined,
  mmioRead: () => 0xffffffff,
  mmioWrite: () => undefined,
  acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0,
  writeTaskPriority: () => undefined,
  writeApicBase: () => undefined,
  now: () => 0,
};

/** Transfer of registers, as narrow as the case allows. */
export interface Transfer {
  write(state: X86State, fpu: boolean): void;
  read(into: X86State, fpu: boolean): void;
}

/** No case takes longer, unless something hangs. */
const SLICE = { instructions: 100_000, nanoseconds: 50_000_000 };

export class CaseGuest {
  private readonly after = new X86State();

  /** @param codeChanged called with each range of guest memory that was written from outside */
  constructor(
    private readonly ram: GuestMemory,
    private readonly vcpu: Vcpu<X86State>,
    private readonly transfer: Transfer,
    private readonly codeChanged: (address: number, size: number) => void = () => undefined,
  ) {
    prepareMemory(ram);
  }

  /** The image after the case (case.ts), or how it went wrong. */
  run(c: Case): Uint8Array | string {
    const { ram, after } = this;
    ram.write(c.linear, c.code);
    this.codeChanged(c.linear, c.code.length);
    for (const w of c.windows) ram.write(w.at, w.bytes);
    this.transfer.write(c.state, c.fpu);
    const exit = this.vcpu.run(SLICE);
    this.transfer.read(after, c.fpu);
    const windows = c.windows.map((w) => ram.bytes.slice(w.at, w.at + w.bytes.length));
    for (const w of c.windows) ram.fill(w.at, w.bytes.length);
    ram.fill(c.linear, c.code.length, FILL);
    this.codeChanged(c.linear, c.code.length);
    if (exit.reason !== 'halt') {
      return exit.reason === 'failed' ? `${exit.name}: ${exit.message.split('\n')[0]}` : exit.reason;
    }
    return this.image(c, windows);
  }

  /** Takes apart the frame that the exception left on the ring-0 stack (SDM vol. 3, figure 7-8). */
  private image(c: Case, windows: readonly Uint8Array[]): Uint8Array | string {
    const { ram, after } = this;
    const vector = Math.floor((Number(after.rip) - 1 - BARE_HANDLERS) / EXCEPTION_STUB);
    const withCode = Number(after.gpr(4)) === BARE_STACK0 - 48;
    if (vector < 0 || vector > 31 || (!withCode && Number(after.gpr(4)) !== BARE_STACK0 - 40)) {
      return `halted at 0x${after.rip.toString(16)} with rsp=0x${after.gpr(4).toString(16)}`;
    }
    const frame = BARE_STACK0 - 40;
    const end = {
      vector,
      errorCode: withCode ? ram.readU32(frame - 8) : 0,
      cr2: after.u64(L.S_CR2),
      rip: ram.readU64(frame),
    };
    after.rflags = ram.readU64(frame + 16);
    after.setGpr(4, ram.readU64(frame + 24));
    return buildImage(c, after, end, windows);
  }

  /** First byte of user memory that cases have changed outside their windows, or -1. */
  strayWrite(): number {
    for (let at = USER_DATA; at < USER_DATA_END; at++) if (this.ram.bytes[at] !== 0) return at;
    return -1;
  }
}

export function requireImage(c: Case, result: Uint8Array | string): Uint8Array {
  if (typeof result !== 'string') return result;
  throw new TsvmError('E_ISA_CASE', `case ${c.group}/${c.index} (${c.mnemonic}): ${result}`);
}
