// The MP floating pointer structure and configuration table (Intel MultiProcessor Specification 1.4, chapter 4), by
// which systems older than ACPI find processors and interrupt wiring.

import * as P from '../vcpu/pc-ports.js';
import { concatBytes, TableWriter } from './table-writer.js';

export interface MpTableOptions {
  /** Where it goes, a multiple of 16 in the EBDA or the BIOS area (4.1). */
  readonly address?: number;
  /** APIC ID of each processor; the first is the one that boots. Default: one, with ID 0. */
  readonly apicIds?: readonly number[];
  /** EAX and EDX of CPUID leaf 1, for the processor entries. */
  readonly cpuSignature?: number;
  readonly cpuFeatures?: number;
}

export interface MpTable {
  /** Guest physical address of the floating pointer, which the configuration table follows. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

const POINTER_LENGTH = 16;
const HEADER_LENGTH = 44;
const SPEC_REVISION = 4;
const LOCAL_APIC_VERSION = 0x14;
const IO_APIC_VERSION = 0x11;
const ISA_BUS_ID = 0;
const ALL_LOCAL_APICS = 0xff;

// Interrupt types (table 4-11), and flags: polarity in bits 1–0, trigger in bits 3–2, zero as the bus has it.
const INT = 0;
const NMI = 1;
const EXTINT = 3;
const CONFORMS = 0;
const HIGH_LEVEL = 0xd;

export function buildMpTable(options: MpTableOptions = {}): MpTable {
  const { address = P.MP_TABLE_ADDRESS, apicIds = [0], cpuSignature = 0x600, cpuFeatures = 0x201 } = options;
  const entries = [
    ...apicIds.map((id, i) => processor(id, i === 0, cpuSignature, cpuFeatures)),
    new TableWriter(8).u8(0, 1).u8(1, ISA_BUS_ID).text(2, 'ISA', 6).bytes,
    new TableWriter(8).u8(0, 2).u8(1, P.IO_APIC_ID).u8(2, IO_APIC_VERSION).u8(3, 1).u32(4, P.IO_APIC_ADDRESS).bytes,
    ...isaInterrupts(),
    // The 8259As' output is at LINT0 of the processors, the NMI at LINT1.
    interrupt(4, EXTINT, CONFORMS, 0, ALL_LOCAL_APICS, 0),
    interrupt(4, NMI, CONFORMS, 0, ALL_LOCAL_APICS, 1),
  ];
  const body = concatBytes(entries);
  const length = HEADER_LENGTH + body.length;
  const table = new TableWriter(length)
    .text(0, 'PCMP')
    .u16(4, length)
    .u8(6, SPEC_REVISION)
    .text(8, 'TSVM', 8)
    .text(16, 'PC', 12)
    .u16(34, entries.length)
    .u32(36, P.LOCAL_APIC_ADDRESS)
    .data(HEADER_LENGTH, body)
    .checksum(7);
  // Feature byte 1 zero: a configuration table is present. Feature byte 2 zero: virtual wire mode, no IMCR.
  const pointer = new TableWriter(POINTER_LENGTH)
    .text(0, '_MP_')
    .u32(4, address + POINTER_LENGTH)
    .u8(8, 1) // its length in paragraphs
    .u8(9, SPEC_REVISION)
    .checksum(10);
  return { address, bytes: concatBytes([pointer.bytes, table.bytes]) };
}

/** Processor entry (4.3.1): flag 1 enabled, 2 bootstrap processor. */
function processor(id: number, bootstrap: boolean, signature: number, features: number): Uint8Array {
  return new TableWriter(20)
    .u8(1, id)
    .u8(2, LOCAL_APIC_VERSION)
    .u8(3, bootstrap ? 3 : 1)
    .u32(4, signature)
    .u32(8, features).bytes;
}

/** I/O interrupt assignments (4.3.4). IRQ 2 is the cascade and has none; its input serves the timer. */
function isaInterrupts(): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let irq = 0; irq < 16; irq++) {
    if (irq === 2) continue;
    const pin = irq === P.IRQ_TIMER ? P.TIMER_GSI : irq;
    list.push(interrupt(3, INT, irq === P.IRQ_SCI ? HIGH_LEVEL : CONFORMS, irq, P.IO_APIC_ID, pin));
  }
  return list;
}

/** Entry type 3 goes to an I/O APIC's input, type 4 to a local APIC's (4.3.4 and 4.3.5). */
function interrupt(entry: 3 | 4, type: number, flags: number, irq: number, apic: number, pin: number): Uint8Array {
  return new TableWriter(8).u8(0, entry).u8(1, type).u16(2, flags).u8(4, ISA_BUS_ID).u8(5, irq).u8(6, apic).u8(7, pin)
    .bytes;
}
