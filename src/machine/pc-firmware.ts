// The tables by which a kernel finds the board's interrupt controllers and power management.

import { buildAcpiTables } from '../loaders/acpi.js';
import { buildMpTable } from '../loaders/mp-table.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { ACPI_TABLES_END } from '../vcpu/pc-ports.js';

/**
 * Writes ACPI and MP tables into `memory`. Returns the RSDP's address; undefined when the ROM, which begins at
 * `romStart`, takes the place of the ACPI tables: such a large firmware brings its own.
 */
export function placeFirmwareTables(memory: GuestMemory, romStart: number, ide: boolean): number | undefined {
  const mp = buildMpTable();
  memory.write(mp.address, mp.bytes);
  if (romStart < ACPI_TABLES_END) return undefined;
  const acpi = buildAcpiTables({ ide });
  for (const table of acpi.tables) memory.write(table.address, table.bytes);
  return acpi.rsdpAddress;
}
