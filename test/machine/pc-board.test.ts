import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Isa, recognizeImage } from '../../src/loaders/index.js';
import { InstructionClock } from '../../src/machine/clock.js';
import { memoryRegions } from '../../src/machine/pc-board.js';
import { HALT, SLICE_END, type Step } from './fake-vcpu.js';
import { FLAT, makeRig, RAM } from './rig.js';

const IF = 0x200n;

/** Master and slave at vectors 20H and 28H, everything but IRQ `n` masked. */
function programPic(bus: { pioWrite(port: number, size: 1, value: number): void }, n: number): void {
  for (const [port, base] of [
    [0x20, 0x20],
    [0xa0, 0x28],
  ]) {
    bus.pioWrite(port, 1, 0x11);
    bus.pioWrite(port + 1, 1, base);
    bus.pioWrite(port + 1, 1, port === 0x20 ? 4 : 2);
    bus.pioWrite(port + 1, 1, 1);
  }
  const mask = 0xffff & ~(1 << n) & (n >= 8 ? ~4 : ~0);
  bus.pioWrite(0x21, 1, mask & 0xff);
  bus.pioWrite(0xa1, 1, mask >> 8);
}

/** Channel 0, mode 2. */
function programPit(bus: { pioWrite(port: number, size: 1, value: number): void }, count: number): void {
  bus.pioWrite(0x43, 1, 0x34);
  bus.pioWrite(0x40, 1, count & 0xff);
  bus.pioWrite(0x40, 1, count >> 8);
}

test('memory regions leave the display out and protect the ROM', () => {
  assert.equal(memoryRegions(RAM, 0xf0000), [
    { kind: 'ram', start: 0, size: 0xa0000 },
    { kind: 'ram', start: 0xc0000, size: 0x30000 },
    { kind: 'rom', start: 0xf0000, size: 0x10000 },
    { kind: 'ram', start: 0x100000, size: RAM - 0x100000 },
  ]);
  assert.equal(
    memoryRegions(1 << 20, 1 << 20).map((r) => r.start),
    [0, 0xc0000],
  );
});

test('power-on places firmware tables and the guest', () => {
  const { machine, memory, vcpu, board } = makeRig();
  machine.powerOn();
  const text = (at: number, n: number) => String.fromCharCode(...memory.slice(at, n));
  assert.is(text(0x9fc10, 4), '_MP_');
  let rsdp = 0;
  for (let at = 0xe0000; at < 0x100000 && !rsdp; at += 16) if (text(at, 8) === 'RSD PTR ') rsdp = at;
  assert.ok(rsdp, 'RSDP on a 16-byte boundary in the BIOS area');
  assert.is(memory.readU8(0x1000), 0xf4);
  assert.is(vcpu.state.rip, 0x1000n);
  assert.is(board.guest?.kind, 'flat');
});

test('COM1 and the debug console print', () => {
  const { machine, board, output } = makeRig();
  machine.powerOn();
  board.bus.pioWrite(0x3f8, 1, 0x41);
  board.bus.pioWrite(0xe9, 1, 0x42);
  assert.equal(output, [0x41, 0x42]);
  assert.is(board.bus.pioRead(0xe9, 1), 0xe9);
});

test('IRQ 0 reaches the CPU through the 8259A as the PIT ticks', () => {
  const { machine, board, vcpu, time } = makeRig();
  machine.powerOn();
  programPit(board.bus, 1193);
  programPic(board.bus, 0);
  assert.is(vcpu.line, false);
  // The counter is loaded at the CLK pulse after the write: that is a deadline of its own.
  while (!vcpu.line && time.ns < 2_000_000) {
    time.ns = board.deadline();
    board.advance(time.ns);
  }
  assert.ok(time.ns > 900_000 && time.ns < 1_100_000, `tick at ${time.ns}`);
  assert.is(vcpu.line, true);
  assert.is(board.bus.acknowledgeInterrupt(), 0x20);
  assert.is(vcpu.line, false);
  assert.is(board.bus.acknowledgeInterrupt(), -1, 'nothing is left');
});

test('IRQ 0 also reaches I/O APIC pin 2, and EOI allows the next', () => {
  const { machine, board, vcpu, time } = makeRig();
  machine.powerOn();
  const { bus } = board;
  // Software-enable the local APIC, mask LINT0, route pin 2 to vector 40H, edge, physical destination 0.
  bus.mmioWrite(0xfee000f0, 4, 0x1ff);
  bus.mmioWrite(0xfee00350, 4, 0x10000);
  bus.mmioWrite(0xfec00000, 4, 0x14);
  bus.mmioWrite(0xfec00010, 4, 0x40);
  programPit(bus, 1193);
  for (let tick = 0; tick < 3; tick++) {
    time.ns = board.deadline();
    board.advance(time.ns);
    assert.is(vcpu.line, true, `tick ${tick}`);
    assert.is(bus.acknowledgeInterrupt(), 0x40);
    assert.is(vcpu.line, false);
    bus.mmioWrite(0xfee000b0, 4, 0);
  }
});

test('CR8 holds an interrupt off', () => {
  const { machine, board, vcpu, time } = makeRig();
  machine.powerOn();
  const { bus } = board;
  bus.mmioWrite(0xfee000f0, 4, 0x1ff);
  bus.mmioWrite(0xfee00350, 4, 0x10000);
  // One-shot timer, vector 45H, divide by 1.
  bus.mmioWrite(0xfee00320, 4, 0x45);
  bus.mmioWrite(0xfee003e0, 4, 0xb);
  bus.writeTaskPriority(4);
  bus.mmioWrite(0xfee00380, 4, 50_000);
  time.ns = board.deadline();
  board.advance(time.ns);
  assert.is(vcpu.line, false);
  assert.is(bus.readTaskPriority(), 4);
  bus.writeTaskPriority(3);
  assert.is(vcpu.line, true);
  assert.is(bus.acknowledgeInterrupt(), 0x45);
});

test('the local APIC page follows IA32_APIC_BASE and disappears with it', () => {
  const { machine, board } = makeRig();
  machine.powerOn();
  const { bus } = board;
  const version = bus.mmioRead(0xfee00030, 4);
  assert.is(version & 0xff, 0x14);
  bus.writeApicBase(0xd8000900);
  assert.is(bus.mmioRead(0xd8000030, 4), version);
  assert.is(bus.mmioRead(0xfee00030, 4), 0xffffffff);
  bus.writeApicBase(0xfee00100);
  assert.is(bus.mmioRead(0xfee00030, 4), 0xffffffff);
});

test('A20 follows port 92H and the keyboard controller', () => {
  const { machine, board, vcpu } = makeRig();
  machine.powerOn();
  board.bus.pioWrite(0x92, 1, 0);
  assert.is(vcpu.a20, false);
  board.bus.pioWrite(0x64, 1, 0xd1);
  board.bus.pioWrite(0x60, 1, 0xdf);
  assert.is(vcpu.a20, true);
  assert.is(board.bus.pioRead(0x92, 1) & 2, 2);
});

const resets: [string, (write: (port: number, value: number) => void) => void][] = [
  ['keyboard controller', (write) => write(0x64, 0xfe)],
  ['port 0x92', (write) => write(0x92, 3)],
  [
    'port 0xcf9',
    (write) => {
      write(0xcf9, 2);
      write(0xcf9, 6);
    },
  ],
];
for (const [name, ask] of resets) {
  test(`a reset by ${name} ends the run under noReboot, naming it`, async () => {
    const { board, machine } = makeRig({
      script: [
        () => {
          ask((port, value) => board.bus.pioWrite(port, 1, value));
          return SLICE_END;
        },
      ],
      machine: { noReboot: true },
    });
    machine.powerOn();
    const outcome = await machine.run();
    assert.is(outcome.kind, 'reset');
    assert.ok(outcome.kind === 'reset' && outcome.source.includes(name), JSON.stringify(outcome));
  });
}

test('a reset restarts the guest from its recipe, with devices in their reset state', async () => {
  let seenAfter: { image: number; rip: bigint; mask: number; line: boolean } | undefined;
  const script: Step[] = [
    (cpu) => {
      const { bus } = board;
      bus.pioWrite(0x21, 1, 0x55);
      memory.writeU8(0x1000, 0);
      cpu.state.rip = 0x4321n;
      cpu.line = true;
      bus.pioWrite(0x64, 1, 0xfe);
      return SLICE_END;
    },
    (cpu) => {
      const { bus } = board;
      const mask = bus.pioRead(0x21, 1);
      seenAfter = { image: memory.readU8(0x1000), rip: cpu.state.rip, mask, line: cpu.line };
      bus.pioWrite(0xf4, 1, 7);
      return SLICE_END;
    },
  ];
  let replaced = 0;
  const { board, machine, memory } = makeRig({ script, machine: { memoryReplaced: () => replaced++ } });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'exit', code: 7 });
  assert.is(machine.resets, 1);
  assert.is(replaced, 2);
  assert.is(seenAfter?.image, 0xf4);
  assert.is(seenAfter?.rip, 0x1000n);
  assert.is(seenAfter?.line, false);
  assert.is.not(seenAfter?.mask, 0x55);
  // Both power cycles count.
  const pio = machine.counters().board.pio;
  assert.is(pio.find((d) => d.name === 'i8259 master')?.writes, 1);
  assert.is(pio.find((d) => d.name === 'debug-exit')?.writes, 1);
});

test('ACPI S5 powers off', async () => {
  const { board, machine } = makeRig({
    script: [
      () => {
        board.bus.pioWrite(0x604, 2, 0x2000);
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'poweroff' });
});

test('unclaimed accesses read all ones; under strictIo they end the run by name', async () => {
  const quiet = makeRig();
  quiet.machine.powerOn();
  assert.is(quiet.board.bus.pioRead(0x2f9, 1), 0xff);
  assert.is(quiet.board.bus.mmioRead(0xfed00000, 4), 0xffffffff);
  quiet.board.bus.mmioWrite(0xfed00000, 4, 1);

  const { board, machine } = makeRig({
    board: { strictIo: true },
    script: [
      (cpu) => {
        cpu.state.rip = 0xabcn;
        board.bus.pioWrite(0x2f9, 1, 0x5a);
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  const outcome = await machine.run();
  assert.is(outcome.kind, 'failed');
  if (outcome.kind !== 'failed') return;
  assert.is(outcome.name, 'E_STRICT_IO');
  for (const part of ['0x2f9', 'COM2', '0x5a', 'rip=0xabc']) assert.ok(outcome.message.includes(part), outcome.message);
});

test('HLT sleeps until the PIT ticks', async () => {
  const { board, machine, sleeps } = makeRig({
    script: [
      (cpu) => {
        programPit(board.bus, 11932);
        programPic(board.bus, 0);
        cpu.state.rflags |= IF;
        return HALT;
      },
      (cpu) => {
        assert.is(cpu.line, true);
        assert.is(board.bus.acknowledgeInterrupt(), 0x20);
        board.bus.pioWrite(0xf4, 1, 0);
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'exit', code: 0 });
  const total = sleeps.reduce((a, b) => a + b, 0);
  assert.ok(total > 9_900_000 && total < 10_100_000, `slept ${total} ns`);
  assert.is(machine.counters().exits['hlt'], 1);
  assert.is(machine.counters().exits['interrupt'], 1);
});

test('under the instruction clock HLT costs no host time', async () => {
  const { board, machine, sleeps } = makeRig({
    clock: (vcpu) => new InstructionClock(() => vcpu.retired),
    script: [
      (cpu) => {
        cpu.retired += 100;
        programPit(board.bus, 11932);
        programPic(board.bus, 0);
        cpu.state.rflags |= IF;
        return HALT;
      },
      () => {
        board.bus.pioWrite(0xf4, 1, 3);
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'exit', code: 3 });
  assert.equal(sleeps, []);
  assert.ok(machine.clock.now() > 9_900_000);
});

test('a halt that nothing can end is an outcome', async () => {
  const off = makeRig({ script: [() => HALT] });
  off.machine.powerOn();
  const dead = await off.machine.run();
  assert.is(dead.kind, 'halted');
  assert.ok(dead.kind === 'halted' && /interrupts disabled/.test(dead.cause));

  const on = makeRig({
    script: [
      (cpu) => {
        cpu.state.rflags |= IF;
        return HALT;
      },
    ],
  });
  on.machine.powerOn();
  assert.is((await on.machine.run()).kind, 'halted', 'no timer runs and no input can come');
});

test('input ends a halt', async () => {
  const { machine, board } = makeRig({
    script: [
      (cpu) => {
        programPic(board.bus, 4);
        board.bus.pioWrite(0x3fc, 1, 0x08);
        board.bus.pioWrite(0x3f9, 1, 1);
        cpu.state.rflags |= IF;
        return HALT;
      },
      () => {
        assert.is(board.bus.acknowledgeInterrupt(), 0x24);
        board.bus.pioWrite(0xf4, 1, board.bus.pioRead(0x3f8, 1));
        return SLICE_END;
      },
    ],
    machine: {
      inputOpen: () => {
        board.serial.receive(Uint8Array.of(0x2a));
        return true;
      },
    },
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'exit', code: 0x2a });
});

test('a timer set for sooner than the end of the slice cuts the slice short', async () => {
  const { board, machine, vcpu } = makeRig({
    script: [
      () => {
        const before = vcpu.kicks;
        programPit(board.bus, 120);
        assert.ok(vcpu.kicks > before, 'kicked');
        return SLICE_END;
      },
      (_cpu, slice) => {
        assert.ok(slice.nanoseconds < 150_000, `${slice.nanoseconds}`);
        machine.stop({ kind: 'quit' });
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'quit' });
});

test('the instruction limit is met exactly', async () => {
  const steps: Step = (cpu, slice) => {
    cpu.retired += slice.instructions;
    return SLICE_END;
  };
  const { machine, vcpu } = makeRig({
    script: Array.from({ length: 1000 }, () => steps),
    machine: { instructions: () => vcpu.retired, maxInstructions: 123_457 },
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'max-instructions' });
  assert.is(vcpu.retired, 123_457);
});

test('shutdown, failure and hypercalls', async () => {
  const shut = makeRig({ script: [() => ({ reason: 'shutdown', cause: 'triple fault (#PF)' })] });
  shut.machine.powerOn();
  assert.equal(await shut.machine.run(), { kind: 'shutdown', cause: 'triple fault (#PF)' });

  const failed = makeRig({ script: [() => ({ reason: 'failed', name: 'E_X', message: 'no' })] });
  failed.machine.powerOn();
  assert.equal(await failed.machine.run(), { kind: 'failed', name: 'E_X', message: 'no' });

  const call = makeRig({
    script: [
      () => ({ reason: 'hypercall' }),
      (cpu) => {
        assert.is(BigInt.asIntN(64, cpu.state.gpr(0)), -1000n);
        return { reason: 'shutdown', cause: 'end' };
      },
    ],
  });
  call.machine.powerOn();
  await call.machine.run();
  assert.is(call.machine.counters().exits['hypercall'], 1);
});

test('a disk boots through the BIOS: ROM in place, protected, and seen below 4 GiB', () => {
  const image = new Uint8Array(1024);
  image[510] = 0x55;
  image[511] = 0xaa;
  const isa: Isa = recognizeImage(image).isa;
  assert.is(isa, 'x86');
  const bios = new Uint8Array(0x10000).fill(0x90);
  bios[0xfff0] = 0xea;
  const { machine, board, memory, vcpu } = makeRig({ boot: { image, load: {}, bios } });
  machine.powerOn();
  assert.is(memory.readU8(0xffff0), 0xea);
  assert.is(board.regions.find((r) => r.kind === 'rom')?.start, 0xf0000);
  assert.is(board.bus.mmioRead(0xfffffff0, 1), 0xea);
  board.bus.mmioWrite(0xf0000, 1, 0);
  assert.is(machine.counters().exits['rom-write'], 1);
  assert.is(vcpu.state.rip, 0xfff0n);
  assert.throws(
    () => makeRig({ boot: { image, load: {} } }).machine.powerOn(),
    (e: { code?: string }) => e.code === 'E_BIOS_MISSING',
  );
  assert.throws(
    () => makeRig({ boot: { image, load: {}, bios: new Uint8Array(100) } }),
    (e: { code?: string }) => e.code === 'E_BIOS_SIZE',
  );
});

test('a device request beats the exit it comes with', async () => {
  const { board, machine } = makeRig({
    boot: FLAT,
    script: [
      () => {
        board.bus.pioWrite(0xf4, 1, 9);
        return { reason: 'shutdown', cause: 'triple fault' };
      },
    ],
  });
  machine.powerOn();
  assert.equal(await machine.run(), { kind: 'exit', code: 9 });
});

test.run();
