// The loader's area for boot information: filled from the front, never past its end.

import type { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { alignUp, BOOT_INFO, BOOT_INFO_END } from './placement.js';

export class BootInfoArea {
  private next = BOOT_INFO;

  constructor(private readonly memory: GuestMemory) {}

  /** Address of `size` zeroed bytes, a multiple of 8. E_BOOT_INFO when the area is full. */
  reserve(size: number): number {
    const at = this.next;
    if (at + size > BOOT_INFO_END) {
      const room = BOOT_INFO_END - BOOT_INFO;
      throw new TsvmError(
        'E_BOOT_INFO',
        `the boot modules' list and strings do not fit in ${room} bytes. Give fewer modules or shorter strings.`,
      );
    }
    this.memory.fill(at, size);
    this.next = alignUp(at + size, 8);
    return at;
  }

  /** Address of a copy of `bytes`. */
  place(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.memory.write(at, bytes);
    return at;
  }
}
