// The virt board around a scripted vCPU: memory map, interrupts, WFI, firmware calls, hostile accesses.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockBackend } from '../../src/devices/block-backend.js';
import type { VirtBoard } from '../../src/machine/virt-board.js';
import type { AccessSize, VmExit } from '../../src/vcpu/vcpu.js';
import { IMAGE, makeVirtRig, RAM } from './virt-rig.js';

const SLICE_END: VmExit = { reason: 'slice-end' };
const HALT: VmExit = { reason: 'halt' };
const GICD = 0x08000000;
const GICC = 0x08010000;
const UART = 0x09000000;
const TIMER_PPI = 27;

const SYSTEM_OFF = 0x84000008n;
const SYSTEM_RESET = 0x84000009n;

function write(board: VirtBoard, address: number, value: number): void {
  assert.is(board.bus.mmioWrite(address, 4, value), true, address.toString(16));
}

/** GIC on, the virtual timer's interrupt enabled. */
function enableGic(board: VirtBoard): void {
  write(board, GICD, 1);
  write(board, GICD + 0x100, 1 << TIMER_PPI);
  write(board, GICC, 1);
  write(board, GICC + 4, 0xff);
}

/** A firmware call that ends the slice. */
function call(board: VirtBoard, id: bigint): VmExit {
  board.bus.psci(id, 0n, 0n, 0n);
  return SLICE_END;
}

const disk = (sectors = 8): BlockBackend => ({
  sectors,
  readOnly: false,
  read: (_sector, _count, into) => into.fill(0x5a),
  write: () => undefined,
  flush: () => undefined,
});

test('QEMU’s memory map: who answers where', () => {
  const { board, machine } = makeVirtRig({ board: { virtio: { disks: [disk()] } } });
  machine.powerOn();
  const read = (address: number) => board.bus.mmioRead(address, 4);
  assert.is(read(GICD + 4), 8, 'GICD_TYPER');
  assert.is(read(GICC + 0xfc), 0x2043b, 'GICC_IIDR');
  assert.is(read(UART + 0xfe0), 0x11, 'PL011');
  assert.is(read(0x09010fe0), 0x31, 'PL031');
  assert.is(read(0x0a000000), 0x74726976, 'virtio 0');
  assert.is(read(0x0a000008), 2, 'a block device');
  assert.is(read(0x0a000208), 0, 'an empty window');
  assert.is(read(0x0a003e00), 0x74726976, 'the last window');
  for (const nobody of [0, 0x08020000, 0x080a0000, 0x09030000, 0x0a004000, 0x10000000, 0x40000000 + RAM]) {
    assert.is(read(nobody), -1, nobody.toString(16));
    assert.is(board.bus.mmioWrite(nobody, 4, 1), false);
  }
  const v3 = makeVirtRig({ board: { gic: 3 } });
  v3.machine.powerOn();
  assert.is(v3.board.bus.mmioRead(0x080affe8, 4), 0x3b, 'GICR_PIDR2');
  assert.is(v3.board.bus.mmioRead(GICC, 4), -1, 'no CPU interface in memory');
});

test('the guest starts at its image with the device tree in X0', () => {
  const { machine, vcpu, memory } = makeVirtRig();
  machine.powerOn();
  assert.is(vcpu.state.pc, 0x40080000n);
  assert.is(vcpu.state.el, 1);
  const tree = Number(vcpu.state.x(0));
  assert.equal([...memory.slice(tree, 4)], [0xd0, 0x0d, 0xfe, 0xed]);
  assert.equal([...memory.slice(0x40080000, 4)], [...IMAGE]);
});

test('what the guest prints reaches the sink; what arrives interrupts', () => {
  const { board, machine, output, vcpu } = makeVirtRig();
  machine.powerOn();
  enableGic(board);
  write(board, GICD + 0x104, 1 << 1);
  write(board, UART, 0x21);
  assert.equal(output, [0x21]);
  write(board, UART + 0x38, 0x10);
  board.serial.receive(Uint8Array.of(0x41));
  assert.is(vcpu.irq, true);
  assert.is(board.bus.mmioRead(GICC + 0xc, 4), 33);
});

test('the generic timer: its registers make a deadline, its interrupt wakes WFI', async () => {
  const { board, machine, vcpu, sleeps, time } = makeVirtRig({
    script: [
      (cpu) => {
        cpu.registers = { ...cpu.registers, virtual: { control: 1, compare: 1000n } };
        board.bus.timerChanged();
        return HALT;
      },
      () => {
        assert.is(vcpu.irq, true);
        assert.is(board.bus.mmioRead(GICC + 0xc, 4), TIMER_PPI);
        board.bus.psci(SYSTEM_OFF, 0n, 0n, 0n);
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  enableGic(board);
  assert.equal(await machine.run(), { kind: 'poweroff' });
  assert.is(Math.round(sleeps.reduce((a, b) => a + b, 0)), 16_000);
  assert.is(time.ns, 16_000);
  assert.is(board.counters().events['interrupt'], 1);
});

test('a deadline nearer than the slice’s end kicks the vCPU', async () => {
  const { board, machine, vcpu } = makeVirtRig({
    script: [
      (cpu) => {
        cpu.registers = { ...cpu.registers, physical: { control: 1, compare: 10n } };
        board.bus.timerChanged();
        return SLICE_END;
      },
    ],
  });
  machine.powerOn();
  await machine.runSlice();
  assert.is(vcpu.kicks, 1);
});

test('WFI that nothing can end ends the run', async () => {
  const off = makeVirtRig({ script: [() => HALT] });
  off.machine.powerOn();
  const outcome = await off.machine.run();
  assert.is(outcome.kind, 'halted');
  assert.match((outcome as { cause: string }).cause, /interrupt controller/);

  const idle = makeVirtRig({ script: [() => HALT] });
  idle.machine.powerOn();
  enableGic(idle.board);
  const ended = await idle.machine.run();
  assert.is(ended.kind, 'halted');
  assert.match((ended as { cause: string }).cause, /no timer/);
});

test('a masked interrupt wakes WFI too', async () => {
  const { board, machine } = makeVirtRig({
    script: [() => HALT, () => call(board, SYSTEM_OFF)],
  });
  machine.powerOn();
  enableGic(board);
  // PSTATE.I is set at reset.
  write(board, GICD + 0x200, 1 << TIMER_PPI);
  assert.equal(await machine.run(), { kind: 'poweroff' });
});

test('PSCI', () => {
  const { board, machine } = makeVirtRig();
  machine.powerOn();
  const call = (id: bigint, x1 = 0n, x2 = 0n) => BigInt.asIntN(64, board.bus.psci(id, x1, x2, 0n));
  assert.is(call(0x84000000n), 0x10001n, 'PSCI_VERSION 1.1');
  assert.is(call(0xffffffff84000000n), 0x10001n, 'W0 decides');
  assert.is(call(0x80000000n), 0x10001n, 'SMCCC_VERSION 1.1');
  assert.is(call(0x80000001n, 0x80000000n), 0n, 'SMCCC_ARCH_FEATURES');
  assert.is(call(0x80000001n, 0x80008000n), -1n, 'no workarounds');
  assert.is(call(0x84000006n), 2n, 'MIGRATE_INFO_TYPE: none needed');
  assert.is(call(0x84000005n), -1n, 'MIGRATE');
  assert.is(call(0xc4000003n, 0n, 0x40080000n), -4n, 'CPU_ON: already on');
  assert.is(call(0xc4000003n, 1n, 0x40080000n), -2n, 'CPU_ON: no such processor');
  assert.is(call(0x84000003n, 0x1_00000000n), -4n, 'the 32-bit call has 32-bit arguments');
  assert.is(call(0xc4000004n, 0n), 0n, 'AFFINITY_INFO: on');
  assert.is(call(0xc4000004n, 0x100n), -2n);
  assert.is(call(0xc4000001n, 0n), 0n, 'CPU_SUSPEND: standby');
  assert.is(call(0xc4000001n, 0x10000n), -2n, 'CPU_SUSPEND: power down');
  for (const known of [0x84000000n, 0x84000001n, 0xc4000001n, 0x84000003n, 0xc4000003n, 0x84000008n, 0x80000000n]) {
    assert.is(call(0x8400000an, known), 0n, `PSCI_FEATURES of ${known.toString(16)}`);
  }
  for (const unknown of [0x84000005n, 0xc4000008n, 0x8400000bn, 0x86000000n]) {
    assert.is(call(0x8400000an, unknown), -1n, `PSCI_FEATURES of ${unknown.toString(16)}`);
  }
  assert.is(call(0x86000000n), -1n, 'a service that is not there');
  assert.is(call(0n), -1n);
});

test('SYSTEM_RESET starts the guest anew, with new devices', async () => {
  const rig = makeVirtRig({
    script: [
      () => {
        enableGic(rig.board);
        write(rig.board, UART + 0x24, 77);
        rig.board.bus.psci(SYSTEM_RESET, 0n, 0n, 0n);
        return SLICE_END;
      },
      (cpu) => {
        assert.is(rig.board.bus.mmioRead(UART + 0x24, 4), 0);
        assert.is(rig.board.bus.mmioRead(GICD, 4), 0);
        assert.is(cpu.state.pc, 0x40080000n);
        rig.board.bus.psci(SYSTEM_OFF, 0n, 0n, 0n);
        return SLICE_END;
      },
    ],
  });
  rig.machine.powerOn();
  assert.equal(await rig.machine.run(), { kind: 'poweroff' });
  assert.is(rig.machine.resets, 1);
  const uart = rig.board.counters().mmio.find((use) => use.name === 'pl011');
  assert.equal(uart, { name: 'pl011', reads: 1, writes: 1 }, 'counters go on over a reset');
});

test('noReboot, and a processor that turns itself off', async () => {
  const reset = makeVirtRig({
    script: [() => call(reset.board, 0xc4000012n)],
    machine: { noReboot: true },
  });
  reset.machine.powerOn();
  assert.equal(await reset.machine.run(), { kind: 'reset', source: 'PSCI SYSTEM_RESET' });
  const off = makeVirtRig({ script: [() => call(off.board, 0x84000002n)] });
  off.machine.powerOn();
  const outcome = await off.machine.run();
  assert.is(outcome.kind, 'failed');
  assert.is((outcome as { name: string }).name, 'E_GUEST_HALTED');
});

test('strict I/O names address and instruction', async () => {
  const rig = makeVirtRig({
    script: [
      (cpu) => {
        cpu.state.pc = 0x40081234n;
        rig.board.bus.mmioRead(0x09030000, 4);
        return SLICE_END;
      },
    ],
    board: { strictIo: true },
  });
  rig.machine.powerOn();
  const outcome = await rig.machine.run();
  assert.is(outcome.kind, 'failed');
  const { name, message } = outcome as { name: string; message: string };
  assert.is(name, 'E_STRICT_IO');
  assert.match(message, /0x9030000 \(GPIO \(PL061\)\)/);
  assert.match(message, /pc=0x40081234/);
});

test('a virtio disk: the vCPU hears of the memory that was written', () => {
  const { board, machine, memory, written } = makeVirtRig({ board: { virtio: { disks: [disk()] } } });
  machine.powerOn();
  const base = 0x0a000000;
  const [table, available, used, data] = [0x40100000, 0x40101000, 0x40102000, 0x40103000];
  for (const status of [1, 3]) write(board, base + 0x70, status);
  write(board, base + 0x24, 1);
  write(board, base + 0x20, 1);
  write(board, base + 0x70, 11);
  write(board, base + 0x38, 4);
  write(board, base + 0x80, table);
  write(board, base + 0x90, available);
  write(board, base + 0xa0, used);
  write(board, base + 0x44, 1);
  write(board, base + 0x70, 15);
  const descriptor = (i: number, address: number, length: number, flags: number, next: number) => {
    memory.writeU64(table + 16 * i, BigInt(address));
    memory.writeU32(table + 16 * i + 8, length);
    memory.writeU16(table + 16 * i + 12, flags);
    memory.writeU16(table + 16 * i + 14, next);
  };
  descriptor(0, data, 16, 1, 1);
  descriptor(1, data + 0x1000, 512, 3, 2);
  descriptor(2, data + 0x2000, 1, 2, 0);
  memory.writeU16(available + 2, 1);
  enableGic(board);
  write(board, GICD + 0x104, 1 << 16);
  write(board, base + 0x50, 0);
  assert.is(memory.readU8(data + 0x1000), 0x5a);
  assert.is(memory.readU8(data + 0x2000), 0);
  assert.ok(written.some(([at, length]) => at === data + 0x1000 && length === 512));
  assert.is(board.bus.mmioRead(GICC + 0xc, 4), 48, 'SPI 16');
});

test('more devices than windows: E_DISK_COUNT', () => {
  assert.throws(
    () => makeVirtRig({ board: { virtio: { disks: Array.from({ length: 33 }, () => disk()) } } }),
    /33 virtio devices/,
  );
});

test('any access to any register: nothing throws, time goes on', () => {
  let x = 7;
  const random = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  for (const gic of [2, 3] as const) {
    const { board, machine, time } = makeVirtRig({ board: { gic, virtio: { disks: [disk(1 << 20)] } } });
    machine.powerOn();
    const windows = [GICD, GICC, 0x080a0000, 0x080b0000, UART, 0x09010000, 0x0a000000, 0x0a000200, 0x40000000 + RAM, 0];
    for (let i = 0; i < 150_000; i++) {
      const size = ([1, 2, 4] as AccessSize[])[random() % 3];
      const address = windows[random() % windows.length] + (random() % 0x1100);
      const value = random() & 1 ? random() : 0x40000000 + (random() % RAM);
      if (random() & 1) board.bus.mmioWrite(address, size, value >>> (32 - 8 * size));
      else {
        const seen = board.bus.mmioRead(address, size);
        assert.ok(seen === -1 || (seen >= 0 && seen < 2 ** (8 * size)), `${address.toString(16)}: ${seen}`);
      }
      const register = (3 << 14) | (12 << 7) | (random() % 128);
      if (random() & 1) board.bus.gicWrite(register, random(), random());
      else board.bus.gicRead(register);
      if (i % 16 === 0) {
        time.ns += random() % 1_000_000;
        board.advance(time.ns);
        assert.ok(board.deadline() > time.ns, 'a deadline in the past would be waited for without end');
      }
    }
  }
});

test.run();
