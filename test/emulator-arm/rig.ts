// An AArch64 vCPU with memory and nothing else: code and tables are put into RAM, registers set, instructions stepped.

import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout/arm-state.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { createEmulatedArmVcpu, createGuestMemory, type EmulatedArmVcpu } from '../../src/emulator-arm/index.js';
import type { ArmBus } from '../../src/vcpu/arm-bus.js';
import { ArmState } from '../../src/vcpu/arm-state.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { STOP } from './a64.js';

export const RAM = L.ARM_RAM_BASE;
const RAM_SIZE = 8 << 20;

/** Where tests put things. */
export const CODE = RAM + 0x10000;
export const VECTORS_EL1 = RAM + 0x20000;
export const VECTORS_EL2 = RAM + 0x21000;
export const DATA = RAM + 0x30000;
/** First of the pages that translation tables are taken from. */
export const TABLES = RAM + 0x100000;

// Vector offsets (Arm ARM table D1-7).
export const FROM_SAME = 0x200;
export const FROM_LOWER = 0x400;
export const IRQ = 0x80;
export const FIQ = 0x100;
export const SERROR = 0x180;

/** Program state as in an SPSR. */
export const EL0 = 0;
export const EL1H = 5;
export const EL1T = 4;
export const EL2H = 9;
export const DAIF = 0x3c0;

const core = new WebAssembly.Module(readFileSync(new URL('../../../build/arm.wasm', import.meta.url)));

export interface RigOptions {
  readonly el2?: boolean;
  readonly gicRegisters?: boolean;
  /** Executions after which code is compiled; not given: never. */
  readonly jit?: JitOptions | undefined;
}

export class Rig {
  readonly state = new ArmState();
  /** What the core asked of the board. */
  readonly log: string[] = [];
  nanoseconds = 0;

  private constructor(
    readonly vcpu: EmulatedArmVcpu,
    readonly memory: GuestMemory,
  ) {
    vcpu.readState(this.state);
  }

  static async create(options: RigOptions = {}): Promise<Rig> {
    const memory = createGuestMemory(RAM_SIZE);
    const log: string[] = [];
    const clock = { rig: undefined as Rig | undefined };
    const bus: ArmBus = {
      mmioRead: (address, size) => {
        log.push(`read ${address.toString(16)} ${size}`);
        return address < 0x0a000000 ? 0x12345678 : -1;
      },
      mmioWrite: (address, size, value) => {
        log.push(`write ${address.toString(16)} ${size} ${value.toString(16)}`);
        return address < 0x0a000000;
      },
      now: () => clock.rig?.nanoseconds ?? 0,
      gicRead: (register) => {
        log.push(`gic read ${register.toString(16)}`);
        return 0x3ff;
      },
      gicWrite: (register, low, high) => {
        log.push(`gic write ${register.toString(16)} ${low.toString(16)} ${high.toString(16)}`);
      },
      timerChanged: () => {
        log.push('timer');
      },
      psci: (x0, x1) => {
        log.push(`psci ${x0.toString(16)} ${x1.toString(16)}`);
        return 0x77n;
      },
    };
    const features = { el2: options.el2 ?? false, gicRegisters: options.gicRegisters ?? false };
    const vcpu = createEmulatedArmVcpu({ memory, ramSize: RAM_SIZE, bus, wasm: core, features, jit: options.jit });
    const rig = new Rig(vcpu, new GuestMemory(memory, RAM_SIZE, RAM));
    (rig as { log: string[] }).log = log;
    clock.rig = rig;
    rig.load(VECTORS_EL1, new Array(512).fill(STOP));
    rig.load(VECTORS_EL2, new Array(512).fill(STOP));
    rig.set(L.S_VBAR_EL1, VECTORS_EL1).set(L.S_VBAR_EL2, VECTORS_EL2);
    rig.set(L.S_CPACR_EL1, 3 << 20);
    rig.state.pc = BigInt(CODE);
    return rig;
  }

  /** Puts words into memory. */
  load(address: number, words: readonly number[]): this {
    words.forEach((word, i) => {
      this.memory.writeU32(address + 4 * i, word);
    });
    this.vcpu.memoryWritten(address, 4 * words.length);
    return this;
  }

  /** Sets a 64-bit slot of the state. */
  set(slot: number, value: number | bigint): this {
    this.state.setU64(slot, BigInt(value));
    return this;
  }
  x(n: number, value: number | bigint): this {
    this.state.setX(n, BigInt(value));
    return this;
  }
  pstate(value: number): this {
    this.state.pstate = value;
    return this;
  }

  /** Puts `words` at CODE and executes `steps` instructions from there, each or as one slice. */
  run(words: readonly number[], steps = words.length, at = CODE): this {
    this.load(at, words);
    this.state.pc = BigInt(at);
    this.vcpu.writeState(this.state);
    this.more(steps);
    return this;
  }
  more(steps: number): this {
    for (let i = 0; i < steps; i++) this.vcpu.step();
    this.vcpu.readState(this.state);
    return this;
  }
  get(slot: number): bigint {
    return this.state.u64(slot);
  }
  /** PC as a number. */
  get pc(): number {
    return Number(this.state.pc);
  }
}

/** ESR_ELx of exception class `ec`. */
export function esr(ec: number, iss = 0): bigint {
  return (BigInt(ec) << 26n) | (1n << 25n) | BigInt(iss);
}

export function hex(v: number | bigint): string {
  return v.toString(16);
}
