// Under the instruction clock a run repeats: the same instructions, the same time, the same memory and registers.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEmulatedVcpu, createGuestMemory, type EmulatedVcpu } from '../../src/emulator-x86/index.js';
import { InstructionClock } from '../../src/machine/clock.js';
import { type HostTimers, Machine } from '../../src/machine/machine.js';
import type { Outcome } from '../../src/machine/outcome.js';
import { PcBoard, type PcBoot } from '../../src/machine/pc-board.js';
import { findCpuModel, TSC_FREQUENCY } from '../../src/vcpu/cpu-model.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { X86State } from '../../src/vcpu/x86-state.js';

const core = process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);
if (!existsSync(core)) throw new Error('build/x86.wasm is missing: run npm run build:core');
const wasm = new WebAssembly.Module(readFileSync(core));
const RAM = 16 << 20;

interface Run {
  readonly outcome: Outcome;
  readonly instructions: number;
  readonly nanoseconds: number;
  readonly interrupts: number;
  readonly output: string;
  readonly state: X86State;
  readonly ram: Buffer;
}

/** `hostSpeed`: how fast the host's own time passes; no guest may notice. */
async function run(boot: PcBoot, hostSpeed: number): Promise<Run> {
  const memory = new GuestMemory(createGuestMemory(RAM), RAM);
  const late: { vcpu?: EmulatedVcpu } = {};
  const clock = new InstructionClock(() => late.vcpu?.instructionCount() ?? 0);
  let output = '';
  const sink = (byte: number) => {
    output += String.fromCharCode(byte);
  };
  const board = new PcBoard({ memory, clock, boot, disks: [], sink });
  let draws = 0;
  const vcpu = createEmulatedVcpu({
    memory: memory.memory,
    ramSize: RAM,
    regions: board.regions,
    bus: board.bus,
    wasm,
    cpu: findCpuModel('max'),
    tscFrequency: TSC_FREQUENCY,
    random: (into) => into.fill(++draws),
  });
  late.vcpu = vcpu;
  let host = 0;
  const timers: HostTimers = {
    monotonic: () => {
      host += hostSpeed;
      return host;
    },
    yieldToHost: () => Promise.resolve(),
    sleep: () => ({ done: Promise.resolve(), cancel: () => undefined }),
  };
  const machine = new Machine<X86State>({
    board,
    vcpu,
    clock,
    timers,
    newState: () => new X86State(),
    refuseHypercall: (state) => state.setGpr(0, -1000n),
    instructions: () => vcpu.instructionCount(),
    executingRip: () => vcpu.executingRip(),
    memoryReplaced: () => vcpu.invalidateAll(),
    maxInstructions: 40_000_000,
  });
  machine.powerOn();
  const outcome = await machine.run();
  const state = new X86State();
  vcpu.readState(state);
  return {
    outcome,
    instructions: vcpu.instructionCount(),
    nanoseconds: clock.now(),
    interrupts: machine.counters().exits['interrupt'] ?? 0,
    output,
    state,
    ram: Buffer.from(memory.bytes),
  };
}

async function assertRepeats(boot: PcBoot): Promise<Run> {
  const first = await run(boot, 1000);
  const second = await run(boot, 777_777);
  assert.equal(first.outcome, { kind: 'exit', code: 0 });
  assert.equal(second.outcome, first.outcome);
  assert.is(second.instructions, first.instructions);
  assert.is(second.nanoseconds, first.nanoseconds);
  assert.is(second.interrupts, first.interrupts);
  assert.is(second.output, first.output);
  assert.equal(second.state.bytes, first.state.bytes);
  assert.ok(second.ram.equals(first.ram), 'guest memory');
  return first;
}

test('the long mode guest repeats', async () => {
  const image = new Uint8Array(readFileSync(new URL('../../../guests/longmode.img', import.meta.url)));
  const { output } = await assertRepeats({ image, load: {} });
  assert.match(output, /timer: yes/);
});

/** Real mode, PIT channel 0 about every 54 µs at INT 20h; `wait` is what the guest does between interrupts. */
function timerGuest(wait: readonly number[]): Uint8Array {
  const setUp = [
    // cli; xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 7000h
    ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x70],
    // mov word [80h], handler; mov word [82h], 0; mov word [502h], 0
    ...[0xc7, 0x06, 0x80, 0x00, 0, 0, 0xc7, 0x06, 0x82, 0x00, 0, 0, 0xc7, 0x06, 0x02, 0x05, 0, 0],
    // ICW1–ICW4 of the master 8259A: vectors from 20h; OCW1: only IRQ 0
    ...[0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21],
    ...[0xb0, 0xfe, 0xe6, 0x21],
    // 8254 channel 0: mode 2, 64 ticks
    ...[0xb0, 0x34, 0xe6, 0x43, 0xb0, 0x40, 0xe6, 0x40, 0xb0, 0x00, 0xe6, 0x40, 0xfb],
  ];
  // cmp word [502h], 200; jb wait
  const test = [0x81, 0x3e, 0x02, 0x05, 200, 0, 0x72];
  const loop = [...wait, ...test, -(wait.length + test.length + 1) & 0xff];
  // mov al, 0; out F4h, al; hlt
  const code = [...setUp, ...loop, 0xfa, 0xb0, 0x00, 0xe6, 0xf4, 0xf4];
  const handler = 0x7c00 + code.length;
  code.splice(14, 2, handler & 0xff, handler >> 8);
  // inc word [502h]; push ax; push dx; rdtsc; xor [504h], eax; add [508h], ecx; mov al, 20h; out 20h, al; pop dx; pop ax; iret
  code.push(0xff, 0x06, 0x02, 0x05, 0x50, 0x52, 0x0f, 0x31, 0x66, 0x31, 0x06, 0x04, 0x05, 0x66, 0x01, 0x0e, 0x08, 0x05);
  code.push(0xb0, 0x20, 0xe6, 0x20, 0x5a, 0x58, 0xcf);
  return Uint8Array.from(code);
}

const FLAT = { load: { loadAddress: 0x7c00 } };

test('a guest that computes while a timer interrupts it repeats', async () => {
  // inc ecx; imul ebx, ecx, 7; rdrand si; add di, si
  const image = timerGuest([0x66, 0x41, 0x66, 0x6b, 0xd9, 0x07, 0x0f, 0xc7, 0xf6, 0x01, 0xf7]);
  const { interrupts, instructions } = await assertRepeats({ image, ...FLAT });
  assert.ok(interrupts >= 200, `${interrupts} interrupts`);
  assert.ok(instructions > 10_000, `${instructions} instructions`);
});

test('a guest that sleeps between the interrupts of a timer repeats', async () => {
  const { interrupts } = await assertRepeats({ image: timerGuest([0xf4, 0x66, 0x41]), ...FLAT });
  assert.ok(interrupts >= 200, `${interrupts} interrupts`);
});

test.run();
