// What a disk device needs from whatever holds its sectors.

export const SECTOR_SIZE = 512;

/**
 * Storage in sectors of 512 bytes. Devices check ranges before they call; a backend that throws makes the device
 * report an error to the guest.
 */
export interface BlockBackend {
  readonly sectors: number;
  readonly readOnly: boolean;
  /** Reads `count` sectors from `sector` on into `into`, which has exactly count × 512 bytes. */
  read(sector: number, count: number, into: Uint8Array): void;
  /** Writes `from`, a multiple of 512 bytes, from `sector` on. */
  write(sector: number, from: Uint8Array): void;
  /** Returns when everything written is safe. */
  flush(): void;
}
