// Port and memory-mapped I/O exits: from kvm_run to the machine's bus and back.

import type { AccessSize, GuestBus } from '../vcpu/vcpu.js';
import * as R from './run-page.js';

/**
 * KVM_EXIT_IO: `count` elements of `size` bytes for one port, in the pages behind kvm_run (a string instruction may
 * transfer many at once). The kernel finishes IN at the next KVM_RUN.
 */
export function portIo(page: R.RunPage, bus: GuestBus): void {
  const { view } = page;
  const write = isPortWrite(page);
  const size = view.getUint8(R.RUN_IO_SIZE) as AccessSize;
  const port = view.getUint16(R.RUN_IO_PORT, true);
  const count = view.getUint32(R.RUN_IO_COUNT, true);
  let at = view.getUint32(R.RUN_IO_DATA_OFFSET, true);
  for (let i = 0; i < count && at + size <= view.byteLength; i++, at += size) {
    if (write) bus.pioWrite(port, size, load(view, at, size));
    else store(view, at, size, bus.pioRead(port, size));
  }
}

/**
 * KVM_EXIT_MMIO: up to 8 bytes at one address. Devices take at most 4 at a time, so wider or odd lengths (an access
 * that straddles a page) go in pieces, lowest address first. `mask` is the A20 gate's.
 */
export function memoryIo(page: R.RunPage, bus: GuestBus, mask: (address: number) => number): void {
  const { view } = page;
  const write = isMmioWrite(page);
  const length = Math.min(8, view.getUint32(R.RUN_MMIO_LEN, true));
  const address = mmioAddress(page);
  for (let done = 0; done < length; ) {
    const left = length - done;
    const size: AccessSize = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const at = R.RUN_MMIO_DATA + done;
    if (write) bus.mmioWrite(mask(address + done), size, load(view, at, size));
    else store(view, at, size, bus.mmioRead(mask(address + done), size));
    done += size;
  }
}

/** Guest-physical address of an MMIO exit; below 2^52, so a number holds it. */
export function mmioAddress(page: R.RunPage): number {
  const { view } = page;
  return view.getUint32(R.RUN_MMIO_PHYS_ADDR, true) + view.getUint32(R.RUN_MMIO_PHYS_ADDR + 4, true) * 0x1_0000_0000;
}

export function isMmioWrite(page: R.RunPage): boolean {
  return page.view.getUint8(R.RUN_MMIO_IS_WRITE) !== 0;
}

export function isPortWrite(page: R.RunPage): boolean {
  return page.view.getUint8(R.RUN_IO_DIRECTION) === R.KVM_EXIT_IO_OUT;
}

function load(view: DataView, at: number, size: AccessSize): number {
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function store(view: DataView, at: number, size: AccessSize, value: number): void {
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}
