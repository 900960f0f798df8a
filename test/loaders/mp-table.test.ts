import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildMpTable } from '../../src/loaders/mp-table.js';
import { byteSum } from '../../src/loaders/table-writer.js';

/** Reads the table as a system would: floating pointer, header, entries by their type's length. */
function parse(options: Parameters<typeof buildMpTable>[0] = {}) {
  const { address, bytes } = buildMpTable(options);
  const view = new DataView(bytes.buffer);
  const text = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
  assert.is(text(0, 4), '_MP_');
  assert.is(byteSum(bytes.subarray(0, 16)), 0);
  assert.is(view.getUint8(8), 1);
  assert.is(view.getUint8(9), 4);
  const table = view.getUint32(4, true) - address;
  assert.is(text(table, 4), 'PCMP');
  const length = view.getUint16(table + 4, true);
  assert.is(table + length, bytes.length);
  assert.is(byteSum(bytes.subarray(table)), 0);
  const entries: number[][] = [];
  for (let at = table + 44; at < bytes.length; ) {
    const size = bytes[at] === 0 ? 20 : 8;
    entries.push([...bytes.subarray(at, at + size)]);
    at += size;
  }
  assert.is(view.getUint16(table + 34, true), entries.length);
  return { address, bytes, table, view, entries };
}

test('placed in the EBDA, aligned, and short enough for it', () => {
  const { address, bytes, view, table } = parse();
  assert.is(address, 0x9fc10);
  assert.is(address % 16, 0);
  assert.ok(address + bytes.length <= 0xa0000);
  assert.is(view.getUint32(table + 36, true), 0xfee00000);
  assert.is(view.getUint8(11), 0, 'a configuration table is present');
  assert.is(view.getUint8(12), 0, 'virtual wire mode');
  assert.is(parse({ address: 0xf0000 }).address, 0xf0000);
});

test('one processor that boots, the ISA bus and the I/O APIC', () => {
  const { entries } = parse({ cpuSignature: 0x000306a9, cpuFeatures: 0x0781abfd });
  assert.equal(entries[0], [0, 0, 0x14, 3, 0xa9, 6, 3, 0, 0xfd, 0xab, 0x81, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(entries[1], [1, 0, 0x49, 0x53, 0x41, 0x20, 0x20, 0x20]);
  assert.equal(entries[2], [2, 8, 0x11, 1, 0, 0, 0xc0, 0xfe]);
  const two = parse({ apicIds: [0, 1] }).entries;
  assert.equal(
    two.slice(0, 2).map((e) => e.slice(0, 4)),
    [
      [0, 0, 0x14, 3],
      [0, 1, 0x14, 1],
    ],
  );
});

test('interrupts: the timer at input 2, no cascade, a level-triggered SCI, 8259A and NMI at the LINT pins', () => {
  const { entries } = parse();
  const wired = entries.filter((e) => e[0] === 3);
  assert.is(wired.length, 15);
  for (const [, type, flags, , bus, irq, apic, pin] of wired) {
    assert.is(type, 0);
    assert.is(flags, irq === 9 ? 0x0d : 0);
    assert.is(bus, 0);
    assert.is(apic, 8);
    assert.is(pin, irq === 0 ? 2 : irq);
    assert.is.not(irq, 2);
  }
  assert.equal(
    entries.filter((e) => e[0] === 4),
    [
      [4, 3, 0, 0, 0, 0, 0xff, 0],
      [4, 1, 0, 0, 0, 0, 0xff, 1],
    ],
  );
});

test.run();
