// The layouts that TypeScript and the AssemblyScript core share: nothing overlaps, and the core agrees.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as M from '../../assembly/layout/memory.js';
import * as L from '../../assembly/layout/x86-state.js';
import { createEmulatedVcpu, createGuestMemory } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import { X86State } from '../../src/vcpu/x86-state.js';

/** Bytes of each slot, where it is not one u64. */
const SIZES: Record<string, number> = {
  S_SEG: 8 * L.SEG_SIZE,
  S_MSR_MTRR_VAR: 16 * 8,
  S_MSR_MTRR_FIX: 11 * 8,
  S_DR0: 4 * 8,
  S_FPR: 8 * 16,
  S_XMM: 16 * 16,
  S_T0: L.TEMPS * 8,
  S_V0: L.VTEMPS * 16,
  S_PDPTE: 4 * 8,
  S_STATS: 8,
};
const U16 = ['S_FCW', 'S_FSW', 'S_FTW', 'S_FOP', 'S_FCS', 'S_FDS'];
const U32 = [
  ...['S_GDTR_LIMIT', 'S_IDTR_LIMIT', 'S_ACTIVITY', 'S_INT_SHADOW', 'S_NMI_BLOCKED', 'S_NMI_PENDING', 'S_MXCSR'],
  ...['S_CC_OP', 'S_ATTENTION', 'S_INTR', 'S_KICK', 'S_FAULT', 'S_FAULT_CODE', 'S_FAULT_HAS_CODE', 'S_EXIT'],
  ...['S_EXIT_DETAIL', 'S_CPL', 'S_TLB', 'S_MODE', 'S_A20_MASK', 'S_SMC', 'S_CPU_FEATURES', 'S_WRAP32'],
  'S_EXIT_REQUEST',
];

function sizeOf(name: string): number {
  if (U16.includes(name)) return 2;
  return SIZES[name] ?? (U32.includes(name) || name.startsWith('S_JIT_') ? 4 : 8);
}

interface Part {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function assertApart(parts: readonly Part[]): void {
  const sorted = [...parts].sort((a, b) => a.start - b.start);
  sorted.slice(1).forEach((part, i) => {
    const previous = sorted[i];
    assert.ok(
      part.start >= previous.end,
      `${previous.name} reaches to ${previous.end}, ${part.name} is at ${part.start}`,
    );
  });
}

const slots: Part[] = Object.entries(L)
  .filter(([name]) => name.startsWith('S_'))
  .map(([name, start]) => ({ name, start, end: start + sizeOf(name) }));

test('state slots do not overlap, and are naturally aligned', () => {
  assert.ok(slots.length > 80, 'the slots were found');
  assertApart(slots);
  for (const { name, start } of slots) {
    const alignment = Math.min(8, sizeOf(name));
    assert.is(start % alignment, 0, name);
    assert.ok(start < 0x10000, `${name} does not fit in an operation's 16 bits`);
  }
  assert.is(L.S_XMM % 16, 0);
  assert.is(L.S_V0 % 16, 0);
  assert.is(L.S_FPR % 16, 0);
});

test('the architectural part ends where it says, and the block where it may', () => {
  const architectural = slots.filter(({ start }) => start < L.X86_STATE_SIZE);
  assert.ok(architectural.every(({ end }) => end <= L.X86_STATE_SIZE));
  assert.is(Math.max(...architectural.map(({ end }) => end)), L.X86_STATE_SIZE);
  assert.ok(slots.every(({ end }) => end <= M.STATE_SIZE));
});

test('the fields of a segment register do not overlap', () => {
  assertApart([
    { name: 'base', start: L.SEG_BASE, end: L.SEG_BASE + 8 },
    { name: 'limit', start: L.SEG_LIMIT, end: L.SEG_LIMIT + 4 },
    { name: 'selector', start: L.SEG_SELECTOR, end: L.SEG_SELECTOR + 2 },
    { name: 'attr', start: L.SEG_ATTR, end: L.SEG_ATTR + 2 },
    { name: 'unusable', start: L.SEG_UNUSABLE, end: L.SEG_UNUSABLE + 4 },
    { name: 'end', start: L.SEG_SIZE, end: L.SEG_SIZE },
  ]);
});

test('the regions of the memory do not overlap and lie below guest RAM', () => {
  assertApart([
    { name: 'state', start: M.STATE, end: M.STATE + M.STATE_SIZE },
    { name: 'core data', start: M.CORE_DATA, end: M.CORE_DATA + 0x10000 },
    { name: 'soft TLBs', start: M.TLB_BASE, end: M.TLB_BASE + 3 * M.TLB_SIZE },
    { name: 'transfer buffer', start: M.TRANSFER, end: M.TRANSFER + M.TRANSFER_SIZE },
    { name: 'opcode attributes', start: M.DECODE_TABLE, end: M.DECODE_TABLE + 2 * 4 * 256 },
    { name: 'page info', start: M.PAGE_INFO, end: M.PAGE_INFO + M.PAGE_INFO_SIZE },
    { name: 'blocks', start: M.BLOCKS_BASE, end: M.BLOCKS_END },
    { name: 'guest RAM', start: M.GUEST_BASE, end: M.GUEST_BASE + M.MAX_GUEST_RAM },
  ]);
  assert.is(M.TLB_SIZE, M.TLB_ENTRY << M.TLB_BITS);
  assert.is(M.PAGE_INFO_SIZE, 4 * 0x100000, 'a word for each frame of 4 GiB');
  assert.is(M.GUEST_BASE % 4096, 0);
  assert.ok(M.GUEST_BASE + M.MAX_GUEST_RAM <= 2 ** 32, 'a 32-bit memory holds it all');
});

const core = process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));

/** Reads the data section: where does the core's static data lie? (WebAssembly core specification, 5.5.14.) */
function staticData(bytes: Uint8Array): Part[] {
  let at = 8;
  const leb = (): number => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) return value;
    }
  };
  const parts: Part[] = [];
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = leb();
    const end = at + size;
    if (id === 11) {
      for (let count = leb(); count > 0; count--) {
        const kind = leb();
        assert.is(kind, 0, 'active segments of memory 0');
        assert.is(bytes[at++], 0x41, 'i32.const');
        const start = leb();
        assert.is(bytes[at++], 0x0b, 'end');
        const length = leb();
        parts.push({ name: `data at ${start}`, start, end: start + length });
        at += length;
      }
    }
    at = end;
  }
  return parts;
}

test("the core's static data lies in its room", () => {
  const parts = staticData(readFileSync(core));
  assert.ok(parts.length > 0);
  assertApart(parts);
  assert.ok(parts.every(({ start, end }) => start >= M.CORE_DATA && end <= M.TLB_BASE));
});

test('the core reads and writes the slots that TypeScript means', async () => {
  // Real mode at 0x1000: mov sp, 1234h; mov ax, ds; xor bx, bx (ZF, PF); hlt
  const memory = createGuestMemory(0x100000);
  new Uint8Array(memory.buffer).set([0xbc, 0x34, 0x12, 0x8c, 0xd8, 0x31, 0xdb, 0xf4], M.GUEST_BASE + 0x1000);
  const vcpu = createEmulatedVcpu({
    memory,
    ramSize: 0x100000,
    regions: [{ start: 0, size: 0x100000, kind: 'ram' }],
    bus: {
      pioRead: () => 0,
      pioWrite: () => undefined,
      mmioRead: () => 0,
      mmioWrite: () => undefined,
      acknowledgeInterrupt: () => -1,
      readTaskPriority: () => 0,
      writeTaskPriority: () => undefined,
      writeApicBase: () => undefined,
      now: () => 0,
    },
    wasm,
    cpu: findCpuModel('max'),
    tscFrequency: 1e9,
  });
  const state = X86State.reset();
  state.setSegment(L.SEG_CS, { selector: 0, base: 0n, limit: 0xffff, attr: 0x9b, unusable: false });
  state.setSegment(L.SEG_DS, { selector: 0x4321, base: 0x43210n, limit: 0xffff, attr: 0x93, unusable: false });
  state.rip = 0x1000n;
  vcpu.writeState(state);
  assert.equal(vcpu.run({ instructions: 10, nanoseconds: 1e6 }), { reason: 'halt' });
  const after = new X86State();
  vcpu.readState(after);
  assert.is(after.gpr(4), 0x1234n);
  assert.is(after.gpr(0), 0x4321n);
  assert.is(after.rflags, 0x46n);
  assert.is(after.rip, 0x1008n);
  assert.is(after.u32(L.S_ACTIVITY), L.ACTIVITY_HLT);
  // The live state and the counters, straight from memory.
  const words = new DataView(memory.buffer);
  assert.is(words.getBigUint64(M.STATE + L.S_RSP, true), 0x1234n);
  assert.is(words.getBigUint64(M.STATE + L.S_ICOUNT, true), 4n);
  const kind = words.getUint32(M.PAGE_INFO + 4 * 1, true);
  assert.is(kind & M.PAGE_KIND_MASK, M.PAGE_RAM);
  assert.is(kind & M.PAGE_HAS_CODE, M.PAGE_HAS_CODE, 'code was translated from frame 1');
  const block = kind & ~15;
  assert.ok(block >= M.BLOCKS_BASE && block < M.BLOCKS_END, 'and its block lies among the blocks');
});

test.run();
