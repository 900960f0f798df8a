import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMAND_LINE_MAX, encodeCommandLine } from '../../src/loaders/command-line.js';
import { buildMemoryMap, E820_ACPI, E820_RAM, E820_RESERVED } from '../../src/loaders/memory-map.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { MIB } from './builders.js';

test('a PC with 128 MiB has two pieces of RAM with the firmware between them', () => {
  assert.equal(buildMemoryMap(128 * MIB), [
    { start: 0, size: 0x9fc00, type: E820_RAM },
    { start: 0x9fc00, size: 0x60400, type: E820_RESERVED },
    { start: MIB, size: 127 * MIB, type: E820_RAM },
    { start: 0xfec00000, size: 0x1000, type: E820_RESERVED },
    { start: 0xfee00000, size: 0x1000, type: E820_RESERVED },
    { start: 0xfffc0000, size: 0x40000, type: E820_RESERVED },
  ]);
});

test('1 MiB of RAM has none above the hole', () => {
  const ram = buildMemoryMap(MIB).filter((e) => e.type === E820_RAM);
  assert.equal(ram, [{ start: 0, size: 0x9fc00, type: E820_RAM }]);
});

test('ACPI tables are cut out of RAM and keep their type; tables in the BIOS area change nothing', () => {
  const acpi = { start: 16 * MIB - 0x10000, size: 0x8000, type: E820_ACPI };
  const map = buildMemoryMap(16 * MIB, [acpi, { start: 0xe0000, size: 0x1000, type: E820_ACPI }]);
  assert.equal(map.slice(2, 5), [
    { start: MIB, size: 15 * MIB - 0x10000, type: E820_RAM },
    acpi,
    { start: 16 * MIB - 0x8000, size: 0x8000, type: E820_RAM },
  ]);
  assert.is(map.length, 8);
});

test('any reserved ranges leave a sorted map without overlaps that covers all RAM once', () => {
  const range = fc.record({
    start: fc.integer({ min: 0, max: 17 * MIB }),
    size: fc.integer({ min: 0, max: 2 * MIB }),
    type: fc.constant(E820_ACPI),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), (reserved) => {
      const map = buildMemoryMap(16 * MIB, reserved);
      for (let i = 1; i < map.length; i++) assert.ok(map[i - 1].start + map[i - 1].size <= map[i].start);
      const below = map.filter((e) => e.start < 16 * MIB).reduce((sum, e) => sum + e.size, 0);
      assert.is(below, 16 * MIB);
      assert.ok(map.every((e) => e.size > 0));
    }),
  );
});

test('command lines end with NUL and have a limit', () => {
  assert.equal([...encodeCommandLine('a=ü')], [0x61, 0x3d, 0xc3, 0xbc, 0]);
  assert.is(encodeCommandLine('x'.repeat(COMMAND_LINE_MAX)).length, 4096);
  const code = (e: unknown) => e instanceof TsvmError && e.code === 'E_COMMAND_LINE';
  assert.throws(() => encodeCommandLine('x'.repeat(COMMAND_LINE_MAX + 1)), code);
  assert.throws(() => encodeCommandLine('xxx', 2), code);
  assert.throws(() => encodeCommandLine('a\0b'), code);
});

test.run();
