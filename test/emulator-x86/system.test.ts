// System instructions of the emulator core, one at a time: registers in, registers or exception out.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GUEST_BASE } from '../../assembly/layout/memory.js';
import * as L from '../../assembly/layout/x86-state.js';
import { createEmulatedVcpu, createGuestMemory } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import { X86State } from '../../src/vcpu/x86-state.js';

const core = new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));

const CODE = 0x1000;
const GDT = 0x2000;
const IDT = 0x3000;
const HANDLERS = 0x4000;
const STACK = 0x8000;
const DATA = 0x10000;
const TSS = 0x18000;
const TABLES = 0x20000;

type Mode = 'real' | 'protected' | 'long';
const GP = 13;
const UD = 6;
const DB = 1;

/** A machine of one vCPU and 4 MiB, in a mode with flat segments and a handler (HLT) for each exception. */
class Bench {
  readonly log: (string | number)[][] = [];
  portValue = 0x12345678;
  clock = 1000;
  readonly state = new X86State();
  readonly ram: DataView;

  private constructor(
    readonly memory: WebAssembly.Memory,
    readonly vcpu: ReturnType<typeof createEmulatedVcpu>,
  ) {
    this.ram = new DataView(memory.buffer, GUEST_BASE);
  }

  static async create(mode: Mode, model = 'max'): Promise<Bench> {
    const ramSize = 4 << 20;
    const memory = createGuestMemory(ramSize);
    const holder: { bench?: Bench } = {};
    const log = (...event: (string | number)[]) => holder.bench?.log.push(event);
    const vcpu = createEmulatedVcpu({
      memory,
      ramSize,
      regions: [{ start: 0, size: ramSize, kind: 'ram' }],
      wasm,
      cpu: findCpuModel(model),
      tscFrequency: 1e9,
      random: (into) => into.fill(0x9abcdef0),
      bus: {
        pioRead: (port, size) => {
          log('in', port, size);
          return holder.bench?.portValue ?? 0;
        },
        pioWrite: (port, size, value) => log('out', port, size, value),
        mmioRead: () => 0xffffffff,
        mmioWrite: () => undefined,
        acknowledgeInterrupt: () => -1,
        readTaskPriority: () => 5,
        writeTaskPriority: (cr8) => log('cr8', cr8),
        writeApicBase: (value) => log('apic', value),
        now: () => holder.bench?.clock ?? 0,
      },
    });
    const bench = new Bench(memory, vcpu);
    holder.bench = bench;
    bench.enter(mode);
    return bench;
  }

  enter(mode: Mode): void {
    const { state: s, ram } = this;
    X86State.reset(s);
    if (mode === 'real') {
      s.setSegment(L.SEG_CS, { selector: 0, base: 0n, limit: 0xffff, attr: 0x9b, unusable: false });
    } else {
      const long = mode === 'long';
      // 08 code, 10 data, for both the same flat descriptors as in the registers.
      ram.setBigUint64(GDT + 8, long ? 0x00af9b000000ffffn : 0x00cf9b000000ffffn, true);
      ram.setBigUint64(GDT + 16, 0x00cf93000000ffffn, true);
      const attr = long ? 0xa09b : 0xc09b;
      s.setSegment(L.SEG_CS, { selector: 8, base: 0n, limit: 0xffffffff, attr, unusable: false });
      for (const seg of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) {
        s.setSegment(seg, { selector: 16, base: 0n, limit: 0xffffffff, attr: 0xc093, unusable: false });
      }
      s.setU64(L.S_GDTR_BASE, BigInt(GDT));
      s.setU32(L.S_GDTR_LIMIT, 0x17);
      s.setU64(L.S_IDTR_BASE, BigInt(IDT));
      s.setU32(L.S_IDTR_LIMIT, 0xfff);
      new Uint8Array(this.memory.buffer, GUEST_BASE + IDT, 0x1000).fill(0);
      for (let vector = 0; vector < 32; vector++) {
        ram.setUint8(HANDLERS + 16 * vector, 0xf4);
        const gate = IDT + vector * (long ? 16 : 8);
        ram.setUint32(gate, (8 << 16) | (HANDLERS + 16 * vector), true);
        ram.setUint32(gate + 4, 0x8e00, true);
      }
      s.setU64(L.S_CR0, 0x11n);
      if (long) {
        // One PDPTE that maps the first 1 GiB through one page directory of 2 MiB pages.
        ram.setUint32(TABLES, (TABLES + 0x1000) | 3, true);
        ram.setUint32(TABLES + 0x1000, (TABLES + 0x2000) | 3, true);
        for (let i = 0; i < 2; i++) ram.setUint32(TABLES + 0x2000 + 8 * i, (i << 21) | 0x83, true);
        s.setU64(L.S_CR3, BigInt(TABLES));
        s.setU64(L.S_CR4, 0x20n);
        s.setU64(L.S_EFER, 0x500n);
        s.setU64(L.S_CR0, 0x80000011n);
      }
    }
    s.setGpr(4, BigInt(STACK));
  }

  /** Executes one instruction. Returns the vector of the exception that it raised, or null. */
  exec(code: number[]): number | null {
    new Uint8Array(this.memory.buffer, GUEST_BASE + CODE, code.length).set(code);
    this.vcpu.memoryWritten(CODE, code.length);
    this.state.rip = BigInt(CODE);
    this.vcpu.writeState(this.state);
    this.vcpu.step();
    this.vcpu.readState(this.state);
    const { rip } = this.state;
    const at = Number(rip) - HANDLERS;
    return at >= 0 && at < 512 ? at >> 4 : null;
  }

  moveToCr(n: number, value: bigint): number | null {
    this.state.setGpr(0, value);
    return this.exec([...(n === 8 ? [0x44] : []), 0x0f, 0x22, 0xc0 | ((n & 7) << 3)]);
  }
  moveToDr(n: number, value: bigint): number | null {
    this.state.setGpr(0, value);
    return this.exec([0x0f, 0x23, 0xc0 | (n << 3)]);
  }
  writeMsr(index: number, value: bigint): number | null {
    this.state.setGpr(1, BigInt(index));
    this.state.setGpr(0, BigInt.asUintN(32, value));
    this.state.setGpr(2, value >> 32n);
    return this.exec([0x0f, 0x30]);
  }
  /** The value, or null when it raised #GP. */
  readMsr(index: number): bigint | null {
    this.state.setGpr(1, BigInt(index));
    if (this.exec([0x0f, 0x32]) !== null) {
      this.state.setU64(L.S_RSP, BigInt(STACK));
      return null;
    }
    return (this.state.gpr(2) << 32n) | this.state.gpr(0);
  }
  flags(): bigint {
    return this.state.rflags;
  }
}

test('CR0: what may not be set', async () => {
  const b = await Bench.create('protected');
  assert.is(b.moveToCr(0, 0x80000010n), GP, 'PG without PE');
  b.enter('protected');
  assert.is(b.moveToCr(0, 0x20000011n), GP, 'NW without CD');
  b.enter('real');
  assert.is(b.moveToCr(0, 1n), null);
  assert.is(b.state.u64(L.S_CR0), 0x11n, 'ET is always set');
});

test('long mode is entered and left by CR0.PG', async () => {
  const b = await Bench.create('protected');
  assert.is(b.writeMsr(0xc0000080, 0x901n), null);
  assert.is(b.moveToCr(0, 0x80000011n), GP, 'CR4.PAE is needed');
  b.enter('long');
  b.enter('protected');
  b.state.setU64(L.S_EFER, 0x100n);
  b.state.setU64(L.S_CR4, 0x20n);
  b.state.setU64(L.S_CR3, BigInt(TABLES));
  assert.is(b.moveToCr(0, 0x80000011n), null);
  assert.is(b.state.u64(L.S_EFER), 0x500n);
  b.enter('long');
  assert.is(b.writeMsr(0xc0000080, 0n), GP, 'LME may not change while paging');
  b.enter('long');
  assert.is(b.moveToCr(0, 0x11n), GP, 'not from 64-bit mode');
  b.enter('long');
  assert.is(b.moveToCr(4, 0n), GP, 'PAE stays in long mode');
});

test('CR3, CR4, CR8: reserved bits', async () => {
  const b = await Bench.create('long');
  assert.is(b.moveToCr(3, 1n << 36n), GP);
  b.enter('long');
  assert.is(b.moveToCr(4, 0x21n), GP, 'VME');
  b.enter('long');
  assert.is(b.moveToCr(4, 0x340020n), null, 'SMAP, SMEP, OSXSAVE');
  assert.is(b.moveToCr(8, 7n), null);
  assert.equal(b.log, [['cr8', 7]]);
  assert.is(b.moveToCr(8, 16n), GP);
  b.enter('long');
  assert.is(b.exec([0x0f, 0x20, 0xc8]), UD, 'CR1');
  const old = await Bench.create('protected', 'i386');
  assert.is(old.moveToCr(4, 0x100000n), GP, 'a CPU without SMEP');
});

test('PAE paging refuses PDPTEs with reserved bits', async () => {
  const b = await Bench.create('protected');
  b.ram.setUint32(TABLES, 0x3, true);
  b.state.setU64(L.S_CR4, 0x20n);
  b.state.setU64(L.S_CR3, BigInt(TABLES));
  assert.is(b.moveToCr(0, 0x80000011n), GP);
});

test('MSRs', async () => {
  const b = await Bench.create('long');
  assert.is(b.readMsr(0x277), 0x0007040600070406n);
  assert.is(b.readMsr(0xfe), 0x508n);
  assert.is(b.readMsr(0x12345), null);
  for (const [msr, value, fault] of [
    [0x277, 0x0007010600070106n, null],
    [0x277, 2n, GP],
    [0xfe, 0n, GP],
    [0x200, 0xf00000006n, null],
    [0x200, 1n << 36n, GP],
    [0x201, 0xfff000800n, null],
    [0x201, 1n, GP],
    [0x2ff, 0xc06n, null],
    [0x2ff, 2n, GP],
    [0x26f, 0x0606060606060605n, null],
    [0xc0000082, 0xffff800000000000n, null],
    [0xc0000082, 0x800000000000n, GP],
    [0xc0000084, 1n << 32n, GP],
    [0x1b, 0xfee00d00n, GP],
    [0x1b, 0xfee01900n, null],
  ] as const) {
    b.enter('long');
    assert.is(b.writeMsr(msr, value), fault, `${msr.toString(16)} = ${value.toString(16)}`);
    if (fault === null) assert.is(b.readMsr(msr), value);
  }
  assert.equal(b.log, [['apic', 0xfee01900]]);
  const old = await Bench.create('protected', 'i386');
  assert.is(old.readMsr(0xc0000082), null, 'no SYSCALL, no LSTAR');
});

test('the time-stamp counter is strictly monotonic and can be set', async () => {
  const b = await Bench.create('protected');
  const read = () => {
    b.exec([0x0f, 0x31]);
    return (b.state.gpr(2) << 32n) | b.state.gpr(0);
  };
  const first = read();
  assert.ok(read() > first);
  b.clock += 500;
  assert.ok(read() >= first + 500n);
  assert.is(b.writeMsr(0x10, 1n << 40n), null);
  const set = read();
  assert.ok(set > 1n << 40n && set < (1n << 40n) + 16n);
});

test('CPUID follows CR4.OSXSAVE and the APIC base', async () => {
  const b = await Bench.create('protected');
  const leaf1 = () => {
    b.state.setGpr(0, 1n);
    b.state.setGpr(1, 0n);
    b.exec([0x0f, 0xa2]);
    return [(b.state.gpr(1) >> 27n) & 1n, (b.state.gpr(2) >> 9n) & 1n];
  };
  assert.equal(leaf1(), [0n, 1n]);
  b.state.setU64(L.S_CR4, 0x40000n);
  b.state.setU64(L.S_MSR_APIC_BASE, 0xfee00100n);
  assert.equal(leaf1(), [1n, 0n]);
});

test('POPF at CPL 0: all but VM, VIF and VIP; RF is cleared', async () => {
  const b = await Bench.create('protected');
  b.ram.setUint32(STACK, 0xffffffff, true);
  // TF would trap after the next instruction; the one that pops does not trap itself.
  assert.is(b.exec([0x9d]), null);
  assert.is(b.flags(), 0x247fd7n);
  assert.is(b.state.gpr(4), BigInt(STACK + 4));
  b.enter('protected');
  b.ram.setUint16(STACK, 0, true);
  b.state.rflags = 0x240ed7n;
  assert.is(b.exec([0x66, 0x9d]), null);
  assert.is(b.flags(), 0x240002n);
});

test('CLI, STI and POPF obey IOPL', async () => {
  const b = await Bench.create('protected');
  const user = (flags: bigint) => {
    b.enter('protected');
    b.state.rflags = flags;
    const cs = b.state.segment(L.SEG_CS);
    b.state.setSegment(L.SEG_CS, { ...cs, selector: 0x1b, attr: 0xc0fb });
    b.state.setSegment(L.SEG_SS, { ...b.state.segment(L.SEG_SS), selector: 0x23, attr: 0xc0f3 });
    // Faults go to ring 0 by way of this TSS.
    b.state.setSegment(L.SEG_TR, { selector: 0x28, base: BigInt(TSS), limit: 0x67, attr: 0x8b, unusable: false });
    b.ram.setUint32(TSS + 4, STACK, true);
    b.ram.setUint16(TSS + 8, 0x10, true);
  };
  user(2n);
  assert.is(b.exec([0xfb]), GP);
  user(0x3002n);
  assert.is(b.exec([0xfb]), null);
  assert.is(b.flags(), 0x3202n);
  assert.is(b.state.u32(L.S_INT_SHADOW), L.SHADOW_STI);
  user(0x202n);
  b.ram.setUint32(STACK, 0x3000, true);
  assert.is(b.exec([0x9d]), null);
  assert.is(b.flags(), 0x202n, 'IF and IOPL stay');
  user(2n);
  assert.is(b.exec([0xf4]), GP, 'HLT');
  user(2n);
  assert.is(b.exec([0x0f, 0x20, 0xc0]), GP, 'MOV from CR0');
  user(2n);
  b.state.setU64(L.S_CR4, BigInt(L.CR4_UMIP));
  assert.is(b.exec([0x0f, 0x01, 0xe0]), GP, 'SMSW under UMIP');
  user(2n);
  b.state.setU64(L.S_CR4, BigInt(L.CR4_TSD));
  assert.is(b.exec([0x0f, 0x31]), GP, 'RDTSC under TSD');
});

test('LAHF, SAHF and the carry flag', async () => {
  const b = await Bench.create('protected');
  b.state.setGpr(0, 0xff00n);
  b.state.rflags = 0x802n;
  b.exec([0x9e]);
  assert.is(b.flags(), 0x8d7n);
  b.exec([0xf5]);
  assert.is(b.flags(), 0x8d6n);
  b.exec([0xf9]);
  b.exec([0xfd]);
  assert.is(b.flags(), 0xcd7n);
  b.exec([0x9f]);
  assert.is(b.state.gpr(0), 0xd700n);
  b.exec([0xf8]);
  b.exec([0xfc]);
  assert.is(b.flags(), 0x8d6n);
});

test('SYSCALL and SYSRET', async () => {
  const b = await Bench.create('long');
  const setUp = (efer: bigint) => {
    b.enter('long');
    b.state.setU64(L.S_EFER, efer);
    b.state.setU64(L.S_MSR_STAR, 0x0023001000000000n);
    b.state.setU64(L.S_MSR_LSTAR, 0x5000n);
    b.state.setU64(L.S_MSR_FMASK, 0x700n);
  };
  setUp(0x500n);
  assert.is(b.exec([0x0f, 0x05]), UD, 'EFER.SCE is clear');
  setUp(0x501n);
  b.state.rflags = 0x647n;
  assert.is(b.exec([0x0f, 0x05]), null);
  assert.is(b.state.rip, 0x5000n);
  assert.is(b.state.gpr(1), BigInt(CODE + 2));
  assert.is(b.state.gpr(11), 0x647n);
  assert.is(b.flags(), 0x47n);
  assert.equal([b.state.segment(L.SEG_CS).selector, b.state.segment(L.SEG_SS).selector], [0x10, 0x18]);
  setUp(0x501n);
  b.state.setGpr(1, 0x800000000000n);
  assert.is(b.exec([0x48, 0x0f, 0x07]), GP, 'target not canonical');
  setUp(0x501n);
  b.state.setGpr(1, 0x6000n);
  b.state.setGpr(11, 0xffffffffn);
  assert.is(b.exec([0x48, 0x0f, 0x07]), null);
  assert.is(b.state.rip, 0x6000n);
  assert.is(b.flags(), 0x3c7fd7n);
  assert.equal([b.state.segment(L.SEG_CS).selector, b.state.segment(L.SEG_SS).selector], [0x33, 0x2b]);
  assert.is(b.state.cpl, 3);
  setUp(0x501n);
  b.state.setGpr(1, 0x6000n);
  b.state.setGpr(11, 2n);
  assert.is(b.exec([0x0f, 0x07]), null);
  assert.equal([b.state.segment(L.SEG_CS).selector, b.state.segment(L.SEG_CS).attr], [0x23, 0xc0fb]);
});

test('SYSENTER and SYSEXIT', async () => {
  const b = await Bench.create('protected');
  assert.is(b.exec([0x0f, 0x34]), GP, 'SYSENTER_CS is null');
  b.enter('protected');
  b.state.setU64(L.S_MSR_SYSENTER_CS, 8n);
  b.state.setU64(L.S_MSR_SYSENTER_ESP, 0x9000n);
  b.state.setU64(L.S_MSR_SYSENTER_EIP, 0x5000n);
  b.state.rflags = 0x202n;
  assert.is(b.exec([0x0f, 0x34]), null);
  assert.equal([b.state.rip, b.state.gpr(4), b.flags()], [0x5000n, 0x9000n, 2n]);
  b.state.setGpr(1, 0x7000n);
  b.state.setGpr(2, 0x6000n);
  assert.is(b.exec([0x0f, 0x35]), null);
  assert.equal([b.state.rip, b.state.gpr(4), b.state.cpl], [0x6000n, 0x7000n, 3]);
  assert.equal([b.state.segment(L.SEG_CS).selector, b.state.segment(L.SEG_SS).selector], [0x1b, 0x23]);
});

test('debug registers: fixed bits, aliases, general detect', async () => {
  const b = await Bench.create('protected');
  assert.is(b.moveToDr(6, 0n), null);
  assert.is(b.state.u64(L.S_DR6), 0xffff0ff0n);
  assert.is(b.moveToDr(5, 0x2000n), null, 'DR5 is DR7 while CR4.DE is clear');
  assert.is(b.state.u64(L.S_DR7), 0x2400n);
  assert.is(b.moveToDr(0, 0n), DB, 'GD');
  assert.is(b.state.u64(L.S_DR6), 0xffff2ff0n);
  assert.is(b.state.u64(L.S_DR7), 0x400n, 'GD is cleared on the way to the handler');
  b.enter('protected');
  b.state.setU64(L.S_CR4, 8n);
  assert.is(b.moveToDr(4, 0n), UD);
});

test('an instruction breakpoint is a fault, and RF suppresses it', async () => {
  const b = await Bench.create('protected');
  b.state.setU64(L.S_DR0, BigInt(CODE));
  b.state.setU64(L.S_DR7, 0x402n);
  b.state.rflags = 0x10002n;
  assert.is(b.exec([0x90]), null);
  assert.is(b.flags() & 0x10000n, 0n);
  b.enter('protected');
  b.state.setU64(L.S_DR0, BigInt(CODE));
  b.state.setU64(L.S_DR7, 0x402n);
  // Delivering the exception leaves the handler's HLT as the instruction executed.
  assert.is(b.exec([0x90]), DB);
  assert.is(b.state.u64(L.S_DR6) & 0xfn, 1n);
});

test('IN and OUT by size', async () => {
  const b = await Bench.create('long');
  b.state.setGpr(0, 0xffffffffffffffffn);
  b.state.setGpr(2, 0x3f8n);
  b.exec([0xec]);
  assert.is(b.state.gpr(0), 0xffffffffffffff78n);
  b.exec([0x66, 0xed]);
  assert.is(b.state.gpr(0), 0xffffffffffff5678n);
  b.exec([0x48, 0xed]);
  assert.is(b.state.gpr(0), 0x12345678n);
  b.exec([0xe7, 0x80]);
  assert.equal(b.log, [
    ['in', 0x3f8, 1],
    ['in', 0x3f8, 2],
    ['in', 0x3f8, 4],
    ['out', 0x80, 4, 0x12345678],
  ]);
});

test('REP INS and OUTS: direction, batches, memory checked before the port', async () => {
  const b = await Bench.create('protected');
  b.state.setGpr(1, 3n);
  b.state.setGpr(2, 0x1f0n);
  b.state.setGpr(7, BigInt(DATA));
  assert.is(b.exec([0xf3, 0x66, 0x6d]), null);
  assert.equal([b.state.gpr(1), b.state.gpr(7)], [0n, BigInt(DATA + 6)]);
  assert.is(b.ram.getUint32(DATA + 2, true), 0x56785678);
  b.log.length = 0;
  b.state.setGpr(1, 5000n);
  b.state.setGpr(6, BigInt(DATA + 5));
  b.state.rflags = 0x402n;
  b.exec([0xf3, 0x6e]);
  assert.equal([b.state.gpr(1), b.state.rip], [5000n - BigInt(b.log.length), BigInt(CODE)]);
  assert.is(b.state.gpr(6), BigInt(DATA + 5 - b.log.length));
  assert.equal(b.log[1], ['out', 0x1f0, 1, 0x78]);
  b.log.length = 0;
  b.enter('protected');
  b.state.setSegment(L.SEG_ES, { selector: 16, base: 0n, limit: 0xfff, attr: 0x4093, unusable: false });
  b.state.setGpr(7, 0x1000n);
  assert.is(b.exec([0x6c]), GP);
  assert.equal(b.log, []);
});

test('the I/O permission bitmap', async () => {
  const b = await Bench.create('protected');
  const read = (port: number, code: number, limit: number) => {
    b.enter('protected');
    b.state.setSegment(L.SEG_CS, { ...b.state.segment(L.SEG_CS), selector: 0x1b, attr: 0xc0fb });
    b.state.setSegment(L.SEG_SS, { ...b.state.segment(L.SEG_SS), selector: 0x23, attr: 0xc0f3 });
    b.state.setSegment(L.SEG_TR, { selector: 0x28, base: BigInt(TSS), limit, attr: 0x8b, unusable: false });
    b.ram.setUint32(TSS + 4, STACK, true);
    b.ram.setUint16(TSS + 8, 0x10, true);
    b.ram.setUint16(TSS + 102, 0x68, true);
    // Port 27 is closed.
    b.ram.setUint8(TSS + 0x68 + 4, 0x80);
    return b.exec([code, port]);
  };
  assert.is(read(0x26, 0xe4, 0x70), null);
  assert.is(read(0x27, 0xe4, 0x70), GP);
  assert.is(read(0x26, 0xe5, 0x70), GP, 'four ports from 26 on');
  assert.is(read(0x28, 0xe4, 0x70), null);
  assert.is(read(0x3f, 0xe4, 0x70), null, 'the byte after it is still inside');
  assert.is(read(0x40, 0xe4, 0x70), GP, 'two bytes are read, the second beyond the limit');
  assert.is(read(0x26, 0xe4, 0x66), GP, 'no room for the map base');
});

test('descriptor-table registers', async () => {
  const b = await Bench.create('protected');
  b.ram.setUint16(DATA, 0x7f, true);
  b.ram.setUint32(DATA + 2, 0x12345678, true);
  b.state.setGpr(3, BigInt(DATA));
  assert.is(b.exec([0x0f, 0x01, 0x1b]), null);
  assert.equal([b.state.u64(L.S_IDTR_BASE), b.state.u32(L.S_IDTR_LIMIT)], [0x12345678n, 0x7f]);
  assert.is(b.exec([0x66, 0x0f, 0x01, 0x13]), null);
  assert.is(b.state.u64(L.S_GDTR_BASE), 0x345678n, 'a 16-bit operand size loads 24 bits');
  b.state.setGpr(3, BigInt(DATA + 16));
  assert.is(b.exec([0x0f, 0x01, 0x0b]), null);
  assert.equal([b.ram.getUint16(DATA + 16, true), b.ram.getUint32(DATA + 18, true)], [0x7f, 0x12345678]);
});

test('XCR0, RDRAND, FS base, SMSW, hypercalls', async () => {
  const b = await Bench.create('long');
  assert.is(b.exec([0x0f, 0x01, 0xd0]), UD, 'XGETBV without CR4.OSXSAVE');
  const setXcr0 = (value: bigint) => {
    b.enter('long');
    b.state.setU64(L.S_CR4, 0x40020n);
    b.state.setGpr(0, value);
    return b.exec([0x0f, 0x01, 0xd1]);
  };
  assert.is(setXcr0(2n), GP);
  assert.is(setXcr0(7n), GP);
  assert.is(setXcr0(3n), null);
  assert.is(b.state.u64(L.S_XCR0), 3n);
  b.state.rflags = 0x8d7n;
  b.exec([0x48, 0x0f, 0xc7, 0xf3]);
  assert.equal([b.state.gpr(3), b.flags()], [0x9abcdef09abcdef0n, 3n]);
  assert.is(b.exec([0xf3, 0x48, 0x0f, 0xae, 0xc0]), UD, 'RDFSBASE without CR4.FSGSBASE');
  b.enter('long');
  b.state.setU64(L.S_CR4, 0x10020n);
  b.state.setGpr(0, 0x123456789000n);
  assert.is(b.exec([0xf3, 0x48, 0x0f, 0xae, 0xd0]), null);
  assert.is(b.state.segment(L.SEG_FS).base, 0x123456789000n);
  assert.is(b.exec([0x66, 0x0f, 0x01, 0xe3]), null);
  assert.is(b.state.gpr(3) & 0xffffn, 0x11n);
  assert.is(b.exec([0x0f, 0x01, 0xc1]), null);
  assert.is(b.state.rip, BigInt(CODE + 3));
});

test('INVLPG drops every piece of a large page', async () => {
  const b = await Bench.create('long');
  const at = (page: number) => 0x200000 + page * 0x1000;
  b.ram.setUint8(at(5), 0x55);
  const load5 = () => {
    b.state.setGpr(3, BigInt(at(5)));
    b.exec([0x8a, 0x03]);
    return b.state.gpr(0) & 0xffn;
  };
  assert.is(load5(), 0x55n);
  // Another part of the page is named after the directory entry has been made to point elsewhere.
  b.ram.setUint32(TABLES + 0x2008, 0x83, true);
  b.state.setGpr(3, BigInt(at(9)));
  assert.is(b.exec([0x0f, 0x01, 0x3b]), null);
  b.ram.setUint8(0x5000, 0x77);
  assert.is(load5(), 0x77n);
});

test.run();
