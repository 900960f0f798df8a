// The virtio devices of a board: made from what the user attached, in the order in which their windows follow.

import type { BlockBackend } from '../devices/block-backend.js';
import type { DmaMemory } from '../devices/dma-memory.js';
import { GUEST_MAC } from '../devices/user-net.js';
import { VirtioBlk } from '../devices/virtio-blk.js';
import { VirtioConsole } from '../devices/virtio-console.js';
import type { VirtioDevice } from '../devices/virtio-device.js';
import { VirtioMmio } from '../devices/virtio-mmio.js';
import { type NetBackend, VirtioNet } from '../devices/virtio-net.js';
import { VirtioRng } from '../devices/virtio-rng.js';
import type { Clock, IrqLine } from '../vcpu/device.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';

export interface VirtioPlan {
  readonly disks?: readonly BlockBackend[] | undefined;
  /** Makes the other end of the network cable; a reset makes a new one. */
  readonly net?: (() => NetBackend) | undefined;
  /** Entropy for virtio-rng. */
  readonly random?: ((into: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** A virtio console, whose output goes there. */
  readonly console?: ((byte: number) => void) | undefined;
}

/** How many windows a plan takes. */
export function countVirtio(plan: VirtioPlan): number {
  return (plan.disks?.length ?? 0) + (plan.net ? 1 : 0) + (plan.random ? 1 : 0) + (plan.console ? 1 : 0);
}

export interface VirtioSet {
  /** By slot, from 0 on. */
  readonly windows: readonly VirtioMmio[];
  readonly console: VirtioConsole | undefined;
}

export interface VirtioWiring {
  readonly memory: DmaMemory;
  readonly clock: Clock;
  readonly irq: (slot: number) => IrqLine;
}

/** Disks come first, so that the first disk is at the first window. */
export function makeVirtio(plan: VirtioPlan, wiring: VirtioWiring): VirtioSet {
  const devices: VirtioDevice[] = (plan.disks ?? []).map(
    (backend, i) => new VirtioBlk({ backend, serial: `tsvm-disk-${i}` }),
  );
  if (plan.net) devices.push(new VirtioNet(plan.net(), Uint8Array.from(GUEST_MAC)));
  if (plan.random) devices.push(new VirtioRng(plan.random));
  const console = plan.console ? new VirtioConsole(plan.console) : undefined;
  if (console) devices.push(console);
  const { memory, clock } = wiring;
  const windows = devices.map((device, slot) => new VirtioMmio({ device, memory, clock, irq: wiring.irq(slot) }));
  return { windows, console };
}

/** Guest RAM as devices reach it. `written` hears of every range that a device has changed. */
export function dmaMemory(memory: GuestMemory, written: (address: number, length: number) => void): DmaMemory {
  return {
    range: (address, length) => (memory.contains(address, length) ? memory.slice(address, length) : undefined),
    written,
  };
}
