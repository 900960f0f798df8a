// The registers of one ATA drive through which commands get their address and count (ATA/ATAPI-6, clause 6.2 and 7).

import * as G from './ata-geometry.js';
import * as A from './ata-registers.js';

/** How a command gave its address, so that the drive can give one back the same way. */
export const ADDRESSINGS = ['chs', 'lba28', 'lba48'] as const;
export type Addressing = (typeof ADDRESSINGS)[number];

export class AtaTaskFile {
  /** Registers by offset, and what they held before the last write: the two-deep registers of LBA48 (6.20). */
  readonly current = new Uint8Array(8);
  readonly previous = new Uint8Array(8);
  addressing: Addressing = 'lba28';

  write(register: number, value: number): void {
    this.previous[register] = this.current[register];
    this.current[register] = value;
  }

  clear(): void {
    this.current.fill(0);
    this.previous.fill(0);
  }

  /** What reset and diagnostics leave: tells a disk from a packet device (9.12). */
  setSignature(): void {
    this.current[A.ATA_SECTOR_COUNT] = 1;
    this.putBytes(1, 0, 0);
    this.current[A.ATA_DEVICE] = 0;
  }

  /** First sector of a command, or null when CHS names none. `extended` commands use 48-bit addresses. */
  startAddress(extended: boolean, geometry: G.Geometry): number | null {
    const low24 = (from: Uint8Array) =>
      from[A.ATA_LBA_HIGH] * 0x10000 + from[A.ATA_LBA_MID] * 0x100 + from[A.ATA_LBA_LOW];
    const device = this.current[A.ATA_DEVICE];
    if (extended) {
      this.addressing = 'lba48';
      return low24(this.previous) * 0x1000000 + low24(this.current);
    }
    if ((device & A.DEVICE_LBA) !== 0) {
      this.addressing = 'lba28';
      return (device & 0xf) * 0x1000000 + low24(this.current);
    }
    this.addressing = 'chs';
    const cylinder = this.current[A.ATA_LBA_HIGH] * 0x100 + this.current[A.ATA_LBA_MID];
    return G.chsToLba(geometry, cylinder, device & 0xf, this.current[A.ATA_LBA_LOW]);
  }

  /** Zero means 256, or 65536 in the 48-bit commands. */
  sectorCount(extended: boolean): number {
    const count = this.current[A.ATA_SECTOR_COUNT];
    if (!extended) return count || 0x100;
    return this.previous[A.ATA_SECTOR_COUNT] * 0x100 + count || 0x10000;
  }

  /** Puts a sector's address into the registers, in the form that the command used. */
  reportAddress(lba: number, geometry: G.Geometry): void {
    if (this.addressing === 'chs') {
      const { cylinder, head, sector } = G.lbaToChs(geometry, lba);
      this.putBytes(sector, cylinder, cylinder >> 8);
      this.putHead(head);
      return;
    }
    this.putBytes(lba, lba >>> 8, lba >>> 16);
    const upper = Math.floor(lba / 0x1000000);
    if (this.addressing === 'lba28') {
      this.putHead(upper);
      return;
    }
    this.previous[A.ATA_LBA_LOW] = upper;
    this.previous[A.ATA_LBA_MID] = upper >> 8;
    this.previous[A.ATA_LBA_HIGH] = upper >> 16;
  }

  // The arrays keep the low eight bits of what they are given.
  private putBytes(low: number, mid: number, high: number): void {
    this.current[A.ATA_LBA_LOW] = low;
    this.current[A.ATA_LBA_MID] = mid;
    this.current[A.ATA_LBA_HIGH] = high;
  }

  private putHead(head: number): void {
    this.current[A.ATA_DEVICE] = (this.current[A.ATA_DEVICE] & 0xf0) | (head & 0xf);
  }
}
