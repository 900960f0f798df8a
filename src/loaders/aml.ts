// A small encoder for ACPI Machine Language (ACPI 6.4, chapter 20), as much as the board's DSDT needs: named objects,
// scopes, devices, packages and resource templates. Each function returns one encoded term.

import { concatBytes, TableWriter } from './table-writer.js';

// Opcodes (table 20.1).
const ZERO_OP = 0x00;
const ONE_OP = 0x01;
const NAME_OP = 0x08;
const BYTE_PREFIX = 0x0a;
const WORD_PREFIX = 0x0b;
const DWORD_PREFIX = 0x0c;
const STRING_PREFIX = 0x0d;
const SCOPE_OP = 0x10;
const BUFFER_OP = 0x11;
const PACKAGE_OP = 0x12;
const DUAL_NAME_PREFIX = 0x2e;
const MULTI_NAME_PREFIX = 0x2f;
const EXT_OP_PREFIX = 0x5b;
const DEVICE_OP = 0x82;

/** An integer in its shortest encoding, 0 to 2^32 − 1. */
export function integer(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`no AML integer: ${value}`);
  if (value === 0) return Uint8Array.of(ZERO_OP);
  if (value === 1) return Uint8Array.of(ONE_OP);
  if (value <= 0xff) return Uint8Array.of(BYTE_PREFIX, value);
  if (value <= 0xffff) return new TableWriter(3).u8(0, WORD_PREFIX).u16(1, value).bytes;
  return new TableWriter(5).u8(0, DWORD_PREFIX).u32(1, value).bytes;
}

export function string(text: string): Uint8Array {
  const isAscii = [...text].every((c) => c >= ' ' && c <= '~');
  if (!isAscii) throw new RangeError('AML strings here are printable ASCII');
  return new TableWriter(text.length + 2).u8(0, STRING_PREFIX).text(1, text).bytes;
}

/**
 * A seven-character PNP ID such as PNP0501, compressed to 32 bits (19.3.4): three letters of five bits each, then four
 * hexadecimal digits, most significant byte first.
 */
export function eisaId(id: string): Uint8Array {
  const match = /^([A-Z])([A-Z])([A-Z])([0-9A-F]{4})$/.exec(id);
  if (match === null) throw new RangeError(`no EISA ID: ${id}`);
  const letters = match.slice(1, 4).reduce((bits, letter) => (bits << 5) | (letter.charCodeAt(0) - 0x40), 0);
  const digits = Number.parseInt(match[4], 16);
  return Uint8Array.of(DWORD_PREFIX, letters >> 8, letters & 0xff, digits >> 8, digits & 0xff);
}

/** A path such as `\_SB` or `\_SB.COM1`: segments of up to four characters, padded with underscores (20.2.2). */
export function nameString(path: string): Uint8Array {
  const match = /^(\\?)([A-Z_][A-Z0-9_]{0,3}(?:\.[A-Z_][A-Z0-9_]{0,3})*)$/.exec(path);
  if (match === null) throw new RangeError(`no AML name: ${path}`);
  const [, root, names] = match;
  const segments = names.split('.').map((name) => name.padEnd(4, '_'));
  const prefix = [...root].map((c) => c.charCodeAt(0));
  if (segments.length === 2) prefix.push(DUAL_NAME_PREFIX);
  if (segments.length > 2) prefix.push(MULTI_NAME_PREFIX, segments.length);
  return Uint8Array.from([...prefix, ...[...segments.join('')].map((c) => c.charCodeAt(0))]);
}

/**
 * PkgLength (20.2.4): up to 63 in one byte; beyond, the first byte has the count of following bytes in its upper two
 * bits and the lowest four bits of the length. The length counts its own encoding.
 */
export function packageLength(content: number): Uint8Array {
  if (content + 1 <= 0x3f) return Uint8Array.of(content + 1);
  for (let following = 1; following <= 3; following++) {
    const total = content + 1 + following;
    if (total >= 2 ** (4 + 8 * following)) continue;
    const bytes = [(following << 6) | (total & 0xf)];
    for (let i = 0; i < following; i++) bytes.push((total >> (4 + 8 * i)) & 0xff);
    return Uint8Array.from(bytes);
  }
  throw new RangeError(`AML package of ${content} bytes is too long`);
}

function enclosed(opcode: readonly number[], ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  return concatBytes([Uint8Array.from(opcode), packageLength(content.length), content]);
}

/** Name (path, value) */
export function name(path: string, value: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(NAME_OP), nameString(path), value]);
}

/** Scope (path) { … } */
export function scope(path: string, ...terms: readonly Uint8Array[]): Uint8Array {
  return enclosed([SCOPE_OP], nameString(path), ...terms);
}

/** Device (path) { … } */
export function device(path: string, ...terms: readonly Uint8Array[]): Uint8Array {
  return enclosed([EXT_OP_PREFIX, DEVICE_OP], nameString(path), ...terms);
}

/** Package () { … }, up to 255 elements */
export function packageOf(...elements: readonly Uint8Array[]): Uint8Array {
  return enclosed([PACKAGE_OP], Uint8Array.of(elements.length), ...elements);
}

export function buffer(content: Uint8Array): Uint8Array {
  return enclosed([BUFFER_OP], integer(content.length), content);
}

// ---- resource descriptors (6.4)

/** ResourceTemplate () { … }, closed by an end tag whose checksum zero means "do not check" (6.4.2.9). */
export function resources(...descriptors: readonly Uint8Array[]): Uint8Array {
  return buffer(concatBytes([...descriptors, Uint8Array.of(0x79, 0x00)]));
}

/** IO (Decode16, port, port, 1, length): small descriptor of 7 bytes (6.4.2.5). */
export function ioPorts(port: number, length: number): Uint8Array {
  return new TableWriter(8).u8(0, 0x47).u8(1, 1).u16(2, port).u16(4, port).u8(6, 1).u8(7, length).bytes;
}

/** IRQNoFlags () {irq}: an ISA interrupt, edge-triggered and active high (6.4.2.1). */
export function isaIrq(irq: number): Uint8Array {
  return new TableWriter(3).u8(0, 0x22).u16(1, 1 << irq).bytes;
}

/** Memory32Fixed (ReadWrite, address, length) (6.4.3.4). */
export function memory32Fixed(address: number, length: number): Uint8Array {
  return new TableWriter(12).u8(0, 0x86).u16(1, 9).u8(3, 1).u32(4, address).u32(8, length).bytes;
}

/** Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) {gsi}: extended interrupt descriptor (6.4.3.6). */
export function levelInterrupt(gsi: number): Uint8Array {
  const consumer = 1;
  return new TableWriter(9).u8(0, 0x89).u16(1, 6).u8(3, consumer).u8(4, 1).u32(5, gsi).bytes;
}
