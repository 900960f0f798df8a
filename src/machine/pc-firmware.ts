// The tables by which a kernel finds the board's interrupt controllers and power management.

import { buildAcpiTables, type VirtioMmioNode } from '../loaders/acpi.js';
import { buildMpTable } from '../loaders/mp-table.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import * as P from '../vcpu/pc-ports.js';

/**
 * Writes ACPI and MP tables into `memory`. Returns the RSDP's address; undefined when the ROM, which begins at
 * `romStart`, takes the place of the ACPI tables: such a large firmware brings its own. `virtio`: windows in use.
 */
export function placeFirmwareTables(
  memory: GuestMemory,
  romStart: number,
  ide: boolean,
  virtio: number,
): number | undefined {
  const mp = buildMpTable();
  memory.write(mp.address, mp.bytes);
  if (romStart < P.ACPI_TABLES_END) return undefined;
  const acpi = buildAcpiTables({ ide, virtioMmio: virtioWindows(virtio) });
  for (const table of acpi.tables) memory.write(table.address, table.bytes);
  return acpi.rsdpAddress;
}

function virtioWindows(count: number): VirtioMmioNode[] {
  return Array.from({ length: count }, (_, slot) => ({
    address: P.VIRTIO_BASE + slot * P.VIRTIO_STRIDE,
    size: P.VIRTIO_LENGTH,
    gsi: P.VIRTIO_GSI + slot,
  }));
}

/**
 * A kernel's command line with its virtio-mmio windows (Linux' parameter virtio_mmio.device), for kernels that read no
 * ACPI tables. One that knows them from the DSDT already finds the window taken and goes on.
 */
export function withVirtioWindows(commandLine: string | undefined, count: number): string | undefined {
  const parameters = virtioWindows(count).map(
    ({ address, size, gsi }) => `virtio_mmio.device=${size}@0x${address.toString(16)}:${gsi}`,
  );
  // Behind "--" a kernel's parameters end.
  const [own, ...rest] = (commandLine ?? '').split(' -- ');
  const line = [[own, ...parameters].filter((part) => part !== '').join(' '), ...rest].join(' -- ');
  return line === '' ? commandLine : line;
}
