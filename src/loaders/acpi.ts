// The ACPI tables of the pc board (ACPI 6.4, chapter 5): RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT.

import * as P from '../vcpu/pc-ports.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { dsdtBody, type VirtioMmioNode } from './dsdt.js';
import { concatBytes, TableWriter } from './table-writer.js';

export type { VirtioMmioNode } from './dsdt.js';

export interface AcpiOptions {
  /** Where the tables go: from `base`, a multiple of 64, up to before `end`, within 0xE0000–0xFFFFF. */
  readonly base?: number;
  readonly end?: number;
  /** APIC ID of each processor; the first is the one that boots. Default: one, with ID 0. */
  readonly apicIds?: readonly number[];
  readonly virtioMmio?: readonly VirtioMmioNode[];
  /** Announce the ATA channel at 0x1F0. Default false. */
  readonly ide?: boolean;
  /** Whether there is a VGA to be probed. Default true. */
  readonly vga?: boolean;
}

export interface AcpiTable {
  readonly signature: string;
  /** Guest physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface AcpiTables {
  readonly tables: readonly AcpiTable[];
  /** Guest physical address of the RSDP, for boot protocols that pass it on. */
  readonly rsdpAddress: number;
}

const HEADER_LENGTH = 36;
const OEM_ID = 'TSVM';
const OEM_TABLE_ID = 'TSVMPC';

/** Lays out all tables. Throws E_ACPI_SPACE when they do not fit. */
export function buildAcpiTables(options: AcpiOptions = {}): AcpiTables {
  const { apicIds = [0], virtioMmio = [], ide = false, vga = true } = options;
  const end = options.end ?? P.ACPI_TABLES_END;
  const tables: AcpiTable[] = [];
  let next = options.base ?? P.ACPI_TABLES_ADDRESS;
  // The FACS needs 64-byte alignment (5.2.10) and the RSDP 16 (5.2.5.1); 64 serves all.
  const place = (signature: string, bytes: Uint8Array): number => {
    const address = next;
    next = Math.ceil((address + bytes.length) / 64) * 64;
    tables.push({ signature, address, bytes });
    return address;
  };

  // The RSDP comes first, so that it is at a known address; it is filled in last.
  const rsdp = new Uint8Array(36);
  const rsdpAddress = place('RSD PTR ', rsdp);
  const facs = place('FACS', buildFacs());
  const body = dsdtBody({ processors: apicIds.length, virtioMmio, ide });
  const dsdt = place('DSDT', table('DSDT', 2, body));
  const listed = [place('FACP', buildFadt(facs, dsdt, vga)), place('APIC', buildMadt(apicIds))];
  const rsdt = place('RSDT', table('RSDT', 1, addressList(listed, 4)));
  const xsdt = place('XSDT', table('XSDT', 1, addressList(listed, 8)));
  rsdp.set(buildRsdp(rsdt, xsdt));

  if (next > end) {
    throw new TsvmError(
      'E_ACPI_SPACE',
      `the ACPI tables need ${next - rsdpAddress} bytes, but only ${end - rsdpAddress} are free: use fewer devices.`,
    );
  }
  return { tables, rsdpAddress };
}

/** A system description table: header (5.2.6), then `body`. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  return new TableWriter(HEADER_LENGTH + body.length)
    .text(0, signature)
    .u32(4, HEADER_LENGTH + body.length)
    .u8(8, revision)
    .text(10, OEM_ID, 6)
    .text(16, OEM_TABLE_ID, 8)
    .u32(24, 1)
    .text(28, 'TSVM')
    .u32(32, 1)
    .data(HEADER_LENGTH, body)
    .checksum(9).bytes;
}

/** Root system description pointer, revision 2 (5.2.5.3). */
function buildRsdp(rsdt: number, xsdt: number): Uint8Array {
  return new TableWriter(36)
    .text(0, 'RSD PTR ')
    .text(9, OEM_ID, 6)
    .u8(15, 2)
    .u32(16, rsdt)
    .u32(20, 36)
    .u64(24, xsdt)
    .checksum(8, 20) // what ACPI 1.0 defined
    .checksum(32).bytes;
}

function addressList(addresses: readonly number[], width: 4 | 8): Uint8Array {
  const list = new TableWriter(addresses.length * width);
  for (const [i, address] of addresses.entries()) {
    if (width === 4) list.u32(i * 4, address);
    else list.u64(i * 8, address);
  }
  return list.bytes;
}

/** Firmware ACPI control structure (5.2.10): no header, no checksum. */
function buildFacs(): Uint8Array {
  return new TableWriter(64).text(0, 'FACS').u32(4, 64).u8(32, 2).bytes;
}

// FADT feature flags (table 5.10).
const FADT_WBINVD = 1 << 0;
const FADT_PROC_C1 = 1 << 2;
/** Set: there is no sleep button in the fixed hardware. The power button's flag stays clear: that one is there. */
const FADT_SLP_BUTTON = 1 << 5;
/** Set: the RTC cannot wake through fixed hardware. */
const FADT_FIX_RTC = 1 << 6;
const FADT_TMR_VAL_EXT = 1 << 8;
const FADT_RESET_REG_SUP = 1 << 10;

// IA-PC boot architecture flags (table 5.11).
const BOOT_LEGACY_DEVICES = 1 << 0;
const BOOT_8042 = 1 << 1;
const BOOT_VGA_NOT_PRESENT = 1 << 2;
const BOOT_MSI_NOT_SUPPORTED = 1 << 3;

/** Fixed ACPI description table, revision 6.4 (table 5.9, which gives the offsets used here). */
function buildFadt(facs: number, dsdt: number, vga: boolean): Uint8Array {
  const event = P.ACPI_PM_BASE + P.PM1_EVENT_OFFSET;
  const control = P.ACPI_PM_BASE + P.PM1_CONTROL_OFFSET;
  const timer = P.ACPI_PM_BASE + P.PM_TIMER_OFFSET;
  const bootFlags = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_MSI_NOT_SUPPORTED | (vga ? 0 : BOOT_VGA_NOT_PRESENT);
  const flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP;
  const fields = new TableWriter(276)
    .u32(36, facs) // FIRMWARE_CTRL; X_FIRMWARE_CTRL then has to be zero
    .u32(40, dsdt)
    .u16(46, P.IRQ_SCI)
    .u32(48, 0) // SMI_CMD: none, so the machine is in ACPI mode always
    .u32(56, event)
    .u32(64, control)
    .u32(76, timer)
    .u8(88, P.PM1_EVENT_LENGTH)
    .u8(89, P.PM1_CONTROL_LENGTH)
    .u8(91, P.PM_TIMER_LENGTH)
    .u16(96, 101) // P_LVL2_LAT above 100 µs: no C2
    .u16(98, 1001) // P_LVL3_LAT above 1000 µs: no C3
    .u8(108, P.CMOS_CENTURY)
    .u16(109, bootFlags)
    .u32(112, flags)
    .data(116, ioAddress(P.PORT_RESET_CONTROL, 8, 1))
    .u8(128, P.RESET_CONTROL_HARD)
    .u8(131, 4) // minor version
    .u64(140, dsdt)
    .data(148, ioAddress(event, 8 * P.PM1_EVENT_LENGTH, 2))
    .data(172, ioAddress(control, 8 * P.PM1_CONTROL_LENGTH, 2))
    .data(208, ioAddress(timer, 8 * P.PM_TIMER_LENGTH, 3));
  return table('FACP', 6, fields.bytes.subarray(HEADER_LENGTH));
}

/** Generic address structure (5.2.3.2) in I/O space. Access size: 1 byte, 2 word, 3 double word. */
function ioAddress(port: number, bits: number, accessSize: number): Uint8Array {
  return new TableWriter(12).u8(0, 1).u8(1, bits).u8(3, accessSize).u64(4, port).bytes;
}

/** MPS INTI flags (table 5.25): polarity in bits 1–0 (01 active high), trigger in bits 3–2 (11 level). */
const INTI_CONFORMS = 0x0;
const INTI_HIGH_LEVEL = 0xd;

/** Multiple APIC description table (5.2.12), revision 5. */
function buildMadt(apicIds: readonly number[]): Uint8Array {
  const header = new TableWriter(8).u32(0, P.LOCAL_APIC_ADDRESS).u32(4, 1); // PCAT_COMPAT: there is a pair of 8259As as well
  const processors = apicIds.map(
    (id, uid) => new TableWriter(8).u8(0, 0).u8(1, 8).u8(2, uid).u8(3, id).u32(4, 1).bytes,
  );
  const ioApic = new TableWriter(12).u8(0, 1).u8(1, 12).u8(2, P.IO_APIC_ID).u32(4, P.IO_APIC_ADDRESS).u32(8, 0);
  // ISA IRQs are wired to the input of the same number, but for these.
  const overrides = [
    sourceOverride(P.IRQ_TIMER, P.TIMER_GSI, INTI_CONFORMS),
    sourceOverride(P.IRQ_SCI, P.IRQ_SCI, INTI_HIGH_LEVEL),
  ];
  // Local APIC NMI: LINT1 of all processors.
  const nmi = new TableWriter(6).u8(0, 4).u8(1, 6).u8(2, 0xff).u16(3, INTI_CONFORMS).u8(5, 1);
  const entries = [header.bytes, ...processors, ioApic.bytes, ...overrides, nmi.bytes];
  return table('APIC', 5, concatBytes(entries));
}

/** Interrupt source override (5.2.12.5) on the ISA bus. */
function sourceOverride(irq: number, gsi: number, flags: number): Uint8Array {
  return new TableWriter(10).u8(0, 2).u8(1, 10).u8(3, irq).u32(4, gsi).u16(8, flags).bytes;
}
