// The emulator with a bus that answers by fixed rules, so that a guest does the same however it is run, and with
// canaries around everything that a guest must not be able to change.

import { existsSync, readFileSync } from 'node:fs';
import { DECODE_TABLE, GUEST_BASE, STATE } from '../../assembly/layout/memory.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { createEmulatedVcpu, createGuestMemory, type EmulatedVcpu } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import type { MemoryRegion } from '../../src/vcpu/guest-memory.js';
import type { VmExit } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { GUEST_HOLE, GUEST_RAM, GUEST_ROM, GUEST_ROM_SIZE, type RandomGuest } from './random-guest.js';

const core = process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));

const REGIONS: readonly MemoryRegion[] = [
  { start: 0, size: GUEST_HOLE, kind: 'ram' },
  { start: 0xc0000, size: GUEST_ROM - 0xc0000, kind: 'ram' },
  { start: GUEST_ROM, size: GUEST_ROM_SIZE, kind: 'rom' },
  { start: 0x100000, size: GUEST_RAM - 0x100000, kind: 'ram' },
];

const mix = (a: number, b: number): number => Math.imul(a ^ (b + 0x9e3779b9), 0x85ebca6b) >>> 0;

export interface FuzzResult {
  readonly end: string;
  readonly instructions: number;
  readonly state: X86State;
  readonly ram: Buffer;
  /** Everything that crossed the bus, hashed in order. */
  readonly bus: number;
}

export class FuzzRig {
  private readonly ram: Buffer;
  private readonly below: Buffer;
  private readonly decode: Buffer;
  private readonly after: Buffer;
  private decodeBefore = Buffer.alloc(0);
  private traffic = 0;
  private draws = 0;
  private vector = 0;
  private start = 0;
  private vcpu: EmulatedVcpu | undefined;

  private constructor(memory: WebAssembly.Memory) {
    const buffer = memory.buffer;
    this.ram = Buffer.from(buffer, GUEST_BASE, GUEST_RAM);
    this.below = Buffer.from(buffer, 0, STATE);
    this.decode = Buffer.from(buffer, DECODE_TABLE, 2048);
    this.after = Buffer.from(buffer, GUEST_BASE + GUEST_RAM);
    this.after.fill(0xa5);
  }

  /** @param jit when blocks are compiled; undefined: never */
  static async create(jit?: JitOptions): Promise<FuzzRig> {
    const memory = createGuestMemory(GUEST_RAM);
    const rig = new FuzzRig(memory);
    const note = (...event: number[]): void => {
      for (const n of event) rig.traffic = mix(rig.traffic, n);
    };
    rig.vcpu = createEmulatedVcpu({
      memory,
      ramSize: GUEST_RAM,
      regions: REGIONS,
      wasm,
      cpu: findCpuModel('max'),
      tscFrequency: 1e9,
      jit,
      random: (into) => {
        for (let i = 0; i < into.length; i++) into[i] = mix(++rig.draws, 7);
      },
      bus: {
        pioRead: (port, size) => {
          note(1, port, size);
          return mix(rig.traffic, port) >>> (32 - 8 * size);
        },
        pioWrite: (port, size, value) => {
          note(2, port, size, value);
          // Some ports raise the interrupt pin: it is noticed after this instruction.
          if (value & 1) rig.cpu.setInterruptLine(true);
          if ((value & 0x1f) === 0x1e) rig.cpu.injectNmi();
        },
        mmioRead: (address, size) => {
          note(3, address, size);
          return mix(rig.traffic, address) >>> (32 - 8 * size);
        },
        mmioWrite: (address, size, value) => {
          note(4, address, size, value);
          if ((address & 0xff) === 0x40) rig.cpu.setInterruptLine(true);
        },
        acknowledgeInterrupt: () => {
          rig.cpu.setInterruptLine(false);
          rig.vector = (rig.vector + 37) & 0xff;
          return rig.vector;
        },
        readTaskPriority: () => rig.draws & 15,
        writeTaskPriority: (cr8) => note(5, cr8),
        writeApicBase: (value) => note(6, value % 0x100000000),
        now: () => 100 * (rig.cpu.instructionCount() - rig.start),
      },
    });
    rig.decodeBefore = Buffer.from(rig.decode);
    return rig;
  }

  private get cpu(): EmulatedVcpu {
    if (!this.vcpu) throw new Error('not created');
    return this.vcpu;
  }

  /**
   * Runs the guest for `limit` instructions; `slice` says how long each slice may be, 0 stands for step(). A HLT goes on
   * when an interrupt can end it.
   */
  run(guest: RandomGuest, limit: number, slice: () => number): FuzzResult {
    const { cpu } = this;
    this.ram.set(guest.ram);
    this.traffic = 0;
    this.draws = 0;
    this.vector = 0;
    cpu.setInterruptLine(false);
    cpu.invalidateAll();
    cpu.writeState(guest.state);
    this.start = cpu.instructionCount();
    let end = 'limit';
    let idle = 0;
    for (;;) {
      const left = limit - (cpu.instructionCount() - this.start);
      if (left <= 0) break;
      const before = left;
      const most = slice();
      const exit: VmExit = most ? cpu.run({ instructions: Math.min(most, left), nanoseconds: 1e9 }) : cpu.step();
      if (exit.reason === 'halt' || exit.reason === 'shutdown' || exit.reason === 'failed') {
        end = exit.reason === 'failed' ? exit.message : exit.reason;
        break;
      }
      // A slice may end early, but not for ever.
      if (limit - (cpu.instructionCount() - this.start) === before && ++idle > 1000) {
        end = 'no progress';
        break;
      }
    }
    const state = new X86State();
    cpu.readState(state);
    const instructions = cpu.instructionCount() - this.start;
    return { end, instructions, state, ram: this.ram, bus: this.traffic };
  }

  /** What was changed that no guest may change; null if nothing. */
  trespass(guest: RandomGuest): string | null {
    if (this.below.some((byte) => byte !== 0)) return 'memory below the state';
    if (!this.decode.equals(this.decodeBefore)) return 'the decode table';
    if (this.after.some((byte) => byte !== 0xa5)) return 'memory after guest RAM';
    const same = (from: number, to: number) => this.ram.subarray(from, to).equals(guest.ram.subarray(from, to));
    if (!same(GUEST_HOLE, 0xc0000)) return 'RAM behind the device window';
    if (!same(GUEST_ROM, GUEST_ROM + GUEST_ROM_SIZE)) return 'firmware';
    return null;
  }
}
