// Cylinders, heads and sectors: how drives were addressed before LBA (ATA/ATAPI-5, clause 6.2).

export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** More than this many sectors cannot be said in CHS: 16383 × 16 × 63. */
export const MAX_CHS_SECTORS = 16_514_064;

/** Geometry for a drive's capacity and a translation of heads and sectors per track. */
export function geometryFor(sectors: number, heads = 16, sectorsPerTrack = 63): Geometry {
  const addressable = Math.min(sectors, MAX_CHS_SECTORS);
  const cylinders = Math.floor(addressable / (heads * sectorsPerTrack));
  return { cylinders: Math.min(Math.max(cylinders, 1), 65535), heads, sectorsPerTrack };
}

/** Sector number of a CHS address, or null if the geometry has no such sector. Sectors count from 1. */
export function chsToLba(geometry: Geometry, cylinder: number, head: number, sector: number): number | null {
  const { heads, sectorsPerTrack } = geometry;
  if (head >= heads || sector < 1 || sector > sectorsPerTrack) return null;
  return (cylinder * heads + head) * sectorsPerTrack + sector - 1;
}

export function lbaToChs(geometry: Geometry, lba: number): { cylinder: number; head: number; sector: number } {
  const { heads, sectorsPerTrack } = geometry;
  const track = Math.floor(lba / sectorsPerTrack);
  return { cylinder: Math.floor(track / heads), head: track % heads, sector: (lba % sectorsPerTrack) + 1 };
}
