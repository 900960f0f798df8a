import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AcpiTable, type AcpiTables, buildAcpiTables } from '../../src/loaders/acpi.js';
import * as aml from '../../src/loaders/aml.js';
import { byteSum } from '../../src/loaders/table-writer.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';

const virtioMmio = [
  { address: 0xd0000000, size: 0x200, gsi: 16 },
  { address: 0xd0000200, size: 0x200, gsi: 17 },
];
const full = () => buildAcpiTables({ ide: true, apicIds: [0, 1], virtioMmio });

function find(tables: AcpiTables, signature: string): AcpiTable & { view: DataView } {
  const table = tables.tables.find((t) => t.signature === signature)!;
  assert.ok(table, signature);
  const { buffer, byteOffset, byteLength } = table.bytes;
  return { ...table, view: new DataView(buffer, byteOffset, byteLength) };
}

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

test('an operating system that scans memory finds every table, with right checksums', () => {
  const built = full();
  const memory = new Uint8Array(0x100000);
  for (const table of built.tables) memory.set(table.bytes, table.address);
  const view = new DataView(memory.buffer);

  let rsdp = 0;
  for (let at = 0xe0000; at < 0x100000 && rsdp === 0; at += 16) {
    if (text(memory.subarray(at, at + 8)) === 'RSD PTR ') rsdp = at;
  }
  assert.is(rsdp, built.rsdpAddress);
  assert.is(byteSum(memory.subarray(rsdp, rsdp + 20)), 0);
  assert.is(byteSum(memory.subarray(rsdp, rsdp + 36)), 0);
  assert.is(view.getUint8(rsdp + 15), 2);

  const table = (at: number) => {
    const length = view.getUint32(at + 4, true);
    assert.is(byteSum(memory.subarray(at, at + length)), 0);
    return { signature: text(memory.subarray(at, at + 4)), length, at };
  };
  const rsdt = table(view.getUint32(rsdp + 16, true));
  const xsdt = table(Number(view.getBigUint64(rsdp + 24, true)));
  assert.is(rsdt.signature, 'RSDT');
  assert.is(xsdt.signature, 'XSDT');
  const narrow = Array.from({ length: (rsdt.length - 36) / 4 }, (_, i) => view.getUint32(rsdt.at + 36 + 4 * i, true));
  const wide = Array.from({ length: (xsdt.length - 36) / 8 }, (_, i) =>
    Number(view.getBigUint64(xsdt.at + 36 + 8 * i, true)),
  );
  assert.equal(wide, narrow);
  assert.equal(
    wide.map((at) => table(at).signature),
    ['FACP', 'APIC'],
  );
  const fadt = wide[0];
  const facs = view.getUint32(fadt + 36, true);
  assert.is(text(memory.subarray(facs, facs + 4)), 'FACS');
  assert.is(facs % 64, 0);
  assert.is(table(view.getUint32(fadt + 40, true)).signature, 'DSDT');
  assert.is(view.getBigUint64(fadt + 140, true), BigInt(view.getUint32(fadt + 40, true)));
});

test('tables do not overlap and stay in their area', () => {
  const { tables } = full();
  const sorted = [...tables].sort((a, b) => a.address - b.address);
  sorted.forEach((table, i) => {
    const next = sorted[i + 1]?.address ?? 0xf0000;
    assert.ok(table.address >= 0xe0000 && table.address + table.bytes.length <= next, table.signature);
  });
});

test('FADT: power management ports, reset register, ACPI mode from the start', () => {
  const { view } = find(full(), 'FACP');
  assert.is(view.byteLength, 276);
  assert.is(view.getUint16(46, true), 9, 'SCI');
  assert.is(view.getUint32(48, true), 0, 'SMI_CMD');
  assert.equal(
    [56, 64, 76].map((at) => view.getUint32(at, true)),
    [0x600, 0x604, 0x608],
  );
  assert.equal(
    [88, 89, 91].map((at) => view.getUint8(at)),
    [4, 2, 4],
  );
  assert.is(view.getUint8(108), 0x32, 'century');
  assert.is(view.getUint16(109, true) & 7, 3, 'legacy devices, 8042, VGA may be probed');
  assert.ok((view.getUint32(112, true) & (1 << 10)) !== 0, 'reset register');
  assert.is(view.getUint32(112, true) & (1 << 20), 0, 'not hardware-reduced');
  assert.is(view.getUint8(116), 1);
  assert.is(view.getBigUint64(120, true), 0xcf9n);
  assert.is(view.getUint8(128), 6);
  const without = find(buildAcpiTables({ vga: false }), 'FACP');
  assert.is(without.view.getUint16(109, true) & 4, 4);
});

test('MADT: processors, I/O APIC, the timer at input 2, a level-triggered SCI, NMI at LINT1', () => {
  const { view, bytes } = find(full(), 'APIC');
  assert.is(view.getUint32(36, true), 0xfee00000);
  const entries: number[][] = [];
  for (let at = 44; at < bytes.length; at += bytes[at + 1]) entries.push([...bytes.subarray(at, at + bytes[at + 1])]);
  assert.equal(entries, [
    [0, 8, 0, 0, 1, 0, 0, 0],
    [0, 8, 1, 1, 1, 0, 0, 0],
    [1, 12, 8, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
    [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
    [2, 10, 0, 9, 9, 0, 0, 0, 13, 0],
    [4, 6, 0xff, 0, 0, 1],
  ]);
});

test('too many devices for the area are refused', () => {
  const many = Array.from({ length: 2000 }, (_, i) => ({ address: 0xd0000000 + i * 0x200, size: 0x200, gsi: 16 }));
  try {
    buildAcpiTables({ virtioMmio: many });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TsvmError);
    assert.is((error as TsvmError).code, 'E_ACPI_SPACE');
  }
});

test('AML: integers, names, EISA IDs and package lengths', () => {
  const bytes = (term: Uint8Array) => [...term];
  assert.equal(bytes(aml.integer(0)), [0]);
  assert.equal(bytes(aml.integer(1)), [1]);
  assert.equal(bytes(aml.integer(2)), [0x0a, 2]);
  assert.equal(bytes(aml.integer(0x1234)), [0x0b, 0x34, 0x12]);
  assert.equal(bytes(aml.integer(0xfee00000)), [0x0c, 0, 0, 0xe0, 0xfe]);
  assert.throws(() => aml.integer(-1));
  assert.equal(text(aml.nameString('\\_SB')), '\\_SB_');
  assert.equal(text(aml.nameString('\\_SB.COM1')), '\\._SB_COM1');
  assert.equal(text(aml.nameString('A.B.C')), '/\x03A___B___C___');
  assert.throws(() => aml.nameString('TOOLONG'));
  assert.throws(() => aml.nameString('1ST'));
  assert.equal(bytes(aml.eisaId('PNP0501')), [0x0c, 0x41, 0xd0, 0x05, 0x01]);
  assert.throws(() => aml.eisaId('LNRO0005'));
  assert.throws(() => aml.string('\u00e9'));
  assert.equal(bytes(aml.packageLength(62)), [63]);
  assert.equal(bytes(aml.packageLength(63)), [0x41, 0x04], '65 bytes in all');
  assert.equal(bytes(aml.packageLength(4093)), [0x4f, 0xff]);
  assert.equal(bytes(aml.packageLength(4094)), [0x81, 0x00, 0x01]);
});

test('the ACPI compiler disassembles the DSDT, and compiles it back to the same bytes', () => {
  try {
    execFileSync('iasl', ['-v'], { stdio: 'ignore' });
  } catch {
    console.log('skipped: no iasl (Debian package acpica-tools) on this host');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tsvm-acpi-'));
  try {
    const iasl = (...args: string[]) => execFileSync('iasl', args, { cwd: folder, stdio: 'pipe', encoding: 'utf8' });
    const built = full();
    for (const table of built.tables) writeFileSync(join(folder, `${table.signature.trim()}.aml`), table.bytes);
    iasl('-d', 'DSDT.aml', 'FACP.aml', 'APIC.aml', 'FACS.aml', 'XSDT.aml', 'RSDT.aml');
    const source = readFileSync(join(folder, 'DSDT.dsl'), 'utf8');
    for (const wanted of ['EisaId ("PNP0501")', 'EisaId ("PNP0303")', '"LNRO0005"', '\\_S5', '0xD0000200']) {
      assert.ok(source.includes(wanted), wanted);
    }
    // -oa: no optimisations, which would shorten \_SB to _SB.
    const report = iasl('-oa', '-p', 'again', 'DSDT.dsl');
    assert.match(report, /0 Errors, 0 Warnings/);
    const again = new Uint8Array(readFileSync(join(folder, 'again.aml')));
    assert.equal(again.subarray(36), find(built, 'DSDT').bytes.subarray(36));
    for (const data of ['FACP', 'APIC']) {
      iasl('-p', `${data}-again`, `${data}.dsl`);
      const bytes = new Uint8Array(readFileSync(join(folder, `${data}-again.aml`)));
      assert.equal(bytes.subarray(36), find(built, data).bytes.subarray(36));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
