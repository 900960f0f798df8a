// State transfer: what is written to the emulator is read back, also by way of KVM, and in the middle of a computation.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { S_XMM } from '../../assembly/layout/x86-state.js';
import { createEmulatedVcpu, createGuestMemory, EmulatedVcpu } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import type { MemoryRegion } from '../../src/vcpu/guest-memory.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE, bareState } from '../../src/vmm/bare-guest.js';
import { kvmUnavailable, RAM_SIZE, REGIONS, RecordingBus, withGuest } from '../vmm/kvm-guest.js';
import { differences, Random, randomState } from '../vmm/random-state.js';
import { randomGuest } from './random-guest.js';

const wasm = new WebAssembly.Module(
  readFileSync(process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url)),
);
const why = kvmUnavailable();
if (why) console.log(`skipped: by way of KVM: ${why}`);
const kvmTest = why ? test.skip : test;

const options = (memory: WebAssembly.Memory, regions: readonly MemoryRegion[]) => ({
  memory,
  ramSize: RAM_SIZE,
  regions,
  bus: new RecordingBus(),
  wasm,
  cpu: findCpuModel('max'),
  tscFrequency: 1e9,
});
const emulator = createEmulatedVcpu(options(createGuestMemory(RAM_SIZE), REGIONS));

/** In by writeState, out by readState. */
function through(vcpu: EmulatedVcpu, from: X86State): X86State {
  const into = new X86State();
  vcpu.writeState(from);
  vcpu.readState(into);
  return into;
}

test('valid states of long mode are read back as they were written', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const from = randomState(seed, { iopl: true });
    assert.equal(differences(from, through(emulator, from)), [], `seed ${seed}`);
  }
});

test('states of every mode are, and the reset state', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { state, mode } = randomGuest(seed);
    assert.equal(differences(state, through(emulator, state)), [], `seed ${seed} (${mode})`);
  }
  const reset = X86State.reset();
  assert.equal(differences(reset, through(emulator, reset)), []);
});

test('flags are complete after instructions have set them', () => {
  // Real mode: mov al, 7Fh; add al, 1; hlt
  const state = bareState({ mode: 'real', ring: 0, rip: BARE_CODE & 0xffff });
  const memory = createGuestMemory(RAM_SIZE);
  new Uint8Array(memory.buffer).set([0xb0, 0x7f, 0x04, 0x01, 0xf4], memory.buffer.byteLength - RAM_SIZE);
  const vcpu = createEmulatedVcpu(options(memory, REGIONS));
  vcpu.writeState(state);
  assert.equal(vcpu.run({ instructions: 100, nanoseconds: 1e6 }), { reason: 'halt' });
  const into = new X86State();
  vcpu.readState(into);
  // OF, SF, AF and the bit that is always 1; neither CF, ZF nor PF.
  assert.is(into.rflags, 0x892n);
  assert.equal(differences(into, through(vcpu, into)), []);
});

test('a state that no processor can have does not break the core', () => {
  const random = new Random(1);
  for (let i = 0; i < 500; i++) {
    const { state } = randomGuest(i);
    for (let k = random.below(i % 5 === 0 ? 1000 : 6); k >= 0; k--) {
      state.bytes[random.below(state.bytes.length)] = random.below(256);
    }
    emulator.writeState(state);
    const { reason } = emulator.run({ instructions: 200, nanoseconds: 1e6 });
    assert.ok(['slice-end', 'halt', 'shutdown', 'hypercall'].includes(reason), `${i}: ${reason}`);
  }
});

kvmTest('a state survives the way from the emulator through KVM and back', () => {
  withGuest((guest) => {
    const inKvm = new X86State();
    for (let seed = 1; seed <= 60; seed++) {
      const from = randomState(seed, { iopl: false });
      guest.vcpu.writeState(through(emulator, from));
      guest.vcpu.kick();
      assert.equal(guest.vcpu.run({ instructions: 1, nanoseconds: 1e6 }), { reason: 'slice-end' });
      guest.vcpu.readState(inKvm);
      assert.equal(differences(from, through(emulator, inKvm)), [], `seed ${seed}`);
    }
  });
});

kvmTest('a loop that moves between emulator and KVM comes to its result', () => {
  withGuest((guest) => {
    const second = new EmulatedVcpu(options(guest.ram.memory, REGIONS), wasm);
    // L: imul rax, rax, 3; add rax, rcx; push rax; pop rbx; movq xmm0, rbx; paddq xmm1, xmm0; dec rcx; jnz L; hlt
    const code = [
      ...[0x48, 0x6b, 0xc0, 0x03, 0x48, 0x01, 0xc8, 0x50, 0x5b, 0x66, 0x48, 0x0f, 0x6e, 0xc3],
      ...[0x66, 0x0f, 0xd4, 0xc8, 0x48, 0xff, 0xc9, 0x75, 0xe9, 0xf4],
    ];
    const start = { mode: 'long', ring: 3, rip: BARE_CODE } as const;
    guest.load(start, code);
    const rounds = 20_000_000n;
    const state = bareState(start);
    state.setGpr(1, rounds);
    let [inEmulator, inKvm] = [0, 0];
    for (let i = 0; i < 5000; i++) {
      const vcpu = i & 1 ? guest.vcpu : second;
      vcpu.writeState(state);
      const before = state.gpr(1);
      const exit = vcpu.run({ instructions: 2000 + i, nanoseconds: 500_000 });
      vcpu.readState(state);
      if (state.gpr(1) !== before) i & 1 ? inKvm++ : inEmulator++;
      if (exit.reason !== 'slice-end') break;
    }
    // HLT in ring 3 has raised #GP, whose handler stopped: the registers but AL are those of the loop.
    assert.ok(inEmulator > 1 && inKvm > 1, `${inEmulator} slices in the emulator, ${inKvm} in KVM`);
    assert.is(state.gpr(1), 0n);
    const { rax, sum } = loop(rounds);
    assert.is(state.gpr(3), rax, 'RBX');
    assert.is(state.u64(S_XMM + 16), sum, 'XMM1');
  });
});

/** What the loop above computes, by squaring the affine map (rax, rcx, sum) of one round. */
function loop(rounds: bigint): { rax: bigint; sum: bigint } {
  const mask = (1n << 64n) - 1n;
  // Column vector (rax, rcx, sum, 1): rax' = 3 rax + rcx, sum' = sum + rax', rcx' = rcx - 1.
  type Matrix = bigint[][];
  const times = (a: Matrix, b: Matrix): Matrix =>
    a.map((row) => b[0].map((_, j) => row.reduce((n, x, k) => (n + x * b[k][j]) & mask, 0n)));
  let power: Matrix = [
    [3n, 1n, 0n, 0n],
    [0n, 1n, 0n, mask],
    [3n, 1n, 1n, 0n],
    [0n, 0n, 0n, 1n],
  ];
  let vector: Matrix = [[0n], [rounds], [0n], [1n]];
  for (let n = rounds; n > 0n; n >>= 1n) {
    if (n & 1n) vector = times(power, vector);
    power = times(power, power);
  }
  return { rax: vector[0][0], sum: vector[2][0] };
}

test.run();
