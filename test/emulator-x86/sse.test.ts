// What SSE and MMX instructions do besides computing: MXCSR, exceptions, the x87 state that MMX shares.
// (Results are compared with processors by the recorded instruction tests.)

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

const CODE = 0x1000;
const IDT = 0x3000;
const HANDLERS = 0x4000;
const DATA = 0x10000;

const UD = 6;
const NM = 7;
const GP = 13;
const MF = 16;
const XM = 19;

// MXCSR
const IE = 0x1;
const DE = 0x2;
const ZE = 0x4;
const UE = 0x10;
const PE = 0x20;
const DAZ = 0x40;
const MASKED = 0x1f80;
const FTZ = 0x8000;

const memory = createGuestMemory(1 << 20);
const ram = new DataView(memory.buffer, GUEST_BASE);
const vcpu = createEmulatedVcpu({
  memory,
  ramSize: 1 << 20,
  regions: [{ start: 0, size: 1 << 20, kind: 'ram' }],
  wasm: new WebAssembly.Module(readFileSync(core)),
  cpu: findCpuModel('max'),
  tscFrequency: 1e9,
  random: (into) => into.fill(0),
  bus: {
    pioRead: () => 0xffffffff,
    pioWrite: () => undefined,
    mmioRead: () => 0xffffffff,
    mmioWrite: () => undefined,
    acknowledgeInterrupt: () => -1,
    readTaskPriority: () => 0,
    writeTaskPriority: () => undefined,
    writeApicBase: () => undefined,
    now: () => 0,
  },
});

/** A state in flat 32-bit protected mode, SSE enabled, with a handler (HLT) for each exception. */
function fresh(): X86State {
  const s = X86State.reset();
  s.setSegment(L.SEG_CS, { selector: 8, base: 0n, limit: 0xffffffff, attr: 0xc09b, unusable: false });
  for (const seg of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) {
    s.setSegment(seg, { selector: 16, base: 0n, limit: 0xffffffff, attr: 0xc093, unusable: false });
  }
  ram.setBigUint64(0x2008, 0x00cf9b000000ffffn, true);
  ram.setBigUint64(0x2010, 0x00cf93000000ffffn, true);
  s.setU64(L.S_GDTR_BASE, 0x2000n);
  s.setU32(L.S_GDTR_LIMIT, 0x17);
  s.setU64(L.S_IDTR_BASE, BigInt(IDT));
  s.setU32(L.S_IDTR_LIMIT, 0xff);
  for (let vector = 0; vector < 32; vector++) {
    ram.setUint8(HANDLERS + 16 * vector, 0xf4);
    ram.setUint32(IDT + 8 * vector, (8 << 16) | (HANDLERS + 16 * vector), true);
    ram.setUint32(IDT + 8 * vector + 4, 0x8e00, true);
  }
  s.setU64(L.S_CR0, BigInt(L.CR0_PE | L.CR0_ET | L.CR0_NE));
  s.setU64(L.S_CR4, BigInt(L.CR4_OSFXSR | L.CR4_OSXMMEXCPT));
  s.setU32(L.S_MXCSR, MASKED);
  s.setGpr(4, 0x8000n);
  s.setGpr(7, BigInt(DATA));
  return s;
}

/** Executes one instruction; returns the vector of the exception that it raised, or null. */
function exec(s: X86State, ...code: number[]): number | null {
  new Uint8Array(memory.buffer, GUEST_BASE + CODE, code.length).set(code);
  vcpu.memoryWritten(CODE, code.length);
  s.rip = BigInt(CODE);
  vcpu.writeState(s);
  vcpu.step();
  vcpu.readState(s);
  const at = Number(s.rip) - HANDLERS;
  return at >= 0 && at < 512 ? at >> 4 : null;
}

function setXmm(s: X86State, n: number, low: bigint, high = 0n): void {
  s.setU64(L.S_XMM + 16 * n, low);
  s.setU64(L.S_XMM + 16 * n + 8, high);
}
const xmm = (s: X86State, n: number): bigint => s.u64(L.S_XMM + 16 * n);

function double(v: number): bigint {
  return new BigUint64Array(new Float64Array([v]).buffer)[0];
}

const ADDSD = [0xf2, 0x0f, 0x58, 0xc1]; // ADDSD xmm0, xmm1
const MULSD = [0xf2, 0x0f, 0x59, 0xc1];
const DIVSD = [0xf2, 0x0f, 0x5e, 0xc1];

/** xmm0 op xmm1: result, and flags raised in MXCSR. */
function scalar(code: number[], a: bigint, b: bigint, control = MASKED): { r: bigint; flags: number } {
  const s = fresh();
  s.setU32(L.S_MXCSR, control);
  setXmm(s, 0, a);
  setXmm(s, 1, b);
  assert.is(exec(s, ...code), null);
  return { r: xmm(s, 0), flags: s.u32(L.S_MXCSR) & 0x3f };
}

test('flags tell exact from inexact results', () => {
  assert.equal(scalar(ADDSD, double(1), double(2)), { r: double(3), flags: 0 });
  assert.equal(scalar(ADDSD, double(1), double(1e-30)), { r: double(1), flags: PE });
  assert.equal(scalar(MULSD, double(3), double(0.5)), { r: double(1.5), flags: 0 });
  assert.equal(scalar(DIVSD, double(10), double(4)), { r: double(2.5), flags: 0 });
  assert.equal(scalar(DIVSD, double(1), double(3)), { r: double(1 / 3), flags: PE });
  assert.equal(scalar(DIVSD, double(1), double(0)), { r: double(Infinity), flags: ZE });
});

test('rounding control', () => {
  const third = double(1 / 3);
  const RC = (mode: number) => MASKED | (mode << 13);
  assert.is(scalar(DIVSD, double(1), double(3), RC(1)).r, third);
  assert.is(scalar(DIVSD, double(1), double(3), RC(2)).r, third + 1n);
  assert.is(scalar(DIVSD, double(-1), double(3), RC(1)).r, double(-1 / 3) + 1n);
  assert.is(scalar(ADDSD, double(1), double(-1), RC(1)).r, double(-0));
});

test('NaNs: the first operand, quieted', () => {
  const signaling = 0x7ff0000000000001n;
  const quiet = 0xfff8000000000123n;
  assert.equal(scalar(ADDSD, quiet, double(1)), { r: quiet, flags: 0 });
  assert.equal(scalar(ADDSD, quiet, signaling), { r: quiet, flags: IE });
  assert.equal(scalar(ADDSD, signaling, quiet), { r: 0x7ff8000000000001n, flags: IE });
  assert.equal(scalar(ADDSD, double(Infinity), double(-Infinity)), { r: 0xfff8000000000000n, flags: IE });
});

test('denormals, DAZ and FTZ', () => {
  const tiny = 1n;
  const minNormal = 0x10000000000000n;
  assert.equal(scalar(ADDSD, tiny, tiny), { r: 2n, flags: DE });
  assert.equal(scalar(ADDSD, tiny, double(1), MASKED | DAZ), { r: double(1), flags: 0 });
  assert.equal(scalar(MULSD, minNormal, double(0.5)), { r: 0x8000000000000n, flags: 0 });
  assert.equal(scalar(MULSD, minNormal + 1n, double(0.5)), { r: 0x8000000000000n, flags: UE | PE });
  assert.equal(scalar(MULSD, minNormal, double(0.5), MASKED | FTZ), { r: 0n, flags: UE | PE });
});

test('an unmasked exception raises #XM and writes nothing, or #UD if the system does not know #XM', () => {
  for (const known of [true, false]) {
    const s = fresh();
    if (!known) s.setU64(L.S_CR4, BigInt(L.CR4_OSFXSR));
    s.setU32(L.S_MXCSR, MASKED & ~(ZE << 7));
    setXmm(s, 0, double(1), 5n);
    setXmm(s, 1, double(0));
    assert.is(exec(s, ...DIVSD), known ? XM : UD);
    assert.is(xmm(s, 0), double(1));
    assert.is(s.u32(L.S_MXCSR) & 0x3f, ZE);
  }
});

test('COMISD takes offence at quiet NaNs, UCOMISD does not', () => {
  for (const [opcode, flags] of [
    [0x2f, IE],
    [0x2e, 0],
  ]) {
    const s = fresh();
    setXmm(s, 0, 0x7ff8000000000000n);
    assert.is(exec(s, 0x66, 0x0f, opcode, 0xc1), null);
    assert.is(Number(s.rflags) & L.FLAGS_ARITH, L.FLAG_ZF | L.FLAG_PF | L.FLAG_CF);
    assert.is(s.u32(L.S_MXCSR) & 0x3f, flags);
  }
});

test('alignment: MOVAPS and memory operands want 16 bytes, MOVUPS does not', () => {
  const at = (code: number[], offset: number) => {
    const s = fresh();
    s.setGpr(7, BigInt(DATA + offset));
    return exec(s, ...code);
  };
  assert.is(at([0x0f, 0x28, 0x07], 8), GP);
  assert.is(at([0x0f, 0x28, 0x07], 16), null);
  assert.is(at([0x0f, 0x10, 0x07], 8), null);
  assert.is(at([0x0f, 0x58, 0x07], 4), GP);
  assert.is(at([0xf3, 0x0f, 0x58, 0x07], 4), null);
});

test('LDMXCSR: reserved bits raise #GP', () => {
  const s = fresh();
  ram.setUint32(DATA, 0x10000 | MASKED, true);
  assert.is(exec(s, 0x0f, 0xae, 0x17), GP);
  ram.setUint32(DATA, 0xffbf, true);
  const t = fresh();
  assert.is(exec(t, 0x0f, 0xae, 0x17), null);
  assert.is(t.u32(L.S_MXCSR), 0xffbf);
});

test('CR0.EM, CR0.TS and CR4.OSFXSR', () => {
  const MOVAPS = [0x0f, 0x28, 0xc1];
  const PADDB = [0x0f, 0xfc, 0xc1];
  const SFENCE = [0x0f, 0xae, 0xf8];
  const run = (code: number[], cr0: number, cr4 = L.CR4_OSFXSR) => {
    const s = fresh();
    s.setU64(L.S_CR0, BigInt(L.CR0_PE | L.CR0_NE | cr0));
    s.setU64(L.S_CR4, BigInt(cr4));
    return exec(s, ...code);
  };
  assert.equal([run(MOVAPS, 0), run(PADDB, 0)], [null, null]);
  assert.equal([run(MOVAPS, L.CR0_TS), run(PADDB, L.CR0_TS)], [NM, NM]);
  assert.equal([run(MOVAPS, L.CR0_EM), run(PADDB, L.CR0_EM)], [UD, UD]);
  assert.equal([run(MOVAPS, 0, 0), run(PADDB, 0, 0)], [UD, null]);
  assert.is(run(SFENCE, L.CR0_EM | L.CR0_TS, 0), null);
});

test('MMX writes take over the x87 registers; EMMS gives them back', () => {
  const s = fresh();
  s.setU16(L.S_FSW, 5 << 11);
  s.setU16(L.S_FTW, 0xffff);
  s.setU64(L.S_FPR + 16, 0x0102030405060708n);
  s.setU64(L.S_FPR + 32, 0x00ff00ff00ff00ffn);
  assert.is(exec(s, 0x0f, 0xfc, 0xca), null); // PADDB mm1, mm2
  assert.is(s.u64(L.S_FPR + 16), 0x0101030305050707n);
  assert.is(s.u16(L.S_FPR + 24), 0xffff);
  assert.is(s.u16(L.S_FSW) & 0x3800, 0);
  assert.is(s.u16(L.S_FTW), 0);
  assert.is(exec(s, 0x0f, 0x77), null);
  assert.is(s.u16(L.S_FTW), 0xffff);
});

test('a pending x87 exception is reported by the next MMX instruction', () => {
  const s = fresh();
  s.setU16(L.S_FCW, 0x37e);
  s.setU16(L.S_FSW, 0x8081);
  assert.is(exec(s, 0x0f, 0xfc, 0xca), MF);
});

test('PCMPISTRI finds the end of a string', () => {
  const s = fresh();
  setXmm(s, 0, 0xff01n); // the range 01–FF: anything but zero
  setXmm(s, 1, 0x6f6c6c6568n); // "hello"
  assert.is(exec(s, 0x66, 0x0f, 0x3a, 0x63, 0xc1, 0x14), null);
  assert.is(s.gpr(1), 5n);
  assert.ok(Number(s.rflags) & L.FLAG_ZF);
});

test.run();
