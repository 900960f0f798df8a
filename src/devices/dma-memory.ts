// How a device reaches guest memory by itself.

export interface DmaMemory {
  /** The `length` bytes at guest physical `address`, or undefined unless all of them are RAM. The view stays valid. */
  range(address: number, length: number): Uint8Array | undefined;
  /** The device wrote there: what a vCPU has translated from these bytes is stale. */
  written(address: number, length: number): void;
}
