// A vCPU in 64-bit mode with 4 MiB of RAM, page tables and handlers, to run the same program interpreted and compiled.
//
//   0x1000 GDT   0x2000 IDT   0x3000–0x5fff PML4, PDPT, PD   0x6000 page table of the first 2 MiB, mapped to themselves
//   0x7000 page table that maps 0x200000–0x3fffff to the same frames   0xa000 stack, downwards   0x10000 programs
//   0x20000 entry of vector n at 16 × n: pushes error code and n   0x21000 handler   0x22000 handler of vector 0x30
//   0x180000 R15: what the handlers write down

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { GUEST_BASE } from '../../assembly/layout/memory.js';
import * as L from '../../assembly/layout/x86-state.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { createEmulatedVcpu, createGuestMemory, type EmulatedVcpu } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import type { VmExit } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import type { Program } from './program.js';
import { HANDLER, INTERRUPT } from './programs.js';

const core = process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));

const RAM = 4 << 20;
const [GDT, IDT, PML4, PDPT, PD, PT, ALIAS_PT] = [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000];
const STACK = 0xa000;
const ENTRIES = 0x20000;
const LOG = 0x180000;
/** Exceptions with an error code (SDM vol. 3, table 7-1). */
const WITH_CODE = [8, 10, 11, 12, 13, 14, 17];
export const VECTOR = 0x30;

export interface Result {
  readonly exit: VmExit;
  /** Since start(). */
  readonly instructions: number;
  readonly state: X86State;
  /** SHA-256 of the state and of RAM. */
  readonly digest: string;
  /** 64-bit words that the handlers have written down. */
  readonly log: readonly bigint[];
  readonly details: Readonly<Record<string, number>>;
}

export class CodeRig {
  readonly state = new X86State();
  readonly ram: DataView;
  /** Called for each OUT. */
  onOut: (port: number, value: number) => void = () => undefined;
  private held: EmulatedVcpu | undefined;
  /** Instructions that the vCPU had executed at start(). */
  private startCount = 0;

  private constructor(private readonly memory: WebAssembly.Memory) {
    this.ram = new DataView(memory.buffer, GUEST_BASE, RAM);
  }

  get vcpu(): EmulatedVcpu {
    if (!this.held) throw new Error('not created');
    return this.held;
  }

  /** @param jit when blocks are compiled; undefined: never */
  static async create(jit: JitOptions | undefined, ...programs: readonly Program[]): Promise<CodeRig> {
    const memory = createGuestMemory(RAM);
    const rig = new CodeRig(memory);
    rig.held = createEmulatedVcpu({
      memory,
      ramSize: RAM,
      regions: [{ start: 0, size: RAM, kind: 'ram' }],
      wasm,
      cpu: findCpuModel('max'),
      tscFrequency: 1e9,
      random: (into) => into.fill(0x9abcdef0),
      jit,
      bus: {
        pioRead: () => 0xffffffff,
        pioWrite: (port, _size, value) => rig.onOut(port, value),
        mmioRead: () => 0xffffffff,
        mmioWrite: () => undefined,
        acknowledgeInterrupt: () => {
          rig.vcpu.setInterruptLine(false);
          return VECTOR;
        },
        readTaskPriority: () => 0,
        writeTaskPriority: () => undefined,
        writeApicBase: () => undefined,
        now: () => 0,
      },
    });
    rig.load(...programs);
    return rig;
  }

  /** Makes RAM and state what they are at first, with these programs. */
  load(...programs: readonly Program[]): void {
    new Uint8Array(this.memory.buffer, GUEST_BASE, RAM).fill(0);
    this.lay();
    this.loadPrograms(programs);
  }

  /**
   * As load(), but without paging and handlers: protected mode with flat segments, or with a DS of 12 KiB at `data`, or
   * real mode with DS at `data`.
   */
  loadPlain(mode: 'flat' | 'segmented' | 'real', data: number, program: Program): void {
    this.load(program);
    const { state } = this;
    const real = mode === 'real';
    state.setU64(L.S_CR0, BigInt((real ? 0 : L.CR0_PE) | L.CR0_ET | L.CR0_NE));
    state.setU64(L.S_EFER, 0n);
    const segment = (n: number, base: number, limit: number, attr: number) =>
      state.setSegment(n, { selector: real ? base >> 4 : 8, base: BigInt(base), limit, attr, unusable: false });
    const [top, size] = real ? [0xffff, 0] : [0xffffffff, 0xc000];
    segment(L.SEG_CS, real ? 0x10000 : 0, top, size | 0x9b);
    segment(L.SEG_SS, 0, top, size | 0x93);
    segment(L.SEG_ES, 0, top, size | 0x93);
    if (mode === 'segmented') segment(L.SEG_DS, data, 0x2fff, 0x4093);
    else segment(L.SEG_DS, real ? data : 0, top, size | 0x93);
    state.rip = real ? 0n : 0x10000n;
  }

  private loadPrograms(programs: readonly Program[]): void {
    for (const { address, bytes } of [HANDLER, INTERRUPT, ...programs]) this.put(address, bytes);
  }

  put(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.memory.buffer, GUEST_BASE, RAM).set(bytes, address);
  }

  /** Tables, entries of vectors, and the state at the first instruction. */
  private lay(): void {
    const { ram, state } = this;
    const entry = (at: number, value: number) => ram.setBigUint64(at, BigInt(value), true);
    entry(PML4, PDPT | 3);
    entry(PDPT, PD | 3);
    entry(PD, PT | 3);
    entry(PD + 8, ALIAS_PT | 3);
    for (let page = 0; page < 512; page++) {
      entry(PT + 8 * page, (page << 12) | 3);
      entry(ALIAS_PT + 8 * page, (page << 12) | 3);
    }
    ram.setBigUint64(GDT + 8, 0x00af9b000000ffffn, true);
    ram.setBigUint64(GDT + 16, 0x00cf93000000ffffn, true);
    for (let vector = 0; vector < 64; vector++) {
      const target = vector === VECTOR ? INTERRUPT.address : ENTRIES + 16 * vector;
      ram.setUint32(IDT + 16 * vector, (8 << 16) | (target & 0xffff), true);
      ram.setUint32(IDT + 16 * vector + 4, (target & 0xffff0000) | 0x8e00, true);
      // push 0 unless there is an error code; push vector; jmp handler
      const pushes = [...(WITH_CODE.includes(vector) ? [] : [0x6a, 0]), 0x6a, vector, 0xe9];
      this.put(ENTRIES + 16 * vector, Uint8Array.from(pushes));
      const after = ENTRIES + 16 * vector + pushes.length + 4;
      ram.setInt32(after - 4, HANDLER.address - after, true);
    }
    X86State.reset(state);
    state.setSegment(L.SEG_CS, { selector: 8, base: 0n, limit: 0xffffffff, attr: 0xa09b, unusable: false });
    for (const segment of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) {
      state.setSegment(segment, { selector: 16, base: 0n, limit: 0xffffffff, attr: 0xc093, unusable: false });
    }
    state.setU64(L.S_GDTR_BASE, BigInt(GDT));
    state.setU32(L.S_GDTR_LIMIT, 0x17);
    state.setU64(L.S_IDTR_BASE, BigInt(IDT));
    state.setU32(L.S_IDTR_LIMIT, 0x3ff);
    state.setU64(L.S_CR0, BigInt(L.CR0_PE | L.CR0_ET | L.CR0_NE | L.CR0_WP) | 0x80000000n);
    state.setU64(L.S_CR3, BigInt(PML4));
    state.setU64(L.S_CR4, BigInt(L.CR4_PAE | L.CR4_OSFXSR));
    state.setU64(L.S_EFER, BigInt(L.EFER_LME | L.EFER_LMA | L.EFER_NXE));
    state.setGpr(4, BigInt(STACK));
    state.setGpr(15, BigInt(LOG));
    state.rip = 0x10000n;
  }

  /** Starts over at `state`, which may have been changed since create(). */
  start(): void {
    this.startCount = this.vcpu.instructionCount();
    this.vcpu.invalidateAll();
    this.vcpu.writeState(this.state);
  }

  /** One call of the vCPU. */
  run(instructions: number): VmExit {
    return this.vcpu.run({ instructions, nanoseconds: Number.POSITIVE_INFINITY });
  }

  /** From start() to HLT, in slices of `slice` instructions, each of which must be kept exactly. */
  toHalt(slice = 1e6, limit = 5e6): Result {
    this.start();
    const end = this.vcpu.instructionCount() + limit;
    for (;;) {
      const before = this.vcpu.instructionCount();
      const exit = this.run(slice);
      const done = this.vcpu.instructionCount() - before;
      if (exit.reason === 'slice-end' && done > slice) throw new Error(`a slice of ${slice} ran ${done} instructions`);
      if (exit.reason !== 'slice-end' || this.vcpu.instructionCount() > end) return this.result(exit);
    }
  }

  result(exit: VmExit): Result {
    const state = new X86State();
    this.vcpu.readState(state);
    const bytes = new Uint8Array(this.memory.buffer, GUEST_BASE, RAM);
    const digest = createHash('sha256').update(state.bytes).update(bytes).digest('hex');
    const end = Number(state.gpr(15));
    const log: bigint[] = [];
    for (let at = LOG; at < end && at < RAM; at += 8) log.push(this.ram.getBigUint64(at, true));
    return {
      exit,
      instructions: this.vcpu.instructionCount() - this.startCount,
      state,
      digest,
      log,
      details: this.vcpu.counters().details,
    };
  }
}
