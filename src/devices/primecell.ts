// What Arm's PrimeCell peripherals have in common: 32-bit registers in a 4 KiB page that ends with identification.

import type { BusDevice } from '../vcpu/device.js';
import type { AccessSize } from '../vcpu/vcpu.js';
import { readWords, writeWords } from './gic-interrupts.js';

const IDENTIFICATION = 0xfe0;
/** UARTPCellID0–3 and its siblings: the same in every PrimeCell. */
const CELL_ID = [0x0d, 0xf0, 0x05, 0xb1];

export abstract class PrimeCell implements BusDevice {
  constructor(
    readonly name: string,
    /** PeriphID0–3: part number, designer, revision, configuration. */
    private readonly peripheralId: readonly number[],
  ) {}

  /** `offset` is a multiple of 4 below 0xFE0. Registers that do not exist read as zero. */
  protected abstract readRegister(offset: number): number;
  protected abstract writeRegister(offset: number, value: number): void;

  read(offset: number, size: AccessSize): number {
    return readWords(offset, size, (at) => {
      if (at < IDENTIFICATION) return this.readRegister(at);
      return [...this.peripheralId, ...CELL_ID][(at - IDENTIFICATION) / 4] ?? 0;
    });
  }

  /** A narrower write reaches the register with zeros in the other bytes, as on the APB. */
  write(offset: number, size: AccessSize, value: number): void {
    writeWords(offset, size, value, (at, v) => {
      if (at < IDENTIFICATION) this.writeRegister(at, v);
    });
  }
}
