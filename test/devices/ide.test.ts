import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockBackend } from '../../src/devices/block-backend.js';
import { IdeChannel } from '../../src/devices/ide.js';
import type { AccessSize } from '../../src/vcpu/vcpu.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestLine } from './random-access.js';

/** A disk in memory. Sector n is filled with byte n at first. */
class MemoryDisk implements BlockBackend {
  readonly bytes: Uint8Array;
  readonly calls: string[] = [];
  broken = false;
  constructor(
    readonly sectors: number,
    readonly readOnly = false,
    bytes?: Uint8Array,
  ) {
    this.bytes = bytes ?? Uint8Array.from({ length: sectors * 512 }, (_, i) => i >> 9);
  }
  read(sector: number, count: number, into: Uint8Array): void {
    this.call('read', sector, count);
    assert.is(into.length, count * 512);
    into.set(this.bytes.subarray(sector * 512, (sector + count) * 512));
  }
  write(sector: number, from: Uint8Array): void {
    this.call('write', sector, from.length / 512);
    this.bytes.set(from, sector * 512);
  }
  flush(): void {
    this.call('flush', 0, 0);
  }
  private call(what: string, sector: number, count: number): void {
    if (this.broken) throw new Error('medium is gone');
    assert.ok(Number.isInteger(count) && sector >= 0 && sector + count <= this.sectors, `${what} ${sector}+${count}`);
    this.calls.push(count > 0 ? `${what} ${sector}+${count}` : what);
  }
}

/** A disk that claims a size without having it, for large addresses. */
class HugeDisk extends MemoryDisk {
  constructor(override readonly sectors: number) {
    super(0);
  }
  override read(sector: number, count: number, into: Uint8Array): void {
    this.calls.push(`read ${sector}+${count}`);
    into.fill(0x5a);
  }
}

function rig(disk: BlockBackend = new MemoryDisk(64), second?: BlockBackend) {
  const irq = new TestLine();
  const ide = new IdeChannel({ irq, drives: second ? [disk, second] : [disk] });
  const out = (port: number, value: number) => ide.commandBlock.write(port, 1, value);
  const status = () => ide.commandBlock.read(7, 1);
  const altStatus = () => ide.controlBlock.read(0, 1);
  const control = (value: number) => ide.controlBlock.write(0, 1, value);
  /** Issues a 28-bit command by LBA. */
  const command = (code: number, lba = 0, count = 1, device = 0) => {
    out(6, 0xe0 | (device << 4) | ((lba >> 24) & 0xf));
    out(2, count & 0xff);
    out(3, lba & 0xff);
    out(4, (lba >> 8) & 0xff);
    out(5, (lba >> 16) & 0xff);
    out(7, code);
  };
  /** Issues a 48-bit command: each register is written twice, high part first. */
  const commandExt = (code: number, lba: number, count = 1) => {
    const byte = (i: number) => Math.floor(lba / 256 ** i) % 256;
    out(6, 0x40);
    for (const [register, high, low] of [
      [2, count >> 8, count & 255],
      [3, byte(3), byte(0)],
      [4, byte(4), byte(1)],
      [5, byte(5), byte(2)],
    ]) {
      out(register, high);
      out(register, low);
    }
    out(7, code);
  };
  const readWords = (count: number, size: AccessSize = 2) =>
    Array.from({ length: count }, () => ide.commandBlock.read(0, size));
  const writeWords = (count: number, value: number) => {
    for (let i = 0; i < count; i++) ide.commandBlock.write(0, 2, value);
  };
  return { ide, irq, disk, out, status, altStatus, control, command, commandExt, readWords, writeWords };
}

test('after power-on: the signature of an ATA disk', () => {
  const { ide, irq, altStatus } = rig();
  assert.equal(
    [1, 2, 3, 4, 5, 6].map((r) => ide.commandBlock.read(r, 1)),
    [1, 1, 1, 0, 0, 0xa0],
  );
  assert.is(altStatus(), 0x50);
  assert.not(irq.level);
});

test('IDENTIFY DEVICE', () => {
  const { status, altStatus, command, readWords, irq } = rig(new HugeDisk(0x1_2345_6789));
  command(0xec);
  assert.ok(irq.level);
  assert.is(altStatus(), 0x58);
  assert.ok(irq.level, 'alternate status acknowledges nothing');
  assert.is(status(), 0x58);
  assert.not(irq.level);
  const words = readWords(256);
  assert.is(altStatus(), 0x50, 'no more data');
  assert.not(irq.level);
  assert.equal([words[0], words[1], words[3], words[6]], [0x40, 16383, 16, 63]);
  const text = (from: number, to: number) =>
    words
      .slice(from, to + 1)
      .map((w) => String.fromCharCode(w >> 8, w & 255))
      .join('')
      .trim();
  assert.is(text(27, 46), 'TSVM HARDDISK');
  assert.is(text(10, 19), 'TS00000001');
  assert.is(words[47], 0x8010);
  assert.is(words[49] & 0x300, 0x200, 'LBA, no DMA');
  assert.equal([words[60], words[61]], [0xffff, 0x0fff], '28-bit capacity is capped');
  assert.equal(words.slice(100, 104), [0x6789, 0x2345, 1, 0]);
  assert.is(words[83] & 0xc400, 0x4400, 'LBA48');
  const sum = words.reduce((s, w) => s + (w >> 8) + (w & 255), 0);
  assert.is(sum & 255, 0);
  assert.is(words[255] & 255, 0xa5);
});

test('READ SECTORS: an interrupt per sector, data by word, dword and byte', () => {
  const { ide, irq, status, altStatus, command, readWords } = rig();
  command(0x20, 5, 3);
  assert.ok(irq.level);
  assert.is(status(), 0x58);
  assert.equal(new Set(readWords(256)), new Set([0x0505]));
  assert.ok(irq.level, 'the second sector is ready');
  status();
  assert.equal(new Set(readWords(128, 4)), new Set([0x06060606]));
  assert.is(status(), 0x58);
  assert.equal(new Set(readWords(512, 1)), new Set([7]));
  assert.is(altStatus(), 0x50);
  assert.not(irq.level, 'the last sector ends without an interrupt');
  assert.is(ide.commandBlock.read(2, 1), 0);
  assert.is(ide.commandBlock.read(3, 1), 7, 'address of the last sector');
  assert.is(ide.commandBlock.read(0, 2), 0, 'nothing left');
});

test('WRITE SECTORS: asks for the first sector silently, then interrupts after each', () => {
  const { irq, disk, status, altStatus, command, writeWords } = rig();
  command(0x30, 10, 2);
  assert.is(altStatus(), 0x58);
  assert.not(irq.level);
  writeWords(255, 0xbeef);
  assert.not(irq.level);
  writeWords(1, 0xbeef);
  assert.ok(irq.level);
  assert.is(status(), 0x58);
  writeWords(256, 0xcafe);
  assert.ok(irq.level);
  assert.is(status(), 0x50);
  const memory = disk as MemoryDisk;
  assert.equal(memory.calls, ['write 10+1', 'write 11+1']);
  assert.equal([...memory.bytes.subarray(10 * 512, 10 * 512 + 2)], [0xef, 0xbe]);
  assert.equal([...memory.bytes.subarray(12 * 512 - 2, 12 * 512 + 1)], [0xfe, 0xca, 12]);
});

test('a count of zero means 256 sectors, or 65536', () => {
  const { disk, command, commandExt, readWords, altStatus } = rig(new HugeDisk(1 << 20));
  command(0x20, 0, 0);
  readWords(255 * 128, 4);
  assert.is(altStatus(), 0x58);
  readWords(128, 4);
  assert.is(altStatus(), 0x50);
  commandExt(0x42, 0xf0000, 0);
  assert.is(altStatus(), 0x50);
  commandExt(0x42, 0xf0001, 0);
  assert.is(altStatus(), 0x51);
  assert.is((disk as MemoryDisk).calls.length, 256);
});

test('48-bit addresses, and reading them back by HOB', () => {
  const lba = 0x1234_5678_9abc;
  const { ide, control, disk, commandExt } = rig(new HugeDisk(2 ** 47));
  commandExt(0x24, lba, 0x0201);
  assert.equal((disk as MemoryDisk).calls, [`read ${lba}+1`]);
  assert.equal(
    [2, 3, 4, 5].map((r) => ide.commandBlock.read(r, 1)),
    [0x01, 0xbc, 0x9a, 0x78],
  );
  control(0x80);
  assert.equal(
    [2, 3, 4, 5].map((r) => ide.commandBlock.read(r, 1)),
    [0x02, 0x56, 0x34, 0x12],
  );
  ide.commandBlock.write(6, 1, 0xe0);
  assert.is(ide.commandBlock.read(3, 1), 0xbc, 'a write clears HOB');
});

test('CHS addresses by the default and a set translation', () => {
  const { ide, out, disk, status } = rig(new MemoryDisk(4096));
  const chs = (code: number, cylinder: number, head: number, sector: number) => {
    out(6, 0xa0 | head);
    out(2, 1);
    out(3, sector);
    out(4, cylinder & 255);
    out(5, cylinder >> 8);
    out(7, code);
    return status();
  };
  assert.is(chs(0x20, 1, 2, 3), 0x58);
  assert.is(chs(0x20, 0, 0, 0), 0x51, 'sectors count from 1');
  assert.is(ide.commandBlock.read(1, 1), 0x10);
  assert.is(chs(0x20, 0, 0, 64), 0x51);
  // 4 heads of 10 sectors.
  out(6, 0xa3);
  out(2, 10);
  out(7, 0x91);
  assert.is(status(), 0x50);
  assert.is(chs(0x20, 3, 2, 1), 0x58);
  assert.is(chs(0x20, 3, 4, 1), 0x51, 'head out of range');
  assert.equal((disk as MemoryDisk).calls, ['read 1136+1', 'read 140+1']);
  out(2, 0);
  out(7, 0x91);
  assert.is(status(), 0x51);
});

test('SET, READ and WRITE MULTIPLE: blocks of several sectors, the last one shorter', () => {
  const { ide, irq, disk, status, command, readWords, writeWords } = rig();
  command(0xc4, 0, 5);
  assert.is(status(), 0x51, 'aborted while multiple mode is off');
  assert.is(ide.commandBlock.read(1, 1), 4);
  for (const bad of [3, 32, 255]) {
    command(0xc6, 0, bad);
    assert.is(status(), 0x51, `${bad}`);
  }
  command(0xc6, 0, 4);
  assert.is(status(), 0x50);
  command(0xec);
  assert.is(readWords(256)[59], 0x104);
  command(0xc4, 1, 5);
  status();
  assert.is(readWords(1024)[1023], 0x0404);
  assert.ok(irq.level);
  status();
  readWords(256);
  assert.is(status(), 0x50);
  command(0xc5, 20, 6);
  writeWords(1024, 1);
  assert.ok(irq.level);
  assert.is(status(), 0x58);
  writeWords(512, 2);
  assert.is(status(), 0x50);
  assert.equal((disk as MemoryDisk).calls, ['read 1+4', 'read 5+1', 'write 20+4', 'write 24+2']);
});

test('addresses past the end: IDNF, with the missing sector in the registers', () => {
  const { ide, irq, status, command, readWords, writeWords } = rig();
  command(0x20, 64);
  assert.ok(irq.level);
  assert.is(status(), 0x51);
  assert.is(ide.commandBlock.read(1, 1), 0x10);
  command(0x20, 63, 2);
  assert.is(status(), 0x58);
  readWords(256);
  assert.is(status(), 0x51, 'the second sector is missing');
  assert.is(ide.commandBlock.read(3, 1), 64);
  command(0x30, 63, 2);
  writeWords(256, 0);
  assert.is(status(), 0x51);
  command(0x30, 0x0fffffff);
  assert.is(status(), 0x51);
  command(0x40, 60, 4);
  assert.is(status(), 0x50);
  command(0x40, 60, 5);
  assert.is(status(), 0x51);
  command(0x70, 63);
  assert.is(status(), 0x50);
  command(0x70, 64);
  assert.is(status(), 0x51);
});

test('a backend that fails, and one that is read-only, become device errors', () => {
  const disk = new MemoryDisk(64);
  const { ide, status, command, writeWords } = rig(disk);
  disk.broken = true;
  command(0x20, 3);
  assert.is(status(), 0x51);
  assert.is(ide.commandBlock.read(1, 1), 0x40, 'UNC');
  command(0x30, 3);
  writeWords(256, 0);
  assert.is(status(), 0x71, 'device fault');
  command(0xe7);
  assert.is(status(), 0x71);
  disk.broken = false;
  command(0xe7);
  assert.is(status(), 0x50);
  assert.equal(disk.calls, ['flush']);
  const protectedDisk = rig(new MemoryDisk(64, true));
  protectedDisk.command(0x30, 3);
  assert.is(protectedDisk.status(), 0x51);
  assert.is(protectedDisk.ide.commandBlock.read(1, 1), 4);
});

test('write cache off: every write is flushed', () => {
  const { ide, disk, status, command, out, writeWords } = rig();
  out(1, 0x82);
  command(0xef);
  assert.is(status(), 0x50);
  command(0x30, 1);
  writeWords(256, 0);
  assert.equal((disk as MemoryDisk).calls, ['flush', 'write 1+1', 'flush']);
  out(1, 0x03);
  command(0xef, 0, 0x0c);
  assert.is(status(), 0x50, 'PIO mode 4');
  out(1, 0x03);
  command(0xef, 0, 0x42);
  assert.is(status(), 0x51, 'no UDMA');
  assert.is(ide.commandBlock.read(1, 1), 4);
});

test('power modes, recalibrate, and commands that do not exist', () => {
  const { ide, status, command } = rig();
  const mode = () => {
    command(0xe5);
    return ide.commandBlock.read(2, 1);
  };
  assert.is(mode(), 0xff);
  command(0xe0);
  assert.is(mode(), 0x00);
  command(0xe3);
  assert.is(mode(), 0x80);
  command(0x40, 1);
  assert.is(mode(), 0xff);
  command(0x10);
  assert.is(status(), 0x50);
  for (const code of [0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xc8, 0xca, 0x25, 0x35, 0xff]) {
    command(code);
    assert.is(status(), 0x51, `command ${code.toString(16)}`);
    assert.is(ide.commandBlock.read(1, 1), 4);
  }
});

test('nIEN holds the interrupt back, not off', () => {
  const { irq, control, command, status } = rig();
  control(2);
  command(0xec);
  assert.not(irq.level);
  control(0);
  assert.ok(irq.level);
  status();
  assert.not(irq.level);
});

test('software reset: BSY while it lasts, then the signature; a transfer is dropped', () => {
  const { ide, irq, control, command, status, altStatus } = rig();
  command(0x20, 7, 2);
  control(4);
  assert.is(altStatus(), 0x80);
  assert.not(irq.level);
  command(0xec);
  assert.is(altStatus(), 0x80, 'no commands during reset');
  control(0);
  assert.is(status(), 0x50);
  assert.equal(
    [1, 2, 3, 4, 5].map((r) => ide.commandBlock.read(r, 1)),
    [1, 1, 1, 0, 0],
  );
});

test('without device 1 its status reads zero and its commands are ignored', () => {
  const { ide, irq, disk, out, command, status } = rig();
  command(0xec, 0, 1, 1);
  assert.is(status(), 0);
  assert.not(irq.level);
  assert.is(ide.commandBlock.read(0, 2), 0);
  assert.is(ide.commandBlock.read(6, 1) & 0x10, 0x10);
  command(0x30, 0, 1, 1);
  for (let i = 0; i < 256; i++) ide.commandBlock.write(0, 2, 0xffff);
  assert.equal((disk as MemoryDisk).calls, []);
  out(6, 0xb0);
  out(7, 0x90);
  assert.ok(irq.level, 'diagnostics run on device 0 all the same');
  assert.is(status(), 0x50);
  assert.is(ide.commandBlock.read(1, 1), 1);
});

test('two drives: commands go to the selected one, registers to both', () => {
  const second = new MemoryDisk(32);
  const { ide, irq, out, command, readWords, status } = rig(new MemoryDisk(64), second);
  command(0x20, 9, 1, 1);
  assert.equal(second.calls, ['read 9+1']);
  assert.ok(irq.level);
  assert.is(readWords(256)[0], 0x0909);
  assert.is(status(), 0x50);
  out(3, 0x77);
  out(6, 0xe0);
  assert.is(ide.commandBlock.read(3, 1), 0x77);
  command(0x20, 40, 1, 1);
  assert.is(status(), 0x51, 'it has 32 sectors');
  out(6, 0xe0);
  assert.is(status(), 0x50, 'device 0 has its own status');
});

test('wide accesses to byte registers touch several', () => {
  const { ide } = rig();
  ide.commandBlock.write(2, 4, 0x44332211);
  assert.equal(
    [2, 3, 4, 5].map((r) => ide.commandBlock.read(r, 1)),
    [0x11, 0x22, 0x33, 0x44],
  );
  assert.is(ide.commandBlock.read(2, 4), 0x44332211);
});

test('a saved state names the size of its disk', () => {
  const state = rig(new MemoryDisk(64)).ide.saveState();
  assert.throws(() => rig(new MemoryDisk(63)).ide.loadState(state), /sectors/);
  assert.throws(() => rig(new MemoryDisk(64), new MemoryDisk(64)).ide.loadState(state), /drives/);
});

const plan: Plan = {
  medium: Uint8Array.from({ length: 40 * 512 }, (_, i) => i >> 9),
  make: (_clock, medium) => {
    const disk = new MemoryDisk(40, false, medium);
    const r = rig(disk);
    const read = () => r.ide.commandBlock.read(0, 4);
    const repeat = (v: number, work: () => unknown) => {
      for (let i = 0; i < v; i++) work();
    };
    return {
      device: r.ide,
      faces: [r.ide.commandBlock, r.ide.controlBlock],
      inputs: [
        (v) => repeat(v, read),
        (v) => repeat(v, () => r.ide.commandBlock.write(0, 4, v * 0x01010101)),
        (v) => r.command([0x20, 0x30, 0xc4, 0xc5, 0x21, 0x31][v % 6], v % 41, v % 20),
        (v) => r.commandExt([0x24, 0x34, 0x29, 0x39][v % 4], v % 41, v % 20),
        (v) => r.command(0xc6, 0, 1 << (v % 6)),
        () => {
          disk.broken = !disk.broken;
        },
      ],
      outputs: () => [r.irq.level, disk.calls.splice(0)],
    };
  },
  offsets: [
    [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7],
    [0, 0, 1],
  ],
  values: [0x20, 0x30, 0xec, 0xc4, 0xc6, 0x90, 0x91, 0xef, 0xe0, 0xf0, 0x04, 0x02, 0x00],
};

test('random accesses never throw, and a restored channel goes on like the saved one', () => {
  const whole: Plan = {
    ...plan,
    // Whether the medium works is not the device's state, so it does not change here.
    make: (clock, medium) => {
      const subject = plan.make(clock, medium);
      return { ...subject, inputs: subject.inputs!.slice(0, 5) };
    },
  };
  checkRandomAccess(whole);
});
test('damaged states are refused or harmless', () => checkDamagedStates(plan));

test.run();
