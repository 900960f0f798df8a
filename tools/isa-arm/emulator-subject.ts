// The emulator under test, in one of the tiers of tools/isa/emulator-subject.ts.

import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout/arm-state.js';
import { createEmulatedArmVcpu, createGuestMemory, type EmulatedArmVcpu } from '../../src/emulator-arm/index.js';
import type { ArmBus } from '../../src/vcpu/arm-bus.js';
import { ArmState } from '../../src/vcpu/arm-state.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { JIT, type Tier } from '../isa/emulator-subject.js';
import type { Case } from './case.js';
import * as I from './case.js';
import {
  background,
  FILL,
  MAPPINGS,
  PAGE,
  prepareMemory,
  RAM_BASE,
  RAM_SIZE,
  restore,
  SYSTEM_REGISTERS,
} from './environment.js';
import { UNALLOCATED } from './groups.js';
import { onlyUndefined } from './unallocated.js';

/** The built core, or the file that TSVM_CORE names. */
const coreFile = () => process.env['TSVM_CORE'] ?? new URL('../../../build/arm.wasm', import.meta.url);

const NO_DEVICES: ArmBus = {
  mmioRead: () => -1,
  mmioWrite: () => false,
  now: () => 0,
  gicRead: () => 0,
  gicWrite: () => undefined,
  timerChanged: () => undefined,
  psci: () => -1n,
};

/** No case takes longer, unless something hangs. */
const SLICE = { instructions: 100_000, nanoseconds: 50_000_000 };
const REGISTER_SLOTS = L as unknown as Readonly<Record<string, number>>;

/** Exception classes and fault status codes of ESR_EL1 (Arm ARM D13.2.40). */
const EC_UNKNOWN = 0x00;
const EC_TRAPPED_SYSTEM = 0x18;
const EC_FETCH_ABORT = 0x20;
const EC_PC_ALIGNMENT = 0x22;
const EC_DATA_ABORT = 0x24;
const EC_SP_ALIGNMENT = 0x26;
const EC_BRK = 0x3c;
const DFSC_ALIGNMENT = 0x21;

function endOf(esr: number): number {
  switch (esr >>> 26) {
    case EC_BRK:
      return I.END_BRK;
    case EC_UNKNOWN:
    // A process cannot tell a trapped register from an undefined one.
    case EC_TRAPPED_SYSTEM:
      return I.END_UNDEFINED;
    case EC_FETCH_ABORT:
      return I.END_FETCH_ABORT;
    case EC_PC_ALIGNMENT:
      return I.END_PC_ALIGNMENT;
    case EC_SP_ALIGNMENT:
      return I.END_ALIGNMENT;
    case EC_DATA_ABORT:
      return (esr & 0x3f) === DFSC_ALIGNMENT ? I.END_ALIGNMENT : I.END_DATA_ABORT;
    default:
      return I.END_OTHER;
  }
}

export class EmulatorSubject {
  private readonly start = new ArmState();
  private readonly after = new ArmState();

  private constructor(
    private readonly vcpu: EmulatedArmVcpu,
    private readonly ram: GuestMemory,
  ) {
    prepareMemory(ram);
    ArmState.reset(this.start);
    // EL0, all interrupts masked: there are none.
    this.start.pstate = L.PSTATE_DAIF;
    for (const [name, value] of SYSTEM_REGISTERS) this.start.setU64(REGISTER_SLOTS[`S_${name}`], value);
  }

  static async create(tier: Tier): Promise<EmulatorSubject> {
    const memory = createGuestMemory(RAM_SIZE);
    const vcpu = await createEmulatedArmVcpu({
      memory,
      ramSize: RAM_SIZE,
      regions: [{ kind: 'ram', start: RAM_BASE, size: RAM_SIZE }],
      bus: NO_DEVICES,
      wasm: readFileSync(coreFile()),
      jit: JIT[tier],
    });
    return new EmulatorSubject(vcpu, new GuestMemory(memory, RAM_SIZE));
  }

  /** Regions that could not be compiled: cases that ran in another tier than meant. */
  refused(): number {
    return this.vcpu.counters().details['jitRegionsRefused'] ?? 0;
  }

  /** The image after the case (case.ts), or how it went wrong. */
  run(c: Case): Uint8Array | string {
    const { ram, after } = this;
    c.code.forEach((word, i) => {
      ram.writeU32(c.pc + 4 * i - RAM_BASE, word);
    });
    for (const w of c.windows) ram.write(w.at - RAM_BASE, w.bytes);
    this.changed(c);
    this.load(c.state);
    const exit = this.vcpu.run(SLICE);
    this.vcpu.readState(after);
    const windows = c.windows.map((w) => ram.bytes.slice(w.at - RAM_BASE, w.at - RAM_BASE + w.bytes.length));
    for (const w of c.windows) restore(ram, w.at, w.bytes.length);
    for (let i = 0; i < c.code.length; i++) ram.writeU32(c.pc + 4 * i - RAM_BASE, FILL);
    this.changed(c);
    if (exit.reason !== 'halt') {
      return exit.reason === 'failed' ? `${exit.name}: ${exit.message.split('\n')[0]}` : exit.reason;
    }
    if (after.el !== 1) return `halted at EL${after.el}, pc=0x${after.pc.toString(16)}`;
    return this.image(c, windows);
  }

  private changed(c: Case): void {
    this.vcpu.memoryWritten(c.pc, 4 * c.code.length);
    for (const w of c.windows) this.vcpu.memoryWritten(w.at, w.bytes.length);
  }

  private load(image: Uint8Array): void {
    const { start } = this;
    const view = new DataView(image.buffer, image.byteOffset);
    for (let i = 0; i < 31; i++) start.setX(i, view.getBigUint64(I.IMAGE_X + 8 * i, true));
    start.sp = view.getBigUint64(I.IMAGE_SP, true);
    start.pc = view.getBigUint64(I.IMAGE_PC, true);
    start.nzcv = view.getUint32(I.IMAGE_NZCV, true);
    start.setU64(L.S_TPIDR_EL0, view.getBigUint64(I.IMAGE_TPIDR, true));
    start.setU32(L.S_FPCR, view.getUint32(I.IMAGE_FPCR, true));
    start.setU32(L.S_FPSR, view.getUint32(I.IMAGE_FPSR, true));
    start.bytes.set(image.subarray(I.IMAGE_V, I.IMAGE_V + 512), L.S_V_REG);
    this.vcpu.writeState(start);
  }

  /** EL0's registers as the exception left them for EL1. */
  private image(c: Case, windows: readonly Uint8Array[]): Uint8Array {
    const { after } = this;
    const state = new Uint8Array(I.IMAGE_WINDOWS);
    const view = new DataView(state.buffer);
    for (let i = 0; i < 31; i++) view.setBigUint64(I.IMAGE_X + 8 * i, after.x(i), true);
    view.setBigUint64(I.IMAGE_SP, after.u64(L.S_SP_EL0), true);
    view.setBigUint64(I.IMAGE_PC, after.u64(L.S_ELR_EL1), true);
    view.setUint32(I.IMAGE_NZCV, after.u32(L.S_SPSR_EL1) & 0xf0000000, true);
    view.setBigUint64(I.IMAGE_TPIDR, after.u64(L.S_TPIDR_EL0), true);
    view.setUint32(I.IMAGE_FPCR, after.u32(L.S_FPCR), true);
    view.setUint32(I.IMAGE_FPSR, after.u32(L.S_FPSR), true);
    state.set(after.bytes.subarray(L.S_V_REG, L.S_V_REG + 512), I.IMAGE_V);
    const end = endOf(after.u32(L.S_ESR_EL1));
    view.setUint32(I.IMAGE_END, end, true);
    if (end >= I.END_DATA_ABORT && end <= I.END_PC_ALIGNMENT) {
      view.setBigUint64(I.IMAGE_FAR, I.untagged(after.u64(L.S_FAR_EL1)), true);
    }
    const image = I.buildImage(state, windows);
    return c.group === UNALLOCATED ? onlyUndefined(c, image) : image;
  }

  /** First byte of data memory that cases have changed outside their windows, or -1. */
  strayWrite(): number {
    for (const m of MAPPINGS) {
      if (m.code) continue;
      for (let at = m.at; at < m.at + PAGE; at++) if (this.ram.bytes[at - RAM_BASE] !== background(at)) return at;
    }
    return -1;
  }
}
